"""
The exact path for what the fast kernels' arithmetic does not fit: 64 bits, number by number.

Grouped convolutions, sums or membranes beyond 32 bits and the like come here. Slow, and simple
enough to be believed.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.layout import (
    ACTIVITY,
    BASE,
    BEFORE,
    BITS,
    BLOCK,
    BURST,
    CHANNELS,
    CLASSES,
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
    LANES_PER_WORD,
    MEMBRANE,
    NEGATIVE,
    NODE_COLUMNS,
    PADDED,
    POSITIVE,
    SIZE_CURRENTS64,
    SOURCE_CHANNELS,
    SOURCE_HEIGHT,
    SOURCE_NEGATIVE,
    SOURCE_POSITIVE,
    SOURCE_WIDE_WORDS,
    SOURCE_WIDTH,
    SOURCE_WORDS,
    STEPS,
    SYNAPSE_COLUMNS,
    SYNAPSES,
    THRESHOLD,
    WEIGHTS,
    WIDTH,
    WORDS,
)
from spiking_retina_ros.spiking.event.memory import row_of
from spiking_retina_ros.spiking.event.places import source_place, step_words_of
from spiking_retina_ros.spiking.event.vectors import claim


@kernel
def work_wide(m, index, worker):
    """Take blocks of places, as long as there are any, through this chunk's steps."""
    node = row_of(m.nodes, index * NODE_COLUMNS)
    places = node[HEIGHT] * node[WIDTH]
    currents = worker * m.sizes[SIZE_CURRENTS64]
    while True:
        first = claim(m.claims, index) * node[BLOCK]
        if first >= places:
            break
        for place in range(first, min(first + node[BLOCK], places)):
            _begin(m, node, place)
            for step in range(m.sizes[STEPS]):
                _sum_currents(m, node, place, step, currents)
                if node[IS_READOUT]:
                    for channel in range(node[CHANNELS]):
                        target = node[COUNTS] + place * node[PADDED] + channel
                        m.gathered[target] += m.currents64[currents + channel]
                else:
                    _fire(m, node, place, step, currents)


@kernel
def _begin(m, node, place):
    """Clear the chunk's spikes, and at the window's start the membranes."""
    if node[IS_READOUT]:
        return
    steps = m.sizes[STEPS]
    size = node[PADDED] // LANES_PER_WORD * (node[POSITIVE] + node[NEGATIVE]) * steps
    for word in range(node[WORDS] + place * size, node[WORDS] + (place + 1) * size):
        m.words[word] = 0
    m.activity[node[ACTIVITY] + place] = 0
    if m.sizes[BEFORE] == 0:
        for channel in range(node[CHANNELS]):
            state = node[MEMBRANE] + 2 * (place * node[CHANNELS] + channel)
            m.membranes64[state] = m.numbers64[node[INITIAL] + channel]
            m.membranes64[state + 1] = 0


@kernel
def _sum_currents(m, node, place, step, currents):
    """Write one step's currents of all channels of a place."""
    base = node[BASE]
    if node[CLASSES] >= 0:
        base += np.int64(m.tables[node[CLASSES] + place]) * node[CHANNELS]
    for channel in range(node[CHANNELS]):
        m.currents64[currents + channel] = m.numbers64[base + channel]
    y, x = place // node[WIDTH], place % node[WIDTH]
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        for tap_y in range(synapse[KERNEL_HEIGHT]):
            for tap_x in range(synapse[KERNEL_WIDTH]):
                source = source_place(synapse, y, x, tap_y, tap_x)
                if source >= 0:
                    tap = tap_y * synapse[KERNEL_WIDTH] + tap_x
                    _add_tap(m, node, synapse, source, tap, step, currents)


@kernel
def _add_tap(m, node, synapse, source, tap, step, currents):
    """Add what all channels of one source place send through one tap."""
    group_in = synapse[SOURCE_CHANNELS] // synapse[GROUPS]
    group_out = node[CHANNELS] // synapse[GROUPS]
    for channel in range(synapse[SOURCE_CHANNELS]):
        arriving = _arriving(m, synapse, source, step, channel)
        if arriving == 0:
            continue
        weights = synapse[WEIGHTS] + (tap * synapse[SOURCE_CHANNELS] + channel) * group_out
        first = currents + channel // group_in * group_out
        for index in range(group_out):
            weight = m.weights64[weights + index] << synapse[BITS]
            m.currents64[first + index] += arriving * weight


@kernel
def _arriving(m, synapse, source, step, channel):
    """Return a source channel's spikes in this step, or its pixel."""
    if synapse[IS_IMAGE]:
        size = synapse[SOURCE_HEIGHT] * synapse[SOURCE_WIDTH]
        return np.int64(m.image[channel * size + source])
    plane, size = synapse[SOURCE_WIDE_WORDS], step_words_of(synapse)
    words = synapse[SOURCE_WORDS] + (source * m.sizes[STEPS] + step) * size
    words += channel // LANES_PER_WORD
    shift = np.uint32(channel % LANES_PER_WORD)
    positive, spikes = synapse[SOURCE_POSITIVE], np.int64(0)
    for bit in range(positive + synapse[SOURCE_NEGATIVE]):
        if m.words[words + bit * plane] >> shift & np.uint32(1):
            spikes += 1 << bit if bit < positive else -(1 << bit - positive)
    return spikes


@kernel
def _fire(m, node, place, step, currents):
    """Move the membranes of a place on by one step and write the spikes, see neurons.py."""
    plane = node[PADDED] // LANES_PER_WORD
    size = plane * (node[POSITIVE] + node[NEGATIVE])
    words = node[WORDS] + (place * m.sizes[STEPS] + step) * size
    burst = node[BURST]
    for channel in range(node[CHANNELS]):
        state = node[MEMBRANE] + 2 * (place * node[CHANNELS] + channel)
        theta = m.numbers64[node[THRESHOLD] + channel]
        membrane = m.membranes64[state] + m.currents64[currents + channel]
        sent, time = m.membranes64[state + 1], m.sizes[BEFORE] + step + 1
        highest, lowest = min(burst, time - sent), np.int64(0)
        if node[FIRE] == 2:
            lowest = -min(burst, time + sent)
        elif node[FIRE] == 1:
            lowest = -min(burst, sent)
        spikes = max(lowest, min(highest, membrane // theta))
        m.membranes64[state] = membrane - theta * spikes
        m.membranes64[state + 1] += spikes
        m.activity[node[ACTIVITY] + place] += abs(spikes)
        first = words + channel // LANES_PER_WORD + (node[POSITIVE] * plane if spikes < 0 else 0)
        bit = np.uint32(1) << np.uint32(channel % LANES_PER_WORD)
        for index in range(node[POSITIVE]):
            if abs(spikes) >> index & 1:
                m.words[first + index * plane] |= bit
