"""Kernels that look at what surrounds a place: lists of active rows, and which taps lie inside."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.currents import ROWS_AT_ONCE
from spiking_retina_ros.spiking.event.layout import (
    DILATION_X,
    DILATION_Y,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    LANES_PER_WORD,
    PADDING_X,
    PADDING_Y,
    ROOM,
    ROWS,
    SOURCE_ACTIVITY,
    SOURCE_CHANNELS,
    SOURCE_HEIGHT,
    SOURCE_NEGATIVE,
    SOURCE_POSITIVE,
    SOURCE_WIDE_WORDS,
    SOURCE_WIDTH,
    SOURCE_WORDS,
    STEPS,
    STRIDE_X,
    STRIDE_Y,
)
from spiking_retina_ros.spiking.event.vectors import (
    append_by_compression,
    append_by_table,
    fill8,
)


def bit_positions() -> NDArray[np.uint16]:
    """Return the table of ``append_by_table``: uint16 (256 * 8,)."""
    table = np.zeros((256, 8), np.uint16)
    for byte in range(256):
        positions = [bit for bit in range(8) if byte >> bit & 1]
        table[byte, : len(positions)] = positions
    return table.reshape(-1)


@kernel
def source_place(synapse, y, x, tap_y, tap_x):
    """Return the number of the source's place that a tap looks at, or -1 outside."""
    row = y * synapse[STRIDE_Y] - synapse[PADDING_Y] + tap_y * synapse[DILATION_Y]
    column = x * synapse[STRIDE_X] - synapse[PADDING_X] + tap_x * synapse[DILATION_X]
    inside = 0 <= row < synapse[SOURCE_HEIGHT] and 0 <= column < synapse[SOURCE_WIDTH]
    return row * synapse[SOURCE_WIDTH] + column if inside else -1


@kernel
def step_words_of(synapse):
    """Return the words of all planes of one step of one place of the source."""
    planes = synapse[SOURCE_POSITIVE] + synapse[SOURCE_NEGATIVE]
    return planes * synapse[SOURCE_WIDE_WORDS]


@kernel
def collect_taps(m, target, synapse, y, x):
    """
    Write (offset of the words, first row of the weights) of each tap that can bring a spike.

    A tap outside, or at a place that is silent in this chunk, costs nothing from here on. Return
    the number of taps; pair k is at ``m.taps[target + 2 k]``.
    """
    size = step_words_of(synapse)
    steps_of_place = size * m.sizes[STEPS]
    count = 0
    for tap_y in range(synapse[KERNEL_HEIGHT]):
        for tap_x in range(synapse[KERNEL_WIDTH]):
            place = source_place(synapse, y, x, tap_y, tap_x)
            if place >= 0 and m.activity[synapse[SOURCE_ACTIVITY] + place] != 0:
                tap = tap_y * synapse[KERNEL_WIDTH] + tap_x
                m.taps[target + 2 * count] = synapse[SOURCE_WORDS] + place * steps_of_place
                m.taps[target + 2 * count + 1] = tap * size * LANES_PER_WORD
                count += 1
    return count


@kernel
def list_rows(compress, m, rows, lengths, taps, synapse, y, x, gather):
    """
    List the weight rows that the spikes around a place address, step by step.

    Row = tap * (bits of a step) + bit. Step t's list is at ``m.rows[rows + t * room :]``, its
    length at ``m.lengths[lengths + t]``; with ``gather`` all steps share the first list. Lists are
    padded to full groups with the row of zeros.
    """
    size = step_words_of(synapse)
    count = collect_taps(m, taps, synapse, y, x)
    start, zero = rows, synapse[ROWS] - 1
    end = start
    for step in range(m.sizes[STEPS]):
        if not gather:
            start = rows + step * synapse[ROOM]
            end = start
        for tap in range(taps, taps + 2 * count, 2):
            words = m.taps[tap] + step * size
            end = _list_bits(compress, m, end, words, size, m.taps[tap + 1])
        if not gather:
            m.lengths[lengths + step] = _pad(m, start, end, zero)
    if gather:
        m.lengths[lengths] = _pad(m, start, end, zero)


@kernel
def _list_bits(compress, m, end, words, size, first):
    """Append the positions of the set bits of ``size`` words."""
    if compress:
        for word in range(size):
            end += append_by_compression(m.rows, end, m.words, words + word, first + 32 * word)
    else:
        for byte in range(4 * size):
            end += append_by_table(
                m.rows, end, m.positions, m.words, 4 * words + byte, first + 8 * byte
            )
    return end


@kernel
def _pad(m, start, end, zero):
    fill8(m.rows, end, zero)
    return (end - start + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE * ROWS_AT_ONCE


@kernel
def list_depthwise(m, taps, synapse, y, x):
    """
    Write (offset of a plane's words, row of weights) of each tap and plane of a depthwise kernel.

    Return how many there are.
    """
    count = collect_taps(m, taps, synapse, y, x)
    size, plane = step_words_of(synapse), synapse[SOURCE_WIDE_WORDS]
    planes = size // plane
    # in place, from the end, because one tap becomes as many entries as there are planes
    for tap in range(count - 1, -1, -1):
        words = m.taps[taps + 2 * tap]
        row = m.taps[taps + 2 * tap + 1] // (size * LANES_PER_WORD) * planes
        for index in range(planes - 1, -1, -1):
            m.taps[taps + 2 * (tap * planes + index)] = words + index * plane
            m.taps[taps + 2 * (tap * planes + index) + 1] = row + index
    return count * planes


@kernel
def list_pixels(m, taps, synapse, y, x):
    """Write (offset in channel 0 of the image, first row of weights) per tap; return how many."""
    count = 0
    for tap_y in range(synapse[KERNEL_HEIGHT]):
        for tap_x in range(synapse[KERNEL_WIDTH]):
            place = source_place(synapse, y, x, tap_y, tap_x)
            if place >= 0:
                tap = tap_y * synapse[KERNEL_WIDTH] + tap_x
                m.taps[taps + 2 * count] = place
                m.taps[taps + 2 * count + 1] = tap * synapse[SOURCE_CHANNELS]
                count += 1
    return count
