"""A small set of drawn boats and buoys for everything that trains."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope='session')
def repository():
    """The root of the checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session')
def drawn_set(tmp_path_factory):
    """A COCO json of twelve 96x72 pictures: white boats and red buoys on blue, boxes exact."""
    folder = tmp_path_factory.mktemp('drawn')
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(12):
        picture = np.full((72, 96, 3), (150, 90, 40), np.uint8)
        for category, colour, (low, high) in (
            (1, (255, 255, 255), (24, 40)),
            (2, (30, 30, 220), (8, 14)),
        ):
            width, height = rng.integers(low, high, 2).tolist()
            x = int(rng.integers(0, 48 - width // 2) + (48 if category == 2 else 0) * 0.8)
            y = int(rng.integers(0, 72 - height))
            cv2.rectangle(picture, (x, y), (x + width - 1, y + height - 1), colour, cv2.FILLED)
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': index,
                    'category_id': category,
                    'bbox': [x, y, width, height],
                }
            )
        cv2.imwrite(str(folder / f'{index}.png'), picture)
        images.append({'id': index, 'file_name': f'{index}.png', 'width': 96, 'height': 72})
    values = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 1, 'name': 'boat'}, {'id': 2, 'name': 'buoy'}],
    }
    path = folder / 'instances.json'
    path.write_text(json.dumps(values))
    return path
