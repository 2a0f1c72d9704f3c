"""Fokker-Planck equation in one dimension: closed forms, and the two discretisations against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.special import erf, logsumexp

from mfexplore.families.birth_death import first_passage_time, stationary, transient
from mfexplore.families.fokker_planck import (
    bernoulli,
    follow,
    gauss_points,
    hops,
    implicit_step,
    log_integrals,
    log_passage_times,
    potential,
)


def test_panels_integrate_a_potential_of_any_height() -> None:
    """Ornstein-Uhlenbeck, mu = -k x, D = 1: Phi = -k x^2/2 falls by 800 at the ends."""
    s, half = gauss_points(np.linspace(-20, 20, 401))
    phi = potential(-4.0 * s, half)
    np.testing.assert_allclose(phi, 800 - 2 * s**2, atol=1e-10)
    mass = log_integrals(phi, half) - 800
    x = np.linspace(-20, 20, 401)
    np.testing.assert_allclose(np.exp(mass[201:]), np.sqrt(np.pi / 8) * (1 + erf(np.sqrt(2) * x[201:])), rtol=1e-12)


def test_passage_out_of_a_well_and_over_a_high_barrier() -> None:
    """Climbing from -1 to 1 in mu = x - x^3: Kramers' rate at low noise, the double integral itself at higher noise."""
    times = []
    for d in (0.1, 0.005):
        s, half = gauss_points(np.linspace(-2.5, 1.0, 701))
        phi = (s**2 / 2 - s**4 / 4) / d
        climbs = log_passage_times(phi, 0.0, phi - np.log(d), half)
        times.append(logsumexp(climbs[round(1.5 / 3.5 * 700) :]))

    def inner(y: float) -> float:
        return quad(lambda z: np.exp((z**2 / 2 - z**4 / 4 - y**2 / 2 + y**4 / 4) / 0.1) / 0.1, -2.5, y)[0]

    assert np.exp(times[0]) == pytest.approx(quad(inner, -1, 1)[0], rel=1e-8)
    kramers = np.log(2 * np.pi / np.sqrt(2)) + 0.25 / 0.005
    assert times[1] == pytest.approx(kramers, abs=0.02)


def test_mass_below_the_first_edge_counts() -> None:
    """Brownian motion reflected at 0 climbs to 1 in the time 1/2D, also if the panels begin later."""
    s, half = gauss_points(np.linspace(0.3, 1.0, 8))
    flat = np.zeros_like(s)
    climbs = log_passage_times(flat, 0.0, flat, half, before=np.log(0.3))
    assert np.exp(logsumexp(climbs)) == pytest.approx((1 - 0.3**2) / 2, rel=1e-13)


@pytest.mark.parametrize("z", [-30.0, -1e-9, 0.0, 0.3, 400.0])
def test_bernoulli(z: float) -> None:
    assert bernoulli(np.array(z)) == pytest.approx(z / np.expm1(z) if z else 1.0, rel=1e-7)
    assert bernoulli(np.array(-z)) - bernoulli(np.array(z)) == pytest.approx(z, rel=1e-12)


