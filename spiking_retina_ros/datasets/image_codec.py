"""
The one place where the bytes of camera messages become BGR images; needs no ROS.

Every ValueError names what was expected and what was found, so that a node or a command can pass
it on with the topic.
"""

from __future__ import annotations

import array
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.detections import ImageArray

Buffer = bytes | bytearray | memoryview | array.array | NDArray[np.uint8]

# bytes per pixel of a row, and the OpenCV code that turns the array into BGR (None: is BGR)
_PACKED: dict[str, tuple[int, int | None]] = {
    'bgr8': (3, None),
    '8UC3': (3, None),
    'rgb8': (3, cv2.COLOR_RGB2BGR),
    'bgra8': (4, cv2.COLOR_BGRA2BGR),
    '8UC4': (4, cv2.COLOR_BGRA2BGR),
    'rgba8': (4, cv2.COLOR_RGBA2BGR),
    'mono8': (1, cv2.COLOR_GRAY2BGR),
    '8UC1': (1, cv2.COLOR_GRAY2BGR),
    # OpenCV's classic names start at the second pixel of the second row; these start at the first.
    'bayer_rggb8': (1, cv2.COLOR_BayerRGGB2BGR),
    'bayer_bggr8': (1, cv2.COLOR_BayerBGGR2BGR),
    'bayer_gbrg8': (1, cv2.COLOR_BayerGBRG2BGR),
    'bayer_grbg8': (1, cv2.COLOR_BayerGRBG2BGR),
    'yuv422': (2, cv2.COLOR_YUV2BGR_UYVY),
    'uyvy': (2, cv2.COLOR_YUV2BGR_UYVY),
    'yuv422_yuy2': (2, cv2.COLOR_YUV2BGR_YUY2),
    'yuyv': (2, cv2.COLOR_YUV2BGR_YUY2),
}
_DEEP = {'mono16': 2, '16UC1': 2}
_PLANAR = {'nv12': cv2.COLOR_YUV2BGR_NV12, 'nv21': cv2.COLOR_YUV2BGR_NV21}
_COMPRESSED = ('jpeg', 'jpg', 'png', 'webp', 'bmp', 'tiff')


def known_encodings() -> tuple[str, ...]:
    """Return the encodings ``decode_image`` understands, sorted."""
    return tuple(sorted([*_PACKED, *_DEEP, *_PLANAR]))


def decode_image(
    data: Buffer, *, width: int, height: int, encoding: str, step: int, is_bigendian: bool = False
) -> ImageArray:
    """
    Return the picture of a sensor_msgs/Image as uint8 BGR (height, width, 3), memory of its own.

    ``step`` is the length of a row in bytes and may exceed the pixels (padding is skipped; after
    the last row it may be missing). 16-bit grey keeps its upper byte. YUV is BT.601, limited range.
    Raises ValueError for an image without pixels, an unknown encoding, a row shorter than its
    pixels, odd sizes of YUV pictures and truncated data.
    """
    if width < 1 or height < 1:
        raise ValueError(f'expected an image with pixels, found {width}x{height}')
    flat = _as_bytes(data)
    if encoding in _PLANAR:
        if width % 2 or height % 2:
            raise ValueError(
                f'expected even width and height for {encoding}, found {width}x{height}'
            )
        planes = _rows(flat, width, height * 3 // 2, step)
        return _colour(planes, _PLANAR[encoding])
    if encoding in _DEEP:
        samples = _rows(flat, 2 * width, height, step).reshape(height, width, 2)
        upper = samples[..., 0 if is_bigendian else 1]
        return _colour(np.ascontiguousarray(upper), cv2.COLOR_GRAY2BGR)
    if encoding not in _PACKED:
        known = ', '.join(known_encodings())
        raise ValueError(f'expected one of the encodings {known}; found {encoding!r}')
    size, code = _PACKED[encoding]
    rows = _rows(flat, size * width, height, step)
    if encoding.startswith('bayer') and (width < 3 or height < 3):
        raise ValueError(f'expected at least 3x3 pixels for {encoding}, found {width}x{height}')
    if size == 2 and width % 2:
        raise ValueError(f'expected an even width for {encoding}, found {width}')
    pixels = rows if size == 1 else rows.reshape(height, width, size)
    return pixels.copy() if code is None else _colour(pixels, code)


def decode_compressed(data: Buffer, image_format: str = '') -> ImageArray:
    """
    Return the picture of a sensor_msgs/CompressedImage as uint8 BGR (H, W, 3).

    ``image_format`` is the message's text ('jpeg', 'rgb8; jpeg compressed bgr8', ...); the data
    themselves say how to decode them. Pixels stay as stored: an EXIF orientation is not applied,
    because boxes and calibration refer to the sensor. Raises ValueError for a format that is no
    still picture, empty, damaged or truncated data.
    """
    if image_format and not any(word in image_format.lower() for word in _COMPRESSED):
        known = ', '.join(_COMPRESSED)
        raise ValueError(f'expected one of the formats {known}; found {image_format!r}')
    if 'compressedDepth' in image_format:
        raise ValueError(f'expected a colour or grey picture, found {image_format!r}')
    flat = _as_bytes(data)
    if flat.size == 0:
        raise ValueError(f'expected a {image_format or "compressed"} image, found no data')
    _refuse_truncated(flat.tobytes())
    try:
        image = cv2.imdecode(flat, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f'expected a {image_format or "compressed"} image: {error}') from error
    if image is None:
        raise ValueError(
            f'expected a {image_format or "compressed"} image, found {flat.size} bytes that do not '
            f'decode, beginning {flat[:8].tobytes().hex(" ")}'
        )
    return _to_bgr(image)


def _as_bytes(data: Buffer) -> NDArray[np.uint8]:
    """View the data as (N,) uint8 without copying."""
    if isinstance(data, np.ndarray):
        if data.dtype.itemsize != 1:
            raise ValueError(f'expected data of single bytes, found {data.dtype}')
        return data.reshape(-1).view(np.uint8)
    return np.frombuffer(data, np.uint8)


def _rows(flat: NDArray[np.uint8], used: int, count: int, step: int) -> NDArray[np.uint8]:
    """Return (count, used) contiguous bytes of rows that lie ``step`` bytes apart."""
    if step < used:
        raise ValueError(f'expected rows of at least {used} bytes, found step {step}')
    needed = step * (count - 1) + used
    if flat.size < needed:
        raise ValueError(f'expected at least {needed} bytes of data, found {flat.size} (truncated)')
    strided = np.lib.stride_tricks.as_strided(
        flat, (count, used), (flat.strides[0] * step, flat.strides[0])
    )
    return np.ascontiguousarray(strided)


def _colour(pixels: NDArray[np.uint8], code: int) -> ImageArray:
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def _refuse_truncated(data: bytes) -> None:
    """Raise ValueError for JPEG or PNG data without their end: decoders would fill it with grey."""
    name, whole = 'picture', True
    if data.startswith(b'\xff\xd8'):
        name, whole = 'JPEG', data.rfind(b'\xff\xd9') > data.rfind(b'\xff\xda') >= 0
    elif data.startswith(b'\x89PNG'):
        name, whole = 'PNG', b'IEND' in data[-64:]
    if not whole:
        raise ValueError(
            f'expected a whole {name}, found {len(data)} bytes without its end (truncated)'
        )


def _to_bgr(image: NDArray[Any]) -> ImageArray:
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise ValueError(f'expected 8 or 16 bits per channel, found {image.dtype}')
    if image.ndim == 2:
        return _colour(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        return _colour(image, cv2.COLOR_BGRA2BGR)
    return image
