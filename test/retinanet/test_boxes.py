from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spiking_retina_ros.retinanet.boxes import (
    box_iou,
    decode_boxes,
    encode_boxes,
    generalised_iou,
)

centres = st.floats(-200, 600)
sides = st.floats(4, 200)  # the clamp cuts off beyond 62.5 times an anchor
boxes = st.tuples(centres, centres, sides, sides).map(
    lambda b: torch.tensor([[b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2]])
)


@given(boxes, boxes)
def test_decode_undoes_encode(box, anchor):
    found = decode_boxes(encode_boxes(box, anchor), anchor)
    torch.testing.assert_close(found, box, rtol=1e-4, atol=0.02)


def test_offsets_follow_the_convention():
    anchor = torch.tensor([[10.0, 20.0, 30.0, 60.0]])  # centre (20, 40), size (20, 40)
    offsets = torch.tensor([[0.5, -0.25, 0.0, 1.0]])
    half = 20.0 * torch.tensor(1.0).exp()
    expected = torch.tensor([[20.0, 30.0 - half, 40.0, 30.0 + half]])
    torch.testing.assert_close(decode_boxes(offsets, anchor), expected)


def test_wild_offsets_stay_finite():
    anchor = torch.tensor([[0.0, 0.0, 16.0, 16.0]])
    box = decode_boxes(torch.tensor([[0.0, 0.0, 500.0, 500.0]]), anchor)
    torch.testing.assert_close(box, torch.tensor([[-492.0, -492.0, 508.0, 508.0]]))


def test_known_overlaps():
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    second = torch.tensor([[1.0, 0.0, 3.0, 2.0], [2.0, 0.0, 4.0, 2.0], [0.0, 0.0, 2.0, 2.0]])
    torch.testing.assert_close(box_iou(first, second), torch.tensor([[1 / 3, 0.0, 1.0]]))
    # the hull of the first pair is 3 x 2, all covered; of boxes 2 apart 6 x 2, 8 of 12 covered
    apart = torch.tensor([[4.0, 0.0, 6.0, 2.0]])
    assert float(generalised_iou(first, second[:1])) == pytest.approx(1 / 3)
    assert float(generalised_iou(first, apart)) == pytest.approx(-1 / 3)


@given(boxes, boxes)
def test_generalised_overlap_is_symmetric_and_at_most_the_overlap(one, other):
    value = float(generalised_iou(one, other))
    assert value == pytest.approx(float(generalised_iou(other, one)), abs=1e-5)
    assert -1.0 - 1e-5 <= value <= float(box_iou(one, other)) + 1e-5
