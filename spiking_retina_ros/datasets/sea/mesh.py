"""
Solids of coloured polygons, from which vessels and buoys are put together.

A mesh has its own frame in metres: x forward, y up from the waterline, z to starboard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Colour

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """
    A convex polygon (K, 3).

    ``layer`` orders what distance alone would order wrongly: lower layers are drawn first.
    A ``thin`` face shows both its sides; others are seen from outside only. ``gloss`` is the
    strength of the sun's mirror image.
    """

    points: Points
    colour: Colour
    layer: int = 0
    thin: bool = False
    gloss: float = 0.15
    outward: Points | None = None


@dataclass(frozen=True)
class Solid:
    """
    A finished mesh as arrays of V corners and F faces.

    ``points`` (V, 3); face f has ``counts[f]`` corners from ``starts[f]`` on. ``colours`` (F, 3)
    BGR in [0, 1], ``gloss`` (F,), ``thin`` (F,) bool, ``layers`` (F,), ``outward`` (F, 3) unit.
    Sizes are in metres; ``deck`` is the height above which parts stand on the hull.
    """

    length: float
    height: float
    deck: float
    points: Points
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    colours: NDArray[np.float64]
    gloss: NDArray[np.float64]
    thin: NDArray[np.bool_]
    layers: NDArray[np.int64]
    outward: NDArray[np.float64]


@dataclass
class Mesh:
    """Faces under construction, and the sizes the renderer needs; ``solid`` ends the work."""

    length: float
    height: float
    deck: float = 0.0
    faces: list[Face] = field(default_factory=list)

    def solid(self) -> Solid:
        """Return the faces as arrays, ready to be drawn."""
        faces = self.faces
        counts = np.array([len(face.points) for face in faces], np.int64)
        none = np.zeros(3)
        return Solid(
            length=self.length,
            height=self.height,
            deck=self.deck,
            points=np.concatenate([face.points for face in faces]),
            starts=np.concatenate([[0], np.cumsum(counts)[:-1]]),
            counts=counts,
            colours=np.array([face.colour for face in faces]),
            gloss=np.array([face.gloss for face in faces]),
            thin=np.array([face.thin for face in faces]),
            layers=np.array([face.layer for face in faces]),
            outward=np.array([none if face.outward is None else face.outward for face in faces]),
        )

    def quad_strip(
        self,
        first: Points,
        second: Points,
        colour: Colour,
        *,
        outward: Points,
        layer: int = 0,
        gloss: float = 0.15,
    ) -> None:
        """Join two lines (K, 3) by quads that face along ``outward`` (3,) or (K - 1, 3)."""
        directions = np.broadcast_to(outward, (len(first) - 1, 3))
        for index in range(len(first) - 1):
            corners = np.array([first[index], first[index + 1], second[index + 1], second[index]])
            self.faces.append(Face(corners, colour, layer, gloss=gloss, outward=directions[index]))

    def plate(
        self,
        points: Sequence[Sequence[float] | Points] | Points,
        colour: Colour,
        *,
        layer: int = 0,
        gloss: float = 0.1,
    ) -> None:
        """Add one polygon seen from both sides."""
        self.faces.append(Face(np.asarray(points, float), colour, layer, thin=True, gloss=gloss))

    def box(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        width: float,
        colour: Colour,
        *,
        roof: Colour | None = None,
        layer: int = 1,
        rake: tuple[float, float] = (0.0, 0.0),
        taper: float = 1.0,
        z: float = 0.0,
    ) -> None:
        """
        Add a house: x from aft to fore, y from floor to roof, ``width`` across at ``z``.

        ``rake`` moves the roof's aft and fore edge, ``taper`` narrows the roof.
        """
        (aft, fore), (low, high) = x, y
        half, top = width / 2, width / 2 * taper
        floor = np.array(
            [
                [aft, low, z - half],
                [fore, low, z - half],
                [fore, low, z + half],
                [aft, low, z + half],
            ]
        )
        upper = np.array(
            [
                [aft + rake[0], high, z - top],
                [fore + rake[1], high, z - top],
                [fore + rake[1], high, z + top],
                [aft + rake[0], high, z + top],
            ]
        )
        outwards = ((0, 0, -1), (1, 0, 0), (0, 0, 1), (-1, 0, 0))
        for side, outward in enumerate(outwards):
            after = (side + 1) % 4
            corners = np.array([floor[side], floor[after], upper[after], upper[side]])
            self.faces.append(Face(corners, colour, layer, outward=np.array(outward, float)))
        self.faces.append(Face(upper, roof or colour, layer, outward=np.array([0.0, 1.0, 0.0])))

    def turned(
        self,
        profile: Sequence[tuple[float, float]],
        colours: Sequence[Colour],
        *,
        x: float = 0.0,
        z: float = 0.0,
        sides: int = 20,
        layer: int = 1,
        gloss: float = 0.25,
    ) -> None:
        """Add a body of revolution about the vertical through (x, z): (radius, y) per ring."""
        angle = np.linspace(0, 2 * np.pi, sides + 1)
        middle = (angle[:-1] + angle[1:]) / 2
        ring = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], axis=1)
        for (low_r, low_y), (high_r, high_y), colour in zip(
            profile, profile[1:], colours, strict=False
        ):
            base, lift = np.array([x, low_y, z]), np.array([x, high_y, z])
            rise, run = high_y - low_y, low_r - high_r
            outward = np.stack(
                [np.cos(middle) * rise, np.full_like(middle, run), np.sin(middle) * rise], axis=1
            )
            outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-12
            self.quad_strip(
                ring * low_r + base,
                ring * high_r + lift,
                colour,
                outward=outward,
                layer=layer,
                gloss=gloss,
            )

    def pole(
        self,
        foot: Sequence[float],
        top: Sequence[float],
        thickness: float,
        colour: Colour,
        *,
        layer: int = 1,
    ) -> None:
        """Add a round bar between two points, as two crossed plates."""
        start, end = np.asarray(foot, float), np.asarray(top, float)
        along = end - start
        across = np.cross(along, (0.3, 0.2, 1.0))
        across *= thickness / 2 / (np.linalg.norm(across) + 1e-12)
        other = np.cross(along, across)
        other *= thickness / 2 / (np.linalg.norm(other) + 1e-12)
        for side in (across, other):
            self.plate([start - side, start + side, end + side, end - side], colour, layer=layer)

    def windows(
        self,
        start: Sequence[float],
        end: Sequence[float],
        height: float,
        colour: Colour,
        *,
        count: int = 1,
        gap: float = 0.25,
        layer: int = 2,
        rise: float = 0.0,
        bow: float = 0.0,
    ) -> None:
        """Add ``count`` panes along the line of their lower edges, on a wall facing sideways."""
        first, last = np.asarray(start, float), np.asarray(end, float)
        edges = np.linspace(0, 1, count + 1)
        outward = np.cross(last - first, (0.0, 1.0, 0.0))
        outward /= np.linalg.norm(outward) + 1e-12
        if first[2] * outward[2] < 0 or (abs(outward[2]) < 0.3 and outward[0] * bow < 0):
            outward = -outward
        lift = np.array([rise, height, 0.0])
        for low, high in pairwise(edges):
            inset = (high - low) * gap / 2
            left = first + (last - first) * (low + inset)
            right = first + (last - first) * (high - inset)
            corners = np.array([left, right, right + lift, left + lift]) + 0.02 * outward
            self.faces.append(Face(corners, colour, layer, gloss=0.6, outward=outward))

    def hull(
        self,
        *,
        length: float,
        beam: float,
        bow: float,
        stern: float,
        colour: Colour,
        bottom: Colour,
        deck: Colour,
        transom: float = 0.7,
        rake: float = 0.1,
        flare: float = 0.75,
        fullness: float = 2.2,
        stripe: Colour | None = None,
        rail: Colour | None = None,
        stations: int = 22,
    ) -> Callable[[float], tuple[float, float]]:
        """
        Add a hull afloat; ``bow`` and ``stern`` are freeboards, ``transom`` the stern's share.

        Returns a function of x that gives (half beam, height) of the deck edge there.
        """
        along = np.linspace(0, 1, stations)
        aft = np.clip(along / 0.4, 0, 1)
        fore = np.clip((along - 0.4) / 0.6, 0, 1)
        half = beam / 2 * (transom + (1 - transom) * np.sin(aft * np.pi / 2))
        half = half * (1 - fore**fullness) + 0.01
        sheer = stern + (bow - stern) * along**2.2
        levels = np.array([-0.12, 0.08, 0.55, 0.72, 0.93, 1.0])
        bands = [bottom, colour, stripe or colour, colour, rail or colour]
        lines = []
        for level in levels:
            share = flare + (1 - flare) * np.clip(level, 0, 1) ** 1.5
            narrow = 1 - (1 - share) * (0.4 + 0.6 * fore)
            x = length * (along - 0.5) + rake * length * np.clip(level, 0, 1) * fore**3
            lines.append((x, sheer * level, half * narrow))
        for side in (-1.0, 1.0):
            for (low, high), colour_ in zip(pairwise(lines), bands, strict=True):
                first = np.stack([low[0], low[1], side * low[2]], axis=1)
                second = np.stack([high[0], high[1], side * high[2]], axis=1)
                edge = np.diff(first, axis=0)
                outward = np.cross(edge, second[:-1] - first[:-1])
                outward *= np.sign(outward[:, 2:] * side + 1e-9)
                outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-12
                self.quad_strip(first, second, colour_, outward=outward, gloss=0.35)
        for low, high in pairwise(lines):
            corners = [
                [low[0][0], low[1][0], -low[2][0]],
                [low[0][0], low[1][0], low[2][0]],
                [high[0][0], high[1][0], high[2][0]],
                [high[0][0], high[1][0], -high[2][0]],
            ]
            self.faces.append(Face(np.array(corners), colour, outward=np.array([-1.0, 0, 0])))
        edge_x, edge_y, edge_z = lines[-1]
        port = np.stack([edge_x, edge_y * 0.97, -edge_z * 0.96], axis=1)
        starboard = port * np.array([1.0, 1.0, -1.0])
        self.quad_strip(port, starboard, deck, outward=np.array([0.0, 1.0, 0.0]), gloss=0.05)
        self.deck = max(self.deck, float(stern))
        return lambda x: (float(np.interp(x, edge_x, edge_z)), float(np.interp(x, edge_x, edge_y)))
