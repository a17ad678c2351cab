"""Analog activations beside spike rates, as in Fig. 1 of arXiv 2106.05624."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

# Points kept for a figure; correlation and RMSE are over all values.
POINTS = 20_000


@dataclass(frozen=True)
class Agreement:
    """
    How rates follow activations, both normalised (1 is the upper percentile of a channel).

    ``correlation`` is Pearson's, ``rmse`` the root mean squared difference; ``activations`` and
    ``rates`` float32 (N,) are a sample of the values.
    """

    correlation: float
    rmse: float
    count: int
    activations: NDArray[np.float32]
    rates: NDArray[np.float32]


class AgreementSums:
    """Gathers one population at one window, image by image."""

    def __init__(self, *, images: int, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._points = max(1, POINTS // images)
        self._sums = np.zeros(6)
        self._samples: list[NDArray[np.float32]] = []

    def add(self, true: Tensor, rate: Tensor) -> None:
        """Add an image's true normalised activations and rates, of one shape."""
        first, second = (values.flatten().double().numpy() for values in (true, rate))
        self._sums += (
            len(first),
            first.sum(),
            second.sum(),
            np.square(first).sum(),
            np.square(second).sum(),
            (first * second).sum(),
        )
        chosen = self._generator.integers(0, len(first), min(self._points, len(first)))
        self._samples.append(np.stack([first[chosen], second[chosen]]).astype(np.float32))

    def result(self) -> Agreement:
        """Return correlation (NaN where one side never changes), RMSE and the sample."""
        count, first, second, squares, other_squares, products = self._sums
        covariance = products / count - first * second / count**2
        variance = max(squares / count - (first / count) ** 2, 0.0)
        other = max(other_squares / count - (second / count) ** 2, 0.0)
        spread = math.sqrt(variance * other)
        error = max((squares + other_squares - 2 * products) / count, 0.0)
        sample = np.concatenate(self._samples, 1)
        return Agreement(
            covariance / spread if spread > 0 else math.nan,
            math.sqrt(error),
            int(count),
            sample[0],
            sample[1],
        )
