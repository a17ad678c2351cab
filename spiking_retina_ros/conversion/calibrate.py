"""
Percentiles of every channel's activations over the calibration images.

The percentiles are of the pooled activations of all images and places, as the paper means them,
and exact: only the tails beyond a percentile can decide it, so only they are kept. Memory is
bounded by (lower + 100 - upper) per cent of the activations seen; at 0.01 and 99.99 that is one
value in five thousand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.errors import UserError

SMALLEST_CALIBRATION_SET = 2


@dataclass(frozen=True)
class Calibration:
    """
    Lower and upper percentile per scale group, float64 (C,) in analog units, and where from.

    Populations of one group (see ``ScaleGroups``) share one entry, pooled over all of them.
    """

    lower: dict[str, Tensor]
    upper: dict[str, Tensor]
    images: int
    lower_percentile: float
    upper_percentile: float


class TailPercentiles:
    """Exact lower and upper percentiles of ``total`` samples per channel, from their tails."""

    def __init__(self, total: int, lower: float, upper: float) -> None:
        self._total = total
        self._lower_rank = lower / 100 * (total - 1)
        self._upper_rank = upper / 100 * (total - 1)
        self._low_count = int(self._lower_rank) + 2
        self._high_count = total - int(self._upper_rank)
        self._low: Tensor | None = None
        self._high: Tensor | None = None
        self._seen = 0

    def add(self, values: Tensor) -> None:
        """Add samples (C, M)."""
        self._seen += values.shape[1]
        self._low = _keep(self._low, values, self._low_count, largest=False)
        self._high = _keep(self._high, values, self._high_count, largest=True)

    def result(self) -> tuple[Tensor, Tensor]:
        """Return (lower, upper), float64 (C,), interpolated linearly like numpy.percentile."""
        if self._low is None or self._high is None or self._seen != self._total:
            raise ValueError(f'expected {self._total} samples per channel, found {self._seen}')
        ascending = self._low.double().sort(1).values
        descending = self._high.double().sort(1, descending=True).values
        low = _interpolate(ascending, self._lower_rank)
        high = _interpolate(descending, self._total - 1 - self._upper_rank)
        return low, high


def calibrate(
    network: FloatNetwork,
    groups: ScaleGroups,
    images: Iterable[Tensor],
    *,
    count: int,
    lower_percentile: float,
    upper_percentile: float,
) -> Calibration:
    """
    Run the analog network over ``count`` images (C, H, W), float32, all of one size.

    Raises UserError for fewer than two images, and naming the channel where activations are not
    finite.
    """
    if count < SMALLEST_CALIBRATION_SET:
        raise UserError(
            f'expected at least {SMALLEST_CALIBRATION_SET} calibration images, found {count}; '
            'a hundred or more are usual'
        )
    tails: dict[str, TailPercentiles] = {}

    def visit(name: str, values: Tensor) -> None:
        if name in groups:
            flat = values.transpose(0, 1).flatten(1)
            if not bool(torch.isfinite(flat).all()):
                channel = int((~torch.isfinite(flat)).any(1).nonzero()[0])
                raise UserError(f'{name}: channel {channel} is not finite on a calibration image')
            tails[groups.of(name)].add(flat)

    with torch.no_grad():
        for image in tqdm(images, total=count, desc='calibrating', unit='image'):
            if not tails:
                totals = _samples_per_group(network, groups, (image.shape[1], image.shape[2]))
                tails.update(
                    (group, TailPercentiles(size * count, lower_percentile, upper_percentile))
                    for group, size in totals.items()
                )
            run_float(network, image[None], visit=visit)
    results = {group: tail.result() for group, tail in tails.items()}
    return Calibration(
        {group: low for group, (low, _) in results.items()},
        {group: high for group, (_, high) in results.items()},
        count,
        lower_percentile,
        upper_percentile,
    )


def _samples_per_group(
    network: FloatNetwork, groups: ScaleGroups, input_size: tuple[int, int]
) -> dict[str, int]:
    """Return how many samples per channel one image gives to each group."""
    shapes = network.shapes(input_size)
    totals: dict[str, int] = {}
    for population in network.topology.populations:
        _, height, width = shapes[population.name]
        group = groups.of(population.name)
        totals[group] = totals.get(group, 0) + height * width
    return totals


def _keep(kept: Tensor | None, values: Tensor, count: int, *, largest: bool) -> Tensor:
    """Return the ``count`` extremes (C, count) of what was kept and of new samples."""
    if kept is not None:
        edge = kept.min(1).values if largest else kept.max(1).values
        if kept.shape[1] == count:
            beyond = values > edge[:, None] if largest else values < edge[:, None]
            if not bool(beyond.any()):
                return kept
        values = torch.cat([kept, values], 1)
    return values.topk(min(count, values.shape[1]), 1, largest=largest, sorted=False).values.clone()


def _interpolate(ordered: Tensor, rank: float) -> Tensor:
    below = int(rank)
    above = min(below + 1, ordered.shape[1] - 1)
    return ordered[:, below] + (rank - below) * (ordered[:, above] - ordered[:, below])
