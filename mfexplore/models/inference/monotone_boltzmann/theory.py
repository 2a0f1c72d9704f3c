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
STEPS = 100
PLAIN, SHARP = 30, 12  # iterations and steps of Newton in a row


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
    """Eq. (4) with a bias: plainly from the truth of a single unit, then by Newton in q and r; what is still not solved
    starts from where it was once more, and is given up as running away.
    """
    n = bias.size
    beliefs, q, r, residual = np.zeros((n, NODES.size)), np.tanh(bias) ** 2, variance.copy(), np.full(n, np.inf)
    field, row = np.repeat(bias[:, None], NODES.size, axis=1), np.arange(n)
    for step in range(2 * (PLAIN + SHARP)):
        v, back = variance[row], (r[row] - inhibition[row])[:, None]
        for _ in range(2):
            t = np.tanh(field)
            gap = field - back * t - bias[row, None] - np.sqrt(v * q[row])[:, None] * NODES
            field = field - gap / np.maximum(1 - back * (1 - t * t), 0.05)
        t = np.tanh(field)
        slopes = 1 - t * t
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            turn = 1 / (1 - back * slopes)
            echo = slopes * turn
            dq, dr = (t * t) @ WEIGHTS - q[row], v * (echo @ WEIGHTS) - r[row]
            residual[row] = np.nan_to_num(np.max([np.abs(gap) @ WEIGHTS, np.abs(dq), np.abs(dr)], axis=0), nan=np.inf)
            beliefs[row] = t
            if step % (PLAIN + SHARP) >= PLAIN:
                by_q = 0.5 * np.sqrt(v / q[row])[:, None] * NODES * turn
                bend, tilt = -2 * t * slopes * turn * turn, 2 * t * slopes
                qq, qr = (tilt * by_q) @ WEIGHTS - 1, (tilt * t * turn) @ WEIGHTS
                rq, rr = v * ((bend * by_q) @ WEIGHTS), v * ((bend * t * turn + echo * echo) @ WEIGHTS) - 1
                determinant = qq * rr - qr * rq
                dq, dr = (qr * dr - rr * dq) / determinant, (rq * dq - qq * dr) / determinant
        q[row] = np.clip(q[row] + np.nan_to_num(dq), 1e-12, 1.0)
        r[row] = np.clip(r[row] + np.nan_to_num(dr), 0.0, 1e3)  # where nothing is stable it runs away
        left = residual[row] > 1e-13
        row, field = row[left], field[left]
        if row.size == 0:
            break
    slopes = 1 - beliefs**2
    with np.errstate(divide="ignore", invalid="ignore"):
        echo = slopes / (1 - (r - inhibition)[:, None] * slopes)
        stable = variance * ((echo * echo) @ WEIGHTS) < 1  # else beliefs run away, and nothing has been solved
    stable &= r - inhibition < 1  # else a unit has two answers even by itself
    return beliefs, q, r, np.where(stable, residual, np.inf)


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
