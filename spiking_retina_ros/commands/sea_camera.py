"""The synthetic sea camera on the command line: pictures, training sets and bags."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from spiking_retina_ros.datasets.sea.still import render_still
from spiking_retina_ros.datasets.sea_coco import (
    make_folder,
    still_seed,
    write_coco_set,
    write_jpeg,
)

SUMMARY = 'draw a synthetic sea: pictures, a COCO set or a rosbag2'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    parts = parser.add_subparsers(dest='part', required=True)
    stills = parts.add_parser('stills', help='independent pictures as jpg')
    stills.add_argument('folder', type=Path)
    stills.add_argument('--count', type=int, default=12)
    coco = parts.add_parser('coco', help='pictures and their boxes as COCO json')
    coco.add_argument('folder', type=Path)
    coco.add_argument('--count', type=int, default=1000)
    for part in (stills, coco):
        part.add_argument('--seed', type=int, default=0)
        part.add_argument('--width', type=int, default=1280)
        part.add_argument('--height', type=int, default=720)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen sub-command."""
    size = {'width': arguments.width, 'height': arguments.height}
    if arguments.part == 'coco':
        path = write_coco_set(arguments.folder, count=arguments.count, seed=arguments.seed, **size)
        print(path)
        return 0
    make_folder(arguments.folder)
    for index in tqdm(range(arguments.count), desc='sea camera', unit='frame'):
        frame = render_still(still_seed(arguments.seed, index), **size)
        write_jpeg(arguments.folder / f'sea_{arguments.seed:04d}_{index:05d}.jpg', frame)
    print(arguments.folder)
    return 0
