"""Waves of the sea as tiles of slopes, moving as gravity waves on deep water do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.noise import FloatImage

GRAVITY = 9.81
SHARPNESS = -0.25  # how far crests are drawn together, per unit of slope


@dataclass(frozen=True)
class SeaState:
    """
    How the sea is.

    ``roughness`` is the deviation of the slopes (0.03 calm to 0.25 fresh breeze), ``wind`` the
    direction the waves come from in radians (0 is ahead), ``foam`` 0 to 1 how many crests break.
    """

    roughness: float
    wind: float = 0.0
    foam: float = 0.0


@dataclass(frozen=True)
class Band:
    """
    Waves between two lengths (metres) on a square tile; ``share`` of the slopes' variance.

    A ``flat`` band's heights are too small to hide anything. Every ``stride``-th pixel column
    tells all there is to see of its waves.
    """

    size: float
    longest: float
    shortest: float
    share: float
    samples: int = 256
    stride: int = 1
    flat: bool = False


BANDS = (
    Band(96.0, 40.0, 1.6, 0.45, stride=4),
    Band(13.0, 1.6, 0.24, 0.4, stride=2),
    Band(2.1, 0.24, 0.04, 0.15, flat=True),
)


class WaveTile:
    """
    Heights of the sea on a periodic tile, scaled so that slopes along the view deviate by 1.

    Row r of the tile lies r * size / samples metres ahead, column c as far to the right.
    """

    def __init__(self, rng: np.random.Generator, band: Band, wind: float) -> None:
        self.band = band
        count, step = band.samples, 2 * np.pi / band.size
        wave_z = np.fft.fftfreq(count)[:, None] * count * step
        wave_x = np.fft.rfftfreq(count)[None, :] * count * step
        number = np.hypot(wave_z, wave_x) + 1e-9
        along = -(wave_z * np.cos(wind) + wave_x * np.sin(wind)) / number
        kept = (number > 2 * np.pi / band.longest) & (number < 2 * np.pi / band.shortest)
        # Height falls with the square of the wave number; waves across the wind are faint.
        height = np.where(kept, number**-2.0, 0.0) * (0.12 + along**2)
        phase = rng.normal(size=height.shape) + 1j * rng.normal(size=height.shape)
        field = np.fft.irfft2(1j * wave_z * height * phase, s=(count, count))
        spectrum = height * phase / (field.std() + 1e-12)
        self._places = np.flatnonzero(kept)
        self._spectrum = spectrum.reshape(-1)[self._places].astype(np.complex64)
        # A half-plane of wave numbers is kept, so the sign says which way each wave runs.
        frequency = np.sign(along) * np.sqrt(GRAVITY * number)
        self._frequency = frequency.reshape(-1)[self._places]
        self._towards_crests = [
            (1j * wave / number * (SHARPNESS * count / band.size)).reshape(-1)[self._places]
            for wave in np.broadcast_arrays(wave_x, wave_z, number)[:2]
        ]
        self._grid = np.meshgrid(*[np.arange(count, dtype=np.float32)] * 2)

    def at(self, time: float) -> FloatImage:
        """Return the heights (samples, samples) float32 at a time in seconds."""
        phase = np.mod(self._frequency * -time, 2 * np.pi).astype(np.float32)
        turned = self._spectrum * (np.cos(phase) + np.complex64(1j) * np.sin(phase))
        heights = self._field(turned)
        moved = [
            grid + self._field(turned * towards)
            for grid, towards in zip(self._grid, self._towards_crests, strict=True)
        ]
        sharp = cv2.remap(heights, moved[0], moved[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(sharp, np.float32)

    def _field(self, values: NDArray[np.complexfloating]) -> FloatImage:
        """Return the field (samples, samples) whose kept wave numbers have these values."""
        count = self.band.samples
        full = np.zeros((count, count // 2 + 1), np.complex64)
        full.reshape(-1)[self._places] = values
        return np.fft.irfft2(full, s=(count, count)).astype(np.float32)


def averaged_waves(
    tile: FloatImage, position: NDArray[np.float64], extent: NDArray[np.float64], metres: float
) -> FloatImage:
    """
    Return mean slope and height (rows, samples, 2) over position +- extent / 2, in samples.

    ``tile`` holds heights, whose difference over a distance is the mean of the slope there;
    ``metres`` is the distance of two samples.
    """
    size = np.maximum(extent, 1.0)
    before, after = _between(tile, position - size / 2), _between(tile, position + size / 2)
    slope = (after - before) / (size[:, None] * metres).astype(np.float32)
    return np.stack([slope, (after + before) / 2], axis=2)


def _between(tile: FloatImage, at: NDArray[np.float64]) -> FloatImage:
    """Interpolate the rows of a periodic tile at fractional places."""
    count = tile.shape[0]
    rest = np.mod(at, count)
    low = np.minimum(rest.astype(np.int64), count - 1)
    part = (rest - low)[:, None].astype(np.float32)
    return tile[low] * (1 - part) + tile[(low + 1) % count] * part
