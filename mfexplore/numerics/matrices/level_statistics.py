"""Statistics of neighbouring levels of a spectrum: do they repel?"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.later import brentq

Floats = NDArray[np.float64]

POISSON_RATIO = 2 * math.log(2) - 1  # mean gap ratio of independent levels
ORTHOGONAL_RATIO = 0.5307  # of large real symmetric random matrices (Atas, Bogomolny, Giraud and Roux 2013)


def gap_ratios(levels: Floats) -> Floats:
    """Smaller over larger of every two neighbouring gaps, in [0, 1]; needs no unfolding.

    Args:
        levels: ascending, shape (n,) with n >= 3.

    Returns:
        Shape (n - 2,). Two gaps that both vanish have the ratio 0.
    """
    gaps = np.diff(levels)
    smaller, larger = np.minimum(gaps[1:], gaps[:-1]), np.maximum(gaps[1:], gaps[:-1])
    return np.asarray(smaller / np.where(larger > 0, larger, 1.0))


def poisson_ratio_density(ratio: Floats) -> Floats:
    """Density of the gap ratio of independent levels, on [0, 1]."""
    return np.asarray(2 / (1 + ratio) ** 2)


def orthogonal_ratio_density(ratio: Floats) -> Floats:
    """Density of the gap ratio for real symmetric random matrices, on [0, 1]: exact for 3 x 3 (mean 4 - 2 sqrt 3 =
    0.5359), within 1.5% for large ones.
    """
    return np.asarray(27 / 4 * (ratio + ratio**2) / (1 + ratio + ratio**2) ** 2.5)


@cache
def _four_on_a_circle() -> tuple[Floats, Floats, Floats]:
    """Logarithm of the product of all chords between four levels, ratio of two gaps, and weight, at Gauss's points."""
    nodes, weights = gauss_legendre(20)
    both, share, rest = nodes[:, None, None], nodes[None, :, None] / 2, nodes[None, None, :]  # mirrored: share < 1/2
    gaps = both * share, both * (1 - share), (1 - both) * rest, (1 - both) * (1 - rest)
    chords = np.ones((20, 20, 20))
    for gap in (*gaps, gaps[0] + gaps[1], gaps[1] + gaps[2]):
        chords *= np.sin(np.pi * gap)
    weight = both * (1 - both) * np.multiply.outer(np.multiply.outer(weights, weights), weights)
    ratio = np.broadcast_to(share / (1 - share), chords.shape)
    return np.log(chords / chords.max()).ravel(), ratio.ravel(), weight.ravel()


def repelling_ratio(beta: Floats) -> Floats:
    """Mean gap ratio of levels that repel like |x - y|^beta, from four of them on a circle: exact for independent ones,
    and 0.0015 too low for the large random matrices of beta = 1, 2 and 4.

    Args:
        beta: not negative, any shape.

    Returns:
        Same shape.
    """
    logarithm, ratio, weight = _four_on_a_circle()
    different, place = np.unique(beta, return_inverse=True)
    means = np.empty(different.size)
    for k, exponent in enumerate(different):
        density = np.exp(exponent * logarithm) * weight
        means[k] = (density @ ratio) / density.sum()
    return means[place].reshape(np.shape(beta))


def repelling_spacing_density(beta: float, spacing: Floats) -> Floats:
    """Density of the gap between neighbours that repel like |x - y|^beta, in units of the mean gap.

    A s^beta at small s; e^(-pi^2 beta s^2/16), the price of a hole in a charged line, at large s; a linear term in the
    exponent makes the mean one (Izrailev 1989). Exact for beta = 0, elsewhere within a few percent.

    Args:
        beta: from 0 to 100; spacing: not negative, any shape.

    Returns:
        Same shape.
    """
    s = np.linspace(0, 12, 6001)[1:] - 0.001
    bare = beta * np.log(s) - math.pi**2 * beta / 16 * s**2

    def excess(slope: float) -> float:
        logarithm = bare - slope * s
        weight = np.exp(logarithm - logarithm.max())
        return float(np.sum(weight * (s - 1)))

    slope = brentq(excess, -20, 5)
    norm = float(np.sum(np.exp(bare - slope * s))) * (s[1] - s[0])
    with np.errstate(divide="ignore"):
        power = np.where(spacing > 0, beta * np.log(spacing), 0.0 if beta == 0 else -np.inf)
    return np.asarray(np.exp(power - math.pi**2 * beta / 16 * spacing**2 - slope * spacing) / norm)


@cache
def _mixing_table() -> Callable[[Floats], Floats]:
    """Mean gap ratio of three neighbouring levels against the logarithm of the strength that mixes them."""
    from scipy.interpolate import PchipInterpolator
    from scipy.special import ndtri

    number, dimensions = 8192, 8
    base = 2.0
    for _ in range(60):  # root of b^(d+1) = b + 1: its powers make an evenly filling sequence in d dimensions
        base = (1 + base) ** (1 / (dimensions + 1))
    points = (0.5 + np.outer(np.arange(1, number + 1), base ** -np.arange(1.0, dimensions + 1))) % 1
    gaps, normal = -np.log(points[:, :2]), ndtri(points[:, 2:])
    bare = np.stack([-gaps[:, 0], np.zeros(number), gaps[:, 1]], axis=1)
    rows, columns = np.triu_indices(3, 1)
    strengths = np.geomspace(1e-3, 30, 17)
    means = []
    for strength in strengths:
        matrix = np.zeros((number, 3, 3))
        matrix[:, range(3), range(3)] = bare + strength * math.sqrt(2) * normal[:, :3]
        matrix[:, rows, columns] = matrix[:, columns, rows] = strength * normal[:, 3:]
        between = np.diff(np.linalg.eigvalsh(matrix), axis=1)
        means.append(np.mean(between.min(axis=1) / between.max(axis=1)))
    share = (np.array(means) - means[0]) / (means[-1] - means[0])
    fitted: Callable[[Floats], Floats] = PchipInterpolator(np.log(strengths), share)
    return fitted


def mixed_ratio(strength: Floats) -> Floats:
    """Mean gap ratio of independent levels that a random symmetric matrix mixes, by a surmise with three levels.

    Args:
        strength: standard deviation of a matrix element between two levels, in mean level spacings; any shape.

    Returns:
        Same shape, from the Poisson value at 0 to that of random matrices; within 0.015 of large spectra.
    """
    x = np.log(np.clip(strength, 1e-3, 30))
    return np.asarray(POISSON_RATIO + _mixing_table()(x) * (ORTHOGONAL_RATIO - POISSON_RATIO))
