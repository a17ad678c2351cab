"""Kernels that pass spikes on without neurons: pooling, upsampling, concatenation, counting."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.firing import store_planes
from spiking_retina_ros.spiking.event.layout import (
    ACTIVITY,
    BLOCK,
    COLUMN_TABLE,
    COUNTS,
    FIRST_SYNAPSE,
    HEIGHT,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    KIND,
    LANES_PER_WORD,
    NEGATIVE,
    NODE_COLUMNS,
    PADDED,
    POSITIVE,
    ROW_TABLE,
    SIZE_CURRENTS,
    SOURCE_ACTIVITY,
    SOURCE_CHANNELS,
    SOURCE_NEGATIVE,
    SOURCE_POSITIVE,
    SOURCE_WIDE_WORDS,
    SOURCE_WIDTH,
    SOURCE_WORDS,
    STEPS,
    SYNAPSE_COLUMNS,
    SYNAPSES,
    WIDTH,
    WORDS,
    Kind,
)
from spiking_retina_ros.spiking.event.memory import row_of
from spiking_retina_ros.spiking.event.places import source_place, step_words_of
from spiking_retina_ros.spiking.event.vectors import (
    add,
    below,
    claim,
    load,
    load_mask,
    splat32,
    store,
    subtract,
    tile32,
    where,
)

MAX_POOL, UPSAMPLE = int(Kind.MAX_POOL), int(Kind.UPSAMPLE)
CONCATENATION = int(Kind.CONCATENATION)


@kernel
def work_routing(m, index, worker):
    """Take blocks of places, as long as there are any."""
    node = row_of(m.nodes, index * NODE_COLUMNS)
    places, kind = node[HEIGHT] * node[WIDTH], node[KIND]
    while True:
        first = claim(m.claims, index) * node[BLOCK]
        if first >= places:
            break
        for place in range(first, min(first + node[BLOCK], places)):
            if kind == MAX_POOL:
                _pool(m, node, worker, place)
            elif kind == UPSAMPLE:
                _upsample(m, node, place)
            elif kind == CONCATENATION:
                _concatenate(m, node, place)
            else:
                _count(m, node, place)


@kernel
def add_spikes(m, counts, words, plane, positive, negative):
    """Return int32 counts plus what one step's planes say about 32 channels."""
    for bit in range(positive):
        mask = load_mask(m.words, words + bit * plane, tile32())
        counts = add(counts, where(mask, splat32(1 << bit, tile32())))
    for bit in range(negative):
        mask = load_mask(m.words, words + (positive + bit) * plane, tile32())
        counts = subtract(counts, where(mask, splat32(1 << bit, tile32())))
    return counts


@kernel
def _count(m, node, place):
    """Add the source's spikes to its running counts."""
    synapse = row_of(m.synapses, node[FIRST_SYNAPSE] * SYNAPSE_COLUMNS)
    size, plane = step_words_of(synapse), synapse[SOURCE_WIDE_WORDS]
    for word in range(plane):
        target = node[COUNTS] + place * node[PADDED] + word * LANES_PER_WORD
        counts = load(m.counts, target, tile32())
        for step in range(m.sizes[STEPS]):
            words = synapse[SOURCE_WORDS] + (place * m.sizes[STEPS] + step) * size + word
            counts = add_spikes(
                m, counts, words, plane, synapse[SOURCE_POSITIVE], synapse[SOURCE_NEGATIVE]
            )
        store(m.counts, target, counts)


@kernel
def _pool(m, node, worker, place):
    """Send how the maximum of the running counts in a window moves, step by step."""
    synapse = row_of(m.synapses, node[FIRST_SYNAPSE] * SYNAPSE_COLUMNS)
    y, x = place // node[WIDTH], place % node[WIDTH]
    m.activity[node[ACTIVITY] + place] = 0
    for word in range(synapse[SOURCE_WIDE_WORDS]):
        scratch = worker * m.sizes[SIZE_CURRENTS]
        taps = 0
        for tap_y in range(synapse[KERNEL_HEIGHT]):
            for tap_x in range(synapse[KERNEL_WIDTH]):
                source = source_place(synapse, y, x, tap_y, tap_x)
                if source >= 0:
                    counts = node[COUNTS] + source * node[PADDED] + word * LANES_PER_WORD
                    target = scratch + taps * LANES_PER_WORD
                    store(m.currents, target, load(m.counts, counts, tile32()))
                    taps += 1
        m.activity[node[ACTIVITY] + place] += _pool_word(m, node, synapse, place, word, scratch)


