"""
The one file a spiking network travels in: safetensors with json in its header, never pickled.

The header holds ``format``, ``format_version``, ``hash`` (SHA-256 of the description and of every
tensor, so that a damaged file is refused) and ``description``: topology, preprocessing, window,
class names, the analog detector's configuration and the provenance with its figures.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.network import Preprocessing, SpikingNetwork, Window
from spiking_retina_ros.spiking.topology import Topology
from spiking_retina_ros.whole_file import write_safetensors

FORMAT = 'spiking_retina_ros.spiking_network'
FORMAT_VERSION = 1


def save_network(path: Path | str, network: SpikingNetwork) -> str:
    """Write the network aside, rename it into place, and return its content hash."""
    path = Path(path)
    description = json.dumps(_describe(network), sort_keys=True)
    tensors = {key: value.contiguous() for key, value in network.tensors.items()}
    digest = content_hash(description, tensors)
    header = {
        'format': FORMAT,
        'format_version': str(FORMAT_VERSION),
        'hash': digest,
        'description': description,
    }
    write_safetensors(path, tensors, header, what='model file')
    return digest


def load_network(path: Path | str) -> SpikingNetwork:
    """
    Return the network of a model file; its ``provenance['hash']`` is the verified content hash.

    Raises UserError naming the path and the reason where the file is missing, damaged, of another
    format or of another format version.
    """
    path = Path(path)
    header, tensors = _read(path)
    if header.get('format') != FORMAT:
        raise UserError(
            f'{path}: expected a file of format {FORMAT!r}, found {header.get("format")!r}; '
            'make one with: python -m spiking_retina_ros convert'
        )
    if header.get('format_version') != str(FORMAT_VERSION):
        raise UserError(
            f'{path}: expected format version {FORMAT_VERSION}, found '
            f'{header.get("format_version")!r}; convert the network again'
        )
    description = header.get('description', '')
    digest = content_hash(description, tensors)
    if digest != header.get('hash'):
        raise UserError(f'{path}: damaged: its content does not match the hash in its header')
    try:
        return _rebuild(json.loads(description), tensors, digest)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f'{path}: damaged description: {error!r}') from error


def content_hash(description: str, tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256, in hex, of a description and of all tensors in the order of names."""
    digest = hashlib.sha256(description.encode())
    for key in sorted(tensors):
        value = tensors[key].contiguous()
        digest.update(f'{key}:{value.dtype}:{tuple(value.shape)}'.encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _describe(network: SpikingNetwork) -> dict[str, Any]:
    provenance = {key: value for key, value in network.provenance.items() if key != 'hash'}
    return {
        'topology': network.topology.as_dict(),
        'preprocessing': asdict(network.preprocessing),
        'window': asdict(network.window),
        'class_names': list(network.class_names),
        'detector': network.detector,
        'provenance': provenance,
    }


def _rebuild(values: dict[str, Any], tensors: dict[str, Tensor], digest: str) -> SpikingNetwork:
    preprocessing = values['preprocessing']
    return SpikingNetwork(
        Topology.from_dict(values['topology']),
        tensors,
        Preprocessing(tuple(preprocessing['input_size']), tuple(preprocessing['offset'])),
        Window(**values['window']),
        tuple(values['class_names']),
        values['detector'],
        {**values['provenance'], 'hash': digest},
    )


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise UserError(f'{path}: no such model file')
    try:
        with safe_open(path, framework='pt', device='cpu') as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return dict(file.metadata() or {}), tensors
    except (OSError, SafetensorError) as error:
        raise UserError(f'{path}: not a readable safetensors file: {error}') from error
