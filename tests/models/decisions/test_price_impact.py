"""Price impact: reference values, work and noise by other ways, Gibbs strategies by matrices, trips against theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import simpson

from mfexplore.core import Trajectories
from mfexplore.models.decisions.price_impact import PriceImpact
from mfexplore.models.decisions.price_impact.dynamics import Trips
from mfexplore.models.decisions.price_impact.theory import relative_cost

REFERENCES = {r["id"]: r for r in reference_values("price_impact")}


def exact(model: PriceImpact, *names: str) -> list[float]:
    theory = model.theory(method="exact", profiles=False)
    return [float(theory[name]) for name in names]


def trips(model: PriceImpact, seed: int) -> Trips:
    run = model.simulate(seed=seed)
    assert isinstance(run, Trips)
    return run


def decaying(exponent: float, memory: float, **controls: Any) -> PriceImpact:
    return PriceImpact(market="transient", exponent=exponent, memory=memory, **controls)


# -- reference values ------------------------------------------------------------------------------------------------


def test_the_trip_of_the_card() -> None:
    loss, variance, likely = REFERENCES["price_P"]["value"]
    model = PriceImpact(volume=1.0, impact=0.1, volatility=0.3, duration=1.0)
    assert exact(model, "gain", "variance", "profit_probability") == pytest.approx([-loss, variance, likely], abs=1e-14)


@pytest.mark.parametrize("name", ["gatheral_0.5_0.6", "gatheral_1.0_0.1"])
def test_cheapest_blocks_of_the_card(name: str) -> None:
    """The card has the least of a grid; the review the minimum."""
    at = REFERENCES[name]["params"]
    (found,) = exact(decaying(at["delta"], at["gamma"]), "lowest_cost")
    assert found == pytest.approx(REFERENCES[name]["value"], abs=3e-6)
    assert found <= REFERENCES[name]["value"]
    minimum = {"gatheral_0.5_0.6": 1.22916335, "gatheral_1.0_0.1": 0.26545161}[name]
    assert found == pytest.approx(minimum, abs=6e-9)


def test_strategies_of_the_card() -> None:
    at = REFERENCES["gibbs_strategies"]["params"]
    model = PriceImpact(
        market="ensemble", points=at["n"], duration=at["T"], impact=at["eta"], temperature=at["tau"],
        risk_aversion=at["lam_sigma2"] / 0.09, volatility=0.3,
    )  # fmt: skip
    free, energy, square = REFERENCES["gibbs_strategies"]["value"]
    assert exact(model, "free_energy", "energy") == pytest.approx([free, energy], abs=1e-12)
    assert model.profiles()["mean_square_position"].values[0, 5] == pytest.approx(square, abs=1e-12)


def test_values_of_the_review() -> None:
    """Concave impact: the card's costs are those of the last split of a scan; longer first blocks bring more."""
    rows = {
        (0.5, 0.2): (-0.45910, -0.6708, -0.8),
        (0.7, 0.2): (-0.09262, -0.2955, -0.8),
        (0.3, 0.5): (0.0944, -0.2175, -0.5),
    }
    for (delta, gamma), wanted in rows.items():
        model = decaying(delta, gamma)
        found = [exact(model.replace(split=split), "relative_cost")[0] for split in (0.98, 0.999)]
        assert [*found, *exact(model, "lowest_cost")] == pytest.approx(wanted, abs=6e-5)
        assert relative_cost(*map(np.array, (1 - 1e-12, delta, gamma))) == pytest.approx(
            gamma - 1, abs=1.1e-12 ** (1 - delta - gamma)
        )
    assert exact(decaying(0.6, 0.5), "lowest_cost") == pytest.approx([1.038], abs=5e-4)
    # The review has 0.22221 at 2; but at 0.22216 the cheapest two blocks still cost 1.5e-4.
    line = {1.2: 0.09558, 1.5: 0.16300, 2.0: 0.22211, 3.0: 0.27896, 5.0: 0.32601, 10.0: 0.36476}
    for delta, gamma in line.items():
        assert decaying(delta, 0.0).landmark("two_blocks", "memory")[0] == pytest.approx(gamma, abs=6e-6)
    for delta, gamma in ((0.5, 0.5), (0.9, 0.1), (1.0, 0.0)):
        assert decaying(delta, 0.0).landmark("two_blocks", "memory")[0] == pytest.approx(gamma, abs=1e-12)


