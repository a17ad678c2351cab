"""The node as a process of its own, over DDS, around a network with known answers."""

from __future__ import annotations

import signal
import time

import cv2
import numpy as np
import pytest
from probe import diagnostic_values, milliseconds
from processes import stand_in
from stand_in import StandInNetwork

from spiking_retina_ros.ros.child_process import NodeProcess
from spiking_retina_ros.tiling import Strip, tiles

pytestmark = pytest.mark.ros


def test_answers_carry_the_images_header_and_its_own_pixels(probe, sea_picture):
    with stand_in() as node:
        found = probe.listen('detections')
        node.wait_for('listening')
        probe.until(lambda: probe.node.count_publishers('detections') > 0)
        probe.send(sea_picture, 1234, frame_id='mast_optical')
        probe.until(lambda: found)
        probe.send(np.full((100, 100, 3), 90, np.uint8), 1300)
        probe.until(lambda: len(found) == 2)
        assert node.stop(signal.SIGINT) == 0
        assert 'Traceback' not in node.output()
    first, empty = found
    assert milliseconds(first.header) == 1234
    assert first.header.frame_id == 'mast_optical'
    assert all(item.header == first.header for item in first.detections)
    boat, buoy = first.detections
    assert [item.results[0].hypothesis.class_id for item in (boat, buoy)] == ['boat', 'buoy']
    assert boat.results[0].hypothesis.score == pytest.approx(0.9)
    assert (boat.bbox.center.position.x, boat.bbox.center.position.y) == (90, 120)
    assert (boat.bbox.size_x, boat.bbox.size_y) == (60, 40)
    assert boat.id == ''
    assert milliseconds(empty.header) == 1300
    assert list(empty.detections) == []


def test_bad_images_are_counted_named_and_survived(probe, sea_picture):
    from sensor_msgs.msg import Image

    with stand_in(**{'diagnostics.period': 0.2}) as node:
        found, diagnostics = probe.listen('detections'), probe.listen_to_diagnostics()
        publisher = probe.connect()
        bad = [
            Image(),
            Image(width=10, height=10, step=30, encoding='bgr8', data=b'\0' * 20),
            Image(width=10, height=10, step=30, encoding='nonsense', data=b'\0' * 300),
        ]
        for message in bad:
            publisher.publish(message)
            probe.spin(0.15)
        publisher.publish(b'\0\1\0\0\xff\xff')
        probe.spin(0.15)
        failing = sea_picture.copy()
        failing[0, 0] = (1, 2, 3)
        probe.send(failing, 1)
        probe.spin(0.15)
        probe.send(sea_picture, 2)
        probe.until(lambda: found)

        def counted():
            values = diagnostic_values(diagnostics[-1], ': camera')[2] if diagnostics else {}
            return values.get('frames_answered') == '1'

        probe.until(counted)
        level, text, values = diagnostic_values(diagnostics[-1], ': camera')
        assert node.process.poll() is None
        log = node.output()
    assert values['images_received'] == '6'
    assert values['dropped_undecodable'] == '4'
    assert values['dropped_failed'] == '1'
    assert level == b'\x01'
    assert 'the network failed' in text
    assert '/image' in log
    assert 'expected an image with pixels, found 0x0' in log
    assert [milliseconds(item.header) for item in found] == [2]


def test_the_newest_frame_wins_when_frames_come_faster_than_answers(probe, sea_picture):
    with stand_in('--delay', '0.25', **{'diagnostics.period': 0.2}):
        found, diagnostics = probe.listen('detections'), probe.listen_to_diagnostics()
        probe.connect()
        probe.until(lambda: probe.node.count_publishers('detections') > 0)
        started = time.monotonic()
        sent = 0
        while time.monotonic() - started < 2.0:
            sent += 1
            probe.send(sea_picture, sent)
            probe.spin(1 / 30)
        probe.until(lambda: found and milliseconds(found[-1].header) == sent, 3.0)
        probe.spin(0.5)
        values = diagnostic_values(diagnostics[-1], ': camera')[2]
    stamps = [milliseconds(item.header) for item in found]
    assert stamps == sorted(set(stamps))
    assert int(values['dropped_superseded']) > 0
    assert int(values['dropped_superseded']) + int(values['frames_answered']) == int(
        values['images_received']
    )
    # Half a second is two answers: no backlog has grown.
    assert float(values['total_ms_p95']) < 700


def test_every_frame_is_answered_in_order_for_replay(probe, sea_picture):
    with stand_in('--delay', '0.02', frame_policy='every_frame'):
        found = probe.listen('detections')
        probe.connect()
        probe.until(lambda: probe.node.count_publishers('detections') > 0)
        for stamp in range(1, 21):
            probe.send(sea_picture, stamp)
            probe.spin(0.005)
        probe.until(lambda: len(found) == 20)
    assert [milliseconds(item.header) for item in found] == list(range(1, 21))


