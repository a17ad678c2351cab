"""One pass, one simulation, every figure."""

import json
from dataclasses import replace

import pytest
from small_detector import analog_network, converted, photographs, with_hash, write_set

from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation import bench
from spiking_retina_ros.evaluation.bench import Subject
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions, evaluate_models
from spiking_retina_ros.evaluation.export import evaluation_dict, write_json
from spiking_retina_ros.spiking.network import Window

WINDOWS = (Window(4, 0), Window(8, 2), Window(16, 4))
BOXES = [[(20, 30, 40, 20, 1)], [(20, 30, 40, 20, 1), (3, 3, 20, 20, 1)], []]


@pytest.fixture(scope='module')
def networks():
    analog = analog_network()
    return analog, with_hash(converted(analog).network)


@pytest.fixture(scope='module')
def coco_set(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp('set'), photographs(3), BOXES)


def evaluate(networks, path, windows=WINDOWS, **options):
    analog, network = networks
    images = read_coco(path, analog.config.class_names)
    settings = EvaluationOptions(**{'engine': 'dense', 'quiet': True, **options})
    return evaluate_models(analog, [Subject('small', network, windows)], images, settings)


def test_json_has_the_documented_keys(networks, coco_set, tmp_path):
    evaluation = evaluate(networks, coco_set, timing_images=1)
    write_json(tmp_path / 'evaluation.json', evaluation_dict(evaluation))
    values = json.loads((tmp_path / 'evaluation.json').read_text())
    assert values['images'] == 3
    assert 0 <= values['analog']['map50'] <= 1
    assert 0 <= values['analog']['map'] <= values['analog']['map50']
    assert values['normalized']['map50'] is not None
    assert values['quantized']['loss_points'] is not None
    assert [entry['steps'] for entry in values['spiking']] == [4, 8, 16]
    for entry in values['spiking']:
        assert {'map50', 'map', 'loss_points', 'rate'} <= entry.keys()
        assert entry['transient'] < entry['steps']
        low, high = entry['loss_interval']
        assert low <= high
        assert entry['ms_per_frame'] > 0
        neurons = values['models'][0]['neurons']
        assert entry['spikes_per_frame'] == pytest.approx(entry['rate'] * entry['steps'] * neurons)
        assert entry['synaptic_operations_per_frame'] > entry['spikes_per_frame']
        assert entry['per_class'].keys() == {'boat', 'buoy'}
        assert entry['per_class']['buoy']['ap50'] is None  # the set has no buoy
        assert entry['per_class']['boat']['recall'] is not None


def test_one_simulation_read_three_times_equals_three_simulations(networks, coco_set):
    together = evaluate(networks, coco_set, timing_images=0).subjects[0].windows
    for index, window in enumerate(WINDOWS):
        (alone,) = evaluate(networks, coco_set, (window,), timing_images=0).subjects[0].windows
        assert json.dumps(repr(alone)) == json.dumps(repr(together[index]))


def test_an_interrupted_run_goes_on_and_simulates_only_what_is_missing(
    networks, coco_set, tmp_path, monkeypatch
):
    simulated = []
    original = bench.spiking_answers

    def counting(detector, image, windows):
        simulated.append(list(windows))
        if len(simulated) == 3:
            raise KeyboardInterrupt
        return original(detector, image, windows)

    monkeypatch.setattr(bench, 'spiking_answers', counting)
    options = {'cache': tmp_path / 'cache', 'timing_images': 0}
    with pytest.raises(KeyboardInterrupt):
        evaluate(networks, coco_set, WINDOWS[:1], **options)
    resumed = evaluate(networks, coco_set, WINDOWS[:2], **options)
    # two images had their first window, the third had nothing
    assert simulated[3:] == [[WINDOWS[1]], [WINDOWS[1]], list(WINDOWS[:2])]
    monkeypatch.undo()
    fresh = evaluate(networks, coco_set, WINDOWS[:2], timing_images=0)
    assert repr(resumed) == repr(fresh)


def test_a_schedule_never_gets_the_answers_of_the_other(networks, coco_set, tmp_path):
    analog, network = networks
    options = {'cache': tmp_path / 'cache', 'timing_images': 0}
    evaluate(networks, coco_set, (Window(4, 0),), **options)
    phased = (analog, replace(network, window=Window(4, 0, 'phased')))
    found = evaluate(phased, coco_set, (Window(4, 0, 'phased'),), **options)
    fresh = evaluate(phased, coco_set, (Window(4, 0, 'phased'),), timing_images=0)
    assert repr(found) == repr(fresh)


def test_a_set_without_the_classes_is_refused(networks, tmp_path):
    path = write_set(tmp_path, photographs(1), [[(1, 1, 9, 9, 1)]], categories=('dog', 'cat'))
    with pytest.raises(UserError, match=r"none of the classes \['boat', 'buoy'\]"):
        evaluate(networks, path)


def test_a_model_of_other_weights_is_refused(networks, coco_set):
    _, network = networks
    with pytest.raises(UserError, match='converted from other weights'):
        evaluate((analog_network(seed=1), network), coco_set)
