"""Bearings as RViz markers, and camera_info as a camera model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from spiking_retina_ros.detections import CLASS_COLOURS_BGR, OTHER_COLOUR_BGR
from spiking_retina_ros.ros.bearings import Bearing, CameraModel


def camera_model(message: CameraInfo) -> CameraModel:
    """Return the calibration a camera_info message carries."""
    return CameraModel(
        size=(message.height, message.width),
        matrix=np.array(message.k, np.float64).reshape(3, 3),
        distortion=np.array(message.d, np.float64),
        model=message.distortion_model or 'plumb_bob',
    )


def bearing_markers(
    found: Sequence[Bearing], header: Header, *, length: float, lifetime: float
) -> MarkerArray:
    """
    Return, for each object, a wedge of ``length`` metres from the camera and a label at its end.

    The header is the image's, so that the wedges lie in the camera's optical frame. Markers that
    are not renewed age out after ``lifetime`` seconds.
    """
    markers = []
    for number, bearing in enumerate(found):
        markers += [
            _wedge(bearing, header, number, length),
            _label(bearing, header, number, length),
        ]
    for marker in markers:
        marker.lifetime = Duration(sec=int(lifetime), nanosec=int(lifetime % 1.0 * 1e9))
    return MarkerArray(markers=markers)


def _wedge(bearing: Bearing, header: Header, number: int, length: float) -> Marker:
    marker = Marker(header=header, ns='bearings', id=number, type=Marker.TRIANGLE_LIST)
    marker.action = Marker.ADD
    marker.scale.x = marker.scale.y = marker.scale.z = 1.0
    marker.pose.orientation.w = 1.0
    marker.color = _colour(bearing, 0.35 + 0.6 * bearing.detection.score)
    ends = [_point(bearing.left, length), _point(bearing.right, length)]
    marker.points = [Point(), *ends]
    return marker


def _label(bearing: Bearing, header: Header, number: int, length: float) -> Marker:
    marker = Marker(header=header, ns='labels', id=number, type=Marker.TEXT_VIEW_FACING)
    marker.action = Marker.ADD
    marker.pose.position = _point(bearing.centre, length * 1.03)
    marker.pose.orientation.w = 1.0
    marker.scale.z = length * 0.03
    marker.color = _colour(bearing, 1.0)
    degrees = math.degrees(bearing.azimuth)
    marker.text = f'{bearing.detection.class_name} {bearing.detection.score:.2f} {degrees:+.0f} deg'
    return marker


def _point(direction: tuple[float, float, float], length: float) -> Point:
    return Point(x=direction[0] * length, y=direction[1] * length, z=direction[2] * length)


def _colour(bearing: Bearing, opacity: float) -> ColorRGBA:
    blue, green, red = CLASS_COLOURS_BGR.get(bearing.detection.class_name, OTHER_COLOUR_BGR)
    return ColorRGBA(r=red / 255, g=green / 255, b=blue / 255, a=min(1.0, opacity))
