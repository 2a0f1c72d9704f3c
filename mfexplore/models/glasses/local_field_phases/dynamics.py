"""Simulation: parallel tempering, and what a single configuration shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.dense_spins import (
    Copies,
    Interaction,
    blank,
    local_fields,
    symmetric_couplings,
    tempered_sweeps,
)
from mfexplore.families.tempering import ladder
from mfexplore.models.glasses.local_field_phases.theory import NAMES, glass_border, named
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.glasses.local_field_phases import LocalFieldPhases  # noqa: F401 (what it simulates)

HOTTEST = 1.5  # end of the ladder of temperatures, in units of the highest critical temperature
LEVELS = 14  # of the ladder
BINS = np.linspace(-6.0, 6.0, 81)  # centres, of the histogram of fields
MANY = 3.0  # standard errors within which a mean counts as zero


class OneConfiguration(core.Simulation["LocalFieldPhases"]):
    """Parallel tempering of one set of copies; only the coldest is looked at. A unit of time is a sweep of all."""

    relaxation, window = 400.0, 600.0
    step = 2.0

    def prepare(self) -> None:
        n = self.model.size
        self.rows, unit = symmetric_couplings(n, False, self.rng)
        self.scale = unit * n**-0.5
        self.stream = new_stream(self.rng)
        spins, fields = blank(self.rows, 1, LEVELS)
        spins[:] = 1
        if self.model.start == "random":
            spins[self.rng.random(spins.shape) < 0.5] = -1
        for place in np.ndindex(1, LEVELS):
            local_fields(self.rows, spins[place], fields[place])
        self.copies = Copies(spins, fields, np.zeros((1, LEVELS)), np.arange(LEVELS)[None])
        self.rates = np.full(LEVELS - 1, 0.5)
        self.sweeps = 0
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.interaction = Interaction(self.rows, self.scale, m.ferromagnetic_bias / m.size, 0.0)
        self.temperatures = ladder(m.temperature, HOTTEST * max(1.0, m.ferromagnetic_bias), LEVELS)
        self.moments: list[tuple[float, float]] = []  # of the configurations seen at these controls
        self.counts, self.seen = np.zeros(BINS.size), 0

    def evolve(self, duration: float) -> None:
        sweeps = round(duration)
        tempered_sweeps(self.interaction, self.copies, self.temperatures, self.rates, self.sweeps, sweeps, self.stream)
        self.sweeps += sweeps
        h = self.local_fields()
        self.moments.append((abs(float(h.mean())), float(h.var())))
        width = BINS[1] - BINS[0]
        inside = np.rint((h - BINS[0]) / width).astype(np.int64)
        self.counts += np.bincount(inside[(inside >= 0) & (inside < BINS.size)], minlength=BINS.size)
        self.seen += h.size

    @property
    def spins(self) -> Array:
        """Of the coldest copy, float64, with its majority up: every state has a mirror image."""
        spins = self.copies.spins[0, self.copies.holder[0, 0]].astype(np.float64)
        return spins if spins.sum() >= 0 else -spins

    def local_fields(self) -> Array:
        """Eq. (2) for these spins, shape (n,)."""
        copy, spins = self.copies.holder[0, 0], self.spins
        turned = spins[0] * float(self.copies.spins[0, copy, 0])
        random = turned * self.scale * self.copies.fields[0, copy, : spins.size].astype(np.float64)
        return np.asarray(random + self.interaction.shared * (spins.sum() - spins))

    def observe(self) -> dict[str, float]:
        h, spins = self.local_fields(), self.spins
        mean, variance = abs(float(h.mean())), float(h.var())
        name = NAMES[int(named(np.array(mean), np.array(variance), self.near_zero(variance)))]
        return {
            "field_mean": mean,
            "field_variance": variance,
            "alignment": float(np.mean(h * spins)),
            "magnetization": float(spins.mean()),
            "recognised": float(name == self.model.true_phase),
        }

    def near_zero(self, variance: float) -> float:
        """How large the mean of so many independent fields may be by chance."""
        return MANY * math.sqrt(variance / self.model.size)

    def samples(self, observable: str | None = None) -> Array:
        return self.local_fields()

    def profiles(self) -> dict[str, core.Measured]:
        """The histogram of all fields seen at these controls; its errors as if all were independent."""
        share = self.counts / max(self.seen, 1)
        width = BINS[1] - BINS[0]
        error = np.sqrt(share / max(self.seen, 1)) / width
        return {"field_density": core.Measured(BINS, share / width, error)}

    def picture(self) -> core.Chart:
        """Configurations in the plane of mean and variance, and the borders by which they are named."""
        m = self.model
        mean, variance = glass_border()
        shown = mean <= 3.0
        seen = np.array(self.moments[-300:]).reshape(-1, 2)
        last = seen[-1, 1] if len(seen) else 1.0
        names = named(seen[:, 0], seen[:, 1], self.near_zero(last))
        path = m.theory_of_all_temperatures()
        series = [
            core.Series("glass above", mean[shown], variance[shown]),
            core.Series("magnetized to the right", np.full(2, self.near_zero(last)), np.array([0.9, 3.2])),
            core.Series("theory at this bias", *path),
        ]
        series += [
            core.Series(f"called {name.replace('_', ' ')}", seen[names == k, 0], seen[names == k, 1], "points")
            for k, name in enumerate(NAMES)
            if (names == k).any()
        ]
        return core.Chart(
            tuple(series), core.Axis("mean of the local fields", low=0.0, high=2.6),
            core.Axis("their variance", low=0.9, high=3.2),
            caption="each point is one configuration; neither temperature nor bias is told",
        )  # fmt: skip

    def pictures(self) -> core.Album:
        return core.Album({"naming": self.picture, "configuration": self._configuration})

    def _configuration(self) -> core.Patterns:
        shown = (("spins", self.spins), ("local fields, in units of 3", self.local_fields() / 3))
        return core.Patterns(tuple((name, core.square(v)) for name, v in shown))
