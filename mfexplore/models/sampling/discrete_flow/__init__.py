r"""Discrete flow: a sampler that unmasks the spins of an Ising model, and how many steps that takes.

All $N$ spins of a lattice begin *masked*. In $n$ steps they become known: in step $k$ each spin that is still masked is
drawn with the probability $1/(n-k)$ ($k=0,1,\dots$), so that before it each is known with probability $k/n$. Its value
comes from a *denoiser*, the law of that spin given the set $A$ of known ones; within a step all are drawn at once, as
if they did not depend on each other. One step ignores all dependence; $N$ steps and more do almost one spin after the
other, and are nearly exact. A network is trained to be the denoiser; here it is either exact, by sums over all states
of a small torus, or a small table.

The target is the Ising ferromagnet on a square torus,

$$p(s)=\frac{e^{-E(s)/T}}Z,\qquad E=-\sum_{\langle ij\rangle}s_is_j \tag{1}$$

**What steps cost.** Let a spin's mean uncertainty, if each other spin is known with probability $\kappa$, be

$$h(\kappa)=\big\langle H(s_i|s_A)\big\rangle_A \tag{2}$$

Chance draws the sets of spins, and the flow is compared with the target along every such history. With an exact
denoiser the mean distance is, for every target and every $n$,

$$D_n=\Big\langle\sum_sp\,\ln\frac p{q_{\rm history}}\Big\rangle=\frac Nn\sum_{k=0}^{n-1}h\Big(\frac kn\Big)-S \tag{3}$$

It is nothing but the error of a Riemann sum, because $N\int_0^1h\,d\kappa=S$, the entropy of the target. Hence

$$D_n\to\frac{N\,[h(0)-h(1)]}{2n} \tag{4}$$

and the distance halves with every doubling of steps. (If histories are forgotten, the law of what comes out is nearer
still to the target; but weights, which know the history, see eq. (3).)

**A table of neighbours.** It answers from the four neighbours alone: how many are known to be up, how many down. It is
learnt exactly, on the $4\times4$ torus at the temperature $T_0$, and *carried*: to larger lattices as it is, to other
temperatures with its log-odds times $T_0/T$. Its surprise takes the place of $h$ in eq. (3), and does not vanish with
many steps: what is further away than a neighbour it never knows.

**Free energy from weights.** Along its history the flow knows the probability $q$ of what it has drawn, so that

$$Z=\Big\langle\frac{e^{-E/T}}q\Big\rangle_q,\qquad
f\le\frac1N\langle E+T\ln q\rangle_q \tag{5}$$

for every denoiser, good or bad. But a weight fluctuates by about $e^{D_n}$, and $D_n$ grows with $N$: what a small
lattice can mend a large one cannot. Energy shows it on the way: of perfect steps the bonds with both ends known have
the energy $\kappa^2u$.

**Valid:** eqs. (2) to (4) exactly on tori of 3 and 4 sites a side. For larger ones energy and free energy are exact
(Kaufman), and distances are those of the $4\times4$ torus per spin, times $N$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.sampling.discrete_flow import theory
from mfexplore.models.sampling.discrete_flow.dynamics import FlowSimulation

CRITICAL = 2 / math.log(1 + math.sqrt(2))
EXACT, TABLE = range(2)
FAITHFUL, REPAIRABLE = 0.3, 4.0  # nats
KNOWN = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class DiscreteFlow(core.Model):
    temperature: float = core.control(
        2.269, 1.2, 5.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="of the Ising model to be sampled"
    )
    steps: int = core.control(
        8, 1, 64, symbol="n", role="setting", scale="log", doc="steps in which all spins become known"
    )
    side: int = core.control(
        4, 3, 32, symbol="L", unit="spins", role="size", scale="log",
        doc="spins along each side of the torus; sums over all states are done up to 4",
    )  # fmt: skip
    learnt_at: float = core.control(
        2.269, 1.2, 5.0, symbol="T_0", unit="J/k_B", role="data", step=0.01,
        doc="temperature at which the table of neighbours was learnt",
    )  # fmt: skip
    denoiser: str = core.choice(
        "exact", {"exact": "exact sums", "local_table": "table of neighbours"}, part="simulation",
        doc="who says what a masked spin may be",
    )  # fmt: skip
    batch: int = core.control(
        64, 4, 512, symbol="B", unit="lattices", role="setting", scale="log", part="simulation", quenched=True,
        doc="lattices unmasked together",
    )  # fmt: skip

    title = "Discrete flow"
    summary = "A sampler that unmasks spins: the exact cost of few steps, one table for all sizes, and free energy."
    tags = core.Tags("research", 20, ("learning",), ("exact sums", "Monte Carlo"))
    relations = (
        core.Relation(
            "looks differently at", "ising_lattice",
            "The square Ising model, drawn spin by spin by a machine that unmasks instead of by Monte Carlo.",
            here={"temperature": 2.269}, there={"lattice": "square", "temperature": 2.269},
        ),
    )  # fmt: skip
    sources = (
        core.Source(
            "Flow Matching for Discrete Systems: Efficient Free Energy Sampling Across Lattice Sizes and Temperatures"
        ),
        core.Source("A. Campbell et al., Generative flows on discrete state-spaces (2024)", arxiv="2402.04997"),
        core.Source("B. Kaufman, Phys. Rev. 76, 1232 (1949)", doi="10.1103/PhysRev.76.1232"),
    )
    coordinates = (core.Coordinate("known", r"\kappa", "fraction of spins that are known"),)
    observables = (
        core.Observable("divergence", "D_n", "distance of the flow from its target, eq. (3)", unit="nats", scale="log"),
        core.Observable("energy", "u", "energy per spin, of the target", unit="J", low=-2, high=0),
        core.Observable("free_energy", "f", "free energy per spin; in simulations from weights, eq. (5)", unit="J"),
        core.Observable("entropy", "S/N", "entropy per spin of the target", low=0, high=math.log(2)),
        core.Observable("broken_bonds", "B", "bonds whose ends disagree, of a whole lattice", low=0),
        core.Observable("uncertainty", "h", "mean uncertainty of a masked spin, eq. (2)", unit="nats", over="known",
            low=0, high=math.log(2)),
    )  # fmt: skip
    methods = (
        core.Method("exact_denoiser", "every spin from all that is known", describes={"denoiser": ("exact",)}),
        core.Method("local_table", "every spin from its four neighbours", describes={"denoiser": ("local_table",)}),
    )
    phases = (
        core.Phase("faithful", "What comes out is almost the target itself."),
        core.Phase("repairable", "Samples are off, but their weights can mend it."),
        core.Phase("lost", "The weights rest on a few lucky samples: no average can be trusted."),
    )
    failures = (
        core.Failure(
            "carried",
            "The lattice is larger than the sums can be: distances are those of 16 spins, in proportion to the size.",
        ),
        core.Failure(
            "table_too_small",
            "Most of the distance is the table's, not the steps': it does not see beyond neighbours, and more steps do "
            "not help.",
        ),
    )
    landmarks = (core.Landmark("critical_temperature", "T_c", "an endless lattice orders below it", of="temperature"),)
    planes = (
        core.Plane("temperature", "steps", "divergence", along="y", finest=33),
        core.Plane("temperature", "learnt_at", "divergence", along="y", finest=33),
        core.Plane("side", "temperature", "divergence", along="x", finest=17),
    )
    presets = (
        core.Preset(
            "eight steps", {},
            "Eight steps at the critical temperature lose 0.57 nats: the energy is -1.21 instead of -1.57, and yet the "
            "weights find the free energy, -2.20.",
            (core.Promise(core.Value("divergence"), 0.57, 0.005), core.Promise(core.Value("energy"), -1.57, 0.005),
             core.Promise(core.Value("free_energy"), -2.20, 0.005),
             core.Promise(core.Mean("energy", 240, 241), -1.21, 0.03),
             core.Promise(core.Mean("free_energy", 240, 241), -2.20, 0.02)),
            view=core.View(plane=("temperature", "steps"), series="free_energy", picture="lattices",
                           function="uncertainty"),
        ),
        core.Preset(
            "one shot", {"temperature": 5.0, "steps": 1},
            "All spins at once, each for itself: the energy is zero instead of -0.46. It is so warm that this "
            "loses no more than 0.78 nats.",
            (core.Promise(core.Value("divergence"), 0.78, 0.005), core.Promise(core.Value("energy"), -0.46, 0.005),
             core.Promise(core.Mean("energy", 30, 31), 0.0, 0.05)),
            view=core.View(plane=("temperature", "steps"), series="energy", picture="revealed energy"),
        ),
        core.Preset(
            "one table, another temperature",
            {"temperature": 3.0, "steps": 16, "denoiser": "local_table", "learnt_at": 2.269},
            "Learnt at 2.27 and carried to 3: it loses 0.69 nats, against 0.61 of a table learnt there, and "
            "the free energy is right.",
            (core.Promise(core.Value("divergence", method="local_table"), 0.69, 0.005),
             core.Promise(core.Value("divergence", method="local_table"), 0.61, 0.005, {"learnt_at": 3.0}),
             core.Promise(lambda model: core.Mean("free_energy", 480, 481).of(model)
                          - core.Value("free_energy").of(model), 0.0, 0.01)),
            view=core.View(plane=("temperature", "learnt_at"), method="local_table", series="free_energy"),
        ),
        core.Preset(
            "cold table", {"temperature": 1.5, "steps": 64, "denoiser": "local_table"},
            "Two domains meet and no neighbour can tell: the table keeps 1.6 nats however many steps, where exact "
            "sums would be down to 0.1.",
            (core.Promise(core.Value("divergence", method="local_table"), 1.6, 0.1),
             core.Promise(core.Value("divergence", method="exact_denoiser"), 0.1, 0.02)),
            view=core.View(
                plane=("temperature", "steps"), method="local_table", series="divergence", function="uncertainty"
            ),
        ),
        core.Preset(
            "free energy of 8 × 8", {"temperature": 3.0, "steps": 32, "side": 8, "denoiser": "local_table"},
            "A table learnt on 16 spins samples 64; one sample in fifty counts, and that suffices: the free energy is "
            "within 0.01 of the exact -2.450.",
            (core.Promise(core.Value("free_energy"), -2.450, 0.0005),
             core.Promise(core.Mean("free_energy", 960, 961), -2.450, 0.01),
             core.Promise(core.Mean("effective_samples", 960, 961), 0.02, 0.015)),
            view=core.View(plane=("side", "temperature"), method="local_table", series="free_energy"),
        ),
        core.Preset(
            "from 4 to 32", {"temperature": 3.0, "steps": 64, "side": 32, "denoiser": "local_table"},
            "The same table on 1024 spins: the energy comes out at -0.75 of -0.82, but distances add up to 37 nats, "
            "and no weight can mend that.",
            (core.Promise(core.Value("energy"), -0.82, 0.005),
             core.Promise(core.Mean("energy", 64, 65), -0.75, 0.01),
             core.Promise(core.Value("divergence", method="local_table"), 37, 0.5)),
            view=core.View(plane=("side", "temperature"), method="local_table", series="energy"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "one step, 3 × 3 at the critical temperature: the whole dependence", 3.6086062369758647, 1e-10,
            "sum over 512 states", core.Value("divergence"), {"side": 3, "steps": 1, "temperature": CRITICAL},
        ),
        core.Reference(
            "two steps, 3 × 3 at $T=3$", 0.89193864, 1e-8, "sum over all sets that may be known",
            core.Value("divergence"), {"side": 3, "steps": 2, "temperature": 3.0},
        ),
        core.Reference(
            "energy of a 32 × 32 torus at the critical temperature", -1.4336584661, 1e-9, "Kaufman 1949",
            core.Value("energy"), {"side": 32, "temperature": CRITICAL}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Exact sums, 4 × 4 spins at the critical temperature. One step is 6.6 nats away from the target, two are "
            "3.0. How far are 32 steps?",
            {"steps": 2}, "divergence", lambda model: core.Value("divergence").of(model.replace(steps=32)), 0.03,
            "0.13: at first more than half is gone with every doubling, later just half, eq. (4).",
            view=core.View(plane=("temperature", "steps"), series="divergence"),
        ),
    )  # fmt: skip
    simulation = FlowSimulation

    def realised(self) -> DiscreteFlow:
        """Exact sums are for small lattices."""
        return self.replace(side=min(self.side, theory.SMALL[-1])) if self.denoiser == "exact" else self

    def extent(self) -> str:
        one = self.realised()
        return f"of {one.side} × {one.side} spins"

    # -- theory --------------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        columns = [points[name] for name in ("temperature", "steps", "side", "learnt_at")]
        shape = len(columns[0]), 2
        names = "divergence", "energy", "free_energy", "entropy", "broken_bonds"
        values = {name: np.full(shape, np.nan) for name in names}
        own = np.zeros(shape)
        for i, (temperature, steps, side, learnt_at) in enumerate(zip(*columns, strict=True)):
            t, n, small = float(temperature), int(side) ** 2, theory.summed_side(int(side))
            known = np.arange(int(steps)) / int(steps)
            surprises = theory.uncertainty(small, t, known), theory.local_uncertainty(small, t, float(learnt_at), known)
            distances = [n * theory.divergence(one, small, t) for one in surprises]
            values["divergence"][i] = np.maximum(distances, 1e-12)
            for name, value in theory.ising(int(side), t).items():
                values[name][i] = value
            values["broken_bonds"][i] = n * (1 + 0.5 * values["energy"][i])
            own[i, TABLE] = distances[TABLE] - 2 * distances[EXACT]
        fails = {"table_too_small": own > 0, "carried": (points["side"] > theory.SMALL[-1])[:, None]}
        return core.Solution(values, np.zeros(shape), fails=fails)

    def classify(self, points: Points, states: core.States) -> dict[str, Array]:
        distance = states.solution.values["divergence"]
        everywhere = np.ones(distance.shape, bool)
        return {"faithful": distance < FAITHFUL, "repairable": distance < REPAIRABLE, "lost": everywhere}

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, n = self.temperature, self.side**2
        found = {"f": state["free_energy"] - state["energy"] + t * state["entropy"]}
        if self.side > theory.SMALL[-1]:
            return found
        p = theory.probabilities(self.side, t)
        log_z = np.log(np.exp(-(theory.energies(self.side) + 2.0 * n) / t).sum()) + 2 * n / t
        found["(1)"] = state["free_energy"] + t * log_z / n
        if self.side == 3 and state["method"] == "exact_denoiser":
            found["(3)"] = state["divergence"] - max(self._distance_by_sets(p), 1e-12)
        return found

    def _distance_by_sets(self, p: Array) -> float:
        """Eq. (3) as it stands: the dependence within every step, over all sets that may be known, of 9 spins."""
        states = np.arange(512)
        entropy = np.zeros(512)
        for known in states:
            q = np.bincount(states & known, p, 512)
            entropy[known] = -(q[q > 0] * np.log(q[q > 0])).sum()
        bits = 1 << np.arange(9)
        gains = np.where(states[:, None] & bits, 0.0, entropy[states[:, None] | bits] - entropy[:, None]).sum(axis=1)
        sizes = (states[:, None] & bits > 0).sum(axis=1)
        total = 0.0
        for kappa in np.arange(self.steps) / self.steps:
            total += float(kappa**sizes * (1 - kappa) ** (9.0 - sizes) @ gains) / (1 - kappa) / self.steps
        return total - float(entropy[-1])

    def boundary(self, name: str, points: Points) -> Array:
        return np.full(points["temperature"].size, CRITICAL)

    def profiles(self) -> dict[str, core.Profile]:
        small = theory.summed_side(self.side)
        exact = theory.uncertainty(small, self.temperature, KNOWN)
        table = theory.local_uncertainty(small, self.temperature, self.learnt_at, KNOWN)
        return {"uncertainty": core.Profile(KNOWN, np.stack([exact, table]))}

    def divergence_of_halves(self, first: tuple[int, ...]) -> float:
        """Distance, in nats, of two steps of which the first always unmasks the given spins (numbered row by row) of a
        torus of 3 or 4 a side, with an exact denoiser. Another flow than that of the page, whose sets are random.

        Raises NotOfferedError for larger lattices.
        """
        if self.side not in theory.SMALL:
            raise core.NotOfferedError(self.title, "sums over the states of a larger torus")
        return theory.divergence_of_halves(self.side, self.temperature, first)

    def law(self) -> core.Law:
        if self.realised().side not in theory.SMALL:
            raise core.NotOfferedError(self.title, "the law of the energy of a larger torus")
        values, weights = theory.levels(self.realised().side, self.temperature)
        return core.Law("broken_bonds", values, weights, "target: every level by its weight", discrete=True)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Of steps without number, each batch after the other."""
        done = np.where(times > 0, (np.rint(times).astype(int) - 1) % self.steps + 1, 0) / self.steps
        return {"revealed_energy": done**2 * theory.ising(self.realised().side, self.temperature)["energy"]}

    def caveat(self) -> str:
        if self.denoiser == "exact":
            return "in few steps spins are drawn at once that depend on each other, and only weights can mend that"
        return "the table sees four neighbours only, and weights of large lattices are too uneven to mend that"

    def footprint(self) -> int:
        return 8 * self.batch * self.side**2 + 2**20
