"""What the camera adds: drops on the glass, blur, vignette, exposure and sensor noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.detections import ImageArray

_DROP_SECONDS = 7.0  # until the wiper of this camera, the next wave, changes the drops


@dataclass(frozen=True)
class Lens:
    """``drops`` on the glass; ``blur`` (deviation) and ``motion`` (length) in pixels; ``noise``."""

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


def take_picture(shot: ImageArray, lens: Lens, rng: np.random.Generator) -> ImageArray:
    """Return what a camera with this lens makes of a picture (H, W, 3) uint8 BGR."""
    if lens.drops:
        shot = add_drops(shot, lens.drops, rng)
    scene = shot.astype(np.float32) / np.float32(255)
    if lens.blur:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), lens.blur), np.float32)
    if lens.motion:
        scene = np.asarray(cv2.filter2D(scene, -1, _streak(lens.motion, rng)), np.float32)
    shade = lens.exposure * _vignette(scene.shape[0], scene.shape[1], lens.vignette)
    picture = ((scene - np.float32(0.5)) * np.float32(lens.contrast) + np.float32(0.5)) * shade
    if lens.noise:
        picture += np.float32(lens.noise) * rng.standard_normal(scene.shape, np.float32)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


class Sensor:
    """The fixed lens of a moving camera: vignette and noise at little cost, drops if asked for."""

    def __init__(
        self, width: int, height: int, rng: np.random.Generator, *, spray: bool = False
    ) -> None:
        shade = np.repeat(_vignette(height, width, 0.16), 3, axis=2)
        self._shade = (shade * 255).astype(np.uint8)
        grain = np.abs(rng.standard_normal((height + 64, width + 64, 3), np.float32)) * 1.6
        self._grain = np.rint(grain).astype(np.uint8)
        self._seed = int(rng.integers(2**31))
        self._spray = spray

    def expose(self, shot: ImageArray, index: int, time: float) -> ImageArray:
        """Return the picture (H, W, 3) uint8 of frame ``index`` at ``time`` seconds."""
        if self._spray:
            rng = np.random.default_rng([self._seed, int(time / _DROP_SECONDS)])
            shot = add_drops(shot, int(rng.integers(3, 12)), rng)
        height, width = shot.shape[:2]
        picture = cv2.multiply(shot, self._shade, scale=1 / 255)
        rng = np.random.default_rng([self._seed, index, 1])
        for combine in (cv2.add, cv2.subtract):
            y, x = rng.integers(0, 64, 2)
            picture = combine(picture, self._grain[y : y + height, x : x + width])
        return np.asarray(picture, np.uint8)


def add_drops(shot: ImageArray, count: int, rng: np.random.Generator) -> ImageArray:
    """Return the picture with drops on the glass: each a small blurred lens, upside down."""
    height, width = shot.shape[:2]
    result = shot.copy()
    for _ in range(count):
        radius = float(np.clip(rng.lognormal(np.log(width * 0.018), 0.6), 3, width * 0.08))
        _add_drop(shot, result, rng.uniform((0, 0), (width, height)), radius, rng)
    return result


def _add_drop(
    shot: ImageArray,
    result: ImageArray,
    centre: np.ndarray,
    radius: float,
    rng: np.random.Generator,
) -> None:
    height, width = shot.shape[:2]
    squash, turn = rng.uniform(0.8, 1.0), rng.uniform(0, 6)
    (left, top), (right, bottom) = _around(centre, 1.3 * radius, width, height)
    if right - left < 2 or bottom - top < 2:
        return
    x = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(centre[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(centre[1])
    wobble = 1 + 0.1 * np.sin(3 * np.arctan2(y, x) + turn)
    distance = (np.hypot(x, y * squash) / (radius * wobble)).astype(np.float32)
    inside = np.clip((1.05 - distance) / 0.25, 0, 1)[..., None]
    # The drop shows a wide view of its surroundings, turned upside down and out of focus.
    (from_x, from_y), (to_x, to_y) = _around(centre, 5.5 * radius, width, height)
    around = cv2.blur(shot[from_y:to_y, from_x:to_x], (1 + int(radius / 6) * 2,) * 2)
    bend = (2 * distance - 4.4).astype(np.float32)
    view = cv2.remap(
        around,
        (np.float32(centre[0] - from_x) + x * bend).astype(np.float32),
        (np.float32(centre[1] - from_y) + y * bend).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    rim = 1 - 0.3 * np.exp(-(((distance - 0.92) / 0.12) ** 2))
    rim += 0.12 * np.exp(-(((distance - 0.7) / 0.2) ** 2)) * (y < 0)
    part = result[top:bottom, left:right]
    lit = np.clip(view * rim[..., None], 0, 255)
    part[:] = (part + (lit - part) * (0.8 * inside)).astype(np.uint8)


def _around(
    centre: np.ndarray, reach: float, width: int, height: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    left, top = np.floor(np.maximum(centre - reach, 0)).astype(int).tolist()
    right, bottom = np.ceil(np.minimum(centre + reach, (width, height))).astype(int).tolist()
    return (left, top), (right, bottom)


def _streak(length: float, rng: np.random.Generator) -> FloatImage:
    """Return a kernel that blurs along a line of ``length`` pixels."""
    size = max(3, int(length) | 1)
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (size // 2)
    middle = np.array([size // 2, size // 2])
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0, 1, cv2.LINE_AA)
    return (kernel / kernel.sum()).astype(np.float32)


def _vignette(height: int, width: int, strength: float) -> FloatImage:
    """Return the brightness (H, W, 1) that is left towards the corners."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    return (1 - np.float32(0.5 * strength) * (x * x + y * y)).astype(np.float32)
