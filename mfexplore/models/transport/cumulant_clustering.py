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

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.numerics.chance.statistics import jackknife

ISING, XX = {"chain": ("ising",)}, {"chain": ("xx",)}
DISTANCES = np.arange(2, 25)
MEASURED = 12  # distances at which a run measures
GROUPS = 32  # of samples, for errors
MODES = 4096  # wave numbers for an infinite chain
LATEST = 60.0  # time up to which the infinite chain is one on so many
ROWS = 120  # times in the picture of the light cone


# -- the Ising chain ---------------------------------------------------------------------------------------------------


def ising(temperature: Array | float, field: Array | float) -> tuple[Array, Array]:
    """(m, q) of eq. (3)."""
    k, sinh = 1 / np.asarray(temperature), np.sinh(field)
    # Both eigenvalues over e^K cosh h, so that nothing overflows.
    root = np.sqrt(np.tanh(field) ** 2 + np.exp(-4 * k) / np.cosh(field) ** 2)
    return sinh / np.sqrt(sinh**2 + np.exp(-4 * k)), (1 - root) / (1 + root)


def cumulants(moments: Mapping[str, Any], m: Any) -> tuple[Any, Any, Any]:
    """(u_4 of eq. (1), kappa_4 of eq. (2), the same in interleaved order) of spins 0, 1, r, r + 1.

    moments: "near" <s_0 s_1>, "same" <s_0 s_r>, "far" <s_0 s_(r+1)>, "close" <s_1 s_r>, "triples" (the sum of all four)
    and "all"; of each whatever can be added and multiplied.
    """
    near, same, far, close = (moments[name] for name in ("near", "same", "far", "close"))
    pairs = 2 * near + 2 * same + far + close
    centred = moments["all"] - m * moments["triples"] + m**2 * pairs - 3 * m**4
    near, same, far, close = (value - m**2 for value in (near, same, far, close))
    free = centred - far * close
    return free - near**2 + far * close - same**2 - far * close, free - near**2, free - same**2


def exact_moments(m: float, q: float) -> dict[str, Polynomial]:
    """Moments of an Ising chain as polynomials in q^(r-1), so that what does not depend on r can cancel exactly."""
    x, s2 = Polynomial([0.0, 1.0]), 1 - m * m
    near, mixed = Polynomial([m * m + s2 * q]), m * (1 - q)  # a pair, and how it turns one eigenvector into the other
    triples = 2 * (m * near + mixed * s2 * x) + 2 * (m * near + mixed * s2 * q * x)
    return {
        "near": near, "same": m * m + s2 * q * x, "far": m * m + s2 * q * q * x, "close": m * m + s2 * x,
        "triples": triples, "all": near**2 + mixed**2 * s2 * x,
    }  # fmt: skip


def decays(temperature: float, field: float) -> Array:
    """|C_2|, |u_4|, |kappa_4| and the interleaved |kappa_4| at DISTANCES, shape (4, n)."""
    m, q = (float(value) for value in ising(temperature, field))
    x = q ** (DISTANCES - 1.0)
    ursell, free, crossed = cumulants(exact_moments(m, q), m)
    grouped = [sum(c * x ** (k + 1) for k, c in enumerate(one.coef[1:])) + 0 * x for one in (ursell, free)]
    return np.abs(np.array([(1 - m * m) * q * x, *grouped, crossed(x)]))


def draw_chain(temperature: float, field: float, sites: int, rng: np.random.Generator) -> Array:
    """A stretch of an Ising chain, without a burn-in: runs of equal spins have geometric lengths. Shape (sites,)."""
    m, q = (float(value) for value in ising(temperature, field))
    turns = np.maximum(np.array([1 - m, 1 + m]) / 2 * (1 - q), 1e-12)  # probability that after up, down comes the other
    first = int(rng.random() < (1 - m) / 2)
    pieces: list[Array] = []
    length, runs = 0, 64 + 2 * int(sites * turns.min())
    while length < sites:
        which = (first + np.arange(2 * runs)) % 2
        pieces.append(np.repeat(1.0 - 2 * which, np.minimum(rng.geometric(turns[which]), sites)))
        length += len(pieces[-1])
    return np.concatenate(pieces)[:sites]


