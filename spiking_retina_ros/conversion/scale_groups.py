"""Which populations must share one scale because they share weights."""

from __future__ import annotations

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Population,
    Topology,
    UpsampleLike,
)


class ScaleGroups:
    """
    Populations joined into groups of one scale per channel.

    A layer used at several places (the heads, on five pyramid levels) has one set of integer
    weights, so all its inputs need one scale, and so do all its outputs. Published code normalises
    each level by itself and decodes all with the first one's scale, which is where much of its
    accuracy goes.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._parent = {population.name: population.name for population in topology.populations}
        first_use: dict[str, tuple[Population, str]] = {}
        for population in topology.populations:
            for synapse in population.synapses:
                first, source = first_use.setdefault(synapse.weight, (population, synapse.source))
                self._join(first.name, population.name)
                self._join_sources(source, synapse.source)

    def __contains__(self, name: object) -> bool:
        """Return whether ``name`` is a population and so has a scale."""
        return name in self._parent

    def of(self, population: str) -> str:
        """Return the group of a population; a group is named by one of its members."""
        while self._parent[population] != population:
            population = self._parent[population]
        return population

    def _join(self, first: str, second: str) -> None:
        roots = sorted((self.of(first), self.of(second)))
        self._parent[roots[1]] = roots[0]

    def _join_sources(self, first: str, second: str) -> None:
        if first == second:
            return
        one, other = (scale_bearers(self._topology, name) for name in (first, second))
        if len(one) != len(other):
            raise UserError(
                f'{first} and {second} feed the same layer but are put together differently, '
                'so they cannot share scales channel by channel'
            )
        for left, right in zip(one, other, strict=True):
            self._join(left.name, right.name)


def scale_bearers(topology: Topology, name: str) -> list[Population]:
    """Return the populations whose scales a node's channels have, in channel order."""
    if name == INPUT:
        raise UserError('a layer that reads the image and other maps alike is not converted')
    node = topology[name]
    if isinstance(node, Population):
        return [node]
    if isinstance(node, (MaxPool, UpsampleLike)):
        return scale_bearers(topology, node.source)
    assert isinstance(node, Concatenation)
    return [bearer for item in node.inputs for bearer in scale_bearers(topology, item)]
