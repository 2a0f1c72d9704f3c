"""Beta ensembles: matrices, densities and samplers by independent ways, simulation against theory at two sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.special import pbdv

from mfexplore.core import Law, NotOfferedError
from mfexplore.models.glasses.beta_ensemble import BetaEnsemble
from mfexplore.models.glasses.beta_ensemble.dynamics import classical_matrix, draw_diagonal, draw_square, gibbs_pass
from mfexplore.models.glasses.beta_ensemble.theory import Charges, coefficients, coulomb_gas, mean_field, quartic_gas
from mfexplore.numerics.matrices.tridiagonal import tridiagonal_eigenvalues

REFERENCES = {v["id"]: v for v in reference_values("beta_ensemble")}


def law(model: BetaEnsemble, observable: str, method: str | None = None) -> Law:
    return next(law for law in model.laws(0.0) if (law.observable, law.method) == (observable, method))


def moments(law: Law) -> tuple[float, float]:
    mean = float(np.trapezoid(law.values * law.density, law.values))
    return mean, float(np.trapezoid((law.values - mean) ** 2 * law.density, law.values))


def cumulative(law: Law) -> np.ndarray:
    steps = np.diff(law.values) * (law.density[1:] + law.density[:-1]) / 2
    return np.concatenate([[0], np.cumsum(steps)])


# -- reference values --------------------------------------------------------------------------------------------------


def test_reference_value_of_the_trace() -> None:
    trace, *_ = REFERENCES["beta_hermite_b2"]["value"]
    assert 200 * BetaEnsemble(beta=2, size=200).exact()["variance"] == pytest.approx(trace, abs=1e-9)
    for beta, expected in ((1, 20100), (2, 40000), (4, 79800)):
        assert 200 * BetaEnsemble(beta=beta, size=200).exact()["variance"] == pytest.approx(expected, abs=1e-9)


def test_reference_values_of_the_largest_level() -> None:
    (one, two), four = REFERENCES["lit_TW"]["value"], REFERENCES["tw_beta4_rrv"]["value"]
    for beta, expected in ((1, one), (2, two), (4, four)):
        assert BetaEnsemble(beta=beta).scaled_largest_level() == pytest.approx(expected, abs=1e-3)
    _, mean, variance = REFERENCES["beta_hermite_b2"]["value"]  # of 300 matrices, +-0.08
    run = BetaEnsemble(beta=2, size=200).simulate(seed=1)
    run.advance(300)
    scaled = math.sqrt(2) * 200 ** (1 / 6) * (run.samples("largest_level") / math.sqrt(2) - 20)
    assert scaled.mean() == pytest.approx(mean, abs=0.15)
    assert scaled.var() == pytest.approx(variance, abs=0.2)


@pytest.mark.parametrize(
    ("c", "density", "fourth"), [(0.5, 0.3042971195, 6.0), (1, 0.2539745437, 10.0), (5, 0.1354530900, 78.0)]
)
def test_review_values_of_the_crossover(c: float, density: float, fourth: float) -> None:
    """rho(0) and E x^4 = 3 + 5c + 2c^2 of the Hermite gas as N grows at fixed c."""
    found = mean_field(Charges("hermite", c, 1.0, 0.0, 0.0, 1.0, 0.0))
    assert CubicSpline(found.values, found.density)(0) == pytest.approx(density, rel=1e-3)
    _, squares = coefficients("hermite", *np.array([[c], [0.0], [0.0], [1.0]]), 2)
    assert squares[0, 0] * (squares[0, 0] + squares[0, 1]) == pytest.approx(fourth, abs=1e-12)
    if c >= 2.5:
        theory = BetaEnsemble(beta=2 * c / 5000, size=5000).theory(method="mean_field")
        assert float(theory["kurtosis"] * theory["variance"] ** 2) == pytest.approx(fourth, rel=2e-3)


# -- densities ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c", [0.3, 2.0, 6.0])
def test_hermite_density_is_the_parabolic_cylinder(c: float) -> None:
    """Rho = 1 / (sqrt(2 pi) Gamma(1+c) |D_-c(ix)|^2), with D_-c as an integral (Allez, Bouchaud and Guionnet)."""
    found = mean_field(Charges("hermite", c, 1.0, 0.0, 0.0, 1.0, 0.0))
    assert pbdv(-c, 0.0)[0] == pytest.approx(abs(cylinder(c, 0.0)), rel=1e-8)
    for x in (0.0, 0.7, 2.0):
        expected = 1 / (math.sqrt(2 * math.pi) * math.gamma(1 + c) * abs(cylinder(c, x)) ** 2)
        assert np.interp(x, found.values, found.density) == pytest.approx(expected, rel=2e-3)


def cylinder(c: float, x: float) -> complex:
    """D_-c(ix) = e^(x^2/4) / Gamma(c) * int_0^inf t^(c-1) e^(-t^2/2 - ixt) dt, with t = u^(1/c)."""
    parts = [
        quad(lambda u, f=f: math.exp(-(u ** (2 / c)) / 2) * f(x * u ** (1 / c)) / c, 0, 12**c, limit=400)[0]
        for f in (math.cos, math.sin)
    ]
    return math.exp(x * x / 4) / math.gamma(c) * complex(parts[0], -parts[1])


@pytest.mark.parametrize(
    "at",
    [
        Charges("hermite", 3.0, 0.7, 0.0, 0.0, 1.0, 0.0),
        Charges("laguerre", 4.0, 1.0, 2.0, 0.0, 1.0, 0.0),
        Charges("jacobi", 2.0, 0.9, 1.5, 3.0, 1.0, 0.0),
        Charges("quartic", 5.0, 1.0, 0.0, 0.0, 0.7, -2.0),
        Charges("quartic", 2.0, 0.8, 0.0, 0.0, 1.0, -9.0),
    ],
)
def test_the_mean_field_equation_holds_on_every_density(at: Charges) -> None:
    """Eq. (3) itself, with the integral of the logarithm done by brute force over a piecewise constant density."""
    found = mean_field(at)
    inside = (found.below > 0.02) & (found.above > 0.02)
    edges = np.concatenate([[1.5 * found.values[0] - found.values[1] / 2], (found.values[1:] + found.values[:-1]) / 2,
                            [1.5 * found.values[-1] - found.values[-2] / 2]])  # fmt: skip
    density = found.density
    x = found.values[inside]

    def primitive(d: np.ndarray) -> np.ndarray:
        return np.where(d == 0, 0, d * np.log(np.abs(np.where(d == 0, 1, d))) - d)

    field = np.array([np.sum(density * (primitive(edges[1:] - y) - primitive(edges[:-1] - y))) for y in x])
    potential = {
        "hermite": lambda x: x**2 / 2,
        "laguerre": lambda x: x - at.left * np.log(x),
        "jacobi": lambda x: -at.left * np.log(x) - at.right * np.log(1 - x),
        "quartic": lambda x: at.g * x**4 / 4 + at.mu * x**2 / 2,
    }[at.potential](x)
    balance = at.tau * np.log(density[inside]) + potential - 2 * at.c * field
    assert np.ptp(balance) < 0.03 * (1 + at.c)


@pytest.mark.parametrize("potential", ["hermite", "laguerre", "jacobi", "quartic"])
def test_the_coulomb_gas_is_the_cold_limit_of_the_mean_field(potential: str) -> None:
    """Both cumulative distributions meet as c grows, the exponents of the walls with it."""
    gaps = []
    for c in (3.0, 30.0, 150.0):
        at = Charges(potential, c, 1.0, c / 2, c, 1.0, 0.0)
        warm, cold = mean_field(at), coulomb_gas(at)
        gaps.append(np.abs(np.interp(warm.values, cold.values, cold.below) - warm.below).max())
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2]
    assert gaps[2] < 0.005


@given(st.floats(-3, 2.3), st.floats(-50, 20))
@settings(max_examples=12)
def test_the_quartic_gas_obeys_the_virial_theorem(decade: float, m: float) -> None:
    c = 10**decade
    gas = quartic_gas(np.array([c]), np.array([m]))
    assert gas.residual[0] < 1e-10
    second, fourth = (float(np.sum(gas.masses * gas.places**k)) for k in (2, 4))
    assert fourth + m * second == pytest.approx(c + 1, rel=1e-6)


def test_without_repulsion_the_quartic_gas_is_boltzmanns() -> None:
    gas = quartic_gas(np.array([1e-12]), np.array([-3.0]))
    weight = lambda x: math.exp(-(x**4) / 4 + 1.5 * x * x)  # noqa: E731
    second = quad(lambda x: x * x * weight(x), 0, 8)[0] / quad(weight, 0, 8)[0]
    assert float(np.sum(gas.masses * gas.places**2)) == pytest.approx(second, rel=1e-9)


def test_cold_quartic_levels_are_a_perturbation_of_the_coulomb_gas() -> None:
    """Just below and above the temperature where one takes over from the other, in one band and in two."""
    for mu in (10.0, 0.0, -20.0, -40.0):
        pairs = [
            float(BetaEnsemble(potential="quartic", quadratic=mu, beta=beta, size=600).theory()["variance"][0])
            / float(BetaEnsemble(potential="quartic", quadratic=mu, beta=beta, size=600).theory()["variance"][1])
            for beta in (0.4999, 0.5001)
        ]
        assert pairs[0] == pytest.approx(pairs[1], rel=2e-4)


def test_recipes_and_their_means_are_the_same_matrix() -> None:
    """The first rows of many matrices are, but for 1/N, those of the Coulomb gas (tau = 0)."""
    rng = np.random.default_rng(1)
    n, beta = 4000, 2.0
    shapes = beta / 2 * np.arange(n - 1, -1, -1.0)
    for potential in ("hermite", "laguerre", "jacobi"):
        a, b = (np.array(x) for x in zip(*(classical_matrix(potential, shapes, 900.0, 2000.0, rng) for _ in range(20)),
                                         strict=True))  # fmt: skip
        c, left, right = (np.array([x]) for x in (beta * n / 2, 899.0, 1999.0))
        diagonal, squares = coefficients(potential, c, left, right, np.zeros(1), 2)
        assert b[:, 1:20].mean() == pytest.approx(squares[0, 1], rel=0.02)
        assert a[:, 1:20].mean() == pytest.approx(diagonal[0, 1], rel=0.02, abs=0.3)


# -- samplers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("potential", "beta"), [("hermite", 1.0), ("laguerre", 2.0), ("jacobi", 4.0)])
def test_two_levels_have_the_joint_density(potential: str, beta: float) -> None:
    """Second moment of the gap and mean of the sum, against integrals of eq. (1) for N = 2."""
    rng = np.random.default_rng(2)
    left, right = 1.5, 2.5
    shapes = np.array([beta / 2, 0.0])
    pairs = []
    for _ in range(1500):
        (a1, a2), (b,) = classical_matrix(potential, shapes, left, right, rng)
        pairs.append((math.sqrt((a1 - a2) ** 2 + 4 * b), a1 + a2))
    x, w = np.polynomial.legendre.leggauss(400)
    low, high = {"hermite": (-9, 9), "laguerre": (0, 40), "jacobi": (0, 1)}[potential]
    x, w = low + (high - low) * (1 + x) / 2, w
    weight = {
        "hermite": lambda x: np.exp(-(x**2) / 2),
        "laguerre": lambda x: x ** (left - 1) * np.exp(-x),
        "jacobi": lambda x: x ** (left - 1) * (1 - x) ** (right - 1),
    }[potential](x)
    both = np.multiply.outer(w * weight, w * weight) * np.abs(x[:, None] - x) ** beta
    both /= both.sum()
    for values, expected in zip(
        np.transpose([(gap**2, total) for gap, total in pairs]),
        (np.sum(both * (x[:, None] - x) ** 2), np.sum(both * (x[:, None] + x))),
        strict=True,
    ):
        assert values.mean() == pytest.approx(expected, abs=4 * values.std() / math.sqrt(values.size))


@pytest.mark.parametrize(("g", "stiffness", "force"), [(1.0, 2.0, 0.5), (0.3, 0.0, -4.0), (2.0, -3.0, 0.4)])
def test_draws_of_the_diagonal_are_exact(g: float, stiffness: float, force: float) -> None:
    rng = np.random.default_rng(3)
    drawn = np.array([draw_diagonal(g, stiffness, force, rng) for _ in range(2500)])
    x = np.linspace(-12, 12, 24001)
    weight = np.exp(-g * x**4 / 4 - stiffness * x**2 - force * x)
    assert_drawn_from(drawn, x, weight)


@pytest.mark.parametrize(("shape", "rate", "g"), [(0.4, 1.0, 1.0), (5.0, 0.0, 0.5), (3.0, -6.0, 2.0), (80.0, 2.0, 1.0)])
def test_draws_of_the_squares_are_exact(shape: float, rate: float, g: float) -> None:
    rng = np.random.default_rng(4)
    drawn = np.array([draw_square(shape, rate, g, rng) for _ in range(2500)])
    u = np.linspace(-40, 5, 45001)  # b = e^u
    assert_drawn_from(np.log(drawn), u, np.exp(shape * u - rate * np.exp(u) - g * np.exp(2 * u) / 2))


def assert_drawn_from(drawn: np.ndarray, x: np.ndarray, weight: np.ndarray) -> None:
    """Kolmogorov's distance, which exceeds 1.95 / sqrt(n) once in a thousand."""
    below = np.cumsum(weight) / np.sum(weight)
    ordered = np.sort(drawn)
    distance = np.abs(np.interp(ordered, x, below) - (np.arange(ordered.size) + 0.5) / ordered.size).max()
    assert distance < 1.95 / math.sqrt(drawn.size)


