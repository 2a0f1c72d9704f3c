"""What training ends with: modes one by one, of data with a spike (Baik, Ben Arous and Peche) and of digits. Equations
are numbered as on the page.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.families.digits import digits
from mfexplore.numerics.functions.quadrature import gauss_legendre

STEPS = 60  # of Newton's method, at most
LARGEST = 1 - 1e-6  # sigma^2
NODES, SHARES = gauss_legendre(48)


def edge(load: Array) -> Array:
    """Largest eigenvalue of the covariance of pure noise, eq. (7)."""
    found: Array = (1 + np.sqrt(load)) ** 2
    return found


def is_visible(spike: Array, load: Array) -> Array:
    """Whether the spike shows in the covariance of the data, eq. (6)."""
    return np.asarray(spike > 1 + np.sqrt(load))


def top_eigenvalue(spike: Array, load: Array) -> Array:
    """Largest eigenvalue of the covariance of the data, eqs. (6), (7)."""
    excess = np.maximum(spike - 1, 1e-12)
    return np.where(is_visible(spike, load), spike * (1 + load / excess), edge(load))


def squared_overlap(spike: Array, load: Array) -> Array:
    """Of its eigenvector with the spike, eq. (6)."""
    excess = np.maximum(spike - 1, 1e-12)
    found = (1 - load / excess**2) / (1 + load / excess)
    return np.where(is_visible(spike, load), found, 0.0)


class Rule(NamedTuple):
    """How weights move: the decay gamma; sweeps k of the chains (infinite: the likelihood itself), which start at the
    data unless they go on where they were (`persists`); the size of an update. Numbers or arrays.
    """

    decay: Any
    sweeps: Any
    persists: bool
    rate: Any

    def at_the_end(self) -> Rule:
        """The rule with the same end: a chain that goes on has had enough sweeps by then."""
        return self._replace(sweeps=np.full(np.shape(self.sweeps), np.inf)) if self.persists else self


def kept(square: Array, rule: Rule) -> Array:
    """What chains keep of their start, sigma^(4k)."""
    return np.asarray(square ** (2 * rule.sweeps))


def kept_slope(square: Array, rule: Rule) -> Array:
    """Its slope along sigma^2."""
    sweeps = np.where(np.isfinite(rule.sweeps), rule.sweeps, 0)
    return np.asarray(2 * sweeps * np.maximum(square, 1e-300) ** np.maximum(2 * sweeps - 1, 0))


def eigenvalue_at(square: Array, rule: Rule) -> Array:
    """The eigenvalue of the data whose mode is learnt up to sigma^2, eq. (5)."""
    return np.asarray(1 / (1 - square) + rule.decay / (1 - kept(square, rule.at_the_end())))


def eigenvalue_slope(square: Array, rule: Rule) -> Array:
    """Its slope along sigma^2."""
    end = rule.at_the_end()
    return np.asarray(1 / (1 - square) ** 2 + rule.decay * kept_slope(square, end) / (1 - kept(square, end)) ** 2)


def square_at(eigenvalue: Array, rule: Rule) -> Array:
    """The root sigma^2 of eq. (5); zero where there is none. The right side is convex, so that Newton's method descends
    to it from the root without decay, and never steps over.
    """
    grown = eigenvalue > 1 + rule.decay
    square = np.where(grown, 1 - 1 / np.maximum(eigenvalue, 1.0), 0.0)
    for _ in range(STEPS):
        step = np.where(grown, (eigenvalue_at(square, rule) - eigenvalue) / eigenvalue_slope(square, rule), 0.0)
        square = np.maximum(square - step, 0.0)
        if np.max(np.abs(step), initial=0.0) < 1e-15:
            break
    return square


def one_update(weight: Array, variance: Array, eigenvalue: Array, rule: Rule) -> tuple[Array, Array]:
    """Eqs. (3) and (4) for modes of weight sigma: the next weight, and the variance of the chains that it used. Beyond
    sigma = 1, where there is no distribution, the largest weight below is meant.
    """
    square = np.minimum(weight**2, LARGEST)
    settled = 1 / (1 - square)
    variance = settled + ((variance if rule.persists else eigenvalue) - settled) * kept(square, rule)
    return weight + rule.rate * weight * (eigenvalue - rule.decay - variance), variance


def course(weight: float, eigenvalue: float, updates: int, rule: Rule) -> Array:
    """The weights of one mode, update by update, shape (updates + 1,)."""
    sigma, value = np.array(weight), np.array(eigenvalue)
    variance, found = value, np.empty(updates + 1)
    for update in range(updates + 1):
        found[update] = sigma
        sigma, variance = one_update(sigma, variance, value, rule)
    return found


def descended(weight: Array, eigenvalue: float, rule: Rule) -> tuple[Array, Array]:
    """What one mode descends along its weight, eq. (3): by the likelihood, and by what chains forget of it (weights
    from 0 on, by the trapezoid rule).
    """
    square = weight**2
    exact = -gain(square, np.array(eigenvalue)) + 0.5 * rule.decay * square
    force = weight * (rule.decay + (1 / (1 - square) - eigenvalue) * (1 - kept(square, rule)))
    steps = 0.5 * (force[1:] + force[:-1]) * np.diff(weight)
    return exact, np.concatenate([[0.0], np.cumsum(steps)])


def steepness(square: Array, eigenvalue: Array, rule: Rule) -> Array:
    """How far an update overshoots the end of a mode: above one, training circles it or leaves it."""
    settled, left = 1 / (1 - square), kept(square, rule)
    slope = settled**2 * (1 - left)
    if not rule.persists:
        slope = slope + (eigenvalue - settled) * kept_slope(square, rule)
    return np.asarray(rule.rate * square * slope / (1 + left if rule.persists else 1.0))


def gain(square: Array, variance: Array) -> Array:
    """Log-likelihood of examples with a variance along a mode, over that without weights, eq. (8)."""
    return np.asarray(0.5 * (np.log1p(-square) + square * variance))


class Learnt(NamedTuple):
    """The fraction of all modes that are noise, and learnt; what all learnt modes together gain on the examples shown,
    and on others; of shape (n,).
    """

    noise_modes: Array
    train: Array
    test: Array


def learnt(spike: Array, load: Array, size: Array, rule: Rule) -> Learnt:
    """Sums over all modes as integrals over the eigenvalues, for large N up to numbers that vanish (the arguments, and
    those of the rule, have the shape (n,)): the law of Marchenko and Pastur; how the spike shifts it, which is the
    phase of (1 + l m)/(1 + m), m the transform of Stieltjes (of the companion matrix), and pulls out one eigenvalue
    where it is visible; and what real matrices differ by (Bai and Silverstein 2004).

    The variable is sigma^2 instead of the eigenvalue, in which eq. (5) is explicit; near the edge, where the law is a
    root, the root of the distance.
    """
    load, spike = load[:, None], spike[:, None]
    rule = rule._replace(decay=rule.decay[:, None], sweeps=rule.sweeps[:, None]).at_the_end()
    high, low = edge(load), (1 - np.sqrt(load)) ** 2
    top = square_at(high, rule)
    square = top * (1 - NODES**2)
    measure = 2 * top * NODES * SHARES
    value, slope = eigenvalue_at(square, rule), eigenvalue_slope(square, rule)
    root = np.sqrt(np.maximum((high - value) * (value - low), 1e-300))
    density = root / (2 * np.pi * load * value)
    real, imaginary = -0.5 * (1 - load + value) / value, 0.5 * root / value
    phase = np.arctan2(spike * imaginary, 1 + spike * real) - np.arctan2(imaginary, 1 + real)
    seen, outlier = is_visible(spike, load), top_eigenvalue(spike, load)
    signal = square_at(outlier, rule)

    def total(at_edge: Array, at_outlier: Array, inside: Array, inside_slope: Array) -> Array:
        """The sum over all modes of a function of the eigenvalue; inside_slope: along sigma^2."""
        bulk = size * (measure * slope * density * inside).sum(axis=1)
        shift = (measure * inside_slope * phase).sum(axis=1) / np.pi
        of_reals = at_edge[:, 0] / 4 - (measure * slope * inside / root).sum(axis=1) / (2 * np.pi)
        return np.asarray(bulk + shift + of_reals + np.where(seen, at_outlier - at_edge, 0.0)[:, 0])

    shown = 0.5 * (value - 1 / (1 - square) + square * slope)
    train = total(gain(top, high), gain(signal, outlier), gain(square, value), shown)
    one = np.ones_like(value)
    test = total(gain(top, one[:, :1]), gain(signal, one[:, :1]), gain(square, one), -0.5 * square / (1 - square))
    share = load * spike / (spike * (spike - 1 + load) - (spike - 1) * value)  # of the spike, over the density
    along_spike = squared_overlap(spike, load)[:, 0] * signal[:, 0] + (measure * slope * density * share * square).sum(
        axis=1
    )
    return Learnt((measure * slope * density).sum(axis=1), train, test + 0.5 * (spike[:, 0] - 1) * along_spike)


@cache
def black_and_white() -> Array:
    """All handwritten digits as examples of -1 and +1, float32 of shape (1797, 64)."""
    images, _ = digits()
    examples: Array = np.where(images.reshape(len(images), -1) > 8, 1, -1).astype(np.float32)
    examples.flags.writeable = False
    return examples


def growth_eigenvalues(examples: Array) -> Array:
    """One plus the eigenvalues of the covariance of examples of -1 and +1 without its diagonal, largest first: what the
    covariance of Gaussian data is for the first steps of training.
    """
    covariance = np.cov(examples.T.astype(np.float64), bias=True)
    np.fill_diagonal(covariance, 0)
    return 1 + np.linalg.eigvalsh(covariance)[::-1]


@cache
def digit_eigenvalues() -> Array:
    """Those of all digits, shape (64,)."""
    found = growth_eigenvalues(black_and_white())
    found.flags.writeable = False
    return found
