"""
How long the engines take beside the analog network, in one interleaved run.

All contestants take turns frame by frame, so that whatever else the machine does hits all alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.evaluation.machine import describe_machine
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.engine import Engine, make_engine
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork
from spiking_retina_ros.spiking.plan import Plan, make_plan
from spiking_retina_ros.spiking.topology import INPUT

if TYPE_CHECKING:  # it needs numba, the other engines do not
    from spiking_retina_ros.spiking.event.peaks import Peaks

# A contestant that has had this many seconds sits out, but for the two rounds a spread needs.
PATIENCE = 20.0
FEWEST_ROUNDS = 2
# The window that targets are stated for.
MAIN_STEPS = 16
ANALOG, REFERENCE, EVENT = 'analog', 'reference', 'event'


@dataclass(frozen=True)
class Timing:
    """Milliseconds per frame: the median, and the quartiles around it, of ``rounds`` frames."""

    median: float
    quartiles: tuple[float, float]
    rounds: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        """Summarise the seconds of single frames."""
        low, middle, high = (1e3 * float(q) for q in np.quantile(seconds, (0.25, 0.5, 0.75)))
        return cls(middle, (low, high), len(seconds))


@dataclass(frozen=True)
class WindowResult:
    """All engines at one window length; spikes and operations are per frame, on average."""

    steps: int
    timings: Mapping[str, Timing]
    spikes: float
    synaptic_operations: float


@dataclass(frozen=True)
class LayerCost:
    """
    A layer of the event engine in one frame.

    ``bound_ms`` is what it could not undercut by this machine's measured peaks, see
    ``layer_costs``; 0 where nothing was counted.
    """

    name: str
    milliseconds: float
    spikes: int
    synaptic_operations: int
    bound_ms: float

    @property
    def operations_per_second(self) -> float:
        """Return the synaptic operations achieved per second."""
        return self.synaptic_operations / max(self.milliseconds, 1e-9) * 1e3


@dataclass(frozen=True)
class BenchmarkReport:
    """Everything one run measured; ``peak_rss_mb`` is per window length."""

    machine: str
    threads: int
    input_size: tuple[int, int]
    analog: Timing | None
    windows: tuple[WindowResult, ...]
    layers: tuple[LayerCost, ...] = ()
    peaks: Mapping[str, float] | None = None
    peak_rss_mb: Mapping[int, float] | None = None

    def main_window(self) -> WindowResult:
        """Return the window whose figures head the report: 16 steps, or else the first."""
        return next((w for w in self.windows if w.steps == MAIN_STEPS), self.windows[0])

    def as_dict(self) -> dict[str, Any]:
        """
        Return plain values for json.

        The keys ``steps`` and ``engines`` at the top are the main window's; ``windows`` has all.
        """
        main = self.main_window()
        return {
            'machine': self.machine,
            'threads': self.threads,
            'input_size': list(self.input_size),
            'analog_ms': None if self.analog is None else self.analog.median,
            'analog_quartiles_ms': None if self.analog is None else list(self.analog.quartiles),
            'steps': main.steps,
            'engines': self._engines(main),
            'windows': [
                {
                    'steps': window.steps,
                    'spikes': window.spikes,
                    'synaptic_operations': window.synaptic_operations,
                    'engines': self._engines(window),
                }
                for window in self.windows
            ],
            'layers': [
                {
                    'name': layer.name,
                    'ms': layer.milliseconds,
                    'spikes': layer.spikes,
                    'synaptic_operations': layer.synaptic_operations,
                    'operations_per_second': layer.operations_per_second,
                    'bound_ms': layer.bound_ms,
                }
                for layer in self.layers
            ],
            'peaks': None if self.peaks is None else dict(self.peaks),
            'peak_rss_mb': {str(k): v for k, v in (self.peak_rss_mb or {}).items()},
        }

    def _engines(self, window: WindowResult) -> dict[str, dict[str, Any]]:
        reference = window.timings.get(REFERENCE)
        return {
            name: {
                'ms': timing.median,
                'quartiles_ms': list(timing.quartiles),
                'rounds': timing.rounds,
                'ratio_to_analog': self.analog and timing.median / self.analog.median,
                'speedup_to_reference': reference and reference.median / timing.median,
            }
            for name, timing in window.timings.items()
        }


def run_benchmark(
    network: SpikingNetwork,
    analog: RetinaNet | None,
    images: Sequence[ImageArray],
    *,
    steps: Sequence[int],
    engines: Sequence[str],
    threads: int,
    rounds: int,
    device: str = 'cpu',
) -> BenchmarkReport:
    """
    Time ``engines`` and the analog network on BGR ``images``, each at several windows.

    ``device`` is where analog and dense run. Every contestant first runs once unmeasured. A slow
    one is given up after PATIENCE seconds and two rounds.
    """
    torch.set_num_threads(threads)
    inputs = [network.preprocessing(image)[0] for image in images]
    made = {name: _engine(name, network, threads, device) for name in engines}
    contestants: dict[tuple[str, int], Callable[[IntegerImage], object]] = {}
    if analog is not None:
        contestants[ANALOG, 0] = _analog_runner(analog, network, device)
    for name, engine in made.items():
        for window in steps:
            contestants[name, window] = _runner(engine, window)
    seconds = _take_turns(contestants, inputs, rounds)
    counts = {window: _mean_counts(made, inputs, window) for window in steps}
    return BenchmarkReport(
        f'{describe_machine()}{_device_name(device)}',
        threads,
        network.preprocessing.input_size,
        Timing.of(seconds[ANALOG, 0]) if analog is not None else None,
        tuple(
            WindowResult(
                window,
                {name: Timing.of(seconds[name, window]) for name in engines},
                *counts[window],
            )
            for window in steps
        ),
    )


def _engine(name: str, network: SpikingNetwork, threads: int, device: str) -> Engine:
    if name == 'dense' and device != 'cpu':
        from spiking_retina_ros.spiking.dense import DenseEngine

        return DenseEngine(network, threads=threads, device=device)
    return make_engine(name, network, threads=threads)


def _device_name(device: str) -> str:
    if not device.startswith('cuda'):
        return ''
    return f'; analog and dense on {torch.cuda.get_device_name(device)}'


def _runner(engine: Engine, steps: int) -> Callable[[IntegerImage], object]:
    return lambda image: engine.run(image, [steps])


def _analog_runner(
    analog: RetinaNet, network: SpikingNetwork, device: str
) -> Callable[[IntegerImage], object]:
    """Return the forward pass of one frame on the spiking network's own input pixels."""
    analog = analog.eval().to(device)
    offset = torch.tensor(network.preprocessing.offset)[:, None, None]
    mean, std = (
        torch.tensor(values)[:, None, None] for values in (analog.config.mean, analog.config.std)
    )

    def run(image: IntegerImage) -> object:
        with torch.inference_mode():
            pixels = (torch.from_numpy(image) + offset).float()
            class_maps, box_maps = analog(((pixels - mean) / std)[None].to(device))
            return [maps.cpu() for maps in (*class_maps, *box_maps)]

    return run


