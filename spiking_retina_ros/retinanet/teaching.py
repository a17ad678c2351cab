"""
Training a detector of another backbone on what a trained one sees (feature distillation).

Boxes alone say little about what a backbone without ImageNet weights should look for; a teacher's
pyramid says it at every place of every picture (compare FitNets, Romero et al. 2015). The student
takes over the teacher's pyramid and heads where they fit, so that its backbone has to learn what
these expect.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.network import RetinaNet

Seen = tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]


class WithPyramid(nn.Module):
    """A RetinaNet that also returns its pyramid: (P3..P7, class maps, box maps)."""

    def __init__(self, network: RetinaNet) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.head = network.head

    def forward(self, images: Tensor) -> Seen:
        """Map images (N, 3, H, W) as `RetinaNet.forward` does."""
        levels = self.backbone(images)
        class_maps, box_maps = self.head(levels)
        return levels, class_maps, box_maps


def check_teacher(student: RetinaNet, teacher: RetinaNet) -> None:
    """Raise UserError where the two do not answer alike: other classes, anchors or pyramid."""
    for key in ('class_names', 'anchor_sizes', 'anchor_ratios', 'pyramid_channels', 'mean', 'std'):
        expected, found = getattr(student.config, key), getattr(teacher.config, key)
        if expected != found:
            raise UserError(f'teacher: {key}: expected {expected}, found {found}')


def take_over(student: RetinaNet, teacher: RetinaNet) -> list[str]:
    """Copy the teacher's pyramid and head weights where shapes agree; return their names."""
    own, others = student.state_dict(), teacher.state_dict()
    taken = [
        name
        for name, value in own.items()
        if not name.startswith('backbone.body.')
        and name in others
        and others[name].shape == value.shape
    ]
    student.load_state_dict({name: others[name] for name in taken}, strict=False)
    return taken


def frozen_norms(network: nn.Module) -> list[FrozenBatchNorm2d]:
    """Return the normalisations whose statistics do not learn; a backbone may have none."""
    return [module for module in network.modules() if isinstance(module, FrozenBatchNorm2d)]


@torch.no_grad()
def estimate_norms(network: nn.Module, inputs: Tensor) -> None:
    """
    Set the frozen statistics of a network with random weights from inputs (N, 3, H, W).

    Each normalisation is set from what reaches it through those before it, so that one pass leaves
    every map with zero mean and unit variance per channel.
    """

    def set_statistics(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        assert isinstance(module, FrozenBatchNorm2d)
        variance, mean = torch.var_mean(arguments[0], (0, 2, 3))
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)

    hooks = [norm.register_forward_pre_hook(set_statistics) for norm in frozen_norms(network)]
    network(inputs)
    for hook in hooks:
        hook.remove()
