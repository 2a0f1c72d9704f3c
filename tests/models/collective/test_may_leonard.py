"""May-Leonard: eigenvalues by differentiation, the kernel against mean field and diffusion, the mobility threshold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.models.collective.may_leonard import MayLeonard, encounters, outcomes
from mfexplore.numerics.chance.random import new_stream

rates = st.floats(0.1, 10)


@given(rates, rates)
def test_eigenvalues_are_those_of_the_rate_equations(selection: float, reproduction: float) -> None:
    model = MayLeonard(selection=selection, reproduction=reproduction)
    theory = model.theory().sel(branch="coexistence")
    a = theory["densities"].values

    def slope(a: np.ndarray) -> np.ndarray:
        return a * (reproduction * (1 - a.sum()) - selection * np.roll(a, 1))

    np.testing.assert_allclose(slope(a), 0, atol=1e-15)
    step = 1e-6
    jacobian = np.array([(slope(a + step * e) - slope(a - step * e)) / (2 * step) for e in np.eye(3)]).T
    found = sorted(np.linalg.eigvals(jacobian), key=lambda x: (round(x.real, 9), x.imag))
    growth, frequency = float(theory["growth_rate"]), float(theory["frequency"])
    expected = [-reproduction, growth - 1j * frequency, growth + 1j * frequency]
    np.testing.assert_allclose(found, expected, atol=1e-6 * (1 + reproduction))


def test_the_mean_field_spirals_out_with_the_predicted_rate_and_frequency() -> None:
    model = MayLeonard()
    times = np.linspace(0, 20, 201)
    start = {"species_1": 0.25 + 2e-5, "species_2": 0.25 - 1e-5, "species_3": 0.25 - 1e-5}
    path = model.predicted_path(start, times)
    z = sum(path[f"species_{k + 1}"] * np.exp(2j * np.pi * k / 3) for k in range(3))
    theory = model.theory().sel(branch="coexistence")
    turning = np.polyfit(times, np.unwrap(np.angle(z)), 1)[0]
    growing = np.polyfit(times, np.log(np.abs(z)), 1)[0]
    assert abs(turning) == pytest.approx(float(theory["frequency"]), rel=1e-3)
    assert growing == pytest.approx(float(theory["growth_rate"]), rel=1e-3)


def test_exchange_alone_diffuses_with_a_quarter_of_the_mobility(rng: np.random.Generator) -> None:
    """Far-apart walkers: mean squared displacement is M t in squares, so D = M/4."""
    linear, spacing = 400, 20
    grid = np.zeros((linear, linear), np.uint8)
    grid[spacing // 2 :: spacing, spacing // 2 :: spacing] = 1
    walkers = int(grid.sum())
    flat = grid.ravel()
    time = 4.0
    encounters(flat, linear, int(time * linear**2), 0.0, 0.0, 1.0, outcomes(), new_stream(rng))
    assert int(flat.sum()) == walkers
    y, x = np.nonzero(flat.reshape(linear, linear))
    displacement = (x % spacing - spacing // 2) ** 2 + (y % spacing - spacing // 2) ** 2
    error = displacement.std() / math.sqrt(walkers)
    assert displacement.mean() == pytest.approx(2 * time, abs=4 * error)


def test_a_mixed_lattice_follows_mean_field() -> None:
    """With very fast exchange neighbours are random, and the densities follow eq. (1)."""
    model = MayLeonard(mobility=1e-2, size=40_000)
    run = model.simulate(seed=2)
    start = run.observe()
    run.advance(8)
    times, series = run.series()
    path = model.predicted_path(start, times)
    for name in ("species_1", "species_2", "species_3", "total_density"):
        np.testing.assert_allclose(series[name], path[name], atol=0.025)


def test_outcomes_are_the_rules_of_the_game() -> None:
    selection, reproduction, exchange = outcomes().astype(int)
    for me in range(4):
        for you in range(4):
            beaten = (me, you) in ((1, 2), (2, 3), (3, 1))
            assert tuple(selection[me, you]) == (me, 0 if beaten else you)
            assert tuple(reproduction[me, you]) == (me, me if you == 0 else you)
            assert tuple(exchange[me, you]) == (you, me)


def test_spirals_keep_all_species_alive_below_the_critical_mobility_only() -> None:
    published = next(r for r in reference_values("reaction_kinetics") if r["id"] == "lit_maylm")["value"]
    model = MayLeonard(size=1600)
    assert model.landmark("critical_mobility", "mobility")[0] == pytest.approx(published)
    extinct = {}
    for factor in (0.25, 0.5, 2.0, 4.0):
        runs = [model.replace(mobility=factor * published).simulate(seed=seed) for seed in range(8)]
        for run in runs:
            run.evolve(model.size)  # a neutral mixture loses a species in a time of this order
        extinct[factor] = np.mean([run.observe()["surviving_species"] < 3 for run in runs])
    assert extinct[0.25] <= 0.2
    assert extinct[0.5] < 0.5 < extinct[2.0]
    assert extinct[4.0] >= 0.8


def test_the_wavelength_grows_as_the_square_root_of_the_mobility() -> None:
    found = MayLeonard().theory(mobility=np.array([1e-5, 4e-5]))["wavelength"].sel(branch="coexistence")
    assert float(found[1] / found[0]) == pytest.approx(2)


def test_the_measured_wavelength_of_a_plane_wave_is_its_own() -> None:
    run: Any = MayLeonard(size=60 * 60).simulate()
    run.grid = (1 + np.indices((60, 60))[1] // 4 % 3).astype(np.uint8).ravel()
    assert run.wavelength() == pytest.approx(12 / 60)
    run.grid[:] = 2
    assert math.isnan(run.wavelength())


def test_simulated_spirals_have_about_the_wavelength_of_theory() -> None:
    """Eq. (4) is an expansion: right within a factor of two, and in its growth with the mobility."""
    found = {}
    for mobility in (5e-5, 2e-4):
        model = MayLeonard(mobility=mobility, size=128**2)
        measured = [model.simulate(seed=seed).measure()["wavelength"] for seed in range(5)]
        theory = float(model.theory()["wavelength"].sel(branch="coexistence"))
        found[mobility] = np.mean(measured)
        assert 0.5 < found[mobility] / theory < 2
    assert 1.4 < found[2e-4] / found[5e-5] < 2.6


def test_a_step_has_no_more_encounters_than_a_picture_can_wait_for() -> None:
    run = MayLeonard(mobility=1e-5).simulate(seed=0)
    assert run.step == 1.0
    fast = run.model.replace(mobility=1e-2)
    assert run.follow(fast)
    encounters = run.step * 65536 * (1 + 1 + 1e-2 * 65536 / 2)
    assert 1e6 < encounters <= 2.5e6
    run.advance()
    assert run.time == run.step
