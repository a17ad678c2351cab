"""The thread that runs the network, so that the executor stays free for messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from spiking_retina_ros.ros.mailbox import Mailbox

T = TypeVar('T')


class Worker(Generic[T]):
    """
    Handles the frames of a mailbox one by one on a thread of its own, until stopped.

    ``failed`` is told of an exception that ``handle`` did not expect; the thread lives on,
    because a node that takes images and silently never answers is the worst of all ends.
    """

    def __init__(
        self,
        mailbox: Mailbox[T],
        handle: Callable[[T], None],
        failed: Callable[[T, Exception], None],
    ) -> None:
        self._mailbox = mailbox
        self._handle = handle
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name='inference', daemon=True)
        self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """Close the mailbox, wait for the frame at hand, and return whether the thread ended."""
        self._mailbox.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._mailbox.take()) is not None:
            try:
                self._handle(item)
            except Exception as error:
                self._failed(item, error)
