"""Waves of the sea as tiles of slopes, moving as gravity waves on deep water do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.noise import FloatImage

GRAVITY = 9.81


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
    """Waves between two lengths (metres) on a square tile; ``share`` of the slopes' variance."""

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


class WaveTile:
    """Slopes along the view on a periodic tile (samples, samples), of deviation 1."""

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
        self._spectrum = (1j * wave_z * height * phase).astype(np.complex64)
        # A half-plane of wave numbers is kept, so the sign says which way each wave runs.
        self._frequency = (np.sign(along) * np.sqrt(GRAVITY * number)).astype(np.float32)
        field = np.fft.irfft2(self._spectrum, s=(count, count))
        self._spectrum /= np.complex64(field.std() + 1e-12)
        self._still: FloatImage | None = None

    def at(self, time: float) -> FloatImage:
        """Return the slopes (samples, samples) float32 at a time in seconds."""
        count = self.band.samples
        spectrum: NDArray[np.complex64] = self._spectrum
        if time != 0.0:
            spectrum = spectrum * np.exp(np.complex64(1j * time) * -self._frequency)
        elif self._still is not None:
            return self._still
        field = np.fft.irfft2(spectrum, s=(count, count)).astype(np.float32)
        if time == 0.0:
            self._still = field
        return field


def averaged_rows(
    tile: FloatImage, position: NDArray[np.float64], extent: NDArray[np.float64]
) -> FloatImage:
    """Return the mean (rows, samples) of ``tile`` over position +- extent / 2, in samples."""
    count = tile.shape[0]
    summed = np.zeros((count + 1, tile.shape[1]), np.float32)
    np.cumsum(tile, axis=0, out=summed[1:])
    summed -= np.linspace(0, 1, count + 1, dtype=np.float32)[:, None] * summed[-1]  # now periodic
    size = np.maximum(extent, 1.0)
    difference = _between(summed, position + size / 2) - _between(summed, position - size / 2)
    return (difference / size[:, None].astype(np.float32)).astype(np.float32)


def _between(summed: FloatImage, at: NDArray[np.float64]) -> FloatImage:
    """Interpolate the rows of a periodic (count + 1, samples) table at fractional places."""
    rest = np.mod(at, summed.shape[0] - 1)
    low = np.minimum(rest.astype(np.int64), summed.shape[0] - 2)
    part = (rest - low)[:, None].astype(np.float32)
    return summed[low] * (1 - part) + summed[low + 1] * part
