r"""Small quantum systems: what mean field gets wrong, exactly.

Three problems that are small enough to be solved. A closed chain of $N$ Ising spins in a transverse field, a ring of
$N$ Heisenberg spins 1/2, and two sites for electrons that hop ($t=1$) and repel each other (Hubbard's dimer, half
filled):

$$H=-\sum_i\sigma^z_i\sigma^z_{i+1}-\Gamma\sum_i\sigma^x_i,\qquad H=\sum_i\mathbf S_i\cdot\mathbf S_{i+1},\qquad
H=-\sum_\sigma(c^\dagger_{1\sigma}c_{2\sigma}+\text{h.c.})+U\sum_in_{i\uparrow}n_{i\downarrow} \tag{1}$$

*Mean field* is the same equation three times: something with two levels (a spin; an electron that is on one site or the
other) feels a transverse field $b$ and, from the order $\varphi$ of all others, $g\varphi$,

$$\lambda=g\tanh\frac{\lambda}{\kappa T},\qquad \lambda^2=b^2+g^2\varphi^2 \tag{2}$$

$$f=f_0+\frac{ng}{2\kappa}\varphi^2-nT\ln2\cosh\frac\lambda{\kappa T} \tag{3}$$

| | $g$ | $b$ | $\kappa$ | $n$ | $f_0$ | order $\varphi$ |
|---|---|---|---|---|---|---|
| Ising chain | 2 | $\Gamma$ | 1 | 1 | 0 | magnetization |
| Heisenberg ring | 1 | 0 | 2 | 1 | 0 | staggered magnetization |
| Hubbard dimer | $U/2$ | 1 | 2 | 2 | $U/4$ | the same (Hartree-Fock; $\varphi=0$ is the restricted one) |

It orders below the temperature at which

$$b=g\tanh\frac b{\kappa T_c} \tag{4}$$

*Exact* is another story. The chain turns into free fermions of momenta $k$, an even number of antiperiodic or an odd
number of periodic ones,

$$\varepsilon_k=2\sqrt{1+\Gamma^2-2\Gamma\cos k},\qquad E_0=-\tfrac12\sum_k\varepsilon_k,\quad
k=\tfrac{2\pi}N(j+\tfrac12) \tag{5}$$

and an infinite one has order $\varphi=(1-\Gamma^2)^{1/8}$ at $T=0$ and $\Gamma<1$ only: its gap $2|1-\Gamma|$ closes at
half the field at which mean field gives way, and domain walls destroy the order at every temperature above 0. The ring
is diagonalised, up to twelve spins; it never orders. The dimer, where a reservoir keeps one electron a site on average,
has the levels

$$\frac{U\mp\sqrt{U^2+16}}2,\quad 0\ (3),\quad U\ (3),\quad \frac U2\pm1\ (4\text{ each}) \tag{6}$$

Its ground state is a singlet: each site has a moment, opposite to the other, that points nowhere. What a finite system
has instead of order is a *squared order* $\langle\hat\varphi^2\rangle$ (with all three directions of a Heisenberg
spin); independent sites in a field have $\varphi^2+(1-\varphi^2)/N$ for Ising and $\varphi^2+(3-\varphi^2)/N$ for
Heisenberg.

*Spin waves* correct mean field for the ring to first order in $1/S$. With $\omega_k=|\sin k|$, $k=2\pi j/N$, and
without the two modes that only turn all spins,

$$f=-\frac34+\frac1{2N}\sum_k\omega_k+\frac TN\sum_{k\ne0,\pi}\ln(1-e^{-\omega_k/T}),\qquad
\langle\hat\varphi^2\rangle=3-\frac2N\sum_{k\ne0,\pi}\frac{\coth(\omega_k/2T)}{\omega_k} \tag{7}$$

Their energy is nearly right, but their number grows like $\ln N$ and eats up the order that they are waves of.

The blocks of neighbours in a ground state are entangled: where there is no gap, with the entropy
$\frac c3\ln[\frac N\pi\sin\frac{\pi l}N]$ and a constant, $c=\frac12$ for the chain at $\Gamma=1$ and $c=1$ for the
ring. A mean-field state has none (but for an electron that is on both sites).

**Valid:** exact means exact at this $N$, but for the order, which is that of an infinite system. Mean field is off
wherever it shows order that is not there; its energy is always too high at $T=0$.

Simulations: world lines in imaginary time from 0 to $1/T$ (at least $T=0.1$), in slices of a twentieth of the inverse
of the largest energy or less. The chain becomes a plane Ising model with $K_x=\tau$ and
$K_\tau=-\frac12\ln\tanh\tau\Gamma$ (clusters of Swendsen and Wang); the lines of a ring, where neighbours trade
places, are cut into loops, each of which turns or stays; a path of the dimer through its sixteen states is drawn slice
by slice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.lattices.small_quantum_systems import solutions
from mfexplore.models.lattices.small_quantum_systems.dynamics import COLDEST, SmallQuantumSimulation
from mfexplore.models.lattices.small_quantum_systems.solutions import CHAIN, DIMER, RING, TwoLevels, self_consistent

MEAN_FIELD, SPIN_WAVE, EXACT = range(3)
SYMMETRIC, ORDERED = range(2)
NOTICEABLE = 0.05  # error of an energy per site


def energy_missed(model: SmallQuantumSystems, method: str) -> float:
    """The part of the exact energy that the ordered state of a method leaves out."""
    return -core.Value("energy_error", "ordered", method).of(model) / model.exact()["energy"]


@dataclass(frozen=True)
class SmallQuantumSystems(core.Model):
    problem: str = core.choice(
        CHAIN, {CHAIN: "Ising chain", RING: "Heisenberg ring", DIMER: "Hubbard dimer"}, doc="which of the three"
    )
    temperature: float = core.control(
        0.2, 0.0, 2.5, symbol="T", role="temperature", step=0.01, quenched=True,
        doc="thermal noise; simulated from 0.1 on",
    )  # fmt: skip
    transverse_field: float = core.control(
        1.0, 0.0, 3.0, symbol=r"\Gamma", role="field", step=0.01, quenched=True,
        doc="transverse field, which turns the Ising spins", only={"problem": (CHAIN,)},
    )  # fmt: skip
    repulsion: float = core.control(
        4.0, 0.0, 12.0, symbol="U", unit="t", role="coupling", step=0.05, quenched=True,
        doc="energy of two electrons on one site", only={"problem": (DIMER,)},
    )  # fmt: skip
    size: int = core.control(
        32, 4, 64, symbol="N", unit="spins", role="size", scale="log", doc="spins of the Ising chain",
        only={"problem": (CHAIN,)},
    )  # fmt: skip
    spin_pairs: int = core.control(
        5, 2, 6, symbol="N/2", role="size", doc="half of the spins of the Heisenberg ring",
        only={"problem": (RING,)},
    )  # fmt: skip

    tags = core.Tags("course", 20, ("quantum",), ("self-consistency", "exact sums", "Monte Carlo"))
    relations = (
        core.Relation(
            "has the same transition as", "ising_lattice",
            "At zero temperature the chain in a transverse field is, with imaginary time as its second direction, a "
            "plane of Ising spins: Onsager's exponents.",
            here={"problem": "ising_chain", "transverse_field": 1.0, "temperature": 0.0},
            there={"lattice": "square", "temperature": 2.269},
        ),
    )  # fmt: skip
    title = "Small quantum systems"
    summary = "Ising chain, Heisenberg ring, Hubbard dimer: a mean field orders all three, and the exact answer none."
    sources = (
        core.Source("P. Pfeuty, Ann. Phys. 57, 79 (1970)", doi="10.1016/0003-4916(70)90270-8"),
        core.Source("P. W. Anderson, Phys. Rev. 86, 694 (1952)", doi="10.1103/PhysRev.86.694"),
        core.Source("H. G. Evertz, G. Lana, M. Marcu, Phys. Rev. Lett. 70, 875 (1993)",
                    doi="10.1103/PhysRevLett.70.875"),
        core.Source("CMT-Benchmark: a benchmark for condensed matter theory built by expert researchers (2025)"),
    )  # fmt: skip
    methods = (
        core.Method("mean_field", "each site in the mean field of its neighbours, eq. (2); Hartree-Fock for electrons"),
        core.Method("spin_wave", "its first correction, small waves of the order, eq. (7)", only={"problem": (RING,)}),
        core.Method("exact", "the system itself, solved"),
    )
    observables = (
        core.Observable(
            "energy_error", r"\Delta e", "energy per site minus the exact one", low=-0.3, high=0.3, signed=True
        ),
        core.Observable("order", r"\varphi", "spontaneous order; exact: of an infinite system", low=0, high=1),
        core.Observable(
            "squared_order", r"\langle\hat\varphi^2\rangle", "mean square of the order of a finite system", low=0
        ),
        core.Observable("energy", "e", "energy per site"),
        core.Observable("free_energy", "f", "free energy per site"),
        core.Observable("gap", r"\Delta", "energy of the lowest excitation (of as many electrons)", low=0),
        core.Observable(
            "double_occupancy", "d", "fraction of sites with two electrons", low=0, high=0.5, only={"problem": (DIMER,)}
        ),
        core.Observable(
            "entanglement", "S_l", "entropy of l neighbours in the ground state", over="block", low=0, high=1.4
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("block", "l", "sites in the block", discrete=True),)
    branches = (
        core.Branch("symmetric", "no direction is preferred"),
        core.Branch("ordered", "a direction has been chosen"),
    )
    phases = (
        core.Phase("ordered", "A direction is chosen and kept, by this theory."),
        core.Phase("disordered", "No direction is preferred."),
    )
    failures = (
        core.Failure("false_order", "There is no such order: even an infinite system has none at these controls."),
        core.Failure(
            "no_order_left", "The spin waves take away more order than there is: they are waves of nothing.",
            only={"problem": (RING,)},
        ),
        core.Failure("wrong_energy", "The energy per site is off by more than 0.05."),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "critical_temperature_mean_field", r"T_c^{\rm MF}", "mean field orders below it; nothing does in truth",
            continuous=False, of="temperature",
        ),
        core.Landmark(
            "gap_temperature", r"T=\Delta", "the exact gap: below it only the ground state counts", continuous=False,
            of="temperature",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("transverse_field", "temperature", "energy_error", only={"problem": (CHAIN,)}, finest=65, along="x"),
        core.Plane("repulsion", "temperature", "energy_error", only={"problem": (DIMER,)}, along="x"),
        core.Plane("spin_pairs", "temperature", "energy_error", y_range=(0.0, 1.0), only={"problem": (RING,)}),
    )
    presets = (
        core.Preset(
            "a magnet that is none", {"transverse_field": 1.0, "temperature": 0.2, "size": 64},
            "Mean field says magnetized, by 0.87 and for ever; the world lines show domains of both signs that "
            "come and go.",
            (core.Promise(core.Value("order"), 0.87, 0.005), core.Promise(core.Exact("squared_order"), 0.24, 0.005)),
            core.View(plane=("transverse_field", "temperature"), series="squared_order", picture="world lines"),
        ),
        core.Preset(
            "the wrong critical field", {"transverse_field": 1.5, "temperature": 0.1, "size": 64},
            "By mean field still a magnet (it lasts to 2); exactly the spins have followed the field since 1.",
            (core.Promise(core.Value("order"), 0.66, 0.005), core.Promise(core.Exact("squared_order"), 0.04, 0.005)),
            core.View(plane=("transverse_field", "temperature"), colour="order", along="transverse_field",
                      series="squared_order", picture="world lines"),
        ),
        core.Preset(
            "critical chain", {"transverse_field": 1.0, "temperature": 0.1, "size": 64},
            "Without a gap, blocks are entangled by the logarithm of their length; mean field entangles nothing.",
            view=core.View(picture="entanglement", function="entanglement"),
        ),
        core.Preset(
            "cold and classical", {"transverse_field": 0.3, "temperature": 0.3, "size": 64},
            "Mean field at its best: the energy is right, and a domain wall in the world lines is a rare guest.",
            (core.Promise(core.Value("energy_error"), 0.0, 0.005),),
            core.View(series="squared_order", picture="world lines"),
        ),
        core.Preset(
            "waves on a ring", {"problem": RING, "temperature": 0.1, "spin_pairs": 6},
            "Mean field misses 44% of the energy, spin waves 2%; and yet there is no order for them to be waves of.",
            (core.Promise(lambda m: energy_missed(m, "mean_field"), 0.44, 0.01),
             core.Promise(lambda m: energy_missed(m, "spin_wave"), 0.02, 0.005)),
            core.View(colour="energy", along="spin_pairs", series="energy", picture="world lines"),
        ),
        core.Preset(
            "two electrons", {"problem": DIMER, "repulsion": 8.0, "temperature": 0.0},
            "Energy per site: 1 without order, -0.125 with an order that is false, -0.236 in truth, with none.",
            (core.Promise(core.Value("energy", "symmetric"), 1.0, 1e-9),
             core.Promise(core.Value("energy", "ordered"), -0.125, 1e-9),
             core.Promise(core.Exact("energy"), -0.236, 0.0005)),
            core.View(plane=("repulsion", "temperature"), colour="energy", along="repulsion", series="energy"),
        ),
        core.Preset(
            "moments melt", {"problem": DIMER, "repulsion": 8.0, "temperature": 0.5},
            "The singlet, bound by about 4/U, breaks: squared order falls though each site keeps its moment.",
            (core.Promise(core.Exact("gap"), 0.47, 0.005),),
            core.View(colour="squared_order", along="temperature", series="squared_order", picture="world lines"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "energy of 12 spins of the Ising chain at $\\Gamma=0.5$", -1.0635474292520037, 1e-12,
            "free fermions", core.Exact("energy"), {"transverse_field": 0.5, "temperature": 0.0, "size": 12},
        ),
        core.Reference(
            "squared order of 8 spins at $\\Gamma=1$, $T=0.5$", 0.6442128233, 1e-10, "sum over $2^8$ states",
            core.Exact("squared_order"), {"transverse_field": 1.0, "temperature": 0.5, "size": 8},
        ),
        core.Reference(
            "mean-field critical temperature at $\\Gamma=1$", 1 / math.atanh(0.5), 1e-12, "eq. (4)",
            core.Crossing("critical_temperature_mean_field", "temperature"), {"transverse_field": 1.0},
        ),
        core.Reference(
            "energy per spin of a ring of 12", -5.387390917445194 / 12, 1e-12, "Lanczos", core.Exact("energy"),
            {"problem": RING, "temperature": 0.0, "spin_pairs": 6},
        ),
        core.Reference(
            "energy of half a dimer at $U=4$", 1 - math.sqrt(2), 1e-12, r"$(U-\sqrt{U^2+16})/4$", core.Exact("energy"),
            {"problem": DIMER, "temperature": 0.0, "repulsion": 4.0}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "By mean field a cold chain is a magnet up to Γ = 2. Trace the squared order at low temperature and raise "
            "the field: from where on is there no order in a chain that is long enough?",
            {"transverse_field": 0.5, "temperature": 0.1, "size": 64}, "transverse_field", lambda model: 1.0, 0.1,
            "The gap of the chain, 2|1 - Γ|, closes at Γ = 1. Quantum fluctuations along the chain, which mean field "
            "leaves out, halve the field it takes.",
            view=core.View(plane=("transverse_field", "temperature"), colour="order", series="squared_order"),
        ),
        core.Task(
            "Two sites, U = 8. How large is the exact gap to the state whose spins are parallel, where Hartree-Fock "
            "says 8?",
            {"problem": DIMER, "repulsion": 8.0, "temperature": 0.0}, "gap", core.Exact("gap"), 0.1,
            "0.47, about 4/U: turning spins costs little, taking an electron off its site much. Hartree-Fock, whose "
            "spins cannot turn together, only knows the second.",
            view=core.View(plane=("repulsion", "temperature"), along="repulsion", colour="gap"),
        ),
    )  # fmt: skip
    simulation = SmallQuantumSimulation

    # -- theory ------------------------------------------------------------------------------------------------------

    @property
    def sites(self) -> int:
        """N of the problem."""
        return {CHAIN: self.size, RING: 2 * self.spin_pairs, DIMER: 2}[self.problem]

    def realised(self) -> SmallQuantumSystems:
        return self.with_simulated(temperature=max(self.temperature, COLDEST))

    def two_levels(self, points: Points) -> TwoLevels:
        """Constants of the mean field at a batch of points."""
        zero = np.zeros(len(points["temperature"]))
        if self.problem == CHAIN:
            return TwoLevels(zero + 2, points["transverse_field"], 1, 1, zero)
        if self.problem == RING:
            return TwoLevels(zero + 1, zero, 2, 1, zero)
        return TwoLevels(points["repulsion"] / 2, zero + 1, 2, 2, points["repulsion"] / 4)

    def mean_field(self, points: Points) -> dict[str, Array]:
        """Both branches, each of shape (n, 2); an ordered one that does not exist has NaN."""
        t, levels = points["temperature"], self.two_levels(points)
        with np.errstate(divide="ignore", invalid="ignore"):
            strength = levels.coupling * self_consistent(levels.kappa * t / levels.coupling)
            order = np.sqrt(strength**2 - levels.transverse**2) / levels.coupling
        order = np.stack([0 * t, np.where(strength > levels.transverse, order, np.nan)], axis=1)
        t = t[:, None]
        wide = levels._replace(**{name: getattr(levels, name)[:, None] for name in ("coupling", "transverse", "shift")})
        strength = np.hypot(wide.transverse, wide.coupling * order)
        tanh = np.tanh(strength / (wide.kappa * np.maximum(t, solutions.COLD)))
        potential = wide.shift + wide.number * wide.coupling / (2 * wide.kappa) * order**2
        if self.problem == DIMER:
            squared = (1 - (1 - tanh**2) / 2 + order**2) / 2
        else:
            directions, sites = (1, points["size"]) if self.problem == CHAIN else (3, 2 * points["spin_pairs"])
            squared = order**2 + (directions - order**2) / sites[:, None]
        return {
            "order": order,
            "squared_order": squared,
            "energy": potential - wide.number / wide.kappa * strength * tanh,
            "free_energy": wide.free_energy(order, t),
            "gap": 2 * wide.number / wide.kappa * strength,
            "double_occupancy": (1 - order**2) / 4,
        }

    def solve(self, points: Points) -> core.Solution:
        count = len(points["temperature"])
        exactly = solutions.exactly(self, points)
        theories: list[dict[str, Array]] = [self.mean_field(points), {}, {}]
        residual = np.full((count, 3, 2), np.nan)
        residual[:, MEAN_FIELD] = np.where(np.isnan(theories[MEAN_FIELD]["order"]), np.nan, 0.0)
        residual[:, EXACT, SYMMETRIC] = 0.0
        nothing = np.full(count, np.nan)
        theories[EXACT] = {name: np.stack([values, nothing], axis=1) for name, values in exactly.items()}
        if self.problem == RING:
            waves = solutions.spin_waves(points)
            theories[SPIN_WAVE] = {name: np.stack([nothing, values], axis=1) for name, values in waves.items()}
            residual[:, SPIN_WAVE, ORDERED] = 0.0
        empty = np.full((count, 2), np.nan)
        names = [o.name for o in self.observables if o.over is None and self.applies(o) and o.name != "energy_error"]
        values = {name: np.stack([theory.get(name, empty) for theory in theories], axis=1) for name in names}
        values["energy_error"] = values["energy"] - exactly["energy"][:, None, None]
        stable = np.ones((count, 3, 2), bool)
        stable[:, MEAN_FIELD, SYMMETRIC] = np.isnan(theories[MEAN_FIELD]["order"][:, ORDERED])
        there = np.isfinite(residual)
        true = (exactly["order"] > 0)[:, None]
        with np.errstate(invalid="ignore"):
            fails = {
                "no_order_left": there & (values["squared_order"] < 0),
                "false_order": there & self.on("ordered", ~true & np.ones(3, bool)),
                "wrong_energy": there & (np.abs(values["energy_error"]) > NOTICEABLE),
            }
        return core.Solution(values, residual, stable=stable, fails=fails)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        ordered = states.equilibrium["ordered"].copy()
        ordered[:, EXACT] = states.value("order", "symmetric")[:, EXACT] > 0
        return {"ordered": ordered, "disordered": np.ones_like(ordered)}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        if name == "gap_temperature":
            if self.problem == CHAIN:
                return np.abs(2 - 2 * points["transverse_field"])
            return solutions.exactly(self, {**points, "temperature": 0 * points["temperature"]})["gap"]
        levels = self.two_levels(points)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = levels.transverse / levels.coupling
            critical = np.where(ratio > 0, levels.transverse / np.arctanh(ratio), levels.coupling) / levels.kappa
        return np.where(ratio < 1, critical, np.maximum(1 - ratio, -1.0)), ratio <= 1

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, cold = self.temperature, max(self.temperature, solutions.COLD)
        order, energy, f = (state[name] for name in ("order", "energy", "free_energy"))
        if state["method"] == "mean_field":
            g, b, kappa, n, shift = {
                CHAIN: (2, self.transverse_field, 1, 1, 0), RING: (1, 0, 2, 1, 0),
                DIMER: (self.repulsion / 2, 1, 2, 2, self.repulsion / 4),
            }[self.problem]  # fmt: skip
            strength = math.hypot(b, g * order)
            thermal = strength / kappa + t * math.log1p(math.exp(-2 * strength / (kappa * cold)))
            found = {"(3)": f - shift - n * g / (2 * kappa) * order**2 + n * thermal}
            return found | ({"(2)": strength - g * math.tanh(strength / (kappa * cold))} if order else {})
        sites = self.sites
        if state["method"] == "spin_wave":
            w = [abs(math.sin(2 * math.pi * j / sites)) for j in range(1, sites) if 2 * j != sites]
            waves = sum(0.5 * x + t * math.log1p(-math.exp(-x / cold)) for x in w)
            squared = 3 - 2 / sites * sum(1 / math.tanh(x / (2 * cold)) / x for x in w)
            return {"(7)": f + 0.75 - waves / sites, "(7), order": state["squared_order"] - squared}
        found = {}
        if self.problem == DIMER:
            u, r = self.repulsion, math.hypot(self.repulsion, 4)
            levels = np.array([(u - r) / 2, (u + r) / 2, *[0] * 3, *[u] * 3, *[u / 2 - 1] * 4, *[u / 2 + 1] * 4])
            weight = np.exp(-(levels - levels[0]) / cold)
            found = {"(6)": f - (levels[0] - t * math.log(weight.sum())) / 2,
                     "(6), energy": energy - weight @ levels / weight.sum() / 2}  # fmt: skip
        elif self.problem == CHAIN and t == 0:
            k = 2 * np.pi * (np.arange(sites) + 0.5) / sites
            found = {
                "(5)": energy + np.sqrt(1 + self.transverse_field**2 - 2 * self.transverse_field * np.cos(k)).mean()
            }
        return found

    def landscape(self) -> core.Landscape:
        levels = self.two_levels({name: np.array([value]) for name, value in self.values().items()})
        order = np.linspace(-1, 1, 401)
        note = "mean field; the exact state has no direction"
        return core.Landscape("order", order, levels.free_energy(order, np.full(1, self.temperature)), note=note)

    def entanglement(self) -> Array:
        """Exact entropy of l = 0..N neighbouring sites in the ground state, shape (N + 1,)."""
        if self.problem == CHAIN:
            return solutions.ising_entanglement(self.transverse_field, self.size)
        if self.problem == RING:
            return solutions.ring_entanglement(self.sites)
        double = solutions.dimer_levels(np.array([self.repulsion]))[2][0, 0] / 2
        return np.array([0.0, -2 * (xlogy(double, double) + xlogy(0.5 - double, 0.5 - double)), 0.0])

    def profiles(self) -> dict[str, core.Profile]:
        values = np.full((3, 2, self.sites + 1), np.nan)
        values[EXACT, SYMMETRIC] = self.entanglement()
        values[MEAN_FIELD] = 0.0
        if self.problem == DIMER:  # an electron of each spin on the left with probability up, on the right else
            up = (1 + math.sqrt(max(0.0, 1 - (2 / max(self.repulsion, 2)) ** 2)) * np.arange(2)) / 2
            values[MEAN_FIELD, :, 1] = -2 * (xlogy(up, up) + xlogy(1 - up, 1 - up))
        return {"entanglement": core.Profile(np.arange(self.sites + 1), values)}

    def exact(self) -> dict[str, float]:
        found = solutions.exactly(self, {name: np.array([value]) for name, value in self.values().items()})
        del found["order"]  # that of an infinite system
        return {name: float(values[0]) for name, values in found.items()}

    def extent(self) -> str:
        """How large one simulation is, in a sentence."""
        return f"of {self.sites} sites"

    def caveat(self) -> str:
        return "mean field and spin waves leave out what world lines do; the exact method agrees"

    def footprint(self) -> int:
        return 16 * self.sites * 2000
