"""The face people use: an image in, boxes out, from an analog or a spiking network alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor

from spiking_retina_ros.detections import FrameResult, ImageArray, WindowStatistics
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.letterbox import Letterbox
from spiking_retina_ros.retinanet.checkpoint import load_retinanet
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.decode import decode_outputs
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.preprocess import preprocess
from spiking_retina_ros.spiking.engine import Engine, Simulation, make_engine
from spiking_retina_ros.spiking.model_file import load_network
from spiking_retina_ros.spiking.network import SpikingNetwork, Window
from spiking_retina_ros.spiking.plan import Plan, make_plan

SCORE_THRESHOLD = 0.4
NMS_THRESHOLD = 0.5
MAX_DETECTIONS = 100
# A run may be asked for more steps than the network was calibrated for, within reason.
MAX_STEPS = 4096


class AnalogDetector:
    """A trained RetinaNet as it is, with the same face as SpikingDetector."""

    def __init__(self, network: RetinaNet) -> None:
        self.network = network.eval()
        self.class_names = network.config.class_names

    @classmethod
    def load(cls, path: Path | str) -> AnalogDetector:
        """Load a checkpoint; raises UserError naming the path and what is wrong with it."""
        return cls(load_retinanet(path))

    @property
    def input_size(self) -> tuple[int, int]:
        """Return (height, width) of the network's input in pixels."""
        return self.network.config.input_size

    def detect(
        self,
        image: ImageArray,
        *,
        score_threshold: float = SCORE_THRESHOLD,
        nms_threshold: float = NMS_THRESHOLD,
        max_detections: int = MAX_DETECTIONS,
    ) -> FrameResult:
        """
        Return the objects of a BGR image (H, W, 3) uint8, boxes in its own pixels.

        Raises ValueError for an image of another type or shape, or without pixels.
        """
        start = time.perf_counter()
        config = self.network.config
        _check_image(image)
        inputs, letterbox = preprocess(image, config)
        with torch.inference_mode():
            class_maps, box_maps = self.network(inputs)
        thresholds = (score_threshold, nms_threshold, max_detections)
        return _frame_result(
            config, class_maps, box_maps, letterbox, thresholds, start=start, window=None
        )


