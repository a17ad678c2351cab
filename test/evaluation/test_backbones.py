"""The table of backbones: from checkpoints of two kinds to figures."""

import json
import math

import pytest
import torch
from small_detector import CONFIG, analog_network, converted, photographs, write_set

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.evaluation.backbones import activation_sparsity
from spiking_retina_ros.evaluation.observation import spiking_populations
from spiking_retina_ros.retinanet.checkpoint import save_retinanet
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import build_retinanet

BOXES = [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 1)]]


def test_two_backbones_in_one_table(tmp_path, capsys):
    torch.manual_seed(0)
    first = analog_network()
    config = RetinaNetConfig(**{**vars(CONFIG), 'backbone': 'efficientnet_lite0'})
    second = build_retinanet(config)
    for name, network in (('resnet', first), ('lite', second)):
        save_retinanet(tmp_path / f'{name}.safetensors', network.config, network.state_dict())
    data = write_set(tmp_path, photographs(2), BOXES)
    output = tmp_path / 'table.json'
    checkpoints = [str(tmp_path / f'{name}.safetensors') for name in ('resnet', 'lite')]
    options = ['--engine', 'dense', '--steps', '4', '--rounds', '1', '--no-cache']
    words = ['--data', str(data), '--images', str(data), *options, '--json', str(output)]
    assert main(['backbones', *checkpoints, *words]) == 0
    values = json.loads(output.read_text())
    assert [row['backbone'] for row in values['backbones']] == ['resnet18', 'efficientnet_lite0']
    for row, network in zip(values['backbones'], (first, second), strict=True):
        assert row['parameters'] == sum(item.numel() for item in network.parameters())
        assert 0 < row['sparsity'] < 1
        assert row['analog_ms'] > 0 < row['spiking_ms']
        lost = row['analog']['precision']['map50'] - row['spiking']['precision']['map50']
        assert abs(100 * lost - row['spiking']['loss_points']) < 1e-6
    assert 'resnet (resnet18)' in capsys.readouterr().out


def test_sparsity_counts_zeros_of_what_spikes():
    network = analog_network()
    conversion = converted(network)
    assert 0.1 < activation_sparsity(network, conversion, photographs(2)) < 0.9
    # Where every current is -1 the neurons of ReLUs are silent, and no others are.
    for name, tensor in conversion.analog.tensors.items():
        tensor.fill_(-1.0 if name.endswith('bias') else 0.0)
    shapes = conversion.analog.shapes(network.config.input_size)
    neurons = {'relu': 0, 'linear': 0}
    for item in spiking_populations(conversion.network):
        neurons[item.activation] += math.prod(shapes[item.name])
    share = activation_sparsity(network, conversion, photographs(2))
    assert share == pytest.approx(neurons['relu'] / sum(neurons.values()), abs=1e-9)
    assert share < 1
