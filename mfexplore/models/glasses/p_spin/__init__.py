r"""Spin glasses with p-spin couplings: the mean-field picture of structural glass.

$N$ variables, Ising spins $s_i=\pm1$ or the components of a vector of length $\sqrt N$ (spherical), and random
couplings between all groups of $p\ge3$ of them:

$$H=-\sum_{i_1<\dots<i_p}J_{i_1\dots i_p}s_{i_1}\cdots s_{i_p},\qquad
\overline{H(s)H(s')}=\frac N2\Big(\frac{s\cdot s'}N\Big)^p \tag{1}$$

**States.** At high temperature the free energy per spin is that of a liquid, $f=-\frac1{4T}-T\ln2$ (Ising) or
$-\frac1{4T}$ (spherical, entropy counted from infinite temperature). Below $T_d$ the liquid consists of exponentially
many states, $e^{N\Sigma}$; two copies in the same one have the overlap $q$. With one step of replica symmetry breaking
at $x\le1$, $\gamma=x/T$ and $C=(1-q)/T$,

$$f=\max_{q,x}\Big[-\frac{1-pq^{p-1}+(p-1)q^p}{4T}+\frac{\gamma}4(p-1)q^p
-\frac1\gamma\ln\overline{\Big(2\cosh\frac{\sigma z}T\Big)^x}\Big] \tag{2}$$

for Ising spins, with $\sigma^2=\frac p2q^{p-1}$ and $z$ standard normal, and on the sphere

$$f=\max_{q,x}\Big[-\frac{1-q^p}{4T}-\frac\gamma4q^p-\frac T2\ln(1-q)
-\frac1{2\gamma}\ln\Big(1+\frac{\gamma q}C\Big)\Big] \tag{3}$$

The number of states at given $x$, the complexity, is $\Sigma=\gamma^2\,\partial f/\partial\gamma$.

* $T_d$, **dynamic**: with $x=1$ a solution $q>0$ appears, suddenly. Relaxation stops here as $N\to\infty$ although
  nothing happens to the free energy.
* $T_s$, **static** (Kauzmann): $\Sigma(x=1)$ has fallen to zero. Below, few states are left, $\Sigma=0$ and $x<1$.
* $T_G$, **Gardner** (Ising only): the replicon eigenvalue
  $1-\frac{p(p-1)}{2T^2}q^{p-2}\,\overline{\mathrm{sech}^4}$ of (2) vanishes and each state breaks up further.

What a fast quench reaches is neither: it is held up at the **threshold**, where states first become stable (replicon
zero), far more numerous than the lowest ones.

**Relaxation.** For the spherical model with noisy gradient descent (Langevin) the correlation $C(t)$ with the start, in
equilibrium, obeys

$$\dot C(t)=-T\,C(t)-\frac p{2T}\int_0^tC^{p-1}(t-s)\,\dot C(s)\,ds \tag{4}$$

the equation of mode-coupling theory: close above $T_d$ it decays in two steps, first to a plateau and much later, as
the states die, to zero; at and below $T_d$ it stays at $q$.

**How it is simulated.** $N\times$ *connectivity*$/p$ groups are drawn at random (all of them where there are fewer)
and given couplings of the matching variance; corrections are of order 1/connectivity. An equilibrium start costs
nothing above $T_s$: choose the configuration first and add to every coupling what makes it a typical one (*planting*;
below $T_s$ it is planted at $T_s$ and cooled for a while before the clock starts). Ising: Metropolis. Spherical: Heun's
method for the Langevin equation.

**Valid:** $N\to\infty$. Below $T_G$ the Ising solution is only the first approximation to a hierarchy of states. At
finite $N$ states live for a finite time, so the plateau below $T_d$ has an end, and $T_d$ is a crossover. Equation (4)
holds for an equilibrium start; a quenched system ages instead and has no stationary correlation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.replicas import p_body
from mfexplore.families.replicas.p_body import (
    COLUMNS,
    DYNAMIC,
    GARDNER,
    GLASS,
    HIGHEST,
    LIQUID,
    LOWEST,
    STATIC,
    THRESHOLD,
)
from mfexplore.models.glasses.p_spin import spherical
from mfexplore.models.glasses.p_spin.dynamics import PSpinSimulation
from mfexplore.numerics.solving.memory_equation import POINTS, relax


@dataclass(frozen=True)
class PSpin(core.Model):
    temperature: float = core.control(
        0.65, 0.0, 1.5, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise"
    )
    order: int = core.control(
        LOWEST, LOWEST, HIGHEST, symbol="p", role="order", quenched=True, doc="variables in each coupling"
    )
    kind: str = core.choice(
        "spherical", {"spherical": "spherical", "ising": "Ising"},
        doc="components of a vector of fixed length, or spins that are up or down",
    )  # fmt: skip
    size: int = core.control(
        200, 16, 4000, symbol="N", unit="spins", role="size", scale="log", part="simulation", doc="spins simulated"
    )
    connectivity: int = core.control(
        600, 20, 10_000, symbol="c", role="setting", scale="log", part="simulation", quenched=True,
        doc="couplings that each spin takes part in, drawn from all there are (spherical: at least 40 x 3^(p-1))",
    )  # fmt: skip
    start: str = core.choice(
        "equilibrium", ("equilibrium", "random"), role="start", part="simulation",
        doc="a configuration of equilibrium (above the static temperature), or a quench from infinite temperature",
    )  # fmt: skip

    version = 2
    tags = core.Tags("course", 25, ("jump", "glass", "aging"), ("replicas", "dynamical mean field"))
    title = "p-spin glass"
    summary = (
        "Two transitions for one glass: relaxation stops where states appear, entropy runs out where few are left."
    )
    sources = (
        core.Source("D. J. Gross and M. Mezard, Nucl. Phys. B 240, 431 (1984)", doi="10.1016/0550-3213(84)90237-2"),
        core.Source("E. Gardner, Nucl. Phys. B 257, 747 (1985)", doi="10.1016/0550-3213(85)90374-8"),
        core.Source("A. Crisanti and H.-J. Sommers, Z. Phys. B 87, 341 (1992)", doi="10.1007/BF01309287"),
        core.Source("A. Crisanti, H. Horner and H.-J. Sommers, Z. Phys. B 92, 257 (1993)", doi="10.1007/BF01312184"),
        core.Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
    )
    observables = (
        core.Observable(
            "overlap", "q", "overlap of two copies in the same state; in time, with the start", low=0, high=1
        ),
        core.Observable(
            "breakpoint", "x", "weight of being in different states among those of this kind", low=0, high=1
        ),
        core.Observable(
            "free_energy", "f", "free energy per spin, eqs. (2) and (3); at the threshold, of one state", unit="J"
        ),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("complexity", r"\Sigma", "logarithm of the number of states, per spin", low=0, high=0.1),
        core.Observable(
            "replicon", r"\lambda", "stability of the states; below zero they break up", low=-1, high=1, signed=True
        ),
    )
    branches = (
        core.Branch("liquid", "no states: copies have nothing in common"),
        core.Branch("glass", "the states that dominate: many of them above the static temperature, few below"),
        core.Branch("threshold", "the highest states, just stable, where a quench is held up", thermodynamic=False),
    )
    phases = (
        core.Phase("liquid", "Everything relaxes: two copies have nothing in common, and C(t) decays to zero."),
        core.Phase(
            "many_states", "Frozen in one of exponentially many states, though the free energy is that of the liquid."
        ),
        core.Phase("glass", "The entropy of states has run out: few are left, and copies share them."),
        core.Phase(
            "gardner",
            "Each state has broken up into a hierarchy of states (full replica symmetry breaking).",
            title="Gardner",
            only={"kind": ("ising",)},
        ),
    )
    failures = (
        core.Failure(
            "gardner_unstable",
            "Below the Gardner temperature one step of symmetry breaking is not enough.",
            title="Gardner unstable",
            only={"kind": ("ising",)},
        ),
    )
    landmarks = (
        core.Landmark(
            "dynamic_temperature", "T_d", "states appear and relaxation stops", continuous=False, of="temperature"
        ),
        core.Landmark(
            "static_temperature", "T_s", "only few states are left: the transition of the free energy",
            of="temperature",
        ),
        core.Landmark(
            "gardner_temperature", "T_G", "each state breaks up further", title="Gardner temperature",
            of="temperature", only={"kind": ("ising",)},
        ),
    )  # fmt: skip
    planes = (core.Plane("order", "temperature", "overlap", y_range=(0.0, 1.0)),)
    presets = (
        core.Preset(
            "two-step relaxation", {"temperature": 0.625, "size": 1000},
            "C(t) waits at a plateau near q = 1/2 before it decays: dynamics and mode coupling on a logarithmic clock.",
        ),
        core.Preset(
            "liquid", {"temperature": 0.9},
            "Far above the dynamic temperature the memory of the start is gone within a few units of time.",
        ),
        core.Preset(
            "caught in a state", {"temperature": 0.59, "size": 1000},
            "Between T_s and T_d the start is not forgotten, yet the energy is that of a liquid.",
        ),
        core.Preset(
            "quench", {"temperature": 0.2, "start": "random", "size": 400},
            "The energy creeps down and is held up near the threshold -1.05, above the glass at -1.07.",
            view=core.View(colour="energy", series="energy"),
        ),
        core.Preset(
            "Ising states", {"temperature": 0.66, "kind": "ising", "size": 1000},
            "The same with Ising spins: an equilibrium start keeps the overlap q = 0.79 of its state.",
        ),
        core.Preset(
            "Gardner", {"temperature": 0.2, "kind": "ising", "start": "equilibrium", "size": 1000},
            "Below T_G = 0.240 one step of symmetry breaking fails: the diagram says so.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "dynamic temperature, spherical p = 3", 0.6123724356957945, 1e-12, "Crisanti and Sommers 1992, closed form",
            core.Crossing("dynamic_temperature", "temperature"), published=True,
        ),
        core.Reference(
            "static temperature, spherical p = 3", 0.5860539724173638, 1e-11, "Crisanti and Sommers 1992",
            core.Crossing("static_temperature", "temperature"),
        ),
        core.Reference(
            "ground-state energy, spherical p = 4", -1.268609689450809, 1e-9, "minimum of eq. (3) at T = 0",
            core.Value("energy"), {"temperature": 0.0, "order": 4},
        ),
        core.Reference(
            "threshold energy, spherical p = 3", -2 / math.sqrt(3), 1e-12, "-sqrt(2(p-1)/p), Crisanti and Sommers 1995",
            core.Value("energy", "threshold"), {"temperature": 0.0}, published=True,
        ),
        core.Reference(
            "dynamic temperature, Ising p = 3", 0.6815980405761617, 1e-9, "Montanari and Ricci-Tersenghi 2003 (0.6815)",
            core.Crossing("dynamic_temperature", "temperature"), {"kind": "ising"},
        ),
        core.Reference(
            "Gardner temperature, Ising p = 3", 0.24026003630898807, 1e-7, "Gardner 1985 (0.24)",
            core.Crossing("gardner_temperature", "temperature"), {"kind": "ising"},
        ),
        core.Reference(
            "free energy, Ising p = 3, T = 0.5", -0.8231361419795616, 1e-9, "Newton's method on eq. (2)",
            core.Value("free_energy"), {"kind": "ising", "temperature": 0.5},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Spherical, p = 3, equilibrium start. Choose lower and lower temperatures and watch the overlap with the "
            "start: below which is it never forgotten?",
            {"temperature": 0.7, "size": 400}, "temperature", core.Crossing("dynamic_temperature", "temperature"), 0.02,
            "At T_d = 0.6124 the plateau becomes eternal as N grows. The free energy shows nothing at all there.",
            view=core.View(series="overlap"),
        ),
        core.Task(
            "Quench the spherical model to T = 0.05 from a random start. Which energy per spin does it get stuck at?",
            {"temperature": 0.05, "start": "random", "size": 400}, "energy", core.Value("energy", "threshold"), 0.03,
            "At the threshold (-1.13), where states first become stable, not in the ground state (-1.15).",
            view=core.View(colour="energy", series="energy"),
        ),
    )  # fmt: skip
    simulation = PSpinSimulation

    def transitions(self, order: int | None = None) -> tuple[float, float]:
        """(T_d, T_s) of an order (None: this one) and this kind."""
        if self.kind == "ising":
            line = p_body.line_of(order or self.order)
            return float(line[0, DYNAMIC]), float(line[0, STATIC])
        return spherical.transitions(order or self.order)

    def solve(self, points: Points) -> core.Solution:
        t, order = np.ascontiguousarray(points["temperature"]), points["order"]
        table = np.full((t.size, 3, len(COLUMNS)), np.nan)
        residual = np.full((t.size, 3), np.nan)
        iterations = np.zeros((t.size, 3), np.int64)
        fails = {}
        if self.kind == "ising":
            p_body.solve(order, t, table, residual, iterations)
            fails["gardner_unstable"] = self.on("glass", t < p_body.lines()[order - LOWEST, 0, GARDNER])
        else:
            for p in np.unique(order):
                rows = order == p
                part, error = table[rows], residual[rows]
                spherical.solve(int(p), t[rows], part, error)
                table[rows], residual[rows] = part, error
        stable = ~np.isnan(residual)
        stable[:, LIQUID] &= t >= self.boundary("static_temperature", points)
        stable[:, THRESHOLD] = False
        values = {name: table[:, :, k] for k, name in enumerate(COLUMNS)}
        return core.Solution(values, residual, stable=stable, iterations=iterations, fails=fails)

    def select(self, points: Points, solution: core.Solution) -> Array:
        """The glass where it exists: between T_s and T_d the liquid consists of its states."""
        exists = solution.exists(self.tolerance)
        return np.where(exists[:, GLASS], GLASS, np.where(exists[:, LIQUID], LIQUID, -1))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, p, q, x = self.temperature, self.order, state["overlap"], state["breakpoint"]
        if state["branch"] == "liquid":
            return {"liquid": state["free_energy"] + 1 / (4 * t) + (t * math.log(2) if self.kind == "ising" else 0.0)}
        if t < 0.01:  # too narrow for a plain sum; gamma is not known from x at T = 0
            return {}
        gamma = x / t
        if self.kind == "ising":
            z = np.arange(-9, 9, 1e-3) + 5e-4
            u = math.sqrt(p / 2 * q ** (p - 1)) * z / t
            log_cosh = np.logaddexp(u, -u)
            weight = np.exp(-(z**2) / 2 + x * (log_cosh - log_cosh.max()))
            free = math.log(np.sum(weight) * 1e-3 / math.sqrt(2 * math.pi)) / gamma + t * log_cosh.max()
            f = -(1 - p * q ** (p - 1) + (p - 1) * q**p) / (4 * t) + gamma / 4 * (p - 1) * q**p - free
            weight /= weight.sum()
            number = gamma**2 / 4 * (p - 1) * q**p - gamma * (t * float(weight @ log_cosh) - free)
            soft = 1 - p * (p - 1) / (2 * t * t) * q ** (p - 2) * float(weight @ np.cosh(u) ** -4.0)
            moving = q - float(weight @ np.tanh(u) ** 2)
        else:
            c = (1 - q) / t
            f = -(1 - q**p) / (4 * t) - gamma / 4 * q**p - t / 2 * math.log(1 - q)
            f -= math.log1p(gamma * q / c) / (2 * gamma)
            number = -(gamma**2) / 4 * q**p + math.log1p(gamma * q / c) / 2 - gamma * q / (2 * (c + gamma * q))
            soft = 1 - p * (p - 1) / 2 * q ** (p - 2) * c**2
            moving = p / 2 * q ** (p - 2) * c * (c + gamma * q) - 1
        if state["branch"] == "threshold":
            f += number / gamma  # of one of them
        known = soft if state["branch"] == "threshold" else number if x < 1 else 0.0
        gaps = {"df/dq": moving, "df/dx, or the replicon": known, "replicon": state["replicon"] - soft}
        return gaps | {"(2), (3)": state["free_energy"] - f, "complexity": state["complexity"] - number}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        glass = states.equilibrium["glass"]
        few = glass & (states.value("breakpoint", "glass") < 1)
        unstable = states.solution.fails.get("gardner_unstable")
        gardner = {} if unstable is None else {"gardner": few & unstable[:, GLASS]}
        return gardner | {"glass": few, "many_states": glass, "liquid": states.equilibrium["liquid"]}

    def boundary(self, name: str, points: Points) -> Array:
        order = points["order"]
        if name == "gardner_temperature":
            return p_body.lines()[order - LOWEST, 0, GARDNER]
        which = 0 if name == "dynamic_temperature" else 1
        return np.array([self.transitions(p)[which] for p in range(LOWEST, HIGHEST + 1)])[order - LOWEST]

    def plateau(self) -> float:
        """The overlap at which an equilibrium start is caught: q of the states, 0 above T_d."""
        points = {"temperature": np.array([self.temperature]), "order": np.array([self.order])}
        q = self.solve(points).values["overlap"][0, GLASS]
        return float(np.nan_to_num(q)) if self.start == "equilibrium" else 0.0

    def landscape(self) -> core.Landscape:
        """Free energy per spin of a copy held at overlap q with an equilibrium configuration (Franz and Parisi 1995).

        Its last minimum is the state of that configuration, higher than q = 0 by T times the complexity. Both ends are
        exact; on the way between them copies may differ in more than one way, which is left out here.
        """
        t, p = self.temperature, self.order
        if t < self.transitions()[1]:
            raise core.NotOfferedError(self.title, "a landscape below the static temperature")
        q = np.linspace(0, 0.995, 200)
        held = p_body.held_free_energy if self.kind == "ising" else spherical.held_free_energy
        f = np.array([held(p, t, x) for x in q])
        return core.Landscape("overlap", q, f, branches=("liquid", "glass"))

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """C(t) of eq. (4), and the energy, which does not move in equilibrium."""
        t, p = self.temperature, self.order
        if self.kind == "ising" or self.start != "equilibrium" or t < self.transitions()[1]:
            raise core.NotOfferedError(self.title, "a predicted path but for the spherical model in equilibrium")
        longest = max(float(times.max()), 1.0)
        table = np.empty((2, 6000 + POINTS * 40))
        count = relax(1 / t, p / (2 * t * t), p - 1, longest, table[0], table[1])
        clock = np.log(np.maximum(times, 1e-300))
        overlap = np.interp(clock, np.log(table[0, :count]), table[1, :count], left=1.0)
        return {"overlap": overlap, "energy": np.full_like(overlap, -0.5 / t)}

    def caveat(self) -> str:
        if self.start == "random":
            return "a quench never reaches equilibrium; it ages, held up near the threshold"
        if self.temperature < self.transitions()[0]:
            return "at finite N states differ from sample to sample, and none lasts for ever"
        return "the memory of the start fades in time; theory says what is left of it in the end"

    def footprint(self) -> int:
        return self.groups() * (12 * self.order + 24) + 64 * self.size

    def realised(self) -> PSpin:
        return self.with_simulated(connectivity=round(self.groups() * self.order / self.size))

    def groups(self) -> int:
        """How many couplings a simulation has. The squared product of p - 1 normal numbers has the mean square 3^(p-1),
        so that a spherical model needs many times that per spin for the fields to be alike.
        """
        per_spin = self.connectivity if self.kind == "ising" else max(self.connectivity, 40 * 3 ** (self.order - 1))
        return min(math.comb(self.size, self.order), max(1, self.size * per_spin // self.order))
