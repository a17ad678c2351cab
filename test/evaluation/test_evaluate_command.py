"""The command from files to table and json."""

import json

import pytest
from small_detector import analog_network, converted, photographs, write_set

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.arguments.evaluation import model_names, step_list
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import save_retinanet
from spiking_retina_ros.spiking.model_file import save_network

BOXES = [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 1)]]


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A checkpoint, two model files made from it, and a set without any buoy."""
    folder = tmp_path_factory.mktemp('files')
    analog = analog_network()
    save_retinanet(folder / 'analog.safetensors', analog.config, analog.state_dict())
    for preset in ('paper', 'fast'):
        save_network(folder / f'{preset}.safetensors', converted(analog, preset).network)
    return folder, write_set(folder, photographs(2), BOXES)


def words(files, *more):
    folder, data = files
    common = ['--checkpoint', str(folder / 'analog.safetensors'), '--data', str(data)]
    options = ['--engine', 'dense', '--no-cache', '--timing-images', '0']
    return [*common, *options, *more]


def test_two_models_in_one_table_and_one_json(files, tmp_path, capsys, monkeypatch):
    folder, _ = files
    monkeypatch.setenv('COLUMNS', '200')
    models = [str(folder / f'{name}.safetensors') for name in ('paper', 'fast')]
    output = tmp_path / 'table.json'
    more = ['--steps', '8,4', '--json', str(output)]
    assert main(['evaluate', *models, *words(files, *more)]) == 0
    values = json.loads(output.read_text())
    found = [(entry['model'], entry['steps'], entry['transient']) for entry in values['spiking']]
    assert found == [('paper', 4, 1), ('paper', 8, 2), ('fast', 4, 1), ('fast', 8, 2)]
    assert [model['options']['normalisation'] for model in values['models']] == ['paper', 'fast']
    assert values['normalized'] == values['models'][0]['normalized']
    assert values['spiking'][0]['ms_per_frame'] is None
    printed = capsys.readouterr().out
    assert 'set.json: 2 images' in printed
    assert '- / -' in printed  # AP and recall of a class without objects
    assert 'Loss against the analog network' in printed


def test_an_image_left_out_takes_its_objects_along(files, capsys):
    folder, _ = files
    model = str(folder / 'fast.safetensors')
    names = [image.path.name for image in read_coco(files[1], ('boat', 'buoy')).images]
    more = ['--leave-out', names[0], '--steps', '2']
    assert main(['evaluate', model, *words(files, *more)]) == 0
    assert 'set.json: 1 images' in capsys.readouterr().out


def test_a_limit_is_stated(files, capsys):
    folder, _ = files
    model = str(folder / 'fast.safetensors')
    assert main(['evaluate', model, *words(files, '--limit', '1', '--steps', '2')]) == 0
    assert '1 of 2 images' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (['--steps', '4,8', '--transient', '4'], 'transient of 0 to 3 steps for a window of 4'),
        (['--limit', '0'], 'limit of at least 1 image'),
        (['--engine', 'abacus'], "unknown engine 'abacus'"),
    ],
)
def test_mistakes_are_one_line(files, capsys, more, message):
    folder, _ = files
    assert main(['evaluate', str(folder / 'fast.safetensors'), *words(files, *more)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert 'Traceback' not in error


def test_steps_are_sorted_and_names_stay_apart(tmp_path):
    assert step_list('32,8,8,16') == [8, 16, 32]
    first, second = tmp_path / 'a' / 'net.safetensors', tmp_path / 'b' / 'net.safetensors'
    assert model_names([first, second]) == [str(first), str(second)]
    assert model_names([first]) == ['net']
    with pytest.raises(UserError, match='the same one twice'):
        model_names([first, first])
