"""The analog network that a command starts from, and the images it is calibrated on."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from spiking_retina_ros.conversion.calibration_cache import CalibrationCache, default_cache_folder
from spiking_retina_ros.datasets.images import (
    ReadingProblems,
    find_images,
    read_images,
    sample_images,
)
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import load_retinanet
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.torchvision_import import (
    is_torchvision_file,
    load_torchvision_retinanet,
)

TORCHVISION_INPUT_SIZE = (480, 640)


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how an analog network is read and calibrated."""
    parser.add_argument(
        '--images',
        nargs='+',
        help='calibration images: files, folders or COCO json files (training data); a fine-tuned '
        'checkpoint has learned its thresholds and needs none',
    )
    parser.add_argument('--image-count', type=int, default=100, help='how many of them to use')
    parser.add_argument('--seed', type=int, default=0, help='which of them to use')
    parser.add_argument(
        '--class-names', nargs='+', help="for a torchvision state dict; without them COCO's 91"
    )
    parser.add_argument(
        '--input-size',
        nargs=2,
        type=int,
        metavar=('WIDTH', 'HEIGHT'),
        help='pixels; for a torchvision state dict 640 480, else as it was trained',
    )
    parser.add_argument(
        '--keep-dead-channels',
        action='store_true',
        help="give channels that never change their layer's median scale instead of stopping",
    )
    parser.add_argument(
        '--no-cache', action='store_true', help='neither use nor keep what was computed before'
    )


def load_checkpoint(
    path: Path, *, class_names: list[str] | None, input_size: list[int] | None
) -> RetinaNet:
    """Return the analog network of a checkpoint of ours or of torchvision's state dict."""
    size = None if input_size is None else (input_size[1], input_size[0])
    if is_torchvision_file(path):
        return load_torchvision_retinanet(
            path, class_names=class_names, input_size=size or TORCHVISION_INPUT_SIZE
        )
    network = load_retinanet(path)
    if class_names is not None and tuple(class_names) != network.config.class_names:
        raise UserError(
            f'{path}: the checkpoint has the class names {network.config.class_names}, '
            f'--class-names gives {tuple(class_names)}'
        )
    if size is not None:
        network.config = replace(network.config, input_size=size)
    return network


def calibration_images(
    arguments: argparse.Namespace, problems: ReadingProblems
) -> list[ImageArray]:
    """Read the images that --images, --image-count and --seed choose; say which are skipped."""
    if not arguments.images:
        raise UserError(f'{arguments.checkpoint}: needs calibration images; give --images')
    paths = sample_images(find_images(arguments.images), arguments.image_count, seed=arguments.seed)
    images = [image for _, image in read_images(paths, problems)]
    for reason in problems.reasons:
        print(f'skipped: {reason}')
    return images


def calibration_cache(arguments: argparse.Namespace) -> CalibrationCache | None:
    """Return the cache of calibrations, or None without one."""
    return None if arguments.no_cache else CalibrationCache(default_cache_folder())
