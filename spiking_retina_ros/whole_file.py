"""Writing files so that nobody ever reads half of one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from spiking_retina_ros.errors import UserError


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str], *, what: str
) -> None:
    """
    Write contiguous tensors aside, then rename the file into place.

    The last file stays whole whatever interrupts the writing. ``what`` names the file in the
    UserError that is raised, with the path, where it cannot be written.
    """
    aside = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(tensors), aside, dict(header))
        aside.chmod(0o644)  # safetensors lets only the owner read
        os.replace(aside, path)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise UserError(f'{path}: the {what} could not be written: {error}') from error
