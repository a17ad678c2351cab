"""
Analog, normalised, quantised and spiking networks side by side on one COCO set.

All networks see an image before the next one is read, so memory does not grow with the images but
by their boxes. Every answer is kept in the cache as soon as it is there: an evaluation that was
interrupted goes on, and one with more windows simulates only what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spiking_retina_ros.datasets.coco import CocoImage, CocoSet, read_image
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.bench import AnalogBench, SpikingBench, Subject
from spiking_retina_ros.evaluation.cache import Cache, file_hash
from spiking_retina_ros.evaluation.frame_times import frame_times
from spiking_retina_ros.evaluation.machine import describe_machine
from spiking_retina_ros.evaluation.results import Evaluation, SubjectScore, WindowScore
from spiking_retina_ros.evaluation.scorer import Scorer
from spiking_retina_ros.retinanet.network import RetinaNet


@dataclass(frozen=True)
class EvaluationOptions:
    """
    How to evaluate.

    ``limit`` takes that many evenly spaced images of the set. ``timing_images`` images are run once
    more for every window by itself, because a run that is read at several times says nothing about
    how long a short one takes; 0 leaves times out. ``stages`` False leaves out the networks that
    lie between the analog and the spiking one. ``cache`` is a folder, None keeps nothing.
    ``seed`` is the bootstrap's.
    """

    engine: str = 'event'
    threads: int | None = None
    limit: int | None = None
    cache: Path | None = None
    timing_images: int = 3
    stages: bool = True
    seed: int = 0
    quiet: bool = False


def evaluate_models(
    analog: RetinaNet,
    subjects: Sequence[Subject],
    images: CocoSet,
    options: EvaluationOptions,
) -> Evaluation:
    """
    Score the analog network and all subjects on the set, one pass over its images.

    ``images`` must have been read for the analog network's class names. Raises UserError where a
    subject was not converted from ``analog``, or no image can be decoded.
    """
    cache = Cache(options.cache)
    analog_bench = AnalogBench(analog, cache)
    benches = [
        SpikingBench(
            analog,
            subject,
            cache,
            engine=options.engine,
            threads=options.threads,
            with_stages=options.stages,
        )
        for subject in subjects
    ]
    chosen = evenly_spaced(images.images, options.limit)
    scored: list[CocoImage] = []
    unreadable: list[str] = []
    for image in tqdm(chosen, desc='evaluating', unit='image', disable=options.quiet):
        pixels = read_image(image.path)
        if pixels is None:
            unreadable.append(f'{image.path}: does not decode')
            continue
        scored.append(image)
        image_hash = file_hash(image.path)
        analog_bench.answer(pixels, image_hash)
        for bench in benches:
            bench.answer(pixels, image_hash)
    if not scored:
        raise UserError(f'{images.path}: none of its {len(chosen)} images can be decoded')
    scorer = Scorer(scored, images.class_names, analog_bench.answers, seed=options.seed)
    timing = scored[: options.timing_images]
    return Evaluation(
        images.path,
        len(scored),
        len(images.images),
        images.class_names,
        scorer.analog,
        tuple(_score(bench, scorer, timing, quiet=options.quiet) for bench in benches),
        options.engine,
        describe_machine(),
        options.seed,
        len(timing),
        (*images.problems.lines(), *unreadable),
    )


def evenly_spaced(images: Sequence[CocoImage], limit: int | None) -> list[CocoImage]:
    """Return ``limit`` of the images, evenly spaced over the set, or all of them."""
    if limit is None or limit >= len(images):
        return list(images)
    if limit < 1:
        raise UserError(f'expected a limit of at least 1 image, found {limit}')
    places = np.linspace(0, len(images) - 1, limit).round().astype(int)
    return [images[place] for place in places]


def _score(
    bench: SpikingBench, scorer: Scorer, timing: Sequence[CocoImage], *, quiet: bool
) -> SubjectScore:
    plan = bench.plan
    paths = [image.path for image in timing]
    times = frame_times(bench.detector, bench.subject.windows, paths, quiet=quiet)
    windows = []
    for index, window in enumerate(bench.subject.windows):
        answers = bench.windows[index]
        spikes = float(np.mean([answer.spikes for answer in answers]))
        windows.append(
            WindowScore(
                window,
                scorer.score(answers),
                spikes / (plan.neurons * window.steps) if plan.neurons else 0.0,
                spikes,
                float(np.mean([answer.synaptic_operations for answer in answers])),
                times[index],
            )
        )
    return SubjectScore(
        bench.subject.name,
        bench.model_hash,
        bench.subject.network.provenance['options'],
        plan.neurons,
        plan.analog_macs,
        {key: scorer.score(answers) for key, answers in bench.stages.items()},
        tuple(windows),
    )
