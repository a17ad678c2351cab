"""States, live parameters, simulated time and the end of the process."""

from __future__ import annotations

import signal
import time

import pytest
from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import Transition
from probe import diagnostic_values, milliseconds
from processes import Shown, stand_in
from rosgraph_msgs.msg import Clock

from spiking_retina_ros.ros.child_process import DETECTOR

pytestmark = pytest.mark.ros


def test_transitions_do_what_their_names_say(probe, sea_picture):
    with stand_in(autostart='false') as node:
        found = probe.listen('detections')
        assert probe.state() == 'unconfigured'
        assert probe.change_state(Transition.TRANSITION_CONFIGURE)
        assert probe.state() == 'inactive'
        assert probe.node.count_subscribers('image') == 0
        for _ in range(2):
            assert probe.change_state(Transition.TRANSITION_ACTIVATE)
            probe.send(sea_picture, 1)
            probe.until(lambda: found)
            assert probe.change_state(Transition.TRANSITION_DEACTIVATE)
            probe.until(lambda: probe.node.count_subscribers('image') == 0)
            found.clear()
        assert probe.change_state(Transition.TRANSITION_CLEANUP)
        assert probe.state() == 'unconfigured'
        assert probe.change_state(Transition.TRANSITION_CONFIGURE)
        assert probe.change_state(Transition.TRANSITION_INACTIVE_SHUTDOWN)
        assert probe.state() == 'finalized'
        assert node.stop() == 0


def test_a_network_that_cannot_be_loaded_leaves_the_node_unconfigured(probe):
    arguments = ['--ros-args', '-p', 'autostart:=false', '-p', 'model:=/nowhere/x.safetensors']
    with Shown(DETECTOR, arguments) as node:
        diagnostics = probe.listen_to_diagnostics()
        assert not probe.change_state(Transition.TRANSITION_CONFIGURE)
        assert probe.state() == 'unconfigured'
        diagnostics.clear()
        probe.until(lambda: diagnostics)
        level, text, _ = diagnostic_values(diagnostics[-1], 'detector_node')
        assert node.stop() == 0
    assert level == b'\x02'
    assert '/nowhere/x.safetensors' in text


def test_parameters_change_live_and_together_or_not_at_all(probe, sea_picture):
    with stand_in():
        found, labels = probe.listen('detections'), probe.listen_to_labels()
        probe.connect()
        probe.until(lambda: labels)
        assert [item.class_name for item in labels[0].class_map] == ['boat', 'buoy']
        assert labels[0].threshold == pytest.approx(0.4)

        refused = probe.set_parameters(score_threshold=0.7, steps=65)
        assert not refused.successful
        assert 'steps: expected at most 64 for this network, found 65' in refused.reason
        read_only = probe.set_parameters(engine='dense')
        assert not read_only.successful
        assert 'read-only' in read_only.reason
        probe.send(sea_picture, 1)
        probe.until(lambda: len(found) == 1)
        assert len(found[0].detections) == 2

        assert probe.set_parameters(score_threshold=0.7, steps=32).successful
        probe.until(lambda: len(labels) == 2)
        assert labels[1].threshold == pytest.approx(0.7)
        probe.send(sea_picture, 2)
        probe.until(lambda: len(found) == 2)
        assert len(found[1].detections) == 1


def test_simulated_time_may_stand_still_and_jump_back(probe, sea_picture):
    with stand_in(use_sim_time='true', max_frame_age=1.0, **{'diagnostics.period': 0.2}) as node:
        found, diagnostics = probe.listen('detections'), probe.listen_to_diagnostics()
        clock = probe.connect('/clock', Clock)
        probe.connect()

        def tick(seconds):
            clock.publish(Clock(clock=Time(sec=seconds)))
            probe.spin(0.3)

        tick(100)
        probe.send(sea_picture, 99_500)
        probe.until(lambda: len(found) == 1)
        probe.send(sea_picture, 98_000)  # two seconds old: dropped
        probe.spin(0.3)
        tick(50)
        assert 'time jumped back' in node.output()
        probe.send(sea_picture, 49_800)
        probe.until(lambda: len(found) == 2)
        before = len(diagnostics)
        probe.until(lambda: len(diagnostics) > before + 2)  # though the clock stands still
        values = diagnostic_values(diagnostics[-1], ': camera')[2]
    assert [milliseconds(item.header) for item in found] == [99_500, 49_800]
    assert values['frames_answered'] == '1'  # counted since the jump
    assert values['age_ms_median'] == '200.00'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_real_node_while_it_starts(probe, number):
    for seconds in (0.8, 2.0, 4.0):  # imports, rclpy, the network
        with Shown(DETECTOR) as node:
            time.sleep(seconds)
            started = time.monotonic()
            assert node.stop(number) == 0, seconds
            assert time.monotonic() - started < 2
            assert 'Traceback' not in node.output()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_node_in_time_even_within_a_long_frame(probe, sea_picture, number):
    with stand_in('--delay', '5') as node:
        node.wait_for('loading')
        time.sleep(0.5)
        assert 'listening' not in node.output()
        started = time.monotonic()
        assert node.stop(number) == 0  # while the network warms up
        assert time.monotonic() - started < 2
        assert 'Traceback' not in node.output()
    with stand_in('--delay', '0.9') as node:
        found = probe.listen('detections')
        probe.connect()
        for stamp in range(20):
            probe.send(sea_picture, stamp)
            probe.spin(0.02)
        probe.until(lambda: found)
        started = time.monotonic()
        assert node.stop(number) == 0
        assert time.monotonic() - started < 2
        assert 'Traceback' not in node.output()


def test_a_killed_node_stops_nobody_from_starting_again(probe, sea_picture):
    found = probe.listen('detections')
    stamp = 0
    for _ in range(2):
        with stand_in() as node:
            node.wait_for('listening')
            first_of_this_node = stamp + 1
            until = time.monotonic() + 15
            # Like a camera: for a while the dead node still counts as one that listens.
            while not found or milliseconds(found[-1].header) < first_of_this_node:
                assert time.monotonic() < until
                stamp += 1
                probe.send(sea_picture, stamp)
                probe.spin(0.1)
            assert node.stop(signal.SIGKILL) == -signal.SIGKILL


def test_the_diagnostics_say_why_nothing_arrives(probe):
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    options = {'diagnostics.period': 0.2, 'diagnostics.silence': 1.0}
    with stand_in(**options):
        diagnostics = probe.listen_to_diagnostics()

        def complaint():
            if not diagnostics or len(diagnostics[-1].status) < 2:
                return ''
            return diagnostic_values(diagnostics[-1], ': camera')[1]

        probe.until(lambda: 'nobody publishes /image' in complaint())
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        probe.publisher(profile=best_effort)
        probe.until(
            lambda: 'qos_overrides./image.subscription.reliability to best_effort' in complaint()
        )
