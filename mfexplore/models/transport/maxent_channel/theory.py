"""What is known of a channel and what follows: maximum entropy, the jumps of a file of sites, both theories of it."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import entr

from mfexplore.core import Array
from mfexplore.families import master_equation as master
from mfexplore.numerics.functions.log_sums import log_sum_exp
from mfexplore.numerics.kernel import kernel

ENTER_LEFT, LEAVE_LEFT, HOP_RIGHT, HOP_LEFT, LEAVE_RIGHT, ENTER_RIGHT = range(6)  # as in eq. (2)
RUNGS = 5  # of the ladder of knowledge


# -- what is known -----------------------------------------------------------------------------------------------------


def maximum_entropy(features: Array, means: Array) -> tuple[Array, Array]:
    """Eq. (1) by Newton's method. features: shape (k, states); means: their averages, shape (k,).

    Returns (multipliers lambda of shape (k,), law of shape (states,)). Redundant features do no harm.
    """
    centred = features - means[:, None]
    multipliers = np.zeros(len(means))
    for _ in range(100):
        exponent = -multipliers @ centred
        height = float(log_sum_exp(exponent))
        law = np.exp(exponent - height)
        slope = -centred @ law
        if np.abs(slope).max(initial=0.0) < 1e-14:
            break
        curvature = (centred * law) @ centred.T - np.outer(slope, slope)
        step = -np.linalg.lstsq(curvature, slope, rcond=1e-13)[0]
        size = 1.0
        while size > 1e-4 and log_sum_exp(-(multipliers + size * step) @ centred) > height + 0.1 * size * slope @ step:
            size /= 2
        multipliers = multipliers + size * step
    return multipliers, law


@lru_cache(maxsize=8)
def occupations(sites: int) -> Array:
    """Which sites are occupied in every state: shape (sites, 2^sites); bit i of a state is site i."""
    return np.asarray((np.arange(2**sites) >> np.arange(sites)[:, None]) & 1, np.float64)


def entropy_of(law: Array) -> float:
    return float(entr(law).sum())


def ladder(law: Array) -> Array:
    """Missing information on the rungs 0 ... 4, in nats; NaN where nothing is missing."""
    sites = len(law).bit_length() - 1
    n, true = occupations(sites), entropy_of(law)
    pairs = [(i, j) for i in range(sites) for j in range(i + 1, sites)]
    rungs = (
        np.empty((0, len(law))), n.sum(axis=0, keepdims=True), n,
        np.vstack([n, *(n[i : i + 1] * n[i + 1] for i in range(sites - 1))]),
        np.vstack([n, *(n[i : i + 1] * n[j] for i, j in pairs)]),
    )  # fmt: skip
    missing = np.array([entropy_of(maximum_entropy(known, known @ law)[1]) - true for known in rungs])
    return np.where(missing > 1e-9, missing, np.nan)


# -- the channel -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def structure(sites: int) -> tuple[master.Jumps, Array]:
    """All jumps of a file of sites, counted at the left, with which of the rates of eq. (2) each has."""
    found = []
    for state in range(2**sites):
        if state & 1:
            found.append((state, state ^ 1, -1, LEAVE_LEFT))
        else:
            found.append((state, state ^ 1, 1, ENTER_LEFT))
        last = 1 << (sites - 1)
        found.append((state, state ^ last, 0, LEAVE_RIGHT if state & last else ENTER_RIGHT))
        for i in range(sites - 1):
            pair = (state >> i) & 3
            if pair in (1, 2):
                found.append((state, state ^ (3 << i), 0, HOP_RIGHT if pair == 1 else HOP_LEFT))
    source, target, count, kind = np.array(found, np.int64).T
    listed = master.jumps(source, target, count, kind, 2**sites)
    return listed, listed.rate.astype(np.int64)


@kernel
def mean_field(rates, density):
    """Eq. (3), written into `density` of shape (sites,). Returns (current, noise, residual).

    From either end to the middle the density is a function of the current; from both, the current across the middle
    falls as the current assumed rises: bisection. Shooting through the whole file would amplify rounding errors.
    """
    sites = density.size
    middle = (sites + 1) // 2
    forth, back = rates[HOP_RIGHT], rates[HOP_LEFT]
    low = -min(rates[LEAVE_LEFT], rates[ENTER_RIGHT], back)
    high = min(rates[ENTER_LEFT], rates[LEAVE_RIGHT], forth)
    gap = 0.0
    for _ in range(200):
        current = 0.5 * (low + high)
        excess = 0  # whether the current assumed is too large (1) or too small (-1) for densities between 0 and 1
        for i in range(middle):
            if i == 0:
                rho = (rates[ENTER_LEFT] - current) / (rates[ENTER_LEFT] + rates[LEAVE_LEFT])
            else:
                rho = (forth * rho - current) / (forth * rho + back * (1.0 - rho))
            density[i] = rho
            if rho < 0.0 or rho > 1.0:
                excess = 1 if rho < 0.0 else -1
                break
        if excess == 0:
            for i in range(sites - 1, middle - 1, -1):
                if i == sites - 1:
                    rho = (current + rates[ENTER_RIGHT]) / (rates[ENTER_RIGHT] + rates[LEAVE_RIGHT])
                else:
                    rho = (current + back * rho) / (forth * (1.0 - rho) + back * rho)
                density[i] = rho
                if rho < 0.0 or rho > 1.0:
                    excess = 1 if rho > 1.0 else -1
                    break
        if excess == 0:
            left = density[middle - 1]
            if middle < sites:
                gap = forth * left * (1.0 - density[middle]) - back * density[middle] * (1.0 - left) - current
            else:
                gap = rates[LEAVE_RIGHT] * left - rates[ENTER_RIGHT] * (1.0 - left) - current
            excess = -1 if gap > 0.0 else 1
        if excess > 0:
            high = current
        else:
            low = current
        if not low < 0.5 * (low + high) < high:
            break
    # White noise in every link, weighted so that what the densities answer cancels.
    weight, total, noise = 1.0, 0.0, 0.0
    for i in range(sites + 1):
        before = density[i - 1] if i > 0 else 0.0
        after = density[i] if i < sites else 0.0
        if i == 0:
            traffic = rates[ENTER_LEFT] * (1.0 - after) + rates[LEAVE_LEFT] * after
            answer = rates[ENTER_LEFT] + rates[LEAVE_LEFT]
        elif i == sites:
            weight /= rates[LEAVE_RIGHT] + rates[ENTER_RIGHT]
            traffic = rates[LEAVE_RIGHT] * before + rates[ENTER_RIGHT] * (1.0 - before)
            answer = 0.0
        else:
            weight /= forth * (1.0 - after) + back * after
            traffic = forth * before * (1.0 - after) + back * after * (1.0 - before)
            answer = forth * before + back * (1.0 - before)
        total += weight
        noise += weight * weight * traffic
        weight *= answer
    return current, noise / (total * total), abs(gap)


@kernel
def solve_points(rates, jumps, kind, work, densities, found):
    """Both theories at n points. rates: shape (n, 6) as in eq. (2); jumps.rate is overwritten.

    Written: densities, shape (n, 2, sites); found, shape (n, 2, 4): current, noise, residual, entropy of the exact law.
    """
    states, sites = work.shape[1], densities.shape[2]
    law = np.empty(states)
    for p in range(rates.shape[0]):
        current, noise, residual = mean_field(rates[p], densities[p, 0])
        found[p, 0, 0], found[p, 0, 1], found[p, 0, 2], found[p, 0, 3] = current, noise, residual, 0.0
        for k in range(kind.size):
            jumps.rate[k] = rates[p, kind[k]]
        current, noise = master.stationary_counts(jumps, work, law)
        entropy = 0.0
        densities[p, 1] = 0.0
        for s in range(states):
            entropy -= law[s] * math.log(law[s])
            for i in range(sites):
                if (s >> i) & 1:
                    densities[p, 1, i] += law[s]
        # What enters at the left leaves at the right.
        last = densities[p, 1, sites - 1]
        residual = abs(rates[p, LEAVE_RIGHT] * last - rates[p, ENTER_RIGHT] * (1.0 - last) - current)
        found[p, 1, 0], found[p, 1, 1], found[p, 1, 2], found[p, 1, 3] = current, noise, residual, entropy


def both(rates: Array, sites: int) -> tuple[Array, Array]:
    """(densities, found) of `solve_points` for files of so many sites; rates: shape (n, 6)."""
    listed, kind = structure(sites)
    densities, found = np.empty((len(rates), 2, sites)), np.empty((len(rates), 2, 4))
    work, scratch = np.empty((listed.states + 1, listed.states)), listed._replace(rate=np.empty(kind.size))
    solve_points(rates, scratch, kind, work, densities, found)
    return densities, found
