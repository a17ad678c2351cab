"""What the launch files share: their common arguments and the nodes they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PACKAGE = 'spiking_retina_ros'

COMMON_ARGUMENTS = {
    'namespace': ('', 'Namespace of all nodes.'),
    'params_file': ('', 'Parameter file of the detector; empty for config/detector.yaml.'),
    'model': ('', 'Spiking model file; empty for what the parameter file says.'),
    'use_sim_time': ('false', 'Take the time from /clock.'),
    'rviz': ('false', 'Start RViz with the layout of this package.'),
    'log_level': ('info', 'debug, info, warn, error or fatal.'),
}

Values = Mapping[str, str]


def description(
    build: Callable[[Values], Sequence[Any]],
    arguments: Mapping[str, tuple[str, str]],
    **defaults: str,
) -> LaunchDescription:
    """
    Return a launch description with the common and further arguments.

    ``arguments`` maps names to (default, description), ``defaults`` changes common defaults.
    ``build`` turns the values, all strings, into actions.
    """
    declared = {
        name: (defaults.get(name, default), text)
        for name, (default, text) in {**arguments, **COMMON_ARGUMENTS}.items()
    }

    def actions(context: Any) -> list[Any]:
        values = {name: LaunchConfiguration(name).perform(context) for name in declared}
        return list(build(values))

    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=text)
                for name, (default, text) in declared.items()
            ),
            OpaqueFunction(function=actions),
        ]
    )


def detector(
    values: Values,
    *,
    remappings: Sequence[tuple[str, str]] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Node:
    """Return the detector node; ``parameters`` win over the parameter file."""
    overrides: dict[str, Any] = dict(parameters or {})
    if values['model']:
        overrides['model'] = values['model']
    return _node(
        'detector_node',
        values,
        name='detector_node',
        remappings=list(remappings),
        parameters=[values['params_file'] or config('detector.yaml'), overrides],
    )


def sea_camera(values: Values, parameter_file: str) -> Node:
    """Return the synthetic camera, with room for its images in shared memory."""
    return _node(
        'sea_camera_node',
        values,
        name='sea_camera_node',
        parameters=[parameter_file],
        additional_env={'FASTRTPS_DEFAULT_PROFILES_FILE': config('fastdds_large_images.xml')},
    )


def rviz(values: Values) -> list[Node]:
    """Return RViz with this package's layout, if it is wanted."""
    if values['rviz'].lower() != 'true':
        return []
    node = Node(
        package='rviz2',
        executable='rviz2',
        namespace=values['namespace'],
        arguments=['-d', config('detector.rviz')],
        parameters=[{'use_sim_time': values['use_sim_time'].lower() == 'true'}],
    )
    return [node]


def config(name: str) -> str:
    """Return the path of a file of config/, from the installed share or the sources."""
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    try:
        return str(Path(get_package_share_directory(PACKAGE)) / 'config' / name)
    except PackageNotFoundError:
        return str(Path(__file__).resolve().parents[2] / 'config' / name)


def read_yaml(path: str) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(Path(path).read_text(encoding='utf-8'))


def _node(executable: str, values: Values, *, parameters: list[Any], **options: Any) -> Node:
    return Node(
        package=PACKAGE,
        executable=executable,
        namespace=values['namespace'],
        output='screen',
        parameters=[*parameters, {'use_sim_time': values['use_sim_time'].lower() == 'true'}],
        arguments=['--ros-args', '--log-level', values['log_level']],
        **options,
    )
