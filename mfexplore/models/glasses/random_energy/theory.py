"""Levels that exist, and how much weight they have: exact sums over them."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.functions.elementary import exp
from mfexplore.numerics.kernel import inline_kernel, kernel

PARAMAGNET, GLASS, FERROMAGNET = range(3)


@inline_kernel
def free_spin_entropy(x):
    """S(tanh x) of a spin in the field x: ln 2cosh x - x tanh x, accurate for large |x| too."""
    y = abs(x)
    decay = math.exp(-2.0 * y)
    return math.log1p(decay) + 2.0 * y * decay / (1.0 + decay)


@kernel
def critical_temperatures(field, out):
    """T_c(h) of eq. (3): x/(2 sqrt S(tanh x)) = h grows with x; Newton from the left on a convex function of x,
    kept inside a bracket. Writes into `out`, shape of `field`.
    """
    for i in range(field.size):
        h = abs(field[i])
        low, high = 0.0, 1.0
        while high < 2.0 * h * math.sqrt(free_spin_entropy(high)):
            high *= 2.0
        x = 2.0 * h * math.sqrt(math.log(2.0)) if h < 0.2 else 0.5 * high
        for _ in range(100):
            s = free_spin_entropy(x)
            root = math.sqrt(s)
            value = x - 2.0 * h * root
            if value > 0.0:
                high = x
            else:
                low = x
            decay = math.exp(-2.0 * x)
            slope = 1.0 + h * x * 4.0 * decay / ((1.0 + decay) * (1.0 + decay)) / root
            new = x - value / slope
            if not low <= new <= high:
                new = 0.5 * (low + high)
            if abs(new - x) <= 1e-15 * (1.0 + x):
                x = new
                break
            x = new
        out[i] = 0.5 / math.sqrt(free_spin_entropy(x))


def freezing_temperature(field: Array) -> Array:
    """T_c(h), shape of `field`."""
    found = np.empty_like(field)
    critical_temperatures(field, found)
    return found


def hidden_bias(temperature: Array, field: Array) -> Array:
    """J_0 at which the hidden configuration, eq. (5), has the free energy (2), at or above T_c."""
    return temperature * np.logaddexp(0, -2 * field / temperature) + 1 / (4 * temperature)


@kernel
def level_averages(y, width, nodes, tables, out):
    """Averages of three tabulated functions of v over Gaussian levels v ~ N(y, width^2), by the trapezoid rule.

    nodes: equally spaced, shape (k,); tables: shape (3, k), times the step; out: shape (3, n) for y of shape (n,).
    """
    scale = -0.5 / (width * width)
    norm = 1.0 / (width * math.sqrt(2.0 * math.pi))
    for i in range(y.size):
        a = b = c = 0.0
        centre = y[i]
        for k in range(nodes.size):
            d = nodes[k] - centre
            weight = exp(scale * d * d)
            a += weight * tables[0, k]
            b += weight * tables[1, k]
            c += weight * tables[2, k]
        out[0, i], out[1, i], out[2, i] = a * norm, b * norm, c * norm
