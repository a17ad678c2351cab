"""Weather and time of day: where the sun stands and what colour everything takes from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """
    Colours are BGR in [0, 1] as they appear in the picture; angles in radians.

    ``visibility`` is the range in metres at which haze leaves 37 % of a contrast; ``cover`` is the
    share of the sky under clouds.
    """

    name: str
    sun_azimuth: float
    sun_elevation: float
    sun: Colour
    ambient: Colour
    zenith: Colour
    middle: Colour
    horizon: Colour
    glow: Colour
    cloud_lit: Colour
    cloud_shade: Colour
    water: Colour
    cover: float
    cloud_kind: str
    visibility: float

    @property
    def sun_direction(self) -> NDArray[np.float64]:
        """Return the unit vector towards the sun in (X right, Y up, Z ahead)."""
        flat = np.cos(self.sun_elevation)
        return np.array(
            [
                flat * np.sin(self.sun_azimuth),
                np.sin(self.sun_elevation),
                flat * np.cos(self.sun_azimuth),
            ]
        )


def _bgr(code: str) -> Colour:
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return blue, green, red


# name: sun elevation range in degrees; sun, ambient, zenith, middle, horizon, glow, lit and shaded
# cloud, water body; cloud cover range; visibility range in metres; how often.
_COLOURS = (
    'sun',
    'ambient',
    'zenith',
    'middle',
    'horizon',
    'glow',
    'cloud_lit',
    'cloud_shade',
    'water',
)
_TIMES: dict[str, tuple[tuple[float, float], str, tuple[float, float], tuple[float, float], float]]
_TIMES = {
    'noon': (
        (35, 60),
        'fff4e0 a9bed6 2f6db5 6ea4d8 c3d9e8 fff6e0 ffffff a9b9cb 16404f',
        (0.05, 0.6),
        (6000, 30000),
        3.0,
    ),
    'clear': (
        (22, 40),
        'ffeccc 9fb6d2 2a62ae 79addb d2e2ea fff2d4 fffdf8 aab6c6 12485a',
        (0.0, 0.35),
        (9000, 40000),
        2.0,
    ),
    'hazy': (
        (25, 50),
        'f5ecd8 b4c0ca 7fa3c4 aec4d4 d8dfe0 fffae8 f6f6f2 c2cad0 2b4a50',
        (0.1, 0.5),
        (700, 3000),
        1.5,
    ),
    'overcast': (
        (30, 50),
        '6c6c68 b0b8be 8d98a2 a9b2b8 c6cccd d2d6d4 c8cdd0 868f98 2c4246',
        (0.9, 1.0),
        (2000, 9000),
        2.0,
    ),
    'storm': (
        (20, 40),
        '4a4a48 8c959d 56626d 75818a a3abac b0b6b4 9aa3a9 545e68 243a3c',
        (0.95, 1.0),
        (1200, 5000),
        1.0,
    ),
    'fog': (
        (25, 45),
        '8a8a86 bcc2c4 b3bbbf bec5c7 c8cdcd d6d8d5 cdd1d2 b7bdc0 4a5c5c',
        (0.6, 1.0),
        (150, 500),
        0.7,
    ),
    'morning': (
        (6, 14),
        'ffdca6 8ea6c4 4478b4 98bcd8 f2dfc4 ffe6b0 fff2e0 9aa6b8 1f4450',
        (0.1, 0.6),
        (2500, 15000),
        1.3,
    ),
    'sunset': (
        (2, 7),
        'ffb066 7c82a0 3a5486 9a92a4 f4b070 ffa450 ffc48c 6e6a80 2a3642',
        (0.15, 0.7),
        (4000, 20000),
        1.2,
    ),
    'dusk': (
        (-3, 1),
        'c06850 56607e 26345c 6a6488 d69484 f08060 b87c80 424a66 1a2634',
        (0.1, 0.6),
        (4000, 15000),
        0.7,
    ),
}


def time_names() -> tuple[str, ...]:
    """Return the names of the known times of day and weathers."""
    return tuple(_TIMES)


def draw_light(rng: np.random.Generator, *, name: str | None = None) -> Light:
    """Draw a light; ``name`` fixes the time of day (see ``time_names``)."""
    if name is None:
        weights = np.array([entry[-1] for entry in _TIMES.values()])
        name = str(rng.choice(list(_TIMES), p=weights / weights.sum()))
    elevation, palette, cover, visibility, _ = _TIMES[name]
    tint = rng.normal(0, 0.01, 3)
    colours: list[Any] = [
        tuple(
            float(np.clip(part + shift, 0, 1)) for part, shift in zip(_bgr(code), tint, strict=True)
        )
        for code in palette.split()
    ]
    low, high = np.log(visibility)
    kinds = ('cumulus', 'cirrus', 'layers')
    shares = (0.1, 0.1, 0.8) if cover[0] > 0.5 else (0.55, 0.25, 0.2)
    return Light(
        name=name,
        sun_azimuth=float(rng.uniform(-np.pi, np.pi)),
        sun_elevation=float(np.radians(rng.uniform(*elevation))),
        cover=float(rng.uniform(*cover)),
        cloud_kind=str(rng.choice(kinds, p=shares)),
        visibility=float(np.exp(rng.uniform(low, high))),
        **dict(zip(_COLOURS, colours, strict=True)),
    )
