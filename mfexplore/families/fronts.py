r"""Pulled fronts: a state that grows into an unstable one at the speed at which its foremost tip runs ahead.

If small deviations $e^{-\lambda(x-ct)}$ grow at the rate $g(\lambda)$, so that $c=g(\lambda)/\lambda$, a steep start
ends at the slowest of these speeds, where $g'(\lambda)=g(\lambda)/\lambda$: the front is pulled by its tip. That takes
long (Bramson; Ebert and van Saarloos), and is impeded by whatever keeps the tip from being arbitrarily small (Brunet
and Derrida). Every function takes arrays and works element by element.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import lambertw

from mfexplore.core import Array


class Edge(NamedTuple):
    """steepness: lambda at the slowest speed, negative for an edge that hot ground has behind it; speed: c(lambda);
    spreading: g''(lambda)/2, the effective diffusion constant of the tip.
    """

    steepness: Array
    speed: Array
    spreading: Array

    def lag(self, time: Array) -> Array:
        """Distance behind ct since a steep start, up to a constant: 3 ln(t)/2 lambda + 2B/sqrt(t)."""
        late = 1.5 * math.sqrt(math.pi) / (self.steepness * np.abs(self.steepness) * np.sqrt(self.spreading))
        return np.asarray(1.5 * np.log(time) / self.steepness + 2 * late / np.sqrt(time))

    def mean_speed(self, time: Array) -> Array:
        """Mean speed over the second half of a time since a steep start."""
        return np.asarray(self.speed - (self.lag(time) - self.lag(time / 2)) / (time / 2))

    def cut_speed(self, depth: Array) -> Array:
        """Speed of a front whose tip ends at exp(-depth): c - pi^2 lambda g''/2 depth^2."""
        return np.asarray(self.speed - math.pi**2 * self.steepness * self.spreading / depth**2)


def noisy_depth(walkers: Array) -> Array:
    """What ln N has to be replaced by if walkers make the tip: ln N + 3 ln ln N (Brunet and others, 2006)."""
    depth = np.log(walkers)
    return np.asarray(depth + 3 * np.log(depth))


def on_a_line(growth: Array) -> Edge:
    """Diffusion with D = 1 on a line: g = growth + lambda^2. growth > 0."""
    steepness = np.sqrt(growth)
    return Edge(steepness, 2 * steepness, np.ones_like(steepness))


def on_a_lattice(growth: Array, hopping: Array | float = 1.0) -> Edge:
    """Jumps to either neighbour at the rate hopping > 0: g = growth + 2 hopping (cosh(lambda) - 1). growth > 0.

    Newton's method for lambda sinh(lambda) - cosh(lambda) + 1 = growth / 2 hopping, from above: convex, so it falls.
    """
    share = np.asarray(growth / hopping, np.float64)
    x = np.sqrt(share)
    for _ in range(60):
        step = (x * np.sinh(x) - np.cosh(x) + 1 - share / 2) / (x * np.cosh(x))
        x = x - step
        if np.all(np.abs(step) <= 1e-15 * x):
            break
    return Edge(x, 2 * hopping * np.sinh(x), hopping * np.cosh(x))


def along_a_chain(growth: Array, behind: bool = False) -> Edge:
    """Each relaxes towards the one before it at the rate 1: g = growth + e^lambda - 1. growth > 0.

    behind: the rear edge, at lambda < 0, which exists for growth < 1 only (NaN beyond).
    """
    share = np.asarray(growth, np.float64) - 1
    within = np.where((share < 0) | (not behind), share, np.nan)
    x = 1 + np.real(lambertw(within / math.e, -1 if behind else 0))
    grown = np.exp(x)
    return Edge(x, grown, grown / 2)
