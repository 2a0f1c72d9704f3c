"""Errors and reweighted averages against cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.chance.statistics import (
    BlockAverages,
    autocorrelation_time,
    jackknife,
    leave_one_out,
    reweighting,
)


@pytest.mark.parametrize("memory", [0.0, 0.8, 0.95])
def test_autocorrelation_time_of_an_autoregressive_series(rng: np.random.Generator, memory: float) -> None:
    n = 200_000
    noise = rng.normal(size=n)
    series = np.empty(n)
    series[0] = noise[0]
    for k in range(1, n):
        series[k] = memory * series[k - 1] + noise[k]
    expected = 0.5 * (1 + memory) / (1 - memory)
    assert autocorrelation_time(series) == pytest.approx(expected, rel=0.1)


def test_a_constant_has_no_memory() -> None:
    assert autocorrelation_time(np.ones(100)) == 0.5


def test_jackknife_of_a_mean_is_the_standard_error(rng: np.random.Generator) -> None:
    samples = rng.normal(size=(20, 3))
    value, error = jackknife(leave_one_out(samples))
    np.testing.assert_allclose(value, samples.mean(axis=0))
    np.testing.assert_allclose(error, samples.std(axis=0, ddof=1) / np.sqrt(20))


def test_reweighting_of_a_gaussian(rng: np.random.Generator) -> None:
    """Energies of mean 0 and variance 1 at beta have mean -shift at beta + shift."""
    energies = rng.normal(size=400_000)
    weights = reweighting(energies, np.array([-0.5, 0.0, 0.5]), 3.0)
    means = weights @ energies / weights.sum(axis=1)
    np.testing.assert_allclose(means, [0.5, 0.0, -0.5], atol=0.01)


def test_block_averages_forget_the_start_and_know_their_error(rng: np.random.Generator) -> None:
    """Autoregressive series that begin far away; the errors are those of correlated samples."""
    memory, runs, length = 0.9, 200, 3000
    averages = BlockAverages(runs)
    state = np.full(runs, 100.0)
    for _ in range(length):
        state = memory * state + rng.normal(size=runs)
        averages.add(state)
    mean, error = averages.mean_and_error()
    true = mean.std()
    assert abs(mean.mean()) < 4 * true / np.sqrt(runs)
    assert np.sqrt(np.mean(error**2)) == pytest.approx(true, rel=0.25)
    expected = np.sqrt((1 + memory) / (1 - memory) / (1 - memory**2) / (length / 2))
    assert true == pytest.approx(expected, rel=0.2)


def test_block_averages_of_what_comes_later_or_never() -> None:
    averages = BlockAverages(3)
    assert np.isnan(averages.mean_and_error()[0]).all()
    for k in range(100):
        averages.add(np.array([2.0, 3.0, 7.0]), np.array([1.0, float(k >= 90), 0.0]))
    mean, error = averages.mean_and_error()
    np.testing.assert_array_equal(mean, [2.0, 3.0, np.nan])
    assert error[0] == 0
    assert np.isnan(error[2])
