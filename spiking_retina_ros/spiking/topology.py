"""
The shape of a spiking network: which populations there are and who listens to whom.

A topology says nothing about numbers. Weights, biases, thresholds and scales live in a dictionary
of tensors and are found by the keys that ``Population`` and ``Synapse`` name, so that the five
pyramid levels which share a head name the same tensors. The analog network, its normalised form
and the integer spiking network are three sets of numbers on one topology, which is what lets us
compare them layer by layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Activation = Literal['linear', 'relu']
Polarity = Literal['unsigned', 'corrective', 'signed']

INPUT = 'input'


@dataclass(frozen=True)
class Synapse:
    """
    A convolution from the spikes of ``source`` into a population's membranes.

    ``weight`` names a tensor (C_out, C_in / groups, kernel height, kernel width). A depthwise 1x1
    kernel (``diagonal``) only rescales its source channel by channel: a shortcut, or an identity.
    Padding is zero padding in *analog* units, see ``plan.bias_map`` for what that means to spikes.
    """

    source: str
    weight: str
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    diagonal: bool = False


@dataclass(frozen=True)
class Population:
    """
    Neurons of one map (C, H, W) with a membrane each: the sum of their synapses and a bias.

    ``layer`` is the key of the shared parameters: ``<layer>.bias``, ``.threshold``, ``.initial``,
    ``.scale`` and ``.shift``, each (C,). ``maximum`` is the upper bound of a bounded ReLU.

    polarity 'unsigned': no negative spikes. 'corrective': negative ones, but never more than
    positive ones were sent before, so that the count stays that of a ReLU. 'signed': free to go
    below zero, for linear layers. ``burst`` is the most spikes in one step; the rate over the
    window stays within one all the same (see ``neurons``).

    ``readout`` populations do not spike: their membrane sums up the current, and the network's
    output is read from it.
    """

    name: str
    layer: str
    synapses: tuple[Synapse, ...]
    activation: Activation = 'linear'
    maximum: float | None = None
    polarity: Polarity = 'unsigned'
    burst: int = 1
    readout: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the nodes this one listens to."""
        return tuple(synapse.source for synapse in self.synapses)


@dataclass(frozen=True)
class MaxPool:
    """
    Maximum over windows, on spikes: the pooled *count* is the maximum of the counts so far.

    So an unsigned source makes it emit at most one spike a step. Padding never wins.
    """

    name: str
    source: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the nodes this one listens to."""
        return (self.source,)


@dataclass(frozen=True)
class UpsampleLike:
    """Nearest-neighbour repetition of ``source`` to the height and width of ``like``."""

    name: str
    source: str
    like: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the nodes this one listens to; ``like`` only gives its size."""
        return (self.source, self.like)


@dataclass(frozen=True)
class Concatenation:
    """Channels of several maps of one size, one after the other."""

    name: str
    inputs: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the nodes this one listens to."""
        return self.inputs


Node = Population | MaxPool | UpsampleLike | Concatenation
_KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (Population, MaxPool, UpsampleLike, Concatenation)
}


@dataclass(frozen=True)
class Topology:
    """Nodes in an order in which every node follows its sources, and the names of the outputs."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    input_channels: int = 3
    _by_name: dict[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that names are unique, sources come before who needs them, readouts are read."""
        seen: dict[str, Node] = {}
        for node in self.nodes:
            missing = [name for name in node.sources if name != INPUT and name not in seen]
            if missing or node.name in seen or node.name == INPUT:
                raise ValueError(
                    f'node {node.name!r}: expected a new name and known sources, '
                    f'unknown are {missing}'
                )
            seen[node.name] = node
        if unknown := [name for name in self.outputs if name not in seen]:
            raise ValueError(f'expected outputs among the nodes, unknown are {unknown}')
        lost = [p.name for p in self.populations if p.readout and p.name not in self.outputs]
        if lost:
            raise ValueError(f'expected every readout among the outputs, {lost} are not')
        object.__setattr__(self, '_by_name', seen)

    def __getitem__(self, name: str) -> Node:
        """Return the node of that name."""
        return self._by_name[name]

    @property
    def populations(self) -> Iterator[Population]:
        """Iterate over the populations, in order."""
        return (node for node in self.nodes if isinstance(node, Population))

    def as_dict(self) -> dict[str, Any]:
        """Return plain Python values, ready for json."""
        return {
            'input_channels': self.input_channels,
            'outputs': list(self.outputs),
            'nodes': [{'kind': type(node).__name__, **asdict(node)} for node in self.nodes],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Topology:
        """Read what ``as_dict`` wrote; raises ValueError or KeyError when it is something else."""
        nodes = tuple(_node_from_dict(entry) for entry in values['nodes'])
        return cls(nodes, tuple(values['outputs']), int(values['input_channels']))


def _node_from_dict(entry: dict[str, Any]) -> Node:
    values = dict(entry)
    kind = _KINDS.get(values.pop('kind', ''))
    if kind is None:
        raise ValueError(f'expected a node of kind {sorted(_KINDS)}, found {entry.get("kind")!r}')
    if kind is Population:
        values['synapses'] = tuple(_dataclass(Synapse, item) for item in values['synapses'])
    return _dataclass(kind, values)


def _dataclass(kind: type, values: dict[str, Any]) -> Any:
    """Build a dataclass from json values, whose lists stand for tuples."""
    known = {item.name for item in fields(kind)}
    if unknown := set(values) - known:
        raise ValueError(f'{kind.__name__}: unknown fields {sorted(unknown)}')
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
