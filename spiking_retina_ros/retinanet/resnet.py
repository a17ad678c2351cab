"""ResNet-18 and ResNet-50 as backbones, with torchvision's structure and parameter names."""

from __future__ import annotations

from torch import Tensor, nn

from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d, activation

DEFAULT_EPS = 1e-5
LAYER_WIDTHS = (64, 128, 256, 512)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int, eps: float) -> nn.Module | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(_conv(inputs, outputs, 1, stride), FrozenBatchNorm2d(outputs, eps))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, eps: float) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 3, stride)
        self.bn1 = FrozenBatchNorm2d(width, eps)
        self.relu1 = activation('relu')
        self.conv2 = _conv(width, width, 3)
        self.bn2 = FrozenBatchNorm2d(width, eps)
        self.downsample = _shortcut(inputs, width, stride, eps)
        self.relu2 = activation('relu')

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, width, H / stride, W / stride)."""
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu2(y + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride) and 1x1 convolution, four times as wide at the end."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, eps: float) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = _conv(inputs, width, 1)
        self.bn1 = FrozenBatchNorm2d(width, eps)
        self.relu1 = activation('relu')
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = FrozenBatchNorm2d(width, eps)
        self.relu2 = activation('relu')
        self.conv3 = _conv(width, outputs, 1)
        self.bn3 = FrozenBatchNorm2d(outputs, eps)
        self.downsample = _shortcut(inputs, outputs, stride, eps)
        self.relu3 = activation('relu')

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, 4 * width, H / stride, W / stride)."""
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu3(y + shortcut)


class ResNet(nn.Module):
    """Images (N, 3, H, W) to C3, C4, C5 at strides 8, 16, 32."""

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        repeats: tuple[int, int, int, int],
        eps: float = DEFAULT_EPS,
    ) -> None:
        super().__init__()
        self.out_channels = tuple(width * block.expansion for width in LAYER_WIDTHS[1:])
        self.conv1 = nn.Conv2d(3, LAYER_WIDTHS[0], 7, 2, 3, bias=False)
        self.bn1 = FrozenBatchNorm2d(LAYER_WIDTHS[0], eps)
        self.relu = activation('relu')
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = LAYER_WIDTHS[0]
        layers = []
        for index, (width, count) in enumerate(zip(LAYER_WIDTHS, repeats, strict=True)):
            blocks = []
            for repeat in range(count):
                stride = 2 if repeat == 0 and index > 0 else 1
                blocks.append(block(inputs, width, stride, eps))
                inputs = width * block.expansion
            layers.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = layers

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return (C3, C4, C5)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        c3 = self.layer2(self.layer1(x))
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)

    def stages(self) -> list[list[nn.Module]]:
        """Return the modules that hold parameters, grouped by stage, the stem first."""
        groups: list[list[nn.Module]] = [[self.conv1, self.bn1]]
        groups += [[layer] for layer in (self.layer1, self.layer2, self.layer3, self.layer4)]
        return groups


def resnet18(eps: float = DEFAULT_EPS) -> ResNet:
    """Return a ResNet-18 without its classifier."""
    return ResNet(BasicBlock, (2, 2, 2, 2), eps)


def resnet50(eps: float = DEFAULT_EPS) -> ResNet:
    """Return a ResNet-50 without its classifier."""
    return ResNet(Bottleneck, (3, 4, 6, 3), eps)
