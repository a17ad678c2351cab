"""Writes rosbag2 bags, mcap or sqlite3, without ROS."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from spiking_retina_ros.datasets import bag_messages
from spiking_retina_ros.datasets.vision_messages import DETECTIONS_TYPE, message_types
from spiking_retina_ros.detections import FloatArray, ImageArray
from spiking_retina_ros.errors import UserError

Storage = Literal['mcap', 'sqlite3']
_PLUGINS = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_METADATA_VERSION: Literal[9] = 9  # ROS 2 Jazzy's


class BagWriter:
    """
    A new bag, to be used in a ``with`` statement; stamps are nanoseconds.

    Topics come into being with their first message. Every message is stored under its header's
    stamp, so that a bag is the same whenever it is made. Raises UserError where the path exists
    already or cannot be written.
    """

    def __init__(self, path: Path | str, *, storage: Storage = 'mcap') -> None:
        if storage not in _PLUGINS:
            raise UserError(f'storage: expected one of {", ".join(_PLUGINS)}, found {storage!r}')
        self._path = Path(path)
        self._connections: dict[str, Any] = {}
        try:
            self._writer = Writer(
                self._path, version=_METADATA_VERSION, storage_plugin=_PLUGINS[storage]
            )
        except WriterError as error:
            raise UserError(
                f'{self._path}: expected a bag that does not exist yet ({error})'
            ) from error

    def __enter__(self) -> BagWriter:
        """Create the bag's folder and file."""
        try:
            self._writer.open()
        except (OSError, WriterError) as error:
            raise UserError(f'{self._path}: a bag cannot be written here ({error})') from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the bag; after an error too, so that what was written can be read."""
        self._writer.close()

    def image(
        self, topic: str, image: ImageArray, *, stamp: int, frame_id: str, compressed: bool = False
    ) -> None:
        """Write a BGR picture (H, W, 3) uint8 as bgr8 Image or jpeg CompressedImage."""
        build = bag_messages.compressed_message if compressed else bag_messages.image_message
        msgtype = bag_messages.COMPRESSED_TYPE if compressed else bag_messages.IMAGE_TYPE
        self.message(topic, build(image, stamp=stamp, frame_id=frame_id), msgtype, stamp=stamp)

    def camera_info(
        self,
        topic: str,
        intrinsics: NDArray[np.float64],
        *,
        width: int,
        height: int,
        stamp: int,
        frame_id: str,
    ) -> None:
        """Write the CameraInfo of an undistorted camera."""
        message = bag_messages.camera_info_message(
            intrinsics, width=width, height=height, stamp=stamp, frame_id=frame_id
        )
        self.message(topic, message, bag_messages.CAMERA_INFO_TYPE, stamp=stamp)

    def detections(
        self,
        topic: str,
        boxes: FloatArray,
        class_names: tuple[str, ...],
        scores: FloatArray | None = None,
        *,
        stamp: int,
        frame_id: str,
    ) -> None:
        """Write a Detection2DArray of boxes (N, 4) xyxy in pixels; no scores means ground truth."""
        message = bag_messages.detections_message(
            boxes, class_names, scores, stamp=stamp, frame_id=frame_id
        )
        self.message(topic, message, DETECTIONS_TYPE, stamp=stamp)

    def message(self, topic: str, message: Any, msgtype: str, *, stamp: int) -> None:
        """Write any message of ``message_types()``."""
        data = message_types().serialize_cdr(message, msgtype)
        self.raw(topic, bytes(data), msgtype, stamp=stamp)

    def raw(self, topic: str, cdr: bytes, msgtype: str, *, stamp: int) -> None:
        """Write the bytes of a message as they are, for example to copy it from another bag."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, msgtype, typestore=message_types()
            )
        self._writer.write(self._connections[topic], stamp, cdr)


def write_image_bag(
    path: Path | str,
    frames: Iterable[tuple[int, ImageArray]],
    *,
    topic: str = '/camera/image_raw',
    frame_id: str = 'camera',
    compressed: bool = False,
    storage: Storage = 'mcap',
) -> int:
    """
    Write (stamp in ns, BGR picture) pairs as a bag with one image topic; return their number.

    Raises UserError where the path exists already or cannot be written.
    """
    count = 0
    with BagWriter(path, storage=storage) as bag:
        for stamp, image in frames:
            bag.image(topic, image, stamp=stamp, frame_id=frame_id, compressed=compressed)
            count += 1
    return count
