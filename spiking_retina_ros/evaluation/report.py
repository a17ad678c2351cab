"""A conversion examined: seven figures, their numbers, and one page that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from tqdm import tqdm

from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.datasets.coco import CocoSet, read_image
from spiking_retina_ros.detections import FrameResult, ImageArray
from spiking_retina_ros.detector import (
    SCORE_THRESHOLD,
    AnalogDetector,
    SpikingDetector,
    choose_window,
)
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.bench import Subject
from spiking_retina_ros.evaluation.energy import Energy, estimate_energy
from spiking_retina_ros.evaluation.evaluate import (
    EvaluationOptions,
    evaluate_models,
    evenly_spaced,
)
from spiking_retina_ros.evaluation.observation import Observation, observe
from spiking_retina_ros.evaluation.results import Evaluation
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.evaluation.transient import TransientSearch, search_transients
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import SpikingNetwork, Window
from spiking_retina_ros.spiking.plan import make_plan

# Depths at which layers are shown beside the outputs.
SHOWN_DEPTHS = (0.1, 0.5, 0.8)


@dataclass(frozen=True)
class ReportOptions:
    """
    What to examine: window lengths, and on how many images.

    The mAP curve is over the whole set (or ``evaluation.limit``); the figures that look into
    layers, search transients and draw take a few evenly spaced images. ``steps`` empty means a
    quarter to twice the recommended window, ``layers`` empty a choice over the depth.
    """

    evaluation: EvaluationOptions
    steps: tuple[int, ...] = ()
    layers: tuple[str, ...] = ()
    layer_images: int = 4
    transient_images: int = 4
    drawn_images: int = 5


@dataclass(frozen=True)
class Findings:
    """Everything a report shows."""

    network: SpikingNetwork
    window: Window
    evaluation: Evaluation
    observation: Observation
    searches: tuple[TransientSearch, ...]
    energies: tuple[Energy, ...]
    drawn: tuple[tuple[ImageArray, FrameResult, FrameResult], ...]


def examine(
    analog: RetinaNet,
    network: SpikingNetwork,
    images: CocoSet,
    options: ReportOptions,
    *,
    name: str,
    finetuned: FineTuned | None = None,
) -> Findings:
    """Measure everything a report shows; the longest part goes on where it was interrupted."""
    settings = options.evaluation
    recommended = network.window
    steps = options.steps or default_steps(recommended)
    stages = rebuild_stages(analog, network, name=name, finetuned=finetuned)
    shown = chosen_layers(network, options.layers)
    pictures = _pictures(images, max(options.layer_images, options.transient_images))
    early = choose_window(recommended, max(1, recommended.steps // 4), None)
    evaluation = evaluate_models(
        analog,
        [Subject(name, network, curve_windows(recommended, steps), finetuned)],
        images,
        settings,
    )
    common: dict[str, Any] = {
        'engine': settings.engine,
        'threads': settings.threads,
        'quiet': settings.quiet,
    }
    observation = observe(
        stages, pictures[: options.layer_images], [early, recommended], shown, **common
    )
    searches = search_transients(
        stages, pictures[: options.transient_images], steps=steps, **common
    )
    plan = make_plan(network, network.preprocessing.input_size)
    operations = {
        score.window.steps: score.synaptic_operations for score in evaluation.subjects[0].windows
    }
    return Findings(
        network,
        recommended,
        evaluation,
        observation,
        searches,
        tuple(estimate_energy(plan, count, steps=time) for time, count in operations.items()),
        _draw(analog, network, _telling_pictures(images, options.drawn_images), settings),
    )


def default_steps(window: Window) -> tuple[int, ...]:
    """
    Return an eighth, a quarter, a half, once and twice the recommended steps.

    Not twice for a phased window: the event engine's are not that long.
    """
    parts = (1, 2, 4, 8, 16) if window.schedule == 'concurrent' else (1, 2, 4, 8)
    return tuple(sorted({max(1, window.steps * part // 8) for part in parts}))


def curve_windows(recommended: Window, steps: Sequence[int]) -> tuple[Window, ...]:
    """Return each window length with and without its transient; one simulation reads them all."""
    schedule = recommended.schedule
    plain = [Window(number, 0, schedule) for number in steps]
    skipping = [choose_window(recommended, number, None) for number in steps]
    own = [Window(recommended.steps, 0, schedule), recommended]
    return tuple(
        sorted({*plain, *skipping, *own}, key=lambda window: (window.steps, window.transient))
    )


def chosen_layers(network: SpikingNetwork, asked: Sequence[str]) -> list[str]:
    """Return the populations asked for, or some over the depth and the first of each output."""
    populations = [population.name for population in network.topology.populations]
    if unknown := [name for name in asked if name not in populations]:
        raise UserError(
            f'unknown population {unknown[0]!r}; the network has {", ".join(populations)}'
        )
    if asked:
        return list(asked)
    outputs = network.topology.outputs
    inner = [name for name in populations if name not in outputs]
    picked = [inner[round(depth * (len(inner) - 1))] for depth in SHOWN_DEPTHS]
    return list(dict.fromkeys([*picked, outputs[0], outputs[len(outputs) // 2]]))


def numbers(findings: Findings) -> dict[str, Any]:
    """Return the numbers behind the figures as plain values, but for the evaluation's."""
    observation = findings.observation
    return {
        'window': asdict(findings.window),
        'agreement': [
            {
                'steps': window.steps,
                'transient': window.transient,
                'images': observation.images,
                'population': name,
                'correlation': item.correlation,
                'rmse': item.rmse,
                'values': item.count,
            }
            for window, named in observation.agreement.items()
            for name, item in named.items()
        ],
        'error_profile': [asdict(layer) for layer in observation.profile],
        'rate_edges': observation.rate_edges.tolist(),
        'rates': {
            name: {
                'spikes_per_step': observation.spikes_per_step[name],
                'neurons_by_rate': counts.tolist(),
            }
            for name, counts in observation.histograms.items()
        },
        'transients': [{**asdict(search), 'best': search.best} for search in findings.searches],
        'energy': [{**asdict(energy), 'ratio': energy.ratio} for energy in findings.energies],
    }


def _pictures(images: CocoSet, count: int) -> list[ImageArray]:
    found = (read_image(image.path) for image in evenly_spaced(images.images, count))
    return [image for image in found if image is not None]


def _telling_pictures(images: CocoSet, count: int) -> list[ImageArray]:
    """Return images to draw in: every class in turn, evenly spaced over those that have it."""
    labels = range(len(images.class_names))
    by_class = [[image for image in images.images if label in image.labels] for label in labels]
    rows = [evenly_spaced(having, count) for having in by_class if having]
    turns = [image for row in zip_longest(*rows) for image in row if image is not None]
    unique = list({image.image_id: image for image in turns}.values())[:count]
    found = (read_image(image.path) for image in unique)
    return [image for image in found if image is not None]


def _draw(
    analog: RetinaNet,
    network: SpikingNetwork,
    pictures: Sequence[ImageArray],
    settings: EvaluationOptions,
) -> tuple[tuple[ImageArray, FrameResult, FrameResult], ...]:
    before = AnalogDetector(analog)
    after = SpikingDetector(network, engine=settings.engine, threads=settings.threads)
    bar = tqdm(pictures, desc='drawing', unit='image', disable=settings.quiet)
    return tuple(
        (
            picture,
            before.detect(picture, score_threshold=SCORE_THRESHOLD),
            after.detect(picture, score_threshold=SCORE_THRESHOLD),
        )
        for picture in bar
    )