def products(spins: Array) -> Array:
    """Means of what `cumulants` wants over all places of a stretch: shape (7, MEASURED - 1), the mean spin last."""
    pair, n = spins[:-1] * spins[1:], len(spins) - MEASURED - 1
    found = np.empty((7, MEASURED - 1))
    for k, r in enumerate(range(2, MEASURED + 1)):
        a, b, c, d = spins[:n], spins[1 : n + 1], spins[r : n + r], spins[r + 1 : n + r + 1]
        left, right = pair[:n], pair[r : n + r]
        triples = left @ c + left @ d + right @ a + right @ b
        found[:, k] = left.sum(), a @ c, a @ d, b @ c, triples, left @ right, spins[: n + 1].mean() * n
    return found / n


# -- the XX chain ------------------------------------------------------------------------------------------------------


def propagators(times: Array, temperature: float, modes: int) -> tuple[Array, Array]:
    """Both factors of eq. (4) on a ring of `modes` sites, shape (times, modes), by distance."""
    energy = np.cos(2 * np.pi * np.arange(modes) / modes)
    filled = 1 / (np.exp(energy / temperature) + 1)
    phase = np.exp(1j * np.multiply.outer(times, energy))
    return np.fft.ifft(filled * phase, axis=1), np.fft.ifft((1 - filled) * phase.conj(), axis=1)


def ring_sum(factors: Array) -> Array:
    """Connected correlation of four densities: minus all rings of contractions. factors: shape (4, 4, ...)."""
    rings = [
        factors[0, a] * factors[a, b] * factors[b, c] * factors[c, 0] for a, b, c in itertools.permutations((1, 2, 3))
    ]
    return np.asarray(-np.sum(rings, axis=0))


def along_ray(velocity: float, times: Array, temperature: float, modes: int) -> tuple[Array, Array]:
    """C_2(vt, t) and u_4 of spins at 0, 1 (late) and r, r + 1 (early), r the site next to vt: complex, (n,)."""
    there, back = propagators(times, temperature, modes)
    start, empty = propagators(np.zeros(1), temperature, modes)
    r, row = np.rint(velocity * times).astype(int), np.arange(len(times))
    g = np.empty((4, 4, len(times)), complex)
    place = (0, 1, r, r + 1)
    for i, j in itertools.product(range(4), repeat=2):
        distance = (place[j] - place[i]) % modes
        late_i, late_j = i < 2, j < 2
        if late_i == late_j:
            table = start if i <= j else -empty
            g[i, j] = table[0, distance if i <= j else -distance % modes]
        elif late_i:
            g[i, j] = there[row, distance]
        else:
            g[i, j] = -back[row, -distance % modes]
    return there[row, r % modes] * back[row, r % modes], ring_sum(g)


