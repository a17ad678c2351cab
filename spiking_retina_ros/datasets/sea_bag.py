"""Records the synthetic sea camera into a bag, with the truth beside the pictures."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from spiking_retina_ros.datasets.bag_writer import BagWriter, Storage
from spiking_retina_ros.datasets.sea.camera import SeaCamera, SeaCameraConfig
from spiking_retina_ros.errors import UserError

IMAGE_TOPIC = '/camera/image_raw'
COMPRESSED_TOPIC = '/camera/image_raw/compressed'
CAMERA_INFO_TOPIC = '/camera/camera_info'
TRUTH_TOPIC = '/ground_truth'
FRAME_ID = 'camera_optical_frame'
START = 1_700_000_000_000_000_000  # ns; a fixed one, so that a bag is the same whenever it is made


def write_sea_bag(
    path: Path | str,
    config: SeaCameraConfig,
    *,
    seconds: float,
    compressed: bool = False,
    storage: Storage = 'mcap',
) -> int:
    """
    Write ``seconds`` of the sea camera as a rosbag2; return the number of frames.

    Topics: Image (or CompressedImage), CameraInfo, and the visible boxes as Detection2DArray with
    score 1. All three of a frame carry the same stamp. Raises UserError where nothing would be
    written or the path exists already.
    """
    count = round(seconds * config.frame_rate)
    if count < 1:
        raise UserError(
            f'seconds: expected at least one frame ({1 / config.frame_rate:.3g} s), found {seconds}'
        )
    camera = SeaCamera(config)
    topic = COMPRESSED_TOPIC if compressed else IMAGE_TOPIC
    with BagWriter(path, storage=storage) as bag:
        for index in tqdm(range(count), desc=f'sea camera -> {path}', unit='frame'):
            frame = camera.frame(index)
            stamp = START + round(frame.stamp * 1e9)
            bag.image(topic, frame.image, stamp=stamp, frame_id=FRAME_ID, compressed=compressed)
            bag.camera_info(
                CAMERA_INFO_TOPIC,
                config.intrinsics(),
                width=config.width,
                height=config.height,
                stamp=stamp,
                frame_id=FRAME_ID,
            )
            bag.detections(
                TRUTH_TOPIC, frame.boxes, frame.class_names, stamp=stamp, frame_id=FRAME_ID
            )
    return count
