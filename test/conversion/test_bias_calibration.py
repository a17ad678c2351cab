"""Calibrated biases make the means right, through every operation and shared layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import random_images, random_network, spiking, stages

from spiking_retina_ros.conversion.bias_calibration import calibrate_biases, layer_groups
from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.spiking.dense import DenseEngine
from spiking_retina_ros.spiking.network import Window

SIZE = (33, 45)
STEPS = 4
OPTIONS = ConversionOptions.fast(signed_spikes='linear')


@pytest.fixture(scope='module')
def material():
    """A normalised network, its phased copy for a very short window, and pictures."""
    _, normalised = stages(random_network(7), OPTIONS, random_images(6, SIZE))
    network = replace(spiking(normalised, OPTIONS, SIZE), window=Window(STEPS, 0, 'phased'))
    generator = np.random.default_rng(0)
    pictures = [generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8) // 2 for _ in range(3)]
    return normalised, network, pictures


def mean_errors(normalised, network, pictures):
    """Per channel of the shared output layer, the mean error in rates over images and levels."""
    engine = DenseEngine(network)
    errors = []
    for picture in pictures:
        integers, _ = network.preprocessing(picture)
        true = run_float(normalised, torch.from_numpy(integers)[None].double())
        outputs = engine.run(integers, [STEPS]).outputs
        for population, expected in zip(network.output_populations, true, strict=True):
            threshold = network.parameter(population, 'threshold').double()[:, None, None]
            found = outputs[population.name][0] / (STEPS * threshold)
            errors.append((found - expected[0]).flatten(1))
    return torch.cat(errors, 1).mean(1).abs()


def test_outputs_are_right_on_average(material):
    normalised, network, pictures = material
    calibrated = calibrate_biases(normalised, network, pictures)
    before = mean_errors(normalised, network, pictures)
    after = mean_errors(normalised, calibrated, pictures)
    assert float(before.max()) > 0.01
    # what is left is the rounding of a bias to whole membrane units, and of float32
    assert float(after.max()) < 1e-3
    assert not torch.equal(network.tensors['head.bias'], calibrated.tensors['head.bias'])


def test_nothing_but_biases_changes(material):
    normalised, network, pictures = material
    kept = {key: value.clone() for key, value in network.tensors.items()}
    calibrated = calibrate_biases(normalised, network, pictures)
    for key, value in kept.items():
        assert torch.equal(network.tensors[key], value)
        assert key.endswith('.bias') or torch.equal(calibrated.tensors[key], value)


def test_levels_of_a_shared_layer_come_together(material):
    _, network, _ = material
    groups = layer_groups(network.topology)
    assert sorted(node.name for group in groups for node in group) == sorted(
        node.name for node in network.topology.nodes
    )
    sizes = {getattr(group[0], 'layer', None): len(group) for group in groups}
    assert sizes['head'] == sizes['output'] == 2
    assert sizes['stem'] == 1
