"""Fronts of A + B: the quasi-static one, and what chance adds to the place where they meet."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.functions.quadrature import gauss_legendre

FAR = 12.0  # |z| at which the front of eq. (5) has ended


@cache
def front() -> tuple[Array, Array, float]:
    """(z, s(z), standard deviation of s^2 - z^2/4) of eq. (5), z from 0 to FAR: Newton's method, Chebyshev's points."""
    n = 80
    x = np.cos(math.pi * np.arange(n + 1) / n)
    weight = np.r_[2.0, np.ones(n - 1), 2.0] * (-1.0) ** np.arange(n + 1)
    apart = x[:, None] - x + np.eye(n + 1)
    slope = weight[:, None] / weight / apart
    slope -= np.diag(slope.sum(axis=1))
    slope *= 2 / FAR
    z = 0.5 * FAR * (x + 1)
    bend = slope @ slope
    s = np.sqrt(z * z / 4 + 0.3)
    for _ in range(30):
        gap, jacobian = bend @ s - s * s + z * z / 4, bend - 2 * np.diag(s)
        gap[0], jacobian[0] = s[0] - FAR / 2, np.eye(n + 1)[0]
        gap[-1], jacobian[-1] = slope[-1] @ s, slope[-1]
        step = np.linalg.solve(jacobian, gap)
        s = s - step
        if np.abs(step).max() < 1e-13:
            break
    series = np.polynomial.chebyshev.Chebyshev.fit(x, s, n)
    nodes, weights = gauss_legendre(100, (0, FAR))
    square = nodes**2
    rate = series(2 * nodes / FAR - 1) ** 2 - square / 4
    deviation = math.sqrt(float(weights @ (rate * square) / (weights @ rate)))
    fine = np.linspace(-1, 1, 1201)
    return 0.5 * FAR * (fine + 1), np.asarray(series(fine)), deviation


@cache
def steps_noise() -> float:
    """The integral of eq. (6), with u = sin^2 of an angle, whose ends are smooth."""
    angle, w = gauss_legendre(200, (0, math.pi / 2))
    u = np.sin(angle) ** 2
    q = np.tan(angle) / math.sqrt(2)
    inner = (np.arctan(q) + q / (1 + q * q)) / u**1.5 - math.sqrt(2) / u
    return float(w @ (inner * np.sin(2 * angle)))
