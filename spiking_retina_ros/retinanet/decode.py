"""Raw output maps to boxes: the one decoder of analog and spiking networks alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spiking_retina_ros.detections import FloatArray
from spiking_retina_ros.retinanet.anchors import level_anchors
from spiking_retina_ros.retinanet.boxes import box_iou, decode_boxes
from spiking_retina_ros.retinanet.config import RetinaNetConfig

CANDIDATES_PER_LEVEL = 1000
# Boxes that overlap one that is kept at least so much, of its class and with at least such a score,
# have a vote on where it lies. Whatever threshold an answer is asked for, the voters are the same.
VOTING_OVERLAP = 0.7
VOTING_SCORE = 0.05

Decoded = tuple[FloatArray, FloatArray, NDArray[np.int64]]


def decode_outputs(
    class_maps: Sequence[Tensor],
    box_maps: Sequence[Tensor],
    config: RetinaNetConfig,
    *,
    score_threshold: float = 0.05,
    nms_threshold: float = 0.5,
    max_detections: int = 100,
    input_size: tuple[int, int] | None = None,
) -> list[Decoded]:
    """
    Return (boxes, scores, labels) per image, best score first.

    ``class_maps`` and ``box_maps`` are what `RetinaNet.forward` returns. Boxes are float32 (M, 4)
    xyxy in input pixels, clipped to the input; scores float32 (M,), sigmoids of the logits above
    ``score_threshold``; labels int64 (M,), indices into ``config.class_names``. As in torchvision,
    each level offers its 1000 best before boxes of one class that overlap a better one by more
    than ``nms_threshold`` (IoU) are dropped. A box that stays is moved to where those that were
    dropped for it see the object, too (box voting, Gidaris and Komodakis 2015): single offsets,
    above all those counted in few spikes, are noisier than their mean.
    """
    size = input_size or config.input_size
    anchors = level_anchors(config, size)
    least = min(score_threshold, VOTING_SCORE)
    results = []
    for image in range(class_maps[0].shape[0]):
        candidates = [
            _level_candidates(classes[image], offsets[image], base, config.classes, least)
            for classes, offsets, base in zip(class_maps, box_maps, anchors, strict=True)
        ]
        boxes, scores, labels = (torch.cat(parts) for parts in zip(*candidates, strict=True))
        limit = torch.tensor([size[1], size[0], size[1], size[0]], dtype=torch.float32)
        boxes = torch.minimum(boxes.clamp(min=0), limit)
        found = (boxes.numpy(), scores.numpy(), labels.numpy())
        kept = _above(suppress(*found, nms_threshold, max_detections), score_threshold)
        results.append((_vote(kept, found), *kept[1:]))
    return results


def _level_candidates(
    class_map: Tensor, box_map: Tensor, anchors: Tensor, classes: int, score_threshold: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return boxes, scores and labels of one level's best outputs; maps are (A * ?, h, w)."""
    scores = torch.sigmoid(class_map.detach().cpu().float()).permute(1, 2, 0).reshape(-1)
    above = (scores > score_threshold).nonzero().squeeze(1)
    best = scores[above].topk(min(CANDIDATES_PER_LEVEL, len(above)))
    chosen = above[best.indices]
    places = chosen // classes
    offsets = box_map.detach().cpu().float().permute(1, 2, 0).reshape(-1, 4)[places]
    return decode_boxes(offsets, anchors[places]), best.values, chosen % classes


def _vote(kept: Decoded, candidates: Decoded) -> FloatArray:
    """
    Return the kept boxes (N, 4), each the mean of itself and its voters, weighted by score.

    Voters are the candidates of the same class with a score of VOTING_SCORE and an IoU of
    VOTING_OVERLAP at least.
    """
    boxes, scores, labels = candidates
    overlap = box_iou(torch.from_numpy(kept[0]), torch.from_numpy(boxes)).numpy()
    allowed = (kept[2][:, None] == labels) & (scores >= VOTING_SCORE)
    weights = np.where(allowed & (overlap >= VOTING_OVERLAP), scores, 0.0)
    total = weights.sum(1, keepdims=True)
    moved = weights @ boxes / np.maximum(total, VOTING_SCORE)
    return np.where(total > 0, moved, kept[0]).astype(np.float32)


def _above(found: Decoded, score_threshold: float) -> Decoded:
    fine = found[1] > score_threshold
    return found[0][fine], found[1][fine], found[2][fine]


def suppress(
    boxes: FloatArray,
    scores: FloatArray,
    labels: NDArray[np.int64],
    nms_threshold: float,
    max_detections: int,
) -> Decoded:
    """Drop boxes that overlap a better one of their class; keep the best ``max_detections``."""
    order = np.argsort(-scores, kind='stable')
    boxes, scores, labels = boxes[order], scores[order], labels[order]
    if len(boxes):
        corner_size: Any = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
        classes: Any = labels.astype(np.int32)
        kept = cv2.dnn.NMSBoxesBatched(
            corner_size.astype(np.float64), cast(Any, scores), classes, 0.0, nms_threshold
        )
        keep = np.sort(np.asarray(kept, np.int64).reshape(-1))[:max_detections]
        boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
    return boxes.astype(np.float32), scores.astype(np.float32), labels.astype(np.int64)
