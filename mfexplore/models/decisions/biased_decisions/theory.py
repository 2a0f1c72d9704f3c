"""States of the herd, averages over agents, and what tests notice."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, ndtr

from mfexplore.core import Array
from mfexplore.numerics.functions.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel

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
