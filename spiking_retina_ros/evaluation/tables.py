"""An evaluation as tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from spiking_retina_ros.evaluation.precision import SIZES
from spiking_retina_ros.evaluation.results import (
    STAGES,
    Evaluation,
    Scored,
    SubjectScore,
    WindowScore,
)
from spiking_retina_ros.spiking.network import Window

# More classes than this get a table of their own.
CLASSES_IN_TABLE = 4
# Where output goes to a file there is no terminal to wrap for.
WIDTH_WITHOUT_TERMINAL = 160
NOTHING = '-'


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the table, and where there are several models the table of record of their losses."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    whole = evaluation_table(evaluation)
    if Measurement.get(console, console.options, whole).maximum < console.width:
        console.print(whole)
    else:
        # a narrow terminal gets the columns in two tables rather than squeezed beyond reading
        for part in ('accuracy', 'cost'):
            console.print(evaluation_table(evaluation, parts=(part,)))
    console.print(_legend(evaluation), highlight=False)
    if len(evaluation.class_names) > CLASSES_IN_TABLE:
        console.print(class_table(evaluation))
    if len(evaluation.subjects) > 1:
        console.print(
            f'Loss against the analog network, points of mAP@0.5, by simulated steps; '
            f'{evaluation.images} images, engine {evaluation.engine}, {evaluation.machine}:',
            highlight=False,
        )
        console.print(loss_table(evaluation))
    for problem in evaluation.problems:
        console.print(f'skipped: {problem}', markup=False, highlight=False)


def evaluation_table(
    evaluation: Evaluation, *, parts: Sequence[str] = ('accuracy', 'cost')
) -> Table:
    """Return one row per network and window, with the columns of accuracy, of cost, or of both."""
    shown = evaluation.class_names if len(evaluation.class_names) <= CLASSES_IN_TABLE else ()
    columns = {
        'accuracy': [
            'mAP\n@0.5',
            'mAP\n@[.5:.95]',
            'loss',
            '95 %\ninterval',
            *(f'{name}\nAP / recall' for name in shown),
            'by size\nS / M / L',
        ],
        'cost': ['rate', 'spikes\nper frame', 'synaptic ops\nper frame', 'per\nMAC', 'ms'],
    }
    limited = evaluation.images < evaluation.available
    count = f'{evaluation.images} of {evaluation.available}' if limited else f'{evaluation.images}'
    table = Table(
        title=f'{evaluation.data.name}: {count} images',
        box=box.SIMPLE_HEAD,
        padding=(0, 0),
        pad_edge=False,
    )
    table.add_column('network', no_wrap=True)
    for heading in ('steps', 'tran-\nsient', *(item for part in parts for item in columns[part])):
        table.add_column(heading, justify='right', no_wrap=True)

    def add(name: str, window: Window | None, accuracy: list[str], cost: list[str]) -> None:
        times = [NOTHING] * 2 if window is None else [str(window.steps), str(window.transient)]
        cells = {'accuracy': accuracy, 'cost': cost}
        table.add_row(name, *times, *(cell for part in parts for cell in cells[part]))

    nothing = [NOTHING] * len(columns['cost'])
    add('analog', None, _accuracy(evaluation.analog, shown, is_analog=True), nothing)
    for subject in evaluation.subjects:
        table.add_section()
        table.add_row(f'[bold]{escape(subject.name)}')
        for key, scored in subject.stages.items():
            add(f'  {STAGES[key]}', None, _accuracy(scored, shown), nothing)
        for score in subject.windows:
            accuracy = _accuracy(score.scored, shown)
            add('  spiking', score.window, accuracy, _cost(score, subject))
    return table


def _legend(evaluation: Evaluation) -> str:
    text = (
        'Per cent. Loss: points of mAP@0.5 below the analog network, with its 95 % interval by '
        'paired bootstrap over images. AP and recall of a class, and AP by size (below 32x32, to '
        '96x96 and above, pixels of the image), at IoU 0.5.'
    )
    if evaluation.timing_images:
        text += (
            f' ms: median of {evaluation.timing_images} frames run for that window alone, engine '
            f'{evaluation.engine}, {evaluation.machine}.'
        )
    return text


def class_table(evaluation: Evaluation) -> Table:
    """Return AP at IoU 0.5 and recall, one row per class, one column per network."""
    table = Table(title='AP / recall per class at IoU 0.5, per cent')
    networks: list[tuple[str, Scored]] = [('analog', evaluation.analog)]
    for subject in evaluation.subjects:
        networks += [
            (f'{subject.name}\n{score.window.steps} steps', score.scored)
            for score in subject.windows
        ]
    table.add_column('class')
    table.add_column('objects', justify='right')
    for heading, _ in networks:
        table.add_column(heading, justify='right')
    for name in evaluation.class_names:
        objects = evaluation.analog.precision.per_class[name].objects
        cells = [_class_cell(scored, name) for _, scored in networks]
        table.add_row(name, str(objects), *cells)
    return table


def loss_table(evaluation: Evaluation) -> Table:
    """
    Return the losses, rows are models and columns steps; '-' where not asked for.

    The costs beside them are those of each model's longest window.
    """
    steps = sorted({s.window.steps for subject in evaluation.subjects for s in subject.windows})
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column('model')
    for number in steps:
        table.add_column(str(number), justify='right')
    for heading in ('rate', 'synaptic ops\nper MAC', 'ms', 'at\nsteps'):
        table.add_column(heading, justify='right')
    for subject in evaluation.subjects:
        by_steps = {score.window.steps: score for score in subject.windows}
        longest = by_steps[max(by_steps)]
        table.add_row(
            subject.name,
            *(
                f'{by_steps[number].scored.loss_points:.1f}' if number in by_steps else NOTHING
                for number in steps
            ),
            f'{longest.rate:.3f}',
            f'{longest.synaptic_operations / subject.analog_macs:.2f}',
            _milliseconds(longest),
            str(longest.window.steps),
        )
    return table


def _milliseconds(score: WindowScore) -> str:
    return NOTHING if score.milliseconds is None else f'{score.milliseconds:.0f}'


def per_cent(value: float, digits: int = 1) -> str:
    """Return a share as per cent, or '-' where it is not defined."""
    return NOTHING if math.isnan(value) else f'{100 * value:.{digits}f}'


def short_count(value: float) -> str:
    """Return a count in thousands, millions or thousand millions."""
    for limit, unit in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if value >= limit:
            return f'{value / limit:.3g} {unit}'
    return f'{value:.0f}'


def _accuracy(scored: Scored, class_names: Sequence[str], *, is_analog: bool = False) -> list[str]:
    precision = scored.precision
    cells = [per_cent(precision.map50), per_cent(precision.map)]
    if is_analog or math.isnan(scored.loss_points):
        cells += [NOTHING, NOTHING]
    else:
        low, high = scored.loss_interval
        cells += [f'{scored.loss_points:.1f}', f'{low:.1f} .. {high:.1f}']
    cells += [_class_cell(scored, name) for name in class_names]
    cells.append(' / '.join(per_cent(precision.map50_by_size[size], 0) for size in SIZES))
    return cells


def _class_cell(scored: Scored, name: str) -> str:
    figures = scored.precision.per_class[name]
    return f'{per_cent(figures.ap50)} / {per_cent(figures.recall, 0)}'


def _cost(score: WindowScore, subject: SubjectScore) -> list[str]:
    return [
        f'{score.rate:.3f}',
        short_count(score.spikes),
        short_count(score.synaptic_operations),
        f'{score.synaptic_operations / subject.analog_macs:.2f}',
        _milliseconds(score),
    ]
