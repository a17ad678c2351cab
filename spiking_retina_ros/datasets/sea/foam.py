"""What objects do to the water around them: broken reflections and wakes."""

from __future__ import annotations

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.noise import FloatImage, fractal_noise, smoothstep
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.sprite import Pose, Sprite


def add_reflection(
    canvas: FloatImage,
    slopes: FloatImage,
    first_row: int,
    sprite: Sprite,
    optics: Optics,
    window: Window,
    light: Light,
    roughness: float,
) -> None:
    """Mirror a sprite in the water below it, torn apart by the slopes the camera sees."""
    height, width = sprite.opacity.shape
    left, top = sprite.left - window.left, sprite.top - window.top
    solid = sprite.opacity > 0.5
    if not solid.any():
        return
    last = height - 1 - np.argmax(solid[::-1], axis=0)
    contact = np.where(solid.any(axis=0), last, sprite.waterline - sprite.top).astype(np.float32)
    contact = np.maximum(contact, np.float32(last.max() - 0.35 * (last.max() - contact.min())))
    contact += top
    start = max(int(contact.min()), first_row)
    end = min(int(contact.max() + height * 1.1 + 2), canvas.shape[0])
    column_0, column_1 = max(left - 4, 0), min(left + width + 4, canvas.shape[1])
    if start >= end or column_0 >= column_1:
        return
    rows = np.arange(start, end, dtype=np.float32)[:, None]
    columns = np.arange(column_0, column_1, dtype=np.float32)[None, :]
    line = np.interp(columns[0] - left, np.arange(width), contact).astype(np.float32)[None, :]
    slope = slopes[start - first_row : end - first_row, column_0:column_1]
    depth = rows - line
    tear = np.minimum(0.1 + depth / (0.25 * height + 4.0), 1.0)
    map_y = line - depth * 0.95 - top + slope * tear * (0.45 * optics.focal)
    map_x = columns - left + cv2.blur(slope, (1, 5)) * tear * (0.12 * optics.focal)
    stacked = np.dstack([sprite.colour * sprite.opacity[..., None], sprite.opacity])
    soft = cv2.blur(stacked, (1, max(1, int(height * roughness * 0.8))))
    mirrored = cv2.remap(
        soft,
        map_x.astype(np.float32),
        map_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    fade = 0.75 * np.exp(-depth / (height * max(0.9 - 2.0 * roughness, 0.25)))
    fade = np.where(depth >= 0, fade, 0.0)[..., None].astype(np.float32)
    body = np.array(light.water, np.float32)
    alpha = mirrored[..., 3:] * fade
    colour = mirrored[..., :3] / np.maximum(mirrored[..., 3:], 1e-3) * 0.82 + body * 0.12
    part = canvas[start:end, column_0:column_1]
    part += (colour - part) * alpha


def foam_texture(rng: np.random.Generator) -> FloatImage:
    """Return a periodic texture (512, 512) that makes foam patchy."""
    return fractal_noise(rng, (512, 512), slope=1.3, low=3.0)


def add_wake(
    canvas: FloatImage,
    first_row: int,
    mesh: Mesh,
    pose: Pose,
    speed: float,
    texture: FloatImage,
    optics: Optics,
    window: Window,
    light: Light,
    drift: float = 0.0,
) -> None:
    """Paint bow wave, wash along the hull and the trail astern of something moving at m/s."""
    length, beam = mesh.length, mesh.length * 0.25
    trail = length * 0.5 + min(speed * 9.0, 160.0)
    forward = np.array([np.sin(pose.heading), np.cos(pose.heading)])
    side = np.array([np.cos(pose.heading), -np.sin(pose.heading)])
    centre = np.array([pose.x, pose.z])
    spread = beam * 0.6 + 0.3 * trail
    corners = np.array(
        [centre + forward * a + side * b for a in (length * 0.6, -trail) for b in (-spread, spread)]
    )
    depths = np.clip(corners[:, 1], 2.5, None)
    columns = optics.centre[0] + optics.focal * corners[:, 0] / depths - window.left
    rows = optics.centre[1] + optics.focal * optics.height / depths - window.top
    left, right = int(max(columns.min(), 0)), int(min(columns.max() + 1, canvas.shape[1]))
    top, bottom = int(max(rows.min(), first_row + 1)), int(min(rows.max() + 1, canvas.shape[0]))
    if left >= right or top >= bottom:
        return
    v = np.arange(top, bottom, dtype=np.float32)[:, None] + window.top - optics.centre[1]
    u = np.arange(left, right, dtype=np.float32)[None, :] + window.left - optics.centre[0]
    world_z = optics.focal * optics.height / np.maximum(v, 0.3) + 0.0 * u
    world_x = u * world_z / optics.focal
    ahead = (world_x - pose.x) * forward[0] + (world_z - pose.z) * forward[1]
    across = np.abs((world_x - pose.x) * side[0] + (world_z - pose.z) * side[1])
    behind = -ahead - length * 0.5
    pace = float(np.clip(speed / 6.0, 0.0, 1.5))
    wash = smoothstep(
        -(across - beam * 0.42 - 0.04 * np.clip(behind, 0, None)), -beam * 0.3, beam * 0.1
    )
    wash *= np.exp(-np.clip(behind, 0, None) / (2.0 + speed * 3.5)) * (behind > 0)
    reach = length * 0.5 - ahead
    arm = np.abs(across - beam * 0.25 - 0.3 * reach)
    bow = np.exp(-((arm / (0.25 + 0.035 * np.clip(reach, 0, None))) ** 2))
    bow *= np.exp(-np.clip(reach, 0, None) / (length * 0.35 + speed * 1.5)) * (reach > 0)
    skirt = smoothstep(-across, -beam * 0.75, -beam * 0.45) * (np.abs(ahead) < length * 0.5)
    pixel_x, pixel_y = (world_x * 55 + drift) % 512, (world_z * 55) % 512
    patch = cv2.remap(
        texture,
        pixel_x.astype(np.float32),
        pixel_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    strength = (1.1 * wash + 0.9 * bow + 0.5 * skirt) * pace
    alpha = np.clip(strength * (0.75 + 0.4 * patch), 0, 0.92)[..., None].astype(np.float32)
    white = np.clip(np.array(light.ambient) * 0.9 + np.array(light.sun) * 0.35, 0, 0.97)
    clear = np.exp(-world_z / light.visibility)[..., None]
    part = canvas[top:bottom, left:right]
    part += (white.astype(np.float32) - part) * alpha * clear.astype(np.float32)
