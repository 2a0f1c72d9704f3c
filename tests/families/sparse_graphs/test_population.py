"""Populations of messages: one message for all without disorder, averages that agree with closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.lattice_spins.bethe_lattice import bethe_lattice
from mfexplore.families.sparse_graphs.population import message, renew, survey


@pytest.mark.parametrize(("cavity", "beta"), [(0.3, 1.2), (-2.0, 0.4), (5.0, 8.0)])
def test_message(cavity: float, beta: float) -> None:
    expected = math.atanh(math.tanh(beta) * math.tanh(beta * cavity)) / beta
    assert message(cavity, beta) == pytest.approx(expected, rel=1e-6)


def test_without_disorder_all_messages_become_one(rng: np.random.Generator) -> None:
    population = np.ones(500)
    renew(population, 2, False, 1 / 1.5, 0.1, 0.0, 60_000, rng)
    u, m, energy, _, free_energy, _ = bethe_lattice(1.5, 0.1, 3.0)
    np.testing.assert_allclose(population, u, atol=1e-9)
    found = survey(population, 3, 2, False, 1 / 1.5, 0.1, 10, rng)
    np.testing.assert_allclose(found, (m, m * m, energy, free_energy), atol=1e-8)


def test_a_poisson_number_of_messages_of_strength_zero_is_a_free_spin(rng: np.random.Generator) -> None:
    """At high temperature the overlap of an Erdos-Renyi graph in a field is that of single spins plus order beta."""
    population = np.zeros(2000)
    renew(population, 3.0, True, 0.02, 0.5, 0.5, 40_000, rng)
    m, q, _, _ = survey(population, 3.0, 3.0, True, 0.02, 0.5, 20_000, rng)
    assert m == pytest.approx(math.tanh(0.01), rel=0.05)
    assert q == pytest.approx(math.tanh(0.01) ** 2, rel=0.2)
