"""Errors and reweighted averages against cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.statistics import autocorrelation_time, jackknife, leave_one_out, reweighting


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
