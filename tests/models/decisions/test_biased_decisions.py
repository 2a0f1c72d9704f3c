"""Biased decisions: reference values, chains and urns against enumeration, tests against agents that are asked."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.special import expit
from scipy.stats import betabinom, binom

from mfexplore.core import Chart
from mfexplore.models.decisions.biased_decisions import BiasedDecisions
from mfexplore.models.decisions.biased_decisions.theory import Z, drawn_from_beta, turning_point

REFERENCES = {r["id"]: r for r in reference_values("biased_decisions")}
NAMES = ("yes_after_yes", "yes_after_no", "entropy_rate", "runs", "variance_factor")


def alone(model: BiasedDecisions, *names: str) -> list[float]:
    theory = model.theory(profiles=False).sel(branch="yes")
    return [float(theory[name]) for name in names]


# -- reference values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in REFERENCES if name.startswith("binary")])
def test_chains_of_the_card(name: str) -> None:
    at = REFERENCES[name]["params"]
    model = BiasedDecisions(yes_probability=at["p"], recency=at["rho"])
    assert alone(model, *NAMES) == pytest.approx(REFERENCES[name]["value"], abs=1e-12)


def test_the_herd_of_the_card() -> None:
    assert REFERENCES["brock_durlauf_1.2_0.05"]["value"] == pytest.approx(0.7270709452, abs=1e-10)
    for coupling, field, m in ((1.2, 0.05, 0.727070945220994), (1.5, 0.0, 0.8585596366), (0.8, 0.1, 0.3905266820)):
        model = BiasedDecisions(protocol="herd", coupling=coupling, yes_probability=float(expit(2 * field)))
        assert 2 * alone(model, "yes_fraction")[0] - 1 == pytest.approx(m, abs=1e-10)


def test_the_ants_of_the_card() -> None:
    """Kirman's rates e1, e2 over h are the two weights of the beta law."""
    wanted, at = REFERENCES["kirman_bb"]["value"], REFERENCES["kirman_bb"]["params"]
    a, b, n = at["e1"] / at["h"], at["e2"] / at["h"], at["N"]
    model = BiasedDecisions(protocol="imitation", yes_probability=a / (a + b), recency=1 / (a + b + 1), answers=n)
    p, factor = alone(model, "yes_fraction", "variance_factor")
    assert [p, p * (1 - p) * factor / n] == pytest.approx(wanted, abs=1e-13)
    law = model.law()
    k = np.arange(1, n)
    found = np.interp((k + 0.5) / (n + 1), law.values, law.density) / (n + 1)
    np.testing.assert_allclose(found, betabinom.pmf(k, n, a, b), rtol=0.02)


# -- independent slow paths ------------------------------------------------------------------------------------------


def sequences(model: BiasedDecisions, n: int) -> tuple[np.ndarray, np.ndarray]:
    """All sequences of n answers and their probabilities, from the words of the page."""
    rows = np.array(list(itertools.product((0, 1), repeat=n)))
    p, rho = model.yes_probability, model.recency
    chance = np.ones(len(rows))
    for t in range(n):
        if t == 0:
            yes = np.full(len(rows), p)
        elif model.protocol == "imitation":
            copies = t * rho / (1 - rho + t * rho)
            yes = (1 - copies) * p + copies * rows[:, :t].mean(axis=1)
        else:
            yes = p + rho * (rows[:, t - 1] - p)
        chance *= np.where(rows[:, t] == 1, yes, 1 - yes)
    return rows, chance


@pytest.mark.parametrize(("protocol", "rho"), [("batch", -0.4), ("batch", 0.6), ("imitation", 0.3), ("imitation", 0.8)])
def test_correlations_runs_and_scatter_are_those_of_all_sequences(protocol: str, rho: float) -> None:
    n = 10
    model = BiasedDecisions(protocol=protocol, recency=rho, yes_probability=0.4, answers=n)
    rows, chance = sequences(model, n)
    assert chance.sum() == pytest.approx(1, abs=1e-12)
    p, yes, no, runs, factor = alone(model, "yes_fraction", *NAMES[:2], "runs", "variance_factor")
    assert chance @ rows == pytest.approx([p] * n, abs=1e-12)
    assert chance @ (rows[:, 0] * rows[:, 1]) == pytest.approx(p * yes, abs=1e-12)
    assert chance @ ((1 - rows[:, 4]) * rows[:, 5]) == pytest.approx((1 - p) * no, abs=1e-12)
    assert chance @ (rows[:, 1:] != rows[:, :-1]) == pytest.approx([runs] * (n - 1), abs=1e-12)
    finite = 0.0 if protocol == "imitation" else 2 * rho * (1 - rho**n) / (n * (1 - rho) ** 2)
    variance = chance @ (rows.sum(axis=1) - n * p) ** 2
    assert variance == pytest.approx(n * p * (1 - p) * (factor - finite), abs=1e-12)
    if protocol == "imitation":  # exchangeable: each order of as many yes is as likely
        for k in range(n + 1):
            assert np.ptp(chance[rows.sum(axis=1) == k]) < 1e-15


