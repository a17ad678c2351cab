"""Vessels: sailing boats, motor boats, ferries and freighters, each varied by its own seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh, Solid

WHITE: Colour = (0.90, 0.91, 0.91)
CREAM: Colour = (0.80, 0.88, 0.92)
NAVY: Colour = (0.28, 0.14, 0.07)
GLASS: Colour = (0.20, 0.16, 0.12)
TEAK: Colour = (0.42, 0.58, 0.70)
ALUMINIUM: Colour = (0.70, 0.70, 0.68)
BLACK: Colour = (0.10, 0.09, 0.09)
GREY: Colour = (0.60, 0.60, 0.58)
RUST: Colour = (0.16, 0.20, 0.42)
RED: Colour = (0.16, 0.13, 0.62)
GREEN: Colour = (0.28, 0.36, 0.10)
BLUE: Colour = (0.55, 0.30, 0.10)
BUFF: Colour = (0.42, 0.68, 0.85)

KINDS = ('sailing', 'motor', 'ferry', 'freighter')


def build_vessel(kind: str, rng: np.random.Generator) -> Solid:
    """Return a vessel of one of ``KINDS``."""
    builders = {'sailing': _sailing, 'motor': _motor, 'ferry': _ferry, 'freighter': _freighter}
    return builders[kind](rng).solid()


def _pick(rng: np.random.Generator, colours: list[Colour], weights: list[float]) -> Colour:
    shares = np.array(weights) / sum(weights)
    base = colours[int(rng.choice(len(colours), p=shares))]
    shade = rng.uniform(0.88, 1.05)
    blue, green, red = (float(np.clip(c * shade * rng.normal(1, 0.015), 0, 1)) for c in base)
    return blue, green, red


def _sailing(rng: np.random.Generator) -> Mesh:
    length = rng.uniform(6.5, 15.0)
    beam, free = length * rng.uniform(0.27, 0.33), 0.55 + length * 0.055
    mast = length * rng.uniform(1.15, 1.4)
    mesh = Mesh(length, mast + free)
    colour = _pick(rng, [WHITE, NAVY, RED, GREEN, CREAM], [7, 2, 0.6, 0.4, 1])
    edge = mesh.hull(
        length=length,
        beam=beam,
        bow=free * 1.2,
        stern=free * 0.9,
        colour=colour,
        bottom=NAVY,
        deck=_pick(rng, [CREAM, TEAK], [2, 1]),
        transom=rng.uniform(0.45, 0.85),
        rake=0.09,
        stripe=_pick(rng, [colour, NAVY, RED, BLUE], [5, 1, 1, 1]),
        rail=TEAK,
    )
    house = (-0.12 * length, 0.2 * length)
    top = free * 1.02 + 0.38
    mesh.box(house, (free * 0.95, top), beam * 0.55, WHITE, rake=(0.1, -0.5), taper=0.85)
    for side in (-1, 1):
        mesh.windows(
            (house[0] + 0.4, free + 0.12, side * beam * 0.262),
            (house[1] - 0.7, free + 0.12, side * beam * 0.262),
            0.17,
            GLASS,
            count=3,
        )
    if rng.random() < 0.4:
        mesh.box(
            (house[0] - 0.9, house[0] + 0.3),
            (top, top + 0.55),
            beam * 0.5,
            NAVY,
            rake=(0.5, -0.1),
            taper=0.9,
        )
    foot = 0.08 * length
    mesh.pole((foot, free, 0), (foot, free + mast, 0), 0.17, ALUMINIUM, layer=3)
    bow_x, stern_x = 0.56 * length, -0.48 * length
    for end in ((bow_x, edge(bow_x)[1], 0.0), (stern_x, free, 0.0)):
        mesh.pole(end, (foot, free + mast * 0.97, 0), 0.02, GREY, layer=3)
    for side in (-1, 1):
        mesh.pole(
            (foot, free, side * beam * 0.45), (foot, free + mast * 0.9, 0), 0.02, GREY, layer=3
        )
        mesh.pole(
            (foot, free + mast * 0.5, 0),
            (foot, free + mast * 0.5, side * beam * 0.28),
            0.06,
            ALUMINIUM,
            layer=3,
        )
    boom_y, boom_end = free + 1.25, foot - 0.42 * length
    hoisted = rng.random() < 0.72
    swing = rng.uniform(0.05, 0.6) * rng.choice([-1, 1])
    cloth = _pick(rng, [WHITE, CREAM, RUST, NAVY], [8, 3, 0.6, 0.2])
    clew = (foot - (foot - boom_end) * np.cos(swing), boom_y, np.sin(swing) * (foot - boom_end))
    mesh.pole((foot, boom_y, 0), clew, 0.13, ALUMINIUM, layer=3)
    if hoisted:
        _sail(
            mesh,
            (foot, boom_y + 0.1, 0),
            (foot, free + mast * 0.97, 0),
            clew,
            cloth,
            swing,
            roach=0.08,
        )
        if rng.random() < 0.85:
            tack = (bow_x, edge(bow_x)[1] + 0.25, 0.0)
            overlap = foot + length * rng.uniform(-0.12, 0.12)
            sheet = (overlap, free + 0.5, np.sin(swing) * length * 0.25)
            head = (foot + 0.05 * length, free + mast * rng.uniform(0.82, 0.95), 0.0)
            _sail(mesh, tack, head, sheet, cloth, swing, roach=-0.03)
    else:
        cover = _pick(rng, [NAVY, BLUE, CREAM, RED], [3, 2, 2, 0.5])
        mesh.pole(
            (foot - 0.2, boom_y + 0.18, 0), (clew[0], boom_y + 0.1, clew[2]), 0.36, cover, layer=3
        )
    mesh.pole((stern_x, free, 0), (stern_x - 0.3, free + 1.4, 0), 0.03, GREY, layer=3)
    return mesh


def _sail(
    mesh: Mesh,
    tack: tuple[float, float, float],
    head: tuple[float, float, float],
    clew: tuple[float, float, float],
    cloth: Colour,
    swing: float,
    *,
    roach: float,
) -> None:
    """Add a cambered triangle of cloth with a few seams."""
    tack_, head_, clew_ = (np.asarray(point, float) for point in (tack, head, clew))
    rows, columns = 10, 5
    chord = np.linalg.norm(clew_ - tack_)
    belly = np.array([0.0, 0.0, 1.0]) * np.sign(swing) * 0.13 * chord
    grid = np.empty((rows + 1, columns + 1, 3))
    for row in range(rows + 1):
        up = row / rows
        luff = tack_ + (head_ - tack_) * up
        leech = clew_ + (head_ - clew_) * up
        leech = leech + (leech - luff) * roach * np.sin(np.pi * up) * (2.5 if up < 0.9 else 1.0)
        for column in range(columns + 1):
            across = column / columns
            camber = np.sin(np.pi * across**0.8) * (1 - up * 0.6) * min(1.0, up * 3 + 0.4)
            grid[row, column] = luff + (leech - luff) * across + belly * camber * (1 - up)
    for row in range(rows):
        seam = 0.985 if row % 2 else 1.0
        colour = (cloth[0] * seam, cloth[1] * seam, cloth[2] * seam)
        for column in range(columns):
            mesh.plate(
                [
                    grid[row, column],
                    grid[row, column + 1],
                    grid[row + 1, column + 1],
                    grid[row + 1, column],
                ],
                colour,
                layer=3,
                gloss=0.0,
            )


def _motor(rng: np.random.Generator) -> Mesh:
    style = str(rng.choice(['open', 'cabin', 'flybridge', 'pilot']))
    length = {
        'open': rng.uniform(4.5, 7.5),
        'cabin': rng.uniform(6.5, 11.0),
        'flybridge': rng.uniform(11.0, 22.0),
        'pilot': rng.uniform(8.0, 16.0),
    }[style]
    beam, free = length * rng.uniform(0.3, 0.36), 0.5 + 0.06 * length
    work = style == 'pilot'
    colour = _pick(
        rng,
        [WHITE, NAVY, RED, BLUE, BLACK, GREEN],
        [1, 2, 1.5, 1.5, 1, 1] if work else [8, 2, 0.5, 0.7, 0.4, 0.2],
    )
    mesh = Mesh(length, free + 2.0)
    edge = mesh.hull(
        length=length,
        beam=beam,
        bow=free * 1.5,
        stern=free * 0.85,
        colour=colour,
        bottom=BLACK if work else NAVY,
        deck=_pick(rng, [GREY, CREAM, TEAK], [2, 2, 1]),
        transom=0.88,
        rake=0.14,
        flare=0.55,
        fullness=2.6,
        stripe=_pick(rng, [colour, RED, NAVY, GREY], [4, 1, 1, 1]),
        rail=BLACK if work else WHITE,
    )
    deck = free * 0.95
    house = WHITE if not work else _pick(rng, [WHITE, ALUMINIUM, BUFF, RED], [4, 1, 1, 0.7])
    if style == 'open':
        x = 0.06 * length
        mesh.box((x - 0.5, x + 0.3), (deck, deck + 0.55), beam * 0.35, house, rake=(0, -0.2))
        mesh.plate(
            [
                [x + 0.3, deck + 0.3, -beam * 0.4],
                [x + 0.3, deck + 0.3, beam * 0.4],
                [x - 0.2, deck + 0.85, beam * 0.33],
                [x - 0.2, deck + 0.85, -beam * 0.33],
            ],
            GLASS,
            layer=2,
            gloss=0.7,
        )
        for seat in range(int(rng.integers(1, 3))):
            _person(mesh, (-0.1 - 0.9 * seat, deck - 0.1, rng.uniform(-0.25, 0.25) * beam), rng)
        stern = -0.5 * length
        mesh.box((stern - 0.35, stern + 0.1), (free * 0.3, free + 0.45), 0.45, BLACK, taper=0.8)
        mesh.height = deck + 1.4
        return mesh
    aft = {'cabin': -0.12, 'flybridge': -0.28, 'pilot': rng.choice([-0.3, -0.05])}[style] * length
    fore = {'cabin': 0.22, 'flybridge': 0.22, 'pilot': aft / length + 0.34}[style] * length
    high = deck + {'cabin': 1.25, 'flybridge': 1.7, 'pilot': 2.1}[style]
    slope = -0.25 if work else -0.42 * (high - deck) - 0.5
    width = beam * 0.74
    mesh.box((aft, fore), (deck, high), width, house, rake=(0.15, slope), taper=0.86, roof=house)
    sill = deck + (high - deck) * 0.5
    pane = (high - deck) * 0.34
    for side in (-1, 1):
        z = side * width / 2 * 0.93
        mesh.windows(
            (aft + 0.3, sill, z),
            (fore + slope * 0.55 - 0.2, sill, z),
            pane,
            GLASS,
            count=3 if work else 2,
            gap=0.2 if work else 0.08,
        )
    front = fore + slope * 0.52 + 0.04
    mesh.windows(
        (front, sill, -width * 0.42),
        (front, sill, width * 0.42),
        pane,
        GLASS,
        count=3,
        gap=0.12,
        rise=slope * 0.33,
        bow=1.0,
    )
    if style == 'flybridge':
        mesh.box(
            (aft - 0.08 * length, fore + slope - 0.3),
            (high, high + 0.75),
            width * 0.9,
            WHITE,
            rake=(0.1, -0.7),
            taper=0.95,
            layer=3,
        )
        mesh.pole(
            (aft + 1, high + 0.7, -width / 3),
            (aft + 0.6, high + 2.0, -width / 3),
            0.15,
            WHITE,
            layer=4,
        )
        mesh.pole(
            (aft + 1, high + 0.7, width / 3),
            (aft + 0.6, high + 2.0, width / 3),
            0.15,
            WHITE,
            layer=4,
        )
        mesh.box((aft - 0.2, aft + 2.4), (high + 1.95, high + 2.1), width * 0.85, WHITE, layer=4)
        for side in (-1, 1):
            z = side * beam * 0.49
            mesh.windows(
                (-0.25 * length, free * 0.62, z),
                (0.15 * length, free * 0.66, z),
                free * 0.16,
                GLASS,
                count=4,
                gap=0.4,
            )
        top = high + 2.2
    else:
        top = high
    mesh.pole(
        (aft + 0.5, top, 0), (aft + 0.3, top + rng.uniform(0.8, 2.6), 0), 0.07, ALUMINIUM, layer=5
    )
    for side in (-1, 1):
        posts = [(x, *edge(x)) for x in np.linspace(fore, 0.53 * length, 5)]
        for (x0, z0, y0), (x1, z1, y1) in pairwise(posts):
            mesh.pole((x0, y0 + 0.6, side * z0), (x1, y1 + 0.6, side * z1), 0.035, ALUMINIUM)
            mesh.pole((x1, y1, side * z1), (x1, y1 + 0.6, side * z1), 0.03, ALUMINIUM)
    if rng.random() < 0.5:
        _person(mesh, (aft - 0.6, deck - 0.1, rng.uniform(-0.2, 0.2) * beam), rng)
    mesh.height = top + 1.5
    return mesh


def _person(mesh: Mesh, foot: tuple[float, float, float], rng: np.random.Generator) -> None:
    coat = _pick(rng, [NAVY, RED, BUFF, BLACK, (0.1, 0.5, 0.9)], [2, 2, 1, 2, 1])
    x, y, z = foot
    mesh.turned(
        [(0.16, y), (0.24, y + 0.9), (0.12, y + 1.1)], [coat, coat], x=x, z=z, sides=8, layer=2
    )
    mesh.turned(
        [(0.06, y + 1.08), (0.12, y + 1.2), (0.1, y + 1.34), (0.0, y + 1.38)],
        [(0.5, 0.6, 0.78)] * 2 + [(0.12, 0.18, 0.25)],
        x=x,
        z=z,
        sides=8,
        layer=2,
    )


def _ferry(rng: np.random.Generator) -> Mesh:
    length = rng.uniform(30.0, 140.0)
    beam, free = length * rng.uniform(0.17, 0.22), 1.5 + length * 0.05
    mesh = Mesh(length, free * 3)
    colour = _pick(rng, [WHITE, NAVY, BLUE, RED, BLACK], [4, 2, 1.5, 1, 1])
    mesh.hull(
        length=length,
        beam=beam,
        bow=free * 1.25,
        stern=free,
        colour=colour,
        bottom=_pick(rng, [RUST, NAVY, BLACK], [2, 1, 1]),
        deck=GREY,
        transom=0.85,
        rake=0.06,
        flare=0.7,
        fullness=3.0,
        stripe=_pick(rng, [colour, RED, BLUE, BUFF], [3, 1, 1.5, 1]),
        rail=WHITE,
        stations=30,
    )
    decks = int(rng.integers(2, 5 if length > 70 else 4))
    storey = 2.3 + length * 0.006
    aft, fore, y = -0.44 * length, 0.3 * length, free * 0.98
    width = beam * 0.92
    for deck in range(decks):
        mesh.box(
            (aft, fore),
            (y, y + storey),
            width,
            WHITE,
            rake=(0.2, -0.8),
            taper=0.99,
            layer=1 + deck,
            roof=GREY,
        )
        panes = int(np.clip((fore - aft) / 2.5, 5, 22))
        for side in (-1, 1):
            mesh.windows(
                (aft + 1.5, y + storey * 0.38, side * width / 2),
                (fore - 2.0, y + storey * 0.38, side * width / 2),
                storey * 0.34,
                GLASS,
                count=panes,
                gap=rng.choice([0.12, 0.35]),
                layer=1 + deck,
            )
        mesh.windows(
            (fore - 0.3, y + storey * 0.4, -width * 0.44),
            (fore - 0.3, y + storey * 0.4, width * 0.44),
            storey * 0.32,
            GLASS,
            count=7,
            bow=1.0,
            layer=1 + deck,
            rise=-0.3,
        )
        y += storey
        aft += length * rng.uniform(0.01, 0.06)
        fore -= length * rng.uniform(0.02, 0.08)
        width *= 0.97
    bridge = (fore - length * 0.13, fore - length * 0.01)
    mesh.box(bridge, (y, y + storey * 0.9), width * 1.02, WHITE, rake=(0.1, -0.4), layer=6)
    mesh.windows(
        (bridge[1] - 0.15, y + storey * 0.35, -width * 0.48),
        (bridge[1] - 0.15, y + storey * 0.35, width * 0.48),
        storey * 0.38,
        GLASS,
        count=9,
        gap=0.1,
        bow=1.0,
        layer=6,
        rise=-0.15,
    )
    for side in (-1, 1):
        mesh.windows(
            (bridge[0], y + storey * 0.35, side * width * 0.51),
            (bridge[1] - 0.4, y + storey * 0.35, side * width * 0.51),
            storey * 0.38,
            GLASS,
            count=4,
            gap=0.1,
            layer=6,
        )
    funnel = _pick(rng, [RED, BLUE, BUFF, NAVY, WHITE], [2, 2, 1, 1, 1])
    middle = aft + (fore - aft) * 0.3
    mesh.box(
        (middle, middle + length * 0.06),
        (y, y + storey * 1.6),
        width * 0.28,
        funnel,
        rake=(-0.6, -1.2),
        taper=0.85,
        roof=BLACK,
        layer=7,
    )
    mesh.pole(
        (bridge[0] + 1, y + storey, 0), (bridge[0] + 0.6, y + storey * 2.3, 0), 0.35, WHITE, layer=7
    )
    mesh.height = y + storey * 2.3
    return mesh


def _freighter(rng: np.random.Generator) -> Mesh:
    length = rng.uniform(80.0, 260.0)
    beam, free = length * rng.uniform(0.13, 0.16), length * rng.uniform(0.03, 0.055) + 1.0
    mesh = Mesh(length, 1.0)
    colour = _pick(rng, [BLACK, NAVY, RED, GREEN, BLUE, GREY, RUST], [2, 2, 2, 1, 1.5, 1, 0.7])
    mesh.hull(
        length=length,
        beam=beam,
        bow=free * 1.5,
        stern=free,
        colour=colour,
        bottom=RUST,
        deck=RUST,
        transom=0.8,
        rake=0.04,
        flare=0.75,
        fullness=5.0,
        stations=34,
        rail=colour,
    )
    house = (-0.46 * length, -0.34 * length)
    rise = free + length * rng.uniform(0.085, 0.12)
    cream = _pick(rng, [WHITE, CREAM, BUFF], [4, 2, 0.5])
    mesh.box(house, (free, rise), beam * 0.86, cream, layer=2)
    storeys = 5
    step = (rise - free) / storeys
    for storey in range(1, storeys):
        for side in (-1, 1):
            mesh.windows(
                (house[0] + 1, free + step * (storey + 0.3), side * beam * 0.43),
                (house[1] - 1, free + step * (storey + 0.3), side * beam * 0.43),
                step * 0.3,
                GLASS,
                count=6,
                gap=0.5,
                layer=2,
            )
        mesh.windows(
            (house[1] + 0.05, free + step * (storey + 0.3), -beam * 0.4),
            (house[1] + 0.05, free + step * (storey + 0.3), beam * 0.4),
            step * 0.35,
            GLASS,
            count=9,
            gap=0.4,
            bow=1.0,
            layer=2,
        )
    mesh.box((house[0] + 2, house[1] + 1), (rise, rise + step), beam * 1.02, cream, layer=3)
    for side in (-1, 1):
        mesh.windows(
            (house[0] + 3, rise + step * 0.35, side * beam * 0.51),
            (house[1], rise + step * 0.35, side * beam * 0.51),
            step * 0.4,
            GLASS,
            count=5,
            gap=0.15,
            layer=3,
        )
    funnel = _pick(rng, [RED, BLUE, BUFF, BLACK, GREEN], [1, 1, 1, 1, 1])
    mesh.box(
        (house[0] - 0.03 * length, house[0]),
        (free, rise + step * 1.6),
        beam * 0.3,
        funnel,
        layer=2,
        roof=BLACK,
    )
    mesh.pole(
        (house[1] - 3, rise + step, 0), (house[1] - 3, rise + step * 3, 0), 0.5, WHITE, layer=4
    )
    mesh.height = rise + step * 3
    cargo = str(rng.choice(['containers', 'cranes', 'tanker']))
    start, end = house[1] + 0.02 * length, 0.4 * length
    if cargo == 'containers':
        _containers(mesh, start, end, free, beam, rng)
    elif cargo == 'cranes':
        for x in np.linspace(start, end, 4)[:-1]:
            hatch = (end - start) / 3.6
            mesh.box((x, x + hatch), (free, free + 2.2), beam * 0.7, RUST, layer=2)
            post = x + hatch + (end - start) * 0.03
            mesh.box((post - 1.2, post + 1.2), (free, free + length * 0.08), 2.4, BUFF, layer=3)
            mesh.pole(
                (post, free + length * 0.07, 0),
                (post + length * 0.1 * rng.choice([-1, 1]), free + length * 0.11, 0),
                1.0,
                BUFF,
                layer=4,
            )
    else:
        mesh.box((start, end), (free, free + 1.4), beam * 0.2, RED, layer=2)
        for x in np.linspace(start, end, 7):
            mesh.pole((x, free, -beam * 0.3), (x, free + 3.0, -beam * 0.3), 0.5, GREY, layer=3)
    mesh.pole(
        (0.45 * length, free * 1.4, 0),
        (0.45 * length, free * 1.4 + length * 0.06, 0),
        0.5,
        BUFF,
        layer=4,
    )
    return mesh


def _containers(
    mesh: Mesh, start: float, end: float, free: float, beam: float, rng: np.random.Generator
) -> None:
    paints: list[Colour] = [RED, BLUE, GREEN, GREY, BUFF, RUST, WHITE, NAVY, (0.1, 0.4, 0.75)]
    bay, tier = 13.0, 2.7
    count = max(2, int((end - start) / bay))
    for index in range(count):
        x = start + index * (end - start) / count
        stack = int(rng.integers(1, 6))
        for level in range(stack):
            y = free + 1.2 + level * tier
            for lane in range(3):
                paint = paints[int(rng.integers(len(paints)))]
                z = (lane - 1) * beam * 0.3
                mesh.box(
                    (x, x + 12.2), (y, y + tier * 0.97), beam * 0.29, paint, layer=2 + level, z=z
                )
