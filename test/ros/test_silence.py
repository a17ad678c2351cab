from __future__ import annotations

import pytest

from spiking_retina_ros.ros.silence import Endpoint, Listening, explain

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
GOOD = Endpoint('/webcam', IMAGE, 'reliable', 'volatile')
BEST_EFFORT = Endpoint('/webcam', IMAGE, 'best_effort', 'volatile')
LISTENING = Listening('/bow/image', IMAGE, 'best_effort', 'volatile')
STRICT = Listening('/bow/image', IMAGE, 'reliable', 'transient_local')


@pytest.mark.parametrize(
    ('listening', 'publishers', 'received', 'error', 'words'),
    [
        (LISTENING, [], 0, '', ['nobody publishes /bow/image', 'remap']),
        (LISTENING, [GOOD], 0, '', ['/webcam', 'sent nothing for 4 s']),
        (LISTENING, [GOOD], 9, 'unknown encoding x', ['none can be used: unknown encoding x']),
        (
            STRICT,
            [BEST_EFFORT],
            0,
            '',
            ['/webcam', 'qos_overrides./bow/image.subscription.reliability to best_effort'],
        ),
        (STRICT, [GOOD], 0, '', ['qos_overrides./bow/image.subscription.durability to volatile']),
        (
            LISTENING,
            [Endpoint('/webcam', COMPRESSED, 'reliable', 'volatile')],
            0,
            '',
            ['image_transport to compressed'],
        ),
        (
            STRICT,
            [BEST_EFFORT, Endpoint('/b', IMAGE, 'reliable', 'transient_local')],
            0,
            '',
            ['/b'],
        ),
    ],
)
def test_the_explanation_names_the_cause_and_the_remedy(
    listening, publishers, received, error, words
):
    text = explain(listening, publishers, received=received, last_error=error, seconds=4.0)
    for word in words:
        assert word in text
