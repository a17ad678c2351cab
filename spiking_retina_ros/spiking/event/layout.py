"""
Names for the columns of the program: what the kernels read about nodes and synapses.

numba freezes module constants into the machine code, so a row of int64 with named columns is the
cheapest record there is. ``program.py`` writes them, the kernels read them.

Memory. *Places* are numbered row by row. A map's spikes are words of 32 channels, laid out
[place][step][plane][word]; one bit of plane p stands for ``multiplier(p)`` spikes of that channel.
Channels are padded to full words; padded neurons never fire.

In a phased window a neuron's train is known from its *level*, the net number of spikes it sends:
maps then are int16 levels, laid out [place][channel], and take the same room whatever the window.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Memory(NamedTuple):
    """All arrays of one program, flat; rows of the program hold offsets into them."""

    nodes: NDArray[np.int64]  # (nodes, columns)
    synapses: NDArray[np.int64]  # (synapses, columns)
    words: NDArray[np.uint32]  # spikes of the maps that are alive
    levels: NDArray[np.int16]  # the same of a phased window: spikes per neuron
    active: NDArray[np.uint16]  # where levels lie, each place's channels that are not silent,
    active_levels: NDArray[np.int16]  # their levels,
    active_counts: NDArray[np.int32]  # and, per place, how many they are
    image: NDArray[np.int16]  # the input, (C, H, W)
    weights8: NDArray[np.int8]
    weights16: NDArray[np.int16]
    weights64: NDArray[np.int64]  # of the exact, slow path
    numbers: NDArray[np.int32]  # currents, thresholds, initial membranes, diagonals
    numbers64: NDArray[np.int64]
    tables: NDArray[np.int32]  # indices of places
    positions: NDArray[np.uint16]  # table of set bits per byte
    membranes: NDArray[np.int32]  # state between chunks, [place][channel]
    sent: NDArray[np.int16]  # net spikes sent so far, of corrective neurons
    membranes64: NDArray[np.int64]
    counts: NDArray[np.int32]  # running net counts that outputs and pools read
    gathered: NDArray[np.int64]  # what readout populations gathered
    activity: NDArray[np.int32]  # spikes per place in this chunk
    claims: NDArray[np.int64]  # next block of places, per node
    currents: NDArray[np.int32]  # scratch of each thread, as all that follow
    currents64: NDArray[np.int64]
    rows: NDArray[np.uint16]
    values: NDArray[np.int16]  # the level that goes with each entry of rows
    lengths: NDArray[np.int64]
    taps: NDArray[np.int64]
    sizes: NDArray[np.int64]  # this chunk and the scratch, see below


class Kind(IntEnum):
    """What a node of the program does."""

    POPULATION = 0
    READOUT = 1
    WIDE = 2
    MAX_POOL = 3
    UPSAMPLE = 4
    CONCATENATION = 5
    COUNT = 6


class Arrival(IntEnum):
    """How a synapse's spikes become currents."""

    ROWS_8 = 0
    ROWS_16 = 1
    DEPTHWISE_8 = 2
    DEPTHWISE_16 = 3
    DIAGONAL = 4
    IMAGE = 5
    WIDE = 6
    SOURCE = 7  # of a node that is no population


class Fire(IntEnum):
    """Which neurons a population has."""

    UNSIGNED = 0
    CORRECTIVE = 1
    SIGNED = 2


LANES_PER_WORD = 32

# ---- sizes: of this chunk, and of one thread's part of the scratch arrays ------------------------
(
    STEPS,  # of this chunk
    BEFORE,  # steps of the window before it
    LAST,  # whether the window ends with it
    THREADS,
    SIZE_CURRENTS,
    SIZE_CURRENTS64,
    SIZE_ROWS,
    SIZE_LENGTHS,
    SIZE_TAPS,
    SENT_SCRATCH,  # where the scratch in ``sent`` begins
    SIZES,
) = range(11)

# ---- columns of a node -------------------------------------------------------------------------
(
    KIND,
    HEIGHT,
    WIDTH,
    CHANNELS,
    PADDED,  # channels, rounded up to words
    POSITIVE,  # planes of positive spikes
    NEGATIVE,  # planes of negative spikes
    WORDS,  # offset of the spikes, or of the levels
    ACTIVITY,  # offset of the spikes per place
    FIRST_SYNAPSE,
    SYNAPSES,
    FIRE,
    BURST,
    BASE,  # offset of the constant currents, [class of place][channel]
    CLASSES,  # offset of each place's class in tables
    THRESHOLD,
    INITIAL,
    MEMBRANE,
    SENT,
    COUNTS,  # offset of running counts, or of what a readout gathers
    BLOCK,  # places a thread takes at a time
    IS_READOUT,
    INVERSE,  # offset of 1 / threshold, float32 bit for bit
    ROW_TABLE,  # source row of each row, and
    COLUMN_TABLE,  # source column of each column of an upsampled map
    LISTED,  # whether a synapse reads lists of what is active in a phased window
    FARTHEST,  # how far from zero a membrane may be kept between chunks, see ``program``
    NODE_COLUMNS,
) = range(28)

# ---- columns of a synapse ----------------------------------------------------------------------
(
    ARRIVAL,
    SOURCE_HEIGHT,
    SOURCE_WIDTH,
    SOURCE_CHANNELS,
    SOURCE_WORDS,
    SOURCE_ACTIVITY,
    SOURCE_POSITIVE,
    SOURCE_NEGATIVE,
    SOURCE_WIDE_WORDS,  # words of one plane of one step
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    STRIDE_Y,
    STRIDE_X,
    PADDING_Y,
    PADDING_X,
    DILATION_Y,
    DILATION_X,
    GROUPS,
    WEIGHTS,  # offset of the weights
    ROWS,  # weight rows of a tile, the zero row included
    LARGEST,  # the largest magnitude of a weight
    BITS,  # left shift of the sum
    LISTS,  # offset of a thread's lists
    ROOM,  # entries per step in a list
    LENGTHS,  # offset of a thread's list lengths
    TAPS,  # offset of a thread's lists of taps
    TAP_ROOM,  # entries per place in it
    IS_IMAGE,
    SYNAPSE_COLUMNS,
) = range(29)
