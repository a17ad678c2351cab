"""Failures on one sheet: each a piece of its picture, large enough to see what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from spiking_retina_ros.datasets.coco import read_image
from spiking_retina_ros.detections import FloatArray
from spiking_retina_ros.evaluation.failures import Failure
from spiking_retina_ros.evaluation.figures.style import SKY, VERMILION, new_figure, save

COLUMNS = 6
# A piece shows this many times the box's longer side, and no fewer pixels than the second number.
CONTEXT, LEAST_PIXELS = 2.2, 96


def draw_contact_sheet(
    failures: Sequence[Failure], class_names: Sequence[str], title: str, path: Path
) -> Path:
    """Write a sheet of pieces: the failure's box in red, the objects of the set in blue."""
    rows = max(1, -(-len(failures) // COLUMNS))
    figure = new_figure(2.0 * COLUMNS, 2.2 * rows + 0.5)
    figure.suptitle(title)
    for axes in (grid := figure.subplots(rows, COLUMNS, squeeze=False)).flat:
        axes.set_axis_off()
    for axes, failure in zip(grid.flat, failures, strict=False):
        image = read_image(failure.image.path)
        assert image is not None  # it decoded when it was answered
        left, top, side = _piece(failure.box)
        # only what will be seen: drawing whole photographs would take minutes
        x, y = max(0, int(left)), max(0, int(top))
        shown = image[y : int(top + side) + 1, x : int(left + side) + 1]
        bounds = (x - 0.5, x + shown.shape[1] - 0.5, y + shown.shape[0] - 0.5, y - 0.5)
        axes.imshow(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB), extent=bounds)
        for box in failure.image.boxes:
            _outline(axes, box, SKY, 1.0)
        _outline(axes, np.array(failure.box), VERMILION, 1.6)
        axes.set_xlim(left, left + side)
        axes.set_ylim(top + side, top)
        axes.set_title(
            f'{class_names[failure.label]} {failure.score:.2f}\n{failure.reason}', fontsize=8
        )
    return save(figure, path)


def _piece(box: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """Return left, top and side of the square around a box."""
    side = max(LEAST_PIXELS, CONTEXT * max(box[2] - box[0], box[3] - box[1]))
    return (box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side


def _outline(axes: Axes, box: FloatArray, colour: str, width: float) -> None:
    x_min, y_min, x_max, y_max = (float(value) for value in box)
    axes.add_patch(
        Rectangle(
            (x_min, y_min),
            x_max - x_min,
            y_max - y_min,
            fill=False,
            edgecolor=colour,
            linewidth=width,
        )
    )
