"""Counts, rates and latencies of one camera, for the diagnostics."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from spiking_retina_ros.detections import FrameResult

RECENT_FRAMES = 200
RATE_SECONDS = 5.0


@dataclass(frozen=True)
class Timing:
    """Milliseconds one answer took, by part; ``age`` is from the image's stamp to publication."""

    decode: float
    inference: float
    publish: float
    total: float
    age: float
    early: float | None = None


@dataclass(frozen=True)
class Spread:
    """Median and 95th percentile, in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of some values, None when there are none."""
        array = np.fromiter(values, np.float64)
        if array.size == 0:
            return None
        median, p95 = np.percentile(array, (50, 95))
        return cls(float(median), float(p95))


@dataclass(frozen=True)
class Snapshot:
    """
    The state of one camera at one moment.

    Counts run since activation, rates (Hz) over the last seconds, spreads (ms) over the last
    frames; the means of the window are per answered frame since activation. ``unanswered_error``
    is the last error if no frame was answered after it.
    """

    received: int
    answered: int
    dropped: dict[str, int]
    objects: dict[str, int]
    rate_in: float
    rate_out: float
    seconds_since_image: float | None
    seconds_since_answer: float | None
    last_error: str
    unanswered_error: str
    timings: dict[str, Spread]
    steps: int = 0
    transient: int = 0
    spikes_per_frame: float = 0.0
    operations_per_frame: float = 0.0
    mean_rate: float = 0.0


@dataclass
class _Totals:
    received: int = 0
    answered: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    spikes: int = 0
    operations: int = 0
    rates: float = 0.0
    spiking_frames: int = 0
    steps: int = 0
    transient: int = 0
    last_error: str = ''
    unanswered_error: str = ''


class CameraStatistics:
    """Gathers what happens to a camera's frames; every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, as at activation or after simulated time jumped back."""
        with self._lock:
            self._totals = _Totals()
            self._arrivals: deque[float] = deque(maxlen=1000)
            self._answers: deque[float] = deque(maxlen=1000)
            self._timings: deque[Timing] = deque(maxlen=RECENT_FRAMES)

    def image_received(self) -> None:
        """Count an image that came in."""
        with self._lock:
            self._totals.received += 1
            self._arrivals.append(self._clock())

    def frame_dropped(self, reason: str, error: str = '', *, count: int = 1) -> None:
        """Count frames that get no answer; ``error`` says why where that was a fault."""
        with self._lock:
            self._totals.dropped[reason] += count
            if error:
                self._totals.last_error = self._totals.unanswered_error = error

    def frame_answered(self, result: FrameResult, timing: Timing) -> None:
        """Count an answer and what it cost."""
        with self._lock:
            totals = self._totals
            totals.answered += 1
            totals.unanswered_error = ''
            totals.objects.update(result.class_names)
            if result.window is not None:
                totals.spikes += result.window.spikes
                totals.operations += result.window.synaptic_operations
                totals.rates += result.window.mean_rate
                totals.spiking_frames += 1
                totals.steps = result.window.steps
                totals.transient = result.window.transient
            self._answers.append(self._clock())
            self._timings.append(timing)

    @property
    def rate_out(self) -> float:
        """Return the answers per second over the last seconds."""
        with self._lock:
            return self._rate(self._answers)

    def snapshot(self) -> Snapshot:
        """Return the state of this moment."""
        with self._lock:
            totals, now = self._totals, self._clock()
            frames = max(1, totals.spiking_frames)
            return Snapshot(
                received=totals.received,
                answered=totals.answered,
                dropped=dict(totals.dropped),
                objects=dict(totals.objects),
                rate_in=self._rate(self._arrivals),
                rate_out=self._rate(self._answers),
                seconds_since_image=now - self._arrivals[-1] if self._arrivals else None,
                seconds_since_answer=now - self._answers[-1] if self._answers else None,
                last_error=totals.last_error,
                unanswered_error=totals.unanswered_error,
                timings=self._spreads(),
                steps=totals.steps,
                transient=totals.transient,
                spikes_per_frame=totals.spikes / frames,
                operations_per_frame=totals.operations / frames,
                mean_rate=totals.rates / frames,
            )

    def _rate(self, times: deque[float]) -> float:
        since = self._clock() - RATE_SECONDS
        recent = [moment for moment in times if moment >= since]
        if len(recent) < 2:
            return 0.0
        # Intervals, not events, are counted: n frames span n - 1 of them.
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-9)

    def _spreads(self) -> dict[str, Spread]:
        spreads = {}
        for part in ('decode', 'inference', 'publish', 'total', 'age', 'early'):
            values = (getattr(item, part) for item in self._timings)
            spread = Spread.of(value for value in values if value is not None)
            if spread is not None:
                spreads[part] = spread
        return spreads
