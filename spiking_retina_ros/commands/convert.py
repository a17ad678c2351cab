"""``convert``: a trained RetinaNet becomes one spiking model file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spiking_retina_ros.arguments.analog import (
    add_network_arguments,
    calibration_cache,
    calibration_images,
    load_checkpoint,
)
from spiking_retina_ros.conversion.convert import Conversion, convert, convert_finetuned
from spiking_retina_ros.conversion.finetuned_file import (
    FineTuned,
    is_finetuned,
    load_finetuned,
)
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.datasets.images import ReadingProblems
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.cache import default_cache
from spiking_retina_ros.evaluation.candidates import TRANSIENT_IMAGES
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions
from spiking_retina_ros.evaluation.fill_times import check_window
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.evaluation.transient import recommend_window
from spiking_retina_ros.evaluation.window_choice import choose_window_by_loss
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.model_file import save_network
from spiking_retina_ros.spiking.network import Schedule, Window
from spiking_retina_ros.spiking.plan import make_plan

SUMMARY = 'convert a trained RetinaNet into a spiking model file'
# Images to estimate how soon a network settles on.
SETTLING_IMAGES = 2
DEFAULT_WINDOWS = {'paper': Window(256, 64), 'fast': Window(32, 0)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        'checkpoint',
        type=Path,
        help='checkpoint of train, one fine-tuned for conversion, or the state dict of '
        "torchvision's RetinaNet (v1)",
    )
    parser.add_argument('output', type=Path, help='model file to write (.safetensors)')
    add_network_arguments(parser)
    parser.add_argument('--normalisation', choices=('paper', 'fast'), default='fast')
    parser.add_argument('--steps', type=int, help='recommended window, in steps')
    parser.add_argument('--transient', type=int, help='first steps whose outputs are ignored')
    parser.add_argument(
        '--measure-transient',
        action='store_true',
        help='ignore as many first steps as leave the least error on a few calibration images',
    )
    parser.add_argument(
        '--schedule',
        choices=('concurrent', 'phased'),
        default='concurrent',
        help='whether layers gather and send in the same steps, or first gather and then send',
    )
    parser.add_argument('--lower-percentile', type=float, help='epsilon, per cent')
    parser.add_argument('--upper-percentile', type=float, help='lambda, per cent')
    parser.add_argument('--weight-bits', type=int, choices=(8, 16))
    parser.add_argument('--burst', type=int, help='most spikes of a neuron per step')
    parser.add_argument('--signed-spikes', choices=('none', 'linear', 'all'))
    parser.add_argument('--readout', choices=('spikes', 'current'))
    parser.add_argument('--half-threshold', action=argparse.BooleanOptionalAction)
    parser.add_argument('--fuse-additions', action=argparse.BooleanOptionalAction)
    parser.add_argument(
        '--fit-thresholds',
        action=argparse.BooleanOptionalAction,
        help='per channel, the threshold that loses least in the (phased) window',
    )
    parser.add_argument(
        '--calibrate-biases',
        action=argparse.BooleanOptionalAction,
        help='move biases, layer by layer, by what rates lose on average in the (phased) window',
    )
    parser.add_argument(
        '--max-loss-points',
        type=float,
        help='choose the fewest steps that lose no more points of mAP@0.5 than this on the '
        'calibration set, which then must be a COCO json',
    )
    parser.add_argument(
        '--analog',
        type=Path,
        help='the analog network that a fine-tuned checkpoint began as, for --max-loss-points',
    )
    parser.add_argument(
        '--loss-images', type=int, default=96, help='images of it to measure the loss on'
    )


def run(arguments: argparse.Namespace) -> int:
    """Convert, write the model file and print what it became."""
    options = options_from(arguments)
    default = DEFAULT_WINDOWS[options.normalisation]
    window = _window(arguments.steps, arguments.transient, default, arguments.schedule)
    _refuse_contradictions(arguments)
    problems = ReadingProblems()
    if is_finetuned(arguments.checkpoint):
        conversion = _finetuned(arguments, options, window, problems)
    else:
        conversion = _calibrated(arguments, options, window, problems)
    provenance = {**conversion.network.provenance, 'checkpoint': arguments.checkpoint.name}
    network = replace(conversion.network, provenance=provenance)
    digest = save_network(arguments.output, network)
    _report(conversion, arguments.output, digest)
    return 1 if problems.reasons else 0


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    if arguments.measure_transient and (
        arguments.transient is not None or arguments.max_loss_points is not None
    ):
        raise UserError(
            '--measure-transient finds the transient of a window of --steps; leave out --transient '
            'and --max-loss-points'
        )
    if arguments.max_loss_points is None:
        return
    if arguments.steps is not None or arguments.transient is not None:
        raise UserError(
            '--max-loss-points lets the data choose the window, --steps and --transient say what '
            'it is; give one or the other'
        )
    if not any(source.endswith('.json') for source in arguments.images or ()):
        raise UserError(
            '--max-loss-points needs boxes to measure the loss: give --images a COCO json of '
            'training data'
        )


def _calibrated(
    arguments: argparse.Namespace,
    options: ConversionOptions,
    window: Window,
    problems: ReadingProblems,
) -> Conversion:
    """Convert a network as it was trained, calibrated on images."""
    if arguments.analog is not None:
        raise UserError('--analog is for fine-tuned checkpoints, which this one is not; leave it')
    images = calibration_images(arguments, problems)
    analog = load_checkpoint(
        arguments.checkpoint,
        class_names=arguments.class_names,
        input_size=arguments.input_size,
    )
    cache = calibration_cache(arguments)
    conversion = convert(analog, images, options, window=window, cache=cache)
    if arguments.max_loss_points is not None:
        conversion = _with_chosen_window(conversion, analog, images, arguments)
    elif arguments.steps is not None:
        check_window(conversion.network, images[:SETTLING_IMAGES])
    if arguments.measure_transient:
        conversion = _with_measured_transient(conversion, analog, images, arguments)
    calibration = {
        'images': len(images),
        'seed': arguments.seed,
        'sources': [Path(source).name for source in arguments.images],
    }
    provenance = {**conversion.network.provenance, 'calibration': calibration}
    network = replace(conversion.network, provenance=provenance)
    return replace(conversion, network=network)


def _finetuned(
    arguments: argparse.Namespace,
    options: ConversionOptions,
    window: Window,
    problems: ReadingProblems,
) -> Conversion:
    """Convert a fine-tuned network; images and the analog network are only for its window."""
    learned = ('class_names', 'lower_percentile', 'upper_percentile')
    if ignored := [name for name in learned if getattr(arguments, name) is not None]:
        raise UserError(
            f'{arguments.checkpoint}: a fine-tuned checkpoint has its own classes and learned '
            f'thresholds; leave out --{ignored[0].replace("_", "-")}'
        )
    if arguments.measure_transient:
        raise UserError(
            f'{arguments.checkpoint}: --measure-transient is for networks as they were trained; '
            'give a fine-tuned one --transient, or --max-loss-points'
        )
    finetuned = load_finetuned(arguments.checkpoint)
    if arguments.input_size is not None:
        width, height = arguments.input_size
        config = replace(finetuned.config, input_size=(height, width))
        finetuned = replace(finetuned, config=config)
    conversion = convert_finetuned(finetuned, options, window=window)
    if arguments.max_loss_points is None:
        return conversion
    if arguments.analog is None:
        raise UserError(
            '--max-loss-points measures the loss against the analog network that was fine-tuned; '
            'give its checkpoint with --analog'
        )
    height, width = finetuned.config.input_size
    analog = load_checkpoint(
        arguments.analog,
        class_names=list(finetuned.config.class_names),
        input_size=[width, height],
    )
    images = calibration_images(arguments, problems)
    return _with_chosen_window(conversion, analog, images, arguments, finetuned)


def _with_measured_transient(
    conversion: Conversion,
    analog: RetinaNet,
    images: list[ImageArray],
    arguments: argparse.Namespace,
) -> Conversion:
    """Put the transient with the least output error on a few calibration images into the window."""
    network = conversion.network
    search = recommend_window(
        rebuild_stages(analog, network, name=str(arguments.checkpoint)),
        images[:: -(-len(images) // TRANSIENT_IMAGES)],
        steps=network.window.steps,
    )
    return replace(conversion, network=replace(network, window=search.window))


def _with_chosen_window(
    conversion: Conversion,
    analog: RetinaNet,
    images: list[ImageArray],
    arguments: argparse.Namespace,
    finetuned: FineTuned | None = None,
) -> Conversion:
    """Put the window that the data choose, and its figures, into the network."""
    network = conversion.network
    source = next(source for source in arguments.images if source.endswith('.json'))
    choice = choose_window_by_loss(
        conversion,
        analog,
        images,
        read_coco(Path(source), network.class_names),
        EvaluationOptions(
            limit=arguments.loss_images,
            timing_images=0,
            stages=False,
            cache=None if arguments.no_cache else default_cache(),
        ),
        max_loss_points=arguments.max_loss_points,
        name=str(arguments.checkpoint),
        finetuned=finetuned,
    )
    provenance = {**network.provenance, 'fidelity': choice.fidelity()}
    return replace(conversion, network=replace(choice.network, provenance=provenance))


def options_from(arguments: argparse.Namespace) -> ConversionOptions:
    """Return the preset of --normalisation with the options that were given in its place."""
    names = (
        'lower_percentile',
        'upper_percentile',
        'weight_bits',
        'burst',
        'signed_spikes',
        'readout',
        'half_threshold',
        'fuse_additions',
        'fit_thresholds',
        'calibrate_biases',
    )
    given = {name: getattr(arguments, name) for name in names}
    changes = {name: value for name, value in given.items() if value is not None}
    if arguments.keep_dead_channels:
        changes['keep_dead_channels'] = True
    return ConversionOptions.preset(arguments.normalisation, **changes)


def _window(
    steps: int | None, transient: int | None, default: Window, schedule: Schedule
) -> Window:
    steps = default.steps if steps is None else steps
    if transient is None:
        skips = schedule == 'concurrent'
        transient = default.transient * steps // default.steps if skips else 0
    try:
        return Window(steps, transient, schedule)
    except ValueError as error:
        raise UserError(str(error)) from error


def _report(conversion: Conversion, path: Path, digest: str) -> None:
    network = conversion.network
    plan = make_plan(network, network.preprocessing.input_size)
    populations = [item for item in network.topology.populations if not item.readout]
    table = Table(title=f'{path}', show_header=False)
    height, width = network.preprocessing.input_size
    rows = {
        'normalisation': conversion.options.normalisation,
        'input': f'{width}x{height} pixels',
        'spiking populations': f'{len(populations)}',
        'neurons': f'{plan.neurons:,}',
        'analog multiply-accumulates': f'{plan.analog_macs:,}',
        'recommended window': f'{network.window.steps} steps, the first '
        f'{network.window.transient} ignored, {network.window.schedule}',
        'file size': f'{path.stat().st_size / 1e6:.1f} MB',
        'hash': digest[:16],
    }
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)
