"""
Kernels of a phased window that add up what arrives: lists of active neurons and their levels.

A neuron that is silent in the whole window is in no list. One that sends n spikes adds its row of
weights n times: one multiplication by n, because in a phased window a layer gathers everything
before it answers, and a sum does not depend on its order.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.layout import (
    DILATION_X,
    DILATION_Y,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    PADDING_X,
    PADDING_Y,
    SOURCE_ACTIVITY,
    SOURCE_CHANNELS,
    SOURCE_HEIGHT,
    SOURCE_WIDTH,
    SOURCE_WORDS,
    STRIDE_X,
    STRIDE_Y,
)
from spiking_retina_ros.spiking.event.level_lists import ENTRIES_AT_ONCE, padded_channels
from spiking_retina_ros.spiking.event.places import source_place
from spiking_retina_ros.spiking.event.vectors import (
    add,
    lanes_of,
    load,
    multiply,
    splat16,
    splat32,
    widen16,
    widen32,
)

LARGEST_INT16 = 2**15 - 1


@kernel
def collect_level_taps(m, target, synapse, y, x):
    """
    Write (offset of the levels, tap) of each tap that lies inside and can bring a spike.

    Return the number of taps; pair k is at ``m.taps[target + 2 k]``.
    """
    channels, count = padded_channels(synapse), 0
    for tap_y in range(synapse[KERNEL_HEIGHT]):
        for tap_x in range(synapse[KERNEL_WIDTH]):
            place = source_place(synapse, y, x, tap_y, tap_x)
            if place >= 0 and m.activity[synapse[SOURCE_ACTIVITY] + place] != 0:
                m.taps[target + 2 * count] = synapse[SOURCE_WORDS] + place * channels
                m.taps[target + 2 * count + 1] = tap_y * synapse[KERNEL_WIDTH] + tap_x
                count += 1
    return count


@kernel
def first_inside(synapse, y, x):
    """Return the source place of the first tap where all of them lie inside, or -1."""
    top = y * synapse[STRIDE_Y] - synapse[PADDING_Y]
    left = x * synapse[STRIDE_X] - synapse[PADDING_X]
    bottom = top + (synapse[KERNEL_HEIGHT] - 1) * synapse[DILATION_Y]
    right = left + (synapse[KERNEL_WIDTH] - 1) * synapse[DILATION_X]
    inside = top >= 0 and left >= 0
    if inside and bottom < synapse[SOURCE_HEIGHT] and right < synapse[SOURCE_WIDTH]:
        return top * synapse[SOURCE_WIDTH] + left
    return np.int64(-1)


@kernel
def products_in_16_bits(steps, largest):
    """Return how many products of a level and a weight of at most ``largest`` fit into int16."""
    return LARGEST_INT16 // (steps * max(largest, 1))


@kernel
def sum_rows_8(tile, m, rows, count, weights, limit):
    """
    Return the int32 sum of the listed rows of int8 weights times their levels.

    Row r is ``m.weights8[weights + r * lanes :]``; ``limit`` products may be added up in 16 bits.
    """
    total, lanes = splat32(0, tile), lanes_of(tile)
    end, entry = rows + count, rows
    if limit < ENTRIES_AT_ONCE:
        while entry < end:
            row = load(m.weights8, weights + np.int64(m.rows[entry]) * lanes, tile)
            level = splat32(np.int64(m.values[entry]), tile)
            total = add(total, multiply(widen32(row), level))
            entry += 1
        return total
    part = limit // ENTRIES_AT_ONCE * ENTRIES_AT_ONCE
    while entry < end:
        stop = min(end, entry + part)
        narrow = splat16(0, tile)
        while entry < stop:
            a = _product_8(tile, m, entry, weights)
            b = _product_8(tile, m, entry + 1, weights)
            c = _product_8(tile, m, entry + 2, weights)
            d = _product_8(tile, m, entry + 3, weights)
            narrow = add(narrow, add(add(a, b), add(c, d)))
            entry += ENTRIES_AT_ONCE
        total = add(total, widen32(narrow))
    return total


@kernel
def _product_8(tile, m, entry, weights):
    row = load(m.weights8, weights + np.int64(m.rows[entry]) * lanes_of(tile), tile)
    return multiply(widen16(row), splat16(np.int64(m.values[entry]), tile))


@kernel
def sum_rows_16(tile, m, rows, count, weights):
    """Return the sum of rows of int16 weights times their levels, see ``sum_rows_8``."""
    total, lanes = splat32(0, tile), lanes_of(tile)
    for entry in range(rows, rows + count):
        row = load(m.weights16, weights + np.int64(m.rows[entry]) * lanes, tile)
        level = splat32(np.int64(m.values[entry]), tile)
        total = add(total, multiply(widen32(row), level))
    return total


@kernel
def sum_depthwise_8(tile, m, taps, count, channel, weights, limit):
    """
    Return the sum of each channel's levels times its own weights, tap by tap.

    Tap k's levels are at ``m.levels[m.taps[taps + 2 k]:]``, its row of weights is number
    ``m.taps[taps + 2 k + 1]``; ``channel`` is the tile's first.
    """
    total, lanes = splat32(0, tile), lanes_of(tile)
    end, entry = taps + 2 * count, taps
    while entry < end:
        if limit < 1:
            row = load(m.weights8, weights + m.taps[entry + 1] * lanes, tile)
            levels = load(m.levels, m.taps[entry] + channel, tile)
            total = add(total, multiply(widen32(row), widen32(levels)))
            entry += 2
            continue
        stop = min(end, entry + 2 * limit)
        narrow = splat16(0, tile)
        while entry < stop:
            row = load(m.weights8, weights + m.taps[entry + 1] * lanes, tile)
            levels = load(m.levels, m.taps[entry] + channel, tile)
            narrow = add(narrow, multiply(widen16(row), levels))
            entry += 2
        total = add(total, widen32(narrow))
    return total


@kernel
def sum_depthwise_inside_8(tile, m, synapse, levels, channel, weights, limit):
    """
    Return the same where all taps lie inside, without a list; the first tap's levels are given.

    ``limit`` must not be less than the width of the kernel.
    """
    total, lanes, row = splat32(0, tile), lanes_of(tile), weights
    step_x = padded_channels(synapse) * synapse[DILATION_X]
    step_y = padded_channels(synapse) * synapse[DILATION_Y] * synapse[SOURCE_WIDTH]
    room = np.int64(0)
    narrow = splat16(0, tile)
    for tap_y in range(synapse[KERNEL_HEIGHT]):
        if room < synapse[KERNEL_WIDTH]:
            total = add(total, widen32(narrow))
            narrow, room = splat16(0, tile), limit
        start = levels + channel + tap_y * step_y
        for tap_x in range(synapse[KERNEL_WIDTH]):
            level = load(m.levels, start + tap_x * step_x, tile)
            narrow = add(narrow, multiply(widen16(load(m.weights8, row, tile)), level))
            row += lanes
        room -= synapse[KERNEL_WIDTH]
    return add(total, widen32(narrow))


@kernel
def sum_depthwise_16(tile, m, taps, count, channel, weights):
    """Return the same for int16 weights, see ``sum_depthwise_8``."""
    total, lanes = splat32(0, tile), lanes_of(tile)
    for entry in range(taps, taps + 2 * count, 2):
        row = load(m.weights16, weights + m.taps[entry + 1] * lanes, tile)
        levels = load(m.levels, m.taps[entry] + channel, tile)
        total = add(total, multiply(widen32(row), widen32(levels)))
    return total


@kernel
def sum_diagonal(tile, m, levels, numbers):
    """Return the levels at ``m.levels[levels:]`` times each channel's weight, membrane units."""
    return multiply(widen32(load(m.levels, levels, tile)), load(m.numbers, numbers, tile))


