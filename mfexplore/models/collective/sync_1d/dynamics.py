"""Oscillators on a ring, and the single-step model of growth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import oscillators
from mfexplore.models.collective.sync_1d.theory import locking_coupling
from mfexplore.numerics.chance.random import advanced, new_stream, random_word, uniform
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.collective.sync_1d import Sync1D  # noqa: F401  (the type of the model)

SHOWN = 240  # oscillators in a picture, at most
LONGEST_STEP = 0.1
GOLDEN = 0.6180339887498949
SETTLED = 0.2  # of a turn from the bottom of a well, before a slip counts: it may fall back


@kernel
def neighbours(sine, cosine, coupling, torque):
    """K sum over both neighbours of sin(difference + delta) - sin(delta); coupling: (K cos delta, K sin delta)."""
    odd, even = coupling
    n = sine.size
    before_s, before_c = sine[n - 1], cosine[n - 1]
    for i in range(n - 1):
        s, c = before_s + sine[i + 1], before_c + cosine[i + 1]
        torque[i] = odd * (s * cosine[i] - c * sine[i]) + even * (c * cosine[i] + s * sine[i] - 2.0)
        before_s, before_c = sine[i], cosine[i]
    s, c = before_s + sine[0], before_c + cosine[0]
    torque[n - 1] = odd * (s * cosine[n - 1] - c * sine[n - 1]) + even * (c * cosine[n - 1] + s * sine[n - 1] - 2.0)


heun = oscillators.heun_of(neighbours)


@kernel
def single_step(height, up, tries, stream):
    """Random sites, one after another: a local minimum grows by 2 with probability `up`, a maximum shrinks by 2 else.

    height: even ring with steps of one, overwritten.
    """
    n = height.size
    position = stream[0]
    sites, half = np.uint64(n), np.uint64(32)
    for k in range(tries):
        i = np.int64(((random_word(position, 2 * k) >> half) * sites) >> half)
        left, right = height[i - 1], height[i + 1 if i + 1 < n else 0]
        if left == right:
            grows = uniform(position, 2 * k + 1) < up
            if grows and left > height[i]:
                height[i] += 2.0
            elif not grows and left < height[i]:
                height[i] -= 2.0
    stream[0] = advanced(position, 2 * tries)


class Sync1DSimulation(core.Simulation["Sync1D"]):
    """Eq. (1) by Heun's method from equal phases, or the single-step model from a flat start."""

    time_unit, recording = "time units", "log"

    def prepare(self) -> None:
        m = self.model
        n = m.size
        self.step = float(min(max(0.5, 256 / n), 4.0))
        self.stream = new_stream(self.rng)
        if m.kind == "single_step":
            self.height = (np.arange(n) % 2).astype(float)
        else:
            self.standard = self.rng.standard_normal(n)
            self.state = oscillators.start("coherent", np.empty(n), self.rng)
            self.height = self.state.theta
        self.marks = [(0.0, self.square_width)]
        self.turns = np.zeros(n)
        self.slips = 0.0
        self.shown = slice(None, None, -(-n // SHOWN))
        self.raster = oscillators.Raster(rows=len(self.height[self.shown]), columns=300)
        self.raster.add(0.0, self.height[self.shown])
        self.retune()

    def retune(self) -> None:
        m = self.model
        if m.kind == "oscillators":
            self.state.omega[:] = m.disorder * self.standard
            self.longest = min(LONGEST_STEP, 0.2 / m.coupling) if m.coupling > 0 else LONGEST_STEP

    @property
    def square_width(self) -> float:
        return float(self.height.var())

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.kind == "single_step":
            single_step(self.height, m.growth, self.updates(duration, m.size), self.stream)
        else:
            steps = math.ceil(duration / self.longest - 1e-9)
            forces = (m.coupling * math.cos(m.nonoddity), m.coupling * math.sin(m.nonoddity))
            heun(self.state, forces, m.noise, duration / steps, steps, self.stream)
            apart = (np.roll(self.height, -1) - self.height) / (2 * math.pi)
            turns = np.where(np.abs(apart - np.round(apart)) < SETTLED, np.round(apart), self.turns)
            self.slips += float(np.abs(turns - self.turns).sum()) / m.size
            self.turns = turns
        now = self.time + duration
        if now >= 1.03 * self.marks[-1][0]:
            self.marks.append((now, self.square_width))
        self.raster.add(now, self.height[self.shown])

    def observe(self) -> dict[str, float]:
        found = {"square_width": self.square_width, "growth_exponent": self._exponent(), "age": self.time}
        if self.model.kind == "oscillators":
            found["slips"] = self.slips
        return found

    def _exponent(self) -> float:
        """2 beta: how the square width grew over the last factor of two in time, as a power."""
        if self.time <= 0:
            return math.nan
        times, widths = np.array(self.marks).T
        early = float(np.interp(self.time / 2, times, widths))
        return math.log2(self.square_width / early) if early > 0 and self.square_width > 0 else math.nan

    @property
    def locking(self) -> float:
        """Least coupling at which these very oscillators lock without noise and nonoddity."""
        return float(locking_coupling(self.state.omega[None])[0])

    def samples(self, observable: str | None = None) -> Array:
        """Heights about their mean in units of the width, the side that grows to the right."""
        m = self.model
        heights = -self.height if m.nonlinearity < 0 else self.height
        if m.kind == "single_step":  # whole numbers stand for what is between them
            heights = heights + (np.arange(m.size) * GOLDEN) % 1.0
        heights = heights - heights.mean()
        width = float(heights.std())
        return heights / width if width > 0 else heights

    def pictures(self) -> core.Album:
        album: dict[str, Callable[[], core.Picture]] = {"surface": self._surface, "width": self._width}
        if self.model.kind == "oscillators":
            album = {"phases in time": self.picture} | album
        return core.Album(album)

    def picture(self) -> core.Picture:
        if self.model.kind == "single_step":
            return self._surface()
        axis = core.Axis("place on the ring", low=0.0, high=float(self.model.size))
        return self.raster.picture(axis, "phases: one colour is one phase; a stripe that ends is a slip")

    def _surface(self) -> core.Chart:
        """The unwrapped phases are the heights of a surface: those of neighbours, or one would see a cloud."""
        heights = self.height[:SHOWN] - self.height.mean()
        whole = heights.size == self.model.size
        return core.Chart(
            (core.Series("run", np.arange(heights.size), heights, "points"),), core.Axis("place on the ring"),
            core.Axis("phase (unwrapped) about its mean" if self.model.kind == "oscillators" else "height"),
            caption="" if whole else f"{SHOWN} neighbours of {self.model.size:,}",
        )  # fmt: skip

    def _width(self) -> core.Chart:
        """Square width in time, beside all laws."""
        times, widths = np.array(self.marks[1:] or [(1.0, 0.0)]).T
        late = np.geomspace(0.1, max(10.0, float(times[-1])), 81)
        rows = self.model.widths_in_time(late)
        lines = [core.Series(one.title, late, row) for one, row in zip(self.model.methods[1:], rows[1:], strict=True)
                 if np.isfinite(row).any()]  # fmt: skip
        lowest = float(np.nanmin(rows[1])) if np.isfinite(rows[1]).any() else 1e-3
        return core.Chart(
            (core.Series("run", times, np.where(widths > 0, widths, np.nan), "points"), *lines),
            core.Axis("time", "log"),
            core.Axis("square width", "log", 0.3 * lowest, 4 * max(float(widths.max(initial=0.0)), 10 * lowest)),
        )  # fmt: skip
