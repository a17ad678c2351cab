"""Ships: ferries and freighters with containers, cranes or tanks."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea import paint
from spiking_retina_ros.datasets.sea.hull import HullForm, HullPaint, add_hull
from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh

_LINES: list[tuple[Colour, float]] = [
    (paint.RED, 2.0),
    (paint.BLUE, 2.0),
    (paint.BUFF, 1.0),
    (paint.NAVY, 1.0),
    (paint.WHITE, 1.0),
]
_CONTAINERS = [
    paint.RED,
    paint.BLUE,
    paint.GREEN,
    paint.GREY,
    paint.BUFF,
    paint.RUST,
    paint.WHITE,
    paint.NAVY,
    paint.ORANGE,
]


def build_ferry(rng: np.random.Generator) -> Mesh:
    """Return a ferry of 30 to 140 m with two to four decks of windows."""
    length = rng.uniform(30.0, 140.0)
    beam, free = length * rng.uniform(0.17, 0.22), 1.5 + length * 0.05
    mesh = Mesh(length, free * 3)
    side = paint.pick(rng, [(paint.WHITE, 4.0), (paint.NAVY, 2.0), (paint.BLUE, 1.5), *_LINES[:1]])
    bottom = paint.pick(rng, [(paint.RUST, 2.0), (paint.NAVY, 1.0), (paint.BLACK, 1.0)])
    stripe = paint.pick(rng, [(side, 3.0), (paint.RED, 1.0), (paint.BLUE, 1.5), (paint.BUFF, 1.0)])
    form = HullForm(
        length,
        beam,
        free * 1.25,
        free,
        transom=0.85,
        rake=0.06,
        flare=0.7,
        fullness=3.0,
        stations=30,
    )
    add_hull(mesh, form, HullPaint(side, bottom, paint.GREY, stripe, paint.WHITE))
    storey = 2.3 + length * 0.006
    aft, fore, y, width = -0.44 * length, 0.3 * length, free * 0.98, beam * 0.92
    for deck in range(int(rng.integers(2, 5 if length > 70 else 4))):
        _add_deck(mesh, (aft, fore), y, storey, width, 1 + deck, float(rng.choice([0.12, 0.35])))
        y += storey
        aft += length * rng.uniform(0.01, 0.06)
        fore -= length * rng.uniform(0.02, 0.08)
        width *= 0.97
    bridge = (fore - length * 0.13, fore - length * 0.01)
    _add_bridge(mesh, bridge, y, storey, width)
    middle = aft + (fore - aft) * 0.3
    mesh.box(
        (middle, middle + length * 0.06),
        (y, y + storey * 1.6),
        width * 0.28,
        paint.pick(rng, _LINES),
        rake=(-0.6, -1.2),
        taper=0.85,
        roof=paint.BLACK,
        layer=7,
    )
    foot, tip = (bridge[0] + 1, y + storey, 0), (bridge[0] + 0.6, y + storey * 2.3, 0)
    mesh.pole(foot, tip, 0.35, paint.WHITE, layer=7)
    mesh.height = y + storey * 2.3
    return mesh


def build_freighter(rng: np.random.Generator) -> Mesh:
    """Return a freighter of 80 to 260 m, its house aft."""
    length = rng.uniform(80.0, 260.0)
    beam, free = length * rng.uniform(0.13, 0.16), length * rng.uniform(0.03, 0.055) + 1.0
    mesh = Mesh(length, 1.0)
    dark = [(paint.BLACK, 2.0), (paint.NAVY, 2.0), (paint.RED, 2.0), (paint.GREEN, 1.0)]
    side = paint.pick(rng, [*dark, (paint.BLUE, 1.5), (paint.GREY, 1.0), (paint.RUST, 0.7)])
    form = HullForm(
        length,
        beam,
        free * 1.5,
        free,
        transom=0.8,
        rake=0.04,
        flare=0.75,
        fullness=5.0,
        stations=34,
    )
    add_hull(mesh, form, HullPaint(side, paint.RUST, paint.RUST))
    rise = free + length * rng.uniform(0.085, 0.12)
    mesh.height = _add_accommodation(mesh, length, beam, free, rise, rng)
    start, end = -0.32 * length, 0.4 * length
    cargo = str(rng.choice(['containers', 'cranes', 'tanks']))
    {'containers': _add_containers, 'cranes': _add_cranes, 'tanks': _add_tanks}[cargo](
        mesh, (start, end), free, beam, rng
    )
    foot = (0.45 * length, free * 1.4, 0)
    tip = (0.45 * length, free * 1.4 + length * 0.06, 0)
    mesh.pole(foot, tip, 0.5, paint.BUFF, layer=4)
    return mesh


def _add_deck(
    mesh: Mesh,
    span: tuple[float, float],
    y: float,
    storey: float,
    width: float,
    layer: int,
    gap: float,
) -> None:
    """Add one deck of a ferry with windows to the sides and ahead."""
    aft, fore = span
    walls = (y, y + storey)
    mesh.box(span, walls, width, paint.WHITE, rake=(0.2, -0.8), taper=0.99, layer=layer)
    panes, low = int(np.clip((fore - aft) / 2.5, 5, 22)), y + storey * 0.38
    for side in (-width / 2, width / 2):
        first, last = (aft + 1.5, low, side), (fore - 2.0, low, side)
        mesh.windows(first, last, storey * 0.34, paint.GLASS, count=panes, gap=gap, layer=layer)
    ends = (fore - 0.3, low, -width * 0.44), (fore - 0.3, low, width * 0.44)
    mesh.windows(*ends, storey * 0.32, paint.GLASS, count=7, bow=1.0, layer=layer, rise=-0.3)


def _add_bridge(
    mesh: Mesh, span: tuple[float, float], y: float, storey: float, width: float
) -> None:
    walls, low, pane = (y, y + storey * 0.9), y + storey * 0.35, storey * 0.38
    mesh.box(span, walls, width * 1.02, paint.WHITE, rake=(0.1, -0.4), layer=6)
    ends = (span[1] - 0.15, low, -width * 0.48), (span[1] - 0.15, low, width * 0.48)
    mesh.windows(*ends, pane, paint.GLASS, count=9, gap=0.1, bow=1.0, layer=6, rise=-0.15)
    for side in (-width * 0.51, width * 0.51):
        first, last = (span[0], low, side), (span[1] - 0.4, low, side)
        mesh.windows(first, last, pane, paint.GLASS, count=4, gap=0.1, layer=6)


def _add_accommodation(
    mesh: Mesh, length: float, beam: float, free: float, rise: float, rng: np.random.Generator
) -> float:
    """Add house, bridge wings, funnel and mast; returns the height of the mast."""
    aft, fore = -0.46 * length, -0.34 * length
    wall = paint.pick(rng, [(paint.WHITE, 4.0), (paint.CREAM, 2.0), (paint.BUFF, 0.5)])
    mesh.box((aft, fore), (free, rise), beam * 0.86, wall, layer=2)
    storeys = 5
    step = (rise - free) / storeys
    for storey in range(1, storeys):
        low = free + step * (storey + 0.3)
        for side in (-beam * 0.43, beam * 0.43):
            first, last = (aft + 1, low, side), (fore - 1, low, side)
            mesh.windows(first, last, step * 0.3, paint.GLASS, count=6, gap=0.5, layer=2)
        ends = (fore + 0.05, low, -beam * 0.4), (fore + 0.05, low, beam * 0.4)
        mesh.windows(*ends, step * 0.35, paint.GLASS, count=9, gap=0.4, bow=1.0, layer=2)
    mesh.box((aft + 2, fore + 1), (rise, rise + step), beam * 1.02, wall, layer=3)
    for side in (-beam * 0.51, beam * 0.51):
        first, last = (aft + 3, rise + step * 0.35, side), (fore, rise + step * 0.35, side)
        mesh.windows(first, last, step * 0.4, paint.GLASS, count=5, gap=0.15, layer=3)
    funnel, top = paint.pick(rng, [*_LINES[:3], (paint.BLACK, 1.0)]), rise + step * 1.6
    stack = (aft - 0.03 * length, aft)
    mesh.box(stack, (free, top), beam * 0.3, funnel, layer=2, roof=paint.BLACK)
    tip = rise + step * 3
    mesh.pole((fore - 3, rise + step, 0), (fore - 3, tip, 0), 0.5, paint.WHITE, layer=4)
    return float(tip)


def _add_containers(
    mesh: Mesh, span: tuple[float, float], free: float, beam: float, rng: np.random.Generator
) -> None:
    tier, (start, end) = 2.7, span
    bays = max(2, int((end - start) / 13.0))
    for x in np.linspace(start, end, bays, endpoint=False):
        for level in range(int(rng.integers(1, 6))):
            y = free + 1.2 + level * tier
            for lane in (-1, 0, 1):
                tone, z = _CONTAINERS[int(rng.integers(len(_CONTAINERS)))], lane * beam * 0.3
                walls = (y, y + tier * 0.97)
                mesh.box((x, x + 12.2), walls, beam * 0.29, tone, layer=2 + level, z=z)


def _add_cranes(
    mesh: Mesh, span: tuple[float, float], free: float, beam: float, rng: np.random.Generator
) -> None:
    start, end = span
    reach, hatch = (end - start) * 0.14, (end - start) / 3.6
    for x in np.linspace(start, end, 3, endpoint=False):
        mesh.box((x, x + hatch), (free, free + 2.2), beam * 0.7, paint.RUST, layer=2)
        post, top = x + hatch + (end - start) * 0.03, free + reach * 0.8
        mesh.box((post - 1.2, post + 1.2), (free, top), 2.4, paint.BUFF, layer=3)
        jib = (post + reach * rng.choice([-1, 1]), free + reach * 1.1, 0)
        mesh.pole((post, top * 0.95, 0), jib, 1.0, paint.BUFF, layer=4)


def _add_tanks(
    mesh: Mesh, span: tuple[float, float], free: float, beam: float, rng: np.random.Generator
) -> None:
    pipes = paint.pick(rng, [(paint.RED, 2.0), (paint.GREEN, 1.0), (paint.GREY, 1.0)])
    mesh.box(span, (free, free + 1.4), beam * 0.2, pipes, layer=2)
    for x in np.linspace(*span, 7):
        mesh.pole((x, free, -beam * 0.3), (x, free + 3.0, -beam * 0.3), 0.5, paint.GREY, layer=3)
