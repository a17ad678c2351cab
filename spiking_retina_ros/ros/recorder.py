"""Records what the detector node publishes into a rosbag2."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray, LabelInfo
from visualization_msgs.msg import MarkerArray

from spiking_retina_ros.datasets.bags import BagWriter
from spiking_retina_ros.ros import qos

TOPICS: dict[str, type] = {
    'detections': Detection2DArray,
    'detections_early': Detection2DArray,
    'debug_image': Image,
    'bearings': MarkerArray,
    'label_info': LabelInfo,
    '/diagnostics': DiagnosticArray,
}


class Recorder:
    """
    Subscribes to everything the node publishes and writes it, as it comes, into ``bag``.

    Messages keep their serialized form; those that somebody listens to are decoded besides.
    """

    def __init__(self, node: Node, bag: BagWriter) -> None:
        self._node = node
        self._bag = bag
        self._listeners: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
        self.subscriptions = {topic: self._subscribe(topic) for topic in TOPICS}

    def listen(self, topic: str, callback: Callable[[Any], None]) -> None:
        """Call back with every message of a topic, after it was written."""
        self._listeners[topic].append(callback)

    @property
    def connected(self) -> bool:
        """Return whether the node's publishers have been found."""
        return all(self._node.count_publishers(topic) for topic in TOPICS)

    def _subscribe(self, topic: str) -> Any:
        profile = qos.latched() if topic == 'label_info' else qos.results()
        kind = TOPICS[topic]
        module = kind.__module__.partition('.')[0]
        type_name, name = f'{module}/msg/{kind.__name__}', self._node.resolve_topic_name(topic)

        def received(payload: bytes) -> None:
            self._bag.raw(name, payload, type_name, stamp=time.time_ns())
            if self._listeners[topic]:
                message = deserialize_message(payload, kind)
                for listener in self._listeners[topic]:
                    listener(message)

        return self._node.create_subscription(kind, topic, received, profile, raw=True)
