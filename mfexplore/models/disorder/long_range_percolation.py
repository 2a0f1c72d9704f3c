r"""Critical long-range percolation: how well does a line conduct that has shortcuts of every length?

The sites are the whole numbers. Neighbours are joined by a unit resistor; so are sites at a distance $k\geq2$, each
pair independently with the probability

$$p_k=1-\Big(1-\frac1{k^2}\Big)^\beta\simeq\frac\beta{k^2} \tag{1}$$

At this decay, and only at this one, every scale has as many shortcuts as any other: the mean degree
$2+2\sum_{k\geq2}p_k$ is finite, but the expected number of shortcuts over a given place grows with the logarithm of the
length of the line. Their rates add up in closed form,
$\sum_{k\geq d}\ln\frac{k^2}{k^2-1}=\ln\frac d{d-1}$, so that exactly

$$\mathrm{Prob}\,(\text{no shortcut within }[-n,n)\text{ leads over a place next to }0)=n^{-\beta} \tag{2}$$

**Three resistances** of $[-n,n]$: from the *point* 0 to everything outside; from the *interval* to everything outside
of $[-2n,2n]$, given that no shortcut joins the two; and from one of its *ends* to the other without leaving it. The paper
proves that the first two grow like a power, $R\sim n^{\delta(\beta)}$ with $0<\delta<1$, however many shortcuts there
are. (For $\beta=0$ they are $\frac{n+1}2$, and $\delta=1$.)

**Mean field** puts on every pair the conductance $p_k$ that it has on average. Because the resistance is a convex
function of the conductances, this is a *lower bound* of its mean (Jensen). It grows only like a logarithm for the point
and the ends, not at all for the interval: if every place is bridged a little, no place is a bottleneck.

**Bottlenecks** are what it misses. If no shortcut leads out of $[-k,k]$, all current has to pass the two edges at its
ends, which adds $\frac12$ to the resistance, and by the same sum of rates

$$\langle R_\text{point}\rangle\geq\tfrac12\sum_{k=0}^n(4k+2)^{-2\beta},\qquad
\langle R_\text{interval}\rangle\geq\tfrac12\sum_{k=n}^{2n}\Big(\frac{3n+1}{n(4k+2)}\Big)^{2\beta} \tag{3}$$

which are powers $n^{1-2\beta}$. From end to end a single edge that nothing leads over adds 1,

$$\langle R_\text{ends}\rangle\geq\sum_{i=-n}^{n-1}\Big[\frac{2n+1}{2(n+1+i)(n-i)}\Big]^\beta\sim n^{1-\beta} \tag{4}$$

Without any shortcut one has an upper bound (Rayleigh). The truth lies between.

**Where it stops:** above $\beta=\frac12$ (ends: 1) the edges that cannot be avoided are few on average, and
these bounds level off; the resistance grows as a power all the same, because cuts of two, three, ... shortcuts are as
rare and as many. No closed form of $\delta(\beta)$ is known.

**Simulation:** exact. The shortcuts of a site to the right are a Poisson number of mean $\beta\ln2$ at the distances
$\lfloor1/(1-2^{-u})\rfloor$ with $u$ uniform, so that none is cut off however long; one sparse factorisation gives the
potentials (a line has small separators: the work is nearly linear in $n$). One graph serves all sizes within it. A few
graphs with bottlenecks dominate the mean.

**Valid:** eqs. (2) to (4) at every $n$. Mean field is computed up to $n=512$ and continued along $\ln n$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import zeta

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.distinct import distinct
from mfexplore.numerics.later import later
from mfexplore.numerics.matrices.blas import one_blas_thread

POINT, INTERVAL, ENDS = BETWEEN = ("point", "interval", "ends")
ANNEALED, BOTTLENECKS, CHAIN = range(3)  # as in `methods`
LARGEST_ANNEALED = 512
SHOWN = 24  # sites on either side of 0 in the picture of the links
FARTHEST = 2**40  # a shortcut as long as that is longer than any line here

cho_factor, cho_solve = later("scipy.linalg", "cho_factor"), later("scipy.linalg", "cho_solve")
cholesky, solve_triangular = later("scipy.linalg", "cholesky"), later("scipy.linalg", "solve_triangular")
csc_array, splu = later("scipy.sparse", "csc_array"), later("scipy.sparse.linalg", "splu")


# -- theory ------------------------------------------------------------------------------------------------------------


def link_probability(beta: float, distances: Array) -> Array:
    """p_k of eq. (1), and 1 between neighbours."""
    k = np.maximum(np.asarray(distances, np.float64), 2.0)
    return np.where(np.asarray(distances) == 1, 1.0, -np.expm1(beta * np.log1p(-1 / k**2)))


def mean_degree(beta: float) -> float:
    """Edges of a site on average: terms of the sum one by one, then in powers of 1/k."""
    k = np.arange(2, 200)
    tail = (
        beta * zeta(2, 200) - beta * (beta - 1) / 2 * zeta(4, 200) + beta * (beta - 1) * (beta - 2) / 6 * zeta(6, 200)
    )
    return float(2 + 2 * (link_probability(beta, k).sum() + tail))


@lru_cache(maxsize=256)
def annealed_point(beta: float, largest: int) -> Array:
    """Resistances of mean field from 0 to outside of [-n, n], at n = 0, 1, ..., `largest`; shape (largest + 1,).

    Sites k and -k have the same potential. A longer line only adds rows to the matrix, so that one factorisation has
    the answers at all lengths.
    """
    g = np.concatenate([[0.0], link_probability(beta, np.arange(1, 2 * largest + 1))])
    site = np.arange(largest + 1)
    matrix = -(g[np.abs(site[:, None] - site)] + g[site[:, None] + site])
    matrix[0] = matrix[:, 0] = -math.sqrt(2) * g[site]
    matrix[site, site] += mean_degree(beta)
    potentials = solve_triangular(cholesky(matrix, lower=True), np.eye(1, largest + 1)[0], lower=True)
    return np.cumsum(potentials**2)


@lru_cache(maxsize=4096)
def annealed(between: str, beta: float, n: int) -> float:
    """The resistance of mean field, at most `LARGEST_ANNEALED` by a factorisation, beyond along ln n."""
    if n > LARGEST_ANNEALED:
        far, near = (annealed(between, beta, one) for one in (LARGEST_ANNEALED, LARGEST_ANNEALED // 2))
        return far + (far - near) * math.log2(n / LARGEST_ANNEALED)
    if between == POINT:
        return float(annealed_point(beta, 64 if n <= 64 else LARGEST_ANNEALED)[n])
    g = np.concatenate([[0.0], link_probability(beta, np.arange(1, 4 * n + 1))])
    summed = np.cumsum(g)
    if between == INTERVAL:  # the arms on both sides are alike
        site = np.arange(n + 1, 2 * n + 1)
        matrix = -(g[np.abs(site[:, None] - site)] + g[site[:, None] + site])
        matrix[np.arange(n), np.arange(n)] += mean_degree(beta)
        near = summed[site + n] - summed[site - n - 1]
        return float(0.5 / (near @ (1 - cho_solve(cho_factor(matrix), near))))
    site = np.arange(1, n + 1)  # potentials are odd
    matrix = g[site[:, None] + site] - g[np.abs(site[:, None] - site)]
    matrix[np.arange(n), np.arange(n)] += summed[n - site] + summed[n + site]
    return float(2 * cho_solve(cho_factor(matrix), np.eye(1, n, n - 1)[0])[-1])


def bottlenecks(between: str, beta: Array, n: Array) -> Array:
    """Right sides of eqs. (3) and (4), at pairs of beta and n; shape (pairs,)."""
    found = np.empty(len(n))
    for place, (b, m) in enumerate(zip(beta, n, strict=True)):
        if between == ENDS:
            i = np.arange(-m, m, dtype=np.float64)
            found[place] = np.sum(((2 * m + 1) / (2 * (m + 1 + i) * (m - i))) ** b)
        elif between == POINT:
            found[place] = 0.5 * np.sum((4.0 * np.arange(m + 1) + 2) ** (-2 * b))
        else:
            found[place] = 0.5 * np.sum(((3 * m + 1) / m / (4.0 * np.arange(m, 2 * m + 1) + 2)) ** (2 * b))
    return found


def inverse_degree(beta: float) -> float:
    """Mean of one over the degree, the resistance from a site to all others: the integral of t^(degree - 1)."""
    t, weight = np.polynomial.legendre.leggauss(60)
    t, weight = 0.5 * (t + 1), 0.5 * weight
    k = np.arange(2, 4000)
    p = link_probability(beta, k)
    none = np.log1p(-np.outer(1 - t, p)).sum(axis=1) - (1 - t) * beta * zeta(2, 4000)
    return float(weight @ (t * np.exp(2 * none)))


# -- simulation --------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A line of 2 reach + 1 sites around 0, with all edges that begin on it.

    pairs: ends of the edges within, int64 of shape (edges, 2), numbered from -reach; leaving: edges of each site that
    lead out of the line, shape (sites,).
    """

    reach: int
    pairs: Array
    leaving: Array

    @property
    def degrees(self) -> Array:
        sites = 2 * self.reach + 1
        return np.bincount(self.pairs.ravel() + self.reach, minlength=sites) + self.leaving


