"""Teacher and student: state evolution against quadrature and enumeration, message passing against state evolution."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_ndtr

from mfexplore.core import NotOfferedError
from mfexplore.models.inference.teacher_student import TeacherStudent

Z = np.linspace(-9, 9, 4001)
DZ = np.exp(-0.5 * Z * Z) / np.exp(-0.5 * Z * Z).sum()


def reference(identity: str) -> Any:
    found = [r for m in ("teacher_student_binary_sign", "teacher_student_gauss_sign", "phase_retrieval")
             for r in reference_values(m)]  # fmt: skip
    return next(r["value"] for r in found if r["id"] == identity)


@pytest.mark.parametrize("load", [1.2, 1.4])
def test_binary_perceptron(load: float) -> None:
    q, entropy, gibbs, bayes = reference(f"ts_binary_a{load}")
    theory = TeacherStudent(load=load).theory().sel(branch="uninformed")
    assert float(theory["overlap"]) == pytest.approx(q, abs=1e-9)
    assert float(theory["entropy"]) == pytest.approx(entropy, abs=1e-10)
    assert float(theory["gibbs_error"]) == pytest.approx(gibbs, abs=1e-9)
    assert float(theory["generalization_error"]) == pytest.approx(bayes, abs=1e-9)


def test_thresholds_of_the_binary_perceptron() -> None:
    assert TeacherStudent().landmark("information_threshold", "load") == pytest.approx(
        [reference("ts_binary_alphaIT")], abs=1e-9
    )
    earlier, later = reference("lit_binperc_IT")  # published values; the earlier one is right to all its digits
    assert TeacherStudent().landmark("information_threshold", "load") == pytest.approx([earlier], abs=5e-4)
    assert abs(TeacherStudent().landmark("information_threshold", "load")[0] - later) > 4e-3
    threshold, q = reference("ts_binary_alphaAlg")
    found = TeacherStudent().landmark("algorithmic_threshold", "load")
    assert found == pytest.approx([threshold], abs=1e-9)
    below = TeacherStudent(load=found[0] * (1 - 1e-11)).theory()["overlap"].sel(branch="uninformed")
    assert float(below) == pytest.approx(q, abs=2e-5)  # a square root away from the fold


@pytest.mark.parametrize("load", [0.5, 1, 10])
def test_gaussian_perceptron(load: float) -> None:
    q, error = reference(f"ts_gauss_a{load}")
    theory = TeacherStudent(load=load, prior="gaussian").equilibrium()
    assert float(theory["overlap"]) == pytest.approx(q, abs=1e-11)
    assert float(theory["generalization_error"]) == pytest.approx(error, abs=1e-11)


def test_phase_retrieval() -> None:
    weak, full, q = reference("phase_retrieval_real")
    model = TeacherStudent(channel="phase", prior="gaussian")
    assert model.landmark("weak_recovery", "load") == pytest.approx([weak])
    found = model.landmark("algorithmic_threshold", "load")
    assert found == pytest.approx([full], abs=1e-8)
    assert model.landmark("information_threshold", "load") == pytest.approx([1.0])
    below = model.theory(load=found[0] * (1 - 1e-11))["overlap"].sel(branch="uninformed")
    assert float(below) == pytest.approx(q, abs=2e-5)


# -- independent slow path -------------------------------------------------------------------------------------------


def slow_prior(prior: str, snr: float) -> float:
    return snr / (1 + snr) if prior == "gaussian" else float(DZ @ np.tanh(snr + math.sqrt(snr) * Z))


def slow_information(channel: str, q: float, noise: float) -> float:
    """E g^2 over omega and y, straight from the definition of the channel."""
    v = 1 - q + noise
    omega = math.sqrt(q) * Z
    if channel == "linear":
        return 1 / v
    if channel == "sign":
        u = omega / math.sqrt(v)
        weights = np.exp(2 * (-0.5 * u * u) - np.log(2 * math.pi) - log_ndtr(u))
        return float(2 * DZ @ weights) / v
    coarse = slice(None, None, 20)
    w, dw = omega[coarse, None], DZ[coarse] / DZ[coarse].sum()
    s = w + math.sqrt(v) * Z[coarse]
    g = (s * np.tanh(s * w / v) - w) / v
    return float(dw @ (g * g) @ dw)


def slow_overlap(model: TeacherStudent, start: float) -> float:
    q = start
    for _ in range(20_000):
        new = slow_prior(model.prior, model.load * slow_information(model.channel, q, model.noise))
        if abs(new - q) < 1e-12:
            break
        q = new
    return q


@pytest.mark.parametrize("prior", ["binary", "gaussian"])
@pytest.mark.parametrize(
    ("channel", "load", "noise"),
    [("sign", 0.8, 0.0), ("sign", 2.2, 0.4), ("phase", 0.8, 0.02), ("phase", 2.0, 0.3), ("linear", 0.5, 0.1)],
)
def test_branches_are_where_the_iteration_ends(prior: str, channel: str, load: float, noise: float) -> None:
    model = TeacherStudent(prior=prior, channel=channel, load=load, noise=noise)
    found = model.theory()["overlap"]
    assert float(found.sel(branch="uninformed")) == pytest.approx(slow_overlap(model, 1e-4), abs=1e-8)
    if noise > 0:
        assert float(found.sel(branch="informed")) == pytest.approx(slow_overlap(model, 1 - 1e-6), abs=1e-8)


@pytest.mark.parametrize(
    "controls",
    [
        {"noise": 0.01},
        {"channel": "phase", "noise": 0.1},
        {"channel": "linear", "noise": 0.05},
        {"channel": "phase", "prior": "gaussian", "noise": 0.001},
    ],
)
def test_the_fold_of_every_channel(controls: dict[str, Any]) -> None:
    """Between the spinodals two branches, outside one; at the information threshold equal entropies."""
    model = TeacherStudent(**controls)
    (low,), (middle,), (high,) = (
        model.landmark(n, "load") for n in ("informed_spinodal", "information_threshold", "algorithmic_threshold")
    )
    assert low < middle < high
    loads = np.array([low * 0.99, 0.5 * (low + middle), 0.5 * (middle + high), high * 1.01])
    theory = model.theory(load=loads)
    gap = (theory["overlap"].sel(branch="informed") - theory["overlap"].sel(branch="uninformed")).values
    assert (gap[[0, 3]] == 0).all()
    assert (gap[[1, 2]] > 1e-3).all()
    names = [model.phases[k].name for k in theory["phase"].values]
    assert names[1:] == ["impossible", "hard", "easy"]
    assert names[0] in ("impossible", "undetected")
    entropy = model.theory(load=middle)["entropy"].values
    assert entropy[0] == pytest.approx(entropy[1], abs=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.02, 9),
    st.floats(0, 1),
    st.sampled_from(["binary", "gaussian"]),
    st.sampled_from(["sign", "phase", "linear"]),
)
def test_more_data_never_hurts(load: float, noise: float, prior: str, channel: str) -> None:
    model = TeacherStudent(prior=prior, channel=channel, noise=noise)
    theory = model.theory(load=np.array([load, load * 1.05]))
    q = theory["overlap"].values
    assert (q >= 0).all()
    assert (q <= 1).all()
    assert (np.diff(q, axis=0) >= -1e-9).all()
    assert (q[:, 0] >= q[:, 1] - 1e-12).all()
    assert bool(theory["converged"].all())


@pytest.mark.parametrize("channel", ["sign", "phase", "linear"])
@pytest.mark.parametrize("prior", ["binary", "gaussian"])
def test_slope_of_the_entropy_is_the_information_of_one_more_answer(prior: str, channel: str) -> None:
    """More answers lower the entropy smoothly; the landscape has its minimum, of that height, at the solution."""
    model = TeacherStudent(prior=prior, channel=channel, noise=0.3, load=1.7)
    loads = 1.7 + np.array([-1e-4, 0, 1e-4])
    entropy = model.theory(load=loads)["entropy"].sel(branch="uninformed").values
    slope = (entropy[2] - entropy[0]) / 2e-4
    assert slope < 0
    assert abs(entropy[2] - 2 * entropy[1] + entropy[0]) < 1e-6
    landscape = model.landscape()
    best = int(np.argmin(landscape.free_energy))
    q = float(model.equilibrium()["overlap"])
    assert landscape.coordinate[best] == pytest.approx(q, abs=0.01)
    assert -landscape.free_energy[best] == pytest.approx(entropy[1], abs=1e-3)


def test_entropy_of_a_linear_channel_is_that_of_a_random_matrix(rng: np.random.Generator) -> None:
    """Gaussian prior and noise: S = -(1/2N) E ln det(1 + F'F/noise), exactly."""
    size, load, noise = 400, 0.7, 0.2
    values = []
    for _ in range(5):
        f = rng.standard_normal((int(load * size), size)) / math.sqrt(size)
        values.append(-0.5 * np.linalg.slogdet(np.eye(len(f)) + f @ f.T / noise)[1] / size)
    theory = TeacherStudent(load=load, noise=noise, prior="gaussian", channel="linear").equilibrium()
    assert float(theory["entropy"]) == pytest.approx(np.mean(values), abs=3e-3)


@pytest.mark.parametrize(("channel", "noise"), [("sign", 0.2), ("linear", 0.5), ("phase", 0.6)])
def test_entropy_and_overlap_by_enumeration(channel: str, noise: float, rng: np.random.Generator) -> None:
    """All 2^12 teachers: the posterior's entropy and Bayes error; corrections of order 1/N."""
    size, load = 12, 1.0
    states = np.array(list(itertools.product((-1.0, 1.0), repeat=size)))
    entropies, overlaps = [], []
    for _ in range(200):
        f = rng.standard_normal((int(load * size), size)) / math.sqrt(size)
        teacher = states[rng.integers(len(states))]
        s = f @ teacher + math.sqrt(noise) * rng.standard_normal(len(f))
        z = states @ f.T
        if channel == "sign":
            logs = log_ndtr(np.sign(s) * z / math.sqrt(noise))
        elif channel == "linear":
            logs = -0.5 * (s - z) ** 2 / noise
        else:
            logs = np.logaddexp(-0.5 * (s - z) ** 2 / noise, -0.5 * (s + z) ** 2 / noise)
        weight = logs.sum(axis=1)
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        entropies.append(-(weight @ np.log(weight + 1e-300)) / size)
        overlaps.append(float(np.mean((weight @ states) ** 2)))
    theory = TeacherStudent(load=load, noise=noise, channel=channel).equilibrium()
    assert np.mean(entropies) == pytest.approx(float(theory["entropy"]), abs=0.03)
    if channel != "phase":  # there x and -x are equally likely, and the mean vanishes
        assert np.mean(overlaps) == pytest.approx(float(theory["overlap"]), abs=0.05)


def test_errors_on_new_questions(rng: np.random.Generator) -> None:
    """The closed forms, from pairs of correlated normal fields."""
    q = 0.6
    teacher, other = rng.standard_normal((2, 400_000))
    student = q * teacher + math.sqrt(q - q * q) * other  # the posterior mean's field: variance q, overlap q
    twin = q * teacher + math.sqrt(1 - q * q) * other  # a sample of the posterior
    sign, phase = TeacherStudent(), TeacherStudent(channel="phase")
    assert np.mean(teacher * student < 0) == pytest.approx(float(sign.error_of_new(math.sqrt(q), q, 1 - q)), abs=2e-3)
    assert np.mean(teacher * twin < 0) == pytest.approx(math.acos(q) / math.pi, abs=2e-3)
    a = (1 - q) ** 0.5
    guess = a * math.sqrt(2 / math.pi) * np.exp(-0.5 * (student / a) ** 2) + student * np.vectorize(math.erf)(
        student / (a * math.sqrt(2))
    )
    squared = np.mean((np.abs(teacher) - guess) ** 2)
    assert squared == pytest.approx(float(phase.error_of_new(math.sqrt(q), q, 1 - q)), abs=3e-3)


# -- message passing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [
        {"load": 1.0},
        {"load": 1.7},
        {"load": 2.0, "noise": 0.3},
        {"load": 3.0, "prior": "gaussian"},
        {"load": 0.6, "noise": 0.3, "channel": "linear"},
        {"load": 0.5, "noise": 0.1, "channel": "linear", "prior": "gaussian"},
        {"load": 1.2, "noise": 0.2, "start": "informed"},
        {"load": 2.0, "noise": 0.1, "channel": "phase", "prior": "gaussian", "start": "informed"},
    ],
)
def test_message_passing_follows_state_evolution(controls: dict[str, Any]) -> None:
    gaps = []
    for size, samples in ((200, 4), (2000, 3)):
        found = []
        for seed in range(samples):
            model = TeacherStudent(size=size, **controls)
            run = model.simulate(seed=seed)
            start = run.observe()
            run.advance(12)
            times, series = run.series()
            path = model.predicted_path(start, times)
            found.append(max(float(np.abs(path[n] - series[n]).mean()) for n in path))
        gaps.append(float(np.mean(found)))
    assert gaps[1] < 0.6 * gaps[0] + 1e-3
    assert gaps[1] < 0.02


