"""Box arithmetic on tensors of xyxy boxes (..., 4) in pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# exp of more than this would let one wild offset overflow; torchvision's value.
MAXIMUM_LOG_SCALE = math.log(1000.0 / 16)


def encode_boxes(boxes: Tensor, anchors: Tensor) -> Tensor:
    """
    Return the offsets (N, 4) that turn ``anchors`` into ``boxes``.

    ``dx = (x - x_a) / w_a``, ``dw = log(w / w_a)`` for centres and sizes, all weights 1.
    """
    centre, size = _centre_size(boxes)
    anchor_centre, anchor_size = _centre_size(anchors)
    return torch.cat(
        [(centre - anchor_centre) / anchor_size, torch.log(size / anchor_size)], dim=-1
    )


def decode_boxes(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Return the boxes (N, 4) that ``offsets`` make of ``anchors``: the inverse of encode."""
    anchor_centre, anchor_size = _centre_size(anchors)
    centre = anchor_centre + offsets[..., :2] * anchor_size
    half = anchor_size * torch.exp(offsets[..., 2:].clamp(max=MAXIMUM_LOG_SCALE)) / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the intersections over unions, (N, M), of (N, 4) with (M, 4)."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    inter = (high - low).clamp(min=0).prod(dim=-1)
    union = _area(first)[:, None] + _area(second)[None] - inter
    return inter / union.clamp(min=1e-9)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """
    Return the generalised IoU (Rezatofighi et al. 2019), (N,) in [-1, 1], of paired boxes.

    Where boxes are apart it falls with the empty part of their hull, so that it still has a slope.
    """
    low = torch.maximum(first[:, :2], second[:, :2])
    high = torch.minimum(first[:, 2:], second[:, 2:])
    inter = (high - low).clamp(min=0).prod(dim=-1)
    union = (_area(first) + _area(second) - inter).clamp(min=1e-9)
    hull_low = torch.minimum(first[:, :2], second[:, :2])
    hull_high = torch.maximum(first[:, 2:], second[:, 2:])
    hull = (hull_high - hull_low).prod(dim=-1).clamp(min=1e-9)
    return inter / union - (hull - union) / hull


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)


def _centre_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    return (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
