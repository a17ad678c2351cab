"""What the sea camera gives: a picture and what is in it."""

from __future__ import annotations

from dataclasses import dataclass

from spiking_retina_ros.detections import FloatArray, ImageArray


@dataclass(frozen=True)
class SeaFrame:
    """
    A picture with its truth.

    ``image`` is uint8 BGR (H, W, 3); ``boxes`` float32 (N, 4) xyxy in pixels around what is
    visible of each object; ``class_names`` has N entries, 'boat' or 'buoy'; ``stamp`` in seconds.
    """

    image: ImageArray
    boxes: FloatArray
    class_names: tuple[str, ...]
    stamp: float
