"""A finished solid: coloured polygons as arrays."""

from __future__ import annotations

from dataclasses import dataclass

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
    layer: float = 0
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
    layers: NDArray[np.float64]
    outward: NDArray[np.float64]
