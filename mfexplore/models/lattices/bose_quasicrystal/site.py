"""One site of the Bose-Hubbard model in the field of its neighbours, and what follows for all of them on average."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipkm1

from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.kernel import kernel

Array = NDArray[Any]

STATES = 12  # particles on a site: 0 ... 11
LARGEST_ORDER = 3.4  # beyond any <a> of these states
PANELS, NODES = 6, 12  # of the law of the potential, and places in each
ORDERED = 0.1  # order from which a site counts as superfluid
WAVES = 12  # phases of a wave, for means of smooth functions
PERCOLATION = 0.592746  # of the sites of the square lattice


@kernel
def ground_state(mu, field, amplitudes):
    """The lowest state of n (n - 1)/2 - mu n - field (a + a^+) to `amplitudes`, shape (STATES,); returns (<a>, <n>,
    <n^2>).

    To the left of all roots Newton's method on the characteristic polynomial comes to the first one from below; one
    and a second inverse iteration give the vector, of which no entry is negative.
    """
    if field <= 1e-13:
        n = max(0.0, math.ceil(mu))
        for k in range(STATES):
            amplitudes[k] = 1.0 if k == n else 0.0
        return 0.0, n, n * n
    low = 0.0
    for n in range(STATES):
        reach = field * (math.sqrt(n) + math.sqrt(n + 1.0))
        low = min(low, 0.5 * n * (n - 1.0) - mu * n - reach)
    for _ in range(100):
        pivot, slope, total = -low, -1.0, 1.0 / low
        for n in range(1, STATES):
            square = field * field * n
            slope = -1.0 + square * slope / (pivot * pivot)
            pivot = 0.5 * n * (n - 1.0) - mu * n - low - square / pivot
            total += slope / pivot
        step = -1.0 / total
        if not step > 1e-13 * (1.0 + abs(low)):  # also where a pivot is nothing, and the step not a number
            break
        low += step
    shift = low - 1e-9 * (1.0 + abs(low))
    pivots = np.empty(STATES)
    for k in range(STATES):
        amplitudes[k] = 1.0
    for _ in range(2):
        pivots[0] = -shift
        for n in range(1, STATES):
            beside = field * math.sqrt(n)
            pivots[n] = 0.5 * n * (n - 1.0) - mu * n - shift - beside * beside / pivots[n - 1]
            amplitudes[n] += beside / pivots[n - 1] * amplitudes[n - 1]
        amplitudes[STATES - 1] /= pivots[STATES - 1]
        norm = amplitudes[STATES - 1] ** 2
        for n in range(STATES - 2, -1, -1):
            amplitudes[n] = (amplitudes[n] + field * math.sqrt(n + 1.0) * amplitudes[n + 1]) / pivots[n]
            norm += amplitudes[n] ** 2
        for n in range(STATES):
            amplitudes[n] /= math.sqrt(norm)
    order, density, square = 0.0, 0.0, 0.0
    for n in range(1, STATES):
        order += math.sqrt(n) * amplitudes[n - 1] * amplitudes[n]
        density += n * amplitudes[n] ** 2
        square += n * n * amplitudes[n] ** 2
    return order, density, square


@kernel
def average_site(mu, field, depths, weights, amplitudes):
    """Means of <a>, <n>, <n^2> over sites of potential `depths` with `weights`."""
    order, density, square = 0.0, 0.0, 0.0
    for k in range(depths.size):
        if weights[k] == 0.0:
            continue
        a, n, n2 = ground_state(mu - depths[k], field, amplitudes)
        order += weights[k] * a
        density += weights[k] * n
        square += weights[k] * n2
    return order, density, square


@kernel
def common_order(hopping, mu, depths, weights, ordered, levels, out):
    """The order that all sites share: out[:, i] = order, density, <n^2>, residual, share of sites above `ORDERED`.

    hopping (zJ), mu: of shape (n,); depths, weights: potentials of sites, shape (n, m); levels: others that are equally
    likely, shape (n, l); ordered: whether the order is not zero. The mean of <a> is a concave function of the field, so
    that secants from above never pass the root.
    """
    amplitudes = np.empty(STATES)
    for i in range(hopping.size):
        order = 0.0
        if ordered[i]:
            before, order = 0.0, LARGEST_ORDER
            gap_before = 0.0
            for step in range(100):
                gap = average_site(mu[i], hopping[i] * order, depths[i], weights[i], amplitudes)[0] - order
                if gap >= -1e-15:
                    break
                change = gap if step == 0 else -gap * (order - before) / (gap - gap_before)
                before, gap_before = order, gap
                order = max(order + change, 0.0)
        out[0, i] = order
        a, out[1, i], out[2, i] = average_site(mu[i], hopping[i] * order, depths[i], weights[i], amplitudes)
        out[3, i] = abs(a - order)
        share = 0.0
        for k in range(levels.shape[1]):
            own = ground_state(mu[i] - levels[i, k], hopping[i] * order, amplitudes)[0]
            share += 1.0 / levels.shape[1] if own > ORDERED else 0.0
        out[4, i] = share


@kernel
def connecting_hopping(mu, depths, weights, levels, hopping):
    """The hopping zJ at which so many sites are ordered that they connect; NaN where they never are. Overwritten.

    mu: shape (n,); depths, weights, levels: as of `common_order`. The field that does it says what order there is, eq.
    (3), and so which hopping makes it.
    """
    amplitudes = np.empty(STATES)
    for i in range(mu.size):
        low, high = 0.0, 0.5 * LARGEST_ORDER
        for _ in range(26):
            field = 0.5 * (low + high)
            ordered = 0
            for k in range(levels.shape[1]):
                if ground_state(mu[i] - levels[i, k], field, amplitudes)[0] > ORDERED:
                    ordered += 1
            if ordered < PERCOLATION * levels.shape[1]:
                low = field
            else:
                high = field
        order = average_site(mu[i], high, depths[i], weights[i], amplitudes)[0]
        hopping[i] = high / order if high < 0.5 * LARGEST_ORDER else math.nan


def law_of(potential: str, mu: Array, strength: Array) -> tuple[Array, Array]:
    """Potentials of sites and their weights, shape (n, m) each, at pairs of mu and strength.

    Panels end where the law (of two waves: an elliptic integral, with a logarithm in the middle) or the particles of a
    site change, and places crowd there.
    """
    half = 0.5 if potential == "box" else 1.0
    fillings = np.floor(mu[:, None] + half * strength[:, None]) - np.arange(PANELS - 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = np.where(strength[:, None] > 0, (mu[:, None] - fillings) / strength[:, None], half)
    ends = np.broadcast_to([-half, 0.0, half], (len(mu), 3))
    edges = np.sort(np.concatenate([ends, np.clip(changes, -half, half)], axis=1), axis=1)
    u, weight = gauss_legendre(NODES)
    place = u**3 * (10 - 15 * u + 6 * u * u)
    length = np.diff(edges, axis=1)[..., None]
    v = edges[:, :-1, None] + length * place
    density = np.ones(v.shape) if potential == "box" else ellipkm1(np.maximum(v * v, 1e-300))
    weights = (length * weight * 30 * u**2 * (1 - u) ** 2 * density).reshape(len(mu), -1)
    return strength[:, None] * v.reshape(len(mu), -1), weights / weights.sum(axis=1, keepdims=True)


@cache
def quantiles(potential: str) -> Array:
    """Equally likely potentials for a strength of one, sorted, shape (64,)."""
    if potential == "box":
        return (np.arange(64) + 0.5) / 64 - 0.5
    c = np.cos((np.arange(512) + 0.5) * np.pi / 512)
    return np.sort((0.5 * (c[:, None] + c)).ravel())[2048::4096].copy()


def filling(mu: Array) -> Array:
    """Particles of a site without hopping."""
    return np.maximum(np.ceil(mu), 0.0)


def susceptibility(mu: Array) -> Array:
    """Response <a>/field of a site without hopping, eq. (4); infinite where two fillings cost the same."""
    n = filling(mu)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(n > 0, (n + 1) / (n - mu) + n / (mu - n + 1), 1 / np.maximum(-mu, 0.0)))


def mean_susceptibility(mu: Array, strength: Array, potential: str) -> Array:
    """Its mean over the law of the potential; infinite where sites of two fillings occur."""
    half = 0.5 if potential == "box" else 1.0
    top = mu + half * strength
    gapless = (filling(mu - half * strength) != filling(top)) | (top == np.round(top))
    if potential == "box":  # closed form
        n, d = filling(mu), np.maximum(strength, 1e-9)
        a, b = mu - 0.5 * d, mu + 0.5 * d
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = ((n + 1) * np.log((n - a) / (n - b)) + n * np.log((b - n + 1) / (a - n + 1))) / d
            mean = np.where(n > 0, mean, np.log(np.abs(a / b)) / d)
        mean = np.where(strength < 1e-9, susceptibility(mu), mean)
    else:
        c = np.cos((np.arange(WAVES) + 0.5) * np.pi / WAVES)
        shape = 0.5 * (c[:, None] + c).ravel()
        mean = susceptibility(mu[:, None] - strength[:, None] * shape).mean(axis=1)
    return np.asarray(np.where(gapless, np.inf, mean))
