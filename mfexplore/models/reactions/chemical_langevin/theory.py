"""Chemical Langevin equation: cumulants of leaps in closed form, laws and passage times of Schloegl's diffusion."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, log_ndtr, logsumexp, xlogy

from mfexplore.core import Array
from mfexplore.families.birth_death import Schloegl
from mfexplore.families.fokker_planck import (
    ORDER,
    gauss_points,
    hops,
    log_passage_times,
    panel_integrals,
    potential,
)

AUTOCATALYSIS = 3.0  # a_1; a_2 is 1
CELLS = 400
ROWS = 64  # points of a batch solved together
LENGTH = 8.0  # molecules along a panel; the potential is steeper only where there are hardly any


def leap_cumulants(population: Array, leap: Array, counted: bool) -> tuple[Array, Array, Array, Array]:
    """First four cumulants at rest of birth and death in leaps, eq. (5): firings are Poisson (`counted`) or Gaussian.

    For leaps that go to 0 the first gives the Poisson law and the second the shifted Gamma law.
    """
    keep = 1 - leap
    second = population / (1 - leap / 2)
    third = 3 * keep * leap * second / (1 - keep**3)
    fresh = 3 * leap**2 * second + 6 * keep**2 * leap * third
    if counted:
        fresh = fresh + 2 * population * leap - 4 * leap * keep * second
    return population, second, third, fresh / (1 - keep**4)


def gamma_law(population: float, x: Array) -> Array:
    """Density of that law."""
    y = np.maximum(x + population, 0.0)
    log_p = xlogy(4 * population - 1, y) - 2 * y + 4 * population * np.log(2) - gammaln(4 * population)
    return np.where(x > -population, np.exp(log_p), 0.0)


def concentrations(feed: Array, decay: Array) -> Array:
    """States at rest of Schloegl's rate equation, ascending, shape (n, 3); NaN in the middle where there is one."""
    return Schloegl(AUTOCATALYSIS, 1.0, feed, decay, 1.0).at_rest()


def propensities(x: Array, volume: Any, feed: Any, decay: Any, counts: bool) -> tuple[Array, Array, Array, Array]:
    """a_1 ... a_4 at x molecules: pairs and triples as powers of x, or as they are counted (never below 0)."""
    pairs = np.where(x > 1, x * (x - 1), 0.0) if counts else x * x
    triples = np.where(x > 2, x * (x - 1) * (x - 2), 0.0) if counts else x * x * x
    return AUTOCATALYSIS * pairs / volume, triples / volume**2, feed * volume + 0 * x, decay * x


def diffusion(
    volume: Array, feed: Array, decay: Array, low: Array, high: Array, counts: bool
) -> tuple[Array, Array, Array, Array, Array]:
    """(mean, variance, third cumulant, time from low to high, and back) of the Langevin equation with a mirror at 0.

    All of shape (n,); low, high: numbers of molecules. Panels from 0 to low, to high, and beyond, as many for each.
    """
    top = np.maximum(3.2 * volume + 8 * np.sqrt(volume) + 10, high + 5)
    ends = np.stack([0 * low, low, high, top])
    lengths = np.diff(ends, axis=0)
    longest = LENGTH / 4 if counts else LENGTH  # counted pairs have a kink at 1, triples at 2
    pieces = [max(2, int(np.ceil(length.max() / longest))) for length in lengths]
    s, half = gauss_points(np.concatenate([[0.0], *(k + np.arange(1, m + 1) / m for k, m in enumerate(pieces))]))
    section = np.repeat(np.arange(3), pieces)[:, None]
    column = (slice(None), None, None)
    stretch = np.moveaxis(lengths, 0, -1)[:, section] * np.ones(ORDER)  # dx/ds at the points, shape (n, m, ORDER)
    x = np.moveaxis(ends[:3], 0, -1)[:, section] + stretch * (s - section)
    up_2, down_3, up_0, down_1 = propensities(x, volume[column], feed[column], decay[column], counts)
    rises, falls = up_2 + up_0, down_3 + down_1
    phi = potential(2 * (rises - falls) / (rises + falls) * stretch, half)
    log_length = np.log(stretch)
    log_mass = phi - np.log((rises + falls) / 2) + log_length
    weight = np.exp(log_mass - log_mass.max(axis=(1, 2), keepdims=True))
    total = panel_integrals(weight, half).sum(axis=-1)
    mean = panel_integrals(weight * x, half).sum(axis=-1) / total
    second, third = (panel_integrals(weight * (x - mean[column]) ** k, half).sum(axis=-1) / total for k in (2, 3))
    first, last = pieces[0], pieces[0] + pieces[1]
    climbs = log_passage_times(phi[:, :last], log_length[:, :last], log_mass[:, :last], half[:last])
    back = slice(None), slice(None, first - 1 if first else None, -1), slice(None, None, -1)  # from the top to low
    falls_back = log_passage_times(phi[back], log_length[back], log_mass[back], half[back[1]])
    times = [np.exp(logsumexp(one, axis=-1)) for one in (climbs[:, first:], falls_back[:, pieces[2] :])]
    return mean, second, third, *times


def oscillator_passage(low: Array, threshold: Array, spread: Array, rate: Array) -> Array:
    """Mean time in which an Ornstein-Uhlenbeck process of a variance and rate climbs from its mean to a threshold."""
    s, half = gauss_points(np.linspace(0.0, 1.0, 65))
    height = ((threshold - low) / np.sqrt(spread))[:, None, None]
    exponent = (height * s) ** 2 / 2 + log_ndtr(height * s)
    highest = exponent.max(axis=(1, 2), keepdims=True)
    integral = panel_integrals(np.exp(exponent - highest), half).sum(axis=-1)
    found: Array = np.sqrt(2 * np.pi) * (height * np.exp(highest))[:, 0, 0] * integral / rate
    return found


def chain(volume: float, feed: float, decay: float, counts: bool) -> tuple[Array, Array, Array]:
    """Middles of cells in x, and the rates of hopping between them, of the Langevin equation with a mirror at 0."""
    top = 3.2 * volume + 8 * np.sqrt(volume) + 10
    edges = np.linspace(0, top, CELLS + 1)
    width, middle = top / CELLS, (edges[1:] + edges[:-1]) / 2
    s, half = gauss_points(middle)
    up_2, down_3, up_0, down_1 = propensities(s, volume, feed, decay, counts)
    slope = 2 * (up_2 + up_0 - down_3 - down_1) / (up_2 + up_0 + down_3 + down_1)
    step = panel_integrals(slope, half)
    noise = np.sum(propensities(middle, volume, feed, decay, counts), axis=0) / 2
    up, down = hops(step, noise, width, width)
    return middle, up, down