@kernel
def _pool_word(m, node, synapse, place, word, scratch):
    """Pool 32 channels of one place; the taps' counts so far lie in scratch memory."""
    y, x = place // node[WIDTH], place % node[WIDTH]
    size, plane = step_words_of(synapse), synapse[SOURCE_WIDE_WORDS]
    positive, negative = synapse[SOURCE_POSITIVE], synapse[SOURCE_NEGATIVE]
    steps = m.sizes[STEPS]
    zero, before, total = splat32(0, tile32()), splat32(0, tile32()), 0
    for step in range(-1, steps):  # step -1 only finds the maximum to start from
        tap, largest = 0, splat32(-(2**31), tile32())
        for tap_y in range(synapse[KERNEL_HEIGHT]):
            for tap_x in range(synapse[KERNEL_WIDTH]):
                source = source_place(synapse, y, x, tap_y, tap_x)
                if source < 0:
                    continue
                counts = load(m.currents, scratch + tap * LANES_PER_WORD, tile32())
                if step >= 0:
                    words = synapse[SOURCE_WORDS] + (source * steps + step) * size + word
                    counts = add_spikes(m, counts, words, plane, positive, negative)
                    store(m.currents, scratch + tap * LANES_PER_WORD, counts)
                larger = below(largest, counts)
                largest = add(largest, where(larger, subtract(counts, largest)))
                tap += 1
        if step >= 0:
            moved = subtract(largest, before)
            words = node[WORDS] + (place * steps + step) * size + word
            up = where(below(zero, moved), moved)
            total += store_planes(tile32(), m, up, words, plane, positive)
            if negative:
                down = where(below(moved, zero), subtract(zero, moved))
                words += positive * plane
                total += store_planes(tile32(), m, down, words, plane, negative)
        before = largest
    return total


@kernel
def _upsample(m, node, place):
    """Copy the words of the nearest place."""
    synapse = row_of(m.synapses, node[FIRST_SYNAPSE] * SYNAPSE_COLUMNS)
    row = np.int64(m.tables[node[ROW_TABLE] + place // node[WIDTH]])
    column = np.int64(m.tables[node[COLUMN_TABLE] + place % node[WIDTH]])
    source = row * synapse[SOURCE_WIDTH] + column
    size = step_words_of(synapse) * m.sizes[STEPS]
    for word in range(size):
        m.words[node[WORDS] + place * size + word] = m.words[
            synapse[SOURCE_WORDS] + source * size + word
        ]
    m.activity[node[ACTIVITY] + place] = m.activity[synapse[SOURCE_ACTIVITY] + source]


@kernel
def _concatenate(m, node, place):
    """Put the sources' channels one after the other, wherever in a word they begin."""
    plane = node[PADDED] // LANES_PER_WORD
    size = plane * (node[POSITIVE] + node[NEGATIVE])
    steps = m.sizes[STEPS]
    target = node[WORDS] + place * steps * size
    for word in range(steps * size):
        m.words[target + word] = 0
    channel, total = 0, 0
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        total += m.activity[synapse[SOURCE_ACTIVITY] + place]
        source_plane, source_size = synapse[SOURCE_WIDE_WORDS], step_words_of(synapse)
        source = synapse[SOURCE_WORDS] + place * steps * source_size
        for step in range(steps):
            for bit in range(synapse[SOURCE_POSITIVE] + synapse[SOURCE_NEGATIVE]):
                to = bit
                if bit >= synapse[SOURCE_POSITIVE]:
                    to += node[POSITIVE] - synapse[SOURCE_POSITIVE]
                for word in range(source_plane):
                    value = m.words[source + step * source_size + bit * source_plane + word]
                    _put(m, target + step * size + to * plane, plane, channel + 32 * word, value)
        channel += synapse[SOURCE_CHANNELS]
    m.activity[node[ACTIVITY] + place] = total


@kernel
def _put(m, words, plane, channel, value):
    """Write 32 bits from any channel on; bits beyond the source's channels are zero."""
    word, shift = channel // LANES_PER_WORD, np.uint32(channel % LANES_PER_WORD)
    m.words[words + word] |= value << shift
    if shift and word + 1 < plane:
        m.words[words + word + 1] |= value >> (np.uint32(LANES_PER_WORD) - shift)