def test_gibbs_passes_of_two_levels_reach_the_joint_density() -> None:
    """Mean square of the gap and of the sum for N = 2 in the quartic potential, beta = 1, by integration."""
    rng = np.random.default_rng(5)
    a, b, shapes = np.zeros(2), np.array([0.5, 0.0]), np.array([0.5, 0.0])
    found = []
    for _ in range(9_000):
        gibbs_pass(a, b, shapes, 1.0, -2.0, rng)
        found.append(((a[0] - a[1]) ** 2 + 4 * b[0], (a[0] + a[1]) ** 2))
    x, w = np.polynomial.legendre.leggauss(300)
    x, w = 5 * x, 5 * w * np.exp(-((5 * x) ** 4) / 4 + (5 * x) ** 2)
    both = np.multiply.outer(w, w) * np.abs(x[:, None] - x)
    both /= both.sum()
    blocks = np.array(found[1000:]).reshape(16, 500, 2).mean(axis=1)  # longer than the chain remembers
    for values, expected in zip(
        blocks.T, (np.sum(both * (x[:, None] - x) ** 2), np.sum(both * (x[:, None] + x) ** 2)), strict=True
    ):
        assert values.mean() == pytest.approx(expected, abs=4 * values.std() / math.sqrt(len(values)))


# -- simulation against theory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [30, 120])
@pytest.mark.parametrize(
    "controls",
    [
        {"beta": 1.0},
        {"beta": 0.02},
        {"potential": "laguerre", "beta": 1.0, "left_exponent": 51.0},
        {"potential": "jacobi", "beta": 0.5, "left_exponent": 3.0, "right_exponent": 20.0},
        {"potential": "quartic", "beta": 1.0, "quadratic": -3.0},
    ],
)
def test_levels_have_the_predicted_moments_and_gap_ratio(controls: dict, size: int) -> None:
    """Within 4 standard errors, and half of 1/N more for the moments and 0.003 for the surmise of the ratio."""
    model = BetaEnsemble(size=size, **controls)
    found = model.ensemble(samples=6, seed=2)
    theory = model.theory(method="mean_field", profiles=False)
    for name, bias in (
        ("variance", 0.5 / size * float(theory["variance"])),
        ("kurtosis", 1 / size),
        ("gap_ratio", 0.003),
    ):
        error = 4 * float(found[f"{name}_standard_error"]) + bias
        assert float(found[name]) == pytest.approx(float(theory[name]), abs=error), name


