"""Random advection: verified values, equations of motion, coalescing walkers, the hierarchy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import solve_ivp
from scipy.special import ive

from mfexplore.families.walkers import Rules, Walkers
from mfexplore.models.collective.random_advection import RandomAdvection, occupied

RULES: dict[str, dict[str, Any]] = {
    "radv_keep_eps=.2": {"mixing": 0.2}, "radv_mix_eps=.1": {"mixing": 0.1, "rule": "mix"},
    "radv_keep_eps=.02": {"mixing": 0.02},
}  # fmt: skip


def square(model: RandomAdvection, method: str = "exact") -> float:
    return float(model.theory(method=method, profiles=False)["second_moment"])


def stationary(model: RandomAdvection, seed: int, relax: float, window: float) -> Any:
    run = model.simulate(seed=seed)
    run.advance(relax)
    run.retune()  # forget the start
    run.advance(window)
    return run


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("random_advection"), ids=lambda r: r["id"])
def test_verified_second_moments(reference: dict[str, Any]) -> None:
    model = RandomAdvection(size=32, **RULES[reference["id"]])
    assert square(model) == pytest.approx(reference["value"], rel=1e-13)
    result = model.ensemble(samples=4, seed=1)
    assert float(result["second_moment"]) == pytest.approx(
        square(model), abs=4 * float(result["second_moment_standard_error"])
    )


def test_third_moment_of_mean_field_and_what_a_ring_has_of_it() -> None:
    """45 at a fifth; 31.9 on a ring of 32 sites and 40.3 on one of 128, by Monte Carlo of the review."""
    moments = RandomAdvection(mixing=0.2).theory()["moments"].sel({"method": "mean_field"})
    assert float(moments.sel(order=3)) == pytest.approx(45, rel=1e-12)
    for size, value, window in ((32, 31.9, 6000), (128, 40.3, 6000)):
        measured = stationary(RandomAdvection(size=size, mixing=0.2), 2, size**2 / 8, window).profiles()["moments"]
        assert measured.values[2] == pytest.approx(value, abs=4 * measured.error[2] + 0.5)
        assert measured.values[0] == pytest.approx(1, abs=1e-9)


def test_hierarchy_of_the_review() -> None:
    """Counts P(level <= k), level = nearest integer of ln m / ln eps, on 256 sites at eps = 0.01."""
    for geometry, expected in (("complete", [0.1401, 0.3799, 0.6199, 0.7869, 0.8874, 0.9416]),
                               ("ring", [0.1213, 0.3264, 0.5539, 0.7350, 0.8539])):  # fmt: skip
        run = RandomAdvection(geometry=geometry).simulate(seed=3)
        run.advance(3000)
        counts = []
        for _ in range(1000):
            run.advance(3 * run.step)
            level = np.rint(np.log(np.maximum(run.mass, 1e-300)) / math.log(0.01))
            counts.append([(level <= k).mean() for k in range(len(expected))])
        found = np.mean(counts, axis=0)
        np.testing.assert_allclose(found, expected, atol=0.012)
        gap = found[1:] ** 2 / found[:-1] - 1
        if geometry == "complete":
            assert np.abs(gap[1:]).max() < 0.02
        else:
            assert gap[0] < -0.08  # space slows the hierarchy


def test_coalescence_clock_values() -> None:
    """1/N apart, that of an infinite ring: exp(-4t) (I0 + I1)(4t) at 1, 10, 100."""
    path = RandomAdvection(rule="all", size=4096).predicted_path({}, np.array([0.0, 1.0, 10.0, 100.0]))["lump_density"]
    np.testing.assert_allclose(path[1:], [0.38575276072642195, 0.12576050894967739, 0.03988175524084353], rtol=1e-9)


# -- independent routes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [{"size": 32, "mixing": 0.2}, {"size": 33, "mixing": 0.1, "rule": "mix"}, {"size": 16, "rule": "share"},
     {"size": 16, "rule": "all"}],
)  # fmt: skip
def test_path_of_the_second_moment_solves_the_equations_of_motion(controls: dict[str, Any]) -> None:
    model = RandomAdvection(**controls)
    n, (x, y, w) = model.size, (float(v[0]) for v in model.rates(np.array([model.mixing])))

    def slope(_: float, c: np.ndarray) -> np.ndarray:
        change = w * (np.roll(c, 1) + np.roll(c, -1) - 2 * c)
        change[0] = 4 * (y * c[1] - x * c[0])
        for near, next_one in ((1, 2), (n - 1, n - 2)):
            change[near] = 2 * (x * c[0] - y * c[near]) + w * (c[next_one] - c[near])
        return change

    times = np.array([0.5, 5.0, 300.0])
    solved = solve_ivp(slope, (0, 300), np.ones(n), t_eval=times, rtol=1e-9, atol=1e-10).y[0]
    path = model.predicted_path({}, np.append(0.0, times))
    np.testing.assert_allclose(path["second_moment"], np.append(1.0, solved), rtol=1e-6)
    assert path["second_moment"][-1] == pytest.approx(square(model), rel=0.01)
    np.testing.assert_allclose(path["participation"], path["second_moment"] / n)


def test_lumps_of_a_small_ring_by_the_ends_of_an_interval() -> None:
    """Eq. (7) against the walk of a length between 0 and N, as a matrix."""
    n, times = 9, np.array([0.3, 2.0, 40.0])
    hop = 2 * (np.eye(n - 1, k=1) + np.eye(n - 1, k=-1) - 2 * np.eye(n - 1))
    closing = np.zeros(n - 1)
    closing[0] = 2.0
    rates, vectors = np.linalg.eigh(hop)
    gone = [vectors[0] @ np.diag((np.exp(rates * t) - 1) / rates) @ vectors.T @ closing for t in times]
    path = RandomAdvection(rule="all", size=n).predicted_path({}, times)["lump_density"]
    np.testing.assert_allclose(path, 1 - np.array(gone), rtol=1e-9)
    assert path[-1] == pytest.approx(1 / n, rel=0.02)


def test_without_anything_left_behind_lumps_are_coalescing_walkers(rng: np.random.Generator) -> None:
    """Two programs, one process: transfers of all the mass, and walkers A + A -> A; and the limit of small shares."""
    size = 4000
    walkers = Walkers((size,), (np.arange(size),), Rules(np.zeros(1, int), False, 1.0), rng)
    run = RandomAdvection(size=size, rule="all").simulate(seed=4)
    for t in (1.0, 8.0, 30.0):
        walkers.advance(t - run.time)
        run.advance_to(t)
        exact = float(ive(0, 4 * t) + ive(1, 4 * t))
        for found in (walkers.count / size, run.observe()["lump_density"]):
            assert found == pytest.approx(exact, abs=4 * math.sqrt(exact / size))
        assert run.mass.sum() == pytest.approx(size, rel=1e-12)


@pytest.mark.parametrize(("rule", "mixing"), [("keep", 0.05), ("mix", 0.05), ("keep", 0.3)])
def test_occupation_has_the_moments_of_the_random_map(rule: str, mixing: float) -> None:
    """F(m) = 1/m - mu_2/2m^2 + mu_3/6m^3 - ... where m is large."""
    moments = RandomAdvection(rule=rule, mixing=mixing).theory()["moments"].sel({"method": "mean_field"}).values
    x = 0.02 * mixing
    level = -math.log(x) / -math.log(mixing) * -1 - 0.5
    series = sum(-((-x) ** n) * mu / math.factorial(n) for n, mu in enumerate(moments, start=1))
    assert occupied(mixing, rule, np.array([level]))[0] == pytest.approx(series, rel=2e-4)


def test_hierarchy_becomes_exact_for_small_shares() -> None:
    gaps = []
    for mixing in (0.1, 0.01, 0.001):
        f = occupied(mixing, "keep", np.arange(0, 7))
        gaps.append(np.abs(f[1:] ** 2 / f[:-1] - 1).max())
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2]
    assert gaps[2] < 0.001


def test_regimes_meet_at_the_condensation() -> None:
    for rule in ("keep", "mix"):
        model = RandomAdvection(size=64, rule=rule)
        border = float(model.landmark("condensation", "mixing")[0])
        at = model.replace(mixing=border).theory(method="exact", profiles=False)
        assert float(at["participation"]) == pytest.approx(0.5, rel=1e-12)
    assert float(RandomAdvection(size=64).landmark("condensation", "mixing")[0]) == pytest.approx(1 / 63)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 48])
@pytest.mark.parametrize("geometry", ["ring", "complete"])
def test_second_moments_are_exact(size: int, geometry: str) -> None:
    model = RandomAdvection(size=size, mixing=0.05, geometry=geometry)
    result = model.ensemble(samples=6, seed=5)
    error = float(result["second_moment_standard_error"])
    assert float(result["second_moment"]) == pytest.approx(square(model), abs=4 * error)
    assert error < 0.15 * square(model)


@pytest.mark.parametrize("rule", ["keep", "mix"])
def test_levels_of_a_large_complete_graph_are_those_of_mean_field(rule: str) -> None:
    run = stationary(RandomAdvection(size=4096, mixing=0.1, rule=rule, geometry="complete"), 6, 60, 100)
    measured = run.profiles()["occupied"]
    np.testing.assert_allclose(measured.values, occupied(0.1, rule, measured.coordinate), atol=0.01)


def test_predicted_path_is_followed() -> None:
    model = RandomAdvection(size=4000, mixing=0.05)
    run = model.simulate(seed=7)
    run.advance(12 * run.step)
    times, series = run.series()
    path = model.predicted_path({}, times)["second_moment"]
    np.testing.assert_allclose(series["second_moment"], path, rtol=0.12)


def test_shared_at_random_is_the_uniform_law_on_the_simplex() -> None:
    run = stationary(RandomAdvection(size=16, rule="share"), 8, 60, 3000)
    measured = run.profiles()["moments"]
    exact = run.model.theory()["moments"].sel({"method": "exact"}).values
    assert (np.abs(measured.values - exact)[:4] < 1e-9 + 4 * measured.error[:4]).all()
