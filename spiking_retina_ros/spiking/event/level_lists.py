"""
Kernels of a phased window that list active neurons and their levels.

Most neurons are silent, so what a place sends is kept as a list, too: the channels that are not
silent, and their levels. A place writes its list once; the up to nine places around it whose
convolutions look at it copy the list, which is a few vectors, instead of searching its channels.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.layout import (
    ACTIVITY,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    LANES_PER_WORD,
    PADDED,
    SOURCE_ACTIVITY,
    SOURCE_WIDE_WORDS,
    SOURCE_WORDS,
    WORDS,
)
from spiking_retina_ros.spiking.event.places import source_place
from spiking_retina_ros.spiking.event.vectors import (
    add,
    append_levels,
    load,
    splat16,
    store,
    tile32,
)

# Lists are padded with silent neurons to a multiple of this, for a loop that branches less.
ENTRIES_AT_ONCE = 4


@kernel
def padded_channels(synapse):
    """Return the channels of the source, rounded up to words."""
    return synapse[SOURCE_WIDE_WORDS] * LANES_PER_WORD


@kernel
def list_place(compress, m, node, place):
    """
    List the channels of a place that send spikes, from its levels.

    Entry k is at ``m.active[start + k]`` and ``m.active_levels[start + k]``, where ``start`` is
    where the place's levels begin.
    """
    start = node[WORDS] + place * node[PADDED]
    end = start
    if compress:
        for channel in range(0, node[PADDED], LANES_PER_WORD):
            end += append_levels(m.active, m.active_levels, end, m.levels, start + channel, channel)
    else:
        for channel in range(node[PADDED]):  # without a branch: what is silent is overwritten
            level = m.levels[start + channel]
            m.active[end] = np.uint16(channel)
            m.active_levels[end] = level
            end += np.int64(level != 0)
    m.active_counts[node[ACTIVITY] + place] = np.int32(end - start)


@kernel
def list_around(m, rows, synapse, y, x):
    """
    List the weight rows that the active neurons around a place address, and their levels.

    Row = tap * channels + channel; entry k is at ``m.rows[rows + k]`` and ``m.values[rows + k]``.
    Return the number of entries, a multiple of ``ENTRIES_AT_ONCE``.
    """
    channels, end, first = padded_channels(synapse), rows, np.int64(0)
    for tap_y in range(synapse[KERNEL_HEIGHT]):
        for tap_x in range(synapse[KERNEL_WIDTH]):
            place = source_place(synapse, y, x, tap_y, tap_x)
            if place >= 0:
                count = np.int64(m.active_counts[synapse[SOURCE_ACTIVITY] + place])
                _copy(m, end, synapse[SOURCE_WORDS] + place * channels, count, first)
                end += count
            first += channels
    for entry in range(end, end + ENTRIES_AT_ONCE):
        m.rows[entry] = np.uint16(0)
        m.values[entry] = np.int16(0)
    return (end - rows + ENTRIES_AT_ONCE - 1) // ENTRIES_AT_ONCE * ENTRIES_AT_ONCE


@kernel
def _copy(m, target, start, count, first):
    """Copy a place's list to a thread's own, by whole words; ``first`` is added to the rows."""
    for offset in range(0, count, LANES_PER_WORD):
        channels = load(m.active, start + offset, tile32())
        store(m.rows, target + offset, add(channels, splat16(first, tile32())))
        store(m.values, target + offset, load(m.active_levels, start + offset, tile32()))
