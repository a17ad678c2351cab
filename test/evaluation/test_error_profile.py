"""The parts of an error sum up to it, and each part is what its name says."""

import pytest
import torch
from small_detector import analog_network, converted, photographs

from spiking_retina_ros.evaluation.activity import (
    arriving_rates,
    observed_rates,
    simulate_all,
    true_rates,
    with_all_outputs,
)
from spiking_retina_ros.evaluation.error_profile import PARTS, ErrorProfile, error_parts
from spiking_retina_ros.evaluation.observation import observe
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.spiking.engine import available_engines, make_engine
from spiking_retina_ros.spiking.network import Window
from spiking_retina_ros.spiking.topology import INPUT

WINDOW = Window(16, 4)


@pytest.fixture(scope='module', params=['paper', 'fast'])
def stages(request):
    analog = analog_network()
    network = converted(analog, request.param, upper_percentile=99.0).network
    return rebuild_stages(analog, network, name='small')


def test_parts_sum_up_to_the_error_of_every_neuron(stages):
    network = with_all_outputs(stages.network)
    image, _ = network.preprocessing(photographs(1, seed=5)[0])
    simulation = simulate_all(make_engine('dense', network), image, [WINDOW])
    rates = observed_rates(simulation, network, WINDOW)
    true = true_rates(stages.normalised, image)
    arriving = arriving_rates(simulation, network, WINDOW, rates) | {INPUT: true[INPUT]}
    shapes = {name: tuple(values.shape[1:]) for name, values in true.items()}
    for population in network.topology.populations:
        name = population.name
        parts = error_parts(stages, population, true[name], rates[name], arriving, shapes)
        total = sum(parts[part] for part in PARTS)
        scale = float(true[name].abs().max()) + 1
        torch.testing.assert_close(total, rates[name] - true[name], atol=1e-5 * scale, rtol=0)
        if population.readout:
            # a current is read exactly: nothing is sampled, nothing saturates
            assert float(parts['sampling'].abs().max()) < 1e-4 * scale
            assert not bool(parts['saturation'].any())
        if population.sources == (INPUT,):
            # the image is exact, so the first layer was told nothing wrong
            clipped_input_error = parts['input'].abs().max()
            assert float(clipped_input_error) < 1e-5


@pytest.mark.parametrize('engine', [name for name in available_engines() if name != 'reference'])
def test_all_populations_as_outputs_changes_no_spike(stages, engine):
    image, _ = stages.network.preprocessing(photographs(1, seed=5)[0])
    plain = make_engine('dense', stages.network).run(image, [4, 8])
    observed = make_engine(engine, with_all_outputs(stages.network)).run(image, [4, 8])
    for name, counts in plain.outputs.items():
        assert torch.equal(counts, observed.outputs[name])


def test_an_error_that_is_the_same_everywhere_is_systematic(stages):
    image, _ = stages.network.preprocessing(photographs(1, seed=5)[0])
    true = true_rates(stages.normalised, image)
    for name, moved in (('even', lambda v: v + 0.1), ('odd', lambda v: v + 0.1 * alternating(v))):
        profile = ErrorProfile(stages)
        profile.add(true, {key: moved(values) for key, values in true.items()}, true)
        for layer in (item for item in profile.layers() if item.neurons > 64):
            share = layer.systematic / layer.relative['total']
            assert share == pytest.approx(1.0, abs=1e-3) if name == 'even' else share < 0.3


def alternating(values):
    """1 and -1 in turn, shaped like values."""
    return 1 - 2 * (torch.arange(values.numel()) % 2).view(values.shape).float()


def test_an_observation_agrees_with_itself(stages):
    chosen = [stages.network.topology.outputs[0]]
    windows = [Window(4, 0), WINDOW]
    found = observe(stages, photographs(2, seed=5), windows, chosen, engine='dense', quiet=True)
    assert found.window == WINDOW
    assert [layer.name for layer in found.profile] == [
        population.name for population in stages.network.topology.populations
    ]
    for layer in found.profile:
        assert sum(layer.share.values()) == pytest.approx(1.0, abs=1e-3)
        assert 0 <= layer.systematic <= layer.relative['total'] + 1e-6
        assert layer.relative['total'] <= sum(layer.relative[part] for part in PARTS) + 1e-6
    for layer in (item for item in found.profile if item.spikes):
        assert int(found.histograms[layer.name].sum()) == 2 * layer.neurons
        assert 0 <= found.spikes_per_step[layer.name] <= 1
    assert len(found.histograms) == sum(layer.spikes for layer in found.profile)
    assert found.rate_edges[1] == 0.5 / 12
    agreement = found.agreement[WINDOW][chosen[0]]
    assert agreement.rmse < found.agreement[windows[0]][chosen[0]].rmse
    assert 0 < agreement.correlation <= 1
    last = next(layer for layer in found.profile if layer.name == chosen[0])
    assert last.relative['total'] > 0
