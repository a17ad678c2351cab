"""Reflections of objects, torn apart by the slopes the camera sees."""

from __future__ import annotations

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.sprite import Sprite
from spiking_retina_ros.detections import ImageArray

_SOLID = 128  # opacity from which a pixel counts as hull


def add_reflection(
    canvas: ImageArray,
    window: Window,
    slopes: FloatImage,
    first: int,
    sprite: Sprite,
    optics: Optics,
    light: Light,
    roughness: float,
) -> None:
    """
    Mirror a sprite in the water below it.

    ``slopes`` (rows, columns) belong to the canvas rows from max(``first``, window.top) on. A
    facet of slope s mirrors what stands higher by twice s; the whole shift would scatter the
    mirror image more than the eye finds right, so a part of it is taken.
    """
    height, width = sprite.opacity.shape
    contact = _contact(sprite) + np.float32(sprite.top)
    sea_top = max(first, window.top)
    start = max(int(contact.min()), sea_top)
    end = min(int(contact.max() + height * 1.1 + 2), window.bottom)
    left, right = max(sprite.left - 4, window.left), min(sprite.left + width + 4, window.right)
    if start >= end or left >= right:
        return
    rows = np.arange(start, end, dtype=np.float32)[:, None]
    columns = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(sprite.left)
    line = np.interp(columns[0], np.arange(width), contact).astype(np.float32)[None, :]
    slope = slopes[start - sea_top : end - sea_top, left - window.left : right - window.left]
    depth = rows - line
    tear = np.minimum(np.float32(0.1) + depth / np.float32(0.25 * height + 4.0), np.float32(1.0))
    shift = slope * tear
    map_y = line - depth * np.float32(0.95) - np.float32(sprite.top)
    map_y += shift * np.float32(0.45 * optics.focal)
    map_x = columns + cv2.blur(shift, (1, 5)) * np.float32(0.12 * optics.focal)
    soft = cv2.blur(sprite.pixels, (1, max(1, int(height * roughness * 0.8))))
    mirrored = cv2.remap(soft, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    reach = height * max(0.9 - 2.0 * roughness, 0.25)
    fade = np.exp(depth * np.float32(-1 / reach)) * (depth >= 0) * np.float32(0.75)
    alpha = (mirrored[..., 3:] / np.float32(255)) * fade[..., None]
    body = np.array(light.water, np.float32) * np.float32(0.12 * 255)
    part = canvas[start - window.top : end - window.top, left - window.left : right - window.left]
    mixed = part * (1 - alpha) + mirrored[..., :3] * (np.float32(0.82) * fade[..., None])
    part[:] = (mixed + body * alpha).astype(np.uint8)


def _contact(sprite: Sprite) -> FloatImage:
    """Return the row (columns,) of the sprite at which each column's mirror line lies."""
    height = sprite.opacity.shape[0]
    solid = sprite.opacity > _SOLID
    found = solid.any(axis=0)
    waterline = np.float32(sprite.waterline - sprite.top)
    if not found.any():
        return np.full(found.size, waterline, np.float32)
    lowest = (height - 1 - np.argmax(solid[::-1], axis=0)).astype(np.float32)
    lowest = np.where(found, lowest, waterline)
    # Parts that overhang the water (bows, booms) mirror in the line of the hull below them.
    deepest = lowest.max()
    return np.maximum(lowest, deepest - np.float32(0.35) * (deepest - lowest.min()))
