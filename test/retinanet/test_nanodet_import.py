from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.layers import FadingReLU, fade_leaks
from spiking_retina_ros.retinanet.nanodet_import import GAIN, MEAN_BGR, STD_BGR, load_coco_backbone
from spiking_retina_ros.retinanet.network import build_retinanet

CONFIG = RetinaNetConfig(backbone='cspnet', pyramid_channels=8, head_depth=1)


def random_convolutions(body):
    """Return weights (O, I, 3, 3) and biases that keep maps at one size, one pair per layer."""
    random = np.random.default_rng(3)
    pairs = []
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            spread = np.sqrt(2 / module.weight[0].numel())
            weight = random.normal(0, spread, module.weight.shape).astype(np.float16)
            bias = random.normal(0, 0.1, module.out_channels).astype(np.float16)
            pairs.append((weight, bias))
    return pairs


def write_graph_model(folder, pairs):
    """Write what the TensorFlow.js converter makes of convolutions, stored as float16."""
    nodes, weights, data = [{'name': 'input', 'op': 'Placeholder'}], [], b''
    for number, (weight, bias) in enumerate(pairs):
        name = 'model/convolution' + (f'_{number}' if number else '')
        nodes.append({'name': name, 'op': 'Conv2D', 'input': ['before', f'w{number}']})
        nodes.append({'name': f'Add_{number}', 'op': 'Add', 'input': [name, f'b{number}']})
        for key, value in ((f'w{number}', weight.transpose(2, 3, 1, 0)), (f'b{number}', bias)):
            stored = {'dtype': 'float16', 'original_dtype': 'float32'}
            entry = {'name': key, 'shape': list(value.shape), 'dtype': 'float32'}
            weights.append({**entry, 'quantization': stored})
            data += np.ascontiguousarray(value).tobytes()
    nodes[1:] = nodes[:0:-1]  # a graph's nodes come in any order
    (folder / 'nanodet.bin').write_bytes(data)
    path = folder / 'nanodet.json'
    manifest = [{'paths': ['nanodet.bin'], 'weights': weights}]
    path.write_text(json.dumps({'modelTopology': {'node': nodes}, 'weightsManifest': manifest}))
    return path


def stem_in_bgr(pairs, images):
    """Return the first layer of theirs on pixels (N, 3, H, W), RGB in 0..255."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN_BGR, STD_BGR))
    weight, bias = (torch.from_numpy(value.astype(np.float32)) for value in pairs[0])
    convolved = functional.conv2d((images.flip(1) - mean) / std, weight, bias, 2, 1)
    return functional.leaky_relu(convolved, 0.1)


def test_the_same_maps_from_pixels_in_our_order_and_scale(tmp_path):
    network = build_retinanet(CONFIG).eval()
    body = network.backbone.body
    pairs = random_convolutions(body)
    load_coco_backbone(network, write_graph_model(tmp_path, pairs))
    fade_leaks(network, 0.1)
    images = 255 * torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = body.stem((images - 127) / 128)
        torch.testing.assert_close(
            found[..., 1:, 1:], GAIN * stem_in_bgr(pairs, images)[..., 1:, 1:], rtol=1e-3, atol=1e-2
        )
    last = body.layer4.leave.conv
    assert torch.equal(last.weight, torch.from_numpy(pairs[-1][0].astype(np.float32)))
    torch.testing.assert_close(last.bias, GAIN * torch.from_numpy(pairs[-1][1].astype(np.float32)))


def test_gain_leaves_the_function_as_it_was(tmp_path):
    network = build_retinanet(CONFIG).eval()
    body = network.backbone.body
    load_coco_backbone(network, write_graph_model(tmp_path, random_convolutions(body)))
    fade_leaks(network, 0.1)
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = body(images)
        for number, module in enumerate(m for m in body.modules() if isinstance(m, nn.Conv2d)):
            module.bias.data /= GAIN
            if number == 0:
                module.weight.data /= GAIN
        for ours, theirs in zip(body(images), expected, strict=True):
            torch.testing.assert_close(GAIN * ours, theirs, rtol=1e-3, atol=1e-3)


def test_leaks_fade_to_plain_relus():
    network = build_retinanet(CONFIG)
    fade_leaks(network, 0.1)
    activations = [module for module in network.modules() if isinstance(module, FadingReLU)]
    assert [module(torch.tensor(-1.0)).item() for module in activations] == pytest.approx(
        [-0.1] * 25
    )
    fade_leaks(network, 0.0)
    assert all(module(torch.tensor(-1.0)).item() == 0 for module in activations)
    assert not FadingReLU().leak  # a network that is loaded has none


def test_refusals_name_what_is_wrong(tmp_path):
    network = build_retinanet(CONFIG)
    with pytest.raises(UserError, match=r'absent\.json: cannot be read'):
        load_coco_backbone(network, tmp_path / 'absent.json')
    (tmp_path / 'other.json').write_text('{}')
    with pytest.raises(UserError, match=r'other\.json: expected a TensorFlow\.js graph model'):
        load_coco_backbone(network, tmp_path / 'other.json')
    pairs = random_convolutions(network.backbone.body)
    few = write_graph_model(tmp_path, pairs[:-1])
    with pytest.raises(UserError, match='expected at least 25 convolutions, found 24'):
        load_coco_backbone(network, few)
    wrong = write_graph_model(tmp_path, [*pairs[:2], pairs[5], *pairs[3:]])
    with pytest.raises(UserError, match=r'convolution 2: expected .* \(16, 32, 3, 3\)'):
        load_coco_backbone(network, wrong)
    with pytest.raises(UserError, match='resnet18'):
        load_coco_backbone(build_retinanet(RetinaNetConfig(backbone='resnet18')), few)
