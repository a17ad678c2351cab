"""
The checkpoint file: weights as safetensors, the configuration as json in its header.

Nothing is pickled. A file is written aside and renamed, so that the last one stays whole whatever
interrupts the writing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.whole_file import write_safetensors

FORMAT = 'spiking_retina_ros.retinanet'
FORMAT_VERSION = 1


def save_retinanet(
    path: Path | str,
    config: RetinaNetConfig,
    weights: Mapping[str, Tensor],
    *,
    dtype: torch.dtype = torch.float32,
    notes: Mapping[str, str] | None = None,
) -> None:
    """
    Write a checkpoint; ``weights`` is the network's state dict, stored as ``dtype``.

    ``notes`` (free text, such as the training step) are kept in the header.
    """
    path = Path(path)
    header = {
        'format': FORMAT,
        'format_version': str(FORMAT_VERSION),
        'config': json.dumps(config.to_dict()),
        'notes': json.dumps(dict(notes or {})),
    }
    tensors = {key: value.detach().to('cpu', dtype).contiguous() for key, value in weights.items()}
    write_safetensors(path, tensors, header, what='checkpoint')


def load_retinanet(path: Path | str) -> RetinaNet:
    """
    Return the network of a checkpoint, float32, in evaluation mode; ``.config`` describes it.

    Raises UserError naming the path where the file is missing, damaged, not a checkpoint of ours,
    of another format version, of weights that do not fit its own configuration, or not finite.
    """
    path = Path(path)
    header, weights = _read(path)
    if header.get('format') != FORMAT:
        raise UserError(
            f'{path}: expected a checkpoint of format {FORMAT!r}, found {header.get("format")!r}'
        )
    if header.get('format_version') != str(FORMAT_VERSION):
        raise UserError(
            f'{path}: expected format version {FORMAT_VERSION}, '
            f'found {header.get("format_version")!r}'
        )
    try:
        config = RetinaNetConfig.from_dict(json.loads(header['config']))
    except (KeyError, json.JSONDecodeError) as error:
        raise UserError(f'{path}: damaged configuration in the header: {error}') from error
    except UserError as error:
        raise UserError(f'{path}: {error}') from error
    network = RetinaNet(config)
    check_weights(path, network.state_dict(), weights)
    network.load_state_dict(weights)
    return network.eval()


def check_weights(
    path: Path | str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """Raise UserError naming the first key that is missing, unknown, misshapen or not finite."""
    for key in expected:
        if key not in found:
            raise UserError(f'{path}: weights of another architecture: {key} is missing')
        if found[key].shape != expected[key].shape:
            raise UserError(
                f'{path}: {key}: expected shape {tuple(expected[key].shape)}, '
                f'found {tuple(found[key].shape)}'
            )
        if not bool(torch.isfinite(found[key]).all()):
            raise UserError(f'{path}: {key} holds NaN or infinite values')
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise UserError(f'{path}: weights of another architecture: {unknown[0]} is not known')


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return header and float32 tensors of a safetensors file."""
    if not path.is_file():
        raise UserError(f'{path}: no such checkpoint file')
    try:
        with safe_open(path, framework='pt', device='cpu') as file:
            header = dict(file.metadata() or {})
            return header, {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(f'{path}: not a readable safetensors file: {error}') from error
