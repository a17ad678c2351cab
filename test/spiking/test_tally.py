"""Synaptic operations, counted one weight at a time."""

from __future__ import annotations

from hypothesis import given, settings
from random_networks import networks

from spiking_retina_ros.spiking.reference import ReferenceEngine
from spiking_retina_ros.spiking.topology import INPUT


def operations_of(network, population, train, target):
    """Walk over every spike, every tap and every output channel the tap reaches."""
    total = 0
    for synapse in population.synapses:
        if synapse.source == INPUT:
            continue
        weight = network.weight(synapse)
        for _, _, y, x in train[synapse.source].nonzero().tolist():
            for tap_y in range(weight.shape[2]):
                for tap_x in range(weight.shape[3]):
                    row = y + synapse.padding[0] - tap_y * synapse.dilation[0]
                    column = x + synapse.padding[1] - tap_x * synapse.dilation[1]
                    if row % synapse.stride[0] or column % synapse.stride[1]:
                        continue
                    row, column = row // synapse.stride[0], column // synapse.stride[1]
                    if 0 <= row < target[0] and 0 <= column < target[1]:
                        total += weight.shape[0] // synapse.groups
    return total


def size_of(network, population, found, image):
    """Return (height, width) of a population's map, from what it sent or gathered."""
    if population.name in found.trains:
        return found.trains[population.name].shape[2:]
    return found.outputs[population.name].shape[2:]


@settings(max_examples=15, deadline=None)
@given(networks(nodes=3))
def test_operations_are_weights_added_because_of_spikes(drawn):
    network, image = drawn
    image = image[:, :5, :5]
    try:
        found = ReferenceEngine(network).run(image, [1, 2], record=True)
    except ValueError:  # drawn for a larger image
        return
    for population in network.topology.populations:
        target = size_of(network, population, found, image)
        # a step's operations come from spikes of several magnitudes: count magnitudes one by one
        total = 0
        largest = max((int(t.abs().max()) for t in found.trains.values()), default=0)
        for magnitude in range(1, largest + 1):
            units = {name: t.abs() >= magnitude for name, t in found.trains.items()}
            total += operations_of(network, population, units, target)
        assert int(found.synaptic_operations[population.name][-1]) == total
        if not population.readout:
            sent = found.trains[population.name].abs()
            assert found.spikes[population.name].tolist() == [
                int(sent[:1].sum()),
                int(sent.sum()),
            ]