@pytest.mark.parametrize("size", [30, 120])
@pytest.mark.parametrize(
    ("method", "controls"),
    [
        ("coulomb_gas", {"beta": 1.0}),
        ("coulomb_gas", {"beta": 4.0}),
        ("coulomb_gas", {"potential": "laguerre", "beta": 1.0, "left_exponent": 51.0}),
        ("coulomb_gas", {"potential": "jacobi", "beta": 2.0, "left_exponent": 40.0, "right_exponent": 60.0}),
        ("coulomb_gas", {"potential": "quartic", "beta": 2.0, "quadratic": 5.0}),
        ("mean_field", {"beta": 0.005}),
        ("mean_field", {"potential": "laguerre", "beta": 0.005}),
    ],
)
def test_the_largest_level_has_the_predicted_law(method: str, controls: dict, size: int) -> None:
    model = BetaEnsemble(size=size, **controls)
    run = model.simulate(seed=3)
    run.advance(300)
    found = run.samples("largest_level")
    mean, variance = moments(law(model, "largest_level", method))
    assert found.mean() == pytest.approx(mean, abs=4 * found.std() / math.sqrt(found.size))
    assert found.std() / math.sqrt(variance) == pytest.approx(1, abs=0.12)


def test_each_theory_fails_where_the_other_holds() -> None:
    """Cold levels are not independent, so their largest is not; hot ones do not stay within an edge."""
    cold = BetaEnsemble(beta=1.0, size=100)
    run = cold.simulate(seed=3)
    run.advance(200)
    found = run.samples("largest_level")
    mean, _ = moments(law(cold, "largest_level", "mean_field"))
    assert abs(found.mean() - mean) > 5 * found.std() / math.sqrt(found.size)
    hot = BetaEnsemble(beta=0.02, size=100).ensemble(samples=6, seed=3)
    error = float(hot["kurtosis_standard_error"])
    assert float(hot["kurtosis"]) > 2 + 10 * error


