"""What a network that is fine-tuned can learn from which teacher."""

import pytest
import torch

from spiking_retina_ros.conversion.finetune import comparable
from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import build_populations
from spiking_retina_ros.conversion.quantised import QuantisedNetwork
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import build_retinanet

OPTIONS = ConversionOptions.fast(keep_dead_channels=True)


def configuration(backbone):
    return RetinaNetConfig(
        backbone=backbone, pyramid_channels=8, head_depth=1, pyramid_activation='relu6'
    )


def analog(backbone):
    torch.manual_seed(1)
    return build_populations(parse(build_retinanet(configuration(backbone)).eval()), OPTIONS)


@pytest.fixture
def student():
    network = analog('cspnet')
    groups = ScaleGroups(network.topology)
    thresholds = {
        groups.of(item.name): torch.ones(len(network.tensors[f'{item.layer}.bias']))
        for item in network.topology.populations
    }
    quantised = QuantisedNetwork(network, thresholds, configuration('cspnet'), levels=8)
    with torch.no_grad():
        quantised(torch.zeros(1, 3, 64, 96))
    return quantised


def test_all_maps_of_the_network_it_began_as(student):
    assert comparable(student, analog('cspnet')) == set(student.seen)


def test_only_pyramid_and_heads_of_another_backbone(student):
    teacher = analog('efficientnet_lite0')
    asked = comparable(student, teacher)
    assert any('fpn' in name for name in asked)
    assert any('classification_head' in name for name in asked)
    shapes = {}
    run_float(
        teacher, torch.zeros(1, 3, 64, 96), visit=lambda name, x: shapes.update({name: x.shape})
    )
    assert all(student.seen[name].shape == shapes[name] for name in asked)
    # "add" is the pyramid's first addition here and the backbone's first there
    assert 'add' in student.seen
    assert 'add' in shapes
    assert 'add' not in asked
