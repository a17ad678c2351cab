from __future__ import annotations

import dataclasses
import json

import pytest

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig


def test_survives_json():
    config = RetinaNetConfig(
        backbone='resnet18',
        class_names=('boat', 'buoy', 'pier'),
        input_size=(192, 256),
        anchor_sizes=((8.0,), (16.0,), (32.0,), (64.0,), (128.0,)),
        torchvision_anchors=True,
        batch_norm_eps=0.0,
    )
    assert RetinaNetConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.anchors_per_place == 3
    assert config.classes == 3


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        ({'backbone': 'vgg16'}, 'backbone'),
        ({'pyramid_activation': 'swish'}, 'pyramid_activation'),
        ({'head_activation': 'none'}, 'head_activation'),
        ({'class_names': []}, 'class_names'),
        ({'input_size': [288]}, 'input_size'),
        ({'anchor_sizes': [[8.0], [16.0]]}, 'anchor_sizes'),
        ({'anchor_sizes': [[8.0], [16.0], [32.0], [64.0], [128.0, 160.0]]}, 'anchor_sizes'),
        ({'anchor_ratios': [0.5, -1.0]}, 'anchor_ratios'),
        ({'std': [128.0, 0.0, 128.0]}, 'std'),
        ({'mean': [127.0, float('nan'), 127.0]}, 'mean'),
        ({'pyramid_chanels': 64}, 'pyramid_chanels'),
        ({'pyramid_channels': 'many'}, 'type'),
        ({'expansion_channels': [32, 96]}, 'expansion_channels'),
        ({'expansion_channels': [0] * 16}, 'expansion_channels'),
        ({'expansion_channels': [32] * 16, 'backbone': 'resnet18'}, 'expansion_channels'),
    ],
)
def test_refuses_and_names(change, named):
    with pytest.raises(UserError, match=named):
        RetinaNetConfig.from_dict({**RetinaNetConfig().to_dict(), **change})


@pytest.mark.parametrize('key', ['backbone', 'class_names'])
def test_refuses_to_guess(key):
    values = RetinaNetConfig().to_dict()
    del values[key]
    with pytest.raises(UserError, match=key):
        RetinaNetConfig.from_dict(values)


def test_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RetinaNetConfig().backbone = 'resnet18'  # type: ignore[misc]