def test_cameras_share_one_network_and_keep_apart(probe, sea_picture):
    with stand_in(images=('port/image', 'starboard/image'), cameras='[port, starboard]'):
        port, starboard = probe.listen('port/detections'), probe.listen('starboard/detections')
        probe.connect('port/image')
        probe.connect('starboard/image')
        probe.until(lambda: probe.node.count_publishers('starboard/detections') > 0)
        dark = np.zeros((60, 80, 3), np.uint8)
        for stamp in (1, 2, 3):
            probe.send(sea_picture, stamp, 'port/image', frame_id='port')
            probe.send(dark, stamp, 'starboard/image', frame_id='starboard')
            probe.until(lambda stamp=stamp: len(port) == len(starboard) == stamp)
    assert [len(item.detections) for item in port] == [2, 2, 2]
    assert [len(item.detections) for item in starboard] == [0, 0, 0]
    assert {item.header.frame_id for item in starboard} == {'starboard'}


def test_compressed_images_debug_image_early_answers_and_bearings(probe, sea_picture):
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image
    from visualization_msgs.msg import MarkerArray

    with stand_in(images=('image/compressed',), image_transport='compressed', early_steps=4):
        found, early = probe.listen('detections'), probe.listen('detections_early')
        pictures, markers = (
            probe.listen('debug_image', Image),
            probe.listen('bearings', MarkerArray),
        )
        probe.connect('image/compressed', CompressedImage)
        probe.until(lambda: probe.node.count_publishers('bearings') > 0)
        info = CameraInfo(height=240, width=320, distortion_model='plumb_bob')
        info.k = [200.0, 0.0, 160.0, 0.0, 200.0, 120.0, 0.0, 0.0, 1.0]
        infos = probe.connect('camera_info', CameraInfo)
        data = cv2.imencode('.png', sea_picture)[1].tobytes()

        def send():
            # camera_info is heard best effort, and markers need one that came before the image.
            infos.publish(info)
            probe.send_compressed(data, 7, kind='png')

        probe.until(lambda: found and early and pictures and markers, send=send)
    assert found[0].header == early[0].header == pictures[0].header
    assert (pictures[0].width, pictures[0].height, pictures[0].encoding) == (320, 240, 'bgr8')
    assert not np.array_equal(np.frombuffer(pictures[0].data, np.uint8), sea_picture.ravel())
    wedge = next(item for item in markers[0].markers if item.ns == 'bearings')
    # The boat's centre lies 70 pixels left of the axis of a camera of focal length 200.
    middle = np.mean([(point.x / point.z) for point in wedge.points[1:]])
    assert middle == pytest.approx(-70 / 200, abs=0.01)


def test_a_strip_is_looked_at_again(probe, sea_picture):
    looks = 1 + len(tiles(sea_picture.shape[:2], StandInNetwork.input_size, Strip(0.4, 0.5)))
    assert looks > 3
    strip = {'strip.height': 0.4, 'strip.centre': 0.5}
    with stand_in(**strip, **{'diagnostics.period': 0.2}):
        found, diagnostics = probe.listen('detections'), probe.listen_to_diagnostics()
        probe.connect()
        probe.until(lambda: probe.node.count_publishers('detections') > 0)
        probe.send(sea_picture, 1)

        def every_look_is_counted():
            values = diagnostic_values(diagnostics[-1], ': camera')[2] if diagnostics else {}
            return values.get('synaptic_operations_per_frame') == f'{looks * 70_000:.1f}'

        probe.until(every_look_is_counted)
        refused = probe.set_parameters(**{'strip.height': 1.5})
        assert not refused.successful
        assert 'strip.height' in refused.reason
    # the green box near the horizon keeps its place in the image's own pixels
    centres = [
        (item.bbox.center.position.x, item.bbox.center.position.y)
        for item in found[0].detections
        if item.results[0].hypothesis.class_id == 'buoy'
    ]
    assert (205, 160) in centres


def test_a_qos_that_does_not_exist_is_refused(probe):
    with stand_in(
        images=(), **{'qos_overrides./image.subscription.reliability': 'rliable'}
    ) as node:
        assert node.process.wait(30) == 1
        log = node.output()
    assert 'error: on_activate' in log
    assert 'rliable' in log
    assert 'Traceback' not in log


def test_a_missing_model_is_refused_with_its_path(probe):
    arguments = ['--ros-args', '-p', 'model:=/nowhere/model.safetensors']
    with NodeProcess('spiking_retina_ros.ros.detector', arguments) as node:
        status = node.process.wait(60)
        log = node.output()
    assert status == 1
    assert 'error:' in log
    assert '/nowhere/model.safetensors' in log
    assert 'Traceback' not in log


@pytest.mark.parametrize(
    ('name', 'value'), [('score_threshold', '1.5'), ('engine', 'abacus'), ('steps', 'many')]
)
def test_wrong_parameters_are_refused_by_name(probe, name, value):
    with stand_in(**{name: value}) as node:
        assert node.process.wait(30) == 1
        log = node.output()
    assert f'parameter {name}: expected' in log
    assert 'Traceback' not in log
