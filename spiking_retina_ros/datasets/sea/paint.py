"""The paints of vessels, as BGR in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spiking_retina_ros.datasets.sea.light import Colour

WHITE: Colour = (0.92, 0.93, 0.93)
CREAM: Colour = (0.80, 0.88, 0.92)
NAVY: Colour = (0.28, 0.14, 0.07)
GLASS: Colour = (0.20, 0.16, 0.12)
TEAK: Colour = (0.42, 0.58, 0.70)
ALUMINIUM: Colour = (0.70, 0.70, 0.68)
BLACK: Colour = (0.10, 0.09, 0.09)
GREY: Colour = (0.60, 0.60, 0.58)
RUST: Colour = (0.16, 0.20, 0.42)
RED: Colour = (0.16, 0.13, 0.62)
GREEN: Colour = (0.28, 0.36, 0.10)
BLUE: Colour = (0.55, 0.30, 0.10)
BUFF: Colour = (0.42, 0.68, 0.85)
ORANGE: Colour = (0.10, 0.45, 0.92)
SKIN: Colour = (0.50, 0.60, 0.78)
HAIR: Colour = (0.12, 0.18, 0.25)


def pick(rng: np.random.Generator, choices: Sequence[tuple[Colour, float]]) -> Colour:
    """Draw one of (colour, weight) and vary it a little, as paint varies."""
    weights = np.array([weight for _, weight in choices])
    base = choices[int(rng.choice(len(choices), p=weights / weights.sum()))][0]
    shade = rng.uniform(0.9, 1.05)
    blue, green, red = (float(np.clip(c * shade * rng.normal(1, 0.015), 0, 1)) for c in base)
    return blue, green, red
