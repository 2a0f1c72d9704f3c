"""Laws of a rough interface, and when oscillators on a ring lock."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.functions.tracy_widom import tracy_widom
from mfexplore.numerics.later import later

CubicSpline = later("scipy.interpolate", "CubicSpline")

RINGS, LONGEST = 200, 512  # rings that are drawn for the law of the locking coupling, and their length at most


@lru_cache(maxsize=1)
def flat_variance() -> float:
    """Variance of the heights of a flat KPZ interface in units of (Gamma t)^(2/3): that of Tracy and Widom's law of the
    orthogonal ensemble in Takeuchi's convention, 2^(-4/3) of it (0.638).
    """
    s, _, density = tracy_widom(1.0)
    mean = np.trapezoid(s * density, s)
    return float(2 ** (-4 / 3) * np.trapezoid((s - mean) ** 2 * density, s))


@lru_cache(maxsize=8)
def linear_widths(length: int) -> tuple[Array, Array]:
    """Tables of F and G of eqs. (3) and (4) on a ring: (ln of the time, their logarithms of shape (2, times))."""
    modes = np.arange(1, length)
    pace = 4 * np.sin(math.pi * modes / length) ** 2
    log_time = np.linspace(math.log(1e-4), math.log(4.0 * length**2), 30 + 6 * round(math.log(length**2 * 1e4)))
    half = modes <= length // 2  # the others are their mirror images
    weight = np.where(modes[half] * 2 == length, 1.0, 2.0) / length
    table = np.empty((2, log_time.size))
    for k, x in enumerate(np.exp(log_time)):
        table[0, k] = weight @ (-np.expm1(-2 * pace[half] * x) / pace[half])
        table[1, k] = weight @ (np.expm1(-pace[half] * x) / pace[half]) ** 2
    return log_time, np.log(table)


def linear_width(time: Array, length: int) -> tuple[Array, Array]:
    """(F, G) at times (times the stiffness), shape (n,): square widths for a noise or a disorder of strength one."""
    log_time, table = linear_widths(length)
    t = np.log(np.maximum(time, 1e-300))
    found = np.exp(CubicSpline(log_time, table, axis=1)(np.clip(t, log_time[0], log_time[-1])))
    early = t < log_time[0]
    whole = 1 - 1 / length
    return np.where(early, 2 * time * whole, found[0]), np.where(early, time**2 * whole, found[1])


def locking_coupling(frequencies: Array) -> Array:
    """Least coupling at which rings of oscillators lock without winding, eq. (7); of shape (rings, length)."""
    sums = np.cumsum(frequencies - frequencies.mean(axis=1, keepdims=True), axis=1)
    top, bottom = sums.max(axis=1), sums.min(axis=1)
    low, high = (top - bottom) / 2, 2 * (top - bottom) + 1e-300

    def sum_of_phases(current: Array, coupling: Array) -> Array:
        inside = np.clip((sums - current[:, None]) / coupling[:, None], -1, 1)
        return np.asarray(np.arcsin(inside).sum(axis=1))

    for _ in range(40):
        middle = (low + high) / 2
        locks = (sum_of_phases(top - middle, middle) >= 0) & (sum_of_phases(bottom + middle, middle) <= 0)
        low, high = np.where(locks, low, middle), np.where(locks, middle, high)
    return high


@lru_cache(maxsize=16)
def locking_couplings(length: int) -> Array:
    """Locking couplings over sigma sqrt(length) of rings of this length (or of the longest drawn), sorted."""
    n = min(length, LONGEST)
    frequencies = np.random.default_rng(1926).standard_normal((RINGS, n))
    return np.asarray(np.sort(locking_coupling(frequencies) / math.sqrt(n)))
