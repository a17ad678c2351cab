"""``demo``: camera frames through the real detector node over DDS, a table and pictures."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from rich.console import Console

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros.demo_source import (
    SEA_FRAMES,
    Source,
    bag_source,
    photograph_source,
    sea_source,
)

SUMMARY = 'play frames to the detector node over DDS and show what it answers'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--images', type=Path, help='photographs: a folder, file or COCO json')
    source.add_argument('--bag', type=Path, help='rosbag2 with an Image or CompressedImage topic')
    parser.add_argument('--topic', help='image topic of the bag (default: its only one)')
    parser.add_argument(
        '--frames',
        type=int,
        help='at most so many frames (synthetic sea: 30)',
    )
    parser.add_argument('--output', type=Path, default=Path('demo_output'), help='folder to fill')
    parser.add_argument('--pictures', type=int, default=12, help='how many pictures to keep')
    parser.add_argument('--model', type=Path, help='spiking model file (default: the shipped one)')
    parser.add_argument('--engine', help='event, dense or reference (default: that of the node)')
    parser.add_argument('--steps', type=int, help='simulated steps (default: recommended)')
    parser.add_argument('--seed', type=int, default=7, help='seed of the synthetic sea')
    parser.add_argument('--timeout', type=float, default=60.0, help='seconds to wait per answer')


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; status 1 if a frame was not answered, not readable, or nothing was found."""
    if arguments.frames is not None and arguments.frames < 1:
        raise UserError(f'--frames: expected at least 1, found {arguments.frames}')
    from spiking_retina_ros.ros.child_process import private_domain

    os.environ.update(private_domain())
    try:
        from spiking_retina_ros.ros import demonstration
    except ImportError as error:
        raise UserError(
            f'the demo needs ROS 2 ({error}): run make environment, or source a ROS 2 installation'
        ) from error
    output: Path = arguments.output
    _clear(output)
    source = _source(arguments)
    report = demonstration.play(
        source,
        result_bag=output / 'result_bag',
        parameters=_parameters(arguments),
        timeout=arguments.timeout,
        pictures=output / 'pictures',
        keep=arguments.pictures,
    )
    demonstration.show(report, Console())
    return 0 if report.passed else 1


def _source(arguments: argparse.Namespace) -> Source:
    path, frames = arguments.output / 'input_bag', arguments.frames
    if arguments.bag is not None:
        return bag_source(arguments.bag, arguments.topic, frames=frames)
    if arguments.images is not None:
        return photograph_source(path, arguments.images, frames=frames)
    return sea_source(path, frames=frames or SEA_FRAMES, seed=arguments.seed)


def _parameters(arguments: argparse.Namespace) -> list[str]:
    chosen = {
        'model': arguments.model and str(arguments.model.resolve()),
        'engine': arguments.engine,
        'steps': arguments.steps,
    }
    return [f'{name}:={value}' for name, value in chosen.items() if value is not None]


def _clear(output: Path) -> None:
    """Remove what an earlier demo left, and nothing else that may lie in the folder."""
    for name in ('input_bag', 'result_bag', 'pictures'):
        shutil.rmtree(output / name, ignore_errors=True)
    try:
        (output / 'pictures').mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'{output}: expected a folder that can be written: {error}') from error
