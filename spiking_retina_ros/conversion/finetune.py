"""Conversion-aware fine-tuning: a few epochs with the activations a spiking network can send."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from spiking_retina_ros.conversion.convert import Conversion
from spiking_retina_ros.conversion.finetuned_file import FineTuned, save_finetuned
from spiking_retina_ros.conversion.fit_thresholds import fit_scales
from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.normalise import choose_scales
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.conversion.quantised import QuantisedNetwork
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.datasets.coco import CocoSet
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.distillation import Outputs, distillation_loss, maps_loss
from spiking_retina_ros.retinanet.half_precision import bfloat16_convolutions, in_float32
from spiking_retina_ros.retinanet.loss import Target, detection_loss
from spiking_retina_ros.retinanet.preprocess import normalise
from spiking_retina_ros.retinanet.recipe import Phase
from spiking_retina_ros.retinanet.samples import SequentialRequests, TrainingSamples, collate
from spiking_retina_ros.retinanet.validation import Validation, validate
from spiking_retina_ros.spiking.topology import Population, Topology

CHECKPOINT = 'finetuned.safetensors'
CHECKPOINT_SECONDS = 180.0
# Thresholds begin where this many times the levels fit best: what fits few levels best in the mean
# square cuts off the strongest answers, by which small objects are found.
FIT_FACTOR = 2


@dataclass(frozen=True)
class FineTuning:
    """
    What a fine-tuning run is.

    ``levels`` are the numbers of steps to train for, a batch each in turn, that which the network
    is meant for coming first; ``samples`` images in batches, of the sizes of ``phases`` and then of
    the network's own input; AdamW with ``learning_rate`` for weights and ten times that for the
    logarithms of thresholds, falling along a cosine. ``activity_weight`` multiplies the excess of
    the expected synaptic operations per window of ``levels[0]`` over ``activity_target`` times the
    analog multiply-accumulates, ``rate_weight`` that of the mean rate over ``rate_target``.
    ``teaching`` is the share of the loss that comes from the teacher, from what its blocks
    say to each other (see ``block_outputs``) and from its answers, instead of from the boxes of the
    data. With ``weights_learn`` False only thresholds and biases change: a calibration, and where
    ``teaching`` is 1 one that needs no boxes.

    Raises UserError for levels below 1, a share that is none, and less than a batch of samples.
    """

    levels: tuple[int, ...] = (8,)
    samples: int = 6000
    batch_size: int = 8
    phases: tuple[Phase, ...] = ()
    learning_rate: float = 1e-4
    ema: float = 0.995
    activity_weight: float = 0.0
    activity_target: float = 1.0
    rate_weight: float = 0.0
    rate_target: float = 0.05
    teaching: float = 0.0
    weights_learn: bool = True
    gradient_limit: float = 5.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what no run can be made of."""
        if not self.levels or min(self.levels) < 1:
            raise UserError(f'levels: expected numbers of at least 1, found {self.levels}')
        if not 0 <= self.teaching <= 1:
            raise UserError(f'teaching: expected a share from 0 to 1, found {self.teaching}')
        if self.samples < self.batch_size:
            raise UserError(
                f'samples: expected at least a batch of {self.batch_size}, found {self.samples}'
            )


def prepare(conversion: Conversion, config: RetinaNetConfig, levels: int) -> QuantisedNetwork:
    """
    Return the trainable network of a ``fast`` conversion, thresholds as calibrated or fitted.

    They are fitted for FIT_FACTOR times the ``levels`` that the network begins with. Raises
    UserError for another normalisation: its rates are not those of a quantised ReLU.
    """
    options = conversion.options
    if options.shift or options.readout != 'current':
        raise UserError(
            'fine-tuning is for the fast normalisation (no shift, outputs read as current); '
            f'found shift {options.shift} and readout {options.readout!r}'
        )
    topology = _without_maxima(conversion.analog.topology)
    groups = ScaleGroups(topology)
    scales = choose_scales(topology, groups, conversion.calibration, options)
    if options.fit_thresholds:
        steps = FIT_FACTOR * levels
        scales = fit_scales(topology, groups, scales, conversion.spread, options, steps=steps)
    thresholds = {
        groups.of(population.name): scales[population.name][0]
        for population in topology.populations
    }
    network = FloatNetwork(topology, conversion.analog.tensors)
    return QuantisedNetwork(
        network, thresholds, config, levels=levels, weight_bits=options.weight_bits
    )


