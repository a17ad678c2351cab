"""The error of every layer in several conversions side by side: what each option removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from spiking_retina_ros.evaluation.error_profile import PARTS, LayerError
from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.evaluation.figures.error_profile import COLOURS, LEAST, MEANINGS

COLUMNS = 3
SYSTEMATIC = 'what is wrong everywhere in a channel'


def draw_profile_grid(
    profiles: Mapping[str, Sequence[LayerError]],
    titles: Mapping[str, str],
    path: Path,
    *,
    base: str,
    steps: int,
) -> Path:
    """
    Write one panel per conversion: its error and the parts of it, beside the one named ``base``.

    Layers stand where the conversion with most of them has them; what is fused leaves a gap that
    the line bridges.
    """
    names = [layer.name for layer in max(profiles.values(), key=len)]
    place = {name: number for number, name in enumerate(names)}
    columns = min(COLUMNS, len(profiles))
    rows = -(-len(profiles) // columns)
    figure = style.new_figure(5 * columns, 3 * rows + 1)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for axes, (name, profile) in zip(panels, profiles.items(), strict=False):
        style.tidy(axes)
        _draw_panel(axes, profile, place)
        if base in profiles and name != base:
            _draw_base(axes, profiles[base], place, titles.get(base, base))
        axes.set_title(titles.get(name, name), fontsize=10, pad=16)
        style.mark_sections(axes, names, shade=False)
    for axes in panels[len(profiles) :]:
        axes.set_visible(False)
    _label(figure, panels, profiles, steps, columns)
    return style.save(figure, path)


def _draw_panel(axes: style.Axes, profile: Sequence[LayerError], place: Mapping[str, int]) -> None:
    layers = [layer for layer in profile if layer.name in place]
    depth = [place[layer.name] for layer in layers]
    for part in PARTS:
        values = np.array([layer.relative[part] for layer in layers])
        values[values < LEAST] = np.nan
        axes.plot(depth, values, color=COLOURS[part], linewidth=1, label=MEANINGS[part])
    systematic = [layer.systematic for layer in layers]
    axes.plot(depth, systematic, color=style.GREEN, linewidth=1.5, label=SYSTEMATIC)
    total = [layer.relative['total'] for layer in layers]
    axes.plot(depth, total, color=style.BLACK, linewidth=2, label='all together')


def _draw_base(
    axes: style.Axes, profile: Sequence[LayerError], place: Mapping[str, int], title: str
) -> None:
    """Draw what the options of a panel changed: the base's two sums, dashed."""
    layers = [layer for layer in profile if layer.name in place]
    depth = [place[layer.name] for layer in layers]
    for values, colour, label in (
        ([layer.systematic for layer in layers], style.GREEN, SYSTEMATIC),
        ([layer.relative['total'] for layer in layers], style.GREY, 'all together'),
    ):
        axes.plot(
            depth, values, color=colour, linewidth=1.5, dashes=(2, 1.5), label=f'{label}; {title}'
        )


def _label(
    figure: style.Figure,
    panels: np.ndarray,
    profiles: Mapping[str, Sequence[LayerError]],
    steps: int,
    columns: int,
) -> None:
    largest = max(layer.relative['total'] for profile in profiles.values() for layer in profile)
    panels[0].set_yscale('log')
    panels[0].set_ylim(max(largest * 1e-3, LEAST), largest * 1.5)
    style.plain_numbers(panels[0].yaxis)
    for axes in panels[::columns]:
        axes.set_ylabel('relative error')
    # only the other panels have the base's line
    handles, labels = max(
        (axes.get_legend_handles_labels() for axes in panels), key=lambda found: len(found[0])
    )
    figure.legend(handles, labels, loc='outside lower center', ncols=2, fontsize=9, frameon=False)
    figure.suptitle(
        f'Error of every layer after {steps} steps, in order of depth '
        '(RMS / spread of the activations)',
        fontsize=11,
    )
