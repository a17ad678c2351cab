"""The oracle: snnTorch neurons, one step after the other, layer after layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import snntorch as snn
import torch
from torch import Tensor

from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.engine import (
    Simulation,
    check_times,
    input_tensor,
    run_each,
)
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork
from spiking_retina_ros.spiking.neurons import integrate_and_fire
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


@dataclass
class _State:
    """What a run owns: membranes, neurons (they remember their last spikes) and counts."""

    membranes: dict[str, Tensor]
    neurons: dict[str, snn.Leaky]
    counts: dict[str, Tensor]


class ReferenceEngine:
    """
    Simulates step by step through snnTorch; slow, plain, and what the other engines must equal.

    Memory does not grow with the window: only the present step's spikes and the running counts of
    pooling layers and outputs are kept.
    """

    name = 'reference'

    def __init__(self, network: SpikingNetwork, *, threads: int | None = None) -> None:
        self.network = network
        self._threads = threads
        self._plan: Plan | None = None
        self._weights: dict[tuple[str, int], Tensor] = {}

    def run(self, image: IntegerImage, times: Sequence[int], *, record: bool = False) -> Simulation:
        """Simulate, see ``Engine.run``."""
        times = check_times(times)
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        currents = input_tensor(self.network, image)
        plan = self._plan_for((image.shape[1], image.shape[2]))
        with torch.no_grad():
            if self.network.window.schedule == 'phased':
                return run_each(
                    lambda steps: self._simulate_phased(
                        plan, currents, steps, record=record and steps == times[-1]
                    ),
                    times,
                )
            return self._simulate(plan, currents, times, record=record)

    def _simulate(
        self, plan: Plan, image: Tensor, times: tuple[int, ...], *, record: bool
    ) -> Simulation:
        state = self._initial_state(plan)
        tally = Tally(plan, times)
        constant = self._input_currents(plan, image)
        readings: dict[str, list[Tensor]] = {name: [] for name in self.network.topology.outputs}
        trains: dict[str, list[Tensor]] = {}
        for step in range(1, times[-1] + 1):
            spikes: dict[str, Tensor] = {}
            activity: dict[str, Tensor] = {}
            for node in self.network.topology.nodes:
                if isinstance(node, Population):
                    tally.add_operations(node, step - 1, activity)
                emitted = self._advance(node, plan, state, spikes, constant)
                if emitted is None:
                    continue
                spikes[node.name] = emitted
                activity[node.name] = emitted.abs().sum(1).long()
                if isinstance(node, Population):
                    tally.add_spikes(node, step - 1, activity[node.name].sum((1, 2)))
                if record:
                    trains.setdefault(node.name, []).append(emitted[0].to(torch.int8))
            self._gather(state, spikes)
            if step in times:
                for name, values in readings.items():
                    values.append(state.counts[name][0].long())
        return Simulation(
            times,
            {name: torch.stack(values) for name, values in readings.items()},
            tally.spikes,
            tally.operations,
            {name: torch.stack(values) for name, values in trains.items()},
        )

    def _simulate_phased(
        self, plan: Plan, image: Tensor, steps: int, *, record: bool
    ) -> Simulation:
        """One node after the other: all its input arrives, then it sends for ``steps`` steps."""
        constant = self._input_currents(plan, image)
        state = self._initial_state(plan)
        tally = Tally(plan, (1,))
        trains: dict[str, Tensor] = {}
        last_use = {
            name: index
            for index, node in enumerate(self.network.topology.nodes)
            for name in node.sources
        }
        outputs: dict[str, Tensor] = {}
        recorded: dict[str, Tensor] = {}
        for index, node in enumerate(self.network.topology.nodes):
            if isinstance(node, Population):
                arrived = {
                    synapse.source: trains[synapse.source].abs().sum((0, 1), dtype=torch.float64)
                    for synapse in node.synapses
                    if synapse.source != INPUT
                }
                activity = {name: value.long()[None] for name, value in arrived.items()}
                tally.add_operations(node, 0, activity)
                total = self._gathered(node, trains, constant[node.name] * steps)
                if node.readout:
                    outputs[node.name] = total[0].long()[None]
                    continue
                trains[node.name] = self._send(node, state, total, steps)
                count = trains[node.name].abs().sum(dtype=torch.float64).long()
                tally.add_spikes(node, 0, count[None])
            else:
                trains[node.name] = self._pass_on(node, plan, trains)
            if node.name in self.network.topology.outputs:
                outputs[node.name] = trains[node.name].sum(0, dtype=torch.float64).long()[None]
            if record:
                recorded[node.name] = trains[node.name]
            for name in [name for name in trains if last_use.get(name, -1) <= index]:
                del trains[name]
        ordered = {name: outputs[name] for name in self.network.topology.outputs}
        return Simulation((steps,), ordered, tally.spikes, tally.operations, recorded)

    def _gathered(
        self, population: Population, trains: dict[str, Tensor], constant: Tensor
    ) -> Tensor:
        """Return all current that arrives while the sources send, (1, C, H, W) float64."""
        total = constant
        for index, synapse in enumerate(population.synapses):
            if synapse.source != INPUT:
                weight = self._weights[population.name, index].double()
                arriving = trains[synapse.source].sum(0, dtype=torch.float64)[None]
                total = total + layers.synapse_sum(weight, arriving, synapse)
        return total

    def _send(self, population: Population, state: _State, total: Tensor, steps: int) -> Tensor:
        """Let the neurons fire for ``steps`` steps; return the spikes int8 (steps, C, H, W)."""
        neuron, membrane = state.neurons[population.name], state.membranes[population.name]
        silence = torch.zeros_like(total)
        spikes = torch.empty((steps, *total.shape[1:]), dtype=torch.int8)
        for step in range(steps):
            emitted, membrane = neuron(total if step == 0 else silence, membrane)
            spikes[step] = emitted[0].to(torch.int8)
        return spikes

    def _pass_on(
        self,
        node: MaxPool | UpsampleLike | Concatenation,
        plan: Plan,
        trains: dict[str, Tensor],
    ) -> Tensor:
        """Return the spikes (steps, C, H, W) of a node that only passes them on."""
        if isinstance(node, MaxPool):
            counts = torch.cumsum(trains[node.source].double(), 0)
            pooled = layers.pool_counts(counts, node)
            start = torch.zeros_like(pooled[:1])
            return torch.cat([start, pooled]).diff(dim=0).to(torch.int8)
        if isinstance(node, UpsampleLike):
            return layers.upsample(trains[node.source], plan.shapes[node.name][1:])
        return torch.cat([trains[name] for name in node.inputs], 1)

    def _advance(
        self,
        node: Node,
        plan: Plan,
        state: _State,
        spikes: dict[str, Tensor],
        constant: dict[str, Tensor],
    ) -> Tensor | None:
        """Advance one node by one step; return its spikes (1, C, H, W) if it sends any."""
        if isinstance(node, Population):
            current = constant[node.name]
            for index, synapse in enumerate(node.synapses):
                if synapse.source != INPUT:
                    weight = self._weights[node.name, index]
                    arriving = spikes[synapse.source].to(weight.dtype)
                    current = current + layers.synapse_sum(weight, arriving, synapse).double()
            if node.readout:
                state.counts[node.name] += current
                return None
            emitted, state.membranes[node.name] = state.neurons[node.name](
                current, state.membranes[node.name]
            )
            return emitted
        if isinstance(node, MaxPool):
            before = state.counts[node.name]
            source = state.counts[node.source] + spikes[node.source]
            after = layers.pool_counts(source, node)
            return after - before
        if isinstance(node, UpsampleLike):
            return layers.upsample(spikes[node.source], plan.shapes[node.name][1:])
        assert isinstance(node, Concatenation)
        return torch.cat([spikes[name] for name in node.inputs], 1)

    def _gather(self, state: _State, spikes: dict[str, Tensor]) -> None:
        """Add this step's spikes to the running counts that somebody reads."""
        for name, counts in state.counts.items():
            if name in spikes:
                counts += spikes[name]

    def _initial_state(self, plan: Plan) -> _State:
        topology = self.network.topology
        pooled = [node for node in topology.nodes if isinstance(node, MaxPool)]
        counted = {*topology.outputs, *(pool.name for pool in pooled)}
        counted |= {pool.source for pool in pooled}
        membranes, neurons = {}, {}
        for population in topology.populations:
            if population.readout:
                continue
            initial = self.network.parameter(population, 'initial').double()[None, :, None, None]
            threshold = self.network.parameter(population, 'threshold').double()
            membranes[population.name] = initial.expand(1, *plan.shapes[population.name])
            neurons[population.name] = integrate_and_fire(
                threshold[:, None, None], polarity=population.polarity, burst=population.burst
            )
        counts = {
            name: torch.zeros((1, *plan.shapes[name]), dtype=torch.float64) for name in counted
        }
        return _State(membranes, neurons, counts)

    def _input_currents(self, plan: Plan, image: Tensor) -> dict[str, Tensor]:
        """Return what enters each population in every step: its bias, and the image if it looks."""
        currents = {}
        for population in self.network.topology.populations:
            bits = self.network.fraction_bits(population)
            current = plan.biases[population.name][None].double()
            for synapse in population.synapses:
                if synapse.source == INPUT:
                    weight = layers.effective_weight(
                        self.network, synapse, bits=bits, dtype=torch.float64
                    )
                    current = current + layers.synapse_sum(weight, image[None].double(), synapse)
            currents[population.name] = current.expand(1, *plan.shapes[population.name])
        return currents

    def _plan_for(self, size: tuple[int, int]) -> Plan:
        """Return the plan for this input size, made anew when the size has changed."""
        if self._plan is None or self._plan.input_size != size:
            self._plan = make_plan(self.network, size)
            self._weights = {
                (population.name, index): layers.effective_weight(
                    self.network,
                    synapse,
                    bits=self.network.fraction_bits(population),
                    dtype=layers.exact_dtype(self._plan.current_bounds[population.name]),
                )
                for population in self.network.topology.populations
                for index, synapse in enumerate(population.synapses)
                if synapse.source != INPUT
            }
        return self._plan
