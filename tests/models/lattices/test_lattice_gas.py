"""Lattice gas: verified values, theories by other ways, every sampler against all states, surfaces against theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import quad
from scipy.optimize import brentq

from mfexplore.core import NotOfferedError
from mfexplore.models.lattices.lattice_gas import LatticeGas, samplers
from mfexplore.numerics.space.lattices import neighbourhood

REFERENCES = reference_values("lattice_gas")
CLOSED = {"statistical_ensemble": "canonical"}


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", [r for r in REFERENCES if r["id"].startswith("lg44")], ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    p, value = reference["params"], reference["value"]
    t, mu = p["T"], p["mu"]
    found = LatticeGas(temperature=t, chemical_potential=mu, side=4).exact()
    assert -16 * found["free_energy"] / t == pytest.approx(value[0], rel=1e-12)
    if len(value) == 2:
        assert found["coverage"] == pytest.approx(value[1], rel=1e-12)
        return
    assert 16 * found["coverage"] == pytest.approx(value[1], rel=1e-12)
    assert -16 * (found["energy"] + mu * found["coverage"]) == pytest.approx(value[2], rel=1e-12)
    # The variance of N by a derivative of the coverage
    step = 1e-4
    here = LatticeGas(temperature=t, side=4)
    up, down = (here.replace(chemical_potential=mu + s * step).exact()["coverage"] for s in (1, -1))
    assert 16 * t * (up - down) / (2 * step) == pytest.approx(value[3], rel=1e-5)
    assert 16 * found["specific_heat"] == pytest.approx(value[4], rel=1e-11)


def test_counts_of_the_card() -> None:
    """Eight particles by their bonds; and the energies of the Ising model, -16 + 2 for each bond that disagrees."""
    eight = LatticeGas(**CLOSED).bond_count()
    known = {0: 2, 3: 64, 4: 120, 5: 576, 6: 2112, 7: 3264, 8: 4356, 9: 1600, 10: 768, 12: 8}
    assert {b: round(math.exp(v)) for b, v in enumerate(eight) if np.isfinite(v)} == known
    count = np.exp(samplers.exact_count(4))
    ising: dict[int, int] = {}
    for n, b in np.argwhere(count > 0):
        energy = int(4 * (4 * n - 2 * b) / 2 - 32)
        ising[energy] = ising.get(energy, 0) + round(count[n, b])
    half = {32: 2, 24: 32, 20: 64, 16: 424, 12: 1728, 8: 6688, 4: 13568, 0: 20524}
    assert ising == half | {-e: g for e, g in half.items()}


def test_critical_temperatures() -> None:
    model = LatticeGas(filling=0.5, **CLOSED)
    for name, value in (("binodal", 0.5672963285), ("binodal_bethe", 0.7213475204), ("binodal_bragg_williams", 1.0)):
        assert model.landmark(name, "temperature")[0] == pytest.approx(value, rel=1e-9)
    uneven = model.replace(disorder=0.8).landmark("binodal_bragg_williams", "temperature")
    assert uneven[0] == pytest.approx(0.4 / math.atanh(0.4), rel=1e-8)  # Δ / (2 artanh Δ/2)


# -- theory by other ways ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("t", "mu", "disorder"), [(0.4, -2.1, 0.0), (0.6, -1.9, 0.7), (1.3, -1.0, 1.5)])
def test_mean_field_has_all_roots_of_its_equation(t: float, mu: float, disorder: float) -> None:
    def kept(theta: float) -> float:
        if disorder == 0:
            return 1 / (1 + math.exp(-(mu + 4 * theta) / t))
        return quad(lambda e: 1 / (1 + math.exp(-(mu + e + 4 * theta) / t)), -disorder, disorder)[0] / (2 * disorder)

    grid = np.linspace(0, 1, 402)
    changes = np.flatnonzero(np.diff(np.sign([kept(x) - x for x in grid])))
    roots = [brentq(lambda x: kept(x) - x, grid[i], grid[i + 1], xtol=1e-14) for i in changes]
    theory = LatticeGas(temperature=t, chemical_potential=mu, disorder=disorder).theory(method="bragg_williams")
    found = theory["coverage"].values
    np.testing.assert_allclose(np.sort(found[np.isfinite(found)]), roots, atol=1e-10)


@pytest.mark.parametrize("t", [0.3, 0.6, 1.1])
def test_bethe_is_the_quasi_chemical_equation(t: float) -> None:
    """Numbers of pairs obey a law of mass action: pairs of two and of none over pairs of one, squared, is e^(1/T)/4."""
    theory = LatticeGas(temperature=t, chemical_potential=-1.8).theory(method="bethe", profiles=False)
    for branch in ("dense", "dilute", "unstable"):
        state = theory.sel(branch=branch)
        if not np.isfinite(state["coverage"]):
            continue
        theta = float(state["coverage"])
        bonds = -(float(state["energy"]) - 1.8 * theta)  # energy = -bonds + 1.8 theta
        both = bonds / 2  # part of all bonds that has two particles
        one = 2 * (theta - both)
        none = 1 - both - one
        assert both * none / one**2 == pytest.approx(math.exp(1 / t) / 4, rel=1e-8)


def test_onsager_at_a_fixed_number_is_a_mixture() -> None:
    dense = LatticeGas(temperature=0.45).theory(method="exact").sel(branch="dense")
    dilute = LatticeGas(temperature=0.45).theory(method="exact").sel(branch="dilute")
    share = (0.3 - dilute["coverage"]) / (dense["coverage"] - dilute["coverage"])
    mixed = LatticeGas(temperature=0.45, filling=0.3, **CLOSED).theory(method="exact").sel(branch="separated")
    for name in ("energy", "free_energy"):  # a particle has gained nothing for its chemical potential
        both = [float(part[name] - 2 * part["coverage"]) for part in (dense, dilute)]
        assert float(mixed[name]) == pytest.approx(float(share) * both[0] + (1 - float(share)) * both[1], rel=1e-12)


def test_holes_are_particles() -> None:
    for extra in ({}, {"disorder": 0.6}):
        here = LatticeGas(temperature=0.55, chemical_potential=-1.7, **extra).theory(profiles=False)
        there = LatticeGas(temperature=0.55, chemical_potential=-2.3, **extra).theory(profiles=False)
        for one, other in (("dense", "dilute"), ("dilute", "dense"), ("unstable", "unstable")):
            a, b = here.sel(branch=one)["coverage"], there.sel(branch=other)["coverage"]
            np.testing.assert_allclose(a, 1 - b, atol=1e-12)


def test_spinodals_are_where_branches_end() -> None:
    for method in ("bragg_williams", "bethe"):
        model = LatticeGas(temperature=0.5)
        low, high = model.landmark(f"spinodal_{method}", "chemical_potential")
        mu = np.array([low - 1e-6, low + 1e-6, high - 1e-6, high + 1e-6])
        found = model.theory(method=method, chemical_potential=mu, profiles=False)["coverage"]
        assert np.isfinite(found.sel(branch="dense")).values.tolist() == [False, True, True, True]
        assert np.isfinite(found.sel(branch="dilute")).values.tolist() == [True, True, True, False]
    inside = LatticeGas(temperature=0.5, **CLOSED).landmark("decomposition", "filling")
    np.testing.assert_allclose(4 * inside * (1 - inside), 0.5, rtol=1e-9)


def test_false_condensation_is_flagged() -> None:
    theory = LatticeGas().theory(temperature=np.array([0.5, 0.6, 0.8]), profiles=False)["validity"].sel(branch="dense")
    assert theory.sel({"method": "bragg_williams"}).values.tolist() == [0, 1, 1]
    assert theory.sel({"method": "bethe"}).values.tolist() == [0, 1, 0]
    uneven = LatticeGas(disorder=0.5).theory(method="bragg_williams", profiles=False)["validity"]
    assert uneven.sel(branch="dense") == 2


# -- samplers ------------------------------------------------------------------------------------------------------


def counts(state: np.ndarray, near: np.ndarray) -> tuple[int, int]:
    return int(state.sum()), int((state[near] * state[:, None]).sum()) // 2


@pytest.mark.parametrize("ensemble", ["grand", "canonical"])
@pytest.mark.parametrize("algorithm", ["heat_bath", "wang_landau", "nested"])
def test_totals_are_those_of_the_state(algorithm: str, ensemble: str) -> None:
    run = LatticeGas(statistical_ensemble=ensemble, algorithm=algorithm, side=6, temperature=0.7).simulate(seed=1)
    run.advance(2 * run.step)
    states = run.occupied.reshape(-1, 36)
    near = neighbourhood("square", 6).table()
    assert [counts(state, near) for state in states] == [tuple(t) for t in run.totals.tolist()]
    assert ensemble == "grand" or (states.sum(axis=1) == 18).all()


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("algorithm", ["wang_landau", "nested"])
def test_a_count_is_the_count(algorithm: str, closed: bool) -> None:
    """All logarithms within a few errors, and for Wang-Landau at the precision of the card's run of its length."""
    model = LatticeGas(algorithm=algorithm, side=4, walkers=400, **(CLOSED if closed else {}))
    run = model.simulate(seed=2)
    run.advance(62_000 if algorithm == "wang_landau" else 20)
    error = run.observe()["count_error"]
    (card,) = (r["value"] for r in REFERENCES if r["id"] == "wl44_maxerr")
    information = math.sqrt(16 * math.log(2) / 400)
    assert error < (3 * card if algorithm == "wang_landau" else 4 * information)
    if algorithm == "nested":
        assert run.finished


