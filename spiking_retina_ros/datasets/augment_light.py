"""Draws at random what weather and cameras do to a picture, for training."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets import effects
from spiking_retina_ros.datasets.sea.lens import add_drops
from spiking_retina_ros.detections import ImageArray


@dataclass(frozen=True)
class LightSettings:
    """Chances of each effect, all in [0, 1]; ``colour`` is applied to nearly every picture."""

    colour: float = 0.8
    haze: float = 0.08
    glare: float = 0.06
    blur: float = 0.1
    noise: float = 0.08
    jpeg: float = 0.08
    dusk: float = 0.0
    spray: float = 0.0


def random_light(
    image: ImageArray, settings: LightSettings, rng: np.random.Generator
) -> ImageArray:
    """Return a changed copy of a BGR image (H, W, 3) uint8; shapes stay where they are."""
    # new effects go last: what a recipe without them draws must stay as it is
    drawn = (
        (settings.colour, _colour),
        (settings.haze, _haze),
        (settings.glare, _glare),
        (settings.blur, _blur),
        (settings.noise, _noise),
        (settings.jpeg, _jpeg),
        (settings.dusk, _dusk),
        (settings.spray, _spray),
    )
    for chance, effect in drawn:
        if rng.random() < chance:
            image = effect(image, rng)
    return image


def _colour(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Gamma, brightness and white balance by one table; saturation by mixing with grey."""
    gamma = np.exp(rng.uniform(-0.35, 0.35))
    gain = rng.uniform(0.75, 1.25) * np.exp(rng.uniform(-0.08, 0.08, 3))
    ramp = (np.arange(256) / 255.0) ** gamma * 255.0
    table = np.clip(ramp[:, None] * gain, 0, 255).astype(np.uint8)
    image = np.asarray(cv2.LUT(image, table[:, None]), np.uint8)
    saturation = rng.uniform(0.0, 0.3) if rng.random() < 0.1 else rng.uniform(0.6, 1.4)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(image, saturation, grey, 1 - saturation, 0), np.uint8)


def _haze(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    air = rng.uniform(170, 235) + rng.uniform(-12, 12, 3)
    return effects.haze(image, air, rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.4))


def _glare(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    height, width = image.shape[:2]
    centre_y, centre_x = rng.uniform(0, height), rng.uniform(0, width)
    radius = rng.uniform(0.1, 0.35) * width
    return effects.glare(image, (centre_x, centre_y), radius, rng.uniform(60, 180))


def _blur(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Blur by motion along a random line or by a lens out of focus."""
    if rng.random() < 0.4:
        return effects.defocus(image, rng.uniform(0.4, 1.2))
    return effects.motion_blur(image, int(rng.integers(2, 6)), rng.uniform(0, np.pi))


def _noise(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    # the grain first, its strength after it: another order would change every recipe's samples
    grain = rng.standard_normal(image.shape, np.float32)
    return effects.noise(image, rng.uniform(2, 10), grain)


def _jpeg(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return effects.jpeg(image, int(rng.integers(25, 75)))


def _dusk(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    grain = rng.standard_normal(image.shape, np.float32)
    dark = effects.dusk(image, rng.uniform(0.2, 0.7))
    return effects.noise(dark, rng.uniform(1, 6), grain)


def _spray(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    return add_drops(image, int(rng.integers(3, 15)), rng)
