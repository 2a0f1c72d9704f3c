"""Moment closure: master equations by linear algebra, closures by integration and by quadrature, cells against both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import solve_ivp
from scipy.linalg import solve_continuous_lyapunov
from scipy.special import iv

from mfexplore.models.reactions.moment_closure import EXACT, MomentClosure, closures
from mfexplore.models.reactions.moment_closure.theory import pair_generator, pair_law

ROWS = reference_values("moment_closure")
CLOSURES = ("normal", "log_normal", "poisson", "normal_3")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_verified_values(row: dict[str, Any]) -> None:
    given, tolerance = row["params"], 10.0 ** (1 - row["digits"])
    if "c" in given:
        model = MomentClosure(network="pair_annihilation", birth=given["c"])
        theory = model.theory(method="exact", profiles=False).sel(branch="low")
        found = [theory["mean"], theory["variance"]]
        normal = model.theory(method="normal", profiles=False).sel(branch="low")
        assert bool(np.isfinite(normal["mean"])) == (given["c"] >= 50)  # as the check of the row says
    else:
        model = MomentClosure(volume=given["Omega"], feed=given["a3"], decay=given["a4"])
        if "closure" in row["quantity"]:
            theory = model.theory(method="normal", profiles=False)
            found = [theory[name].sel(branch=b) for b in ("low", "high") for name in ("mean", "variance")]
        else:
            theory = model.theory(method="exact", profiles=False).sel(branch="low")
            found = [theory[name] for name in ("mean", "variance", "switching_time", "return_time")]
    np.testing.assert_allclose([float(v) for v in found], row["value"], rtol=tolerance)


@pytest.mark.parametrize(("volume", "mean", "variance", "there", "back"), [
    (20, 3.23615060, 17.75462954, 555.4996593, 7.48320319), (40, 5.61583442, 15.33271718, 9534.713180, 14.0639763),
    (80, 10.85781596, 17.59814251, 2332893.48, 34.0310582),
])  # fmt: skip
def test_master_equation_at_larger_volumes(
    volume: int, mean: float, variance: float, there: float, back: float
) -> None:
    theory = MomentClosure(volume=volume).theory(method="exact", profiles=False).sel(branch="low")
    found = [float(theory[name]) for name in ("mean", "variance", "switching_time", "return_time")]
    np.testing.assert_allclose(found, [mean, variance, there, back], rtol=5e-9)


def test_bessel_functions_and_the_exact_second_moment() -> None:
    theory = MomentClosure(network="pair_annihilation").theory(
        method="exact", birth=np.array([0.01, 0.7, 30.0, 100.0]), profiles=False
    )
    c, m, v = theory["birth"].values, *(theory[name].sel(branch="low").values for name in ("mean", "variance"))
    u = 2 * np.sqrt(2 * c)
    np.testing.assert_allclose(m, np.sqrt(c / 2) * iv(0, u) / iv(1, u), rtol=1e-12)
    np.testing.assert_allclose(v + m * m - m, c / 2, rtol=1e-11)


def test_laws_at_rest_are_null_vectors() -> None:
    np.testing.assert_allclose(pair_generator(3.0, 0.7) @ pair_law(3.0, 0.7), 0, atol=1e-12)
    model = MomentClosure(volume=6.0)
    birth, death = model.chain()
    p = np.pad(model.master_law(), (0, len(birth)))[: len(birth)]
    assert p.sum() == pytest.approx(1, abs=1e-9)
    rate = np.append(0, birth[:-1] * p[:-1]) + np.append(death[1:] * p[1:], 0) - (birth + death) * p
    np.testing.assert_allclose(rate, 0, atol=1e-7)


@pytest.mark.parametrize(
    "controls",
    [{"volume": 10.0}, {"volume": 60.0, "feed": 0.4}, {"network": "pair_annihilation", "birth": 8.0, "loss": 1.0}],
)
def test_closures_end_where_their_equations_lead(controls: dict[str, Any]) -> None:
    """LSODA for a long time from hardly any and from very many molecules."""
    model = MomentClosure(**controls)
    theory, r, change = model.theory(profiles=False), model.reactions(), np.zeros(3)
    for k, name in enumerate(CLOSURES):
        found = theory["mean"].sel({"method": name}).values
        for first in (1e-3, float(model.replace(start="many").first_count)):

            def slopes(_: float, y: np.ndarray, k: int = k) -> np.ndarray:
                closures.change_of_one(y, k, r, change)
                return change.copy()

            end = solve_ivp(slopes, (0, 400), [first, 1e-6 if first < 1 else 0.0, 0.0], method="LSODA", rtol=1e-9).y
            assert np.nanmin(np.abs(found - end[0, -1])) < 1e-5 * (1 + end[0, -1]), (name, first)


@pytest.mark.parametrize(("birth", "loss"), [(0.03, 2.2), (0.02, 3.3), (1.0, 0.0)])
def test_no_answer_where_the_mean_falls_below_zero(birth: float, loss: float) -> None:
    """A long implicit step would jump over that, onto a state at rest that the moments never see."""
    model = MomentClosure(network="pair_annihilation", birth=birth, loss=loss)
    assert np.isnan(model.theory(method="normal", profiles=False)["mean"]).all()
    path = model.predicted_path({"mean": 0.0, "mean_y": np.nan}, np.linspace(0, 3, 31))
    assert np.isnan(path["mean"][closures.NORMAL, -1])


def expectation(function: Any, mean: np.ndarray, spread: np.ndarray) -> float:
    """Over two Gaussian variables, exactly for polynomials up to degree 11."""
    x, w = np.polynomial.hermite_e.hermegauss(6)
    root = np.linalg.cholesky(spread)
    a, b = np.meshgrid(x, x, indexing="ij")
    points = mean[:, None, None] + np.tensordot(root, np.stack([a, b]), 1)
    return float(np.sum(np.multiply.outer(w, w) * function(*points)) / (2 * np.pi))


def test_normal_closures_are_averages_over_gaussians() -> None:
    """The generator of the master equation, applied to x, x^2, ... and averaged over a Gaussian law by quadrature."""
    model = MomentClosure(network="brusselator", volume=7.0, conversion=1.3)
    m, s = np.array([6.0, 9.0]), np.array([[8.0, -3.0], [-3.0, 5.0]])
    jumps = [
        (lambda x, y: 7.0 + 0 * x, 1, 0), (lambda x, y: 1.3 * x, -1, 1), (lambda x, y: x * (x - 1) * y / 49, 1, -1),
        (lambda x, y: x, -1, 0),
    ]  # fmt: skip

    def change(f: Any) -> float:
        return sum(
            expectation(lambda x, y, r=r, i=i, j=j: r(x, y) * (f(x + i, y + j) - f(x, y)), m, s) for r, i, j in jumps
        )

    expected = [
        change(lambda x, y: x), change(lambda x, y: y), change(lambda x, y: (x - 6) ** 2),
        change(lambda x, y: (x - 6) * (y - 9)), change(lambda x, y: (y - 9) ** 2),
    ]  # fmt: skip
    found = np.zeros(5)
    closures.change_of_two(np.array([6.0, 9.0, 8.0, -3.0, 5.0]), closures.NORMAL, model.reactions(), found)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_linear_noise_of_the_brusselator_solves_lyapunov() -> None:
    b = 1.2
    theory = MomentClosure(network="brusselator", volume=30.0, conversion=b).theory(
        method="rate_equation", profiles=False
    ).sel(branch="low")  # fmt: skip
    drift, noise = np.array([[b - 1, 1], [-b, -1]]), np.array([[2 + 2 * b, -2 * b], [-2 * b, 2 * b]])
    spread = 30 * solve_continuous_lyapunov(drift, -noise)
    found = [float(theory[name]) for name in ("variance", "covariance", "variance_y")]
    np.testing.assert_allclose(found, spread[np.triu_indices(2)], rtol=1e-12)


def test_closures_become_right_as_molecules_become_many() -> None:
    """The error of the mean falls faster than that of the rate equation, as the inverse square of the number."""
    theory = MomentClosure(network="pair_annihilation").theory(birth=np.array([25.0, 100.0]), profiles=False)
    error = theory["relative_error"].sel(branch="low")
    ratio = (error[0] / error[1]).to_series()
    assert ratio["rate_equation"] == pytest.approx(2, rel=0.2)
    assert all(ratio[name] > 3.5 for name in ("normal", "log_normal", "poisson"))
    assert ratio["normal_3"] > 7


def test_below_a_number_of_molecules_closures_cannot_be_believed() -> None:
    """The paper's criterion for one state: a threshold of the true mean."""
    theory = MomentClosure(network="pair_annihilation").theory(birth=np.geomspace(0.1, 100, 13), profiles=False)
    phases = theory["phase"].attrs["flag_meanings"].split()
    for name in ("normal", "log_normal", "poisson", "normal_3"):
        good = theory["phase"].sel({"method": name}).values == phases.index("trustworthy") - 1
        assert good[-1]
        assert not good[0]
        assert (np.diff(good.astype(int)) >= 0).all(), name
    assert (theory["variance"].sel({"method": "poisson"}).sel(branch="low")[:5] < 0).all()


