"""How long a frame takes, window by window."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from spiking_retina_ros.datasets.coco import read_image
from spiking_retina_ros.detector import SpikingDetector
from spiking_retina_ros.spiking.network import Window


def frame_times(
    detector: SpikingDetector, windows: Sequence[Window], paths: Sequence[Path], *, quiet: bool
) -> list[float | None]:
    """
    Return, per window, the median milliseconds of a frame run for it alone, image to boxes.

    A run that is read at several times says nothing about how long a short one takes. None without
    images, and for windows that are too long for the detector's engine.
    """
    images = [image for image in map(read_image, paths) if image is not None]
    if not images:
        return [None] * len(windows)
    detector.detect(images[0], steps=1, transient=0)  # what is compiled or planned once
    times: dict[int, float] = {}
    possible = {window.steps for window in windows if window.steps <= detector.max_steps}
    for steps in tqdm(sorted(possible), desc='timing', unit='window', disable=quiet, leave=False):
        # what is read at the end, and so the transient, takes no time worth the name
        frames = [detector.detect(image, steps=steps, transient=0) for image in images]
        times[steps] = statistics.median(frame.milliseconds for frame in frames)
    return [times.get(window.steps) for window in windows]
