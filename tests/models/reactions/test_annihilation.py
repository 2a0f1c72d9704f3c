"""Annihilating walkers: verified values, independent routes, simulation against exact laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import solve_ivp
from scipy.special import ive

from mfexplore.core import NotOfferedError
from mfexplore.core.solution import columns
from mfexplore.families.walkers import meetings
from mfexplore.models.reactions.annihilation import Annihilation

CARD = {r["id"]: r for r in reference_values("reaction_kinetics")}


def density(model: Annihilation, method: str = "exact", **changes: Any) -> float:
    return float(model.theory(method=method, profiles=False, **changes)["density"])


@pytest.fixture(scope="module")
def run() -> Any:
    """Annihilation on a long line, at the time 100."""
    run = Annihilation(size=400_000).simulate(seed=1)
    run.advance(100)
    return run


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reaction", ["annihilation", "coalescence"])
def test_verified_densities_of_the_line(reaction: str) -> None:
    card = CARD[f"{reaction}_1d"]
    model = Annihilation(reaction=reaction)
    found = model.theory(method="exact", profiles=False, age=np.array(card["params"]["t"]))["density"]
    np.testing.assert_allclose(found, card["value"], rtol=1e-11)
    late = density(model, age=1e6)
    assert late == pytest.approx((8 if reaction == "annihilation" else 2) ** -0.5 / math.sqrt(math.pi * 1e6), rel=1e-6)


def test_verified_densities_of_two_species() -> None:
    """Monte Carlo of the card to its three digits, and the asymptote that it approaches from above."""
    card = CARD["ab_1d"]
    model = Annihilation(reaction="two_species", size=200_000)
    run = model.simulate(seed=3)
    for t, value, late in zip(card["params"]["t"][:3], card["value"], (0.25198, 0.1417, 0.07968), strict=False):
        run.advance_to(t)
        assert run.observe()["density"] == pytest.approx(value, rel=0.012)
        assert density(model, "late", age=t) == pytest.approx(late, rel=1e-3)
    assert density(model, "late", age=1000.0) == pytest.approx(0.04481, rel=1e-3)


@pytest.mark.parametrize(
    ("tau", "value", "late", "digits"),
    [(0.1, 0.50033044, 0.3551, 2e-6), (1, 0.12609996, 0.1279, 2e-6), (10, 0.0031086864, 0.003754, 3e-6),
     (100, 3.77992e-7, 4.962e-7, 3e-4)],
)  # fmt: skip
def test_verified_survival_among_traps(tau: float, value: float, late: float, digits: float) -> None:
    """The continuum is reached as the traps become rare: Richardson's rule in their density."""
    model = Annihilation(reaction="traps")
    found = [density(model, trap_density=c, age=tau / c**2) for c in (0.04, 0.02, 0.01)]
    assert (8 * found[2] - 6 * found[1] + found[0]) / 3 == pytest.approx(value, rel=digits)
    law = model.late_density(columns(model.replace(trap_density=0.01, age=tau * 1e4), {}))[0]
    assert math.isnan(law) if tau < 1 else law == pytest.approx(late, rel=2e-4)


def test_smoluchowski_has_the_right_exponent_and_the_wrong_amplitude() -> None:
    model = Annihilation(age=1e6)
    theory = model.theory(profiles=False).sel({"method": "smoluchowski"})
    assert float(theory["exponent"]) == pytest.approx(0.5, abs=1e-3)
    assert float(theory["density"]) / density(model) == pytest.approx(math.pi / 2, rel=1e-3)
    assert float(theory["density"]) == pytest.approx(math.sqrt(math.pi) / (4 * math.sqrt(2e6)), rel=1e-3)


def test_crossover_of_the_line_is_that_of_the_review() -> None:
    """Where 1/2kt is the inverse root of 8 pi t: t = 2 pi / k^2."""
    for reaction in ("annihilation", "coalescence"):
        k = 2 * 0.05
        assert Annihilation(reactivity=0.05, reaction=reaction).landmark("crossover", "age") == pytest.approx(
            2 * math.pi / k**2
        )


# -- independent routes --------------------------------------------------------------------------------------------


