"""mAP over simulated time beside the analog network's (Fig. 5 of arXiv 2106.05624)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.evaluation.results import STAGES, Evaluation, WindowScore
from spiking_retina_ros.spiking.network import Window

STAGE_DASHES = ((4, 2), (1, 1.5))


def draw_precision_curve(evaluation: Evaluation, recommended: Window, path: Path) -> Path:
    """Write the curve of the first subject, with and without skipping a transient."""
    subject = evaluation.subjects[0]
    series = split_by_transient(subject.windows)
    figure = style.new_figure(8, 5)
    axes = style.tidy(figure.subplots())
    analog = 100 * evaluation.analog.precision.map50
    axes.axhline(analog, color=style.BLACK, linewidth=1.8, label=f'analog: {analog:.1f}')
    for (key, scored), dashes in zip(subject.stages.items(), STAGE_DASHES, strict=False):
        value = 100 * scored.precision.map50
        label = f'{STAGES[key]}: {value:.1f}'
        axes.axhline(value, color=style.GREY, linewidth=1.2, dashes=dashes, label=label)
    looks = (('every step counts', style.VERMILION, 's'), ('transient skipped', style.BLUE, 'o'))
    for (label, colour, marker), scores in zip(looks, series, strict=True):
        if not scores:
            continue
        steps = [score.window.steps for score in scores]
        values = [100 * score.scored.precision.map50 for score in scores]
        losses = np.array([score.scored.loss_interval for score in scores])
        band = np.clip(analog - losses, 0, 100)
        axes.plot(steps, values, color=colour, marker=marker, linewidth=2, label=label)
        axes.fill_between(steps, band[:, 1], band[:, 0], color=colour, alpha=0.15)
    axes.axvline(recommended.steps, color=style.GREEN, linewidth=1, dashes=(2, 2))
    axes.text(
        recommended.steps,
        1.0,
        ' recommended',
        transform=axes.get_xaxis_transform(),
        va='top',
        color=style.GREEN,
        fontsize=9,
    )
    style.step_ticks(axes, [score.window.steps for score in subject.windows])
    axes.set_ylabel('mAP@0.5, per cent')
    axes.set_ylim(bottom=0)
    axes.legend(loc='lower right', framealpha=0.95)
    axes.set_title(
        f'{subject.name}: {evaluation.images} images of {evaluation.data.name}; '
        'bands: 95 % of the loss (paired bootstrap)',
        fontsize=10,
    )
    return style.save(figure, path)


def split_by_transient(
    windows: Sequence[WindowScore],
) -> tuple[list[WindowScore], list[WindowScore]]:
    """Return the windows in which every step counts, and those that skip a transient."""
    ordered = sorted(windows, key=lambda score: score.window.steps)
    return (
        [score for score in ordered if not score.window.transient],
        [score for score in ordered if score.window.transient],
    )
