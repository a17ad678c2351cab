"""The sea camera draws the same sea every time, to scale, and its boxes fit what is visible."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from spiking_retina_ros.datasets.sea.buoys import KINDS as BUOYS
from spiking_retina_ros.datasets.sea.buoys import build_buoy
from spiking_retina_ros.datasets.sea.coast import Coast
from spiking_retina_ros.datasets.sea.compose import Actor
from spiking_retina_ros.datasets.sea.fleet import Fleet
from spiking_retina_ros.datasets.sea.light import draw_light, time_names
from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, canvas_to_image, window_of
from spiking_retina_ros.datasets.sea.sprite import Pose
from spiking_retina_ros.datasets.sea.stage import Stage
from spiking_retina_ros.datasets.sea.vessels import KINDS as VESSELS
from spiking_retina_ros.datasets.sea.vessels import build_vessel
from spiking_retina_ros.datasets.sea.waves import SeaState
from spiking_retina_ros.datasets.sea_camera import SeaCamera, SeaCameraConfig, render_still
from spiking_retina_ros.errors import UserError

OPTICS = Optics(640, 360, 500.0)
ROLLED = Attitude(0.08, -0.03, 0.01)


@pytest.fixture(scope='module')
def stage() -> Stage:
    """Return a calm grey sea, on which everything coloured stands out."""
    rng = np.random.default_rng(2)
    light = draw_light(rng, name='noon')
    window = window_of(OPTICS, [Attitude(), ROLLED])
    return Stage(OPTICS, window, light, SeaState(0.05), Coast(), rng)


def buoy(kind: str = 'sphere', *, x: float = 0.0, z: float = 20.0, seed: int = 1) -> Actor:
    return Actor(build_buoy(kind, np.random.default_rng(seed)), Pose(x, z, 0.3), 'buoy')


def boat(kind: str, *, x: float = 0.0, z: float = 60.0, heading: float = 1.2) -> Actor:
    return Actor(build_vessel(kind, np.random.default_rng(4)), Pose(x, z, heading), 'boat')


def changed_box(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    different = np.abs(after.astype(int) - before).max(axis=2) > 18
    rows, columns = np.flatnonzero(different.any(axis=1)), np.flatnonzero(different.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


SMALL = SeaCameraConfig(width=320, height=180, seed=5)


def test_frames_depend_on_seed_and_index_alone():
    camera, other = SeaCamera(SMALL), SeaCamera(SMALL)
    late, early = camera.frame(4000), camera.frame(3)
    np.testing.assert_array_equal(other.frame(3).image, early.image)
    np.testing.assert_array_equal(other.frame(4000).image, late.image)
    np.testing.assert_array_equal(other.frame(4000).boxes, late.boxes)
    assert late.stamp == pytest.approx(4000 / 15)
    changed = SeaCamera(SeaCameraConfig(width=320, height=180, seed=6)).frame(3)
    assert np.abs(changed.image.astype(int) - early.image).mean() > 5


def test_stills_are_the_same_in_another_process():
    script = (
        'from hashlib import sha256;'
        'from spiking_retina_ros.datasets.sea_camera import render_still;'
        'print(sha256(render_still(9, width=200, height=120).image.tobytes()).hexdigest())'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    here = sha256(render_still(9, width=200, height=120).image.tobytes()).hexdigest()
    assert done.stdout.strip() == here, done.stderr


def test_the_sequence_is_coherent_and_its_horizon_rolls():
    camera = SeaCamera(SeaCameraConfig(width=320, height=180, seed=5, roughness=0.15))
    first, second, later = (camera.frame(index).image.astype(int) for index in (30, 31, 200))
    assert np.abs(second - first).mean() < np.abs(later - first).mean()
    rolls = [camera.attitude(index).roll for index in range(0, 450, 5)]
    assert max(rolls) > 0.02
    assert min(rolls) < -0.02


@pytest.mark.parametrize('attitude', [Attitude(), ROLLED])
@pytest.mark.parametrize(
    'actor',
    [
        buoy('sphere'),
        buoy('can', x=3.0),
        buoy('cone', x=-4.0, z=12.0),
        buoy('cardinal', z=35.0),
        boat('motor', z=40.0),
        boat('ferry', z=320.0),
        boat('freighter', z=500.0),
    ],
    ids=lambda actor: f'{actor.class_name}-{actor.pose.z}m' if isinstance(actor, Actor) else '',
)
def test_boxes_are_those_of_the_changed_pixels(stage, actor, attitude):
    # In one colour that neither sky nor sea has, every pixel it covers by a quarter stands out.
    paint = np.tile([0.0, 0.0, 1.0], (len(actor.solid.colours), 1))
    solid = replace(actor.solid, colours=paint, gloss=np.zeros(len(paint)))
    actor = replace(actor, solid=solid)
    empty = stage.shoot(attitude, [], effects=False)
    shot = stage.shoot(attitude, [actor], effects=False)
    assert shot.class_names == (actor.class_name,)
    np.testing.assert_allclose(shot.boxes[0], changed_box(empty.image, shot.image), atol=1.0)


def test_sizes_follow_distance_and_feet_stand_where_the_sea_is(stage):
    heights, feet, radius = [], [], buoy('can').solid.length / 2
    for distance in (15.0, 30.0, 60.0):
        shot = stage.shoot(Attitude(), [buoy('can', z=distance)], effects=False)
        _, top, _, bottom = shot.boxes[0]
        heights.append(bottom - top)
        feet.append(bottom)
    assert heights[0] / heights[1] == pytest.approx(2.0, rel=0.12)
    assert heights[1] / heights[2] == pytest.approx(2.0, rel=0.2)
    horizon = OPTICS.centre[1]
    expected = [horizon + OPTICS.focal * OPTICS.height / (z - radius) for z in (15, 30, 60)]
    np.testing.assert_allclose(feet, expected, atol=2.5)


def test_the_width_in_pixels_is_the_width_in_metres_over_the_range(stage):
    vessel = boat('freighter', z=800.0, heading=np.pi / 2)
    shot = stage.shoot(Attitude(), [vessel], effects=False)
    width = shot.boxes[0][2] - shot.boxes[0][0]
    assert width == pytest.approx(vessel.solid.length * OPTICS.focal / 800.0, rel=0.08)


def test_the_horizon_is_where_the_attitude_puts_it(stage):
    image = stage.shoot(ROLLED, [], effects=False).image
    matrix = canvas_to_image(OPTICS, ROLLED)
    for column in (60, 320, 580):
        mapped = np.linalg.inv(matrix) @ np.array([[column] * 360, np.arange(360), np.ones(360)])
        row = int(np.argmin(np.abs(mapped[1] / mapped[2] - OPTICS.centre[1])))
        above = image[row - 6 : row - 2, column].astype(int).mean()
        below = image[row + 3 : row + 7, column].astype(int).mean()
        assert above - below > 8, f'no edge at column {column}, row {row}'


def test_hidden_and_clipped_parts_are_outside_the_boxes(stage):
    ferry = boat('ferry', z=300.0, heading=np.pi / 2)
    alone = stage.shoot(Attitude(), [ferry]).boxes[0]
    wall = boat('freighter', x=110.0, z=200.0, heading=np.pi / 2)
    both = stage.shoot(Attitude(), [ferry, wall])
    assert both.class_names == ('boat', 'boat')
    far_box = both.boxes[0]
    assert far_box[0] == alone[0]
    assert far_box[2] - far_box[0] < 0.9 * (alone[2] - alone[0])
    behind = stage.shoot(Attitude(), [buoy(z=80.0), boat('ferry', z=60.0, heading=np.pi / 2)])
    assert behind.class_names == ('boat',)
    half_out = stage.shoot(Attitude(), [boat('motor', x=-9.5, z=15.0, heading=np.pi / 2)])
    assert half_out.boxes[0][0] == 0


def test_specks_are_not_annotated(stage):
    assert stage.shoot(Attitude(), [buoy(z=420.0)]).class_names == ()


@pytest.mark.parametrize('kind', [*VESSELS, *BUOYS])
def test_every_kind_is_drawn_whole_from_all_sides(stage, kind):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        solid = build_vessel(kind, rng) if kind in VESSELS else build_buoy(kind, rng)
        assert 0.2 < solid.height < 80
        assert 0.3 < solid.length < 300
        pose = Pose(0.0, max(2.2 * max(solid.length, solid.height), 8.0), seed)
        shot = stage.shoot(Attitude(), [Actor(solid, pose, 'x')])
        assert len(shot.boxes) == 1


def test_nothing_appears_or_vanishes_inside_the_picture():
    rng = np.random.default_rng(1)
    light = draw_light(rng, name='clear')
    fleet = Fleet(OPTICS, light, SeaState(0.1), seed=3, boats=5, buoy_count=6, own_speed=3.0)
    half_view = OPTICS.width / 2 / OPTICS.focal
    before = fleet.actors(0.0)
    for time in np.arange(0.2, 600.0, 0.2):
        now = fleet.actors(float(time))
        for old, new in zip(before, now, strict=True):
            if old.solid is new.solid:
                moved = np.hypot(new.pose.x - old.pose.x, new.pose.z - old.pose.z)
                assert moved < 3
                continue
            gone = old.pose
            assert abs(gone.x) > half_view * gone.z or gone.z < 8, f'{old.class_name} vanished'
            size = OPTICS.focal * new.solid.height / new.pose.z
            came = abs(new.pose.x) > half_view * new.pose.z or size < 12
            assert came, f'{new.class_name} appeared'
        before = now


@pytest.mark.parametrize('name', time_names())
def test_every_time_of_day_has_a_horizon(name):
    config = SeaCameraConfig(width=160, height=90, time_of_day=name, coast='open', boats=0, buoys=0)
    image = SeaCamera(config).frame(0).image
    assert image.shape == (90, 160, 3)
    sky, sea = image[:20].mean(axis=(0, 1)), image[-20:].mean(axis=(0, 1))
    assert np.abs(sky - sea).max() > 15


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('width', 0),
        ('frame_rate', 0.0),
        ('time_of_day', 'midnight'),
        ('coast', 'moon'),
        ('field_of_view', 300.0),
        ('roughness', 2.0),
        ('boats', -1),
    ],
)
def test_impossible_configurations_are_named(field, value):
    with pytest.raises(UserError, match=field):
        SeaCameraConfig(**{field: value})


def test_drops_on_the_lens_change_the_picture_but_not_the_boxes():
    dry, wet = (
        SeaCamera(SeaCameraConfig(width=320, height=180, seed=5, spray=spray)).frame(10)
        for spray in (False, True)
    )
    np.testing.assert_array_equal(dry.boxes, wet.boxes)
    assert np.abs(dry.image.astype(int) - wet.image).max() > 30


def test_a_view_too_tall_for_a_flat_picture_is_refused():
    with pytest.raises(UserError, match='top to bottom'):
        SeaCameraConfig(width=320, height=1280, field_of_view=119.0)
    assert render_still(3, width=60, height=200).image.shape == (200, 60, 3)
