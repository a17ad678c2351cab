"""
From one received frame to everything published for it.

The node's worker calls this for live frames, ``replay`` for those of a bag: the same code in the
same order, with or without middleware in between.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from spiking_retina_ros.detections import FrameResult, ImageArray
from spiking_retina_ros.ros.bearing_markers import bearing_markers
from spiking_retina_ros.ros.bearings import CameraModel, bearings
from spiking_retina_ros.ros.detection_messages import detections_message
from spiking_retina_ros.ros.image_messages import bgr_to_image, compressed_to_bgr, image_to_bgr
from spiking_retina_ros.ros.network import Network, detect, detect_early
from spiking_retina_ros.ros.overlay import draw_answer
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.statistics import Timing


class FrameDropped(Exception):  # noqa: N818 - not an error of the program
    """A frame gets no answer: ``reason`` is the name it is counted under."""

    def __init__(self, reason: str, message: str = '') -> None:
        super().__init__(message or reason)
        self.reason = reason


@dataclass(frozen=True)
class Frame:
    """
    An image as it came: which camera, its serialized message, and when it arrived.

    The message is kept serialized because the newest frame wins: those that give way to it are
    never decoded, and a malformed one cannot stop the executor. ``arrived`` is a monotonic time
    in seconds.
    """

    camera: str
    payload: bytes
    compressed: bool
    arrived: float


class Outputs(Protocol):
    """Where the answers to one camera's frames go."""

    def publish_detections(self, message: Detection2DArray) -> None:
        """Take the final detections; called exactly once per answered frame."""

    def publish_early(self, message: Detection2DArray) -> None:
        """Take the detections of the short window, before the final ones."""

    def wants_debug_image(self) -> bool:
        """Return whether anybody looks at the debug image."""

    def publish_debug_image(self, message: Image) -> None:
        """Take the picture with boxes."""

    def publish_bearings(self, message: MarkerArray) -> None:
        """Take the bearing markers; called only where the camera is calibrated."""


@dataclass(frozen=True)
class Context:
    """What answering needs beside the frame; taken anew for each one."""

    network: Network
    settings: Settings
    camera_model: CameraModel | None
    frame_rate: float = 0.0


class RosTime(Protocol):
    """A clock that gives ROS time in seconds."""

    def __call__(self) -> float:
        """Return the time of this moment."""


def answer(
    frame: Frame, context: Context, outputs: Outputs, ros_time: RosTime
) -> tuple[FrameResult, Timing]:
    """
    Decode a frame, run the network and publish; return the result and what it took.

    Raises FrameDropped with reason ``undecodable`` or ``too_old``; nothing is published then.
    """
    started = time.perf_counter()
    message = _message(frame)
    header: Header = message.header
    stamp = header.stamp.sec + header.stamp.nanosec * 1e-9
    _check_age(ros_time() - stamp, context.settings.max_frame_age)
    image = _decoded(message)
    decoded = time.perf_counter()

    early_ms = None
    if context.settings.early_steps:
        first = detect_early(context.network, image, context.settings)
        outputs.publish_early(detections_message(first, header))
        early_ms = _milliseconds(decoded)
    result = detect(context.network, image, context.settings)
    inferred = time.perf_counter()

    outputs.publish_detections(detections_message(result, header))
    age = ros_time() - stamp
    total = (time.monotonic() - frame.arrived) * 1000
    _publish_pictures(image, result, header, context, outputs)
    timing = Timing(
        decode=(decoded - started) * 1000,
        inference=(inferred - decoded) * 1000,
        publish=_milliseconds(inferred),
        total=total,
        age=age * 1000,
        early=early_ms,
    )
    return result, timing


def _publish_pictures(
    image: ImageArray, result: FrameResult, header: Header, context: Context, outputs: Outputs
) -> None:
    """Publish what only people look at, after the detections have gone out."""
    settings = context.settings
    if context.camera_model is not None and context.camera_model.is_calibrated:
        markers = bearing_markers(
            bearings(result, context.camera_model),
            header,
            length=settings.bearings_length,
            lifetime=settings.bearings_lifetime,
        )
        outputs.publish_bearings(markers)
    if outputs.wants_debug_image():
        picture = draw_answer(image, result, frame_rate=context.frame_rate)
        outputs.publish_debug_image(bgr_to_image(picture, header))


def _message(frame: Frame) -> Image | CompressedImage:
    kind = CompressedImage if frame.compressed else Image
    try:
        return deserialize_message(frame.payload, kind)
    except RuntimeError as error:
        # rclpy has no narrower public type for what its middleware refuses.
        raise FrameDropped(
            'undecodable',
            f'expected a {kind.__name__} message, found {len(frame.payload)} bytes that are none '
            f'({error})',
        ) from error


def _decoded(message: Image | CompressedImage) -> ImageArray:
    try:
        if isinstance(message, CompressedImage):
            return compressed_to_bgr(message)
        return image_to_bgr(message)
    except ValueError as error:
        raise FrameDropped('undecodable', str(error)) from error


def _check_age(age: float, limit: float) -> None:
    if limit > 0 and age > limit:
        raise FrameDropped('too_old', f'stamp {age:.2f} s old, expected at most {limit:g} s')


def _milliseconds(since: float) -> float:
    return (time.perf_counter() - since) * 1000
