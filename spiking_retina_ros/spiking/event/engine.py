"""The event engine: runs a compiled program, chunk by chunk, and reads the results out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import Tensor

from spiking_retina_ros.spiking.dense import chunks
from spiking_retina_ros.spiking.engine import (
    Simulation,
    check_times,
    input_tensor,
    run_each,
)
from spiking_retina_ros.spiking.event import layout as at
from spiking_retina_ros.spiking.event.kernels import load_kernels
from spiking_retina_ros.spiking.event.program import CHUNK, Program, ProgramBuilder, is_readout
from spiking_retina_ros.spiking.event.tallies import Tallies
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork
from spiking_retina_ros.spiking.phased import train_of
from spiking_retina_ros.spiking.plan import make_plan
from spiking_retina_ros.spiking.topology import Population

LOGGER = logging.getLogger(__name__)

# Windows up to this share one program, unless membranes would outgrow 32 bits in so long a one.
USUAL_LONGEST = 256

# numba's thread pools must not be entered from two Python threads at once, and all cores are busy
# with one frame anyway.
_RUNNING = threading.Lock()


@dataclass(frozen=True)
class LayerTime:
    """
    What one item of the program took in one run.

    ``traffic`` is how many bytes must pass through it at least: spikes in and out, and weights.
    """

    name: str
    milliseconds: float
    traffic: int


class EventEngine:
    """
    Computes only where spikes are; gives the same integers as every other engine.

    ``threads`` is the number of processor cores to use, all of them by default. The kernels are
    compiled, or loaded from the cache, and the network's own input size is planned when the engine
    is made. A program belongs to one engine, so two cameras should have an engine each.
    """

    name = 'event'

    def __init__(self, network: SpikingNetwork, *, threads: int | None = None) -> None:
        self.network = network
        available = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        self.threads = available if threads is None else max(1, min(threads, available))
        begin = time.perf_counter()
        self._kernels = load_kernels(phased=network.window.schedule == 'phased')
        self._program: Program = self._prepare(
            network.preprocessing.input_size, network.window.steps
        )
        with _RUNNING:
            self._start(np.zeros((0,), np.int16))
            self._kernels.run(self._program, 0, 0)
        LOGGER.info(
            'event engine ready in %.1f s: %d threads, %d steps of the program',
            time.perf_counter() - begin,
            self.threads,
            len(self._program.items),
        )

    def run(self, image: IntegerImage, times: Sequence[int], *, record: bool = False) -> Simulation:
        """Simulate, see ``Engine.run``."""
        times = check_times(times)
        input_tensor(self.network, image)
        with _RUNNING:
            self._ensure((image.shape[1], image.shape[2]), times[-1])
            if self._program.phased:
                return run_each(
                    lambda steps: self._simulate(
                        image, (steps,), record=record and steps == times[-1]
                    ),
                    times,
                )
            return self._simulate(image, times, record=record)

    def profile(self, image: IntegerImage, steps: int) -> list[LayerTime]:
        """Run one window and return what each item of the program took, in order."""
        with _RUNNING:
            self._ensure((image.shape[1], image.shape[2]), steps)
            self._start(image)
            taken = np.zeros(len(self._program.items))
            for first, last in self._chunks((steps,)):
                self._set_chunk(first, last, steps)
                for index in range(len(taken)):
                    begin = time.perf_counter()
                    self._kernels.run(self._program, index, index + 1)
                    taken[index] += time.perf_counter() - begin
        return [
            LayerTime(item.name, 1e3 * float(taken[index]), self._program.traffic(index, steps))
            for index, item in enumerate(self._program.items)
        ]

    @property
    def wide_layers(self) -> dict[str, str]:
        """Return the populations on the slow path of 64 bits, and why they are."""
        return dict(self._program.wide)

    # ---- programs --------------------------------------------------------------------------------

    def _prepare(self, size: tuple[int, int], steps: int) -> Program:
        """Plan for an input size and windows of at least so many steps."""
        plan = make_plan(self.network, size)
        builder = ProgramBuilder(plan, threads=self.threads, longest=max(steps, USUAL_LONGEST))
        if builder.find_wide() and steps < USUAL_LONGEST:
            builder = ProgramBuilder(plan, threads=self.threads, longest=steps)
        program = builder.build()
        for name, reason in program.wide.items():
            LOGGER.info('%s takes the slow path of 64 bits: %s', name, reason)
        self._tallies = Tallies.of(program)
        return program

    def _ensure(self, size: tuple[int, int], steps: int) -> None:
        """Plan anew when the image or the window needs it, and say so."""
        planned = self._program.plan.input_size
        if planned != size:
            LOGGER.info(
                'input is %d x %d instead of %d x %d (height x width): planning anew',
                *size,
                *planned,
            )
        elif steps > self._program.longest:
            LOGGER.info('window of %d steps: planning anew', steps)
        else:
            return
        del self._program  # before the next one needs as much memory
        try:
            self._program = self._prepare(size, steps)
        except Exception:  # such as a size too small for the network: the engine stays usable
            self._program = self._prepare(planned, steps)
            raise

    # ---- one window ------------------------------------------------------------------------------

    def _start(self, image: IntegerImage) -> None:
        """Forget the frame before and look at a new one."""
        numba.set_num_threads(self.threads)
        memory = self._program.memory
        memory.image[: image.size] = image.reshape(-1)
        memory.counts.fill(0)
        memory.gathered.fill(0)

    def _chunks(self, times: tuple[int, ...]) -> list[tuple[int, int]]:
        """Return the parts of a window; a phased one goes through each layer as a whole."""
        return [(0, times[-1])] if self._program.phased else list(chunks(times, CHUNK))

    def _set_chunk(self, first: int, last: int, end: int) -> None:
        sizes = self._program.memory.sizes
        sizes[at.STEPS], sizes[at.BEFORE], sizes[at.LAST] = last - first, first, last == end

    def _simulate(self, image: IntegerImage, times: tuple[int, ...], *, record: bool) -> Simulation:
        self._start(image)
        topology = self.network.topology
        spikes = {p.name: 0 for p in topology.populations if not p.readout}
        operations = {p.name: 0 for p in topology.populations}
        readings: list[tuple[dict[str, Tensor], dict[str, int], dict[str, int]]] = []
        trains: dict[str, list[Tensor]] = {}
        for first, last in self._chunks(times):
            self._set_chunk(first, last, times[-1])
            self._run_chunk(trains if record else None)
            self._tallies.add_to(spikes, operations, self._program.memory.activity)
            if last in times:
                outputs = {name: self._read(name) for name in topology.outputs}
                readings.append((outputs, dict(spikes), dict(operations)))
        return Simulation(
            times,
            {name: torch.stack([r[0][name] for r in readings]) for name in topology.outputs},
            {name: torch.tensor([r[1][name] for r in readings]) for name in spikes},
            {name: torch.tensor([r[2][name] for r in readings]) for name in operations},
            {name: torch.cat(parts) for name, parts in trains.items()},
        )

    def _run_chunk(self, trains: dict[str, list[Tensor]] | None) -> None:
        """Run the program; with ``trains`` node by node, unpacking spikes before they are gone."""
        program = self._program
        if trains is None:
            self._kernels.run(program, 0, len(program.items))
            return
        for index, item in enumerate(program.items):
            self._kernels.run(program, index, index + 1)
            if not item.counts and not is_readout(item.node):
                trains.setdefault(item.name, []).append(self._unpack(item.name))

    def _read(self, name: str) -> Tensor:
        """Return an output so far: int64 (C, H, W)."""
        node = self.network.topology[name]
        readout = isinstance(node, Population) and node.readout
        memory = self._program.memory
        row = memory.nodes[self._program.rows[name if readout else f'{name}.counts']]
        source = memory.gathered if readout else memory.counts
        channels, height, width = self._program.plan.shapes[name]
        flat = source[row[at.COUNTS] :][: height * width * row[at.PADDED]]
        values = flat.reshape(height, width, row[at.PADDED])[:, :, :channels]
        return torch.from_numpy(values.transpose(2, 0, 1).astype(np.int64))

    def _unpack(self, name: str) -> Tensor:
        """Return this chunk's spikes of a node: int8 (steps, C, H, W)."""
        memory = self._program.memory
        row, steps = memory.nodes[self._program.rows[name]], int(memory.sizes[at.STEPS])
        channels, height, width = self._program.plan.shapes[name]
        if self._program.phased:
            levels = memory.levels[row[at.WORDS] :][: height * width * row[at.PADDED]]
            levels = levels.reshape(height, width, row[at.PADDED])[:, :, :channels]
            return train_of(torch.from_numpy(levels.transpose(2, 0, 1).astype(np.float32)), steps)
        planes, words = row[at.POSITIVE] + row[at.NEGATIVE], row[at.PADDED] // at.LANES_PER_WORD
        flat = memory.words[row[at.WORDS] :][: height * width * steps * planes * words]
        bits = np.unpackbits(flat.astype('<u4').view(np.uint8), bitorder='little')
        bits = bits.reshape(height, width, steps, planes, row[at.PADDED])
        spikes = np.zeros((height, width, steps, row[at.PADDED]), np.int8)
        for plane in range(planes):
            negative = plane - int(row[at.POSITIVE])
            worth = 1 << plane if negative < 0 else -(1 << negative)
            spikes += np.int8(worth) * bits[:, :, :, plane].astype(np.int8)
        return torch.from_numpy(spikes[..., :channels].transpose(2, 3, 0, 1).copy())
