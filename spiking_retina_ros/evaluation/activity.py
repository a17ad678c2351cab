"""
What every population of a spiking network did in a window, beside what it should have done.

Recording spike trains takes memory that grows with the window; the sums do not. So the network is
run with all of its populations as outputs, which changes nothing in it, and read at the times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.engine import Engine, Simulation
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork, Window
from spiking_retina_ros.spiking.topology import (
    INPUT,
    Concatenation,
    MaxPool,
    Population,
    Topology,
    UpsampleLike,
)

Maps = dict[str, Tensor]


def with_all_outputs(network: SpikingNetwork) -> SpikingNetwork:
    """Return the same network with every population an output, in order."""
    topology = network.topology
    names = tuple(population.name for population in topology.populations)
    return replace(network, topology=Topology(topology.nodes, names, topology.input_channels))


def observed_rates(simulation: Simulation, network: SpikingNetwork, window: Window) -> Maps:
    """
    Return the rates (1, C, H, W) float32 of every population of a network ``with_all_outputs``.

    A rate is the net spikes per step after the transient; that of a readout population its current
    per step in thresholds, so that both compare with normalised activations.
    """
    rates: Maps = {}
    for population in network.topology.populations:
        gathered = simulation.outputs[population.name]
        moved = _moved(gathered, simulation.times, window).double()
        per_step = moved / (window.steps - window.transient)
        if population.readout:
            per_step = per_step / network.parameter(population, 'threshold')[:, None, None]
        rates[population.name] = per_step.float()[None]
    return rates


def arriving_rates(
    simulation: Simulation, network: SpikingNetwork, window: Window, rates: Maps
) -> Maps:
    """Return ``rates`` and those of the nodes that only pass spikes on, (1, C, H, W) each."""
    result = dict(rates)
    for node in network.topology.nodes:
        if isinstance(node, MaxPool):
            # the pooled count is the maximum of the counts, so its rate is no maximum of rates
            counts = _counts(simulation, network, node.name)
            moved = _moved(counts, simulation.times, window)
            result[node.name] = (moved / (window.steps - window.transient)).float()[None]
        elif isinstance(node, UpsampleLike):
            size = result[node.like].shape[2:]
            result[node.name] = layers.upsample(result[node.source], (size[0], size[1]))
        elif isinstance(node, Concatenation):
            result[node.name] = torch.cat([result[name] for name in node.inputs], 1)
    return result


def simulate_all(engine: Engine, image: IntegerImage, windows: Sequence[Window]) -> Simulation:
    """Run the longest window once on an engine of a network ``with_all_outputs``."""
    times = {window.steps for window in windows} | {window.transient for window in windows}
    return engine.run(image, sorted(times - {0}))


def true_rates(normalised: FloatNetwork, image: IntegerImage) -> Maps:
    """Return the normalised analog activations (1, C, H, W) of every node, unclipped."""
    seen: Maps = {}
    with torch.inference_mode():
        integers = torch.from_numpy(image)[None].float()
        run_float(normalised, integers, visit=lambda name, values: seen.update({name: values}))
    seen[INPUT] = integers
    return seen


def spiking_populations(network: SpikingNetwork) -> list[Population]:
    """Return the populations that spike, in order of depth."""
    return [item for item in network.topology.populations if not item.readout]


def _moved(gathered: Tensor, times: Sequence[int], window: Window) -> Tensor:
    """Return what an output gathered after the transient."""
    end = gathered[times.index(window.steps)]
    return end - gathered[times.index(window.transient)] if window.transient else end


def _counts(simulation: Simulation, network: SpikingNetwork, name: str) -> Tensor:
    """Return what a node has sent up to each time, float64 (times, C, H, W)."""
    node = network.topology[name]
    if isinstance(node, Population):
        return simulation.outputs[name].double()
    if isinstance(node, MaxPool):
        return layers.pool_counts(_counts(simulation, network, node.source), node)
    if isinstance(node, Concatenation):
        return torch.cat([_counts(simulation, network, item) for item in node.inputs], 1)
    size = _counts(simulation, network, node.like).shape[2:]
    return layers.upsample(_counts(simulation, network, node.source), (size[0], size[1]))
