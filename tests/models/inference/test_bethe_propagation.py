"""Belief propagation: given values, exactness on trees, identities, and three simulations against one theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import networkx as nx
import numpy as np
import pytest
from cases import reference_values

from mfexplore.families.sparse_graphs.graphs import links
from mfexplore.families.sparse_graphs.messages import bethe_averages, pass_messages
from mfexplore.models.inference.bethe_propagation import SQUARE_CRITICAL, BethePropagation

FERROMAGNET, SPIN_GLASS = {"antiferromagnetic_fraction": 0.0}, {"antiferromagnetic_fraction": 0.5}


def branch(model: BethePropagation, name: str) -> Any:
    return model.theory().sel(branch=name)


# -- given values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("ising_rrg"), ids=lambda r: r["id"])
def test_given_values(reference: dict[str, Any]) -> None:
    degree = reference["params"]["c"]
    model = BethePropagation(degree=degree, **FERROMAGNET)
    if "T" in reference["params"]:
        found = model.equilibrium(temperature=reference["params"]["T"])
        names = ("cavity_field", "magnetization", "energy", "free_energy")
        np.testing.assert_allclose([float(found[n]) for n in names], reference["value"], rtol=1e-10)
        return
    assert model.landmark("ferromagnet", "temperature")[0] == pytest.approx(reference["value"][0], rel=1e-13)
    glass = model.replace(**SPIN_GLASS).landmark("spin_glass", "temperature")
    assert glass[0] == pytest.approx(reference["value"][1], rel=1e-13)


def test_values_of_the_card() -> None:
    """For c = 3 and T = 1.5, and the critical temperature for c = 4, 2/ln 2."""
    found = BethePropagation(temperature=1.5, **FERROMAGNET).equilibrium()
    names = ("cavity_field", "magnetization", "energy", "free_energy")
    expected = (0.6478319241, 0.8606027103, -1.2502149187, -1.5488245515)
    np.testing.assert_allclose([float(found[n]) for n in names], expected, atol=1e-10)
    four = BethePropagation(degree=4, **FERROMAGNET).landmark("ferromagnet", "temperature")
    assert four[0] == pytest.approx(2 / math.log(2), rel=1e-13)


# -- exactness -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_tree_it_is_exact(seed: int) -> None:
    n, t, h = 11, 0.9, 0.3
    rng = np.random.default_rng(seed)
    edges = np.array(nx.random_labeled_tree(n, seed=seed).edges())
    signs = rng.choice([-1.0, 1.0], len(edges))
    graph = links(edges, n)
    messages, cavities, means = np.zeros(2 * len(edges)), np.empty(2 * len(edges)), np.empty(n)
    for _ in range(n):
        change = pass_messages(graph, signs[graph.edge], 1 / t, h, 0.0, messages, cavities)
    assert change < 1e-14
    energy, free_energy = bethe_averages(graph, 1 / t, h, messages, means)

    states = np.array(list(itertools.product((-1, 1), repeat=n)))
    cost = -(states[:, edges[:, 0]] * states[:, edges[:, 1]] * signs).sum(axis=1) - h * states.sum(axis=1)
    weight = np.exp(-cost / t)
    assert free_energy == pytest.approx(-t * math.log(weight.sum()) / n, rel=1e-12)
    weight /= weight.sum()
    assert energy == pytest.approx(weight @ cost / n, rel=1e-12)
    np.testing.assert_allclose(means, weight @ states, atol=1e-12)


def test_damping_changes_the_way_not_the_end() -> None:
    ends = []
    for damping in (0.0, 0.5):
        run = BethePropagation(temperature=1.0, damping=damping, size=500, **FERROMAGNET).simulate(seed=1)
        run.advance(200)
        ends.append(run.means)
    np.testing.assert_allclose(*ends, atol=1e-10)


# -- theory --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("graph", ["random_regular", "erdos_renyi"])
@pytest.mark.parametrize(
    ("temperature", "fraction", "field", "name"),
    [
        (1.2, 0.05, 0.0, "ferromagnet"), (0.6, 0.1, 0.0, "ferromagnet"), (0.6, 0.3, 0.0, "spin_glass"),
        (1.5, 0.2, 0.4, "ferromagnet"), (1.3, 0.5, -0.2, "ferromagnet"), (2.5, 0.2, 0.0, "paramagnet"),
    ],
)  # fmt: skip
def test_energies_are_derivatives_of_the_free_energy(
    graph: str, temperature: float, fraction: float, field: float, name: str
) -> None:
    model = BethePropagation(graph=graph, temperature=temperature, antiferromagnetic_fraction=fraction, field=field)
    here, step = branch(model, name), 1e-2
    f = [float(branch(model.replace(temperature=temperature + s), name)["free_energy"]) for s in (-step, step)]
    energy = float(here["free_energy"]) - temperature * (f[1] - f[0]) / (2 * step)
    assert float(here["energy"]) == pytest.approx(energy, abs=5e-4)
    if field:
        f = [float(branch(model.replace(field=field + s), name)["free_energy"]) for s in (-step, step)]
        assert float(here["magnetization"]) == pytest.approx(-(f[1] - f[0]) / (2 * step), abs=5e-4)


@pytest.mark.parametrize("fraction", [0.02, 0.08, 0.14])
@pytest.mark.parametrize("graph", ["random_regular", "erdos_renyi"])
def test_nishimori_identities(graph: str, fraction: float) -> None:
    """On the line q = m, the energy is -c/2 tanh(1/T) exactly, and replica symmetry holds."""
    model = BethePropagation(graph=graph, antiferromagnetic_fraction=fraction, temperature=1.0)
    model = model.replace(temperature=float(model.landmark("nishimori", "temperature")[0]))
    found = model.equilibrium()
    assert float(found["overlap"]) == pytest.approx(float(found["magnetization"]), abs=2e-5)
    assert float(found["energy"]) == pytest.approx(-1.5 * (1 - 2 * fraction), abs=2e-5)
    assert float(found["stability"]) < 1


def test_a_grid_of_fields_meets_the_single_message_without_disorder() -> None:
    """At a vanishing share of negative couplings density evolution must agree with the closed form."""
    for field in (0.0, 0.3):
        model = BethePropagation(temperature=1.3, field=field)
        a, b = (branch(model.replace(antiferromagnetic_fraction=x), "ferromagnet") for x in (0.0, 1e-9))
        for name in ("magnetization", "overlap", "energy", "free_energy", "stability"):
            assert float(a[name]) == pytest.approx(float(b[name]), abs=2e-5)


@pytest.mark.parametrize(("fraction", "temperature"), [(0.05, 1.2), (0.1, 0.6), (0.13, 1.1), (0.02, 1.7)])
def test_acceleration_ends_where_plain_iteration_ends(fraction: float, temperature: float) -> None:
    """By a population of messages that starts up, as slow as can be."""
    model = BethePropagation(antiferromagnetic_fraction=fraction, temperature=temperature)
    path = model.predicted_path({}, np.array([0.0, 600.0]))
    found = branch(model, "ferromagnet")
    assert path["magnetization"][-1] == pytest.approx(float(found["magnetization"]), abs=1e-6)
    assert path["overlap"][-1] == pytest.approx(float(found["overlap"]), abs=1e-6)


@pytest.mark.parametrize("graph", ["random_regular", "erdos_renyi"])
def test_lines_meet_in_one_point(graph: str) -> None:
    model = BethePropagation(graph=graph)
    b = model.random_graph.branching
    rho = 0.5 * (1 - b**-0.5)
    at = model.replace(antiferromagnetic_fraction=rho)
    t = at.landmark("nishimori", "temperature")[0]
    glass = model.replace(**SPIN_GLASS).landmark("spin_glass", "temperature")[0]
    assert t == pytest.approx(glass, rel=1e-12)
    end = model.replace(temperature=t).landmark("ferromagnet", "antiferromagnetic_fraction")[0]
    assert end == pytest.approx(rho, abs=1e-3)  # there everything is marginal
    nearly = at.replace(antiferromagnetic_fraction=rho - 1e-9)
    assert nearly.landmark("ferromagnet", "temperature")[-1] == pytest.approx(t, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 0.8, 1.3])
def test_magnetization_ends_at_its_boundary(temperature: float) -> None:
    model = BethePropagation(temperature=temperature)
    end = float(model.landmark("ferromagnet", "antiferromagnetic_fraction")[0])
    inside = branch(model.replace(antiferromagnetic_fraction=0.98 * end), "ferromagnet")
    outside = branch(model.replace(antiferromagnetic_fraction=1.02 * end), "ferromagnet")
    assert 0 < float(inside["magnetization"]) < 0.45
    assert np.isnan(outside["residual"])
    path = model.replace(antiferromagnetic_fraction=1.02 * end).predicted_path({}, np.array([0.0, 1500.0]))
    assert path["magnetization"][-1] < 1e-4


def test_replica_symmetry_breaks_inside_the_ferromagnet() -> None:
    model = BethePropagation(temperature=0.5)
    line = float(model.landmark("at_line", "antiferromagnetic_fraction")[0])
    end = float(model.landmark("ferromagnet", "antiferromagnetic_fraction")[0])
    assert 0.05 < line < end
    for rho, broken in ((line - 0.004, False), (line + 0.004, True)):
        theory = model.theory(antiferromagnetic_fraction=rho)
        assert (float(theory["stability"].sel(branch="ferromagnet")) > 1) == broken
        assert (int(theory["validity"].sel(branch="ferromagnet")) == 1) == broken
        assert int(theory["phase"]) == (3 if broken else 1)


def test_spin_glass_is_always_broken_and_does_not_know_the_signs() -> None:
    a, b = (branch(BethePropagation(temperature=0.6, antiferromagnetic_fraction=x), "spin_glass") for x in (0.2, 0.5))
    assert float(a["free_energy"]) == float(b["free_energy"])
    assert float(a["stability"]) > 1
    assert int(a["validity"]) == 1


def test_flipping_the_field() -> None:
    model = BethePropagation(temperature=1.1, antiferromagnetic_fraction=0.2)
    up, down = (branch(model.replace(field=x), "ferromagnet") for x in (0.3, -0.3))
    assert float(up["magnetization"]) == pytest.approx(-float(down["magnetization"]), abs=1e-12)
    assert float(up["free_energy"]) == pytest.approx(float(down["free_energy"]), abs=1e-12)
    assert np.isnan(model.theory(field=0.3)["residual"].sel(branch="spin_glass"))
    together = branch(model.replace(graph="erdos_renyi"), "ferromagnet")  # alone and in a batch the same
    batch = model.replace(graph="erdos_renyi").theory(field=np.array([0.3, 0.0, -0.3])).sel(branch="ferromagnet")
    for name, sign in (("magnetization", -1), ("cavity_field", -1), ("free_energy", 1), ("stability", 1)):
        assert batch[name][2] == sign * batch[name][0]
        assert float(batch[name][1]) == pytest.approx(float(together[name]), abs=1e-8, nan_ok=True)


def test_law_has_the_moments_of_the_theory() -> None:
    for controls in ({"temperature": 0.9}, {"temperature": 0.7, **SPIN_GLASS}, {"temperature": 1.0, "field": -0.3}):
        model = BethePropagation(**controls)
        law = model.law()
        mean = np.trapezoid(law.density * law.values, law.values)
        assert mean == pytest.approx(float(model.equilibrium()["cavity_field"]), abs=1e-3)
    assert BethePropagation(temperature=1.0, **FERROMAGNET).law().atoms[0][1] == 1
    assert BethePropagation(temperature=3.0).law().atoms == ((0.0, 1.0),)


# -- simulations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "size"), [("belief_propagation", 2000), ("population_dynamics", 4000)])
@pytest.mark.parametrize("graph", ["random_regular", "erdos_renyi"])
def test_messages_reproduce_the_infinite_graph(algorithm: str, size: int, graph: str) -> None:
    model = BethePropagation(
        temperature=1.0, antiferromagnetic_fraction=0.06, graph=graph, algorithm=algorithm, size=size
    )
    result = model.ensemble(samples=6, seed=3)
    theory = model.equilibrium()
    for name in ("magnetization", "overlap", "energy", "free_energy"):
        error = float(result[f"{name}_standard_error"])
        assert error < 0.02
        assert float(result[name]) == pytest.approx(float(theory[name]), abs=5 * error + 2e-4)


def test_heat_bath_agrees_where_replica_symmetry_holds() -> None:
    model = BethePropagation(temperature=1.2, antiferromagnetic_fraction=0.05, algorithm="heat_bath", size=3000)
    result = model.ensemble(samples=5, seed=4)
    theory = model.equilibrium()
    for name in ("magnetization", "energy"):
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(float(theory[name]), abs=5 * error)


def test_heat_bath_on_the_smallest_graph_meets_the_sum_over_all_its_states() -> None:
    model = BethePropagation(
        temperature=1.5,
        antiferromagnetic_fraction=0.3,
        field=0.2,
        algorithm="heat_bath",
        size=10,
        graph="random_regular",
    )
    run = model.simulate(seed=6)
    n, starts = run.spins.size, run.links.starts
    couplings = np.zeros((n, n))
    for i in range(n):
        for k in range(starts[i], starts[i + 1]):
            couplings[i, run.links.neighbours[k]] += run.couplings[k]
    states = 1.0 - 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
    energy = -0.5 * np.sum(states @ couplings * states, axis=1) - model.field * states.sum(axis=1)
    weight = np.exp(-energy / model.temperature)
    exact = weight @ states / weight.sum()
    batches = []
    for _ in range(40):
        before = run.sums.copy()
        run.advance(300)
        batches.append((run.sums - before) / 300)
    error = np.std(batches, axis=0, ddof=1) / math.sqrt(len(batches))
    assert error.max() < 0.04
    assert (np.abs(np.mean(batches, axis=0) - exact) < 4.5 * error).all()


@pytest.mark.parametrize("start", ["up", "random"])
def test_density_evolution_predicts_the_path_of_messages(start: str) -> None:
    model = BethePropagation(temperature=1.5, antiferromagnetic_fraction=0.05, size=20_000, start=start)
    run = model.simulate(seed=2)
    run.advance(8)
    times, series = run.series()
    path = model.predicted_path(run.observe(), times)
    for name in ("magnetization", "overlap"):
        np.testing.assert_allclose(series[name], path[name], atol=0.02)


def test_messages_settle_outside_the_glass_only() -> None:
    for controls, settles in (
        ({"temperature": 1.3, **SPIN_GLASS}, True),
        ({"temperature": 0.9, **SPIN_GLASS}, False),
        ({"temperature": 0.6, "antiferromagnetic_fraction": 0.05}, True),
    ):
        run = BethePropagation(size=1000, start="random", damping=0.2, **controls).simulate(seed=1)
        run.advance(400)
        assert (run.observe()["change"] < 1e-6) == settles


def test_on_the_square_lattice_messages_are_wrong_and_say_so() -> None:
    model = BethePropagation(graph="square", temperature=2.6, size=2500, **FERROMAGNET)
    messages, spins = (model.replace(algorithm=a).simulate(seed=1) for a in ("belief_propagation", "heat_bath"))
    messages.advance(200)
    spins.advance(300)
    theory = branch(model, "ferromagnet")
    assert messages.observe()["magnetization"] == pytest.approx(float(theory["magnetization"]), abs=1e-9)
    assert abs(spins.observe()["magnetization"]) < 0.3 < float(theory["magnetization"])
    assert int(theory["validity"]) == 2
    below = model.replace(temperature=0.95 * SQUARE_CRITICAL)
    assert int(branch(below, "ferromagnet")["validity"]) == 0


def test_negative_couplings_are_nested_so_that_a_run_can_follow() -> None:
    run = BethePropagation(size=300, antiferromagnetic_fraction=0.1).simulate(seed=1)
    before = run.couplings < 0
    assert run.follow(run.model.replace(antiferromagnetic_fraction=0.3))
    after = run.couplings < 0
    assert (after | ~before).all()
    assert after.mean() == pytest.approx(0.3, abs=0.1)