def go_on(finetuned: FineTuned, analog: FloatNetwork, levels: int) -> QuantisedNetwork:
    """
    Return the trainable network of a checkpoint, weights and thresholds as they were learned.

    ``analog`` is the network it began as. Raises UserError for another one.
    """
    if finetuned.network.topology != _without_maxima(analog.topology):
        raise UserError(
            'the fine-tuned checkpoint did not begin as this analog network: their layers differ'
        )
    return QuantisedNetwork(
        finetuned.network, finetuned.thresholds, finetuned.config, levels=levels
    )


def finetune(
    network: QuantisedNetwork,
    samples: TrainingSamples,
    settings: FineTuning,
    output: Path,
    *,
    teacher: FloatNetwork | None = None,
    validation: CocoSet | None = None,
    workers: int = 1,
    bfloat16: bool = False,
    rank: int = 0,
    world: int = 1,
) -> dict[int, Validation]:
    """
    Train in place; write ``finetuned.safetensors`` (averaged weights) and ``finetuning.csv``.

    ``teacher`` is the analog network or one of another backbone under the same pyramid and heads,
    needed where ``settings.teaching`` is above zero. With ``bfloat16``, convolutions are made in
    that; activations are quantised from float32. ``rank`` and ``world`` are those of torchrun:
    the processes take batches in turn and go the mean of their ways, the first one writes. Returns
    the validations of the averaged network by its levels, on the whole set, if one is given, to the
    first process. Raises UserError for less than a batch of samples for each process.
    """
    leader = rank == 0
    together = settings.batch_size * world
    total = settings.samples // together
    if not total:
        raise UserError(
            f'samples: expected at least a batch of {settings.batch_size} for each of {world} '
            f'processes, found {settings.samples}'
        )
    output.mkdir(parents=True, exist_ok=True)
    asked = teacher if settings.teaching else None
    if asked is not None and bfloat16:
        asked = asked.to(torch.bfloat16)
    if not settings.weights_learn:
        network.freeze_weights()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = {key: value.clone() for key, value in network.state_dict().items()}
    optimiser = _optimiser(network, settings)
    saved = time.monotonic()
    with (output / 'finetuning.csv' if leader else Path(os.devnull)).open('w', newline='') as file:
        log = csv.writer(file)
        log.writerow(['samples', 'classification', 'box', 'operations_per_step', 'rate'])
        loader = _loader(samples, network.config, settings, workers, rank, world)
        bar = tqdm(loader, total=total, desc='fine-tuning', unit='step', disable=not leader)
        for step, (images, targets) in enumerate(bar):
            _set_rate(optimiser, settings, step / total)
            network.levels = settings.levels[step % len(settings.levels)]
            loss, row = _loss(network, asked, images, targets, settings, bfloat16=bfloat16)
            _descend(network, optimiser, loss, settings, world)
            _follow(average, network, settings.ema, step)
            log.writerow([(step + 1) * together, *(f'{value:.5f}' for value in row)])
            if leader and time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(output, network, average, settings)
                file.flush()
                saved = time.monotonic()
    network.load_state_dict(average)
    found: dict[int, Validation] = {}
    if not leader:
        return found
    if validation is not None:
        for levels in settings.levels:
            network.levels = levels
            found[levels] = validate(network, validation)  # type: ignore[arg-type]
    _save(output, network, average, settings, found)
    return found


def _loss(
    network: QuantisedNetwork,
    teacher: FloatNetwork | None,
    images: Tensor,
    targets: list[Target],
    settings: FineTuning,
    *,
    bfloat16: bool,
) -> tuple[Tensor, tuple[float, ...]]:
    """Return what is minimised, and a row of the log."""
    inputs = normalise(images, network.config).contiguous(memory_format=torch.channels_last)
    with bfloat16_convolutions('cpu', enabled=bfloat16):
        class_maps, box_maps = network(inputs)
    size = (images.shape[2], images.shape[3])
    losses = detection_loss(class_maps, box_maps, targets, network.config, size)
    excess = (network.activity * settings.levels[0] - settings.activity_target).clamp(min=0)
    loss = losses.total
    if teacher is not None:
        taught = _taught(network, teacher, inputs, (class_maps, box_maps))
        loss = settings.teaching * taught + (1 - settings.teaching) * loss
    loss = loss + settings.activity_weight * excess
    loss = loss + settings.rate_weight * (network.rate - settings.rate_target).clamp(min=0)
    values = (losses.classification, losses.box, network.activity, network.rate)
    return loss, tuple(float(value.detach()) for value in values)


def _descend(
    network: QuantisedNetwork,
    optimiser: torch.optim.Optimizer,
    loss: Tensor,
    settings: FineTuning,
    world: int,
) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if world > 1:
        _share_gradients(network, world)
    norm = nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_limit)
    if not bool(torch.isfinite(norm)):
        raise UserError('fine-tuning diverged: the gradient is not finite; lower learning_rate')
    optimiser.step()


