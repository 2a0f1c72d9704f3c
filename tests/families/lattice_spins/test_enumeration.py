"""Sums over all states against plain sums over a product."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mfexplore.families.lattice_spins.enumeration import (
    boltzmann,
    count_states,
    coupled,
    fold_means,
    fold_pairs,
    quadratic_form,
)
from mfexplore.numerics.space.lattices import neighbourhood


@pytest.mark.parametrize(("name", "cells"), [("square", 3), ("honeycomb", 2), ("kagome", 2), ("diamond", 1)])
def test_density_of_states(name: str, cells: int) -> None:
    table = neighbourhood(name, cells).table()
    n = len(table)
    counts = np.empty((table.size // 2 + 1, n + 1), np.int64)
    count_states(table, counts)
    expected = np.zeros_like(counts)
    states = np.array(list(itertools.product((-1, 1), repeat=n)))
    disagreeing = (states[:, :, None] != states[:, table]).sum(axis=(1, 2)) // 2
    np.add.at(expected, (disagreeing, (states > 0).sum(axis=1)), 1)
    np.testing.assert_array_equal(counts, expected)


def states_by_number(n: int) -> np.ndarray:
    return 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1


def test_energies_and_averages(rng: np.random.Generator) -> None:
    n = 9
    couplings = rng.normal(size=(n, n))
    couplings += couplings.T
    np.fill_diagonal(couplings, 0)
    energies = np.empty(2 ** (n - 1))
    quadratic_form(couplings, energies)
    states = states_by_number(n)
    expected = 0.5 * np.einsum("ki,ij,kj->k", states, couplings, states)
    np.testing.assert_allclose(energies, expected[: 2 ** (n - 1)], atol=1e-12)

    weights = np.empty(2**n)
    boltzmann(-expected, 0.7, float(-expected.max()), weights)
    np.testing.assert_allclose(weights, np.exp(0.7 * (expected - expected.max())), rtol=1e-14)
    means, again, pairs = np.empty(n), np.empty(n), np.empty((n, n))
    total = fold_pairs(weights.copy(), n, means, pairs, np.empty(2**n))
    assert fold_means(weights.copy(), n, again) == pytest.approx(weights.sum())
    assert total == pytest.approx(weights.sum())
    np.testing.assert_allclose(means, weights @ states, atol=1e-12)
    np.testing.assert_allclose(again, weights @ states, atol=1e-12)
    np.testing.assert_allclose(pairs, (states.T * weights) @ states, atol=1e-12)


def test_coupled_spins_in_a_field(rng: np.random.Generator) -> None:
    n, beta, field = 7, 0.9, 0.4
    couplings = rng.normal(size=(n, n))
    couplings += couplings.T
    np.fill_diagonal(couplings, 0)
    energies, states = np.empty(2 ** (n - 1)), states_by_number(n)
    quadratic_form(couplings, energies)
    total = states[: 2 ** (n - 1)].sum(axis=1).astype(float)
    means, pairs = np.empty(n), np.empty((n, n))
    log_z = coupled(energies, total, beta, field, np.empty(2**n), np.empty(2 ** (n - 1)), means, pairs)
    weights = np.exp(beta * (0.5 * np.einsum("ki,ij,kj->k", states, couplings, states) + field * states.sum(axis=1)))
    assert log_z == pytest.approx(np.log(weights.sum()), rel=1e-12)
    weights /= weights.sum()
    np.testing.assert_allclose(means, weights @ states, atol=1e-12)
    np.testing.assert_allclose(pairs, (states.T * weights) @ states - np.outer(means, means), atol=1e-12)
