"""The training loop: one process or one of several, CPU or GPU, resumable at every checkpoint."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from tqdm import tqdm

from spiking_retina_ros.datasets.coco import CocoSet
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.checkpoint import save_retinanet
from spiking_retina_ros.retinanet.distillation import distillation_loss, maps_loss
from spiking_retina_ros.retinanet.fuse import folded_for_training
from spiking_retina_ros.retinanet.half_precision import bfloat16_convolutions, in_float32
from spiking_retina_ros.retinanet.layers import fade_leaks
from spiking_retina_ros.retinanet.loss import Losses, Target, detection_loss
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.optimiser import make_optimiser, set_rate
from spiking_retina_ros.retinanet.preprocess import normalise
from spiking_retina_ros.retinanet.recipe import Recipe
from spiking_retina_ros.retinanet.samples import SequentialRequests, TrainingSamples, collate
from spiking_retina_ros.retinanet.teaching import Seen, WithPyramid
from spiking_retina_ros.retinanet.training_log import TrainingLog
from spiking_retina_ros.retinanet.training_state import Clock, load_state, save_state
from spiking_retina_ros.retinanet.validation import Validation, validate

STOPPING = (signal.SIGINT, signal.SIGTERM)
WEIGHTS_FILE = 'weights.safetensors'


@dataclass(frozen=True)
class RunOptions:
    """
    What decides how a run goes on this machine, not what it learns.

    With ``minutes``, the run is over when either that much training time or the recipe's samples
    are used up, and the schedule follows whichever is further. ``validations`` are spread over the
    run; those on the way take ``validation_images`` evenly spaced images, the last one all.
    With ``bfloat16``, convolutions are made in that. ``rank`` and ``world`` are those of torchrun.
    """

    output: Path
    minutes: float | None = None
    device: str = 'cpu'
    bfloat16: bool = False
    workers: int = 1
    checkpoint_minutes: float = 3.0
    validations: int = 6
    validation_images: int = 96
    rank: int = 0
    world: int = 1


class Trainer:
    """
    Trains ``network`` in place; the averaged weights in ``average`` are the result.

    With a ``teacher``, it learns from that one's pyramid and answers, too, see ``Recipe.teaching``.
    """

    def __init__(
        self,
        network: RetinaNet,
        recipe: Recipe,
        samples: TrainingSamples,
        options: RunOptions,
        validation: CocoSet | None = None,
        teacher: RetinaNet | None = None,
    ) -> None:
        self.recipe, self.options, self.validation = recipe, options, validation
        self.samples = samples
        self.network = network.to(options.device)
        # Maps laid out channels last are what oneDNN and cuDNN convolve fastest.
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for stage in network.backbone.body.stages()[: recipe.frozen_stages]:
            for module in stage:
                module.requires_grad_(False)
        self.average = {key: value.clone() for key, value in network.state_dict().items()}
        self.optimiser = make_optimiser(network, recipe)
        self.clock = Clock()
        self.log = TrainingLog(options.output)
        self.last_validation: Validation | None = None
        self._interrupted = False
        self._teacher: nn.Module | None = None
        if teacher is not None:
            self._teacher = folded_for_training(WithPyramid(teacher.to(options.device)))

    @property
    def progress(self) -> float:
        """Return how much of the run is over, in [0, 1]."""
        done = self.clock.samples / self.recipe.samples
        if self.options.minutes is not None:
            done = max(done, self.clock.elapsed() / (60 * self.options.minutes))
        return min(1.0, done)

    def resume(self) -> None:
        """Go on from the last `save`; raises UserError where there is none or it does not fit."""
        self.average, self.clock = load_state(
            self.options.output, self.network, self.optimiser, self.options.device
        )

    def run(self) -> bool:
        """
        Train until the end, logging, validating and keeping checkpoints on the way.

        On an interrupt or SIGTERM the step at hand is finished, a checkpoint written and the run
        left; `resume` goes on from there. Returns whether the run reached its end.
        """
        leader = self.options.rank == 0
        self.clock.started = saved = time.monotonic()
        due = _next_share(self.progress, self.options.validations)
        previous = {number: signal.signal(number, self._interrupt) for number in STOPPING}
        for progress, losses in self._steps():
            if not leader:
                continue
            self.log.step(self.clock.samples, self.clock.elapsed(), progress, losses)
            if due <= progress < 1.0:
                due = _next_share(progress, self.options.validations)
                self._validate(self.options.validation_images)
            if time.monotonic() - saved > 60 * self.options.checkpoint_minutes:
                self.save()
                saved = time.monotonic()
        if leader:
            if not self._interrupted:
                self._validate()
            self.save()
        for number, handler in previous.items():
            signal.signal(number, handler)
        return not self._interrupted

    def save(self) -> None:
        """Write the averaged weights, and beside them everything needed to go on from here."""
        output = self.options.output
        notes = {'samples': str(self.clock.samples), 'seconds': f'{self.clock.elapsed():.0f}'}
        if self.last_validation is not None:
            notes['map50'] = f'{self.last_validation.map50:.4f}'
        save_retinanet(output / WEIGHTS_FILE, self.recipe.network, self.average, notes=notes)
        save_state(output, self.network, self.average, self.optimiser, self.clock)
        self.log.draw()

    def _steps(self) -> Iterator[tuple[float, Losses]]:
        """Yield progress and losses of every optimiser step."""
        model: nn.Module = folded_for_training(WithPyramid(self.network))
        if self.options.world > 1:
            model = DistributedDataParallel(model)
        quiet = self.options.rank > 0
        with tqdm(total=100, unit='%', disable=quiet, mininterval=2.0) as bar:
            bar.bar_format = '{l_bar}{bar}| {elapsed}<{remaining}{postfix}'
            for images, targets in self._loader():
                progress = self.progress
                losses = self._step(model, images, targets, progress)
                yield progress, losses
                bar.set_postfix_str(
                    f'{self.clock.samples} samples, loss {float(losses.total):.3f}', False
                )
                bar.update(100 * self.progress - bar.n)
                if self._interrupted:
                    return

    def _loader(self) -> DataLoader[tuple[Tensor, Target]]:
        options = self.options
        requests = SequentialRequests(self._plan(), self.recipe.batch_size, options.rank)
        return DataLoader(
            self.samples,
            batch_sampler=requests,  # type: ignore[arg-type]  # the samples' keys are requests
            num_workers=options.workers,
            collate_fn=collate,
            prefetch_factor=4 if options.workers else None,
            worker_init_fn=_leave_interrupts_to_the_leader,
        )

    def _plan(self) -> Iterator[tuple[int, tuple[int, int], float]]:
        """Yield each batch's first sample number, size and progress, a few batches ahead."""
        first = self.clock.samples
        while self.progress < 1.0 and first < self.recipe.samples:
            progress = max(self.progress, first / self.recipe.samples)
            yield first, self.recipe.input_size_at(progress), progress
            first += self.recipe.batch_size * self.options.world

    def _step(
        self, model: nn.Module, images: Tensor, targets: list[Target], progress: float
    ) -> Losses:
        set_rate(self.optimiser, progress, self.recipe.warmup)
        fade_leaks(self.network, self.recipe.leak_at(progress))
        device, config = self.options.device, self.recipe.network
        inputs = normalise(images.to(device), config)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        seen = self._see(model, inputs)
        _, class_maps, box_maps = seen
        moved = [Target(item.boxes.to(device), item.labels.to(device)) for item in targets]
        size = (images.shape[2], images.shape[3])
        losses = detection_loss(class_maps, box_maps, moved, config, size)
        self.optimiser.zero_grad(set_to_none=True)
        self._loss(losses, seen, inputs, progress).backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.gradient_limit)
        if not bool(torch.isfinite(norm)):
            raise UserError(
                f'training diverged after {self.clock.samples} samples: the gradient is not '
                f'finite; lower learning_rate (now {self.recipe.learning_rate})'
            )
        self.optimiser.step()
        self.clock.steps += 1
        self.clock.samples += len(images) * self.options.world
        self._follow()
        return Losses(losses.classification.detach(), losses.box.detach())

    def _see(self, model: nn.Module, inputs: Tensor) -> Seen:
        with bfloat16_convolutions(self.options.device, enabled=self.options.bfloat16):
            levels, class_maps, box_maps = model(inputs)
        return in_float32(levels), in_float32(class_maps), in_float32(box_maps)

    def _loss(self, losses: Losses, seen: Seen, inputs: Tensor, progress: float) -> Tensor:
        """Return what is minimised: the boxes' losses, or partly the distance to the teacher."""
        if self._teacher is None or progress >= self.recipe.taught_until:
            return losses.total
        with torch.no_grad():
            wanted = self._see(self._teacher, inputs)
        taught = maps_loss(seen[0], wanted[0])
        taught = taught + distillation_loss(seen[1:], wanted[1:], self.recipe.network)
        share = self.recipe.teaching
        return share * taught + (1 - share) * losses.total

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights; early on they must follow fast, away from random heads."""
        decay = min(self.recipe.ema, (1 + self.clock.steps) / (10 + self.clock.steps))
        for key, value in self.network.state_dict().items():
            self.average[key].lerp_(value, 1 - decay)

    def _validate(self, limit: int | None = None) -> None:
        if self.validation is None:
            return
        averaged = RetinaNet(self.recipe.network).to(self.options.device)
        averaged.load_state_dict(self.average)
        self.last_validation = validate(averaged, self.validation, limit=limit)
        self.log.validation(self.clock.samples, self.clock.elapsed(), self.last_validation)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True


def _next_share(progress: float, count: int) -> float:
    """Return the first of the shares 1/count, 2/count, ... beyond ``progress``."""
    return (int(progress * count) + 1) / count


def _leave_interrupts_to_the_leader(worker: int) -> None:
    """Keep Ctrl-C, which reaches every process, from ending a worker amid the last step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
