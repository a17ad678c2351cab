"""ROS 2 tests talk on a DDS domain of their own and never leave the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='no ROS 2: run make environment')
pytest.importorskip('vision_msgs', reason='no vision_msgs: run make environment')

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault('AMENT_PREFIX_PATH', sys.prefix)


@pytest.fixture(scope='session')
def domain():
    from spiking_retina_ros.ros.child_process import private_domain

    variables = private_domain()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    yield variables
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def _children_find_the_stand_in(monkeypatch):
    paths = [str(Path(__file__).parent), os.environ.get('PYTHONPATH', '')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(item for item in paths if item))


@pytest.fixture
def ros(domain):
    from rclpy.signals import SignalHandlerOptions

    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    yield
    rclpy.try_shutdown()


@pytest.fixture
def probe(ros):
    from probe import Probe

    node = Probe()
    yield node
    node.close()


@pytest.fixture
def sea_picture():
    """A 320x240 BGR picture with one red and one green rectangle; see stand_in.py."""
    image = np.full((240, 320, 3), (140, 110, 60), np.uint8)
    image[100:140, 60:120] = (0, 0, 255)
    image[150:170, 200:210] = (0, 255, 0)
    return image
