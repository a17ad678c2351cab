"""Lays weights out the way the kernels walk over them: rows of output channels, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spiking_retina_ros.spiking.event.layout import LANES_PER_WORD

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Planes:
    """
    How many bit planes a map's spikes have.

    Plane p stands for 2**p spikes among the ``positive``; as many ``negative`` ones may follow.
    """

    positive: int
    negative: int

    @property
    def multipliers(self) -> list[int]:
        """Return what one bit of each plane is worth."""
        return [1 << bit for bit in range(self.positive)] + [
            -(1 << bit) for bit in range(self.negative)
        ]


def padded(channels: int) -> int:
    """Return ``channels`` rounded up to whole words."""
    return -(-channels // LANES_PER_WORD) * LANES_PER_WORD


def pad_channels(values: IntArray, fill: int = 0) -> IntArray:
    """Fill up the last axis, output channels, to whole words."""
    missing = padded(values.shape[-1]) - values.shape[-1]
    widths = [(0, 0)] * (values.ndim - 1) + [(0, missing)]
    return np.pad(values, widths, constant_values=fill)


def convolution_rows(weight: Tensor, planes: Planes) -> IntArray:
    """
    Return (rows + 1, padded C_out): what one bit adds, and last a row of zeros.

    A row's number is (tap * planes + plane) * padded C_in + input channel.
    """
    taps = weight.to(torch.int64).permute(2, 3, 1, 0).flatten(0, 1).numpy()
    channels = padded(taps.shape[1])
    rows = np.zeros((len(taps), len(planes.multipliers), channels, padded(taps.shape[2])), np.int64)
    for index, multiplier in enumerate(planes.multipliers):
        rows[:, index, : taps.shape[1], : taps.shape[2]] = multiplier * taps
    flat = rows.reshape(-1, rows.shape[-1])
    return np.concatenate([flat, np.zeros_like(flat[:1])])


def depthwise_rows(weight: Tensor, planes: Planes) -> IntArray:
    """Return (taps * planes, padded C): row tap * planes + plane."""
    taps = weight.to(torch.int64)[:, 0].flatten(1).T.numpy()
    multipliers = np.array(planes.multipliers)
    rows = taps[:, None, :] * multipliers[None, :, None]
    return pad_channels(rows.reshape(-1, taps.shape[1]))


def image_rows(weight: Tensor) -> IntArray:
    """Return (taps * C_in, padded C_out): row tap * C_in + input channel."""
    taps = weight.to(torch.int64).permute(2, 3, 1, 0).flatten(0, 2).numpy()
    return pad_channels(taps)


def diagonal_rows(weight: Tensor, planes: Planes) -> IntArray:
    """Return (planes, padded C)."""
    return pad_channels(np.outer(planes.multipliers, weight.to(torch.int64).flatten().numpy()))


def wide_rows(weight: Tensor, groups: int) -> IntArray:
    """Return (taps * C_in, C_out / groups): what each input channel adds within its group."""
    out_channels, group_in, height, width = weight.shape
    grouped = weight.to(torch.int64).view(groups, out_channels // groups, group_in, height, width)
    return grouped.permute(3, 4, 0, 2, 1).reshape(-1, out_channels // groups).numpy()


def tiled(rows: IntArray) -> IntArray:
    """Return rows of 64 channels tile after tile, one last tile of 32 if need be, flat."""
    tiles = []
    for channel in range(0, rows.shape[1], 2 * LANES_PER_WORD):
        tiles.append(rows[:, channel : channel + 2 * LANES_PER_WORD].reshape(-1))
    return np.concatenate(tiles)


def fits(values: IntArray, dtype: type[np.signedinteger]) -> bool:
    """Return whether every value can be stored as ``dtype``."""
    info = np.iinfo(dtype)
    return bool(values.size == 0 or (values.min() >= info.min and values.max() <= info.max))
