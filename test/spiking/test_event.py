"""The event engine equals the reference spike for spike."""

from __future__ import annotations

from engine_equality import assert_same_simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

from spiking_retina_ros.spiking.event.engine import EventEngine
from spiking_retina_ros.spiking.reference import ReferenceEngine


@settings(max_examples=100, deadline=None)
@given(networks(), st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(1, 2))
def test_event_equals_reference(drawn, times, threads):
    network, image = drawn
    expected = ReferenceEngine(network).run(image, times, record=True)
    engine = EventEngine(network, threads=threads)
    assert_same_simulation(engine.run(image, times, record=True), expected)
