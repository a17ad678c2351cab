"""
What a detector gets wrong, object by object, and why as far as its boxes tell.

Boxes are matched as COCO does at IoU 0.5: best score first, each to the object of its class that it
overlaps most and that is still free. The reasons follow TIDE (Bolya et al., ECCV 2020).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray

from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.detections import FloatArray
from spiking_retina_ros.evaluation.answers import Answer
from spiking_retina_ros.evaluation.precision import SIZES
from spiking_retina_ros.retinanet.boxes import box_iou

SAME, NEAR = 0.5, 0.1
# COCO's borders between small, medium and large, in pixels of area
SIZE_BORDERS = (32**2, 96**2)


class Reason(StrEnum):
    """Why a box is wrong or an object missed; a box 'near' one overlaps it by an IoU of 0.1."""

    TWICE = 'found twice'
    OTHER_CLASS = 'other class'
    INEXACT = 'box inexact'
    NOTHING = 'nothing there'
    LOW_SCORE = 'score too low'
    UNSEEN = 'not seen'


FALSE_POSITIVE_REASONS = (Reason.NOTHING, Reason.INEXACT, Reason.TWICE, Reason.OTHER_CLASS)
MISS_REASONS = (Reason.UNSEEN, Reason.LOW_SCORE, Reason.INEXACT, Reason.OTHER_CLASS)


@dataclass(frozen=True)
class Failure:
    """
    One wrong box or one missed object.

    ``box`` is xyxy in image pixels: the wrong box or the missed object. ``score`` is that of the
    wrong box, or the best one of its class on the missed object, 0 without any.
    """

    image: CocoImage
    label: int
    box: tuple[float, float, float, float]
    score: float
    reason: Reason

    @property
    def area(self) -> float:
        """Return the area of the box in pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    @property
    def size(self) -> str:
        """Return small, medium or large, as COCO has it."""
        return SIZES[int(np.searchsorted(SIZE_BORDERS, self.area, 'right'))]


@dataclass(frozen=True)
class Failures:
    """False positives, surest first; misses, largest first; and how many boxes were right."""

    false_positives: tuple[Failure, ...]
    misses: tuple[Failure, ...]
    hits: int


def find_failures(
    answered: Iterable[tuple[CocoImage, Answer]], *, score_threshold: float
) -> Failures:
    """Return what is wrong with the boxes of at least this score; lower ones explain misses."""
    wrong: list[Failure] = []
    missed: list[Failure] = []
    hits = 0
    for image, answer in answered:
        shown = answer.scores >= score_threshold
        overlaps = _overlaps(answer.boxes, image.boxes)
        taken = _match(overlaps, answer, image, shown)
        hits += int((taken >= 0).sum())
        for index in np.nonzero(shown & (taken < 0))[0].tolist():
            reason = _why_wrong(overlaps[index], int(answer.labels[index]), image.labels)
            wrong.append(_failure(image, answer.labels, answer.boxes, index, reason, answer.scores))
        for index in sorted(set(range(len(image.boxes))) - set(taken.tolist())):
            label = int(image.labels[index])
            reason = _why_missed(overlaps[:, index], label, answer.labels, shown)
            on_it = answer.scores[(overlaps[:, index] >= SAME) & (answer.labels == label)]
            best = np.full(len(image.boxes), on_it.max(initial=0.0), np.float32)
            missed.append(_failure(image, image.labels, image.boxes, index, reason, best))
    wrong.sort(key=lambda item: -item.score)
    missed.sort(key=lambda item: -item.area)
    return Failures(tuple(wrong), tuple(missed), hits)


def _overlaps(boxes: FloatArray, objects: FloatArray) -> NDArray[np.float32]:
    """Return the IoU of every box with every object, (N, M)."""
    return box_iou(torch.from_numpy(boxes), torch.from_numpy(objects)).numpy()


def _match(
    overlaps: NDArray[np.float32], answer: Answer, image: CocoImage, shown: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return which object each box has found, -1 for none."""
    taken = np.full(len(answer.scores), -1, np.int64)
    free = np.ones(len(image.boxes), bool)
    for index in np.argsort(-answer.scores, kind='stable'):
        fitting = free & (image.labels == answer.labels[index]) & (overlaps[index] >= SAME)
        if shown[index] and fitting.any():
            found = int(np.where(fitting, overlaps[index], 0.0).argmax())
            taken[index], free[found] = found, False
    return taken


def _why_wrong(overlaps: NDArray[np.float32], label: int, labels: NDArray[np.int64]) -> Reason:
    own = labels == label
    if (overlaps[own] >= SAME).any():
        return Reason.TWICE
    if (overlaps[~own] >= SAME).any():
        return Reason.OTHER_CLASS
    return Reason.INEXACT if (overlaps[own] >= NEAR).any() else Reason.NOTHING


def _why_missed(
    overlaps: NDArray[np.float32],
    label: int,
    labels: NDArray[np.int64],
    shown: NDArray[np.bool_],
) -> Reason:
    own = labels == label
    if (overlaps[shown & ~own] >= SAME).any():
        return Reason.OTHER_CLASS
    if (overlaps[shown & own] >= NEAR).any():
        return Reason.INEXACT
    return Reason.LOW_SCORE if (overlaps[own] >= SAME).any() else Reason.UNSEEN


def _failure(
    image: CocoImage,
    labels: NDArray[np.int64],
    boxes: FloatArray,
    index: int,
    reason: Reason,
    scores: FloatArray,
) -> Failure:
    x_min, y_min, x_max, y_max = (float(value) for value in boxes[index])
    box = (x_min, y_min, x_max, y_max)
    return Failure(image, int(labels[index]), box, float(scores[index]), reason)
