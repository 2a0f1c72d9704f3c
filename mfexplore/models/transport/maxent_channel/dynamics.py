"""Many independent channels, event by event, and what is counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import master_equation as master
from mfexplore.models.transport.maxent_channel.theory import RUNGS, entropy_of, ladder, occupations, structure
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.transport.maxent_channel import MaxentChannel  # noqa: F401 (named in the base class)

GROUPS = 16  # of channels, for errors
REACH = 200  # ions counted at most in two windows
SHOWN, COLUMNS = 12, 90  # channels and steps in the picture


class ChannelSimulation(core.Simulation["MaxentChannel"]):
    """Many independent channels, event by event; ions are counted in windows of time, one after another."""

    time_unit = "hopping times"
    step, window = 0.5, 40.0
    settled = 20.0  # when counting begins

    def prepare(self) -> None:
        m = self.model
        listed = structure(m.sites)[0]
        self.state = np.full(m.size, 0 if m.start == "empty" else listed.states - 1, np.int64)
        self.stream = new_stream(self.rng)
        self.group = np.arange(m.size) * GROUPS // m.size
        self.raster = np.full((SHOWN * (m.sites + 1) - 1, COLUMNS), -1, np.int8)
        self.begins = self.settled
        self.relaxation = self.settled + 2.0 * m.counting_time  # until noise has been measured
        self.retune()

    def retune(self) -> None:
        """What has been counted at other controls is forgotten."""
        m = self.model
        self.table = master.cumulated(m.process)
        self.seen = np.zeros(self.table.rate.size, np.int64)
        self.visits = np.zeros(self.table.states)
        self.passed, self.first, self.second = np.zeros((3, m.size), np.int64)
        self.single, self.double = np.zeros((2, GROUPS, 2 * REACH + 1))
        self.windows = 0
        self.begins = max(self.begins, self.time)
        self.current = math.nan

    def evolve(self, duration: float) -> None:
        m, before = self.model, self.passed.sum()
        master.advance(self.state, self.passed, self.seen, self.table, duration, self.stream)
        self.current = float(self.passed.sum() - before) / (m.size * duration)
        now = self.time + duration
        if now <= self.begins:
            self.passed[:] = 0
        else:
            self.visits += np.bincount(self.state, minlength=self.table.states)
            if now >= self.begins + (self.windows + 1) * m.counting_time - 1e-9:
                self._close_window()
        self.raster[:, :-1] = self.raster[:, 1:]
        for c, state in enumerate(self.state[:SHOWN]):
            self.raster[c * (m.sites + 1) : c * (m.sites + 1) + m.sites, -1] = (state >> np.arange(m.sites)) & 1

    def _close_window(self) -> None:
        self.first, self.second = self.second, self.passed.copy()
        self.passed[:] = 0
        self.windows += 1
        self._count(self.single, self.second)
        if self.windows > 1:
            self._count(self.double, self.first + self.second)

    def _count(self, table: Array, ions: Array) -> None:
        width = 2 * REACH + 1
        place = self.group * width + np.clip(ions + REACH, 0, width - 1)
        table += np.bincount(place, minlength=GROUPS * width).reshape(GROUPS, width)

    def observe(self) -> dict[str, float]:
        law = np.bincount(self.state, minlength=self.table.states) / self.model.size
        noise, ratio, entropy = math.nan, math.nan, math.nan
        if self.visits.any():
            entropy = entropy_of(self.visits / self.visits.sum())
        if self.counted:
            (mean, one), (_, two) = (self._mean_and_variance(table) for table in (self.single, self.double))
            noise = (two - one) / self.model.counting_time
            if mean != 0 and self.model.affinity != 0:
                ratio = (two - one) * self.model.affinity / (2 * mean)
        return {
            "current": self.current,
            "occupancy": float(occupations(self.model.sites).sum(axis=0) @ law),
            "entropy_production": self.current * self.model.affinity,
            "current_noise": noise,
            "fluctuation_ratio": ratio,
            "entropy": entropy,
        }

    @property
    def counted(self) -> bool:
        """Whether there are two windows, with no more ions in any than are counted."""
        return self.windows > 1 and not (self.double[:, 0].any() or self.double[:, -1].any())

    @staticmethod
    def _mean_and_variance(table: Array) -> tuple[float, float]:
        """Of the ions that passed in a window."""
        law, ions = table.sum(axis=0) / table.sum(), np.arange(-REACH, REACH + 1)
        mean = float(law @ ions)
        return mean, float(law @ (ions - mean) ** 2)

    def samples(self, observable: str | None = None) -> Array:
        if observable in (None, "transported_ions"):
            return self.second if self.windows else np.empty(0)
        return super().samples(observable)

    def profiles(self) -> dict[str, core.Measured]:
        if not self.visits.any():
            return {}
        law = self.visits / self.visits.sum()
        found = {
            "missing_information": core.Measured(np.arange(RUNGS), ladder(law)),
            "site_occupancy": core.Measured(np.arange(1, self.model.sites + 1), occupations(self.model.sites) @ law),
        }
        if self.counted:
            found |= {"process_free_energy": self._process_free_energy(), "asymmetry": self._asymmetry()}
        return found

    def _process_free_energy(self) -> core.Measured:
        """From the difference of two windows and one, in which how they begin and end cancels; with errors from groups
        of channels. Where a thousand histories do not carry the mean of an exponential, it cannot be measured.
        """
        fields, ions = self.model.counting_fields, np.arange(-REACH, REACH + 1)
        tilts = np.exp(np.multiply.outer(fields, ions).clip(-600, 600))
        logs = []
        for table in (self.single, self.double):
            total = table.sum(axis=0)
            parts = np.concatenate([total[None], total - table]) / self._weights(table)[:, None]
            with np.errstate(divide="ignore"):
                logs.append(np.log(parts @ tilts.T))
        psi = (logs[1] - logs[0]) / self.model.counting_time
        error = np.sqrt((GROUPS - 1) * np.mean((psi[1:] - psi[1:].mean(axis=0)) ** 2, axis=0))
        heavy = tilts * self.double.sum(axis=0)
        carried = heavy.sum(axis=1) ** 2 / np.maximum((heavy * tilts).sum(axis=1), 1e-300)
        known = (carried > 1000) & np.isfinite(psi[0])
        return core.Measured(fields, np.where(known, psi[0], np.nan), np.where(known, error, np.nan))

    @staticmethod
    def _weights(table: Array) -> Array:
        return np.concatenate([[table.sum()], table.sum() - table.sum(axis=1)])

    def _asymmetry(self) -> core.Measured:
        total, ions = self.single.sum(axis=0), self.model.ions
        with np.errstate(divide="ignore", invalid="ignore"):
            there, back = total[REACH + ions], total[REACH - ions]
            seen = (there >= 5) & (back >= 5)
            ratio, error = np.log(there / back), np.sqrt(1 / there + 1 / back)
        return core.Measured(ions, np.where(seen, ratio, np.nan), np.where(seen, error, np.nan))

    def picture(self) -> core.Lattice:
        return core.Lattice(
            self.raster.copy(), 0, 1, f"{SHOWN} channels, each a band of sites (left bath above); time goes right",
            signed=False, states=("free", "ion"), outside="between channels, or still to come",
        )  # fmt: skip
