"""Kernels of a phased window that pass levels on without neurons, and the exact path of 64 bits."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.layout import (
    ACTIVITY,
    BASE,
    BITS,
    BLOCK,
    CHANNELS,
    CLASSES,
    COLUMN_TABLE,
    COUNTS,
    FIRE,
    FIRST_SYNAPSE,
    GROUPS,
    HEIGHT,
    INITIAL,
    IS_IMAGE,
    IS_READOUT,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    KIND,
    LANES_PER_WORD,
    LISTED,
    NODE_COLUMNS,
    PADDED,
    ROW_TABLE,
    SIZE_CURRENTS64,
    SOURCE_ACTIVITY,
    SOURCE_CHANNELS,
    SOURCE_HEIGHT,
    SOURCE_WIDTH,
    SOURCE_WORDS,
    STEPS,
    SYNAPSE_COLUMNS,
    SYNAPSES,
    THRESHOLD,
    WEIGHTS,
    WIDTH,
    WORDS,
    Fire,
    Kind,
)
from spiking_retina_ros.spiking.event.level_lists import list_place, padded_channels
from spiking_retina_ros.spiking.event.memory import row_of
from spiking_retina_ros.spiking.event.places import source_place
from spiking_retina_ros.spiking.event.vectors import (
    absolute_sum,
    claim,
    largest,
    load,
    splat16,
    store,
    tile32,
    widen32,
)

MAX_POOL, UPSAMPLE = int(Kind.MAX_POOL), int(Kind.UPSAMPLE)
CONCATENATION, SIGNED = int(Kind.CONCATENATION), int(Fire.SIGNED)
LOWEST_INT16 = -(2**15)


@kernel
def work_level_routing(compress, m, index, worker):
    """Take blocks of places, as long as there are any."""
    node = row_of(m.nodes, index * NODE_COLUMNS)
    places, kind = node[HEIGHT] * node[WIDTH], node[KIND]
    while True:
        first = claim(m.claims, index) * node[BLOCK]
        if first >= places:
            break
        for place in range(first, min(first + node[BLOCK], places)):
            if kind == MAX_POOL:
                _pool(m, node, place)
            elif kind == UPSAMPLE:
                _upsample(m, node, place)
            elif kind == CONCATENATION:
                _concatenate(m, node, place)
            else:
                _count(m, node, place)
            if node[LISTED] != 0:
                list_place(compress, m, node, place)


@kernel
def _pool(m, node, place):
    """Keep the largest level of a window; padding never wins."""
    synapse = row_of(m.synapses, node[FIRST_SYNAPSE] * SYNAPSE_COLUMNS)
    y, x = place // node[WIDTH], place % node[WIDTH]
    total = 0
    for channel in range(0, node[PADDED], LANES_PER_WORD):
        level = splat16(LOWEST_INT16, tile32())
        for tap_y in range(synapse[KERNEL_HEIGHT]):
            for tap_x in range(synapse[KERNEL_WIDTH]):
                source = source_place(synapse, y, x, tap_y, tap_x)
                if source >= 0:
                    levels = synapse[SOURCE_WORDS] + source * node[PADDED] + channel
                    level = largest(level, load(m.levels, levels, tile32()))
        store(m.levels, node[WORDS] + place * node[PADDED] + channel, level)
        total += absolute_sum(widen32(level))
    m.activity[node[ACTIVITY] + place] = np.int32(total)


@kernel
def _upsample(m, node, place):
    """Copy the levels of the nearest place."""
    synapse = row_of(m.synapses, node[FIRST_SYNAPSE] * SYNAPSE_COLUMNS)
    row = np.int64(m.tables[node[ROW_TABLE] + place // node[WIDTH]])
    column = np.int64(m.tables[node[COLUMN_TABLE] + place % node[WIDTH]])
    source = row * synapse[SOURCE_WIDTH] + column
    for channel in range(node[PADDED]):
        levels = synapse[SOURCE_WORDS] + source * node[PADDED] + channel
        m.levels[node[WORDS] + place * node[PADDED] + channel] = m.levels[levels]
    m.activity[node[ACTIVITY] + place] = m.activity[synapse[SOURCE_ACTIVITY] + source]


@kernel
def _concatenate(m, node, place):
    """Put the sources' channels one after the other; what fills up the last word is silent."""
    target = node[WORDS] + place * node[PADDED]
    channel, total = 0, np.int32(0)
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        total += m.activity[synapse[SOURCE_ACTIVITY] + place]
        source = synapse[SOURCE_WORDS] + place * padded_channels(synapse)
        for k in range(synapse[SOURCE_CHANNELS]):
            m.levels[target + channel + k] = m.levels[source + k]
        channel += synapse[SOURCE_CHANNELS]
    for k in range(channel, node[PADDED]):
        m.levels[target + k] = np.int16(0)
    m.activity[node[ACTIVITY] + place] = total


