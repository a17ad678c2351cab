"""How often the neurons of each layer fire."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from numpy.typing import NDArray

from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.evaluation.observation import Observation

LEAST_SHARE = 0.01


def draw_rates(observation: Observation, path: Path) -> Path:
    """Write a map of the shares of neurons by rate, layers in order of depth."""
    names = list(observation.histograms)
    counts = np.stack([observation.histograms[name] for name in names]).astype(float)
    shares = 100 * counts / counts.sum(1, keepdims=True)
    edges = observation.rate_edges
    if not counts[:, -1].any():  # without bursts nothing fires more than once a step
        shares, edges = shares[:, :-1], edges[:-1]
    figure = style.new_figure(12, 5.6)
    axes = figure.subplots()
    image = axes.pcolormesh(
        np.arange(len(names) + 1) - 0.5,
        np.arange(len(edges)),
        np.ma.masked_less(shares.T, LEAST_SHARE),
        norm=LogNorm(LEAST_SHARE, 100),
        cmap='cividis_r',
    )
    means = np.array([observation.spikes_per_step[name] for name in names])
    axes.plot(
        np.arange(len(names)),
        np.interp(means, observation.rate_edges[:-1], np.arange(len(observation.rate_edges) - 1)),
        color=style.VERMILION,
        marker='.',
        linewidth=1,
        label='mean: spikes per neuron and step',
    )
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_yticks(np.arange(len(edges) - 1) + 0.5, _bin_names(edges))
    axes.set_ylabel('spikes per step of a neuron')
    axes.set_xlabel('spiking populations in order of depth')
    style.mark_sections(axes, names, shade=False)
    axes.legend(loc='upper right', framealpha=0.95)
    figure.colorbar(image, ax=axes, label="share of the layer's neurons, per cent", pad=0.01)
    return style.save(figure, path)


def _bin_names(edges: NDArray[np.float64]) -> list[str]:
    """Return what lies in each bin: rates come in steps of twice the first edge."""
    step = 2 * edges[1]
    names = ['silent']
    for low, high in pairwise(edges[np.isfinite(edges)][1:]):
        first, last = low + step / 2, high - step / 2
        same = last - first < step / 2
        names.append(f'{first:.2g}' if same else f'{first:.2g} - {last:.2g}')
    return names if np.isfinite(edges[-1]) else [*names, 'above 1']
