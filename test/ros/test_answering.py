"""From serialized bytes to what is published, without a node; malformed bytes above all."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from probe import header
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from stand_in import StandInNetwork

from spiking_retina_ros.datasets.image_codec import decode_image
from spiking_retina_ros.ros import image_messages
from spiking_retina_ros.ros.answering import Context, Frame, FrameDropped, answer
from spiking_retina_ros.ros.image_messages import bgr_to_image, image_to_bgr
from spiking_retina_ros.ros.parameters import Settings


class Recorder:
    """Outputs that only remember."""

    def __init__(self, watched=False):
        self.watched = watched
        self.order = []

    def publish_detections(self, message):
        self.order.append(('detections', message))

    def publish_early(self, message):
        self.order.append(('early', message))

    def wants_debug_image(self):
        return self.watched

    def publish_debug_image(self, message):
        self.order.append(('debug_image', message))

    def publish_bearings(self, message):
        self.order.append(('bearings', message))


def frame(payload):
    return Frame('', payload, False, time.monotonic())


def context(**changes):
    return Context(StandInNetwork(), Settings(**changes), None)


def test_early_detections_come_first_and_pictures_last(sea_picture):
    outputs = Recorder(watched=True)
    payload = serialize_message(bgr_to_image(sea_picture, header(5000)))
    result, timing = answer(frame(payload), context(early_steps=4), outputs, lambda: 5.25)
    assert [name for name, _ in outputs.order] == ['early', 'detections', 'debug_image']
    assert result.window.steps == 16
    assert timing.age == pytest.approx(250.0)
    assert timing.early is not None


def test_classes_that_are_not_wanted_stay_out(sea_picture):
    outputs = Recorder()
    payload = serialize_message(bgr_to_image(sea_picture, header(1)))
    answer(frame(payload), context(classes=('buoy',)), outputs, lambda: 1.0)
    ((_, message),) = outputs.order
    assert [item.results[0].hypothesis.class_id for item in message.detections] == ['buoy']


def test_old_frames_are_dropped_before_they_cost_anything(sea_picture):
    payload = serialize_message(bgr_to_image(sea_picture, header(1000)))
    with pytest.raises(FrameDropped, match=r'1\.50 s old') as dropped:
        answer(frame(payload), context(max_frame_age=1.0), Recorder(), lambda: 2.5)
    assert dropped.value.reason == 'too_old'


@st.composite
def malformed(draw):
    """An Image message whose fields contradict each other or whose bytes were damaged."""
    message = Image(
        header=header(1),
        width=draw(st.integers(0, 40) | st.just(2**32 - 1)),
        height=draw(st.integers(0, 40) | st.just(2**32 - 1)),
        step=draw(st.integers(0, 200) | st.just(2**32 - 1)),
        encoding=draw(
            st.sampled_from(['bgr8', 'rgb8', 'mono16', 'bayer_rggb8', 'nv12', '8UC3', ''])
        ),
        is_bigendian=draw(st.integers(0, 1)),
        data=draw(st.binary(max_size=400)),
    )
    payload = bytearray(serialize_message(message))
    for _ in range(draw(st.integers(0, 4))):
        payload[draw(st.integers(0, min(80, len(payload) - 1)))] = draw(st.integers(0, 255))
    return bytes(payload[: draw(st.integers(0, len(payload)))])


@settings(
    max_examples=10_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(payload=malformed() | st.binary(max_size=300))
def test_malformed_messages_end_as_counted_drops_or_whole_answers(payload):
    outputs, reason = Recorder(), None
    try:
        answer(frame(payload), context(), outputs, lambda: 1.0)
    except FrameDropped as dropped:
        reason = dropped.reason
    published = [name for name, _ in outputs.order]
    assert (reason, published) in [('undecodable', []), (None, ['detections'])]


def test_pictures_survive_the_way_through_a_message(sea_picture):
    message = bgr_to_image(sea_picture, header(1))
    assert np.array_equal(image_to_bgr(message), sea_picture)
    padded = np.zeros((240, 1000), np.uint8)
    padded[:, :960] = sea_picture.reshape(240, 960)
    message.step, message.data = 1000, padded.tobytes()
    assert np.array_equal(image_to_bgr(message), sea_picture)


def test_our_decoding_agrees_with_cv_bridge(sea_picture):
    bridge = image_messages.ros2_cv_bridge()
    if bridge is None:
        pytest.skip("ROS 2's cv_bridge is not installed")
    codes = {'rgb8': cv2.COLOR_BGR2RGB, 'bgra8': cv2.COLOR_BGR2BGRA, 'mono8': cv2.COLOR_BGR2GRAY}
    for encoding in image_messages.CV_BRIDGE_ENCODINGS:
        code = codes.get(encoding)
        pixels = sea_picture if code is None else cv2.cvtColor(sea_picture, code)
        if encoding == 'rgba8':
            pixels = cv2.cvtColor(sea_picture, cv2.COLOR_BGR2RGBA)
        message = bridge.cv2_to_imgmsg(pixels, encoding=encoding)
        ours = decode_image(
            message.data,
            width=message.width,
            height=message.height,
            encoding=encoding,
            step=message.step,
        )
        assert np.array_equal(ours, image_to_bgr(message)), encoding
