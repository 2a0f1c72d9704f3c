r"""Clustering of cumulants: how fast correlations of many observables die, and which of them never do.

Take two groups of observables and move one of them away. If the connected correlation of *two* observables dies, so do
all higher ones, and at the same rate; both the classical (*Ursell*) cumulants

$$u_4=\langle1234\rangle-\sum\langle ijk\rangle\langle l\rangle-\sum\langle ij\rangle\langle kl\rangle
+2\sum\langle ij\rangle\langle k\rangle\langle l\rangle-6\langle1\rangle\langle2\rangle\langle3\rangle\langle4\rangle
\tag{1}$$

and the *free* cumulants, which know the order of their arguments (of centred observables):

$$\kappa_4=\langle1234\rangle-\langle12\rangle\langle34\rangle-\langle14\rangle\langle23\rangle \tag{2}$$

**Ising chain**, weights $e^{K\sum_is_is_{i+1}+h\sum_is_i}$, $K=1/T$. The eigenvalues
$\lambda_\pm=e^K\cosh h\pm\sqrt{e^{2K}\sinh^2h+e^{-2K}}$ of the transfer matrix give

$$C_2(r)=\langle s_0s_r\rangle-m^2=(1-m^2)\,q^r,\qquad q=\frac{\lambda_-}{\lambda_+},\qquad
m=\frac{\sinh h}{\sqrt{\sinh^2h+e^{-4K}}} \tag{3}$$

The pairs $(s_0,s_1)$ and $(s_r,s_{r+1})$, moved apart, have $u_4=c_1q^{r-1}+c_2q^{2(r-1)}$: the rate of $C_2$. Without
a field $c_1=0$, because the pairs do not change when all spins turn: twice as fast, never slower. But the order
$(s_0,s_r,s_1,s_{r+1})$ *interleaves* the groups, and then $\kappa_4\to C_2(1)^2$: what is not grouped need not cluster.

**XX chain** of quantum spins, $H=\sum_i(S^x_iS^x_{i+1}+S^y_iS^y_{i+1})$: free fermions with $\varepsilon=\cos k$,
filled as $f=1/(e^{\varepsilon/T}+1)$. In space *and time*

$$C_2(r,t)=\Big[\int\frac{dk}{2\pi}fe^{i(kr+\varepsilon t)}\Big]
\Big[\int\frac{dk}{2\pi}(1-f)e^{-i(kr+\varepsilon t)}\Big] \tag{4}$$

which at $T\to\infty$ is $\frac14J_r(t)^2$. Along a ray $r=vt$ inside the light cone, $v<1$, it falls as $1/t$; outside
exponentially, at the rate per time (moving the contour to the saddle, or to the first pole of $f$ if that is nearer)

$$\gamma=\begin{cases}2\big(v\,\mathrm{arcosh}\,v-\sqrt{v^2-1}\big)&\sqrt{v^2-1}\le\pi T\\
2\big(v\,\mathrm{arsinh}\,\pi T-\pi T\big)&\text{else}\end{cases} \tag{5}$$

Cumulants of pairs are rings of such factors that cross between the groups at least twice, so they are never slower.
(Where the pole decides, particles and holes cancel in a pair of neighbours: one factor then goes by the saddle.) The
average over time vanishes along every ray, most slowly on the cone itself: *mean clustering*.

**Valid:** infinite chains, $T>0$. A simulated Ising chain tells cumulants down to one over the root of the spins seen
($u_4$ beyond ten sites would need $10^8$); a quantum ring is the infinite chain until its light comes round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.transport.cumulant_clustering.dynamics import (
    FUNCTIONS,
    ISING,
    TICK,
    XX,
    ClusteringSimulation,
)
from mfexplore.models.transport.cumulant_clustering.theory import DISTANCES, MODES, along_ray, decays, ising

LATEST = 60.0  # time up to which the infinite chain is one on so many


@dataclass(frozen=True)
class CumulantClustering(core.Model):
    chain: str = core.choice(
        "ising", {"ising": "Ising chain", "xx": "XX chain"}, quenched=True,
        doc="classical spins in equilibrium, or quantum spins in space and time",
    )  # fmt: skip
    temperature: float = core.control(
        2.0, 0.2, 10.0, symbol="T", unit="J/k_B", role="temperature", scale="log", quenched=True, doc="temperature"
    )
    field: float = core.control(
        0.3, 0.0, 1.5, symbol="h", role="field", step=0.01, quenched=True, only=ISING,
        doc="field over temperature, along which spins align",
    )  # fmt: skip
    velocity: float = core.control(
        1.5, 0.0, 3.0, symbol="v", unit="J", role="setting", step=0.01, quenched=True, only=XX,
        doc="of the ray along which one looks: distance over time",
    )  # fmt: skip
    size: int = core.control(
        100_000, 64, 2_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="spins drawn in every step, or on the quantum ring",
    )  # fmt: skip

    title = "Clustering of cumulants"
    summary = "When two observables far apart know nothing of each other, many do not either, if they are grouped."
    tags = core.Tags("research", 15, ("quantum",), ("exact sums",))
    relations = (
        core.Relation(
            "shares the method with", "small_quantum_systems",
            "Spins on a chain that become free fermions, so that correlations are exact.",
            here={"chain": "xx"}, there={"problem": "ising_chain"},
        ),
    )  # fmt: skip
    sources = (
        core.Source("Clustering of higher order connected correlations in C* dynamical systems"),
        core.Source("E. H. Lieb, D. W. Robinson, Commun. Math. Phys. 28, 251 (1972)", doi="10.1007/BF01645779"),
        core.Source("R. Speicher, Math. Ann. 298, 611 (1994): free cumulants", doi="10.1007/BF01459754"),
        core.Source("T. Niemeijer, Physica 36, 377 (1967): the XX chain", doi="10.1016/0031-8914(67)90235-2"),
    )
    observables = (
        core.Observable("correlation_length", r"\xi", "distance in which they fall by e at equal times", scale="log"),
        core.Observable(
            "two_point_rate", r"\gamma_2", "rate at which two observables become independent, per site of the Ising "
            "chain, per time along the ray of the XX chain", low=0,
        ),
        core.Observable("cumulant_rate", r"\gamma_4", "the same of the grouped fourth cumulants", low=0),
        core.Observable(
            "interleaved_rate", r"\gamma_\times", "the same where the order interleaves the groups", low=0, only=ISING
        ),
        core.Observable("magnetization", "m", "mean spin", low=0, high=1, only=ISING),
        core.Observable("correlation", "|C_2|", "correlation at the end of the ray", scale="log", only=XX),
        core.Observable("average", r"\overline{|C_2|}", "the same, averaged over times so far", scale="log", only=XX),
        core.Observable(
            "two_point", "|C_2|", "connected correlation of two spins", over="distance", scale="log", only=ISING
        ),
        core.Observable("ursell", "|u_4|", "classical cumulant of two pairs", over="distance", scale="log", only=ISING),
        core.Observable(
            "free_cumulant", r"|\kappa_4|", "free cumulant of two pairs", over="distance", scale="log", only=ISING
        ),
        core.Observable(
            "interleaved", r"|\kappa_4^\times|", "free cumulant in the order 0, r, 1, r + 1", over="distance",
            scale="log", only=ISING,
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("distance", "r", "distance of the groups", unit="sites"),)
    phases = (
        core.Phase(
            "symmetric", "Without a field even groups do not see which way spins point: they part twice as fast.",
            only=ISING,
        ),
        core.Phase("magnetized", "All cumulants of groups fall at the rate of two spins.", only=ISING),
        core.Phase("inside_the_cone", "Signals arrive: correlations fall as a power of time.", only=XX),
        core.Phase(
            "before_the_light", "No signal has arrived yet: what is seen decays as the fastest wave allows.", only=XX
        ),
        core.Phase("thermal", "What is seen is what was there already: the correlations of equilibrium.", only=XX),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "one_site", r"\xi=1", "correlations fall by e from site to site", continuous=False, of="field", only=ISING
        ),
        core.Landmark("light_cone", "v=1", "the fastest wave", of="velocity", only=XX),
        core.Landmark(
            "pole", "T_p", "below it the first pole of the filling decides, eq. (5)", continuous=False,
            of="temperature", only=XX,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("temperature", "field", "correlation_length", along="x", only=ISING),
        core.Plane("velocity", "temperature", "two_point_rate", along="x", only=XX),
    )
    presets = (
        core.Preset(
            "in a field", {"temperature": 2.0, "field": 0.3, "size": 300_000},
            "Three lines fall side by side; the fourth, interleaved, stays at 0.049.",
            (core.Promise(core.Value("interleaved", place=20), 0.0489, 0.0001),),
        ),
        core.Preset(
            "without a field", {"temperature": 2.0, "field": 0.0, "size": 300_000},
            "Groups of two fall twice as steeply as two spins: the slowest way is closed to them by symmetry.",
            (core.Promise(lambda model: core.Value("cumulant_rate").of(model) / core.Value("two_point_rate").of(model),
                          2.0, 1e-9),),
        ),
        core.Preset(
            "cold", {"temperature": 0.8, "field": 0.02, "size": 300_000},
            "Long domains: all cumulants reach far, and still end together.",
        ),
        core.Preset(
            "outside the cone", {"chain": "xx", "temperature": 2.0, "velocity": 1.5, "size": 1024},
            "The ray leaves the cone behind: along it two spins and four die exponentially, side by side.",
        ),
        core.Preset(
            "inside the cone", {"chain": "xx", "temperature": 2.0, "velocity": 0.5, "size": 1024},
            "Here waves arrive: correlations fall only as a power, but swing, and their average vanishes faster.",
        ),
        core.Preset(
            "cold quantum chain", {"chain": "xx", "temperature": 0.2, "velocity": 1.3, "size": 1024},
            "In the cold the equilibrium reaches beyond the cone: space and time decay at two different rates.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "classical cumulant eight sites apart, $K=0.5$, $h=0.3$", 0.0001342105917514084, 1e-15, "transfer matrix",
            core.Value("ursell", place=8), {"temperature": 2.0, "field": 0.3},
        ),
        core.Reference(
            "free cumulant of interleaved spins, eight sites apart", 0.04907829581903221, 1e-13, "transfer matrix",
            core.Value("interleaved", place=8), {"temperature": 2.0, "field": 0.3},
        ),
        core.Reference(
            "magnetization in that field", 0.6376526443593105, 1e-13, "eq. (3)", core.Value("magnetization"),
            {"temperature": 2.0, "field": 0.3}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A warm XX chain, T = 5: you walk away at twice the speed of its fastest wave. At which rate per time do "
            "the correlations along your way die?",
            {"chain": "xx", "temperature": 5.0, "velocity": 2.0}, "two_point_rate", core.Value("two_point_rate"), 0.1,
            "Each of the two factors of eq. (4) dies as the Bessel function of order 2t at t: together 1.80 per time.",
        ),
    )  # fmt: skip
    simulation = ClusteringSimulation

    def solve(self, points: Points) -> core.Solution:
        t, h, v = points["temperature"], points["field"], points["velocity"]
        none = np.full_like(t, np.nan)
        if self.chain == "ising":
            m, q = ising(t, h)
            rate = -np.log(q)
            values = {
                "correlation_length": 1 / rate, "two_point_rate": rate, "cumulant_rate": np.where(h == 0, 2, 1) * rate,
                "interleaved_rate": 0 * rate, "magnetization": m,
            }  # fmt: skip
        else:
            pole = np.arcsinh(np.pi * t)
            saddle = np.arccosh(np.maximum(v, 1.0))
            nearest = np.minimum(saddle, pole)
            first, second = v * nearest - np.sinh(nearest), v * saddle - np.sinh(saddle)
            rate, faster = (np.where(v > 1, first + other, 0.0) for other in (first, second))
            values = {
                "correlation_length": 1 / (2 * pole), "two_point_rate": rate, "cumulant_rate": faster,
                "interleaved_rate": none, "magnetization": none,
            }  # fmt: skip
        return core.Solution(values, np.zeros_like(t))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if self.chain == "ising":
            spins = np.array([1.0, -1.0])
            k, h = 1 / self.temperature, self.field
            matrix = np.exp(k * np.multiply.outer(spins, spins) + h * (spins[:, None] + spins) / 2)
            (small, large), vectors = np.linalg.eigh(matrix)
            return {
                "q": state["two_point_rate"] - math.log(large / small),
                "m": state["magnetization"] - vectors[:, 1] ** 2 @ spins,
            }
        shift = np.linspace(0, math.asinh(math.pi * self.temperature), 400_001)  # of the contour, up to the pole
        return {"(5)": state["two_point_rate"] - 2 * float((self.velocity * shift - np.sinh(shift)).max())}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        v, t, still = points["velocity"], points["temperature"], points["field"] == 0
        if self.chain == "ising":
            return {"symmetric": still, "magnetized": ~still}
        thermal = np.sqrt(np.maximum(v * v - 1, 0)) > np.pi * t
        return {"inside_the_cone": v <= 1, "thermal": thermal, "before_the_light": ~thermal}

    def boundary(self, name: str, points: Points) -> Array:
        t, v = points["temperature"], points["velocity"]
        with np.errstate(invalid="ignore"):
            if name == "light_cone":
                return np.ones_like(v)
            if name == "pole":
                return np.where(v > 1, np.sqrt(v * v - 1), np.nan) / np.pi
            fall = math.tanh(0.5) ** 2  # of the square of the root over e^K cosh h
            return np.arcsinh(np.sqrt((fall - np.exp(-4 / t)) / (1 - fall)))

    def profiles(self) -> dict[str, core.Profile]:
        none = np.full((4, DISTANCES.size), np.nan)
        lines = decays(self.temperature, self.field) if self.chain == "ising" else none
        return {
            name: core.Profile(DISTANCES, np.maximum(line, 1e-300)) for name, line in zip(FUNCTIONS, lines, strict=True)
        }

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.chain == "ising":
            return {"magnetization": np.full(len(times), float(ising(self.temperature, self.field)[0]))}
        two, _ = along_ray(self.velocity, np.asarray(times) * TICK, self.temperature, MODES)
        return {"correlation": np.abs(two)}

    def caveat(self) -> str:
        return "cumulants below one over the root of the spins drawn drown in noise, or the light came round the ring"

    def footprint(self) -> int:
        return 200 * self.size
