"""Critical long-range percolation: verified values, exact laws against drawn graphs, resistances between bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.disorder.long_range_percolation import BETWEEN, LongRangePercolation, inverse_degree
from mfexplore.models.disorder.long_range_percolation.line import conduct, draw_line
from mfexplore.models.disorder.long_range_percolation.theory import link_probability


def drawn(between: str, beta: float, size: int, graphs: int) -> tuple[dict[str, tuple[float, float]], Any]:
    """Means and standard errors over graphs, and the run."""
    run = LongRangePercolation(beta=beta, size=size, between=between).simulate(seed=1)
    run.advance(graphs)
    series = run.series()[1]
    return {k: (float(v.mean()), float(v.std(ddof=1) / math.sqrt(len(v)))) for k, v in series.items()}, run


@pytest.mark.parametrize("reference", reference_values("long_range_percolation"), ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    p, value = reference["params"], reference["value"]
    model = LongRangePercolation(beta=p["beta"])
    if reference["quantity"] == "mean degree":
        assert float(model.theory(method="mean_field")["mean_degree"]) == pytest.approx(value, rel=1e-12)
    elif "cut" in reference["id"]:
        law = model.theory(method="mean_field")["cut_probability"]
        slope = np.polyfit(np.log(law["reach"]), np.log(law), 1)
        np.testing.assert_allclose(np.exp(np.polyval(slope, np.log(p["n"]))), value, rtol=1e-10)
    else:
        run = drawn("point", p["beta"], 128, 120)[1]
        growth = run.profiles()["growth"]
        for n, mean, error in zip(p["n"][:4], p["meanR"], p["se"], strict=False):
            place = int(np.flatnonzero(growth.coordinate == n)[0])
            found, spread = growth.values[place], growth.error[place]
            assert found == pytest.approx(mean, abs=4 * math.hypot(spread, error)), n
        assert run.observe()["exponent"] == pytest.approx(value, abs=0.15)  # drifts with size


@pytest.mark.parametrize(("beta", "value"), [(0.5, 0.40366215), (1.0, 0.33619671), (2.0, 0.25155335)])
def test_a_site_to_all_others(beta: float, value: float) -> None:
    assert inverse_degree(beta) == pytest.approx(value, abs=1e-8)
    rng = np.random.default_rng(2)
    inverse = np.array([1 / draw_line(beta, 2000, rng).degrees[::97] for _ in range(20)]).ravel()
    assert inverse.mean() == pytest.approx(value, abs=4 * inverse.std() / math.sqrt(len(inverse)))


def test_shortcuts_have_their_probabilities() -> None:
    """Pairs of sites at every distance, and what leads out to the right and to the left."""
    rng, beta, reach, lines = np.random.default_rng(3), 1.5, 10, 1500
    counts, out = np.zeros(21), np.zeros(21)
    for _ in range(lines):
        line = draw_line(beta, reach, rng)
        counts += np.bincount(line.pairs[:, 1] - line.pairs[:, 0], minlength=21)
        out += line.leaving
    k = np.arange(1, 21)
    expected = lines * (21 - k) * link_probability(beta, k)
    assert (np.abs(counts[1:] - expected) <= 4.5 * np.sqrt(expected)).all()
    assert counts[1] == lines * 20
    far = np.cumsum(link_probability(beta, np.arange(1, 100_000))[::-1])[::-1]  # sum from a distance on
    leaving = lines * (far[:21] + far[20::-1])
    assert (np.abs(out - leaving) <= 4.5 * np.sqrt(leaving)).all()


@pytest.mark.parametrize("between", BETWEEN)
def test_potentials_are_those_of_all_pairs(between: str) -> None:
    """A drawn graph as a dense matrix of conductances, with everything outside as one site more."""
    n = 12
    line = draw_line(0.7, 2 * n, np.random.default_rng(4))
    sites = 4 * n + 1
    g = np.zeros((sites + 1, sites + 1))
    g[line.pairs[:, 0] + 2 * n, line.pairs[:, 1] + 2 * n] = 1
    g[np.arange(sites), sites] = line.leaving
    g += g.T
    at = np.append(np.abs(np.arange(-2 * n, 2 * n + 1)), 3 * n)
    if between == "ends":
        groups = [np.flatnonzero(at <= n)[[0]], np.flatnonzero(at <= n)[[-1]]]
        g = g * np.outer(at <= n, at <= n)
    elif between == "point":
        groups = [np.flatnonzero(at == 0), np.flatnonzero(at > n)]
    else:
        groups = [np.flatnonzero(at <= n), np.flatnonzero(at > 2 * n)]
        g[np.ix_(*groups)] = g[np.ix_(*groups[::-1])] = 0
    potential = np.zeros(sites + 1)
    potential[groups[0]] = 1
    free = np.setdiff1d(np.flatnonzero(g.sum(axis=1) > 0), np.concatenate(groups))
    laplacian = np.diag(g.sum(axis=1)) - g
    potential[free] = np.linalg.solve(laplacian[np.ix_(free, free)], g[np.ix_(free, groups[0])].sum(axis=1))
    current = float(potential @ laplacian @ potential)
    assert conduct(line, between, n)[0] == pytest.approx(1 / current, rel=1e-10)


@pytest.mark.parametrize("between", BETWEEN)
def test_without_shortcuts_every_bound_is_the_resistance(between: str) -> None:
    model = LongRangePercolation(beta=0.0, size=100, between=between)
    expected = 200 if between == "ends" else 50.5
    np.testing.assert_allclose(model.theory()["resistance"], expected, rtol=1e-9)
    assert model.simulate(seed=1).observe()["resistance"] == pytest.approx(expected)
    assert model.simulate(seed=1).observe()["unavoidable"] == expected


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("size", [16, 64])
def test_graphs_obey_the_exact_laws_and_the_bounds(between: str, size: int) -> None:
    found, run = drawn(between, 0.5, size, 300 if size == 16 else 120)
    theory = LongRangePercolation(beta=0.5, size=size, between=between).theory(profiles=False)
    for name in ("unavoidable", "mean_degree"):
        mean, error = found[name]
        assert mean == pytest.approx(float(theory[name][0]), abs=4 * error), name
    mean, error = found["resistance"]
    low, cut, high = theory["resistance"].values
    assert max(low, cut) < mean - 4 * error
    assert mean + 4 * error < high
    series = run.series()[1]
    assert (series["resistance"] >= series["unavoidable"] - 1e-9).all()
    law = run.profiles()["cut_probability"]
    exact = law.coordinate**-0.5
    assert (np.abs(law.values - exact)[law.error > 0] <= 4.5 * law.error[law.error > 0]).all()


def test_the_power_is_there_although_mean_field_has_a_logarithm() -> None:
    """From 32 to 128 sites the interval of mean field gains a hundredth, the drawn one half as much again and more."""
    small, large = (
        LongRangePercolation(beta=0.5, size=n, between="interval").theory(profiles=False) for n in (32, 128)
    )
    assert float(large["resistance"][0] / small["resistance"][0]) < 1.01
    growth = drawn("interval", 0.5, 128, 150)[1].profiles()["growth"]
    ratio = growth.values[4] / growth.values[2]
    assert ratio - 3 * growth.error[4] / growth.values[2] > 1.3


def test_mean_field_is_continued_along_the_logarithm() -> None:
    near, far = (
        float(LongRangePercolation(beta=0.4, size=n).theory(profiles=False)["resistance"][0]) for n in (512, 1024)
    )
    g = link_probability(0.4, np.arange(1, 2049))
    site = np.arange(1025)  # folded at 0, all at once
    kernel = np.concatenate([[0.0], g])
    matrix = -(kernel[np.abs(site[:, None] - site)] + kernel[site[:, None] + site])
    matrix[:, 0] /= 2
    degree = float(LongRangePercolation(beta=0.4).theory(profiles=False)["mean_degree"][0])
    matrix[site, site] += degree
    expected = np.linalg.solve(matrix, np.eye(1, 1025)[0])[0]
    assert near < far == pytest.approx(expected, rel=2e-4)
