"""Generalization gap: replica theory against values, closed forms and regression on samples; the bound, and its end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st

from mfexplore.models.learning.generalization_gap import GeneralizationGap
from mfexplore.models.learning.generalization_gap.theory import examples, layers, world

NAMES = ("relative_gap", "test_error", "train_error", "freedom")


def reference(identity: str) -> Any:
    return next(r["value"] for r in reference_values("generalisation_gap") if r["id"] == identity)


@pytest.mark.parametrize("ratio", [0.1, 0.8])
def test_least_squares(ratio: float) -> None:
    """In units of the noise: 1 - a, 1/(1 - a), their difference, which the bound says nothing of, and the bound 2a."""
    train, test, gap, bound = reference(f"gap_a{ratio}")
    theory = GeneralizationGap(load=1 / ratio, ridge=1e-6, noise=1.0).theory(method="replica")
    assert float(theory["train_error"]) == pytest.approx(train, rel=1e-4)
    assert float(theory["test_error"]) == pytest.approx(test, rel=1e-4)
    assert float(theory["test_error"] - theory["train_error"]) == pytest.approx(gap, rel=1e-4)
    assert float(theory["relative_gap"]) == pytest.approx(2 * ratio - ratio**2, abs=1e-5)
    assert gap > bound  # the difference itself obeys no such bound, only its ratio to the test error does
    limit = GeneralizationGap(load=1 / ratio).theory(method="bound")["relative_gap"]
    assert float(limit) == pytest.approx(bound) if ratio < 0.5 else np.isnan(float(limit))


def test_least_squares_of_forty_features() -> None:
    """Exact at finite size: 1 - N/P and 1 + N/(P - N - 1); 400 draws were kept as references."""
    drawn_train, train, drawn_test, test = reference("gap_mc")
    found = GeneralizationGap(load=4.0, ridge=1e-6, noise=1.0, size=40).ensemble(samples=60, seed=3)
    for name, exact, drawn in (("train_error", train, drawn_train), ("test_error", test, drawn_test)):
        error = float(found[f"{name}_standard_error"])
        assert float(found[name]) == pytest.approx(exact, abs=4 * error)
        assert float(found[name]) == pytest.approx(drawn, abs=4.5 * error)
    theory = GeneralizationGap(load=4.0, ridge=1e-6, noise=1.0, size=40).theory(method="replica")
    assert float(theory["train_error"]) == pytest.approx(train, rel=1e-5)
    assert float(theory["test_error"]) == pytest.approx(test, rel=1.5 / 120)  # which is of order 1/N


def test_values_of_the_review() -> None:
    model = GeneralizationGap(load=4.0, ridge=0.4, noise=0.25, size=100)
    theory = model.theory(method="replica")
    assert float(theory["effective_ridge"]) == pytest.approx(0.1284589287, abs=1e-10)
    assert float(theory["test_error"]) == pytest.approx(0.3271938508, abs=1e-10)
    assert float(theory["train_error"]) == pytest.approx(0.1982789186, abs=1e-10)
    assert float(theory["relative_gap"]) == pytest.approx(0.3940016964, abs=1e-10)
    found = model.ensemble(samples=32, seed=1)
    for name, drawn in (("test_error", 0.3261), ("train_error", 0.1969)):  # 200 draws
        assert float(found[name]) == pytest.approx(drawn, abs=4.5 * float(found[f"{name}_standard_error"]))


@settings(max_examples=20)
@given(
    st.floats(1 / 32, 32), st.floats(-6, 2), st.floats(0, 2), st.floats(0, 1), st.sampled_from([1, 2, 3]),
    st.sampled_from(["gaussian", "network", "digits"]),
)  # fmt: skip
def test_the_bound_holds_in_theory_whatever_is_chosen(
    load: float, log_ridge: float, noise: float, complexity: float, depth: int, features: str
) -> None:
    model = GeneralizationGap(
        load=load, ridge=10**log_ridge, noise=noise, complexity=complexity, depth=depth, features=features, size=40
    )
    theory = model.theory(profiles=False)
    gap, bound = theory["relative_gap"].values
    assert 0 < gap <= min(1.0, 2 / load) * (1 + 1e-12)
    assert np.isnan(bound) if load <= 2 else bound == pytest.approx(2 / load)
    other = model.replace(noise=2 - noise, complexity=1 - complexity).theory(method="replica", profiles=False)
    assert float(other["relative_gap"]) == pytest.approx(gap, rel=1e-12)  # teacher and noise have dropped out
    if load > 2:
        for name in ("test_error", "freedom", "effective_ridge"):
            value, limit = theory[name].values
            assert value <= limit * (1 + 1e-9)


def test_the_gap_that_the_ridge_leaves_depends_on_features_only_by_their_freedom() -> None:
    loads = np.geomspace(0.1, 32, 9)
    for features in ("gaussian", "network", "digits"):
        theory = GeneralizationGap(features=features, size=40, ridge=0.3).theory(
            method="replica", profiles=False, load=loads
        )
        used = theory["freedom"].values / loads
        np.testing.assert_allclose(theory["relative_gap"], 1 - (1 - used) ** 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("controls", "slack"),
    [
        ({"load": 4.0, "ridge": 0.1}, 1.0),
        ({"load": 0.5, "ridge": 0.05, "noise": 0.5}, 1.0),
        ({"load": 3.0, "ridge": 1e-4, "complexity": 1.0}, 1.0),
        ({"load": 3.0, "features": "network", "depth": 2, "complexity": 0.4}, 1.5),
    ],
)
def test_regression_on_samples_meets_theory(controls: dict[str, Any], slack: float) -> None:
    """At two sizes: within four standard errors and what is of order 1/N."""
    for size, samples in ((40, 24), (160, 8)):
        model = GeneralizationGap(size=size, **controls)
        theory, found = model.theory(method="replica", profiles=False), model.ensemble(samples=samples, seed=5)
        for name in NAMES:
            value, error = float(theory[name]), float(found[f"{name}_standard_error"])
            assert float(found[name]) == pytest.approx(value, abs=4 * error + slack * value / size), (name, size)


def test_real_images_follow_theory_within_a_few_per_cent() -> None:
    """The task is real, even or odd; the largest departure is where P is near N."""
    for load in (1.5, 6.0):
        model = GeneralizationGap(features="digits", complexity=1.0, load=load, size=80)
        theory, found = model.theory(method="replica", profiles=False), model.ensemble(samples=12, seed=2)
        for name in ("relative_gap", "test_error"):
            value, error = float(theory[name]), float(found[f"{name}_standard_error"])
            assert float(found[name]) == pytest.approx(value, abs=4 * error + 0.05 * value), (name, load)


def test_features_that_learn_break_the_bound() -> None:
    """Readout of quenched features: below 2N/P; the same network with all layers trained: far above."""
    model = GeneralizationGap(features="network", load=6.0, size=40, complexity=0.5)
    quenched = model.ensemble(samples=8, seed=1)
    learning = model.replace(training="all_layers").ensemble(samples=3, seed=1)
    bound = float(model.theory(method="bound")["relative_gap"])
    assert float(quenched["relative_gap"]) < bound
    assert float(learning["relative_gap"]) > bound + 5 * float(learning["relative_gap_standard_error"])
    assert float(learning["relative_gap"]) > 2 * bound


def test_all_teachers_lie_on_one_line() -> None:
    """Training against test error, nine teachers: a straight line through 0, whose slope is that of theory."""
    slopes = []
    for seed in range(6):
        run = GeneralizationGap(load=4.0, ridge=0.1, size=200).simulate(seed=seed)
        run.advance(20)
        slopes.append(run.train_error / run.test_error)
    mean, error = np.mean(slopes, axis=0), np.std(slopes, axis=0, ddof=1) / math.sqrt(6)
    gap = float(GeneralizationGap(load=4.0, ridge=0.1, size=200).theory(method="replica")["relative_gap"])
    assert (np.abs(mean - (1 - gap)) < 5 * error + 0.01).all()


def test_a_run_goes_along_the_learning_curve() -> None:
    model = GeneralizationGap(load=4.0, ridge=0.3, size=300)
    run = model.simulate(seed=4)
    start = run.observe()
    run.advance(20)
    assert run.finished
    times, series = run.series()
    assert series["load"][-1] == 4.0
    path = model.predicted_path(start, times)
    np.testing.assert_allclose(series["load"], path["load"], rtol=0.03)
    late = series["load"] > 0.5
    np.testing.assert_allclose(series["test_error"][late], path["test_error"][late], rtol=0.25)
    np.testing.assert_allclose(series["freedom"], path["freedom"], atol=0.02)


def test_what_a_direction_learns() -> None:
    """The part lambda / (lambda + kappa), with fewer examples than features and with more."""
    for load in (0.5, 4.0):
        model = GeneralizationGap(features="network", load=load, size=120, depth=2)
        run = model.simulate(seed=1)
        run.advance(20)
        measured, theory = run.profiles()["learned_part"].values, model.profiles()["learned_part"].values[0]
        assert np.abs(measured - theory).mean() < 0.05
        np.testing.assert_allclose((measured - theory).reshape(6, 20).mean(axis=1), 0, atol=0.04)
        assert float(theory.sum()) / 120 == pytest.approx(float(model.theory(method="replica")["freedom"]), rel=1e-9)


def test_moments_by_averages_over_other_inputs(rng: np.random.Generator) -> None:
    """What the readout of all examples leaves, on inputs of another draw."""
    there = world("network", 40, 2, 7)
    inputs, parts = examples("network", there.direction, 40_000, rng)
    features = there.scale * layers(inputs, there.hidden)[-1]
    left = parts - features @ there.moments.best
    np.testing.assert_allclose(left.T @ left / len(left), there.moments.rest, atol=0.03)
    assert np.trace(features.T @ features) / len(features) == pytest.approx(1, abs=0.02)


def test_a_step_of_training_goes_down_the_gradient() -> None:
    """The gradient of eq. (1), by finite differences of the loss of the best readout."""
    run = GeneralizationGap(features="network", depth=2, size=20, load=3.0, training="all_layers").simulate(seed=2)
    run.advance(2)
    before = run.hidden

    def loss(hidden: tuple[Any, ...]) -> float:
        run.features, run.hidden = run.world.scale * layers(run.inputs, hidden)[-1], before
        run.refit()
        weights = run.fitted.weights[:, 0]
        return float(np.sum(run.fitted.residuals[:, 0] ** 2) + run.model.ridge * weights @ weights)

    run.descend()
    moved, at_first = run.hidden, loss(before)
    for k in (0, 1):
        slope = np.zeros_like(before[k])
        places = [(0, 0), (1, 3), (5, 2), (9, 19)]
        for place in places:
            shifted = [layer.copy() for layer in before]
            shifted[k][place] += 1e-6
            slope[place] = (loss(tuple(shifted)) - at_first) / 1e-6
        step = (moved[k] - before[k])[tuple(zip(*places, strict=True))]
        there = slope[tuple(zip(*places, strict=True))]
        ratio = step / there
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-2)
        assert ratio[0] < 0


def test_the_best_ridge_is_the_noise() -> None:
    (task, _) = GeneralizationGap.tasks
    assert task.judge(0.6, GeneralizationGap).right
    assert task.judge(0.6, GeneralizationGap).truth == pytest.approx(0.6, rel=0.005)
