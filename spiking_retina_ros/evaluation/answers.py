"""What a network answers to one image, for scoring: nearly all boxes, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.detections import FloatArray, ImageArray
from spiking_retina_ros.detector import NMS_THRESHOLD, SpikingDetector
from spiking_retina_ros.evaluation.stages import output_maps
from spiking_retina_ros.letterbox import Letterbox
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.decode import VOTING_OVERLAP, VOTING_SCORE, decode_outputs
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.preprocess import preprocess
from spiking_retina_ros.retinanet.validation import (
    MAX_DETECTIONS,
    SCORE_THRESHOLD,
    result_entries,
)
from spiking_retina_ros.spiking.network import Preprocessing, Window

# What the boxes depend on beside the maps; part of every cache key.
DECODING = (
    f'score {SCORE_THRESHOLD} nms {NMS_THRESHOLD} boxes {MAX_DETECTIONS} '
    f'votes {VOTING_OVERLAP} {VOTING_SCORE}'
)


@dataclass(frozen=True)
class Answer:
    """
    Boxes float32 (N, 4) xyxy in image pixels, scores float32 (N,), labels int64 (N,).

    ``spikes`` and ``synaptic_operations`` are those of the whole window, 0 for what does not spike.
    """

    boxes: FloatArray
    scores: FloatArray
    labels: NDArray[np.int64]
    spikes: int = 0
    synaptic_operations: int = 0

    def entries(self, image_id: int) -> list[dict[str, Any]]:
        """Return COCO result entries."""
        return result_entries(image_id, self.boxes, self.scores, self.labels)

    def as_dict(self) -> dict[str, Any]:
        """Return plain Python values, ready for json."""
        return {
            'boxes': self.boxes.tolist(),
            'scores': self.scores.tolist(),
            'labels': self.labels.tolist(),
            'spikes': self.spikes,
            'synaptic_operations': self.synaptic_operations,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Answer:
        """Read what ``as_dict`` wrote."""
        return cls(
            np.array(values['boxes'], np.float32).reshape(-1, 4),
            np.array(values['scores'], np.float32),
            np.array(values['labels'], np.int64),
            int(values['spikes']),
            int(values['synaptic_operations']),
        )


def analog_answer(network: RetinaNet, image: ImageArray) -> Answer:
    """Return the analog network's answer."""
    inputs, letterbox = preprocess(image, network.config)
    with torch.inference_mode():
        class_maps, box_maps = network(inputs)
    return _answer(network.config, class_maps, box_maps, letterbox)


def stage_answer(
    stage: FloatNetwork,
    image: ImageArray,
    preprocessing: Preprocessing,
    config: RetinaNetConfig,
) -> Answer:
    """Return the answer of a stage that works on rates, clipped."""
    integers, letterbox = preprocessing(image)
    class_maps, box_maps = output_maps(stage, integers)
    return _answer(config, class_maps, box_maps, letterbox)


def spiking_answers(
    detector: SpikingDetector, image: ImageArray, windows: Sequence[Window]
) -> list[Answer]:
    """Return the answers at several windows, in their order, from one simulation."""
    config = RetinaNetConfig.from_dict(detector.network.detector)
    simulation, letterbox = detector.simulate(image, windows)
    answers = []
    for window in windows:
        end = simulation.times.index(window.steps)
        answers.append(
            _answer(
                config,
                *detector.output_maps(simulation, window),
                letterbox,
                spikes=simulation.total_spikes(end),
                synaptic_operations=simulation.total_synaptic_operations(end),
            )
        )
    return answers


def _answer(
    config: RetinaNetConfig,
    class_maps: Sequence[Tensor],
    box_maps: Sequence[Tensor],
    letterbox: Letterbox,
    *,
    spikes: int = 0,
    synaptic_operations: int = 0,
) -> Answer:
    boxes, scores, labels = decode_outputs(
        class_maps,
        box_maps,
        config,
        score_threshold=SCORE_THRESHOLD,
        nms_threshold=NMS_THRESHOLD,
        max_detections=MAX_DETECTIONS,
        input_size=letterbox.input_size,
    )[0]
    mapped = letterbox.boxes_to_image(boxes)
    return Answer(mapped, scores, labels, spikes, synaptic_operations)
