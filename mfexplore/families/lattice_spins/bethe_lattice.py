r"""Ising ferromagnet on the Bethe lattice: a tree where every site has c neighbours, coupling 1.

Each neighbour sends a field $u$, the same for all, which solves $u=T\,\mathrm{artanh}[\tanh\frac1T\,
\tanh\frac{h+(c-1)u}T]$. The right side is concave for $u>0$, so Newton's rule from the largest possible value, $u=1$,
descends to the largest root without stepping over it.
"""

from __future__ import annotations

import math

from mfexplore.numerics.kernel import kernel

LN2 = 0.6931471805599453


@kernel
def log_cosh(x):
    """The logarithm of cosh x, without overflow."""
    a = abs(x)
    return a + math.log1p(math.exp(-2.0 * a)) - LN2


@kernel
def bethe_lattice(t, h, c):
    """The state magnetized upwards at temperature t > 0, field h >= 0, with c >= 2 neighbours (a float).

    Returns (u, magnetization, energy, specific heat, free energy, residual), all per site.
    """
    k, b = 1.0 / t, h / t
    w = 0.0  # u / t
    residual = 0.0
    if h > 0.0 or (c - 1.0) * math.tanh(k) > 1.0:
        w = k
        for _ in range(200):
            a = b + (c - 1.0) * w
            residual = 0.5 * (log_cosh(k + a) - log_cosh(k - a)) - w
            slope = 0.5 * (c - 1.0) * (math.tanh(k + a) + math.tanh(k - a)) - 1.0
            step = residual / slope if slope < 0.0 else 0.0
            w -= step
            if abs(step) <= 1e-16 * k:
                break
    a, x = b + (c - 1.0) * w, b + c * w
    bond, theta, m = math.tanh(k), math.tanh(a), math.tanh(x)
    pair = (bond + theta * theta) / (1.0 + bond * theta * theta)
    by_a, by_k = 0.5 * (math.tanh(k + a) + math.tanh(k - a)), 0.5 * (math.tanh(k + a) - math.tanh(k - a))
    # Derivatives by 1/t at fixed h
    w_slope = (by_k + by_a * h) / (1.0 - (c - 1.0) * by_a) if w > 0.0 else 0.0
    a_slope, x_slope = h + (c - 1.0) * w_slope, h + c * w_slope
    scale = (1.0 + bond * theta * theta) ** 2
    pair_slope = (1.0 - bond * bond) * (1.0 - theta**4) / scale
    pair_slope += (1.0 - bond * bond) / scale * 2.0 * theta * (1.0 - theta * theta) * a_slope
    heat = k * k * (0.5 * c * pair_slope + h * (1.0 - m * m) * x_slope)
    gain = LN2 + (1.0 - 0.5 * c) * log_cosh(x) + 0.5 * c * (log_cosh(k) + log_cosh(a) - log_cosh(w))
    return w * t, m, -0.5 * c * pair - h * m, heat, -t * gain, abs(residual) * t
