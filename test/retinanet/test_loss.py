from __future__ import annotations

import math

import pytest
import torch

from spiking_retina_ros.retinanet.anchors import level_anchors, map_sizes
from spiking_retina_ros.retinanet.boxes import encode_boxes
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.loss import (
    BACKGROUND,
    IGNORED,
    Target,
    detection_loss,
    flatten_maps,
    focal_loss,
    match_anchors,
)

CONFIG = RetinaNetConfig(input_size=(96, 128))
ANCHORS = torch.cat(level_anchors(CONFIG))


def maps(values: torch.Tensor) -> list[torch.Tensor]:
    """Turn (anchors, V) into level maps (1, A * V, h, w)."""
    sizes = map_sizes(CONFIG.input_size)
    parts = values.split([height * width * 9 for height, width in sizes])
    return [
        part.reshape(1, *size, -1).permute(0, 3, 1, 2)
        for part, size in zip(parts, sizes, strict=True)
    ]


def test_flatten_undoes_the_channel_layout():
    values = torch.arange(len(ANCHORS) * 2).reshape(-1, 2).float()
    assert torch.equal(flatten_maps(maps(values), 2)[0], values)
    level = torch.zeros(1, 18, 3, 4)
    level[0, 5 * 2 + 1, 2, 3] = 1.0  # anchor 5, class 1, row 2, column 3
    assert flatten_maps([level], 2)[0, (2 * 4 + 3) * 9 + 5].tolist() == [0.0, 1.0]


def test_tiny_objects_claim_anchors_they_hardly_overlap():
    boxes = torch.tensor([[61.0, 44.0, 64.0, 47.0], [20.0, 20.0, 80.0, 80.0]])
    matches = match_anchors(ANCHORS, boxes)
    assert (matches == 0).any(), 'a buoy of 3 px needs a positive anchor'
    assert (matches == 1).sum() > (matches == 0).sum()
    assert (matches == IGNORED).any()
    assert (matches == BACKGROUND).sum() > 0.8 * len(ANCHORS)
    assert (match_anchors(ANCHORS, torch.zeros(0, 4)) == BACKGROUND).all()


def test_focal_loss_value():
    # p = 0.25 for a positive: 0.25 * 0.75^2 * -ln 0.25; for a negative: 0.75 * 0.25^2 * -ln 0.75
    logits = torch.full((2,), math.log(1 / 3))
    found = focal_loss(logits, torch.tensor([1.0, 0.0]))
    expected = [0.25 * 0.75**2 * -math.log(0.25), 0.75 * 0.25**2 * -math.log(0.75)]
    assert found.tolist() == pytest.approx(expected)


def test_perfect_outputs_cost_nothing_and_a_wrong_class_does():
    boxes = torch.tensor([[20.0, 20.0, 80.0, 80.0], [100.0, 40.0, 108.0, 52.0]])
    target = Target(boxes, torch.tensor([0, 1]))
    matches = match_anchors(ANCHORS, boxes)
    positive = matches >= 0
    logits = torch.full((len(ANCHORS), 2), -20.0)
    logits[positive, target.labels[matches[positive]]] = 20.0
    offsets = torch.zeros(len(ANCHORS), 4)
    offsets[positive] = encode_boxes(boxes[matches[positive]], ANCHORS[positive])
    size = CONFIG.input_size
    losses = detection_loss(maps(logits), maps(offsets), [target], CONFIG, size)
    assert float(losses.classification) == pytest.approx(0, abs=1e-5)
    assert float(losses.box) == pytest.approx(0, abs=1e-4)
    swapped = detection_loss(maps(logits.flip(1)), maps(offsets), [target], CONFIG, size)
    assert float(swapped.classification) > 5
    moved = detection_loss(maps(logits), maps(offsets + 0.3), [target], CONFIG, size)
    assert float(moved.box) > 0.1


def test_empty_sea_has_a_finite_loss_with_a_slope():
    logits = torch.full((len(ANCHORS), 2), -2.0, requires_grad=True)
    empty = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    losses = detection_loss(
        maps(logits), maps(torch.zeros(len(ANCHORS), 4)), [empty], CONFIG, CONFIG.input_size
    )
    losses.total.backward()
    assert math.isfinite(losses.total.item())
    assert float(losses.box) == 0
    assert logits.grad is not None
    assert (logits.grad > 0).all()
