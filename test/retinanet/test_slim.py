from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import load_retinanet, save_retinanet
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.efficientnet import expansion_widths
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.network import build_retinanet
from spiking_retina_ros.retinanet.preprocess import preprocess
from spiking_retina_ros.retinanet.slim import slim

CONFIG = RetinaNetConfig(pyramid_channels=8, head_depth=1, input_size=(64, 96))


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = build_retinanet(CONFIG).eval()
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0.5, 0.3)
            module.running_mean.normal_(0, 0.1)
    return network


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (64, 96, 3), dtype=np.uint8) for _ in range(6)]


def make_second_half_a_copy(network, block):
    """Let the upper half of a block's inner channels do what the lower half does."""
    body = network.backbone.body
    part = body.blocks[block]
    first = (body.conv_stem, body.bn0) if block == 0 else (part.expand_conv, part.bn0)
    for module in (*first, part.depthwise_conv, part.bn1):
        for tensor in (*module.parameters(), *module.buffers()):
            half = len(tensor) // 2
            tensor.data[half:] = tensor.data[:half]


def test_superfluous_channels_go_without_a_trace(network, images):
    for block in (0, 1, 2):
        make_second_half_a_copy(network, block)
    slimmed, reports = slim(network, images, {0: 16, 1: 48, 2: 72})
    assert slimmed.config.expansion_channels == (16, 48, 72, *expansion_widths()[3:])
    assert [(item.block, item.before, item.after) for item in reports] == [
        (0, 32, 16),
        (1, 96, 48),
        (2, 144, 72),
    ]
    assert max(item.error for item in reports) < 1e-4
    inputs = preprocess(images[0], CONFIG)[0]
    with torch.inference_mode():
        for new, old in zip(slimmed(inputs)[0], network(inputs)[0], strict=True):
            torch.testing.assert_close(new, old, rtol=0.02, atol=0.02 * float(old.std()))


@pytest.mark.parametrize(('block', 'width'), [(0, 16), (2, 6)])
def test_the_error_is_that_of_the_block(network, images, block, width):
    """Block 2 has a shortcut, block 0 has the stem for its expansion."""
    slimmed, reports = slim(network, images, {block: width})
    seen = {}
    with torch.inference_mode():
        for name, item in (('old', network), ('new', slimmed)):
            part = item.backbone.body.blocks[block]
            seen[name] = []
            handle = part.bn2.register_forward_hook(
                lambda _, __, output, found=seen[name]: found.append(output)
            )
            for image in images:
                item(preprocess(image, CONFIG)[0])
            handle.remove()
    old, new = (torch.cat(seen[name]) for name in ('old', 'new'))
    lost = float((new - old).square().sum())
    total = float((old - old.mean((0, 2, 3), keepdim=True)).square().sum())
    assert 0.001 < reports[0].error < 0.9
    assert reports[0].error == pytest.approx(lost / total, rel=0.01)


def test_comes_back_from_a_file_and_can_be_slimmed_again(network, images, tmp_path):
    slimmed, _ = slim(network, images[:2], {1: 64})
    path = tmp_path / 'slim.safetensors'
    save_retinanet(path, slimmed.config, slimmed.state_dict())
    loaded = load_retinanet(path)
    again, reports = slim(loaded, images[:2], {1: 32, 3: 96})
    assert again.config.expansion_channels[:4] == (32, 32, 144, 96)
    assert [item.before for item in reports] == [64, 144]


def test_what_cannot_be_slimmed_is_refused(network, images):
    with pytest.raises(UserError, match=r'block 1: expected 1 to 96 channels, found 97'):
        slim(network, images, {1: 97})
    with pytest.raises(UserError, match=r'expected blocks 0 to 15, found 16'):
        slim(network, images, {16: 8})
    with pytest.raises(UserError, match='at least one image'):
        slim(network, [], {1: 8})
    resnet = build_retinanet(dataclasses.replace(CONFIG, backbone='resnet18')).eval()
    with pytest.raises(UserError, match='found resnet18'):
        slim(resnet, images, {1: 8})
