"""What this machine can do at best, measured: the scale for the event engine's figures."""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN002, ANN202

from __future__ import annotations

import time
from dataclasses import dataclass

import numba
import numpy as np
from numba import njit, prange

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.memory import buffer8_at, buffer16_at
from spiking_retina_ros.spiking.event.vectors import (
    add,
    load,
    multiply,
    splat16,
    store,
    tile64,
    widen16,
)

LANES = 64
# Rows of 64 int8: half of a first-level cache, as a tile of weights should be.
ROWS = 256
ROUNDS = 20_000
# Beyond any last-level cache we know.
STREAM_ELEMENTS = 16 * 2**20
REPEATS = 5


@dataclass(frozen=True)
class Peaks:
    """
    Measured limits on a number of threads.

    ``additions`` per second: int8 weights from the first-level cache added to 16 bit sums;
    ``products``: the same, each weight multiplied by a number of 16 bits first.
    ``bandwidth`` in bytes per second: one array read, another written.
    """

    threads: int
    additions: float
    products: float
    bandwidth: float


def measure_peaks(threads: int) -> Peaks:
    """Measure the limits, in about a second; the best of several repeats counts."""
    numba.set_num_threads(threads)
    rows = np.ones((threads, ROWS * LANES), np.int8)
    sums = np.zeros((threads, LANES), np.int16)
    source = np.ones(STREAM_ELEMENTS, np.int64)
    target = np.zeros(STREAM_ELEMENTS, np.int64)
    addresses = rows.ctypes.data, sums.ctypes.data
    for function in (_add_rows, _add_products):
        function(*addresses, threads, 1)
    _copy(source, target)
    adding, multiplying = (
        min(_seconds(function, *addresses, threads, ROUNDS) for _ in range(REPEATS))
        for function in (_add_rows, _add_products)
    )
    copying = min(_seconds(_copy, source, target) for _ in range(REPEATS))
    weights = threads * ROUNDS * ROWS * LANES
    bandwidth = 2 * source.nbytes / copying
    return Peaks(threads, weights / adding, weights / multiplying, bandwidth)


def _seconds(function, *arguments) -> float:
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


@kernel
def _add_tile(rows, sums, rounds):
    first = second = splat16(0, tile64())
    for _ in range(rounds):
        for row in range(0, ROWS * LANES, 4 * LANES):
            a = widen16(load(rows, row, tile64()))
            b = widen16(load(rows, row + LANES, tile64()))
            c = widen16(load(rows, row + 2 * LANES, tile64()))
            d = widen16(load(rows, row + 3 * LANES, tile64()))
            first, second = add(first, add(a, b)), add(second, add(c, d))
        store(sums, 0, add(first, second))  # else the rounds would be one multiplication


@njit(parallel=True, nogil=True, cache=True)
def _add_rows(rows, sums, threads, rounds):
    for unsigned in prange(threads):
        worker = np.int64(unsigned)
        own_rows = buffer8_at(rows + worker * ROWS * LANES)
        _add_tile(own_rows, buffer16_at(sums + worker * 2 * LANES), rounds)


@kernel
def _multiply_tile(rows, sums, rounds):
    first = second = splat16(0, tile64())
    for number in range(rounds):
        level = splat16(number, tile64())
        for row in range(0, ROWS * LANES, 4 * LANES):
            a = multiply(widen16(load(rows, row, tile64())), level)
            b = multiply(widen16(load(rows, row + LANES, tile64())), level)
            c = multiply(widen16(load(rows, row + 2 * LANES, tile64())), level)
            d = multiply(widen16(load(rows, row + 3 * LANES, tile64())), level)
            first, second = add(first, add(a, b)), add(second, add(c, d))
        store(sums, 0, add(first, second))


@njit(parallel=True, nogil=True, cache=True)
def _add_products(rows, sums, threads, rounds):
    for unsigned in prange(threads):
        worker = np.int64(unsigned)
        own_rows = buffer8_at(rows + worker * ROWS * LANES)
        _multiply_tile(own_rows, buffer16_at(sums + worker * 2 * LANES), rounds)


@njit(parallel=True, nogil=True, cache=True)
def _copy(source, target):
    for index in prange(len(source)):
        target[index] = source[index]
