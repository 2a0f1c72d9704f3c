"""Distributions on a grid: exact moments, sums like those of samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson

from mfexplore.families.sparse_graphs.density_evolution import (
    CENTRE,
    FINENESS,
    GRID,
    POINTS,
    Sums,
    atom,
    poisson_reach,
    push,
    push_linearly,
)


@pytest.mark.parametrize("mean", [0.01, 0.5, 3.0, 20.0])
def test_a_poisson_number_is_cut_where_hardly_anything_is_left(mean: float) -> None:
    assert poisson_reach(mean) == poisson.isf(1e-13, mean)


@pytest.mark.parametrize("position", [-1.0, -0.317, 0.0, 0.5, 1.0])
def test_an_atom_has_its_position_and_no_width(position: float) -> None:
    weights = atom(position)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert weights @ GRID == pytest.approx(position, abs=1e-14)
    assert weights @ GRID**2 == pytest.approx(position**2, abs=1e-14)


def test_a_map_keeps_mean_and_variance(rng: np.random.Generator) -> None:
    weights, places = rng.random((3, 50)), CENTRE + FINENESS * rng.uniform(-1, 1, (3, 50))
    flipped = np.array([0.0, 0.3, 0.5])
    out, factors = np.empty((3, POINTS)), rng.random((3, 50))
    push(weights, places, flipped, factors, out)
    values = (places - CENTRE) / FINENESS
    np.testing.assert_allclose(out.sum(axis=1), (weights * factors).sum(axis=1))
    np.testing.assert_allclose(out @ GRID, (1 - 2 * flipped) * (weights * factors * values).sum(axis=1), atol=1e-13)
    np.testing.assert_allclose(out @ GRID**2, (weights * factors * values**2).sum(axis=1))


def test_a_linear_map_keeps_weights_positive(rng: np.random.Generator) -> None:
    out = np.empty(POINTS)
    places = CENTRE + FINENESS * rng.uniform(-1, 1, 40)
    push_linearly(np.ones(40), places, 0.25, out)
    assert (out >= 0).all()
    assert out.sum() == pytest.approx(40)
    assert out @ GRID == pytest.approx(0.5 * (places - CENTRE).sum() / FINENESS)


@pytest.mark.parametrize("poissonian", [False, True])
@pytest.mark.parametrize("mean", [2, 3, 11])
def test_sums_have_the_moments_of_independent_messages(poissonian: bool, mean: int) -> None:
    weights = 0.7 * atom(0.9) + 0.3 * atom(-0.4)
    sums = Sums(mean, poissonian)
    found = sums.back(sums.power(sums.transform(weights), mean))
    m1, m2 = 0.7 * 0.9 - 0.3 * 0.4, 0.7 * 0.81 + 0.3 * 0.16
    assert found.sum() == pytest.approx(1, abs=1e-10)
    assert found @ sums.values == pytest.approx(mean * m1, abs=1e-9)
    variance = mean * (m2 if poissonian else m2 - m1**2)
    assert found @ sums.values**2 - (found @ sums.values) ** 2 == pytest.approx(variance, abs=1e-7)


def test_no_messages_give_zero() -> None:
    sums = Sums(3, False)
    found = sums.back(sums.power(sums.transform(atom(0.3)), 0))
    assert found[sums.half] == pytest.approx(1)
    assert np.abs(found).sum() == pytest.approx(1)


def test_a_poisson_number_is_often_zero() -> None:
    sums = Sums(2, True)
    found = sums.back(sums.power(sums.transform(atom(1.0)), 2))
    for k in range(6):
        assert found[sums.half + k * FINENESS] == pytest.approx(math.exp(-2) * 2**k / math.factorial(k), abs=1e-12)
