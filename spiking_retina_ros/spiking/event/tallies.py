"""Counts spikes and synaptic operations of a chunk from the spikes per place."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spiking_retina_ros.spiking.event import layout as at
from spiking_retina_ros.spiking.event.program import Program
from spiking_retina_ros.spiking.topology import INPUT


@dataclass(frozen=True)
class Tallies:
    """
    Where each sum's spikes per place begin in ``activity``, how many they are, their weights.

    The first sums are the spikes of ``spiking`` populations, the others the operations that one
    synapse causes: its spikes times their fan-out. ``targets`` are the populations those belong to.
    """

    spiking: tuple[str, ...]
    targets: tuple[str, ...]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    weights: NDArray[np.int32]

    @classmethod
    def of(cls, program: Program) -> Tallies:
        """Lay the sums of a program out."""
        plan = program.plan
        topology = plan.network.topology
        spiking = tuple(p.name for p in topology.populations if not p.readout)
        synapses = [
            (p.name, s) for p in topology.populations for s in p.synapses if s.source != INPUT
        ]
        sources = [*spiking, *(synapse.source for _, synapse in synapses)]
        weights = [np.ones(_places(program, name), np.int32) for name in spiking]
        weights += [plan.fan_out(s, target).numpy().reshape(-1) for target, s in synapses]
        return cls(
            spiking,
            tuple(target for target, _ in synapses),
            np.array([program.memory.nodes[program.rows[n], at.ACTIVITY] for n in sources]),
            np.array([len(part) for part in weights]),
            np.concatenate(weights).astype(np.int32),
        )

    def add_to(
        self, spikes: dict[str, int], operations: dict[str, int], activity: NDArray[np.int32]
    ) -> None:
        """Add a chunk's spikes and operations to those of the chunks before it."""
        # Not numpy's dot: BLAS's threads go on spinning after one, and would take a core from the
        # kernels of the next chunk, which halves their speed.
        sums = _weighted_sums(activity, self.starts, self.lengths, self.weights).tolist()
        _add(spikes, self.spiking, sums)
        _add(operations, self.targets, sums[len(self.spiking) :])


def _places(program: Program, name: str) -> int:
    _, height, width = program.plan.shapes[name]
    return height * width


def _add(totals: dict[str, int], names: Sequence[str], values: Sequence[int]) -> None:
    for name, value in zip(names, values, strict=False):
        totals[name] += value


@njit(nogil=True, cache=True)
def _weighted_sums(activity, starts, lengths, weights):
    sums = np.zeros(len(starts), np.int64)
    first = 0
    for index in range(len(starts)):
        start, total = starts[index], np.int64(0)
        for place in range(lengths[index]):
            total += np.int64(activity[start + place]) * np.int64(weights[first + place])
        sums[index] = total
        first += lengths[index]
    return sums
