"""
RetinaNet (Lin et al. 2017): backbone, feature pyramid and two shared heads.

`RetinaNet.forward` only calls modules and adds tensors, so that torch.fx can trace it and the
conversion sees every operation.
"""

from __future__ import annotations

import math

from torch import Tensor, fx, nn

from spiking_retina_ros.retinanet import efficientnet, resnet
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.cspnet import CspNet
from spiking_retina_ros.retinanet.efficientnet import EfficientNetLite0
from spiking_retina_ros.retinanet.heads import Head
from spiking_retina_ros.retinanet.layers import LEAF_MODULES
from spiking_retina_ros.retinanet.pyramid import FeaturePyramid
from spiking_retina_ros.retinanet.resnet import ResNet

# The share of anchors expected to hold an object before anything is learnt (focal loss paper).
PRIOR = 0.01


class Backbone(nn.Module):
    """The body (a classifier without its end) and the pyramid on top of it."""

    def __init__(self, config: RetinaNetConfig) -> None:
        super().__init__()
        self.body = _build_body(config)
        self.fpn = FeaturePyramid(
            self.body.out_channels, config.pyramid_channels, config.pyramid_activation
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return (P3, ..., P7)."""
        return self.fpn(self.body(images))


class RetinaNet(nn.Module):
    """
    The analog detector, from a preprocessed image to raw output maps.

    ``config`` says how it was built. Parameter names are torchvision's.
    """

    def __init__(self, config: RetinaNetConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)
        self.head = Head(
            config.pyramid_channels,
            config.anchors_per_place,
            config.classes,
            config.head_depth,
            config.head_activation,
        )

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """
        Map images to raw outputs.

        ``images`` is float32 (N, 3, H, W), RGB, ``(rgb - mean) / std``. Returns two tuples over
        the levels P3..P7: class logits (N, A * K, h, w), channel a * K + k, and box offsets
        (N, A * 4, h, w), channel a * 4 + i. A map is the size of the one before it over two,
        rounded up; P3 is the input over eight.
        """
        return self.head(self.backbone(images))


def build_retinanet(config: RetinaNetConfig) -> RetinaNet:
    """Return a RetinaNet with random weights; see `initialise` and `load_imagenet_backbone`."""
    network = RetinaNet(config)
    initialise(network)
    return network


def initialise(network: RetinaNet) -> None:
    """
    Draw pyramid and heads so that their maps start within a bounded activation's range.

    A pretrained backbone's last linear maps have a spread of 2 to 7 over 40 to 320 channels: the
    laterals bring them to about 1 (0.02 per weight). The last layers get a standard deviation of
    0.01, and the class bias makes every anchor start at a probability of 0.01, as the focal loss
    needs.
    """
    for module in (*network.backbone.fpn.modules(), *network.head.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / module.weight[0].numel()))
            nn.init.zeros_(_bias(module))
    for module in network.backbone.fpn.inner_blocks.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.02)
    logits = network.head.classification_head.cls_logits
    nn.init.normal_(logits.weight, std=0.01)
    nn.init.constant_(_bias(logits), -math.log((1 - PRIOR) / PRIOR))
    nn.init.normal_(network.head.regression_head.bbox_reg.weight, std=0.01)


class GraphTracer(fx.Tracer):
    """A tracer that stops at torch's own modules and at ours in `layers`."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether ``m`` is one node of the graph."""
        return isinstance(m, LEAF_MODULES) or super().is_leaf_module(m, module_qualified_name)


def trace(network: nn.Module) -> fx.GraphModule:
    """Return the network as a graph of leaf modules and additions; it shares the parameters."""
    return fx.GraphModule(network, GraphTracer().trace(network), type(network).__name__)


def _build_body(config: RetinaNetConfig) -> EfficientNetLite0 | ResNet | CspNet:
    if config.backbone == 'cspnet':
        return CspNet()
    own = efficientnet if config.backbone == 'efficientnet_lite0' else resnet
    eps = own.DEFAULT_EPS if config.batch_norm_eps is None else config.batch_norm_eps
    if config.backbone == 'efficientnet_lite0':
        return EfficientNetLite0(eps, config.expansion_channels)
    builders = {'resnet18': resnet.resnet18, 'resnet50': resnet.resnet50}
    return builders[config.backbone](eps)


def _bias(module: nn.Conv2d) -> Tensor:
    assert module.bias is not None
    return module.bias
