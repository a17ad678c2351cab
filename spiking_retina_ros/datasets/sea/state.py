"""Draws how rough the sea is under a given light."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.waves import SeaState

_MIDDLE = {'storm': 0.19, 'fog': 0.07, 'overcast': 0.12}


def draw_sea_state(
    rng: np.random.Generator, light: Light, *, roughness: float | None = None
) -> SeaState:
    """Draw a sea state; storms are rough, fog is calm. ``roughness`` overrides the drawn one."""
    drawn = float(np.clip(rng.lognormal(np.log(_MIDDLE.get(light.name, 0.095)), 0.45), 0.025, 0.27))
    rough = drawn if roughness is None else roughness
    foam = float(np.clip((rough - 0.12) / 0.1, 0.0, 1.0))
    return SeaState(rough, float(rng.uniform(-np.pi, np.pi)), foam)
