from __future__ import annotations

import cv2
import numpy as np

from spiking_retina_ros.datasets.augment import Sample
from spiking_retina_ros.datasets.paste import CutOuts, PasteSettings

BUOY, BOAT = 1, 0
ALWAYS = PasteSettings(chance=1.0, most=3, height=(0.1, 0.3))


def photograph(*, label=BUOY):
    """A red disc on noisy blue water, with its box."""
    rng = np.random.default_rng(4)
    image = rng.integers(0, 25, (120, 160, 3)).astype(np.uint8) + np.array([150, 90, 30], np.uint8)
    cv2.circle(image, (80, 60), 20, (20, 20, 220), cv2.FILLED)
    return Sample(image, np.array([[60, 40, 101, 81]], np.float32), np.array([label]))


def test_cuts_the_object_and_not_the_water():
    cut_outs = CutOuts(BUOY)
    cut_outs.collect(photograph())
    (item,) = cut_outs.groups[0]
    red = item.image[:, :, 2] > 150
    assert item.opacity[red].mean() > 0.95
    assert item.opacity[~red].mean() < 0.12


def test_pastes_where_the_boxes_say():
    cut_outs = CutOuts(BUOY)
    cut_outs.collect(photograph())
    water = Sample(
        np.full((96, 128, 3), (150, 90, 30), np.uint8),
        np.array([[40, 50, 90, 90]], np.float32),
        np.array([BOAT]),
    )
    before = water.image.copy()
    pasted = 0
    for seed in range(20):
        view = cut_outs.paste(water, ALWAYS, np.random.default_rng(seed))
        assert view.labels[0] == BOAT
        assert (view.labels[1:] == BUOY).all()
        changed = np.abs(view.image.astype(int) - before).max(axis=2) > 40
        inside = np.zeros_like(changed)
        for x_min, y_min, x_max, y_max in view.boxes[1:].round().astype(int):
            assert changed[y_min:y_max, x_min:x_max].mean() > 0.5
            inside[max(0, y_min - 2) : y_max + 2, max(0, x_min - 2) : x_max + 2] = True
            pasted += 1
        assert not (changed & ~inside).any()
        assert not changed[50:90, 40:90].any(), 'an object must not be covered'
    assert pasted > 10
    np.testing.assert_array_equal(water.image, before)


def test_leaves_alone_what_it_should():
    cut_outs = CutOuts(BUOY)
    cut_outs.collect(photograph(label=BOAT))
    assert not cut_outs.groups
    sample = photograph()
    assert cut_outs.paste(sample, ALWAYS, np.random.default_rng(0)) is sample
    cut_outs.collect(sample)
    never = PasteSettings(chance=0.0)
    assert cut_outs.paste(sample, never, np.random.default_rng(0)) is sample
