from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import pytest

from spiking_retina_ros.datasets.augment import Sample, ViewSettings, flip, mosaic, random_view
from spiking_retina_ros.datasets.augment_light import LightSettings, random_light

SEA, MARK = (120, 60, 20), (0, 0, 255)


def marked(rng):
    """A picture with one coloured rectangle and its exact box."""
    image = np.full((120, 160, 3), SEA, np.uint8)
    width, height = rng.integers(20, 60, 2)
    x, y = int(rng.integers(0, 160 - width)), int(rng.integers(0, 120 - height))
    cv2.rectangle(image, (x, y), (int(x + width) - 1, int(y + height) - 1), MARK, cv2.FILLED)
    return Sample(image, np.array([[x, y, x + width, y + height]], np.float32), np.array([1]))


def seen_boxes(image):
    """The boxes of the marked colour, found by looking at the picture."""
    mask = ((image[:, :, 2] > 180) & (image[:, :, 0] < 60)).astype(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask)
    x, y, width, height = statistics[1:, :4].T
    return np.stack([x, y, x + width, y + height], axis=1)


@pytest.mark.parametrize('seed', range(30))
def test_boxes_follow_the_picture(seed):
    rng = np.random.default_rng(seed)
    settings = ViewSettings(zoom=(0.4, 1.9), visible=0.05, smallest=1.0)
    view = random_view(marked(rng), (96, 128), settings, rng)
    assert view.image.shape == (96, 128, 3)
    if len(view.boxes) == 0:
        assert len(seen_boxes(view.image)) <= 1
        return
    np.testing.assert_allclose(seen_boxes(view.image), view.boxes, atol=1.6)


@pytest.mark.parametrize('seed', range(10))
def test_mosaic_keeps_every_box_on_its_object(seed):
    rng = np.random.default_rng(seed)
    settings = ViewSettings(zoom=(0.8, 1.0), visible=0.0, smallest=0.0)
    view = mosaic(lambda: marked(rng), (96, 128), settings, rng)
    assert view.image.shape == (96, 128, 3)
    assert len(view.labels) == len(view.boxes) == 4
    order = np.lexsort(seen_boxes(view.image).T[:2])
    for box in seen_boxes(view.image)[order]:
        assert np.abs(view.boxes - box).max(axis=1).min() < 2.0


def test_flip_twice_is_nothing():
    sample = marked(np.random.default_rng(0))
    once = flip(sample)
    np.testing.assert_array_equal(seen_boxes(once.image), once.boxes)
    twice = flip(once)
    np.testing.assert_array_equal(twice.image, sample.image)
    np.testing.assert_array_equal(twice.boxes, sample.boxes)


def test_objects_mostly_out_of_view_are_dropped():
    rng = np.random.default_rng(0)
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[-30, 10, 10, 50], [10, 10, 50, 50], [60, 60, 61, 90]], np.float32)
    settings = ViewSettings(
        zoom=(1, 1), aspect=(1, 1), flip=0.0, mosaic=0.0, visible=0.3, smallest=2.0
    )
    view = random_view(Sample(image, boxes, np.arange(3)), (100, 100), settings, rng)
    assert view.labels.tolist() == [1]


EFFECTS = [field.name for field in fields(LightSettings)]


@pytest.mark.parametrize('effect', EFFECTS)
def test_every_effect_changes_light_and_not_shape(effect):
    none = dict.fromkeys(EFFECTS, 0.0)
    image = marked(np.random.default_rng(1)).image
    before = image.copy()
    settings = LightSettings(**{**none, effect: 1.0})
    changed = random_light(image, settings, np.random.default_rng(2))
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert np.abs(changed.astype(int) - image).max() > 3
    np.testing.assert_array_equal(image, before)
    again = random_light(image, settings, np.random.default_rng(2))
    np.testing.assert_array_equal(again, changed)
    untouched = random_light(image, LightSettings(**none), np.random.default_rng(2))
    np.testing.assert_array_equal(untouched, image)