def _take_turns(
    contestants: Mapping[tuple[str, int], Callable[[IntegerImage], object]],
    inputs: Sequence[IntegerImage],
    rounds: int,
) -> dict[tuple[str, int], list[float]]:
    """Return the seconds of every frame of every contestant."""
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in contestants}
    for (name, window), run in contestants.items():
        if name != REFERENCE or window == min(w for n, w in contestants if n == REFERENCE):
            run(inputs[0])
    for turn in tqdm(range(rounds), desc='benchmark', unit='round'):
        for key, run in contestants.items():
            if sum(seconds[key]) > PATIENCE and len(seconds[key]) >= FEWEST_ROUNDS:
                continue
            begin = time.perf_counter()
            run(inputs[turn % len(inputs)])
            seconds[key].append(time.perf_counter() - begin)
    return seconds


def _mean_counts(
    engines: Mapping[str, Engine], inputs: Sequence[IntegerImage], steps: int
) -> tuple[float, float]:
    """Return spikes and synaptic operations per frame; every engine would say the same."""
    engine = engines.get(EVENT) or next(iter(engines.values()))
    found = [engine.run(image, [steps]) for image in inputs]
    return (
        statistics.mean(item.total_spikes(0) for item in found),
        statistics.mean(item.total_synaptic_operations(0) for item in found),
    )


def layer_costs(
    network: SpikingNetwork,
    image: ImageArray,
    *,
    steps: int,
    threads: int,
    peaks: Peaks,
    rounds: int = 5,
) -> tuple[LayerCost, ...]:
    """
    Return what each layer costs the event engine, and its bound.

    The bound is the larger of two times: the layer's arithmetic at the measured peaks, and its
    spikes in and out and its weights at the memory's bandwidth. In a concurrent window the
    arithmetic is its synaptic operations and in every step an update of each neuron, counted as
    three additions of 32 bits (add the current, compare, subtract), that is six of 16. In a phased
    one it is a product of weight and level per synapse of an active neuron, and one update of each
    neuron, counted as sixteen operations of 32 bits (a bounded division, made exact).
    """
    from spiking_retina_ros.spiking.event.engine import EventEngine

    engine = EventEngine(network, threads=threads)
    shown = network.preprocessing(image)[0]
    phased = network.window.schedule == 'phased'
    counted = engine.run(shown, [steps], record=phased)
    profiles = [engine.profile(shown, steps) for _ in range(rounds)]
    plan = make_plan(network, network.preprocessing.input_size)
    products = _products(plan, counted.trains) if phased else {}
    costs = []
    for times in zip(*profiles, strict=True):
        name = times[0].name
        operations = _count(counted.synaptic_operations.get(name))
        channels, height, width = plan.shapes.get(name, (0, 0, 0))
        neurons = channels * height * width if name in counted.spikes else 0
        if phased:
            arithmetic = products.get(name, 0) / peaks.products + 32 * neurons / peaks.additions
        else:
            arithmetic = (operations + 6 * neurons * steps) / peaks.additions
        bound = max(arithmetic, times[0].traffic / peaks.bandwidth)
        costs.append(
            LayerCost(
                name,
                statistics.median(item.milliseconds for item in times),
                _count(counted.spikes.get(name)),
                operations,
                1e3 * bound,
            )
        )
    return tuple(costs)


def _products(plan: Plan, trains: Mapping[str, torch.Tensor]) -> dict[str, int]:
    """Return per population the synapses of neurons that are active in a phased window."""
    # all spikes come first: who sends any sends one in the first step
    active = {name: (train[0] != 0).sum(0) for name, train in trains.items()}
    return {
        population.name: sum(
            int((active[synapse.source] * plan.fan_out(synapse, population.name)).sum())
            for synapse in population.synapses
            if synapse.source != INPUT
        )
        for population in plan.network.topology.populations
    }


def _count(counts: torch.Tensor | None) -> int:
    return 0 if counts is None else int(counts[-1])
