"""Fractional Gaussian noise: its correlations, what they add up to, white noise as a limit."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.chance.fractional_noise import correlation, fractional_noise


@pytest.mark.parametrize("hurst", [0.6, 0.9])
def test_correlations_are_those_of_the_definition(hurst: float, rng: np.random.Generator) -> None:
    noise = fractional_noise(hurst, 16, 40_000, rng)
    measured = noise.T @ noise / len(noise)
    lags = np.subtract.outer(np.arange(16), np.arange(16))
    np.testing.assert_allclose(measured, correlation(hurst, lags), atol=5 * np.sqrt(2 / len(noise)))


def test_sums_spread_as_fractional_brownian_motion() -> None:
    """The variance of n increments is n^2H: exactly, as a sum over the correlations."""
    n = 300
    lags = np.subtract.outer(np.arange(n), np.arange(n))
    for hurst in (0.5, 0.7, 0.95):
        assert correlation(hurst, lags).sum() == pytest.approx(n ** (2 * hurst), rel=1e-11)


def test_far_lags_go_on_smoothly() -> None:
    lags = np.array([9999, 10_000, 10_001, 10_002])
    rho = correlation(0.8, lags)
    np.testing.assert_allclose(rho, 0.8 * 0.6 * lags**-0.4, rtol=1e-6)


def test_white_noise_is_a_special_case(rng: np.random.Generator) -> None:
    assert correlation(0.5, 4).tolist() == [1, 0, 0, 0]
    noise = fractional_noise(0.5, 1000, 100, rng)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    assert fractional_noise(0.7, 1, 3, rng).shape == (3, 1)
