"""Laws of a rough interface, and when oscillators on a ring lock."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import ive

from mfexplore.core import Array
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.functions.tracy_widom import tracy_widom_determinant

BEFORE_THE_END, SLOWEST = 0.006, 14  # of the square of the length; modes that still move after that
RINGS, LONGEST = 256, 512  # rings that are drawn for the law of the locking coupling, and their length at most


@lru_cache(maxsize=1)
def flat_variance() -> float:
    """Variance of the heights of a flat KPZ interface in units of (Gamma t)^(2/3), in Takeuchi's convention: that of
    Tracy and Widom's law of the orthogonal ensemble times 2^(-4/3).
    """
    h = 0.4  # the law is smooth and broad enough for this step
    s = np.arange(-6.4, 11.3, h)
    weight, middle = np.diff(tracy_widom_determinant(1, s)), s[1:] - h / 2
    mean = weight @ middle
    return float(2 ** (-4 / 3) * (weight @ (middle - mean) ** 2 - h * h / 12))  # the bins are no points (Sheppard)


def crossover_constant() -> float:
    """t_x nu g^2 of eq. (5), where Edwards and Wilkinson's width, as a root of time, and KPZ's meet: 61."""
    return (2 / math.pi) ** 3 * 16 / flat_variance() ** 6


def _endless(x: Array) -> Array:
    """F of eq. (3) on a ring without end."""
    return np.asarray(2 * x * (ive(0, 4 * x) + ive(1, 4 * x)))


def linear_width(time: Array, length: Array, columnar: bool = True) -> tuple[Array, Array]:
    """F and G of eqs. (3) and (4) at times (times the stiffness) on rings, each of shape (n,); not G unless `columnar`.

    As on a ring without end, but for the mode that the mean takes away, until the end is felt; then by what is left of
    the slowest modes.
    """
    x, n = np.asarray(time, np.float64), np.asarray(length, np.float64)
    early = x < BEFORE_THE_END * n * n
    before = np.where(early, x, 0.0)
    k = np.arange(1, SLOWEST + 1)
    pace = 4 * np.sin(math.pi * k / n[:, None]) ** 2
    several = np.where(2 * k < n[:, None], 2.0, np.where(2 * k == n[:, None], 1.0, 0.0)) / n[:, None]
    pace = np.where(several > 0, pace, 1.0)
    decay = np.exp(-pace * np.where(early, 0.0, x)[:, None])
    f_last, g_last = (n * n - 1) / (12 * n), (n * n - 1) * (n * n + 11) / (720 * n)
    f = np.where(early, _endless(before) - 2 * x / n, f_last - np.sum(several * decay**2 / pace, axis=1))
    if not columnar:
        return f, np.zeros_like(f)
    share, weight = gauss_legendre(24)
    y = before[:, None] * share**2
    grows = ((_endless(y) - _endless(y / 2)) * 4 * share) @ weight * before  # dG/dx = 2 [F(x) - F(x/2)]
    g = np.where(early, grows - x * x / n, g_last - np.sum(several * (2 * decay - decay**2) / pace**2, axis=1))
    return f, g


def locking_coupling(frequencies: Array) -> Array:
    """Least coupling at which rings of oscillators lock without winding, eq. (8); of shape (rings, length)."""
    sums = np.cumsum(frequencies - frequencies.mean(axis=1, keepdims=True), axis=1)
    top, bottom = sums.max(axis=1), sums.min(axis=1)
    low, high = (top - bottom) / 2, 2 * (top - bottom) + 1e-300

    def sum_of_phases(current: Array, coupling: Array) -> Array:
        inside = np.clip((sums - current[:, None]) / coupling[:, None], -1, 1)
        return np.asarray(np.arcsin(inside).sum(axis=1))

    for _ in range(26):
        middle = (low + high) / 2
        locks = (sum_of_phases(top - middle, middle) >= 0) & (sum_of_phases(bottom + middle, middle) <= 0)
        low, high = np.where(locks, low, middle), np.where(locks, middle, high)
    return high


@lru_cache(maxsize=1)
def _drawn_couplings() -> tuple[Array, Array]:
    """Of rings of several lengths, cut from the same long random walks: (one over the root of the length, ascending;
    sorted locking couplings over sigma sqrt(length), shape (lengths, RINGS)).
    """
    steps = np.random.default_rng(1926).standard_normal((RINGS, LONGEST))
    lengths = [LONGEST >> k for k in range(LONGEST.bit_length() - 3)]
    found = [locking_coupling(steps.reshape(RINGS, n, -1).sum(axis=2)) / math.sqrt(LONGEST) for n in lengths]
    return np.array(lengths) ** -0.5, np.sort(found, axis=1)


def locking_couplings(length: int) -> Array:
    """Locking couplings over sigma sqrt(length) of many rings of this length, sorted; shape (RINGS,)."""
    root, couplings = _drawn_couplings()
    k = int(np.clip(np.searchsorted(root, length**-0.5) - 1, 0, root.size - 2))
    share = (length**-0.5 - root[k]) / (root[k + 1] - root[k])
    return np.asarray((1 - share) * couplings[k] + share * couplings[k + 1])


def locked_fraction(stiffness: Array, disorder: Array, size: Array) -> Array:
    """Fraction of rings that lock, shape (n,)."""
    found = np.ones(stiffness.shape)
    for length in np.unique(size[disorder > 0]):
        own = (size == length) & (disorder > 0)
        couplings = locking_couplings(int(length))
        scaled = stiffness[own] / (disorder[own] * math.sqrt(length))
        found[own] = np.interp(scaled, couplings, np.linspace(0, 1, couplings.size), left=0.0, right=1.0)
    return found


def slip_widening(stiffness: Array, noise: Array, rate: Array, time: Array, length: Array) -> Array:
    """What slips at these rates add to F of eq. (3), so that it is eq. (7); each of shape (n,). A ring's modes as an
    integral from the slowest one on.
    """
    share, weight = gauss_legendre(32)
    decades = np.log(length)[:, None]
    pace = 4 * np.sin(0.5 * math.pi * np.exp(-decades * share)) ** 2  # crowded at long waves
    density = weight * decades * np.exp(-decades * share)
    x = (stiffness * time)[:, None]
    mu = (2 * math.pi**2 * rate / noise)[:, None]
    held = -np.expm1(-2 * pace * x) / pace
    slipping = 2 * x * mu / (mu + pace) - pace / (mu + pace) ** 2 * np.expm1(-2 * (pace + mu) * x)
    return np.asarray(np.sum(density * (slipping - held), axis=1))


def slip_rate(stiffness: Array, noise: Array, time: Array, length: Array) -> Array:
    """Eq. (6), per bond and both ways; each of shape (n,)."""
    near = ive(0, 4 * stiffness * time) + 1 / length
    with np.errstate(divide="ignore", invalid="ignore"):
        barrier = np.where(noise > 0, 2 * stiffness / noise * (1 + math.pi**2 / 4 * near), np.inf)
    return np.asarray(4 * stiffness / (3 * math.pi) * np.exp(-barrier))
