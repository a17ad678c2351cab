"""
Weights in training as the narrow integers of the spiking network will express them.

`quantise` gives every output channel the finest unit in which its largest normalised weight fits
the integer. The threshold a channel is normalised by is common to its weights and cancels out, so
what is rounded is a weight times its source's scale. The gradient passes straight through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from spiking_retina_ros.conversion.normalise import per_input
from spiking_retina_ros.spiking.topology import Population, Topology


def narrow_weights(
    topology: Topology,
    weights: Mapping[str, Tensor],
    source_scale: Callable[[str], Tensor],
    bits: int,
) -> dict[str, Tensor]:
    """
    Return the weights rounded to integers of ``bits`` times their channel's unit.

    ``weights`` are (C_out, C_in / groups, kh, kw) by key; ``source_scale`` gives, for a node's
    name, what one full rate stands for, (C_in,), up to a common factor. Diagonal weights, whose
    integers are wide, and those of a dead channel stay as they are.
    """
    narrow = dict(weights)
    done: set[str] = set()
    largest = 2 ** (bits - 1) - 1
    for population in topology.populations:
        if population.layer not in done:
            done.add(population.layer)
            with torch.no_grad():
                rounding = _rounding(population, weights, source_scale, largest)
            for key, error in rounding.items():
                narrow[key] = weights[key] + error
    return narrow


def _rounding(
    population: Population,
    weights: Mapping[str, Tensor],
    source_scale: Callable[[str], Tensor],
    largest: int,
) -> dict[str, Tensor]:
    """Return what rounding adds to each weight of a population."""
    synapses = [synapse for synapse in population.synapses if not synapse.diagonal]
    scales = [
        per_input(torch.ones_like(weights[synapse.weight]), source_scale(synapse.source), synapse)
        for synapse in synapses
    ]
    scaled = [
        weights[synapse.weight] * scale for synapse, scale in zip(synapses, scales, strict=True)
    ]
    if not scaled:
        return {}
    strongest = torch.stack([weight.abs().flatten(1).amax(1) for weight in scaled]).amax(0)
    unit = (strongest / largest).clamp(min=1e-30)[:, None, None, None]
    return {
        synapse.weight: ((weight / unit).round() * unit - weight) / scale
        for synapse, weight, scale in zip(synapses, scaled, scales, strict=True)
    }
