"""Runs a spiking network on a few images and looks at all of its populations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.evaluation.activity import (
    arriving_rates,
    observed_rates,
    simulate_all,
    spiking_populations,
    true_rates,
    with_all_outputs,
)
from spiking_retina_ros.evaluation.correlation import Agreement, AgreementSums
from spiking_retina_ros.evaluation.error_profile import ErrorProfile, LayerError
from spiking_retina_ros.evaluation.stages import Stages
from spiking_retina_ros.spiking.engine import make_engine
from spiking_retina_ros.spiking.network import Window
from spiking_retina_ros.spiking.topology import INPUT

RATE_BINS = 16


@dataclass(frozen=True)
class Observation:
    """
    What ``images`` frames showed.

    ``agreement[window][population]`` for the chosen populations; ``profile`` and ``histograms`` at
    ``window``, the longest. ``histograms[population]`` counts neurons by the magnitude of their net
    rate between ``rate_edges``, and ``spikes_per_step[population]`` is spikes per neuron and step
    over the whole window, where spikes taken back count as well.
    """

    images: int
    window: Window
    agreement: dict[Window, dict[str, Agreement]]
    profile: list[LayerError]
    rate_edges: NDArray[np.float64]
    histograms: dict[str, NDArray[np.int64]]
    spikes_per_step: dict[str, float]


def observe(
    stages: Stages,
    images: Sequence[ImageArray],
    windows: Sequence[Window],
    chosen: Sequence[str],
    *,
    engine: str = 'event',
    threads: int | None = None,
    quiet: bool = False,
) -> Observation:
    """Observe all populations at the windows; memory grows with neurons and windows, not steps."""
    network = with_all_outputs(stages.network)
    simulator = make_engine(engine, network, threads=threads)
    windows = sorted(set(windows), key=lambda window: (window.steps, window.transient))
    last = windows[-1]
    profile = ErrorProfile(stages)
    sums = {
        window: {
            name: AgreementSums(images=len(images), seed=number)
            for number, name in enumerate(chosen)
        }
        for window in windows
    }
    spiking = spiking_populations(network)
    edges = rate_edges(last)
    histograms = {p.name: np.zeros(len(edges) - 1, np.int64) for p in spiking}
    spikes = dict.fromkeys(histograms, 0.0)
    for image in tqdm(images, desc='observing layers', unit='image', disable=quiet):
        integers, _ = network.preprocessing(image)
        true = true_rates(stages.normalised, integers)
        simulation = simulate_all(simulator, integers, windows)
        for window in windows:
            rates = observed_rates(simulation, network, window)
            for name in chosen:
                sums[window][name].add(true[name], rates[name])
        # ``rates`` are those of the last window from here on
        arriving = arriving_rates(simulation, network, last, rates)
        profile.add(true, rates, {**arriving, INPUT: true[INPUT]})
        end = simulation.times.index(last.steps)
        for population in spiking:
            magnitudes = rates[population.name].abs().numpy()
            histograms[population.name] += np.histogram(magnitudes, edges)[0]
            sent = int(simulation.spikes[population.name][end])
            spikes[population.name] += sent / (magnitudes.size * last.steps * len(images))
    return Observation(
        len(images),
        last,
        {window: {n: s.result() for n, s in named.items()} for window, named in sums.items()},
        profile.layers(),
        edges,
        histograms,
        spikes,
    )


def rate_edges(window: Window) -> NDArray[np.float64]:
    """
    Return edges between the rates a window can tell apart, wider for higher rates.

    The first bin holds silent neurons, the last those of more than a spike per step.
    """
    counted = window.steps - window.transient
    spikes = np.unique(np.geomspace(1, counted, RATE_BINS).round()) + 0.5
    return np.concatenate([[0.0, 0.5], spikes, [np.inf]]) / counted
