"""Parsing keeps the function, and refuses by name what it does not know."""

import pytest
import torch
from networks import EveryOperation, random_network
from torch import nn

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import build_populations
from spiking_retina_ros.errors import UserError


@pytest.mark.parametrize('options', [ConversionOptions.paper(), ConversionOptions.fast()])
@pytest.mark.parametrize('size', [(64, 64), (47, 61)])
def test_parsed_and_folded_network_equals_the_original(options, size):
    module = random_network(1)
    image = torch.randn(2, 3, *size)
    parsed = build_populations(parse(module), options)
    with torch.no_grad():
        expected, found = module(image), run_float(parsed, image)
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)


def test_fused_additions_need_fewer_neurons():
    module = random_network(1)
    unfused = build_populations(parse(module), ConversionOptions.paper())
    fused = build_populations(parse(module), ConversionOptions.fast())
    # the bottleneck, and the lateral that only the merging addition reads
    assert len(unfused.topology.nodes) - len(fused.topology.nodes) == 2


class Sigmoid(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.gate = nn.Sigmoid()

    def forward(self, image):
        return (self.gate(self.conv(image)),)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, image):
        return (self.conv(image) * 2.0,)


class Reflected(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, padding_mode='reflect')

    def forward(self, image):
        return (self.conv(image),)


@pytest.mark.parametrize(
    ('network', 'words'),
    [
        (Sigmoid, ["'gate'", 'Sigmoid', 'reads conv']),
        (Scaled, ["'mul'", 'mul is not converted']),
        (Reflected, ["'conv'", 'reflect']),
    ],
)
def test_the_unknown_is_refused_with_name_type_and_place(network, words):
    with pytest.raises(UserError) as caught:
        parse(network().eval())
    for word in words:
        assert word in str(caught.value)


def test_weights_that_are_not_finite_are_refused_by_key():
    module = random_network(1)
    with torch.no_grad():
        module.down.weight[3, 2, 1, 1] = float('nan')
    with pytest.raises(UserError, match=r'down\.weight.*NaN'):
        parse(module)


def test_a_network_in_training_mode_is_refused():
    with pytest.raises(UserError, match='evaluation mode'):
        parse(EveryOperation().train())


class SharedWithAndWithoutNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, image):
        return (self.conv(self.norm(self.conv(image))),)


def test_a_convolution_normalised_in_one_place_only_is_refused():
    with pytest.raises(UserError, match='in one place and not in another'):
        parse(SharedWithAndWithoutNorm().eval())
