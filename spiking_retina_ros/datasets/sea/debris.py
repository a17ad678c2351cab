"""What floats or stands in the sea and is neither boat nor buoy, so that a detector learns it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.solid import Solid

KINDS = ('rock', 'piles', 'gull', 'flying gull')
_STONE: Colour = (0.33, 0.36, 0.39)
_WEED: Colour = (0.10, 0.16, 0.17)
_WOOD: Colour = (0.16, 0.22, 0.28)
_FEATHERS: Colour = (0.90, 0.90, 0.88)
_WING: Colour = (0.62, 0.60, 0.56)


def build_debris(kind: str, rng: np.random.Generator) -> Solid:
    """Return one of ``KINDS``, drawn by ``rng``."""
    builders = {'rock': _rock, 'piles': _piles, 'gull': _gull, 'flying gull': _flying_gull}
    return builders[kind](rng).solid()


def _rock(rng: np.random.Generator) -> Mesh:
    """Return a skerry of one to four rough humps, dark where the water reaches."""
    wide = rng.uniform(1.5, 12.0)
    mesh = Mesh(wide, 0.35 * wide)
    for _ in range(int(rng.integers(1, 5))):
        radius = wide * rng.uniform(0.2, 0.45)
        centre = np.array([rng.uniform(-0.3, 0.3) * wide, 0.0, rng.uniform(-0.2, 0.2) * wide])
        _add_hump(mesh, centre, radius, radius * rng.uniform(0.2, 0.6), rng)
    return mesh


def _add_hump(
    mesh: Mesh, centre: np.ndarray, radius: float, height: float, rng: np.random.Generator
) -> None:
    sides, levels = 13, np.linspace(-0.1, 1.0, 7)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    outline = 1 + 0.25 * np.sin(2 * angle + rng.uniform(0, 6)) + rng.normal(0, 0.08, sides)
    rings = []
    for level in levels:
        reach = radius * np.sqrt(max(1 - level**2, 0.0)) * outline * rng.uniform(0.9, 1.1, sides)
        lift = height * level * rng.uniform(0.85, 1.15, sides)
        rings.append(centre + np.stack([reach * np.cos(angle), lift, reach * np.sin(angle)], 1))
    for index, (low, high) in enumerate(pairwise(rings)):
        base = _WEED if index == 0 else _STONE
        for side in range(sides):
            after, shade = (side + 1) % sides, rng.uniform(0.8, 1.1)
            tone = (base[0] * shade, base[1] * shade, base[2] * shade)
            mesh.plate([low[side], low[after], high[after], high[side]], tone, gloss=0.02)


def _piles(rng: np.random.Generator) -> Mesh:
    """Return a row of wooden posts."""
    count, step = int(rng.integers(1, 6)), rng.uniform(1.0, 4.0)
    mesh = Mesh(count * step, 3.0)
    for index in range(count):
        x, high = (index - count / 2) * step, rng.uniform(1.0, 3.0)
        profile = [(0.16, -0.3), (0.16, 0.6), (0.15, high), (0.0, high)]
        mesh.turned(profile, [_WEED, _WOOD, _WOOD], x=float(x), sides=10, gloss=0.03)
    return mesh


def _gull(rng: np.random.Generator) -> Mesh:
    """Return a gull sitting on the water."""
    mesh = Mesh(0.5, 0.35)
    body = [(0.06, 0.0), (0.13, 0.07), (0.11, 0.16), (0.0, 0.2)]
    mesh.turned(body, [_FEATHERS, _WING, _WING], sides=10, gloss=0.0)
    neck = [(0.05, 0.15), (0.055, 0.27), (0.0, 0.33)]
    mesh.turned(neck, [_FEATHERS] * 2, x=0.13, sides=8, gloss=0.0, layer=2)
    mesh.plate([(-0.1, 0.12, -0.06), (-0.1, 0.12, 0.06), (-0.3, 0.17, 0.0)], _WING)
    return mesh


def _flying_gull(rng: np.random.Generator) -> Mesh:
    """Return a gull in flight, wings anywhere in their beat."""
    mesh = Mesh(0.5, 0.5)
    beat = rng.uniform(-0.35, 0.6)
    body = [(-0.22, 0.0, -0.05), (-0.22, 0.0, 0.05), (0.22, 0.02, 0.04), (0.22, 0.02, -0.04)]
    mesh.plate(body, _FEATHERS)
    mesh.plate([(-0.22, -0.06, 0), (0.2, -0.05, 0), (0.26, 0.03, 0), (-0.22, 0.04, 0)], _FEATHERS)
    for side in (-1.0, 1.0):
        elbow, tip = (0.02, 0.3 * np.sin(beat), 0.3 * side), (-0.08, 0.12 * beat, 0.68 * side)
        mesh.plate([(-0.08, 0.0, 0.04 * side), (0.1, 0.0, 0.04 * side), elbow], _WING)
        mesh.plate([elbow, (0.1, 0.0, 0.04 * side), tip], _WING)
    return mesh
