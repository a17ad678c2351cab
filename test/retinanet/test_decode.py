from __future__ import annotations

import numpy as np
import pytest
import torch

from spiking_retina_ros.retinanet.anchors import level_anchors, map_sizes
from spiking_retina_ros.retinanet.boxes import encode_boxes
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.decode import decode_outputs, suppress

CONFIG = RetinaNetConfig(input_size=(96, 128))


def quiet_maps() -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    sizes = map_sizes(CONFIG.input_size)
    return (
        [torch.full((1, 18, *size), -12.0) for size in sizes],
        [torch.zeros(1, 36, *size) for size in sizes],
    )


def plant(class_maps, box_maps, box, *, level, row, column, anchor, label, logit):
    """Make one anchor answer with ``box``."""
    columns = class_maps[level].shape[3]
    own = level_anchors(CONFIG)[level][(row * columns + column) * 9 + anchor]
    offsets = encode_boxes(torch.tensor([box]), own[None])[0]
    class_maps[level][0, anchor * 2 + label, row, column] = logit
    box_maps[level][0, anchor * 4 : anchor * 4 + 4, row, column] = offsets


def test_planted_objects_come_back():
    class_maps, box_maps = quiet_maps()
    boat, buoy = [30.0, 20.0, 90.0, 60.0], [70.0, 50.0, 76.0, 58.0]
    plant(class_maps, box_maps, boat, level=2, row=1, column=2, anchor=4, label=0, logit=2.0)
    plant(class_maps, box_maps, buoy, level=0, row=6, column=9, anchor=8, label=1, logit=1.0)
    boxes, scores, labels = decode_outputs(class_maps, box_maps, CONFIG)[0]
    np.testing.assert_allclose(boxes, [boat, buoy], atol=1e-3)
    np.testing.assert_allclose(scores, torch.sigmoid(torch.tensor([2.0, 1.0])), rtol=1e-5)
    assert labels.tolist() == [0, 1]
    assert (boxes.dtype, scores.dtype, labels.dtype) == (np.float32, np.float32, np.int64)
    only = decode_outputs(class_maps, box_maps, CONFIG, max_detections=1)[0]
    np.testing.assert_allclose(only[0], [boat], atol=1e-3)


def test_duplicates_go_and_other_classes_stay():
    class_maps, box_maps = quiet_maps()
    box, near = [30.0, 20.0, 90.0, 60.0], [32.0, 21.0, 91.0, 61.0]
    plant(class_maps, box_maps, box, level=2, row=1, column=2, anchor=4, label=0, logit=2.0)
    plant(class_maps, box_maps, near, level=2, row=1, column=1, anchor=4, label=0, logit=1.0)
    plant(class_maps, box_maps, near, level=2, row=2, column=1, anchor=4, label=1, logit=0.5)
    boxes, scores, labels = decode_outputs(class_maps, box_maps, CONFIG)[0]
    votes = torch.sigmoid(torch.tensor([2.0, 1.0])).numpy()
    np.testing.assert_allclose(boxes, [np.average([box, near], 0, votes), near], atol=1e-3)
    np.testing.assert_allclose(scores[0], votes[0], rtol=1e-5)
    assert labels.tolist() == [0, 1]
    everything = decode_outputs(class_maps, box_maps, CONFIG, nms_threshold=0.99)[0]
    assert len(everything[0]) == 3


def test_the_score_asked_for_does_not_move_boxes():
    class_maps, box_maps = quiet_maps()
    box, near, far = [30.0, 20.0, 90.0, 60.0], [32.0, 21.0, 91.0, 61.0], [50.0, 20.0, 99.0, 60.0]
    plant(class_maps, box_maps, box, level=2, row=1, column=2, anchor=4, label=0, logit=2.0)
    plant(class_maps, box_maps, near, level=2, row=1, column=1, anchor=4, label=0, logit=-2.0)
    plant(class_maps, box_maps, far, level=2, row=2, column=2, anchor=4, label=0, logit=1.0)
    low, middle, high = (
        decode_outputs(class_maps, box_maps, CONFIG, score_threshold=score)[0]
        for score in (0.01, 0.3, 0.8)
    )
    assert low[0][0, 0] == pytest.approx(30.24, abs=0.01)  # only the near one votes
    np.testing.assert_array_equal(low[0], middle[0])
    np.testing.assert_array_equal(low[0][:1], high[0])


def test_nothing_seen_is_empty_arrays():
    boxes, scores, labels = decode_outputs(*quiet_maps(), CONFIG)[0]
    assert boxes.shape == (0, 4)
    assert scores.shape == labels.shape == (0,)


def test_boxes_are_clipped_to_the_input():
    class_maps, box_maps = quiet_maps()
    wide = [-40.0, -5.0, 200.0, 300.0]
    plant(class_maps, box_maps, wide, level=2, row=1, column=2, anchor=4, label=0, logit=2.0)
    boxes = decode_outputs(class_maps, box_maps, CONFIG)[0][0]
    np.testing.assert_allclose(boxes, [[0, 0, 128, 96]], atol=1e-3)


@pytest.mark.parametrize('count', [1, 30, 300])
def test_suppression_equals_its_definition(count):
    rng = np.random.default_rng(count)
    corners, sizes = rng.uniform(0, 100, (count, 2)), rng.uniform(2, 60, (count, 2))
    boxes = np.hstack([corners, corners + sizes]).astype(np.float32)
    scores = rng.uniform(0.05, 1, count).astype(np.float32)
    labels = rng.integers(0, 2, count)
    kept: list[int] = []
    for index in np.argsort(-scores):
        low = np.maximum(boxes[kept, :2], boxes[index, :2])
        high = np.minimum(boxes[kept, 2:], boxes[index, 2:])
        inter = np.clip(high - low, 0, None).prod(axis=1)
        areas = (boxes[kept, 2:] - boxes[kept, :2]).prod(axis=1)
        overlap = inter / (areas + (boxes[index, 2:] - boxes[index, :2]).prod() - inter)
        if not ((overlap > 0.5) & (labels[kept] == labels[index])).any():
            kept.append(int(index))
    found = suppress(boxes, scores, labels, 0.5, count)
    np.testing.assert_array_equal(found[0], boxes[kept])
    np.testing.assert_array_equal(found[2], labels[kept])
