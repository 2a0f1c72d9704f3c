r"""The Tracy-Widom laws: how the largest level of a random matrix fluctuates, and how a rough interface grows.

Convention: the ground state of the stochastic Airy operator -d^2/dx^2 + x + (2/sqrt beta) white noise is minus this
variable (Ramirez, Rider and Virag 2011). So beta = 1 and 2 are as everywhere; for beta = 4 tables often list the
variable of mean -3.2624 (times 2^(2/3)) or -2.3069 (times 2^(1/6)).

Two ways that know nothing of each other:

- `tracy_widom_determinant`: for beta = 1, 2 and 4, Fredholm determinants of the kernel Ai(x + y + s) on x, y > 0 by
  Gauss's quadrature (Bornemann 2010; Ferrari and Spohn 2005). Exact to 1e-10 and better.
- `tracy_widom`: for any beta, the probability F(x, w) that the diffusion dp = (x - p^2) dx + (2/sqrt beta) db, begun at
  the place x with the value w, never falls to minus infinity (Bloemendal and Virag 2013). It obeys

      -dF/dx = (2/beta) d^2F/dw^2 + (x - w^2) dF/dw,     F(x, -inf) = 0,

  and F(x, +inf) is the distribution function. With w = -l cot(theta) the whole line is a segment.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import airy, ndtr

from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.later import later

Floats = NDArray[np.float64]

NODES = 44  # of the quadrature of a determinant
ANGLES, STEPS = 500, 900  # of the diffusion: distribution functions to 2e-4
solve_banded = later("scipy.linalg", "solve_banded")


def tracy_widom_determinant(beta: int, s: Floats) -> Floats:
    """The distribution function at s, of shape (n,) with s >= -9, for beta = 1, 2 or 4."""
    natural = np.asarray(s, float) * (2 ** (2 / 3) if beta == 4 else 1.0)
    x, weights = gauss_legendre(NODES)
    minus, plus = np.empty(natural.size), np.empty(natural.size)
    for k, place in enumerate(natural):
        reach = 16 + max(-place, 0.0)  # beyond, the kernel is below 1e-16
        nodes, root = reach * x, np.sqrt(reach * weights)
        kernel = root[:, None] * airy(nodes[:, None] + nodes + place)[0] * root
        one = np.eye(NODES)
        minus[k], plus[k] = np.linalg.det(one - kernel), np.linalg.det(one + kernel)
    return minus if beta == 1 else minus * plus if beta == 2 else (minus + plus) / 2


@lru_cache(maxsize=32)
def tracy_widom(beta: float) -> tuple[Floats, Floats, Floats]:
    """The law at any beta from 0.001 to 100.

    Returns:
        s (ascending), distribution function and density, each of shape (n,), from one tail to the other; not to be
        written to.
    """
    low, high = -((600 / beta) ** (1 / 3)) - 4, (60 / beta) ** (2 / 3) + 2  # e^(-beta |s|^3/24), e^(-2 beta s^1.5/3)
    scale = 1 + beta ** (-1 / 3)
    theta = math.pi * np.arange(1, ANGLES + 1) / ANGLES
    h, sine, cosine = math.pi / ANGLES, np.sin(theta), np.cos(theta)
    spread = 2 / (beta * scale**2) * sine**4 / h**2
    drift = (4 / (beta * scale**2) * sine**3 * cosine - scale * cosine**2) / (2 * h)
    driven = sine**2 / (2 * h * scale)  # times x
    x = np.linspace(high, low, STEPS)
    dx = x[0] - x[1]
    with np.errstate(over="ignore"):
        start = ndtr((-scale * cosine / np.maximum(sine, 1e-9) + math.sqrt(high)) * math.sqrt(beta * math.sqrt(high)))
    before = now = start
    found = np.empty(STEPS)
    found[0] = now[-1]
    bands = np.empty((3, ANGLES))
    for k in range(1, STEPS):
        velocity = drift + x[k] * driven
        # backward differences in x (the first step is Euler's); at theta = pi everything leaves
        new, old, older = (1.0, 1.0, 0.0) if k == 1 else (1.5, 2.0, -0.5)
        bands[0, 1:] = -dx * (spread + velocity)[:-1]
        bands[1] = new + dx * 2 * spread
        bands[2, :-1] = -dx * (spread - velocity)[1:]
        bands[1, -1] = new - dx * 2 * velocity[-1]
        bands[2, -2] = dx * 2 * velocity[-1]
        before, now = now, solve_banded((1, 1), bands, old * now + older * before, check_finite=False)
        found[k] = now[-1]
    s, cumulative = x[::-1].copy(), np.clip(found[::-1], 0.0, 1.0)
    density = np.maximum(np.gradient(cumulative, s), 0.0)
    for array in (s, cumulative, density):
        array.flags.writeable = False
    return s, cumulative, density
