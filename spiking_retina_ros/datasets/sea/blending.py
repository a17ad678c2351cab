"""Layers of colour on 8-bit pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.detections import ImageArray


def overlaid(under: ImageArray, alpha: ImageArray, colour: NDArray[np.floating]) -> ImageArray:
    """Return ``under`` (H, W, 3) with a colour (3,) in [0, 1] laid over it by alpha (H, W)."""
    rest = cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR)
    layer = cv2.merge([cv2.convertScaleAbs(alpha, alpha=float(tone)) for tone in colour])
    kept = cv2.multiply(np.ascontiguousarray(under), rest, scale=1 / 255)
    return np.asarray(cv2.add(kept, layer), np.uint8)
