"""One detector under many conditions: photographs changed in known ways, and synthetic seas."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from spiking_retina_ros.datasets.coco import CocoImage, read_image
from spiking_retina_ros.datasets.sea_camera import SeaCamera, SeaCameraConfig
from spiking_retina_ros.datasets.sea_coco import still_seed
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.any_detector import AnyDetector
from spiking_retina_ros.evaluation.conditions import CONDITIONS, SEA_STATES, Condition
from spiking_retina_ros.evaluation.precision import Precision, measure


@dataclass(frozen=True)
class ConditionScore:
    """
    Precision on ``images`` pictures under a condition of that name and strength.

    ``milliseconds`` is the median time from a picture to its boxes.
    """

    name: str
    strength: str
    images: int
    precision: Precision
    milliseconds: float


def score_photographs(
    detector: AnyDetector,
    images: Sequence[CocoImage],
    *,
    seed: int = 0,
    conditions: Sequence[Condition] = CONDITIONS,
    quiet: bool = False,
) -> tuple[list[ConditionScore], list[str]]:
    """
    Score every condition on the photographs; return the scores and the files that do not decode.

    What is random about a condition follows from the seed and the image's place alone. Raises
    UserError where no photograph decodes.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in conditions]
    times: list[list[float]] = [[] for _ in conditions]
    seen: list[list[CocoImage]] = [[] for _ in conditions]
    unreadable = []
    for place, image in enumerate(
        tqdm(images, desc='photographs', unit='image', disable=quiet, leave=False)
    ):
        pixels = read_image(image.path)
        if pixels is None:
            unreadable.append(f'{image.path}: does not decode')
            continue
        for number, condition in enumerate(conditions):
            rng = np.random.default_rng([seed, place, number])
            changed, boxes = condition.apply(pixels, image.boxes, rng)
            seen[number].append(dataclasses.replace(image, boxes=boxes))
            begin = time.perf_counter()
            answer = detector.answer(changed)
            times[number].append(1e3 * (time.perf_counter() - begin))
            found[number] += answer.entries(image.image_id)
    if not seen[0]:
        raise UserError(f'none of the {len(images)} photographs can be decoded')
    scores = [
        ConditionScore(
            condition.name,
            condition.strength,
            len(scored),
            measure(scored, detector.class_names, entries)[0],
            float(np.median(taken)),
        )
        for condition, scored, entries, taken in zip(conditions, seen, found, times, strict=True)
    ]
    return scores, unreadable


def score_seas(
    detector: AnyDetector, count: int, *, seed: int = 0, quiet: bool = False
) -> list[ConditionScore]:
    """Score the detector on ``count`` synthetic frames of 1280x720 for each state of the sea."""
    scores = []
    for name, roughness in SEA_STATES.items():
        scored, entries, times = [], [], []
        frames = sea_frames(roughness, count, detector.class_names, seed=seed)
        for image, pixels in tqdm(
            frames, desc=f'sea, {name}', total=count, unit='frame', disable=quiet, leave=False
        ):
            scored.append(image)
            begin = time.perf_counter()
            answer = detector.answer(pixels)
            times.append(1e3 * (time.perf_counter() - begin))
            entries += answer.entries(image.image_id)
        precision = measure(scored, detector.class_names, entries)[0]
        strength = f'synthetic 1280x720, slopes {roughness:g}'
        taken = float(np.median(times))
        scores.append(ConditionScore(f'sea, {name}', strength, count, precision, taken))
    return scores


def sea_frames(
    roughness: float,
    count: int,
    class_names: Sequence[str],
    *,
    seed: int = 0,
    width: int = 1280,
    height: int = 720,
) -> Iterator[tuple[CocoImage, ImageArray]]:
    """
    Yield synthetic frames and their truth; frame i depends on (seed, i) and the roughness alone.

    Frame i has the same vessels and light in every state of the sea. Objects of other classes than
    ``class_names`` are left out.
    """
    for index in range(count):
        config = SeaCameraConfig(
            width=width, height=height, seed=still_seed(seed, index), roughness=roughness
        )
        frame = SeaCamera(config).frame(0)
        known = [place for place, name in enumerate(frame.class_names) if name in class_names]
        labels = [class_names.index(frame.class_names[place]) for place in known]
        truth = CocoImage(
            index + 1,
            Path(f'sea_{index}'),
            (height, width),
            frame.boxes[known].reshape(-1, 4),
            np.array(labels, np.int64),
        )
        yield truth, frame.image
