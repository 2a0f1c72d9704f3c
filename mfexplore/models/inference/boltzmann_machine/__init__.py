r"""Boltzmann machine: two layers that see only each other, and two old acquaintances in disguise.

$N_v$ visible spins $v_i=\pm1$ and $N_h=\alpha N_v$ hidden units $h_a$ with weights between the layers only (a
restricted Boltzmann machine), $N=N_v+N_h$, $n_v=N_v/N$, $n_h=N_h/N$:

$$H=-\sum_{i,a}W_{ia}v_ih_a,\qquad W_{ia}=\frac wN\,\xi_i\zeta_a+\frac g{\sqrt N}\,\eta_{ia} \tag{1}$$

One mode of strength $w$ is planted, a pair of patterns $\xi=\pm1$ and $\zeta=\pm1$; all else is noise of strength $g$,
$\eta$ standard normal: the machine before it has learnt more than one thing.

**Binary hidden units**, $h_a=\pm1$. Let $m_v=\frac1{N_v}\sum_i\xi_iv_i$ and $m_h$ be the likeness to the two patterns,
$q_v$ and $q_h$ the overlaps of two copies of the machine. Every visible spin feels a Gaussian field that the hidden
layer makes, every hidden one a field of the visible layer. Replica symmetry says, $z$ standard normal, $\beta=1/T$,

$$m_v=\overline{\tanh\beta(wn_hm_h+g\sqrt{n_hq_h}\,z)},\quad q_v=\overline{\tanh^2\beta(\dots)},\qquad
m_h=\overline{\tanh\beta(wn_vm_v+g\sqrt{n_vq_v}\,z)},\quad q_h=\overline{\tanh^2\beta(\dots)} \tag{2}$$

$$-\beta f=\tfrac12\beta^2g^2n_vn_h(1-q_v)(1-q_h)-\beta wn_vn_hm_vm_h
+n_v\overline{\ln2\cosh\beta(wn_hm_h+g\sqrt{n_hq_h}\,z)}+n_h\overline{\ln2\cosh\beta(wn_vm_v+g\sqrt{n_vq_v}\,z)}
\tag{3}$$

per unit. With $\chi=\beta(1-q)$ the mode grows where

$$w^2n_vn_h\,\chi_v\chi_h>1 \tag{4}$$

in the state without it: below $T_F=w\sqrt{n_vn_h}$ from the paramagnet. Without a mode the units freeze below

$$T_{SG}=g\,(n_vn_h)^{1/4} \tag{5}$$

and replica symmetry holds (de Almeida and Thouless) where

$$\lambda=1-\beta^2g^2\sqrt{n_vn_h\;\overline{\mathrm{sech}^4}_v\;\overline{\mathrm{sech}^4}_h}>0 \tag{6}$$

**First disguise: equal layers are the Sherrington-Kirkpatrick model.** For $\alpha=1$ both layers are alike and eqs.
(2), (3) and (6) become those of one layer of spins that all couple, with

$$J=\frac g{\sqrt2},\qquad J_0=\frac w2,\qquad f=J\,f_{SK}\Big(\frac TJ,\frac{J_0}J\Big) \tag{7}$$

The second theory, *one layer*, is that model's own; for other $\alpha$ it is given the same transitions out of the
paramagnet, $J=g(n_vn_h)^{1/4}$ and $J_0=w\sqrt{n_vn_h}$, and the two curves part.

**Second disguise: Gaussian hidden units are the Hopfield network.** Let $h_a$ be real with the energy $n_vh_a^2/2$,
and the weights $W_{ia}=g\,\xi_i^a/\sqrt N$ a memory $\xi^a=\pm1$ for each hidden unit. The integral over all $h_a$ is
elementary and leaves couplings between visible spins, those of Hebb's rule:

$$\int\!dh\,e^{-\beta H}\propto\exp\frac{\beta g^2}{2N_v}\sum_a\Big(\sum_i\xi_i^av_i\Big)^2,\qquad
T_{Hopfield}=\frac T{g^2},\qquad\text{load}=\frac{N_h}{N_v}=\alpha \tag{8}$$

for any $\alpha$: to draw hidden units and visible ones in turn is a way to simulate Hopfield's network that never
computes a coupling. Its equations, in the words of this page: with $C=g^2\chi_v$,

$$m_v=\overline{\tanh\beta g^2(m_v+\sqrt{\alpha r}\,z)},\qquad q_v=\overline{\tanh^2\beta g^2(\dots)},\qquad
r=\frac{q_v}{(1-C)^2} \tag{9}$$

Free energy and energy are then those of the visible spins with the hidden units integrated out.

**Valid:** as $N\to\infty$ where $\lambda>0$. Below that line (always in the glass) replica symmetry errs, and sampling
in turn freezes: a run falls out of equilibrium, and two copies remember their start. At finite $N$ overlaps that should
vanish are of order $N^{-1/2}$.

**Simulation.** Given one layer the units of the other are independent, so each is drawn at once: two products of a
matrix and a vector per sweep. Two copies with the same weights show how frozen they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families import hebbian
from mfexplore.families.memories import GLASS, PARAMAGNET
from mfexplore.models.inference.boltzmann_machine import disguises, theory
from mfexplore.models.inference.boltzmann_machine.dynamics import COPIES, BoltzmannMachineSimulation
from mfexplore.numerics.functions.gaussian import direct_averages

ONE_LAYER = 1  # place in the methods
GIVEN = ("temperature", "mode_strength", "noise", "load")
BINARY, GAUSSIAN = {"hidden": ("binary",)}, {"hidden": ("gaussian",)}


@dataclass(frozen=True)
class BoltzmannMachine(core.Model):
    temperature: float = core.control(
        0.4, 0.02, 2.0, symbol="T", role="temperature", step=0.01, doc="thermal noise in each unit"
    )
    mode_strength: float = core.control(
        2.0, 0.0, 4.0, symbol="w", role="coupling", step=0.01, only=BINARY,
        doc="strength of the one pair of patterns in the weights",
    )  # fmt: skip
    noise: float = core.control(
        1.0, 0.0, 2.0, symbol="g", role="disorder", step=0.01,
        doc="strength of all other weights (Gaussian hidden units: of all memories)",
    )  # fmt: skip
    load: float = core.control(
        0.25, 0.01, 4.0, symbol=r"\alpha", role="load", step=0.01, quenched=True, doc="hidden units per visible unit"
    )
    hidden: str = core.choice(
        "binary", {"binary": "binary", "gaussian": "Gaussian"}, doc="values of hidden units: -1 and +1, or real numbers"
    )
    size: int = core.control(
        1024, 16, 4096, symbol="N_v", unit="units", role="size", scale="log", part="simulation",
        doc="visible units simulated",
    )  # fmt: skip
    start: str = core.choice(
        "planted", ("planted", "random"), role="start", part="simulation",
        doc="visible units the simulation starts from: the planted pattern, or random ones",
    )  # fmt: skip

    tags = core.Tags("course", 20, ("phase transition", "glass", "memory"), ("replicas",))
    relations = (
        core.Relation(
            "coincides with", "hopfield",
            "Gaussian hidden units can be summed over: what is left between the visible spins is Hebb's rule, one "
            "memory for each hidden unit.",
            here={"hidden": "gaussian", "temperature": 0.2, "load": 0.05}, there={"temperature": 0.2, "load": 0.05},
        ),
        core.Relation(
            "coincides with", "sherrington_kirkpatrick",
            "Two layers of equal size are that glass in disguise: replica symmetry has the same equations, with "
            "couplings weaker by the root of two and a bias half as strong.",
            here={"temperature": 1.0, "mode_strength": 3.0, "noise": 1.41421356, "load": 1.0},
            there={"temperature": 1.0, "ferromagnetic_bias": 1.5},
        ),
    )  # fmt: skip
    title = "Boltzmann machine"
    summary = "Two layers that see only each other: a magnet, a glass, and two famous models in disguise."
    sources = (
        core.Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
        core.Source(
            "A. Barra, G. Genovese, P. Sollich and D. Tantari, Phys. Rev. E 97, 022310 (2018)",
            doi="10.1103/PhysRevE.97.022310",
        ),
        core.Source(
            "A. Barra, A. Bernacchia, E. Santucci and P. Contucci, Neural Networks 34, 1 (2012)",
            doi="10.1016/j.neunet.2012.06.003",
        ),
    )
    observables = (
        core.Observable("overlap_visible", "m_v", "likeness of the visible units to their pattern", low=0, high=1,
            title="visible overlap"),
        core.Observable(
            "overlap_hidden", "m_h", "likeness of the hidden units to theirs", low=0, high=1, only=BINARY,
            title="hidden overlap",
        ),
        core.Observable("freezing_visible", "q_v", "overlap of the visible units of two copies", low=0, high=1,
            title="visible freezing"),
        core.Observable(
            "freezing_hidden", "q_h", "overlap of the hidden units of two copies", low=0, high=1, only=BINARY,
            title="hidden freezing",
        ),
        core.Observable("free_energy", "f", "free energy per unit, eq. (3)"),
        core.Observable("energy", "e", "energy per unit"),
        core.Observable("entropy", "s", "entropy per unit; never negative in truth", signed=True),
        core.Observable("replicon", r"\lambda", "eq. (6): negative where replica symmetry breaks", low=-1, high=1,
            signed=True),
    )  # fmt: skip
    branches = (
        core.Branch("ferromagnet", "aligned with the planted mode; Gaussian hidden units: with one memory"),
        core.Branch("spin_glass", "frozen without likeness to a pattern"),
        core.Branch("paramagnet", "nothing is frozen"),
    )
    methods = (
        core.Method("two_layers", "replica symmetry of two layers, eqs. (2), (3) and (9)"),
        core.Method(
            "one_layer",
            "the model in disguise: Sherrington-Kirkpatrick by eq. (7), Hopfield by eq. (8), each by its own solver",
        ),
    )
    phases = (
        core.Phase("paramagnet", "Too hot: the layers do not know of each other."),
        core.Phase("spin_glass", "The noise wins: every unit is frozen, and no pattern is to be seen."),
        core.Phase("ferromagnet", "Both layers show their patterns: the pair completes itself."),
        core.Phase("mixed", "Both patterns are seen, but the rest has frozen in many ways: below the AT line."),
        core.Phase("metastable_recall", "A memory is recalled and lasts, although the glass is lower in free energy."),
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken",
            "Below the AT line one overlap per layer is not enough: the free energy is too low.",
        ),
        core.Failure(
            "layers_differ", "One layer of equal spins stands for both only if they are equally large, $\\alpha=1$."
        ),
    )
    landmarks = (
        core.Landmark(
            "ferromagnetic_line", "w_c", "to its right the planted mode grows, eq. (4)", of="mode_strength", only=BINARY
        ),
        core.Landmark("glass_line", "T_{SG}", "without a mode units freeze below it", of="temperature", only=BINARY),
        core.Landmark(
            "at_line", r"\lambda=0", "replica symmetry breaks below it", continuous=False, of="temperature",
            title="AT line", only=BINARY,
        ),
        core.Landmark("glass_transition", "T_g", "below it the units freeze", of="load", only=GAUSSIAN),
        core.Landmark(
            "retrieval_transition", "T_c", "below it memories have the lowest free energy", continuous=False, of="load",
            only=GAUSSIAN,
        ),
        core.Landmark("retrieval_spinodal", "T_M", "above it no memory is recalled", of="load", only=GAUSSIAN),
        core.Landmark(
            "retrieval_at_line", "T_R", "below it replica symmetry breaks in the memories too", continuous=False,
            of="load", title="AT line of recall", only=GAUSSIAN,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("mode_strength", "temperature", "overlap_visible", y_range=(0.02, 1.5), only=BINARY),
        core.Plane("load", "temperature", "overlap_visible", y_range=(0.02, 1.5), along="x", only=BINARY),
        core.Plane("mode_strength", "noise", "overlap_visible", only=BINARY),
        core.Plane(
            "load", "temperature", "overlap_visible", branch="ferromagnet", x_range=(0.01, 0.2), y_range=(0.02, 1.5),
            only=GAUSSIAN,
        ),
    )  # fmt: skip
    presets = (
        core.Preset(
            "completing a pair", {"temperature": 0.3, "mode_strength": 2.5, "load": 0.25},
            "Both layers show their patterns, the few hidden units more clearly: each is pulled by four visible ones.",
            (core.Promise(core.Value("overlap_visible"), 0.622, 0.001),),
            view=core.View(colour="overlap_visible", series="overlap_visible"),
        ),
        core.Preset(
            "one mode, no noise",
            {"temperature": 0.6, "mode_strength": 2.0, "noise": 0.0, "load": 0.25, "start": "random"},
            "From random units both layers fall into their patterns within a few sweeps; above the line of eq. (4) "
            "nothing does.",
            (core.Promise(core.Crossing("ferromagnetic_line", "temperature"), 0.8, 0.001),),
            view=core.View(colour="overlap_visible", series="overlap_visible"),
        ),
        core.Preset(
            "Sherrington-Kirkpatrick in disguise",
            {"temperature": 1.0, "mode_strength": 3.0, "noise": math.sqrt(2), "load": 1.0},
            "Equal layers with J = 1 and J_0 = 1.5: 0.557, the number of the spin glass's own page; change the load, "
            "and the two theories part.",
            (core.Promise(core.Value("overlap_visible", method="one_layer"), 0.557, 0.0005),
             core.Promise(core.Value("overlap_visible", method="two_layers"), 0.557, 0.0005)),
            view=core.View(colour="overlap_visible", series="overlap_visible"),
        ),
        core.Preset(
            "Hopfield in disguise", {"temperature": 0.2, "load": 0.05, "hidden": "gaussian", "size": 1000},
            "The recalled memory has Hopfield's overlap 0.9989, although no coupling between neurons exists anywhere.",
            (core.Promise(core.Value("overlap_visible"), 0.9989, 0.0001),
             core.Promise(core.Mean("overlap_visible", 20, 120), 0.9989, 0.002)),
            view=core.View(colour="overlap_visible", series="overlap_visible"),
        ),
        core.Preset(
            "forgetting", {"temperature": 0.2, "load": 0.16, "hidden": "gaussian", "size": 1000},
            "Beyond its spinodal no memory is a state any more: the run leaves it, sweep by sweep, for the glass.",
            (core.Promise(core.Crossing("retrieval_spinodal", "load"), 0.123, 0.0005),),
            view=core.View(colour="overlap_visible", along="load", series="overlap_visible"),
        ),
        core.Preset(
            "glass", {"temperature": 0.4, "mode_strength": 0.0, "load": 1.0},
            "Two copies that began alike end in valleys of their own: their overlap wanders anywhere between 0 and "
            "about 0.55 (Parisi); replica symmetry knows one value only, 0.46.",
            (core.Promise(core.Value("freezing_visible", method="two_layers"), 0.461, 0.0005),),
            view=core.View(colour="freezing_visible", series="freezing_visible"),
        ),
        core.Preset(
            "frozen pair", {"temperature": 0.2, "mode_strength": 2.0, "load": 0.25},
            "Both patterns are seen, yet the eigenvalue of eq. (6) is negative: the rest has frozen in many ways.",
            view=core.View(colour="replicon", series="overlap_visible"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "overlap of the visible units at T = 0.3, w = 2, load 1/4", 0.4060345298, 1e-9,
            "stationary point of eq. (3), found independently", core.Value("overlap_visible", "ferromagnet"),
            {"temperature": 0.3, "mode_strength": 2.0, "load": 0.25},
        ),
        core.Reference(
            "free energy there", -0.4494816761, 1e-9, "the same", core.Value("free_energy", "ferromagnet"),
            {"temperature": 0.3, "mode_strength": 2.0, "load": 0.25},
        ),
        core.Reference(
            "freezing of equal layers at T = 0.5, w = 0", 0.3089823849, 1e-9,
            "the same; q of Sherrington and Kirkpatrick at T = 0.7071", core.Value("freezing_visible", "spin_glass"),
            {"temperature": 0.5, "mode_strength": 0.0, "load": 1.0},
        ),
        core.Reference(
            "temperature of the AT line of equal layers with J = 1, J_0 = 1.5", 0.2750286792437338, 1e-8,
            "that of the Sherrington-Kirkpatrick model", core.Crossing("at_line", "temperature"),
            {"mode_strength": 3.0, "noise": math.sqrt(2), "load": 1.0},
        ),
        core.Reference(
            "largest load with Gaussian hidden units at T = 0.02", 0.138, 0.002, "0.138 at T = 0: Amit, Gutfreund and "
            "Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985)", core.Crossing("retrieval_spinodal", "load"),
            {"temperature": 0.02, "hidden": "gaussian"}, published=True, view=core.View(along="load"),
        ),
        core.Reference(
            "overlap with Gaussian hidden units at T = 0.2, load 0.1", 0.9890851550442616, 1e-9,
            "Hopfield's equations, by Newton with a dense trapezoid rule", core.Value("overlap_visible", "ferromagnet"),
            {"temperature": 0.2, "load": 0.1, "hidden": "gaussian"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Four visible units for each hidden one, a mode of strength 2, noise of strength 1. Heat the machine: at "
            "which temperature is the pair forgotten?",
            {"temperature": 0.3, "mode_strength": 2.0, "load": 0.25}, "temperature",
            core.Crossing("ferromagnetic_line", "temperature", -1), 0.04,
            "At 0.8: the mode, once through both layers, has the strength of the geometric mean of their sizes, "
            "$w\\sqrt{n_vn_h}$, and the noise does not matter as long as nothing else is frozen.",
            view=core.View(along="temperature"),
        ),
        core.Task(
            "Every Gaussian hidden unit is a memory. At temperature 0.2, how many of them per visible unit until none "
            "can be recalled?",
            {"temperature": 0.2, "load": 0.05, "hidden": "gaussian"}, "load",
            core.Crossing("retrieval_spinodal", "load"), 0.01,
            "0.123, Hopfield's number: to visible units the hidden ones are nothing but couplings of Hebb's rule.",
            view=core.View(along="load"),
        ),
    )  # fmt: skip
    simulation = BoltzmannMachineSimulation

    @property
    def hidden_size(self) -> int:
        """N_h, the number of hidden units at this size; at least one."""
        return self.counted("load", self.size)

    @property
    def visible_fraction(self) -> float:
        """n_v."""
        return 1 / (1 + self.load)

    def realised(self) -> BoltzmannMachine:
        return self.with_simulated(load=self.hidden_size / self.size)

    def solve(self, points: Points) -> core.Solution:
        t, w, g, load = (np.ascontiguousarray(points[name], np.float64) for name in GIVEN)
        if self.hidden == "binary":
            table = np.stack([theory.states(t, w, g, load), disguises.one_layer(t, w, g, load)], axis=2)
            differ = (load != 1)[:, None] & (np.arange(2) == ONE_LAYER)
        else:
            table = np.repeat(disguises.hopfield(t, g, load)[:, :, None], 2, axis=2)
            differ = np.zeros((t.size, 2), bool)
        values = {name: table[k] for k, name in enumerate(theory.QUANTITIES) if self.applies(self.observable(name))}
        residual = table[theory.RESIDUAL]
        exists = ~np.isnan(residual)
        broken = values["replicon"] < 0
        stable = exists.copy()
        if self.hidden == "binary":  # what is unstable against the mode, or against freezing
            unmagnetized = ~exists[..., 0]
            stable[..., GLASS] &= unmagnetized
            stable[..., PARAMAGNET] &= unmagnetized & ~exists[..., GLASS]
        else:
            stable[..., PARAMAGNET] &= ~broken[..., PARAMAGNET]
        broken[..., PARAMAGNET] = False  # it is unstable, not badly described
        fails = {"replica_symmetry_broken": broken, "layers_differ": differ[..., None]}
        iterations = np.nan_to_num(table[theory.ITERATIONS]).astype(np.int64)
        return core.Solution(values, residual, stable=stable, iterations=iterations, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        m, q = state["overlap_visible"], state["freezing_visible"]
        t, w, g, n_v = self.temperature, self.mode_strength, self.noise, self.visible_fraction
        n_h = 1 - n_v
        if self.hidden == "gaussian":
            g = max(g, disguises.FAINT)
            a = direct_averages(g**2 * m, self._recall_noise(q), t)
            return {"(9), m": m - a.m, "(9), q": q - a.q}
        if state["method"] == "one_layer":  # of which eqs. (2) with equal layers speak
            w, g, n_v, n_h = 2 * w * math.sqrt(n_v * n_h), math.sqrt(2) * g * (n_v * n_h) ** 0.25, 0.5, 0.5
        m_h, q_h = state["overlap_hidden"], state["freezing_hidden"]
        v = direct_averages(w * n_h * m_h, g * math.sqrt(n_h * q_h), t)
        h = direct_averages(w * n_v * m, g * math.sqrt(n_v * q), t)
        loss = g**2 * n_v * n_h * (1 - q) * (1 - q_h) / (2 * t)
        f = w * n_v * n_h * m * m_h - loss - n_v * v.log_cosh - n_h * h.log_cosh
        return {
            "(2), m_v": m - v.m,
            "(2), q_v": q - v.q,
            "(2), m_h": m_h - h.m,
            "(2), q_h": q_h - h.q,
            "(3)": state["free_energy"] - f,
            "(6)": (state["replicon"] - 1) * t + g**2 * math.sqrt(n_v * n_h * v.quartic * h.quartic),
        }

    def _recall_noise(self, q: float) -> float:
        """Deviation of the field of a visible spin with Gaussian hidden units, eq. (9)."""
        g = max(self.noise, disguises.FAINT)
        return g**2 * math.sqrt(self.load * q) / (1 - g**2 * (1 - q) / self.temperature)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        chosen = {name: states.equilibrium[name] for name in ("ferromagnet", "spin_glass", "paramagnet")}
        if self.hidden == "gaussian":
            other = chosen["spin_glass"] | chosen["paramagnet"]
            return {"metastable_recall": states.exists["ferromagnet"] & other} | chosen
        return {"mixed": chosen["ferromagnet"] & (states.value("replicon", "ferromagnet") < 0)} | chosen

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        t, w, g, load = (np.ascontiguousarray(points[k], np.float64) for k in GIVEN)
        if name == "ferromagnetic_line":
            return theory.critical_modes(t, g, load)
        if name == "at_line":
            return theory.at_temperatures(w, g, load)
        root = np.sqrt(load) / (1 + load)
        if name == "glass_line":
            glass = g * np.sqrt(root)
            return np.where((glass > 0) & (w * root <= glass), glass, np.nan)
        kind = hebbian.BOUNDARIES.index(name.removeprefix("retrieval_") if name == "retrieval_at_line" else name)
        found, real, none = np.empty(t.size), np.empty(t.size, bool), np.zeros(t.size)
        hebbian.boundary_loads(kind, t / np.maximum(g, disguises.FAINT) ** 2, none, none, found, real)
        return found, real

    def landscape(self) -> core.Landscape:
        """Free energy along the likeness of the visible units, everything else settled."""
        if self.hidden == "gaussian":
            m = np.linspace(-1.1, 1.1, 220)
            free_energy = np.empty(m.size)
            unit = max(self.noise, disguises.FAINT) ** 2
            hebbian.valley(m, hebbian.At(self.temperature / unit, self.load, 0.0, 0.0), free_energy)
            return core.Landscape("overlap_visible", m, self.visible_fraction * unit * (free_energy - self.load / 2))
        return core.Landscape("overlap_visible", *theory.valley(self))

    def law(self) -> core.Law:
        """The fields of the hidden units; Gaussian ones: of all memories but the recalled one."""
        states = self.theory(method="two_layers", profiles=False)
        for branch in self.branches:  # a memory is never left, whatever has the lower free energy
            found = states.sel(branch=branch.name)
            m, q = float(found["overlap_visible"]), float(found["freezing_visible"])
            if not math.isnan(q):
                break
        else:
            raise core.NotOfferedError(self.title, "a law where no state is known")
        return theory.hidden_fields(self, m, q, max(self.noise, disguises.FAINT))

    def extent(self) -> str:
        return f"of {self.size:,} visible and {self.realised().hidden_size:,} hidden units"

    def caveat(self) -> str:
        if self.start == "random" and self.hidden == "gaussian":
            return "from random units no memory in particular is recalled"
        return "finite size, or a glass in which a run stays near its start"

    def footprint(self) -> int:
        return 4 * self.size * self.hidden_size + 64 * COPIES * (self.size + self.hidden_size)
