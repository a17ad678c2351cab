"""What cannot be a network is refused when it is made, and json brings it back as it was."""

import json

import pytest
import torch
from random_networks import network_of

from spiking_retina_ros.spiking.plan import make_plan
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Population,
    Synapse,
    Topology,
    UpsampleLike,
)

FIRST = Population('first', 'first', (Synapse(INPUT, 'w', padding=(1, 1)),), 'relu', 6.0)
READOUT = Population('read', 'read', (Synapse('first', 'v'),), readout=True)


def test_json_round_trip():
    nodes = (
        FIRST,
        MaxPool('pool', 'first', (3, 3), (2, 2), (1, 1)),
        UpsampleLike('up', 'pool', 'first'),
        Concatenation('cat', ('first', 'up')),
        READOUT,
    )
    topology = Topology(nodes, ('read',), 4)
    assert Topology.from_dict(json.loads(json.dumps(topology.as_dict()))) == topology


@pytest.mark.parametrize(
    ('nodes', 'outputs', 'words'),
    [
        ((READOUT, FIRST), ('read',), r"unknown are \['first'\]"),
        ((FIRST, FIRST), ('first',), 'expected a new name'),
        ((FIRST,), ('second',), r"unknown are \['second'\]"),
        ((FIRST, READOUT), ('first',), r"expected every readout among the outputs, \['read'\]"),
    ],
)
def test_what_is_no_network_is_refused(nodes, outputs, words):
    with pytest.raises(ValueError, match=words):
        Topology(nodes, outputs)


def test_json_of_something_else_is_refused():
    with pytest.raises(ValueError, match="found 'Dropout'"):
        Topology.from_dict({'input_channels': 3, 'outputs': [], 'nodes': [{'kind': 'Dropout'}]})


@pytest.mark.parametrize(('threshold', 'initial'), [(4, 4), (0, -1)])
def test_a_membrane_that_starts_at_its_threshold_is_refused(threshold, initial):
    node = Population('first', 'first', (Synapse(INPUT, 'w'),))
    one = torch.ones(2, dtype=torch.int32)
    tensors = {
        'w': torch.ones(2, 1, 1, 1, dtype=torch.int8),
        'first.bias': one,
        'first.threshold': torch.tensor([8, threshold], dtype=torch.int32),
        'first.initial': torch.tensor([4, initial], dtype=torch.int32),
        'first.fraction_bits': torch.tensor(0, dtype=torch.int32),
    }
    network = network_of([node], ['first'], tensors, 1, (2, 2))
    with pytest.raises(ValueError, match=f'found {threshold} and {initial} in channel 1'):
        make_plan(network, (2, 2))
