"""A bag through the node's own answering, around a network with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from stand_in import StandInNetwork

from spiking_retina_ros.commands.replay import detections, summary
from spiking_retina_ros.datasets.bags import BagWriter, iterate_detections, list_topics
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros.offline_replay import choose_topics, precision, replay
from spiking_retina_ros.ros.parameters import Settings

SECOND = 1_000_000_000
TRUE_BOXES = np.array([[60, 100, 120, 140], [200, 150, 210, 170]], np.float32)


def make_bag(path, picture, *, compressed=False, storage='mcap'):
    """Three pictures with their truth, and between them bytes that are no picture."""
    topic = '/bow/image/compressed' if compressed else '/bow/image'
    kind = f'sensor_msgs/msg/{"CompressedImage" if compressed else "Image"}'
    matrix = np.array([[300.0, 0, 160], [0, 300.0, 120], [0, 0, 1]])
    with BagWriter(path, storage=storage) as bag:
        for number in (1, 2, 3):
            stamp = number * SECOND
            place = {'stamp': stamp, 'frame_id': 'bow_optical'}
            bag.camera_info('/bow/camera_info', matrix, width=320, height=240, **place)
            bag.image(topic, picture, compressed=compressed, **place)
            bag.detections('/bow/truth', TRUE_BOXES, ('boat', 'buoy'), **place)
            if number == 2:
                bag.raw(topic, b'\x00\x01\x00\x00broken', kind, stamp=stamp + 1)
    return path


def run(bag, output, **changes):
    topics = choose_topics(bag, None, None)
    with BagWriter(output) as result:
        done = replay(bag, topics, StandInNetwork(), Settings(**changes), result, copy_input=True)
    return topics, done


@pytest.mark.parametrize(('compressed', 'storage'), [(False, 'sqlite3'), (True, 'mcap')])
def test_every_image_is_answered_in_order(tmp_path, sea_picture, compressed, storage):
    bag = make_bag(tmp_path / 'bag', sea_picture, compressed=compressed, storage=storage)
    topics, done = run(bag, tmp_path / 'result', early_steps=4)
    assert topics.camera_info.name == '/bow/camera_info'
    assert (done.frames, done.stamps) == (4, [SECOND, 2 * SECOND, 3 * SECOND])
    assert done.dropped == {'undecodable': 1}
    assert 'image 2' in done.problems[0]
    counts = {item.name: item.count for item in list_topics(tmp_path / 'result')}
    expected = {'/detections': 3, '/detections_early': 3, '/bearings': 3, '/bow/truth': 3}
    assert counts.items() >= expected.items()
    written = list(iterate_detections(tmp_path / 'result', '/detections'))
    assert [item.stamp for item in written] == done.stamps
    assert written[0].frame_id == 'bow_optical'
    assert written[0].class_names[0] == 'boat'
    assert written[0].boxes[0] == pytest.approx(TRUE_BOXES[0], abs=2)


def test_twice_gives_the_same_and_the_truth_is_scored(tmp_path, sea_picture):
    bag = make_bag(tmp_path / 'bag', sea_picture)
    (topics, first), (_, second) = (run(bag, tmp_path / name) for name in ('one', 'two'))
    assert detections(first) == detections(second)
    score = precision(first, bag, topics.truth, ('boat', 'buoy'))
    assert score.map50 == pytest.approx(1.0)
    content = summary(first, StandInNetwork(), score)
    assert (content['frames'], content['answered'], content['map50']) == (4, 3, score.map50)
    assert content['spikes_per_frame'] == 5000


def test_the_choice_of_topics_is_plain_or_refused(tmp_path, sea_picture):
    with BagWriter(tmp_path / 'two') as bag:
        for topic in ('/a/image', '/b/image'):
            bag.image(topic, sea_picture, stamp=SECOND, frame_id='x')
    with pytest.raises(UserError, match=r'/a/image, /b/image.*--topic'):
        choose_topics(tmp_path / 'two', None, None)
    assert choose_topics(tmp_path / 'two', '/b/image', None).image.name == '/b/image'
    with pytest.raises(UserError, match='expected topic /c/image'):
        choose_topics(tmp_path / 'two', '/c/image', None)
