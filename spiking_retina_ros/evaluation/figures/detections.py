"""Detections drawn, analog beside spiking (Fig. 6 of arXiv 2106.05624)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from spiking_retina_ros.detections import FrameResult, ImageArray, draw_detections

# All pictures are drawn at this width, so that boxes and text look alike.
WIDTH = 620
GAP = 6


def draw_pairs(
    pairs: Sequence[tuple[ImageArray, FrameResult, FrameResult]],
    captions: tuple[str, str],
    path: Path,
) -> Path:
    """Write one row per image: the analog detections on the left, the spiking ones on the right."""
    rows = []
    for image, *results in pairs:
        cells = [
            _resized(draw_detections(image, result, caption=caption))
            for result, caption in zip(results, captions, strict=True)
        ]
        height = cells[0].shape[0]
        rows += [cells[0], np.full((height, GAP, 3), 255, np.uint8), cells[1]]
    stacked = [np.hstack(rows[index : index + 3]) for index in range(0, len(rows), 3)]
    gap = np.full((GAP, stacked[0].shape[1], 3), 255, np.uint8)
    picture = np.vstack([part for row in stacked for part in (row, gap)][:-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), picture):
        raise OSError(f'{path}: the picture could not be written')
    return path


def _resized(image: ImageArray) -> ImageArray:
    height = round(image.shape[0] * WIDTH / image.shape[1])
    return np.asarray(cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
