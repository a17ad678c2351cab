"""One network under examination: what it answers to each image, taken from the cache if there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from spiking_retina_ros.datasets.coco import read_image
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.detector import SpikingDetector
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.answers import (
    DECODING,
    Answer,
    analog_answer,
    spiking_answers,
    stage_answer,
)
from spiking_retina_ros.evaluation.cache import Cache, cache_key
from spiking_retina_ros.evaluation.stages import (
    analog_hash,
    rebuild_stages,
    simulation_hash,
    stage_hash,
)
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import SpikingNetwork, Window
from spiking_retina_ros.spiking.plan import make_plan

STAGE_NAMES = ('normalised', 'quantised')


@dataclass(frozen=True)
class Subject:
    """A spiking network under examination, its name, and the windows to read it at."""

    name: str
    network: SpikingNetwork
    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        """Refuse a subject without windows."""
        if not self.windows:
            raise UserError(f'{self.name}: expected at least one window to evaluate')


class AnalogBench:
    """The analog network and its ``answers``, one per image."""

    def __init__(self, network: RetinaNet, cache: Cache) -> None:
        self._network = network
        self._cache = cache
        self._hash = analog_hash(network)
        self.answers: list[Answer] = []

    def answer(self, image: ImageArray, image_hash: str) -> None:
        """Run an image."""
        key = cache_key('analog', self._hash, image_hash, DECODING)
        self.answers += _remember(
            self._cache,
            key,
            ['analog'],
            lambda names: {name: analog_answer(self._network, image) for name in names},
        )


class SpikingBench:
    """
    A spiking network and the stages before it.

    ``normalised`` and ``quantised`` hold their answers, one per image; ``windows[k]`` those at the
    subject's k-th window.
    """

    def __init__(
        self,
        analog: RetinaNet,
        subject: Subject,
        cache: Cache,
        *,
        engine: str,
        threads: int | None,
    ) -> None:
        network = subject.network
        self.subject = subject
        self.plan = make_plan(network, network.preprocessing.input_size)
        self.model_hash = str(network.provenance.get('hash', ''))
        self.normalised: list[Answer] = []
        self.quantised: list[Answer] = []
        self.windows: list[list[Answer]] = [[] for _ in subject.windows]
        self._cache = cache
        self._config = analog.config
        self._stages = rebuild_stages(analog, network, name=subject.name)
        self._detector = SpikingDetector(network, engine=engine, threads=threads)
        self._stage_hash = stage_hash(self._stages)
        self._hash = simulation_hash(network)

    def answer(self, image: ImageArray, image_hash: str) -> None:
        """Run an image through the stages and simulate the windows that are not known yet."""
        key = cache_key('stages', self._stage_hash, image_hash, DECODING)
        stages = _remember(
            self._cache, key, STAGE_NAMES, lambda names: self._run_stages(image, names)
        )
        self.normalised.append(stages[0])
        self.quantised.append(stages[1])
        # engines are equal spike for spike, so it does not matter which one fills the cache
        key = cache_key('spiking', self._hash, image_hash, DECODING)
        windows = {_window_name(window): window for window in self.subject.windows}
        answers = _remember(
            self._cache,
            key,
            [_window_name(window) for window in self.subject.windows],
            lambda names: self._simulate(image, {name: windows[name] for name in names}),
        )
        for gathered, answer in zip(self.windows, answers, strict=True):
            gathered.append(answer)

    def measure_times(self, paths: Sequence[Path], *, quiet: bool) -> list[float | None]:
        """Return, per window, the median milliseconds of a frame run for it alone."""
        if not paths:
            return [None] * len(self.subject.windows)
        images = [image for image in map(read_image, paths) if image is not None]
        self._detector.detect(images[0], steps=1, transient=0)  # what is compiled or planned once
        times: dict[int, float] = {}
        every = dict.fromkeys(window.steps for window in self.subject.windows)
        for steps in tqdm(every, desc='timing', unit='window', disable=quiet, leave=False):
            # what is read at the end, and so the transient, takes no time worth the name
            frames = [self._detector.detect(image, steps=steps, transient=0) for image in images]
            times[steps] = statistics.median(frame.milliseconds for frame in frames)
        return [times[window.steps] for window in self.subject.windows]

    def _run_stages(self, image: ImageArray, names: Sequence[str]) -> dict[str, Answer]:
        networks = {'normalised': self._stages.normalised, 'quantised': self._stages.quantised}
        preprocessing = self.subject.network.preprocessing
        return {
            name: stage_answer(networks[name], image, preprocessing, self._config) for name in names
        }

    def _simulate(self, image: ImageArray, windows: Mapping[str, Window]) -> dict[str, Answer]:
        answers = spiking_answers(self._detector, image, list(windows.values()))
        return dict(zip(windows, answers, strict=True))


def _window_name(window: Window) -> str:
    return f'{window.steps}/{window.transient}'


def _remember(
    cache: Cache,
    key: str,
    names: Sequence[str],
    compute: Callable[[Sequence[str]], Mapping[str, Answer]],
) -> list[Answer]:
    """Return the named answers of an entry, computing and storing those that are missing."""
    stored = cache.get(key)
    known = {name: Answer.from_dict(stored[name]) for name in names if name in stored}
    missing = [name for name in dict.fromkeys(names) if name not in known]
    if missing:
        found = compute(missing)
        known.update(found)
        cache.put(key, stored | {name: answer.as_dict() for name, answer in found.items()})
    return [known[name] for name in names]
