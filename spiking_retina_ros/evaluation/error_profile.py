"""
Where a conversion goes wrong: the error of every population's rates, taken apart by its causes.

With the true normalised activation v, the rate r, the arriving rates x, a layer f (normalised) and
f8 (with its integers' rounding), and clip() to what a neuron can say,

    r - v  =  clip(v) - v               saturation: the activation lies beyond the rates
            + clip(f(x)) - clip(v)      input: the layer was told something wrong
            + clip(f8(x)) - clip(f(x))  rounding: narrow weights, biases and thresholds
            + r - clip(f8(x))           sampling: the window is finite, the neuron not settled

so that the parts sum up to the error, value by value. What a calibration moved biases by, see
``conversion/bias_calibration``, counts as rounding: it is in the integers alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spiking_retina_ros.conversion.floating import clip_to_rates, evaluate_population
from spiking_retina_ros.evaluation.activity import Maps
from spiking_retina_ros.evaluation.stages import Stages
from spiking_retina_ros.spiking.topology import Population

PARTS = ('saturation', 'input', 'rounding', 'sampling')


@dataclass(frozen=True)
class LayerError:
    """
    The error of one population, over all its values on all images.

    All in analog units (a rate's error times its channel's scale), because that is what the next
    layer's weights see. ``relative`` are root mean squares divided by the spread of the true
    activations around their channels' means: of each part, and of all as 'total'. ``share`` says
    how much each part has of the mean squared error (its product with the total), so that the
    shares sum to 1; a part that cancels others has a negative one. ``systematic`` is the root mean
    square over channels of the *mean* error, relative like the others: what is wrong everywhere in
    a channel, and so adds up where the next layer sums over places. ``mean_rate`` is that of the
    magnitudes of net rates.
    """

    name: str
    neurons: int
    spikes: bool
    relative: dict[str, float]
    share: dict[str, float]
    systematic: float
    mean_rate: float


class ErrorProfile:
    """Gathers the errors of all populations, image by image."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._sums = {p.name: _Sums() for p in stages.network.topology.populations}

    def add(self, true: Maps, rates: Maps, arriving: Maps) -> None:
        """Add an image; ``arriving`` has the rates of all nodes and the input itself."""
        shapes = {name: _shape(values) for name, values in true.items()}
        with torch.inference_mode():
            for population in self._stages.network.topology.populations:
                name = population.name
                parts = error_parts(
                    self._stages, population, true[name], rates[name], arriving, shapes
                )
                layer = self._stages.normalised.tensors[f'{population.layer}.scale']
                scale = layer[:, None, None]
                self._sums[name].add(
                    {part: scale * error for part, error in parts.items()},
                    scale * true[name],
                    scale * rates[name],
                    rates[name],
                )

    def layers(self) -> list[LayerError]:
        """Return the errors in order of depth."""
        topology = self._stages.network.topology
        return [self._sums[p.name].result(p) for p in topology.populations]


def error_parts(
    stages: Stages,
    population: Population,
    true: Tensor,
    rate: Tensor,
    arriving: Maps,
    shapes: dict[str, tuple[int, int, int]],
) -> dict[str, Tensor]:
    """Return the four parts of one population's error, each like ``rate`` (1, C, H, W)."""
    expressible = clip_to_rates(population, true)
    asked = evaluate_population(stages.normalised, population, arriving, shapes, clip=True)
    rounded = evaluate_population(stages.quantised, population, arriving, shapes, clip=True)
    return {
        'saturation': expressible - true,
        'input': asked - expressible,
        'rounding': rounded - asked,
        'sampling': rate - rounded,
    }


class _Sums:
    """Running sums of one population."""

    def __init__(self) -> None:
        self._squares = dict.fromkeys((*PARTS, 'total'), 0.0)
        self._products = dict.fromkeys(PARTS, 0.0)
        self._first = torch.zeros(1, dtype=torch.float64)
        self._second = torch.zeros(1, dtype=torch.float64)
        self._errors = torch.zeros(1, dtype=torch.float64)
        self._per_channel = 0
        self._neurons = 0
        self._magnitude = 0.0

    def add(self, parts: dict[str, Tensor], true: Tensor, found: Tensor, rate: Tensor) -> None:
        total = (found - true).double()
        for name, part in parts.items():
            self._squares[name] += float(part.double().square().sum())
            self._products[name] += float((part.double() * total).sum())
        self._squares['total'] += float(total.square().sum())
        values = true.double().transpose(0, 1).flatten(1)
        self._first = self._first + values.sum(1)
        self._second = self._second + values.square().sum(1)
        self._errors = self._errors + total.sum((0, 2, 3))
        self._per_channel += values.shape[1]
        self._neurons = rate[0].numel()
        self._magnitude += float(rate.double().abs().sum())

    def result(self, population: Population) -> LayerError:
        count = self._per_channel * len(self._first)
        variance = self._second / self._per_channel - (self._first / self._per_channel) ** 2
        spread = max(float(variance.clamp(min=0).mean()) ** 0.5, 1e-12)
        whole = max(self._squares['total'], 1e-30)
        return LayerError(
            population.name,
            self._neurons,
            not population.readout,
            {name: (value / count) ** 0.5 / spread for name, value in self._squares.items()},
            {name: value / whole for name, value in self._products.items()},
            float((self._errors / self._per_channel).square().mean()) ** 0.5 / spread,
            self._magnitude / count,
        )


def _shape(values: Tensor) -> tuple[int, int, int]:
    _, channels, height, width = values.shape
    return channels, height, width
