from __future__ import annotations

import signal
from itertools import islice

import pytest
from processes import Shown

from spiking_retina_ros.ros.child_process import SEA_CAMERA
from spiking_retina_ros.ros.sea_camera_node import PARAMETERS, ping_pong


def test_the_loop_has_no_jump():
    assert list(islice(ping_pong(4), 9)) == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert list(islice(ping_pong(1), 3)) == [0, 0, 0]


@pytest.mark.ros
def test_it_publishes_pictures_and_their_calibration(probe):
    from sensor_msgs.msg import CameraInfo, Image

    words = ['width:=160', 'height:=120', 'rate:=20.0', 'loop_frames:=2', 'frame_id:=mast']
    with Shown(SEA_CAMERA, ['--ros-args', *(x for word in words for x in ('-p', word))]) as node:
        images, infos = probe.listen('image', Image), probe.listen('camera_info', CameraInfo)
        probe.until(lambda: len(images) > 10 and infos)
        assert node.stop(signal.SIGINT) == 0
        assert 'Traceback' not in node.output()
    stamps = [(item.header.stamp.sec, item.header.stamp.nanosec) for item in images]
    assert stamps == sorted(set(stamps))
    assert (images[0].width, images[0].height, images[0].header.frame_id) == (160, 120, 'mast')
    assert len({bytes(item.data) for item in images}) == 2
    assert (infos[0].width, infos[0].k[2]) == (160, 79.5)


@pytest.mark.ros
def test_wrong_parameters_are_refused_by_name(probe):
    with Shown(SEA_CAMERA, ['--ros-args', '-p', 'rate:=0.0']) as node:
        assert node.process.wait(30) == 1
        assert 'parameter rate: expected 0.1 to 240' in node.output()


def test_the_demos_file_names_parameters_that_exist():
    from pathlib import Path

    import yaml

    text = (Path(__file__).parents[2] / 'config/demo.yaml').read_text()
    assert set(yaml.safe_load(text)['/**']['ros__parameters']) <= set(PARAMETERS)
