"""
Normalisation: analog weights to weights between rates (equation 4 of arXiv 2106.05624).

With a = shift + scale * r for an activation a and its rate r, a layer
a_j = b_j + sum_i w_ij a_i becomes

    w~_ij = w_ij scale_i / scale_j
    b~_j  = (b_j + sum_i w_ij shift_i - shift_j) / scale_j.

The ``paper`` normalisation has scale = lambda - epsilon and shift = epsilon; ``fast`` has shift 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spiking_retina_ros.conversion.calibrate import Calibration
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.conversion.scale_groups import ScaleGroups, scale_bearers
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Population,
    Synapse,
    Topology,
)

Scales = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class InputScale:
    """How the network's integer input becomes the analog one, per channel: shift + scale * x."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]


# A channel whose scale is below this share of its layer's median says nothing, and what it does
# say on an unusual image would be cut off at next to nothing.
DEAD_SHARE = 1e-4
# And this is the least a channel gets: one that whispers would make the weights that lead to it so
# large that its layer's sums leave 32 bits, for a precision that nobody listens to.
LEAST_SHARE = 1e-2


def choose_scales(
    topology: Topology,
    groups: ScaleGroups,
    calibration: Calibration,
    options: ConversionOptions,
) -> Scales:
    """
    Return (scale, shift), float64 (C,) each, for every population.

    Raises UserError naming the channel where both percentiles are (nearly) the same, unless
    ``options.keep_dead_channels`` gives such a channel the layer's median scale. No scale is below
    a hundredth of that.
    """
    scales: Scales = {}
    for population in topology.populations:
        group = groups.of(population.name)
        lower, upper = calibration.lower[group], calibration.upper[group]
        if options.shift:
            shift, scale = lower.clone(), upper - lower
        else:
            shift, scale = torch.zeros_like(lower), torch.maximum(lower.abs(), upper.abs())
        scale = _alive(scale, population, options)
        scales[population.name] = (scale.clamp(min=LEAST_SHARE * float(scale.median())), shift)
    return scales


def normalise(network: FloatNetwork, scales: Scales, input_scale: InputScale) -> FloatNetwork:
    """
    Return the network between rates, float64, with ``.scale``, ``.shift`` and border taps.

    Where a padded synapse reads a shifted source, the share sum_i w_ij shift_i of each kernel tap
    is kept apart (``<weight>.taps``, see ``plan.bias_map``): zero padding in analog units is not
    silence, and a tap outside the map must not count.
    """
    tensors: dict[str, Tensor] = {}
    for population in network.topology.populations:
        scale, shift = scales[population.name]
        bias = network.tensors[f'{population.layer}.bias'].double() - shift
        for synapse in population.synapses:
            source_scale, source_shift = _source_scale(
                network.topology, synapse.source, scales, input_scale
            )
            weight = network.tensors[synapse.weight].double()
            shares = per_input(weight, source_shift, synapse).sum(1)  # (C_out, kh, kw)
            tensors[synapse.weight] = (
                per_input(weight, source_scale, synapse) / scale[:, None, None, None]
            )
            if synapse.padding == (0, 0):
                bias = bias + shares.sum((1, 2))
            elif bool((source_shift != 0).any()):
                tensors[f'{synapse.weight}.taps'] = shares / scale[:, None, None]
        tensors[f'{population.layer}.bias'] = bias / scale
        tensors[f'{population.layer}.scale'] = scale
        tensors[f'{population.layer}.shift'] = shift
    return FloatNetwork(network.topology, tensors)


def per_input(weight: Tensor, per_channel: Tensor, synapse: Synapse) -> Tensor:
    """Multiply weights (C_out, C_in / groups, kh, kw) by a number per *input* channel (C_in,)."""
    outputs_per_group = weight.shape[0] // synapse.groups
    by_group = per_channel.view(synapse.groups, -1)
    return weight * by_group.repeat_interleave(outputs_per_group, 0)[:, :, None, None]


def _source_scale(
    topology: Topology, name: str, scales: Scales, input_scale: InputScale
) -> tuple[Tensor, Tensor]:
    """Return (scale, shift) of a node's channels; what only passes spikes on has its source's."""
    if name == INPUT:
        return (
            torch.tensor(input_scale.scale, dtype=torch.float64),
            torch.tensor(input_scale.shift, dtype=torch.float64),
        )
    parts = [scales[bearer.name] for bearer in scale_bearers(topology, name)]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def _alive(scale: Tensor, population: Population, options: ConversionOptions) -> Tensor:
    # so close to nothing that no integer threshold could say how close
    least = DEAD_SHARE * float(scale.clamp(min=0).median())
    dead = (scale <= least).nonzero().flatten().tolist()
    if not dead:
        return scale
    alive = scale[scale > least]
    if not options.keep_dead_channels or not len(alive):
        raise UserError(
            f'{population.name}: channel {dead[0]} ({len(dead)} of {len(scale)} channels) has the '
            f'same {options.lower_percentile} and {options.upper_percentile} percentile on the '
            'calibration images: it is dead or they are too few; use more images, or '
            "--keep-dead-channels to give it its layer's median scale"
        )
    filled = scale.clone()
    filled[scale <= least] = alive.median()
    return filled
