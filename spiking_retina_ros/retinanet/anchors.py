"""Anchors: the boxes every place of every level starts from (xyxy, input pixels, float32)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from spiking_retina_ros.retinanet.config import LEVEL_STRIDES, RetinaNetConfig


def map_sizes(input_size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Return (height, width) of P3..P7 for an input (height, width): halved, rounded up."""
    height, width = input_size
    return tuple((-(-height // stride), -(-width // stride)) for stride in LEVEL_STRIDES)


def level_anchors(
    config: RetinaNetConfig, input_size: tuple[int, int] | None = None
) -> tuple[Tensor, ...]:
    """
    Return the anchors of each level, (h * w * A, 4) xyxy in input pixels.

    The order is that of the output maps: places row by row, then anchors; ratios are the outer
    loop of the anchors and sizes the inner one, as in torchvision. A place (i, j) has its centre
    at (j * stride, i * stride), where the receptive field of symmetric padding has it.
    """
    return _level_anchors(config, input_size or config.input_size)


@lru_cache(maxsize=16)
def _level_anchors(config: RetinaNetConfig, input_size: tuple[int, int]) -> tuple[Tensor, ...]:
    levels = []
    shapes = map_sizes(input_size)
    for sizes, shape, stride in zip(config.anchor_sizes, shapes, LEVEL_STRIDES, strict=True):
        base = base_anchors(sizes, config.anchor_ratios, rounded=config.torchvision_anchors)
        step_y, step_x = stride, stride
        if config.torchvision_anchors:
            step_y, step_x = input_size[0] // shape[0], input_size[1] // shape[1]
        y, x = torch.meshgrid(
            torch.arange(shape[0]) * step_y, torch.arange(shape[1]) * step_x, indexing='ij'
        )
        places = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
        levels.append((places + base).reshape(-1, 4).float())
    return tuple(levels)


def base_anchors(
    sizes: Sequence[float], ratios: Sequence[float], *, rounded: bool = False
) -> Tensor:
    """Return (A, 4) anchors around the origin; a ratio is height over width at equal area."""
    size = torch.tensor(sizes, dtype=torch.float32)
    root = torch.tensor(ratios, dtype=torch.float32).sqrt()
    widths = (size / root[:, None]).reshape(-1)
    heights = (size * root[:, None]).reshape(-1)
    anchors = torch.stack([-widths, -heights, widths, heights], dim=1) / 2
    return anchors.round() if rounded else anchors
