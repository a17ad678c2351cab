"""COCO json sets: boxes of known classes, with everything unusable counted and listed."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from spiking_retina_ros.detections import FloatArray, ImageArray
from spiking_retina_ros.errors import UserError

# Less of a box than this inside its image says nothing about the object.
SMALLEST_SIDE = 1.0
LISTED_PROBLEMS = 20
UNDECODABLE = 'image that does not decode'


@dataclass(frozen=True)
class CocoImage:
    """
    One image and its objects.

    ``boxes`` is float32 (N, 4) xyxy in image pixels, ``labels`` int64 (N,), indices into the
    set's ``class_names``. ``size`` is (height, width) as the json states it.
    """

    image_id: int
    path: Path
    size: tuple[int, int]
    boxes: FloatArray
    labels: NDArray[np.int64]


@dataclass
class Problems:
    """What could not be used, counted by kind, with the first places of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, place: str) -> None:
        """Count one problem."""
        self.counts[kind] += 1
        listed = self.places.setdefault(kind, [])
        if len(listed) < LISTED_PROBLEMS:
            listed.append(place)

    def lines(self) -> list[str]:
        """Return one line per kind and its places beneath, for people to read."""
        lines = []
        for kind, count in sorted(self.counts.items()):
            lines.append(f'{count} x {kind}')
            lines += [f'    {place}' for place in self.places[kind]]
            if count > len(self.places[kind]):
                lines.append(f'    ... and {count - len(self.places[kind])} more')
        return lines


@dataclass(frozen=True)
class CocoSet:
    """A COCO json file read for given class names; ``problems`` lists what was left out."""

    path: Path
    class_names: tuple[str, ...]
    images: tuple[CocoImage, ...]
    problems: Problems

    def __len__(self) -> int:
        """Return the number of usable images."""
        return len(self.images)

    def without(self, names: Sequence[str]) -> CocoSet:
        """Return the set without the images of these file names; raises UserError for others."""
        unknown = set(names) - {image.path.name for image in self.images}
        if unknown:
            raise UserError(f'{self.path}: no image to leave out is called {sorted(unknown)}')
        kept = tuple(image for image in self.images if image.path.name not in names)
        if not kept:
            raise UserError(f'{self.path}: no image is left')
        return dataclasses.replace(self, images=kept)

    def summary(self) -> str:
        """Return images, objects per class and the number of problems, in one line."""
        labels = np.concatenate([image.labels for image in self.images] or [np.empty(0, np.int64)])
        counts = ', '.join(
            f'{int((labels == index).sum())} {name}' for index, name in enumerate(self.class_names)
        )
        problems = sum(self.problems.counts.values())
        return f'{self.path}: {len(self)} images, {counts}; {problems} problems'


def read_coco(
    path: Path | str, class_names: Sequence[str], *, image_root: Path | str | None = None
) -> CocoSet:
    """
    Read a COCO json file; file names are relative to its folder unless ``image_root`` is given.

    Left out and recorded in ``problems``: images whose file is missing or whose size is not
    positive, annotations of unknown images or categories, crowds, malformed boxes and boxes that
    lie outside their image or have no extent. Boxes that reach over the edge are clipped.
    Raises UserError where the file is missing, is not COCO json, has none of the classes, or no
    image is left.
    """
    path = Path(path)
    values = _load_json(path)
    labels_of = _label_map(path, values['categories'], class_names)
    problems = Problems()
    root = path.parent if image_root is None else Path(image_root)
    found: dict[int, tuple[Path, tuple[int, int]]] = {}
    for entry in values['images']:
        image = _image_entry(entry, root, problems)
        if image is not None and entry['id'] in found:
            problems.add('repeated image id', f'{entry["id"]}: {image[0]}')
        elif image is not None:
            found[entry['id']] = image
    known = {entry.get('id') for entry in values['images']}
    objects: dict[int, list[tuple[int, tuple[float, ...]]]] = {key: [] for key in found}
    for entry in values['annotations']:
        key = entry.get('image_id')
        where = f'annotation {entry.get("id")} of image {key}'
        if key not in known:
            problems.add('annotation of an unknown image', where)
        elif key in found:
            item = _object(entry, found[key][1], labels_of)
            if isinstance(item, str):
                problems.add(item, f'{where}: {entry.get("category_id")} {entry.get("bbox")}')
            else:
                objects[key].append(item)
    images = tuple(
        CocoImage(
            key,
            file,
            size,
            np.array([box for _, box in objects[key]], np.float32).reshape(-1, 4),
            np.array([label for label, _ in objects[key]], np.int64),
        )
        for key, (file, size) in found.items()
    )
    if not images:
        details = '; '.join(problems.lines()[:3])
        raise UserError(f'{path}: no usable image among {len(values["images"])} ({details})')
    return CocoSet(path, tuple(class_names), images, problems)


