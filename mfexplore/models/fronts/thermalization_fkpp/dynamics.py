"""Thermalization front: smooth heat, heat cut off at 1/N, and walkers, on a line that becomes longer as needed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, ive

from mfexplore import core
from mfexplore.core import Array

if TYPE_CHECKING:
    from mfexplore.models.fronts.thermalization_fkpp import ThermalizationFkpp  # noqa: F401 (what it simulates)

HOT = 20  # length of what is hot at the start
FAINT = 1e-250  # what is less at an end of the line has not come there
MORE = 256  # cells by which a line is made longer
ROWS = 400  # moments that are remembered for the picture
OFFSETS = np.arange(-10.0, 40.5, 0.5)


def spreading(medium: str, spacing: float, duration: float) -> tuple[Array, Array]:
    """(by how many cells heat moves within a duration, its parts, adding up to 1), the largest parts first."""
    reach = math.ceil(12 * math.sqrt(duration) / spacing) + 8
    by = np.arange(0 if medium == "bath_chain" else -reach, reach + 1)
    if medium == "continuum":
        parts = np.exp(-((by * spacing) ** 2) / (4 * duration))
    elif medium == "lattice":
        parts = ive(np.abs(by), 2 * duration)
    else:
        parts = np.exp(by * math.log(duration) - duration - gammaln(by + 1))
    order = np.argsort(-parts, kind="stable")
    return by[order], parts[order] / parts.sum()


class FrontSimulation(core.Simulation["ThermalizationFkpp"]):
    """A hot stretch that spreads: as smooth heat, cut off at 1/N, or as walkers. The line becomes longer as needed."""

    time_unit, step, recording = "time units", 1.0, "log"

    def prepare(self) -> None:
        m = self.model
        self.spacing = 0.5 if m.medium == "continuum" else 1.0
        self.first = 1.0 if m.medium == "bath_chain" else -2.0 * HOT  # place of the first cell
        self.ends = HOT if m.medium == "bath_chain" else 0  # place up to which it is hot
        place = self.first + self.spacing * np.arange(2 * MORE)
        heat = np.where(place > self.ends - HOT, np.exp(-m.tail_steepness * np.maximum(place - self.ends, 0)), 0.0)
        if m.graininess == "walkers":
            heat = self.rng.poisson(m.walkers * heat) / m.walkers
        elif m.graininess == "cut_off":
            heat[heat < 1 / m.walkers] = 0
        self.heat = heat
        self.edges = [self._edges()]
        self.rows, self.every = [(0.0, self.first, heat)], 1
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.pieces = 4 if m.helped == 0 else 10
        self.by, self.parts = spreading(m.medium, self.spacing, 1 / self.pieces)

    @property
    def place(self) -> Array:
        return self.first + self.spacing * np.arange(self.heat.size)

    def evolve(self, duration: float) -> None:
        walk = self._walk if self.model.graininess == "walkers" else self._flow
        for k in range(self.pieces):
            self._make_room(self.time + k / self.pieces)
            walk()
        self.edges.append(self._edges())
        if len(self.edges) % self.every == 0:
            self.rows.append((self.time + 1, self.first, self.heat))
        if len(self.rows) > ROWS:
            self.rows, self.every = self.rows[::2], 2 * self.every

    def _make_room(self, time: float) -> None:
        m = self.model
        if self.heat[-1] > FAINT:
            beyond = self.first + self.spacing * (self.heat.size + np.arange(MORE))
            exponent = m.tip_growth(m.tail_steepness) * time - m.tail_steepness * (beyond - self.ends)
            kept = m.graininess == "smooth" and m.tail_steepness < float(m.edge(np.array(m.growth)).steepness)
            tail = np.exp(np.minimum(exponent, 0)) if kept else np.zeros(MORE)  # a steeper one has been overtaken
            self.heat = np.concatenate([self.heat, tail])
        if m.medium != "bath_chain" and self.heat[0] > FAINT:
            self.heat = np.concatenate([np.zeros(MORE), self.heat])
            self.first -= MORE * self.spacing

    def _flow(self) -> None:
        """Heat spreads, by a convolution that keeps its relative precision in the tip, and grows."""
        m = self.model
        reach = int(self.by.max())
        kernel = np.zeros(2 * reach + 1)
        kernel[self.by + reach] = self.parts
        spread = np.convolve(self.heat, kernel)[reach : reach + self.heat.size]
        grown = m.grown(spread, 1 / self.pieces)
        self.heat = np.where(spread > 1 / m.walkers, grown, spread) if m.graininess == "cut_off" else grown
        self.heat[self.heat < 1e-300] = 0  # numbers below are slow

    def _walk(self) -> None:
        m, rng, size = self.model, self.rng, self.heat.size
        here = np.flatnonzero(self.heat)
        if not here.size:
            return
        count = np.rint(self.heat[here] * m.walkers).astype(np.int64)
        moves = rng.multinomial(count, self.parts)
        new = np.zeros(size + 1, np.int64)  # whoever leaves the line is put into the last cell, and forgotten
        for by, moved in zip(self.by.tolist(), moves.T, strict=True):
            to = here + by
            new[np.where((to >= 0) & (to < size), to, size)] += moved
        there = np.flatnonzero(new[:size])
        crowd = new[there] / m.walkers
        factor = np.exp(m.growth * (1 + m.helped * np.minimum(crowd, 1)) / self.pieces)
        born = new[there] + rng.negative_binomial(new[there], 1 / factor)
        stay = np.minimum(m.grown(crowd, 1 / self.pieces) / (crowd * factor), 1)
        if m.helped == 0:  # with those who are there now
            stay = 1 / (1 + born / m.walkers * (1 - 1 / factor))
        self.heat = np.zeros(size)
        self.heat[there] = rng.binomial(born, stay) / m.walkers

    def _edges(self) -> tuple[float, float]:
        """Places of the rear edge and the front, as if heat were one within and zero outside."""
        hot = np.flatnonzero(self.heat > 0.5)
        if not hot.size:
            return math.nan, math.nan
        middle = (hot[0] + hot[-1]) // 2
        near, far = min(middle, int(hot[0]) + 60), max(middle, int(hot[-1]) - 60)
        h = self.spacing
        rear = self.first + h * (near + 0.5 - float(self.heat[: near + 1].sum()))
        return rear, self.first + h * (far + 0.5 + float(self.heat[far + 1 :].sum()))

    def observe(self) -> dict[str, float]:
        rear, front = self.edges[-1]
        seen = {"speed": math.nan, "rear_speed": math.nan, "position": front, "rear_position": rear, "age": self.time}
        if self.time >= 2:
            half = (len(self.edges) - 1) / 2
            low, high = self.edges[math.floor(half)], self.edges[math.ceil(half)]
            seen["rear_speed"] = (rear - (low[0] + high[0]) / 2) / (self.time / 2)
            seen["speed"] = (front - (low[1] + high[1]) / 2) / (self.time / 2)
        return seen

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.medium != "continuum" or not math.isfinite(self.edges[-1][1]):
            return {}
        level = np.flatnonzero(self.heat > 0.5)[-1]  # offsets are from where it is one half
        above, below = self.heat[level], self.heat[min(level + 1, self.heat.size - 1)]
        middle = level + (above - 0.5) / max(above - below, 1e-9)
        cells = middle + OFFSETS / self.spacing
        with np.errstate(divide="ignore"):
            log = np.interp(cells, np.arange(self.heat.size), np.log(self.heat), left=np.nan, right=np.nan)
        return {"shape": core.Measured(OFFSETS, np.where(log > math.log(1e-14), np.exp(log), np.nan))}

    def pictures(self) -> core.Album:
        return core.Album({"space and time": self.picture, "front now": self._now, "lag": self._lag})

    def picture(self) -> core.Field:
        m = self.model
        horizon = max(m.age, self.time)
        c, rear = m.speeds()
        left, right = min(0.0, rear * horizon) - HOT, max(c * horizon, self.edges[-1][1] if self.time else 0) + 2 * HOT
        columns, times = np.linspace(left, right, 300), np.linspace(0, horizon, 160)
        values = np.full((160, 300), np.nan)
        moments = np.array([moment for moment, _, _ in self.rows])
        for k in range(int(np.searchsorted(times, self.time, "right"))):
            _, first, heat = self.rows[int(np.abs(moments - times[k]).argmin())]
            values[k] = np.interp(columns, first + self.spacing * np.arange(heat.size), heat, left=0, right=0)
        ends = np.array([0, horizon])
        start = self.edges[0]
        return core.Field(
            values, (left, right, 0.0, horizon), core.Axis("place x"), core.Axis("time t"), 0.0, 1.0,
            caption="heat u by place and time; lines: both edges of smooth heat in the end",
            paths=((start[1] + c * ends, ends), (start[0] + rear * ends, ends)),
        )  # fmt: skip

    def _now(self) -> core.Chart:
        """The front on a logarithmic scale: straight where it is steep as theory says, and where it ends."""
        m = self.model
        front = self.edges[-1][1] if math.isfinite(self.edges[-1][1]) else 0.0
        lowest = 1e-12 if m.graininess == "smooth" else 0.3 / m.walkers
        x = self.place - front
        shown = (x > -15) & (x < 45) & (self.heat > lowest)
        guide = np.linspace(-15, 45, 121)
        steepness = float(m.equilibrium(method="asymptotic", profiles=False)["steepness"])
        line = np.minimum(np.exp(-steepness * guide), 1.0)
        keep = line > lowest
        series = [
            core.Series("now", x[shown], self.heat[shown], "points"),
            core.Series("as steep as theory says", guide[keep], line[keep]),
        ]
        if m.graininess != "smooth":
            series.append(core.Series("one of N", guide[[0, -1]], np.full(2, 1 / m.walkers)))
        return core.Chart(tuple(series), core.Axis("place ahead of the front"), core.Axis("heat u", "log", lowest, 2.0))

    def _lag(self) -> core.Chart:
        """How far the front is behind a line of its final speed, against the logarithm of time."""
        m = self.model
        times = np.arange(1, len(self.edges))
        c = m.speeds()[0]
        lag = self.edges[0][1] + c * times - np.array([front for _, front in self.edges[1:]])
        series = [core.Series("run", times, lag, "points")]
        edge = m.edge(np.array([m.growth]))
        if times.size and c == float(edge.speed[0]):  # it is pulled
            theory = edge.lag(times.astype(float))
            series.append(core.Series("eq. (5), smooth heat", times, theory + lag[-1] - theory[-1]))
        return core.Chart(
            tuple(series), core.Axis("time t", "log", 1.0), core.Axis("distance behind ct"),
            caption="a straight line is a logarithm; theory ends where the run is",
        )  # fmt: skip
