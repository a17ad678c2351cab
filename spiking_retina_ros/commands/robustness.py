"""
``robustness``: one network under haze, glare, blur, noise, spray, dusk, scale and waves.

``--json`` writes ``model``, ``data``, ``seed``, ``problems`` and ``conditions``, a list of
``name``, ``strength``, ``images``, ``milliseconds`` and ``precision`` (``map50``,
``map50_by_size``, ``recall_by_size``, ``per_class`` and more).
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from spiking_retina_ros.arguments.detector import (
    add_model_arguments,
    add_strip_arguments,
    detector_from,
)
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.evaluate import evenly_spaced
from spiking_retina_ros.evaluation.export import write_json
from spiking_retina_ros.evaluation.precision import SIZES
from spiking_retina_ros.evaluation.robustness import ConditionScore, score_photographs, score_seas
from spiking_retina_ros.evaluation.tables import per_cent

SUMMARY = 'score a network under haze, glare, blur, spray, dusk, scale and waves'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('model', type=Path, help='checkpoint of train or model file of convert')
    parser.add_argument('--data', type=Path, required=True, help='COCO json of photographs')
    parser.add_argument('--limit', type=int, help='only so many of them, evenly spaced')
    parser.add_argument('--sea', type=int, default=0, help='synthetic frames per state of the sea')
    parser.add_argument('--seed', type=int, default=0, help='of what is random about a condition')
    add_model_arguments(parser)
    add_strip_arguments(parser)
    parser.add_argument('--json', type=Path, help='file to write everything to')


def run(arguments: argparse.Namespace) -> int:
    """Score, print the table; exit status 1 if anything of the set had to be left out."""
    if arguments.sea < 0:
        raise UserError(f'--sea: expected 0 or more frames, found {arguments.sea}')
    detector = detector_from(arguments)
    images = read_coco(arguments.data, detector.class_names)
    chosen = evenly_spaced(images.images, arguments.limit)
    scores, unreadable = score_photographs(detector, chosen, seed=arguments.seed)
    if arguments.sea:
        scores += score_seas(detector, arguments.sea, seed=arguments.seed)
    problems = [*images.problems.lines(), *unreadable]
    _print(scores, detector.class_names, f'{arguments.model.name}, {arguments.data.name}')
    for problem in problems:
        print(f'skipped: {problem}')
    if arguments.json is not None:
        content = {
            'model': arguments.model.name,
            'data': arguments.data.name,
            'seed': arguments.seed,
            'problems': problems,
            'conditions': [dataclasses.asdict(score) for score in scores],
        }
        write_json(arguments.json, content)
    return 1 if problems else 0


def _print(scores: Sequence[ConditionScore], class_names: Sequence[str], title: str) -> None:
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column('condition', no_wrap=True)
    table.add_column('strength')
    for column in ('images', 'mAP@0.5', *class_names, *SIZES, 'small, recall', 'ms'):
        table.add_column(column, justify='right')
    for score in scores:
        precision = score.precision
        table.add_row(
            score.name,
            score.strength,
            str(score.images),
            per_cent(precision.map50),
            *(per_cent(precision.per_class[name].ap50) for name in class_names),
            *(per_cent(precision.map50_by_size[size]) for size in SIZES),
            per_cent(precision.recall_by_size['small']),
            f'{score.milliseconds:.0f}',
        )
    console = Console()
    console = console if console.is_terminal else Console(width=140)
    console.print(table)
    console.print(
        'AP at IoU 0.5, per cent; sizes: below 32x32, to 96x96 and above, pixels of the picture; '
        'ms: median from picture to boxes.',
        highlight=False,
    )
