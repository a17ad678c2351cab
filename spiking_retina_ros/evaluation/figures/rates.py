"""How often the neurons of each layer fire."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm

from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.evaluation.observation import RATE_EDGES, Observation


def draw_rates(observation: Observation, path: Path) -> Path:
    """Write a map of the shares of neurons by rate, layers in order of depth."""
    names = list(observation.histograms)
    counts = np.stack([observation.histograms[name] for name in names]).astype(float)
    shares = 100 * counts / counts.sum(1, keepdims=True)
    figure = style.new_figure(12, 5.6)
    axes = figure.subplots()
    axes.set_xlim(-0.5, len(names) - 0.5)
    # the last bin holds rates of one and more, the first what is nearly silent
    edges = np.arange(len(RATE_EDGES))
    image = axes.pcolormesh(
        np.arange(len(names) + 1) - 0.5,
        edges,
        np.ma.masked_less(shares.T, 0.01),
        norm=LogNorm(0.01, 100),
        cmap='cividis_r',
    )
    means = [observation.spikes_per_step[name] for name in names]
    axes.plot(
        np.arange(len(names)),
        [_place(value) for value in means],
        color=style.VERMILION,
        marker='.',
        linewidth=1,
        label='mean: spikes per neuron and step',
    )
    ticks = [1 / 512, 1 / 256, 1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0]
    axes.set_yticks(
        [0.5, *(_place(tick) for tick in ticks)],
        ['silent', *(f'1/{round(1 / tick)}' if tick < 1 else '1' for tick in ticks)],
    )
    axes.set_ylabel('spike rate of a neuron, spikes per step')
    axes.set_xlabel('spiking populations in order of depth')
    for section, first, last in style.sections(names):
        axes.axvline(first - 0.5, color=style.GREY, linewidth=0.8)
        axes.text(
            (first + last) / 2,
            1.01,
            section,
            transform=axes.get_xaxis_transform(),
            ha='center',
            va='bottom',
            fontsize=9,
            color=style.GREY,
        )
    axes.legend(loc='upper right', framealpha=0.95)
    figure.colorbar(image, ax=axes, label="share of the layer's neurons, per cent", pad=0.01)
    return style.save(figure, path)


def _place(rate: float) -> float:
    """Return where a rate lies on an axis on which every bin is one unit wide."""
    inner = np.log(RATE_EDGES[1:-1])
    return float(np.interp(np.log(max(rate, 1e-9)), inner, np.arange(1, len(inner) + 1)))
