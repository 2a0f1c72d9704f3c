"""Transfers of mass one by one, and what is seen of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.rasters import Raster
from mfexplore.models.collective.random_advection.theory import ORDERS, occupied
from mfexplore.numerics.chance.random import advanced, new_stream, random_word, uniform
from mfexplore.numerics.chance.statistics import BlockAverages
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.collective.random_advection import RandomAdvection  # noqa: F401  (the type of the model)

LEVELS = np.arange(-1, 8)
FAINTEST = -8.0  # log10 of the least mass in the picture
ROWS, COLUMNS = 240, 320  # of the field in time, at most
SPELL = 1.03  # ratio of the times of two rows of it, where lumps only coalesce
SMALL = {"rule": ("keep", "mix")}  # the rules with a share that stays


@kernel
def transfer(mass, a, b, complete, transfers, stream):
    """So many transfers (1) along random bonds, O(1) each; `mass` is overwritten. a < 0: both share at random."""
    n = mass.size
    sites, half = np.uint64(n), np.uint64(32)
    position = stream[0]
    for k in range(transfers):
        word = random_word(position, 2 * k)
        i = np.int64(((word >> half) * sites) >> half)
        if complete:
            j = np.int64(((word & np.uint64(0xFFFFFFFF)) * (sites - np.uint64(1))) >> half)
            j += j >= i
        else:
            j = i + 1 if word & np.uint64(1) else i - 1
            j = 0 if j == n else n - 1 if j < 0 else j
        giver, other = mass[i], mass[j]
        if a < 0.0:
            mass[i] = uniform(position, 2 * k + 1) * (giver + other)
            mass[j] = giver + other - mass[i]
        else:
            mass[i] = (1.0 - a) * giver + b * other
            mass[j] = a * giver + (1.0 - b) * other
    stream[0] = advanced(position, 2 * transfers)


@kernel
def coalesce(mass, lumps, count, complete, due, until, stream):
    """Transfers of everything up to a time, O(1) each: only the sites `lumps[:count]` have something to give.

    mass and lumps, both of shape (n,), and due, of shape (1,), the time of the next transfer, are overwritten; returns
    how many lumps are left.
    """
    n, drawn, position = mass.size, 0, stream[0]
    while count > 1 and due[0] <= until:
        word = random_word(position, 2 * drawn)
        k = np.int64(((word >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))
        i = lumps[k]
        if complete:
            j = np.int64(((word & np.uint64(0xFFFFFFFF)) * np.uint64(n - 1)) >> np.uint64(32))
            j += j >= i
        else:
            j = i + 1 if word & np.uint64(1) else i - 1
            j = 0 if j == n else n - 1 if j < 0 else j
        if mass[j] > 0.0:
            count -= 1
            lumps[k] = lumps[count]
        else:
            lumps[k] = j
        mass[j] += mass[i]
        mass[i] = 0.0
        due[0] -= math.log(1.0 - uniform(position, 2 * drawn + 1)) / (2.0 * count)
        drawn += 1
    stream[0] = advanced(position, 2 * drawn)
    return count


class RandomAdvectionSimulation(core.Simulation["RandomAdvection"]):
    """Transfers along random bonds; one unit of time brings one transfer along every bond on average."""

    time_unit, recording = "transfers per bond", "log"

    def prepare(self) -> None:
        m = self.model
        self.mass = np.ones(m.size)
        self.stream = new_stream(self.rng)
        self.lumps, self.count = np.arange(m.size), m.size
        self.due = self.rng.exponential(0.5 / m.size, 1)
        x, y, _ = (float(rate[0]) for rate in m.rates(np.array([m.mixing])))
        if m.geometry == "complete":  # all C_r are alike: eq. (2) is one rate
            slow = 50 / (4 * (x + y / (m.size - 1)))
        else:  # what diffuses from afar is, relative to C_0, kappa over the root of the time
            slow = min(m.size, 100 * y / max(x, 1e-9)) ** 2
        self.step = float(min(max(1.0, slow / 8000), max(1.0, 50_000 / m.size)))
        self.relaxation, self.window = 0.15 * slow + 20, 0.3 * slow + 50
        if m.rule == "all":
            self.step = self.quantum = 0.25
            self.relaxation, self.window = slow, 0.0  # until there is one lump
        columns = min(m.size, COLUMNS)
        self.raster = Raster(min(ROWS, 3 * columns // 4), columns, blank=FAINTEST)
        self.row_due = 0.25
        self.averages = BlockAverages(len(LEVELS) + len(ORDERS))
        self.retune()

    def retune(self) -> None:
        self.averages = BlockAverages(len(LEVELS) + len(ORDERS))

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.rule == "all":
            self._coalesce(self.time + duration)
            return
        transfer(
            self.mass, *m.shares, m.geometry == "complete", int(self.rng.poisson(2 * m.size * duration)), self.stream
        )  # fmt: skip
        moments = np.vander(self.mass, ORDERS[-1] + 1, increasing=True)[:, 1:].mean(axis=0)
        self.averages.add(np.concatenate([self._occupied(LEVELS), moments]))
        self._draw_row()

    def _coalesce(self, until: float) -> None:
        """Lumps merge up to a time; the rows of the picture are at times that do not depend on how it is cut."""
        while self.row_due <= until and self.count > 1:
            self._merge(self.row_due)
            self._draw_row()
            self.row_due *= SPELL
        self._merge(until)

    def _merge(self, until: float) -> None:
        complete = self.model.geometry == "complete"
        self.count = coalesce(self.mass, self.lumps, self.count, complete, self.due, until, self.stream)

    def _draw_row(self) -> None:
        with np.errstate(divide="ignore"):
            self.raster.add(np.maximum(np.log10(self.mass[: self.raster.values.shape[1]]), FAINTEST))

    def _occupied(self, levels: Array) -> Array:
        """F_k of the masses now, for rules with a share that stays."""
        m = self.model
        if m.rule not in SMALL["rule"]:
            return np.full(len(levels), np.nan)
        return np.asarray(-np.expm1(-self.mass * m.mixing ** -(levels[:, None] + 0.5)).mean(axis=1))

    def observe(self) -> dict[str, float]:
        square = float(np.mean(self.mass**2))
        return {"participation": square / self.model.size, "second_moment": square, "lump_density": self._held()}

    def _held(self) -> float:
        """Fraction of the sites that hold something."""
        m = self.model
        return float((self.count if m.rule == "all" else np.count_nonzero(self.mass)) / m.size)

    @property
    def finished(self) -> bool:
        return self.model.rule == "all" and self.count == 1

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.rule == "all":  # which never comes to rest
            return {}
        mean, error = self.averages.mean_and_error()
        n = len(LEVELS)
        found = {"moments": core.Measured(ORDERS.astype(float), mean[n:], error[n:])}
        if self.model.rule in SMALL["rule"]:
            found["occupied"] = core.Measured(LEVELS.astype(float), mean[:n], error[:n])
        return found

    def pictures(self) -> core.Album:
        album: dict[str, Callable[[], core.Picture]] = {"field": self.picture, "masses": self._masses}
        if self.model.rule == "keep":
            album |= {"hierarchy": self._hierarchy, "square over next": self._ratio}
        return core.Album(album)

    def picture(self) -> core.Lattice:
        shown = self.raster.values.copy()
        top = max(1.0, math.log10(self.model.size))
        how = ", by ratios" if self.model.rule == "all" else ""
        return core.Lattice(shown, FAINTEST, top, f"log10 of the mass; sites across, time down{how}", signed=False)

    def _masses(self) -> core.Chart:
        site = np.arange(self.raster.values.shape[1])
        shown = np.maximum(self.mass[: site.size], 10**FAINTEST)
        return core.Chart(
            (core.Series("mass", site, shown, "points"),), core.Axis("site"),
            core.Axis("mass", "log", 10**FAINTEST, 1.2 * self.model.size), caption="the field now",
        )  # fmt: skip

    def _hierarchy(self) -> core.Chart:
        """F_k^2 against F_(k-1), averaged over the later half of the run."""
        mean, error = self.averages.mean_and_error()
        f, e = mean[: len(LEVELS)], error[: len(LEVELS)]
        theory = occupied(self.model.mixing, "keep", np.linspace(-1, 7, 65))
        return core.Chart(
            (core.Series("run", f[:-1], f[1:] ** 2, "points", error=2 * f[1:] * e[1:]),
             core.Series("mean field", theory[:-8], theory[8:] ** 2)),
            core.Axis("fraction above one level", low=0, high=1),
            core.Axis("square of that above the next", low=0, high=1),
            (core.Guide(1.0, (0.0, 0.0), "equal"),), "every dot: two neighbouring levels of mass", equal=True,
        )  # fmt: skip

    def _ratio(self) -> core.Chart:
        """F_k^2 / F_(k-1), averaged over the later half of the run."""
        mean, error = self.averages.mean_and_error()
        f, e = mean[: len(LEVELS)], error[: len(LEVELS)]
        theory = occupied(self.model.mixing, "keep", LEVELS.astype(float))
        k = LEVELS[1:].astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = f[1:] ** 2 / f[:-1]
            spread = found * np.hypot(2 * e[1:] / f[1:], e[:-1] / f[:-1])
        return core.Chart(
            (core.Series("run", k, found, "points", error=spread),
             core.Series("mean field", k, theory[1:] ** 2 / theory[:-1])),
            core.Axis("level"), core.Axis("square over the level above", low=0.6, high=1.4),
            caption="1 where every level has left behind the next",
        )  # fmt: skip
