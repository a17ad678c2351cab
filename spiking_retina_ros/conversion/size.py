"""How large a network is before anything of it is calibrated: parameters, operations, neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import build_populations
from spiking_retina_ros.retinanet.network import RetinaNet


@dataclass(frozen=True)
class NetworkSize:
    """
    Counts for one frame of the network's own input size.

    ``macs`` are the analog network's multiply-accumulates, batch norm folded; ``neurons`` those of
    the spiking copy that can spike.
    """

    parameters: int
    macs: int
    neurons: int


def measure_size(network: RetinaNet, options: ConversionOptions) -> NetworkSize:
    """Count what the network converted with ``options`` would have; as `spiking.plan` does."""
    converted = build_populations(parse(network), options)
    shapes = converted.shapes(network.config.input_size)
    populations = list(converted.topology.populations)
    return NetworkSize(
        sum(parameter.numel() for parameter in network.parameters()),
        sum(
            math.prod(shapes[item.name]) * converted.tensors[synapse.weight][0].numel()
            for item in populations
            for synapse in item.synapses
        ),
        sum(math.prod(shapes[item.name]) for item in populations if not item.readout),
    )
