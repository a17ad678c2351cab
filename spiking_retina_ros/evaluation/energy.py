"""
What a frame would cost on a chip: an estimate from operation counts, not a measurement.

    analog   = 4.6 pJ * multiply-accumulates
    spiking  = 0.9 pJ * synaptic operations + 4.6 pJ * multiply-accumulates of the first layer

4.6 pJ for a 32-bit floating-point multiply and add, 0.9 pJ for the add alone, in 45 nm CMOS at
0.9 V: M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014. The
first layer sees pixels, which it multiplies once per frame. Memory traffic, neuron updates and
leakage are left out on both sides, and narrow integers would make both cheaper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from spiking_retina_ros.spiking.plan import Plan
from spiking_retina_ros.spiking.topology import INPUT

JOULES_PER_MAC = 4.6e-12
JOULES_PER_ADDITION = 0.9e-12
SOURCE = (
    '4.6 pJ per multiply-accumulate and 0.9 pJ per addition, 32-bit floating point, 45 nm '
    '(M. Horowitz, "Computing\'s energy problem (and what we can do about it)", ISSCC 2014)'
)


@dataclass(frozen=True)
class Energy:
    """Estimated joules per frame of the analog network and of a spiking one at ``steps``."""

    steps: int
    analog_joules: float
    spiking_joules: float

    @property
    def ratio(self) -> float:
        """Return spiking over analog; above 1 the spikes cost more."""
        return self.spiking_joules / self.analog_joules


def estimate_energy(plan: Plan, synaptic_operations: float, *, steps: int) -> Energy:
    """Return the estimate for a mean number of synaptic operations per frame."""
    return Energy(
        steps,
        JOULES_PER_MAC * plan.analog_macs,
        JOULES_PER_ADDITION * synaptic_operations + JOULES_PER_MAC * input_macs(plan),
    )


def input_macs(plan: Plan) -> int:
    """Return the multiply-accumulates of the layers that see the image itself."""
    return sum(
        math.prod(plan.shapes[population.name]) * plan.network.weight(synapse)[0].numel()
        for population in plan.network.topology.populations
        for synapse in population.synapses
        if synapse.source == INPUT
    )
