r"""Critical long-range percolation: how well does a line conduct that has shortcuts of every length?

The sites are the whole numbers. Neighbours are joined by a unit resistor; so are sites at a distance $k\geq2$, each
pair independently with the probability

$$p_k=1-\Big(1-\frac1{k^2}\Big)^\beta\simeq\frac\beta{k^2} \tag{1}$$

At this decay, and only at this one, every scale has as many shortcuts as any other: the mean degree
$2+2\sum_{k\geq2}p_k$ is finite, but the expected number of shortcuts over a given place grows with the logarithm of the
length of the line. Their rates add up in closed form,
$\sum_{k\geq d}\ln\frac{k^2}{k^2-1}=\ln\frac d{d-1}$, so that exactly

$$\mathrm{Prob}\,(\text{no shortcut within }[-n,n)\text{ leads over a place next to }0)=n^{-\beta} \tag{2}$$

**Three resistances** of $[-n,n]$: from the *point* 0 to everything outside; from the *interval* to everything outside
of $[-2n,2n]$, given that no shortcut joins the two; and from one of its *ends* to the other without leaving it. The
paper proves that the first two grow like a power, $R\sim n^{\delta(\beta)}$ with $0<\delta<1$, however many shortcuts
there are. (For $\beta=0$ they are $\frac{n+1}2$, and $\delta=1$.)

**Mean field** puts on every pair the conductance $p_k$ that it has on average. Because the resistance is a convex
function of the conductances, this is a *lower bound* of its mean (Jensen). It grows only like a logarithm for the point
and the ends, not at all for the interval: if every place is bridged a little, no place is a bottleneck.

**Bottlenecks** are what it misses. If no shortcut leads out of $[-k,k]$, all current has to pass the two edges at its
ends, which adds $\frac12$ to the resistance, and by the same sum of rates

$$\langle R_\text{point}\rangle\geq\tfrac12\sum_{k=0}^n(4k+2)^{-2\beta},\qquad
\langle R_\text{interval}\rangle\geq\tfrac12\sum_{k=n}^{2n}\Big(\frac{3n+1}{n(4k+2)}\Big)^{2\beta} \tag{3}$$

which are powers $n^{1-2\beta}$. From end to end a single edge that nothing leads over adds 1,

$$\langle R_\text{ends}\rangle\geq\sum_{i=-n}^{n-1}\Big[\frac{2n+1}{2(n+1+i)(n-i)}\Big]^\beta\sim n^{1-\beta} \tag{4}$$

Without any shortcut one has an upper bound (Rayleigh). The truth lies between.

**Where it stops:** above $\beta=\frac12$ (ends: 1) the edges that cannot be avoided are few on average, and
these bounds level off; the resistance grows as a power all the same, because cuts of two, three, ... shortcuts are as
rare and as many. No closed form of $\delta(\beta)$ is known; runs of *point* have about 0.73, 0.55, 0.28 and 0.16 at
$\beta=\frac14,\frac12,1,2$ (*exponent*, over a factor of 16 of length).

**Simulation:** exact. The shortcuts of a site to the right are a Poisson number of mean $\beta\ln2$ at the distances
$\lfloor1/(1-2^{-u})\rfloor$ with $u$ uniform, so that none is cut off however long; one sparse factorisation gives the
potentials (a line has small separators: the work is nearly linear in $n$). One graph serves all sizes within it. A few
graphs with bottlenecks dominate the mean.

**Valid:** eqs. (2) to (4) at every $n$. Mean field is computed up to $n=512$ and continued along $\ln n$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.disorder.long_range_percolation.line import REACHES, LongRangePercolationSimulation
from mfexplore.models.disorder.long_range_percolation.theory import (
    BETWEEN,
    ENDS,
    INTERVAL,
    POINT,
    annealed,
    bottlenecks,
    inverse_degree,
    mean_degree,
)
from mfexplore.numerics.matrices.blas import one_blas_thread

ANNEALED, BOTTLENECKS, CHAIN = range(3)  # as in `methods`


@dataclass(frozen=True)
class LongRangePercolation(core.Model):
    beta: float = core.control(
        0.5, 0.0, 3.0, symbol=r"\beta", title="shortcut rate", role="disorder", step=0.01,
        quenched=True,
        doc="how many shortcuts: about this many per factor e of length over every place",
    )  # fmt: skip
    size: int = core.control(512, 8, 4096, symbol="n", role="size", scale="log", doc="half the length of the line")
    between: str = core.choice(
        POINT, BETWEEN, quenched=True,
        doc="the resistance of 0 to all outside, of [-n, n] to outside of [-2n, 2n], or from end to end",
    )  # fmt: skip

    tags = core.Tags("course", 12, ("critical fluctuations", "currents"), ("exact sums", "Monte Carlo"))
    title = "Critical long-range percolation"
    summary = "A line with shortcuts of every length still resists like a power of its length: bottlenecks are enough."
    sources = (
        core.Source(
            "The polynomial growth of effective resistances in one-dimensional critical long-range percolation"
        ),
        core.Source("M. Aizenman and C. M. Newman, Commun. Math. Phys. 107, 611 (1986)", doi="10.1007/BF01205489"),
        core.Source("C. Nash-Williams, Proc. Camb. Phil. Soc. 55, 181 (1959)", doi="10.1017/S0305004100033879"),
    )
    observables = (
        core.Observable("resistance", "R", "mean effective resistance, of unit resistors", low=0.3, scale="log"),
        core.Observable(
            "unavoidable", r"R_\text{cut}", "resistance of the edges that no shortcut leads around, eqs. (3) and (4)",
            scale="log",
        ),
        core.Observable("mean_degree", "z", "edges of a site on average", low=2),
        core.Observable("growth", "R(n)", "mean resistance at all lengths", scale="log", over="reach"),
        core.Observable(
            "unavoidable_growth", r"R_\text{cut}(n)", "resistance that no shortcut leads around, at all lengths",
            scale="log", over="reach",
        ),
        core.Observable(
            "cut_probability", "P(n)", "chance that no shortcut within [-n, n) leads over the place next to 0",
            scale="log", over="reach",
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("reach", "n", "half the length of the line", scale="log"),)
    methods = (
        core.Method(
            "mean_field", "every pair has its mean conductance: a lower bound (Jensen)", bound={"resistance": "lower"}
        ),
        core.Method(
            "bottlenecks", "edges that no shortcut leads around, eqs. (3) and (4)", bound={"resistance": "lower"}
        ),
        core.Method("chain", "no shortcuts: an upper bound (Rayleigh)", bound={"resistance": "upper"}),
    )
    phases = (
        core.Phase("bottlenecks", "Single edges that no shortcut leads around add up to a power of the length."),
        core.Phase(
            "rare_cuts", "Edges that nothing leads around are few; cuts of several shortcuts keep the power alive."
        ),
    )
    failures = (
        core.Failure(
            "bottlenecks_missed", "Mean field lies below what the edges that cannot be avoided resist on their own.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "last_bottlenecks", r"\beta_1", "the bound by single edges stops growing", continuous=False, of="beta"
        ),
    )
    planes = (core.Plane("beta", "size", "resistance", x_range=(0.0, 3.0), y_range=(8, 4096), finest=65),)
    presets = (
        core.Preset(
            "a power", {"beta": 0.5},
            "On these axes a power is a straight line: the dots go straight up, mean field bends away below. Graph "
            "after graph their slope, the exponent, settles between one half and two thirds.",
            view=core.View(function="growth", series="exponent", picture="potential"),
        ),
        core.Preset(
            "few shortcuts", {"beta": 0.25},
            "Steps in the potential: a single edge that nothing leads around drops as much as many sites beside it.",
            view=core.View(function="growth", series="resistance", picture="potential"),
        ),
        core.Preset(
            "many shortcuts", {"beta": 2.0},
            "Hardly a single edge is a bottleneck, and the resistance still grows as a (small) power.",
            view=core.View(function="growth", series="exponent", picture="potential"),
        ),
        core.Preset(
            "interval to outside", {"beta": 0.5, "between": "interval"},
            "Mean field says that this resistance does not grow at all; the dots rise with length.",
            view=core.View(function="growth", series="exponent", picture="potential"),
        ),
        core.Preset(
            "end to end", {"beta": 0.5, "between": "ends"},
            "Edges that nothing leads around make half of the resistance: bound and dots have the same slope.",
            view=core.View(function="growth", series="resistance", picture="potential"),
        ),
        core.Preset(
            "cut-set lottery", {"beta": 1.0, "size": 256, "between": "ends"},
            "From graph to graph the resistance that cannot be avoided is nothing or much; its mean grows like ln n.",
            view=core.View(function="unavoidable_growth", series="unavoidable", picture="potential"),
        ),
        core.Preset(
            "no shortcuts", {"beta": 0.0}, "Every edge is a bottleneck: all three theories are one, R = (n + 1)/2.",
            (core.Promise(core.Value("resistance", method="mean_field"), 256.5, 1e-6),),
            core.View(function="growth", series="resistance", picture="potential"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean degree at one", 3.289868133696453, 1e-12, r"$\pi^2/3$", core.Value("mean_degree"), {"beta": 1.0}
        ),
        core.Reference(
            "mean degree at two", 4.415089799970629, 1e-12, "four million terms and the tail",
            core.Value("mean_degree"), {"beta": 2.0},
        ),
        core.Reference(
            "a site to all others, at one half", 0.40366215, 1e-8, "mean of one over the degree, by quadrature",
            lambda model: inverse_degree(model.beta), {"beta": 0.5},
        ),
        core.Reference(
            "edges that cannot be avoided, 33 sites", 10.691, 5e-4, "eq. (4); drawn graphs: 10.63(9)",
            core.Value("unavoidable"), {"beta": 0.5, "size": 16, "between": "ends"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A line of 2049 sites, end to end at $\\beta=1$. How many of its edges does no shortcut lead around, on "
            "average?",
            {"beta": 1.0, "size": 1024, "between": "ends"}, "unavoidable", core.Value("unavoidable"), 1.5,
            "Over the middle there is no shortcut with the probability 1/n; over all places that adds up "
            "to a logarithm.", view=core.View(function="unavoidable_growth"),
        ),
        core.Task(
            "How long is a line, n, at whose middle one has no shortcut once in a hundred times, at $\\beta=0.8$?",
            {"beta": 0.8}, "size", lambda model: 0.01 ** (-1 / model.beta), 40.0,
            "$n^{-\\beta}=0.01$: at this decay every scale adds the same number of shortcuts.",
            view=core.View(function="cut_probability"),
        ),
    )  # fmt: skip
    simulation = LongRangePercolationSimulation

    def solve(self, points: Points) -> core.Solution:
        beta, n = points["beta"], points["size"]
        low = bottlenecks(self.between, beta, n)
        with one_blas_thread():
            mean = np.array([annealed(self.between, float(b), int(m)) for b, m in zip(beta, n, strict=True)])
        chain = 2.0 * n if self.between == ENDS else (n + 1) / 2
        one = np.ones((len(n), 3))
        kinds, kind = np.unique(beta, return_inverse=True)
        degree = np.array([mean_degree(float(b)) for b in kinds])[kind]
        values = {
            "resistance": np.stack([mean, low, chain], axis=1),
            "unavoidable": low[:, None] * one,
            "mean_degree": degree[:, None] * one,
        }
        missed = (low > mean * (1 + 1e-9))[:, None] & (np.arange(3) == ANNEALED)
        return core.Solution(values, 0 * one, fails={"bottlenecks_missed": missed})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """Mean field by all of the matrix, the bounds by all pairs of sites."""
        with one_blas_thread():
            return self._gaps(state)

    def _gaps(self, state: Mapping[str, Any]) -> dict[str, float]:
        n, beta, word = self.size, self.beta, self.between
        reach = 2 * n if word == INTERVAL else n
        site = np.arange(-reach, reach + 1)
        k = np.maximum(np.arange(2 * reach + 1), 2.0)
        none = beta * np.log1p(-1 / k**2) * (np.arange(2 * reach + 1) > 1)  # ln of the chance of no shortcut
        found = {}
        if state["method"] == "mean_field":
            links = -np.expm1(none)
            links[1] = 1.0
            g = links[np.abs(site[:, None] - site)]
            if word == ENDS:
                matrix, source = np.diag(g.sum(axis=1)) - g, np.eye(1, len(site))[0]
                found["mean field"] = np.linalg.solve(matrix[:-1, :-1], source[:-1])[0] / state["resistance"] - 1
            else:
                matrix, source = mean_degree(beta) * np.eye(len(site)) - g, np.eye(1, len(site), reach)[0]
                if word == INTERVAL:
                    inner = np.abs(site) <= n
                    matrix, source = matrix[~inner][:, ~inner], g[~inner][:, inner].sum(axis=1)
                potential = np.linalg.solve(matrix, source)
                drop = 1 / (source @ (1 - potential)) if word == INTERVAL else potential[reach]
                found["mean field"] = drop / state["resistance"] - 1
        if word == ENDS:
            corner = np.cumsum(np.cumsum(none[np.abs(site[:, None] - site)], axis=0)[:, ::-1], axis=1)[
                :, ::-1
            ]  # up to a row, from a column on
            exponents = np.diag(corner, 1)
            return found | {"(4)": np.exp(exponents).sum() / state["unavoidable"] - 1}
        total = 0.0
        for cut in range(n, 2 * n + 1) if word == INTERVAL else range(n + 1):
            out = 2 * beta * (math.log(0.5) + math.log(1 / (2 * cut + 1)))  # both ends; farther shortcuts telescope
            direct = 2 * beta * math.log(n / (3 * n + 1)) if word == INTERVAL else 0.0
            total += 0.5 * math.exp(out - direct)
        return found | {"(3)": total / state["unavoidable"] - 1}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        few = points["beta"] < self.last_bottlenecks
        return {"bottlenecks": few, "rare_cuts": ~few}

    @property
    def last_bottlenecks(self) -> float:
        return 1.0 if self.between == ENDS else 0.5

    def boundary(self, name: str, points: Points) -> Array:
        return np.full(len(points["size"]), self.last_bottlenecks)

    def profiles(self) -> dict[str, core.Profile]:
        beta = np.full(len(REACHES), self.beta)
        low = bottlenecks(self.between, beta, REACHES)
        with one_blas_thread():
            mean = np.array([annealed(self.between, self.beta, int(n)) for n in REACHES])
        chain = 2.0 * REACHES if self.between == ENDS else (REACHES + 1) / 2
        cut, reach = REACHES**-self.beta, REACHES.astype(float)
        return {
            "growth": core.Profile(reach, np.stack([mean, low, chain])),
            "unavoidable_growth": core.Profile(reach, np.stack([low, low, low])),
            "cut_probability": core.Profile(reach, np.stack([cut, cut, cut])),
        }

    def caveat(self) -> str:
        return "these are bounds of the mean, and a few graphs with bottlenecks dominate it"

    def footprint(self) -> int:
        return 4000 * self.size
