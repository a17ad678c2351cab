"""Every kind of failure gets its reason, and the command shows them."""

import json
from pathlib import Path

import cv2
import numpy as np
from small_detector import analog_network, photographs, write_set

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.datasets.coco import CocoImage
from spiking_retina_ros.evaluation.answers import Answer
from spiking_retina_ros.evaluation.failures import Reason, find_failures
from spiking_retina_ros.retinanet.checkpoint import save_retinanet

BOAT, BUOY = 0, 1


def image_of(*objects):
    boxes = np.array([box for box, _ in objects], np.float32).reshape(-1, 4)
    labels = np.array([label for _, label in objects], np.int64)
    return CocoImage(1, Path('1.jpg'), (100, 200), boxes, labels)


def answer_of(*boxes):
    values = sorted(boxes, key=lambda item: -item[2])
    return Answer(
        np.array([box for box, _, _ in values], np.float32).reshape(-1, 4),
        np.array([score for _, _, score in values], np.float32),
        np.array([label for _, label, _ in values], np.int64),
    )


def reasons(image, answer):
    found = find_failures([(image, answer)], score_threshold=0.4)
    wrong = [(item.reason, round(item.score, 2)) for item in found.false_positives]
    return wrong, [(item.reason, round(item.score, 2)) for item in found.misses], found.hits


def test_each_reason():
    image = image_of(
        ([0, 0, 40, 40], BOAT),
        ([60, 0, 80, 20], BUOY),
        ([100, 0, 140, 40], BOAT),
        ([0, 60, 20, 80], BUOY),
    )
    answer = answer_of(
        ([1, 0, 40, 40], BOAT, 0.9),
        ([0, 2, 40, 40], BOAT, 0.8),
        ([60, 0, 80, 20], BOAT, 0.7),
        ([100, 20, 140, 60], BOAT, 0.6),
        ([150, 60, 190, 90], BUOY, 0.5),
        ([0, 60, 20, 80], BUOY, 0.3),
    )
    wrong, missed, hits = reasons(image, answer)
    assert wrong == [
        (Reason.TWICE, 0.8),
        (Reason.OTHER_CLASS, 0.7),
        (Reason.INEXACT, 0.6),
        (Reason.NOTHING, 0.5),
    ]
    # largest first, the two buoys in the order of the set
    assert missed == [(Reason.INEXACT, 0.0), (Reason.OTHER_CLASS, 0.0), (Reason.LOW_SCORE, 0.3)]
    assert hits == 1


def test_a_box_takes_the_object_it_fits_best_and_leaves_the_other():
    image = image_of(([0, 0, 40, 40], BOAT), ([4, 0, 44, 40], BOAT))
    answer = answer_of(([4, 0, 44, 40], BOAT, 0.9), ([0, 0, 40, 40], BOAT, 0.8))
    assert reasons(image, answer) == ([], [], 2)


def test_no_boxes_and_no_objects():
    assert reasons(image_of(), answer_of()) == ([], [], 0)
    assert reasons(image_of(([0, 0, 9, 9], BOAT)), answer_of())[1] == [(Reason.UNSEEN, 0.0)]


def test_command_writes_sheets_and_numbers(tmp_path, capsys):
    analog = analog_network()
    save_retinanet(tmp_path / 'analog.safetensors', analog.config, analog.state_dict())
    boxes = [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 2)], []]
    data = write_set(tmp_path, photographs(3), boxes)
    output = tmp_path / 'sheets'
    words = ['failures', str(tmp_path / 'analog.safetensors'), '--data', str(data)]
    assert main([*words, '--output', str(output), '--count', '8']) == 0
    values = json.loads((output / 'failures.json').read_text())
    assert values['hits'] + len(values['misses']) == 2
    for name in ('false_positives', 'misses'):
        assert min(cv2.imread(str(output / f'{name}.png')).shape[:2]) > 100
    printed = capsys.readouterr().out
    assert f'{len(values["misses"])} misses' in printed
    for miss in values['misses']:
        assert f'{miss["class_name"]}: 1 of 1 misses are in {miss["image"]}' in printed
