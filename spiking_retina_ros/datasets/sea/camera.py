"""The synthetic sea camera as a moving sequence: a small vessel under way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.coast import KINDS as COASTS
from spiking_retina_ros.datasets.sea.coast import plan_coast
from spiking_retina_ros.datasets.sea.fleet import Fleet
from spiking_retina_ros.datasets.sea.frame import SeaFrame
from spiking_retina_ros.datasets.sea.lens import Sensor
from spiking_retina_ros.datasets.sea.light import draw_light, time_names
from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, window_of
from spiking_retina_ros.datasets.sea.stage import Stage
from spiking_retina_ros.datasets.sea.state import draw_sea_state
from spiking_retina_ros.errors import UserError

_TALLEST = 2.4  # picture height over focal length; beyond, rays miss the level canvas
_HORIZON_ROW = 0.44  # share of the picture's height at which the horizon lies on average


@dataclass(frozen=True)
class SeaCameraConfig:
    """
    A camera on a small vessel and the sea around it.

    ``camera_height`` in metres above the water, ``field_of_view`` horizontal in degrees,
    ``frame_rate`` in Hz, ``own_speed`` in m/s. ``time_of_day`` (see ``time_names``), ``coast`` and
    ``roughness`` (deviation of the slopes, 0.03 calm to 0.25 rough) are drawn from ``seed`` where
    they are None. ``boats`` and ``buoys`` are the numbers around, in view or not; ``spray`` puts
    drops on the lens. Raises UserError for values out of range.
    """

    width: int = 1280
    height: int = 720
    seed: int = 0
    camera_height: float = 2.0
    field_of_view: float = 65.0
    frame_rate: float = 15.0
    time_of_day: str | None = None
    coast: str | None = None
    roughness: float | None = None
    boats: int = 6
    buoys: int = 6
    own_speed: float = 3.0
    spray: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn, naming the parameter."""
        for name, value, low, high in (
            ('width', self.width, 32, 7680),
            ('height', self.height, 32, 4320),
            ('seed', self.seed, 0, 2**63 - 1),
            ('camera_height', self.camera_height, 0.5, 50.0),
            ('field_of_view', self.field_of_view, 10.0, 120.0),
            ('frame_rate', self.frame_rate, 0.1, 240.0),
            ('roughness', 0.1 if self.roughness is None else self.roughness, 0.005, 0.3),
            ('boats', self.boats, 0, 50),
            ('buoys', self.buoys, 0, 50),
            ('own_speed', self.own_speed, 0.0, 30.0),
        ):
            if not low <= value <= high:
                raise UserError(f'{name}: expected {low} to {high}, found {value}')
        for name, text, known in (
            ('time_of_day', self.time_of_day, time_names()),
            ('coast', self.coast, COASTS),
        ):
            if text is not None and text not in known:
                raise UserError(f'{name}: expected one of {", ".join(known)}, found {text!r}')
        if self.height > _TALLEST * self.optics.focal:
            angle = 2 * np.degrees(np.arctan(_TALLEST / 2))
            raise UserError(
                f'field_of_view: expected less than {angle:.0f} degrees from top to bottom, found '
                f'{self.field_of_view} degrees across {self.width}x{self.height} pixels'
            )

    @property
    def optics(self) -> Optics:
        """Return the pinhole camera."""
        focal = self.width / 2 / np.tan(np.radians(self.field_of_view) / 2)
        return Optics(self.width, self.height, float(focal), self.camera_height)

    def intrinsics(self) -> NDArray[np.float64]:
        """Return the 3x3 camera matrix in pixels; pixel centres lie at whole numbers."""
        return self.optics.intrinsics()


class SeaCamera:
    """
    A coherent sequence: frame i shows the sea at i / frame_rate seconds.

    A frame depends on the configuration and its index alone, in whatever order frames are asked
    for. One instance is for one thread.
    """

    def __init__(self, config: SeaCameraConfig) -> None:
        self.config = config
        rng = np.random.default_rng([config.seed, 0xCA3])
        light = draw_light(rng, name=config.time_of_day)
        state = draw_sea_state(rng, light, roughness=config.roughness)
        coast = plan_coast(rng, config.coast or str(rng.choice(COASTS)), light)
        optics = config.optics
        self._motion = _Motion.draw(rng, optics, state.roughness)
        window = window_of(optics, self._motion.extremes())
        self._stage = Stage(optics, window, light, state, coast, rng)
        self._fleet = Fleet(
            optics,
            light,
            state,
            seed=config.seed,
            boats=config.boats,
            buoy_count=config.buoys,
            own_speed=config.own_speed,
            limit=coast.nearest,
        )
        self._sensor = Sensor(config.width, config.height, rng, spray=config.spray)

    def attitude(self, index: int) -> Attitude:
        """Return how the camera is turned in a frame, for tests and bearings."""
        return self._motion.at(index / self.config.frame_rate)

    def frame(self, index: int) -> SeaFrame:
        """Return frame ``index`` (from 0); raises ValueError for a negative one."""
        if index < 0:
            raise ValueError(f'expected a frame index of at least 0, found {index}')
        time = index / self.config.frame_rate
        shot = self._stage.shoot(
            self._motion.at(time),
            self._fleet.actors(time),
            time=time,
            travelled=self.config.own_speed * time,
        )
        image = self._sensor.expose(shot.image, index, time)
        return SeaFrame(image, shot.boxes, shot.class_names, time)


@dataclass(frozen=True)
class _Motion:
    """Roll, pitch and yaw as sums of sines: amplitude (3,), periods and phases (3, 3)."""

    middle: Attitude
    amplitude: NDArray[np.float64]
    period: NDArray[np.float64]
    phase: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator, optics: Optics, roughness: float) -> _Motion:
        tilt = np.arctan((_HORIZON_ROW - 0.5) * optics.height_pixels / optics.focal)
        lively = np.clip(roughness / 0.15, 0.2, 1.3)
        return cls(
            Attitude(0.0, float(tilt), 0.0),
            np.array([0.075, 0.028, 0.02]) * lively,
            rng.uniform((2.8, 3.2, 6.0), (6.0, 7.0, 15.0), (3, 3)).T,
            rng.uniform(0, 2 * np.pi, (3, 3)),
        )

    def at(self, time: float) -> Attitude:
        waves = np.sin(2 * np.pi * time / self.period + self.phase)
        roll, pitch, yaw = self.amplitude * (waves @ np.array([0.5, 0.3, 0.2]))
        middle = self.middle
        return Attitude(
            middle.roll + float(roll), middle.pitch + float(pitch), middle.yaw + float(yaw)
        )

    def extremes(self) -> list[Attitude]:
        """Return the attitudes between which all others lie."""
        middle = self.middle
        return [
            Attitude(middle.roll + roll, middle.pitch + pitch, middle.yaw + yaw)
            for roll, pitch, yaw in product(*((-part, part) for part in self.amplitude.tolist()))
        ]
