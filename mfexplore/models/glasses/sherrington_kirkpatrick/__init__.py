r"""Sherrington-Kirkpatrick spin glass: every spin coupled to every other, at random.

$N$ Ising spins $s_i=\pm1$ with the energy

$$H=-\sum_{i<j}J_{ij}s_is_j-h\sum_is_i,\qquad \overline{J_{ij}}=\frac{J_0}N,\quad
\overline{(\delta J_{ij})^2}=\frac1N \tag{1}$$

**Replica symmetry.** If two copies of the system at the same couplings always have the overlap
$q=\frac1N\sum_is_i^{(1)}s_i^{(2)}$, each spin feels a field $H+\sqrt q\,z$, $z$ standard normal, and

$$q=\overline{\tanh^2\frac{H+\sqrt q\,z}T},\qquad m=\overline{\tanh\frac{H+\sqrt q\,z}T},\qquad H=h+J_0m \tag{2}$$

$$f=-\frac{(1-q)^2}{4T}+\frac{J_0m^2}2-T\,\overline{\ln2\cosh\frac{H+\sqrt q\,z}T} \tag{3}$$

to be *maximised* over $q$ (the number of pairs of replicas turns negative as $n\to0$). This fails below the line of de
Almeida and Thouless, where the replicon eigenvalue turns negative,

$$\lambda=1-\frac1{T^2}\,\overline{\mathrm{sech}^4\frac{H+\sqrt q\,z}T}<0 \tag{4}$$

and, worse, its entropy falls to $-1/2\pi$ at $T=0$.

**Breaking the symmetry.** In truth there are many states, and the overlap has a distribution. Parisi's order parameter
$x(q)$ is the probability that two copies overlap less than $q$. With $k$ steps it jumps at $q_0<\dots<q_k$ between the
values $0=x_0<x_1<\dots<x_k<1$; with $\gamma_i=x_i/T$ and the nested averages

$$\Phi_{i-1}(y)=\frac1{\gamma_i}\ln\overline{e^{\gamma_i\Phi_i(y+\sqrt{q_i-q_{i-1}}\,z)}},\qquad
\Phi_k(y)=T\ln2\cosh\frac yT \tag{5}$$

$$f=\frac{J_0m^2}2-\overline{\Phi_0(H+\sqrt{q_0}\,z)}-\frac{(1-q_k)^2}{4T}+\frac14\sum_{i=1}^k\gamma_i(q_i^2-q_{i-1}^2)
\tag{6}$$

again maximal over all $q_i$ and $\gamma_i$. Stationarity reads $q_i=\langle\Phi_i'^2\rangle_i$ and
$\langle\Phi_i\rangle_i-\langle\Phi_{i-1}\rangle_{i-1}=\frac14\gamma_i(q_i^2-q_{i-1}^2)$ in the tilted averages that
(5) defines. As $k\to\infty$ this is the exact solution (Parisi 1980, Talagrand 2006); $f$ approaches it as $k^{-4}$.
Here one and two steps are optimised fully; from three on the $q_i$ between the first and the last are placed in
advance, on the scale on which $x(q)$ varies, and everything else is optimised: a convex problem.

**Regions.** Without a field: paramagnet above $T=\max(1,J_0)$; below, a spin glass with $q>0$ but $m=0$, or a
ferromagnet where $J_0\chi>1$, $\chi=\frac1T(1-\int q\,dx)$. Below the line (4) with $m>0$ the ferromagnet is also a
glass (mixed). Replica symmetry lets the spin glass reach up to $J_0=\sqrt{\pi/2}$ at $T=0$; exactly $\chi=1$ throughout
the spin glass, so the true border is the vertical line $J_0=1$, which $k$ steps approach. In a field only the glass is
a broken symmetry; a state is called a ferromagnet here if it would stay magnetized without the field.

**Valid:** replica symmetry above the line (4); below, $k$ steps err in $f$ at $T=0.5$ by $3\cdot10^{-5}$ (1),
$5\cdot10^{-6}$ (2) and less than $10^{-7}$ (from 8 on), at $T=0$ by 0.0021 (1), 0.0004 (2) and 0.000002 (12).
All of it as $N\to\infty$: at finite $N$ the energy lies higher by about $0.7N^{-2/3}$ and the peaks of $P(q)$ are
broad. In equilibrium the average over Gaussian couplings obeys $e+hm=-\frac1{2T}(1-\overline{\langle q^2\rangle})$ at
any $N$ (if $J_0=0$): a simulation that departs from it has not equilibrated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.distinct import distinct
from mfexplore.core.solution import columns
from mfexplore.families.replicas.failure import temperature_of_failure
from mfexplore.families.replicas.steps import order_parameter, solve
from mfexplore.families.replicas.symmetric import (
    COLUMNS,
    FERROMAGNET,
    PARAMAGNET,
    SPIN_GLASS,
    STIFFNESS,
    SUSCEPTIBILITY,
    TRIANGLE,
)
from mfexplore.models.glasses.sherrington_kirkpatrick.dynamics import LEVELS, SherringtonKirkpatrickSimulation
from mfexplore.models.glasses.sherrington_kirkpatrick.equations import residuals
from mfexplore.numerics.functions.gaussian import response, response_and_entropy

ENOUGH = 0.01  # T times the replicon eigenvalue of the steps, below zero, that costs f about 5e-6: called good


@dataclass(frozen=True)
class SherringtonKirkpatrick(core.Model):
    temperature: float = core.control(
        0.5, 0.0, 2.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="thermal noise in each spin"
    )
    field: float = core.control(
        0.0, 0.0, 2.0, symbol="h", unit="J", role="field", step=0.01, doc="uniform field that favours spins up"
    )
    ferromagnetic_bias: float = core.control(
        0.0, 0.0, 2.0, symbol="J_0", unit="J", role="disorder", step=0.01,
        doc="mean of the couplings; their standard deviation is J = 1",
    )  # fmt: skip
    rsb_steps: int = core.control(
        0, 0, 12, symbol="k", role="order", part="theory",
        doc="steps of replica symmetry breaking: 0 is replica symmetry, 12 are Parisi's continuum to a millionth",
        title="RSB steps",
    )  # fmt: skip
    size: int = core.control(
        256, 16, 16_384, symbol="N", unit="spins", role="size", scale="log", part="simulation", doc="spins simulated"
    )
    couplings: str = core.choice(
        "gaussian", {"gaussian": "Gaussian", "binary": "binary"}, part="simulation",
        doc="distribution of the couplings; binary (two values) is faster, and the same as N grows",
    )  # fmt: skip
    tempering: int = core.control(
        14, 1, 40, symbol="R", role="setting", part="simulation", quenched=True,
        doc="temperatures of the ladder on which copies trade places; 1: no tempering",
    )  # fmt: skip
    start: str = core.choice(
        "random", ("random", "up"), role="start", part="simulation", doc="state the simulation starts from"
    )

    version = 2
    tags = core.Tags("course", 25, ("phase transition", "glass", "aging"), ("replicas", "TAP"))
    relations = (
        core.Relation(
            "is a case of", "p_spin",
            "Its energy is the one there with groups of two. Then the order grows from zero instead of jumping, and "
            "one step of replica symmetry breaking is not enough.",
            there={"kind": "ising"},
        ),
        core.Relation(
            "is a limit of", "hopfield",
            "With very many memories, and temperature counted in the root of their load, the couplings are as good "
            "as independent.",
            there={"load": 0.5, "temperature": 0.3},
        ),
        core.Relation(
            "is a limit of", "bethe_propagation",
            "Bonds of random sign on a graph of ever higher degree, each weaker by the root of the degree.",
            there={"graph": "random_regular", "antiferromagnetic_fraction": 0.5, "degree": 12},
        ),
    )  # fmt: skip
    title = "Sherrington-Kirkpatrick spin glass"
    summary = (
        "Random couplings between all spins: many states, no order to see, and a theory that had to break a symmetry."
    )
    sources = (
        core.Source(
            "D. Sherrington and S. Kirkpatrick, Phys. Rev. Lett. 35, 1792 (1975)", doi="10.1103/PhysRevLett.35.1792"
        ),
        core.Source(
            "J. R. L. de Almeida and D. J. Thouless, J. Phys. A 11, 983 (1978)", doi="10.1088/0305-4470/11/5/028"
        ),
        core.Source("G. Parisi, J. Phys. A 13, 1101 (1980)", doi="10.1088/0305-4470/13/3/042"),
        core.Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
    )
    observables = (
        core.Observable("magnetization", "m", "mean spin (its size at h = 0)", low=0, high=1),
        core.Observable("overlap", r"\langle q\rangle", "mean overlap of two copies (size at h = 0)", low=0, high=1),
        core.Observable("overlap_0", "q_0", "smallest overlap of two states", low=0, high=1),
        core.Observable(
            "overlap_1", "q_k", "largest overlap: of a state with itself (Edwards-Anderson)", low=0, high=1
        ),
        core.Observable("breakpoint", "x_k", "probability that two copies are in different states", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per spin, eqs. (3) and (6)", unit="J"),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("entropy", "s", "entropy per spin; never negative", low=-0.16, high=0.7, signed=True),
        core.Observable("replicon", r"\lambda", "eq. (4): negative where symmetry breaks", low=-1, high=1, signed=True),
        core.Observable(
            "susceptibility", r"\chi", "response of m to the total field", low=0, high=1.5, thermodynamic=False
        ),
        core.Observable("overlap_squared", r"\langle q^2\rangle", "mean squared overlap of two copies", low=0, high=1),
        core.Observable("overlap_law", "x(q)", "probability that two copies overlap less than q", over="overlap_level"),
    )  # fmt: skip
    coordinates = (core.Coordinate("overlap_level", "q", "overlap of two copies"),)
    branches = (
        core.Branch("paramagnet", "no state is preferred but by the field; without a field q = 0"),
        core.Branch("spin_glass", "spins are frozen without a common direction (in a field: below the AT line)"),
        core.Branch("ferromagnet", "magnetized by itself: would stay so without a field"),
    )
    phases = (
        core.Phase("paramagnet", "One state; the spins follow the field, or nothing."),
        core.Phase(
            "spin_glass", "Every spin is frozen, each in its own direction: two copies agree, a picture shows no order."
        ),
        core.Phase("ferromagnet", "The mean coupling wins: one state (and its mirror image), magnetized, no glass."),
        core.Phase("mixed", "Magnetized and a glass at once: below the AT line many magnetized states appear."),
        core.Phase(
            "hidden_magnet", "With so few steps the theory sees a spin glass; the exact solution is magnetized (mixed)."
        ),
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken", "Below the AT line one overlap is not enough: raise the number of steps."
        ),
        core.Failure(
            "negative_entropy", "Spins that can only be up or down cannot have negative entropy: too few steps."
        ),
        core.Failure(
            "few_steps", "The steps are themselves unstable: with more of them the free energy still rises visibly."
        ),
    )
    landmarks = (
        core.Landmark(
            "at_line", r"\lambda=0", "de Almeida-Thouless line: below it replica symmetry breaks", title="AT line",
            of="temperature",
        ),
        core.Landmark(
            "ferromagnetic_line", r"J_0\chi=1", "without a field: magnetized to the right, at this number of steps",
            of="ferromagnetic_bias",
        ),
        core.Landmark(
            "exact_line", r"J_0=1", "without a field: exact border of the spin glass (Parisi)", continuous=False,
            of="ferromagnetic_bias",
        ),
        core.Landmark(
            "zero_entropy", "s=0", "below it the replica-symmetric entropy is negative", continuous=False,
            of="temperature",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("field", "temperature", "overlap", x_range=(0.0, 1.5), y_range=(0.0, 1.5)),
        core.Plane("ferromagnetic_bias", "temperature", "magnetization"),
    )
    presets = (
        core.Preset(
            "crossing the AT line", {"temperature": 0.5, "field": 0.8},
            "Lower the field: at h = 0.570 no curve jumps, yet below it two copies no longer agree on one state.",
        ),
        core.Preset(
            "one step", {"temperature": 0.5, "rsb_steps": 1},
            "One step gives two overlaps, 0.215 and 0.619, where replica symmetry had one: most of the error is gone.",
            view=core.View(function="overlap_law"),
        ),
        core.Preset(
            "many states", {"temperature": 0.4, "rsb_steps": 8, "size": 256},
            "The histogram of overlaps of two copies fills everything between the outer peaks: Parisi's P(q), live.",
            view=core.View(series="overlap", function="overlap_law"),
        ),
        core.Preset(
            "negative entropy", {"temperature": 0.1},
            "Replica symmetry claims a negative entropy here; raise the steps to 1 and 2 and watch the alarm go off.",
            view=core.View(colour="entropy"),
        ),
        core.Preset(
            "ferromagnet", {"temperature": 1.0, "ferromagnetic_bias": 1.5, "start": "up"},
            "The mean coupling wins: magnetization 0.557 although the couplings scatter as much as they pull together.",
            view=core.View(("ferromagnetic_bias", "temperature"), along="ferromagnetic_bias", series="magnetization"),
        ),
        core.Preset(
            "magnetized glass", {"temperature": 0.2, "ferromagnetic_bias": 1.5, "rsb_steps": 2},
            "Below the AT line the magnetization hardly moves, but many magnetized states have appeared.",
            view=core.View(("ferromagnetic_bias", "temperature"), along="temperature"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "overlap at T = h = 0.5, replica symmetric", 0.621523294292204, 1e-11, "Newton and trapezoid rule",
            core.Value("overlap"), {"temperature": 0.5, "field": 0.5},
        ),
        core.Reference(
            "field of the AT line at T = 0.6", 0.38266216438232153, 1e-10, "de Almeida and Thouless, eq. (4)",
            core.Crossing("at_line", "field"), {"temperature": 0.6},
        ),
        core.Reference(
            "temperature of the AT line at J_0 = 1.5", 0.2750286792437338, 1e-9, "root of eq. (4)",
            core.Crossing("at_line", "temperature"), {"ferromagnetic_bias": 1.5},
            view=core.View(("ferromagnetic_bias", "temperature")),
        ),
        core.Reference(
            "temperature at which the replica-symmetric entropy vanishes", 0.2716021, 1e-6, "root of -df/dT",
            core.Crossing("zero_entropy", "temperature"), view=core.View(colour="entropy"),
        ),
        core.Reference(
            "free energy at T = 0.5 with one step", -0.7912088423791988, 1e-8, "maximum of eq. (6) by direct search",
            core.Value("free_energy"), {"temperature": 0.5, "rsb_steps": 1},
        ),
        core.Reference(
            "ground-state energy with two steps", -0.7636080105383838, 1e-8, "Parisi 1980 (0.7636)",
            core.Value("energy"), {"temperature": 0.0, "rsb_steps": 2},
        ),
        core.Reference(
            "ground-state energy", -0.763166726, 4e-6, "Oppermann and Schmidt, Phys. Rev. E 78, 061124 (2008)",
            core.Value("energy"), {"temperature": 0.0, "rsb_steps": 10}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At T = 0.4, how strong a field brings all copies back into one state? Move the field until the marker "
            "leaves the glass, then answer with its value.",
            {"temperature": 0.4, "field": 0.2}, "field", core.Crossing("at_line", "field"), 0.03,
            "The border is the line of de Almeida and Thouless, h = 0.795 here: a glass survives a strong field.",
            view=core.View(along="field"),
        ),
        core.Task(
            "Replica symmetry at h = 0: below which temperature is its entropy negative?",
            {"temperature": 0.5}, "temperature", core.Crossing("zero_entropy", "temperature"), 0.02,
            "At T = 0.2716. The theory is wrong already from T = 1 on, but only here does it say so itself.",
            view=core.View(colour="entropy", along="temperature"),
        ),
    )  # fmt: skip
    simulation = SherringtonKirkpatrickSimulation

    def solve(self, points: Points) -> core.Solution:
        t, h, j = (points[n][:, None] for n in ("temperature", "field", "ferromagnetic_bias"))
        steps = points["rsb_steps"]
        table, residual, iterations = solve(steps, t[:, 0], h[:, 0], j[:, 0])
        values = {name: table[:, :, k] for k, name in enumerate(COLUMNS) if k not in (STIFFNESS, TRIANGLE)}
        m, e = values["magnetization"], values["energy"]
        with np.errstate(invalid="ignore"):  # the energy decides the mean square overlap
            values["overlap_squared"] = np.where(t > 0, 1 + 2 * t * (e + 0.5 * j * m * m + h * m), 1 + 0 * m)
            symmetric = (steps == 0)[:, None]
            broken = table[:, :, STIFFNESS] < np.where(symmetric, 0.0, -ENOUGH)
            fails = {
                "negative_entropy": broken & (values["entropy"] < 0),
                "replica_symmetry_broken": broken & symmetric,
                "few_steps": broken & ~symmetric,
            }
        # what is unstable against magnetization or against freezing
        stable = ~np.isnan(residual)
        unmagnetized = ~stable[:, FERROMAGNET]
        stable[:, PARAMAGNET] &= unmagnetized & ~(stable[:, SPIN_GLASS] & (h[:, 0] == 0))
        stable[:, SPIN_GLASS] &= unmagnetized
        return core.Solution(values, residual, stable=stable, iterations=iterations, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        total = self.field + self.ferromagnetic_bias * state["magnetization"]
        found = residuals(self.temperature, total, *self.order_parameter(state))
        gaps = {f"(2), (5) q_{i}": gap for i, gap in found.overlaps.items()}
        gaps |= {f"(5) x_{i}": gap for i, gap in found.breakpoints.items()}
        if found.known:
            gaps["(2) m"] = state["magnetization"] - found.magnetization
            energy = 0.5 * self.ferromagnetic_bias * state["magnetization"] ** 2 + found.free_energy
            gaps["(3), (6)"] = state["free_energy"] - energy
            gaps["(4)"] = self.temperature * (state["replicon"] - found.replicon)
        return gaps

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        replicon, first, last = (states.value(n, "ferromagnet") for n in ("replicon", "overlap_0", "overlap_1"))
        equilibrium = states.equilibrium
        return {
            "paramagnet": equilibrium["paramagnet"],
            "hidden_magnet": equilibrium["spin_glass"] & (points["ferromagnetic_bias"] > 1),
            "spin_glass": equilibrium["spin_glass"],
            # with enough steps the eigenvalue is zero
            "mixed": equilibrium["ferromagnet"] & ((replicon < 0) | (last > first)),
            "ferromagnet": equilibrium["ferromagnet"],
        }

    def boundary(self, name: str, points: Points) -> Array:
        t, j, steps = points["temperature"], points["ferromagnetic_bias"], points["rsb_steps"]
        if name in ("at_line", "zero_entropy"):
            entropic = name == "zero_entropy"
            found = temperature_of_failure(points["field"], j, entropic)
            return np.where(entropic & (steps > 0), np.nan, found)
        alone = points["field"] == 0
        if name == "exact_line":
            return np.where(alone & (t < 1), 1.0, np.nan)
        bias = np.where(alone, t, np.nan)  # without the glass the susceptibility is 1/T
        cold = alone & (t < 1)
        first, place = distinct([t[cold], steps[cold]])
        temperature = t[cold][first]
        glass = solve(steps[cold][first], temperature, 0 * temperature, 0 * temperature)[0][:, SPIN_GLASS]
        bias[cold] = 1 / glass[place, SUSCEPTIBILITY]
        return bias

    def _state(self) -> dict[str, float] | None:
        """The observables of the equilibrium; None where it is unknown."""
        points = columns(self, {})
        solution = self.solve(points)
        branch = int(self.select(points, solution)[0])
        return None if branch < 0 else {name: float(v[0, branch]) for name, v in solution.values.items()}

    def order_parameter(self, state: Mapping[str, float]) -> tuple[Array, Array]:
        """(q_0 ... q_k, 0 = x_0 ... x_k, 1) of a state of the theory at these controls."""
        if state["overlap_0"] == state["overlap_1"]:
            return np.array([state["overlap"]]), np.array([0.0, 1.0])
        total = self.field + self.ferromagnetic_bias * state["magnetization"]
        for k in range(self.rsb_steps, 0, -1):  # fewer, where more were not found with the magnetization unknown
            q, x = order_parameter(k, self.temperature, total)
            if abs(x[-2] - state["breakpoint"]) < 1e-6:
                break
        return q, x

    def profiles(self) -> dict[str, core.Profile]:
        solution = self.solve(columns(self, {}))
        values = np.full((3, LEVELS.size), np.nan)
        for branch in np.flatnonzero(solution.exists(self.tolerance)[0]):
            q, x = self.order_parameter({name: float(v[0, branch]) for name, v in solution.values.items()})
            values[branch] = x[np.searchsorted(q, LEVELS)]
        return {"overlap_law": core.Profile(LEVELS, values)}

    def law(self) -> core.Law:
        """P(q) of two copies. From three steps on the inner steps, which stand for a continuum, are spread out."""
        state = self._state()
        if state is None:
            raise core.NotOfferedError(self.title, "a law of the overlap here")
        q, x = self.order_parameter(state)
        weights = np.diff(x)
        total = self.field + self.ferromagnetic_bias * state["magnetization"]
        level = np.linspace(-1, 1, 1001)
        density = np.zeros_like(level)
        atoms = list(zip(q.tolist(), weights.tolist(), strict=True))
        if len(q) > 3:
            edges = np.concatenate([[0.0], (q[1:] + q[:-1]) / 2])  # cell i is [edges[i], edges[i + 1]]
            edges[-1] = q[-1]
            first = 0 if total == 0 else 1
            if first:
                edges[1] = q[0]
            for i in range(first, len(q) - 1):
                density[(level >= edges[i]) & (level < edges[i + 1])] = weights[i] / (edges[i + 1] - edges[i])
            atoms = ([atoms[0]] if first else []) + [atoms[-1]]
        if self.field == 0:  # every state has a mirror image
            density = (density + density[::-1]) / 2
            atoms = [(sign * position, weight / 2) for position, weight in atoms for sign in (-1, 1)]
        doc = "replica symmetric, eq. (2)" if len(q) == 1 else f"{len(q) - 1} steps, eq. (6)"
        return core.Law("overlap", level, density, f"as N grows: {doc}", tuple(atoms))

    def landscape(self) -> core.Landscape:
        """Eq. (3) against q, with m at its own value: to be maximised over q."""
        t, h, j = self.temperature, self.field, self.ferromagnetic_bias
        if t == 0:
            raise core.NotOfferedError(self.title, "a landscape at zero temperature")
        state = self._state()
        if state is None or len(self.order_parameter(state)[0]) > 1:
            raise core.NotOfferedError(self.title, "a landscape over several overlaps")
        q = np.linspace(0, 1, 201)
        f = np.empty_like(q)
        for i, u in enumerate(q):
            total = h + j
            for _ in range(200):  # m = tanh(...) by iteration from above, which converges monotonically
                m = response(total, math.sqrt(u), t)[0]
                total, before = h + j * m, total
                if before - total < 1e-10:
                    break
            m, _, chi, _, _, _, spin_entropy = response_and_entropy(total, math.sqrt(u), t)
            f[i] = -((1 - u) ** 2) / (4 * t) + j * m * m / 2 - (total * m + u * chi + t * spin_entropy)
        return core.Landscape("overlap", q, f, note="states: maxima")

    def caveat(self) -> str:
        return "corrections of order 1/N^(2/3) at finite size, or a run that is not in equilibrium yet"

    def footprint(self) -> int:
        word, state = (1, 2) if self.couplings == "binary" else (2, 4)
        return word * self.size**2 + 4 * state * self.tempering * self.size + 2**16
