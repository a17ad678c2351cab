"""
The same network on torch alone, layer by layer over chunks of time instead of step by step.

Nothing is skipped: every convolution is computed whether there are spikes or not, but a whole
chunk of steps goes through a layer in one batch. That makes it the fair dense comparison on a
CPU, and the engine for CUDA.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.backends import cudnn

from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.engine import (
    Simulation,
    check_times,
    input_tensor,
    run_each,
)
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork
from spiking_retina_ros.spiking.neurons import spike_limits
from spiking_retina_ros.spiking.phased import simulate_phased
from spiking_retina_ros.spiking.plan import Plan, make_plan
from spiking_retina_ros.spiking.tally import Tally
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Node,
    Population,
    UpsampleLike,
)

# Steps that go through a layer together; bounds the memory, whatever the window.
CHUNK = 16


@dataclass
class _Layer:
    """
    A population's numbers on the device, in floating types that are exact for it.

    ``constant`` is the current of every step: bias and image. ``threshold`` is (C, 1, 1);
    ``membrane`` and ``sent``, the spikes sent so far, are (C, H, W) and change in place.
    """

    weights: dict[int, Tensor]
    constant: Tensor
    threshold: Tensor
    membrane: Tensor
    sent: Tensor


class DenseEngine:
    """Simulates on torch; ``device`` is any torch device, such as ``'cuda'``."""

    name = 'dense'

    def __init__(
        self, network: SpikingNetwork, *, threads: int | None = None, device: str = 'cpu'
    ) -> None:
        self.network = network
        self.device = torch.device(device)
        self._threads = threads
        self._plan: Plan | None = None

    def run(self, image: IntegerImage, times: Sequence[int], *, record: bool = False) -> Simulation:
        """Simulate, see ``Engine.run``."""
        times = check_times(times)
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        current = input_tensor(self.network, image).to(self.device)
        if self._plan is None or self._plan.input_size != (image.shape[1], image.shape[2]):
            self._plan = make_plan(self.network, (image.shape[1], image.shape[2]))
        # cuDNN may choose transforms (Winograd) whose rounding would cost exactness.
        with torch.no_grad(), cudnn.flags(enabled=False):
            if self.network.window.schedule == 'phased':
                plan = self._plan
                return run_each(
                    lambda steps: simulate_phased(
                        plan, current, steps, record=record and steps == times[-1]
                    ),
                    times,
                )
            return _Run(self._plan, current, times).simulate(record=record)


class _Run:
    """One window: the state of every layer, carried from chunk to chunk."""

    def __init__(self, plan: Plan, image: Tensor, times: tuple[int, ...]) -> None:
        self._plan = plan
        self._topology = plan.network.topology
        self._times = times
        self._layers = {p.name: self._layer(p, image) for p in self._topology.populations}
        pools = [node for node in self._topology.nodes if isinstance(node, MaxPool)]
        self._outputs = self._zeros({name: name for name in self._topology.outputs}, image.device)
        self._pooled = self._zeros({pool.name: pool.source for pool in pools}, image.device)
        self._last_use = {
            name: index for index, node in enumerate(self._topology.nodes) for name in node.sources
        }

    def simulate(self, *, record: bool) -> Simulation:
        """Run all chunks; one ends at every time that is asked for."""
        tally = Tally(self._plan, self._times)
        readings: dict[str, list[Tensor]] = {name: [] for name in self._outputs}
        trains: dict[str, list[Tensor]] = {}
        for first, last in chunks(self._times, CHUNK):
            for name, spikes in self._chunk(first, last - first, tally):
                if record:
                    trains.setdefault(name, []).append(spikes.to(torch.int8).cpu())
            if last in self._times:
                for name, counts in self._outputs.items():
                    readings[name].append(counts.long().cpu())
        return Simulation(
            self._times,
            {name: torch.stack(values) for name, values in readings.items()},
            tally.spikes,
            tally.operations,
            {name: torch.cat(parts) for name, parts in trains.items()},
        )

    def _chunk(self, first: int, steps: int, tally: Tally) -> Iterator[tuple[str, Tensor]]:
        """Take every node through ``steps`` steps; yield each one's spikes (steps, C, H, W)."""
        trains: dict[str, Tensor] = {}
        activity: dict[str, Tensor] = {}
        for index, node in enumerate(self._topology.nodes):
            if isinstance(node, Population):
                tally.add_operations(node, first, activity)
            spikes = self._advance(node, trains, first, steps)
            if spikes is not None:
                activity[node.name] = spikes.abs().sum(1, dtype=torch.float64).long()
                if isinstance(node, Population):
                    tally.add_spikes(node, first, activity[node.name].sum((1, 2)))
                if node.name in self._outputs:
                    self._outputs[node.name] += spikes.sum(0, dtype=torch.float64)
                trains[node.name] = spikes
                yield node.name, spikes
            for name in [n for n in trains if self._last_use.get(n, -1) <= index]:
                del trains[name]

    def _advance(
        self, node: Node, trains: dict[str, Tensor], first: int, steps: int
    ) -> Tensor | None:
        """Take one node through the chunk; return its spikes if it sends any."""
        if isinstance(node, Population):
            current = self._currents(node, trains, steps)
            if not node.readout:
                return fire(node, self._layers[node.name], current, first=first)
            if node.name in self._outputs:
                self._outputs[node.name] += current.sum(0, dtype=torch.float64)
            return None
        if isinstance(node, MaxPool):
            return self._max_pool(node, trains[node.source])
        if isinstance(node, UpsampleLike):
            return layers.upsample(trains[node.source], self._plan.shapes[node.name][1:])
        assert isinstance(node, Concatenation)
        return torch.cat([trains[name] for name in node.inputs], 1)

    def _currents(self, node: Population, trains: dict[str, Tensor], steps: int) -> Tensor:
        """Return the currents of a chunk, (steps, C, H, W), in a type exact for them."""
        layer = self._layers[node.name]
        current = layer.constant.expand(steps, *self._plan.shapes[node.name])
        for index, weight in layer.weights.items():
            synapse = node.synapses[index]
            arriving = trains[synapse.source].to(weight.dtype)
            current = current + layers.synapse_sum(weight, arriving, synapse)
        return current

    def _max_pool(self, node: MaxPool, spikes: Tensor) -> Tensor:
        """Return how the maximum of the running counts moves, (steps, C, H, W)."""
        start = self._pooled[node.name]
        counts = start + torch.cumsum(spikes, 0, dtype=torch.float64)
        maxima = layers.pool_counts(torch.cat([start[None], counts]), node)
        start.copy_(counts[-1])
        return maxima.diff(dim=0).to(spikes.dtype)

    def _layer(self, population: Population, image: Tensor) -> _Layer:
        network, name = self._plan.network, population.name
        bound = self._plan.current_bounds[name]
        dtype = layers.exact_dtype(bound)
        bits = network.fraction_bits(population)
        constant = self._plan.biases[name].to(image.device, dtype)
        weights = {}
        for index, synapse in enumerate(population.synapses):
            weight = layers.effective_weight(network, synapse, bits=bits, dtype=dtype)
            if synapse.source == INPUT:
                arriving = image[None].to(dtype)
                constant = (
                    constant + layers.synapse_sum(weight.to(image.device), arriving, synapse)[0]
                )
            else:
                weights[index] = weight.to(image.device)
        threshold = network.parameter(population, 'threshold').long()
        initial = network.parameter(population, 'initial').long()
        farthest = max(int(initial.abs().max()), population.burst * int(threshold.max()))
        state = layers.exact_dtype(farthest + self._times[-1] * bound)
        shape = self._plan.shapes[name]
        membrane = initial.to(image.device, state)[:, None, None].repeat(1, *shape[1:])
        return _Layer(
            weights,
            constant,
            threshold.to(image.device, state)[:, None, None],
            membrane,
            torch.zeros_like(membrane) if counts_spikes(population) else membrane,
        )

    def _zeros(self, sources: dict[str, str], device: torch.device) -> dict[str, Tensor]:
        """Return float64 counters in the shapes of the named nodes."""
        return {
            name: torch.zeros(self._plan.shapes[source], dtype=torch.float64, device=device)
            for name, source in sources.items()
        }