def without_undecodable(images: CocoSet, *, quiet: bool = False) -> CocoSet:
    """Return the set without the images that do not decode, which join its problems."""
    kept = []
    for image in tqdm(images.images, desc='check', unit='image', disable=quiet, leave=False):
        if read_image(image.path) is None:
            images.problems.add(UNDECODABLE, str(image.path))
        else:
            kept.append(image)
    if not kept:
        raise UserError(f'{images.path}: none of its {len(images)} images decodes')
    return dataclasses.replace(images, images=tuple(kept))


def read_image(path: Path | str) -> ImageArray | None:
    """
    Return an image as uint8 (H, W, 3) BGR, or None where the file is missing or does not decode.

    The file is read first, so that OpenCV neither prints warnings nor trips over odd paths.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    if data.size == 0:
        return None
    # Exif rotation is ignored: the boxes were drawn on the stored pixels, as the json's size says.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(data, flags)
    return None if image is None or image.size == 0 else np.asarray(image, np.uint8)


def _load_json(path: Path) -> dict[str, list[Any]]:
    try:
        values = json.loads(path.read_text())
    except OSError as error:
        raise UserError(f'{path}: the set cannot be read: {error.strerror}') from error
    except ValueError as error:
        raise UserError(f'{path}: not json: {error}') from error
    for key in ('images', 'annotations', 'categories'):
        entries = values.get(key) if isinstance(values, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise UserError(f'{path}: not a COCO set: expected a list of objects under {key!r}')
    return values


def _label_map(
    path: Path, categories: Sequence[Mapping[str, Any]], class_names: Sequence[str]
) -> dict[int, int]:
    by_name = {entry.get('name'): entry.get('id') for entry in categories}
    missing = [name for name in class_names if name not in by_name]
    if len(missing) == len(class_names):
        raise UserError(
            f'{path}: none of the classes {list(class_names)} among its categories {list(by_name)}'
        )
    labels: dict[int, int] = {}
    for label, name in enumerate(class_names):
        key = by_name.get(name)
        if key is not None:
            labels[key] = label
    return labels


def _image_entry(
    entry: Mapping[str, Any], root: Path, problems: Problems
) -> tuple[Path, tuple[int, int]] | None:
    """Return path and size of an image entry, or None after recording why not."""
    if not {'id', 'file_name', 'width', 'height'} <= set(entry):
        problems.add('image entry without id, file_name, width or height', str(entry)[:80])
        return None
    path = root / entry['file_name']
    sides = entry['width'], entry['height']
    if not all(isinstance(side, (int, float)) and side >= 1 for side in sides):
        problems.add('image without pixels', str(path))
        return None
    if not path.is_file():
        problems.add('missing image', str(path))
        return None
    return path, (int(entry['height']), int(entry['width']))


def _object(
    entry: Mapping[str, Any], size: tuple[int, int], labels_of: Mapping[int, int]
) -> tuple[int, tuple[float, ...]] | str:
    """Return label and clipped xyxy box of an annotation, or what is wrong with it."""
    if entry.get('category_id') not in labels_of:
        return 'unknown category'
    if entry.get('iscrowd'):
        return 'crowd annotation'
    box = _clip_box(entry.get('bbox'), size)
    return box if isinstance(box, str) else (labels_of[entry['category_id']], box)


def _clip_box(box: Any, size: tuple[int, int]) -> tuple[float, ...] | str:
    """Return a COCO box (x, y, width, height) as clipped xyxy, or what is wrong with it."""
    numbers = isinstance(box, list) and all(isinstance(value, (int, float)) for value in box)
    if not numbers or len(box) != 4 or not np.isfinite(box).all():
        return 'malformed box'
    x, y, width, height = box
    if width <= 0 or height <= 0:
        return 'box of zero size'
    low_x, low_y = max(x, 0.0), max(y, 0.0)
    high_x, high_y = min(x + width, size[1]), min(y + height, size[0])
    if high_x - low_x < min(SMALLEST_SIDE, width) or high_y - low_y < min(SMALLEST_SIDE, height):
        return 'box outside its image'
    return low_x, low_y, high_x, high_y
