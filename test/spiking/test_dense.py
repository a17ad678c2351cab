"""The dense engine equals the reference spike for spike."""

from __future__ import annotations

from engine_equality import assert_same_simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

from spiking_retina_ros.spiking.dense import DenseEngine, chunks
from spiking_retina_ros.spiking.reference import ReferenceEngine


@settings(max_examples=60, deadline=None)
@given(networks(), st.lists(st.integers(1, 20), min_size=1, max_size=3))
def test_dense_equals_reference(drawn, times):
    network, image = drawn
    expected = ReferenceEngine(network).run(image, times, record=True)
    assert_same_simulation(DenseEngine(network).run(image, times, record=True), expected)


@given(st.lists(st.integers(1, 100), min_size=1), st.integers(1, 40))
def test_chunks_cover_the_window_and_end_at_every_time(times, longest):
    ordered = tuple(sorted(set(times)))
    pieces = list(chunks(ordered, longest))
    covered = [step for first, last in pieces for step in range(first, last)]
    assert covered == list(range(ordered[-1]))
    assert set(ordered) <= {last for _, last in pieces}
    assert all(last - first <= longest for first, last in pieces)
