"""Walkers: the kernel against a slow path, bookkeeping, rates against equations of motion of the pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.sparse.linalg import expm_multiply
from scipy.special import ive

from mfexplore.families.walkers import (
    AFTER,
    BEFORE,
    KIND,
    PLACE,
    Rules,
    Walkers,
    box_of,
    chain_density,
    inverse_laplace,
    last_meeting_rate,
    meetings,
    returns,
)


@pytest.mark.parametrize("sides", [(5,), (4, 3), (3, 2, 4)])
@pytest.mark.parametrize("walled", [False, True])
def test_neighbours_are_those_of_coordinates(sides: tuple[int, ...], walled: bool) -> None:
    box = box_of(sides, walled)
    for site in range(math.prod(sides)):
        here = np.array(np.unravel_index(site, sides))
        for direction in range(2 * len(sides)):
            axis, there = direction // 2, here.copy()
            there[axis] += 1 - 2 * (direction % 2)
            out = not 0 <= there[axis] < sides[axis]
            expected = site if walled and axis == 0 and out else np.ravel_multi_index(there % np.array(sides), sides)
            assert site + box.shifts[box.kinds[site], direction] == expected


@pytest.mark.parametrize("reactivity", [0.3, 1.0])
def test_lists_of_walkers_stay_whole(reactivity: float, rng: np.random.Generator) -> None:
    """Everybody is in the list of the site where it is, links go both ways, and every reaction takes one of each."""
    sides, n = (12, 10), 300
    places = rng.integers(0, 60, n), rng.integers(60, 120, n)
    walkers = Walkers(sides, places, Rules(np.array([1, 0]), True, reactivity), rng)
    for _ in range(20):
        walkers.advance(0.3)
        seen = 0
        for site in range(math.prod(sides)):
            before, k = -1, int(walkers.first[site, 0])
            while k >= 0:
                assert k < walkers.count
                assert walkers.rows[k, PLACE] == site
                assert walkers.rows[k, BEFORE] == before
                before, k = k, int(walkers.rows[k, AFTER])
                seen += 1
        assert seen == walkers.count
        for kind in (0, 1):
            assert walkers.places(kind).size == n - walkers.reacted.sum()
    assert walkers.reacted.sum() > 100


def test_walls_keep_walkers_in_and_fixed_ones_stay(rng: np.random.Generator) -> None:
    walkers = Walkers((9, 3), (np.zeros(4000, int), np.arange(24, 27)), Rules(np.array([9, 9]), True, 1.0), rng,
                      walled=True, fixed=1)  # fmt: skip
    walkers.advance(3.0)
    density = np.bincount(walkers.places(0) // 3, minlength=9) / 4000
    hop = np.diag(np.ones(8), 1) + np.diag(np.ones(8), -1)
    expected = expm_multiply(3.0 * (hop - np.diag(hop.sum(axis=0))), np.eye(9)[0])
    np.testing.assert_allclose(density, expected, atol=4.5 * np.sqrt(0.25 / 4000))
    assert (np.sort(walkers.rows[4000:, PLACE]) == np.arange(24, 27)).all()
    assert (walkers.rows[4000:, KIND] == 1).all()


def exactly_on_a_ring(sides: int, time: float, reactivity: float, both_go: bool) -> float:
    """Mean number of walkers from a full ring: all states with at most one walker a site, by the master equation."""
    states = 1 << sides
    rates = np.zeros((states, states))
    for state in range(states):
        for site in range(sides):
            if state >> site & 1:
                for step in (1, -1):
                    target = (site + step) % sides
                    moved = state & ~(1 << site)
                    after = (
                        (moved & ~(1 << target) if both_go else moved) if moved >> target & 1 else moved | 1 << target
                    )
                    rates[after, state] += 1
                    rates[state, state] -= 1
    assert reactivity == 1
    later = expm_multiply(time * rates, np.eye(states)[-1])
    return float(later @ [bin(state).count("1") for state in range(states)])


@pytest.mark.parametrize("both_go", [True, False])
def test_small_rings_follow_the_master_equation(both_go: bool, rng: np.random.Generator) -> None:
    """4000 rings of seven sites, kept apart by two walls of nothing but time: the mean number that is left."""
    left = []
    for _ in range(3000):
        walkers = Walkers((7,), (np.arange(7),), Rules(np.zeros(1, int), both_go, 1.0), rng)
        walkers.advance(0.4)
        left.append(walkers.count)
    error = np.std(left) / math.sqrt(len(left))
    assert np.mean(left) == pytest.approx(exactly_on_a_ring(7, 0.4, 1.0, both_go), abs=4 * error)


def test_inverse_laplace_of_what_is_known() -> None:
    times = np.geomspace(0.01, 1e6, 9)
    found = inverse_laplace(lambda s: 1 / (np.sqrt(s) * np.sqrt(s + 8)), times)
    np.testing.assert_allclose(found, ive(0, 4 * times), rtol=1e-9)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_returns_are_an_integral_of_bessel_functions(dimension: int) -> None:
    for s in (0.05, 0.7, 6.0):
        visits = quad(lambda t, s=s: math.exp(-s * t) * ive(0, 4 * t) ** dimension, 0, np.inf, limit=300)[0]
        found = returns(np.array([s + 0j]), dimension, 2.0)[0]
        assert found.real == pytest.approx((s + 4 * dimension) * visits, rel=1e-7)
        assert found.imag == 0


@pytest.mark.parametrize(("dimension", "reactivity"), [(1, 1.0), (1, 0.2), (2, 0.5), (3, 0.4)])
def test_meetings_are_those_of_a_pair_in_a_box(dimension: int, reactivity: float) -> None:
    """The density around one walker, by its equation of motion on a box that is too large to matter."""
    shape = (31,) * dimension
    origin = (0,) * dimension

    def slope(_: float, flat: np.ndarray) -> np.ndarray:
        around = flat[:-1].reshape(shape)
        inflow = sum(np.roll(around, step, axis) for axis in range(dimension) for step in (1, -1)) * 2.0
        change = inflow - 4 * dimension * around
        reacted = reactivity * inflow[origin]
        change[origin] -= reacted
        return np.append(change.ravel(), reacted)

    start = np.ones(math.prod(shape) + 1)
    start[0] = start[-1] = 0
    end = solve_ivp(slope, (0, 2), start, rtol=1e-7, atol=1e-9, method="RK45").y[:, -1]
    rate, so_far = meetings(np.array([2.0]), dimension, 2.0, np.array([reactivity]))
    assert so_far[0] == pytest.approx(end[-1], rel=1e-5)
    assert rate[0] == pytest.approx(slope(0, end)[-1], rel=1e-5)


def test_meetings_end_at_watsons_integral() -> None:
    assert last_meeting_rate(np.ones(1), 2.0)[0] == pytest.approx(12 / 1.516386059151978, rel=1e-12)
    for p in (0.1, 1.0):
        rate, _ = meetings(np.array([1e9]), 3, 2.0, np.array([p]))
        assert rate[0] == pytest.approx(last_meeting_rate(np.array([p]), 2.0)[0], rel=1e-4)


@pytest.mark.parametrize("start", [0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("both_go", [True, False])
def test_density_of_the_chain_by_its_intervals(start: float, both_go: bool) -> None:
    """Eq. of E_n on 400 sites, solved in time."""
    q = 1 - start * (2 if both_go else 1)
    first = q ** np.arange(400.0)
    matrix = 2 * (np.eye(400, k=1) + np.eye(400, k=-1) - 2 * np.eye(400))
    matrix[0] = matrix[-1] = 0
    for time in (0.3, 20.0):
        later = expm_multiply(time * matrix, first)
        density, slope = chain_density(np.array([time]), np.array([start]), both_go)
        share = 0.5 if both_go else 1.0
        assert density[0] == pytest.approx(share * (1 - later[1]), rel=1e-8)
        assert slope[0] == pytest.approx(-share * (matrix @ later)[1], rel=1e-7)
