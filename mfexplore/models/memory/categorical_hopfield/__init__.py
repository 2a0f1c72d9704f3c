r"""Categorical Hopfield network: units that pass resources on, and when that is learning by gradient descent.

Manin and Marcolli assign to every part of a network an object of a category of resources, such that the resources of
disjoint parts add up, and let the assignment follow a Hopfield equation: a new resource is the old one, and what
arrives over the edges of a directed graph, as far as it exceeds a threshold. If the objects are learners, this equation
is the usual update of their weights. Here a resource is the simplest one, a number $x_i\ge0$ at every unit (the weight
of its learner), and what is below the threshold is lost:

$$x_i\leftarrow(1-\eta)x_i+\eta\Big[\sum_jW_{ij}x_j+1\Big]_+ \tag{1}$$

Everybody hinders everybody else, but less along an edge of the graph:

$$W_{ij}=-1+\varepsilon\ \text{ if } j\to i,\qquad -1-\delta\ \text{ if not},\qquad W_{ii}=0 \tag{2}$$

*Symmetric couplings learn.* If every edge goes both ways, (1) goes the part $\eta$ of a step down the gradient,
projected on $x\ge0$, of

$$E(x)=\tfrac12x^T(1-W)x-\sum_ix_i \tag{3}$$

which is Hopfield's energy, and the quadratic loss of a learner. Of its slopes $\kappa$, the eigenvalues of $1-W$ among
the units that are active, the largest limits the rate: a deviation is multiplied by $1-\eta\kappa$ in every update,
so it dies out if and only if

$$|1-\eta\kappa|<1,\qquad\eta<\eta_c=\min_\kappa\frac{2\,\mathrm{Re}\,\kappa}{|\kappa|^2} \tag{4}$$

In a *clique* of $k$ units that all help each other $\kappa=1+(k-1)(1-\varepsilon)$ once, and $\kappa=\varepsilon$ for
differences. All settle at $x^*=1/[1+(k-1)(1-\varepsilon)]$ if $\eta<2x^*$: the larger the clique, the slower it must
learn. Beyond, all overshoot together and fall silent together, in a rhythm of period two:

$$x_{\rm low}=(1-\eta)x_{\rm high},\qquad x_{\rm high}=\eta+\big[1-\eta\big(1+(k-1)(1-\varepsilon)\big)\big]x_{\rm low}
\tag{5}$$

*Two cliques* without edges between them remember: each alone is stable, both together are a saddle.

*One-way couplings do not learn.* In a *cycle* every unit helps the next only. With $\omega_m=e^{2\pi im/k}$,

$$\kappa_0=1/x^*=k+(k-2)\delta-\varepsilon,\qquad\kappa_m=-\delta-(\varepsilon+\delta)\,\omega_m \tag{6}$$

For $k=3$ and $\delta>\varepsilon$, and always for $k=4,5,\dots$, some $\mathrm{Re}\,\kappa_m<0$: at no rate do the
units settle. They take turns for ever, in a limit cycle. No function falls along it, so this dynamics is the descent of
no loss.

**Valid:** (4) where all that are active stay so, (5) exactly. In the limit cycle units fall silent in turn, which makes
it slower than the rotation $\arg(1-\eta\kappa)$ of a small deviation (flagged). The category, its
functors and networks of deep learners are left out: what remains is the equation that they obey.

Simulation: (1) itself, from random resources.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.memory.categorical_hopfield.dynamics import REMEMBERED, CategoricalHopfieldSimulation
from mfexplore.models.memory.categorical_hopfield.theory import couplings, lasting

TOGETHER, ONE_CLIQUE, PERIOD_TWO = range(3)


@dataclass(frozen=True)
class CategoricalHopfield(core.Model):
    graph: str = core.choice("clique", ("clique", "two_cliques", "cycle"), doc="who helps whom: both ways, or round")
    units: int = core.control(
        3, 3, 8, symbol="k", role="setting", quenched=True, doc="units of the cycle or of each clique"
    )
    epsilon: float = core.control(
        0.25, 0.01, 0.99, symbol=r"\varepsilon", role="coupling", step=0.01, doc="how much less those hinder who help"
    )
    delta: float = core.control(
        0.5, 0.01, 2.0, symbol=r"\delta", role="coupling", step=0.01, only={"graph": ("two_cliques", "cycle")},
        doc="how much more those hinder who do not help",
    )  # fmt: skip
    learning_rate: float = core.control(
        0.2, 0.01, 1.0, symbol=r"\eta", role="rate", step=0.01, doc="part of the resource that is renewed in an update"
    )
    spread: float = core.control(
        0.5, 0.0, 2.0, symbol="x_0", role="start", part="simulation", step=0.05,
        doc="resources at the start are random up to this",
    )  # fmt: skip

    version = 2
    tags = core.Tags("research", 20, ("memory", "chaos"), ("rate equations",))
    relations = (
        core.Relation(
            "contrasts with", "hopfield",
            "Mutual couplings give an energy that can only fall; where help is not mutual there is none, and states "
            "go round for ever.",
            here={"graph": "cycle"},
        ),
    )  # fmt: skip
    title = "Categorical Hopfield network"
    summary = "Resources that units pass on: gradient descent if help is mutual, an endless round if it is not."
    sources = (
        core.Source("M. Marcolli, Categorical Hopfield networks, Entropy 24, 1441 (2022)", doi="10.3390/e24101441"),
        core.Source(
            "Yu. I. Manin, M. Marcolli, Homotopy theoretic and categorical models of neural information networks",
            arxiv="2006.15136",
        ),
        core.Source(
            "K. Morrison, C. Curto, in Algebraic and Combinatorial Computational Biology, chapter 8 (2019)",
            arxiv="1804.01487",
        ),
    )
    observables = (
        core.Observable("total_resource", r"\sum x", "sum of the resources, mean over a period", low=0),
        core.Observable("energy", "E", "eq. (3), mean over a period", thermodynamic=False),
        core.Observable(
            "growth", r"|1-\eta\kappa|", "factor by which the slowest deviation changes in an update", low=0, high=2
        ),
        core.Observable("rhythm", r"\nu", "periods per update of what goes on for ever", low=0, high=0.5),
    )
    branches = (
        core.Branch("together", "all units are active and alike", thermodynamic=False),
        core.Branch("one_clique", "one of the two cliques is active, the other silent", thermodynamic=False),
        core.Branch("period_two", "all units overshoot and fall silent in turn, eq. (5)", thermodynamic=False),
    )
    phases = (
        core.Phase("learns", "Gradient descent reaches the bottom of a loss."),
        core.Phase("settles", "Not the descent of a loss, but small deviations die out nevertheless."),
        core.Phase("period_two", "The rate is too high for so steep a loss: all overshoot, and fall silent together."),
        core.Phase("unsteady", "Even the rhythm of period two is unstable: longer ones, or none."),
        core.Phase("limit_cycle", "Units take turns for ever: there is no loss that they could descend."),
    )
    failures = (
        core.Failure(
            "silent_units", "Units fall silent in turn, so the round is slower than that of a small deviation."
        ),
    )
    landmarks = (core.Landmark("step_limit", r"\eta_c", "the steepest slope is overshot, eq. (4)", of="learning_rate"),)
    planes = (
        core.Plane("epsilon", "learning_rate", "growth", branch="together"),
        core.Plane("epsilon", "delta", "growth", branch="together", only={"graph": ("cycle",)}),
    )
    presets = (
        core.Preset(
            "a clique learns", {"graph": "clique", "units": 5, "learning_rate": 0.2, "epsilon": 0.25},
            "The energy only falls: five units that help each other all end with the same.",
            (core.Promise(lambda model: float(model.equilibrium()["total_resource"]) / 5, 0.25, 1e-9),),
            core.View(series="energy", picture="resources"),
        ),
        core.Preset(
            "too fast", {"graph": "clique", "units": 5, "learning_rate": 0.6, "epsilon": 0.25},
            "The step limit of a clique of five is 0.5. At 0.6 all overshoot and fall silent in turn: period two.",
            (core.Promise(core.Crossing("step_limit", "learning_rate"), 0.5, 1e-9),
             core.Promise(core.Mean("rhythm", 400, 500), 0.5, 0.01)),
            core.View(series="total_resource", picture="resources"),
        ),
        core.Preset(
            "chaotic", {"graph": "clique", "units": 8, "epsilon": 0.05, "learning_rate": 0.5},
            "Eight units at twice their step limit of 0.26: all alike, and yet no rhythm. Follow the cobweb.",
            (core.Promise(core.Crossing("step_limit", "learning_rate"), 0.26, 0.005),),
            core.View(series="total_resource", picture="resources"),
        ),
        core.Preset(
            "three take turns", {"graph": "cycle", "units": 3, "epsilon": 0.25, "delta": 0.5, "learning_rate": 0.1},
            "Each helps the next one only. The energy goes up and down, and one unit after the other has its turn, "
            "about every 115 updates.",
            (core.Promise(lambda model: 1 / core.Mean("rhythm", 1500, 2000).of(model), 114.9, 1.0),),
            core.View(series="energy", picture="resources"),
        ),
        core.Preset(
            "two memories", {"graph": "two_cliques", "units": 3, "learning_rate": 0.2},
            "Both cliques cannot be active at once: the random start decides which one is remembered. Try other seeds.",
            (core.Promise(core.Mean("total_resource", 500, 600), 1.2, 1e-3),),
            core.View(branch="one_clique", series="energy", picture="network"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "step limit of a clique of three", 0.8, 1e-9, "2/(1 + 2 · 0.75)",
            core.Crossing("step_limit", "learning_rate"), {"graph": "clique", "units": 3},
        ),
        core.Reference(
            "resource in a cycle of three at δ = 0.5", 3 * 0.3076923076923077, 1e-12, "3/(3 + δ - ε)",
            core.Value("total_resource", "together"), {"graph": "cycle", "units": 3},
        ),
        core.Reference(
            "growth of a deviation there, at η = 0.1", abs(1 + 0.1 * (0.125 + 0.649519052838329j)), 1e-12,
            "Morrison and Curto 2019, eigenvalues of three-cycles", core.Value("growth", "together"),
            {"graph": "cycle", "units": 3, "learning_rate": 0.1}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Eight units help each other. How fast may they learn at most?",
            {"graph": "clique", "units": 8, "learning_rate": 0.1}, "learning_rate",
            core.Crossing("step_limit", "learning_rate"), 0.03,
            "The sum of all is the steepest direction, with the slope 1 + 7 · 0.75 = 6.25: the limit is 2/6.25.",
        ),
        core.Task(
            "Three units in a cycle, with the $\\varepsilon$ that is set: from which $\\delta$ on do they take turns, "
            "however slowly they learn?",
            {"graph": "cycle", "units": 3, "learning_rate": 0.01, "delta": 0.1}, "delta", lambda model: 0.25, 0.03,
            "From δ = ε on a round of help grows: real part (δ - ε)/2.",
        ),
    )  # fmt: skip
    simulation = CategoricalHopfieldSimulation

    def together(self) -> float:
        """Resource of every unit where all are active."""
        return 1 / float(self.steepness(self.units, self.epsilon, self.delta))

    def steepness(self, k: Any, epsilon: Any, delta: Any) -> Any:
        """Slope of E along the sum of all units, 1/x*, where k of them make a clique or the cycle."""
        if self.graph == "cycle":
            return k + (k - 2) * delta - epsilon
        return 1 + (k - 1) * (1 - epsilon) + (k * (1 + delta) if self.graph == "two_cliques" else 0)

    def slopes(self, points: Points) -> tuple[Array, Array]:
        """Eigenvalues of 1 - W where all are active, and among the units of one clique and the silent ones (only of two
        cliques); shape (n, number). Shorter cycles have the first wave several times.
        """
        k, epsilon, delta = (points[name] for name in ("units", "epsilon", "delta"))
        one, sums = 1 - 0 * epsilon, self.steepness(k, epsilon, delta)
        if self.graph == "cycle":
            m = np.arange(1, k.max())
            wave = np.exp(2j * math.pi * np.where(m < k[:, None], m, 1) / k[:, None])
            return np.concatenate(
                [sums[:, None] + 0j, -delta[:, None] - (epsilon + delta)[:, None] * wave], axis=1
            ), one
        if self.graph == "clique":
            return np.stack([sums + 0j, epsilon + 0j], axis=1), one
        alone = 1 + (k - 1) * (1 - epsilon)
        return np.stack([sums, alone - k * (1 + delta), epsilon], axis=1) + 0j, np.stack([alone, epsilon, one], 1) + 0j

    def solve(self, points: Points) -> core.Solution:
        k, epsilon, rate = points["units"], points["epsilon"], points["learning_rate"]
        n = 2 * k if self.graph == "two_cliques" else k
        nowhere = np.full(epsilon.size, np.nan)
        both, alone = self.slopes(points)
        factor = 1 - rate[:, None] * both
        worst = factor[np.arange(len(rate)), np.abs(factor).argmax(1)]
        sums = self.steepness(k, epsilon, points["delta"])
        total = [n / sums, nowhere, nowhere]
        energy = [-n / sums / 2, nowhere, nowhere]
        growth, rhythm = [np.abs(worst), nowhere, nowhere], [lasting(worst), nowhere, nowhere]
        if self.graph == "two_cliques":
            single = 1 - rate[:, None] * alone.real
            worst = single[np.arange(len(rate)), np.abs(single).argmax(1)]
            total[ONE_CLIQUE] = k / alone[:, 0].real
            energy[ONE_CLIQUE] = -total[ONE_CLIQUE] / 2
            growth[ONE_CLIQUE], rhythm[ONE_CLIQUE] = np.abs(worst), lasting(worst + 0j)
        if self.graph == "clique":
            turned = 1 - rate * sums
            high = rate / (1 - (1 - rate) * turned)
            low = (1 - rate) * high
            there = (rate * sums > 2) & ((sums - 1) * high >= 1) & (low >= 0)
            value = [-n * (x - sums * x * x / 2) for x in (high, low)]
            product = np.maximum(np.abs((1 - rate) * turned), np.abs((1 - rate) * (1 - rate * epsilon)))
            for part, found in (
                (total, n * (high + low) / 2), (energy, (value[0] + value[1]) / 2), (growth, np.sqrt(product)),
                (rhythm, np.full(rate.size, 0.5)),
            ):  # fmt: skip
                part[PERIOD_TWO] = np.where(there, found, np.nan)
        values = {
            name: np.stack(parts, axis=1)
            for name, parts in (("total_resource", total), ("energy", energy), ("growth", growth), ("rhythm", rhythm))
        }
        turning = (self.graph == "cycle") & (values["growth"] >= 1)
        return core.Solution(
            values, 0 * values["total_resource"], stable=values["growth"] < 1,
            fails={
                "silent_units": turning,
            },
        )  # fmt: skip

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        matrix = couplings(self.graph, self.units, self.epsilon, self.delta)
        n, rate = len(matrix), self.learning_rate
        active = np.ones(n)
        if state["branch"] == "one_clique":
            active[self.units :] = 0
        x = active * state["total_resource"] / active.sum()

        def update(x: Array) -> Array:
            return np.asarray((1 - rate) * x + rate * np.maximum(matrix @ x + 1, 0))

        if state["branch"] == "period_two":
            x = np.full(n, 2 * state["total_resource"] / n / (2 - rate))  # the mean of x and (1 - eta) x
            return {
                "(1)": float(np.abs(update(update(x)) - x).max()),
                "(5)": float(np.abs(update(x) - (1 - rate) * x).max()),
            }
        slopes = np.diag(active) @ (np.eye(n) - matrix) @ np.diag(active) + np.diag(1 - active)
        return {
            "(1)": float(np.abs(update(x) - x).max()),
            "(3)": state["energy"] - (x @ (x - matrix @ x) / 2 - x.sum()),
            "(4)": state["growth"] - float(np.abs(np.linalg.eigvals(np.eye(n) - rate * slopes)).max()),
        }

    def select(self, points: Points, solution: core.Solution) -> Array:
        assert solution.stable is not None
        stable = solution.exists(self.tolerance) & solution.stable
        return np.where(stable.any(1), stable.argmax(1), -1)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        rest = states.stable["together"] | states.stable["one_clique"]
        cycle = np.full(rest.shape, self.graph == "cycle")
        waves = self.slopes(points)[0]
        factor = np.abs(1 - points["learning_rate"][:, None] * waves)
        return {
            "learns": rest & ~cycle,
            "settles": rest,
            "period_two": states.stable["period_two"],
            "limit_cycle": cycle & (factor[:, 1:].max(1) >= 1),
            "unsteady": np.ones_like(rest),
        }

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        both, alone = self.slopes(points)
        slopes = alone if self.graph == "two_cliques" else both
        limit = np.asarray(np.min(2 * slopes.real / np.abs(slopes) ** 2, axis=1))
        return limit, limit > 0

    def landscape(self) -> core.Landscape:
        """E of eq. (3) where all units are alike. Raises NotOfferedError for a cycle, which descends no loss."""
        if self.graph == "cycle":
            raise core.NotOfferedError(self.title, "a loss, where help is not mutual")
        n = 2 * self.units if self.graph == "two_cliques" else self.units
        total = np.linspace(0, 2.2 * n * self.together(), 201)
        energy = total**2 / (2 * n * self.together()) - total
        note = "a saddle: E falls further if one clique takes over" if self.graph == "two_cliques" else ""
        return core.Landscape("total_resource", total, energy, ("together",), note, "loss E, all units alike")

    def recursion(self) -> core.Recursion:
        """Eq. (1) where all units are alike, for their sum. Raises NotOfferedError for two cliques, which part."""
        if self.graph == "two_cliques":
            raise core.NotOfferedError(self.title, "a map of one resource, where two cliques compete")
        n = self.units
        x = np.linspace(
            0, max(2.2 * self.together(), 1.05 * self.learning_rate), 401
        )  # the farthest image is that of 0
        hindrance = 1 / self.together() - 1
        image = (1 - self.learning_rate) * x + self.learning_rate * np.maximum(1 - hindrance * x, 0)
        return core.Recursion("total_resource", n * x, n * image, 0.15 * n * self.together())

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """The sum of all, which deviates from rest alone as long as all are active."""
        if self.graph == "two_cliques":
            raise core.NotOfferedError(self.title, "a path, which depends on what each clique begins with")
        rest = self.units * self.together()
        return {
            "total_resource": rest
            + (start["total_resource"] - rest) * (1 - self.learning_rate / self.together()) ** times
        }

    def caveat(self) -> str:
        return "a limit cycle or a longer rhythm, whose mean is not the state of rest that it goes round"

    def footprint(self) -> int:
        return 8 * REMEMBERED * 16
