from __future__ import annotations

import copy
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiking_retina_ros.datasets.coco import read_coco, read_image, without_undecodable
from spiking_retina_ros.errors import UserError

CLASSES = ('boat', 'buoy')
CATEGORIES = [{'id': 7, 'name': 'buoy'}, {'id': 3, 'name': 'boat'}, {'id': 9, 'name': 'pier'}]


@pytest.fixture
def make(tmp_path):
    """Write images of 40x30 pixels and a json with the given annotations; returns its path."""

    def call(annotations, *, images=None, categories=CATEGORIES):
        entries = [
            {'id': index, 'file_name': f'{index}.png', 'width': 40, 'height': 30}
            for index in range(2)
        ]
        for entry in entries:
            path = tmp_path / entry['file_name']
            cv2.imwrite(str(path), np.full((30, 40, 3), 100, np.uint8))
        path = tmp_path / 'set.json'
        values = {
            'images': entries if images is None else images(entries),
            'annotations': annotations,
            'categories': categories,
        }
        path.write_text(json.dumps(values))
        return path

    return call


def annotation(box, *, image_id=0, category_id=3, **more):
    return {'id': 1, 'image_id': image_id, 'category_id': category_id, 'bbox': box, **more}


def test_boxes_and_labels(make):
    path = make([annotation([1, 2, 10, 5]), annotation([5, 5, 4, 8], image_id=1, category_id=7)])
    found = read_coco(path, CLASSES)
    assert [image.boxes.tolist() for image in found.images] == [[[1, 2, 11, 7]], [[5, 5, 9, 13]]]
    assert [image.labels.tolist() for image in found.images] == [[0], [1]]
    assert found.images[0].size == (30, 40)
    assert not found.problems.counts
    assert '2 images, 1 boat, 1 buoy; 0 problems' in found.summary()


def test_images_left_out_by_name(make):
    found = read_coco(make([annotation([1, 2, 10, 5])]), CLASSES)
    assert [image.path.name for image in found.without(['0.png']).images] == ['1.png']
    with pytest.raises(UserError, match=r'7\.png'):
        found.without(['0.png', '7.png'])
    with pytest.raises(UserError, match='no image is left'):
        found.without(['0.png', '1.png'])


@pytest.mark.parametrize(
    ('entry', 'kind'),
    [
        (annotation([5, 5, 0, 4]), 'box of zero size'),
        (annotation([5, 5, 4, -1]), 'box of zero size'),
        (annotation([50, 5, 4, 4]), 'box outside its image'),
        (annotation([-9, 5, 9.5, 4]), 'box outside its image'),
        (annotation([5, 5, 4]), 'malformed box'),
        (annotation(None), 'malformed box'),
        (annotation([5, 5, float('nan'), 4]), 'malformed box'),
        (annotation([5, 5, 4, 'wide']), 'malformed box'),
        (annotation([5, 5, 4, 4], category_id=9), 'unknown category'),
        (annotation([5, 5, 4, 4], image_id=77), 'annotation of an unknown image'),
        (annotation([5, 5, 4, 4], iscrowd=1), 'crowd annotation'),
    ],
)
def test_unusable_annotations_are_counted_and_left_out(make, entry, kind):
    found = read_coco(make([entry, annotation([1, 1, 3, 3])]), CLASSES)
    assert dict(found.problems.counts) == {kind: 1}
    assert sum(len(image.boxes) for image in found.images) == 1
    assert f'1 x {kind}' in found.problems.lines()[0]
    assert '1 problems' in found.summary()


@given(
    x=st.floats(-60, 60), y=st.floats(-60, 60), width=st.floats(0.5, 90), height=st.floats(0.5, 90)
)
def test_kept_boxes_lie_inside(tmp_path_factory, x, y, width, height):
    folder = tmp_path_factory.mktemp('one')
    cv2.imwrite(str(folder / 'a.png'), np.zeros((30, 40, 3), np.uint8))
    values = {
        'images': [{'id': 0, 'file_name': 'a.png', 'width': 40, 'height': 30}],
        'annotations': [annotation([x, y, width, height])],
        'categories': CATEGORIES,
    }
    (folder / 'set.json').write_text(json.dumps(values))
    found = read_coco(folder / 'set.json', CLASSES)
    for low_x, low_y, high_x, high_y in found.images[0].boxes:
        assert 0 <= low_x < high_x <= 40
        assert 0 <= low_y < high_y <= 30
    assert len(found.images[0].boxes) + sum(found.problems.counts.values()) == 1


def test_missing_and_empty_images_are_left_out_with_their_boxes(make):
    def spoil(entries):
        more = copy.deepcopy(entries)
        more[0]['file_name'] = 'gone.png'
        more.append({'id': 5, 'file_name': '1.png', 'width': 0, 'height': 30})
        more.append({'id': 6, 'file_name': '1.png'})
        more.append(entries[1])
        return more

    path = make([annotation([1, 1, 5, 5]), annotation([1, 1, 5, 5], image_id=1)], images=spoil)
    found = read_coco(path, CLASSES)
    assert [image.image_id for image in found.images] == [1]
    assert found.problems.counts == {
        'missing image': 1,
        'repeated image id': 1,
        'image without pixels': 1,
        'image entry without id, file_name, width or height': 1,
    }
    assert any('gone.png' in line for line in found.problems.lines())


def test_long_lists_are_cut(make):
    found = read_coco(make([annotation([5, 5, 0, 0])] * 50), CLASSES)
    lines = found.problems.lines()
    assert lines[0] == '50 x box of zero size'
    assert lines[-1].strip() == '... and 30 more'


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('{', 'not json'),
        ('[]', 'not a COCO set'),
        ('{"images": [], "annotations": {}}', "'annotations'"),
        ('{"images": ["a.png"], "annotations": []}', "'images'"),
        ('{"images": [], "annotations": [], "categories": []}', 'none of the classes'),
        (json.dumps({'images': [], 'annotations': [], 'categories': CATEGORIES}), 'no usable'),
    ],
)
def test_files_that_are_no_set(tmp_path, text, reason):
    path = tmp_path / 'set.json'
    path.write_text(text)
    with pytest.raises(UserError, match=reason) as caught:
        read_coco(path, CLASSES)
    assert str(path) in str(caught.value)


def test_missing_json(tmp_path):
    with pytest.raises(UserError, match=r'none\.json: the set cannot be read'):
        read_coco(tmp_path / 'none.json', CLASSES)


def test_images_that_do_not_decode_are_none(tmp_path):
    whole = tmp_path / 'whole.png'
    cv2.imwrite(str(whole), np.full((30, 40, 3), (1, 2, 3), np.uint8))
    read = read_image(whole)
    assert read is not None
    assert read[0, 0].tolist() == [1, 2, 3]
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'not a picture')
    empty = tmp_path / 'empty.png'
    empty.touch()
    assert [read_image(path) for path in (broken, empty, tmp_path / 'none.png')] == [None] * 3


def test_images_that_do_not_decode_leave_the_set(make, tmp_path):
    found = read_coco(make([annotation([1, 1, 5, 5])]), CLASSES)
    (tmp_path / '1.png').write_bytes(b'not a picture')
    left = without_undecodable(found, quiet=True)
    assert [image.image_id for image in left.images] == [0]
    assert left.problems.counts == {'image that does not decode': 1}
    (tmp_path / '0.png').write_bytes(b'')
    with pytest.raises(UserError, match='none of its 2 images decodes'):
        without_undecodable(found, quiet=True)
