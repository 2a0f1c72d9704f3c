r"""Phases from local fields: one configuration of a spin glass, no replicas, and the fields its spins feel.

$N$ Ising spins with the energy

$$H=-\sum_{i<j}J_{ij}s_is_j,\qquad \overline{J_{ij}}=\frac{J_0}N,\quad\overline{(\delta J_{ij})^2}=\frac1N \tag{1}$$

(Sherrington and Kirkpatrick) are a paramagnet, a spin glass, a ferromagnet or both of the last (mixed). In a spin glass
no order is to be seen: every theory of it compares *replicas*, copies with the same couplings. But one configuration
knows more than its spins. Each spin feels a *local field*

$$h_i=\sum_jJ_{ij}s_j \tag{2}$$

and integration by parts over the couplings turns the first two moments of these fields into replicas:

$$\overline h=(J_0+\chi)m,\qquad\overline{h^2}-\overline h^2=
1+\frac1{T^2}\big(1-3\langle q_{12}^2\rangle+2\langle q_{12}q_{23}q_{31}\rangle\big)-\chi^2m^2 \tag{3}$$

with the magnetization $m$, the susceptibility $\chi=\frac1T(1-\langle q_{12}\rangle)$ and overlaps of two and of three
copies. They cost one configuration.

**Naming the phase.** Mean zero: paramagnet if the variance is below 2, spin glass if above, for in a paramagnet it is
$1+1/T^2$ and the glass begins at $T=1$. Not zero: ferromagnet or mixed, and the border is the image of the line of
de Almeida and Thouless, where replica symmetry ($\chi=(1-q)/T$) still holds,

$$\overline{h^2}-\overline h^2=1+\frac{(1-q)^2(1+2q)}{T^2}-\frac{(1-q)^2m^2}{T^2},\qquad
\frac1{T^2}\overline{\mathrm{sech}^4\frac{J_0m+\sqrt q\,z}T}=1 \tag{4}$$

Neither temperature nor bias need be known. At the border nothing jumps, nor does the slope: as a function of $T$ the
variance has the slope $-2$ on both sides of $T=1$, and only its curvature changes.

**The law of the field.** In one state a spin without its own influence would feel $y$; with it,

$$P(h)=e^{-(1-q)/2T^2}\cosh\frac hT\int\!dy\,P(y)\,\frac{e^{-(h-y)^2/2(1-q)}}{\sqrt{2\pi(1-q)}\,\cosh(y/T)} \tag{5}$$

where $q$ is the overlap of a state with itself. In replica symmetry $P(y)$ is normal, with mean $J_0m$ and variance
$q$; with steps of replica symmetry breaking it is the end of the tree of states. In the cold a *hole* opens at $h=0$:
no spin is left that hardly minds. Replica symmetry opens it too far, to a gap of half width $\sqrt{2/\pi}$ at $T=0$; in
Parisi's solution $P(h)\propto|h|$, just enough for a state to be stable.

**Valid:** replica symmetry above the line of de Almeida and Thouless; below, two steps (method *parisi*) err in the
variance by less than 0.004, and the law (5) is drawn with eight. All of it as $N\to\infty$: the mean of $N$ fields
scatters, so that here what lies within three standard errors of zero is called zero, and near the borders names are
blurred. They are right up to a bias of about 1.7: beyond, a warm ferromagnet has the same two moments as a cold mixed
state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.families.replicas.failure import temperature_of_failure
from mfexplore.families.replicas.steps import order_parameter, solve
from mfexplore.families.replicas.symmetric import (
    BREAKPOINT,
    ENERGY,
    FERROMAGNET,
    FIRST,
    LAST,
    MAGNETIZATION,
    OVERLAP,
    PARAMAGNET,
    REPLICON,
    SPIN_GLASS,
)
from mfexplore.models.glasses.local_field_phases.dynamics import LEVELS, OneConfiguration
from mfexplore.models.glasses.local_field_phases.theory import (
    FIELDS,
    NAMES,
    end_of_tree,
    field_density,
    moments,
    named,
    true_phases,
)

STEPS = 2  # of replica symmetry breaking: the most that are optimised in full, so that eq. (3) holds for them
LAW_STEPS = 8  # of the law: a hole has a bottom only where states differ in many ways
NAMING = core.View(series="field_variance", picture="naming")


@dataclass(frozen=True)
class LocalFieldPhases(core.Model):
    temperature: float = core.control(
        0.4, 0.05, 2.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="thermal noise in each spin"
    )
    ferromagnetic_bias: float = core.control(
        0.0, 0.0, 2.0, symbol="J_0", unit="J", role="disorder", step=0.01,
        doc="mean of the couplings; their standard deviation is J = 1",
    )  # fmt: skip
    size: int = core.control(
        512, 16, 8192, symbol="N", unit="spins", role="size", scale="log", part="simulation", doc="spins simulated"
    )
    start: str = core.choice(
        "random", ("random", "up"), role="start", part="simulation", doc="state the simulation starts from"
    )

    tags = core.Tags("research", 20, ("phase transition", "glass"), ("replicas", "Monte Carlo"))
    relations = (
        core.Relation(
            "looks differently at", "sherrington_kirkpatrick",
            "The phases of the same model, told from the fields in one configuration instead of the overlaps of "
            "replicas.",
        ),
    )  # fmt: skip
    title = "Phases from local fields"
    summary = "Mean and variance of the fields in one configuration tell which phase it is from, without any replica."
    sources = (
        core.Source("Single replica spin-glass phase detection using field variation and machine learning"),
        core.Source(
            "D. Sherrington and S. Kirkpatrick, Phys. Rev. Lett. 35, 1792 (1975)", doi="10.1103/PhysRevLett.35.1792"
        ),
        core.Source(
            "D. J. Thouless, P. W. Anderson, R. G. Palmer, Phil. Mag. 35, 593 (1977)", doi="10.1080/14786437708235992"
        ),
        core.Source("M. Mézard et al., J. Physique 45, 843 (1984)", doi="10.1051/jphys:01984004505084300"),
    )
    observables = (
        core.Observable("field_mean", r"\overline h", "mean local field (its size)", unit="J", low=0, high=3),
        core.Observable(
            "field_variance", r"\sigma_h^2", "variance of the local fields of one configuration, "
            "eq. (3)", unit="J^2", low=0.9, high=3.1,
        ),
        core.Observable("alignment", r"\overline{hs}", "mean of field times spin: minus twice the energy", low=0),
        core.Observable("magnetization", "m", "mean spin (its size)", low=0, high=1),
        core.Observable("overlap", r"\langle q\rangle", "mean overlap of two copies (not needed)", low=0, high=1),
        core.Observable(
            "recognised", "R", "share of configurations whose phase is named rightly; 0 in theory where two "
            "phases have the same moments", low=0, high=1,
        ),
        core.Observable("field_density", "P(h)", "density of the local fields, eq. (5)", low=0, over="local_field"),
    )  # fmt: skip
    coordinates = (core.Coordinate("local_field", "h", "field of a spin, with the majority of spins up", unit="J"),)
    methods = (
        core.Method("parisi", "two steps of replica symmetry breaking; the law with eight", title="Parisi"),
        core.Method("replica_symmetric", "one overlap: right above the line of de Almeida and Thouless"),
    )
    branches = (
        core.Branch("paramagnet", "no spin is preferred"),
        core.Branch("spin_glass", "spins are frozen without a common direction"),
        core.Branch("ferromagnet", "magnetized"),
    )
    phases = (
        core.Phase("paramagnet", "The fields have mean zero and a variance below 2."),
        core.Phase("spin_glass", "Mean zero, yet a variance above 2: the spins have arranged with their fields."),
        core.Phase("ferromagnet", "The fields share a direction, and their variance is below that of any glass."),
        core.Phase("mixed", "A common direction and a large variance: magnetized, and a glass as well."),
    )
    failures = (
        core.Failure(
            "ambiguous", "These two moments would be taken for those of another phase: where the bias is large, mean "
            "and variance do not tell a warm ferromagnet from a cold mixed state.",
        ),
        core.Failure(
            "replica_symmetry_broken", "Below the line of de Almeida and Thouless one overlap is not enough: the hole "
            "in the law of the field comes out too wide.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "glass_line", r"T_{\rm AT}", "below it spins freeze into many states", of="temperature"
        ),
        core.Landmark(
            "ferromagnetic_line", r"J_0^{\rm F}", "magnetized to the right: 1 in the cold, else T (exact)",
            of="ferromagnetic_bias",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("ferromagnetic_bias", "temperature", "field_variance", finest=129),
        core.Plane("ferromagnetic_bias", "temperature", "field_mean", finest=129),
    )
    presets = (
        core.Preset(
            "spin glass", {"temperature": 0.4},
            "The spins show no order, yet their fields give the glass away: mean zero, but a variance of 2.85.",
            (core.Promise(core.Value("field_variance"), 2.85, 0.01),
             core.Promise(core.Mean("field_variance", 100, 200), 2.85, 0.15)),
            NAMING,
        ),
        core.Preset(
            "paramagnet", {"temperature": 1.5},
            "It looks the same as the glass. The variance, 1.44, lies below 2, and so do all points.",
            (core.Promise(core.Value("field_variance"), 1.44, 0.005),
             core.Promise(core.Mean("field_variance", 100, 200), 1.44, 0.1)),
            NAMING,
        ),
        core.Preset(
            "ferromagnet", {"temperature": 1.0, "ferromagnetic_bias": 1.5, "size": 1024, "start": "up"},
            "The points go to the right, to a mean around 1.13 (other couplings, another mean), far below the glass.",
            (core.Promise(core.Value("field_mean"), 1.13, 0.005),
             core.Promise(core.Mean("field_mean", 100, 200), 1.13, 0.3)),
            NAMING,
        ),
        core.Preset(
            "mixed", {"temperature": 0.2, "ferromagnetic_bias": 1.15, "size": 2048},
            "Magnetized and a glass at once: to the right, and above the border. Raise the temperature, and the points "
            "sink through it at 0.59.",
            (core.Promise(core.Crossing("glass_line", "temperature"), 0.59, 0.005),
             core.Promise(core.Mean("recognised", 150, 200), 1.0, 0.05)),
            NAMING,
        ),
        core.Preset(
            "the hole", {"temperature": 0.1, "size": 2048},
            "Hardly a spin is left in a field near zero: 0.024 per unit by Parisi, and the run comes near it. Replica "
            "symmetry leaves a tenth of that.",
            (core.Promise(core.Value("field_density", None, "parisi", 0.0), 0.024, 0.0005),
             core.Promise(core.Value("field_density", None, "replica_symmetric", 0.0), 0.0025, 0.0005)),
            core.View(function="field_density", series="alignment", picture="naming"),
        ),
        core.Preset(
            "a wrong name", {"temperature": 1.05, "ferromagnetic_bias": 2.0, "size": 2048, "start": "up"},
            "A ferromagnet, but with so large a bias its two moments lie a little above the border: theory would call "
            "it mixed, and 2048 spins are named by chance.",
            (core.Promise(core.Value("recognised"), 0.0, 1e-9),),
            core.View(colour="recognised", series="recognised", picture="naming"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "variance in the ferromagnet, $T=1.2$, $J_0=1.5$", 1.4845797801725131, 1e-9, "joint law of field and spin",
            core.Value("field_variance"), {"temperature": 1.2, "ferromagnetic_bias": 1.5},
        ),
        core.Reference(
            "variance of replica symmetry at $T=0.5$", 2.818014, 1e-6, "closed form, solved independently",
            core.Value("field_variance", None, "replica_symmetric"), {"temperature": 0.5},
        ),
        core.Reference(
            "density at zero at $T=1.5$", 0.3194480, 1e-6, r"$\phi(1/T)$",
            core.Value("field_density", None, None, 0.0), {"temperature": 1.5},
        ),
        core.Reference(
            "alignment in the cold: twice the energy of the ground state", 1.526333453, 1e-3,
            "Oppermann and Schmidt, Phys. Rev. E 78, 061124 (2008)", core.Value("alignment"), {"temperature": 0.05},
            published=True,
        ),
        core.Reference(
            "glass line at $J_0=1.5$", 0.2750286792437338, 1e-9, "de Almeida and Thouless",
            core.Crossing("glass_line", "temperature"), {"ferromagnetic_bias": 1.5},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "In one configuration without a bias the fields have the mean 0 and the variance 1.64. Which temperature "
            "is it from?",
            {"temperature": 0.7}, "temperature", lambda model: 1 / math.sqrt(0.64), 0.05,
            "Below 2 it is a paramagnet, where spins do not yet care for their own influence: 1 + 1/T^2 = 1.64.",
            view=NAMING,
        ),
        core.Task(
            "At T = 0.2 the bias is lowered from 1.5. Where does the mean of the fields vanish?",
            {"temperature": 0.2, "ferromagnetic_bias": 1.5}, "ferromagnetic_bias",
            core.Crossing("ferromagnetic_line", "ferromagnetic_bias"), 0.05,
            "At 1, as at every temperature below: in the glass the susceptibility is 1 throughout. Replica symmetry "
            "says 1.16.",
            view=core.View(colour="field_mean", along="ferromagnetic_bias", series="field_mean", picture="naming"),
        ),
    )  # fmt: skip
    simulation = OneConfiguration

    @property
    def true_phase(self) -> str:
        """Its name, from the exact lines."""
        points = columns(self, {})
        return NAMES[int(true_phases(points["temperature"], points["ferromagnetic_bias"])[0])]

    def solve(self, points: Points) -> core.Solution:
        t, j = points["temperature"], points["ferromagnetic_bias"]
        tables, residuals = [], []
        for steps in (STEPS, 0):
            table, residual, _ = solve(np.full(t.size, steps), t, 0 * t, j)
            tables.append(table)
            residuals.append(residual)
        table, residual = np.stack(tables, axis=1), np.stack(residuals, axis=1)  # (n, methods, branches, columns)
        mean, variance = moments(t[:, None, None], j[:, None, None], table)
        there = ~np.isnan(residual)
        with np.errstate(invalid="ignore"):
            recognised = named(mean, variance, 1e-9) == true_phases(t, j)[:, None, None]
            broken = table[..., REPLICON] < 0
        values = {
            "field_mean": mean,
            "field_variance": variance,
            "alignment": -2 * table[..., ENERGY],
            "magnetization": table[..., MAGNETIZATION],
            "overlap": table[..., OVERLAP],
            "recognised": np.where(there, recognised, np.nan),
        }
        stable = there.copy()
        stable[..., PARAMAGNET] &= ~there[..., SPIN_GLASS] & ~there[..., FERROMAGNET]
        stable[..., SPIN_GLASS] &= ~there[..., FERROMAGNET]
        symmetric = np.arange(2)[:, None] == 1
        fails = {"replica_symmetry_broken": broken & symmetric, "ambiguous": stable & ~recognised}
        return core.Solution(values, residual, stable=stable, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """Eq. (3) by the moments of the law that eq. (5) stands for."""
        t = self.temperature
        tree = self._tree(str(state["method"]), str(state["branch"]), STEPS)
        found = end_of_tree(t, self.ferromagnetic_bias * state["magnetization"], *tree)
        if found is None:
            return {}
        (y, density), rest = found, (1 - tree[0][-1]) / t
        weight, tanh = density * (y[1] - y[0]), np.tanh(y / t)
        mean, aligned = float(weight @ y) + rest * float(weight @ tanh), float(weight @ (y * tanh))
        square = float(weight @ y**2) + 2 * rest * aligned + rest**2 + t * rest
        return {
            "(3) mean": state["field_mean"] - mean,
            "(3) variance": state["field_variance"] - (square - mean**2),
            "(2) alignment": state["alignment"] - (aligned + rest),
            "(4) m": state["magnetization"] - float(weight @ tanh),
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        phase = true_phases(points["temperature"], points["ferromagnetic_bias"])
        return {name: phase == k for k, name in enumerate(NAMES)}

    def boundary(self, name: str, points: Points) -> Array:
        if name == "ferromagnetic_line":
            return np.maximum(1.0, points["temperature"])
        bias = points["ferromagnetic_bias"]
        return temperature_of_failure(0 * bias, bias, False)

    def theory_of_all_temperatures(self) -> tuple[Array, Array]:
        """Mean and variance at this bias, from the coldest to the hottest."""
        return _at_bias(self.replace(size=16, temperature=1.0, start="up"))

    def _tree(self, method: str, branch: str, steps: int) -> tuple[Array, Array]:
        """(q_0 ... q_k, 0 = x_0 ... x_k, 1) of a state."""
        t, j = np.array([self.temperature]), np.array([self.ferromagnetic_bias])
        most = steps if method == "parisi" else 0
        table, _, _ = solve(np.array([min(most, STEPS)]), t, 0 * t, j)
        row = table[0, [b.name for b in self.branches].index(branch)]
        if row[FIRST] == row[LAST]:
            return np.array([row[LAST]]), np.array([0.0, 1.0])
        total = self.ferromagnetic_bias * float(row[MAGNETIZATION])
        q, x = order_parameter(most, self.temperature, total)
        if most == STEPS and abs(x[-2] - row[BREAKPOINT]) > 1e-6:  # fewer were enough where m was unknown
            q, x = order_parameter(1, self.temperature, total)
        return q, x

    def _densities(self, branch: str) -> Array:
        """The law of the field by all methods, shape (methods, n); NaN where the grid were too fine."""
        found = np.full((len(self.methods), FIELDS.size), np.nan)
        m = self.theory(profiles=False)["magnetization"].sel(branch=branch)
        for k, method in enumerate(self.methods):
            magnetization = float(m.isel(method=k))
            if math.isnan(magnetization):
                continue
            tree = self._tree(method.name, branch, LAW_STEPS)
            end = end_of_tree(self.temperature, self.ferromagnetic_bias * magnetization, *tree)
            if end is not None:
                found[k] = field_density(self.temperature, float(tree[0][-1]), *end)
        return found

    def profiles(self) -> dict[str, core.Profile]:
        values = np.stack([self._densities(branch.name) for branch in self.branches], axis=1)
        return {"field_density": core.Profile(FIELDS, values)}

    def laws(self, time: float) -> tuple[core.Law, ...]:
        found = []
        for k, method in enumerate(self.methods):
            branch = str(self.equilibrium(method=method.name, profiles=False)["branch"].values)
            density = self._densities(branch)[k]
            if np.isfinite(density).all():
                found.append(core.Law("local_field", FIELDS, density, method.doc, method=method.name))
        if not found:
            raise core.NotOfferedError(self.title, "a law of the field where two overlaps are so close")
        return tuple(found)

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def caveat(self) -> str:
        return "corrections of order 1/N^(2/3) at finite size, near a border also of 1/N^(1/3), or no equilibrium yet"

    def footprint(self) -> int:
        return 2 * self.size**2 + 8 * LEVELS * self.size + 2**16


@cache
def _at_bias(model: LocalFieldPhases) -> tuple[Array, Array]:
    theory = model.equilibrium(method="parisi", profiles=False, temperature=np.linspace(0.05, 2.0, 40))
    return theory["field_mean"].values, theory["field_variance"].values
