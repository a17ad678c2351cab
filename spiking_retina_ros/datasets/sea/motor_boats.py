"""Motor boats: open boats, cabin cruisers, flybridge yachts, pilot and fishing boats."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea import paint
from spiking_retina_ros.datasets.sea.hull import DeckEdge, HullForm, HullPaint, add_hull
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.sailing_boats import add_person, add_railing, pick_side

_LENGTHS = {
    'open': (4.5, 7.5),
    'cabin': (6.5, 11.0),
    'flybridge': (11.0, 22.0),
    'work': (8.0, 16.0),
}


def build_motor_boat(rng: np.random.Generator) -> Mesh:
    """Return a motor boat of 4.5 to 22 m."""
    style = str(rng.choice(list(_LENGTHS)))
    length = rng.uniform(*_LENGTHS[style])
    beam, free = length * rng.uniform(0.3, 0.36), 0.5 + 0.06 * length
    mesh = Mesh(length, free + 2.0)
    edge = _add_boat_hull(mesh, style, length, beam, free, rng)
    if style == 'open':
        _add_open_boat(mesh, length, beam, free, rng)
    else:
        _add_house(mesh, edge, style, length, beam, free, rng)
    return mesh


def _add_boat_hull(
    mesh: Mesh, style: str, length: float, beam: float, free: float, rng: np.random.Generator
) -> DeckEdge:
    work = style == 'work'
    side = pick_side(rng)
    if work:
        strong = [(paint.NAVY, 2.0), (paint.RED, 1.5), (paint.BLUE, 1.5), (paint.BLACK, 1.0)]
        side = paint.pick(rng, [*strong, (paint.WHITE, 1.0), (paint.GREEN, 1.0)])
    form = HullForm(
        length,
        beam,
        free * 1.5,
        free * 0.85,
        transom=0.88,
        rake=0.14,
        flare=0.55,
        fullness=2.6,
    )
    deck = paint.pick(rng, [(paint.GREY, 2.0), (paint.CREAM, 2.0), (paint.TEAK, 1.0)])
    stripe = paint.pick(rng, [(side, 4.0), (paint.RED, 1.0), (paint.NAVY, 1.0)])
    rail = paint.BLACK if work else paint.WHITE
    bottom = paint.BLACK if work else paint.NAVY
    return add_hull(mesh, form, HullPaint(side, bottom, deck, stripe, rail))


def _add_open_boat(
    mesh: Mesh, length: float, beam: float, free: float, rng: np.random.Generator
) -> None:
    """Add console, windscreen, crew and outboard engine."""
    deck, x = free * 0.95, 0.06 * length
    mesh.box((x - 0.5, x + 0.3), (deck, deck + 0.55), beam * 0.35, paint.WHITE, rake=(0, -0.2))
    screen = [
        (x + 0.3, deck + 0.3, -beam * 0.4),
        (x + 0.3, deck + 0.3, beam * 0.4),
        (x - 0.2, deck + 0.85, beam * 0.33),
        (x - 0.2, deck + 0.85, -beam * 0.33),
    ]
    mesh.plate(screen, paint.GLASS, layer=2, gloss=0.7)
    for seat in range(int(rng.integers(1, 4))):
        place = (-0.1 - 0.9 * seat, deck - 0.2, rng.uniform(-0.25, 0.25) * beam)
        add_person(mesh, place, rng)
    stern = -0.5 * length
    engine = paint.pick(rng, [(paint.BLACK, 3.0), (paint.GREY, 1.0), (paint.WHITE, 0.7)])
    mesh.box((stern - 0.35, stern + 0.1), (free * 0.3, free + 0.45), 0.42, engine, taper=0.8)
    mesh.height = deck + 1.4


def _add_house(
    mesh: Mesh,
    edge: DeckEdge,
    style: str,
    length: float,
    beam: float,
    free: float,
    rng: np.random.Generator,
) -> None:
    """Add wheelhouse or saloon with windows, mast, railing, crew; a flybridge on top of it."""
    work, deck, width = style == 'work', free * 0.95, beam * 0.74
    aft = {'cabin': -0.12, 'flybridge': -0.28, 'work': float(rng.choice([-0.3, -0.05]))}[style]
    span = aft * length, (aft + 0.34 if work else 0.22) * length
    high = deck + {'cabin': 1.25, 'flybridge': 1.7, 'work': 2.1}[style]
    lean = -0.25 if work else -0.42 * (high - deck) - 0.5
    wall = paint.WHITE
    if work:
        wall = paint.pick(rng, [(paint.WHITE, 4.0), (paint.ALUMINIUM, 1.0), (paint.BUFF, 1.0)])
    mesh.box(span, (deck, high), width, wall, rake=(0.15, lean), taper=0.86, roof=wall)
    sill, pane = deck + (high - deck) * 0.5, (high - deck) * 0.34
    for side in (-width / 2 * 0.93, width / 2 * 0.93):
        first, last = (span[0] + 0.3, sill, side), (span[1] + lean * 0.55 - 0.2, sill, side)
        count, gap = (3, 0.2) if work else (2, 0.08)
        mesh.windows(first, last, pane, paint.GLASS, count=count, gap=gap)
    front, half = span[1] + lean * 0.52 + 0.04, width * 0.42
    ends = (front, sill, -half), (front, sill, half)
    mesh.windows(*ends, pane, paint.GLASS, count=3, gap=0.12, rise=lean * 0.33, bow=1.0)
    top = high
    if style == 'flybridge':
        top = _add_flybridge(mesh, span, lean, high, width, rng)
        for side in (-beam * 0.49, beam * 0.49):
            first, last = (-0.25 * length, free * 0.62, side), (0.15 * length, free * 0.66, side)
            mesh.windows(first, last, free * 0.16, paint.GLASS, count=4, gap=0.4)
    tip = top + rng.uniform(0.8, 2.6)
    mesh.pole((span[0] + 0.5, top, 0), (span[0] + 0.3, tip, 0), 0.07, paint.ALUMINIUM, layer=5)
    add_railing(mesh, edge, span[1], 0.53 * length, 5)
    if rng.random() < 0.5:
        add_person(mesh, (span[0] - 0.6, deck - 0.1, rng.uniform(-0.2, 0.2) * beam), rng)
    mesh.height = tip


def _add_flybridge(
    mesh: Mesh,
    span: tuple[float, float],
    lean: float,
    high: float,
    width: float,
    rng: np.random.Generator,
) -> float:
    """Add the upper helm and its sun roof; returns the height of the roof."""
    fore = span[1] + lean - 0.3
    mesh.box(
        (span[0] - 1.0, fore),
        (high, high + 0.75),
        width * 0.9,
        paint.WHITE,
        rake=(0.1, -0.7),
        taper=0.95,
        layer=3,
    )
    if rng.random() < 0.5:
        add_person(mesh, (fore - 1.6, high + 0.2, 0.2 * width), rng, layer=4)
    for side in (-width / 3, width / 3):
        for x in (span[0] + 0.4, span[0] + 2.6):
            start, end = (x, high + 0.7, side), (x - 0.2, high + 2.0, side)
            mesh.pole(start, end, 0.09, paint.WHITE, layer=4)
    roof = (span[0], span[0] + 3.0)
    mesh.box(roof, (high + 1.95, high + 2.1), width * 0.85, paint.WHITE, layer=5)
    return high + 2.1
