"""Quantum random energy model: lines in closed form, spectra against Kronecker products, time evolution, limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import brentq, minimize_scalar

from mfexplore.core import NotOfferedError
from mfexplore.models.glasses import quantum_random_energy as module
from mfexplore.models.glasses.quantum_random_energy import QuantumRandomEnergy, dynamics
from mfexplore.models.glasses.random_energy import RandomEnergy

THERMODYNAMIC = reference_values("qrem")
DYNAMICAL = reference_values("qrem_dynamics")
CARD_LINE = {0.3: 0.8313819436, 1.5: 0.7202711951, 2.0: 0.7144949791}
CARD_EDGES = {0.2: (0.1584634403, 0.0801509242), 0.4: (0.2672401117, 0.1584458974)}


@pytest.mark.parametrize("value", [v for v in THERMODYNAMIC if "T" in v["params"]], ids=lambda v: v["id"])
def test_reference_values_of_the_first_order_line(value: dict) -> None:
    line = QuantumRandomEnergy(temperature=value["params"]["T"]).landmark("first_order", "transverse_field")
    assert line == pytest.approx([value["value"]], abs=1e-13)


@pytest.mark.parametrize("value", [v for v in THERMODYNAMIC if "N" in v["params"]], ids=lambda v: v["id"])
def test_reference_values_of_exact_spectra(value: dict) -> None:
    model = QuantumRandomEnergy(temperature=0, transverse_field=value["params"]["Gamma"], size=value["params"]["N"])
    energies = [model.simulate(seed=seed).observe()["energy"] for seed in range(8)]
    assert np.mean(energies) == pytest.approx(value["value"], abs=1e-9)


@pytest.mark.parametrize("value", DYNAMICAL, ids=lambda v: v["id"])
def test_reference_values_of_the_dynamical_lines(value: dict) -> None:
    theory = QuantumRandomEnergy(transverse_field=value["params"]["Gamma"]).equilibrium()
    found = [float(theory["localization_edge"]), float(theory["ergodicity_edge"])]
    assert found == pytest.approx(value["value"], abs=1e-12)


def test_values_of_the_card() -> None:
    for temperature, field in CARD_LINE.items():
        line = QuantumRandomEnergy(temperature=temperature).landmark("first_order", "transverse_field")
        assert line == pytest.approx([field], abs=1e-10)
    for field, expected in CARD_EDGES.items():
        theory = QuantumRandomEnergy(transverse_field=field).equilibrium()
        found = [float(theory["localization_edge"]), float(theory["ergodicity_edge"])]
        assert found == pytest.approx(expected, abs=1e-10)


@given(st.floats(0.01, 5))
def test_free_energies_meet_on_the_first_order_line(temperature: float) -> None:
    model = QuantumRandomEnergy(temperature=temperature)
    theory = model.theory(transverse_field=float(model.landmark("first_order", "transverse_field")[0]))
    classical = "glass" if bool(np.isfinite(theory["free_energy"].sel(branch="glass"))) else "paramagnet"
    difference = theory["free_energy"].sel(branch="quantum_paramagnet") - theory["free_energy"].sel(branch=classical)
    assert float(difference) == pytest.approx(0, abs=1e-12)


@given(st.floats(0.72, 0.83))
def test_both_ways_to_solve_the_first_order_line_agree(field: float) -> None:
    model = QuantumRandomEnergy(transverse_field=field)
    for temperature in model.landmark("first_order", "temperature"):
        again = model.replace(temperature=float(temperature)).landmark("first_order", "transverse_field")
        assert again == pytest.approx([field], abs=1e-10)


@pytest.mark.parametrize("field", [0.15, 0.4, 0.7, 1.2])
def test_dynamical_lines_are_where_the_exponents_vanish(field: float) -> None:
    """Maximise r(x) and g(x) numerically and find the energy at which each maximum is zero."""
    x = np.linspace(1e-9, 1 - 1e-9, 20_001)

    def r(energy: float) -> float:
        y = x * np.log(field / energy) - x - (1 - x) * np.log1p(-x) - energy**2
        return float(y.max())

    def g(energy: float) -> float:
        def minus(z: float) -> float:
            return -(z * math.log(z) - (1 - z) * math.log(1 - z) - 2 * z + 2 * z * math.log(field / energy) - energy**2)

        return -float(minimize_scalar(minus, bounds=(0.5, 1 - 1e-12), method="bounded", options={"xatol": 1e-12}).fun)

    theory = QuantumRandomEnergy(transverse_field=field).equilibrium()
    assert float(theory["localization_edge"]) == pytest.approx(brentq(r, 1e-4, field - 1e-9), abs=1e-6)
    assert float(theory["ergodicity_edge"]) == pytest.approx(brentq(g, 1e-4, 0.499 * field), abs=1e-9)


@pytest.mark.parametrize("name", ["localization", "ergodicity"])
def test_dynamical_lines_are_the_same_along_both_axes(name: str) -> None:
    model = QuantumRandomEnergy(transverse_field=0.5)
    temperature = float(model.landmark(name, "temperature")[0])
    assert model.replace(temperature=temperature).landmark(name, "transverse_field") == pytest.approx([0.5], abs=1e-10)
    curve = model.boundaries().sel(boundary=name)
    t = curve["temperature"].values
    field = np.interp(temperature, *(a[np.isfinite(t)][np.argsort(t[np.isfinite(t)])] for a in (
        t, curve["transverse_field"].values)))  # fmt: skip
    assert field == pytest.approx(0.5, abs=1e-3)


def test_fractal_dimension_falls_from_ergodic_to_localized() -> None:
    temperatures = np.linspace(5, 0.7, 60)
    found = QuantumRandomEnergy(transverse_field=0.6).equilibrium(temperature=temperatures)
    assert (np.diff(found["fractal_dimension"]) <= 1e-12).all()
    phases = found["phase"].values
    assert phases[0] == 3
    assert phases[-1] == 1
    assert set(phases) == {1, 2, 3}
    bad = found["fractal_dimension"].values[phases == 2]
    assert (bad > 0).all()
    assert (bad < 1).all()


def kronecker(levels: np.ndarray, field: float) -> np.ndarray:
    size = int(math.log2(len(levels)))
    flip = np.array([[0.0, 1.0], [1.0, 0.0]])
    total = np.diag(levels)
    for k in range(size):
        factors = [flip if j == size - 1 - k else np.eye(2) for j in range(size)]
        term = factors[0]
        for factor in factors[1:]:
            term = np.kron(term, factor)
        total = total - field * term
    return total


def test_spectrum_and_thermal_averages_are_those_of_the_kronecker_product() -> None:
    model = QuantumRandomEnergy(temperature=0.9, transverse_field=0.7, size=5)
    run = model.simulate(seed=6)
    matrix = kronecker(run.levels, 0.7)
    np.testing.assert_allclose(run.energies, np.linalg.eigvalsh(matrix), atol=1e-11)
    density = expm(-matrix / 0.9)
    z = np.trace(density)
    flips = (kronecker(np.zeros(32), -1.0)) / 5
    found = run.observe()
    assert found["free_energy"] == pytest.approx(-0.9 * math.log(z) / 5, abs=1e-11)
    assert found["energy"] == pytest.approx(np.trace(density @ matrix) / z / 5, abs=1e-11)
    assert found["transverse_magnetization"] == pytest.approx(np.trace(density @ flips) / z, abs=1e-11)


def test_time_evolution_is_that_of_the_matrix_exponential() -> None:
    run = QuantumRandomEnergy(transverse_field=0.8, size=6).simulate(seed=2)
    before = run.state.copy()
    run.advance(2.5)
    expected = expm(-2.5j * kronecker(run.levels, 0.8)) @ before
    np.testing.assert_allclose(run.state, expected, atol=1e-10)
    assert run.weights().sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("field", [0.0, 0.4, 1.2])
def test_lowest_states_and_random_vectors_give_the_averages_of_the_whole_spectrum(
    temperature: float, field: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = QuantumRandomEnergy(temperature=temperature, transverse_field=field, size=9)
    exact = model.simulate(seed=4).thermal
    monkeypatch.setattr(dynamics, "DENSE_SPINS", 8)
    estimate = model.simulate(seed=4).thermal
    for name, value in exact.items():
        assert estimate[name] == pytest.approx(value, abs=0.02 if temperature == 1 else 1e-3), name


def thermal(model: QuantumRandomEnergy, samples: int) -> dict[str, np.ndarray]:
    """Every observable of the thermal state of every sample, shape (samples,)."""
    found = [model.simulate(seed=seed).observe() for seed in range(samples)]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


@pytest.mark.parametrize("temperature", [0.0, 0.4, 1.2])
def test_without_the_field_it_is_the_random_energy_model(temperature: float) -> None:
    model = QuantumRandomEnergy(temperature=temperature, transverse_field=0, size=6)
    exact = RandomEnergy(temperature=temperature, size=6).exact()
    found = thermal(model, 200)
    for name in ("free_energy", "energy"):
        assert found[name].mean() == pytest.approx(exact[name], abs=4 * found[name].std() / math.sqrt(200))
    run = model.simulate(seed=1)
    run.advance(3)
    assert run.observe()["survival"] == pytest.approx(1, abs=1e-12)
    assert run.observe()["transverse_magnetization"] == 0


def test_ground_state_approaches_theory_from_perturbation_theory() -> None:
    """In the quantum paramagnet the energy is -Gamma - 1/(2 Gamma N) up to the next order in 1/N."""
    gaps = []
    for size in (5, 9):
        model = QuantumRandomEnergy(temperature=0, transverse_field=1.5, size=size)
        values = thermal(model, 24)["energy"]
        error = values.std() / math.sqrt(24)
        assert values.mean() == pytest.approx(-1.5 - 1 / (3 * size), abs=4 * error + 0.4 / size**2)
        gaps.append(float(model.equilibrium()["energy"]) - values.mean())
    assert 0 < gaps[1] < 0.65 * gaps[0]


def test_classical_levels_are_shifted_by_second_order_perturbation_theory() -> None:
    """A level at E moves by -Gamma^2 times the sum over its neighbours of 1/(E' - E), about -Gamma^2 N/|E|."""
    size, field = 9, 0.01
    for seed in range(4):
        run = QuantumRandomEnergy(temperature=0, transverse_field=field, size=size).simulate(seed=seed)
        ground = int(np.argmin(run.levels))
        neighbours = run.levels[ground ^ (1 << np.arange(size))]
        shift = -(field**2) * np.sum(1 / (neighbours - run.levels[ground]))
        found = run.observe()["energy"] * size - run.levels[ground]
        assert found == pytest.approx(shift, rel=0.02)
        assert found == pytest.approx(-(field**2) * size / abs(run.levels[ground]), rel=0.5)


def test_a_corner_stays_where_it_is_localized_and_spreads_where_it_is_ergodic() -> None:
    kept = QuantumRandomEnergy(temperature=0.8, transverse_field=0.1, size=11).ensemble(samples=4, seed=1)
    lost = QuantumRandomEnergy(temperature=5, transverse_field=0.8, size=11).ensemble(samples=4, seed=1)
    assert float(kept["survival"]) > 0.9
    assert float(lost["survival"]) < 0.01
    assert float(lost["distance"]) == pytest.approx(0.5, abs=0.03)


def test_levels_repel_only_with_the_field() -> None:
    ratios = {}
    for field in (0.0, 0.6):
        runs = [QuantumRandomEnergy(temperature=5, transverse_field=field, size=8).simulate(seed=s) for s in range(16)]
        ratios[field] = np.concatenate([run.samples() for run in runs])
    errors = {field: values.std() / math.sqrt(len(values) / 2) for field, values in ratios.items()}
    for field, expected in ((0.0, module.POISSON_RATIO), (0.6, module.ORTHOGONAL_RATIO)):
        theory = QuantumRandomEnergy(temperature=5, transverse_field=field).equilibrium()
        assert float(theory["level_ratio"]) == expected
        assert ratios[field].mean() == pytest.approx(expected, abs=4 * errors[field])


def test_a_whole_spectrum_is_not_offered_for_many_spins() -> None:
    model = QuantumRandomEnergy(size=11)
    with pytest.raises(NotOfferedError):
        model.law()
    assert "level_ratio" not in model.simulate(seed=1).observe()
