"""The table of record: what each way to convert loses at how many steps, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.table import Table

from spiking_retina_ros.evaluation.results import Evaluation, SubjectScore
from spiking_retina_ros.evaluation.window_choice import shortest_within

# The costs in the table are those of the first window from which on no more points are lost.
ALLOWED_POINTS = 1.0
NOTHING = '-'


def record_cells(
    evaluation: Evaluation, titles: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    """Return headings and one list of cells per subject, whose name ``titles`` puts in words."""
    steps = sorted({score.window.steps for item in evaluation.subjects for score in item.windows})
    headings = [
        'network',
        *map(str, steps),
        f'within {ALLOWED_POINTS:g}',
        'rate',
        'ops per MAC',
        'ms',
        'at steps',
    ]
    return headings, [_cells(subject, steps, titles) for subject in evaluation.subjects]


def record_table(evaluation: Evaluation, titles: Mapping[str, str]) -> Table:
    """Return the table for people; ``record_caption`` says what is in it."""
    headings, rows = record_cells(evaluation, titles)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify='right' if number else 'left', no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def record_caption(evaluation: Evaluation) -> str:
    """Say on what and against what the table was measured, and what its columns mean."""
    limited = evaluation.images < evaluation.available
    count = f'{evaluation.images} of {evaluation.available}' if limited else f'{evaluation.images}'
    text = (
        f'Loss in points of mAP@0.5 by simulated steps, against the analog network '
        f'({100 * evaluation.analog.precision.map50:.1f}), on {count} images of '
        f'{evaluation.data.name}. Within {ALLOWED_POINTS:g}: the steps from which on no more '
        'points are lost. Rate (spikes per neuron and step), synaptic operations per frame and '
        'analog multiply-accumulate, and time per frame are those of that window, or where there '
        'is none of the longest.'
    )
    if evaluation.timing_images:
        text += (
            f' ms: median of {evaluation.timing_images} frames, engine {evaluation.engine}, '
            f'{evaluation.machine}.'
        )
    return text


def write_markdown(path: Path, evaluation: Evaluation, titles: Mapping[str, str]) -> None:
    """Write caption and table as markdown."""
    headings, rows = record_cells(evaluation, titles)
    lines = [record_caption(evaluation), '']
    for cells in (headings, ['---'] * len(headings), *rows):
        lines.append(f'| {" | ".join(cells)} |')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n')


def _cells(subject: SubjectScore, steps: list[int], titles: Mapping[str, str]) -> list[str]:
    losses = {score.window.steps: score.scored.loss_points for score in subject.windows}
    found = shortest_within(subject.windows, ALLOWED_POINTS)
    shown = found or max(subject.windows, key=lambda score: score.window.steps)
    time = shown.milliseconds
    return [
        titles.get(subject.name, subject.name),
        *(f'{losses[number]:.1f}' if number in losses else NOTHING for number in steps),
        NOTHING if found is None else str(found.window.steps),
        f'{shown.rate:.3f}',
        f'{shown.synaptic_operations / subject.analog_macs:.2f}',
        NOTHING if time is None else f'{time:.0f}',
        str(shown.window.steps),
    ]
