"""
The one input transform, image to network, and its exact inverse for boxes.

An image is scaled to fit the network's input without changing its aspect ratio, centred, and the
rest filled with a constant. Training, calibration, evaluation and the node all use this file.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.detections import FloatArray, ImageArray


@dataclass(frozen=True)
class Letterbox:
    """
    Maps an image of ``image_size`` into ``input_size``, both (height, width) in pixels.

    A point x of the image lies at ``x * scale_x + left`` of the input; the two scales differ only
    by the rounding of the resized image to whole pixels, which is why both are kept.
    """

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    resized_size: tuple[int, int]
    left: int
    top: int

    @classmethod
    def fit(cls, image_size: tuple[int, int], input_size: tuple[int, int]) -> Letterbox:
        """Plan the transform; raises ValueError for an image without pixels."""
        height, width = image_size
        if height < 1 or width < 1:
            raise ValueError(f'expected an image with pixels, found {width}x{height}')
        scale = min(input_size[0] / height, input_size[1] / width)
        resized = (max(1, round(height * scale)), max(1, round(width * scale)))
        top, left = (input_size[0] - resized[0]) // 2, (input_size[1] - resized[1]) // 2
        return cls((height, width), input_size, resized, left, top)

    @property
    def scale(self) -> tuple[float, float]:
        """Return (scale_x, scale_y), input pixels per image pixel."""
        return (
            self.resized_size[1] / self.image_size[1],
            self.resized_size[0] / self.image_size[0],
        )

    def apply(self, image: ImageArray, fill: tuple[int, int, int] = (127, 127, 127)) -> ImageArray:
        """
        Return the (H, W, 3) uint8 image as an (input height, input width, 3) uint8 array.

        Shrinking averages over areas, so that small buoys fade instead of vanishing between
        sampling points; enlarging interpolates linearly.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f'expected a uint8 image of shape (H, W, 3), found {image.dtype} {image.shape}'
            )
        if image.shape[:2] != self.image_size:
            raise ValueError(
                f'expected an image of {self.image_size}, found {image.shape[:2]} (height, width)'
            )
        height, width = self.resized_size
        shrinks = height < self.image_size[0]
        mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = (
            image
            if self.resized_size == self.image_size
            else cv2.resize(image, (width, height), interpolation=mode)
        )
        canvas = np.empty((*self.input_size, 3), np.uint8)
        canvas[:] = fill
        canvas[self.top : self.top + height, self.left : self.left + width] = resized
        return canvas

    def boxes_to_input(self, boxes: FloatArray) -> FloatArray:
        """Map boxes (N, 4) xyxy from image pixels to input pixels."""
        scale, offset = self._factors()
        return (boxes * scale + offset).astype(np.float32)

    def boxes_to_image(self, boxes: FloatArray) -> FloatArray:
        """Map boxes (N, 4) xyxy from input pixels to image pixels, clipped to the image."""
        scale, offset = self._factors()
        mapped = (boxes - offset) / scale
        height, width = self.image_size
        limit = np.array([width, height, width, height], np.float64)
        return np.clip(mapped, 0.0, limit).astype(np.float32)

    def _factors(self) -> tuple[np.ndarray, np.ndarray]:
        scale_x, scale_y = self.scale
        scale = np.array([scale_x, scale_y, scale_x, scale_y], np.float64)
        offset = np.array([self.left, self.top, self.left, self.top], np.float64)
        return scale, offset