@kernel
def sum_pixels(tile, m, taps, count, synapse, weights):
    """
    Return the image's current, the same in every step, from a list of `places.list_pixels`.

    ``m.taps[taps + 2 k]`` is tap k's offset in channel 0 of the image, ``m.taps[taps + 2 k + 1]``
    its first row of int16 weights, one per channel.
    """
    total, lanes = splat32(0, tile), lanes_of(tile)
    size = synapse[SOURCE_HEIGHT] * synapse[SOURCE_WIDTH]
    for entry in range(taps, taps + 2 * count, 2):
        row = weights + m.taps[entry + 1] * lanes
        for channel in range(synapse[SOURCE_CHANNELS]):
            total = add(total, _pixel(tile, m, m.taps[entry] + channel * size, row))
            row += lanes
    return total


@kernel
def sum_pixels_inside(tile, m, first, synapse, weights):
    """Return the same where all taps lie inside; ``first`` is the first tap's offset."""
    total, row = splat32(0, tile), weights
    width = synapse[SOURCE_WIDTH]
    size = synapse[SOURCE_HEIGHT] * width
    for tap_y in range(synapse[KERNEL_HEIGHT]):
        start = first + tap_y * synapse[DILATION_Y] * width
        for tap_x in range(synapse[KERNEL_WIDTH]):
            place = start + tap_x * synapse[DILATION_X]
            for channel in range(synapse[SOURCE_CHANNELS]):
                total = add(total, _pixel(tile, m, place + channel * size, row))
                row += lanes_of(tile)
    return total


@kernel
def _pixel(tile, m, place, row):
    pixel = splat32(np.int64(m.image[place]), tile)
    return multiply(widen32(load(m.weights16, row, tile)), pixel)
