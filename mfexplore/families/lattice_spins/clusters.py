"""Cluster updates of two-valued sites on a periodic lattice.

Both join equal neighbours with a probability that belongs to the bond between them: one for all bonds of a direction,
or one for every bond of the lattice. The single-cluster update (Wolff 1989) grows one cluster from a random
site and turns it; the other (Swendsen and Wang 1987) cuts the whole lattice into clusters and turns each with
probability 1/2. A field enters through the clusters' sums, exactly.

Measure after a fixed number of clusters. Stopping once enough sites have turned makes the stopping time depend on the
state (large clusters end a round early), and that biases every average.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.chance.random import advanced, random_word, uniform
from mfexplore.numerics.kernel import inline_kernel, kernel


def joining(probability: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Probabilities in [0, 1] as the kernels want them, of the same shape."""
    return (np.clip(probability, 0.0, 1.0) * 2.0**32).astype(np.uint64)


@kernel
def single_clusters(spins, kinds, shifts, joins_below, field, clusters, members, stream):
    """Grow and turn `clusters` clusters, one after the other (Wolff).

    Args:
        spins: +-1, int8 of shape (n,), overwritten. kinds, shifts: the neighbours, see `lattices.Neighbourhood`.
        joins_below: with which probability an equal neighbour joins, see `joining`; shape (coordination,) by direction,
            or (n, coordination) by site and direction, where a bond stands at both of its ends.
        field: gain of a site that agrees with it, over temperature; a cluster of k sites s is turned with probability
            min(1, e^(-2 field s k)).
        members: scratch, int32 of shape (n + 1,), begins with the last cluster.
        stream: see `numerics.chance.random`.

    Returns (sites turned, size of the last cluster).
    """
    n, coordination = spins.size, shifts.shape[1]
    position = stream[0]
    drawn = 0
    turned = 0
    size = 0
    for _ in range(clusters):
        seed = np.int64(((random_word(position, drawn) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
        drawn += 1
        old = spins[seed]
        new = np.int8(-old)
        spins[seed] = new
        members[0] = seed
        first, size = 0, 1
        # First come, first served: whoever is next is known long before, so the processor looks after several members
        # at a time. The last to come would have to be waited for.
        while first < size:
            site = np.int64(members[first])
            first += 1
            kind = np.int64(kinds[site])
            for k in range(coordination):
                if k % 2 == 0:
                    word = random_word(position, drawn)
                    drawn += 1
                # Without a branch: whether a neighbour joins cannot be foreseen, and a wrong guess costs 15 draws.
                other = site + shifts[kind, k]
                value = spins[other]
                limit = joins_below[k] if joins_below.ndim == 1 else joins_below[site, k]
                joins = (value == old) & ((word & np.uint64(0xFFFFFFFF)) < limit)
                word >>= np.uint64(32)
                spins[other] = new if joins else value
                members[size] = other
                size += joins
        loss = 2.0 * field * old * size
        if loss > 0.0:
            refused = uniform(position, drawn) >= math.exp(-loss)
            drawn += 1
            if refused:
                for k in range(size):
                    spins[members[k]] = old
                continue
        turned += size
    stream[0] = advanced(position, drawn)
    return turned, size


@inline_kernel
def root_of(parent, site):
    """Root of a site's tree, halving the path on the way."""
    while parent[site] != site:
        parent[site] = parent[parent[site]]
        site = parent[site]
    return site


@kernel
def weigh(parent, weight):
    """Write the sizes of all clusters to their roots, which have the lowest numbers; returns the largest size."""
    weight[:] = 0
    largest = 0
    for site in range(parent.size):
        root = parent[parent[site]]
        parent[site] = root
        weight[root] += 1
        largest = max(largest, weight[root])
    return largest


@kernel
def all_clusters(spins, kinds, shifts, joins_below, field, updates, forest, stream):
    """Cut the lattice into clusters and give each a new value, `updates` times (Swendsen and Wang).

    A cluster of k sites becomes +1 with probability 1 / (1 + e^(-2 field k)). Arguments as for `single_clusters`;
    forest: int32 of shape (2, n), scratch: parents and sizes. Returns the size of the last update's largest cluster.
    """
    parent, weight = forest[0], forest[1]
    n, coordination = spins.size, shifts.shape[1]
    largest = 0
    beside = np.full(shifts.shape[0], -1)  # by kind of site: the direction of the site before, if that is a neighbour
    for kind in range(shifts.shape[0]):
        for k in range(coordination):
            if shifts[kind, k] == -1:
                beside[kind] = k
    for update in range(updates):
        position = stream[0]
        drawn = 0
        last = np.int64(0)
        for site in range(n):  # every bond is met at the later of its ends, which has no tree of its own yet
            value = spins[site]
            kind = np.int64(kinds[site])
            mine = np.int64(site)
            back = beside[kind]
            if back >= 0:  # without a branch, see above; the site before has just found its root
                limit = joins_below[back] if joins_below.ndim == 1 else joins_below[site, back]
                joins = (spins[site - 1] == value) & ((random_word(position, drawn) >> np.uint64(32)) < limit)
                mine = last if joins else mine
                drawn += 1
            for k in range(coordination):
                shift = shifts[kind, k]
                if shift < -1 and spins[site + shift] == value:
                    limit = joins_below[k] if joins_below.ndim == 1 else joins_below[site, k]
                    if (random_word(position, drawn) >> np.uint64(32)) < limit:
                        theirs = np.int64(root_of(parent, site + shift))
                        # The lower number stays the root, so one pass in order finds every root.
                        if theirs < mine:
                            parent[mine] = theirs
                            mine = theirs
                        elif theirs > mine:
                            parent[theirs] = mine
                    drawn += 1
            parent[site] = mine
            last = mine
        if field != 0.0 or update == updates - 1:
            largest = weigh(parent, weight)
        for site in range(n):
            root = parent[parent[site]]
            parent[site] = root
            if root == site:
                up = 0.5
                if field != 0.0:
                    up = 1.0 / (1.0 + math.exp(-2.0 * field * weight[site]))
                spins[site] = 1 if uniform(position, drawn) < up else -1
                drawn += 1
            else:
                spins[site] = spins[root]
        stream[0] = advanced(position, drawn)
    return largest
