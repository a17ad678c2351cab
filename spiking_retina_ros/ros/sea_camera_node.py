"""
The synthetic sea as a camera: publishes ``image`` and ``camera_info`` at a rate. Wiring only.

Drawing a picture takes longer than a camera may wait, so a loop of pictures is drawn once, on a
thread of its own, and played forwards and backwards, which keeps the motion smooth.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from spiking_retina_ros.datasets.sea_camera import SeaCamera, SeaCameraConfig
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.image_messages import bgr_to_image


@dataclass(frozen=True)
class _Spec:
    """A read-only parameter: default, description and inclusive limits."""

    default: int | float | str
    description: str
    limits: tuple[float, float] | None = None


PARAMETERS = {
    'seed': _Spec(0, 'Seed of the scene: the same seed gives the same pictures.', (0, 2**31 - 1)),
    'width': _Spec(1280, 'Width of the pictures in pixels.', (32, 7680)),
    'height': _Spec(720, 'Height of the pictures in pixels.', (32, 4320)),
    'rate': _Spec(10.0, 'Pictures per second.', (0.1, 240.0)),
    'frame_id': _Spec('camera_optical', 'Header frame, an optical one (z ahead).'),
    'loop_frames': _Spec(40, 'Pictures drawn before they repeat.', (1, 1000)),
}


class SeaCameraNode(Node):
    """Publishes the synthetic sea; raises UserError for wrong parameters."""

    def __init__(self) -> None:
        super().__init__('sea_camera_node')
        values = self._declare()
        self._frame_id = str(values['frame_id'])
        rate = float(values['rate'])
        config = SeaCameraConfig(
            width=int(values['width']),
            height=int(values['height']),
            seed=int(values['seed']),
            frame_rate=rate,
        )
        self._camera_info = camera_info(config)
        self._loop: list[Image] = []
        self._order: Iterator[int] | None = None
        self._stopping = threading.Event()
        self._images = self._publisher(Image, 'image')
        self._infos = self._publisher(CameraInfo, 'camera_info')
        self._artist = threading.Thread(
            target=self._draw, args=(config, int(values['loop_frames'])), daemon=True
        )
        self._artist.start()
        self._next = 0
        self._timer = self.create_timer(1.0 / rate, self._publish)
        self.get_logger().info(f'{config.width}x{config.height} at {rate:g} Hz')

    def stop(self, timeout: float) -> bool:
        """End the drawing thread; return whether it ended in time."""
        self._stopping.set()
        self._artist.join(timeout)
        return not self._artist.is_alive()

    def _draw(self, config: SeaCameraConfig, count: int) -> None:
        camera = SeaCamera(config)
        for index in range(count):
            if self._stopping.is_set():
                return
            self._loop.append(bgr_to_image(camera.frame(index).image, Header()))
        self._order = ping_pong(count)

    def _publish(self) -> None:
        if self._order is not None:
            self._next = next(self._order)
        elif self._next < len(self._loop) - 1:
            self._next += 1
        if not self._loop:
            return
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._frame_id)
        image, self._camera_info.header = self._loop[self._next], header
        image.header = header
        self._images.publish(image)
        self._infos.publish(self._camera_info)

    def _publisher(self, kind: type, topic: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        # Reliable, because that serves every subscriber; a picture replaces the one before.
        profile = qos.results(depth=1)
        return self.create_publisher(kind, topic, profile, qos_overriding_options=qos.overridable())

    def _declare(self) -> dict[str, int | float | str]:
        values = {}
        for name, spec in PARAMETERS.items():
            try:
                parameter = self.declare_parameter(name, spec.default, _descriptor(spec))
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                limits = f'{spec.limits[0]:g} to {spec.limits[1]:g}' if spec.limits else 'text'
                raise UserError(f'parameter {name}: expected {limits}: {error}') from error
            values[name] = parameter.value
        return values


def ping_pong(count: int) -> Iterator[int]:
    """Yield 0 to count - 1 and back again, for ever, without showing the ends twice."""
    return cycle(chain(range(count), range(count - 2, 0, -1)))


def camera_info(config: SeaCameraConfig) -> CameraInfo:
    """Return the calibration of the synthetic camera, which has no distortion."""
    matrix = config.intrinsics()
    message = CameraInfo(height=config.height, width=config.width, distortion_model='plumb_bob')
    message.d = [0.0] * 5
    message.k = [float(value) for value in matrix.ravel()]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [float(value) for row in matrix for value in (*row, 0.0)]
    return message


def _descriptor(spec: _Spec) -> ParameterDescriptor:
    message = ParameterDescriptor(description=spec.description, read_only=True)
    if spec.limits is not None:
        low, high = spec.limits
        if isinstance(spec.default, int):
            message.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        else:
            message.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return message
