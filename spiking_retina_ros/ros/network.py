"""The spiking network as the node sees it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from spiking_retina_ros.detections import FrameResult, ImageArray
from spiking_retina_ros.model_paths import spiking_model
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.tiling import Strip, detect_tiled


class Network(Protocol):
    """What the node needs of a detector; SpikingDetector offers it."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes the network knows, in its own order."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Return (height, width) of the network's input in pixels."""

    @property
    def steps(self) -> int:
        """Return the window used unless told otherwise."""

    @property
    def transient(self) -> int:
        """Return the transient used unless told otherwise."""

    @property
    def max_steps(self) -> int:
        """Return the longest window the network allows."""

    @property
    def schedule(self) -> str:
        """Return 'concurrent' or 'phased'; a phased window has no transient."""

    @property
    def model_hash(self) -> str:
        """Return the hash of the model file's content."""

    @property
    def engine(self) -> str:
        """Return the name of the engine that simulates."""

    def detect(
        self,
        image: ImageArray,
        *,
        score_threshold: float = ...,
        nms_threshold: float = ...,
        max_detections: int = ...,
        steps: int | None = None,
        transient: int | None = None,
    ) -> FrameResult:
        """Answer one BGR image (H, W, 3) uint8."""


def load_network(settings: Settings) -> Network:
    """Load the model file named by the settings; UserError says why it cannot be used."""
    from spiking_retina_ros.detector import SpikingDetector

    path = Path(settings.model) if settings.model else spiking_model()
    return SpikingDetector.load(path, engine=settings.engine, threads=settings.threads or None)


def warm_up(network: Network) -> None:
    """Answer a grey image, so that the first real frame does not pay for first-time work."""
    network.detect(np.full((240, 320, 3), 127, np.uint8))


def detect(network: Network, image: ImageArray, settings: Settings) -> FrameResult:
    """Answer one image with the full window the settings ask for, its strip included."""
    look = network.detect
    if settings.strip_height:
        look = partial(
            detect_tiled, network, strip=Strip(settings.strip_height, settings.strip_centre)
        )
    result = look(
        image,
        score_threshold=settings.score_threshold,
        nms_threshold=settings.nms_threshold,
        max_detections=settings.max_detections,
        steps=settings.steps or None,
        transient=None if settings.transient < 0 else settings.transient,
    )
    return only_classes(result, settings.wanted_classes)


def detect_early(network: Network, image: ImageArray, settings: Settings) -> FrameResult:
    """
    Answer one image with the short window of ``early_steps``; the transient shrinks with it.

    The strip is left out: what comes early shall come early.
    """
    given = settings.transient >= 0
    result = network.detect(
        image,
        score_threshold=settings.score_threshold,
        nms_threshold=settings.nms_threshold,
        max_detections=settings.max_detections,
        steps=settings.early_steps,
        transient=min(settings.transient, settings.early_steps - 1) if given else None,
    )
    return only_classes(result, settings.wanted_classes)


def only_classes(result: FrameResult, wanted: tuple[str, ...]) -> FrameResult:
    """Return the objects whose class is wanted; all of them where ``wanted`` is empty."""
    if not wanted or set(result.class_names) <= set(wanted):
        return result
    return result.chosen(np.array([name in wanted for name in result.class_names], bool))
