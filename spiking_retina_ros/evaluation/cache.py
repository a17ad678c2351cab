"""
Results per image on disk, keyed by content, so that an interrupted evaluation goes on.

An entry's key is a hash of everything the result follows from: the network's integers, the image's
bytes, the decoder's thresholds. Nothing in it depends on paths or times of files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# To be raised when the same inputs would give other results: decoder, letterbox, neuron, parser.
CACHE_VERSION = 2


class Cache:
    """Json values under content keys in a folder; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> dict[str, Any]:
        """Return what is stored, or an empty dictionary."""
        if self._folder is None:
            return {}
        try:
            values = json.loads(self._path(key).read_text())
        except (OSError, ValueError):  # not there, or damaged: computed again
            return {}
        return values if isinstance(values, dict) else {}

    def put(self, key: str, values: Mapping[str, Any]) -> None:
        """Store, written aside and renamed so that an interruption leaves no half entry."""
        if self._folder is None:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f'.{path.name}.{os.getpid()}.part')
        aside.write_text(json.dumps(values))
        os.replace(aside, path)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / key[:2] / f'{key}.json'


def cache_key(*parts: str) -> str:
    """Return the SHA-256, in hex, of all that a result follows from."""
    return hashlib.sha256(json.dumps([CACHE_VERSION, *parts]).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def default_cache() -> Path:
    """Return the user's cache folder for evaluations."""
    root = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(root) / 'spiking_retina_ros' / 'evaluation'
