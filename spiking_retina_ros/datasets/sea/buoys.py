"""Buoys of the IALA system A, region as in Europe: lateral, cardinal, special, safe water."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.solid import Solid

RED: Colour = (0.13, 0.10, 0.76)
GREEN: Colour = (0.25, 0.47, 0.05)
YELLOW: Colour = (0.06, 0.74, 0.93)
ORANGE: Colour = (0.07, 0.38, 0.94)
BLACK: Colour = (0.09, 0.08, 0.08)
WHITE: Colour = (0.88, 0.90, 0.90)
STEEL: Colour = (0.42, 0.42, 0.40)

KINDS = ('can', 'cone', 'sphere', 'cardinal')


def build_buoy(kind: str, rng: np.random.Generator) -> Solid:
    """Return a buoy of one of ``KINDS``, varied by ``rng``, 0.6 to 5 m high."""
    builder = {'can': _can, 'cone': _cone, 'sphere': _sphere, 'cardinal': _cardinal}[kind]
    return builder(rng).solid()


def _worn(colour: Colour, rng: np.random.Generator) -> Colour:
    """Return the colour as sun and salt leave it."""
    fade = rng.uniform(0.0, 0.22)
    grey = 0.55
    dull = rng.uniform(0.85, 1.08)
    blue, green, red = (float(np.clip((c + (grey - c) * fade) * dull, 0, 1)) for c in colour)
    return blue, green, red


def _can(rng: np.random.Generator) -> Mesh:
    height = rng.uniform(0.9, 2.2)
    radius = height * rng.uniform(0.28, 0.42)
    main = _worn(RED if rng.random() < 0.75 else YELLOW, rng)
    mesh = Mesh(2 * radius, height)
    rings = [
        (radius * 0.96, -0.25),
        (radius, 0.12),
        (radius, height * 0.93),
        (radius * 0.9, height),
    ]
    dark = _dark(main)
    mesh.turned(rings, [dark, main, main])
    mesh.turned([(radius * 0.9, height), (0.0, height)], [main])
    if rng.random() < 0.4:
        low, high = height * 0.55, height * 0.72
        mesh.turned([(radius * 1.01, low), (radius * 1.01, high)], [WHITE], layer=2)
    if rng.random() < 0.5:
        _can_mark(mesh, height, radius, main, rng)
    _lantern(mesh, rng)
    return mesh


def _cone(rng: np.random.Generator) -> Mesh:
    height = rng.uniform(1.0, 2.4)
    radius = height * rng.uniform(0.3, 0.42)
    main = _worn(GREEN if rng.random() < 0.8 else YELLOW, rng)
    mesh = Mesh(2 * radius, height)
    shoulder = height * rng.uniform(0.2, 0.45)
    tip = radius * rng.uniform(0.04, 0.2)
    rings = [(radius * 0.97, -0.25), (radius, 0.1), (radius, shoulder), (tip, height)]
    mesh.turned(rings, [_dark(main), main, main])
    mesh.turned([(tip, height), (0.0, height)], [main])
    if rng.random() < 0.4:
        _cone_mark(mesh, height, radius, main, rng)
    _lantern(mesh, rng)
    return mesh


def _sphere(rng: np.random.Generator) -> Mesh:
    radius = rng.uniform(0.25, 0.9)
    centre = radius * rng.uniform(0.45, 0.75)
    plain = [(ORANGE, 0.45), (YELLOW, 0.2), (WHITE, 0.15), (RED, 0.2)]
    main = _worn(plain[int(rng.choice(4, p=[share for _, share in plain]))][0], rng)
    angle = np.linspace(np.arcsin(np.clip((-0.2 - centre) / radius, -0.99, 0)), np.pi / 2, 17)
    rings = [(float(radius * np.cos(a)), float(centre + radius * np.sin(a))) for a in angle]
    mesh = Mesh(2 * radius, centre + radius)
    # Red and white belong to safe water, in stripes; most floats are of one colour.
    second = WHITE if main[2] > 0.6 and main[1] < 0.25 else main
    mesh.turned(rings, [main if ring % 8 < 4 else second for ring in range(16)])
    if rng.random() < 0.35:
        mesh.turned([(0.05, mesh.height - 0.05), (0.05, mesh.height + 0.25)], [STEEL], sides=8)
        mesh.height += 0.25
    return mesh


def _cardinal(rng: np.random.Generator) -> Mesh:
    """Black and yellow pillar; the top cones point to the black bands."""
    quadrant = str(rng.choice(['north', 'east', 'south', 'west']))
    bands = {
        'north': [YELLOW, YELLOW, BLACK],
        'south': [BLACK, BLACK, YELLOW],
        'east': [BLACK, YELLOW, BLACK],
        'west': [YELLOW, BLACK, YELLOW],
    }[quadrant]
    height = rng.uniform(2.4, 4.2)
    slim = rng.random() < 0.4
    wide = height * (0.07 if slim else rng.uniform(0.2, 0.28))
    top = wide * (0.8 if slim else rng.uniform(0.25, 0.45))
    mesh = Mesh(2 * wide, height)
    tower = height * 0.68
    yellow, black = _worn(YELLOW, rng), _worn(BLACK, rng)
    colours = [yellow if band is YELLOW else black for band in bands]
    if slim:
        cuts = np.linspace(0.0, tower, 4)
        radii = np.linspace(wide, top, 4)
        rings = [(wide, -0.3), *((float(r), float(y)) for r, y in zip(radii, cuts, strict=True))]
        mesh.turned(rings, [colours[0], *colours])
    else:
        float_top = height * 0.2
        mesh.turned(
            [(wide, -0.3), (wide, float_top * 0.8), (top * 1.3, float_top)],
            [colours[0], colours[0]],
        )
        cuts = np.linspace(float_top, tower, 4)
        radii = np.linspace(top * 1.25, top, 4)
        mesh.turned([(float(r), float(y)) for r, y in zip(radii, cuts, strict=True)], colours)
    mesh.turned([(top, tower), (0.0, tower)], [colours[-1]])
    mesh.turned([(0.04, tower), (0.04, height)], [STEEL], sides=6)
    cone = height * 0.13
    radius = max(cone * 0.55, 0.12)
    for index, base in enumerate((tower + 0.04 * height, tower + 0.185 * height)):
        points_up = {'north': True, 'south': False, 'east': index == 1, 'west': index == 0}[
            quadrant
        ]
        ends = (
            [(radius, base), (0.01, base + cone)]
            if points_up
            else [(0.01, base), (radius, base + cone)]
        )
        mesh.turned(ends, [black])
        cap = base if points_up else base + cone
        mesh.plate(
            [
                [radius * np.cos(a), cap, radius * np.sin(a)]
                for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)
            ],
            black,
        )
    return mesh


def _dark(colour: Colour) -> Colour:
    return 0.35 * colour[0] + 0.03, 0.4 * colour[1] + 0.05, 0.35 * colour[2] + 0.03


def _can_mark(
    mesh: Mesh, height: float, radius: float, colour: Colour, rng: np.random.Generator
) -> None:
    """Put a tower of four legs and a can on a buoy."""
    tower, size = height + rng.uniform(0.4, 1.0), radius * 0.5
    for x, z in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        foot = (x * radius * 0.6, height, z * radius * 0.6)
        mesh.pole(foot, (x * radius * 0.2, tower, z * radius * 0.2), 0.07, colour)
    top = tower + 1.4 * size
    mesh.turned([(size, tower), (size, top), (0.0, top)], [colour, colour])
    mesh.height = top


def _cone_mark(
    mesh: Mesh, height: float, radius: float, colour: Colour, rng: np.random.Generator
) -> None:
    """Put a cone on a pole on a buoy."""
    tower, size = height + rng.uniform(0.25, 0.7), radius * 0.5
    mesh.turned([(0.06, height - 0.1), (0.06, tower)], [colour], sides=8)
    mesh.turned([(size, tower), (0.01, tower + 1.7 * size)], [colour])
    mesh.height = tower + 1.7 * size


def _lantern(mesh: Mesh, rng: np.random.Generator) -> None:
    if rng.random() < 0.35:
        top = mesh.height
        mesh.turned(
            [
                (0.06, top),
                (0.06, top + 0.12),
                (0.09, top + 0.14),
                (0.09, top + 0.3),
                (0.0, top + 0.34),
            ],
            [STEEL, STEEL, WHITE, STEEL],
            sides=10,
        )
        mesh.height = top + 0.34
