"""mAP against a case small enough to do by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.evaluation.precision import measure
from spiking_retina_ros.evaluation.tables import per_cent


def image(number, boxes, labels):
    return CocoImage(
        number,
        Path(f'{number}.png'),
        (200, 200),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int64),
    )


def entry(number, label, box, score):
    x_min, y_min, x_max, y_max = box
    return {
        'image_id': number,
        'category_id': label,
        'bbox': [x_min, y_min, x_max - x_min, y_max - y_min],
        'score': score,
    }


SMALL, LARGE, NOWHERE = (10, 10, 30, 30), (50, 50, 160, 160), (100, 0, 140, 20)


def test_a_case_done_by_hand():
    images = [image(1, [SMALL, LARGE], [0, 0]), image(2, [SMALL], [0])]
    found = [
        entry(1, 0, SMALL, 0.9),  # hit
        entry(2, 0, NOWHERE, 0.8),  # false
        entry(1, 0, LARGE, 0.7),  # hit
        entry(2, 0, SMALL, 0.3),  # hit, but below what a detector shows
    ]
    precision, matches = measure(images, ['boat', 'buoy'], found)
    # precision 1 up to recall 1/3, then 3/4 everywhere: 34 and 67 of the 101 recall places
    by_hand = (34 * 1.0 + 67 * 0.75) / 101
    boat = precision.per_class['boat']
    assert boat.ap50 == pytest.approx(by_hand)
    assert boat.ap == pytest.approx(by_hand)  # the boxes fit exactly, at every IoU
    assert precision.map50 == pytest.approx(by_hand)
    assert boat.recall == 1.0
    assert boat.recall_at_score == pytest.approx(2 / 3)
    assert boat.precision_at_score == pytest.approx(2 / 3)
    assert precision.objects_by_size == {'small': 2, 'medium': 0, 'large': 1}
    assert precision.map50_by_size['large'] == pytest.approx(1.0)
    assert math.isnan(precision.map50_by_size['medium'])
    assert matches[0].hit.tolist() == [True, False, True, True]


def test_a_class_without_objects_has_no_precision_rather_than_none():
    images = [image(1, [SMALL], [0])]
    precision, _ = measure(images, ['boat', 'buoy'], [entry(1, 1, LARGE, 0.9)])
    buoy = precision.per_class['buoy']
    assert buoy.objects == 0
    assert math.isnan(buoy.ap50)
    assert math.isnan(buoy.recall)
    assert per_cent(buoy.ap50) == '-'
    assert precision.per_class['boat'].ap50 == 0.0
    assert precision.map50 == 0.0  # of boats alone


def test_no_detection_at_all_is_zero():
    precision, matches = measure([image(1, [SMALL], [0])], ['boat'], [])
    assert precision.map50 == 0.0
    assert precision.per_class['boat'].recall == 0.0
    assert len(matches[0].score) == 0
