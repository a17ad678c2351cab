"""
Kernels that turn a tile's currents into spikes: the neurons of ``spiking.neurons`` on vectors.

All steps of a chunk at one place, membranes in registers. ``words`` is the offset of plane 0 at the
first step, ``step_words`` and ``plane`` the distances to the next step and the next plane. Each
returns how many spikes were sent.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201

from __future__ import annotations

from spiking_retina_ros.spiking.event.compiling import kernel
from spiking_retina_ros.spiking.event.vectors import (
    add,
    add_where,
    at_least,
    below,
    both,
    exclusive,
    least,
    load,
    multiply,
    narrow16,
    shift_left,
    splat16,
    splat32,
    store,
    store_mask,
    subtract,
    subtract_where,
    where,
    widen32,
)


@kernel
def fire_unsigned(tile, m, start, stride, steps, threshold, membrane, words, step_words):
    """Equation (3): one spike where V >= theta. ``membrane`` is an offset into ``m.currents``."""
    theta = load(m.numbers, threshold, tile)
    v = load(m.currents, membrane, tile)
    spikes = 0
    for step in range(steps):
        v = add(v, load(m.currents, start + step * stride, tile))
        up = at_least(v, theta)
        v = subtract_where(v, up, theta)
        spikes += store_mask(m.words, words + step * step_words, up)
    store(m.currents, membrane, v)
    return spikes


@kernel
def fire_signed(tile, m, start, stride, steps, threshold, membrane, words, step_words, plane):
    """One negative spike also, where V < 0."""
    theta = load(m.numbers, threshold, tile)
    v = load(m.currents, membrane, tile)
    zero = splat32(0, tile)
    spikes = 0
    for step in range(steps):
        v = add(v, load(m.currents, start + step * stride, tile))
        up, down = at_least(v, theta), below(v, zero)
        v = add_where(subtract_where(v, up, theta), down, theta)
        spikes += store_mask(m.words, words + step * step_words, up)
        spikes += store_mask(m.words, words + step * step_words + plane, down)
    store(m.currents, membrane, v)
    return spikes


@kernel
def fire_corrective(
    tile, m, start, stride, steps, threshold, membrane, words, step_words, plane, sent
):
    """
    One negative spike only while more positive ones were sent; ``sent`` indexes ``m.sent``.

    ``lowest`` is 0 where more were sent and the lowest number elsewhere, so that one comparison
    decides: masks that have to be combined cost more than all the rest.
    """
    theta = load(m.numbers, threshold, tile)
    v = load(m.currents, membrane, tile)
    n = widen32(load(m.sent, sent, tile))
    one, sign = splat32(1, tile), splat32(-(2**31), tile)
    spikes = 0
    for step in range(steps):
        lowest = exclusive(shift_left(least(n, one), 31), sign)
        v = add(v, load(m.currents, start + step * stride, tile))
        up, down = at_least(v, theta), below(v, lowest)
        v = add_where(subtract_where(v, up, theta), down, theta)
        n = subtract_where(add_where(n, up, one), down, one)
        spikes += store_mask(m.words, words + step * step_words, up)
        spikes += store_mask(m.words, words + step * step_words + plane, down)
    store(m.currents, membrane, v)
    store(m.sent, sent, narrow16(n))
    return spikes


@kernel
def fire_burst(
    tile,
    m,
    start,
    stride,
    steps,
    threshold,
    membrane,
    words,
    step_words,
    plane,
    sent,
    fire,
    burst,
    before,
):
    """
    Send a few spikes per step: s = clip(floor(V / theta), lowest, highest), without a division.

    ``fire`` is 0 for unsigned, 1 for corrective and 2 for signed neurons, ``before`` the number of
    steps before this chunk. Negative planes follow the positive ones.
    """
    theta = load(m.numbers, threshold, tile)
    v = load(m.currents, membrane, tile)
    n = load(m.sent, sent, tile)
    zero, one, one16 = splat32(0, tile), splat32(1, tile), splat16(1, tile)
    planes = plane_count(burst)
    spikes = 0
    for step in range(steps):
        time = before + step + 1
        v = add(v, load(m.currents, start + step * stride, tile))
        up, down, earlier = zero, zero, n
        level, lower = theta, zero
        for size in range(1, burst + 1):
            # the size-th spike of this step: V >= size * theta, and highest >= size
            high = both(at_least(v, level), below(earlier, splat16(time - size + 1, tile)))
            up = add(up, where(high, one))
            n = add(n, where(high, one16))
            if fire != 0:
                # floor(V / theta) <= -size, and lowest <= -size
                fewest = size - 1 if fire == 1 else size - 1 - time
                low = both(below(v, lower), below(splat16(fewest, tile), earlier))
                down = add(down, where(low, one))
                n = subtract(n, where(low, one16))
                lower = subtract(lower, theta)
            level = add(level, theta)
        v = subtract(v, multiply(subtract(up, down), theta))
        here = words + step * step_words
        spikes += store_planes(tile, m, up, here, plane, planes)
        if fire != 0:
            spikes += store_planes(tile, m, down, here + planes * plane, plane, planes)
    store(m.currents, membrane, v)
    store(m.sent, sent, n)
    return spikes


@kernel
def plane_count(largest):
    """Return how many bit planes hold numbers up to ``largest``."""
    planes = 0
    while largest >> planes:
        planes += 1
    return planes


@kernel
def store_planes(tile, m, numbers, words, plane, planes):
    """Write non-negative int32 numbers as bit planes; return their sum."""
    total = 0
    zero = splat32(0, tile)
    for bit in range(planes):
        mask = below(zero, both(numbers, splat32(1 << bit, tile)))
        total += store_mask(m.words, words + bit * plane, mask) << bit
    return total
