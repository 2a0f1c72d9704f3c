r"""Trees of agents: when many that vote are better than one that thinks.

A question has the answers right and wrong. An agent that spends the compute $x$ on it is right with the probability
$\frac12(1+m)$, where its *bias* grows as a power

$$m_0(x)=\min(1,\,c\,x^\beta) \tag{1}$$

The budget $B$ may go to one agent; or to the $b^L$ leaves of a tree, of which each then has $x=B/b^L$. A node hears its
$b$ children and passes on what most of them say (a draw is decided by a coin); every message is garbled on the way, so
that a bias $m$ arrives as $\gamma m$. Were all inputs independent, the majority of $b$ (an odd number; an even one
does exactly as well as the next smaller) would have the bias

$$f_b(x)=2\sum_{k>b/2}\binom bk\Big(\frac{1+x}2\Big)^k\Big(\frac{1-x}2\Big)^{b-k}-1 \tag{2}$$

But agents of one make fail together. Let two siblings have *the same* input with the probability $\rho$. That does not
yet say what three have, and it matters:

$$m_{l+1}=g(m_l),\qquad g(m)=\begin{cases}\rho\,\gamma m+(1-\rho)\,f_b(\gamma m)&\text{all or none: with probability }
\rho\text{ all }b\text{ share one input}\\[2pt]\displaystyle\int f_b(x)\,dP_{\gamma m,\rho}(x)&\text{cliques: agent }j+1
\text{ joins that of an earlier one with probability }j\rho/(1-\rho+j\rho)\end{cases} \tag{3}$$

Cliques make the inputs exchangeable; $P$ is then the beta law whose number of right ones is beta-binomial. As $g$ is
concave, a weak bias is amplified from level to level if and only if

$$\alpha_\rho=g'(0)>1,\qquad\text{all or none: }\alpha_\rho=\gamma[\rho+(1-\rho)\,a_b],\quad
a_b=f_b'(0)=\frac b{2^{b-1}}\binom{b-1}{(b-1)/2}\sim\sqrt{2b/\pi} \tag{4}$$

and then saturates at $m_*=g(m_*)>0$; else it is *washed out* to chance. Per agent that is a power with the exponent

$$s=\frac{\ln\alpha_\rho}{\ln b},\qquad m_L\simeq\alpha_\rho^L\,m_0(B/b^L)=b^{L(s-\beta)}\,cB^\beta \tag{5}$$

so that a weak signal is better left to many if $s>\beta$, and to one agent with the whole budget if $s<\beta$.
Concavity makes this an upper bound, sharper if it is cut at the fixed point,

$$m_L\le\min\big(\max(m_*,m_0),\;\alpha_\rho^L\,m_0\big) \tag{6}$$

The tree is saturated from the budget on where both are equal; from $cB^\beta=m_*$ on, one agent beats any tree. Which
fan-in is best has opposite answers: if all or none share, $s\to\frac12$ as $b$ grows, however large $\rho<1$; among
cliques the gain of *any* number of agents is bounded, about $\sqrt{2/\pi\rho}$, and small groups are best.

A node that reads $b$ messages within a context window $w$ leaves each the length $w/b$. If a message keeps the part
$\gamma=1-e^{-w/b}$ of its bias (lengths in units of that which keeps 63 per cent), the window alone makes a hierarchy
necessary.

**Valid:** exactly, at any size: subtrees do not meet. What is simulated are trees of agents that vote, with cliques as
they come; each round builds new ones, a level higher than the last until all are there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import comb, poch

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.decisions.agent_tree.dynamics import Votes
from mfexplore.models.decisions.agent_tree.theory import next_level, solve_points

EXACT = 0


def best_fan_in(model: AgentTree) -> float:
    """That of the largest exponent."""
    found = model.theory(method="exact", profiles=False, fan_in=np.arange(2, 32))["exponent"]
    return float(found.idxmax("fan_in"))


TREE = core.View(function="bias_by_depth", picture="tree")
FIXED, WINDOW = {"messages": ("fixed",)}, {"messages": ("window",)}


@dataclass(frozen=True)
class AgentTree(core.Model):
    shared_error: float = core.control(
        0.1, 0.0, 1.0, symbol=r"\rho", role="disorder", step=0.005,
        doc="probability that two siblings have the same input, and fail together",
    )  # fmt: skip
    loss: float = core.control(
        0.1, 0.0, 0.95, symbol=r"1-\gamma", role="temperature", step=0.005, only=FIXED, title="loss in messages",
        doc="part of the bias that a message loses on its way",
    )  # fmt: skip
    window: float = core.control(
        12.0, 0.5, 100.0, symbol="w", role="load", scale="log", step=0.1, only=WINDOW, title="context window",
        doc="length that a node can read, in units of the length at which a message keeps 63 per cent of its bias",
    )  # fmt: skip
    fan_in: int = core.control(3, 2, 31, symbol="b", role="coupling", doc="children whose messages a node hears")
    depth: int = core.control(6, 0, 8, symbol="L", role="order", doc="levels of the tree; 0 is one agent alone")
    budget: float = core.control(
        1000.0, 1.0, 1e6, symbol="B", role="load", scale="log", step=1.0, doc="compute of all leaves together"
    )
    leaf_exponent: float = core.control(
        0.1, 0.01, 1.0, symbol=r"\beta", role="coupling", step=0.005,
        doc="exponent of the bias of one agent with its compute",
    )  # fmt: skip
    unit_bias: float = core.control(
        0.05,
        0.01,
        1.0,
        symbol="c",
        role="field",
        step=0.005,
        scale="log",
        doc="bias of an agent with one unit of compute",
    )
    dependence: str = core.choice(
        "all_or_none", {"all_or_none": "all or none", "cliques": "cliques"},
        doc="how siblings share inputs: all b of them or none, or in cliques of any size",
    )  # fmt: skip
    messages: str = core.choice(
        "fixed", {"fixed": "of a given loss", "window": "share a window"},
        doc="whether the loss is given, or follows from the length that a window leaves to each message",
    )  # fmt: skip
    size: int = core.control(
        100_000, 32, 10_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="agents simulated in each round: as many trees as they suffice for, else trees of fewer levels",
    )  # fmt: skip

    title = "Trees of agents"
    summary = "Majority votes level by level: when many cheap agents beat one that has all the compute, and when not."
    tags = core.Tags("first contact", 15, ("phase transition", "decisions"), ("self-consistency", "exact sums"))
    relations = (
        core.Relation(
            "has the same transition as", "bethe_propagation",
            "A weak signal grows from level to level of a tree if the slope of one map at zero exceeds one.",
            there={"antiferromagnetic_fraction": 0.0, "degree": 3},
        ),
    )  # fmt: skip
    sources = (
        core.Source("Phase Transition for Budgeted Multi-Agent Synergy (abstract; the map is reconstructed from it)"),
        core.Source("J. von Neumann, Probabilistic logics, in Automata Studies (Princeton, 1956)"),
        core.Source("W. Evans and L. Schulman, IEEE Trans. Inf. Theory 45, 2367 (1999)", doi="10.1109/18.796377"),
        core.Source("S. Berg, Social Choice and Welfare 10, 87 (1993): Condorcet's jury with dependent votes"),
    )
    coordinates = (core.Coordinate("hierarchy", "L", "levels, with the same budget", title="depth", discrete=True),)
    observables = (
        core.Observable("root_bias", "m_L", "bias of the root's verdict", low=-0.1, high=1),
        core.Observable("deep_bias", "m_*", "bias of a tree without end, eq. (3)", low=0, high=1),
        core.Observable(
            "advantage", r"\ln(m_L/m_1)", "logarithm of the root's bias over that of one agent with the same budget",
            low=-2, high=2, signed=True,
        ),
        core.Observable("gain", r"\alpha_\rho", "factor by which a level amplifies a weak bias", low=0, high=3),
        core.Observable("exponent", "s", "what the tree gains per agent, eq. (5)", low=-0.5, high=0.5, signed=True),
        core.Observable("single_bias", "m_1", "bias of one agent with the whole budget", low=0, high=1),
        core.Observable("bias_by_depth", "m_L", "bias of the root of such trees", low=0, high=1, over="hierarchy"),
    )  # fmt: skip
    methods = (
        core.Method("exact", "level after level, eq. (3)"),
        core.Method("clipped", "weak signals up to saturation, eq. (6)", bound="upper"),
    )
    phases = (
        core.Phase("washed_out", "Each level loses more than voting wins: deep trees are no better than chance."),
        core.Phase("overtaken", "With so much compute one agent is better than the shared errors of any tree."),
        core.Phase("many", "Deeper and deeper trees beat one agent that has the same budget."),
        core.Phase("one", "A tree amplifies, but its leaves lose more by sharing the budget: better ask one agent."),
    )
    landmarks = (
        core.Landmark("amplification", r"\alpha_\rho=1", "below it weak signals grow", of="loss", only=FIXED),
        core.Landmark(
            "narrowest_window", r"\alpha_\rho=1", "above it weak signals grow", of="window", only=WINDOW
        ),
        core.Landmark("synergy", r"s=\beta", "many agents are as good as one with the same budget", of="leaf_exponent"),
        core.Landmark(
            "saturation", r"\alpha_\rho^Lm_0=m_*", "from here on more budget hardly helps the tree", False, of="budget"
        ),
        core.Landmark("single_agent", "m_1=m_*", "one agent is as good as a tree without end", of="budget"),
    )  # fmt: skip
    planes = (
        core.Plane("shared_error", "loss", "deep_bias", x_range=(0.0, 1.0), y_range=(0.0, 0.7), only=FIXED),
        core.Plane("leaf_exponent", "fan_in", "advantage", x_range=(0.01, 0.6), along="x"),
        core.Plane("budget", "depth", "root_bias", along="x"),
        core.Plane("window", "fan_in", "exponent", along="x", only=WINDOW),
    )
    presets = (
        core.Preset(
            "amplified", {},
            "One agent with all the compute has a bias of 0.10; 729 that share it vote their way up to 0.25.",
            (core.Promise(core.Value("single_bias"), 0.10, 0.001), core.Promise(core.Value("root_bias"), 0.25, 0.002),
             core.Promise(core.Mean("root_bias", 6, 300), 0.25, 0.03)), TREE,
        ),
        core.Preset(
            "washed out", {"fan_in": 5, "loss": 0.4, "shared_error": 0.3, "unit_bias": 0.5, "depth": 5},
            "The leaves know a lot, but every level loses more than its vote wins: the gain is 0.97, just below one.",
            (core.Promise(core.Value("gain"), 0.97, 0.003),), TREE,
        ),
        core.Preset(
            "saturated", {"unit_bias": 0.3, "leaf_exponent": 0.05, "depth": 8, "size": 300_000},
            "Level by level the bias grows by a factor, then bends towards 0.96: no depth gets rid of shared errors.",
            (core.Promise(core.Value("deep_bias"), 0.96, 0.005),), TREE,
        ),
        core.Preset(
            "better alone", {"leaf_exponent": 0.4, "unit_bias": 0.02, "depth": 5},
            "Voting still amplifies, but compute is worth more when one agent has it all: each level makes it worse.",
            (core.Promise(core.Value("advantage"), -0.87, 0.05),),
            core.View(("leaf_exponent", "fan_in"), "advantage", picture="tree", function="bias_by_depth"),
        ),
        core.Preset(
            "which fan-in?", {"fan_in": 15, "depth": 3, "shared_error": 0.2, "dependence": "cliques"},
            "Same pairs, same compute: where all or none fail together larger groups vote better, "
            "but among cliques hardly.",
            view=core.View(("leaf_exponent", "fan_in"), "exponent", "fan_in", picture="stars"),
        ),
        core.Preset(
            "context window", {"messages": "window", "window": 5.0, "leaf_exponent": 0.05},
            "A node that hears many hears little of each: groups of three amplify, groups of eleven wash out.",
            (core.Promise(lambda model: model.replace(fan_in=11).theory(method="exact").gain, 0.92, 0.03),),
            core.View(("window", "fan_in"), "exponent", "fan_in", function="bias_by_depth", picture="stars"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "deep bias, threes, loss 0.1, all or none", 0.9642283550502043, 1e-12, "closed form for $b=3$",
            core.Value("deep_bias"), {"fan_in": 3, "loss": 0.1, "shared_error": 0.1},
        ),
        core.Reference(
            "deep bias, threes, loss 0.1, cliques", 0.92843738, 5e-9, "review of the card",
            core.Value("deep_bias"), {"fan_in": 3, "loss": 0.1, "shared_error": 0.1, "dependence": "cliques"},
        ),
        core.Reference(
            "gain of the majority of three", 1.5, 1e-14, "von Neumann 1956: noise up to 1/6 can be corrected",
            core.Value("gain"), {"fan_in": 3, "loss": 0.0, "shared_error": 0.0}, published=True,
        ),
        core.Reference(
            "loss at which threes stop amplifying", 1 / 3, 1e-12, "von Neumann 1956: each message wrong once in six",
            core.Crossing("amplification", "loss"), {"fan_in": 3, "shared_error": 0.0}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Siblings share an input with the probability 0.1, in cliques; messages lose a tenth. Which fan-in gains "
            "most per agent?",
            {"fan_in": 3, "dependence": "cliques"}, "fan_in", best_fan_in, 2,
            "About nine. Were it all or none, more would always be better: the correlation of pairs does not tell.",
            view=core.View(("leaf_exponent", "fan_in"), "exponent", "fan_in", picture="stars"),
        ),
        core.Task(
            "Trees of threes, all or none; siblings share with the probability 0.3. Which loss in messages stops the "
            "amplification?",
            {"shared_error": 0.3, "loss": 0.1}, "loss", core.Crossing("amplification", "loss"), 0.02,
            "The vote of three wins a factor 0.3 + 0.7 x 1.5 = 1.35; messages may lose 1 - 1/1.35 of it.",
        ),
    )  # fmt: skip
    simulation = Votes

    # -- theory ---------------------------------------------------------------------------------------------------

    def leaf_bias(self, leaves: int) -> float:
        """Eq. (1) for one of so many leaves."""
        return min(1.0, self.unit_bias * (self.budget / leaves) ** self.leaf_exponent)

    def fidelity(self, fan_in: int) -> float:
        """What each of so many messages keeps of a bias."""
        return 1 - self.loss if self.messages == "fixed" else -math.expm1(-self.window / fan_in)

    def _solved(self, points: Points) -> tuple[Array, Array, Array]:
        """What `solve_points` finds, and the biases of leaves and of one agent."""
        b, depth = points["fan_in"], points["depth"]
        fidelity = 1 - points["loss"] if self.messages == "fixed" else -np.expm1(-points["window"] / b)
        share = points["budget"] / np.power(b, depth, dtype=float)
        leaf, single = (
            np.minimum(1.0, points["unit_bias"] * x ** points["leaf_exponent"]) for x in (share, points["budget"])
        )
        found = np.empty((5, b.size))
        solve_points(leaf, b, depth, fidelity, points["shared_error"], self.dependence == "cliques", found)
        return found, leaf, single

    def solve(self, points: Points) -> core.Solution:
        found, leaf, single = self._solved(points)
        gain, deep, residual, iterations, root = found
        clipped = np.minimum(np.maximum(deep, leaf), gain ** points["depth"] * leaf)
        roots = np.stack([root, clipped], axis=1)
        both = {
            "deep_bias": deep,
            "gain": gain,
            "exponent": np.log(gain) / np.log(points["fan_in"]),
            "single_bias": single,
        }
        values = {name: np.repeat(column[:, None], 2, axis=1) for name, column in both.items()}
        values |= {"root_bias": roots, "advantage": np.log(roots / single[:, None])}
        return core.Solution(
            values, np.repeat(residual[:, None], 2, axis=1), iterations=np.repeat(iterations[:, None], 2, axis=1)
        )

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        deep, gain, small = state["deep_bias"], state["gain"], 1e-4
        root = leaf = self.leaf_bias(self.fan_in**self.depth)
        for _ in range(self.depth):
            root = self._next_level(root)
        if state["method"] == "clipped":
            root = min(max(deep, leaf), gain**self.depth * leaf)
        slope = (8 * self._next_level(small) - self._next_level(2 * small)) / (6 * small)
        return {
            "(3)": deep - self._next_level(deep),
            "(3), root": state["root_bias"] - root,
            "(4)": gain - slope,
            "(5)": gain - self.fan_in ** state["exponent"],
            "(1)": state["single_bias"] - self.leaf_bias(1),
        }

    def _next_level(self, bias: float) -> float:
        """The map of eq. (3), by sums of whole probabilities; even numbers of inputs with their draws."""
        b, rho = self.fan_in, self.shared_error
        x = self.fidelity(b) * bias
        k = np.arange(b + 1)
        wins = np.sign(2 * k - b)
        p = (1 + x) / 2
        independent = float(np.sum(wins * comb(b, k) * p**k * (1 - p) ** (b - k)))
        if self.dependence == "all_or_none" or rho == 0:
            return rho * x + (1 - rho) * independent
        if rho == 1 or p == 1:
            return x
        a, c = p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho
        return float(np.sum(wins * comb(b, k) * poch(a, k) * poch(c, b - k) / poch(a + c, b)))

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        gain, deep, exponent, single = (
            states.solution.values[name][:, 0] for name in ("gain", "deep_bias", "exponent", "single_bias")
        )
        return {
            "washed_out": gain <= 1,
            "overtaken": single >= deep,
            "many": exponent > points["leaf_exponent"],
            "one": np.ones_like(gain, bool),
        }

    def boundary(self, name: str, points: Points) -> Array:
        found, _, _ = self._solved(points)
        gain, deep = found[:2]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if name in ("amplification", "narrowest_window"):
                slope = self.replace(messages="fixed")._solved({**points, "loss": np.zeros_like(gain)})[0][0]
                needed = np.where(slope > 1, 1 / slope, np.nan)
                return 1 - needed if name == "amplification" else -points["fan_in"] * np.log1p(-needed)
            if name == "synergy":
                return np.log(gain) / np.log(points["fan_in"])
            scale = gain ** -points["depth"].astype(float) if name == "saturation" else 1.0
            budget = (deep / points["unit_bias"] * scale) ** (1 / points["leaf_exponent"])
            if name == "saturation":
                budget = budget * np.power(points["fan_in"], points["depth"], dtype=float)
        return np.where((gain > 1) & np.isfinite(budget), budget, np.nan)

    def profiles(self) -> dict[str, core.Profile]:
        depths = np.arange(self.control("depth").bounds[1] + 1)
        points = {n: np.full(depths.size, getattr(self, n)) for n in self.axis_names()} | {"depth": depths.astype(int)}
        return {"bias_by_depth": core.Profile(depths, self.solve(points).values["root_bias"].T)}

    def recursion(self) -> core.Recursion:
        m = np.linspace(0, 1, 201)
        gamma, cliques = self.fidelity(self.fan_in), self.dependence == "cliques"
        image = np.array([next_level(one, self.fan_in, gamma, self.shared_error, cliques)[0] for one in m])
        return core.Recursion("root_bias", m, image, self.leaf_bias(self.fan_in**self.depth))

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        depth = np.minimum(np.round(times), self.depth).astype(int)
        by_depth = self.profiles()["bias_by_depth"].values[EXACT]
        trees = np.maximum(self.size // np.power(self.fan_in, depth), 1)
        return {"root_bias": by_depth[depth], "root_bias_deviation": np.sqrt((1 - by_depth[depth] ** 2) / trees)}

    # -- simulation -----------------------------------------------------------------------------------------------

    def realised(self) -> AgentTree:
        depth = self.depth
        while self.fan_in**depth > self.size:
            depth -= 1
        return self.with_simulated(depth=depth)

    def extent(self) -> str:
        return f"of {self.realised().size:,} agents in each round"

    def footprint(self) -> int:
        return 16 * self.size
