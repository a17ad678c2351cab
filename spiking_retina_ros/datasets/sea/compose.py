"""Puts objects on the sea and finds the boxes of what is visible of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, Window, canvas_to_image
from spiking_retina_ros.datasets.sea.solid import Solid
from spiking_retina_ros.datasets.sea.sprite import Pose, Sprite
from spiking_retina_ros.detections import FloatArray, ImageArray

SEEN_OPACITY = 64  # of 255: a pixel belongs to an object that covers at least this much of it
LEAST_SIDE = 3.0  # pixels
LEAST_AREA = 12  # pixels
LEAST_VISIBLE = 0.3  # share of the object's pixels in the picture that nothing nearer hides


@dataclass(frozen=True)
class Actor:
    """
    An object in the scene.

    ``class_name`` None is something that gets no box; ``speed`` through the water in m/s makes
    the wake.
    """

    solid: Solid
    pose: Pose
    class_name: str | None
    speed: float = 0.0


@dataclass(frozen=True)
class _Cover:
    """An object's opacity (H, W) uint8 in the picture; its first pixel is (left, top)."""

    opacity: ImageArray
    left: int
    top: int


def blend(canvas: ImageArray, window: Window, sprite: Sprite) -> None:
    """Lay a sprite over the part of the canvas it covers."""
    found = _overlap(sprite.opacity.shape, sprite.left, sprite.top, canvas, window.left, window.top)
    if found is None:
        return
    here, there = found
    pixels = sprite.pixels[there]
    rest = cv2.cvtColor(255 - pixels[..., 3], cv2.COLOR_GRAY2BGR)
    under = cv2.multiply(np.ascontiguousarray(canvas[here]), rest, scale=1 / 255)
    canvas[here] = cv2.add(under, np.ascontiguousarray(pixels[..., :3]))


def visible_boxes(
    sprites: Sequence[tuple[Actor, Sprite]], optics: Optics, attitude: Attitude
) -> tuple[FloatArray, tuple[str, ...]]:
    """
    Return boxes (N, 4) float32 xyxy in image pixels and N class names, farthest object first.

    ``sprites`` are sorted from far to near. A box holds exactly the pixels of which its object
    covers ``SEEN_OPACITY`` / 255 or more after nearer objects and the picture's edge have taken
    their part; the box of pixel columns 3 to 7 reaches from 3 to 8. Objects that are tiny or
    mostly hidden get none.
    """
    matrix = canvas_to_image(optics, attitude)
    covers = [_turned_opacity(sprite, matrix, optics) for _, sprite in sprites]
    boxes, names = [], []
    for index, (actor, _) in enumerate(sprites):
        cover = covers[index]
        if cover is None or actor.class_name is None:
            continue
        nearer = [other for other in covers[index + 1 :] if other is not None]
        box = _visible_box(cover, nearer)
        if box is not None:
            boxes.append(box)
            names.append(actor.class_name)
    return np.array(boxes, np.float32).reshape(-1, 4), tuple(names)


def turn_canvas(
    canvas: ImageArray, window: Window, optics: Optics, attitude: Attitude
) -> ImageArray:
    """Return the picture (H, W, 3) a camera at ``attitude`` sees of the level canvas."""
    map_x, map_y = _canvas_places(optics, attitude)
    map_x -= np.float32(window.left)
    map_y -= np.float32(window.top)
    picture = cv2.remap(canvas, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.uint8)


def _canvas_places(optics: Optics, attitude: Attitude) -> tuple[FloatArray, FloatArray]:
    """
    Return x and y on the canvas of every pixel of the picture, each (H, W) float32.

    The homography is worked out in the middle of cells of 8x8 pixels, one cell beyond the edges,
    and interpolated between them, which errs by less than a hundredth of a pixel.
    """
    size, width, height = 8, optics.width, optics.height_pixels
    columns, rows = -(-width // size) + 2, -(-height // size) + 2
    x = (np.arange(columns) - 0.5) * size - 0.5
    y = (np.arange(rows) - 0.5) * size - 0.5
    matrix = np.linalg.inv(canvas_to_image(optics, attitude))
    places = matrix @ np.stack([*np.meshgrid(x, y), np.ones((rows, columns))]).reshape(3, -1)
    full = (columns * size, rows * size)
    map_x, map_y = (
        cv2.resize(
            (places[axis] / places[2]).reshape(rows, columns).astype(np.float32),
            full,
            interpolation=cv2.INTER_LINEAR,
        )[size : size + height, size : size + width]
        for axis in (0, 1)
    )
    return np.asarray(map_x, np.float32), np.asarray(map_y, np.float32)


def _visible_box(cover: _Cover, nearer: Sequence[_Cover]) -> FloatArray | None:
    visible = cover.opacity
    whole = int((visible >= SEEN_OPACITY).sum())
    for other in nearer:
        found = _overlap(other.opacity.shape, other.left, other.top, visible, cover.left, cover.top)
        if found is not None:
            visible = visible.copy() if visible is cover.opacity else visible
            left_over = visible[found[0]] * (255.0 - other.opacity[found[1]]) / 255.0
            visible[found[0]] = left_over.astype(np.uint8)
    seen = visible >= SEEN_OPACITY
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    count = int(seen.sum())
    if count < LEAST_AREA or count < LEAST_VISIBLE * whole:
        return None
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
    if min(box[2] - box[0], box[3] - box[1]) < LEAST_SIDE:
        return None
    return box + np.array([cover.left, cover.top] * 2, np.float32)


def _turned_opacity(sprite: Sprite, matrix: NDArray[np.float64], optics: Optics) -> _Cover | None:
    """Turn a sprite's opacity as the canvas is turned and clip it to the picture."""
    rows, columns = sprite.opacity.shape
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]], float)
    corners[:, :2] += (sprite.left, sprite.top)
    mapped = matrix @ corners.T
    mapped = mapped[:2] / mapped[2]
    left, top = np.floor(np.maximum(mapped.min(axis=1) - 1, 0)).astype(int).tolist()
    limit = (optics.width, optics.height_pixels)
    right, bottom = np.ceil(np.minimum(mapped.max(axis=1) + 2, limit)).astype(int).tolist()
    if left >= right or top >= bottom:
        return None
    before = np.array([[1, 0, sprite.left], [0, 1, sprite.top], [0, 0, 1]], float)
    after = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], float)
    opacity = cv2.warpPerspective(
        np.ascontiguousarray(sprite.opacity),
        after @ matrix @ before,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR,
    )
    return _Cover(np.asarray(opacity, np.uint8), left, top)


def _overlap(
    size: tuple[int, ...], left: int, top: int, array: ImageArray, array_left: int, array_top: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Return where a patch of ``size`` at (left, top) meets ``array``: its slices, the patch's."""
    dx, dy = left - array_left, top - array_top
    x0, y0 = max(dx, 0), max(dy, 0)
    x1, y1 = min(dx + size[1], array.shape[1]), min(dy + size[0], array.shape[0])
    if x0 >= x1 or y0 >= y1:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - dy, y1 - dy), slice(x0 - dx, x1 - dx))
