"""A phased window: every engine agrees, and counts are what rounding the analog values gives."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from engine_equality import assert_same_simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import network_of, networks, pointwise

from spiking_retina_ros.spiking.dense import DenseEngine
from spiking_retina_ros.spiking.event.engine import EventEngine
from spiking_retina_ros.spiking.event.kernels import Kernels
from spiking_retina_ros.spiking.network import Window
from spiking_retina_ros.spiking.reference import ReferenceEngine
from spiking_retina_ros.spiking.topology import INPUT, Population, Synapse

PHASED = Window(8, 0, 'phased')
# Beyond 64 steps products of levels and weights leave 16 bits one by one, beyond 258 at once.
WINDOWS = st.one_of(st.integers(1, 20), st.sampled_from([64, 100, 260]))


@settings(max_examples=60, deadline=None)
@given(networks(), st.lists(WINDOWS, min_size=1, max_size=3), st.integers(1, 2))
def test_all_engines_agree(drawn, times, threads):
    network, image = drawn
    network = replace(network, window=PHASED)
    expected = ReferenceEngine(network).run(image, times, record=True)
    assert_same_simulation(DenseEngine(network).run(image, times, record=True), expected)
    event = EventEngine(network, threads=threads)
    assert_same_simulation(event.run(image, times, record=True), expected)


@settings(max_examples=10, deadline=None)
@given(networks())
def test_lists_without_vector_compression(drawn):
    """What processors without AVX-512 VBMI2 run."""
    network, image = drawn
    network = replace(network, window=PHASED)
    engine = EventEngine(network, threads=1)
    engine._kernels = kernels_without_compression()
    expected = ReferenceEngine(network).run(image, [9], record=True)
    assert_same_simulation(engine.run(image, [9], record=True), expected)


@cache
def kernels_without_compression():
    return Kernels(phased=True, compress=False)


def test_a_layer_beyond_32_bits_is_exact_in_a_phased_window():
    weights = torch.full((3, 40), 30_000, dtype=torch.int16)
    weights[1] = -30_000
    network = replace(pointwise(weights, bits=10, threshold=2**30), window=PHASED)
    image = np.full((1, 2, 3), 100, np.int16)
    engine = EventEngine(network)
    assert list(engine.wide_layers) == ['listening']
    expected = ReferenceEngine(network).run(image, [18], record=True)
    assert_same_simulation(engine.run(image, [18], record=True), expected)


@pytest.mark.parametrize('threshold', [1, 3, 2**20, 2**30])
def test_levels_are_exact_where_a_membrane_meets_its_threshold(threshold):
    """The quotient is estimated in float32: off by one, it would show at multiples of theta."""
    weights = torch.tensor([[1], [-1], [3], [7]], dtype=torch.int8)
    network = replace(pointwise(weights, threshold=threshold), window=PHASED)
    for pixel in (-100, -1, 1, 2, 33, 100):
        image = np.full((1, 2, 3), pixel, np.int16)
        expected = ReferenceEngine(network).run(image, [8, 250], record=True)
        assert_same_simulation(EventEngine(network).run(image, [8, 250], record=True), expected)


def chain():
    """Two populations of one neuron: the first sends a third of the time, the second negates it."""
    nodes = [
        Population('first', 'first', (Synapse(INPUT, 'a'),), 'relu'),
        Population('second', 'second', (Synapse('first', 'b'),), 'linear', polarity='signed'),
    ]
    one = torch.ones(1, dtype=torch.int32)
    tensors = {
        'a': torch.ones(1, 1, 1, 1, dtype=torch.int8),
        'b': -torch.ones(1, 1, 1, 1, dtype=torch.int8),
    }
    for layer, threshold in (('first', 6), ('second', 1)):
        tensors |= {
            f'{layer}.bias': one * 0,
            f'{layer}.threshold': one * threshold,
            f'{layer}.initial': one * (threshold // 2),
            f'{layer}.fraction_bits': torch.tensor(0, dtype=torch.int32),
        }
    network = network_of(nodes, ['second'], tensors, 1, (1, 1))
    return replace(network, window=PHASED)


def test_spikes_come_first_and_their_number_is_rounded():
    network, image = chain(), np.full((1, 1, 1), 2, np.int16)
    found = ReferenceEngine(network).run(image, [8], record=True)
    # 8 steps of 2 / 6 are 2.67 spikes, rounded to 3
    assert found.trains['first'].flatten().tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert found.outputs['second'].flatten().tolist() == [-3]
    assert int(found.spikes['first'][0]) == 3
    assert int(found.synaptic_operations['second'][0]) == 3


def test_windows_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match='no transient, found 2 steps'):
        Window(8, 2, 'phased')
    with pytest.raises(ValueError, match="'concurrent' or 'phased', found 'both'"):
        Window(8, 0, 'both')
