"""Small networks with every operation a conversion knows, and helpers to convert them."""

import torch
from torch import nn

from spiking_retina_ros.conversion.calibrate import calibrate
from spiking_retina_ros.conversion.normalise import InputScale, choose_scales, normalise
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import build_populations
from spiking_retina_ros.conversion.quantise import quantise
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.retinanet.layers import UpsampleLike
from spiking_retina_ros.spiking.network import Preprocessing, SpikingNetwork, Window

# x stands for (x + 0.35) / 100: a shifted input, as torchvision's fractional means give.
INPUT_SCALE = InputScale((0.01,) * 3, (0.0035,) * 3)


class EveryOperation(nn.Module):
    """Odd sizes, strides, dilation, groups, pooling, shortcuts, upsampling, a shared head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.relu6 = nn.ReLU6()
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.wide = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2)
        self.depthwise = nn.Conv2d(8, 8, 5, padding=2, groups=8)
        self.bottleneck = nn.Conv2d(8, 8, 1)
        self.bottleneck_norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.down = nn.Conv2d(8, 12, 3, 2, 1)
        self.lateral = nn.Conv2d(8, 12, 1)
        self.upsample = UpsampleLike()
        self.join = nn.Conv2d(20, 12, 3, padding=1)
        self.head = nn.Conv2d(12, 12, 3, padding=1)
        self.output = nn.Conv2d(12, 5, 3, padding=1)

    def forward(self, image):
        stem = self.relu6(self.stem_norm(self.stem(image)))
        pooled = self.pool(stem)
        mixed = self.relu(self.wide(pooled))
        block = self.bottleneck_norm(self.bottleneck(self.relu6(self.depthwise(mixed))))
        block = block + pooled
        down = self.down(self.relu(block))
        lateral = self.lateral(block)
        merged = lateral + self.upsample(down, lateral)
        joined = self.join(torch.cat([merged, block], 1))
        return tuple(self.output(self.relu(self.head(level))) for level in (joined, down))


def random_network(seed, network=EveryOperation):
    """A network in evaluation mode whose batch norms have statistics worth folding."""
    torch.manual_seed(seed)
    module = network()
    for item in module.modules():
        if isinstance(item, nn.BatchNorm2d):
            nn.init.normal_(item.running_mean, 0, 0.2)
            nn.init.uniform_(item.running_var, 0.5, 2.0)
            nn.init.normal_(item.weight, 1, 0.2)
            nn.init.normal_(item.bias, 0, 0.2)
        elif isinstance(item, nn.Conv2d) and item.bias is not None:
            nn.init.uniform_(item.bias, 0.2, 0.5)  # no channel may be dead
    return module.eval()


def random_images(count, size, seed=0):
    """Integer inputs (3, H, W), smooth enough for later layers to see something."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=generator) * 250 - 125
    return nn.functional.interpolate(coarse, size=size, mode='bilinear').round()


def analog_images(images):
    """What the integers stand for."""
    return images * INPUT_SCALE.scale[0] + INPUT_SCALE.shift[0]


def stages(module, options, images):
    """The analog and the normalised network."""
    analog = build_populations(parse(module), options)
    groups = ScaleGroups(analog.topology)
    calibration = calibrate(
        analog,
        groups,
        analog_images(images),
        count=len(images),
        lower_percentile=options.lower_percentile,
        upper_percentile=options.upper_percentile,
    )
    scales = choose_scales(analog.topology, groups, calibration, options)
    return analog, normalise(analog, scales, INPUT_SCALE)


def spiking(normalised, options, size):
    """The integer network."""
    return SpikingNetwork(
        normalised.topology,
        quantise(normalised, options),
        Preprocessing(size, (0, 0, 0)),
        Window(32, 8),
        ('boat', 'buoy'),
    )


def calibrated_thresholds(analog, normalised):
    """Return theta (C,) per scale group: the scales of the normalised network."""
    groups = ScaleGroups(analog.topology)
    return {
        groups.of(population.name): normalised.tensors[f'{population.layer}.scale']
        for population in analog.topology.populations
    }
