"""Draws one object of the scene into a small picture with an opacity, at its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.noise import fractal_noise
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.shading import face_colours
from spiking_retina_ros.datasets.sea.solid import Solid
from spiking_retina_ros.detections import ImageArray

_SHIFT = 4  # fractional bits of polygon corners
_LARGEST = 8_000_000  # pixels; an object this close fills the picture several times
_NEAREST = 1.0  # metres
_BESIDE = 8  # pixels a reflection may reach to the side
_LEAST_FACE = 0.15  # pixels; smaller faces change nothing that could be seen


@dataclass(frozen=True)
class Pose:
    """
    Where an object floats: ``x`` and ``z`` in metres, angles in radians.

    ``heading`` 0 points away from the camera, a quarter turn points to the right. Positive
    ``heel`` lowers starboard, positive ``trim`` lifts the bow.
    """

    x: float
    z: float
    heading: float
    heel: float = 0.0
    trim: float = 0.0
    heave: float = 0.0


@dataclass(frozen=True)
class Sprite:
    """
    The picture of one object.

    ``pixels`` is uint8 (H, W, 4): BGR already multiplied by the opacity, which is the fourth
    channel. Its top left pixel is canvas column ``left``, row ``top``; ``waterline`` is the canvas
    row at which the middle of the object meets the sea.
    """

    pixels: ImageArray
    left: int
    top: int
    waterline: float

    @property
    def opacity(self) -> ImageArray:
        """Return the opacity (H, W) uint8, 255 where the object covers the whole pixel."""
        return self.pixels[..., 3]


def turn(vectors: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
    """Turn vectors (V, 3) of an object's own frame by heel, trim and heading into the world."""
    x, y, z = vectors.T
    sine, cosine = np.sin(pose.heel), np.cos(pose.heel)
    y, z = y * cosine - z * sine, y * sine + z * cosine
    sine, cosine = np.sin(pose.trim), np.cos(pose.trim)
    x, y = x * cosine - y * sine, x * sine + y * cosine
    sine, cosine = np.sin(pose.heading), np.cos(pose.heading)
    return np.stack([x * sine + z * cosine, y, x * cosine - z * sine], axis=1)


