r"""Biased answers: how many questions until somebody notices that the coin is not fair.

Agents in a market answer yes or no, $y=\pm1$; asked often enough, machines that answer so are neither fair nor
forgetful. Their yes has the probability $p$, and two answers in a row the correlation $\rho$ (*recency*: people and
some machines avoid to repeat themselves, $\rho<0$). What that is depends on how they are asked:

- **one-shot:** every question in a call of its own, so that nothing is remembered, $\rho=0$;
- **batch:** many questions in one call, and each answer looks at the last one, eq. (1): a chain of Markov;
- **imitation:** the answer after $t$ others repeats one of *all* these with the probability
  $t\rho/(1-\rho+t\rho)$: an urn of Pólya, or Kirman's ants. Any two answers then have the correlation $\rho>0$, not
  only neighbours; no chain of Markov, of any order, does that. It is as if every agent had drawn a probability $P$ of
  its own, from the beta law with the mean $p$ and the variance $\rho p(1-p)$;
- **herd:** agents, with biases of the spread $\Delta$, see the mean $m$ of all answers of the last round, eq. (2): a
  Curie-Weiss magnet in a random field. Below a temperature the crowd is of one mind, and remembers which.

$$P_{11}=p+\rho(1-p),\quad P_{01}=p(1-\rho),\qquad\rho\ge-\min\Big(\frac p{1-p},\frac{1-p}p\Big) \tag{1}$$

$$m=\int\!Dz\,\tanh\frac{h+\Delta z+Jm}T,\qquad p=\frac1{1+e^{-2h}},\quad Dz=\frac{e^{-z^2/2}dz}{\sqrt{2\pi}} \tag{2}$$

The *temperature* of a language model divides the logits of each answer, $\ln\frac P{1-P}\to\frac1T\ln\frac P{1-P}$. A
high one cures bias and recency alike, a low one makes both extreme. What an answer tells is the entropy rate, in bits

$$H=p\,h(P_{11})+(1-p)\,h(P_{01}),\quad h(x)=-x\log_2x-(1-x)\log_2(1-x);\qquad\text{imitation: }H=\langle h(P)\rangle
\tag{3}$$

Runs of equal answers make up $2p(1-p)(1-\rho)$ of all. The number of yes in $n$ answers scatters
$\frac{1+\rho}{1-\rho}$ times as much as if they were independent; with imitation it is $1+(n-1)\rho$ times: the mean
never settles.

A tester who sees $n$ answers of one agent has two questions. *Is it fair?* The excess of yes,
$z_b=(n_1-n_0)/\sqrt n$, is normal around $(2p-1)\sqrt n$. *Does it remember?* The number of runs, among all orders of
as many yes and no, is $z_r$ standard deviations off, normal around $-\rho\sqrt n$. Either is noticed if $|z|>1.96$,
and by half of the testers from

$$n_b=\Big(\frac{1.96}{2p-1}\Big)^2,\qquad n_r=\Big(\frac{1.96}\rho\Big)^2 \tag{4}$$

answers on: what is closer to a fair coin than a rectangle of size $1.96/\sqrt n$ passes for one. Imitation escapes the
second test for ever, as all orders of its answers are equally likely; it looks like bias, another one to each tester.

**Valid:** in the limit of many answers of both kinds; with fewer the tests have discrete values (flagged below five of
either kind). Testers take answers for independent, so a fair agent that likes to repeat itself alarms the first test
too. A herd needs many agents: few of them change their minds together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import entr, expit, gammaln, logit

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.decisions.biased_decisions import theory
from mfexplore.models.decisions.biased_decisions.dynamics import LENGTHS, PROTOCOLS, Asking
from mfexplore.models.decisions.biased_decisions.theory import (
    FEW,
    NO,
    NORMAL,
    ROUNDING,
    UNDECIDED,
    YES,
    Z,
    drawn_from_beta,
    turning_point,
)
from mfexplore.numerics.functions.gaussian import direct_averages, response


def answers_needed(model: BiasedDecisions) -> float:
    """The n_r of eq. (4)."""
    _, yes, no = model.one_chain()
    return (Z / (yes - no)) ** 2


CHAIN, HERDING = {"protocol": ("batch",)}, {"protocol": ("herd",)}
REMEMBERS = {"protocol": ("batch", "imitation")}
TESTERS = core.View(picture="testers", function="run_law")


@dataclass(frozen=True)
class BiasedDecisions(core.Model):
    yes_probability: float = core.control(
        0.37, 0.005, 0.995, symbol="p", role="field", step=0.005, doc="probability of a yes, at temperature 1 and alone"
    )
    recency: float = core.control(
        -0.2, -0.95, 0.95, symbol=r"\rho", role="coupling", step=0.005, only=REMEMBERS,
        doc="correlation of two answers in a row, at temperature 1",
    )  # fmt: skip
    answers: int = core.control(
        200, 10, 100_000, symbol="n", role="time", scale="log", doc="answers that each tester sees"
    )
    temperature: float = core.control(
        1.0, 0.05, 20.0, symbol="T", role="temperature", scale="log", step=0.01,
        only={"protocol": ("one_shot", "batch", "herd")}, doc="what the logits of answers are divided by",
    )  # fmt: skip
    coupling: float = core.control(
        1.2, 0.0, 3.0, symbol="J", role="coupling", step=0.01, only=HERDING,
        doc="how much the mean answer of all others counts",
    )  # fmt: skip
    spread: float = core.control(
        0.0, 0.0, 2.0, symbol=r"\Delta", role="disorder", step=0.01, quenched=True, only=HERDING,
        doc="standard deviation of the biases of agents",
    )  # fmt: skip
    protocol: str = core.choice(
        "batch", PROTOCOLS, doc="how agents are asked: one by one, in a batch, with all they said, or as a herd"
    )
    size: int = core.control(
        2000, 32, 1_000_000, symbol="M", role="size", scale="log", part="simulation",
        doc="agents simulated, each with a tester",
    )  # fmt: skip
    start: str = core.choice(
        "random", ("random", "yes", "no"), role="start", part="simulation", only=HERDING,
        doc="first answers of the herd",
    )  # fmt: skip

    title = "Biased decisions"
    summary = "Yes-or-no answers that are biased and remember: what they still tell, and when somebody notices."
    tags = core.Tags("course", 15, ("decisions", "recovery"), ("exact sums", "self-consistency"))
    relations = (
        core.Relation(
            "coincides with", "curie_weiss",
            "A herd of fair agents without differences is a Curie-Weiss magnet: yes and no are up and down.",
            here={"protocol": "herd", "yes_probability": 0.5, "spread": 0.0, "coupling": 1.0, "temperature": 0.7},
            there={"temperature": 0.7, "field": 0.0},
        ),
    )  # fmt: skip
    sources = (
        core.Source("Evaluating Binary Decision Biases in Large Language Models (abstract)"),
        core.Source("A. Kirman, Q. J. Econ. 108, 137 (1993)", doi="10.2307/2118498"),
        core.Source("W. A. Brock and S. N. Durlauf, Rev. Econ. Stud. 68, 235 (2001)", doi="10.1111/1467-937X.00168"),
        core.Source("A. Wald and J. Wolfowitz, Ann. Math. Stat. 11, 147 (1940)", doi="10.1214/aoms/1177731909"),
    )
    observables = (
        core.Observable("entropy_rate", "H", "what an answer tells if the others are known, eq. (3)", "bits", 0, 1),
        core.Observable("yes_fraction", "p", "fraction of yes", low=0, high=1),
        core.Observable("noticed_bias", "P_b", "testers who see that it is not fair", low=0, high=1),
        core.Observable("noticed_recency", "P_r", "testers who see that it remembers", low=0, high=1),
        core.Observable("yes_after_yes", "P_{11}", "fraction of yes after a yes", low=0, high=1),
        core.Observable("yes_after_no", "P_{01}", "fraction of yes after a no", low=0, high=1),
        core.Observable("runs", "R/n", "runs of equal answers per answer", low=0, high=1),
        core.Observable(
            "variance_factor", "V", "variance of the number of yes over that of independent answers", low=0, scale="log"
        ),
        core.Observable("run_law", r"P(\ell)", "share of the runs of yes", over="run_length", scale="log"),
    )  # fmt: skip
    coordinates = (core.Coordinate("run_length", r"\ell", "answers in a row", discrete=True),)
    branches = (
        core.Branch("yes", "reached from all yes; without a herd the only one"),
        core.Branch("no", "reached from all no", only=HERDING),
        core.Branch("undecided", "the barrier between the two", only=HERDING),
    )
    phases = (
        core.Phase("herd", "The crowd is of one mind: of two states it keeps the one it began with.", only=HERDING),
        core.Phase("both_noticed", "Most testers see both: that it is biased and that it remembers."),
        core.Phase("bias_noticed", "Most testers see that it is not fair."),
        core.Phase("recency_noticed", "It is fair enough, but most testers see that it remembers.", only=REMEMBERS),
        core.Phase("unnoticed", "With so few answers it passes for a fair coin."),
        core.Phase("impossible", "Answers that are mostly the same cannot avoid each other so much.", only=REMEMBERS),
    )
    failures = (
        core.Failure(
            "rare", "So few answers of one kind are expected that the tests are not normal: look at the simulation."
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark("bias_shows", "n_b", "half of the testers notice the bias", of="yes_probability",
                      only={"protocol": ("one_shot", "batch")}),
        core.Landmark("recency_shows", "n_r", "half of the testers notice the recency", of="recency", only=CHAIN),
        core.Landmark("impossible", r"\rho_m", "no answers can avoid each other more", of="recency", only=REMEMBERS),
        core.Landmark("onset", "J_c", "from here on a fair crowd makes up its mind", of="coupling", only=HERDING),
        core.Landmark(
            "change_of_mind", r"p_s", "the minority's view ceases to exist", False, of="yes_probability", only=HERDING
        ),
    )  # fmt: skip
    planes = (
        core.Plane("yes_probability", "recency", "entropy_rate", finest=129, only=REMEMBERS),
        core.Plane("temperature", "coupling", "yes_fraction", None, (0.2, 5.0), finest=65, along="x", only=HERDING),
        core.Plane("yes_probability", "answers", "noticed_bias", finest=129, along="x"),
        core.Plane("recency", "answers", "noticed_recency", finest=129, along="x", only=CHAIN),
    )
    presets = (
        core.Preset(
            "batch of a small model", {},
            "37 per cent yes, and it alternates: the cloud of testers leaves the rectangle on both sides at once.",
            (core.Promise(core.Value("noticed_bias"), 0.98, 0.03),), TESTERS,
        ),
        core.Preset(
            "98.5 per cent yes", {"yes_probability": 0.985, "protocol": "one_shot", "answers": 1000},
            "Ten answers give it away. Each is worth 0.11 bits: nine tenths of the market's opinions are not there.",
            (core.Promise(core.Value("entropy_rate"), 0.11, 0.003), core.Promise(core.Value("noticed_bias"), 1, 1e-6)),
            core.View(("yes_probability", "answers"), "noticed_bias", picture="answers"),
        ),
        core.Preset(
            "fair, but it alternates", {"yes_probability": 0.5, "recency": -0.3, "answers": 100},
            "As many yes as no, steadier than a coin: the first test is content, the second sees 1.3 times the runs.",
            (core.Promise(core.Value("variance_factor"), 0.54, 0.002), core.Promise(core.Value("runs"), 0.65, 1e-12)),
            TESTERS,
        ),
        core.Preset(
            "imitation", {"yes_probability": 0.5, "recency": 0.3, "protocol": "imitation", "answers": 1000},
            "Correlated with all answers before: the cloud spreads to both sides, and no test of runs sees it.",
            (core.Promise(core.Mean("noticed_recency", 500, 1000), 0.05, 0.02),), TESTERS,
        ),
        core.Preset(
            "temperature cures", {"yes_probability": 0.985, "recency": 0.3, "temperature": 15.0, "answers": 1000},
            "Its logits divided by 15, 55 answers of a hundred are yes instead of 98.5; a thousand still give it away.",
            (core.Promise(core.Value("yes_fraction"), 0.55, 0.006),), TESTERS,
        ),
        core.Preset(
            "herd", {"yes_probability": 0.5, "protocol": "herd", "coupling": 1.2, "start": "yes", "answers": 1000},
            "Nobody prefers yes, but all see what the others say: 83 per cent yes, as long as it began so.",
            (core.Promise(core.Value("yes_fraction", "yes"), 0.83, 0.005),
             core.Promise(core.Mean("yes_fraction", 500, 1000), 0.83, 0.01)),
            core.View(("temperature", "coupling"), "yes_fraction", picture="answers"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "entropy rate at 98.5 per cent yes", 0.11236071009937681, 1e-13, "eq. (3)", core.Value("entropy_rate"),
            {"yes_probability": 0.985, "protocol": "one_shot"},
        ),
        core.Reference(
            "entropy rate of the chain with $p=0.4$, $\\rho=0.3$", 0.9058520443495397, 1e-13, "eq. (3)",
            core.Value("entropy_rate"), {"yes_probability": 0.4, "recency": 0.3},
        ),
        core.Reference(
            "Kirman's ants, 50 of them, rates 0.5 and 0.7: variance over that of independent ones", 1 + 49 / 2.2, 1e-12,
            "beta-binomial", core.Value("variance_factor"),
            {"yes_probability": 0.5 / 1.2, "recency": 1 / 2.2, "protocol": "imitation", "answers": 50},
        ),
        core.Reference(
            "yes in a herd, $J/T=1.2$, $h/T=0.05$", (1 + 0.727070945220994) / 2, 1e-12, "Brock and Durlauf 2001",
            core.Value("yes_fraction", "yes"),
            {"yes_probability": float(expit(0.1)), "protocol": "herd", "coupling": 1.2},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A fair coin avoids to repeat itself a little: the recency is -0.2. After how many answers does half of "
            "the testers notice?",
            {"yes_probability": 0.5, "recency": -0.2, "answers": 20}, "answers",
            answers_needed, 15,
            "(1.96/0.2)^2: about a hundred. The count of yes and no alone would never tell.",
            view=core.View(("recency", "answers"), "noticed_recency", picture="testers"),
        ),
        core.Task(
            "Agents of a herd have biases of the spread 0.5 around none, and each other's mean answer counts J = 1.5. "
            "Raise the temperature: from which on is there no common mind?",
            {"yes_probability": 0.5, "protocol": "herd", "coupling": 1.5, "spread": 0.5, "temperature": 0.5},
            "temperature", core.Crossing("onset", "temperature"), 0.1,
            "Where agents all follow the others' mean just once. Without their own biases it would be at T = J.",
            view=core.View(("temperature", "coupling"), "yes_fraction", "temperature"),
        ),
    )  # fmt: skip
    simulation = Asking

    # -- theory ---------------------------------------------------------------------------------------------------

    @property
    def field(self) -> float:
        """The h of eq. (2)."""
        return float(logit(self.yes_probability)) / 2

    def one_chain(self) -> tuple[float, float, float]:
        """Probability of a yes, after a yes and after a no, of one agent without the herd."""
        p, _, stay, _, come, _ = self._chain()
        return p, stay, come

    def _chain(self) -> tuple[float, ...]:
        """`theory.chain` here."""
        points = {n: np.array([float(getattr(self, n))]) for n in ("yes_probability", "recency", "temperature")}
        return tuple(float(column[0]) for column in theory.chain(self, points))

    def solve(self, points: Points) -> core.Solution:
        values = theory.herd(self, points) if self.protocol == "herd" else theory.alone(self, points)
        residual = values.pop("residual")
        few = points["answers"][:, None] * np.minimum(values["yes_fraction"], 1 - values["yes_fraction"]) < FEW
        stable = np.broadcast_to(np.arange(3) != UNDECIDED, residual.shape)
        return core.Solution(values, residual, stable=stable, fails={"rare": few})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        p, t = state["yes_fraction"], self.temperature
        gaps = {"runs": state["runs"] - 2 * (1 - p) * state["yes_after_no"]}
        if self.protocol == "herd":
            average = direct_averages(self.field + self.coupling * (2 * p - 1), self.spread, t)
            return gaps | {"(2)": 2 * p - 1 - average.m, "(3)": state["entropy_rate"] - average.entropy / math.log(2)}
        rho = 0.0 if self.protocol == "one_shot" else self.recency
        if self.protocol == "imitation":
            x, weight = drawn_from_beta(*(np.array([y * (1 - rho) / max(rho, ROUNDING)]) for y in (p, 1 - p)))
            told = float(np.sum(weight * (entr(x) + entr(1 - x)))) if rho > 0 else entr(p) + entr(1 - p)
            return gaps | {"(3)": state["entropy_rate"] - float(told) / math.log(2)}
        yes, no = self.yes_probability + rho * (1 - self.yes_probability), self.yes_probability * (1 - rho)
        yes, no = (x ** (1 / t) / (x ** (1 / t) + (1 - x) ** (1 / t)) for x in (min(max(yes, 0), 1), min(no, 1)))
        told = p * (entr(yes) + entr(1 - yes)) + (1 - p) * (entr(no) + entr(1 - no))
        return gaps | {
            "(1)": state["yes_after_yes"] - yes, "(1), after no": state["yes_after_no"] - no,
            "stationary": p * (1 - yes) - (1 - p) * no, "(3)": state["entropy_rate"] - float(told) / math.log(2),
        }  # fmt: skip

    def select(self, points: Points, solution: core.Solution) -> Array:
        """The state on the side of the field, of least free energy."""
        if self.protocol != "herd":
            return super().select(points, solution)
        return np.where(points["yes_probability"] >= 0.5, YES, NO)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        root = np.sqrt(points["answers"])
        if self.protocol == "herd":
            herd, p = states.exists["undecided"], np.where(states.equilibrium["no"], states.value("yes_fraction", "no"),
                                                           states.value("yes_fraction", "yes"))  # fmt: skip
            return {"herd": herd, "bias_noticed": np.abs(2 * p - 1) * root > Z, "unnoticed": ~np.isnan(p)}
        p, q, _, leave, no, possible = theory.chain(self, points)
        bias, recency = np.abs(p - q) * root > Z, (np.abs(1 - leave - no) * root > Z) & (self.protocol == "batch")
        if self.protocol == "imitation":
            bias = states.value("noticed_bias", "yes") > 0.5
        masks = {"both_noticed": bias & recency, "bias_noticed": bias, "recency_noticed": recency}
        known = {name: mask & possible for name, mask in masks.items()}
        return known | {"unnoticed": possible} | ({"impossible": ~possible} if self.protocol != "one_shot" else {})

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        if name in ("bias_shows", "recency_shows"):
            return theory.shows(self, points, bias=name == "bias_shows")
        if name == "impossible":
            p = points["yes_probability"]
            return 0 * p if self.protocol == "imitation" else -np.minimum(p / (1 - p), (1 - p) / p)
        d, t, j = points["spread"], points["temperature"], points["coupling"]
        if name == "onset":
            slope = np.array([response(0.0, a, b).chi for a, b in zip(d, t, strict=True)])
            return np.where(np.abs(points["yes_probability"] - 0.5) < ROUNDING, 1 / slope, np.nan)
        limit = np.array([turning_point(a, b, c)[1] for a, b, c in zip(d, t, j, strict=True)])
        return expit(np.stack([-2 * limit, 2 * limit], axis=1)), np.repeat(limit[:, None] > 0, 2, axis=1)

    def profiles(self) -> dict[str, core.Profile]:
        length = np.arange(1, LENGTHS + 1)
        share = np.full((3, LENGTHS), np.nan)
        p, yes, _ = self.one_chain()
        if self.protocol in ("one_shot", "batch"):
            share[YES] = yes ** (length - 1.0) * (1 - yes)
        elif self.protocol == "imitation" and self.recency > 0:
            a, b = (x * (1 - self.recency) / self.recency for x in (p, 1 - p))
            log_share = gammaln(a + length) - gammaln(a + 1) + gammaln(b + 2) - gammaln(b + 1)
            share[YES] = np.exp(log_share + gammaln(a + b + 2) - gammaln(a + b + length + 2))
        elif self.protocol == "herd":
            states = self.theory(profiles=False)["yes_fraction"].values
            for branch, m in enumerate(2 * states - 1):
                drawn = expit(2 * (self.field + self.coupling * m + self.spread * NORMAL[0]) / self.temperature)
                weight = NORMAL[1] * (1 - drawn) * drawn
                share[branch] = (weight * (1 - drawn)) @ drawn[:, None] ** (length - 1.0) / weight.sum()
        return {"run_law": core.Profile(length, share)}

    def laws(self, time: float) -> tuple[core.Law, ...]:
        n, (p, q, _, leave, come, _) = max(time, 16.0), self._chain()  # q: in the cold 1 - p is lost to rounding
        if self.protocol == "herd":
            raise core.NotOfferedError(self.title, "a law of the yes of one agent while the herd makes up its mind")
        cells = min(round(n), 400) + 1
        x = (np.arange(cells) + 0.5) / cells
        if self.protocol == "imitation" and self.recency > 0:
            k, (a, b) = (n + 1) * x - 0.5, (y * (1 - self.recency) / self.recency for y in (p, q))
            log_density = gammaln(k + a) - gammaln(k + 1) + gammaln(n - k + b) - gammaln(n - k + 1)
            doc = "beta-binomial"
        elif self.protocol != "batch":
            k = (n + 1) * x - 0.5
            log_density = k * math.log(p) + (n - k) * math.log(q) - gammaln(k + 1) - gammaln(n - k + 1)
            doc = "binomial"
        else:
            narrowing = (leave + come) / max(2 - leave - come, 1e-200)  # of strict turns: the mean is certain
            log_density = -0.5 * n * (x - p) ** 2 / (p * q) * narrowing
            doc = "normal, for many answers"
        density = np.exp(log_density - log_density.max())
        ends = np.concatenate([density[:1], density, density[-1:]]) * len(x) / density.sum()
        return (core.Law("yes_fraction", np.concatenate([[0.0], x, [1.0]]), ends, doc),)

    def law(self) -> core.Law:
        return self.laws(float(self.answers))[0]

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.protocol == "herd":
            yes, m = np.full(int(times[-1]) + 1, start["yes_fraction"]), 2 * start["yes_fraction"] - 1
            for k in range(1, yes.size):
                m = response(self.field + self.coupling * m, self.spread, self.temperature).m
                yes[k] = (1 + m) / 2
            said = np.cumsum(yes[1:]) / np.arange(1, yes.size)  # of all answers so far; the first stands for itself
            return {"yes_fraction": np.concatenate([yes[:1], said])[np.round(times).astype(int)]}
        points = {n: np.full(times.size, getattr(self, n)) for n in self.axis_names()}
        found = self.solve(points | {"answers": np.maximum(times, 2.0)}).values
        names = ("yes_fraction", "noticed_bias", "noticed_recency")
        path = {name: found[name][:, YES] for name in names}
        scatter = path["yes_fraction"] * (1 - path["yes_fraction"]) * found["variance_factor"][:, YES]
        path["yes_fraction_deviation"] = np.sqrt(scatter / np.maximum(times, 1.0) / self.size)
        for name in names[1:]:
            path[f"{name}_deviation"] = np.sqrt(path[name] * (1 - path[name]) / self.size)
        return path

    # -- simulation -----------------------------------------------------------------------------------------------

    def extent(self) -> str:
        return f"of {self.size:,} agents, each with a tester"

    def caveat(self) -> str:
        if self.protocol == "herd":
            return "a herd of finite size, which began in another state or has not made up its mind"
        return "a recency that is not possible, or too few answers for the normal law of the tests"

    def footprint(self) -> int:
        return 160 * self.size
