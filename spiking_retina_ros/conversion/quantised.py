"""
The analog network as its spiking copy will see it: activations of a few levels, bounds learned.

The quantised, bounded activation of QCFS (Bu et al., ICLR 2022),

    q(x) = theta / L * clip(floor(x L / theta + 1/2), lowest, L),

is what an integrate-and-fire neuron that starts at half its threshold sends in L steps of constant
current. lowest is 0 after a ReLU and -L where a layer is linear (signed spikes). The gradient
passes straight through the floor; theta, one per channel, is learned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spiking_retina_ros.conversion import quantise_kernels
from spiking_retina_ros.conversion.narrow_weights import narrow_weights
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.conversion.scale_groups import ScaleGroups, scale_bearers
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.plan import node_shapes
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Population,
    Topology,
    UpsampleLike,
)


class _Quantise(torch.autograd.Function):
    """See the module; one function so that only input and theta are kept for the way back."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, theta: Tensor, levels: int, lowest: int
    ) -> tuple[Tensor, Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        ctx.save_for_backward(x, theta)
        ctx.limits = (levels, lowest)
        if x.device.type == 'cpu':
            sent, rate = quantise_kernels.forward(_rows(x), theta.numpy(), levels, lowest)
            return _maps(sent, x), x.new_tensor(rate)
        level = (x * (levels / _column(theta))).add_(0.5).floor_()
        level.clamp_(lowest * levels, levels).div_(levels)
        return level * _column(theta), level.abs().mean()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        gradient, rate_gradient = gradients
        x, theta = ctx.saved_tensors
        levels, lowest = ctx.limits
        if x.device.type == 'cpu':
            rows = _rows(gradient.contiguous(memory_format=torch.channels_last))
            x_part, theta_part = quantise_kernels.backward(
                rows, _rows(x), theta.numpy(), levels, lowest, float(rate_gradient)
            )
            return _maps(x_part, x), torch.from_numpy(theta_part), None, None
        rate = x / _column(theta)
        inside = (rate > lowest) & (rate < 1)
        # d q / d theta: the level reached beyond the bounds, the rounding error within them
        level = (rate * levels + 0.5).floor_().clamp_(lowest * levels, levels) / levels
        slope = torch.where(inside, level - rate, level)
        sign = level.sign() * inside * rate_gradient / (x.numel() * _column(theta))
        theta_part = (gradient * slope - sign * rate).sum((0, 2, 3))
        return gradient * inside + sign, theta_part, None, None


def quantise_activation(
    x: Tensor, theta: Tensor, *, levels: int, signed: bool
) -> tuple[Tensor, Tensor]:
    """
    Return q(x) for maps (N, C, H, W) and thresholds (C,), and the mean rate, a scalar.

    The mean of |q(x)| / theta passes its gradient straight through like q(x) itself.
    """
    sent, rate = _Quantise.apply(x, theta, levels, -1 if signed else 0)
    return sent, rate


def _column(theta: Tensor) -> Tensor:
    return theta[:, None, None]


def _rows(maps: Tensor) -> NDArray[np.float32]:
    """Return maps that are laid out channels last as (N * H * W, C), without copying."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1]).numpy()


def _maps(rows: NDArray[np.float32], like: Tensor) -> Tensor:
    """Return (N * H * W, C) as maps of the shape of ``like``, without copying."""
    count, channels, height, width = like.shape
    return torch.from_numpy(rows).view(count, height, width, channels).permute(0, 3, 1, 2)


class QuantisedNetwork(nn.Module):
    """
    A trainable copy of a ``FloatNetwork`` whose populations send quantised, bounded values.

    ``thresholds`` are the initial theta (C,) per scale group. After a forward pass ``activity`` is
    the expected number of synaptic operations per step, relative to the analog
    multiply-accumulates, and ``rate`` the expected spikes per neuron and step (the L1 norm of the
    normalised activations), as scalars that can be minimised, and ``seen`` holds the maps of
    the populations that `block_outputs` names. ``config`` makes it pass for a RetinaNet where
    one is validated. Weights act as `narrow_weights` rounds them to integers of ``weight_bits``.
    """

    def __init__(
        self,
        network: FloatNetwork,
        thresholds: dict[str, Tensor],
        config: RetinaNetConfig,
        *,
        levels: int,
        weight_bits: int = 8,
    ) -> None:
        super().__init__()
        self.topology = network.topology
        self.weight_bits = weight_bits
        self.config = config
        self.levels = levels
        self.groups = ScaleGroups(network.topology)
        self.activity = torch.zeros(())
        self.rate = torch.zeros(())
        self.seen: dict[str, Tensor] = {}
        self._watched = block_outputs(network.topology)
        diagonal = {
            synapse.weight
            for population in network.topology.populations
            for synapse in population.synapses
            if synapse.diagonal
        }
        self.parameters_by_key = nn.ParameterDict(
            {
                _escape(key): nn.Parameter(value.clone(), requires_grad=key not in diagonal)
                for key, value in network.tensors.items()
            }
        )
        self.log_thresholds = nn.ParameterDict(
            {_escape(key): nn.Parameter(value.float().log()) for key, value in thresholds.items()}
        )

    def freeze_weights(self) -> None:
        """Let only biases and thresholds learn."""
        for population in self.topology.populations:
            for synapse in population.synapses:
                self.tensor(synapse.weight).requires_grad_(False)

    def tensor(self, key: str) -> Tensor:
        """Return the parameter of a ``FloatNetwork`` key."""
        return self.parameters_by_key[_escape(key)]

    def threshold(self, population: Population) -> Tensor:
        """Return theta (C,), positive because its logarithm is what is learned."""
        return self.log_thresholds[_escape(self.groups.of(population.name))].exp()

    def thresholds(self) -> dict[str, Tensor]:
        """Return theta (C,) per scale group, detached."""
        return {_unescape(key): value.detach().exp() for key, value in self.log_thresholds.items()}

    def float_network(self) -> FloatNetwork:
        """Return the present weights."""
        tensors = {
            _unescape(key): value.detach().clone() for key, value in self.parameters_by_key.items()
        }
        return FloatNetwork(self.topology, tensors)

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Map preprocessed images (N, 3, H, W) to class and box maps, as RetinaNet does."""
        weights = self.acting_weights()
        sizes = {key: tuple(weight.shape) for key, weight in weights.items()}
        shapes = node_shapes(self.topology, sizes, (images.shape[2], images.shape[3]))
        values = {INPUT: images}
        rates: dict[str, Tensor] = {}
        operations, macs = torch.zeros(()), 0
        spikes, neurons = torch.zeros(()), 0
        for node in self.topology.nodes:
            if isinstance(node, Population):
                channels, height, width = shapes[node.name]
                for synapse in node.synapses:
                    cost = weights[synapse.weight].numel() * height * width
                    macs += cost
                    if synapse.source != INPUT:
                        operations = operations + rates[synapse.source] * cost
                values[node.name], rates[node.name] = self._population(node, weights, values)
                if not node.readout:
                    spikes = spikes + rates[node.name] * (channels * height * width)
                    neurons += channels * height * width
            else:
                values[node.name] = self._pass_on(node, values, shapes)
                rates[node.name] = self._passed_rate(node, rates, shapes)
        self.activity, self.rate = operations / macs, spikes / neurons
        self.seen = {name: values[name] for name in self._watched}
        outputs = tuple(values[name] for name in self.topology.outputs)
        levels = len(outputs) // 2
        return outputs[:levels], outputs[levels:]

    def acting_weights(self) -> dict[str, Tensor]:
        """Return the weights of all synapses as the integers will express them."""
        weights = {
            synapse.weight: self.tensor(synapse.weight)
            for population in self.topology.populations
            for synapse in population.synapses
        }
        return narrow_weights(self.topology, weights, self.full_rate, self.weight_bits)

    def full_rate(self, name: str) -> Tensor:
        """Return what a rate of one stands for, (C,); for the image's channels relatively."""
        if name == INPUT:
            return 1 / torch.tensor(self.config.std, device=next(self.parameters()).device)
        return torch.cat([self.threshold(item) for item in scale_bearers(self.topology, name)])

    def _population(
        self, population: Population, weights: dict[str, Tensor], values: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the value sent (N, C, H, W) and its mean rate, a scalar."""
        total = self.tensor(f'{population.layer}.bias')[:, None, None]
        for synapse in population.synapses:
            weight = weights[synapse.weight]
            total = total + layers.synapse_sum(weight, values[synapse.source], synapse)
        if population.readout:
            return total, torch.zeros(())
        theta = self.threshold(population)
        signed = population.polarity == 'signed'
        sent, rate = quantise_activation(total, theta, levels=self.levels, signed=signed)
        if torch.is_autocast_enabled(sent.device.type):
            # Here once, not in every convolution that reads it.
            sent = sent.to(torch.get_autocast_dtype(sent.device.type))
        return sent, rate

    def _pass_on(
        self,
        node: MaxPool | UpsampleLike | Concatenation,
        values: dict[str, Tensor],
        shapes: dict[str, tuple[int, int, int]],
    ) -> Tensor:
        if isinstance(node, MaxPool):
            return layers.pool_counts(values[node.source], node)
        if isinstance(node, UpsampleLike):
            return layers.upsample(values[node.source], shapes[node.name][1:])
        return torch.cat([values[name] for name in node.inputs], 1)

    def _passed_rate(
        self,
        node: MaxPool | UpsampleLike | Concatenation,
        rates: dict[str, Tensor],
        shapes: dict[str, tuple[int, int, int]],
    ) -> Tensor:
        """Return the rate of what only passes on; a pool's is at least its source's."""
        if isinstance(node, Concatenation):
            channels = [shapes[name][0] for name in node.inputs]
            parts = [rates[name] * count for name, count in zip(node.inputs, channels, strict=True)]
            return torch.stack(parts).sum() / sum(channels)
        return rates[node.source]


def block_outputs(topology: Topology) -> tuple[str, ...]:
    """
    Return the populations by which a network's blocks speak to each other, outputs left out.

    They are the linear ones, the sums, and what the shared heads read: narrow maps, on which
    everything behind them depends.
    """
    readers: dict[str, set[str]] = {}
    for population in topology.populations:
        for synapse in population.synapses:
            readers.setdefault(synapse.weight, set()).add(synapse.source)
    shared = {source for sources in readers.values() if len(sources) > 1 for source in sources}
    return tuple(
        population.name
        for population in topology.populations
        if population.name not in topology.outputs
        and (population.activation == 'linear' or population.name in shared)
    )


def _escape(key: str) -> str:
    return key.replace('.', '|')


def _unescape(key: str) -> str:
    return key.replace('|', '.')
