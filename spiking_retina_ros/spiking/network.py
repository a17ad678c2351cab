"""
A converted network: integer numbers on a topology, and what is needed to feed and to read it.

Units. A membrane counts in integer *membrane units*. A population's threshold theta (C,) is the
number of units that one spike is worth, so theta units of current per step are a rate of one.
Weights are narrow integers (8 or 16 bit); ``<layer>.fraction_bits`` says by how many bits a
convolution's sum is shifted left before it enters the membrane, which leaves room for finer biases
and thresholds than the weights' own grid. Diagonal synapses are stored in membrane units.

Everything is an integer, so the order of a sum does not matter and every engine must give the
same spikes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.letterbox import Letterbox
from spiking_retina_ros.spiking.topology import Population, Synapse, Topology

IntegerImage = NDArray[np.int16]
Schedule = Literal['concurrent', 'phased']


@dataclass(frozen=True)
class Preprocessing:
    """
    From a BGR image to constant input currents.

    ``input_size`` is (height, width) in pixels. The input of the network is the integer
    ``pixel - offset`` per RGB channel, int16; ``offset`` doubles as the letterbox fill, so that the
    border of a narrow picture is silent.
    """

    input_size: tuple[int, int]
    offset: tuple[int, int, int]

    def __call__(self, image: ImageArray) -> tuple[IntegerImage, Letterbox]:
        """Return the input (3, height, width) int16, RGB, and the transform that made it."""
        letterbox = Letterbox.fit((image.shape[0], image.shape[1]), self.input_size)
        red, green, blue = self.offset
        boxed = letterbox.apply(image, fill=(blue, green, red))
        rgb = boxed[:, :, ::-1].astype(np.int16) - np.array(self.offset, np.int16)
        return np.ascontiguousarray(rgb.transpose(2, 0, 1)), letterbox


@dataclass(frozen=True)
class Window:
    """
    ``steps`` simulated time steps of which the spikes of the first ``transient`` are ignored.

    schedule 'concurrent': all layers gather and send in the same steps, the paper's way. 'phased':
    a layer gathers for the ``steps`` in which the layers before it send and then sends for as many
    itself, so it never has to correct what it sent on half of its input. A frame then takes
    (depth + 1) * steps from first to last, while a new one can enter every ``steps``; each layer is
    active for ``steps``, so spikes and operations are counted over the same number of steps.
    """

    steps: int
    transient: int
    schedule: Schedule = 'concurrent'

    def __post_init__(self) -> None:
        """Refuse a window that ends before anything is read, or skips what is not there."""
        if self.schedule not in ('concurrent', 'phased'):
            raise ValueError(f"expected schedule 'concurrent' or 'phased', found {self.schedule!r}")
        if self.schedule == 'phased' and self.transient:
            raise ValueError(f'a phased window has no transient, found {self.transient} steps')
        if not 0 <= self.transient < self.steps:
            raise ValueError(
                'expected 0 <= transient < steps, '
                f'found transient {self.transient} and steps {self.steps}'
            )


@dataclass(frozen=True)
class SpikingNetwork:
    """
    An immutable converted network.

    ``tensors`` holds integer weights, biases, thresholds and initial membranes, int32
    ``<weight>.taps`` (C_out, kernel height, kernel width) where the border matters (see
    ``plan.bias_map``), and float64 ``<layer>.scale`` and ``<layer>.shift`` (C,), which turn a rate
    r back into the analog value ``shift + scale * r``. ``detector`` is the analog detector's
    configuration (anchors, classes), ``provenance`` says how the network was made and what was
    measured; both are plain json values.
    """

    topology: Topology
    tensors: dict[str, Tensor]
    preprocessing: Preprocessing
    window: Window
    class_names: tuple[str, ...]
    detector: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def weight(self, synapse: Synapse) -> Tensor:
        """Return the integer weights (C_out, C_in / groups, kernel height, kernel width)."""
        return self.tensors[synapse.weight]

    def parameter(self, population: Population, name: str) -> Tensor:
        """Return ``<layer>.<name>``: bias, threshold, initial, scale or shift, each (C,)."""
        return self.tensors[f'{population.layer}.{name}']

    def fraction_bits(self, population: Population) -> int:
        """Return the left shift of this population's convolution sums."""
        return int(self.tensors[f'{population.layer}.fraction_bits'])

    @cached_property
    def output_populations(self) -> tuple[Population, ...]:
        """Return the populations the outputs are read from."""
        nodes = [self.topology[name] for name in self.topology.outputs]
        populations = tuple(node for node in nodes if isinstance(node, Population))
        if len(populations) != len(nodes):
            raise ValueError('expected every output to be a population')
        return populations

    def read_out(self, population: Population, start: Tensor, end: Tensor, *, steps: int) -> Tensor:
        """
        Turn what an output gathered between two times into analog values, float32 (C, H, W).

        ``start`` and ``end`` are the cumulative spike counts, or for a readout population the
        cumulative currents, at the two times, ``steps`` apart:
        a = shift + scale * (end - start) / steps, currents measured in thresholds.
        """
        per_step = (end - start).double() / steps
        if population.readout:
            per_step = per_step / self.parameter(population, 'threshold')[:, None, None]
        scale = self.parameter(population, 'scale').double()[:, None, None]
        shift = self.parameter(population, 'shift').double()[:, None, None]
        return (shift + scale * per_step).to(torch.float32)
