from __future__ import annotations

import json
import shutil

import pytest
import torch

from spiking_retina_ros.datasets.augment import ViewSettings
from spiking_retina_ros.datasets.augment_light import LightSettings
from spiking_retina_ros.datasets.coco import read_coco
from spiking_retina_ros.datasets.paste import PasteSettings
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.samples import (
    Augmentation,
    SampleRequest,
    SequentialRequests,
    TrainingSamples,
    WeightedSet,
)

CLASSES = ('boat', 'buoy')
PLAIN = ViewSettings(zoom=(1.0, 1.0), aspect=(1.0, 1.0), flip=0.0, mosaic=0.0)


def samples_of(*sets, boosted=None, view=None):
    augmentation = Augmentation(view or ViewSettings(), LightSettings(), PasteSettings(0.5))
    samples = TrainingSamples(sets, seed=3, boosted=boosted or {}, augmentation=augmentation)
    samples.preload(sets, quiet=True)
    return samples


def test_a_sample_is_a_function_of_seed_and_number(drawn_set):
    first = samples_of(WeightedSet(read_coco(drawn_set, CLASSES)))
    second = samples_of(WeightedSet(read_coco(drawn_set, CLASSES)))
    request = SampleRequest(17, (64, 96), 0.0)
    second[SampleRequest(5, (64, 96), 0.0)]  # what came before must not matter
    one, other = first[request], second[request]
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1].boxes, other[1].boxes)
    assert one[0].shape == (3, 64, 96)
    assert one[0].dtype == torch.uint8
    assert not torch.equal(one[0], first[SampleRequest(18, (64, 96), 0.0)][0])


def test_a_set_joins_when_its_time_comes(drawn_set, tmp_path):
    values = json.loads(drawn_set.read_text())
    values['annotations'] = []
    empty = tmp_path / 'empty.json'
    empty.write_text(json.dumps(values))
    full = WeightedSet(read_coco(drawn_set, CLASSES))
    late = WeightedSet(read_coco(empty, CLASSES, image_root=drawn_set.parent), 1e9, start=0.5)
    samples = samples_of(full, late, view=PLAIN)
    samples.augmentation = Augmentation(PLAIN, LightSettings(), PasteSettings(0.0))

    def objects(progress):
        return [len(samples[SampleRequest(n, (72, 96), progress)][1].labels) for n in range(10)]

    assert objects(0.49) == [2] * 10
    assert objects(0.5) == [0] * 10


def test_images_that_do_not_decode_are_listed_and_left_out(drawn_set, tmp_path):
    folder = tmp_path / 'broken'
    shutil.copytree(drawn_set.parent, folder)
    (folder / '3.png').write_bytes(b'\x89PNG nothing more')
    (folder / '4.png').write_bytes(b'')
    images = read_coco(folder / 'instances.json', CLASSES)
    samples = samples_of(WeightedSet(images))
    assert images.problems.counts['image that does not decode'] == 2
    assert any('3.png' in line for line in images.problems.lines())
    for number in range(60):
        samples[SampleRequest(number, (32, 32), 0.0)]
    for index in range(12):
        (folder / f'{index}.png').write_bytes(b'')
    with pytest.raises(UserError, match='no image left'):
        samples_of(WeightedSet(read_coco(folder / 'instances.json', CLASSES)))


def test_processes_share_a_batch_without_overlap():
    plan = [(0, (32, 32), 0.0), (8, (64, 64), 0.5)]
    numbers = [
        [[request.number for request in batch] for batch in SequentialRequests(iter(plan), 4, rank)]
        for rank in range(2)
    ]
    assert numbers == [[[0, 1, 2, 3], [8, 9, 10, 11]], [[4, 5, 6, 7], [12, 13, 14, 15]]]
