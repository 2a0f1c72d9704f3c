"""Moment closure: what is known without a closure (rate equations, master equations), and the moments in time."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import expm
from scipy.special import gammaln

from mfexplore.core import Array, Points
from mfexplore.families.fokker_planck import follow
from mfexplore.models.reactions.moment_closure.closures import LARGEST, MOST
from mfexplore.numerics.later import solve_ivp

if TYPE_CHECKING:
    from mfexplore.models.reactions.moment_closure import MomentClosure

AUTOCATALYSIS = 3.0  # a_1
SLOWEST = 15.0  # mixing time of two states that a run can wait for
PAIRS = 90  # molecules that annihilate are hardly ever more


def rate_equation(points: Points, roots: Array) -> tuple[Array, Array]:
    """Means, and variances after eq. (2), of Schlögl's rate equation at its states at rest."""
    volume, decay, feed = (points[name][:, None] for name in ("volume", "decay", "feed"))
    noise = AUTOCATALYSIS * roots**2 + feed + roots**3 + decay * roots
    slope = np.abs(3 * roots**2 - 2 * AUTOCATALYSIS * roots + decay)
    return volume * roots, volume * noise / (2 * slope)


def pair_weights(c: Array, loss: Array) -> Array:
    """p_n of pair annihilation at rest, shape (PAIRS, ...), from the top: as many cross n upwards as down."""
    p = np.zeros((PAIRS + 2, *np.shape(c)))
    p[PAIRS - 1] = 1.0
    for n in range(PAIRS - 2, -1, -1):
        p[n] = ((n + 1) * (n + loss) * p[n + 1] + (n + 2) * (n + 1) * p[n + 2]) / c
        p /= p[n]
    return np.asarray(p[:PAIRS] / p[:PAIRS].sum(axis=0))


def pair_law(c: float, loss: float) -> Array:
    return pair_weights(np.array(c), np.array(loss))


def pair_moments(c: Array, loss: Array) -> Array:
    """Mean, variance and third cumulant, shape (n, 3)."""
    p, n = pair_weights(c, loss), np.arange(PAIRS)
    mean = n @ p
    central = n[:, None] - mean
    return np.stack([mean, (central**2 * p).sum(axis=0), (central**3 * p).sum(axis=0)], -1)


def pair_generator(c: float, loss: float) -> Array:
    """Generator of the master equation, columns from where."""
    n = np.arange(PAIRS)
    single, pairs = loss * n, n * (n - 1.0)
    matrix = np.diag(np.full(PAIRS - 1, c), -1) + np.diag(single[1:], 1) + np.diag(pairs[2:], 2)
    return np.asarray(matrix - np.diag(matrix.sum(axis=0)))


def raw_moments(method: str, m: float, v: float, third: float) -> Array:
    """<n^k>, k = 0 ... 5, as the method has them (beyond the third: as far as it has)."""
    if method == "log_normal":
        order = np.arange(6)
        return np.asarray(m**order * (1 + v / m**2) ** (order * (order - 1) / 2))
    cumulants, raw = (m, v, third, m if method == "poisson" else 0.0, 0.0), [1.0]
    for k in range(1, 6):
        raw.append(float(sum(comb(k - 1, j - 1) * cumulants[j - 1] * raw[k - j] for j in range(1, k + 1))))
    return np.array(raw)


def assumed_law(method: str, m: float, v: float, n: Array) -> Array:
    """A law over whole numbers with this mean and variance, of the kind that the closure has in mind."""
    if method == "log_normal":
        width = np.log1p(v / m**2)
        x = np.maximum(n, 0.5)
        log_law = -((np.log(x / m) + width / 2) ** 2) / (2 * width) - np.log(x)
    elif method == "poisson":
        log_law = n * np.log(m) - gammaln(n + 1)
    else:
        log_law = -((n - m) ** 2) / (2 * v)
    law = np.exp(log_law - log_law.max())
    return np.asarray(law / law.sum())


def integrated(slopes: Any, first: Array, times: Array) -> tuple[Array, Array]:
    """Mean and variance on the way; NaN from where they run off."""

    def runs_off(_: float, y: Array) -> float:
        return float(min(LARGEST - np.abs(y).max(), y[0] + 1e-3))

    runs_off.terminal = True  # type: ignore[attr-defined]
    span = (0.0, max(float(times[-1]), 1e-9))
    path = solve_ivp(slopes, span, first, t_eval=times, method="LSODA", rtol=1e-7, atol=1e-9, events=runs_off)
    found = np.full((2, len(times)), np.nan)
    found[:, : path.y.shape[1]] = path.y[[0, 2 if len(first) == MOST else 1]]
    return found[0], found[1]


def rate_slopes(m: MomentClosure, y: Array) -> Array:
    """Rate equation with linear noise about it: (m, v) or (x, y, var x, cov, var y)."""
    if m.network == "brusselator":
        a, b, over, volume = y[0] / m.volume, y[1] / m.volume, m.conversion, m.volume
        back = a * a * b
        jacobian = np.array([[2 * a * b - over - 1, a * a], [over - 2 * a * b, -a * a]])
        spread = np.array([[y[2], y[3]], [y[3], y[4]]])
        both = over * a + back
        noise = volume * np.array([[1 + a + both, -both], [-both, both]])
        change = jacobian @ spread + spread @ jacobian.T + noise
        return np.array(
            [
                volume * (1 - (over + 1) * a + back),
                volume * (over * a - back),
                change[0, 0],
                change[0, 1],
                change[1, 1],
            ]
        )
    if m.network == "schloegl":
        x = y[0] / m.volume
        up, down = AUTOCATALYSIS * x * x + m.feed, x**3 + m.decay * x
        slope, noise = 2 * AUTOCATALYSIS * x - 3 * x * x - m.decay, (up + down) * m.volume
        drift = (up - down) * m.volume
    else:
        x = y[0]
        drift = m.birth - m.loss * x - 2 * x * x
        slope, noise = -m.loss - 4 * x, m.birth + m.loss * x + 4 * x * x
    return np.array([drift, 2 * slope * y[1] + noise, 0.0])


def master_path(m: MomentClosure, first: float, times: Array) -> tuple[Array, Array]:
    """Mean and variance of the master equation, from `first` molecules in every cell; NaN for two species."""
    if m.network == "schloegl":
        birth, death = m.chain()
        p = (np.arange(len(birth)) == round(first)).astype(np.float64)
        laws = np.array(list(follow(p, birth, death, times, 0.05)))
    elif m.network == "pair_annihilation":
        matrix = pair_generator(m.birth, m.loss)
        p = (np.arange(len(matrix)) == round(first)).astype(np.float64)
        steps, laws, now = {}, np.empty((len(times), len(p))), 0.0
        for k, time in enumerate(times):
            step = round(float(time) - now, 12)
            if step not in steps:
                steps[step] = expm(step * matrix)
            p, now = steps[step] @ p, float(time)
            laws[k] = p
    else:
        return np.full((2, len(times)), np.nan)  # type: ignore[return-value]
    n = np.arange(laws.shape[1])
    mean = laws @ n
    return mean, laws @ n**2 - mean**2
