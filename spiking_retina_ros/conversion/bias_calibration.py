"""
Biases that make up for what a short window gets wrong on average.

A count of spikes is a rounded, bounded activation, and rounding is not fair: where most activations
of a channel lie below half a spike per window, most of them become silence, and the layers behind
are told too little, always in the same direction. So, layer by layer from the image on, every
channel's bias is moved by the mean of (activation - rate) over calibration images and places, the
rates being those of the integer network at its own number of steps, with the layers before it
already corrected (compare Li et al., "A Free Lunch From ANN", ICML 2021). The activation is that of
the normalised network, limited to what a rate can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from tqdm import tqdm

from spiking_retina_ros.conversion.floating import clip_to_rates, evaluate_population
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.network import SpikingNetwork
from spiking_retina_ros.spiking.phased import fired_counts, gathered_current
from spiking_retina_ros.spiking.plan import Plan, make_plan
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Node,
    Population,
    Topology,
    UpsampleLike,
)

# Means over all places of an image settle quickly; memory grows with the images.
MOST_IMAGES = 16

Maps = dict[str, Tensor]


def calibrate_biases(
    normalised: FloatNetwork, network: SpikingNetwork, images: Sequence[ImageArray]
) -> SpikingNetwork:
    """
    Return the network with the biases for its own window, calibrated on evenly spaced images.

    ``normalised`` is the network it was quantised from, ``images`` are BGR (H, W, 3) uint8. The
    window must be phased: in a concurrent one a rate is no function of what arrives.
    """
    chosen = images[:: -(-len(images) // MOST_IMAGES)]
    network = replace(network, tensors=dict(network.tensors))
    calibrator = _Calibrator(normalised.to(torch.float32), network, chosen)
    with torch.inference_mode():
        groups = layer_groups(network.topology)
        for number, group in enumerate(tqdm(groups, desc='calibrating biases', unit='layer')):
            calibrator.advance(group)
            calibrator.forget(groups[number + 1 :])
    return network


def layer_groups(topology: Topology) -> list[tuple[Node, ...]]:
    """
    Return the nodes in an order of computation, those that share a layer's bias together.

    Raises UserError where a shared layer reads what it computed itself.
    """
    waiting = list(topology.nodes)
    known = {INPUT}
    groups: list[tuple[Node, ...]] = []
    while waiting:
        for node in waiting:
            group = tuple(item for item in waiting if _layer(item) == _layer(node))
            if all(source in known for item in group for source in item.sources):
                break
        else:
            raise UserError(f'{waiting[0].name}: a shared layer reads its own output')
        groups.append(group)
        known |= {item.name for item in group}
        waiting = [item for item in waiting if item not in group]
    return groups


class _Calibrator:
    """
    Takes all images through both networks at once, one group of nodes after the other.

    ``_true[k]`` and ``_counts[k]`` are what the k-th image's nodes say, (1, C, H, W) each, in the
    normalised and in the spiking network, whose biases change in place.
    """

    def __init__(
        self, normalised: FloatNetwork, network: SpikingNetwork, images: Sequence[ImageArray]
    ) -> None:
        self._normalised = normalised
        self._network = network
        self._plan: Plan = make_plan(network, network.preprocessing.input_size)
        self._images = [torch.from_numpy(network.preprocessing(image)[0]) for image in images]
        self._true: list[Maps] = [{INPUT: image[None].float()} for image in self._images]
        self._counts: list[Maps] = [{} for _ in images]

    def advance(self, group: Sequence[Node]) -> None:
        """Compute a group of nodes; populations get the bias that makes their mean right."""
        populations = [node for node in group if isinstance(node, Population)]
        if populations:
            self._calibrate(populations)
            return
        (node,) = group
        for maps in (*self._true, *self._counts):
            maps[node.name] = self._pass_on(node, maps)

    def forget(self, later: Sequence[Sequence[Node]]) -> None:
        """Free the maps that no later node reads."""
        read = {source for group in later for node in group for source in node.sources}
        for maps in (*self._true, *self._counts):
            for name in [name for name in maps if name not in read]:
                del maps[name]

    def _calibrate(self, populations: Sequence[Population]) -> None:
        """Move the bias that the populations share by their mean error, and send."""
        steps, layer = self._network.window.steps, populations[0].layer
        threshold = self._network.parameter(populations[0], 'threshold').double()
        currents = {
            population.name: [
                gathered_current(self._plan, population, image, counts, steps)
                for image, counts in zip(self._images, self._counts, strict=True)
            ]
            for population in populations
        }
        missing, places = torch.zeros_like(threshold), 0
        for population in populations:
            for maps, current in zip(self._true, currents[population.name], strict=True):
                true = evaluate_population(
                    self._normalised, population, maps, self._plan.shapes, clip=False
                )
                maps[population.name] = true
                if population.readout:
                    rate = current.double() / (steps * threshold[:, None, None])
                else:
                    rate = fired_counts(self._plan, population, current, steps).double() / steps
                missing += (clip_to_rates(population, true).double() - rate).sum((0, 2, 3))
                places += true.shape[2] * true.shape[3]
        change = (missing / places * threshold).round().to(torch.int32)
        key = f'{layer}.bias'
        self._network.tensors[key] = self._network.tensors[key] + change
        for population in populations:
            if population.readout:
                continue
            for counts, current in zip(self._counts, currents[population.name], strict=True):
                corrected = current + steps * change.to(current.dtype)[:, None, None]
                counts[population.name] = fired_counts(self._plan, population, corrected, steps)

    def _pass_on(self, node: Node, maps: Maps) -> Tensor:
        if isinstance(node, MaxPool):
            return layers.pool_counts(maps[node.source], node)
        if isinstance(node, UpsampleLike):
            return layers.upsample(maps[node.source], self._plan.shapes[node.name][1:])
        assert isinstance(node, Concatenation)
        return torch.cat([maps[name] for name in node.inputs], 1)


def _layer(node: Node) -> str:
    """Return the key of what a node shares with others; a name of its own where nothing."""
    return f'layer {node.layer}' if isinstance(node, Population) else f'node {node.name}'
