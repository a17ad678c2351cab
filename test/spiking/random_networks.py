"""Small spiking networks: random ones with every operation there is, and one of two layers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from hypothesis import strategies as st

from spiking_retina_ros.spiking.network import (
    IntegerImage,
    Preprocessing,
    SpikingNetwork,
    Window,
)
from spiking_retina_ros.spiking.plan import node_shapes
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Node,
    Population,
    Synapse,
    Topology,
    UpsampleLike,
)

# Widths beside the small ones sit around the borders of the event engine's words and tiles.
CHANNELS = st.sampled_from([1, 2, 3, 5, 8, 31, 32, 33, 64, 70])


@dataclass
class Builder:
    """Grows a network node by node; every choice about its shape is hypothesis's."""

    draw: st.DrawFn
    rng: np.random.Generator
    size: tuple[int, int]
    input_channels: int
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    drawn: int = 0

    def add_node(self, kind: str) -> None:
        spiking = [name for name in self.shapes if name != INPUT]
        if not spiking or kind == 'population':
            node = self._population(readout=False)
        elif kind == 'maxpool':
            node = self._max_pool()
        elif kind == 'upsample':
            source, like = (self.draw(st.sampled_from(spiking)) for _ in range(2))
            node = UpsampleLike(self._new_name(), source, like)
        else:
            first = self.draw(st.sampled_from(spiking))
            fitting = [n for n in spiking if self.shapes[n][1:] == self.shapes[first][1:]]
            others = self.draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=2))
            node = Concatenation(self._new_name(), (first, *others))
        self._append(node)

    def add_readout(self) -> None:
        self._append(self._population(readout=True))

    def _new_name(self) -> str:
        """Return a name never used before, not even by a node that was refused."""
        self.drawn += 1
        return f'n{self.drawn}'

    def _topology(self, node: Node) -> Topology:
        """Return what there is and one more node; readouts must be outputs."""
        nodes = (*self.nodes, node)
        readouts = tuple(n.name for n in nodes if isinstance(n, Population) and n.readout)
        return Topology(nodes, readouts, self.input_channels)

    def _append(self, node: Node) -> None:
        topology = self._topology(node)
        try:
            self.shapes = node_shapes(topology, self.weights, self.size)
        except ValueError:  # a kernel larger than its map
            return
        self.nodes.append(node)

    def _max_pool(self) -> MaxPool:
        name = self._new_name()
        source = self._source(image=False)
        kernel = self.draw(st.tuples(*[st.integers(1, 3)] * 2))
        stride = self.draw(st.tuples(*[st.integers(1, 2)] * 2))
        padding = tuple(self.draw(st.integers(0, k // 2)) for k in kernel)
        return MaxPool(name, source, kernel, stride, (padding[0], padding[1]))

    def _source(self, *, image: bool) -> str:
        readouts = {n.name for n in self.nodes if isinstance(n, Population) and n.readout}
        names = [n for n in self.shapes if n not in readouts and (image or n != INPUT)]
        return self.draw(st.sampled_from(names))

    def _population(self, *, readout: bool) -> Population:
        name = self._new_name()
        self.shapes.setdefault(INPUT, (self.input_channels, *self.size))
        first = self._convolution(f'{name}.0', self._source(image=True), None)
        topology = self._topology(Population(name, name, (first,)))
        synapses = [first]
        try:
            shape = node_shapes(topology, self.weights, self.size)[name]
        except ValueError:  # refused later, by _append
            shape = (0, 0, 0)
        fitting = [n for n in self.shapes if self.shapes[n][1:] == shape[1:]]
        readouts = {n.name for n in self.nodes if isinstance(n, Population) and n.readout}
        fitting = [n for n in fitting if n not in readouts]
        for index in range(self.draw(st.integers(0, 2)) if fitting else 0):
            source = self.draw(st.sampled_from(fitting))
            key = f'{name}.{index + 1}'
            same = source != INPUT and self.shapes[source] == shape
            if same and self.draw(st.booleans()):
                synapses.append(self._diagonal(key, source))
            else:
                synapses.append(self._convolution(key, source, shape[0]))
        polarity = self.draw(st.sampled_from(['unsigned', 'corrective', 'signed']))
        burst = self.draw(st.sampled_from([1, 1, 1, 2, 3]))
        self._numbers(name, synapses)
        return Population(
            name, name, tuple(synapses), polarity=polarity, burst=burst, readout=readout
        )

    def _diagonal(self, key: str, source: str) -> Synapse:
        channels = self.shapes[source][0]
        self._weight(key, (channels, 1, 1, 1), torch.int32)
        return Synapse(source, key, groups=channels, diagonal=True)

    def _convolution(self, key: str, source: str, channels: int | None) -> Synapse:
        """Return a convolution; with ``channels`` given one that keeps height and width."""
        available = self.shapes[source][0]
        groupings = [1, 1, 1, available]
        groupings += [g for g in range(2, available) if available % g == 0][:1]
        groups = self.draw(st.sampled_from(groupings))
        if channels is not None and channels % groups:
            groups = 1
        if channels is None:
            channels = self.draw(CHANNELS)
            if groups > 1:
                channels = groups * self.draw(st.sampled_from([1, 1, 2]))
        kernel, stride, padding, dilation = (1, 1), (1, 1), (0, 0), (1, 1)
        if channels is not None and self.draw(st.booleans()):
            half = self.draw(st.integers(0, 2))
            kernel, padding = (2 * half + 1,) * 2, (half,) * 2
        elif not key.endswith('.0'):
            pass
        else:
            kernel = self.draw(st.tuples(*[st.integers(1, 3)] * 2))
            stride = self.draw(st.tuples(*[st.integers(1, 2)] * 2))
            padding = self.draw(st.tuples(*[st.integers(0, 2)] * 2))
            dilation = self.draw(st.tuples(*[st.integers(1, 2)] * 2))
        dtype = self.draw(st.sampled_from([torch.int8, torch.int8, torch.int16]))
        self._weight(key, (channels, available // groups, *kernel), dtype)
        if self.draw(st.booleans()):
            taps = self.rng.integers(-50, 50, (channels, *kernel))
            self.tensors[f'{key}.taps'] = torch.from_numpy(taps.astype(np.int32))
        return Synapse(source, key, stride, padding, dilation, groups)

    def _weight(self, key: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        largest = {torch.int8: 127, torch.int16: 3000, torch.int32: 5000}[dtype]
        values = self.rng.integers(-largest, largest + 1, shape)
        if self.draw(st.booleans()):  # coarse numbers hit thresholds exactly
            values = values // 32 * 32
        self.tensors[key] = torch.from_numpy(np.clip(values, -largest, largest)).to(dtype)
        self.weights[key] = shape

    def _numbers(self, layer: str, synapses: list[Synapse]) -> None:
        """Draw thresholds and biases around the currents, so that there is activity."""
        bits = self.draw(st.integers(0, 6))
        channels = self.weights[synapses[0].weight][0]
        spread = 1.0
        for synapse in synapses:
            weight = self.tensors[synapse.weight].double()
            typical = float(weight.flatten(1).norm(dim=1).mean()) * (0 if synapse.diagonal else 1)
            typical = typical * 2**bits * (80 if synapse.source == INPUT else 0.5)
            spread += typical + (float(weight.abs().mean()) if synapse.diagonal else 0)
        threshold = np.maximum(1, spread * self.rng.uniform(0.2, 2, channels)).astype(np.int64)
        if self.draw(st.booleans()):
            threshold = np.maximum(1, threshold >> bits >> 5) << bits << 5
        bias = (threshold * self.rng.uniform(-0.3, 0.5, channels)).astype(np.int64)
        initial = (threshold * self.rng.uniform(-0.5, 1, channels)).astype(np.int64)
        for name, values in (('threshold', threshold), ('bias', bias), ('initial', initial)):
            self.tensors[f'{layer}.{name}'] = torch.from_numpy(values).to(torch.int32)
        self.tensors[f'{layer}.scale'] = torch.ones(channels)
        self.tensors[f'{layer}.shift'] = torch.zeros(channels)
        self.tensors[f'{layer}.fraction_bits'] = torch.tensor(bits, dtype=torch.int32)


@st.composite
def networks(draw: st.DrawFn, nodes: int = 5) -> tuple[SpikingNetwork, IntegerImage]:
    """Draw a network with at least one readout and one spiking output, and an image for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.tuples(st.integers(3, 11), st.integers(3, 11)))
    builder = Builder(draw, rng, size, draw(st.integers(1, 4)))
    while not builder.nodes:
        builder.add_node('population')
    kinds = st.sampled_from(
        ['population', 'population', 'population', 'maxpool', 'upsample', 'cat']
    )
    for kind in draw(st.lists(kinds, max_size=nodes)):
        builder.add_node(kind)
    for _ in range(draw(st.integers(0, 2))):
        builder.add_readout()
    populations = [node for node in builder.nodes if isinstance(node, Population)]
    outputs = [p.name for p in populations if p.readout or draw(st.booleans())]
    outputs = outputs or [populations[-1].name]
    image = rng.integers(-128, 128, (builder.input_channels, *size)).astype(np.int16)
    return network_of(builder.nodes, outputs, builder.tensors, builder.input_channels, size), image


def network_of(
    nodes: list[Node],
    outputs: list[str],
    tensors: dict[str, torch.Tensor],
    input_channels: int,
    size: tuple[int, int],
) -> SpikingNetwork:
    return SpikingNetwork(
        Topology(tuple(nodes), tuple(outputs), input_channels),
        tensors,
        Preprocessing(size, (128, 128, 128)),
        Window(8, 2),
        ('boat', 'buoy'),
    )


def pointwise(weights, *, bits=0, threshold=1000, polarity='unsigned'):
    """A population of image values, and one that listens to it through ``weights``."""
    channels = weights.shape[1]
    looking = Population('looking', 'looking', (Synapse(INPUT, 'looking.w'),))
    synapse = Synapse('looking', 'listening.w')
    listening = Population('listening', 'listening', (synapse,), polarity=polarity)
    tensors = {
        'looking.w': torch.full((channels, 1, 1, 1), 1, dtype=torch.int8),
        'listening.w': weights[:, :, None, None],
    }
    for layer, count, theta in (('looking', channels, 100), ('listening', len(weights), threshold)):
        tensors[f'{layer}.threshold'] = torch.full((count,), theta, dtype=torch.int32)
        for name in ('bias', 'initial'):
            tensors[f'{layer}.{name}'] = torch.zeros(count, dtype=torch.int32)
        tensors[f'{layer}.fraction_bits'] = torch.tensor(bits if layer == 'listening' else 0)
    return network_of([looking, listening], ['listening'], tensors, 1, (2, 3))
