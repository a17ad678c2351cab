"""The rows of the table of record: which networks an ablation compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.network import Schedule

BASE = 'fast'
FINETUNED = 'finetuned'


@dataclass(frozen=True)
class Row:
    """
    One way to convert: its short ``name``, what it is in words, options and schedule.

    ``finetuned`` rows convert the fine-tuned checkpoint instead of the analog network.
    """

    name: str
    title: str
    options: ConversionOptions
    schedule: Schedule
    finetuned: bool = False


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
        Row(FINETUNED, 'fast, fine-tuned', fast(**shipped), phased, finetuned=True),
        Row(
            'finetuned-concurrent',
            'fast, fine-tuned, concurrent schedule',
            fast(**shipped),
            concurrent,
            finetuned=True,
        ),
    )


def choose_rows(
    rows: Sequence[Row], names: Sequence[str] | None, *, has_finetuned: bool
) -> tuple[Row, ...]:
    """
    Return the rows of these names in their table's order, or all that there is a checkpoint for.

    Raises UserError for a name that is none, and for a fine-tuned row without its checkpoint.
    """
    known = [row.name for row in rows]
    if unknown := [name for name in names or () if name not in known]:
        raise UserError(f'unknown row {unknown[0]!r}; the rows are {", ".join(known)}')
    if names is None:
        return tuple(row for row in rows if has_finetuned or not row.finetuned)
    chosen = tuple(row for row in rows if row.name in names)
    if lost := [row.name for row in chosen if row.finetuned and not has_finetuned]:
        raise UserError(f'row {lost[0]!r} needs a fine-tuned checkpoint; give it with --finetuned')
    return chosen
