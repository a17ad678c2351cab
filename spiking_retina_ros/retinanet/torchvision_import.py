"""
Reads the state dict of torchvision's RetinaNet, without torchvision.

``retinanet_resnet50_fpn`` (v1: P6 from P5, no group norm) and the same with a ResNet-18 backbone.
Structure, anchors and input are torchvision's; what the file cannot say (class names, input size)
is given or has torchvision's meaning by default.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import check_weights
from spiking_retina_ros.retinanet.coco_classes import COCO_CLASSES
from spiking_retina_ros.retinanet.config import LEVEL_STRIDES, RetinaNetConfig
from spiking_retina_ros.retinanet.network import RetinaNet

IMAGENET_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
IMAGENET_STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)
ANCHORS_PER_PLACE = 9
# Four times the stride, and a third and two thirds of an octave more, rounded down by torchvision.
ANCHOR_SIZES = tuple(
    tuple(float(int(4 * stride * 2 ** (third / 3))) for third in range(3))
    for stride in LEVEL_STRIDES
)
LOGITS = 'head.classification_head.cls_logits.weight'

# Names in files written before torchvision 0.12 -> names since.
_OLD_NAMES = (
    (re.compile(r'(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)'), r'\1.0.\2'),
    (re.compile(r'(head\.\w+_head\.conv)\.(\d+)\.(weight|bias)'), None),
)


def load_torchvision_retinanet(
    path: Path | str,
    *,
    class_names: Sequence[str] | None = None,
    input_size: tuple[int, int],
    batch_norm_eps: float | None = None,
) -> RetinaNet:
    """
    Return the network of a torchvision state dict (.pth, .pt or .safetensors), for evaluation.

    ``class_names`` has one name per output; without it there must be 91 outputs, COCO's, of which
    'N/A' and '__background__' were never trained to answer. ``input_size`` is (height, width)
    in pixels; torchvision itself resizes every image anew, a spiking network has one size.
    ``batch_norm_eps`` None means 0 for files with the old names, as torchvision's own COCO weights
    want it, and 1e-5 otherwise.

    Raises UserError naming the path and the key or value that does not fit.
    """
    path = Path(path)
    weights = _read(path)
    renamed = {_new_name(key): value for key, value in weights.items()}
    is_old = set(renamed) != set(weights)
    renamed = {k: v.float() for k, v in renamed.items() if not k.endswith('num_batches_tracked')}
    if batch_norm_eps is None:
        batch_norm_eps = 0.0 if is_old else 1e-5
    config = _config(path, renamed, class_names, input_size, batch_norm_eps)
    network = RetinaNet(config)
    check_weights(path, network.state_dict(), renamed)
    network.load_state_dict(renamed)
    return network.eval()


def is_torchvision_file(path: Path | str) -> bool:
    """Return whether a checkpoint is a bare state dict rather than a checkpoint of ours."""
    path = Path(path)
    if path.suffix != '.safetensors' or not path.is_file():
        return path.suffix in ('.pth', '.pt')
    try:
        with safe_open(path, framework='pt') as file:
            return 'format' not in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False  # whoever loads it says what is wrong with it


def _config(
    path: Path,
    weights: dict[str, Tensor],
    class_names: Sequence[str] | None,
    input_size: tuple[int, int],
    batch_norm_eps: float,
) -> RetinaNetConfig:
    if any(re.match(r'head\.\w+_head\.conv\.\d+\.1\.', key) for key in weights):
        raise UserError(
            f'{path}: the heads have group norm (retinanet_resnet50_fpn_v2), whose statistics '
            'depend on the image, so it is not converted; use the v1 network'
        )
    needed = ('backbone.body.conv1.weight', 'backbone.fpn.inner_blocks.0.0.weight', LOGITS)
    for key in needed:
        if key not in weights:
            raise UserError(f"{path}: expected torchvision's RetinaNet, but {key} is missing")
    outputs = weights[LOGITS].shape[0]
    classes = outputs // ANCHORS_PER_PLACE
    names = COCO_CLASSES if class_names is None else tuple(class_names)
    if outputs % ANCHORS_PER_PLACE or classes != len(names):
        given = "COCO's" if class_names is None else 'given'
        raise UserError(
            f'{path}: {LOGITS} has {outputs} outputs, {classes} per anchor, but {len(names)} class '
            f'names are {given}; give one name per output with --class-names'
        )
    towers = [re.match(r'head\.classification_head\.conv\.(\d+)\.0\.weight', k) for k in weights]
    is_deep = 'backbone.body.layer1.0.conv3.weight' in weights
    return RetinaNetConfig(
        backbone='resnet50' if is_deep else 'resnet18',
        class_names=names,
        input_size=input_size,
        pyramid_channels=weights['backbone.fpn.inner_blocks.0.0.weight'].shape[0],
        head_depth=sum(match is not None for match in towers),
        anchor_sizes=ANCHOR_SIZES,
        torchvision_anchors=True,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        batch_norm_eps=batch_norm_eps,
    )


def _new_name(key: str) -> str:
    """Return today's name of a parameter; the old heads were flat lists conv, ReLU, conv, ..."""
    for pattern, replacement in _OLD_NAMES:
        match = pattern.fullmatch(key)
        if match is None:
            continue
        if replacement is not None:
            return match.expand(replacement)
        return f'{match[1]}.{int(match[2]) // 2}.0.{match[3]}'
    return key


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f'{path}: no such file')
    try:
        if path.suffix == '.safetensors':
            return load_file(path)
        # weights_only: tensors and nothing else; no code of the file is ever run
        content = torch.load(path, map_location='cpu', weights_only=True)
    except (OSError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise UserError(f'{path}: not a readable state dict: {error}') from error
    is_state = isinstance(content, dict) and all(isinstance(v, Tensor) for v in content.values())
    if not is_state:
        raise UserError(f'{path}: expected a state dict (names to tensors)')
    return dict(content)
