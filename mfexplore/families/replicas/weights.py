r"""Weights of the states of a glass with one step of replica symmetry breaking: the Poisson-Dirichlet law.

The lowest states are a Poisson process of exponential density, so that their Boltzmann weights $w$, which add up to
one, depend on the breakpoint $x$ alone (Derrida and Flyvbjerg 1987). The participation $Y=\sum w^2$ is no sharp number
even as $N\to\infty$; its distribution is that of $Y_0$ in $Y_k=V_k^2+(1-V_k)^2Y_{k+1}$ with
$V_k\sim\mathrm{Beta}(1-x,(k+1)x)$.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import beta, betainc

from mfexplore.numerics.functions.quadrature import gauss_legendre

Array = NDArray[np.float64]


def participation_law(breakpoint: float, points: int = 401) -> tuple[Array, Array]:
    """Grid on [0, 1] and cumulative distribution of Y, both of shape (points,), for 0 < x < 1: the recursion from the
    far end, where Y is small and taken at its mean, back to k = 0.

    V^2 + (1 - V)^2 Y <= y holds for all Y where V lies between the roots of V^2 + (1 - V)^2 = y, for some Y below and
    above them (up to sqrt y). There the integral over the Beta density is one over V^(1 - x) or over (1 - V)^x, which
    are neither singular nor depend on k.
    """
    x = breakpoint
    y = np.linspace(0, 1, points)
    depth = math.ceil(min(60, 20 + 4 / (1 - x)))
    mean = (1 - x) / (1 + depth * x)
    cumulative = (y >= mean).astype(float)
    nodes, weights = gauss_legendre(24)
    edge = np.sqrt(y)
    gap = np.sqrt(np.maximum(2 * y - 1, 0))
    lower, upper = np.where(y > 0.5, (1 - gap) / 2, edge), np.where(y > 0.5, (1 + gap) / 2, edge)
    first, last = (1 - edge) ** x, (1 - upper) ** x
    below = lower[:, None] * nodes ** (1 / (1 - x))
    above = 1 - (first[:, None] + (last - first)[:, None] * nodes) ** (1 / x)
    v = np.concatenate([below, above], axis=1)
    rest = (1 - v) ** x  # its k-th power is what depends on k
    weight = np.concatenate(
        [
            (1 - below) ** (x - 1) * weights * (lower ** (1 - x) / (1 - x))[:, None],
            np.maximum(above, 1e-300) ** -x * weights * ((last - first) / x)[:, None],
        ],
        axis=1,
    )
    reached = np.clip((y[:, None] - v**2) / np.maximum((1 - v) ** 2, 1e-300), -1, 1) * (points - 1)
    place = np.clip(reached.astype(int), 0, points - 2)  # of the largest Y with v^2 + (1 - v)^2 Y <= y
    weight[reached < 0] = 0
    part = reached - place
    powers = [weight]
    for _ in range(depth - 1):
        powers.append(powers[-1] * rest)
    for k in reversed(range(depth)):
        b = (k + 1) * x
        there = cumulative[place] + part * np.diff(cumulative)[place]
        between = np.where(y > 0.5, betainc(1 - x, b, upper) - betainc(1 - x, b, lower), 0.0)
        cumulative = np.clip(np.einsum("pn,pn->p", there, powers[k]) / beta(1 - x, b) + between, 0, 1)
        cumulative[-1] = 1
    return y, np.maximum.accumulate(cumulative)
