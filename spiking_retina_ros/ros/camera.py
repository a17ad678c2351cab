"""One camera of the node: its topics, its statistics, and what is known about it."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.lifecycle import LifecycleNode
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.answering import Frame
from spiking_retina_ros.ros.bearing_markers import camera_model
from spiking_retina_ros.ros.bearings import CameraModel
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.silence import Endpoint, Listening, explain
from spiking_retina_ros.ros.statistics import CameraStatistics


class Camera:
    """
    The ROS side of one camera; also the Outputs of its answers.

    Publishers live from configure to cleanup, subscriptions from activate to deactivate.
    """

    def __init__(
        self,
        node: LifecycleNode,
        name: str,
        settings: Settings,
        receive: Callable[[Frame], None],
    ) -> None:
        self.name = name
        self.statistics = CameraStatistics()
        self.camera_model: CameraModel | None = None
        self._node = node
        self._receive = receive
        self._compressed = settings.image_transport == 'compressed'
        self._subscriptions: list = []
        self._activated = 0.0
        every = settings.frame_policy == 'every_frame'
        self._image_qos = qos.images(depth=settings.queue_size) if every else qos.images()
        self._detections = self._publisher(Detection2DArray, 'detections')
        self._early = self._publisher(Detection2DArray, 'detections_early')
        self._debug_image = self._publisher(Image, 'debug_image')
        self._bearings = self._publisher(MarkerArray, 'bearings')

    @property
    def label(self) -> str:
        """Return the name people see; the unnamed camera is plain ``camera``."""
        return self.name or 'camera'

    @property
    def image_topic(self) -> str:
        """Return the full name of the topic listened to, remappings applied."""
        base = self._node.resolve_topic_name(self._topic('image'))
        # Like image_transport: the compressed topic belongs to the base topic, remapped or not.
        return f'{base}/compressed' if self._compressed else base

    def subscribe(self) -> None:
        """Begin to listen."""
        self.start_afresh()
        kind = CompressedImage if self._compressed else Image
        self._subscriptions = [
            self._node.create_subscription(
                kind,
                self.image_topic,
                self._on_image,
                self._image_qos,
                raw=True,
                qos_overriding_options=qos.overridable(),
            ),
            self._node.create_subscription(
                CameraInfo,
                self._topic('camera_info'),
                self._on_camera_info,
                qos.camera_info(),
                raw=True,
            ),
        ]

    def start_afresh(self) -> None:
        """Forget all statistics: at activation, and when simulated time went back."""
        self.statistics.reset()
        self._activated = time.monotonic()

    def unsubscribe(self) -> None:
        """Stop to listen, and forget the calibration."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        self.camera_model = None

    def destroy(self) -> None:
        """Take the topics back."""
        self.unsubscribe()
        for publisher in (self._detections, self._early, self._debug_image, self._bearings):
            self._node.destroy_lifecycle_publisher(publisher)

    def complaint(self, *, silence: float) -> str:
        """Return what is wrong if no image was answered for ``silence`` seconds, else ''."""
        if not self._subscriptions:
            return ''
        snapshot = self.statistics.snapshot()
        quiet = time.monotonic() - self._activated
        if snapshot.seconds_since_answer is not None:
            quiet = snapshot.seconds_since_answer
        if quiet < silence:
            return ''
        since_image = snapshot.seconds_since_image
        arriving = since_image is not None and since_image < silence
        if arriving and not snapshot.unanswered_error:
            return ''  # frames come, the network is just slower than the limit
        return explain(
            self._listening(),
            self._publishers(),
            received=snapshot.received if arriving else 0,
            last_error=snapshot.unanswered_error,
            seconds=quiet if since_image is None else since_image,
        )

    def publish_detections(self, message: Detection2DArray) -> None:
        """Publish the final detections."""
        self._detections.publish(message)

    def publish_early(self, message: Detection2DArray) -> None:
        """Publish the detections of the short window."""
        self._early.publish(message)

    def wants_debug_image(self) -> bool:
        """Return whether anybody subscribes to the debug image."""
        return bool(self._debug_image.get_subscription_count())

    def publish_debug_image(self, message: Image) -> None:
        """Publish the picture with boxes."""
        self._debug_image.publish(message)

    def publish_bearings(self, message: MarkerArray) -> None:
        """Publish the bearing markers."""
        self._bearings.publish(message)

    def _topic(self, name: str) -> str:
        return f'{self.name}/{name}' if self.name else name

    def _publisher(self, kind: type, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return self._node.create_lifecycle_publisher(kind, self._topic(name), qos.results())

    def _on_image(self, payload: bytes) -> None:
        self.statistics.image_received()
        self._receive(Frame(self.name, payload, self._compressed, time.monotonic()))

    def _on_camera_info(self, payload: bytes) -> None:
        try:
            self.camera_model = camera_model(deserialize_message(payload, CameraInfo))
        except RuntimeError as error:
            self._node.get_logger().warning(
                f'{self._topic("camera_info")}: expected a CameraInfo message: {error}',
                throttle_duration_sec=10.0,
            )

    def _listening(self) -> Listening:
        kind = 'CompressedImage' if self._compressed else 'Image'
        return Listening(
            self.image_topic,
            f'sensor_msgs/msg/{kind}',
            self._image_qos.reliability.name.lower(),
            self._image_qos.durability.name.lower(),
        )

    def _publishers(self) -> list[Endpoint]:
        return [
            Endpoint(
                node=f'{item.node_namespace.rstrip("/")}/{item.node_name}',
                type_name=item.topic_type,
                reliability=item.qos_profile.reliability.name.lower(),
                durability=item.qos_profile.durability.name.lower(),
            )
            for item in self._node.get_publishers_info_by_topic(self.image_topic)
        ]
