"""Sailing boats, sails set or furled, and the people aboard."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea import paint
from spiking_retina_ros.datasets.sea.hull import DeckEdge, HullForm, HullPaint, add_hull
from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.solid import Points

_RIG = 3  # drawn after hull, house and people


def build_sailing_boat(rng: np.random.Generator) -> Mesh:
    """Return a sloop of 6.5 to 15 m."""
    length = rng.uniform(6.5, 15.0)
    beam, free = length * rng.uniform(0.27, 0.33), 0.55 + length * 0.055
    mast = length * rng.uniform(1.15, 1.4)
    mesh = Mesh(length, mast + free)
    side = pick_side(rng)
    form = HullForm(
        length, beam, free * 1.2, free * 0.9, transom=rng.uniform(0.4, 0.8), rake=0.09, flare=0.7
    )
    stripes = [(side, 5.0), (paint.NAVY, 1.0), (paint.RED, 1.0), (paint.BLUE, 1.0)]
    deck = paint.pick(rng, [(paint.CREAM, 2.0), (paint.TEAK, 1.0)])
    colours = HullPaint(side, paint.NAVY, deck, paint.pick(rng, stripes), paint.TEAK)
    edge = add_hull(mesh, form, colours)
    _add_deck(mesh, length, beam, free, rng)
    add_railing(mesh, edge, -0.46 * length, 0.5 * length, 6)
    _add_rig(mesh, edge, length, beam, free, mast, rng)
    for _ in range(int(rng.integers(0, 4))):
        x, z = rng.uniform(-0.42, -0.2) * length, rng.uniform(-0.2, 0.2) * beam
        add_person(mesh, (x, free * 0.75, z), rng)
    return mesh


def pick_side(rng: np.random.Generator) -> Colour:
    """Draw the colour of a yacht's side: mostly white."""
    return paint.pick(
        rng,
        [
            (paint.WHITE, 7.0),
            (paint.NAVY, 2.0),
            (paint.RED, 0.6),
            (paint.GREEN, 0.4),
            (paint.CREAM, 1.0),
        ],
    )


def add_person(
    mesh: Mesh,
    foot: tuple[float, float, float],
    rng: np.random.Generator,
    *,
    sitting: bool | None = None,
    layer: int = 2,
) -> None:
    """Add somebody at ``foot`` in a jacket of a strong colour; None: sitting or standing."""
    rests = bool(rng.random() < 0.5) if sitting is None else sitting
    coat = paint.pick(
        rng,
        [
            (paint.NAVY, 2.0),
            (paint.RED, 2.0),
            (paint.BUFF, 1.0),
            (paint.BLACK, 2.0),
            (paint.ORANGE, 1.0),
        ],
    )
    x, y, z = foot
    legs = 0.26 if rests else 0.75
    body = [(0.14, y), (0.15, y + legs), (0.2, y + legs + 0.1), (0.21, y + legs + 0.45)]
    body += [(0.07, y + legs + 0.6)]
    mesh.turned(body, [paint.NAVY, coat, coat, coat], x=x, z=z, sides=8, layer=layer)
    neck = y + legs + 0.58
    head = [(0.05, neck), (0.1, neck + 0.1), (0.1, neck + 0.19), (0.0, neck + 0.26)]
    tones = [paint.SKIN, paint.SKIN, paint.HAIR]
    mesh.turned(head, tones, x=x, z=z, sides=8, layer=layer)


def add_railing(mesh: Mesh, edge: DeckEdge, aft: float, fore: float, posts: int) -> None:
    """Add stanchions and a line along both sides, from ``aft`` to ``fore``."""
    for side in (-1, 1):
        feet = []
        for x in np.linspace(aft, fore, posts):
            half, height = edge(float(x))
            feet.append(np.array([x, height, side * half * 0.97]))
        lift = np.array([0.0, 0.6, 0.0])
        for index, foot in enumerate(feet):
            mesh.pole(foot, foot + lift, 0.03, paint.ALUMINIUM)
            if index:
                mesh.pole(feet[index - 1] + lift, foot + lift, 0.025, paint.ALUMINIUM)


