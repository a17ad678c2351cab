"""
What weather and cameras do to a picture, each at a strength that is given, not drawn.

Pictures are BGR (H, W, 3) uint8; every function returns a new one of the same shape.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike

from spiking_retina_ros.detections import FloatArray, ImageArray


def haze(image: ImageArray, air: ArrayLike, top: float, bottom: float) -> ImageArray:
    """Fade towards ``air`` (a grey value or BGR, 0..255), from a share at the top to the bottom."""
    slope = np.linspace(top, bottom, image.shape[0])[:, None, None]
    return (image * (1 - slope) + np.asarray(air) * slope).astype(np.uint8)


def glare(
    image: ImageArray, centre: tuple[float, float], radius: float, brightness: float
) -> ImageArray:
    """Add a soft spot at ``centre`` (x, y), ``radius`` its deviation in pixels."""
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    spot = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * radius**2))
    light = (spot * brightness).astype(np.uint8)
    return np.asarray(cv2.add(image, cv2.merge([light] * 3)), np.uint8)


def defocus(image: ImageArray, deviation: float) -> ImageArray:
    """Blur by a lens out of focus; the deviation is in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), deviation), np.uint8)


def motion_blur(image: ImageArray, length: int, angle: float) -> ImageArray:
    """Blur along a line of ``length`` pixels at ``angle`` radians."""
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    start, end = (length - reach).round().astype(int), (length + reach).round().astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def noise(image: ImageArray, deviation: float, grain: FloatArray) -> ImageArray:
    """Add sensor noise; the deviation is in grey levels, ``grain`` standard normal (H, W, 3)."""
    return np.clip(image + grain * deviation, 0, 255).astype(np.uint8)


def jpeg(image: ImageArray, quality: int) -> ImageArray:
    """Compress and decompress; quality 1 to 100."""
    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def dusk(image: ImageArray, gain: float) -> ImageArray:
    """Darken to a share ``gain`` of the light, the darks most, and shift what is left to blue."""
    ramp = (np.arange(256) / 255.0) ** 1.3 * 255.0 * gain
    table = np.clip(ramp[:, None] * (1.15, 0.97, 0.88), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[:, None]), np.uint8)
