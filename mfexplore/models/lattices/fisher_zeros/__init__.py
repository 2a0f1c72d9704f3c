r"""Zeros of a spin glass on a circle: the partition function of planar Ising spins as a unitary walk.

Ising spins $s_i=\pm1$ on a square lattice, each coupling $J_{ij}=1$, or $-1$ with probability $p$:

$$H=-\sum_{\langle ij\rangle}J_{ij}s_is_j,\qquad K=1/T \tag{1}$$

Lee and Yang put the zeros of a ferromagnet's $Z$ on a circle in the plane of the field. Fisher looked at the plane of
the temperature, where frustration scatters them. There is a variable in which the zeros of $Z^2$ stay on a circle for
*any* signs. Let a walker go round a site, from one corner between neighbouring bonds to the next. It passes the bond
between them with the amplitude $\cos\alpha=1/\cosh2K$, or goes along it to the other end with
$J_{ij}\sin\alpha=J_{ij}\tanh2K$; a turn by $\omega$ is worth a phase $e^{i\omega/2}$. This step is a unitary matrix $U$
on the corners, and for every planar lattice of $N$ spins, exactly,

$$Z^2=2^N(\cosh2K)^{\rm bonds}\,\det(z-U)\big|_{z=1} \tag{2}$$

So $Z^2$ is a polynomial in $z$ whose zeros $e^{\pm i\theta}$ are the eigenvalues of $U$: at every temperature they lie
on $|z|=1$, and the physical point is $z=1$. What matters is how near to it they come, the *gap* $\theta_{\min}$.

A clean lattice ($p=0$) has $\cos2\theta=\frac12\sin2\alpha\,(\cos k_x+\cos k_y)$, with the gap $|\frac\pi4-\alpha|$,
which closes at $T_c=2.269$. Of any signs one can say: $d\theta/d\alpha$ is the mean, in the state of the walker, of an
operator whose eigenvalues are $\pm1$, and at $T=\infty$, where it goes round single sites of $d$ bonds,
$\theta=\frac\pi d,\frac{3\pi}d,\dots$ with $d\le4$. Hence

$$\theta_{\min}\ge\frac\pi4-\alpha\qquad\text{for all signs} \tag{3}$$

This is positive above the clean $T_c$, the *Griffiths temperature*. In an infinite glass it is the gap itself:
somewhere there is a large region without frustration, whose zeros come as near as those of the clean lattice. They are
rare, and below $T_c$ a few of them are in any gap; the bulk has a wider one, which a mean field finds.

*Coherent potential.* Replace every bond by the same one, such that a true bond in its place has on average the same
effect. In the gap, at $z=1$, this is a clean lattice of another strength $K_e$, whose bonds have the correlation
$\varepsilon(K_e)$ (Onsager):

$$\overline{\tanh(x+JK)}=\varepsilon,\qquad x=\mathrm{artanh}\,\varepsilon-K_e \tag{4}$$

and the energy of a bond is $-\overline{J\tanh(x+JK)}$. It is critical, $K_e=K_c$, on

$$(1-2p)\tanh2K=1/\sqrt2 \tag{5}$$

With $e^{-i\theta}=\zeta$, a bond multiplies what meets it from its ends in phase (+) or antiphase (-) by
$m_\pm=\cos\alpha\mp i(1-2p)\sin\alpha$ in the mean. Seen from one bond the rest is a mirror $r_\pm$, and all that is
between them must agree:

$$w_\pm=\frac{m_\pm-r_\pm}{1-m_\mp r_\pm},\qquad r_\pm=\frac{1-1/g_\pm}{w_\pm},\qquad
\rho(\theta)=\frac{\mathrm{Re}(g_++g_-)-1}{2\pi} \tag{6}$$

where $g_\pm$ is the Green's function of the lattice whose bonds multiply by $w_\pm$. At $p=0$ this is the clean
lattice. At $p=\frac12$ it is the tree on which four bonds meet at every site: the zeros reach $z=1$ where that becomes
a spin glass,

$$3\tanh^2K=1,\qquad T=1.519 \tag{7}$$

**Valid:** (2) always, with open boundaries; on a torus $Z$ is made of four determinants, one of which is shown, and (3)
holds for each. The walk is a reconstruction: the paper of the circle theorem is known here by its abstract alone.
(4)-(7) treat bonds one by one. As $T\to0$ it matters that the four bonds round a plaquette are frustrated together or
not: then half of the zeros gather at $0,\pm\frac\pi2,\pi$, those of frustrated plaquettes, and theory, which spreads
them evenly, is wrong. Rare regions are beyond it at every temperature.

Simulation: samples of the signs, all of whose zeros are computed, with $Z$ and the correlations of all bonds. On the
Nishimori line $\tanh K=1-2p$ the mean energy of a bond is $-(1-2p)$ exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ellipk

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.lattice_spins.planar import exact_solution
from mfexplore.models.lattices.fisher_zeros import coherent_potential as coherent
from mfexplore.models.lattices.fisher_zeros.dynamics import FisherZerosSimulation

CLEAN = 2 / math.log(1 + math.sqrt(2))  # critical temperature without frustration
COHERENT, PURE = range(2)


@dataclass(frozen=True)
class FisherZeros(core.Model):
    antiferromagnetic_fraction: float = core.control(
        0.5, 0.0, 0.5, symbol="p", role="disorder", step=0.005, title="negative bonds",
        doc="probability that a coupling is -1",
    )  # fmt: skip
    temperature: float = core.control(
        3.0, 0.5, 5.0, symbol="T", role="temperature", step=0.01, doc="zeros move with it, at most as fast as α"
    )
    side: int = core.control(
        10, 2, 24, symbol="L", role="size", part="simulation", doc="spins along a side of the lattice"
    )
    border: str = core.choice(
        "periodic", ("open", "periodic"), part="simulation",
        doc="open: the zeros are those of Z²; periodic: of one of four determinants that it is made of, without edges",
    )  # fmt: skip

    tags = core.Tags("research", 25, ("phase transition", "glass"), ("exact sums", "random matrices"))
    relations = (
        core.Relation(
            "looks differently at", "ising_lattice",
            "Without negative bonds the gap of the zeros closes at the critical temperature of the square lattice.",
            here={"antiferromagnetic_fraction": 0.0, "temperature": 2.269},
            there={"lattice": "square", "temperature": 2.269},
        ),
        core.Relation(
            "looks differently at", "bethe_propagation",
            "The same spins with bonds of random sign: messages are exact on trees, the unitary walk in the plane. "
            "Both know the Nishimori line.",
            there={"graph": "square", "antiferromagnetic_fraction": 0.1},
        ),
    )  # fmt: skip
    title = "Zeros of a spin glass"
    summary = (
        "Whatever the signs of the couplings, the zeros of Z² lie on a circle, and above a temperature away from 1."
    )
    sources = (
        core.Source(
            "A new circle theorem for two dimensional Ising spin glasses (2025): abstract, from which its walk is "
            "reconstructed here",
            arxiv="2503.09876",
        ),
        core.Source(
            "F. Merz, J. T. Chalker, Two-dimensional random-bond Ising model, free fermions, and the network model, "
            "Phys. Rev. B 65, 054425 (2002)",
            doi="10.1103/PhysRevB.65.054425",
        ),
        core.Source("R. B. Griffiths, Phys. Rev. Lett. 23, 17 (1969)", doi="10.1103/PhysRevLett.23.17"),
        core.Source("P. Soven, Phys. Rev. 156, 809 (1967)", doi="10.1103/PhysRev.156.809"),
    )  # fmt: skip
    observables = (
        core.Observable(
            "angular_gap", r"\theta_{\min}", "angle of the zero nearest to z = 1, in theory of those that are not "
            "of rare regions", unit="rad", low=0, high=0.5,
        ),
        core.Observable("zeros_at_one", r"\rho(0)", "density of zeros per radian at z = 1", low=0, high=0.16),
        core.Observable("bond_energy", "e_b", "mean energy of a bond", low=-1, high=0),
        core.Observable("free_energy", "f", "free energy per spin"),
        core.Observable("effective_coupling", "K_e", "strength of the clean lattice that the signs amount to", low=0),
        core.Observable("zero_density", r"\rho", "zeros per radian, normalised to one on the circle", over="angle"),
    )  # fmt: skip
    coordinates = (core.Coordinate("angle", r"\theta", "angle of a zero", unit="rad"),)
    methods = (
        core.Method("coherent_potential", "eqs. (4) and (6): every bond replaced by the same one"),
        core.Method(
            "pure", "all signs alike: below its free energy, its bond energy and its gap, eq. (3), no signs can come",
            bound={"angular_gap": "lower", "bond_energy": "lower", "free_energy": "lower"},
        ),
    )  # fmt: skip
    phases = (
        core.Phase("ferromagnet", "The signs amount to a clean lattice below its critical temperature, eq. (5)."),
        core.Phase("gapped", "No zeros around z = 1 but those of rare regions: a paramagnet."),
        core.Phase("filled", "Zeros reach z = 1: not a phase of its own in two dimensions, but where a glass begins."),
    )
    failures = (
        core.Failure(
            "filled",
            "Zeros at z = 1 make the clean lattice of eq. (4) unstable: energies go on as if nothing had happened, and "
            "the density of zeros misses that plaquettes are frustrated as a whole.",
        ),
    )
    landmarks = (
        core.Landmark(
            "griffiths", "T_G", "above it no signs bring a zero to z = 1, eq. (3)", continuous=False, of="temperature"
        ),
        core.Landmark("gap_closing", r"\theta_{\min}=0", "zeros reach z = 1 in the mean field", of="temperature"),
        core.Landmark("ordering", "K_e=K_c", "the clean lattice of eq. (4) is critical", of="temperature"),
        core.Landmark(
            "nishimori", "T_N", "Nishimori line, tanh K = 1 - 2p: the energy is known exactly on it", continuous=False,
            of="temperature",
        ),
    )  # fmt: skip
    planes = (core.Plane("antiferromagnetic_fraction", "temperature", "angular_gap", y_range=(0.5, 4.0), finest=129),)
    presets = (
        core.Preset(
            "a gap for all signs", {"antiferromagnetic_fraction": 0.5, "temperature": 3.0},
            "Every frame has other signs: zeros crowd and jump on the circle, and none ever comes nearer to z = 1 than "
            "0.163, where the inner bow ends.",
            (core.Promise(core.Value("angular_gap", method="pure"), 0.163, 0.0005),),
            core.View(picture="circle", series="angular_gap", colour="angular_gap", method="coherent_potential"),
        ),
        core.Preset(
            "filled", {"antiferromagnetic_fraction": 0.5, "temperature": 1.0, "border": "periodic"},
            "The gap is gone. Half of the zeros gather at 0, π/2 and π, those of frustrated plaquettes; theory spreads "
            "all evenly, 0.157 per radian.",
            (core.Promise(core.Value("zeros_at_one"), 0.157, 0.001),),
            core.View(picture="circle", function="zero_density", colour="zeros_at_one", method="coherent_potential"),
        ),
        core.Preset(
            "clean critical point",
            {"antiferromagnetic_fraction": 0.0, "temperature": 2.2692, "side": 12, "border": "periodic"},
            "Without disorder there is but one sample, and its zeros pinch z = 1 as it grows: their gap is π/2L, 0.131 "
            "here. It opens above and below.",
            (core.Promise(core.Mean("angular_gap", 0, 1), 0.131, 0.0005),),
            core.View(picture="circle", series="angular_gap", colour="angular_gap", method="coherent_potential"),
        ),
        core.Preset(
            "Nishimori line",
            {"antiferromagnetic_fraction": 0.1, "temperature": 2 / math.log(9), "border": "open"},
            "The mean of the bond energy over samples is exactly -0.8; the clean lattice of theory says -0.89.",
            (core.Promise(core.Mean("bond_energy", 0, 60), -0.8, 0.012, {"side": 6}),
             core.Promise(core.Value("bond_energy"), -0.89, 0.005)),
            core.View(series="bond_energy", colour="bond_energy", method="coherent_potential"),
        ),
        core.Preset(
            "a rare region", {"antiferromagnetic_fraction": 0.3, "temperature": 2.2, "side": 12, "border": "periodic"},
            "The zero nearest to z = 1 belongs to a walker that lives where frustrated plaquettes (circles) are rare.",
            (),
            core.View(picture="lowest zero", series="angular_gap", colour="angular_gap", method="coherent_potential"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "gap that no signs can pass, at $T=3$", 0.16324903662168122, 1e-12, "eq. (3)",
            core.Value("angular_gap", method="pure"), {"temperature": 3.0},
        ),
        core.Reference(
            "critical temperature of the clean lattice", 2.269185314213022, 1e-9, "Onsager 1944",
            core.Crossing("ordering", "temperature"), {"antiferromagnetic_fraction": 0.0}, published=True,
        ),
        core.Reference(
            "spin glass on a tree with four bonds at a site", 1.5186514, 1e-6, "Thouless 1986: 3 tanh² K = 1",
            core.Crossing("gap_closing", "temperature"), {"antiferromagnetic_fraction": 0.5}, published=True,
        ),
        core.Reference(
            "free energy of the clean lattice at $T=2$", -2.0515860, 1e-6, "Onsager's integral",
            core.Value("free_energy"), {"antiferromagnetic_fraction": 0.0, "temperature": 2.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Half of the bonds are negative. Below which temperature do zeros reach $z=1$ in the mean field?",
            {"antiferromagnetic_fraction": 0.5, "temperature": 3.0}, "temperature",
            core.Crossing("gap_closing", "temperature"), 0.06,
            "Where a tree with four bonds at a site turns into a spin glass, 3 tanh² K = 1: zeros are of Z², which "
            "passes every bond twice.",
        ),
        core.Task(
            "At $T=2.6$ you may choose all signs yourself. How near to $z=1$ can you bring a zero?",
            {"antiferromagnetic_fraction": 0.25, "temperature": 2.6}, "angular_gap",
            core.Value("angular_gap", method="pure"), 0.012,
            "Not nearer than without any frustration: π/4 - α = 0.092, eq. (3).",
        ),
    )  # fmt: skip
    simulation = FisherZerosSimulation

    def bound(self) -> float:
        """Right side of eq. (3)."""
        return math.pi / 4 - 2 * math.atan(math.tanh(1 / self.temperature))

    def solve(self, points: Points) -> core.Solution:
        p, t = points["antiferromagnetic_fraction"], points["temperature"]
        found, clean = coherent.effective(p, 1 / t), exact_solution("square", t)
        alpha, zero = 2 * np.arctan(np.tanh(1 / t)), np.zeros(t.size)
        both = {
            "angular_gap": (found.gap, np.maximum(math.pi / 4 - alpha, 0)),
            "zeros_at_one": (found.zeros_at_one, zero),
            "bond_energy": (-found.correlation, clean.energy / 2),
            "free_energy": (-t * found.log_partition, clean.free_energy),
            "effective_coupling": (np.arctanh(np.tan(found.strength / 2)), 1 / t),
        }
        filled = (found.gap == 0) & (p > 0)
        return core.Solution(
            {name: np.stack(pair, axis=1) for name, pair in both.items()},
            np.stack([found.residual, zero], axis=1),
            fails={"filled": filled[:, None] & (np.arange(2) == COHERENT)},
        )  # fmt: skip

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        p, k = self.antiferromagnetic_fraction, 1 / self.temperature
        if state["method"] == "pure":
            return {"(3)": state["angular_gap"] - max(math.pi / 4 - math.asin(math.tanh(2 * k)), 0)}
        strength = state["effective_coupling"]
        correlation = -float(exact_solution("square", np.array([1 / max(strength, 1e-9)])).energy[0]) / 2
        x = math.atanh(correlation) - strength
        plus, minus = math.tanh(x + k), math.tanh(x - k)
        found = {
            "(4)": (1 - p) * plus + p * minus - correlation,
            "energy of a bond": state["bond_energy"] + (1 - p) * plus - p * minus,
        }
        if state["zeros_at_one"] > 0.01:  # at the edge repeating leads nowhere soon
            r, m = 0j, 1 / math.cosh(2 * k) - 1j * (1 - 2 * p) * math.tanh(2 * k)
            for _ in range(3000):
                w = (m - r) / (1 - m.conjugate() * r)
                a, b = 1 + abs(w) ** 4, -(w * w).imag
                one = 2 / math.pi * float(ellipk((2 * b / a) ** 2)) / a
                g = 1 - abs(w) ** 4 * one + 0.5j * w * w * ((a * one - 1) / b if b else 0)
                r = (1 - 1 / g) / w
            found["(6)"] = state["zeros_at_one"] - (2 * g.real - 1) / (2 * math.pi)
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        balance = 1 - 2 * points["antiferromagnetic_fraction"]
        gap = states.solution.values["angular_gap"][:, COHERENT]
        return {
            "ferromagnet": balance * np.tanh(2 / points["temperature"]) > math.sqrt(0.5),
            "gapped": gap > 0,
            "filled": gap == 0,
        }

    def boundary(self, name: str, points: Points) -> Array:
        p = points["antiferromagnetic_fraction"]
        if name == "griffiths":
            return np.full(p.size, CLEAN)
        with np.errstate(divide="ignore", invalid="ignore"):
            if name == "nishimori":
                return np.where((p > 0) & (p < 0.5), 1 / np.arctanh(1 - 2 * p), np.nan)
            if name == "ordering":
                return np.asarray(2 / np.arctanh(math.sqrt(0.5) / (1 - 2 * p)))
        return coherent.closing(p, *self.control("temperature").bounds)

    def profiles(self) -> dict[str, core.Profile]:
        angle = math.pi / 240 * (np.arange(240) + 0.5)  # beside the peaks of the clean lattice
        densities = [coherent.density(p, 1 / self.temperature, angle) for p in (self.antiferromagnetic_fraction, 0.0)]
        return {"zero_density": core.Profile(angle, np.array(densities))}

    def extent(self) -> str:
        return f"of {self.side} × {self.side} spins"

    def caveat(self) -> str:
        return "few zeros and an edge, where sites have fewer bonds; or rare regions, of which theory knows nothing"

    def footprint(self) -> int:
        return 8 * 4 * (4 * self.side**2) ** 2
