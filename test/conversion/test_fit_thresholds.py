"""Fitted thresholds lose less than the percentiles' on the activations they were fitted to."""

import pytest
import torch
from networks import analog_images, random_images, random_network, stages

from spiking_retina_ros.conversion.fit_thresholds import fit_scales, measure_spread
from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.errors import UserError

SIZE = (33, 45)
OPTIONS = ConversionOptions.fast(signed_spikes='linear', upper_percentile=100.0)


@pytest.fixture(scope='module')
def material():
    """An analog network, its groups and scales, its inputs, and the spread of its activations."""
    images = random_images(6, SIZE)
    analog, normalised = stages(random_network(7), OPTIONS, images)
    topology = analog.topology
    scales = {
        item.name: (
            normalised.tensors[f'{item.layer}.scale'],
            normalised.tensors[f'{item.layer}.shift'],
        )
        for item in topology.populations
    }
    groups = ScaleGroups(topology)
    inputs = analog_images(images)
    spread = measure_spread(analog, groups, scales, inputs, count=len(inputs))
    return analog, groups, scales, inputs, spread


def errors(analog, scales, inputs, steps):
    """Per population, the mean squared error of counts of so many steps under these scales."""
    found = {}

    def visit(name, values):
        if name in scales and not analog.topology[name].readout:
            scale = scales[name][0][:, None, None]
            counts = torch.floor(values / scale * steps + 0.5).clamp(-steps, steps)
            error = (values - counts * scale / steps).square().mean((0, 2, 3))
            found[name] = found.get(name, 0) + error

    for image in inputs:
        run_float(analog, image[None], visit=visit)
    return found


@pytest.mark.parametrize('steps', [2, 4, 16])
def test_no_population_loses_more_and_few_steps_gain_much(material, steps):
    analog, groups, scales, inputs, spread = material
    fitted = fit_scales(analog.topology, groups, scales, spread, OPTIONS, steps=steps)
    before, after = (errors(analog, item, inputs, steps) for item in (scales, fitted))
    total = {name: float(after[name].sum() / before[name].sum()) for name in before}
    # populations of a group share a scale, which need not suit each of them best
    alone = [name for name in total if [groups.of(n) for n in total].count(groups.of(name)) == 1]
    assert max(total[name] for name in alone) <= 1.001
    if steps == 2:
        assert sum(total.values()) / len(total) < 0.8


def test_shorter_windows_have_smaller_scales(material):
    analog, groups, scales, _, spread = material

    def mean_share(steps):
        fitted = fit_scales(analog.topology, groups, scales, spread, OPTIONS, steps=steps)
        shares = [fitted[name][0] / scales[name][0] for name in fitted]
        return float(torch.cat(shares).mean())

    assert mean_share(2) < mean_share(8) < mean_share(64) <= 1.0


def test_shifted_rates_are_refused():
    with pytest.raises(UserError, match='without shift'):
        ConversionOptions.paper(fit_thresholds=True)
