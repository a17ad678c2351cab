from __future__ import annotations

import numpy as np
import pytest

from spiking_retina_ros.detections import FrameResult, WindowStatistics
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.tiling import OVERLAP, Strip, detect_tiled, tiles

INPUT = (288, 384)


class BrightSpots:
    """Finds bright rectangles, if they are large enough once the image fits the input."""

    class_names = ('boat', 'buoy')
    input_size = INPUT

    def __init__(self):
        self.seen = []

    def detect(self, image, *, nms_threshold, max_detections, score_threshold=0.4):
        import cv2

        self.seen.append(image.shape[:2])
        shrunk = max(image.shape[0] / INPUT[0], image.shape[1] / INPUT[1])
        _, _, statistics, _ = cv2.connectedComponentsWithStats(
            (image[..., 0] > 200).astype('uint8')
        )
        boxes = [
            (x, y, x + width, y + height)
            for x, y, width, height, _ in statistics[1:]
            if min(width, height) / shrunk >= 8
        ]
        boxes = np.array(boxes, np.float32).reshape(-1, 4)
        return FrameResult(
            boxes,
            np.full(len(boxes), 0.9, np.float32),
            ('buoy',) * len(boxes),
            image.shape[:2],
            1.0,
            WindowStatistics(8, 0, 100, 400, 5000),
        )


def picture(*boxes, size=(720, 1280)):
    image = np.zeros((*size, 3), np.uint8)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = 255
    return image


def found(image, strip):
    result = detect_tiled(BrightSpots(), image, strip)
    return sorted(tuple(int(value) for value in box) for box in result.boxes)


def test_small_things_near_the_horizon_are_found_where_they_are():
    near, far, below = (300, 500, 360, 560), (700, 320, 712, 332), (640, 650, 652, 662)
    image = picture(near, far, below)
    assert found(image, Strip(0.4, 0.45)) == [near, far]
    # The strip reaches to where its centre is put, and not beyond the image.
    assert found(image, Strip(0.2, 1.0)) == [near, below]


@pytest.mark.parametrize('left', range(330, 400, 5))
def test_edges_of_tiles_neither_cut_nor_double(left):
    small, large = (left, 300, left + 20, 330), (left, 360, left + 200, 440)
    assert found(picture(small, large), Strip(0.4, 0.5)) == [small, large]


def test_an_object_at_the_edge_of_the_image_stays():
    corner = (0, 300, 12, 312)
    assert found(picture(corner), Strip(0.4, 0.45)) == [corner]


@pytest.mark.parametrize('size', [(720, 1280), (1080, 1920), (300, 2000), (500, 384)])
@pytest.mark.parametrize('strip', [Strip(0.1, 0.0), Strip(0.4, 0.45), Strip(1.0)])
def test_tiles_cover_the_strip_and_overlap(size, strip):
    covered = np.zeros(size, int)
    for left, top, right, bottom in tiles(size, INPUT, strip):
        assert 0 <= left < right <= size[1]
        assert 0 <= top < bottom <= size[0]
        assert right - left <= INPUT[1]
        assert bottom - top <= INPUT[0]
        covered[top:bottom, left:right] += 1
    rows = np.flatnonzero(covered.any(axis=1))
    assert (covered[rows] > 0).all()
    assert len(rows) >= strip.height * size[0] - 1
    if size[1] > INPUT[1]:
        assert (covered[rows[0]] > 1).sum() >= OVERLAP


def test_costs_add_up_and_a_small_image_costs_nothing_more():
    detector = BrightSpots()
    result = detect_tiled(detector, picture(), Strip(0.4))
    assert len(detector.seen) == 5
    assert (result.window.spikes, result.window.synaptic_operations) == (2000, 25000)
    assert result.window.mean_rate == pytest.approx(0.5)
    small = BrightSpots()
    detect_tiled(small, picture(size=INPUT), Strip(1.0))
    assert small.seen == [INPUT]


@pytest.mark.parametrize(('height', 'centre'), [(0.0, 0.5), (1.1, 0.5), (0.4, -0.1)])
def test_no_strip_is_refused(height, centre):
    with pytest.raises(UserError, match='strip: expected a height'):
        Strip(height, centre)


def test_parts_of_what_the_whole_image_shows_are_left_out():
    class Fixed(BrightSpots):
        """Sees a ship in the image, and in each tile a funnel and something beside the ship."""

        def detect(self, image, **options):
            result = super().detect(image, **options)
            if image.shape[:2] == (720, 1280):
                boxes, names = [(100, 250, 700, 450)], ('boat',)
            else:
                boxes, names = [(150, 100, 190, 150), (150, 100, 190, 150)], ('boat', 'buoy')
            boxes = np.array(boxes, np.float32)
            scores = np.full(len(names), 0.9, np.float32)
            return FrameResult(boxes, scores, names, image.shape[:2], 1.0, result.window)

    detector = Fixed()
    result = detect_tiled(detector, picture(), Strip(0.4))
    found = sorted((item.class_name, int(item.box[0])) for item in result)
    lefts = [left + 150 for left, *_ in tiles((720, 1280), INPUT, Strip(0.4))]
    # of the boats in the tiles only those beside the ship stay; another class is never a part
    beside = [('boat', left) for left in lefts if left > 660]
    assert beside
    assert found == sorted([('boat', 100), *beside, *(('buoy', left) for left in lefts)])