def _add_deck(
    mesh: Mesh, length: float, beam: float, free: float, rng: np.random.Generator
) -> None:
    """Add the coach roof with its windows, the cockpit, and sometimes a spray hood."""
    house, top, half = (-0.12 * length, 0.2 * length), free * 1.02 + 0.38, beam * 0.262
    mesh.box(house, (free * 0.95, top), beam * 0.55, paint.WHITE, rake=(0.1, -0.5), taper=0.85)
    for side in (-half, half):
        first, last = (house[0] + 0.4, free + 0.12, side), (house[1] - 0.7, free + 0.12, side)
        mesh.windows(first, last, 0.17, paint.GLASS, count=3)
    aft, wide, floor = -0.45 * length, beam * 0.22, free * 0.94
    well = [(aft, floor, -wide), (house[0], floor, -wide), (house[0], floor, wide)]
    mesh.plate([*well, (aft, floor, wide)], (0.25, 0.33, 0.38), layer=1)
    for side in (-wide, wide):
        first, last = (aft, floor, side), (house[0], floor, side)
        mesh.pole(first, last, 0.2, paint.WHITE)
    if rng.random() < 0.5:
        hood = paint.pick(rng, [(paint.NAVY, 3.0), (paint.GREY, 1.0), (paint.RED, 0.4)])
        span = (house[0] - 0.9, house[0] + 0.3)
        mesh.box(span, (top, top + 0.55), beam * 0.5, hood, rake=(0.5, -0.1), taper=0.85)


def _add_rig(
    mesh: Mesh,
    edge: DeckEdge,
    length: float,
    beam: float,
    free: float,
    mast: float,
    rng: np.random.Generator,
) -> None:
    foot, bow, stern = 0.08 * length, 0.56 * length, -0.48 * length
    mesh.pole((foot, free, 0), (foot, free + mast, 0), 0.17, paint.ALUMINIUM, layer=_RIG)
    top = (foot, free + mast * 0.97, 0.0)
    for start in ((bow, edge(bow)[1], 0.0), (stern, free, 0.0)):
        mesh.pole(start, top, 0.02, paint.GREY, layer=_RIG)
    for side in (-1, 1):
        shroud, spreader = (foot, free, side * beam * 0.45), free + mast * 0.5
        mesh.pole(shroud, (foot, free + mast * 0.9, 0), 0.02, paint.GREY, layer=_RIG)
        tip = (foot, spreader, side * beam * 0.28)
        mesh.pole((foot, spreader, 0), tip, 0.06, paint.ALUMINIUM, layer=_RIG)
    boom, swing = 0.42 * length, rng.uniform(0.08, 0.6) * rng.choice([-1, 1])
    height = free + 1.25
    clew = (foot - boom * np.cos(swing), height, boom * np.sin(swing))
    mesh.pole((foot, height, 0), clew, 0.13, paint.ALUMINIUM, layer=_RIG)
    if rng.random() < 0.28:
        cover = paint.pick(rng, [(paint.NAVY, 3.0), (paint.BLUE, 2.0), (paint.CREAM, 2.0)])
        along = (clew[0], height + 0.1, clew[2])
        mesh.pole((foot - 0.2, height + 0.18, 0), along, 0.36, cover, layer=_RIG)
        return
    cloth = paint.pick(
        rng, [(paint.WHITE, 8.0), (paint.CREAM, 3.0), (paint.RUST, 0.6), (paint.NAVY, 0.2)]
    )
    luff = np.array([(foot, height + 0.1, 0.0), top])
    _add_sail(mesh, luff, np.array(clew), cloth, swing, roach=0.08)
    if rng.random() < 0.85:
        head = (foot + 0.05 * length, free + mast * rng.uniform(0.82, 0.95), 0.0)
        stay = np.array([(bow, edge(bow)[1] + 0.25, 0.0), head])
        sheet = (foot + length * rng.uniform(-0.12, 0.12), free + 0.5, np.sin(swing) * length / 4)
        _add_sail(mesh, stay, np.array(sheet), cloth, swing, roach=-0.03)


def _add_sail(
    mesh: Mesh, luff: Points, clew: Points, cloth: Colour, swing: float, *, roach: float
) -> None:
    """Add a cambered triangle of cloth with seams; ``luff`` (2, 3) runs from tack to head."""
    rows, columns = 14, 8
    tack, head = luff
    belly = np.array([0.0, 0.0, np.sign(swing) * 0.13 * np.linalg.norm(clew - tack)])
    grid = np.empty((rows + 1, columns + 1, 3))
    across = np.linspace(0, 1, columns + 1)[:, None]
    for row, up in enumerate(np.linspace(0, 1, rows + 1)):
        front, back = tack + (head - tack) * up, clew + (head - clew) * up
        back = back + (back - front) * roach * np.sin(np.pi * up) * (2.5 if up < 0.9 else 1.0)
        camber = np.sin(np.pi * across**0.8) * (1 - up * 0.6) * min(1.0, up * 3 + 0.4) * (1 - up)
        grid[row] = front + (back - front) * across + belly * camber
    for row in range(rows):
        seam = 0.975 if row % 3 == 0 else 1.0
        colour = (cloth[0] * seam, cloth[1] * seam, cloth[2] * seam)
        for column in range(columns):
            low, high = grid[row, column : column + 2], grid[row + 1, column : column + 2]
            mesh.plate([low[0], low[1], high[1], high[0]], colour, layer=_RIG, gloss=0.0)
