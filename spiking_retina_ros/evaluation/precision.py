"""Average precision and recall of a set of detections, by class and by object size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.cocoeval import COCOeval

from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.detector import SCORE_THRESHOLD
from spiking_retina_ros.retinanet.validation import coco_evaluation, mean_defined

# pycocotools' areas: below 32 x 32, up to 96 x 96, and above, in pixels of the image.
SIZES = ('small', 'medium', 'large')
ALL_SIZES = 0


@dataclass(frozen=True)
class ClassPrecision:
    """
    One class: all in [0, 1], NaN where the set has no object of it.

    ``recall`` is the share of objects found at IoU 0.5 by up to 100 boxes of any score,
    ``recall_at_score`` and ``precision_at_score`` are those of the boxes the detector shows, score
    0.4 and above.
    """

    objects: int
    ap50: float
    ap: float
    recall: float
    recall_at_score: float
    precision_at_score: float


@dataclass(frozen=True)
class Precision:
    """
    Means over the classes that have objects; ``map50`` at IoU 0.5, ``map`` over 0.5 to 0.95.

    ``recall_by_size`` is at IoU 0.5, by up to 100 boxes of any score.
    """

    map50: float
    map: float
    map50_by_size: Mapping[str, float]
    recall_by_size: Mapping[str, float]
    objects_by_size: Mapping[str, int]
    per_class: Mapping[str, ClassPrecision]


@dataclass(frozen=True)
class ClassMatches:
    """
    What became of one class's boxes at IoU 0.5, enough to compute its AP on any resampled set.

    Per box, best score first: ``image`` int64 (D,), its image's place in the set, ``hit`` bool
    (D,), ``score`` float64 (D,). ``objects`` is int64 (images,).
    """

    image: NDArray[np.int64]
    hit: NDArray[np.bool_]
    score: NDArray[np.float64]
    objects: NDArray[np.int64]


def measure(
    images: Sequence[CocoImage], class_names: Sequence[str], found: Sequence[Mapping[str, Any]]
) -> tuple[Precision, tuple[ClassMatches, ...]]:
    """Score COCO result entries by pycocotools; return the figures and the matches per class."""
    evaluation = coco_evaluation(images, class_names, found)
    matches = tuple(_class_matches(evaluation, label) for label in range(len(class_names)))
    precision = evaluation.eval['precision']  # (IoU, recalls, classes, areas, detection limits)
    recall = evaluation.eval['recall']  # (IoU, classes, areas, detection limits)
    per_class = {
        name: _class_precision(
            matches[label], precision[:, :, label, ALL_SIZES, -1], recall[0, label, ALL_SIZES, -1]
        )
        for label, name in enumerate(class_names)
    }
    by_size = {
        size: mean_defined(precision[0, :, :, area, -1]) for area, size in enumerate(SIZES, start=1)
    }
    found_by_size = {
        size: mean_defined(recall[0, :, area, -1]) for area, size in enumerate(SIZES, start=1)
    }
    overall = precision[:, :, :, ALL_SIZES, -1]
    counts = _objects_by_size(evaluation, images)
    return (
        Precision(
            mean_defined(overall[0]),
            mean_defined(overall),
            by_size,
            found_by_size,
            counts,
            per_class,
        ),
        matches,
    )


def _class_precision(
    matches: ClassMatches, precision: NDArray[np.float64], recall: float
) -> ClassPrecision:
    objects = int(matches.objects.sum())
    shown = matches.score >= SCORE_THRESHOLD
    hits = int((matches.hit & shown).sum())
    return ClassPrecision(
        objects,
        mean_defined(precision[0]),
        mean_defined(precision),
        float(recall) if recall > -1 else math.nan,
        hits / objects if objects else math.nan,
        hits / int(shown.sum()) if objects and shown.any() else math.nan,
    )


def _class_matches(evaluation: COCOeval, label: int) -> ClassMatches:
    """Read pycocotools' matching, which lies in order of class, area and image."""
    parameters = evaluation.params
    count = len(parameters.imgIds)
    first = label * len(parameters.areaRng) * count
    records = evaluation.evalImgs[first : first + count]
    numbers, hits, scores = [], [], []
    objects = np.zeros(count, np.int64)
    for number, record in enumerate(records):
        if record is None:  # neither objects nor boxes of this class
            continue
        objects[number] = np.count_nonzero(np.asarray(record['gtIgnore']) == 0)
        kept = np.asarray(record['dtIgnore'])[0] == 0
        numbers.append(np.full(int(kept.sum()), number, np.int64))
        hits.append((np.asarray(record['dtMatches'])[0] > 0)[kept])
        scores.append(np.asarray(record['dtScores'], np.float64)[kept])
    if not numbers:
        nothing = np.empty(0)
        return ClassMatches(nothing.astype(np.int64), nothing.astype(bool), nothing, objects)
    score = np.concatenate(scores)
    order = np.argsort(-score, kind='mergesort')
    return ClassMatches(
        np.concatenate(numbers)[order], np.concatenate(hits)[order], score[order], objects
    )


def _objects_by_size(evaluation: COCOeval, images: Sequence[CocoImage]) -> dict[str, int]:
    boxes = [image.boxes for image in images if len(image.boxes)]
    areas = np.concatenate(
        [(box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) for box in boxes] or [np.empty(0)]
    )
    ranges = evaluation.params.areaRng[1:]
    return {
        size: int(((areas >= low) & (areas <= high)).sum())
        for size, (low, high) in zip(SIZES, ranges, strict=True)
    }
