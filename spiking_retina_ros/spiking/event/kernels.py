"""
The compiled entry: runs nodes of a program on all cores, without the interpreter.

numba optimises everything below a function again at each level of calls, so the three workers are
compiled by themselves as C functions and called by address: half the time to compile.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from numba import cfunc, njit, prange, types

from spiking_retina_ros.spiking.event.layout import KIND, NODE_COLUMNS, THREADS
from spiking_retina_ros.spiking.event.level_population import work_level_population
from spiking_retina_ros.spiking.event.level_routing import work_level_routing, work_level_wide
from spiking_retina_ros.spiking.event.memory import call, memory_at
from spiking_retina_ros.spiking.event.population import work_population
from spiking_retina_ros.spiking.event.program import Program
from spiking_retina_ros.spiking.event.routing import work_routing
from spiking_retina_ros.spiking.event.wide import work_wide

LOGGER = logging.getLogger(__name__)

WORKER = types.void(types.int64, types.int64, types.int64)


def compresses() -> bool:
    """Return whether this processor, which numba compiles for, can compress vectors."""
    features = llvmlite.binding.get_host_cpu_features()
    return numba.config.CPU_NAME is None and bool(features.get('avx512vbmi2', False))


def fingerprint() -> str:
    """Return a hash of all kernel sources: numba itself only notices changes of one file."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob('*.py')):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cached(compile_: Callable[..., Any]) -> Any:
    """Call ``compile_(cache=True)``, or without where no folder can be written."""
    try:
        return compile_(cache=True)
    except RuntimeError as error:
        LOGGER.warning('machine code cannot be cached and is compiled at every start: %s', error)
        return compile_(cache=False)


def compile_workers(*, compress: bool, phased: bool) -> tuple[Any, ...]:
    """
    Return the C functions (table, node, worker) of populations, of the slow path and of the rest.

    What is closed over, the hash of the sources too, is part of the cache's key.
    """
    version = fingerprint()

    def spikes(table, index, worker):
        _ = version
        work_population(compress, memory_at(table), index, worker)

    def wide_spikes(table, index, worker):
        _ = version
        work_wide(memory_at(table), index, worker)

    def spike_routing(table, index, worker):
        _ = version
        work_routing(memory_at(table), index, worker)

    def levels(table, index, worker):
        _ = version
        work_level_population(compress, memory_at(table), index, worker)

    def wide_levels(table, index, worker):
        _ = version
        work_level_wide(compress, memory_at(table), index, worker)

    def level_routing(table, index, worker):
        _ = version
        work_level_routing(compress, memory_at(table), index, worker)

    if phased:
        functions = (levels, wide_levels, level_routing)
    else:
        functions = (spikes, wide_spikes, spike_routing)
    return tuple(
        _cached(lambda cache, function=function: cfunc(WORKER, cache=cache)(function))
        for function in functions
    )


def _compile_driver() -> Any:
    version = fingerprint()

    def run_nodes(workers, table, first, last):
        _ = version
        m = memory_at(table)
        for index in range(first, last):
            worker_function = workers[m.nodes[index * NODE_COLUMNS + KIND]]
            for worker in prange(m.sizes[THREADS]):
                call(worker_function, table, index, worker)

    return _cached(lambda cache: njit(parallel=True, nogil=True, cache=cache)(run_nodes))


@functools.cache
def load_kernels(*, phased: bool) -> Kernels:
    """Return this process's kernels for this processor and a schedule."""
    return Kernels(phased=phased)


class Kernels:
    """The machine code: made, or loaded from the cache, when an instance is."""

    def __init__(self, *, phased: bool, compress: bool | None = None) -> None:
        native = compresses() if compress is None else compress
        self._functions = compile_workers(compress=native, phased=phased)
        population, wide, routing = self._functions
        by_kind = [population, population, wide, routing, routing, routing, routing]
        self._workers = np.array([function.address for function in by_kind], np.int64)
        self._driver = _compile_driver()

    def run(self, program: Program, first: int, last: int) -> None:
        """Run the items ``first`` to ``last - 1`` of a program through the present chunk."""
        # here, because numba drops such an assignment from a parallel function
        program.memory.claims[first:last] = 0
        self._driver(self._workers, program.table.ctypes.data, first, last)
