"""Sherrington-Kirkpatrick: published and slow values, thermodynamic identities, limits, simulation against both."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import root

from mfexplore.core import NotOfferedError
from mfexplore.families.dense_spins import STEPS
from mfexplore.models.glasses.sherrington_kirkpatrick import SherringtonKirkpatrick as SK  # noqa: N817 (the usual name)

Array = NDArray[np.float64]
VALUES = {v["id"]: v for v in reference_values("sk")}


def family(prefix: str) -> Any:
    return pytest.mark.parametrize(
        "value", [v for k, v in VALUES.items() if k.startswith(prefix)], ids=lambda v: v["id"]
    )


# -- verified values ---------------------------------------------------------------------------------------------------


def test_every_given_value_is_tested() -> None:
    prefixes = ("sk_parisi", "sk_rs_T", "sk_dAT_", "sk_dATJ0", "sk_e0", "sk_1rsb", "lit_sk", "sk_rs_s0")
    assert all(key.startswith(prefixes) for key in VALUES)


@family("sk_rs_T")
def test_replica_symmetric_values(value: dict[str, Any]) -> None:
    p = value["params"]
    theory = SK(temperature=p["T"], field=p["h"], ferromagnetic_bias=p["J0"]).equilibrium()
    found = [float(theory[name]) for name in ("overlap", "magnetization", "free_energy", "replicon")]
    np.testing.assert_allclose(found, value["value"], atol=1e-10)


@family("sk_dAT_")
def test_at_line_in_a_field(value: dict[str, Any]) -> None:
    model = SK(temperature=value["params"]["T"])
    assert model.landmark("at_line", "field")[0] == pytest.approx(value["value"], abs=1e-9)
    assert model.replace(field=value["value"]).landmark("at_line", "temperature") == pytest.approx(model.temperature)


@family("sk_dATJ0")
def test_at_line_of_the_ferromagnet(value: dict[str, Any]) -> None:
    model = SK(ferromagnetic_bias=value["params"]["J0"])
    assert model.landmark("at_line", "temperature")[0] == pytest.approx(value["value"], abs=1e-9)
    assert model.replace(temperature=value["value"]).landmark("at_line", "ferromagnetic_bias") == pytest.approx(
        model.ferromagnetic_bias, abs=1e-7
    )


def test_temperature_of_zero_entropy() -> None:
    found = SK().landmark("zero_entropy", "temperature")
    assert found == pytest.approx(VALUES["sk_rs_s0_T"]["value"], abs=1e-7)


@family("sk_1rsb")
def test_one_step(value: dict[str, Any]) -> None:
    theory = SK(temperature=value["params"]["T"], field=value["params"]["h"], rsb_steps=1).equilibrium()
    f, *rest = value["value"]
    assert float(theory["free_energy"]) == pytest.approx(f, abs=2e-10)
    found = [float(theory[name]) for name in ("overlap_0", "overlap_1", "breakpoint")]
    np.testing.assert_allclose(found, rest, atol=2e-6)  # the maximum is flat: direct search finds its place less well


@pytest.mark.parametrize(("name", "steps"), [("sk_e0_1RSB", 1), ("sk_e0_2RSB", 2)])
def test_ground_state_energy_of_one_and_two_steps(name: str, steps: int) -> None:
    energy, *rest = VALUES[name]["value"]
    model = SK(temperature=0, rsb_steps=steps)
    assert float(model.equilibrium()["energy"]) == pytest.approx(energy, abs=1e-9)
    assert float(model.equilibrium()["overlap_0"]) == pytest.approx(rest[0], abs=1e-6)
    cold = SK(temperature=1e-6, rsb_steps=steps)
    assert float(cold.equilibrium()["breakpoint"]) / 1e-6 == pytest.approx(rest[-1], abs=2e-5)
    # the law holds both signs of every overlap, each with half of its weight x_(i+1) - x_i
    positive = sorted((q, 2 * weight) for q, weight in cold.law().atoms if q > 0)
    assert [q for q, _ in positive[:-1]] == pytest.approx(rest[:steps], abs=1e-5)
    assert np.cumsum([w for _, w in positive[:-1]]) / 1e-6 == pytest.approx(rest[steps:], abs=2e-5)


def test_ground_state_energy_in_the_limit_of_many_steps() -> None:
    energy = float(SK(temperature=0, rsb_steps=12).equilibrium()["energy"])
    for name in ("sk_e0_full", "lit_sk_e0"):
        assert energy == pytest.approx(VALUES[name]["value"], abs=3e-6)
    for name in ("sk_parisi_T0_k20", "sk_parisi_T0_k30"):
        # those steps were placed evenly, ours where x(q) varies: both approach the exact value from below
        assert VALUES[name]["value"] < energy < VALUES["sk_e0_full"]["value"]
        assert energy == pytest.approx(VALUES[name]["value"], abs=5e-6)


def test_free_energy_in_the_limit_of_many_steps() -> None:
    f = float(SK(temperature=0.5, rsb_steps=12).equilibrium()["free_energy"])
    assert f == pytest.approx(VALUES["sk_parisi_T0.5_k32"]["value"], abs=2e-6)
    assert f == pytest.approx(VALUES["lit_sk_f_T"]["value"], abs=5e-6)


# -- slow paths --------------------------------------------------------------------------------------------------------


def slow_symmetric(temperature: float, field: float, bias: float) -> tuple[float, float]:
    """(q, m) of eq. (2) by SciPy on a dense trapezoid rule."""
    z = np.linspace(-9, 9, 20_001)
    w = np.exp(-z * z / 2)
    w /= w.sum()

    def residual(u: Array) -> Array:
        t = np.tanh((field + bias * u[1] + math.sqrt(abs(u[0])) * z) / temperature)
        return np.array([w @ (t * t), w @ t]) - u

    q, m = root(residual, [0.9, 0.9], tol=1e-13).x
    return float(q), float(m)


@pytest.mark.parametrize(
    ("temperature", "field", "bias"),
    [(0.1, 0.2, 0.0), (0.7, 0.05, 0.9), (1.1, 0.0, 1.3), (0.3, 0.0, 1.6), (2.0, 1.5, 2.0)],
)
def test_symmetric_branch_against_scipy(temperature: float, field: float, bias: float) -> None:
    theory = SK(temperature=temperature, field=field, ferromagnetic_bias=bias).equilibrium()
    found = float(theory["overlap"]), float(theory["magnetization"])
    assert found == pytest.approx(slow_symmetric(temperature, field, bias), abs=1e-9)


def slow_one_step(temperature: float, field: float, q0: float, q1: float, x: float) -> float:
    """Eq. (6) with one step, by the trapezoid rule over both fields."""
    z = np.linspace(-8.5, 8.5, 301)
    w = np.exp(-z * z / 2)
    w /= w.sum()
    y = np.abs(field + math.sqrt(q0) * z[:, None] + math.sqrt(q1 - q0) * z) / temperature
    exponent = x * (y + np.log1p(np.exp(-2 * y)))
    top = exponent.max(axis=1)
    inner = top + np.log(np.exp(exponent - top[:, None]) @ w)
    glass = -((1 - q1) ** 2) / (4 * temperature) + x / (4 * temperature) * (q1**2 - q0**2)
    return float(glass - temperature / x * (w @ inner))


@pytest.mark.parametrize(("temperature", "field"), [(0.3, 0.0), (0.5, 0.2), (0.8, 0.05)])
def test_one_step_is_the_maximum(temperature: float, field: float) -> None:
    theory = SK(temperature=temperature, field=field, rsb_steps=1).equilibrium()
    f, q0, q1, x = (float(theory[n]) for n in ("free_energy", "overlap_0", "overlap_1", "breakpoint"))
    assert slow_one_step(temperature, field, q0, q1, x) == pytest.approx(f, abs=1e-10)
    d = 2e-3 * (q1 - q0)
    for shift in itertools.product((-d, 0, d), repeat=3):
        assert slow_one_step(temperature, field, q0 + shift[0], q1 + shift[1], x + shift[2]) <= f + 1e-11


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
@pytest.mark.parametrize(("temperature", "field", "bias"), [(0.45, 0.15, 0.0), (0.25, 0.1, 0.8), (0.2, 0.0, 1.5)])
def test_derivatives_of_the_free_energy(steps: int, temperature: float, field: float, bias: float) -> None:
    """Entropy, magnetization, and the two formulas of the energy."""
    model = SK(temperature=temperature, field=field, ferromagnetic_bias=bias, rsb_steps=steps)
    here = model.equilibrium()
    h = 1e-4
    warm, cold = (model.replace(temperature=temperature + s).equilibrium()["free_energy"] for s in (h, -h))
    # from three steps on, the places of the inner overlaps are fixed by a rule that depends on temperature
    tolerance = 1e-7 if steps < 3 else 2e-5
    assert float(cold - warm) / (2 * h) == pytest.approx(float(here["entropy"]), abs=tolerance)
    if field:
        up, down = (model.replace(field=field + s).equilibrium()["free_energy"] for s in (h, -h))
        assert float(down - up) / (2 * h) == pytest.approx(float(here["magnetization"]), abs=tolerance)
    law = model.law()
    square = sum(weight * q * q for q, weight in law.atoms) + np.trapezoid(law.density * law.values**2, law.values)
    tolerance = 1e-9 if steps < 3 else 5e-3  # the inner steps are spread out
    assert square == pytest.approx(float(here["overlap_squared"]), abs=tolerance)
    assert sum(w * abs(q) for q, w in law.atoms) + np.trapezoid(law.density * abs(law.values), law.values) == (
        pytest.approx(float(here["overlap"]), abs=tolerance)
    )


# -- limits, order, lines ----------------------------------------------------------------------------------------------


@given(st.floats(0, 0.95), st.floats(0, 1), st.integers(0, 11))
def test_more_steps_never_lower_the_free_energy(temperature: float, field: float, steps: int) -> None:
    f = [
        float(SK(temperature=temperature, field=field, rsb_steps=k).equilibrium()["free_energy"])
        for k in (0, 1, steps, steps + 1)
    ]
    assert f[0] <= f[1] + 1e-12
    assert f[2] <= f[3] + 1e-9


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2), st.integers(0, 12))
def test_every_point_is_solved(temperature: float, field: float, bias: float, steps: int) -> None:
    theory = SK(temperature=temperature, field=field, ferromagnetic_bias=bias, rsb_steps=steps).theory()
    assert bool(theory["converged"].all())
    assert int(theory["phase"]) >= 0
    exists = theory["residual"].notnull()
    for name in ("overlap_0", "overlap", "overlap_1", "magnetization", "breakpoint"):
        values = theory[name].where(exists, 0.5)
        assert float(values.min()) >= 0
        assert float(values.max()) <= 1
    assert bool((theory["overlap_0"] <= theory["overlap_1"]).where(exists, True).all())


def test_low_temperature_runs_into_zero_temperature() -> None:
    for steps in (0, 1, 3):
        frozen = SK(temperature=0, field=0.3, ferromagnetic_bias=0.5, rsb_steps=steps).equilibrium()
        cold = SK(temperature=1e-4, field=0.3, ferromagnetic_bias=0.5, rsb_steps=steps).equilibrium()
        for name in ("magnetization", "energy", "free_energy", "entropy", "susceptibility"):
            assert float(cold[name]) == pytest.approx(float(frozen[name]), abs=2e-3), name
    rs = SK(temperature=0).equilibrium()
    assert float(rs["energy"]) == pytest.approx(-math.sqrt(2 / math.pi), abs=1e-11)
    assert float(rs["entropy"]) == pytest.approx(-1 / (2 * math.pi), abs=1e-11)


def test_susceptibility_of_the_glass_becomes_one() -> None:
    """Parisi's solution has chi = 1 throughout the glass, which makes the border to the mixed phase vertical."""
    for temperature in (0.1, 0.5, 0.9):
        gaps = [1 - float(SK(temperature=temperature, rsb_steps=k).equilibrium()["susceptibility"]) for k in (0, 2, 8)]
        assert gaps[0] > 5 * gaps[1] > 10 * gaps[2] > 0
        assert gaps[2] < 0.003
    line = [SK(temperature=0.5, rsb_steps=k).landmark("ferromagnetic_line", "ferromagnetic_bias")[0] for k in (0, 1, 8)]
    assert line[0] > line[1] > line[2] > 1
    assert SK(temperature=0).landmark("ferromagnetic_line", "ferromagnetic_bias") == pytest.approx(
        math.sqrt(math.pi / 2)
    )
    assert SK(ferromagnetic_bias=1.2).landmark("ferromagnetic_line", "temperature")[1] == pytest.approx(1.2)


