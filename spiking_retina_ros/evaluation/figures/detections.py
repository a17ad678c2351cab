"""Detections drawn, analog beside spiking (Fig. 6 of arXiv 2106.05624)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from spiking_retina_ros.detections import FrameResult, ImageArray, draw_detections

# Every picture is fitted into a cell, so that a tall one takes no more room than the others.
WIDTH, HEIGHT = 620, 440
GAP = 6


def draw_pairs(
    pairs: Sequence[tuple[ImageArray, FrameResult, FrameResult]],
    captions: tuple[str, str],
    path: Path,
) -> Path:
    """Write one row per image: the analog detections on the left, the spiking ones on the right."""
    rows: list[ImageArray] = []
    for image, *results in pairs:
        cells = [
            _fitted(draw_detections(image, result, caption=caption))
            for result, caption in zip(results, captions, strict=True)
        ]
        row = np.hstack([cells[0], np.full((HEIGHT, GAP, 3), 255, np.uint8), cells[1]])
        rows += [row, np.full((GAP, row.shape[1], 3), 255, np.uint8)]
    picture = np.vstack(rows[:-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), picture):
        raise OSError(f'{path}: the picture could not be written')
    return path


def _fitted(image: ImageArray) -> ImageArray:
    """Return the picture in the middle of a white cell, as large as fits."""
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
    cell = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    cell[top : top + height, left : left + width] = resized
    return cell
