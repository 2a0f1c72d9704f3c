"""Exchange-driven growth: verified values, eq. (1) as it stands, conservation and leaks, condensation counted out."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.reactions.exchange_growth import ExchangeGrowth, rate_equations
from mfexplore.models.reactions.exchange_growth.theory import gel_times, mergers, occupation

CARD = {r["id"]: r for r in reference_values("exchange_growth")}


def value(model: ExchangeGrowth, name: str, method: str = "rate_equations", **changes: Any) -> float:
    return float(model.theory(method=method, profiles=False, **changes)[name])


def canonical(sites: int, monomers: int, weight: Any) -> Any:
    """Probability of k = 0 .. monomers on one of so many sites that share the monomers, site after site."""
    others = np.eye(1, monomers + 1)[0]
    for _ in range(sites - 1):
        others = np.convolve(others, weight)[: monomers + 1]
        others /= others.max()
    joint = weight * others[::-1]
    return joint / joint.sum()


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("b", [4.0, 5.0])
def test_verified_critical_densities(b: float) -> None:
    model = ExchangeGrowth(empties="stay", attraction=b)
    assert float(model.landmark("critical_density", "density")[0]) == pytest.approx(CARD[f"zrp_rhoc_b{b}"]["value"])
    assert value(model, "empty", density=4.0) == pytest.approx((b - 1) / b)  # Z(1) = b/(b - 1)


@pytest.mark.parametrize(("b", "rho"), [(3.0, 0.5), (5.0, 0.2)])
def test_verified_fugacities(b: float, rho: float) -> None:
    model = ExchangeGrowth(empties="stay", attraction=b, density=rho)
    found = [value(model, name) for name in ("fugacity", "empty")]
    np.testing.assert_allclose(found, CARD[f"zrp_b{b}_rho{rho}"]["value"], rtol=1e-10)


def test_verified_clusters_of_the_constant_and_the_product_kernel() -> None:
    alike = ExchangeGrowth(age=3.740115540180)
    assert value(alike, "clusters") == pytest.approx(0.385752760726, abs=1e-8)
    counts = alike.theory(method="rate_equations")["size_distribution"].values[:3]
    np.testing.assert_allclose(counts, [0.089375419751, 0.117626501473, 0.091686507044], rtol=1e-3)
    product = ExchangeGrowth(exponent=1.0, age=3.0).theory(method="rate_equations")
    assert float(product["clusters"]) == pytest.approx(0.25, abs=1e-7)
    np.testing.assert_allclose(product["size_distribution"].values[:3], [0.0625, 0.046875, 0.03515625], rtol=1e-3)


def test_exponent_of_growth_is_that_of_the_literature() -> None:
    """1/(3 - 2 lambda): the row of the card without a value."""
    assert CARD["lit_edgbeta"]["value"] is None
    for exponent in (0.0, 0.5, 1.0, 1.2):
        sizes = ExchangeGrowth(exponent=exponent).theory(profiles=False, age=[50.0, 100.0])["mean_size"].values
        growth = np.log2(sizes[1] / sizes[0])
        assert growth[1] == pytest.approx(1 / (3 - 2 * exponent), rel=1e-9)
        assert growth[0] == pytest.approx(growth[1], rel=0.03)


# -- independent routes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("exponent", "transfer", "tolerance"),
                         [(0.5, "one", 2e-7), (1.3, "one", 2e-6), (2.0, "one", 3e-5), (0.4, "all", 3e-5)])  # fmt: skip
def test_clock_and_grid_agree_with_the_rate_equations_as_they_stand(
    exponent: float, transfer: str, tolerance: float
) -> None:
    age = 0.25 if exponent == 2 else 0.8
    model = ExchangeGrowth(exponent=exponent, transfer=transfer, age=age)
    assert value(model, "clusters") == pytest.approx(rate_equations(exponent, transfer, age), abs=tolerance)


def test_mergers_have_their_known_laws() -> None:
    """1/(1 + t) for pairs that are alike, 1 - t until 1/2 for the product."""
    times = np.array([0.1, 0.3, 0.45])
    np.testing.assert_allclose(mergers(0.0).clusters(times), 1 / (1 + times), rtol=1e-5)
    np.testing.assert_allclose(mergers(1.0).clusters(times), 1 - times, rtol=1e-3)
    assert gel_times(np.array([1.0]), "all")[0] == pytest.approx(0.5, rel=5e-3)
    twin = ExchangeGrowth(transfer="all", age=5.0), ExchangeGrowth(exponent=1.0, age=5.0)
    assert value(twin[0], "clusters") == pytest.approx(value(twin[1], "clusters"), rel=1e-3)
    assert gel_times(np.array([0.5, 1.2]), "all").tolist() == [np.inf, 0.0]


def test_gel_time_of_the_scaling_law_is_reached_at_its_threshold() -> None:
    """Near 3/2 clusters are large for nearly all of the time: t_g (lambda - 3/2) -> 1/3, from eq. (3)."""
    assert 0.01 * gel_times(np.array([1.51]), "one")[0] == pytest.approx(1 / 3, rel=0.01)
    model = ExchangeGrowth(exponent=1.75)
    gel = float(model.landmark("gel_time", "age")[0])
    before, after = (model.theory(method="rate_equations", profiles=False, age=gel * f) for f in (0.99, 1.01))
    assert (float(before["mass"]), float(after["mass"])) == (1.0, 0.0)
    assert model.landmark("gel_time", "exponent").size == 0  # at the age 100 only what is near 3/2 has not gelled yet


def test_canonical_law_is_that_of_all_states() -> None:
    sites, monomers, b = 3, 5, 4.0
    weight = occupation(monomers, b, 1.0)
    counted = np.zeros(monomers + 1)
    for state in itertools.product(range(monomers + 1), repeat=sites):
        if sum(state) == monomers:
            counted[state[0]] += np.prod(weight[list(state)])
    np.testing.assert_allclose(canonical(sites, monomers, weight), counted / counted.sum(), rtol=1e-12)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1000, 8000])
@pytest.mark.parametrize(
    ("exponent", "transfer", "age"), [(0.0, "one", 5.0), (1.4, "one", 1.5), (0.5, "all", 2.0)]
)  # fmt: skip
def test_clusters_left_are_those_of_the_rate_equations(exponent: float, transfer: str, age: float, size: int) -> None:
    model = ExchangeGrowth(exponent=exponent, transfer=transfer, age=age, size=size)
    counts = []
    for seed in range(8):
        run = model.simulate(seed=seed)
        run.advance(age)
        counts.append(run.observe()["clusters"])
    error = np.std(counts, ddof=1) / np.sqrt(len(counts))
    assert np.mean(counts) == pytest.approx(value(model, "clusters"), abs=4 * error + 1 / size)
    assert error < 1.5 / np.sqrt(size)


def test_mass_is_conserved_and_the_number_is_not() -> None:
    for changes in ({}, {"exponent": 1.3}, {"transfer": "all"}, {"empties": "stay"}):
        run = ExchangeGrowth(size=500, **changes).simulate(seed=2)
        first = run.observe()
        for _ in range(30):
            run.advance()
            now = run.observe()
            assert now["total_mass"] == first["total_mass"]
        assert (now["clusters"] == 1.0) == ("empties" in changes)
        if "empties" not in changes:  # the list is in the order of its classes
            log = np.frexp(run.clusters)[1]
            assert (np.diff(log) <= 0).all()
            assert (run.clusters > 0).all()


def test_gelation_takes_all_at_once_for_a_monomer_and_part_for_mergers() -> None:
    one = ExchangeGrowth(exponent=1.75, size=500).simulate(seed=3)
    one.advance(0.6)
    assert one.observe()["condensed"] < 0.1
    one.advance(1.0)
    assert one.observe()["condensed"] == 1.0
    merged = ExchangeGrowth(exponent=0.9, transfer="all", size=20_000).simulate(seed=3)
    merged.advance(0.5)
    assert merged.observe()["condensed"] < 0.02
    merged.advance(0.5)
    assert 0.3 < merged.observe()["condensed"] < 0.9


def test_constant_rates_on_sites_that_stay_are_geometric() -> None:
    model = ExchangeGrowth(empties="stay", attraction=0.0, density=1.0, size=2000)
    assert value(model, "fugacity") == pytest.approx(0.5)
    run = model.simulate(seed=4)
    run.advance(60)
    measured = run.profiles()["size_distribution"]
    np.testing.assert_allclose(measured.values[:4], 0.5 ** np.arange(2, 6), rtol=0.1)


@pytest.mark.parametrize("size", [60, 240])
def test_the_condensate_is_that_of_the_finite_system(size: int) -> None:
    """From one site: empty sites as in the canonical law, which nears that of z = 1 as the size grows."""
    model = ExchangeGrowth(empties="stay", attraction=4.0, density=1.5, size=size, start="one", age=6.0 * size)
    result = model.ensemble(samples=10, seed=5)
    exact = canonical(size, model.monomers, occupation(model.monomers, 4.0, 1.0))[0]
    assert float(result["empty"]) == pytest.approx(exact, abs=4 * float(result["empty_standard_error"]))
    assert exact == pytest.approx(value(model, "empty"), abs=3 / size)
    error = float(result["condensed_standard_error"])
    assert float(result["condensed"]) == pytest.approx(value(model, "condensed"), abs=4 * error + 3 / size)
