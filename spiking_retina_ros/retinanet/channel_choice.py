"""
Which channels a linear layer needs least, and how the others make up for them.

Channels go one by one: each time the one whose absence, with the layer fitted anew to the others,
changes the outputs least.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Added to the squares of every channel, as a share of their mean: channels that never change would
# leave the equations without a solution.
RIDGE = 1e-6


@dataclass(frozen=True)
class Squares:
    """
    Sums over ``places`` of products, float64, of C inner channels and a constant 1 after them.

    ``inner`` (C + 1, C + 1) are those among them, ``cross`` (C + 1, O) those with the wanted
    outputs, ``wanted`` (O,) the squares of the outputs.
    """

    inner: Tensor
    cross: Tensor
    wanted: Tensor
    places: int

    def variance(self) -> Tensor:
        """Return the wanted outputs' summed squared distance from their mean, (O,)."""
        return self.wanted - self.cross[-1] ** 2 / self.places


def choose_channels(squares: Squares, width: int) -> tuple[Tensor, Tensor, float]:
    """
    Return the kept channels, the projection (width + 1, O) with the constant last, and the error.

    Backward elimination: with P the inverse of the inner products and W = P cross the solution,
    leaving out channel c costs |W_c|^2 / P_cc (as in Hassibi and Stork's optimal brain surgeon),
    and P and W without it follow from one rank-one update. Every output counts in units of its own
    deviation.
    """
    channels = len(squares.inner) - 1
    ridge = RIDGE * squares.inner.diagonal()[:-1].mean()
    inverse = torch.linalg.inv(squares.inner + ridge * torch.eye(channels + 1).double())
    unit = squares.variance().clamp(min=1e-12).rsqrt()
    solution = inverse @ squares.cross
    left = torch.ones(channels + 1, dtype=torch.bool)
    for _ in range(channels - width):
        cost = ((solution * unit) ** 2).sum(1) / inverse.diagonal()
        cost[~left] = torch.inf
        cost[-1] = torch.inf  # the constant costs nothing
        gone = int(cost.argmin())
        column = inverse[:, gone] / inverse[gone, gone]
        solution = solution - column[:, None] * solution[gone]
        inverse = inverse - column[:, None] * inverse[gone]
        left[gone] = False
        inverse[gone, gone] = 1.0  # keeps the division above finite
    solution = solution[left]
    explained = 2 * (solution * squares.cross[left]).sum(0) - (
        solution * (squares.inner[left][:, left] @ solution)
    ).sum(0)
    error = (squares.wanted - explained).clamp(min=0).sum() / squares.variance().sum()
    return left[:-1].nonzero().squeeze(1), solution, float(error)
