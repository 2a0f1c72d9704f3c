"""Spins 1/2 with Heisenberg exchange between any of them: S_i . S_j = P_ij / 2 - 1/4, where P_ij trades their states.

States of a sector (so many of n spins up) are numbered in the order of their bits; turning all spins of half-filled
ones reverses that order.
"""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.lanczos import lowest_eigenpair


@kernel
def add_exchanged(strengths, pairs, exchanged, vector, out):
    """Add sum_k strengths_k P_k vector to `out`, where P_k trades the states of pair pairs_k: `Sector.exchanged`. Two
    pairs at a time, and numbers without a sign: half the time.
    """
    for k in range(0, pairs.size, 2):
        last = min(k + 1, pairs.size - 1)
        one, other = exchanged[pairs[k]], exchanged[pairs[last]]
        strength, another = strengths[k], strengths[last] if last > k else 0.0
        for i in range(out.size):
            out[i] += strength * vector[one[i]] + another * vector[other[i]]


@kernel
def exchanged_products(exchanged, vector, out):
    """Write the scalar product of the vector with P_k vector into out[k], for every pair."""
    for k in range(out.size):
        table, total = exchanged[k], 0.0
        for i in range(vector.size):
            total += vector[i] * vector[table[i]]
        out[k] = total


class Sector:
    """All states of `sites` spins of which `up` are up. states: their bits, int64 of shape (n,), ascending."""

    def __init__(self, sites: int, up: int) -> None:
        bits = np.arange(1 << sites)
        self.sites = sites
        self.states = bits[np.bitwise_count(bits) == up]

    @cached_property
    def exchanged(self) -> Array:
        """The number of the state with the spins of a pair traded, uint32 of shape (pairs, n); see `pairs`."""
        number = np.empty(1 << self.sites, np.uint32)
        number[self.states] = np.arange(len(self.states), dtype=np.uint32)
        tables = []
        for i, j in zip(*self.pairs, strict=True):
            differ = (self.states >> i ^ self.states >> j) & 1
            tables.append(number[self.states ^ (differ << i | differ << j)])
        return np.array(tables)

    @cached_property
    def pairs(self) -> tuple[Array, Array]:
        """The pairs i < j, as two arrays of shape (sites (sites - 1) / 2,)."""
        return np.triu_indices(self.sites, 1)

    def exchange(self, couplings: Array, vector: Array) -> Array:
        """sum_{i<j} J_ij S_i . S_j applied to a vector of shape (n,). couplings: J, symmetric, shape (sites, sites)."""
        strengths = couplings[self.pairs]
        found = -0.25 * strengths.sum() * vector
        pairs = np.flatnonzero(strengths)
        add_exchanged(0.5 * strengths[pairs], pairs, self.exchanged, vector, found)
        return np.asarray(found)

    def matrix(self, couplings: Array) -> Array:
        """The same as a matrix of shape (n, n)."""
        n = len(self.states)
        found = np.zeros((n, n))
        rows = np.arange(n)
        for strength, table in zip(couplings[self.pairs], self.exchanged, strict=True):
            found[rows, table] += 0.5 * strength
            found[rows, rows] -= 0.25 * strength
        return found

    def correlations(self, vector: Array) -> Array:
        """<S_i . S_j> in a normalised state, shape (sites, sites); 3/4 on the diagonal."""
        products = np.empty(len(self.exchanged))
        exchanged_products(self.exchanged, vector, products)
        found = np.diag(np.full(self.sites, 0.375))
        found[self.pairs] = 0.5 * products - 0.25
        return np.asarray(found + found.T)

    def ground_state(
        self, couplings: Array, rng: np.random.Generator, tolerance: float = 1e-12
    ) -> tuple[float, float, Array]:
        """Lowest energy of this sector, distance of the next level, and the state, by the Lanczos method.

        couplings: as for `exchange`; rng: draws the start; tolerance: see `lowest_eigenpair`.
        """
        start = rng.standard_normal(len(self.states))
        levels, vector = lowest_eigenpair(lambda state: self.exchange(couplings, state), start, tolerance)
        return float(levels[0]), float(levels[1] - levels[0]), vector


@cache
def half_filled(sites: int) -> Sector:
    """The states of an even number of spins with as many up as down; every multiplet has one of them."""
    return Sector(sites, sites // 2)
