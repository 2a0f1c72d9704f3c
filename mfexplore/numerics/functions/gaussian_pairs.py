r"""Correlations of a saturating nonlinearity of two jointly Gaussian variables, in closed form.

For zero-mean Gaussian $x,y$ of variance $\Delta_0$ and covariance $\Delta$, dynamical mean-field theory needs
$C(\Delta)=\langle\phi(x)\phi(y)\rangle$, its slope $C'=\langle\phi'(x)\phi'(y)\rangle$ (Price's theorem) and its
integral. If $\phi$ is an error function all are elementary (Williams 1998). But the logistic distribution is a mixture
of normal ones, the standard deviation being distributed as Kolmogorov's statistic $k$ (Andrews and Mallows 1974), so

$$\tanh x=\int\mathrm{erf}\Big(\frac{x}{\sqrt2\,k}\Big)\,dF(k)\approx\sum_mw_m\,\mathrm{erf}(\beta_mx)$$

with positive weights: Gauss quadrature in $\ln k$ with 16 nodes is exact to $2\cdot10^{-11}$ for every $x$, so that

$$C(\Delta)=\frac2\pi\sum_{mn}w_mw_n\arcsin(b_{mn}\Delta),\qquad
b_{mn}=\frac{2\beta_m\beta_n}{\sqrt{(1+2\beta_m^2\Delta_0)(1+2\beta_n^2\Delta_0)}}$$

needs no quadrature whatever the variance.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import precise_block
from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]


def kolmogorov_density(k: Array) -> Array:
    """Density of Kolmogorov's statistic at k > 0; two theta series, each where it converges fast."""
    n = np.arange(1, 30)[:, None]
    tail = 8 * k * ((-1.0) ** (n + 1) * n**2 * np.exp(-2 * n**2 * k**2)).sum(axis=0)
    m = ((2 * n - 1) * np.pi) ** 2
    start = math.sqrt(2 * np.pi) * ((m / (4 * k**4) - 1 / k**2) * np.exp(-m / (8 * k**2))).sum(axis=0)
    return np.where(k < 0.8, start, tail)


def gauss_rule(x: Array, weight: Array, order: int) -> tuple[Array, Array]:
    """Gauss quadrature of a measure given on a fine grid, by Lanczos' method. Arrays of shape (n,) to (order,)."""
    basis: list[Array] = []
    diagonal, beside = np.empty(order), np.empty(order)
    vector = np.sqrt(weight / weight.sum())
    for j in range(order):
        basis.append(vector)
        following = x * vector
        diagonal[j] = vector @ following
        for old in basis:
            following = following - (old @ following) * old
        beside[j] = np.linalg.norm(following)
        vector = following / beside[j]
    matrix = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes, vectors[0] ** 2 * weight.sum()


@cache
def mixture(nonlinearity: str) -> tuple[Array, Array]:
    """(weights, rates), each of shape (m,): the nonlinearity as a sum of weight erf(rate x).

    "tanh", or "erf" for erf(sqrt(pi) x/2); both have slope 1 at 0.
    """
    if nonlinearity == "erf":
        return np.array([1.0]), np.array([math.sqrt(math.pi) / 2])
    u = np.linspace(-3.2, 1.6, 6001)
    k = np.exp(u)
    nodes, weights = gauss_rule(u, kolmogorov_density(k) * k * (u[1] - u[0]), 16)
    return weights, np.exp(-nodes) / math.sqrt(2)


@cache
def pair_table(nonlinearity: str) -> Array:
    """What the kernels below need: rows 2 w_m w_n/pi (twice where m < n), 2 beta_m^2, 2 beta_n^2, 2 beta_m beta_n."""
    weights, rates = mixture(nonlinearity)
    m, n = np.triu_indices(len(weights))
    table = [
        np.where(m < n, 4, 2) / np.pi * weights[m] * weights[n],
        2 * rates[m] ** 2,
        2 * rates[n] ** 2,
        2 * rates[m] * rates[n],
    ]
    return np.ascontiguousarray(table)


@precise_block
def arcsin(x):
    """Inverse sine of 0 <= x <= 1, error 2 ulp."""
    near = x < 0.5
    t = x * x if near else 0.5 - 0.5 * x
    p = 3.47933107596021167570e-05 * t + 7.91534994289814532176e-04
    p = p * t - 4.00555345006794114027e-02
    p = p * t + 2.01212532134862925881e-01
    p = p * t - 3.25565818622400915405e-01
    p = p * t + 1.66666666666666657415e-01
    q = 7.70381505559019352791e-02 * t - 6.88283971605453293030e-01
    q = q * t + 2.02094576023350569471e00
    q = q * t - 2.40339491173441421878e00
    q = q * t + 1.0
    r = t * p / q
    s = math.sqrt(t)
    return x + x * r if near else (0.7853981633974483 - 2.0 * (s * r)) - (2.0 * s - 0.7853981633974483)


@precise_block
def arcsin_integral(u):
    """The integral of arcsin from 0 to u, 0 <= u <= 1: u arcsin u + sqrt(1 - u^2) - 1 without cancellation."""
    z = u * u
    series = z * (0.5 + z * (1 / 24 + z * (1 / 80 + z * (5 / 896 + z * (7 / 2304 + z * (21 / 11264))))))
    root = math.sqrt(1.0 - z)
    return series if u < 0.15 else u * arcsin(u) - z / (1.0 + root)


@kernel
def set_variance(table, variance, reach):
    """Write b_mn at this variance into `reach`, shape (pairs,)."""
    for k in range(reach.size):
        reach[k] = table[3, k] / math.sqrt((1.0 + table[1, k] * variance) * (1.0 + table[2, k] * variance))


@kernel
def pair_correlation(table, reach, covariance):
    """C at a covariance between 0 and the variance."""
    total = 0.0
    for k in range(reach.size):
        total += table[0, k] * arcsin(min(reach[k] * covariance, 1.0))
    return total


@kernel
def pair_slope(table, reach, covariance):
    """C' there."""
    total = 0.0
    for k in range(reach.size):
        u = reach[k] * covariance
        total += table[0, k] * reach[k] / math.sqrt(1.0 - u * u)
    return total


@kernel
def pair_integral(table, reach, covariance):
    """The integral of C from 0 to there."""
    total = 0.0
    for k in range(reach.size):
        total += table[0, k] / reach[k] * arcsin_integral(min(reach[k] * covariance, 1.0))
    return total