def test_phase_retrieval_finds_the_teacher_up_to_its_sign() -> None:
    run = TeacherStudent(load=1.5, channel="phase", prior="gaussian", size=3000).simulate(seed=3)
    run.advance(100)
    assert run.observe()["overlap"] == pytest.approx(1, abs=1e-4)
    assert run.observe()["mean_squared_error"] < 1e-4


def test_half_blind_phase_retrieval_meets_theory_as_it_grows() -> None:
    """At load 1.08 the landscape is so flat that 700 unknowns fall short of the plateau, and 2500 hardly do."""
    model = TeacherStudent.preset("phase retrieval, hard")
    plateau = float(model.theory()["overlap"].sel(branch="uninformed"))
    gaps = []
    for size, samples in ((700, 8), (2500, 4)):
        runs = [model.replace(size=size).simulate(seed=seed) for seed in range(samples)]
        for run in runs:
            run.advance(60)
        overlaps = [run.observe()["overlap"] for run in runs]
        error = float(np.std(overlaps, ddof=1)) / math.sqrt(samples)
        gaps.append((abs(float(np.mean(overlaps)) - plateau), error))
    assert gaps[1][0] < 4 * gaps[1][1] + 0.02
    assert gaps[1][0] < gaps[0][0]


def test_the_hard_phase_has_two_ends() -> None:
    """At load 1.35 message passing from nothing stays low, from the teacher it stays at the teacher."""
    model = TeacherStudent(load=1.35, size=2000)
    low = float(model.theory()["overlap"].sel(branch="uninformed"))
    for start, expected in (("uninformed", low), ("informed", 1.0)):
        run = model.replace(start=start).simulate(seed=2)
        run.advance(60)
        assert run.observe()["overlap"] == pytest.approx(expected, abs=0.05)