@pytest.mark.parametrize(("p", "rho"), [(0.4, 0.01), (0.4, 0.3), (0.1, 0.9), (0.98, 0.5)])
def test_averages_over_beta_laws(p: float, rho: float) -> None:
    a, b = (x * (1 - rho) / rho for x in (p, 1 - p))
    x, weight = drawn_from_beta(np.array([a]), np.array([b]))
    assert float(np.sum(weight * x)) == pytest.approx(p, abs=1e-9)
    assert float(np.sum(weight * (x - p) ** 2)) == pytest.approx(rho * p * (1 - p), abs=1e-9)


def test_who_notices_the_bias_of_independent_and_of_imitated_answers() -> None:
    """Against sums over whole binomial laws."""
    n, k = 400, np.arange(401)
    seen = np.abs(2 * k - n) > Z * math.sqrt(n)
    for p in (0.5, 0.53, 0.6):
        model = BiasedDecisions(protocol="one_shot", yes_probability=p, answers=n)
        assert alone(model, "noticed_bias")[0] == pytest.approx(seen @ binom.pmf(k, n, p), abs=2e-3)
    for p, rho in ((0.5, 0.02), (0.5, 0.3), (0.3, 0.6)):
        model = BiasedDecisions(protocol="imitation", yes_probability=p, recency=rho, answers=n)
        a, b = (x * (1 - rho) / rho for x in (p, 1 - p))
        assert alone(model, "noticed_bias")[0] == pytest.approx(seen @ betabinom.pmf(k, n, a, b), abs=2e-3)


def test_the_herd_has_all_roots_and_loses_them_at_the_turning_points() -> None:
    model = BiasedDecisions(protocol="herd", coupling=1.8, spread=0.6, yes_probability=0.48)
    m = np.linspace(-1, 1, 20_001)
    z = np.linspace(-8, 8, 1601)
    weight = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    gap = np.array([weight @ np.tanh(model.field + 0.6 * z + 1.8 * x) - x for x in m[::20]])
    crossings = m[::20][:-1][gap[:-1] * gap[1:] < 0]
    found = np.sort(2 * model.theory(profiles=False)["yes_fraction"].values - 1)
    np.testing.assert_allclose(found, crossings, atol=1e-3)
    low, high = model.landmark("change_of_mind", "yes_probability")
    assert low == pytest.approx(1 - high, abs=1e-12)
    for p, count in ((low - 1e-4, 1), (low + 1e-4, 3), (high + 1e-4, 1)):
        exists = model.theory(yes_probability=p, profiles=False)["yes_fraction"].notnull()
        assert int(exists.sum()) == count
    assert turning_point(0.0, 1.0, 0.9) == (0.0, 0.0)


def test_the_temperature_of_the_onset_is_the_coupling() -> None:
    model = BiasedDecisions(protocol="herd", yes_probability=0.5, coupling=1.5)
    assert model.landmark("onset", "temperature")[0] == pytest.approx(1.5, abs=1e-9)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_half_of_the_testers_notice_where_the_page_says(temperature: float) -> None:
    model = BiasedDecisions(yes_probability=0.5, recency=0.0, answers=900, temperature=temperature)
    for name, along, of in (
        ("bias_shows", "yes_probability", "noticed_bias"), ("recency_shows", "recency", "noticed_recency"),
    ):  # fmt: skip
        places = model.landmark(name, along)
        assert len(places) == 2
        for place in places:
            assert alone(model.replace(**{along: place}), of)[0] == pytest.approx(0.5, abs=0.03)
            if temperature == 1:
                assert abs(place - places.mean()) == pytest.approx(
                    1.96 / 30 / (2 if of == "noticed_bias" else 1), rel=1e-4
                )


def test_temperature_makes_fair_and_forgetful() -> None:
    hot = alone(BiasedDecisions(yes_probability=0.9, recency=0.5, temperature=20.0), "yes_fraction", *NAMES[:2])
    assert hot == pytest.approx([0.5] * 3, abs=0.06)
    cold = alone(BiasedDecisions(yes_probability=0.6, recency=0.0, temperature=0.05), "yes_fraction")
    assert cold == pytest.approx([1.0], abs=1e-3)


