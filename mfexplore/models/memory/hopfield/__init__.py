r"""Hopfield network: associative memory, and how it drowns in its own memories.

$N$ neurons $s_i=\pm1$ store $P=\alpha N$ memories $\xi^\mu$ in couplings that add up what the memories agree on (Hebb's
rule); $\Delta$ is the strength of random noise $\eta_{ij}=\pm1$ in the synapses, $h$ a field along the first memory:

$$H=-\frac1{2N}\sum_{i\ne j}\sum_{\mu=1}^{P}\xi_i^\mu\xi_j^\mu s_is_j
-\frac{\Delta}{\sqrt N}\sum_{i<j}\eta_{ij}s_is_j-h\sum_i\xi_i^1s_i \tag{1}$$

Started from a damaged copy of the first memory, the network completes it: the overlap
$m=N^{-1}\sum_i\xi_i^1s_i$ grows to nearly one. The other memories act as noise of variance $\sigma^2$ in the field of
each neuron. For random memories the replica-symmetric theory of Amit, Gutfreund and Sompolinsky reads, with $z$
standard normal and $\overline{\,\cdot\,}$ its average,

$$m=\overline{\tanh\frac{m+h+\sigma z}{T}},\qquad q=\overline{\tanh^2\frac{m+h+\sigma z}{T}},\qquad C=\frac{1-q}{T}
\tag{2}$$

$$\sigma^2=\alpha r+\Delta^2q,\qquad r=\frac{q}{(1-C)^2} \tag{3}$$

$q$ is the freezing of the neurons, $r$ the crosstalk of the other memories. At $T=0$ the averages become
$m=\mathrm{erf}(m/\sqrt2\sigma)$ and $C=\sqrt{2/\pi}\,e^{-m^2/2\sigma^2}/\sigma$ (without a field). For given $\sigma$
the first of eqs. (2) has one largest root $m(\sigma)$, so that the load is a function of $\sigma$,

$$\alpha(\sigma)=(1-C)^2\Big(\frac{\sigma^2}{q}-\Delta^2\Big) \tag{4}$$

Its rising part from $\sigma=0$ is retrieval, and its maximum the load beyond which no memory can be recalled: 0.1379 at
$T=0$. The free energy per neuron is, with $u=(m+h+\sigma z)/T$,

$$f=\frac{m^2}2+\frac\alpha2+\frac{\alpha T}2\ln(1-C)-\frac{\alpha q}{2(1-C)}+\frac{\alpha rC}2-\frac{\Delta^2TC^2}4
-T\,\overline{\ln2\cosh u} \tag{5}$$

and the entropy, with $S(x)=\ln2\cosh x-x\tanh x$,

$$s=\overline{S(u)}-\frac\alpha2\Big[\ln(1-C)+\frac C{1-C}\Big]-\frac{\Delta^2C^2}4 \tag{6}$$

Replica symmetry holds (de Almeida and Thouless) where

$$\lambda=T(1-C)^2-\frac1T\,\overline{\mathrm{sech}^4u}\,\big[\alpha+\Delta^2(1-C)^2\big]>0 \tag{7}$$

**Valid:** random memories, $N\to\infty$ with $\alpha=P/N$ fixed, and $\lambda>0$. The retrieval state is stable down to
very low temperature (the line $T_R$); the spin glass never is, and its numbers are approximate. Where retrieval is
metastable ($T_c<T<T_M$) the glass has the lower free energy, yet the time to leave the memory grows exponentially with
$N$. Beyond $T_M$ theory says $m=0$, but the glass relaxes ever more slowly: a run that began at a memory keeps a trace
of it for very long, and about 0.3 of it for ever at $T=0$. **Handwritten digits are not random memories**: they
resemble one another (mean overlap 0.5), which adds crosstalk that the theory does not know, and only about three can be
told apart however large the network is.

The simulation never forms the $N\times N$ couplings: it keeps the $P$ overlaps, from which the field of a neuron is a
sum over memories, and recomputes a noisy synapse from a hash whenever it is needed.

Sources: the equations with their derivation in Amit, Gutfreund and Sompolinsky (1987); eq. (4) is eqs. (2), (3) read
the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families import hebbian as theory
from mfexplore.families import memories as family
from mfexplore.models.memory.hopfield.dynamics import HopfieldSimulation
from mfexplore.numerics.functions.gaussian import direct_averages


@dataclass(frozen=True)
class Hopfield(core.Model):
    temperature: float = core.control(
        0.2, 0.0, 2.0, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise in each neuron"
    )
    load: float = core.control(
        0.05, 0.0, 0.5, symbol=r"\alpha", role="load", step=0.001, quenched=True, doc="memories per neuron, P/N"
    )
    field: float = core.control(
        0.0, 0.0, 0.5, symbol="h", unit="J", role="field", step=0.005, doc="field along the first memory: a hint"
    )
    synaptic_noise: float = core.control(
        0.0, 0.0, 1.0, symbol=r"\Delta", role="disorder", step=0.01,
        doc="size of the random part of every synapse, next to √α of the learnt part",
    )  # fmt: skip
    memories: str = family.memories()
    size: int = core.control(
        4096, 16, 100_000, symbol="N", unit="neurons", role="size", scale="log", part="simulation",
        doc="neurons simulated",
    )  # fmt: skip
    corruption: float = family.corruption(0.25, "fraction flipped in a noisy cue")
    cue: str = core.choice(
        "noise", family.CUES, role="start", part="simulation",
        doc="the first memory with noise, with its lower half blank, or mixed with two others (in the "
        "cold a state of its own, with overlap 1/2)",
    )  # fmt: skip

    version = 2
    tags = core.Tags("first contact", 15, ("phase transition", "jump", "glass", "memory"), ("replicas",))
    title = "Hopfield network"
    summary = "A memory that completes what it is shown, until it has learnt too much or gets too hot."
    sources = (
        core.Source("J. J. Hopfield, PNAS 79, 2554 (1982)", doi="10.1073/pnas.79.8.2554"),
        core.Source(
            "D. J. Amit, H. Gutfreund and H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985)",
            doi="10.1103/PhysRevLett.55.1530",
        ),
        core.Source(
            "D. J. Amit, H. Gutfreund and H. Sompolinsky, Ann. Phys. 173, 30 (1987)", doi="10.1016/0003-4916(87)90092-3"
        ),
    )
    observables = (
        core.Observable("overlap", "m", "likeness to the first memory", low=0, high=1),
        core.Observable(
            "edwards_anderson",
            "q",
            "how frozen the neurons are, whatever they remember",
            low=0,
            high=1,
            title="Edwards-Anderson",
        ),
        core.Observable("crosstalk", "r", "noise from the other memories, in units of the load", low=0, high=10),
        core.Observable("free_energy", "f", "free energy per neuron, eq. (5)", unit="J"),
        core.Observable("energy", "e", "energy per neuron", unit="J"),
        core.Observable("entropy", "s", "entropy per neuron, eq. (6)", low=0, high=theory.LN2),
        core.Observable("replicon", r"\lambda", "replica symmetry holds where it is positive, eq. (7)", signed=True),
    )
    branches = family.BRANCHES
    phases = family.phases(
        "The neurons freeze into one of countless states that resemble no memory; a run that starts at one keeps a "
        "trace of it for very long.",
        "the glass",
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken",
            "Eq. (7) is negative: the state falls apart into many, and replica symmetry is only an approximation.",
        ),
        family.correlated(" and fail at far smaller load."),
    )
    landmarks = (
        core.Landmark("glass_transition", "T_g", "below it the neurons freeze", of="load"),
        core.Landmark(
            "retrieval_transition", "T_c", "below it memories have the lowest free energy", continuous=False, of="load"
        ),
        core.Landmark("retrieval_spinodal", "T_M", "above it no memory is recalled", of="load"),
        core.Landmark(
            "at_line", "T_R", "below it replica symmetry breaks in the memories too", continuous=False, of="load",
            title="AT line",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("load", "temperature", "overlap", branch="retrieval", x_range=(0.0, 0.2), y_range=(0.0, 1.5)),
        core.Plane("load", "synaptic_noise", "overlap", branch="retrieval", x_range=(0.0, 0.2)),
        core.Plane("load", "field", "overlap", branch="retrieval", x_range=(0.0, 0.3)),
    )
    presets = (
        core.Preset(
            "clean recall", {"temperature": 0.2, "load": 0.05, "corruption": 0.3},
            "A cue with 30 % of its neurons flipped is completed within a few sweeps; all other overlaps stay small.",
            (core.Promise(core.Mean("overlap", 5, 25), 0.97, 0.03),),
        ),
        core.Preset(
            "metastable recall", {"temperature": 0.3, "load": 0.08, "corruption": 0.2},
            "The glass has the lower free energy here, and still the memory is found and never left.",
        ),
        core.Preset(
            "catastrophe", {"temperature": 0.0, "load": 0.16, "corruption": 0.0, "size": 10_000},
            "Just beyond the capacity even an undamaged memory dissolves: all are lost at once, not the last.",
            (core.Promise(core.Crossing("retrieval_spinodal", "load"), 0.138, 0.0005),), view=core.View(along="load"),
        ),
        core.Preset(
            "mixture", {"temperature": 0.2, "load": 0.002, "cue": "mixture"},
            "A mixture of three memories is a state of its own, with overlap 1/2 with each. Above T = 0.46 (in "
            "an infinite network, a bit earlier in this one) it makes up its mind.",
        ),
        core.Preset(
            "noisy synapses", {"temperature": 0.2, "load": 0.03, "synaptic_noise": 0.4, "corruption": 0.1},
            "Random numbers twice as large as the learnt ones in every synapse, and 95 % of the memory comes back.",
            (core.Promise(core.Value("overlap", "retrieval"), 0.95, 0.02),),
            view=core.View(plane=("load", "synaptic_noise")),
        ),
        core.Preset(
            "digits", {"temperature": 0.05, "load": 3 / 4096, "memories": "digits", "corruption": 0.25},
            "Three handwritten digits: the damaged 3 is completed, although each looks half like the others.",
        ),
        core.Preset(
            "too many digits", {"temperature": 0.05, "load": 10 / 4096, "memories": "digits", "corruption": 0.1},
            "Ten random memories would be no load at all; ten digits, being alike, melt into one blot.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "capacity at T = 0", 0.13790556649493174, 1e-11, "max over y of (erf(y)/y - 2/sqrt(pi) exp(-y^2))^2/2; "
            "to three digits in Amit, Gutfreund and Sompolinsky (1985)",
            core.Crossing("retrieval_spinodal", "load"), {"temperature": 0.0}, view=core.View(along="load"),
        ),
        core.Reference(
            "overlap at capacity", 0.96741711568529, 1e-5, "same, at its maximum; 0.967 in AGS 1985",
            core.Value("overlap", "retrieval"), {"temperature": 0.0, "load": 0.13790556649},
            view=core.View(along="load"),
        ),
        core.Reference(
            "load at which memories stop being the ground state", 0.05185433, 1e-8, "equal energies at T = 0; 0.051 in "
            "AGS 1987", core.Crossing("retrieval_transition", "load"), {"temperature": 0.0},
            view=core.View(along="load"),
        ),
        core.Reference(
            "overlap at T = 0.2, load 0.1", 0.9890851550442616, 1e-10, "Newton with a dense trapezoid rule",
            core.Value("overlap", "retrieval"), {"temperature": 0.2, "load": 0.1},
        ),
        core.Reference(
            "temperature of the spinodal at load 0.05", 0.5422550379183745, 1e-9, "augmented system of the fold",
            core.Crossing("retrieval_spinodal", "temperature"), {"load": 0.05},
        ),
        core.Reference(
            "temperature of the AT line at the capacity", 0.021349871287, 1e-9, "q T^2 = sigma^2 E sech^4, dense sum",
            core.Crossing("at_line", "temperature"), {"load": 0.1379},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At load 0.08 a memory is recalled when it is cold. Predict the temperature at which it is lost, then heat "
            "the network slowly and watch the overlap.",
            {"temperature": 0.1, "load": 0.08, "corruption": 0.0}, "temperature",
            core.Crossing("retrieval_spinodal", "temperature"), 0.02,
            "The overlap does not fade to zero: it falls from 0.89 in one jump, because the state itself ends there.",
        ),
        core.Task(
            "At zero temperature, how many memories per neuron can be stored before none can be recalled?",
            {"temperature": 0.0, "load": 0.1, "corruption": 0.0, "size": 10_000}, "load",
            core.Crossing("retrieval_spinodal", "load"), 0.006,
            "At 0.1379 the recalled state still has 97 % overlap; beyond, nothing is left of any memory.",
            view=core.View(along="load"),
        ),
    )  # fmt: skip
    simulation = HopfieldSimulation

    @property
    def memory_count(self) -> int:
        """P, the number of memories at this size; at least one."""
        return self.counted("load", self.size)

    def realised(self) -> Hopfield:
        lost = {"corruption": round(self.corruption * self.size) / self.size} if self.cue == "noise" else {}
        return self.with_simulated(load=self.memory_count / self.size, **lost)

    def solve(self, points: Points) -> core.Solution:
        names = ("temperature", "load", "field", "synaptic_noise")
        temperature, load, field, noise = (np.ascontiguousarray(points[name], np.float64) for name in names)
        table = np.full((theory.ROWS, load.size, len(self.branches)), np.nan)
        theory.solve_points(temperature, load, field, noise, table)
        values = dict(zip(theory.QUANTITIES, table, strict=False))
        broken = values["replicon"] < 0
        stable = np.ones(broken.shape, bool)
        stable[:, family.PARAMAGNET] = ~broken[:, family.PARAMAGNET]
        broken[:, family.PARAMAGNET] = False  # it is unstable, not badly described
        digits = np.full(broken.shape, self.memories == "digits")
        iterations = np.nan_to_num(table[theory.ITERATIONS]).astype(np.int64)
        fails = {"replica_symmetry_broken": broken, "memories_are_correlated": digits}
        return core.Solution(values, table[theory.RESIDUAL], stable, iterations=iterations, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        alpha, t, delta = self.load, self.temperature, self.synaptic_noise
        m, q, r = state["overlap"], state["edwards_anderson"], state["crosstalk"]
        a = direct_averages(m + self.field, math.sqrt(alpha * r + delta**2 * q), t)
        c, k = a.chi, 1 - a.chi
        f = m**2 / 2 - (delta * c) ** 2 * t / 4 - a.log_cosh
        s = a.entropy - (delta * c) ** 2 / 4
        if alpha > 0:
            f += alpha / 2 * (1 + t * math.log(k) - q / k + r * c)
            s -= alpha / 2 * (math.log(k) + c / k)
        return {
            "(2), m": m - a.m,
            "(2), q": q - a.q,
            "(3)": r * k**2 - q,
            "(5)": state["free_energy"] - f,
            "(5), energy": state["energy"] - f - t * s,
            "(6)": state["entropy"] - s,
            "(7)": state["replicon"] - t * k**2 + a.quartic * (alpha + (delta * k) ** 2),
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        return family.classify(states)

    def boundary(self, name: str, points: Points) -> tuple[Array, Array]:
        names = ("temperature", "field", "synaptic_noise")
        temperature, field, noise = (np.ascontiguousarray(points[k], np.float64) for k in names)
        loads, real = np.empty(noise.size), np.empty(noise.size, bool)
        theory.boundary_loads(theory.BOUNDARIES.index(name), temperature, field, noise, loads, real)
        return loads, real

    def landscape(self) -> core.Landscape:
        """Free energy (5) along m, with q and r as eqs. (2), (3) want them; the lowest where they have several."""
        m = np.linspace(-1.1, 1.1, 220)  # an even number: not at m = 0
        free_energy = np.empty(m.size)
        theory.valley(m, theory.At(self.temperature, self.load, self.field, self.synaptic_noise), free_energy)
        return core.Landscape("overlap", m, free_energy)

    def law(self) -> core.Law:
        """Gaussian of variance (1 - q)/(1 - C) + q/(1 - C)^2: the overlaps with all other memories, times sqrt(N)."""
        found = self.theory()
        for branch in found["branch"].values:
            q, r = (float(found[name].sel(branch=branch)) for name in ("edwards_anderson", "crosstalk"))
            if not math.isnan(q):
                break
        else:
            raise core.NotOfferedError(self.title, "a law where no state is known")
        k = math.sqrt(q / r) if r > 0 else 1.0 - 1.0 / self.temperature
        width = math.sqrt((1.0 - q) / k + r)
        x = np.linspace(-6 * width, 6 * width, 401)
        density = np.exp(-0.5 * (x / width) ** 2) / (width * math.sqrt(2 * math.pi))
        return core.Law("other_overlaps", x, density, "overlaps with all other memories, times the square root of N")

    def caveat(self) -> str:
        if self.cue == "mixture":
            return "a mixture of memories is a state of its own, which this theory leaves out"
        return "finite size, above all near a boundary, or a cue from which this state is not reached"

    def footprint(self) -> int:
        return self.size * (self.memory_count + 40)
