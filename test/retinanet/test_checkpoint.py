from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from spiking_retina_ros import whole_file
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet import checkpoint
from spiking_retina_ros.retinanet.checkpoint import load_retinanet, save_retinanet
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import build_retinanet

CONFIG = RetinaNetConfig(pyramid_channels=8, head_depth=1)


@pytest.fixture(scope='module')
def network():
    torch.manual_seed(0)
    return build_retinanet(CONFIG).eval()


@pytest.fixture
def path(network, tmp_path):
    path = tmp_path / 'weights.safetensors'
    save_retinanet(path, CONFIG, network.state_dict(), notes={'samples': '12'})
    return path


def header_of(network_config=CONFIG, **changes):
    header = {
        'format': checkpoint.FORMAT,
        'format_version': str(checkpoint.FORMAT_VERSION),
        'config': json.dumps(network_config.to_dict()),
        'notes': '{}',
    }
    return {**header, **changes}


def test_comes_back_whole(network, path):
    loaded = load_retinanet(path)
    assert loaded.config == CONFIG
    assert not loaded.training
    for key, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_half_precision_halves_the_file(network, path, tmp_path):
    half = tmp_path / 'half.safetensors'
    save_retinanet(half, CONFIG, network.state_dict(), dtype=torch.float16)
    assert half.stat().st_size < 0.55 * path.stat().st_size
    weight = load_retinanet(half).backbone.body.conv_stem.weight
    assert weight.dtype == torch.float32
    torch.testing.assert_close(weight, network.backbone.body.conv_stem.weight, rtol=1e-3, atol=1e-4)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r'gone\.safetensors: no such'):
        load_retinanet(tmp_path / 'gone.safetensors')


@pytest.mark.parametrize('keep', [0, 4, 2000, -100])
def test_cut_off_file_is_refused(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r'weights\.safetensors: not a readable'):
        load_retinanet(path)


@pytest.mark.parametrize(
    ('header', 'reason'),
    [
        ({}, 'format'),
        (header_of(format='another'), 'another'),
        (header_of(format_version='99'), 'version'),
        (header_of(config='{broken'), 'damaged configuration'),
        (header_of(config='{"backbone": "vgg"}'), 'class_names'),
        (header_of(RetinaNetConfig(backbone='resnet18')), 'another architecture'),
        (header_of(RetinaNetConfig(pyramid_channels=16, head_depth=1)), 'expected shape'),
        (header_of(RetinaNetConfig(pyramid_channels=8, head_depth=0)), 'is not known'),
    ],
)
def test_foreign_headers_are_refused(path, header, reason):
    save_file(load_file(path), path, header)
    with pytest.raises(UserError, match=reason) as caught:
        load_retinanet(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_that_are_no_numbers_are_refused_by_name(network, path, value):
    weights = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    weights['head.regression_head.bbox_reg.bias'][3] = value
    save_retinanet(path, CONFIG, weights)
    with pytest.raises(UserError, match=r'bbox_reg\.bias holds NaN'):
        load_retinanet(path)


def test_failed_writing_leaves_the_last_one_whole(network, path, monkeypatch):
    def full_disk(tensors, aside, header):
        aside.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(whole_file, 'save_file', full_disk)
    with pytest.raises(UserError, match='No space left'):
        save_retinanet(path, CONFIG, network.state_dict())
    assert load_retinanet(path).config == CONFIG
    assert [item.name for item in path.parent.iterdir()] == [path.name]
