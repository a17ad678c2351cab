"""
A synthetic sea, the detector and RViz: everything one can see without a boat.

ros2 launch spiking_retina_ros demo.launch.py
"""

from launch import LaunchDescription

from spiking_retina_ros.ros import launching


def generate_launch_description() -> LaunchDescription:
    arguments = {
        'camera_file': ('', 'Parameter file of the sea camera; empty for config/demo.yaml.'),
    }
    return launching.description(_actions, arguments, rviz='true')


def _actions(values: launching.Values) -> list:
    camera_file = values['camera_file'] or launching.config('demo.yaml')
    return [
        launching.sea_camera(values, camera_file),
        launching.detector(values),
        *launching.rviz(values),
    ]
