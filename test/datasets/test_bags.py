"""Bags come back as they were written, and what is broken in them is named and skipped."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spiking_retina_ros.datasets import bag_messages
from spiking_retina_ros.datasets.bags import (
    BagWriter,
    iterate_detections,
    iterate_images,
    list_topics,
    write_image_bag,
)
from spiking_retina_ros.datasets.vision_messages import (
    DETECTIONS_HASH,
    DETECTIONS_TYPE,
    message_types,
)
from spiking_retina_ros.errors import UserError

START = 1_700_000_000_123_456_789


def pictures(count: int = 3) -> list[tuple[int, np.ndarray]]:
    rng = np.random.default_rng(5)
    return [
        (START + index * 50_000_000, rng.integers(0, 256, (24, 40, 3), np.uint8))
        for index in range(count)
    ]


def raw_image(**changes: object) -> bytes:
    fields = {'stamp': START, 'frame_id': 'camera'}
    message = bag_messages.image_message(pictures(1)[0][1], **fields)
    for name, value in changes.items():
        object.__setattr__(message, name, value)
    return bytes(message_types().serialize_cdr(message, bag_messages.IMAGE_TYPE))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_images_come_back_exactly(tmp_path, storage):
    frames = pictures()
    assert write_image_bag(tmp_path / 'bag', frames, topic='/front', storage=storage) == 3
    found = list(iterate_images(tmp_path / 'bag'))
    assert [(item.stamp, item.received) for item in found] == [(t, t) for t, _ in frames]
    for item, (_, image) in zip(found, frames, strict=True):
        np.testing.assert_array_equal(item.image, image)
        assert (item.topic, item.frame_id) == ('/front', 'camera')


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_compressed_images_come_back_nearly(tmp_path, storage):
    smooth = np.zeros((40, 64, 3), np.uint8) + np.arange(64, dtype=np.uint8)[None, :, None]
    write_image_bag(tmp_path / 'bag', [(START, smooth)], compressed=True, storage=storage)
    (item,) = iterate_images(tmp_path / 'bag')
    assert item.msgtype == bag_messages.COMPRESSED_TYPE
    assert np.abs(item.image.astype(int) - smooth).max() <= 4


def test_the_bytes_of_a_message_can_be_copied_to_another_bag(tmp_path):
    write_image_bag(tmp_path / 'one', pictures())
    with BagWriter(tmp_path / 'two') as bag:
        for item in iterate_images(tmp_path / 'one'):
            bag.raw(item.topic, item.cdr, item.msgtype, stamp=item.received)
    for first, second in zip(
        iterate_images(tmp_path / 'one'), iterate_images(tmp_path / 'two'), strict=True
    ):
        assert first.stamp == second.stamp
        np.testing.assert_array_equal(first.image, second.image)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_detections_come_back(tmp_path, storage):
    boxes = np.array([[10, 20, 110.5, 60], [0, 0, 5, 9]], np.float32)
    scores = np.array([0.9, 0.25], np.float32)
    with BagWriter(tmp_path / 'bag', storage=storage) as bag:
        bag.detections('/d', boxes, ('boat', 'buoy'), scores, stamp=START, frame_id='eye')
        bag.detections('/d', boxes[:0], (), stamp=START + 1, frame_id='eye')
    full, empty = iterate_detections(tmp_path / 'bag', '/d')
    np.testing.assert_allclose(full.boxes, boxes, atol=1e-4)
    np.testing.assert_allclose(full.scores, scores)
    assert (full.class_names, full.frame_id, full.stamp) == (('boat', 'buoy'), 'eye', START)
    assert empty.boxes.shape == (0, 4)
    assert empty.stamp == START + 1


def test_detections_have_the_published_type():
    assert message_types().hash_rihs01(DETECTIONS_TYPE) == DETECTIONS_HASH


def test_padded_big_endian_depth_pictures_are_read(tmp_path):
    rows = np.zeros((2, 10), np.uint8)
    rows[:, :6:2] = [[1, 2, 3], [4, 5, 6]]  # upper bytes come first; four bytes of padding
    cdr = raw_image(
        height=2, width=3, step=10, encoding='mono16', is_bigendian=1, data=rows.reshape(-1)
    )
    with BagWriter(tmp_path / 'bag') as bag:
        bag.raw('/image', cdr, bag_messages.IMAGE_TYPE, stamp=START)
    (item,) = iterate_images(tmp_path / 'bag')
    np.testing.assert_array_equal(item.image[..., 0], [[1, 2, 3], [4, 5, 6]])


def test_broken_messages_are_named_counted_and_skipped(tmp_path):
    good = raw_image()
    broken = [raw_image(encoding='weird'), raw_image(height=0), raw_image(height=99), good[:200]]
    with BagWriter(tmp_path / 'bag') as bag:
        for number, cdr in enumerate([good, *broken, b'', good]):
            bag.raw('/image', cdr, bag_messages.IMAGE_TYPE, stamp=START + number)
    skipped = []
    found = list(iterate_images(tmp_path / 'bag', on_skip=skipped.append))
    assert [item.received - START for item in found] == [0, 6]
    assert [item.index for item in skipped] == [1, 2, 3, 4, 5]
    assert "'weird'" in skipped[0].reason
    assert '40x0' in skipped[1].reason
    assert 'truncated' in skipped[2].reason
    assert all(item.topic == '/image' for item in skipped)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(cut=st.integers(0, 3000), at=st.integers(0, 120), value=st.integers(0, 255))
def test_any_damage_to_a_message_skips_it_or_reads_it(tmp_path, cut, at, value):
    damaged = bytearray(raw_image()[:cut])
    if at < len(damaged):
        damaged[at] = value
    path = tmp_path / 'bag'
    shutil.rmtree(path, ignore_errors=True)
    with BagWriter(path) as bag:
        bag.raw('/image', bytes(damaged), bag_messages.IMAGE_TYPE, stamp=START)
    skipped = []
    found = list(iterate_images(path, on_skip=skipped.append))
    assert len(found) + len(skipped) == 1


def test_several_image_topics_ask_for_a_choice(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        for topic in ('/left', '/right'):
            bag.image(topic, pictures(1)[0][1], stamp=START, frame_id='camera')
    with pytest.raises(UserError, match=r'(?s)found 2;.*/left.*/right'):
        list(iterate_images(tmp_path / 'bag'))
    assert len(list(iterate_images(tmp_path / 'bag', '/right'))) == 1
    with pytest.raises(UserError, match=r'(?s)topic /rear.*/left'):
        list(iterate_images(tmp_path / 'bag', '/rear'))
    assert [topic.name for topic in list_topics(tmp_path / 'bag')] == ['/left', '/right']


def test_a_bag_without_images_lists_what_it_has(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        bag.detections('/d', np.zeros((0, 4), np.float32), (), stamp=START, frame_id='eye')
    with pytest.raises(UserError, match=r'(?s)sensor_msgs.*/d  vision_msgs'):
        list(iterate_images(tmp_path / 'bag'))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_what_is_no_bag_is_refused_with_its_path(tmp_path, storage):
    with pytest.raises(UserError, match='found nothing'):
        list_topics(tmp_path / 'absent')
    (tmp_path / 'folder').mkdir()
    with pytest.raises(UserError, match='reindex'):
        list_topics(tmp_path / 'folder')
    write_image_bag(tmp_path / 'bag', pictures(), storage=storage)
    data = next(path for path in (tmp_path / 'bag').iterdir() if path.suffix != '.yaml')
    data.write_bytes(data.read_bytes()[:2000])
    with pytest.raises(UserError, match='readable rosbag2'):
        list(iterate_images(tmp_path / 'bag'))


def test_an_existing_bag_is_never_overwritten(tmp_path):
    write_image_bag(tmp_path / 'bag', pictures(1))
    with pytest.raises(UserError, match='does not exist yet'):
        write_image_bag(tmp_path / 'bag', pictures(1))
    assert len(list(iterate_images(tmp_path / 'bag'))) == 1
