"""Houses, cranes, towers and quays along the water."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Colour, Light
from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Optics

_FACTOR = 4  # supersampling
_TALLEST = 62.0  # metres
_PAINTS: list[Colour] = [
    (0.78, 0.82, 0.84),
    (0.62, 0.72, 0.82),
    (0.45, 0.60, 0.78),
    (0.40, 0.45, 0.66),
    (0.70, 0.70, 0.66),
    (0.55, 0.78, 0.86),
    (0.55, 0.56, 0.58),
    (0.72, 0.66, 0.60),
]
_ROOFS: list[Colour] = [(0.25, 0.30, 0.50), (0.33, 0.34, 0.36)]
_STEEL: list[Colour] = [(0.1, 0.35, 0.75), (0.5, 0.35, 0.15), (0.3, 0.6, 0.8)]


class _Strip:
    """A supersampled strip of the coast, as wide as the canvas, standing on the horizon."""

    def __init__(self, columns: int, rows: int, metre: float, light: Light) -> None:
        self.colour = np.zeros((rows * _FACTOR, columns * _FACTOR, 3), np.float32)
        self.mask = np.zeros((rows * _FACTOR, columns * _FACTOR), np.uint8)
        self.metre = metre * _FACTOR
        sun = np.array(light.sun) * 0.35 * max(float(np.sin(light.sun_elevation)), 0.1)
        self.light = np.array(light.ambient) * 0.8 + sun

    @property
    def width(self) -> int:
        return self.mask.shape[1]

    @property
    def foot(self) -> int:
        return self.mask.shape[0]

    def paint(self, colour: NDArray[np.floating] | Colour) -> list[float]:
        return (np.array(colour) * self.light).tolist()

    def rectangle(self, left: int, top: int, right: int, bottom: int, paint: list[float]) -> None:
        cv2.rectangle(self.colour, (left, top), (right, bottom), paint, cv2.FILLED)
        cv2.rectangle(self.mask, (left, top), (right, bottom), 255, cv2.FILLED)

    def polygon(self, points: list[tuple[int, int]], paint: list[float]) -> None:
        corners = np.array(points, np.int32)
        cv2.fillConvexPoly(self.colour, corners, paint)
        cv2.fillConvexPoly(self.mask, corners, 255)

    def line(self, start: tuple[int, int], end: tuple[int, int], paint: list[float]) -> None:
        thickness = max(1, int(1.3 * self.metre))
        cv2.line(self.colour, start, end, paint, thickness)
        cv2.line(self.mask, start, end, 255, thickness)


def paint_front(
    canvas: FloatImage,
    optics: Optics,
    horizon: float,
    distance: float,
    light: Light,
    haze: NDArray[np.floating],
    rng: np.random.Generator,
) -> None:
    """Paint a town at ``distance`` metres: two rows of houses, cranes, a church, a quay."""
    strip = _strip(canvas, optics, horizon, distance, light)
    if strip is None:
        return
    start = -20 * strip.metre + strip.width * float(rng.choice([0.0, 0.0, 0.3]))
    for row in range(2):
        x = start
        while x < strip.width:
            wide = rng.uniform(7, 22) * strip.metre
            high = rng.uniform(5, 15 + 9 * (1 - row)) * strip.metre
            if rng.random() < 0.85:
                _house(strip, x, wide, high, rng)
            x += wide * rng.uniform(0.9, 1.25)
    for _ in range(int(rng.integers(0, 4))):
        _crane(strip, rng.uniform(0, strip.width), rng)
    if rng.random() < 0.6:
        _church(strip, rng.uniform(0.1, 0.9) * strip.width, rng)
    quay = int(1.8 * strip.metre)
    strip.rectangle(0, strip.foot - quay, strip.width, strip.foot, strip.paint((0.36, 0.38, 0.40)))
    _lay(strip, canvas, horizon, float(np.exp(-distance / light.visibility)), haze)


def paint_village(
    canvas: FloatImage,
    optics: Optics,
    horizon: float,
    distance: float,
    light: Light,
    haze: NDArray[np.floating],
    rng: np.random.Generator,
) -> None:
    """Sprinkle houses along a shore at ``distance`` metres, and perhaps a lighthouse."""
    strip = _strip(canvas, optics, horizon, distance, light)
    if strip is None:
        return
    centres = rng.uniform(0, strip.width, int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(6, 40))):
        x = rng.choice(centres) + rng.normal(0, 0.06) * strip.width
        _house(strip, x, rng.uniform(7, 14) * strip.metre, rng.uniform(4, 8) * strip.metre, rng)
    if rng.random() < 0.4:
        _lighthouse(strip, rng.uniform(0.05, 0.95) * strip.width, rng)
    _lay(strip, canvas, horizon, float(np.exp(-distance / light.visibility)), haze)


def _strip(
    canvas: FloatImage, optics: Optics, horizon: float, distance: float, light: Light
) -> _Strip | None:
    metre = optics.focal / distance
    rows = int(min(_TALLEST * metre + 6, horizon))
    return _Strip(canvas.shape[1], rows, metre, light) if rows >= 3 else None


def _lay(
    strip: _Strip, canvas: FloatImage, horizon: float, clear: float, haze: NDArray[np.floating]
) -> None:
    """Shrink a strip and lay it over the canvas, its foot on the horizon."""
    size = (strip.width // _FACTOR, strip.foot // _FACTOR)
    alpha = cv2.resize(strip.mask, size, interpolation=cv2.INTER_AREA)[..., None] / 255
    colour = cv2.resize(strip.colour, size, interpolation=cv2.INTER_AREA)
    colour = haze + (colour / np.maximum(alpha, 1e-3) - haze) * clear
    low = min(int(np.ceil(horizon)) + 1, canvas.shape[0])
    part = canvas[max(0, low - size[1]) : low]
    rows = part.shape[0]
    part += ((colour[-rows:] - part) * alpha[-rows:]).astype(np.float32)


def _house(strip: _Strip, x: float, wide: float, high: float, rng: np.random.Generator) -> None:
    metre = strip.metre
    tone = np.array(_PAINTS[int(rng.integers(len(_PAINTS)))]) * rng.uniform(0.75, 1.05)
    left, right, top = int(x), int(x + wide), int(strip.foot - high)
    strip.rectangle(left, top, right, strip.foot, strip.paint(tone))
    if rng.random() < 0.6:
        ridge, inset = int(rng.uniform(1.5, 4) * metre), int(wide * 0.2)
        gable = [
            (left, top),
            (right, top),
            (right - inset, top - ridge),
            (left + inset, top - ridge),
        ]
        strip.polygon(gable, strip.paint(_ROOFS[int(rng.integers(len(_ROOFS)))]))
    dark = strip.paint(tone * rng.uniform(0.35, 0.6))
    step_x, step_y = max(int(2.6 * metre), 3), max(int(3.0 * metre), 3)
    pane_x, pane_y = max(int(1.1 * metre), 1), max(int(1.5 * metre), 1)
    for y in range(top + step_y // 3, strip.foot - step_y, step_y):
        for column in range(left + step_x // 2, right - pane_x, step_x):
            strip.rectangle(column, y, column + pane_x, y + pane_y, dark)


def _crane(strip: _Strip, x: float, rng: np.random.Generator) -> None:
    metre = strip.metre
    paint = strip.paint(_STEEL[int(rng.integers(len(_STEEL)))])
    high, side = rng.uniform(25, 48) * metre, int(rng.choice([-1, 1]))
    foot, top = (int(x), strip.foot), (int(x), int(strip.foot - high))
    peak = (top[0], int(top[1] - 6 * metre))
    strip.line(foot, top, paint)
    strip.line((int(x - side * 8 * metre), top[1]), (int(x + side * 26 * metre), top[1]), paint)
    strip.line(top, peak, paint)
    strip.line(peak, (int(x + side * 24 * metre), top[1]), paint)


def _church(strip: _Strip, x: float, rng: np.random.Generator) -> None:
    metre = strip.metre
    wall, high = strip.paint(_PAINTS[int(rng.integers(len(_PAINTS)))]), rng.uniform(22, 34) * metre
    half, top = 3.5 * metre, int(strip.foot - high)
    strip.rectangle(int(x - half), top, int(x + half), strip.foot, wall)
    tip = (int(x), int(top - rng.uniform(8, 20) * metre))
    strip.polygon([(int(x - half), top), (int(x + half), top), tip], strip.paint((0.35, 0.42, 0.3)))


def _lighthouse(strip: _Strip, x: float, rng: np.random.Generator) -> None:
    metre = strip.metre
    high = rng.uniform(12, 26) * metre
    red, white = strip.paint((0.15, 0.15, 0.65)), strip.paint((0.85, 0.87, 0.88))
    for band in range(5):
        low, top = strip.foot - high * band / 5, strip.foot - high * (band + 1) / 5
        wide = (2.6 - 0.25 * band) * metre
        corners = [(x - wide, low), (x + wide, low), (x + wide * 0.9, top), (x - wide * 0.9, top)]
        strip.polygon([(int(a), int(b)) for a, b in corners], white if band % 2 else red)
    top_row = int(strip.foot - high)
    strip.rectangle(
        int(x - 1.2 * metre), int(top_row - 3 * metre), int(x + 1.2 * metre), top_row, red
    )
