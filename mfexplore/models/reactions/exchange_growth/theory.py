"""Rate equations of clusters that trade monomers or merge, and the grand-canonical law of sites that cannot vanish."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln, hyp2f1

from mfexplore.core import Array
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import later
from mfexplore.numerics.matrices.blas import one_blas_thread

eigh_tridiagonal = later("scipy.linalg", "eigh_tridiagonal")
CubicHermiteSpline = later("scipy.interpolate", "CubicHermiteSpline")

INTEGERS, RATIO, LARGEST = 40, 1.06, 1e8  # sizes that are all kept, then by ratios, up to the largest
COARSE, LARGEST_MERGED = 1.09, 1e5  # the same for mergers, where every pair of sizes counts


class Growth(NamedTuple):
    """Clusters per starting cluster in time, with the slope on logarithmic axes; each of shape (n,).

    gel_time: when all mass has gone into clusters without end; inf if it never does. log_tau: the clock of eq. (2), of
        the first of these points.
    """

    log_time: Array
    log_clusters: Array
    slope: Array
    gel_time: float
    log_tau: Array

    def clusters(self, times: Array) -> Array:
        """At times of shape (n,); 0 after gelation."""
        t = np.asarray(times, np.float64)
        known = np.clip(np.log(np.maximum(t, 1e-300)), self.log_time[0], self.log_time[-1])
        found = np.exp(CubicHermiteSpline(self.log_time, self.log_clusters, self.slope)(known))
        return np.where(t >= self.gel_time, 0.0, np.where(np.log(np.maximum(t, 1e-300)) < known, 1 - t, found))


def sizes(ratio: float, largest: float) -> Array:
    """Whole numbers, then ratios; the last is beyond the largest and stands for what has left."""
    n = math.ceil(math.log(largest / INTEGERS) / math.log(ratio)) + 1
    return np.concatenate([np.arange(1.0, INTEGERS), INTEGERS * ratio ** np.arange(n)])


# -- one monomer at a time -------------------------------------------------------------------------------------------


def scaling_size(times: Array, exponent: float) -> Array:
    """The typical size s of eq. (3) for an exponent below 3/2; shape of `times`."""
    q, rise = 2 - exponent, 3 - 2 * exponent
    log_s = (np.log(q * rise * times) + gammaln(2 / q) - gammaln(1 + 1 / q)) / rise
    return np.asarray(np.exp(np.minimum(log_s, 600.0)))


@lru_cache(maxsize=8)
def modes(exponent: float) -> tuple[Array, Array, Array]:
    """Eq. (2) as a sum of exponentials in tau: (sizes, rates, amplitudes of shape (sizes, modes)).

    Between distant sizes a step keeps mean and variance per time of many steps of one: rates k^exponent, cut by gaps.
    """
    grid = sizes(RATIO, LARGEST)
    k = grid[:-1]
    up, down = np.diff(grid), np.diff(grid, prepend=0.0)[:-1]
    rate = k**exponent * 2 / (up + down)
    root = np.sqrt((up + down) / k**exponent)  # of the weights of detailed balance
    between = np.sqrt(rate[:-1] / up[:-1] * rate[1:] / down[1:])
    with one_blas_thread():
        rates, vectors = eigh_tridiagonal(-rate * (1 / up + 1 / down), between)
    return k, rates, root[:, None] / root[0] * vectors * vectors[0]


@lru_cache(maxsize=256)
def monomers(exponent: float) -> Growth:
    """One monomer at a time: N and the time t of eq. (2) as functions of tau; beyond the largest size as they go on."""
    k, rates, amplitudes = modes(exponent)
    q = 2 - exponent
    edges = np.linspace(math.log(1e-3), 0.5 + (q * math.log(LARGEST) if q > 0.2 else 3.0), 193)
    width = edges[1] - edges[0]
    places, panels = gauss_legendre(3, edges)
    inner = np.exp(places)
    power = k**exponent
    sums = np.stack([np.ones_like(k), power, power * (k > LARGEST / 50), k == 1], axis=1)
    with one_blas_thread():
        weights = amplitudes.T @ sums
        between = np.exp(inner[:, None] * rates) @ weights[:, 1]
        clusters, activity, share, singles = (np.exp(np.exp(edges)[:, None] * rates) @ weights).T
    end = int(np.argmax(np.append(share > 1e-3 * activity, True)))  # here the largest size is felt
    tau, clusters, activity, singles = np.exp(edges[:end]), clusters[:end], activity[:end], singles[:end]
    rise = (inner / between * panels).reshape(-1, 3).sum(axis=1)[: end - 1]
    time = np.concatenate([[0.0], np.cumsum(rise)]) + tau[0] - 0.5 * (2**exponent - 2) * tau[0] ** 2
    slope = -time * activity * singles / clusters
    # Beyond: dt = dtau/activity, where the activity grows as tau^p and N falls as tau^-fall.
    p, fall = (exponent - 1) / max(q, 1e-9), 1 / max(q, 1e-9)
    if exponent > 1.6:  # not yet
        growth = np.gradient(np.log(activity[-9:]), width)[[1, 7]]
        p, fall = float(growth[1] + math.log(growth[1] / growth[0]) / (6 * width)), float(-slope[-1])
        fall *= tau[-1] / (activity[-1] * time[-1])
    rest, gel = tau[-1] / activity[-1], math.inf
    if p > 1 + 1e-9:
        left = np.geomspace(1.0, 1e-9, 80)[1:]  # of the time until gelation
        gel = float(time[-1] + rest / (p - 1))
        times, falls = gel - (gel - time[-1]) * left, fall / (p - 1) * np.log(left)
        slopes = -times / (gel - times) * fall / (p - 1)
    else:
        more = np.linspace(0.0, 60.0, 80)[1:]
        times = time[-1] + rest * (more if abs(1 - p) < 1e-9 else np.expm1((1 - p) * more) / (1 - p))
        falls, slopes = -fall * more, -fall * times / rest * np.exp((p - 1) * more)
    return Growth(
        np.log(np.concatenate([time, times])), np.concatenate([np.log(clusters), np.log(clusters[-1]) + falls]),
        np.concatenate([slope, slopes]), gel, np.log(tau),
    )  # fmt: skip


def sizes_in_time(sizes: Array, time: float, exponent: float, transfer: str) -> Array:
    """Clusters of these whole sizes at a time before gelation; NaN where eq. (1) is not solved for them."""
    if transfer == "all":
        if exponent == 0:
            return np.asarray(np.exp((sizes - 1) * math.log(time) - (sizes + 1) * math.log1p(time)))
        if exponent == 1:
            return np.asarray(np.exp((sizes - 2) * np.log(sizes) - gammaln(sizes + 1) + (sizes - 1) * math.log(2 * time)
                                     - 2 * sizes * time))  # fmt: skip
        return np.full(sizes.shape, np.nan)
    growth = monomers(exponent)
    clock = growth.log_time[: growth.log_tau.size]
    if not math.exp(clock[0]) <= time <= math.exp(clock[-1]):
        return np.full(sizes.shape, np.nan)
    tau = math.exp(np.interp(math.log(time), clock, growth.log_tau))
    k, rates, amplitudes = modes(exponent)
    width = np.diff(np.append(0.5, 0.5 * (k[1:] + k[:-1])), append=k[-1])
    density = np.maximum(amplitudes @ np.exp(rates * tau) / width, 1e-300)
    return np.asarray(np.exp(np.interp(np.log(sizes), np.log(k), np.log(density))))


# -- all at once: clusters merge -------------------------------------------------------------------------------------


@kernel
def gain_and_loss(density, power, place, share, active, change):
    """Change of the densities of the first `active` sizes (and of what they make) by mergers, overwritten.

    A sum of two sizes is divided between its neighbours on the grid (place, and the next with `share`) so that clusters
    and mass are counted right (Kumar and Ramkrishna 1996). Returns sum over c_k k^exponent.
    """
    total = 0.0
    for i in range(active):
        total += power[i] * density[i]
    change[:] = 0.0
    last = density.size - 1
    for i in range(active):
        own = power[i] * density[i]
        change[i] -= 2.0 * own * total
        for j in range(i + 1):
            made = own * power[j] * density[j] * (1.0 if i == j else 2.0)
            at = place[i, j]
            if at < last:
                change[at] += made * (1.0 - share[i, j])
                change[at + 1] += made * share[i, j]
    return total


@kernel
def merge(density, grid, power, place, share, until, found):
    """Eq. (1) for mergers by Heun's method in steps that follow the largest clusters there are.

    density: shape (sizes,), overwritten; until: the last time. found: shape (3, n), times, clusters and second moments,
    overwritten; returns how many. Stops when mass has begun to leave at the largest size.
    """
    n = density.size
    change, later, ahead = np.empty(n), np.empty(n), np.empty(n)
    time, next_time, count = 0.0, 0.0, 0
    while count < found.shape[1]:
        clusters, mass, second, active = 0.0, 0.0, 0.0, 1
        for i in range(n):
            clusters += density[i]
            mass += grid[i] * density[i]
            second += grid[i] * grid[i] * density[i]
            if density[i] * grid[i] > 1e-9:
                active = i + 1
        if time >= next_time:
            found[0, count], found[1, count], found[2, count] = time, clusters, second
            count += 1
            next_time = max(1.03 * time, 1e-3)
        if time >= until or mass < 0.9995:
            break
        total = gain_and_loss(density, power, place, share, active, change)
        step = min(0.25 / (power[active - 1] * total), next_time - time + 1e-12)
        for i in range(n):
            ahead[i] = max(density[i] + step * change[i], 0.0)
        gain_and_loss(ahead, power, place, share, min(n, active + 8), later)
        for i in range(n):
            density[i] = max(density[i] + 0.5 * step * (change[i] + later[i]), 0.0)
        time += step
    return count


@lru_cache(maxsize=256)
def mergers(exponent: float) -> Growth:
    """All at once: N in time, by its power law where the grid ends; the gel time from where the second moment ends.

    Above the exponent 1 clusters without end are there at once (van Dongen 1987).
    """
    grid = sizes(COARSE, LARGEST_MERGED)
    both = grid[:, None] + grid
    place = np.clip(np.searchsorted(grid, both, side="right") - 1, 0, grid.size - 1)
    above = np.minimum(place + 1, grid.size - 1)
    share = (both - grid[place]) / np.where(above > place, grid[above] - grid[place], np.inf)
    density, found = np.zeros_like(grid), np.empty((3, 800))
    density[0] = 1.0
    time, clusters, second = found[:, 1 : merge(density, grid, grid**exponent, place, share, 2e4, found)]
    gel = math.inf
    if exponent > 0.5:
        vanishing = second[[-9, -1]] ** -((exponent - 0.5) / (1.5 - exponent))
        gel = float(time[-1] + vanishing[1] * (time[-1] - time[-9]) / (vanishing[0] - vanishing[1]))
        fall = math.log(clusters[-1] / clusters[-9]) / math.log(time[-1] / time[-9])
        still = clusters[-1] * (gel / time[-1]) ** fall
        time, clusters = np.append(time, gel), np.append(clusters, still)
    elif time[-1] < 1e4:
        fall = 1 / max(1 - 2 * exponent, 0.05)
        later = np.geomspace(1.0, 1e6, 60)[1:]
        time, clusters = np.append(time, time[-1] * later), np.append(clusters, clusters[-1] * later**-fall)
    slope = np.gradient(np.log(clusters), np.log(time))
    return Growth(np.log(time), np.log(clusters), slope, gel, np.empty(0))


# -- sites that stay -------------------------------------------------------------------------------------------------


def partition(fugacity: Array, attraction: Array) -> Array:
    """Z of eq. (4): sum over k of z^k k! Gamma(1 + b)/Gamma(k + 1 + b)."""
    return np.asarray(hyp2f1(1.0, 1.0, 1.0 + attraction, fugacity))


def critical_density(attraction: Array) -> Array:
    """Eq. (5): the density that the fluid can hold; infinite for b <= 2."""
    return np.where(attraction > 2, 1 / np.where(attraction > 2, attraction - 2, 1.0), np.inf)


def fugacity(attraction: Array, density: Array) -> tuple[Array, Array]:
    """(z, density of the fluid at that z), each of shape (n,), from eq. (4) by Newton's method between bounds."""
    b, rho = attraction, np.minimum(density, critical_density(attraction))
    condensed = density >= critical_density(attraction)
    low, high = np.zeros_like(rho), np.ones_like(rho)
    z = rho / (1 + rho)
    reached = np.zeros_like(rho)
    for _ in range(60):
        whole = partition(z, b)
        reached = (z - b + b / whole) / (1 - z)  # eq. (4) summed by parts
        gap = reached - rho
        low, high = np.where(gap < 0, z, low), np.where(gap >= 0, z, high)
        slope = (1 - b * reached / (np.maximum(z, 1e-12) * whole) + reached) / (1 - z)
        step = z - gap / np.maximum(slope, 1e-12)
        if (condensed | (np.abs(gap) < 1e-11 * (1 + rho)) | (high - low < 1e-15)).all():
            break
        z = np.where(np.abs(gap) < 1e-12 * rho, z, np.where((step > low) & (step < high), step, 0.5 * (low + high)))
    return np.where(condensed, 1.0, z), np.where(condensed, rho, reached)


