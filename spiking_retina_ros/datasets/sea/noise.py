"""Random textures, made in the frequency domain so that they tile without a seam."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]


def fractal_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    slope: float = 1.8,
    stretch: float = 1.0,
    low: float = 1.0,
    high: float = 1e9,
) -> FloatImage:
    """
    Return periodic noise (rows, columns) float32 of mean 0 and deviation 1.

    The amplitude falls with frequency ** ``slope``; only ``low`` to ``high`` cycles per tile are
    kept. ``stretch`` above 1 draws the features out along the columns.
    """
    rows, columns = shape
    frequency_y = np.fft.fftfreq(rows)[:, None] * rows
    frequency_x = np.fft.rfftfreq(columns)[None, :] * columns * stretch
    frequency = np.hypot(frequency_x, frequency_y)
    kept = (frequency >= low) & (frequency <= high)
    amplitude = np.where(kept, np.maximum(frequency, 1e-6) ** -slope, 0.0)
    phase = rng.normal(size=amplitude.shape) + 1j * rng.normal(size=amplitude.shape)
    field = np.fft.irfft2(amplitude * phase, s=shape)
    return ((field - field.mean()) / (field.std() + 1e-12)).astype(np.float32)


def fractal_line(rng: np.random.Generator, count: int, *, slope: float = 1.2) -> FloatImage:
    """Return a periodic random line (count,) float32 of mean 0 and deviation 1."""
    return fractal_noise(rng, (1, count), slope=slope)[0]


def smoothstep(values: NDArray[np.floating[Any]], low: float, high: float) -> FloatImage:
    """Return 0 below ``low``, 1 above ``high`` and a smooth ramp between."""
    ramp = np.clip((values - low) / (high - low), 0.0, 1.0)
    return (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)
