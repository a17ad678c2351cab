"""Who may import whom, and that everything outside ros/ works where there is no ROS."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'spiking_retina_ros'

# folder -> folders it may import; modules at the top of the package are for everybody
ALLOWED = {
    'spiking': set(),
    'datasets': set(),
    'retinanet': {'datasets'},
    'conversion': {'datasets', 'retinanet', 'spiking'},
    'evaluation': {'conversion', 'datasets', 'retinanet', 'spiking'},
    'ros': {'conversion', 'datasets', 'evaluation', 'retinanet', 'spiking'},
    'arguments': {'conversion', 'datasets', 'evaluation', 'retinanet', 'spiking'},
    'commands': {
        'arguments',
        'conversion',
        'datasets',
        'evaluation',
        'retinanet',
        'ros',
        'spiking',
    },
}
ROS_PACKAGES = ('rclpy', 'sensor_msgs', 'vision_msgs', 'std_msgs', 'diagnostic_msgs', 'cv_bridge')


def imported_modules(path):
    """Absolute names of all modules a file imports, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            yield node.module
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


@pytest.mark.parametrize('folder', sorted(ALLOWED))
def test_a_folder_imports_only_what_it_may(folder):
    wrong = []
    for path in (PACKAGE / folder).rglob('*.py'):
        for module in imported_modules(path):
            parts = module.split('.')
            if parts[0] == 'spiking_retina_ros' and len(parts) > 1:
                other = parts[1]
                if other in ALLOWED and other != folder and other not in ALLOWED[folder]:
                    wrong.append(f'{path.relative_to(PACKAGE)} imports {module}')
    assert not wrong


def test_commands_do_not_import_one_another():
    wrong = [
        f'{path.relative_to(PACKAGE)} imports {module}'
        for path in (PACKAGE / 'commands').rglob('*.py')
        for module in imported_modules(path)
        if module.startswith('spiking_retina_ros.commands')
    ]
    assert not wrong


def test_only_ros_imports_ros():
    wrong = [
        f'{path.relative_to(PACKAGE)} imports {module}'
        for path in PACKAGE.rglob('*.py')
        if path.relative_to(PACKAGE).parts[0] != 'ros'
        for module in imported_modules(path)
        if module.split('.')[0] in ROS_PACKAGES
    ]
    assert not wrong


def test_everything_but_the_node_imports_without_ros():
    script = f"""
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {ROS_PACKAGES!r}:
            raise ImportError(f'{{name}} is blocked')

sys.meta_path.insert(0, Blocker())
import spiking_retina_ros
count = 0
for item in pkgutil.walk_packages(spiking_retina_ros.__path__, 'spiking_retina_ros.'):
    if item.name.split('.')[1] != 'ros' and not item.name.endswith('__main__'):
        importlib.import_module(item.name)
        count += 1
print(count)
"""
    result = subprocess.run(
        [sys.executable, '-c', script],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 40