def test_ends_of_the_at_line() -> None:
    near = SK(temperature=1 - 1e-5).landmark("at_line", "field")[0]
    assert near**2 == pytest.approx(4 / 3 * 1e-15, rel=1e-3)
    far = SK(field=2).landmark("at_line", "temperature")[0]
    assert far == pytest.approx(4 / (3 * math.sqrt(2 * math.pi)) * math.exp(-2), rel=0.05)


def test_a_line_is_not_crossed_by_going_along_it() -> None:
    assert SK(temperature=1.0, ferromagnetic_bias=0.5).landmark("at_line", "ferromagnetic_bias").size == 0


def test_the_law_has_the_steps_of_the_state() -> None:
    """At fixed magnetization more steps may be found than where it was unknown; they are another state."""
    model = SK(temperature=0.069, field=0.288, ferromagnetic_bias=1.646, rsb_steps=12)
    theory = model.equilibrium()
    names = "overlap", "overlap_0", "overlap_1", "breakpoint", "magnetization"
    state = {name: float(theory[name]) for name in names}
    q, x = model.order_parameter(state)
    assert [q[0], q[-1], x[-2]] == pytest.approx([state[n] for n in names[1:4]], abs=1e-6)


@pytest.mark.parametrize("x", ["field", "ferromagnetic_bias"])
@pytest.mark.parametrize("other", [0.0, 0.3, 1.2])
def test_traced_boundaries_agree_with_solved_points(x: str, other: float) -> None:
    model = SK(**{"ferromagnetic_bias" if x == "field" else "field": other})
    boundaries = model.boundaries(x, "temperature")
    for name in ("at_line", "zero_entropy"):
        curve = boundaries.sel(boundary=name)
        points = [(a, b) for a, b in zip(curve[x].values, curve["temperature"].values, strict=True) if np.isfinite(a)]
        assert len(points) > 10
        for across, temperature in points[2:-2:9]:
            if temperature < 0.01:
                continue
            found = model.replace(**{x: across}).landmark(name, "temperature")
            assert min(abs(found - temperature)) < 1e-6, (name, across, temperature)


