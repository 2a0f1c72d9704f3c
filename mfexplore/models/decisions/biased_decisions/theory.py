"""States of the herd, averages over agents, and what tests notice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import digamma, entr, expit, logit, ndtr

from mfexplore.core import Array, Points
from mfexplore.numerics.functions.gaussian import normal_rule, response, response_and_entropy
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.decisions.biased_decisions import BiasedDecisions

YES, NO, UNDECIDED = range(3)
Z = 1.959963984540054  # standard deviations that five per cent exceed
BETA = np.sinh(np.arange(-9, 9.01, 0.15)), np.cosh(np.arange(-9, 9.01, 0.15))


@kernel
def turning_point(spread, temperature, coupling):
    """Where two solutions of eq. (2) meet: the local field u > 0 and the field -h; zero above the onset."""
    if coupling * response(0.0, spread, temperature).chi <= 1.0:
        return 0.0, 0.0
    low, high = 0.0, coupling
    for _ in range(60):  # where the response, which is concave, is as steep as 1/J
        u = 0.5 * (low + high)
        if coupling * response(u, spread, temperature).chi > 1.0:
            low = u
        else:
            high = u
    return u, coupling * response(u, spread, temperature).m - u


@kernel
def herd_states(field, spread, temperature, coupling, found):
    """All solutions of eq. (2): mean, mean square, entropy in nats and residual, written into found, (4, n, 3).

    Newton from above descends to the outer root without stepping over it; the barrier is found by bisection.
    """
    mean = found[0]
    for i in range(field.size):
        h, d, t, j = field[i], spread[i], temperature[i], coupling[i]
        turn, limit = turning_point(d, t, j)
        below = turn > 0.0
        for branch, sign in ((YES, 1.0), (NO, -1.0)):
            if sign * h > 0.0 or (h == 0.0 and branch == YES) or (below and -sign * h <= limit):
                u = sign * h + j
                for _ in range(200):
                    r = response(u, d, t)
                    slope = 1.0 - j * r.chi
                    step = (u - j * r.m - sign * h) / slope if slope > 0.0 else 0.0
                    u -= step
                    if abs(step) <= 1e-16:
                        break
                mean[i, branch] = sign * response(u, d, t).m
        if below and abs(h) < limit:
            low, high = -turn, turn
            for _ in range(60):
                u = 0.5 * (low + high)
                if j * response(u, d, t).m + h > u:
                    high = u
                else:
                    low = u
            mean[i, UNDECIDED] = response(0.5 * (low + high), d, t).m
        for branch in range(3):
            m = mean[i, branch]
            if not math.isnan(m):
                a = response_and_entropy(h + j * m, d, t)
                found[1, i, branch], found[2, i, branch], found[3, i, branch] = a.q, a.entropy, abs(m - a.m)


def beyond(mean: Array, limit: Array | float, deviation: Array | float) -> Array:
    """Probability that a normal number lies beyond the limit on either side."""
    return np.asarray(ndtr((mean - limit) / deviation) + ndtr((-mean - limit) / deviation))


def notices_bias(p: Array, factor: Array | float, n: Array) -> Array:
    """Probability that |n_1 - n_0| exceeds 1.96 sqrt(n), normal between whole numbers; the arguments broadcast."""
    limit = 2 * np.floor((n + Z * np.sqrt(n)) / 2) + 1 - n
    return beyond((2 * p - 1) * n, limit, 2 * np.sqrt(p * (1 - p) * factor * n))


def drawn_from_beta(a: Array, b: Array) -> tuple[Array, Array]:
    """Nodes and weights, shape (n, k), of averages over beta laws, by the double exponential rule around the mean."""
    y = np.log(a / b)[:, None] / 2 + BETA[0] / np.sqrt(a + b)[:, None]
    log_weight = -a[:, None] * np.logaddexp(0, -2 * y) - b[:, None] * np.logaddexp(0, 2 * y) + np.log(BETA[1])
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return expit(2 * y), weight / weight.sum(axis=1, keepdims=True)


def only_first(column: Array) -> Array:
    """On the first of three branches, the others do not exist; shape (n, 3)."""
    return np.stack([column, np.full_like(column, np.nan), np.full_like(column, np.nan)], axis=1)


FEW = 5.0  # answers of one kind below which the tests are far from normal
NORMAL = normal_rule(0.1)
ROUNDING = 1e-12


class Chain(NamedTuple):
    """Fractions of yes and no, and probabilities of a yes after a yes, a no after a yes, a yes after a no; arrays."""

    yes: Array
    no: Array
    stay: Array
    leave: Array
    come: Array
    possible: Array


def chain(model: BiasedDecisions, points: Points) -> Chain:
    """Eq. (1) at the temperature; as far as the recency is possible."""
    p, rho = points["yes_probability"], points["recency"]
    if model.protocol in ("one_shot", "herd"):
        rho = np.zeros_like(rho)
    yes, no = p + rho * (1 - p), p * (1 - rho)
    possible = (yes >= -ROUNDING) & (no <= 1 + ROUNDING)
    if model.protocol == "imitation":
        return Chain(p, 1 - p, yes, 1 - yes, no, rho >= 0)
    t = points["temperature"] if model.protocol != "herd" else 1.0
    yes, no = (logit(np.clip(chance, 0, 1)) / t for chance in (yes, no))
    leave, come = expit(-yes), expit(no)
    return Chain(come / (come + leave), leave / (come + leave), expit(yes), leave, come, possible)


def alone(model: BiasedDecisions, points: Points) -> dict[str, Array]:
    """Observables of agents that do not see each other, on the first of three branches; others do not exist."""
    p, q, yes, leave, no, possible = chain(model, points)
    n, rho = points["answers"], 1 - leave - no
    if model.protocol == "imitation":
        a, b = (np.where(rho > 0, x * (1 - rho) / np.maximum(rho, ROUNDING), x / ROUNDING) for x in (p, 1 - p))
        whole = digamma(a + b + 1)
        entropy = p * (whole - digamma(a + 1)) + (1 - p) * (whole - digamma(b + 1))
        drawn, weight = drawn_from_beta(a, b)
        values = {
            "variance_factor": 1 + (n - 1) * rho,
            "noticed_bias": np.sum(weight * notices_bias(drawn, 1.0, n[:, None]), axis=1),
            "noticed_recency": np.full(n.size, 2 * ndtr(-Z)),
        }
    else:
        entropy = p * (entr(yes) + entr(leave)) + q * (entr(no) + entr(1 - no))
        factor = (1 + rho) / (leave + no)
        scatter = np.sqrt(yes * leave / p + no * (1 - no) / q)
        values = {
            "variance_factor": factor,
            "noticed_bias": notices_bias(p, factor, n),
            "noticed_recency": beyond(-rho * np.sqrt(n), Z, scatter),
        }
    values |= {
        "entropy_rate": entropy / math.log(2), "yes_fraction": p, "yes_after_yes": yes, "yes_after_no": no,
        "runs": p * leave + q * no, "residual": np.zeros(n.size),
    }  # fmt: skip
    return {name: only_first(np.where(possible, column, np.nan)) for name, column in values.items()}


def herd(model: BiasedDecisions, points: Points) -> dict[str, Array]:
    """Observables of the three states of eq. (2), each of shape (n, 3)."""
    h, d, t, j = logit(points["yes_probability"]) / 2, points["spread"], points["temperature"], points["coupling"]
    found = np.full((4, h.size, 3), np.nan)
    herd_states(h, d, t, j, found)
    m, q, entropy, residual = found
    z, weight = NORMAL if np.any(d > 0) else (np.zeros(1), np.ones(1))
    n, noticed = points["answers"], np.empty_like(m)
    for branch in range(3):
        drawn = expit(2 * ((h + j * m[:, branch])[:, None] + d[:, None] * z) / t[:, None])
        noticed[:, branch] = notices_bias(drawn, 1.0, n[:, None]) @ weight
    p = (1 + m) / 2
    return {
        "entropy_rate": entropy / math.log(2), "yes_fraction": p, "noticed_bias": noticed,
        "noticed_recency": np.where(np.isnan(m), np.nan, 2 * ndtr(-Z)), "yes_after_yes": (1 + 2 * m + q) / (4 * p),
        "yes_after_no": (1 - q) / (4 * (1 - p)), "runs": (1 - q) / 2,
        "variance_factor": 1 + (n[:, None] - 1) * (q - m * m) / (1 - m * m), "residual": residual,
    }  # fmt: skip


def shows(model: BiasedDecisions, points: Points, bias: bool) -> Array:
    """Where eq. (4) asks for as many answers as there are: yes probabilities (or recencies) on either side of a
    fair coin, shape (n, 2), by bisection; NaN where that is not possible.
    """
    name = "yes_probability" if bias else "recency"
    wanted, middle = Z / np.sqrt(points["answers"]), 0.5 if bias else 0.0
    found = []
    for end in model.control(name).bounds:
        near, far = np.full(wanted.size, middle), np.full(wanted.size, end)
        for _ in range(50):
            place = (near + far) / 2
            at = chain(model, {**points, name: place})
            seen = np.abs(at.yes - at.no if bias else 1 - at.leave - at.come)
            beyond = (seen > wanted) | ~at.possible
            near, far = np.where(beyond, near, place), np.where(beyond, place, far)
        at = chain(model, {**points, name: near})
        reached = np.abs(at.yes - at.no if bias else 1 - at.leave - at.come)
        found.append(np.where(np.abs(reached - wanted) < 1e-6, near, np.nan))
    return np.stack(found, axis=1)
