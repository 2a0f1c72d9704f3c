"""Walkers that annihilate, and what is measured on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.solution import columns
from mfexplore.families.rasters import Raster
from mfexplore.families.walkers import Rules, Walkers
from mfexplore.models.reactions.annihilation.theory import EXACT, MEAN_FIELD, SMOLUCHOWSKI

if TYPE_CHECKING:
    from mfexplore.models.reactions.annihilation import Annihilation  # noqa: F401  (the type of the model)

ALIKE = ("annihilation", "coalescence")  # reactions of one species
REACH = 3.0  # distances of the pair correlation, in units of sqrt(8t)
ROWS, COLUMNS = 200, 320  # of the picture of the line in time
SPELL = 1.03  # ratio of the times of two rows of it


class AnnihilationSimulation(core.Simulation["Annihilation"]):
    """Walkers step by step; the unit of time is the mean time between two steps of one walker in one direction."""

    time_unit, step, recording = "step times", 1.0, "log"

    def prepare(self) -> None:
        m, rng = self.model, self.rng
        self.sides = m.sides
        sites = math.prod(self.sides)
        fixed = 0
        if m.reaction == "two_species":
            excess = rng.poisson(m.start_density, sites) - rng.poisson(m.start_density, sites)
            places: tuple[Array, ...] = tuple(np.repeat(np.arange(sites), np.maximum(s * excess, 0)) for s in (1, -1))
        elif m.reaction == "traps":
            trap = rng.random(sites) < m.trap_density
            places = np.flatnonzero(~trap & (rng.random(sites) < m.start_density)), np.flatnonzero(trap)
            fixed = 1
        else:
            places = (np.flatnonzero(rng.random(sites) < m.start_density),)
        partner = {"two_species": [1, 0], "traps": [1, 0]}.get(m.reaction, [0])
        both_go = m.reaction in ("annihilation", "two_species")
        self.walkers = Walkers(
            self.sides, places, Rules(np.array(partner), both_go, m.reactivity), rng, fixed=fixed
        )  # fmt: skip
        self.traps = places[1] if fixed else np.empty(0, np.int64)
        self.free = max(1, sites - self.traps.size)
        self.marks = [(0.0, self.density)]  # times by ratios, and densities
        self.raster = Raster(ROWS, min(sites, COLUMNS))

    @property
    def density(self) -> float:
        """Walkers of the first kind per site (among traps: per site that is none)."""
        count = self.walkers.count / (2 if self.model.reaction == "two_species" else 1)
        return count / self.free

    def retune(self) -> None:
        self.walkers.rules = self.walkers.rules._replace(reactivity=self.model.reactivity)

    def evolve(self, duration: float) -> None:
        self.walkers.advance(duration)
        now = self.time + duration
        if now < SPELL * self.marks[-1][0]:
            return
        self.marks.append((now, self.density))
        if self.model.geometry == "line":
            self.raster.add(self.sites(self.raster.values.shape[1]))

    def sites(self, most: int) -> Array:
        """The state of the first sites: 0 empty, 1 a walker (of the first kind), 2 one of the second kind or a trap."""
        state = np.zeros(most, np.int8)
        if self.model.reaction not in ALIKE:
            other = self.traps if self.model.reaction == "traps" else self.walkers.places(1)
            state[other[other < most]] = 2
        own = self.walkers.places(0)
        state[own[own < most]] = 1
        return state

    def observe(self) -> dict[str, float]:
        return {"density": self.density or math.nan, "exponent": self._exponent(), "age": self.time}

    def _exponent(self) -> float:
        """-d ln(density) / d ln(time) over the last factor of two in time."""
        now, before = self.time, self.density
        if now <= 0 or before <= 0:
            return math.nan
        times, densities = np.array(self.marks).T
        early = np.interp(now / 2, times, densities)
        return float(np.log(early / before) / math.log(2)) if early > 0 else math.nan

    @property
    def finished(self) -> bool:
        return self.walkers.count <= (1 if self.model.reaction in ALIKE else 0)

    def _gaps(self) -> Array:
        """Distances between neighbours on the line, round its end, in order."""
        places = np.sort(self.walkers.places(0)).astype(np.int64)
        if places.size == 0:
            return np.empty(0)
        return np.diff(places, append=places[0] + self.sides[0])

    def samples(self, observable: str | None = None) -> Array:
        if self.model.geometry != "line" or self.model.reaction not in ALIKE:
            return np.empty(0)
        gaps = self._gaps()
        return gaps / gaps.mean() if gaps.size else gaps

    def profiles(self) -> dict[str, core.Measured]:
        """Pairs at every distance over those that chance would bring there."""
        m, n = self.model, self.walkers.count
        if m.geometry != "line" or m.reaction not in ALIKE or self.time == 0 or n < 20:
            return {}
        unit, side = math.sqrt(8 * self.time), self.sides[0]
        if REACH * unit > side / 4:
            return {}
        edges = np.unique(np.round(np.linspace(0, REACH, 25) * unit)) + 0.5  # between sites
        pairs = np.zeros(edges.size - 1)
        place = np.cumsum(self._gaps())
        for neighbour in range(1, n):
            apart = (np.roll(place, -neighbour) - place) % side
            if apart.min() > edges[-1] or neighbour > 400:
                break
            pairs += np.histogram(apart, edges)[0]
        expected = n * (n / side) * np.diff(edges)
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = 0.5 * (edges[1:] + edges[:-1]) / unit
        return {"pair_correlation": core.Measured(middle, pairs / expected, np.sqrt(np.maximum(pairs, 1)) / expected)}

    def pictures(self) -> core.Album:
        album: dict[str, Callable[[], core.Picture]] = {"walkers": self.picture}
        if np.isfinite(self.model.late_density(columns(self.model, {"age": np.array([1e3])}))).all():
            album["amplitude"] = self._amplitude
        return core.Album(album)

    def picture(self) -> core.Lattice:
        m = self.model
        second = "trap" if m.reaction == "traps" else "B"
        states: tuple[str, ...] = ("empty", "walker" if m.reaction != "two_species" else "A", second)
        if m.reaction in ALIKE:
            states = states[:2]
        if m.geometry == "line":
            top = len(states) - 1
            caption = "sites across; time down, by ratios"
            return core.Lattice(self.raster.values.copy(), 0, top, caption, False, states, "still to come")
        rows = self.sides[0]
        plane = self.sites(rows * rows).reshape(rows, rows)
        caption = "the lattice" if m.geometry == "plane" else "one layer of the lattice"
        return core.Lattice(plane, 0, len(states) - 1, caption, False, states)

    def _amplitude(self) -> core.Chart:
        """Densities over the law of late times, (4)-(6): what is level has its exponent, what is at 1 its amplitude."""
        m = self.model
        times, densities = np.array(self.marks[1:] or [(1.0, math.nan)]).T
        late = np.geomspace(1.0, max(100.0, float(times[-1])), 61)
        theory = m.densities_in_time(late)
        base, base_of_run = (m.late_density(columns(m, {"age": one})) for one in (late, times))
        names = {SMOLUCHOWSKI: "Smoluchowski", MEAN_FIELD: "rate equation", EXACT: "exact"}
        lines = [core.Series(name, late, theory[:, k] / base) for k, name in names.items()
                 if np.isfinite(theory[:, k]).any()]  # fmt: skip
        shown = (times >= 1) & (densities > 0)
        run = core.Series("run", times[shown], (densities / base_of_run)[shown], "points")
        highest = 1.3 * np.nanmax(theory[:, SMOLUCHOWSKI] / base)
        return core.Chart(
            (run, *lines), core.Axis("time", "log"),
            core.Axis("density over the late law", low=0.0, high=max(2.5, float(highest))),
            caption="level: the exponent of the late law; at 1: its amplitude too",
        )  # fmt: skip
