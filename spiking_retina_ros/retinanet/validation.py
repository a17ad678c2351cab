"""Average precision of an analog network on a COCO set, for the training log."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from spiking_retina_ros.datasets.coco import CocoImage, CocoSet, read_image
from spiking_retina_ros.detections import FloatArray
from spiking_retina_ros.retinanet.decode import decode_outputs
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.preprocess import preprocess

# What COCO's average precision needs: nearly every box, so that the tail of the curve is there.
SCORE_THRESHOLD = 0.01
MAX_DETECTIONS = 100


@dataclass(frozen=True)
class Validation:
    """Average precisions in [0, 1] on ``images`` images; ``map50`` at an IoU of 0.5."""

    images: int
    map50: float
    map: float
    ap50_per_class: Mapping[str, float]


@torch.inference_mode()
def validate(
    network: RetinaNet, images: CocoSet, *, limit: int | None = None, quiet: bool = False
) -> Validation:
    """
    Score ``network`` on the set, or on about ``limit`` evenly spaced images, by pycocotools.

    Images that do not decode are left out of the score; see `without_undecodable`.
    """
    chosen = images.images
    if limit is not None:
        chosen = chosen[:: max(1, len(chosen) // limit)]
    found: list[dict[str, Any]] = []
    scored: list[CocoImage] = []
    was_training = network.training
    network.eval()
    for image in tqdm(chosen, desc='validate', unit='image', disable=quiet, leave=False):
        pixels = read_image(image.path)
        if pixels is not None:
            scored.append(image)
            found += _detections(network, image, pixels)
    network.train(was_training)
    return score(scored, images.class_names, found)


def score(
    images: Sequence[CocoImage], class_names: Sequence[str], found: Sequence[Mapping[str, Any]]
) -> Validation:
    """Return average precisions of COCO result entries (``category_id`` is the label)."""
    evaluation = coco_evaluation(images, class_names, found)
    # precision: (IoU thresholds, recalls, classes, areas, detection limits); -1 where undefined
    precision = evaluation.eval['precision'][:, :, :, 0, -1]
    per_class = {
        name: mean_defined(precision[0, :, label]) for label, name in enumerate(class_names)
    }
    return Validation(len(images), mean_defined(precision[0]), mean_defined(precision), per_class)


def coco_evaluation(
    images: Sequence[CocoImage], class_names: Sequence[str], found: Sequence[Mapping[str, Any]]
) -> COCOeval:
    """
    Return pycocotools' evaluation, accumulated, of COCO result entries; none at all are fine, too.

    An entry has ``image_id``, ``category_id`` (the label), ``bbox`` (x, y, width, height) in image
    pixels and ``score``.
    """
    truth, results = COCO(), COCO()
    truth.dataset = _truth(images, class_names)
    entries = [
        {**entry, 'id': index, 'area': entry['bbox'][2] * entry['bbox'][3], 'iscrowd': 0}
        for index, entry in enumerate(found, start=1)
    ]
    results.dataset = {**truth.dataset, 'annotations': entries}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        results.createIndex()
        evaluation = COCOeval(truth, results, 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def mean_defined(values: np.ndarray) -> float:
    """Return the mean of the entries that are not -1, pycocotools' mark for undefined, or NaN."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else float('nan')


def result_entries(
    image_id: int, boxes: FloatArray, scores: FloatArray, labels: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Return boxes (N, 4) xyxy in image pixels, scores and labels as COCO result entries."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return [
        {
            'image_id': image_id,
            'category_id': int(label),
            'bbox': [float(value) for value in (*box[:2], *size)],
            'score': float(score),
        }
        for box, size, score, label in zip(boxes, sizes, scores, labels, strict=True)
    ]


def _detections(network: RetinaNet, image: CocoImage, pixels: np.ndarray) -> list[dict[str, Any]]:
    """Return one image's detections as COCO result entries."""
    inputs, letterbox = preprocess(pixels, network.config)
    class_maps, box_maps = network(inputs)
    boxes, scores, labels = decode_outputs(
        class_maps,
        box_maps,
        network.config,
        score_threshold=SCORE_THRESHOLD,
        max_detections=MAX_DETECTIONS,
    )[0]
    return result_entries(image.image_id, letterbox.boxes_to_image(boxes), scores, labels)


def _truth(images: Sequence[CocoImage], class_names: Sequence[str]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image in images:
        for box, label in zip(image.boxes.tolist(), image.labels.tolist(), strict=True):
            width, height = box[2] - box[0], box[3] - box[1]
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': image.image_id,
                    'category_id': label,
                    'bbox': [box[0], box[1], width, height],
                    'area': width * height,
                    'iscrowd': 0,
                }
            )
    return {
        'info': {},
        'images': [{'id': i.image_id, 'height': i.size[0], 'width': i.size[1]} for i in images],
        'annotations': annotations,
        'categories': [{'id': label, 'name': name} for label, name in enumerate(class_names)],
    }
