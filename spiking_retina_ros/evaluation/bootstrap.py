"""
How sure a difference of mAP is: a paired bootstrap over images.

Images are drawn with replacement, the same ones for both networks, and mAP@0.5 is computed anew
from the matches pycocotools found. A draw gives every image a whole weight, and AP with weights is
AP of the set in which each image lies that many times, so nothing has to be matched again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.evaluation.precision import ClassMatches

RECALLS = np.linspace(0.0, 1.0, 101)
# Draws computed together; bounds the memory.
CHUNK = 50


def draw_weights(images: int, *, draws: int, seed: int) -> NDArray[np.int64]:
    """Return (draws, images): how often each image lies in each resampled set."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(images, np.full(images, 1 / images), size=draws)


def resampled_map50(
    matches: Sequence[ClassMatches], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return mAP@0.5 (draws,) over the classes with objects, NaN where a draw has no object."""
    precisions = np.stack([resampled_ap50(item, weights) for item in matches])
    defined = np.isfinite(precisions)
    count = defined.sum(0)
    total = np.where(defined, precisions, 0.0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def resampled_ap50(matches: ClassMatches, weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one class's AP at IoU 0.5 as pycocotools defines it, (draws,)."""
    result = np.full(len(weights), np.nan)
    for first in range(0, len(weights), CHUNK):
        chunk = weights[first : first + CHUNK]
        objects = chunk @ matches.objects
        boxes = chunk[:, matches.image]
        hits = np.cumsum(boxes * matches.hit, axis=1)
        seen = np.cumsum(boxes, axis=1)
        precision = hits / np.maximum(seen, 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        for row in np.flatnonzero(objects):
            places = np.searchsorted(hits[row] / objects[row], RECALLS, side='left')
            reached = places[places < hits.shape[1]]
            result[first + row] = envelope[row, reached].sum() / len(RECALLS)
    return result


def interval(values: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float]:
    """Return the central interval of bootstrap draws that holds ``level`` of them."""
    tail = 50 * (1 - level)
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return float(low), float(high)