def fire(population: Population, layer: _Layer, current: Tensor, *, first: int) -> Tensor:
    """
    Return the spikes (steps, C, H, W) of the currents of steps ``first + 1`` and on.

    Moves the layer's membranes on; what a neuron may send is said in neurons.py.
    """
    spikes = torch.empty_like(current, memory_format=torch.contiguous_format)
    counts = counts_spikes(population)
    for step in range(len(current)):
        layer.membrane += current[step]
        if population.burst == 1:
            wanted = (layer.membrane >= layer.threshold).to(layer.membrane.dtype)
            if population.polarity != 'unsigned':
                wanted -= (layer.membrane < 0).to(wanted.dtype)
        else:
            # the quotient of two integers rounds down right in either float type
            wanted = torch.floor(layer.membrane / layer.threshold)
            wanted.clamp_(*spike_limits(population.polarity, population.burst))
            wanted = torch.minimum(wanted, first + step + 1 - layer.sent)
            if population.polarity == 'signed':
                wanted = torch.maximum(wanted, -(first + step + 1) - layer.sent)
        if population.polarity == 'corrective':
            wanted = torch.maximum(wanted, -layer.sent)
        if counts:
            layer.sent += wanted
        layer.membrane -= wanted * layer.threshold
        spikes[step] = wanted
    return spikes


def counts_spikes(population: Population) -> bool:
    """Return whether a neuron's next spike depends on how many it sent, see neurons.py."""
    return population.polarity == 'corrective' or population.burst > 1


def chunks(times: tuple[int, ...], longest: int) -> Iterator[tuple[int, int]]:
    """Split ``range(times[-1])`` into (first, last) of at most ``longest``, ending at all times."""
    first = 0
    for time in times:
        while first < time:
            last = min(time, first + longest)
            yield first, last
            first = last