def place(points: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
    """Place points (V, 3) in the world; what is under water is pressed onto its surface."""
    placed = turn(points, pose) + np.array([pose.x, pose.heave, pose.z])
    across = placed[:, 0] - pose.x
    ripple = np.sin(2.1 * across + 1.3 * placed[:, 2]) + np.sin(5.3 * across + 0.7 * placed[:, 2])
    placed[:, 1] = np.maximum(placed[:, 1], 0.02 * ripple)
    return placed


def draw_sprite(
    solid: Solid,
    pose: Pose,
    optics: Optics,
    window: Window,
    light: Light,
    haze: NDArray[np.floating],
) -> Sprite | None:
    """
    Return the object as the level camera sees it, or None where it is too near or too small.

    Faces are painted from back to front at a multiple of the resolution, then averaged. ``haze``
    (3,) BGR in [0, 1] is what the object fades to with its range.
    """
    corners = place(solid.points, pose)
    if corners[:, 2].min() < _NEAREST:
        return None
    centre_x, centre_y = optics.centre
    pixel_x = centre_x + optics.focal * corners[:, 0] / corners[:, 2]
    pixel_y = centre_y - optics.focal * (corners[:, 1] - optics.height) / corners[:, 2]
    # Columns outside the window are never seen; rows above it may show in the water.
    left, right = _limits(pixel_x, window.left - _BESIDE, window.right + _BESIDE)
    rows = window.bottom - window.top
    top, bottom = _limits(pixel_y, window.top - rows, window.bottom + rows)
    width, height = right - left, bottom - top
    if width < 3 or height < 3 or width * height > _LARGEST:
        return None
    factor = _supersampling(max(width, height))
    fine = (np.stack([pixel_x - left, pixel_y - top], axis=1) + 0.5) * factor - 0.5
    size = (height * factor, width * factor)
    painted = _paint(solid, pose, corners, fine, size, factor, optics, light)
    pixels = np.asarray(
        cv2.resize(painted, (width, height), interpolation=cv2.INTER_AREA), np.uint8
    )
    clear = float(np.exp(-pose.z / light.visibility))
    waterline = centre_y + optics.focal * optics.height / pose.z
    return Sprite(_weathered_and_hazed(pixels, haze, clear), left, top, waterline)


def _limits(pixels: NDArray[np.float64], first: int, last: int) -> tuple[int, int]:
    """Return first and last + 1 pixel with a margin of one, inside the given limits."""
    low, high = int(np.floor(pixels.min())) - 1, int(np.ceil(pixels.max())) + 2
    return max(low, first), min(high, last)


def _supersampling(pixels: int) -> int:
    return 8 if pixels < 50 else 4 if pixels < 300 else 2


def _paint(
    solid: Solid,
    pose: Pose,
    corners: NDArray[np.float64],
    fine: NDArray[np.float64],
    size: tuple[int, int],
    factor: int,
    optics: Optics,
    light: Light,
) -> ImageArray:
    """Return the picture (rows, columns, 4) at the finer resolution."""
    drawn = np.zeros((*size, 4), np.uint8)
    least = _LEAST_FACE * factor
    starts, counts = solid.starts, solid.counts
    centres = np.add.reduceat(corners, starts, axis=0) / counts[:, None]
    view = np.array([0.0, optics.height, 0.0]) - centres
    distance = np.linalg.norm(view, axis=1)
    view /= distance[:, None]
    normals = _normals(solid, pose, corners, view)
    facing = np.einsum('ij,ij->i', normals, view) > 0
    layers = solid.layers
    if optics.height < solid.deck + pose.heave:
        layers = np.where(layers == 0, 100, layers)  # from below, the hull hides what it carries
    order = np.lexsort((-distance, layers))
    order = order[(facing & (_extents(fine, starts) > least))[order]]
    colours = (face_colours(solid, normals, view, light) * 255).astype(np.uint8)
    paints = np.concatenate([colours, np.full((len(colours), 1), 255, np.uint8)], axis=1).tolist()
    fixed = np.round(fine * (1 << _SHIFT)).astype(np.int32)
    for index in order.tolist():
        start = starts[index]
        polygon = fixed[start : start + counts[index]]
        cv2.fillConvexPoly(drawn, polygon, paints[index], cv2.LINE_8, _SHIFT)
    return drawn


def _extents(fine: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the larger side (F,) of the frame around each face, in fine pixels."""
    low = np.minimum.reduceat(fine, starts, axis=0)
    span = np.maximum.reduceat(fine, starts, axis=0) - low
    return span.max(axis=1)


def _normals(
    solid: Solid, pose: Pose, corners: NDArray[np.float64], view: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return unit normals (F, 3): outward, or for thin faces towards the camera."""
    normals = turn(solid.outward, pose)
    thin = np.flatnonzero(solid.thin)
    starts = solid.starts[thin]
    first = corners[starts + 1] - corners[starts]
    flat = np.cross(first, corners[starts + 2] - corners[starts])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-12
    away = np.einsum('ij,ij->i', flat, view[thin]) < 0
    normals[thin] = flat * np.where(away, -1.0, 1.0)[:, None]
    return normals


@cache
def _weather() -> ImageArray:
    """Return a texture (256, 256) uint8 around 128: what salt and sun leave on paint."""
    grain = fractal_noise(np.random.default_rng(7), (256, 256), slope=0.8)
    return np.clip(128 + 3.5 * grain, 0, 255).astype(np.uint8)


def _weathered_and_hazed(
    pixels: ImageArray, haze: NDArray[np.floating], clear: float
) -> ImageArray:
    """Give the paint some grain, then fade it towards the haze."""
    height, width = pixels.shape[:2]
    bgr = np.ascontiguousarray(pixels[..., :3])
    if max(height, width) > 40:
        grain = cv2.resize(_weather(), (width, height), interpolation=cv2.INTER_LINEAR)
        toned = cv2.multiply(bgr, cv2.cvtColor(grain, cv2.COLOR_GRAY2BGR), scale=1 / 128)
        bgr = np.asarray(toned, np.uint8)
    opacity = pixels[..., 3:]
    veil = (opacity * (np.asarray(haze, np.float32) * (1 - clear))).astype(np.uint8)
    bgr = np.minimum(cv2.add(cv2.convertScaleAbs(bgr, alpha=clear), veil), opacity)
    return np.concatenate([bgr, opacity], axis=2)