@pytest.mark.parametrize("size", [400, 6400])
@pytest.mark.parametrize("controls", [{"volume": 10.0}, {"network": "pair_annihilation", "birth": 5.0}])
def test_cells_follow_the_master_equation(controls: dict[str, Any], size: int) -> None:
    model = MomentClosure(**controls, size=size)
    run = model.simulate(seed=3)
    run.advance(3)
    times, series = run.series()
    path = model.predicted_path({"mean": 0.0, "mean_y": np.nan}, times)
    error = path["mean_deviation"][EXACT]
    assert (np.abs(series["mean"] - path["mean"][EXACT]) <= 4 * error + 1e-9).all()
    fraction = run.profiles()["distribution"]
    assert fraction.values.sum() == pytest.approx(1, abs=0.01)
    if size > 1000:  # enough to see that closures of second order are wrong
        closure = closures.NORMAL if model.network == "schloegl" else closures.LOG_NORMAL
        assert np.abs(series["mean"][-1] - path["mean"][closure, -1]) > 4 * error[-1]


def test_full_cells_come_down_to_the_low_state() -> None:
    model = MomentClosure(volume=10.0, size=1500, start="many")
    run = model.simulate(seed=2)
    run.advance(25)
    exact = model.exact()
    path = model.predicted_path({"mean": 30.0, "mean_y": np.nan}, np.array([0.0, 25.0]))
    assert run.observe()["mean"] == pytest.approx(path["mean"][EXACT, -1], abs=4 * path["mean_deviation"][EXACT, -1])
    assert path["mean"][EXACT, -1] == pytest.approx(exact["mean"], rel=0.05)


def test_a_closure_circles_where_the_mean_over_cells_comes_to_rest() -> None:
    model = MomentClosure.preset("false oscillation").replace(size=400)
    run = model.simulate(seed=1)
    run.advance(60)
    times, series = run.series()
    path = model.predicted_path({"mean": 0.0, "mean_y": 0.0}, times)
    late = times > 40
    normal, cells = (np.ptp(x[late]) for x in (path["mean"][closures.NORMAL], series["mean"]))
    assert normal > 60
    assert cells < normal / 3
    one_cell = run.lines[-200:, 0]
    assert np.ptp(one_cell) > 60
    assert series["mean"][late].mean() == pytest.approx(50, abs=4)  # <x> at rest is the volume, exactly
