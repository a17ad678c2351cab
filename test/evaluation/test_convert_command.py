"""The command's window: chosen by the data, for fine-tuned checkpoints as well, or refused."""

import pytest
from small_detector import analog_network, finetuned, photographs, write_set

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.conversion.finetuned_file import save_finetuned
from spiking_retina_ros.detector import SpikingDetector
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.evaluation.transient import recommend_window
from spiking_retina_ros.retinanet.checkpoint import load_retinanet, save_retinanet
from spiking_retina_ros.spiking.model_file import load_network


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Analog and fine-tuned checkpoint, and a set with boxes."""
    folder = tmp_path_factory.mktemp('files')
    analog = analog_network()
    save_retinanet(folder / 'analog.safetensors', analog.config, analog.state_dict())
    save_finetuned(folder / 'finetuned.safetensors', finetuned(analog))
    write_set(folder, photographs(2), [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 2)]])
    return folder


def convert(folder, checkpoint, output, *more):
    words = [str(folder / f'{checkpoint}.safetensors'), str(output), *more]
    return main(['convert', *words, '--no-cache', '--schedule', 'phased'])


def test_the_data_choose_the_window_of_a_fine_tuned_network(files, tmp_path):
    output = tmp_path / 'spiking.safetensors'
    more = ['--images', str(files / 'set.json'), '--analog', str(files / 'analog.safetensors')]
    assert convert(files, 'finetuned', output, *more, '--max-loss-points', '100') == 0
    network = load_network(output)
    fidelity = network.provenance['fidelity']
    assert (fidelity['steps'], fidelity['transient']) == (network.window.steps, 0) == (2, 0)
    assert fidelity['images'] == 2
    assert fidelity['per_class'].keys() == {'boat', 'buoy'}
    assert {'analog_map50', 'spiking_map50', 'loss_points', 'loss_interval'} <= fidelity.keys()
    # what the node starts with unless it is told otherwise
    assert SpikingDetector(network, engine='dense').window == network.window


def test_a_fine_tuned_network_at_another_size(files, tmp_path):
    output = tmp_path / 'spiking.safetensors'
    assert convert(files, 'finetuned', output, '--input-size', '96', '80') == 0
    network = load_network(output)
    assert network.preprocessing.input_size == (80, 96)
    words = ['evaluate', str(output), '--data', str(files / 'set.json'), '--no-cache']
    words += ['--checkpoint', str(files / 'analog.safetensors'), '--engine', 'dense']
    assert main([*words, '--finetuned', str(files / 'finetuned.safetensors')]) == 0


def test_the_transient_is_the_one_with_the_least_error(files, tmp_path):
    output = tmp_path / 'spiking.safetensors'
    path, data = str(files / 'analog.safetensors'), str(files / 'set.json')
    words = ['convert', path, str(output), '--images', data, '--normalisation', 'paper']
    words += ['--keep-dead-channels', '--no-cache', '--steps', '64', '--measure-transient']
    assert main(words) == 0
    network = load_network(output)
    analog = load_retinanet(path)
    search = recommend_window(
        rebuild_stages(analog, network, name='it'), photographs(2), steps=64, engine='dense'
    )
    assert network.window == search.window
    assert network.window.transient > 0


@pytest.mark.parametrize(
    ('checkpoint', 'more', 'message'),
    [
        ('finetuned', ['--max-loss-points', '1', '--images', 'SET'], 'give its checkpoint with'),
        ('analog', ['--max-loss-points', '1', '--images', '1.png'], 'a COCO json'),
        ('analog', ['--max-loss-points', '1', '--steps', '8'], 'give one or the other'),
        ('analog', ['--analog', 'SET', '--images', 'SET'], 'which this one is not'),
        ('analog', ['--steps', '8'], 'give --images'),
        ('finetuned', ['--upper-percentile', '99'], 'leave out --upper-percentile'),
        ('finetuned', ['--calibrate-biases'], 'leave --fit-thresholds and'),
        ('finetuned', ['--readout', 'spikes'], 'it was trained for'),
        ('finetuned', ['--measure-transient'], 'give a fine-tuned one --transient'),
        ('analog', ['--measure-transient', '--transient', '3'], 'leave out --transient'),
        (
            'analog',
            ['--calibrate-biases', '--images', 'SET', '--schedule', 'concurrent'],
            'use --schedule phased',
        ),
        (
            'analog',
            ['--normalisation', 'paper', '--steps', '1', '--images', 'SET', '--keep-dead-channels'],
            'too short for this network: its layers take about',
        ),
    ],
)
def test_contradictions_are_refused_with_what_to_do(
    files, tmp_path, capsys, checkpoint, more, message
):
    words = [str(files / 'set.json') if word == 'SET' else word for word in more]
    model = tmp_path / 'model.safetensors'
    path = str(files / f'{checkpoint}.safetensors')
    assert main(['convert', path, str(model), *words, '--no-cache']) == 2
    assert message in capsys.readouterr().err
    assert not model.exists()
