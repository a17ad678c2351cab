"""Each stage of the chain costs what its name says, and nothing else."""

from dataclasses import replace

import pytest
import torch
from small_detector import analog_network, converted, finetuned, photographs

from spiking_retina_ros.conversion.convert import convert_finetuned
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.stages import output_maps, rebuild_stages, simulation_hash
from spiking_retina_ros.retinanet.preprocess import preprocess
from spiking_retina_ros.spiking.network import Window


def relative_errors(network, picture, stage, *, clip):
    """Largest error of each output of a stage, relative to the analog output's spread."""
    inputs, _ = preprocess(picture, network.config)
    with torch.inference_mode():
        expected = [item for group in network(inputs) for item in group]
    integers, _ = stage_preprocessing(network)(picture)
    found = [item for group in output_maps(stage, integers, clip=clip) for item in group]
    return [
        float((one - other).abs().max() / one.abs().max())
        for one, other in zip(expected, found, strict=True)
    ]


def stage_preprocessing(network):
    return converted(network).network.preprocessing


@pytest.mark.parametrize('preset', ['paper', 'fast'])
def test_stages_rebuilt_from_a_model_differ_by_what_they_are_named_after(preset):
    network = analog_network()
    options = {'lower_percentile': 5.0, 'upper_percentile': 95.0}
    stages = rebuild_stages(network, converted(network, preset, **options).network, name='small')
    picture = photographs(1, seed=3)[0]
    # without clipping nothing but float precision is lost, clipping hard at 95 % costs much
    assert max(relative_errors(network, picture, stages.normalised, clip=False)) < 1e-3
    assert max(relative_errors(network, picture, stages.normalised, clip=True)) > 1e-2
    rounded = max(relative_errors(network, picture, stages.quantised, clip=False))
    assert 1e-4 < rounded < 0.2


def test_the_hash_follows_what_is_simulated_and_nothing_else():
    network = converted(analog_network()).network
    other = converted(analog_network(), half_threshold=False).network
    moved = replace(network, window=Window(99, 3), provenance={})
    assert simulation_hash(moved) == simulation_hash(network)
    assert simulation_hash(other) != simulation_hash(network)


def test_a_fine_tuned_model_is_rebuilt_from_its_own_checkpoint():
    analog = analog_network()
    checkpoint = finetuned(analog)
    options = ConversionOptions.fast(signed_spikes='linear')
    network = convert_finetuned(checkpoint, options, window=Window(8, 0, 'phased')).network
    with pytest.raises(UserError, match='give it with --finetuned'):
        rebuild_stages(analog, network, name='small')
    stages = rebuild_stages(analog, network, name='small', finetuned=checkpoint)
    integers, _ = network.preprocessing(photographs(1)[0])
    own = [item for group in output_maps(stages.normalised, integers) for item in group]
    rounded = [item for group in output_maps(stages.quantised, integers) for item in group]
    inputs, _ = preprocess(photographs(1)[0], analog.config)
    with torch.inference_mode():
        others = [item for group in analog(inputs) for item in group]
    for one, narrow, other in zip(own, rounded, others, strict=True):
        # weights changed by fine-tuning move the outputs more than narrow weights do
        assert float((narrow - one).std()) < 0.5 * float((other - one).std())
