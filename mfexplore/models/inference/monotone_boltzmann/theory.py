"""Theory of machines of many units: the mean-field solution, the spectrum around it, and the truth beside it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.numerics.matrices.blas import one_blas_thread

NODES = np.linspace(-8, 8, 129)
WEIGHTS = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()
COMMON = np.abs(NODES) <= 4  # units so rare that none occurs do not widen a spectrum
STEPS = 600


class State(NamedTuple):
    """One state of many units at n points; every array of shape (n,). top, bottom: the ends of the spectrum of D J;
    instability: of replica symmetry above 1.
    """

    magnetization: Array
    overlap: Array
    response: Array
    residual: Array
    top: Array
    bottom: Array
    instability: Array


@one_blas_thread()
def many_units(gain: Array, inhibition: Array, bias: Array, exact: bool) -> State:
    """The solution of eq. (4), or of (5), and the spectrum around it; all of shape (n,)."""
    variance, own = (0.25 * (gain + inhibition)) ** 2, 0.5 * (inhibition - gain)
    if exact:
        beliefs, overlap, residual = truth(bias, variance)
        response = 1 - overlap
    else:
        beliefs, overlap, response, residual = mean_field(bias, variance, own)
    slopes = 1 - beliefs**2
    loud = bias > 0
    top, bottom = gain.copy(), -inhibition  # without bias D is 1
    for ends, sign in ((top, 1.0), (bottom, -1.0)):
        ends[loud] = edge(slopes[loud], variance[loud], own[loud], sign)
    return State(beliefs @ WEIGHTS, overlap, response, residual, top, bottom, variance * (slopes**2 @ WEIGHTS))


def mean_field(bias: Array, variance: Array, inhibition: Array) -> tuple[Array, Array, Array, Array]:
    """Eq. (4), a unit in the field of all others, on which it acts back: beliefs at the nodes, shape (n, nodes),
    overlap, response to the bias and residual. variance: y^2; inhibition: c.
    """
    beliefs, q = np.zeros((bias.size, NODES.size)), np.zeros(bias.size)
    square = (1 + inhibition) ** 2 - 4 * variance  # without bias: r (1 - r + c) = y^2, if it has a root
    with np.errstate(invalid="ignore"):
        r = np.where(inhibition > 2 * np.sqrt(variance) - 1, 0.5 * (1 + inhibition - np.sqrt(square)), np.inf)
    residual = np.zeros(bias.size)
    loud = bias > 0
    beliefs[loud], q[loud], r[loud], residual[loud] = _iterate(bias[loud], variance[loud], inhibition[loud])
    return beliefs, q, r / variance, residual


def _iterate(bias: Array, variance: Array, inhibition: Array) -> tuple[Array, Array, Array, Array]:
    q, r = np.tanh(bias) ** 2, variance
    field = np.repeat(bias[:, None], NODES.size, axis=1)
    for _ in range(STEPS):
        back = (r - inhibition)[:, None]
        gap = field - back * np.tanh(field) - bias[:, None] - np.sqrt(variance * q)[:, None] * NODES
        field = field - gap / np.maximum(1 - back * (1 - np.tanh(field) ** 2), 0.05)
        m = np.tanh(field)
        slopes = 1 - m * m
        with np.errstate(divide="ignore", invalid="ignore"):
            new_q, new_r = (m * m) @ WEIGHTS, variance * ((slopes / (1 - back * slopes)) @ WEIGHTS)
        residual = np.max([np.abs(gap) @ WEIGHTS, np.abs(new_q - q), np.abs(new_r - r)], axis=0)
        q, r = new_q, np.clip(np.nan_to_num(new_r), 0.0, 1e3)  # where nothing is stable it runs away
        if not residual.max(initial=0.0) > 1e-13:
            break
    echo = slopes / (1 - (r - inhibition)[:, None] * slopes)
    stable = variance * ((echo * echo) @ WEIGHTS) < 1  # else beliefs run away, and nothing has been solved
    return np.tanh(field), q, r, np.where(stable, residual, np.inf)


@one_blas_thread()
def truth(bias: Array, variance: Array) -> tuple[Array, Array, Array]:
    """Eq. (5), replica symmetric: means at the nodes, shape (n, nodes), overlap and residual. By Newton, from above
    where there is a bias.
    """
    q = np.where(bias > 0, 1.0, 0.0)
    for _ in range(STEPS):
        means = np.tanh(bias[:, None] + np.sqrt(variance * q)[:, None] * NODES)
        square = means * means
        change = square @ WEIGHTS - q
        residual = np.abs(change)
        if not residual.max(initial=0.0) > 1e-14:
            break
        slope = 1 - variance * (((1 - square) * (1 - 3 * square)) @ WEIGHTS)
        q = np.clip(q + change / np.maximum(slope, 0.05), 0.0, 1.0)
    return means, q, residual


def edge(slopes: Array, variance: Array, inhibition: Array, sign: float) -> Array:
    """The upper (sign 1) or lower (-1) end of the spectrum of D J around a solution, eq. (6). slopes: 1 - m^2 at the
    nodes, shape (n, nodes).
    """
    d, weight = slopes[:, COMMON], WEIGHTS[COMMON] / WEIGHTS[COMMON].sum()
    pole = 1 / d.max(axis=1)

    def excess(x: Array, k: Array) -> Array:
        w = pole[k] - np.exp(x)
        ratio = d[k] / (1 - d[k] * w[:, None])
        z = sign * np.sqrt(variance[k] * ((ratio * ratio) @ weight))
        terms = np.stack([w * z * z, inhibition[k] * z, -variance[k] * (ratio @ weight)])
        return np.asarray(terms.sum(axis=0) / np.abs(terms).sum(axis=0))  # of order 1 over many decades

    low, high = np.full(pole.size, -20.0), np.full(pole.size, 12.0) + np.log(pole)
    w = pole - np.exp(bracketed_roots(excess, low, high, steps=200))
    ratio = d / (1 - d * w[:, None])
    return np.asarray(sign * np.sqrt(variance * ((ratio * ratio) @ weight)))


def two_units(gain: Array, coupling: Array, bias: Array) -> tuple[Array, Array, Array]:
    """Magnetization, response and residual of two units, shape (n, 2 methods, 2 branches). bias >= 0."""

    def outer(field: Array) -> Array:
        """The largest solution of m = tanh(field + gain m), where it is positive: Newton descends to it from 1."""
        m = np.ones(gain.size)
        for _ in range(100):
            t = np.tanh(field + gain * m)
            slope = 1 - gain * (1 - t * t)
            m = np.where(slope > 0, m - (m - t) / np.where(slope > 0, slope, 1), m)
        return m

    inner = np.sqrt(np.maximum(1 - 1 / gain, 0))  # where the second one would end
    there = (gain > 1) & (bias < gain * inner - np.arctanh(inner))
    m, response, residual = np.full((3, gain.size, 2, 2), np.nan)
    m[:, 0, 0], m[:, 0, 1] = outer(bias), np.where(there, -outer(-bias), np.nan)
    weight = np.exp(-2 * coupling)
    total = np.cosh(2 * bias) + weight
    m[:, 1, 0] = np.sinh(2 * bias) / total
    image = np.tanh(bias[:, None] + gain[:, None] * m[:, 0])
    residual[:, 0], residual[:, 1, 0] = np.abs(m[:, 0] - image), 0.0
    with np.errstate(divide="ignore"):
        response[:, 0] = (1 - image**2) / np.abs(1 - gain[:, None] * (1 - image**2))
    response[:, 1, 0] = 2 * np.cosh(2 * bias) / total - 2 * m[:, 1, 0] ** 2
    return m, response, residual
