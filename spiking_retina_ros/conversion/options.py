"""The choices of a conversion: each a separate, named option, so that each can be measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from spiking_retina_ros.errors import UserError

Normalisation = Literal['paper', 'fast']
SignedSpikes = Literal['none', 'linear', 'all']
Readout = Literal['spikes', 'current']


@dataclass(frozen=True)
class ConversionOptions:
    """
    How an analog network becomes a spiking one. ``paper()`` and ``fast()`` are the two presets.

    shift: map [epsilon, lambda] onto rates 0..1 (equation 4), so that plain neurons carry negative
    activations; without it zero stays zero and costs no spike.
    half_threshold: start membranes at half the threshold, which turns the floor of a spike count
    into a rounding.
    signed_spikes: which populations may send negative spikes: none, those without a ReLU
    ('linear'), or 'all', where a ReLU's neuron may take back spikes it sent too early.
    fuse_additions: let the inputs of an addition meet in one membrane instead of giving each, and
    their sum (NormAdd), a spiking neuron of its own.
    readout: read the outputs from 'spikes', or from the gathered 'current'.
    burst: the most spikes a neuron may send in one step.
    lower_percentile, upper_percentile: epsilon and lambda of every channel, in per cent.
    weight_bits: 8 or 16.
    fit_thresholds: per channel, the scale that loses least in a window of the recommended steps,
    instead of the percentile's (phased windows only).
    calibrate_biases: move biases, layer by layer, by what rates lose on average in a window of the
    recommended steps (phased windows only); such a network is for that number of steps.
    """

    normalisation: Normalisation = 'fast'
    shift: bool = False
    half_threshold: bool = True
    signed_spikes: SignedSpikes = 'all'
    fuse_additions: bool = True
    readout: Readout = 'current'
    burst: int = 1
    lower_percentile: float = 0.01
    upper_percentile: float = 99.99
    weight_bits: int = 8
    keep_dead_channels: bool = False
    fit_thresholds: bool = False
    calibrate_biases: bool = False

    def __post_init__(self) -> None:
        """Refuse options that contradict each other, saying what to do instead."""
        if self.shift and self.signed_spikes != 'none':
            raise UserError(
                'shift and signed_spikes contradict each other: a shifted rate is never negative; '
                "use shift with signed_spikes 'none', or signed spikes without the shift"
            )
        if not self.shift and self.signed_spikes == 'none':
            raise UserError(
                'without shift and without signed spikes no negative activation can be carried; '
                "use shift (the paper's way) or signed_spikes 'linear'"
            )
        if self.shift and self.fit_thresholds:
            raise UserError(
                'fit_thresholds is for rates that start at zero; use it without shift, as fast does'
            )
        if not 0 <= self.lower_percentile < self.upper_percentile <= 100:
            raise UserError(
                'expected 0 <= lower percentile < upper percentile <= 100, '
                f'found {self.lower_percentile} and {self.upper_percentile}'
            )
        if self.burst < 1 or self.burst > 7:
            raise UserError(f'expected burst between 1 and 7 spikes per step, found {self.burst}')
        if self.weight_bits not in (8, 16):
            raise UserError(f'expected weight_bits 8 or 16, found {self.weight_bits}')

    @property
    def for_one_window(self) -> bool:
        """Whether the numbers of a network belong to one number of steps."""
        return self.calibrate_biases or self.fit_thresholds

    @classmethod
    def paper(cls, **changes: Any) -> ConversionOptions:
        """Return the method of arXiv 2106.05624, with exact borders and one scale per head."""
        options = cls(
            normalisation='paper',
            shift=True,
            half_threshold=False,
            signed_spikes='none',
            fuse_additions=False,
            readout='spikes',
        )
        return replace(options, **changes)

    @classmethod
    def fast(cls, **changes: Any) -> ConversionOptions:
        """Return the choices for short windows."""
        return replace(cls(), **changes)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> ConversionOptions:
        """Return the preset of that name with some options changed."""
        presets = {'paper': cls.paper, 'fast': cls.fast}
        if name not in presets:
            raise UserError(f'unknown normalisation {name!r}; known are: {", ".join(presets)}')
        return presets[name](**changes)

    def as_dict(self) -> dict[str, Any]:
        """Return plain Python values, ready for json."""
        return asdict(self)
