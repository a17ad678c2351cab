"""What stands behind the sea: low shores, hills, mountain ridges and harbour fronts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.harbour import paint_front, paint_village
from spiking_retina_ros.datasets.sea.light import Colour, Light
from spiking_retina_ros.datasets.sea.mirror import Shore
from spiking_retina_ros.datasets.sea.noise import (
    FloatImage,
    fractal_line,
    fractal_noise,
    smoothstep,
)
from spiking_retina_ros.datasets.sea.optics import Optics, Window

KINDS = ('open', 'shore', 'hills', 'mountains', 'harbour')
_LINE = 4096  # samples of a skyline
_LINE_SPAN = 2.5  # radians until a skyline repeats
_GREEN: Colour = (0.15, 0.25, 0.21)
_ROCK: Colour = (0.33, 0.34, 0.36)


@dataclass(frozen=True)
class Ridge:
    """
    A line of land.

    Mean ``height`` as an angle in radians, ``range`` in metres, ``roughness`` how fast the skyline
    loses detail, ``trees`` their height in metres, ``snow`` the share of the height at which it
    begins (above 1: none), ``village`` whether houses stand at the water.
    """

    height: float
    range: float
    roughness: float
    colour: Colour
    trees: float = 0.0
    snow: float = 2.0
    village: bool = False


@dataclass(frozen=True)
class Coast:
    """The land behind the sea: ridges, farthest first, and the range of a harbour front."""

    ridges: tuple[Ridge, ...] = ()
    front: float | None = None

    @property
    def nearest(self) -> float:
        """Return the range in metres beyond which there is no water."""
        ranges = [ridge.range for ridge in self.ridges]
        return min([*ranges, *([] if self.front is None else [self.front])], default=np.inf)


def plan_coast(rng: np.random.Generator, kind: str, light: Light) -> Coast:
    """Draw a coast of one of ``KINDS``; in fog it may be there without being seen."""
    far = float(np.clip(light.visibility, 3000.0, 12000.0))
    village = bool(rng.random() < 0.6)
    if kind == 'open':
        return Coast()
    if kind == 'shore':
        height, away = rng.uniform(0.004, 0.016), far * rng.uniform(0.25, 0.6)
        return Coast((Ridge(height, away, 1.1, _GREEN, 14.0, village=village),))
    if kind == 'harbour':
        distance = float(np.clip(far * rng.uniform(0.06, 0.13), 350.0, 1200.0))
        back = Ridge(rng.uniform(0.02, 0.07), far * 0.6, 1.5, _GREEN, 10.0)
        front = Ridge(rng.uniform(0.003, 0.008), distance * 1.1, 1.1, _GREEN, 8.0)
        return Coast((back, front) if rng.random() < 0.6 else (front,), distance)
    return Coast(_plan_mountains(rng, kind == 'hills', far, village))


def _plan_mountains(
    rng: np.random.Generator, hills: bool, far: float, village: bool
) -> tuple[Ridge, ...]:
    count = int(rng.integers(2, 5))
    high = rng.uniform(0.03, 0.07) if hills else rng.uniform(0.08, 0.2)
    snow = 0.62 if not hills and rng.random() < 0.6 else 2.0
    ranges = np.geomspace(far * 1.2, far * 0.25, count)
    heights = np.linspace(high, high * 0.22, count)
    return tuple(
        Ridge(
            height=float(height),
            range=float(distance),
            roughness=1.7 if hills else 1.5,
            colour=_GREEN if hills or index else _ROCK,
            trees=12.0 if index else 0.0,
            snow=snow if index == 0 else 2.0,
            village=village and index == count - 1,
        )
        for index, (height, distance) in enumerate(zip(heights, ranges, strict=True))
    )


def draw_coast(
    canvas: FloatImage,
    optics: Optics,
    window: Window,
    light: Light,
    coast: Coast,
    rng: np.random.Generator,
) -> Shore | None:
    """
    Paint the land onto the sky (rows, columns, 3), BGR in [0, 1].

    Returns what of it the water mirrors, None for an open horizon.
    """
    horizon = optics.centre[1] - window.top
    if not coast.ridges or horizon < 2:
        return None
    haze = canvas[min(int(horizon), canvas.shape[0]) - 1].mean(axis=0)
    for ridge in coast.ridges:
        _paint_ridge(canvas, optics, horizon, ridge, light, haze, rng)
        if ridge.village:
            paint_village(canvas, optics, horizon, ridge.range, light, haze, rng)
    if coast.front is not None:
        paint_front(canvas, optics, horizon, coast.front, light, haze, rng)
    foot = min(int(horizon), canvas.shape[0])
    top = int(np.clip(horizon - 0.02 * optics.focal, 0, foot - 1))
    blue, green, red = canvas[top:foot].mean(axis=(0, 1)).tolist()
    angle = max(ridge.height for ridge in coast.ridges)
    return Shore(max(0.5 * angle, 0.006), (blue, green, red))


def _paint_ridge(
    canvas: FloatImage,
    optics: Optics,
    horizon: float,
    ridge: Ridge,
    light: Light,
    haze: NDArray[np.floating],
    rng: np.random.Generator,
) -> None:
    skyline = _skyline(canvas.shape[1], optics, ridge, rng)
    top = int(np.clip(horizon - skyline.max() - 2, 0, canvas.shape[0]))
    base = int(np.clip(np.ceil(horizon) + 1, 0, canvas.shape[0]))
    if top >= base:
        return
    above = np.float32(horizon) - np.arange(top, base, dtype=np.float32)[:, None]
    alpha = np.clip(skyline[None, :] - above + 0.5, 0, 1).astype(np.float32)
    share = np.clip(above / np.maximum(skyline[None, :], 1.0), 0, 1).astype(np.float32)
    relief, grain = _relief(above, canvas.shape[1], optics, ridge, light, rng)
    lit = np.clip(0.78 + 0.3 * relief + 0.1 * grain, 0.35, 1.5)[..., None]
    colour = np.array(ridge.colour, np.float32) * lit
    if ridge.snow < 1:
        edge = share + 0.1 * grain + 0.12 * relief
        white = smoothstep(edge.astype(np.float32), ridge.snow, ridge.snow + 0.12)[..., None]
        colour = colour + (0.85 * np.clip(0.4 + 0.6 * lit, 0.6, 1.1) - colour) * white
    sun = np.array(light.sun) * 0.5 * max(float(np.sin(light.sun_elevation)), 0.05)
    colour = colour * (np.array(light.ambient) * 0.75 + sun).astype(np.float32)
    # Haze is thickest near the water, which lets the foot of a mountain fade first.
    clear = np.exp(-ridge.range / (light.visibility * 0.85)) * (0.72 + 0.28 * share[..., None])
    colour = haze + (colour - haze) * clear
    part = canvas[top:base]
    part += ((colour - part) * alpha[..., None]).astype(np.float32)


def _skyline(columns: int, optics: Optics, ridge: Ridge, rng: np.random.Generator) -> FloatImage:
    """Return the height (columns,) of the land over the horizon in pixels."""
    line = fractal_line(rng, _LINE, slope=ridge.roughness)
    bearing = np.arange(columns) / optics.focal
    at = (rng.uniform(0, _LINE) + bearing * _LINE / _LINE_SPAN) % _LINE
    profile = np.interp(at, np.arange(_LINE), line)
    height = np.clip(ridge.height * (0.75 + 0.45 * profile), -0.01, None)
    if ridge.trees:
        trees = fractal_line(rng, _LINE, slope=0.25)
        at = (bearing * 40 * _LINE / _LINE_SPAN) % _LINE
        height = height + np.interp(at, np.arange(_LINE), trees) * 0.25 * ridge.trees / ridge.range
    return (height * optics.focal).astype(np.float32)


def _relief(
    above: FloatImage,
    columns: int,
    optics: Optics,
    ridge: Ridge,
    light: Light,
    rng: np.random.Generator,
) -> tuple[FloatImage, FloatImage]:
    """Return light and shade of gullies, and fine grain, each (rows, columns) of deviation 1."""
    field = fractal_noise(rng, (256, 1024), slope=1.7, stretch=0.8, low=2.0)
    crests = 1.0 - np.abs(field)  # sharp crests between wide gullies
    side = 1.0 if np.sin(light.sun_azimuth) > 0 else -1.0
    shade = crests - np.roll(crests, (3, int(5 * side)), axis=(0, 1))
    shade = (shade / shade.std()).astype(np.float32)
    fine = fractal_noise(rng, (256, 1024), slope=0.7)
    scale = np.float32(0.05 * 1024 / max(ridge.height, 0.01) / optics.focal)
    angle = np.arange(columns, dtype=np.float32)[None, :] * scale
    map_x = np.repeat(angle % 1024, above.shape[0], axis=0)
    map_y = np.repeat((above * scale * np.float32(0.6)) % 256, columns, axis=1)
    relief, grain = (
        cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        for texture in (shade, fine)
    )
    return np.asarray(relief, np.float32), np.asarray(grain, np.float32)
