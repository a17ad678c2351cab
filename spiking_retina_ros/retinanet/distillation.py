"""What a network learns from a trained one: to see and to answer as it does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.loss import flatten_maps

Outputs = tuple[Sequence[Tensor], Sequence[Tensor]]


def distillation_loss(found: Outputs, wanted: Outputs, config: RetinaNetConfig) -> Tensor:
    """
    Return how far raw outputs (class maps, box maps) are from the trained network's, a scalar.

    Classes: cross-entropy with its probabilities, weighted by the squared distance to them (the
    focal loss for soft labels, Li et al. 2020). Boxes: absolute differences of the offsets,
    weighted by its best probability at each anchor. Both per expected object of the batch.
    """
    logits = flatten_maps(found[0], config.classes)
    probabilities = torch.sigmoid(flatten_maps(wanted[0], config.classes))
    entropy = functional.binary_cross_entropy_with_logits(logits, probabilities, reduction='none')
    focus = (torch.sigmoid(logits) - probabilities).square()
    confidence = probabilities.amax(-1)
    objects = (confidence * (confidence > 0.1)).sum().clamp(min=1)
    classes = (focus * entropy).sum() / objects
    distance = (flatten_maps(found[1], 4) - flatten_maps(wanted[1], 4)).abs().mean(-1)
    boxes = (distance * confidence * (confidence > 0.1)).sum() / objects
    return classes + boxes


def maps_loss(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Return the squared difference of maps relative to what is wanted, averaged over the maps."""
    parts = [
        (ours - theirs).square().mean() / theirs.square().mean().clamp(min=1e-6)
        for ours, theirs in zip(found, wanted, strict=True)
    ]
    return torch.stack(parts).mean()
