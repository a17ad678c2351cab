"""Why a camera topic gives nothing, in words a person can act on. Needs no ROS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """One publisher of the topic: node name, message type (pkg/msg/Type), QoS policy names."""

    node: str
    type_name: str
    reliability: str
    durability: str


@dataclass(frozen=True)
class Listening:
    """How the node listens: full topic name, message type and QoS policy names."""

    topic: str
    type_name: str
    reliability: str
    durability: str


def explain(
    listening: Listening,
    publishers: Sequence[Endpoint],
    *,
    received: int,
    last_error: str = '',
    seconds: float = 0.0,
) -> str:
    """
    Return what is wrong with a topic from which no image was answered for ``seconds``.

    ``received`` counts the images that did arrive within that time.
    """
    topic = listening.topic
    if received and last_error:
        return f'images arrive on {topic} but none can be used: {last_error}'
    if not publishers:
        return f'nobody publishes {topic}: start the camera or remap the topic image'
    if all(item.type_name != listening.type_name for item in publishers):
        return _other_type(listening, publishers[0])
    matching = [item for item in publishers if item.type_name == listening.type_name]
    reasons = [_incompatible(listening, item) for item in matching]
    if all(reasons):
        return '; '.join(str(reason) for reason in reasons)
    names = ', '.join(item.node for item in matching)
    return f'{names} publishes {topic} but sent nothing for {seconds:.0f} s: is the camera running?'


def _other_type(listening: Listening, publisher: Endpoint) -> str:
    advice = 'remap the topic image to one of the expected type'
    if publisher.type_name == 'sensor_msgs/msg/CompressedImage':
        advice = 'set the parameter image_transport to compressed'
    elif publisher.type_name == 'sensor_msgs/msg/Image':
        advice = 'set the parameter image_transport to raw'
    return (
        f'{publisher.node} publishes {listening.topic} as {publisher.type_name}, expected '
        f'{listening.type_name}: {advice}'
    )


def _incompatible(listening: Listening, publisher: Endpoint) -> str | None:
    """Return why DDS does not connect the two, or None if it does."""
    prefix = f'qos_overrides.{listening.topic}.subscription'
    if listening.reliability == 'reliable' and publisher.reliability == 'best_effort':
        return (
            f'{publisher.node} offers {listening.topic} best effort, but reliable is asked for: '
            f'set {prefix}.reliability to best_effort'
        )
    if listening.durability == 'transient_local' and publisher.durability == 'volatile':
        return (
            f'{publisher.node} offers {listening.topic} volatile, but transient local is asked '
            f'for: set {prefix}.durability to volatile'
        )
    return None
