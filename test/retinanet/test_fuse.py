from __future__ import annotations

import pytest
import torch

from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.fuse import folded_for_training
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.network import build_retinanet


@pytest.mark.parametrize('backbone', ['efficientnet_lite0', 'resnet18'])
def test_folding_changes_neither_outputs_nor_gradients(backbone):
    torch.manual_seed(0)
    config = RetinaNetConfig(backbone=backbone, pyramid_channels=8, head_depth=1)
    network = build_retinanet(config).double()
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    images = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    results = []
    for model in (network, folded_for_training(network)):
        network.zero_grad()
        class_maps, box_maps = model(images)
        sum(level.square().sum() for level in (*class_maps, *box_maps)).backward()
        gradients = {key: value.grad.clone() for key, value in network.named_parameters()}
        results.append(((*class_maps, *box_maps), gradients))
    (outputs, gradients), (folded_outputs, folded_gradients) = results
    torch.testing.assert_close(folded_outputs, outputs)
    torch.testing.assert_close(folded_gradients, gradients)
