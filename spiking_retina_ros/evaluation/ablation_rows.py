"""The rows of the table of record: which networks an ablation compares."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.network import Schedule

Origin = Literal['analog', 'calibrated', 'finetuned']

BASE = 'fast'


@dataclass(frozen=True)
class Row:
    """
    One way to convert: its short ``name``, what it is in words, options and schedule.

    ``origin`` is what is converted: the analog network, or a checkpoint of it in which thresholds
    and biases, or the weights as well, were trained for few steps.
    """

    name: str
    title: str
    options: ConversionOptions
    schedule: Schedule
    origin: Origin = 'analog'


def ablation_rows(*, keep_dead_channels: bool) -> tuple[Row, ...]:
    """Return all rows: the paper's two, ``fast`` with one thing changed in each, fine-tuned."""
    dead = {'keep_dead_channels': keep_dead_channels}
    # what 'all' adds, spikes taken back, never happens where a layer gathers before it sends
    shipped = {'signed_spikes': 'linear', **dead}
    paper, fast = ConversionOptions.paper, ConversionOptions.fast
    concurrent: Schedule = 'concurrent'
    phased: Schedule = 'phased'
    return (
        Row('paper', 'paper', paper(**dead), concurrent),
        Row(
            'paper-half',
            'paper, membranes start at half threshold',
            paper(half_threshold=True, **dead),
            concurrent,
        ),
        Row(BASE, 'fast (phased schedule)', fast(**shipped), phased),
        Row('concurrent', 'fast, concurrent schedule', fast(**shipped), concurrent),
        Row(
            'concurrent-corrective',
            'fast, concurrent, ReLUs take spikes back',
            fast(signed_spikes='all', **dead),
            concurrent,
        ),
        Row(
            'no-half-threshold',
            'fast, membranes start empty',
            fast(half_threshold=False, **shipped),
            phased,
        ),
        Row(
            'no-signed-spikes',
            'fast, shifted rates instead of signed spikes',
            fast(shift=True, signed_spikes='none', **dead),
            phased,
        ),
        Row(
            'no-fused-additions',
            'fast, additions by NormAdd',
            fast(fuse_additions=False, **shipped),
            phased,
        ),
        Row(
            'spike-readout',
            'fast, outputs read as spikes',
            fast(readout='spikes', **shipped),
            phased,
        ),
        Row('16-bit', 'fast, 16-bit weights', fast(weight_bits=16, **shipped), phased),
        Row(
            'calibrated-biases',
            'fast, biases calibrated at each number of steps',
            fast(calibrate_biases=True, **shipped),
            phased,
        ),
        Row(
            'fitted-thresholds',
            'fast, thresholds fitted to each number of steps',
            fast(fit_thresholds=True, **shipped),
            phased,
        ),
        Row(
            'calibrated',
            'fast, thresholds and biases trained on the analog network',
            fast(**shipped),
            phased,
            origin='calibrated',
        ),
        Row(
            'calibrated-16-bit',
            'fast, thresholds and biases trained, 16-bit weights',
            fast(weight_bits=16, **shipped),
            phased,
            origin='calibrated',
        ),
        Row('finetuned', 'fast, fine-tuned', fast(**shipped), phased, origin='finetuned'),
        Row(
            'finetuned-concurrent',
            'fast, fine-tuned, concurrent schedule',
            fast(**shipped),
            concurrent,
            origin='finetuned',
        ),
    )


def choose_rows(
    rows: Sequence[Row], names: Sequence[str] | None, origins: Collection[Origin]
) -> tuple[Row, ...]:
    """
    Return the rows of these names in their table's order, or all that ``origins`` allow.

    Raises UserError for a name that is none, and for a row whose origin is not there.
    """
    known = [row.name for row in rows]
    if unknown := [name for name in names or () if name not in known]:
        raise UserError(f'unknown row {unknown[0]!r}; the rows are {", ".join(known)}')
    if names is None:
        return tuple(row for row in rows if row.origin in origins)
    chosen = tuple(row for row in rows if row.name in names)
    for row in chosen:
        if row.origin not in origins:
            raise UserError(
                f'row {row.name!r} needs a {row.origin} checkpoint; give it with --{row.origin}'
            )
    return chosen
