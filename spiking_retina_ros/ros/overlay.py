"""The debug picture: boxes, classes, scores, and what the network spent on it. Needs no ROS."""

from __future__ import annotations

from spiking_retina_ros.detections import FrameResult, ImageArray, draw_detections


def draw_answer(image: ImageArray, result: FrameResult, *, frame_rate: float = 0.0) -> ImageArray:
    """Return a copy of the BGR image (H, W, 3) uint8 with boxes and a line of figures."""
    return draw_detections(image, result, caption=caption(result, frame_rate=frame_rate))


def caption(result: FrameResult, *, frame_rate: float = 0.0) -> str:
    """Return the line under the picture: steps, spikes, milliseconds and frames per second."""
    parts = [f'{result.milliseconds:.0f} ms']
    if result.window is not None:
        parts = [f'{result.window.steps} steps', f'{short(result.window.spikes)} spikes', *parts]
    if frame_rate > 0:
        parts.append(f'{frame_rate:.1f} Hz')
    return '  '.join(parts)


def short(count: float) -> str:
    """Return a count with three digits and a unit: 950, 12.3 k, 84.0 M, 10.8 G."""
    for factor, unit in ((1e9, ' G'), (1e6, ' M'), (1e3, ' k')):
        if count >= factor:
            return f'{count / factor:.1f}{unit}'
    return f'{count:.0f}'