def test_a_full_line_in_closed_form() -> None:
    times = np.geomspace(0.1, 1e5, 7)
    found = Annihilation().theory(method="exact", profiles=False, age=times)["density"]
    np.testing.assert_allclose(found, ive(0, 4 * times), rtol=1e-9)


@pytest.mark.parametrize("traps", [0.02, 0.3])
def test_survival_among_traps_by_the_modes_of_every_gap(traps: float) -> None:
    size = np.arange(1, int(50 / traps))
    for time in (0.1, 5.0, 200.0 / traps):
        survival = np.zeros(size.size)
        for k in range(1, 2600, 2):
            wave = np.pi * k / (size + 1)
            mode = 2 / (size * (size + 1)) / np.tan(wave / 2) ** 2 * np.exp(-2 * time * (1 - np.cos(wave)))
            survival += np.where(k <= size, mode, 0.0)
        expected = size * traps**2 * (1 - traps) ** (size - 1.0) @ survival
        found = density(Annihilation(reaction="traps", trap_density=traps, age=time))
        assert found == pytest.approx(expected, rel=1e-8, abs=2e-11)


@pytest.mark.parametrize("geometry", ["line", "plane", "space"])
@pytest.mark.parametrize("reaction", ["annihilation", "coalescence", "two_species", "traps"])
def test_rate_equations_solved_in_time(geometry: str, reaction: str) -> None:
    """Eqs. (1) and (3) by an integrator; the local exponent is the slope."""
    model = Annihilation(geometry=geometry, reaction=reaction, reactivity=0.3, age=20.0, start_density=0.4)
    d, trapped = model.dimension, reaction == "traps"
    rate = 1.0 if trapped else 2.0
    loss = 0.1 if trapped else 0.5 if reaction == "coalescence" else 1.0
    first = model.first_density(np.array([0.4]))
    for method, meeting in (
        ("mean_field", lambda t: (2 if trapped else 4) * d * 0.3),
        ("smoluchowski", lambda t: meetings(np.array([max(t, 1e-9)]), d, rate, np.array([0.3]))[0][0]),
    ):
        end = solve_ivp(lambda t, y, k=meeting: -loss * k(t) * y ** (1 if trapped else 2), (0, 20), first,
                        rtol=1e-7, atol=1e-12).y[0, -1]  # fmt: skip
        theory = model.theory(method=method, profiles=False)
        assert float(theory["density"]) == pytest.approx(end, rel=1e-5)
        slope = loss * meeting(20.0) * end ** (0 if trapped else 1) * 20
        assert float(theory["exponent"]) == pytest.approx(slope, rel=1e-5)


def test_where_the_species_go_only_their_difference_knows() -> None:
    """Eq. (5): half the mean modulus of a Gaussian whose variance is that of the difference after diffusion."""
    for geometry, d in (("line", 1), ("plane", 2), ("space", 3)):
        variance = 2 * 0.5 * ive(0, 4 * 1e4) ** d
        found = density(Annihilation(reaction="two_species", geometry=geometry, start_density=0.5, age=1e4), "late")
        assert found == pytest.approx(math.sqrt(variance / (2 * math.pi)), rel=1e-4)


def test_pair_correlation_has_the_amplitudes_of_the_rates() -> None:
    """The slope of g at contact is the rate: exact over Smoluchowski, pi/2."""
    profile = Annihilation().theory()["pair_correlation"]
    near = profile.isel(distance=0) / float(profile["distance"][0])
    assert float(near.sel({"method": "smoluchowski"})) == pytest.approx(2 / math.sqrt(math.pi), rel=1e-3)
    assert float(near.sel({"method": "exact"})) == pytest.approx(math.sqrt(math.pi), rel=1e-3)
    assert float(profile.sel({"method": "exact"})[-1]) == pytest.approx(1, abs=0.01)


