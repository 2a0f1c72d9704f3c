r"""Logarithmic determinant and Green's function of a two-dimensional lattice, averaged over its Brillouin zone.

$$\Phi(\kappa)=\int_0^{2\pi}\!\!\int_0^{2\pi}\frac{da\,db}{4\pi^2}\ln[\kappa-\gamma(a,b)],\quad
G=\Phi',\quad \gamma=\cos a+\cos b\ \text{(square)},\quad \cos a+\cos b+\cos(a+b)\ \text{(triangular)}$$

One angle can be integrated in closed form, which leaves $(c_1-\cos a)(c_2-\cos a)$ under a square root; the other one
gives a complete elliptic integral. All take $\delta=\kappa-\max\gamma>0$, because that is what matters where the
functions are singular.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipe, ellipkm1

Array = NDArray[Any]

# Double-exponential rule on [0, pi] in u = a/pi: nodes crowd at a = 0, where the integrand is nearly singular.
_t = np.linspace(-4.0, 4.0, 161)
_s = 0.5 * np.pi * np.sinh(_t)
NODES = np.pi / (1.0 + np.exp(-2.0 * _s))
WEIGHTS = np.cosh(_t) / np.cosh(_s) ** 2
WEIGHTS /= WEIGHTS.sum()  # the mean over the angle


def roots(delta: Array, triangular: bool) -> tuple[Array, Array, Array, Array]:
    """(c1, c2 - 1, and the derivatives of c1 and c2 by kappa)."""
    if not triangular:
        one = np.ones_like(delta)
        return delta + 3.0, delta, one, one
    kappa = delta + 3.0
    root = np.sqrt(2.0 * kappa + 3.0)
    return kappa + 1.0 + root, delta * (kappa + 1.0) / (kappa + root), 1.0 + 1.0 / root, 1.0 - 1.0 / root


def log_determinant(delta: Array, triangular: bool) -> Array:
    """Phi, relative error 1e-14, for an array of delta >= 0."""
    delta = np.asarray(delta, np.float64)[..., None]
    c1, c2_minus_1, _, _ = roots(delta, triangular)
    versine = 2.0 * np.sin(0.5 * NODES) ** 2
    a = delta + (2.0 if triangular else 1.0) + versine
    root = np.sqrt((c1 - 1.0 + versine) * (c2_minus_1 + versine))
    result: Array = np.log(0.5 * (a + root)) @ WEIGHTS
    return result


def green(delta: Array, triangular: bool) -> tuple[Array, Array]:
    """(G, dG/dkappa) for an array of delta > 0; G diverges like a logarithm as delta goes to 0."""
    c1, c2_minus_1, d1, d2 = roots(np.asarray(delta, np.float64), triangular)
    a, b = (c1 - 1.0) * (c2_minus_1 + 2.0), c2_minus_1 * (c1 + 1.0)
    a_slope = d1 * (c2_minus_1 + 2.0) + d2 * (c1 - 1.0)
    b_slope = d2 * (c1 + 1.0) + d1 * c2_minus_1
    rest = b / a  # 1 - m
    m = 2.0 * (c1 - 1.0 - c2_minus_1) / a
    k, e = ellipkm1(rest), ellipe(m)
    k_slope = (e - rest * k) / (2.0 * m * rest)
    m_slope = -(b_slope * a - b * a_slope) / a**2
    scale = 2.0 / (np.pi * np.sqrt(a))
    return scale * k, scale * (k_slope * m_slope - 0.5 * k * a_slope / a)
