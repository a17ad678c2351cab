"""Vessels of every kind, each varied by its own seed."""

from __future__ import annotations

import numpy as np

from spiking_retina_ros.datasets.sea.motor_boats import build_motor_boat
from spiking_retina_ros.datasets.sea.sailing_boats import build_sailing_boat
from spiking_retina_ros.datasets.sea.ships import build_ferry, build_freighter
from spiking_retina_ros.datasets.sea.small_craft import build_dinghy
from spiking_retina_ros.datasets.sea.solid import Solid

_BUILDERS = {
    'sailing': build_sailing_boat,
    'motor': build_motor_boat,
    'ferry': build_ferry,
    'freighter': build_freighter,
    'dinghy': build_dinghy,
}
KINDS = tuple(_BUILDERS)


def build_vessel(kind: str, rng: np.random.Generator) -> Solid:
    """Return a vessel of one of ``KINDS``, drawn by ``rng``."""
    return _BUILDERS[kind](rng).solid()
