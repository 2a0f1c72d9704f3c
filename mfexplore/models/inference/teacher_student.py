r"""Teacher and student: recovering a teacher's weights from labels, with the best algorithm and in principle.

A teacher $x\in\mathbb R^N$ with independent components, $x_i=\pm1$ (*binary*) or $x_i\sim\mathcal N(0,1)$ (*gaussian*),
answers $M=\alpha N$ random questions $F_\mu$, $F_{\mu i}\sim\mathcal N(0,1/N)$:

$$y_\mu=\varphi\big(F_\mu\!\cdot x+\sqrt\Delta\,\xi_\mu\big) \tag{1}$$

with $\varphi(s)=\mathrm{sign}\,s$, or $|s|$ (*phase*), or $s$ (*linear*), and $\xi_\mu\sim\mathcal N(0,1)$. The
student knows prior, channel, $F$ and $y$ and asks for the posterior mean. In the large system its overlap with the
teacher, $q=x\cdot\langle x\rangle/N$, makes the free entropy

$$\Phi(q)=\psi_P(R)-\tfrac12Rq+\alpha\,\psi_{\rm out}(q) \tag{2}$$

stationary, where $R$ is the signal-to-noise ratio of an effective scalar channel $h=Rx+\sqrt R\,z$:

$$q=\mathbb E\tanh(R+\sqrt R\,z)\;\;[\textrm{binary}],\qquad q=\frac R{1+R}\;\;[\textrm{gaussian}] \tag{3}$$

$$R=\alpha\,I(q),\qquad I=\frac{J(\rho)}v,\qquad v=1-q+\Delta,\quad\rho=\frac qv \tag{4}$$

The channel enters through one function: with $u\sim\mathcal N(0,\rho)$ and $s\sim\mathcal N(u,1)$

$$J=\mathbb E\frac{\phi(u)^2}{H(u)H(-u)}\;[\textrm{sign}],\quad
J=1-\mathbb E\,s^2\,\mathrm{sech}^2(us)\;[\textrm{phase}] \tag{5}$$

and $J=1$ for the linear channel. The potential $\psi_{\rm out}$ is $2\,\mathbb E\,H(u)\ln H(u)$ for sign,
$-\frac12\ln v$ for linear and $-\frac12\ln v+\mathbb E\ln(1+e^{-2us})$ for phase.

**Algorithm.** Generalised approximate message passing (GAMP) obeys the *state evolution* $R_{t+1}=\alpha I(q(R_t))$ at
every step. Started without knowledge it reaches the first fixed point (branch *uninformed*), started at the teacher the
last one (*informed*). Which of them is the truth, the larger $\Phi$ decides; equivalently the larger posterior entropy

$$S=S_P+\alpha\,[\psi_{\rm out}(q)-\psi_{\rm out}(1)] \tag{6}$$

with $S_P=\frac12R(1-q)+\overline{s(h)}$ for binary and $\frac12[R(1-q)-\ln(1+R)]$ for gaussian teachers ($s(h)$:
entropy of a spin in the field $h$; for gaussian teachers the entropy relative to the prior). Where the informed
branch takes over lies the *information-theoretic threshold*; where the uninformed one ends, the *algorithmic* one. In
between learning is possible and, as far as anyone knows, *hard*.

A new question is answered wrongly with probability $\arccos(\sqrt q)/\pi$ (sign) or with the mean squared error
$1-q$ (linear), $1-\frac2\pi(\sqrt{1-q^2}+q\arcsin q)$ (phase). One sample of the posterior instead of its mean errs
with $\arccos(q)/\pi$ (Gibbs).

**Valid:** everywhere as $N\to\infty$: the student is Bayes-optimal, replica symmetry cannot break. At finite $N$
deviations are of order $N^{-1/2}$, and metastable states live for a number of iterations that grows with $N$. For
*phase* and *linear* without noise the numbers are those of $\Delta=10^{-12}$ (measured to twelve digits), the
thresholds those of the limit $\Delta\to0$. The sign of the teacher cannot be known from *phase*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import log_ndtr

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.message_passing.algorithm import STARTS, MessagePassing, noise_law, projections, random_matrix
from mfexplore.families.message_passing.bayes_optimal import BayesOptimal, State
from mfexplore.families.message_passing.channels import CHANNELS, LOWEST_NOISE, answers, effective_noise, respond
from mfexplore.families.message_passing.priors import PRIORS, draw, posterior
from mfexplore.families.message_passing.state_evolution import hardness

INFORMED, UNINFORMED = range(2)
ERROR = core.View(colour="generalization_error", series="generalization_error")
NO_NOISE = 1e-9  # an effective noise below it means that the teacher was found


@lru_cache(maxsize=8)
def last_fold(evolution: BayesOptimal) -> float:
    """The largest noise, within some per cent, at which the state evolution has a fold; 0 if it never has."""
    noise = np.geomspace(1e-3, 1.0, 65)
    folded = evolution.at(noise).uninformed_spinodal()[1]
    return float(noise[folded].max(initial=0.0))


class GeneralisedMessagePassing(core.Simulation["TeacherStudent"]):
    """GAMP for one teacher and one set of questions."""

    time_unit = "iterations"
    relaxation, window = 200.0, 0.0

    def prepare(self) -> None:
        m = self.model
        n, rows = m.size, m.examples
        self.teacher = draw(m.prior, n, self.rng)
        matrix = random_matrix(self.rng, rows, n)
        seen = projections(matrix, self.teacher) + math.sqrt(m.noise) * self.rng.standard_normal(rows)
        self.answers = answers(m.channel, seen)
        # A hint, as from a scalar channel of this signal-to-noise ratio: phase alone cannot tell x from -x.
        hint = 30.0 if m.start == "informed" else 0.01 if m.channel == "phase" else 0.0
        field = hint * self.teacher + math.sqrt(hint) * self.rng.standard_normal(n)
        self.passing = MessagePassing(matrix, *posterior(m.prior, field, hint))
        self.seen = self.passing.mean

    @property
    def orientation(self) -> float:
        """-1 where phases have led to the negative of the teacher, which answers alike."""
        return -1.0 if self.model.channel == "phase" and float(np.mean(self.teacher * self.passing.mean)) < 0 else 1.0

    def evolve(self, duration: float) -> None:
        m = self.model
        noise = float(effective_noise(m.channel, np.array(m.noise)))
        for _ in range(round(duration)):
            if self.finished:
                return
            omega, v = self.passing.forward()
            g, slopes = np.empty_like(omega), np.empty_like(omega)
            total = max(v + noise, LOWEST_NOISE)
            curvature, square = respond(CHANNELS.index(m.channel), self.answers, omega, total, g, slopes)
            # Equal on average for the Bayes-optimal student. The first is more accurate, but may be negative for phase.
            self.seen, s = self.passing.backward(g, curvature if curvature > 0 else max(square, 1e-12))
            self.passing.accept(*posterior(m.prior, self.seen / s, 1 / s))

    @property
    def finished(self) -> bool:
        # Once binary weights are certain no question is left in doubt, and the next step would divide 0 by 0.
        certain = self.model.prior == "binary" and self.passing.variance * self.teacher.size < 1e-3
        return certain or self.passing.change < 1e-14

    def observe(self) -> dict[str, float]:
        x, a = self.teacher, self.passing.mean
        overlap, sign = float(np.mean(x * a)), self.orientation
        error = float(np.mean((x - sign * a) ** 2))
        cosine = sign * overlap / math.sqrt(max(float(np.mean(a * a)) * float(np.mean(x * x)), 1e-300))
        return {
            "overlap": sign * overlap,
            "mean_squared_error": error,
            "generalization_error": float(self.model.error_of_new(min(max(cosine, -1.0), 1.0), sign * overlap, error)),
        }

    def samples(self, observable: str | None = None) -> Array:
        """What the effective scalar channel adds to the teacher."""
        return self.seen - self.orientation * self.teacher

    def picture(self) -> core.Patterns:
        student = self.orientation * self.passing.mean
        reach = 1.0 if self.model.prior == "binary" else 2.5
        return core.Patterns((("teacher", core.square(self.teacher)), ("student", core.square(student))), -reach, reach)


@dataclass(frozen=True)
class TeacherStudent(core.Model):
    load: float = core.control(
        1.35, 0.01, 10.0, symbol=r"\alpha", unit="M/N", role="load", step=0.01, quenched=True,
        doc="answered questions, per weight of the teacher",
    )  # fmt: skip
    noise: float = core.control(
        0.0, 0.0, 1.0, symbol=r"\Delta", role="temperature", step=0.001, quenched=True,
        doc="variance of the noise inside the channel",
    )  # fmt: skip
    prior: str = core.choice("binary", PRIORS, doc="the teacher's weights: +1 and -1, or normally distributed")
    channel: str = core.choice(
        "sign", CHANNELS, doc="what is seen of the teacher's field: its sign, its size, or all of it"
    )
    size: int = core.control(
        2000, 16, 20_000, symbol="N", role="size", scale="log", part="simulation",
        doc="weights of the simulated teacher",
    )  # fmt: skip
    start: str = core.choice(
        "uninformed", STARTS, role="start", part="simulation",
        doc="whether message passing starts without knowledge or at the teacher",
    )  # fmt: skip

    version = 2
    tags = core.Tags("course", 20, ("jump", "learning", "recovery"), ("replicas", "state evolution"))
    title = "Teacher and student"
    summary = (
        "When data determine a hidden signal, and when the best known algorithm can find it: easy, hard, impossible."
    )
    sources = (
        core.Source("J. Barbier et al., PNAS 116, 5451 (2019)", doi="10.1073/pnas.1802705116", arxiv="1708.03395"),
        core.Source("G. Györgyi, Phys. Rev. A 41, 7097 (1990)", doi="10.1103/PhysRevA.41.7097"),
        core.Source("H. S. Seung et al., Phys. Rev. A 45, 6056 (1992)", doi="10.1103/PhysRevA.45.6056"),
        core.Source("S. Rangan, IEEE ISIT 2168 (2011)", doi="10.1109/ISIT.2011.6033942", arxiv="1010.5141"),
        core.Source("M. Gabrié, J. Phys. A 53, 223002 (2020)", arxiv="1911.00890"),
    )
    observables = (
        core.Observable("overlap", "q", "overlap of teacher and student", low=0, high=1),
        core.Observable("generalization_error", r"\epsilon_g", "error on a new question", low=0, high=0.5),
        core.Observable(
            "gibbs_error", r"\epsilon_G", "the same for one sample of the posterior", low=0, high=0.5,
            title="Gibbs error",
        ),
        core.Observable("mean_squared_error", r"1-q", "mean squared error of the weights", low=0, high=1),
        core.Observable(
            "effective_noise", "1/R", "variance of the noise in the effective scalar channel", low=0, high=4
        ),
        core.Observable(
            "entropy", "S", "entropy of the posterior per weight, eq. (6)", low=-2, high=math.log(2), signed=True
        ),
    )  # fmt: skip
    branches = (
        core.Branch("informed", "what is reached from the teacher itself"),
        core.Branch("uninformed", "what message passing reaches without knowledge"),
    )
    phases = (
        core.Phase("undetected", "Nothing can be learnt: the overlap is zero.", only={"channel": ("phase",)}),
        core.Phase(
            "impossible", "The data do not determine the teacher; no method can do better than the low overlap."
        ),
        core.Phase("hard", "The data determine the teacher, but no efficient algorithm is known that finds it."),
        core.Phase("easy", "Message passing finds what the data determine."),
        core.Phase(
            "smooth", "With so much noise (or this prior) there is no transition: message passing is always optimal."
        ),
    )
    landmarks = (
        core.Landmark(
            "information_threshold", r"\alpha_{\rm IT}", "beyond it the data determine the teacher", of="load"
        ),
        core.Landmark(
            "algorithmic_threshold", r"\alpha_{\rm AMP}", "beyond it message passing finds the teacher", of="load"
        ),
        core.Landmark(
            "informed_spinodal", r"\alpha_{\rm inf}", "below it not even the truth is a solution", continuous=False,
            of="load",
        ),
        core.Landmark(
            "weak_recovery", r"\alpha_{\rm WR}", "beyond it phases allow a first, small overlap", of="load",
            only={"channel": ("phase",)},
        ),
    )  # fmt: skip
    planes = (core.Plane("load", "noise", "overlap", "uninformed", along="x", finest=129),)
    presets = (
        core.Preset(
            "hard", {"load": 1.35},
            "The entropy of the uninformed branch is negative: only the teacher fits. Yet the student stays at 0.76.",
            (core.Promise(core.Value("overlap", "uninformed"), 0.76, 0.005),),
        ),
        core.Preset("easy", {"load": 1.7}, "After a plateau the overlap jumps to one: every weight is found."),
        core.Preset(
            "impossible", {"load": 1.0},
            "Exponentially many students answer everything right; the overlap of 0.56 is the best possible.",
            (core.Promise(core.Value("overlap"), 0.56, 0.005),),
        ),
        core.Preset(
            "Gaussian teacher", {"load": 2.0, "prior": "gaussian"},
            "No transition: every further question improves the student a little; in the end the error is 0.44/load.",
            (core.Promise(core.Value("generalization_error"), 0.044, 0.001, {"load": 10.0}),), ERROR,
        ),
        core.Preset(
            "phase retrieval", {"load": 1.3, "channel": "phase", "prior": "gaussian"},
            "Without the signs of the field the student hesitates for many iterations, then finds the teacher exactly.",
        ),
        core.Preset(
            "phase retrieval, hard", {"load": 1.08, "channel": "phase", "prior": "gaussian", "size": 5000},
            "There are more equations than unknowns, yet message passing stays half blind: it needs still more.",
            (core.Promise(core.Crossing("algorithmic_threshold", "load"), 1.13, 0.005),),
        ),
        core.Preset(
            "noisy linear", {"load": 0.6, "noise": 0.05, "channel": "linear"},
            "Many users share one radio channel: from 0.563 measurements per user on, message passing separates them.",
            (core.Promise(core.Crossing("algorithmic_threshold", "load"), 0.563, 0.0005),),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "information threshold of the binary perceptron", 1.244683989851392, 1e-9,
            "zero posterior entropy, as Györgyi 1990", core.Crossing("information_threshold", "load"),
        ),
        core.Reference(
            "algorithmic threshold of the binary perceptron", 1.4926318182298768, 1e-9, "Barbier et al. 2019, refined",
            core.Crossing("algorithmic_threshold", "load"),
        ),
        core.Reference(
            "overlap of the binary perceptron at load 1.2", 0.6686613798669829, 1e-10, "state evolution iterated",
            core.Value("overlap", "uninformed"), {"load": 1.2},
        ),
        core.Reference(
            "Bayes error for a Gaussian teacher at load 10", 0.04357320396543955, 1e-11, "Opper and Haussler 1991",
            core.Value("generalization_error"), {"load": 10.0, "prior": "gaussian"}, view=ERROR,
        ),
        core.Reference(
            "algorithmic threshold of phase retrieval", 1.128471406672124, 1e-8, "Barbier et al. 2019, refined",
            core.Crossing("algorithmic_threshold", "load"), {"channel": "phase", "prior": "gaussian"},
        ),
        core.Reference(
            "weak recovery from phases", 0.5, 1e-12, "Mondelli and Montanari 2018",
            core.Crossing("weak_recovery", "load"), {"channel": "phase", "prior": "gaussian"}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A teacher with 2000 binary weights labels random questions. How many answers per weight does message "
            "passing need to find the teacher exactly? Predict, then move the load.",
            {"load": 1.0}, "load", core.Crossing("algorithmic_threshold", "load"), 0.06,
            "It takes 1.49, although 1.245 determine the teacher completely. In between the problem is hard.",
        ),
        core.Task(
            "Only the absolute values |F x| of random projections are measured, of a Gaussian signal. "
            "From which load on does message passing recover it exactly?",
            {"load": 0.8, "channel": "phase", "prior": "gaussian"}, "load",
            core.Crossing("algorithmic_threshold", "load"), 0.03,
            "1.13: hardly more than the one equation per unknown that any method needs.",
        ),
    )  # fmt: skip
    simulation = GeneralisedMessagePassing

    @property
    def examples(self) -> int:
        """M, at least one."""
        return self.counted("load", self.size)

    def realised(self) -> TeacherStudent:
        return self.with_simulated(load=self.examples / self.size)

    @property
    def evolution(self) -> BayesOptimal:
        return BayesOptimal(self.prior, self.channel)

    def error_of_new(self, cosine: Array | float, overlap: Array | float, squared: Array | float) -> Array | float:
        """Generalization error by the cosine between student and teacher, their overlap or the squared distance."""
        if self.channel == "sign":
            return np.arccos(cosine) / math.pi
        if self.channel == "linear":
            return squared
        q = np.clip(overlap, 0.0, 1.0)
        return 1 - 2 / math.pi * (np.sqrt(1 - q * q) + q * np.arcsin(q))

    def solve(self, points: Points) -> core.Solution:
        load, noise = points["load"], points["noise"]
        fixed = self.evolution.at(noise)
        log_snr = fixed.solve(load)
        flat = self.evolution.state(log_snr.ravel(), np.repeat(load, 2), np.repeat(noise, 2))
        state = State(*(values.reshape(-1, 2) for values in flat))
        q, v = state.overlap, state.mean_squared_error
        if self.channel == "sign":  # arccos near 1 from the small complement
            gibbs = 2 / math.pi * np.arcsin(np.sqrt(v / 2))
            error = np.arcsin(np.sqrt(v)) / math.pi
        else:
            error = np.asarray(self.error_of_new(np.sqrt(q), q, v))
            gibbs = 2 * v if self.channel == "linear" else 2 * error
        values = {
            "overlap": q,
            "generalization_error": error,
            "gibbs_error": gibbs,
            "mean_squared_error": v,
            "effective_noise": np.exp(-log_snr),
            "entropy": state.entropy,
        }
        return core.Solution(values, state.residual, extra=fixed.folds(load, log_snr))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        q, v, s = state["overlap"], state["mean_squared_error"], state["effective_noise"]
        if not 0 < s < math.inf:
            return {}  # nothing is known, or everything
        r, noise = 1 / s, float(effective_noise(self.channel, np.array(self.noise)))
        if self.prior == "binary":
            z = np.linspace(-10, 10, 4001)
            h = r + math.sqrt(r) * z
            weight = np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum()
            spin = np.log1p(np.exp(-2 * abs(h))) + abs(h) * (1 - np.tanh(abs(h)))
            overlap, own = weight @ np.tanh(h), 0.5 * r * v + weight @ spin
        else:
            overlap, own = r / (1 + r), 0.5 * (r * v - math.log1p(r))
        information, there = self._channel(q / (v + noise), v + noise)
        _, truth = self._channel(1 / noise if noise else math.inf, noise)
        return {
            "(3)": q - overlap,
            "(4)": self.load * information * s / (v + noise) - 1,
            "(6)": state["entropy"] - own - self.load * (there - truth),
        }

    def _channel(self, rho: float, v: float) -> tuple[float, float]:
        """J and the potential of eq. (5), by plain sums."""
        if self.channel == "linear":
            return 1.0, -0.5 * math.log(v)
        if rho == math.inf:
            return 0.0, 0.0
        u = np.linspace(-1, 1, 401) * min(10 * math.sqrt(rho), 14.0)  # beyond, either channel is without doubt
        weight = np.exp(-0.5 * u * u / rho) * (u[1] - u[0]) / math.sqrt(2 * math.pi * rho)
        if self.channel == "sign":
            up, down = log_ndtr(u), log_ndtr(-u)
            return float(weight @ np.exp(-u * u - up - down)) / (2 * math.pi), float(2 * weight @ (np.exp(up) * up))
        z = np.linspace(-9, 9, 181)
        product = u[:, None] * (u[:, None] + z)
        of_z = np.exp(-0.5 * z * z) * (z[1] - z[0]) / math.sqrt(2 * math.pi)
        lost = weight @ ((u[:, None] + z) ** 2 / np.cosh(np.minimum(abs(product), 300)) ** 2) @ of_z
        return 1 - float(lost), float(weight @ np.logaddexp(0, -2 * product) @ of_z) - 0.5 * math.log(v)

    def select(self, points: Points, solution: core.Solution) -> Array:
        entropy = solution.values["entropy"]
        wins = entropy[:, INFORMED] > entropy[:, UNINFORMED]
        if self.channel != "sign":  # without noise the limit decides: enough equations for the unknowns
            enough = points["load"] > (1.0 if self.prior == "gaussian" else 0.0)
            wins = np.where(points["noise"] == 0, enough, wins)
        return np.where(solution.extra["apart"] & wins, INFORMED, UNINFORMED)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        informed = states.equilibrium["informed"]
        overlap = np.where(informed, states.value("overlap", "informed"), states.value("overlap", "uninformed"))
        return {"undetected": overlap == 0} | hardness(states)

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        noise = points["noise"]
        if name == "weak_recovery":
            return 0.5 * (1 + noise) ** 2
        fixed = self.evolution.at(noise)
        if name == "algorithmic_threshold":
            return fixed.uninformed_spinodal()
        if name == "informed_spinodal":
            return fixed.informed_spinodal()
        load, real = fixed.transition()
        if self.channel != "sign":  # without noise as many equations as unknowns suffice, or fewer for binary ones
            limit = 1.0 if self.prior == "gaussian" else 0.0
            load, real = np.where((noise == 0) & real, limit, load), real & ((noise > 0) | (limit > 0))
        return load, real

    def range(self, plane: core.Plane, axis: str) -> tuple[float, float]:
        """Where there are transitions: a little beyond the last of them; everything where there is none."""
        fold = last_fold(self.evolution)
        if not fold:
            return super().range(plane, axis)
        return (0.0, min(1.0, 1.3 * fold)) if getattr(plane, axis) == "noise" else (0.01, 2.5)

    def landscape(self) -> core.Landscape:
        q = np.concatenate([np.linspace(0, 0.99, 397), 1 - np.geomspace(0.01, 1e-6, 60)[1:], [1.0]])
        return core.Landscape("overlap", q, -self.evolution.landscape(q, self.load, self.noise))

    def law(self) -> core.Law:
        variance = core.Value("effective_noise", self.start).of(self)
        if not NO_NOISE < variance < math.inf:
            raise core.NotOfferedError(self.title, "a distribution of noise where nothing can be learnt, or everything")
        return noise_law("noise_of_each_weight", variance)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        q = min(max(start["overlap"], 0.0), 1.0)
        path = self.evolution.path(q, self.load, self.noise, int(np.max(times, initial=0.0)) + 1)
        overlap = np.interp(times, np.arange(path.size), path)
        error = np.asarray(self.error_of_new(np.sqrt(overlap), overlap, 1 - overlap))
        return {"overlap": overlap, "mean_squared_error": 1 - overlap, "generalization_error": error}

    def footprint(self) -> int:
        return 4 * self.size * self.examples + 200 * (self.size + self.examples)
