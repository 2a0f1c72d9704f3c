"""Spatial SIR: closed forms against direct minimisation and a wave equation, network and events against theory."""

from __future__ import annotations

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from mfexplore.families.crowds import crowd_of
from mfexplore.models.collective.spatial_network_sir import SpatialNetworkSIR
from mfexplore.models.collective.spatial_network_sir.dynamics import INFECTED, RECOVERED, Contacts, spread

REFERENCES = reference_values("spatial_network_sir")


def at_r0(r0: float, **controls: object) -> SpatialNetworkSIR:
    """Mass action at a given R0 with unit recovery and eight contacts."""
    return SpatialNetworkSIR(transmission=r0 / 8, mean_degree=8.0, recovery=1.0, **controls)  # type: ignore[arg-type]


def epidemic(model: SpatialNetworkSIR, method: str = "mass_action") -> dict[str, float]:
    at = model.theory(method=method).sel(branch="epidemic")
    return {name: float(at[name]) for name in ("final_size", "speed")}


@pytest.mark.parametrize("reference", [r for r in REFERENCES if "attack rate" in r["quantity"]], ids=lambda r: r["id"])
def test_final_sizes(reference: dict) -> None:
    found = epidemic(at_r0(reference["params"]["R0"]))["final_size"]
    assert found == pytest.approx(reference["value"], abs=1e-12)


@pytest.mark.parametrize("reference", [r for r in REFERENCES if "[s*,c]" in r["quantity"]], ids=lambda r: r["id"])
def test_wave_speeds(reference: dict) -> None:
    gauss = "Gaussian" in reference["params"]["kernel"]
    model = at_r0(reference["params"]["R0"], kernel="gaussian" if gauss else "exponential", length=1.0, dimension=1)
    assert epidemic(model)["speed"] == pytest.approx(reference["value"][1], abs=1e-10)


@pytest.mark.parametrize("reference", [r for r in REFERENCES if "[s*,c]" in r["quantity"]], ids=lambda r: r["id"])
def test_steepness_of_the_front(reference: dict) -> None:
    """As c is the least of (A M(s) - B)/s, its slope by the loss B is -1/s* there."""
    gauss = "Gaussian" in reference["params"]["kernel"]
    model = at_r0(reference["params"]["R0"], kernel="gaussian" if gauss else "exponential", length=1.0, dimension=1)
    step = 1e-5
    above, below = (epidemic(model.replace(recovery=1 + h))["speed"] for h in (step, -step))
    assert -2 * step / (above - below) == pytest.approx(reference["value"][0], rel=1e-8)