def test_gap_laws_have_mean_one_and_exist_on_the_line_only() -> None:
    for law in Annihilation(reaction="coalescence").laws(10.0):
        assert np.trapezoid(law.density, law.values) == pytest.approx(1, abs=0.004)
        assert np.trapezoid(law.density * law.values, law.values) == pytest.approx(1, abs=0.02)
    with pytest.raises(NotOfferedError):
        Annihilation(geometry="plane").law()


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [40_000, 160_000])
@pytest.mark.parametrize("reaction", ["annihilation", "coalescence"])
def test_the_line_follows_its_exact_density(reaction: str, size: int) -> None:
    model = Annihilation(reaction=reaction, size=size, start_density=0.7, age=20.0)
    result = model.ensemble(samples=4, seed=4)
    error = max(float(result["density_standard_error"]), 0.1 * math.sqrt(float(result["density"]) / size))
    assert float(result["density"]) == pytest.approx(density(model), abs=4 * error)


def test_a_long_run_has_the_exact_exponent_and_pair_correlation(run: Any) -> None:
    assert run.observe()["density"] == pytest.approx(density(run.model, age=100.0), rel=0.02)
    assert run.observe()["exponent"] == pytest.approx(0.5, abs=0.03)
    measured = run.profiles()["pair_correlation"]
    theory = run.model.theory()["pair_correlation"].sel({"method": "exact"})
    far = measured.coordinate > 0.25  # nearer the lattice is seen
    expected = np.interp(measured.coordinate, theory["distance"], theory)
    assert (np.abs(measured.values - expected)[far] < 4.5 * measured.error[far] + 0.02).all()
    wrong = np.interp(
        measured.coordinate, theory["distance"], run.model.theory()["pair_correlation"].sel({"method": "smoluchowski"})
    )
    assert ((measured.values - wrong)[(measured.coordinate > 0.3) & (measured.coordinate < 0.8)] > 0.1).all()


def test_gaps_of_coalescence_follow_their_law() -> None:
    run = Annihilation(reaction="coalescence", size=200_000).simulate(seed=2)
    run.advance(100)
    gaps = np.sort(run.samples())
    level = 1 - np.exp(-math.pi * gaps**2 / 4)
    distance = np.abs(level - (np.arange(gaps.size) + 0.5) / gaps.size).max()
    assert distance < 1.63 / math.sqrt(gaps.size) + 0.03  # Kolmogorov and Smirnov, and the steps of the lattice
    assert np.abs(1 - np.exp(-gaps) - (np.arange(gaps.size) + 0.5) / gaps.size).max() > 0.12


def test_smoluchowski_is_right_in_space_and_the_rate_equation_is_not() -> None:
    model = Annihilation(geometry="space", size=125_000, age=15.0)
    result = model.ensemble(samples=4, seed=5)
    assert float(result["density"]) == pytest.approx(density(model, "smoluchowski"), rel=0.09)
    assert float(result["density"]) > 1.3 * density(model, "mean_field")


def test_rare_reactions_follow_the_rate_equation() -> None:
    for geometry in ("line", "plane"):
        model = Annihilation(geometry=geometry, reactivity=0.01, size=40_000, age=20.0)
        assert float(model.ensemble(samples=4, seed=6)["density"]) == pytest.approx(
            density(model, "smoluchowski"), rel=0.015
        )


@pytest.mark.parametrize("size", [20_000, 80_000])
def test_survivors_among_traps_are_those_of_the_exact_average(size: int) -> None:
    model = Annihilation(reaction="traps", trap_density=0.2, age=40.0, size=size)
    result = model.ensemble(samples=6, seed=7)
    assert float(result["density"]) == pytest.approx(density(model), abs=4 * float(result["density_standard_error"]))
    assert float(result["density"]) > 1.04 * density(model, "smoluchowski")


def test_two_species_segregate() -> None:
    """In the plane a walker's neighbours are of its own kind, and the density has the exponent of eq. (5)."""
    run = Annihilation(reaction="two_species", geometry="plane", size=90_000).simulate(seed=8)
    run.advance(100)
    assert 1 < run.observe()["density"] / density(run.model, "late", age=100.0) < 1.4  # it is reached from above
    assert run.observe()["density"] > 3 * density(run.model, "smoluchowski", age=100.0)
    picture = run.picture().values
    a, b = picture == 1, picture == 2
    near = sum(np.roll(a, shift, axis) for axis in (0, 1) for shift in (-2, -1, 1, 2))
    assert near[a].mean() > 5 * near[b].mean()
