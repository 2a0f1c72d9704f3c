r"""Dense Hebbian network: memories of higher order, in numbers that pairwise couplings could never hold.

$N$ neurons $s_i=\pm1$ interact in groups of $p\ge3$. With the overlaps $m_\mu=N^{-1}\sum_i\xi_i^\mu s_i$ with $K$
memories $\xi^\mu$ (products of one neuron with itself left out),

$$H=-\frac Np\sum_{\mu=1}^Km_\mu^p,\qquad K=\alpha N^{p-1} \tag{1}$$

For $p=2$ this is the Hopfield network and $K$ of the order $N$; here it is $N^2$ and more: *ultra-storage*. All other
memories act on a neuron as a Gaussian field of variance $Sq^{p-1}$ with $S=(p-1)!\,\alpha$, without the feedback that
makes the Hopfield network special. With $z$ standard normal and $\overline{\,\cdot\,}$ its average, the
replica-symmetric theory of plain **storage** is

$$m=\overline{\tanh\frac hT},\qquad q=\overline{\tanh^2\frac hT},\qquad h=m^{p-1}+\sqrt{Sq^{p-1}}\,z \tag{2}$$

**Learning from examples.** The network may never see its memories, only $M$ noisy examples of each,
$\eta_i^{\mu a}=\pm\xi_i^\mu$ with probabilities $(1\pm r)/2$; $r$ is their quality. With
$n_{\mu a}=N^{-1}\sum_i\eta_i^{\mu a}s_i$, a teacher who says which examples belong together allows *supervised*
learning from their mean; without one, learning is *unsupervised*:

$$H_\text{sup}=-\frac N{p\,r^p}\sum_\mu\Big(\frac1M\sum_an_{\mu a}\Big)^p,\qquad
H_\text{uns}=-\frac N{p\,r^p}\sum_\mu\frac1M\sum_an_{\mu a}^p \tag{3}$$

A neuron then feels the examples' mean, $b=(2k-M)/(Mr)$ with $k$ binomial of mean $M(1+r)/2$, of average 1 and variance
$\rho=(1-r^2)/(Mr^2)$. The signal $\nu=\overline{b\tanh}$ is the overlap with the mean example over $r$, and

$$m=\overline{\tanh\frac hT},\quad\nu=\overline{b\tanh\frac hT},\quad q=\overline{\tanh^2\frac hT},\quad
h=b\,\nu^{p-1}+\sqrt{Sq^{p-1}}\,z \tag{4}$$

averaged over $b$ too. The crosstalk grows to $S_\text{sup}=(p-1)!\,\alpha\,(1+\rho)^p$ and
$S_\text{uns}=(p-1)!\,\alpha\,(1+\rho_p)$, $\rho_p=(1-r^{2p})/(Mr^{2p})$: without a teacher, examples are compared one
by one, and much worse once $r^{2p}M<1$. With few memories ($\alpha\to0$) even that can be afforded: *ultra-detection*.
For many examples $b$ becomes Gaussian and $\nu=m+\rho\,\nu^{p-1}(1-q)/T$, the form found in the literature
(`statistics="gaussian"`).

The free energy per neuron and the condition of stability are, with $C=(1-q)/T$,

$$f=\frac{p-1}p\nu^p-\frac{ST}{2p}\,C^2\sum_{k=1}^{p-1}kq^{k-1}-T\,\overline{\ln2\cosh\frac hT} \tag{5}$$

$$\lambda=T-\frac{(p-1)Sq^{p-2}}T\,\overline{\mathrm{sech}^4\frac hT}>0 \tag{6}$$

**One step of replica symmetry breaking** (`rsb_steps=1`) has states of overlap $q_1$ with themselves and $q_0$ with
each other, in clusters of size $x=\gamma T$:

$$f=\frac{p-1}p\nu^p-\frac S{2p}\Big[TC^2\sum_{k=1}^{p-1}kq_1^{k-1}-(p-1)\gamma(q_1^p-q_0^p)\Big]
-\frac1\gamma\overline{\ln\overline{(2\cosh\tfrac{h_1}T)^{x}}^{\,y}}^{\,z} \tag{7}$$

with $h_0=\nu^{p-1}+\sqrt{Sq_0^{p-1}+\rho\nu^{2p-2}}\,z$ and $h_1=h_0+\sqrt{S(q_1^{p-1}-q_0^{p-1})}\,y$, stationary in
$\nu$, $q_0$, $q_1$, $\gamma$. Without retrieval it is the $p$-spin glass of coupling $J=\sqrt{2S/p}$: at $T_s$ the
entropy of its states vanishes and the paramagnet freezes, discontinuously and without latent heat (a random first-order
transition); below $T_d>T_s$ the dynamics already does not equilibrate. Symmetry breaking matters where
retrieval ends: at $T=0$, $p=3$ symmetry predicts a capacity of $\alpha=0.126$, which would grow on heating; one step
gives 0.154, and no such oddity.

**Valid:** random memories, $N\to\infty$ at fixed $\alpha$; eqs. (4) hold at finite $M$ ($\lambda>0$; one step is
carried out for storage and Gaussian examples). At finite $N$ the crosstalk is not yet Gaussian, so a hundred
neurons agree with theory to some percent. **Digits are not random**: see the presets for what high orders make of that.

Sources: E. Gardner (1987) for storage; Agliari, Albanese, Alemanno, Alessandrelli, Barra et al. (2023) for examples and
for broken symmetry, there derived by interpolation; eqs. (4) at finite $M$ and (7) were derived for this page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families import memories as family
from mfexplore.families.replicas import p_body
from mfexplore.families.replicas.p_body import HIGHEST, LOWEST
from mfexplore.models.memory.dense_hebbian import boundaries, broken, symmetric
from mfexplore.models.memory.dense_hebbian.dynamics import DenseHebbianSimulation
from mfexplore.models.memory.dense_hebbian.restated import one_step_equations, symmetric_equations

MOST_EXAMPLES = 500
LEARNT = {"setting": ("unsupervised", "supervised")}


@dataclass(frozen=True)
class DenseHebbian(core.Model):
    temperature: float = core.control(
        0.2, 0.0, 1.5, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise in each neuron"
    )
    load: float = core.control(
        0.05, 0.0, 0.5, symbol=r"\alpha", role="load", step=0.0005, quenched=True, doc="memories K over Nᵖ⁻¹"
    )
    order: int = core.control(
        3, 3, HIGHEST, symbol="p", role="order", quenched=True, doc="how many neurons interact at once"
    )
    setting: str = core.choice(
        "storage", ("storage", "unsupervised", "supervised"),
        doc="memories given as such, or learnt from noisy examples, without or with a teacher who sorts them",
    )  # fmt: skip
    examples: int = core.control(
        50, 1, MOST_EXAMPLES, symbol="M", role="disorder", scale="log", quenched=True,
        doc="noisy examples of each memory", only=LEARNT,
    )  # fmt: skip
    quality: float = core.control(
        0.5, 0.05, 1.0, symbol="r", role="disorder", step=0.01, quenched=True,
        doc="overlap of an example with its memory", only=LEARNT,
    )  # fmt: skip
    statistics: str = core.choice(
        "binomial", {"binomial": "binomial", "gaussian": "Gaussian"}, part="theory",
        doc="theory of the mean of M examples: exact, or in the limit of many", only=LEARNT,
    )  # fmt: skip
    rsb_steps: int = core.control(
        0, 0, 1, symbol="k", role="order", part="theory", doc="steps of replica symmetry breaking in the theory",
        title="RSB steps",
    )  # fmt: skip
    memories: str = family.memories()
    size: int = core.control(
        128, 16, 2048, symbol="N", unit="neurons", role="size", scale="log", part="simulation", doc="neurons simulated"
    )
    corruption: float = family.corruption(0.1, "fraction of the memory flipped")

    version = 2
    tags = core.Tags("research", 20, ("phase transition", "memory"), ("replicas",))
    relations = (
        core.Relation(
            "builds on", "hopfield",
            "With groups of two instead of three and more the same energy is that of the Hopfield network.",
            here={"setting": "storage"},
        ),
        core.Relation(
            "has the same transition as", "p_spin",
            "What many memories do to a neuron without a signal is what random couplings do in the Ising p-spin "
            "glass, with temperature counted in the strength of the crosstalk.",
            here={"setting": "storage", "load": 0.2, "temperature": 0.5}, there={"kind": "ising"},
        ),
    )  # fmt: skip
    title = "Dense Hebbian network"
    summary = "Neurons in groups of three and more store memories by the square of their number, or see through noise."
    sources = (
        core.Source("E. Gardner, J. Phys. A 20, 3453 (1987)", doi="10.1088/0305-4470/20/11/046"),
        core.Source(
            "L. Albanese, F. Alemanno, A. Alessandrelli and A. Barra, Replica symmetry breaking in dense neural "
            "networks (2021)", arxiv="2111.12997",
        ),
        core.Source(
            "E. Agliari et al., Dense Hebbian neural networks: a replica symmetric picture of unsupervised learning, "
            "Physica A 627, 129143 (2023)", doi="10.1016/j.physa.2023.129143", arxiv="2211.14067",
        ),
        core.Source(
            "E. Agliari et al., Dense Hebbian neural networks: a replica symmetric picture of supervised learning, "
            "Physica A 626, 129076 (2023)", doi="10.1016/j.physa.2023.129076", arxiv="2212.00606",
        ),
    )  # fmt: skip
    observables = (
        core.Observable("overlap", "m", "likeness to the first memory", low=0, high=1),
        core.Observable(
            "edwards_anderson", "q", "how frozen the neurons are (with broken symmetry: q_1)", low=0, high=1,
            title="Edwards-Anderson",
        ),
        core.Observable(
            "overlap_0", "q_0", "overlap of different states of the same cluster (q without breaking)", low=0, high=1
        ),
        core.Observable("breakpoint", "x", "probability of different states, the Parisi parameter", low=0, high=1),
        core.Observable("signal", r"\nu", "overlap with the mean example over its quality", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per neuron, eqs. (5) and (7)", unit="J"),
        core.Observable("energy", "e", "energy per neuron", unit="J"),
        core.Observable("entropy", "s", "entropy per neuron; below zero the theory is wrong", signed=True),
        core.Observable(
            "replicon", r"\lambda", "replica symmetry (or its one breaking) holds where positive", signed=True
        ),
    )  # fmt: skip
    branches = family.BRANCHES
    phases = family.phases(
        "The neurons freeze, all at once and nearly completely, into states that resemble no memory.", "another state"
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken",
            "Eq. (6) is negative: the state falls apart into more states than the theory (of none or one step) allows.",
        ),
        core.Failure(
            "paramagnet_frozen", "Here the paramagnet would have fewer states than one: it has frozen into the glass."
        ),
        family.correlated("."),
    )
    landmarks = (
        core.Landmark(
            "glass_transition", "T_s", "below it the paramagnet is frozen (one step of broken symmetry)", of="load"
        ),
        core.Landmark(
            "dynamic_transition", "T_d", "below it the dynamics gets stuck before it freezes", continuous=False,
            of="load",
        ),
        core.Landmark(
            "retrieval_transition", "T_c", "below it memories have the lowest free energy", continuous=False, of="load",
            finest=33,
        ),
        core.Landmark("retrieval_spinodal", "T_M", "above it no memory is recalled", of="load", finest=33),
        core.Landmark(
            "at_line", "T_R", "below it replica symmetry breaks in the memories", continuous=False, of="load",
            title="AT line",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("load", "temperature", "overlap", branch="retrieval", y_range=(0.0, 0.7)),
        core.Plane("quality", "load", "overlap", branch="retrieval", only=LEARNT),
        core.Plane("quality", "examples", "overlap", branch="retrieval", only=LEARNT),
    )
    presets = (
        core.Preset(
            "ultra-storage", {"load": 0.05, "size": 256, "corruption": 0.2},
            "256 neurons recall one of 3277 memories from a copy with 20 % errors; pairwise couplings would hold 35.",
            (core.Promise(core.Mean("overlap", 10, 20), 1.0, 0.05),),
        ),
        core.Preset(
            "higher order", {"order": 4, "load": 0.008, "size": 128, "corruption": 0.15},
            "Groups of four: 128 neurons hold 16777 memories, yet a cue must be better than for groups of three.",
        ),
        core.Preset(
            "with a teacher",
            {"temperature": 0.1, "load": 0.005, "setting": "supervised", "examples": 20, "quality": 0.4, "size": 300},
            "The network saw only examples with 30 % errors and recalls what it never saw, up to 4 %.",
            view=core.View(plane=("quality", "load")),
        ),
        core.Preset(
            "without a teacher",
            {"temperature": 0.1, "load": 0.005, "setting": "unsupervised", "examples": 20, "quality": 0.4, "size": 300},
            "The same examples unsorted: the variance of the crosstalk is 6.5 times larger, and a little more is lost.",
            view=core.View(plane=("quality", "load")),
        ),
        core.Preset(
            "ultra-detection",
            {
                "temperature": 0.1, "load": 3 / 300**3, "order": 4, "setting": "unsupervised", "examples": 300,
                "quality": 0.2, "size": 300,
            },
            "Every example has 40 % of its neurons wrong; with few memories the network sees through the noise.",
            view=core.View(plane=("quality", "examples")),
        ),
        core.Preset(
            "broken symmetry",
            {"temperature": 0.05, "load": 0.145, "rsb_steps": 1, "size": 400, "corruption": 0.02},
            "Beyond the capacity of the symmetric theory (0.133 here) the memory stays: set rsb_steps to 0, and theory "
            "loses it.",
            (core.Promise(core.Crossing("retrieval_spinodal", "load"), 0.133, 0.0005, {"rsb_steps": 0}),),
        ),
        core.Preset(
            "ten digits", {
                "temperature": 0.02, "load": 10 / 400**5, "order": 6, "memories": "digits", "size": 400,
                "corruption": 0.25,
            },
            "All ten digits, which a Hopfield network melts into one blot: at order 6 likeness of a half counts 1/32.",
        ),
        core.Preset(
            "digits from examples", {
                "temperature": 0.05, "load": 4 / 400**5, "order": 6, "memories": "digits", "setting": "supervised",
                "examples": 100, "size": 400, "corruption": 0.2,
            },
            "Taught by a hundred handwritings of each of four digits, the network completes the typical one.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "capacity at T = 0, order 3", 0.1260952153853357, 1e-12, "max over y of erf(y)^4/(2 y^2)/2!",
            core.Crossing("retrieval_spinodal", "load"), {"temperature": 0.0}, view=core.View(along="load"),
        ),
        core.Reference(
            "capacity at T = 0, order 4", 0.03297668653256358, 1e-12, "max over y of erf(y)^6/(2 y^2)/3!",
            core.Crossing("retrieval_spinodal", "load"), {"temperature": 0.0, "order": 4}, view=core.View(along="load"),
        ),
        core.Reference(
            "overlap at T = 0.3, near the end of retrieval", 0.863812754480256, 1e-9,
            "iteration of eqs. (2) from m = q = 1",
            core.Value("overlap", "retrieval"), {"temperature": 0.3, "load": 0.125},
        ),
        core.Reference(
            "highest temperature of one memory alone", 0.5825829083651486, 1e-9, "spinodal of m = tanh(m^2/T)",
            core.Crossing("retrieval_spinodal", "temperature"), {"load": 0.0},
        ),
        core.Reference(
            "overlap learnt from 10 examples of quality 0.5", 0.8611612842, 1e-9, "eqs. (4); simulation of 900 neurons "
            "gives 0.858(10)", core.Value("overlap", "retrieval"),
            {"temperature": 0.2, "load": 0.025, "setting": "supervised", "examples": 10, "quality": 0.5},
            view=core.View(plane=("quality", "load")),
        ),
        core.Reference(
            "T_s of the 3-spin glass, over J = 1/sqrt(2)", 0.6513852269 / math.sqrt(2), 1e-8,
            "zero of the complexity of the p-spin glass, 0.6513852269 J",
            core.Crossing("glass_transition", "temperature"), {"load": 0.375},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At zero temperature, order 3: how many memories (over N²) can be stored, by the symmetric theory?",
            {"temperature": 0.0, "load": 0.05}, "load", core.Crossing("retrieval_spinodal", "load"), 0.01,
            "0.126 N^2: of 1000 neurons, 126 000 memories. Allow one step of symmetry breaking, and it is 0.154 N^2.",
            view=core.View(along="load"),
        ),
        core.Task(
            "Without a teacher, with 20 examples of each memory: how good must the examples be (r) to be learnt from?",
            {"temperature": 0.1, "load": 0.005, "setting": "unsupervised", "examples": 20, "quality": 0.8}, "quality",
            core.Crossing("retrieval_spinodal", "quality"), 0.04,
            "Pairs of examples are compared p at a time, so their quality enters as r^(2p): the threshold is sharp.",
            view=core.View(plane=("quality", "load"), along="quality"),
        ),
    )  # fmt: skip
    simulation = DenseHebbianSimulation

    @property
    def memory_count(self) -> int:
        """K, the number of memories at this size, at least one; of digits to be learnt there are only ten."""
        count = self.counted("load", float(self.size) ** (self.order - 1))
        return min(count, 10) if self.memories == "digits" and self.setting != "storage" else count

    @property
    def example_count(self) -> int:
        """M in the simulation; of real digits there are at most 174 images each."""
        return min(self.examples, 174) if self.memories == "digits" else self.examples

    def realised(self) -> DenseHebbian:
        return self.with_simulated(
            load=self.memory_count / float(self.size) ** (self.order - 1), examples=self.example_count,
            corruption=round(self.corruption * self.size) / self.size,
        )  # fmt: skip

    @property
    def pattern_count(self) -> int:
        """How many patterns the simulation has to sum over."""
        return self.memory_count * (self.example_count if self.setting == "unsupervised" else 1)

    def range(self, plane: core.Plane, axis: str) -> tuple[float, float]:
        """The load at which memories drown falls with the order and with bad examples; the picture follows it."""
        if getattr(plane, axis) != "load":
            return super().range(plane, axis)
        quality = 1.0 if "quality" in (plane.x, plane.y) else self.quality
        _, per_load = self.crosstalk(np.array([self.order]), np.array([self.examples]), np.array([quality]))
        return 0.0, float(min(0.4 / per_load[0], self.control("load").bounds[1]))

    def crosstalk(self, order: Array, examples: Array, quality: Array) -> tuple[Array, Array]:
        """The spread rho and S over load at arrays of controls, see below eq. (4)."""
        groups = np.array([math.factorial(p - 1) for p in range(HIGHEST + 1) if p > 0], float)[order - 1]
        if self.setting == "storage":
            return np.zeros(order.size), groups
        spread = (1 - quality**2) / (examples * quality**2)
        if self.setting == "supervised":
            return spread, groups * (1 + spread) ** order
        return spread, groups * (1 + (1 - quality ** (2 * order)) / (examples * quality ** (2 * order)))

    def _columns(self, points: Points) -> tuple[symmetric.Columns, Array]:
        """What kernels want to know of a batch of points, and S over the load there."""
        temperature, quality = (np.ascontiguousarray(points[name], np.float64) for name in ("temperature", "quality"))
        order, examples = (np.ascontiguousarray(points[name], np.int64) for name in ("order", "examples"))
        spread, per_load = self.crosstalk(order, examples, quality)
        binomial = self.setting != "storage" and self.statistics == "binomial"
        allowed = np.ascontiguousarray(points["rsb_steps"] > 0)
        return symmetric.Columns(
            temperature, order, spread, examples, quality, allowed, binomial, p_body.lines()
        ), per_load

    def solve(self, points: Points) -> core.Solution:
        columns, per_load = self._columns(points)
        strength = points["load"] * per_load
        table = np.full((symmetric.ROWS, strength.size, len(self.branches)), np.nan)
        symmetric.solve_points(columns, strength, table)
        if not columns.binomial:
            broken.break_symmetry(columns, strength, table)
        values = dict(zip(symmetric.QUANTITIES, table, strict=False))
        residual = table[symmetric.RESIDUAL]
        freezing = p_body.lines()[columns.order - LOWEST, 0, p_body.STATIC] * np.sqrt(2 * strength / columns.order)
        frozen = columns.temperature < freezing
        unstable = values["replicon"] < 0
        unstable[:, family.PARAMAGNET] = False
        stable = np.ones(residual.shape, bool)
        stable[:, family.PARAMAGNET] = ~np.where(columns.broken, frozen, np.isfinite(residual[:, family.GLASS]))
        fails = {
            "replica_symmetry_broken": unstable,
            "paramagnet_frozen": self.on("paramagnet", frozen),
            "memories_are_correlated": np.full(residual.shape, self.memories == "digits"),
        }
        iterations = np.nan_to_num(table[symmetric.ITERATIONS]).astype(np.int64)
        return core.Solution(values, residual, stable, iterations=iterations, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if self.rsb_steps > 0 and state["overlap_0"] < state["edwards_anderson"]:
            return one_step_equations(self, state)
        return symmetric_equations(self, state)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        frozen = states.solution.fails["paramagnet_frozen"][:, family.PARAMAGNET]
        phases = family.classify(states)
        return phases | {"spin_glass": phases["spin_glass"] | (states.equilibrium["paramagnet"] & frozen)}

    def boundary(self, name: str, points: Points) -> tuple[Array, Array]:
        columns, per_load = self._columns(points)
        n = per_load.size
        if name in ("glass_transition", "dynamic_transition"):
            which = p_body.STATIC if name == "glass_transition" else p_body.DYNAMIC
            at = p_body.lines()[columns.order - LOWEST, 0, which]
            return 0.5 * columns.order * (columns.temperature / at) ** 2 / per_load, np.ones(n, bool)
        strengths, real = np.empty(n), np.empty(n, bool)
        boundaries.boundary_points(boundaries.BOUNDARIES.index(name), columns, strengths, real)
        if name != "at_line" and not columns.binomial:
            boundaries.correct_boundary(name == "retrieval_transition", columns, strengths, real)
        return strengths / per_load, real

    def caveat(self) -> str:
        return "a few hundred neurons lose a memory before infinitely many do, and their crosstalk is not Gaussian"

    def footprint(self) -> int:
        entries = self.size * self.pattern_count
        drawn = self.size * self.memory_count * 16 if self.setting == "supervised" else 0
        return entries * (6 if self.setting != "storage" else 1) + drawn + 40 * (self.size + self.pattern_count)
