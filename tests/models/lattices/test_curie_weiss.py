"""Curie-Weiss: roots against a slow path, limits and symmetries, simulation against the exact finite-size law."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from mfexplore.core import NotOfferedError
from mfexplore.models.lattices.curie_weiss import CurieWeiss

temperatures = st.floats(0.05, 2)
fields = st.floats(-1, 1)


def slow_roots(temperature: float, field: float, coupling: float) -> list[float]:
    """Every root of m = tanh((Jm + h)/T) by a scan for sign changes."""
    grid = np.linspace(-1.0001, 1.0001, 20_002)

    def residual(m: float) -> float:
        return float(m - np.tanh((coupling * m + field) / temperature))

    values = np.array([residual(m) for m in grid])
    changes = np.flatnonzero(values[:-1] * values[1:] < 0)
    return [brentq(residual, grid[k], grid[k + 1], xtol=1e-15) for k in changes]


@pytest.mark.parametrize("temperature", [0.1, 0.5, 0.9, 1.3])
@pytest.mark.parametrize("field", [-0.6, -0.05, 0.011, 0.3])
def test_branches_are_all_the_roots(temperature: float, field: float) -> None:
    found = CurieWeiss(temperature=temperature, field=field).theory()["magnetization"].values
    np.testing.assert_allclose(sorted(found[np.isfinite(found)]), slow_roots(temperature, field, 1.0), atol=1e-12)


@given(temperatures, fields)
def test_flipping_the_field_flips_everything(temperature: float, field: float) -> None:
    plus, minus = (CurieWeiss(temperature=temperature, field=h) for h in (field, -field))
    if plus.field == 0:  # also of one that is zero but for rounding
        return
    up, down = plus.theory()["magnetization"].sel(branch="up"), minus.theory()["magnetization"].sel(branch="down")
    np.testing.assert_allclose(up, -down, atol=1e-12)


@given(temperatures, fields)
def test_equilibrium_minimises_the_landscape(temperature: float, field: float) -> None:
    model = CurieWeiss(temperature=temperature, field=field)
    lowest = float(np.nanmin(model.landscape().free_energy))
    assert float(model.equilibrium()["free_energy"]) <= lowest + 1e-12


def test_zero_temperature() -> None:
    theory = CurieWeiss(temperature=0, field=0.25).theory()
    assert theory["magnetization"].values.tolist() == [1.0, -1.0, -0.25]
    assert theory["free_energy"].sel(branch="up") == pytest.approx(-0.75)


def test_magnetization_near_the_critical_point_grows_as_a_square_root() -> None:
    m = float(CurieWeiss(temperature=1 - 1e-6).equilibrium()["magnetization"])
    assert m == pytest.approx(math.sqrt(3e-6), rel=1e-5)


@pytest.mark.parametrize("name", ["spinodal_up", "spinodal_down"])
def test_a_branch_ends_at_its_spinodal(name: str) -> None:
    model = CurieWeiss(temperature=0.6)
    end = float(model.landmark(name, "field")[0])
    branch = name.removeprefix("spinodal_")
    for factor, exists in ((0.9999, True), (1.0001, False)):
        found = model.theory(field=end * factor)["magnetization"].sel(branch=branch)
        assert bool(np.isfinite(found)) == exists
    assert model.replace(field=end).landmark(name, "temperature")[0] == pytest.approx(0.6, abs=1e-10)


def test_susceptibility_is_the_slope_of_the_magnetization() -> None:
    step = 1e-5
    m = CurieWeiss(temperature=0.8).theory(field=np.array([0.1 - step, 0.1, 0.1 + step]))
    slope = (m["magnetization"][2] - m["magnetization"][0]) / (2 * step)
    np.testing.assert_allclose(slope, m["susceptibility"][1], rtol=1e-6)


@pytest.mark.parametrize(("size", "temperature"), [(6, 0.9), (8, 1.5)])
def test_exact_values_are_those_of_full_enumeration(size: int, temperature: float) -> None:
    model = CurieWeiss(temperature=temperature, field=0.1, size=size)
    sums = np.array([sum(s) for s in itertools.product((-1, 1), repeat=size)])
    m = sums / size
    weight = np.exp(size * (m**2 / 2 + 0.1 * m) / temperature)
    weight /= weight.sum()
    exact = model.exact()
    assert exact["magnetization"] == pytest.approx(weight @ m, rel=1e-12)
    assert exact["absolute_magnetization"] == pytest.approx(weight @ np.abs(m), rel=1e-12)


@pytest.mark.parametrize("temperature", [0.8, 1.0, 1.3])
def test_simulation_agrees_with_the_exact_law(temperature: float) -> None:
    model = CurieWeiss(temperature=temperature, size=500)
    result = model.ensemble(samples=32, seed=1)
    error = float(result["absolute_magnetization_standard_error"])
    assert float(result["absolute_magnetization"]) == pytest.approx(
        model.exact()["absolute_magnetization"], abs=4 * error
    )


def test_finite_size_departs_from_theory_as_one_over_n() -> None:
    theory = float(CurieWeiss(temperature=0.7).equilibrium()["absolute_magnetization"])
    gaps = [theory - CurieWeiss(temperature=0.7, size=n).exact()["absolute_magnetization"] for n in (1000, 2000, 4000)]
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)
    assert gaps[1] / gaps[2] == pytest.approx(2, rel=0.05)


def test_a_swept_field_turns_the_spins_only_near_the_spinodal() -> None:
    model = CurieWeiss(temperature=0.6, drive_amplitude=0.4, drive_period=4000.0, size=8000)
    run = model.simulate(seed=2)
    run.advance(2400)
    trace = run.trace()
    turned = trace["field"].where(trace["magnetization"] < 0, drop=True)[0]
    assert float(turned) == pytest.approx(model.landmark("spinodal_up", "field")[0], abs=0.04)


def test_relaxation_slows_down_towards_the_critical_point() -> None:
    """Decay of a small magnetization follows eq. (5), whose rate is 1/relaxation_time."""
    model = CurieWeiss(temperature=1.25, size=1_000_000)
    run = model.simulate(seed=5)
    run.advance(12)
    times, series = run.series()
    path = model.predicted_path({"magnetization": 1.0}, times)
    np.testing.assert_allclose(series["magnetization"], path["magnetization"], atol=5 / math.sqrt(model.size))
    late = path["magnetization"][-2] / path["magnetization"][-1]
    tau = float(model.equilibrium()["relaxation_time"])
    assert 1 / math.log(late) == pytest.approx(tau, rel=0.05)


def test_a_swept_field_is_drawn_as_a_loop_and_has_no_equilibrium_law() -> None:
    """Over a period the loop encloses an area, which the states of theory it is drawn upon do not."""
    model = CurieWeiss.preset("hysteresis")
    run = model.simulate(seed=1)
    run.advance(3 * model.drive_period)
    theory, loop = run.picture().series
    middle = np.abs(loop.x) < 0.02
    assert loop.y[middle].min() < -0.8
    assert loop.y[middle].max() > 0.8
    np.testing.assert_allclose(np.tanh((theory.y + theory.x) / model.temperature), theory.y, atol=1e-12)
    for capability in (model.law, model.exact):
        with pytest.raises(NotOfferedError):
            capability()
