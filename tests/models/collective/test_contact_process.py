"""Contact process: closed forms against the equations they solve, the lattice against its master equation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.models.collective.contact_process import ContactProcess

REFERENCES = {v["id"]: v for v in reference_values("reaction_kinetics")}


@given(st.floats(0.2, 6), st.floats(1e-4, 0.1), st.floats(0, 0.6), st.integers(1, 3))
def test_stationary_densities_are_where_the_rate_equations_settle(
    rate: float, activation: float, dilution: float, dimension: int
) -> None:
    model = ContactProcess(infection_rate=rate, activation=activation, dilution=dilution, dimension=dimension)
    rest = model.equilibrium(method="pair")
    path = model.predicted_path({"density": 0.5}, np.linspace(0, 30 * (1 + float(rest["relaxation_time"])), 4))
    assert path["density"][-1] == pytest.approx(float(rest["density"]), abs=1e-6)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_activity_vanishes_continuously_at_the_thresholds(dimension: int) -> None:
    model = ContactProcess(dimension=dimension)
    for method, name in (("mean_field", "threshold"), ("pair", "pair_threshold")):
        threshold = float(model.landmark(name, "infection_rate")[0])
        above = model.theory(method=method, infection_rate=threshold * 1.0001).sel(branch="active")
        below = model.theory(method=method, infection_rate=threshold * 0.9999).sel(branch="active")
        assert 0 < float(above["density"]) < 1e-3
        assert np.isnan(below["density"])
        assert float(above["relaxation_time"]) > 1e3, "critical slowing down"


def test_pair_threshold_of_any_lattice_is_z_over_z_minus_one() -> None:
    for dimension in (1, 2, 3):
        z = 2 * dimension
        found = ContactProcess(dimension=dimension).landmark("pair_threshold", "infection_rate")
        assert found[0] == pytest.approx(z / (z - 1))


def test_dilution_moves_the_mean_field_threshold_by_the_sites_that_are_left() -> None:
    model = ContactProcess(dilution=0.25)
    assert model.landmark("threshold", "infection_rate")[0] == pytest.approx(1 / 0.75)
    assert model.replace(infection_rate=1 / 0.75).landmark("threshold", "dilution")[0] == pytest.approx(0.25)


def test_activation_lifts_the_absorbing_state() -> None:
    theory = ContactProcess(infection_rate=0.5, activation=0.01).theory()
    assert np.isnan(theory["density"].sel(branch="absorbing")).all()
    assert (theory["density"].sel(branch="active") > 0).all()


def master_equation(rate: float, activation: float, sites: int) -> float:
    """Exact stationary density of a ring, from the generator over all 2^sites states."""
    states = list(itertools.product((0, 1), repeat=sites))
    index = {s: k for k, s in enumerate(states)}
    generator = np.zeros((len(states), len(states)))
    for state in states:
        for i in range(sites):
            neighbours = state[i - 1] + state[(i + 1) % sites]
            speed = 1.0 if state[i] else rate / 2 * neighbours + activation
            flipped = index[(*state[:i], 1 - state[i], *state[i + 1 :])]
            generator[flipped, index[state]] += speed
            generator[index[state], index[state]] -= speed
    values, vectors = np.linalg.eig(generator)
    p = np.real(vectors[:, np.argmax(values.real)])
    return float(p / p.sum() @ np.array([np.mean(s) for s in states]))


def test_the_kernel_obeys_the_master_equation_of_a_small_ring() -> None:
    run = ContactProcess(infection_rate=2.0, activation=0.1, size=6).simulate(seed=1)
    run.advance(15_000)
    density = run.series()[1]["density"][100:]
    blocks = density[: len(density) // 100 * 100].reshape(100, -1).mean(axis=1)
    error = blocks.std(ddof=1) / 10
    assert density.mean() == pytest.approx(master_equation(2.0, 0.1, 6), abs=4 * error)


def test_the_chain_at_rate_four_has_the_published_density() -> None:
    reference = REFERENCES["cp_qs_lam4"]
    result = ContactProcess(infection_rate=4.0, size=10_000).ensemble(samples=3, seed=2)
    error = max(float(result["density_standard_error"]), 1e-3)
    assert float(result["density"]) == pytest.approx(reference["value"], abs=0.003 + 4 * error)


def test_critical_decay_is_that_of_directed_percolation() -> None:
    delta = REFERENCES["lit_dp11"]["value"][4]
    run = ContactProcess(infection_rate=3.29785, size=100_000).simulate(seed=3)
    run.advance(256)
    times, series = run.series()
    late = times >= 16
    slope = np.polyfit(np.log(times[late]), np.log(series["density"][late]), 1)[0]
    assert -slope == pytest.approx(delta, abs=0.012)


def test_the_plane_lives_above_the_published_threshold_and_dies_below() -> None:
    threshold = REFERENCES["lit_cp2d"]["value"]
    assert ContactProcess(dimension=2).landmark("directed_percolation", "infection_rate")[0] == threshold
    for rate, lives in ((threshold * 1.06, True), (threshold * 0.94, False)):
        run = ContactProcess(infection_rate=rate, dimension=2, size=40_000).simulate(seed=4)
        run.advance(300)
        assert (run.observe()["density"] > 0.05) == lives


def test_theory_gets_better_with_dimension_and_says_where_it_fails() -> None:
    gaps = []
    for dimension in (1, 2, 3):
        model = ContactProcess(infection_rate=4.0, dimension=dimension, size=3375)
        simulated = float(model.ensemble(samples=2, seed=5)["density"])
        gaps.append(float(model.equilibrium(method="pair")["density"]) - simulated)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    failing = ContactProcess(infection_rate=3.0).theory(method="pair").sel(branch="active")
    assert int(failing["validity"]) == 1
    cut = ContactProcess(infection_rate=5.0, dilution=0.1).theory(method="pair").sel(branch="active")
    assert int(cut["validity"]) == 2


def test_removed_sites_stay_empty() -> None:
    run = ContactProcess(infection_rate=3.0, dimension=2, dilution=0.3, size=10_000).simulate(seed=6)
    removed = run.state == -1
    run.advance(20)
    assert (run.state[removed] == -1).all()
    assert run.count == (run.state == 1).sum()


def test_a_noticeable_difference_of_the_theories_is_flagged() -> None:
    theory = ContactProcess().theory(infection_rate=np.array([4.0, 6.0])).sel(branch="active")
    gap = theory["density"].sel({"method": "mean_field"}) - theory["density"].sel({"method": "pair"})
    assert (gap > 0.05).values.tolist() == [True, False]
    assert theory["validity"].values.tolist() == [[3, 3], [0, 0]]


def test_an_outbreak_from_a_seed_spreads_as_directed_percolation_does() -> None:
    """At the threshold of the chain the mean number of active sites grows as t^theta, with the dead ones counted."""
    theta, delta = REFERENCES["lit_dp11"]["value"][5], REFERENCES["lit_dp11"]["value"][4]
    model = ContactProcess(infection_rate=3.29785, size=2000, start="seed")
    times = 8.0 * 3.0 ** np.arange(4)
    active = np.empty((2000, times.size))
    for seed in range(len(active)):
        run = model.simulate(seed=seed)
        before = 0.0
        for k, time in enumerate(times):
            run.evolve(time - before)
            before = time
            active[seed, k] = run.observe()["density"] * model.size
    growth = np.polyfit(np.log(times), np.log(active.mean(axis=0)), 1)[0]
    assert growth == pytest.approx(theta, abs=0.04)
    survival = np.polyfit(np.log(times), np.log((active > 0).mean(axis=0)), 1)[0]
    assert -survival == pytest.approx(delta, abs=0.03)
