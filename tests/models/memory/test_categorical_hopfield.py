"""Categorical Hopfield network: published values, slopes against matrices, descent or an endless round."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from mfexplore.core import NotOfferedError
from mfexplore.models.memory.categorical_hopfield import CategoricalHopfield
from mfexplore.models.memory.categorical_hopfield.theory import couplings

CYCLE = {"graph": "cycle", "units": 3, "epsilon": 0.25, "delta": 0.5}


def run(updates: int, seed: int = 1, **controls: Any) -> Any:
    made = CategoricalHopfield(**controls).simulate(seed=seed)
    made.advance(updates)
    return made


def test_reference_values_of_the_three_cycle() -> None:
    (reference,) = reference_values("categorical_hopfield")
    rest, real, imaginary = reference["value"]
    assert CYCLE["epsilon"] == reference["params"]["eps"]
    assert CYCLE["delta"] == reference["params"]["delta"]
    model = CategoricalHopfield(learning_rate=0.01, **CYCLE)
    assert float(model.theory()["total_resource"].sel(branch="together")) / 3 == pytest.approx(rest, rel=1e-12)
    factor = 1 + 0.01 * complex(real, imaginary)
    together = model.theory().sel(branch="together")
    assert float(together["growth"]) == pytest.approx(abs(factor), rel=1e-12)
    assert float(together["rhythm"]) == pytest.approx(np.angle(factor) / (2 * math.pi), rel=1e-9)


@pytest.mark.parametrize(("units", "limit"), [(3, 4 / 5), (5, 1 / 2)])
def test_reference_step_limits_of_cliques_are_those_of_a_run(units: int, limit: float) -> None:
    clique = {"graph": "clique", "units": units, "epsilon": 0.25}
    assert CategoricalHopfield(**clique).landmark("step_limit", "learning_rate") == pytest.approx(limit, abs=1e-9)
    below, above = (run(3000, learning_rate=factor * limit, **clique) for factor in (0.98, 1.02))
    assert below.observe()["rhythm"] == 0
    assert below.resources == pytest.approx(np.full(units, 1 / (1 + 0.75 * (units - 1))), abs=1e-9)
    assert above.observe()["rhythm"] == 0.5


@pytest.mark.parametrize("graph", ["clique", "two_cliques", "cycle"])
def test_along_the_number_of_units_each_has_its_own_answer(graph: str) -> None:
    """A clique of k rests at k / [1 + (k-1)(1 - eps)], whatever k the model itself has, and so has each its phase."""
    model, units = CategoricalHopfield(graph=graph, learning_rate=0.35), range(3, 9)
    together = model.theory(units=units)
    for k in units:
        assert together.sel(units=k).drop_vars("units").equals(model.theory(units=k)), k
    if graph == "clique":
        rest = together["total_resource"].sel(branch="together").values
        np.testing.assert_allclose(rest, [k / (1 + 0.75 * (k - 1)) for k in units], rtol=1e-14)
        stairs = model.boundaries("units", "learning_rate").isel(boundary=0).dropna("point")
        limits = stairs["learning_rate"].values[np.isin(stairs["units"].values, units)]
        assert sorted(set(np.round(limits, 9))) == [round(2 / (1 + 0.75 * (k - 1)), 9) for k in reversed(units)]


def test_reference_period_and_amplitude_of_the_three_cycle() -> None:
    """Period 11.2441 of the flow, against 9.6736 for small deviations; resources between 0.01226 and 0.67065."""
    matrix = couplings("cycle", 3, 0.25, 0.5)
    flow = solve_ivp(
        lambda _, x: -x + np.maximum(matrix @ x + 1, 0), (0, 120), [0.1, 0.3, 0.5], t_eval=np.linspace(0, 120, 12_001),
        rtol=1e-8, atol=1e-10, max_step=0.25,
    )  # fmt: skip
    late = flow.t > 80
    time, x = flow.t[late], flow.y[0, late]
    risen = np.flatnonzero((x[:-1] < 0.3) & (x[1:] >= 0.3))
    crossing = time[risen] + (0.3 - x[risen]) / (x[risen + 1] - x[risen]) * (time[risen + 1] - time[risen])
    assert np.diff(crossing) == pytest.approx(11.2441, abs=1e-3)
    assert (x.min(), x.max()) == pytest.approx((0.0122554, 0.6706493), abs=1e-5)
    assert 2 * math.pi / 0.649519052838329 == pytest.approx(9.6736, abs=1e-4)
    slow = run(5000, learning_rate=0.02, **CYCLE)
    assert 0.02 / slow.observe()["rhythm"] == pytest.approx(11.2441, abs=0.1)  # an update is a short step of the flow


@given(
    st.sampled_from(["clique", "two_cliques", "cycle"]), st.integers(3, 8), st.floats(0.02, 0.98), st.floats(0.02, 2),
    st.floats(0.02, 1),
)  # fmt: skip
def test_slopes_are_the_eigenvalues_of_the_couplings(
    graph: str, units: int, epsilon: float, delta: float, rate: float
) -> None:
    model = CategoricalHopfield(graph=graph, units=units, epsilon=epsilon, delta=delta, learning_rate=rate)
    matrix = couplings(graph, units, epsilon, delta)
    together = model.theory().sel(branch="together")
    factors = np.linalg.eigvals(np.eye(len(matrix)) * (1 - rate) + rate * matrix)
    assert float(together["growth"]) == pytest.approx(np.abs(factors).max(), rel=1e-9)
    rest = np.linalg.solve(np.eye(len(matrix)) - matrix, np.ones(len(matrix)))
    assert float(together["total_resource"]) == pytest.approx(rest.sum(), rel=1e-9)
    assert float(together["energy"]) == pytest.approx(-rest.sum() / 2, rel=1e-9)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.25, 0.5), (0.6, 0.5), (0.9, 0.1)])
@pytest.mark.parametrize(("graph", "units"), [("clique", 5), ("two_cliques", 3), ("cycle", 3), ("cycle", 6)])
def test_there_are_no_other_stable_states_of_rest(graph: str, units: int, epsilon: float, delta: float) -> None:
    """All sets of active units, within Curto's graph rule epsilon < delta/(1 + delta) and beyond."""
    matrix, stable = couplings(graph, units, epsilon, delta), 0
    n = len(matrix)
    for active in (np.array(bits, bool) for bits in itertools.product((0, 1), repeat=n) if any(bits)):
        slope = np.eye(active.sum()) - matrix[np.ix_(active, active)]
        x = np.zeros(n)
        x[active] = np.linalg.solve(slope, np.ones(active.sum()))
        rests = (x[active] > 0).all() and ((matrix @ x + 1)[~active] <= 0).all()
        stable += bool(rests and (np.linalg.eigvals(slope).real > 0).all())
    theory = CategoricalHopfield(graph=graph, units=units, epsilon=epsilon, delta=delta, learning_rate=0.01).theory()
    assert stable == int(theory["stable"].sum()) * (2 if graph == "two_cliques" else 1)


