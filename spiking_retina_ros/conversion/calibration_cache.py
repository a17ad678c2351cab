"""Calibrations kept on disk, found again by the content of everything they depend on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from spiking_retina_ros.conversion.calibrate import Calibration
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.detections import ImageArray


def default_cache_folder() -> Path:
    """Return $XDG_CACHE_HOME/spiking_retina_ros/calibration, by default under ~/.cache."""
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base) / 'spiking_retina_ros' / 'calibration'


class CalibrationCache:
    """
    A folder with one file per calibration.

    The key covers topology, float weights, percentiles, input size and offset, and every
    calibration image, so that a hit can only be the same result. A file that cannot be read counts
    as a miss and is written again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def key(
        network: FloatNetwork,
        images: Sequence[ImageArray],
        options: ConversionOptions,
        preprocessing: object,
    ) -> str:
        """Return the hex SHA-256 of what a calibration depends on."""
        percentiles = (options.lower_percentile, options.upper_percentile)
        description = json.dumps(network.topology.as_dict(), sort_keys=True)
        digest = hashlib.sha256(f'{description}{percentiles}{preprocessing}'.encode())
        for name in sorted(network.tensors):
            digest.update(name.encode())
            digest.update(network.tensors[name].contiguous().numpy().tobytes())
        for image in images:
            digest.update(str(image.shape).encode())
            digest.update(np.ascontiguousarray(image).tobytes())
        return digest.hexdigest()

    def load(self, key: str) -> Calibration | None:
        """Return the calibration of that key, or None."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework='pt') as file:
                header = json.loads((file.metadata() or {})['calibration'])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, json.JSONDecodeError):
            return None
        lower, upper = (
            {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
            for prefix in ('lower/', 'upper/')
        )
        return Calibration(lower, upper, **header)

    def store(self, key: str, calibration: Calibration) -> None:
        """Keep a calibration; written aside and renamed, so that nobody reads half of it."""
        tensors = {f'lower/{name}': value for name, value in calibration.lower.items()}
        tensors |= {f'upper/{name}': value for name, value in calibration.upper.items()}
        header = {
            'images': calibration.images,
            'lower_percentile': calibration.lower_percentile,
            'upper_percentile': calibration.upper_percentile,
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._folder / f'.{key}.{os.getpid()}.part'
        save_file(
            {name: value.contiguous() for name, value in tensors.items()},
            aside,
            {'calibration': json.dumps(header)},
        )
        os.replace(aside, self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / f'{key}.safetensors'
