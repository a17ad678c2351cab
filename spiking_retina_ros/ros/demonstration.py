"""The demo: play a bag to the node in a closed loop, keep pictures, and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from spiking_retina_ros.detections import Detection
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros.closed_loop import Answer, ClosedLoop, closed_loop
from spiking_retina_ros.ros.demo_source import Source, Truth
from spiking_retina_ros.ros.overlay import short
from spiking_retina_ros.ros.statistics import Spread

MATCHING_OVERLAP = 0.3


@dataclass
class Report:
    """What a demo showed; ``figures`` are the node's own, from its diagnostics."""

    source: Source
    result_bag: Path
    played: int = 0
    unanswered: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    objects: Counter[str] = field(default_factory=Counter)
    true_objects: int = 0
    found_objects: int = 0
    pictures: list[Path] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    exit_status: int = 0

    @property
    def dropped(self) -> int:
        """Return how many frames the node dropped, for whatever reason."""
        counts = (value for key, value in self.figures.items() if key.startswith('dropped_'))
        return sum(int(value) for value in counts)

    @property
    def complaints(self) -> list[str]:
        """Return what speaks against success, one sentence each; empty when all is well."""
        found = [f'cannot be read: {problem}' for problem in self.source.problems]
        if self.unanswered:
            found.append(f'{len(self.unanswered)} of {self.played} frames were not answered')
        if not self.objects:
            found.append('no object was detected in any frame')
        elif self.true_objects and not self.found_objects:
            found.append(f'none of {self.true_objects} objects in the pictures was found')
        if self.exit_status:
            found.append(f'the detector node ended with status {self.exit_status}')
        return found

    @property
    def passed(self) -> bool:
        """Return whether every frame was read and answered and something sensible was found."""
        return not self.complaints


def play(
    source: Source,
    *,
    result_bag: Path,
    parameters: Sequence[str],
    timeout: float,
    pictures: Path,
    keep: int,
) -> Report:
    """
    Play a source to a detector node of its own and return what came back.

    ``keep`` pictures, spread evenly over the frames, are written into the folder ``pictures``.
    """
    report = Report(source, result_bag)
    kept = set(np.linspace(0, source.count - 1, min(keep, source.count)).round().astype(int))
    console = Console(stderr=True)
    console.print('starting the detector node: the network loads, compiles and warms up')
    with ExitStack() as stack:
        with console.status('this takes up to a minute the first time'):
            running = closed_loop(result_bag, compressed=source.compressed, parameters=parameters)
            loop, process = stack.enter_context(running)
        _play_frames(loop, report, timeout, kept, pictures)
        report.figures = loop.wait_for_diagnostics(len(report.milliseconds))
        report.exit_status = process.stop()
    return report


def _play_frames(
    loop: ClosedLoop, report: Report, timeout: float, kept: set[int], pictures: Path
) -> None:
    source = report.source
    with tqdm(total=source.count, desc='camera to detections', unit='frame') as bar:
        for index, frame in enumerate(source.frames()):
            report.played += 1
            answer = loop.play(frame.cdr, frame.stamp, timeout=timeout)
            if answer is None:
                report.unanswered.append(frame.stamp)
            else:
                _count(report, answer, source.truth.get(frame.stamp))
                if index in kept and answer.picture is not None:
                    report.pictures.append(_write(pictures / f'frame_{index:04d}.jpg', answer))
            bar.update()


def _count(report: Report, answer: Answer, truth: Truth | None) -> None:
    report.milliseconds.append(answer.milliseconds)
    report.objects.update(item.class_name for item in answer.detections)
    if truth is not None:
        report.true_objects += len(truth.class_names)
        report.found_objects += found_objects(answer.detections, truth)


def found_objects(detections: Sequence[Detection], truth: Truth) -> int:
    """Return how many true objects have a detection of their class and IoU of at least 0.3."""
    left = list(zip(truth.boxes.tolist(), truth.class_names, strict=True))
    for item in sorted(detections, key=lambda entry: -entry.score):
        fitting = [
            (_overlap(item.box, box), number)
            for number, (box, name) in enumerate(left)
            if name == item.class_name
        ]
        best, number = max(fitting, default=(0.0, 0))
        if best >= MATCHING_OVERLAP:
            del left[number]
    return len(truth.class_names) - len(left)


def _overlap(first: Sequence[float], second: Sequence[float]) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def _write(path: Path, answer: Answer) -> Path:
    assert answer.picture is not None
    if not cv2.imwrite(str(path), answer.picture):
        raise UserError(f'{path}: the picture cannot be written')
    return path


def show(report: Report, console: Console) -> None:
    """Print the table, the paths of what was written, and what went wrong."""
    table = Table(title='spiking_retina_ros demo', show_header=False)
    table.add_column(style='bold')
    table.add_column(justify='right')
    for name, value in table_rows(report):
        table.add_row(name, value)
    console.print(table)
    lines = [f'bag played    {report.source.bag}', f'bag recorded  {report.result_bag}']
    lines += [f'picture       {path}' for path in report.pictures]
    lines += [f'error: {complaint}' for complaint in report.complaints]
    console.print('\n'.join(lines), highlight=False, soft_wrap=True, markup=False)


def table_rows(report: Report) -> list[tuple[str, str]]:
    """Return the names and values of the table."""
    rows = [
        ('frames played', str(report.played)),
        ('frames answered', str(len(report.milliseconds))),
        ('frames dropped', str(report.dropped)),
    ]
    for class_name in sorted({'boat', 'buoy'} | set(report.objects)):
        rows.append((f'objects: {class_name}', str(report.objects[class_name])))
    if report.true_objects:
        rows.append(('true objects found', f'{report.found_objects} of {report.true_objects}'))
    spread = Spread.of(report.milliseconds)
    if spread is not None:
        rows.append(('latency median', f'{spread.median:.0f} ms'))
        rows.append(('latency 95th percentile', f'{spread.p95:.0f} ms'))
    if report.figures:
        spikes = float(report.figures['spikes_per_frame'])
        operations = float(report.figures['synaptic_operations_per_frame'])
        rows.append(('steps per frame', report.figures['steps']))
        rows.append(('spikes per frame', short(spikes)))
        rows.append(('synaptic operations per frame', short(operations)))
    return rows
