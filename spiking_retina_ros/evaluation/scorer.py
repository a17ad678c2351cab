"""Answers on a set of images to precision, and the loss against the analog network."""

from __future__ import annotations

from collections.abc import Sequence

from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.evaluation.answers import Answer
from spiking_retina_ros.evaluation.bootstrap import draw_weights, interval, resampled_map50
from spiking_retina_ros.evaluation.precision import measure
from spiking_retina_ros.evaluation.results import Scored

BOOTSTRAP_DRAWS = 1000


class Scorer:
    """Scores networks on the same images, with the same bootstrap draws for all of them."""

    def __init__(
        self,
        images: Sequence[CocoImage],
        class_names: Sequence[str],
        analog: Sequence[Answer],
        *,
        seed: int,
        draws: int = BOOTSTRAP_DRAWS,
    ) -> None:
        # pycocotools counts images in the order of their ids; the draws must mean the same ones
        self._images = images
        self._class_names = class_names
        self._weights = draw_weights(len(images), draws=draws, seed=seed)
        precision, matches = measure(images, class_names, self._entries(analog))
        self._analog_map50 = precision.map50
        self._analog_draws = resampled_map50(matches, self._weights)
        self.analog = Scored(precision, 0.0, (0.0, 0.0))

    def score(self, answers: Sequence[Answer]) -> Scored:
        """Return the precision of a network's answers, one per image, and its loss."""
        precision, matches = measure(self._images, self._class_names, self._entries(answers))
        lost = self._analog_draws - resampled_map50(matches, self._weights)
        low, high = interval(100 * lost)
        return Scored(precision, 100 * (self._analog_map50 - precision.map50), (low, high))

    def _entries(self, answers: Sequence[Answer]) -> list[dict[str, object]]:
        return [
            entry
            for image, answer in zip(self._images, answers, strict=True)
            for entry in answer.entries(image.image_id)
        ]
