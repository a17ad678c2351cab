"""Reads images and detections from rosbag2 bags, mcap or sqlite3, without ROS."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rosbags.rosbag2 import Reader, ReaderError
from rosbags.serde import SerdeError

from spiking_retina_ros.datasets.bag_messages import (
    IMAGE_TYPES,
    BagDetections,
    decode_message,
    read_detections,
    stamp_of,
)
from spiking_retina_ros.datasets.bag_writer import BagWriter, Storage, write_image_bag
from spiking_retina_ros.datasets.vision_messages import DETECTIONS_TYPE, message_types
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError

__all__ = [
    'BagDetections',
    'BagImage',
    'BagTopic',
    'BagWriter',
    'SkippedMessage',
    'Storage',
    'iterate_detections',
    'iterate_images',
    'list_topics',
    'write_image_bag',
]
_Item = TypeVar('_Item')
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag, its message type and how many messages it has."""

    name: str
    msgtype: str
    count: int


@dataclass(frozen=True)
class BagImage:
    """
    One picture of a bag.

    ``stamp`` is the header's and ``received`` the bag's time, in nanoseconds; ``image`` is uint8
    BGR (H, W, 3); ``cdr`` are the message's own bytes, for replaying it unchanged.
    """

    stamp: int
    topic: str
    image: ImageArray
    cdr: bytes
    msgtype: str
    frame_id: str
    received: int


@dataclass(frozen=True)
class SkippedMessage:
    """A message that could not be read: number ``index`` (from 0) of its topic, and why."""

    topic: str
    index: int
    received: int
    reason: str


SkipHandler = Callable[[SkippedMessage], None]


def list_topics(path: Path | str) -> tuple[BagTopic, ...]:
    """Return the topics of a bag, sorted by name; UserError where it is no readable bag."""
    with _open(path) as reader:
        counts: dict[tuple[str, str], int] = {}
        for item in reader.connections:
            key = (item.topic, item.msgtype)
            counts[key] = counts.get(key, 0) + item.msgcount
        return tuple(BagTopic(*key, count) for key, count in sorted(counts.items()))


def iterate_images(
    path: Path | str, topic: str | None = None, *, on_skip: SkipHandler | None = None
) -> Iterator[BagImage]:
    """
    Yield the pictures of a bag in the order they were recorded.

    Without ``topic`` the bag's only image topic is read. A message that cannot be decoded is
    skipped and given to ``on_skip`` (default: logged as a warning). Raises UserError for a path
    that is no readable bag, a topic that is absent or of another type, and where there are none or
    several image topics to choose from.
    """
    yield from _iterate(path, _choose(path, topic, IMAGE_TYPES), on_skip or _log, _read_image)


def iterate_detections(
    path: Path | str, topic: str | None = None, *, on_skip: SkipHandler | None = None
) -> Iterator[BagDetections]:
    """Yield the Detection2DArrays of a bag; chooses, skips and raises as ``iterate_images``."""

    def read(cdr: bytes, item: BagTopic, _received: int) -> BagDetections:
        return read_detections(message_types().deserialize_cdr(cdr, item.msgtype), item.name)

    yield from _iterate(path, _choose(path, topic, (DETECTIONS_TYPE,)), on_skip or _log, read)


def _read_image(cdr: bytes, item: BagTopic, received: int) -> BagImage:
    message: Any = message_types().deserialize_cdr(cdr, item.msgtype)
    image = decode_message(message, item.msgtype)
    frame_id = message.header.frame_id
    return BagImage(stamp_of(message), item.name, image, cdr, item.msgtype, frame_id, received)


def _iterate(
    path: Path | str,
    topic: BagTopic,
    on_skip: SkipHandler,
    read: Callable[[bytes, BagTopic, int], _Item],
) -> Iterator[_Item]:
    with _open(path) as reader:
        wanted = [item for item in reader.connections if item.topic == topic.name]
        for index, (_, received, cdr) in enumerate(reader.messages(wanted)):
            try:
                item = read(cdr, topic, received)
            except (ValueError, SerdeError) as error:
                on_skip(SkippedMessage(topic.name, index, received, str(error)))
                continue
            yield item


def _log(skipped: SkippedMessage) -> None:
    _LOGGER.warning('%s: message %d skipped: %s', skipped.topic, skipped.index, skipped.reason)


def _choose(path: Path | str, topic: str | None, types: tuple[str, ...]) -> BagTopic:
    """Return the topic to read, or raise a UserError that lists what the bag has."""
    topics = list_topics(path)
    listing = ''.join(f'\n  {item.name}  {item.msgtype}  {item.count}' for item in topics)
    names = ' or '.join(types)
    fitting = [item for item in topics if item.msgtype in types]
    if topic is not None:
        fitting = [item for item in fitting if item.name == topic]
        if not fitting:
            raise UserError(f'{path}: expected topic {topic} of type {names}, found{listing}')
    if not fitting:
        raise UserError(f'{path}: expected a topic of type {names}, found{listing or " no topic"}')
    if len(fitting) > 1:
        raise UserError(
            f'{path}: expected one topic of type {names}, found {len(fitting)}; '
            f'name the one to read:{listing}'
        )
    return fitting[0]


@contextmanager
def _open(path: Path | str) -> Iterator[Reader]:
    """Open a bag folder, or the single file in one, with errors a user can act on."""
    place = Path(path)
    if not place.exists():
        raise UserError(f'{place}: expected a rosbag2 folder, found nothing')
    if place.is_dir() and not (place / 'metadata.yaml').exists():
        raise UserError(
            f'{place}: expected a rosbag2 folder with metadata.yaml, found none; '
            f'"ros2 bag reindex {place}" writes it for a recording that was cut off'
        )
    try:
        with Reader(place) as reader:
            yield reader
    except (ReaderError, OSError) as error:
        raise UserError(f'{place}: expected a readable rosbag2 bag, found: {error}') from error
