"""
One network for several cameras, named in a YAML file with their topics.

ros2 launch spiking_retina_ros multi_camera.launch.py cameras_file:=my_cameras.yaml
"""

from launch import LaunchDescription

from spiking_retina_ros.ros import launching


def generate_launch_description() -> LaunchDescription:
    arguments = {
        'cameras_file': ('', 'The cameras; empty for config/multi_camera.yaml (VRX, WAM-V).'),
    }
    return launching.description(_actions, arguments)


def _actions(values: launching.Values) -> list:
    path = values['cameras_file'] or launching.config('multi_camera.yaml')
    cameras = launching.read_yaml(path)['cameras']
    remappings = [
        (f'{name}/{topic}', topics[topic])
        for name, topics in cameras.items()
        for topic in ('image', 'camera_info')
        if topic in topics
    ]
    node = launching.detector(
        values, remappings=remappings, parameters={'cameras': sorted(cameras)}
    )
    return [node, *launching.rviz(values)]
