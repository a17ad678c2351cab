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


def images(*, depth: int = 1) -> QoSProfile:
    """
    Return the profile to receive images with: best effort, which connects to every camera.

    Keep-last 1, so that the newest image is at hand; deeper for replay, where each one counts.
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
