"""The benchmark measures, counts right, and writes the keys that others read."""

import json
from dataclasses import replace

import pytest
from small_detector import analog_network, converted, photographs

from spiking_retina_ros.commands import benchmark as command
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.benchmark import Timing, layer_costs, run_benchmark
from spiking_retina_ros.spiking.engine import make_engine
from spiking_retina_ros.spiking.event.peaks import Peaks
from spiking_retina_ros.spiking.network import Window


@pytest.fixture(scope='module')
def network():
    return converted(analog_network()).network


def test_report_has_the_promised_keys_and_true_counts(network):
    pictures = photographs(1)
    report = run_benchmark(
        network,
        analog_network(),
        pictures,
        steps=[4, 16],
        engines=['reference', 'event'],
        threads=1,
        rounds=2,
    )
    values = json.loads(json.dumps(report.as_dict()))
    assert values['steps'] == 16
    assert values['threads'] == 1
    assert [window['steps'] for window in values['windows']] == [4, 16]
    event, reference = values['engines']['event'], values['engines']['reference']
    assert event['ratio_to_analog'] == pytest.approx(event['ms'] / values['analog_ms'])
    assert event['speedup_to_reference'] == pytest.approx(reference['ms'] / event['ms'])
    expected = make_engine('reference', network).run(network.preprocessing(pictures[0])[0], [4])
    assert values['windows'][0]['spikes'] == expected.total_spikes(0)
    assert values['windows'][0]['synaptic_operations'] == expected.total_synaptic_operations(0)


def test_layer_costs_add_up_to_the_whole_and_name_what_bounds_them(network):
    picture = photographs(1)[0]
    peaks = Peaks(1, additions=1e9, products=5e8, bandwidth=1e12)
    costs = layer_costs(network, picture, steps=8, threads=1, peaks=peaks, rounds=1)
    expected = make_engine('event', network).run(network.preprocessing(picture)[0], [8])
    assert sum(c.synaptic_operations for c in costs) == expected.total_synaptic_operations(0)
    assert sum(c.spikes for c in costs) == expected.total_spikes(0)
    assert all(c.milliseconds > 0 for c in costs)
    # a peak of 1e9 additions per second: each operation takes at least a millionth of a ms
    assert all(c.bound_ms > 0.999e-6 * c.synaptic_operations for c in costs)


def test_a_phased_layer_is_bounded_by_its_active_synapses_not_by_its_spikes(network):
    network = replace(network, window=Window(8, 0, 'phased'))
    picture = photographs(1)[0]
    peaks = Peaks(1, additions=1e18, products=1e9, bandwidth=1e18)
    found = {
        steps: layer_costs(network, picture, steps=steps, threads=1, peaks=peaks, rounds=1)
        for steps in (1, 64)
    }
    for costs in found.values():
        assert all(c.bound_ms <= 1.001e-6 * c.synaptic_operations + 1e-8 for c in costs)
    # in one step a spike is an active neuron; in 64 most neurons send many
    assert sum(c.bound_ms for c in found[64]) < 0.1e-6 * sum(
        c.synaptic_operations for c in found[64]
    )
    assert sum(c.bound_ms for c in found[1]) == pytest.approx(
        1e-6 * sum(c.synaptic_operations for c in found[1]), rel=1e-3
    )


def test_timing_is_the_median_in_milliseconds():
    timing = Timing.of([0.001, 0.002, 0.009])
    assert timing.median == pytest.approx(2.0)
    assert timing.quartiles == (pytest.approx(1.5), pytest.approx(5.5))
    assert timing.rounds == 3


@pytest.mark.parametrize('words', ['', 'a,b', '0', '-1'])
def test_unusable_steps_are_refused(words):
    with pytest.raises(UserError, match='--steps'):
        command._numbers(words)
