"""Compressed sensing: state evolution against adaptive quadrature, message passing against state evolution."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from mfexplore.core import NotOfferedError
from mfexplore.models.inference.compressed_sensing import CompressedSensing
from mfexplore.models.inference.compressed_sensing.denoisers import bayes_error, best_threshold, denoise, lasso_error
from mfexplore.models.inference.compressed_sensing.photograph import photograph, sparse_photograph

GAUSS_BERNOULLI = reference_values("cs_gauss_bernoulli")
# The stored values of these were found with a quadrature step that does not resolve the denoiser (their error is 0.7
# per cent); the branch whose error is of the order of the noise is compared with adaptive quadrature instead.
UNRESOLVED = 1e-6


def slow_error(rho: float, s: float) -> float:
    """Posterior variance averaged over w = r/sqrt(S), piece by piece."""
    a = 1 / (1 + s)

    def variance(w: float) -> float:
        odds = math.log(rho / (1 - rho)) + 0.5 * math.log(s * a) + 0.5 * a * w * w
        p = 1 / (1 + math.exp(-odds))
        return p * (s * a + s * w * w * a * a) - s * (p * w * a) ** 2

    def of_zeros(w: float) -> float:
        return variance(w) * math.exp(-0.5 * w * w) / math.sqrt(2 * math.pi)

    def of_others(w: float) -> float:
        return variance(w) * math.sqrt(s * a) * math.exp(-0.5 * w * w * s * a) / math.sqrt(2 * math.pi)

    # beyond w = 40 a component is certainly not zero, and its variance S/(1 + S)
    end = min(10 / math.sqrt(s * a), 40.0)
    edges = [0.0, *(w for w in (1, 2, 3, 4, 5, 6, 7, 8, 12, 20) if w < end), end]
    pieces = list(itertools.pairwise(edges))
    zeros = sum(quad(of_zeros, x, y, epsabs=1e-11 * s, epsrel=1e-10)[0] for x, y in pieces)
    others = sum(quad(of_others, x, y, epsabs=1e-11 * s, epsrel=1e-10)[0] for x, y in pieces)
    return 2 * (1 - rho) * zeros + rho * (2 * others + s * a * math.erfc(end * math.sqrt(s * a / 2)))


def slow_fixed_point(rate: float, rho: float, noise: float, start: float) -> float:
    error = start
    for _ in range(200):
        new = slow_error(rho, (noise + error) / rate)
        if abs(new - error) < 1e-10 * new:
            break
        error = new
    return new


@pytest.mark.parametrize("reference", [r for r in GAUSS_BERNOULLI if "cs_se" in r["id"]], ids=lambda r: r["id"])
def test_state_evolution(reference: dict[str, Any]) -> None:
    p, (uninformed, _, informed, phi_uninformed, phi_informed) = reference["params"], reference["value"]
    rate, rho, noise = p["alpha"], p["rho"], p["Delta"]
    theory = CompressedSensing(measurement_rate=rate, sparsity=rho, noise=noise).theory()
    for branch, error, phi in (("uninformed", uninformed, phi_uninformed), ("informed", informed, phi_informed)):
        found = theory.sel(branch=branch)
        if error > 100 * UNRESOLVED:
            assert float(found["mean_squared_error"]) == pytest.approx(error, rel=1e-9)
            assert float(found["free_entropy"]) == pytest.approx(phi, abs=1e-9)
        else:
            slow = slow_fixed_point(rate, rho, noise, start=0.0)
            assert float(found["mean_squared_error"]) == pytest.approx(slow, rel=1e-8)
            assert float(found["mean_squared_error"]) == pytest.approx(error, rel=0.01)
            assert float(found["free_entropy"]) == pytest.approx(phi, rel=0.01)


@pytest.mark.parametrize(("rate", "noise"), [(0.3, 1e-10), (0.3, 1e-6), (0.7, 1e-10), (0.9, 0.3)])
def test_slope_of_the_free_entropy(rate: float, noise: float) -> None:
    """Along a branch only the explicit dependence counts: dPhi/dalpha = -[1 + ln(Delta + E)]/2, at any noise."""
    step = 1e-4
    theory = CompressedSensing(noise=noise).theory(measurement_rate=rate + step * np.array([-1, 0, 1]))
    slope = (theory["free_entropy"][2] - theory["free_entropy"][0]) / (2 * step)
    expected = -0.5 * (1 + np.log(noise + theory["mean_squared_error"][1]))
    np.testing.assert_allclose(slope, expected, atol=1e-6)


@pytest.mark.parametrize("reference", [r for r in GAUSS_BERNOULLI if "alphaBP" in r["id"]], ids=lambda r: r["id"])
def test_spinodal_without_noise(reference: dict[str, Any]) -> None:
    threshold, s = reference["value"]
    model = CompressedSensing(sparsity=reference["params"]["rho"], noise=1e-10)
    found = model.landmark("spinodal", "measurement_rate")
    assert found == pytest.approx([threshold], abs=5e-9)  # the noise itself shifts it by 1e-10/S
    below = model.theory(measurement_rate=found[0] * (1 - 1e-12))["effective_noise"].sel(branch="uninformed")
    assert float(below) == pytest.approx(s, abs=1e-6)


@pytest.mark.parametrize("reference", reference_values("cs_l1"), ids=lambda r: r["id"])
def test_donoho_tanner_line(reference: dict[str, Any]) -> None:
    line, threshold = reference["value"]
    model = CompressedSensing(sparsity=reference["params"]["rho"], noise=1e-10, denoiser="lasso", measurement_rate=1.0)
    assert model.landmark("donoho_tanner", "measurement_rate") == pytest.approx([line], abs=1e-11)
    assert float(model.equilibrium()["threshold"]) == pytest.approx(threshold, abs=2e-5)  # at S = 2e-10, not 0
    back = model.replace(measurement_rate=line).landmark("donoho_tanner", "sparsity")
    assert back == pytest.approx([reference["params"]["rho"]], abs=1e-11)


@pytest.mark.parametrize("rho", [0.02, 0.3, 0.85])
@pytest.mark.parametrize("s", [1e-9, 1e-4, 0.05, 2.0, 50.0])
def test_error_of_the_bayes_denoiser(rho: float, s: float) -> None:
    assert bayes_error(rho, s) == pytest.approx(slow_error(rho, s), rel=1e-9)


@pytest.mark.parametrize("rho", [0.05, 0.4])
@pytest.mark.parametrize("s", [1e-3, 0.05, 1.0])
def test_error_and_threshold_of_the_lasso(rho: float, s: float) -> None:
    def slow(threshold: float) -> float:
        x = np.linspace(-8, 8, 1201)[:, None]
        z = np.linspace(-8, 8, 1201)
        density = np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum()

        def soft(r: np.ndarray) -> np.ndarray:
            return np.sign(r) * np.maximum(np.abs(r) - threshold * math.sqrt(s), 0)

        zeros = density @ soft(math.sqrt(s) * z) ** 2
        others = density @ ((soft(x + math.sqrt(s) * z) - x) ** 2 @ density)
        return float((1 - rho) * zeros + rho * others)

    for threshold in (0.5, 1.5):
        assert lasso_error(rho, s, threshold) == pytest.approx(slow(threshold), rel=2e-4)
    best = minimize_scalar(
        lambda x: lasso_error(rho, s, x), bounds=(0, 12), method="bounded", options={"xatol": 1e-9}
    ).x
    assert best_threshold(rho, s) == pytest.approx(best, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 1), st.floats(0.01, 0.9), st.floats(-10, 0))
def test_bounds_and_order_of_the_errors(rate: float, rho: float, log_noise: float) -> None:
    """Informed is better than uninformed, Bayes than lasso, and everything than nothing; more measurements help."""
    model = CompressedSensing(measurement_rate=rate, sparsity=rho, noise=10**log_noise)
    bayes, lasso = (model.theory(denoiser=d)["mean_squared_error"] for d in ("bayes", "lasso"))
    assert float(bayes.sel(branch="informed")) <= float(bayes.sel(branch="uninformed")) * (1 + 1e-9)
    assert float(bayes.sel(branch="uninformed")) <= float(lasso.sel(branch="uninformed")) * (1 + 1e-9)
    assert float(lasso.max()) <= rho * (1 + 1e-9)
    assert float(lasso[0]) == float(lasso[1])
    more = model.theory(measurement_rate=min(1.0, rate * 1.1))["mean_squared_error"]
    assert (more.values <= bayes.values * (1 + 1e-9)).all()


def test_the_fold_and_the_phases() -> None:
    model = CompressedSensing(sparsity=0.3, noise=1e-8)
    low, middle, high = (
        float(model.landmark(n, "measurement_rate")[0])
        for n in ("informed_spinodal", "information_threshold", "spinodal")
    )
    assert 0.3 < low < middle < high
    rates = np.array([0.9 * low, 0.5 * (low + middle), 0.5 * (middle + high), 1.02 * high])
    theory = model.theory(measurement_rate=rates)
    assert [model.phases[k].name for k in theory["phase"].values] == ["impossible", "impossible", "hard", "easy"]
    at = model.theory(measurement_rate=middle)["free_entropy"].values
    assert at[0] == pytest.approx(at[1], abs=1e-9)
    assert CompressedSensing(noise=0.1).landmark("spinodal", "measurement_rate").size == 0
    (end,) = model.replace(measurement_rate=high).landmark("spinodal", "noise")
    assert end == pytest.approx(1e-8, rel=1e-6)
    assert model.replace(measurement_rate=0.9).landmark("spinodal", "noise").size == 0


def test_without_noise_one_equation_per_unknown_is_enough_in_principle() -> None:
    """The information threshold falls towards the sparsity, as 1/ln(1/noise)."""
    gaps = [
        float(CompressedSensing(noise=d).landmark("information_threshold", "measurement_rate")[0]) - 0.2
        for d in (1e-4, 1e-7, 1e-10)
    ]
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[2] < 0.06


def test_landscape_has_its_extrema_at_the_fixed_points() -> None:
    model = CompressedSensing(measurement_rate=0.3, sparsity=0.2, noise=1e-6)
    landscape, theory = model.landscape(), model.theory()
    inner = np.flatnonzero(
        (landscape.free_energy[1:-1] < landscape.free_energy[:-2])
        & (landscape.free_energy[1:-1] < landscape.free_energy[2:])
    )
    minima = landscape.coordinate[1 + inner]
    np.testing.assert_allclose(minima, theory["log_relative_error"].values, atol=0.02)
    for branch, place in enumerate(inner):
        height = float(theory["free_entropy"][branch])
        assert -landscape.free_energy[1 + place] == pytest.approx(height, abs=1e-3)
    with pytest.raises(NotOfferedError):
        model.replace(denoiser="lasso").landscape()  # its states are not extrema of the Bayes-optimal potential


def test_values_of_theory_do_not_claim_a_photograph() -> None:
    for signal, failure in (("random", 0), ("image", 1)):
        assert (CompressedSensing(signal=signal).theory()["validity"] == failure).all()
    assert CompressedSensing.failures[0].name == "not_normal"


# -- message passing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("denoiser", ["bayes", "lasso"])
def test_slope_of_the_denoiser(denoiser: str, rng: np.random.Generator) -> None:
    r = rng.standard_normal(200_000)
    code = ("bayes", "lasso").index(denoiser)
    here, there, slope, unused = (np.empty_like(r) for _ in range(4))
    denoise(code, r, 0.1, 0.2, here, slope)
    denoise(code, r + 1e-6, 0.1, 0.2, there, unused)
    assert np.mean(slope) == pytest.approx(float(np.mean(there - here)) / 1e-6, abs=1e-4)


@pytest.mark.parametrize(
    "controls",
    [
        {"measurement_rate": 0.5, "noise": 0.02},
        {"measurement_rate": 0.3},
        {"measurement_rate": 0.6, "noise": 0.01, "denoiser": "lasso"},
        {"measurement_rate": 0.3, "start": "informed"},
        {"measurement_rate": 0.3, "sparsity": 0.1, "signal": "image", "noise": 1e-3},
    ],
)
def test_message_passing_follows_state_evolution(controls: dict[str, Any]) -> None:
    gaps = []
    for size in (256, 4096):
        found = []
        for seed in range(3):
            model = CompressedSensing(size=size, **controls)
            run = model.simulate(seed=seed)
            start = run.observe()
            run.advance(15)
            times, series = run.series()
            path = model.predicted_path(start, times)
            found.append(path["log_relative_error"] - series["log_relative_error"])
        gaps.append(float(np.abs(found).mean()))
    assert gaps[1] < max(0.7 * gaps[0], 0.01)
    assert gaps[1] < 0.05


@pytest.mark.parametrize("denoiser", ["bayes", "lasso"])
def test_the_effective_noise_obeys_the_law(denoiser: str) -> None:
    model = CompressedSensing(measurement_rate=0.6, noise=0.01, denoiser=denoiser, size=2500)
    law = model.law()
    assert np.trapezoid(law.density, law.values) == pytest.approx(1, abs=1e-5)
    variances = []
    for seed in range(6):
        run = model.simulate(seed=seed)
        run.advance(60)
        noise = run.samples()
        assert np.var(noise) == pytest.approx(run.observe()["effective_noise"], rel=0.15)
        assert np.mean(noise**4) / np.var(noise) ** 2 == pytest.approx(3, abs=0.5)
        variances.append(np.var(noise))
    error = float(np.std(variances, ddof=1)) / math.sqrt(6)
    predicted = float(np.trapezoid(law.density * law.values**2, law.values))
    assert np.mean(variances) == pytest.approx(predicted, abs=4 * error)


def test_recovery_on_both_sides_of_the_spinodal() -> None:
    for rate, recovered in ((0.5, True), (0.3, False)):
        model = CompressedSensing(measurement_rate=rate, noise=1e-8)
        run = model.simulate(seed=3)
        run.advance(200)
        assert (run.observe()["log_relative_error"] < -6) == recovered
        expected = float(model.theory()["log_relative_error"].sel(branch="uninformed"))
        assert run.observe()["log_relative_error"] == pytest.approx(expected, abs=0.08)


def test_the_photograph_appears() -> None:
    model = CompressedSensing.preset("photograph")
    run = model.simulate(seed=2)
    assert run.picture().images[0][1].shape == (64, 64)
    assert len(model.replace(signal="random").simulate(seed=2).picture().images) == 2
    run.advance(60)
    assert run.finished
    assert run.observe()["log_relative_error"] < -6
    _, wavelets, recovered = (image for _, image in run.picture().images)
    np.testing.assert_allclose(recovered, wavelets, atol=0.5)  # of 255 grey values
    few = CompressedSensing.preset("photograph, too few").simulate(seed=2)
    few.advance(100)
    assert few.observe()["log_relative_error"] > -0.4


def test_the_sparse_photograph() -> None:
    truth, strength = sparse_photograph(64, 0.1)
    assert np.count_nonzero(truth) == 410
    assert float(np.mean(truth[truth != 0] ** 2)) == pytest.approx(1)
    kept = float(np.sum((truth * strength) ** 2) / np.sum(photograph(64) ** 2))
    assert 0.97 < kept < 1
    assert CompressedSensing(signal="image", size=4095).pixels == 1024
    assert CompressedSensing(signal="image", size=4096).pixels == 4096
