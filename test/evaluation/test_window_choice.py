"""The window is the shortest that holds, and what was measured goes along."""

import json

import pytest
import torch
from small_detector import analog_network, converted, photographs, write_set

from spiking_retina_ros.conversion.convert import convert
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions
from spiking_retina_ros.evaluation.results import Scored, WindowScore
from spiking_retina_ros.evaluation.window_choice import choose_window_by_loss, shortest_within
from spiking_retina_ros.spiking.network import Window

QUIET = EvaluationOptions(engine='dense', quiet=True, timing_images=0)


def score(steps, loss):
    return WindowScore(Window(steps, 0), Scored(None, loss, (loss, loss)), 0.1, 1.0, 1.0, None)


def test_a_short_window_that_holds_by_luck_is_not_chosen():
    scores = [score(4, 0.5), score(8, 3.0), score(16, 0.9), score(32, -0.2)]
    assert shortest_within(scores, 1.0).window.steps == 16
    assert shortest_within(scores, 5.0).window.steps == 4
    assert shortest_within(scores, -1.0) is None


@pytest.fixture(scope='module')
def material(tmp_path_factory):
    """A network, its copy and a small set."""
    analog = analog_network()
    pictures = photographs(3)
    boxes = [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 2)], [(10, 10, 40, 40, 1)]]
    path = write_set(tmp_path_factory.mktemp('set'), pictures, boxes)
    images = read_coco(path, analog.config.class_names)
    return converted(analog), analog, pictures, images


def test_the_choice_says_what_was_measured(material):
    conversion, analog, pictures, images = material
    found = choose_window_by_loss(
        conversion, analog, pictures, images, QUIET, max_loss_points=100.0, steps=(4, 8)
    )
    fidelity = json.loads(json.dumps(found.fidelity()))
    assert (fidelity['steps'], fidelity['images']) == (4, 3)
    assert fidelity['transient'] == found.window.transient
    assert found.network.window == found.window
    assert fidelity['per_class'].keys() == {'boat', 'buoy'}
    lost = 100 * (fidelity['analog_map50'] - fidelity['spiking_map50'])
    assert fidelity['loss_points'] == pytest.approx(lost)


def test_no_window_good_enough_is_said_with_the_best(material):
    conversion, analog, pictures, images = material
    with pytest.raises(UserError, match=r'no window of 2 steps loses at most -101 .* at 2 steps'):
        choose_window_by_loss(
            conversion, analog, pictures, images, QUIET, max_loss_points=-101, steps=(2,)
        )


@pytest.mark.parametrize('option', ['calibrate_biases', 'fit_thresholds'])
def test_what_belongs_to_a_window_is_that_of_the_chosen_one(material, option):
    _, analog, pictures, images = material
    options = ConversionOptions.fast(
        signed_spikes='linear', keep_dead_channels=True, **{option: True}
    )
    with pytest.raises(UserError, match='--schedule phased'):
        convert(analog, pictures, options, window=Window(8, 0))
    conversion = convert(analog, pictures, options, window=Window(8, 0, 'phased'))
    found = choose_window_by_loss(
        conversion, analog, pictures, images, QUIET, max_loss_points=100.0, steps=(2, 8)
    )
    assert found.network.window == Window(2, 0, 'phased')
    alone = convert(analog, pictures, options, window=Window(2, 0, 'phased')).network
    for key, value in alone.tensors.items():
        assert torch.equal(found.network.tensors[key], value)
    assert any(
        not torch.equal(value, conversion.network.tensors[key])
        for key, value in alone.tensors.items()
    )
