"""
Play a rosbag2 to the detector on the bag's own clock and record what it publishes.

ros2 launch spiking_retina_ros replay.launch.py bag:=my_bag image_topic:=/camera/image_raw
"""

from launch import LaunchDescription
from launch.actions import EmitEvent, ExecuteProcess, RegisterEventHandler, TimerAction
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown

from spiking_retina_ros.ros import launching

OUTPUT_TOPICS = ('detections', 'detections_early', 'label_info', 'bearings')


def generate_launch_description() -> LaunchDescription:
    arguments = {
        'bag': ('', 'The rosbag2 to play; needed.'),
        'image_topic': ('image', 'Topic of the images in the bag.'),
        'camera_info_topic': ('camera_info', 'Topic of the calibration in the bag.'),
        'replay_file': ('', 'How to play and record; empty for config/replay.yaml.'),
        'result_bag': ('', 'Where to record; empty for <bag>_result.'),
    }
    return launching.description(_actions, arguments, use_sim_time='true')


def _actions(values: launching.Values) -> list:
    if not values['bag']:
        raise RuntimeError('replay.launch.py: expected bag:=<rosbag2>, found nothing')
    options = launching.read_yaml(values['replay_file'] or launching.config('replay.yaml'))
    remappings = [('image', values['image_topic']), ('camera_info', values['camera_info_topic'])]
    node = launching.detector(values, remappings=remappings, parameters=options['detector'])
    namespace = f'/{values["namespace"].strip("/")}/'.replace('//', '/')
    topics = [namespace + name for name in OUTPUT_TOPICS] + ['/diagnostics']
    result_bag = values['result_bag'] or values['bag'].rstrip('/') + '_result'
    record = ExecuteProcess(
        cmd=['ros2', 'bag', 'record', '--storage', 'mcap', '--output', result_bag, *topics],
        output='screen',
    )
    play = ExecuteProcess(
        cmd=['ros2', 'bag', 'play', values['bag'], '--clock', '--rate', str(options['rate'])],
        output='screen',
        additional_env={
            'FASTRTPS_DEFAULT_PROFILES_FILE': launching.config('fastdds_large_images.xml')
        },
    )
    at_the_end = TimerAction(
        period=float(options['seconds_after_end']),
        actions=[EmitEvent(event=Shutdown(reason='the bag has been played'))],
    )
    return [
        node,
        record,
        # The network loads and both sides find each other before the first image.
        TimerAction(period=float(options['seconds_before_start']), actions=[play]),
        RegisterEventHandler(OnProcessExit(target_action=play, on_exit=[at_the_end])),
        *launching.rviz(values),
    ]
