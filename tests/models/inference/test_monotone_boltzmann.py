"""Monotone Boltzmann machine: theory against big matrices and enumeration, runs against theory, gradients, digits."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from mfexplore.core import Array
from mfexplore.models.inference.monotone_boltzmann import MonotoneBoltzmann
from mfexplore.models.inference.monotone_boltzmann.dynamics import DigitMachine, Machine
from mfexplore.models.inference.monotone_boltzmann.theory import many_units


def values(**controls: Any) -> tuple[dict[str, float], dict[str, float]]:
    """The scalar observables of the first branch: by mean field, and exactly."""
    theory = MonotoneBoltzmann(**controls).theory().sel(branch="first")
    return tuple(  # type: ignore[return-value]
        {str(name): float(x) for name, x in theory.sel({"method": method}).data_vars.items() if x.ndim == 0}
        for method in ("mean_field", "exact")
    )


# -- values of the review --------------------------------------------------------------------------------------------


def test_two_units_have_two_answers_above_gain_one() -> None:
    """Units with two states as a softmax have half the coupling: their bound of 2 is the gain of 1 here."""
    pair = MonotoneBoltzmann(machine="pair", inhibition=1.0)
    m = pair.theory(method="mean_field", gain=[0.95, 1.1, 1.2])["magnetization"]
    assert m.sel(gain=1.2).values == pytest.approx([0.6585696604, -0.6585696604], abs=1e-10)
    assert float(m.sel(gain=0.95, branch="first")) == pytest.approx(0, abs=1e-9)
    assert np.isnan(m.sel(gain=0.95, branch="second"))
    assert float(m.sel(gain=1.1, branch="first")) == pytest.approx(0.50, abs=0.005)
    for gain, spread in ((0.95, 0.0), (1.1, 0.50)):
        run = pair.replace(gain=gain, start="anywhere").simulate(seed=1)
        run.advance(600)
        assert run.observe()["spread"] == pytest.approx(spread, abs=0.02)


def test_softmax_units_have_one_answer_up_to_gain_two(rng: np.random.Generator) -> None:
    for states in (2, 3, 5):
        p = rng.dirichlet(np.ones(states), 2000)
        change = rng.standard_normal((2000, states))
        change -= change.mean(axis=1, keepdims=True)
        ratio = np.sum(change**2 / p, axis=1) / np.sum(change**2, axis=1)
        assert ratio.min() >= 2 - 1e-9
    edge = np.array([1.0, -1.0, 0.0])  # two states share all the probability: the bound is reached
    assert np.sum(edge[:2] ** 2 / 0.5) / np.sum(edge**2) == 2


def test_damped_steps_converge_for_any_negative_definite_couplings(rng: np.random.Generator) -> None:
    for _ in range(100):
        n = int(rng.integers(2, 12))
        factor = rng.standard_normal((n, int(rng.integers(1, 12))))
        couplings = -rng.uniform(0.1, 5) * factor @ factor.T / n
        damping = 0.95 * 2 / (1 - np.linalg.eigvalsh(couplings)[0])
        m, bias = rng.uniform(-1, 1, n), rng.standard_normal(n)
        change = np.ones(n)
        while np.abs(change).max() > 1e-9:
            change = damping * (np.tanh(couplings @ m + bias) - m)
            m = m + change
        np.testing.assert_allclose(m, np.tanh(couplings @ m + bias), atol=1e-7)


# -- many units: theory against matrices -----------------------------------------------------------------------------


def machine(gain: float, inhibition: float, size: int, rng: np.random.Generator) -> Array:
    couplings = np.triu(rng.normal(0, (gain + inhibition) / 4 / math.sqrt(size), (size, size)), 1)
    couplings += couplings.T
    np.fill_diagonal(couplings, -(inhibition - gain) / 2)
    return couplings


@pytest.mark.parametrize(("gain", "inhibition", "bias"), [(0.9, 0.9, 0.3), (0.6, 3.0, 0.8)])
def test_mean_field_of_large_matrices(gain: float, inhibition: float, bias: float) -> None:
    theory = many_units(np.array([gain]), np.array([inhibition]), np.array([bias]), False)
    gaps = []
    for size in (60, 180):
        rng, found = np.random.default_rng(size), []
        for _ in range(5):
            couplings, m = machine(gain, inhibition, size, rng), np.zeros(size)
            for _ in range(80):
                m += 0.3 * (np.tanh(couplings @ m + bias) - m)
            slope = 1 - m * m
            answer = np.linalg.inv(np.diag(1 / slope) - couplings)
            root = np.sqrt(slope)
            ends = np.linalg.eigvalsh(root[:, None] * couplings * root)[[0, -1]]
            found.append([m.mean(), np.mean(m * m), np.trace(answer) / size, *ends])
        mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(5)
        wanted = np.ravel([theory.magnetization, theory.overlap, theory.response, theory.bottom, theory.top])
        assert (np.abs(mean - wanted)[:3] < 4 * error[:3] + 1 / size).all()
        gaps.append(np.abs(mean - wanted)[3:].max())
    assert gaps[1] < 0.03 * (1 + inhibition)  # ends of spectra converge slowly, as N^(-2/3)
    assert gaps[1] < gaps[0] + 0.005


def test_inhibition_that_cancels_the_echo_makes_mean_field_exact() -> None:
    for bias in (0.0, 0.3, 1.0):
        model = MonotoneBoltzmann(gain=0.8, bias=bias)
        (inhibition,) = model.landmark("accurate", "inhibition")
        mean_field, exact = values(gain=0.8, bias=bias, inhibition=inhibition)
        for name in ("magnetization", "overlap", "response"):
            assert mean_field[name] == pytest.approx(exact[name], abs=1e-9)
        mean_field, exact = values(gain=0.8, bias=bias, inhibition=0.8)
        name = "magnetization" if bias else "response"
        assert mean_field[name] > exact[name] + 0.01


def test_monotone_machines_are_above_the_glass() -> None:
    theory = MonotoneBoltzmann().theory(method="exact", gain=[0.5, 1.0], inhibition=[0.0, 1.0, 2.9], bias=[0.0, 0.5])
    assert (theory["validity"].sel(branch="first") == 0).all()
    assert int(MonotoneBoltzmann(gain=2.0, inhibition=4.0).theory(method="exact")["validity"].sel(branch="first")) > 0


# -- runs against theory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine_kind", ["full", "restricted"])
@pytest.mark.parametrize("dynamics", ["mean_field", "sampling"])
def test_ensembles_meet_their_theory(machine_kind: str, dynamics: str) -> None:
    controls: dict[str, Any] = {"machine": machine_kind, "inhibition": 0.9, "bias": 0.3}
    mean_field, exact = values(**controls)
    wanted = mean_field if dynamics == "mean_field" else exact
    other = exact if dynamics == "mean_field" else mean_field
    for size in (32, 96):
        found = MonotoneBoltzmann(dynamics=dynamics, size=size, **controls).ensemble(samples=6, seed=3)
        for name in ("magnetization", "overlap"):
            value, error = float(found[name]), float(found[f"{name}_standard_error"])
            assert value == pytest.approx(wanted[name], abs=4 * error + 0.5 / size), (name, size)
            if size == 96 and name == "magnetization":
                assert abs(value - other[name]) > 2 * error


def test_small_deviations_shrink_as_the_semicircle_says() -> None:
    for controls in ({}, {"inhibition": 4.0, "damping": 0.36}, {"damping": 0.62}):
        model = MonotoneBoltzmann(size=512, **controls)  # type: ignore[arg-type]
        run = model.simulate(seed=2)
        run.advance(7)  # later a finite machine has only its last eigenvalue
        times, series = run.series()
        path = model.predicted_path({name: x[0] for name, x in series.items()}, times)["spread"]
        np.testing.assert_allclose(np.log(series["spread"]), np.log(path), atol=0.08)


def test_starts_end_in_one_answer_if_and_only_if_the_machine_is_monotone() -> None:
    for kind in ("full", "restricted"):
        model = MonotoneBoltzmann(machine=kind, start="anywhere", inhibition=1.3, size=48)
        for gain, low, high in ((0.9, 0.0, 1e-3), (1.6, 0.05, 1.0)):
            run = model.simulate(seed=1, gain=gain)
            run.advance(250)
            assert low <= run.observe()["spread"] <= high


def test_steps_longer_than_the_limit_never_arrive() -> None:
    model = MonotoneBoltzmann(inhibition=4.0, size=64)
    (limit,) = model.landmark("longest_step", "damping")
    assert limit == pytest.approx(0.4)
    for damping, arrives in ((limit - 0.03, True), (limit + 0.03, False)):
        run = model.simulate(seed=1, damping=damping)
        run.advance(400)
        assert (run.observe()["spread"] < 1e-4) == arrives


def test_small_machines_are_summed_over_rightly() -> None:
    model = MonotoneBoltzmann(size=8, bias=0.4, gain=0.9, inhibition=1.5).realised()
    small = Machine(model, np.random.default_rng(1))
    couplings = model.radius * small.couplings
    states = np.array(list(itertools.product((-1, 1), repeat=8)))
    weight = np.exp(0.5 * np.einsum("ki,ij,kj->k", states, couplings, states) + 0.4 * states.sum(axis=1))
    np.testing.assert_allclose(small.exact_means(), weight @ states / weight.sum(), atol=1e-12)


# -- digits ----------------------------------------------------------------------------------------------------------


def test_implicit_gradients_are_those_of_finite_differences(rng: np.random.Generator) -> None:
    digits = DigitMachine(MonotoneBoltzmann(machine="digits", inhibition=2.0), rng)
    couplings = rng.standard_normal(digits.couplings.shape) / 30
    digits.couplings = couplings + couplings.T
    batch, hidden = digits.taught[:6], rng.random(digits.biases.size) < 0.4

    def likelihood() -> float:
        beliefs = digits.settled(np.where(hidden, 0.0, batch), hidden, 0.5, 80)
        return float(np.log((1 + batch * beliefs) / 2)[:, hidden].sum() / len(batch))

    by_couplings, by_biases = digits.gradient(batch, hidden)
    inside, outside = np.flatnonzero(hidden)[:2], np.flatnonzero(~hidden)[:1]
    for i, j in ((inside[0], inside[1]), (inside[0], outside[0])):
        slopes = []
        for step in (1e-5, -1e-5):
            digits.couplings[i, j] += step
            digits.couplings[j, i] += step
            slopes.append(likelihood() / 2e-5)
            digits.couplings[i, j] -= step
            digits.couplings[j, i] -= step
        assert by_couplings[i, j] == pytest.approx(slopes[0] - slopes[1], rel=1e-4, abs=1e-7)
    digits.biases[inside[0]] += 1e-5
    up = likelihood()
    digits.biases[inside[0]] -= 2e-5
    assert by_biases[inside[0]] == pytest.approx((up - likelihood()) / 2e-5, rel=1e-4)


def test_a_monotone_machine_learns_to_complete_and_name_digits() -> None:
    run = MonotoneBoltzmann(machine="digits", inhibition=3.0, damping=0.4).simulate(seed=1)
    before = run.observe()
    run.advance(80)
    after = run.observe()
    assert after["pixel_error"] < 0.9 * before["pixel_error"]
    assert after["label_error"] < 0.5
    assert after["spread"] < 1e-3
    ends = np.linalg.eigvalsh(run.machine.couplings)[[0, -1]]
    assert ends[0] >= -3 - 1e-9
    assert ends[1] <= 0.9 + 1e-9
