"""Perceptron storage: replica equations against quadrature and enumeration, learning rules against theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr

from mfexplore.core import NotOfferedError
from mfexplore.models.inference.perceptron_storage import PerceptronStorage


def by_id(reference: dict[str, Any]) -> str:
    return str(reference["id"])


def references(model: str, quantity: str) -> Any:
    found = [r for r in reference_values(model) if r["verified"] and quantity in r["quantity"]]
    assert found
    return pytest.mark.parametrize("reference", found, ids=by_id)


@references("perceptron_storage_spherical", "alpha_c")
def test_spherical_capacity(reference: dict[str, Any]) -> None:
    model = PerceptronStorage(margin=reference["params"]["kappa"])
    assert model.landmark("capacity", "load")[0] == pytest.approx(reference["value"], rel=1e-12)
    back = PerceptronStorage(load=reference["value"]).landmark("capacity", "margin")
    assert back[0] == pytest.approx(reference["params"]["kappa"], abs=1e-10)


@references("perceptron_storage_spherical", "ln V")
def test_spherical_volume(reference: dict[str, Any]) -> None:
    p = reference["params"]
    theory = PerceptronStorage(load=p["alpha"], margin=p["kappa"]).theory()
    assert float(theory["overlap"]) == pytest.approx(reference["value"][0], abs=1e-10)
    assert float(theory["entropy"]) == pytest.approx(reference["value"][1], abs=1e-9)


@references("perceptron_storage_binary", "alpha_c")
def test_binary_capacity(reference: dict[str, Any]) -> None:
    model = PerceptronStorage(weights="binary", margin=reference["params"]["kappa"])
    capacity = float(model.landmark("capacity", "load")[0])
    assert capacity == pytest.approx(reference["value"][0], abs=1e-9)
    below = model.theory(load=capacity * (1 - 1e-9))
    assert float(below["overlap"]) == pytest.approx(reference["value"][1], abs=1e-7)
    assert float(below["entropy"]) == pytest.approx(0, abs=1e-8)


@references("perceptron_storage_binary", "entropy per weight")
def test_binary_entropy(reference: dict[str, Any]) -> None:
    theory = PerceptronStorage(weights="binary", load=reference["params"]["alpha"]).theory()
    entropy, q, q_hat = reference["value"]
    assert float(theory["entropy"]) == pytest.approx(entropy, abs=1e-10)
    assert float(theory["overlap"]) == pytest.approx(q, abs=1e-10)
    assert q_hat == pytest.approx(slow_map("binary", q, reference["params"]["alpha"], 0.0, 0.0)[0], rel=1e-8)


def slow_map(weights: str, q: float, load: float, margin: float, temperature: float) -> tuple[float, float]:
    """(qhat, new q) of eq. (3), by adaptive quadrature."""
    epsilon = math.exp(-1 / temperature) if temperature else 0.0

    def square(z: float) -> float:
        u = (margin - math.sqrt(q) * z) / math.sqrt(1 - q)
        log_total = np.logaddexp(math.log(epsilon), math.log1p(-epsilon) + log_ndtr(-u)) if epsilon else log_ndtr(-u)
        g = (1 - epsilon) * np.exp(-0.5 * u * u - log_total) / math.sqrt(2 * math.pi)
        return float(g * g * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi))

    q_hat = (
        load / (1 - q) * quad(square, -9, 9, epsabs=1e-12, epsrel=1e-12, limit=500, points=[margin / math.sqrt(q)])[0]
    )
    if weights == "spherical":
        v = 2 / (1 + math.sqrt(1 + 4 * q_hat))
        return q_hat, 1 - v

    def order(z: float) -> float:
        return float(np.tanh(math.sqrt(q_hat) * z) ** 2 * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi))

    return q_hat, quad(order, -9, 9, epsabs=1e-13, epsrel=1e-12, limit=500)[0]


@pytest.mark.parametrize("weights", ["spherical", "binary"])
@pytest.mark.parametrize(
    ("load", "margin", "temperature"),
    [(0.2, 0.0, 0.0), (0.6, 0.1, 0.0), (0.3, -0.7, 0.1), (1.4, 0.4, 0.5), (0.05, 1.5, 0.0), (3.0, 0.0, 1.3)],
)
def test_overlap_solves_the_equations(weights: str, load: float, margin: float, temperature: float) -> None:
    theory = PerceptronStorage(weights=weights, load=load, margin=margin, temperature=temperature).theory()
    q = float(theory["overlap"])
    assert slow_map(weights, q, load, margin, temperature)[1] == pytest.approx(q, abs=1e-9)


@pytest.mark.parametrize("temperature", [0.002, 0.005, 0.02, 0.05, 0.2])
def test_a_cold_unstorable_sphere(temperature: float) -> None:
    """Close to q = 1 and with the integrand changing sharply, the nodes still resolve it."""
    q = float(PerceptronStorage(load=3.0, temperature=temperature).theory()["overlap"])
    assert slow_map("spherical", q, 3.0, 0.0, temperature)[1] == pytest.approx(q, abs=1e-8)


def test_zero_temperature_is_the_limit() -> None:
    for load in (1.0, 2.5, 6.0):
        cold = PerceptronStorage(load=load, temperature=0.002).theory()
        frozen = PerceptronStorage(load=load).theory()
        assert float(cold["violated_fraction"]) == pytest.approx(float(frozen["violated_fraction"]), abs=1e-3)
        assert float(cold["stability"]) == pytest.approx(float(frozen["stability"]), abs=6e-3)
    assert float(frozen["overlap"]) == 1
    assert int(frozen["validity"]) == 1


@pytest.mark.parametrize("weights", ["spherical", "binary"])
def test_entropy_is_minus_the_slope_of_the_free_energy(weights: str) -> None:
    """With F = E - T S and E = load * violated: dF/dT = -S. Also d(ln Z)/d(load) at fixed q is what patterns cost."""
    t = np.array([0.499, 0.5, 0.501])
    theory = PerceptronStorage(weights=weights, load=1.5, margin=0.2).theory(temperature=t)
    free = 1.5 * theory["violated_fraction"].values - t * theory["entropy"].values
    assert (free[2] - free[0]) / 0.002 == pytest.approx(-float(theory["entropy"][1]), abs=1e-6)


def test_binary_weights_freeze_where_their_entropy_vanishes() -> None:
    model = PerceptronStorage(weights="binary", load=1.2, margin=0.1)
    freezing = float(model.landmark("freezing", "temperature")[0])
    above, below = model.theory(temperature=freezing * 1.0001), model.theory(temperature=freezing / 2)
    assert float(above["entropy"]) == pytest.approx(0, abs=1e-3)
    assert float(above["entropy"]) > 0
    assert float(below["entropy"]) == 0
    assert float(below["violated_fraction"]) == pytest.approx(float(above["violated_fraction"]), rel=1e-3)
    assert model.replace(temperature=freezing).landmark("freezing", "load")[0] == pytest.approx(1.2, abs=1e-9)
    assert model.landmark("freezing", "load").size == 0, "at T = 0 it is the capacity, drawn once"
    assert int(below["phase"]) == 2
    assert int(above["phase"]) == 1


@settings(max_examples=30, deadline=None)
@given(st.floats(-1, 2), st.floats(0.02, 5))
def test_capacity_along_load_and_margin_are_inverse(margin: float, load: float) -> None:
    for weights in ("spherical", "binary"):
        model = PerceptronStorage(weights=weights, margin=margin, load=load)
        storable = int(model.theory()["phase"]) == 0
        widest = float(model.theory()["largest_margin"])
        assert storable == (widest >= margin) or widest == pytest.approx(margin, abs=1e-9)


def test_replica_symmetry_breaks_only_below_margin_zero() -> None:
    for margin in (0.0, 0.5, 1.0):
        capacity = PerceptronStorage(margin=margin).landmark("capacity", "load")[0]
        theory = PerceptronStorage(margin=margin).theory(load=capacity * np.array([0.5, 0.99, 0.999999]))
        assert (theory["validity"] == 0).all()
        assert not PerceptronStorage(margin=margin).landmark("at_line", "load").size
    model = PerceptronStorage(margin=-0.5)
    broken = float(model.landmark("at_line", "load")[0])
    assert 0 < broken < float(model.landmark("capacity", "load")[0])
    replicon = model.theory(load=np.array([broken * 0.999, broken, broken * 1.001]))["replicon"].values
    assert replicon[0] > 0 > replicon[2]
    assert replicon[1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "controls",
    [
        {"load": 0.7},
        {"load": 1.9, "margin": -0.2},
        {"load": 2.5, "temperature": 0.5},
        {"load": 0.5, "weights": "binary"},
    ],
)
def test_law_has_the_mean_and_the_mass_of_theory(controls: dict[str, Any]) -> None:
    model = PerceptronStorage(**controls)
    law, theory = model.law(), model.theory()
    assert np.trapezoid(law.density, law.values) == pytest.approx(1, abs=2e-3)
    mean = np.trapezoid(law.density * law.values, law.values)
    assert mean == pytest.approx(float(theory["stability"]), abs=3e-3)
    wrong = law.values < model.margin
    violated = np.trapezoid(law.density[wrong], law.values[wrong])
    assert violated == pytest.approx(float(theory["violated_fraction"]), abs=2e-3)


def test_beyond_capacity_the_law_has_a_gap_and_an_atom() -> None:
    model = PerceptronStorage(load=3.0)
    law, violated = model.law(), float(model.theory()["violated_fraction"])
    ((place, weight),) = law.atoms
    assert place == 0
    assert np.trapezoid(law.density, law.values) + weight == pytest.approx(1, abs=5e-3)
    assert weight == pytest.approx(ndtr(0.0) - violated, abs=1e-9)


def test_number_of_binary_solutions_by_enumeration(rng: np.random.Generator) -> None:
    """The mean number of solutions is 2^N H(margin)^M exactly; the typical number is smaller, and that of theory."""
    size, patterns = 15, 6
    weights = np.array(list(itertools.product((-1, 1), repeat=size)), np.int8)
    logs, means = [], []
    for _ in range(60):
        x = rng.choice(np.array([-1, 1], np.int8), (size, patterns))
        count = int(((weights @ x) > 0).all(axis=1).sum())
        logs.append(math.log(count) / size)
        means.append(count)
    annealed = math.log(2) * (1 - patterns / size)
    assert math.log(np.mean(means)) / size == pytest.approx(annealed, abs=0.02)
    theory = float(PerceptronStorage(weights="binary", load=patterns / size).theory()["entropy"])
    error = float(np.std(logs) / math.sqrt(len(logs)))
    assert np.mean(logs) == pytest.approx(theory, abs=4 * error + 0.3 / size)


# -- the race --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [
        {"load": 1.0},
        {"load": 1.2, "margin": -0.5},
        {"load": 0.6, "weights": "binary"},
        {"load": 2.5, "temperature": 0.7},
    ],
)
def test_message_passing_follows_its_predicted_path(controls: dict[str, Any]) -> None:
    gaps = []
    for size in (401, 3001):
        model = PerceptronStorage(algorithm="message_passing", size=size, **controls)
        run = model.simulate(seed=4)
        start = run.observe()
        run.advance(25)
        times, series = run.series()
        path = model.predicted_path(start, times)["overlap"]
        gaps.append(float(np.abs(path - series["overlap"]).max()))
        assert path[-1] == pytest.approx(float(model.theory()["overlap"]), abs=2e-3)
    assert gaps[1] < max(gaps[0], 0.01)
    assert gaps[1] < 1.2 / math.sqrt(3001)


def test_typical_stabilities_obey_the_law() -> None:
    model = PerceptronStorage(algorithm="message_passing", load=1.2, temperature=0.3, size=2001)
    run = model.simulate(seed=5)
    run.advance(40)
    law = model.law()
    mass = np.concatenate([[0], np.cumsum(np.diff(law.values) * 0.5 * (law.density[1:] + law.density[:-1]))])
    values = np.sort(run.samples())
    expected = np.interp(values, law.values, mass / mass[-1])
    distance = np.abs(expected - np.arange(1, values.size + 1) / values.size).max()
    assert distance < 1.63 / math.sqrt(values.size) + 0.01  # Kolmogorov-Smirnov at 1 per cent, and finite size


def test_no_path_is_predicted_for_other_rules() -> None:
    with pytest.raises(NotOfferedError):
        PerceptronStorage(algorithm="adatron").predicted_path({}, np.zeros(1))
    with pytest.raises(NotOfferedError):
        PerceptronStorage(reinforcement=0.01).predicted_path({}, np.zeros(1))


def test_adatron_reaches_the_largest_margin() -> None:
    gaps = []
    for size in (101, 1001):
        model = PerceptronStorage(load=0.5, margin=-1.0, algorithm="adatron", size=size)
        found = []
        for seed in range(6):
            run = model.simulate(seed=seed)
            run.advance(2000)
            assert run.finished
            found.append(run.observe()["largest_margin"])
        gaps.append(abs(float(np.mean(found)) - float(model.theory()["largest_margin"])))
    assert gaps[1] < gaps[0]
    assert gaps[1] < 0.03


@pytest.mark.parametrize("weights", ["spherical", "binary"])
def test_annealing_samples_the_gibbs_state_while_it_is_warm(weights: str) -> None:
    model = PerceptronStorage(weights=weights, load=0.5, temperature=1.5, size=401, algorithm="annealing")
    theory = model.theory()
    violated, overlap = [], []
    for seed in range(8):
        run = model.simulate(seed=seed)
        run.advance(350)
        violated.append(run.series()[1]["violated_fraction"][-100:].mean())
        overlap.append(run.series()[1]["overlap"][-100:].mean())
    for found, name in ((violated, "violated_fraction"), (overlap, "overlap")):
        error = float(np.std(found, ddof=1)) / math.sqrt(len(found))
        assert np.mean(found) == pytest.approx(float(theory[name]), abs=4 * error + 0.004), name


def test_annealing_of_the_smallest_binary_perceptron_meets_the_sum_over_all_its_states() -> None:
    model = PerceptronStorage(weights="binary", load=1.0, temperature=0.7, size=11, algorithm="annealing")
    run = model.simulate(seed=2)
    rule = run.rules["annealing"]
    states = 1.0 - 2 * (np.arange(2**11)[:, None] >> np.arange(11) & 1)
    violated = np.sum(states @ rule.patterns.T < rule.threshold, axis=1)
    weight = np.exp(-violated / model.temperature)
    run.advance(400)  # cooled
    batches = []
    for _ in range(40):
        seen = []
        for _ in range(120):
            run.advance(1)
            seen.append(np.mean(rule.patterns @ rule.weights < rule.threshold))
        batches.append(np.mean(seen))
    error = float(np.std(batches, ddof=1)) / math.sqrt(len(batches))
    assert error < 0.005
    exact = weight @ violated / weight.sum() / model.patterns
    assert np.mean(batches) == pytest.approx(exact, abs=4 * error)


def test_who_wins_the_race_of_binary_rules() -> None:
    run = PerceptronStorage.preset("binary weights").simulate(seed=1)
    run.advance(300)
    seen = run.observe()
    assert seen["violated_sbpi"] == 0
    assert seen["violated_message_passing"] == 0
    assert min(seen["violated_perceptron"], seen["violated_adatron"], seen["violated_annealing"]) > 0.05
    assert run.series()[0][-1] == 300


def test_nobody_stores_more_than_the_capacity() -> None:
    for load, expected in ((1.5, 1.0), (2.5, 0.0)):
        run = PerceptronStorage(load=load, size=301).simulate(seed=2)
        run.advance(400)
        assert run.observe()["success"] == expected
