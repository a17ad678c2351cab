"""The QoS of every topic in one place."""

from __future__ import annotations

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rclpy.qos_overriding_options import QoSOverridingOptions, QoSPolicyKind

# As many as ROS 2's profile for sensors keeps. Where two publishers share a topic, an image may
# arrive after newer ones; if as many of those wait as are kept, Fast DDS (2.14 to 3.x) takes the
# image for stored and never frees it (DataReaderHistory::received_change_keep_last).
IMAGE_DEPTH = 5


def images(*, depth: int = IMAGE_DEPTH) -> QoSProfile:
    """
    Return the profile to receive images with: best effort, which connects to every camera.

    Which frame is the newest the mailbox decides; deeper for replay, where each one counts.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT
    )


def camera_info() -> QoSProfile:
    """Return the profile to receive camera_info with; connects to every camera."""
    return qos_profile_sensor_data


def results(*, depth: int = 10) -> QoSProfile:
    """Return the profile of detections and pictures: reliable, the last ten."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE
    )


def latched() -> QoSProfile:
    """Return the profile of what late subscribers must still see, such as label_info."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


def overridable() -> QoSOverridingOptions:
    """Let a topic's QoS be set by the standard parameters ``qos_overrides.<topic>...``."""
    return QoSOverridingOptions(
        policy_kinds=(
            QoSPolicyKind.HISTORY,
            QoSPolicyKind.DEPTH,
            QoSPolicyKind.RELIABILITY,
            QoSPolicyKind.DURABILITY,
        )
    )
