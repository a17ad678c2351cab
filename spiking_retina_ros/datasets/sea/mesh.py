"""
Solids of coloured polygons, from which vessels and buoys are put together.

A mesh has its own frame in metres: x forward, y up from the waterline, z to starboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour
from spiking_retina_ros.datasets.sea.solid import Face, Points, Solid


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
            layers=np.array([float(face.layer) for face in faces]),
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
        sides: int = 28,
        layer: int = 1,
        gloss: float = 0.18,
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
        foot: Sequence[float] | Points,
        top: Sequence[float] | Points,
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
        layer: int = 1,
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
            pane = Face(corners, colour, layer + 0.5, gloss=0.6, outward=outward)
            self.faces.append(pane)  # half a layer on, so that the wall never covers it
