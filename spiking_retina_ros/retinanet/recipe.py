"""The recipe of a training run, as read from a yaml file such as config/training.yaml."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from spiking_retina_ros.datasets.augment import ViewSettings
from spiking_retina_ros.datasets.augment_light import LightSettings
from spiking_retina_ros.datasets.paste import PasteSettings
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig


@dataclass(frozen=True)
class Phase:
    """Until the share ``until`` of the run is over, samples are of ``input_size``."""

    until: float
    input_size: tuple[int, int]


@dataclass(frozen=True)
class Recipe:
    """
    Everything that decides what a run learns, apart from its data and its length in minutes.

    ``samples`` is the length of the run. The learning rate rises over the share ``warmup`` of it,
    then falls along a cosine to zero; the backbone's is ``backbone_factor`` times as large, and
    its first ``frozen_stages`` stages keep their ImageNet weights. ``boosted`` multiplies the
    chance of images with those classes. ``ema`` is the decay per step of the averaged weights,
    which are the ones that are validated and kept. ``teaching`` is the share of the loss that comes
    from a teacher's pyramid and answers, where there is one, over the share ``taught_until`` of
    the run. ``leak`` is the slope below zero with which ReLUs begin whose weights were trained with
    one (cspnet's), ``leak_until`` the share of the run over which it falls to zero.
    """

    network: RetinaNetConfig = field(default_factory=RetinaNetConfig)
    samples: int = 40_000
    batch_size: int = 8
    phases: tuple[Phase, ...] = ()
    learning_rate: float = 8e-4
    backbone_factor: float = 0.3
    weight_decay: float = 1e-4
    warmup: float = 0.02
    gradient_limit: float = 5.0
    ema: float = 0.998
    frozen_stages: int = 3
    teaching: float = 0.8
    taught_until: float = 1.0
    leak: float = 0.0
    leak_until: float = 0.5
    seed: int = 1
    boosted: Mapping[str, float] = field(default_factory=dict)
    view: ViewSettings = field(default_factory=ViewSettings)
    light: LightSettings = field(default_factory=LightSettings)
    paste: PasteSettings = field(default_factory=PasteSettings)

    def input_size_at(self, progress: float) -> tuple[int, int]:
        """Return (height, width) of the samples at ``progress`` in [0, 1]."""
        for phase in self.phases:
            if progress < phase.until:
                return phase.input_size
        return self.network.input_size

    def leak_at(self, progress: float) -> float:
        """Return the slope of fading ReLUs below zero at ``progress`` in [0, 1]."""
        return self.leak * max(0.0, 1 - progress / self.leak_until)


def read_recipe(path: Path | str) -> Recipe:
    """
    Read a recipe; raises UserError naming file and key for what is unknown or unusable.

    ``based_on`` names another one in the same folder, whose values hold where this one has none.
    """
    path = Path(path)
    values = _read_values(path, seen=())
    try:
        return _recipe(values)
    except UserError as error:
        raise UserError(f'{path}: {error}') from error
    except (TypeError, ValueError) as error:
        raise UserError(f'{path}: value of the wrong type ({error})') from error


def _read_values(path: Path, *, seen: tuple[Path, ...]) -> dict[str, Any]:
    """Return the keys and values of a file and of what it is based on."""
    if path in seen:
        raise UserError(f'{path}: is based on itself')
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UserError(f'{path}: the recipe cannot be read: {error.strerror}') from error
    except yaml.YAMLError as error:
        raise UserError(f'{path}: not yaml: {error}') from error
    if not isinstance(values, dict):
        raise UserError(f'{path}: expected keys and values, found {type(values).__name__}')
    if 'based_on' not in values:
        return values
    base = _read_values(path.parent / str(values.pop('based_on')), seen=(*seen, path))
    for key, value in values.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        base[key] = {**base[key], **value} if both else value
    return base


def _recipe(values: dict[str, Any]) -> Recipe:
    values = dict(values)
    parts: dict[str, Any] = {
        'network': RetinaNetConfig.from_dict(values.pop('network', {})),
        'view': _part(ViewSettings, 'view', values.pop('view', {})),
        'light': _part(LightSettings, 'light', values.pop('light', {})),
        'paste': _part(PasteSettings, 'paste', values.pop('paste', {})),
        'phases': tuple(_part(Phase, 'phases', item) for item in values.pop('phases', [])),
    }
    for key in ('samples', 'batch_size', 'learning_rate', 'leak_until'):
        if key in values and not values[key] > 0:
            raise UserError(f'{key}: expected a number above 0, found {values[key]!r}')
    rest = _part(Recipe, 'recipe', values)
    return dataclasses.replace(rest, **parts)


def _part(kind: type[Any], name: str, values: Mapping[str, Any]) -> Any:
    known = {item.name for item in dataclasses.fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise UserError(f'{name}: unknown key {unknown[0]!r}, expected {sorted(known)}')
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
