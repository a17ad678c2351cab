"""
The transient that picks itself: how many first steps of a window to ignore.

A neuron's membrane has to fill before its first spike, and until then the layers behind it are
told too little. Ignoring the first t0 steps removes that error but leaves fewer steps to count
spikes in. Which t0 is best for a window is measured, on calibration images, as the error of the
outputs against those of the network that was converted, before any clipping or spike; what the fill
times alone would suggest is estimated beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from tqdm import tqdm

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.detector import SpikingDetector
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.fill_times import fill_times
from spiking_retina_ros.evaluation.stages import Stages, output_maps
from spiking_retina_ros.spiking.network import Schedule, Window

# Transients tried for a window, as shares of its steps.
CANDIDATE_SHARES = (0, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8)

# class maps and box maps, one (1, C, H, W) per level
Outputs = tuple[Sequence[Tensor], Sequence[Tensor]]


@dataclass(frozen=True)
class TransientSearch:
    """
    Output errors of windows of ``steps`` steps, by the transient ignored.

    ``errors[k]`` belongs to ``candidates[k]``: the root mean squared difference to the analog
    outputs, divided by the outputs' spread, pooled over all levels and ``images`` images and
    averaged over class and box maps. ``estimated`` is the transient that the fill times
    suggest; it may be longer than the window.
    """

    steps: int
    candidates: tuple[int, ...]
    errors: tuple[float, ...]
    estimated: int
    images: int
    schedule: Schedule = 'concurrent'

    @property
    def best(self) -> int:
        """Return the transient with the least error, the shortest of equal ones."""
        return self.candidates[int(np.argmin(self.errors))]

    @property
    def window(self) -> Window:
        """Return the recommended window."""
        return Window(self.steps, self.best, self.schedule)

    def gain(self) -> float:
        """Return how many times smaller the least error is than the one without a transient."""
        return self.errors[self.candidates.index(0)] / max(min(self.errors), 1e-12)


def recommend_window(
    stages: Stages,
    images: Sequence[ImageArray],
    *,
    steps: int,
    candidates: Sequence[int] | None = None,
    engine: str = 'event',
    threads: int | None = None,
    quiet: bool = False,
) -> TransientSearch:
    """Search the transient of one window length, see ``search_transients``."""
    (search,) = search_transients(
        stages,
        images,
        steps=(steps,),
        candidates=candidates,
        engine=engine,
        threads=threads,
        quiet=quiet,
    )
    return search


def search_transients(
    stages: Stages,
    images: Sequence[ImageArray],
    *,
    steps: Sequence[int],
    candidates: Sequence[int] | None = None,
    engine: str = 'event',
    threads: int | None = None,
    quiet: bool = False,
) -> tuple[TransientSearch, ...]:
    """
    Measure the output error of every window length with every transient, one simulation per image.

    ``images`` are BGR (H, W, 3) uint8, of the data the network was calibrated on. ``candidates``
    are transients in steps; those that do not fit into a window are left out, 0 is always tried.
    Without them they are shares of each window. A phased window has none but 0. Raises UserError
    without images or steps.
    """
    if not images or not steps or min(steps) < 1:
        raise UserError(
            f'expected images and windows of at least 1 step to search a transient, found '
            f'{len(images)} images and steps {list(steps)}'
        )
    network = stages.network
    detector = SpikingDetector(network, engine=engine, threads=threads)
    schedule = network.window.schedule
    windows = {number: _windows(number, candidates, schedule) for number in sorted(set(steps))}
    everything = [window for group in windows.values() for window in group]
    errors = _Errors(everything)
    for image in tqdm(images, desc='searching the transient', unit='image', disable=quiet):
        expected = output_maps(stages.normalised, network.preprocessing(image)[0], clip=False)
        errors.expect(expected)
        simulation, _ = detector.simulate(image, everything)
        for window in everything:
            errors.add(window, detector.output_maps(simulation, window), expected)
    estimated = round(max(fill_times(network, images).values(), default=0.0))
    return tuple(
        TransientSearch(
            number,
            tuple(window.transient for window in group),
            tuple(errors.relative(window) for window in group),
            estimated,
            len(images),
            schedule,
        )
        for number, group in windows.items()
    )


class _Errors:
    """
    Squared errors of the outputs, and the spread they are measured by.

    Class and box maps are two kinds of numbers, so each kind is pooled over its levels and divided
    by its own spread around the channels' means.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._squares = {window: np.zeros(2) for window in windows}
        self._variances = np.zeros(2)

    def expect(self, outputs: Outputs) -> None:
        self._variances += [
            sum(_square(level - level.mean((2, 3), keepdim=True)) for level in kind)
            for kind in outputs
        ]

    def add(self, window: Window, found: Outputs, expected: Outputs) -> None:
        self._squares[window] += [
            sum(_square(one - other) for one, other in zip(*kinds, strict=True))
            for kinds in zip(found, expected, strict=True)
        ]

    def relative(self, window: Window) -> float:
        spread = np.maximum(self._variances, 1e-12)
        return float(np.sqrt(self._squares[window] / spread).mean())


def _square(values: Tensor) -> float:
    return float(values.double().square().sum())


def _windows(steps: int, candidates: Sequence[int] | None, schedule: Schedule) -> list[Window]:
    if schedule == 'phased':
        return [Window(steps, 0, schedule)]
    wanted = [round(share * steps) for share in CANDIDATE_SHARES]
    chosen = {0, *(wanted if candidates is None else candidates)}
    return [Window(steps, transient) for transient in sorted(chosen) if 0 <= transient < steps]