def ornstein_uhlenbeck(cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drift -x, D = 1 in the middles of cells between -6 and 6."""
    edges = np.linspace(-6, 6, cells + 1)
    x, width = (edges[1:] + edges[:-1]) / 2, 12 / cells
    return x, *hops(np.diff(-(x**2) / 2), np.ones(cells), width, width)


@pytest.mark.parametrize("cells", [8, 60])
def test_cells_are_in_detailed_balance_however_coarse(cells: int) -> None:
    x, up, down = ornstein_uhlenbeck(cells)
    gauss = np.exp(-(x**2) / 2)
    np.testing.assert_allclose(stationary(up, down), gauss / gauss.sum(), rtol=1e-12)


def passage(start: float, target: float) -> float:
    """Mean time of an Ornstein-Uhlenbeck process to climb, by panels that have an edge at its start."""
    s, half = gauss_points(np.concatenate([np.linspace(-8, start, 101), np.linspace(start, target, 31)[1:]]))
    return float(np.exp(logsumexp(log_passage_times(-(s**2) / 2, 0.0, -(s**2) / 2, half)[100:])))


def test_cells_converge_to_the_passage_time_of_the_diffusion() -> None:
    gaps = []
    for cells in (129, 387):
        x, up, down = ornstein_uhlenbeck(cells)
        target = int(np.argmin(np.abs(x - 1)))
        exact = passage(0.0, float(x[target]))
        gaps.append(abs(first_passage_time(up, down, cells // 2, target) / exact - 1))
    assert gaps[1] < gaps[0] / 8
    assert gaps[1] < 1e-3


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("duration", [0.01, 1e6])
def test_an_implicit_step_is_positive_keeps_mass_and_lowers_entropy(ring: bool, duration: float) -> None:
    rng = np.random.default_rng(3)
    phi = rng.normal(size=30)
    step = np.append(np.diff(phi), phi[0] - phi[-1]) if ring else np.diff(phi)
    up, down = hops(step, np.ones(30), 0.1, 0.1)
    start = np.zeros((30, 2))
    start[4, 0], start[29, 1] = 1.0, 1.0
    end = implicit_step(start, up, down, duration, ring)
    assert (end > 0).all()
    np.testing.assert_allclose(end.sum(axis=0), 1, rtol=1e-9)
    rest = np.exp(phi) / np.exp(phi).sum()

    def excess(p: np.ndarray) -> float:
        return float(np.sum(p * np.log(np.maximum(p, 1e-300) / rest)))

    assert excess(end[:, 0]) < excess(start[:, 0])
    generator = np.diag(up[:-1], -1) + np.diag(down[1:], 1) - np.diag(up + down)
    if ring:
        generator[0, -1], generator[-1, 0] = up[-1], down[0]
    np.testing.assert_allclose(end - duration * generator @ end, start, atol=1e-6 if duration > 1 else 1e-12)
    np.testing.assert_allclose(implicit_step(start[:, 1], up, down, duration, ring), end[:, 1], rtol=1e-12)


def test_a_ring_carries_a_current() -> None:
    """A constant drift on a ring: the law stays flat, and the mean of a packet moves on."""
    n = 64
    up, down = hops(np.full(n, 0.2), np.ones(n), 1.0, 1.0)
    assert up[0] - down[0] == pytest.approx(0.2)
    flat = np.full(n, 1 / n)
    np.testing.assert_allclose(implicit_step(flat, up, down, 10.0, ring=True), flat, rtol=1e-12)


def test_followed_masses_are_those_of_the_master_equation_to_second_order() -> None:
    _, up, down = ornstein_uhlenbeck(40)
    start = (np.arange(40) == 30).astype(float)
    times = np.array([0.5, 1.5])
    generator = np.diag(up[:-1], -1) + np.diag(down[1:], 1) - np.diag(up + down)
    exact = np.array([expm(t * generator) @ start for t in times])
    np.testing.assert_allclose(transient(up, down, start, times), exact, atol=1e-12)
    found = [np.array(list(follow(start, up, down, times, longest))) for longest in (0.05, 0.025)]
    errors = [np.abs(one - exact).max() for one in found]
    assert errors[1] < 4e-4
    assert errors[0] / errors[1] > 3


def test_what_hops_over_an_open_end_is_gone() -> None:
    """Survival of Brownian motion between a mirror at 0 and an absorber at 1, from the mirror."""
    cells = 200
    edges = np.linspace(0, 1, cells + 1)
    middle = np.append((edges[1:] + edges[:-1]) / 2, 1.0)  # the last cell is the absorber
    up, down = hops(np.zeros(cells), np.ones(cells + 1), 1 / cells, np.diff(middle))
    start = (np.arange(cells) == 0).astype(float)
    (alive,) = follow(start, up[:-1], down[:-1], np.array([0.4]), 0.002)
    k = np.arange(20)
    exact = np.sum(4 / np.pi * (-1.0) ** k / (2 * k + 1) * np.exp(-((2 * k + 1) ** 2) * np.pi**2 / 4 * 0.4))
    assert alive.sum() == pytest.approx(exact, rel=1e-3)
