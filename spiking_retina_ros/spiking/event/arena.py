"""Shares memory between maps that are never alive at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# In words: maps begin on cache lines of their own.
ALIGNMENT = 16


@dataclass(frozen=True)
class Block:
    """``size`` words that are needed from program step ``first`` to ``last``, both included."""

    size: int
    first: int
    last: int


def allocate(blocks: Sequence[Block]) -> tuple[list[int], int]:
    """
    Return an offset per block and the size of the whole.

    Largest first, each to the lowest place where no block that lives at the same time lies: the
    usual heuristic of inference engines, close to optimal on chains.
    """
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for index in sorted(range(len(blocks)), key=lambda i: -blocks[i].size):
        block = blocks[index]
        rivals = [
            (offsets[i], offsets[i] + blocks[i].size)
            for i in placed
            if blocks[i].first <= block.last and block.first <= blocks[i].last
        ]
        offset = 0
        for begin, end in sorted(rivals):
            if offset + block.size <= begin:
                break
            offset = max(offset, -(-end // ALIGNMENT) * ALIGNMENT)
        offsets[index] = offset
        placed.append(index)
    return offsets, max((offsets[i] + blocks[i].size for i in placed), default=0)
