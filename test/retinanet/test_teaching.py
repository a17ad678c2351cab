"""What a student without ImageNet weights starts from, and what it learns from a teacher."""

from dataclasses import replace

import pytest
import torch

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.distillation import maps_loss
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.network import build_retinanet
from spiking_retina_ros.retinanet.teaching import (
    WithPyramid,
    check_teacher,
    estimate_norms,
    take_over,
)

CONFIG = RetinaNetConfig(backbone='resnet18', input_size=(64, 96), pyramid_channels=16)


def images(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(4, 3, 64, 96, generator=generator) + 1


def test_estimated_norms_leave_every_map_centred():
    network = build_retinanet(CONFIG)
    estimate_norms(network, images())
    maps = []
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.register_forward_hook(lambda module, inputs, output: maps.append(output.clone()))
    with torch.no_grad():
        network(images())
    assert len(maps) == 20
    for values in maps:
        variance, mean = torch.var_mean(values, (0, 2, 3))
        torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-4, rtol=0)
        torch.testing.assert_close(variance, torch.ones_like(variance), atol=1e-2, rtol=0)


def test_student_takes_over_everything_behind_the_backbone_that_fits():
    student = build_retinanet(CONFIG)
    teacher = build_retinanet(replace(CONFIG, backbone='efficientnet_lite0'))
    check_teacher(student, teacher)
    taken = take_over(student, teacher)
    own, others = student.state_dict(), teacher.state_dict()
    assert all(torch.equal(own[name], others[name]) for name in taken)
    left = {name for name in own if not name.startswith('backbone.body.')} - set(taken)
    assert left == {f'backbone.fpn.inner_blocks.{level}.0.weight' for level in range(3)}


def test_a_teacher_of_other_classes_is_refused_by_name():
    teacher = build_retinanet(replace(CONFIG, class_names=('ship',)))
    with pytest.raises(UserError, match=r"class_names: expected .*'buoy'.* found .*'ship'"):
        check_teacher(build_retinanet(CONFIG), teacher)


def test_the_pyramid_is_what_the_heads_read():
    network = build_retinanet(CONFIG)
    with torch.no_grad():
        levels, class_maps, box_maps = WithPyramid(network)(images())
        expected = network(images())
    for ours, theirs in zip((*class_maps, *box_maps), (*expected[0], *expected[1]), strict=True):
        assert torch.equal(ours, theirs)
    assert float(maps_loss(levels, levels)) == 0.0
    assert float(maps_loss([2 * level for level in levels], levels)) == pytest.approx(1.0, abs=0.05)
