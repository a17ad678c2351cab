"""All engines agree on the shipped network, shown real photographs."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest
from engine_equality import assert_same_simulation

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.model_paths import spiking_model
from spiking_retina_ros.spiking.engine import available_engines, make_engine
from spiking_retina_ros.spiking.model_file import load_network

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = ROOT / os.environ.get('BOATS_BUOYS_DIR', '../shared/datasets/boats_buoys')
TIMES = (3, 6)


@pytest.fixture(scope='module')
def network():
    try:
        return load_network(spiking_model())
    except UserError as error:
        pytest.skip(f'no shipped network: {error}')


@pytest.mark.slow
def test_engines_agree_on_photographs(network):
    paths = sorted(PHOTOGRAPHS.rglob('*.jpg'))[:2]
    if not paths:
        pytest.skip(f'no photographs in {PHOTOGRAPHS}; set BOATS_BUOYS_DIR')
    engines = {name: make_engine(name, network) for name in available_engines()}
    assert engines['event'].wide_layers == {}
    for path in paths:
        image, _ = network.preprocessing(cv2.imread(str(path)))
        expected = engines['reference'].run(image, TIMES, record=True)
        assert expected.total_spikes(-1) > 100_000
        for name in ('dense', 'event'):
            found = engines[name].run(image, TIMES, record=True)
            assert_same_simulation(found, expected)
