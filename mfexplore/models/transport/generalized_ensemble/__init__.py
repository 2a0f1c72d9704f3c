r"""Generalized ensemble: every steady state is a Boltzmann law, but a driven one needs more than pairs.

Any law $P$ of $n$ states can be written with an invertible matrix $M$ of observables and conjugate variables $\lambda$,

$$\ln P=M\lambda,\qquad\lambda=M^{-1}\ln P \tag{1}$$

The observables whose $\lambda$ is not zero are the *sufficient statistics*: their averages are all one needs to know.

**Spins.** $N$ Ising spins on a ring, with $H=-J\sum_is_is_{i+1}-h\sum_is_i$, are turned by two heat baths: spin $i$, at
$T_i=T_1$ or $T_2$, flips at the rate

$$w_i=\tfrac12\Big(1-s_i\tanh\frac{J(s_{i-1}+s_{i+1})+h}{T_i}\Big) \tag{2}$$

For spins $M$ is the Hadamard matrix: one coupling for each set $A$ of spins,

$$\ln P(s)=\sum_A\lambda_A\prod_{i\in A}s_i,\qquad\lambda_A=2^{-N}\sum_s\ln P(s)\prod_{i\in A}s_i \tag{3}$$

In equilibrium ($T_1=T_2$) only $\lambda_{i,i+1}=J/T$ and $\lambda_i=h/T$ are there. Between two baths heat flows, the
steady state solves $PQ=0$ and nothing else, and couplings appear that no energy has: between spins that are no
neighbours, among four, six, ...

**Walk.** A walker on $N$ positions $x=0,\dots,N-1$ steps up at the rate $e^{F/2}$, down at $e^{-F/2}$; between the last
and the first a gate lets it pass at $g$ times these rates. $M$ is the Vandermonde matrix: $\ln P=\sum_k\lambda_kx^k$.
Behind walls ($g=0$) $\lambda_1=F$ alone is needed; with $g=1$ all positions are alike, and *no* coupling is there
although a current flows in a circle. So $P$ alone does not show equilibrium. The fluxes do:

$$\Phi_{ij}=P_iQ_{ij},\qquad\sigma=\tfrac12\sum_{ij}(\Phi_{ij}-\Phi_{ji})\ln\frac{\Phi_{ij}}{\Phi_{ji}} \tag{4}$$

is the entropy produced per time, zero only where every flux is balanced. It is the heat that flows times
$1/T_1-1/T_2$, or the current in the circle times $NF$.

**Valid:** always; law and fluxes are exact. What is measured in a simulation are logarithms of frequencies: couplings
are uncertain where some states are rare (in the cold), and those below their errors are not shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import expm
from scipy.special import entr

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families import master_equation as master
from mfexplore.models.transport.generalized_ensemble.dynamics import EnsembleSimulation
from mfexplore.models.transport.generalized_ensemble.theory import NEEDED, steady_states, structure, terms

SPINS, WALK = {"process": ("spins",)}, {"process": ("walk",)}


@dataclass(frozen=True)
class GeneralizedEnsemble(core.Model):
    process: str = core.choice(
        "spins", ("spins", "walk"), doc="spins between two heat baths, or a walker that is driven in a circle"
    )
    first_temperature: float = core.control(
        0.5, 0.3, 4.0, symbol="T_1", unit="J/k_B", role="temperature", step=0.01, only=SPINS,
        doc="temperature of the first bath",
    )  # fmt: skip
    second_temperature: float = core.control(
        2.0, 0.3, 4.0, symbol="T_2", unit="J/k_B", role="temperature", step=0.01, only=SPINS,
        doc="temperature of the second bath",
    )  # fmt: skip
    coupling: float = core.control(
        1.0, -1.5, 1.5, symbol="J", role="coupling", step=0.01, only=SPINS, doc="neighbours align (or oppose, J < 0)"
    )
    field: float = core.control(
        0.0, -1.0, 1.0, symbol="h", unit="J", role="field", step=0.01, only=SPINS, doc="field that favours spins up"
    )
    arrangement: str = core.choice(
        "alternating", ("alternating", "halves"), only=SPINS, doc="spins at the first bath: every other, or one half"
    )
    force: float = core.control(
        1.0, -4.0, 4.0, symbol="F", role="field", step=0.02, only=WALK, doc="drives the walker up; k_BT per step"
    )
    gate: float = core.control(
        0.0, 0.0, 1.0, symbol="g", role="coupling", step=0.01, only=WALK,
        doc="how open the way from the last position to the first is",
    )  # fmt: skip
    sites: int = core.control(
        4, 3, 7, symbol="N", role="setting", quenched=True, doc="spins on the ring, or positions of the walker"
    )
    size: int = core.control(
        20_000, 64, 1_000_000, symbol="R", role="size", scale="log", part="simulation", doc="copies simulated"
    )
    start: str = core.choice(
        "random", ("random", "aligned"), role="start", part="simulation",
        doc="copies at the start: in any state, or all spins up (the walker at 0)",
    )  # fmt: skip

    title = "Generalized ensemble"
    summary = "A driven steady state as a Boltzmann law: which couplings it needs, and what only its fluxes tell."
    tags = core.Tags("research", 20, ("currents",), ("master equations", "exact sums"))
    relations = (
        core.Relation(
            "shares the method with", "maxent_channel",
            "A driven steady state written as the exponential of few observables, and how much more than energies "
            "that takes.",
        ),
        core.Relation(
            "contrasts with", "cumulant_clustering",
            "A ring of Ising spins: between two heat baths here, so that couplings appear that no energy has; in "
            "equilibrium there.",
            here={"process": "spins"}, there={"chain": "ising"},
        ),
    )  # fmt: skip
    sources = (
        core.Source("S. Guan (2025)", arxiv="2503.17898"),
        core.Source("J. Schnakenberg, Rev. Mod. Phys. 48, 571 (1976)", doi="10.1103/RevModPhys.48.571"),
        core.Source("Z. Rácz, R. K. P. Zia, Phys. Rev. E 49, 139 (1994): two baths", doi="10.1103/PhysRevE.49.139"),
    )
    observables = (
        core.Observable(
            "higher_coupling", r"\max|\lambda|", "strongest coupling beyond pairs (of a walker: beyond a force)",
            low=0,
        ),
        core.Observable("entropy_production", r"\sigma", "entropy produced per flip time, eq. (4)", low=0),
        core.Observable(
            "flow", r"\Phi", "heat per time from the second bath to the first; the walker's net flux through each link",
            signed=True,
        ),
        core.Observable("sufficient_statistics", "n_s", "couplings that are needed", low=0),
        core.Observable("entropy", "S", "entropy of the law, in nats", low=0),
        core.Observable(
            "couplings", r"\lambda_A", "couplings in turn: fields, pairs, triples, ... (powers of the position)",
            signed=True, over="term",
        ),
        core.Observable(
            "strongest_coupling", r"\max|\lambda|", "the strongest of each order", over="order", scale="log"
        ),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("term", "A", "the observables in turn", discrete=True),
        core.Coordinate("order", "|A|", "how many spins (which power of the position)", discrete=True),
    )
    phases = (
        core.Phase("equilibrium", "Every flux is balanced by the one back, and the energy has all couplings."),
        core.Phase("driven", "Heat or a walker flows: fluxes are not balanced, and entropy is produced."),
    )
    landmarks = (
        core.Landmark("equal_baths", "T_1=T_2", "equilibrium", of="second_temperature", only=SPINS),
        core.Landmark("no_force", "F=0", "nothing drives the walker", of="force", only=WALK),
    )
    planes = (
        core.Plane("first_temperature", "second_temperature", "higher_coupling", along="x", finest=129, only=SPINS),
        core.Plane("coupling", "field", "higher_coupling", along="x", finest=129, only=SPINS),
        core.Plane("force", "gate", "higher_coupling", along="y", finest=129, only=WALK),
    )
    presets = (
        core.Preset(
            "equilibrium", {"first_temperature": 1.0, "second_temperature": 1.0},
            "Both baths are alike: of fifteen couplings only those of the four neighbouring pairs are there.",
            (core.Promise(core.Value("sufficient_statistics"), 4, 0),
             core.Promise(core.Value("entropy_production"), 0, 1e-12)),
            core.View(function="couplings"),
        ),
        core.Preset(
            "hot and cold in turn", {"first_temperature": 0.5, "second_temperature": 2.0, "size": 100_000},
            "Heat flows, and a coupling of all four spins appears, 0.1, which no energy between pairs can give.",
            (core.Promise(core.Value("higher_coupling"), 0.1, 0.002),),
            core.View(function="couplings", picture="fluxes"),
        ),
        core.Preset(
            "two halves", {"first_temperature": 0.5, "second_temperature": 2.0, "arrangement": "halves"},
            "Only where cold meets hot does heat pass: less entropy is produced, and higher couplings are weak.",
            (core.Promise(core.Value("higher_coupling"), 0.017, 0.0005),),
            core.View(function="couplings", series="entropy_production"),
        ),
        core.Preset(
            "seven spins", {"sites": 7, "first_temperature": 0.8, "second_temperature": 3.0, "size": 200_000},
            "Orders two, four and six are all there, each weaker than the last: pairs are not the whole story.",
            view=core.View(function="strongest_coupling"),
        ),
        core.Preset(
            "walls", {"process": "walk", "force": 1.0, "gate": 0.0, "sites": 6},
            "A walker pushed against a wall is in equilibrium: one coupling, its force, says all; no arrow is left.",
            (core.Promise(core.Value("sufficient_statistics"), 1, 0),),
            core.View(function="couplings", series="entropy_production"),
        ),
        core.Preset(
            "gate ajar", {"process": "walk", "force": 1.0, "gate": 0.05, "sites": 6, "size": 100_000},
            "A small leak drives a current in a circle: now every power of the position is needed.",
            (core.Promise(core.Value("sufficient_statistics"), 5, 0),),
            core.View(function="strongest_coupling", series="flow"),
        ),
        core.Preset(
            "open ring", {"process": "walk", "force": 1.0, "gate": 1.0, "sites": 6},
            "All positions are alike and no coupling is left, as if nothing happened; only the fluxes tell.",
            (core.Promise(core.Value("sufficient_statistics"), 0, 0),),
            core.View(picture="fluxes", series="entropy_production"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "coupling of four spins, cold and hot in turn", 0.09969405220410132, 1e-12, "linear solve of 16 states",
            core.Value("higher_coupling"), {"first_temperature": 0.5, "second_temperature": 2.0},
        ),
        core.Reference(
            "entropy produced between two halves", 0.28948505655833945, 1e-12, "eq. (4), linear solve",
            core.Value("entropy_production"),
            {"first_temperature": 0.5, "second_temperature": 2.0, "arrangement": "halves"},
        ),
        core.Reference(
            "entropy produced on three positions, rates 2 and 1/2", 2.0794415416798357, 1e-12,
            r"$(k_+-k_-)\ln(k_+/k_-)$, Schnakenberg (1976)", core.Value("entropy_production"),
            {"process": "walk", "sites": 3, "gate": 1.0, "force": math.log(4)}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Four spins on a ring, no field, cold and hot in turn. The energy has four couplings: how many does the "
            "steady state need?",
            {"first_temperature": 0.5, "second_temperature": 2.0}, "sufficient_statistics",
            core.Value("sufficient_statistics"), 0.4,
            "Seven: all even sets of spins, which are six pairs (two of them no neighbours) and all four together.",
            view=core.View(function="couplings"),
        ),
        core.Task(
            "Five positions in an open circle and a force of 2 along it: all positions are equally likely. How much "
            "entropy is produced per time?",
            {"process": "walk", "sites": 5, "force": 2.0, "gate": 1.0}, "entropy_production",
            core.Value("entropy_production"), 0.1,
            "A walker turns at the rate (e - 1/e)/5, and a turn produces 5 times 2: 2 (e - 1/e) = 4.70.",
        ),
    )  # fmt: skip
    simulation = EnsembleSimulation

    @property
    def orders(self) -> Array:
        """Number of spins (power of the position) of every term."""
        of = terms(self.process, self.sites)
        return np.array([one[0] if self.process == "walk" else len(one) for one in of])

    @property
    def beyond(self) -> Array:
        """The terms that an energy of pairs (a force) does not have."""
        return np.asarray(self.orders > (1 if self.process == "walk" else 2))

    def couplings_of(self, log_law: Array, sites: int | None = None) -> Array:
        """Eq. (1) but for the constant: shape (..., states) becomes (..., terms)."""
        n = sites or self.sites
        if self.process == "walk":
            return np.asarray(np.linalg.solve(np.vander(np.arange(n), increasing=True), log_law.T).T[..., 1:])
        places = [sum(1 << i for i in chosen) for chosen in terms("spins", n)]
        return np.asarray(master.walsh_hadamard(log_law)[..., places] / 2**n)

    def kinds(self, points: Mapping[str, Array]) -> tuple[Array, Array]:
        """(rates, what a jump carries) of the kinds of jumps in `structure`, both of shape (n, kinds)."""
        if self.process == "walk":
            forth, back = np.exp(points["force"] / 2), np.exp(-points["force"] / 2)
            rates = np.stack([forth, back, points["gate"] * forth, points["gate"] * back], axis=-1)
            return rates, np.broadcast_to(np.array([1.0, -1.0, 1.0, -1.0]), rates.shape) / points["sites"][:, None]
        kind = np.arange(12)
        spin, neighbours = 1 - 2 * (kind // 3 % 2), 2 * (kind % 3) - 2
        local = points["coupling"][:, None] * neighbours + points["field"][:, None]
        first, second = points["first_temperature"][:, None], points["second_temperature"][:, None]
        rates = 1 / (1 + np.exp(2 * spin * local / np.where(kind < 6, first, second)))
        return rates, np.where(kind < 6, 0.0, 2 * spin * local)  # heat from the second bath

    def _here(self) -> dict[str, Array]:
        return {name: np.array([getattr(self, name)]) for name in self.axis_names()}

    def jumps_of(self) -> tuple[master.Jumps, Array]:
        """All jumps at these controls, and what each carries."""
        listed, kind = structure(self.process, self.sites, self.arrangement)
        rates, carried = self.kinds(self._here())
        return listed._replace(rate=rates[0][kind]), np.asarray(carried[0][kind])

    def steady_state(self) -> Array:
        """The exact law of the states, shape (states,)."""
        return master.stationary_law(self.jumps_of()[0])

    def solve(self, points: Points) -> core.Solution:
        n, (rates, carried) = points["sites"].size, self.kinds(points)
        names = ("higher_coupling", "entropy_production", "flow", "sufficient_statistics", "entropy")
        values, residual = {name: np.empty(n) for name in names}, np.empty(n)
        for sites in np.unique(points["sites"]):
            here, size = np.flatnonzero(points["sites"] == sites), int(sites)
            listed, kind = structure(self.process, size, self.arrangement)
            laws, found = np.empty((here.size, listed.states)), np.empty((here.size, 2))
            scratch = listed._replace(rate=np.empty(kind.size))
            work = np.empty((listed.states, listed.states))
            steady_states(rates[here], carried[here], scratch, kind, work, laws, found)
            strength = np.abs(self.couplings_of(np.log(laws), size))
            beyond = self.replace(sites=size).beyond
            values["higher_coupling"][here] = strength[:, beyond].max(axis=1, initial=0.0)
            values["sufficient_statistics"][here] = (strength > NEEDED).sum(axis=1)
            values["entropy_production"][here], values["flow"][here] = found.T
            values["entropy"][here] = entr(laws).sum(axis=1)
            residual[here] = np.abs(laws.sum(axis=1) - 1)
        return core.Solution(values, residual)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        q = self.jumps_of()[0].generator()
        law = np.linalg.lstsq(np.vstack([q.T, np.ones(len(q))]), np.eye(len(q) + 1)[-1])[0]
        affinity = self.sites * self.force if self.process == "walk" else 1 / self.first_temperature
        affinity -= 0 if self.process == "walk" else 1 / self.second_temperature
        return {
            "(4)": state["entropy_production"] - state["flow"] * affinity,
            "PQ=0": state["entropy"] - float(entr(np.maximum(law, 0)).sum()),
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        if self.process == "walk":
            still = (points["force"] == 0) | (points["gate"] == 0)
        else:
            still = (points["first_temperature"] == points["second_temperature"]) | (points["coupling"] == 0)
        return {"equilibrium": still, "driven": np.ones_like(still)}

    def boundary(self, name: str, points: Points) -> Array:
        return points["first_temperature"] if name == "equal_baths" else np.zeros_like(points["force"])

    def profiles(self) -> dict[str, core.Profile]:
        values, orders = self.couplings_of(np.log(self.steady_state())), self.orders
        strongest = np.array([np.abs(values[orders == order]).max() for order in np.unique(orders)])
        return {
            "couplings": core.Profile(np.arange(1, len(values) + 1), np.where(np.abs(values) > NEEDED, values, 0.0)),
            "strongest_coupling": core.Profile(np.unique(orders), np.where(strongest > NEEDED, strongest, np.nan)),
        }

    def exact(self) -> dict[str, float]:
        return {"flow": float(self.theory(profiles=False)["flow"])}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """The entropy on the way from all spins up (or the uniform law) to the steady state."""
        q = self.jumps_of()[0].generator()
        law = np.eye(len(q))[0] if self.start == "aligned" else np.full(len(q), 1 / len(q))
        steps: dict[float, Array] = {}
        path, last = np.empty(len(times)), 0.0
        for k, time in enumerate(times):
            gap = round(float(time) - last, 9)
            if gap not in steps:
                steps[gap] = expm(gap * q)
            law = np.maximum(law @ steps[gap], 0.0)
            path[k], last = entr(law).sum(), float(time)
        return {"entropy": path}

    def caveat(self) -> str:
        return "the copies still relax, or some states are so rare that they are hardly seen"

    def footprint(self) -> int:
        return 40 * self.size
