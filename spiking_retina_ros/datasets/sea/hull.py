"""Hulls: lofted from a plan and a sheer line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.solid import Face, Points

DeckEdge = Callable[[float], tuple[float, float]]
_LEVELS = np.array([-0.12, 0.08, 0.55, 0.72, 0.93, 1.0])  # shares of the freeboard


@dataclass(frozen=True)
class HullForm:
    """
    Sizes in metres and proportions of a hull.

    ``bow`` and ``stern`` are freeboards. ``transom`` is the stern's share of the beam, ``rake``
    how far the stem leans forward as a share of the length, ``flare`` the waterline's share of the
    deck's beam at the bow, ``fullness`` how late the deck narrows towards the bow.
    """

    length: float
    beam: float
    bow: float
    stern: float
    transom: float = 0.7
    rake: float = 0.1
    flare: float = 0.75
    fullness: float = 2.2
    stations: int = 22


@dataclass(frozen=True)
class HullPaint:
    """Colours of a hull; ``stripe`` and ``rail`` are those of the side where they are None."""

    side: Colour
    bottom: Colour
    deck: Colour
    stripe: Colour | None = None
    rail: Colour | None = None


def add_hull(mesh: Mesh, form: HullForm, paint: HullPaint) -> DeckEdge:
    """Add a hull afloat; returns a function of x that gives (half beam, height) of its edge."""
    lines = _lines(form)
    bands = [
        paint.bottom,
        paint.side,
        paint.stripe or paint.side,
        paint.side,
        paint.rail or paint.side,
    ]
    for side in (-1.0, 1.0):
        mirror = np.array([1.0, 1.0, side])
        for (low, high), colour in zip(pairwise(lines), bands, strict=True):
            first, second = low * mirror, high * mirror
            outward = np.cross(np.diff(first, axis=0), second[:-1] - first[:-1])
            outward *= np.sign(outward[:, 2:] * side + 1e-9)
            outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-12
            mesh.quad_strip(first, second, colour, outward=outward, gloss=0.35)
    mirror = np.array([1.0, 1.0, -1.0])
    for low, high in pairwise(lines):
        corners = np.array([low[0] * mirror, low[0], high[0], high[0] * mirror])
        mesh.faces.append(Face(corners, paint.side, outward=np.array([-1.0, 0.0, 0.0])))
    edge = lines[-1]
    starboard = edge * np.array([1.0, 0.97, 0.96])
    up = np.array([0.0, 1.0, 0.0])
    mesh.quad_strip(starboard * mirror, starboard, paint.deck, outward=up, gloss=0.05)
    mesh.deck = max(mesh.deck, form.stern)
    return lambda x: (
        float(np.interp(x, edge[:, 0], edge[:, 2])),
        float(np.interp(x, edge[:, 0], edge[:, 1])),
    )


def _lines(form: HullForm) -> list[Points]:
    """Return the starboard line (stations, 3) of each level, stern to bow."""
    along = np.linspace(0, 1, form.stations)
    aft, fore = np.clip(along / 0.4, 0, 1), np.clip((along - 0.4) / 0.6, 0, 1)
    half = form.beam / 2 * (form.transom + (1 - form.transom) * np.sin(aft * np.pi / 2))
    half = half * (1 - fore**form.fullness) + 0.01
    sheer = form.stern + (form.bow - form.stern) * along**2.2
    lines = []
    for level in _LEVELS:
        share = form.flare + (1 - form.flare) * np.clip(level, 0, 1) ** 1.5
        narrow = 1 - (1 - share) * (0.4 + 0.6 * fore)
        lean = form.rake * form.length * np.clip(level, 0, 1) * fore**3
        lines.append(
            np.stack([form.length * (along - 0.5) + lean, sheer * level, half * narrow], axis=1)
        )
    return lines
