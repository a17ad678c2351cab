"""A whole report of a tiny network: every figure, one page without references, all numbers."""

import argparse
import json
import re
import shlex

import cv2
import pytest
from small_detector import analog_network, converted, photographs, with_hash, write_set

from spiking_retina_ros.commands.report import add_arguments, command_line
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions
from spiking_retina_ros.evaluation.report import ReportOptions, chosen_layers, examine
from spiking_retina_ros.evaluation.report_page import write_report
from spiking_retina_ros.spiking.network import Window

BOXES = [[(20, 30, 40, 20, 1)], [(20, 30, 40, 20, 2), (3, 3, 20, 20, 1)], []]
FIGURES = (
    'activations_and_rates',
    'detections',
    'energy',
    'error_profile',
    'precision_over_time',
    'rates',
    'transient',
)


@pytest.fixture(scope='module')
def small():
    analog = analog_network()
    return analog, with_hash(converted(analog, 'paper').network)


@pytest.fixture(scope='module')
def report(small, tmp_path_factory):
    analog, network = small
    folder = tmp_path_factory.mktemp('report')
    images = read_coco(write_set(folder, photographs(3), BOXES), analog.config.class_names)
    settings = EvaluationOptions(engine='dense', quiet=True, timing_images=1)
    options = ReportOptions(settings, (4, 16), (), 2, 1, 2)
    findings = examine(analog, network, images, options, name='small <net>')
    write_report(findings, folder / 'out', command='the command & its options')
    return findings, folder / 'out'


def test_the_page_holds_every_figure_and_refers_to_nothing(report):
    _, folder = report
    page = (folder / 'report.html').read_text()
    assert page.count('src="data:image/png;base64,') == len(FIGURES)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert 'small &lt;net&gt;' in page
    assert page.count('the command &amp; its options') >= len(FIGURES)
    assert '3 images. Steps: ' in page
    for name in FIGURES:
        picture = cv2.imread(str(folder / f'{name}.png'))
        assert picture is not None
        assert picture.std() > 5  # something is drawn


def test_the_numbers_are_those_of_the_figures(report):
    findings, folder = report
    values = json.loads((folder / 'report.json').read_text())
    assert values['evaluation']['images'] == 3
    windows = [(entry['steps'], entry['transient']) for entry in values['evaluation']['spiking']]
    # with and without skipping, the recommended window (8 steps, 2 ignored) among them
    assert windows == [(4, 0), (4, 1), (8, 0), (8, 2), (16, 0), (16, 2)]
    assert {entry['steps'] for entry in values['agreement']} == {2, 8}
    assert len(values['error_profile']) == len(findings.observation.profile)
    joules = {entry['steps']: entry['spiking_joules'] for entry in values['energy']}
    assert joules[4] < joules[8] < joules[16]
    assert [entry['steps'] for entry in values['transients']] == [4, 16]
    assert findings.window == Window(8, 2)


def test_the_command_on_the_page_makes_the_same_report():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = ['m.safetensors', '--checkpoint', 'a', '--data', 'set.json', '--output', 'out']
    words += ['--finetuned', 'f', '--engine', 'dense', '--steps', '4,8', '--layers', 'stem', 'c3']
    words += ['--leave-out', 'a photograph.jpg', 'b.jpg', '--limit', '5', '--timing-images', '0']
    arguments = parser.parse_args([*words, '--drawn-images', '1', '--seed', '7'])
    said = shlex.split(command_line(arguments))
    assert said[:4] == ['python', '-m', 'spiking_retina_ros', 'report']
    assert parser.parse_args(said[4:]) == arguments


def test_an_unknown_layer_is_named_with_those_there_are(small):
    _, network = small
    with pytest.raises(UserError, match=r"'stem'; the network has .*head_regression"):
        chosen_layers(network, ['stem'])
