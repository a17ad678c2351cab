"""What one analog network costs and achieves, beside its spiking copy; for choosing a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from spiking_retina_ros.conversion.convert import Conversion, analog_input, convert, plan_input
from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.size import measure_size
from spiking_retina_ros.datasets.coco import CocoSet
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.evaluation.bench import Subject
from spiking_retina_ros.evaluation.benchmark import run_benchmark
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions, evaluate_models
from spiking_retina_ros.evaluation.observation import spiking_populations
from spiking_retina_ros.evaluation.results import Scored
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import Window


@dataclass(frozen=True)
class BackboneOptions:
    """
    How to compare: the conversion, the window, and how the set is evaluated.

    ``rounds`` frames of the analog and the spiking network are timed in turns; 0 for none.
    """

    conversion: ConversionOptions
    window: Window
    evaluation: EvaluationOptions
    threads: int
    rounds: int


@dataclass(frozen=True)
class BackboneFigures:
    """
    One row of the table.

    ``sparsity`` is the share of the spiking neurons whose analog activation is exactly zero, over
    the calibration images; ``rate`` is in spikes per neuron and step, ``synaptic_operations`` per
    frame, milliseconds are medians of whole forward passes, None where nothing was timed.
    """

    name: str
    backbone: str
    input_size: tuple[int, int]
    parameters: int
    macs: int
    neurons: int
    sparsity: float
    analog: Scored
    spiking: Scored
    rate: float
    synaptic_operations: float
    analog_ms: float | None
    spiking_ms: float | None


def measure_backbone(
    name: str,
    analog: RetinaNet,
    calibration: Sequence[ImageArray],
    images: CocoSet,
    options: BackboneOptions,
) -> BackboneFigures:
    """
    Convert ``analog``, calibrated on BGR images (H, W, 3) uint8, and score both on ``images``.

    Raises UserError where the network cannot be converted, or no image of the set can be decoded.
    """
    conversion = convert(analog, calibration, options.conversion, window=options.window)
    subject = Subject(name, conversion.network, (options.window,))
    evaluation = evaluate_models(analog, [subject], images, options.evaluation)
    found = evaluation.subjects[0].windows[0]
    times = _milliseconds(analog, conversion, calibration, options)
    size = measure_size(analog, options.conversion)
    return BackboneFigures(
        name,
        analog.config.backbone,
        analog.config.input_size,
        size.parameters,
        size.macs,
        size.neurons,
        activation_sparsity(analog, conversion, calibration),
        evaluation.analog,
        found.scored,
        found.rate,
        found.synaptic_operations,
        *times,
    )


def activation_sparsity(
    analog: RetinaNet, conversion: Conversion, images: Sequence[ImageArray]
) -> float:
    """
    Return the share of zeros among the analog activations of all neurons that spike, in [0, 1].

    Neurons of linear layers count, too; their activations are hardly ever zero.
    """
    spiking = {item.name for item in spiking_populations(conversion.network)}
    counts = [0, 0]

    def visit(name: str, values: torch.Tensor) -> None:
        if name in spiking:
            counts[0] += values.numel() - int(torch.count_nonzero(values))
            counts[1] += values.numel()

    plan = plan_input(analog.config)
    with torch.inference_mode():
        for image in images:
            run_float(conversion.analog, analog_input(image, *plan)[None], visit=visit)
    return counts[0] / counts[1]


def _milliseconds(
    analog: RetinaNet,
    conversion: Conversion,
    images: Sequence[ImageArray],
    options: BackboneOptions,
) -> tuple[float | None, float | None]:
    """Return the median times of the analog and the spiking network, taking turns."""
    if not options.rounds:
        return None, None
    engine, steps = options.evaluation.engine, options.window.steps
    report = run_benchmark(
        conversion.network,
        analog,
        images[: options.rounds],
        steps=[steps],
        engines=[engine],
        threads=options.threads,
        rounds=options.rounds,
    )
    assert report.analog is not None
    return report.analog.median, report.main_window().timings[engine].median
