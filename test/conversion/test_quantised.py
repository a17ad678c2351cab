"""The quantised activation and the network around it."""

import pytest
import torch
from networks import (
    INPUT_SCALE,
    analog_images,
    calibrated_thresholds,
    random_images,
    random_network,
    spiking,
    stages,
)

from spiking_retina_ros.conversion.calibrate import Calibration
from spiking_retina_ros.conversion.convert import Conversion, convert_finetuned
from spiking_retina_ros.conversion.finetune import FineTuning, finetune, prepare
from spiking_retina_ros.conversion.finetuned_file import FineTuned, load_finetuned, save_finetuned
from spiking_retina_ros.conversion.normalise import normalise
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.conversion.quantised import QuantisedNetwork, quantise_activation
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.samples import TrainingSamples
from spiking_retina_ros.spiking.network import Window
from spiking_retina_ros.spiking.reference import ReferenceEngine

SIZE = (33, 45)
OPTIONS = ConversionOptions.fast(lower_percentile=0.0, upper_percentile=100.0, weight_bits=16)


def quantised_network(levels):
    module = random_network(7)
    images = random_images(6, SIZE)
    analog, normalised = stages(module, OPTIONS, images)
    thresholds = calibrated_thresholds(analog, normalised)
    network = QuantisedNetwork(analog, thresholds, RetinaNetConfig(), levels=levels, weight_bits=16)
    return module, images, network


def flat(outputs):
    return [item for group in outputs for item in group]


def test_values_are_the_formulas():
    x = torch.tensor([-3.0, -0.3, 0.24, 0.26, 0.9, 1.9, 5.0]).view(1, 1, 1, 7)
    theta = torch.full((1,), 2.0)
    found, rate = quantise_activation(x, theta, levels=4, signed=False)
    assert found.flatten().tolist() == [0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 2.0]
    assert float(rate) == pytest.approx((0.25 + 0.5 + 1 + 1) / 7)
    found, rate = quantise_activation(x, theta, levels=4, signed=True)
    assert found.flatten().tolist() == [-2.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.0]
    assert float(rate) == pytest.approx((1 + 0.25 + 0.25 + 0.5 + 1 + 1) / 7)


def test_gradients_pass_straight_through_inside_the_bounds():
    x = torch.tensor([-3.0, 0.3, 1.7, 5.0]).view(1, 1, 1, 4).requires_grad_()
    theta = torch.full((1,), 2.0, requires_grad=True)
    quantise_activation(x, theta, levels=4, signed=False)[0].sum().backward()
    assert x.grad.flatten().tolist() == [0.0, 1.0, 1.0, 0.0]
    # 0.3 rounds up by 0.1, 1.7 down by 0.1 (in units of theta), 5.0 is at the bound
    assert float(theta.grad) == pytest.approx(0.1 - 0.1 + 1.0, abs=1e-6)


def by_autograd(x, theta, levels, signed):
    """The same out of torch's own operations: what the kernels' gradients must be."""
    rate = x / theta[:, None, None]
    lowest = -1 if signed else 0
    bounded = rate.clamp(lowest, 1)
    level = (rate.detach() * levels + 0.5).floor().clamp(lowest * levels, levels) / levels
    straight = bounded + (level - bounded).detach()
    return straight * theta[:, None, None], straight.abs().mean()


@pytest.mark.parametrize('signed', [False, True])
def test_kernels_have_the_gradients_of_autograd(signed):
    torch.manual_seed(3)
    values = torch.randn(3, 37, 41, 43)  # enough places for a second thread
    thetas = torch.rand(37) + 0.5
    weights = torch.randn(3, 37, 41, 43)
    found = []
    for function in (quantise_activation, by_autograd):
        x, theta = values.clone().requires_grad_(), thetas.clone().requires_grad_()
        sent, rate = function(x, theta, levels=8, signed=signed)
        ((sent * weights).mean() + 3.0 * rate).backward()
        found.append((sent.detach(), rate.detach(), x.grad, theta.grad))
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(
            ours, expected, rtol=2e-3, atol=1e-8 + 1e-4 * expected.abs().max()
        )


def test_many_levels_are_the_analog_network():
    module, images, network = quantised_network(levels=100_000)
    with torch.no_grad():
        expected = module(analog_images(images))
        found = flat(network(analog_images(images)))
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=2e-3 * float(one.abs().max()))


