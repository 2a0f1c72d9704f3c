"""The stationary crowd under the best control, and under the same control of those who see only some others.

All angles are relative to the direction of the crowd. A crowd is told by h = kappa r/epsilon, the depth of the cosine
well that everybody feels: epsilon/kappa = r(h)/h, so nothing has to be solved by repetition.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy.linalg import eigh_tridiagonal
from scipy.special import log_ndtr

from mfexplore.core import Array
from mfexplore.core.forks import ForkLock

DEEPEST = 1e-4  # least epsilon/kappa
ORDER = 48
GRID = 128
SUBSTEPS = 2  # of each angle, when the policy is found
ANGLES = 2 * np.pi * np.arange(GRID) / GRID
HARMONICS = np.arange(GRID // 2 + 1)
_fitting = ForkLock()  # a page asks from many threads at once


class Ground(NamedTuple):
    """Energy in units of epsilon, coherence, and the mean square of psi', the effort in the same unit."""

    energy: float
    coherence: float
    effort: float


def ground(depth: float) -> tuple[Ground, Array]:
    """Lowest state of -psi'' - h cos(theta) psi, and its coefficients of 1/sqrt(2 pi), cos(theta)/sqrt(pi), ..."""
    modes = 24 + math.ceil(9 * depth**0.25)  # the state is as narrow as the fourth root
    n = np.arange(modes)
    beside = np.full(modes - 1, -depth / 2)
    beside[0] *= np.sqrt(2)
    energy, vector = eigh_tridiagonal(n**2.0, beside, select="i", select_range=(0, 0))
    c = vector[:, 0] * np.sign(vector[0, 0])
    coherence = np.sqrt(2) * c[0] * c[1] + float(c[1:-1] @ c[2:])
    return Ground(float(energy[0]), coherence, float(n**2 @ c**2)), c


def depth_at(ratio: float, guess: float | None = None) -> float:
    """The depth h with r(h)/h = epsilon/kappa, below 1; by Newton's method for the logarithm. guess: a depth nearby."""
    log_h = math.log(guess or min(1 / ratio, math.sqrt(8 * (1 / ratio - 1)) + 1e-12))
    for _ in range(60):
        h = math.exp(log_h)
        here, there = (math.log(ground(x)[0].coherence / x) for x in (h, h * (1 + 1e-6)))
        step = (math.log(ratio) - here) / (there - here) * 1e-6
        log_h += min(max(step, -0.7), 0.7)
        if abs(step) < 1e-10:  # the next would be its square
            break
    return math.exp(log_h)


def fitted() -> tuple[Array, Array]:
    """Chebyshev series of r^2 and of the effort times epsilon/kappa, in the square root of epsilon/kappa; made once."""
    with _fitting:
        return _fit()


@cache
def _fit() -> tuple[Array, Array]:
    x = np.cos(np.pi * (np.arange(ORDER + 1) + 0.5) / (ORDER + 1))
    low = np.sqrt(DEEPEST)
    ratio = (low + (1 - low) * (x + 1) / 2) ** 2
    square, effort = np.empty((2, x.size))
    depth = None
    for k, one in enumerate(ratio):
        depth = depth_at(float(one), depth)
        state = ground(depth)[0]
        square[k], effort[k] = state.coherence**2, one * state.effort
    return chebyshev.chebfit(x, square, ORDER), chebyshev.chebfit(x, effort, ORDER)


def crowd(ratio: Array) -> tuple[Array, Array]:
    """Coherence, and effort times epsilon/kappa, at epsilon/kappa; zero from 1 on. Shape as the argument."""
    low = np.sqrt(DEEPEST)
    x = 2 * (np.sqrt(np.clip(ratio, DEEPEST, 1)) - low) / (1 - low) - 1
    square, effort = (np.where(ratio < 1, chebyshev.chebval(x, series), 0.0) for series in fitted())
    return np.sqrt(np.maximum(square, 0.0)), np.maximum(effort, 0.0)