@pytest.mark.parametrize("beta", [0.005, 1.0, 4.0])
def test_gaps_follow_the_surmise(beta: float) -> None:
    model = BetaEnsemble(beta=beta, size=200)
    run = model.simulate(seed=4)
    run.advance(100)
    gaps = np.sort(run.samples("spacing"))
    surmise = law(model, "spacing")
    expected = np.interp(gaps, surmise.values, cumulative(surmise))
    assert np.abs(expected - np.arange(gaps.size) / gaps.size).max() < 0.03


@pytest.mark.parametrize("size", [20, 300])
def test_a_few_gibbs_passes_are_enough_at_any_size(size: int) -> None:
    """From a variance many times too large to within the scatter of one matrix, along the predicted path."""
    model = BetaEnsemble(potential="quartic", beta=4.0, size=size)
    starts, traces = [], []
    for seed in range(6):
        run = model.simulate(seed=seed)
        run.advance(6)
        traces.append(run.series()[1]["variance"])
        starts.append(traces[-1][0])
    trace = np.mean(traces, axis=0)
    theory = model.spread()
    assert trace[0] > 4 * theory
    assert trace[4:].mean() == pytest.approx(theory, rel=0.5 / math.sqrt(size))
    path = model.predicted_path({"variance": float(np.mean(starts))}, np.arange(7.0))["variance"]
    np.testing.assert_allclose(trace, path, rtol=2 / math.sqrt(size))


