"""
The sea as a rough mirror.

Each pixel below the horizon sees a facet of slope s along the line of sight. Its colour depends on
the row (the angle of view) and on s alone, so it is a look-up: the reflected sky by Fresnel's
law, the colour of the water body, haze. Waves shorter than a pixel cannot be seen; their slopes
widen the look-up instead, which is what makes the distance calm and pale.
"""

from __future__ import annotations

import cv2
import numpy as np

from spiking_retina_ros.datasets.sea.blending import overlaid
from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.mirror import SLOPE_LIMIT, SLOPES, Mirror, Shore
from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Optics, Window
from spiking_retina_ros.datasets.sea.wave_layer import WaveLayer
from spiking_retina_ros.datasets.sea.waves import BANDS, SeaState, WaveTile
from spiking_retina_ros.detections import ImageArray

_HIGHEST_SHIFT = 40.0  # rows by which a wave may lift or lower what is seen
_STEEPEST = 0.4  # slope times range over camera height up to which waves are lifted fully


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
            WaveLayer(WaveTile(rng, band, state.wind), self.ranges, x, optics, state.roughness)
            for band in BANDS
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
        if start == stop:
            return np.zeros((0, right - left), np.float32)
        tall = np.zeros((stop - start, right - left, 2), np.float32)
        fine = np.zeros((stop - start, right - left), np.float32)
        for layer in self._layers:
            top = max(start, layer.first)
            if top < stop:
                waves = layer.waves((top, stop), (left, right), time, travelled)
                sea = tall if waves.ndim == 3 else fine
                sea[top - start :] += waves
        slope, height = (np.asarray(part, np.float32) for part in cv2.split(tall))
        return self._raised(slope + fine, height, start)

    def _raised(self, slope: FloatImage, height: FloatImage, start: int) -> FloatImage:
        """
        Return the slopes (rows, columns) as seen over the crests in front of them.

        ``slope`` and ``height`` are those of the flat sea's places. What stands higher by h at
        range z appears f h / z rows further up and hides what is behind it. Where the sea is so
        steep that rows would fold over each other, they are lifted less.
        """
        rows, columns = slope.shape
        per_metre = self._rows_per_metre[start : start + rows, None]
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
        over = np.maximum(steep - np.float32(limit), 0)
        share = cv2.convertScaleAbs(over, alpha=200 / (0.6 * self.state.roughness))
        soft = np.asarray(cv2.blur(np.minimum(share, 205), (7, 3)), np.uint8)
        white = np.clip(np.array(self._light.ambient) + 0.4 * np.array(self._light.sun), 0, 0.95)
        sea[near:] = overlaid(sea[near:], soft, white)
