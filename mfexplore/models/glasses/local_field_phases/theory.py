"""Moments of the local fields and the phase they name; their law, from the end of the tree of states."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from mfexplore.core import Array
from mfexplore.families.replicas.failure import at_line, temperature_of_failure
from mfexplore.families.replicas.symmetric import ENERGY, MAGNETIZATION, SUSCEPTIBILITY, TRIANGLE
from mfexplore.numerics.matrices.blas import one_blas_thread

FIELDS = np.linspace(-6.0, 6.0, 201)  # at which the law is given
MOST_POINTS = 2400  # of y; where more were needed no law is given
NAMES = ("paramagnet", "spin_glass", "ferromagnet", "mixed")


def moments(temperature: Array, bias: Array, table: Array) -> tuple[Array, Array]:
    """Mean and variance of the fields by eq. (3), from a table of states whose last axis are the columns."""
    m, chi = table[..., MAGNETIZATION], table[..., SUSCEPTIBILITY]
    square = 1 + 2 * temperature * (table[..., ENERGY] + 0.5 * bias * m * m)  # of the overlap, which the energy knows
    return (bias + chi) * m + 0.0, 1 + (1 - 3 * square + 2 * table[..., TRIANGLE]) / temperature**2 - (chi * m) ** 2


def true_phases(temperature: Array, bias: Array) -> Array:
    """The numbers in NAMES, from the exact lines."""
    return 2 * (bias > np.maximum(1.0, temperature)) + (temperature < temperature_of_failure(0 * bias, bias, False))


@cache
def glass_border() -> tuple[Array, Array]:
    """The mean and the variance of the fields along the line of de Almeida and Thouless, eq. (4)."""
    total, t, q, m = at_line()
    chi = (1 - q) / t
    return total + chi * m, 1 + chi**2 * (1 + 2 * q) - (chi * m) ** 2


def named(mean: Array, variance: Array, near_zero: Array | float) -> Array:
    """The number in NAMES of what fields with these moments are taken for; means up to `near_zero` count as zero."""
    magnetized = np.abs(mean) > near_zero
    glassy = variance > np.interp(np.where(magnetized, np.abs(mean), 0.0), *glass_border())
    return 2 * magnetized + glassy


def end_of_tree(temperature: float, total: float, q: Array, x: Array) -> tuple[Array, Array] | None:
    """A grid of y and P(y), both of shape (n,), for the overlaps q_0 ... q_k and 0 = x_0 ... x_k, 1: from the nested
    averages of `families.replicas.nested`, in plain sums. None where the grid were too fine.
    """
    variances = np.array([q[0], *np.diff(q)])
    widths = np.sqrt(variances[variances > 0])
    spacing = min(0.35 * temperature, 0.1, *(0.7 * widths))
    half = 1 + int((9 * math.sqrt(q[-1]) + (6 * temperature if len(q) > 1 else 0.0)) / spacing)
    if 2 * half > MOST_POINTS:
        return None
    y = spacing * np.arange(-half, half + 1)  # around the total field

    def blurred(function: Array, variance: float) -> Array:
        reach = min(math.ceil(8.5 * math.sqrt(variance) / spacing), half)
        kernel = np.exp(-0.5 * (spacing * np.arange(-reach, reach + 1)) ** 2 / variance)
        return np.convolve(function, kernel / kernel.sum(), "same")

    exponents = x[1:-1] / temperature
    phi = [temperature * np.logaddexp((total + y) / temperature, -(total + y) / temperature)]
    for gamma, variance in zip(exponents[::-1], variances[:0:-1], strict=True):
        phi.insert(0, np.log(blurred(np.exp(gamma * (phi[0] - total)), variance)) / gamma + total)
    start = np.where(y == 0, 1.0, 0.0)
    measure = blurred(start, variances[0]) if variances[0] > 0 else start
    for i, (gamma, variance) in enumerate(zip(exponents, variances[1:], strict=True)):
        measure = np.exp(gamma * (phi[i + 1] - total)) * blurred(measure * np.exp(gamma * (total - phi[i])), variance)
    return total + y, measure / measure.sum() / spacing


@one_blas_thread()
def field_density(temperature: float, own: float, y: Array, density: Array) -> Array:
    """P(h) of eq. (5) at FIELDS from P(y); own: the overlap of a state with itself, below 1."""
    rest = 1 - own
    spacing = y[1] - y[0]
    a, b = np.abs(FIELDS[:, None]) / temperature, np.abs(y) / temperature
    ratio = a - b + np.log1p(np.exp(-2 * a)) - np.log1p(np.exp(-2 * b))  # ln cosh(h/T)/cosh(y/T)
    exponent = ratio - 0.5 * (FIELDS[:, None] - y) ** 2 / rest - 0.5 * rest / temperature**2
    return np.asarray(np.exp(exponent) @ density * spacing / math.sqrt(2 * math.pi * rest))
