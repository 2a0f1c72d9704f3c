"""Thermalization front: verified values, direct integration, exact shapes, walkers against both speeds of theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from mfexplore.models.fronts.thermalization_fkpp import ThermalizationFkpp
from mfexplore.models.fronts.thermalization_fkpp.dynamics import OFFSETS, spreading

GROWTH = {
    "continuum": lambda x, r: r + x * x, "lattice": lambda x, r: r + 2 * math.cosh(x) - 2,
    "bath_chain": lambda x, r: r + math.exp(x) - 1,
}  # fmt: skip


def known(name: str) -> Any:
    return next(v["value"] for v in reference_values("thermalization_fkpp") if v["id"] == name)


def speed(model: ThermalizationFkpp, method: str = "asymptotic", name: str = "speed") -> float:
    return float(model.theory(method=method, profiles=False)[name])


def euler_speed(medium: str, r: float, dt: float) -> float:
    """Slowest speed of a tail if eq. (1) is advanced by Euler's steps."""
    return float(minimize_scalar(lambda x: math.log1p(dt * GROWTH[medium](x, r)) / (x * dt), (0.5, 1.5), tol=1e-12).fun)


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "medium"), [("fkpp_lattice_h1", "lattice"), ("fkpp_bathchain", "bath_chain")])
def test_speeds_of_the_card(name: str, medium: str) -> None:
    model = ThermalizationFkpp(medium=medium)
    found = [speed(model, name="steepness"), speed(model)]
    np.testing.assert_allclose(found, known(name), rtol=1e-13)


@pytest.mark.parametrize(
    ("growth", "rear", "front"),
    [(0.25, 0.38240357, 1.78627313), (0.5, 0.18668231, 2.15553520), (0.9, 0.02045107, 2.61634618)],
)
def test_both_edges_of_the_bath_chain(growth: float, rear: float, front: float) -> None:
    """The review's values; the rear edge is the largest of -g(-s)/s."""
    model = ThermalizationFkpp(medium="bath_chain", growth=growth)
    assert speed(model) == pytest.approx(front, abs=1e-8)
    assert speed(model, name="rear_speed") == pytest.approx(rear, abs=1e-8)
    slowest = minimize_scalar(lambda s: GROWTH["bath_chain"](-s, growth) / s, bounds=(0.1, 20), method="bounded")
    assert speed(model, name="rear_speed") == pytest.approx(-slowest.fun, abs=1e-6)


@pytest.mark.parametrize("medium", ["continuum", "lattice", "bath_chain"])
@pytest.mark.parametrize("growth", [0.05, 0.7, 1.6])
def test_the_speed_is_the_slowest_of_all_tails(medium: str, growth: float) -> None:
    best = minimize_scalar(lambda x: GROWTH[medium](x, growth) / x, bounds=(1e-3, 6), method="bounded")
    model = ThermalizationFkpp(medium=medium, growth=growth, tail_steepness=4.0)
    assert speed(model) == pytest.approx(best.fun, rel=1e-8)


def test_direct_runs_of_the_card_are_ours_but_for_their_euler_steps() -> None:
    """Mean speeds between 200 and 400, and with a cut-off, by Euler's steps of 0.01, which are slow by a known part."""
    for medium, name in (("lattice", "fkpp_lattice_direct"), ("bath_chain", "fkpp_bathchain_direct")):
        run = ThermalizationFkpp(medium=medium, graininess="smooth", age=400.0, tail_steepness=4.0).simulate()
        run.advance(400)
        slow = speed(run.model) - euler_speed(medium, 1.0, 0.01)
        assert run.observe()["speed"] - slow == pytest.approx(known(name), abs=6e-4)
        assert run.observe()["speed"] == pytest.approx(speed(run.model, "relaxing"), abs=6e-4)
    for walkers, name in ((10**4, "fkpp_cutoff_0.0001"), (10**8, "fkpp_cutoff_1e-08")):
        run = ThermalizationFkpp(medium="lattice", graininess="cut_off", walkers=walkers).simulate()
        run.advance(200)
        slow = speed(run.model) - euler_speed("lattice", 1.0, 0.01)
        assert run.observe()["speed"] - slow == pytest.approx(known(name), rel=0.0015)  # of pieces of time
        assert run.observe()["speed"] == pytest.approx(speed(run.model, "cut_off"), rel=0.005)


