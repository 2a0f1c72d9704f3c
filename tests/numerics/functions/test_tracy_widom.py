"""Tracy-Widom laws: determinants against published numbers, the diffusion against determinants and limits."""

from __future__ import annotations

import numpy as np
import pytest
from cases import reference_values
from scipy.special import ai_zeros, airy

from mfexplore.numerics.functions.tracy_widom import tracy_widom, tracy_widom_determinant

PUBLISHED = {  # mean and variance (Bornemann 2010); beta = 4 from mean -3.2624279028, variance 1.0354474415
    1: (-1.2065335745820, 1.6077810345810),
    2: (-1.7710868074116, 0.8131947928329),
    4: (-3.2624279028517 / 2 ** (2 / 3), 1.0354474415358 / 2 ** (4 / 3)),
}


def moments(beta: float) -> tuple[float, float]:
    s, _, density = tracy_widom(beta)
    mean = float(np.trapezoid(s * density, s))
    return mean, float(np.trapezoid((s - mean) ** 2 * density, s))


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_determinants_have_the_published_mean_and_variance(beta: int) -> None:
    """Mean and second moment as integrals of the distribution function F over the line, by Simpson's rule."""
    s = np.linspace(-9, 9, 145)
    f = tracy_widom_determinant(beta, s)
    weights = np.full(s.size, 2.0)
    weights[1::2], weights[0], weights[-1] = 4, 1, 1
    weights *= (s[1] - s[0]) / 3
    middle = s.size // 2
    deviation = np.where(s < 0, -f, 1 - f)
    deviation[middle] = (1 - 2 * f[middle]) / 2  # both halves end there, one with -F, one with 1 - F
    mean, square = weights @ deviation, weights @ (2 * s * deviation)
    assert mean == pytest.approx(PUBLISHED[beta][0], abs=1e-6)
    assert square - mean**2 == pytest.approx(PUBLISHED[beta][1], abs=1e-6)


def test_reference_values() -> None:
    values = {v["id"]: v["value"] for v in reference_values("beta_ensemble")}
    (one, two), four = values["lit_TW"], values["tw_beta4_rrv"]
    for beta, (mean, variance) in ((1, one), (2, two), (4, four)):
        assert moments(beta) == pytest.approx((mean, variance), abs=1e-3)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_the_diffusion_gives_the_determinants(beta: int) -> None:
    s, cumulative, _ = tracy_widom(beta)
    some = np.flatnonzero((s > -7) & (s < 5))[::30]
    np.testing.assert_allclose(cumulative[some], tracy_widom_determinant(beta, s[some]), atol=2.5e-4)


@pytest.mark.parametrize("beta", [0.003, 0.1, 0.7, 3.0, 30.0])
def test_any_beta_has_a_law(beta: float) -> None:
    s, cumulative, density = tracy_widom(beta)
    assert np.all(np.diff(s) > 0)
    assert np.all(np.diff(cumulative) > -1e-5)
    assert np.trapezoid(density, s) == pytest.approx(1, abs=1e-6)


def test_without_noise_there_is_the_zero_of_airy() -> None:
    """And next to it the first order of perturbation theory: variance (4/beta) int Ai^4 / (int Ai^2)^2."""
    mean, variance = moments(100.0)
    zero = float(ai_zeros(1)[0][0])
    assert mean == pytest.approx(zero, abs=0.02)
    x = np.linspace(zero, 12, 4001)
    ground = airy(x)[0] ** 2
    first = 4 / 100 * np.trapezoid(ground**2, x) / np.trapezoid(ground, x) ** 2
    assert variance == pytest.approx(first, rel=0.03)


def test_hot_levels_have_a_gumbel_law() -> None:
    """As beta falls the skewness rises, slowly, to that of Gumbel's law, 1.14 (Allez and Dumaz 2014)."""
    skews = []
    for beta in (1.0, 0.1, 0.003):
        s, _, density = tracy_widom(beta)
        mean, variance = moments(beta)
        skews.append(float(np.trapezoid((s - mean) ** 3 * density, s)) / variance**1.5)
    assert skews[0] < skews[1] < skews[2] < 1.14
    assert skews[2] > 0.8
