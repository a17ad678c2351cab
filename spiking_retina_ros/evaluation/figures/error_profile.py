"""Where the error comes from, layer by layer, in order of depth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spiking_retina_ros.evaluation.error_profile import PARTS, LayerError
from spiking_retina_ros.evaluation.figures import style

LEAST = 1e-4
COLOURS = {
    'saturation': style.VERMILION,
    'input': style.SKY,
    'rounding': style.PURPLE,
    'sampling': style.ORANGE,
}
MEANINGS = {
    'saturation': 'saturation: the activation lies beyond what a rate can say',
    'input': 'input: the layers before told it something wrong',
    'rounding': 'rounding: narrow weights',
    'sampling': 'sampling: the finite window',
}


def draw_error_profile(profile: Sequence[LayerError], path: Path) -> Path:
    """Write the relative error of every layer with its parts, and the parts' shares below."""
    figure = style.new_figure(12, 7)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    depth = np.arange(len(profile))
    names = [layer.name for layer in profile]
    for axes in (style.tidy(top), style.tidy(bottom)):
        axes.set_xlim(-0.5, len(profile) - 0.5)
    style.mark_sections(top, names)
    total = np.array([layer.relative['total'] for layer in profile])
    top.plot(depth, total, color=style.BLACK, linewidth=2.2, label='all together')
    largest = float(total.max())
    for part in PARTS:
        values = np.array([layer.relative[part] for layer in profile])
        largest = max(largest, float(values.max()))
        # a part that a layer cannot have, such as the sampling of a current, leaves a gap
        values[values < LEAST] = np.nan
        top.plot(
            depth,
            values,
            color=COLOURS[part],
            marker='o',
            markersize=2.5,
            linewidth=1.2,
            label=MEANINGS[part],
        )
    top.set_yscale('log')
    top.set_ylim(max(largest * 1e-3, LEAST), largest * 1.5)
    style.plain_numbers(top.yaxis)
    top.set_ylabel('error, relative\n(RMS / spread of the activations)')
    figure.legend(loc='outside lower center', ncols=2, fontsize=9, frameon=False)
    _draw_shares(bottom, depth, profile)
    bottom.set_xlabel('populations in order of depth')
    return style.save(figure, path)


def _draw_shares(axes: style.Axes, depth: np.ndarray, profile: Sequence[LayerError]) -> None:
    """Stack what each part has of the squared error; what cancels others hangs below zero."""
    above, below = np.zeros(len(profile)), np.zeros(len(profile))
    for part in PARTS:
        share = 100 * np.array([layer.share[part] for layer in profile])
        base = np.where(share >= 0, above, below)
        axes.bar(depth, share, bottom=base, width=1.0, color=COLOURS[part])
        above, below = above + np.maximum(share, 0), below + np.minimum(share, 0)
    axes.axhline(100, color=style.GREY, linewidth=0.8)
    axes.set_ylim(max(float(below.min()) * 1.05, -60), min(float(above.max()) * 1.05, 160))
    axes.set_ylabel('share of the squared\nerror, per cent')
