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
    above them (up to sqrt y); there the Beta density is taken out of the integral by its own powers.
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
    for k in reversed(range(depth)):
        b = (k + 1) * x
        norm = beta(1 - x, b)
        v = lower[:, None] * nodes ** (1 / (1 - x))
        below = _at(v, y, cumulative) * (1 - v) ** (b - 1) @ weights * lower ** (1 - x) / (1 - x)
        first, last = (1 - edge) ** b, (1 - upper) ** b
        v = 1 - (first[:, None] + (last - first)[:, None] * nodes) ** (1 / b)
        above = _at(v, y, cumulative) * np.maximum(v, 1e-300) ** -x @ weights * (last - first) / b
        between = np.where(y > 0.5, betainc(1 - x, b, upper) - betainc(1 - x, b, lower), 0.0)
        cumulative = np.clip((below + above) / norm + between, 0, 1)
        cumulative[-1] = 1
    return y, np.maximum.accumulate(cumulative)


def _at(v: Array, y: Array, cumulative: Array) -> Array:
    """The distribution function at the largest Y with v^2 + (1 - v)^2 Y <= y; v of shape (points, nodes)."""
    inner = (y[:, None] - v**2) / np.maximum((1 - v) ** 2, 1e-300)
    return np.where(inner < 0, 0, np.interp(np.clip(inner, 0, 1), y, cumulative))