def test_phases_and_warnings() -> None:
    def phase(**controls: float) -> str:
        theory = SK(**controls).theory()  # type: ignore[arg-type]
        return SK.phases[int(theory["phase"])].name

    assert phase(temperature=1.2) == "paramagnet"
    assert phase(temperature=0.5, field=0.6) == "paramagnet"
    assert phase(temperature=0.5, field=0.5) == "spin_glass"
    assert phase(temperature=0.3, ferromagnetic_bias=0.9) == "spin_glass"
    assert phase(temperature=0.3, ferromagnetic_bias=1.1) == "hidden_magnet"
    assert phase(temperature=0.3, ferromagnetic_bias=1.1, rsb_steps=3) == "mixed"
    assert phase(temperature=0.2, ferromagnetic_bias=1.5) == "mixed"
    assert phase(temperature=0.5, ferromagnetic_bias=1.5) == "ferromagnet"
    assert phase(temperature=1.5, ferromagnetic_bias=1.4) == "paramagnet"

    def warning(**controls: float) -> str:
        code = int(SK(**controls).equilibrium()["validity"])  # type: ignore[arg-type]
        return "valid" if code == 0 else SK.failures[code - 1].name

    assert warning(temperature=0.5, field=0.6) == "valid"
    assert warning(temperature=0.5, field=0.5) == "replica_symmetry_broken"
    assert warning(temperature=0.2) == "negative_entropy"
    assert warning(temperature=0.5, rsb_steps=1) == "few_steps"
    assert warning(temperature=0.5, rsb_steps=5) == "valid"
    assert warning(temperature=0.05, rsb_steps=1) == "negative_entropy"