def test_activity_is_what_a_long_window_costs():
    _, images, network = quantised_network(levels=512)
    _, normalised = stages(random_network(7), OPTIONS, images)
    spikes = spiking(normalised, OPTIONS, SIZE)
    with torch.no_grad():
        network(analog_images(images[:1]))
    simulation = ReferenceEngine(spikes).run(images[0].to(torch.int16).numpy(), [512])
    from spiking_retina_ros.spiking.plan import make_plan

    measured = simulation.total_synaptic_operations(0) / 512 / make_plan(spikes, SIZE).analog_macs
    # borders cost less than the estimate says, corrections cost more
    assert float(network.activity) == pytest.approx(measured, rel=0.2)
    rate = simulation.total_spikes(0) / 512 / make_plan(spikes, SIZE).neurons
    assert float(network.rate) == pytest.approx(rate, rel=0.2)


def test_learned_thresholds_become_scales(tmp_path):
    _, images, network = quantised_network(levels=16)
    with torch.no_grad():
        for value in network.log_thresholds.values():
            value += 0.1
    finetuned = FineTuned(
        network.float_network(), network.thresholds(), RetinaNetConfig(), 16, {'samples': 0}
    )
    save_finetuned(tmp_path / 'net.safetensors', finetuned)
    loaded = load_finetuned(tmp_path / 'net.safetensors')
    assert loaded.levels == 16
    assert loaded.network.topology == network.topology
    scales = {
        population.name: (
            loaded.thresholds[network.groups.of(population.name)].double(),
            torch.zeros(())
            .double()
            .expand(len(loaded.network.tensors[f'{population.layer}.bias'])),
        )
        for population in network.topology.populations
    }
    normalised = normalise(loaded.network, scales, INPUT_SCALE)
    spikes = spiking(normalised, OPTIONS, SIZE)
    image = images[0].to(torch.int16).numpy()
    simulation = ReferenceEngine(spikes).run(image, [512])
    network.levels = 512
    with torch.no_grad():
        expected = flat(network(analog_images(images[:1])))
    for population, one in zip(spikes.output_populations, expected, strict=True):
        gathered = simulation.outputs[population.name][0]
        found = spikes.read_out(population, torch.zeros_like(gathered), gathered, steps=512)
        assert float((found - one[0]).pow(2).mean().sqrt() / one.std()) < 0.03


def test_frozen_weights_leave_biases_and_thresholds_to_learn():
    _, images, network = quantised_network(levels=16)
    network.freeze_weights()
    sum(values.square().sum() for values in flat(network(analog_images(images[:1])))).backward()
    learning = {key for key, value in network.parameters_by_key.items() if value.grad is not None}
    assert learning
    assert all(key.endswith('bias') for key in learning)
    assert any(value.grad is not None for value in network.log_thresholds.values())


def test_a_missing_threshold_is_named():
    _, _, network = quantised_network(levels=16)
    thresholds = network.thresholds()
    lost = network.groups.of('relu6')
    del thresholds[lost]
    finetuned = FineTuned(network.float_network(), thresholds, RetinaNetConfig(), 16, {})
    with pytest.raises(UserError, match='relu6: the checkpoint has no learned threshold'):
        convert_finetuned(finetuned, OPTIONS, window=Window(16, 0))
    with pytest.raises(UserError, match='fast normalisation it was trained for'):
        convert_finetuned(finetuned, ConversionOptions.paper(), window=Window(16, 0))


@pytest.mark.parametrize('wrong', [{'levels': (0, 8)}, {'teaching': 1.5}, {'samples': 7}])
def test_a_run_that_cannot_be_is_refused(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        FineTuning(**wrong)


def test_each_process_needs_a_batch(tmp_path):
    _, _, network = quantised_network(levels=8)
    samples = TrainingSamples.__new__(TrainingSamples)
    with pytest.raises(UserError, match='for each of 2 processes, found 8'):
        finetune(network, samples, FineTuning(samples=8), tmp_path / 'run', world=2)
    assert not (tmp_path / 'run').exists()


def test_fine_tuning_is_for_the_fast_normalisation():
    options = ConversionOptions.paper()
    module = random_network(7)
    images = random_images(6, SIZE)
    analog, normalised = stages(module, options, images)
    calibration = Calibration({}, {}, 6, 0.01, 99.99)
    network = spiking(normalised, options, SIZE)
    conversion = Conversion(network, analog, normalised, calibration, options, {}, {})
    assert isinstance(analog, FloatNetwork)
    with pytest.raises(UserError, match='fast normalisation'):
        prepare(conversion, RetinaNetConfig(), 8)