def test_a_count_needs_no_new_run_at_another_temperature() -> None:
    run = LatticeGas(algorithm="wang_landau", side=4, temperature=0.5).simulate(seed=3)
    run.advance(40_000)
    before = run.log_count().copy()
    assert run.follow(run.model.replace(temperature=0.9, chemical_potential=-2.4))
    np.testing.assert_array_equal(run.log_count(), before)
    assert run.observe()["coverage"] == pytest.approx(run.model.exact()["coverage"], abs=0.01)
    measured = run.profiles()["isotherm"]
    exact = run.model.profiles()["isotherm"].values[3, 0]
    np.testing.assert_allclose(measured.values, exact, atol=0.03)


def test_a_heat_bath_knows_its_own_neighbourhood() -> None:
    """Reweighted, its histogram is right where it says anything; in the cold that is one side of the isotherm."""
    run = LatticeGas(side=8, temperature=0.3).simulate(seed=1)
    run.advance(4000)
    isotherm = run.profiles()["isotherm"]
    known = np.isfinite(isotherm.values)
    assert known[isotherm.coordinate > -1.9].all()
    assert not known[isotherm.coordinate < -2.6].any()
    warm = LatticeGas(side=4, temperature=0.8).simulate(seed=1)
    warm.advance(30_000)
    curve, exact = warm.profiles()["heat_curve"].values, warm.model.profiles()["heat_curve"].values[3, 0]
    known = np.isfinite(curve)
    assert known.sum() > 20
    np.testing.assert_allclose(curve[known], exact[known], atol=0.05)


