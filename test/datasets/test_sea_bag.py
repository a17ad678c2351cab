"""A bag of the sea camera carries its pictures, its intrinsics and the truth."""

from __future__ import annotations

import numpy as np
import pytest

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.datasets.bags import iterate_detections, iterate_images, list_topics
from spiking_retina_ros.datasets.sea_bag import TRUTH_TOPIC, write_sea_bag
from spiking_retina_ros.datasets.sea_camera import SeaCamera, SeaCameraConfig
from spiking_retina_ros.errors import UserError

CONFIG = SeaCameraConfig(width=160, height=96, seed=2, frame_rate=5.0)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_pictures_and_truth_are_those_of_the_camera(tmp_path, storage):
    assert write_sea_bag(tmp_path / 'bag', CONFIG, seconds=0.6, storage=storage) == 3
    types = {topic.name: topic.msgtype for topic in list_topics(tmp_path / 'bag')}
    assert types == {
        '/camera/image_raw': 'sensor_msgs/msg/Image',
        '/camera/camera_info': 'sensor_msgs/msg/CameraInfo',
        '/ground_truth': 'vision_msgs/msg/Detection2DArray',
    }
    camera = SeaCamera(CONFIG)
    images = list(iterate_images(tmp_path / 'bag'))
    truths = list(iterate_detections(tmp_path / 'bag', TRUTH_TOPIC))
    for index, (image, truth) in enumerate(zip(images, truths, strict=True)):
        frame = camera.frame(index)
        np.testing.assert_array_equal(image.image, frame.image)
        np.testing.assert_allclose(truth.boxes, frame.boxes, atol=1e-4)
        assert truth.class_names == frame.class_names
        assert truth.stamp == image.stamp
        assert truth.frame_id == image.frame_id


def test_the_command_writes_compressed_bags(tmp_path, capsys):
    words = ['--seconds', '0.2', '--rate', '10', '--width', '96', '--height', '64', '--compressed']
    assert main(['sea-camera', 'bag', str(tmp_path / 'bag'), *words]) == 0
    assert str(tmp_path / 'bag') in capsys.readouterr().out
    assert [item.image.shape for item in iterate_images(tmp_path / 'bag')] == [(64, 96, 3)] * 2


def test_an_empty_bag_is_refused(tmp_path):
    with pytest.raises(UserError, match='seconds'):
        write_sea_bag(tmp_path / 'bag', CONFIG, seconds=0.01)
    assert not (tmp_path / 'bag').exists()
