"""Where a run stands, on disk: enough to go on as if nothing had happened."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.network import RetinaNet

RESUME_FILE = 'resume.pt'


@dataclass
class Clock:
    """How far a run is: samples and steps done, seconds trained in all its sittings."""

    samples: int = 0
    steps: int = 0
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Return the seconds trained, this sitting included."""
        return self.seconds + time.monotonic() - self.started


def save_state(
    folder: Path,
    network: RetinaNet,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    clock: Clock,
) -> None:
    """Write the resume file aside, then put it in place; raises UserError where that fails."""
    path = folder / RESUME_FILE
    state = {
        'network': network.state_dict(),
        'average': average,
        'optimiser': optimiser.state_dict(),
        'samples': clock.samples,
        'steps': clock.steps,
        'seconds': clock.elapsed(),
    }
    aside = path.with_name(f'.{path.name}.part')
    try:
        torch.save(state, aside)
        os.replace(aside, path)
    except (OSError, RuntimeError) as error:
        aside.unlink(missing_ok=True)
        raise UserError(f'{path}: the run could not be saved: {error}') from error


def load_state(
    folder: Path, network: RetinaNet, optimiser: torch.optim.Optimizer, device: str
) -> tuple[dict[str, Tensor], Clock]:
    """
    Load weights and optimiser in place; return the averaged weights and the clock.

    Raises UserError where there is nothing to resume from or the file is damaged or of another
    network.
    """
    path = folder / RESUME_FILE
    if not path.is_file():
        raise UserError(f'{path}: nothing to resume from')
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise UserError(f'{path}: not a readable resume file: {error}') from error
    try:
        network.load_state_dict(state['network'])
        optimiser.load_state_dict(state['optimiser'])
        return state['average'], Clock(state['samples'], state['steps'], state['seconds'])
    except (KeyError, RuntimeError, ValueError) as error:
        raise UserError(f'{path}: of another network or recipe: {error}') from error
