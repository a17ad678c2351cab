"""Runs a topology on real values: the analog network, or its normalised form, node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.plan import bias_map
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Population,
    UpsampleLike,
)

Visitor = Callable[[str, Tensor], None]


def run_float(
    network: FloatNetwork,
    image: Tensor,
    *,
    clip: bool = False,
    visit: Visitor | None = None,
) -> tuple[Tensor, ...]:
    """
    Return the output maps for images (N, C, H, W) of the tensors' dtype.

    On a normalised network the values are rates, and with ``clip`` they are limited to what
    neurons can express: [0, 1], or [-1, 1] for signed ones; without it nothing is lost and decoding
    the outputs gives the analog values. ``visit(name, values)`` sees every node. Maps
    are freed as soon as nobody needs them.
    """
    topology = network.topology
    shapes = network.shapes((image.shape[2], image.shape[3]))
    remaining = dict.fromkeys(shapes, 0)
    for node in topology.nodes:
        for source in node.sources:
            remaining[source] += 1
    for name in topology.outputs:
        remaining[name] += 1
    values = {INPUT: image}
    for node in topology.nodes:
        if isinstance(node, Population):
            result = evaluate_population(network, node, values, shapes, clip=clip)
        elif isinstance(node, MaxPool):
            pooled = values[node.source]
            result = functional.max_pool2d(pooled, node.kernel, node.stride, node.padding)
        elif isinstance(node, UpsampleLike):
            result = layers.upsample(values[node.source], shapes[node.name][1:])
        else:
            assert isinstance(node, Concatenation)
            result = torch.cat([values[name] for name in node.inputs], 1)
        values[node.name] = result
        if visit is not None:
            visit(node.name, result)
        for source in node.sources:
            remaining[source] -= 1
            if remaining[source] == 0:
                del values[source]
    return tuple(values[name] for name in topology.outputs)


def decode(network: FloatNetwork, population: Population, rates: Tensor) -> Tensor:
    """Turn normalised values (N, C, H, W) of a population back into analog ones."""
    scale = network.tensors[f'{population.layer}.scale'][:, None, None]
    shift = network.tensors[f'{population.layer}.shift'][:, None, None]
    return shift + scale * rates


def evaluate_population(
    network: FloatNetwork,
    population: Population,
    values: Mapping[str, Tensor],
    shapes: dict[str, tuple[int, int, int]],
    *,
    clip: bool,
) -> Tensor:
    """Return one population's values (N, C, H, W) from those of its sources, see ``run_float``."""
    tensors = network.tensors
    total = bias_map(tensors, population, shapes)[None]
    for synapse in population.synapses:
        weight = tensors[synapse.weight]
        total = total + layers.synapse_sum(weight, values[synapse.source], synapse)
    scale = tensors.get(f'{population.layer}.scale')
    if population.activation == 'relu':
        total = _rectify(total, population.maximum, scale, tensors, population.layer)
    return clip_to_rates(population, total) if clip else total


def clip_to_rates(population: Population, values: Tensor) -> Tensor:
    """Limit normalised values to the rates a population's neurons may have."""
    if population.readout:
        return values
    return values.clamp(-1 if population.polarity == 'signed' else 0, 1)


def _rectify(
    total: Tensor,
    maximum: float | None,
    scale: Tensor | None,
    tensors: dict[str, Tensor],
    layer: str,
) -> Tensor:
    """Apply a ReLU in whatever units the network has: the bounds move with scale and shift."""
    if scale is None:
        return total.clamp(min=0.0, max=maximum)
    scale = scale[:, None, None]
    shift = tensors[f'{layer}.shift'][:, None, None]
    total = torch.maximum(total, (0.0 - shift) / scale)
    return total if maximum is None else torch.minimum(total, (maximum - shift) / scale)
