"""``detect``: boxes in photographs, drawn, tabled and as json."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from spiking_retina_ros.arguments.detector import add_strip_arguments, strip_from
from spiking_retina_ros.datasets.images import ReadingProblems, find_images, read_images
from spiking_retina_ros.detections import FrameResult, draw_detections
from spiking_retina_ros.detector import (
    NMS_THRESHOLD,
    SCORE_THRESHOLD,
    AnalogDetector,
    SpikingDetector,
)
from spiking_retina_ros.model_paths import analog_model, spiking_model
from spiking_retina_ros.tiling import detect_tiled

SUMMARY = 'find boats and buoys in photographs'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('images', nargs='+', help='image files, folders or COCO json files')
    parser.add_argument('--model', type=Path, help='model file (default: the shipped one)')
    parser.add_argument(
        '--analog', action='store_true', help='use the analog network (a checkpoint as --model)'
    )
    parser.add_argument('--engine', default='event', help='reference, dense or event')
    parser.add_argument('--steps', type=int, help='simulated steps (default: recommended)')
    parser.add_argument('--transient', type=int, help='first steps ignored (default: recommended)')
    parser.add_argument('--score-threshold', type=float, default=SCORE_THRESHOLD)
    parser.add_argument('--nms-threshold', type=float, default=NMS_THRESHOLD)
    add_strip_arguments(parser)
    parser.add_argument('--output', type=Path, help='folder for pictures with the boxes drawn in')
    parser.add_argument('--json', type=Path, help='file to write all results to')


def run(arguments: argparse.Namespace) -> int:
    """Detect, print a table; exit status 1 if any file could not be read."""
    detector = _load(arguments)
    strip = strip_from(arguments)
    problems = ReadingProblems()
    paths = find_images(arguments.images)
    results: dict[Path, FrameResult] = {}
    thresholds = {
        'score_threshold': arguments.score_threshold,
        'nms_threshold': arguments.nms_threshold,
    }
    pictures: set[str] = set()
    with tqdm(total=len(paths), desc='detecting', unit='image') as bar:
        for path, image in read_images(paths, problems):
            if strip is None:
                results[path] = detector.detect(image, **thresholds)
            else:
                results[path] = detect_tiled(detector, image, strip, **thresholds)
            if arguments.output is not None:
                name = _unused_name(path, pictures)
                _write_picture(arguments.output / name, draw_detections(image, results[path]))
            bar.update()
    _print(results, problems)
    if arguments.json is not None:
        content = {str(path): result.as_dict() for path, result in results.items()}
        arguments.json.write_text(json.dumps(content, indent=1) + '\n')
    if arguments.output is not None:
        print(f'pictures: {arguments.output}')
    return 1 if len(problems) else 0


def _load(arguments: argparse.Namespace) -> AnalogDetector | SpikingDetector:
    if arguments.analog:
        return AnalogDetector.load(arguments.model or analog_model())
    return SpikingDetector.load(
        arguments.model or spiking_model(),
        engine=arguments.engine,
        steps=arguments.steps,
        transient=arguments.transient,
    )


def _unused_name(path: Path, used: set[str]) -> str:
    """Return a file name for the picture; two folders may hold images of the same name."""
    name, number = f'{path.stem}.jpg', 2
    while name in used:
        name, number = f'{path.stem}-{number}.jpg', number + 1
    used.add(name)
    return name


def _write_picture(path: Path, picture: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), picture):  # type: ignore[call-overload]
        raise OSError(f'{path}: the picture could not be written')


def _print(results: dict[Path, FrameResult], problems: ReadingProblems) -> None:
    table = Table(title=f'{len(results)} images')
    for column in ('image', 'objects', 'best score', 'ms', 'spikes', 'synaptic operations'):
        table.add_column(column, justify='left' if column in ('image', 'objects') else 'right')
    for path, result in results.items():
        counts = Counter(result.class_names)
        objects = ', '.join(f'{number} {name}' for name, number in sorted(counts.items()))
        window = result.window
        table.add_row(
            path.name,
            objects or '-',
            f'{result.scores[0]:.2f}' if len(result) else '-',
            f'{result.milliseconds:.0f}',
            f'{window.spikes:,}' if window else '-',
            f'{window.synaptic_operations:,}' if window else '-',
        )
    Console().print(table)
    for reason in problems.reasons:
        print(f'skipped: {reason}')
