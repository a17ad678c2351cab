"""Which operations share a neuron: from an ``AnalogGraph`` to a topology with analog weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from spiking_retina_ros.conversion.graph import (
    Addition,
    AnalogGraph,
    Convolution,
    Operation,
    Relu,
)
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.plan import Shape, node_shapes
from spiking_retina_ros.spiking.topology import (
    Activation,
    Concatenation,
    MaxPool,
    Node,
    Polarity,
    Population,
    Synapse,
    Topology,
    UpsampleLike,
)


@dataclass(frozen=True)
class FloatNetwork:
    """
    A topology with real-valued numbers.

    ``tensors`` has every synapse's weight and ``<layer>.bias``; a normalised network also has
    ``<layer>.scale`` and ``<layer>.shift`` and the border taps, see ``normalise``.
    """

    topology: Topology
    tensors: dict[str, Tensor]

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of all numbers, and of the images that `run_float` takes."""
        return next(iter(self.tensors.values())).dtype

    def to(self, dtype: torch.dtype) -> FloatNetwork:
        """Return the network with its numbers in another type."""
        tensors = {key: value.to(dtype) for key, value in self.tensors.items()}
        return FloatNetwork(self.topology, tensors)

    def shapes(self, input_size: tuple[int, int]) -> dict[str, Shape]:
        """Return (C, H, W) of every node for inputs of (height, width) pixels."""
        weights = {
            synapse.weight: tuple(self.tensors[synapse.weight].shape)
            for population in self.topology.populations
            for synapse in population.synapses
        }
        return node_shapes(self.topology, weights, input_size)


def build_populations(graph: AnalogGraph, options: ConversionOptions) -> FloatNetwork:
    """
    Group operations into populations of neurons; the network still computes the analog values.

    A convolution or an addition and the ReLU that alone reads it are one population. With
    ``options.fuse_additions`` the convolutions that only an addition reads are part of it, too.
    """
    return _Builder(graph, options).build()


def with_neurons(topology: Topology, options: ConversionOptions) -> Topology:
    """Return the topology with the neurons that ``options`` ask for."""
    nodes: list[Node] = []
    for node in topology.nodes:
        if isinstance(node, Population):
            positive = node.polarity != 'signed'
            polarity = _polarity(options, positive=positive)
            node = replace(node, polarity=polarity, burst=options.burst)
        nodes.append(node)
    return Topology(tuple(nodes), topology.outputs, topology.input_channels)


def _polarity(options: ConversionOptions, *, positive: bool) -> Polarity:
    """Return what the neurons of a population may send; ``positive`` ones never have to."""
    chosen = options.signed_spikes
    if chosen == 'none' or (positive and chosen == 'linear'):
        return 'unsigned'
    return 'corrective' if positive else 'signed'


