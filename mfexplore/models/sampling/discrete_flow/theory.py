"""What a flow that unmasks spins can know: entropies of all sets of spins of a small torus, a table of neighbours."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.special import gammaln

from mfexplore.core import Array
from mfexplore.families.lattice_spins.planar import torus_averages
from mfexplore.numerics.functions.elementary import log
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.space.lattices import neighbourhood

SMALL = 3, 4  # sides of the tori whose states are all summed
COLDEST = 1e-9  # probability below which a state does not matter


def summed_side(side: int) -> int:
    """Side of the torus whose entropies stand for one of this side."""
    return min(side, SMALL[-1])


@cache
def energies(side: int) -> Array:
    """Energy of every state of a small torus, at its number in binary (bit i set: spin i is up)."""
    n = side * side
    states = np.arange(2**n, dtype=np.int64)
    spins = [2 * ((states >> i) & 1).astype(np.int8) - 1 for i in range(n)]
    table = neighbourhood("square", side).table()
    total = np.zeros(2**n, np.int16)
    for i in range(n):
        for k in (0, 2):  # every bond once: to the right and down
            total -= spins[i] * spins[table[i, k]]
    return total


@cache
def probabilities(side: int, temperature: float) -> Array:
    """Of every state, in the same order."""
    e = energies(side)
    weight = np.exp(-(e - e.min()) / temperature)
    found: Array = weight / weight.sum()
    return found


@cache
def alike(side: int) -> Array:
    """How many sets of spins look like each, with the last spin in all of them; shape (2^(N - 1),).

    Turned and mirrored sets have the same entropy: all are counted at the lowest of their numbers, 0 at the others.
    """
    row, column = (np.divmod(np.arange(side * side), side)[k] - (side - 1) for k in (0, 1))
    numbers = np.arange(2 ** (side * side - 1))
    lowest = numbers.copy()
    for one, other in ((row, column), (column, row)):
        for first, second in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            image = (first * one - 1) % side * side + (second * other - 1) % side
            turned = np.zeros_like(numbers)
            for spin, target in enumerate(image[:-1]):
                turned |= ((numbers >> spin) & 1) << target
            lowest = np.minimum(lowest, turned)
    return np.bincount(lowest, minlength=len(numbers))


@kernel
def subset_entropies(p, sites, alike, out):
    """Sum of the entropies of all sets of the remaining `sites` spins into out[size of the set].

    p: shape (2^sites,). Spins are taken from the last to the first; a set that leaves one out sums over it, one that
    keeps it does nothing. Sets come in binary order, so that only what changed is summed again; see `alike`.
    """
    levels = np.empty((sites + 1, p.size))
    for k in range(p.size):
        levels[0, k] = p[k]
    source = np.zeros(sites + 1, np.int64)  # which level holds the sums after so many decisions
    kept = np.zeros(sites + 1, np.int64)
    change = 0
    for number in range(1 << sites):
        if alike[number]:
            for depth in range(change, sites):
                if (number >> (sites - 1 - depth)) & 1:
                    source[depth + 1], kept[depth + 1] = source[depth], kept[depth] + 1
                    continue
                here, there = levels[source[depth]], levels[depth + 1]
                block = 1 << (sites - 1 - depth)
                for high in range(1 << kept[depth]):
                    for low in range(block):
                        at = 2 * high * block + low
                        there[high * block + low] = here[at] + here[at + block]
                source[depth + 1], kept[depth + 1] = depth + 1, kept[depth]
            last = levels[source[sites]]
            entropy = 0.0
            for k in range(1 << kept[sites]):
                entropy -= last[k] * log(max(last[k], 1e-300))
            out[kept[sites]] += alike[number] * entropy
            change = sites
        turn, rest = 0, number
        while rest & 1:
            rest >>= 1
            turn += 1
        change = min(change, max(0, sites - 1 - turn))


@cache
def mean_entropies(side: int, temperature: float) -> Array:
    """Mean entropy of all sets of k spins of a small torus, k = 0 .. N; shape (N + 1,).

    On a torus every spin is like the last, so that sets with it, up, tell of all; its sign adds ln 2.
    """
    n = side * side
    up = np.ascontiguousarray(2 * probabilities(side, temperature)[2 ** (n - 1) :])
    sums = np.zeros(n)
    subset_entropies(up, n - 1, alike(side), sums)
    k = np.arange(n)
    counts = np.exp(gammaln(n) - gammaln(k + 1) - gammaln(n - k))
    return np.concatenate([[0.0], math.log(2) + sums / counts])


def uncertainty(side: int, temperature: float, known: Array) -> Array:
    """Eq. (2): entropy of a spin if each of the others is known with these probabilities; shape of `known`."""
    h = mean_entropies(side, temperature)
    n = side * side
    k = np.arange(n)
    x = np.asarray(known, np.float64)[..., None]
    logs = gammaln(n) - gammaln(k + 1) - gammaln(n - k)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.exp(logs) * x**k * (1 - x) ** (n - 1 - k)
    found: Array = weight @ np.diff(h)
    return found


@cache
def crosses(side: int, temperature: float) -> Array:
    """Probability that a spin is up, with the states of its four neighbours: shape (16,)."""
    n = side * side
    states = np.arange(2**n, dtype=np.int64)
    p = probabilities(side, temperature)
    around = np.zeros(2**n, np.int64)
    for k, other in enumerate(neighbourhood("square", side).table()[0]):
        around |= ((states >> int(other)) & 1) << k
    up = (states & 1).astype(bool)
    found: Array = np.bincount(around[up], p[up], 16)
    return found


@cache
def known_neighbours(side: int, temperature: float) -> Array:
    """Joint probability of a spin and of what is known of its neighbours, of a random choice among the sets of u + d:
    shape (5, 5, 2) by neighbours known to be up and down, and the spin down or up.
    """
    up = crosses(side, temperature)
    down = up[::-1]  # all spins turned
    found = np.zeros((5, 5, 2))
    for shown in range(16):
        total = bin(shown).count("1")
        for state in range(16):
            ups = bin(shown & state).count("1")
            share = 1 / math.comb(4, total)
            found[ups, total - ups] += share * down[state], share * up[state]
    return found


@cache
def learnt_odds(temperature: float) -> Array:
    """The table, learnt on the 4 x 4 torus: log-odds of up, by neighbours known to be up and down; shape (5, 5)."""
    joint = known_neighbours(4, temperature)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(joint[..., 1]) - np.log(joint[..., 0])
    return np.nan_to_num(odds, nan=0.0, posinf=700.0, neginf=-700.0)


def carried_odds(learnt_at: float, temperature: float) -> Array:
    """The table at another temperature: a field of given size, so odds in proportion to 1/T."""
    return learnt_odds(learnt_at) * (learnt_at / temperature)


def local_uncertainty(side: int, temperature: float, learnt_at: float, known: Array) -> Array:
    """Mean surprise at a spin if the table is asked, each of its neighbours being known with these probabilities."""
    joint = known_neighbours(side, temperature)
    odds = carried_odds(learnt_at, temperature)
    surprise = joint[..., 1] * np.logaddexp(0, -odds) + joint[..., 0] * np.logaddexp(0, odds)
    x = np.asarray(known, np.float64)[..., None]
    by_count = np.array([sum(surprise[u, c - u] for u in range(c + 1)) for c in range(5)])
    c = np.arange(5)
    weight = np.array([math.comb(4, k) for k in c]) * x**c * (1 - x) ** (4 - c)
    found: Array = weight @ by_count
    return found


def divergence(surprises: Array, side: int, temperature: float) -> float:
    """Eq. (3) per spin, from the mean surprises at the beginnings of the steps, for a small torus."""
    return float(np.mean(surprises)) - mean_entropies(side, temperature)[-1] / side**2


def divergence_of_halves(side: int, temperature: float, first: tuple[int, ...]) -> float:
    """Of two steps, of which the first unmasks always the same spins: the dependence among them, and among the others
    once they are known.
    """
    n = side * side
    p = probabilities(side, temperature).reshape((2,) * n)[..., None]  # axis j is spin n - 1 - j

    def entropy(spins: tuple[int, ...]) -> float:
        q = p.sum(axis=tuple(n - 1 - i for i in range(n) if i not in spins))
        return float(-(q * np.log(np.maximum(q, 1e-300))).sum())

    second = tuple(i for i in range(n) if i not in first)
    known, whole = entropy(first), entropy(tuple(range(n)))
    alone = sum(entropy((i,)) for i in first) - known
    return alone + sum(entropy((*first, i)) - known for i in second) - (whole - known)


@cache
def ising(side: int, temperature: float) -> dict[str, float]:
    """Energy, free energy and entropy per spin, exact: by sums where they are known, else by Kaufman's formula."""
    if side in SMALL:
        e, p = energies(side), probabilities(side, temperature)
        n = side * side
        energy = float(p @ e) / n
        entropy = float(mean_entropies(side, temperature)[-1]) / n
        return {"energy": energy, "entropy": entropy, "free_energy": energy - temperature * entropy}
    found = torus_averages(side, temperature)
    return {name: float(found[name]) for name in ("energy", "entropy", "free_energy")}


def levels(side: int, temperature: float) -> tuple[Array, Array]:
    """(numbers of bonds whose ends disagree, their probabilities) of a small torus."""
    broken = side * side + energies(side).astype(np.int64) // 2
    weights = np.bincount(broken, probabilities(side, temperature))
    possible = np.bincount(broken) > 0
    return np.flatnonzero(possible).astype(np.float64), weights[possible]