class SpikingDetector:
    """
    A converted network behind an engine.

    ``steps`` and ``transient`` are the window used by default: the recommended one of the model
    file unless others were given. Nothing survives from one image to the next.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        *,
        engine: str = 'event',
        steps: int | None = None,
        transient: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.network = network
        self.window = choose_window(network.window, steps, transient)
        self.class_names = network.class_names
        self._engine: Engine = make_engine(engine, network, threads=threads)
        self.max_steps = MAX_STEPS
        self._config = RetinaNetConfig.from_dict(network.detector)
        self._plan: Plan = make_plan(network, network.preprocessing.input_size)

    @classmethod
    def load(
        cls,
        path: Path | str,
        engine: str = 'event',
        steps: int | None = None,
        transient: int | None = None,
        threads: int | None = None,
    ) -> SpikingDetector:
        """
        Load a model file for an engine: 'reference', 'dense' or 'event'.

        Raises UserError naming the path and what is wrong with the file, or listing the available
        engines.
        """
        network = load_network(path)
        return cls(network, engine=engine, steps=steps, transient=transient, threads=threads)

    @property
    def input_size(self) -> tuple[int, int]:
        """Return (height, width) of the network's input in pixels."""
        return self.network.preprocessing.input_size

    @property
    def engine(self) -> str:
        """Return the name of the engine."""
        return self._engine.name

    @property
    def steps(self) -> int:
        """Return the steps of the default window."""
        return self.window.steps

    @property
    def transient(self) -> int:
        """Return how many first steps of the default window are ignored."""
        return self.window.transient

    @property
    def schedule(self) -> str:
        """Return how the layers share the window, 'concurrent' or 'phased'; see Window."""
        return self.window.schedule

    @property
    def model_hash(self) -> str:
        """Return the content hash of the model file, or '' for a network that never was in one."""
        return str(self.network.provenance.get('hash', ''))

    @overload
    def detect(
        self,
        image: ImageArray,
        *,
        score_threshold: float = ...,
        nms_threshold: float = ...,
        max_detections: int = ...,
        steps: int | None = ...,
        transient: int | None = ...,
        at_steps: None = ...,
    ) -> FrameResult: ...

    @overload
    def detect(
        self,
        image: ImageArray,
        *,
        score_threshold: float = ...,
        nms_threshold: float = ...,
        max_detections: int = ...,
        transient: int | None = ...,
        at_steps: Sequence[int],
    ) -> tuple[FrameResult, ...]: ...

    def detect(
        self,
        image: ImageArray,
        *,
        score_threshold: float = SCORE_THRESHOLD,
        nms_threshold: float = NMS_THRESHOLD,
        max_detections: int = MAX_DETECTIONS,
        steps: int | None = None,
        transient: int | None = None,
        at_steps: Sequence[int] | None = None,
    ) -> FrameResult | tuple[FrameResult, ...]:
        """
        Return the objects of a BGR image (H, W, 3) uint8, boxes in its own pixels.

        ``steps`` and ``transient`` override the default window. With ``at_steps`` one run of the
        longest window is read at each of these times, and a tuple of results in their order comes
        back, at the cost of the longest; a phased window has nothing to read before its end, so
        there each time is a run of its own. Raises ValueError for an image of another type or
        shape.
        """
        start = time.perf_counter()
        _check_image(image)
        chosen = [steps] if at_steps is None else list(at_steps)
        windows = [choose_window(self.window, number, transient) for number in chosen]
        simulation, letterbox = self.simulate(image, windows)
        thresholds = (score_threshold, nms_threshold, max_detections)
        results = tuple(
            self._read(simulation, window, letterbox, thresholds, start=start) for window in windows
        )
        return results[0] if at_steps is None else results

    def simulate(
        self, image: ImageArray, windows: Sequence[Window]
    ) -> tuple[Simulation, Letterbox]:
        """Run the longest of the windows once, so that ``output_maps`` can read all of them."""
        currents, letterbox = self.network.preprocessing(image)
        times = {window.steps for window in windows} | {window.transient for window in windows}
        return self._engine.run(currents, sorted(times - {0})), letterbox

    def output_maps(
        self, simulation: Simulation, window: Window
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return class and box maps of a simulation, float32 (1, C, H, W) per level."""
        end = simulation.times.index(window.steps)
        maps = []
        for population in self.network.output_populations:
            gathered = simulation.outputs[population.name]
            if window.transient:
                before = gathered[simulation.times.index(window.transient)]
            else:
                before = torch.zeros_like(gathered[end])
            maps.append(
                self.network.read_out(
                    population, before, gathered[end], steps=window.steps - window.transient
                )[None]
            )
        levels = len(maps) // 2
        return maps[:levels], maps[levels:]

    def _read(
        self,
        simulation: Simulation,
        window: Window,
        letterbox: Letterbox,
        thresholds: tuple[float, float, int],
        *,
        start: float,
    ) -> FrameResult:
        class_maps, box_maps = self.output_maps(simulation, window)
        end = simulation.times.index(window.steps)
        statistics = WindowStatistics(
            window.steps,
            window.transient,
            self._plan.neurons,
            simulation.total_spikes(end),
            simulation.total_synaptic_operations(end),
        )
        return _frame_result(
            self._config,
            class_maps,
            box_maps,
            letterbox,
            thresholds,
            start=start,
            window=statistics,
        )


def choose_window(default: Window, steps: int | None, transient: int | None) -> Window:
    """
    Return the default window with what was given put in its place.

    A default transient that does not fit into fewer steps shrinks in proportion. Raises UserError
    for a window that ends before anything is read or is longer than any simulation makes sense.
    """
    steps = default.steps if steps is None else steps
    if not 1 <= steps <= MAX_STEPS:
        raise UserError(f'expected steps between 1 and {MAX_STEPS}, found {steps}')
    if transient is None:
        fits = default.transient < steps and steps >= default.steps
        transient = default.transient if fits else default.transient * steps // default.steps
    if not 0 <= transient < steps:
        raise UserError(
            f'expected a transient of 0 to {steps - 1} steps for a window of {steps}, '
            f'found {transient}; use a longer window or a shorter transient'
        )
    if default.schedule == 'phased' and transient:
        raise UserError(
            f'the network has a phased window, which has no transient; found {transient}, give 0'
        )
    return Window(steps, transient, default.schedule)


def _check_image(image: Any) -> None:
    shape = tuple(getattr(image, 'shape', ()))
    kind = str(getattr(image, 'dtype', type(image).__name__))
    if kind != 'uint8' or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise ValueError(f'expected a BGR image uint8 (H, W, 3) with pixels, found {kind} {shape}')


def _frame_result(
    config: RetinaNetConfig,
    class_maps: Sequence[Tensor],
    box_maps: Sequence[Tensor],
    letterbox: Letterbox,
    thresholds: tuple[float, float, int],
    *,
    start: float,
    window: WindowStatistics | None,
) -> FrameResult:
    score_threshold, nms_threshold, max_detections = thresholds
    boxes, scores, labels = decode_outputs(
        class_maps,
        box_maps,
        config,
        score_threshold=score_threshold,
        nms_threshold=nms_threshold,
        max_detections=max_detections,
        input_size=letterbox.input_size,
    )[0]
    names = tuple(config.class_names[int(label)] for label in labels)
    mapped = letterbox.boxes_to_image(boxes)
    milliseconds = (time.perf_counter() - start) * 1000
    return FrameResult(mapped, scores, names, letterbox.image_size, milliseconds, window)
