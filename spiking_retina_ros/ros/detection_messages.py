"""FrameResults as vision_msgs messages."""

from __future__ import annotations

from collections.abc import Sequence

from std_msgs.msg import Header
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
)

from spiking_retina_ros.detections import Detection, FrameResult


def detections_message(result: FrameResult, header: Header) -> Detection2DArray:
    """
    Return the objects of one image, best first; an empty array when nothing was seen.

    The image's header goes to the array and to every detection. Boxes are centre and size in
    the image's own pixels, class_id is the class name, the track id stays empty.
    """
    return Detection2DArray(
        header=header, detections=[_detection_message(item, header) for item in result]
    )


def label_info_message(
    class_names: Sequence[str], threshold: float, header: Header | None = None
) -> LabelInfo:
    """Return the classes a network knows, numbered in its own order, and the score threshold."""
    return LabelInfo(
        header=header or Header(),
        class_map=[
            VisionClass(class_id=index, class_name=name) for index, name in enumerate(class_names)
        ],
        threshold=threshold,
    )


def _detection_message(item: Detection, header: Header) -> Detection2D:
    message = Detection2D(header=header)
    hypothesis = ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id = item.class_name
    hypothesis.hypothesis.score = item.score
    message.results = [hypothesis]
    message.bbox.center.position.x, message.bbox.center.position.y = item.centre
    message.bbox.size_x, message.bbox.size_y = item.size
    return message


def read_detections(message: Detection2DArray) -> tuple[Detection, ...]:
    """Return the objects of a message, each with its best hypothesis; the inverse of the above."""
    found = []
    for item in message.detections:
        best = max((entry.hypothesis for entry in item.results), key=lambda entry: entry.score)
        centre, box = item.bbox.center.position, item.bbox
        half_x, half_y = box.size_x / 2, box.size_y / 2
        corners = (centre.x - half_x, centre.y - half_y, centre.x + half_x, centre.y + half_y)
        found.append(Detection(corners, best.score, best.class_id))
    return tuple(found)
