from __future__ import annotations

import pytest

from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.retinanet.validation import score

CLASSES = ('boat', 'buoy')


def found_exactly(images, labels=(0, 1)):
    return [
        {
            'image_id': image.image_id,
            'category_id': int(label),
            'bbox': [float(v) for v in (*box[:2], *(box[2:] - box[:2]))],
            'score': 0.9,
        }
        for image in images
        for box, label in zip(image.boxes, image.labels, strict=True)
        if label in labels
    ]


def test_scores_of_perfect_half_and_no_answers(drawn_set):
    images = read_coco(drawn_set, CLASSES).images
    perfect = score(images, CLASSES, found_exactly(images))
    assert (perfect.map50, perfect.map) == pytest.approx((1.0, 1.0))
    boats = score(images, CLASSES, found_exactly(images, labels=(0,)))
    assert dict(boats.ap50_per_class) == pytest.approx({'boat': 1.0, 'buoy': 0.0})
    assert boats.map50 == pytest.approx(0.5)
    assert score(images, CLASSES, []).map50 == 0.0
