"""Birth-death chains: closed forms against linear algebra, simulations against the closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from mfexplore.families.birth_death import (
    Schloegl,
    first_passage_time,
    simulate,
    simulate_many,
    stationary,
    summarise,
    survival,
    tables,
    transient,
)
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


def test_transients_are_those_of_the_generator() -> None:
    start = (N == 3).astype(float)
    times = np.array([0.0, 0.4, 30.0])
    exact = np.array([expm(t * generator(BIRTH, DEATH)) @ start for t in times])
    np.testing.assert_allclose(transient(BIRTH, DEATH, start, times), exact, atol=1e-12)


def test_immigration_and_death_make_a_poisson_law_at_any_time() -> None:
    """Also where the fastest rate times the duration is in the thousands, so that the exponential is cut in pieces."""
    n = np.arange(201.0)
    birth, death = np.where(n < 200, 100.0, 0.0), n
    (found,) = transient(birth, death, (n == 0).astype(float), np.array([7.0]))
    mean = 100 * (1 - np.exp(-7.0))
    poisson = np.exp(n * np.log(mean) - mean - np.array([math.lgamma(k + 1) for k in n]))
    np.testing.assert_allclose(found, poisson, atol=1e-13)


@pytest.mark.parametrize(("start", "target"), [(2, 15), (15, 2)])
def test_survival_ends_in_the_mean_passage_time(start: int, target: int) -> None:
    """Its integral over all times is the mean passage time, whichever way."""
    mean = first_passage_time(BIRTH, DEATH, start, target)
    times = np.linspace(0, 40 * mean, 8001)
    alive = survival(BIRTH, DEATH, start, target, times)
    assert alive[0] == 1.0
    assert (np.diff(alive) <= 1e-15).all()
    assert np.trapezoid(alive, times) == pytest.approx(mean, rel=1e-3)


def test_schloegl_tables_and_polynomials_are_mass_action() -> None:
    model = Schloegl(3.0, 1.0, 0.25, 2.25, 10.0)
    birth, death = model.rates(50)
    for n in (0, 1, 2, 3, 17):
        assert birth[n] == pytest.approx(3.0 * n * (n - 1) / 10 + 2.5)
        assert death[n] == pytest.approx(n * (n - 1) * (n - 2) / 100 + 2.25 * n, abs=1e-12)
    assert birth[50] == 0
    np.testing.assert_allclose(model.at_rest(), [1 - np.sqrt(0.75), 1.0, 1 + np.sqrt(0.75)], rtol=1e-9)
    many = Schloegl(3.0, 2.0, np.linspace(0.01, 1.2, 50), 1.4, 10.0)
    for feed, found in zip(many.feed, many.at_rest(), strict=True):
        roots = np.roots([-2.0, 3.0, -1.4, feed])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        np.testing.assert_allclose(found[np.isfinite(found)], real if len(real) == 3 else [real[0]] * 2, rtol=1e-9)


def test_schloegl_cells_in_lockstep_follow_the_master_equation(rng: np.random.Generator) -> None:
    model = Schloegl(3.0, 1.0, 0.25, 2.25, 10.0)
    population = np.full(40_000, 10.0)
    simulate_many(population, 1.5, *model.coefficients(), new_stream(rng))
    n = np.arange(81.0)
    (exact,) = transient(*model.rates(80), (n == 10).astype(float), np.array([1.5]))
    mean = exact @ n
    assert population.mean() == pytest.approx(mean, abs=4 * np.sqrt(exact @ (n - mean) ** 2 / 40_000))
    assert (population == 0).mean() == pytest.approx(exact[0], abs=4 * np.sqrt(exact[0] / 40_000))


def test_summaries_are_those_of_the_tables() -> None:
    """At two volumes at once, the larger with weights over hundreds of decades."""
    models = [Schloegl(3.0, 1.0, 0.25, 2.25, 10.0), Schloegl(3.0, 1.0, 0.05, 2.25, 900.0)]
    birth, death = (np.stack(one) for one in zip(*(model.coefficients() for model in models), strict=True))
    most, low, high, found = np.array([110, 3600]), np.array([1, 20]), np.array([19, 1500]), np.empty((2, 6))
    summarise(birth, death, most, low, high, found)
    for k, model in enumerate(models):
        rates = model.rates(most[k])
        p, n = stationary(*rates), np.arange(most[k] + 1.0)
        mean = p @ n
        second, third, fourth = (p @ (n - mean) ** j for j in (2, 3, 4))
        np.testing.assert_allclose(found[k, :4], [mean, second, third, fourth - 3 * second**2], rtol=1e-6)
        passages = [first_passage_time(*rates, *way) for way in ((low[k], high[k]), (high[k], low[k]))]
        np.testing.assert_allclose(found[k, 4:], passages, rtol=1e-10)
