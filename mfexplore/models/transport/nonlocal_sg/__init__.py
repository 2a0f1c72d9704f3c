r"""Nonlocal cross-diffusion: populations that repel or attract at a distance, and a scheme that keeps what is kept.

Two populations with the densities $u_1,u_2$ live on a ring of length 1, each with the mean density 1. They diffuse, and
drift down potentials that both of them make:

$$\partial_tu_i=\partial_x\big(\sigma\,\partial_xu_i+u_i\,\partial_xp_i\big),\qquad
p_i=\sum_ja_{ij}\,B*u_j+V(x) \tag{1}$$

$a_{11}=a_{22}=a$ is the repulsion ($a>0$) within a population, $a_{12}=b$ that between them; $a_{21}=b$ as well
(*mutual*) or $-b$ (one *chases* the other). $B$ is a top hat: everybody within the reach $R$ counts alike. $V$, if
anything, is a rough potential. A small wave with $n$ periods grows at the rate

$$\lambda_n=-(2\pi n)^2(\sigma+c\,\hat B_n),\qquad\hat B_n=\frac{\sin2\pi nR}{2\pi nR} \tag{2}$$

with $c=a+b$ if both populations have their peaks together, $c=a-b$ if apart ($c=a\pm ib$ for the chase: a wave that
travels). $\hat B_n$ is negative for some $n$, so that even repulsion can build *clusters*: who stands in the middle of
a crowd is pushed less than who stands between two. As long as $a_{ij}$ is symmetric, the free energy

$$F=\sigma\sum_i\int u_i\ln u_i+\tfrac12\sum_{ij}a_{ij}\iint u_i(x)B(x-y)u_j(y)+\sum_i\int u_iV \tag{3}$$

falls (Boltzmann's entropy and Rao's), masses are kept, and densities stay positive. Patterns at rest are
$u_i\propto e^{-p_i/\sigma}$.

A *scheme* should do the same. With $s$ the step of $p/\sigma$ from a cell to the next, $h$ its width, the flux
between them is

$$J=\frac\sigma h\big[\beta(s)\,u_j-\beta(-s)\,u_{j+1}\big],\qquad\beta(s)=\begin{cases}
s/(e^s-1)&\text{Scharfetter-Gummel}\\1+\max(-s,0)&\text{upwind}\\1-s/2&\text{centred}\end{cases} \tag{4}$$

Time goes in implicit Euler steps, $u^{n+1}-u^n=-\Delta t\,\partial J(u^{n+1})$. All three keep the mass. If
$\beta\ge0$ the matrix of a step is an M-matrix, and densities stay positive for any $\Delta t$; *centred* fluxes break
this where a potential changes by more than $2\sigma$ from cell to cell. *Upwind* fluxes are positive but add the
diffusion $h|\partial_xp|/2$. Only with Scharfetter and Gummel's is $J=0$ at $u\propto e^{-p/\sigma}$: patterns at rest
obey the same law as without cells, and each flux has the sign that lets $F$ fall.

**Valid:** for infinitely many individuals; the *particles* that make the density move by
$dx=-\partial_xp\,dt+\sqrt{2\sigma}\,dW$. The pattern of theory is what the fastest mode becomes. It need not last:
patterns merge later, and where several modes grow, chance decides. In a rough potential nothing is homogeneous, and the
theory, which knows of no roughness, fails. That $F$ falls in every step, however long, is proved for positive definite
$a_{ij}B$, which the top hat is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.transport.nonlocal_sg import patterns
from mfexplore.models.transport.nonlocal_sg.patterns import APART, MODES, TOGETHER
from mfexplore.models.transport.nonlocal_sg.schemes import Ring
from mfexplore.numerics.matrices.blas import one_blas_thread

HOMOGENEOUS, PATTERNED = 0, 1
MUTUAL, CHASE = {"response": ("mutual",)}, {"response": ("chase",)}
PLACE = np.linspace(0.0, 1.0, 241)


def least(model: NonlocalSG, observable: str) -> float:
    """The least value that a run meets in half a unit of time."""
    run = model.simulate(seed=1)
    run.advance(0.5)
    return float(run.series()[1][observable].min())


def rise(model: NonlocalSG, start: float, end: float) -> float:
    """By how much the free energy of a run rises between two times."""
    run = model.simulate(seed=1)
    run.advance(end)
    times, series = run.series()
    energy = series["free_energy"]
    return float(energy[-1] - energy[np.searchsorted(times, start)])


@dataclass(frozen=True)
class NonlocalSG(core.Model):
    noise: float = core.control(
        0.3, 0.1, 1.5, symbol=r"\sigma", role="temperature", step=0.005, doc="diffusion of both populations"
    )
    self_interaction: float = core.control(
        1.0,
        -2.0,
        3.0,
        symbol="a",
        role="coupling",
        step=0.01,
        doc="repulsion within a population (negative: attraction)",
    )
    cross_interaction: float = core.control(
        1.0, -3.0, 3.0, symbol="b", role="coupling", step=0.01, doc="repulsion between them (negative: attraction)"
    )
    reach: float = core.control(
        0.2, 0.05, 0.5, symbol="R", unit="ring", role="coupling", step=0.005, only={"kernel": ("top_hat",)},
        doc="distance over which others are felt",
    )  # fmt: skip
    response: str = core.choice(
        "mutual", ("mutual", "chase"), doc="the second population answers as the first does, or the other way round"
    )
    kernel: str = core.choice(
        "top_hat", {"top_hat": "top hat", "cosine": "cosine"},
        doc="all within reach count alike, or by the cosine of their distance, as oscillators do",
    )  # fmt: skip
    roughness: float = core.control(
        0.0, 0.0, 1.0, symbol=r"V_0", role="disorder", step=0.01, part="simulation",
        doc="strength of a random potential of six waves that both populations feel",
    )  # fmt: skip
    scheme: str = core.choice(
        "scharfetter_gummel",
        {name: name for name in ("scharfetter_gummel", "upwind", "centred", "particles")}
        | {"scharfetter_gummel": "Scharfetter-Gummel"},
        part="simulation",
        doc="how eq. (1) is solved, or particles in its place",
    )  # fmt: skip
    cells: int = core.control(
        128, 16, 512, symbol="M", role="size", scale="log", part="simulation", doc="cells of the ring"
    )
    time_step: float = core.control(
        0.002, 0.0001, 0.1, symbol=r"\Delta t", role="setting", scale="log", part="simulation", quenched=True,
        doc="duration of an implicit step (particles take shorter ones)",
    )  # fmt: skip
    particles: int = core.control(
        20_000, 500, 500_000, symbol="N", role="size", scale="log", part="simulation",
        only={"scheme": ("particles",)}, doc="particles of each population",
    )  # fmt: skip
    start: str = core.choice(
        "mixed", ("mixed", "blocks"), role="start", part="simulation",
        doc="nearly homogeneous, or the first population on the left half and the second on the right",
    )  # fmt: skip

    title = "Nonlocal cross-diffusion"
    summary = "Populations that feel each other at a distance cluster or part; a good scheme keeps their entropy."
    tags = core.Tags("research", 20, ("patterns",), ("rate equations", "self-consistency"))
    sources = (
        core.Source("A generalized Scharfetter-Gummel scheme for nonlocal cross-diffusion systems (2025)"),
        core.Source(
            "D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16, 64 (1969)", doi="10.1109/T-ED.1969.16566"
        ),
        core.Source("L. Chayes, V. Panferov, J. Stat. Phys. 138, 351 (2010)", doi="10.1007/s10955-009-9913-z"),
    )
    observables = (
        core.Observable(
            "growth_rate", r"\lambda", "growth of the fastest mode of the homogeneous state, eq. (2)", signed=True,
            low=-200, high=200,
        ),
        core.Observable("amplitude", "|u_n|", "largest harmonic of the first density", low=0, high=1),
        core.Observable(
            "overlap", "r_{12}", "correlation of the two densities: 1 together, -1 apart", low=-1, high=1, signed=True
        ),
        core.Observable("min_density", r"\min u", "least density", title="least density"),
        core.Observable("free_energy", "F", "free energy, eq. (3)", only=MUTUAL),
        core.Observable("mode", "n", "periods of the fastest mode", low=0, title="fastest mode"),
        core.Observable("speed", "v", "speed of the fastest mode", only=CHASE, low=0),
        core.Observable("first_density", "u_1", "density of the first population", over="place"),
        core.Observable("second_density", "u_2", "density of the second population", over="place"),
        core.Observable(
            "spectrum", r"\lambda_n/k_n^2", "growth rate of each mode over its squared wave number", over="periods",
            title="growth of modes", signed=True,
        ),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("place", "x", "place on the ring, the peak of the first population at 0"),
        core.Coordinate("periods", "n", "periods of a mode", discrete=True),
    )
    branches = (
        core.Branch("homogeneous", "both densities are 1 everywhere"),
        core.Branch("patterned", "what the fastest mode becomes, at rest"),
    )
    phases = (
        core.Phase("mixed", "Diffusion wins: every wave decays."),
        core.Phase("segregated", "The populations avoid each other: each has a part of the ring."),
        core.Phase("clusters", "Everybody repels everybody, and yet both populations gather in the same heaps."),
        core.Phase("interleaved", "Each population clusters, with its heaps between those of the other."),
        core.Phase("aggregated", "Attraction gathers both populations in one heap."),
        core.Phase("travelling", "One population runs, the other chases it: waves travel, and nothing comes to rest."),
    )
    failures = (
        core.Failure(
            "several_modes",
            "Another mode grows at least half as fast: chance decides which pattern comes first, and others with "
            "less free energy may come later.",
        ),
    )
    landmarks = (
        core.Landmark(
            "segregation", r"\sigma_{\rm part}", r"they part, $(a-b)\hat B_1=-\sigma$", of="noise", only=MUTUAL
        ),
        core.Landmark(
            "clustering", r"\sigma_{\rm heaps}", r"repulsion makes heaps of both, $(a+b)\hat B_n=-\sigma$", of="noise",
            only=MUTUAL,
        ),
        core.Landmark(
            "aggregation", r"\sigma_{\rm one}", r"attraction makes one heap, $(a+b)\hat B_1=-\sigma$", of="noise",
            only=MUTUAL,
        ),
        core.Landmark(
            "interleaving", r"\sigma_{\rm turns}", r"heaps of both in turns, $(a-b)\hat B_n=-\sigma$", of="noise",
            only=MUTUAL,
        ),
        core.Landmark("chase", r"\sigma_{\rm run}", r"waves travel below, $a\hat B_n=-\sigma$", of="noise", only=CHASE),
    )  # fmt: skip
    planes = (
        core.Plane("noise", "cross_interaction", "growth_rate", x_range=(0.1, 1.0), finest=65),
        core.Plane("noise", "self_interaction", "growth_rate", x_range=(0.1, 1.0), finest=65),
        core.Plane("reach", "cross_interaction", "growth_rate", finest=65, only={"kernel": ("top_hat",)}),
    )
    presets = (
        core.Preset(
            "clusters", {},
            "Everybody repels everybody, and within a tenth of a unit of time four heaps stand there, of both alike.",
            (core.Promise(core.Value("mode"), 4, 0),
             core.Promise(core.Mean("overlap", 0.3, 0.4), 1.0, 0.01, {"cells": 48, "time_step": 0.005})),
            core.View(function="first_density", series="overlap", picture="densities"),
        ),
        core.Preset(
            "segregation", {"self_interaction": 0.2, "cross_interaction": 0.9},
            "They avoid each other more than themselves: two halves, and a free energy that only falls.",
            (core.Promise(core.Mean("overlap", 0.8, 0.9), -0.81, 0.02, {"cells": 48, "time_step": 0.005}),),
            core.View(series="free_energy", picture="densities", function="second_density"),
        ),
        core.Preset(
            "first together, then apart", {"self_interaction": 0.0, "cross_interaction": 2.0},
            "Heaps of both grow fastest; then they see that parting is cheaper, and the free energy falls once more.",
            (core.Promise(core.Mean("overlap", 0.9, 1.0), -0.52, 0.05, {"cells": 48, "time_step": 0.005}),),
            core.View(series="overlap", picture="history", function="spectrum"),
        ),
        core.Preset(
            "a good scheme", {"noise": 0.1, "cross_interaction": 2.0, "cells": 32, "start": "blocks"},
            "Sharp edges, little noise, coarse cells: no density is negative, and the free energy falls in every step.",
            (core.Promise(lambda model: least(model, "min_density"), 0.0, 1e-6),),
            core.View(series="free_energy", picture="densities"),
        ),
        core.Preset(
            "an upwind scheme",
            {"noise": 0.1, "cross_interaction": 2.0, "cells": 32, "start": "blocks", "scheme": "upwind"},
            "The same with upwind fluxes: nothing is negative, but heaps are washed out, and after 0.2 units of time "
            "the free energy rises.",
            (core.Promise(lambda model: rise(model.replace(time_step=0.005), 0.25, 0.5) > 1e-3, 1.0, 0.0),),
            core.View(series="free_energy", picture="densities"),
        ),
        core.Preset(
            "a centred scheme", {"noise": 0.2, "cells": 32, "scheme": "centred"},
            "Between growing heaps centred fluxes take away more than there is: densities fall below zero, there is no "
            "entropy, and soon no next step.",
            (core.Promise(lambda model: least(model, "min_density") < -0.5, 1.0, 0.0),),
            core.View(series="min_density", picture="densities"),
        ),
        core.Preset(
            "particles", {"scheme": "particles", "particles": 2000},
            "Two thousand particles of each kind make the same four heaps, noisily, without an equation for densities.",
            view=core.View(series="amplitude", picture="densities", function="first_density"),
        ),
        core.Preset(
            "a chase", {"response": "chase", "self_interaction": -1.0, "cross_interaction": 2.0},
            "The first population gathers and flees, the second runs after it: the heaps travel around the ring.",
            view=core.View(picture="history", series="overlap"),
        ),
        core.Preset(
            "a rough potential", {"roughness": 0.6, "noise": 0.25},
            "A random potential holds the heaps where it likes them, unequal in height; theory knows nothing of it.",
            view=core.View(picture="densities", function="first_density", series="amplitude"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "order of one population with a cosine kernel at noise 0.4", 0.5897079877827436, 1e-12,
            "$m=I_1(m/\\sigma)/I_0(m/\\sigma)$", core.Value("amplitude", "patterned"),
            {"kernel": "cosine", "self_interaction": -1.0, "cross_interaction": 0.0, "noise": 0.4},
        ),
        core.Reference(
            "the same at noise 0.3", 0.7731296253702918, 1e-12, "$m=I_1(m/\\sigma)/I_0(m/\\sigma)$",
            core.Value("amplitude", "patterned"),
            {"kernel": "cosine", "self_interaction": -1.0, "cross_interaction": 0.0, "noise": 0.3},
        ),
        core.Reference(
            "cross repulsion at which they part", 1.3963919, 1e-6, "$b=a+\\sigma/\\hat B_1$",
            core.Crossing("segregation", "cross_interaction"), {"noise": 0.3},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Both populations repel themselves with $a=1$ at the noise 0.3. Raise the repulsion between them from 0: "
            "at which is the mixture lost?",
            {"cross_interaction": 0.0}, "cross_interaction", core.Crossing("clustering", "cross_interaction"), 0.04,
            "Not where they part, for which b must pass a, but where heaps of both form: a top hat has negative "
            "Fourier coefficients, here that of four periods.",
            view=core.View(function="spectrum"),
        ),
        core.Task(
            "Attraction $a=-1$ with the cosine kernel, $b=0$: below which noise does a heap form?",
            {"kernel": "cosine", "self_interaction": -1.0, "cross_interaction": 0.0, "noise": 0.7}, "noise",
            core.Crossing("aggregation", "noise"), 0.03,
            "Half of the attraction, as for identical oscillators with noise.",
        ),
    )  # fmt: skip
    simulation = Ring

    def couplings(self, points: Points) -> Array:
        """Couplings of the two kinds of pattern, shape (n, 2)."""
        a, b = points["self_interaction"], points["cross_interaction"]
        return np.stack([a + b, a - b] if self.response == "mutual" else [a, a], axis=1)

    def solve(self, points: Points) -> core.Solution:
        noise, reach, couplings = points["noise"], points["reach"], self.couplings(points)
        found = patterns.fastest(noise, couplings, self.kernel, reach)
        shape = (noise.size, 2)
        values = {name: np.zeros(shape) for name in ("amplitude", "overlap", "min_density", "free_energy")}
        values["min_density"][:, HOMOGENEOUS] = 1.0
        even = couplings[:, TOGETHER] if self.kernel == "top_hat" else 0 * noise
        values["free_energy"][:, HOMOGENEOUS] = even
        residual = np.full(shape, np.nan)
        residual[:, HOMOGENEOUS] = 0.0
        rows = np.flatnonzero(found.rate > 0) if self.response == "mutual" else np.zeros(0, int)
        if rows.size:
            chosen = patterns.Fastest(*(column[rows] for column in found))
            strengths = patterns.strengths(chosen, couplings[rows], self.kernel, reach[rows])
            with one_blas_thread():
                state = patterns.pattern(noise[rows], strengths)
            k = np.arange(1, patterns.HARMONICS + 1)
            square = state.moments**2
            parity = np.where(chosen.kind == APART, (square * (-1.0) ** k).sum(axis=1) / square.sum(axis=1), 1.0)
            values["amplitude"][rows, PATTERNED] = np.abs(state.moments).max(axis=1)
            values["overlap"][rows, PATTERNED] = parity
            values["min_density"][rows, PATTERNED] = state.density.min(axis=1)
            values["free_energy"][rows, PATTERNED] = even[rows] + state.free_energy
            residual[rows, PATTERNED] = state.residual
        stable = np.stack([found.rate <= 0, found.rate > 0], axis=1)
        speed = 2 * np.pi * found.mode * points["cross_interaction"]
        speed = np.abs(speed * patterns.transform(self.kernel, reach, found.mode))
        for name, column in (("growth_rate", found.rate), ("mode", found.mode.astype(float)), ("speed", speed)):
            values[name] = np.stack([column, column], axis=1)
        absent = "speed" if self.response == "mutual" else "free_energy"
        values[absent] = np.full(shape, np.nan)
        fails = {"several_modes": self.on("patterned", (found.second > 0.5 * found.rate) & (found.rate > 0))}
        return core.Solution(values, residual, stable, fails=fails)

    @property
    def _here(self) -> dict[str, Array]:
        return {name: np.array([float(getattr(self, name))]) for name in self.axis_names()}

    @property
    def fastest_mode(self) -> int:
        """Periods of the mode that grows fastest."""
        here = self._here
        return int(patterns.fastest(here["noise"], self.couplings(here), self.kernel, here["reach"]).mode[0])

    @property
    def interactions(self) -> Array:
        """a_ij."""
        a, b = self.self_interaction, self.cross_interaction
        return np.array([[a, b], [b if self.response == "mutual" else -b, a]])

    def density(self) -> tuple[Array, Array, int, int]:
        """One period of both densities in the pattern, how often it repeats, and its kind; even where there is none."""
        here, even = self._here, np.ones(patterns.PLACES)
        couplings = self.couplings(here)
        found = patterns.fastest(here["noise"], couplings, self.kernel, here["reach"])
        mode, kind = int(found.mode[0]), int(found.kind[0])
        if found.rate[0] <= 0 or self.response == "chase":
            return even, even, mode, kind
        strengths = patterns.strengths(found, couplings, self.kernel, here["reach"])
        first = patterns.pattern(here["noise"], strengths).density[0]
        return first, np.roll(first, patterns.PLACES // 2) if kind == APART else first, mode, kind

    def profiles(self) -> dict[str, core.Profile]:
        first, second, mode, _ = self.density()
        y = np.arange(patterns.PLACES + 1) / patterns.PLACES
        drawn = [np.interp(mode * PLACE % 1.0, y, np.append(u, u[0])) for u in (first, second)]
        here = self._here
        rates = patterns.growth(here["noise"], self.couplings(here), self.kernel, here["reach"])[0].max(axis=0)
        rates /= (2 * np.pi * MODES) ** 2
        even = np.ones(PLACE.size)
        return {
            "first_density": core.Profile(PLACE, np.stack([even, drawn[0]])),
            "second_density": core.Profile(PLACE, np.stack([even, drawn[1]])),
            "spectrum": core.Profile(MODES, np.stack([rates, np.full(MODES.size, np.nan)])),
        }

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        a, b, noise = self.self_interaction, self.cross_interaction, self.noise

        def weight(n: int) -> float:
            x = 2 * math.pi * n * self.reach
            return math.sin(x) / x if self.kernel == "top_hat" else 0.5 * (n == 1)

        kinds = (a + b, a - b) if self.response == "mutual" else (a,)
        rates = [-((2 * math.pi * n) ** 2) * (noise + c * weight(int(n))) for n in MODES for c in kinds]
        found = {"(2)": (state["growth_rate"] - max(rates)) / (1 + abs(max(rates)))}
        if state["branch"] == "patterned":
            first, second, mode, _ = self.density()
            u = np.stack([np.tile(first, mode), np.tile(second, mode)])  # the whole ring
            waves = np.arange(u.shape[1] // 2 + 1)
            hat = np.array([1.0 if self.kernel == "top_hat" else 0.0] + [weight(int(n)) for n in waves[1:]])
            p = self.interactions @ np.fft.irfft(np.fft.rfft(u, axis=1) * hat, u.shape[1], axis=1)
            rest = np.exp(-(p - p.min()) / noise)
            gap = np.abs(np.fft.rfft(u - rest / rest.mean(axis=1, keepdims=True), axis=1)) / u.shape[1]
            found["at rest"] = float(gap[:, : 8 * mode + 1].max())  # theory keeps finitely many harmonics
            found["amplitude"] = float(np.abs(np.fft.rfft(u[0])[mode]) / u.shape[1] - state["amplitude"])
            energy = noise * (u * np.log(np.maximum(u, 1e-300))).sum() + 0.5 * (u * p).sum()
            found["(3)"] = float(state["free_energy"] - energy / u.shape[1])
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        found = patterns.fastest(points["noise"], self.couplings(points), self.kernel, points["reach"])
        grows, apart, repels = found.rate > 0, found.kind == APART, found.coupling > 0
        return {
            "mixed": ~grows,
            "travelling": grows & (self.response == "chase"),
            "segregated": apart & ~repels,
            "interleaved": apart,
            "clusters": repels,
            "aggregated": grows,
        }

    def boundary(self, name: str, points: Points) -> Array:
        weights = patterns.transform(self.kernel, points["reach"][:, None], MODES)
        highest, lowest = weights.max(axis=1), weights.min(axis=1)
        together, apart = self.couplings(points).T
        found = {
            "segregation": -apart * highest,
            "interleaving": -apart * lowest,
            "aggregation": -together * highest,
            "clustering": -together * lowest,
            "chase": np.maximum(-together * highest, -together * lowest),
        }[name]
        return np.where(found > 0, found, np.nan)

    def extent(self) -> str:
        return f"of {self.particles:,} particles each" if self.scheme == "particles" else f"in {self.cells} cells"

    def caveat(self) -> str:
        if self.roughness > 0:
            return "the theory knows of no rough potential"
        return "patterns of other modes than the fastest, fluxes that are not exact, or few particles"

    def footprint(self) -> int:
        return 40_000 * self.cells // 10 + 80 * (self.particles if self.scheme == "particles" else 0)
