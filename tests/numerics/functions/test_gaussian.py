"""Averages over a Gaussian field: against mpmath, a dense sum, closed forms at T = 0, and finite differences."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.numerics.functions.gaussian import (
    direct_averages,
    normal_density,
    normal_rule,
    response,
    response_and_entropy,
)

means = st.floats(-3, 3)
deviations = st.floats(0.01, 2)
temperatures = st.one_of(st.just(0.0), st.floats(0.01, 3))


def dense(mean: float, deviation: float, temperature: float) -> tuple[float, ...]:
    """The same averages by a trapezoid sum whose step resolves everything."""
    step = 0.02 * min(1.0, temperature / deviation)
    z = np.arange(-9, 9, step)
    w = np.exp(-0.5 * z * z)
    w /= w.sum()
    x = (mean + deviation * z) / temperature
    y = np.abs(x)
    t, e = np.tanh(x), np.exp(-2 * y)
    sech2 = 4 * e / (1 + e) ** 2
    entropy = np.log1p(e) + 2 * y * e / (1 + e)
    return (
        w @ t, w @ (t * t), w @ sech2 / temperature, -2 * w @ (sech2 * t) / temperature**2,
        w @ (z * -2 * sech2 * t) / temperature**2, w @ sech2**2 / temperature, w @ entropy,
    )  # fmt: skip


def test_normal_density() -> None:
    x = np.linspace(-9, 9, 2001)
    assert np.trapezoid(normal_density(x), x) == pytest.approx(1, abs=1e-13)
    assert normal_density(x)[1000] / normal_density(x)[1111] == pytest.approx(math.exp(x[1111] ** 2 / 2))


@pytest.mark.parametrize("ratio", [0.01, 0.05, 0.2, 0.5, 0.64, 0.66, 0.8, 1.0, 1.5, 3.0, 10.0, 100.0])
@pytest.mark.parametrize("mean", [0.0, 0.02, 0.3, 1.0, 2.5])
def test_against_a_dense_sum(mean: float, ratio: float) -> None:
    deviation = 0.7
    temperature = deviation / ratio
    expected = dense(mean, deviation, temperature)
    found = response_and_entropy(mean, deviation, temperature)
    np.testing.assert_allclose(found[:3], expected[:3], rtol=0, atol=3e-12)
    np.testing.assert_allclose(found[3:5], expected[3:5], rtol=0, atol=3e-11)
    np.testing.assert_allclose(found[5:], expected[5:], rtol=0, atol=5e-12)
    assert response(mean, deviation, temperature) == pytest.approx(found[:5], rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(("mean", "deviation", "temperature"), [(0.9, 0.3, 0.2), (0.4, 0.5, 0.9), (1.0, 0.25, 0.01)])
def test_against_mpmath(mean: float, deviation: float, temperature: float) -> None:
    def average(function: object) -> float:
        def integrand(z: mpmath.mpf) -> mpmath.mpf:
            return mpmath.npdf(z) * function((mean + deviation * z) / temperature)  # type: ignore[operator]

        edges = sorted({-10, -mean / deviation, -mean / deviation - 0.5, -mean / deviation + 0.5, 0, 10})
        return float(mpmath.quad(integrand, edges))

    m, q, chi, _, _, quartic, entropy = response_and_entropy(mean, deviation, temperature)
    assert m == pytest.approx(average(mpmath.tanh), abs=2e-12)
    assert q == pytest.approx(average(lambda x: mpmath.tanh(x) ** 2), abs=2e-12)
    assert temperature * chi == pytest.approx(average(lambda x: mpmath.sech(x) ** 2), abs=2e-12)
    assert temperature * quartic == pytest.approx(average(lambda x: mpmath.sech(x) ** 4), abs=2e-12)
    log_cosh = average(lambda x: mpmath.log(2 * mpmath.cosh(x)))
    assert mean * m + deviation**2 * chi + temperature * entropy == pytest.approx(temperature * log_cosh, abs=3e-12)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 0.8), (0.5, 0.4), (1.0, 0.2), (1.0, 0.1)])
def test_zero_temperature_is_closed(mean: float, deviation: float) -> None:
    ratio = mean / deviation
    chi = 2 * math.exp(-0.5 * ratio**2) / (math.sqrt(2 * math.pi) * deviation)
    m, q, found, by_mean, by_deviation, quartic, entropy = response_and_entropy(mean, deviation, 0.0)
    assert m == pytest.approx(math.erf(ratio / math.sqrt(2)), abs=1e-15)
    assert (q, entropy) == (1.0, 0.0)
    assert found == pytest.approx(chi, rel=1e-11)
    assert by_mean == pytest.approx(-chi * ratio / deviation, rel=1e-11, abs=1e-15)
    assert by_deviation == pytest.approx(chi * (ratio**2 - 1) / deviation, rel=1e-11)
    assert quartic == pytest.approx(2 / 3 * chi, rel=1e-11)


def test_the_exponentially_small_keeps_its_digits_at_low_temperature() -> None:
    chi = response(1.0, 0.1, 1e-4)[2]
    assert chi == pytest.approx(2 * math.exp(-50) / (math.sqrt(2 * math.pi) * 0.1), rel=1e-3)


@given(means, st.floats(0.05, 2), st.floats(0.05, 3))
def test_derivatives_are_those_of_the_averages(mean: float, deviation: float, temperature: float) -> None:
    step = 1e-5
    _, _, chi, by_mean, by_deviation = response(mean, deviation, temperature)
    scale = max(1.0, 1 / max(deviation, temperature) ** 3)
    for direction, slope_m, slope_chi in (((1, 0), chi, by_mean), ((0, 1), deviation * by_mean, by_deviation)):
        up = response(mean + step * direction[0], deviation + step * direction[1], temperature)
        down = response(mean - step * direction[0], deviation - step * direction[1], temperature)
        assert (up[0] - down[0]) / (2 * step) == pytest.approx(slope_m, abs=1e-6 * scale)
        assert (up[2] - down[2]) / (2 * step) == pytest.approx(slope_chi, abs=3e-6 * scale**2)


@given(means, deviations, temperatures)
def test_is_odd_in_the_mean_and_within_bounds(mean: float, deviation: float, temperature: float) -> None:
    m, q, chi, by_mean, by_deviation, quartic, entropy = response_and_entropy(mean, deviation, temperature)
    flipped = response_and_entropy(-mean, deviation, temperature)
    assert flipped == pytest.approx((-m, q, chi, -by_mean, by_deviation, quartic, entropy), rel=1e-9, abs=1e-11)
    assert m * m <= q + 1e-11 <= 1 + 2e-11
    assert -1e-12 <= entropy <= math.log(2) + 1e-12
    assert -1e-11 <= quartic <= chi + 1e-9 * chi + 1e-300


def test_a_field_without_noise() -> None:
    assert response(0.4, 0.0, 0.5)[0] == pytest.approx(math.tanh(0.8), abs=1e-13)
    assert response(0.4, 0.0, 0.0) == (1.0, 1.0, 0.0, 0.0, 0.0)
    assert response(-0.4, 0.0, 0.0)[0] == -1.0
    assert response(0.0, 0.0, 0.0)[2] == math.inf


def test_normal_rule_integrates_moments() -> None:
    z, w = normal_rule(0.5)
    assert [float(w @ z**k) for k in (0, 1, 2, 4, 6)] == pytest.approx([1, 0, 1, 3, 15], rel=1e-8, abs=1e-12)


@given(means, deviations, temperatures)
def test_the_plain_sum_agrees_with_the_kernel(mean: float, deviation: float, temperature: float) -> None:
    plain, found = (f(mean, deviation, temperature) for f in (direct_averages, response_and_entropy))
    scale = 1 + 1 / deviation
    for name in ("m", "q", "chi", "quartic", "entropy"):
        assert getattr(plain, name) == pytest.approx(getattr(found, name), abs=1e-10 * scale), name
    log_cosh = mean * found.m + deviation**2 * found.chi + temperature * found.entropy
    assert plain.log_cosh == pytest.approx(log_cosh, abs=1e-10)
