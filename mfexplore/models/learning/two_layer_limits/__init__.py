r"""Limits of two-layer networks: with few examples the best a network can learn is a linear function.

A teacher with two layers and random weights answers questions $x\in\mathbb R^d$, $x_i\sim\mathcal N(0,1)$,

$$y=F\big(f(x)+\sqrt\Delta\,\xi\big),\qquad f(x)=\frac1{\sqrt p}\sum_{i=1}^pa_i\,
\big[\varphi(w_i\!\cdot x/\sqrt d)-\overline\varphi\big] \tag{1}$$

with $w_i\sim\mathcal N(0,1)^d$, as many $a_i=1$ as $-1$, $\xi\sim\mathcal N(0,1)$ and a readout $F$ that shows
everything (*linear*) or a *sign*; $\varphi$ is a ReLU, a tanh, a sign or $\mathrm{erf}(z/\sqrt2)$. All weights are
unknown to the students, who see $n=\alpha d$ examples. Expanded in orthonormal Hermite polynomials,
$\varphi=\sum_kc_kh_k$, the activation has a linear part of variance $\rho^2=c_1^2$ and a nonlinear one of
$\epsilon=\sum_{k\ge2}c_k^2$. As long as $n$ is of order $d$ and the network wide, no student can tell the nonlinear
part from noise: nobody errs less than the best student of the *equivalent linear model*

$$y=F\big(\rho\,v\cdot x/\sqrt d+\sqrt{\epsilon+\Delta}\,\xi\big),\qquad v\sim\mathcal N(0,1)^d \tag{2}$$

With the linear readout that is ridge regression with the ridge $(\epsilon+\Delta)/\rho^2$. It misses the part $m$ of
the linear function, and its error on a new example is

$$m=\Big[1+\frac{\alpha\rho^2}{\Delta+\epsilon+\rho^2m}\Big]^{-1},\qquad\varepsilon_g=\rho^2m+\epsilon+\Delta \tag{3}$$

With the sign, $\delta=(\epsilon+\Delta)/\rho^2$ and $q=1-m$,

$$\frac qm=\frac{2\alpha}{m+\delta}\int\!Dz\,\frac{\phi(u)^2}{H(u)},\quad u=-\sqrt{\frac q{m+\delta}}\,z,\qquad
\varepsilon_g=\frac1\pi\arccos\sqrt{\frac q{1+\delta}} \tag{4}$$

**Beyond.** A function of degree $k$ has $D_k=\binom{d+k-1}k$ coefficients. In a wide network they are all independent
and normal (the teacher is a *Gaussian process*), so that the Bayes-optimal student is known at every $n$: with an
effective ridge $\kappa$ it misses the part $m_k$ of degree $k$,

$$m_k=\frac\kappa{c_k^2/D_k+\kappa},\qquad n\kappa=\Delta+\sum_kc_k^2m_k\quad[\textrm{linear}] \tag{5}$$

and for the sign as in (4), with $\sum_kc_k^2m_k$ in place of $\rho^2m$. For $n\ll d^2$ all but $m_1$ are 1, and (5)
is (3): the equivalence. When $n$ approaches $D_2=d(d+1)/2$, the quadratic part can be learnt, and students that see
it pass below the limit (3), which then is none. For odd activations (erf, tanh, sign) there is no quadratic part; the
cubic one needs $n$ of order $d^3$.

In the simulation examples arrive in blocks, and four students are taught: linear regression; *random features* (a
network of which only the readout learns); a *network* all of whose weights learn, by gradient descent that may check
every step with 500 further examples; and the *kernel* of the infinitely wide network. Students of a sign regress on
it.

**Valid:** the limit for $d,n,p\to\infty$ with $n$ of order $d$ and $p\gg n$; corrections are of relative order $1/d$
and $n/d^2$. Eq. (5) is replica theory, not proven, for $p\to\infty$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import log_ndtr

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.ridge.spectrum import Spectrum, learning
from mfexplore.models.learning.two_layer_limits.dynamics import LEARNERS, TESTED, Teaching
from mfexplore.models.learning.two_layer_limits.theory import (
    ACTIVATIONS,
    EQUIVALENT,
    PROCESS,
    effective_ridges,
    expansion,
)

SEEN = 0.05  # relative gain of the best student that shows the equivalence failing
RACE = core.View(
    ("load", "noise"), "generalization_error", "load", method="equivalent_model", series="relative_error",
    picture="all students",
)  # fmt: skip


@dataclass(frozen=True)
class TwoLayerLimits(core.Model):
    load: float = core.control(
        4.0, 0.1, 32.0, symbol=r"\alpha", unit="n/d", role="load", scale="log", step=0.01, quenched=True,
        doc="examples per dimension of the inputs",
    )  # fmt: skip
    noise: float = core.control(
        0.1, 0.0, 1.0, symbol=r"\Delta", role="temperature", step=0.005, quenched=True,
        doc="variance of the noise that is added to the teacher's function",
    )  # fmt: skip
    activation: str = core.choice("relu", ACTIVATIONS, symbol=r"\varphi", doc="what hidden units do with their field")
    readout: str = core.choice("linear", ("linear", "sign"), symbol="F", doc="what is seen: everything, or only a sign")
    learner: str = core.choice(
        "kernel", LEARNERS, part="simulation", doc="the student whose error is measured; the picture shows all"
    )
    dimension: int = core.control(
        40, 10, 64, symbol="d", unit="inputs", role="size", scale="log", doc="dimension of the inputs"
    )
    width: int = core.control(
        256, 20, 1000, symbol="p", unit="units", role="size", scale="log", part="simulation",
        doc="hidden units, of teacher and students",
    )  # fmt: skip

    version = 2
    tags = core.Tags("research", 25, ("learning",), ("random matrices",))
    relations = (
        core.Relation(
            "contrasts with", "teacher_student",
            "One neuron can be understood from a number of examples of the order of its inputs; of a wide network "
            "they show no more than a linear part.",
        ),
    )  # fmt: skip
    title = "Limits of two-layer networks"
    summary = (
        "Four students of a wide random network: until they have as many examples as its quadratic part has "
        "coefficients, none beats a linear model."
    )
    sources = (
        core.Source(
            "F. Camilli, D. Tieplova and J. Barbier, Fundamental limits of overparametrized shallow neural networks "
            "for supervised learning (2023)", arxiv="2307.05635",
        ),
        core.Source("J. Barbier et al., PNAS 116, 5451 (2019)", doi="10.1073/pnas.1802705116", arxiv="1708.03395"),
        core.Source("A. Canatar, B. Bordelon and C. Pehlevan, Nat. Commun. 12, 2914 (2021)", arxiv="2006.13198"),
    )  # fmt: skip
    methods = (
        core.Method(
            "equivalent_model", "eqs. (3) and (4): what the best student of a linear model with noise reaches",
            bound={"generalization_error": "lower", "relative_error": "lower", "linear_error": "lower"},
        ),
        core.Method(
            "gaussian_process", "eq. (5): the Bayes-optimal student of an infinitely wide teacher, at every n",
            title="Gaussian process", describes={"learner": ("kernel", "network", "random_features")},
        ),
    )  # fmt: skip
    observables = (
        core.Observable(
            "generalization_error", r"\varepsilon_g",
            "on a new example: mean squared, with its noise, or the part of wrong signs", low=0,
        ),
        core.Observable(
            "relative_error", r"\varepsilon_g/\varepsilon_g^{\rm lin}",
            "the same over the least of the equivalent model (in simulations: over that of linear regression on the "
            "same examples)",
        ),
        core.Observable(
            "linear_error", "m", "part of the teacher's linear function that is not learnt", low=0, high=1
        ),
        core.Observable(
            "nonlinear_error", r"m_{\rm nl}", "part of all that is not linear that is not learnt", low=0, high=1
        ),
    )  # fmt: skip
    phases = (
        core.Phase("equivalent", "Only the linear part can be learnt, and a linear student learns it as well as any."),
        core.Phase("beyond", "There are examples enough to learn what is not linear."),
    )
    failures = (
        core.Failure(
            "quadratic", "The number of examples is of the order of the dimension squared. Nonlinear parts of the "
            "teacher can be learnt, and the equivalent linear model is no limit any more.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "quadratic_coefficients", "n=d(d+1)/2", "as many examples as coefficients of a quadratic function",
            continuous=False, of="load",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("load", "noise", "generalization_error", along="x"),
        core.Plane("load", "dimension", "generalization_error", along="x"),
    )
    presets = (
        core.Preset(
            "no student wins", {"load": 2.0, "dimension": 64},
            "Beside linear regression on the same examples neither the kernel nor a network gains anything.",
            (core.Promise(core.Value("generalization_error", method="equivalent_model"), 0.281, 0.0005),), RACE,
        ),
        core.Preset(
            "an odd activation", {"activation": "tanh", "load": 4.0},
            "The kernel, which is Bayes-optimal, does what linear regression does; networks of finite width do worse.",
            (core.Promise(core.Value("generalization_error", method="equivalent_model"), 0.164, 0.0005),), RACE,
        ),
        core.Preset(
            "only signs", {"readout": "sign", "activation": "tanh", "load": 4.0},
            "Yes or no is all one hears: at best 23.1 per cent of new answers are wrong.",
            (core.Promise(core.Value("generalization_error", method="equivalent_model"), 0.231, 0.0005),), RACE,
        ),
        core.Preset(
            "too many examples", {"load": 24.0, "dimension": 32},
            "As n comes near d(d+1)/2 the kernel sees the quadratic part and falls far below linear regression.",
            (core.Promise(core.Value("generalization_error", method="equivalent_model"), 0.199, 0.001),
             core.Promise(core.Value("generalization_error", method="gaussian_process"), 0.165, 0.0005)),
            replace(RACE, plane=("load", "dimension")),
        ),
        core.Preset(
            "noise in disguise", {"load": 1.0, "dimension": 64, "width": 1000},
            "Around its linear part the teacher scatters as if it were noise of variance 0.091.",
            view=replace(RACE, picture="the teacher"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "part of the linear function that is missed, ReLU, load 1", 0.5717602365520987, 1e-12, "root of eq. (3)",
            core.Value("linear_error"), {"load": 1.0},
        ),
        core.Reference(
            "least error there", 0.3337851160461293, 1e-12, "eq. (3)", core.Value("generalization_error"),
            {"load": 1.0},
        ),
        core.Reference(
            "least error for tanh, load 4", 0.16436853211621955, 1e-12, "eq. (3)",
            core.Value("generalization_error"), {"load": 4.0, "activation": "tanh"},
        ),
        core.Reference(
            "least part of wrong signs, tanh, load 4, no noise", 0.1504666648, 1e-9, "eq. (4) iterated",
            core.Value("generalization_error"),
            {"load": 4.0, "activation": "tanh", "readout": "sign", "noise": 0.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A teacher with ReLU units in 30 dimensions. How many examples per dimension are as many as its quadratic "
            "part has coefficients, so that the limit breaks?",
            {"dimension": 30, "load": 2.0}, "load", core.Crossing("quadratic_coefficients", "load"), 1.5,
            "15.5: a quadratic function of d inputs has d(d+1)/2 coefficients. The kernel profits long before.",
            view=core.View(plane=("load", "dimension"), picture="all students"),
        ),
        core.Task(
            "The linear part of a ReLU teacher has the variance 0.25, the rest 0.091, the noise 0.1. Which error is "
            "left to the equivalent model after very many examples?",
            {"load": 32.0}, "generalization_error",
            lambda model: expansion(model.activation).nonlinear + model.noise, 0.01,
            "0.191: it takes the nonlinear part for noise, for ever. Students that do not are below it by then.",
        ),
    )  # fmt: skip
    simulation = Teaching

    @property
    def examples(self) -> int:
        """The number n, at least one."""
        return self.counted("load", self.dimension)

    def realised(self) -> TwoLayerLimits:
        return self.with_simulated(load=self.examples / self.dimension)

    def best_ridge(self, linear: bool = False) -> float:
        """The variance of what a student takes for noise, over that of his weights: of the coefficients of linear
        functions, or of units that make functions like the teacher's.
        """
        activation = expansion(self.activation)
        rho2 = float(activation.coefficients[1] ** 2)
        variance = rho2 + activation.nonlinear
        learnt, unit = (rho2, 1.0) if linear else (variance, variance)
        if self.readout == "linear":
            return max(self.noise + variance - learnt, 1e-6) * unit / learnt
        told = 2 / math.pi * learnt / (variance + self.noise)  # of the variance of signs
        return unit * (1 - told) / told

    def levels(self, dimension: int) -> tuple[Spectrum, Array]:
        """Degrees of functions as directions of feature space, and what the activation leaves to higher ones."""
        coefficients, beyond = expansion(self.activation)
        degree = np.flatnonzero(coefficients[1:] != 0) + 1
        count = np.array([float(math.comb(dimension + k - 1, k)) for k in degree.tolist()])
        power = coefficients[degree] ** 2
        return Spectrum(power / count, count, power), np.asarray(beyond)

    def solve(self, points: Points) -> core.Solution:
        load, noise, dimension = points["load"], points["noise"], points["dimension"]
        found = np.empty((4, load.size, 2))
        for d in np.unique(dimension):
            here = dimension == d
            whole, beyond = self.levels(int(d))
            linear = Spectrum(*(column[:1] for column in whole))
            for method, spectrum, rest in (
                (EQUIVALENT, linear, expansion(self.activation).nonlinear),
                (PROCESS, whole, beyond),
            ):
                found[:, here, method] = self._student(load[here] * d, noise[here] + rest, whole, spectrum)
        error, linear_error, nonlinear_error, residual = found
        gone = (error[:, PROCESS] < (1 - SEEN) * error[:, EQUIVALENT]) | (load >= (dimension + 1) / 2)
        values = {
            "generalization_error": error,
            "relative_error": error / error[:, [EQUIVALENT]],
            "linear_error": linear_error,
            "nonlinear_error": nonlinear_error,
        }
        return core.Solution(
            values, residual, extra={"gone": gone}, fails={"quadratic": gone[:, None] & np.array([True, False])}
        )

    def _student(self, examples: Array, noise: Array, whole: Spectrum, known: Spectrum) -> tuple[Array, ...]:
        """Errors of a student who knows some levels, and takes the others for part of the noise; and the residual."""
        if self.readout == "linear":
            result = learning(examples, noise, noise, known)
            kappa, residual = result.effective_ridge[:, None], result.residual
        else:
            root, residual = effective_ridges(examples, noise, known)
            kappa = root[:, None]
        missed = kappa / (known.eigenvalues + kappa) * known.power
        nonlinear = expansion(self.activation).nonlinear
        rest = missed[:, 1:].sum(axis=1) + nonlinear - known.power[1:].sum()
        left = missed.sum(axis=1) + noise
        wrong = np.arcsin(np.sqrt(left / (known.power.sum() + noise))) / math.pi
        error = left if self.readout == "linear" else wrong
        return error, missed[:, 0] / known.power[0], rest / nonlinear, residual

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        activation = expansion(self.activation)
        rho2, epsilon = float(activation.coefficients[1] ** 2), activation.nonlinear
        m, error, d = state["linear_error"], state["generalization_error"], self.dimension
        n, missed, noise = self.load * d, rho2 * m + epsilon, self.noise
        found = {}
        if state["method"] == "equivalent_model":
            found["limit"] = state["relative_error"] - 1
        else:
            kappa = rho2 / d * m / (1 - m)
            shares = [
                (c * c, kappa / (c * c / math.comb(d + k - 1, k) + kappa))
                for k, c in enumerate(activation.coefficients.tolist()) if k
            ]  # fmt: skip
            missed = sum(power * share for power, share in shares) + activation.beyond
        found["part"] = state["nonlinear_error"] - (missed - rho2 * m) / epsilon
        total = rho2 + epsilon + noise
        if self.readout == "linear":
            return found | {
                "(3), (5)": 1 / m - 1 - n / d * rho2 / (missed + noise), "error": error - missed - noise
            }  # fmt: skip
        z = np.linspace(-9, 9, 8001)
        u = -math.sqrt((total - missed - noise) / (missed + noise)) * z
        told = np.exp(-0.5 * z * z - u * u - log_ndtr(-u)) / (2 * math.pi)
        information = 2 * float(told.sum() * (z[1] - z[0])) / math.sqrt(2 * math.pi)
        return found | {
            "(4), (5)": 1 / m - 1 - n / d * rho2 / (missed + noise) * information,
            "error": error - math.acos(math.sqrt((total - missed - noise) / total)) / math.pi,
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        gone = states.solution.extra["gone"]
        return {"beyond": gone, "equivalent": ~gone}

    def boundary(self, name: str, points: Points) -> Array:
        return (points["dimension"] + 1) / 2

    def law(self) -> core.Law:
        width = math.sqrt(expansion(self.activation).nonlinear)
        x = np.linspace(-5, 5, 201)
        density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) / width
        return core.Law("nonlinear_part", x * width, density, "noise of the same variance")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        low, high = self.control("load").bounds
        loads = np.clip(np.minimum(start["load"] * 2**times, self.load), low, high)
        different, place = np.unique(loads, return_inverse=True)
        method = "equivalent_model" if self.learner == "linear" else "gaussian_process"
        theory = self.theory(method=method, profiles=False, load=different)
        names = ("generalization_error", "relative_error")
        return {"load": loads} | {name: theory[name].values[place] for name in names}

    def extent(self) -> str:
        return f"with {self.examples:,} examples in {self.dimension} dimensions"

    def caveat(self) -> str:
        if self.readout == "sign":
            return "the students regress on signs, which is not what a Bayes-optimal one would do"
        if self.learner == "linear":
            return "linear regression knows nothing of the nonlinear part; for it the equivalent model is the theory"
        return "finite width and dimension; and only the kernel is Bayes-optimal"

    def footprint(self) -> int:
        return 8 * (self.examples + TESTED) * (self.examples + 3 * self.width)
