"""Where the shipped networks lie: beside the source, or in the installed package's share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spiking_retina_ros.errors import UserError

ANALOG_NAME = 'boat_buoy_sparse_analog.safetensors'
SPIKING_NAME = 'boat_buoy_sparse_spiking.safetensors'


def shipped_model(name: str) -> Path:
    """
    Return the path of a shipped model file; raises UserError listing where it was looked for.

    A source checkout has ``models/`` beside the package; a colcon or pip installation has it in
    ``share/spiking_retina_ros/models`` of a prefix.
    """
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    shares = [Path(item) / 'share' / 'spiking_retina_ros' for item in prefixes if item]
    folders = [
        Path(__file__).resolve().parents[1] / 'models',
        *(item / 'models' for item in shares),
    ]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    looked = ', '.join(str(folder) for folder in folders)
    raise UserError(f'{name}: not found in {looked}; give a model file with --model')


def analog_model() -> Path:
    """Return the shipped analog boat and buoy network."""
    return shipped_model(ANALOG_NAME)


def spiking_model() -> Path:
    """Return the shipped spiking boat and buoy network."""
    return shipped_model(SPIKING_NAME)
