"""Turns a network and an input size into the arrays that the kernels run on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from spiking_retina_ros.spiking.event import layout as at
from spiking_retina_ros.spiking.event import packing
from spiking_retina_ros.spiking.event.arena import Block, allocate
from spiking_retina_ros.spiking.event.currents import ROWS_IN_16_BITS
from spiking_retina_ros.spiking.event.layout import Arrival, Fire, Kind, Memory
from spiking_retina_ros.spiking.event.memory import addresses
from spiking_retina_ros.spiking.event.packing import IntArray, Planes
from spiking_retina_ros.spiking.event.places import bit_positions
from spiking_retina_ros.spiking.plan import Plan, nearest_indices
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Node,
    Population,
    Synapse,
    UpsampleLike,
)

# Steps that go through a layer together. More would amortise the lists of taps and the constant
# currents better, fewer keep the largest maps in the last-level cache.
CHUNK = 16
LARGEST_INT32 = 2**31 - 1
# Entries of lists that a block of places may fill: about half of a second-level cache.
LIST_ENTRIES = 2**17
LONGEST_BLOCK = 16
BLOCKS_PER_THREAD = 8


@dataclass(frozen=True)
class Item:
    """One row of the program: a node of the topology, or the counting of one's spikes."""

    name: str
    node: Node
    counts: bool = False

    @property
    def sources(self) -> list[str]:
        """Return the maps this item reads."""
        if self.counts:
            return [self.node.source] if isinstance(self.node, MaxPool) else [self.node.name]
        if isinstance(self.node, UpsampleLike):
            return [self.node.source]
        return [name for name in self.node.sources if name != INPUT]


@dataclass
class _Pool:
    """A flat array that grows by what is appended to it."""

    dtype: type[np.generic]
    parts: list[NDArray[np.generic]] = field(default_factory=list)
    size: int = 0

    def append(self, values: IntArray) -> int:
        """Append values, on a cache line of their own; return where they begin."""
        offset = self.size
        flat = np.asarray(values).reshape(-1).astype(self.dtype)
        missing = -len(flat) % 64
        self.parts += [flat, np.zeros(missing, self.dtype)]
        self.size += len(flat) + missing
        return offset

    def array(self) -> NDArray:
        """Return everything; never empty, so that its address is one."""
        return np.concatenate([*self.parts, np.zeros(64, self.dtype)])


@dataclass(frozen=True)
class Program:
    """
    A network compiled for one input size and windows of up to ``longest`` steps.

    ``phased`` programs pass levels from map to map, the others packed spikes; see ``layout``.

    ``rows`` are the rows of nodes by name, ``wide`` are the populations on the slow path and why,
    ``table`` holds the addresses of the memory's arrays.
    """

    plan: Plan
    memory: Memory
    items: tuple[Item, ...]
    longest: int
    phased: bool
    rows: dict[str, int]
    wide: dict[str, str]
    table: NDArray[np.int64]

    def traffic(self, index: int, steps: int) -> int:
        """Return the bytes an item reads and writes in a window: spikes in and out, weights."""
        node = self.memory.nodes[index]
        # two bytes of a level, or a bit per plane and step
        bits = 16 if self.phased else steps
        planes = int(node[at.POSITIVE] + node[at.NEGATIVE])
        spikes = int(node[at.HEIGHT] * node[at.WIDTH] * node[at.PADDED]) * planes
        weights = 0
        first = int(node[at.FIRST_SYNAPSE])
        for synapse in self.memory.synapses[first : first + int(node[at.SYNAPSES])]:
            places = int(synapse[at.SOURCE_HEIGHT] * synapse[at.SOURCE_WIDTH])
            planes = int(synapse[at.SOURCE_POSITIVE] + synapse[at.SOURCE_NEGATIVE])
            words = int(synapse[at.SOURCE_WIDE_WORDS]) * planes
            spikes += places * words * at.LANES_PER_WORD
            narrow = synapse[at.ARRIVAL] in (Arrival.ROWS_8, Arrival.DEPTHWISE_8)
            weights += int(synapse[at.ROWS] * node[at.PADDED]) * (1 if narrow else 2)
        return spikes * bits // 8 + weights


