"""The launch files: with the real launch where it is installed, by structure everywhere."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import fake_launch
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / 'launch').glob('*.launch.py'))
COMMON = {'namespace', 'params_file', 'model', 'use_sim_time', 'rviz', 'log_level'}


def load(path):
    spec = importlib.util.spec_from_file_location(path.name.partition('.')[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description()


@pytest.fixture
def structure(monkeypatch):
    fake_launch.install(monkeypatch)
    name = 'spiking_retina_ros.ros.launching'
    monkeypatch.delitem(sys.modules, name, raising=False)
    package = importlib.import_module('spiking_retina_ros.ros')
    monkeypatch.setattr(package, 'launching', importlib.import_module(name), raising=False)
    yield
    sys.modules.pop(name, None)


def nodes(actions):
    return {
        item.named['executable']: item.named for item in actions if type(item).__name__ == 'Node'
    }


def test_all_launch_files_are_there_and_installed():
    names = {path.name.partition('.')[0] for path in FILES}
    assert names == {'detector', 'demo', 'multi_camera', 'replay'}


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_the_real_launch_system_takes_it(path):
    launch = pytest.importorskip('launch', reason='launch is not among the wheels')
    pytest.importorskip('launch_ros')
    description = load(path)
    assert isinstance(description, launch.LaunchDescription)
    assert {item.name for item in description.get_launch_arguments()} >= COMMON


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_file_takes_the_common_arguments(structure, path):
    assert set(fake_launch.arguments_of(load(path))) >= COMMON


def test_the_detector_gets_topic_parameters_and_model(structure):
    description = load(ROOT / 'launch/detector.launch.py')
    actions = fake_launch.actions_of(
        description, image_topic='/camera/image_raw', model='/m.safetensors', use_sim_time='true'
    )
    (node,) = nodes(actions).values()
    assert ('image', '/camera/image_raw') in node['remappings']
    file, overrides, time = node['parameters']
    assert Path(file) == ROOT / 'config/detector.yaml'
    assert overrides == {'model': '/m.safetensors'}
    assert time == {'use_sim_time': True}
    plain = fake_launch.actions_of(description, params_file='/p.yaml', rviz='true')
    assert set(nodes(plain)) == {'detector_node', 'rviz2'}
    assert nodes(plain)['detector_node']['parameters'][:2] == ['/p.yaml', {}]
    layout = nodes(plain)['rviz2']['arguments'][1]
    assert Path(layout).is_file()


def test_the_demo_starts_camera_detector_and_rviz(structure):
    actions = fake_launch.actions_of(load(ROOT / 'launch/demo.launch.py'))
    started = nodes(actions)
    assert set(started) == {'sea_camera_node', 'detector_node', 'rviz2'}
    profile = started['sea_camera_node']['additional_env']['FASTRTPS_DEFAULT_PROFILES_FILE']
    assert Path(profile).is_file()
    assert Path(started['sea_camera_node']['parameters'][0]).is_file()


def test_every_camera_of_the_file_is_remapped(structure):
    actions = fake_launch.actions_of(load(ROOT / 'launch/multi_camera.launch.py'))
    (node,) = nodes(actions).values()
    cameras = node['parameters'][1]['cameras']
    assert cameras == ['front_left', 'front_right', 'middle_right']
    remapped = dict(node['remappings'])
    assert set(remapped) == {
        f'{name}/{topic}' for name in cameras for topic in ('image', 'camera_info')
    }
    assert remapped['front_left/image'].startswith('/wamv/sensors/cameras/front_left')


def test_replay_plays_with_a_clock_and_records_the_answers(structure):
    description = load(ROOT / 'launch/replay.launch.py')
    actions = fake_launch.actions_of(description, bag='/bags/harbour', namespace='bow')
    (record,) = (item for item in actions if type(item).__name__ == 'ExecuteProcess')
    assert '/bow/detections' in record.named['cmd']
    assert '/bags/harbour_result' in record.named['cmd']
    (timer,) = (item for item in actions if type(item).__name__ == 'TimerAction')
    assert '--clock' in timer.named['actions'][0].named['cmd']
    (node,) = nodes(actions).values()
    assert {'use_sim_time': True} in node['parameters']
    assert node['parameters'][1] == {'frame_policy': 'every_frame'}
    with pytest.raises(RuntimeError, match='bag:='):
        fake_launch.actions_of(description)


def test_the_rviz_layout_shows_what_the_node_publishes():
    layout = yaml.safe_load((ROOT / 'config/detector.rviz').read_text())['Visualization Manager']
    topics = {item['Topic']['Value'] for item in layout['Displays'] if 'Topic' in item}
    assert topics == {'debug_image', 'bearings'}
    demo = yaml.safe_load((ROOT / 'config/demo.yaml').read_text())['/**']['ros__parameters']
    assert layout['Global Options']['Fixed Frame'] == demo['frame_id']