class _Builder:
    def __init__(self, graph: AnalogGraph, options: ConversionOptions) -> None:
        self._graph = graph
        self._options = options
        self._users = graph.users()
        self._operations = {operation.name: operation for operation in graph.operations}
        self._tensors: dict[str, Tensor] = {}
        self._nodes: list[Node] = []
        self._positive: set[str] = set()
        # operations whose size an upsampling reads; someone must still know it when they are gone
        self._measured = {op.like for op in graph.operations if isinstance(op, UpsampleLike)}

    def build(self) -> FloatNetwork:
        for operation in self._graph.operations:
            if isinstance(operation, (Convolution, Addition)):
                if not self._is_absorbed(operation):
                    self._population(operation.name, operation, 'linear', None)
            elif isinstance(operation, Relu):
                self._population(operation.name, operation, 'relu', operation.maximum)
            else:
                self._pass_on(operation)
        known = {node.name for node in self._nodes}
        if missing := [name for name in self._graph.outputs if name not in known]:
            raise UserError(f'outputs {missing} are not separate maps of the network')
        topology = Topology(tuple(self._nodes), self._graph.outputs, self._graph.channels['input'])
        return FloatNetwork(topology, self._tensors)

    def _pass_on(self, operation: MaxPool | UpsampleLike | Concatenation) -> None:
        """Add a node that only passes spikes on; what is positive stays positive."""
        values = operation.sources
        if isinstance(operation, UpsampleLike):
            operation = replace(operation, like=self._measurable(operation.like))
            values = (operation.source,)
        if all(source in self._positive for source in values):
            self._positive.add(operation.name)
        self._nodes.append(operation)

    def _measurable(self, name: str) -> str:
        """Return a map of the same height and width as ``name`` that is a node of its own."""
        operation = self._operations.get(name)
        while operation is not None and self._is_absorbed(operation):
            name = operation.sources[0]
            operation = self._operations.get(name)
        return name

    def _keeps_size(self, operation: Operation) -> bool:
        if not isinstance(operation, Convolution):
            return True
        kernel = self._graph.weights[f'{operation.layer}.weight'].shape[2:]
        return operation.stride == (1, 1) and all(
            2 * padding == dilation * (extent - 1)
            for padding, dilation, extent in zip(
                operation.padding, operation.dilation, kernel, strict=True
            )
        )

    def _is_absorbed(self, operation: Operation) -> bool:
        """Return whether a later population computes this operation as part of itself."""
        if not isinstance(operation, (Convolution, Addition)):
            return False
        users = self._users[operation.name]
        if len(users) != 1 or operation.name in self._graph.outputs:
            return False
        if operation.name in self._measured and not self._keeps_size(operation):
            return False
        if isinstance(users[0], Relu):
            return True
        return isinstance(users[0], Addition) and self._options.fuse_additions

    def _population(
        self, name: str, operation: Operation, activation: Activation, maximum: float | None
    ) -> None:
        root = operation
        if isinstance(operation, Relu):
            before = self._operations.get(operation.source)
            if before is not None and self._is_absorbed(before):
                root = before
        if isinstance(root, Convolution):
            layer, synapses = root.layer, [_synapse(root)]
            self._tensors[f'{layer}.weight'] = self._graph.weights[f'{layer}.weight']
            self._tensors[f'{layer}.bias'] = self._graph.weights[f'{layer}.bias']
        else:
            layer, synapses = name, self._sum(name, root)
        # a convolution has weights of either sign, so only a sum of what is positive is so itself
        positive = activation == 'relu' or all(
            item.diagonal and item.source in self._positive for item in synapses
        )
        if positive:
            self._positive.add(name)
        is_output = name in self._graph.outputs and not self._users[name]
        self._nodes.append(
            Population(
                name,
                layer,
                tuple(synapses),
                activation,
                maximum,
                _polarity(self._options, positive=positive),
                self._options.burst,
                is_output and self._options.readout == 'current',
            )
        )

    def _sum(self, name: str, root: Operation) -> list[Synapse]:
        """Return the synapses of an addition (nested ones included) or of an identity."""
        bias = torch.zeros(self._graph.channels[root.name])
        synapses: list[Synapse] = []
        pending = list(root.sources)
        while pending:
            source = pending.pop(0)
            operation = self._operations.get(source)
            absorbed = operation is not None and self._is_absorbed(operation)
            if absorbed and isinstance(operation, Convolution):
                synapses.append(_synapse(operation))
                weight = f'{operation.layer}.weight'
                self._tensors[weight] = self._graph.weights[weight]
                bias = bias + self._graph.weights[f'{operation.layer}.bias']
            elif absorbed and isinstance(operation, Addition):
                pending = [*operation.sources, *pending]
            else:
                synapses.append(self._identity(name, source, len(synapses)))
        self._tensors[f'{name}.bias'] = bias
        return synapses

    def _identity(self, name: str, source: str, index: int) -> Synapse:
        channels = self._graph.channels[source]
        key = f'{name}.identity{index}.weight'
        self._tensors[key] = torch.ones(channels, 1, 1, 1)
        return Synapse(source, key, groups=channels, diagonal=True)


def _synapse(operation: Convolution) -> Synapse:
    return Synapse(
        operation.source,
        f'{operation.layer}.weight',
        operation.stride,
        operation.padding,
        operation.dilation,
        operation.groups,
    )
