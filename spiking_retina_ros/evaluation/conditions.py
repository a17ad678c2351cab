"""
Conditions a detector meets at sea, each at one stated strength, the same for everybody by seed.

Strengths are relative to the picture's size where they are lengths, so that pictures of all sizes
suffer alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets import effects
from spiking_retina_ros.datasets.sea.lens import add_drops
from spiking_retina_ros.detections import FloatArray, ImageArray

Change = Callable[[ImageArray, np.random.Generator], ImageArray]
GREY = 127


@dataclass(frozen=True)
class Condition:
    """
    What happens to a picture: first ``change``, then shrinking to ``scale`` on a grey canvas.

    The canvas keeps the picture's old size, so that all objects become smaller in what the network
    sees; shrinking the picture alone would be undone by fitting it to the network's input.
    """

    name: str
    strength: str
    change: Change | None = None
    scale: float = 1.0

    def apply(
        self, image: ImageArray, boxes: FloatArray, rng: np.random.Generator
    ) -> tuple[ImageArray, FloatArray]:
        """Return the changed picture (H, W, 3) uint8 and its boxes (N, 4) xyxy."""
        if self.change is not None:
            image = self.change(image, rng)
        if self.scale == 1.0:
            return image, boxes
        height, width = image.shape[:2]
        size = max(1, round(height * self.scale)), max(1, round(width * self.scale))
        top, left = (height - size[0]) // 2, (width - size[1]) // 2
        canvas = np.full_like(image, GREY)
        canvas[top : top + size[0], left : left + size[1]] = cv2.resize(
            image, size[::-1], interpolation=cv2.INTER_AREA
        )
        factor = np.array([size[1] / width, size[0] / height] * 2)
        moved = boxes * factor + np.array([left, top, left, top])
        return canvas, moved.astype(np.float32)


def _haze(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return effects.haze(image, 205.0, 0.65, 0.4)


def _glare(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    height, width = image.shape[:2]
    centre = rng.uniform(0, width), rng.uniform(0.3, 0.7) * height
    return effects.glare(image, centre, 0.25 * width, 180.0)


def _motion_blur(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    length = max(2, round(0.01 * image.shape[1]))
    return effects.motion_blur(image, length, rng.uniform(0, np.pi))


def _noise(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return effects.noise(image, 15.0, _grain(image, rng))


def _jpeg(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return effects.jpeg(image, 20)


def _spray(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return add_drops(image, 12, rng)


def _dusk(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return effects.noise(effects.dusk(image, 0.3), 4.0, _grain(image, rng))


def _grain(image: ImageArray, rng: np.random.Generator) -> FloatArray:
    return rng.standard_normal(image.shape, np.float32)


CONDITIONS = (
    Condition('as it is', ''),
    Condition('haze', '65 % air at the top, 40 % at the bottom', _haze),
    Condition('glare', 'up to 180 grey levels, a quarter of the width wide', _glare),
    Condition('motion blur', '1 % of the width, any direction', _motion_blur),
    Condition('noise', 'deviation 15 grey levels', _noise),
    Condition('jpeg', 'quality 20', _jpeg),
    Condition('spray', '12 drops on the lens', _spray),
    Condition('dusk', '30 % of the light, noise of 4 grey levels', _dusk),
    Condition('scale 0.75', 'on a grey canvas', None, 0.75),
    Condition('scale 0.5', 'on a grey canvas', None, 0.5),
)
# Deviation of the waves' slopes, as the sea camera takes it.
SEA_STATES = {'calm': 0.03, 'moderate': 0.1, 'rough': 0.2}
