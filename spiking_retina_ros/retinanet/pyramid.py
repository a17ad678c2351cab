"""The feature pyramid (Lin et al. 2017): C3, C4, C5 to P3..P7, all equally wide."""

from __future__ import annotations

from torch import Tensor, nn

from spiking_retina_ros.retinanet.layers import UpsampleLike, activation


class ExtraLevels(nn.Module):
    """P6 from P5 and P7 from P6, each by a convolution of stride 2."""

    def __init__(self, channels: int, activation_name: str) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(channels, channels, 3, 2, 1)
        self.p7 = nn.Conv2d(channels, channels, 3, 2, 1)
        self.bounded = activation_name != 'none'
        if self.bounded:
            self.p6_activation = activation(activation_name)
            self.p7_activation = activation(activation_name)
        else:
            # P6 itself stays linear and goes to the heads as it is, so not in place.
            self.relu = nn.ReLU()

    def forward(self, p5: Tensor) -> tuple[Tensor, Tensor]:
        """Return (P6, P7)."""
        p6 = self.p6(p5)
        if self.bounded:
            p6 = self.p6_activation(p6)
            return p6, self.p7_activation(self.p7(p6))
        return p6, self.p7(self.relu(p6))


class FeaturePyramid(nn.Module):
    """
    Lateral 1x1 convolutions, top-down nearest upsampling and sums, 3x3 output convolutions.

    With an activation, laterals and outputs are positive, and so are their sums: no spike ever
    has to carry a sign.
    """

    def __init__(
        self, in_channels: tuple[int, ...], channels: int, activation_name: str = 'none'
    ) -> None:
        super().__init__()

        def block(inputs: int, kernel: int) -> nn.Sequential:
            conv = nn.Conv2d(inputs, channels, kernel, padding=kernel // 2)
            after = [] if activation_name == 'none' else [activation(activation_name)]
            return nn.Sequential(conv, *after)

        self.inner_blocks = nn.ModuleList(block(inputs, 1) for inputs in in_channels)
        self.layer_blocks = nn.ModuleList(block(channels, 3) for _ in in_channels)
        self.upsample = UpsampleLike()
        self.extra_blocks = ExtraLevels(channels, activation_name)

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return (P3, ..., P7) for (C3, C4, C5)."""
        merged = self.inner_blocks[-1](features[-1])
        outputs = [self.layer_blocks[-1](merged)]
        for index in reversed(range(len(features) - 1)):
            lateral = self.inner_blocks[index](features[index])
            merged = lateral + self.upsample(merged, lateral)
            outputs.insert(0, self.layer_blocks[index](merged))
        return (*outputs, *self.extra_blocks(outputs[-1]))
