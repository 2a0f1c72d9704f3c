"""What is known of the resistances: mean field, edges that cannot be avoided, degrees."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import zeta

from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.later import later

Array = NDArray[Any]

POINT, INTERVAL, ENDS = BETWEEN = ("point", "interval", "ends")
LARGEST_ANNEALED = 512

cho_factor, cho_solve = later("scipy.linalg", "cho_factor"), later("scipy.linalg", "cho_solve")
cholesky, solve_triangular = later("scipy.linalg", "cholesky"), later("scipy.linalg", "solve_triangular")


def link_probability(beta: float, distances: Array) -> Array:
    """p_k of eq. (1), and 1 between neighbours."""
    k = np.maximum(np.asarray(distances, np.float64), 2.0)
    return np.where(np.asarray(distances) == 1, 1.0, -np.expm1(beta * np.log1p(-1 / k**2)))


def mean_degree(beta: float) -> float:
    """Edges of a site on average: terms of the sum one by one, then in powers of 1/k."""
    k = np.arange(2, 200)
    tail = (
        beta * zeta(2, 200) - beta * (beta - 1) / 2 * zeta(4, 200) + beta * (beta - 1) * (beta - 2) / 6 * zeta(6, 200)
    )
    return float(2 + 2 * (link_probability(beta, k).sum() + tail))


@lru_cache(maxsize=256)
def annealed_point(beta: float, largest: int) -> Array:
    """Resistances of mean field from 0 to outside of [-n, n], at n = 0, 1, ..., `largest`; shape (largest + 1,).

    Sites k and -k have the same potential. A longer line only adds rows to the matrix, so that one factorisation has
    the answers at all lengths.
    """
    g = np.concatenate([[0.0], link_probability(beta, np.arange(1, 2 * largest + 1))])
    site = np.arange(largest + 1)
    matrix = -(g[np.abs(site[:, None] - site)] + g[site[:, None] + site])
    matrix[0] = matrix[:, 0] = -math.sqrt(2) * g[site]
    matrix[site, site] += mean_degree(beta)
    potentials = solve_triangular(cholesky(matrix, lower=True), np.eye(1, largest + 1)[0], lower=True)
    return np.cumsum(potentials**2)


@lru_cache(maxsize=4096)
def annealed(between: str, beta: float, n: int) -> float:
    """The resistance of mean field, at most `LARGEST_ANNEALED` by a factorisation, beyond along ln n."""
    if beta == 0.0:
        return 2.0 * n if between == ENDS else (n + 1) / 2
    if n > LARGEST_ANNEALED:
        far, near = (annealed(between, beta, one) for one in (LARGEST_ANNEALED, LARGEST_ANNEALED // 2))
        return far + (far - near) * math.log2(n / LARGEST_ANNEALED)
    if between == POINT:
        return float(annealed_point(beta, 64 if n <= 64 else LARGEST_ANNEALED)[n])
    g = np.concatenate([[0.0], link_probability(beta, np.arange(1, 4 * n + 1))])
    summed = np.cumsum(g)
    if between == INTERVAL:  # the arms on both sides are alike
        site = np.arange(n + 1, 2 * n + 1)
        matrix = -(g[np.abs(site[:, None] - site)] + g[site[:, None] + site])
        matrix[np.arange(n), np.arange(n)] += mean_degree(beta)
        near = summed[site + n] - summed[site - n - 1]
        return float(0.5 / (near @ (1 - cho_solve(cho_factor(matrix), near))))
    site = np.arange(1, n + 1)  # potentials are odd
    matrix = g[site[:, None] + site] - g[np.abs(site[:, None] - site)]
    matrix[np.arange(n), np.arange(n)] += summed[n - site] + summed[n + site]
    return float(2 * cho_solve(cho_factor(matrix), np.eye(1, n, n - 1)[0])[-1])


def bottlenecks(between: str, beta: Array, n: Array) -> Array:
    """Right sides of eqs. (3) and (4), at pairs of beta and n; shape (pairs,)."""
    found = np.empty(len(n))
    for place, (b, m) in enumerate(zip(beta, n, strict=True)):
        if between == ENDS:
            i = np.arange(-m, m, dtype=np.float64)
            found[place] = np.sum(((2 * m + 1) / (2 * (m + 1 + i) * (m - i))) ** b)
        elif between == POINT:
            found[place] = 0.5 * np.sum((4.0 * np.arange(m + 1) + 2) ** (-2 * b))
        else:
            found[place] = 0.5 * np.sum(((3 * m + 1) / m / (4.0 * np.arange(m, 2 * m + 1) + 2)) ** (2 * b))
    return found


def inverse_degree(beta: float) -> float:
    """Mean of one over the degree, the resistance from a site to all others: the integral of t^(degree - 1)."""
    t, weight = gauss_legendre(60)
    k = np.arange(2, 4000)
    p = link_probability(beta, k)
    none = np.log1p(-np.outer(1 - t, p)).sum(axis=1) - (1 - t) * beta * zeta(2, 4000)
    return float(weight @ (t * np.exp(2 * none)))
