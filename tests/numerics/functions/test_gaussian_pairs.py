"""Pair correlations of Gaussian variables: the mixture of error functions, closed forms against quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf

from mfexplore.numerics.functions.gaussian_pairs import (
    arcsin,
    arcsin_integral,
    kolmogorov_density,
    mixture,
    pair_correlation,
    pair_integral,
    pair_slope,
    pair_table,
    set_variance,
)
from mfexplore.numerics.kernel import kernel

FUNCTIONS = {"tanh": np.tanh, "erf": lambda x: erf(math.sqrt(math.pi) * x / 2)}


@kernel
def arcsines(x, out):
    for i in range(x.size):
        out[0, i] = arcsin(x[i])
        out[1, i] = arcsin_integral(x[i])


def test_tanh_is_a_mixture_of_error_functions() -> None:
    weights, rates = mixture("tanh")
    x = np.linspace(0, 25, 5001)
    np.testing.assert_allclose((weights[:, None] * erf(rates[:, None] * x)).sum(axis=0), np.tanh(x), atol=3e-11)
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_both_series_of_the_density_meet() -> None:
    below, above = kolmogorov_density(np.array([0.8 - 1e-9, 0.8 + 1e-9]))
    assert below == pytest.approx(above, rel=1e-7)


def test_arcsin_and_its_integral() -> None:
    x = np.concatenate([np.linspace(0, 1, 2001), 10.0 ** np.arange(-12, 0)])
    out = np.empty((2, x.size))
    arcsines(x, out)
    np.testing.assert_allclose(out[0], np.arcsin(x), rtol=4.5e-16)
    exact = [quad(np.arcsin, 0, u, epsabs=0, epsrel=1e-12)[0] for u in x[1::50]]
    np.testing.assert_allclose(out[1, 1::50], exact, rtol=3e-12)


@pytest.mark.parametrize("name", ["tanh", "erf"])
@pytest.mark.parametrize("variance", [1e-6, 0.3, 2.0, 12.0])
@pytest.mark.parametrize("ratio", [0.0, 0.02, 0.6, 1.0])
def test_averages_against_two_dimensional_quadrature(name: str, variance: float, ratio: float) -> None:
    z = np.linspace(-9, 9, 1201)
    w = np.exp(-(z**2) / 2)
    w /= w.sum()
    function = FUNCTIONS[name]
    x = math.sqrt(variance) * z
    y = math.sqrt(variance) * (ratio * z[:, None] + math.sqrt(1 - ratio**2) * z[None, :])
    table = pair_table(name)
    reach = np.empty(table.shape[1])
    set_variance(table, variance, reach)
    covariance = ratio * variance
    expected = w @ (function(x) * (function(y) @ w))
    scale = min(variance, 1.0)
    assert pair_correlation(table, reach, covariance) == pytest.approx(expected, abs=1e-10 * scale)
    slope = np.gradient(function(np.array([-1e-4, 0, 1e-4])), 1e-4)[1]
    assert slope == pytest.approx(1, abs=1e-7)
    if 0 < ratio < 1:
        h = 1e-5 * covariance
        rise = pair_correlation(table, reach, covariance + h) - pair_correlation(table, reach, covariance - h)
        assert pair_slope(table, reach, covariance) == pytest.approx(rise / (2 * h), rel=1e-6)
        rise = pair_integral(table, reach, covariance + h) - pair_integral(table, reach, covariance - h)
        assert pair_correlation(table, reach, covariance) == pytest.approx(rise / (2 * h), rel=1e-6)
    assert pair_integral(table, reach, 0.0) == 0
