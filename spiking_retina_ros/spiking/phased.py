"""
A phased window in closed form, on torch.

A neuron that has gathered all its input before it sends fires in every step until its membrane is
below the threshold, so its count is n = clip(floor(V / theta), lowest, steps), and its train is n
spikes in the first n steps. Only counts have to pass from layer to layer: what arrives is the
convolution of the counts, exact in floating point within the bounds of the plan.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spiking_retina_ros.spiking import layers
from spiking_retina_ros.spiking.engine import Simulation
from spiking_retina_ros.spiking.plan import Plan
from spiking_retina_ros.spiking.tally import Tally
from spiking_retina_ros.spiking.topology import INPUT, MaxPool, Population, UpsampleLike


def simulate_phased(plan: Plan, image: Tensor, steps: int, *, record: bool) -> Simulation:
    """Simulate one window for an integer image (C, H, W) on its device."""
    topology = plan.network.topology
    tally = Tally(plan, (1,))
    last_use = {name: i for i, node in enumerate(topology.nodes) for name in node.sources}
    counts: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}
    trains: dict[str, Tensor] = {}
    for index, node in enumerate(topology.nodes):
        if isinstance(node, Population):
            arrived = {
                s.source: _activity(counts[s.source]) for s in node.synapses if s.source != INPUT
            }
            tally.add_operations(node, 0, arrived)
            total = gathered_current(plan, node, image, counts, steps)
            if node.readout:
                outputs[node.name] = total.long()
                continue
            counts[node.name] = fired_counts(plan, node, total, steps)
            tally.add_spikes(node, 0, _activity(counts[node.name]).sum()[None])
        elif isinstance(node, MaxPool):
            counts[node.name] = layers.pool_counts(counts[node.source], node)
        elif isinstance(node, UpsampleLike):
            counts[node.name] = layers.upsample(counts[node.source], plan.shapes[node.name][1:])
        else:
            counts[node.name] = torch.cat([counts[name] for name in node.inputs], 1)
        if node.name in topology.outputs:
            outputs[node.name] = counts[node.name].long()
        if record:
            trains[node.name] = train_of(counts[node.name], steps)
        for name in [name for name in counts if last_use.get(name, -1) <= index]:
            del counts[name]
    return Simulation(
        (steps,),
        {name: outputs[name].cpu() for name in topology.outputs},
        tally.spikes,
        tally.operations,
        trains,
    )


def gathered_current(
    plan: Plan, population: Population, image: Tensor, counts: dict[str, Tensor], steps: int
) -> Tensor:
    """Return all current that arrives, (1, C, H, W), in a type exact for it."""
    farthest = int(plan.network.parameter(population, 'threshold').max())
    exact = layers.exact_dtype(plan.current_bounds[population.name] * steps + farthest)
    narrow = layers.exact_dtype(plan.sum_bounds[population.name] * steps)
    bits = plan.network.fraction_bits(population)
    total = plan.biases[population.name].to(image.device, exact) * steps
    for synapse in population.synapses:
        # sums of the narrow integers fit a narrower type than the membrane they are shifted into
        weight = plan.network.weight(synapse).to(image.device, narrow)
        if synapse.source == INPUT:
            arriving = image[None].to(narrow) * steps
        else:
            arriving = counts[synapse.source].to(narrow)
        current = layers.synapse_sum(weight, arriving, synapse).to(exact)
        total = total + (current if synapse.diagonal else current * 2**bits)
    return total.expand(1, *plan.shapes[population.name])


def fired_counts(plan: Plan, population: Population, total: Tensor, steps: int) -> Tensor:
    """Return the net spike counts (1, C, H, W), float32, of neurons that gathered ``total``."""
    parameter = plan.network.parameter
    threshold = parameter(population, 'threshold').to(total.device, total.dtype)[:, None, None]
    initial = parameter(population, 'initial').to(total.device, total.dtype)[:, None, None]
    # the quotient of two integers that are exact in a float type rounds down right in it
    wanted = torch.floor((total + initial) / threshold)
    lowest = -steps if population.polarity == 'signed' else 0
    return wanted.clamp(lowest, steps).float()


def _activity(counts: Tensor) -> Tensor:
    """Return spikes per place, int64 (1, H, W), negative ones counted like positive ones."""
    return counts.abs().sum(1, dtype=torch.float64).long()


def train_of(counts: Tensor, steps: int) -> Tensor:
    """Return int8 (steps, C, H, W): the spikes of ``counts`` (C, H, W), which come first."""
    number = torch.arange(1, steps + 1, device=counts.device).view(-1, 1, 1, 1)
    return ((counts.abs() >= number) * counts.sign()).to(torch.int8).cpu()
