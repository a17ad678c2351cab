"""Analog activations against spike rates at two times (Fig. 1 of arXiv 2106.05624)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from spiking_retina_ros.evaluation.correlation import Agreement
from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.spiking.network import Window

BINS = 70


def draw_agreement(
    agreement: Mapping[Window, Mapping[str, Agreement]], depth: Sequence[str], path: Path
) -> Path:
    """Write one row per window, one column per population; ``depth`` are all names in order."""
    windows = sorted(agreement, key=lambda window: window.steps)
    names = list(agreement[windows[0]])
    figure = style.new_figure(2.6 * len(names) + 1, 2.6 * len(windows) + 0.6, square=True)
    grid = figure.subplots(len(windows), len(names), squeeze=False)
    image: Any = None
    for column, name in enumerate(names):
        limits = _limits([agreement[window][name] for window in windows])
        for row, window in enumerate(windows):
            axes = grid[row, column]
            image = _panel(axes, agreement[window][name], limits)
            if row == 0:
                axes.set_title(style.title_of(depth.index(name), depth), fontsize=10)
            if row == len(windows) - 1:
                axes.set_xlabel('analog activation, normalised')
            if column == 0:
                axes.set_ylabel(f'{_window_text(window)}\n\nspike rate')
    figure.colorbar(image, ax=grid, label='neurons in the sample', shrink=0.7, pad=0.01)
    return style.save(figure, path)


def _panel(axes: Axes, found: Agreement, limits: tuple[float, float]) -> Any:
    style.tidy(axes)
    counts, x_edges, y_edges = np.histogram2d(
        found.activations, found.rates, bins=BINS, range=(limits, limits)
    )
    image = axes.pcolormesh(
        x_edges,
        y_edges,
        np.ma.masked_equal(counts.T, 0),
        norm=LogNorm(1, 3000),
        cmap='cividis_r',
        rasterized=True,
    )
    axes.plot(limits, limits, color=style.VERMILION, linewidth=1, linestyle='--')
    axes.set(xlim=limits, ylim=limits, aspect='equal')
    axes.text(
        0.04,
        0.96,
        f'r = {found.correlation:.3f}\nRMSE = {found.rmse:.3f}',
        transform=axes.transAxes,
        va='top',
        fontsize=10,
        bbox={'facecolor': 'white', 'alpha': 0.85, 'edgecolor': 'none'},
    )
    return image


def _limits(found: list[Agreement]) -> tuple[float, float]:
    """Return common limits that hold nearly all points, and at least the rates' own range."""
    values = np.concatenate([part for item in found for part in (item.activations, item.rates)])
    low, high = np.percentile(values, [0.05, 99.95])
    margin = 0.05 * max(high - low, 1e-3)
    return float(low - margin), float(high + margin)


def _window_text(window: Window) -> str:
    return f'{window.steps} steps' + (
        f', first {window.transient} ignored' if window.transient else ''
    )
