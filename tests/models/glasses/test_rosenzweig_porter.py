"""Rosenzweig-Porter matrices: the resolvent equation, exact diagonalisation beside theory, limits."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm

from mfexplore.core import NotOfferedError
from mfexplore.models.glasses.rosenzweig_porter import (
    RosenzweigPorter,
    bare_resolvent,
    form_factor,
    mean_logarithm,
    participation,
    shifted_energy,
)
from mfexplore.models.glasses.rosenzweig_porter.dynamics import random_matrix
from mfexplore.numerics.matrices.blas import one_blas_thread

REFERENCES = {v["id"]: v for v in reference_values("rosenzweig_porter")}


@cache
def observed(model: RosenzweigPorter, seed: int) -> dict[str, float]:
    return model.simulate(seed=seed).observe()


def samples(name: str, count: int, **controls: float) -> np.ndarray:
    """One observable of `count` matrices, shape (count,)."""
    model = RosenzweigPorter(**controls)
    return np.array([observed(model, seed)[name] for seed in range(count)])


@pytest.mark.parametrize("gamma", [0.5, 1.75, 2.5])
def test_reference_values_of_fractal_dimension_and_gap_ratio(gamma: float) -> None:
    """The reference is one matrix per size, with a scatter of about 0.05 and 0.02."""
    measured, theory, *ratios = REFERENCES[f"rp_g{gamma}"]["value"]
    model = RosenzweigPorter(gamma=gamma, size=1024)
    assert float(model.theory(method="leading")["fractal_dimension"]) == theory
    assert samples("fractal_dimension", 4, gamma=gamma, size=1024).mean() == pytest.approx(measured, abs=0.08)
    for size, ratio in zip((256, 512, 1024), ratios, strict=True):
        found = samples("level_ratio", 4096 // size, gamma=gamma, size=size)
        assert found.mean() == pytest.approx(ratio, abs=0.02)
        assert found.mean() == pytest.approx(
            float(model.theory(method="finite_size", size=size)["level_ratio"]), abs=0.02
        )


def test_reference_values_of_the_gap_ratios() -> None:
    for name in ("lit_rstat", "rstat_ref"):
        poisson, orthogonal, *_ = next(v["value"] for v in reference_values("rmt") if v["id"] == name)
        theory = RosenzweigPorter(size=2048).theory(gamma=np.array([0.5, 3.0]))["level_ratio"]
        for method in ("leading", "finite_size"):
            np.testing.assert_allclose(theory.sel({"method": method}), [orthogonal, poisson], atol=3e-3)
        np.testing.assert_allclose(theory.sel({"method": "leading"}), [orthogonal, poisson], atol=1e-5)


@pytest.mark.parametrize("gamma", [1.3, 1.5])
def test_reference_values_of_the_inverse_participation(gamma: float) -> None:
    measured, breit_wigner = REFERENCES[f"rp_I2_g{gamma}"]["value"]
    theory = RosenzweigPorter(gamma=gamma, size=1000).theory()["inverse_participation"]
    assert float(theory[0]) == pytest.approx(breit_wigner, rel=2e-5)
    found = samples("inverse_participation", 2, gamma=gamma, size=1000)
    assert found.mean() == pytest.approx(measured, rel=0.12)
    assert found.mean() == pytest.approx(float(theory[1]), rel=0.12)
    assert abs(float(theory[1]) - measured) < 1.05 * abs(breit_wigner - measured)


@given(st.floats(-2, 2), st.floats(1e-8, 3000), st.floats(0, 1))
def test_the_resolvent_equation_is_solved_in_the_upper_half_plane(energy: float, square: float, eta: float) -> None:
    zeta, residual, _ = shifted_energy(np.array([energy + 1j * eta]), np.array([square]))
    assert residual[0] < 1e-12
    assert zeta[0].imag > 0


@pytest.mark.parametrize("zeta", [0.3 + 0.2j, 1.5 + 0.05j, 0.1 + 3j, 4 + 6j, 9 + 1j, 6.9 + 0.5j, -7.1 + 0.5j])
def test_integrals_over_the_site_energies(zeta: complex) -> None:
    def average(f) -> float:
        points = [zeta.real] if abs(zeta.real) < 10 else None
        weight = lambda a: math.exp(-a * a / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        return quad(lambda a: weight(a) * f(a), -12, 12, points=points, epsabs=1e-13, limit=400)[0]

    g = complex(bare_resolvent(np.array(zeta)))
    assert g.real == pytest.approx(average(lambda a: (1 / (zeta - a)).real), abs=1e-10)
    assert g.imag == pytest.approx(average(lambda a: (1 / (zeta - a)).imag), abs=1e-10)
    logarithm = float(mean_logarithm(np.array([zeta]))[0])
    assert logarithm == pytest.approx(average(lambda a: math.log(abs(zeta - a))), abs=2e-5)
    width, density = zeta.imag, -g.imag / math.pi
    overlap = average(lambda a: (width / math.pi / ((zeta.real - a) ** 2 + width**2)) ** 2)
    n = np.array([1e6])
    assert float(participation(n, np.array([zeta]))[0]) == pytest.approx(3 * overlap / (1e6 * density**2), rel=1e-7)


@given(st.floats(0, 3), st.integers(16, 2048))
@settings(max_examples=40)
def test_limits(gamma: float, size: int) -> None:
    theory = RosenzweigPorter(gamma=gamma, size=size).theory()
    assert (theory["inverse_participation"] >= 3 / size - 1e-12).all()
    assert (theory["inverse_participation"] <= 1).all()
    assert int(theory["phase"]) == (0 if gamma < 1 else 1 if gamma < 2 else 2)
    limit = float(theory["fractal_dimension"][0])
    assert limit == pytest.approx(min(max(2 - gamma, 0), 1), abs=1e-12)


def test_weak_and_strong_hopping_are_the_known_ensembles() -> None:
    weak = RosenzweigPorter(gamma=3, size=2048, energy=0.7).theory(method="finite_size")
    assert float(weak["density_of_states"]) == pytest.approx(math.exp(-0.245) / math.sqrt(2 * math.pi), rel=1e-3)
    strong = RosenzweigPorter(gamma=0, size=2048, hopping=3).theory(method="finite_size")
    radius = 2 * math.sqrt(9 * 2048)  # Wigner's semicircle
    assert float(strong["density_of_states"]) == pytest.approx(2 / (math.pi * radius), rel=1e-3)
    assert float(strong["inverse_participation"]) == pytest.approx(3 / 2048, rel=1e-3)


def test_both_methods_meet_for_large_matrices_in_the_fractal_phase() -> None:
    gaps = []
    for size in (128, 2048):
        theory = RosenzweigPorter(gamma=1.6, size=size).theory()["inverse_participation"]
        gaps.append(abs(float(theory[1] / theory[0]) - 1))
    assert gaps[1] < 0.6 * gaps[0]


def test_density_of_states_is_that_of_the_spectrum(rng: np.random.Generator) -> None:
    for gamma, energy in ((0.8, 0.0), (1.2, 1.0)):
        _, matrix = random_matrix(1000, gamma, 1.0, rng)
        with one_blas_thread():
            levels = np.linalg.eigvalsh(matrix)
        found = np.mean(np.abs(levels - energy) < 0.3) / 0.6
        theory = RosenzweigPorter(gamma=gamma, energy=energy, size=1000).theory(method="finite_size")
        assert float(theory["density_of_states"]) == pytest.approx(found, rel=0.1)


@pytest.mark.parametrize(("gamma", "exponent"), [(1.0, 0.2), (1.2, 0.3), (1.4, 0.4)])
def test_local_resolvents_follow_the_law(gamma: float, exponent: float) -> None:
    """Mean and cumulative distribution over the sites of a few matrices, eta well above the level spacing."""
    model = RosenzweigPorter(gamma=gamma, size=512, broadening_exponent=exponent)
    found = np.sort(np.concatenate([model.simulate(seed=seed).samples() for seed in range(6)]))
    theory = float(model.theory(method="finite_size")["log_local_density"])
    assert found.mean() == pytest.approx(theory, abs=0.06)
    law = model.law()
    step = law.values[1] - law.values[0]
    cumulative = np.cumsum(law.density) * step
    distance = np.abs(np.interp(found, law.values + step / 2, cumulative) - np.arange(len(found)) / len(found))
    assert distance[::10].max() < 0.12
    assert np.sum(law.density * law.values) * step == pytest.approx(theory, abs=0.01)


def test_no_law_where_sites_differ_only_by_what_it_leaves_out() -> None:
    """In the ergodic phase eq. (5) has less than half of the spread that the matrix has."""
    model = RosenzweigPorter(gamma=0.5, size=512)
    assert model.simulate(seed=1).samples().std() > 0.15
    with pytest.raises(NotOfferedError):
        model.law()


@pytest.mark.parametrize(("gamma", "energy"), [(0.5, 0.0), (1.0, 0.5), (1.5, 0.0)])
def test_weight_of_states_on_sites_follows_the_resolvent_in_every_phase(gamma: float, energy: float) -> None:
    """Between the curves of the picture lies little of the weight: 0.1 or less of it, noise of the bins included."""
    pictures = [RosenzweigPorter(gamma=gamma, energy=energy).simulate(seed=seed).picture() for seed in range(4)]
    measured = np.mean([picture.curves[0][1] for picture in pictures], axis=0)
    theory, step = pictures[0].curves[1][1], pictures[0].x[1] - pictures[0].x[0]
    assert 0.5 * np.abs(measured - theory).sum() * step < 0.1


def test_local_resolvent_is_that_of_the_matrix() -> None:
    model = RosenzweigPorter(gamma=1.2, size=40, energy=0.3)
    run = model.simulate(seed=3)
    matrix = (run.eigenvectors * run.energies) @ run.eigenvectors.T
    inverse = np.linalg.inv((0.3 + 1j * model.broadening()) * np.eye(40) - matrix)
    np.testing.assert_allclose(10 ** run.samples(), -np.diag(inverse).imag / math.pi, rtol=1e-9)


def test_survival_is_that_of_the_matrix_exponential() -> None:
    run = RosenzweigPorter(gamma=1.2, size=32).simulate(seed=3)
    run.advance(0.7)
    matrix = (run.eigenvectors * run.energies) @ run.eigenvectors.T
    evolved = expm(-1j * matrix * 0.7 * run.decay_time)
    expected = np.mean(np.abs(np.diag(evolved)[run.released]) ** 2)
    assert run.observe()["survival"] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("gamma", "tolerance"), [(0.0, 0.01), (0.7, 0.01), (1.25, 0.03), (1.5, 0.05)])
def test_survival_follows_the_predicted_path(gamma: float, tolerance: float) -> None:
    model = RosenzweigPorter(gamma=gamma, size=512)
    times = np.array([0.0, 0.3, 1.0, 2.0, 4.0, 20.0])
    runs = [model.simulate(seed=seed) for seed in range(6)]
    found = np.mean([[run.survival(t) for t in times] for run in runs], axis=0)
    np.testing.assert_allclose(found, model.predicted_path({"survival": 1.0}, times)["survival"], atol=tolerance)


@pytest.mark.parametrize(
    "controls",
    [{"gamma": 0.3}, {"gamma": 1.2, "size": 100, "energy": 1.3, "hopping": 2}, {"size": 640}, {"gamma": 2.0}],
)
def test_predicted_path_is_the_integral_of_the_spectrum_at_any_width(controls: dict[str, float]) -> None:
    """chi(t) of eq. (6) by brute force: 25,000 equal bins, however narrow the spectrum."""
    model = RosenzweigPorter(**controls)  # type: ignore[arg-type]
    square = model.hopping**2 * model.size ** (1 - model.gamma)
    omega = model.energy + np.linspace(-1, 1, 25_001) * (5 + 3 * math.sqrt(square))
    zeta, _, _ = shifted_energy(omega + 0j, np.full(omega.size, square))
    spectrum = -(1 / (zeta - model.energy)).imag
    spectrum /= spectrum.sum()
    inverse = float(model.theory(method="finite_size")["inverse_participation"])
    density = float(model.theory(method="finite_size")["density_of_states"])
    times = np.array([0.0, 0.25, 0.5, 1.0, 4.0])
    seconds = times * model.decay_time()
    chi = np.array([abs(np.sum(spectrum * np.exp(-1j * omega * t))) ** 2 for t in seconds])
    late = inverse * (1 - form_factor(seconds / (2 * math.pi * model.size * density)) / 3)
    expected = np.minimum(chi * (1 - 2 * inverse / 3) + late, 1)
    np.testing.assert_allclose(model.predicted_path({}, times)["survival"], expected, atol=1e-4)


def test_predicted_path_does_not_jump_with_the_size() -> None:
    """Diagonalised at N = 640 a quarter of a decay time leaves 0.8333(9)."""
    sizes = np.arange(560, 641, 5)
    quarter = [float(RosenzweigPorter(size=int(n)).predicted_path({}, np.array([0.25]))["survival"][0]) for n in sizes]
    assert np.all(np.diff(quarter) < 0)
    assert np.abs(np.diff(quarter)).max() < 4e-4
    inverse = float(RosenzweigPorter(size=640).theory(method="finite_size")["inverse_participation"])
    assert quarter[-1] == pytest.approx(0.8333, abs=inverse / 4 + 0.0009)


def test_weight_of_a_state_lies_in_its_strip_of_energies() -> None:
    model = RosenzweigPorter(gamma=1.3, size=1024)
    picture = model.simulate(seed=1).picture()
    measured, theory = (values for _, values in picture.curves)
    step = picture.x[1] - picture.x[0]
    assert np.abs(measured - theory).sum() * step < 0.15


def test_form_factor_is_continuous_and_falls_to_zero() -> None:
    k = np.array([0.0, 1 - 1e-9, 1 + 1e-9, 50.0])
    values = form_factor(k)
    assert values[0] == 1
    assert values[1] == pytest.approx(values[2], abs=1e-7)
    assert 0 < values[3] < 1e-4


def test_validity_is_flagged_in_the_localized_phase() -> None:
    assert int(RosenzweigPorter(gamma=1.4).theory(method="finite_size")["validity"]) == 0
    assert int(RosenzweigPorter(gamma=2.2).theory(method="finite_size")["validity"]) == 1
