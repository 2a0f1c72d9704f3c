"""Ion channel: verified values, symmetry, what is known, mean field by another solver, simulation against theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import solve_ivp

from mfexplore.families import master_equation as master
from mfexplore.models.transport.maxent_channel import MaxentChannel
from mfexplore.models.transport.maxent_channel.theory import entropy_of, ladder, maximum_entropy, occupations


def channel(sites: int, left: float, right: float, voltage: float, **others: Any) -> MaxentChannel:
    return MaxentChannel(voltage=voltage, left_concentration=left, right_concentration=right, sites=sites, **others)


DRIVEN = channel(4, 2.0, 0.5, 3.0, mouth=0.6)


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("maxent_channel"), ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    p, digits = reference["params"], reference["digits"]
    if "mean" in p:
        multipliers, law = maximum_entropy(np.arange(1.0, 7.0)[None], np.array([p["mean"]]))
        found = [multipliers[0], *law, entropy_of(law)]
    else:
        model = channel(p["M"], p["cL"], p["cR"], p["V"])
        exact = model.theory(method="exact")
        found = [float(exact["current"]), model.affinity, float(exact["occupancy"])]
    np.testing.assert_allclose(found, reference["value"], rtol=10.0 ** (1 - digits))


@pytest.mark.parametrize(
    ("at", "exact", "mean_field", "occupancy"),
    [((2, 1, 1, 1), 0.125862969021, 0.12565061, 1), ((3, 1, 1, 2), 0.169241710938, 0.16840821, 1.5),
     ((4, 2, 0.5, 1), 0.144403342443, 0.14338949, 2.09050076125), ((4, 1, 1, 6), 0.40661831, 0.39615612, 2)],
)  # fmt: skip
def test_values_of_card_and_review(at: tuple[Any, ...], exact: float, mean_field: float, occupancy: float) -> None:
    theory = channel(*at).theory(profiles=False)
    assert theory["current"].values == pytest.approx([mean_field, exact], abs=1e-8)
    assert float(theory["occupancy"].sel({"method": "exact"})) == pytest.approx(occupancy, abs=1e-10)


@pytest.mark.parametrize(("left", "right"), [(1.0, 0.2), (5.0, 0.01)])
@pytest.mark.parametrize("sites", [1, 2, 5])
def test_without_a_voltage_both_theories_are_the_closed_form(sites: int, left: float, right: float) -> None:
    drop = left / (1 + left) - right / (1 + right)
    expected = drop / (sites - 1 + 1 / (1 + left) + 1 / (1 + right))
    assert channel(sites, left, right, 0.0).theory()["current"].values == pytest.approx([expected] * 2, rel=1e-12)


def test_one_site_and_one_way_in_closed_form() -> None:
    f = math.exp(0.5)
    single = (1.5 * f * f - 0.3 / f**2) / (1.5 * f + 0.3 / f + f + 1 / f)
    assert float(channel(1, 1.5, 0.3, 2.0).theory(method="exact")["current"]) == pytest.approx(single, rel=1e-13)
    # Derrida et al. (1993): (M + 2)/(2 (2M + 1)) of the rate of hopping where ions enter and leave at the same rate.
    one_way = float(channel(2, 1.0, 1e-3, 30.0).theory(method="exact")["current"])
    assert one_way / math.exp(5) == pytest.approx(0.4, abs=1e-4)


# -- theory by other ways ------------------------------------------------------------------------------------------


def test_the_process_free_energy_is_symmetric_and_bends_as_the_noise() -> None:
    a, step = DRIVEN.affinity, 1e-3
    fields = np.array([-step, 0, step, 0.4, -a - 0.4, -a])
    below, here, above, there, mirrored, end = master.process_free_energy(DRIVEN.process, fields)
    theory = DRIVEN.theory(method="exact", profiles=False)
    assert [here, end] == pytest.approx([0, 0], abs=1e-12)
    assert there == pytest.approx(mirrored, rel=1e-11)
    assert (above - below) / (2 * step) == pytest.approx(float(theory["current"]), rel=1e-5)
    assert (above - 2 * here + below) / step**2 == pytest.approx(float(theory["current_noise"]), rel=1e-5)


def test_entropy_production_is_that_of_the_master_equation() -> None:
    law = master.stationary_law(DRIVEN.process)
    produced = master.entropy_production(DRIVEN.process.matrix(), law)
    assert float(DRIVEN.theory(method="exact")["entropy_production"]) == pytest.approx(produced, rel=1e-12)


@pytest.mark.parametrize("model", [DRIVEN, channel(5, 0.3, 1.0, -4.0), channel(3, 1.0, 1.0, 0.0)], ids=str)
def test_precision_costs_entropy_and_equilibrium_fluctuates_as_it_dissipates(model: MaxentChannel) -> None:
    ratio = model.theory()["fluctuation_ratio"].values
    assert (ratio >= 1 - 1e-12).all()
    near = model.replace(voltage=float(model.landmark("reversal", "voltage")[0]) + 1e-5).theory()
    assert near["fluctuation_ratio"].values == pytest.approx([1, 1], abs=1e-8)


def test_mean_field_is_where_its_rate_equations_end_and_its_noise_their_linear_response() -> None:
    enter, leave, forth, back, out, into = DRIVEN._rates(DRIVEN.values())

    def links(rho: np.ndarray) -> np.ndarray:
        inner = forth * rho[:-1] * (1 - rho[1:]) - back * rho[1:] * (1 - rho[:-1])
        return np.r_[enter * (1 - rho[0]) - leave * rho[0], inner, out * rho[-1] - into * (1 - rho[-1])]

    rho = solve_ivp(lambda _, rho: -np.diff(links(rho)), (0, 400), np.full(4, 0.5), rtol=1e-11, atol=1e-13).y[:, -1]
    theory = DRIVEN.theory()
    assert float(theory["current"][0]) == pytest.approx(links(rho)[2], rel=1e-9)
    np.testing.assert_allclose(theory["site_occupancy"][0], rho, rtol=1e-8)
    # All links answer: B drho + xi is the same everywhere.
    b = np.array([(links(rho + 1e-6 * e) - links(rho - 1e-6 * e)) / 2e-6 for e in np.eye(4)]).T
    difference = np.diff(np.eye(5), axis=0)
    through = np.eye(5)[0] - b[0] @ np.linalg.solve(difference @ b, difference)
    traffic = np.r_[
        enter * (1 - rho[0]) + leave * rho[0], forth * rho[:-1] * (1 - rho[1:]) + back * rho[1:] * (1 - rho[:-1]),
        out * rho[-1] + into * (1 - rho[-1]),
    ]  # fmt: skip
    assert float(theory["current_noise"][0]) == pytest.approx(through**2 @ traffic, rel=1e-6)


def test_maximum_entropy_meets_what_is_known_and_no_other_law_has_more(rng: np.random.Generator) -> None:
    features = rng.normal(size=(3, 12))
    features = np.vstack([features, features[0] + features[1]])  # one of them says nothing new
    truth = rng.dirichlet(np.ones(12))
    _, law = maximum_entropy(features, features @ truth)
    np.testing.assert_allclose(features @ law, features @ truth, atol=1e-12)
    known = np.vstack([features, np.ones(12)])
    for direction in rng.normal(size=(20, 12)):
        free = direction - known.T @ np.linalg.lstsq(known.T, direction)[0]
        for size in (-1e-3, 1e-3):
            other = law + size * free * law.min()
            assert entropy_of(other) < entropy_of(law)


def test_every_rung_tells_more_and_equilibrium_needs_only_the_number() -> None:
    missing = ladder(master.stationary_law(DRIVEN.process))
    assert (np.diff(missing) < 0).all()
    product = occupations(4) @ master.stationary_law(DRIVEN.process)
    entropy = -(product * np.log(product) + (1 - product) * np.log(1 - product)).sum()
    assert missing[2] == pytest.approx(entropy - float(DRIVEN.theory(method="exact")["entropy"]), abs=1e-10)
    still = ladder(master.stationary_law(MaxentChannel.preset("Langmuir").process))
    assert still[0] > 0.1
    assert np.isnan(still[1:]).all()


def test_odds_of_ions_against_the_field_approach_the_fluctuation_theorem() -> None:
    slopes = []
    for t in (5, 50):
        model = channel(3, 1.0, 1.0, 2.0, counting_time=t)
        slopes.append(float(np.diff(model.theory(method="exact")["asymmetry"])[0]))
    assert abs(slopes[1] - 2) < 0.2 * abs(slopes[0] - 2)


def test_lines_of_a_long_channel_are_where_baths_impose_half_or_the_same_current() -> None:
    model = channel(6, 0.3, 0.01, 20.0, mouth=0.5)
    q = math.exp(-20 / 7)
    left = float(model.landmark("entry_line", "left_concentration")[0])
    assert left / 2 - q / 2 == pytest.approx((1 - q) / 4)
    mouth = float(model.landmark("jam", "mouth")[0])
    r = np.roots([1 - q, -1.3, 0.3]).min()
    assert mouth * ((1 - r) - 0.01 * q * r) == pytest.approx((1 - q) * r * (1 - r))
    below, above = (model.replace(mouth=mouth * f).theory(method="exact")["occupancy"] for f in (0.7, 1.4))
    assert float(below) > 3.5 > 2.5 > float(above)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1000, 12_000])
def test_simulation_agrees_with_the_exact_law(size: int) -> None:
    result = DRIVEN.replace(size=size).ensemble(samples=6, seed=1)
    exact = DRIVEN.theory(method="exact")
    for name in ("current", "occupancy", "current_noise", "fluctuation_ratio"):
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(float(exact[name]), abs=5 * error), name
    if size > 10_000:  # that mean field is wrong is seen
        mean_field = float(DRIVEN.theory(method="mean_field")["current"])
        assert abs(float(result["current"]) - mean_field) > 5 * float(result["current_standard_error"])


@pytest.fixture(scope="module")
def run() -> Any:
    simulated = channel(3, 1.0, 1.0, 1.5, size=40_000).simulate(seed=2)
    simulated.advance(120)
    return simulated


def test_functions_are_measured_as_theory_says(run: Any) -> None:
    theory, measured = run.model.profiles(), run.profiles()
    for name in ("process_free_energy", "asymmetry"):
        known = np.isfinite(measured[name].values)
        assert known.sum() > 2
        deviation = (measured[name].values - theory[name].values[1])[known]
        assert (np.abs(deviation) <= 5 * measured[name].error[known] + 1e-9).all(), name
    np.testing.assert_allclose(measured["site_occupancy"].values, theory["site_occupancy"].values[1], atol=3e-3)
    missing, expected = measured["missing_information"].values[1], theory["missing_information"].values[1, 1]
    assert missing == pytest.approx(expected, rel=0.1)


def test_windows_follow_the_law(run: Any) -> None:
    gauss, exact = run.model.laws(run.time)
    found = np.bincount(run.samples() - int(exact.values[0]), minlength=len(exact.values)) / run.model.size
    allowed = 5 * np.sqrt(exact.density / run.model.size) + 1e-4
    assert (np.abs(found - exact.density) <= allowed).all()
    assert not (np.abs(found - gauss.density) <= allowed).all()


def test_channels_fill_as_predicted() -> None:
    filling = DRIVEN.replace(size=50_000).simulate(seed=3)
    filling.advance(8)
    times, series = filling.series()
    path = DRIVEN.predicted_path({"occupancy": 0.0}, times)["occupancy"]
    np.testing.assert_allclose(series["occupancy"], path, atol=5 / math.sqrt(50_000))
