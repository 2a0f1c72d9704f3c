"""Single-spin updates on any lattice, site after site.

spins: +-1, int8 of shape (n,); kinds, shifts: the neighbours, see `lattices.Neighbourhood`.
"""

from __future__ import annotations

import numpy as np

from mfexplore.numerics.chance.random import advanced, uniform
from mfexplore.numerics.kernel import kernel


@kernel
def metropolis(spins, kinds, shifts, acceptance, sweeps, stream):
    """Update every spin `sweeps` times in order. acceptance: probability to flip, by [spin up][sum of neighbours]."""
    coordination = shifts.shape[1]
    for _ in range(sweeps):
        position = stream[0]
        for i in range(spins.size):
            kind = np.int64(kinds[i])
            total = coordination
            for k in range(coordination):
                total += spins[i + shifts[kind, k]]
            value = spins[i]
            flips = uniform(position, i) < acceptance[1 if value > 0 else 0, total]
            spins[i] = -value if flips else value
        stream[0] = advanced(position, spins.size)


@kernel
def sums(spins, kinds, shifts):
    """(sum of the spins, sum over bonds of the product of their ends)."""
    total, bonds = np.int64(0), np.int64(0)
    for i in range(spins.size):
        kind = np.int64(kinds[i])
        local = 0
        for k in range(shifts.shape[1]):
            local += spins[i + shifts[kind, k]]
        total += spins[i]
        bonds += spins[i] * local
    return total, bonds // 2
