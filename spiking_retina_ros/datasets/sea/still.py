"""Independent varied pictures of the sea, as training needs them."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea.coast import KINDS as COASTS
from spiking_retina_ros.datasets.sea.coast import plan_coast
from spiking_retina_ros.datasets.sea.crowd import Surroundings, draw_actors
from spiking_retina_ros.datasets.sea.frame import SeaFrame
from spiking_retina_ros.datasets.sea.lens import draw_lens, take_picture
from spiking_retina_ros.datasets.sea.light import draw_light
from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, window_of
from spiking_retina_ros.datasets.sea.stage import Stage
from spiking_retina_ros.datasets.sea.state import draw_sea_state


def render_still(seed: int, *, width: int = 1280, height: int = 720) -> SeaFrame:
    """Return a picture of a sea drawn at random from ``seed``, (height, width, 3) uint8 BGR."""
    rng = np.random.default_rng([seed, 0x5EA])
    optics, attitude = _draw_camera(rng, width, height)
    light = draw_light(rng)
    state = draw_sea_state(rng, light)
    kind = str(rng.choice(COASTS, p=[0.3, 0.18, 0.17, 0.15, 0.2]))
    coast = plan_coast(rng, kind, light)
    stage = Stage(optics, window_of(optics, [attitude]), light, state, coast, rng)
    around = Surroundings(optics, light, state, coast.nearest)
    shot = stage.shoot(attitude, draw_actors(rng, around))
    image = take_picture(shot.image, draw_lens(rng), rng)
    return SeaFrame(image, shot.boxes, shot.class_names, 0.0)


def _draw_camera(rng: np.random.Generator, width: int, height: int) -> tuple[Optics, Attitude]:
    view = np.radians(rng.uniform(38, 92))
    focal = max(width, height) / 2 / np.tan(view / 2)
    optics = Optics(
        width, height, float(focal), float(np.clip(rng.lognormal(0.75, 0.35), 1.0, 6.0))
    )
    row = rng.uniform(0.25, 0.62)
    pitch = np.arctan((row - 0.5) * height / focal)
    roll = float(np.clip(rng.normal(0, 0.06), -0.25, 0.25))
    return optics, Attitude(roll, float(pitch), 0.0)
