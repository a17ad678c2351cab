"""The event engine equals the reference spike for spike, whatever the network and the window."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_equality import assert_same_simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks, pointwise

from spiking_retina_ros.spiking.event.engine import EventEngine
from spiking_retina_ros.spiking.event.kernels import Kernels
from spiking_retina_ros.spiking.reference import ReferenceEngine

ROOT = Path(__file__).resolve().parents[2]
TIMES = st.lists(st.integers(1, 40), min_size=1, max_size=3)


@settings(max_examples=80, deadline=None)
@given(networks(), TIMES, st.integers(1, 2))
def test_event_equals_reference(drawn, times, threads):
    network, image = drawn
    expected = ReferenceEngine(network).run(image, times, record=True)
    engine = EventEngine(network, threads=threads)
    assert_same_simulation(engine.run(image, times, record=True), expected)
    # nothing survives from one frame to the next
    unrecorded = replace(expected, trains={})
    assert_same_simulation(engine.run(image, times), unrecorded)


@settings(max_examples=10, deadline=None)
@given(networks())
def test_lists_without_vector_compression(drawn):
    """What processors without AVX-512 VBMI2 run."""
    network, image = drawn
    engine = EventEngine(network, threads=1)
    engine._kernels = table_kernels()
    expected = ReferenceEngine(network).run(image, [9], record=True)
    assert_same_simulation(engine.run(image, [9], record=True), expected)


@cache
def table_kernels():
    return Kernels(phased=False, compress=False)


def test_sums_of_many_rows_leave_16_bits_in_time():
    """700 channels all firing with the largest weight: 700 * 127 is beyond 16 bits."""
    weights = torch.full((40, 700), 127, dtype=torch.int8)
    weights[1::2] = -128
    network = pointwise(weights, threshold=90_000)
    image = np.full((1, 2, 3), 100, np.int16)
    engine = EventEngine(network)
    assert engine.wide_layers == {}
    expected = ReferenceEngine(network).run(image, [20], record=True)
    assert int(expected.spikes['looking'][0]) == 700 * 6 * 20
    assert_same_simulation(engine.run(image, [20], record=True), expected)


def test_a_layer_beyond_32_bits_is_named_and_still_exact(caplog):
    weights = torch.full((3, 40), 30_000, dtype=torch.int16)
    weights[1] = -30_000
    network = pointwise(weights, bits=10, threshold=2**30)
    image = np.full((1, 2, 3), 100, np.int16)
    with caplog.at_level(logging.INFO):
        engine = EventEngine(network)
    assert list(engine.wide_layers) == ['listening']
    assert 'listening' in caplog.text
    expected = ReferenceEngine(network).run(image, [18], record=True)
    assert_same_simulation(engine.run(image, [18], record=True), expected)


@pytest.mark.parametrize('polarity', ['unsigned', 'corrective', 'signed'])
def test_membranes_beyond_32_bits_are_cut_off_without_changing_a_spike(polarity):
    """300 steps of up to 40 * 30_000 * 8 pass 2**31 either way."""
    weights = torch.full((3, 40), 30_000, dtype=torch.int16)
    weights[1] = -30_000
    weights[2, ::2] = -30_000
    network = pointwise(weights, bits=3, threshold=2**20, polarity=polarity)
    image = np.array([[[100, 60, 10], [-100, 3, 99]]], np.int16)
    engine = EventEngine(network)
    times = [200, 300]
    expected = ReferenceEngine(network).run(image, times, record=True)
    assert_same_simulation(engine.run(image, times, record=True), expected)
    assert engine.wide_layers == {}
    assert 300 * 40 * 30_000 * 8 > 2**31


def test_another_size_and_a_longer_window_plan_anew_once_and_say_so(caplog):
    network = pointwise(torch.tensor([[50, -20], [7, 90]], dtype=torch.int8))
    engine, reference = EventEngine(network), ReferenceEngine(network)
    rng = np.random.default_rng(0)
    other = rng.integers(-100, 100, (1, 5, 4)).astype(np.int16)
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            assert_same_simulation(engine.run(other, [7]), reference.run(other, [7]))
    assert caplog.text.count('planning anew') == 1
    assert '5 x 4 instead of 2 x 3' in caplog.text
    assert_same_simulation(engine.run(other, [300]), reference.run(other, [300]))
    assert caplog.text.count('planning anew') <= 2


def test_an_image_of_the_wrong_kind_is_refused():
    engine = EventEngine(pointwise(torch.tensor([[1]], dtype=torch.int8)))
    with pytest.raises(ValueError, match='int16'):
        engine.run(np.zeros((1, 2, 3), np.float32), [1])


@pytest.mark.slow
def test_cold_compilation_stays_within_its_budget(tmp_path):
    """In processor seconds, so that a busy machine does not matter: a minute at most."""
    code = (
        'from spiking_retina_ros.spiking.event.kernels import load_kernels;'
        'import numpy as np; load_kernels(phased=True)._driver(np.zeros(7, np.int64), 0, 0, 0)'
    )
    environment = {**os.environ, 'NUMBA_CACHE_DIR': str(tmp_path)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 60
    assert any(tmp_path.rglob('*.nbi'))
