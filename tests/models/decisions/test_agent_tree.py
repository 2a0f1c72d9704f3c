"""Trees of agents: reference values, majorities against urns and enumeration, trees that vote against the map."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.core import Chart, Network
from mfexplore.models.decisions.agent_tree import AgentTree
from mfexplore.models.decisions.agent_tree.theory import majority, next_level

KINDS = ("all_or_none", "cliques")


def exact(model: AgentTree, *names: str) -> list[float]:
    theory = model.theory(method="exact", profiles=False)
    return [float(theory[name]) for name in names]


# -- reference values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("agent_tree"), ids=lambda r: r["id"])
def test_values_of_the_card(reference: dict[str, Any]) -> None:
    at = reference["params"]
    model = AgentTree(fan_in=at["b"], loss=1 - at.get("gamma", 1.0), shared_error=at.get("rho", 0.0))
    names = ("gain",) if "gamma" not in at else ("gain", "deep_bias", "exponent")
    assert exact(model, *names) == pytest.approx(np.atleast_1d(reference["value"]), abs=1e-12)


def test_values_of_the_review() -> None:
    for (b, loss, rho), wanted in {
        (3, 0.1, 0.1): (1.23136364, 0.92843738),
        (5, 0.2, 0.2): (1.11619048, 0.72375922),
    }.items():
        model = AgentTree(fan_in=b, loss=loss, shared_error=rho, dependence="cliques")
        assert exact(model, "gain", "deep_bias") == pytest.approx(wanted, abs=1e-8)
    alike = AgentTree(loss=0.0, shared_error=0.1, dependence="cliques")
    exponents = [exact(alike.replace(fan_in=b), "exponent")[0] for b in (3, 5, 31)]
    assert exponents == pytest.approx([0.285, 0.285, 0.233], abs=6e-4)
    gains = [next_level(0.0, 1001, 1.0, 0.1, cliques)[1] for cliques in (False, True)]
    assert gains == pytest.approx([22.8, 2.498], rel=2e-3)
    assert math.log(gains[1]) / math.log(1001) == pytest.approx(0.133, abs=1e-3)
    for b in range(4, 32, 2):
        for x in (0.0, 0.3, 0.9):
            assert majority(x, b, 0.0) == majority(x, b - 1, 0.0)


def test_the_gain_of_many_independent_ones_grows_as_a_root() -> None:
    """a_b of eq. (4), and sqrt(2 b/pi) far out."""
    wanted = [b / 2 ** (b - 1) * math.comb(b - 1, (b - 1) // 2) for b in (3, 9, 31)]
    assert [majority(0.0, b, 0.0)[1] for b in (3, 9, 31)] == pytest.approx(wanted, rel=1e-13)
    assert majority(0.0, 1001, 0.0)[1] == pytest.approx(math.sqrt(2 * 1001 / math.pi), rel=3e-4)
    assert majority(0.0, 1001, 0.2)[1] < math.sqrt(2 / (math.pi * 0.2))


# -- independent slow paths ------------------------------------------------------------------------------------------


def by_cliques(bias: float, b: int, rho: float) -> float:
    """Bias of the majority from all ways to join cliques, and all answers of their first members."""
    total = 0.0
    for sources in itertools.product(*(range(j + 1) for j in range(b))):
        ways, origin = 1.0, list(range(b))
        for j, source in enumerate(sources[1:], 1):
            whole = 1 - rho + j * rho
            ways *= (1 - rho if source == j else rho) / whole
            origin[j] = j if source == j else origin[source]
        for answers in itertools.product((-1, 1), repeat=b):
            p = math.prod((1 + answers[j] * bias) / 2 for j in range(b))
            total += ways * p * np.sign(sum(answers[origin[j]] for j in range(b)))
    return total


@pytest.mark.parametrize("fan_in", [2, 3, 4, 5])
@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_cliques_that_are_enumerated_vote_as_the_beta_law_says(fan_in: int, rho: float) -> None:
    assert majority(0.4, fan_in, rho)[0] == pytest.approx(by_cliques(0.4, fan_in, rho), abs=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_the_map_is_concave_and_the_clipped_prediction_a_bound(kind: str) -> None:
    m = np.linspace(0, 1, 41)
    for b, rho in itertools.product((3, 6, 15, 31), (0.0, 0.1, 0.6, 1.0)):
        values, slopes = np.array([next_level(x, b, 0.95, rho, kind == "cliques") for x in m]).T
        assert np.all(np.diff(slopes) <= 1e-12)
        np.testing.assert_allclose(np.gradient(values, m, edge_order=2)[1:-1], slopes[1:-1], atol=0.02)
    for budget in (1.0, 1e3, 1e6):
        roots = AgentTree(dependence=kind, unit_bias=0.3).theory(depth=np.arange(9), budget=budget, profiles=False)
        by_method = roots["root_bias"]
        assert bool((by_method.sel({"method": "exact"}) <= by_method.sel({"method": "clipped"}) + 1e-12).all())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", [0.0, 0.1, 0.27])
def test_the_fixed_point_is_where_deep_trees_end(kind: str, loss: float) -> None:
    model = AgentTree(dependence=kind, loss=loss, fan_in=5)
    m = 0.5
    for _ in range(5000):
        m = next_level(m, 5, 1 - loss, 0.1, kind == "cliques")[0]
    assert exact(model, "deep_bias")[0] == pytest.approx(m, abs=1e-9)


# -- what the page claims --------------------------------------------------------------------------------------------


def test_on_the_boundary_a_single_agent_is_as_good_as_many() -> None:
    """Weak signals at s = beta: budget and depth make no difference."""
    (beta,) = AgentTree().landmark("synergy", "leaf_exponent")
    theory = AgentTree(leaf_exponent=beta, unit_bias=0.01, budget=1.0).theory(depth=np.arange(9), profiles=False)
    assert np.ptp(theory["advantage"].sel({"method": "clipped"}).values) < 1e-12
    assert np.abs(theory["advantage"].sel({"method": "exact"}).values).max() < 1e-3


def test_saturation_and_the_single_agent_are_where_the_page_says() -> None:
    model = AgentTree(unit_bias=0.1, leaf_exponent=0.2)
    (budget,) = model.landmark("saturation", "budget")
    at = model.replace(budget=budget)
    gain, deep = exact(at, "gain", "deep_bias")
    assert gain**6 * at.leaf_bias(3**6) == pytest.approx(deep, rel=1e-9)
    (budget,) = model.landmark("single_agent", "budget")
    assert exact(model.replace(budget=budget), "single_bias")[0] == pytest.approx(deep, rel=1e-9)


def test_which_fan_in_is_best_has_opposite_answers() -> None:
    best = {
        kind: int(
            AgentTree(dependence=kind, shared_error=0.2)
            .theory(fan_in=np.arange(2, 32), method="exact", profiles=False)["exponent"]
            .idxmax("fan_in")
        )
        for kind in KINDS
    }
    assert best["all_or_none"] == 31
    assert best["cliques"] < 10


def test_a_window_makes_a_hierarchy_necessary() -> None:
    model = AgentTree(messages="window", window=5.0)
    gain = model.theory(fan_in=np.arange(3, 32, 2), method="exact", profiles=False)["gain"]
    assert float(gain.sel(fan_in=3)) > 1 > float(gain.sel(fan_in=31))
    (narrowest,) = model.landmark("narrowest_window", "window")
    assert exact(model.replace(window=narrowest), "gain")[0] == pytest.approx(1, abs=1e-9)


# -- simulation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3**5 * 40, 3**5 * 160])
@pytest.mark.parametrize("kind", KINDS)
def test_trees_vote_as_the_map_says(kind: str, size: int) -> None:
    model = AgentTree(dependence=kind, shared_error=0.25, unit_bias=0.2, depth=5, size=size)
    run = model.simulate(seed=3)
    run.advance(105)
    measured, theory = run.profiles()["bias_by_depth"], model.profiles()["bias_by_depth"].values[0]
    assert measured.error is not None
    assert np.all(np.abs(measured.values - theory[:6]) < 4 * measured.error)
    assert measured.error[5] < 0.02


def test_stars_of_both_kinds_lie_on_their_curves() -> None:
    run = AgentTree(fan_in=4, shared_error=0.2, unit_bias=0.3, size=60_000).simulate(seed=2)
    run.advance(80)
    chart = run.pictures()["stars"]
    assert isinstance(chart, Chart)
    lines = [one for one in chart.series if one.kind == "line"]
    dots = [one for one in chart.series if one.kind == "points"]
    for line, dot in zip(lines[:2], dots, strict=True):
        assert dot.error is not None
        assert np.all(np.abs(dot.y - np.interp(dot.x, line.x, line.y)) < 4 * dot.error)
        assert dot.error[-1] < 0.05
    assert dots[0].y[-1] > dots[1].y[-1] + 0.3


def test_the_picture_is_one_tree_with_the_verdicts_that_were_reached() -> None:
    run = AgentTree(loss=0.0, shared_error=0.0).simulate(seed=1)
    alone = run.picture()
    assert isinstance(alone, Network)
    assert len(alone.colour) == 1
    run.advance(6)
    picture = run.picture()
    assert isinstance(picture, Network)
    children: dict[int, list[float]] = {}
    for parent, child in picture.edges:
        children.setdefault(int(parent), []).append(picture.colour[child])
    assert len(children) == sum(3**k for k in range(4))
    assert all(picture.colour[node] == (sum(said) >= 2) for node, said in children.items())


def test_too_few_agents_make_a_lower_tree() -> None:
    assert AgentTree(fan_in=10, depth=6, size=5000).realised().depth == 3