@pytest.mark.parametrize("graph", ["clique", "two_cliques"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_help_is_mutual_the_energy_only_falls_below_the_step_limit_of_all_slopes(graph: str, seed: int) -> None:
    """Also while units are silent: a projected step of gradient descent is safe if the rate is below 2/slope."""
    model = CategoricalHopfield(graph=graph, units=4)
    rate = (
        0.95 * 2 / np.linalg.eigvalsh(np.eye(len(couplings(graph, 4, 0.25, 0.5))) - couplings(graph, 4, 0.25, 0.5))[-1]
    )
    made = model.simulate(seed=seed, learning_rate=rate, spread=2.0)
    made.advance(500)
    energy = made.series()[1]["energy"]
    assert (np.diff(energy) <= 1e-12).all()
    assert np.ptp(energy) > 0.1


@pytest.mark.parametrize("graph", ["clique", "two_cliques", "cycle"])
def test_a_step_is_downhill_where_help_is_mutual_only(graph: str) -> None:
    made = run(3, graph=graph, units=3, learning_rate=0.01, spread=0.1)
    before, downhill = made.resources, made.downhill()
    made.advance(1)
    step = (made.resources - before) / 0.01
    if graph == "cycle":
        assert np.abs(step - downhill).max() > 0.01
    else:
        np.testing.assert_allclose(step, downhill, atol=1e-10)


def test_a_cycle_goes_round_for_ever_at_any_rate() -> None:
    for rate in (0.02, 0.1, 0.4):
        made = run(4000, learning_rate=rate, **CYCLE)
        energy = made.series()[1]["energy"][-1000:]
        assert np.ptp(energy) > 0.002
        assert made.observe()["rhythm"] > 0
        assert (np.diff(energy) > 0).any()
    assert CategoricalHopfield(**CYCLE).landmark("step_limit", "learning_rate").size == 0
    (onset,) = CategoricalHopfield(**CYCLE | {"learning_rate": 0.01, "delta": 0.1}).landmark("step_limit", "delta")
    assert onset == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("rate", "units"), [(0.55, 5), (0.7, 5), (0.9, 3), (1.0, 6)])
def test_period_two_is_what_a_run_shows(rate: float, units: int) -> None:
    model = CategoricalHopfield(units=units, learning_rate=rate)
    assert model.equilibrium()["branch"] == "period_two"
    made = run(1000, units=units, learning_rate=rate)
    series = made.series()[1]
    for name in ("total_resource", "energy"):
        assert series[name][-200:].mean() == pytest.approx(float(model.equilibrium()[name]), rel=1e-9)
    assert made.observe()["rhythm"] == float(model.equilibrium()["rhythm"])


def test_two_cliques_remember_the_one_that_begins_ahead() -> None:
    active = set()
    for seed in range(5):
        made = run(800, seed=seed, graph="two_cliques", units=3, learning_rate=0.2)
        first, second = made.resources[:3].sum(), made.resources[3:].sum()
        assert {round(first, 6), round(second, 6)} == {0.0, 1.2}
        active.add(first > second)
    assert active == {True, False}


@pytest.mark.parametrize("graph", ["clique", "cycle"])
def test_the_sum_follows_the_predicted_path_while_all_are_active(graph: str) -> None:
    made = run(60, graph=graph, units=4, learning_rate=0.1, spread=0.05, delta=0.1)
    times, series = made.series()
    path = made.model.predicted_path({"total_resource": series["total_resource"][0]}, times)["total_resource"]
    active = np.minimum.accumulate(series["active"]) == 1
    assert active.sum() > 10
    np.testing.assert_allclose(series["total_resource"][active], path[active], rtol=1e-12)


def test_a_cycle_has_no_loss_and_two_cliques_no_one_path() -> None:
    with pytest.raises(NotOfferedError, match="a loss"):
        CategoricalHopfield(graph="cycle").landscape()
    with pytest.raises(NotOfferedError, match="a map"):
        CategoricalHopfield(graph="two_cliques").recursion()
    with pytest.raises(NotOfferedError, match="a path"):
        CategoricalHopfield(graph="two_cliques").predicted_path({"total_resource": 1.0}, np.arange(3.0))
