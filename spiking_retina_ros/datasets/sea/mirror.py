"""The look-up tables of the sea: what a facet of a slope shows at each row of the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Colour, Light
from spiking_retina_ros.datasets.sea.noise import FloatImage, smoothstep
from spiking_retina_ros.datasets.sea.optics import Optics
from spiking_retina_ros.datasets.sea.sky import mean_sky
from spiking_retina_ros.datasets.sea.waves import BANDS, SeaState
from spiking_retina_ros.detections import ImageArray

SLOPES = 256
SLOPE_LIMIT = 0.9


@dataclass(frozen=True)
class Shore:
    """Land that the water mirrors: its mean height as an angle in radians, and its colour."""

    angle: float
    colour: Colour


class Mirror:
    """
    Colours of a sea, by row below the horizon and by slope.

    ``colours`` is uint8 (rows, SLOPES, 3); column i stands for slope
    -SLOPE_LIMIT + i * 2 * SLOPE_LIMIT / (SLOPES - 1), positive towards the camera.
    """

    def __init__(
        self,
        optics: Optics,
        light: Light,
        state: SeaState,
        ranges: NDArray[np.float64],
        azimuth: NDArray[np.float64],
        shore: Shore | None,
    ) -> None:
        self._light = light
        slope = np.linspace(-SLOPE_LIMIT, SLOPE_LIMIT, SLOPES)
        view = np.arctan(optics.height / ranges)[:, None]
        facet = np.arctan(slope)[None, :]
        seen = np.clip(view + facet, 0.0, None) + 1e-3  # area a facet shows to the camera
        mirrored = np.abs(view + 2 * facet)
        fresnel = 0.02 + 0.98 * (1.0 - np.sin(np.clip(view + facet, 0.01, np.pi / 2))) ** 5
        colour = self._facet_colours(mirrored, facet, fresnel, shore)
        glitter = self._facet_glitter(mirrored, fresnel)[..., None]
        spread = _hidden_roughness(ranges, optics, state)
        weights = [seen[..., None], colour * seen[..., None], glitter * seen[..., None]]
        blurred = _widen(np.concatenate(weights, axis=2), slope, spread)
        clear = np.exp(-ranges / light.visibility)[:, None, None]
        haze = mean_sky(light, np.zeros(1))[0]
        body = haze + (blurred[..., 1:4] / blurred[..., :1] - haze) * clear
        self.colours: ImageArray = (np.clip(body, 0, 1) * 255 + 0.5).astype(np.uint8)
        sparks = blurred[..., 4:] / blurred[..., :1] * clear
        self._sparks = (np.clip(sparks[..., 0], 0, 1) * 255).astype(np.uint8)
        self._sun_weight = self._column_weight(azimuth, state)
        glow = 0.22 * np.exp(-np.abs(_wrapped(azimuth - light.sun_azimuth)) / 0.45)
        low = np.clip(np.cos(2.2 * light.sun_elevation), 0.0, 1.0)
        self._glow = (glow * low * (1 - 0.8 * light.cover)).astype(np.float32)

    def tint(self, sea: ImageArray, start: int, left: int) -> None:
        """Warm the sea (rows, columns, 3) under the sun; its first pixel is (start, left)."""
        glow = self._glow[left : left + sea.shape[1]]
        if glow.max(initial=0.0) < 0.02:
            return
        tone = np.array(self._light.glow)
        # A gain per column and channel: reflections take the glow, dark troughs stay dark.
        gain = 1.0 + glow[:, None] * (1.6 * tone[None, :] - 0.55)
        row = np.ascontiguousarray(np.clip(gain * 128, 0, 255).astype(np.uint8))
        tinted = np.repeat(row[None], sea.shape[0], axis=0)
        cv2.multiply(sea, tinted, dst=sea, scale=1 / 128)

    def add_glitter(self, sea: ImageArray, map_x: FloatImage, map_y: FloatImage, left: int) -> None:
        """Add the sun's path to the sea (rows, columns, 3), where it falls into the picture."""
        weight = self._sun_weight[left : left + sea.shape[1]]
        columns = np.flatnonzero(weight > 0.01)
        if columns.size == 0:
            return
        part = slice(int(columns[0]), int(columns[-1]) + 1)
        spark = cv2.remap(
            self._sparks,
            np.ascontiguousarray(map_x[:, part]),
            np.ascontiguousarray(map_y[:, part]),
            cv2.INTER_LINEAR,
        )
        strength = spark * weight[None, part]
        sun = np.array(self._light.sun, np.float32)
        added = (strength[..., None] * sun).astype(np.uint8)
        sea[:, part] = cv2.add(np.ascontiguousarray(sea[:, part]), added)

    def _facet_colours(
        self,
        mirrored: NDArray[np.float64],
        facet: NDArray[np.float64],
        fresnel: NDArray[np.float64],
        shore: Shore | None,
    ) -> FloatImage:
        sky = mean_sky(self._light, mirrored)
        if shore is not None and shore.angle > 0:
            share = 0.8 * (1 - smoothstep(mirrored, 0.6 * shore.angle, 1.5 * shore.angle))
            sky = sky + (np.array(shore.colour, np.float32) - sky) * share[..., None]
        # Light scattered in the body of the water shows in the faces turned to the camera.
        body = np.array(self._light.water, np.float32) * (
            0.8 + 0.5 * np.clip(facet, 0, 1).astype(np.float32)[..., None]
        )
        return (body + (0.97 * sky - body) * fresnel[..., None]).astype(np.float32)

    def _facet_glitter(
        self, mirrored: NDArray[np.float64], fresnel: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        light = self._light
        if light.sun_elevation < 0 or light.cover > 0.85:
            return np.zeros_like(mirrored)
        sun = max(light.sun_elevation, 0.01)
        return np.exp(-(((mirrored - sun) / 0.05) ** 2)) * fresnel * 14.0

    def _column_weight(self, azimuth: NDArray[np.float64], state: SeaState) -> FloatImage:
        """Return how much of the sun's path each column gets; rough water widens it."""
        width = 2.0 * state.roughness * max(np.sin(self._light.sun_elevation), 0.03) + 0.06
        difference = _wrapped(azimuth - self._light.sun_azimuth)
        return np.exp(-((difference / width) ** 2)).astype(np.float32)


def _wrapped(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _hidden_roughness(
    ranges: NDArray[np.float64], optics: Optics, state: SeaState
) -> NDArray[np.float64]:
    """Return, per row, the deviation of the slopes of waves too short to be seen there."""
    footprint = ranges**2 / (optics.height * optics.focal)
    hidden = np.zeros_like(footprint)
    for band in BANDS:
        waves = np.geomspace(band.longest, band.shortest, 8)
        lost = 1.0 / (1.0 + (waves[None, :] / (2.0 * footprint[:, None])) ** 2)
        hidden += band.share * lost.mean(axis=1)
    return state.roughness * np.sqrt(hidden)


def _widen(
    table: NDArray[np.floating], slope: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Blur ``table`` (rows, SLOPES, C) along the slopes by each row's own deviation."""
    levels = np.linspace(0.004, max(spread.max(initial=0.0), 0.008), 10)
    difference = slope[:, None] - slope[None, :]
    place = np.clip((spread - levels[0]) / (levels[1] - levels[0]), 0, len(levels) - 1.001)
    result = np.zeros(table.shape, np.float32)
    source = table.astype(np.float32)
    for index, level in enumerate(levels):
        share = np.clip(1.0 - np.abs(place - index), 0.0, 1.0)
        rows = np.flatnonzero(share > 0)
        if rows.size == 0:
            continue
        weights = np.exp(-0.5 * (difference / level) ** 2)
        weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        blurred = np.matmul(weights, source[rows])
        result[rows] += blurred * share[rows, None, None].astype(np.float32)
    return result
