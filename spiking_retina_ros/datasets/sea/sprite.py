"""Draws one object of the scene into a small picture with an opacity, at its place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Optics

_SHIFT = 4


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
    Colour (H, W, 3) float32 BGR and opacity (H, W) float32 in [0, 1].

    Its top left pixel is canvas column ``left``, row ``top``; ``waterline`` is the canvas row at
    which the object meets the sea.
    """

    colour: FloatImage
    opacity: FloatImage
    left: int
    top: int
    waterline: float


def world_points(mesh: Mesh, pose: Pose) -> tuple[NDArray[np.float64], list[int]]:
    """Return all face corners (V, 3) in the world, and the corner count of each face."""
    counts = [len(face.points) for face in mesh.faces]
    points = np.concatenate([face.points for face in mesh.faces])
    return _place(points, pose), counts


def _turn(vectors: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
    """Turn mesh vectors (V, 3) by heel, trim and heading into the world."""
    x, y, z = vectors.T
    y, z = (
        y * np.cos(pose.heel) - z * np.sin(pose.heel),
        y * np.sin(pose.heel) + z * np.cos(pose.heel),
    )
    x, y = (
        x * np.cos(pose.trim) - y * np.sin(pose.trim),
        x * np.sin(pose.trim) + y * np.cos(pose.trim),
    )
    sine, cosine = np.sin(pose.heading), np.cos(pose.heading)
    return np.stack([x * sine + z * cosine, y, x * cosine - z * sine], axis=1)


def _place(points: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
    """Place mesh points in the world; what would be under water is pressed onto its surface."""
    placed = _turn(points, pose) + np.array([pose.x, pose.heave, pose.z])
    ripple = np.sin(2.1 * placed[:, 0] + 1.3 * placed[:, 2]) + np.sin(5.3 * placed[:, 0] + pose.z)
    placed[:, 1] = np.maximum(placed[:, 1], 0.03 * ripple)
    return placed


def draw_sprite(mesh: Mesh, pose: Pose, optics: Optics, light: Light) -> Sprite | None:
    """
    Return the object as seen by the level camera, or None where it is behind or below a pixel.

    Faces are painted from back to front at a multiple of the resolution, then averaged.
    """
    corners, counts = world_points(mesh, pose)
    if corners[:, 2].min() < 1.0:
        return None
    centre_x, centre_y = optics.centre
    pixel_x = centre_x + optics.focal * corners[:, 0] / corners[:, 2]
    pixel_y = centre_y - optics.focal * (corners[:, 1] - optics.height) / corners[:, 2]
    left, right = int(np.floor(pixel_x.min())) - 1, int(np.ceil(pixel_x.max())) + 2
    top, bottom = int(np.floor(pixel_y.min())) - 1, int(np.ceil(pixel_y.max())) + 2
    left, right = max(left, -optics.width), min(right, 2 * optics.width)
    top, bottom = max(top, -optics.height_pixels), min(bottom, 2 * optics.height_pixels)
    width, height = right - left, bottom - top
    if width < 3 or height < 3 or width * height > 8e6:
        return None
    factor = 8 if max(width, height) < 60 else 4 if max(width, height) < 400 else 2
    fine = np.stack(
        [(pixel_x - left + 0.5) * factor - 0.5, (pixel_y - top + 0.5) * factor - 0.5], 1
    )
    drawn, mask = _paint(mesh, pose, corners, counts, fine, light, (height, width), factor, optics)
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    opacity = (small / 255).astype(np.float32)
    weighted = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    colour = np.clip(weighted / (255 * np.maximum(opacity, 1e-3)[..., None]), 0, 1)
    waterline = centre_y + optics.focal * optics.height / pose.z
    return Sprite(colour.astype(np.float32), opacity, left, top, waterline)


def _paint(
    mesh: Mesh,
    pose: Pose,
    corners: NDArray[np.float64],
    counts: list[int],
    fine: NDArray[np.float64],
    light: Light,
    size: tuple[int, int],
    factor: int,
    optics: Optics,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the picture and the mask at ``factor`` times the resolution."""
    height, width = size
    drawn = np.zeros((height * factor, width * factor, 3), np.uint8)
    mask = np.zeros((height * factor, width * factor), np.uint8)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    centres = np.add.reduceat(corners, starts, axis=0) / np.array(counts)[:, None]
    eye = np.array([0.0, optics.height, 0.0])
    view = eye - centres
    distance = np.linalg.norm(view, axis=1)
    view /= distance[:, None]
    normals = _normals(mesh, pose, corners, starts, view)
    facing = np.einsum('ij,ij->i', normals, view)
    colours = (_shade(mesh, normals, view, light) * 255).astype(np.uint8)
    layers = np.array([face.layer for face in mesh.faces])
    if optics.height < mesh.deck + pose.heave:
        layers = np.where(
            layers == 0, 100, layers
        )  # seen from below, the hull hides what it carries
    order = np.lexsort((-distance, layers))
    fixed = np.round(fine * (1 << _SHIFT)).astype(np.int32)
    for index in order:
        if facing[index] <= 0:
            continue
        polygon = fixed[starts[index] : starts[index] + counts[index]]
        cv2.fillConvexPoly(drawn, polygon, colours[index].tolist(), cv2.LINE_8, _SHIFT)
        cv2.fillConvexPoly(mask, polygon, 255, cv2.LINE_8, _SHIFT)
    return drawn, mask


def _normals(
    mesh: Mesh,
    pose: Pose,
    corners: NDArray[np.float64],
    starts: NDArray[np.int64],
    view: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return unit normals (F, 3): outward, or for thin faces towards the camera."""
    first, second = corners[starts + 1] - corners[starts], corners[starts + 2] - corners[starts]
    flat = np.cross(first, second)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-12
    flat *= np.where(np.einsum('ij,ij->i', flat, view) < 0, -1.0, 1.0)[:, None]
    outward = np.array([np.zeros(3) if f.outward is None else f.outward for f in mesh.faces])
    thin = np.array([face.thin for face in mesh.faces])[:, None]
    return np.where(thin, flat, _turn(outward, pose))


def _shade(
    mesh: Mesh, normals: NDArray[np.float64], view: NDArray[np.float64], light: Light
) -> NDArray[np.float64]:
    """Return lit colours (F, 3): sky light from above, sea light from below, sun and its gloss."""
    base = np.array([face.colour for face in mesh.faces])
    gloss = np.array([face.gloss for face in mesh.faces])[:, None]
    thin = np.array([face.thin for face in mesh.faces])
    sun = light.sun_direction
    strength = 0.75 * (1 - 0.85 * float(np.clip((light.cover - 0.5) / 0.4, 0, 1)))
    if light.sun_elevation < 0:
        strength *= 0.3
    towards = normals @ sun
    lit = np.where(thin, np.maximum(towards, -0.45 * towards), towards)  # cloth lets light through
    lit = np.clip(lit, 0, None)[:, None] * np.array(light.sun) * strength
    up = normals[:, 1:2] * 0.5 + 0.5
    sky, sea = np.array(light.ambient), np.array(light.water) * 0.9 + 0.1 * np.array(light.horizon)
    ambient = sky * (0.35 + 0.65 * up) * 0.85 + sea * (1 - up) * 0.25
    half = sun + view
    half /= np.linalg.norm(half, axis=1, keepdims=True) + 1e-12
    mirror = np.clip(np.einsum('ij,ij->i', normals, half), 0, 1)[:, None] ** 30
    fresnel = (1 - np.clip(np.einsum('ij,ij->i', normals, view), 0, 1))[:, None] ** 4
    shine = gloss * (mirror * np.array(light.sun) * strength * 1.5 + fresnel * sky * 0.5)
    return np.clip(base * (ambient + lit) + shine, 0, 1)
