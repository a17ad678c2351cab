"""The one interface behind which all engines simulate, and how to get one by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork


@dataclass(frozen=True)
class Simulation:
    """
    What a window gave, read at several times from one run.

    Where the network's window is phased there is nothing to read before its end, so that every
    time is a window, and a run, of its own; the trains are those of the longest.

    ``times`` are ascending numbers of simulated steps. ``outputs[name]`` is int64
    (len(times), C, H, W): the net spike count up to each time, or for a readout population the
    gathered current. ``spikes[population]`` and ``synaptic_operations[population]`` are int64
    (len(times),): spikes sent (a negative one counts like a positive one) and weights added to the
    population's membranes because of spikes; the constant input current causes none.
    ``trains[node]``, only when asked for, are the spikes themselves, int8 (steps, C, H, W).
    """

    times: tuple[int, ...]
    outputs: dict[str, Tensor]
    spikes: dict[str, Tensor]
    synaptic_operations: dict[str, Tensor]
    trains: dict[str, Tensor] = field(default_factory=dict)

    def total_spikes(self, index: int) -> int:
        """Return the spikes of the whole network up to ``times[index]``."""
        return sum(int(counts[index]) for counts in self.spikes.values())

    def total_synaptic_operations(self, index: int) -> int:
        """Return the synaptic operations of the whole network up to ``times[index]``."""
        return sum(int(counts[index]) for counts in self.synaptic_operations.values())


class Engine(Protocol):
    """
    Simulates one network; keeps no state from one ``run`` to the next.

    Engines built with the same network give identical integers, spike for spike.
    """

    name: str
    network: SpikingNetwork

    def run(self, image: IntegerImage, times: Sequence[int], *, record: bool = False) -> Simulation:
        """
        Show ``image`` (C, H, W) int16 as a constant current for ``max(times)`` steps.

        ``record`` keeps the spike trains of every node that spikes, which takes memory that grows
        with the window; nothing else does.
        """
        ...


def load_reference(network: SpikingNetwork, threads: int | None) -> Engine:
    """Return the snnTorch engine."""
    from spiking_retina_ros.spiking.reference import ReferenceEngine

    return ReferenceEngine(network, threads=threads)


def load_dense(network: SpikingNetwork, threads: int | None) -> Engine:
    """Return the time-batched torch engine."""
    from spiking_retina_ros.spiking.dense import DenseEngine

    return DenseEngine(network, threads=threads)


def load_event(network: SpikingNetwork, threads: int | None) -> Engine:
    """Return the engine that computes only where spikes are."""
    from spiking_retina_ros.spiking.event.engine import EventEngine

    return EventEngine(network, threads=threads)


# engine name -> (loader, modules it needs beside torch)
ENGINES: dict[str, tuple[Callable[[SpikingNetwork, int | None], Engine], tuple[str, ...]]] = {
    'reference': (load_reference, ('snntorch',)),
    'dense': (load_dense, ()),
    'event': (load_event, ('numba',)),
}


def available_engines() -> list[str]:
    """Return the names of the engines whose dependencies are installed."""
    return [
        name
        for name, (_, modules) in ENGINES.items()
        if all(importlib.util.find_spec(module) is not None for module in modules)
    ]


def make_engine(name: str, network: SpikingNetwork, *, threads: int | None = None) -> Engine:
    """Return the engine of that name; UserError lists what is available."""
    available = available_engines()
    if name not in ENGINES:
        raise UserError(f'unknown engine {name!r}; available are: {", ".join(available)}')
    if name not in available:
        missing = [m for m in ENGINES[name][1] if importlib.util.find_spec(m) is None]
        raise UserError(
            f'engine {name!r} needs the Python package {missing[0]!r}, which is not installed; '
            f'available are: {", ".join(available)}'
        )
    return ENGINES[name][0](network, threads)


def run_each(simulate: Callable[[int], Simulation], times: Sequence[int]) -> Simulation:
    """Return one simulation made of a run per window length, for phased windows."""
    runs = [simulate(time) for time in times]
    return Simulation(
        tuple(times),
        {name: torch.cat([run.outputs[name] for run in runs]) for name in runs[0].outputs},
        {name: torch.cat([run.spikes[name] for run in runs]) for name in runs[0].spikes},
        {
            name: torch.cat([run.synaptic_operations[name] for run in runs])
            for name in runs[0].synaptic_operations
        },
        runs[-1].trains,
    )


def check_times(times: Sequence[int]) -> tuple[int, ...]:
    """Return ``times`` sorted and without repeats; ValueError unless all are >= 1."""
    ordered = tuple(sorted(set(times)))
    if not ordered or ordered[0] < 1:
        raise ValueError(f'expected at least one time, all of them >= 1 step, found {list(times)}')
    return ordered


def input_tensor(network: SpikingNetwork, image: IntegerImage) -> Tensor:
    """Return the image as int16 (C, H, W); ValueError when it is something else."""
    channels = network.topology.input_channels
    if image.dtype.name != 'int16' or image.ndim != 3 or image.shape[0] != channels:
        raise ValueError(
            f'expected an int16 image ({channels}, H, W), found {image.dtype} {image.shape}'
        )
    return torch.from_numpy(image)
