r"""Lattice gas: particles that stick to a surface and to each other, and four ways to sample them.

A surface has $n=L\times L$ places for particles, $n_i=0$ or 1. Neighbours attract each other (their bond is the unit of
energy, $k_B=1$), the surface binds a particle at place $i$ with an energy $\epsilon_i$, spread evenly over $\pm\Delta$,
and a gas above it supplies particles at the chemical potential $\mu$:

$$H-\mu N=-\sum_{\langle ij\rangle}n_in_j-\sum_i(\mu+\epsilon_i)n_i \tag{1}$$

With $n_i=(1+s_i)/2$ this is the Ising model with the coupling $1/4$ in the field $(\mu+2)/2$: covered and bare surface
coexist at $\mu=-2$ below a critical temperature. *Bragg and Williams* replace neighbours by the coverage $\theta$,

$$\theta=\overline{\Big[1+e^{-(\mu+\epsilon+4\theta)/T}\Big]^{-1}} \tag{2}$$

the mean being over $\epsilon$. *Bethe* (quasi-chemical theory) is exact for a particle and its neighbours:

$$A=\frac{\mu+2}{2T}+3w,\qquad\tanh w=\tanh A\,\tanh\frac1{4T},\qquad2\theta-1=\tanh(A+w) \tag{3}$$

Both have isotherms $\theta(\mu)$ with a loop, hence a metastable state up to a spinodal, below $T_c=1$ and
$T_c=1/(2\ln2)=0.721$. *Exactly* (Onsager, Yang), for $\Delta=0$ and $\mu=-2$, the two states have the coverages

$$\theta=\tfrac12\Big[1\pm\Big(1-\sinh^{-4}\frac1{2T}\Big)^{1/8}\Big] \tag{4}$$

At a fixed number of particles (*canonical*) a surface with a coverage in between separates into these two; the chemical
potential, which costs nothing to measure by trial insertions at empty places, stays at $-2$:

$$e^{-\mu/T}=\frac1{N+1}\Big\langle\sum_{i\ \rm empty}e^{(\epsilon_i+\sum_jn_j)/T}\Big\rangle \tag{5}$$

Other samplers count. If $g(N,B)$ states have $N$ particles and $B$ bonds, one sum

$$\Xi(T,\mu)=\sum_{N,B}g(N,B)\,e^{(B+\mu N)/T} \tag{6}$$

gives everything, for all $T$ and $\mu$ at once. *All states* of a $4\times4$ lattice can be visited. *Wang and Landau*
walk so that states of count $g$ are accepted as $1/g$, and raise $\ln g$ wherever they are by $\ln f$, which ends as
the inverse of time. *Nested sampling* keeps $K$ states drawn evenly from all below an energy, removes the highest and
replaces it by one below: $i$ removals leave the part

$$X_i=e^{-i/K} \tag{7}$$

of all states, so the removed ones, each with the weight $X_{i-1}-X_i$, are the count. Ties are drawn by lot: each state
carries a random label.

**Valid:** mean field and Bethe ignore large islands: between the true critical temperature, 0.567, and their own they
show two states that do not exist. In two dimensions any spread $\Delta>0$ destroys the jump (Imry and Ma; Aizenman and
Wehr): what mean field shows there lasts only on islands, large ones for a small spread. Wang-Landau and nested sampling
are for small even surfaces; single changes of a surface stick in one state, below the critical temperature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.lattice_spins.planar import torus_averages
from mfexplore.models.lattices.lattice_gas import samplers, states
from mfexplore.models.lattices.lattice_gas.samplers import SMALL
from mfexplore.models.lattices.lattice_gas.states import BETHE, COEXISTENCE, COUNT, DENSE, DILUTE, EXACT, MEAN_FIELD
from mfexplore.models.lattices.lattice_gas.surface import COUNTED, POTENTIALS, TEMPERATURES, LatticeGasSimulation

GRAND, CANONICAL = {"statistical_ensemble": ("grand",)}, {"statistical_ensemble": ("canonical",)}
CRITICAL = 0.5 / math.log(1 + math.sqrt(2))
LARGEST = {"heat_bath": 1024, "wang_landau": 8, "nested": 16}  # side that a sampler can do


@dataclass(frozen=True)
class LatticeGas(core.Model):
    statistical_ensemble: str = core.choice(
        "grand", ("grand", "canonical"), title="ensemble",
        doc="particles come from a gas and go back, or their number is fixed",
    )  # fmt: skip
    temperature: float = core.control(
        0.5, 0.1, 2.0, symbol="T", unit="bond", role="temperature", step=0.005, doc="thermal energy, in units of a bond"
    )
    chemical_potential: float = core.control(
        -2.0, -5.0, 1.0, symbol=r"\mu", unit="bond", role="field", step=0.01, only=GRAND,
        doc="what a particle gains on the surface, beside its bonds",
    )  # fmt: skip
    filling: float = core.control(
        0.5, 0.02, 0.98, symbol=r"\theta_0", role="load", step=0.01, quenched=True, only=CANONICAL,
        doc="part of all places that is occupied",
    )  # fmt: skip
    disorder: float = core.control(
        0.0, 0.0, 2.0, symbol=r"\Delta", unit="bond", role="disorder", step=0.01,
        doc="places bind a particle more or less strongly, by up to so much",
    )  # fmt: skip
    algorithm: str = core.choice(
        "heat_bath", {"heat_bath": "heat bath", "wang_landau": "Wang-Landau", "nested": "nested sampling"},
        part="simulation",
        doc="particles come and go (at a fixed number: hop) at this temperature, or states are counted for all of them",
    )  # fmt: skip
    side: int = core.control(
        64, 4, 1024, symbol="L", role="size", scale="log", part="simulation",
        doc="places along a side; at most 8 for Wang-Landau and 16 for nested sampling",
    )  # fmt: skip
    walkers: int = core.control(
        200, 20, 2000, symbol="K", role="setting", scale="log", part="simulation", quenched=True,
        only={"algorithm": ("nested",)}, doc="states that nested sampling keeps",
    )  # fmt: skip
    start: str = core.choice(
        "covered", ("bare", "covered"), role="start", part="simulation",
        doc="a surface without particles or with all of them; a fixed number: scattered, or in one strip",
    )  # fmt: skip

    title = "Lattice gas"
    summary = "Particles condense on a surface: isotherms by four theories, and samplers that count states."
    tags = core.Tags(
        "course", 20, ("phase transition", "jump", "hysteresis"), ("self-consistency", "cavity", "Monte Carlo")
    )
    sources = (
        core.Source("FreeBird.jl: An Extensible Toolbox for Simulating Interfacial Phase Equilibria (2025)"),
        core.Source("T. D. Lee, C. N. Yang, Phys. Rev. 87, 410 (1952)", doi="10.1103/PhysRev.87.410"),
        core.Source("F. Wang, D. P. Landau, Phys. Rev. Lett. 86, 2050 (2001)", doi="10.1103/PhysRevLett.86.2050"),
        core.Source("J. Skilling, Bayesian Anal. 1, 833 (2006)", doi="10.1214/06-BA127"),
        core.Source("M. Aizenman, J. Wehr, Phys. Rev. Lett. 62, 2503 (1989)", doi="10.1103/PhysRevLett.62.2503"),
    )
    methods = (
        core.Method("bragg_williams", "neighbours replaced by the coverage, eq. (2)", title="Bragg-Williams"),
        core.Method("bethe", "exact for a place and its neighbours, eq. (3); even surfaces only", title="Bethe"),
        core.Method("exact", "the infinite even surface at coexistence, eq. (4)", title="Onsager"),
        core.Method("count", "all states of an even surface of 4 × 4 places, eq. (6)", title="4 × 4, all states"),
    )
    observables = (
        core.Observable("coverage", r"\theta", "part of all places that is occupied", low=0, high=1),
        core.Observable(
            "potential", r"\mu", "chemical potential, eq. (5)", unit="bond", only=CANONICAL, low=-3.0, high=-1.0
        ),
        core.Observable("energy", "e", "energy per place, with -μ for each particle that a gas supplies", unit="bond"),
        core.Observable("specific_heat", "C", "change of the energy with temperature, per place", low=0, high=3),
        core.Observable("free_energy", r"\omega", "free energy per place (grand: grand potential)", unit="bond"),
        core.Observable("entropy", "S", "entropy per place", low=0, high=math.log(2)),
        core.Observable("isotherm", r"\theta", "coverage at all chemical potentials", over="applied", only=GRAND),
        core.Observable("heat_curve", "C", "specific heat at all temperatures", over="at", title="heat curve"),
        core.Observable("bond_count", r"\ln g", "logarithm of the number of states", over="bonds", title="count"),
    )
    coordinates = (
        core.Coordinate("applied", r"\mu", "chemical potential", unit="bond", title="chemical potential"),
        core.Coordinate("at", "T", "temperature", unit="bond", title="temperature"),
        core.Coordinate("bonds", "B", "bonds of a state", discrete=True),
    )
    branches = (
        core.Branch("dense", "a covered surface with holes", only=GRAND),
        core.Branch("dilute", "a bare surface with a few particles", only=GRAND),
        core.Branch("unstable", "between the two", only=GRAND),
        core.Branch("separated", "a dense and a dilute part beside each other", only=CANONICAL),
        core.Branch("uniform", "the same coverage everywhere", only=CANONICAL),
    )
    phases = (
        core.Phase("two_states", "Bare and covered surface both exist: you see the one that you come from."),
        core.Phase("dense", "Covered: the particles that are missing are holes."),
        core.Phase("dilute", "Bare: a two-dimensional gas of few particles."),
        core.Phase("decomposing", "A uniform film is unstable: it separates everywhere at once."),
        core.Phase("separating", "Two phases coexist, but a uniform film waits for an island that is large enough."),
        core.Phase("uniform", "One phase: islands form and dissolve, none of them grows."),
    )
    failures = (
        core.Failure(
            "false_condensation",
            "The surface is above its critical temperature: islands of all sizes, which this theory ignores, mix the "
            "two states that it still tells apart.",
        ),
        core.Failure(
            "random_places",
            "On an uneven surface in two dimensions islands always find places where they are favoured: there is no "
            "jump, only a step that may be steep.",
        ),
    )
    landmarks = (
        core.Landmark(
            "coexistence", r"\mu=-2", "bare and covered coexist (first order)", of="chemical_potential", only=GRAND
        ),
        core.Landmark(
            "spinodal_bragg_williams", r"\mu_s^{\rm BW}", "by mean field one of two states ends", continuous=False,
            of="chemical_potential", only=GRAND, title="spinodal (Bragg-Williams)",
        ),
        core.Landmark(
            "spinodal_bethe", r"\mu_s^{\rm Bethe}", "by Bethe's theory one of two states ends", continuous=False,
            of="chemical_potential", only=GRAND, title="spinodal (Bethe)",
        ),
        core.Landmark("binodal", r"T_\theta", "the film separates, eq. (4)", of="temperature", only=CANONICAL),
        core.Landmark(
            "binodal_bethe", r"\theta_\pm^{\rm Bethe}", "by Bethe's theory the film separates", continuous=False,
            of="filling", only=CANONICAL, title="binodal (Bethe)",
        ),
        core.Landmark(
            "binodal_bragg_williams", r"\theta_\pm^{\rm BW}", "by mean field the film separates", continuous=False,
            of="filling", only=CANONICAL, title="binodal (Bragg-Williams)",
        ),
        core.Landmark(
            "decomposition", r"4\theta(1-\theta)=T", "by mean field a film is unstable inside", continuous=False,
            of="filling", only=CANONICAL,
        ),
    )  # fmt: skip
    planes = (
        core.Plane(
            "chemical_potential", "temperature", "coverage", x_range=(-4.0, 0.0), y_range=(0.1, 1.2), along="x",
            finest=65, only=GRAND,
        ),
        core.Plane(
            "chemical_potential", "disorder", "coverage", x_range=(-4.0, 0.0), along="x", finest=65, only=GRAND
        ),
        core.Plane("filling", "temperature", "potential", y_range=(0.1, 1.2), along="x", finest=65, only=CANONICAL),
    )  # fmt: skip
    presets = (
        core.Preset(
            "two states", {"temperature": 0.5, "chemical_potential": -2.0},
            "The surface stays covered to 96 % although bare would be as cheap: single changes find no way over.",
            (core.Promise(core.Mean("coverage", 20, 220), 0.955, 0.007),),
            core.View(function="isotherm", series="coverage", method="bragg_williams"),
        ),
        core.Preset(
            "false condensation", {"temperature": 0.65, "chemical_potential": -2.0, "side": 128},
            "Mean field says 0.94 or 0.06 and Bethe 0.83 or 0.17; the surface soon shows one half, in islands.",
            (core.Promise(core.Value("coverage", "dense", "bragg_williams"), 0.94, 0.005),
             core.Promise(core.Value("coverage", "dilute", "bethe"), 0.17, 0.005),
             core.Promise(core.Mean("coverage", 200, 700), 0.5, 0.04)),
            core.View(series="coverage", function="heat_curve", method="bragg_williams"),
        ),
        core.Preset(
            "nucleation", {"temperature": 0.4, "chemical_potential": -1.88, "start": "bare", "side": 96},
            "Bare is no longer the best and still lasts, until islands are large enough; then all is covered.",
            view=core.View(series="coverage", method="bragg_williams"),
        ),
        core.Preset(
            "one count, all isotherms",
            {"algorithm": "wang_landau", "side": 4, "temperature": 0.4, "chemical_potential": -1.9},
            "Points of one short run lie on the line through all states, at every potential. Turn the temperature: "
            "they follow at once.",
            view=core.View(function="isotherm", picture="progress", series="count_error", method="count"),
        ),
        core.Preset(
            "a sampler that is stuck",
            {"algorithm": "heat_bath", "side": 8, "temperature": 0.28, "chemical_potential": -2.0},
            "The heat bath never sees the bare surface, so it knows half of the isotherm; Wang-Landau knows all of it.",
            (core.Promise(core.Mean("coverage", 0, 1000), 1.0, 0.01),),
            core.View(function="isotherm", series="coverage", method="bragg_williams"),
        ),
        core.Preset(
            "nested sampling",
            {"algorithm": "nested", "side": 8, "statistical_ensemble": "canonical", "temperature": 0.4},
            "The energy below which all walkers are falls; at the end strips are left, and the count is done.",
            view=core.View(function="heat_curve", picture="progress", series="entropy", method="bragg_williams"),
        ),
        core.Preset(
            "a film separates",
            {"statistical_ensemble": "canonical", "filling": 0.3, "temperature": 0.35, "start": "bare", "side": 128},
            "Particles hop into islands, small islands feed large ones; the chemical potential comes up to the -2 "
            "of two phases side by side.",
            (core.Promise(core.Mean("potential", 0, 0), -2.77, 0.1),
             core.Promise(core.Mean("potential", 100, 200), -2.0, 0.1)),
            core.View(series="potential", colour="potential", method="bragg_williams"),
        ),
        core.Preset(
            "an uneven surface", {"temperature": 0.4, "disorder": 1.5, "chemical_potential": -2.0, "side": 128},
            "Mean field still has two states. The surface has one: strong places fill first, and the step is a slope.",
            (core.Promise(core.Mean("coverage", 300, 1000), 0.5, 0.06),),
            core.View(plane=("chemical_potential", "disorder"), series="coverage", method="bragg_williams"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "grand potential of 4 × 4 places at $T=0.5$", -0.5 * 1.1053671187315834 / 16, 1e-13,
            "16 × 16 transfer matrix", core.Value("free_energy", method="count"), {"temperature": 0.5},
        ),
        core.Reference(
            "coverage of 4 × 4 places at $T=0.4$, $\\mu=-2.2$", 0.0054519529620998914, 1e-13, "16 × 16 transfer matrix",
            core.Exact("coverage"), {"temperature": 0.4, "chemical_potential": -2.2, "side": 4},
        ),
        core.Reference(
            "critical temperature by Bethe's theory", 0.5 / math.log(2), 1e-9, "$1/(2\\ln2)$",
            core.Crossing("binodal_bethe", "temperature"), {"statistical_ensemble": "canonical", "filling": 0.5},
            published=True,
        ),
        core.Reference(
            "coverage of the dense phase at $T=0.5$", 0.5 * (1 + (1 - math.sinh(1.0) ** -4) ** 0.125), 1e-13,
            "Yang 1952", core.Value("coverage", "dense", "exact"), {"temperature": 0.5}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Half of the surface is covered. Raise the temperature: at which does the edge between covered and bare "
            "dissolve?",
            {"statistical_ensemble": "canonical", "filling": 0.5, "temperature": 0.3}, "temperature",
            core.Crossing("binodal", "temperature"), 0.03,
            "At 1/(2 ln(1 + √2)), where the binodal closes: mean field is off by 76 %, Bethe by 27 %.",
        ),
        core.Task(
            "A bare surface at $T=0.5$; the potential rises slowly. By mean field, at which potential must it fill?",
            {"temperature": 0.5, "chemical_potential": -3.0, "start": "bare"}, "chemical_potential",
            core.Crossing("spinodal_bragg_williams", "chemical_potential", -1), 0.04,
            "Not at coexistence but at the spinodal, where the bare state ends. The simulated surface is earlier: an "
            "island need only be large enough.",
        ),
    )  # fmt: skip
    simulation = LatticeGasSimulation

    @property
    def sites(self) -> int:
        return self.side**2

    @property
    def particles(self) -> int:
        return self.counted("filling", self.sites)

    @property
    def all_states(self) -> float:
        """Logarithm of their number."""
        return samplers.states(self.sites, self.particles if self.statistical_ensemble == "canonical" else None)

    def realised(self) -> LatticeGas:
        there = self.replace(side=min(self.side, LARGEST[self.algorithm]))
        if self.algorithm != "heat_bath":  # counts are of even surfaces
            there = there.replace(disorder=0.0)
        grand = there.statistical_ensemble == "grand"
        return there if grand else there.with_simulated(filling=there.particles / there.sites)

    # -- theory ---------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        found = states.solve(points, self.statistical_ensemble == "grand")
        two = np.isfinite(found["free_energy"][..., [states.UNSTABLE, states.SEPARATED]]).any(axis=-1)
        approximate = np.isin(np.arange(len(self.methods)), (states.MEAN_FIELD, states.BETHE))
        wrong = (two & approximate)[..., None]
        above, even = ((x)[:, None, None] for x in (points["temperature"] >= CRITICAL, points["disorder"] == 0))
        fails = {"random_places": wrong & ~even, "false_condensation": wrong & above}
        stable = found.pop("stable") > 0
        return core.Solution(found, found.pop("residual"), stable, fails=fails)

    def bond_count(self) -> Array:
        """Logarithm of how many states of the small lattice have 0, 1, ... bonds: of all, or of those with so many
        particles as are nearest to the filling.
        """
        count = samplers.exact_count(SMALL)
        if self.statistical_ensemble == "canonical":
            count = samplers.with_particles(count, self.replace(side=SMALL).particles)
        return samplers.by_bonds(count)

    def profiles(self) -> dict[str, core.Profile]:
        shape = (len(self.methods), len(self.branches))
        logs = self.bond_count()
        counted = np.full((*shape, logs.size), np.nan)
        counted[COUNT] = np.where(np.isfinite(logs), logs, np.nan)
        found = {"bond_count": core.Profile(np.arange(logs.size), counted)}
        along = {"heat_curve": ("temperature", TEMPERATURES, "specific_heat")}
        if self.statistical_ensemble == "grand":
            along["isotherm"] = ("chemical_potential", POTENTIALS, "coverage")
        for name, (control, values, of) in along.items():
            points = {n: np.full(values.size, float(getattr(self, n))) for n in self.axis_names()} | {control: values}
            curves = np.moveaxis(self.solve(points).values[of], 0, -1).copy()
            if self.statistical_ensemble == "grand":  # the small lattice has one state, wherever the marker is
                curves[COUNT, :] = np.where(np.isnan(curves[COUNT, DENSE]), curves[COUNT, DILUTE], curves[COUNT, DENSE])
            if name == "heat_curve":
                curves = np.minimum(curves, 50.0)  # a spinodal is no place to look at
            found[name] = core.Profile(values, curves)
        return found

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, theta, width = self.temperature, state["coverage"], self.disorder
        grand, branch, method = self.statistical_ensemble == "grand", state["branch"], state["method"]
        mu = self.chemical_potential if grand else state["potential"]
        if method == "count":
            total = 0.0
            for n, row in enumerate(np.exp(samplers.exact_count(SMALL))):
                if grand or n == round(16 * self.filling):
                    total += sum(g * math.exp((b + (mu * n if grand else 0)) / t) for b, g in enumerate(row) if g)
            return {"(6)": state["free_energy"] + t * math.log(total) / 16}
        if grand and method == "exact":
            magnetization = max(1 - math.sinh(0.5 / t) ** -4, 0) ** 0.125
            return {"(4)": abs(2 * theta - 1) - magnetization}
        found = {} if grand else {"coverage": theta - self.filling}
        if branch == "separated":
            return found | {"coexistence": mu + 2}
        if method == "bragg_williams":
            local, spread = mu + 4 * theta, max(width, 1e-4)
            kept = np.logaddexp(0, (local + spread) / t) - np.logaddexp(0, (local - spread) / t)
            return found | {"(2)": theta - 0.5 * t / spread * kept}
        m, k = np.clip(2 * theta - 1, -1 + 1e-16, 1 - 1e-16), math.tanh(0.25 / t)
        a = math.atanh(2 * m / (1 + k + math.sqrt((1 + k) ** 2 - 4 * m * m * k)))
        for _ in range(2):  # from the field of a neighbour to that of this one, and on
            w = math.atanh(math.tanh(a) * k)
            reached = math.tanh(a + w)
            a = (mu + 2) / (2 * t) + 3 * w
        return found | {"(3)": m - reached}

    def classify(self, points: Points, found: core.States) -> Mapping[str, Array]:
        if self.statistical_ensemble == "grand":
            dense = (points["chemical_potential"] >= COEXISTENCE)[:, None] & np.ones(len(self.methods), bool)
            two = found.exists["dense"] & found.exists["dilute"]
            return {"two_states": two, "dense": dense, "dilute": ~dense}
        separated, film = found.exists["separated"], found.stable["uniform"]
        known = np.arange(len(self.methods)) != EXACT  # whose uniform film nobody has solved
        return {"decomposing": separated & ~film & known, "separating": separated, "uniform": ~separated}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        t, even = points["temperature"], points["disorder"] == 0
        if name == "coexistence":
            return np.where(even & (t < CRITICAL), COEXISTENCE, np.nan)
        if name == "binodal":
            m = 2 * points["filling"] - 1
            return np.where(even, 0.5 / np.arcsinh((1 - m**8) ** -0.25), np.nan)
        law = states.equation(BETHE if name.endswith("bethe") else MEAN_FIELD, points)
        there = (law.order > -1e-9) & (even | (not law.on_a_tree))  # its end belongs to a boundary
        if name.startswith("spinodal"):
            half = 0.5 * law.spinodal[:, None]
            return COEXISTENCE + half * [-1, 1], there[:, None] & np.ones(2, bool)
        a = law.limit if name == "decomposition" else law.dense(0 * t)
        m = np.where(law.order > 0, law.magnetization(a), law.order)
        return 0.5 + 0.5 * m[:, None] * [-1, 1], there[:, None] & np.ones(2, bool)

    def landscape(self) -> core.Landscape:
        """Of a uniform film that may take up particles; with a fixed number there is none."""
        if self.statistical_ensemble == "canonical":
            raise core.NotOfferedError(self.title, "a landscape at a fixed number of particles")
        theta = np.linspace(0.002, 0.998, 251)
        points = {n: np.full(theta.size, float(getattr(self, n))) for n in ("temperature", "disorder")}
        lines = [states.film(method, points, theta) - self.chemical_potential * theta for method in (MEAN_FIELD, BETHE)]
        rivals = (("Bethe", lines[1]),) if self.disorder == 0 else ()
        return core.Landscape("coverage", theta, lines[0], title="grand potential of a uniform film", rivals=rivals)

    def exact(self) -> dict[str, float]:
        """By visiting all states of 4 × 4 places; of a larger even surface at coexistence, by Kaufman's formula, what
        does not depend on the side it is on. Raises NotOfferedError elsewhere.
        """
        there, grand = self.realised(), self.statistical_ensemble == "grand"
        points = {n: np.array([float(getattr(there, n))]) for n in self.axis_names()}
        if there.side == SMALL and there.disorder == 0:
            found = states.counted(points, grand, np.ones(1, bool))
            return {name: float(column[0]) for name, column in found.items() if not math.isnan(column[0])}
        if not grand or there.disorder > 0 or there.chemical_potential != COEXISTENCE:
            raise core.NotOfferedError(self.title, "exact values but on 4 × 4 places, and at coexistence")
        torus = torus_averages(there.side, 4 * there.temperature)
        energies = (np.full(1, torus[name]) for name in ("energy", "free_energy", "specific_heat"))
        gas = states.as_gas(points, True, np.zeros(1), *energies)
        return {name: float(gas[name][0]) for name in ("energy", "specific_heat", "free_energy", "entropy")}

    def extent(self) -> str:
        return f"of {self.realised().side} × {self.realised().side} places"

    def caveat(self) -> str:
        return "large islands and the edges of phases, which the theory ignores, or a start in the other of two states"

    def footprint(self) -> int:
        there = self.realised()
        many = there.walkers if there.algorithm == "nested" else 1
        return 40 * there.sites * many + 40 * (min(there.side, COUNTED) ** 2 + 1) ** 2 * 2
