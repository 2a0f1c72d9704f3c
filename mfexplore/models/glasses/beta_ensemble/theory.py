"""Densities of levels: with entropy (the mean field of eq. (3)) and without (the Coulomb gas), and their edges."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.later import later
from mfexplore.numerics.matrices.blas import one_blas_thread

eigh_tridiagonal = later("scipy.linalg", "eigh_tridiagonal")

ROWS = 400  # of the Jacobi matrix that stands for an endless one
SHARP = 200.0  # c / tau beyond which the quartic density is the Coulomb gas and the first order in tau / c


def warmth(beta: Array, size: Array) -> tuple[Array, Array]:
    """The c and tau of eq. (3). Below zero tau is a correction, and so kept small against c."""
    c = beta * size / 2
    return c, np.maximum(1 - beta / 2, -c / 5)


# -- the mean field of the classical potentials ------------------------------------------------------------------------


def coefficients(potential: str, c: Array, left: Array, right: Array, tau: Array, rows: int) -> tuple[Array, Array]:
    """Diagonal and squared off-diagonal, each (n, rows), of the Jacobi matrix behind eq. (4).

    left, right: the exponents a - 1 and b - 1 of the walls; all of shape (n,).
    """
    step: Array = np.arange(1, rows + 1) * tau[:, None]
    c, left, right = c[:, None], left[:, None], right[:, None]
    if potential == "hermite":
        return np.zeros(step.shape), c + step
    if potential == "laguerre":
        upper, lower = c + left + step, c + step
        diagonal = upper.copy()
        diagonal[:, 1:] += lower[:, :-1]
        return diagonal, upper * lower
    both = 2 * c + left + right + 2 * step
    odd, even = (c + left + step) / both, (c + step) / (both + tau[:, None])
    first = odd.copy()
    first[:, 1:] *= 1 - even[:, :-1]
    second = (1 - odd) * even
    diagonal = first.copy()
    diagonal[:, 1:] += second[:, :-1]
    return diagonal, first * second


# -- the mean field of the quartic potential ---------------------------------------------------------------------------

NODES = 80
ANGLES = np.pi * (np.arange(NODES) + 0.5) / NODES
WAVES = np.cos(np.outer(ANGLES, np.arange(1, NODES)))
LOGARITHM = -(WAVES / np.arange(1, NODES)) @ WAVES.T  # mean of ln|x - y| and ln|x + y|, but for a constant


def quartic_edges(c: Array, g: Array, mu: Array) -> tuple[Array, Array]:
    """Squares of the inner edge (0: there is one band) and of the outer edge of the Coulomb gas."""
    root = 2 * np.sqrt(g * c)
    two = mu < -root
    inner = np.where(two, -mu - root, 0.0) / g
    return inner, np.where(two, -mu + root, 2 / 3 * (np.sqrt(mu**2 + 12 * g * c) - mu)) / g


class QuarticGas(NamedTuple):
    """Eq. (3) for V = x^4/4 + m x^2/2 and tau = 1: |x| and the mass at +-x, (n, NODES), and the residual, (n,)."""

    places: Array
    masses: Array
    residual: Array


@one_blas_thread()
def quartic_gas(c: Array, m: Array) -> QuarticGas:
    """Newton for the field 2c int ln|x - y| rho, from the Boltzmann density that obeys the same virial theorem. x^2 is
    laid on a half circle, where the logarithm is diagonal in Fourier space. c, m: shape (n,).
    """
    c = c[:, None]
    wide = c + 30 + 10 * np.cbrt(c)  # the density ends in a layer of relative width c^(-2/3)
    inner, outer = quartic_edges(wide, np.ones_like(wide), m[:, None])
    square = (inner + outer) / 2 + (outer - inner) / 2 * np.cos(ANGLES)
    potential = square**2 / 4 + m[:, None] * square / 2
    cost = potential + 0.5 * np.log(square) - np.log(np.sin(ANGLES))

    def masses(field: Array) -> Array:
        exponent = field - cost
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    field = potential * c / (1 + c)
    for _ in range(60):
        p = masses(field)
        error = field - 2 * c * p @ LOGARITHM
        error -= np.sum(error * p, axis=1, keepdims=True)
        mean = p @ LOGARITHM
        slope = np.eye(NODES) - 2 * c[:, :, None] * (LOGARITHM - mean[:, :, None]) * p[:, None, :]
        step = np.linalg.solve(slope, -error[:, :, None])[:, :, 0]
        step -= np.sum(step * p, axis=1, keepdims=True)
        size = np.abs(step * np.minimum(1, 1000 * p)).max(axis=1, keepdims=True)
        field = field + step * np.minimum(1, 4 / np.maximum(size, 1e-300))
        if size.max() < 1e-10 * (1 + c.max()):
            break
    p = masses(field)
    error = field - 2 * c * p @ LOGARITHM
    error -= np.sum(error * p, axis=1, keepdims=True)
    return QuarticGas(np.sqrt(square), p, np.sum(np.abs(error) * p, axis=1) / (1 + c[:, 0]))


def quartic_moments(c: Array, g: Array, mu: Array, tau: Array) -> tuple[Array, Array, Array]:
    """Second and fourth moment and the residual, each (n,), from eq. (3); for small tau / c to first order in that."""
    inner, outer = quartic_edges(c, g, mu)
    second = (
        np.where(inner > 0, -mu / g, outer**2 / (16 * c) * (mu + g * outer)) + entropic_pressure(c, g, mu) * tau / g
    )
    fourth, residual = (c + tau - mu * second) / g, np.zeros(c.size)
    warm = np.flatnonzero((tau > 0) & (c < SHARP * tau))
    if warm.size:
        scale = np.sqrt(tau[warm] / g[warm])  # of x^2
        gas = quartic_gas(c[warm] / tau[warm], mu[warm] / (g[warm] * scale))
        second[warm] = np.sum(gas.masses * gas.places**2, axis=1) * scale
        fourth[warm] = np.sum(gas.masses * gas.places**4, axis=1) * scale**2
        residual[warm] = gas.residual
    return second, fourth, residual


def entropic_pressure(c: Array, g: Array, mu: Array) -> Array:
    """First order of g<x^2> in tau: the correction of the resolvent must be regular where the density has a zero
    outside of its bands, at x = 0 or at x = +-iy.
    """
    inner, outer = quartic_edges(c, g, mu)
    y = np.sqrt(np.maximum(mu / g + outer / 2, 0.0))
    one = mu - 3 * g * y**2 + 2 * g * y * np.sqrt(y**2 + outer)
    return np.asarray(np.where(inner > 0, mu + g * np.sqrt(inner * outer), one) / (2 * c))


# -- laws --------------------------------------------------------------------------------------------------------------


class Charges(NamedTuple):
    """What the density at one point depends on: c, tau, the exponents a - 1 and b - 1, g and mu."""

    potential: str
    c: float
    tau: float
    left: float
    right: float
    g: float
    mu: float


class Levels(NamedTuple):
    """A density of levels: places (ascending), density, mass below and above each; shape (n,)."""

    values: Array
    density: Array
    below: Array
    above: Array


class Edge(NamedTuple):
    """The edges of the Coulomb gas, kappa of eq. (5) at the upper one, where entropy shifts that to, and the number of
    holes between bands.
    """

    low: float
    high: float
    kappa: float
    shifted: float
    holes: int = 0


def levels_of(values: Array, masses: Array, widths: Array) -> Levels:
    """From masses (n,) that stand for cells of these widths."""
    below = np.cumsum(masses) - masses / 2
    above = np.cumsum(masses[::-1])[::-1] - masses / 2
    return Levels(values, masses / widths, below, above)


def mean_level(at: Charges) -> float:
    """The first diagonal element of the Jacobi matrix, with tau also where that is negative."""
    if at.potential == "quartic":
        return 0.0
    c, left, right, tau = np.array([[at.c], [at.left], [at.right], [at.tau]])
    return float(coefficients(at.potential, c, left, right, tau, 1)[0][0, 0])


@lru_cache(maxsize=64)
def edge(at: Charges) -> Edge:
    """The shift is of first order in tau: known for the classical potentials, else from the pole and the root that it
    puts on the edge of the resolvent, of which the Tracy-Widom law has the pole.
    """
    c, half = at.c, at.tau / 2
    if at.potential == "quartic":
        inner, outer = (float(x[0]) for x in quartic_edges(*np.array([[c], [at.g], [at.mu]])))
        high = math.sqrt(outer)
        slope = at.g * high * math.sqrt(outer - inner) if inner else at.mu + 1.5 * at.g * outer
        kappa = slope * math.sqrt(2 * high) / (2 * c)
        pressure = float(entropic_pressure(*np.array([[c], [at.g], [at.mu]]))[0])
        shift = at.tau * (pressure - (at.mu + 3 * at.g * outer) / (2 * c)) / (c * kappa**2)
        return Edge(-high, high, kappa, high + shift, holes=int(inner > 0))
    if at.potential == "hermite":
        high = 2 * math.sqrt(c)
        return Edge(-high, high, math.sqrt(2 * high) / (2 * c), 2 * math.sqrt(max(c - half, 0.0)))

    def edges(levels: float, left: float, right: float) -> tuple[float, float]:
        """Of `levels` among so many degrees of freedom on the left and on the right (Marchenko and Pastur, Wachter)."""
        if at.potential == "laguerre":
            roots = math.sqrt(left), math.sqrt(levels)
            return (roots[0] - roots[1]) ** 2, (roots[0] + roots[1]) ** 2
        both = left + right
        roots = math.sqrt(left * (both - levels)) / both, math.sqrt(right * levels) / both
        return (roots[0] - roots[1]) ** 2, (roots[0] + roots[1]) ** 2

    left, right = (max(c + wall, 1e-9 * c) for wall in (at.left, at.right))
    low, high = edges(c, left, right)
    shifted = edges(max(c - half, 0.0), max(left + half, 0.0), max(right + half, 0.0))[1]
    wall = high if at.potential == "laguerre" else high * max(1 - high, 1e-300) / (left + right)
    return Edge(low, high, math.sqrt(high - low) / (2 * c * wall), shifted)


@lru_cache(maxsize=64)
def coulomb_gas(at: Charges) -> Levels:
    """The density without entropy, in cells that are equal on a half circle."""
    found, count = edge(at), 400
    angles = np.pi * (np.arange(count, 0, -1) - 0.5) / count
    if at.potential == "quartic":
        inner, outer = (float(x[0]) for x in quartic_edges(*np.array([[at.c], [at.g], [at.mu]])))
        square = (inner + outer) / 2 + (outer - inner) / 2 * np.cos(angles)
        x, widths = np.sqrt(square), np.pi / count * (outer - inner) / 4 * np.sin(angles) / np.sqrt(square)
        root = np.sqrt((outer - square) * (square - inner))
        weight = at.g * x * root if inner else (at.mu + at.g * (square + outer / 2)) * root / x
        x, weight, widths = (np.concatenate([s * y[::-1], y]) for y, s in ((x, -1), (weight, 1), (widths, 1)))
    else:
        half = (found.high - found.low) / 2
        x, widths = found.low + half * (1 + np.cos(angles)), np.pi / count * half * np.sin(angles)
        weight = np.sqrt((found.high - x) * (x - found.low))
        weight /= {"hermite": np.ones(count), "laguerre": x, "jacobi": x * (1 - x)}[at.potential]
    masses = weight * widths / np.sum(weight * widths)
    if found.holes:  # nobody is to draw a line across it
        hole = math.sqrt(inner) * np.array([-1, 1])
        x, masses, widths = (
            np.concatenate([column[:count], middle, column[count:]])
            for column, middle in ((x, hole), (masses, np.zeros(2)), (widths, np.ones(2)))
        )
    return levels_of(x, masses, widths)


@lru_cache(maxsize=64)
def mean_field(at: Charges) -> Levels | None:
    """The density of eq. (3); None where entropy no longer spreads the levels."""
    if at.tau <= 0:
        return None
    if at.potential != "quartic":
        c, left, right, tau = np.array([[at.c], [at.left], [at.right], [at.tau]])
        diagonal, squares = coefficients(at.potential, c, left, right, tau, ROWS)
        values, vectors = eigh_tridiagonal(diagonal[0], np.sqrt(squares[0, :-1]))
        masses = vectors[0] ** 2
        heavy = np.flatnonzero(masses > 1e-15)
        seen = slice(heavy[0], heavy[-1] + 1)
        return levels_of(values[seen], masses[seen], np.gradient(values)[seen])
    if at.c > SHARP * at.tau:
        return None
    scale = math.sqrt(at.tau / at.g)
    gas = quartic_gas(np.array([at.c / at.tau]), np.array([at.mu / (at.g * scale)]))
    x, p = gas.places[0, ::-1], gas.masses[0, ::-1] / 2
    radius = (x[-1] ** 2 - x[0] ** 2) / (2 * np.cos(ANGLES[0]))
    widths = np.pi / NODES * radius * np.sin(ANGLES) / (2 * x)
    x, p, widths = (np.concatenate([s * y[::-1], y]) for y, s in ((x, -1), (p, 1), (widths, 1)))
    return levels_of(x * math.sqrt(scale), p, widths * math.sqrt(scale))
