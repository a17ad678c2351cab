"""A cached calibration is the same one, and a changed image is a different one."""

import numpy as np
import torch
from networks import random_network

from spiking_retina_ros.conversion.calibrate import Calibration
from spiking_retina_ros.conversion.calibration_cache import CalibrationCache
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import build_populations


def test_round_trip_and_damage(tmp_path):
    cache = CalibrationCache(tmp_path)
    calibration = Calibration(
        {'a': torch.tensor([-1.5, 0.0]).double()},
        {'a': torch.tensor([2.5, 1.0]).double()},
        12,
        0.01,
        99.99,
    )
    assert cache.load('key') is None
    cache.store('key', calibration)
    found = cache.load('key')
    assert found is not None
    assert torch.equal(found.lower['a'], calibration.lower['a'])
    assert torch.equal(found.upper['a'], calibration.upper['a'])
    assert (found.images, found.upper_percentile) == (12, 99.99)
    (tmp_path / 'key.safetensors').write_bytes(b'half a file')
    assert cache.load('key') is None


def test_everything_a_calibration_depends_on_is_in_the_key():
    options = ConversionOptions.fast()
    images = [np.zeros((4, 5, 3), np.uint8)]
    network = build_populations(parse(random_network(1)), options)
    key = CalibrationCache.key(network, images, options, 'plan')
    assert key == CalibrationCache.key(network, [images[0].copy()], options, 'plan')
    other = build_populations(parse(random_network(2)), options)
    others = [
        CalibrationCache.key(other, images, options, 'plan'),
        CalibrationCache.key(network, [images[0] + 1], options, 'plan'),
        CalibrationCache.key(network, images, ConversionOptions.fast(upper_percentile=99), 'plan'),
        CalibrationCache.key(network, images, options, 'another plan'),
    ]
    assert key not in others
