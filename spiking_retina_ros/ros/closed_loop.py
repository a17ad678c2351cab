"""
Plays frames to a detector node and waits for each answer before the next: none can be dropped.

The node runs as a process of its own, everything goes through DDS, and all that the node
publishes is recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from spiking_retina_ros.datasets.bags import BagWriter
from spiking_retina_ros.detections import Detection, ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.child_process import DETECTOR, NodeProcess
from spiking_retina_ros.ros.detection_messages import read_detections
from spiking_retina_ros.ros.image_messages import image_to_bgr
from spiking_retina_ros.ros.recorder import Recorder

START_SECONDS = 180.0
SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Answer:
    """
    What came back for one frame.

    ``milliseconds`` is the time from publishing the frame to receiving its detections; ``picture``
    is the node's debug image, BGR uint8 (H, W, 3), or None where it did not come in time.
    """

    detections: tuple[Detection, ...]
    milliseconds: float
    picture: ImageArray | None


class ClosedLoop:
    """Sends frames one by one on the topic ``image`` and collects their answers."""

    def __init__(self, node: Node, recorder: Recorder, *, compressed: bool) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._recorder = recorder
        topic, kind = ('image/compressed', CompressedImage) if compressed else ('image', Image)
        self._publisher = node.create_publisher(kind, topic, qos.results())
        self._detections: Detection2DArray | None = None
        self._picture: Image | None = None
        self.diagnostics: dict[str, str] = {}
        recorder.listen('detections', self._on_detections)
        recorder.listen('debug_image', self._on_picture)
        recorder.listen('/diagnostics', self._on_diagnostics)

    def connect(self, timeout: float = 30.0) -> None:
        """Wait until both sides have found each other; UserError if they do not."""
        ready = self._until(
            lambda: self._recorder.connected and bool(self._publisher.get_subscription_count()),
            timeout,
        )
        if not ready:
            raise UserError('the detector node runs but its topics were not found over DDS')
        # What this side has found, the other side finds a little later.
        self._until(lambda: False, SETTLE_SECONDS)

    def play(self, cdr: bytes, stamp: int, *, timeout: float) -> Answer | None:
        """Send a serialized image with a stamp in nanoseconds; None if no answer came in time."""
        self._detections = self._picture = None
        started = time.perf_counter()
        self._publisher.publish(cdr)
        if not self._until(lambda: _stamp(self._detections) == stamp, timeout):
            return None
        milliseconds = (time.perf_counter() - started) * 1000
        self._until(lambda: _stamp(self._picture) == stamp, 2.0)
        picture = None if self._picture is None else image_to_bgr(self._picture)
        assert self._detections is not None
        return Answer(read_detections(self._detections), milliseconds, picture)

    def wait_for_diagnostics(self, answered: int, timeout: float = 10.0) -> dict[str, str]:
        """Return the node's own figures once they cover ``answered`` frames."""
        self._until(lambda: self.diagnostics.get('frames_answered') == str(answered), timeout)
        return self.diagnostics

    def close(self) -> None:
        """End the executor."""
        self._executor.shutdown(timeout_sec=0.5)

    def _until(self, condition: Callable[[], bool], timeout: float) -> bool:
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                return False
            self._executor.spin_once(timeout_sec=0.02)
        return True

    def _on_detections(self, message: Detection2DArray) -> None:
        self._detections = message

    def _on_picture(self, message: Image) -> None:
        self._picture = message

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith(': camera'):
                self.diagnostics = {item.key: item.value for item in status.values}


@contextmanager
def closed_loop(
    result_bag: Path, *, compressed: bool, parameters: Sequence[str] = ()
) -> Iterator[tuple[ClosedLoop, NodeProcess]]:
    """
    Start the detector node and yield a loop that is connected to it, and its process.

    ``parameters`` are further ``name:=value`` words. Environment variables for the DDS domain
    must be set already. The bag is finished and the process ended on leaving.
    """
    topic = '/image/compressed' if compressed else '/image'
    words = [
        'frame_policy:=every_frame',
        f'image_transport:={"compressed" if compressed else "raw"}',
        'diagnostics.period:=0.5',
        # A best-effort reader may miss what is sent while both sides get to know each other.
        f'qos_overrides.{topic}.subscription.reliability:=reliable',
        *parameters,
    ]
    arguments = ['--ros-args', *(item for word in words for item in ('-p', word))]
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        with NodeProcess(DETECTOR, arguments) as process, BagWriter(result_bag) as bag:
            process.wait_for('listening', START_SECONDS)
            node = rclpy.create_node('closed_loop')
            loop = ClosedLoop(node, Recorder(node, bag), compressed=compressed)
            loop.connect()
            yield loop, process
            loop.close()
            node.destroy_node()
    finally:
        rclpy.try_shutdown()


def _stamp(message: Detection2DArray | Image | None) -> int | None:
    if message is None:
        return None
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
