"""Sums over walks: returns, the first chaos, the correction, second moments, and all walks counted out."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.chance.fractional_noise import correlation
from mfexplore.numerics.functions.quadrature import gauss_legendre

LONGEST, COUNTED_OUT = 2048, 12  # steps; of walks that are all counted
BLOCK = 64  # powers that are multiplied by those of others


@lru_cache(maxsize=128)
def returns(alpha: float) -> Array:
    """P(S_k = 0) for k = 0 .. 2 LONGEST, from the characteristic function; nodes crowd at both ends of it."""
    u, weight = gauss_legendre(56)
    angle = 0.5 * math.pi * u**6
    measure = 3 * u**5 * weight  # of d(angle)/pi
    # 1 - cos(angle) and, at the other end, 2 - (1 - cos): both without cancellation
    far = 2 * np.sin(angle / 2) ** 2
    value = np.concatenate([1 - far ** (alpha / 2), 1 - (2 - far) ** (alpha / 2)])
    low = np.cumprod(np.vstack([np.ones_like(value), np.tile(value, (BLOCK - 1, 1))]), axis=0)
    high = np.cumprod(np.vstack([np.ones_like(value), np.tile(low[-1] * value, (2 * LONGEST // BLOCK, 1))]), axis=0)
    found = (high * np.concatenate([measure, measure])) @ low.T  # k = BLOCK i + j
    return np.asarray(found.ravel()[: 2 * LONGEST + 1])


@lru_cache(maxsize=256)
def correlations(hurst: float) -> tuple[Array, Array]:
    """(Rho at lags 0 .. LONGEST, its sums over all lags d = -m, -m + 2, .., m)."""
    rho = correlation(hurst, LONGEST + 1)
    twice = 2 * rho
    twice[0] = 1.0
    sums = np.empty_like(rho)
    sums[::2], sums[1::2] = np.cumsum(twice[::2]), np.cumsum(twice[1::2])
    return rho, sums


def first_chaos(hurst: float, alpha: float, steps: int) -> float:
    """Eq. (4) for beta = 1."""
    total = np.arange(2, 2 * steps + 1)
    _, sums = correlations(hurst)
    return float(returns(alpha)[2 : 2 * steps + 1] @ sums[np.minimum(total - 2, 2 * steps - total)])


def correction(hurst: float, alpha: float, steps: int) -> float:
    """Eq. (5) for beta = 1."""
    rho, _ = correlations(hurst)
    lag = np.arange(1, steps)
    return float(0.5 * steps + (steps - lag) @ (rho[lag] * returns(alpha)[lag]))


@lru_cache(maxsize=8)
def sums_in_time(hurst: float, alpha: float, steps: int) -> tuple[Array, Array]:
    """Eqs. (4) and (5) for beta = 1 after 0 .. steps steps, each of shape (steps + 1,)."""
    rho, _ = correlations(hurst)
    q = returns(alpha)
    more = np.zeros(steps + 1)
    for n in range(1, steps + 1):  # meetings of one walk's last place with all of the other's
        more[n] = 2 * rho[n - 1 : 0 : -1] @ q[n + 1 : 2 * n] + q[2 * n]
    own = np.cumsum(np.append(0.5, rho[1:steps] * q[1:steps]))
    return np.cumsum(more), np.append(0.0, np.cumsum(own))


def second_moments(alpha: float, steps: int, b: Array) -> Array:
    """Eq. (7): W_0 .. W_steps for every b of shape (m,), shape (steps + 1, m)."""
    q = returns(alpha)[2 : 2 * steps + 1 : 2]
    back = np.ones((steps + 1, b.size))  # the last first, so that what is summed is contiguous
    for n in range(1, steps + 1):
        back[steps - n] = 1 + b * (q[:n] @ back[steps - n + 1 :])
    return back[::-1]


def all_walks(steps: int) -> Array:
    """Places S_1 .. S_steps of every walk of nearest neighbours, shape (2^steps, steps)."""
    bits = (np.arange(2**steps)[:, None] >> np.arange(steps)) & 1
    return np.asarray(np.cumsum(2 * bits - 1, axis=1))


def self_overlaps(walks: Array, hurst: float) -> Array:
    """Sum over i, j of rho(i - j) where a walk is at the same place, shape (walks,)."""
    steps = walks.shape[1]
    found = np.full(len(walks), float(steps))
    for lag, rho in enumerate(correlation(hurst, steps)[1:], start=1):
        found += 2 * rho * np.count_nonzero(walks[:, lag:] == walks[:, :-lag], axis=1)
    return found


def growth_rate(b: float) -> float:
    """Of the second moment of nearest neighbours, per step, b = exp(beta^2) - 1."""
    return -math.log1p(-((b / (1 + b)) ** 2))
