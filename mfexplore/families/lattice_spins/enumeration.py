"""Every state of a few two-valued sites.

States are visited in the order of a Gray code, so that one site changes from each to the next. Averages over all states
come from folding the table of weights: adding its upper half (last site up) to the lower one sums that site out, so all
means together cost no more than reading the table twice, and all pair correlations as much again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import exp
from mfexplore.numerics.kernel import kernel


@kernel
def count_states(neighbours, counts):
    """Density of states of +-1 on a graph: counts[b, m] += 1 for every state with b disagreeing bonds and m sites up.

    neighbours: int32 of shape (n, coordination), every bond listed at both ends; counts: int64 of shape
    (bonds + 1, n + 1), overwritten.
    """
    n, coordination = neighbours.shape
    spins = np.full(n, -1, np.int64)
    counts[:] = 0
    disagreeing, up = 0, 0
    counts[0, 0] = 1
    for step in range(1, 1 << n):
        site, rest = 0, step
        while rest & 1 == 0:
            rest >>= 1
            site += 1
        local = 0
        for k in range(coordination):
            local += spins[neighbours[site, k]]
        disagreeing += spins[site] * local
        up -= spins[site]
        spins[site] = -spins[site]
        counts[disagreeing, up] += 1


@kernel
def quadratic_form(couplings, out):
    """sum_{i<j} J_ij s_i s_j of every state of n sites with s_{n-1} = -1, at its number in binary (bit i set: s_i = 1).

    couplings: shape (n, n), symmetric, zero diagonal; out: shape (2^(n-1),), overwritten.
    """
    n = couplings.shape[0]
    spins = np.full(n, -1.0)
    local = np.zeros(n)
    value = 0.0
    for i in range(n):
        for j in range(n):
            local[i] -= couplings[i, j]
        value -= 0.5 * local[i]
    number = 0
    out[0] = value
    for step in range(1, 1 << (n - 1)):
        site, rest = 0, step
        while rest & 1 == 0:
            rest >>= 1
            site += 1
        value -= 2.0 * spins[site] * local[site]
        spins[site] = -spins[site]
        for j in range(n):
            local[j] += 2.0 * spins[site] * couplings[j, site]
        number ^= 1 << site
        out[number] = value


@kernel
def fold_means(weights, bits, means):
    """Put the sum over states of weight * s_i for i < bits into `means`; return the sum of all weights.

    weights: shape (2^bits,), destroyed.
    """
    half = weights.size
    for i in range(bits - 1, -1, -1):
        half >>= 1
        difference = 0.0
        lower, upper = weights[:half], weights[half : 2 * half]
        for k in range(half):
            difference += upper[k] - lower[k]
            lower[k] += upper[k]
        means[i] = difference
    return weights[0]


@kernel
def fold_pairs(weights, bits, means, pairs, work):
    """The same with all pair averages: pairs[i, j] = sum of weight * s_i s_j. work: scratch, shape (2^bits,)."""
    half = weights.size
    for i in range(bits - 1, -1, -1):
        half >>= 1
        lower, upper = weights[:half], weights[half : 2 * half]
        for k in range(half):
            work[k] = upper[k] - lower[k]
            lower[k] += upper[k]
        means[i] = fold_means(work[:half], i, pairs[i])
        pairs[i, i] = 0.0
    total = weights[0]
    for i in range(bits):
        pairs[i, i] = total
        for j in range(i):
            pairs[j, i] = pairs[i, j]
    return total


@kernel
def boltzmann(energies, beta, lowest, weights):
    """Put e^(-beta (energy - lowest)) into `weights`, element by element."""
    for k in range(energies.size):
        weights[k] = exp(-beta * (energies[k] - lowest))


@kernel
def coupled(couplings, total, beta, field, weights, work, means, pairs):
    """Thermal averages of n spins in a field: means and connected correlations into the last two; returns ln Z.

    couplings: sum_{i<j} J_ij s_i s_j of the states with the last spin down (see `quadratic_form`); total: the sum of
    their spins; both of shape (2^(n-1),). weights: scratch, shape (2^n,); work: scratch, shape (2^(n-1),).
    """
    half, top = total.size, -np.inf
    for k in range(half):
        top = max(top, couplings[k] + abs(field * total[k]))
    mirror = weights[half:][::-1]  # all spins turned: the same couplings, the opposite sum
    for k in range(half):
        weights[k] = exp(beta * (couplings[k] + field * total[k] - top))
        mirror[k] = exp(beta * (couplings[k] - field * total[k] - top))
    n = means.size
    z = fold_pairs(weights, n, means, pairs, work)
    for i in range(n):
        means[i] /= z
    for i in range(n):
        for j in range(n):
            pairs[i, j] = pairs[i, j] / z - means[i] * means[j]
    return np.log(z) + beta * top


def averages(counts: NDArray[Any], temperature: float, field: float) -> dict[str, float]:
    """Thermal averages per site from a density of states (see `count_states`; coupling 1, temperature >= 0)."""
    n, bonds = counts.shape[1] - 1, counts.shape[0] - 1
    m = (2 * np.arange(n + 1) - n) / n
    e = (2 * np.arange(bonds + 1) - bonds)[:, None] / n - field * m
    lowest = e[counts > 0].min()
    t = temperature
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = counts * np.exp(-np.nan_to_num((e - lowest) * n / np.float64(t), nan=0.0))
    z = weight.sum()
    weight /= z
    energy = float((weight * e).sum())
    free_energy = lowest - t * math.log(z) / n
    squared, fourth = float((weight * m**2).sum()), float((weight * m**4).sum())
    return {
        "magnetization": float((weight * m).sum()),
        "absolute_magnetization": float((weight * np.abs(m)).sum()),
        "energy": energy,
        "specific_heat": n * float((weight * (e - energy) ** 2).sum()) / t**2 if t > 0 else 0.0,
        "free_energy": free_energy,
        "entropy": (energy - free_energy) / t if t > 0 else math.log(z) / n,
        "binder_ratio": squared**2 / fourth,
    }
