"""
The soak: a real camera and a real node for a long time, with everything that goes wrong at sea.

The camera restarts, parameters change, malformed messages come in between, and near the end the
node is killed and started again.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from tqdm import tqdm

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.child_process import DETECTOR, SEA_CAMERA, NodeProcess
from spiking_retina_ros.ros.malformed import malformed_messages
from spiking_retina_ros.ros.soak_report import NodeLife, SoakReport

MALFORMED_PER_SECOND = 20
KILL_AT = 0.8  # share of the time after which the node is killed
START_SECONDS = 180.0
ANSWER_SECONDS = 30.0

CHANGES: tuple[dict[str, Any], ...] = (
    {'score_threshold': 0.2, 'nms_threshold': 0.6},
    {'max_detections': 5},
    {'classes': ['boat']},
    {'max_frame_age': 5.0},
    {'classes': [''], 'max_detections': 100, 'max_frame_age': 0.0},
    {'score_threshold': 0.4, 'nms_threshold': 0.5},
)


@dataclass
class _Periodic:
    """Something that is due every ``period`` seconds."""

    period: float
    action: Callable[[], None]
    due: float = 0.0

    def run(self, now: float) -> None:
        if now >= self.due:
            self.due = now + self.period
            self.action()


class Soak:
    """Runs camera and detector as processes and keeps count; use as a context manager."""

    def __init__(
        self, *, seconds: float, rate: float, size: tuple[int, int], parameters: Sequence[str]
    ) -> None:
        self.report = SoakReport(seconds)
        self._camera_words = [f'rate:={rate}', f'width:={size[0]}', f'height:={size[1]}']
        self._node_words = ['diagnostics.period:=0.5', *parameters]
        self._changes: Iterator[dict[str, Any]] = cycle(CHANGES)
        self._broken = malformed_messages(seed=0)
        self._stack = ExitStack()
        self._node_started = 0.0

    def __enter__(self) -> Soak:
        """Start everything; UserError if it does not start."""
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        self._stack.callback(rclpy.try_shutdown)
        self._ros = rclpy.create_node('soak')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._ros)
        self._publisher = self._ros.create_publisher(Image, 'image', qos.results(depth=1))
        self._ros.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.results()
        )
        self._client = self._ros.create_client(
            SetParametersAtomically, 'detector_node/set_parameters_atomically'
        )
        try:
            self._camera = self._start(SEA_CAMERA, self._camera_words, 'Hz')
            self._start_node()
        except UserError:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End everything."""
        self._stack.close()

    def run(self) -> SoakReport:
        """Soak for the given time and return what was found."""
        seconds = self.report.seconds
        tasks = [
            _Periodic(1.0 / MALFORMED_PER_SECOND, self._send_malformed),
            _Periodic(1.0, self._sample),
            _Periodic(max(1.0, seconds / 120), self._change_parameters),
            _Periodic(max(8.0, seconds / 20), self._restart_camera, seconds / 10),
        ]
        started = time.monotonic()
        killed = False
        with tqdm(total=round(seconds), desc='soak', unit='s') as bar:
            while (now := time.monotonic() - started) < seconds:
                for task in tasks:
                    task.run(now)
                if not killed and now > seconds * KILL_AT:
                    killed = True
                    self._kill_and_restart_node()
                self._executor.spin_once(timeout_sec=0.01)
                bar.update(round(now) - bar.n)
        self._spin(ANSWER_SECONDS, until=lambda: self._life.seconds_to_first_answer is not None)
        self._end_node()
        return self.report

    @property
    def _life(self) -> NodeLife:
        return self.report.lives[-1]

    def _start(self, module: str, words: Sequence[str], ready: str) -> NodeProcess:
        arguments = ['--ros-args', *(item for word in words for item in ('-p', word))]
        process = self._stack.enter_context(NodeProcess(module, arguments))
        process.wait_for(ready, START_SECONDS)
        return process

    def _start_node(self) -> None:
        self.report.lives.append(NodeLife())
        self._node_started = time.monotonic()
        self._node = self._start(DETECTOR, self._node_words, 'listening')

    def _send_malformed(self) -> None:
        self._publisher.publish(next(self._broken))
        self.report.malformed += 1

    def _change_parameters(self) -> None:
        if not self._client.service_is_ready():
            return
        parameters = [
            Parameter(name, value=value).to_parameter_msg()
            for name, value in next(self._changes).items()
        ]
        future = self._client.call_async(SetParametersAtomically.Request(parameters=parameters))
        future.add_done_callback(self._on_change)

    def _on_change(self, future: Any) -> None:
        result = future.result().result
        self.report.parameter_changes += 1
        if not result.successful:
            self.report.refusals.append(result.reason)

    def _restart_camera(self) -> None:
        status = self._camera.stop()
        if status:
            self.report.crashes.append(f'the camera ended with status {status}')
        self.report.camera_restarts += 1
        self._camera = self._start(SEA_CAMERA, self._camera_words, 'Hz')

    def _kill_and_restart_node(self) -> None:
        self._node.stop(signal.SIGKILL)
        self._spin(0.5)  # its last diagnostics belong to its own life
        self._start_node()

    def _spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self._executor.spin_once(timeout_sec=0.05)

    def _end_node(self) -> None:
        started = time.monotonic()
        status = self._node.stop(signal.SIGINT)
        self.report.seconds_to_end = time.monotonic() - started
        if status:
            self.report.crashes.append(f'the node ended with status {status}')
        if 'Traceback' in self._node.output():
            self.report.crashes.append('the node printed a traceback')

    def _sample(self) -> None:
        for name, process in (('node', self._node), ('camera', self._camera)):
            if process.process.poll() is not None:
                status = process.process.returncode
                self.report.crashes.append(f'the {name} is gone (status {status})')
                raise UserError(f'the {name} is gone:\n{process.output()[-2000:]}')
        own, shared = resident_megabytes(self._node.process.pid)
        self._life.megabytes.append(own)
        self._life.shared_megabytes.append(shared)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {item.key: item.value for item in status.values}
            if not status.name.endswith(': camera') or not int(values['frames_answered']):
                continue
            life = self._life
            life.figures = values
            life.medians.append(float(values['total_ms_median']))
            life.p95s.append(float(values['total_ms_p95']))
            if life.seconds_to_first_answer is None:
                life.seconds_to_first_answer = time.monotonic() - self._node_started


def resident_megabytes(pid: int) -> tuple[float, float]:
    """Return the resident memory of a process, in MiB: its own, and what it shares."""
    kilobytes = {}
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        name, _, rest = line.partition(':')
        if name in ('RssAnon', 'RssShmem'):
            kilobytes[name] = int(rest.split()[0])
    return kilobytes['RssAnon'] / 1024, kilobytes['RssShmem'] / 1024
