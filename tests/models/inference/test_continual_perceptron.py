"""Continual perceptron: equations against plain sums, limits and enumeration, message passing against theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from mfexplore.core import NotOfferedError
from mfexplore.models.inference.continual_perceptron import ContinualPerceptron
from mfexplore.models.inference.teacher_student import TeacherStudent

Z = np.linspace(-9, 9, 601)
DZ = np.exp(-0.5 * Z * Z) / np.exp(-0.5 * Z * Z).sum()
NAMES = {"alpha1": "first_load", "alpha2": "second_load", "lambda": "memory", "r0": "similarity"}


def student(model: ContinualPerceptron) -> Any:
    return model.theory().sel(branch="student")


@pytest.mark.parametrize("row", reference_values("continual_binary_perceptron"), ids=lambda row: row["id"])
def test_values_of_the_card(row: dict[str, Any]) -> None:
    model = ContinualPerceptron(**{NAMES[name]: value for name, value in row["params"].items()})
    _, q, m1, m2, before, first, second = row["value"]
    found = student(model)
    wanted = {
        "self_overlap": q, "first_overlap": m1, "second_overlap": m2, "first_error": first, "second_error": second,
        "forgetting": first - before,
    }  # fmt: skip
    assert {name: float(found[name]) for name in wanted} == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize(
    ("similarity", "memory", "error"), [(0, 0.33184, 0.35149047), (0.5, 0.51328, 0.26433381), (0.8, 0.69, 0.19285913)]
)
def test_best_memory(similarity: float, memory: float, error: float) -> None:
    model = ContinualPerceptron(similarity=similarity)
    (best,) = model.landmark("best_memory", "memory")
    assert best == pytest.approx(memory, abs=2e-5)
    assert float(student(model.replace(memory=best))["mean_error"]) == pytest.approx(error, abs=1e-8)
    beside = model.theory(memory=best + np.array([-0.05, 0.0, 0.05]))["mean_error"].sel(branch="student").values
    assert beside[1] < beside[[0, 2]].min()


@pytest.mark.parametrize(("second_load", "similarity"), [(1.0, 0.749340), (0.5, 0.740027)])
def test_similarity_without_forgetting(second_load: float, similarity: float) -> None:
    model = ContinualPerceptron(second_load=second_load, memory=1.0)
    (found,) = model.landmark("no_forgetting", "similarity")
    assert found == pytest.approx(similarity, abs=1e-6)
    assert float(student(model.replace(similarity=found))["forgetting"]) == pytest.approx(0, abs=1e-9)


def test_who_is_wiped_clean_by_few_examples_always_forgets() -> None:
    """Without memory, half as many examples of the very same teacher cannot make good for those of the first task."""
    assert ContinualPerceptron(memory=0.0, second_load=0.5).landmark("no_forgetting", "similarity").size == 0


# -- independent slow path and limits ----------------------------------------------------------------------------------


def slow_student(model: ContinualPerceptron) -> dict[str, float]:
    """Eqs. (1)-(7), iterated from the memory, by plain sums over 601 nodes."""
    r0, strength = model.similarity, model.memory

    def answered(q: float, m: float) -> tuple[float, float, float]:
        if q == 0:
            return 2 / math.pi, 2 / math.pi, -math.log(2)
        u, c = Z * math.sqrt(q / (1 - q)), Z * m / math.sqrt(q - m * m)
        g = np.exp(-0.5 * u * u - log_ndtr(u)) / math.sqrt(2 * math.pi)
        phi = np.exp(-0.5 * c * c) / math.sqrt(2 * math.pi)
        pull = 2 * DZ @ (phi * g) / math.sqrt((1 - q) * (1 - m * m / q))
        return 2 * DZ @ (ndtr(c) * g * g) / (1 - q), pull, 2 * DZ @ (ndtr(c) * log_ndtr(u))

    snr = 0.0
    for _ in range(150):
        q = float(DZ @ np.tanh(snr + math.sqrt(snr) * Z))
        snr = model.first_load * answered(q, q)[0]
    pull = noise = 0.0
    for _ in range(150):
        h = {s: s * strength * snr + pull + Z * math.sqrt(strength**2 * snr + noise) for s in (1, -1)}
        weight = {s: 0.5 * (1 + s * r0) * DZ for s in (1, -1)}
        q = sum(float(weight[s] @ np.tanh(h[s]) ** 2) for s in h)
        m1 = sum(s * float(weight[s] @ np.tanh(h[s])) for s in h)
        m2 = sum(float(weight[s] @ np.tanh(h[s])) for s in h)
        free = sum(float(weight[s] @ np.logaddexp(h[s], -h[s])) for s in h) - pull * m2 - 0.5 * noise * (1 - q)
        a, b, potential = answered(q, m2)
        noise, pull = model.second_load * a, model.second_load * b
    free += model.second_load * potential
    size = snr * math.erf(math.sqrt(snr / 2)) + math.sqrt(2 * snr / math.pi) * math.exp(-snr / 2)
    return {
        "self_overlap": q, "first_overlap": m1, "second_overlap": m2, "free_entropy": free,
        "memory_overlap": snr * (m1 + strength * (1 - q)) / size,
        "entropy": free - strength * snr * (m1 + strength * (1 - q)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first_load", "second_load", "similarity", "memory"),
    [(0.3, 0.9, 0.2, 0.7), (1.2, 0.4, -0.6, 0.4), (1.0, 1.1, 0.9, 1.6), (0.8, 1.3, 0.5, 0.0), (1.4, 0.2, 1.0, 0.5)],
)
def test_kernels_agree_with_plain_sums(first_load: float, second_load: float, similarity: float, memory: float) -> None:
    model = ContinualPerceptron(first_load=first_load, second_load=second_load, similarity=similarity, memory=memory)
    wanted = slow_student(model)
    found = student(model)
    assert {name: float(found[name]) for name in wanted} == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("load", [0.5, 1.2, 1.4])
def test_without_memory_it_is_teacher_and_student(load: float) -> None:
    found = student(ContinualPerceptron(memory=0.0, second_load=load, similarity=0.4))
    fresh = TeacherStudent(load=load).theory().sel(branch="uninformed")
    for own, other in (("self_overlap", "overlap"), ("second_error", "generalization_error"), ("entropy", "entropy")):
        assert float(found[own]) == pytest.approx(float(fresh[other]), abs=1e-9)
    assert float(found["first_overlap"]) == pytest.approx(0.4 * float(fresh["overlap"]), abs=1e-9)


def test_a_fresh_student_finds_the_teacher_beyond_the_known_threshold() -> None:
    """1.4926318 of Barbier et al.; a little more, because at the threshold itself message passing takes for ever."""
    threshold = 1.4926318182298768
    q = ContinualPerceptron(memory=0.0).theory(second_load=threshold + np.array([-1e-4, 1e-4]))["self_overlap"]
    below, above = q.sel(branch="student").values
    assert below < 0.9
    assert above == 1


def test_the_same_teacher_twice_is_nishimoris_line() -> None:
    """Strength 1 is the best memory then; still it knows less than all data at once, for it kept no correlations."""
    model = ContinualPerceptron(first_load=0.6, second_load=0.6, similarity=1.0, memory=1.0)
    found = student(model)
    q, m1, m2 = (float(found[name]) for name in ("self_overlap", "first_overlap", "second_overlap"))
    assert m1 == pytest.approx(q, abs=1e-11)
    assert m2 == pytest.approx(q, abs=1e-11)
    assert model.landmark("best_memory", "memory") == pytest.approx([1.0], abs=1e-4)
    joint = float(TeacherStudent(load=1.2).theory()["overlap"].sel(branch="uninformed"))
    assert q < joint - 0.05


def test_the_potential_is_a_legendre_transform() -> None:
    """The overlap with the memory is the slope of the free entropy, and the landscape is lowest at the state."""
    model = ContinualPerceptron(similarity=0.3, memory=0.6)
    strengths = 0.6 + np.array([-1e-4, 0.0, 1e-4])
    at = model.theory(memory=strengths).sel(branch="student")
    free, entropy = at["free_entropy"].values, at["entropy"].values
    slope = (free[2] - free[0]) / 2e-4
    assert entropy[1] == pytest.approx(free[1] - 0.6 * slope, abs=1e-7)
    overlaps = at["memory_overlap"].values
    assert (entropy[2] - entropy[0]) / (overlaps[2] - overlaps[0]) * overlaps[1] == pytest.approx(
        -0.6 * slope, rel=1e-4
    )
    landscape = model.landscape()
    assert (np.diff(landscape.coordinate) > 0).all()
    lowest = int(np.argmin(landscape.free_energy))
    assert landscape.coordinate[lowest] == pytest.approx(overlaps[1], abs=0.03)
    assert landscape.free_energy[lowest] == pytest.approx(-free[1], abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 1.2), st.floats(0.1, 1.2), st.floats(-0.9, 0.8), st.floats(0.0, 2.0))
def test_more_similar_teachers_never_hurt(first: float, second: float, similarity: float, memory: float) -> None:
    model = ContinualPerceptron(first_load=first, second_load=second, memory=memory)
    theory = model.theory(similarity=similarity + np.array([0.0, 0.1])).sel(branch="student")
    for name in ("first_error", "second_error"):
        assert (np.diff(theory[name].values) <= 1e-9).all()
    assert bool(theory["converged"].all())


def enumerated(size: int, model: ContinualPerceptron, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Entropy, overlap with the memory and with the second teacher, by all 2^size students; the memory by eq. (1)."""
    students = np.array(list(itertools.product((-1.0, 1.0), repeat=size)))
    found = []
    for _ in range(250):
        second = np.where(rng.permutation(size) < size * (1 - model.similarity) / 2, -1.0, 1.0)
        memory = snr + math.sqrt(snr) * rng.standard_normal(size)
        questions = rng.standard_normal((round(model.second_load * size), size))
        right = ((students @ questions.T > 0) == (questions @ second > 0)).all(axis=1)
        logs = np.where(right, model.memory * students @ memory, -np.inf)
        weight = np.exp(logs - logs.max())
        free = logs.max() + math.log(weight.sum())
        mean = weight @ students / weight.sum()
        entropy = (free - model.memory * memory @ mean) / size
        found.append((entropy, memory @ mean / abs(memory).sum(), second @ mean / size))
    return np.mean(found, axis=0)


