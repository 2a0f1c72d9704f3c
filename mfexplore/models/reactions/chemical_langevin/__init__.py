r"""Chemical Langevin equation: when may the noise of reactions be Gaussian?

The reactions $r$ of a cell change its number $n$ of molecules by $\nu_r$, at the rates $a_r(n)$ (*propensities*). Four
descriptions, each coarser than the one before:

- the *master equation*, reaction by reaction (Gillespie's algorithm is its simulation);
- *counted leaps*: if no propensity changes much during $\tau$, every reaction fires a Poisson number of times,

$$n(t+\tau)=n(t)+\sum_r\nu_r\,\mathcal P\big(a_r\tau\big),\qquad\Big|\frac{\Delta a_r}{a_r}\Big|\ll1 \tag{1}$$

- *Langevin*: if moreover every reaction fires many times, Poisson numbers become Gaussian,

$$dx=\sum_r\nu_ra_r\,dt+\sum_r\nu_r\sqrt{a_r}\,dW_r,\qquad a_r\tau\gg1 \tag{2}$$

- *linear noise*: a Gaussian about a state of the rate equation $\dot x=f(x)$, of variance
$v=\sum_r\nu_r^2a_r/2|f'|$.

**Gillespie's two conditions** (1) and (2) leave a window for $\tau$, which is open only if molecules are many. On this
page a propensity may change by a tenth in a leap, at the rate at which the state relaxes, and every reaction must fire
ten times.

**Birth and death**, $\emptyset\to X$ at the rate $k$, $X\to\emptyset$ at the rate 1 each, $\lambda=k$:

$$\text{master equation: Poisson}(\lambda),\ \text{excess kurtosis}\ \frac1\lambda;\qquad
\text{linear noise: Gaussian}(\lambda,\lambda) \tag{3}$$

$$\text{Langevin}:\quad x+\lambda\sim\Gamma(4\lambda,\text{rate }2),\quad\text{skewness}\ \lambda^{-1/2},\quad
\text{excess kurtosis}\ \frac3{2\lambda},\quad P(x<0)>0 \tag{4}$$

so that mean, variance and skewness are true, and the fourth cumulant is the first to be wrong.
Leaps of the length $\tau$ have cumulants in closed form, too: with $q=1-\tau$

$$\kappa_2=\frac\lambda{1-\tau/2},\quad\kappa_3=\frac{3q\tau\kappa_2}{1-q^3},\quad
\kappa_4=\frac{3\tau^2\kappa_2+6q^2\tau\kappa_3\,[\,+2\lambda\tau-4\tau q\kappa_2]}{1-q^4} \tag{5}$$

with the bracket if they are counted.

**Schlögl's reactions** ($2X\to3X$, $3X\to2X$, $\emptyset\to X$, $X\to\emptyset$ with the rates 3, 1, $a_3$, $a_4$ in
the volume $\Omega$) have two states. With the rates $b$ up and $d$ down per volume, switching times grow as
$e^{\Omega\Delta}$ with the barriers

$$\Delta_{\rm master}=\int\ln\frac db\,dx,\qquad\Delta_{\rm Langevin}=\int\frac{2(d-b)}{d+b}\,dx,\qquad
\Delta_{\rm linear}=\frac{\Omega(x_t-x_l)^2}{2v} \tag{6}$$

from a state $x_l$ to the threshold $x_t$. The first two differ by less than a per cent here, the third by much. With
powers $x^2$, $x^3$ for the numbers of pairs and triples a Langevin equation is nonetheless off by a factor that no
volume cures; with the numbers as they are counted, $n(n-1)$, most of that factor is gone.

**Valid:** eqs. (3) to (5) exactly. The conditions are sufficient, not necessary: moments may be right without them,
laws far from the mean are not. Below $x=0$ a noise $\sqrt{a_r}$ has no meaning: here birth and death go on with the
noise $\sqrt{k+x}$, Schlögl's diffusion has a mirror at 0, and counted leaps stop there. Linear noise knows one state:
its switching time is twice that in which it reaches the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.birth_death import Schloegl
from mfexplore.families.fokker_planck import follow
from mfexplore.models.reactions.chemical_langevin import theory
from mfexplore.models.reactions.chemical_langevin.dynamics import Cells
from mfexplore.models.reactions.chemical_langevin.theory import (
    AUTOCATALYSIS,
    COUNTED,
    GAUSSIAN,
    LANGEVIN,
    LINEAR,
    MASTER,
    ROWS,
    chain,
    concentrations,
)

CHANGE, FIRINGS = 0.1, 10.0  # what Gillespie's "little" and "many" are here
ONE, TWO = ({"network": (name,)} for name in ("birth_death", "schloegl"))


@dataclass(frozen=True)
class ChemicalLangevin(core.Model):
    network: str = core.choice(
        "birth_death", {"birth_death": "birth and death", "schloegl": "Schlögl"}, doc="reactions: one state or two"
    )
    population: float = core.control(
        20.0, 0.5, 500.0, symbol=r"\lambda", unit="molecules", role="load", scale="log", step=0.5,
        doc="births in the lifetime of a molecule: the mean number", only=ONE,
    )  # fmt: skip
    leap: float = core.control(
        0.05, 0.001, 0.9, symbol=r"\tau", unit="time", role="rate", scale="log", quenched=True,
        doc="length of a leap, in lifetimes of a molecule or units of time",
    )  # fmt: skip
    volume: float = core.control(
        20.0, 5.0, 200.0, symbol=r"\Omega", role="load", scale="log", step=1.0, quenched=True,
        doc="volume of a cell; numbers grow with it", only=TWO,
    )  # fmt: skip
    feed: float = core.control(
        0.25, 0.05, 0.6, symbol="a_3", unit="1/time", role="load", step=0.005,
        doc="rate at which X comes in from outside", only=TWO,
    )  # fmt: skip
    decay: float = core.control(
        2.25, 1.8, 3.0, symbol="a_4", unit="1/time", role="rate", step=0.01, doc="rate at which an X vanishes", only=TWO
    )  # fmt: skip
    rates: str = core.choice(
        "powers", {"powers": "powers x²", "counts": "counts n(n-1)"}, doc="pairs and triples in the Langevin equation",
        only=TWO,
    )  # fmt: skip
    description: str = core.choice(
        "exact", {"exact": "every reaction", "tau_leap": "counted leaps", "gaussian_leap": "Langevin leaps"},
        part="simulation", doc="how cells are simulated",
    )  # fmt: skip
    size: int = core.control(
        2000, 50, 200_000, symbol="M", role="size", scale="log", part="simulation", doc="cells simulated"
    )
    start: str = core.choice(
        "low", ("low", "high"), role="start", part="simulation",
        doc="an empty cell or one with twice the mean; of two states, in which one",
    )  # fmt: skip

    title = "Chemical Langevin equation"
    summary = (
        "Reactions as jumps, as leaps, as Gaussian noise: which description holds where, and how each one switches."
    )
    tags = core.Tags("course", 20, ("critical fluctuations", "rare events"), ("master equations", "rate equations"))
    relations = (
        core.Relation(
            "coincides with", "moment_closure",
            "Schlögl's reactions, with jumps replaced by Gaussian noise here and the equations for moments cut off "
            "there.",
            here={"network": "schloegl"}, there={"network": "schloegl"},
        ),
    )  # fmt: skip
    sources = (
        core.Source("D. T. Gillespie, J. Chem. Phys. 113, 297 (2000)", doi="10.1063/1.481811"),
        core.Source("D. T. Gillespie, J. Chem. Phys. 115, 1716 (2001): leaps", doi="10.1063/1.1378322"),
        core.Source("The chemical Langevin equation: a path integral view of Gillespie's derivation"),
    )
    observables = (
        core.Observable("mean", "m", "mean number of molecules", unit="molecules", low=0),
        core.Observable("variance", "v", "variance of the number of molecules", low=0),
        core.Observable("skewness", r"\kappa_3/v^{3/2}", "third cumulant over the cube of the deviation", signed=True),
        core.Observable(
            "excess_kurtosis", r"\kappa_4/v^2", "fourth cumulant over the square of the variance", signed=True, only=ONE
        ),
        core.Observable("below_zero", "P(x<0)", "probability of less than nothing", low=0),
        core.Observable(
            "law_error", r"\epsilon", "largest error of relative variance, skewness and excess kurtosis", scale="log",
            only=ONE,
        ),
        core.Observable(
            "switching_time", r"T_\uparrow", "mean time from the low to the high state; infinite where there is one",
            unit="time", scale="log", low=1, high=1e9, only=TWO,
        ),
        core.Observable("return_time", r"T_\downarrow", "mean time back", unit="time", scale="log", only=TWO),
        core.Observable(
            "time_ratio", r"T_\uparrow/T_{\rm master}", "switching time over that of the master equation", scale="log",
            low=0.1, high=10, only=TWO,
        ),
        core.Observable(
            "barrier", r"\Delta_\uparrow", "barrier per volume, low state to threshold, eq. (6)", low=0, only=TWO
        ),
        core.Observable("barrier_back", r"\Delta_\downarrow", "barrier from the high state", low=0, only=TWO),
        core.Observable("distribution", "p", "law at rest, at whole numbers", low=0, over="molecules"),
    )  # fmt: skip
    coordinates = (core.Coordinate("molecules", "n", "molecules in a cell", discrete=True),)
    methods = (
        core.Method("gaussian_leap", "Gaussian numbers of firings in a leap, eq. (5); Schlögl's: in leaps that go to 0",
                    title="Langevin leaps", describes={"description": ("gaussian_leap", "exact")}),
        core.Method("langevin", "the same in continuous time, eq. (4)", title="Langevin"),
        core.Method("tau_leap", "Poisson numbers of firings in a leap, eq. (5)", title="counted leaps",
                    describes={"description": ("tau_leap",)}),
        core.Method("linear_noise", "Gaussian about the low state of the rate equation", title="linear noise"),
        core.Method("master_equation", "every reaction counts", title="master equation"),
    )  # fmt: skip
    phases = (
        core.Phase(
            "langevin", "Both conditions hold: leaps are short and full of firings. Noise may be Gaussian.",
            title="Langevin",
        ),
        core.Phase("counted_leaps", "Leaps are short, but reactions fire too seldom for Gaussians: count them."),
        core.Phase("too_long", "Reactions fire often in a leap, but their rates change meanwhile."),
        core.Phase("every_reaction", "Neither condition holds: only the master equation is left."),
    )  # fmt: skip
    landmarks = (
        core.Landmark("leap_condition", r"\Delta a/a=0.1", "to the right rates change during a leap", of="leap"),
        core.Landmark(
            "firing_condition", r"a\tau=10", "to the left the rarest reaction fires less than ten times", of="leap",
            continuous=False,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("leap", "population", "law_error", along="y", finest=129, only=ONE),
        core.Plane(
            "feed", "volume", "time_ratio", along="y", x_range=(0.15, 0.5), y_range=(5.0, 100.0), finest=33, only=TWO
        ),
        core.Plane("feed", "decay", "barrier", along="x", finest=65, only=TWO),
    )
    presets = (
        core.Preset(
            "leak", {"population": 2.0, "leap": 0.01, "description": "gaussian_leap", "start": "high"},
            "Two molecules are too few: one cell in twenty has less than none, however short the leaps.",
            (core.Promise(core.Value("below_zero", method="langevin"), 0.05, 0.002),),
            core.View(method="langevin", series="below_zero", picture="law", function="distribution"),
        ),
        core.Preset(
            "window", {"population": 400.0, "leap": 0.05, "description": "gaussian_leap"},
            "Every leap is short and full of firings: Langevin cells and the master equation cannot be told apart.",
            view=core.View(method="gaussian_leap", series="variance", picture="law"),
        ),
        core.Preset(
            "leaps too long", {"population": 100.0, "leap": 0.8, "description": "tau_leap"},
            "Many firings, but rates of the past: the mean is right and the variance by two thirds too large.",
            (core.Promise(core.Value("variance", method="tau_leap"), 166.7, 0.1),),
            core.View(method="tau_leap", series="variance", picture="law"),
        ),
        core.Preset(
            "switching", {"network": "schloegl", "volume": 10.0, "feed": 0.25},
            "Cells switch up within some 126 time units; linear noise, blind to the other state, waits far longer.",
            (core.Promise(core.Value("switching_time", method="master_equation"), 126.1, 0.1),),
            core.View(plane=("feed", "volume"), along="volume", colour="switching_time", method="master_equation",
                      series="switching_time", picture="single cells"),
        ),
        core.Preset(
            "powers switch too soon",
            {"network": "schloegl", "volume": 20.0, "description": "gaussian_leap", "leap": 0.01},
            "With powers the Langevin equation switches in half the true time, although its barrier is right within a "
            "per cent.",
            view=core.View(plane=("feed", "volume"), along="volume", colour="time_ratio", method="langevin",
                           series="switching_time", picture="single cells"),
        ),
        core.Preset(
            "counts set it right",
            {"network": "schloegl", "volume": 20.0, "rates": "counts", "description": "gaussian_leap", "leap": 0.01},
            "With pairs counted as n(n-1) the Langevin equation switches within a twentieth of the true time.",
            view=core.View(plane=("feed", "volume"), along="volume", colour="time_ratio", method="langevin",
                           series="switching_time", picture="single cells"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "Langevin cells below zero at 5 molecules", 0.0034543419758568078, 1e-12, "incomplete Gamma function",
            core.Value("below_zero", method="langevin"), {"population": 5.0},
        ),
        core.Reference(
            "Langevin switching time at volume 20", 287.79, 0.01, "Fokker-Planck quadrature, 600000 points",
            core.Value("switching_time", method="langevin"), {"network": "schloegl"},
        ),
        core.Reference(
            "barrier of the master equation", 0.13696775029451877, 1e-9, r"$\int\ln(d/b)\,dx$",
            core.Value("barrier", method="master_equation"), {"network": "schloegl"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Ten firings of every reaction in a leap, and rates that change by at most a tenth: how many molecules "
            "must there be in the mean?",
            {"population": 20.0, "leap": 0.1}, "population", lambda model: FIRINGS / CHANGE, 15.0,
            "At the longest leap allowed, a tenth of a lifetime, ten births need a hundred births in a lifetime: below "
            "that the window is closed.",
        ),
        core.Task(
            "Two molecules in the mean. What is the excess kurtosis of the Langevin equation? (That of the truth is "
            "one half.)",
            {"population": 2.0, "leap": 0.01}, "excess_kurtosis", core.Value("excess_kurtosis", method="langevin"),
            0.05,
            "Half as much again as in truth: the fourth cumulant is the first to be wrong.",
            view=core.View(method="langevin", colour="excess_kurtosis"),
        ),
    )  # fmt: skip
    simulation = Cells

    # -- the reactions ------------------------------------------------------------------------------------------------

    def coefficients(self) -> tuple[Array, Array]:
        """Rates up and down as polynomials in n."""
        if self.network == "birth_death":
            return np.array([self.population, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])
        return self.schloegl().coefficients()

    def schloegl(self) -> Schloegl:
        return Schloegl(AUTOCATALYSIS, 1.0, self.feed, self.decay, self.volume)

    @property
    def ends(self) -> tuple[float, float]:
        """Numbers of molecules in the two states; whole ones where molecules are counted. NaN where there is one."""
        low, threshold, high = concentrations(np.array([self.feed]), np.array([self.decay]))[0] * self.volume
        if np.isnan(threshold):
            return np.nan, np.nan
        return (low, high) if self.description == "gaussian_leap" else (round(low), round(high))

    @property
    def first_count(self) -> float:
        if self.network == "birth_death":
            return 0.0 if self.start == "low" else round(2 * self.population)
        roots = concentrations(np.array([self.feed]), np.array([self.decay]))[0] * self.volume
        first = float(roots[0 if self.start == "low" else 2])
        return first if self.description == "gaussian_leap" else round(first)

    # -- theory -------------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        n = points["leap"].size
        values = {o.name: np.full((n, 5), np.nan) for o in self.observables if o.over is None and self.applies(o)}
        if self.network == "birth_death":
            theory.birth_and_death(self, points, values)
        else:
            for some in np.array_split(np.arange(n), -(-n // ROWS)):
                part = {name: column[some] for name, column in points.items()}
                for name, columns in theory.schloegl(self, part).items():
                    values[name][some] = columns
        return core.Solution(values, np.where(np.isnan(values["mean"]), np.nan, 0.0))

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        short = points["leap"] <= self.boundary("leap_condition", points)
        often = points["leap"] >= self.boundary("firing_condition", points)
        return {
            "langevin": short & often, "counted_leaps": short & ~often, "too_long": ~short & often,
            "every_reaction": ~short & ~often,
        }  # fmt: skip

    def boundary(self, name: str, points: Points) -> Array:
        """Of birth and death at the mean; of Schloegl's reactions in the low state."""
        if self.network == "birth_death":
            return np.full(points["leap"].shape, CHANGE) if name == "leap_condition" else FIRINGS / points["population"]
        feed, decay = points["feed"], points["decay"]
        roots = concentrations(feed, decay)
        if name == "leap_condition":
            return np.asarray(CHANGE / theory.linear(feed, decay, roots)[0][:, 0])
        x = roots[:, 0]
        rarest = np.min([AUTOCATALYSIS * x**2, x**3, feed, decay * x], axis=0)
        return np.asarray(FIRINGS / (points["volume"] * rarest))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        method = state["method"]
        if self.network == "schloegl":
            return theory.balance(self, method, state)
        k, tau, q = self.population, self.leap, 1 - self.leap
        m, v = state["mean"], state["variance"]
        third, fourth = state["skewness"] * v**1.5, state["excess_kurtosis"] * v**2
        found = {"mean": 1 - m / k}
        if method == "master_equation":
            return found | {"(3)": max(abs(v / k - 1), abs(third / k - 1), abs(fourth / k - 1))}
        if method in ("langevin", "linear_noise"):
            gamma = method == "langevin"
            return found | {"(4)": max(abs(v / k - 1), abs(third / k - gamma), abs(fourth / k - 1.5 * gamma))}
        # Cumulants of n(t + tau) from those of n(t): what is drawn has the variance tau (k + n), and if counted the
        # third and fourth cumulants tau (k - n) and tau (k + n).
        counted = method == "tau_leap"
        found["second"] = v - q**2 * v - 2 * k * tau
        found["third"] = third - q**3 * third - 3 * q * tau * v
        fresh = 3 * tau**2 * v + 6 * q**2 * tau * third + counted * (2 * k * tau - 4 * q * tau * v)
        found["fourth"] = fourth - q**4 * fourth - fresh
        return {name: gap / max(1.0, k) for name, gap in found.items()}

    # -- laws and paths -----------------------------------------------------------------------------------------------

    def molecules(self) -> Array:
        """Whole numbers over which laws are drawn."""
        if self.network == "birth_death":
            width = 5 * np.sqrt(self.population) + 3
            return np.arange(min(-1, round(self.population - width)) if self.population < width else
                             round(self.population - width), round(self.population + width) + 1)  # fmt: skip
        return np.arange(-1, round(3.0 * self.volume + 4 * np.sqrt(self.volume)) + 6)

    def chain(self) -> tuple[Array, Array, Array]:
        return chain(self.volume, self.feed, self.decay, self.rates == "counts")

    def profiles(self) -> dict[str, core.Profile]:
        n = self.molecules().astype(np.float64)
        return {"distribution": core.Profile(n, np.stack([theory.law_of(self, method, n) for method in range(5)]))}

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        """Of the three descriptions that have one, at whole numbers where molecules are whole."""
        whole, n = self.description != "gaussian_leap", self.molecules().astype(np.float64)
        x = n if whole else np.linspace(n[0], n[-1], 401)
        words = {MASTER: "master equation", LANGEVIN: "Langevin", LINEAR: "linear noise"}
        return tuple(
            core.Law("mean", x, theory.law_of(self, method, x), word, discrete=whole, method=self.methods[method].name)
            for method, word in words.items()
        )

    def landscape(self) -> core.Landscape:
        """-ln p of the three descriptions."""
        n = self.molecules().astype(np.float64)
        n = n[n >= 0]
        with np.errstate(divide="ignore"):
            heights = [-np.log(theory.law_of(self, method, n)) for method in (MASTER, LANGEVIN, LINEAR)]
        heights = [np.where(height - np.nanmin(height) < 60, height - np.nanmin(height), np.nan) for height in heights]
        return core.Landscape(
            "mean", n, heights[0], title="-ln p", note="what has to be climbed to switch",
            rivals=(("Langevin", heights[1]), ("linear noise", heights[2])),
        )  # fmt: skip

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        first = start["mean"]
        mean, variance = np.full((2, 5, len(times)), np.nan)
        if self.network == "birth_death":
            k, decayed = self.population, np.exp(-times)
            mean[:] = k + (first - k) * decayed
            variance[:] = k * (1 - decayed) + first * decayed * (1 - decayed)
            variance[LINEAR] = k * (1 - decayed**2) + (first - k) * decayed * (1 - decayed)
            for method in (COUNTED, GAUSSIAN):
                kept, tau = (1 - self.leap) ** np.round(times / self.leap), self.leap
                mean[method] = k + (first - k) * kept
                # v' = q^2 v + tau (k + m), with m relaxing as q^t
                excess = (first - k) * (kept - kept**2) / (1 - self.leap)
                variance[method] = k / (1 - tau / 2) * (1 - kept**2) + excess
        else:
            n = np.arange(round(4 * self.volume) + 41)
            rates = self.schloegl().rates(len(n) - 1)
            middle, up, down = self.chain()
            for method, x, hop in ((MASTER, n, rates), (LANGEVIN, middle, (up, down))):
                mass = np.zeros(len(x))
                mass[int(np.argmin(np.abs(x - first)))] = 1.0
                laws = np.array(list(follow(mass, *hop, times, 0.1)))
                mean[method] = laws @ x
                variance[method] = laws @ x**2 - mean[method] ** 2
            theory = self.theory(method="linear_noise", profiles=False)
            mean[LINEAR], variance[LINEAR] = float(theory["mean"]), float(theory["variance"])
        return {"mean": mean, "variance": variance, "mean_deviation": np.sqrt(np.maximum(variance, 0.0) / self.size)}

    def caveat(self) -> str:
        if self.network == "schloegl":
            return "cells remember the state they started in for a switching time; linear noise knows one state only"
        return "each description has a law of its own, and long leaps one more"

    def footprint(self) -> int:
        return 150 * self.size + 100_000
