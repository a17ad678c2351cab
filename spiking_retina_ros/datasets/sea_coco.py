"""Writes sets of synthetic pictures in the layout of COCO."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
from tqdm import tqdm

from spiking_retina_ros.datasets.sea.frame import SeaFrame
from spiking_retina_ros.datasets.sea.still import render_still
from spiking_retina_ros.errors import UserError

CATEGORIES = {'boat': 1, 'buoy': 2}
JPEG_QUALITY = 92


def write_coco_set(
    folder: Path, *, count: int, seed: int = 0, width: int = 1280, height: int = 720
) -> Path:
    """
    Write ``count`` independent pictures and their boxes; return the path of the json.

    The layout is ``folder/images/*.jpg`` and ``folder/instances.json`` with categories 1 boat and
    2 buoy; boxes are (x, y, width, height) in pixels. Picture i depends on (seed, i) alone, so a
    larger set begins with the smaller one. Raises UserError where the folder cannot be written.
    """
    check_count(count, width, height, seed)
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    make_folder(folder / 'images')
    for index in tqdm(range(count), desc=f'sea camera -> {folder}', unit='frame'):
        frame = render_still(still_seed(seed, index), width=width, height=height)
        name = f'images/sea_{seed:04d}_{index:05d}.jpg'
        write_jpeg(folder / name, frame)
        images.append({'id': index + 1, 'file_name': name, 'width': width, 'height': height})
        annotations.extend(_annotations(frame, index + 1, len(annotations) + 1))
    path = folder / 'instances.json'
    content = {
        'info': {'description': f'synthetic sea camera, seed {seed}'},
        'images': images,
        'annotations': annotations,
        'categories': [{'id': number, 'name': name} for name, number in CATEGORIES.items()],
    }
    path.write_text(json.dumps(content))
    return path


def check_count(count: int, width: int, height: int, seed: int) -> None:
    """Raise a UserError that names what cannot be drawn."""
    for name, value, least in (
        ('count', count, 1),
        ('width', width, 32),
        ('height', height, 32),
        ('seed', seed, 0),
    ):
        if value < least:
            raise UserError(f'{name}: expected at least {least}, found {value}')


def still_seed(seed: int, index: int) -> int:
    """Return the seed of picture ``index`` of set ``seed``."""
    return seed * 1_000_003 + index


def make_folder(folder: Path) -> None:
    """Create a folder, or raise a UserError that says why it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'{folder}: expected a folder that can be written ({error})') from error


def write_jpeg(path: Path, frame: SeaFrame) -> None:
    """Write a frame's picture; raises UserError where the disk refuses."""
    done, data = cv2.imencode('.jpg', frame.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise UserError(f'{path}: a picture of shape {frame.image.shape} could not be encoded')
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise UserError(f'{path}: cannot be written ({error})') from error


def _annotations(frame: SeaFrame, image_id: int, first_id: int) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    for offset, (box, name) in enumerate(zip(frame.boxes, frame.class_names, strict=True)):
        x_min, y_min, x_max, y_max = (float(value) for value in box)
        width, height = x_max - x_min, y_max - y_min
        entries.append(
            {
                'id': first_id + offset,
                'image_id': image_id,
                'category_id': CATEGORIES[name],
                'bbox': [x_min, y_min, width, height],
                'area': width * height,
                'iscrowd': 0,
            }
        )
    return entries