def test_many_steps_are_mixed_below_the_at_line_and_valid() -> None:
    """The replicon of many steps is zero, so that it cannot tell the mixed phase from the ferromagnet."""
    for controls in ({"ferromagnetic_bias": 1.5}, {"ferromagnetic_bias": 1.3, "field": 0.3}):
        line = float(SK(**controls).landmark("at_line", "temperature")[0])
        for temperature, phase in ((0.5 * line, "mixed"), (0.97 * line, "mixed"), (1.01 * line, "ferromagnet")):
            theory = SK(temperature=temperature, rsb_steps=12, **controls).equilibrium()
            assert SK.phases[int(theory["phase"])].name == phase
            assert int(theory["validity"]) == 0


def test_neighbours_in_a_batch_change_nothing() -> None:
    """A point is started from its neighbour; that must not decide where it ends."""
    temperature, field = np.linspace(0.05, 0.9, 12), np.linspace(0, 0.6, 9)
    batch = SK(rsb_steps=5, ferromagnetic_bias=0.4).equilibrium(temperature=temperature, field=field)
    for i, k in ((0, 0), (3, 4), (7, 1), (2, 8)):
        alone = SK(rsb_steps=5, ferromagnetic_bias=0.4, temperature=temperature[i], field=field[k]).equilibrium()
        for name in ("free_energy", "overlap_0", "overlap_1", "breakpoint", "magnetization"):
            assert float(batch[name][i, k]) == pytest.approx(float(alone[name]), abs=1e-8), name