def test_the_sampler_is_slow_where_a_stretch_of_the_matrix_is_about_to_split() -> None:
    """One well: a fixed share of the way per pass. A barrier: somewhere down the matrix mu = -2 sqrt(g kappa)."""
    passes = []
    for mu in (20.0, 0.0, -20.0):
        model = BetaEnsemble(potential="quartic", beta=2.0, size=200, quadratic=mu)
        path = model.predicted_path({"variance": 200.0}, np.arange(150.0))["variance"]
        assert path[-1] == pytest.approx(model.spread(), rel=1e-4)
        passes.append(int(np.argmax(np.abs(path / path[-1] - 1) < 0.001)))
    assert passes[0] < passes[1] < 8 < 12 < passes[2]


def test_off_diagonals_follow_the_profile() -> None:
    for controls in ({}, {"potential": "laguerre", "left_exponent": 60.0}, {"potential": "quartic", "quadratic": 3.0}):
        model = BetaEnsemble(size=300, **controls)
        run = model.simulate(seed=5)
        run.advance(60)
        measured = run.profiles()["off_diagonal_square"]
        theory = model.profiles()["off_diagonal_square"]
        expected = np.interp(measured.coordinate, theory.coordinate, theory.values[0])
        np.testing.assert_allclose(measured.values, expected, rtol=0.05, atol=0.02 * expected.max())


