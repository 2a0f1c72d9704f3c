r"""Exchange-driven growth: clusters that trade monomers grow at each other's expense, and what is conserved thereby.

A cluster of $j$ monomers meets one of $k$ and gives it $l$ of its own, at the rate $K(j,k)/N_0$ for every ordered pair,
where $N_0$ is the number of clusters at the start. With $c_k$ clusters of size $k$ per starting cluster, and for $l=1$,

$$\dot c_k=\sum_j\big[K(k{+}1,j)c_{k+1}c_j+K(j,k{-}1)c_jc_{k-1}-K(k,j)c_kc_j-K(j,k)c_jc_k\big] \tag{1}$$

An exchange moves mass and makes none. Whether it keeps the *number* of clusters depends on what an empty one is:

- *vanish*: whoever has given away the last monomer is gone (the system is not isolated). Mass is conserved, the number
  $N=\sum c_k$ only falls, and the mean size $1/N$ grows for ever. Here $K=(jk)^\lambda$.
- *stay*: an empty cluster is a site that may receive again (isolated). Number and mass are conserved, and there is a
  state at rest. Here $K=u(j)=1+b/j$ depends on the giver alone (zero-range process), with $\rho$ monomers per site.

**Clusters that vanish.** With $M_\lambda=\sum k^\lambda c_k$ as the pace of a clock, $d\tau=M_\lambda\,dt$, eq. (1) is
linear: a walk that steps up and down from $k$ at the rate $k^\lambda$ and ends at 0,

$$\frac{dc_k}{d\tau}=(k{+}1)^\lambda c_{k+1}+(k{-}1)^\lambda c_{k-1}-2k^\lambda c_k,\qquad t=\int\frac{d\tau}{M_\lambda}
\tag{2}$$

so $N$ is the probability to survive. $\lambda=0$: $N=e^{-2\tau}[I_0(2\tau)+I_1(2\tau)]$; $\lambda=1$:
$c_k=t^{k-1}/(1+t)^{k+1}$. When clusters are large, with $q=2-\lambda$ and a typical size $s$,

$$c_k\simeq\frac{q\,k^{1-\lambda}}{\Gamma(1+\frac1q)\,s^{q+1}}\,e^{-(k/s)^q},\qquad
s^{3-2\lambda}=\frac{q(3-2\lambda)\,\Gamma(\frac2q)}{\Gamma(1+\frac1q)}\,t \tag{3}$$

a *scaling law*, $\langle k\rangle\sim t^{1/(3-2\lambda)}$. For $\lambda>\frac32$ the clock reaches $\tau=\infty$ at a
finite *gel time* $t_g$: mass that no finite step has lost is in no finite cluster any more. All of it leaks at once.

**All at once** ($l=j$): whoever gives, gives everything; clusters merge (Smoluchowski), and
$\dot N=-M_\lambda^2$. For $\lambda=0$ the law is that of exchange with $\lambda=1$; now already $\lambda>\frac12$ gels,
part by part, and $\lambda>1$ at once.

**Sites that stay** come to rest at

$$c_k=\frac{z^k}{Z}\prod_{j\le k}\frac1{u(j)}=\frac{z^k}{Z}\,\frac{k!\,\Gamma(1+b)}{\Gamma(k+1+b)},\qquad
Z={}_2F_1(1,1;1+b;z) \tag{4}$$

with the fugacity $z\le1$ such that $\sum kc_k=\rho$. At $z=1$ this fluid holds no more than

$$\rho_c=\frac1{b-2}\quad(b>2) \tag{5}$$

and what is above it *condenses* onto one site, the fraction $1-\rho_c/\rho$ of all. For $b\le2$ any density is fluid;
for $b=0$ it is geometric, $z=\rho/(1+\rho)$.

**Valid:** as $N_0\to\infty$. In a run mass is never lost: what leaks from all finite sizes is in the largest cluster.
(3) for $\langle k\rangle\gg1$. The rate equations of mergers end at gelation: what comes after depends on whether the
gel still takes part. On sites that stay, a condensate gathers slowly from an even start (a time of order $N_0^2$).

**Simulation:** as defined, exchange by exchange. The mass that is drawn is that of all clusters but the largest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.reactions.exchange_growth.dynamics import ExchangeGrowthSimulation
from mfexplore.models.reactions.exchange_growth.theory import (
    critical_density,
    fugacity,
    gel_times,
    mergers,
    monomers,
    occupation,
    partition,
    scaling_size,
    sizes_in_time,
)

RATE, SCALING = range(2)  # as in `methods`
VANISH, STAY = {"empties": ("vanish",)}, {"empties": ("stay",)}
LARGE = 5.0  # mean size from which on clusters may pass for large
EVERYWHERE = np.unique(np.round(np.geomspace(1, 1e5, 140)))


@dataclass(frozen=True)
class ExchangeGrowth(core.Model):
    empties: str = core.choice(
        "vanish", ("vanish", "stay"), doc="whether an empty cluster is gone, or a site that may receive again"
    )
    transfer: str = core.choice(
        "one", {"one": "one monomer", "all": "everything"}, doc="what is given: a monomer, or all there is", only=VANISH
    )
    exponent: float = core.control(
        0.0, 0.0, 2.0, symbol=r"\lambda", role="coupling", step=0.01, doc="the larger, the more large clusters trade",
        only=VANISH, quenched=True,
    )  # fmt: skip
    age: float = core.control(
        100.0, 0.01, 1e4, symbol="t", unit="exchange times", role="time", scale="log", doc="how long they have traded"
    )
    attraction: float = core.control(
        4.0, 0.0, 8.0, symbol="b", role="coupling", step=0.05, doc="how much less readily large ones give", only=STAY
    )
    density: float = core.control(
        1.5, 0.05, 5.0, symbol=r"\rho", role="load", step=0.01, doc="monomers per site", only=STAY, quenched=True
    )
    size: int = core.control(
        50_000, 10, 1_000_000, symbol="N_0", role="size", scale="log", part="simulation",
        doc="clusters at the start, or sites",
    )  # fmt: skip
    start: str = core.choice(
        "even", {"even": "at random", "one": "on one site"}, role="start", part="simulation",
        doc="where the monomers are at the start", only=STAY,
    )  # fmt: skip

    title = "Exchange-driven growth"
    summary = "Clusters trade monomers: they grow, gel at a finite time or condense, by what happens to the empty ones."
    tags = core.Tags("course", 20, ("growth", "phase transition"), ("rate equations", "exact sums"))
    tolerance = 1e-6
    sources = (
        core.Source("E. Ben-Naim, P. L. Krapivsky, Phys. Rev. E 68, 031104 (2003)", doi="10.1103/PhysRevE.68.031104"),
        core.Source("E. Esenturk, Nonlinearity 31, 3460 (2018): existence", doi="10.1088/1361-6544/aaba8d"),
        core.Source("M. R. Evans and T. Hanney, J. Phys. A 38, R195 (2005)", doi="10.1088/0305-4470/38/19/R01"),
        core.Source("P. G. J. van Dongen, J. Phys. A 20, 1889 (1987): gelation at once"),
    )
    observables = (
        core.Observable("mean_size", r"\langle k\rangle", "monomers per cluster", low=1, high=1e3, scale="log",
                        only=VANISH),
        core.Observable("clusters", "N", "clusters, per one at the start; empty sites that stay are counted", low=0,
                        high=1),
        core.Observable("mass", "M", "monomers in finite clusters (in a run: in all but the largest), per cluster at "
                        "the start", low=0),
        core.Observable("condensed", "m_1", "fraction of the monomers that are in the largest cluster", low=0, high=1),
        core.Observable("fugacity", "z", "how readily the fluid gives to an empty site", low=0, high=1, only=STAY),
        core.Observable("empty", "c_0", "fraction of the sites that are empty", low=0, high=1, only=STAY),
        core.Observable("size_distribution", "c_k", "clusters of a size, per cluster at the start", over="monomers",
                        scale="log"),
    )  # fmt: skip
    coordinates = (core.Coordinate("monomers", "k", "monomers in a cluster", scale="log"),)
    methods = (
        core.Method("rate_equations", "infinitely many clusters, eqs. (2) and (4)", title="rate equations"),
        core.Method("scaling", "large clusters, eq. (3)", title="scaling law"),
    )
    phases = (
        core.Phase("growing", "Clusters grow for ever at each other's expense, and all mass stays in finite ones.",
                   only=VANISH),
        core.Phase("gelled", "A cluster without end has formed: mass has leaked from all finite sizes.", only=VANISH),
        core.Phase("fluid", "Monomers are spread over many small clusters, at rest.", only=STAY),
        core.Phase("condensed", "The fluid holds what it can, and one site has all the rest.", only=STAY),
    )  # fmt: skip
    failures = (
        core.Failure("gelled", "No finite cluster is left in the rate equations; a run has a single one.", only=VANISH),
        core.Failure("too_early", "Clusters are not large yet: the scaling law has not begun to hold.", only=VANISH),
    )
    landmarks = (
        core.Landmark("gel_time", "t_g", "mass begins to leak", of="age", only=VANISH, finest=65),
        core.Landmark("critical_density", r"\rho_c", "the fluid is full, eq. (5)", of="density", only=STAY),
    )
    planes = (
        core.Plane("age", "exponent", "mean_size", along="x", finest=65, only=VANISH),
        core.Plane("attraction", "density", "condensed", along="y", finest=97, only=STAY),
    )
    presets = (
        core.Preset(
            "all are alike", {},
            "Every pair trades alike: clusters vanish, the mass does not, and the mean size grows as the cube root of "
            "time.",
            view=core.View(plane=("age", "exponent"), series="mean_size", picture="clusters",
                           function="size_distribution"),
        ),
        core.Preset(
            "larger trade more", {"exponent": 1.0, "age": 300.0},
            "Trade in proportion to both sizes: the mean size is 1 + t, to the end.",
            (core.Promise(core.Value("mean_size", method="rate_equations"), 301.0, 0.5),),
            core.View(plane=("age", "exponent"), series="mean_size", picture="sizes", function="size_distribution"),
        ),
        core.Preset(
            "gelation", {"exponent": 1.75, "age": 2.0, "size": 2000},
            "Until 1.21 all mass is in small clusters; then, within a moment, a single one has everything.",
            (core.Promise(core.Crossing("gel_time", "age"), 1.21, 0.01),),
            core.View(plane=("age", "exponent"), along="exponent", series="mass", picture="clusters"),
        ),
        core.Preset(
            "mergers", {"transfer": "all", "exponent": 0.0, "age": 100.0},
            "Whoever gives, gives everything: clusters as large as 1 + t, the law of a trade in proportion to sizes.",
            view=core.View(plane=("age", "exponent"), series="mean_size", picture="sizes",
                           function="size_distribution"),
        ),
        core.Preset(
            "mergers gel by and by", {"transfer": "all", "exponent": 0.9, "age": 3.0},
            "From 0.7 on mass leaks, but slowly: finite clusters live beside the gel.",
            (core.Promise(core.Crossing("gel_time", "age"), 0.7, 0.01),),
            core.View(plane=("age", "exponent"), along="exponent", series="mass", picture="clusters"),
        ),
        core.Preset(
            "nobody vanishes", {"empties": "stay", "attraction": 0.0, "density": 1.0, "age": 300.0, "size": 5000},
            "Pairs trade alike as in the first preset, but empty sites stay: nothing grows, half of them are empty.",
            (core.Promise(core.Value("empty", method="rate_equations"), 0.5, 1e-9),),
            core.View(plane=("attraction", "density"), series="clusters", picture="clusters",
                      function="size_distribution"),
        ),
        core.Preset(
            "condensate", {"empties": "stay", "attraction": 4.0, "density": 1.5, "age": 3000.0, "size": 1000,
                           "start": "one"},
            "All monomers begin on one site; two thirds of them stay there, for the fluid is full.",
            (core.Promise(core.Value("condensed", method="rate_equations"), 2 / 3, 1e-9),),
            core.View(plane=("attraction", "density"), series="condensed", picture="clusters",
                      function="size_distribution"),
        ),
        core.Preset(
            "many condensates", {"empties": "stay", "attraction": 4.0, "density": 1.5, "age": 3000.0, "size": 1000},
            "From an even start droplets form and eat each other, ever more slowly: theory is far in the future.",
            view=core.View(plane=("attraction", "density"), series="condensed", picture="clusters",
                           function="size_distribution"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "clusters left, all alike, $t=3.7401$", 0.385752760726, 1e-8, r"$e^{-4}[I_0(4)+I_1(4)]$ at $\tau=2$",
            core.Value("clusters", method="rate_equations"), {"age": 3.740115540180}, published=True,
        ),
        core.Reference(
            r"clusters left for $\lambda=1$, $t=3$", 0.25, 1e-7, "$1/(1+t)$",
            core.Value("clusters", method="rate_equations"), {"exponent": 1.0, "age": 3.0}, published=True,
        ),
        core.Reference(
            r"gel time for $\lambda=2$", 0.5, 1e-3, r"$\sum k^2c_k=e^{2\tau}$, so $t=(1-e^{-2\tau})/2$",
            core.Crossing("gel_time", "age"), {"exponent": 2.0}, published=True,
        ),
        core.Reference(
            "critical density, $b=3$", 1.0, 1e-12, "$1/(b-2)$", core.Crossing("critical_density", "density"),
            {"empties": "stay", "attraction": 3.0}, published=True,
        ),
        core.Reference(
            r"fugacity, $b=3$, $\rho=\frac{1}{2}$", 0.8642708076866544, 1e-10, "root of the sum, by Brent's method",
            core.Value("fugacity", method="rate_equations"), {"empties": "stay", "attraction": 3.0, "density": 0.5},
        ),
        core.Reference(
            r"empty sites, $b=5$, $\rho=\frac{1}{5}$", 0.8541569310026235, 1e-10, "root of the sum, by Brent's method",
            core.Value("empty", method="rate_equations"), {"empties": "stay", "attraction": 5.0, "density": 0.2},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Large clusters give less readily, b = 5, and empty sites stay. Above which density does one fill up?",
            {"empties": "stay", "attraction": 5.0, "density": 2.0}, "density",
            core.Crossing("critical_density", "density"), 0.03,
            "At z = 1 the law falls as k^(-b) and still has a mean, 1/(b - 2): more monomers fit into no fluid.",
            view=core.View(plane=("attraction", "density")),
        ),
        core.Task(
            "Pairs trade in proportion to both sizes, a monomer at a time. How large is the mean cluster at t = 24?",
            {"exponent": 1.0, "age": 24.0}, "mean_size", core.Value("mean_size", method="rate_equations"), 1.5,
            "The clock is time itself, since the mass is 1, and a walk that steps at the rate k survives with the "
            "probability 1/(1 + t).",
            view=core.View(plane=("age", "exponent")),
        ),
    )  # fmt: skip
    simulation = ExchangeGrowthSimulation

    @property
    def threshold(self) -> float:
        """The exponent above which mass leaks at a finite time."""
        return 0.5 if self.transfer == "all" else 1.5

    @property
    def monomers(self) -> int:
        """On sites that stay."""
        return self.counted("density", self.size)

    def realised(self) -> ExchangeGrowth:
        return self.with_simulated(density=self.monomers / self.size) if self.empties == "stay" else self

    # -- theory ----------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        return self._at_rest(points) if self.empties == "stay" else self._in_time(points)

    def _in_time(self, points: Points) -> core.Solution:
        age, exponent = points["age"], points["exponent"]
        gelled = age >= gel_times(exponent, self.transfer)
        clusters = np.full((age.size, 2), np.nan)
        for value in np.unique(exponent):
            own = exponent == value
            if self.transfer == "one":
                clusters[own, RATE] = np.where(gelled[own], 0.0, monomers(float(value)).clusters(age[own]))
                if value < 1.5 - 1e-9:
                    clusters[own, SCALING] = self.scaling_clusters(age[own], float(value))
            elif not gelled[own].all():
                clusters[own, RATE] = np.where(gelled[own], np.nan, mergers(float(value)).clusters(age[own]))
        with np.errstate(divide="ignore"):
            mean = 1 / clusters
        there = np.isfinite(clusters)
        whole = np.where(there, 1.0 - gelled[:, None], np.nan)
        values = {"clusters": clusters, "mean_size": mean, "mass": whole, "condensed": 1 - whole}
        over = gelled[:, None] & (np.arange(2) == RATE)
        early = (mean < LARGE) & (np.arange(2) == SCALING)
        return core.Solution(values, np.where(there, 0.0, np.nan), fails={"gelled": over, "too_early": early})

    def scaling_clusters(self, times: Array, exponent: float) -> Array:
        """Eq. (3)."""
        return np.asarray(np.exp(-gammaln(1 + 1 / (2 - exponent))) / scaling_size(times, exponent))

    def _at_rest(self, points: Points) -> core.Solution:
        b, rho = points["attraction"], points["density"]
        z, held = fugacity(b, rho)
        critical = critical_density(b)
        fluid = np.minimum(rho, critical)
        one = np.ones_like(rho)
        empty = np.where(rho < critical, 1 / partition(np.minimum(z, 1 - 1e-15), b), (b - 1) / np.maximum(b, 1.0))
        values = {"clusters": one, "mass": fluid, "condensed": 1 - fluid / rho, "fugacity": z, "empty": empty}
        both = {name: np.stack([value, np.full_like(value, np.nan)], axis=-1) for name, value in values.items()}
        return core.Solution(both, np.stack([np.abs(held - fluid) / (1 + rho), np.full_like(rho, np.nan)], axis=-1))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if self.empties == "stay":
            if state["condensed"] > 0:
                return {"(5)": state["mass"] * (self.attraction - 2) - 1}
            k = np.arange(1.0, 4000.0)
            terms = np.cumprod(state["fugacity"] * k / (k + self.attraction))
            if terms[-1] > 1e-12:
                return {}
            return {"(4)": k @ terms / (1 + terms.sum()) - self.density, "Z": state["empty"] * (1 + terms.sum()) - 1}
        if state["method"] == "scaling":
            q = 2 - self.exponent
            s = state["mean_size"] / math.gamma(1 + 1 / q)
            active = s ** (self.exponent - 1) * math.gamma(2 / q) / math.gamma(1 + 1 / q)
            return {"(3)": s**q / (q * q * active * (1 - (self.exponent - 1) / q)) / self.age - 1}
        if state["clusters"] < (0.7 if self.transfer == "all" else 0.6) or self.exponent > 1.5:
            return {}
        return {"(1)": rate_equations(self.exponent, self.transfer, self.age) - state["clusters"]}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        if self.empties == "stay":
            full = points["density"] > critical_density(points["attraction"])
            return {"condensed": full, "fluid": ~full}
        gelled = points["age"] >= gel_times(points["exponent"], self.transfer)
        return {"gelled": gelled, "growing": ~gelled}

    def boundary(self, name: str, points: Points) -> Array:
        if name == "critical_density":
            found = critical_density(points["attraction"])
        else:
            found = gel_times(points["exponent"], self.transfer)
        return np.where(np.isfinite(found) & (found > 0), found, np.nan)

    def distribution(self, time: float) -> tuple[Array, Array]:
        """Sizes, shape (n,), and clusters of every size by both methods, shape (2, n), at a time (or at rest)."""
        rows = np.full((2, EVERYWHERE.size), np.nan)
        if self.empties == "stay":
            z, _ = fugacity(np.array([self.attraction]), np.array([self.density]))
            weight = occupation(int(EVERYWHERE[-1]), self.attraction, float(z[0]))
            rows[RATE] = (weight / weight.sum())[EVERYWHERE.astype(int)]
        elif 0 < time < gel_times(np.array([self.exponent]), self.transfer)[0]:
            rows[RATE] = sizes_in_time(EVERYWHERE, time, self.exponent, self.transfer)
            if self.transfer == "one" and self.exponent < 1.5 - 1e-9:
                q, s = 2 - self.exponent, scaling_size(np.array([time]), self.exponent)[0]
                amplitude = math.exp(math.log(q) - gammaln(1 + 1 / q) - (q + 1) * math.log(s))
                rows[SCALING] = amplitude * EVERYWHERE ** (1 - self.exponent) * np.exp(-((EVERYWHERE / s) ** q))
        rows = np.where(rows > 1e-9, rows, np.nan)
        seen = 2 + int(np.flatnonzero(np.isfinite(rows).any(axis=0)).max(initial=8))
        return EVERYWHERE[:seen], rows[:, :seen]

    def profiles(self) -> dict[str, core.Profile]:
        sizes, rows = self.distribution(self.age)
        return {"size_distribution": core.Profile(sizes, rows)}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        t = np.asarray(times, np.float64)
        if self.empties == "stay":  # what is conserved
            return {"clusters": np.ones_like(t), "total_mass": np.full_like(t, start["total_mass"])}
        values = self._in_time({"age": np.maximum(t, 1e-12), "exponent": np.full_like(t, self.exponent)}).values
        path = {name: values[name].T.copy() for name in ("clusters", "mean_size", "mass", "condensed")}
        return path | {"total_mass": np.ones_like(t)}

    def caveat(self) -> str:
        if self.empties == "stay":
            return "from an even start one condensate gathers only after a time of order N squared"
        return "few clusters are left, or, after gelation, one of them is nearly everything"

    def footprint(self) -> int:
        return 60 * self.size + 100_000


def rate_equations(exponent: float, transfer: str, time: float, largest: int = 48) -> float:
    """Clusters that are left after eq. (1) as it stands, by the method of Runge and Kutta, in equal steps."""
    k = np.arange(1, largest + 1)
    weight = k.astype(float) ** exponent

    def change(c: Array) -> Array:
        active = weight * c
        total = active.sum()
        if transfer == "all":
            return np.asarray(np.append(0.0, np.convolve(active, active)[: largest - 1]) - 2 * total * active)
        return np.asarray(total * (np.append(active[1:], 0.0) + np.append(0.0, active[:-1]) - 2 * active))

    c = (k == 1).astype(float)
    steps = math.ceil(time * 4 * float(weight[-1])) + 20
    h = time / steps
    for _ in range(steps):
        a = change(c)
        b = change(c + h / 2 * a)
        d = change(c + h / 2 * b)
        c = c + h / 6 * (a + 2 * b + 2 * d + change(c + h * d))
    return float(c.sum())
