"""What a soak found, and whether that is good enough. Needs no ROS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

MEMORY_LIMIT_PERCENT = 5.0
# Fast DDS maps a camera's whole segment (32 MiB in our profile) and lets go of a dead camera's a
# little later, so this memory comes in such pieces; more than two of them would be a leak.
SHARED_LIMIT_MB = 80.0
SHARE_AT_EACH_END = 0.2


@dataclass
class NodeLife:
    """
    One life of the node: memory (MiB) and latency (ms, median and 95 %) over time.

    ``megabytes`` is what the process has allocated, ``shared_megabytes`` what it has mapped of the
    middleware's shared memory.
    """

    megabytes: list[float] = field(default_factory=list)
    shared_megabytes: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    p95s: list[float] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    seconds_to_first_answer: float | None = None


@dataclass
class SoakReport:
    """All that happened; ``lives`` holds one entry per start of the node."""

    seconds: float
    lives: list[NodeLife] = field(default_factory=list)
    malformed: int = 0
    parameter_changes: int = 0
    refusals: list[str] = field(default_factory=list)
    camera_restarts: int = 0
    crashes: list[str] = field(default_factory=list)
    seconds_to_end: float = 0.0

    @property
    def totals(self) -> Counter[str]:
        """Return the node's counts of images, answers and drops by reason, over all lives."""
        totals: Counter[str] = Counter()
        for life in self.lives:
            for key, value in life.figures.items():
                if key in ('images_received', 'frames_answered') or key.startswith('dropped_'):
                    totals[key] += int(value)
        return totals

    @property
    def memory_growth_percent(self) -> float:
        """Return how much the first life's memory grew from its settled start to its end."""
        start, end = ends(self.lives[0].megabytes)
        return (end / start - 1) * 100 if start else 0.0

    @property
    def complaints(self) -> list[str]:
        """Return what is not good enough, one sentence each."""
        found = [f'crash: {text}' for text in self.crashes]
        found += [f'parameter change refused: {text}' for text in self.refusals]
        growth = self.memory_growth_percent
        if growth > MEMORY_LIMIT_PERCENT:
            found.append(f'memory grew by {growth:.1f} %, expected {MEMORY_LIMIT_PERCENT:.0f} %')
        shared_start, shared_end = ends(self.lives[0].shared_megabytes)
        if shared_end - shared_start > SHARED_LIMIT_MB:
            found.append(
                f'shared memory grew from {shared_start:.0f} to {shared_end:.0f} MB, expected at '
                f'most {SHARED_LIMIT_MB:.0f} MB more'
            )
        for number, life in enumerate(self.lives, start=1):
            if life.seconds_to_first_answer is None:
                found.append(f'start {number} of the node gave no answer')
        totals = self.totals
        if totals['dropped_failed']:
            found.append(f'{totals["dropped_failed"]} frames failed inside the network')
        if self.seconds_to_end > 2.0:
            found.append(f'the node took {self.seconds_to_end:.1f} s to end, expected 2')
        return found

    def as_dict(self) -> dict[str, object]:
        """Return plain values, ready for json."""
        median_start, median_end = ends(self.lives[0].medians)
        p95_start, p95_end = ends(self.lives[0].p95s)
        return {
            'seconds': self.seconds,
            'counts': dict(self.totals),
            'malformed_sent': self.malformed,
            'parameter_changes': self.parameter_changes,
            'camera_restarts': self.camera_restarts,
            'node_starts': len(self.lives),
            'seconds_to_first_answer': [life.seconds_to_first_answer for life in self.lives],
            'latency_ms_median': [median_start, median_end],
            'latency_ms_p95': [p95_start, p95_end],
            'memory_mb': list(ends(self.lives[0].megabytes)),
            'shared_memory_mb': list(ends(self.lives[0].shared_megabytes)),
            'memory_growth_percent': self.memory_growth_percent,
            'crashes': self.crashes,
            'complaints': self.complaints,
        }


def ends(values: Sequence[float]) -> tuple[float, float]:
    """
    Return the medians of a series after its warm-up and at its end.

    The first fifth is warm-up (pools fill, caches are made), the second is the start, the last
    is the end.
    """
    if not values:
        return 0.0, 0.0
    part = max(1, round(len(values) * SHARE_AT_EACH_END))
    start = values[part : 2 * part] or values[:part]
    return float(np.median(start)), float(np.median(values[-part:]))
