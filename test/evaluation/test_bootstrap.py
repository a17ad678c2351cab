"""The bootstrap computes pycocotools' own AP, and knows when two networks are the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.evaluation.answers import Answer
from spiking_retina_ros.evaluation.bootstrap import draw_weights, resampled_map50
from spiking_retina_ros.evaluation.precision import measure
from spiking_retina_ros.evaluation.scorer import Scorer

NAMES = ('boat', 'buoy')
IMAGES = 40


def random_boxes(generator, count):
    corner = generator.uniform(0, 150, (count, 2))
    return np.hstack([corner, corner + generator.uniform(10, 60, (count, 2))]).astype(np.float32)


def scene(seed):
    """Images, and answers that find most objects, shifted a little, and some that are not there."""
    generator = np.random.default_rng(seed)
    images, answers = [], []
    for number in range(1, IMAGES + 1):
        truth = random_boxes(generator, int(generator.integers(0, 4)))
        labels = generator.integers(0, 2, len(truth))
        images.append(CocoImage(number, Path(f'{number}'), (256, 256), truth, labels))
        false = random_boxes(generator, 3)
        boxes = np.concatenate([truth + generator.normal(0, 3, truth.shape), false])
        answers.append(
            Answer(
                boxes.astype(np.float32),
                np.round(generator.uniform(0, 1, len(boxes)), 2).astype(np.float32),
                np.concatenate([labels, generator.integers(0, 2, 3)]),
            )
        )
    return images, answers


def entries(images, answers):
    return [e for i, a in zip(images, answers, strict=True) for e in a.entries(i.image_id)]


def test_unit_weights_give_pycocotools_figure():
    images, answers = scene(1)
    precision, matches = measure(images, NAMES, entries(images, answers))
    found = resampled_map50(matches, np.ones((1, IMAGES), np.int64))
    assert 0.2 < precision.map50 < 0.95
    assert found[0] == pytest.approx(precision.map50, abs=1e-12)


def test_a_weight_is_an_image_that_lies_there_so_often():
    images, answers = scene(2)
    _, matches = measure(images, NAMES, entries(images, answers))
    weights = draw_weights(IMAGES, draws=1, seed=3)
    drawn = [index for index, count in enumerate(weights[0]) for _ in range(count)]
    copies = [replace(images[index], image_id=n) for n, index in enumerate(drawn, start=1)]
    repeated, _ = measure(copies, NAMES, entries(copies, [answers[index] for index in drawn]))
    assert resampled_map50(matches, weights)[0] == pytest.approx(repeated.map50, abs=2e-3)


def test_identical_answers_lose_nothing_and_the_interval_says_so():
    images, answers = scene(4)
    scored = Scorer(images, NAMES, answers, seed=0, draws=100).score(answers)
    assert scored.loss_points == 0.0
    assert scored.loss_interval == (0.0, 0.0)


def test_worse_answers_lose_and_the_interval_excludes_zero_and_repeats():
    images, answers = scene(5)
    worse = [replace(answer, boxes=answer.boxes + np.float32(6)) for answer in answers]
    first, again = (
        Scorer(images, NAMES, answers, seed=7, draws=200).score(worse) for _ in range(2)
    )
    assert first.loss_points > 10
    assert 0 < first.loss_interval[0] < first.loss_points < first.loss_interval[1]
    assert repr(first) == repr(again)
