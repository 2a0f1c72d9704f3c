"""One fixed set of couplings, and the energies of all its states."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from mfexplore.core import Array
from mfexplore.families.lattice_spins.enumeration import quadratic_form

ENUMERABLE = 20  # spins whose states are all summed over


@lru_cache(maxsize=32)
def instance(kind: str, size: int, patterns: int, sample: int) -> tuple[Array, Array]:
    """(structured couplings at J = 1, uniform ones at J_0 = 1), each of shape (size, size) with zero diagonal."""
    rng = np.random.default_rng([sample, size])
    uniform = np.full((size, size), 1 / size)
    if kind == "sk":
        couplings = np.triu(rng.normal(0, 1 / math.sqrt(size), (size, size)), 1)
        couplings += couplings.T
    elif kind == "hopfield":
        memories = np.where(rng.random((patterns, size)) < 0.5, -1.0, 1.0)
        couplings = memories.T @ memories / size
    elif kind == "ferromagnet":
        distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
        couplings = np.where(np.minimum(distance, size - distance) <= 2, 0.25, 0.0)
    else:
        half = size // 2
        couplings = np.zeros((size, size))
        couplings[:half, half:] = rng.normal(0, math.sqrt(2 / size), (half, size - half))
        couplings += couplings.T
        uniform = np.where(couplings != 0, 2 / size, 0.0)
    for matrix in (couplings, uniform):
        np.fill_diagonal(matrix, 0)
        matrix.flags.writeable = False
    return couplings, uniform


@lru_cache(maxsize=4)
def spectrum(kind: str, size: int, patterns: int, sample: int) -> tuple[Array, Array, Array]:
    """Over all states with the last spin down: sums of J_ij s_i s_j, of the uniform couplings, and of the spins."""
    found = [np.empty(2 ** (size - 1)) for _ in range(2)]
    for matrix, out in zip(instance(kind, size, patterns, sample), found, strict=True):
        quadratic_form(matrix, out)
    up = np.zeros(1, np.int64)
    for _ in range(size - 1):
        up = np.concatenate([up, up + 1])
    return found[0], found[1], (2 * up - size).astype(np.float64)
