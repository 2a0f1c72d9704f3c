"""Samplers of particles on a lattice, and what their counts of states say of every temperature.

A state is `occupied` (int8, 0 or 1, shape (n,)) with its totals (particles N, bonds B between neighbours). `near` holds
the neighbours, int32 of shape (n, c). A count is a table of logarithms, [N, B], of numbers of states.

Sources: Wang and Landau, Phys. Rev. Lett. 86, 2050 (2001); Belardinelli and Pereyra, Phys. Rev. E 75, 046701 (2007);
Skilling, Bayesian Analysis 1, 833 (2006).
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from mfexplore.core import Array
from mfexplore.families.lattice_spins.enumeration import count_states
from mfexplore.numerics.chance.random import advanced, random_word, uniform
from mfexplore.numerics.functions.log_sums import log_sum_exp
from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.space.lattices import neighbourhood

SMALL = 4  # side of the lattice whose states are all visited


class Gains(NamedTuple):
    """Boltzmann factors. bonds: of -c ... c more bonds (for `exchange` and a particle); sites: of their energies."""

    bonds: Array
    sites: Array


@inline_kernel
def beside(occupied, near, site):
    """Particles next to a site."""
    found = 0
    for k in range(near.shape[1]):
        found += occupied[near[site, k]]
    return found


@kernel
def exchange(occupied, totals, near, gains, sweeps, seen, stream):
    """Heat bath, site after site: particles come from a reservoir and go back. After each sweep the state is counted in
    `seen` (int64, [N, B], or empty).
    """
    n, c = near.shape
    for _ in range(sweeps):
        position = stream[0]
        for i in range(n):
            bonds = beside(occupied, near, i)
            odds = gains.bonds[c + bonds] * gains.sites[i]
            new = 1 if uniform(position, i) * (1.0 + odds) < odds else 0
            change = new - occupied[i]
            totals[0] += change
            totals[1] += change * bonds
            occupied[i] = new
        stream[0] = advanced(position, n)
        if seen.size:
            seen[totals[0], totals[1]] += 1


@kernel
def below(word, n):
    """A whole number below n from the 32 high bits of a word."""
    return np.int64(((word >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@kernel
def hop(occupied, totals, near, gains, sweeps, seen, stream):
    """Kawasaki: particles hop to empty neighbouring sites, by Metropolis' rule; n attempts are a sweep."""
    n, c = near.shape
    for _ in range(sweeps):
        position = stream[0]
        for k in range(n):
            word = random_word(position, 2 * k)
            i = below(word, n)
            j = np.int64(near[i, np.int64(word & np.uint64(0xFFFFFFFF)) % c])
            if occupied[i] == occupied[j]:
                continue
            if occupied[j]:
                i, j = j, i
            change = beside(occupied, near, j) - 1 - beside(occupied, near, i)
            if uniform(position, 2 * k + 1) * gains.sites[i] < gains.bonds[c + change] * gains.sites[j]:
                occupied[i], occupied[j] = 0, 1
                totals[1] += change
        stream[0] = advanced(position, 2 * n)
        if seen.size:
            seen[totals[0], totals[1]] += 1


@kernel
def propose(occupied, near, fixed, word):
    """A move: a site changes, or with a fixed number of particles one jumps from the first site to the second; two that
    are alike change nothing. Returns (site, other, change of N, change of B).
    """
    n = occupied.size
    i = below(word, n)
    if not fixed:
        sign = 1 - 2 * occupied[i]
        return i, i, sign, sign * beside(occupied, near, i)
    j = below(word << np.uint64(32), n)
    if occupied[i] == occupied[j]:
        return i, j, 0, 0
    if occupied[j]:
        i, j = j, i
    change = beside(occupied, near, j) - beside(occupied, near, i)
    for k in range(near.shape[1]):
        change -= near[j, k] == i
    return i, j, 0, change


@kernel
def move(occupied, fixed, site, other):
    """Carry a proposal out."""
    if fixed:
        occupied[site], occupied[other] = occupied[other], occupied[site]
    else:
        occupied[site] = 1 - occupied[site]


@kernel
def flatten(occupied, totals, near, fixed, count, visits, steps, stream):
    """Wang-Landau: a walk that shuns what it knows. steps: (moves, ln f), where ln f is added to the count of the state
    at every move; a state seen for the first time starts from the count of the one before.
    """
    position = stream[0]
    moves, addition = int(steps[0]), steps[1]
    for k in range(moves):
        i, j, dn, db = propose(occupied, near, fixed, random_word(position, 2 * k))
        n, b = totals[0], totals[1]
        if visits[n + dn, b + db] == 0:
            count[n + dn, b + db] = count[n, b]
        loss = count[n + dn, b + db] - count[n, b]
        if loss <= 0.0 or uniform(position, 2 * k + 1) < math.exp(-loss):
            move(occupied, fixed, i, j)
            n, b = n + dn, b + db
            totals[0], totals[1] = n, b
        count[n, b] += addition
        visits[n, b] += 1
    stream[0] = advanced(position, 2 * moves)


