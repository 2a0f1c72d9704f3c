r"""Dipoles on the face-centred cubic lattice, each with an easy axis of its own: ferromagnet, quasi-order and glass.

A unit vector $\mu_i$ stands at every site, as the moment of a magnetic nanoparticle in a crystal of such. All act on
all, and each is drawn to its own axis $n_i$, of random direction:

$$H=\varepsilon_d\sum_{i<j}\Big[\frac{\mu_i\cdot\mu_j}{r^3}-\frac{3(\mu_i\cdot r)(\mu_j\cdot r)}{r^5}\Big]
-\lambda_u\sum_i(n_i\cdot\mu_i)^2 \tag{1}$$

with nearest neighbours at distance one and all energies in units of $\varepsilon_d$. The sum is over periodic
images, in a conducting surrounding (Ewald): without it the sample would break into domains for its own field. Aligned
dipoles then feel the field of Lorentz

$$\Lambda m,\qquad\Lambda=\frac{4\pi\sqrt2}3=5.924 \tag{2}$$

and no arrangement has a larger one: the ground state without axes is a ferromagnet.

**Mean field.** One dipole in that field, averaged over the directions of its axis:

$$m=\Big\langle\frac{\int d\mu\;\mu_z\,e^{(\Lambda m\mu_z+\lambda_u(n\cdot\mu)^2)/T}}
{\int d\mu\;e^{(\Lambda m\mu_z+\lambda_u(n\cdot\mu)^2)/T}}\Big\rangle_n \tag{3}$$

Without axes that is Langevin's function, with endless $\lambda_u$ it is $\int_0^1u\tanh(\Lambda mu/T)\,du$, at most ½.
Because $\langle\mu_z^2\rangle=\frac13$ on average over axes, it orders below $T=\Lambda/3$ *whatever* $\lambda_u$ is:
mean field cannot tell a ferromagnet from a glass.

**Spherical model** (which knows no axes). Let only $\sum_i\mu_i^2=N$ be fixed, and let $J(k)$ be the $3\times3$ matrix
of the interactions at the wave vector $k$. Then fluctuations of all waves are counted, with a multiplier $z\ge\Lambda$:

$$T\int\!\frac{d^3k}{V}\,\mathrm{tr}\,\frac1{z-J(k)}=1,\qquad e=-\tfrac12(z-3T) \tag{4}$$

and below the temperature at which $z$ reaches $\Lambda$,

$$T_s=\Big[\int\!\frac{d^3k}V\,\mathrm{tr}\,\frac1{\Lambda-J(k)}\Big]^{-1},\qquad m^2=1-\frac T{T_s} \tag{5}$$

Waves that cost little are so many that it orders much too late. **The two bracket the truth**: $T_s=0.488$, simulation
$0.60$, mean field $1.97$.

**Random axes** frustrate: what one pair of dipoles likes another cannot have. Weak ones leave a ferromagnet; stronger
ones let its magnetization decay slowly with size (quasi-order); at $\lambda_u\gg1$ the dipoles are Ising spins
$\mu_i=\pm n_i$ whose couplings have either sign, a spin glass: no magnetization, but two copies of a sample freeze
alike, and have an *overlap*. For such couplings mean field in their variance would say

$$T_{SG}=\sqrt{\tfrac23\textstyle\sum r^{-6}} \tag{6}$$

several times too high, above even the mean-field ferromagnet: with a few strong neighbours it is no theory.

**Simulation.** Copies on a ladder of temperatures trade places (tempering), in two families for the overlap. Turns and
reflections by Metropolis' rule; all fields are kept up to date.

**Valid:** eqs. (3) to (6) as $N\to\infty$, as bracket and warning. In a box of $N$ dipoles what is not ordered has a
magnetization of order $N^{-1/2}$: compare sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.lattices.dipolar_fcc import theory
from mfexplore.models.lattices.dipolar_fcc.dynamics import FAMILIES, LEVELS, DipoleSimulation
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.space.lattices import cells_for

MEAN_FIELD, SPHERICAL = range(2)
ORDERED, DISORDERED = range(2)
SEEN_ORDER = 0.62  # temperature above which simulations, of any anisotropy, show no ferromagnet
GLASSY = 8.0  # anisotropy from which on they show none at all


@dataclass(frozen=True)
class DipolarFcc(core.Model):
    temperature: float = core.control(0.5, 0.1, 3.0, symbol="T", role="temperature", step=0.01, doc="thermal noise")
    anisotropy: float = core.control(
        0.0, 0.0, 50.0, symbol=r"\lambda_u", role="disorder", step=0.1,
        doc="pull of every dipole towards its own axis, either way",
    )  # fmt: skip
    size: int = core.control(
        108, 32, 500, symbol="N", unit="dipoles", role="size", scale="log", part="simulation",
        doc="dipoles simulated: 32, 108, 256 or 500",
    )  # fmt: skip
    start: str = core.choice(
        "random", ("random", "aligned"), role="start", part="simulation", doc="directions the simulation starts from"
    )

    title = "Dipoles on a cubic crystal"
    summary = "Magnetic dipoles with random axes: two theories bracket the ferromagnet, and neither sees the glass."
    tags = core.Tags("research", 25, ("phase transition", "glass"), ("self-consistency", "exact sums", "Monte Carlo"))
    relations = (
        core.Relation(
            "contrasts with", "curie_weiss",
            "There mean field is exact; here it orders at the same temperature whatever the random axes do, and "
            "cannot tell a ferromagnet from a glass.",
        ),
        core.Relation(
            "shares the method with", "phi4_field",
            "The spherical model of the dipoles and the Gaussian field both give up the length of single spins to "
            "solve for all waves at once.",
        ),
    )  # fmt: skip
    sources = (
        core.Source(
            "V. Russier and J.-J. Alonso, Phys. Rev. B 102, 174410 (2020)", doi="10.1103/PhysRevB.102.174410",
            arxiv="2011.00879",
        ),
        core.Source("J. M. Luttinger and L. Tisza, Phys. Rev. 70, 954 (1946)", doi="10.1103/PhysRev.70.954"),
        core.Source("P. P. Ewald, Ann. Phys. 369, 253 (1921)", doi="10.1002/andp.19213690304"),
    )  # fmt: skip
    observables = (
        core.Observable("magnetization", "m", "size of the mean dipole", low=0, high=1),
        core.Observable("energy", "e", "energy per dipole, with that of the axes"),
        core.Observable(
            "axis_alignment", r"\langle(n\mu)^2\rangle", "how far dipoles follow their axes", low=0, high=1
        ),
    )
    branches = (
        core.Branch("ferromagnet", "all dipoles lean the same way"),
        core.Branch("paramagnet", "no direction is preferred"),
    )
    methods = (
        core.Method("mean_field", "one dipole in the field of the mean, eq. (3)"),
        core.Method("spherical", "all waves, but only the mean length fixed, eqs. (4) and (5); it knows no axes"),
    )
    phases = (
        core.Phase("ferromagnet", "The dipoles agree on a direction."),
        core.Phase("paramagnet", "Noise wins: no direction is preferred."),
    )
    failures = (
        core.Failure(
            "false_order",
            "Simulations show no ferromagnet here: fluctuations, which this theory ignores, destroy it.",
        ),
        core.Failure(
            "no_axes",
            "The spherical model is shown as it is without axes: it knows nothing of them.",
        ),
        core.Failure(
            "no_glass",
            "Axes this strong make a spin glass, which has no magnetization but an overlap between copies; this theory "
            "has no word for it.",
        ),
    )
    landmarks = (
        core.Landmark("mean_field_line", r"T_{\rm MF}", "mean field orders below it, for every anisotropy",
            of="temperature", continuous=False),
        core.Landmark("spherical_point", r"T_s", "the spherical model, which knows no axes, orders below it, eq. (5)",
            of="temperature", continuous=False),
        core.Landmark("glass_estimate", r"T_{\rm SG}", "variance of the couplings alone, eq. (6): far too high",
            of="temperature", continuous=False),
    )  # fmt: skip
    planes = (core.Plane("anisotropy", "temperature", "magnetization", x_range=(0.0, 40.0), finest=33),)
    presets = (
        core.Preset(
            "between the theories", {"temperature": 0.5, "start": "aligned"},
            "Mean field says m = 0.91, the spherical model 0; the dipoles settle between, near 0.75.",
            (core.Promise(core.Value("magnetization", method="mean_field"), 0.91, 0.005),
             core.Promise(core.Value("magnetization", method="spherical"), 0.0, 1e-9),
             core.Promise(core.Mean("magnetization", 100, 200), 0.75, 0.05)),
            view=core.View(
                colour="magnetization", along="temperature", method="mean_field",
                series="magnetization", picture="all temperatures",
            ),
        ),
        core.Preset(
            "mean field says ferromagnet", {"temperature": 1.2},
            "Mean field says m = 0.72. The arrows turn in all directions; what is left, 0.17, is chance among 108.",
            (core.Promise(core.Value("magnetization", method="mean_field"), 0.72, 0.005),
             core.Promise(core.Mean("magnetization", 60, 160), 0.17, 0.06)),
            view=core.View(
                colour="magnetization", along="temperature", method="mean_field",
                series="magnetization", picture="dipoles",
            ),
        ),
        core.Preset(
            "hot", {"temperature": 2.0},
            "Far above all order mean field knows no energy at all, the spherical model has -1.29, and the simulation "
            "-1.32: waves matter, lengths do not.",
            (core.Promise(core.Value("energy", method="spherical"), -1.295, 0.001),
             core.Promise(core.Value("energy", method="mean_field"), 0.0, 1e-9),
             core.Promise(core.Mean("energy", 40, 120), -1.32, 0.03)),
            view=core.View(colour="energy", along="temperature", method="spherical", series="energy"),
        ),
        core.Preset(
            "quasi-order", {"temperature": 0.4, "anisotropy": 5.0},
            "Mean field says m = 0.72. It fades slowly with size: about 0.46 of 32 dipoles, 0.39 of 108.",
            (core.Promise(core.Value("magnetization", method="mean_field"), 0.72, 0.005),
             core.Promise(core.Mean("magnetization", 150, 450), 0.46, 0.08, {"size": 32})),
            view=core.View(
                colour="magnetization", along="temperature", method="mean_field",
                series="magnetization", picture="all temperatures",
            ),
        ),
        core.Preset(
            "glass", {"temperature": 0.4, "anisotropy": 30.0},
            "The magnetization is that of chance, and falls with size: about 0.3 of 32, 0.2 of 108. Two copies of 32 "
            "that never met freeze alike, with overlap 0.45 where chance gives 0.18; of 108 not while one waits.",
            (core.Promise(core.Mean("magnetization", 150, 450), 0.3, 0.15, {"size": 32}),
             core.Promise(core.Mean("overlap", 150, 450), 0.45, 0.15, {"size": 32})),
            view=core.View(
                colour="magnetization", along="temperature", method="mean_field",
                series="overlap", picture="all temperatures",
            ),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean field without axes at $T=1$", 0.7851909676, 1e-9, "Langevin's function",
            core.Value("magnetization", "ferromagnet", "mean_field"), {"temperature": 1.0},
        ),
        core.Reference(
            r"mean field at $T=1$ with $\lambda_u=5$", 0.65371788, 1e-8, "eq. (3), by another quadrature",
            core.Value("magnetization", "ferromagnet", "mean_field"), {"temperature": 1.0, "anisotropy": 5.0},
        ),
        core.Reference(
            "critical temperature of the spherical model", 0.4878, 1.5e-4, "eq. (5), grids of up to 24 waves a side",
            core.Crossing("spherical_point", "temperature"),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Without axes at $T=0.57$ mean field says $m=0.89$, the spherical model 0. What will 108 dipoles show?",
            {"temperature": 0.57, "start": "aligned"}, "magnetization", core.Mean("magnetization", 100, 200), 0.08,
            "About two thirds: still a ferromagnet, shortly below its end. Truth lies between the two, and nearer to "
            "the spherical model as to where order ends.",
            view=core.View(along="temperature", series="magnetization"),
        ),
    )  # fmt: skip
    simulation = DipoleSimulation

    @property
    def cells(self) -> int:
        """Cubes along each side of the box that is simulated."""
        return min(5, cells_for("fcc", self.size))

    def realised(self) -> DipolarFcc:
        return self.with_simulated(size=4 * self.cells**3)

    # -- theory --------------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        t, k = points["temperature"], points["anisotropy"]
        shape = t.size, 2, 2
        m, energy, alignment, residual = (np.full(shape, np.nan) for _ in range(4))
        found, gap = theory.magnetization(t, k)
        for branch, field in ((ORDERED, found), (DISORDERED, 0 * found)):
            at = theory.one_dipole(theory.LORENTZ * field / t, k / t)
            m[:, MEAN_FIELD, branch], alignment[:, MEAN_FIELD, branch] = field, at.on_axis
            energy[:, MEAN_FIELD, branch] = 0.0 - 0.5 * theory.LORENTZ * field**2 - k * at.on_axis
            residual[:, MEAN_FIELD, branch] = gap if branch == ORDERED else 0.0
        for i in range(t.size):
            z = theory.multiplier(float(t[i]))
            ordered = t[i] < theory.spherical_temperature()
            branch = ORDERED if ordered else DISORDERED
            m[i, SPHERICAL, branch] = np.sqrt(1 - t[i] / theory.spherical_temperature()) if ordered else 0.0
            energy[i, SPHERICAL, branch] = -0.5 * (z - 3 * t[i]) - k[i] / 3
            alignment[i, SPHERICAL, branch], residual[i, SPHERICAL, branch] = 1 / 3, 0.0
        none = t >= theory.LORENTZ / 3
        for one in (m, energy, alignment, residual):
            one[none, MEAN_FIELD, ORDERED] = np.nan
        stable = np.ones(shape, bool)
        stable[~none, MEAN_FIELD, DISORDERED] = False
        fails = {name: np.zeros(shape, bool) for name in ("no_axes", "no_glass", "false_order")}
        fails["no_axes"][:, SPHERICAL] = (k > 0)[:, None]
        fails["no_glass"][:, MEAN_FIELD] = ((k >= GLASSY) & (t <= SEEN_ORDER))[:, None]
        fails["false_order"][:, MEAN_FIELD, ORDERED] = t > SEEN_ORDER
        found_values = {"magnetization": m, "energy": energy, "axis_alignment": alignment}
        return core.Solution(found_values, residual, stable=stable, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, k, m = self.temperature, self.anisotropy, state["magnetization"]
        if state["method"] == "spherical":
            z = 3 * t - 2 * (state["energy"] + k / 3)
            shares = np.linalg.solve([[n**-p for n in theory.GRIDS] for p in (0, 1, 3)], [1.0, 0.0, 0.0])
            waves = [np.mean(3 * (1 / (z - theory.couplings(n, 2.0)))) for n in theory.GRIDS]
            return {"(4)": t * float(shares @ waves) + m**2 - 1}
        x, weight = gauss_legendre(160, (-1, 1))  # along the axis
        u, axis_weight = gauss_legendre(24)
        around = np.cos(np.pi * (np.arange(32) + 0.5) / 32)
        total = square = 0.0
        for cosine, share in zip(u, axis_weight, strict=True):
            along = cosine * x[:, None] + np.sqrt((1 - cosine**2) * (1 - x[:, None] ** 2)) * around
            logs = (theory.LORENTZ * m * along + k * (x[:, None] ** 2 - 1)) / t
            p = weight[:, None] * np.exp(np.maximum(logs - logs.max(), -80.0))
            total += share * float((p * along).sum() / p.sum())
            square += share * float((p * x[:, None] ** 2).sum() / p.sum())
        return {"(3)": m - total, "axes": state["axis_alignment"] - square}

    def boundary(self, name: str, points: Points) -> Array:
        k = points["anisotropy"]
        if name == "mean_field_line":
            return np.full(k.size, theory.LORENTZ / 3)
        if name == "glass_estimate":
            return np.full(k.size, np.sqrt(2 * theory.inverse_sixth_powers() / 3))
        return np.full(k.size, theory.spherical_temperature())

    def ising_magnetization(self) -> float:
        """Mean field of an endless anisotropy at this temperature, the last integral under eq. (3)."""
        return theory.ising_magnetization(self.temperature)

    def landscape(self) -> core.Landscape:
        m = np.linspace(0, 1, 81)
        at = theory.one_dipole(theory.LORENTZ * m / self.temperature, np.full(81, self.anisotropy / self.temperature))
        free_energy = 0.5 * theory.LORENTZ * m**2 - self.temperature * at.log_z
        return core.Landscape("magnetization", m, free_energy, title="free energy of mean field")

    def caveat(self) -> str:
        return "both theories are only a bracket; or glassy slowness, and boxes of a few hundred dipoles"

    def footprint(self) -> int:
        return 72 * self.size**2 + FAMILIES * LEVELS * 48 * self.size
