"""Lines with shortcuts: how they are drawn, and what they resist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore import core
from mfexplore.core.distinct import distinct
from mfexplore.models.disorder.long_range_percolation.theory import ENDS, INTERVAL, POINT
from mfexplore.numerics.later import later

if TYPE_CHECKING:
    from mfexplore.models.disorder.long_range_percolation import LongRangePercolation  # noqa: F401  (the type of the model)

Array = NDArray[Any]

REACHES = 2 ** np.arange(3, 13)  # at which every line is solved
SHOWN = 24  # sites on either side of 0 in the picture of the links
FARTHEST = 2**40  # a shortcut as long as that is longer than any line here

csc_array, splu = later("scipy.sparse", "csc_array"), later("scipy.sparse.linalg", "splu")


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
    return 0.5 * float(np.count_nonzero(over[first : last + 1] == 0))


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
        return {
            "resistance": self.resistance, "unavoidable": self.unavoidable, "mean_degree": degree,
            "exponent": self.exponent,
        }  # fmt: skip

    @property
    def exponent(self) -> float:
        """Slope of the mean resistance of all graphs so far, over the last factor of 16 of length; NaN of one."""
        last = int(np.searchsorted(REACHES, self.model.size, "right")) - 1
        ends = [max(last - 4, 0), last]
        if ends[0] == last:
            return float("nan")
        return float(np.diff(np.log(self.sums[0, 0, ends]))[0] / np.diff(np.log(REACHES[ends]))[0])

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
