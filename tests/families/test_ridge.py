"""Ridge regression from a spectrum: its equations against root finding, its errors against regression on examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from mfexplore.families.ridge.regression import fit, fit_kernel
from mfexplore.families.ridge.spectrum import Spectrum, learning


def slow(examples: float, ridge: float, noise: float, spectrum: Spectrum) -> tuple[float, float, float]:
    """(kappa, test error, training error) by bracketing the root of (2), directions one by one."""
    count = spectrum.multiplicity.astype(int)
    values, power = np.repeat(spectrum.eigenvalues, count), np.repeat(spectrum.power / count, count)

    def excess(log_kappa: float) -> float:
        kappa = np.exp(log_kappa)
        return float(kappa * (examples - np.sum(values / (values + kappa))) - ridge)

    kappa = np.exp(
        brentq(excess, np.log(ridge / examples) - 1, np.log((ridge + values.sum()) / examples) + 1, xtol=1e-14)
    )
    share = values / (values + kappa)
    test = (noise + power @ (1 - share) ** 2) / (1 - np.sum(share**2) / examples)
    return kappa, float(test), float((1 - share.sum() / examples) ** 2 * test)


@settings(max_examples=60)
@given(st.floats(1, 300), st.floats(-4, 3), st.floats(0, 2), st.integers(1, 5), st.integers(0, 10**6))
def test_effective_ridge_and_errors_by_a_slow_path(
    examples: float, log_ridge: float, noise: float, levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    spectrum = Spectrum(10 ** rng.uniform(-4, 1, levels), rng.integers(1, 40, levels).astype(float), rng.random(levels))
    found = learning(*(np.array([x]) for x in (examples, 10**log_ridge, noise)), spectrum)
    kappa, test, train = slow(examples, 10**log_ridge, noise, spectrum)
    assert found.effective_ridge[0] == pytest.approx(kappa, rel=1e-9)
    assert found.test_error[0] == pytest.approx(test, rel=1e-6, abs=1e-12)
    assert found.train_error[0] == pytest.approx(train, rel=1e-5, abs=1e-9)
    assert found.residual[0] < 1e-10
    assert 0 < found.freedom[0] < min(examples, spectrum.multiplicity.sum())


def test_least_squares_is_the_limit_of_a_small_ridge() -> None:
    """Fewer features than examples: 1 - a and 1/(1 - a); more: what is not reached, and noise that is all fitted."""
    spectrum = Spectrum(np.array([1.0]), np.array([50.0]), np.array([1.0]))
    found = learning(np.array([500.0, 20.0]), np.full(2, 1e-9), np.full(2, 0.5), spectrum)
    np.testing.assert_allclose(found.train_error, [0.45, 0.0], atol=1e-9)
    np.testing.assert_allclose(found.test_error, [0.5 / 0.9, (1 - 0.4) + 0.5 / (1 - 0.4)], rtol=1e-7)
    np.testing.assert_allclose(found.freedom, [50, 20], rtol=1e-7)
    np.testing.assert_allclose(found.left, [450, 20 * (1 - 0.4)], rtol=1e-7)


@pytest.mark.parametrize("size", [40, 160])
def test_errors_of_regression_on_normal_features(size: int, rng: np.random.Generator) -> None:
    """Two eigenvalues, a third of the directions each; the mean over samples, within its error and one over N."""
    values = np.repeat([2.0, 0.2], [size // 2, size // 2])
    weights = rng.standard_normal(size) / np.sqrt(size)
    power = values * weights**2
    spectrum = Spectrum(values, np.ones(size), power)
    examples, ridge, noise = size + size // 2, 0.3 * size, 0.2
    found = learning(np.array([float(examples)]), np.array([ridge]), np.array([noise]), spectrum)
    seen = []
    for _ in range(60):
        features = rng.standard_normal((examples, size)) * np.sqrt(values)
        answers = features @ weights + np.sqrt(noise) * rng.standard_normal(examples)
        fitted = fit(features, answers[:, None], ridge)
        missed = values @ (fitted.weights[:, 0] - weights) ** 2
        seen.append((noise + missed, np.mean(fitted.residuals**2), fitted.freedom))
    mean, error = np.mean(seen, axis=0), np.std(seen, axis=0, ddof=1) / np.sqrt(60)
    right = np.array([found.test_error[0], found.train_error[0], found.freedom[0]])
    assert (np.abs(mean - right) < 4 * error + right / size).all()


@pytest.mark.parametrize(("examples", "size"), [(30, 12), (12, 30)])
def test_a_fit_by_either_matrix_solves_the_normal_equations(examples: int, size: int, rng: np.random.Generator) -> None:
    features, answers, ridge = rng.standard_normal((examples, size)), rng.standard_normal((examples, 2)), 0.7
    fitted = fit(features, answers, ridge)
    np.testing.assert_allclose(features.T @ fitted.residuals, ridge * fitted.weights, atol=1e-10)
    np.testing.assert_allclose(fitted.residuals, answers - features @ fitted.weights, atol=1e-10)
    values = np.linalg.svd(features, compute_uv=False) ** 2
    assert fitted.freedom == pytest.approx(np.sum(values / (values + ridge)), rel=1e-12)
    dual = fit_kernel(features @ features.T, answers, ridge)
    np.testing.assert_allclose(features.T @ dual.weights, fitted.weights, atol=1e-10)
    assert dual.freedom == pytest.approx(fitted.freedom, rel=1e-10)
