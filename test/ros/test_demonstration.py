"""The demo: what is played, what is kept, and when it says that it failed."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.datasets.bags import iterate_detections, list_topics
from spiking_retina_ros.detections import Detection
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros import closed_loop, demonstration
from spiking_retina_ros.ros.demo_source import (
    Truth,
    bag_source,
    photograph_source,
    sea_source,
)


@pytest.fixture
def photographs(tmp_path, sea_picture):
    folder = tmp_path / 'photographs'
    folder.mkdir()
    for name in ('a.png', 'c.png'):
        cv2.imwrite(str(folder / name), sea_picture)
    (folder / 'b.png').write_bytes(b'no picture at all')
    return folder


def test_photographs_that_cannot_be_read_are_named_and_left_out(tmp_path, photographs):
    source = photograph_source(tmp_path / 'bag', photographs, frames=None)
    assert source.count == 2
    assert len(source.problems) == 1
    assert 'b.png' in source.problems[0]
    assert len(list(source.frames())) == 2
    again = bag_source(tmp_path / 'bag', None, frames=1)
    assert (again.count, again.compressed) == (1, False)
    assert len(list(again.frames())) == 1
    (photographs / 'a.png').unlink()
    (photographs / 'c.png').unlink()
    with pytest.raises(UserError, match='none of 1 images can be read'):
        photograph_source(tmp_path / 'other', photographs, frames=None)


def test_the_synthetic_sea_knows_what_it_shows(tmp_path):
    source = sea_source(tmp_path / 'bag', frames=2, seed=7)
    (first, second) = source.frames()
    assert first.image.shape == (720, 1280, 3)
    assert not np.array_equal(first.image, second.image)
    assert set(source.truth) == {first.stamp, second.stamp}
    written = list(iterate_detections(tmp_path / 'bag'))
    assert written[0].class_names == source.truth[first.stamp].class_names


def test_one_detection_finds_one_object():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    truth = Truth(boxes, ('boat', 'boat', 'buoy'))
    one = Detection((0, 0, 10, 10), 0.9, 'boat')
    assert demonstration.found_objects([one], truth) == 1
    assert demonstration.found_objects([one, one], truth) == 2
    assert demonstration.found_objects([Detection((50, 50, 60, 60), 0.9, 'boat')], truth) == 0


def played(tmp_path, source, monkeypatch, *arguments):
    """Play to the stand-in node, which is a process of its own like the real one."""
    monkeypatch.setattr(closed_loop, 'DETECTOR', 'stand_in')
    (tmp_path / 'pictures').mkdir()
    return demonstration.play(
        source,
        result_bag=tmp_path / 'result',
        parameters=list(arguments),
        timeout=3.0,
        pictures=tmp_path / 'pictures',
        keep=5,
    )


@pytest.mark.ros
def test_all_frames_are_answered_recorded_and_drawn(domain, tmp_path, photographs, monkeypatch):
    source = photograph_source(tmp_path / 'bag', photographs, frames=None)
    source.problems.clear()
    report = played(tmp_path, source, monkeypatch)
    assert report.passed, report.complaints
    rows = dict(demonstration.table_rows(report))
    assert (rows['frames played'], rows['frames answered'], rows['frames dropped']) == (
        '2',
        '2',
        '0',
    )
    assert (rows['objects: boat'], rows['objects: buoy']) == ('2', '2')
    assert rows['spikes per frame'] == '5.0 k'
    assert rows['synaptic operations per frame'] == '70.0 k'
    assert [cv2.imread(str(path)).shape for path in report.pictures] == [(240, 320, 3)] * 2
    counts = {item.name: item.count for item in list_topics(tmp_path / 'result')}
    assert counts['/detections'] == counts['/debug_image'] == 2
    assert counts['/label_info'] == 1


@pytest.mark.ros
def test_frames_without_an_answer_and_empty_results_are_failures(
    domain, tmp_path, photographs, sea_picture, monkeypatch
):
    failing = sea_picture.copy()
    failing[0, 0] = (1, 2, 3)
    cv2.imwrite(str(photographs / 'a.png'), failing)
    cv2.imwrite(str(photographs / 'c.png'), np.zeros_like(sea_picture))
    source = photograph_source(tmp_path / 'bag', photographs, frames=None)
    report = played(tmp_path, source, monkeypatch)
    assert not report.passed
    assert 'b.png' in report.complaints[0]
    assert '1 of 2 frames were not answered' in report.complaints
    assert 'no object was detected in any frame' in report.complaints
    assert report.dropped == 1


def test_wrong_options_are_one_line(capsys):
    before = dict(os.environ)
    assert main(['demo', '--frames', '0']) == 2
    assert 'expected at least 1, found 0' in capsys.readouterr().err
    assert os.environ == before