def test_the_wave_equation_moves_at_the_predicted_speed() -> None:
    """Mass action in one dimension, integrated directly; the late front lags by Bramson's 3/(2 s t)."""
    reference = next(r for r in REFERENCES if r["id"] == "sir_front_direct")
    r0, dx, dt, n = 2.0, 0.2, 0.02, 4096
    x = (np.arange(n) - n / 2) * dx
    transform = np.exp(-0.5 * (2 * np.pi * np.fft.rfftfreq(n, dx)) ** 2)
    susceptible, infected = np.ones(n), np.where(np.abs(x) < 1, 0.01, 0.0)
    fronts = {}
    for step in range(1, round(55 / dt) + 1):
        force = np.fft.irfft(np.fft.rfft(infected) * transform, n)
        middle = infected + dt / 2 * (r0 * susceptible * force - infected)
        half = susceptible - dt / 2 * r0 * susceptible * force
        force = np.fft.irfft(np.fft.rfft(middle) * transform, n)
        infected = infected + dt * (r0 * half * force - middle)
        susceptible = susceptible - dt * r0 * half * force
        infected[infected < 1e-14] = 0.0  # else rounding noise of the transform would found epidemics of its own
        if step in (round(30 / dt), round(55 / dt)):
            ahead = np.flatnonzero((x > 0) & (susceptible < 0.9))[-1]
            fronts[step] = x[ahead]
    first, last = sorted(fronts)
    speed = (fronts[last] - fronts[first]) / 25
    assert speed == pytest.approx(reference["value"], abs=0.03)
    assert speed < epidemic(at_r0(2.0, length=1.0, dimension=1))["speed"]
    middle_of_it = susceptible[n // 2 + 200]
    assert 1 - middle_of_it == pytest.approx(epidemic(at_r0(2.0))["final_size"], abs=2e-3)


@given(st.floats(0.2, 3), st.floats(1.5, 20), st.floats(0.1, 3), st.sampled_from(["gaussian", "exponential"]))
def test_speed_is_the_least_of_all_exponential_fronts(tau: float, kappa: float, gamma: float, kernel: str) -> None:
    model = SpatialNetworkSIR(transmission=tau, mean_degree=kappa, recovery=gamma, kernel=kernel, length=2.0)
    speed = epidemic(model, "edge_based")["speed"]
    if kappa * tau <= (tau + gamma) * 1.001:
        return
    moment = (lambda s: np.exp(2 * s**2)) if kernel == "gaussian" else (lambda s: (1 - 4 * s**2) ** -1.5)
    highest = 6.0 if kernel == "gaussian" else 0.4999999
    lowest = minimize_scalar(
        lambda s: (kappa * tau * moment(s) - tau - gamma) / s, bounds=(1e-6, highest), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    assert speed == pytest.approx(lowest.fun, rel=1e-5)


@given(st.floats(1.0001, 12))
def test_final_size_solves_its_equation(r0: float) -> None:
    z = epidemic(at_r0(r0))["final_size"]
    assert z == pytest.approx(brentq(lambda z: z - 1 + np.exp(-r0 * z), 1e-9, 1), abs=1e-8)


def test_heavy_tails_have_no_speed_and_say_so() -> None:
    for model in (SpatialNetworkSIR(kernel="power"), SpatialNetworkSIR(long_range=0.01)):
        theory = model.theory(method="edge_based").sel(branch="epidemic")
        assert np.isinf(theory["speed"])
        assert int(theory["validity"]) == 1
        assert model.phases[int(theory["phase"])].name == "accelerating"


@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "power"])
@pytest.mark.parametrize("dimension", [1, 2])
def test_the_network_has_the_degrees_and_lengths_asked_for(kernel: str, dimension: int) -> None:
    run = SpatialNetworkSIR(kernel=kernel, dimension=dimension, size=20_000, tail=2.0).simulate(seed=1)
    degrees = np.diff(run.contacts.first)
    crowded = 64 * (4 * np.pi * 2.5**2) ** (
        -dimension / 2
    )  # people are Poisson themselves: dense places have more links
    assert degrees.mean() == pytest.approx(8.0, abs=5 * np.sqrt((8 + 64) / 20_000))
    if kernel == "gaussian":
        assert degrees.var() == pytest.approx(8.0 + crowded, rel=0.05)
    if kernel == "power":
        return
    a, b = run.links.T
    dx = np.abs(run.x[a] - run.x[b])
    dx = np.minimum(dx, run.side - dx)
    factor = 1.0 if kernel == "gaussian" else np.sqrt(3.0 if dimension == 2 else 2.0)
    assert np.sqrt((dx**2).mean()) == pytest.approx(2.5 * factor, rel=0.03)


def test_a_link_transmits_with_the_textbook_probability(rng: np.random.Generator) -> None:
    """Many separate pairs, one of each infected: the other falls ill with probability tau/(tau + gamma)."""
    pairs = 20_000
    state = np.tile(np.array([INFECTED, 0], np.int8), pairs)
    contacts = Contacts(np.arange(2 * pairs + 1), (np.arange(2 * pairs) ^ 1).astype(np.int32), 1)
    carriers, count = crowd_of(np.arange(0, 2 * pairs, 2), 2 * pairs)
    count, infections = spread(state, contacts, carriers, count, 0.7, 1.3, 1e9, rng)
    assert count == 0
    assert infections == (state[1::2] == RECOVERED).sum()
    expected = 0.7 / 2.0
    assert infections / pairs == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / pairs))


