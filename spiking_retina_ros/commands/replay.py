"""``replay``: every image of a bag through the node's answering, offline and repeatable."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.statistics import Spread

if TYPE_CHECKING:
    from spiking_retina_ros.evaluation.precision import Precision
    from spiking_retina_ros.ros.network import Network
    from spiking_retina_ros.ros.offline_replay import Replay

SUMMARY = 'answer every image of a rosbag2 offline, in order, into a result bag and json'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    defaults = Settings()
    parser.add_argument('bag', type=Path, help='rosbag2, sqlite3 or mcap')
    parser.add_argument('--output', type=Path, help='result bag (default: <bag>_result)')
    parser.add_argument('--json', type=Path, help='file for all results')
    parser.add_argument('--topic', help='image topic (default: the only one)')
    parser.add_argument('--truth-topic', help='Detection2DArray with the truth')
    parser.add_argument('--copy-input', action='store_true', help='copy the topics of the bag, too')
    parser.add_argument('--debug-image', action='store_true', help='write the pictures with boxes')
    parser.add_argument('--model', type=Path, help='spiking model file (default: the shipped one)')
    parser.add_argument('--engine', default=defaults.engine, help='event, dense or reference')
    parser.add_argument('--threads', type=int, default=defaults.threads)
    parser.add_argument('--steps', type=int, default=defaults.steps, help='0: recommended')
    parser.add_argument('--transient', type=int, default=defaults.transient, help='-1: recommended')
    parser.add_argument('--early-steps', type=int, default=defaults.early_steps)
    parser.add_argument('--score-threshold', type=float, default=defaults.score_threshold)
    parser.add_argument('--nms-threshold', type=float, default=defaults.nms_threshold)


def run(arguments: argparse.Namespace) -> int:
    """Replay; status 1 if any image could not be answered."""
    try:
        from spiking_retina_ros.ros import offline_replay
    except ImportError as error:
        raise UserError(f'replay needs ROS 2 messages ({error}): run make environment') from error
    from spiking_retina_ros.datasets.bags import BagWriter
    from spiking_retina_ros.ros.network import load_network

    settings = _settings(arguments)
    topics = offline_replay.choose_topics(arguments.bag, arguments.topic, arguments.truth_topic)
    network = load_network(settings)
    problems = settings.problems_with(network)
    if problems:
        raise UserError('; '.join(problems))
    output = arguments.output or Path(f'{str(arguments.bag).rstrip("/")}_result')
    with BagWriter(output) as result_bag:
        done = offline_replay.replay(
            arguments.bag,
            topics,
            network,
            settings,
            result_bag,
            debug_image=arguments.debug_image,
            copy_input=arguments.copy_input,
        )
    score = None
    if topics.truth is not None:
        score = offline_replay.precision(done, arguments.bag, topics.truth, network.class_names)
    content = summary(done, network, score)
    if arguments.json is not None:
        _write(arguments.json, content | {'detections': detections(done)})
    _show(content, output)
    return 1 if done.problems else 0


def summary(done: Replay, network: Network, score: Precision | None) -> dict[str, Any]:
    """Return the figures of a replay, ready for json."""
    windows = [item.window for item in done.results if item.window is not None]
    count = max(1, len(windows))
    latency = {
        part: dataclasses.asdict(spread)
        for part in ('decode', 'early', 'inference', 'publish')
        if (spread := Spread.of(_defined(getattr(item, part) for item in done.timings)))
    }
    return {
        'frames': done.frames,
        'answered': len(done.results),
        'dropped': dict(done.dropped),
        'problems': done.problems,
        'model_hash': network.model_hash,
        'engine': network.engine,
        'steps': windows[0].steps if windows else None,
        'transient': windows[0].transient if windows else None,
        'spikes_per_frame': sum(item.spikes for item in windows) / count,
        'synaptic_operations_per_frame': sum(item.synaptic_operations for item in windows) / count,
        'latency_ms': latency,
        'map50': None if score is None else score.map50,
        'map': None if score is None else score.map,
    }


def detections(done: Replay) -> list[dict[str, Any]]:
    """Return stamp, objects and spikes of every answered frame; no times, so that runs compare."""
    return [
        {
            'stamp': stamp,
            'objects': result.as_dict()['detections'],
            'spikes': None if result.window is None else result.window.spikes,
        }
        for stamp, result in zip(done.stamps, done.results, strict=True)
    ]


def _defined(values: Iterable[float | None]) -> Iterator[float]:
    return (value for value in values if value is not None)


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = Settings(
        model='' if arguments.model is None else str(arguments.model),
        engine=arguments.engine,
        threads=arguments.threads,
        steps=arguments.steps,
        transient=arguments.transient,
        early_steps=arguments.early_steps,
        score_threshold=arguments.score_threshold,
        nms_threshold=arguments.nms_threshold,
    )
    problems = settings.problems()
    if problems:
        raise UserError('; '.join(problems))
    return settings


def _write(path: Path, content: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
    except OSError as error:
        raise UserError(f'{path}: expected a file that can be written: {error}') from error


def _show(content: dict[str, Any], output: Path) -> None:
    table = Table(title='replay', show_header=False)
    table.add_column(style='bold')
    table.add_column(justify='right')
    for name in ('frames', 'answered', 'engine', 'steps', 'transient'):
        table.add_row(name, str(content[name]))
    for reason, number in content['dropped'].items():
        table.add_row(f'dropped, {reason}', str(number))
    for part, spread in content['latency_ms'].items():
        table.add_row(f'{part}, median / 95 %', f'{spread["median"]:.1f} / {spread["p95"]:.1f} ms')
    if content['map50'] is not None:
        table.add_row('mAP@0.5 / mAP', f'{content["map50"]:.3f} / {content["map"]:.3f}')
    console = Console()
    console.print(table)
    lines = [f'result bag  {output}', *(f'error: {problem}' for problem in content['problems'])]
    console.print('\n'.join(lines), highlight=False, soft_wrap=True, markup=False)
