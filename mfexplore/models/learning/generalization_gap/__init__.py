r"""The generalization gap: how much worse new examples are answered than those a readout was fitted to.

A network answers with a linear readout $w$ of $N$ features $\phi(x)$ that stay as they are (*quenched*), fitted to $P$
examples of a teacher, $y_\mu=f(x_\mu)+\sqrt\Delta\,\xi_\mu$, with a ridge $r$:

$$\min_w\ \sum_{\mu=1}^P\big(y_\mu-w\cdot\phi(x_\mu)\big)^2+r\,|w|^2,\qquad \langle|\phi|^2\rangle=1 \tag{1}$$

Replica theory needs nothing of features and teacher but the eigenvalues $\lambda_k$ of $\langle\phi\phi^{\mathsf
T}\rangle$ and the variance $\theta_k$ of $f$ along each of their directions; what no direction explains acts like
further noise, $\sigma^2=\Delta+\langle f^2\rangle-\sum_k\theta_k$. With an effective ridge $\kappa$ and $d$ degrees
of freedom,

$$r=\kappa\,(P-d),\qquad d=\sum_k\frac{\lambda_k}{\lambda_k+\kappa}\le\min(N,P) \tag{2}$$

the mean squared errors on new examples and on those of the fit are

$$\varepsilon_g=\frac{\sigma^2+\kappa^2\sum_k\theta_k/(\lambda_k+\kappa)^2}{1-\frac1P\sum_k\lambda_k^2/(\lambda_k+\kappa)^2},
\qquad\varepsilon_t=\Big(1-\frac dP\Big)^2\varepsilon_g \tag{3}$$

A direction with $\lambda_k\gg\kappa$ is learnt, one with $\lambda_k\ll\kappa$ is not: it is learnt by the part
$\lambda_k/(\lambda_k+\kappa)$. In the ratio of the errors *teacher and noise have dropped out*, and features count by
$d$ alone. As $d\le N$, the gap relative to the error on new examples has a bound that knows nothing but two numbers:

$$\frac{\varepsilon_g-\varepsilon_t}{\varepsilon_g}=1-\Big(1-\frac dP\Big)^2\le\frac{2d}P\le\frac{2N}P \tag{4}$$

It says something as soon as there are more than two examples for each feature, $P>2N$. Statisticians turn (4) round:
$\varepsilon_t/(1-d/P)^2$ estimates the error on new examples (generalized cross-validation).

The features: independent normal ones, for which theory is exact; the last layer of a random network of rectified
units that looks at $N/2$ normal inputs; or of one that looks at images of handwritten digits. The teacher is a linear
function of the inputs (complexity 0), the size of one (1; for digits: is the digit even or odd?), or a mixture. In
the simulation examples arrive in blocks, and the readout is fitted anew each time.

**Valid:** as $N,P\to\infty$ with features that scatter like normal ones; for real images it holds within a few per
cent. The bound is on the *typical* gap: in a single sample the training error fluctuates by about $\sqrt{2/(P-d)}$ of
itself, and where $P\approx N$ without a ridge the errors have heavy tails. It is no bound on the gap itself, nor on the
gap divided by the training error, $(1-d/P)^{-2}-1$. And it stops being true for features that are trained
on the *same* examples: these are not quenched, and all weights that learn count, not those of the last layer alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.distinct import distinct
from mfexplore.families.ridge.spectrum import Spectrum, learning
from mfexplore.models.learning.generalization_gap.dynamics import Arriving
from mfexplore.models.learning.generalization_gap.theory import NETWORKS, POOL, World, world

THEORY, BOUND = range(2)
FEW = 4.0  # examples left over below which errors scatter without bound
GAP = core.View(
    ("load", "ridge"), "relative_gap", "load", method="replica", picture="all teachers", function="learned_part"
)
ERRORS = replace(GAP, plane=("load", "noise"), colour="test_error", picture="learning curve")


@dataclass(frozen=True)
class GeneralizationGap(core.Model):
    load: float = core.control(
        4.0, 1 / 32, 32.0, symbol=r"\alpha", unit="P/N", role="load", scale="log", step=0.01, quenched=True,
        doc="examples per feature",
    )  # fmt: skip
    ridge: float = core.control(
        0.1, 1e-6, 100.0, symbol="r", role="temperature", scale="log", step=1e-6,
        doc="price of large weights; features have a mean square of 1 in all",
    )  # fmt: skip
    noise: float = core.control(
        0.25, 0.0, 2.0, symbol=r"\Delta", role="disorder", step=0.01, doc="variance of the noise in the answers"
    )
    complexity: float = core.control(
        0.0, 0.0, 1.0, symbol="c", role="disorder", step=0.01,
        doc="part of the teacher that is no linear function of the inputs",
    )  # fmt: skip
    features: str = core.choice(
        "gaussian", {"gaussian": "independent normal", "network": "random network", "digits": "digits, random network"},
        doc="what is read out: normal features, or the last layer of a random network and what it looks at",
    )  # fmt: skip
    depth: int = core.control(
        1, 1, 3, symbol="L", role="order", quenched=True, only=NETWORKS, doc="hidden layers of the random network"
    )
    training: str = core.choice(
        "readout", {"readout": "readout only", "all_layers": "all layers"}, part="simulation", only=NETWORKS,
        doc="what learns: the readout of quenched features, or the hidden layers too",
    )  # fmt: skip
    size: int = core.control(
        200, 20, 300, symbol="N", unit="features", role="size", scale="log", doc="features that are read out"
    )
    sample: int = core.control(
        1, 1, 999, symbol="s", role="setting", quenched=True, doc="which random network and teacher"
    )

    tags = core.Tags("research", 20, ("learning",), ("random matrices",))
    relations = (
        core.Relation(
            "shares the method with", "two_layer_limits",
            "Ridge regression on fixed features, whose errors follow from the eigenvalues of their covariance.",
            there={"learner": "random_features"},
        ),
    )  # fmt: skip
    title = "Generalization gap"
    summary = "However features, teacher and noise are chosen: the relative gap stays below twice features per example."
    sources = (
        core.Source(
            "S. Ariosto, R. Pacelli, F. Ginelli, M. Gherardi and P. Rotondo, Phys. Rev. E 105, 064309 (2022)",
            arxiv="2201.11022",
        ),
        core.Source(
            "T. Hastie, A. Montanari, S. Rosset and R. J. Tibshirani, Ann. Stat. 50, 949 (2022)", arxiv="1903.08560"
        ),
        core.Source("A. Canatar, B. Bordelon and C. Pehlevan, Nat. Commun. 12, 2914 (2021)", arxiv="2006.13198"),
        core.Source("P. Craven and G. Wahba, Numer. Math. 31, 377 (1978): generalized cross-validation"),
    )
    methods = (
        core.Method(
            "replica", "eq. (3), from the spectrum of quenched features", title="replica theory",
            describes={"training": ("readout",)},
        ),
        core.Method(
            "bound", "what $d\\leq N$ alone says, eq. (4), whatever features, teacher and noise; for $P>2N$",
            bound="upper",
        ),
    )  # fmt: skip
    observables = (
        core.Observable(
            "relative_gap", r"1-\varepsilon_t/\varepsilon_g", "test minus training error, divided by the test error",
            low=0, high=1,
        ),
        core.Observable(
            "test_error", r"\varepsilon_g", "mean squared error on new examples, with their noise", scale="log"
        ),
        core.Observable(
            "train_error", r"\varepsilon_t", "mean squared error on the examples of the fit", scale="log",
            title="training error",
        ),
        core.Observable("freedom", "d/N", "degrees of freedom in use, per feature", low=0, high=1),
        core.Observable(
            "effective_ridge", r"N\kappa", "effective ridge, in units of the mean eigenvalue", scale="log"
        ),
        core.Observable(
            "learned_part", r"\lambda_k/(\lambda_k+\kappa)", "part of what each direction of feature space could "
            "say that is learnt", low=0, high=1, over="direction",
        ),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("direction", "k", "directions of feature space, the largest variance first", scale="log"),
    )
    phases = (
        core.Phase("overparametrized", "There are more features than examples: without a ridge every one is fitted."),
        core.Phase("unbounded", "There are fewer than two examples for each feature: the bound says nothing yet."),
        core.Phase("bounded", "The relative gap is below 2N/P, whatever features, teacher and noise."),
    )
    failures = (
        core.Failure(
            "heavy_tails", "So few examples are left over to average noise away that the test error differs from "
            "sample to sample by orders of magnitude. Theory tells where its bulk is, not the mean of simulations.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark("interpolation", "P=N", "as many examples as features", of="load"),
        core.Landmark("bounded", "P=2N", "beyond it the bound says something", continuous=False, of="load"),
    )
    planes = (
        core.Plane("load", "ridge", "relative_gap", along="x"),
        core.Plane("load", "noise", "test_error", along="x"),
    )
    presets = (
        core.Preset(
            "nine teachers, one line", {"load": 4.0, "ridge": 1e-3},
            "As examples arrive all teachers turn together from fitting everything towards 'no gap', above the bound.",
            (core.Promise(core.Value("relative_gap"), 0.4375, 0.001),), GAP,
        ),
        core.Preset(
            "double descent", {"load": 4.0, "ridge": 1e-5},
            "Test error first grows with the examples, to a peak at P = N, where all noise is fitted, and then falls.",
            (core.Promise(lambda m: core.Value("test_error").of(m.replace(load=1.0)), 40.0, 1.0),), ERRORS,
        ),
        core.Preset(
            "the ridge cures", {"load": 4.0, "ridge": 0.25},
            "The same with the best ridge, which equals the noise: no peak, and each example helps.",
            (core.Promise(lambda m: core.Value("test_error").of(m.replace(load=1.0)), 0.64, 0.01),), ERRORS,
        ),
        core.Preset(
            "deep features", {"features": "network", "depth": 3, "load": 4.0, "complexity": 0.5},
            "Faint directions of deep features are not learnt, so the gap is well below the bound: 0.35, not 0.5.",
            (core.Promise(core.Value("relative_gap"), 0.35, 0.02),), GAP,
        ),
        core.Preset(
            "handwritten digits", {"features": "digits", "complexity": 1.0, "load": 6.0, "size": 100},
            "Is the digit even? Real images know nothing of replicas, yet the points follow their curves.",
            view=replace(ERRORS, plane=("load", "ridge")),
        ),
        core.Preset(
            "features that learn",
            {"features": "network", "training": "all_layers", "load": 8.0, "complexity": 0.5, "size": 60},
            "The hidden layer is trained on the same examples: the point of its teacher falls far below the bound.",
            view=replace(GAP, method="bound"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "relative gap, 4 examples per normal feature, ridge 0.4", 0.3940016964, 1e-9,
            "eqs. (2) and (3) solved independently", core.Value("relative_gap"), {"load": 4.0, "ridge": 0.4},
        ),
        core.Reference(
            "test error there", 0.3271938508, 1e-9, "the same; 200 draws of N = 100 gave 0.3261",
            core.Value("test_error"), {"load": 4.0, "ridge": 0.4},
        ),
        core.Reference(
            "test error of least squares with 10 examples per feature, noise 1", 10 / 9, 1e-5, "$1/(1-N/P)$",
            core.Value("test_error"), {"load": 10.0, "ridge": 1e-6, "noise": 1.0}, published=True,
        ),
        core.Reference(
            "relative gap of least squares there", 0.19, 1e-6, "$2a-a^2$ with $a=N/P$", core.Value("relative_gap"),
            {"load": 10.0, "ridge": 1e-6},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "The teacher varies by 1, and the answers have as much noise as its control says. Which ridge makes the "
            "smallest test error with two examples per feature?",
            {"load": 2.0, "noise": 0.6, "ridge": 1e-3}, "ridge", lambda m: best_ridge(m), 0.1,
            "0.6, the noise itself, for every number of examples: then the ridge is the prior that Bayes would take.",
            view=core.View(plane=("load", "ridge"), colour="test_error", along="ridge"),
        ),
        core.Task(
            "With almost no ridge and 20 examples for each feature, which part of the test error is missing in the "
            "training error, whatever the teacher?",
            {"load": 20.0, "ridge": 1e-6, "features": "network", "complexity": 1.0}, "relative_gap",
            core.Value("relative_gap"), 0.004,
            "0.0975, just below 2N/P = 0.1: twice 1/20, minus its square.",
        ),
    )  # fmt: skip
    simulation = Arriving

    @property
    def examples(self) -> int:
        """P, at least one."""
        return self.counted("load", self.size)

    def realised(self) -> GeneralizationGap:
        return self.with_simulated(load=self.examples / self.size)

    @property
    def strengths(self) -> tuple[float, float]:
        """Of the linear and the other part of the teacher."""
        return math.sqrt(1 - self.complexity), math.sqrt(self.complexity)

    @property
    def world(self) -> World:
        return world(self.features, self.size, self.depth if self.features != "gaussian" else 1, self.sample)

    def spectrum(self) -> tuple[Spectrum, float]:
        """Of these features and this teacher, and the variance of the teacher that no direction explains."""
        eigenvalues, directions, best, rest = self.world.moments
        strengths = np.array(self.strengths)
        unexplained = max(float(strengths @ rest @ strengths), 0.0)
        if self.features == "gaussian":  # one eigenvalue, many times
            return Spectrum(eigenvalues[:1], np.array([float(self.size)]), strengths[:1] ** 2), unexplained
        power = eigenvalues * (directions.T @ (best @ strengths)) ** 2
        return Spectrum(eigenvalues, np.ones(self.size), power), unexplained

    def solve(self, points: Points) -> core.Solution:
        load, ridge, size = points["load"], points["ridge"], points["size"]
        names = ("size", "depth", "sample", "complexity")
        first, row = distinct([points[name] for name in names])
        found = np.empty((6, load.size))
        for k, point in enumerate(first):
            here = row == k
            spectrum, unexplained = self.replace(**{name: points[name][point].item() for name in names}).spectrum()
            found[:, here] = learning(
                load[here] * size[here], ridge[here], points["noise"][here] + unexplained, spectrum
            )
        kappa, freedom, left, test, train, residual = found
        used = freedom / (load * size)
        there = load > 2
        most = np.where(there, 1 / load, 0.0)  # of d/P
        columns = {
            "relative_gap": (used * (2 - used), 2 * most),
            "test_error": (test, train / (1 - most) ** 2),
            "train_error": (train, test),
            "freedom": (freedom / size, np.ones_like(load)),
            "effective_ridge": (kappa * size, ridge / np.where(there, load - 1, 1.0)),
        }
        return core.Solution(
            {name: np.stack(pair, axis=1) for name, pair in columns.items()},
            np.stack([residual, np.where(there, 0.0, np.nan)], axis=1),
            fails={"heavy_tails": (left < FEW)[:, None] & np.array([True, False])},
        )  # fmt: skip

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if state["method"] == "bound":
            return {"(4)": state["relative_gap"] - 2 * self.size / (self.load * self.size)}
        (eigenvalues, count, power), unexplained = self.spectrum()
        p, kappa = self.load * self.size, state["effective_ridge"] / self.size
        share = eigenvalues / (eigenvalues + kappa)
        freedom = float(count @ share)
        test = (self.noise + unexplained + power @ (1 - share) ** 2) / (1 - count @ share**2 / p)
        return {
            "(2), freedom": state["freedom"] * self.size - freedom,
            "(2), ridge": (self.ridge - kappa * (p - freedom)) / (kappa * p),
            "(3), test": (state["test_error"] - test) * (1 - count @ share**2 / p),
            "(3), training": state["train_error"] - (1 - freedom / p) ** 2 * state["test_error"],
            "(4)": state["relative_gap"] - (1 - (1 - freedom / p) ** 2),
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        load = points["load"]
        return {"bounded": load > 2, "unbounded": load >= 1, "overparametrized": load < 1}

    def boundary(self, name: str, points: Points) -> Array:
        return np.full(points["ridge"].size, 1.0 if name == "interpolation" else 2.0)

    def profiles(self) -> dict[str, core.Profile]:
        here = self.solve({n: np.array([float(getattr(self, n))]) for n in self.axis_names()})
        kappa = here.values["effective_ridge"][0, THEORY] / self.size
        eigenvalues = self.world.moments.eigenvalues[::-1]
        learned = eigenvalues / (eigenvalues + kappa)
        return {
            "learned_part": core.Profile(np.arange(1, self.size + 1), np.stack([learned, np.full(self.size, np.nan)]))
        }

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        low, high = self.control("load").bounds
        loads = np.clip(np.minimum(start["load"] * 2**times, self.load), low, high)
        different, place = np.unique(loads, return_inverse=True)
        theory = self.theory(method="replica", profiles=False, load=different)
        names = ("relative_gap", "test_error", "train_error", "freedom")
        return {"load": loads} | {name: theory[name].values[place] for name in names}

    def extent(self) -> str:
        return f"with {self.examples:,} examples of {self.size} features"

    def caveat(self) -> str:
        if self.training == "all_layers" and self.features != "gaussian":
            return "the features are trained on the same examples, and so are not quenched"
        return "a few hundred examples, and features that do not scatter quite like normal ones"

    def footprint(self) -> int:
        return 8 * (self.examples + POOL) * self.size * (self.depth + 2)


def best_ridge(model: GeneralizationGap) -> float:
    """The ridge of the least test error, to a per mille."""
    ridges = model.control("ridge").grid(8001)
    return float(ridges[np.argmin(model.theory(method="replica", profiles=False, ridge=ridges)["test_error"].values)])
