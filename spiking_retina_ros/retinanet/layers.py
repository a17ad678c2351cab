"""The few modules torch does not have; all are leaves of the traced graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class FrozenBatchNorm2d(nn.Module):
    """
    Batch normalisation whose statistics never change.

    ``y = (x - running_mean) / sqrt(running_var + eps) * weight + bias`` per channel. Detectors
    train in small batches, whose own statistics would be noise. Parameter names are torch's, but
    there is no ``num_batches_tracked``, as in torchvision's detectors.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer('running_mean', torch.zeros(channels))
        self.register_buffer('running_var', torch.ones(channels))

    def scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """Return (C,) tensors with ``y = x * scale + shift``."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return scale, self.bias - self.running_mean * scale

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (N, C, H, W)."""
        scale, shift = self.scale_and_shift()
        return x * scale[:, None, None] + shift[:, None, None]

    def extra_repr(self) -> str:
        """Show channels and eps when printed."""
        return f'{self.weight.numel()}, eps={self.eps}'


class UpsampleLike(nn.Module):
    """Nearest-neighbour upsampling to the height and width of a second map, odd sizes included."""

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        """Return x (N, C, h, w) as (N, C, H, W) where ``like`` is (N, ?, H, W)."""
        return functional.interpolate(x, size=like.shape[-2:], mode='nearest')


class FadingReLU(nn.ReLU):
    """
    A ReLU that may begin as a leaky one: ``max(x, 0) + leak * min(x, 0)``, ``leak`` zero at first.

    A network trained with leaks loses everything when they are cut off at once, so a training run
    lets them fade (`fade_leaks`). Nothing leaks from a network that is loaded.
    """

    leak = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Activate x of any shape."""
        return functional.leaky_relu(x, self.leak) if self.leak else functional.relu(x)


def fade_leaks(network: nn.Module, leak: float) -> None:
    """Set the leak of every `FadingReLU`."""
    for module in network.modules():
        if isinstance(module, FadingReLU):
            module.leak = leak


# What a tracer must not look into, beside torch's own modules.
LEAF_MODULES = (FrozenBatchNorm2d, UpsampleLike, FadingReLU)


def activation(name: str) -> nn.Module:
    """Return a new ReLU or ReLU6 by the name used in the configuration."""
    return {'relu': nn.ReLU, 'relu6': nn.ReLU6}[name](inplace=True)
