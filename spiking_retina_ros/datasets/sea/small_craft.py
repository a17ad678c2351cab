"""Small craft: inflatable boats, rowing boats and kayaks with their crews."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spiking_retina_ros.datasets.sea import paint
from spiking_retina_ros.datasets.sea.hull import HullForm, HullPaint, add_hull
from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.sailing_boats import add_person

_BRIGHT: list[tuple[Colour, float]] = [
    (paint.ORANGE, 2.0),
    (paint.RED, 2.0),
    (paint.BLUE, 1.0),
    (paint.GREEN, 1.0),
    (paint.WHITE, 1.0),
    (paint.BUFF, 1.0),
]


def build_dinghy(rng: np.random.Generator) -> Mesh:
    """Return an inflatable of 3.5 to 7 m, a rowing boat or a kayak."""
    builders = (_inflatable, _rowing_boat, _kayak)
    return builders[int(rng.choice(3, p=[0.45, 0.3, 0.25]))](rng)


def _inflatable(rng: np.random.Generator) -> Mesh:
    length = rng.uniform(3.5, 7.0)
    beam, free = 0.38 * length, 0.5 + 0.03 * length
    mesh = Mesh(length, free + 1.2)
    tube = paint.pick(
        rng, [(paint.GREY, 3.0), (paint.BLACK, 2.0), (paint.ORANGE, 1.5), (paint.WHITE, 1.0)]
    )
    form = HullForm(length, beam, free * 1.35, free, transom=0.9, rake=0.1, fullness=3.5)
    rail = paint.pick(rng, [(tube, 2.0), (paint.BLACK, 1.0), (paint.RED, 0.5)])
    edge = add_hull(mesh, form, HullPaint(tube, paint.BLACK, paint.GREY, rail, tube))
    for side in (-1, 1):  # the round of the tube on top of the side
        points = [(x, edge(float(x))) for x in np.linspace(-0.5, 0.52, 9) * length]
        rim = [np.array([x, height, side * half * 0.93]) for x, (half, height) in points]
        for first, last in pairwise(rim):
            mesh.pole(first, last, 0.3, tube)
    mesh.box((-0.1, 0.35), (free * 0.6, free + 0.65), 0.6, paint.GREY, rake=(0, -0.15))
    for seat in range(int(rng.integers(1, 4))):
        place = (-0.4 - 0.75 * seat, free * 0.75, rng.uniform(-0.2, 0.2) * beam)
        add_person(mesh, place, rng)
    stern = -0.5 * length
    mesh.box((stern - 0.3, stern + 0.1), (0.2, free + 0.4), 0.35, paint.BLACK, taper=0.8)
    return mesh


def _rowing_boat(rng: np.random.Generator) -> Mesh:
    length = rng.uniform(3.0, 5.5)
    beam, free = 0.33 * length, 0.42
    mesh = Mesh(length, free + 1.0)
    side = paint.pick(rng, [*_BRIGHT, (paint.TEAK, 2.0)])
    form = HullForm(length, beam, free * 1.35, free, transom=0.65, rake=0.05, flare=0.8)
    add_hull(mesh, form, HullPaint(side, side, paint.TEAK, None, paint.WHITE))
    if rng.random() < 0.75:
        add_person(mesh, (-0.05 * length, free * 0.7, 0.0), rng, sitting=True)
        for oar in (-1, 1):
            blade = (rng.uniform(-0.6, 0.6), 0.05, oar * (beam / 2 + 1.3))
            mesh.pole((-0.05 * length, free + 0.15, oar * beam * 0.4), blade, 0.06, paint.TEAK)
    return mesh


def _kayak(rng: np.random.Generator) -> Mesh:
    length = rng.uniform(3.2, 5.2)
    mesh = Mesh(length, 1.2)
    side = paint.pick(rng, _BRIGHT)
    form = HullForm(length, 0.62, 0.34, 0.3, transom=0.05, rake=0.02, flare=0.9, fullness=1.8)
    add_hull(mesh, form, HullPaint(side, side, side))
    add_person(mesh, (-0.2, 0.1, 0.0), rng, sitting=True)
    tilt = rng.uniform(-0.45, 0.45)
    ends = (0.25, 0.75 + tilt, -1.05), (0.25, 0.75 - tilt, 1.05)
    mesh.pole(*ends, 0.05, paint.BLACK, layer=3)
    for end in ends:
        tip = np.array(end) * np.array([1.0, 1.0, 1.18])
        mesh.pole(end, tip, 0.17, paint.pick(rng, _BRIGHT), layer=3)
    return mesh
