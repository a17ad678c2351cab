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
from spiking_retina_ros.datasets.sea.mirror import SLOPE_LIMIT, SLOPES, Mirror, Shore
from spiking_retina_ros.datasets.sea.noise import FloatImage, smoothstep
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.waves import BANDS, SeaState, WaveTile, averaged_waves
from spiking_retina_ros.detections import ImageArray

_LATERAL_CAP = 140.0  # metres; further off, features keep their width so that they stay visible
_HIGHEST_SHIFT = 40.0  # rows by which a wave may lift or lower what is seen
_STEEPEST = 0.4  # slope times range over camera height up to which waves are lifted fully
_VISIBLE_TILES = 12.0  # beyond as many tile sizes a band's waves are all below a pixel


@dataclass(frozen=True)
class _Layer:
    """Where the pixels of the canvas lie on one band's tile; fixed while the camera is level."""

    tile: WaveTile
    first: int  # first row below the horizon at which the band can be seen
    position: NDArray[np.float64]  # (rows,) samples ahead
    extent: NDArray[np.float64]  # (rows,) samples one pixel covers
    map_x: FloatImage  # (rows, columns) samples to the right
    weight: float  # deviation of the slopes
    per_metre: float


class Water:
    """The sea of one scene, to be drawn into any part of the level canvas ``window``."""

    def __init__(
        self,
        optics: Optics,
        window: Window,
        light: Light,
        state: SeaState,
        rng: np.random.Generator,
        shore: Shore | None = None,
    ) -> None:
        self.state = state
        self._window, self._light = window, light
        centre_x, centre_y = optics.centre
        self.first = int(np.clip(np.floor(centre_y) + 1, window.top, window.bottom))
        below = np.arange(self.first, window.bottom, dtype=np.float64) - centre_y
        self.ranges = optics.focal * optics.height / np.maximum(below, 0.25)
        x = np.arange(window.left, window.right, dtype=np.float64) - centre_x
        self._layers = [
            _layer(WaveTile(rng, band, state.wind), self.ranges, x, optics, state) for band in BANDS
        ]
        self._mirror = Mirror(optics, light, state, self.ranges, np.arctan(x / optics.focal), shore)
        steepness = self.ranges * max(state.roughness, 1e-3) / optics.height
        lift = np.minimum(1.0, _STEEPEST / steepness) * optics.focal / self.ranges
        self._rows_per_metre = lift.astype(np.float32)
        self._row_index = np.arange(self.ranges.size, dtype=np.float32)

    def slopes(self, window: Window, time: float = 0.0, travelled: float = 0.0) -> FloatImage:
        """
        Return the slope along the view (rows, columns) of each pixel of ``window`` on the sea.

        ``time`` in seconds moves the waves, ``travelled`` is the way the camera has gone ahead,
        in metres. The first row is canvas row max(``first``, window.top).
        """
        start, stop, left, right = self._part(window)
        waves = np.zeros((stop - start, right - left, 2), np.float32)
        for layer in self._layers:
            top = max(start, layer.first)
            if top >= stop:
                continue
            rows = slice(top - layer.first, stop - layer.first)
            lines = averaged_waves(
                layer.tile.at(time),
                layer.position[rows] + travelled * layer.per_metre,
                layer.extent[rows],
                1.0 / layer.per_metre,
            )
            lines *= layer.weight
            padded = np.concatenate([lines, lines[:, :1]], axis=1)
            map_x = layer.map_x[rows, left:right]
            map_y = np.repeat(self._row_index[: stop - top, None], right - left, axis=1)
            waves[top - start :] += cv2.remap(padded, map_x, map_y, cv2.INTER_LINEAR)
        return self._raised(waves, start)

    def _raised(self, waves: FloatImage, start: int) -> FloatImage:
        """
        Return the slopes (rows, columns) as seen over the crests in front of them.

        ``waves`` (rows, columns, 2) holds slope and height of the flat sea's places. What stands
        higher by h at range z appears f h / z rows further up and hides what is behind it. Where
        the sea is so steep that rows would fold over each other, they are lifted less.
        """
        rows, columns = waves.shape[:2]
        if rows == 0:
            return waves[..., 0]
        per_metre = self._rows_per_metre[start : start + rows, None]
        slope, height = cv2.split(waves)
        limit = np.float32(_HIGHEST_SHIFT)
        shift = np.clip(height * per_metre, -limit, limit)
        map_y = self._row_index[:rows, None] + shift
        map_x = np.repeat(np.arange(columns, dtype=np.float32)[None, :], rows, axis=0)
        raised = cv2.remap(slope, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(raised, np.float32)

    def draw(self, canvas: ImageArray, window: Window, slopes: FloatImage) -> None:
        """Paint the sea over the rows of ``canvas`` (rows, columns, 3) uint8 below the horizon."""
        start, stop, left, right = self._part(window)
        if start >= stop:
            return
        map_x = np.clip((slopes + SLOPE_LIMIT) * ((SLOPES - 1) / (2 * SLOPE_LIMIT)), 0, SLOPES - 1)
        map_y = np.repeat(self._row_index[start:stop, None], right - left, axis=1)
        colours = cv2.remap(self._mirror.colours, map_x, map_y, cv2.INTER_LINEAR)
        sea = np.asarray(colours, np.uint8)
        self._mirror.tint(sea, start, left)
        self._mirror.add_glitter(sea, map_x, map_y, left)
        self._add_crests(sea, slopes, start)
        canvas[self.first + start - window.top :] = sea

    def _part(self, window: Window) -> tuple[int, int, int, int]:
        """Return (start row, stop row, left, right) of ``window`` in this sea's own arrays."""
        start = max(window.top - self.first, 0)
        stop = max(window.bottom - self.first, start)
        return start, stop, window.left - self._window.left, window.right - self._window.left

    def _add_crests(self, sea: ImageArray, slopes: FloatImage, start: int) -> None:
        """Whiten the steepest faces of a rough sea, where waves break."""
        if self.state.foam <= 0:
            return
        near = int(np.searchsorted(-self.ranges, -90.0)) - start
        near = max(near, 0)
        steep = slopes[near:] if near < slopes.shape[0] else slopes[:0]
        limit = self.state.roughness * (2.6 - 0.7 * self.state.foam)
        if not steep.size or steep.max() < limit:
            return
        alpha = smoothstep(steep, limit, limit + self.state.roughness * 0.7) * 0.8
        soft = np.asarray(cv2.blur(alpha, (7, 3)), np.float32)[..., None]
        white = np.clip(np.array(self._light.ambient) + 0.4 * np.array(self._light.sun), 0, 0.95)
        part = sea[near:].astype(np.float32)
        part += (np.float32(255) * white.astype(np.float32) - part) * soft
        sea[near:] = part.astype(np.uint8)


def _layer(
    tile: WaveTile,
    ranges: NDArray[np.float64],
    x: NDArray[np.float64],
    optics: Optics,
    state: SeaState,
) -> _Layer:
    band = tile.band
    first = min(int(np.searchsorted(-ranges, -_VISIBLE_TILES * band.size)), ranges.size)
    per_metre = band.samples / band.size
    depth = ranges[first:] ** 2 / (optics.height * optics.focal)
    lateral = np.minimum(ranges[first:], _LATERAL_CAP) / optics.focal * per_metre
    map_x = np.mod(x[None, :] * lateral[:, None], band.samples).astype(np.float32)
    return _Layer(
        tile,
        first,
        ranges[first:] * per_metre,
        depth * per_metre,
        map_x,
        float(state.roughness * np.sqrt(band.share)),
        per_metre,
    )