def policy(ratio: Array) -> Array:
    """Slope of ln psi at ANGLES for epsilon/kappa < 1, shape (n, GRID): the control in units of sigma^2.

    From the far side, w' = -E - h cos(theta) - w^2, on which errors die out; by Runge and Kutta.
    """
    coherence, effort = crowd(ratio)
    depth, energy = coherence / ratio, (effort - coherence**2) / ratio
    step = 2 * np.pi / (GRID * SUBSTEPS)
    slopes = np.zeros((ratio.size, GRID))
    w = np.zeros(ratio.size)

    def slope(angle: float, w: Array) -> Array:
        return np.asarray(energy + depth * np.cos(angle) + w * w)  # towards smaller angles

    for k in range(GRID * SUBSTEPS // 2, 0, -1):
        angle = k * step
        a = slope(angle, w)
        b = slope(angle - step / 2, w + step / 2 * a)
        c = slope(angle - step / 2, w + step / 2 * b)
        w = w + step / 6 * (a + 2 * b + 2 * c + slope(angle - step, w + step * c))
        if (k - 1) % SUBSTEPS == 0:
            place = (k - 1) // SUBSTEPS
            slopes[:, place], slopes[:, -place] = w, -w
    slopes[:, 0] = 0.0
    return slopes


def misjudged(coherence: Array, second: Array, peers: Array, sensing: Array) -> Array:
    """Mean of cos(n delta) for the error delta of a direction that is estimated from some others, shape (n, HARMONICS).

    Their mean is taken as normal; its direction has a known law. sensing: standard deviation of a further error.
    """
    a, b = (np.sqrt(np.maximum(one, 1e-12) / peers) for one in ((1 + second) / 2 - coherence**2, (1 - second) / 2))
    cosine, sine = np.cos(ANGLES[: GRID // 2 + 1]), np.sin(ANGLES[: GRID // 2 + 1])
    a, b, mean = a[:, None], b[:, None], coherence[:, None]
    spread = (cosine / a) ** 2 + (sine / b) ** 2
    towards = mean * cosine / (a * a * np.sqrt(spread))
    rest = -0.5 * (mean / a) ** 2
    tail = rest + 0.5 * towards**2 + log_ndtr(towards) + 0.5 * np.log(2 * np.pi)
    density = (np.exp(rest) + towards * np.exp(tail)) / spread
    moments = np.fft.rfft(np.concatenate([density, density[:, -2:0:-1]], axis=1)).real
    return np.asarray(moments / moments[:, :1] * np.exp(-((HARMONICS * sensing[:, None]) ** 2) / 2))


class Seen(NamedTuple):
    """A crowd whose members see only some: coherence, effort in the unit of epsilon, density at ANGLES, residual."""

    coherence: Array
    effort: Array
    density: Array
    residual: Array


def response(slopes: Array, moments: Array, peers: Array, sensing: Array) -> tuple[Array, Array]:
    """Density at ANGLES of those who judge the direction of a crowd with these two moments, and what they spend."""
    blurred = misjudged(moments[0], moments[1], peers, sensing)
    seen = np.fft.rfft(slopes) * blurred
    transform = np.zeros_like(seen)
    transform[:, 1:] = 2 * seen[:, 1:] / (1j * HARMONICS[1:])
    log_density = np.fft.irfft(transform, GRID)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    spent = np.fft.irfft(np.fft.rfft(slopes**2) * blurred, GRID)
    return density, np.sum(density * spent, axis=1)


def crowd_that_sees_some(ratio: Array, peers: Array, sensing: Array) -> Seen:
    """The coherent crowd under the policy for epsilon/kappa, found from full coherence down; arrays of shape (n,).
    Where it melts away the coherence is zero. Repetition, accelerated after every third time (Aitken).
    """
    slopes = policy(np.minimum(ratio, 1.0))
    moments, residual = np.full((2, ratio.size), 0.9), np.full(ratio.size, np.inf)
    left = np.arange(ratio.size)
    for _ in range(100):
        history = [moments[:, left]]
        for _ in range(3):
            density, _ = response(slopes[left], history[-1], peers[left], sensing[left])
            history.append(np.stack([density @ np.cos(ANGLES), density @ np.cos(2 * ANGLES)]))
        first, second = history[2] - history[1], history[3] - history[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            leap = np.where(np.abs(second - first) > 1e-14, second * second / (second - first), 0.0)
        leaped = history[3] - np.where(np.abs(leap) < 0.2, leap, 0.0)
        moments[:, left] = np.where((leaped[0] > 0) & (leaped[0] < 1), leaped, history[3])
        residual[left] = np.abs(history[1][0] - history[0][0])
        left = left[residual[left] > 1e-11]
        if not left.size:
            break
    density, effort = response(slopes, moments, peers, sensing)
    return Seen(moments[0], effort, density, residual)
