"""Conditions do what they say, and the table has them all."""

import json

import cv2
import numpy as np
import pytest
from small_detector import analog_network, converted, photographs, write_set

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.evaluation.conditions import CONDITIONS, Condition
from spiking_retina_ros.evaluation.robustness import score_seas, sea_frames
from spiking_retina_ros.retinanet.checkpoint import save_retinanet
from spiking_retina_ros.spiking.model_file import save_network

BOXES = [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 2)]]


@pytest.mark.parametrize('condition', CONDITIONS, ids=lambda item: item.name)
def test_conditions_are_the_same_for_the_same_seed(condition):
    image = photographs(1)[0]
    before = image.copy()
    boxes = np.array([[20, 30, 60, 50]], np.float32)
    first, moved = condition.apply(image, boxes, np.random.default_rng(3))
    again, _ = condition.apply(image, boxes, np.random.default_rng(3))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(image, before)
    assert first.shape == image.shape
    changed = np.abs(first.astype(int) - image).max() > 10
    assert changed == (condition.name != 'as it is')
    assert (moved != boxes).any() == (condition.scale != 1.0)


def test_scaled_boxes_stay_on_their_objects():
    image = np.zeros((120, 160, 3), np.uint8)
    cv2.rectangle(image, (40, 20), (99, 79), (255, 0, 0), cv2.FILLED)
    boxes = np.array([[40, 20, 100, 80]], np.float32)
    shrunk, moved = Condition('', '', None, 0.5).apply(image, boxes, np.random.default_rng(0))
    rows, columns = np.nonzero(shrunk[..., 0] > 200)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(moved, [seen], atol=1.0)
    np.testing.assert_allclose(moved[0, 2:] - moved[0, :2], [30, 30])


def test_a_frame_has_the_same_objects_in_every_sea():
    frames = [
        next(sea_frames(roughness, 1, ('boat', 'buoy'), seed=2, width=320, height=180))[0]
        for roughness in (0.03, 0.2)
    ]
    assert len(frames[0].boxes) > 2
    few = min(len(frame.boxes) for frame in frames)
    assert few >= 0.7 * max(len(frame.boxes) for frame in frames)
    (buoys, _) = next(sea_frames(0.03, 1, ('buoy',), seed=2, width=320, height=180))
    assert len(buoys.boxes) == int((frames[0].labels == 1).sum())


def test_perfect_answers_score_full_in_every_sea():
    class Oracle:
        class_names = ('boat', 'buoy')

        def __init__(self):
            frames = (
                pair
                for roughness in (0.03, 0.1, 0.2)
                for pair in sea_frames(roughness, 1, self.class_names)
            )
            self._truth = iter([image for image, _ in frames])

        def answer(self, _):
            from spiking_retina_ros.evaluation.answers import Answer

            image = next(self._truth)
            return Answer(image.boxes, np.ones(len(image.boxes), np.float32), image.labels)

    scores = score_seas(Oracle(), 1, quiet=True)
    assert [score.name for score in scores] == ['sea, calm', 'sea, moderate', 'sea, rough']
    assert all(score.precision.map50 == pytest.approx(1.0) for score in scores)


@pytest.mark.parametrize('kind', ['analog', 'spiking'])
def test_both_kinds_of_file_in_a_table(kind, tmp_path, capsys):
    analog = analog_network()
    model = tmp_path / f'{kind}.safetensors'
    if kind == 'analog':
        save_retinanet(model, analog.config, analog.state_dict())
    else:
        save_network(model, converted(analog).network)
    data = write_set(tmp_path, photographs(2), BOXES)
    output = tmp_path / 'table.json'
    words = ['--data', str(data), '--engine', 'dense', '--steps', '2', '--json', str(output)]
    assert main(['robustness', str(model), *words]) == 0
    values = json.loads(output.read_text())
    assert [item['name'] for item in values['conditions']] == [item.name for item in CONDITIONS]
    assert all(item['images'] == 2 for item in values['conditions'])
    assert 'scale 0.5' in capsys.readouterr().out


def test_another_file_is_refused(tmp_path, capsys):
    other = tmp_path / 'other.safetensors'
    other.write_bytes(b'nothing')
    data = write_set(tmp_path, photographs(2), BOXES)
    assert main(['robustness', str(other), '--data', str(data)]) == 2
    assert 'not a readable safetensors file' in capsys.readouterr().err