def test_entropy_and_overlaps_by_enumeration(rng: np.random.Generator) -> None:
    """Corrections are of order 1/N: what 8 and 12 weights say, continued."""
    model = ContinualPerceptron(first_load=0.75, second_load=0.5, memory=0.7, similarity=0.5)
    theory = student(model)
    before = math.cos(math.pi * float(theory["first_error"] - theory["forgetting"])) ** 2
    snr = brentq(lambda r: DZ @ np.tanh(r + math.sqrt(r) * Z) - before, 0.01, 5)
    small, large = (enumerated(size, model, snr, rng) for size in (8, 12))
    wanted = [float(theory[name]) for name in ("entropy", "memory_overlap", "second_overlap")]
    assert 3 * large - 2 * small == pytest.approx(wanted, abs=0.05)
    assert abs(large - wanted).max() < 0.05


# -- message passing -------------------------------------------------------------------------------------------------


def final(model: ContinualPerceptron, samples: int) -> dict[str, tuple[float, float]]:
    """Mean and standard error of what runs end with."""
    ends = []
    for seed in range(samples):
        run = model.simulate(seed=seed)
        run.advance(220)
        ends.append(run.observe())
    columns = {name: np.array([end[name] for end in ends]) for name in ends[0]}
    return {n: (float(np.mean(c)), float(np.std(c, ddof=1)) / math.sqrt(samples)) for n, c in columns.items()}


