"""Finding and reading photographs: files, folders, or the images a COCO json names."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


@dataclass
class ReadingProblems:
    """The files that could not be read, each with its reason; filled while reading."""

    reasons: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many files could not be read."""
        return len(self.reasons)


def find_images(sources: Sequence[Path | str]) -> list[Path]:
    """
    Return image files: files as given, a folder's images sorted by name, a COCO json's images.

    Raises UserError for a path that does not exist, a json that is no COCO set, or when nothing is
    found.
    """
    found: list[Path] = []
    for source in map(Path, sources):
        if source.is_dir():
            found += sorted(path for path in source.rglob('*') if path.suffix.lower() in SUFFIXES)
        elif source.suffix == '.json':
            found += _coco_images(source)
        elif source.is_file():
            found.append(source)
        else:
            raise UserError(f'{source}: no such file or folder')
    if not found:
        raise UserError(f'no images ({", ".join(SUFFIXES)}) in {", ".join(map(str, sources))}')
    return found


def sample_images(paths: Sequence[Path], count: int, *, seed: int) -> list[Path]:
    """Return ``count`` of the paths (or all, if fewer), drawn by ``seed``, in their own order."""
    if count >= len(paths):
        return list(paths)
    chosen = sorted(random.Random(seed).sample(range(len(paths)), count))
    return [paths[index] for index in chosen]


def read_image(path: Path | str) -> ImageArray:
    """Return a BGR image (H, W, 3) uint8; ValueError naming the path if it cannot be decoded."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f'{path}: {error.strerror or error}') from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ValueError(f'{path}: not an image that can be decoded ({data.size} bytes)')
    return np.asarray(image, np.uint8)


def read_images(
    paths: Sequence[Path], problems: ReadingProblems
) -> Iterator[tuple[Path, ImageArray]]:
    """Yield what can be read; the rest is noted in ``problems`` and skipped."""
    for path in paths:
        try:
            yield path, read_image(path)
        except ValueError as error:
            problems.reasons.append(str(error))


def _coco_images(path: Path) -> list[Path]:
    try:
        content = json.loads(path.read_text())
        return [path.parent / entry['file_name'] for entry in content['images']]
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(f'{path}: expected a COCO json with "images": {error!r}') from error
