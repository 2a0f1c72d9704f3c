"""Mean-field control: reference values, the well by a grid, the partial view by sampling, crowds against theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.special import i0e, i1e

from mfexplore.core import Phases
from mfexplore.models.decisions.mean_field_control import MeanFieldControl
from mfexplore.models.decisions.mean_field_control.theory import (
    ANGLES,
    HARMONICS,
    crowd,
    crowd_that_sees_some,
    depth_at,
    ground,
    misjudged,
    policy,
)


def coherent(model: MeanFieldControl, *names: str) -> list[float]:
    theory = model.theory(profiles=False).sel(branch="coherent")
    return [float(theory[name]) for name in names]


# -- reference values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("mean_field_control"), ids=lambda r: r["id"])
def test_values_of_the_card(reference: dict[str, Any]) -> None:
    ratio = reference["params"]["R_sigma4_over_2"]
    for noise in (0.9, 0.7):
        planner = MeanFieldControl(price=2 * ratio / noise**4, noise=noise)
        assert coherent(planner, "coherence") == pytest.approx([reference["value"]], abs=1e-12)
        game = MeanFieldControl(price=ratio / noise**4, noise=noise, objective="game")
        assert coherent(game, "coherence") == pytest.approx([reference["value"]], abs=1e-12)


def test_more_values_of_the_card() -> None:
    assert coherent(MeanFieldControl(price=1.2), "coherence") == pytest.approx([0.6203834301], abs=1e-10)
    assert coherent(MeanFieldControl(price=1.98), "coherence") == pytest.approx([0.10668], abs=1e-5)
    for noise in (0.7, 1.3):
        model = MeanFieldControl(noise=noise)
        assert model.landmark("planned", "price") == pytest.approx([2 / noise**4])
        assert model.landmark("played", "price") == pytest.approx([1 / noise**4])


# -- independent slow paths ------------------------------------------------------------------------------------------


def on_a_grid(depth: float, n: int) -> tuple[float, float]:
    """Coherence and mean square slope of the ground state by finite differences."""
    step = 2 * math.pi / n
    angle = step * np.arange(n)
    kinetic = (2 * np.eye(n) - np.roll(np.eye(n), 1, 0) - np.roll(np.eye(n), -1, 0)) / step**2
    psi = np.linalg.eigh(kinetic - np.diag(depth * np.cos(angle)))[1][:, 0]
    return float(psi**2 @ np.cos(angle)), float(psi @ kinetic @ psi)


@pytest.mark.parametrize("depth", [0.3, 4.0, 60.0])
def test_the_ground_state_is_that_of_a_grid(depth: float) -> None:
    state = ground(depth)[0]
    coarse, fine = (np.array(on_a_grid(depth, n)) for n in (100, 200))
    assert [state.coherence, state.effort] == pytest.approx(list((4 * fine - coarse) / 3), abs=3e-5 * (1 + depth))
    assert state.energy == pytest.approx(state.effort - depth * state.coherence, abs=1e-10)


@pytest.mark.parametrize("ratio", [0.01, 0.2, 0.7, 0.97])
def test_the_fit_solves_the_well_that_the_crowd_makes(ratio: float) -> None:
    depth = depth_at(ratio)
    r, effort = (float(one) for one in crowd(np.array(ratio)))
    assert ground(depth)[0].coherence == pytest.approx(depth * ratio, abs=1e-11)
    assert r == pytest.approx(depth * ratio, abs=1e-10)
    assert effort == pytest.approx(ratio * ground(depth)[0].effort, abs=1e-10)


def test_no_other_control_is_cheaper_for_the_planner() -> None:
    """Crowds held by wells of any other depth cost more; so do von Mises crowds, in closed form."""
    for price in (0.3, 1.0, 1.7):
        model = MeanFieldControl(price=price)
        (cost,) = coherent(model, "cost")
        assert cost == pytest.approx(float(np.min(model.landscape().free_energy)), abs=2e-4)
        assert cost <= float(np.min(model.landscape().free_energy)) + 1e-12
        b = np.linspace(0.01, 20, 2000)  # of the density exp(b cos)
        r = i1e(b) / i0e(b)
        assert cost < np.min(price / 2 * b * r / 4 + (1 - r * r) / 2)


def test_the_policy_keeps_up_the_crowd() -> None:
    ratio = np.array([0.05, 0.4, 0.9])
    density = np.exp(
        2 * np.fft.irfft(np.fft.rfft(policy(ratio)) * np.where(HARMONICS > 0, 1, 0) / (1j * np.maximum(HARMONICS, 1)))
    )
    density /= density.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(density @ np.cos(ANGLES), crowd(ratio)[0], atol=1e-7)


def test_errors_of_direction_against_samples() -> None:
    rng = np.random.default_rng(3)
    r, second, k, s = 0.5, 0.2, 9.0, 0.4
    x = r + np.sqrt(((1 + second) / 2 - r * r) / k) * rng.standard_normal(200_000)
    y = np.sqrt((1 - second) / 2 / k) * rng.standard_normal(200_000)
    delta = np.arctan2(y, x) + s * rng.standard_normal(200_000)
    found = misjudged(*(np.array([one]) for one in (r, second, k, s)))[0]
    for n in (1, 2, 5):
        assert found[n] == pytest.approx(float(np.mean(np.cos(n * delta))), abs=5e-3)


def test_to_see_many_is_to_see_all() -> None:
    ratio = np.array([0.1, 0.5, 0.8])
    seen = crowd_that_sees_some(ratio, np.full(3, 1e8), np.zeros(3))
    np.testing.assert_allclose(seen.coherence, crowd(ratio)[0], atol=1e-6)
    np.testing.assert_allclose(ratio * seen.effort, crowd(ratio)[1], atol=1e-5)


# -- what the page claims --------------------------------------------------------------------------------------------


def test_anarchy_has_its_price_between_the_thresholds() -> None:
    theory = MeanFieldControl(objective="game").theory(price=[0.2, 0.9, 1.0, 1.5, 2.5], profiles=False)
    anarchy = theory["price_of_anarchy"].sel(branch="incoherent").values
    assert np.all(anarchy[:4] > 1)
    assert anarchy[4] == pytest.approx(1, abs=1e-12)
    assert np.argmax(anarchy) == 2
    names = theory["phase"].attrs["flag_meanings"].split()
    assert [names[int(one) + 1] for one in theory["phase"]] == ["in_step", "in_step", "anarchy", "anarchy", "scattered"]


def test_whoever_sees_badly_pays_more_for_less() -> None:
    clear = coherent(MeanFieldControl(), "coherence", "effort")
    for controls in ({"peers": 6}, {"peers": 200, "sensing_noise": 0.8}):
        blurred = coherent(MeanFieldControl(sight="some", **controls), "coherence", "effort")
        assert blurred[0] < clear[0]
        assert blurred[1] > clear[1]


# -- simulation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [300, 1200])
@pytest.mark.parametrize(
    "controls",
    [{}, {"objective": "game", "price": 0.4}, {"sight": "some", "peers": 10, "sensing_noise": 0.5}],
    ids=["planner", "game", "some"],
)
def test_crowds_do_as_theory_says(controls: dict[str, Any], size: int) -> None:
    """Within the error of 4 samples, and what Euler's steps of 0.004 and the finite size do."""
    model = MeanFieldControl(**controls, size=size, start="coherent")
    runs = []
    for seed in range(4):
        run = model.simulate(seed=seed)
        run.advance(6)
        runs.append([np.mean(series[30:]) for series in run.series()[1].values()])
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / math.sqrt(4)
    for k, name in enumerate(("coherence", "effort", "cost")):
        assert mean[k] == pytest.approx(coherent(model, name)[0], abs=4 * error[k] + 0.002 + 1 / size), name


def test_the_crowd_of_a_game_melts_where_a_planner_holds_it() -> None:
    found = {}
    for objective in ("planner", "game"):
        run = MeanFieldControl(price=1.3, objective=objective, start="coherent", size=1000).simulate(seed=1)
        run.advance(12)
        found[objective] = np.mean(run.series()[1]["coherence"][-40:])
        assert isinstance(run.picture(), Phases)
    assert found["planner"] > 0.5
    assert found["game"] < 0.15