@pytest.mark.parametrize(
    "controls",
    [
        {"similarity": 0.5, "memory": 0.5},
        {"similarity": 0.0, "memory": 1.0},  # no student fits, by the entropy, yet message passing settles
    ],
)
def test_message_passing_ends_where_theory_says(controls: dict[str, float]) -> None:
    """Within four standard errors at two sizes, and the errors shrink."""
    spreads = []
    for size, samples in ((128, 10), (400, 6)):
        model = ContinualPerceptron(size=size, **controls).realised()
        theory = student(model)
        found = final(model, samples)
        for name in ("first_error", "second_error", "self_overlap", "memory_overlap"):
            mean, error = found[name]
            assert mean == pytest.approx(float(theory[name]), abs=4 * error + 1.5 / size), (name, size)
        spreads.append(found["first_error"][1] * math.sqrt(samples))
    assert spreads[1] < 0.8 * spreads[0]


def test_forgetting_follows_the_predicted_path() -> None:
    """At every iteration, while the examples of both tasks arrive; the more exactly the larger the student."""
    gaps = []
    for size in (128, 1024):
        found = []
        for seed in range(3):
            model = ContinualPerceptron(size=size, similarity=0.2, memory=0.3, first_load=0.8).realised()
            run = model.simulate(seed=seed)
            start = run.observe()
            run.advance(150)
            times, series = run.series()
            path = model.predicted_path(start, times)
            found.append(max(float(np.abs(path[n] - series[n]).mean()) for n in path))
        gaps.append(float(np.mean(found)))
    assert gaps[1] < 0.6 * gaps[0]
    assert gaps[1] < 0.03


