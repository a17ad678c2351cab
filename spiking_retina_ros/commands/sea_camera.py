"""The synthetic sea camera on the command line: pictures, training sets and bags."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tqdm import tqdm

from spiking_retina_ros.datasets.sea.coast import KINDS as COASTS
from spiking_retina_ros.datasets.sea.light import time_names
from spiking_retina_ros.datasets.sea_bag import write_sea_bag
from spiking_retina_ros.datasets.sea_camera import SeaCameraConfig, render_still
from spiking_retina_ros.datasets.sea_coco import (
    check_count,
    make_folder,
    still_seed,
    write_coco_set,
    write_jpeg,
)

SUMMARY = 'draw a synthetic sea: pictures, a COCO set or a rosbag2'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    parts = parser.add_subparsers(dest='part', required=True)
    shape: Any = {'formatter_class': argparse.ArgumentDefaultsHelpFormatter}
    stills = parts.add_parser('stills', help='independent pictures as jpg', **shape)
    stills.add_argument('folder', type=Path)
    stills.add_argument('--count', type=int, default=12, help='number of pictures')
    coco = parts.add_parser('coco', help='pictures and their boxes as COCO json', **shape)
    coco.add_argument('folder', type=Path)
    coco.add_argument('--count', type=int, default=1000, help='number of pictures')
    bag = parts.add_parser('bag', help='a moving sequence with ground truth as rosbag2', **shape)
    bag.add_argument('path', type=Path, help='folder of the new bag')
    bag.add_argument('--seconds', type=float, default=10.0)
    bag.add_argument('--rate', type=float, default=15.0, help='frames per second')
    bag.add_argument('--compressed', action='store_true', help='jpeg CompressedImage messages')
    bag.add_argument('--storage', choices=('mcap', 'sqlite3'), default='mcap')
    bag.add_argument('--time-of-day', choices=time_names(), help='default: drawn from the seed')
    bag.add_argument('--coast', choices=COASTS, help='default: drawn from the seed')
    bag.add_argument('--spray', action='store_true', help='drops of water on the lens')
    for part in (stills, coco, bag):
        part.add_argument('--seed', type=int, default=0)
        part.add_argument('--width', type=int, default=1280, help='pixels')
        part.add_argument('--height', type=int, default=720, help='pixels')


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen sub-command."""
    action = {'stills': _stills, 'coco': _coco, 'bag': _bag}[arguments.part]
    print(action(arguments))
    return 0


def _stills(arguments: argparse.Namespace) -> Path:
    check_count(arguments.count, arguments.width, arguments.height, arguments.seed)
    make_folder(arguments.folder)
    for index in tqdm(range(arguments.count), desc='sea camera', unit='frame'):
        seed = still_seed(arguments.seed, index)
        frame = render_still(seed, width=arguments.width, height=arguments.height)
        write_jpeg(arguments.folder / f'sea_{arguments.seed:04d}_{index:05d}.jpg', frame)
    folder: Path = arguments.folder
    return folder


def _coco(arguments: argparse.Namespace) -> Path:
    return write_coco_set(
        arguments.folder,
        count=arguments.count,
        seed=arguments.seed,
        width=arguments.width,
        height=arguments.height,
    )


def _bag(arguments: argparse.Namespace) -> Path:
    config = SeaCameraConfig(
        width=arguments.width,
        height=arguments.height,
        seed=arguments.seed,
        frame_rate=arguments.rate,
        time_of_day=arguments.time_of_day,
        coast=arguments.coast,
        spray=arguments.spray,
    )
    path: Path = arguments.path
    write_sea_bag(
        path,
        config,
        seconds=arguments.seconds,
        compressed=arguments.compressed,
        storage=arguments.storage,
    )
    return path
