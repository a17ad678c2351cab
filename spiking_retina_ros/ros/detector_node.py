"""
The managed node: cameras in, boats and buoys out. Wiring only.

Lifecycle: configure loads and warms up the network, activate subscribes and starts the worker,
deactivate stops both, cleanup frees the network. With ``autostart`` the first two happen at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from vision_msgs.msg import LabelInfo

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.answering import Context, Frame, FrameDropped, answer
from spiking_retina_ros.ros.camera import Camera
from spiking_retina_ros.ros.detection_messages import label_info_message
from spiking_retina_ros.ros.diagnostics import camera_status, network_status
from spiking_retina_ros.ros.mailbox import Mailbox
from spiking_retina_ros.ros.network import Network, load_network, warm_up
from spiking_retina_ros.ros.parameter_declaration import current, declare
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.worker import Worker

LOG_SECONDS = 5.0


Transition = Callable[['DetectorNode', LifecycleState], TransitionCallbackReturn]


def _reported(transition: Transition) -> Transition:
    """Say what went wrong in a transition: rclpy itself swallows the exception."""

    @wraps(transition)
    def wrapped(self: DetectorNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(self, state)
        except Exception as error:
            self.failure = f'{transition.__name__}: {type(error).__name__}: {error}'
            self.get_logger().error(self.failure)
            raise

    return wrapped


class DetectorNode(LifecycleNode):
    """
    Detects boats and buoys in the images of one or more cameras with one spiking network.

    ``load`` makes the network from the settings. Raises UserError for wrong parameters, and, with
    autostart, where the network cannot be loaded. ``failure`` says why the last transition failed.
    """

    def __init__(self, *, load: Callable[[Settings], Network] = load_network) -> None:
        super().__init__('detector_node')
        self._load = load
        self._network: Network | None = None
        self._cameras: dict[str, Camera] = {}
        self._mailbox: Mailbox[Frame] | None = None
        self._worker: Worker[Frame] | None = None
        self.failure = ''
        self._settings = declare(self)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._apply_parameters)
        self._label_info = self.create_publisher(LabelInfo, 'label_info', qos.latched())
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', qos.results())
        # A steady clock: diagnostics must go on while simulated time stands still.
        self._timer = self.create_timer(
            self._settings.diagnostics_period,
            self._publish_diagnostics,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )
        backwards = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False
        )
        self._jump_handle = self.get_clock().create_jump_callback(
            backwards, post_callback=self._time_jumped
        )
        if self._settings.autostart:
            self._autostart()

    @_reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the network; FAILURE, with the reason logged, leaves it unconfigured."""
        self.failure = ''
        try:
            network = self._load(self._settings)
            problems = self._settings.problems_with(network)
            if problems:
                raise UserError('parameter ' + '; '.join(problems))
            warm_up(network)
        except (UserError, MemoryError, OSError) as error:
            self.failure = str(error) or type(error).__name__
            self.get_logger().error(f'not configured: {self.failure}')
            return TransitionCallbackReturn.FAILURE
        self._network = network
        self._cameras = {
            name: Camera(self, name, self._settings, self._receive)
            for name in self._settings.cameras
        }
        self._publish_label_info()
        self.get_logger().info(
            f'network {network.model_hash[:12]} ready: {", ".join(network.class_names)}, '
            f'engine {network.engine}, {self._settings.steps or network.steps} steps'
        )
        return super().on_configure(state)

    @_reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start the worker."""
        result = super().on_activate(state)
        self._mailbox = Mailbox(
            self._settings.cameras,
            keep_newest=self._settings.frame_policy == 'latest',
            capacity=self._settings.queue_size,
        )
        self._worker = Worker(self._mailbox, self._answer, self._failed)
        for camera in self._cameras.values():
            camera.subscribe()
        topics = ', '.join(camera.image_topic for camera in self._cameras.values())
        self.get_logger().info(f'listening to {topics}')
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to listen, let the frame at hand end, drop those that wait."""
        self._stop_work(timeout=None)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the network and the topics."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End from any state."""
        self._stop_work(timeout=None)
        self._release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured after a transition that failed unexpectedly."""
        self.failure = self.failure or 'a transition failed unexpectedly'
        self._stop_work(timeout=None)
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def stop(self, timeout: float) -> bool:
        """Stop for the end of the process; return whether the worker ended in time."""
        self._jump_handle.unregister()
        return self._stop_work(timeout=timeout)

    def _autostart(self) -> None:
        if self.trigger_configure() != TransitionCallbackReturn.SUCCESS:
            raise UserError(self.failure)
        if self.trigger_activate() != TransitionCallbackReturn.SUCCESS:
            raise UserError(self.failure)

    def _stop_work(self, *, timeout: float | None) -> bool:
        for camera in self._cameras.values():
            camera.unsubscribe()
        ended = True
        if self._mailbox is not None and self._worker is not None:
            for name, count in self._mailbox.clear().items():
                self._cameras[name].statistics.frame_dropped('interrupted', count=count)
            ended = self._worker.stop(timeout)
        self._mailbox = self._worker = None
        return ended

    def _release(self) -> None:
        for camera in self._cameras.values():
            camera.destroy()
        self._cameras = {}
        self._network = None

    def _receive(self, frame: Frame) -> None:
        if self._mailbox is not None:
            dropped = self._mailbox.put(frame.camera, frame)
            if dropped:
                self._cameras[frame.camera].statistics.frame_dropped(dropped)

    def _answer(self, frame: Frame) -> None:
        """Answer one frame; runs on the worker's thread."""
        camera, network = self._cameras[frame.camera], self._network
        assert network is not None  # the worker lives only while the node is active
        rate = camera.statistics.rate_out
        context = Context(network, self._settings, camera.camera_model, rate)
        try:
            result, timing = answer(frame, context, camera, self._ros_time)
        except FrameDropped as dropped:
            camera.statistics.frame_dropped(dropped.reason, str(dropped))
            self.get_logger().warning(
                f'{camera.image_topic}: {dropped}', throttle_duration_sec=LOG_SECONDS
            )
        else:
            camera.statistics.frame_answered(result, timing)

    def _failed(self, frame: Frame, error: Exception) -> None:
        camera = self._cameras[frame.camera]
        text = f'{type(error).__name__}: {error}'
        camera.statistics.frame_dropped('failed', text)
        self.get_logger().error(
            f'{camera.image_topic}: no answer to a frame: {text}',
            throttle_duration_sec=LOG_SECONDS,
        )

    def _ros_time(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9

    def _time_jumped(self, jump: TimeJump) -> None:
        """Forget what belongs to the time before simulated time went back."""
        if self._mailbox is not None:
            self._mailbox.clear()
        for camera in self._cameras.values():
            camera.start_afresh()
        self.get_logger().info('time jumped back: statistics and waiting frames are cleared')

    def _check_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        settings = current(self, changes)
        problems = settings.problems()
        if self._network is not None:
            problems += settings.problems_with(self._network)
        return SetParametersResult(successful=not problems, reason='; '.join(problems))

    def _apply_parameters(self, changes: list[Parameter]) -> None:
        before, self._settings = self._settings, current(self)
        if self._settings.score_threshold != before.score_threshold:
            self._publish_label_info()

    def _publish_label_info(self) -> None:
        if self._network is not None:
            message = label_info_message(self._network.class_names, self._settings.score_threshold)
            message.header.stamp = self.get_clock().now().to_msg()
            self._label_info.publish(message)

    def _publish_diagnostics(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        name = self.get_fully_qualified_name().lstrip('/')
        state = self._state_machine.current_state[1]
        message.status = [
            network_status(name, self._network, self._settings, state=state, failure=self.failure)
        ]
        for camera in self._cameras.values():
            complaint = camera.complaint(silence=self._settings.diagnostics_silence)
            if complaint:
                self.get_logger().warning(complaint, throttle_duration_sec=30.0)
            status = camera_status(
                f'{name}: {camera.label}',
                camera.statistics.snapshot(),
                complaint=complaint,
                energy_per_operation=self._settings.energy_per_operation,
                hardware=camera.image_topic,
            )
            message.status.append(status)
        self._diagnostics.publish(message)
