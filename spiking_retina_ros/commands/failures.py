"""
``failures``: what a network gets wrong on a set, in two tables and two sheets of pictures.

Writes ``false_positives.png``, ``misses.png`` and ``failures.json`` (``hits``, and per failure
``image``, ``class_name``, ``box``, ``score``, ``size`` and ``reason``).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from spiking_retina_ros.arguments.detector import (
    add_model_arguments,
    add_strip_arguments,
    detector_from,
)
from spiking_retina_ros.datasets.coco import CocoImage, read_coco, read_image
from spiking_retina_ros.detector import SCORE_THRESHOLD
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.answers import Answer
from spiking_retina_ros.evaluation.evaluate import evenly_spaced
from spiking_retina_ros.evaluation.export import write_json
from spiking_retina_ros.evaluation.failures import (
    FALSE_POSITIVE_REASONS,
    MISS_REASONS,
    Failure,
    Reason,
    find_failures,
)
from spiking_retina_ros.evaluation.figures.contact_sheet import draw_contact_sheet
from spiking_retina_ros.evaluation.precision import SIZES

SUMMARY = 'show the worst false positives and misses of a network'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('model', type=Path, help='checkpoint of train or model file of convert')
    parser.add_argument('--data', type=Path, required=True, help='COCO json')
    parser.add_argument('--output', type=Path, required=True, help='folder for the sheets')
    parser.add_argument('--limit', type=int, help='only so many images, evenly spaced')
    parser.add_argument('--count', type=int, default=30, help='failures on a sheet')
    parser.add_argument(
        '--score-threshold', type=float, default=SCORE_THRESHOLD, help='of the boxes shown'
    )
    add_model_arguments(parser)
    add_strip_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Find, count and draw failures; exit status 1 if anything of the set had to be left out."""
    detector = detector_from(arguments)
    images = read_coco(arguments.data, detector.class_names)
    answered: list[tuple[CocoImage, Answer]] = []
    unreadable = []
    for image in tqdm(evenly_spaced(images.images, arguments.limit), unit='image'):
        pixels = read_image(image.path)
        if pixels is None:
            unreadable.append(f'{image.path}: does not decode')
        else:
            answered.append((image, detector.answer(pixels)))
    if not answered:
        raise UserError(f'{arguments.data}: none of its images can be decoded')
    found = find_failures(answered, score_threshold=arguments.score_threshold)
    names = detector.class_names
    where = f'{arguments.model.name}, {len(answered)} images of {arguments.data.name}'
    shown = f'scores of {arguments.score_threshold} and above'
    console = Console()
    console.print(f'{where}: {found.hits} boxes right, {shown}', highlight=False)
    console.print(_table('false positives', found.false_positives, names, FALSE_POSITIVE_REASONS))
    console.print(_table('misses', found.misses, names, MISS_REASONS))
    for line in _crowded(found.misses, names):
        print(line)
    for title, failures, order in (
        ('false positives', found.false_positives, 'surest first'),
        ('misses', found.misses, 'largest first'),
    ):
        path = arguments.output / f'{title.replace(" ", "_")}.png'
        heading = f'{title} of {where}, {order}, {shown}'
        draw_contact_sheet(failures[: arguments.count], names, heading, path)
        print(f'{title}: {path}')
    content = {
        'hits': found.hits,
        'false_positives': [_plain(item, names) for item in found.false_positives],
        'misses': [_plain(item, names) for item in found.misses],
    }
    write_json(arguments.output / 'failures.json', content)
    problems = [*images.problems.lines(), *unreadable]
    for problem in problems:
        print(f'skipped: {problem}')
    return 1 if problems else 0


def _table(
    title: str, failures: Sequence[Failure], names: Sequence[str], reasons: Sequence[Reason]
) -> Table:
    table = Table(title=f'{len(failures)} {title}', box=box.SIMPLE_HEAD, title_justify='left')
    table.add_column('class')
    table.add_column('size')
    for reason in (*reasons, 'all'):
        table.add_column(str(reason), justify='right')
    for label, name in enumerate(names):
        for size in SIZES:
            chosen = [item for item in failures if (item.label, item.size) == (label, size)]
            counts = Counter(item.reason for item in chosen)
            cells = [str(counts[reason]) for reason in reasons]
            table.add_row(name, size, *cells, str(len(chosen)))
    return table


def _crowded(misses: Sequence[Failure], names: Sequence[str]) -> list[str]:
    """Say for each class which image holds most of its misses: a single one can decide an AP."""
    lines = []
    for label, name in enumerate(names):
        counts = Counter(item.image.path.name for item in misses if item.label == label)
        for image, count in counts.most_common(1):
            lines.append(f'{name}: {count} of {counts.total()} misses are in {image}')
    return lines


def _plain(failure: Failure, names: Sequence[str]) -> dict[str, Any]:
    return {
        'image': failure.image.path.name,
        'class_name': names[failure.label],
        'box': list(failure.box),
        'score': failure.score,
        'size': failure.size,
        'reason': str(failure.reason),
    }
