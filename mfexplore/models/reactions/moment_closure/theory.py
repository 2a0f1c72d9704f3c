"""Moment closure: what is known without a closure (rate equations, master equations), and the moments in time."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import expm
from scipy.special import gammaln

from mfexplore.core import Array, Points
from mfexplore.families.birth_death import Schloegl, summarise
from mfexplore.families.fokker_planck import follow
from mfexplore.models.reactions.moment_closure import closures
from mfexplore.models.reactions.moment_closure.closures import LARGEST, MOST
from mfexplore.numerics.later import solve_ivp

if TYPE_CHECKING:
    from mfexplore.models.reactions.moment_closure import MomentClosure

AUTOCATALYSIS = 3.0  # a_1
SLOWEST = 15.0  # mixing time of two states that a run can wait for
CLOSED, RATE, EXACT = slice(0, 4), 4, 5  # as in `methods`: the closures, in the order of `closures`, and the others
LOW, HIGH, THRESHOLD = range(3)  # as in `branches`
FEW = (1e-3, 1e-6)  # mean and variance of hardly any molecules: the log-normal law has none without any
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


# -- states at rest ---------------------------------------------------------------------------------------------------


def rest_of_one(m: MomentClosure, points: Points, values: dict[str, Array], residual: Array, stable: Array) -> None:
    """Every method has an answer from few molecules and one from many; where they are one, it is low or high."""
    n = points["feed"].size
    answers, left = np.full((n, 6, 2, 3), np.nan), np.full((n, 6, 2), np.nan)
    if m.network == "schloegl":
        turn, full = points["volume"], 3 * points["volume"]
        roots = Schloegl(AUTOCATALYSIS, 1.0, points["feed"], points["decay"], volume=1.0).at_rest()
        answers[:, EXACT] = _switching(m, points, roots, values)[:, None]
        means, spreads = rate_equation(points, roots)
        answers[:, RATE, :, 0], answers[:, RATE, :, 1] = means[:, [0, 2]], spreads[:, [0, 2]]
        values["mean"][:, RATE, THRESHOLD], values["variance"][:, RATE, THRESHOLD] = means[:, 1], spreads[:, 1]
        residual[:, RATE, THRESHOLD] = np.where(np.isnan(means[:, 1]), np.nan, 0.0)
    else:
        c, loss = points["birth"], points["loss"]
        turn, full = np.full(n, np.inf), 3 * np.sqrt(c / 2) + 10
        answers[:, EXACT] = pair_moments(c, loss)[:, None]
        x = 2 * c / (loss + np.sqrt(loss**2 + 8 * c))  # the positive root of 2 x^2 + loss x = c
        spread = (c + loss * x + 4 * x * x) / (2 * (loss + 4 * x))
        answers[:, RATE] = np.stack([x, spread, 0 * x], -1)[:, None]
    answers[:, RATE, :, 2] = 0.0
    left[:, [EXACT, RATE]] = 0.0
    starts = np.zeros((n, 2, MOST))
    starts[:, 0, :2], starts[:, 1, 0] = FEW, full
    moments, _, left[:, CLOSED] = closures.at_rest(m.reactions(points), starts)
    answers[:, CLOSED] = moments[..., :3]
    mean, variance = (answers[:, closures.LOG_NORMAL, :, k] for k in (0, 1))
    ratio = 1 + variance / mean**2
    answers[:, closures.NORMAL, :, 2] = 0 * answers[:, closures.NORMAL, :, 0]
    answers[:, closures.LOG_NORMAL, :, 2] = mean**3 * (ratio**3 - 3 * ratio + 2)
    answers[:, closures.POISSON, :, 2] = answers[:, closures.POISSON, :, 0]
    few, many = (np.concatenate([answers[:, :, k], left[:, :, k, None]], -1) for k in (0, 1))
    with np.errstate(invalid="ignore"):
        apart = np.abs(many[..., 0] - few[..., 0]) > 1e-5 * (1 + few[..., 0])
        sole = np.where(np.isnan(few), many, few)
        high = sole[..., 0] >= turn[:, None]
    for branch, here in (
        (LOW, np.where(high[..., None], np.nan, sole)),
        (HIGH, np.where(high[..., None], sole, np.nan)),
    ):
        found = np.where(apart[..., None], few if branch == LOW else many, here)
        for k, name in enumerate(("mean", "variance", "third_cumulant")):
            values[name][..., branch] = found[..., k]
        residual[..., branch] = found[..., 3]
    stable[..., [LOW, HIGH]] = True
    values["third_cumulant"][:, RATE, THRESHOLD] = 0.0
    truth = np.nansum(values["mean"][:, EXACT], axis=-1)[:, None, None]  # it is on one branch
    values["relative_error"] = np.abs(values["mean"] / truth - 1)


def _switching(m: MomentClosure, points: Points, roots: Array, values: dict[str, Array]) -> Array:
    """Moments of the master equation, shape (n, 3), and the times between the states of the rate equation."""
    r, two, volume = m.reactions(points), np.isfinite(roots[:, 1]), points["volume"]
    low, high = (np.where(two, np.rint(volume * roots[:, k]), 0).astype(np.int64) for k in (0, 2))
    exact = np.empty((len(volume), 6))
    summarise(r.birth, r.death, np.ceil(5 * volume + 60).astype(np.int64), low, high, exact)
    for name, times in zip(("switching_time", "return_time"), exact[:, 4:].T, strict=True):
        values[name][:] = np.inf
        values[name][:, EXACT] = np.where(two, times, np.inf)[:, None]
    return exact[:, :3]


def rest_of_two(m: MomentClosure, points: Points, values: dict[str, Array], residual: Array, stable: Array) -> None:
    volume, over = points["volume"], points["conversion"]
    one = np.ones_like(over)
    first = np.stack([one, over, (1 + over) / 2, -over / 2, over], -1) * volume[:, None]
    moments, jacobians, left = closures.at_rest(m.reactions(points), first[:, None])
    rests = over < 2
    slow = np.where(rests, 2 - over, 0.0)
    with np.errstate(divide="ignore"):
        spread = np.stack([2 + over, -2 * over, over * (2 + over)]) / slow
    rate = (one, over, *spread)
    names = ("mean", "mean_y", "variance", "covariance", "variance_y")
    for k, name in enumerate(names):
        values[name][:, CLOSED, LOW] = moments[:, :, 0, k]
        values[name][:, RATE, LOW] = volume * rate[k]
    residual[:, CLOSED, LOW], residual[:, RATE, LOW] = left[:, :, 0], 0.0
    stable[:, CLOSED, LOW] = np.linalg.eigvals(jacobians[:, :, 0]).real.max(axis=-1) < 0
    stable[:, RATE, LOW] = rests


def rate_balance(m: MomentClosure, mean: float, v: float) -> dict[str, float]:
    if m.network == "schloegl":
        x = mean / m.volume
        up, down = AUTOCATALYSIS * x * x + m.feed, x**3 + m.decay * x
        slope = 2 * AUTOCATALYSIS * x - 3 * x * x - m.decay
        return {"(3)": up - down, "(2)": 2 * abs(slope) * v / m.volume - up - down}
    slope = m.loss + 4 * mean
    noise = m.birth + m.loss * mean + 4 * mean * mean
    return {"(3)": (m.birth - m.loss * mean - 2 * mean * mean) / noise, "(2)": (2 * slope * v - noise) / noise}


def balance_of_two(m: MomentClosure, state: Mapping[str, Any]) -> dict[str, float]:
    """d<x>/dt and d<y>/dt with the mixed moments of the closure."""
    a, b, over, method = state["mean"], state["mean_y"], m.conversion, state["method"]
    u, w = state["variance"], state["covariance"]
    if method == "rate_equation":
        back = a * a * b / m.volume**2
    elif method == "log_normal":
        back = (a * a * b * (1 + u / a**2) * (1 + w / (a * b)) ** 2 - a * b - w) / m.volume**2
    else:
        back = (a * a * b + b * u + 2 * a * w - a * b - w) / m.volume**2
    return {"(1)": (m.volume - (over + 1) * a + back) / m.volume, "(1y)": (over * a - back) / m.volume}
