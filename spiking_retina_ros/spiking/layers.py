"""Layer arithmetic that the torch engines share; all of it exact on integers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from spiking_retina_ros.spiking.network import SpikingNetwork
from spiking_retina_ros.spiking.plan import nearest_indices
from spiking_retina_ros.spiking.topology import MaxPool, Synapse

# Integers up to these are exact in floating point, whatever the order of the sum.
EXACT_IN_FLOAT32 = 2**24
EXACT_IN_FLOAT64 = 2**53


def exact_dtype(bound: int) -> torch.dtype:
    """Return the cheapest floating type that holds every integer up to ``bound``."""
    if bound <= EXACT_IN_FLOAT32:
        return torch.float32
    if bound <= EXACT_IN_FLOAT64:
        return torch.float64
    raise ValueError(f'expected sums up to 2**53, found a bound of {bound}')


def synapse_sum(weight: Tensor, spikes: Tensor, synapse: Synapse) -> Tensor:
    """Convolve ``spikes`` (N, C, H, W) with integer-valued ``weight`` of the same float dtype."""
    return functional.conv2d(
        spikes,
        weight,
        stride=synapse.stride,
        padding=synapse.padding,
        dilation=synapse.dilation,
        groups=synapse.groups,
    )


def pool_counts(counts: Tensor, pool: MaxPool) -> Tensor:
    """Return the maximum of float counts (N, C, H, W) over each window; padding never wins."""
    return functional.max_pool2d(counts, pool.kernel, pool.stride, pool.padding)


def upsample(spikes: Tensor, size: tuple[int, int]) -> Tensor:
    """Repeat (N, C, H, W) to ``size`` = (height, width) by nearest neighbour."""
    rows = nearest_indices(spikes.shape[2], size[0]).to(spikes.device)
    columns = nearest_indices(spikes.shape[3], size[1]).to(spikes.device)
    return spikes[:, :, rows[:, None], columns[None, :]]


def effective_weight(
    network: SpikingNetwork, synapse: Synapse, *, bits: int, dtype: torch.dtype
) -> Tensor:
    """Return weights in membrane units: shifted by ``bits`` unless they already are."""
    weight = network.weight(synapse).to(torch.int64)
    return (weight if synapse.diagonal else weight << bits).to(dtype)
