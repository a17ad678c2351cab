"""
Views of photographs for training: zoom, crop, flip and mosaic, boxes along with them.

Everything draws from a numpy Generator that the caller seeds, so a view can be made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.detections import FloatArray, ImageArray

FILL = (127, 127, 127)


@dataclass(frozen=True)
class Sample:
    """An image (H, W, 3) uint8 with boxes (N, 4) xyxy in its pixels and labels (N,) int64."""

    image: ImageArray
    boxes: FloatArray
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class ViewSettings:
    """
    How views are drawn.

    ``zoom`` is the range of sizes relative to the letterboxed image (below 1: zoomed out, objects
    become small), drawn evenly over its logarithm; ``aspect`` the range of the width's extra
    stretch. An object is dropped when less than ``visible`` of its area stays, or when a side
    falls below ``smallest`` pixels.
    """

    zoom: tuple[float, float] = (0.7, 1.9)
    aspect: tuple[float, float] = (0.85, 1.18)
    flip: float = 0.5
    mosaic: float = 0.25
    visible: float = 0.3
    smallest: float = 2.0


def random_view(
    sample: Sample, size: tuple[int, int], settings: ViewSettings, rng: np.random.Generator
) -> Sample:
    """Return a random part of ``sample``, or all of it with a margin, as an image of ``size``."""
    height, width = sample.image.shape[:2]
    fit = min(size[0] / height, size[1] / width)
    zoom = np.exp(rng.uniform(*np.log(settings.zoom)))
    stretch = np.exp(rng.uniform(*np.log(settings.aspect)) / 2)
    scale_x, scale_y = fit * zoom * stretch, fit * zoom / stretch
    wanted = _random_box_centre(sample, rng)
    left = _offset(width * scale_x, size[1], wanted[0] * scale_x, rng)
    top = _offset(height * scale_y, size[0], wanted[1] * scale_y, rng)
    image = _draw(sample.image, size, (scale_x, scale_y), (left, top))
    scale = np.array([scale_x, scale_y] * 2, np.float32)
    boxes = sample.boxes * scale + np.array([left, top] * 2, np.float32)
    view = clip_objects(Sample(image, boxes, sample.labels), settings)
    return flip(view) if rng.random() < settings.flip else view


def mosaic(
    draw: Callable[[], Sample],
    size: tuple[int, int],
    settings: ViewSettings,
    rng: np.random.Generator,
) -> Sample:
    """Return four random views of what ``draw`` gives, around a random centre."""
    height, width = size
    middle_y = int(height * rng.uniform(0.35, 0.65))
    middle_x = int(width * rng.uniform(0.35, 0.65))
    image = np.empty((height, width, 3), np.uint8)
    boxes, labels = [], []
    for top, bottom in ((0, middle_y), (middle_y, height)):
        for left, right in ((0, middle_x), (middle_x, width)):
            view = random_view(draw(), (bottom - top, right - left), settings, rng)
            image[top:bottom, left:right] = view.image
            boxes.append(view.boxes + np.array([left, top, left, top], np.float32))
            labels.append(view.labels)
    return Sample(image, np.concatenate(boxes), np.concatenate(labels))


def flip(sample: Sample) -> Sample:
    """Return the mirror image, left for right."""
    width = sample.image.shape[1]
    boxes = sample.boxes.copy()
    boxes[:, [0, 2]] = width - sample.boxes[:, [2, 0]]
    return Sample(np.ascontiguousarray(sample.image[:, ::-1]), boxes, sample.labels)


def clip_objects(sample: Sample, settings: ViewSettings) -> Sample:
    """Clip boxes to the image and drop objects of which too little is left."""
    height, width = sample.image.shape[:2]
    limit = np.array([width, height, width, height], np.float32)
    boxes = np.clip(sample.boxes, 0.0, limit)
    before = (sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(axis=1)
    sides = boxes[:, 2:] - boxes[:, :2]
    keep = (sides.prod(axis=1) >= settings.visible * before) & (
        sides.min(axis=1, initial=np.inf) >= settings.smallest
    )
    return Sample(sample.image, boxes[keep], sample.labels[keep])


def _random_box_centre(sample: Sample, rng: np.random.Generator) -> tuple[float, float]:
    """Return a point to keep in view: mostly an object, so that crops are seldom empty."""
    height, width = sample.image.shape[:2]
    if len(sample.boxes) and rng.random() < 0.7:
        box = sample.boxes[rng.integers(len(sample.boxes))]
        return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    return rng.uniform(0, width), rng.uniform(0, height)


def _offset(extent: float, room: int, point: float, rng: np.random.Generator) -> float:
    """Return where an image of ``extent`` begins in ``room``, keeping ``point`` in view."""
    if extent <= room:
        return float(rng.uniform(0, room - extent))
    low, high = max(room - extent, -point), min(0.0, room - point)
    return float(rng.uniform(low, high)) if low < high else float(np.clip(low, room - extent, 0))


def _draw(
    image: ImageArray,
    size: tuple[int, int],
    scale: tuple[float, float],
    offset: tuple[float, float],
) -> ImageArray:
    """Return ``image`` scaled and moved; shrinking averages areas, as `Letterbox` does."""
    height, width = image.shape[:2]
    # Only the part in view is resized. Whole source pixels, whole target pixels: the rounding
    # moves the picture by less than half a pixel against its boxes.
    source, target = [], []
    for extent, room, factor, start in (
        (width, size[1], scale[0], offset[0]),
        (height, size[0], scale[1], offset[1]),
    ):
        first = int(np.clip(np.floor(-start / factor), 0, extent - 1))
        last = int(np.clip(np.ceil((room - start) / factor), first + 1, extent))
        begin, end = round(first * factor + start), round(last * factor + start)
        source.append((first, last))
        target.append((begin, max(begin + 1, end)))
    part = image[source[1][0] : source[1][1], source[0][0] : source[0][1]]
    (left, right), (top, bottom) = target
    mode = cv2.INTER_AREA if scale[0] < 1 else cv2.INTER_LINEAR
    shape = (right - left, bottom - top)
    part = np.asarray(cv2.resize(part, shape, interpolation=mode), np.uint8)
    canvas = np.empty((*size, 3), np.uint8)
    canvas[:] = FILL
    low_x, low_y = max(left, 0), max(top, 0)
    high_x, high_y = min(right, size[1]), min(bottom, size[0])
    canvas[low_y:high_y, low_x:high_x] = part[
        low_y - top : high_y - top, low_x - left : high_x - left
    ]
    return canvas
