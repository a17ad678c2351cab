"""Where the demo's frames come from: the synthetic sea, photographs or a bag of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from spiking_retina_ros.datasets.bags import (
    BagImage,
    BagWriter,
    SkippedMessage,
    iterate_images,
    list_topics,
    write_image_bag,
)
from spiking_retina_ros.datasets.images import ReadingProblems, find_images, read_images
from spiking_retina_ros.datasets.sea_camera import SeaCamera, SeaCameraConfig
from spiking_retina_ros.detections import FloatArray
from spiking_retina_ros.errors import UserError

IMAGE_TYPE, COMPRESSED_TYPE = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
FRAME_PERIOD = 100_000_000  # nanoseconds
SEA_FRAMES = 30
FRAME_ID = 'camera_optical'


@dataclass(frozen=True)
class Truth:
    """What really is in a frame: boxes (N, 4) xyxy in pixels, and N class names."""

    boxes: FloatArray
    class_names: tuple[str, ...]


@dataclass
class Source:
    """
    A bag to play: its image topic and message type, and how many frames of it.

    ``truth`` maps stamps in nanoseconds to what is in the frame, where that is known.
    ``problems`` names what could not be read; it grows while frames are read.
    """

    bag: Path
    topic: str
    msgtype: str
    count: int
    truth: dict[int, Truth] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def compressed(self) -> bool:
        """Return whether the images are CompressedImage messages."""
        return self.msgtype == COMPRESSED_TYPE

    def frames(self) -> Iterator[BagImage]:
        """Yield the first ``count`` images; what does not decode is noted and skipped."""

        def skip(message: SkippedMessage) -> None:
            place = f'{self.bag}, {message.topic}, message {message.index}'
            self.problems.append(f'{place}: {message.reason}')

        images = iterate_images(self.bag, self.topic, on_skip=skip)
        for _, image in zip(range(self.count), images, strict=False):
            yield image


def sea_source(path: Path, *, frames: int, seed: int) -> Source:
    """Write a bag of a passage over the synthetic sea and return it with its truth."""
    # Two pictures a second: the demo shows half a minute of sea without playing 450 frames.
    config = SeaCameraConfig(seed=seed, frame_rate=2.0)
    camera = SeaCamera(config)
    truth = {}
    image_topic, truth_topic = '/camera/image_raw', '/camera/ground_truth'
    with BagWriter(path) as bag:
        for index in tqdm(range(frames), desc='synthetic sea', unit='frame'):
            frame = camera.frame(index)
            stamp = round((1 + frame.stamp) * 1e9)
            truth[stamp] = Truth(frame.boxes, frame.class_names)
            bag.image(image_topic, frame.image, stamp=stamp, frame_id=FRAME_ID)
            bag.camera_info(
                '/camera/camera_info',
                config.intrinsics(),
                width=config.width,
                height=config.height,
                stamp=stamp,
                frame_id=FRAME_ID,
            )
            bag.detections(
                truth_topic, frame.boxes, frame.class_names, stamp=stamp, frame_id=FRAME_ID
            )
    return Source(path, image_topic, IMAGE_TYPE, frames, truth)


def photograph_source(path: Path, images: Path, *, frames: int | None) -> Source:
    """Write a bag of photographs; those that cannot be read are named and left out."""
    found = find_images([images])[:frames]
    unreadable = ReadingProblems()
    bar = tqdm(read_images(found, unreadable), total=len(found), desc='photographs', unit='image')
    pictures = (((index + 1) * FRAME_PERIOD, image) for index, (_, image) in enumerate(bar))
    topic = '/camera/image_raw'
    count = write_image_bag(path, pictures, topic=topic, frame_id=FRAME_ID)
    if not count:
        raise UserError(f'{images}: none of {len(found)} images can be read')
    return Source(path, topic, IMAGE_TYPE, count, problems=unreadable.reasons)


def bag_source(bag: Path, topic: str | None, *, frames: int | None) -> Source:
    """Use a bag as it is; ``topic`` may be left out where there is one image topic."""
    first = next(iterate_images(bag, topic), None)
    if first is None:
        raise UserError(f'{bag}: expected images, found none that decodes')
    total = next(item.count for item in list_topics(bag) if item.name == first.topic)
    return Source(bag, first.topic, first.msgtype, min(total, frames or total))
