"""What a measurement ran on; times mean nothing without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

CPU_INFO = Path('/proc/cpuinfo')


def describe_machine() -> str:
    """Return processor model and number of cores this process may use."""
    return f'{_processor()}, {len(os.sched_getaffinity(0))} cores'


def _processor() -> str:
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text().splitlines():
            key, _, value = line.partition(':')
            if key.strip() == 'model name':
                return value.strip()
    return platform.processor() or platform.machine()
