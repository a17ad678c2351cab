"""A written set is what COCO tools expect and what the camera drew."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.datasets.sea_camera import render_still, write_coco_set
from spiking_retina_ros.datasets.sea_coco import still_seed
from spiking_retina_ros.errors import UserError


def test_a_set_holds_the_pictures_and_boxes_of_its_seed(tmp_path, capsys):
    path = write_coco_set(tmp_path / 'set', count=4, seed=3, width=160, height=120)
    coco = COCO(str(path))
    assert {c['id']: c['name'] for c in coco.loadCats(coco.getCatIds())} == {1: 'boat', 2: 'buoy'}
    for index, image_id in enumerate(sorted(coco.getImgIds())):
        entry = coco.loadImgs(image_id)[0]
        frame = render_still(still_seed(3, index), width=160, height=120)
        image = cv2.imread(str(tmp_path / 'set' / entry['file_name']))
        assert image.shape == (120, 160, 3)
        assert np.abs(image.astype(int) - frame.image).mean() < 6  # jpeg
        boxes = [item['bbox'] for item in coco.loadAnns(coco.getAnnIds(image_id))]
        expected = frame.boxes.copy()
        expected[:, 2:] -= expected[:, :2]
        np.testing.assert_allclose(np.reshape(boxes, (-1, 4)), expected)
        assert (frame.boxes >= 0).all()
        assert (frame.boxes[:, 2:] <= (160, 120)).all()


def test_a_larger_set_begins_with_the_smaller_one(tmp_path):
    small, large = (
        json.loads(
            write_coco_set(tmp_path / str(n), count=n, seed=1, width=96, height=64).read_text()
        )
        for n in (2, 3)
    )
    assert large['images'][:2] == small['images']
    assert large['annotations'][: len(small['annotations'])] == small['annotations']


def test_the_scenes_vary_and_hold_both_classes():
    frames = [render_still(seed, width=160, height=120) for seed in range(25)]
    names = [name for frame in frames for name in frame.class_names]
    assert names.count('boat') > 8
    assert names.count('buoy') > 8
    brightness = [float(frame.image.mean()) for frame in frames]
    assert np.std(brightness) > 15


def test_the_command_names_what_it_cannot_do(tmp_path, capsys):
    assert main(['sea-camera', 'coco', str(tmp_path / 'a'), '--count', '0']) == 2
    assert 'count: expected at least 1' in capsys.readouterr().err
    (tmp_path / 'file').write_text('')
    assert main(['sea-camera', 'stills', str(tmp_path / 'file' / 'x'), '--count', '1']) == 2
    assert str(tmp_path / 'file') in capsys.readouterr().err
    with pytest.raises(UserError, match='width'):
        write_coco_set(tmp_path / 'b', count=1, width=4)
