"""
The sea as a rough mirror.

Each pixel below the horizon sees a facet of slope s along the line of sight. Its colour depends on
the row (the angle of view) and on s alone, so it is a look-up: the reflected sky by Fresnel's
law, the colour of the water body, haze. Waves shorter than a pixel cannot be seen; their slopes
widen the look-up instead, which is what makes the distance calm and pale.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.sky import mean_sky

SLOPES = 256
SLOPE_LIMIT = 0.9
_LATERAL_CAP = 140.0  # metres; further off, features keep their width so that they stay visible


@dataclass(frozen=True)
class SeaState:
    """``roughness`` is the deviation of the slopes (0.04 calm to 0.25 fresh breeze)."""

    roughness: float
    wind: float
    swell: float
    foam: float


@dataclass(frozen=True)
class Band:
    """Waves of one range of lengths on a square tile of ``size`` metres; ``share`` of variance."""

    size: float
    longest: float
    shortest: float
    share: float
    samples: int = 256


BANDS = (
    Band(96.0, 40.0, 1.6, 0.42),
    Band(13.0, 1.6, 0.24, 0.36),
    Band(2.1, 0.24, 0.04, 0.22),
)


def slope_tile(rng: np.random.Generator, band: Band, wind: float) -> FloatImage:
    """Return slopes along the view (samples, samples), periodic, of deviation 1."""
    count = band.samples
    step = 2 * np.pi / band.size
    wave_z = np.fft.fftfreq(count)[:, None] * count * step
    wave_x = np.fft.rfftfreq(count)[None, :] * count * step
    length = np.hypot(wave_z, wave_x) + 1e-9
    along = (wave_z * np.cos(wind) + wave_x * np.sin(wind)) / length
    kept = (length > 2 * np.pi / band.longest) & (length < 2 * np.pi / band.shortest)
    amplitude = np.where(kept, length**-2.0, 0.0) * (0.15 + along**2)
    phase = rng.normal(size=amplitude.shape) + 1j * rng.normal(size=amplitude.shape)
    field = np.fft.irfft2(1j * wave_z * amplitude * phase, s=(count, count))
    return (field / (field.std() + 1e-12)).astype(np.float32)


class Water:
    """The sea of one scene, ready to be drawn into a window of the level canvas."""

    def __init__(
        self,
        optics: Optics,
        window: Window,
        light: Light,
        state: SeaState,
        rng: np.random.Generator,
    ) -> None:
        self._optics, self._window, self._light, self._state = optics, window, light, state
        centre_y = optics.centre[1]
        first = int(np.clip(np.floor(centre_y) + 1, window.top, window.bottom))
        self.first_row = first - window.top
        below = np.arange(first, window.bottom, dtype=np.float64) - centre_y
        self.ranges = optics.focal * optics.height / np.maximum(below, 0.25)
        self._depression = np.arctan(below / optics.focal)
        self._tiles = [slope_tile(rng, band, state.wind) for band in BANDS]
        self._table, self._glint = self._look_up_tables()

    def slopes(self, time: float = 0.0) -> FloatImage:
        """Return the slope along the view (rows, columns) of every pixel below the horizon."""
        columns = self._window.shape[1]
        rows = self.ranges.size
        total = np.zeros((rows, columns), np.float32)
        x = np.arange(columns, dtype=np.float32) + self._window.left - self._optics.centre[0]
        lateral = np.minimum(self.ranges, _LATERAL_CAP) / self._optics.focal
        depth = self.ranges**2 / (self._optics.height * self._optics.focal)
        for band, tile in zip(BANDS, self._tiles, strict=True):
            visible = int(np.searchsorted(-self.ranges, -12.0 * band.size))
            if visible >= rows:
                continue
            pixels = band.samples / band.size
            line = _averaged_rows(tile, self.ranges[visible:] * pixels, depth[visible:] * pixels)
            line *= self._state.roughness * np.sqrt(band.share)
            map_x = np.mod(x[None, :] * (lateral[visible:, None] * pixels), band.samples)
            map_y = np.repeat(np.arange(rows - visible, dtype=np.float32)[:, None], columns, axis=1)
            padded = np.concatenate([line, line[:, :1]], axis=1)
            total[visible:] += cv2.remap(padded, map_x.astype(np.float32), map_y, cv2.INTER_LINEAR)
        return total

    def draw(self, canvas: FloatImage, slopes: FloatImage) -> None:
        """Paint the sea over the rows of ``canvas`` (rows, columns, 3) below the horizon."""
        rows, columns = slopes.shape
        map_x = (slopes + SLOPE_LIMIT) * ((SLOPES - 1) / (2 * SLOPE_LIMIT))
        map_y = np.repeat(np.arange(rows, dtype=np.float32)[:, None], columns, axis=1)
        sea = cv2.remap(
            self._table, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        x = np.arange(columns) + self._window.left - self._optics.centre[0]
        azimuth = np.arctan(x / self._optics.focal) - self._light.sun_azimuth
        azimuth = (azimuth + np.pi) % (2 * np.pi) - np.pi
        width = 2.0 * self._state.roughness * max(np.sin(self._light.sun_elevation), 0.03) + 0.06
        weight = np.exp(-((azimuth / width) ** 2)).astype(np.float32)
        if weight.max() > 0.01:
            spark = cv2.remap(self._glint, map_x, map_y, cv2.INTER_LINEAR) * weight[None, :]
            sea += spark[..., None] * np.array(self._light.sun, np.float32)
        glow = (0.3 * np.exp(-np.abs(azimuth) / 0.45)).astype(np.float32)[None, :, None]
        sea += (np.array(self._light.glow, np.float32) - sea) * glow * 0.6 * sea.mean()
        canvas[self.first_row :] = np.clip(sea, 0.0, 1.0)

    def _look_up_tables(self) -> tuple[FloatImage, FloatImage]:
        """Return colours (rows, SLOPES, 3) and sun glitter (rows, SLOPES)."""
        slope = np.linspace(-SLOPE_LIMIT, SLOPE_LIMIT, SLOPES)
        view = self._depression[:, None]
        facet = np.arctan(slope)[None, :]
        grazing = np.clip(view + facet, 0.01, np.pi / 2)
        mirrored = np.abs(view + 2 * facet)
        fresnel = 0.02 + 0.98 * (1.0 - np.sin(grazing)) ** 5
        sky = mean_sky(self._light, mirrored)
        body = (
            np.array(self._light.water, np.float32) * (0.8 + 0.5 * np.clip(facet, 0, 1))[..., None]
        )
        colour = body + (0.97 * sky - body) * fresnel[..., None]
        sun = max(self._light.sun_elevation, 0.01)
        glitter = np.exp(-(((mirrored - sun) / 0.05) ** 2)) * fresnel * 14.0
        if self._light.sun_elevation < 0 or self._light.cover > 0.85:
            glitter = glitter * 0.0
        seen = np.clip(view + facet, 0.0, None) + 1e-3
        spread = self._hidden_roughness()
        colour = _widen(colour * seen[..., None], slope, spread)
        glitter = _widen((glitter * seen)[..., None], slope, spread)
        total = _widen(seen[..., None], slope, spread)
        colour, glitter = colour / total, glitter / total
        clear = np.exp(-self.ranges / self._light.visibility)[:, None, None]
        haze = mean_sky(self._light, np.zeros(1))[0]
        return (
            (haze + (colour - haze) * clear).astype(np.float32),
            (glitter[..., 0] * clear[..., 0]).astype(np.float32),
        )

    def _hidden_roughness(self) -> NDArray[np.float64]:
        """Return, per row, the deviation of the slopes too short to be seen there."""
        footprint = self.ranges**2 / (self._optics.height * self._optics.focal)
        hidden = np.zeros_like(footprint)
        for band in BANDS:
            waves = np.geomspace(band.longest, band.shortest, 8)
            lost = 1.0 / (1.0 + (waves[None, :] / (2.0 * footprint[:, None])) ** 2)
            hidden += band.share * lost.mean(axis=1)
        return self._state.roughness * np.sqrt(hidden)


def _averaged_rows(
    tile: FloatImage, position: NDArray[np.floating], extent: NDArray[np.floating]
) -> FloatImage:
    """Return the mean of ``tile`` over rows position +- extent / 2 (both in samples)."""
    count = tile.shape[0]
    summed = np.concatenate([np.zeros((1, count), np.float64), np.cumsum(tile, axis=0)])
    whole = summed[-1]

    def integral(at: NDArray[np.floating]) -> NDArray[np.float64]:
        turns, rest = np.divmod(at, count)
        low = np.minimum(rest.astype(int), count - 1)
        part = (rest - low)[:, None]
        return turns[:, None] * whole + summed[low] * (1 - part) + summed[low + 1] * part

    size = np.maximum(extent, 1.0)
    mean = integral(position + size / 2) - integral(position - size / 2)
    return (mean / size[:, None]).astype(np.float32)


def _widen(
    table: NDArray[np.floating], slope: NDArray[np.floating], spread: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Blur ``table`` (rows, SLOPES, C) along the slopes by each row's own deviation."""
    levels = np.linspace(0.004, max(spread.max(), 0.008), 10)
    difference = slope[:, None] - slope[None, :]
    blurred = []
    for level in levels:
        weights = np.exp(-0.5 * (difference / level) ** 2)
        weights /= weights.sum(axis=1, keepdims=True)
        blurred.append(np.einsum('st,rtc->rsc', weights, table, optimize=True))
    place = np.clip((spread - levels[0]) / (levels[1] - levels[0]), 0, len(levels) - 1.001)
    low = place.astype(int)
    part = (place - low)[:, None, None]
    stack = np.stack(blurred)
    rows = np.arange(len(spread))
    return stack[low, rows] * (1 - part) + stack[low + 1, rows] * part
