"""What it means that two engines agree: every integer they report is the same."""

from __future__ import annotations

import torch

from spiking_retina_ros.spiking.engine import Simulation


def assert_same_simulation(found: Simulation, expected: Simulation) -> None:
    assert found.times == expected.times
    for part in ('trains', 'outputs', 'spikes', 'synaptic_operations'):
        ours, theirs = getattr(found, part), getattr(expected, part)
        assert ours.keys() == theirs.keys(), part
        for name, values in theirs.items():
            assert ours[name].dtype == values.dtype, (part, name)
            assert torch.equal(ours[name], values), f'{part} of {name} differ'