# -- smooth heat ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("medium", ["continuum", "lattice", "bath_chain"])
def test_tips_advance_as_the_page_says(medium: str) -> None:
    """Spreading multiplies exp(-kx) by exp(dt g), without the growth."""
    spacing = 0.5 if medium == "continuum" else 1.0
    by, parts = spreading(medium, spacing, 0.25)
    for x in (0.3, 1.0):
        assert parts @ np.exp(x * by * spacing) == pytest.approx(math.exp(0.25 * GROWTH[medium](x, 0.0)), rel=1e-11)


@pytest.mark.parametrize("age", [100.0, 400.0])
def test_a_pulled_front_is_late_by_a_logarithm(age: float) -> None:
    run = ThermalizationFkpp(graininess="smooth", age=age).simulate()
    run.advance(age)
    rest = run.observe()["speed"] - speed(run.model, "relaxing")
    assert abs(rest) < 8 * math.log(age) / age**2  # the order of what eq. (5) leaves out
    assert speed(run.model) - run.observe()["speed"] > 1.5 / age


def test_the_lag_is_drawn_beside_its_logarithm() -> None:
    """Between the times 50 and 150 the run falls behind as eq. (5) says; a front that its tail drives does not."""
    run = ThermalizationFkpp(graininess="smooth").simulate()
    run.advance(150)
    seen, theory = run.pictures()["lag"].series  # type: ignore[union-attr]
    gained = [float(one.y[149] - one.y[49]) for one in (seen, theory)]
    assert gained[0] == pytest.approx(gained[1], abs=0.25)  # of the order ln(t) / t that eq. (5) leaves out
    assert gained[1] == pytest.approx(1.5 * math.log(3), rel=0.5)
    driven = ThermalizationFkpp(graininess="smooth", tail_steepness=0.5).simulate()
    driven.advance(40)
    assert len(driven.pictures()["lag"].series) == 1  # type: ignore[union-attr]
    assert np.ptp(driven.pictures()["lag"].series[0].y[20:]) < 1e-3  # type: ignore[union-attr]


def test_a_shallow_tail_is_kept_on_one_side_only() -> None:
    run = ThermalizationFkpp(graininess="smooth", tail_steepness=0.4).simulate()
    run.advance(60)
    assert run.observe()["speed"] == pytest.approx(speed(run.model), abs=1e-6)
    assert run.observe()["rear_speed"] == pytest.approx(speed(run.model, "relaxing", "rear_speed"), abs=0.1)


@pytest.mark.parametrize("cooperation", [4.0, 8.0])
def test_a_pushed_front_is_fast_at_once(cooperation: float) -> None:
    run = ThermalizationFkpp(graininess="smooth", cooperation=cooperation).simulate()
    run.advance(40)
    assert run.observe()["speed"] == pytest.approx(speed(run.model), rel=2e-3)  # pieces of time of 0.1


def test_exact_shapes() -> None:
    """Ablowitz and Zeppetella; the pushed front is a Fermi function; the simulation has the first, too."""
    model = ThermalizationFkpp(graininess="smooth", tail_steepness=math.sqrt(2 / 3))
    shift = math.sqrt(6) * math.log(math.sqrt(2) - 1)
    exact = (1 + np.exp((OFFSETS + shift) / math.sqrt(6))) ** -2.0
    theory = model.theory()["shape"].sel({"method": "asymptotic"}).values
    far = np.isfinite(theory)
    np.testing.assert_allclose(np.log(theory[far]), np.log(exact[far]), atol=0.01)
    run = model.simulate()
    run.advance(60)
    measured = run.profiles()["shape"]
    np.testing.assert_allclose(np.log(measured.values[far]), np.log(exact[far]), atol=0.1)  # time in quarters
    pushed = ThermalizationFkpp(cooperation=8.0).theory()["shape"].sel({"method": "asymptotic"}).values
    near = np.abs(OFFSETS) < 4
    np.testing.assert_allclose(pushed[near], 1 / (1 + np.exp(2 * OFFSETS[near])), atol=1e-5)


