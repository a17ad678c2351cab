"""What a RetinaNet is made of: everything needed to build it again around a set of weights."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spiking_retina_ros.errors import UserError

BACKBONES = ('efficientnet_lite0', 'resnet18', 'resnet50', 'cspnet')
ACTIVATIONS = ('none', 'relu', 'relu6')
LEVEL_STRIDES = (8, 16, 32, 64, 128)
EFFICIENTNET_BLOCKS = 16

# Square roots of anchor areas in pixels of a 384x288 input. Of the photographs' boats, 90 % measure
# 12 to 252 px there (median 65), of the buoys 2.5 to 139 px (median 17, lower quartile 7), so P3
# starts at 6 px in wide steps; from P4 on 1.4 to 2.7 x stride, 1.3 apart, up to the largest boats.
SMALL_OBJECT_SIZES = (
    (6.0, 10.0, 16.0),
    (22.0, 29.0, 38.0),
    (50.0, 66.0, 86.0),
    (110.0, 140.0, 175.0),
    (210.0, 250.0, 300.0),
)


@dataclass(frozen=True)
class RetinaNetConfig:
    """
    Structure and input of a RetinaNet; frozen, so that it can travel with the weights.

    ``input_size`` is (height, width) in pixels. The network's input is ``(rgb - mean) / std`` with
    ``mean`` and ``std`` per RGB channel in units of 0..255. ``anchor_sizes`` holds, for each level
    P3..P7, the square roots of the anchors' areas in input pixels; ``anchor_ratios`` are heights
    over widths. ``torchvision_anchors`` takes over torchvision's habits of rounding anchors to
    whole pixels and of dividing the input size by the map size for the stride.
    ``pyramid_activation`` other than 'none' follows every convolution of the pyramid, which makes
    P3..P7 positive. ``batch_norm_eps`` None means the backbone's own; cspnet has no
    batch norm. ``expansion_channels`` gives
    the inner width of each of efficientnet_lite0's 16 blocks, the first of which is the stem's;
    empty means the original's, see `efficientnet.expansion_widths`.
    """

    backbone: str = 'efficientnet_lite0'
    class_names: tuple[str, ...] = ('boat', 'buoy')
    input_size: tuple[int, int] = (288, 384)
    pyramid_channels: int = 64
    head_depth: int = 2
    pyramid_activation: str = 'none'
    head_activation: str = 'relu'
    anchor_sizes: tuple[tuple[float, ...], ...] = SMALL_OBJECT_SIZES
    anchor_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    torchvision_anchors: bool = False
    mean: tuple[float, float, float] = (127.0, 127.0, 127.0)
    std: tuple[float, float, float] = (128.0, 128.0, 128.0)
    batch_norm_eps: float | None = None
    expansion_channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values no network can be built from."""
        _require(self.backbone in BACKBONES, 'backbone', f'one of {BACKBONES}', self.backbone)
        _require(
            self.pyramid_activation in ACTIVATIONS,
            'pyramid_activation',
            f'one of {ACTIVATIONS}',
            self.pyramid_activation,
        )
        _require(
            self.head_activation in ACTIVATIONS[1:],
            'head_activation',
            f'one of {ACTIVATIONS[1:]}',
            self.head_activation,
        )
        names = self.class_names
        _require(len(names) > 0, 'class_names', 'at least one name', names)
        _require(
            len(self.input_size) == 2 and min(self.input_size) >= 32,
            'input_size',
            '(height, width) of at least 32 pixels each',
            self.input_size,
        )
        _require(self.pyramid_channels > 0, 'pyramid_channels', 'above 0', self.pyramid_channels)
        _require(self.head_depth >= 0, 'head_depth', '0 or more', self.head_depth)
        self._check_anchors()
        for key, values in (('mean', self.mean), ('std', self.std)):
            fine = len(values) == 3 and all(math.isfinite(value) for value in values)
            _require(fine, key, 'three finite numbers, one per RGB channel', values)
        _require(min(self.std) > 0, 'std', 'numbers above 0', self.std)
        self._check_expansions()

    @property
    def anchors_per_place(self) -> int:
        """Return A, the number of anchors at every place of every level."""
        return len(self.anchor_sizes[0]) * len(self.anchor_ratios)

    @property
    def classes(self) -> int:
        """Return K, the number of class outputs per anchor."""
        return len(self.class_names)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values (lists for tuples), ready for json."""
        return {
            key: _lists(getattr(self, key)) for key in (f.name for f in dataclasses.fields(self))
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RetinaNetConfig:
        """
        Return the configuration `to_dict` described; keys left out keep their defaults.

        Raises UserError on unknown keys, on a missing ``backbone`` or ``class_names`` (those two
        must never be guessed) and on values that cannot be used.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(
                f'network configuration: unknown key {unknown[0]!r}, expected {sorted(known)}'
            )
        missing = [key for key in ('backbone', 'class_names') if key not in values]
        if missing:
            raise UserError(f'network configuration: missing key {missing[0]!r}')
        try:
            return cls(**{key: _tuples(value) for key, value in values.items()})
        except TypeError as error:
            raise UserError(f'network configuration: value of the wrong type ({error})') from error

    def _check_expansions(self) -> None:
        widths = self.expansion_channels
        if not widths:
            return
        fits = self.backbone == 'efficientnet_lite0' and len(widths) == EFFICIENTNET_BLOCKS
        _require(
            fits and min(widths) > 0,
            'expansion_channels',
            f'{EFFICIENTNET_BLOCKS} numbers above 0 for efficientnet_lite0, none for another',
            widths,
        )

    def _check_anchors(self) -> None:
        sizes = self.anchor_sizes
        alike = len({len(level) for level in sizes}) == 1
        _require(
            len(sizes) == len(LEVEL_STRIDES) and alike and len(sizes[0]) > 0,
            'anchor_sizes',
            f'{len(LEVEL_STRIDES)} levels of equally many sizes',
            sizes,
        )
        positive = all(size > 0 for level in sizes for size in level)
        _require(positive, 'anchor_sizes', 'sizes above 0', sizes)
        ratios = self.anchor_ratios
        fine = len(ratios) > 0 and min(ratios) > 0
        _require(fine, 'anchor_ratios', 'at least one ratio, all above 0', ratios)


def _require(fine: bool, key: str, expected: str, found: object) -> None:
    if not fine:
        raise UserError(f'network configuration: {key}: expected {expected}, found {found!r}')


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value
