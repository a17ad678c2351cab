"""What a test uses to talk to a node in another process: publishers, collectors, services."""

from __future__ import annotations

import time
from collections import defaultdict

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray, LabelInfo

from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.image_messages import bgr_to_image


class Probe:
    def __init__(self) -> None:
        self.node = rclpy.create_node('probe')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._publishers = {}
        self._clients = {}
        self.received = defaultdict(list)

    def close(self) -> None:
        self._executor.shutdown(timeout_sec=0.5)
        self.node.destroy_node()

    def listen(self, topic, kind=Detection2DArray, profile=None):
        self.node.create_subscription(
            kind, topic, self.received[topic].append, profile or qos.results()
        )
        return self.received[topic]

    def listen_to_diagnostics(self):
        return self.listen('/diagnostics', DiagnosticArray)

    def listen_to_labels(self):
        return self.listen('label_info', LabelInfo, qos.latched())

    def publisher(self, topic='image', kind=Image, profile=None):
        if topic not in self._publishers:
            self._publishers[topic] = self.node.create_publisher(
                kind, topic, profile or qos.results()
            )
        return self._publishers[topic]

    def connect(self, topic='image', kind=Image, profile=None, timeout=20.0):
        publisher = self.publisher(topic, kind, profile)
        if not publisher.get_subscription_count():
            self.until(publisher.get_subscription_count, timeout, f'nobody hears {topic}')
            self.spin(0.3)  # the other way round, too, people must have found each other
        return publisher

    def send(self, image, stamp, topic='image', frame_id='camera_optical'):
        """Publish a BGR array; ``stamp`` in whole milliseconds."""
        self.connect(topic).publish(bgr_to_image(image, header(stamp, frame_id)))

    def send_compressed(self, data, stamp, topic='image/compressed', kind='jpeg'):
        message = CompressedImage(header=header(stamp), format=kind, data=data)
        self.connect(topic, CompressedImage).publish(message)

    def spin(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._executor.spin_once(timeout_sec=0.02)

    def until(self, condition, timeout=20.0, complaint='not in time', *, send=None):
        """Wait, and ``send`` at once and every second: what is best effort may get lost."""
        due = time.monotonic()
        end = due + timeout
        while not condition():
            assert time.monotonic() < end, complaint
            if send is not None and time.monotonic() >= due:
                send()
                due = time.monotonic() + 1.0
            self._executor.spin_once(timeout_sec=0.02)

    def client(self, kind, service):
        if service not in self._clients:
            client = self._clients[service] = self.node.create_client(kind, service)
            self.until(client.service_is_ready, complaint=f'no service {service}')
            self.spin(0.5)  # a server that has not found the client yet drops its answer
        return self._clients[service]

    def call(self, kind, service, request, timeout=20.0):
        future = self.client(kind, service).call_async(request)
        self.until(future.done, timeout, f'no answer from {service}')
        return future.result()

    def set_parameters(self, **values):
        parameters: list[ParameterMessage] = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        request = SetParametersAtomically.Request(parameters=parameters)
        service = 'detector_node/set_parameters_atomically'
        return self.call(SetParametersAtomically, service, request).result

    def state(self):
        answer = self.call(GetState, 'detector_node/get_state', GetState.Request())
        return answer.current_state.label

    def change_state(self, transition):
        request = ChangeState.Request()
        request.transition.id = transition
        return self.call(ChangeState, 'detector_node/change_state', request, 30.0).success


def header(milliseconds, frame_id='camera_optical'):
    message = Header(frame_id=frame_id)
    message.stamp.sec, rest = divmod(milliseconds, 1000)
    message.stamp.nanosec = rest * 1_000_000
    return message


def milliseconds(header):
    return header.stamp.sec * 1000 + header.stamp.nanosec // 1_000_000


def diagnostic_values(message, suffix):
    """Return level byte, text and values of the status whose name ends in ``suffix``."""
    for status in message.status:
        if status.name.endswith(suffix):
            return status.level, status.message, {item.key: item.value for item in status.values}
    raise AssertionError(f'no status {suffix} in {[item.name for item in message.status]}')
