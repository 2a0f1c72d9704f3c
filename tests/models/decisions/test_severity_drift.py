"""Severity drift: closed forms and quadratures against the panels and cells, walkers against both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import quad, solve_ivp
from scipy.optimize import minimize_scalar

from mfexplore.models.decisions.severity_drift import SeverityDrift
from mfexplore.models.decisions.severity_drift.theory import cells

NAMES = {
    "alpha": "reinforcement", "beta": "correction", "gamma": "feed", "sigma0_sq": "noise", "x_h": "threshold",
    "x0": "first_severity",
}  # fmt: skip


@pytest.mark.parametrize("row", reference_values("severity_drift"), ids=lambda row: row["id"])
def test_verified_values(row: dict[str, Any]) -> None:
    model = SeverityDrift(**{NAMES[name]: value for name, value in row["params"].items()})
    drift, noisy = (model.theory(method=name, profiles=False) for name in ("drift", "fokker_planck"))
    found = [drift["severity"], *(noisy[n] for n in ("severity", "variance", "harmful_fraction", "passage_time"))]
    np.testing.assert_allclose([float(v) for v in found], row["value"], rtol=10.0 ** (1 - row["digits"]))


@pytest.mark.parametrize(
    "controls",
    [
        {},
        {"noise": 1.9},
        {"reinforcement": -2.0, "correction": 0.5, "feed": 0.02},
        {"reinforcement": 4.0, "noise": 1.0},
    ],
)
def test_moments_and_passage_by_plain_quadrature(controls: dict[str, float]) -> None:
    """With z = t^(1/a) the power at 0 is gone, so that an ordinary rule suffices (a < 1 or not)."""
    m = SeverityDrift(**controls)
    a, b = 2 * m.feed / m.noise, 2 * (m.correction - m.feed) / m.noise
    c = 2 * (m.reinforcement + m.correction) / m.noise

    def mass(end: float, power: float = 0.0) -> float:
        """Integral of x^(a-1+power) (1-x)^(b-1) e^(cx-c) from 0 to end < 1."""

        def integrand(t: float) -> float:
            x = t ** (1 / a)
            return float(x**power * (1 - x) ** (b - 1) * math.exp(c * x - c))

        return float(quad(integrand, 0, end**a, epsabs=0, epsrel=1e-11, limit=200)[0] / a)

    def beyond(power: float) -> float:
        """The same from 1/2 to 1, with 1 - x = t^(1/b)."""

        def integrand(t: float) -> float:
            rest = t ** (1 / b)
            return float((1 - rest) ** (a - 1 + power) * math.exp(-c * rest))

        return float(quad(integrand, 0, 0.5**b, epsabs=0, epsrel=1e-11, limit=200)[0] / b)

    total, first, second = (mass(0.5, p) + beyond(p) for p in (0.0, 1.0, 2.0))
    theory = m.theory(method="fokker_planck", profiles=False)
    assert float(theory["severity"]) == pytest.approx(first / total, rel=1e-8)
    assert float(theory["variance"]) == pytest.approx(second / total - (first / total) ** 2, rel=1e-7)
    outer = quad(
        lambda y: mass(y) * y**-a * (1 - y) ** -b * math.exp(c - c * y), m.first_severity, m.threshold, epsrel=1e-9
    )[0]
    assert float(theory["passage_time"]) == pytest.approx(2 / m.noise * outer, rel=1e-7)


def test_linear_drift_has_a_beta_law_and_forgets_exponentially() -> None:
    m = SeverityDrift(reinforcement=-1.5, correction=1.5, feed=0.3, noise=0.7)
    a, b = 2 * 0.3 / 0.7, 2 * 1.2 / 0.7
    theory = m.theory(method="fokker_planck")
    assert float(theory["severity"]) == pytest.approx(0.2, rel=1e-12)
    assert float(theory["variance"]) == pytest.approx(a * b / ((a + b) ** 2 * (a + b + 1)), rel=1e-12)
    np.testing.assert_allclose(theory["memory"], np.exp(-1.5 * theory["lag"]), atol=2e-3)


def test_drift_alone_by_integration_in_time() -> None:
    m = SeverityDrift(reinforcement=2.0, feed=0.05, threshold=0.6)
    event = lambda t, x: x[0] - 0.6  # noqa: E731
    path = solve_ivp(
        lambda t, x: 2 * x * (1 - x) - x * x + 0.05, (0, 20), [0.1], events=event, rtol=1e-10, atol=1e-12,
        t_eval=np.linspace(0, 20, 21),
    )  # fmt: skip
    alone = m.theory(method="drift", profiles=False)
    assert float(alone["passage_time"]) == pytest.approx(path.t_events[0][0], rel=1e-8)
    assert float(alone["severity"]) == pytest.approx(path.y[0, -1], abs=1e-9)
    predicted = m.predicted_path({"severity": 0.1}, path.t)["severity"][1]
    np.testing.assert_allclose(predicted, path.y[0], atol=1e-8)
    assert float(m.theory(method="drift", threshold=0.9, profiles=False)["passage_time"]) == np.inf


def test_memory_is_longest_at_minus_twice_the_feed_and_grows_as_its_inverse_root() -> None:
    longest = {}
    for feed in (0.005, 0.02, 0.08):
        model = SeverityDrift(feed=feed)
        found = minimize_scalar(
            lambda alpha, model=model: -float(model.theory(reinforcement=alpha, profiles=False)["relaxation_time"][0]),
            bounds=(-2, 2), options={"xatol": 1e-9},
        )  # fmt: skip
        assert model.landmark("slowest", "reinforcement")[0] == pytest.approx(found.x, abs=1e-5)
        longest[feed] = -found.fun
        assert longest[feed] == pytest.approx(1 / math.sqrt(4 * feed * (1 - feed)), rel=1e-9)
    assert longest[0.005] / longest[0.02] == pytest.approx(2, rel=0.02)


def test_without_feed_there_is_a_transition_and_with_feed_it_is_rounded() -> None:
    theory = SeverityDrift(feed=0.005).theory(method="drift", reinforcement=np.array([-1.0, 0.0, 1.0]), profiles=False)
    np.testing.assert_allclose(theory["severity"], [0.005, math.sqrt(0.005), 0.5], rtol=0.02)


def test_drift_is_the_limit_of_low_noise() -> None:
    gaps = [
        float(np.diff(SeverityDrift(noise=noise).theory(profiles=False)["severity"])[0]) for noise in (0.2, 0.1, 0.05)
    ]
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[1] / gaps[2] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("controls", [{}, {"reinforcement": 0.5, "correction": 2.0, "threshold": 0.7}, {"noise": 1.9}])
def test_survival_has_the_mean_of_the_panels(controls: dict[str, float]) -> None:
    """The cells know the passage time too: it is the integral of survival, whose tail is an exponential."""
    theory = SeverityDrift(**controls).theory(method="fokker_planck")
    alive, t = theory["survival"].values, theory["waiting"].values
    rate = np.log(alive[-11] / alive[-1]) / (t[-1] - t[-11])
    assert np.trapezoid(alive, t) + alive[-1] / rate == pytest.approx(float(theory["passage_time"]), rel=0.01)


def test_path_of_the_cells_keeps_the_exact_balance_of_the_mean() -> None:
    """d<x>/dt is the mean drift at every time, eq. (4) before it is at rest."""
    model, t = SeverityDrift(), np.linspace(0, 4, 161)
    path = model.predicted_path({"severity": 0.1}, t)
    mean, square = path["severity"][0], path["variance"] + path["severity"][0] ** 2
    slope = np.gradient(mean, t)
    np.testing.assert_allclose(slope[8:-8], (0.1 + mean - 2 * square)[8:-8], atol=2e-3)
    assert path["severity"][0, 0] == pytest.approx(0.1, abs=1e-12)


@pytest.fixture(scope="module", params=[150, 900])
def run(request: pytest.FixtureRequest) -> Any:
    simulation = SeverityDrift(noise=0.5, size=request.param).simulate(seed=4)
    simulation.advance(16)
    return simulation


def test_walkers_follow_the_path_and_the_law(run: Any) -> None:
    """At any time within 4 standard errors; at rest the law itself, by Kolmogorov and Smirnov."""
    times, series = run.series()
    n = run.model.size
    path = run.model.predicted_path({"severity": 0.1}, times[::20])
    assert (np.abs(series["severity"][::20] - path["severity"][0]) <= 4 * path["severity_deviation"][0] + 1e-9).all()
    share = path["harmful_fraction"]
    harmful = np.abs(series["harmful_fraction"][::20] - share)
    assert (harmful <= 4 * np.sqrt(share * (1 - share) / n) + 0.002).all()
    edges = np.linspace(0, 1, 101)
    chain = cells(run.model.rates)
    cumulative = np.interp(edges, chain.edges, np.concatenate([[0.0], np.cumsum(chain.mass)]))
    empirical = np.searchsorted(np.sort(run.walkers), edges) / n
    assert np.abs(empirical - cumulative).max() < 1.95 / math.sqrt(n)  # exceeded in one of 1000


def test_walkers_cross_as_theory_says(run: Any) -> None:
    theory = run.model.theory(method="fokker_planck")
    passage = float(theory["passage_time"])
    assert run.observe()["passage_time"] == pytest.approx(passage, rel=4 / math.sqrt(run.crossed) + 0.01)
    survival, memory = (run.profiles()[name] for name in ("survival", "memory"))
    alive = np.interp(survival.coordinate, theory["waiting"], theory["survival"])
    assert (np.abs(survival.values - alive) <= 4 * survival.error + 0.01).all()
    expected = np.interp(memory.coordinate, theory["lag"], theory["memory"])
    assert (np.abs(memory.values - expected) <= 4.5 * memory.error + 0.01).all()


def test_runs_obey_the_law_where_it_is_infinite_at_both_ends() -> None:
    """With a = 0.1, b = 0.95: an Euler scheme of the same step would find the mean a third too large."""
    model = SeverityDrift(noise=1.9, size=600)
    run = model.simulate(seed=2)
    run.advance(9)
    found, theory = run.observe(), model.theory(method="fokker_planck", profiles=False)
    mean, variance, above = (float(theory[name]) for name in ("severity", "variance", "harmful_fraction"))
    assert found["severity"] == pytest.approx(mean, abs=4 * math.sqrt(variance / 600))
    assert found["harmful_fraction"] == pytest.approx(above, abs=4 * math.sqrt(above * (1 - above) / 600))
    assert found["variance"] == pytest.approx(variance, rel=0.15)
    assert found["passage_time"] == pytest.approx(float(theory["passage_time"]), rel=4 / math.sqrt(run.crossed) + 0.01)


def test_ensembles_meet_theory() -> None:
    model = SeverityDrift(noise=0.5, size=150)
    found, theory = model.ensemble(samples=4, seed=3), model.theory(method="fokker_planck", profiles=False)
    for name in ("severity", "variance", "harmful_fraction", "passage_time"):
        error = float(found[f"{name}_standard_error"])
        assert float(found[name]) == pytest.approx(float(theory[name]), abs=5 * error), name
