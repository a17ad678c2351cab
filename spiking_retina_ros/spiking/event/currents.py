"""
Kernels that add what arrives at one tile of channels of one place to its currents.

Currents are int32, one row of ``lanes`` channels per step, in a thread's scratch memory. A kernel
reads the row of step t at ``start + t * stride`` and writes it at ``origin + t * lanes``: the first
synapse starts from the constant current (stride 0), the others add to what is there.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.vectors import (
    add,
    lanes_of,
    load,
    load_mask,
    multiply,
    shift_left,
    splat16,
    splat32,
    store,
    where,
    widen16,
    widen32,
)

# 256 times the most negative int8 is the most negative int16: so many rows are added up in 16 bits
# before the sum moves on to 32.
ROWS_IN_16_BITS = 256
# Lists are padded with a row of zeros to a multiple of this, so that the loop over them branches
# less; ``add_rows`` is written out for it.
ROWS_AT_ONCE = 4
STEPS_AT_ONCE = 4


@kernel
def add_rows_8(tile, m, origin, start, stride, steps, rows, room, lengths, weights, bits):
    """
    Add the listed rows of int8 weights to the current of each step.

    Step t's list is ``m.rows[rows + t * room :]``, ``m.lengths[lengths + t]`` entries long, a
    multiple of four; row r is ``m.weights8[weights + r * lanes :]``.
    """
    lanes = lanes_of(tile)
    for step in range(steps):
        current = load(m.currents, start + step * stride, tile)
        entry = rows + step * room
        end = entry + m.lengths[lengths + step]
        while entry < end:
            stop = min(end, entry + ROWS_IN_16_BITS)
            narrow = splat16(0, tile)
            while entry < stop:
                narrow = add(narrow, _four_rows_8(tile, m, entry, weights))
                entry += ROWS_AT_ONCE
            current = add(current, shift_left(widen32(narrow), bits))
        store(m.currents, origin + step * lanes, current)


@kernel
def _four_rows_8(tile, m, entry, weights):
    lanes = lanes_of(tile)
    a = widen16(load(m.weights8, weights + np.int64(m.rows[entry]) * lanes, tile))
    b = widen16(load(m.weights8, weights + np.int64(m.rows[entry + 1]) * lanes, tile))
    c = widen16(load(m.weights8, weights + np.int64(m.rows[entry + 2]) * lanes, tile))
    d = widen16(load(m.weights8, weights + np.int64(m.rows[entry + 3]) * lanes, tile))
    return add(add(a, b), add(c, d))


@kernel
def add_rows_16(tile, m, origin, start, stride, steps, rows, room, lengths, weights, bits):
    """Add the listed rows of int16 weights, see ``add_rows_8``; sums have 32 bits."""
    lanes = lanes_of(tile)
    for step in range(steps):
        total = splat32(0, tile)
        entry = rows + step * room
        for index in range(entry, entry + m.lengths[lengths + step]):
            row = weights + np.int64(m.rows[index]) * lanes
            total = add(total, widen32(load(m.weights16, row, tile)))
        current = load(m.currents, start + step * stride, tile)
        store(m.currents, origin + step * lanes, add(current, shift_left(total, bits)))


@kernel
def add_depthwise_8(
    tile, m, origin, start, stride, steps, taps, count, word, step_words, weights, bits
):
    """
    Add the weights of the taps whose mask has a bit, for all channels of the tile at once.

    ``m.taps[taps + 2 k]`` is the offset of tap k's words at the first step, of which the tile's
    begin at ``word``, and ``m.taps[taps + 2 k + 1]`` its row of weights; at most 256 of them.
    """
    lanes = lanes_of(tile)
    step = 0
    while step + STEPS_AT_ONCE <= steps:  # four steps share what is read about a tap
        a = b = c = d = splat16(0, tile)
        for tap in range(taps, taps + 2 * count, 2):
            words = m.taps[tap] + word + step * step_words
            row = widen16(load(m.weights8, weights + m.taps[tap + 1] * lanes, tile))
            a = add(a, where(load_mask(m.words, words, tile), row))
            b = add(b, where(load_mask(m.words, words + step_words, tile), row))
            c = add(c, where(load_mask(m.words, words + 2 * step_words, tile), row))
            d = add(d, where(load_mask(m.words, words + 3 * step_words, tile), row))
        _add_narrow(tile, m, origin + step * lanes, start + step * stride, a, bits)
        _add_narrow(tile, m, origin + (step + 1) * lanes, start + (step + 1) * stride, b, bits)
        _add_narrow(tile, m, origin + (step + 2) * lanes, start + (step + 2) * stride, c, bits)
        _add_narrow(tile, m, origin + (step + 3) * lanes, start + (step + 3) * stride, d, bits)
        step += STEPS_AT_ONCE
    while step < steps:
        narrow = splat16(0, tile)
        for tap in range(taps, taps + 2 * count, 2):
            mask = load_mask(m.words, m.taps[tap] + word + step * step_words, tile)
            row = load(m.weights8, weights + m.taps[tap + 1] * lanes, tile)
            narrow = add(narrow, where(mask, widen16(row)))
        _add_narrow(tile, m, origin + step * lanes, start + step * stride, narrow, bits)
        step += 1


@kernel
def _add_narrow(tile, m, target, start, narrow, bits):
    """Write the current at ``start`` plus a sum of 16 bits to ``target``."""
    current = load(m.currents, start, tile)
    store(m.currents, target, add(current, shift_left(widen32(narrow), bits)))


@kernel
def add_depthwise_16(
    tile, m, origin, start, stride, steps, taps, count, word, step_words, weights, bits
):
    """Add int16 weights in 32 bits, see ``add_depthwise_8``."""
    lanes = lanes_of(tile)
    for step in range(steps):
        total = splat32(0, tile)
        for tap in range(taps, taps + 2 * count, 2):
            mask = load_mask(m.words, m.taps[tap] + word + step * step_words, tile)
            row = load(m.weights16, weights + m.taps[tap + 1] * lanes, tile)
            total = add(total, where(mask, widen32(row)))
        current = load(m.currents, start + step * stride, tile)
        store(m.currents, origin + step * lanes, add(current, shift_left(total, bits)))


@kernel
def add_diagonal(tile, m, origin, start, stride, steps, words, step_words, planes, plane, numbers):
    """
    Add each channel's own weight where its source channel of the same place has a spike.

    Plane p's words are at ``words + t * step_words + p * (words of a plane)``, its weights, in
    membrane units, at ``m.numbers[numbers + p * plane * 32 :]``, where ``plane`` is the number of
    words of a plane.
    """
    lanes = lanes_of(tile)
    for step in range(steps):
        current = load(m.currents, start + step * stride, tile)
        for index in range(planes):
            mask = load_mask(m.words, words + step * step_words + index * plane, tile)
            row = load(m.numbers, numbers + index * plane * 32, tile)
            current = add(current, where(mask, row))
        store(m.currents, origin + step * lanes, current)


@kernel
def add_pixels(tile, m, origin, taps, count, channels, channel_step, weights, bits):
    """
    Add the image's current, the same in every step, to the row at ``origin``.

    ``m.taps[taps + 2 k]`` is tap k's offset in channel 0 of the image, ``m.taps[taps + 2 k + 1]``
    its first row of int16 weights, one per channel; ``channel_step`` is the size of a channel.
    """
    lanes = lanes_of(tile)
    total = splat32(0, tile)
    for tap in range(taps, taps + 2 * count, 2):
        for channel in range(channels):
            pixel = np.int64(m.image[m.taps[tap] + channel * channel_step])
            row = weights + (m.taps[tap + 1] + channel) * lanes
            weight = widen32(load(m.weights16, row, tile))
            total = add(total, multiply(weight, splat32(pixel, tile)))
    store(m.currents, origin, add(load(m.currents, origin, tile), shift_left(total, bits)))