def shortcuts(beta: float, least: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Where shortcuts to one side begin, and their lengths: of every site those that are at least `least` >= 2 long.

    Points of a Poisson process: several of one length are one shortcut, which has then the probability of eq. (1).
    """
    rate = -np.log1p(-1 / least)
    counts = rng.poisson(beta * rate)
    site = np.repeat(np.arange(len(least)), counts)
    length = np.minimum(-1 / np.expm1(-rate[site] * (1.0 - rng.random(len(site)))), FARTHEST).astype(np.int64)
    first, _ = distinct([site, length])
    return site[first], length[first]


def draw_line(beta: float, reach: int, rng: np.random.Generator) -> Line:
    """A line and all that leads out of it, to any distance."""
    sites = 2 * reach + 1
    here = np.arange(sites)
    start, length = shortcuts(beta, np.full(sites, 2.0), rng)
    inside = start + length < sites
    back, _ = shortcuts(beta, np.maximum(here + 1.0, 2.0), rng)  # from a site to the left, beyond the line
    leaving = np.bincount(start[~inside], minlength=sites) + np.bincount(back, minlength=sites)
    leaving[[0, -1]] += 1
    chain = np.stack([here[:-1], here[1:]], axis=1)
    far = np.stack([start[inside], start[inside] + length[inside]], axis=1)
    return Line(reach, np.concatenate([chain, far]) - reach, leaving)


def conduct(line: Line, between: str, n: int) -> tuple[float, Array, Array]:
    """The resistance of [-n, n], and the sites with their potentials (unit current; the ground, at 0, is left out)."""
    pairs = line.pairs
    a, b = np.abs(pairs).T
    if between == ENDS:
        sites = np.arange(-n, n)  # the right end is the ground
        pairs = pairs[np.maximum(a, b) <= n]
        degrees = np.bincount(pairs.ravel() + n, minlength=2 * n + 1)[:-1].astype(float)
        source = np.eye(1, 2 * n)[0]
    elif between == POINT:
        sites = np.arange(-n, n + 1)
        degrees = line.degrees[sites + line.reach].astype(float)
        source = np.eye(1, 2 * n + 1, n)[0]
    else:
        sites = np.concatenate([np.arange(-2 * n, -n), np.arange(n + 1, 2 * n + 1)])
        degrees = line.degrees[sites + line.reach].astype(float)
        joins = pairs[(np.minimum(a, b) <= n) & (np.maximum(a, b) > n) & (np.maximum(a, b) <= 2 * n)]
        outer = joins[np.arange(len(joins)), np.abs(joins).argmax(axis=1)]
        number = np.searchsorted(sites, outer)
        source = np.bincount(number, minlength=len(sites)).astype(float)
    place = np.full(2 * line.reach + 1, -1)
    place[sites + line.reach] = np.arange(len(sites))
    i, j = place[pairs + line.reach].T
    both = (i >= 0) & (j >= 0)
    i, j, each = i[both], j[both], np.arange(len(sites))
    values = np.concatenate([np.full(2 * len(i), -1.0), degrees])
    matrix = csc_array((values, (np.concatenate([i, j, each]), np.concatenate([j, i, each]))))
    options = {"SymmetricMode": True}
    potential = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options).solve(source)
    if between == INTERVAL:  # at the potential 1 of the inner interval
        resistance = 1 / float(source @ (1 - potential))
        return resistance, sites, potential * resistance
    return float(source @ potential), sites, potential


def unavoidable(line: Line, between: str, n: int) -> float:
    """Resistance of the edges that no shortcut leads around, a lower bound of that of this line."""
    far = line.pairs[line.reach * 2 :]
    if between == ENDS:
        far = far[(np.abs(far) <= n).all(axis=1)] + n
        over = np.bincount(far.min(axis=1), minlength=2 * n + 1) - np.bincount(far.max(axis=1), minlength=2 * n + 1)
        return float(np.count_nonzero(np.cumsum(over)[: 2 * n] == 0))
    low, high = np.sort(np.abs(far), axis=1).T
    if between == INTERVAL:
        kept = (low > n) | (high <= 2 * n)
        low, high = low[kept], high[kept]
    out = np.abs(np.arange(-line.reach, line.reach + 1))
    gone = line.leaving - (out == line.reach)
    if between == INTERVAL:
        gone = np.where(out <= n, 0, gone)
    size = line.reach + 2
    starts = np.bincount(low, minlength=size) + np.bincount(out, weights=gone, minlength=size)
    over = np.cumsum(starts - np.bincount(high, minlength=size))
    first, last = (n, 2 * n) if between == INTERVAL else (0, n)
    return 0.5 * np.count_nonzero(over[first : last + 1] == 0)


REACHES = 2 ** np.arange(3, 13)


class LongRangePercolationSimulation(core.Simulation["LongRangePercolation"]):
    """One graph after another; each is solved at all sizes of `REACHES` that it has."""

    time_unit, relaxation, window = "graphs", 0.0, 0.0

    def prepare(self) -> None:
        self.count, self.sums = 0, np.zeros((3, 2, len(REACHES)))
        self.evolve(1.0)

    def evolve(self, duration: float) -> None:
        m = self.model
        self.line = draw_line(m.beta, 2 * m.size if m.between == INTERVAL else m.size, self.rng)
        self.resistance, self.sites, self.potential = conduct(self.line, m.between, m.size)
        self.unavoidable = unavoidable(self.line, m.between, m.size)
        found = np.full((3, len(REACHES)), np.nan)
        low, high = np.sort(self.line.pairs[2 * self.line.reach :], axis=1).T
        over = np.maximum(-low, high + 1)[(low < 0) & (high >= 0)].min(initial=FARTHEST)
        for place, n in enumerate(REACHES[m.size >= REACHES]):
            whole = n == m.size
            found[0, place] = self.resistance if whole else conduct(self.line, m.between, int(n))[0]
            found[1, place] = self.unavoidable if whole else unavoidable(self.line, m.between, int(n))
            found[2, place] = over > n
        self.count += 1
        self.sums += np.stack([found, found**2], axis=1)

    def observe(self) -> dict[str, float]:
        degree = float(self.line.degrees.mean())
        return {"resistance": self.resistance, "unavoidable": self.unavoidable, "mean_degree": degree}

    def profiles(self) -> dict[str, core.Measured]:
        mean, square = self.sums.transpose(1, 0, 2) / self.count
        error = np.sqrt(np.maximum(square - mean**2, 0) / max(self.count - 1, 1))
        names = ("growth", "unavoidable_growth", "cut_probability")
        shown = [np.where(values > 0, values, np.nan) for values in mean]
        return {
            name: core.Measured(REACHES.astype(float), values, np.where(self.count > 1, spread, np.nan))
            for name, values, spread in zip(names, shown, error, strict=True)
        }

    def pictures(self) -> core.Album:
        return core.Album({"potential": self.picture, "currents": self._currents})

    def picture(self) -> core.Chart:
        return core.Chart(
            (core.Series("potential", self.sites.astype(float), self.potential, "points"),),
            core.Axis("site"), core.Axis("potential at unit current", low=0.0),
            caption="flat where shortcuts carry all, steps where none leads around an edge",
        )  # fmt: skip

    def _currents(self) -> core.Network:
        """The middle of the line, bent to a ring; its own resistance, not that of the whole."""
        n = min(SHOWN, self.model.size)
        _, sites, potential = conduct(self.line, self.model.between, n)
        shown = np.arange(-self._reach(n), self._reach(n) + 1)
        at = np.full(len(shown), potential.max() if self.model.between == INTERVAL else 0.0)
        at[sites - shown[0]] = potential
        pairs = self.line.pairs[(np.abs(self.line.pairs) <= shown[-1]).all(axis=1)]
        if self.model.between == INTERVAL:  # the inner one is a single piece of wire
            pairs = pairs[(np.abs(pairs) > n).any(axis=1)]
        pairs = pairs - shown[0]
        angle = np.pi * (-0.5 - 0.92 * shown / shown[-1])
        return core.Network(
            np.cos(angle), np.sin(angle), pairs, at, 0.0, float(at.max()),
            f"[-{shown[-1]}, {shown[-1]}] bent to a ring: links by their current, sites by potential",
            edge_colour=at[pairs[:, 0]] - at[pairs[:, 1]],
        )  # fmt: skip

    def _reach(self, n: int) -> int:
        return 2 * n if self.model.between == INTERVAL else n


@dataclass(frozen=True)
class LongRangePercolation(core.Model):
    beta: float = core.control(
        0.5, 0.0, 3.0, symbol=r"\beta", role="disorder", step=0.01, quenched=True,
        doc="how many shortcuts: about this many per factor e of length over every place",
    )  # fmt: skip
    size: int = core.control(512, 8, 4096, symbol="n", role="size", scale="log", doc="half the length of the line")
    between: str = core.choice(
        POINT, BETWEEN, quenched=True,
        doc="the resistance of 0 to all outside, of [-n, n] to outside of [-2n, 2n], or from end to end",
    )  # fmt: skip

    tags = core.Tags("course", 12, ("critical fluctuations", "currents"), ("exact sums", "Monte Carlo"))
    title = "Critical long-range percolation"
    summary = "A line with shortcuts of every length still resists like a power of its length: bottlenecks are enough."
    sources = (
        core.Source(
            "The polynomial growth of effective resistances in one-dimensional critical long-range percolation"
        ),
        core.Source("M. Aizenman and C. M. Newman, Commun. Math. Phys. 107, 611 (1986)", doi="10.1007/BF01205489"),
        core.Source("C. Nash-Williams, Proc. Camb. Phil. Soc. 55, 181 (1959)", doi="10.1017/S0305004100033879"),
    )
    observables = (
        core.Observable("resistance", "R", "mean effective resistance, of unit resistors", low=0.3, scale="log"),
        core.Observable(
            "unavoidable", r"R_\text{cut}", "resistance of the edges that no shortcut leads around, eqs. (3) and (4)",
            scale="log",
        ),
        core.Observable("mean_degree", "z", "edges of a site on average", low=2),
        core.Observable("growth", "R(n)", "mean resistance at all lengths", scale="log", over="reach"),
        core.Observable(
            "unavoidable_growth", r"R_\text{cut}(n)", "resistance that no shortcut leads around, at all lengths",
            scale="log", over="reach",
        ),
        core.Observable(
            "cut_probability", "P(n)", "chance that no shortcut within [-n, n) leads over the place next to 0",
            scale="log", over="reach",
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("reach", "n", "half the length of the line", scale="log"),)
    methods = (
        core.Method("mean_field", "every pair has its mean conductance: a lower bound (Jensen)", bound="lower"),
        core.Method("bottlenecks", "edges that no shortcut leads around, eqs. (3) and (4)", bound="lower"),
        core.Method("chain", "no shortcuts: an upper bound (Rayleigh)", bound="upper"),
    )
    phases = (
        core.Phase("bottlenecks", "Single edges that no shortcut leads around add up to a power of the length."),
        core.Phase("rare_cuts", "Such edges are few on average; cuts of several shortcuts keep the power alive."),
    )
    failures = (
        core.Failure(
            "bottlenecks_missed", "Mean field lies below what the edges that cannot be avoided resist on their own.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark(
            "last_bottlenecks", r"\beta_1", "the bound by single edges stops growing", continuous=False, of="beta"
        ),
    )
    planes = (core.Plane("beta", "size", "resistance", x_range=(0.0, 3.0), y_range=(8, 4096), finest=17),)
    presets = (
        core.Preset(
            "a power", {"beta": 0.5},
            "On these axes a power is a straight line: the dots go straight up, mean field bends away below.",
            view=core.View(function="growth"),
        ),
        core.Preset(
            "few shortcuts", {"beta": 0.25},
            "Steps in the potential: a single edge that nothing leads around drops as much as many sites beside it.",
            view=core.View(function="growth", picture="potential"),
        ),
        core.Preset(
            "many shortcuts", {"beta": 2.0},
            "Hardly a single edge is a bottleneck, and the resistance still grows as a (small) power.",
            view=core.View(function="growth", picture="currents"),
        ),
        core.Preset(
            "interval to outside", {"beta": 0.5, "between": "interval"},
            "Mean field says that this resistance does not grow at all; the dots rise with length.",
            view=core.View(function="growth"),
        ),
        core.Preset(
            "end to end", {"beta": 0.5, "between": "ends"},
            "Edges that nothing leads around make half of the resistance: bound and dots have the same slope.",
            view=core.View(function="growth", picture="potential"),
        ),
        core.Preset(
            "cut-set lottery", {"beta": 1.0, "size": 256, "between": "ends"},
            "From graph to graph the resistance that cannot be avoided is nothing or much; its mean grows like ln n.",
            view=core.View(function="unavoidable_growth", series="unavoidable"),
        ),
        core.Preset(
            "no shortcuts", {"beta": 0.0}, "Every edge is a bottleneck: all three theories are one, R = (n + 1)/2.",
            (core.Promise(core.Value("resistance", method="mean_field"), 256.5, 1e-6),), core.View(function="growth"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean degree at one", 3.289868133696453, 1e-12, r"$\pi^2/3$", core.Value("mean_degree"), {"beta": 1.0}
        ),
        core.Reference(
            "mean degree at two", 4.415089799970629, 1e-12, "four million terms and the tail",
            core.Value("mean_degree"), {"beta": 2.0},
        ),
        core.Reference(
            "a site to all others, at one half", 0.40366215, 1e-8, "mean of one over the degree, by quadrature",
            lambda model: inverse_degree(model.beta), {"beta": 0.5},
        ),
        core.Reference(
            "edges that cannot be avoided, 33 sites", 10.691, 5e-4, "eq. (4); drawn graphs: 10.63(9)",
            core.Value("unavoidable"), {"beta": 0.5, "size": 16, "between": "ends"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A line of 2049 sites, end to end at $\\beta=1$. How many of its edges does no shortcut lead around, on "
            "average?",
            {"beta": 1.0, "size": 1024, "between": "ends"}, "unavoidable", core.Value("unavoidable"), 1.5,
            "Over a place in the middle there is no shortcut with the probability 1/n; over all places that adds up to a "
            "logarithm.", view=core.View(function="unavoidable_growth"),
        ),
        core.Task(
            "How long is a line, n, at whose middle one has no shortcut once in a hundred times, at $\\beta=0.8$?",
            {"beta": 0.8}, "size", lambda model: 0.01 ** (-1 / model.beta), 40.0,
            "$n^{-\\beta}=0.01$: at this decay every scale adds the same number of shortcuts.",
            view=core.View(function="cut_probability"),
        ),
    )  # fmt: skip
    simulation = LongRangePercolationSimulation

    def solve(self, points: Points) -> core.Solution:
        beta, n = points["beta"], points["size"]
        low = bottlenecks(self.between, beta, n)
        with one_blas_thread():
            mean = np.array([annealed(self.between, float(b), int(m)) for b, m in zip(beta, n, strict=True)])
        chain = 2.0 * n if self.between == ENDS else (n + 1) / 2
        one = np.ones((len(n), 3))
        kinds, kind = np.unique(beta, return_inverse=True)
        degree = np.array([mean_degree(float(b)) for b in kinds])[kind]
        values = {
            "resistance": np.stack([mean, low, chain], axis=1),
            "unavoidable": low[:, None] * one,
            "mean_degree": degree[:, None] * one,
        }
        missed = (low > mean * (1 + 1e-9))[:, None] & (np.arange(3) == ANNEALED)
        return core.Solution(values, 0 * one, fails={"bottlenecks_missed": missed})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """Mean field by all of the matrix, the bounds by all pairs of sites."""
        n, beta, word = self.size, self.beta, self.between
        reach = 2 * n if word == INTERVAL else n
        site = np.arange(-reach, reach + 1)
        apart = np.abs(site[:, None] - site)
        none = np.where(apart > 1, np.log1p(-1 / np.maximum(apart, 2) ** 2.0), 0.0) * beta  # ln prob of no shortcut
        found = {}
        if state["method"] == "mean_field":
            g = np.where(apart == 1, 1.0, -np.expm1(none))
            if word == ENDS:
                matrix, source = np.diag(g.sum(axis=1)) - g, np.eye(1, len(site))[0]
                found["mean field"] = np.linalg.solve(matrix[:-1, :-1], source[:-1])[0] / state["resistance"] - 1
            else:
                matrix, source = mean_degree(beta) * np.eye(len(site)) - g, np.eye(1, len(site), reach)[0]
                if word == INTERVAL:
                    inner = np.abs(site) <= n
                    matrix, source = matrix[~inner][:, ~inner], g[~inner][:, inner].sum(axis=1)
                potential = np.linalg.solve(matrix, source)
                drop = 1 / (source @ (1 - potential)) if word == INTERVAL else potential[reach]
                found["mean field"] = drop / state["resistance"] - 1
        if word == ENDS:
            corner = np.cumsum(np.cumsum(none, axis=0)[:, ::-1], axis=1)[:, ::-1]  # up to a row, from a column on
            exponents = np.diag(corner, 1)
            return found | {"(4)": np.exp(exponents).sum() / state["unavoidable"] - 1}
        total = 0.0
        for k in range(n, 2 * n + 1) if word == INTERVAL else range(n + 1):
            length = 2 * k + 1
            out = 2 * beta * (math.log(0.5) + math.log(1 / length))  # both ends; farther shortcuts telescope
            direct = 2 * beta * math.log(n / (3 * n + 1)) if word == INTERVAL else 0.0
            total += 0.5 * math.exp(out - direct)
        return found | {"(3)": total / state["unavoidable"] - 1}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        few = points["beta"] < self.last_bottlenecks
        return {"bottlenecks": few, "rare_cuts": ~few}

    @property
    def last_bottlenecks(self) -> float:
        return 1.0 if self.between == ENDS else 0.5

    def boundary(self, name: str, points: Points) -> Array:
        return np.full(len(points["size"]), self.last_bottlenecks)

    def profiles(self) -> dict[str, core.Profile]:
        beta = np.full(len(REACHES), self.beta)
        low = bottlenecks(self.between, beta, REACHES)
        with one_blas_thread():
            mean = np.array([annealed(self.between, self.beta, int(n)) for n in REACHES])
        chain = 2.0 * REACHES if self.between == ENDS else (REACHES + 1) / 2
        cut, reach = REACHES**-self.beta, REACHES.astype(float)
        return {
            "growth": core.Profile(reach, np.stack([mean, low, chain])),
            "unavoidable_growth": core.Profile(reach, np.stack([low, low, low])),
            "cut_probability": core.Profile(reach, np.stack([cut, cut, cut])),
        }

    def caveat(self) -> str:
        return "these are bounds of the mean, and a few graphs with bottlenecks dominate it"

    def footprint(self) -> int:
        return 4000 * self.size
