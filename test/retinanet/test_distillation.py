"""The loss that students and fine-tuning learn from a trained network's answers."""

import torch

from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.distillation import distillation_loss

CONFIG = RetinaNetConfig()
PLACES = ((6, 8), (3, 4))


def answers(seed):
    """Raw maps of two levels in which one place in ten is sure of an object."""
    generator = torch.Generator().manual_seed(seed)
    anchors = CONFIG.anchors_per_place
    classes = [
        torch.randn(2, anchors * CONFIG.classes, *size, generator=generator) * 3 - 4
        for size in PLACES
    ]
    boxes = [torch.randn(2, anchors * 4, *size, generator=generator) for size in PLACES]
    return classes, boxes


def test_the_answers_themselves_cost_nothing_and_others_more():
    wanted, other = answers(0), answers(1)
    assert float(distillation_loss(wanted, wanted, CONFIG)) == 0.0
    mixed = [
        [0.5 * (a + b) for a, b in zip(*pair, strict=True)]
        for pair in zip(wanted, other, strict=True)
    ]
    halfway = distillation_loss((mixed[0], mixed[1]), wanted, CONFIG)
    assert 0 < float(halfway) < float(distillation_loss(other, wanted, CONFIG))


def test_boxes_count_only_where_an_object_is_expected():
    classes, boxes = answers(0)
    moved = [level + 1.0 for level in boxes]
    assert float(distillation_loss((classes, moved), (classes, boxes), CONFIG)) > 0.9
    nothing = [torch.full_like(level, -10.0) for level in classes]
    assert float(distillation_loss((nothing, moved), (nothing, boxes), CONFIG)) == 0.0