class Walkers(NamedTuple):
    """States of nested sampling, shape (K, n); their totals, (K, 2); labels that order states of the same energy, (K,).
    Where the number of particles is not fixed, each has the energy -mu.
    """

    occupied: Array
    totals: Array
    labels: Array
    fixed: bool
    mu: float


@kernel
def nest(walkers, near, removals, moves, removed, stream):
    """Nested sampling: take away the state of highest energy, and replace it by a copy of another one that has gone
    `moves` moves below that energy. removed: the totals of what was taken away, int64 of shape (removals, 2).
    """
    occupied, totals, labels, fixed, mu = walkers
    k = labels.size
    for r in range(removals):
        position = stream[0]
        worst, ceiling = 0, -np.inf
        for w in range(k):
            energy = -totals[w, 1] - mu * totals[w, 0]
            if energy > ceiling or (energy == ceiling and labels[w] > labels[worst]):
                worst, ceiling = w, energy
        top = labels[worst]
        removed[r, 0], removed[r, 1] = totals[worst, 0], totals[worst, 1]
        other = (worst + 1 + below(random_word(position, 0), k - 1)) % k
        state = occupied[worst]
        for i in range(state.size):  # a slice would compile for as long as the rest
            state[i] = occupied[other, i]
        n, b, label = totals[other, 0], totals[other, 1], labels[other]
        for step in range(moves):
            i, j, dn, db = propose(state, near, fixed, random_word(position, 2 * step + 1))
            new = uniform(position, 2 * step + 2)
            energy = -(b + db) - mu * (n + dn)
            if energy < ceiling or (energy == ceiling and new < top):
                move(state, fixed, i, j)
                n, b, label = n + dn, b + db, new
        totals[worst, 0], totals[worst, 1], labels[worst] = n, b, label
        stream[0] = advanced(position, 2 * moves + 2)


# -- what a count says ---------------------------------------------------------------------------------------------


def states(sites: int, particles: int | None) -> float:
    """Logarithm of the number of all states, or of those with so many particles."""
    if particles is None:
        return sites * math.log(2)
    return float(gammaln(sites + 1) - gammaln(particles + 1) - gammaln(sites - particles + 1))


@cache
def exact_count(side: int) -> Array:
    """Logarithms of the numbers of states of a small lattice, by visiting them all; -inf where there is none."""
    near = neighbourhood("square", side).table()
    n = side * side
    counts = np.empty((2 * n + 1, n + 1), np.int64)
    count_states(near, counts)
    disagreeing, particles = np.nonzero(counts)
    found = np.full((n + 1, 2 * n + 1), -np.inf)
    # Each particle has four bonds: two ends of them at each pair of particles, one at each bond that disagrees.
    found[particles, (4 * particles - disagreeing) // 2] = np.log(counts[disagreeing, particles])
    return found


class Averages(NamedTuple):
    """Per site, of the energy less mu for each particle; shape of the temperatures. log_sum: of all Boltzmann factors;
    error: one over the root of how many states the averages rest on, if the count is a histogram.
    """

    coverage: Array
    energy: Array
    specific_heat: Array
    log_sum: Array


def averages(count: Array, temperature: Array, mu: Array) -> Averages:
    """From a count, at temperatures and chemical potentials of shape (k,)."""
    sites = len(count) - 1
    n, b = np.nonzero(np.isfinite(count))
    energy = -b - np.asarray(mu)[:, None] * n
    exponent = count[n, b] - energy / np.asarray(temperature)[:, None]
    log_sum = log_sum_exp(exponent, 1)
    weight = np.exp(exponent - log_sum[:, None])
    mean = (weight * energy).sum(axis=1)
    variance = (weight * (energy - mean[:, None]) ** 2).sum(axis=1)
    heat = variance / (sites * np.asarray(temperature) ** 2)
    return Averages((weight * n).sum(axis=1) / sites, mean / sites, heat, log_sum)


def by_bonds(count: Array) -> Array:
    """Logarithm of the number of states with 0, 1, ... bonds, whatever their particles; -inf where there is none."""
    return log_sum_exp(count, 0)


def with_particles(count: Array, particles: int) -> Array:
    """The part of a count with so many particles."""
    found = np.full_like(count, -np.inf)
    found[particles] = count[particles]
    return found
