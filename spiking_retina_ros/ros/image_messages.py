"""Image messages to BGR arrays and back."""

from __future__ import annotations

import array
from functools import cache
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from spiking_retina_ros.datasets.image_codec import decode_compressed, decode_image
from spiking_retina_ros.detections import ImageArray

CV_BRIDGE_ENCODINGS = ('bgr8', 'rgb8', 'bgra8', 'rgba8', 'mono8')


def image_to_bgr(message: Image) -> ImageArray:
    """
    Decode an Image message to BGR uint8 (height, width, 3).

    Raises ValueError, naming what was expected and found, for an unknown encoding and for data
    that does not fit the stated size.
    """
    bridge = ros2_cv_bridge()
    if bridge is not None and message.encoding in CV_BRIDGE_ENCODINGS:
        _check_size(message)
        return np.asarray(bridge.imgmsg_to_cv2(message, desired_encoding='bgr8'), np.uint8)
    return decode_image(
        message.data,
        width=message.width,
        height=message.height,
        encoding=message.encoding,
        step=message.step,
        is_bigendian=bool(message.is_bigendian),
    )


def compressed_to_bgr(message: CompressedImage) -> ImageArray:
    """Decode a jpeg or png CompressedImage to BGR uint8 (H, W, 3); ValueError if it cannot be."""
    return decode_compressed(message.data, message.format)


def bgr_to_image(image: ImageArray, header: Header) -> Image:
    """Return a bgr8 Image message of a (H, W, 3) uint8 array."""
    height, width = image.shape[:2]
    # An array.array is taken over as it is; any other buffer is copied byte by byte in Python.
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(image).data)
    return Image(
        header=header,
        height=height,
        width=width,
        encoding='bgr8',
        is_bigendian=0,
        step=width * 3,
        data=data,
    )


@cache
def ros2_cv_bridge() -> Any | None:
    """
    Return ROS 2's CvBridge where it is installed, None elsewhere.

    The package index carries ROS 1's under the same name, which decodes some images wrongly; only
    ROS 2's is known to the ament index.
    """
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix('cv_bridge')
        from cv_bridge import CvBridge
    except (PackageNotFoundError, ImportError):
        return None
    return CvBridge()


def _check_size(message: Image) -> None:
    if message.width < 1 or message.height < 1:
        raise ValueError(f'expected an image with pixels, found {message.width}x{message.height}')
    needed = message.step * message.height
    if len(message.data) < needed:
        raise ValueError(
            f'expected {needed} bytes ({message.height} rows of {message.step}), '
            f'found {len(message.data)}'
        )
