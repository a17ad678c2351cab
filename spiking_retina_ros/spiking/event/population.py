"""Kernels of a population: from the spikes around a block of places to the spikes it sends."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.currents import (
    add_depthwise_8,
    add_depthwise_16,
    add_diagonal,
    add_pixels,
    add_rows_8,
    add_rows_16,
)
from spiking_retina_ros.spiking.event.firing import (
    fire_burst,
    fire_corrective,
    fire_signed,
    fire_unsigned,
)
from spiking_retina_ros.spiking.event.layout import (
    ACTIVITY,
    ARRIVAL,
    BASE,
    BEFORE,
    BITS,
    BLOCK,
    BURST,
    CLASSES,
    COUNTS,
    FARTHEST,
    FIRE,
    FIRST_SYNAPSE,
    HEIGHT,
    INITIAL,
    IS_READOUT,
    LANES_PER_WORD,
    LAST,
    LENGTHS,
    LISTS,
    MEMBRANE,
    NEGATIVE,
    NODE_COLUMNS,
    PADDED,
    POSITIVE,
    ROOM,
    ROWS,
    SENT,
    SENT_SCRATCH,
    SIZE_CURRENTS,
    SIZE_LENGTHS,
    SIZE_ROWS,
    SIZE_TAPS,
    SOURCE_CHANNELS,
    SOURCE_HEIGHT,
    SOURCE_WIDE_WORDS,
    SOURCE_WIDTH,
    SOURCE_WORDS,
    STEPS,
    SYNAPSE_COLUMNS,
    SYNAPSES,
    TAP_ROOM,
    TAPS,
    THRESHOLD,
    WEIGHTS,
    WIDTH,
    WORDS,
    Arrival,
)
from spiking_retina_ros.spiking.event.memory import row_of
from spiking_retina_ros.spiking.event.places import (
    list_depthwise,
    list_pixels,
    list_rows,
    step_words_of,
)
from spiking_retina_ros.spiking.event.vectors import (
    claim,
    lanes_of,
    largest,
    least,
    load,
    splat16,
    splat32,
    store,
    tile32,
    tile64,
)

ROWS_8, ROWS_16 = int(Arrival.ROWS_8), int(Arrival.ROWS_16)
DEPTHWISE_8, DEPTHWISE_16 = int(Arrival.DEPTHWISE_8), int(Arrival.DEPTHWISE_16)
DIAGONAL, IMAGE = int(Arrival.DIAGONAL), int(Arrival.IMAGE)


@kernel
def work_population(compress, m, index, worker):
    """Take blocks of places, as long as there are any, through this chunk's steps."""
    node = row_of(m.nodes, index * NODE_COLUMNS)
    places = node[HEIGHT] * node[WIDTH]
    while True:
        first = claim(m.claims, index) * node[BLOCK]
        if first >= places:
            break
        last = min(first + node[BLOCK], places)
        for place in range(first, last):
            _look_around(compress, m, node, worker, place, place - first)
        channel = np.int64(0)  # a literal would make numba compile everything twice
        while channel < node[PADDED]:
            # one tile's weights stay in the cache for the whole block of places
            if node[PADDED] - channel > LANES_PER_WORD:
                for place in range(first, last):
                    _advance_tile(tile64(), m, node, worker, place, place - first, channel)
                channel += 2 * LANES_PER_WORD
            else:
                for place in range(first, last):
                    _advance_tile(tile32(), m, node, worker, place, place - first, channel)
                channel += LANES_PER_WORD


@kernel
def _look_around(compress, m, node, worker, place, local):
    """Make the lists of every synapse for one place."""
    y, x = place // node[WIDTH], place % node[WIDTH]
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        rows, lengths, taps = _scratch(m, synapse, worker, local)
        arrival = synapse[ARRIVAL]
        if arrival in (ROWS_8, ROWS_16):
            # what a readout gathers need not be told apart by step
            list_rows(compress, m, rows, lengths, taps, synapse, y, x, node[IS_READOUT] != 0)
        elif arrival in (DEPTHWISE_8, DEPTHWISE_16):
            m.lengths[lengths] = list_depthwise(m, taps, synapse, y, x)
        elif arrival == IMAGE:
            m.lengths[lengths] = list_pixels(m, taps, synapse, y, x)


@kernel
def _scratch(m, synapse, worker, local):
    """Return where the lists, their lengths and the taps of a place of the block are."""
    steps = m.sizes[STEPS]
    rows = worker * m.sizes[SIZE_ROWS] + synapse[LISTS] + local * steps * synapse[ROOM]
    lengths = worker * m.sizes[SIZE_LENGTHS] + synapse[LENGTHS] + local * steps
    taps = worker * m.sizes[SIZE_TAPS] + synapse[TAPS] + local * synapse[TAP_ROOM]
    return rows, lengths, taps


@kernel
def _advance_tile(tile, m, node, worker, place, local, channel):
    """Take one tile of channels of one place through all steps."""
    lanes = lanes_of(tile)
    origin = worker * m.sizes[SIZE_CURRENTS]
    constant = origin + m.sizes[STEPS] * lanes
    base = node[BASE] + channel
    if node[CLASSES] >= 0:
        base += np.int64(m.tables[node[CLASSES] + place]) * node[PADDED]
    store(m.currents, constant, load(m.numbers, base, tile))
    steps = np.int64(1) if node[IS_READOUT] != 0 else m.sizes[STEPS]
    start, stride = constant, np.int64(0)
    if node[IS_READOUT] != 0:
        # the constant part is multiplied by the steps later, by _gather in 64 bits
        start = constant + lanes
        store(m.currents, start, splat32(0, tile))
    start, stride = _add_synapses(
        tile, m, node, worker, place, local, channel, origin, constant, start, stride, steps
    )
    if node[IS_READOUT] != 0:
        _gather(m, node, place, channel, lanes, constant, start)
    else:
        _fire(tile, m, node, worker, place, channel, start, stride)