@pytest.mark.parametrize("side", [24, 48])
def test_surfaces_agree_with_onsager(side: int) -> None:
    model = LatticeGas(temperature=0.48, side=side)
    found, theory = model.ensemble(samples=6, seed=1), model.theory(method="exact", profiles=False).sel(branch="dense")
    for name in ("coverage", "energy", "specific_heat"):
        assert float(found[name]) == pytest.approx(float(theory[name]), abs=4 * float(found[f"{name}_standard_error"]))


def test_away_from_coexistence_bethe_is_good_and_mean_field_is_not() -> None:
    model = LatticeGas(temperature=0.8, chemical_potential=-2.3, side=64)
    found, theory = model.ensemble(samples=4, seed=1), model.equilibrium(profiles=False)["coverage"]
    error = float(found["coverage_standard_error"])
    gaps = {m: abs(float(theory.sel({"method": m}) - found["coverage"])) for m in ("bragg_williams", "bethe")}
    assert gaps["bethe"] < 0.03
    assert gaps["bragg_williams"] > 5 * gaps["bethe"] > 5 * error


def test_a_separated_film_has_the_potential_of_coexistence() -> None:
    """Far from it at first."""
    run = LatticeGas(temperature=0.4, filling=0.4, side=48, start="bare", **CLOSED).simulate(seed=1)
    first = run.observe()["potential"]
    run.advance(1500)
    last = run.series()[1]["potential"][-500:].mean()
    assert first < -2.3
    assert last == pytest.approx(-2.0, abs=0.06)
    strip = LatticeGas(temperature=0.5, filling=0.5, side=16, **CLOSED).simulate(seed=1)
    strip.advance(16_000)
    late = strip.series()[1]["potential"][-4000:]
    assert -0.5 * math.log(np.exp(-late / 0.5).mean()) == pytest.approx(-2.0, abs=0.02)


def test_uneven_places_wash_the_jump_out() -> None:
    """From bare and from covered the same coverage is reached, where mean field has two states."""
    model = LatticeGas(temperature=0.45, disorder=1.5, side=48)
    assert np.isfinite(model.theory(method="bragg_williams", profiles=False)["coverage"].sel(branch="unstable"))
    ends = []
    for start in ("bare", "covered"):
        run = model.replace(start=start).simulate(seed=4)
        run.advance(1500)
        ends.append(run.series()[1]["coverage"][-700:].mean())
    assert abs(ends[0] - ends[1]) < 0.05
    with pytest.raises(NotOfferedError):
        model.replace(side=4).exact()


def test_a_large_torus_has_the_energy_of_the_infinite_surface() -> None:
    model = LatticeGas(temperature=0.7, side=256)
    exact, infinite = model.exact(), model.theory(method="exact", profiles=False).sel(branch="dense")
    for name in ("energy", "specific_heat", "free_energy", "entropy"):
        assert exact[name] == pytest.approx(float(infinite[name]), abs=1e-7), name
    assert "coverage" not in exact  # it is one half, and a run sees one side


def test_every_state_of_nine_places_is_counted() -> None:
    near = neighbourhood("square", 3).table()
    found = np.zeros((10, 19))
    for state in itertools.product((0, 1), repeat=9):
        n, b = counts(np.array(state), near)
        found[n, b] += 1
    np.testing.assert_allclose(np.exp(samplers.exact_count(3)), found, atol=1e-9)
