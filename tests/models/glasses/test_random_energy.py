"""Random energy model: closed forms, the exact finite-size averages against sampling, freezing, ageing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from mfexplore.families.replicas.weights import participation_law
from mfexplore.models.glasses.random_energy import RandomEnergy, freezing_temperature

REFERENCES = {v["id"]: v["value"] for v in reference_values("rem")}
T_C = 1 / (2 * math.sqrt(math.log(2)))


def test_reference_values() -> None:
    freezing, ground = REFERENCES["rem_Tc"]
    assert RandomEnergy().landmark("critical_temperature", "temperature")[0] == pytest.approx(freezing, abs=1e-14)
    assert float(RandomEnergy(temperature=0).equilibrium()["free_energy"]) == pytest.approx(ground, abs=1e-14)
    assert float(RandomEnergy(temperature=0.3).equilibrium()["energy"]) == pytest.approx(ground, abs=1e-14)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.9])
def test_paramagnet_is_the_annealed_average(temperature: float) -> None:
    values = RandomEnergy(temperature=temperature).equilibrium()
    assert float(values["free_energy"]) == pytest.approx(-temperature * math.log(2) - 1 / (4 * temperature), rel=1e-14)
    assert float(values["participation"]) == 0
    assert int(values["phase"]) == 0


@given(st.floats(0.01, T_C - 1e-6))
def test_participation_falls_linearly_in_the_glass(temperature: float) -> None:
    values = RandomEnergy(temperature=temperature).equilibrium()
    assert float(values["participation"]) == pytest.approx(1 - temperature / T_C, abs=1e-12)
    assert float(values["entropy"]) == 0


@given(st.floats(0.0, 2.0))
def test_freezing_in_a_field_is_where_the_entropy_vanishes(field: float) -> None:
    def entropy(t: float) -> float:
        x = field / t
        return math.log1p(math.exp(-2 * x)) + x * (1 - math.tanh(x)) - 1 / (4 * t * t)

    found = RandomEnergy(field=field).landmark("critical_temperature", "temperature")
    expected = brentq(entropy, 0.1, 5, xtol=1e-14)
    assert found.tolist() == (pytest.approx([expected], abs=1e-11) if expected <= 2 else [])


@given(st.floats(0.05, 2.0), st.floats(0.0, 2.0))
def test_thermodynamics_is_consistent(temperature: float, field: float) -> None:
    """Entropy = -df/dT, m = -df/dh, c = de/dT on the equilibrium branch, away from the transition."""
    step = 1e-5
    if abs(temperature - freezing_temperature(np.array([field]))[0]) < 1e-2 or field < step or field > 2 - step:
        return
    model = RandomEnergy(temperature=temperature, field=field)
    now = model.equilibrium()
    t = model.equilibrium(temperature=np.array([temperature - step, min(temperature + step, 2)]))
    h = model.equilibrium(field=np.array([field - step, field + step]))
    assert float(t["free_energy"].diff("temperature")[0] / t["temperature"].diff("temperature")[0]) == pytest.approx(
        -float(now["entropy"]), abs=2e-4
    )
    assert float(h["free_energy"].diff("field")[0]) / (2 * step) == pytest.approx(
        -float(now["magnetization"]), abs=1e-4
    )
    heat = float(t["energy"].diff("temperature")[0] / t["temperature"].diff("temperature")[0])
    assert heat == pytest.approx(float(now["specific_heat"]), rel=2e-3, abs=1e-3)


def test_annealed_solution_is_flagged_where_its_entropy_is_negative() -> None:
    theory = RandomEnergy(temperature=0.4).theory().sel(branch="paramagnet")
    assert float(theory["entropy"]) < 0
    assert int(theory["validity"]) == 1
    assert not bool(theory["stable"])


def test_hidden_state_wins_beyond_the_deepest_random_level() -> None:
    model = RandomEnergy(temperature=0.2)
    edge = float(model.landmark("hidden_state", "ferromagnetic_bias")[0])
    assert edge == pytest.approx(math.sqrt(math.log(2)), abs=1e-14)
    assert int(model.equilibrium(ferromagnetic_bias=edge - 1e-6)["phase"]) == 1
    assert int(model.equilibrium(ferromagnetic_bias=edge + 1e-6)["phase"]) == 2
    warm = RandomEnergy(temperature=1.1)
    bias = float(warm.landmark("hidden_state", "ferromagnetic_bias")[0])
    again = warm.replace(ferromagnetic_bias=bias).landmark("hidden_state", "temperature")
    assert again == pytest.approx([1.1], abs=1e-10)


def test_landscape_has_its_minimum_at_the_energy() -> None:
    for temperature, field in ((1.0, 0.0), (0.9, 0.4), (0.3, 0.0), (0.3, 0.7)):
        model = RandomEnergy(temperature=temperature, field=field)
        landscape = model.landscape()
        assert np.isfinite(landscape.free_energy).all()
        glass = float(model.replace(temperature=0).equilibrium()["energy"])
        assert landscape.coordinate[0] == pytest.approx(glass, abs=1e-12)  # where the glass is, below T_c
        lowest = landscape.coordinate[np.nanargmin(landscape.free_energy)]
        assert lowest == pytest.approx(float(model.equilibrium()["energy"]), abs=0.012)
        assert np.nanmin(landscape.free_energy) == pytest.approx(float(model.equilibrium()["free_energy"]), abs=0.01)


# -- finite size ---------------------------------------------------------------------------------------------------


def test_exact_average_of_two_spins_is_that_of_direct_integration() -> None:
    """The mean ln Z of a few levels by the integral over t of (e^-t - E e^-tZ)/t, written out with quad."""
    temperature, size = 0.8, 2

    def one_level(t: float) -> float:
        return quad(
            lambda x: math.exp(-0.5 * x * x - t * math.exp(-x / temperature)) / math.sqrt(2 * math.pi), -12, 12,
            epsabs=1e-12, limit=200,
        )[0]  # fmt: skip

    nodes = np.linspace(-40, 12, 1041)
    integrand = [math.exp(-math.exp(u)) - one_level(math.exp(u)) ** 4 for u in nodes]
    log_z = np.trapezoid(integrand, nodes)
    exact = RandomEnergy(temperature=temperature, size=size).exact()
    assert exact["free_energy"] == pytest.approx(-temperature * log_z / size, abs=1e-9)


@pytest.mark.parametrize(
    "controls",
    [
        {"temperature": 0.0},
        {"temperature": 0.3},
        {"temperature": 0.6, "field": 0.5},
        {"temperature": 0.9, "ferromagnetic_bias": 0.8},
        {"temperature": 0.0, "field": 0.3, "ferromagnetic_bias": 0.7},
        {"temperature": 2.0},
    ],
    ids=str,
)
def test_simulation_agrees_with_the_exact_average(controls: dict[str, float]) -> None:
    model = RandomEnergy(size=8, **controls)
    result = model.ensemble(samples=400, seed=2)
    for name, value in model.exact().items():
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(value, abs=4.5 * error + 1e-9), name


def test_exact_participation_approaches_theory() -> None:
    for temperature in (0.3, 0.45):
        theory = float(RandomEnergy(temperature=temperature).equilibrium()["participation"])
        gaps = [RandomEnergy(temperature=temperature, size=n).exact()["participation"] - theory for n in (6, 12, 24)]
        assert gaps[0] > gaps[1] > gaps[2] > 0
        assert gaps[2] < 0.65 * gaps[1]


def test_ground_state_limit_is_continuous() -> None:
    for controls in ({}, {"field": 0.4, "ferromagnetic_bias": 0.6}):
        model = RandomEnergy(size=10, **controls)
        cold, zero = model.replace(temperature=0.004).exact(), model.replace(temperature=0).exact()
        assert cold["free_energy"] == pytest.approx(zero["free_energy"], abs=2e-5)
        assert cold["magnetization"] == pytest.approx(zero["magnetization"], abs=1e-3)


def test_participation_of_samples_follows_the_law() -> None:
    """Kolmogorov-Smirnov distance of 400 samples; the size shifts the law a little."""
    model = RandomEnergy(temperature=0.2, size=14)
    run = model.simulate(seed=4)
    run.advance(400)
    values = np.sort(run.series()[1]["participation"])
    y, cumulative = participation_law(0.2 / T_C)
    distance = np.abs(np.interp(values, y, cumulative) - np.arange(len(values)) / len(values)).max()
    assert distance < 0.11


def test_energy_law_is_that_of_direct_sampling() -> None:
    model = RandomEnergy(temperature=0.7, field=0.3, size=8, dynamics="metropolis")
    law = model.law()
    samples = []
    rng = np.random.default_rng(3)
    m = np.array([2 * i.bit_count() - 8 for i in range(256)])
    for _ in range(3000):
        energy = rng.normal(0, 2, 256) - 0.3 * m
        weight = np.exp(-energy / 0.7)
        samples.append(((weight @ energy) / weight.sum() / 8, (weight @ energy**2) / weight.sum() / 64))
    mean, square = np.mean(samples, axis=0)
    assert np.trapezoid(law.density * law.values, law.values) == pytest.approx(mean, abs=0.01)
    assert np.trapezoid(law.density * law.values**2, law.values) == pytest.approx(square, abs=0.01)


def test_a_walker_reaches_the_boltzmann_distribution_of_its_sample() -> None:
    model = RandomEnergy(temperature=1.2, size=8, dynamics="metropolis")
    run = model.simulate(seed=5)
    run.advance(40_000)
    weight = np.exp(-run.levels.astype(float) / 1.2)
    weight /= weight.sum()
    np.testing.assert_allclose(run.spent / run.elapsed, weight, atol=0.004)
    assert run.observe()["participation"] == pytest.approx(float(weight @ weight), rel=0.05)


def test_a_cold_walker_only_goes_down_and_ages() -> None:
    run = RandomEnergy(temperature=0, size=12, dynamics="metropolis").simulate(seed=1)
    run.advance(50)
    energy = run.series()[1]["energy"]
    assert (np.diff(energy) <= 0).all()
    warm = RandomEnergy(temperature=0.4, size=14, dynamics="metropolis").ensemble(samples=12, seed=3)
    assert float(warm["energy"]) > float(RandomEnergy(temperature=0.4, size=14).exact()["energy"]) + 0.05
