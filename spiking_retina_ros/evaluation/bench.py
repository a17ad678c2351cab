"""One network under examination: what it answers to each image, taken from the cache if there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.conversion.populations import FloatNetwork
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


@dataclass(frozen=True)
class Subject:
    """
    A spiking network under examination, its name, and the windows to read it at.

    ``finetuned`` is the checkpoint it was converted from, if that was not the analog network.
    """

    name: str
    network: SpikingNetwork
    windows: tuple[Window, ...]
    finetuned: FineTuned | None = None

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

    ``stages`` hold their answers by key, one per image (empty without ``with_stages``);
    ``windows[k]`` those at the subject's k-th window. ``detector`` is what answers.
    """

    def __init__(
        self,
        analog: RetinaNet,
        subject: Subject,
        cache: Cache,
        *,
        engine: str,
        threads: int | None,
        with_stages: bool = True,
    ) -> None:
        network = subject.network
        self.subject = subject
        self.plan = make_plan(network, network.preprocessing.input_size)
        self.model_hash = str(network.provenance.get('hash', ''))
        self.stages: dict[str, list[Answer]] = {}
        self.windows: list[list[Answer]] = [[] for _ in subject.windows]
        self._cache = cache
        self._config = analog.config
        self._stages: dict[str, tuple[FloatNetwork, str]] = {}
        if with_stages:
            built = rebuild_stages(analog, network, name=subject.name, finetuned=subject.finetuned)
            for key, stage in (('normalised', built.normalised), ('quantised', built.quantised)):
                self._stages[key] = stage, stage_hash(stage, network)
                self.stages[key] = []
        self.detector = SpikingDetector(network, engine=engine, threads=threads)
        self._hash = simulation_hash(network)

    def answer(self, image: ImageArray, image_hash: str) -> None:
        """Run an image through the stages and simulate the windows that are not known yet."""
        for key, (stage, hashed) in self._stages.items():
            self.stages[key] += self._run_stage(stage, hashed, image, image_hash)
        # engines are equal spike for spike, so it does not matter which one fills the cache
        entry = cache_key('spiking', self._hash, image_hash, DECODING)
        windows = {_window_name(window): window for window in self.subject.windows}
        answers = _remember(
            self._cache,
            entry,
            [_window_name(window) for window in self.subject.windows],
            lambda names: self._simulate(image, {name: windows[name] for name in names}),
        )
        for gathered, answer in zip(self.windows, answers, strict=True):
            gathered.append(answer)

    def _run_stage(
        self, stage: FloatNetwork, hashed: str, image: ImageArray, image_hash: str
    ) -> list[Answer]:
        preprocessing = self.subject.network.preprocessing
        return _remember(
            self._cache,
            cache_key('stage', hashed, image_hash, DECODING),
            ['answer'],
            lambda names: {
                name: stage_answer(stage, image, preprocessing, self._config) for name in names
            },
        )

    def _simulate(self, image: ImageArray, windows: Mapping[str, Window]) -> dict[str, Answer]:
        answers = spiking_answers(self.detector, image, list(windows.values()))
        return dict(zip(windows, answers, strict=True))


def _window_name(window: Window) -> str:
    return f'{window.steps}/{window.transient}/{window.schedule}'


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
