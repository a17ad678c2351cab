"""
Every parameter of the detector node: name, default, description, range, live or read-only.

This table is the only place a default is written. The node declares from it, config/detector.yaml
is printed from it (see parameter_documents.py), and a test compares the
declarations, the file and the documentation with it. Needs no ROS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spiking_retina_ros.ros.network import Network

# What ROS 2 allows in a relative topic name; empty is the one unnamed camera.
_CAMERA_NAME = re.compile(r'([A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*)?')

ParameterValue = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class ParameterSpec:
    """What one parameter is; ``minimum`` and ``maximum`` are inclusive, None where unbounded."""

    name: str
    default: ParameterValue
    description: str
    live: bool
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        """Return the ROS 2 name of the type: bool, integer, double, string or string_array."""
        names = {bool: 'bool', int: 'integer', float: 'double', str: 'string'}
        return names.get(type(self.default), 'string_array')

    @property
    def range_text(self) -> str:
        """Return the allowed values in words, empty where anything of the type is allowed."""
        if self.choices:
            return ' | '.join(self.choices)
        if self.minimum is None:
            return ''
        return f'{self.minimum:g} to {self.maximum:g}'


def _parameter(default: Any, description: str, *, name: str = '', **options: Any) -> Any:
    metadata = {'description': description, 'name': name, **options}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """
    The values of all parameters at one moment, one field per parameter.

    Frozen, so that the worker sees either all of a change or nothing of it.
    """

    autostart: bool = _parameter(
        True, 'Configure and activate at start, without a lifecycle manager.', live=False
    )
    model: str = _parameter(
        '', 'Path of the spiking model file; empty for the one this package ships.', live=False
    )
    engine: str = _parameter(
        'event',
        'What simulates the network; all engines give the same spikes.',
        live=False,
        choices=('event', 'dense', 'reference'),
    )
    threads: int = _parameter(
        0,
        'Processor threads of the simulation; 0 for one per core.',
        live=False,
        minimum=0,
        maximum=256,
    )
    steps: int = _parameter(
        0,
        'Simulated time steps per frame; 0 for the window recommended in the model file.',
        live=True,
        minimum=0,
        maximum=4096,
    )
    transient: int = _parameter(
        -1,
        'First steps whose output spikes are ignored; -1 for the recommended number.',
        live=True,
        minimum=-1,
        maximum=4095,
    )
    early_steps: int = _parameter(
        0,
        'Publish first detections after so many steps on detections_early; 0 for never.',
        live=True,
        minimum=0,
        maximum=4096,
    )
    score_threshold: float = _parameter(
        0.4, 'Objects with a lower score are not published.', live=True, minimum=0.0, maximum=1.0
    )
    nms_threshold: float = _parameter(
        0.5,
        'Of two boxes of one class that overlap more (IoU), only the better one is kept.',
        live=True,
        minimum=0.0,
        maximum=1.0,
    )
    max_detections: int = _parameter(
        100,
        'At most so many objects per image, the best first.',
        live=True,
        minimum=1,
        maximum=1000,
    )
    strip_height: float = _parameter(
        0.0,
        'Share of the image, around the horizon, to look at again at full resolution; 0 for none.',
        name='strip.height',
        live=True,
        minimum=0.0,
        maximum=1.0,
    )
    strip_centre: float = _parameter(
        0.45,
        "Where the strip's middle lies; 0 at the top of the image, 1 at the bottom.",
        name='strip.centre',
        live=True,
        minimum=0.0,
        maximum=1.0,
    )
    classes: tuple[str, ...] = _parameter(
        ('',), 'Names of the classes to publish; an empty name for all.', live=True
    )
    cameras: tuple[str, ...] = _parameter(
        ('',),
        'Camera names: topics are <camera>/image and so on; an empty name for plain image.',
        live=False,
    )
    image_transport: str = _parameter(
        'raw',
        'raw: sensor_msgs/Image on image; compressed: CompressedImage on image/compressed.',
        live=False,
        choices=('raw', 'compressed'),
    )
    frame_policy: str = _parameter(
        'latest',
        'latest: a newer frame replaces a waiting one; every_frame: frames queue up, for replay.',
        live=False,
        choices=('latest', 'every_frame'),
    )
    queue_size: int = _parameter(
        100,
        'Frames that may wait per camera under every_frame; further ones are dropped.',
        name='queue.size',
        live=False,
        minimum=1,
        maximum=10000,
    )
    max_frame_age: float = _parameter(
        0.0,
        'Frames whose stamp is older than so many seconds are dropped; 0 for no limit.',
        live=True,
        minimum=0.0,
        maximum=3600.0,
    )
    diagnostics_period: float = _parameter(
        1.0,
        'Seconds between two messages on /diagnostics.',
        name='diagnostics.period',
        live=False,
        minimum=0.1,
        maximum=60.0,
    )
    diagnostics_silence: float = _parameter(
        3.0,
        'After so many seconds without an image the diagnostics say what is wrong.',
        name='diagnostics.silence',
        live=True,
        minimum=0.5,
        maximum=600.0,
    )
    energy_per_operation: float = _parameter(
        23.6,
        'Picojoules per synaptic operation in the energy estimate; 23.6 is published for Loihi.',
        name='energy.per_synaptic_operation',
        live=True,
        minimum=0.0,
        maximum=10000.0,
    )
    bearings_length: float = _parameter(
        200.0,
        'Length of the drawn bearings, in metres.',
        name='bearings.length',
        live=True,
        minimum=1.0,
        maximum=20000.0,
    )
    bearings_lifetime: float = _parameter(
        0.5,
        'Seconds after which a bearing that is not renewed fades from RViz.',
        name='bearings.lifetime',
        live=True,
        minimum=0.05,
        maximum=60.0,
    )

    @classmethod
    def from_values(cls, values: Mapping[str, ParameterValue]) -> Settings:
        """Build from parameter names and values; names that are missing keep their default."""
        return cls(
            **{
                item.name: _as_declared(values[_name(item)])
                for item in fields(cls)
                if _name(item) in values
            }
        )

    def problems(self) -> list[str]:
        """Return what is wrong with the values, one sentence each; empty when all is well."""
        found = []
        for spec in PARAMETERS:
            value = getattr(self, field_name(spec.name))
            if spec.choices and value not in spec.choices:
                found.append(f'{spec.name}: expected {spec.range_text}, found {value!r}')
            if (
                spec.minimum is not None
                and spec.maximum is not None
                and not spec.minimum <= value <= spec.maximum
            ):
                found.append(f'{spec.name}: expected {spec.range_text}, found {value!r}')
        if len(set(self.cameras)) != len(self.cameras):
            found.append(f'cameras: expected distinct names, found {list(self.cameras)}')
        for name in self.cameras:
            if not _CAMERA_NAME.fullmatch(name):
                found.append(
                    f'cameras: expected names of letters, digits and _ (parts joined by /), '
                    f'found {name!r}'
                )
        return found

    def problems_with(self, network: Network) -> list[str]:
        """Return what a loaded network cannot do, one sentence each; empty when all is well."""
        found = []
        steps = self.steps or network.steps
        if steps > network.max_steps:
            found.append(
                f'steps: expected at most {network.max_steps} for this network, found {steps}'
            )
        if self.transient >= steps:
            found.append(f'transient: expected less than the {steps} steps, found {self.transient}')
        if self.transient > 0 and network.schedule == 'phased':
            found.append(
                f'transient: expected 0 or -1 for this network, whose phased window has none, '
                f'found {self.transient}'
            )
        if self.early_steps >= steps:
            found.append(
                f'early_steps: expected less than the {steps} steps, found {self.early_steps}'
            )
        unknown = [name for name in self.wanted_classes if name not in network.class_names]
        if unknown:
            known = list(network.class_names)
            found.append(f'classes: expected names out of {known}, found {unknown}')
        return found

    @property
    def wanted_classes(self) -> tuple[str, ...]:
        """Return the classes to publish, empty for all of them."""
        return tuple(name for name in self.classes if name)


def _name(item: Field[Any]) -> str:
    return item.metadata['name'] or item.name


def _as_declared(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _spec(item: Field[Any]) -> ParameterSpec:
    assert item.default is not MISSING
    options = {key: value for key, value in item.metadata.items() if key != 'name'}
    return ParameterSpec(name=_name(item), default=item.default, **options)


PARAMETERS: tuple[ParameterSpec, ...] = tuple(_spec(item) for item in fields(Settings))


def field_name(parameter: str) -> str:
    """Return the field of Settings that holds a parameter."""
    return next(item.name for item in fields(Settings) if _name(item) == parameter)
