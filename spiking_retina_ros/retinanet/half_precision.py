"""
Training with convolutions in bfloat16: weights, losses and the optimiser stay in float32.

A CPU with AMX (or a GPU with tensor cores) convolves several times as fast that way. bfloat16 has
the range of float32, so gradients need no scaling.

Inputs must be larger than 64 pixels: for a map of one place and a stride of 2, which is P7 of a
smaller one, oneDNN 3.12 fills the weights' gradient from memory that nobody wrote.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def bfloat16_convolutions(device: str, *, enabled: bool) -> torch.autocast:
    """Return the context to run a network in; it does nothing unless ``enabled``."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=enabled)


def in_float32(maps: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Return maps as losses need them, unchanged where they are float32 already."""
    return tuple(item.float() for item in maps)
