"""Birth-death chains: closed forms against linear algebra, simulations against the closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from mfexplore.families.birth_death import first_passage_time, simulate, simulate_many, stationary, tables
from mfexplore.numerics.chance.random import new_stream

N = np.arange(40.0)
BIRTH = np.append(6.0 + 0.02 * N[:-1] ** 2, 0.0)
DEATH = N * (1.0 + 0.01 * N)


def generator(birth: np.ndarray, death: np.ndarray) -> np.ndarray:
    matrix = np.diag(birth[:-1], -1) + np.diag(death[1:], 1)
    return matrix - np.diag(birth + death)


def test_stationary_is_the_null_vector_of_the_generator() -> None:
    p = stationary(BIRTH, DEATH)
    assert p.sum() == pytest.approx(1)
    np.testing.assert_allclose(generator(BIRTH, DEATH) @ p, 0, atol=1e-13)


@pytest.mark.parametrize(("start", "target"), [(2, 15), (15, 2), (0, 25), (7, 7)])
def test_first_passage_solves_the_backward_equation(start: int, target: int) -> None:
    inside = np.array([k for k in range(40) if k != target])
    backward = generator(BIRTH, DEATH).T[np.ix_(inside, inside)]
    times = dict(zip(inside, np.linalg.solve(backward, -np.ones(39)), strict=True))
    assert first_passage_time(BIRTH, DEATH, start, target) == pytest.approx(times.get(start, 0.0), rel=1e-9)


def test_what_cannot_be_reached_takes_for_ever() -> None:
    birth = np.where(N == 10, 0.0, BIRTH)
    assert first_passage_time(birth, DEATH, 5, 20) == np.inf


def test_one_trajectory_follows_the_master_equation(rng: np.random.Generator) -> None:
    stream = new_stream(rng)
    mean_wait, share_up = tables(BIRTH, DEATH)
    ends = [simulate(3, 0.4, mean_wait, share_up, stream)[0] for _ in range(20_000)]
    exact = expm(0.4 * generator(BIRTH, DEATH))[:, 3]
    expected = float(exact @ N)
    assert np.mean(ends) == pytest.approx(expected, abs=4 * np.std(ends) / np.sqrt(20_000))
    assert np.var(ends) == pytest.approx(float(exact @ (N - expected) ** 2), rel=0.05)


def test_trajectories_in_lockstep_follow_the_same_law(rng: np.random.Generator) -> None:
    """Immigration and death: the population at time t is Poisson, with mean 8 (1 - e^-t) from an empty start."""
    population = np.zeros(50_000)
    events = simulate_many(population, 0.7, np.array([8.0, 0, 0, 0]), np.array([0.0, 1, 0, 0]), new_stream(rng))
    mean = 8 * (1 - np.exp(-0.7))
    assert population.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 50_000))
    assert population.var() == pytest.approx(mean, rel=0.04)
    deaths = 8 * 0.7 - mean
    assert events / 50_000 == pytest.approx(8 * 0.7 + deaths, rel=0.01)
