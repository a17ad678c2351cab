"""What training minimises: focal loss on the logits, generalised IoU on the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from spiking_retina_ros.retinanet.anchors import level_anchors
from spiking_retina_ros.retinanet.boxes import box_iou, decode_boxes, generalised_iou
from spiking_retina_ros.retinanet.config import RetinaNetConfig

FOCAL_ALPHA = 0.25
FOCAL_GAMMA = 2.0
BOX_WEIGHT = 1.5

FOREGROUND_IOU = 0.5
BACKGROUND_IOU = 0.4
# A buoy of 4 px reaches no anchor by 0.5: each object also claims its best few.
CLAIMED_ANCHORS = 4
CLAIM_IOU = 0.2

BACKGROUND = -1
IGNORED = -2


@dataclass(frozen=True)
class Target:
    """The objects of one image: boxes (M, 4) xyxy in input pixels and labels (M,) int64."""

    boxes: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Losses:
    """Both parts, per positive anchor of the batch; ``total`` is what is minimised."""

    classification: Tensor
    box: Tensor

    @property
    def total(self) -> Tensor:
        """Return the weighted sum."""
        return self.classification + BOX_WEIGHT * self.box


def match_anchors(anchors: Tensor, boxes: Tensor) -> Tensor:
    """
    Return for every anchor (N,) the index of its object, BACKGROUND or IGNORED.

    An anchor belongs to the object it overlaps most if that is at least 0.5 IoU, is background
    below 0.4 and ignored between. Besides, every object claims its best four anchors of at
    least 0.2, and its very best one in any case; smaller objects are served last and so keep
    what two objects both claim.
    """
    if len(boxes) == 0:
        return torch.full((len(anchors),), BACKGROUND, dtype=torch.int64, device=anchors.device)
    overlaps = box_iou(boxes, anchors)
    best, matches = overlaps.max(dim=0)
    matches[best < FOREGROUND_IOU] = IGNORED
    matches[best < BACKGROUND_IOU] = BACKGROUND
    values, claims = overlaps.topk(min(CLAIMED_ANCHORS, len(anchors)), dim=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    for index in areas.argsort(descending=True).tolist():
        wanted = values[index] >= CLAIM_IOU
        wanted[0] = True
        matches[claims[index][wanted]] = index
    return matches


def flatten_maps(maps: Sequence[Tensor], values: int) -> Tensor:
    """Return level maps (N, A * values, h, w) as (N, sum of h * w * A, values)."""
    flat = [
        level.permute(0, 2, 3, 1).reshape(level.shape[0], -1, values)  # a * values + v, per place
        for level in maps
    ]
    return torch.cat(flat, dim=1)


def focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the sigmoid focal loss (Lin et al. 2017), elementwise; ``targets`` are 0 or 1."""
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    probability = torch.sigmoid(logits)
    miss = probability + targets - 2 * probability * targets
    weight = FOCAL_ALPHA * targets + (1 - FOCAL_ALPHA) * (1 - targets)
    return weight * miss.pow(FOCAL_GAMMA) * entropy


def detection_loss(
    class_maps: Sequence[Tensor],
    box_maps: Sequence[Tensor],
    targets: Sequence[Target],
    config: RetinaNetConfig,
    input_size: tuple[int, int],
) -> Losses:
    """
    Return the losses of a batch of raw outputs.

    ``targets`` has one entry per image. Both parts are divided by the number of positive anchors
    in the batch (at least one), so that a batch of empty seas stays finite.
    """
    device = class_maps[0].device
    anchors = torch.cat(level_anchors(config, input_size)).to(device)
    logits = flatten_maps(class_maps, config.classes)
    offsets = flatten_maps(box_maps, 4)
    matches = torch.stack([match_anchors(anchors, target.boxes) for target in targets])
    wanted = torch.zeros_like(logits)
    goals = []
    for index, target in enumerate(targets):
        positive = matches[index] >= 0
        objects = matches[index][positive]
        wanted[index, positive, target.labels[objects]] = 1.0
        goals.append(target.boxes[objects])
    positive = matches >= 0
    count = positive.sum().clamp(min=1)
    classification = focal_loss(logits, wanted)[matches != IGNORED].sum() / count
    predicted = decode_boxes(offsets[positive], anchors.expand(len(targets), -1, -1)[positive])
    box = (1 - generalised_iou(predicted, torch.cat(goals))).sum() / count
    return Losses(classification, box)
