"""Spiking perception of boats and buoys: RetinaNet to integrate-and-fire neurons, and ROS 2."""

from spiking_retina_ros.detections import Detection, FrameResult, WindowStatistics

__all__ = ['AnalogDetector', 'Detection', 'FrameResult', 'SpikingDetector', 'WindowStatistics']


def __getattr__(name: str) -> object:
    """Import the detectors, and with them torch, only when somebody asks for them."""
    if name in ('AnalogDetector', 'SpikingDetector'):
        from spiking_retina_ros import detector

        return getattr(detector, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
