r"""Quantum spin glass in the plane: Heisenberg spins whose bonds are of either sign.

$N=L^2$ spins $S$ on a periodic square lattice,

$$H=\sum_{\langle ij\rangle}J_{ij}\,\mathbf S_i\cdot\mathbf S_j,\qquad
J_{ij}=\begin{cases}-1&\text{with probability }p\\+1&\text{else}\end{cases} \tag{1}$$

from an antiferromagnet ($p=0$) to a ferromagnet ($p=1$). In between, plaquettes with an odd number of ferromagnetic
bonds cannot satisfy all four. What is ordered is told by the correlations $c_{ij}=\langle\mathbf S_i\cdot\mathbf
S_j\rangle/S(S+1)$ of a ground state, with $\eta_i=\pm1$ on the two sublattices: the squares of staggered and uniform
magnetization, and the overlap of two copies of the system,

$$M^2=\frac1{N^2}\sum_{ij}\eta_i\eta_jc_{ij},\qquad m^2=\frac1{N^2}\sum_{ij}c_{ij},\qquad
q^2=\frac1{N^2}\sum_{ij}c_{ij}^2 \tag{2}$$

Magnets have both. A spin glass has $q^2$ only: all spins are frozen, in directions without a pattern.

*Classical*: as $S\to\infty$ spins are unit vectors $\mathbf n_i$, each at rest along its field,

$$\mathbf n_i\times\sum_jJ_{ij}\mathbf n_j=0,\qquad c_{ij}=\mathbf n_i\cdot\mathbf n_j \tag{3}$$

Of several states of rest, reached by cooling, the lowest is taken. For unit vectors $q^2\ge\frac13$ whatever they do
(three eigenvalues that sum to one), so the question is what quantum fluctuations do to it.

*Spin waves*: with $\mathbf u_i$ a complex vector across $\mathbf n_i$ ($\mathbf u_i=\mathbf e_1+i\mathbf e_2$) and a
boson on each site, the fluctuations of first order in $1/S$ are

$$H_2=S\sum_{ij}\big[A_{ij}a_i^\dagger a_j+\tfrac12(B_{ij}a_i^\dagger a_j^\dagger+\text{h.c.})\big],\qquad
A_{ij}=\tfrac12J_{ij}\mathbf u_i\cdot\mathbf u_j^*-\delta_{ij}\sum_kJ_{ik}\mathbf n_i\cdot\mathbf n_k,\quad
B_{ij}=\tfrac12J_{ij}\mathbf u_i\cdot\mathbf u_j \tag{4}$$

Its normal modes $\omega$ give the energy and its correlations (symmetrised, $\delta_i=\langle a_i^\dagger a_i\rangle$)

$$E=S^2E_{\rm cl}+\frac S2\Big(\sum\omega-\mathrm{Tr}A\Big) \tag{5}$$

$$(1+\tfrac1S)\,c_{ij}=\mathbf n_i\cdot\mathbf n_j\Big(1-\frac{\delta_i+\delta_j}S\Big)+\frac1S\mathrm{Re}\big[\mathbf
u_i^*\cdot\mathbf u_j\langle a_ia_j^\dagger\rangle+\mathbf u_i^*\cdot\mathbf u_j^*\langle a_ia_j\rangle\big] \tag{6}$$

Turning all spins together costs nothing; those modes are no fluctuation of what spins are to each other and are left
out. So (6) keeps $c_{ii}=1$, is exact for the ferromagnet at any $N$, and off by a percent for the antiferromagnet of
sixteen spins 1/2. (Some small samples can by accident also be bent at no cost. Harmonic waves do not exist there;
theory takes another sample.)

Everything is averaged over samples, at every $p$ the same but for those: as $p$ grows, bonds turn over one after the
other. Theory is computed at every $p=k/32$ and interpolated. A magnet is called one where a quarter of the squared
magnetization is left that it has at $p=0$ or $1$.

**Valid:** (3) for large $S$, (6) as long as $2\delta<S$, beyond which to first order nothing of the squares is left;
spins 1/2 do not get there. Lattices of up to $8\times8$ sites tell a trend, not a limit: compare sizes. Between the
magnets $M^2$ falls like $1/N$, which is nothing, and $q^2$ more slowly. Neural quantum states (which this atlas leaves
out) find on large lattices that the glass is stable at $S=\frac12$; (6) points the same way. A classical glass in the
plane melts at every temperature above zero.

Simulations: *exact* ground states of $4\times4$ spins 1/2 (Lanczos; a new sample every step; the state need not be a
singlet), or *classical* vectors at a temperature (heat bath and over-relaxation; $q^2$ from two copies).
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
from mfexplore.models.glasses.quantum_heisenberg_glass.dynamics import BINS, HeisenbergGlassSimulation
from mfexplore.models.glasses.quantum_heisenberg_glass.theory import (
    NODES,
    lattice,
    matrix,
    moments,
    projected,
    quadratic,
    sample,
    unturned,
)

PLANE = ("ferromagnetic_fraction", "inverse_spin")
CLASSICAL, SPIN_WAVE = range(2)
LEFT_OVER = 0.25  # of the squared magnetization of a pure magnet, from which a magnet counts as ordered
NOTICEABLE = 0.05  # difference of the two theories in an order


def left(model: QuantumHeisenbergGlass, order: str, fraction: float) -> float:
    """What is left of an order at a fraction, by spin waves, in parts of what it is without ferromagnetic bonds."""
    found = model.theory(method="spin_wave", profiles=False, ferromagnetic_fraction=[0.0, fraction])[order]
    return float(found[1] / found[0])


@dataclass(frozen=True)
class QuantumHeisenbergGlass(core.Model):
    ferromagnetic_fraction: float = core.control(
        0.5, 0.0, 1.0, symbol="p", role="disorder", step=0.01, quenched=True, doc="fraction of ferromagnetic bonds"
    )
    inverse_spin: float = core.control(
        2.0, 0.0, 2.0, symbol="1/S", role="coupling", step=0.05, part="theory",
        doc="strength of quantum fluctuations: 2 for spins 1/2, 0 for classical vectors",
    )  # fmt: skip
    half_side: int = core.control(
        2, 2, 4, symbol="L/2", role="size", doc="half of the side of the lattice (exactly solved: 2, for 4 × 4 spins)"
    )
    samples: int = core.control(
        4, 1, 64, symbol=r"n_{\rm s}", role="size", scale="log", part="theory", doc="samples that theory averages over"
    )
    simulated: str = core.choice(
        "exact", {"exact": "exact, spins 1/2", "classical": "classical vectors"}, part="simulation",
        doc="what is simulated",
    )  # fmt: skip
    temperature: float = core.control(
        0.1, 0.0, 1.0, symbol="T", role="temperature", step=0.01, part="simulation",
        doc="thermal noise of the classical vectors", only={"simulated": ("classical",)},
    )  # fmt: skip

    tags = core.Tags("research", 25, ("glass", "quantum"), ("exact sums",))
    relations = (
        core.Relation(
            "shares the method with", "small_quantum_systems",
            "Exact states of small clusters beside linear spin waves; the ring of the other page is the chain of "
            "this one's antiferromagnet.",
            there={"problem": "heisenberg_ring"},
        ),
        core.Relation(
            "contrasts with", "sherrington_kirkpatrick",
            "Where all spins see each other a glass exists for certain; on a plane it has to be read off a few small "
            "sizes.",
        ),
    )  # fmt: skip
    title = "Quantum Heisenberg glass"
    summary = (
        "Ferromagnetic bonds in a quantum antiferromagnet: magnetism dies, and a frozen pattern without order stays."
    )
    sources = (
        core.Source("Quantum Spin Glass in the Two-Dimensional Disordered Heisenberg Model via Foundation "
                    "Neural-Network Quantum States (2025)"),
        core.Source("J. H. P. Colpa, Physica A 93, 327 (1978)", doi="10.1016/0378-4371(78)90160-7"),
        core.Source("H. J. Schulz, T. A. L. Ziman, D. Poilblanc, J. Phys. I 6, 675 (1996)", doi="10.1051/jp1:1996236"),
    )  # fmt: skip
    methods = (
        core.Method("classical", "vectors at rest, eq. (3)", describes={"simulated": ("classical",)}),
        core.Method(
            "spin_wave", "with quantum fluctuations of first order, eq. (6)", describes={"simulated": ("exact",)}
        ),
    )
    observables = (
        core.Observable("overlap_squared", "q^2", "squared overlap of two copies: is anything frozen?", low=0, high=1),
        core.Observable("staggered_order", "M^2", "squared staggered magnetization", low=0, high=1),
        core.Observable("uniform_order", "m^2", "squared magnetization", low=0, high=1),
        core.Observable("energy", "e", "energy per spin over S(S+1)"),
        core.Observable("moment", r"1-\delta/S", "what spin waves leave of a spin's length", low=0, high=1.2),
        core.Observable("pair_density", "P", "distribution of the correlations of pairs", over="correlation", low=0),
    )
    coordinates = (core.Coordinate("correlation", "c_{ij}", "correlation of a pair of spins"),)
    phases = (
        core.Phase("antiferromagnet", "Neighbours are opposite, all over the lattice."),
        core.Phase("ferromagnet", "All spins point the same way."),
        core.Phase("glass", "Every spin is frozen in a direction of its own: magnetism is gone, the overlap is not."),
    )
    failures = (
        core.Failure(
            "fluctuations",
            "Quantum fluctuations change the overlap by more than 0.05, and classical vectors have none.",
        ),
    )
    landmarks = (
        core.Landmark(
            "mirror", "p=1/2", "classically the two sides are mirror images (turn one sublattice over)",
            continuous=False, of="ferromagnetic_fraction",
        ),
    )  # fmt: skip
    tolerance = 1e-6  # largest torque; where a turn costs nothing by accident, rest is approached slowly
    planes = (
        core.Plane("ferromagnetic_fraction", "inverse_spin", "overlap_squared", along="x", finest=65),
        core.Plane("ferromagnetic_fraction", "half_side", "staggered_order", along="x", finest=33),
    )
    presets = (
        core.Preset(
            "the glass", {"ferromagnetic_fraction": 0.5},
            "Both magnetizations are down to what finite size leaves; the overlap is five sixths of the magnet's.",
            (core.Promise(core.Value("overlap_squared", method="spin_wave"), 0.14, 0.01),
             core.Promise(lambda m: core.Value("overlap_squared", method="spin_wave").of(
                 m.replace(ferromagnetic_fraction=0.0)), 0.167, 0.001)),
            core.View(plane=PLANE, method="spin_wave", series="overlap_squared", picture="state",
                      colour="overlap_squared"),
        ),
        core.Preset(
            "magnetism dies", {"ferromagnetic_fraction": 0.25},
            "Along p the squared magnetization falls below a quarter by p = 1/2, while the overlap keeps five sixths.",
            (core.Promise(lambda m: left(m, "staggered_order", 0.5), 0.233, 0.01),
             core.Promise(lambda m: left(m, "overlap_squared", 0.5), 0.836, 0.01)),
            core.View(plane=PLANE, method="spin_wave", colour="staggered_order", along="ferromagnetic_fraction",
                      series="staggered_order", picture="classical state"),
        ),
        core.Preset(
            "the larger, the less", {"ferromagnetic_fraction": 0.5},
            "From 4 × 4 to 8 × 8 the magnetization falls onto the line of independent spins; the overlap stays at more "
            "than twice that.",
            view=core.View(plane=("ferromagnetic_fraction", "half_side"), method="spin_wave", picture="sizes",
                           series="overlap_squared", colour="staggered_order"),
        ),
        core.Preset(
            "antiferromagnet", {"ferromagnetic_fraction": 0.0},
            "Spin waves say 0.365 for the squared staggered magnetization, the exact ground state 0.369.",
            (core.Promise(core.Value("staggered_order", method="spin_wave"), 0.365, 0.0005),
             core.Promise(core.Mean("staggered_order", 0, 1), 0.369, 0.0005)),
            core.View(plane=PLANE, method="spin_wave", series="staggered_order", colour="staggered_order",
                      picture="state"),
        ),
        core.Preset(
            "classical glass, warm",
            {"ferromagnetic_fraction": 0.5, "inverse_spin": 0.0, "half_side": 4, "samples": 1,
             "simulated": "classical", "temperature": 0.3},
            "Arrows without a pattern, and never at rest: two copies overlap far less than states at rest would.",
            view=core.View(plane=PLANE, method="classical", series="overlap_squared", colour="overlap_squared",
                           picture="state"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "exact energy per spin of the 4 × 4 antiferromagnet", -0.7017802005268038, 1e-8, "Lanczos",
            lambda model: 0.75 * core.Mean("energy", 0, 1).of(model), {"ferromagnetic_fraction": 0.0}, published=True,
        ),
        core.Reference(
            "exact squared staggered magnetization there", 0.2765271361132475, 1e-7, "Lanczos",
            lambda model: 0.75 * core.Mean("staggered_order", 0, 1).of(model), {"ferromagnetic_fraction": 0.0},
        ),
        core.Reference(
            "squared overlap of the 4 × 4 ferromagnet", 3 / 32, 1e-9, "total spin 8",
            lambda model: 0.75**2 * core.Value("overlap_squared", method="spin_wave").of(model),
            {"ferromagnetic_fraction": 1.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Half of the bonds are ferromagnetic, and both magnetizations are gone. How large is the squared overlap "
            "of 4 × 4 spins 1/2, where that of the antiferromagnet is 0.17 and that of independent spins 0.06?",
            {"ferromagnetic_fraction": 0.5}, "overlap_squared", core.Value("overlap_squared", method="spin_wave"), 0.03,
            "0.14: nearly as much as in a magnet. Every spin is frozen to the others, but in no pattern that a "
            "magnetization could see.",
            view=core.View(method="spin_wave", series="overlap_squared"),
        ),
    )  # fmt: skip
    simulation = HeisenbergGlassSimulation

    @property
    def side(self) -> int:
        """Side of the lattice."""
        return 2 * self.half_side

    def realised(self) -> QuantumHeisenbergGlass:
        if self.simulated == "exact":
            return self.with_simulated(half_side=2)
        return self

    def nearest(self) -> tuple[float, float]:
        """The nearest fraction at which theory is computed, and 1/S."""
        return round(self.ferromagnetic_fraction * NODES) / NODES, self.inverse_spin

    @staticmethod
    def orders(fraction: float, x: float, side: int, samples: int) -> Array:
        """q^2, M^2, m^2, energy and moment by spin waves at 1/S = x (0: classical), torque and sweeps; shape (7,)."""
        position = fraction * NODES
        low = min(int(position), NODES - 1)
        weight = position - low
        table = sum(
            share * moments(node, side, samples)
            for node, share in ((low, 1 - weight), (low + 1, weight)) if share > 0
        )  # fmt: skip
        energy, staggered, uniform, e1, s1, u1, cc, cf, ff, deviation, torque, sweeps = np.asarray(table)
        squared = (cc + 2 * x * cf + x * x * ff) / (1 + x) ** 2
        first = (np.array([staggered, uniform, energy]) + x * np.array([s1, u1, e1])) / (1 + x)
        return np.array([squared, *first, 1 - x * deviation, torque, sweeps])

    def solve(self, points: Points) -> core.Solution:
        names = ("ferromagnetic_fraction", "inverse_spin", "half_side", "samples")
        first, place = distinct([points[name] for name in names])
        found = np.empty((first.size, 2, 7))
        for k, point in enumerate(first):
            p, x, half_side, samples = (points[name][point].item() for name in names)
            for method, inverse in ((CLASSICAL, 0.0), (SPIN_WAVE, x)):
                found[k, method] = self.orders(p, inverse, int(2 * half_side), int(samples))
        found = found[place]
        orders = ("overlap_squared", "staggered_order", "uniform_order", "energy", "moment")
        values = {name: found[:, :, k] for k, name in enumerate(orders)}
        gap = np.abs(found[:, CLASSICAL, 0] - found[:, SPIN_WAVE, 0]) > NOTICEABLE
        return core.Solution(
            values, found[:, :, 5], iterations=found[:, :, 6].astype(np.int64),
            fails={"fluctuations": gap[:, None] & (np.arange(2) == CLASSICAL)},
        )  # fmt: skip

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        """A magnet where enough is left of what it is at p = 0 or 1."""
        pure = [
            self.solve({**points, "ferromagnetic_fraction": np.full(len(points["inverse_spin"]), float(p))}).values[
                name
            ]
            for p, name in enumerate(("staggered_order", "uniform_order"))
        ]
        values = states.solution.values
        return {
            "antiferromagnet": values["staggered_order"] > LEFT_OVER * pure[0],
            "ferromagnet": values["uniform_order"] > LEFT_OVER * pure[1],
            "glass": np.ones(pure[0].shape, bool),
        }

    def boundary(self, name: str, points: Points) -> Array:
        return np.full(len(points["inverse_spin"]), 0.5)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """Energies a second time, sample by sample: bond by bond, and from the frequencies of plain matrices."""
        position, x, total = self.ferromagnetic_fraction * NODES, self.inverse_spin, 0.0
        for node in {math.floor(position), math.ceil(position)}:
            share = 1 - abs(position - node)
            for number in range(self.samples):
                one = sample(node, self.side, number)
                exchange = matrix(lattice(self.side), one.couplings)
                energy = 0.5 * float(np.einsum("ia,ij,ja", one.spins, exchange, one.spins))
                if state["method"] == "spin_wave":
                    normal, anomalous = quadratic(one.spins, exchange)
                    a, b = projected(unturned(one.spins), normal, anomalous)
                    modes = np.linalg.eigvals(np.block([[a, b], [-b.conj(), -a.conj()]])).real
                    energy = (energy + x / 2 * (modes[modes > 0].sum() - np.trace(normal).real)) / (1 + x)
                total += share * energy / (self.side**2 * self.samples)
        return {"(5)" if state["method"] == "spin_wave" else "(3)": state["energy"] - total}

    def profiles(self) -> dict[str, core.Profile]:
        node = round(self.ferromagnetic_fraction * NODES)
        found = np.zeros((2, len(BINS) - 1))
        for number in range(self.samples):
            one = sample(node, self.side, number)
            pairs = np.triu_indices(len(one.classical), 1)
            for method, x in ((CLASSICAL, 0.0), (SPIN_WAVE, self.inverse_spin)):
                c = (one.classical + x * one.first)[pairs] / (1 + x)
                found[method] += np.histogram(np.clip(c, -1, 1), BINS)[0] / (len(c) * self.samples)
        return {"pair_density": core.Profile((BINS[1:] + BINS[:-1]) / 2, found / (BINS[1] - BINS[0]))}

    def extent(self) -> str:
        side = self.realised().side
        return f"of {side} × {side} spins"

    def caveat(self) -> str:
        if self.simulated == "classical":
            return "theory has no temperature; and each copy of a glass comes to rest in a valley of its own"
        return "spins 1/2 are simulated; samples differ, and theory averages over a few other ones"

    def footprint(self) -> int:
        return 64 * 1024**2 if self.simulated == "exact" else 1000 * self.side**2
