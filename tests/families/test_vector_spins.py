"""Unit vectors: heat bath against the closed form of two spins, descent to a state of rest, reflections."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.vector_spins import descend, heat_bath, random_directions
from mfexplore.numerics.chance.random import new_stream

PAIR = np.array([[1], [0]])


@pytest.mark.parametrize("reflections", [0, 1])
@pytest.mark.parametrize(("coupling", "temperature"), [(1.0, 0.5), (-1.0, 0.3), (1.0, 4.0)])
def test_two_spins_have_the_langevin_function(
    coupling: float, temperature: float, reflections: int, rng: np.random.Generator
) -> None:
    spins, stream = random_directions(2, rng), new_stream(rng)
    found = np.empty((20_000, 2))
    for row in found:
        heat_bath(spins, PAIR, np.full((2, 1), coupling), temperature, reflections, 1, stream)
        row[:] = spins[0] @ spins[1], spins[0, 2]
    blocks = found.reshape(50, -1, 2).mean(axis=1)
    mean, error = blocks.mean(axis=0), blocks.std(axis=0, ddof=1) / math.sqrt(50)
    x = coupling / temperature
    assert mean[0] == pytest.approx(1 / x - 1 / math.tanh(x), abs=4 * error[0])
    assert mean[1] == pytest.approx(0, abs=4 * error[1])
    np.testing.assert_allclose(np.linalg.norm(spins, axis=1), 1)


def test_descent_ends_where_every_spin_lies_in_its_field(rng: np.random.Generator) -> None:
    n = 12
    neighbours = (np.arange(n)[:, None] + [1, -1]) % n
    spins = random_directions(n, rng)
    torque, sweeps = descend(spins, neighbours, np.ones((n, 2)), 1.8, 1e-10, 5000)
    assert torque <= 1e-10
    assert sweeps < 5000
    field = -spins[neighbours].sum(axis=1)
    np.testing.assert_allclose(np.cross(spins, field), 0, atol=1e-9)
    assert (np.sum(spins * field, axis=1) > 0).all()


def test_reflections_keep_the_energy(rng: np.random.Generator) -> None:
    """So cold that the heat bath does nothing to spins that lie in their fields, all is left as it is."""
    n = 8
    neighbours = (np.arange(n)[:, None] + [1, -1]) % n
    spins = np.tile([0.0, 0.6, 0.8], (n, 1)) * (1 - 2 * (np.arange(n) % 2))[:, None]
    before = spins.copy()
    heat_bath(spins, neighbours, np.ones((n, 2)), 1e-18, 3, 5, new_stream(rng))
    np.testing.assert_allclose(spins, before, atol=1e-7)
