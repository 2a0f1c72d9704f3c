r"""Reaction front between two species that begin apart: how wide it is, how much reacts, where it goes.

Walkers $A$ fill the left half of a strip, $a_0$ per site, and walkers $B$ the right one, $b_0$ per site. All step to
each of their $2d$ neighbours at the rate $D=1$ ($d=1$: many lines side by side; $d=2$: one strip), and one that steps
onto sites of the other species reacts with each walker there with probability $p$: $A+B\to0$. With $K=4dp$, **mean
field** has

$$\dot a=a''-Kab,\qquad\dot b=b''-Kab \tag{1}$$

The difference $\psi=a-b$ knows nothing of the reaction and only diffuses, which fixes everything on the large scale:

$$\psi=\frac{a_0-b_0}2-\frac{a_0+b_0}2\,\mathrm{erf}\frac x{\sqrt{4t}},\qquad
x_f=\sqrt{4t}\;\mathrm{erf}^{-1}\frac{a_0-b_0}{a_0+b_0} \tag{2}$$

where $x_f$ is the zero of $\psi$: the front moves into the weaker species like $\sqrt t$, and stays if $a_0=b_0$.

**First**, as long as little has reacted, species mix freely: with densities $\frac{a_0}2\mathrm{erfc}\,(x/\sqrt{4t})$
and its mirror image the reactions per unit of time, per row, and the standard deviation of their places are

$$R=Ka_0b_0\sqrt{\frac{2t}\pi},\qquad W=\sqrt{\tfrac53t} \tag{3}$$

**Then** the front is fed by diffusion alone. It gets the flux $J=-\psi'(x_f)$ of either species,

$$R=J=\frac{a_0+b_0}2\,\frac{e^{-x_f^2/4t}}{\sqrt{\pi t}} \tag{4}$$

and within the front, which is narrow and follows at once, $a,b=Jw\,[s(z)\mp\frac z2]$ with $z=(x-x_f)/w$ and

$$s''=s^2-\frac{z^2}4,\qquad w=(KJ)^{-1/3}\sim t^{1/6} \tag{5}$$

(Gálfi and Rácz). The *global* rate $R\sim t^{-1/2}$ is spread over a front that widens, so that the *local* rate
$R/W\sim t^{-2/3}$; at its centre it is $0.297\,J/w$, and $W=1.379\,w$.

**Fluctuations** move the front where $d=1$: the border of $A$ and $B$ is where $\psi$, with its noise, is zero. Noise
is that of the start, which diffusion has averaged over $\sqrt t$, and that of all steps since, which is proportional to
the walkers that are left, $|\psi|$, and so to the distance from the front. For $a_0=b_0=\rho_0$, and down to the
distance between walkers at the front, $\ell^2=\sqrt{\pi t}/\rho_0$,

$$W^2\simeq\frac{\pi\sqrt t}{\rho_0}\Big[\frac1{\sqrt{8\pi}}+\frac1{\sqrt8\,\pi^{3/2}}\Big(\sqrt2\ln\frac t{\ell^2}
+\int_0^1\Big[\frac{\arctan q+\frac q{1+q^2}}{u^{3/2}}-\frac{\sqrt2}u\Big]du\Big)\Big],\quad
q^2=\frac u{2(1-u)} \tag{6}$$

so $W\sim t^{1/4}(\ln t)^{1/2}$, and sooner or later wider than (5) on any line. The reactions of one line spread over
about $\ell\sim t^{1/4}$ besides.

**Valid:** (5) for $t\gg1/Ka_0$ with many walkers in the front, so for small $p$ or many walkers per site; at $d=2$ with
logarithms. (6) to the leading logarithm, for what is meant by the distance at the front is not sharp:
runs are wider than it by a fifth to a third. All until the walls
at the ends are felt.

**Simulation:** as defined. Places of reactions are counted; width, place and rate are those of the last fifth of the
time, about the mean of shorter spells, so that a front that moves is not taken for a wide one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf, erfinv

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.reactions.ab_fronts.dynamics import FrontSimulation
from mfexplore.models.reactions.ab_fronts.theory import front, steps_noise

QUASI_STATIC, FREE, WANDERING = range(3)  # as in `methods`
LINE = {"geometry": ("line",)}


@dataclass(frozen=True)
class AbFronts(core.Model):
    age: float = core.control(
        1000.0, 1.0, 1e5, symbol="t", unit="step times", role="time", scale="log", doc="time since they began to mix"
    )
    reactivity: float = core.control(
        0.05, 0.001, 1.0, symbol="p", role="coupling", scale="log", doc="probability that a meeting ends in a reaction"
    )
    walkers: float = core.control(
        1.0, 0.2, 5.0, symbol="a_0", role="load", step=0.05, quenched=True, doc="walkers A per site of the left half"
    )
    density_ratio: float = core.control(
        1.0, 0.1, 1.0, symbol="b_0/a_0", role="field", scale="log", quenched=True,
        doc="walkers B per site of the right half, over those of A",
    )  # fmt: skip
    geometry: str = core.choice(
        "plane", {"line": "line, d = 1", "plane": "plane, d = 2"}, doc="many independent lines, or one strip"
    )
    length: int = core.control(400, 20, 8000, symbol="L", role="size", scale="log", doc="sites along the strip")
    rows: int = core.control(
        60, 8, 2000, symbol="M", role="size", scale="log", part="simulation", doc="lines, or sites across the strip"
    )

    title = "Reaction fronts"
    summary = "Two species that begin apart and annihilate: a front that widens as t^(1/6), or wanders as t^(1/4)."
    tags = core.Tags("course", 15, ("patterns", "critical fluctuations"), ("rate equations",))
    relations = (
        core.Relation(
            "builds on", "annihilation",
            "The same reaction of two species, which begin apart here and mixed there.",
            there={"reaction": "two_species"},
        ),
    )  # fmt: skip
    sources = (
        core.Source("L. Gálfi and Z. Rácz, Phys. Rev. A 38, 3151 (1988)", doi="10.1103/PhysRevA.38.3151"),
        core.Source("S. Cornell and M. Droz, Phys. Rev. Lett. 70, 3824 (1993)", doi="10.1103/PhysRevLett.70.3824"),
        core.Source(
            "G. T. Barkema, M. J. Howard and J. L. Cardy, Phys. Rev. E 53, R2017 (1996)",
            doi="10.1103/PhysRevE.53.R2017",
        ),
    )
    observables = (
        core.Observable("width", "W", "standard deviation of the places of reactions", unit="sites", scale="log"),
        core.Observable("position", "x_f", "mean place of reactions", unit="sites", signed=True),
        core.Observable("rate", "R", "reactions per unit of time and row: the global rate", scale="log"),
        core.Observable("local_rate", "R/W", "the same per site of the front", scale="log"),
        core.Observable(
            "reaction_profile", r"\hat R", "places of reactions, about their mean over their standard deviation",
            over="offset", low=0,
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("offset", "(x-x_f)/W", "place in the front, in units of its width"),)
    methods = (
        core.Method("quasi_static", "a narrow front fed by diffusion, eqs. (4) and (5)", title="quasi-static front"),
        core.Method("free_mixing", "little has reacted yet, eq. (3)", title="free mixing"),
        core.Method("wandering", "noise moves the front of a line, eq. (6)", title="wandering front"),
    )
    phases = (
        core.Phase("mixing", "The species still mix as if there were no reaction, which is slower than diffusion."),
        core.Phase("front", "The species are apart but for a narrow front, fed by diffusion from both sides."),
        core.Phase("wandering_front", "Noise moves the front about by more than it is wide."),
    )
    failures = (
        core.Failure("walls", "Diffusion has reached the ends of the strip."),
        core.Failure("depletion", "So much has reacted that the species no longer mix freely."),
        core.Failure("not_yet", "Reactions are still too slow to keep the species apart."),
        core.Failure(
            "wanders", "On a line the noise moves the front by more than it is wide: mean field is too narrow."
        ),
    )
    landmarks = (
        core.Landmark(
            "depletion_sets_in", "W_3=W_5", "mixing and front are equally wide", of="reactivity", continuous=False
        ),
        core.Landmark("wandering_sets_in", "W_5=W_6", "the front of a line is as wide as it wanders", of="reactivity",
                      continuous=False, only=LINE),
    )  # fmt: skip
    planes = (
        core.Plane("age", "reactivity", "width", along="x", finest=129),
        core.Plane("age", "density_ratio", "position", along="x", finest=129),
    )
    presets = (
        core.Preset(
            "front", {"reactivity": 0.05, "rows": 60},
            "Hardly any A crosses to the side of B: the front between them is narrow, and widens as the sixth root of "
            "time while ever less reacts.",
            view=core.View(series="width", picture="front", function="reaction_profile"),
        ),
        core.Preset(
            "slow reaction", {"reactivity": 0.001, "rows": 60, "age": 100.0},
            "Each meets many others before it reacts: the species mix as strangers do, and the width grows as the "
            "root of time until they have used each other up.",
            view=core.View(series="width", picture="front", function="reaction_profile"),
        ),
        core.Preset(
            "moving front", {"density_ratio": 0.25, "rows": 60},
            "A is stronger: the front moves into B, 38 sites in 1000 steps, and four times as far in 16 times as long.",
            (core.Promise(core.Value("position", method="quasi_static"), 38, 0.5),),
            core.View(plane=("age", "density_ratio"), series="position", picture="front"),
        ),
        core.Preset(
            "wandering", {"geometry": "line", "reactivity": 1.0, "length": 300, "rows": 200},
            "Every row is a line of its own, on which no A can pass a B; their borders are sharp but wander apart, and "
            "what looks like one wide front is many narrow ones.",
            view=core.View(series="width", picture="walkers", function="reaction_profile"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "$s(0)$ of the front", 0.54535410, 2e-8, "boundary-value problem by collocation",
            lambda model: float(front()[1][0]), {"age": 1000.0},
        ),
        core.Reference(
            "largest rate of the front, in units of $J/w$", 0.29741109, 2e-8, "boundary-value problem by collocation",
            lambda model: float(front()[1][0] ** 2), {"age": 1000.0},
        ),
        core.Reference(
            "standard deviation of the front, in units of $w$", 1.37931480, 1e-7,
            "boundary-value problem by collocation", lambda model: front()[2], {"age": 1000.0},
        ),
        core.Reference(
            "where the front is, half as many B", math.sqrt(4000) * 0.3045701941739856, 1e-9,
            r"$\sqrt{4t}\,\mathrm{erf}^{-1}\frac13$, Gálfi and Rácz (1988)",
            core.Value("position", method="quasi_static"), {"density_ratio": 0.5}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "In the plane the front has the standard deviation 7.2 when a thousand steps have passed. How wide is it "
            "after 64 times as long?",
            {"reactivity": 0.05, "age": 64_000.0, "length": 8000}, "width",
            core.Value("width", method="quasi_static"), 1.5,
            "The flux that feeds it has fallen to an eighth, and the width goes as its inverse cube root.",
        ),
        core.Task(
            "One B for every three A. In which place is the front after 400 steps?",
            {"density_ratio": 1 / 3, "age": 400.0}, "position", core.Value("position", method="quasi_static"), 2.0,
            "A - B does not know of the reaction: it only diffuses, and the front is where it is zero.",
            view=core.View(plane=("age", "density_ratio")),
        ),
    )  # fmt: skip
    simulation = FrontSimulation

    @property
    def dimension(self) -> int:
        return 1 if self.geometry == "line" else 2

    # -- theory ----------------------------------------------------------------------------------------------------

    def fronts(self, age: Array, reactivity: Array, walkers: Array, ratio: Array) -> dict[str, Array]:
        """Every observable by every method, shape (n, 3); arguments of shape (n,)."""
        k = 4 * self.dimension * reactivity
        place = np.sqrt(4 * age) * erfinv((1 - ratio) / (1 + ratio))
        flux = 0.5 * walkers * (1 + ratio) * np.exp(-(place**2) / (4 * age)) / np.sqrt(math.pi * age)
        width, position, rate = np.full((3, age.size, 3), np.nan)
        width[:, QUASI_STATIC] = front()[2] * (k * flux) ** (-1 / 3)
        position[:, QUASI_STATIC], rate[:, QUASI_STATIC] = place, flux
        width[:, FREE], position[:, FREE] = np.sqrt(5 * age / 3), 0.0
        rate[:, FREE] = k * walkers**2 * ratio * np.sqrt(2 * age / math.pi)
        if self.geometry == "line":
            far = np.log(np.maximum(walkers * np.sqrt(age / math.pi), 1.0))
            noise = 1 / math.sqrt(8 * math.pi) + (math.sqrt(2) * far + steps_noise()) / (math.sqrt(8) * math.pi**1.5)
            wide = np.sqrt(math.pi * np.sqrt(age) / walkers * noise)
            width[:, WANDERING] = np.where((ratio == 1) & (far > 0), wide, np.nan)
            position[:, WANDERING], rate[:, WANDERING] = place, flux
        return {"width": width, "position": position, "rate": rate, "local_rate": rate / width}

    def _fronts_at(self, points: Points) -> dict[str, Array]:
        return self.fronts(*(points[n] for n in ("age", "reactivity", "walkers", "density_ratio")))

    def _here(self, age: Array) -> dict[str, Array]:
        """Every observable at several ages, the other controls as they are."""
        n = np.ones(age.size)
        return self.fronts(age, self.reactivity * n, self.walkers * n, self.density_ratio * n)

    def solve(self, points: Points) -> core.Solution:
        values, age = self._fronts_at(points), points["age"]
        width = values["width"]
        late = width[:, QUASI_STATIC] < width[:, FREE]
        with np.errstate(invalid="ignore"):
            wanders = width[:, WANDERING] > width[:, QUASI_STATIC]
        method = np.arange(3)
        reach = np.sqrt(16 * age) + np.abs(values["position"][:, QUASI_STATIC])
        fails = {
            "walls": (reach > points["length"] / 2)[:, None],
            "depletion": late[:, None] & (method == FREE),
            "not_yet": ~late[:, None] & (method == QUASI_STATIC),
            "wanders": (late & wanders)[:, None] & (method == QUASI_STATIC),
        }
        residual = np.where(np.isnan(width), np.nan, 0.0)
        return core.Solution(values, residual, fails=fails)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        p = points["reactivity"]
        mixing = p < self.boundary("depletion_sets_in", points)
        with np.errstate(invalid="ignore"):
            wandering = p > self.boundary("wandering_sets_in", points)
        return {"mixing": mixing, "wandering_front": wandering, "front": ~mixing}

    def boundary(self, name: str, points: Points) -> Array:
        """The reactivity at which the width of eq. (5) is that of eq. (3), or of eq. (6)."""
        found = self._fronts_at(points)
        other = found["width"][:, FREE if name == "depletion_sets_in" else WANDERING]
        return (front()[2] / other) ** 3 / found["rate"][:, QUASI_STATIC] / (4 * self.dimension)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, k, a, b = self.age, 4 * self.dimension * self.reactivity, self.walkers, self.walkers * self.density_ratio
        if state["method"] == "free_mixing":
            x = np.sqrt(4 * t) * np.linspace(-6, 6, 1201)
            rate = k * a * b / 4 * (1 - erf(x / np.sqrt(4 * t)) ** 2)
            total = rate.sum() * (x[1] - x[0])
            spread = np.sqrt((rate * x * x).sum() * (x[1] - x[0]) / total)
            return {"(3)": state["rate"] / total - 1, "(3), width": state["width"] / spread - 1}

        def psi(x: float) -> float:
            return float((a - b) / 2 - (a + b) / 2 * erf(x / math.sqrt(4 * t)))

        place, step = state["position"], 1e-3 * math.sqrt(t)
        slope = (8 * (psi(place + step) - psi(place - step)) - psi(place + 2 * step) + psi(place - 2 * step)) / (
            12 * step
        )
        found = {"(2)": psi(place) / (a + b), "(4)": state["rate"] / -slope - 1}
        if state["method"] == "quasi_static":
            found["(5)"] = k * state["rate"] * (state["width"] / front()[2]) ** 3 - 1
        return found

    def profile(self, place: Array, time: float) -> tuple[Array, Array]:
        """Mean-field densities of A and B at a time, by place: of eq. (3) or, once it is narrower, of eq. (5) within
        eq. (2).
        """
        found = self._here(np.array([time]))
        a, b, x = self.walkers, self.walkers * self.density_ratio, place / math.sqrt(4 * time)
        if found["width"][0, FREE] < found["width"][0, QUASI_STATIC]:
            return a / 2 * (1 - erf(x)), b / 2 * (1 + erf(x))
        psi = (a - b) / 2 - (a + b) / 2 * erf(x)
        z, s, deviation = front()
        w, flux = found["width"][0, QUASI_STATIC] / deviation, found["rate"][0, QUASI_STATIC]
        apart = np.abs(place - found["position"][0, QUASI_STATIC]) / w
        mixed = flux * w * np.interp(apart, z, s - z / 2, right=0.0)
        return np.maximum(psi, 0) + mixed, np.maximum(-psi, 0) + mixed

    def profiles(self) -> dict[str, core.Profile]:
        offset = np.linspace(-4, 4, 161)
        z, s, deviation = front()
        shapes = np.full((3, offset.size), np.nan)
        shapes[QUASI_STATIC] = deviation * np.interp(deviation * np.abs(offset), z, s * s - z * z / 4, right=0.0)
        spread = math.sqrt(5 / 12)  # of free mixing, in units of the root of 4t
        shapes[FREE] = (1 - erf(spread * offset) ** 2) * spread * math.sqrt(math.pi / 8)
        if self.geometry == "line":
            shapes[WANDERING] = np.exp(-(offset**2) / 2) / math.sqrt(2 * math.pi)
        return {"reaction_profile": core.Profile(offset, shapes)}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        found = self._here(np.maximum(np.asarray(times, np.float64), 0.01))
        return {name: values.T for name, values in found.items()}

    def extent(self) -> str:
        what = "lines" if self.geometry == "line" else "rows"
        return f"of {self.rows:,} {what} with {self.length:,} sites each"

    def caveat(self) -> str:
        if self.reactivity > 0.2:
            return "walkers that have just missed each other meet again: they are not mixed at random even in the front"
        return "the front is not narrow yet, few have reacted lately, or the walls are near"

    def footprint(self) -> int:
        return int(self.length * self.rows * (6 + 10 * self.walkers * (1 + self.density_ratio))) + 100_000
