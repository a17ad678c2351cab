"""Who is on the sea of a still picture, spread over the sizes a detector must know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spiking_retina_ros.datasets.sea import buoys, debris, vessels
from spiking_retina_ros.datasets.sea.compose import Actor
from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.optics import Optics
from spiking_retina_ros.datasets.sea.solid import Solid
from spiking_retina_ros.datasets.sea.sprite import Pose
from spiking_retina_ros.datasets.sea.waves import SeaState

_BOATS = ([0, 1, 2, 3, 4, 6], [0.16, 0.26, 0.24, 0.18, 0.1, 0.06])
_BUOYS = ([0, 1, 2, 3, 5, 8], [0.14, 0.28, 0.24, 0.18, 0.11, 0.05])
_FASTEST = {'sailing': 3.5, 'motor': 11.0, 'ferry': 8.0, 'freighter': 7.0, 'dinghy': 5.0}  # m/s
# sizes in the picture as shares of its width
_BOAT_SIZES = (0.018, 0.5)
_BUOY_SIZES = (0.009, 0.055)
_NEAR_BUOY_SIZES = (0.009, 0.2)
_DEBRIS_SIZES = (0.006, 0.06)


@dataclass(frozen=True)
class Surroundings:
    """Camera, light and sea; ``limit`` is the range in metres at which land begins."""

    optics: Optics
    light: Light
    state: SeaState
    limit: float

    def place(
        self, rng: np.random.Generator, share: float, solid: Solid, nearest: float
    ) -> tuple[float, float]:
        """Return (x, z) in metres at which a solid takes ``share`` of the picture's width."""
        optics = self.optics
        farthest = max(min(self.light.visibility * 1.1, 0.9 * self.limit), nearest * 1.5)
        distance = optics.focal * max(solid.length, solid.height) / (share * optics.width)
        z = float(np.clip(distance, nearest, farthest))
        return float(z * optics.width / 2 / optics.focal * rng.uniform(-1.02, 1.02)), z


def draw_actors(rng: np.random.Generator, around: Surroundings) -> list[Actor]:
    """
    Draw vessels, buoys and, in some pictures, things that are neither.

    Their sizes in the picture, not their ranges, are spread evenly on a log scale.
    """
    actors = []
    if rng.random() > 0.06:
        for _ in range(int(rng.choice(_BOATS[0], p=_BOATS[1]))):
            actors.append(_draw_boat(rng, around))
        for _ in range(int(rng.choice(_BUOYS[0], p=_BUOYS[1]))):
            actors.append(_draw_buoy(rng, around))
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 5))):
            actors.append(_draw_debris(rng, around))
    return actors


def _draw_boat(rng: np.random.Generator, around: Surroundings) -> Actor:
    kind = str(rng.choice(vessels.KINDS, p=[0.32, 0.31, 0.13, 0.12, 0.12]))
    solid = vessels.build_vessel(kind, rng)
    x, z = around.place(rng, _log_uniform(rng, _BOAT_SIZES), solid, 3.0 + solid.length * 0.75)
    heel, trim = rng.normal(0, around.state.roughness * 2.0 / np.sqrt(solid.length + 1), 2)
    if kind == 'sailing':
        heel += rng.normal(0, 0.1)
    speed = float(rng.uniform(0, _FASTEST[kind])) if rng.random() < 0.7 else 0.0
    if kind == 'motor':
        trim += 0.012 * speed
    if rng.random() < 0.6:  # a broadside shows more often than a stern
        heading = rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.45)
    else:
        heading = rng.uniform(-np.pi, np.pi)
    pose = Pose(x, z, float(heading), *_bounded(heel, trim))
    return Actor(solid, pose, 'boat', speed)


def _draw_buoy(rng: np.random.Generator, around: Surroundings) -> Actor:
    solid = buoys.build_buoy(str(rng.choice(buoys.KINDS, p=[0.26, 0.26, 0.24, 0.24])), rng)
    sizes = _NEAR_BUOY_SIZES if rng.random() < 0.12 else _BUOY_SIZES
    x, z = around.place(rng, _log_uniform(rng, sizes), solid, 3.0 + solid.length)
    heel, trim = rng.normal(0, around.state.roughness * 0.9, 2)
    pose = Pose(x, z, float(rng.uniform(-np.pi, np.pi)), *_bounded(heel, trim))
    return Actor(solid, pose, 'buoy')


def _draw_debris(rng: np.random.Generator, around: Surroundings) -> Actor:
    kind = str(rng.choice(debris.KINDS))
    solid = debris.build_debris(kind, rng)
    x, z = around.place(rng, _log_uniform(rng, _DEBRIS_SIZES), solid, 4.0 + solid.length)
    height = float(rng.uniform(1.5, 0.25 * z + 2.0)) if kind == 'flying gull' else 0.0
    pose = Pose(x, z, float(rng.uniform(-np.pi, np.pi)), heave=height)
    return Actor(solid, pose, None)


def _log_uniform(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))


def _bounded(heel: float, trim: float) -> tuple[float, float]:
    return float(np.clip(heel, -0.5, 0.5)), float(np.clip(trim, -0.25, 0.25))
