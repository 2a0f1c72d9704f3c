"""Walkers of two kinds that meet and vanish."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.walkers import Rules, Walkers

if TYPE_CHECKING:
    from mfexplore.models.reactions.ab_fronts import AbFronts  # noqa: F401

SPELL, MEMORY = 1.03, 1.25  # ratios of times: of one spell of counting, and of those that are looked at


class FrontSimulation(core.Simulation["AbFronts"]):
    """Walkers step by step; the unit of time is the mean time between two steps of one walker in one direction."""

    time_unit, step, recording = "step times", 1.0, "log"

    def prepare(self) -> None:
        m, rng = self.model, self.rng
        sides = m.length, m.rows
        half = (m.length // 2) * m.rows
        rest = m.length * m.rows - half
        left = np.repeat(np.arange(half), rng.poisson(m.walkers, half))
        right = half + np.repeat(np.arange(rest), rng.poisson(m.walkers * m.density_ratio, rest))
        rules = Rules(np.array([1, 0]), True, m.reactivity)
        self.walkers = Walkers(sides, (left, right), rules, rng, walled=True, along=m.dimension)
        self.fewer = min(left.size, right.size)
        self.place = np.arange(m.length) - (m.length // 2 - 0.5)  # of the sites along the strip
        self.spells: list[tuple[float, Array]] = [(0.0, self.walkers.reacted.copy())]  # ends, and reactions so far

    def retune(self) -> None:
        self.walkers.rules = self.walkers.rules._replace(reactivity=self.model.reactivity)

    def evolve(self, duration: float) -> None:
        self.walkers.advance(duration)
        now = self.time + duration
        if now >= SPELL * self.spells[-1][0]:
            self.spells.append((now, self.walkers.reacted.copy()))
            while len(self.spells) > 3 and self.spells[1][0] * MEMORY < now:
                self.spells.pop(0)

    @property
    def finished(self) -> bool:
        return bool(self.walkers.reacted.sum() == self.fewer)

    def _lately(self) -> tuple[float, Array]:
        """(how long the remembered spells were, the reactions in each of them by place)."""
        times = np.array([time for time, _ in self.spells])
        return float(times[-1] - times[0]), np.diff([counts for _, counts in self.spells], axis=0)

    def observe(self) -> dict[str, float]:
        seen = {"width": math.nan, "position": math.nan, "rate": math.nan, "local_rate": math.nan, "age": self.time}
        if len(self.spells) < 2:
            return seen | {"rate": 0.0}
        duration, spells = self._lately()
        count = spells.sum(axis=1)
        seen["rate"] = float(count.sum() / duration / self.model.rows)
        if count.sum() > 0:
            seen["position"] = float(spells.sum(axis=0) @ self.place / count.sum())
        several = count > 1
        if several.any():
            mean = spells[several] @ self.place / count[several]
            square = spells[several] @ self.place**2 - count[several] * mean**2
            seen["width"] = math.sqrt(square.sum() / (count[several] - 1).sum()) or math.nan
            seen["local_rate"] = seen["rate"] / seen["width"]
        return seen

    def profiles(self) -> dict[str, core.Measured]:
        """Places of the last reactions, about their mean and in units of their standard deviation."""
        seen = self.observe()
        if not math.isfinite(seen["width"]):
            return {}
        counts = self._lately()[1].sum(axis=0)
        edges = np.unique(np.round(seen["position"] + seen["width"] * np.linspace(-4, 4, 33)))
        inside = np.histogram(self.place, edges, weights=counts)[0]
        scale = counts.sum() * np.diff(edges) / seen["width"]
        middle = (0.5 * (edges[1:] + edges[:-1]) - seen["position"]) / seen["width"]
        return {"reaction_profile": core.Measured(middle, inside / scale, np.sqrt(np.maximum(inside, 1)) / scale)}

    def densities(self) -> tuple[Array, Array]:
        """Walkers of A and of B per site, by place along the strip."""
        m = self.model
        a, b = (np.bincount(self.walkers.places(kind) // m.rows, minlength=m.length) / m.rows for kind in (0, 1))
        return a, b

    def pictures(self) -> core.Album:
        return core.Album({"front": self.picture, "walkers": self._walkers})

    def picture(self) -> core.Chart:
        m = self.model
        a, b = self.densities()
        bins = max(1, m.length // 160)
        keep = m.length // bins * bins
        x, a, b = (v[:keep].reshape(-1, bins).mean(axis=1) for v in (self.place, a, b))
        curves = [core.Series("A", x, a, "points"), core.Series("B", x, b, "points")]
        if self.time > 0:
            fine = np.linspace(x[0], x[-1], 401)
            names = ("A, mean field", "B, mean field")
            curves += [core.Series(n, fine, v) for n, v in zip(names, m.profile(fine, self.time), strict=True)]
        reach = max(1.0, m.walkers * max(1.0, m.density_ratio))
        return core.Chart(
            tuple(curves), core.Axis("place along the strip"), core.Axis("walkers per site", low=0.0, high=1.3 * reach)
        )

    def _walkers(self) -> core.Lattice:
        m = self.model
        shown = min(m.length, 320)
        first = (m.length - shown) // 2
        cells = np.zeros(m.length * m.rows, np.int8)
        for kind in (0, 1):
            cells[self.walkers.places(kind)] = kind + 1
        plane = cells.reshape(m.length, m.rows)[first : first + shown].T
        what = "lines side by side" if m.geometry == "line" else "the strip"
        return core.Lattice(plane[:120], 0, 2, f"the middle of {what}", False, ("empty", "A", "B"))
