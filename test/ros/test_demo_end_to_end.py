"""The demo as people run it: the shipped network, the real node, DDS between processes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rosbags.rosbag2 import Reader

from spiking_retina_ros.datasets.bags import iterate_detections, iterate_images
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.model_paths import spiking_model
from spiking_retina_ros.ros.child_process import PACKAGE_ROOT

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def test_the_demo_answers_every_frame_of_the_synthetic_sea(tmp_path):
    try:
        spiking_model()
    except UserError as error:
        pytest.skip(str(error))
    command = [sys.executable, '-m', 'spiking_retina_ros', 'demo', '--frames', '5', '--pictures']
    finished = subprocess.run(
        [*command, '2', '--output', str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=PACKAGE_ROOT,
        timeout=280,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert 'frames answered' in finished.stdout
    assert len(list((tmp_path / 'pictures').glob('*.jpg'))) == 2
    played = [item.stamp for item in iterate_images(tmp_path / 'input_bag')]
    answered = list(iterate_detections(tmp_path / 'result_bag', '/detections'))
    assert [item.stamp for item in answered] == played
    assert {item.frame_id for item in answered} == {'camera_optical'}
    assert any(item.class_names for item in answered)
    with Reader(tmp_path / 'result_bag') as bag:
        assert '/diagnostics' in bag.topics
