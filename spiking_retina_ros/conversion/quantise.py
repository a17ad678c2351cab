"""
Integers for a normalised network: narrow weights, a wide membrane.

Per output channel, w~ = w_int 2^f / theta with theta membrane units to a spike: theta is chosen so
that the channel's largest weight uses the whole range of the narrow integer, and f (per layer) so
that theta is large enough to express biases finely. Nothing is rounded but weights, biases and
thresholds themselves.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.network import SpikingNetwork
from spiking_retina_ros.spiking.plan import one_sided_sums
from spiking_retina_ros.spiking.topology import INPUT, Population

# A threshold below this would make biases coarser than 1/4096 of a spike per step.
FINEST_THRESHOLD = 2**12
LARGEST_THRESHOLD = 2**20
MOST_FRACTION_BITS = 8
# What arrives at a membrane in one step stays below this, biases aside, so that a thousand steps
# can be simulated in 32 bits.
LARGEST_CURRENT = 2**20


def quantise(network: FloatNetwork, options: ConversionOptions) -> dict[str, Tensor]:
    """
    Return the integer tensors of a normalised network, see ``SpikingNetwork``.

    int8 or int16 weights, int32 diagonal weights, border taps, biases, thresholds and initial
    membranes; ``.scale`` and ``.shift`` stay floating (float64).
    """
    tensors: dict[str, Tensor] = {}
    largest = 2 ** (options.weight_bits - 1) - 1
    for population in network.topology.populations:
        real_threshold, bits = _thresholds(network, population, largest)
        _quantise_population(network, population, real_threshold, bits, largest, options, tensors)
    return tensors


def dequantise(network: SpikingNetwork) -> FloatNetwork:
    """
    Return the normalised network (float64) that the integers stand for, rounding included.

    w~ = w_int 2^f / theta (diagonal weights w_int / theta), b~ = b_int / theta, and so the border
    taps. What it computes with clipped rates is what the spiking network tends to as its window
    grows, so it tells the cost of the narrow weights from that of the sampling.
    """
    tensors: dict[str, Tensor] = {}
    for population in network.topology.populations:
        units = network.parameter(population, 'threshold').double()
        shift = 2 ** network.fraction_bits(population)
        for synapse in population.synapses:
            weight = network.weight(synapse).double() / units[:, None, None, None]
            tensors[synapse.weight] = weight if synapse.diagonal else weight * shift
            taps = network.tensors.get(f'{synapse.weight}.taps')
            if taps is not None:
                tensors[f'{synapse.weight}.taps'] = taps.double() / units[:, None, None]
        tensors[f'{population.layer}.bias'] = network.parameter(population, 'bias').double() / units
        for name in ('scale', 'shift'):
            tensors[f'{population.layer}.{name}'] = network.parameter(population, name).double()
    return FloatNetwork(network.topology, tensors)


def _thresholds(network: FloatNetwork, population: Population, largest: int) -> tuple[Tensor, int]:
    """Return membrane units per spike, float64 (C,), and the layer's fraction bits."""
    channels = len(network.tensors[f'{population.layer}.bias'])
    strongest = torch.zeros(channels, dtype=torch.float64)
    arriving = torch.zeros(channels, dtype=torch.float64)
    for synapse in population.synapses:
        weight = network.tensors[synapse.weight]
        if synapse.source != INPUT:
            arriving += one_sided_sums(weight)
        if not synapse.diagonal:
            strongest = torch.maximum(strongest, weight.abs().flatten(1).amax(1))
    if not bool((strongest > 0).any()):
        finest = min(FINEST_THRESHOLD, LARGEST_CURRENT / max(float(arriving.max()), 1e-12))
        return torch.full((channels,), max(1.0, round(finest)), dtype=torch.float64), 0
    units = (largest / strongest.clamp(min=1e-12)).clamp(max=LARGEST_THRESHOLD)
    missing = math.ceil(math.log2(FINEST_THRESHOLD / float(units.min())))
    room = math.floor(math.log2(LARGEST_CURRENT / max(float((arriving * units).max()), 1.0)))
    bits = max(min(missing, room, MOST_FRACTION_BITS), 0)
    return (units * 2**bits).round().clamp(1, LARGEST_THRESHOLD), bits


def _quantise_population(
    network: FloatNetwork,
    population: Population,
    threshold: Tensor,
    bits: int,
    largest: int,
    options: ConversionOptions,
    tensors: dict[str, Tensor],
) -> None:
    narrow = torch.int8 if options.weight_bits == 8 else torch.int16
    for synapse in population.synapses:
        weight = network.tensors[synapse.weight] * threshold[:, None, None, None]
        if synapse.diagonal:
            integers = weight.round().to(torch.int32)
        else:
            integers = (weight / 2**bits).round().clamp(-largest, largest).to(narrow)
        known = tensors.setdefault(synapse.weight, integers)
        if not torch.equal(known, integers):
            raise UserError(
                f'{synapse.weight}: a layer shared by several populations is added to something '
                'else in one of them, so it has no single set of integers; convert with additions '
                'unfused (--no-fuse-additions)'
            )
        taps = network.tensors.get(f'{synapse.weight}.taps')
        if taps is not None:
            integer_taps = (taps * threshold[:, None, None]).round().to(torch.int32)
            tensors[f'{synapse.weight}.taps'] = integer_taps
    layer = population.layer
    units = threshold.to(torch.int32)
    tensors[f'{layer}.threshold'] = units
    tensors[f'{layer}.initial'] = units // 2 if options.half_threshold else torch.zeros_like(units)
    bias = network.tensors[f'{layer}.bias'] * threshold
    tensors[f'{layer}.bias'] = bias.round().to(torch.int32)
    tensors[f'{layer}.fraction_bits'] = torch.tensor(bits, dtype=torch.int32)
    tensors[f'{layer}.scale'] = network.tensors[f'{layer}.scale'].clone()
    tensors[f'{layer}.shift'] = network.tensors[f'{layer}.shift'].clone()
