r"""Severity drift: a score between 0 and 1 that reinforces itself, is corrected and is fed, with noise.

The severity $x$ of a chain of reasoning (how harmful or biased it has become) moves from step to step as

$$dx=\mu(x)\,dt+\sigma(x)\,dW,\qquad \mu=\alpha x(1-x)-\beta x^2+\gamma,\qquad \sigma^2=\sigma_0^2\,x(1-x) \tag{1}$$

(Itô). What is severe breeds more of it (*reinforcement* $\alpha$), is called back (*correction* $\beta$), and a little
comes in from outside (*feed* $\gamma$). Noise of this form vanishes at both ends, so that $x$ stays in $[0,1]$.

**Drift alone.** Without noise every run ends at the one zero of $\mu$ in $(0,1)$, within the relaxation time $\tau$,

$$x^*=\frac{2\gamma}{\Delta-\alpha},\qquad \tau=\frac1{|\mu'(x^*)|}=\frac1\Delta,\qquad
\Delta=\sqrt{\alpha^2+4(\alpha+\beta)\gamma} \tag{2}$$

It is *subcritical* where $x^*$ lies below a harmful threshold $x_h$, and *supercritical* beyond
$\alpha_h=(\beta x_h^2-\gamma)/x_h(1-x_h)$. For $\gamma\to0$ there is a transition at $\alpha=0$: severity dies out
below it and stays at $\alpha/(\alpha+\beta)$ above. A feed rounds it over the width $2\sqrt{\beta\gamma}$; what is left
of it is *critical slowing*: $\tau$ has a maximum that grows as $\gamma^{-1/2}$. (With noise the last deviation decays
slower still, where runs have to find their way out of the calm.)

**With noise** the Fokker-Planck equation $\partial_tp=-\partial_x(\mu p)+\frac12\partial_x^2(\sigma^2p)$ has the
stationary law, with $a=2\gamma/\sigma_0^2$, $b=2(\beta-\gamma)/\sigma_0^2$, $c=2(\alpha+\beta)/\sigma_0^2$,

$$p(x)\propto x^{a-1}(1-x)^{b-1}e^{cx},\qquad
\langle x\rangle=\frac a{a+b}\,\frac{{}_1F_1(a+1;a+b+1;c)}{{}_1F_1(a;a+b;c)} \tag{3}$$

For $a<1$ it piles up at 0, for $b<1$ at 1, whatever the drift says in between. Averaging (1) gives exactly

$$\gamma+\alpha\langle x\rangle-(\alpha+\beta)\langle x^2\rangle=0 \tag{4}$$

From $x_0$ the threshold is reached for the first time after, on average,

$$T=\int_{x_0}^{x_h}\!\frac{dy}{w(y)}\int_0^y\frac{2\,w(z)\,dz}{\sigma^2(z)},\qquad w(x)=x^a(1-x)^be^{cx} \tag{5}$$

For drift alone that is $\int dx/\mu$: infinite if subcritical, while noise always gets there in the end.

**Valid:** eqs. (3) to (5) are exact for (1). Drift alone is right as $\sigma_0\to0$, on the way to $x^*$ and no
further. That a model of language moves as a Markov process, and with this noise, is an assumption.

*Simulation:* $N$ walkers from $x_0$, in steps that have the powers of (3) at both ends, also where it is infinite; as
many again start anew whenever they have crossed the threshold, also between two steps (Brownian bridge), and their
passages are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import hyp1f1, logit

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.fokker_planck import follow
from mfexplore.models.decisions.severity_drift.dynamics import BINS, SeverityDriftSimulation
from mfexplore.models.decisions.severity_drift.theory import Rates, cells, exponents, log_law, rest, stationary

NOISY, DRIFT = range(2)  # as in `methods`
RARE = 1e6  # passage times, in relaxation times, beyond which survival is exponential
ROWS = 256  # points of a batch solved together
MEASURED = ("severity", "variance", "harmful_fraction", "passage_time")
PASSAGES, SLOWING = ("reinforcement", "threshold"), ("reinforcement", "feed")  # planes


@dataclass(frozen=True)
class SeverityDrift(core.Model):
    reinforcement: float = core.control(
        1.0, -2.0, 4.0, symbol=r"\alpha", unit="1/time", role="coupling", step=0.01,
        doc="how much severity breeds more of itself; negative: a model that calms down",
    )  # fmt: skip
    correction: float = core.control(
        1.0, 0.5, 4.0, symbol=r"\beta", unit="1/time", role="coupling", step=0.01,
        doc="how strongly what is severe is called back",
    )  # fmt: skip
    feed: float = core.control(
        0.1, 0.005, 0.4, symbol=r"\gamma", unit="1/time", role="field", step=0.005, scale="log",
        doc="what comes in from outside, however calm the run is",
    )  # fmt: skip
    noise: float = core.control(
        0.2, 0.05, 2.0, symbol=r"\sigma_0^2", unit="1/time", role="temperature", step=0.01,
        doc="strength of the noise; its size is largest at x = 1/2",
    )  # fmt: skip
    threshold: float = core.control(
        0.8, 0.45, 0.95, symbol="x_h", role="setting", step=0.01, doc="severity from which a run counts as harmful"
    )
    first_severity: float = core.control(
        0.1, 0.01, 0.4, symbol="x_0", role="start", step=0.01, doc="severity at which every run starts"
    )
    size: int = core.control(
        3000, 20, 200_000, symbol="N", role="size", scale="log", part="simulation",
        doc="walkers simulated, and as many again for the passages",
    )  # fmt: skip

    title = "Severity drift"
    summary = (
        "A score that reinforces itself: where it settles, how soon it crosses a threshold, how slowly it forgets."
    )
    tags = core.Tags("course", 15, ("rare events", "decisions"), ("master equations",))
    relations = (
        core.Relation(
            "has the same transition as", "contact_process",
            "What feeds on itself dies out below a threshold, and a small feed rounds the transition. With "
            "correction 1 and no feed the drift is that of the contact process in mean field, with λ = 1 + α.",
            here={"reinforcement": 0.0, "feed": 0.005}, there={"activation": 0.005},
        ),
    )  # fmt: skip
    sources = (
        core.Source(
            "A Stochastic Dynamical Theory of LLM Self-Adversariality: Modeling Severity Drift as a Critical Process "
            "(2025)"
        ),
        core.Source("C. Gardiner, Stochastic Methods, sections 5.2 and 5.5 (2009)"),
    )  # fmt: skip
    observables = (
        core.Observable("severity", r"\langle x\rangle", "mean severity at rest", low=0, high=1),
        core.Observable("variance", r"\mathrm{var}\,x", "variance of the severity at rest", low=0, high=0.25),
        core.Observable("harmful_fraction", "P(x>x_h)", "part of the time spent above the threshold", low=0, high=1),
        core.Observable(
            "passage_time", "T", "mean time from the start to the threshold, eq. (5)", unit="time", scale="log"
        ),
        core.Observable(
            "relaxation_time", r"\tau", "time in which the drift forgets a small deviation, eq. (2)", unit="time", low=0
        ),
        core.Observable(
            "memory", "C", "correlation of the severity with what it was, at rest", low=0, high=1, over="lag"
        ),
        core.Observable(
            "survival", "S", "probability not to have crossed the threshold yet", low=0, high=1, over="waiting"
        ),
    )
    coordinates = (
        core.Coordinate("lag", "t", "time in between", unit="time"),
        core.Coordinate("waiting", "t", "time since the start", unit="time", title="time since the start"),
    )
    methods = (
        core.Method("fokker_planck", "drift and noise, eqs. (3) to (5)", title="Fokker-Planck"),
        core.Method("drift", "noise left out, eq. (2)", title="drift alone"),
    )
    phases = (
        core.Phase(
            "both_piles", "Noise rules: runs stay close to 0 or to 1 and are seldom in between.",
            title="piles at 0 and 1",
        ),
        core.Phase("subcritical", "Drift holds every run below the threshold; only noise lifts one over it."),
        core.Phase("supercritical", "Drift itself carries every run over the threshold."),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "runaway", r"x^*=x_h", "the drift alone reaches the threshold", of="reinforcement"
        ),
        core.Landmark(
            "quiet_pile", r"a=1", "below the line nobody piles up at 0", continuous=False, of="noise", title="pile at 0"
        ),
        core.Landmark(
            "runaway_pile", r"b=1", "below the line nobody piles up at 1", continuous=False, of="noise",
            title="pile at 1",
        ),
        core.Landmark(
            "slowest", r"\max\tau", "the drift forgets most slowly here", continuous=False, of="reinforcement",
            title="critical slowing",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("reinforcement", "noise", "severity", along="x", finest=129),
        core.Plane("reinforcement", "threshold", "passage_time", along="x", finest=129),
        core.Plane("reinforcement", "feed", "relaxation_time", along="x", x_range=(-2.0, 2.0), finest=129),
    )
    presets = (
        core.Preset(
            "self-correcting", {"reinforcement": -0.5, "noise": 0.3, "threshold": 0.5, "size": 4000},
            "Drift holds every run near 0.17, yet noise lifts each over one half: on average after 12 time units.",
            (core.Promise(core.Value("passage_time"), 12.24, 0.01),
             core.Promise(core.Value("severity", method="drift"), 0.17, 0.005)),
            core.View(plane=PASSAGES, colour="passage_time", picture="single runs", series="severity",
                      function="survival"),
        ),
        core.Preset(
            "runaway",
            {"reinforcement": 2.0, "feed": 0.05, "noise": 0.3, "threshold": 0.6, "first_severity": 0.05},
            "From a calm start the drift itself carries nearly every run over the threshold, and there they stay.",
            view=core.View(picture="single runs", series="severity"),
        ),
        core.Preset(
            "critical slowing",
            {"reinforcement": -0.02, "feed": 0.01, "noise": 0.05, "threshold": 0.45, "first_severity": 0.4},
            "Close to zero reinforcement and hardly fed, runs forget slowly: the mean creeps down, the memory lasts.",
            view=core.View(plane=SLOWING, colour="relaxation_time", function="memory", series="severity"),
        ),
        core.Preset(
            "noise rules", {"noise": 1.9, "size": 2000},
            "Drift alone would hold all runs at 0.59; instead they gather at 0 and at 1, where the noise vanishes.",
            (core.Promise(core.Value("severity", method="drift"), 0.59, 0.005),),
            core.View(picture="severity now", series="harmful_fraction"),
        ),
        core.Preset(
            "waiting for chance",
            {"reinforcement": 0.5, "correction": 2.0, "threshold": 0.7, "size": 5000},
            "At first nearly all survive, and later nobody is closer to crossing for having waited: an exponential.",
            view=core.View(plane=PASSAGES, colour="passage_time", function="survival", series="severity"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean severity at reinforcement 2", 0.6627078178006057, 1e-11, "quotient of confluent functions, eq. (3)",
            core.Value("severity"), {"reinforcement": 2.0, "feed": 0.05, "noise": 0.3},
        ),
        core.Reference(
            "passage from 0.1 to 0.8", 8.5611297, 1e-6, "double quadrature with $z=t^{1/a}$", core.Value("passage_time")
        ),
        core.Reference(
            "linear drift: the mean is a Beta law's", 0.2, 1e-12, r"$\alpha=-\beta$: $\langle x\rangle=\gamma/\beta$",
            core.Value("severity"), {"reinforcement": -1.0, "feed": 0.2}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "The correction is 1, the feed 0.1. At which reinforcement does the drift take longest to forget a "
            "deviation?",
            {"reinforcement": 1.0, "noise": 0.1}, "reinforcement", core.Crossing("slowest", "reinforcement"), 0.06,
            "Not at zero but at minus twice the feed: there the slope at the fixed point is smallest.",
            view=core.View(plane=SLOWING, colour="relaxation_time"),
        ),
        core.Task(
            "Drift alone never takes this run from 0.1 to the threshold at 0.7. How long does it take with noise?",
            {"reinforcement": 0.5, "correction": 2.0, "threshold": 0.7}, "passage_time", core.Value("passage_time"),
            30.0, "Some 120 time units, 135 relaxation times: every attempt starts afresh, and few succeed.",
            view=core.View(series="passage_time", function="survival"),
        ),
    )  # fmt: skip
    simulation = SeverityDriftSimulation

    @property
    def fixed_point(self) -> float:
        return float(rest(self.reinforcement, self.correction, self.feed)[0])

    @property
    def forgetting(self) -> float:
        """The relaxation time of the drift."""
        return 1 / float(rest(self.reinforcement, self.correction, self.feed)[1])

    @property
    def horizon(self) -> float:
        """Time over which survival is drawn."""
        return 3 * self.passage(NOISY)

    def passage(self, method: int) -> float:
        """Mean passage time by a method."""
        here = {name: np.array([float(getattr(self, name))]) for name in self.axis_names()}
        return float(self.solve(here).values["passage_time"][0, method])

    def solve(self, points: Points) -> core.Solution:
        alpha, beta, gamma = (points[name] for name in ("reinforcement", "correction", "feed"))
        start, threshold = points["first_severity"], points["threshold"]
        values = {name: np.zeros((alpha.size, 2)) for name in MEASURED}
        fixed, slope = rest(alpha, beta, gamma)
        values["severity"][:, DRIFT] = fixed
        values["harmful_fraction"][:, DRIFT] = fixed > threshold
        with np.errstate(divide="ignore", invalid="ignore"):
            lead = (alpha - slope) / 2  # (alpha + beta) times the other zero of the drift
            beyond, before = ((alpha + beta) * x - lead for x in (threshold, start))
            passage = np.log(beyond / before * (fixed - start) / (fixed - threshold)) / slope
        values["passage_time"][:, DRIFT] = np.where(fixed > threshold, passage, np.inf)
        pairs, group = np.unique(np.stack([start, threshold]), axis=1, return_inverse=True)
        for k, pair in enumerate(pairs.T):
            rows = np.flatnonzero(group.ravel() == k)
            for some in np.array_split(rows, -(-len(rows) // ROWS)):
                rates = Rates(alpha[some], beta[some], gamma[some], points["noise"][some])
                for name, column in zip(MEASURED, stationary(rates, *pair), strict=True):
                    values[name][some, NOISY] = column
        mean, square = values["severity"], values["variance"] + values["severity"] ** 2
        residual = np.abs(gamma[:, None] + alpha[:, None] * mean - (alpha + beta)[:, None] * square)
        values["relaxation_time"] = np.broadcast_to(1 / slope[:, None], mean.shape).copy()
        return core.Solution(values, residual)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        x, alpha, beta, gamma = state["severity"], self.reinforcement, self.correction, self.feed
        if state["method"] == "drift":
            slope = alpha * (1 - 2 * x) - 2 * beta * x
            return {"(1)": alpha * x * (1 - x) - beta * x * x + gamma, "(2)": 1 + slope * state["relaxation_time"]}
        found = {"(4)": gamma + alpha * x - (alpha + beta) * (x * x + state["variance"])}
        a, b, c = exponents(*self.rates)
        if abs(c) < 100:
            found["(3)"] = x - a / (a + b) * hyp1f1(a + 1, a + b + 1, c) / hyp1f1(a, a + b, c)
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        gamma, noise = points["feed"], points["noise"]
        both = (noise > 2 * gamma) & (noise > 2 * (points["correction"] - gamma))
        over = rest(points["reinforcement"], points["correction"], gamma)[0] > points["threshold"]
        return {"both_piles": both, "supercritical": over, "subcritical": ~over}

    def boundary(self, name: str, points: Points) -> Array:
        beta, gamma, x = points["correction"], points["feed"], points["threshold"]
        if name == "runaway":
            return np.asarray((beta * x * x - gamma) / (x * (1 - x)))
        if name == "slowest":
            return np.asarray(-2 * gamma)
        return np.asarray(2 * gamma if name == "quiet_pile" else 2 * (beta - gamma))

    @property
    def rates(self) -> Rates:
        """What the law depends on."""
        return Rates(self.reinforcement, self.correction, self.feed, self.noise)

    def profiles(self) -> dict[str, core.Profile]:
        tau, chain = self.forgetting, cells(self.rates)
        lag = np.linspace(0, 5 * tau, 61)
        deviation = chain.mean - chain.mass @ chain.mean
        held = chain.mass * deviation
        memory = [part @ deviation for part in follow(held, chain.up, chain.down, lag, tau / 12)]
        waiting = np.linspace(0, self.horizon, 61)
        below = cells(self.rates, self.threshold)
        start = below.at(self.first_severity)
        alive = np.exp(-3 * waiting / self.horizon)  # what it is where passages are that rare
        if self.horizon < RARE * tau:
            steps = follow(start, below.up, below.down, waiting, waiting[1] / 4)
            alive = np.array([part.sum() for part in steps])
        sharp = self.passage(DRIFT) > waiting
        return {
            "memory": core.Profile(lag, np.stack([np.array(memory) / memory[0], np.exp(-lag / tau)])),
            "survival": core.Profile(waiting, np.stack([alive, sharp])),
        }

    def law(self) -> core.Law:
        """Averaged over the width of a bar: it may be infinite at the ends."""
        chain, edges = cells(self.rates), np.linspace(0, 1, BINS + 1)
        density = np.diff(np.interp(edges, chain.edges, np.concatenate([[0.0], np.cumsum(chain.mass)]))) * BINS
        middle = (edges[1:] + edges[:-1]) / 2
        return core.Law(
            "severity", np.concatenate([[0.0], middle, [1.0]]), np.concatenate([density[:1], density, density[-1:]]),
            "at rest, eq. (3)", method="fokker_planck",
        )  # fmt: skip

    def landscape(self) -> core.Landscape:
        x = np.linspace(0.005, 0.995, 199)
        density = log_law(self.rates, logit(x)) - np.log(x * (1 - x))
        return core.Landscape(
            "severity", x, density.max() - density, note="minima: where runs are met most often",
            title="potential of the law, -ln p",
        )  # fmt: skip

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        chain, x = cells(self.rates), start["severity"]
        parts = np.array(list(follow(chain.at(x), chain.up, chain.down, times, self.forgetting / 20)))
        mean = parts @ chain.mean
        variance = np.maximum(parts @ chain.square - mean**2, 0.0)
        fixed, slope = rest(self.reinforcement, self.correction, self.feed)
        lead, strength = (self.reinforcement - slope) / 2, self.reinforcement + self.correction
        ratio = (x - fixed) / (strength * x - lead) * np.exp(-slope * times)
        alone = (fixed - lead * ratio) / (1 - strength * ratio)
        above = np.array([chain.share_above(part, self.threshold) for part in parts])
        return {
            "severity": np.stack([mean, alone]),
            "severity_deviation": np.stack([np.sqrt(variance / self.size), 0 * times]),
            "variance": variance,
            "harmful_fraction": above,
        }

    def caveat(self) -> str:
        return "drift alone leaves the noise out, and runs may still remember where they started"

    def footprint(self) -> int:
        return 60 * self.size
