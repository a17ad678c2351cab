"""The analog network as a graph of the few operations a conversion knows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spiking_retina_ros.spiking.topology import Concatenation, MaxPool, UpsampleLike


@dataclass(frozen=True)
class Convolution:
    """A convolution with its batch norm folded in; ``layer`` keys ``.weight`` and ``.bias``."""

    name: str
    source: str
    layer: str
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the operations this one reads."""
        return (self.source,)


@dataclass(frozen=True)
class Relu:
    """``min(max(x, 0), maximum)``; ``maximum`` None is a plain ReLU."""

    name: str
    source: str
    maximum: float | None

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the operations this one reads."""
        return (self.source,)


@dataclass(frozen=True)
class Addition:
    """The sum of two maps of one shape."""

    name: str
    first: str
    second: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the operations this one reads."""
        return (self.first, self.second)


Operation = Convolution | Relu | Addition | MaxPool | UpsampleLike | Concatenation


@dataclass(frozen=True)
class AnalogGraph:
    """
    Operations in order, the names of the outputs, and the float weights.

    ``channels`` is the number of channels of every operation's map, the input's included.
    """

    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]
    weights: dict[str, Tensor]
    channels: dict[str, int]

    def users(self) -> dict[str, list[Operation]]:
        """Return who reads each operation; ``UpsampleLike.like`` only reads a size."""
        users: dict[str, list[Operation]] = {name: [] for name in self.channels}
        for operation in self.operations:
            read = (operation.source,) if isinstance(operation, UpsampleLike) else operation.sources
            for source in read:
                users[source].append(operation)
        return users