@kernel
def _add_synapses(
    tile, m, node, worker, place, local, channel, origin, constant, start, stride, steps
):
    """Add every synapse; return where the currents begin and their distance from step to step."""
    lanes = lanes_of(tile)
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        arrival, bits = synapse[ARRIVAL], synapse[BITS]
        rows, lengths, taps = _scratch(m, synapse, worker, local)
        weights = synapse[WEIGHTS] + channel * synapse[ROWS]
        if arrival == IMAGE:
            size = synapse[SOURCE_HEIGHT] * synapse[SOURCE_WIDTH]
            count, channels = m.lengths[lengths], synapse[SOURCE_CHANNELS]
            add_pixels(tile, m, constant, taps, count, channels, size, weights, bits)
            continue
        step_words = step_words_of(synapse)
        if arrival == ROWS_8:
            room = synapse[ROOM]
            add_rows_8(tile, m, origin, start, stride, steps, rows, room, lengths, weights, bits)
        elif arrival == ROWS_16:
            room = synapse[ROOM]
            add_rows_16(tile, m, origin, start, stride, steps, rows, room, lengths, weights, bits)
        elif arrival == DEPTHWISE_8:
            count, word = m.lengths[lengths], channel // LANES_PER_WORD
            add_depthwise_8(
                tile, m, origin, start, stride, steps, taps, count, word, step_words, weights, bits
            )
        elif arrival == DEPTHWISE_16:
            count, word = m.lengths[lengths], channel // LANES_PER_WORD
            add_depthwise_16(
                tile, m, origin, start, stride, steps, taps, count, word, step_words, weights, bits
            )
        else:
            plane = synapse[SOURCE_WIDE_WORDS]
            words = synapse[SOURCE_WORDS] + place * step_words * steps + channel // LANES_PER_WORD
            numbers = synapse[WEIGHTS] + channel
            planes = step_words // plane
            add_diagonal(
                tile, m, origin, start, stride, steps, words, step_words, planes, plane, numbers
            )
        start, stride = origin, lanes
    return start, stride


@kernel
def _gather(m, node, place, channel, lanes, constant, start):
    """Add a chunk's currents to what a readout gathered."""
    target = node[COUNTS] + place * node[PADDED] + channel
    steps = m.sizes[STEPS]
    for lane in range(lanes):
        current = steps * np.int64(m.currents[constant + lane])
        m.gathered[target + lane] += current + np.int64(m.currents[start + lane])


@kernel
def _fire(tile, m, node, worker, place, channel, start, stride):
    """Bring the state into scratch memory, fire, and keep the state if there is another chunk."""
    steps, lanes = m.sizes[STEPS], lanes_of(tile)
    state = place * node[PADDED] + channel
    membrane = worker * m.sizes[SIZE_CURRENTS] + (steps + 1) * lanes
    sent = m.sizes[SENT_SCRATCH] + worker * 2 * LANES_PER_WORD
    if m.sizes[BEFORE] == 0:
        store(m.currents, membrane, load(m.numbers, node[INITIAL] + channel, tile))
        store(m.sent, sent, splat16(0, tile))
    else:
        store(m.currents, membrane, load(m.membranes, node[MEMBRANE] + state, tile))
        if node[SENT] >= 0:
            store(m.sent, sent, load(m.sent, node[SENT] + state, tile))
    plane = node[PADDED] // LANES_PER_WORD
    step_words = plane * (node[POSITIVE] + node[NEGATIVE])
    words = node[WORDS] + place * steps * step_words + channel // LANES_PER_WORD
    threshold = node[THRESHOLD] + channel
    fire = node[FIRE]
    if node[BURST] > 1:
        spikes = fire_burst(
            tile,
            m,
            start,
            stride,
            steps,
            threshold,
            membrane,
            words,
            step_words,
            plane,
            sent,
            fire,
            node[BURST],
            m.sizes[BEFORE],
        )
    elif fire == 0:
        spikes = fire_unsigned(
            tile, m, start, stride, steps, threshold, membrane, words, step_words
        )
    elif fire == 1:
        spikes = fire_corrective(
            tile, m, start, stride, steps, threshold, membrane, words, step_words, plane, sent
        )
    else:
        spikes = fire_signed(
            tile, m, start, stride, steps, threshold, membrane, words, step_words, plane
        )
    if channel == 0:
        m.activity[node[ACTIVITY] + place] = 0
    m.activity[node[ACTIVITY] + place] += spikes
    if m.sizes[LAST] == 0:
        far, near = splat32(node[FARTHEST], tile), splat32(-node[FARTHEST], tile)
        kept = largest(near, least(far, load(m.currents, membrane, tile)))
        store(m.membranes, node[MEMBRANE] + state, kept)
        if node[SENT] >= 0:
            store(m.sent, node[SENT] + state, load(m.sent, sent, tile))
