"""
What a detector answers: boxes, scores and classes in the image's own pixels.

Box convention, everywhere in this package unless a name says otherwise: ``xyxy`` rows
``(x_min, y_min, x_max, y_max)`` in pixels, float32, origin at the top left corner of the image,
x to the right, y down; a box covers ``x_max - x_min`` by ``y_max - y_min`` pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ImageArray = NDArray[np.uint8]

CLASS_COLOURS_BGR: dict[str, tuple[int, int, int]] = {'boat': (40, 40, 230), 'buoy': (60, 200, 60)}
OTHER_COLOUR_BGR = (230, 160, 40)


@dataclass(frozen=True)
class Detection:
    """One object: ``box`` is xyxy in image pixels, ``score`` lies in [0, 1]."""

    box: tuple[float, float, float, float]
    score: float
    class_name: str

    @property
    def centre(self) -> tuple[float, float]:
        """Return the centre of the box, in pixels."""
        x_min, y_min, x_max, y_max = self.box
        return (x_min + x_max) / 2, (y_min + y_max) / 2

    @property
    def size(self) -> tuple[float, float]:
        """Return width and height of the box, in pixels."""
        x_min, y_min, x_max, y_max = self.box
        return x_max - x_min, y_max - y_min


@dataclass(frozen=True)
class WindowStatistics:
    """
    What a spiking network did to answer one frame.

    A synaptic operation is one addition of a weight caused by one spike. The counts cover the
    whole window, the transient included, because its spikes cost as much as the later ones.
    """

    steps: int
    transient: int
    neurons: int
    spikes: int
    synaptic_operations: int

    @property
    def mean_rate(self) -> float:
        """Return spikes per neuron and step, in [0, 1] unless neurons may burst."""
        return self.spikes / (self.neurons * self.steps) if self.neurons else 0.0


@dataclass(frozen=True)
class FrameResult:
    """
    The answer to one image.

    ``boxes`` is float32 (N, 4) xyxy in the image's own pixels, ``scores`` float32 (N,) in [0, 1]
    and descending, ``class_names`` has N entries. ``image_size`` is (height, width) in pixels.
    ``milliseconds`` is the wall time from the image to the boxes. ``window`` is None for an
    analog network.
    """

    boxes: FloatArray
    scores: FloatArray
    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    milliseconds: float
    window: WindowStatistics | None = field(default=None)

    def __post_init__(self) -> None:
        """Refuse arrays whose shapes contradict each other."""
        count = len(self.class_names)
        if self.boxes.shape != (count, 4) or self.scores.shape != (count,):
            raise ValueError(
                f'expected boxes ({count}, 4) and scores ({count},) for {count} class names, '
                f'found {self.boxes.shape} and {self.scores.shape}'
            )

    def __len__(self) -> int:
        """Return the number of detected objects."""
        return len(self.class_names)

    def __iter__(self) -> Iterator[Detection]:
        """Iterate over the objects, best score first."""
        for box, score, name in zip(self.boxes, self.scores, self.class_names, strict=True):
            x_min, y_min, x_max, y_max = (float(value) for value in box)
            yield Detection((x_min, y_min, x_max, y_max), float(score), name)

    def chosen(self, keep: NDArray[np.bool_]) -> FrameResult:
        """Return only the objects where ``keep``, bool (N,), is true."""
        names = tuple(name for name, kept in zip(self.class_names, keep, strict=True) if kept)
        return replace(self, boxes=self.boxes[keep], scores=self.scores[keep], class_names=names)

    def as_dict(self) -> dict[str, object]:
        """Return plain Python values, ready for json."""
        window = self.window
        return {
            'image_size': list(self.image_size),
            'milliseconds': self.milliseconds,
            'detections': [
                {'box': list(item.box), 'score': item.score, 'class_name': item.class_name}
                for item in self
            ],
            'window': None
            if window is None
            else {
                'steps': window.steps,
                'transient': window.transient,
                'neurons': window.neurons,
                'spikes': window.spikes,
                'synaptic_operations': window.synaptic_operations,
                'mean_rate': window.mean_rate,
            },
        }


def draw_detections(
    image: ImageArray, detections: Sequence[Detection] | FrameResult, *, caption: str = ''
) -> ImageArray:
    """
    Return a copy of a BGR image (H, W, 3) uint8 with boxes, class names and scores drawn in.

    Boats are red, buoys green (as in Fig. 6 of arXiv 2106.05624), any other class blue. Line
    width and text grow with the image so that the picture reads the same at every size.
    """
    canvas = image.copy()
    height, width = canvas.shape[:2]
    thickness = max(1, round(max(height, width) / 500))
    scale = max(0.35, max(height, width) / 1500)
    for item in detections:
        colour = CLASS_COLOURS_BGR.get(item.class_name, OTHER_COLOUR_BGR)
        x_min, y_min, x_max, y_max = (round(value) for value in item.box)
        cv2.rectangle(canvas, (x_min, y_min), (x_max, y_max), colour, thickness, cv2.LINE_AA)
        _draw_label(canvas, f'{item.class_name} {item.score:.2f}', (x_min, y_min), colour, scale)
    if caption:
        _draw_label(canvas, caption, (0, height), (50, 50, 50), scale)
    return canvas


def _draw_label(
    canvas: ImageArray,
    text: str,
    anchor: tuple[int, int],
    colour: tuple[int, int, int],
    scale: float,
) -> None:
    """Write text on a filled plate whose lower left corner is ``anchor``, kept inside the image."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    stroke = max(1, round(scale * 1.6))
    (width, height), baseline = cv2.getTextSize(text, font, scale, stroke)
    left = max(0, min(anchor[0], canvas.shape[1] - width - 4))
    bottom = max(height + baseline + 2, anchor[1])
    top_left, bottom_right = (left, bottom - height - baseline - 2), (left + width + 4, bottom)
    cv2.rectangle(canvas, top_left, bottom_right, colour, cv2.FILLED)
    origin = (left + 2, bottom - baseline)
    cv2.putText(canvas, text, origin, font, scale, (255, 255, 255), stroke, cv2.LINE_AA)