@pytest.mark.parametrize("mu", [0.0, -8.0])
def test_errors_of_the_profile_know_how_slow_the_sampler_is(mu: float) -> None:
    """They are the scatter of independent runs, also where a pass remembers many others."""
    seen, errors = [], []
    for seed in range(8):
        run = BetaEnsemble(potential="quartic", size=24, quadratic=mu).simulate(seed=seed)
        run.advance(300)
        measured = run.profiles()["off_diagonal_square"]
        seen.append(measured.values)
        errors.append(measured.error)
    ratio = np.mean(errors, axis=0) / np.std(seen, axis=0, ddof=1)
    assert 0.65 < np.median(ratio) < 1.6


def test_a_run_that_follows_other_controls_forgets_all_but_its_matrix() -> None:
    run = BetaEnsemble(potential="quartic", size=40).simulate(seed=1)
    run.advance(5)
    before = run.a.copy()
    assert run.follow(run.model.replace(quadratic=3.0))
    np.testing.assert_array_equal(run.a, before)
    assert run.samples("largest_level").size == 1
    assert np.isfinite(list(run.observe().values())).all()
    for name in run.pictures():
        run.pictures()[name]


def test_eigenvalues_of_a_run_are_those_of_its_matrix() -> None:
    run = BetaEnsemble(potential="quartic", size=50).simulate(seed=1)
    run.advance(3)
    np.testing.assert_allclose(run.spectra[-1], tridiagonal_eigenvalues(run.a, run.b[:-1]), atol=1e-12)
    matrix = np.diag(run.a) + np.diag(np.sqrt(run.b[:-1]), 1) + np.diag(np.sqrt(run.b[:-1]), -1)
    np.testing.assert_allclose(run.spectra[-1], np.linalg.eigvalsh(matrix), atol=1e-12)


# -- what is offered ---------------------------------------------------------------------------------------------------


def test_phases_and_failures() -> None:
    def phase(**controls) -> str:
        found = BetaEnsemble(**controls).theory(profiles=False)
        return found["phase"].attrs["flag_meanings"].split()[int(found["phase"]) + 1]

    assert phase(beta=0.001) == "gas"
    assert phase(beta=0.1) == "liquid"
    assert phase(beta=2) == "rigid"
    assert phase(potential="quartic", quadratic=-35) == "two_bands"
    assert BetaEnsemble(beta=0.05).theory()["validity"].values.tolist() == [0, 1]
    assert BetaEnsemble(beta=1).theory()["validity"].values.tolist() == [0, 0]


def test_no_law_where_there_is_no_edge() -> None:
    names = [(one.observable, one.method) for one in BetaEnsemble(potential="jacobi").laws(0)]
    assert ("largest_level", "coulomb_gas") not in names
    assert ("level", "mean_field") not in names  # beta = 2: entropy spreads nothing
    with pytest.raises(NotOfferedError):
        BetaEnsemble(potential="quartic").exact()
