"""The package as ROS 2 and pip see it."""

from __future__ import annotations

import ast
import configparser
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from rosbags.typesys import get_types_from_msg

from spiking_retina_ros.datasets.vision_messages import message_types

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'spiking_retina_ros'
ROS_MODULES = {
    'rclpy',
    'ament_index_python',
    'builtin_interfaces',
    'cv_bridge',
    'diagnostic_msgs',
    'geometry_msgs',
    'launch',
    'launch_ros',
    'lifecycle_msgs',
    'rcl_interfaces',
    'rosgraph_msgs',
    'sensor_msgs',
    'std_msgs',
    'vision_msgs',
    'visualization_msgs',
}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_entry_points_and_scripts_lead_somewhere():
    scripts = re.findall(r"'(\w+) = ([\w.]+):(\w+)'", (ROOT / 'setup.py').read_text())
    assert {name for name, _, _ in scripts} == {'detector_node', 'sea_camera_node'}
    for _, module, function in scripts:
        source = ROOT / (module.replace('.', '/') + '.py')
        names = {item.name for item in ast.parse(source.read_text()).body if hasattr(item, 'name')}
        assert function in names
    settings = configparser.ConfigParser()
    settings.read(ROOT / 'setup.cfg')
    assert settings['install']['install_scripts'] == '$base/lib/spiking_retina_ros'


def test_package_xml_names_what_the_node_imports():
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    assert package.get('format') == '3'
    assert package.findtext('export/build_type') == 'ament_python'
    named = {item.text for item in package.findall('exec_depend')}
    used = {
        name.partition('.')[0] for path in PACKAGE.glob('ros/*.py') for name in imports(path)
    } & ROS_MODULES
    # Both come with rclpy.
    assert used - {'rcl_interfaces', 'builtin_interfaces', 'rosgraph_msgs'} <= named
    assert package.findtext('version') in (ROOT / 'setup.py').read_text()


@pytest.mark.parametrize('kind', ['requirements', 'requirements-ros', 'requirements-test'])
def test_requirements_are_pinned(kind):
    lines = (ROOT / f'{kind}.txt').read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith('#')]
    assert all(re.fullmatch(r'[\w.-]+==[\w.]+', line) for line in wanted)
    if kind == 'requirements':
        assert wanted[0].startswith('torch==')


def test_detection_messages_are_those_of_every_other_ros_2_machine():
    ament = pytest.importorskip('ament_index_python.packages')
    pytest.importorskip('vision_msgs.msg')
    share = Path(ament.get_package_share_directory('vision_msgs'))
    description = json.loads((share / 'msg/Detection2DArray.json').read_text())
    hashes = {item['type_name']: item['hash_string'] for item in description['type_hashes']}
    assert hashes['vision_msgs/msg/Detection2DArray'] == (
        'RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968'
    )


def test_the_interface_files_are_those_bags_are_read_with():
    messages = {
        f'vision_msgs/msg/{path.stem}': get_types_from_msg(
            path.read_text(), f'vision_msgs/msg/{path.stem}'
        )[f'vision_msgs/msg/{path.stem}']
        for path in (ROOT / 'tools/vision_msgs/msg').glob('*.msg')
    }
    known = message_types().fielddefs
    assert {name for name in known if name.startswith('vision_msgs/')} == set(messages)
    assert all(known[name] == definition for name, definition in messages.items())
