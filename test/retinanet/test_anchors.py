from __future__ import annotations

import torch

from spiking_retina_ros.retinanet.anchors import base_anchors, level_anchors, map_sizes
from spiking_retina_ros.retinanet.config import RetinaNetConfig


def test_order_is_places_then_ratios_then_sizes():
    config = RetinaNetConfig(
        input_size=(32, 48), anchor_sizes=((8.0, 16.0),) * 5, anchor_ratios=(1.0, 4.0)
    )
    anchors = level_anchors(config)[0]
    assert anchors.shape == (4 * 6 * 4, 4)
    place = 6 + 2  # row 1, column 2 of P3: centre (16, 8)
    found = anchors[place * 4 : place * 4 + 4]
    centre = torch.tensor([16.0, 8.0] * 2)
    halves = torch.tensor([[4.0, 4.0], [8.0, 8.0], [2.0, 8.0], [4.0, 16.0]])
    torch.testing.assert_close(found, centre + torch.cat([-halves, halves], dim=1))


def test_map_sizes_round_up():
    assert map_sizes((288, 384)) == ((36, 48), (18, 24), (9, 12), (5, 6), (3, 3))


def test_torchvision_anchors():
    # The first anchors of torchvision's AnchorGenerator for size 32, ratios 0.5, 1, 2.
    base = base_anchors((32,), (0.5, 1.0, 2.0), rounded=True)
    expected = [[-23.0, -11.0, 23.0, 11.0], [-16.0, -16.0, 16.0, 16.0], [-11.0, -23.0, 11.0, 23.0]]
    assert base.tolist() == expected
    # P6 of 288 rows has 5: torchvision's stride is 288 // 5 = 57, not 64.
    config = RetinaNetConfig(torchvision_anchors=True)
    p6 = level_anchors(config)[3].reshape(5, 6, 9, 4)
    assert (p6[1, 0] - p6[0, 0]).tolist() == [[0.0, 57.0, 0.0, 57.0]] * 9
    assert (p6[0, 1] - p6[0, 0]).tolist() == [[64.0, 0.0, 64.0, 0.0]] * 9
