r"""Black-box variational inference: which step size converges, and what it has to do with the dimension.

A distribution is approximated by $q$, the law of $z=m+Cu$ with normal $u$. To minimise the free energy
$F=\mathbb E_qf(z)-\ln|\det C|$, nothing of $f$ is asked but its gradient at $M$ random points per step, carried back
to the parameters (reparameterisation):

$$\hat g_m=\frac1M\sum_s\nabla f(z_s),\qquad \hat g_C=\frac1M\sum_s\nabla f(z_s)u_s^T \tag{1}$$

The scale $C$ is diagonal (*mean field*: independent coordinates) or lower triangular (*full rank*). A step $\gamma$
subtracts $\gamma\hat g$, and then takes the entropy into account exactly (a proximal step), which only touches the
diagonal:

$$m\leftarrow m-\gamma\hat g_m,\qquad C\leftarrow C-\gamma\hat g_C,\qquad
|C_{ii}|\leftarrow\tfrac12\big(|C_{ii}|+\sqrt{C_{ii}^2+4\gamma}\big) \tag{2}$$

Take a Gaussian target in its own units, $f=\frac12|z-z^*|^2$, so that (2) should lead to $m=z^*$ and $C=1$ (the sign of
a diagonal element means nothing). The gradient is noisier the farther it is from there. With $\delta=m-z^*$, and $c_i$
the row of $C$ with $k_i$ entries ($k_i=i$ at full rank, 1 in mean field),

$$\mathbb E|\hat g_m|^2=|\delta|^2+\tfrac1M|C|^2,\qquad
\mathbb E|\hat g_C|^2=|C|^2+\tfrac1M\sum_i\big[k_i\delta_i^2+(k_i+1)|c_i|^2\big] \tag{3}$$

so it is at most an affine function of $F-F^*$ (the *ABC condition* of stochastic optimisation), with a slope that is
the same for every dimension in mean field, and grows like $d$ at full rank. As everything is quadratic, second moments
close: one step takes $(\delta_i^2,|c_i|^2)$ on average to

$$\begin{pmatrix}(1-\gamma)^2&\gamma^2/M\\ k_i\gamma^2/M&1-2\gamma+\gamma^2(1+\frac{k_i+1}M)\end{pmatrix}
\begin{pmatrix}\delta_i^2\\|c_i|^2\end{pmatrix} \tag{4}$$

and then the entropy adds between $\gamma$ and $2\gamma$ to $|c_i|^2$. So the matrix decides: the mean square distance
$D=\mathbb E|\theta-\theta^*|^2$ grows without limit if the step exceeds, for the longest row,

$$\gamma_c=\frac4{1+s+\sqrt{(1-s)^2+4k/M^2}},\qquad s=1+\frac{k+1}M \tag{5}$$

With $M=1$ that is $2/(2+\sqrt2)=0.586$ for a mean field of *any* dimension, and
$4/[(d+3)+\sqrt{(d+1)^2+4d}]\simeq2/d$ for full rank. Below, the distance settles where noise and contraction
balance. To first order in the noise, with the $k-1$ entries $o$ of a row beside the diagonal $1+e$,

$$\begin{aligned}(2-\gamma)\,\delta^2&=\tfrac\gamma MS,\qquad S=1+o^2+e^2\\
\big(2-\gamma-\tfrac\gamma M\big)o^2&=\tfrac\gamma M(k-1)(\delta^2+S)\\
4\,e^2&=\tfrac\gamma M(\delta^2+S+1+e^2)\end{aligned} \tag{6}$$

**Valid:** (3) and (5) exactly, for this target and any start. (6) is of first order in the noise; close below
$\gamma_c$ (flagged from $0.6\gamma_c$ on) it is a tenth too low and more. The path takes the proximal step to second
order. Above $\gamma_c$ ever fewer runs make the mean, and a typical one stays behind. For $\gamma>1$ the diagonal
changes sign in every step and settles at $\sqrt{\gamma/(2-\gamma)}$. Other targets that are smooth and grow
quadratically have the same order in $d$ (Kim et al. 2023).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.inference.variational_gradient.dynamics import VariationalGradientSimulation
from mfexplore.models.inference.variational_gradient.theory import LOST, LOUD, critical_step, growth, settled


@dataclass(frozen=True)
class VariationalGradient(core.Model):
    dimension: int = core.control(
        20, 1, 200, symbol="d", role="load", scale="log", quenched=True, doc="coordinates of the target"
    )
    learning_rate: float = core.control(
        0.05, 0.001, 2.0, symbol=r"\gamma", role="rate", scale="log", step=0.001, doc="step of gradient descent"
    )
    samples: int = core.control(
        1, 1, 100, symbol="M", role="temperature", scale="log", doc="random points per step; their noise falls as 1/M"
    )
    family: str = core.choice(
        "mean_field", {"mean_field": "mean field (diagonal)", "full_rank": "full rank (triangular)"},
        part="simulation", doc="scales of the approximation that is fitted",
    )  # fmt: skip
    offset: float = core.control(
        3.0, 0.0, 10.0, symbol=r"\delta", role="start", step=0.1, doc="distance of every coordinate at the start"
    )
    scale: float = core.control(
        1.0, 0.1, 10.0, symbol="c", role="start", step=0.1, doc="scale of every coordinate at the start"
    )
    runs: int = core.control(
        200, 1, 2000, symbol="R", role="size", scale="log", part="simulation", doc="independent runs side by side"
    )

    tags = core.Tags("research", 20, ("learning",), ("variational",))
    relations = (
        core.Relation(
            "shares the method with", "phi4_field",
            "Both minimise the variational free energy of a distribution of independent parts, by gradients at "
            "random points or by a self-consistent equation.",
            here={"family": "mean_field"},
        ),
    )  # fmt: skip
    title = "Stochastic gradients of variational inference"
    summary = (
        "A mean-field family learns with the same step in every dimension; a full-rank one needs steps of order 1/d."
    )
    sources = (
        core.Source(
            "K. Kim, K. Wu, J. Oh, J. R. Gardner, Practical and matching gradient variance bounds for black-box "
            "variational Bayesian inference, ICML (2023)", arxiv="2303.10472",
        ),
        core.Source("J. Domke, Provable smoothness guarantees for variational inference (2020)", arxiv="1901.08431"),
        core.Source("A. Kucukelbir et al., J. Mach. Learn. Res. 18, 1 (2017)", arxiv="1603.00788"),
    )  # fmt: skip
    observables = (
        core.Observable(
            "rate", r"\ln\Lambda", "growth of the mean square distance per step, eq. (4); it shrinks below 0",
            signed=True, low=-0.4, high=0.4,
        ),
        core.Observable("distance", r"D/d", "mean square distance per dimension, eq. (6)", scale="log"),
        core.Observable("location_gradient", r"|\hat g_m|^2", "squared gradient of the location", scale="log"),
        core.Observable("scale_gradient", r"|\hat g_C|^2", "squared gradient of the scale", scale="log"),
        core.Observable("row_distance", "D_i", "the same of one coordinate and its row", over="row", scale="log"),
    )  # fmt: skip
    coordinates = (core.Coordinate("row", "i", "which coordinate"),)
    methods = (
        core.Method("mean_field", "independent coordinates", describes={"family": ("mean_field",)}),
        core.Method("full_rank", "a triangular matrix of scales", describes={"family": ("full_rank",)}),
    )
    phases = (
        core.Phase("converges", "The mean square distance settles at a level that the noise sets."),
        core.Phase("diverges", "The noise grows faster with the distance than the step reduces it."),
    )
    failures = (
        core.Failure(
            "loud_noise",
            "So close to the critical step the noise feeds itself: the distance is larger than to first order.",
        ),
        core.Failure(
            "overshooting", "A step above 1 turns the sign of the scale each time, which then settles off the target."
        ),
    )
    landmarks = (
        core.Landmark("mean_field_limit", r"\gamma_c^{MF}", "largest step of the mean field", of="learning_rate"),
        core.Landmark("full_rank_limit", r"\gamma_c^{FR}", "largest step of the full rank", of="learning_rate"),
    )
    planes = (
        core.Plane("dimension", "learning_rate", "rate", finest=65),
        core.Plane("dimension", "samples", "rate", finest=65),
    )
    presets = (
        core.Preset(
            "mean field", {"dimension": 20, "learning_rate": 0.2},
            "A step of 0.2 in 20 dimensions: all runs settle near the target; the mean field would bear a longer "
            "one, the same in any dimension.",
            (core.Promise(core.Crossing("mean_field_limit", "learning_rate"), 0.586, 0.001),),
            view=core.View(method="mean_field"),
        ),
        core.Preset(
            "full rank", {"dimension": 20, "learning_rate": 0.2, "family": "full_rank"},
            "The same step, the same target, but a full matrix of scales: every run explodes; it bears 0.087 only.",
            (core.Promise(core.Crossing("full_rank_limit", "learning_rate"), 0.087, 0.001),),
            view=core.View(method="full_rank"),
        ),
        core.Preset(
            "small steps", {"dimension": 20, "learning_rate": 0.03, "family": "full_rank"},
            "Full rank converges too if the step is small enough, but its rows are the noisier the longer they are.",
            view=core.View(method="full_rank", function="row_distance"),
        ),
        core.Preset(
            "ten samples", {"dimension": 20, "learning_rate": 0.2, "family": "full_rank", "samples": 10},
            "Ten points per step: at full rank the limit rises from 0.087 to 0.627, and 0.2 converges.",
            (core.Promise(core.Crossing("full_rank_limit", "learning_rate"), 0.627, 0.001),),
            view=core.View(method="full_rank"),
        ),
        core.Preset(
            "rare runs", {"dimension": 20, "learning_rate": 0.12, "family": "full_rank"},
            "Above the limit of 0.087 the mean grows as predicted, but few runs make it: after 150 steps it is several "
            "times as far away as a typical run (trace).",
            view=core.View(method="full_rank", series="typical_distance"),
        ),
        core.Preset(
            "beyond one", {"learning_rate": 1.3, "samples": 100},
            "A hundred points per step: a step of 1.3 is not too noisy, but overshoots. The distance stays finite, and "
            "it stays: the scale settles at 1.36 instead of 1.",
            (core.Promise(lambda model: math.sqrt(model.learning_rate / (2 - model.learning_rate)), 1.36, 0.005),),
            view=core.View(method="mean_field"),
        ),
        core.Preset(
            "ABC condition",
            {"dimension": 50, "learning_rate": 0.02, "family": "full_rank", "offset": 10.0, "scale": 5.0},
            "The noise of the gradient falls with the free energy, below a straight line: in mean field one for all "
            "dimensions, at full rank 13 times steeper in 50.",
            view=core.View(picture="ABC condition", method="full_rank"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "critical step of the mean field", 2 / (2 + math.sqrt(2)), 1e-9, "eq. (5), M = 1",
            core.Crossing("mean_field_limit", "learning_rate"),
        ),
        core.Reference(
            "critical step at full rank, d = 100, M = 10", 0.1786023988, 1e-9, "eigenvalue of (4), by hand",
            core.Crossing("full_rank_limit", "learning_rate"), {"dimension": 100, "samples": 10},
        ),
        *(
            core.Reference(
                f"squared gradient of the scale, {method.replace('_', ' ')}, d = 20", value, 1e-9, "eq. (3)",
                core.Value("scale_gradient", method=method),
                {"dimension": 20, "offset": 0.7, "scale": 1.3},
            )
            for method, value in (("mean_field", 111.2), ("full_rank", 525.4))
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Up to which step does a mean field converge in 200 dimensions? Compare 20.",
            {"dimension": 200}, "learning_rate", core.Crossing("mean_field_limit", "learning_rate"), 0.03,
            "0.586 as well: each coordinate only sees its own noise.", view=core.View(method="mean_field"),
        ),
        core.Task(
            "And with a full matrix of scales, in 200 dimensions?", {"dimension": 200, "family": "full_rank"},
            "learning_rate", core.Crossing("full_rank_limit", "learning_rate"), 0.003,
            "About 2/d = 0.01: the last row of the matrix has 200 noisy entries.", view=core.View(method="full_rank"),
        ),
    )  # fmt: skip
    simulation = VariationalGradientSimulation

    def solve(self, points: Points) -> core.Solution:
        step, samples = points["learning_rate"], points["samples"].astype(float)
        d = points["dimension"].astype(float)
        offset, scale = points["offset"] ** 2, points["scale"] ** 2
        one = np.ones_like(d)
        row = np.arange(1, int(d.max()) + 1)
        below = [step < critical_step(samples, last) for last in (one, d)]
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = settled(step[:, None], samples[:, None], row)
            full = np.sum(np.where(row <= d[:, None], rows, 0), axis=1) / d
        pairs = d * (d + 1) / 2
        values = {
            "rate": [np.log(growth(step, samples, last)) for last in (one, d)],
            "distance": [np.where(below[0], rows[:, 0], np.inf), np.where(below[1], full, np.inf)],
            "location_gradient": [d * offset + d * scale / samples] * 2,
            "scale_gradient": [
                d * scale + d * (offset + 2 * scale) / samples,
                d * scale + (pairs * offset + (pairs + d) * scale) / samples,
            ],
        }
        over = np.stack([step > 1] * 2, axis=1)
        loud = [step > LOUD * critical_step(samples, last) for last in (one, d)]
        return core.Solution(
            {name: np.stack(both, axis=1) for name, both in values.items()},
            np.zeros((d.size, 2)),
            fails={
                "overshooting": over & np.stack(below, axis=1),
                "loud_noise": np.stack(loud, axis=1) & np.stack(below, axis=1),
            },
        )

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        full = state["method"] == "full_rank"
        m, d, step = self.samples, self.dimension, self.learning_rate
        last = d if full else 1
        matrix = np.array(
            [[(1 - step) ** 2, step**2 / m], [last * step**2 / m, 1 - 2 * step + step**2 * (1 + (last + 1) / m)]]
        )
        found = {"(4)": state["rate"] - math.log(np.linalg.eigvals(matrix).real.max())}
        entries = [i if full else 1 for i in range(1, d + 1)]
        found["(3)"] = state["scale_gradient"] / sum(
            self.scale**2 + (i * self.offset**2 + (i + 1) * self.scale**2) / m for i in entries
        ) - 1  # fmt: skip
        if np.isfinite(state["distance"]):
            total = 0.0
            for i in entries:
                left = np.diag([2 - step, 2 - step - step / m, (1 + step) ** 2 - (1 - step) ** 2])
                noise = step / m * np.array([[0, 1, 1], [i - 1, i - 1, i - 1], [step, step, 2 * step]])
                total += float(np.linalg.solve(left - noise, step / m * np.array([1, i - 1, 2 * step])).sum())
            found["(6)"] = state["distance"] * d / total - 1
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        shrinks = states.solution.values["rate"] < 0
        return {"converges": shrinks, "diverges": ~shrinks}

    def boundary(self, name: str, points: Points) -> Array:
        samples = points["samples"].astype(float)
        last = points["dimension"].astype(float) if name == "full_rank_limit" else np.ones(samples.size)
        return critical_step(samples, last)

    def profiles(self) -> dict[str, core.Profile]:
        row = np.arange(1.0, self.dimension + 1)
        step, samples = np.array(self.learning_rate), np.array(float(self.samples))
        curves = []
        for entries in (np.ones_like(row), row):
            with np.errstate(divide="ignore", invalid="ignore"):
                rows = settled(step, samples, entries)
            curves.append(np.where(step < critical_step(samples, entries), rows, np.nan))
        return {"row_distance": core.Profile(row, np.array(curves))}

    def bound(self, family: str, excess: Array) -> Array:
        """A line above the squared gradient where F - F* = excess: |delta|^2 + |C|^2 <= 4 (F - F*) + d ln 4 in (3)."""
        last = self.dimension if family == "full_rank" else 1
        return np.asarray((1 + (1 + last + 1) / self.samples) * (4 * excess + self.dimension * math.log(4)))

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Second moments step by step, as in (4), of the diagonal with the proximal step to second order."""
        full = self.family == "full_rank"
        path = self._path(np.arange(1.0, self.dimension + 1) if full else np.ones(1))
        steps = int(times[-1]) + 2
        return {"distance": np.interp(times, np.arange(steps), list(itertools.islice(path, steps)))}

    def _path(self, row: Array) -> Iterator[float]:
        step, samples = self.learning_rate, self.samples
        location, beside = np.full(row.size, self.offset**2), np.zeros(row.size)
        mean, variance = np.full(row.size, self.scale), np.zeros(row.size)
        while True:
            diagonal = mean**2 + variance
            yield min(LOST, float(np.mean(location + beside + diagonal - 2 * mean + 1)))
            noise = location + beside + diagonal
            before = (1 - step) * mean
            spread = (1 - step) ** 2 * variance + step**2 / samples * (noise + diagonal)
            location = np.minimum((1 - step) ** 2 * location + step**2 / samples * (beside + diagonal), LOST)
            beside = np.minimum(
                (1 - 2 * step + step**2) * beside + step**2 / samples * ((row - 1) * noise + beside), LOST
            )
            root = np.sqrt(before**2 + 4 * step)
            mean = np.minimum((before + root) / 2 + spread * step / root**3, math.sqrt(LOST))
            variance = np.minimum(((1 + before / root) / 2) ** 2 * spread, LOST)

    def caveat(self) -> str:
        return "still on its way from the start, or a noise that is more than a perturbation"

    def extent(self) -> str:
        return f"of {self.runs:,} runs in {self.dimension:,} dimensions"

    def footprint(self) -> int:
        entries = self.dimension**2 if self.family == "full_rank" else self.dimension
        return 32 * self.runs * (entries + 2 * self.samples * self.dimension)
