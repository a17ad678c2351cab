"""
Integrate-and-fire neurons on snnTorch: equations (1) to (3) of arXiv 2106.05624.

    (1) V(t) = V(t-1) + z(t) - theta * s(t-1)      reset by subtraction
    (3) s(t) = 1 if V(t) >= theta else 0

and two generalisations that stay integrate-and-fire: signed spikes and a few spikes per step,

    s(t) = clip(floor(V(t) / theta), lowest, highest)

With n the net number of spikes sent before step t, highest = min(burst, t - n): a neuron may catch
up by several spikes in a step, but its rate never exceeds one, or a bounded activation would not
be bounded any more. lowest is 0 for 'unsigned', -min(burst, t + n) for 'signed', and
-min(burst, n) for 'corrective', whose count never falls below zero. With burst 1, n never comes
near these limits but for the corrective one, and for unsigned neurons this is equation (3) again.
"""

from __future__ import annotations

import snntorch as snn
import torch
from torch import Tensor

from spiking_retina_ros.spiking.topology import Polarity


def fire_at_threshold(distance: Tensor) -> Tensor:
    """
    Return equation (3) of ``distance`` = V - theta: one where it is >= 0.

    snnTorch's own surrogates compare with a strict ``>``: an exact hit, common on integers, would
    fire one step late.
    """
    return (distance >= 0).to(distance.dtype)


def integrate_and_fire(threshold: Tensor, *, polarity: Polarity, burst: int) -> snn.Leaky:
    """
    Return a stateless-by-contract neuron: ``spikes, membrane = neuron(current, membrane)``.

    ``threshold`` broadcasts against the current. Plain unsigned neurons are ``snn.Leaky`` itself
    with beta 1 and the delayed reset of equation (1); the others are a subclass of it, which also
    remembers its own last spikes, so make a new neuron for every window.
    """
    if polarity == 'unsigned' and burst == 1:
        neuron = snn.Leaky(
            beta=1.0,
            threshold=threshold,
            reset_mechanism='subtract',
            reset_delay=True,
            spike_grad=fire_at_threshold,
        )
    else:
        neuron = MultiSpike(threshold, polarity=polarity, burst=burst)
    # snnTorch lists every neuron ever built in a class attribute, for its own hidden-state
    # helpers, which we do not use; left there, no network would ever be freed.
    snn.SpikingNeuron.instances.remove(neuron)
    return neuron


class MultiSpike(snn.Leaky):
    """An integrate-and-fire neuron whose spikes are integers in [lowest, highest], see above."""

    def __init__(self, threshold: Tensor, *, polarity: Polarity, burst: int) -> None:
        super().__init__(
            beta=1.0, threshold=threshold, reset_mechanism='subtract', reset_delay=True
        )
        self.polarity = polarity
        self.burst = burst
        self._step = 0
        self._sent: Tensor | None = None
        self._last: Tensor | None = None

    def mem_reset(self, mem: Tensor) -> Tensor:
        """Return the spikes of the step before: what equation (1) subtracts."""
        return torch.zeros_like(mem) if self._last is None else self._last

    def fire(self, mem: Tensor) -> Tensor:
        """Return the spikes of this step, integers in the dtype of ``mem``."""
        sent = torch.zeros_like(mem) if self._sent is None else self._sent
        self._step += 1
        spikes = torch.floor(mem / self.threshold).clamp(*spike_limits(self.polarity, self.burst))
        spikes = torch.minimum(spikes, self._step - sent)
        if self.polarity == 'signed':
            spikes = torch.maximum(spikes, -self._step - sent)
        elif self.polarity == 'corrective':
            spikes = torch.maximum(spikes, -sent)
        self._sent = sent + spikes
        self._last = spikes
        return spikes


def spike_limits(polarity: Polarity, burst: int) -> tuple[int, int]:
    """Return the fewest and the most spikes a neuron may send in any step."""
    return (0 if polarity == 'unsigned' else -burst), burst
