"""Who sails past a moving camera, as a pure function of time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from spiking_retina_ros.datasets.sea import buoys, vessels
from spiking_retina_ros.datasets.sea.compose import Actor
from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.optics import Optics
from spiking_retina_ros.datasets.sea.solid import Solid
from spiking_retina_ros.datasets.sea.sprite import Pose
from spiking_retina_ros.datasets.sea.waves import SeaState

# range of the closest point in metres, speed in m/s, longest length in metres
_HABITS = {
    'sailing': ((28.0, 170.0), (1.5, 3.5), 15.0),
    'motor': ((30.0, 220.0), (3.0, 10.0), 22.0),
    'ferry': ((260.0, 1100.0), (5.0, 9.0), 140.0),
    'freighter': ((500.0, 2600.0), (5.0, 8.0), 260.0),
    'dinghy': ((14.0, 70.0), (0.8, 6.0), 7.0),
}
_SMALLEST_BUOY = 3.5  # pixels; nearer than this range a buoy comes into being
_BUOY_HEIGHT = 2.2  # metres, of a common one
_NEAREST = 4.0  # metres
_DRIFT = 0.3  # m/s, at which things pass a camera that lies still


@dataclass(frozen=True)
class Passage:
    """
    One way across the picture, straight as seen from the camera.

    Times in seconds; ``origin`` (x, z) in metres at ``start`` and ``velocity`` (x, z) in m/s are
    relative to the camera.
    """

    number: int
    start: float
    end: float
    origin: tuple[float, float]
    velocity: tuple[float, float]

    def at(self, time: float) -> tuple[float, float]:
        """Return (x, z) in metres at a time in seconds."""
        past = time - self.start
        return (
            self.origin[0] + self.velocity[0] * past,
            self.origin[1] + self.velocity[1] * past,
        )


@dataclass(frozen=True)
class Rocking:
    """How something moves in the waves; angles in radians, ``heave`` in metres."""

    heel: float
    trim: float
    swing: float
    heave: float
    periods: tuple[float, float, float]
    phases: tuple[float, float, float]

    def at(self, time: float) -> tuple[float, float, float]:
        """Return heel, trim and heave at a time in seconds."""
        first, second, third = (
            float(np.sin(2 * np.pi * time / period + phase))
            for period, phase in zip(self.periods, self.phases, strict=True)
        )
        return (
            self.heel + self.swing * (0.7 * first + 0.3 * third),
            self.trim + 0.5 * self.swing * second,
            self.heave * (0.6 * second + 0.4 * third),
        )


class Slot:
    """One place in the fleet: as one object leaves the picture, the next one comes."""

    def __init__(self, kind: str, seed: tuple[int, int], scene: _Scene) -> None:
        self._kind, self._seed, self._scene = kind, seed, scene
        self._ends: list[float] = []
        self._present: tuple[Passage, Solid, Rocking] | None = None

    def actor(self, time: float) -> Actor:
        """Return the object at a time in seconds; it may be outside the picture."""
        passage, solid, rocking = self._find(time)
        x, z = passage.at(time)
        ahead = passage.velocity[1] + self._scene.own_speed
        speed = float(np.hypot(passage.velocity[0], ahead))
        heel, trim, heave = rocking.at(time)
        if self._kind in buoys.KINDS:
            heading = float(rocking.phases[0])
            return Actor(solid, Pose(x, z, heading, heel, trim, heave), 'buoy')
        heading = float(np.arctan2(passage.velocity[0], ahead))
        return Actor(solid, Pose(x, z, heading, heel, trim, heave), 'boat', speed)

    def _find(self, time: float) -> tuple[Passage, Solid, Rocking]:
        present = self._present
        if present is None or not present[0].start <= time < present[0].end:
            while not self._ends or self._ends[-1] <= time:
                self._ends.append(self._passage(len(self._ends)).end)
            passage = self._passage(bisect_right(self._ends, time))
            present = self._present = (passage, *self._equip(passage))
        return present

    def _passage(self, number: int) -> Passage:
        """Plan passage ``number``; the earlier ones must have been planned."""
        rng = np.random.default_rng([*self._seed, number])
        is_buoy = self._kind in buoys.KINDS
        plan = _plan_buoy if is_buoy else _plan_boat
        origin, velocity, duration = plan(rng, self._kind, self._scene)
        if number:
            start = self._ends[number - 1]
        else:
            start = -duration * rng.uniform(*((0.55, 0.93) if is_buoy else (0.3, 0.7)))
        return Passage(number, start, start + duration, origin, velocity)

    def _equip(self, passage: Passage) -> tuple[Solid, Rocking]:
        rng = np.random.default_rng([*self._seed, passage.number, 1])
        build = buoys.build_buoy if self._kind in buoys.KINDS else vessels.build_vessel
        solid = build(self._kind, rng)
        return solid, _draw_rocking(rng, self._kind, solid, passage, self._scene)


@dataclass(frozen=True)
class _Scene:
    optics: Optics
    light: Light
    state: SeaState
    own_speed: float
    limit: float

    @property
    def farthest(self) -> float:
        """Return the range in metres beyond which haze or land hides what floats."""
        return 0.9 * min(self.light.visibility, self.limit)

    @property
    def half_view(self) -> float:
        """Tangent of the angle at which things are surely outside the picture."""
        return self.optics.width / 2 / self.optics.focal * 1.12 + 0.05


class Fleet:
    """
    All vessels and buoys around a camera that makes ``own_speed`` m/s ahead.

    ``limit`` is the range in metres of the nearest land.
    """

    def __init__(
        self,
        optics: Optics,
        light: Light,
        state: SeaState,
        *,
        seed: int,
        boats: int,
        buoy_count: int,
        own_speed: float,
        limit: float = float('inf'),
    ) -> None:
        scene = _Scene(optics, light, state, own_speed, limit)
        kinds = [vessels.KINDS[index % len(vessels.KINDS)] for index in range(boats)]
        kinds += [buoys.KINDS[index % len(buoys.KINDS)] for index in range(buoy_count)]
        self._slots = [Slot(kind, (seed, index), scene) for index, kind in enumerate(kinds)]

    def actors(self, time: float) -> list[Actor]:
        """Return the objects at a time in seconds, those outside the picture included."""
        return [slot.actor(time) for slot in self._slots]


_Plan = tuple[tuple[float, float], tuple[float, float], float]


def _plan_boat(rng: np.random.Generator, kind: str, scene: _Scene) -> _Plan:
    """Cross the picture from one side to the other, nearing or leaving."""
    (nearest, farthest), speeds, length = _HABITS[kind]
    farthest = max(min(farthest, scene.farthest), nearest * 1.2)
    first = float(np.exp(rng.uniform(np.log(nearest), np.log(farthest))))
    second = float(np.clip(first * rng.uniform(0.6, 1.7), nearest, farthest))
    side = float(rng.choice([-1.0, 1.0]))
    origin = (-side * (scene.half_view * first + length), first)
    goal = (side * (scene.half_view * second + length), second)
    way = np.subtract(goal, origin)
    duration = float(np.hypot(*way) / rng.uniform(*speeds))
    velocity = way / duration
    return origin, (float(velocity[0]), float(velocity[1])), duration


def _plan_buoy(rng: np.random.Generator, _kind: str, scene: _Scene) -> _Plan:
    """Come nearer as the camera goes ahead, until the picture's edge is passed."""
    beside = float(rng.choice([-1.0, 1.0]) * rng.uniform(5.0, 45.0))
    speed = max(scene.own_speed, _DRIFT)
    far = scene.optics.focal * _BUOY_HEIGHT / _SMALLEST_BUOY
    far = min(far, scene.farthest)
    near = max(abs(beside) / scene.half_view, _NEAREST)
    far = max(far, near + 30.0)
    return (beside, far), (0.0, -speed), (far - near) / speed


def _draw_rocking(
    rng: np.random.Generator, kind: str, solid: Solid, passage: Passage, scene: _Scene
) -> Rocking:
    rough = scene.state.roughness
    small = 1.0 / np.sqrt(1.0 + solid.length / 3.0)
    heel, trim = 0.0, 0.0
    if kind == 'sailing':
        heel = float(rng.uniform(0.04, 0.22) * rng.choice([-1, 1]))
    if kind == 'motor':
        trim = 0.01 * float(np.hypot(*passage.velocity))
    return Rocking(
        heel=heel,
        trim=trim,
        swing=float(1.3 * rough * small),
        heave=float(0.8 * rough * small),
        periods=tuple(rng.uniform(2.2, 5.0, 3) / small**0.5),
        phases=tuple(rng.uniform(0, 2 * np.pi, 3)),
    )
