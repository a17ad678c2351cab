"""The checkpoint of a network fine-tuned for conversion: weights, learned thresholds, topology."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.spiking.topology import Topology
from spiking_retina_ros.whole_file import write_safetensors

FORMAT = 'spiking_retina_ros.finetuned'
FORMAT_VERSION = 1
THRESHOLD = 'threshold/'


@dataclass(frozen=True)
class FineTuned:
    """
    ``network`` has folded weights; ``thresholds`` the learned theta (C,) per scale group.

    ``levels`` is the number of steps it was trained for; ``notes`` say how.
    """

    network: FloatNetwork
    thresholds: dict[str, Tensor]
    config: RetinaNetConfig
    levels: int
    notes: dict[str, Any]


def save_finetuned(path: Path | str, finetuned: FineTuned) -> None:
    """Write the checkpoint aside and rename it into place."""
    path = Path(path)
    tensors = {key: value.float().contiguous() for key, value in finetuned.network.tensors.items()}
    tensors |= {
        f'{THRESHOLD}{key}': value.float().contiguous()
        for key, value in finetuned.thresholds.items()
    }
    header = {
        'format': FORMAT,
        'format_version': str(FORMAT_VERSION),
        'config': json.dumps(finetuned.config.to_dict()),
        'topology': json.dumps(finetuned.network.topology.as_dict()),
        'levels': str(finetuned.levels),
        'notes': json.dumps(finetuned.notes),
    }
    write_safetensors(path, tensors, header, what='checkpoint')


def is_finetuned(path: Path | str) -> bool:
    """Return whether a file is a checkpoint of this kind."""
    try:
        with safe_open(path, framework='pt') as file:
            return (file.metadata() or {}).get('format') == FORMAT
    except (OSError, SafetensorError):
        return False


def load_finetuned(path: Path | str) -> FineTuned:
    """Read a checkpoint; UserError names path and reason, or the threshold that is missing."""
    path = Path(path)
    try:
        with safe_open(path, framework='pt') as file:
            header = dict(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(f'{path}: not a readable safetensors file: {error}') from error
    found = (header.get('format'), header.get('format_version'))
    if found != (FORMAT, str(FORMAT_VERSION)):
        raise UserError(
            f'{path}: expected format {FORMAT!r} version {FORMAT_VERSION}, found {found}'
        )
    for key, value in tensors.items():
        if not bool(torch.isfinite(value).all()):
            raise UserError(f'{path}: {key} holds NaN or infinite values')
    try:
        topology = Topology.from_dict(json.loads(header['topology']))
        config = RetinaNetConfig.from_dict(json.loads(header['config']))
        levels, notes = int(header['levels']), json.loads(header['notes'])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f'{path}: damaged header: {error!r}') from error
    thresholds = {
        key.removeprefix(THRESHOLD): value
        for key, value in tensors.items()
        if key.startswith(THRESHOLD)
    }
    weights = {key: value for key, value in tensors.items() if not key.startswith(THRESHOLD)}
    return FineTuned(FloatNetwork(topology, weights), thresholds, config, levels, notes)