@pytest.mark.parametrize("age", [100.0, 300.0])
def test_a_cold_bath_eats_its_way_in(age: float) -> None:
    run = ThermalizationFkpp(medium="bath_chain", graininess="smooth", growth=0.5, age=age).simulate()
    run.advance(age)
    for name in ("speed", "rear_speed"):
        assert run.observe()[name] == pytest.approx(speed(run.model, "relaxing", name), abs=1 / age)


def test_of_iterations_that_begin_alike_only_the_rear_edge_is_there() -> None:
    """As in dynamical mean-field theory: they heat up together, and the bath of the start comes at the rear speed."""
    n, growth = 90, 0.5

    def rates(_: float, u: np.ndarray) -> np.ndarray:
        return np.append(0.0, u[:-1]) - u + growth * u * (1 - u)

    u = solve_ivp(rates, (0.0, 300.0), np.full(n, 0.1), t_eval=[20.0, 150.0, 300.0], rtol=1e-6, atol=1e-9).y
    assert (u[40:, 0] > 0.99).all()
    cold = n - u.sum(axis=0)
    model = ThermalizationFkpp(medium="bath_chain", growth=growth, age=300.0)
    assert (cold[2] - cold[1]) / 150 == pytest.approx(speed(model, "relaxing", "rear_speed"), abs=1 / 300)


def test_a_chain_that_makes_enough_heat_stays_hot() -> None:
    run = ThermalizationFkpp(medium="bath_chain", graininess="smooth", growth=1.5).simulate()
    run.advance(40)
    assert run.observe()["rear_speed"] == pytest.approx(speed(run.model, name="rear_speed"), abs=1e-3)
    assert run.heat[0] == pytest.approx(1 - 1 / 1.5, abs=0.05)  # 0 = -u + r u (1 - u)


# -- walkers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("walkers", [100, 10_000])
def test_walkers_run_between_the_two_speeds(walkers: int) -> None:
    """Slower than as a cut-off, faster than its leading correction, at two sizes and for both edges."""
    model = ThermalizationFkpp(medium="lattice", walkers=walkers, age=60.0)
    found = []
    for seed in range(3):
        run = model.simulate(seed=seed)
        run.advance(60)
        found += [run.observe()["speed"], -run.observe()["rear_speed"]]
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert speed(model, "cut_off") - 2 * error < np.mean(found) < speed(model, "noise") + 2 * error
    assert np.mean(found) + 4 * error < speed(model, "relaxing")


def test_walkers_without_noise_are_smooth_heat() -> None:
    """Means over one piece of time, of many walkers."""
    grainy = ThermalizationFkpp(walkers=1_000_000_000, tail_steepness=1.0)
    runs = [grainy.replace(graininess=grain).simulate(seed=1) for grain in ("walkers", "smooth")]
    for run in runs:
        run.advance(5)
    a, b = (run.heat[np.searchsorted(run.place, np.arange(-10.0, 11.0))] for run in runs)
    np.testing.assert_allclose(a, b, atol=5e-4)


def test_tails_of_walkers_end_and_the_front_is_pulled() -> None:
    run = ThermalizationFkpp(medium="lattice", walkers=100, tail_steepness=0.25).simulate(seed=1)
    run.advance(80)
    assert run.observe()["speed"] < 0.7 * speed(run.model)
    assert run.observe()["speed"] < speed(run.model.replace(tail_steepness=4.0)) * 1.1