# -- simulation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2000, 8000])
@pytest.mark.parametrize(
    "controls",
    [
        {"recency": -0.3},
        {"recency": 0.2, "temperature": 3.0},
        {"protocol": "one_shot", "yes_probability": 0.46},
        {"protocol": "imitation", "recency": 0.25},
        {"protocol": "herd", "yes_probability": 0.53, "coupling": 1.3, "spread": 0.4, "start": "yes"},
    ],
    ids=lambda c: c.get("protocol", f"batch {c.get('recency')}"),
)
def test_agents_and_testers_do_as_the_page_says(controls: dict[str, Any], size: int) -> None:
    model = BiasedDecisions(**({"answers": 400} | controls), size=size)
    run = model.simulate(seed=5)
    run.advance(model.answers)
    found, theory = run.observe(), model.theory(profiles=False).sel(branch="yes")
    p, factor = float(theory["yes_fraction"]), float(theory["variance_factor"])
    error = math.sqrt(p * (1 - p) * factor / (model.answers * size))
    pairs = math.sqrt(max(factor, 1 / factor) / (model.answers * size * p * (1 - p)))
    tolerances = {
        "yes_fraction": 4 * error,
        "yes_after_yes": 4 * (pairs + error / p),
        "yes_after_no": 4 * (pairs + error / (1 - p)),
        "runs": 4 * (pairs + 2 * error),
        "entropy_rate": 4 * (2 * error + 1 / math.sqrt(model.answers * size)) + 2 / model.answers,
        "variance_factor": 4 * factor * math.sqrt(2 / size) + 2 / model.answers,
        "noticed_bias": 4 * 0.5 / math.sqrt(size) + 0.01,
        "noticed_recency": 4 * 0.5 / math.sqrt(size) + 0.01,
    }
    for name, tolerance in tolerances.items():
        assert found[name] == pytest.approx(float(theory[name]), abs=tolerance), name
    measured, law = run.profiles()["run_law"], model.profiles()["run_law"].values[0]
    seen = measured.values > 0
    assert measured.error is not None
    assert np.all(np.abs(measured.values - law)[seen][:8] < 5 * measured.error[seen][:8] + 3 / model.answers * law[:8])


def test_the_share_of_testers_grows_along_the_predicted_path() -> None:
    model = BiasedDecisions(recency=-0.25, yes_probability=0.45, size=5000)
    run = model.simulate(seed=2)
    run.advance(600)
    times, series = run.series()
    path = model.predicted_path({"yes_fraction": 0.45}, times)
    later = times > 60
    for name in ("yes_fraction", "noticed_bias", "noticed_recency"):
        gap = np.abs(series[name] - path[name]) / path[f"{name}_deviation"]
        assert np.median(gap[later]) < 2.5, name
        assert np.abs(series[name] - path[name])[later].max() < 0.05


def test_testers_are_drawn_with_the_rectangle_of_a_fair_coin() -> None:
    run = BiasedDecisions(yes_probability=0.5, recency=0.0, size=500).simulate(seed=3)
    run.advance(900)
    picture = run.picture()
    assert isinstance(picture, Chart)
    box, testers = picture.series[:2]
    inside = (np.abs(testers.x) < box.x.max()) & (np.abs(testers.y) < box.y.max())
    assert inside.mean() == pytest.approx(0.95**2, abs=0.04)


@pytest.mark.parametrize("protocol", ["one_shot", "batch"])
@pytest.mark.parametrize(("p", "recency", "temperature"), [(0.995, 0.0, 0.07), (0.995, 0.9, 0.05), (0.5, -0.95, 0.05)])
def test_a_law_of_agents_that_are_certain(protocol: str, p: float, recency: float, temperature: float) -> None:
    """In the cold a no has the probability 1e-33, or every answer is the opposite of the last: one cell has it all."""
    model = BiasedDecisions(protocol=protocol, yes_probability=p, recency=recency, temperature=temperature)
    (law,) = model.laws(300.0)
    assert np.isfinite(law.density).all()
    assert np.trapezoid(law.density, law.values) == pytest.approx(1, abs=0.01)
    if protocol == "batch" or p > 0.9:
        expected = p if p == 0.5 else 1.0
        assert np.trapezoid(law.density * law.values, law.values) == pytest.approx(expected, abs=0.004)
