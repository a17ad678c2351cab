"""Image messages no camera should send, for the soak: truncated, contradictory, random."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

ENCODINGS = ('bgr8', 'rgba8', 'mono16', 'bayer_rggb8', 'uyvy', 'nv12', 'jpeg', '', '8UC3')


def malformed_messages(seed: int) -> Iterator[bytes]:
    """Yield serialized Image messages, for ever, none of which carries a whole picture."""
    rng = np.random.default_rng(seed)
    kinds = (_contradictory, _truncated, _damaged, _random)
    while True:
        yield kinds[int(rng.integers(len(kinds)))](rng)


def _contradictory(rng: np.random.Generator) -> bytes:
    """Return a message that deserializes but whose size asks for more data than it has."""
    width, height = (int(value) for value in rng.integers(0, 2000, 2))
    message = Image(
        width=width,
        height=height,
        step=int(rng.integers(0, 6000)),
        encoding=str(rng.choice(ENCODINGS)),
        is_bigendian=int(rng.integers(2)),
        # Shorter than the smallest row of the smallest encoding that could fit.
        data=rng.bytes(int(rng.integers(0, max(1, min(width, 300))))) if height > 1 else b'',
    )
    return bytes(serialize_message(message))


def _truncated(rng: np.random.Generator) -> bytes:
    whole = _contradictory(rng)
    return whole[: int(rng.integers(0, len(whole)))]


def _damaged(rng: np.random.Generator) -> bytes:
    payload = bytearray(_contradictory(rng))
    for _ in range(int(rng.integers(1, 6))):
        payload[int(rng.integers(min(64, len(payload))))] = int(rng.integers(256))
    return bytes(payload)


def _random(rng: np.random.Generator) -> bytes:
    return rng.bytes(int(rng.integers(0, 400)))
