"""Exchange of spins 1/2 against Pauli matrices."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

from mfexplore.families.quantum_spins import Sector, half_filled

PAULI = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]


def scalar_product(i: int, j: int, sites: int) -> np.ndarray:
    """S_i . S_j of all states; site 0 is the lowest bit, and a bit that is set is up."""
    total = np.zeros((2**sites, 2**sites), complex)
    for sigma in PAULI:
        total += 0.25 * reduce(np.kron, [sigma if k in (i, j) else np.eye(2) for k in reversed(range(sites))])
    return total.real


@pytest.mark.parametrize("up", [1, 2, 3])
def test_exchange_is_the_product_of_spins(up: int, rng: np.random.Generator) -> None:
    sites = 5
    couplings = rng.standard_normal((sites, sites))
    couplings += couplings.T
    whole = sum(couplings[i, j] * scalar_product(i, j, sites) for i in range(sites) for j in range(i + 1, sites))
    sector = Sector(sites, up)
    block = whole[np.ix_(sector.states, sector.states)]
    np.testing.assert_allclose(sector.matrix(couplings), block, atol=1e-12)
    vector = rng.standard_normal(len(block))
    np.testing.assert_allclose(sector.exchange(couplings, vector), block @ vector, atol=1e-12)


def test_ground_state_and_its_correlations(rng: np.random.Generator) -> None:
    sites = 6
    couplings = np.triu(rng.standard_normal((sites, sites)), 1)
    couplings += couplings.T
    sector = half_filled(sites)
    energy, gap, state = sector.ground_state(couplings, rng)
    levels = np.linalg.eigvalsh(sector.matrix(couplings))
    np.testing.assert_allclose([energy, gap], [levels[0], levels[1] - levels[0]], atol=1e-7)
    correlations = sector.correlations(state)
    assert 0.5 * np.sum(couplings * correlations) == pytest.approx(energy, abs=1e-8)
    assert np.diag(correlations) == pytest.approx(0.75)
    block = scalar_product(1, 4, sites)[np.ix_(sector.states, sector.states)]
    assert correlations[1, 4] == pytest.approx(state @ block @ state, abs=1e-12)
