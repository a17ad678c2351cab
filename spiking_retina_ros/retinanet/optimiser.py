"""AdamW for a pretrained backbone under a new pyramid, and its learning rate over a run."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.recipe import Recipe


def make_optimiser(network: RetinaNet, recipe: Recipe) -> torch.optim.AdamW:
    """
    Return AdamW in four groups: backbone or not, decayed (weights) or not (biases and norms).

    Each group keeps its peak learning rate as ``full_rate`` for `set_rate`.
    """
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            key = (name.startswith('backbone.body.'), parameter.ndim > 1)
            groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                'params': parameters,
                'full_rate': recipe.learning_rate * (recipe.backbone_factor if body else 1.0),
                'weight_decay': recipe.weight_decay if decayed else 0.0,
            }
            for (body, decayed), parameters in groups.items()
        ],
        lr=recipe.learning_rate,
    )


def set_rate(optimiser: torch.optim.Optimizer, progress: float, warmup: float) -> None:
    """Set every group's learning rate for ``progress`` in [0, 1]: a rise, then a cosine to 0."""
    factor = rate_factor(progress, warmup)
    for group in optimiser.param_groups:
        group['lr'] = group['full_rate'] * factor


def rate_factor(progress: float, warmup: float) -> float:
    """Return the share of the peak learning rate at ``progress``."""
    if progress < warmup:
        return max(0.01, progress / warmup)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
