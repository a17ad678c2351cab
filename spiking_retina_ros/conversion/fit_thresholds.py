"""
Thresholds that lose least in a window of a given number of steps.

In T steps a neuron tells T levels up to its threshold's scale, and whatever is above is cut off. A
scale at the largest activation wastes levels on what hardly ever happens; a smaller one makes all
others finer. Per channel, the one with the least mean squared error on calibration images is taken,
among shares of the percentile's (compare Banner et al., "Post training 4-bit quantization", NeurIPS
2019). The more steps, the larger the share.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from tqdm import tqdm

from spiking_retina_ros.conversion.floating import run_float
from spiking_retina_ros.conversion.normalise import Scales
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.populations import FloatNetwork
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.spiking.topology import Topology

BINS = 1024
# From the largest on, so that of equal ones the percentile's own is taken.
SHARES = torch.arange(100, 9, -2, dtype=torch.float64) / 100
MOST_IMAGES = 32

# Per scale group, float64 (C, BINS): how often the magnitude of an activation, as a share of the
# percentile's scale, falls into each bin; the last one has all that is larger, too.
Spread = dict[str, Tensor]


def measure_spread(
    network: FloatNetwork,
    groups: ScaleGroups,
    scales: Scales,
    images: Iterable[Tensor],
    *,
    count: int,
) -> Spread:
    """Return how activations spread below their scales on ``count`` images (C, H, W)."""
    spread: Spread = {}

    def visit(name: str, values: Tensor) -> None:
        if name not in groups:
            return
        channels = values.shape[1]
        places = values.transpose(0, 1).flatten(1).abs() / scales[name][0][:, None].to(values.dtype)
        bins = (places * BINS).long().clamp(max=BINS - 1)
        bins += BINS * torch.arange(channels)[:, None]
        counts = torch.bincount(bins.flatten(), minlength=channels * BINS).view(channels, BINS)
        group = groups.of(name)
        spread[group] = spread.get(group, torch.zeros(())) + counts.double()

    with torch.no_grad():
        for image in tqdm(images, total=count, desc='fitting thresholds', unit='image'):
            run_float(network, image[None], visit=visit)
    return spread


def fit_scales(
    topology: Topology,
    groups: ScaleGroups,
    scales: Scales,
    spread: Spread,
    options: ConversionOptions,
    *,
    steps: int,
) -> Scales:
    """Return ``scales`` shrunk to what loses least in so many steps; readouts keep theirs."""
    errors = _errors(steps, options)
    fitted: Scales = {}
    for population in topology.populations:
        scale, shift = scales[population.name]
        if not population.readout:
            best = (spread[groups.of(population.name)] @ errors).argmin(1)
            scale = scale * SHARES[best]
        fitted[population.name] = (scale, shift)
    return fitted


def _errors(steps: int, options: ConversionOptions) -> Tensor:
    """Return (BINS, shares): the squared error of each bin's middle under each share."""
    middles = (torch.arange(BINS, dtype=torch.float64)[:, None] + 0.5) / BINS
    middles[0] = 0.0  # silence is by far the most frequent there, and exact
    rounding = 0.5 if options.half_threshold else 0.0
    counts = torch.floor(middles / SHARES * steps + rounding).clamp(max=steps)
    return (middles - counts * SHARES / steps).square()
