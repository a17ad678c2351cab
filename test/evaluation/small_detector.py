"""A tiny RetinaNet, its conversion, and a COCO set it sees something in."""

import json
from dataclasses import replace

import cv2
import numpy as np
import torch

from spiking_retina_ros.conversion.convert import convert
from spiking_retina_ros.conversion.finetune import prepare
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.network import build_retinanet
from spiking_retina_ros.spiking.network import Window

SIZE = (48, 64)
CONFIG = RetinaNetConfig(
    backbone='resnet18',
    pyramid_channels=8,
    head_depth=1,
    input_size=SIZE,
    class_names=('boat', 'buoy'),
)


def analog_network(seed=0):
    """Random weights, with logits spread around the score threshold of an evaluation."""
    torch.manual_seed(seed)
    network = build_retinanet(CONFIG).eval()
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
    return network


def photographs(count, seed=0):
    """Smooth BGR pictures with a few edges."""
    generator = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        coarse = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (96, 72), interpolation=cv2.INTER_CUBIC)
        cv2.rectangle(picture, (20, 30), (60, 50), (20, 20, 200), -1)
        pictures.append(picture)
    return pictures


def converted(network, preset='fast', **changes):
    """The conversion of a network, calibrated on a few pictures."""
    options = ConversionOptions.preset(preset, keep_dead_channels=True, **changes)
    return convert(network, photographs(4, seed=9), options, window=Window(8, 2))


def finetuned(network):
    """A checkpoint as fine-tuning writes it, with weights that moved a little."""
    trainable = prepare(converted(network), CONFIG, 8)
    with torch.no_grad():
        for key, value in trainable.parameters_by_key.items():
            if value.requires_grad and key.endswith('weight'):
                value *= 1.3
    return FineTuned(trainable.float_network(), trainable.thresholds(), CONFIG, 8, {})


def write_set(folder, pictures, boxes, *, categories=('boat', 'buoy')):
    """Write a COCO set; ``boxes[k]`` are (x, y, width, height, category id) of the k-th picture."""
    images, annotations = [], []
    for number, picture in enumerate(pictures, start=1):
        cv2.imwrite(str(folder / f'{number}.png'), picture)
        height, width = picture.shape[:2]
        images.append(
            {'id': number, 'file_name': f'{number}.png', 'width': width, 'height': height}
        )
        for box in boxes[number - 1]:
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': number,
                    'bbox': list(box[:4]),
                    'category_id': box[4],
                    'area': box[2] * box[3],
                    'iscrowd': 0,
                }
            )
    names = [{'id': number, 'name': name} for number, name in enumerate(categories, start=1)]
    path = folder / 'set.json'
    path.write_text(json.dumps({'images': images, 'annotations': annotations, 'categories': names}))
    return path


def with_hash(network, value='0' * 64):
    """The network as if it had been in a file."""
    return replace(network, provenance={**network.provenance, 'hash': value})
