"""Normalisation is a change of units: before any spike nothing may be lost, borders included."""

import cv2
import numpy as np
import pytest
import torch
from networks import analog_images, random_images, random_network, stages

from spiking_retina_ros.conversion.convert import analog_input, convert, plan_input
from spiking_retina_ros.conversion.floating import decode, run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.network import build_retinanet
from spiking_retina_ros.spiking.network import Window

PRESETS = [ConversionOptions.paper(), ConversionOptions.fast()]


@pytest.mark.parametrize('options', PRESETS)
@pytest.mark.parametrize('size', [(64, 64), (47, 61)])
def test_normalised_network_decodes_to_the_analog_one(options, size):
    module = random_network(3)
    images = random_images(4, size)
    _, normalised = stages(module, options, images)
    with torch.no_grad():
        expected = module(analog_images(images))
    found = run_float(normalised, images.double())
    populations = [normalised.topology[name] for name in normalised.topology.outputs]
    for population, one, rates in zip(populations, expected, found, strict=True):
        decoded = decode(normalised, population, rates).float()
        torch.testing.assert_close(decoded, one, rtol=1e-4, atol=1e-5)


def test_naive_padding_would_have_been_noticed():
    """The border correction matters: without its taps the same comparison fails."""
    module = random_network(3)
    images = random_images(4, (47, 61))
    _, normalised = stages(module, ConversionOptions.paper(), images)
    for key in [key for key in normalised.tensors if key.endswith('.taps')]:
        taps = normalised.tensors.pop(key)
        layer = key.removesuffix('.weight.taps')
        normalised.tensors[f'{layer}.bias'] = normalised.tensors[f'{layer}.bias'] + taps.sum((1, 2))
    with torch.no_grad():
        expected = module(analog_images(images))[0]
    rates = run_float(normalised, images.double())[0]
    decoded = decode(normalised, normalised.topology[normalised.topology.outputs[0]], rates)
    assert float((decoded - expected).abs().max()) > 100 * 1e-5


@pytest.mark.parametrize('preset', ['paper', 'fast'])
@pytest.mark.parametrize(
    ('backbone', 'activation'),
    [('efficientnet_lite0', 'relu6'), ('resnet18', 'none'), ('cspnet', 'relu6')],
)
def test_retinanet_on_a_real_image(backbone, activation, preset, photographs):
    config = RetinaNetConfig(
        backbone=backbone,
        pyramid_activation=activation,
        input_size=(72, 104),
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
    )
    torch.manual_seed(5)
    network = build_retinanet(config).eval()
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
    images = [cv2.imread(str(path)) for path in photographs[:3]]
    options = ConversionOptions.preset(preset, keep_dead_channels=True)
    conversion = convert(network, images, options, window=Window(8, 0))
    integers, _ = conversion.network.preprocessing(images[0])
    with torch.no_grad():
        maps = network(analog_input(images[0], *plan_input(config))[None])
        rates = run_float(conversion.normalised, torch.from_numpy(integers)[None].double())
    expected = [item for group in maps for item in group]
    populations = conversion.network.output_populations
    for population, one, rate in zip(populations, expected, rates, strict=True):
        decoded = decode(conversion.normalised, population, rate).float()
        spread = float(one.abs().max())
        torch.testing.assert_close(decoded / spread, one / spread, rtol=0, atol=1e-5)


def test_clipping_limits_rates_to_what_neurons_can_say():
    module = random_network(3)
    images = random_images(4, (47, 61))
    options = ConversionOptions.paper(lower_percentile=10.0, upper_percentile=90.0)
    _, normalised = stages(module, options, images)
    seen = {}
    run_float(normalised, images.double(), clip=True, visit=lambda name, x: seen.update({name: x}))
    for population in normalised.topology.populations:
        assert float(seen[population.name].min()) >= 0
        assert float(seen[population.name].max()) <= 1


def test_a_dead_channel_is_named():
    module = random_network(3)
    with torch.no_grad():
        module.wide.weight[5] = 0
        module.wide.bias[5] = -1
    images = random_images(4, (47, 61))
    with pytest.raises(UserError, match=r'channel 5 .*keep-dead-channels'):
        stages(module, ConversionOptions.fast(), images)
    _, normalised = stages(module, ConversionOptions.fast(keep_dead_channels=True), images)
    assert all(bool(torch.isfinite(value).all()) for value in normalised.tensors.values())


def test_too_few_images_are_refused():
    with pytest.raises(UserError, match='at least 2 calibration images, found 1'):
        stages(random_network(3), ConversionOptions.fast(), random_images(1, (47, 61)))


def test_preprocessing_and_input_scale_agree_with_the_analog_input():
    config = RetinaNetConfig(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
    image = np.random.default_rng(0).integers(0, 256, (*config.input_size, 3), dtype=np.uint8)
    found = analog_input(image, *plan_input(config))
    rgb = torch.from_numpy(image[:, :, ::-1].copy()).permute(2, 0, 1).float()
    mean, std = (torch.tensor(values)[:, None, None] for values in (config.mean, config.std))
    torch.testing.assert_close(found, (rgb - mean) / std, rtol=1e-5, atol=1e-6)
