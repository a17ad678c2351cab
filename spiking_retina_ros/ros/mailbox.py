"""Where frames wait for the worker: one slot or one bounded queue per camera."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """
    Hands frames of several cameras to one worker, in fair turns.

    With ``keep_newest`` each camera has one slot, and a newer frame replaces a waiting one: the
    backlog, and with it the latency, is bounded by one frame per camera. Without it up to
    ``capacity`` frames wait per camera in their order, and further ones are refused. All methods
    may be called from any thread.
    """

    def __init__(self, cameras: Sequence[str], *, keep_newest: bool, capacity: int = 1) -> None:
        self._queues: dict[str, deque[T]] = {name: deque() for name in cameras}
        self._turns = deque(cameras)
        self._keep_newest = keep_newest
        self._capacity = capacity
        self._condition = threading.Condition()
        self._closed = False

    def put(self, camera: str, frame: T) -> str | None:
        """
        Add a frame; return why one was dropped, or None.

        ``superseded``: the frame that waited gave way. ``queue_full``: this one found no room.
        """
        with self._condition:
            queue = self._queues[camera]
            dropped = None
            if self._keep_newest and queue:
                queue.clear()
                dropped = 'superseded'
            elif not self._keep_newest and len(queue) >= self._capacity:
                return 'queue_full'
            queue.append(frame)
            self._condition.notify()
            return dropped

    def take(self) -> T | None:
        """Wait for a frame and return it; None once the mailbox is closed."""
        with self._condition:
            while not self._closed:
                for _ in range(len(self._turns)):
                    camera = self._turns[0]
                    self._turns.rotate(-1)
                    if self._queues[camera]:
                        return self._queues[camera].popleft()
                self._condition.wait()
            return None

    def clear(self) -> dict[str, int]:
        """Forget all waiting frames; return how many there were per camera."""
        with self._condition:
            counts = {camera: len(queue) for camera, queue in self._queues.items()}
            for queue in self._queues.values():
                queue.clear()
            return counts

    def close(self) -> None:
        """Wake the worker for good; frames that still wait are not handed out."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
