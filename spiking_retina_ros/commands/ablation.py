"""
``ablation``: the table of record. One network converted in several ways, at several windows.

Every answer is kept in the cache, so that an interrupted run goes on where it was and a row that
was measured before costs only its conversion. ``--json`` writes what ``evaluate --json`` does, a
model per row, and ``profiles``: by row the errors of every layer.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from spiking_retina_ros.arguments.analog import (
    add_network_arguments,
    calibration_cache,
    calibration_images,
    load_checkpoint,
)
from spiking_retina_ros.arguments.evaluation import (
    add_set_arguments,
    cache_folder,
    read_finetuned,
    read_set,
    step_list,
)
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.datasets.images import ReadingProblems
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.ablation import (
    Material,
    evaluate_row,
    joined,
    profile_row,
    row_subjects,
)
from spiking_retina_ros.evaluation.ablation_rows import (
    BASE,
    Origin,
    Row,
    ablation_rows,
    choose_rows,
)
from spiking_retina_ros.evaluation.error_profile import LayerError
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions
from spiking_retina_ros.evaluation.export import evaluation_dict, plain, write_json
from spiking_retina_ros.evaluation.figures.loss_curves import draw_loss_curves
from spiking_retina_ros.evaluation.figures.profile_grid import draw_profile_grid
from spiking_retina_ros.evaluation.record_table import (
    record_caption,
    record_table,
    write_markdown,
)
from spiking_retina_ros.evaluation.results import Evaluation

SUMMARY = 'print the table of record: what each option of a conversion is worth'
STEPS = [4, 8, 16, 32, 64, 128, 256]
WIDTH_WITHOUT_TERMINAL = 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('checkpoint', type=Path, help='analog network, as for convert')
    parser.add_argument('--finetuned', type=Path, help='checkpoint fine-tuned for conversion')
    parser.add_argument(
        '--calibrated',
        type=Path,
        help='checkpoint of train --finetune-for-conversion --freeze-weights',
    )
    names = ', '.join(row.name for row in ablation_rows(keep_dead_channels=False))
    parser.add_argument('--rows', nargs='+', help=f'some of {names} (default: all)')
    parser.add_argument('--steps', type=step_list, default=STEPS, help='windows, like 4,8,16')
    parser.add_argument(
        '--max-steps',
        nargs='+',
        default=[],
        metavar='[ROW=]STEPS',
        help='leave out longer windows, of all rows or of one',
    )
    parser.add_argument('--timing-images', type=int, default=3, help='images for ms; 0: none')
    parser.add_argument('--json', type=Path, help='file to write everything to')
    parser.add_argument('--markdown', type=Path, help='file to write the table to')
    parser.add_argument('--figure', type=Path, help='PNG of the losses against the steps')
    parser.add_argument('--profile', type=Path, help='PNG of the error of every layer, by row')
    parser.add_argument('--profile-steps', type=int, default=16, help='the window it is taken at')
    parser.add_argument('--profile-images', type=int, default=2, help='images for it')
    add_network_arguments(parser)
    add_set_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Examine row by row, then print and draw; exit status 1 if images had to be left out."""
    rows = ablation_rows(keep_dead_channels=arguments.keep_dead_channels)
    trained = _trained(arguments)
    rows = choose_rows(rows, arguments.rows, {'analog', *trained})
    steps = {
        row.name: row_steps(row.name, arguments.steps, arguments.max_steps, rows) for row in rows
    }
    for row in rows:
        if arguments.profile is not None and arguments.profile_steps not in steps[row.name]:
            raise UserError(
                f'--profile-steps {arguments.profile_steps} is none of the windows of row '
                f'{row.name!r}, {steps[row.name]}; choose one that all rows have'
            )
    problems = ReadingProblems()
    material = _material(arguments, trained, problems)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    titles = {row.name: row.title for row in rows}
    evaluations: list[Evaluation] = []
    profiles: dict[str, Sequence[LayerError]] = {}
    for number, row in enumerate(rows, start=1):
        console.print(f'row {number} of {len(rows)}: {row.name}', highlight=False)
        evaluation = _examine(row, steps[row.name], material, arguments, profiles)
        evaluations.append(evaluation)
        console.print(record_table(evaluation, titles))
    whole = joined(evaluations)
    console.print(record_table(whole, titles))
    console.print(record_caption(whole), highlight=False)
    skipped = [*problems.reasons, *whole.problems]
    for problem in skipped:
        console.print(f'skipped: {problem}', markup=False, highlight=False)
    _write(arguments, whole, titles, profiles)
    return 1 if skipped else 0


def row_steps(
    name: str, steps: Sequence[int], limits: Sequence[str], rows: Sequence[Row]
) -> list[int]:
    """Return the windows of a row; raises UserError for a limit that leaves none, or is none."""
    most = max(steps)
    for limit in limits:
        row, _, number = limit.rpartition('=')
        if row and row not in [item.name for item in rows]:
            raise UserError(f'--max-steps {limit}: no row {row!r} is asked for')
        if not number.isdigit():
            raise UserError(f'--max-steps {limit}: expected STEPS or ROW=STEPS')
        if row in ('', name):
            most = min(most, int(number))
    if kept := [number for number in steps if 0 < number <= most]:
        return kept
    raise UserError(f'row {name!r}: none of the windows {list(steps)} has at most {most} steps')


def _trained(arguments: argparse.Namespace) -> dict[Origin, FineTuned]:
    """Read the checkpoints that were given."""
    found: dict[Origin, FineTuned | None] = {
        'calibrated': read_finetuned(arguments.calibrated),
        'finetuned': read_finetuned(arguments.finetuned),
    }
    return {origin: checkpoint for origin, checkpoint in found.items() if checkpoint is not None}


def _material(
    arguments: argparse.Namespace,
    trained: Mapping[Origin, FineTuned],
    problems: ReadingProblems,
) -> Material:
    analog = load_checkpoint(
        arguments.checkpoint, class_names=arguments.class_names, input_size=arguments.input_size
    )
    return Material(
        analog.eval(),
        trained,
        calibration_images(arguments, problems),
        read_set(arguments, analog.config.class_names),
        calibration_cache(arguments),
    )


def _examine(
    row: Row,
    steps: Sequence[int],
    material: Material,
    arguments: argparse.Namespace,
    profiles: dict[str, Sequence[LayerError]],
) -> Evaluation:
    options = EvaluationOptions(
        threads=arguments.threads,
        limit=arguments.limit,
        cache=cache_folder(arguments),
        timing_images=arguments.timing_images,
        stages=False,
    )
    subjects = row_subjects(row, material, steps, options)
    evaluation = evaluate_row(subjects, material, options)
    if arguments.profile is not None:
        pictures = material.calibration[: arguments.profile_images]
        profiles[row.name] = profile_row(
            row, subjects, material, pictures, steps=arguments.profile_steps
        )
    return evaluation


def _write(
    arguments: argparse.Namespace,
    evaluation: Evaluation,
    titles: dict[str, str],
    profiles: dict[str, Sequence[LayerError]],
) -> None:
    if arguments.json is not None:
        layers = {name: [asdict(layer) for layer in found] for name, found in profiles.items()}
        write_json(arguments.json, evaluation_dict(evaluation) | {'profiles': plain(layers)})
    if arguments.markdown is not None:
        write_markdown(arguments.markdown, evaluation, titles)
    if arguments.figure is not None:
        draw_loss_curves(evaluation, titles, arguments.figure)
    if arguments.profile is not None:
        draw_profile_grid(
            profiles, titles, arguments.profile, base=BASE, steps=arguments.profile_steps
        )
