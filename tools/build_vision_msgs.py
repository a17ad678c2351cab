"""
Build and install vision_msgs from the interface files beside this script.

ROS 2 wheels from PyPI bring no vision_msgs, so a virtual environment made of them generates it
once. Run it with that environment's Python. Where vision_msgs can be imported already, from an
earlier run or from a sourced ROS 2 installation, nothing is built; either way the type hash of
Detection2DArray is compared with the published one, because two machines whose hashes differ do
not hear each other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PUBLISHED_TYPE_HASH = 'RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968'
SOURCE_DIRECTORY = Path(__file__).resolve().parent / 'vision_msgs'
BUILD_TOOLS = ('cmake', 'ninja', 'c++')


def main() -> int:
    """Build where needed, check the type hash, and return the exit status."""
    prefix = Path(sys.prefix)
    if not importable(prefix):
        missing = [tool for tool in BUILD_TOOLS if shutil.which(tool, path=_path(prefix)) is None]
        if missing:
            print(f'error: building vision_msgs needs {", ".join(missing)}', file=sys.stderr)
            return 1
        for file in repair_exports(prefix):
            print(f'corrected the build paths in {file}')
        try:
            build(prefix, SOURCE_DIRECTORY.parents[1] / 'build' / 'vision_msgs')
        except subprocess.CalledProcessError as error:
            print(f'error: vision_msgs: {error.cmd[0]} failed, see above', file=sys.stderr)
            return 1
    if not importable(prefix):
        print('error: vision_msgs was built but cannot be imported', file=sys.stderr)
        return 1
    found = installed_type_hash([prefix, *_ament_prefixes()])
    if found != PUBLISHED_TYPE_HASH:
        print(
            f'error: vision_msgs/Detection2DArray: expected type hash {PUBLISHED_TYPE_HASH}, '
            f'found {found}',
            file=sys.stderr,
        )
        return 1
    print('vision_msgs is ready: the type hash of Detection2DArray is the published one')
    return 0


def importable(prefix: Path) -> bool:
    """Return whether a fresh interpreter can import vision_msgs' messages."""
    command = [sys.executable, '-c', 'from vision_msgs.msg import Detection2DArray, LabelInfo']
    finished = subprocess.run(command, env=clean_environment(prefix), capture_output=True)
    return finished.returncode == 0


def repair_exports(prefix: Path) -> list[Path]:
    """
    Point the wheels' CMake exports at this interpreter; return the files changed.

    The wheels were built elsewhere and export the Python and numpy include folders of that
    machine, which CMake refuses as soon as they do not exist.
    """
    import numpy

    python_include = sysconfig.get_paths()['include']
    numpy_include = numpy.get_include()
    changed = []
    pattern = 'share/*/cmake/export_*__rosidl_generator_pyExport.cmake'
    for file in sorted(prefix.glob(pattern)):
        before = file.read_text(encoding='utf-8')
        after = re.sub(r'/opt/python/[^;"]*/numpy/_?core/include', numpy_include, before)
        after = re.sub(r'/opt/python/[^;"/]*/include/python[0-9.]+', python_include, after)
        if after != before:
            file.write_text(after, encoding='utf-8')
            changed.append(file)
    return changed


def build(prefix: Path, build_directory: Path) -> None:
    """Configure, compile and install into ``prefix``; raises CalledProcessError on failure."""
    environment = clean_environment(prefix)
    shutil.rmtree(build_directory, ignore_errors=True)
    configure = [
        'cmake',
        *('-G', 'Ninja', '-S', str(SOURCE_DIRECTORY), '-B', str(build_directory)),
        f'-DCMAKE_PREFIX_PATH={prefix}',
        f'-DCMAKE_INSTALL_PREFIX={prefix}',
        f'-DPython3_EXECUTABLE={sys.executable}',
        '-DBUILD_TESTING=OFF',
    ]
    subprocess.run(configure, env=environment, check=True)
    subprocess.run(['ninja', '-C', str(build_directory), 'install'], env=environment, check=True)


def clean_environment(prefix: Path) -> dict[str, str]:
    """
    Return an environment for child processes that belongs to ``prefix`` alone.

    The wheels' bootstrapper re-executes Python with LD_LIBRARY_PATH set and leaves a guard
    behind; a child that inherited both would skip its own bootstrap.
    """
    environment = dict(os.environ)
    if environment.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None):
        environment.pop('LD_LIBRARY_PATH', None)
    prefixes = [str(prefix), *(str(item) for item in _ament_prefixes() if item != prefix)]
    environment['AMENT_PREFIX_PATH'] = os.pathsep.join(prefixes)
    environment['PATH'] = _path(prefix)
    return environment


def installed_type_hash(prefixes: list[Path]) -> str | None:
    """Return the type hash of the first Detection2DArray description found under ``prefixes``."""
    for prefix in prefixes:
        description = prefix / 'share/vision_msgs/msg/Detection2DArray.json'
        if description.is_file():
            entries = json.loads(description.read_text(encoding='utf-8'))['type_hashes']
            for entry in entries:
                if entry['type_name'] == 'vision_msgs/msg/Detection2DArray':
                    return str(entry['hash_string'])
    return None


def _ament_prefixes() -> list[Path]:
    return [Path(item) for item in os.environ.get('AMENT_PREFIX_PATH', '').split(':') if item]


def _path(prefix: Path) -> str:
    return os.pathsep.join([str(prefix / 'bin'), os.environ.get('PATH', os.defpath)])


if __name__ == '__main__':
    sys.exit(main())
