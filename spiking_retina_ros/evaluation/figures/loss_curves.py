"""What each way to convert loses, against the simulated steps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.evaluation.record_table import ALLOWED_POINTS
from spiking_retina_ros.evaluation.results import Evaluation

COLOURS = (
    style.VERMILION,
    style.ORANGE,
    style.BLUE,
    style.SKY,
    style.GREEN,
    style.PURPLE,
    style.BLACK,
    style.GREY,
)
# a line's dashes change when the colours begin anew, its marker with every line
DASHES = ('-', '--', ':')
MARKERS = 'osv^D<>PX'
# Below this the axis is linear, so that no loss and a gain can be drawn as well.
LINEAR_POINTS = 1.0
TICKS = (-1, 0, 1, 2, 5, 10, 20, 50, 100)


def draw_loss_curves(evaluation: Evaluation, titles: Mapping[str, str], path: Path) -> Path:
    """Write one line per subject, whose name ``titles`` puts in words."""
    figure = style.new_figure(11, 6)
    axes = style.tidy(figure.subplots())
    markers = cycle(MARKERS)
    for number, subject in enumerate(evaluation.subjects):
        scores = sorted(subject.windows, key=lambda score: score.window.steps)
        axes.plot(
            [score.window.steps for score in scores],
            [score.scored.loss_points for score in scores],
            color=COLOURS[number % len(COLOURS)],
            linestyle=DASHES[number // len(COLOURS) % len(DASHES)],
            marker=next(markers),
            markersize=5,
            linewidth=1.8,
            label=titles.get(subject.name, subject.name),
        )
    axes.axhline(0, color=style.BLACK, linewidth=0.8)
    axes.axhspan(-ALLOWED_POINTS, ALLOWED_POINTS, color=style.GREEN, alpha=0.1)
    axes.set_yscale('symlog', linthresh=LINEAR_POINTS, linscale=0.5)
    axes.set_yticks(TICKS, minor=False)
    axes.yaxis.set_major_formatter(lambda value, _: f'{value:g}')
    style.step_ticks(
        axes, [score.window.steps for item in evaluation.subjects for score in item.windows]
    )
    axes.set_ylabel('loss, points of mAP@0.5')
    axes.set_title(
        f'{evaluation.images} images of {evaluation.data.name}; analog mAP@0.5 '
        f'{100 * evaluation.analog.precision.map50:.1f}; shaded: within {ALLOWED_POINTS:g} point',
        fontsize=10,
    )
    figure.legend(loc='outside right upper', fontsize=9, frameon=False)
    return style.save(figure, path)
