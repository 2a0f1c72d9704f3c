r"""Lotka-Volterra: predators and prey, whose cycles chance keeps alive.

Every site is empty or holds a prey or a predator. A predator dies at the rate $\mu$. It meets a random neighbour at the
rate $\lambda$ and, if that is prey, has it replaced by a second predator. Prey meets a random neighbour at the rate
$\sigma$ and fills it with offspring, if it is empty. With $a$ predators and $b$ prey per site **mean field** is

$$\dot a=\lambda ab-\mu a,\qquad\dot b=\sigma b(1-a-b)-\lambda ab \tag{1}$$

Without room to fill ($1-a-b\to1$) that is the textbook's, which cycles for ever, each start in its own way. Room for
one per site makes an end of that: predators die out for $\lambda<\mu$, and else all runs end in

$$b^*=\frac\mu\lambda,\qquad a^*=\frac{\sigma}{\lambda}\,\frac{1-\mu/\lambda}{1+\sigma/\lambda} \tag{2}$$

With the Jacobian $J$ of (1) there, $\Omega^2=\det J$, $\Gamma=-\mathrm{tr}J=\sigma\mu/\lambda$, its eigenvalues are

$$-\frac\Gamma2\pm\sqrt{\frac{\Gamma^2}4-\Omega^2},\qquad\Omega^2=\mu\sigma\Big(1-\frac\mu\lambda\Big) \tag{3}$$

a straight approach (*node*) up to $\lambda_s=\frac\mu2\big(1+\sqrt{1+\sigma/\mu}\big)$, a damped *spiral* beyond.

**Chance** does what mean field cannot: births and deaths are a noise with a flat spectrum, of which the spiral picks
out its own frequency. Of $N$ well-mixed individuals the density of predators has, to leading order, the spectrum

$$N\,S(\omega)=\frac{\alpha+\beta\omega^2}{(\omega^2-\Omega^2)^2+\Gamma^2\omega^2},\qquad
N\,\mathrm{var}\,a=\int\!\frac{d\omega}{2\pi}NS=\frac{\alpha/\Omega^2+\beta}{2\Gamma} \tag{4}$$

with $\beta=B_{11}=2\mu a^*$, $\alpha=J_{22}^2B_{11}-2J_{12}J_{22}B_{12}+J_{12}^2B_{22}$, $B_{12}=-\mu a^*$ and
$B_{22}=2\mu a^*$. The cycles never die, their phase is forgotten after $2/\Gamma$, and the smaller $\Gamma$, the more
the noise is amplified.

**In space** predators hunt prey in waves. Into a lattice full of prey they advance at the speed at which the tip of
their front runs ahead (four neighbours, of whom two are on the way),

$$c=\min_s\frac1s\Big[\lambda-\mu+\frac\lambda2(\cosh s-1)\Big] \tag{5}$$

**Valid:** (1) and (4) for well-mixed individuals, as $N\to\infty$; where cycles reach zero, predators die out by
chance. With neighbours as partners (*lattice*) nobody is well mixed: predators deplete their own neighbourhood, so
they need a larger $\lambda$ to survive (between 1.3 and 1.5 at $\mu=\sigma=\frac12$, instead of $\frac12$; the
transition is that of directed percolation), waves out of step average out, and fronts are slower than (5).

*Simulation:* as defined, partners being neighbours on a square lattice, or anybody. Without predators a run has ended.
Spectra are of pieces of at least 25 decay times of (3), so that peaks are no broader than they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.fronts import on_a_lattice
from mfexplore.models.reactions.lotka_volterra.dynamics import FREQUENCIES, PredatorSimulation
from mfexplore.numerics.later import solve_ivp

EXTINCT, COEXISTENCE = range(2)  # as in `branches`
MIXED, SPACE = {"mixing": ("well_mixed",)}, {"mixing": ("lattice",)}


@dataclass(frozen=True)
class LotkaVolterra(core.Model):
    predation: float = core.control(
        1.0, 0.2, 4.0, symbol=r"\lambda", role="coupling", step=0.01, doc="how often a predator meets somebody"
    )
    death: float = core.control(0.5, 0.1, 2.0, symbol=r"\mu", role="load", step=0.01, doc="rate at which predators die")
    birth: float = core.control(
        0.5, 0.1, 2.0, symbol=r"\sigma", role="coupling", step=0.01, doc="rate at which prey tries to have offspring"
    )
    size: int = core.control(2500, 100, 1_000_000, symbol="N", role="size", scale="log", doc="sites, a square of them")
    first_predators: float = core.control(
        0.1, 0.01, 0.5, symbol="a_0", role="start", part="simulation", doc="predators per site at the start"
    )
    first_prey: float = core.control(
        0.5, 0.01, 0.5, symbol="b_0", role="start", part="simulation", doc="prey per site at the start"
    )
    mixing: str = core.choice(
        "well_mixed", {"well_mixed": "anybody", "lattice": "neighbours on a lattice"}, doc="whom one meets"
    )
    start: str = core.choice(
        "mixture", {"mixture": "a mixture", "invasion": "predators invade prey"}, doc="how the lattice is at first",
        part="simulation", only=SPACE,
    )  # fmt: skip

    version = 2
    title = "Lotka-Volterra predators and prey"
    summary = "Mean field lets the cycles of predators and prey die away; chance keeps them alive, space makes waves."
    tags = core.Tags("course", 15, ("patterns", "critical fluctuations"), ("rate equations", "Monte Carlo"))
    sources = (
        core.Source(
            "U. C. Täuber, Fluctuations and correlations in chemical reaction kinetics and population dynamics (2018)"
        ),
        core.Source(
            "A. J. McKane and T. J. Newman, Phys. Rev. Lett. 94, 218102 (2005)", doi="10.1103/PhysRevLett.94.218102"
        ),
        core.Source(
            "M. Mobilia, I. T. Georgiev and U. C. Täuber, J. Stat. Phys. 128, 447 (2007)",
            doi="10.1007/s10955-006-9146-3",
        ),
    )  # fmt: skip
    observables = (
        core.Observable("predators", "a", "predators per site", low=0),
        core.Observable("prey", "b", "prey per site", low=0, high=1),
        core.Observable(
            "fluctuation", r"N\,\mathrm{var}\,a", "variance of the density of predators, times sites", low=0
        ),
        core.Observable("frequency", r"\omega", "angular frequency of the cycles: the peak of (4)", low=0),
        core.Observable("damping", r"-\mathrm{Re}\,\Lambda", "rate at which a deviation decays, eq. (3)", low=0),
        core.Observable("front_speed", "c", "speed of predators into prey, eq. (5)", low=0),
        core.Observable("spectrum", "NS", "spectrum of the density of predators, times sites", over="omega", low=0),
    )  # fmt: skip
    coordinates = (core.Coordinate("omega", r"\omega", "angular frequency", title="angular frequency"),)
    branches = (
        core.Branch("extinct", "prey alone, which fills everything"),
        core.Branch("coexistence", "predators live on prey, eq. (2)"),
    )
    phases = (
        core.Phase("extinct", "A predator dies before it has found prey: prey fills everything."),
        core.Phase("node", "Predators survive, and deviations die away without a cycle."),
        core.Phase("spiral", "Deviations die away in cycles, which chance starts ever anew."),
    )
    failures = (
        core.Failure(
            "cycles_reach_zero",
            "So few individuals cycle so wildly that predators are half their mean away from it: soon none is left.",
        ),
    )
    landmarks = (
        core.Landmark("survival", r"\lambda=\mu", "predators survive beyond", of="predation"),
        core.Landmark("spiralling", r"\lambda_s", "beyond, deviations cycle", of="predation", continuous=False),
    )
    planes = (
        core.Plane("predation", "death", "predators", along="x"),
        core.Plane("predation", "death", "front_speed", along="x"),
        core.Plane("predation", "birth", "frequency", along="x"),
    )
    presets = (
        core.Preset(
            "cycles out of noise", {"size": 2500},
            "Mean field (the band's middle) is at rest after a few turns; the run cycles for ever, at the frequency at "
            "which theory's spectrum peaks.",
            view=core.View(colour="predators", series="predators", function="spectrum", picture="cycle"),
        ),
        core.Preset(
            "straight approach", {"predation": 0.55, "size": 40_000, "first_predators": 0.02},
            "Just above the threshold nothing cycles: no peak in the spectrum, only slow wandering.",
            view=core.View(colour="predators", series="predators", function="spectrum", picture="cycle"),
        ),
        core.Preset(
            "waves", {"mixing": "lattice", "predation": 2.0, "size": 65_536},
            "Patches of prey grow, are found and eaten, and predators starve in the void behind: every region cycles, "
            "but out of step with the others, so that the whole hardly does.",
            view=core.View(colour="predators", series="predators", picture="sites"),
        ),
        core.Preset(
            "extinct on a lattice", {"mixing": "lattice", "predation": 1.0, "size": 10_000},
            "At twice the threshold of mean field predators are gone after a hundred time units or so: with neighbours "
            "as partners, they empty their own neighbourhood.",
            view=core.View(colour="predators", series="predators", picture="sites"),
        ),
        core.Preset(
            "invasion", {"mixing": "lattice", "predation": 4.0, "size": 40_000, "start": "invasion"},
            "From one line of predators (left edge) two rough fronts eat into the prey, at less than half the speed of "
            "eq. (5), which knows no single predators; behind them come the waves.",
            (core.Promise(core.Mean("front_speed", 30, 40), 1.9, 0.15),),
            core.View(series="front_speed", picture="sites", plane=("predation", "death"), colour="front_speed"),
        ),
        core.Preset(
            "predators extinct", {"predation": 0.4}, "A predator dies before it finds prey: all are soon gone.",
            view=core.View(colour="predators", series="predators", picture="cycle"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "predators at unit predation", 1 / 6, 1e-14, "eq. (2)", core.Value("predators", "coexistence")
        ),
        core.Reference(
            "variance of predators, times sites", 0.46296296296296, 1e-12, "Lyapunov equation",
            core.Value("fluctuation", "coexistence"),
        ),
        core.Reference(
            "speed of the invasion at predation 2", 1.89347943, 1e-8, "minimum of eq. (5)",
            core.Value("front_speed", "coexistence"), {"predation": 2.0, "mixing": "lattice"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Births and deaths have the rate 1/2. From which predation on do deviations die away in cycles?",
            {"predation": 0.55}, "predation", core.Crossing("spiralling", "predation"), 0.03,
            "Soon after the threshold at 1/2: damping by limited room wins over cycling only when predators are few.",
        ),
        core.Task(
            "Births, deaths: 1/2; predation: 4. Which angular frequency do the cycles have that noise starts?",
            {"predation": 4.0, "size": 100_000}, "frequency", core.Value("frequency", "coexistence"), 0.04,
            "Nearly the textbook's, the root of the product of both rates, less what limited room takes off.",
            view=core.View(function="spectrum", plane=("predation", "birth")),
        ),
    )  # fmt: skip
    simulation = PredatorSimulation

    @property
    def linear(self) -> int:
        """Sites along each side of the square that is simulated."""
        return max(10, round(math.sqrt(self.size)))

    @property
    def invades(self) -> bool:
        return self.mixing == "lattice" and self.start == "invasion"

    def realised(self) -> LotkaVolterra:
        return self.with_simulated(size=self.linear**2)

    # -- theory ----------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        hunt, die, breed = points["predation"], points["death"], points["birth"]
        lives = hunt > die
        hunts = np.where(lives, hunt, 2 * die)  # any number, where predators do not live
        predators, prey = breed / hunts * (1 - die / hunts) / (1 + breed / hunts), die / hunts
        friction, stiffness = breed * prey, die * breed * (1 - prey)
        root = np.sqrt((friction**2 / 4 - stiffness).astype(complex))
        alpha, beta = self._noise(hunts, die, breed)
        within = alpha**2 + beta * (beta * stiffness**2 + 2 * alpha * stiffness - alpha * friction**2)
        square = (np.sqrt(np.maximum(within, 0)) - alpha) / beta  # of the frequency where (4) is largest
        front = on_a_lattice(np.where(lives, hunt - die, 1.0), hunts / 4)
        with_predators = {
            "predators": predators,
            "prey": prey,
            "fluctuation": (alpha / stiffness + beta) / (2 * friction),
            "frequency": np.sqrt(np.maximum(square, 0)),
            "damping": friction / 2 - root.real,
            "front_speed": front.speed,
        }
        without = {name: np.zeros(hunt.size) for name in with_predators}
        without["prey"] += 1
        without["damping"] = np.abs(die - hunt)
        values = {name: np.stack([without[name], with_predators[name]], axis=1) for name in with_predators}
        gap = np.abs(hunts * prey - die) + np.abs(breed * (1 - predators - prey) - hunts * predators)
        residual = np.stack([np.zeros(hunt.size), np.where(lives, gap, np.nan)], axis=1)
        wild = with_predators["fluctuation"] / points["size"] > predators**2 / 4
        return core.Solution(
            values, residual, np.stack([~lives, lives], axis=1),
            fails={"cycles_reach_zero": self.on("coexistence", wild)},
        )  # fmt: skip

    @staticmethod
    def _noise(hunt: Array | float, die: Array | float, breed: Array | float) -> tuple[Any, Any]:
        """(alpha, beta) of eq. (4)."""
        prey = die / hunt
        predators = breed / hunt * (1 - prey) / (1 + breed / hunt)
        j12, j22, b = hunt * predators, -breed * prey, 2 * die * predators
        return j22**2 * b + 2 * j12 * j22 * b / 2 + j12**2 * b, b

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        lives = states.equilibrium["coexistence"]
        return {"extinct": ~lives, "node": points["predation"] < self.boundary("spiralling", points), "spiral": lives}

    def boundary(self, name: str, points: Points) -> Array:
        die = points["death"]
        if name == "survival":
            return die
        return np.asarray(die / 2 * (1 + np.sqrt(1 + points["birth"] / die)))

    def jacobian(self, predators: float, prey: float) -> Array:
        """Of eq. (1), for (predators, prey)."""
        hunt, die, breed = self.predation, self.death, self.birth
        return np.array([
            [hunt * prey - die, hunt * predators],
            [-(breed + hunt) * prey, breed * (1 - predators - 2 * prey) - hunt * predators],
        ])  # fmt: skip

    def diffusion(self, predators: float, prey: float) -> Array:
        """The noise of reactions, of N individuals times N."""
        hunted, dying = self.predation * predators * prey, self.death * predators
        born = self.birth * prey * (1 - predators - prey)
        return np.array([[hunted + dying, -hunted], [-hunted, hunted + born]])

    def _drift(self, predators: float, prey: float) -> tuple[float, float]:
        hunted = self.predation * predators * prey
        return hunted - self.death * predators, self.birth * prey * (1 - predators - prey) - hunted

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        a, b = state["predators"], state["prey"]
        found = {"(1), predators": self._drift(a, b)[0], "(1), prey": self._drift(a, b)[1]}
        if state["branch"] == "extinct":
            return found
        j, noise = self.jacobian(a, b), self.diffusion(a, b)
        found["(3)"] = state["damping"] + float(np.linalg.eigvals(j).real.max())
        whole = np.kron(j, np.eye(2)) + np.kron(np.eye(2), j)
        found["(4), variance"] = 1e-3 * (state["fluctuation"] / -np.linalg.solve(whole, noise.ravel())[0] - 1)

        def power(omega: float) -> float:
            respond = np.linalg.inv(1j * omega * np.eye(2) - j)
            return float((respond @ noise @ respond.conj().T)[0, 0].real)

        top = state["frequency"]
        found["(4), peak"] = max(0.0, max(power(top + d) for d in (-0.02, 0.02)) / power(top) - 1)
        s = np.linspace(1e-3, 8, 4001)
        speeds = (self.predation - self.death + self.predation / 2 * (np.cosh(s) - 1)) / s
        found["(5)"] = 1e-4 * (state["front_speed"] - speeds.min())
        return found

    def profiles(self) -> dict[str, core.Profile]:
        power = np.full((2, FREQUENCIES.size), np.nan)
        if self.predation > self.death:
            alpha, beta = self._noise(self.predation, self.death, self.birth)
            friction = self.birth * self.death / self.predation
            stiffness = self.death * self.birth * (1 - self.death / self.predation)
            square = FREQUENCIES**2
            power[COEXISTENCE] = (alpha + beta * square) / ((square - stiffness) ** 2 + friction**2 * square)
        return {"spectrum": core.Profile(FREQUENCIES, power)}

    def mean_field(self, start: Mapping[str, float], times: Array) -> Array:
        """(predators, prey, and N times their variances and covariance) on the way from a start without noise, eq. (1)
        and what its linear noise adds up to; shape (5, n).
        """

        def rates(_: float, y: Array) -> list[float]:
            a, b = float(y[0]), float(y[1])
            (j11, j12), (j21, j22) = self.jacobian(a, b).tolist()
            noise = self.diffusion(a, b)
            va, vb, cov = y[2:].tolist()
            return [
                *self._drift(a, b), 2 * (j11 * va + j12 * cov) + noise[0, 0], 2 * (j21 * cov + j22 * vb) + noise[1, 1],
                j21 * va + j12 * vb + (j11 + j22) * cov + noise[0, 1],
            ]  # fmt: skip

        first = [start["predators"], start["prey"], 0.0, 0.0, 0.0]
        span = (0.0, max(float(times[-1]), 1e-9))
        return np.asarray(solve_ivp(rates, span, first, t_eval=times, rtol=1e-6, atol=1e-9).y)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        a, b, va, vb, _ = self.mean_field(start, times)
        return {
            "predators": a, "predators_deviation": np.sqrt(np.maximum(va, 0) / self.size),
            "prey": b, "prey_deviation": np.sqrt(np.maximum(vb, 0) / self.size),
        }  # fmt: skip

    def caveat(self) -> str:
        if self.mixing == "lattice":
            return "mean field knows no neighbours: predators deplete their own, and waves out of step average out"
        return "theory is for many individuals, and close to the threshold the start is forgotten slowly"

    def footprint(self) -> int:
        return 4 * self.size + 1_000_000
