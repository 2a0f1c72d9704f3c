"""Energy-based model: training against its equations, random matrices, sums over all states."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mfexplore.families.bipartite import all_states, log_partition
from mfexplore.models.sampling.energy_based_model import EnergyBasedModel, theory
from mfexplore.models.sampling.energy_based_model.training import BinaryUnits, RealUnits
from mfexplore.numerics.matrices.blas import symmetric_eigenpairs


def equilibrium(model: EnergyBasedModel) -> dict[str, float]:
    found = model.equilibrium(profiles=False)
    return {o.name: float(found[o.name]) for o in model.observables if o.over is None and model.applies(o)}


# -- eqs. (3) to (5) ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "values"), [("likelihood", (0.356227, 0.816212)), ("contrastive", (0.354855, 0.811404))]
)
def test_the_path_of_one_mode(rule: str, values: tuple[float, float]) -> None:
    """The independent values (eigenvalue 3 from weight 0.05) are those of updates of 0.001; as updates become smaller
    they tend to the equation integrated by a library, where the first is 0.356852 and not 0.356227.
    """
    model = EnergyBasedModel(rule=rule, weight_decay=0.0, learning_rate=0.001)
    path = model.predicted_path({"mode_weight": 0.05, "eigenvalue": 3.0}, np.array([0.0, 1000.0, 2000.0, 20_000.0]))
    np.testing.assert_allclose(path["mode_weight"][1:3], values, atol=5e-6)
    assert path["mode_weight"][3] == pytest.approx(0.8164965809, abs=1e-9)

    def slope(_: float, sigma: np.ndarray) -> np.ndarray:
        chain = 1 / (1 - sigma**2) if rule == "likelihood" else sigma**4 * 3 + sigma**2 + 1
        return sigma * (3 - chain)

    whole = solve_ivp(slope, (0, 2), [0.05], t_eval=[1, 2], rtol=1e-10, atol=1e-12).y[0]
    coarse = model.replace(learning_rate=0.002).path(0.05, 3.0, 1000)[[500, 1000]]
    np.testing.assert_allclose(2 * path["mode_weight"][1:3] - coarse, whole, atol=3e-6)


@pytest.mark.parametrize("sweeps", [1, 3, 10])
def test_contrastive_divergence_is_the_part_of_the_gradient_that_chains_forget(sweeps: int) -> None:
    """Eq. (4) against the chain, sweep by sweep."""
    rule = theory.Rule(0.0, float(sweeps), False, 1.0)
    for square in (0.0, 0.3, 0.9):
        chain = 4.0
        for _ in range(sweeps):
            chain = square**2 * chain + square + 1
        _, variance = theory.one_update(np.array(math.sqrt(square)), np.array(4.0), np.array(4.0), rule)
        assert variance == pytest.approx(chain, abs=1e-12)


def test_with_a_decay_short_chains_end_below() -> None:
    """Eq. (5) by long training, for the likelihood, chains of 1, 3 and 20 sweeps, and chains that go on."""
    ends = []
    for rule, sweeps in (
        ("contrastive", 1),
        ("contrastive", 3),
        ("contrastive", 20),
        ("likelihood", 1),
        ("persistent", 1),
    ):
        model = EnergyBasedModel(rule=rule, sweeps=sweeps, spike=5.0, load=0.2, weight_decay=1.5, learning_rate=0.01)
        at = equilibrium(model)
        ends.append(at["mode_weight"])
        assert model.path(0.1, at["eigenvalue"], 4000)[-1] == pytest.approx(ends[-1], abs=1e-9)
    assert ends[0] < ends[1] < ends[2] < ends[3] == ends[4]


@pytest.mark.parametrize("rule", ["likelihood", "contrastive", "persistent"])
def test_updates_that_are_too_large_are_flagged_where_training_does_not_settle(rule: str) -> None:
    flagged = []
    for rate in (0.02, 0.05, 0.1, 0.2):
        model = EnergyBasedModel(rule=rule, spike=6.0, load=0.05, weight_decay=0.0, learning_rate=rate)
        at = equilibrium(model)
        end = model.path(at["mode_weight"] + 1e-4, at["eigenvalue"], 400)[-1]
        fails = int(model.equilibrium(profiles=False)["validity"]) > 1
        assert (abs(end - at["mode_weight"]) < 1e-4) != fails
        flagged.append(fails)
    assert flagged == sorted(flagged)
    assert flagged[-1]
    assert not flagged[0]


# -- eqs. (6) to (8) ---------------------------------------------------------------------------------------------------


def test_baik_ben_arous_peche() -> None:
    at = equilibrium(EnergyBasedModel(spike=3.0, load=0.5))
    assert at["eigenvalue"] == pytest.approx(3.75, abs=1e-12)
    assert at["overlap"] == pytest.approx(0.7, abs=1e-12)
    assert EnergyBasedModel(load=0.5).landmark("visibility", "spike") == pytest.approx([1 + math.sqrt(0.5)])
    assert EnergyBasedModel(load=0.5).landmark("noise_line", "weight_decay") == pytest.approx([(1 + 0.5**0.5) ** 2 - 1])


@pytest.mark.parametrize(
    ("spike", "load", "decay", "rule"),
    [(3.0, 0.5, 0.0, "likelihood"), (4.0, 0.2, 0.3, "contrastive"), (1.5, 1.5, 0.5, "contrastive")],
)
def test_gains_are_those_of_random_matrices(
    spike: float, load: float, decay: float, rule: str, rng: np.random.Generator
) -> None:
    """Drawn data, every mode set to its end by eq. (5): sums instead of integrals."""
    for size, draws in ((48, 40), (160, 10)):
        model = EnergyBasedModel(spike=spike, load=load, weight_decay=decay, rule=rule, size=size)
        at, found = equilibrium(model), []
        for _ in range(draws):
            x = rng.standard_normal((round(size / load), size))
            x[:, 0] *= math.sqrt(spike)
            values, modes = symmetric_eigenpairs(x.T @ x / len(x))
            square = theory.square_at(values, model.training_rule())
            expected = 1 + (spike - 1) * modes[0] ** 2
            found.append((theory.gain(square, values).sum(), theory.gain(square, expected).sum()))
        means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(draws)
        gap = np.abs(means - [at["train_gain"], at["test_gain"]])
        assert (gap < 4 * errors + 3 / size).all()


def test_noise_by_a_plain_integral() -> None:
    """The density of Marchenko and Pastur on a fine grid, eq. (5) solved at each of its points; per unit."""
    load, decay = 0.7, 0.4
    for sweeps in (1.0, np.inf):
        rule = theory.Rule(np.array([decay]), np.array([sweeps]), False, np.array([0.01]))
        low, high = (1 - math.sqrt(load)) ** 2, (1 + math.sqrt(load)) ** 2
        angle = (np.arange(200_000) + 0.5) * math.pi / 200_000
        value = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(angle)
        density = np.sqrt((high - value) * (value - low)) / (2 * math.pi * load * value)
        weight = density * 0.5 * (high - low) * np.sin(angle) * math.pi / 200_000
        square = theory.square_at(value, theory.Rule(decay, np.float64(sweeps), False, 0.01))
        few, many = (theory.learnt(np.array([2.0]), np.array([load]), np.array([n]), rule) for n in (0, 1000))
        assert many.noise_modes[0] == pytest.approx(weight[square > 0].sum(), abs=1e-5)
        per_unit = [(many.train - few.train)[0] / 1000, (many.test - few.test)[0] / 1000]
        assert per_unit[0] == pytest.approx(weight @ theory.gain(square, value), abs=1e-7)
        assert per_unit[1] == pytest.approx(weight @ theory.gain(square, np.ones_like(value)), abs=1e-7)


def test_gains_do_not_jump_where_the_spike_becomes_visible() -> None:
    loads = np.array([0.999, 1.001])
    gains = EnergyBasedModel(spike=2.0, weight_decay=0.0).equilibrium(load=loads, profiles=False)
    for name in ("train_gain", "test_gain"):
        assert abs(float(np.diff(gains[name])[0])) < 0.05


def test_the_best_decay_is_where_noise_is_kept_out() -> None:
    """The larger the machine: few modes of noise cost little."""
    decays, away = np.linspace(0, 3.5, 141), []
    for size in (16, 64, 256):
        model = EnergyBasedModel(spike=4.0, load=0.5, rule="likelihood", size=size)
        gains = model.equilibrium(weight_decay=decays, profiles=False)["test_gain"].values
        away.append(abs(decays[int(np.argmax(gains))] - (2 * math.sqrt(0.5) + 0.5)))
    assert away[0] > away[1] > away[2]
    assert away[2] < 0.15


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_the_likelihood_is_climbed_as_theory_says(decay: float) -> None:
    """Without chains nothing is random but the data: every mode follows its path to the last digits."""
    run = EnergyBasedModel(rule="likelihood", weight_decay=decay, size=48).simulate(seed=3)
    run.advance(120)
    machine = run.machine
    assert isinstance(machine, RealUnits)
    paths = [run.model.path(0.05, value, 120)[-1] ** 2 for value in machine.eigenvalues]
    np.testing.assert_allclose(machine.squares(), paths, atol=1e-9)


@pytest.mark.parametrize("rule", ["contrastive", "persistent"])
def test_chains_lead_where_theory_says_as_they_become_many(rule: str) -> None:
    gaps = []
    for size, samples in ((16, 6), (64, 3)):  # at a load of 0.1: 160 and 640 chains
        model = EnergyBasedModel(rule=rule, size=size, learning_rate=0.04)
        differences = []
        for seed in range(samples):
            run = model.simulate(seed=seed)
            start = run.observe()
            run.advance(120)
            times, series = run.series()
            path = run.model.predicted_path(start, times)["mode_weight"]
            differences.append(series["mode_weight"][60:].mean() - path[60:].mean())
        error = float(np.std(differences, ddof=1)) / math.sqrt(samples)
        gaps.append(float(np.mean(differences)))
        assert abs(gaps[-1]) < 4 * error + 1 / (10 * size)
    assert abs(gaps[1]) < 0.01


def test_what_is_learnt_meets_theory_as_it_grows() -> None:
    gaps = []
    for size, samples in ((24, 12), (96, 4)):
        model = EnergyBasedModel(
            rule="likelihood", size=size, spike=4.0, load=0.5, weight_decay=1.0, learning_rate=0.06
        )
        at, found = equilibrium(model), []
        for seed in range(samples):
            run = model.simulate(seed=seed)
            run.advance(120)
            found.append(run.observe())
        for name, finite in (("overlap", 3 / size), ("test_gain", 0.3), ("train_gain", 0.3)):
            values = np.array([one[name] for one in found])
            error = float(values.std(ddof=1)) / math.sqrt(samples)
            gap = abs(float(values.mean()) - at[name])
            assert gap < 4 * error + finite, name
            if name == "overlap":
                gaps.append(gap)
    assert gaps[1] < gaps[0]


def test_an_invisible_spike_is_not_learnt() -> None:
    run = EnergyBasedModel.preset("too few examples").simulate(seed=2)
    run.advance(250)
    seen = run.observe()
    assert seen["overlap"] < 0.3
    assert seen["train_gain"] > 10
    assert seen["test_gain"] < -3


def test_gains_are_differences_of_log_likelihoods() -> None:
    run = EnergyBasedModel(size=20, load=0.2, rule="likelihood", weight_decay=0.0).simulate(seed=1)
    run.advance(60)
    machine = run.machine
    assert isinstance(machine, RealUnits)
    covariance = np.linalg.inv(np.eye(20) - machine.weights @ machine.weights.T)
    sign, log_det = np.linalg.slogdet(covariance)
    assert sign == 1

    def likelihood(data: np.ndarray, precision: np.ndarray, log_det: float) -> float:
        return float(np.mean(-0.5 * np.einsum("ni,ij,nj->n", data, precision, data)) - 0.5 * log_det)

    shown = machine.examples.astype(float)
    gain = likelihood(shown, np.linalg.inv(covariance), float(log_det)) - likelihood(shown, np.eye(20), 0.0)
    assert run.observe()["train_gain"] == pytest.approx(gain, abs=1e-5)


def test_a_mode_beyond_the_unit_circle_has_no_likelihood() -> None:
    run = EnergyBasedModel.preset("chains left behind").simulate(seed=1, learning_rate=0.08)
    run.advance(60)
    series = run.series()[1]
    beyond = series["mode_weight"] > 1.001
    assert beyond.any()
    assert np.isnan(series["train_gain"][beyond]).all()


# -- digits ------------------------------------------------------------------------------------------------------------


def digits(**controls: Any) -> EnergyBasedModel:
    return EnergyBasedModel(**{"data": "digits", "weight_decay": 0.0, "learning_rate": 0.05} | controls)


def test_the_gradient_is_that_of_the_exact_likelihood() -> None:
    """One update by the sum over hidden states, against differences of the likelihood that `observe` reports."""
    model = digits(rule="likelihood", hidden_units=3, load=0.5, learning_rate=0.001)
    run = model.simulate(seed=1, first_weight=0.5)
    machine = run.machine
    assert isinstance(machine, BinaryUnits)
    machine.weights, machine.visible_bias = (x.astype(np.float64) for x in (machine.weights, machine.visible_bias))
    before = machine.weights.copy()
    step, gradient = 1e-4, []
    for i, a in ((10, 0), (27, 1), (42, 2)):
        sides = []
        for side in (step, -step):
            machine.weights = before.copy()
            machine.weights[i, a] += side
            sides.append(machine.observe(model)["train_gain"])
        gradient.append((sides[0] - sides[1]) / (2 * step))
    machine.weights = before.copy()
    machine.update(model, run.rng)
    moved = (machine.weights - before) / model.learning_rate
    np.testing.assert_allclose([moved[10, 0], moved[27, 1], moved[42, 2]], gradient, atol=2e-4)


def test_ln_z_of_a_trained_machine_by_all_pairs_of_states() -> None:
    run = digits(hidden_units=4).simulate(seed=2)
    run.advance(100)
    machine = run.machine
    assert isinstance(machine, BinaryUnits)
    few = machine.weights[:8].astype(float)
    a, b = machine.visible_bias[:8].astype(float), machine.hidden_bias.astype(float)
    visible, hidden = all_states(8), all_states(4)
    logs = visible @ few @ hidden.T + (visible @ a)[:, None] + hidden @ b
    assert log_partition(few, a, b) == pytest.approx(float(np.log(np.exp(logs).sum())), abs=1e-10)


def test_digits_begin_as_theory_says_and_then_go_on() -> None:
    run = digits(rule="likelihood").simulate(seed=1)
    start = run.observe()
    run.advance(300)
    times, series = run.series()
    path = run.model.predicted_path(start, times)["mode_weight"]
    early = path < 0.3
    assert early.sum() >= 4
    np.testing.assert_allclose(series["mode_weight"][early], path[early], rtol=0.15)
    assert series["mode_weight"][-1] > 2 * path[-1]
    assert series["train_gain"][-1] > 1.5 * equilibrium(run.model)["train_gain"]


def test_a_decay_beyond_the_line_keeps_digits_from_being_learnt() -> None:
    model = digits()
    (line,) = model.landmark("signal_line", "weight_decay")
    assert line == pytest.approx(theory.digit_eigenvalues()[0] - 1)
    for decay, learnt in ((line - 0.8, True), (line + 0.8, False)):
        run = model.replace(weight_decay=decay, load=0.1).simulate(seed=1)
        run.advance(250)
        assert (run.observe()["mode_weight"] > 0.3) == learnt


def test_few_digits_are_learnt_by_heart() -> None:
    run = EnergyBasedModel.preset("too few digits").simulate(seed=1)
    run.advance(400)
    series = run.series()[1]
    assert series["train_gain"][-1] > 10
    assert series["test_gain"].max() > 1
    assert series["test_gain"][-1] < series["test_gain"].max() - 1
