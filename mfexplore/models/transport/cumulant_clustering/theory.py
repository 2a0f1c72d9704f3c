"""Cumulants of an Ising chain and of quenched free fermions, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from mfexplore.core import Array
from mfexplore.numerics.matrices.blas import one_blas_thread

DISTANCES = np.arange(2, 25)
MEASURED = 12  # distances at which a run measures
MODES = 4096  # wave numbers for an infinite chain


def ising(temperature: Array | float, field: Array | float) -> tuple[Array, Array]:
    """(m, q) of eq. (3)."""
    k, sinh = 1 / np.asarray(temperature), np.sinh(field)
    # Both eigenvalues over e^K cosh h, so that nothing overflows.
    root = np.sqrt(np.tanh(field) ** 2 + np.exp(-4 * k) / np.cosh(field) ** 2)
    return sinh / np.sqrt(sinh**2 + np.exp(-4 * k)), (1 - root) / (1 + root)


def cumulants(moments: Mapping[str, Any], m: Any) -> tuple[Any, Any, Any]:
    """(u_4 of eq. (1), kappa_4 of eq. (2), the same in interleaved order) of spins 0, 1, r, r + 1.

    moments: "near" <s_0 s_1>, "same" <s_0 s_r>, "far" <s_0 s_(r+1)>, "close" <s_1 s_r>, "triples" (the sum of all four)
    and "all"; of each whatever can be added and multiplied.
    """
    near, same, far, close = (moments[name] for name in ("near", "same", "far", "close"))
    pairs = 2 * near + 2 * same + far + close
    centred = moments["all"] - m * moments["triples"] + m**2 * pairs - 3 * m**4
    near, same, far, close = (value - m**2 for value in (near, same, far, close))
    free = centred - far * close
    return free - near**2 + far * close - same**2 - far * close, free - near**2, free - same**2


def exact_moments(m: float, q: float) -> dict[str, Polynomial]:
    """Moments of an Ising chain as polynomials in q^(r-1), so that what does not depend on r can cancel exactly."""
    x, s2 = Polynomial([0.0, 1.0]), 1 - m * m
    near, mixed = Polynomial([m * m + s2 * q]), m * (1 - q)  # a pair, and how it turns one eigenvector into the other
    triples = 2 * (m * near + mixed * s2 * x) + 2 * (m * near + mixed * s2 * q * x)
    return {
        "near": near, "same": m * m + s2 * q * x, "far": m * m + s2 * q * q * x, "close": m * m + s2 * x,
        "triples": triples, "all": near**2 + mixed**2 * s2 * x,
    }  # fmt: skip


def decays(temperature: float, field: float) -> Array:
    """|C_2|, |u_4|, |kappa_4| and the interleaved |kappa_4| at DISTANCES, shape (4, n)."""
    m, q = (float(value) for value in ising(temperature, field))
    x = q ** (DISTANCES - 1.0)
    ursell, free, crossed = cumulants(exact_moments(m, q), m)
    grouped = [sum(c * x ** (k + 1) for k, c in enumerate(one.coef[1:])) + 0 * x for one in (ursell, free)]
    return np.abs(np.array([(1 - m * m) * q * x, *grouped, crossed(x)]))


def draw_chain(temperature: float, field: float, sites: int, rng: np.random.Generator) -> Array:
    """A stretch of an Ising chain, without a burn-in: runs of equal spins have geometric lengths. Shape (sites,)."""
    m, q = (float(value) for value in ising(temperature, field))
    turns = np.maximum(np.array([1 - m, 1 + m]) / 2 * (1 - q), 1e-12)  # probability that after up, down comes the other
    first = int(rng.random() < (1 - m) / 2)
    pieces: list[Array] = []
    length, runs = 0, 64 + 2 * int(sites * turns.min())
    while length < sites:
        which = (first + np.arange(2 * runs)) % 2
        pieces.append(np.repeat(1.0 - 2 * which, np.minimum(rng.geometric(turns[which]), sites)))
        length += len(pieces[-1])
    return np.concatenate(pieces)[:sites]


def products(spins: Array) -> Array:
    """Means of what `cumulants` wants over all places of a stretch: shape (7, MEASURED - 1), the mean spin last."""
    pair, n = spins[:-1] * spins[1:], len(spins) - MEASURED - 1
    found = np.empty((7, MEASURED - 1))
    with one_blas_thread():
        for k, r in enumerate(range(2, MEASURED + 1)):
            a, b, c, d = spins[:n], spins[1 : n + 1], spins[r : n + r], spins[r + 1 : n + r + 1]
            left, right = pair[:n], pair[r : n + r]
            triples = left @ c + left @ d + right @ a + right @ b
            found[:, k] = left.sum(), a @ c, a @ d, b @ c, triples, left @ right, spins[: n + 1].mean() * n
    return found / n


def propagators(times: Array, temperature: float, modes: int) -> tuple[Array, Array]:
    """Both factors of eq. (4) on a ring of `modes` sites, shape (times, modes), by distance."""
    energy = np.cos(2 * np.pi * np.arange(modes) / modes)
    filled = 1 / (np.exp(energy / temperature) + 1)
    phase = np.exp(1j * np.multiply.outer(times, energy))
    return np.fft.ifft(filled * phase, axis=1), np.fft.ifft((1 - filled) * phase.conj(), axis=1)


def ring_sum(factors: Array) -> Array:
    """Connected correlation of four densities: minus all rings of contractions. factors: shape (4, 4, ...)."""
    rings = [
        factors[0, a] * factors[a, b] * factors[b, c] * factors[c, 0] for a, b, c in itertools.permutations((1, 2, 3))
    ]
    return np.asarray(-np.sum(rings, axis=0))


def along_ray(velocity: float, times: Array, temperature: float, modes: int) -> tuple[Array, Array]:
    """C_2(vt, t) and u_4 of spins at 0, 1 (late) and r, r + 1 (early), r the site next to vt: complex, (n,)."""
    there, back = propagators(times, temperature, modes)
    start, empty = propagators(np.zeros(1), temperature, modes)
    r, row = np.rint(velocity * times).astype(int), np.arange(len(times))
    g = np.empty((4, 4, len(times)), complex)
    place = (0, 1, r, r + 1)
    for i, j in itertools.product(range(4), repeat=2):
        distance = (place[j] - place[i]) % modes
        late_i, late_j = i < 2, j < 2
        if late_i == late_j:
            table = start if i <= j else -empty
            g[i, j] = table[0, distance if i <= j else -distance % modes]
        elif late_i:
            g[i, j] = there[row, distance]
        else:
            g[i, j] = -back[row, -distance % modes]
    return there[row, r % modes] * back[row, r % modes], ring_sum(g)
