"""
The cross-stage partial network of NanoDet-g as a backbone: dense 3x3 convolutions and ReLUs only.

Compare CSPNet (Wang et al. 2020) and the tiny YOLOv4. For spikes it has what EfficientNet-Lite0
lacks: few channels at high resolution, no wide expansions and no linear maps, so that it has a
fifth of the neurons, most of them silent, and none that must send negative spikes. NanoDet-g was
trained on COCO with leaks of 0.1 in its ReLUs, which fade away while we train on, see
`layers.FadingReLU`; its batch norms are part of the convolutions. Its weights: `nanodet_import`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spiking_retina_ros.retinanet.layers import FadingReLU

STEM_CHANNELS = 32
# Stride of the first convolution, channels inside (as many leave again beside them), blocks.
STAGES = ((1, 32, 1), (2, 64, 2), (2, 128, 2), (2, 256, 3))


class ConvolutionRelu(nn.Sequential):
    """A 3x3 convolution and its activation."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity='relu')
        self.act = FadingReLU()


class HalvesBlock(nn.Module):
    """Two convolutions in a row, of half the channels each; both leave."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvolutionRelu(channels, channels // 2)
        self.second = ConvolutionRelu(channels // 2, channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to the same shape."""
        first = self.first(x)
        return torch.cat([self.second(first), first], 1)


class PartialStage(nn.Module):
    """Blocks between two convolutions; what goes in leaves beside what comes out."""

    def __init__(self, inputs: int, channels: int, stride: int, blocks: int) -> None:
        super().__init__()
        self.enter = ConvolutionRelu(inputs, channels, stride)
        self.blocks = nn.Sequential(*(HalvesBlock(channels) for _ in range(blocks)))
        self.leave = ConvolutionRelu(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, 2 * channels, H / stride, W / stride)."""
        x = self.enter(x)
        return torch.cat([self.leave(self.blocks(x)), x], 1)


class CspNet(nn.Module):
    """Images (N, 3, H, W) to C3, C4, C5 with 128, 256, 512 channels at strides 8, 16, 32."""

    out_channels = tuple(2 * channels for _, channels, _ in STAGES[1:])

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvolutionRelu(3, STEM_CHANNELS, stride=2)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = STEM_CHANNELS
        layers = []
        for stride, channels, blocks in STAGES:
            layers.append(PartialStage(inputs, channels, stride, blocks))
            inputs = 2 * channels
        self.layer1, self.layer2, self.layer3, self.layer4 = layers

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return (C3, C4, C5)."""
        c3 = self.layer2(self.layer1(self.maxpool(self.stem(x))))
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)

    def stages(self) -> list[list[nn.Module]]:
        """Return the modules that hold parameters, grouped by stage, the stem first."""
        return [[self.stem], [self.layer1], [self.layer2], [self.layer3], [self.layer4]]
