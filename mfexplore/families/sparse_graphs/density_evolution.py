"""Distributions that are added and mapped: what populations of messages become when they are infinite.

A message u lies within [-1, 1]. Its distribution is kept as weights on 67 equally spaced points (a margin of one at
each end). Sums of independent messages come from powers of the Fourier transform. A map puts the weight of each point
where it goes, shared between the three nearest points so that sum, mean and variance stay exact: that makes the grid
count only in third order (errors of 1e-6), at the price of weights that may be slightly negative.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.special import pdtrc

from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]

FINENESS = 32  # points per unit
CENTRE = FINENESS + 1
POINTS = 2 * CENTRE + 1
GRID = (np.arange(POINTS) - CENTRE) / FINENESS


def atom(position: float) -> Array:
    """All weight at a point of [-1, 1], spread so that mean and variance are exact."""
    weights = np.zeros(POINTS)
    share(1.0, position * FINENESS + CENTRE, weights)
    return weights


def poisson_reach(mean: float, rest: float = 1e-13) -> int:
    """The least number that a Poisson number of this mean exceeds with probability `rest` at most."""
    return int(np.argmax(pdtrc(np.arange(60 + int(20 * mean)), mean) <= rest))


class Sums:
    """Distributions of sums of independent messages: of a fixed number, or of a Poisson number, or one more.

    reach: largest number of messages that matters; the sums are known at k / FINENESS for |k| <= half.
    """

    def __init__(self, mean: float, poissonian: bool) -> None:
        self.poissonian = poissonian
        reach = poisson_reach(mean) + 1 if poissonian else round(mean)
        # A fixed number of messages fits exactly; of a Poisson number the rarest sums may fold back.
        self.half = max(CENTRE, reach * (FINENESS + 1))
        self.length = next_fast_len(2 * self.half + 1, real=True)
        self.values = np.arange(-self.half, self.half + 1) / FINENESS

    def transform(self, weights: Array) -> NDArray[np.complex128]:
        """Fourier transform of distributions of one message, shape (..., POINTS)."""
        room = np.zeros((*weights.shape[:-1], self.length))
        room[..., : CENTRE + 1] = weights[..., CENTRE:]
        room[..., -CENTRE:] = weights[..., :CENTRE]
        return np.asarray(np.fft.rfft(room))

    def power(self, transformed: NDArray[np.complex128], number: float) -> NDArray[np.complex128]:
        """Transform of the sum of `number` messages, or of a Poisson number of that mean."""
        if self.poissonian:
            return np.asarray(np.exp(number * (transformed - 1)))
        return np.asarray(transformed ** round(number)) if number > 0 else np.ones_like(transformed)

    def back(self, transformed: NDArray[np.complex128]) -> Array:
        """Weights of the sums at `values`, shape (..., 2 half + 1)."""
        found = np.fft.irfft(transformed, self.length)
        return np.concatenate([found[..., -self.half :], found[..., : self.half + 1]], axis=-1)


@kernel
def share(weight, place, out):
    """Add a weight at a place (in steps of the grid) to the three points around it, keeping mean and variance."""
    middle = math.floor(place + 0.5)
    x = place - middle
    out[middle - 1] += weight * 0.5 * (x * x - x)
    out[middle] += weight * (1.0 - x * x)
    out[middle + 1] += weight * 0.5 * (x * x + x)


@kernel
def push(weights, places, flipped, factors, out):
    """Move the weights of every row to their places; a share `flipped` of each goes to the mirrored place.

    Args:
        weights, places: shape (n, m); places within [1, POINTS - 2] in steps of the grid. flipped: shape (n,).
        factors: shape (n, m), multiplied with the weights.
        out: shape (n, POINTS), overwritten.
    """
    last = out.shape[1] - 1
    for row in range(out.shape[0]):
        target = out[row]
        for k in range(target.size):
            target[k] = 0.0
        turned = flipped[row]
        for k in range(weights.shape[1]):
            weight = weights[row, k] * factors[row, k]
            place = places[row, k]
            middle = int(place + 0.5)
            x = place - middle
            left, right = 0.5 * (x * x - x) * weight, 0.5 * (x * x + x) * weight
            centre = weight - left - right
            kept = 1.0 - turned
            target[middle - 1] += kept * left
            target[middle] += kept * centre
            target[middle + 1] += kept * right
            target[last - middle + 1] += turned * left
            target[last - middle] += turned * centre
            target[last - middle - 1] += turned * right


@kernel
def push_linearly(weights, places, flipped, out):
    """The same between two points only, which keeps weights positive but widens the distribution; shapes without n."""
    last = out.size - 1
    out[:] = 0.0
    for k in range(weights.size):
        left = int(places[k])
        x = places[k] - left
        for place, weight in ((left, (1.0 - x) * weights[k]), (left + 1, x * weights[k])):
            out[place] += (1.0 - flipped) * weight
            out[last - place] += flipped * weight