def test_success_is_lasting() -> None:
    """Once every weight is certain the run ends; it must not divide 0 by 0 and forget."""
    run = TeacherStudent(load=2.0, size=1000).simulate(seed=1)
    run.advance(200)
    assert run.finished
    assert run.observe()["overlap"] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    "controls", [{"load": 1.0}, {"load": 2.0, "prior": "gaussian"}, {"load": 1.5, "channel": "linear", "noise": 0.3}]
)
def test_the_effective_noise_obeys_the_law(controls: dict[str, Any]) -> None:
    """Normal, of the predicted variance, and independent of the teacher: that is what the Onsager term is for."""
    model = TeacherStudent(size=2000, **controls)
    run = model.simulate(seed=6)
    run.advance(40)
    law = model.law()
    variance = float(np.trapezoid(law.density * law.values**2, law.values))
    assert np.trapezoid(law.density, law.values) == pytest.approx(1, abs=1e-5)
    noise = run.samples()
    assert np.var(noise) == pytest.approx(variance, rel=0.08)
    assert abs(np.corrcoef(noise, run.teacher)[0, 1]) < 4 / math.sqrt(2000)
    assert np.mean(noise**4) / np.var(noise) ** 2 == pytest.approx(3, abs=0.4)


def test_there_is_no_law_where_nothing_is_learnt_or_everything() -> None:
    with pytest.raises(NotOfferedError):
        TeacherStudent(channel="phase", load=0.3).law()
    with pytest.raises(NotOfferedError):
        TeacherStudent(load=2.0).law()