def test_a_wide_kernel_gives_the_final_size_of_the_edge_based_theory() -> None:
    model = SpatialNetworkSIR(length=20.0, size=20_000, patients=100)
    result = model.ensemble(samples=8, seed=1)
    theory, error = epidemic(model, "edge_based")["final_size"], float(result["final_size_standard_error"])
    assert float(result["final_size"]) == pytest.approx(theory, abs=4 * error + 2e-3)
    mass_action = epidemic(model, "mass_action")["final_size"]
    assert mass_action - float(result["final_size"]) > 20 * error, "mass action overestimates, visibly"


def test_a_narrow_kernel_is_flagged_and_spreads_less() -> None:
    narrow = SpatialNetworkSIR(length=0.8, size=20_000, patients=100)
    assert int(narrow.theory(method="edge_based").sel(branch="epidemic")["validity"]) == 3
    assert float(narrow.ensemble(samples=4, seed=2)["final_size"]) < epidemic(narrow, "edge_based")["final_size"] - 0.05


def test_below_the_threshold_nothing_spreads() -> None:
    model = SpatialNetworkSIR(transmission=0.1, size=20_000)
    assert float(model.ensemble(samples=4, seed=3)["final_size"]) < 0.01
    assert np.isnan(model.theory(method="edge_based")["final_size"].sel(branch="epidemic"))


def test_a_real_network_uses_its_own_degrees() -> None:
    model = SpatialNetworkSIR(network="karate club", transmission=0.6, patients=1)
    theory = model.theory(method="edge_based").sel(branch="epidemic")
    simulated = float(model.ensemble(samples=200, seed=4)["final_size"])
    assert int(theory["validity"]) == 2
    assert model.phases[int(theory["phase"])].name == "outbreak", "without space there is no wave"
    assert float(theory["final_size"]) == pytest.approx(simulated, abs=0.15)


@pytest.mark.parametrize("network", ["karate club", "les miserables"])
def test_sizes_on_a_real_network_right_above_its_threshold(network: str) -> None:
    """Linear in the distance to the threshold, with the slope that follows from the third moment of the degrees."""
    degrees = np.diff(SpatialNetworkSIR(network=network).simulate().contacts.first)  # type: ignore[attr-defined]
    first, second, third = (np.mean(degrees * x) for x in (1, degrees - 1, (degrees - 1) * (degrees - 2)))
    branching = second / first
    threshold = 1 / (branching - 1)
    model = SpatialNetworkSIR(network=network, recovery=1.0)
    for excess in (1e-3, 1e-4):
        tau = threshold * (1 + excess)
        found = float(model.replace(transmission=tau).theory(method="edge_based")["final_size"].sel(branch="epidemic"))
        passes = tau / (1 + tau)
        # 1 - Theta = e: e (passes branching - 1) = passes third / (2 first) e^2, and z = first e
        expected = first * 2 * first * (passes * branching - 1) / (passes * third)
        assert found == pytest.approx(expected, rel=20 * excess)


def test_mass_action_is_flagged_where_links_transmit_once() -> None:
    few, many = SpatialNetworkSIR(transmission=0.4, length=5.0), SpatialNetworkSIR(0.25, 20.0, length=9.0)
    for model, flagged in ((few, True), (many, False)):
        theory = model.theory().sel(branch="epidemic")
        z = theory["final_size"].values
        assert (z[0] - z[1] > 0.05) == flagged
        assert theory["validity"].values.tolist() == [4 if flagged else 0, 0]


def test_the_simulated_front_approaches_the_predicted_speed_from_below() -> None:
    """Eq. (3) is for infinitely many people: a front of few is slower, the less so the more are within reach."""
    fraction = []
    for length, size, samples in ((2.5, 12_000, 8), (5.0, 40_000, 4)):
        model = SpatialNetworkSIR(0.4, 10.0, length=length, size=size, patients=round(10 * length**2))
        measured = float(model.ensemble(samples=samples, seed=6)["speed"])
        fraction.append(measured / epidemic(model, "edge_based")["speed"])
    assert 0.5 < fraction[0] < fraction[1] < 1
