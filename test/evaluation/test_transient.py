"""The transient is found where the error is least, and fill times where they can be known."""

import pytest
import torch
from small_detector import analog_network, converted, photographs

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.fill_times import fill_times
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.evaluation.transient import (
    recommend_window,
    search_transients,
)
from spiking_retina_ros.spiking.network import Preprocessing, SpikingNetwork, Window
from spiking_retina_ros.spiking.topology import INPUT, Population, Synapse, Topology


@pytest.fixture(scope='module')
def paper():
    analog = analog_network()
    return rebuild_stages(analog, converted(analog, 'paper').network, name='small')


def test_skipping_helps_neurons_that_start_empty_and_the_best_is_chosen(paper):
    found = recommend_window(paper, photographs(2, seed=3), steps=64, engine='dense', quiet=True)
    assert found.candidates[0] == 0
    assert found.best > 0
    assert min(found.errors) == found.errors[found.candidates.index(found.best)]
    assert found.gain() > 1.2
    assert found.window == Window(64, found.best)
    assert found.estimated > 0


def test_several_windows_from_one_simulation_are_the_same_as_one_by_one(paper):
    images = photographs(1, seed=3)
    both = search_transients(
        paper, images, steps=(16, 32), candidates=(4, 20), engine='dense', quiet=True
    )
    assert [search.candidates for search in both] == [(0, 4), (0, 4, 20)]
    alone = recommend_window(paper, images, steps=16, candidates=(4,), engine='dense', quiet=True)
    assert both[0] == alone


def test_fill_times_of_a_chain_add_up():
    """Two layers of rate 1/4 from an empty membrane: four steps each."""
    first = Population('a', 'a', (Synapse(INPUT, 'a.w'),), 'relu')
    second = Population('b', 'b', (Synapse('a', 'b.w'),), 'relu')
    one = torch.ones(1, dtype=torch.float64)
    tensors = {'a.w': torch.zeros(1, 3, 1, 1, dtype=torch.int8)}
    tensors['b.w'] = torch.full((1, 1, 1, 1), 100, dtype=torch.int8)
    for layer, bias in (('a', 25), ('b', 0)):
        tensors[f'{layer}.bias'] = torch.tensor([bias], dtype=torch.int32)
        tensors[f'{layer}.threshold'] = torch.tensor([100], dtype=torch.int32)
        tensors[f'{layer}.initial'] = torch.tensor([0], dtype=torch.int32)
        tensors[f'{layer}.fraction_bits'] = torch.tensor(0, dtype=torch.int32)
        tensors[f'{layer}.scale'], tensors[f'{layer}.shift'] = one, 0 * one
    network = SpikingNetwork(
        Topology((first, second), ('b',)),
        tensors,
        Preprocessing((8, 8), (0, 0, 0)),
        Window(9, 0),
        (),
    )
    assert fill_times(network, photographs(1)) == pytest.approx({'a': 4.0, 'b': 8.0})


def test_nothing_to_search_on_is_refused(paper):
    with pytest.raises(UserError, match='found 0 images'):
        recommend_window(paper, [], steps=8, engine='dense')
