"""How long the layers of a spiking network take to fill, estimated without simulating."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.quantise import dequantise
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.evaluation.stages import to_single
from spiking_retina_ros.spiking.network import SpikingNetwork
from spiking_retina_ros.spiking.topology import INPUT, Population


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
