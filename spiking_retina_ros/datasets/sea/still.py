"""Independent varied pictures of the sea, as training needs them."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea import buoys, debris, vessels
from spiking_retina_ros.datasets.sea.coast import KINDS as COASTS
from spiking_retina_ros.datasets.sea.coast import plan_coast
from spiking_retina_ros.datasets.sea.compose import Actor
from spiking_retina_ros.datasets.sea.frame import SeaFrame
from spiking_retina_ros.datasets.sea.lens import draw_lens, take_picture
from spiking_retina_ros.datasets.sea.light import Light, draw_light
from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, window_of
from spiking_retina_ros.datasets.sea.solid import Solid
from spiking_retina_ros.datasets.sea.sprite import Pose
from spiking_retina_ros.datasets.sea.stage import Stage
from spiking_retina_ros.datasets.sea.state import draw_sea_state
from spiking_retina_ros.datasets.sea.waves import SeaState


def render_still(seed: int, *, width: int = 1280, height: int = 720) -> SeaFrame:
    """Return a picture of a sea drawn at random from ``seed``, (height, width, 3) uint8 BGR."""
    rng = np.random.default_rng([seed, 0x5EA])
    optics, attitude = _draw_camera(rng, width, height)
    light = draw_light(rng)
    state = draw_sea_state(rng, light)
    kind = str(rng.choice(COASTS, p=[0.3, 0.18, 0.17, 0.15, 0.2]))
    coast = plan_coast(rng, kind, light)
    stage = Stage(optics, window_of(optics, [attitude]), light, state, coast, rng)
    shot = stage.shoot(attitude, draw_actors(rng, optics, light, state, coast.nearest))
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


def draw_actors(
    rng: np.random.Generator, optics: Optics, light: Light, state: SeaState, limit: float
) -> list[Actor]:
    """
    Draw vessels and buoys, nearer than ``limit`` metres where land begins.

    Their sizes in the picture, not their ranges, are spread evenly on a log scale.
    """
    if rng.random() < 0.06:
        return _draw_debris(rng, optics, light)
    actors = []
    boats = int(rng.choice([0, 1, 2, 3, 4, 6], p=[0.16, 0.26, 0.24, 0.18, 0.1, 0.06]))
    floats = int(rng.choice([0, 1, 2, 3, 5, 8], p=[0.14, 0.28, 0.24, 0.18, 0.11, 0.05]))
    for _ in range(boats):
        kind = str(rng.choice(vessels.KINDS, p=[0.32, 0.31, 0.13, 0.12, 0.12]))
        solid = vessels.build_vessel(kind, rng)
        size = np.exp(rng.uniform(np.log(0.018), np.log(0.5))) * optics.width
        actors.append(_afloat(rng, solid, size, 'boat', kind, optics, light, state, limit))
    for _ in range(floats):
        kind = str(rng.choice(buoys.KINDS, p=[0.26, 0.26, 0.24, 0.24]))
        solid = buoys.build_buoy(kind, rng)
        biggest = 0.2 if rng.random() < 0.12 else 0.055
        size = np.exp(rng.uniform(np.log(0.009), np.log(biggest))) * optics.width
        actors.append(_afloat(rng, solid, size, 'buoy', kind, optics, light, state, limit))
    return actors + _draw_debris(rng, optics, light)


def _draw_debris(rng: np.random.Generator, optics: Optics, light: Light) -> list[Actor]:
    """Draw what looks a little like boats and buoys but is neither."""
    if rng.random() < 0.6:
        return []
    actors = []
    for _ in range(int(rng.integers(1, 5))):
        kind = str(rng.choice(debris.KINDS))
        solid = debris.build_debris(kind, rng)
        pixels = np.exp(rng.uniform(np.log(0.006), np.log(0.06))) * optics.width
        distance = max(optics.focal * solid.length / pixels, 4.0 + solid.length)
        distance = min(distance, max(light.visibility, 30.0))
        x = distance * optics.width / 2 / optics.focal * rng.uniform(-1, 1)
        height = rng.uniform(1.5, 0.25 * distance + 2.0) if kind == 'flying gull' else 0.0
        pose = Pose(float(x), float(distance), rng.uniform(-np.pi, np.pi), heave=float(height))
        actors.append(Actor(solid, pose, None))
    return actors


def _afloat(
    rng: np.random.Generator,
    solid: Solid,
    pixels: float,
    class_name: str,
    kind: str,
    optics: Optics,
    light: Light,
    state: SeaState,
    limit: float,
) -> Actor:
    """Place a solid at the range at which its larger side takes ``pixels``."""
    nearest = 3.0 + solid.length * 0.75
    farthest = max(min(light.visibility * 1.1, 0.9 * limit), nearest * 1.5)
    distance = float(
        np.clip(optics.focal * max(solid.length, solid.height) / pixels, nearest, farthest)
    )
    half = optics.width / 2 / optics.focal
    x = distance * half * rng.uniform(-1.02, 1.02)
    rocking = state.roughness * (0.9 if class_name == 'buoy' else 2.0 / np.sqrt(solid.length + 1))
    heel, trim = rng.normal(0, rocking, 2)
    if kind == 'sailing':
        heel += rng.normal(0, 0.1)
    if class_name == 'boat' and rng.random() < 0.6:  # a broadside shows more often than a stern
        heading = rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.45)
    else:
        heading = rng.uniform(-np.pi, np.pi)
    fastest = {'sailing': 3.5, 'motor': 11.0, 'ferry': 8.0, 'freighter': 7.0, 'dinghy': 5.0}.get(
        kind, 0.0
    )
    speed = float(rng.uniform(0, fastest)) if rng.random() < 0.7 else 0.0
    if kind == 'motor':
        trim += 0.012 * speed
    pose = Pose(
        float(x),
        distance,
        float(heading),
        float(np.clip(heel, -0.5, 0.5)),
        float(np.clip(trim, -0.25, 0.25)),
    )
    return Actor(solid, pose, class_name, speed)
