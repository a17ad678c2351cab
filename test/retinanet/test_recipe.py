from __future__ import annotations

import pytest

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.recipe import read_recipe

MINIMAL = 'network: {backbone: resnet18, class_names: [boat]}\n'


def write(folder, text):
    path = folder / 'training.yaml'
    path.write_text(text)
    return path


def test_shipped_recipe_is_that_of_the_shipped_network(repository):
    recipe = read_recipe(repository / 'config' / 'training.yaml')
    assert recipe.network.class_names == ('boat', 'buoy')
    assert recipe.network.pyramid_activation == 'relu6'
    assert recipe.boosted['buoy'] > 1


def test_phases_choose_the_size(tmp_path):
    text = 'phases: [{until: 0.5, input_size: [64, 96]}, {until: 0.8, input_size: [96, 128]}]'
    recipe = read_recipe(write(tmp_path, MINIMAL + text))
    sizes = [recipe.input_size_at(progress) for progress in (0.0, 0.49, 0.5, 0.79, 0.8, 1.0)]
    assert sizes == [(64, 96)] * 2 + [(96, 128)] * 2 + [(288, 384)] * 2


def test_leaks_fade_over_a_share_of_the_run(tmp_path):
    recipe = read_recipe(write(tmp_path, MINIMAL + 'leak: 0.1\nleak_until: 0.4\n'))
    leaks = [recipe.leak_at(progress) for progress in (0.0, 0.2, 0.4, 1.0)]
    assert leaks == pytest.approx([0.1, 0.05, 0.0, 0.0])
    assert read_recipe(write(tmp_path, MINIMAL)).leak_at(0.0) == 0


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('- 1\n', 'expected keys and values'),
        ('network: [', 'not yaml'),
        ('samples: 100\n', 'backbone'),
        (MINIMAL + 'sampels: 100\n', 'sampels'),
        (MINIMAL + 'samples: 0\n', 'samples'),
        (MINIMAL + 'leak_until: 0\n', 'leak_until'),
        (MINIMAL + 'view: {zooom: [1, 2]}\n', 'zooom'),
        (MINIMAL + 'phases: [{until: 0.5}]\n', 'input_size'),
    ],
)
def test_refuses_and_names(tmp_path, text, named):
    path = write(tmp_path, text)
    with pytest.raises(UserError, match=named) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)


def test_is_based_on_another(tmp_path):
    (tmp_path / 'base.yaml').write_text(MINIMAL + 'seed: 3\nview: {flip: 0.25, mosaic: 0.5}\n')
    recipe = read_recipe(write(tmp_path, 'based_on: base.yaml\nsamples: 7\nview: {mosaic: 0.0}\n'))
    assert recipe.network.class_names == ('boat',)
    assert (recipe.seed, recipe.samples) == (3, 7)
    assert (recipe.view.flip, recipe.view.mosaic) == (0.25, 0.0)


@pytest.mark.parametrize(('base', 'named'), [('training.yaml', 'itself'), ('no.yaml', 'no.yaml')])
def test_is_based_on_nothing(tmp_path, base, named):
    with pytest.raises(UserError, match=named):
        read_recipe(write(tmp_path, f'based_on: {base}\n'))


def test_missing_recipe(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        read_recipe(tmp_path / 'none.yaml')
