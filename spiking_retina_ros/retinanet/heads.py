"""The two heads, shared by all levels: class logits and box offsets for every anchor."""

from __future__ import annotations

from torch import Tensor, nn

from spiking_retina_ros.retinanet.layers import activation


def _tower(channels: int, depth: int, activation_name: str) -> nn.Sequential:
    layers = (
        nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), activation(activation_name))
        for _ in range(depth)
    )
    return nn.Sequential(*layers)


class ClassificationHead(nn.Module):
    """A tower of 3x3 convolutions and the logits, channel a * K + k for anchor a and class k."""

    def __init__(
        self, channels: int, anchors: int, classes: int, depth: int, activation_name: str
    ) -> None:
        super().__init__()
        self.conv = _tower(channels, depth, activation_name)
        self.cls_logits = nn.Conv2d(channels, anchors * classes, 3, padding=1)

    def forward(self, levels: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return one map (N, A * K, h, w) per level."""
        return tuple(self.cls_logits(self.conv(level)) for level in levels)


class RegressionHead(nn.Module):
    """A tower of 3x3 convolutions and (dx, dy, dw, dh), channel a * 4 + i for anchor a."""

    def __init__(self, channels: int, anchors: int, depth: int, activation_name: str) -> None:
        super().__init__()
        self.conv = _tower(channels, depth, activation_name)
        self.bbox_reg = nn.Conv2d(channels, anchors * 4, 3, padding=1)

    def forward(self, levels: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return one map (N, A * 4, h, w) per level."""
        return tuple(self.bbox_reg(self.conv(level)) for level in levels)


class Head(nn.Module):
    """Both heads under the names torchvision gives them."""

    def __init__(
        self, channels: int, anchors: int, classes: int, depth: int, activation_name: str
    ) -> None:
        super().__init__()
        self.classification_head = ClassificationHead(
            channels, anchors, classes, depth, activation_name
        )
        self.regression_head = RegressionHead(channels, anchors, depth, activation_name)

    def forward(self, levels: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return (class maps, box maps), a tuple over the levels each."""
        return self.classification_head(levels), self.regression_head(levels)
