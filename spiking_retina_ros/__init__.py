"""Spiking perception of boats and buoys: RetinaNet to integrate-and-fire neurons, and ROS 2."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spiking_retina_ros.detections import Detection, FrameResult, WindowStatistics
    from spiking_retina_ros.detector import AnalogDetector, SpikingDetector

__all__ = ['AnalogDetector', 'Detection', 'FrameResult', 'SpikingDetector', 'WindowStatistics']


def __getattr__(name: str) -> object:
    """Import what the package offers, and with it torch or OpenCV, only when somebody asks."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = 'detector' if name.endswith('Detector') else 'detections'
    return getattr(import_module(f'{__name__}.{module}'), name)