class ProgramBuilder:
    """Builds a Program: numbers into pools, rows of offsets, then the arena and the scratch."""

    def __init__(self, plan: Plan, *, threads: int, longest: int) -> None:
        self.plan, self.threads, self.longest = plan, threads, longest
        self.network, self.topology = plan.network, plan.network.topology
        self.phased = plan.network.window.schedule == 'phased'
        # a phased window goes through a layer as a whole
        self.chunk = 1 if self.phased else CHUNK
        self.items = tuple(self._items())
        self.nodes = np.zeros((len(self.items), at.NODE_COLUMNS), np.int64)
        self.synapses: list[NDArray[np.int64]] = []
        self.planes: dict[str, Planes] = {}
        self.rows: dict[str, int] = {}
        self.wide: dict[str, str] = {}
        self.pools = {
            'weights8': _Pool(np.int8),
            'weights16': _Pool(np.int16),
            'weights64': _Pool(np.int64),
            'numbers': _Pool(np.int32),
            'numbers64': _Pool(np.int64),
            'tables': _Pool(np.int32),
        }
        self.sizes = {'membranes': 0, 'sent': 0, 'membranes64': 0, 'counts': 0, 'gathered': 0}
        self.scratch = np.zeros(at.SIZES, np.int64)
        self._packed: dict[tuple[object, ...], int] = {}

    def build(self) -> Program:
        """Return the program."""
        self._place_maps()
        for index, item in enumerate(self.items):
            self._write(index, item)
        memory = self._memory()
        return Program(
            self.plan,
            memory,
            self.items,
            self.longest,
            self.phased,
            self.rows,
            self.wide,
            addresses(memory),
        )

    def find_wide(self) -> dict[str, str]:
        """Return the populations whose sums outgrow 32 bits in the longest window, and why."""
        reasons = {p.name: self._outgrows(p) for p in self.topology.populations}
        return {name: reason for name, reason in reasons.items() if reason}

    # ---- maps ------------------------------------------------------------------------------------

    def _items(self) -> list[Item]:
        items = []
        for node in self.topology.nodes:
            items.append(Item(node.name, node))
            if isinstance(node, MaxPool) and not self.phased:
                items.append(Item(f'{node.name}.pooled', node, counts=True))
            if node.name in self.topology.outputs and not is_readout(node):
                items.append(Item(f'{node.name}.counts', node, counts=True))
        return items

    def _place_maps(self) -> None:
        """Find planes and offsets of all maps of spikes and write them to their rows."""
        last_use = {name: i for i, item in enumerate(self.items) for name in item.sources}
        blocks, owners, activity = [], [], 0
        for index, item in enumerate(self.items):
            if item.counts:
                continue
            self.rows[item.name] = index
            row = self.nodes[index]
            channels, height, width = self.plan.shapes[item.name]
            row[at.HEIGHT], row[at.WIDTH], row[at.CHANNELS] = height, width, channels
            row[at.PADDED] = packing.padded(channels)
            if is_readout(item.node):
                continue
            planes = self.planes[item.name] = self._planes_of(item.node)
            row[at.POSITIVE], row[at.NEGATIVE] = planes.positive, planes.negative
            row[at.ACTIVITY] = activity
            # on cache lines of their own, as blocks of 16 places then are: two threads that count
            # on one line take it from each other at every place
            activity += -(-height * width // 16) * 16
            words = row[at.PADDED] // at.LANES_PER_WORD * len(planes.multipliers)
            size = int(height * width * words) * CHUNK
            if self.phased:
                size = int(height * width * row[at.PADDED])
            blocks.append(Block(size, index, max(index, last_use.get(item.name, index))))
            owners.append(index)
        offsets, self.arena_size = allocate(blocks)
        self.nodes[owners, at.WORDS] = offsets
        self.activity_size = activity

    def _planes_of(self, node: Node) -> Planes:
        if self.phased:
            return Planes(1, 0)  # a level stands for itself, sign included
        if isinstance(node, Population):
            positive = node.burst.bit_length()
            return Planes(positive, 0 if node.polarity == 'unsigned' else positive)
        if isinstance(node, MaxPool | UpsampleLike):
            return self.planes[node.source]
        sources = [self.planes[name] for name in node.inputs]
        positive = max(planes.positive for planes in sources)
        return Planes(positive, positive if any(planes.negative for planes in sources) else 0)

    # ---- rows ------------------------------------------------------------------------------------

    def _write(self, index: int, item: Item) -> None:
        row, node = self.nodes[index], item.node
        row[at.FIRST_SYNAPSE] = len(self.synapses)
        row[at.CLASSES] = row[at.SENT] = -1
        row[at.BLOCK] = self._block(row, LONGEST_BLOCK)
        if item.counts:
            self.rows[item.name] = index
            self._write_count(row, item)
        elif isinstance(node, Population):
            self._write_population(row, node)
        else:
            self._write_routing(row, node)
        row[at.SYNAPSES] = len(self.synapses) - row[at.FIRST_SYNAPSE]

    def _block(self, row: NDArray[np.int64], longest: int) -> int:
        """Return how many places a thread takes at a time; all threads shall have work."""
        places = int(row[at.HEIGHT] * row[at.WIDTH])
        return max(1, min(longest, places // (BLOCKS_PER_THREAD * self.threads)))

    def _source_row(self, source: str) -> NDArray[np.int64]:
        """Return a synapse row that describes its source and a kernel of one tap."""
        row = np.zeros(at.SYNAPSE_COLUMNS, np.int64)
        channels, height, width = self.plan.shapes[source]
        row[at.SOURCE_CHANNELS], row[at.SOURCE_HEIGHT], row[at.SOURCE_WIDTH] = (
            channels,
            height,
            width,
        )
        for column in (
            at.KERNEL_HEIGHT,
            at.KERNEL_WIDTH,
            at.STRIDE_Y,
            at.STRIDE_X,
            at.DILATION_Y,
            at.DILATION_X,
            at.GROUPS,
        ):
            row[column] = 1
        row[at.IS_IMAGE] = source == INPUT
        row[at.ARRIVAL] = Arrival.SOURCE
        if source != INPUT:
            node = self.nodes[self.rows[source]]
            row[at.SOURCE_WORDS] = node[at.WORDS]
            row[at.SOURCE_ACTIVITY] = node[at.ACTIVITY]
            row[at.SOURCE_POSITIVE] = node[at.POSITIVE]
            row[at.SOURCE_NEGATIVE] = node[at.NEGATIVE]
            row[at.SOURCE_WIDE_WORDS] = node[at.PADDED] // at.LANES_PER_WORD
        return row

    def _write_count(self, row: NDArray[np.int64], item: Item) -> None:
        source = item.sources[0]
        channels, height, width = self.plan.shapes[source]
        row[at.KIND] = Kind.COUNT
        row[at.HEIGHT], row[at.WIDTH], row[at.CHANNELS] = height, width, channels
        row[at.PADDED] = packing.padded(channels)
        row[at.BLOCK] = self._block(row, LONGEST_BLOCK)
        if isinstance(item.node, MaxPool) and source == item.node.source:
            row[at.COUNTS] = self.nodes[self.rows[item.node.name], at.COUNTS]
        else:
            row[at.COUNTS] = self._reserve('counts', height * width * packing.padded(channels))
        self.synapses.append(self._source_row(source))

    def _write_routing(self, row: NDArray[np.int64], node: Node) -> None:
        if isinstance(node, MaxPool):
            row[at.KIND] = Kind.MAX_POOL
            synapse = self._source_row(node.source)
            synapse[at.KERNEL_HEIGHT], synapse[at.KERNEL_WIDTH] = node.kernel
            synapse[at.STRIDE_Y], synapse[at.STRIDE_X] = node.stride
            synapse[at.PADDING_Y], synapse[at.PADDING_X] = node.padding
            if not self.phased:
                channels, height, width = self.plan.shapes[node.source]
                row[at.COUNTS] = self._reserve('counts', height * width * packing.padded(channels))
                self._need(at.SIZE_CURRENTS, node.kernel[0] * node.kernel[1] * at.LANES_PER_WORD)
            self.synapses.append(synapse)
        elif isinstance(node, UpsampleLike):
            row[at.KIND] = Kind.UPSAMPLE
            for column, axis in ((at.ROW_TABLE, 1), (at.COLUMN_TABLE, 2)):
                extent = self.plan.shapes[node.source][axis], self.plan.shapes[node.name][axis]
                row[column] = self.pools['tables'].append(nearest_indices(*extent).numpy())
            self.synapses.append(self._source_row(node.source))
        else:
            assert isinstance(node, Concatenation)
            row[at.KIND] = Kind.CONCATENATION
            self.synapses += [self._source_row(name) for name in node.inputs]

    def _write_population(self, row: NDArray[np.int64], node: Population) -> None:
        fire = {'unsigned': Fire.UNSIGNED, 'corrective': Fire.CORRECTIVE, 'signed': Fire.SIGNED}
        row[at.FIRE], row[at.BURST] = fire[node.polarity], node.burst
        row[at.IS_READOUT] = node.readout
        places = int(row[at.HEIGHT] * row[at.WIDTH])
        if node.readout:
            row[at.COUNTS] = self._reserve('gathered', places * int(row[at.PADDED]))
        arrivals = [self._arrival(node, synapse) for synapse in node.synapses]
        if reason := self._too_wide(node, arrivals):
            self.wide[node.name] = reason
            self._write_wide(row, node)
            return
        row[at.KIND] = Kind.READOUT if node.readout else Kind.POPULATION
        row[at.BASE], row[at.CLASSES] = self._constant(node, 'numbers')
        # the image first: its current belongs to the constant one, from which the others start
        pairs = zip(arrivals, node.synapses, strict=True)
        for arrival, synapse in sorted(pairs, key=lambda pair: pair[1].source != INPUT):
            assert arrival is not None
            self.synapses.append(self._synapse_row(node, synapse, *arrival))
        self._plan_scratch(row)
        if not node.readout:
            largest = LARGEST_INT32 // node.burst
            row[at.THRESHOLD] = self._parameter(node, 'threshold', fill=largest)
            row[at.INITIAL] = self._parameter(node, 'initial', fill=0)
            if self.phased:
                row[at.INVERSE] = self._inverse(node)
                return
            row[at.MEMBRANE] = self._reserve('membranes', places * int(row[at.PADDED]))
            farthest = self._farthest(node)
            assert farthest is not None
            row[at.FARTHEST] = farthest
            if node.polarity == 'corrective' or node.burst > 1:
                row[at.SENT] = self._reserve('sent', places * int(row[at.PADDED]))

    def _parameter(self, node: Population, name: str, *, fill: int) -> int:
        values = self.network.parameter(node, name).to(torch.int64).numpy()
        return self.pools['numbers'].append(packing.pad_channels(values, fill))

    def _inverse(self, node: Population) -> int:
        """Write 1 / threshold, as the bits of float32 numbers."""
        threshold = self.network.parameter(node, 'threshold').double().numpy()
        bits = (1 / threshold).astype(np.float32).view(np.int32).astype(np.int64)
        return self.pools['numbers'].append(packing.pad_channels(bits))

    def _reserve(self, name: str, size: int) -> int:
        offset = self.sizes[name]
        self.sizes[name] += size
        return offset

    def _constant(self, node: Population, pool: str) -> tuple[int, int]:
        """Write the bias currents, one row per class of places; return offsets (rows, classes)."""
        bias = self.plan.biases[node.name].numpy()
        rows = bias.reshape(len(bias), -1).T
        classes = -1
        if len(rows) > 1:
            rows, inverse = np.unique(rows, axis=0, return_inverse=True)
            classes = self.pools['tables'].append(inverse.reshape(-1))
        if pool == 'numbers':
            rows = packing.pad_channels(rows)
        return self.pools[pool].append(rows), classes

    # ---- synapses --------------------------------------------------------------------------------

    def _arrival(self, node: Population, synapse: Synapse) -> tuple[Arrival, IntArray] | None:
        """Return the fast way for this synapse and its rows of weights, or None."""
        weight = self.network.weight(synapse)
        channels = self.plan.shapes[synapse.source][0]
        if synapse.source == INPUT:
            rows = packing.image_rows(weight)
            return (Arrival.IMAGE, rows) if synapse.groups == 1 and _16(rows) else None
        planes = self.planes[synapse.source]
        if synapse.diagonal:
            rows = packing.diagonal_rows(weight, planes)
            plain = synapse.stride == (1, 1) and synapse.padding == (0, 0)
            return (Arrival.DIAGONAL, rows) if plain and packing.fits(rows, np.int32) else None
        if synapse.groups == 1:
            rows = packing.convolution_rows(weight, planes)
            if len(rows) > np.iinfo(np.uint16).max or not _16(rows):
                return None
            return (Arrival.ROWS_8 if _8(rows) else Arrival.ROWS_16), rows
        if synapse.groups == channels == len(weight):
            rows = packing.depthwise_rows(weight, planes)
            if len(rows) > ROWS_IN_16_BITS or not _16(rows):
                return None
            return (Arrival.DEPTHWISE_8 if _8(rows) else Arrival.DEPTHWISE_16), rows
        return None

    def _too_wide(
        self, node: Population, arrivals: list[tuple[Arrival, IntArray] | None]
    ) -> str | None:
        """Return why a population cannot be simulated in 32 bits, or None when it can."""
        if None in arrivals:
            return 'a grouped convolution, or weights that do not fit 16 bits'
        fast = {Arrival.ROWS_8, Arrival.ROWS_16, Arrival.IMAGE}
        if (
            node.readout
            and not self.phased
            and any(a is not None and a[0] not in fast for a in arrivals)
        ):
            return 'a readout of something else than convolutions'
        return self._outgrows(node)

    def _outgrows(self, node: Population) -> str | None:
        """Return how a population's sums outgrow 32 bits, or None when they do not."""
        if node.readout:
            most = (self.longest if self.phased else CHUNK) * self.plan.current_bounds[node.name]
        else:
            # phased, a neuron's level is bounded by the steps, whatever its burst
            if (1 if self.phased else node.burst) * self.longest > np.iinfo(np.int16).max:
                return f'more than {np.iinfo(np.int16).max} spikes in a window'
            most = self._most(node)
            if most > LARGEST_INT32 and not self.phased and self._farthest(node) is not None:
                return None
        if most > LARGEST_INT32:
            return f'sums up to {most} in a window of {self.longest} steps'
        return None

    def _most(self, node: Population) -> int:
        """Return a bound of the magnitude of a population's membranes in the longest window."""
        current = self.plan.current_bounds[node.name]
        return self._start(node) + (self.longest + 1) * current

    def _start(self, node: Population) -> int:
        initial = self.network.parameter(node, 'initial').long()
        return max(int(initial.abs().max()), self._spike(node))

    def _spike(self, node: Population) -> int:
        return node.burst * int(self.network.parameter(node, 'threshold').long().max())

    def _farthest(self, node: Population) -> int | None:
        """
        Return F, to which membranes are cut off between chunks so that the next one fits 32 bits.

        That changes no spike: with v the most that a membrane moves in a step, it takes F / v steps
        to get there, and from F as many to where it matters by how much it was beyond. A window
        of less than 2 F / v steps ends before, whatever the membrane's sign. None where the longest
        window does not.
        """
        if self._most(node) <= LARGEST_INT32:
            return LARGEST_INT32
        current, spike = self.plan.current_bounds[node.name], self._spike(node)
        farthest = LARGEST_INT32 - (CHUNK + 1) * current
        reach = self._start(node) + spike + self.longest * (current + spike)
        return farthest if reach <= 2 * farthest else None

    def _synapse_row(
        self, node: Population, synapse: Synapse, arrival: Arrival, rows: IntArray
    ) -> NDArray[np.int64]:
        row = self._geometry(synapse)
        row[at.ARRIVAL] = arrival
        row[at.BITS] = 0 if synapse.diagonal else self.network.fraction_bits(node)
        row[at.ROWS] = len(rows)
        row[at.LARGEST] = np.abs(rows).max(initial=0)
        if self.phased and arrival in (Arrival.ROWS_8, Arrival.ROWS_16):
            self.nodes[self.rows[synapse.source], at.LISTED] = 1
        narrow = arrival in (Arrival.ROWS_8, Arrival.DEPTHWISE_8)
        pool = 'weights8' if narrow else 'weights16'
        values = rows if arrival == Arrival.DIAGONAL else packing.tiled(rows)
        if arrival == Arrival.DIAGONAL:
            pool = 'numbers'
        planes = self.planes.get(synapse.source)
        key = (synapse.weight, arrival, planes)
        if key not in self._packed:
            self._packed[key] = self.pools[pool].append(values)
        row[at.WEIGHTS] = self._packed[key]
        return row

    def _geometry(self, synapse: Synapse) -> NDArray[np.int64]:
        row = self._source_row(synapse.source)
        row[at.KERNEL_HEIGHT], row[at.KERNEL_WIDTH] = self.network.weight(synapse).shape[2:]
        row[at.STRIDE_Y], row[at.STRIDE_X] = synapse.stride
        row[at.PADDING_Y], row[at.PADDING_X] = synapse.padding
        row[at.DILATION_Y], row[at.DILATION_X] = synapse.dilation
        row[at.GROUPS] = synapse.groups
        return row

    def _plan_scratch(self, row: NDArray[np.int64]) -> None:
        """Choose the block of a population and lay its synapses' lists out for it."""
        synapses = self.synapses[row[at.FIRST_SYNAPSE] :]
        listed = [s for s in synapses if s[at.ARRIVAL] in (Arrival.ROWS_8, Arrival.ROWS_16)]
        for synapse in listed:
            # the last write of a list may reach over its end, by a word's bits and the padding
            synapse[at.ROOM] = synapse[at.ROWS] + at.LANES_PER_WORD + 8
        entries = self.chunk * sum(int(synapse[at.ROOM]) for synapse in listed)
        longest = max(1, min(LONGEST_BLOCK, LIST_ENTRIES // max(entries, 1)))
        block = int(row[at.BLOCK])
        row[at.BLOCK] = block = min(block, longest)
        rows = lengths = taps = 0
        for synapse in synapses:
            synapse[at.LISTS], synapse[at.LENGTHS], synapse[at.TAPS] = rows, lengths, taps
            planes = max(1, int(synapse[at.SOURCE_POSITIVE] + synapse[at.SOURCE_NEGATIVE]))
            kernel = int(synapse[at.KERNEL_HEIGHT] * synapse[at.KERNEL_WIDTH])
            synapse[at.TAP_ROOM] = 2 * kernel * planes
            rows += block * self.chunk * int(synapse[at.ROOM])
            lengths += block * self.chunk
            taps += block * int(synapse[at.TAP_ROOM])
        self._need(at.SIZE_ROWS, rows)
        self._need(at.SIZE_LENGTHS, lengths)
        self._need(at.SIZE_TAPS, taps)

    def _write_wide(self, row: NDArray[np.int64], node: Population) -> None:
        row[at.KIND] = Kind.WIDE
        row[at.BASE], row[at.CLASSES] = self._constant(node, 'numbers64')
        for name, column in (('threshold', at.THRESHOLD), ('initial', at.INITIAL)):
            values = self.network.parameter(node, name).to(torch.int64).numpy()
            row[column] = self.pools['numbers64'].append(values)
        if not self.phased:
            row[at.MEMBRANE] = self._reserve(
                'membranes64', 2 * int(row[at.HEIGHT] * row[at.WIDTH] * row[at.CHANNELS])
            )
        self._need(at.SIZE_CURRENTS64, int(row[at.CHANNELS]))
        for synapse in node.synapses:
            synapse_row = self._geometry(synapse)
            synapse_row[at.ARRIVAL] = Arrival.WIDE
            synapse_row[at.BITS] = 0 if synapse.diagonal else self.network.fraction_bits(node)
            weights = packing.wide_rows(self.network.weight(synapse), synapse.groups)
            synapse_row[at.WEIGHTS] = self.pools['weights64'].append(weights)
            self.synapses.append(synapse_row)

    # ---- memory ----------------------------------------------------------------------------------

    def _need(self, column: int, size: int) -> None:
        """Make a thread's part of a scratch array at least so large, in whole cache lines."""
        self.scratch[column] = max(int(self.scratch[column]), -(-size // 64) * 64)

    def _memory(self) -> Memory:
        self._need(at.SIZE_CURRENTS, (CHUNK + 2) * 2 * at.LANES_PER_WORD)
        self.scratch[at.THREADS] = self.threads
        self.scratch[at.SENT_SCRATCH] = self.sizes['sent']
        per_thread = {
            'currents': np.int32,
            'currents64': np.int64,
            'rows': np.uint16,
            'values': np.int16,
            'lengths': np.int64,
            'taps': np.int64,
        }
        columns = {
            'currents': at.SIZE_CURRENTS,
            'currents64': at.SIZE_CURRENTS64,
            'rows': at.SIZE_ROWS,
            'values': at.SIZE_ROWS,
            'lengths': at.SIZE_LENGTHS,
            'taps': at.SIZE_TAPS,
        }
        channels, height, width = self.plan.shapes[INPUT]
        sent = self.sizes['sent'] + self.threads * 2 * at.LANES_PER_WORD
        levels = self.arena_size if self.phased else 0
        synapses = self.synapses or [np.zeros(at.SYNAPSE_COLUMNS, np.int64)]
        # filled, not only reserved: what a long window would touch is touched now, so that memory
        # does not depend on the window
        return Memory(
            nodes=self.nodes,
            synapses=np.stack(synapses),
            words=_filled(0 if self.phased else self.arena_size, np.uint32),
            levels=_filled(levels, np.int16),
            active=_filled(levels, np.uint16),
            active_levels=_filled(levels, np.int16),
            active_counts=_filled(self.activity_size if self.phased else 0, np.int32),
            image=_filled(channels * height * width, np.int16),
            positions=bit_positions(),
            membranes=_filled(self.sizes['membranes'], np.int32),
            sent=_filled(sent, np.int16),
            membranes64=_filled(self.sizes['membranes64'], np.int64),
            counts=_filled(self.sizes['counts'], np.int32),
            gathered=_filled(self.sizes['gathered'], np.int64),
            activity=_filled(self.activity_size, np.int32),
            claims=_filled(len(self.items), np.int64),
            sizes=self.scratch,
            **{name: pool.array() for name, pool in self.pools.items()},
            **{
                name: _filled(self.threads * int(self.scratch[columns[name]]), dtype)
                for name, dtype in per_thread.items()
            },
        )


def is_readout(node: Node) -> bool:
    """Return whether this node gathers current instead of spiking."""
    return isinstance(node, Population) and node.readout


def _filled(size: int, dtype: type) -> NDArray:
    """Return zeros that begin on a cache line and end in another."""
    item = np.dtype(dtype).itemsize
    memory = np.empty(size * item + 128, np.uint8)
    start = -memory.ctypes.data % 64
    array: NDArray = memory[start : start + size * item + 64].view(dtype)
    array.fill(0)
    return array


def _8(rows: IntArray) -> bool:
    return packing.fits(rows, np.int8)


def _16(rows: IntArray) -> bool:
    return packing.fits(rows, np.int16)
