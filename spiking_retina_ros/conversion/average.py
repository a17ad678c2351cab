"""The mean of several fine-tuned networks that began as one (a model soup)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.errors import UserError


def average_finetuned(parts: Mapping[str, FineTuned]) -> FineTuned:
    """
    Return the mean of the weights and the geometric mean of the thresholds, which learn as logs.

    Networks that were fine-tuned from the same weights lie in one valley of the loss, and their
    mean is usually at least as good as the best of them (Wortsman et al., ICML 2022). ``parts``
    are by the names that errors use; configuration and levels are the first one's. Raises UserError
    for fewer than two, or where their layers, shapes or configurations differ.
    """
    if len(parts) < 2:
        raise UserError(f'expected at least two networks to average, found {len(parts)}')
    (first_name, first), *others = parts.items()
    for name, other in others:
        for what, expected, found in (
            ('layers', first.network.topology, other.network.topology),
            ('configuration', first.config, other.config),
            ('shapes', _shapes(first), _shapes(other)),
        ):
            if expected != found:
                raise UserError(f'{name}: its {what} differ from those of {first_name}')
    weights = _mean([item.network.tensors for item in parts.values()])
    logs = [{key: value.log() for key, value in item.thresholds.items()} for item in parts.values()]
    return replace(
        first,
        network=FloatNetwork(first.network.topology, weights),
        thresholds={key: value.exp() for key, value in _mean(logs).items()},
        notes={'average_of': {name: item.notes for name, item in parts.items()}},
    )


def _shapes(item: FineTuned) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in (item.network.tensors | item.thresholds).items()}


def _mean(tensors: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {key: torch.stack([item[key] for item in tensors]).mean(0) for key in tensors[0]}
