"""A detector from a file of either kind, answering as scoring needs it: with nearly all boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.detector import NMS_THRESHOLD, AnalogDetector, SpikingDetector
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.answers import Answer
from spiking_retina_ros.retinanet.checkpoint import FORMAT as ANALOG_FORMAT
from spiking_retina_ros.retinanet.validation import MAX_DETECTIONS, SCORE_THRESHOLD
from spiking_retina_ros.spiking.model_file import FORMAT as SPIKING_FORMAT
from spiking_retina_ros.tiling import Strip, detect_tiled


class AnyDetector:
    """An analog or a spiking network; with a ``strip`` it looks at the horizon twice."""

    def __init__(
        self, detector: AnalogDetector | SpikingDetector, strip: Strip | None = None
    ) -> None:
        self._detector = detector
        self._strip = strip
        self.class_names = detector.class_names

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        engine: str = 'event',
        steps: int | None = None,
        threads: int | None = None,
        strip: Strip | None = None,
    ) -> AnyDetector:
        """
        Load a checkpoint or a model file; engine, steps and threads are for the latter.

        Raises UserError naming the path where it is neither.
        """
        if not path.is_file():
            raise UserError(f'{path}: no such file')
        try:
            with safe_open(path, framework='pt') as file:
                found = (file.metadata() or {}).get('format')
        except (OSError, SafetensorError) as error:
            raise UserError(f'{path}: not a readable safetensors file: {error}') from error
        if found == ANALOG_FORMAT:
            return cls(AnalogDetector.load(path), strip)
        if found == SPIKING_FORMAT:
            spiking = SpikingDetector.load(path, engine=engine, steps=steps, threads=threads)
            return cls(spiking, strip)
        raise UserError(
            f'{path}: expected a file of format {ANALOG_FORMAT!r} or {SPIKING_FORMAT!r}, '
            f'found {found!r}'
        )

    def answer(self, image: ImageArray) -> Answer:
        """Return the boxes in a BGR image (H, W, 3) uint8 down to the scores that AP needs."""
        thresholds: dict[str, Any] = {
            'score_threshold': SCORE_THRESHOLD,
            'nms_threshold': NMS_THRESHOLD,
            'max_detections': MAX_DETECTIONS,
        }
        if self._strip is None:
            result = self._detector.detect(image, **thresholds)
        else:
            result = detect_tiled(self._detector, image, self._strip, **thresholds)
        labels = [self.class_names.index(name) for name in result.class_names]
        return Answer(result.boxes, result.scores, np.array(labels, np.int64))
