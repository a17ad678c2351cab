"""Run a node as a process that starts loudly and ends quietly."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from spiking_retina_ros.errors import UserError

POLL_SECONDS = 0.1
STOP_SECONDS = 0.5
END_SECONDS = 1.5


class StopRequest:
    """
    SIGINT and SIGTERM as a flag, once ``install`` has been called.

    While ``starting`` is set, the first signal ends the process at once; after that the process
    has END_SECONDS to end in good order. Later signals change nothing: the end is under way.
    """

    def __init__(self) -> None:
        self.received = False
        self.starting = True

    def install(self) -> None:
        """Take the signals over for the rest of the process's life."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        # Python runs signal handlers in the main thread between bytecodes only, and there compiling
        # or loading a network may take seconds in C: a thread is woken at once.
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: None)
        threading.Thread(target=self._wait, args=(reader,), name='signals', daemon=True).start()

    def _wait(self, reader: int) -> None:
        os.read(reader, 1)
        self.received = True
        if not self.starting:
            time.sleep(END_SECONDS)
        _leave()


def run(create: Callable[[], Any], arguments: list[str] | None = None) -> int:
    """
    Make a node with ``create``, spin it until SIGINT or SIGTERM, return the exit status.

    The node has, beside what rclpy gives it, ``stop(timeout) -> bool``, which ends its threads
    and says whether all of them ended in time. A UserError while the node is made is printed as
    one line and gives status 1. A signal ends the process with status 0, without a traceback, at
    any time, right here or in ``create``: then this function does not return.
    """
    stop = StopRequest()
    stop.install()
    import rclpy  # only now: importing it takes long enough for a signal to hit
    from rclpy.signals import SignalHandlerOptions

    try:
        # rclpy's own handlers would raise inside whatever callback happens to run.
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        node = create()
        stop.starting = False
        _spin(node, stop)
        node.stop(STOP_SECONDS)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    _leave()


def _leave() -> NoReturn:
    """
    End the process with status 0, without tearing the interpreter down.

    The frame at hand may take longer than the end may, its thread cannot be interrupted, and it
    must not run on while the interpreter goes. Tearing down torch takes its time, too.
    """
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
