"""Average precision of an analog network on a COCO set, for the training log."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from spiking_retina_ros.datasets.coco import CocoImage, CocoSet, read_image
from spiking_retina_ros.retinanet.decode import decode_outputs
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.preprocess import preprocess


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
    """Score ``network`` on the set, or on about ``limit`` evenly spaced images, by pycocotools."""
    chosen = images.images
    if limit is not None:
        chosen = chosen[:: max(1, len(chosen) // limit)]
    found: list[dict[str, Any]] = []
    scored: list[CocoImage] = []
    was_training = network.training
    network.eval()
    for image in tqdm(chosen, desc='validate', unit='image', disable=quiet, leave=False):
        pixels = read_image(image.path)
        if pixels is None:
            images.problems.add('image that does not decode', str(image.path))
            continue
        scored.append(image)
        found += _detections(network, image, pixels)
    network.train(was_training)
    return score(scored, images.class_names, found)


def score(
    images: Sequence[CocoImage], class_names: Sequence[str], found: list[dict[str, Any]]
) -> Validation:
    """Return average precisions of COCO result entries (``category_id`` is the label)."""
    truth = COCO()
    truth.dataset = _truth(images, class_names)
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        if not found:
            return Validation(len(images), 0.0, 0.0, dict.fromkeys(class_names, 0.0))
        evaluation = COCOeval(truth, truth.loadRes(found), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
    # precision: (IoU thresholds, recalls, classes, areas, detection limits); -1 where undefined
    precision = evaluation.eval['precision'][:, :, :, 0, -1]

    def mean(values: np.ndarray) -> float:
        defined = values[values > -1]
        return float(defined.mean()) if defined.size else float('nan')

    per_class = {name: mean(precision[0, :, label]) for label, name in enumerate(class_names)}
    return Validation(len(images), mean(precision[0]), mean(precision), per_class)


def _detections(network: RetinaNet, image: CocoImage, pixels: np.ndarray) -> list[dict[str, Any]]:
    """Return one image's detections as COCO result entries."""
    inputs, letterbox = preprocess(pixels, network.config)
    class_maps, box_maps = network(inputs)
    boxes, scores, labels = decode_outputs(
        class_maps, box_maps, network.config, score_threshold=0.01, max_detections=100
    )[0]
    boxes = letterbox.boxes_to_image(boxes)
    sizes = boxes[:, 2:] - boxes[:, :2]
    return [
        {
            'image_id': image.image_id,
            'category_id': int(label),
            'bbox': [float(value) for value in (*box[:2], *size)],
            'score': float(score),
        }
        for box, size, score, label in zip(boxes, sizes, scores, labels, strict=True)
    ]


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
