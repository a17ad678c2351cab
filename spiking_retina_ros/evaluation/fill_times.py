"""How long the layers of a spiking network take to fill, estimated without simulating."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.quantise import dequantise
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.stages import to_single
from spiking_retina_ros.spiking.network import SpikingNetwork
from spiking_retina_ros.spiking.topology import INPUT, Population

# Signed and half-filled membranes say something long before a typical neuron's first spike; of
# windows below this share of the fill time nothing can be expected.
SHORTEST_SHARE = 1 / 8


def check_window(network: SpikingNetwork, images: Sequence[ImageArray]) -> None:
    """
    Refuse a concurrent window that ends long before the network can settle, on a few images.

    A phased one settles in any number of steps: a layer waits for all of its input.
    """
    if network.window.schedule == 'phased':
        return
    filled = max(fill_times(network, images).values(), default=0.0)
    if network.window.steps < SHORTEST_SHARE * filled:
        raise UserError(
            f'a window of {network.window.steps} steps is too short for this network: its layers '
            f'take about {filled:.0f} steps to fill. Use --steps {filled:.0f} or so, --schedule '
            'phased, or let --max-loss-points choose the window'
        )


def fill_times(network: SpikingNetwork, images: Sequence[ImageArray]) -> dict[str, float]:
    """
    Estimate, per spiking population, the steps until its neurons send their first spikes.

    A neuron of rate r that starts at the share v0 of its threshold fires after (1 - v0) / r steps;
    r is the rate a typical spike of the population comes from, sum r^2 / sum r, taken from the
    activations that the rates converge to. A population begins to fill when the slowest one before
    it has filled, so the times add up along the deepest path.
    """
    stage = to_single(dequantise(network))
    sums: dict[str, Tensor] = {}

    def visit(name: str, rates: Tensor) -> None:
        magnitudes = rates.abs().double()
        total = torch.stack([magnitudes.sum(), magnitudes.square().sum()])
        sums[name] = sums.get(name, torch.zeros(2, dtype=torch.float64)) + total

    with torch.inference_mode():
        for image in images:
            integers, _ = network.preprocessing(image)
            run_float(stage, torch.from_numpy(integers)[None].float(), clip=True, visit=visit)
    filled: dict[str, float] = {INPUT: 0.0}
    for node in network.topology.nodes:
        filled[node.name] = max(filled[source] for source in node.sources)
        if isinstance(node, Population) and not node.readout:
            first, second = sums[node.name].tolist()
            threshold = network.parameter(node, 'threshold').double()
            start = float((network.parameter(node, 'initial').double() / threshold).mean())
            filled[node.name] += (1 - start) * first / second if second else 0.0
    return {
        node.name: filled[node.name] for node in network.topology.populations if not node.readout
    }
