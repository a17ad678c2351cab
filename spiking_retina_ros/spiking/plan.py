"""What follows from a network and the size of its input: map sizes, bias maps, costs, bounds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from spiking_retina_ros.spiking.network import SpikingNetwork
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Population,
    Synapse,
    Topology,
    UpsampleLike,
)

Shape = tuple[int, int, int]

# The input is pixel - offset with both in 0..255.
LARGEST_INPUT = 255


@dataclass(frozen=True)
class Plan:
    """
    A network laid out for one input size.

    ``shapes`` are (C, H, W) per node, the input included. ``biases`` are int64 (C, 1, 1), or
    (C, H, W) where the border matters. ``current_bounds`` is the largest magnitude of one step's
    input to any membrane of a population, bias included, and ``sum_bounds`` the largest magnitude
    that any convolution sum of it can reach before the shift; engines choose their arithmetic by
    them.
    """

    network: SpikingNetwork
    shapes: dict[str, Shape]
    biases: dict[str, Tensor]
    current_bounds: dict[str, int]
    sum_bounds: dict[str, int]

    @property
    def input_size(self) -> tuple[int, int]:
        """Return (height, width) of the input."""
        return self.shapes[INPUT][1:]

    @property
    def neurons(self) -> int:
        """Return the number of neurons that can spike."""
        return sum(
            _volume(self.shapes[population.name])
            for population in self.network.topology.populations
            if not population.readout
        )

    @property
    def analog_macs(self) -> int:
        """Return the multiply-accumulates of one pass of the same topology on analog values."""
        return sum(
            _volume(self.shapes[population.name]) * self.network.weight(synapse)[0].numel()
            for population in self.network.topology.populations
            for synapse in population.synapses
        )

    def fan_out(self, synapse: Synapse, target: str) -> Tensor:
        """
        Return int64 (H, W) of the source: how many weights one spike at that place adds.

        At a border, and under a stride, fewer windows cover a place than in the interior.
        """
        weight = self.network.weight(synapse)
        rows, columns = (
            _coverage(
                self.shapes[synapse.source][1 + axis],
                self.shapes[target][1 + axis],
                kernel=weight.shape[2 + axis],
                stride=synapse.stride[axis],
                padding=synapse.padding[axis],
                dilation=synapse.dilation[axis],
            )
            for axis in (0, 1)
        )
        return rows[:, None] * columns[None, :] * (weight.shape[0] // synapse.groups)


def make_plan(network: SpikingNetwork, input_size: tuple[int, int]) -> Plan:
    """Lay ``network`` out for inputs of (height, width) pixels."""
    weights = {
        synapse.weight: tuple(network.weight(synapse).shape)
        for population in network.topology.populations
        for synapse in population.synapses
    }
    shapes = node_shapes(network.topology, weights, input_size)
    biases, current_bounds, sum_bounds = {}, {}, {}
    for population in network.topology.populations:
        _check_initial(network, population)
        biases[population.name] = bias_map(network.tensors, population, shapes).long()
        sums = [_sum_bound(network, synapse) for synapse in population.synapses]
        bits = network.fraction_bits(population)
        currents = [
            bound << (0 if synapse.diagonal else bits)
            for bound, synapse in zip(sums, population.synapses, strict=True)
        ]
        sum_bounds[population.name] = max(sums)
        current_bounds[population.name] = sum(currents) + int(biases[population.name].abs().max())
    return Plan(network, shapes, biases, current_bounds, sum_bounds)


def _check_initial(network: SpikingNetwork, population: Population) -> None:
    """Refuse membranes that start at the threshold: snnTorch takes that for a spike just sent."""
    if population.readout:
        return
    initial = network.parameter(population, 'initial')
    threshold = network.parameter(population, 'threshold')
    if bool((initial >= threshold).any()) or int(threshold.min()) < 1:
        channel = int((threshold - initial.clamp(min=0)).argmin())
        raise ValueError(
            f'{population.name}: expected thresholds of at least 1 above the initial membrane, '
            f'found {int(threshold[channel])} and {int(initial[channel])} in channel {channel}'
        )


def node_shapes(
    topology: Topology, weights: dict[str, tuple[int, ...]], input_size: tuple[int, int]
) -> dict[str, Shape]:
    """Return (C, H, W) of every node; ``weights`` maps weight keys to their shapes."""
    shapes: dict[str, Shape] = {INPUT: (topology.input_channels, *input_size)}
    for node in topology.nodes:
        source = shapes[node.sources[0]]
        if isinstance(node, Population):
            found = {_synapse_shape(shapes, weights, synapse) for synapse in node.synapses}
            if len(found) != 1:
                raise ValueError(
                    f'{node.name}: expected synapses onto maps of one shape, found {sorted(found)}'
                )
            shapes[node.name] = found.pop()
        elif isinstance(node, MaxPool):
            height, width = (
                _convolved(source[1 + a], node.kernel[a], node.stride[a], node.padding[a], 1)
                for a in (0, 1)
            )
            shapes[node.name] = (source[0], height, width)
        elif isinstance(node, UpsampleLike):
            shapes[node.name] = (source[0], *shapes[node.like][1:])
        else:
            assert isinstance(node, Concatenation)
            channels = sum(shapes[name][0] for name in node.inputs)
            shapes[node.name] = (channels, *source[1:])
    return shapes


def bias_map(
    tensors: dict[str, Tensor], population: Population, shapes: dict[str, Shape]
) -> Tensor:
    """
    Return the bias of a population, (C, 1, 1) or (C, H, W), in the units and dtype of its bias.

    Where a source was shifted by epsilon (equation 4), silence does not mean zero. The bias of
    equation (4), b + sum_i w_ij eps_i, is right only where all taps of the kernel lie inside the
    source; zero padding contributes no w * eps. So each tap's share is stored by itself, and a
    place gets the shares of the taps that fall inside.
    """
    bias = tensors[f'{population.layer}.bias'][:, None, None]
    for synapse in population.synapses:
        taps = tensors.get(f'{synapse.weight}.taps')
        if taps is None:
            continue
        rows, columns = (
            _inside(
                shapes[synapse.source][1 + axis],
                shapes[population.name][1 + axis],
                kernel=taps.shape[1 + axis],
                stride=synapse.stride[axis],
                padding=synapse.padding[axis],
                dilation=synapse.dilation[axis],
            ).to(taps.dtype)
            for axis in (0, 1)
        )
        if bool(rows.all()) and bool(columns.all()):
            bias = bias + taps.sum((1, 2))[:, None, None]
        else:
            bias = bias + torch.einsum('ckl,kh,lw->chw', taps, rows, columns)
    return bias


def _synapse_shape(
    shapes: dict[str, Shape], weights: dict[str, tuple[int, ...]], synapse: Synapse
) -> Shape:
    channels, height, width = shapes[synapse.source]
    out_channels, group_channels, *kernel = weights[synapse.weight]
    if group_channels * synapse.groups != channels:
        raise ValueError(
            f'{synapse.weight}: expected {group_channels * synapse.groups} input channels, '
            f'found {channels} from {synapse.source}'
        )
    size = [
        _convolved(extent, kernel[a], synapse.stride[a], synapse.padding[a], synapse.dilation[a])
        for a, extent in enumerate((height, width))
    ]
    return (out_channels, size[0], size[1])


def _convolved(extent: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    result = (extent + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if result < 1:
        raise ValueError(f'expected at least {kernel} pixels, found an extent of {extent}')
    return result


def _inside(
    source: int, target: int, *, kernel: int, stride: int, padding: int, dilation: int
) -> Tensor:
    """Return bool (kernel, target): whether this tap, for that output place, falls inside."""
    taps = torch.arange(kernel)[:, None] * dilation
    places = torch.arange(target)[None, :] * stride - padding
    position = taps + places
    return (position >= 0) & (position < source)


def _coverage(
    source: int, target: int, *, kernel: int, stride: int, padding: int, dilation: int
) -> Tensor:
    """Return int64 (source,): how many (tap, output place) pairs look at each source place."""
    taps = torch.arange(kernel)[:, None] * dilation
    places = torch.arange(target)[None, :] * stride - padding
    position = (taps + places).flatten()
    position = position[(position >= 0) & (position < source)]
    return torch.bincount(position, minlength=source)


def _sum_bound(network: SpikingNetwork, synapse: Synapse) -> int:
    """Return the largest magnitude of a sum of this synapse's weights over one step's spikes."""
    weight = network.weight(synapse).long().flatten(1)
    if synapse.source == INPUT:
        return int(weight.abs().sum(1).max()) * LARGEST_INPUT
    largest = largest_spike(network.topology, synapse.source)
    if may_be_negative(network.topology, synapse.source):
        return int(weight.abs().sum(1).max()) * largest
    return int(one_sided_sums(weight).max()) * largest


def one_sided_sums(weight: Tensor) -> Tensor:
    """Return per channel (C,) the larger of what excites and what inhibits it, as magnitudes."""
    rows = weight.flatten(1)
    return torch.maximum(rows.clamp(min=0).sum(1), -rows.clamp(max=0).sum(1))


def may_be_negative(topology: Topology, name: str) -> bool:
    """Return whether a node can emit negative spikes."""
    node = topology[name]
    if isinstance(node, Population):
        return node.polarity != 'unsigned'
    sources = node.inputs if isinstance(node, Concatenation) else (node.source,)
    return any(may_be_negative(topology, source) for source in sources)


def largest_spike(topology: Topology, name: str) -> int:
    """Return the most spikes a node can emit in one step, by magnitude."""
    node = topology[name]
    if isinstance(node, Population):
        return node.burst
    if isinstance(node, MaxPool):
        # a maximum of counts moves by no more than the fastest of them
        return largest_spike(topology, node.source)
    sources = (node.source,) if isinstance(node, UpsampleLike) else node.inputs
    return max(largest_spike(topology, source) for source in sources)


def nearest_indices(source: int, target: int) -> Tensor:
    """
    Return int64 (target,): which place of ``source`` nearest-neighbour upsampling repeats.

    Asked of torch itself, whose single-precision rounding decides at odd sizes.
    """
    places = torch.arange(source, dtype=torch.float32)[None, None]
    return functional.interpolate(places, size=target, mode='nearest')[0, 0].long()


def _volume(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]