def occupation(most: int, attraction: float, fugacity: float) -> Array:
    """z^k k! Gamma(1 + b)/Gamma(k + 1 + b) for k = 0 .. most."""
    k = np.arange(most + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.where(k > 0, k * np.log(fugacity), 0.0) if fugacity > 0 else np.where(k > 0, -np.inf, 0.0)
    return np.asarray(np.exp(powers + gammaln(k + 1) + gammaln(1 + attraction) - gammaln(k + 1 + attraction)))


@lru_cache(maxsize=4)
def _gel_curve(transfer: str) -> Any:
    """Logarithm of (gel time times distance from the threshold), a smooth function of the exponent, through a few."""
    grow, threshold = (mergers, 0.5) if transfer == "all" else (monomers, 1.5)
    exponents = threshold + np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    values = [math.log(grow(float(e)).gel_time * (e - threshold)) for e in exponents]
    if transfer == "one":  # from eq. (3), where the scaling law holds all the time
        exponents, values = np.append(exponents, 1.5), [*values, -math.log(3)]
    return np.polynomial.Polynomial.fit(exponents, values, len(values) - 1)


def gel_times(exponent: Array, transfer: str) -> Array:
    """When all that is finite ends; inf where it never does, 0 where it does at once. Shape of `exponent`."""
    threshold = 0.5 if transfer == "all" else 1.5
    above = exponent > threshold + 1e-9
    inside = np.where(above, np.minimum(exponent, threshold + 0.5), threshold + 0.5)
    times = np.exp(_gel_curve(transfer)(inside)) / (inside - threshold)
    return np.where(above, np.where(exponent > threshold + 0.5, 0.0, times), np.inf)