def test_landscape_has_its_maximum_at_the_overlap() -> None:
    for controls in (
        {"temperature": 0.5},
        {"temperature": 0.8, "field": 0.3},
        {"ferromagnetic_bias": 1.4, "field": 0.1},
    ):
        model = SK(**controls)
        landscape, theory = model.landscape(), model.equilibrium()
        assert landscape.coordinate[np.argmax(landscape.free_energy)] == pytest.approx(
            float(theory["overlap"]), abs=0.01
        )
        assert landscape.free_energy.max() == pytest.approx(float(theory["free_energy"]), abs=1e-4)
    for controls in ({"temperature": 0}, {"temperature": 0.5, "rsb_steps": 1}):
        with pytest.raises(NotOfferedError):
            SK(**controls).landscape()
    assert SK(temperature=1.2, rsb_steps=1).landscape().free_energy.argmax() == 0


def test_law_of_the_overlap_fills_with_steps() -> None:
    model = SK(temperature=0.4, rsb_steps=12)
    law = model.law()
    np.testing.assert_allclose(law.density, law.density[::-1], atol=1e-12)
    x = model.theory()["overlap_law"].sel(branch="spin_glass")
    assert bool((np.diff(x) >= 0).all())
    assert float(x[0]) == 0
    assert float(x[-1]) == 1
    assert law.density[500] > 0.1, "without a field P(q) reaches down to q = 0"
    assert max(q for q, _ in law.atoms) == pytest.approx(float(model.equilibrium()["overlap_1"]))


# -- simulation --------------------------------------------------------------------------------------------------------


def enumerated(rows: Array, temperature: float, field: float, bias: float) -> tuple[float, float, float]:
    """Exact (energy per spin, mean square overlap, magnetization) of one sample."""
    n = len(rows)
    states = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    total = states.sum(axis=1)
    energies = -0.5 * np.sum(states @ rows * states, axis=1) / math.sqrt(n)
    energies += -0.5 * bias / n * (total**2 - n) - field * total
    weight = np.exp(-(energies - energies.min()) / temperature)
    weight /= weight.sum()
    correlation = (states.T * weight) @ states
    return weight @ energies / n, float(np.mean(correlation**2)), weight @ total / n


