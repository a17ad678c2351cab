"""A phased window: every engine agrees, and counts are what rounding the analog values gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from engine_equality import assert_same_simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import network_of, networks

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.dense import DenseEngine
from spiking_retina_ros.spiking.event.engine import EventEngine
from spiking_retina_ros.spiking.network import Window
from spiking_retina_ros.spiking.reference import ReferenceEngine
from spiking_retina_ros.spiking.topology import INPUT, Population, Synapse

PHASED = Window(8, 0, 'phased')


@settings(max_examples=60, deadline=None)
@given(networks(), st.lists(st.integers(1, 16), min_size=1, max_size=3), st.integers(1, 2))
def test_all_engines_agree(drawn, times, threads):
    network, image = drawn
    network = replace(network, window=PHASED)
    expected = ReferenceEngine(network).run(image, times, record=True)
    assert_same_simulation(DenseEngine(network).run(image, times, record=True), expected)
    event = EventEngine(network, threads=threads)
    assert_same_simulation(event.run(image, times, record=True), expected)


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
    image = np.full((1, 1, 1), 2, np.int16)
    with pytest.raises(UserError, match='at most 16 steps, found 17'):
        EventEngine(chain()).run(image, [17])
