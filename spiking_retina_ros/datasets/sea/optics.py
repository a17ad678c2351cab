"""
Where things of the world lie in the picture.

The world is level and moves with the camera: X to the right, Y up, Z ahead, in metres, the sea at
Y = 0 and the camera at (0, height, 0). A scene is first drawn on a *level canvas*, the picture of
a camera with the same focal length that looks straight at the horizon, so that the horizon is a
row of the canvas. A homography, exact for a pure rotation, then turns it by roll, pitch and yaw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Optics:
    """A pinhole camera; ``focal`` in pixels, ``height`` above the sea in metres."""

    width: int
    height_pixels: int
    focal: float
    height: float = 2.0

    @property
    def centre(self) -> tuple[float, float]:
        """Return the principal point (x, y); pixel centres lie at whole numbers."""
        return (self.width - 1) / 2, (self.height_pixels - 1) / 2

    def intrinsics(self) -> NDArray[np.float64]:
        """Return the 3x3 camera matrix, in pixels."""
        centre_x, centre_y = self.centre
        return np.array([[self.focal, 0, centre_x], [0, self.focal, centre_y], [0, 0, 1]])


@dataclass(frozen=True)
class Attitude:
    """
    How the camera is turned from level, in radians.

    Positive roll lowers the right side of the camera, positive pitch lifts the view, positive yaw
    turns it to the right.
    """

    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0

    def rotation(self) -> NDArray[np.float64]:
        """Return the 3x3 matrix from the level optical frame (x right, y down) to the camera's."""
        roll, pitch, yaw = -self.roll, -self.pitch, -self.yaw
        about_z = np.array(
            [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        )
        about_x = np.array(
            [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        )
        about_y = np.array(
            [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        )
        return about_z @ about_x @ about_y


@dataclass(frozen=True)
class Window:
    """
    The part of the level canvas a picture needs, in whole pixels.

    Column 0 of an array drawn for this window is canvas column ``left``; ``top`` likewise. Canvas
    coordinates have their principal point where the picture has it.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return self.bottom - self.top, self.right - self.left


def canvas_to_image(optics: Optics, attitude: Attitude) -> NDArray[np.float64]:
    """Return the 3x3 homography from level canvas pixels to image pixels."""
    matrix = optics.intrinsics()
    return matrix @ attitude.rotation() @ np.linalg.inv(matrix)


def window_of(optics: Optics, attitudes: list[Attitude], margin: int = 3) -> Window:
    """
    Return the smallest window that covers the picture at each of the attitudes.

    Its columns begin and end at multiples of 4, so that coarser grids of columns line up.
    """
    width, height = optics.width, optics.height_pixels
    corners = np.array(
        [[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]]
    )
    points = []
    for attitude in attitudes:
        mapped = np.linalg.inv(canvas_to_image(optics, attitude)) @ corners.T
        points.append((mapped[:2] / mapped[2]).T)
    low = np.floor(np.min(np.concatenate(points), axis=0)).astype(int) - margin
    high = np.ceil(np.max(np.concatenate(points), axis=0)).astype(int) + margin + 1
    return Window(int(low[0]) // 4 * 4, int(low[1]), -(-int(high[0]) // 4) * 4, int(high[1]))
