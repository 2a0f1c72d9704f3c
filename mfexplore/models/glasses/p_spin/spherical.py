"""The spherical p-spin glass: transitions, and all branches of eq. (3) in closed form or by a scalar root."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from mfexplore.core import Array
from mfexplore.families.replicas.p_body import (
    BREAKPOINT,
    COLUMNS,
    COMPLEXITY,
    ENERGY,
    FREE_ENERGY,
    GLASS,
    LIQUID,
    OVERLAP,
    REPLICON,
    THRESHOLD,
)
from mfexplore.numerics.later import brentq


@cache
def transitions(order: int) -> tuple[float, float]:
    """(T_d, T_s)."""
    p = order
    dynamic = math.sqrt(p * (p - 2) ** (p - 2) / (2 * (p - 1) ** (p - 1)))

    def states_left(q: float) -> float:  # at the temperature at which q is the overlap at x = 1
        return q * q / (p * (1 - q)) + math.log1p(-q) + q

    q = brentq(states_left, (p - 2) / (p - 1), 1 - 1e-12, xtol=1e-15)
    return dynamic, math.sqrt(p / 2 * q ** (p - 2) * (1 - q))


@cache
def ratio(order: int) -> float:
    """(1 - q)/(1 - q + xq) in the glass below T_s, the same at every temperature."""

    def condition(y: float) -> float:
        return 2 / order + 2 * y * (1 - y + math.log(y)) / (1 - y) ** 2

    return float(brentq(condition, 1e-8, 1 - 1e-4, xtol=1e-15))


def rest_of(order: int, temperature: Array, level: float) -> Array:
    """The smaller root C of C^2 (1 - TC)^(p-2) = level, by Newton's method from its value at T = 0, which is below."""
    rest = np.full_like(temperature, math.sqrt(level))
    for _ in range(100):
        q = 1 - temperature * rest
        error = rest * q ** ((order - 2) / 2) - math.sqrt(level)
        slope = q ** ((order - 4) / 2) * (q - (order - 2) / 2 * temperature * rest)
        step = error / slope
        rest = rest - step
        if np.all(np.abs(step) <= 1e-15 * rest):
            break
    return rest


def overlap_in_liquid(order: int, temperature: Array) -> Array:
    """Larger root q of (p/2T^2) q^(p-2) (1 - q) = 1, by Newton's method from 1, for T <= T_d."""
    level = 2 * temperature**2 / order
    q = np.ones_like(temperature)
    for _ in range(200):
        error = q ** (order - 2) * (1 - q) - level
        slope = q ** (order - 3) * ((order - 2) * (1 - q) - q)
        step = np.where(slope < 0, error / np.where(slope < 0, slope, -1), 0)
        q = q - step
        if np.all(np.abs(step) <= 1e-16):
            break
    return q


def states(order: int, temperature: Array, rest: Array, gamma: Array) -> Array:
    """Observables, shape (n, columns), of states of eq. (3) from C and gamma, of shape (n,)."""
    p, t, c = order, temperature, rest
    q = 1 - t * c
    ring = c * sum(q**j for j in range(p))  # (1 - q^p)/T
    mixed = np.log1p(gamma * q / c)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrunk = np.where(t > 0, t * np.log(t * c), 0.0)
    table = np.empty((t.size, len(COLUMNS)))
    table[:, OVERLAP] = q
    table[:, BREAKPOINT] = gamma * t
    table[:, FREE_ENERGY] = -ring / 4 - gamma / 4 * q**p - shrunk / 2 - mixed / (2 * gamma)
    table[:, ENERGY] = -(ring + gamma * q**p) / 2
    table[:, COMPLEXITY] = -(gamma**2) / 4 * q**p + mixed / 2 - gamma * q / (2 * (c + gamma * q))
    table[:, REPLICON] = 1 - p * (p - 1) / 2 * q ** (p - 2) * c**2
    return table


def solve(order: int, temperature: Array, values: Array, residual: Array) -> None:
    """All branches at one order; values: shape (n, 3, columns), residual: (n, 3)."""
    p, t = order, temperature
    dynamic, static = transitions(p)
    y = ratio(p)
    warm = t > 0
    values[warm, LIQUID] = 0.0
    values[warm, LIQUID, BREAKPOINT] = values[warm, LIQUID, REPLICON] = 1.0
    values[warm, LIQUID, FREE_ENERGY], values[warm, LIQUID, ENERGY] = -0.25 / t[warm], -0.5 / t[warm]
    residual[warm, LIQUID] = 0.0

    many = (t >= static) & (t < dynamic)
    q = overlap_in_liquid(p, t[many])
    values[many, GLASS] = states(p, t[many], (1 - q) / t[many], 1 / t[many])
    values[many, GLASS, BREAKPOINT] = 1.0
    residual[many, GLASS] = np.abs(p / 2 * q ** (p - 2) * (1 - q) - t[many] ** 2)

    few = t < static
    rest = rest_of(p, t[few], 2 * y / p)
    q = 1 - t[few] * rest
    values[few, GLASS] = states(p, t[few], rest, rest * (1 / y - 1) / q)
    residual[few, GLASS] = np.abs(p / 2 * q ** (p - 2) * rest**2 - y)

    below = t < dynamic
    rest = rest_of(p, t[below], 2 / (p * (p - 1)))
    q = 1 - t[below] * rest
    gamma = (p - 2) * rest / q
    values[below, THRESHOLD] = states(p, t[below], rest, gamma)
    values[below, THRESHOLD, FREE_ENERGY] += values[below, THRESHOLD, COMPLEXITY] / gamma  # of one of them
    residual[below, THRESHOLD] = np.abs(1 - p * (p - 1) / 2 * q ** (p - 2) * rest**2)


def held_free_energy(order: int, temperature: float, q: float) -> float:
    """Free energy of a copy held at overlap q with an equilibrium configuration (Franz and Parisi 1995); u is the
    overlap of two such copies.
    """
    p, t = order, temperature

    def excess(u: float) -> float:
        return u - q * q - p / (2 * t * t) * u ** (p - 1) * (1 - u) ** 2

    grid = np.linspace(q * q, 1, 200)
    signs = np.array([excess(u) for u in grid])
    k = int(np.argmax(signs >= 0))
    u = brentq(excess, grid[k - 1], grid[k], xtol=1e-14) if k > 0 else 0.0
    entropy = math.log(1 - u) + (u - q * q) / (1 - u)
    return float(-(q**p) / (2 * t) - (1 - u**p) / (4 * t) - t / 2 * entropy)
