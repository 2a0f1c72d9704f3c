r"""Beta ensembles: the levels of random matrices as a gas of charges, and beta as its inverse temperature.

$N$ levels on a line repel like charges in two dimensions and are held by a potential $V$:

$$p(\lambda)\propto\prod_{i<j}|\lambda_i-\lambda_j|^\beta\,e^{-\sum_iV(\lambda_i)} \tag{1}$$

For $\beta=1,2,4$ and $V=x^2/2$ these are the eigenvalues of Gaussian matrices. For *any* $\beta$ they are those of a
tridiagonal (Jacobi) matrix $J$ with diagonal $a_i$ and squared off-diagonal $b_i$, whose density is

$$p(a,b)\propto\prod_{i<N}b_i^{\kappa_i-1}\,e^{-\mathrm{Tr}\,V(J)},\qquad\kappa_i=\tfrac\beta2(N-i) \tag{2}$$

which needs $O(N)$ random numbers and $O(N^2)$ steps to diagonalise, never $N^3$:

* *Hermite*, $V=x^2/2$: independent $a_i\sim\mathcal N(0,1)$, $b_i\sim\Gamma(\kappa_i)$;
* *Laguerre*, $e^{-V}=x^{a-1}e^{-x}$: $J=BB^T$ with squares $\Gamma(\kappa_i+a)$ on the diagonal of $B$,
  $\Gamma(\kappa_i)$ below;
* *Jacobi*, $e^{-V}=x^{a-1}(1-x)^{b-1}$: independent canonical moments $c_{2i-1}\sim\mathrm B(\kappa_i+a,\kappa_i+b)$,
  $c_{2i}\sim\mathrm B(\kappa_i,\kappa_{i+1}+a+b)$;
* *quartic*, $V=gx^4/4+\mu x^2/2$: nothing is independent, so a Gibbs sampler draws every $a_i$ and $b_i$ anew given its
  neighbours, exactly, by rejection. One pass is $O(N)$, and the trace shows that a few passes are enough.

**Density.** What one level feels is decided by $c=\beta N/2$, energy against entropy. With $\tau=1-\beta/2$ (Dyson: a
level does not repel itself) the mean field of all the others gives

$$\tau\ln\rho(x)=-V(x)+2c\int\ln|x-y|\,\rho(y)\,dy+\text{const} \tag{3}$$

For the classical potentials $\rho$ is the spectral density of a Jacobi matrix that is not random. Its entries for
*Hermite* are $a_n=0$, $b_n=c+n\tau$; the others follow from the recipes with $\kappa_i\to c+n\tau$, as means. So the
variance is $b_1$, and the kurtosis

$$\frac{\langle x^4\rangle}{\langle x^2\rangle^2}=1+\frac{(a_2-a_1)^2+b_2}{b_1}\tag{4}$$

For Hermite that is $(2c+3\tau)/(c+\tau)$: from Gauss's 3 to Wigner's 2.

The quartic one is solved from (3) by Newton's method; its virial theorem is
$g\langle x^4\rangle+\mu\langle x^2\rangle=c+\tau$. The *Coulomb gas* is $\tau=0$: no entropy,
$\rho\propto M(x)\sqrt{(x_+-x)(x-x_-)}$, which splits in two where $\mu<-2\sqrt{gc}$.

**Neighbours** do not care for $c$, only for $\beta$: gaps follow $s^\beta$ when small and $e^{-\pi^2\beta s^2/16}$ when
large. The mean ratio of neighbouring gaps is that of four levels on a circle. So there are *two* crossovers: at
$\beta\sim1/N$ the levels feel the wall that all make together, at $\beta\sim1$ each feels its neighbour.

**Largest level.** At fixed $\beta$ it fluctuates around the edge $x_+$ by

$$\lambda_{\max}=x_++(N\kappa_+)^{-2/3}\,\mathrm{TW}_\beta,\qquad\rho\simeq\frac{\kappa_+}\pi\sqrt{x_+-x} \tag{5}$$

with the Tracy-Widom law of this $\beta$. At fixed $c$ neighbours are independent:
$P(\lambda_{\max}<x)=(\int_{-\infty}^x\rho)^N$.

**Valid:** (3) as $N\to\infty$, with moments up to a relative $1/N^2$ (in the gas $1/N$); it has no density from
$\beta=2$ on, where entropy no longer spreads the levels. The Coulomb gas needs $c\gg1$, which is
flagged. (5) needs an edge, not a wall, and ${\beta N\gg1}$. The law of gaps is a surmise, good to a few percent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.glasses.beta_ensemble.dynamics import CLASSICAL, REMEMBERED, BetaEnsembleSimulation
from mfexplore.models.glasses.beta_ensemble.theory import (
    Charges,
    Levels,
    coefficients,
    coulomb_gas,
    edge,
    mean_field,
    quartic_edges,
    quartic_moments,
    warmth,
)
from mfexplore.numerics.functions.tracy_widom import tracy_widom
from mfexplore.numerics.later import later
from mfexplore.numerics.matrices.level_statistics import repelling_ratio, repelling_spacing_density

interpolant = later("scipy.interpolate", "PchipInterpolator")

COLD = 10.0  # c below which a gas without entropy is off by more than a tenth


@dataclass(frozen=True)
class BetaEnsemble(core.Model):
    potential: str = core.choice(
        "hermite",
        {
            "hermite": "Hermite (Gaussian)", "laguerre": "Laguerre (one wall)", "jacobi": "Jacobi (two walls)",
            "quartic": "quartic (Gibbs sampler)",
        },
        doc="what holds the levels: a potential with a recipe for its matrix, or one that needs a Gibbs sampler",
    )  # fmt: skip
    beta: float = core.control(
        2.0, 0.001, 10.0, symbol=r"\beta", role="temperature", scale="log", step=0.001,
        doc="inverse temperature of the gas: how strongly levels repel",
    )  # fmt: skip
    left_exponent: float = core.control(
        1.0, 0.1, 1000.0, symbol="a", role="coupling", scale="log", step=0.1, title="exponent at 0",
        doc="density of a single level near the wall at 0: x^(a-1)", only={"potential": ("laguerre", "jacobi")},
    )  # fmt: skip
    right_exponent: float = core.control(
        1.0, 0.1, 1000.0, symbol="b", role="coupling", scale="log", step=0.1, title="exponent at 1",
        doc="the same near the wall at 1: (1-x)^(b-1)", only={"potential": ("jacobi",)},
    )  # fmt: skip
    quartic: float = core.control(
        1.0, 0.1, 10.0, symbol="g", role="coupling", scale="log", step=0.1, title="quartic strength",
        doc="of gx⁴/4 in the potential", only={"potential": ("quartic",)},
    )  # fmt: skip
    quadratic: float = core.control(
        0.0, -40.0, 40.0, symbol=r"\mu", role="coupling", step=0.5, title="quadratic strength",
        doc="of μx²/2 in the potential; below zero it has two wells", only={"potential": ("quartic",)},
    )  # fmt: skip
    size: int = core.control(
        200, 2, 5000, symbol="N", unit="levels", role="size", scale="log", doc="levels of a matrix"
    )

    tags = core.Tags("course", 20, ("critical fluctuations",), ("random matrices",))
    title = "Beta ensembles"
    summary = "Levels of random matrices as a gas of charges: from Gauss's bell to Wigner's semicircle as it cools."
    sources = (
        core.Source("G. Gautier, R. Bardenet, M. Valko, Fast sampling from beta-ensembles (2020)", arxiv="2003.02344"),
        core.Source("I. Dumitriu, A. Edelman, J. Math. Phys. 43, 5830 (2002)", doi="10.1063/1.1507823"),
        core.Source("F. J. Dyson, J. Math. Phys. 3, 157 (1962)", doi="10.1063/1.1703774"),
        core.Source("R. Allez, J.-P. Bouchaud, A. Guionnet, Phys. Rev. Lett. 109, 094102 (2012)", arxiv="1205.3598"),
        core.Source("J. A. Ramirez, B. Rider, B. Virag, J. Amer. Math. Soc. 24, 919 (2011)", arxiv="math/0607331"),
    )
    observables = (
        core.Observable("kurtosis", r"\kappa", "fourth moment of the levels over the square of their second, eq. (4)"),
        core.Observable("variance", r"\sigma^2", "mean square of the levels about their mean", scale="log"),
        core.Observable("gap_ratio", r"\bar r", "mean ratio of neighbouring gaps, at most 1", low=0.38, high=0.8),
        core.Observable(
            "off_diagonal_square", "b", "squared off-diagonal of the matrix; in theory that of the Coulomb gas of the"
            " levels further down", over="position", title="square off the diagonal",
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("position", "i/N", "how far down the matrix"),)
    methods = (
        core.Method("mean_field", "energy and entropy, eq. (3): large N at fixed βN"),
        core.Method("coulomb_gas", "energy alone: large N at fixed β", title="Coulomb gas"),
    )
    phases = (
        core.Phase("gas", "Too hot or too few: every level goes where the potential lets it, as if it were alone."),
        core.Phase("two_bands", "The levels have split between two wells."),
        core.Phase("liquid", "Together the levels push each other apart, but neighbours hardly notice each other."),
        core.Phase("rigid", "Neighbours repel as well: no two levels come close, and rows of them are nearly even."),
    )
    failures = (
        core.Failure(
            "entropy", "At this temperature entropy spreads the levels beyond the edges of the Coulomb gas: see the "
            "mean field instead.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark("crossover", r"\beta N=2", "energy overtakes entropy", continuous=False, of="beta"),
        core.Landmark("repulsion", r"\beta=1", "small gaps become rare in proportion", continuous=False, of="beta"),
        core.Landmark(
            "splitting", r"\mu=-2\sqrt{gc}", "the density splits into two bands (third order)", of="quadratic",
            only={"potential": ("quartic",)},
        ),
    )  # fmt: skip
    planes = (
        core.Plane("beta", "size", "kurtosis", along="x", only={"potential": CLASSICAL}),
        core.Plane("quadratic", "beta", "kurtosis", along="x", finest=65, only={"potential": ("quartic",)}),
        core.Plane("beta", "size", "kurtosis", along="x", finest=65, only={"potential": ("quartic",)}),
    )
    presets = (
        core.Preset(
            "Wigner", {},
            "Cold: each level has a Gaussian potential, yet 200 of them form Wigner's semicircle (kurtosis 2), and no "
            "two in a row come close.",
            (core.Promise(core.Mean("kurtosis", 50, 150), 2.0, 0.03),),
        ),
        core.Preset(
            "Gauss", {"beta": 0.001},
            "Hot: the same 200 levels ignore each other. The bell is back (kurtosis 2.91), and rows have clumps and "
            "holes (gap ratio 0.387).",
            (core.Promise(core.Value("kurtosis"), 2.91, 0.005), core.Promise(core.Value("gap_ratio"), 0.387, 0.001)),
        ),
        core.Preset(
            "only together", {"beta": 0.05, "size": 1000},
            "Between the two crossovers: the density is Wigner's already (kurtosis 2.04), the rows are almost as "
            "random as without repulsion (gap ratio 0.398).",
            (core.Promise(core.Value("kurtosis"), 2.04, 0.005), core.Promise(core.Value("gap_ratio"), 0.398, 0.001)),
            view=core.View(colour="gap_ratio"),
        ),
        core.Preset(
            "few passes", {"potential": "quartic", "beta": 2.0, "size": 1000},
            "No recipe, so Gibbs: the variance falls from the 1000 of a Hermite matrix to within a percent of theory "
            "in five passes; try 10 or 5000 levels, it takes no longer.",
            (core.Promise(core.Mean("variance", 0, 0), 1000, 40),
             core.Promise(lambda model: core.Mean("variance", 5, 5).of(model) / model.spread(), 1.0, 0.01)),
            view=core.View(colour="variance", series="variance", picture="density"),
        ),
        core.Preset(
            "two wells", {"potential": "quartic", "beta": 2.0, "size": 200, "quadratic": -40.0},
            "The levels have split into two bands, as they do below a certain μ. Between there and 0 the Gibbs sampler "
            "is slow (trace): a stretch of the matrix is just about to split.",
            (core.Promise(core.Crossing("splitting", "quadratic"), -28.3, 0.05),),
            view=core.View(picture="density"),
        ),
        core.Preset(
            "against a wall", {"potential": "laguerre", "beta": 1.0, "left_exponent": 50.5},
            "Squares of 200 × 300 Gaussian numbers (a = 50.5): Marchenko and Pastur's density, and at its upper edge "
            "the largest level of principal components.",
            view=core.View(picture="density"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "kurtosis of a Gaussian potential at c = 1", 2.5, 1e-3, "(3+2c)/(1+c), Allez, Bouchaud and Guionnet (2012)",
            core.Value("kurtosis"), {"beta": 0.001, "size": 2000},
        ),
        core.Reference(
            "mean square of a level, N = 200, beta = 2", 200.0, 1e-10, "E tr H² = N + βN(N-1)/2, by hand",
            core.Exact("variance"), {"beta": 2.0, "size": 200},
        ),
        *(
            core.Reference(
                f"mean of the Tracy-Widom law, beta = {beta}", mean, 1e-3, "Bornemann (2010)",
                lambda model: model.scaled_largest_level()[0], {"beta": float(beta)}, published=True,
            )
            for beta, mean in ((1, -1.2065336), (2, -1.7710868), (4, -2.0552009))
        ),
        core.Reference(
            "gap ratio of unitary matrices", 0.5996, 2e-3, "Atas et al. (2013)",
            core.Value("gap_ratio"), {"beta": 2.0}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "1000 levels in a Gaussian potential. At which β is the kurtosis half way from Gauss's 3 to Wigner's 2?",
            {"beta": 2.0, "size": 1000}, "beta", lambda model: 2 / model.size, 0.001,
            "Already at β = 0.002: each of 1000 levels repels so weakly, but all of them together as much as one "
            "potential. Neighbours notice each other only from β = 1 on.",
        ),
        core.Task(
            "At β = 2 and 200 levels the quartic well is turned into two wells. At which μ does the density split?",
            {"potential": "quartic", "beta": 2.0, "size": 200}, "quadratic",
            core.Crossing("splitting", "quadratic"), 2.0,
            "At -2√(gc), c = βN/2: not at zero, because the levels push each other over a low barrier.",
            view=core.View(picture="density"),
        ),
    )  # fmt: skip
    simulation = BetaEnsembleSimulation

    def solve(self, points: Points) -> core.Solution:
        beta, g, mu = points["beta"], points["quartic"], points["quadratic"]
        c, tau = warmth(beta, points["size"])
        left, right = points["left_exponent"] - 1, points["right_exponent"] - 1
        moments, residuals = [], []
        for share in (tau, np.zeros_like(tau)):
            if self.potential == "quartic":
                second, fourth, residual = quartic_moments(c, g, mu, share)
                moments.append((second, fourth / second**2))
            else:
                wall = left if share is tau else np.maximum(left, -0.999 * c)
                a, b = coefficients(self.potential, c, wall, right, share, 2)
                moments.append((b[:, 0], 1 + ((a[:, 1] - a[:, 0]) ** 2 + b[:, 1]) / b[:, 0]))
                residual = np.zeros(c.size)
            residuals.append(residual)
        values = {
            name: np.stack([one[k] for one in moments], axis=1) for k, name in enumerate(("variance", "kurtosis"))
        }
        values["gap_ratio"] = np.repeat(repelling_ratio(beta)[:, None], 2, axis=1)
        cold = np.stack([np.zeros(c.size, bool), c < COLD], axis=1)
        return core.Solution(values, np.stack(residuals, axis=1), fails={"entropy": cold})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        at = self.charges()
        second, fourth = state["variance"], state["kurtosis"] * state["variance"] ** 2
        if state["method"] == "coulomb_gas":
            at = at._replace(tau=0.0)
        if self.potential == "quartic":
            right = at.c + at.tau
            found = {"(3)": (self.quartic * fourth + self.quadratic * second - right) / right}
            if state["method"] == "coulomb_gas":
                inner, outer = (float(x[0]) for x in quartic_edges(*np.array([[at.c], [at.g], [at.mu]])))
                t = (inner + outer) / 2 + (outer - inner) / 2 * np.cos(np.pi * (np.arange(200) + 0.5) / 200)  # x^2
                shape = np.ones(200) if inner else (at.mu + at.g * (t + outer / 2)) / t
                mass = shape * (outer - t) * (t - inner)
                found["density"] = second / float(np.sum(t * mass) / np.sum(mass)) - 1
            return found
        # moments about 0 from (3) times x^k, x^k x or x^k x (1 - x): energies of pairs are sums of products of moments
        m = [1.0]
        walls = {"hermite": 0.0, "laguerre": at.left, "jacobi": at.left}[self.potential]
        if state["method"] == "coulomb_gas":
            walls = max(walls, -0.999 * at.c)
        for k in range(4):
            pairs = at.c * sum(m[j] * m[k - j] for j in range(k + 1))
            if self.potential == "hermite":
                m.append(at.c * sum(m[j] * m[k - 1 - j] for j in range(k)) + k * at.tau * (m[k - 1] if k else 0.0))
            elif self.potential == "laguerre":
                m.append(walls * m[k] + pairs + (k + 1) * at.tau * m[k])
            else:
                rest = at.c * sum(m[j] * m[k + 1 - j] for j in range(1, k + 1))
                gain = walls * m[k] + pairs + (k + 1) * at.tau * m[k] - rest
                m.append(gain / (walls + at.right + 2 * at.c + (k + 2) * at.tau))
        variance = m[2] - m[1] ** 2
        central = m[4] - 4 * m[1] * m[3] + 6 * m[1] ** 2 * m[2] - 3 * m[1] ** 4
        return {"(3)": second / variance - 1, "(4)": fourth / central - 1}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        beta, c = points["beta"], points["beta"] * points["size"] / 2
        split = points["quadratic"] < -2 * np.sqrt(points["quartic"] * c)
        wells = np.full(c.size, self.potential == "quartic") & split
        return {"gas": c < 1, "two_bands": wells, "liquid": beta < 1, "rigid": beta >= 1}

    def boundary(self, name: str, points: Points) -> Array:
        if name == "crossover":
            return np.asarray(2 / points["size"])
        if name == "repulsion":
            return np.ones(points["size"].size)
        return np.asarray(-2 * np.sqrt(points["quartic"] * points["beta"] * points["size"] / 2))

    def charges(self) -> Charges:
        """What the density depends on."""
        c, tau = warmth(np.array([self.beta]), np.array([self.size]))
        left, right = self.left_exponent - 1, self.right_exponent - 1
        return Charges(self.potential, float(c[0]), float(tau[0]), left, right, self.quartic, self.quadratic)

    def profiles(self) -> dict[str, core.Profile]:
        """Further down the matrix there are fewer levels left to repel each other."""
        position = (np.arange(100) + 0.5) / 100
        c = self.charges().c * (1 - position)
        if self.potential == "quartic":
            inner, outer = quartic_edges(c, np.full(100, self.quartic), np.full(100, self.quadratic))
            squares = (inner + outer) / 4
        else:
            left, right = (np.full(100, wall - 1) for wall in (self.left_exponent, self.right_exponent))
            squares = coefficients(self.potential, c, left, right, np.zeros(100), 1)[1][:, 0]
        return {"off_diagonal_square": core.Profile(position, np.stack([squares, squares]))}

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        """Of the levels, of their gaps and of the largest one."""
        at = self.charges()
        spread, cold = mean_field(at), coulomb_gas(at)
        found = [core.Law("level", cold.values, cold.density, "Coulomb gas", method="coulomb_gas")]
        s = np.linspace(0, 5, 251)
        gaps = repelling_spacing_density(self.beta, np.maximum(s, 1e-3))
        found.append(core.Law("spacing", s, gaps, "surmise for gaps in units of the mean gap"))
        if spread is not None:
            found.insert(
                0, core.Law("level", spread.values, spread.density, "mean field, eq. (3)", method="mean_field")
            )
            found.append(self._largest_of_independent(spread))
        if (edge_law := self._largest_at_the_edge()) is not None:
            found.append(edge_law)
        return tuple(found)

    def _largest_of_independent(self, levels: Levels) -> core.Law:
        """N independent levels of one density."""
        first, last = np.searchsorted(-levels.above * self.size, [-15.0, -1e-6])
        seen = slice(max(first - 2, 0), last + 2)
        above = interpolant(levels.values[seen], np.log(levels.above[seen]))
        x = np.linspace(levels.values[seen][0], levels.values[seen][-1], 400)
        below = np.exp(self.size * np.log1p(-np.exp(above(x))))
        return core.Law("largest_level", x, np.gradient(below, x), "as if levels were independent", method="mean_field")

    def _largest_at_the_edge(self) -> core.Law | None:
        """Eq. (5); None where the edge is that of a wall, where there is none, or where it is the end of one of two
        bands between which a sampler moves no level.
        """
        at = self.charges()
        found = edge(at)
        scale = (self.size * found.kappa) ** (-2 / 3)
        if at.c < 1 or (self.potential == "jacobi" and 1 - found.high < 5 * scale) or found.holes:
            return None
        s, _, density = tracy_widom(self.beta)
        x, slope = found.shifted + scale * s, scale
        if self.potential == "jacobi":  # between its walls the logit is closer to its limit (Johnstone 2008)
            stretch = scale / (found.shifted * (1 - found.shifted))
            x = expit(logit(found.shifted) + stretch * s)
            slope = stretch * x * (1 - x)
        return core.Law("largest_level", x, density / slope, "Tracy-Widom, eq. (5)", method="coulomb_gas")

    def scaled_largest_level(self) -> tuple[float, float]:
        """Mean and variance of the Tracy-Widom variable at this beta."""
        s, _, density = tracy_widom(self.beta)
        mean = float(np.trapezoid(s * density, s))
        return mean, float(np.trapezoid((s - mean) ** 2 * density, s))

    def spread(self) -> float:
        """The variance that mean-field theory predicts."""
        return float(self.theory(method="mean_field", profiles=False)["variance"])

    def exact(self) -> dict[str, float]:
        """Moments of the tridiagonal matrices themselves: there is no correction to the mean field of the variance."""
        pairs = self.beta / 2 * (self.size - 1)
        if self.potential == "hermite":
            second = 1 + pairs
            fourth = (3 + 2 * pairs - self.beta / 2) * second + self.beta / 2
            return {"variance": second, "kurtosis": fourth / second**2}
        if self.potential == "laguerre":
            return {"variance": (self.left_exponent + pairs) * (1 + pairs)}
        raise core.NotOfferedError(self.title, "exact values of this potential at finite size")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Independent matrices stay where they are. Of a Gibbs pass at large c only the means are left: b_i goes where
        kappa = g b^2 + (mu + g neighbours) b, every second one first.
        """
        if self.potential in CLASSICAL:
            theory = self.theory(method="mean_field", profiles=False)
            return {name: np.full(times.size, float(theory[name])) for name in ("variance", "gap_ratio")}
        share = 1 - (np.arange(200) + 0.5) / 200
        shapes = self.charges().c * share
        even = odd = start["variance"] * share
        path = [start["variance"]]

        def drawn(neighbours: Array) -> Array:
            rate = self.quadratic + 2 * self.quartic * neighbours
            root = np.sqrt(rate**2 + 4 * self.quartic * shapes)
            return np.asarray(2 * shapes / (root + rate))

        for _ in range(min(200, math.ceil(float(times[-1])))):
            even = drawn(odd)
            odd = drawn(even)
            path.append(float(np.mean(even + odd)))
        return {"variance": np.interp(times, np.arange(len(path)), path)}

    def caveat(self) -> str:
        if self.potential == "quartic":
            return "the first passes of the Gibbs sampler, or corrections of relative order 1/N"
        return "corrections of relative order 1/N, larger for few levels"

    def extent(self) -> str:
        return f"of {self.size:,} levels"

    def footprint(self) -> int:
        return 8 * (REMEMBERED + 400 * self.size)
