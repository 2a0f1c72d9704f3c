"""Clustering: verified values, cumulants by the recursion over subsets, quantum rings by determinants, simulation."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.special import jv

from mfexplore.models.transport.cumulant_clustering import CumulantClustering
from mfexplore.models.transport.cumulant_clustering.dynamics import FUNCTIONS
from mfexplore.models.transport.cumulant_clustering.theory import DISTANCES, MEASURED, along_ray, decays, propagators


def ursell(moment: Any, members: tuple[int, ...]) -> Any:
    """u(I) = <I> - sum of u(B) <I without B> over the proper parts B that hold the first member."""
    total = moment(members)
    for size in range(1, len(members)):
        for others in itertools.combinations(members[1:], size - 1):
            part = (members[0], *others)
            total -= ursell(moment, part) * moment(tuple(i for i in members if i not in part))
    return total


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("cumulant_clustering"), ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    p, value = reference["params"], reference["value"]
    if "t" in p:
        there, back = propagators(np.array([p["t"]]), 1e12, 256)
        np.testing.assert_allclose((there * back)[0, :4].real, value, rtol=1e-10)
        return
    theory = CumulantClustering(temperature=1 / p["K"], field=p["h"]).theory()
    assert float(theory["magnetization"]) == pytest.approx(value[0], abs=1e-13)
    assert math.exp(-float(theory["two_point_rate"])) == pytest.approx(value[1], rel=1e-12)
    rows = np.array([[float(theory[name].sel(distance=r)) for name in FUNCTIONS] for r in (2, 4, 8, 16)])
    np.testing.assert_allclose(rows, np.abs(value[2:]), rtol=1e-9, atol=1e-16)  # which cancels in the table


# -- theory by other ways ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("temperature", "field"), [(2.0, 0.3), (0.9, 0.1), (4.0, 0.0)])
def test_cumulants_of_spins_are_sums_over_parts(temperature: float, field: float) -> None:
    """Moments by products of transfer matrices, cumulants by recursion."""
    spins = np.array([1.0, -1.0])
    matrix = np.exp(np.multiply.outer(spins, spins) / temperature + field * (spins[:, None] + spins) / 2)
    values, vectors = np.linalg.eigh(matrix)
    matrix, first = matrix / values[1], vectors[:, 1]
    for k, r in enumerate((2, 5)):
        places = (0, 1, r, r + 1)

        def moment(members: tuple[int, ...], places: tuple[int, ...] = places) -> float:
            row, at = first, 0
            for i in members:
                row = row @ np.linalg.matrix_power(matrix, places[i] - at) * spins
                at = places[i]
            return float(row @ first)

        found = decays(temperature, field)[:, r - 2]
        assert found[0] == pytest.approx(abs(ursell(moment, (0, 2))), rel=1e-9), k
        assert found[1] == pytest.approx(abs(ursell(moment, (0, 1, 2, 3))), rel=1e-8)


def test_a_quantum_ring_by_determinants() -> None:
    """Moments of densities are determinants (Wick), cumulants follow by recursion."""
    temperature, sites, late = 0.7, 12, 1.3
    k = 2 * np.pi * np.arange(sites) / sites
    energy = np.cos(k)
    filled = 1 / (np.exp(energy / temperature) + 1)
    places = ((0, late), (1, late), (3, 0.0), (4, 0.0))

    g = np.empty((4, 4), complex)
    for i, j in itertools.product(range(4), repeat=2):
        (a, s), (b, t) = places[i], places[j]
        phase = np.exp(1j * (k * (b - a) + energy * (s - t)))
        g[i, j] = (filled * phase).mean() if i <= j else -((1 - filled) * phase).mean()

    two, four = along_ray(3 / late, np.array([late]), temperature, sites)

    def moment(members: tuple[int, ...]) -> complex:
        return complex(np.linalg.det(g[np.ix_(members, members)]))

    assert two[0] == pytest.approx(ursell(moment, (0, 2)), abs=1e-12)
    assert four[0] == pytest.approx(ursell(moment, (0, 1, 2, 3)), abs=1e-12)


def test_hot_quantum_spins_spread_as_bessel_functions() -> None:
    two, _ = along_ray(0.6, np.array([5.0, 20.0]), 1e9, 512)
    np.testing.assert_allclose(np.abs(two), jv([3, 12], [5.0, 20.0]) ** 2 / 4, rtol=1e-6)


@pytest.mark.parametrize(("velocity", "temperature"), [(1.5, 5.0), (1.5, 0.2), (2.0, 0.3)])
def test_rates_along_rays_are_those_of_two_and_of_four_spins(velocity: float, temperature: float) -> None:
    theory = CumulantClustering(chain="xx", velocity=velocity, temperature=temperature).theory()
    late = np.rint(np.array([18.0, 36.0]) / float(theory["two_point_rate"]) * velocity) / velocity
    powers = 2.5 * math.log(2) / np.diff(late)[0]  # of time, which go with the exponentials
    for name, values in zip(
        ("two_point_rate", "cumulant_rate"), along_ray(velocity, late, temperature, 4096), strict=True
    ):
        found = -np.diff(np.log(np.abs(values)))[0] / np.diff(late)[0]
        assert float(theory[name]) - 0.01 < found < float(theory[name]) + powers, name


def test_averages_along_rays_vanish() -> None:
    for velocity in (0.0, 0.5, 1.5):
        two, _ = along_ray(velocity, np.linspace(0, 200, 401), 2.0, 1024)
        running = np.abs(np.cumsum(two)) / np.arange(1, 402)
        assert running[400] < 0.35 * running[100]


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_drawn_chains_have_the_cumulants(size: int) -> None:
    run = CumulantClustering(size=size).simulate(seed=1)
    run.advance(64)
    values, error = run.cumulants()
    exact = decays(2.0, 0.3)[:, : MEASURED - 1]
    assert (np.abs(values - exact) < 5 * error + 1e-12).all()
    assert (values[:, 0] > 5 * error[:, 0]).all()
    assert values[3, -1] > 10 * values[1, -1]  # interleaved ones stay
    assert len(exact[0]) < len(DISTANCES)


def test_a_ring_is_the_infinite_chain_until_its_light_comes_round() -> None:
    run = CumulantClustering(chain="xx", size=64, velocity=1.5, temperature=2.0).simulate(seed=1)
    run.advance(119)
    times, series = run.series()
    path = run.model.predicted_path({}, times)["correlation"]
    before = times * 0.25 < 20
    np.testing.assert_allclose(series["correlation"][before], path[before], atol=1e-6)
    assert series["correlation"][-1] > 100 * path[-1]
