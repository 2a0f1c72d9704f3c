"""How many fall ill in the end, by eq. (1) and eq. (2), and how fast a wave runs, by eq. (3)."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import lambertw

from mfexplore.core import Array


def poisson_size(ratio: Array) -> Array:
    """Eq. (2) for R0 > 1, polished where the Lambert function loses digits near R0 = 1."""
    with np.errstate(all="ignore"):
        z = 1 + lambertw(-ratio * np.exp(-ratio)).real / ratio
        for _ in range(3):
            step = (z + np.expm1(-ratio * z)) / (1 - ratio * np.exp(-ratio * z))
            z = np.where(np.isfinite(step), z - step, z)
    return np.asarray(z)


def moment(degrees: Array, order: int) -> float:
    """Mean of k (order 1) or of k (k - 1) (order 2)."""
    k = np.arange(degrees.size)
    return float(degrees @ (k if order == 1 else k * (k - 1)))


def network_size(degrees: Array, tau: Array, gamma: Array) -> tuple[Array, Array]:
    """Eq. (1) for given degrees: its right side is convex, so Newton's rule from Theta = 0 climbs to the lowest fixed
    point without stepping over it, however near the threshold.
    """
    share = np.polynomial.Polynomial(degrees)
    reached, curvature = share.deriv(1) / moment(degrees, 1), share.deriv(2) / moment(degrees, 1)
    theta = np.zeros_like(tau)
    for _ in range(60):
        excess = (gamma + tau * reached(theta)) / (tau + gamma) - theta
        slope = tau * curvature(theta) / (tau + gamma) - 1
        step = np.where(slope < 0, excess / np.where(slope < 0, slope, 1), 0)
        theta = theta - step
    error = np.abs((gamma + tau * reached(theta)) / (tau + gamma) - theta)
    return 1 - share(theta), error


def gaussian_speed(gain: Array, loss: Array) -> Array:
    """Eq. (3) over the length of a gaussian kernel, from A and B. NaN where A < B."""
    # d/ds = 0 gives e^x (1 - 2x) = B/A with x = (s sigma)^2 / 2
    with np.errstate(all="ignore"):
        x = 0.5 + lambertw(-0.5 * math.exp(-0.5) * loss / gain).real
        return np.asarray((gain * np.exp(x) - loss) / np.sqrt(2 * x))


def exponential_speed(gain: Array, loss: Array, dimension: Array) -> Array:
    """The same of an exponential kernel."""
    power = (dimension + 1) / 2
    low, high = np.zeros_like(gain), 1 / (1 + 2 * power)
    with np.errstate(all="ignore"):
        for _ in range(60):  # bisection for y = (s sigma)^2
            y = 0.5 * (low + high)
            left = (1 - y) ** (-power - 1) * (1 - y - 2 * power * y) > loss / gain
            low, high = np.where(left, y, low), np.where(left, high, y)
        return np.asarray((gain * (1 - y) ** -power - loss) / np.sqrt(y))
