"""Phases from local fields: moments and law against enumeration, slow sums and limits; names; simulation."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import quad
from scipy.optimize import brentq

from mfexplore.families.replicas.steps import order_parameter, solve
from mfexplore.families.replicas.symmetric import BREAKPOINT, FIRST, LAST, SPIN_GLASS, TRIANGLE
from mfexplore.models.glasses.local_field_phases import LocalFieldPhases
from mfexplore.models.glasses.local_field_phases.theory import FIELDS, end_of_tree, field_density, moments

Z = np.linspace(-9, 9, 20_001)
DZ = np.exp(-0.5 * Z * Z) / np.exp(-0.5 * Z * Z).sum()


def slow_overlap(temperature: float) -> float:
    """The replica-symmetric overlap of the glass without a bias."""
    return float(brentq(lambda q: DZ @ np.tanh(math.sqrt(q) * Z / temperature) ** 2 - q, 1e-6, 1))


# -- values of card and review -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", reference_values("sk_local_field"), ids=lambda row: row["id"])
def test_values_of_the_card(row: dict[str, Any]) -> None:
    model = LocalFieldPhases(temperature=row["params"]["T"], ferromagnetic_bias=row["params"]["J0"])
    for method in ("replica_symmetric", "parisi"):
        theory = model.equilibrium(method=method, profiles=False)
        found = [float(theory[n]) for n in ("overlap", "magnetization", "field_mean", "field_variance", "alignment")]
        np.testing.assert_allclose(found, row["value"], atol=1e-10)


@pytest.mark.parametrize(("temperature", "variance"), [(0.9, 2.198178), (0.5, 2.818014), (0.2, 2.964919)])
def test_variance_of_replica_symmetry(temperature: float, variance: float) -> None:
    found = LocalFieldPhases(temperature=temperature).equilibrium(method="replica_symmetric", profiles=False)
    assert float(found["field_variance"]) == pytest.approx(variance, abs=1e-6)
    q = slow_overlap(temperature)
    closed = 1 + (1 - q) ** 2 * (1 + 2 * q) / temperature**2
    assert float(found["field_variance"]) == pytest.approx(closed, abs=1e-9)


def test_one_step_at_half_the_critical_temperature() -> None:
    t, none = np.array([0.5]), np.zeros(1)
    table, _, _ = solve(np.array([1]), t, none, none)
    _, variance = moments(t[:, None], none[:, None], table)
    assert variance[0, SPIN_GLASS] == pytest.approx(2.787337, abs=1e-6)
    q, x = order_parameter(1, 0.5, 0.0)
    end = end_of_tree(0.5, 0.0, q, x)
    assert end is not None
    assert np.interp(0.0, FIELDS, field_density(0.5, q[-1], *end)) == pytest.approx(0.1203005, abs=1e-6)


@pytest.mark.parametrize(("temperature", "density"), [(1.5, 0.3194480), (0.5, 0.1156892), (0.2, 0.0244879)])
def test_density_at_zero(temperature: float, density: float) -> None:
    """0.3194480 is phi(1/T); with P(y) normal the others are a single average."""
    profile = LocalFieldPhases(temperature=temperature).equilibrium(method="replica_symmetric")["field_density"]
    found = float(profile.sel(local_field=0.0, method="nearest")) if "method" in profile.dims else float(
        profile.interp(local_field=0.0)
    )  # fmt: skip
    assert found == pytest.approx(density, abs=5e-7)
    if temperature < 1:
        q = slow_overlap(temperature)
        y, rest = math.sqrt(q) * Z, 1 - q
        slow = DZ @ (np.exp(-0.5 * y * y / rest) / np.cosh(y / temperature)) / math.sqrt(2 * math.pi * rest)
        assert found == pytest.approx(slow * math.exp(-0.5 * rest / temperature**2), abs=1e-9)


# -- moments -----------------------------------------------------------------------------------------------------------


def test_three_replicas_are_known_to_one_configuration(rng: np.random.Generator) -> None:
    """Eq. (3) by enumeration: with Gaussian couplings it holds on average at any size, if no index comes twice."""
    size, temperature = 7, 0.8
    states = np.array(list(itertools.product((-1.0, 1.0), repeat=size)))
    others = np.array([(i, j, k) for i, j, k in itertools.permutations(range(size), 3)])
    i, j, k = others.T
    gaps = []
    for _ in range(3000):
        couplings = np.triu(rng.standard_normal((size, size)) / math.sqrt(size), 1)
        couplings = couplings + couplings.T
        fields = states @ couplings
        weight = np.exp(0.5 * (states * fields).sum(axis=1) / temperature)
        weight /= weight.sum()
        c = (states * weight[:, None]).T @ states
        replicas = 1 - c[i, j] ** 2 - c[j, k] ** 2 - c[i, k] ** 2 + 2 * c[i, j] * c[j, k] * c[i, k]
        right = (size - 1) / size + replicas.sum() / size**3 / temperature**2
        gaps.append(float(weight @ (fields**2).mean(axis=1)) - right)
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / math.sqrt(len(gaps))
    assert np.std(gaps) / math.sqrt(len(gaps)) < 0.02


@pytest.mark.parametrize("temperature", [0.1, 0.5, 0.9])
def test_mean_triangle_of_one_step(temperature: float) -> None:
    """How often three copies are in one, two or three states, from the weights of Poisson and Dirichlet."""
    t, none = np.array([temperature]), np.zeros(1)
    row = solve(np.array([1]), t, none, none)[0][0, SPIN_GLASS]
    x, low, high = row[BREAKPOINT], row[FIRST], row[LAST]
    same, two, three = (1 - x) * (2 - x) / 2, 1.5 * x * (1 - x), x * x
    assert same + two + three == pytest.approx(1)
    assert row[TRIANGLE] == pytest.approx(same * high**3 + two * high * low**2 + three * low**3, abs=1e-14)


def test_the_slope_of_the_variance_does_not_jump_where_the_glass_begins() -> None:
    """It is -2 on both sides of T = 1; the curvature falls from 6 to 0, in replica symmetry."""
    d = 1e-3
    temperatures = 1 + d * np.array([-3, -2, -1, 1, 2, 3])
    v = LocalFieldPhases().equilibrium(method="replica_symmetric", profiles=False, temperature=temperatures)
    below, above = v["field_variance"].values[:3], v["field_variance"].values[3:]
    for side in (below, above):
        assert np.diff(side) / d == pytest.approx(-2, abs=0.03)
    assert np.diff(below, 2) / d**2 == pytest.approx(0, abs=0.05)
    assert np.diff(above, 2) / d**2 == pytest.approx(6, abs=0.05)


def test_where_symmetry_holds_the_methods_agree() -> None:
    for controls in ({"temperature": 1.3}, {"temperature": 0.7, "ferromagnetic_bias": 1.4}):
        theory = LocalFieldPhases(**controls).equilibrium(method=None, profiles=False)
        for name in ("field_mean", "field_variance", "alignment"):
            assert np.ptp(theory[name].values) < 1e-9


# -- law ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("temperature", "bias"), [(0.5, 0.0), (0.6, 1.5), (1.2, 1.5)])
def test_the_law_is_that_of_a_spin_which_shifts_its_own_field(temperature: float, bias: float) -> None:
    """Drawn as it happens: y, then the spin, then the field N(y + (1 - q) s/T, 1 - q)."""
    model = LocalFieldPhases(temperature=temperature, ferromagnetic_bias=bias)
    state = model.equilibrium(method="replica_symmetric")
    q, m = float(state["overlap"]), float(state["magnetization"])
    rest = 1 - q

    def at(h: float) -> float:
        def integrand(z: float) -> float:
            y = bias * m + math.sqrt(q) * z
            up = 1 / (1 + math.exp(-2 * y / temperature))
            total = sum(
                p * math.exp(-0.5 * (h - y - rest * s / temperature) ** 2 / rest) for p, s in ((up, 1), (1 - up, -1))
            )
            return total * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

        return quad(integrand, -9, 9, epsabs=1e-11, limit=200)[0] / math.sqrt(2 * math.pi * rest)

    density = state["field_density"]
    for place in (60, 100, 115, 150):
        assert float(density[place]) == pytest.approx(at(FIELDS[place]), abs=1e-8)


def test_the_hole_is_a_gap_by_replica_symmetry_and_linear_by_parisi() -> None:
    cold = LocalFieldPhases(temperature=0.05)
    parisi, symmetric = cold.laws(0.0)
    assert (parisi.method, symmetric.method) == ("parisi", "replica_symmetric")
    inside = np.abs(FIELDS) < 0.6 * math.sqrt(2 / math.pi)
    assert symmetric.density[inside].max() < 0.04
    h = np.array([0.2, 0.3, 0.4, 0.5])
    slope = np.interp(h, FIELDS, parisi.density) / h
    assert np.ptp(slope) / slope.mean() < 0.1
    assert slope.mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("controls", [{"temperature": 0.3}, {"temperature": 0.3, "ferromagnetic_bias": 1.5}])
def test_the_law_has_the_moments_of_the_theory(controls: dict[str, float]) -> None:
    model = LocalFieldPhases(**controls)
    for law in model.laws(0.0):
        theory = model.equilibrium(method=law.method, profiles=False)
        mass, mean, square = (np.trapezoid(law.density * law.values**p, law.values) for p in range(3))
        assert mass == pytest.approx(1, abs=1e-3)
        assert mean == pytest.approx(float(theory["field_mean"]), abs=2e-3)
        assert square - mean**2 == pytest.approx(float(theory["field_variance"]), abs=0.015)


# -- names -------------------------------------------------------------------------------------------------------------


def test_every_phase_is_recognised_up_to_a_bias_of_seventeen_tenths() -> None:
    theory = LocalFieldPhases().equilibrium(
        method="parisi", profiles=False,
        temperature=np.linspace(0.0513, 1.9513, 25), ferromagnetic_bias=np.linspace(0.0071, 1.7, 25),
    )  # fmt: skip
    assert (theory["recognised"] == 1).all()
    assert set(np.unique(theory["phase"])) == {0, 1, 2, 3}


def test_beyond_it_a_warm_ferromagnet_is_taken_for_mixed() -> None:
    model = LocalFieldPhases.preset("a wrong name")
    theory = model.equilibrium(method="parisi", profiles=False)
    assert float(theory["recognised"]) == 0
    assert model.failures[int(theory["validity"]) - 1].name == "ambiguous"


# -- simulation --------------------------------------------------------------------------------------------------------


def test_fields_are_those_of_the_couplings() -> None:
    run = LocalFieldPhases(size=100, ferromagnetic_bias=1.3, temperature=0.8).simulate(seed=1)
    run.advance(20)
    couplings = run.rows[:, :100].astype(float) * run.scale + 1.3 / 100
    np.fill_diagonal(couplings, 0.0)
    np.testing.assert_allclose(run.local_fields(), couplings @ run.spins, atol=1e-12)
    assert run.spins.sum() >= 0


@pytest.mark.parametrize(
    "controls",
    [
        {"temperature": 1.5},
        {"temperature": 1.0, "ferromagnetic_bias": 1.6, "start": "up"},
        {"temperature": 0.4},
        {"temperature": 0.3, "ferromagnetic_bias": 1.15, "start": "up"},
    ],
)
def test_moments_meet_theory_as_the_system_grows(controls: dict[str, Any]) -> None:
    """Within four standard errors and what finite size does to the energy of a glass, 1/N^(2/3)."""
    names = ("field_variance", "alignment", "field_mean")
    for size, samples in ((128, 12), (512, 6)):
        model = LocalFieldPhases(size=size, **controls)
        theory = model.equilibrium(method="parisi", profiles=False)
        seen = []
        for seed in range(samples):
            run = model.simulate(seed=seed)
            run.advance(120)
            series = run.series()[1]
            seen.append([series[name][40:].mean() for name in names])
        mean, error = np.mean(seen, axis=0), np.std(seen, axis=0, ddof=1) / math.sqrt(samples)
        for k, name in enumerate(names):
            small = (8, 3, 3)[k] / size ** (2 / 3)
            if name == "field_mean" and not model.ferromagnetic_bias:  # the size of a number that vanishes on average
                small = 3 / math.sqrt(size)
            assert mean[k] == pytest.approx(float(theory[name]), abs=4 * error[k] + small), (size, name)


def test_names_become_surer_as_the_system_grows() -> None:
    """Ten per cent below the transition."""
    shares = []
    for size, samples in ((64, 16), (1024, 4)):
        found = []
        for seed in range(samples):
            run = LocalFieldPhases(temperature=0.9, size=size).simulate(seed=seed)
            run.advance(80)
            found.append(run.series()[1]["recognised"][10:].mean())
        shares.append(float(np.mean(found)))
    assert shares[0] < 0.9
    assert shares[1] > shares[0] + 0.1


def test_the_run_measures_the_hole() -> None:
    """Near zero it comes down to Parisi's density, which is three times that of replica symmetry."""
    gaps = []
    for size in (128, 1024):
        model = LocalFieldPhases(temperature=0.15, size=size)
        run = model.simulate(seed=4)
        run.advance(150)
        run.retune()  # forgets what came before
        run.advance(150)
        measured = run.profiles()["field_density"]
        near = np.abs(measured.coordinate) < 0.2
        parisi, symmetric = (
            np.interp(measured.coordinate[near], FIELDS, law.density).mean() for law in model.laws(0.0)
        )
        assert measured.values[near].mean() > 3 * symmetric
        gaps.append(float(measured.values[near].mean() - parisi))
    assert 0 < gaps[1] < 0.5 * gaps[0]


def test_the_picture_names_what_it_shows() -> None:
    for name, word in (("spin glass", "called spin glass"), ("paramagnet", "called paramagnet")):
        run = LocalFieldPhases.preset(name).simulate(seed=1)
        assert run.picture().series  # before anything was seen
        run.advance(40)
        series = {one.name: one for one in run.picture().series}
        assert len(series[word].x) > 15