def test_the_line_of_two_blocks_tends_to_the_limit_of_steep_impact() -> None:
    """For equal blocks and an exponent without end only the limit 2 - log2(3) remains."""
    assert relative_cost(*map(np.array, (0.5, 1.0, 2 - math.log2(3)))) == pytest.approx(1, abs=1e-12)
    ends = [float(decaying(d, 0.0).landmark("two_blocks", "memory")[0]) for d in (5.0, 10.0, 20.0)]
    limit = 2 - math.log2(3)
    gaps = [limit - end for end in ends]
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[2] < 0.03


# -- independent slow paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [
        {"exponent": 0.6, "split": 0.3},
        {"market": "transient", "exponent": 0.5, "memory": 0.6, "split": 0.9},
        {"market": "transient", "exponent": 2.0, "memory": 0.15, "split": 0.1},
    ],
    ids=["at once", "concave", "convex"],
)
def test_work_and_noise_of_intervals_add_up(controls: dict[str, Any]) -> None:
    """The simulation adds work interval by interval; theory knows the sum at any time in closed form."""
    model = PriceImpact(**controls, volatility=0.2, duration=1.7, volume=1.3)
    run = trips(model, 1)
    age = np.arange(run.cells + 1) / run.cells
    path = model.predicted_path({}, age)
    np.testing.assert_allclose(-path["gain"][1:], np.cumsum(run.cost[0]), rtol=1e-11, atol=1e-13)
    x = run.position[0]
    held = np.cumsum((x[1:] ** 2 + x[1:] * x[:-1] + x[:-1] ** 2) / 3) * run.interval
    np.testing.assert_allclose(path["variance"][1:], 0.04 * held, rtol=1e-11)


def test_linear_impact_that_decays_cannot_be_exploited_by_any_trip() -> None:
    """At delta = 1 the kernel is positive definite: all eigenvalues of the symmetric part of the work are positive."""
    run = trips(decaying(1.0, 0.05), 1)
    work = np.array([run.costs(unit[None]).sum() for unit in np.eye(run.cells)])
    assert np.all(work > 0)
    rates = np.random.default_rng(1).standard_normal((50, run.cells))
    rates -= rates.mean(axis=1, keepdims=True)
    for rate in np.vstack([rates, np.cumsum(rates, axis=1) - np.cumsum(rates, axis=1).mean(axis=1, keepdims=True)]):
        assert run.costs(rate[None]).sum() > 0


def test_the_law_of_gains_over_strategies() -> None:
    """Its characteristic function as a determinant, its moments and the chance to gain as integrals of its density."""
    model = PriceImpact(market="ensemble", impact=0.02, temperature=0.1, points=6)
    n, step = 6, 1 / 7
    neighbours = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    work, risk = 0.02 / step * neighbours, 5.0 * 0.09 * step * np.eye(n)
    held = 0.09 * step * (np.eye(n) - neighbours / 6)
    law = model.law()
    for k in (0.0, 2.0, 7.0):
        changed = np.eye(n) + 0.1 * np.linalg.inv(work + risk) @ (1j * k * work + k * k / 2 * held)
        found = np.trapezoid(law.density * np.exp(1j * k * law.values), law.values)
        assert found == pytest.approx(np.linalg.det(changed) ** -0.5, abs=2e-5)
    gain, variance, likely = exact(model, "gain", "variance", "profit_probability")
    w, p = law.values, law.density
    assert np.trapezoid(p * w, w) == pytest.approx(gain, abs=1e-4)
    assert np.trapezoid(p * (w - gain) ** 2, w) == pytest.approx(variance, rel=2e-3)
    fine = np.linspace(0, 3, 1201)
    assert simpson(model.density(fine), x=fine) == pytest.approx(likely, abs=1e-6)


