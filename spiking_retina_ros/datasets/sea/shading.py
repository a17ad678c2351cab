"""The light on the faces of a solid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.solid import Solid


def face_colours(
    solid: Solid, normals: NDArray[np.float64], view: NDArray[np.float64], light: Light
) -> NDArray[np.float64]:
    """
    Return BGR colours (F, 3) in [0, 1] of faces with unit ``normals`` and directions to the eye.

    Sky light comes from above, a little sea light from below; the sun is Lambert's, with Blinn's
    gloss; a grazing view adds the sky's mirror image. Cloth lets part of the sun through.
    """
    strength = 0.85 * (1 - 0.85 * float(np.clip((light.cover - 0.5) / 0.4, 0, 1)))
    if light.sun_elevation < 0:
        strength *= 0.3
    sun = light.sun_direction
    sunlight = np.array(light.sun) * strength
    towards = normals @ sun
    towards = np.where(solid.thin, np.maximum(towards, -0.45 * towards), towards)
    lit = np.clip(towards, 0, None)[:, None] * sunlight
    up = normals[:, 1:2] * 0.5 + 0.5
    sky, sea = np.array(light.ambient), np.array(light.water) * 0.9 + np.array(light.horizon) * 0.1
    ambient = sky * (0.55 + 0.45 * up) + sea * (1 - up) * 0.25
    half = sun + view
    half /= np.linalg.norm(half, axis=1, keepdims=True) + 1e-12
    mirror = np.clip(np.einsum('ij,ij->i', normals, half), 0, 1)[:, None] ** 30
    grazing = (1 - np.clip(np.einsum('ij,ij->i', normals, view), 0, 1))[:, None] ** 4
    shine = solid.gloss[:, None] * (mirror * sunlight * 1.5 + grazing * sky * 0.5)
    return np.clip(solid.colours * (ambient + lit) + shine, 0, 1)