def _share_gradients(network: nn.Module, world: int) -> None:
    """Replace every gradient by its mean over the processes; some thresholds never have one."""
    for parameter in network.parameters():
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= world


def _taught(
    network: QuantisedNetwork, teacher: FloatNetwork, inputs: Tensor, found: Outputs
) -> Tensor:
    """Return how far blocks and answers are from the teacher's, see `comparable`."""
    asked = comparable(network, teacher)
    wanted: dict[str, Tensor] = {}

    def visit(name: str, values: Tensor) -> None:
        if name in asked:
            wanted[name] = values

    with torch.no_grad():
        outputs = in_float32(run_float(teacher, inputs.to(teacher.dtype), visit=visit))
    levels = len(outputs) // 2
    seen = in_float32(network.seen[name] for name in wanted)
    blocks = maps_loss(seen, in_float32(wanted.values()))
    answers = (outputs[:levels], outputs[levels:])
    return blocks + distillation_loss(found, answers, network.config)


def comparable(network: QuantisedNetwork, teacher: FloatNetwork) -> set[str]:
    """
    Return the populations of ``network.seen`` whose maps the teacher has, too.

    Of another backbone those are pyramid and heads, which have one name in both; an addition is
    only numbered, and another network's addition of that number is another map.
    """
    ours = {item.name: item.layer for item in network.topology.populations}
    theirs = {item.name: item.layer for item in teacher.topology.populations}
    if ours == theirs:
        return set(network.seen)
    return {name for name in network.seen if '.' in ours[name] and theirs.get(name) == ours[name]}


def _optimiser(network: QuantisedNetwork, settings: FineTuning) -> torch.optim.Optimizer:
    weights = [item for item in network.parameters_by_key.values() if item.requires_grad]
    thresholds = list(network.log_thresholds.values())
    return torch.optim.AdamW(
        [
            {'params': weights, 'factor': 1.0, 'weight_decay': 1e-4},
            {'params': thresholds, 'factor': 10.0, 'weight_decay': 0.0},
        ],
        lr=settings.learning_rate,
    )


def _set_rate(optimiser: torch.optim.Optimizer, settings: FineTuning, progress: float) -> None:
    warmed = min(1.0, progress / 0.03)
    cosine = 0.5 * (1 + torch.cos(torch.tensor(progress * torch.pi)).item())
    for group in optimiser.param_groups:
        group['lr'] = settings.learning_rate * group['factor'] * warmed * cosine


def _loader(
    samples: TrainingSamples,
    config: RetinaNetConfig,
    settings: FineTuning,
    workers: int,
    rank: int,
    world: int,
) -> DataLoader[tuple[Tensor, Target]]:
    together = settings.batch_size * world

    def plan() -> Iterator[tuple[int, tuple[int, int], float]]:
        for first in range(0, settings.samples - together + 1, together):
            progress = first / settings.samples
            sizes = [phase.input_size for phase in settings.phases if progress < phase.until]
            yield first, (sizes or [config.input_size])[0], progress

    requests = SequentialRequests(plan(), settings.batch_size, rank)
    return DataLoader(
        samples,
        batch_sampler=requests,  # type: ignore[arg-type]  # the samples' keys are requests
        num_workers=workers,
        collate_fn=collate,
        prefetch_factor=4 if workers else None,
    )


@torch.no_grad()
def _follow(average: dict[str, Tensor], network: nn.Module, ema: float, step: int) -> None:
    decay = min(ema, (1 + step) / (10 + step))
    for key, value in network.state_dict().items():
        average[key].lerp_(value, 1 - decay)


def _save(
    output: Path,
    network: QuantisedNetwork,
    average: dict[str, Tensor],
    settings: FineTuning,
    found: Mapping[int, Validation] | None = None,
) -> None:
    present = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(average)
    notes: dict[str, object] = asdict(settings)
    if found:
        notes['quantised_map50'] = {str(levels): item.map50 for levels, item in found.items()}
        notes['images'] = next(iter(found.values())).images
    save_finetuned(
        output / CHECKPOINT,
        FineTuned(
            network.float_network(), network.thresholds(), network.config, settings.levels[0], notes
        ),
    )
    network.load_state_dict(present)


def _without_maxima(topology: Topology) -> Topology:
    """Drop ReLU6's bound, which would compete with the learned threshold."""
    nodes = tuple(
        replace(node, maximum=None) if isinstance(node, Population) else node
        for node in topology.nodes
    )
    return Topology(nodes, topology.outputs, topology.input_channels)
