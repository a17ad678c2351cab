"""
The endless stream of training samples.

Sample number n is a function of (seed, n) and of the sets in play alone: a resumed run sees
exactly the samples the interrupted one would have seen, whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler
from tqdm import tqdm

from spiking_retina_ros.datasets.augment import Sample, ViewSettings, mosaic, random_view
from spiking_retina_ros.datasets.augment_light import LightSettings, random_light
from spiking_retina_ros.datasets.coco import UNDECODABLE, CocoImage, CocoSet, read_image
from spiking_retina_ros.datasets.paste import CutOuts, PasteSettings
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.loss import Target
from spiking_retina_ros.retinanet.preprocess import to_rgb_tensor

# Decoded photographs are kept no larger than this on their longer side, and no more of them than
# this many bytes; the rest is decoded again whenever it is drawn.
CACHED_SIDE = 640
CACHE_BYTES = 4 << 30


@dataclass(frozen=True)
class WeightedSet:
    """
    A set, how often its images are drawn, and from when.

    ``weight`` multiplies the chance of each of its images; the set joins when the share ``start``
    of the training is over.
    """

    images: CocoSet
    weight: float = 1.0
    start: float = 0.0


@dataclass(frozen=True)
class SampleRequest:
    """What the sampler asks a worker for: sample ``number`` at ``size``, at ``progress`` 0..1."""

    number: int
    size: tuple[int, int]
    progress: float


@dataclass(frozen=True)
class Augmentation:
    """Everything that happens to a sample on its way."""

    view: ViewSettings
    light: LightSettings
    paste: PasteSettings


class TrainingSamples(Dataset[tuple[Tensor, Target]]):
    """Augmented samples, drawn by weight; images with ``boosted`` classes more often."""

    def __init__(
        self,
        sets: Sequence[WeightedSet],
        *,
        seed: int,
        boosted: dict[str, float],
        augmentation: Augmentation,
    ) -> None:
        self.seed, self.augmentation = seed, augmentation
        self.images = [image for part in sets for image in part.images.images]
        self._starts = np.concatenate([np.full(len(part.images), part.start) for part in sets])
        names = sets[0].images.class_names
        self._weights = _draw_weights(sets, np.array([boosted.get(name, 1.0) for name in names]))
        self._cache: dict[int, Sample] = {}
        pasted = augmentation.paste.class_name
        self._cut_outs = CutOuts(names.index(pasted) if pasted in names else None)

    def preload(self, sets: Sequence[WeightedSet], *, quiet: bool = False) -> None:
        """
        Decode every image once, keep what fits the cache, drop and record what does not decode.

        Call it before worker processes are started: they share the cache. Raises UserError where
        no image is left.
        """
        owners = [number for number, part in enumerate(sets) for _ in part.images.images]
        room = CACHE_BYTES
        for index, image in enumerate(tqdm(self.images, desc='read', unit='image', disable=quiet)):
            sample = load_sample(image)
            if sample is None:
                problems = sets[owners[index]].images.problems
                problems.add(UNDECODABLE, str(image.path))
                self._weights[index] = 0.0
                continue
            room -= sample.image.nbytes
            if room > 0:
                self._cache[index] = sample
                if self.augmentation.paste.chance > 0:
                    self._cut_outs.collect(sample, owners[index])
        if not self._weights[self._starts <= 0.0].any():
            raise UserError('training: no image left to start with; see the problems listed above')

    def __getitem__(self, request: SampleRequest) -> tuple[Tensor, Target]:
        """Return an image (3, H, W) uint8 RGB and its objects."""
        rng = np.random.default_rng((self.seed, request.number))
        chances = np.where(self._starts <= request.progress, self._weights, 0.0).cumsum()

        def draw() -> Sample:
            while True:
                index = int(np.searchsorted(chances, rng.random() * chances[-1], 'right'))
                sample = self._cache.get(index) or load_sample(self.images[index])
                if sample is not None:
                    return sample

        settings = self.augmentation
        if rng.random() < settings.view.mosaic:
            sample = mosaic(draw, request.size, settings.view, rng)
        else:
            sample = random_view(draw(), request.size, settings.view, rng)
            sample = self._cut_outs.paste(sample, settings.paste, rng)
        image = random_light(sample.image, settings.light, rng)
        boxes, labels = torch.from_numpy(sample.boxes), torch.from_numpy(sample.labels)
        return to_rgb_tensor(image), Target(boxes, labels)


class SequentialRequests(Sampler[list[SampleRequest]]):
    """Batches of consecutive sample numbers; every process of a group takes its share."""

    def __init__(
        self, plan: Iterator[tuple[int, tuple[int, int], float]], batch_size: int, rank: int = 0
    ) -> None:
        self.plan, self.batch_size, self.rank = plan, batch_size, rank

    def __iter__(self) -> Iterator[list[SampleRequest]]:
        """Yield the requests of one batch after another, first number given by the plan."""
        for first, size, progress in self.plan:
            start = first + self.rank * self.batch_size
            yield [SampleRequest(start + k, size, progress) for k in range(self.batch_size)]


def load_sample(image: CocoImage) -> Sample | None:
    """Read an image, shrunk to the cached size with its boxes; None where it does not decode."""
    pixels = read_image(image.path)
    if pixels is None:
        return None
    height, width = pixels.shape[:2]
    factor = min(1.0, CACHED_SIDE / max(height, width))
    if factor < 1.0:
        shrunk = (max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = np.asarray(cv2.resize(pixels, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    # From the size the json states, which need not be the file's, to the pixels at hand.
    scale = np.array([pixels.shape[1] / image.size[1], pixels.shape[0] / image.size[0]] * 2)
    return Sample(pixels, (image.boxes * scale).astype(np.float32), image.labels)


def collate(items: Sequence[tuple[Tensor, Target]]) -> tuple[Tensor, list[Target]]:
    """Stack images to (N, 3, H, W) uint8; targets stay a list."""
    return torch.stack([image for image, _ in items]), [target for _, target in items]


def _draw_weights(sets: Sequence[WeightedSet], factors: np.ndarray) -> np.ndarray:
    """Return each image's chance: its set's weight times the largest factor of its classes."""
    weights = [
        part.weight * factors[image.labels].max(initial=1.0)
        for part in sets
        for image in part.images.images
    ]
    return np.array(weights, np.float64)
