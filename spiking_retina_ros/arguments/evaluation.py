"""What is evaluated, on which set, at which windows, and where results are kept."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from spiking_retina_ros.arguments.analog import load_checkpoint
from spiking_retina_ros.conversion.finetuned_file import FineTuned, load_finetuned
from spiking_retina_ros.datasets.coco import CocoSet, read_coco
from spiking_retina_ros.detector import choose_window
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.cache import default_cache
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import SpikingNetwork, Window


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``evaluate`` and ``report`` have in common."""
    parser.add_argument(
        '--checkpoint', type=Path, required=True, help='analog network the models were made from'
    )
    parser.add_argument(
        '--finetuned', type=Path, help='fine-tuned checkpoint, for models that were made from one'
    )
    parser.add_argument('--engine', default='event', help='reference, dense or event')
    parser.add_argument('--no-cache', action='store_true', help='neither use nor fill the cache')
    add_set_arguments(parser)


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the set to score on, and where what was computed is kept."""
    parser.add_argument('--data', type=Path, required=True, help='COCO json to score on')
    parser.add_argument(
        '--leave-out',
        nargs='+',
        default=[],
        metavar='NAME',
        help='file names of images not to score on, for what hangs on a single one',
    )
    parser.add_argument('--limit', type=int, help='only so many images, evenly spaced')
    parser.add_argument('--threads', type=int, help="the engine's threads")
    parser.add_argument(
        '--cache',
        type=Path,
        default=default_cache(),
        help='folder for results per image, so that an interrupted run goes on',
    )


def read_set(arguments: argparse.Namespace, class_names: Sequence[str]) -> CocoSet:
    """Return the set to score on; raises UserError where it, or what to leave out, is none."""
    return read_coco(arguments.data, class_names).without(arguments.leave_out)


def load_analog(path: Path, network: SpikingNetwork) -> RetinaNet:
    """Return the checkpoint's network, laid out for the spiking network's input size."""
    height, width = network.preprocessing.input_size
    return load_checkpoint(path, class_names=list(network.class_names), input_size=[width, height])


def read_finetuned(path: Path | None) -> FineTuned | None:
    """Return the checkpoint of --finetuned, None where it was not given."""
    return None if path is None else load_finetuned(path)


def windows(
    network: SpikingNetwork, steps: Sequence[int] | None, transient: int | None
) -> tuple[Window, ...]:
    """Return the windows asked for; raises UserError for one that a transient leaves empty."""
    numbers = [None] if steps is None else list(steps)
    return tuple(choose_window(network.window, number, transient) for number in numbers)


def cache_folder(arguments: argparse.Namespace) -> Path | None:
    """Return the folder of the cache, or None without one."""
    return None if arguments.no_cache else arguments.cache


def step_list(text: str) -> list[int]:
    """Read numbers of steps separated by commas, ascending and without repeats."""
    try:
        numbers = sorted({int(part) for part in text.split(',')})
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'expected steps like 8,16,32, found {text!r}') from error
    return numbers


def model_names(paths: Sequence[Path]) -> list[str]:
    """Return short names of model files, longer ones where stems are the same."""
    stems = [path.stem for path in paths]
    names = [
        stem if stems.count(stem) == 1 else str(path)
        for stem, path in zip(stems, paths, strict=True)
    ]
    if len(set(names)) < len(names):
        raise UserError('expected different model files, found the same one twice')
    return names
