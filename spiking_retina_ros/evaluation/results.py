"""What an evaluation found: frozen, complete, and independent of how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spiking_retina_ros.evaluation.precision import Precision
from spiking_retina_ros.spiking.network import Window

# What a network goes through before it spikes: key, and what readers are told it is.
STAGES = {'normalised': 'normalised, clipped', 'quantised': '+ narrow weights'}


@dataclass(frozen=True)
class Scored:
    """
    Precision of one network, and what it lost against the analog one.

    ``loss_points`` is the difference of mAP@0.5 in percentage points, positive where the network
    is worse, ``loss_interval`` its 95 % interval by a paired bootstrap over the images.
    """

    precision: Precision
    loss_points: float
    loss_interval: tuple[float, float]


@dataclass(frozen=True)
class WindowScore:
    """
    A spiking network read at one window.

    Counts are means per frame; ``rate`` is spikes per neuron and step; ``milliseconds`` is the
    median of ``timing_images`` frames, image to boxes, None if not measured.
    """

    window: Window
    scored: Scored
    rate: float
    spikes: float
    synaptic_operations: float
    milliseconds: float | None


@dataclass(frozen=True)
class SubjectScore:
    """
    One model: its stages and its windows; sizes and options say what it is.

    ``stages`` has the keys of ``STAGES``, or is empty where they were left out.
    """

    name: str
    model_hash: str
    options: Mapping[str, Any]
    neurons: int
    analog_macs: int
    stages: Mapping[str, Scored]
    windows: tuple[WindowScore, ...]


@dataclass(frozen=True)
class Evaluation:
    """The whole table. ``images`` were scored out of the ``available`` ones of the set."""

    data: Path
    images: int
    available: int
    class_names: tuple[str, ...]
    analog: Scored
    subjects: tuple[SubjectScore, ...]
    engine: str
    machine: str
    seed: int
    timing_images: int
    problems: tuple[str, ...] = ()
