r"""Rigidity of a gel: when does a network of springs carry load, and what do lumps change?

The sites of a triangular lattice ($z=6$) are filled one by one. A random empty site with $n$ filled neighbours is
accepted with the probability

$$(1-c)^{6-n} \tag{1}$$

so that an attraction $c>0$ puts newcomers beside those that are there, until the share $\phi$ of the sites (the
*filling*) is filled. Between filled neighbours there is a spring of stiffness $k=1$. (*diluted*: all sites are there,
each spring only with the probability $p$; a missing one may be replaced by a weak one, $k_w$.)

**Contacts.** Without attraction a filled site has $\langle z\rangle=6\phi$ contacts. With it, let $P(s,r)$ be the
probability that a site is in the state $s$ (empty 0, filled 1) and the six around it in the states $r$. An empty centre
is filled at the rate (1). A site of the ring has three neighbours that are not seen; they are taken to be as around an
empty centre with the same three in a row on its own ring:

$$\dot P(1,r)\ni(1-c)^{6-n(r)}P(0,r),\qquad\dot P(s,r+i)\ni\big\langle(1-c)^{6-n}\,\big|\,r_{i-1},s,r_{i+1}\big\rangle
\,P(s,r)\qquad\text{(seven sites)} \tag{2}$$

Simpler, with the bonds $B$ per site and the probability $x$ that a neighbour of an empty site is filled,

$$\frac{dB}{d\phi}=\frac{6x}{1-c(1-x)},\qquad x=\frac{6\phi-2B}{6(1-\phi)},\qquad\langle z\rangle=\frac{2B}\phi
\qquad\text{(pairs)} \tag{3}$$

**Effective medium** (coherent potential approximation). All springs are replaced by equal ones, $k_m$, such that a
single true spring among them makes no difference on average. With $p=\langle z\rangle/6$ for the gel

$$p\,\frac{1-k_m}{1+(1-k_m)h/k_m}+(1-p)\,\frac{k_w-k_m}{1+(k_w-k_m)h/k_m}=0 \tag{4}$$

where $h$ tells how far a spring is held by the others, at a shear of frequency $\omega$ and damping $\eta$:

$$h=\frac13\int\!\frac{d^2q}{V}\,\mathrm{tr}\Big[D_0(q)\Big(D_0(q)-\frac{(\omega+i\eta)^2}{k_m}\Big)^{-1}\Big] \tag{5}$$

with the dynamical matrix $D_0=\sum_b2(1-\cos q\cdot b)\,\hat b\hat b^T$ of the whole lattice. The moduli are
$G'-iG''=\frac{\sqrt3}4k_m$. At rest $h=\frac23$, the number of coordinates per bond, and

$$k_m=\tfrac12\langle z\rangle-2 \tag{6}$$

**The claim of the paper:** attraction moves the filling at which a gel becomes rigid, far down, but not the number of
contacts: $\langle z\rangle=4$, twice the dimension, the *isostatic* number of Maxwell, at which constraints are as many
as coordinates. Watch *modulus against contacts*: one line for every attraction.

**Where it stops being true:** eq. (4) puts a gel of lumps and holes on a par with a lattice whose springs are missing
one by one. In lumps contacts are redundant, and what holds lumps together are few; as $c\to1$ newcomers only ever
join what is there, in lumps of six contacts a site that carry nothing before they touch. Counted without an error
(Maxwell and Calladine), with a share $\rho$ of redundant springs and $f$ motions per site that stretch none,

$$\langle z\rangle(1-\rho)=4-2f \tag{7}$$

and four contacts are enough only if none is redundant. The simulated gel becomes rigid later than theory says: at about
$\phi=0.70,0.66,0.63$ and $\langle z\rangle=4.2,4.35,4.9$ for $c=0,0.3,0.6$, where 7, 11 and 20 per cent of its springs
are redundant (small networks somewhat sooner). The filling moves down, as claimed, but the contacts move up.

**Simulation:** eq. (1) site by site; forces by conjugate gradients, whose coefficients also give the moduli at all
frequencies. Below a filling of rigidity the modulus is zero to six digits.

**Valid:** eq. (3) and (2) are exact without attraction, (2) within a percent of $\phi$ up to $c=0.75$. Eq. (4) is exact
to first order in missing springs. Left out: the paper's matrices of pairs of defects, of which eq. (6) is the result.
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
from mfexplore.models.matter.rigidity_emt.effective_medium import (
    COORDINATION,
    SEVEN_SITES,
    SHARE_LOST,
    SIDE,
    effective_springs,
    gel_contacts,
    isostatic_filling,
    modes,
)
from mfexplore.models.matter.rigidity_emt.network import FREQUENCIES, SHARES, WHOLE, RigidityEmtSimulation
from mfexplore.numerics.later import solve_ivp

GEL, DILUTED = {"network": ("gel",)}, {"network": ("diluted",)}


@dataclass(frozen=True)
class RigidityEmt(core.Model):
    filling: float = core.control(
        0.8, 0.05, 1.0, symbol=r"\phi", role="load", step=0.01, quenched=True, only=GEL, doc="share of the sites filled"
    )
    attraction: float = core.control(
        0.6, 0.0, 0.75, symbol="c", role="coupling", step=0.01, quenched=True, only=GEL,
        doc="how much rather a newcomer stays where its neighbours are; each neighbour less costs a factor 1 - c",
    )  # fmt: skip
    bonds: float = core.control(
        0.8, 0.3, 1.0, symbol="p", role="load", step=0.01, quenched=True, only=DILUTED, doc="share of the springs there"
    )
    weak: float = core.control(
        0.0, 0.0, 1.0, symbol="k_w", unit="k", role="disorder", step=0.01, quenched=True, only=DILUTED,
        doc="stiffness of what is in the place of a missing spring",
    )  # fmt: skip
    frequency: float = core.control(
        0.0, 0.0, 3.0, symbol=r"\omega", unit=r"\sqrt{k/m}", role="field", step=0.05,
        doc="how fast it is sheared to and fro; 0: at rest",
    )  # fmt: skip
    damping: float = core.control(
        0.05, 0.005, 0.5, symbol=r"\eta", unit=r"\sqrt{k/m}", role="field", scale="log",
        doc="how fast a wave decays in the surrounding liquid",
    )  # fmt: skip
    network: str = core.choice("gel", ("gel", "diluted"), doc="sites that attract each other, or springs left out")
    size: int = core.control(
        1024, 64, 16_384, symbol="N", role="size", scale="log", part="simulation", doc="sites of the lattice"
    )

    tags = core.Tags("course", 15, ("phase transition", "growth"), ("field theory", "rate equations"))
    title = "Rigidity of gels"
    summary = "A network of springs carries load once it has contacts enough; lumps shift when, and fool mean field."
    sources = (
        core.Source("Effective-medium theory for elastic systems with correlated disorder"),
        core.Source(
            "S. Feng, M. F. Thorpe and E. Garboczi, Phys. Rev. B 31, 276 (1985)", doi="10.1103/PhysRevB.31.276"
        ),
        core.Source("S. Zhang et al., Phys. Rev. Lett. 123, 058001 (2019)", doi="10.1103/PhysRevLett.123.058001"),
    )
    observables = (
        core.Observable(
            "shear_modulus", "G'", "resistance to shear in phase with it, of springs of unit stiffness", low=0,
            high=WHOLE,
        ),
        core.Observable("loss_modulus", "G''", "resistance to shear out of phase: what is turned into heat", low=0),
        core.Observable("stiffness", "|k_m|", "size of the effective spring, eq. (4)", low=0, high=1),
        core.Observable("coordination", r"\langle z\rangle", "mean contacts of a filled site", low=0, high=6),
        core.Observable(
            "static_modulus", "G_0", "shear modulus at rest while sites or bonds are added", low=0, over="share"
        ),
        core.Observable("contacts", "z", "mean contacts while sites or bonds are added", low=0, high=6, over="share"),
        core.Observable(
            "modulus_by_contacts", r"G_0(\langle z\rangle)", "shear modulus at rest against the mean contacts", low=0,
            over="share", against="contacts", title="modulus against contacts",
        ),
        core.Observable("storage_spectrum", r"G'(\omega)", "resistance in phase with the shear", over="drive"),
        core.Observable("loss_spectrum", r"G''(\omega)", "resistance out of phase", low=0, over="drive"),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("share", r"\phi", "share of the sites filled, or of the bonds in place"),
        core.Coordinate("drive", r"\omega", "frequency of the shear", unit=r"\sqrt{k/m}"),
    )
    methods = (
        core.Method("seven_sites", "contacts from a site and the six around it, eq. (2)"),
        core.Method("pair", "contacts from pairs of sites, eq. (3)"),
    )
    phases = (
        core.Phase("rigid", "More constraints than coordinates, says the mean: the network carries load."),
        core.Phase("floppy", "Too few contacts: it can be sheared without stretching a single spring."),
    )
    failures = (
        core.Failure(
            "lumps", "Rigid only because contacts gather in lumps, where many are redundant: a real network is far "
            "softer, and for the most part still floppy.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "isostatic", r"\langle z\rangle=4", "four contacts on average: as many constraints as coordinates",
            of="filling", only=GEL, finest=33,
        ),
        core.Landmark("threshold", "p_c", "as many springs as coordinates", of="bonds", only=DILUTED),
    )  # fmt: skip
    planes = (
        core.Plane("filling", "attraction", "shear_modulus", along="x", finest=65, only=GEL),
        core.Plane("bonds", "frequency", "stiffness", along="x", finest=129, only=DILUTED),
        core.Plane("filling", "frequency", "stiffness", along="x", finest=65, only=GEL),
    )
    presets = (
        core.Preset(
            "attraction", {"filling": 0.9, "attraction": 0.6},
            "Theory is rigid from a filling of 0.42 on, the network only from about 0.6; without attraction from 0.7.",
            (core.Promise(core.Crossing("isostatic", "filling"), 0.42, 0.005),),
            core.View(function="static_modulus", colour="shear_modulus", series="shear_modulus"),
        ),
        core.Preset(
            "no attraction", {"filling": 0.9, "attraction": 0.0},
            "Sites at random: mean field begins to carry at two thirds, the network at 0.70; filled up they agree.",
            view=core.View(function="static_modulus", colour="shear_modulus", series="shear_modulus"),
        ),
        core.Preset(
            "contacts decide", {"filling": 0.95, "attraction": 0.3},
            "Against the contacts theory is the same line for every attraction; the network needs more than four.",
            view=core.View(function="modulus_by_contacts", colour="coordination"),
        ),
        core.Preset(
            "lumps", {"filling": 0.52, "attraction": 0.6},
            "Here mean field expects a quarter of the full stiffness; all bonds in the picture are slack.",
            view=core.View(function="static_modulus", colour="shear_modulus", series="shear_modulus"),
        ),
        core.Preset(
            "springs left out", {"network": "diluted", "bonds": 0.9},
            "One spring in ten is missing at random: this mean field is right within a few per cent.",
            view=core.View(function="static_modulus", colour="shear_modulus", series="shear_modulus"),
        ),
        core.Preset(
            "marginal", {"network": "diluted", "bonds": 0.7},
            "Barely rigid: a few chains of bonds carry nearly all of the load, most of the others nothing.",
            view=core.View(function="static_modulus", colour="shear_modulus", series="shear_modulus"),
        ),
        core.Preset(
            "floppy but shaken", {"network": "diluted", "bonds": 0.6, "frequency": 0.3},
            "At rest this network resists nothing; shaken it does, and mostly by loss.",
            view=core.View(("bonds", "frequency"), "stiffness", series="loss_modulus", function="loss_spectrum"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "modulus, nine in ten springs", 0.3031088913245536, 1e-13, "$\\frac{\\sqrt3}4(3p-2)$; lattice 0.3081(8)",
            core.Value("shear_modulus"), {"network": "diluted", "bonds": 0.9},
        ),
        core.Reference(
            "modulus at a frequency of 0.3, four in five springs", 0.3639488891644608 * WHOLE, 1e-9,
            "eqs. (4) and (5) on a grid of 64 by 64, solved by damped iteration", core.Value("shear_modulus"),
            {"network": "diluted", "bonds": 0.8, "frequency": 0.3, "damping": 0.01},
        ),
        core.Reference(
            "filling at four contacts, c = 0.6", 0.4147, 0.006, "deposition on 128 by 128 sites, within 0.002",
            core.Crossing("isostatic", "filling"), {"attraction": 0.6},
        ),
        core.Reference(
            "threshold of bonds", 0.6602, 0.007, "literature: simulation; mean field says two thirds",
            core.Crossing("threshold", "bonds"), {"network": "diluted"}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Without attraction this theory is rigid from a filling of two thirds on. From which filling at $c=0.5$?",
            {"filling": 0.8, "attraction": 0.5}, "filling", core.Crossing("isostatic", "filling"), 0.03,
            "Attraction gives each site more neighbours at the same filling, and four contacts are had much earlier.",
        ),
        core.Task(
            "Sites attract each other with $c=0.6$ until half of the lattice is filled: 4.4 contacts per site, more "
            "than the four of Maxwell. Which shear modulus does the *simulated* network have?",
            {"filling": 0.5, "attraction": 0.6}, "shear_modulus", core.Mean("shear_modulus", 48, 100), 0.01,
            "None: inside lumps more contacts than needed, between them too few. The mean knows of no places.",
            view=core.View(function="static_modulus"),
        ),
    )  # fmt: skip
    simulation = RigidityEmtSimulation

    @property
    def share(self) -> float:
        """Share of the sites (gel) or springs that are there."""
        return self.filling if self.network == "gel" else self.bonds

    def solve(self, points: Points) -> core.Solution:
        n = len(points["filling"])
        if self.network == "gel":
            contacts = gel_contacts(points["attraction"], points["filling"])
            weak = np.zeros((n, 2))
        else:
            contacts = np.repeat(COORDINATION * points["bonds"][:, None], 2, axis=1)
            weak = np.repeat(points["weak"][:, None], 2, axis=1)
        share = contacts / COORDINATION
        static = static_spring(share, weak)
        spring, gap = static.astype(complex), np.zeros((n, 2), complex)
        shaken = points["frequency"] > 0
        if shaken.any():
            rows = np.flatnonzero(np.repeat(shaken, 2))
            square = np.repeat(np.stack([points["frequency"], points["damping"]]), 2, axis=1)[:, rows]
            first, place = distinct([share.ravel()[rows], weak.ravel()[rows], *square])
            out = np.empty((2, len(first)), complex)
            effective_springs(
                share.ravel()[rows][first], weak.ravel()[rows][first], square[:, first].copy(), *modes(), out
            )
            spring.reshape(-1)[rows], gap.reshape(-1)[rows] = out[:, place]
        values = {
            "shear_modulus": WHOLE * spring.real,
            "loss_modulus": 0.0 - WHOLE * spring.imag,
            "stiffness": np.abs(spring),
            "coordination": contacts,
        }
        claimed = (static > 0) & (points["filling"] < SHARE_LOST)[:, None] & (self.network == "gel")
        return core.Solution(values, np.abs(gap), fails={"lumps": claimed}, extra={"static": static})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        contacts = state["coordination"]
        weak = self.weak if self.network == "diluted" else 0.0
        found = {}
        if self.network == "diluted":
            found["contacts"] = contacts - COORDINATION * self.bonds
        elif state["method"] == "pair" and 0 < self.filling < 1:

            def slope(filling: float, bonds: Array) -> Array:
                x = (6 * filling - 2 * bonds) / (6 - 6 * filling)
                return np.asarray(6 * x / (1 - self.attraction * (1 - x)))

            bonds = solve_ivp(slope, (0.0, self.filling), [0.0], rtol=1e-11, atol=1e-12).y[0, -1]
            found["(3)"] = contacts - 2 * bonds / self.filling
        k = complex(state["shear_modulus"], -state["loss_modulus"]) / WHOLE
        if k == 0:
            return found | {"(6)": max(contacts / 2 - 2, 0.0)}
        held = complex(SHARE_LOST)
        if self.frequency > 0:
            q = 2 * np.pi * np.indices((SIDE, SIDE)).reshape(2, -1) / SIDE
            unit = np.array([[1, 0], [0.5, math.sqrt(0.75)], [-0.5, math.sqrt(0.75)]])
            bent = 2 - 2 * np.cos(np.stack([q[0], q[1], q[1] - q[0]]))
            d = np.einsum("bq,bi,bj->qij", bent, unit, unit)
            inertia = (self.frequency + 1j * self.damping) ** 2 / k * np.eye(2)
            held = np.trace(d @ np.linalg.inv(d - inertia), axis1=1, axis2=2).mean() / 3
        p, ends = contacts / COORDINATION, (1.0, weak)
        gap = sum(w * (a - k) / (1 + (a - k) * held / k) for w, a in zip((p, 1 - p), ends, strict=True))
        return found | {"(4)": abs(gap)}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        rigid = states.solution.extra["static"] > 0
        return {"rigid": rigid, "floppy": ~rigid}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        if name == "threshold":
            return np.where(points["weak"] == 0, SHARE_LOST, np.nan)
        kinds, kind = np.unique(points["attraction"], return_inverse=True)
        return np.array([isostatic_filling(float(c), SEVEN_SITES) for c in kinds])[kind]

    def profiles(self) -> dict[str, core.Profile]:
        if self.network == "gel":
            contacts = gel_contacts(np.full(len(SHARES), self.attraction), SHARES).T
        else:
            contacts = np.repeat(COORDINATION * SHARES[None], 2, axis=0)
        weak = self.weak if self.network == "diluted" else 0.0
        modulus = WHOLE * static_spring(contacts / COORDINATION, np.full(contacts.shape, weak))
        points = {name: np.repeat(column, len(FREQUENCIES)) for name, column in columns(self, {}).items()}
        spectrum = self.solve(points | {"frequency": FREQUENCIES}).values
        return {
            "static_modulus": core.Profile(SHARES, modulus),
            "contacts": core.Profile(SHARES, contacts),
            "modulus_by_contacts": core.Profile(SHARES, modulus),
            "storage_spectrum": core.Profile(FREQUENCIES, spectrum["shear_modulus"].T),
            "loss_spectrum": core.Profile(FREQUENCIES, spectrum["loss_modulus"].T),
        }

    def realised(self) -> RigidityEmt:
        sites = round(math.sqrt(self.size)) ** 2
        name, seats = ("filling", sites) if self.network == "gel" else ("bonds", 3 * sites)
        return self.with_simulated(size=sites, **{name: self.counted(name, seats) / seats})

    def caveat(self) -> str:
        return "contacts in lumps are redundant, and near rigidity few chains of bonds carry everything"

    def footprint(self) -> int:
        return 400 * self.size


def static_spring(share: Array, weak: Array) -> Array:
    """k_m of eq. (4) at rest, at shares of springs and stiffnesses of the others, of equal shape."""
    b = share + (1 - share) * weak - SHARE_LOST * (1 + weak)
    root = np.sqrt(b * b + 4 * (1 - SHARE_LOST) * SHARE_LOST * weak)
    return np.asarray((b + root) / (2 * (1 - SHARE_LOST)))
