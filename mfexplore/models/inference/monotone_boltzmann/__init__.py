r"""Monotone Boltzmann machine: couplings for which mean field has one answer, by construction.

A Boltzmann machine of $N$ units $s_i=\pm1$, all coupled as one likes, has the distribution

$$P(s)\propto\exp\Big(\tfrac12\sum_{i\ne j}J_{ij}s_is_j+\sum_ib_is_i\Big) \tag{1}$$

which nobody can sum over for many units. Mean field replaces every unit by its belief $m_i=\langle s_i\rangle$, and
iterates, with damping $a$,

$$m\leftarrow(1-a)\,m+a\tanh(Jm+b) \tag{2}$$

Its solutions are where $F(m)=-\frac12m^{\sf T}Jm-b^{\sf T}m-S(m)$ is stationary. As $-S''=1/(1-m_i^2)\ge1$, this is
convex if no eigenvalue of $J$ exceeds 1. So there is **one solution, whatever the data**, if $J$ is taken from the

$$\textrm{monotone machines:}\qquad-L\le J\le g,\quad g<1 \tag{3}$$

(as matrices). A coupling $J_{ii}$ of a unit with itself is allowed: it changes nothing in (1), but much in (2). The
*gain* $g$ decides whether the solution is unique, the *inhibition* $L$ how fast one may go: near $m=0$ (2) converges if
and only if $a<2/(1+L)$, and each step shortens deviations at least by the *contraction* $\max(|1-a+ag|,|1-a-aL|)$.

**Unique is not accurate.** Take a random machine (*full*, or *restricted* to couplings between two layers): Gaussian
couplings whose spectrum has the radius $R=(g+L)/2$, and the self-coupling $-c$ with $c=(L-g)/2$. As $N\to\infty$ the
solution of (2), with $D=1-m^2$ and $y=R/2$, is

$$m=\tanh(b+y\sqrt q\,z+(r-c)\,m),\quad q=\mathbb E\,m^2,\quad r=y^2\,\mathbb E\frac D{1-(r-c)D} \tag{4}$$

because a unit acts on the others, which act back on it with $r$. The truth (1) has the law of Sherrington and
Kirkpatrick, without the echo:

$$\langle s\rangle=\tanh(b+y\sqrt q\,z),\qquad q=\mathbb E\tanh^2(b+y\sqrt q\,z) \tag{5}$$

Mean field exaggerates: without a bias $q=0$, and a unit answers to a small bias of its own with $\chi=r/y^2>1$, where
the truth is $\chi=1-q=1$. Inhibition $c=y^2(1-q)$ is just the correction of Thouless, Anderson and Palmer: it cancels
the echo, $r=c$, and mean field is unique *and* right.

With a bias the ends $z$ of the spectrum of $DJ$, which give the contraction near the solution, follow from

$$z^2=y^2\,\mathbb E\frac{D^2}{(1-wD)^2},\qquad wz^2+cz=y^2\,\mathbb E\frac D{1-wD} \tag{6}$$

A *pair* of units with the same $g$ and $L$ shows what happens at $g=1$: above it has two answers, $m=\pm\tanh(gm)$.

**Digits.** 64 pixels and 10 labels are one machine, which learns to complete what is hidden. With $v$ the solution of
$(1-D J)v=t-m$ for the hidden units, of which $t$ is the truth, the likelihood of the beliefs grows along
$\delta J_{ij}\propto v_im_j$, $\delta b_i\propto v_i$ (implicit differentiation: no iteration is unrolled); after each
batch the eigenvalues are clipped to (3). Whatever is hidden later, there is one completion.

**Valid:** (2), (3) always; (4), (5) as $N\to\infty$, (4) while its solution is stable, (5) above the line of de Almeida
and Thouless. Units with $K$ states (softmax) have one solution while no eigenvalue exceeds 2, because
$\sum_k\delta_k^2/p_k\ge2\sum_k\delta_k^2$ where $\sum_k\delta_k=0$; $K=2$ is (3) again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.core.distinct import distinct
from mfexplore.families.spins import entropy
from mfexplore.models.inference.monotone_boltzmann.dynamics import MonotoneSimulation
from mfexplore.models.inference.monotone_boltzmann.theory import many_units, truth, two_units

MACHINES = ("full", "restricted", "pair", "digits")
MEAN_FIELD, EXACT = range(2)
FIRST, SECOND = range(2)
NO_DIGITS = {"machine": ("full", "restricted", "pair")}
MANY_UNITS = {"machine": ("full", "restricted")}


@dataclass(frozen=True)
class MonotoneBoltzmann(core.Model):
    gain: float = core.control(
        0.9, 0.1, 2.5, symbol="g", role="coupling", step=0.01,
        doc="largest eigenvalue of the couplings; below 1 the machine is monotone",
    )  # fmt: skip
    inhibition: float = core.control(
        2.0, 0.0, 6.0, symbol="L", role="coupling", step=0.01, doc="minus the smallest eigenvalue of the couplings"
    )
    bias: float = core.control(
        0.0, 0.0, 2.0, symbol="b", role="field", step=0.01, only=NO_DIGITS, doc="what pulls every unit up"
    )
    damping: float = core.control(
        0.5, 0.02, 1.0, symbol="a", role="rate", step=0.01, doc="how much of each mean-field step is taken"
    )
    machine: str = core.choice(
        "full", MACHINES,
        doc="random couplings of all units, or between two layers; a pair of units; pixels and labels that learn",
    )  # fmt: skip
    dynamics: str = core.choice(
        "mean_field", {"mean_field": "mean field", "sampling": "sampling"}, part="simulation", only=NO_DIGITS,
        doc="iterations of beliefs from many starts, or samples of the machine itself",
    )  # fmt: skip
    size: int = core.control(
        256, 8, 1000, symbol="N", unit="units", role="size", scale="log", part="simulation", only=MANY_UNITS,
        doc="units simulated; up to 16 also summed over",
    )  # fmt: skip
    start: str = core.choice(
        "near_zero", {"near_zero": "near zero", "anywhere": "anywhere"}, role="start", part="simulation",
        only=NO_DIGITS, doc="where the beliefs start",
    )  # fmt: skip

    version = 2
    tags = core.Tags("research", 20, ("learning",), ("variational", "exact sums"))
    relations = (
        core.Relation(
            "shares the method with", "tap_ladder",
            "Naive mean field on one set of random couplings; a coupling of a unit with itself makes it unique "
            "there, the reaction term makes it right here and there.",
        ),
    )  # fmt: skip
    title = "Monotone Boltzmann machine"
    summary = "One mean-field solution by construction: how fast, how wrong, and how it completes digits."
    sources = (
        core.Source(
            "Z. Feng, E. Winston, J. Z. Kolter, Monotone deep Boltzmann machines, Trans. Mach. Learn. Res. (2023)",
            arxiv="2307.04990",
        ),
        core.Source("A. J. Bray, H. Sompolinsky, C. Yu, On the naive mean-field equations for spin glasses, "
            "J. Phys. C 19, 6389 (1986)"),
        core.Source("D. J. Thouless, P. W. Anderson, R. G. Palmer, Phil. Mag. 35, 593 (1977)",
            doi="10.1080/14786437708235992"),
    )  # fmt: skip
    observables = (
        core.Observable("contraction", r"\mu", "factor by which a step of (2) shortens the most stubborn deviation",
            low=0, high=2),
        core.Observable("magnetization", "m", "mean belief", low=-1, high=1, signed=True, only=NO_DIGITS),
        core.Observable("overlap", "q", "mean of the beliefs squared", low=0, high=1, only=NO_DIGITS),
        core.Observable("response", r"\chi", "how much a unit follows a small change of its own bias", low=0, high=4,
            only=NO_DIGITS),
    )  # fmt: skip
    branches = (
        core.Branch("first", "the solution that is reached from units that are up"),
        core.Branch("second", "the one that is reached from units that are down, if it is another"),
    )
    methods = (
        core.Method("mean_field", "eq. (2), for many units eq. (4)", describes={"dynamics": ("mean_field",)}),
        core.Method("exact", "the distribution itself, for many units eq. (5); absent for digits",
            describes={"dynamics": ("sampling",), "machine": ("full", "restricted", "pair")}),
    )  # fmt: skip
    phases = (
        core.Phase("unique", "Monotone: one solution, and these steps reach it from anywhere."),
        core.Phase("overshooting", "One solution, but steps are too long for this inhibition: they swing about it."),
        core.Phase("lucky", "Nothing guarantees that there is one solution, but the bias leaves this one stable."),
        core.Phase("several", "The gain is too large: several solutions, and the start decides which is reached."),
    )
    failures = (
        core.Failure(
            "unstable",
            "Beliefs run away from this solution: there are others, and eq. (4) does not describe where runs end.",
        ),
        core.Failure(
            "glass", "Below the line of de Almeida and Thouless eq. (5) is an approximation: replica symmetry breaks."
        ),
    )
    landmarks = (
        core.Landmark("monotone", "g=1", "above it there are several solutions", of="gain"),
        core.Landmark("longest_step", "a=2/(1+L)", "longer steps swing about the solution m = 0 for ever",
            continuous=False, of="damping"),
        core.Landmark("best_step", "a=2/(2+L-g)", "steps of this length converge fastest", continuous=False,
            of="damping"),
        core.Landmark("accurate", r"c=y^2(1-q)", "mean field is exact: inhibition cancels the echo",
            continuous=False, of="inhibition", only=MANY_UNITS),
    )  # fmt: skip
    planes = (
        core.Plane("gain", "damping", "contraction", x_range=(0.1, 2.0)),
        core.Plane("inhibition", "damping", "contraction"),
        core.Plane("inhibition", "gain", "response", finest=65, only=MANY_UNITS),
    )
    presets = (
        core.Preset(
            "one answer", {"start": "anywhere"},
            "Sixteen starts, anywhere, run into one line: the gain of 0.9 leaves no room for a second answer.",
            view=core.View(picture="starts", series="spread"),
        ),
        core.Preset(
            "two answers", {"machine": "restricted", "gain": 1.3, "inhibition": 1.3, "start": "anywhere"},
            "The same starts in an unrestrained machine of two layers: they end in different answers.",
            view=core.View(picture="starts", series="spread"),
        ),
        core.Preset(
            "steps too long", {"inhibition": 4.0, "damping": 0.6},
            "One solution, and nobody gets there: such long steps overshoot it. Shorten them.",
            (core.Promise(core.Crossing("longest_step", "damping"), 0.4, 1e-9),),
            view=core.View(series="spread"),
        ),
        core.Preset(
            "unique is not accurate", {"inhibition": 0.9, "bias": 0.1, "dynamics": "sampling"},
            "Samples of the machine have m = 0.10. Its only mean-field solution says 0.13.",
            (core.Promise(core.Value("magnetization", method="exact"), 0.098, 0.002),
             core.Promise(core.Value("magnetization"), 0.132, 0.005)),
            view=core.View(plane=("inhibition", "gain"), colour="response", series="magnetization"),
        ),
        core.Preset(
            "unique and accurate", {"gain": 0.9, "inhibition": 1.83, "bias": 0.1},
            "Inhibition that cancels the echo: beliefs now have the mean that samples have, 0.10.",
            view=core.View(plane=("inhibition", "gain"), colour="response", series="magnetization"),
        ),
        core.Preset(
            "sixteen units", {"size": 16, "inhibition": 0.9, "bias": 0.3},
            "All 65536 states can be added up: every unit lies off the line, farther out than it should.",
            view=core.View(picture="marginals"),
        ),
        core.Preset(
            "complete a digit", {"machine": "digits", "inhibition": 3.0, "damping": 0.4},
            "From its upper half the machine completes digits it never saw, and both starts agree. Within a hundred "
            "batches most of the names become right (trace of the label error).",
        ),
        core.Preset(
            "a pair of two minds", {"machine": "pair", "gain": 1.2, "inhibition": 1.2, "start": "anywhere"},
            "Two units that couple with 1.2: half of the starts end at 0.66, half at -0.66. The truth is 0.",
            (core.Promise(core.Value("magnetization"), 0.66, 0.002),
             core.Promise(core.Value("magnetization", method="exact"), 0.0, 1e-12)),
            view=core.View(picture="starts", series="spread"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "belief of two units that couple with 1.2", 0.6585696604, 1e-10, "m = tanh(1.2 m) iterated",
            core.Value("magnetization"), {"machine": "pair", "gain": 1.2, "inhibition": 1.2},
        ),
        core.Reference(
            "response of a random machine without bias at gain 0.9", (1 - math.sqrt(0.19)) / 0.405, 1e-12,
            "eq. (4) at m = 0, a quadratic equation", core.Value("response"), {"inhibition": 0.9},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "The smallest eigenvalue of the couplings is -4. What is the largest damping factor a with which the "
            "iteration still reaches its one solution?",
            {"inhibition": 4.0}, "damping", core.Crossing("longest_step", "damping"), 0.03,
            "2/(1+4) = 0.4: the deviation that is answered by -4 times itself comes back as 1 - a - 4a.",
        ),
        core.Task(
            "A random machine with gain and inhibition 0.9 has one mean-field solution. How much too large is its "
            "response to a small bias? (The true one is 1.)",
            {"inhibition": 0.9}, "response", core.Value("response"), 0.1,
            "1.39: each unit hears its own echo from the others. That there is no second solution does not help.",
        ),
    )  # fmt: skip
    simulation = MonotoneSimulation

    @property
    def units(self) -> int:
        return 2 if self.machine == "pair" else 2 * (self.size // 2)

    @property
    def radius(self) -> float:
        """R, of the spectrum of the couplings between units."""
        return 0.5 * (self.gain + self.inhibition)

    @property
    def self_inhibition(self) -> float:
        """c, of a unit by itself."""
        return 0.5 * (self.inhibition - self.gain)

    def realised(self) -> MonotoneBoltzmann:
        return self.with_simulated(size=2 * (self.size // 2)) if self.machine in ("full", "restricted") else self

    def solve(self, points: Points) -> core.Solution:
        g, low, b = (points[name] for name in ("gain", "inhibition", "bias"))
        n = g.size
        values = {o.name: np.full((n, 2, 2), np.nan) for o in self.observables if self.applies(o)}
        residual = np.full((n, 2, 2), np.nan)
        top, bottom = np.full((2, n, 2, 2), np.nan)  # the ends of the spectrum of D J
        glass = np.zeros((n, 2), bool)
        if self.machine == "digits":  # a bound: D is at most 1
            residual[:, MEAN_FIELD, FIRST] = 0.0
            top[:, MEAN_FIELD, FIRST], bottom[:, MEAN_FIELD, FIRST] = g, -low
        elif self.machine == "pair":
            m, response, residual = two_units(g, 0.5 * (g + low), b)
            values |= {"magnetization": m, "overlap": m**2, "response": response}
            slope = 1 - m**2
            top, bottom = slope * g[:, None, None], -slope * low[:, None, None]
        else:  # the damping, an axis of two planes, does not matter
            first, place = distinct([g, low, b])
            for method in (MEAN_FIELD, EXACT):
                state = many_units(g[first], low[first], b[first], method == EXACT)
                for array, each in zip((top, bottom, residual), (state.top, state.bottom, state.residual), strict=True):
                    array[:, method, FIRST] = each[place]
                for name in ("magnetization", "overlap", "response"):
                    values[name][:, method, FIRST] = getattr(state, name)[place]
            glass[:, EXACT] = state.instability[place] > 1
        step = points["damping"][:, None, None]
        values["contraction"] = np.maximum(np.abs(1 - step + step * top), np.abs(1 - step + step * bottom))
        solved = residual[:, MEAN_FIELD, FIRST] <= self.tolerance
        extra = {"top": np.where(solved, top[:, MEAN_FIELD, FIRST], np.inf), "bottom": bottom[:, MEAN_FIELD, FIRST]}
        unstable = np.zeros_like(residual, bool)
        unstable[:, MEAN_FIELD] = top[:, MEAN_FIELD] > 1
        return core.Solution(values, residual, extra=extra, fails={"unstable": unstable, "glass": glass[..., None]})

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        top, bottom = states.solution.extra["top"], states.solution.extra["bottom"]
        several = states.exists["second"][:, MEAN_FIELD] | (top > 1)
        return {
            "several": several | ((points["gain"] > 1) & (self.machine == "digits")),
            "overshooting": points["damping"] * (1 - bottom) > 2,
            "lucky": points["gain"] >= 1,
            "unique": np.ones_like(several),
        }

    def boundary(self, name: str, points: Points) -> Array:
        g, low, b = (points[one] for one in ("gain", "inhibition", "bias"))
        if name == "monotone":
            return np.ones_like(g)
        if name == "longest_step":
            return 2 / (1 + low)
        if name == "best_step":
            return np.where(g < 1, 2 / (2 + low - g), np.nan)
        (g, b), place = np.unique(np.stack([g, b]), axis=1, return_inverse=True)  # the damping does not matter
        most = 4 - g - 4 * np.sqrt(np.maximum(1 - g, 0))  # without bias: a quadratic equation

        def excess(inhibition: Array, k: Array) -> Array:
            variance = (0.25 * (g[k] + inhibition)) ** 2
            return np.asarray(variance * (1 - truth(b[k], variance)[1]) - 0.5 * (inhibition - g[k]))

        every = np.arange(g.size)
        ends = excess(g, every), excess(most, every)
        found = bracketed_roots(excess, g, most, ends, tolerance=1e-12)
        return np.where((g < 1) & (ends[0] > 0) & (ends[1] <= 1e-9), found, np.nan)[place]

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        g, low, b, own = self.gain, self.inhibition, self.bias, self.self_inhibition
        y = 0.5 * self.radius
        if self.machine == "digits":
            return {"contraction": state["contraction"] - self._shortening(g, -low)}
        m, exact = state["magnetization"], state["method"] == "exact"
        if self.machine == "pair":
            j = self.radius
            weights = {s: math.exp(j * s[0] * s[1] + b * sum(s)) for s in ((1, 1), (1, -1), (-1, 1), (-1, -1))}
            mean = sum(p * s[0] for s, p in weights.items()) / sum(weights.values())
            return {
                "(1), (2)": m - (mean if exact else math.tanh(b + g * m)),
                "contraction": state["contraction"] - self._shortening(g * (1 - m * m), -low * (1 - m * m)),
            }
        if b == 0 and not exact:
            r = state["response"] * y * y
            quadratic = r * (1 - r + own) - y * y if g < 1 else 0.0
            return {"(4)": quadratic, "contraction": state["contraction"] - self._shortening(g, -low)}
        z = np.linspace(-9, 9, 721)
        normal = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
        drive, back = b + y * math.sqrt(state["overlap"]) * z, 0.0 if exact else state["response"] * y * y - own
        below, above = np.full(z.size, -1.0), np.ones(z.size)
        for _ in range(60):
            beliefs = 0.5 * (below + above)
            too_low = beliefs < np.tanh(drive + back * beliefs)
            below, above = np.where(too_low, beliefs, below), np.where(too_low, above, beliefs)
        slopes = 1 - beliefs**2
        answers = normal @ (slopes / (1 - back * slopes))
        return {
            "(4), (5), m": m - normal @ beliefs,
            "(4), (5), q": state["overlap"] - normal @ beliefs**2,
            "(4), (5), response": (state["response"] - answers) / (1 + answers),
        }

    def _shortening(self, top: float, bottom: float) -> float:
        return max(abs(1 - self.damping + self.damping * x) for x in (top, bottom))

    def landscape(self) -> core.Landscape:
        if self.machine != "pair":
            raise core.NotOfferedError(self.title, "a landscape of more than two units")
        m = np.linspace(-1, 1, 401)
        return core.Landscape(
            "magnetization", m, -0.5 * self.gain * m * m - self.bias * m - entropy(m), title="F of eq. (2), per unit"
        )

    def recursion(self) -> core.Recursion:
        if self.machine != "pair":
            raise core.NotOfferedError(self.title, "a recursion of more than two units")
        m = np.linspace(-1, 1, 401)
        image = (1 - self.damping) * m + self.damping * np.tanh(self.bias + self.gain * m)
        return core.Recursion("magnetization", m, image, 0.1)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Small deviations from m = 0: each eigenvalue of the semicircle has a factor of its own."""
        if self.machine not in MANY_UNITS["machine"] or self.start != "near_zero" or self.bias or "spread" not in start:
            return {}
        angle = (np.arange(2000) + 0.5) * math.pi / 2000
        factor = 1 - self.damping + self.damping * (self.radius * np.cos(angle) - self.self_inhibition)
        with np.errstate(divide="ignore"):
            logarithm = 2 * np.log(np.abs(factor))
        weight = np.sin(angle) ** 2 / np.sum(np.sin(angle) ** 2)
        return {
            "spread": start["spread"] * np.sqrt(np.exp(np.multiply.outer(times, logarithm).clip(None, 300)) @ weight)
        }

    def caveat(self) -> str:
        if self.machine == "digits":
            return "the theory is a bound, and the machine is learning"
        return "there are several solutions, steps overshoot, or the machine is finite"

    def extent(self) -> str:
        return "of 64 pixels and 10 labels" if self.machine == "digits" else f"of {self.units} units"

    def footprint(self) -> int:
        return 64 * self.units**2 + 2**20
