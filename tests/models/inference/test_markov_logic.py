"""Markov logic: mean field against loops, enumeration and iteration; LogicMP and Gibbs against the limit."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.special import expit

from mfexplore.models.inference.markov_logic import MarkovLogic
from mfexplore.models.inference.markov_logic.dynamics import sample_statements, supported
from mfexplore.models.inference.markov_logic.theory import broken, consequences, layering

Z, W = np.polynomial.hermite_e.hermegauss(60)
W = W / W.sum()


def state(branch: str, **controls: Any) -> tuple[float, float]:
    """(a, b) of a branch."""
    theory = MarkovLogic(**controls).theory(method="mean_field", profiles=False).sel(branch=branch)
    return float(theory["belief_in_true"]), float(theory["belief_in_false"])


# -- reference values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.5, 1.0, 4.0])
def test_one_rule(weight: float) -> None:
    """The constant that the card gives to a rule that holds is here taken from one that is broken."""
    (wanted,) = (r["value"] for r in reference_values("logicmp_tiny") if r["params"]["w"] == weight)
    model = MarkovLogic(rule="implication", evidence=1.0, rule_weight=weight)
    theory = model.theory().sel(branch="evidence")
    exact, mean_field = (theory.sel({"method": method}) for method in ("exact", "mean_field"))
    found = [float(one[f"belief_{x}"]) for one in (exact, mean_field) for x in "abc"]
    assert found == pytest.approx(wanted[:6], abs=1e-11)
    assert 3 * float(exact["free_entropy"]) + weight == pytest.approx(wanted[6], abs=1e-11)
    assert 3 * float(mean_field["free_entropy"]) + weight == pytest.approx(wanted[7], abs=1e-11)
    assert float(mean_field["free_entropy"]) < float(exact["free_entropy"])


def test_values_of_the_review() -> None:
    """Those at weight 10 belong to the state that is reached from the truth: from the evidence it is blurred."""
    at = {"evidence": 1.0, "noise": 1.0, "classes": 4}
    assert state("evidence", rule_weight=2.0, **at) == pytest.approx((0.6101341626, 0.1898769568), abs=1e-10)
    assert state("evidence", rule_weight=4.0, **at) == pytest.approx((0.5419895483, 0.1208440100), abs=1e-10)
    assert state("truth", rule_weight=10.0, **at) == pytest.approx((0.84535, 0.00850), abs=5e-6)
    errors = MarkovLogic(**at).theory(method="mean_field", rule_weight=[0.0, 4.0, 9.0, 10.0], profiles=False)[
        "error_rate"
    ]
    assert errors.sel(branch="truth").values == pytest.approx([0.3033, 0.2051, 0.1832, 0.0450], abs=5e-5)
    assert float(errors.sel(branch="evidence", rule_weight=10.0)) > 0.18
    (end,) = MarkovLogic(**at).landmark("collapsed_ends", "rule_weight")
    assert 5 < end < 6


# -- independent slow paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "evidence", "noise", "weight"), [(2, 0.5, 0.7, 6.0), (4, 1.1, 1.0, 14.0), (9, 1.5, 0.0, 25.0)]
)
@pytest.mark.parametrize("branch", ["evidence", "truth"])
def test_states_are_where_plain_iteration_ends(
    classes: int, evidence: float, noise: float, weight: float, branch: str
) -> None:
    k = 1 / classes
    a, b = (1.0, 0.0) if branch == "truth" else (W @ expit(noise * Z + evidence), W @ expit(noise * Z - evidence))
    for _ in range(4000):
        u = k * (a * a - 2 * a * (1 - a)) + (1 - k) * (b * b - 2 * b * (1 - b))
        v = 2 * k * (a * b - b * (1 - a) - a * (1 - b)) + (1 - 2 * k) * (b * b - 2 * b * (1 - b))
        a += 0.2 * (W @ expit(evidence + noise * Z + weight * u) - a)
        b += 0.2 * (W @ expit(noise * Z - evidence + weight * v) - b)
    found = state(branch, classes=classes, evidence=evidence, noise=noise, rule_weight=weight)
    assert found == pytest.approx((a, b), abs=1e-8)


@pytest.mark.parametrize("symmetric", [True, False])
def test_tensor_steps_are_loops_over_groundings(symmetric: bool, rng: np.random.Generator) -> None:
    n = 7
    q = np.where(np.eye(n), 0.0, rng.random((n, n)))
    if symmetric:
        q = np.triu(q) + np.triu(q).T
    wanted = np.zeros((n, n))
    for i, j, k in itertools.permutations(range(n), 3):  # the rule i-j and j-k imply i-k pulls on its three statements
        wanted[i, k] += q[i, j] * q[j, k]
        wanted[i, j] -= q[j, k] * (1 - q[i, k])
        wanted[j, k] -= q[i, j] * (1 - q[i, k])
    if symmetric:  # a rule and its mirror image are one, and so are a statement and its mirror image
        wanted = (wanted + wanted.T) / 2
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_allclose(supported(q, symmetric)[off], wanted[off], atol=1e-13)


def test_consequences_are_those_of_many_objects() -> None:
    """Delta/n of block matrices tends to eq. (4) like 1/n, and the broken rules are its potential."""
    a, b, classes = 0.7, 0.2, 4
    gaps = []
    for n in (80, 160):
        kinds = np.arange(n) * classes // n
        q = np.where(kinds[:, None] == kinds, a, b) * ~np.eye(n, dtype=bool)
        delta = supported(q, True) / n
        gaps.append([delta[0, 1], delta[0, -1]] - np.array(consequences(np.array(a), np.array(b), np.array(0.25))))
    np.testing.assert_allclose(gaps[0], 2 * np.array(gaps[1]), rtol=1e-9)
    step, k = 1e-5, np.array(0.25)
    u, v = consequences(np.array(a), np.array(b), k)
    by_a = (broken(np.array(a + step), np.array(b), k) - broken(np.array(a - step), np.array(b), k)) / (2 * step)
    by_b = (broken(np.array(a), np.array(b + step), k) - broken(np.array(a), np.array(b - step), k)) / (2 * step)
    assert (-by_a, -by_b) == pytest.approx((k * u, (1 - k) * v), abs=1e-9)


@pytest.mark.parametrize(("classes", "a", "b"), [(2, 0.3, 0.1), (4, 0.45, 0.06), (3, 0.2, 0.15), (4, 0.9, 0.4)])
def test_layers_grow_from_the_largest_eigenvalue_of_the_whole_step(classes: int, a: float, b: float) -> None:
    """The derivative of eq. (2) as one matrix, for two halves of each kind: all its antisymmetric deviations."""
    m, by_u, by_v = 2 * classes, 3.0, 1.7
    kinds = np.arange(m) // 2
    same = kinds[:, None] == kinds
    q, slopes = np.where(same, a, b), np.where(same, by_u, by_v)
    jacobian = np.empty((m * m, m * m))
    for column in range(m * m):
        d = np.zeros(m * m)
        d[column] = 1
        d = d.reshape(m, m)
        change = 2 * d @ q + 2 * q @ d - (1 - q) @ d.T - d.T @ (1 - q)
        jacobian[:, column] = (slopes * change / m).ravel()
    values, vectors = np.linalg.eig(jacobian)
    matrices = vectors.T.reshape(-1, m, m)
    antisymmetric = np.array([np.abs(v + v.T).max() < 1e-6 for v in matrices])
    found = layering(np.array(a), np.array(b), np.array(1 / classes), np.array(by_u), np.array(by_v))
    assert float(found) == pytest.approx(values[antisymmetric].real.max(), abs=1e-9)


@pytest.mark.parametrize("symmetric", [True, False])
def test_gibbs_samples_against_all_states(symmetric: bool, rng: np.random.Generator) -> None:
    n, weight = 4, 0.9
    pairs = [(i, j) for i, j in itertools.permutations(range(n), 2) if not symmetric or i < j]
    evidence = rng.normal(size=(n, n))
    evidence = (evidence + evidence.T) / 2 if symmetric else evidence
    means, total = np.zeros(len(pairs)), 0.0
    for bits in itertools.product((0, 1), repeat=len(pairs)):
        r = np.zeros((n, n))
        for (i, j), bit in zip(pairs, bits, strict=True):
            r[i, j] = bit
            if symmetric:
                r[j, i] = bit
        ways = sum(r[i, j] * r[j, k] * (1 - r[i, k]) for i, j, k in itertools.permutations(range(n), 3))
        energy = sum(evidence[pair] * bit for pair, bit in zip(pairs, bits, strict=True))
        chance = math.exp(energy - weight * ways / (2 if symmetric else 1))
        total += chance
        means += chance * np.array(bits)
    state, sums, sweeps = np.zeros((n, n), np.int8), np.zeros((n, n)), 20_000
    transposed = state.T.copy()
    for _ in range(sweeps):
        sample_statements(state, transposed, evidence, weight, symmetric, len(pairs), rng)
        sums += state
    assert (transposed == state.T).all()
    found = np.array([sums[pair] for pair in pairs]) / sweeps
    np.testing.assert_allclose(found, means / total, atol=5 * 0.5 * math.sqrt(3 / sweeps))


# -- where states end ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [10.0, 12.0, 20.0])
def test_two_states_exist_between_their_ends(weight: float) -> None:
    model = MarkovLogic(rule_weight=weight)
    low = model.landmark("truth_ends", "evidence")
    (middle,), (high,) = (model.landmark(name, "evidence") for name in ("transition", "blurred_ends"))
    assert (low < middle).all()
    assert middle < high
    places = [*(low - 1e-6), *(low + 1e-6), middle, high - 1e-6, high + 1e-6]
    theory = model.theory(method="mean_field", evidence=places, profiles=False)
    a = theory["belief_in_true"]
    apart = np.abs(a.sel(branch="truth") - a.sel(branch="evidence")).values > 1e-3
    assert apart.tolist() == [False] * low.size + [True] * (low.size + 2) + [False]
    free = theory["free_entropy"].sel(evidence=middle)
    assert float(free.sel(branch="truth")) == pytest.approx(float(free.sel(branch="evidence")), abs=1e-10)


def test_a_light_rule_never_jumps() -> None:
    model = MarkovLogic(rule_weight=6.0)
    for name in ("truth_ends", "transition", "blurred_ends"):
        assert model.landmark(name, "evidence").size == 0


def test_steps_flip_beyond_the_damping_that_theory_gives() -> None:
    model = MarkovLogic(evidence=0.8, rule_weight=20.0, size=96)
    (critical,) = model.landmark("flipping", "damping")
    for damping, flips in ((critical - 0.1, False), (critical + 0.1, True)):
        run = model.simulate(seed=1, damping=damping)
        run.advance(150)
        last = run.series()[1]["belief_in_true"][-2:]
        assert (abs(last[1] - last[0]) > 1e-3) == flips


# -- simulation against theory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["logicmp", "gibbs"])
def test_finite_networks_differ_from_the_limit_by_one_over_n(algorithm: str) -> None:
    model = MarkovLogic(evidence=1.0, rule_weight=4.0, algorithm=algorithm)
    theory = model.equilibrium(method="mean_field")
    ensembles = {size: model.ensemble(samples=6, seed=1, size=size) for size in (32, 64)}
    for name in ("belief_in_true", "belief_in_false", "error_rate", "decision_error"):
        gaps, errors = [], []
        for size, found in ensembles.items():
            gaps.append(size * (float(found[name]) - float(theory[name])))
            errors.append(size * float(found[f"{name}_standard_error"]))
        assert gaps[1] == pytest.approx(gaps[0], abs=4 * math.hypot(*errors) + 0.15), name
        assert abs(gaps[1]) < 3 + 4 * errors[1]


def test_gibbs_samples_of_the_review() -> None:
    """64 objects, by another program: .543(9), .1289(13)."""
    found = MarkovLogic(evidence=1.0, rule_weight=4.0, algorithm="gibbs", size=64).ensemble(samples=4, seed=2)
    for name, value, error in (("belief_in_true", 0.543, 0.009), ("belief_in_false", 0.1289, 0.0013)):
        own = float(found[f"{name}_standard_error"])
        assert float(found[name]) == pytest.approx(value, abs=4 * math.hypot(own, error) + 3 / 64)


@pytest.mark.parametrize(("algorithm", "damping"), [("logicmp", 0.3), ("logicmp", 1.0), ("gibbs", 0.5)])
def test_runs_follow_the_predicted_path(algorithm: str, damping: float) -> None:
    gaps = []
    for size in (64, 256):
        model = MarkovLogic(evidence=1.3, rule_weight=10.0, algorithm=algorithm, damping=damping, size=size)
        run = model.simulate(seed=3)
        run.advance(12)
        times, series = run.series()
        path = model.predicted_path({name: values[0] for name, values in series.items()}, times)
        gaps.append(max(np.abs(series[name] - path[name]).max() for name in ("belief_in_true", "belief_in_false")))
    assert gaps[1] < 0.03
    assert gaps[1] < 0.6 * gaps[0]


def test_weight_that_is_raised_slowly_finds_what_the_same_weight_at_once_misses() -> None:
    model = MarkovLogic(rule_weight=20.0, size=96)
    at_once = model.simulate(seed=1)
    at_once.advance(100)
    assert at_once.observe()["error_rate"] > 0.15
    slowly = model.simulate(seed=1, rule_weight=12.0)
    slowly.advance(100)
    assert slowly.follow(slowly.model.replace(rule_weight=20.0))
    slowly.advance(100)
    assert slowly.observe()["error_rate"] < 0.005
    a, _ = state("truth", rule_weight=20.0)
    assert slowly.observe()["belief_in_true"] == pytest.approx(a, abs=0.01)


@pytest.mark.parametrize("algorithm", ["logicmp", "gibbs"])
def test_directed_relations_form_layers_where_theory_fails(algorithm: str) -> None:
    def rank_spread(relation: str, weight: float) -> float:
        """How far objects differ in what they are like and what is like them, beyond chance."""
        model = MarkovLogic(relation=relation, algorithm=algorithm, evidence=0.3, rule_weight=weight, size=64)
        run = model.simulate(seed=1)
        run.advance(200)
        q = run.beliefs
        return float(np.std(q.sum(axis=1) - q.sum(axis=0)) / 64)

    validity = [
        int(MarkovLogic(relation="directed", evidence=0.3, rule_weight=w).theory(method="mean_field")["validity"][0])
        for w in (2.0, 20.0)
    ]
    assert validity == [0, 1]
    assert rank_spread("directed", 2.0) < 0.08
    assert rank_spread("directed", 20.0) > 0.2
    assert rank_spread("symmetric", 20.0) < 1e-12


def test_beliefs_follow_evidence_as_the_profile_says() -> None:
    model = MarkovLogic(evidence=1.0, rule_weight=4.0, size=256)
    run = model.simulate(seed=1)
    run.advance(40)
    theory = model.theory(method="mean_field").sel(branch="evidence")
    for name, measured in run.profiles().items():
        there = np.isfinite(measured.values) & (np.abs(measured.coordinate) < 3)
        wanted = theory[name].interp(logit=measured.coordinate[there]).values
        np.testing.assert_allclose(measured.values[there], wanted, atol=0.03)


def test_samples_of_one_rule_meet_the_sum_over_its_states_and_mean_field_does_not() -> None:
    model = MarkovLogic(rule="implication", evidence=1.0, rule_weight=4.0, algorithm="gibbs")
    theory = model.theory().sel(branch="evidence")
    found = model.ensemble(samples=24, seed=1)
    for x in "abc":
        value, error = float(found[f"belief_{x}"]), float(found[f"belief_{x}_standard_error"])
        assert value == pytest.approx(float(theory[f"belief_{x}"].sel({"method": "exact"})), abs=4 * error)
    mean_field = float(theory["belief_c"].sel({"method": "mean_field"}))
    assert abs(float(found["belief_c"]) - mean_field) > 5 * float(found["belief_c_standard_error"])
    run = model.replace(algorithm="logicmp").simulate(seed=1)
    run.advance(200)
    assert run.observe()["belief_c"] == pytest.approx(mean_field, abs=1e-10)