class ClusteringSimulation(core.Simulation["CumulantClustering"]):
    """Stretches of an Ising chain, drawn exactly, one after another; or a ring of XX spins that evolves exactly."""

    time_unit = "steps"
    relaxation, window = 0.0, 40.0

    def prepare(self) -> None:
        m = self.model
        self.sums, self.added = np.zeros((GROUPS, 7, MEASURED - 1)), np.zeros(GROUPS)
        self.last = math.nan
        self.cone = np.full((ROWS, min(m.size, WIDTH)), np.nan)
        self.late = 0.0
        self.ray: list[tuple[float, complex, complex]] = []
        if m.chain == "xx":
            self._look()

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.chain == "ising":
            found = products(draw_chain(m.temperature, m.field, m.size, self.rng))
            k = int(self.added.sum()) % GROUPS
            self.sums[k] += found
            self.added[k] += 1
            self.last = float(found[6, 0])
        else:
            self.late += duration * TICK
            self._look()

    def _look(self) -> None:
        """The light cone now, and what lies on the ray."""
        m = self.model
        there, back = propagators(np.array([self.late]), m.temperature, m.size)
        row, half = len(self.ray), self.cone.shape[1] // 2
        if row < ROWS:
            shown = np.arange(-half, self.cone.shape[1] - half) % m.size
            self.cone[row] = np.log10(np.maximum(np.abs(there[0, shown] * back[0, shown]), 1e-16))
        two, four = along_ray(m.velocity, np.array([self.late]), m.temperature, m.size)
        self.ray.append((self.late, complex(two[0]), complex(four[0])))

    @property
    def finished(self) -> bool:
        return self.model.chain == "xx" and len(self.ray) >= ROWS

    def observe(self) -> dict[str, float]:
        if self.model.chain == "ising":
            return {"magnetization": self.last}
        times, two, _ = map(np.array, zip(*self.ray, strict=True))
        average = abs(np.trapezoid(two, times)) / times[-1] if len(times) > 1 else abs(two[0])
        return {"correlation": float(abs(two[-1])), "average": float(average)}

    def cumulants(self) -> tuple[Array, Array]:
        """|C_2|, |u_4|, |kappa_4|, interleaved |kappa_4| and their errors, both of shape (4, MEASURED - 1)."""
        sums = np.concatenate([self.sums.sum(axis=0)[None], self.sums.sum(axis=0) - self.sums])
        count = np.concatenate([[self.added.sum()], self.added.sum() - self.added])
        mean = sums / count[:, None, None]
        moments = dict(zip(("near", "same", "far", "close", "triples", "all"), mean.swapaxes(0, 1), strict=False))
        m = mean[:, 6]
        values, error = jackknife(np.stack([moments["same"] - m**2, *cumulants(moments, m)], axis=1))
        return np.abs(values), error

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.chain == "xx" or self.added.min() < 1:
            return {}
        values, error = self.cumulants()
        seen = np.where(values > 3 * error, values, np.nan)
        return {name: core.Measured(DISTANCES[: MEASURED - 1], seen[k], error[k]) for k, name in enumerate(FUNCTIONS)}

    def picture(self) -> core.Chart:
        return self._decay() if self.model.chain == "ising" else self._ray()

    def pictures(self) -> core.Album:
        cone = {"light cone": self._cone} if self.model.chain == "xx" else {}
        return core.Album({"decay": self.picture, **cone})

    def _decay(self) -> core.Chart:
        """All cumulants at once, theory beside the run."""
        names = ("two spins", "four, classical", "four, free", "four, interleaved")
        exact = decays(self.model.temperature, self.model.field)
        series = [
            core.Series(name, DISTANCES, np.maximum(line, 1e-30)) for name, line in zip(names, exact, strict=True)
        ]
        measured = self.profiles()
        for name, function in zip(names, FUNCTIONS, strict=True):
            if function in measured:
                one = measured[function]
                series.append(core.Series(f"{name}, seen", one.coordinate, one.values, "points", one.error))
        low = max(1e-12, float(exact[0].min()) / 10)
        return core.Chart(
            tuple(series), core.Axis("distance r of the groups"), core.Axis("size of the cumulant", "log", low=low),
            caption="grouped cumulants die together; interleaved ones do not",
        )  # fmt: skip

    def _cone(self) -> core.Field:
        half = self.cone.shape[1] // 2
        latest = (ROWS - 1) * TICK
        times = np.array([0.0, latest])
        return core.Field(
            self.cone.copy(), (-half - 0.5, half - 0.5, -TICK / 2, latest + TICK / 2), core.Axis("distance"),
            core.Axis("time"), -10.0, 0.0, caption="logarithm of the connected correlation; the cone and the ray",
            paths=((times, times), (np.minimum(self.model.velocity * times, half), times)),
        )  # fmt: skip

    def _ray(self) -> core.Chart:
        times, two, four = map(np.array, zip(*self.ray, strict=True))
        running = np.abs(np.cumsum(two)) / np.arange(1, len(two) + 1)
        curves = (("two spins", np.abs(two)), ("four spins", np.abs(four)), ("average over time of two", running))
        series = tuple(core.Series(name, times, np.maximum(values, 1e-16)) for name, values in curves)
        guide = core.Guide(0.0, (0.0, 1e-16), "rounding")
        return core.Chart(series, core.Axis("time along the ray"), core.Axis("size", "log"), (guide,))


FUNCTIONS = ("two_point", "ursell", "free_cumulant", "interleaved")
TICK = 0.25  # time of the XX chain in a step
WIDTH = 121  # sites in the picture of the light cone


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
