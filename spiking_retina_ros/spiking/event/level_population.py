"""
Kernels of a population in a phased window: from the levels around a place to its own.

A neuron that has gathered all its input fires in every step until its membrane is below the
threshold (see ``spiking.phased``): its level is clip(floor(V / theta), lowest, steps).
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.layout import (
    ACTIVITY,
    ARRIVAL,
    BASE,
    BITS,
    BLOCK,
    CLASSES,
    COUNTS,
    FIRE,
    FIRST_SYNAPSE,
    HEIGHT,
    INITIAL,
    INVERSE,
    IS_READOUT,
    KERNEL_WIDTH,
    LANES_PER_WORD,
    LARGEST,
    LENGTHS,
    LISTED,
    LISTS,
    NODE_COLUMNS,
    PADDED,
    ROOM,
    ROWS,
    SIZE_CURRENTS,
    SIZE_LENGTHS,
    SIZE_ROWS,
    SIZE_TAPS,
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
    Fire,
)
from spiking_retina_ros.spiking.event.level_lists import (
    list_around,
    list_place,
    padded_channels,
)
from spiking_retina_ros.spiking.event.level_sums import (
    collect_level_taps,
    first_inside,
    products_in_16_bits,
    sum_depthwise_8,
    sum_depthwise_16,
    sum_depthwise_inside_8,
    sum_diagonal,
    sum_pixels,
    sum_pixels_inside,
    sum_rows_8,
    sum_rows_16,
)
from spiking_retina_ros.spiking.event.memory import row_of
from spiking_retina_ros.spiking.event.places import list_pixels
from spiking_retina_ros.spiking.event.vectors import (
    absolute_sum,
    add,
    at_least,
    below,
    bounded_quotient,
    claim,
    lanes_of,
    largest,
    least,
    load,
    multiply,
    narrow16,
    shift_left,
    splat32,
    store,
    subtract,
    tile32,
    tile64,
    where,
)

ROWS_8, ROWS_16 = int(Arrival.ROWS_8), int(Arrival.ROWS_16)
DEPTHWISE_8, DEPTHWISE_16 = int(Arrival.DEPTHWISE_8), int(Arrival.DEPTHWISE_16)
IMAGE, SIGNED = int(Arrival.IMAGE), int(Fire.SIGNED)

# Instead of a length: all taps lie inside, and no list is needed.
INSIDE = -1


@kernel
def work_level_population(compress, m, index, worker):
    """Take blocks of places, as long as there are any, through the window."""
    node = row_of(m.nodes, index * NODE_COLUMNS)
    places = node[HEIGHT] * node[WIDTH]
    while True:
        first = claim(m.claims, index) * node[BLOCK]
        if first >= places:
            break
        last = min(first + node[BLOCK], places)
        y, x = first // node[WIDTH], first % node[WIDTH]
        for place in range(first, last):
            _look_around(m, node, worker, place - first, y, x)
            x += 1
            if x == node[WIDTH]:
                y, x = y + 1, np.int64(0)
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
        if node[LISTED] != 0:
            for place in range(first, last):
                list_place(compress, m, node, place)


@kernel
def _scratch(m, synapse, worker, local):
    """Return where the list, its length and the taps of a place of the block are."""
    rows = worker * m.sizes[SIZE_ROWS] + synapse[LISTS] + local * synapse[ROOM]
    length = worker * m.sizes[SIZE_LENGTHS] + synapse[LENGTHS] + local
    taps = worker * m.sizes[SIZE_TAPS] + synapse[TAPS] + local * synapse[TAP_ROOM]
    return rows, length, taps


@kernel
def _look_around(m, node, worker, local, y, x):
    """
    Make the list of every synapse for one place; where none is needed its length is INSIDE.

    Then the first of its taps says where the kernel lies in the source.
    """
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        rows, length, taps = _scratch(m, synapse, worker, local)
        arrival = synapse[ARRIVAL]
        if arrival in (ROWS_8, ROWS_16):
            m.lengths[length] = list_around(m, rows, synapse, y, x)
        elif arrival in (DEPTHWISE_8, DEPTHWISE_16):
            first = first_inside(synapse, y, x)
            limit = products_in_16_bits(m.sizes[STEPS], synapse[LARGEST])
            if first >= 0 and arrival == DEPTHWISE_8 and limit >= synapse[KERNEL_WIDTH]:
                m.lengths[length] = INSIDE
                m.taps[taps] = synapse[SOURCE_WORDS] + first * padded_channels(synapse)
            else:
                m.lengths[length] = collect_level_taps(m, taps, synapse, y, x)
        elif arrival == IMAGE:
            first = first_inside(synapse, y, x)
            if first >= 0:
                m.lengths[length] = INSIDE
                m.taps[taps] = first
            else:
                m.lengths[length] = list_pixels(m, taps, synapse, y, x)


@kernel
def _advance_tile(tile, m, node, worker, place, local, channel):
    """Gather what arrives at one tile of channels of one place, and fire."""
    base = node[BASE] + channel
    if node[CLASSES] >= 0:
        base += np.int64(m.tables[node[CLASSES] + place]) * node[PADDED]
    constant = load(m.numbers, base, tile)  # the same in every step: the bias, and the image
    total = splat32(0, tile)
    for index in range(node[FIRST_SYNAPSE], node[FIRST_SYNAPSE] + node[SYNAPSES]):
        synapse = row_of(m.synapses, index * SYNAPSE_COLUMNS)
        rows, length, taps = _scratch(m, synapse, worker, local)
        count = m.lengths[length]
        if synapse[ARRIVAL] == IMAGE:
            weights = synapse[WEIGHTS] + channel * synapse[ROWS]
            if count == INSIDE:
                pixels = sum_pixels_inside(tile, m, m.taps[taps], synapse, weights)
            else:
                pixels = sum_pixels(tile, m, taps, count, synapse, weights)
            constant = add(constant, shift_left(pixels, synapse[BITS]))
        else:
            arrived = _arrived(tile, m, synapse, place, channel, rows, count, taps)
            total = add(total, arrived)
    total = add(total, multiply(constant, splat32(m.sizes[STEPS], tile)))
    if node[IS_READOUT] != 0:
        scratch = worker * m.sizes[SIZE_CURRENTS]
        store(m.currents, scratch, total)
        for lane in range(lanes_of(tile)):
            target = node[COUNTS] + place * node[PADDED] + channel + lane
            m.gathered[target] = np.int64(m.currents[scratch + lane])
    else:
        _fire(tile, m, node, place, channel, total)


@kernel
def _arrived(tile, m, synapse, place, channel, rows, count, taps):
    """Return what one synapse brings in the whole window, in membrane units."""
    arrival, bits = synapse[ARRIVAL], synapse[BITS]
    weights = synapse[WEIGHTS] + channel * synapse[ROWS]
    limit = products_in_16_bits(m.sizes[STEPS], synapse[LARGEST])
    if arrival == ROWS_8:
        return shift_left(sum_rows_8(tile, m, rows, count, weights, limit), bits)
    if arrival == ROWS_16:
        return shift_left(sum_rows_16(tile, m, rows, count, weights), bits)
    if arrival == DEPTHWISE_8 and count == INSIDE:
        levels = m.taps[taps]
        total = sum_depthwise_inside_8(tile, m, synapse, levels, channel, weights, limit)
        return shift_left(total, bits)
    if arrival == DEPTHWISE_8:
        return shift_left(sum_depthwise_8(tile, m, taps, count, channel, weights, limit), bits)
    if arrival == DEPTHWISE_16:
        return shift_left(sum_depthwise_16(tile, m, taps, count, channel, weights), bits)
    levels = synapse[SOURCE_WORDS] + place * padded_channels(synapse) + channel
    return sum_diagonal(tile, m, levels, synapse[WEIGHTS] + channel)


@kernel
def _fire(tile, m, node, place, channel, total):
    """Write clip(floor(V / theta), lowest, steps)."""
    zero, one = splat32(0, tile), splat32(1, tile)
    highest = splat32(m.sizes[STEPS], tile)
    lowest = subtract(zero, highest) if node[FIRE] == SIGNED else zero
    theta = load(m.numbers, node[THRESHOLD] + channel, tile)
    v = add(total, load(m.numbers, node[INITIAL] + channel, tile))
    inverse = load(m.numbers, node[INVERSE] + channel, tile)
    # right to within one, and then made right by what remains, in integers
    level = bounded_quotient(v, inverse, lowest, highest)
    rest = subtract(v, multiply(level, theta))
    level = add(level, where(at_least(rest, theta), one))
    level = subtract(level, where(below(rest, zero), one))
    level = largest(lowest, least(highest, level))
    store(m.levels, node[WORDS] + place * node[PADDED] + channel, narrow16(level))
    if channel == 0:
        m.activity[node[ACTIVITY] + place] = 0
    m.activity[node[ACTIVITY] + place] += np.int32(absolute_sum(level))
