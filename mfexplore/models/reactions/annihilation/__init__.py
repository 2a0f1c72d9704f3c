r"""Walkers that annihilate: where fluctuations beat the rate equations of chemistry.

Walkers on a line, a plane or in space ($d=1,2,3$) step to each of the $2d$ neighbouring sites at the rate $D=1$. If one
steps onto a site where others are that it can react with, it reacts with each of them with probability $p$, the
*reactivity*. Four reactions:

- *annihilation* $A+A\to0$ and *coalescence* $A+A\to A$, from a fraction $\rho_0$ of the sites occupied at random;
- *two species* $A+B\to0$, from $\rho_0$ of each per site, independently (pairs on one site are taken away at once);
- *traps* $A+T\to T$, where a fraction $c$ of the sites are traps that never move.

**Rate equations** suppose that walkers are mixed at random. With $k=2dp$ and $\nu=1$ ($\frac12$ for coalescence)

$$\dot\rho=-2\nu k\rho^2,\qquad\rho=\frac1{1/\rho_0+2\nu kt}\qquad(\text{traps: }\dot\rho=-kc\rho) \tag{1}$$

so that $\rho\sim t^{-1}$ in every dimension. But walkers that live are those that met nobody: around each there is a
hole. **Smoluchowski** computes the hole around one walker exactly and lets all others be independent. The rate of its
reactions with others of density 1 is $K(t)$, whose Laplace transform is

$$\tilde K(s)=\frac{(s+\Gamma)/s-P(s)}{P(s)+(1-p)/p},\qquad P(s)=(s+\Gamma)\int_0^\infty e^{-st}\big[e^{-\Gamma t/d}
I_0(\Gamma t/d)\big]^d\,dt \tag{2}$$

with $\Gamma=4d$, so that $K(0)=2k$ (traps: $2d$, and $K(0)=k$). $P(0)$ is how often a walk visits its start: infinite
for $d\le2$, where $K\to0$.

$$\dot\rho=-\nu K(t)\rho^2\qquad(\text{traps: }\dot\rho=-cK(t)\rho) \tag{3}$$

The local exponent $-d\ln\rho/d\ln t$ goes from 0 to 1 (reactions are rare, mixing wins) to that of diffusion.

**What is left at late times:**

$$\rho\simeq\frac1{\sqrt{8\pi t}},\quad\frac{\ln t}{8\pi t},\quad\frac1{K(\infty)t}\qquad(A+A\to0,\ d=1,2,3) \tag{4}$$

$$\rho\simeq\sqrt{\frac{\rho_0}\pi}\,(8\pi t)^{-d/4}\qquad(A+B\to0) \tag{5}$$

Eq. (5) is slower than (3): $a-b$ only diffuses, so that domains of the species that was in excess by chance survive
(*segregation*), of the size $\sqrt t$. For coalescence eq. (4) doubles. Traps on the line leave those who were born in
large gaps: with $\tau=c^2t$

$$\frac\rho{\rho_0}\simeq16\sqrt{\tfrac{2}{3\pi}\tau}\;e^{-3(\pi^2\tau/4)^{1/3}} \tag{6}$$

**Exactly**, on the line with $p=1$: the probability $E_n$ that $n$ sites in a row are empty (for annihilation: hold an
even number) diffuses,

$$\dot E_n=2(E_{n-1}-2E_n+E_{n+1}),\qquad E_0=1,\quad\rho=1-E_1 \tag{7}$$

From a full line $\rho=e^{-4t}I_0(4t)$ for annihilation, and $e^{-4t}[I_0(4t)+I_1(4t)]$ for coalescence. Smoluchowski's
$\rho\simeq\sqrt\pi/(4\sqrt{2t})$ has the exponent of (4), and $\pi/2$ times its amplitude. Two walkers at the distance
$r$, with $x=r/\sqrt{8t}$, are found together more rarely than by chance by the factor

$$g=1-e^{-2x^2}+\sqrt\pi\,x\,e^{-x^2}\mathrm{erfc}\,x,\qquad g_{\rm Smoluchowski}=\mathrm{erf}\,x \tag{8}$$

and the gaps $z$ between coalescing walkers, over their mean, have the law $p(z)=\frac\pi2z\,e^{-\pi z^2/4}$ instead of
the $e^{-z}$ of a mixed gas. Among traps at the density $c$ the survival is the average over gaps of $L$ free sites,
with weights $Lc^2(1-c)^{L-1}$, of that in an interval with absorbing ends.

**Valid:** (1) for $t\ll1/k\rho_0$, and for small $p$ until $k$ times the density of (4) or (5) falls below $1/t$, in
one dimension $t\approx2\pi/k^2$; in three dimensions its exponent stays right for $A+A$, and only $2k$ must become
$K(\infty)$. (2), (3) include that but neglect all correlations of three walkers. Slow crossovers: in the plane only
logarithms.

**Simulation:** as defined, step by step; the exact results hold until $\sqrt t$ reaches the size of the lattice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf, erfcx, ive

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.families.walkers import chain_density, last_meeting_rate, meetings
from mfexplore.models.reactions.annihilation.dynamics import ALIKE, REACH, AnnihilationSimulation
from mfexplore.models.reactions.annihilation.theory import (
    EXACT,
    LATE,
    MEAN_FIELD,
    SMOLUCHOWSKI,
    meeting_rate_again,
    trap_survival,
)

ONE_SPECIES_ON_A_LINE = {"geometry": ("line",), "reaction": ALIKE}
GONE = 1e-12  # density below which nobody is left to speak of


@dataclass(frozen=True)
class Annihilation(core.Model):
    age: float = core.control(
        100.0, 0.1, 1e6, symbol="t", unit="step times", role="time", scale="log",
        doc="how long they have been wandering",
    )  # fmt: skip
    reactivity: float = core.control(
        1.0, 0.001, 1.0, symbol="p", role="coupling", scale="log", doc="probability that a meeting ends in a reaction"
    )
    start_density: float = core.control(
        1.0, 0.05, 1.0, symbol=r"\rho_0", role="load", step=0.01, quenched=True,
        doc="walkers per site at the start (of each species)",
    )  # fmt: skip
    trap_density: float = core.control(
        0.1, 0.01, 0.9, symbol="c", role="disorder", step=0.01, quenched=True, only={"reaction": ("traps",)},
        doc="fraction of the sites that are traps",
    )  # fmt: skip
    reaction: str = core.choice(
        "annihilation",
        {"annihilation": "A + A → 0", "coalescence": "A + A → A", "two_species": "A + B → 0", "traps": "traps"},
        doc="what happens when walkers meet",
    )
    geometry: str = core.choice(
        "line", {"line": "line, d = 1", "plane": "plane, d = 2", "space": "space, d = 3"}, doc="where they wander"
    )
    size: int = core.control(
        50_000, 8, 4_000_000, symbol="N", role="size", scale="log", part="simulation", doc="sites of the lattice"
    )

    title = "Annihilating walkers"
    summary = "Reactions limited by diffusion: survivors keep apart, species segregate, and rate equations fail."
    tags = core.Tags("course", 20, ("critical fluctuations", "patterns"), ("rate equations", "exact sums"))
    relations = (
        core.Relation(
            "contrasts with", "moment_closure",
            "Pairs that react where all is stirred obey equations for moments; where walkers must find each other, "
            "survivors keep apart and those equations fail.",
            here={"reaction": "annihilation"}, there={"network": "pair_annihilation"},
        ),
    )  # fmt: skip
    sources = (
        core.Source("M. von Smoluchowski, Z. Phys. Chem. 92, 129 (1917)"),
        core.Source("D. Toussaint and F. Wilczek, J. Chem. Phys. 78, 2642 (1983)", doi="10.1063/1.445022"),
        core.Source("C. R. Doering and D. ben-Avraham, Phys. Rev. A 38, 3035 (1988)", doi="10.1103/PhysRevA.38.3035"),
        core.Source("M. D. Donsker and S. R. S. Varadhan, Commun. Pure Appl. Math. 28, 525 (1975)"),
        core.Source("U. C. Täuber, Critical Dynamics, chapter 9 (2014)"),
    )
    observables = (
        core.Observable("density", r"\rho", "walkers per site (of each species)", low=1e-5, high=1, scale="log"),
        core.Observable(
            "exponent", r"-d\ln\rho/d\ln t", "how fast the density falls: the exponent of a power law", low=0, high=1.2
        ),
        core.Observable(
            "pair_correlation", "g", "pairs at a distance, over those that chance would bring there", over="distance",
            low=0, high=1.4, only=ONE_SPECIES_ON_A_LINE,
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("distance", r"r/\sqrt{8t}", "distance over how far pairs have diffused"),)
    methods = (
        core.Method(
            "smoluchowski", "everybody's own hole, and no other correlation, eqs. (2) and (3)", title="Smoluchowski"
        ),
        core.Method("mean_field", "walkers are mixed at random, eq. (1)", title="rate equation"),
        core.Method("late", "the law of late times, eqs. (4) to (6)", title="late law"),
        core.Method("exact", "the line with reactivity 1, eq. (7)"),
    )
    phases = (
        core.Phase("beginning", "Hardly anybody has reacted yet."),
        core.Phase(
            "reaction_limited", "Walkers meet often before they react: they are mixed, and rates describe them."
        ),
        core.Phase("diffusion_limited", "Who meets, reacts: what is left is decided by how long it takes to meet."),
    )
    failures = (
        core.Failure(
            "depletion", "Walkers have emptied their surroundings and meet more rarely than chance would have it."
        ),
        core.Failure(
            "segregation", "The species have separated into domains, and only at their borders anybody meets."
        ),
        core.Failure(
            "correlated_holes", "The exponent is right but the amplitude is not: the holes around three walkers are no "
            "product of those around two.",
        ),
        core.Failure(
            "refuges", "Those who survive were born in large gaps between traps, which an average trap ignores."
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark("onset", r"k\rho_0t=1", "about half have reacted", continuous=False, of="reactivity"),
        core.Landmark(
            "crossover", r"p_\times", "rate equation and late law give the same density", continuous=False,
            of="reactivity",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("age", "reactivity", "exponent", along="x", finest=129),
        core.Plane("age", "start_density", "exponent", along="x", finest=129),
    )
    presets = (
        core.Preset(
            "depletion", {"age": 1000.0},
            "The run follows the exact line: after 1000 steps the rate equation is 25 times too low, and Smoluchowski "
            "1.57 times too high.",
            (core.Promise(lambda m: ratio(m, "exact", "mean_field"), 25.2, 0.1),
             core.Promise(lambda m: ratio(m, "smoluchowski", "exact"), 1.57, 0.005)),
            core.View(series="density", picture="amplitude", function="pair_correlation"),
        ),
        core.Preset(
            "gaps", {"reaction": "coalescence", "age": 1000.0},
            "Paths meet and go on as one; short gaps have all been closed, so that the law of gaps begins at zero.",
            view=core.View(series="density", picture="walkers", function="pair_correlation"),
        ),
        core.Preset(
            "slow reaction", {"reactivity": 0.02, "age": 4000.0},
            "At first reactions are rare and the rate equation holds; later walkers run out of partners nearby, and "
            "the run leaves it.",
            view=core.View(series="exponent", picture="amplitude"),
        ),
        core.Preset(
            "segregation", {"reaction": "two_species", "geometry": "plane", "age": 1000.0, "size": 40_000},
            "A and B separate into domains that grow with time: far more is left than any mixture would leave.",
            view=core.View(series="density", picture="walkers"),
        ),
        core.Preset(
            "traps", {"reaction": "traps", "trap_density": 0.1, "age": 2000.0, "size": 500_000},
            "Who is left after 2000 steps lives in a large gap: 7.6 times as many as Smoluchowski expects.",
            (core.Promise(lambda m: ratio(m, "exact", "smoluchowski"), 7.6, 0.05),),
            core.View(series="density", picture="walkers"),
        ),
        core.Preset(
            "space", {"geometry": "space", "age": 100.0, "size": 216_000},
            "In three dimensions a walker that misses another may never meet it again: the exponent of the rate "
            "equation is right, but its constant is half too large.",
            (core.Promise(lambda m: ratio(m, "mean_field", "late"), 0.66, 0.01),),
            core.View(series="density", picture="amplitude"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "annihilation from a full line, $t=10$", 0.06327827987523534, 1e-12, "$e^{-4t}I_0(4t)$",
            core.Value("density", method="exact"), {"age": 10.0}, published=True,
        ),
        core.Reference(
            "coalescence from a full line, $t=100$", 0.03988175524084353, 1e-12, "$e^{-4t}[I_0(4t)+I_1(4t)]$",
            core.Value("density", method="exact"), {"reaction": "coalescence", "age": 100.0}, published=True,
        ),
        core.Reference(
            "too much by Smoluchowski, late", math.pi / 2, 1e-3, "his amplitude on the line over the exact one",
            lambda m: ratio(m, "smoluchowski", "exact"), {"age": 1e6}, published=True,
        ),
        core.Reference(
            "returns to the start on the cubic lattice", 1.5163860591519780, 1e-12, "Watson (1939)",
            lambda m: 12 / float(last_meeting_rate(np.ones(1), 2.0)[0]), {"geometry": "space"}, published=True,
        ),
        core.Reference(
            "two species on the line, $t=100$", 0.0857, 0.004, "Monte Carlo on 400000 sites",
            core.Mean("density", 99.0, 100.0), {"reaction": "two_species", "age": 100.0, "size": 50_000},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Two species in the plane, as many of each. With which exponent does their density fall at late times?",
            {"reaction": "two_species", "geometry": "plane", "age": 1e4}, "exponent",
            core.Value("exponent", method="late"), 0.06,
            "In a region of size L the excess by chance is the root of its number of walkers, a density of L^(-d/2); "
            "it lives until diffusion crosses L, at the time L^2.",
        ),
        core.Task(
            "On the line one meeting in twenty ends in a reaction. At about which age does the rate equation give way "
            "to the law of diffusion?",
            {"reactivity": 0.05, "age": 100.0}, "age", core.Crossing("crossover", "age"), 250.0,
            "The rate equation leaves 1/2kt, diffusion the inverse root of 8 pi t: they meet at 2 pi/k^2 with k = 2p.",
        ),
    )  # fmt: skip
    simulation = AnnihilationSimulation

    @property
    def dimension(self) -> int:
        return ("line", "plane", "space").index(self.geometry) + 1

    @property
    def share(self) -> float:
        """The factor nu of eqs. (1) and (3)."""
        return 0.5 if self.reaction == "coalescence" else 1.0

    @property
    def sides(self) -> tuple[int, ...]:
        largest = int(self.control("size").bounds[1] ** (1 / self.dimension) + 1e-9)
        return (max(2, min(largest, round(self.size ** (1 / self.dimension)))),) * self.dimension

    def realised(self) -> Annihilation:
        return self.with_simulated(size=math.prod(self.sides))

    # -- theory ----------------------------------------------------------------------------------------------------

    def first_density(self, density: Array) -> Array:
        """At the time 0: of two species, what is left when pairs on one site are gone."""
        if self.reaction != "two_species":
            return density
        return density * (ive(0, 2 * density) + ive(1, 2 * density))

    def late_density(self, points: Points) -> Array:
        """Eqs. (4) to (6), NaN where there is no such law; shape (n,)."""
        d, (t, rho, c) = self.dimension, (points[n] for n in ("age", "start_density", "trap_density"))
        if self.reaction == "two_species":
            return np.asarray(np.sqrt(rho / math.pi) * (8 * math.pi * t) ** (-d / 4))
        if self.reaction == "traps":
            tau = c * c * t
            law = 16 * np.sqrt(2 * tau / (3 * math.pi)) * np.exp(-3 * (math.pi**2 * tau / 4) ** (1 / 3))
            return np.where(tau >= 1, rho * law, np.nan) if d == 1 else np.full_like(t, np.nan)
        if d == 1:
            law = (8 * math.pi * t) ** -0.5
        elif d == 2:
            law = np.where(t > 1, np.log(np.maximum(t, 1.0)) / (8 * math.pi * t), np.nan)
        else:
            law = 1 / (last_meeting_rate(points["reactivity"], 2.0) * t)
        return law / self.share

    def densities(self, points: Points) -> tuple[Array, Array]:
        """(density, local exponent) of every method, shape (n, 4); NaN where there is none."""
        age, reactivity, density, traps = (points[n] for n in ("age", "reactivity", "start_density", "trap_density"))
        found, exponent = np.full((2, age.size, 4), np.nan)
        first, d = self.first_density(density), self.dimension
        k = 2 * d * reactivity
        trapped = self.reaction == "traps"
        rate, so_far = meetings(age, d, 1.0 if trapped else 2.0, reactivity)
        if trapped:
            found[:, SMOLUCHOWSKI], exponent[:, SMOLUCHOWSKI] = first * np.exp(-traps * so_far), traps * rate * age
            found[:, MEAN_FIELD], exponent[:, MEAN_FIELD] = first * np.exp(-k * traps * age), k * traps * age
            exponent[:, LATE] = (math.pi**2 * traps**2 * age / 4) ** (1 / 3) - 0.5
        else:
            found[:, SMOLUCHOWSKI] = 1 / (1 / first + self.share * so_far)
            exponent[:, SMOLUCHOWSKI] = self.share * rate * age * found[:, SMOLUCHOWSKI]
            found[:, MEAN_FIELD] = 1 / (1 / first + 2 * self.share * k * age)
            exponent[:, MEAN_FIELD] = 2 * self.share * k * age * found[:, MEAN_FIELD]
            exponent[:, LATE] = d / 4 if self.reaction == "two_species" else min(1.0, d / 2)
            if d == 2 and self.reaction != "two_species":
                exponent[:, LATE] = 1 - 1 / np.log(np.where(age > 1, age, np.nan))
        late = self.late_density(points)
        found[:, LATE] = np.where(late < first, late, np.nan)
        certain = np.flatnonzero(reactivity == 1)
        if d == 1 and self.reaction != "two_species" and certain.size:
            if trapped:
                value, slope = first[certain] * np.array(trap_survival(age[certain], traps[certain]))
            else:
                value, slope = chain_density(age[certain], density[certain], self.reaction == "annihilation")
            found[certain, EXACT], exponent[certain, EXACT] = value, -age[certain] * slope / value
        found[~(found > GONE)] = np.nan
        exponent[np.isnan(found)] = np.nan
        return found, exponent

    def densities_in_time(self, times: Array) -> Array:
        """Density of every method at times, shape (n, 4), the other controls as they are."""
        return self.densities(columns(self, {"age": times}))[0]

    def solve(self, points: Points) -> core.Solution:
        found, exponent = self.densities(points)
        limited = self._diffusion_limited(points)
        mixed = np.zeros(found.shape, bool)
        mixed[:, MEAN_FIELD] = limited
        holes = mixed.copy()
        holes[:, SMOLUCHOWSKI] = limited
        two, trapped = self.reaction == "two_species", self.reaction == "traps"
        holes &= self.geometry == "line"
        fails = {
            "segregation": (mixed | (np.arange(4) == SMOLUCHOWSKI) & limited[:, None]) & two,
            "depletion": mixed,
            "refuges": holes & trapped,
            "correlated_holes": holes & (not trapped),
        }
        values = {"density": found, "exponent": exponent}
        return core.Solution(values, np.where(np.isnan(found), np.nan, 0.0), fails=fails)

    def _diffusion_limited(self, points: Points) -> Array:
        with np.errstate(invalid="ignore"):
            least = np.maximum(self.boundary("crossover", points), self.boundary("onset", points))
            return np.asarray(points["reactivity"] > least)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        started = points["reactivity"] > self.boundary("onset", points)
        return {
            "diffusion_limited": self._diffusion_limited(points),
            "reaction_limited": started,
            "beginning": ~started,
        }

    def boundary(self, name: str, points: Points) -> Array:
        """The reactivity at which it is crossed, at every age."""
        age, density, traps = (points[n] for n in ("age", "start_density", "trap_density"))
        d = self.dimension
        if self.reaction == "traps":
            if name == "onset":
                return 1 / (2 * d * traps * age)
            return 2 / np.sqrt(math.pi * age) if d == 1 else np.full_like(age, np.nan)
        if name == "onset":
            return 1 / (4 * d * self.share * self.first_density(density) * age)
        if d == 3 and self.reaction != "two_species":
            return np.full_like(age, np.nan)  # the exponent of the rate equation stays
        return 1 / (4 * d * self.share * age * self.late_density(points))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        rho, exponent, t = state["density"], state["exponent"], self.age
        k = 2 * self.dimension * self.reactivity
        first = float(self.first_density(np.array([self.start_density]))[0])
        if state["method"] == "mean_field":
            if self.reaction == "traps":
                return {"(1)": math.log(rho / first) + k * self.trap_density * t}
            return {"(1)": rho * (1 / first + 2 * self.share * k * t) - 1}
        if state["method"] == "smoluchowski":
            meeting = meeting_rate_again(t, self.dimension, 1.0 if self.reaction == "traps" else 2.0, self.reactivity)
            if self.reaction == "traps":
                return {"(3)": (exponent - self.trap_density * meeting * t) / (1 + exponent)}
            return {"(3)": exponent - self.share * meeting * rho * t}
        return {}

    def profiles(self) -> dict[str, core.Profile]:
        x = np.linspace(0.02, REACH, 120)
        values = np.full((4, x.size), np.nan)
        if self.applies(self.observable("pair_correlation")):
            values[MEAN_FIELD] = 1.0
            values[SMOLUCHOWSKI] = erf(x)
            values[EXACT] = 1 - np.exp(-2 * x * x) * (1 - math.sqrt(math.pi) * x * erfcx(x))
        return {"pair_correlation": core.Profile(x, values)}

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        if not self.applies(self.observable("pair_correlation")):
            raise core.NotOfferedError(self.title, "a law of gaps but for one species on the line")
        z = np.linspace(0, 6, 241)
        mixed = core.Law("gap", z, np.exp(-z), "walkers that are mixed at random", method="mean_field")
        if self.reaction == "annihilation":
            return (mixed,)
        ordered = 0.5 * math.pi * z * np.exp(-math.pi * z * z / 4)
        return (core.Law("gap", z, ordered, "late times, exactly", method="exact"), mixed)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """The exponent is that over the last factor of two in time, as a run measures it."""
        later = np.asarray(times, np.float64) > 0
        density, exponent = np.full((2, 4, later.size), np.nan)
        density[:, later] = self.densities_in_time(times[later]).T
        exponent[:, later] = np.log2(self.densities_in_time(times[later] / 2).T / density[:, later])
        density[:, ~later], exponent[:, ~later] = start["density"], 0.0
        return {"density": density, "exponent": exponent}

    def caveat(self) -> str:
        return "correlations that the theory ignores, or walkers that have gone all the way round the lattice"

    def footprint(self) -> int:
        walkers = 2 * self.start_density if self.reaction == "two_species" else 1.0
        return int(self.size * (8 + 20 * walkers)) + 200_000


def ratio(model: Annihilation, one: str, other: str) -> float:
    """Density by one method over that by another."""
    density = model.theory(profiles=False)["density"]
    return float(density.sel({"method": one}) / density.sel({"method": other}))
