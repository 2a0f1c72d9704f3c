"""Survival among traps, and the rate of meetings by another way."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array
from mfexplore.families.walkers import inverse_laplace
from mfexplore.numerics.functions.quadrature import gauss_legendre

SMOLUCHOWSKI, MEAN_FIELD, LATE, EXACT = range(4)  # as in `methods`
SINGLE = 200  # sites of a gap up to which gaps are added up one by one


def trap_survival(times: Array, traps: Array) -> tuple[Array, Array]:
    """(fraction that survives among traps on the chain, its derivative), for reactivity 1. Shapes (n,).

    The mean of 1 - (decay^x + decay^(L + 1 - x)) / (1 + decay^(L + 1)) over the L places of a gap, over all gaps: small
    ones one by one, large ones by quadrature.
    """
    x, w = gauss_legendre(100)
    ones = np.ones(SINGLE + 1)
    ones[-2:] = 1 - 1 / 24, 1 / 24  # Euler and Maclaurin: the sum from there is an integral, and its slope at the end
    size = np.arange(1.0, SINGLE + 2)

    def transform(s: Array) -> Array:
        decay = 2 / (2 + s + np.sqrt(s) * np.sqrt(s + 4))
        lost = np.empty_like(s)
        for row, c in enumerate(traps):
            reach = max(45 / c, SINGLE + 2)
            beyond = math.log(reach / (SINGLE + 0.5))
            far = (SINGLE + 0.5) * np.exp(beyond * x)
            length = np.concatenate([size, far])
            weight = np.concatenate([ones, beyond * far * w]) * c * c * np.exp((length - 1) * math.log1p(-c))
            power = np.exp(length[:, None] * np.log(decay[row]))
            lost[row] = 2 * decay[row] / (1 - decay[row]) * (weight @ ((1 - power) / (1 + power * decay[row])))
        found = (1 - lost) / s
        return np.stack([found, s * found - 1])

    survival, slope = inverse_laplace(transform, times)
    return survival, slope


def meeting_rate_again(t: float, d: int, rate: float, p: float) -> float:
    """K(t) of eq. (2) a second time: P(s) as an average over directions of waves, and the inverse as a Fourier series
    whose alternating tail Euler's sums make converge (Abate and Whitt 1992). rate: of steps apart in one direction.
    """
    s = (18.4 + 2j * math.pi * np.arange(64)) / (2 * t)
    edges = math.pi * 4.0 ** -np.arange(13.0, -1, -1)
    edges[0] = 0.0
    angle, weight = gauss_legendre(10, edges)
    weight = weight / math.pi
    wave, share = np.zeros(1), np.ones(1)
    for _ in range(d - 1):
        wave = np.add.outer(wave, 2 * rate * (1 - np.cos(angle))).ravel()
        share = np.multiply.outer(share, weight).ravel()
    green = np.array([share @ (1 / np.sqrt((one + wave) * (one + wave + 4 * rate))) for one in s])
    visits = (s + 2 * d * rate) * green
    terms = (((s + 2 * d * rate) / s - visits) / (visits + (1 - p) / p)).real * (-1.0) ** np.arange(64)
    terms[0] /= 2
    sums = np.cumsum(terms)[-16:]
    for _ in range(15):
        sums = (sums[1:] + sums[:-1]) / 2
    return float(math.exp(9.2) / t * sums[0])
