"""Jump rates from snapshots: verified values, information by enumeration, estimators against bound and theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.decisions.jump_process_inference import JumpProcessInference
from mfexplore.models.decisions.jump_process_inference import theory as learnt

Telegraph = JumpProcessInference


def ratchet(**controls: Any) -> JumpProcessInference:
    return JumpProcessInference(process="ratchet", **controls)


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("jump_process_inference"), ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    p, name = reference["params"], reference["id"]
    if name.startswith("telegraph"):
        found = Telegraph(rate_up=p["a"], rate_down=p["b"], spacing=p["t"]).transition_matrix().ravel()
    elif name.startswith("fisher"):
        found = Telegraph(rate_up=p["a"], rate_down=p["b"], spacing=p["dt"], error=0.0).fisher_information()[0]
    else:
        theory = ratchet(barrier=p["V"][2], temperature=1 / p["beta"], switch=p["flip_rate"]).theory(method="bound")
        found = np.array([float(theory["velocity"]), 1 / float(theory["relaxation_time"])])
    np.testing.assert_allclose(found, reference["value"], rtol=10.0 ** (1 - reference["digits"]))


@pytest.mark.parametrize(
    ("spacing", "error", "values"),
    [(0.3, 0.05, (0.101297, -0.031728, 0.027783)), (0.3, 0.1, (0.082860, -0.030773, 0.023462)),
     (1.0, 0.1, (0.128949, -0.062992, 0.032831)), (0.1, 0.1, (0.039819, -0.010302, 0.010769)),
     (1.0, 0.0, (0.2052616, -0.0978860, 0.0520382))],
)  # fmt: skip
def test_information_of_review_and_card(spacing: float, error: float, values: tuple[float, ...]) -> None:
    found = Telegraph(spacing=spacing, error=error).fisher_information()[0]
    np.testing.assert_allclose(found, values, atol=6e-7)


@pytest.mark.parametrize(
    ("barrier", "switch", "velocity"),
    [(2.0, 1.0, -3.8247842e-3), (4.0, 10.0, -9.4721363e-3), (1.0, 1.0, -5.8277785e-4)],
)
def test_ratchets_of_the_card(barrier: float, switch: float, velocity: float) -> None:
    theory = ratchet(barrier=barrier, switch=switch).theory(method="bound")
    assert float(theory["velocity"]) == pytest.approx(velocity, rel=1e-7)


# -- theory by other ways ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spacing", "error"), [(0.8, 0.2), (1.5, 0.05), (3.0, 0.3)])
def test_information_is_what_one_more_snapshot_adds(spacing: float, error: float) -> None:
    """All sequences of ten snapshots against all of nine."""
    model = Telegraph(spacing=spacing, error=error, rate_up=1.3, rate_down=0.6)
    np.testing.assert_allclose(model.fisher_information()[0], model._enumerated(10), rtol=2e-6)


@pytest.mark.parametrize("spacing", [0.1, 0.7, 4.0])
def test_without_errors_information_is_that_of_the_chain(spacing: float) -> None:
    model, step = Telegraph(spacing=spacing, error=0.0), 1e-5

    def matrix(**rates: float) -> np.ndarray:
        return model.replace(**rates).transition_matrix()

    p = matrix()
    slopes = [
        (matrix(rate_up=1 + step) - matrix(rate_up=1 - step)) / (2 * step),
        (matrix(rate_down=2 + step) - matrix(rate_down=2 - step)) / (2 * step),
    ]
    law = np.array([2.0, 1.0]) / 3
    expected = [law @ (slopes[i] * slopes[j] / p).sum(axis=1) for i, j in ((0, 0), (0, 1), (1, 1))]
    np.testing.assert_allclose(model.fisher_information()[0], expected, rtol=1e-7)


def test_swapping_the_states_swaps_the_rates() -> None:
    one = Telegraph(rate_up=0.7, rate_down=2.0, error=0.1).fisher_information()[0]
    other = Telegraph(rate_up=2.0, rate_down=0.7, error=0.1).fisher_information()[0]
    np.testing.assert_allclose(one, other[::-1], rtol=1e-9)


def test_many_snapshots_without_errors_tell_what_seeing_every_jump_tells() -> None:
    """Per time, information of a rate is the time spent in the state over the rate."""
    found = Telegraph(spacing=0.05, error=0.0).fisher_information()[0] / 0.05
    np.testing.assert_allclose(found[[0, 2]], [2 / 3, 1 / 3 / 2], rtol=0.25)
    assert abs(found[1]) < 0.1


def test_noise_never_adds_information() -> None:
    errors = Telegraph().theory(error=np.linspace(0, 0.4, 9), method="bound")["relative_error"].values
    assert (np.diff(errors) > 0).all()


@pytest.mark.parametrize("controls", [{"switch": 0.01}, {"switch": 100.0}, {"barrier": 0.0}])
def test_the_ratchet_stands_still_where_nothing_switches_or_everything(controls: dict[str, Any]) -> None:
    usual = abs(float(ratchet(barrier=4.0).theory(method="bound")["velocity"]))
    still = ratchet(**{"barrier": 4.0} | controls).theory(method="bound")["velocity"]
    assert abs(float(still)) < 0.12 * usual


# -- estimators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("observations", [200, 800])
def test_expectation_maximisation_reaches_the_bound(observations: int) -> None:
    model = Telegraph(observations=observations, size=100, spacing=0.4)
    run = model.simulate(seed=1)
    run.advance(observations)
    squares = run.squared_errors()
    bound = float(model.theory(method="bound")["relative_error"]) ** 2
    error = squares.std() / math.sqrt(squares.size)
    # Beyond the bound there are terms of the order of its square.
    assert squares.mean() == pytest.approx(bound, abs=4 * error + 4 * bound**2)


@pytest.mark.parametrize("observations", [1000, 4000])
def test_the_amortised_answer_errs_as_theory_says(observations: int) -> None:
    model = Telegraph(observations=observations, size=400, spacing=0.5, estimator="amortised")
    run = model.simulate(seed=2)
    run.advance(observations)
    squares = run.squared_errors()
    theory = float(model.theory(method="amortised")["relative_error"]) ** 2
    error = squares.std() / math.sqrt(squares.size)
    assert squares.mean() == pytest.approx(theory, abs=4 * error + 4 * theory**2)


def test_counts_fluctuate_as_their_covariance_says(rng: np.random.Generator) -> None:
    columns = [np.array([x]) for x in (1.0, 2.0, 0.4, 0.1)]
    mean, covariance = learnt.long_run(*columns)
    moved = -math.expm1(-1.2)
    chances = np.repeat([[moved / 3, 2 * moved / 3, 0.1]], 4000, axis=0)
    found = np.empty((4000, 2))
    learnt.count(chances, np.full(4000, 400), learnt.new_stream(rng), found)
    spread = np.sqrt(np.diag(covariance[0]) / 400 / 4000)
    np.testing.assert_allclose(found.mean(axis=0), mean[0], atol=4.5 * spread.max())
    np.testing.assert_allclose(400 * np.cov(found.T), covariance[0], rtol=0.12)


def test_the_learnt_answer_needs_no_scale_of_time() -> None:
    """Everything twice as fast, seen twice as often: rates twice as high."""
    summary = learnt.Summary(*(np.array([x]) for x in (0.35, 0.2, 0.05, 500.0)))
    slow, fast = (learnt.amortised(summary, np.array([spacing])) for spacing in (0.4, 0.2))
    np.testing.assert_allclose(fast - slow, math.log(2), rtol=1e-12)


def test_the_learnt_answer_wins_with_few_snapshots_and_loses_with_many() -> None:
    for observations, wins in ((30, True), (1500, False)):
        squares = []
        for estimator in ("amortised", "em"):
            run = Telegraph(observations=observations, size=40, estimator=estimator).simulate(seed=3)
            run.advance(observations)
            squares.append(float(run.squared_errors().mean()))
        assert (squares[0] < squares[1]) == wins


def test_eighteen_rates_of_the_ratchet_are_learnt() -> None:
    run = ratchet(barrier=2.0, observations=600, size=8, spacing=0.3, error=0.02).simulate(seed=4)
    run.advance(60)
    early = run.observe()["relative_error"]
    run.advance(540)
    assert run.observe()["relative_error"] < 0.8 * early
