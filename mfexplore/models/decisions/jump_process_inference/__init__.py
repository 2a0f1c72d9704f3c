r"""Jump rates from noisy snapshots: what can be learnt at best, by one-off computation, and by an answer learnt before.

A Markov jump process with the rates $Q_{ij}$ is looked at every $\Delta$; each snapshot is wrong with the probability
$\eta$. Between snapshots the law moves by $P=e^{Q\Delta}$; for the *telegraph*, two states with the rates $a$ up and
$b$ down,

$$P_{01}=\frac a{a+b}\big(1-e^{-(a+b)\Delta}\big) \tag{1}$$

so that snapshots further apart than $1/(a+b)$ show where the process is, but hardly how fast it moves.

**The bound** (Cramér and Rao). No unbiased estimator has from $n$ snapshots a covariance below $(nF)^{-1}$. Without
errors $F_{\mu\nu}=\sum_i\pi_i\sum_j\partial_\mu P_{ij}\,\partial_\nu P_{ij}/P_{ij}$. With them what counts is how each
snapshot $y$ moves the posterior $p=P(s=1\,|\,\text{past})$ and its slopes $p_\mu=\partial_\mu p$ with the rates:

$$F_{\mu\nu}=\Big\langle\frac{q_\mu q_\nu}{q(1-q)}\Big\rangle,\qquad q=\eta+(1-2\eta)\big(P_{01}+e^{-(a+b)\Delta}p\big)
\tag{2}$$

in the stationary law of $(p,p_\mu)$. The slopes enter linearly, and functions of $p$ are smooth: a few nodes give $F$
exactly. The error shown is that of the logarithms, $\epsilon^2=\frac12[(\delta\ln a)^2+(\delta\ln b)^2]$, at best

$$\epsilon^2=\frac1{2n}\Big[\frac{(F^{-1})_{aa}}{a^2}+\frac{(F^{-1})_{bb}}{b^2}\Big] \tag{3}$$

**Expectation maximisation** makes the rates more likely in every step: with the expected numbers of jumps and the time
spent in each state, $Q_{kl}\leftarrow\langle\text{jumps }k\to l\rangle/\langle\text{time in }k\rangle$. It reaches the
bound when there are many snapshots, and begins anew for every data set.

**The amortised answer** was computed once, before any data: a regression, trained on twenty thousand simulated
processes, from how often 1 is seen, how often the snapshot changes, $\eta$ and $n$ to the rates. A new process costs
nothing more. Few data it completes with what is usual; many data it cannot use up, because its bias stays: its error is

$$\epsilon^2=\tfrac12\sum_{x=a,b}\Big[\big(f_x(\mu)-\ln x\big)^2+\tfrac1n\nabla f_x\cdot C\,\nabla f_x\Big] \tag{4}$$

with mean $\mu$ and covariance $C/n$ of what is counted. (The foundation models of the literature are neural networks;
this one is the smallest that has the same strengths and weaknesses.)

**The ratchet.** Three positions in a circle, of energy $0,V_0/2,V_0$, and a switch: when it is on, hops have the rate
$e^{-\Delta V/2T}$, when off, 1; it turns at the rate $r$. The walker drifts against the long slope, only because
the switch produces entropy: for $r\to0$, $r\to\infty$ or $V_0=0$ it stands still. Its 18 rates are learnt, too.

**Valid:** eqs. (1)-(3) for many snapshots; for few, or far apart, the logarithms of rates have no finite error (they
are sought between 0.01 and 100) and a biased answer may lie below the bound. Eq. (4) where fluctuations are small and
the estimator was trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families import master_equation as master
from mfexplore.models.decisions.jump_process_inference.dynamics import InferenceSimulation
from mfexplore.models.decisions.jump_process_inference.theory import (
    amortised_error,
    covariance_bound,
    information,
    was_trained,
)

TELEGRAPH, RATCHET = {"process": ("telegraph",)}, {"process": ("ratchet",)}
KNOWN, GUESSED = 0.1, 0.5  # relative errors that separate the phases
SMALL = 0.3  # relative error up to which it behaves as a small one
POSITIONS = np.array([0.0, 0.5, 1.0])  # energies of the ratchet, in units of the barrier


@lru_cache(maxsize=1)
def ratchet() -> tuple[master.Jumps, Array, Array]:
    """Jumps of the ratchet (states: position, plus 3 when off), the energy each climbs, and whether it is a switch."""
    found = []
    for off in (0, 1):
        for x in range(3):
            for y, way in (((x + 1) % 3, 1), ((x - 1) % 3, -1)):
                found.append((x + 3 * off, y + 3 * off, way, 0.0 if off else POSITIONS[y] - POSITIONS[x], 0))
            found.append((x + 3 * off, x + 3 * (1 - off), 0, 0.0, 1))
    source, target, way, climbed, switched = np.array(found).T
    order = np.argsort(source, kind="stable")
    return master.jumps(source, target, way, climbed, 6), climbed[order], switched[order] > 0


def _error(model: JumpProcessInference, method: str = "bound") -> float:
    return core.Value("relative_error", method=method).of(model)


def _cost_of_errors(model: JumpProcessInference) -> float:
    """How many times as many snapshots are needed as without errors."""
    return (_error(model) / _error(model.replace(error=0.0))) ** 2


def _above_the_bound(model: JumpProcessInference) -> float:
    return _error(model, "amortised") / _error(model)


def _drift(model: JumpProcessInference) -> float:
    return core.Value("velocity").of(model)


def _best_spacing(model: JumpProcessInference) -> float:
    """Where the bound is least."""
    spacing = model.control("spacing").grid(301)
    errors = model.theory(spacing=spacing, method="bound", profiles=False)["relative_error"].values
    return float(spacing[np.argmin(errors)])


@dataclass(frozen=True)
class JumpProcessInference(core.Model):
    process: str = core.choice(
        "telegraph", ("telegraph", "ratchet"), doc="two states, or a walker on a slope that is switched on and off"
    )
    rate_up: float = core.control(
        1.0, 0.1, 10.0, symbol="a", unit="1/time", role="coupling", scale="log", quenched=True, only=TELEGRAPH,
        doc="rate of jumps from 0 to 1",
    )  # fmt: skip
    rate_down: float = core.control(
        2.0, 0.1, 10.0, symbol="b", unit="1/time", role="coupling", scale="log", quenched=True, only=TELEGRAPH,
        doc="rate of jumps from 1 to 0",
    )  # fmt: skip
    barrier: float = core.control(
        2.0, 0.0, 6.0, symbol="V_0", unit="k_BT", role="field", step=0.02, quenched=True, only=RATCHET,
        doc="height of the slope when it is on",
    )  # fmt: skip
    temperature: float = core.control(
        1.0, 0.2, 5.0, symbol="T", role="temperature", step=0.01, quenched=True, only=RATCHET, doc="noise of the hops"
    )
    switch: float = core.control(
        1.0, 0.01, 100.0, symbol="r", unit="1/time", role="rate", scale="log", quenched=True, only=RATCHET,
        doc="rate at which the slope is switched on and off",
    )  # fmt: skip
    spacing: float = core.control(
        0.3, 0.05, 10.0, symbol=r"\Delta", unit="time", role="data", scale="log", quenched=True,
        doc="time between two snapshots",
    )  # fmt: skip
    error: float = core.control(
        0.05, 0.0, 0.4, symbol=r"\eta", role="disorder", step=0.005, quenched=True,
        doc="probability that a snapshot shows another state",
    )  # fmt: skip
    observations: int = core.control(
        2000, 10, 5000, symbol="n", role="data", scale="log", quenched=True, doc="snapshots of each process"
    )
    estimator: str = core.choice(
        "em", {"em": "expectation maximisation", "amortised": "amortised answer"}, part="simulation", quenched=True,
        only=TELEGRAPH, doc="how the simulation learns rates from snapshots",
    )  # fmt: skip
    size: int = core.control(
        100, 8, 2000, symbol="R", role="size", scale="log", part="simulation", doc="processes that are learnt"
    )

    title = "Jump rates from snapshots"
    summary = "How well rates can be learnt from noisy, sparse snapshots: at best, by iteration, and at once."
    tags = core.Tags("research", 20, ("recovery",), ("master equations",))
    relations = (
        core.Relation(
            "contrasts with", "maxent_channel",
            "Rates of jumps between few states: there they are known and a current is asked for, here snapshots are "
            "known and rates are asked for.",
        ),
    )  # fmt: skip
    sources = (
        core.Source("D. Berghaus et al., NeurIPS (2024): foundation inference models", arxiv="2406.06419"),
        core.Source("L. R. Rabiner, Proc. IEEE 77, 257 (1989): hidden chains", doi="10.1109/5.18626"),
        core.Source("A. Hobolth, J. L. Jensen, Stat. Appl. Genet. Mol. 4, 18 (2005)", doi="10.2202/1544-6115.1127"),
        core.Source("A. Ajdari, J. Prost, C. R. Acad. Sci. Paris II 315, 1635 (1992): the ratchet"),
    )  # fmt: skip
    observables = (
        core.Observable(
            "relative_error", r"\epsilon", "error of the logarithms of the rates, eq. (3)", low=0.01, high=3,
            scale="log", only=TELEGRAPH,
        ),
        core.Observable(
            "velocity", "v", "drift of the ratchet", unit="positions/time", signed=True, only=RATCHET
        ),
        core.Observable("relaxation_time", r"\tau", "time in which the process forgets", unit="time", scale="log"),
        core.Observable(
            "learning_curve", r"\epsilon(n)", "error against the number of snapshots", over="snapshots", scale="log",
            only=TELEGRAPH,
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("snapshots", "n", "snapshots so far", scale="log"),)
    methods = (
        core.Method(
            "bound", "no unbiased estimator is better, eq. (3); expectation maximisation reaches it",
            describes={"estimator": ("em",)},
        ),
        core.Method(
            "amortised", "the answer that was learnt beforehand, eq. (4)", describes={"estimator": ("amortised",)}
        ),
    )  # fmt: skip
    phases = (
        core.Phase("known", "The snapshots tell the rates to within ten per cent or better.", only=TELEGRAPH),
        core.Phase("vague", "The snapshots tell the rates roughly: between ten and fifty per cent.", only=TELEGRAPH),
        core.Phase("unidentifiable", "Nobody could tell the rates from such snapshots.", only=TELEGRAPH),
        core.Phase("still", "Without a slope nothing tells the walker where to go.", only=RATCHET),
        core.Phase("drifting", "Switching makes the walker drift, although no force acts on average.", only=RATCHET),
    )  # fmt: skip
    failures = (
        core.Failure(
            "never_trained", "The estimator has never seen such a process or such data: its answer is worth little.",
            only=TELEGRAPH,
        ),
        core.Failure(
            "bias", "More snapshots do not help the learnt answer: what it cannot express is most of its error.",
            only=TELEGRAPH,
        ),
        core.Failure(
            "few_snapshots", "With so few snapshots errors are not small, and what holds for many is only a guide.",
            only=TELEGRAPH,
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "ten_per_cent", r"\epsilon=0.1", "so many snapshots make the rates known to ten per cent, at best",
            of="observations", finest=33, only=TELEGRAPH,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("spacing", "error", "relative_error", along="x", finest=65, only=TELEGRAPH),
        core.Plane("spacing", "observations", "relative_error", along="x", finest=65, only=TELEGRAPH),
        core.Plane("switch", "barrier", "velocity", along="x", finest=65, only=RATCHET),
    )
    presets = (
        core.Preset(
            "telegraph", {"size": 300},
            "A dot is what one process seems to be: the cloud shrinks until nine of ten fit the ellipse of the bound.",
            view=core.View(function="learning_curve", picture="learnt"),
        ),
        core.Preset(
            "noisy", {"error": 0.2},
            "Every fifth snapshot is wrong: six times as many are needed for what clear ones tell.",
            (core.Promise(lambda model: _cost_of_errors(model), 6.0, 0.1),),
            core.View(function="learning_curve", picture="path"),
        ),
        core.Preset(
            "too far apart", {"spacing": 3.0, "observations": 1000},
            "Nine relaxation times apart snapshots tell the ratio of the rates, but no speed: the search goes nowhere.",
            (core.Promise(lambda model: model.spacing / core.Value("relaxation_time").of(model), 9.0, 1e-9),),
            core.View(picture="learnt", series="relative_error"),
        ),
        core.Preset(
            "answered at once", {"estimator": "amortised", "observations": 500, "size": 300},
            "A regression that has never seen these data errs a fifth more than the bound, at no cost.",
            (core.Promise(lambda model: _above_the_bound(model), 1.2, 0.13),),
            core.View(function="learning_curve", picture="learnt", method="amortised"),
        ),
        core.Preset(
            "what it cannot use", {"estimator": "amortised", "observations": 5000, "size": 300},
            "More snapshots shrink the cloud, but beside the truth: the learnt answer keeps its bias.",
            view=core.View(function="learning_curve", picture="learnt", method="amortised"),
        ),
        core.Preset(
            "ratchet", {"process": "ratchet", "barrier": 4.0, "observations": 2000, "size": 24, "error": 0.02},
            "Eighteen rates are learnt from snapshots alone; those of rare jumps, up the slope, come last.",
            view=core.View(picture="learnt", series="relative_error"),
        ),
        core.Preset(
            "ratchet, switched fast",
            {"process": "ratchet", "barrier": 4.0, "switch": 30.0, "observations": 1000, "size": 24},
            "Switched faster than it hops the walker feels only the mean slope, and hardly drifts.",
            (core.Promise(lambda model: _drift(model) / _drift(model.replace(switch=2.0)), 0.228, 0.005),),
            core.View(picture="path"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "information of a, snapshots 0.3 apart", 0.12862243679038549, 1e-7, "eq. (2) by central differences",
            lambda model: model.fisher_information()[0, 0], {"error": 0.0},
        ),
        core.Reference(
            "the same with one error in twenty", 0.101297, 6e-7, "all sequences of twelve snapshots",
            lambda model: model.fisher_information()[0, 0], {"error": 0.05},
        ),
        core.Reference(
            "drift of the ratchet, barrier 4", -0.015722654942172135, 1e-12, "stationary law of six states",
            core.Value("velocity"), {"process": "ratchet", "barrier": 4.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Rates 1 and 2, and five hundred snapshots without errors. Close together they repeat each other, far "
            "apart they forget. Which spacing tells most about both rates?",
            {"error": 0.0, "spacing": 2.0, "observations": 500}, "spacing", lambda model: _best_spacing(model), 0.08,
            "About one relaxation time, 1/(a + b): long enough to see something new, short enough to see it come.",
            view=core.View(plane=("spacing", "error"), along="spacing", series="relative_error"),
        ),
    )  # fmt: skip
    simulation = InferenceSimulation

    @property
    def estimator_title(self) -> str:
        return self.control("estimator").option_title(self.estimator)

    @property
    def jumps(self) -> master.Jumps:
        """The hidden process."""
        if self.process == "telegraph":
            ends, rates = np.array([0, 1]), np.array([self.rate_up, self.rate_down])
            return master.jumps(ends, 1 - ends, np.array([1, -1]), rates, 2)
        return self._ratchet(self.barrier, self.temperature, self.switch)

    @staticmethod
    def _ratchet(barrier: float, temperature: float, switch: float) -> master.Jumps:
        listed, climbed, switched = ratchet()
        return listed._replace(rate=np.where(switched, switch, np.exp(-climbed * barrier / (2 * temperature))))

    @property
    def emission(self) -> Array:
        """Probability to see each state (columns) in each state (rows)."""
        states = 2 if self.process == "telegraph" else 6
        right = np.eye(states)
        return np.asarray((1 - self.error) * right + self.error / (states - 1) * (1 - right))

    def fisher_information(self) -> Array:
        """Eq. (2) of the telegraph, [aa, ab, bb] per snapshot; shape (1, 3)."""
        names = ("rate_up", "rate_down", "spacing", "error")
        return information(*(np.array([float(getattr(self, name))]) for name in names))

    def transition_matrix(self) -> Array:
        """P, from row to column."""
        from scipy.linalg import expm

        return np.asarray(expm(self.spacing * self.jumps.generator()))

    @staticmethod
    def _variance(points: Points) -> Array:
        """Eq. (3) for one snapshot."""
        up, down = points["rate_up"], points["rate_down"]
        fisher = information(up, down, points["spacing"], points["error"])
        covariance = covariance_bound(fisher, up, down)
        return np.asarray((covariance[:, 0] + covariance[:, 2]) / 2)

    def solve(self, points: Points) -> core.Solution:
        n = points["spacing"].size
        absent = np.full((n, 2), np.nan)
        if self.process == "ratchet":
            velocity, relaxation = np.empty((2, n))
            for k in range(n):
                process = self._ratchet(*(float(points[name][k]) for name in ("barrier", "temperature", "switch")))
                law = master.stationary_law(process)
                velocity[k] = law[process.source] @ (process.rate * process.steps)
                relaxation[k] = -1 / np.sort(np.linalg.eigvals(process.generator()).real)[-2]
            values = {"relative_error": absent, "velocity": velocity, "relaxation_time": relaxation}
            both = {name: np.broadcast_to(one.reshape(n, -1), (n, 2)).copy() for name, one in values.items()}
            return core.Solution(both, np.zeros((n, 2)))
        up, down, spacing, error, number = (
            np.asarray(points[name], float) for name in ("rate_up", "rate_down", "spacing", "error", "observations")
        )
        bound = np.sqrt(self._variance(points) / number)
        learnt, bias = amortised_error(up, down, spacing, error, number)
        relaxation = np.broadcast_to((1 / (up + down))[:, None], (n, 2)).copy()
        values = {
            "relative_error": np.stack([bound, learnt], axis=1), "velocity": absent, "relaxation_time": relaxation,
        }  # fmt: skip
        none = np.zeros(n, bool)
        fails = {
            "never_trained": np.stack([none, ~was_trained(up, down, spacing, error, number)], axis=1),
            "bias": np.stack([none, bias**2 > 0.5 * learnt**2], axis=1),
            "few_snapshots": np.stack([bound > SMALL, bound > SMALL], axis=1),
        }
        return core.Solution(values, np.zeros((n, 2)), fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        q = self.jumps.generator()
        if self.process == "ratchet":
            law = np.linalg.lstsq(np.vstack([q.T, np.ones(6)]), np.eye(7)[-1])[0]
            hops = [(i, j, (j - i) % 3) for i in range(6) for j in range(6) if i // 3 == j // 3 and i != j]
            drift = sum(law[i] * q[i, j] * (1 if way == 1 else -1) for i, j, way in hops)
            return {"v": state["velocity"] - drift}
        if state["method"] == "amortised":
            return {}
        found = {"tau": state["relaxation_time"] + 1 / float(np.linalg.eigvals(q).real.min())}
        increments = [self._enumerated(length) for length in (9, 10)]
        if np.abs(increments[1] - increments[0]).max() < 1e-9 * np.abs(increments[1]).max():  # it forgets soon enough
            aa, ab, bb = increments[1] * np.array([self.rate_up**2, self.rate_up * self.rate_down, self.rate_down**2])
            apart = aa * bb - ab**2
            if apart > 1e-3 * aa * bb:  # else the difference of the two has no digits
                found["(3)"] = state["relative_error"] / math.sqrt((aa + bb) / apart / 2 / self.observations) - 1
        return found

    def _enumerated(self, length: int) -> Array:
        """F as what one more snapshot adds to the information of all sequences of `length` - 1; [aa, ab, bb]."""
        information_of = []
        for n in (length - 1, length):
            seen = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
            step = 1e-5
            logs = []
            for da, db in ((0, 0), (step, 0), (-step, 0), (0, step), (0, -step)):
                a, b = self.rate_up * (1 + da), self.rate_down * (1 + db)
                kept = math.exp(-(a + b) * self.spacing)
                chain = np.array([[b, a], [b, a]]) / (a + b) * (1 - kept) + kept * np.eye(2)
                forward = np.array([b, a]) / (a + b) * self.emission.T[seen[:, 0]]
                for t in range(1, n):
                    forward = forward @ chain * self.emission.T[seen[:, t]]
                logs.append(np.log(np.maximum(forward.sum(axis=1), 1e-300)))
            by_a = (logs[1] - logs[2]) / (2 * step * self.rate_up)
            by_b = (logs[3] - logs[4]) / (2 * step * self.rate_down)
            information_of.append(np.array([np.exp(logs[0]) @ x for x in (by_a**2, by_a * by_b, by_b**2)]))
        return np.asarray(information_of[1] - information_of[0])

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        if self.process == "ratchet":
            still = np.broadcast_to((points["barrier"] == 0)[:, None], (points["barrier"].size, 2))
            return {"still": still, "drifting": ~still}
        error = np.broadcast_to(states.solution.values["relative_error"][:, :1], states.solution.residual.shape)
        return {"known": error <= KNOWN, "vague": error <= GUESSED, "unidentifiable": error > GUESSED}

    def boundary(self, name: str, points: Points) -> Array:
        return self._variance(points) / KNOWN**2

    def profiles(self) -> dict[str, core.Profile]:
        number = np.geomspace(*self.control("observations").bounds, 49)
        if self.process == "ratchet":
            return {"learning_curve": core.Profile(number, np.full((2, number.size), np.nan))}
        at = {n: np.full(number.size, float(getattr(self, n))) for n in ("rate_up", "rate_down", "spacing", "error")}
        variance = self._variance({name: column[:1] for name, column in at.items()})
        learnt, _ = amortised_error(at["rate_up"], at["rate_down"], at["spacing"], at["error"], number)
        return {"learning_curve": core.Profile(number, np.stack([np.sqrt(variance / number), learnt]))}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.process == "ratchet":
            return {"velocity": np.full(len(times), core.Value("velocity").of(self))}
        low, high = self.control("observations").bounds
        number = np.clip(times, low, high)
        curve = self.profiles()["learning_curve"]
        values = curve.values[0 if self.estimator == "em" else 1]
        return {"relative_error": np.exp(np.interp(np.log(number), np.log(curve.coordinate), np.log(values)))}

    def caveat(self) -> str:
        return "snapshots are few, or far apart: errors are then not small, and the bound holds only for small ones"

    def footprint(self) -> int:
        return 8 * self.size * self.observations + 2000 * self.size
