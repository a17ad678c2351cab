"""
``backbones``: analog networks and their spiking copies in one table, to choose a backbone by.

``--json`` writes ``steps``, ``schedule``, ``images``, ``machine`` and ``backbones``, a list with
the fields of ``BackboneFigures``; ``analog`` and ``spiking`` hold precision and loss.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from spiking_retina_ros.arguments.analog import load_checkpoint
from spiking_retina_ros.arguments.evaluation import cache_folder, model_names
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.datasets.images import (
    ReadingProblems,
    find_images,
    read_images,
    sample_images,
)
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.backbones import (
    BackboneFigures,
    BackboneOptions,
    measure_backbone,
)
from spiking_retina_ros.evaluation.cache import default_cache
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions
from spiking_retina_ros.evaluation.export import write_json
from spiking_retina_ros.evaluation.machine import describe_machine
from spiking_retina_ros.evaluation.tables import per_cent, short_count
from spiking_retina_ros.spiking.network import Window

SUMMARY = 'compare backbones, analog and spiking, in one table'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('checkpoints', nargs='+', type=Path, help='analog networks')
    parser.add_argument('--data', type=Path, required=True, help='COCO json to score on')
    parser.add_argument(
        '--images', nargs='+', required=True, help='calibration images or COCO json (training data)'
    )
    parser.add_argument('--image-count', type=int, default=64, help='calibration images to use')
    parser.add_argument('--steps', type=int, default=32, help='simulated steps')
    parser.add_argument('--schedule', choices=('concurrent', 'phased'), default='phased')
    parser.add_argument('--engine', default='event', help='reference, dense or event')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--rounds', type=int, default=9, help='frames to time; 0: none')
    parser.add_argument('--limit', type=int, help='score only so many images, evenly spaced')
    parser.add_argument('--seed', type=int, default=0, help='of calibration images and bootstrap')
    parser.add_argument(
        '--cache', type=Path, default=default_cache(), help='folder for results per image'
    )
    parser.add_argument('--no-cache', action='store_true', help='neither use nor fill the cache')
    parser.add_argument('--json', type=Path, help='file to write everything to')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table; exit status 1 if a calibration image could not be read."""
    if arguments.steps < 1 or arguments.rounds < 0:
        raise UserError(
            f'expected --steps of at least 1 and --rounds of at least 0, '
            f'found {arguments.steps} and {arguments.rounds}'
        )
    problems = ReadingProblems()
    paths = sample_images(find_images(arguments.images), arguments.image_count, seed=arguments.seed)
    calibration = [image for _, image in read_images(paths, problems)]
    for reason in problems.reasons:
        print(f'skipped: {reason}')
    options = BackboneOptions(
        # signed spikes where a linear layer needs them, as in the shipped network
        ConversionOptions.fast(keep_dead_channels=True, signed_spikes='linear'),
        Window(arguments.steps, 0, arguments.schedule),
        EvaluationOptions(
            engine=arguments.engine,
            threads=arguments.threads,
            limit=arguments.limit,
            cache=cache_folder(arguments),
            timing_images=0,
            seed=arguments.seed,
        ),
        arguments.threads,
        arguments.rounds,
    )
    rows = []
    for name, path in zip(model_names(arguments.checkpoints), arguments.checkpoints, strict=True):
        analog = load_checkpoint(path, class_names=None, input_size=None)
        images = read_coco(arguments.data, analog.config.class_names)
        rows.append(measure_backbone(name, analog, calibration, images, options))
    _print(rows, options)
    if arguments.json is not None:
        content = {
            'steps': arguments.steps,
            'schedule': arguments.schedule,
            'images': arguments.limit or len(images),
            'machine': describe_machine(),
            'backbones': [dataclasses.asdict(row) for row in rows],
        }
        write_json(arguments.json, content)
    return 1 if problems.reasons else 0


def _print(rows: Sequence[BackboneFigures], options: BackboneOptions) -> None:
    window = options.window
    table = Table(title=f'{window.steps} steps, {window.schedule}', box=box.SIMPLE_HEAD)
    for column in (
        'network',
        'input',
        'parameters',
        'MACs',
        'neurons',
        'zeros',
        'mAP@0.5',
        'loss (95 %)',
        'rate',
        'ops per MAC',
        'analog ms',
        'spiking ms',
    ):
        table.add_column(column, justify='left' if column == 'network' else 'right')
    for row in rows:
        low, high = row.spiking.loss_interval
        table.add_row(
            f'{row.name} ({row.backbone})',
            f'{row.input_size[1]}x{row.input_size[0]}',
            short_count(row.parameters),
            short_count(row.macs),
            short_count(row.neurons),
            per_cent(row.sparsity),
            per_cent(row.analog.precision.map50),
            f'{row.spiking.loss_points:.1f} ({low:.1f} to {high:.1f})',
            f'{row.rate:.3f}',
            f'{row.synaptic_operations / row.macs:.2f}',
            '-' if row.analog_ms is None else f'{row.analog_ms:.0f}',
            '-' if row.spiking_ms is None else f'{row.spiking_ms:.0f}',
        )
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    console.print(table)
    console.print(
        f'zeros: share of zero activations, per cent. ms: medians of {options.rounds} forward '
        f'passes taking turns, engine {options.evaluation.engine}, {describe_machine()}, '
        f'{options.threads} threads.',
        highlight=False,
    )