def test_the_memory_is_the_first_teacher_seen_through_noise() -> None:
    """Eq. (1), the heart of the theory: normal, independent from weight to weight, mean and variance R_1."""
    model = ContinualPerceptron(size=2025)
    run = model.simulate(seed=2)
    run.advance(model.iterations_of_first + 1)
    field = run.memory * run.teachers[0]
    q = float(TeacherStudent(load=1.0).theory()["overlap"].sel(branch="uninformed"))
    assert np.mean(np.tanh(field)) == pytest.approx(q, abs=0.03)
    assert np.mean(field) == pytest.approx(1.033042, abs=0.1)
    assert np.var(field) == pytest.approx(1.033042, abs=0.1)
    centred = field - field.mean()
    assert np.mean(centred**3) / np.var(field) ** 1.5 == pytest.approx(0, abs=0.15)


def test_a_stubborn_student_never_settles() -> None:
    """Where replica symmetry is unstable the weights tremble for ever; elsewhere they come to rest."""
    stubborn, calm = ContinualPerceptron.preset("stubborn"), ContinualPerceptron.preset("both tasks")
    changes = []
    for model in (stubborn, calm):
        run = model.replace(size=512).simulate(seed=1)
        run.advance(500)
        changes.append(run.passing.change)
    assert changes[0] > 1e-4
    assert changes[1] < 1e-12
    assert "does not settle" in stubborn.caveat()
    assert "does not settle" not in calm.caveat()


def test_mastery_ends_the_run_with_the_teacher() -> None:
    run = ContinualPerceptron.preset("mastery").simulate(seed=1)
    run.advance(500)
    assert run.finished
    assert run.observe()["second_error"] == 0
    assert run.observe()["first_error"] == pytest.approx(math.acos(0.9) / math.pi, abs=1e-3)


def test_a_memory_strength_can_be_tuned_while_the_student_learns() -> None:
    """The student follows to where another one, with that strength from the start, ends."""
    model = ContinualPerceptron(size=512, memory=1.5, similarity=0.3)
    run, other = model.simulate(seed=3), model.replace(memory=0.4).simulate(seed=3)
    run.advance(220)
    assert run.follow(model.replace(memory=0.4))
    run.advance(100)
    other.advance(500)
    assert run.observe()["first_error"] == pytest.approx(other.observe()["first_error"], abs=1e-6)


def test_fields_obey_their_laws() -> None:
    model = ContinualPerceptron(size=1600, similarity=0.4)
    run = model.simulate(seed=5)
    for time in (60, 110, 170):
        run.advance_to(time)
        for law in model.laws(run.time):
            assert np.trapezoid(law.density, law.values) == pytest.approx(1, abs=1e-4)
            mean = float(np.trapezoid(law.density * law.values, law.values))
            square = float(np.trapezoid(law.density * law.values**2, law.values))
            fields = run.samples(law.observable)
            assert np.mean(fields) == pytest.approx(mean, abs=0.1), (time, law.observable)
            assert np.mean(fields**2) == pytest.approx(square, rel=0.1), (time, law.observable)


@pytest.mark.parametrize("similarity", [-1.0, -0.3, 0.0, 0.77, 1.0])
def test_teachers_are_as_similar_as_asked_for(similarity: float) -> None:
    model = ContinualPerceptron(size=1000, similarity=similarity).realised()
    first, second = model.simulate(seed=1).teachers
    assert float(np.mean(first * second)) == pytest.approx(model.similarity, abs=1e-12)
    assert model.similarity == pytest.approx(similarity, abs=1e-3)


def test_boundaries_are_not_searched_for_where_that_takes_long() -> None:
    model = ContinualPerceptron()
    with pytest.raises(NotOfferedError):
        model.landmark("best_memory", "second_load")
    with pytest.raises(NotOfferedError):
        model.trace_landmark("no_forgetting", "first_load", "second_load", (0.1, 1.0))


@pytest.mark.parametrize(("size", "first_load"), [(16, 0.05), (24, 1.0)])
def test_few_weights_learn_as_well(size: int, first_load: float) -> None:
    """Of so few, no whole example arrives in an iteration."""
    run = ContinualPerceptron(size=size, first_load=first_load, similarity=0.9).simulate(seed=1)
    run.advance(250)
    _, series = run.series()
    assert np.isfinite(series["self_overlap"]).all()
    assert series["second_load"][-1] == pytest.approx(1.0)
    assert series["second_error"][-1] < 0.45


def test_a_memory_that_hardly_pulls_is_like_none() -> None:
    """The spread of the weights must not be a difference of ones: it is 1e-18 there."""
    weak = np.geomspace(1e-11, 1e-6, 40)
    student = ContinualPerceptron().theory(memory=weak, profiles=False).sel(branch="student")
    none = ContinualPerceptron(memory=0.0).theory(profiles=False).sel(branch="student")
    for name in ("first_error", "second_error", "entropy"):
        np.testing.assert_allclose(student[name], float(none[name]), atol=1e-5)
