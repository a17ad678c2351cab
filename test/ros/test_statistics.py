from __future__ import annotations

import numpy as np
import pytest

from spiking_retina_ros.detections import FrameResult, WindowStatistics
from spiking_retina_ros.ros.diagnostics import camera_values
from spiking_retina_ros.ros.statistics import CameraStatistics, Timing


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def result(spikes):
    return FrameResult(
        boxes=np.zeros((2, 4), np.float32),
        scores=np.ones(2, np.float32),
        class_names=('boat', 'buoy'),
        image_size=(10, 10),
        milliseconds=1.0,
        window=WindowStatistics(10, 2, 100, spikes, spikes * 20),
    )


def test_a_snapshot_says_what_happened():
    clock = Clock()
    statistics = CameraStatistics(clock)
    for number in range(11):
        clock.now = number * 0.1
        statistics.image_received()
        if number % 2:
            statistics.frame_dropped('superseded')
        else:
            inference = 10.0 * (number + 1)
            timing = Timing(1.0, inference, 0.5, inference + 1.5, 200.0)
            statistics.frame_answered(result(100 * (number + 1)), timing)
    clock.now = 1.5
    snapshot = statistics.snapshot()
    assert (snapshot.received, snapshot.answered) == (11, 6)
    assert snapshot.dropped == {'superseded': 5}
    assert snapshot.objects == {'boat': 6, 'buoy': 6}
    assert snapshot.rate_in == pytest.approx(10.0)
    assert snapshot.rate_out == pytest.approx(5.0)
    assert snapshot.seconds_since_answer == pytest.approx(0.5)
    assert snapshot.timings['inference'].median == pytest.approx(60.0)
    assert snapshot.timings['inference'].p95 == pytest.approx(105.0)
    assert 'early' not in snapshot.timings
    assert snapshot.spikes_per_frame == pytest.approx(600.0)
    assert snapshot.mean_rate == pytest.approx(0.6)
    values = camera_values(snapshot, 23.6)
    assert values['dropped_superseded'] == '5'
    assert float(values['energy_per_frame_mj']) == pytest.approx(12000 * 23.6e-9, abs=1e-4)


def test_rates_fade_when_nothing_comes_and_reset_forgets():
    clock = Clock()
    statistics = CameraStatistics(clock)
    for number in range(5):
        clock.now = number * 1.0
        statistics.image_received()
    assert statistics.snapshot().rate_in == pytest.approx(1.0)
    clock.now = 60.0
    assert statistics.snapshot().rate_in == 0.0
    statistics.reset()
    assert statistics.snapshot().received == 0
    assert statistics.snapshot().seconds_since_image is None
