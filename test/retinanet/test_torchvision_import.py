"""The import reads exactly torchvision's names and shapes, old and new, and nothing else."""

import math

import pytest
import torch
from safetensors.torch import save_file

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet import torchvision_import
from spiking_retina_ros.retinanet.anchors import base_anchors
from spiking_retina_ros.retinanet.torchvision_import import ANCHOR_SIZES

# Names and shapes as torchvision documents them: per block of a stage, and per part of the rest.
STAGES = {
    'resnet18': [(2, 64), (2, 128), (2, 256), (2, 512)],
    'resnet50': [(3, 64), (4, 128), (6, 256), (3, 512)],
}
NORM = ('weight', 'bias', 'running_mean', 'running_var')


def load_torchvision_retinanet(path, input_size=(96, 128), class_names=None):
    return torchvision_import.load_torchvision_retinanet(
        path, input_size=input_size, class_names=class_names
    )


def norm(prefix, channels):
    return {f'{prefix}.{name}': (channels,) for name in NORM}


def conv(prefix, outputs, inputs, kernel, *, bias=True):
    shapes = {f'{prefix}.weight': (outputs, inputs, kernel, kernel)}
    return {**shapes, f'{prefix}.bias': (outputs,)} if bias else shapes


def body(backbone):
    expansion = 4 if backbone == 'resnet50' else 1
    shapes = conv('conv1', 64, 3, 7, bias=False) | norm('bn1', 64)
    inputs = 64
    for stage, (blocks, width) in enumerate(STAGES[backbone], start=1):
        for block in range(blocks):
            name, outputs = f'layer{stage}.{block}', width * expansion
            kernels = (
                [(inputs, 1), (width, 3), (width, 1)]
                if expansion == 4
                else [(inputs, 3), (width, 3)]
            )
            for index, (channels, kernel) in enumerate(kernels, start=1):
                out = outputs if index == len(kernels) else width
                shapes |= conv(f'{name}.conv{index}', out, channels, kernel, bias=False)
                shapes |= norm(f'{name}.bn{index}', out)
            if block == 0 and (stage > 1 or expansion == 4):
                shapes |= conv(f'{name}.downsample.0', outputs, inputs, 1, bias=False)
                shapes |= norm(f'{name}.downsample.1', outputs)
            inputs = outputs
    return {f'backbone.body.{key}': shape for key, shape in shapes.items()}


def table(backbone, classes, *, channels=256, old_names=False):
    expansion = 4 if backbone == 'resnet50' else 1
    shapes = body(backbone)
    block = '' if old_names else '.0'
    for level, width in enumerate((128, 256, 512)):
        shapes |= conv(f'backbone.fpn.inner_blocks.{level}{block}', channels, width * expansion, 1)
        shapes |= conv(f'backbone.fpn.layer_blocks.{level}{block}', channels, channels, 3)
    for level in ('p6', 'p7'):
        shapes |= conv(f'backbone.fpn.extra_blocks.{level}', channels, channels, 3)
    for head, last, outputs in (
        ('classification_head', 'cls_logits', 9 * classes),
        ('regression_head', 'bbox_reg', 9 * 4),
    ):
        for index in range(4):
            place = f'{2 * index}' if old_names else f'{index}.0'
            shapes |= conv(f'head.{head}.conv.{place}', channels, channels, 3)
        shapes |= conv(f'head.{head}.{last}', outputs, channels, 3)
    return shapes


def random_state(shapes):
    generator = torch.Generator().manual_seed(0)
    return {
        key: torch.rand(shape, generator=generator) * 0.02 + (0.9 if 'running_var' in key else 0)
        for key, shape in shapes.items()
    }


@pytest.mark.parametrize('old_names', [False, True])
def test_resnet18_state_dict_is_read(tmp_path, old_names):
    shapes = table('resnet18', 2, channels=32, old_names=old_names)
    state = random_state(shapes)
    state['backbone.body.bn1.num_batches_tracked'] = torch.tensor(3)
    torch.save(state, tmp_path / 'net.pth')
    network = load_torchvision_retinanet(
        tmp_path / 'net.pth', class_names=('boat', 'buoy'), input_size=(96, 128)
    )
    assert network.config.backbone == 'resnet18'
    assert network.config.batch_norm_eps == (0.0 if old_names else 1e-5)
    logits, boxes = network(torch.zeros(1, 3, 96, 128))
    assert [tuple(item.shape[1:]) for item in logits] == [
        (18, 12, 16), (18, 6, 8), (18, 3, 4), (18, 2, 2), (18, 1, 1),
    ]  # fmt: skip
    assert boxes[0].shape[1] == 36
    found = network.state_dict()['head.regression_head.conv.3.0.weight']
    place = '6' if old_names else '3.0'
    torch.testing.assert_close(found, state[f'head.regression_head.conv.{place}.weight'])


def test_resnet50_with_91_outputs_has_cocos_names(tmp_path):
    state = random_state(table('resnet50', 91, channels=16))
    save_file(state, tmp_path / 'net.safetensors')
    network = load_torchvision_retinanet(tmp_path / 'net.safetensors', input_size=(96, 96))
    assert network.config.class_names[9] == 'boat'
    assert len(network.config.class_names) == 91
    assert set(network.state_dict()) == set(state)


def test_anchors_are_torchvisions():
    assert ANCHOR_SIZES[0] == (32.0, 40.0, 50.0)
    assert ANCHOR_SIZES[4] == (512.0, 645.0, 812.0)
    first = base_anchors(ANCHOR_SIZES[0], (0.5, 1.0, 2.0), rounded=True)[0]
    width, height = 32 / math.sqrt(0.5), 32 * math.sqrt(0.5)
    assert first.tolist() == [
        -round(width / 2),
        -round(height / 2),
        round(width / 2),
        round(height / 2),
    ]


def save(path, state):
    torch.save(state, path)
    return path


def test_what_does_not_fit_is_refused_by_name(tmp_path):
    shapes = table('resnet18', 2, channels=16)
    state = random_state(shapes)
    path = tmp_path / 'net.pth'
    with pytest.raises(UserError, match=r'18 outputs, 2 per anchor, but 91 class names are COCO'):
        load_torchvision_retinanet(save(path, state))
    names = ('boat', 'buoy')
    broken = {**state, 'backbone.body.layer2.0.conv1.weight': torch.zeros(1, 1, 1, 1)}
    with pytest.raises(UserError, match=r'layer2\.0\.conv1\.weight: expected shape'):
        load_torchvision_retinanet(save(path, broken), class_names=names)
    grouped = {**state, 'head.regression_head.conv.0.1.weight': torch.zeros(16)}
    with pytest.raises(UserError, match='group norm'):
        load_torchvision_retinanet(save(path, grouped), class_names=names)
    with pytest.raises(UserError, match=r'extra\.weight is not known'):
        load_torchvision_retinanet(
            save(path, {**state, 'extra.weight': torch.zeros(1)}), class_names=names
        )
    classifier = {'conv1.weight': torch.zeros(64, 3, 7, 7)}
    with pytest.raises(UserError, match=r"torchvision's RetinaNet, but backbone\.body\.conv1"):
        load_torchvision_retinanet(save(path, classifier), class_names=names)
    path.write_bytes(b'not a state dict')
    with pytest.raises(UserError, match='not a readable state dict'):
        load_torchvision_retinanet(path, class_names=names)