@kernel
def _count(m, node, place):
    """Copy the source's levels to where outputs are read, because its room is given away."""
    synapse = row_of(m.synapses, node[FIRST_SYNAPSE] * SYNAPSE_COLUMNS)
    for channel in range(node[PADDED]):
        levels = synapse[SOURCE_WORDS] + place * node[PADDED] + channel
        m.counts[node[COUNTS] + place * node[PADDED] + channel] = np.int32(m.levels[levels])


@kernel
def work_level_wide(compress, m, index, worker):
    """Simulate a population number by number in 64 bits, see ``wide``."""
    node = row_of(m.nodes, index * NODE_COLUMNS)
    places = node[HEIGHT] * node[WIDTH]
    currents = worker * m.sizes[SIZE_CURRENTS64]
    while True:
        first = claim(m.claims, index) * node[BLOCK]
        if first >= places:
            break
        for place in range(first, min(first + node[BLOCK], places)):
            _sum_currents(m, node, place, currents)
            if node[IS_READOUT]:
                for channel in range(node[CHANNELS]):
                    target = node[COUNTS] + place * node[PADDED] + channel
                    m.gathered[target] = m.currents64[currents + channel]
            else:
                _fire(m, node, place, currents)
            if node[LISTED] != 0:
                list_place(compress, m, node, place)


@kernel
def _sum_currents(m, node, place, currents):
    """Write the whole window's currents of all channels of a place."""
    base, steps = node[BASE], m.sizes[STEPS]
    if node[CLASSES] >= 0:
        base += np.int64(m.tables[node[CLASSES] + place]) * node[CHANNELS]
    for channel in range(node[CHANNELS]):
        m.currents64[currents + channel] = steps * m.numbers64[base + channel]
    y, x = place // node[WIDTH], place % node[WIDTH]
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        for tap_y in range(synapse[KERNEL_HEIGHT]):
            for tap_x in range(synapse[KERNEL_WIDTH]):
                source = source_place(synapse, y, x, tap_y, tap_x)
                if source >= 0:
                    tap = tap_y * synapse[KERNEL_WIDTH] + tap_x
                    _add_tap(m, node, synapse, source, tap, currents)


@kernel
def _add_tap(m, node, synapse, source, tap, currents):
    """Add what all channels of one source place send through one tap."""
    group_in = synapse[SOURCE_CHANNELS] // synapse[GROUPS]
    group_out = node[CHANNELS] // synapse[GROUPS]
    for channel in range(synapse[SOURCE_CHANNELS]):
        if synapse[IS_IMAGE]:
            size = synapse[SOURCE_HEIGHT] * synapse[SOURCE_WIDTH]
            arriving = m.sizes[STEPS] * np.int64(m.image[channel * size + source])
        else:
            levels = synapse[SOURCE_WORDS] + source * padded_channels(synapse)
            arriving = np.int64(m.levels[levels + channel])
        if arriving == 0:
            continue
        weights = synapse[WEIGHTS] + (tap * synapse[SOURCE_CHANNELS] + channel) * group_out
        first = currents + channel // group_in * group_out
        for index in range(group_out):
            weight = m.weights64[weights + index] << synapse[BITS]
            m.currents64[first + index] += arriving * weight


@kernel
def _fire(m, node, place, currents):
    """Write the levels of a place; padded channels stay silent."""
    steps, total = m.sizes[STEPS], np.int64(0)
    lowest = -steps if node[FIRE] == SIGNED else np.int64(0)
    target = node[WORDS] + place * node[PADDED]
    for channel in range(node[CHANNELS]):
        membrane = m.numbers64[node[INITIAL] + channel] + m.currents64[currents + channel]
        level = max(lowest, min(steps, membrane // m.numbers64[node[THRESHOLD] + channel]))
        m.levels[target + channel] = np.int16(level)
        total += abs(level)
    for channel in range(node[CHANNELS], node[PADDED]):
        m.levels[target + channel] = np.int16(0)
    m.activity[node[ACTIVITY] + place] = np.int32(total)