@pytest.mark.parametrize("couplings", ["gaussian", "binary"])
@pytest.mark.parametrize(("field", "bias", "levels"), [(0.0, 0.0, 5), (0.3, 0.8, 5), (0.3, 0.5, 1)])
def test_simulation_samples_the_boltzmann_distribution(couplings: str, field: float, bias: float, levels: int) -> None:
    model = SK(temperature=0.7, field=field, ferromagnetic_bias=bias, size=16, couplings=couplings, tempering=levels)
    run = model.simulate(seed=3)
    run.advance(200)
    blocks = []
    for _ in range(30):
        start = len(run.series()[0])
        run.advance(200)
        series = run.series()[1]
        blocks.append([series[n][start:].mean() for n in ("energy", "overlap_squared", "magnetization")])
    mean, error = np.mean(blocks, axis=0), np.std(blocks, axis=0, ddof=1) / math.sqrt(30)
    unit = 1 if couplings == "binary" else 1 / STEPS
    exact = enumerated(unit * run.rows[:, :16], 0.7, field, bias)  # type: ignore[attr-defined]
    used = 2 if field == 0 else 3
    assert (np.abs(mean - exact)[:used] < 4.5 * error[:used]).all(), (mean, exact, error)


def test_simulation_meets_theory_above_the_at_line() -> None:
    model = SK(temperature=1.2, field=0.4, ferromagnetic_bias=0.5, tempering=1)
    theory = model.equilibrium()
    gaps = {}
    for size, samples in ((32, 48), (256, 24)):
        runs = [model.simulate(seed=seed, size=size) for seed in range(samples)]
        for run in runs:
            run.advance(250)
        for name in ("energy", "overlap", "magnetization"):
            means = [run.series()[1][name][50:].mean() for run in runs]
            gap, error = np.mean(means) - float(theory[name]), np.std(means, ddof=1) / math.sqrt(samples)
            assert abs(gap) < 4 * error + 1.5 / size, (name, size, gap, error)
            gaps[name, size] = abs(gap)
    assert sum(gaps[n, 256] for n in ("energy", "overlap")) < sum(gaps[n, 32] for n in ("energy", "overlap"))


def test_simulation_equilibrates_in_the_glass() -> None:
    """The identity e = -(1 - <q^2>)/2T over Gaussian couplings, exact at every N, holds only in equilibrium."""
    model = SK(temperature=0.5, size=64)
    differences, energies, small = [], [], []
    for sample in range(24):
        run = model.simulate(seed=100 + sample)
        run.relaxation, run.window = 200.0, 600.0
        found = run.measure()
        differences.append(found["energy"] + (1 - found["overlap_squared"]) / (2 * 0.5))
        energies.append(found["energy"])
        small.append(np.mean(np.abs(run.samples()) < 0.4))
    assert abs(np.mean(differences)) < 4 * np.std(differences, ddof=1) / math.sqrt(24)
    exact = float(model.replace(rsb_steps=8).equilibrium()["energy"])
    law = model.replace(rsb_steps=8).theory()["overlap_law"].sel(branch="spin_glass")
    parisi = float(law.sel(overlap_level=0.4, method="nearest"))  # the weight of small overlaps hardly depends on N
    assert parisi > 0.2
    assert np.mean(small) == pytest.approx(parisi, abs=3 * np.std(small, ddof=1) / math.sqrt(24))
    above = np.mean(energies) - exact  # as at T = 0, the finite size costs about 0.7 N^(-2/3)
    assert above == pytest.approx(0.7 * 64 ** (-2 / 3), abs=4 * np.std(energies, ddof=1) / math.sqrt(24))


def test_running_simulation_follows_temperature_and_bias() -> None:
    run = SK(temperature=1.4, size=64).simulate(seed=1)
    run.advance(10)
    assert run.follow(SK(temperature=0.3, ferromagnetic_bias=1.5, size=64))
    run.advance(300)
    assert run.temperatures[0] == 0.3  # type: ignore[attr-defined]
    assert run.observe()["magnetization"] > 0.6
    assert not run.follow(SK(temperature=0.3, ferromagnetic_bias=1.5, size=64, couplings="binary"))
