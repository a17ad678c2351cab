"""Rounding in training is the rounding of the integers that come out of it."""

import pytest
import torch
from networks import calibrated_thresholds, random_images, random_network, spiking, stages

from spiking_retina_ros.conversion.narrow_weights import narrow_weights
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.quantise import dequantise
from spiking_retina_ros.conversion.quantised import QuantisedNetwork
from spiking_retina_ros.retinanet.config import RetinaNetConfig

SIZE = (33, 45)
OPTIONS = ConversionOptions.fast(lower_percentile=0.0, upper_percentile=100.0)


def prepared(weight_bits):
    analog, normalised = stages(random_network(7), OPTIONS, random_images(6, SIZE))
    thresholds = calibrated_thresholds(analog, normalised)
    network = QuantisedNetwork(
        analog, thresholds, RetinaNetConfig(), levels=8, weight_bits=weight_bits
    )
    return network, normalised


def test_weights_act_as_the_integers_do():
    network, normalised = prepared(8)
    integers = dequantise(spiking(normalised, OPTIONS, SIZE))
    weights = network.float_network().tensors
    acting = network.acting_weights()
    changed = 0
    for population in network.topology.populations:
        for synapse in population.synapses:
            exact, rounded = (
                parts.tensors[synapse.weight].float() for parts in (normalised, integers)
            )
            shift = acting[synapse.weight].detach() / weights[synapse.weight]
            expected = rounded / exact
            seen = exact.abs() > 1e-3 * exact.abs().max()
            alike = torch.isclose(shift[seen], expected[seen], rtol=2e-3)
            assert float(alike.float().mean()) > 0.99  # thresholds are rounded, too: ties may flip
            changed += int((shift[seen] - 1).abs().max() > 1e-3)
    assert changed > 3


def test_the_gradient_passes_straight_through_to_weights():
    network, _ = prepared(8)
    key = next(s.weight for p in network.topology.populations for s in p.synapses)
    weights = {
        s.weight: network.tensor(s.weight) for p in network.topology.populations for s in p.synapses
    }
    acting = narrow_weights(network.topology, weights, network.full_rate, 8)
    acting[key].sum().backward()
    assert torch.equal(network.tensor(key).grad, torch.ones_like(network.tensor(key)))


@pytest.mark.parametrize(('bits', 'most'), [(8, 0.01), (16, 1e-4)])
def test_more_bits_round_less(bits, most):
    network, _ = prepared(bits)
    acting = network.acting_weights()
    for population in network.topology.populations:
        for synapse in population.synapses:
            weight = network.tensor(synapse.weight).detach()
            rounding = (acting[synapse.weight].detach() - weight).abs().mean()
            assert float(rounding) < most * float(weight.abs().max())
