"""Two-layer limits: equivalent model and Gaussian process against values and slow paths, students against both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from mfexplore.families.message_passing.bayes_optimal import BayesOptimal
from mfexplore.models.learning.two_layer_limits import ACTIVATIONS, LEARNERS, TwoLayerLimits, expansion

LIMIT, PROCESS = "equivalent_model", "gaussian_process"


def error_of(model: TwoLayerLimits, method: str) -> float:
    return float(model.theory(method=method)["generalization_error"])


# -- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("fundamental_limits"), ids=lambda r: str(r["id"]))
def test_values_of_the_card(reference: dict[str, Any]) -> None:
    params, values = reference["params"], reference["value"]
    if reference["id"].startswith("get_"):
        found = expansion(params["activation"])
        assert [*found.coefficients[:2], found.nonlinear] == pytest.approx(values, abs=1e-9)
        return
    model = TwoLayerLimits(activation=params["activation"], load=params["alpha"], noise=params["Delta"])
    theory = model.theory(method=LIMIT)
    assert [float(theory["linear_error"]), float(theory["generalization_error"])] == pytest.approx(values, abs=1e-11)


@pytest.mark.parametrize(
    ("activation", "load", "wrong"),
    [
        ("relu", 1, 0.3280465079), ("relu", 2, 0.2779252974), ("relu", 4, 0.2341845380),
        ("tanh", 1, 0.2756622928), ("tanh", 2, 0.2074258195), ("tanh", 4, 0.1504666648),
    ],
)  # fmt: skip
def test_values_of_the_review_for_signs(activation: str, load: float, wrong: float) -> None:
    model = TwoLayerLimits(activation=activation, load=load, readout="sign", noise=0.0)
    assert error_of(model, LIMIT) == pytest.approx(wrong, abs=1e-9)


@settings(max_examples=12)
@given(st.sampled_from(sorted(ACTIVATIONS)), st.floats(0.1, 32), st.floats(0, 1), st.sampled_from(["linear", "sign"]))
def test_the_equivalent_model_is_a_student_of_a_gaussian_teacher(
    activation: str, load: float, noise: float, readout: str
) -> None:
    """State evolution of generalised message passing, in units of the linear part."""
    coefficients, nonlinear = expansion(activation).coefficients, expansion(activation).nonlinear
    delta = (nonlinear + noise) / coefficients[1] ** 2
    evolution = BayesOptimal("gaussian", readout)
    log_snr = evolution.at(np.array([delta])).solve(np.array([load]))[:, 1]
    missed = float(evolution.state(log_snr, np.array([load]), np.array([delta])).mean_squared_error[0])
    theory = TwoLayerLimits(activation=activation, load=load, noise=noise, readout=readout).theory(method=LIMIT)
    assert float(theory["linear_error"]) == pytest.approx(missed, rel=1e-8)


@pytest.mark.parametrize("activation", ["relu", "erf", "sign"])
def test_hermite_coefficients_by_closed_forms(activation: str) -> None:
    found = expansion(activation).coefficients ** 2
    degree = np.arange(1, 9, 2)
    if activation == "relu":
        assert found[[2, 4, 6, 8]] == pytest.approx(np.array([1 / 4, 1 / 48, 1 / 160, 5 / 1792]) / math.pi, abs=1e-12)
        assert found[[3, 5, 7]] == pytest.approx(0, abs=1e-12)
        return
    arcsine = np.array([1, 1 / 6, 3 / 40, 5 / 112])
    assert found[degree] == pytest.approx(
        2 / math.pi * arcsine * (0.5**degree if activation == "erf" else 1.0), abs=1e-12
    )


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("readout", ["linear", "sign"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_process_becomes_the_equivalent_model_as_the_dimension_grows(activation: str, readout: str) -> None:
    gaps = []
    for dimension in (16, 64):
        model = TwoLayerLimits(activation=activation, readout=readout, load=1.0, dimension=dimension)
        gaps.append(error_of(model, LIMIT) - error_of(model, PROCESS))
    assert 0 < gaps[1] < gaps[0] * (0.3 if activation == "relu" else 0.1)  # 1/d, or 1/d^2 without a quadratic part
    assert gaps[1] < 0.01


def test_the_process_may_do_what_the_equivalent_model_may_not() -> None:
    """More data never hurts; the process is never worse; without noise it learns in the end, the other does not."""
    loads = np.geomspace(0.1, 32, 17)
    for activation in ACTIVATIONS:
        for readout in ("linear", "sign"):
            theory = TwoLayerLimits(activation=activation, readout=readout, noise=0.0, dimension=10).theory(load=loads)
            error = theory["generalization_error"].values
            assert (np.diff(error, axis=0) < 0).all()
            assert (error[:, 1] <= error[:, 0]).all()
            assert (error[:, 0] > (expansion(activation).nonlinear if readout == "linear" else 0)).all()
    assert error_of(TwoLayerLimits(load=32.0, noise=0.0, dimension=10), PROCESS) < 0.03


def test_where_the_theory_fails() -> None:
    """Flagged from half as many examples as quadratic coefficients on, at the latest; nowhere at n of order d."""
    for activation in ACTIVATIONS:
        theory = TwoLayerLimits(activation=activation, dimension=30).theory(load=np.array([0.1, 1.0, 2.0, 15.5, 32.0]))
        flagged = theory["validity"].sel({"method": LIMIT}).values > 0
        assert flagged.tolist() == [False, False, False, True, True]
        assert (theory["validity"].sel({"method": PROCESS}) == 0).all()
    assert TwoLayerLimits(dimension=30).landmark("quadratic_coefficients", "load") == pytest.approx([15.5])


# -- students --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "erf", "sign"])
def test_the_kernel_by_closed_forms(activation: str, rng: np.random.Generator) -> None:
    run = TwoLayerLimits(activation=activation, load=1.0).simulate(seed=1)
    x, y = rng.standard_normal((2, 12, 40))
    norms, own = np.sqrt(np.sum(x * x, axis=1)), np.sqrt(np.sum(y * y, axis=1))
    cosine = (x @ y.T) / np.outer(norms, own)
    if activation == "relu":
        angle = np.arccos(cosine)
        whole = np.outer(norms, own) / 40 / (2 * math.pi) * (np.sin(angle) + (math.pi - angle) * cosine)
        first = 1 / math.sqrt(2 * math.pi)
        right = whole - first * first * (norms[:, None] + own) / math.sqrt(40) + first * first
        variance = norms**2 / 40 / 2 - 2 * first * first * norms / math.sqrt(40) + first * first
    elif activation == "erf":
        right = 2 / math.pi * np.arcsin(x @ y.T / 40 / np.sqrt(np.outer(1 + norms**2 / 40, 1 + own**2 / 40)))
        variance = 2 / math.pi * np.arcsin(norms**2 / 40 / (1 + norms**2 / 40))
    else:
        right, variance = 2 / math.pi * np.arcsin(cosine), np.ones(12)
    np.testing.assert_allclose(run.kernel(x, y), right, atol=1e-5)  # degree nine is left out
    np.testing.assert_allclose(run.own_kernel(x), variance, atol=1e-7)


def test_the_linear_student_meets_the_equivalent_model() -> None:
    """At two sizes: within four standard errors and what is of order 1/d, also where kernels are far below it."""
    for dimension, samples in ((16, 12), (48, 4)):
        for controls in ({"load": 1.0}, {"load": 4.0, "activation": "tanh"}, {"load": 24.0}):
            model = TwoLayerLimits(learner="linear", dimension=dimension, **controls)
            found, limit = model.ensemble(samples=samples, seed=3), error_of(model, LIMIT)
            error = float(found["generalization_error_standard_error"])
            assert float(found["generalization_error"]) == pytest.approx(limit, abs=4 * error + 0.5 * limit / dimension)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_kernel_student_meets_the_process(activation: str) -> None:
    """Also at n of order d^2, at two sizes."""
    for dimension, samples in ((12, 12), (24, 4)):
        for load in (2.0, (dimension + 1) / 2):
            model = TwoLayerLimits(activation=activation, dimension=dimension, load=load)
            found, right = model.ensemble(samples=samples, seed=4), error_of(model, PROCESS)
            error = float(found["generalization_error_standard_error"])
            assert float(found["generalization_error"]) == pytest.approx(right, abs=4 * error + 0.5 * right / dimension)


@pytest.mark.parametrize(
    "controls",
    [{"activation": "relu"}, {"activation": "tanh", "readout": "sign"}],
)
def test_no_student_beats_the_limit_with_examples_of_the_order_of_the_dimension(controls: dict[str, Any]) -> None:
    """Nor, on the same examples, does any gain more than two per cent on linear regression."""
    model = TwoLayerLimits(load=2.0, dimension=24, width=96, **controls)
    errors = []
    for seed in range(4):
        run = model.simulate(seed=seed)
        run.advance(10)
        errors.append([run.errors[student] for student in LEARNERS])
    mean, error = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1) / math.sqrt(len(errors))
    assert (mean > error_of(model, LIMIT) - 4 * error - 0.005).all()
    gains = 1 - np.array(errors) / np.array(errors)[:, :1]
    spread = np.std(gains, axis=0, ddof=1) / math.sqrt(len(errors))
    assert (gains.mean(axis=0) < 4 * spread + 0.02).all()


def test_students_pass_below_it_with_examples_of_the_order_of_the_dimension_squared() -> None:
    """With a quadratic part; with an odd activation even the best of them does not, by more than a per cent."""
    for activation in ("relu", "erf"):
        model = TwoLayerLimits(activation=activation, load=20.0, dimension=20)
        limit = error_of(model, LIMIT)
        found = {
            learner: model.replace(learner=learner).ensemble(samples=4, seed=1) for learner in ("linear", "kernel")
        }
        mean, error = (
            {name: float(one[variable]) for name, one in found.items()}
            for variable in ("generalization_error", "generalization_error_standard_error")
        )
        if activation == "relu":
            assert mean["kernel"] < limit - 5 * error["kernel"]
            assert mean["kernel"] < 0.9 * mean["linear"]
        else:
            assert abs(mean["kernel"] - mean["linear"]) < 0.02 * limit


def test_a_network_of_which_all_weights_learn_gains_by_it() -> None:
    """Its hidden weights have moved, and it errs less than with its first ones, however little."""
    run = TwoLayerLimits(load=20.0, dimension=16, width=100).simulate(seed=2)
    run.advance(12)
    assert np.linalg.norm(run.hidden - run.first_hidden) > 0.1 * np.linalg.norm(run.hidden)
    assert run.errors["network"] < 0.97 * run.errors["random_features"]


def test_a_teacher_scatters_like_noise_around_its_linear_part() -> None:
    run = TwoLayerLimits(load=1.0, dimension=64, width=1000).simulate(seed=1)
    rest, law = run.samples(), run.model.law()
    variance = float(np.trapezoid(law.density * law.values**2, law.values))
    assert variance == pytest.approx(expansion("relu").nonlinear, rel=1e-4)
    assert np.var(rest) == pytest.approx(variance, rel=0.15)
    assert np.mean(rest**4) / np.var(rest) ** 2 == pytest.approx(3, abs=0.5)
    assert abs(np.corrcoef(rest, run.new @ run.direction)[0, 1]) < 0.1


def test_errors_of_signs_by_drawing_new_answers(rng: np.random.Generator) -> None:
    run = TwoLayerLimits(readout="sign", load=2.0, noise=0.3).simulate(seed=1)
    guess = run.truth + rng.standard_normal(run.truth.size)
    wrong = [
        np.mean(np.sign(run.truth + math.sqrt(0.3) * rng.standard_normal(guess.size)) != np.sign(guess))
        for _ in range(50)
    ]
    assert run.error(guess) == pytest.approx(np.mean(wrong), abs=0.005)


def test_a_smooth_step_stands_for_the_slope_of_a_sign() -> None:
    from mfexplore.models.learning.two_layer_limits.theory import respond, slope

    z = np.linspace(-3, 3, 13) + 0.01
    for activation in ("relu", "erf", "tanh"):
        numeric = (respond(activation, z + 1e-6) - respond(activation, z - 1e-6)) / 2e-6
        np.testing.assert_allclose(slope(activation, z), numeric, atol=1e-8)
    assert (slope("sign", z) > 0).all()
    np.testing.assert_allclose(respond("erf", z), erf(z / math.sqrt(2)))
