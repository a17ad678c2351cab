from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml
from stand_in import StandInNetwork

from spiking_retina_ros import detector
from spiking_retina_ros.ros.parameter_documents import as_markdown, as_yaml
from spiking_retina_ros.ros.parameters import PARAMETERS, ParameterSpec, Settings

ROOT = Path(__file__).parents[2]


def flat(tree, prefix=''):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{key}.')
        else:
            yield prefix + key, value


def test_the_shipped_file_sets_every_parameter_to_its_default():
    text = (ROOT / 'config/detector.yaml').read_text()
    assert text == as_yaml(), 'run python -m spiking_retina_ros.ros.parameter_documents yaml'
    values = dict(flat(yaml.safe_load(text)['/**']['ros__parameters']))
    expected = {
        item.name: list(item.default) if isinstance(item.default, tuple) else item.default
        for item in PARAMETERS
    }
    assert values == expected
    assert {name: type(value) for name, value in values.items()} == {
        name: type(value) for name, value in expected.items()
    }


def test_node_and_detector_share_their_defaults():
    settings = Settings()
    assert settings.score_threshold == detector.SCORE_THRESHOLD
    assert settings.nms_threshold == detector.NMS_THRESHOLD
    assert settings.max_detections == detector.MAX_DETECTIONS
    steps = next(item for item in PARAMETERS if item.name == 'steps')
    assert steps.maximum == detector.MAX_STEPS


def test_the_table_describes_every_parameter():
    for item in PARAMETERS:
        assert isinstance(item, ParameterSpec)
        assert item.description.endswith('.'), item.name
        assert f'| `{item.name}` |' in as_markdown()


def test_the_node_declares_the_table(ros):
    import rclpy
    from rclpy.parameter import Parameter

    from spiking_retina_ros.ros.parameter_declaration import current, declare

    node = rclpy.create_node('declared')
    assert declare(node) == Settings() == current(node)
    for item in PARAMETERS:
        declared = node.describe_parameter(item.name)
        assert declared.description == item.description
        assert declared.read_only is not item.live
        assert Parameter.Type(declared.type).name.lower() == item.type_name
    changed = current(node, [Parameter('classes', value=['boat'])])
    assert changed == dataclasses.replace(Settings(), classes=('boat',))
    node.destroy_node()


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'engine': 'abacus'}, "engine: expected event | dense | reference, found 'abacus'"),
        ({'score_threshold': 1.5}, 'score_threshold: expected 0 to 1, found 1.5'),
        ({'cameras': ('a', 'a')}, 'cameras: expected distinct names'),
        ({'cameras': ('bow cam',)}, "found 'bow cam'"),
    ],
)
def test_values_that_cannot_be_are_named(change, complaint):
    problems = dataclasses.replace(Settings(), **change).problems()
    assert len(problems) == 1
    assert complaint in problems[0]
    assert Settings().problems() == []


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'steps': 65}, 'steps: expected at most 64'),
        ({'steps': 8, 'transient': 8}, 'transient: expected less than the 8 steps, found 8'),
        ({'early_steps': 16}, 'early_steps: expected less than the 16 steps'),
        ({'classes': ('whale',)}, "found ['whale']"),
    ],
)
def test_what_the_network_cannot_do_is_named(change, complaint):
    problems = dataclasses.replace(Settings(), **change).problems_with(StandInNetwork())
    assert len(problems) == 1
    assert complaint in problems[0]
    assert Settings().problems_with(StandInNetwork()) == []


def test_a_phased_window_takes_no_transient():
    network = StandInNetwork()
    network.schedule = 'phased'
    (problem,) = Settings(transient=3).problems_with(network)
    assert 'transient: expected 0 or -1 for this network' in problem
    assert 'found 3' in problem
    assert Settings(transient=0).problems_with(network) == []