def test_the_fluctuation_theorem_and_the_average_that_it_implies() -> None:
    model = PriceImpact(duration=2.0)
    gain, variance, theta = exact(model, "gain", "variance", "effective_temperature")
    w = np.linspace(-3, 3, 4001)
    p = model.density(w)
    assert np.trapezoid(p * np.exp(w / theta), w) == pytest.approx(1, abs=1e-9)
    ratio = model.profiles()["log_ratio"]
    np.testing.assert_allclose(ratio.values[0], ratio.values[1], atol=1e-9)
    likely = exact(model, "profit_probability")[0]
    assert likely <= 0.5 * math.exp(-(gain**2) / (2 * variance))
    bent = model.replace(liquidity_noise=1.0)
    values = bent.profiles()["log_ratio"].values
    assert np.nanmax(np.abs(values[0] - values[1])) > 1
    found = bent.theory(profiles=False)["validity"]
    assert found.attrs["flag_meanings"].split()[int(found.sel({"method": "one_temperature"}))] == "mixture"


# -- simulation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4000, 16_000])
@pytest.mark.parametrize(
    "controls",
    [
        {"duration": 3.0},
        {"duration": 2.0, "liquidity_noise": 0.8},
        {"market": "transient", "exponent": 0.5, "memory": 0.2, "split": 0.95},
        {"market": "ensemble", "impact": 0.01, "temperature": 0.02},
    ],
    ids=["at once", "liquidity", "decaying", "strategies"],
)
def test_trips_gain_as_theory_says(controls: dict[str, Any], size: int) -> None:
    model = PriceImpact(**controls, size=size)
    run = trips(model, 4)
    run.advance(1)
    found, (gain, variance, likely) = run.observe(), exact(model, "gain", "variance", "profit_probability")
    assert found["gain"] == pytest.approx(gain, abs=4 * math.sqrt(variance / size))
    assert found["profit_probability"] == pytest.approx(likely, abs=4 * math.sqrt(likely * (1 - likely) / size))
    kurtosis = np.mean((run.gain - gain) ** 4) / variance**2
    assert found["variance"] == pytest.approx(variance, rel=4 * math.sqrt((kurtosis - 1) / size))
    measured, theory = run.profiles()["log_ratio"], model.profiles()["log_ratio"].values[0]
    assert measured.error is not None
    often = measured.error < 0.3
    assert often.sum() > 4
    assert np.all(np.abs(measured.values - theory)[often] < 4 * measured.error[often])


def test_strategies_are_drawn_from_the_gibbs_measure() -> None:
    model = PriceImpact(market="ensemble", size=30_000, points=8)
    run = trips(model, 2)
    measured, theory = run.profiles()["mean_square_position"], model.profiles()["mean_square_position"].values[0]
    assert measured.error is not None
    assert np.all(np.abs(measured.values - theory)[1:-1] < 4 * measured.error[1:-1])
    assert run.observe()["energy"] == pytest.approx(8 * 0.2 / 2, rel=4 * math.sqrt(2 / (8 * 30_000)))


def test_trips_are_drawn_while_they_last() -> None:
    run = trips(PriceImpact(duration=2.0), 1)
    run.advance(0.5)
    picture = run.picture()
    assert isinstance(picture, Trajectories)
    assert np.isfinite(picture.values).sum(axis=1) == pytest.approx(51)
    run.advance(1)
    assert run.finished
    assert run.time == 1
    np.testing.assert_array_equal(run.paths[:, -1], run.gain[: len(picture.values)])
