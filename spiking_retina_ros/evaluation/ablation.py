"""
An ablation: one network converted in several ways, each scored at several numbers of steps.

Rows are examined one after another. What takes long, the answer to every image at every window, is
kept in the evaluation's cache, so an interrupted ablation goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spiking_retina_ros.conversion.calibration_cache import CalibrationCache
from spiking_retina_ros.conversion.convert import convert, convert_finetuned
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.datasets.coco import CocoSet
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.ablation_rows import Origin, Row
from spiking_retina_ros.evaluation.bench import Subject
from spiking_retina_ros.evaluation.candidates import candidates
from spiking_retina_ros.evaluation.error_profile import LayerError
from spiking_retina_ros.evaluation.evaluate import (
    EvaluationOptions,
    evaluate_models,
)
from spiking_retina_ros.evaluation.observation import observe
from spiking_retina_ros.evaluation.results import Evaluation, SubjectScore
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import Window


@dataclass(frozen=True)
class Material:
    """
    What an ablation works on.

    ``trained`` are checkpoints of the analog network that were trained for few steps,
    ``calibration`` are BGR images of the training data, ``images`` is the set to score on.
    """

    analog: RetinaNet
    trained: Mapping[Origin, FineTuned]
    calibration: Sequence[ImageArray]
    images: CocoSet
    calibration_cache: CalibrationCache | None = None


def row_subjects(
    row: Row, material: Material, steps: Sequence[int], options: EvaluationOptions
) -> list[Subject]:
    """Convert for a row, to be read at windows of these steps, see ``candidates``."""
    window = Window(max(steps), 0, row.schedule)
    finetuned = material.trained.get(row.origin)
    if finetuned is not None:
        conversion = convert_finetuned(finetuned, row.options, window=window)
    else:
        conversion = convert(
            material.analog,
            material.calibration,
            row.options,
            window=window,
            cache=material.calibration_cache,
        )
    return candidates(
        conversion,
        material.analog,
        material.calibration,
        steps,
        name=row.name,
        finetuned=finetuned,
        engine=options.engine,
        threads=options.threads,
        quiet=options.quiet,
    )


def evaluate_row(
    subjects: Sequence[Subject], material: Material, options: EvaluationOptions
) -> Evaluation:
    """Score a row's networks; the evaluation has one subject, with all windows."""
    scored = evaluate_models(material.analog, subjects, material.images, options)
    windows = tuple(window for subject in scored.subjects for window in subject.windows)
    whole = replace(scored.subjects[0], windows=windows)
    return replace(scored, subjects=(whole,))


def profile_row(
    row: Row,
    subjects: Sequence[Subject],
    material: Material,
    pictures: Sequence[ImageArray],
    *,
    steps: int,
    quiet: bool = False,
) -> list[LayerError]:
    """Return the error of every layer at the row's window of so many steps, on a few images."""
    for subject in subjects:
        for window in subject.windows:
            if window.steps == steps:
                stages = rebuild_stages(
                    material.analog, subject.network, name=row.name, finetuned=subject.finetuned
                )
                return observe(stages, pictures, [window], [], quiet=quiet).profile
    raise UserError(f'row {row.name!r} has no window of {steps} steps to profile')


def joined(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Return the rows' evaluations, all on the same images, as one."""
    subjects: list[SubjectScore] = [item for part in evaluations for item in part.subjects]
    return replace(evaluations[0], subjects=tuple(subjects))
