"""What the camera adds: drops on the glass, blur, vignette, exposure and sensor noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.detections import ImageArray


@dataclass(frozen=True)
class Lens:
    """``drops`` on the glass, ``blur`` (deviation, pixels), ``noise`` (deviation, 0 to 1)."""

    drops: int = 0
    blur: float = 0.0
    motion: float = 0.0
    vignette: float = 0.15
    exposure: float = 1.0
    contrast: float = 1.0
    noise: float = 0.004


def draw_lens(rng: np.random.Generator) -> Lens:
    """Draw a lens as cameras on small vessels have them."""
    return Lens(
        drops=int(rng.integers(1, 14)) if rng.random() < 0.15 else 0,
        blur=float(rng.uniform(0.3, 1.1)) if rng.random() < 0.25 else 0.0,
        motion=float(rng.uniform(2, 7)) if rng.random() < 0.08 else 0.0,
        vignette=float(rng.uniform(0.0, 0.3)),
        exposure=float(np.exp(rng.normal(0.0, 0.1))),
        contrast=float(rng.uniform(0.88, 1.12)),
        noise=float(rng.uniform(0.0, 0.015)),
    )


def take_picture(scene: FloatImage, lens: Lens, rng: np.random.Generator) -> ImageArray:
    """Return the uint8 BGR picture of a scene (H, W, 3) float32 in [0, 1]."""
    if lens.drops:
        scene = _add_drops(scene, lens.drops, rng)
    if lens.blur:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), lens.blur), np.float32)
    if lens.motion:
        size = max(3, int(lens.motion) | 1)
        kernel = np.zeros((size, size), np.float32)
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * (size // 2)
        middle = np.array([size // 2, size // 2])
        start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
        cv2.line(kernel, start.tolist(), end.tolist(), 1.0, 1, cv2.LINE_AA)
        scene = np.asarray(cv2.filter2D(scene, -1, kernel / kernel.sum()), np.float32)
    height, width = scene.shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    shade = lens.exposure * (1.0 - lens.vignette * 0.5 * (x * x + y * y))
    picture = ((scene - 0.5) * lens.contrast + 0.5) * shade[..., None]
    if lens.noise:
        picture = picture + lens.noise * rng.standard_normal(scene.shape, np.float32)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def _add_drops(scene: FloatImage, count: int, rng: np.random.Generator) -> FloatImage:
    """Add drops of sea water on the glass: each is a small blurred lens, upside down."""
    height, width = scene.shape[:2]
    result = scene.copy()
    soft = cv2.GaussianBlur(scene, (0, 0), max(width / 250, 1.0))
    for _ in range(count):
        radius = float(np.clip(rng.lognormal(np.log(width * 0.018), 0.6), 3, width * 0.08))
        centre = rng.uniform((0, 0), (width, height))
        left, top = np.floor(np.maximum(centre - 2 * radius, 0)).astype(int)
        right, bottom = np.ceil(np.minimum(centre + 2 * radius, (width, height))).astype(int)
        if right - left < 2 or bottom - top < 2:
            continue
        x = np.arange(left, right, dtype=np.float32)[None, :] - centre[0]
        y = np.arange(top, bottom, dtype=np.float32)[:, None] - centre[1]
        wobble = 1 + 0.12 * np.sin(3 * np.arctan2(y, x) + rng.uniform(0, 6))
        distance = np.hypot(x, y * rng.uniform(0.8, 1.0)) / (radius * wobble)
        inside = np.clip((1.05 - distance) / 0.25, 0, 1).astype(np.float32)
        bend = (-2.2 + distance).astype(np.float32)
        view = cv2.remap(
            soft,
            (centre[0] + x * bend * 2).astype(np.float32),
            (centre[1] + y * bend * 2).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        rim = (
            1
            - 0.3 * np.exp(-(((distance - 0.92) / 0.12) ** 2))
            + 0.12 * np.exp(-(((distance - 0.7) / 0.2) ** 2)) * (y < 0)
        )
        part = result[top:bottom, left:right]
        part += (view * rim[..., None] - part) * (0.8 * inside)[..., None]
    return result
