from __future__ import annotations

import time
from itertools import islice

import pytest
from stand_in import StandInNetwork
from test_answering import Recorder

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros import soak
from spiking_retina_ros.ros.answering import Context, Frame, FrameDropped, answer
from spiking_retina_ros.ros.malformed import malformed_messages
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.soak_report import NodeLife, SoakReport, ends


def test_the_ends_of_a_series_leave_the_warm_up_out():
    assert ends([500.0] * 2 + [100.0] * 6 + [110.0] * 2) == (100.0, 110.0)
    assert ends([]) == (0.0, 0.0)


def test_a_report_complains_about_what_is_not_good_enough():
    good = NodeLife(
        megabytes=[100.0] * 10,
        shared_megabytes=[36.0] * 8 + [65.0] * 2,
        medians=[5.0] * 10,
        p95s=[9.0] * 10,
        figures={'frames_answered': '3', 'dropped_failed': '0'},
        seconds_to_first_answer=2.0,
    )
    report = SoakReport(60.0, [good, good])
    assert report.complaints == []
    assert report.totals['frames_answered'] == 6
    growing = NodeLife(
        megabytes=[100.0] * 8 + [110.0] * 2,
        shared_megabytes=[36.0] * 8 + [200.0] * 2,
        figures={'dropped_failed': '1'},
    )
    report = SoakReport(60.0, [growing], crashes=['the camera is gone'], seconds_to_end=3.0)
    words = ' '.join(report.complaints)
    for word in (
        'camera is gone',
        'grew by 10.0 %',
        '36 to 200 MB',
        'no answer',
        '1 frames failed',
        '3.0 s',
    ):
        assert word in words


def test_no_malformed_message_is_answered():
    for payload in islice(malformed_messages(seed=1), 10_000):
        with pytest.raises(FrameDropped):
            answer(
                Frame('', payload, False, time.monotonic()),
                Context(StandInNetwork(), Settings(), None),
                Recorder(),
                lambda: 0.0,
            )


@pytest.mark.ros
@pytest.mark.slow
def test_a_short_soak_survives_everything(domain, monkeypatch):
    monkeypatch.setattr(soak, 'DETECTOR', 'stand_in')
    with soak.Soak(seconds=12.0, rate=20.0, size=(320, 240), parameters=[]) as run:
        report = run.run()
    assert report.crashes == []
    assert report.refusals == []
    assert len(report.lives) == 2
    assert all(life.seconds_to_first_answer is not None for life in report.lives)
    assert report.totals['dropped_undecodable'] > 50
    assert report.totals['frames_answered'] > 50
    assert report.seconds_to_end < 2


@pytest.mark.ros
def test_a_node_that_does_not_start_ends_the_soak_with_its_reason(domain):
    parameters = ['model:=/nowhere/model.safetensors']
    run = soak.Soak(seconds=30.0, rate=5.0, size=(160, 120), parameters=parameters)
    with pytest.raises(UserError, match=r'/nowhere/model\.safetensors'):
        run.__enter__()
