"""Arrays to the messages of a bag and back, on rosbags' types; needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.image_codec import decode_compressed, decode_image
from spiking_retina_ros.datasets.vision_messages import DETECTIONS_TYPE, message_types
from spiking_retina_ros.detections import FloatArray, ImageArray

IMAGE_TYPE = 'sensor_msgs/msg/Image'
COMPRESSED_TYPE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
IMAGE_TYPES = (IMAGE_TYPE, COMPRESSED_TYPE)
JPEG_QUALITY = 92
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class BagDetections:
    """
    One Detection2DArray.

    ``stamp`` is the header's, in nanoseconds; ``boxes`` float32 (N, 4) xyxy in image pixels,
    ``scores`` float32 (N,); ``class_names`` has N entries, each the best hypothesis of its
    detection ('' where a detection has none).
    """

    stamp: int
    topic: str
    frame_id: str
    boxes: FloatArray
    scores: FloatArray
    class_names: tuple[str, ...]


def header(stamp: int, frame_id: str) -> Any:
    """Return a std_msgs/Header of a stamp in nanoseconds."""
    types = message_types().types
    time = types['builtin_interfaces/msg/Time'](
        sec=stamp // _NANOSECONDS, nanosec=stamp % _NANOSECONDS
    )
    return types['std_msgs/msg/Header'](stamp=time, frame_id=frame_id)


def stamp_of(message: Any) -> int:
    """Return the header stamp of a message in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * _NANOSECONDS + int(stamp.nanosec)


def image_message(image: ImageArray, *, stamp: int, frame_id: str) -> Any:
    """Return a bgr8 sensor_msgs/Image of a (H, W, 3) uint8 array."""
    height, width = image.shape[:2]
    return message_types().types[IMAGE_TYPE](
        header=header(stamp, frame_id),
        height=height,
        width=width,
        encoding='bgr8',
        is_bigendian=0,
        step=3 * width,
        data=np.ascontiguousarray(image).reshape(-1),
    )


def compressed_message(image: ImageArray, *, stamp: int, frame_id: str) -> Any:
    """Return a jpeg sensor_msgs/CompressedImage of a (H, W, 3) uint8 array."""
    done, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f'expected an image that jpeg can hold, found shape {image.shape}')
    return message_types().types[COMPRESSED_TYPE](
        header=header(stamp, frame_id), format='bgr8; jpeg compressed bgr8', data=data.reshape(-1)
    )


def camera_info_message(
    intrinsics: NDArray[np.float64], *, width: int, height: int, stamp: int, frame_id: str
) -> Any:
    """Return the sensor_msgs/CameraInfo of an undistorted camera with a 3x3 matrix in pixels."""
    types = message_types().types
    projection = np.hstack([intrinsics, np.zeros((3, 1))])
    region = types['sensor_msgs/msg/RegionOfInterest'](
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )
    return types[CAMERA_INFO_TYPE](
        header=header(stamp, frame_id),
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=intrinsics.astype(np.float64).reshape(-1),
        r=np.eye(3).reshape(-1),
        p=projection.reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def detections_message(
    boxes: FloatArray,
    class_names: tuple[str, ...],
    scores: FloatArray | None = None,
    *,
    stamp: int,
    frame_id: str,
) -> Any:
    """Return a Detection2DArray of boxes (N, 4) xyxy; ``scores`` None means 1 (ground truth)."""
    types = message_types().types
    shared = header(stamp, frame_id)
    values = np.ones(len(class_names)) if scores is None else scores
    detections = [
        types['vision_msgs/msg/Detection2D'](
            header=shared, results=[_hypothesis(name, float(score))], bbox=_box(box), id=''
        )
        for box, name, score in zip(boxes, class_names, values, strict=True)
    ]
    return types[DETECTIONS_TYPE](header=shared, detections=detections)


def read_detections(message: Any, topic: str) -> BagDetections:
    """Return the content of a Detection2DArray."""
    boxes = np.zeros((len(message.detections), 4), np.float32)
    scores = np.zeros(len(message.detections), np.float32)
    names = []
    for index, item in enumerate(message.detections):
        centre, box = item.bbox.center.position, item.bbox
        half_x, half_y = box.size_x / 2, box.size_y / 2
        boxes[index] = centre.x - half_x, centre.y - half_y, centre.x + half_x, centre.y + half_y
        results = [result.hypothesis for result in item.results]
        best = max(results, key=lambda hypothesis: hypothesis.score, default=None)
        scores[index] = 0.0 if best is None else best.score
        names.append('' if best is None else best.class_id)
    return BagDetections(
        stamp_of(message), topic, message.header.frame_id, boxes, scores, tuple(names)
    )


def decode_message(message: Any, msgtype: str) -> ImageArray:
    """Return the BGR picture of an Image or CompressedImage; ValueError where it has none."""
    if msgtype == COMPRESSED_TYPE:
        return decode_compressed(message.data, message.format)
    return decode_image(
        message.data,
        width=int(message.width),
        height=int(message.height),
        encoding=message.encoding,
        step=int(message.step),
        is_bigendian=bool(message.is_bigendian),
    )


def _box(box: FloatArray) -> Any:
    types = message_types().types
    x_min, y_min, x_max, y_max = (float(value) for value in box)
    position = types['vision_msgs/msg/Point2D'](x=(x_min + x_max) / 2, y=(y_min + y_max) / 2)
    return types['vision_msgs/msg/BoundingBox2D'](
        center=types['vision_msgs/msg/Pose2D'](position=position, theta=0.0),
        size_x=x_max - x_min,
        size_y=y_max - y_min,
    )


def _hypothesis(name: str, score: float) -> Any:
    types = message_types().types
    pose = types['geometry_msgs/msg/Pose'](
        position=types['geometry_msgs/msg/Point'](x=0.0, y=0.0, z=0.0),
        orientation=types['geometry_msgs/msg/Quaternion'](x=0.0, y=0.0, z=0.0, w=1.0),
    )
    return types['vision_msgs/msg/ObjectHypothesisWithPose'](
        hypothesis=types['vision_msgs/msg/ObjectHypothesis'](class_id=name, score=score),
        pose=types['geometry_msgs/msg/PoseWithCovariance'](pose=pose, covariance=np.zeros(36)),
    )
