"""
A second look at the horizon: a strip at full resolution, in tiles of the network's input size.

Seen whole, an image of 1280x720 is shrunk to a third, and a buoy of 15 pixels with it. Far objects
lie near the horizon, so a strip around it is worth a look pixel by pixel.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.detections import FloatArray, FrameResult, ImageArray, WindowStatistics
from spiking_retina_ros.detector import MAX_DETECTIONS, NMS_THRESHOLD
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.decode import suppress

# Neighbouring tiles share so many pixels: what is smaller lies whole in one of them, and what is
# larger is large enough for the look at the whole image.
OVERLAP = 64
# A box that ends so close to a tile's edge, in pixels, is taken for one that the edge cut off.
CUT_OFF = 2.0
# A tile shows parts of large objects, which look like objects of their own: a tile's box of which
# this share lies in a box of the whole image that is this much larger, and surer than that.
INSIDE, TIMES_LARGER, SURE = 0.8, 2.0, 0.4

Tile = tuple[int, int, int, int]


class Detector(Protocol):
    """What tiling needs: AnalogDetector and SpikingDetector offer it."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes the network knows."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Return (height, width) of the network's input in pixels."""

    @property
    def detect(self) -> Callable[..., Any]:
        """Answer a BGR image (H, W, 3) uint8 with a FrameResult; the options are its own."""


@dataclass(frozen=True)
class Strip:
    """
    A strip across the whole width; ``centre`` and ``height`` are shares of the image's height.

    Raises UserError for shares outside [0, 1], or a strip without height.
    """

    height: float
    centre: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what is no strip."""
        if not (0 < self.height <= 1 and 0 <= self.centre <= 1):
            raise UserError(
                f'strip: expected a height above 0 and up to 1 and a centre of 0 to 1, '
                f'found {self.height} and {self.centre}'
            )


def detect_tiled(
    detector: Detector,
    image: ImageArray,
    strip: Strip,
    *,
    nms_threshold: float = NMS_THRESHOLD,
    max_detections: int = MAX_DETECTIONS,
    **options: Any,
) -> FrameResult:
    """
    Return the objects of a BGR image (H, W, 3) uint8 and of the tiles of its strip, merged.

    Boxes are xyxy in the image's own pixels. A tile's boxes that touch an edge inside the image
    are left out: the overlap lets a neighbour, or the whole image, see their objects uncut. So are
    those that are parts of what the whole image surely shows. What was seen twice is merged by
    non-maximum suppression. ``options`` are the detector's. Spikes, operations and neurons add up
    over all looks; an image that needs no shrinking has no tiles.
    """
    start = time.perf_counter()
    common = {'nms_threshold': nms_threshold, 'max_detections': max_detections, **options}
    whole: FrameResult = detector.detect(image, **common)
    size = whole.image_size
    looks = [whole]
    for tile in tiles(size, detector.input_size, strip):
        left, top, right, bottom = tile
        part = detector.detect(np.ascontiguousarray(image[top:bottom, left:right]), **common)
        looks.append(_without_parts(_in_image(part, tile, size), whole))
    names = detector.class_names
    labels = [names.index(name) for look in looks for name in look.class_names]
    boxes, scores, kept = suppress(
        np.concatenate([look.boxes for look in looks]),
        np.concatenate([look.scores for look in looks]),
        np.array(labels, np.int64),
        nms_threshold,
        max_detections,
    )
    milliseconds = (time.perf_counter() - start) * 1000
    chosen = tuple(names[int(label)] for label in kept)
    return FrameResult(boxes, scores, chosen, size, milliseconds, _added_up(looks))


def tiles(image_size: tuple[int, int], input_size: tuple[int, int], strip: Strip) -> list[Tile]:
    """
    Return the tiles (left, top, right, bottom) that cover the strip, none where none is needed.

    Both sizes are (height, width) in pixels. A strip lower than a tile is widened to its height.
    """
    if all(side <= limit for side, limit in zip(image_size, input_size, strict=True)):
        return []
    height, width = image_size
    rows = min(height, max(round(strip.height * height), input_size[0]))
    top = min(max(0, round(strip.centre * height - rows / 2)), height - rows)
    return [
        (left, upper, right, lower)
        for upper, lower in _cover(top, top + rows, input_size[0])
        for left, right in _cover(0, width, input_size[1])
    ]


def _cover(low: int, high: int, extent: int) -> list[tuple[int, int]]:
    """Return intervals of at most ``extent`` from ``low`` to ``high`` that overlap enough."""
    if high - low <= extent:
        return [(low, high)]
    overlap = min(OVERLAP, extent // 2)
    count = math.ceil((high - low - overlap) / (extent - overlap))
    starts = np.linspace(low, high - extent, count).round().astype(int).tolist()
    return [(start, start + extent) for start in starts]


def _in_image(part: FrameResult, tile: Tile, image_size: tuple[int, int]) -> FrameResult:
    """Move a tile's boxes to the image, without those that an inner edge may have cut off."""
    keep = ~_cut_off(part.boxes, tile, image_size)
    left, top, _, _ = tile
    offset = np.array([left, top, left, top], np.float32)
    return replace(part.chosen(keep), boxes=part.boxes[keep] + offset, image_size=image_size)


def _without_parts(part: FrameResult, whole: FrameResult) -> FrameResult:
    """Leave out a tile's boxes (in the image) that are parts of what the whole image shows."""
    larger = whole.boxes[None, :]
    corners = np.maximum(part.boxes[:, None, :2], larger[..., :2])
    extents = np.minimum(part.boxes[:, None, 2:], larger[..., 2:]) - corners
    shared = extents.clip(min=0).prod(axis=2)
    own, others = _areas(part.boxes)[:, None], _areas(whole.boxes)[None]
    alike = np.array(part.class_names)[:, None] == np.array(whole.class_names)[None]
    parts = alike & (shared >= INSIDE * own) & (others > TIMES_LARGER * own)
    return part.chosen(~(parts & (whole.scores >= SURE)[None]).any(axis=1))


def _areas(boxes: FloatArray) -> FloatArray:
    areas: FloatArray = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return areas


def _cut_off(boxes: FloatArray, tile: Tile, image_size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which boxes (N, 4), in pixels of the tile, touch an edge inside the image."""
    left, top, right, bottom = tile
    height, width = image_size
    inner = np.array([left > 0, top > 0, right < width, bottom < height])
    limits = np.array([right - left, bottom - top])
    touching = np.hstack([boxes[:, :2] < CUT_OFF, boxes[:, 2:] > limits - CUT_OFF])
    cut: NDArray[np.bool_] = (touching & inner).any(axis=1)
    return cut


def _added_up(looks: Sequence[FrameResult]) -> WindowStatistics | None:
    windows = [look.window for look in looks if look.window is not None]
    if not windows:
        return None
    return WindowStatistics(
        windows[0].steps,
        windows[0].transient,
        sum(window.neurons for window in windows),
        sum(window.spikes for window in windows),
        sum(window.synaptic_operations for window in windows),
    )
