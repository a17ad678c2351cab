from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from networks import EveryOperation, calibrated_thresholds, random_images, random_network, stages
from torch import nn

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.conversion.finetuned_file import FineTuned, load_finetuned, save_finetuned
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.retinanet.config import RetinaNetConfig

OPTIONS = ConversionOptions.fast(lower_percentile=0.0, upper_percentile=100.0)


class OneLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        return self.conv(images).relu()


def checkpoint(factor, module=EveryOperation):
    """A fine-tuned network, weights and thresholds times a factor."""
    analog, normalised = stages(random_network(7, module), OPTIONS, random_images(2, (33, 45)))
    thresholds = {
        group: factor * theta.float()
        for group, theta in calibrated_thresholds(analog, normalised).items()
    }
    tensors = {key: factor * value.float() for key, value in analog.tensors.items()}
    network = FloatNetwork(analog.topology, tensors)
    return FineTuned(network, thresholds, RetinaNetConfig(), 8, {'factor': factor})


@pytest.fixture
def average(tmp_path, capsys):
    def call(*parts):
        paths = []
        for number, part in enumerate(parts):
            paths.append(tmp_path / f'part{number}.safetensors')
            save_finetuned(paths[-1], part)
        output = tmp_path / 'mean.safetensors'
        status = main(['average', *map(str, paths), '--output', str(output)])
        return status, capsys.readouterr().err, output

    return call


def test_weights_meet_in_the_middle_and_thresholds_at_their_geometric_mean(average):
    whole = checkpoint(1.0)
    status, _, output = average(whole, checkpoint(4.0))
    assert status == 0
    mean = load_finetuned(output)
    assert mean.levels == 8
    assert mean.notes['average_of']['part1'] == {'factor': 4.0}
    for key, value in whole.network.tensors.items():
        torch.testing.assert_close(mean.network.tensors[key], 2.5 * value.float())
    for key, value in whole.thresholds.items():
        torch.testing.assert_close(mean.thresholds[key], 2.0 * value)


def test_networks_that_did_not_begin_as_one_are_refused(average):
    one = checkpoint(1.0)
    key = next(iter(one.network.tensors))
    shorter = {**one.network.tensors, key: one.network.tensors[key][:1]}
    others = {
        'shapes': replace(one, network=FloatNetwork(one.network.topology, shorter)),
        'layers': checkpoint(1.0, OneLayer),
        'configuration': replace(one, config=RetinaNetConfig(input_size=(64, 64))),
    }
    for what, other in others.items():
        status, printed, output = average(one, other)
        assert status == 2
        assert f'part1: its {what} differ from those of part0' in printed
        assert not output.exists()
    assert average(one)[0] == 2
