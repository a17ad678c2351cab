"""
Level A of the replay regression: frames to network to golden json, no ROS, exact spikes.

Run this file to write ``golden.json`` anew after the shipped network was changed on purpose:

    PYTHONPATH=. python test/replay/golden.py
"""

import json
from pathlib import Path

import cv2
import numpy as np

from spiking_retina_ros import SpikingDetector
from spiking_retina_ros.model_paths import spiking_model

GOLDEN = Path(__file__).with_name('golden.json')
FRAMES = 2
SIZE = (352, 640)  # the network's own, so that no resampling has a say in what it sees


def frame(index):
    """A sea of integers: gradients, hashed waves and a few boats; the same on every machine."""
    height, width = SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    waves = ((x * 2654435761 + (y // 3) * 40503 + index * 97) >> 7) % 23
    sea = np.stack([120 - y // 4 + waves, 95 - y // 6 + waves, 60 - y // 8 + waves], -1)
    sky = np.stack([225 - y // 5, 205 - y // 6, 180 - y // 7], -1)
    image = np.where((y < 120)[..., None], sky, sea).clip(0, 255).astype(np.uint8)
    for left, size in ((60 + 4 * index, 40), (230 - 3 * index, 26)):
        hull = np.array([[left, 128], [left + size, 128], [left + size - 6, 140], [left + 6, 140]])
        cv2.fillPoly(image, [hull], (70, 60, 160))
        sail = np.array(
            [[left + size // 2, 128 - size], [left + size // 2, 126], [left + size, 126]]
        )
        cv2.fillPoly(image, [sail], (240, 240, 235))
    return image


def answers():
    """What the shipped network says, as plain values; wall time left out."""
    detector = SpikingDetector.load(spiking_model())
    results = [detector.detect(frame(index), score_threshold=0.2) for index in range(FRAMES)]
    frames = [
        {key: value for key, value in result.as_dict().items() if key != 'milliseconds'}
        for result in results
    ]
    return {'model_hash': detector.model_hash, 'frames': frames}


if __name__ == '__main__':
    GOLDEN.write_text(json.dumps(answers(), indent=1) + '\n')
    print(f'wrote {GOLDEN}')
