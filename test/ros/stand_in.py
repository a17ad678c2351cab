"""
A network with known answers for tests of the wiring: red rectangles are boats, green ones buoys.

As a program it is the detector node around that network; --delay makes each answer last longer,
and a picture whose first pixel is (1, 2, 3) makes the network fail.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from spiking_retina_ros.detections import FrameResult, WindowStatistics


class StandInNetwork:
    class_names = ('boat', 'buoy')
    input_size = (48, 64)
    steps = 16
    transient = 4
    max_steps = 64
    schedule = 'concurrent'
    model_hash = 'feedfacefeedface'
    engine = 'stand-in'

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay

    def detect(
        self,
        image,
        *,
        score_threshold=0.4,
        nms_threshold=0.5,
        max_detections=100,
        steps=None,
        transient=None,
    ):
        time.sleep(self.delay)
        if tuple(image[0, 0]) == (1, 2, 3):
            raise RuntimeError('the network failed')
        found = [
            (box, score, name)
            for channel, score, name in ((2, 0.9, 'boat'), (1, 0.6, 'buoy'))
            if (box := _bright_box(image, channel)) is not None and score >= score_threshold
        ][:max_detections]
        window = WindowStatistics(steps or self.steps, transient or 0, 1000, 5000, 70000)
        return FrameResult(
            boxes=np.array([item[0] for item in found], np.float32).reshape(-1, 4),
            scores=np.array([item[1] for item in found], np.float32),
            class_names=tuple(item[2] for item in found),
            image_size=image.shape[:2],
            milliseconds=self.delay * 1000,
            window=window,
        )


def _bright_box(image, channel):
    others = [index for index in range(3) if index != channel]
    mask = (image[..., channel] > 200) & (image[..., others] < 80).all(axis=2)
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return None
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def main() -> int:
    from spiking_retina_ros.ros.detector_node import DetectorNode
    from spiking_retina_ros.ros.process import run

    parser = argparse.ArgumentParser()
    parser.add_argument('--delay', type=float, default=0.0)
    options, ros_arguments = parser.parse_known_args()

    def load(settings: object) -> StandInNetwork:
        print('loading', flush=True)
        return StandInNetwork(options.delay)

    return run(lambda: DetectorNode(load=load), ros_arguments)


if __name__ == '__main__':
    sys.exit(main())
