"""A picture pixel by pixel: the moments of the images of a digit, and the best machine without links for them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.families.digits import digits

SIDE = 8  # of the images of digits
VALUES = np.linspace(-4.5, 4.5, 181)  # of a pixel


@cache
def pictures(digit: int) -> Array:
    """All images of one digit, in [-1, 1]; shape (images, 64)."""
    images, shown = digits()
    found: Array = images[shown == digit].reshape(-1, SIDE * SIDE) / 8 - 1
    return found


class Moments(NamedTuple):
    """Averages over all images of a digit, each with fresh grain: phi, phi^2, phi^4 of every pixel."""

    first: Array
    second: Array
    fourth: Array


def moments_of(digit: int, grain: float) -> Moments:
    x = pictures(digit)
    square = grain**2
    fourth = x**4 + 6 * square * x**2 + 3 * square**2
    return Moments(x.mean(axis=0), (x**2).mean(axis=0) + square, fourth.mean(axis=0))


class Pixels(NamedTuple):
    """Independent pixels with the moments of the data: coefficients, shape (n,), of -a phi^2 + h phi - lambda phi^4."""

    quadratic: Array
    source: Array
    log_z: Array
    log_likelihood: float
    residual: float


def best_pixels(data: Moments, quartic: float) -> Pixels:
    """Eq. (8) without links: for every pixel the two coefficients that give its mean and its mean square, by Newton's
    method on a convex function, with steps halved until they descend.
    """
    variance = data.second - data.first**2
    a = np.maximum(0.5 / variance - 6 * quartic * data.second, -2 * quartic * data.second)
    h = 2 * a * data.first + 4 * quartic * (3 * data.second - 2 * data.first**2) * data.first
    x = VALUES
    features = np.stack([-(x**2), x])
    target = np.stack([-data.second, data.first])

    def averages(a: Array, h: Array) -> tuple[Array, Array]:
        logs = h[:, None] * x - a[:, None] * x**2 - quartic * x**4
        top = logs.max(axis=1, keepdims=True)
        weight = np.exp(logs - top)
        z = weight.sum(axis=1, keepdims=True)
        return weight / z, (top + np.log(z * (x[1] - x[0])))[:, 0]

    (weight, log_z), gap = averages(a, h), np.full((2, 1), np.inf)
    for _ in range(100):
        mean = features @ weight.T
        gap = target - mean
        if np.abs(gap).max() < 1e-11:
            break
        (aa, hh), ah = (features**2) @ weight.T - mean**2, (features[0] * features[1]) @ weight.T - mean[0] * mean[1]
        step = np.stack([hh * gap[0] - ah * gap[1], aa * gap[1] - ah * gap[0]]) / (aa * hh - ah**2)
        for _ in range(30):
            weight, tried = averages(a + step[0], h + step[1])
            worse = tried - log_z > (step * target).sum(axis=0) + 1e-13
            if not worse.any():
                break
            step[:, worse] *= 0.5
        a, h, log_z = a + step[0], h + step[1], tried
    likelihood = h * data.first - a * data.second - quartic * data.fourth - log_z
    return Pixels(a, h, log_z, float(likelihood.sum()), float(np.abs(gap).max()))


def best_quartic(data: Moments, strengths: Array) -> float:
    """The strength of the quartic term of highest likelihood, by a parabola through the best of those given."""
    found = np.array([best_pixels(data, one).log_likelihood for one in strengths])
    near = np.clip(np.argmax(found), 1, len(found) - 2) + np.arange(-1, 2)
    curve = np.polyfit(np.log(strengths[near]), found[near], 2)
    return float(np.clip(np.exp(-0.5 * curve[1] / curve[0]), strengths[0], strengths[-1]))
