"""What stands behind the sea: mountain ridges, low shores and harbour fronts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour, Light
from spiking_retina_ros.datasets.sea.noise import (
    FloatImage,
    fractal_line,
    fractal_noise,
    smoothstep,
)
from spiking_retina_ros.datasets.sea.optics import Optics, Window

KINDS = ('open', 'shore', 'hills', 'mountains', 'harbour')
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


@dataclass(frozen=True)
class Ridge:
    """A line of land: mean and varying ``height`` as angles (radians), ``range`` in metres."""

    height: float
    range: float
    slope: float
    colour: Colour
    snow: float = 2.0


def draw_ridges(rng: np.random.Generator, kind: str, light: Light) -> list[Ridge]:
    """Return the ridges of one of ``KINDS``, farthest first."""
    green, rock = (0.17, 0.27, 0.22), (0.34, 0.34, 0.36)
    far = min(light.visibility, 12000.0)
    if kind == 'open':
        return []
    if kind == 'shore':
        return [Ridge(rng.uniform(0.004, 0.02), far * rng.uniform(0.2, 0.8), 1.0, green)]
    if kind == 'harbour':
        back = [Ridge(rng.uniform(0.02, 0.08), far * 0.7, 1.5, green)] if rng.random() < 0.6 else []
        return [*back, Ridge(rng.uniform(0.004, 0.01), far * 0.12, 0.9, rock)]
    count = int(rng.integers(2, 5))
    high = rng.uniform(0.03, 0.07) if kind == 'hills' else rng.uniform(0.09, 0.22)
    ranges = np.geomspace(far * 1.3, far * 0.25, count)
    heights = np.linspace(high, high * 0.2, count)
    slope = 1.7 if kind == 'hills' else 1.45
    return [
        Ridge(
            float(h),
            float(r),
            slope,
            green if kind == 'hills' or index else rock,
            snow=0.6 if kind == 'mountains' and index < 2 and rng.random() < 0.6 else 2.0,
        )
        for index, (h, r) in enumerate(zip(heights, ranges, strict=True))
    ]


def draw_coast(
    canvas: FloatImage,
    optics: Optics,
    window: Window,
    light: Light,
    kind: str,
    rng: np.random.Generator,
) -> None:
    """Paint land of one of ``KINDS`` onto the sky of ``canvas``."""
    horizon = optics.centre[1] - window.top
    haze = canvas[int(np.clip(horizon, 1, canvas.shape[0])) - 1].mean(axis=0)
    for ridge in draw_ridges(rng, kind, light):
        _paint_ridge(canvas, optics, horizon, ridge, light, haze, rng)
    if kind == 'harbour':
        distance = min(light.visibility, 12000.0) * rng.uniform(0.06, 0.12)
        _paint_houses(canvas, optics, horizon, distance, light, haze, rng)


def _paint_ridge(
    canvas: FloatImage,
    optics: Optics,
    horizon: float,
    ridge: Ridge,
    light: Light,
    haze: FloatImage,
    rng: np.random.Generator,
) -> None:
    rows, columns = canvas.shape[:2]
    count = 4096
    line = fractal_line(rng, count, slope=ridge.slope)
    at = rng.uniform(0, count) + np.arange(columns) / optics.focal * count / 2.5
    profile = np.interp(at % count, np.arange(count), line)
    skyline = np.clip(ridge.height * (0.75 + 0.45 * profile), -0.01, None) * optics.focal
    top = int(np.clip(horizon - skyline.max() - 2, 0, rows))
    base = int(np.clip(np.ceil(horizon) + 1, 0, rows))
    if top >= base:
        return
    y = np.arange(top, base, dtype=np.float32)[:, None]
    above = horizon - y
    alpha = np.clip(skyline[None, :] - above + 0.5, 0, 1).astype(np.float32)
    share = np.clip(above / np.maximum(skyline[None, :], 1.0), 0, 1)
    texture = fractal_noise(rng, (256, 1024), slope=1.3, stretch=0.5)
    map_x = np.broadcast_to(np.arange(columns, dtype=np.float32)[None, :], alpha.shape)
    scale = 900 / optics.focal
    grain = cv2.remap(
        texture,
        np.ascontiguousarray(map_x * scale),
        np.ascontiguousarray(np.broadcast_to(y * scale * 1.6, alpha.shape)),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    fall = np.gradient(profile) * 40 * np.sign(np.sin(light.sun_azimuth) + 1e-6)
    lit = np.clip(0.75 - 0.35 * fall[None, :] + 0.16 * grain, 0.3, 1.5)[..., None]
    brightness = np.array(light.ambient) * 0.75 + np.array(light.sun) * 0.45 * max(
        np.sin(light.sun_elevation), 0.05
    )
    colour = np.array(ridge.colour) * lit
    if ridge.snow < 1:
        white = smoothstep((share + 0.16 * grain).astype(np.float32), ridge.snow, ridge.snow + 0.15)
        colour = colour + (0.85 * np.clip(lit, 0.7, 1.1) - colour) * white[..., None]
    colour = colour * brightness
    clear = np.exp(-ridge.range / (light.visibility * 0.8))
    clear = clear * (0.75 + 0.25 * share[..., None])
    colour = haze + (colour - haze) * clear
    part = canvas[top:base]
    part += (colour - part) * alpha[..., None]


def _paint_houses(
    canvas: FloatImage,
    optics: Optics,
    horizon: float,
    distance: float,
    light: Light,
    haze: FloatImage,
    rng: np.random.Generator,
) -> None:
    """Paint two rows of houses with windows, some towers and cranes, and a quay."""
    columns = canvas.shape[1]
    factor = 4
    reach = int(min(60 / distance * optics.focal + 6, horizon))
    if reach < 3:
        return
    drawn = np.zeros((reach * factor, columns * factor, 3), np.float32)
    mask = np.zeros((reach * factor, columns * factor), np.uint8)
    metre = optics.focal / distance * factor
    light_up = np.array(light.ambient) * 0.8 + np.array(light.sun) * 0.35 * max(
        np.sin(light.sun_elevation), 0.1
    )
    bottom = reach * factor
    start = -20 * metre + columns * factor * rng.choice([0.0, 0.0, 0.3])
    for row in range(2):
        x = start
        while x < columns * factor:
            wide, high = rng.uniform(7, 22) * metre, rng.uniform(5, 15 + 9 * (1 - row)) * metre
            if rng.random() < 0.85:
                _house(drawn, mask, (x, wide, high, bottom), light_up, metre, rng)
            x += wide * rng.uniform(0.9, 1.25)
    for _ in range(int(rng.integers(0, 4))):
        _crane(drawn, mask, rng.uniform(0, columns * factor), bottom, metre, light_up, rng)
    quay = int(1.8 * metre)
    if quay > 0:
        drawn[-quay:], mask[-quay:] = np.array((0.36, 0.38, 0.40)) * light_up, 255
    size = (columns, reach)
    alpha = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    colour = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA) / np.maximum(alpha, 1e-3)
    colour = haze + (colour - haze) * np.exp(-distance / light.visibility)
    low = int(np.ceil(horizon)) + 1
    part = canvas[max(0, low - reach) : low]
    part += (colour[-part.shape[0] :] - part) * alpha[-part.shape[0] :]


def _house(
    drawn: FloatImage,
    mask: np.ndarray,
    place: tuple[float, float, float, int],
    light_up: np.ndarray,
    metre: float,
    rng: np.random.Generator,
) -> None:
    x, wide, high, bottom = place
    paint = np.array(_PAINTS[int(rng.integers(len(_PAINTS)))]) * light_up * rng.uniform(0.75, 1.05)
    left, right, top = int(x), int(x + wide), int(bottom - high)
    cv2.rectangle(drawn, (left, top), (right, bottom), paint.tolist(), cv2.FILLED)
    cv2.rectangle(mask, (left, top), (right, bottom), 255, cv2.FILLED)
    if rng.random() < 0.6:
        roof = np.array([(0.25, 0.30, 0.50), (0.33, 0.34, 0.36)][int(rng.integers(2))]) * light_up
        ridge = int(rng.uniform(1.5, 4) * metre)
        gable = np.array(
            [
                [left, top],
                [right, top],
                [right - int(wide * 0.2), top - ridge],
                [left + int(wide * 0.2), top - ridge],
            ],
            np.int32,
        )
        cv2.fillConvexPoly(drawn, gable, roof.tolist())
        cv2.fillConvexPoly(mask, gable, 255)
    dark = (paint * rng.uniform(0.35, 0.6)).tolist()
    step_x, step_y = max(int(2.6 * metre), 3), max(int(3.0 * metre), 3)
    pane_x, pane_y = max(int(1.1 * metre), 1), max(int(1.5 * metre), 1)
    for y in range(top + step_y // 3, bottom - step_y, step_y):
        for column in range(left + step_x // 2, right - pane_x, step_x):
            cv2.rectangle(drawn, (column, y), (column + pane_x, y + pane_y), dark, cv2.FILLED)


def _crane(
    drawn: FloatImage,
    mask: np.ndarray,
    x: float,
    bottom: int,
    metre: float,
    light_up: np.ndarray,
    rng: np.random.Generator,
) -> None:
    paint = (
        np.array([(0.1, 0.35, 0.75), (0.5, 0.35, 0.15), (0.3, 0.6, 0.8)][rng.integers(3)])
        * light_up
    ).tolist()
    high, side = rng.uniform(25, 48) * metre, rng.choice([-1, 1])
    foot, top = (int(x), bottom), (int(x), int(bottom - high))
    thick = max(1, int(1.4 * metre))
    ends = [
        (foot, top),
        ((int(x - side * 8 * metre), top[1]), (int(x + side * 26 * metre), top[1])),
        (top, (top[0], int(top[1] - 6 * metre))),
        ((top[0], int(top[1] - 6 * metre)), (int(x + side * 24 * metre), top[1])),
    ]
    for start, end in ends:
        cv2.line(drawn, start, end, paint, thick)
        cv2.line(mask, start, end, 255, thick)
