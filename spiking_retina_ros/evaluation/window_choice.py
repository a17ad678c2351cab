"""The recommended window, chosen by the data: the fewest steps that lose no more than allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from spiking_retina_ros.conversion.convert import Conversion
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.datasets.coco import CocoSet
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.candidates import candidates
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions, evaluate_models
from spiking_retina_ros.evaluation.export import plain
from spiking_retina_ros.evaluation.results import Evaluation, WindowScore
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import Schedule, SpikingNetwork, Window

STEPS: dict[Schedule, tuple[int, ...]] = {
    'concurrent': (4, 8, 16, 32, 64, 128, 256),
    'phased': (2, 4, 8, 12, 16, 24, 32, 48, 64),
}


@dataclass(frozen=True)
class WindowChoice:
    """The network with its window, and the evaluation it was chosen by."""

    network: SpikingNetwork
    chosen: WindowScore
    evaluation: Evaluation

    @property
    def window(self) -> Window:
        """Return the recommended window."""
        return self.chosen.window

    def fidelity(self) -> dict[str, Any]:
        """Return the figures a model file keeps beside its window, as plain values."""
        analog, spiking = self.evaluation.analog.precision, self.chosen.scored.precision
        per_class = {
            name: {'analog': analog.per_class[name].ap50, 'spiking': spiking.per_class[name].ap50}
            for name in self.evaluation.class_names
        }
        values = {
            'data': self.evaluation.data.name,
            'images': self.evaluation.images,
            'steps': self.window.steps,
            'transient': self.window.transient,
            'analog_map50': analog.map50,
            'spiking_map50': spiking.map50,
            'loss_points': self.chosen.scored.loss_points,
            'loss_interval': list(self.chosen.scored.loss_interval),
            'rate': self.chosen.rate,
            'synaptic_operations_per_frame': self.chosen.synaptic_operations,
            'per_class': per_class,
        }
        return {key: plain(value) for key, value in values.items()}


def choose_window_by_loss(
    conversion: Conversion,
    analog: RetinaNet,
    calibration: Sequence[ImageArray],
    images: CocoSet,
    options: EvaluationOptions,
    *,
    max_loss_points: float,
    steps: Sequence[int] | None = None,
    name: str = 'the network',
    finetuned: FineTuned | None = None,
) -> WindowChoice:
    """
    Return the shortest window that, as all longer ones, loses at most ``max_loss_points``.

    The loss against ``analog`` is in points of mAP@0.5 on ``images``, the calibration part of the
    data with its boxes. ``steps`` are by default the ``STEPS`` of the schedule, see ``candidates``
    for the rest. Raises UserError naming the smallest loss where none is small enough.
    """
    steps = STEPS[conversion.network.window.schedule] if steps is None else steps
    subjects = candidates(
        conversion,
        analog,
        calibration,
        steps,
        name=name,
        finetuned=finetuned,
        engine=options.engine,
        threads=options.threads,
        quiet=options.quiet,
    )
    evaluation = evaluate_models(analog, subjects, images, options)
    scores = [score for subject in evaluation.subjects for score in subject.windows]
    found = shortest_within(scores, max_loss_points)
    if found is None:
        best = min(scores, key=lambda score: score.scored.loss_points)
        raise UserError(
            f'{name}: no window of {", ".join(map(str, steps))} steps loses at most '
            f'{max_loss_points} points of mAP@0.5 on {evaluation.images} images; the least is '
            f'{best.scored.loss_points:.1f} at {best.window.steps} steps: allow more, or convert '
            'with other options'
        )
    network = next(item.network for item in subjects if found.window in item.windows)
    return WindowChoice(replace(network, window=found.window), found, evaluation)


def shortest_within(scores: Sequence[WindowScore], max_loss_points: float) -> WindowScore | None:
    """Return the shortest window from which on no loss is larger, or None."""
    found = None
    for score in sorted(scores, key=lambda item: item.window.steps, reverse=True):
        if score.scored.loss_points > max_loss_points:
            break
        found = score
    return found
