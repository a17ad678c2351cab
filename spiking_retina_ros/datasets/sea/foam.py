"""Wakes: the white water of things that move through the sea."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.blending import overlaid
from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.noise import FloatImage, fractal_noise, smoothstep
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.solid import Solid
from spiking_retina_ros.datasets.sea.sprite import Pose
from spiking_retina_ros.detections import ImageArray

_TEXTURE = 512
_PER_METRE = 40.0


@dataclass(frozen=True)
class _Place:
    """Pixels of the sea around an object, in metres from it: ahead of it and to its side."""

    rows: slice
    columns: slice
    ahead: FloatImage
    across: FloatImage
    world_x: FloatImage
    world_z: FloatImage


def foam_texture(rng: np.random.Generator) -> FloatImage:
    """Return a periodic texture (512, 512) that makes foam patchy."""
    return fractal_noise(rng, (_TEXTURE, _TEXTURE), slope=1.1, low=4.0)


def add_wake(
    canvas: ImageArray,
    window: Window,
    first: int,
    solid: Solid,
    pose: Pose,
    speed: float,
    texture: FloatImage,
    optics: Optics,
    light: Light,
    travelled: float = 0.0,
) -> None:
    """
    Paint bow wave, wash along the hull and trail of an object that moves at ``speed`` m/s.

    ``first`` is the first canvas row of the sea; ``travelled`` is the camera's way in metres, by
    which the foam stays where it is in the water.
    """
    spot = _pixels_around(canvas, window, first, solid, pose, speed, optics)
    if spot is None:
        return
    strength = _strength(spot, solid.length, speed)
    pixel_x = (spot.world_x * _PER_METRE) % _TEXTURE
    pixel_y = ((spot.world_z + travelled) * _PER_METRE) % _TEXTURE
    patches = cv2.remap(texture, pixel_x, pixel_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    coarse = np.clip(strength * (0.7 + 0.45 * patches), 0, 0.92)
    coarse *= np.exp(-spot.world_z / np.float32(light.visibility))
    part = canvas[spot.rows, spot.columns]
    size = (part.shape[1], part.shape[0])
    fine = cv2.resize((coarse * 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    alpha = np.asarray(fine, np.uint8)
    white = np.clip(np.array(light.ambient) * 0.9 + np.array(light.sun) * 0.35, 0, 0.97)
    canvas[spot.rows, spot.columns] = overlaid(part, alpha, white)


def _pixels_around(
    canvas: ImageArray,
    window: Window,
    first: int,
    solid: Solid,
    pose: Pose,
    speed: float,
    optics: Optics,
) -> _Place | None:
    forward = np.array([np.sin(pose.heading), np.cos(pose.heading)])
    side = np.array([np.cos(pose.heading), -np.sin(pose.heading)])
    # Beyond these the exponentials of ``_strength`` have fallen below 7 %.
    trail = solid.length * 0.5 + 2.7 * _trail_length(speed)
    spread = solid.length * 0.15 + 0.3 * 2.7 * _bow_length(solid.length, speed)
    corners = np.array(
        [
            np.array([pose.x, pose.z]) + forward * along + side * sideways
            for along in (solid.length * 0.6, -trail)
            for sideways in (-spread, spread)
        ]
    )
    depths = np.clip(corners[:, 1], 2.5, None)
    columns = optics.centre[0] + optics.focal * corners[:, 0] / depths - window.left
    rows = optics.centre[1] + optics.focal * optics.height / depths - window.top
    left, right = int(max(columns.min(), 0)), int(min(columns.max() + 1, canvas.shape[1]))
    top = int(max(rows.min(), first - window.top + 1, 0))
    bottom = int(min(rows.max() + 1, canvas.shape[0]))
    if left >= right or top >= bottom:
        return None
    # Foam is soft: every second pixel is worked out, the others lie between.
    v = np.arange(top + 0.5, bottom, 2, dtype=np.float32)[:, None]
    v += np.float32(window.top - optics.centre[1])
    u = np.arange(left + 0.5, right, 2, dtype=np.float32)[None, :]
    u += np.float32(window.left - optics.centre[0])
    depth = np.float32(optics.focal * optics.height) / np.maximum(v, np.float32(0.3))
    world_x = (u * (depth / np.float32(optics.focal))).astype(np.float32)
    world_z = np.repeat(depth, u.shape[1], axis=1).astype(np.float32)
    east, north = world_x - np.float32(pose.x), world_z - np.float32(pose.z)
    forward, side = forward.astype(np.float32), side.astype(np.float32)
    return _Place(
        slice(top, bottom),
        slice(left, right),
        east * forward[0] + north * forward[1],
        np.abs(east * side[0] + north * side[1]),
        world_x,
        world_z,
    )


def _strength(spot: _Place, length: float, speed: float) -> FloatImage:
    """Return how white (rows, columns) the water is: trail astern, bow wave, hull side."""
    beam = length * 0.25
    froude = speed / np.sqrt(9.81 * length)  # the wave-making of a hull goes with it
    pace = float(np.clip(1.4 * froude, 0.1, 1.4))
    behind = -spot.ahead - np.float32(length * 0.5)
    after = np.maximum(behind, 0)
    edge = -(spot.across - np.float32(beam * 0.42) - np.float32(0.04) * after)
    wash = smoothstep(edge, -beam * 0.3, beam * 0.1)
    wash *= np.exp(after * np.float32(-1 / _trail_length(speed))) * (behind > 0)
    reach = np.maximum(np.float32(length * 0.5) - spot.ahead, 0)
    arm = spot.across - np.float32(beam * 0.25) - np.float32(0.3) * reach
    bow = np.exp(-((arm / (np.float32(0.25) + np.float32(0.035) * reach)) ** 2))
    bow *= np.exp(reach * np.float32(-1 / _bow_length(length, speed))) * (reach > 0)
    skirt = smoothstep(-spot.across, -beam * 0.75, -beam * 0.45)
    skirt = skirt * (np.abs(spot.ahead) < length * 0.5)
    total = np.float32(1.1) * wash + np.float32(0.9) * bow + np.float32(0.5) * skirt
    return (total * np.float32(pace)).astype(np.float32)


def _trail_length(speed: float) -> float:
    """Return the metres over which the trail fades to 37 %."""
    return 2.0 + 3.5 * speed


def _bow_length(length: float, speed: float) -> float:
    """Return the metres along the hull over which the bow wave fades to 37 %."""
    return 0.25 * length + 0.8 * speed
