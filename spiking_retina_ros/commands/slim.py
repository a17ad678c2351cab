"""``slim``: narrower expansions for a trained EfficientNet-Lite0, so that fewer neurons spike."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.size import measure_size
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.datasets.images import (
    ReadingProblems,
    find_images,
    read_images,
    sample_images,
)
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import load_retinanet, save_retinanet
from spiking_retina_ros.retinanet.efficientnet import expansion_widths
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.slim import SlimmedBlock, slim
from spiking_retina_ros.retinanet.validation import Validation, validate

SUMMARY = 'narrow the expansions of a trained network'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('checkpoint', type=Path, help='checkpoint of train (efficientnet_lite0)')
    parser.add_argument('output', type=Path, help='checkpoint to write; train --weights goes on')
    parser.add_argument(
        '--images',
        nargs='+',
        required=True,
        help='images to fit to: files, folders or COCO json files (training data)',
    )
    parser.add_argument('--image-count', type=int, default=48, help='how many of them to use')
    parser.add_argument('--seed', type=int, default=0, help='which of them to use')
    parser.add_argument('--keep', type=float, default=0.5, help='share of the channels to keep')
    parser.add_argument(
        '--blocks',
        type=int,
        nargs='+',
        default=[1, 2, 3],
        help='blocks to narrow, 0 (the stem) to 15; 1 to 3 expand at strides 2 and 4',
    )
    parser.add_argument(
        '--multiple',
        type=int,
        default=16,
        help='round widths to multiples of this; the event engine packs 32 channels into a word',
    )
    parser.add_argument('--val', type=Path, help='COCO json to score before and after')


def run(arguments: argparse.Namespace) -> int:
    """Narrow, write the checkpoint, print what it cost."""
    network = load_retinanet(arguments.checkpoint)
    problems = ReadingProblems()
    paths = sample_images(find_images(arguments.images), arguments.image_count, seed=arguments.seed)
    images = [image for _, image in read_images(paths, problems)]
    for reason in problems.reasons:
        print(f'skipped: {reason}')
    present = network.config.expansion_channels or expansion_widths()
    widths = kept_widths(present, arguments.blocks, arguments.keep, arguments.multiple)
    slimmed, blocks = slim(network, images, widths)
    notes = {'slimmed from': arguments.checkpoint.name, 'widths': str(widths)}
    save_retinanet(arguments.output, slimmed.config, slimmed.state_dict(), notes=notes)
    networks = (network, slimmed)
    scores: list[Validation] = []
    if arguments.val is not None:
        images_of_set = read_coco(arguments.val, network.config.class_names)
        scores = [validate(item, images_of_set) for item in networks]
    _print(networks, blocks, scores)
    print(f'wrote {arguments.output}')
    return 1 if problems.reasons else 0


def kept_widths(
    present: Sequence[int], blocks: Sequence[int], keep: float, multiple: int
) -> dict[int, int]:
    """Return the new width of each block; raises UserError for what cannot be."""
    if not 0 < keep <= 1 or multiple < 1:
        raise UserError(
            f'expected --keep above 0 and up to 1 and --multiple of at least 1, '
            f'found {keep} and {multiple}'
        )
    wrong = [block for block in blocks if not 0 <= block < len(present)]
    if wrong:
        raise UserError(f'--blocks: expected 0 to {len(present) - 1}, found {wrong[0]}')
    return {
        block: min(present[block], max(1, round(keep * present[block] / multiple)) * multiple)
        for block in sorted(set(blocks))
    }


def _print(
    networks: tuple[RetinaNet, RetinaNet],
    blocks: Sequence[SlimmedBlock],
    scores: Sequence[Validation],
) -> None:
    table = Table(title='inner channels, and squared error over variance of the output')
    for column in ('block', 'before', 'after', 'error'):
        table.add_column(column, justify='right')
    for item in blocks:
        table.add_row(str(item.block), str(item.before), str(item.after), f'{item.error:.4f}')
    console = Console()
    console.print(table)
    sizes = [measure_size(network, ConversionOptions.fast()) for network in networks]
    table = Table()
    for column in ('', 'before', 'after', 'share'):
        table.add_column(column, justify='right')
    for name in ('parameters', 'macs', 'neurons'):
        before, after = (getattr(size, name) for size in sizes)
        table.add_row(name, f'{before:,}', f'{after:,}', f'{after / before:.2f}')
    if scores:
        before, after = (100 * score.map50 for score in scores)
        table.add_row(f'mAP@0.5, {scores[0].images} images', f'{before:.1f}', f'{after:.1f}', '')
        for name in scores[0].ap50_per_class:
            before, after = (100 * score.ap50_per_class[name] for score in scores)
            table.add_row(f'{name} AP@0.5', f'{before:.1f}', f'{after:.1f}', '')
    console.print(table)
