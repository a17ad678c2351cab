"""Integers: the spiking network approaches the analog one as the window grows."""

import pytest
import torch
from networks import analog_images, random_images, random_network, spiking, stages

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.quantise import LARGEST_CURRENT, dequantise
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.plan import make_plan
from spiking_retina_ros.spiking.reference import ReferenceEngine
from spiking_retina_ros.spiking.topology import INPUT

SIZE = (33, 45)
# nothing saturates and weights are fine, so that sampling is the only error
EXACT = {'lower_percentile': 0.0, 'upper_percentile': 100.0, 'weight_bits': 16}


def output_errors(options, times, transient):
    """Relative RMSE of the outputs at each time."""
    module = random_network(7)
    images = random_images(6, SIZE)
    _, normalised = stages(module, options, images)
    network = spiking(normalised, options, SIZE)
    image = images[0].to(torch.int16).numpy()
    simulation = ReferenceEngine(network).run(image, [transient, *times])
    with torch.no_grad():
        expected = module(analog_images(images[:1]))
    errors = []
    for index, time in enumerate(times, start=1):
        squares = []
        for population, one in zip(network.output_populations, expected, strict=True):
            gathered = simulation.outputs[population.name]
            found = network.read_out(
                population, gathered[0], gathered[index], steps=time - transient
            )
            squares.append(float(((found - one[0]) ** 2).mean() / one.var()))
        errors.append((sum(squares) / len(squares)) ** 0.5)
    return errors


@pytest.mark.parametrize(
    'options',
    [
        ConversionOptions.paper(**EXACT),
        ConversionOptions.paper(**EXACT, half_threshold=True),
        ConversionOptions.fast(**EXACT),
        ConversionOptions.fast(**EXACT, signed_spikes='linear'),
        ConversionOptions.fast(**EXACT, burst=3, readout='spikes', fuse_additions=False),
    ],
)
def test_the_rate_error_falls_like_one_over_the_window(options):
    short, middle, long = output_errors(options, (64, 256, 1024), transient=32)
    assert long < 0.02
    # 1/T would be a factor of four each
    assert middle < short / 2
    assert long < middle / 2


def test_eight_bits_cost_little():
    (wide,), (narrow,) = (
        output_errors(ConversionOptions.fast(weight_bits=bits), (512,), transient=64)
        for bits in (16, 8)
    )
    assert narrow < wide + 0.03


def test_integers_have_the_promised_types():
    options = ConversionOptions.paper()
    _, normalised = stages(random_network(7), options, random_images(6, SIZE))
    network = spiking(normalised, options, SIZE)
    for population in network.topology.populations:
        assert network.parameter(population, 'threshold').dtype == torch.int32
        assert int(network.parameter(population, 'threshold').min()) >= 1
        for synapse in population.synapses:
            expected = torch.int32 if synapse.diagonal else torch.int8
            assert network.weight(synapse).dtype == expected


@pytest.mark.parametrize('preset', ['paper', 'fast'])
def test_dequantised_integers_are_the_normalised_network_but_for_rounding(preset):
    options = ConversionOptions.preset(preset, weight_bits=16)
    images = random_images(6, SIZE)
    _, normalised = stages(random_network(7), options, images)
    found = dequantise(spiking(normalised, options, SIZE))
    assert found.tensors.keys() == normalised.tensors.keys()
    for one, other in zip(
        run_float(found, images.double()), run_float(normalised, images.double()), strict=True
    ):
        assert 0 < float((one - other).abs().max()) < 0.02


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'shift': True}, 'shift and signed_spikes contradict'),
        ({'signed_spikes': 'none'}, 'no negative activation'),
        ({'burst': 0}, 'burst between 1 and 7'),
        ({'lower_percentile': 60.0, 'upper_percentile': 50.0}, 'lower percentile'),
        ({'weight_bits': 4}, 'weight_bits 8 or 16'),
    ],
)
def test_options_that_contradict_are_refused(changes, words):
    with pytest.raises(UserError, match=words):
        ConversionOptions.fast(**changes)


def test_a_channel_that_whispers_does_not_make_sums_outgrow_32_bits():
    module = random_network(7)
    with torch.no_grad():  # a thousand times quieter than its layer, and not dead
        for parameter in (module.wide.weight, module.wide.bias):
            parameter[3] *= 1e-3
    options = ConversionOptions.paper(lower_percentile=0.0, upper_percentile=100.0)
    _, normalised = stages(module, options, random_images(6, SIZE))
    scale = normalised.tensors['wide.scale']
    assert float(scale[3]) == pytest.approx(0.01 * float(scale.median()), rel=0.05)
    network = spiking(normalised, options, SIZE)
    plan = make_plan(network, SIZE)
    for population in network.topology.populations:
        if INPUT not in population.sources:
            arriving = plan.current_bounds[population.name] - int(
                plan.biases[population.name].abs().max()
            )
            # rounding to narrow integers may add a little
            assert arriving < 1.1 * LARGEST_CURRENT, population.name
