"""
The detector for one camera.

ros2 launch spiking_retina_ros detector.launch.py image_topic:=/camera/image_raw
"""

from launch import LaunchDescription

from spiking_retina_ros.ros import launching


def generate_launch_description() -> LaunchDescription:
    arguments = {
        'image_topic': ('image', 'Topic of the images.'),
        'camera_info_topic': ('camera_info', 'Topic of the calibration, for bearings.'),
    }
    return launching.description(_actions, arguments)


def _actions(values: launching.Values) -> list:
    remappings = [('image', values['image_topic']), ('camera_info', values['camera_info_topic'])]
    return [launching.detector(values, remappings=remappings), *launching.rviz(values)]
