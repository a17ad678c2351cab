"""The most memory a process needs to load a network and simulate one window, in MB."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from spiking_retina_ros.errors import UserError

_CHILD = """
import sys
from spiking_retina_ros.evaluation.peak_memory import simulate_and_print
simulate_and_print(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
"""


def peak_rss_mb(
    model: Path, *, engine: str, steps: Sequence[int], threads: int
) -> dict[int, float]:
    """Return, for each window, the largest resident size of a process of its own, in MB (10^6)."""
    return {
        window: _in_child(model, engine, window, threads)
        for window in tqdm(steps, desc='peak memory', unit='process')
    }


def simulate_and_print(model: str, engine: str, steps: int, threads: int) -> None:
    """Load, simulate two frames of noise, print this process's largest resident size in bytes."""
    import numpy as np
    import torch

    from spiking_retina_ros.spiking.engine import make_engine
    from spiking_retina_ros.spiking.model_file import load_network

    torch.set_num_threads(threads)
    network = load_network(Path(model))
    made = make_engine(engine, network, threads=threads)
    rng = np.random.default_rng(0)
    for _ in range(2):
        pixels = rng.integers(0, 256, (*network.preprocessing.input_size, 3), dtype=np.uint8)
        made.run(network.preprocessing(pixels)[0], [steps])
    print(_high_water_mark())


def _in_child(model: Path, engine: str, steps: int, threads: int) -> float:
    words = [sys.executable, '-c', _CHILD, str(model), engine, str(steps), str(threads)]
    root = str(Path(__file__).resolve().parents[2])
    found = subprocess.run(words, capture_output=True, text=True, cwd=root, check=False)
    if found.returncode != 0:
        raise UserError(
            f'measuring the memory of engine {engine!r} at {steps} steps: the process failed with '
            f'{found.stderr.strip()[-500:]}'
        )
    return int(found.stdout.split()[-1]) / 1e6


def _high_water_mark() -> int:
    """
    Return this program's largest resident size in bytes.

    Not getrusage's: that one also counts what the parent used before it became this program.
    """
    status = Path('/proc/self/status')
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
