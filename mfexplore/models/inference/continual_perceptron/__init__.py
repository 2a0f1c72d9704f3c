r"""Continual perceptron: a student with binary weights learns a second task, remembering the first only by its fields.

Two teachers $w^1,w^2\in\{-1,1\}^N$ with the *similarity* $r_0=w^1\!\cdot w^2/N$ label random questions,
$y=\mathrm{sign}(F\cdot w^a)$, $F_i\sim\mathcal N(0,1/N)$. From $\alpha_1N$ answers of the first teacher the student
learns all it can (the Bayes-optimal mean, by message passing). Then the data are thrown away. What is left is one field
per weight, which for large $N$ is the teacher seen through noise,

$$\theta_i=R_1w^1_i+\sqrt{R_1}\,z_i,\qquad R_1=\alpha_1I(q_1),\quad q_1=\mathbb E\tanh(R_1+\sqrt{R_1}\,z) \tag{1}$$

Second come $\alpha_2N$ answers of the second teacher. The memory is the prior of the students that fit them all,

$$P(w)\propto e^{\lambda\,\theta\cdot w}\prod_{\mu}\Theta\big(y_\mu F_\mu\!\cdot w\big) \tag{2}$$

with the *memory strength* $\lambda$: at 0 the student starts afresh, at 1 it trusts its memory as Bayes would if the
teachers were one. The fields may be many, but the data of the first task, which they stand for, never come again.

**Theory.** Overlaps $m_a=w^a\!\cdot\langle w\rangle/N$ and $q=\langle w\rangle^2/N$ make the free entropy

$$\Phi=-\hat mm_2-\tfrac12\hat q(1-q)+\mathbb E\ln2\cosh h+2\alpha_2\,\mathbb E_\omega H(-c)\ln H(-u) \tag{3}$$

stationary. A weight feels $h=\lambda R_1s+\hat m+z\sqrt{\lambda^2R_1+\hat q}$ (in units of its second teacher), where
$s=\pm1$ tells whether the teachers agree, with probability $(1\pm r_0)/2$:

$$q=\mathbb E\tanh^2h,\quad m_2=\mathbb E\tanh h,\quad m_1=\mathbb E\,s\tanh h \tag{4}$$

and with $\omega\sim\mathcal N(0,q)$, $u=\omega/\sqrt{1-q}$, $c=\frac{m_2}q\omega/\sqrt{1-m_2^2/q}$, and
$g=\phi/H$

$$\hat q=\frac{2\alpha_2}{1-q}\,\mathbb E_\omega H(-c)\,g(-u)^2,\qquad
\hat m=\frac{2\alpha_2}{\sqrt{(1-q)(1-m_2^2/q)}}\,\mathbb E_\omega\,\phi(c)\,g(-u) \tag{5}$$

A new question of task $a$ is answered wrongly with probability

$$\epsilon_a=\frac1\pi\arccos\frac{m_a}{\sqrt q} \tag{6}$$

**Forgetting** is the growth of $\epsilon_1$ while the second task is learnt. It is none if the teachers are similar
enough: then the second task even helps the first. **The cure** is the memory strength: too little forgets, too much
learns nothing new, and the best lies far below 1 unless the teachers are nearly the same.

**The potential.** $\lambda$ is conjugate to the overlap with the memory, $p=\theta\cdot\langle w\rangle/N
=R_1[m_1+\lambda(1-q)]$, so that

$$V(p)=\Phi-\lambda p \tag{7}$$

is the *Franz-Parisi potential*: the entropy of those students who fit the second task and have the overlap $p$ with
what was learnt before. Eq. (2) maximises $V(p)+\lambda p$.

**Algorithm.** Message passing obeys (4)-(5) as a recursion at every step, also while the examples are still arriving.
It ends on the branch *student*. The second *teacher* himself is always another solution; from some load on the student
finds him.

**Valid:** as $N\to\infty$. Message passing does what these equations say wherever they are stable. That they count
students is true only while $V\ge0$: where a strong memory contradicts the new task, fewer than one student has that
overlap, replica symmetry is broken, and (2) freezes into a few students. Then the equations describe the mean weights
that the algorithm finds, no longer the $\pm1$ students themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.models.inference.continual_perceptron import theory
from mfexplore.models.inference.continual_perceptron.dynamics import TwoTasks
from mfexplore.models.inference.continual_perceptron.theory import NEAR, PACE, SETTLING, State

STUDENT, TEACHER = range(2)
FORGETTING = core.View(series="first_error")


@dataclass(frozen=True)
class ContinualPerceptron(core.Model):
    first_load: float = core.control(
        1.0, 0.05, 1.4, symbol=r"\alpha_1", unit="M_1/N", role="load", step=0.01, quenched=True,
        doc="examples of the first task, per weight; their data are gone when the second begins",
    )  # fmt: skip
    second_load: float = core.control(
        1.0, 0.01, 2.0, symbol=r"\alpha_2", unit="M_2/N", role="load", step=0.01, quenched=True,
        doc="examples of the second task, per weight",
    )  # fmt: skip
    similarity: float = core.control(
        0.5, -1.0, 1.0, symbol="r_0", role="disorder", step=0.01, quenched=True,
        doc="overlap of the two teachers: 1 if they are the same, 0 if they have nothing to do with each other",
    )  # fmt: skip
    memory: float = core.control(
        0.5, 0.0, 2.0, symbol=r"\lambda", role="coupling", step=0.01,
        doc="strength of the memory: how much the fields of the first task count as a prior in the second",
    )  # fmt: skip
    size: int = core.control(
        2025, 16, 10_000, symbol="N", role="size", scale="log", part="simulation",
        doc="weights of the simulated student",
    )  # fmt: skip

    tags = core.Tags("research", 25, ("learning", "memory"), ("replicas",))
    relations = (
        core.Relation(
            "builds on", "teacher_student",
            "Its first task is learnt as the binary student learns there; what it keeps of it is one field for each "
            "weight.",
            there={"prior": "binary", "channel": "sign"},
        ),
    )  # fmt: skip
    title = "Continual perceptron"
    summary = "A student learns a second task and forgets the first, unless its memory pulls just hard enough."
    sources = (
        core.Source(
            "C. Li, Z. Huang, W. Zou, H. Huang, Phys. Rev. E 108, 014309 (2023)", doi="10.1103/PhysRevE.108.014309",
            arxiv="2212.02846",
        ),
        core.Source("S. Franz, G. Parisi, J. Phys. I France 5, 1401 (1995)", doi="10.1051/jp1:1995201"),
        core.Source("G. Györgyi, Phys. Rev. A 41, 7097 (1990)", doi="10.1103/PhysRevA.41.7097"),
        core.Source("J. Barbier et al., PNAS 116, 5451 (2019)", doi="10.1073/pnas.1802705116", arxiv="1708.03395"),
    )  # fmt: skip
    observables = (
        core.Observable("first_error", r"\epsilon_1", "error on a new question of the first task", low=0, high=0.5),
        core.Observable("second_error", r"\epsilon_2", "error on a new question of the second task", low=0, high=0.5),
        core.Observable("mean_error", r"\bar\epsilon", "mean of the errors on both tasks", low=0, high=0.5),
        core.Observable(
            "forgetting", r"\Delta\epsilon_1", "growth of the error on the first task while the second is learnt; "
            "negative where the second task helps the first", low=-0.25, high=0.25, signed=True,
        ),
        core.Observable("first_overlap", "m_1", "overlap with the first teacher", low=-1, high=1, signed=True),
        core.Observable("second_overlap", "m_2", "overlap with the second teacher", low=-1, high=1, signed=True),
        core.Observable("self_overlap", "q", "mean square of the mean weights", low=0, high=1),
        core.Observable(
            "memory_overlap", r"p/\overline{|\theta|}", "overlap with the memory: 1 if every weight has the sign of "
            "its field", low=-1, high=1, signed=True,
        ),
        core.Observable(
            "entropy", "V", "Franz-Parisi potential, eq. (7): entropy per weight of students with this overlap with "
            "the memory", low=-0.3, high=math.log(2), signed=True,
        ),
        core.Observable("free_entropy", r"\Phi", "logarithm of the norm of eq. (2), per weight"),
    )  # fmt: skip
    branches = (
        core.Branch("student", "what message passing reaches from the memory"),
        core.Branch("teacher", "the second teacher himself, exactly"),
    )
    phases = (
        core.Phase("mastery", "The student finds the second teacher exactly, and so what he shares with the first."),
        core.Phase("transfer", "The second task helps: the student knows more of the first than before."),
        core.Phase("forgetting", "The second task costs some of the first."),
    )  # fmt: skip
    failures = (
        core.Failure(
            "instability", "Replica symmetry is unstable: message passing does not settle, and the equations are only "
            "an approximation.",
        ),
        core.Failure(
            "metastability", "The second teacher has the larger free entropy: the data determine him, but message "
            "passing does not find him.",
        ),
        core.Failure(
            "freezing", "The entropy is negative: fewer than one student has this overlap with the memory. The "
            "equations describe the mean weights of message passing, no longer the students.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "no_forgetting", r"\epsilon_1=\epsilon_1^{\rm before}", "the second task leaves the first as it was",
            of="similarity",
        ),
        core.Landmark(
            "best_memory", r"\min_\lambda\bar\epsilon", "the memory strength of the least mean error",
            continuous=False, of="memory",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("second_load", "similarity", "forgetting", "student", y_range=(0.0, 1.0), along="x", finest=129),
        core.Plane("similarity", "memory", "mean_error", "student", x_range=(0.0, 1.0), along="y", finest=129),
    )
    presets = (
        core.Preset(
            "both tasks", {"similarity": 0.5, "memory": 0.5},
            "The memory pulls just hard enough: while the second task is learnt the error on the first grows by 0.08, "
            "not by 0.15, and both end at 0.312 and 0.216; who starts afresh has 0.378 and 0.231.",
            (core.Promise(core.Value("forgetting", "student"), 0.082, 0.001),
             core.Promise(core.Value("forgetting", "student"), 0.147, 0.001, {"memory": 0.0}),
             core.Promise(core.Value("first_error", "student"), 0.312, 0.001),
             core.Promise(core.Value("second_error", "student"), 0.216, 0.001),
             core.Promise(core.Value("first_error", "student"), 0.378, 0.001, {"memory": 0.0}),
             core.Promise(core.Value("second_error", "student"), 0.231, 0.001, {"memory": 0.0}),
             core.Promise(core.Mean("first_error", 160, 170), 0.312, 0.02)),
            core.View(series="forgetting"),
        ),
        core.Preset(
            "catastrophe", {"similarity": 0.0, "memory": 0.0},
            "The first task is learnt to an error of 0.23. Then the second begins, and at once all is forgotten.",
            (core.Promise(core.Mean("first_error", 89, 90), 0.23, 0.02),
             core.Promise(core.Mean("first_error", 160, 170), 0.5, 0.02)),
            FORGETTING,
        ),
        core.Preset(
            "the second task helps", {"first_load": 0.8, "second_load": 0.8, "similarity": 0.9, "memory": 0.9},
            "Without a further example of the first task its error falls from 0.264 to 0.205: alike teachers teach "
            "for each other.",
            (core.Promise(core.Value("forgetting", "student"), 0.205 - 0.264, 0.001),
             core.Promise(core.Value("first_error", "student"), 0.205, 0.001)),
            FORGETTING,
        ),
        core.Preset(
            "how strong a memory", {"similarity": 0.3, "memory": 1.5},
            "Pull the memory strength down: the student moves along the curve of the trade-off, best for both at 0.43.",
            (core.Promise(core.Crossing("best_memory", "memory"), 0.43, 0.005),),
            core.View(plane=("similarity", "memory"), colour="mean_error", series="mean_error", picture="trade-off"),
        ),
        core.Preset(
            "stubborn", {"similarity": 0.0, "memory": 2.0},
            "Trusted twofold, the memory contradicts the examples: no student fits both, and message passing trembles "
            "for ever.",
            (core.Promise(core.Value("entropy", "student"), -0.222, 0.001),),
            core.View(plane=("similarity", "memory"), colour="entropy", series="second_error"),
        ),
        core.Preset(
            "mastery", {"similarity": 0.9, "second_load": 1.3, "memory": 0.8},
            "A fresh student finds a teacher exactly from 1.49 examples per weight on, this one from 1.23 on: all "
            "of the second task, and of the first what the teachers share.",
            (core.Promise(core.Value("second_error", "student"), 0.0, 1e-9, {"second_load": 1.235}),
             core.Promise(core.Value("second_error", "student"), 0.08, 0.03, {"second_load": 1.22}),
             core.Promise(core.Value("second_error", "student"), 0.0, 1e-9, {"memory": 0.0, "second_load": 1.495})),
            FORGETTING,
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "load at which no other perceptron fits, starting afresh: the entropy there", 0.0, 5e-4,
            "Györgyi 1990: 1.245", core.Value("entropy", "student"), {"memory": 0.0, "second_load": 1.245},
            published=True,
        ),
        core.Reference(
            "overlap of a fresh student at load 1.2", 0.6686613798669829, 1e-10, "state evolution iterated",
            core.Value("self_overlap", "student"), {"memory": 0.0, "second_load": 1.2},
        ),
        core.Reference(
            "the same teacher twice, loads 0.6: overlap", 0.5925997369499887, 1e-9, "eqs. (4)-(5) by plain sums",
            core.Value("self_overlap", "student"),
            {"first_load": 0.6, "second_load": 0.6, "similarity": 1.0, "memory": 1.0},
        ),
        core.Reference(
            "similarity that leaves the first task as it was, loads 1, memory 1", 0.749340, 1e-5,
            "independent code", core.Crossing("no_forgetting", "similarity"), {"memory": 1.0},
        ),
        core.Reference(
            "best memory strength for independent teachers, loads 1", 0.33184, 1e-4, "independent code",
            core.Crossing("best_memory", "memory"), {"similarity": 0.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Two teachers agree in three quarters of their weights (similarity 0.5). Were they one, a Bayesian "
            "would trust the memory with strength 1. Which strength gives the least mean error here?",
            {"similarity": 0.5, "memory": 1.0}, "memory", core.Crossing("best_memory", "memory"), 0.1,
            "About one half, the similarity itself: the field of a weight tells of the second teacher only as far as "
            "the two agree.",
            view=core.View(plane=("similarity", "memory"), colour="mean_error", picture="trade-off"),
        ),
        core.Task(
            "With memory strength 1 and one example per weight of each task: how similar must the teachers be, so that "
            "nothing of the first task is forgotten?",
            {"memory": 1.0, "similarity": 0.4}, "similarity", core.Crossing("no_forgetting", "similarity"), 0.06,
            "0.75: the teachers may differ in every eighth weight, and the second task makes good what it spoils.",
        ),
    )  # fmt: skip
    simulation = TwoTasks

    @property
    def examples(self) -> tuple[int, int]:
        """M of both tasks, at least one each."""
        return self.counted("first_load", self.size), self.counted("second_load", self.size)

    @property
    def disagreements(self) -> int:
        """Weights in which the teachers differ."""
        return round(0.5 * self.size * (1 - self.similarity))

    def realised(self) -> ContinualPerceptron:
        first, second = (count / self.size for count in self.examples)
        similarity = 1 - 2 * self.disagreements / self.size
        return self.with_simulated(first_load=first, second_load=second, similarity=similarity)

    def schedule(self, iteration: int) -> tuple[int, float]:
        """The task that a run is at in an iteration (from 0), and the examples per weight that have arrived by then."""
        first = self.iterations_of_first
        if iteration < first:
            return 1, min(self.first_load, PACE * (iteration + 1))
        return 2, min(self.second_load, PACE * (iteration + 1 - first))

    @property
    def iterations_of_first(self) -> int:
        return math.ceil(self.first_load / PACE) + SETTLING

    def student(self, points: Points, **changes: Array | float) -> State:
        """The student at points, some of whose columns may be changed."""
        given = np.broadcast_arrays(*(changes.get(n, points[n]) for n in ("memory", "similarity", "second_load")))
        strength, similarity, load = (np.array(column, np.float64) for column in given)
        snr = np.broadcast_to(theory.first_snr(points["first_load"]), load.shape).copy()
        state = State(*np.empty((len(State._fields), load.size)))
        theory.learn(strength, snr, similarity, load, state)
        return state

    def solve(self, points: Points) -> core.Solution:
        state = self.student(points)
        r0, snr = points["similarity"], theory.first_snr(points["first_load"])
        one, zero = np.ones_like(r0), np.zeros_like(r0)
        first, second = theory.error_of(state.first, state.overlap), theory.error_of(state.second, state.overlap)
        before, shared = theory.error_before(snr), theory.error_of(r0, one)
        scale = theory.mean_size(snr)
        pairs = {
            "first_error": (first, shared),
            "second_error": (second, zero),
            "mean_error": (0.5 * (first + second), 0.5 * shared),
            "forgetting": (first - before, shared - before),
            "first_overlap": (state.first, r0),
            "second_overlap": (state.second, one),
            "self_overlap": (state.overlap, one),
            "memory_overlap": (state.memory / scale, snr * r0 / scale),
            "entropy": (state.entropy, zero),
            "free_entropy": (state.free_entropy, points["memory"] * snr * r0),
        }
        values = {name: np.stack(pair, axis=-1) for name, pair in pairs.items()}
        learning = state.overlap < 1
        return core.Solution(
            values,
            np.stack([state.residual, zero], axis=-1),
            stable=np.stack([state.replicon > 0, one > 0], axis=-1),
            iterations=np.stack([state.steps, zero], axis=-1).astype(np.int64),
            fails={
                "instability": self.on("student", state.replicon < 0),
                "metastability": self.on("student", learning & np.less(*values["free_entropy"].T)),
                "freezing": self.on("student", learning & (state.entropy < 0)),
            },
        )

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        q, m1, m2, r0, strength = (
            *(state[n] for n in ("self_overlap", "first_overlap", "second_overlap")), self.similarity, self.memory
        )  # fmt: skip
        if state["branch"] == "teacher" or q == 1:
            return {}
        snr = float(theory.first_snr(np.array([self.first_load]))[0])
        z = np.linspace(-9, 9, 4001)
        weight = np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum()
        before = float(weight @ np.tanh(snr + math.sqrt(snr) * z))
        noise, pull, potential = (self.second_load * value for value in theory.answers_again(q, m2))
        field = {s: strength * snr * s + pull + z * math.sqrt(strength**2 * snr + noise) for s in (1, -1)}
        share = {s: 0.5 * (1 + s * r0) * weight for s in (1, -1)}
        mean = {s: share[s] @ np.tanh(field[s]) for s in (1, -1)}
        free = sum(share[s] @ np.logaddexp(field[s], -field[s]) for s in (1, -1))
        free += potential - pull * m2 - 0.5 * noise * (1 - q)
        overlap = snr * (m1 + strength * (1 - q))
        return {
            "(1)": self.first_load * theory.answers_again(before, before)[0] / snr - 1,
            "(3)": state["free_entropy"] - free,
            "(4) q": q - sum(share[s] @ np.tanh(field[s]) ** 2 for s in (1, -1)),
            "(4) m1": m1 - (mean[1] - mean[-1]),
            "(4) m2": m2 - (mean[1] + mean[-1]),
            "(6)": math.cos(math.pi * state["first_error"]) - m1 / math.sqrt(q),
            "(7)": state["entropy"] - free + strength * overlap,
        }

    def select(self, points: Points, solution: core.Solution) -> Array:
        return np.full(points["memory"].shape, STUDENT)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        forgetting = states.value("forgetting", "student")
        return {
            "mastery": states.value("self_overlap", "student") == 1,
            "transfer": forgetting <= 0,
            "forgetting": forgetting > 0,
        }

    def boundary(self, name: str, points: Points) -> tuple[Array, Array]:
        before = theory.error_before(theory.first_snr(points["first_load"]))
        along = self.declared_landmark(name).of

        def errors(values: Array, k: Array) -> tuple[Array, Array]:
            state = self.student({n: column[k] for n, column in points.items()}, **{along: values})
            learning = np.where(state.overlap < 1, 1.0, np.nan)
            first, second = (learning * theory.error_of(m, state.overlap) for m in (state.first, state.second))
            return first, second

        def growth(similarity: Array, k: Array) -> Array:
            return errors(similarity, k)[0] - before[k]

        def slope(memory: Array, k: Array) -> Array:
            return sum(errors(memory + NEAR, k)) - sum(errors(memory - NEAR, k))  # type: ignore[return-value]

        return theory.root(growth if name == "no_forgetting" else slope, self.control(along), before.size)

    def landmark(self, name: str, along: str) -> Array:
        """Along its own control only: elsewhere every place is a search."""
        if along != self.declared_landmark(name).of:
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        return super().landmark(name, along)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        if self.declared_landmark(name).of not in (x, y):
            raise core.NotOfferedError(self.title, f"{name} in the plane ({x}, {y})")
        return super().trace_landmark(name, x, y, x_range)

    def trade_off(self) -> tuple[Array, Array, Array]:
        """Memory strengths and the errors on both tasks at them, shape (n,)."""
        return theory.trade_off(self.replace(memory=0.0, size=16))

    def landscape(self) -> core.Landscape:
        strengths = np.linspace(-4.0, 4.0, 81)
        points = columns(self, {})
        state = self.student(points, memory=strengths)
        there = (state.overlap < 1) & (state.residual <= self.tolerance)
        overlap, entropy = state.memory[there], state.entropy[there]
        scale = theory.mean_size(theory.first_snr(points["first_load"]))
        return core.Landscape(
            "memory_overlap", overlap / scale, -entropy - self.memory * overlap, ("student",),
            title="Franz-Parisi potential", rivals=(("without the memory", -entropy),),
        )  # fmt: skip

    def law(self) -> core.Law:
        return self.laws(1000.0)[0]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        return theory.fields(self, max(1, round(time)))

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        steps = int(np.max(times, initial=0.0)) + 1
        path = theory.path(self, steps)
        q, m1, m2 = (np.interp(times, np.arange(steps + 1), column) for column in path.T[:3])
        first, second = theory.error_of(m1, q), theory.error_of(m2, q)
        before = theory.error_before(theory.first_snr(np.array([self.first_load])))
        return {
            "first_error": first, "second_error": second, "mean_error": 0.5 * (first + second),
            "forgetting": np.where(times > self.iterations_of_first, first - before, 0.0),
            "first_overlap": m1, "second_overlap": m2, "self_overlap": q,
        }  # fmt: skip

    def caveat(self) -> str:
        state = self.student(columns(self, {}))
        if state.replicon[0] < 0:
            return "replica symmetry is unstable here, and message passing does not settle"
        return "finite size, or a threshold nearby, where message passing takes many iterations"

    def footprint(self) -> int:
        return 4 * self.size * max(self.examples) + 400 * self.size
