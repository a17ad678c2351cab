"""The output error by the transient that is ignored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spiking_retina_ros.evaluation.figures import style
from spiking_retina_ros.evaluation.transient import TransientSearch

COLOURS = (style.SKY, style.BLUE, style.GREEN, style.ORANGE, style.VERMILION, style.PURPLE)


def draw_transients(searches: Sequence[TransientSearch], path: Path) -> Path:
    """Write one curve per window length, its least error marked."""
    figure = style.new_figure(8, 4.8)
    axes = style.tidy(figure.subplots())
    for search, colour in zip(searches, COLOURS, strict=False):
        axes.plot(
            search.candidates,
            search.errors,
            color=colour,
            marker='.',
            label=f'{search.steps} steps: best after {search.best}',
        )
        axes.plot(search.best, min(search.errors), color=colour, marker='*', markersize=15)
    longest = max(search.candidates[-1] for search in searches)
    estimated = searches[0].estimated
    if estimated <= 1.1 * longest:
        axes.axvline(estimated, color=style.GREY, dashes=(4, 2), label=f'fill times: {estimated}')
    else:
        axes.plot(
            [], [], color=style.GREY, dashes=(4, 2), label=f'fill times: {estimated} (beyond)'
        )
    axes.set_yscale('log')
    style.plain_numbers(axes.yaxis)
    axes.set_xlabel('transient: first steps of the window that are ignored')
    axes.set_ylabel('output error, relative\n(RMS / spread of the analog outputs)')
    axes.legend(fontsize=9, framealpha=0.95)
    return style.save(figure, path)
