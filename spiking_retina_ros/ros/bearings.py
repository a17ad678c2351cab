"""From boxes in an image to directions in space. Needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.detections import Detection, FrameResult

FloatVector = NDArray[np.float64]


@dataclass(frozen=True)
class CameraModel:
    """
    A calibrated camera.

    ``matrix`` is the 3x3 intrinsic matrix in pixels of an image of ``size`` (height, width),
    ``distortion`` the coefficients of ``model`` (plumb_bob, rational_polynomial, equidistant).
    """

    size: tuple[int, int]
    matrix: FloatVector
    distortion: FloatVector
    model: str = 'plumb_bob'

    @property
    def is_calibrated(self) -> bool:
        """Return whether directions can be computed: uncalibrated drivers send zeros."""
        return bool(self.matrix[0, 0] > 0 and self.matrix[1, 1] > 0)

    def rays(self, points: FloatVector, image_size: tuple[int, int]) -> FloatVector:
        """
        Return unit vectors (N, 3) of pixels (N, 2) in the optical frame: x right, y down, z ahead.

        ``image_size`` (height, width) is that of the image the pixels belong to; where it differs
        from the calibrated size the image was scaled as a whole, and so is the matrix.
        """
        matrix = self.matrix.astype(np.float64).copy()
        if self.size[0] > 0 and self.size[1] > 0:
            matrix[0] *= image_size[1] / self.size[1]
            matrix[1] *= image_size[0] / self.size[0]
        pixels = np.asarray(points, np.float64).reshape(-1, 1, 2)
        if self.model == 'equidistant':
            plane = cv2.fisheye.undistortPoints(pixels, matrix, self.distortion[:4])
        else:
            plane = cv2.undistortPoints(pixels, matrix, self.distortion)
        flat = np.concatenate([plane.reshape(-1, 2), np.ones((len(pixels), 1))], axis=1)
        return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True), np.float64)


@dataclass(frozen=True)
class Bearing:
    """The wedge an object fills: unit vectors to its left edge, centre and right edge."""

    detection: Detection
    left: tuple[float, float, float]
    centre: tuple[float, float, float]
    right: tuple[float, float, float]

    @property
    def azimuth(self) -> float:
        """Return the angle from straight ahead to the centre, in radians, right positive."""
        return float(np.arctan2(self.centre[0], self.centre[2]))


def bearings(result: FrameResult, camera: CameraModel) -> tuple[Bearing, ...]:
    """Return the wedge of every object, taken at the middle height of its box."""
    if not len(result) or not camera.is_calibrated:
        return ()
    middle = (result.boxes[:, 1] + result.boxes[:, 3]) / 2
    columns = (
        result.boxes[:, 0],
        (result.boxes[:, 0] + result.boxes[:, 2]) / 2,
        result.boxes[:, 2],
    )
    left, centre, right = (
        camera.rays(np.stack([column, middle], axis=1), result.image_size) for column in columns
    )
    return tuple(
        Bearing(item, _vector(left[index]), _vector(centre[index]), _vector(right[index]))
        for index, item in enumerate(result)
    )


def _vector(row: FloatVector) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])
