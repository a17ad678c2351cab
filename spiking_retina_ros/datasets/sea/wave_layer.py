"""One band of waves laid over the pixels of the level canvas."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Optics
from spiking_retina_ros.datasets.sea.waves import WaveTile, averaged_waves

_LATERAL_CAP = 140.0  # metres; further off, features keep their width so that they stay visible


class WaveLayer:
    """
    Where the canvas's pixels below the horizon lie on a band's tile; the camera is level.

    ``ranges`` (rows,) in metres belong to the rows below the horizon, ``x`` (columns,) are pixels
    to the right of the principal point. ``roughness`` is the deviation of all slopes together.
    Columns are worked out every ``band.stride`` pixels: the longer the waves, the fewer.
    """

    def __init__(
        self,
        tile: WaveTile,
        ranges: NDArray[np.float64],
        x: NDArray[np.float64],
        optics: Optics,
        roughness: float,
    ) -> None:
        band = tile.band
        self._tile = tile
        self._metres = band.size / band.samples
        self._weight = float(roughness * np.sqrt(band.share))
        footprint = ranges**2 / (optics.height * optics.focal)
        # Where a pixel covers more than the longest wave, nothing of the band is left to see.
        self.first = int(np.searchsorted(-footprint, -band.longest))
        self._position = ranges[self.first :] / self._metres
        self._extent = footprint[self.first :] / self._metres
        lateral = np.minimum(ranges[self.first :], _LATERAL_CAP) / optics.focal / self._metres
        centres = x[: x.size // band.stride * band.stride].reshape(-1, band.stride).mean(axis=1)
        self._map_x = np.mod(centres[None, :] * lateral[:, None], band.samples).astype(np.float32)

    def waves(
        self, rows: tuple[int, int], columns: tuple[int, int], time: float, travelled: float
    ) -> FloatImage:
        """
        Return slope and height (rows, columns, 2), only the slope (rows, columns) of a flat band.

        ``rows`` and ``columns`` are first and last + 1 of the part asked for; the first row must
        not lie before ``first``, the columns are multiples of 4.
        """
        band = self._tile.band
        part = slice(rows[0] - self.first, rows[1] - self.first)
        lines = averaged_waves(
            self._tile.at(time),
            self._position[part] + travelled / self._metres,
            self._extent[part],
            self._metres,
        )
        lines = lines[..., 0] if band.flat else lines
        lines = lines * np.float32(self._weight)
        padded = np.concatenate([lines, lines[:, :1]], axis=1)
        map_x = self._map_x[part, columns[0] // band.stride : columns[1] // band.stride]
        row = np.arange(map_x.shape[0], dtype=np.float32)[:, None]
        map_y = np.repeat(row, map_x.shape[1], axis=1)
        waves = cv2.remap(padded, map_x, map_y, cv2.INTER_LINEAR)
        if band.stride > 1:
            size = (columns[1] - columns[0], map_x.shape[0])
            waves = cv2.resize(waves, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(waves, np.float32)
