"""Run a node as a process that starts loudly and ends quietly."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from spiking_retina_ros.errors import UserError

POLL_SECONDS = 0.1
STOP_SECONDS = 0.5


class StopRequested(BaseException):
    """SIGINT or SIGTERM came while the node was being made."""


class StopRequest:
    """
    SIGINT and SIGTERM as a flag, once ``install`` has been called.

    While ``raises`` is set, the first signal also raises StopRequested in the main thread, so
    that the loading of a network ends, too. Later signals change nothing: the end is under way.
    """

    def __init__(self) -> None:
        self.received = False
        self.raises = True

    def install(self) -> None:
        """Take the signals over for the rest of the process's life."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first, self.received = not self.received, True
        if first and self.raises:
            raise StopRequested


def run(create: Callable[[], Any], arguments: list[str] | None = None) -> int:
    """
    Make a node with ``create``, spin it until SIGINT or SIGTERM, return the exit status.

    The node has, beside what rclpy gives it, ``stop(timeout) -> bool``, which ends its threads
    and says whether all of them ended in time. A UserError while the node is made is printed as
    one line and gives status 1. A signal ends the process with status 0, without a traceback, at
    any time; once the node spins, it does so right here instead of returning.
    """
    stop = StopRequest()
    stop.install()
    import rclpy  # only now: importing it takes long enough for a signal to hit
    from rclpy.signals import SignalHandlerOptions

    try:
        # rclpy's own handlers would raise inside whatever callback happens to run.
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        node = create()
        stop.raises = False
        _spin(node, stop)
        node.stop(STOP_SECONDS)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except StopRequested:
        return 0
    finally:
        rclpy.try_shutdown()
    # Not by returning: the frame at hand may take longer than a shutdown may, its thread cannot
    # be interrupted, and it must not run on while the interpreter is torn down under it. Tearing
    # down torch takes its time, too.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _spin(node: Any, stop: StopRequest) -> None:
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.impl.implementation_singleton import rclpy_implementation

    executor = SingleThreadedExecutor()
    executor.add_node(node)
    # Python runs signal handlers between bytecodes only, so this never waits in C for long.
    while not stop.received:
        try:
            executor.spin_once(timeout_sec=POLL_SECONDS)
        except rclpy_implementation.RCLError as error:
            # For example a lifecycle transition that the current state does not have.
            node.get_logger().error(f'refused: {error}')
            time.sleep(POLL_SECONDS)
    executor.remove_node(node)
    executor.shutdown(timeout_sec=0.2)
