from __future__ import annotations

import math

import numpy as np
import pytest
from std_msgs.msg import Header

from spiking_retina_ros.detections import FrameResult
from spiking_retina_ros.ros.bearing_markers import bearing_markers
from spiking_retina_ros.ros.bearings import CameraModel, bearings

MATRIX = np.array([[500.0, 0, 320], [0, 500.0, 240], [0, 0, 1]])
STRAIGHT = CameraModel((480, 640), MATRIX, np.zeros(5))


def result(box, image_size=(480, 640)):
    return FrameResult(
        boxes=np.array([box], np.float32),
        scores=np.array([0.8], np.float32),
        class_names=('buoy',),
        image_size=image_size,
        milliseconds=1.0,
    )


def test_a_box_becomes_the_wedge_between_its_edges():
    (wedge,) = bearings(result((320, 200, 820 - 320 + 320, 280)), STRAIGHT)
    assert wedge.left == pytest.approx((0, 0, 1), abs=1e-6)
    assert wedge.right == pytest.approx((math.sqrt(0.5), 0, math.sqrt(0.5)), abs=1e-6)
    assert wedge.azimuth == pytest.approx(math.atan2(250, 500))
    for ray in (wedge.left, wedge.centre, wedge.right):
        assert np.linalg.norm(ray) == pytest.approx(1)


def test_a_scaled_image_gives_the_same_directions():
    (full,) = bearings(result((400, 100, 440, 160)), STRAIGHT)
    (half,) = bearings(result((200, 50, 220, 80), image_size=(240, 320)), STRAIGHT)
    assert half.centre == pytest.approx(full.centre, abs=1e-6)


@pytest.mark.parametrize(
    ('model', 'distortion'),
    [('plumb_bob', [-0.2, 0.05, 0.001, 0.0, 0.0]), ('equidistant', [0.05, 0.01, 0.0, 0.0])],
)
def test_distortion_is_undone(model, distortion):
    import cv2

    camera = CameraModel((480, 640), MATRIX, np.array(distortion), model)
    point = np.array([[[0.3, 0.1, 1.0]]])
    if model == 'equidistant':
        seen = cv2.fisheye.projectPoints(point, np.zeros(3), np.zeros(3), MATRIX, camera.distortion)
    else:
        seen = cv2.projectPoints(point, np.zeros(3), np.zeros(3), MATRIX, camera.distortion)
    ray = camera.rays(seen[0].reshape(1, 2), (480, 640))[0]
    assert ray / ray[2] == pytest.approx([0.3, 0.1, 1.0], abs=1e-3)


def test_an_uncalibrated_camera_gives_none():
    assert bearings(result((1, 1, 5, 5)), CameraModel((0, 0), np.zeros((3, 3)), np.zeros(0))) == ()


def test_markers_lie_in_the_images_frame_and_age_out():
    found = bearings(result((300, 200, 340, 280)), STRAIGHT)
    message = bearing_markers(found, Header(frame_id='mast'), length=100.0, lifetime=1.5)
    wedge, label = message.markers
    assert {item.header.frame_id for item in message.markers} == {'mast'}
    assert (wedge.lifetime.sec, wedge.lifetime.nanosec) == (1, 500_000_000)
    assert len(wedge.points) == 3
    assert max(np.linalg.norm([item.x, item.y, item.z]) for item in wedge.points) == pytest.approx(
        100.0
    )
    assert wedge.color.g > wedge.color.r  # buoys are green
    assert label.text.startswith('buoy 0.80')
