"""Counts spikes and synaptic operations at the times a simulation is read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spiking_retina_ros.spiking.plan import Plan
from spiking_retina_ros.spiking.topology import INPUT, Population


class Tally:
    """
    Running sums of a window.

    Operations are counted per place: a spike's fan-out depends on where it is (fewer windows cover
    a border), not on its channel, so a map (H, W) of spikes summed over channels is enough.
    """

    def __init__(self, plan: Plan, times: Sequence[int]) -> None:
        self.times = tuple(times)
        self.spikes = {
            population.name: torch.zeros(len(self.times), dtype=torch.int64)
            for population in plan.network.topology.populations
            if not population.readout
        }
        self.operations = {
            population.name: torch.zeros(len(self.times), dtype=torch.int64)
            for population in plan.network.topology.populations
        }
        self._fan_outs = {
            population.name: [
                (synapse.source, plan.fan_out(synapse, population.name))
                for synapse in population.synapses
                if synapse.source != INPUT
            ]
            for population in plan.network.topology.populations
        }

    def add_spikes(self, population: Population, first: int, per_step: Tensor) -> None:
        """Add the spikes of steps ``first + 1`` ...; ``per_step`` is int64 (steps,)."""
        self._add(self.spikes[population.name], first, per_step.cpu())

    def add_operations(self, population: Population, first: int, maps: dict[str, Tensor]) -> None:
        """Add what spikes cost; ``maps[source]`` is int64 (steps, H, W), summed over channels."""
        for source, fan_out in self._fan_outs[population.name]:
            activity = maps[source].cpu()
            per_step = (activity * fan_out).sum((1, 2))
            self._add(self.operations[population.name], first, per_step)

    def _add(self, target: Tensor, first: int, per_step: Tensor) -> None:
        running = torch.cumsum(per_step, 0)
        for index, time in enumerate(self.times):
            steps = min(time - first, len(per_step))
            if steps > 0:
                target[index] += running[steps - 1]
