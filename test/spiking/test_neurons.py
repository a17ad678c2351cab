"""The neurons equal the equations of the paper, written out as a loop over integers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spiking_retina_ros.spiking.neurons import integrate_and_fire


def loop(current, threshold, initial, polarity, burst):
    """Equations (1) to (3) for one neuron in plain integers."""
    membrane, sent, spikes = int(initial), 0, []
    for step, z in enumerate(current.tolist(), start=1):
        membrane += z
        spike = membrane // threshold
        lowest = {
            'unsigned': 0,
            'signed': -min(burst, step + sent),
            'corrective': -min(burst, sent),
        }[polarity]
        spike = max(lowest, min(burst, step - sent, spike))
        membrane -= threshold * spike
        sent += spike
        spikes.append(spike)
    return spikes


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(['unsigned', 'corrective', 'signed']),
    st.sampled_from([1, 1, 2, 5]),
    st.sampled_from([1, 4, 1000]),
    st.integers(1, 60),
)
def test_neurons_follow_the_equations(seed, polarity, burst, grid, steps):
    """Currents and thresholds on a common grid hit thresholds exactly, again and again."""
    rng = np.random.default_rng(seed)
    neurons = 40
    threshold = rng.integers(1, 9, neurons) * grid
    currents = rng.integers(-6, 10, (steps, neurons)) * grid
    # below the threshold: snnTorch takes one that is not for a spike already sent
    initial = np.minimum(rng.integers(-8, 9, neurons) * grid, threshold - grid)
    neuron = integrate_and_fire(
        torch.from_numpy(threshold).double(), polarity=polarity, burst=burst
    )
    membrane, trains = torch.from_numpy(initial).double(), []
    for current in torch.from_numpy(currents).double():
        spikes, membrane = neuron(current, membrane)
        trains.append(spikes.long())
    found = torch.stack(trains, 1).tolist()
    expected = [
        loop(currents[:, i], int(threshold[i]), initial[i], polarity, burst) for i in range(neurons)
    ]
    assert found == expected


@pytest.mark.parametrize(('polarity', 'expected'), [('unsigned', [1, 0, 1]), ('signed', [1, 0, 1])])
def test_an_exact_hit_fires_in_the_same_step(polarity, expected):
    neuron = integrate_and_fire(torch.tensor(2.0).double(), polarity=polarity, burst=1)
    membrane, found = torch.tensor(1.0).double(), []
    for _ in range(3):
        spikes, membrane = neuron(torch.tensor(1.0).double(), membrane)
        found.append(int(spikes))
    assert found == expected