def test_the_landscape_reaches_the_teacher() -> None:
    """Where the data determine the teacher without a doubt, it is the lowest point, of free energy zero."""
    for load in (1.35, 2.0):
        landscape = TeacherStudent(load=load).landscape()
        best = int(np.argmin(landscape.free_energy))
        assert landscape.coordinate[best] == 1
        assert landscape.free_energy[best] == 0


@pytest.mark.parametrize("channel", ["sign", "phase", "linear"])
def test_the_shown_noises_end_above_the_last_transition(channel: str) -> None:
    model = TeacherStudent(channel=channel)
    low, high = model.range(model.plane("load", "noise"), "y")
    assert low == 0
    assert model.replace(noise=0.7 * high).landmark("algorithmic_threshold", "load").size == 1
    assert model.replace(noise=high).landmark("algorithmic_threshold", "load").size == 0


def test_without_a_transition_everything_is_shown() -> None:
    model = TeacherStudent(prior="gaussian")
    plane = model.plane("load", "noise")
    assert model.range(plane, "x") == (0.01, 10.0)
    assert model.range(plane, "y") == (0.0, 1.0)
    assert model.landmark("algorithmic_threshold", "load").size == 0


def test_thresholds_along_the_noise() -> None:
    """Solved for from the thresholds along the load, up to where the fold ends."""
    model = TeacherStudent(channel="linear", load=0.63)
    (noise,) = model.landmark("algorithmic_threshold", "noise")
    assert model.replace(noise=noise).landmark("algorithmic_threshold", "load") == pytest.approx([0.63], abs=1e-9)
    assert model.replace(load=0.7).landmark("algorithmic_threshold", "noise").size == 0
