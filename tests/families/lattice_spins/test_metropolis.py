"""Single-spin updates against sums over all states."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.lattice_spins.enumeration import averages, count_states
from mfexplore.families.lattice_spins.metropolis import metropolis, sums
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.space.lattices import neighbourhood


def test_averages_are_exact() -> None:
    """A triangular lattice in a field, from the probabilities to flip of Metropolis' rule."""
    temperature, field, draws = 3.0, 0.2, 40_000
    place = neighbourhood("triangular", 3)
    table = place.table()
    spins, stream = np.ones(9, np.int8), new_stream(np.random.default_rng(1))
    local = 2 * (np.arange(13) - 6 + field)
    acceptance = 0.9 * np.minimum(1, np.exp(np.stack([local, -local]) / temperature))
    energy, m = np.empty(draws), np.empty(draws)
    for k in range(draws):
        metropolis(spins, place.kinds, place.shifts, acceptance, 1, stream)
        total, bonds = sums(spins, place.kinds, place.shifts)
        energy[k], m[k] = -bonds / 9 - field * total / 9, total / 9
    assert (total, bonds) == (spins.sum(), (spins[:, None] * spins[table]).sum() / 2)
    counts = np.empty((table.size // 2 + 1, 10), np.int64)
    count_states(table, counts)
    exact = averages(counts, temperature, field)
    for name, values in (("energy", energy), ("magnetization", m)):
        blocks = values.reshape(100, -1).mean(axis=1)
        error = blocks.std(ddof=1) / math.sqrt(100)
        assert blocks.mean() == pytest.approx(exact[name], abs=4 * error)
