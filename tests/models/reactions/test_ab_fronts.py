"""Reaction fronts: the front's own equation, the partial differential equations, simulation in both dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_bvp
from scipy.linalg import solve_banded
from scipy.special import erf

from mfexplore.models.reactions.ab_fronts import AbFronts
from mfexplore.models.reactions.ab_fronts.theory import front, steps_noise


def value(model: AbFronts, name: str, method: str = "quasi_static") -> float:
    return float(model.theory(method=method, profiles=False)[name])


# -- verified values -----------------------------------------------------------------------------------------------


def test_the_front_of_the_review_by_collocation() -> None:
    """s(0), largest rate, standard deviation and integral, by a solver of boundary-value problems."""
    z = np.linspace(0, 12, 241)
    found = solve_bvp(
        lambda z, y: np.array([y[1], y[0] ** 2 - z * z / 4]), lambda a, b: np.array([a[1], b[0] - 6.0]),
        z, np.stack([np.sqrt(z * z / 4 + 0.3), z / (4 * np.sqrt(z * z / 4 + 0.3))]), tol=1e-8, max_nodes=20_000,
    )  # fmt: skip
    fine, s, deviation = front()
    np.testing.assert_allclose(found.sol(fine)[0], s, atol=1e-7)
    rate = s * s - fine * fine / 4
    assert s[0] == pytest.approx(0.54535410, abs=1e-8)
    assert rate[0] == pytest.approx(0.29741109, abs=1e-8)
    assert deviation == pytest.approx(1.37931480, abs=1e-7)
    assert 2 * np.trapezoid(rate, fine) == pytest.approx(1, abs=1e-5)


def test_exponents_of_time() -> None:
    """W ~ t^(1/6), R ~ t^(-1/2), R/W ~ t^(-2/3); free mixing W ~ t^(1/2)."""
    theory = AbFronts().theory(profiles=False, age=np.array([100.0, 6400.0]))
    grown = {name: np.log(theory[name][1] / theory[name][0]) / math.log(64) for name in ("width", "rate", "local_rate")}
    for name, exponent in (("width", 1 / 6), ("rate", -1 / 2), ("local_rate", -2 / 3)):
        assert float(grown[name].sel({"method": "quasi_static"})) == pytest.approx(exponent, abs=1e-12)
    assert float(grown["width"].sel({"method": "free_mixing"})) == pytest.approx(1 / 2, abs=1e-12)


def test_noise_of_the_steps_is_a_double_integral() -> None:
    """Variance of psi at the front by all steps older than s, where |psi| = erf: eq. (6) without its log."""

    def by_steps_before(s: float, t: float = 1.0) -> float:
        def older(age: float) -> float:
            def at(y: float) -> float:
                spread = math.exp(-y * y / (2 * age)) / (4 * math.pi * age)
                return 2 * (y / (2 * age)) ** 2 * spread * math.erf(abs(y) / math.sqrt(4 * (t - age)))

            return 2 * quad(at, 0, 12 * math.sqrt(age), epsrel=1e-9)[0]

        return quad(older, s, t, limit=200, epsrel=1e-8)[0]

    cut = 1e-3
    tail = (math.sqrt(2) * math.log(1 / cut) + steps_noise()) / (math.sqrt(8) * math.pi**1.5)
    assert by_steps_before(cut) == pytest.approx(tail, abs=2e-4)


# -- mean field, solved in time --------------------------------------------------------------------------------------


def front_in_time(k: float, a0: float, b0: float, times: list[float]) -> list[tuple[float, float, float]]:
    """(width, position, rate) of eq. (1) by implicit steps on a line, with a - b as it is known."""
    x = np.linspace(-60, 60, 2401)
    h = x[1] - x[0]
    a, now, found = np.where(x < 0, a0, 0.0), 0.0, []
    for target in times:
        while now < target - 1e-9:
            dt = min(max(0.002, 0.004 * now), target - now)
            now += dt
            psi = (a0 - b0) / 2 - (a0 + b0) / 2 * erf(x / math.sqrt(4 * now))
            new = a.copy()
            for _ in range(4):  # Newton, of a linear and a square term
                gap = new - a + dt * k * new * (new - psi)
                gap[1:-1] -= dt * (new[2:] - 2 * new[1:-1] + new[:-2]) / h**2
                bands = np.zeros((3, x.size))
                bands[0, 2:] = bands[2, :-2] = -dt / h**2
                bands[1] = 1 + 2 * dt / h**2 + dt * k * (2 * new - psi)
                bands[1, [0, -1]], gap[0], gap[-1] = 1.0, new[0] - a0, new[-1]
                new = new - solve_banded((1, 1), bands, gap)
            a = new
        rate = k * a * (a - psi)
        total = np.trapezoid(rate, x)
        position = np.trapezoid(rate * x, x) / total
        found.append((math.sqrt(np.trapezoid(rate * (x - position) ** 2, x) / total), position, total))
    return found


def test_mean_field_goes_from_free_mixing_to_the_quasi_static_front() -> None:
    """The line with p = 1, k = 4: what matters is k a0 t."""
    early, late = front_in_time(4.0, 1.0, 1.0, [0.01, 60.0])
    model = AbFronts(geometry="line", reactivity=1.0)
    theory = model.fronts(np.array([0.01, 60.0]), np.ones(2), np.ones(2), np.ones(2))
    assert early[0] == pytest.approx(theory["width"][0, 1], rel=0.08)
    assert late[0] == pytest.approx(theory["width"][1, 0], rel=0.03)
    assert late[2] == pytest.approx(theory["rate"][1, 0], rel=0.03)


def test_a_weaker_species_is_driven_back() -> None:
    ((_, position, rate),) = front_in_time(4.0, 1.0, 0.4, [60.0])
    model = AbFronts(geometry="line", reactivity=1.0, density_ratio=0.4, age=60.0)
    assert position == pytest.approx(value(model, "position"), rel=0.035)
    assert rate == pytest.approx(value(model, "rate"), rel=0.03)


def test_profiles_are_normalised_and_densities_are_those_of_the_difference() -> None:
    profile = AbFronts(geometry="line").theory()["reaction_profile"]
    for shape in profile.transpose("method", "offset").values:
        assert np.trapezoid(shape, profile["offset"]) == pytest.approx(1, abs=3e-4)
        assert np.trapezoid(shape * profile["offset"] ** 2, profile["offset"]) == pytest.approx(1, abs=6e-3)
    model = AbFronts(density_ratio=0.5)
    place = np.linspace(-100, 100, 41)
    a, b = model.profile(place, 1000.0)
    np.testing.assert_allclose(a - b, 0.25 - 0.75 * erf(place / math.sqrt(4000)), atol=1e-12)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plane() -> Any:
    run = AbFronts(reactivity=0.05, walkers=2.0, length=160, rows=150).simulate(seed=1)
    run.advance(150)
    return run


def test_a_front_in_the_plane_is_quasi_static(plane: Any) -> None:
    seen = plane.observe()
    model = plane.model.replace(age=135.0)  # the middle of what is looked at
    assert seen["rate"] == pytest.approx(value(model, "rate"), rel=0.14)  # three standard errors of 500 reactions
    assert seen["width"] == pytest.approx(value(model, "width"), rel=0.12)
    assert abs(seen["position"]) < 0.6
    times, series = plane.series()
    early = np.interp([15.0, 150.0], times, series["width"])
    assert math.log(early[1] / early[0]) / math.log(10) == pytest.approx(1 / 6, abs=0.06)


def test_densities_and_places_of_reactions_are_those_of_mean_field(plane: Any) -> None:
    a, b = plane.densities()
    for found, theory in zip((a, b), plane.model.profile(plane.place, plane.time), strict=True):
        assert np.abs(found - theory).max() < 5 * math.sqrt(2 / 150) + 0.02
        assert np.abs(found - theory).mean() < 0.08
    measured = plane.profiles()["reaction_profile"]
    theory = plane.model.theory()["reaction_profile"].sel({"method": "quasi_static"})
    expected = np.interp(measured.coordinate, theory["offset"], theory)
    assert (np.abs(measured.values - expected) < 4.5 * measured.error + 0.03).all()


@pytest.mark.parametrize("rows", [40, 160])
def test_fronts_move_into_the_weaker_species(rows: int) -> None:
    run = AbFronts(reactivity=0.1, density_ratio=0.3, walkers=2.0, length=160, rows=rows).simulate(seed=2)
    run.advance(100)
    seen, model = run.observe(), run.model.replace(age=90.0)
    count = run._lately()[1].sum()
    assert seen["position"] == pytest.approx(value(model, "position"), abs=4 * seen["width"] / math.sqrt(count) + 0.8)
    assert seen["rate"] == pytest.approx(value(model, "rate"), rel=4 / math.sqrt(count) + 0.05)


def test_slow_reactions_let_the_species_mix() -> None:
    run = AbFronts(reactivity=0.001, walkers=2.0, length=160, rows=100).simulate(seed=3)
    run.advance(30)
    model = run.model.replace(age=27.0)
    assert run.observe()["width"] == pytest.approx(value(model, "width", "free_mixing"), rel=0.12)


@pytest.mark.parametrize("rows", [150, 400])
def test_fronts_on_lines_wander(rows: int) -> None:
    """Wider than mean field, about as wide as eq. (6) says, of a Gaussian shape; A and B never pass each other."""
    run = AbFronts(geometry="line", reactivity=1.0, length=120, rows=rows).simulate(seed=4)
    run.advance(100)
    seen, model = run.observe(), run.model.replace(age=90.0)
    assert seen["width"] > 1.4 * value(model, "width")
    assert 1.1 < seen["width"] / value(model, "width", "wandering") < 1.5  # of one line the zone has a width, too
    assert seen["rate"] == pytest.approx(value(model, "rate"), rel=0.15)
    for row in range(0, rows, 10):
        a, b = (run.walkers.places(kind) for kind in (0, 1))
        left, right = a[a % rows == row] // rows, b[b % rows == row] // rows
        assert left.size == 0 or right.size == 0 or left.max() < right.min()
