"""
Every image of a bag through the node's own answering, in order, without middleware.

What the node would do with a frame, ``answering.answer`` does here too; only the way of the
messages differs. Nothing is dropped for lack of time, so two runs give identical detections.
"""

from __future__ import annotations

import struct
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CameraInfo, Image
from tqdm import tqdm
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from spiking_retina_ros.datasets.bags import BagTopic, BagWriter, iterate_detections, list_topics
from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.detections import FrameResult
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.precision import Precision, measure
from spiking_retina_ros.retinanet.validation import result_entries
from spiking_retina_ros.ros.answering import Context, Frame, FrameDropped, answer
from spiking_retina_ros.ros.bearing_markers import camera_model
from spiking_retina_ros.ros.network import Network
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.statistics import Timing

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
CAMERA_INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
DETECTIONS_TYPE = 'vision_msgs/msg/Detection2DArray'


@dataclass(frozen=True)
class Topics:
    """The topics of a bag that replay uses; those that are None do without."""

    image: BagTopic
    camera_info: BagTopic | None
    truth: BagTopic | None


@dataclass
class Replay:
    """What came out: one result per answered frame, by its header stamp in nanoseconds."""

    stamps: list[int] = field(default_factory=list)
    results: list[FrameResult] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    frames: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class BagOutputs:
    """Writes one camera's answers into a bag, under the time the image has in its own bag."""

    def __init__(self, bag: BagWriter, *, debug_image: bool) -> None:
        self._bag = bag
        self._debug_image = debug_image
        self.time = 0

    def publish_detections(self, message: Detection2DArray) -> None:
        """Write the final detections."""
        self._write('/detections', message)

    def publish_early(self, message: Detection2DArray) -> None:
        """Write the detections of the short window."""
        self._write('/detections_early', message)

    def wants_debug_image(self) -> bool:
        """Return whether pictures were asked for."""
        return self._debug_image

    def publish_debug_image(self, message: Image) -> None:
        """Write the picture with boxes."""
        self._write('/debug_image', message)

    def publish_bearings(self, message: MarkerArray) -> None:
        """Write the bearing markers."""
        self._write('/bearings', message)

    def _write(self, topic: str, message: Any) -> None:
        package = type(message).__module__.partition('.')[0]
        type_name = f'{package}/msg/{type(message).__name__}'
        self._bag.raw(topic, serialize_message(message), type_name, stamp=self.time)


def choose_topics(bag: Path, image: str | None, truth: str | None) -> Topics:
    """Choose what to replay; UserError where a topic is missing or the choice is not plain."""
    topics = list_topics(bag)
    chosen = _only(bag, topics, IMAGE_TYPES, image, '--topic')
    if chosen is None:
        raise UserError(f'{bag}: expected a topic of type {" or ".join(IMAGE_TYPES)}, found none')
    camera = chosen.name.removesuffix('/compressed').rpartition('/')[0]
    infos = [item for item in topics if item.msgtype == CAMERA_INFO_TYPE]
    beside = [item for item in infos if item.name == f'{camera}/camera_info']
    truth_topic = _only(bag, topics, (DETECTIONS_TYPE,), truth, '--truth-topic')
    return Topics(chosen, beside[0] if beside else None, truth_topic)


def replay(
    bag: Path,
    topics: Topics,
    network: Network,
    settings: Settings,
    result_bag: BagWriter,
    *,
    debug_image: bool = False,
    copy_input: bool = False,
) -> Replay:
    """Answer every image of the bag into ``result_bag``; what cannot be answered is counted."""
    done = Replay()
    outputs = BagOutputs(result_bag, debug_image=debug_image)
    model = None
    for item, received, cdr in tqdm(
        _messages(bag), total=sum(item.count for item in list_topics(bag)), unit='message'
    ):
        if copy_input:
            result_bag.raw(item.name, cdr, item.msgtype, stamp=received)
        if item == topics.camera_info:
            model = camera_model(deserialize_message(cdr, CameraInfo))
        if item.name != topics.image.name:
            continue
        done.frames += 1
        outputs.time = received
        frame = Frame('', cdr, item.msgtype == IMAGE_TYPES[1], time.monotonic())
        try:
            result, timing = answer(
                frame, Context(network, settings, model), outputs, lambda now=received: now * 1e-9
            )
        except FrameDropped as dropped:
            done.dropped[dropped.reason] += 1
            done.problems.append(f'{item.name}, image {done.frames - 1}: {dropped}')
            continue
        done.stamps.append(_stamp(cdr))
        done.results.append(result)
        done.timings.append(timing)
    return done


def precision(
    done: Replay, bag: Path, truth: BagTopic, class_names: Sequence[str]
) -> Precision | None:
    """
    Return the average precision of the published boxes against the bag's ground truth.

    Only frames for which the bag has a truth of the same stamp count; None if there are none.
    """
    known = {item.stamp: item for item in iterate_detections(bag, truth.name)}
    images, entries = [], []
    for number, (stamp, result) in enumerate(zip(done.stamps, done.results, strict=True)):
        if stamp not in known:
            continue
        kept = [index for index, name in enumerate(known[stamp].class_names) if name in class_names]
        boxes = known[stamp].boxes[kept]
        names = [known[stamp].class_names[index] for index in kept]
        labels = np.array([class_names.index(name) for name in names], np.int64)
        images.append(CocoImage(number, bag, result.image_size, boxes, labels))
        found = np.array([class_names.index(name) for name in result.class_names], np.int64)
        entries += result_entries(number, result.boxes, result.scores, found)
    return measure(images, class_names, entries)[0] if images else None


def _messages(bag: Path) -> Iterator[tuple[BagTopic, int, bytes]]:
    topics = {item.name: item for item in list_topics(bag)}
    with Reader(bag) as reader:
        for connection, received, cdr in reader.messages():
            yield topics[connection.topic], received, bytes(cdr)


def _only(
    bag: Path, topics: Sequence[BagTopic], types: Sequence[str], name: str | None, option: str
) -> BagTopic | None:
    fitting = [item for item in topics if item.msgtype in types and name in (None, item.name)]
    if len(fitting) > 1:
        names = ', '.join(item.name for item in fitting)
        raise UserError(f'{bag}: expected one topic, found {names}: choose with {option}')
    if not fitting and name is not None:
        listing = ', '.join(f'{item.name} ({item.msgtype})' for item in topics)
        raise UserError(f'{bag}: expected topic {name} of type {types[0]}, found {listing}')
    return fitting[0] if fitting else None


def _stamp(cdr: bytes) -> int:
    """Return the header stamp, in nanoseconds, of a serialized message that begins with one."""
    order = '<' if cdr[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', cdr, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
