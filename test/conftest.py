"""What several folders of tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure():
    """Two cores are shared with the ROS tests' processes; torch's pool of threads only hurts."""
    os.environ.setdefault('OMP_NUM_THREADS', '2')


@pytest.fixture(scope='session')
def photographs_folder():
    """The folder of the boats_buoys photographs (BOATS_BUOYS_DIR); skips where it is missing."""
    default = REPOSITORY.parent / 'shared' / 'datasets' / 'boats_buoys'
    folder = Path(os.environ.get('BOATS_BUOYS_DIR', default))
    if not (folder / 'val.json').is_file():
        pytest.skip(f'no photographs at {folder}: set BOATS_BUOYS_DIR')
    return folder


@pytest.fixture(scope='session')
def photographs(photographs_folder):
    """Paths of the validation photographs, sorted."""
    return sorted((photographs_folder / 'images' / 'harbour_val').glob('*.jpg'))
