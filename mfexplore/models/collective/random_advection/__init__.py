r"""Random advection: mass that is carried from site to site at random, with a little of it left behind.

$N$ sites hold masses $m_i\ge0$ of mean 1. Along every bond $i\to j$, at the rate 1, mass is carried:

$$m_i'=(1-a)\,m_i+b\,m_j,\qquad m_j'=a\,m_i+(1-b)\,m_j \tag{1}$$

On a *ring* the bonds lead to both neighbours; on the *complete* graph to everybody, at the rate $2/(N-1)$ each. Rules:

- *keep*: a share $\epsilon$ of what is carried stays behind, $a=1-\epsilon$, $b=0$;
- *mix*: the other site gives as much of its own in return, $a=1-\epsilon$, $b=\epsilon$;
- *all*: nothing is left behind, $a=1$, $b=0$ ($\epsilon\to0$): lumps that only coalesce;
- *share*: both divide what they have at random (Kipnis, Marchioro and Presutti).

**Exactly,** the correlations $C_r=\langle m_im_{i+r}\rangle$ obey equations of their own,

$$\dot C_0=4(yC_1-xC_0),\quad\dot C_1=2(xC_0-yC_1)+w(C_2-C_1),\quad\dot C_r=w(C_{r+1}+C_{r-1}-2C_r) \tag{2}$$

with $x=a(1-a)+b(1-b)$, $y=a+b-2ab$, $w=2(a+b)$ (*share*: $\frac13,\frac23,2$). At rest all $C_{r\ge1}$ are equal, and
with $\kappa=y/x$

$$\langle m^2\rangle=\frac{\kappa N}{\kappa+N-1},\qquad
Y=\Big\langle\frac{\sum m_i^2}{(\sum m_i)^2}\Big\rangle=\frac\kappa{\kappa+N-1} \tag{3}$$

$\kappa=1/\epsilon$ for *keep*. The *participation* $Y$ tells two regimes apart: **one lump** that wanders
($Y\approx1$) if $N\ll\kappa$, and a spread field of $1/Y\approx N/\kappa$ lumps if $N\gg\kappa$, with the border at
$N=\kappa+1$, where $Y=\frac12$.

**Mean field** takes the partner from the same distribution, but independently: a random map applied again and again
(an iterated function system), $m\to(1-a)m+bm^*$ or $(1-b)m+am^*$. Its moments follow one from another,

$$\mu_n\Big[1-\tfrac12\big((1-a)^n+a^n+(1-b)^n+b^n\big)\Big]=\tfrac12\sum_{j=1}^{n-1}\binom nj\mu_j\mu_{n-j}
\big[(1-a)^jb^{n-j}+(1-b)^ja^{n-j}\big] \tag{4}$$

so that $\mu_2=\kappa$, and for *keep* $\mu_3=(2-\epsilon)/\epsilon^2$.

**The hierarchy.** Let $F(m)=\langle1-e^{-m_i/m}\rangle$, in words: the fraction of sites that hold more than about $m$.
With $\psi=1-F$ the map gives, for *keep*,

$$2\psi(m)=\psi(m/\epsilon)+\psi(m)\,\psi(m/(1-\epsilon)) \tag{5}$$

For small $\epsilon$, below the largest lumps, this is $F(m)^2=F(m/\epsilon)$: with $F_k=F(\epsilon^{k+1/2})$

$$F_k^2=F_{k-1} \tag{6}$$

Lumps of size $\epsilon^k$ are what those of size $\epsilon^{k-1}$ have left behind, and they are caught by larger
ones: a site is of level $k$ or larger after a transfer if it is the giver and was of level $k-1$, or if it or its
partner was. On a ring partners are not independent, and (6) holds only roughly.

**Coalescence** (*all*): what is on a site came from an interval of sites, whose ends wander until they meet. The
fraction of sites that hold a lump is, with $\lambda+1/\lambda=2+s/2$ and from everything being even,

$$\tilde c(s)=\frac1s\Big(1-\frac{\lambda-\lambda^{2N-1}}{1-\lambda^{2N}}\Big),\qquad c\to\frac1{\sqrt{2\pi t}}
\quad(1\ll t\ll N^2) \tag{7}$$

as for walkers $A+A\to A$; the mean field has $c=1/(1+2t)$.

**Valid:** (2), (3), (7) at any $N$; (4) to (6) for $N\gg\kappa$, where a site meets itself again only after long.
The rule of the paper could not be read in full; it is one of this family, as are the named special cases.

**Simulation:** transfer by transfer. An even field takes a time of order $N^2$ to become stationary on a ring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gamma, gammaln

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.walkers import inverse_laplace
from mfexplore.models.collective.random_advection.dynamics import LEVELS, SMALL, RandomAdvectionSimulation
from mfexplore.models.collective.random_advection.theory import (
    ORDERS,
    lumps_in_time,
    mean_field_moments,
    occupied,
    square_in_time,
)

EXACT, MEAN_FIELD = range(2)  # as in `methods`


@dataclass(frozen=True)
class RandomAdvection(core.Model):
    size: int = core.control(256, 8, 4096, symbol="N", role="size", scale="log", doc="sites")
    mixing: float = core.control(
        0.01, 1e-4, 0.5, symbol=r"\epsilon", role="rate", scale="log",
        doc="share of the mass that stays behind, or that is given in return",
    )  # fmt: skip
    rule: str = core.choice("keep", ("keep", "mix", "all", "share"), doc="what a transfer leaves behind")
    geometry: str = core.choice("ring", ("ring", "complete"), doc="between neighbours, or between any two sites")

    title = "Random advection"
    summary = "Mass carried about at random: one lump or many, and a hierarchy of what each of them has left behind."
    tags = core.Tags("course", 15, ("patterns", "phase transition"), ("exact sums", "master equations"))
    relations = (
        core.Relation(
            "coincides with", "annihilation",
            "If nothing is left behind, lumps on a ring are walkers that coalesce at the first contact: one process, "
            "asked for its masses here and for its density there.",
            here={"rule": "all", "geometry": "ring"},
            there={"reaction": "coalescence", "geometry": "line", "reactivity": 1.0},
        ),
    )  # fmt: skip
    sources = (
        core.Source("K. Kang and S. Redner, Phys. Rev. A 30, 2833 (1984)", doi="10.1103/PhysRevA.30.2833"),
        core.Source("C. Kipnis, C. Marchioro and E. Presutti, J. Stat. Phys. 27, 65 (1982)", doi="10.1007/BF01011740"),
        core.Source("H. Takayasu and Y. Taguchi, Phys. Rev. Lett. 70, 782 (1993)", doi="10.1103/PhysRevLett.70.782"),
    )
    observables = (
        core.Observable("participation", "Y", "sum of squares over square of the sum: one over the number of lumps",
                        low=0, high=1),
        core.Observable("second_moment", r"\langle m^2\rangle", "mean square of a mass", low=1, scale="log"),
        core.Observable(
            "lump_density", "c", "fraction of sites that hold anything", scale="log", only={"rule": ("all",)}
        ),
        core.Observable(
            "occupied", "F_k", "fraction of sites with more than about ε^(k+1/2)", over="level", low=0, high=1,
            only=SMALL,
        ),
        core.Observable("moments", r"\mu_n", "mean of the n-th power of a mass", over="order", scale="log"),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("level", "k", "logarithm of a mass to the base ε"),
        core.Coordinate("order", "n", "which power", discrete=True),
    )
    methods = (
        core.Method("exact", "all correlations of two sites, eqs. (2) and (3)"),
        core.Method("mean_field", "partners are drawn independently, eqs. (4) and (5)"),
    )
    phases = (
        core.Phase("one_lump", "A single lump holds most of the mass, and wanders."),
        core.Phase(
            "spread", "The mass is spread over many lumps, which merge and are fed again by what is left behind."
        ),
    )
    failures = (
        core.Failure(
            "more_than_there_is",
            "Mean field puts more on one site than there is: the lumps have met all of the others.",
        ),
    )
    landmarks = (
        core.Landmark(
            "condensation", r"N=\kappa+1", "half of the mass squared is on one site", of="mixing", continuous=False
        ),
    )
    planes = (core.Plane("size", "mixing", "participation", along="y"),)
    presets = (
        core.Preset(
            "one lump", {"size": 16, "mixing": 0.001},
            "Everything gathers on one site, Y = 0.985; a lump steps and leaves a trail behind that it picks up again.",
            (core.Promise(core.Value("participation", method="exact"), 0.985, 0.0005),),
            core.View(series="participation", picture="field", function="occupied"),
        ),
        core.Preset(
            "hierarchy", {"size": 4096, "mixing": 0.01, "geometry": "complete"},
            "Levels of mass, each a hundred times lighter: the share above one is the square of that above the next.",
            view=core.View(picture="hierarchy", function="occupied", series="second_moment"),
        ),
        core.Preset(
            "hierarchy on a ring", {"size": 256, "mixing": 0.01},
            "Neighbours are no strangers: at the top of the hierarchy the square is a fifth too small.",
            view=core.View(picture="square over next", function="occupied", series="second_moment"),
        ),
        core.Preset(
            "ideal gas", {"size": 256, "rule": "share"},
            "Shared at random, the mass of a site is that of an energy in a gas: the mean square is 1.99.",
            (core.Promise(core.Value("second_moment", method="exact"), 1.99, 0.005),),
            core.View(series="second_moment", picture="masses", function="moments"),
        ),
        core.Preset(
            "coalescence clock", {"size": 2048, "rule": "all"},
            "Nothing is left behind: lumps only merge, and their number falls as one over the root of time.",
            view=core.View(series="lump_density", picture="field"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "keep a fifth, 32 sites", 4.444444444444446, 1e-12, "closed form; Monte Carlo 4.4400",
            core.Value("second_moment", method="exact"), {"size": 32, "mixing": 0.2},
        ),
        core.Reference(
            "give a tenth in return, 32 sites", 4.1, 1e-12, "closed form; Monte Carlo 4.0959",
            core.Value("second_moment", method="exact"), {"size": 32, "mixing": 0.1, "rule": "mix"},
        ),
        core.Reference(
            "shared at random, 32 sites", 64 / 33, 1e-12, "uniform on the simplex", published=True,
            of=core.Value("second_moment", method="exact"), at={"size": 32, "rule": "share"},
        ),
        core.Reference(
            "third moment of mean field, a fifth kept", 45.0, 1e-10, r"$(2-\epsilon)/\epsilon^2$",
            core.Value("moments", method="mean_field", place=3), {"mixing": 0.2},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A ring of 64 sites. Which share must stay behind for half of the squared mass to be in one lump?",
            {"size": 64, "mixing": 0.2}, "mixing", core.Crossing("condensation", "mixing"), 0.003,
            "Two sites are as good as one lump when the ring is as long as κ = 1/ε: a lump is caught again by its own "
            "trail within about κ steps.",
        ),
        core.Task(
            "A tenth stays behind, on a ring without end. What is the mean square of the mass of a site?",
            {"size": 4096, "mixing": 0.1}, "second_moment", core.Value("second_moment", method="mean_field"), 0.6,
            "Each transfer destroys a share 2ε of the mean square and makes twice the square of the mean: κ = 1/ε.",
        ),
    )  # fmt: skip
    simulation = RandomAdvectionSimulation

    @property
    def shares(self) -> tuple[float, float]:
        """(a, b) of eq. (1); a is negative where both share at random."""
        kept = {"keep": (1 - self.mixing, 0.0), "mix": (1 - self.mixing, self.mixing), "all": (1.0, 0.0)}
        return kept.get(self.rule, (-1.0, 0.0))

    def rates(self, mixing: Array) -> tuple[Array, Array, Array]:
        """x, y, w of eq. (2)."""
        one = np.ones_like(mixing)
        if self.rule == "share":
            return one / 3, 2 * one / 3, 2 * one
        a = one if self.rule == "all" else 1 - mixing
        b = mixing if self.rule == "mix" else 0 * one
        return a * (1 - a) + b * (1 - b), a + b - 2 * a * b, 2 * (a + b)

    def solve(self, points: Points) -> core.Solution:
        n = points["size"].astype(np.float64)
        x, y, _ = self.rates(points["mixing"])
        square = np.full((n.size, 2), np.nan)
        square[:, EXACT] = y * n / (y + x * (n - 1))  # kappa = y/x may be infinite
        with np.errstate(divide="ignore"):
            square[:, MEAN_FIELD] = np.where(x > 0, y / x, np.nan)
        values = {"second_moment": square, "participation": square / n[:, None]}
        if self.rule == "all":
            values["lump_density"] = np.stack([1 / n, np.full_like(n, np.nan)], axis=-1)
        beyond = np.zeros(square.shape, bool)
        with np.errstate(invalid="ignore"):
            beyond[:, MEAN_FIELD] = square[:, MEAN_FIELD] > n
        residual = np.where(np.isnan(square), np.nan, 0.0)
        return core.Solution(values, residual, fails={"more_than_there_is": beyond})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        square, n = state["second_moment"], self.size
        if self.rule == "share":  # averages over the uniform share
            u = (np.arange(2000) + 0.5) / 2000
            first = second = np.stack([u, u])
        else:
            a, b = self.shares
            first, second = np.array([[1 - a], [b]]), np.array([[a], [1 - b]])
        together = (n - square) / (n - 1) if state["method"] == "exact" else 1.0  # <m_i m_j>
        after = (
            np.mean(first**2 + second**2) * 2 * square
            + 2 * np.mean(first[0] * first[1] + second[0] * second[1]) * together
        )
        return {"(2)": (after / (2 * square) - 1) if self.rule != "all" or state["method"] == "exact" else 0.0}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        lumped = states.solution.values["participation"][:, EXACT] > 0.5
        return {"one_lump": lumped, "spread": ~lumped}

    def boundary(self, name: str, points: Points) -> Array:
        n = points["size"].astype(np.float64)
        if self.rule == "keep":
            return 1 / (n - 1)
        return (1 - np.sqrt(1 - 2 / n)) / 2 if self.rule == "mix" else np.full_like(n, np.nan)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """As a smooth curve, although sizes are whole numbers."""
        if {x, y} != {"size", "mixing"}:
            return super().trace_landmark(name, x, y, x_range)
        n = np.geomspace(*self.control("size").bounds, 129)
        border = self.boundary(name, {"size": n})
        kept = (border >= self.control("mixing").bounds[0]) & (border <= self.control("mixing").bounds[1])
        n, border = np.where(kept, n, np.nan), np.where(kept, border, np.nan)
        return (n, border) if x == "size" else (border, n)

    def profiles(self) -> dict[str, core.Profile]:
        moments = np.full((2, len(ORDERS)), np.nan)
        here = {"size": np.array([self.size]), "mixing": np.array([self.mixing])}
        moments[EXACT, :2] = 1.0, self.solve(here).values["second_moment"][0, EXACT]
        if self.rule == "share":
            n, k = self.size, ORDERS
            moments[EXACT] = np.exp(k * math.log(n) + gammaln(k + 1) + gammaln(n) - gammaln(n + k))
        moments[MEAN_FIELD] = gamma(ORDERS + 1.0) if self.rule == "share" else mean_field_moments(*self.shares)
        levels = np.linspace(LEVELS[0], LEVELS[-1], 65)
        fractions = np.full((2, levels.size), np.nan)
        if self.rule in SMALL["rule"]:
            fractions[MEAN_FIELD] = occupied(self.mixing, self.rule, levels)
        return {
            "occupied": core.Profile(levels, fractions), "moments": core.Profile(ORDERS.astype(float), moments)
        }  # fmt: skip

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """From an even field: eq. (2) in closed form but for an inverse Laplace transform, and eq. (7)."""
        t, n = np.asarray(times, np.float64), self.size
        later = t > 0
        square, lumps = np.ones_like(t), np.ones_like(t)
        x, y, w = (float(v[0]) for v in self.rates(np.array([self.mixing])))
        if self.geometry == "complete":
            rest = y * n / (y + x * (n - 1))
            square = rest + (1 - rest) * np.exp(-4 * (x + y / (n - 1)) * t)
            lumps = 1 / (n - (n - 1) * np.exp(-2 * t / (n - 1)))
        elif later.any():
            square[later] = inverse_laplace(lambda s: square_in_time(s, n, x, y, w), t[later])
            lumps[later] = inverse_laplace(lambda s: lumps_in_time(s, n), t[later])
        path = {"second_moment": square, "participation": square / n}
        return path | ({"lump_density": lumps} if self.rule == "all" else {})

    def caveat(self) -> str:
        return "the field is not stationary yet (on a ring that takes a time of order N squared), or few lumps are left"
