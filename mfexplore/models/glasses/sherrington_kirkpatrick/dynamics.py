"""Parallel tempering of the Sherrington-Kirkpatrick model, and the overlap of two copies of a sample."""

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
    energy,
    local_fields,
    symmetric_couplings,
    tempered_sweeps,
)
from mfexplore.families.tempering import ladder
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.glasses.sherrington_kirkpatrick import SherringtonKirkpatrick  # noqa: F401 (what it simulates)

HOTTEST = 1.5  # end of the ladder of temperatures, in units of the highest critical temperature
LEVELS = np.linspace(0, 1, 201)  # of the overlap, at which its law x(q) is given


class SherringtonKirkpatrickSimulation(core.Simulation["SherringtonKirkpatrick"]):
    """Two independent sets of copies with the same couplings, each with parallel tempering: the coldest of the two give
    the overlap. One unit of time is one sweep of every copy.
    """

    relaxation, window = 500.0, 1500.0

    def prepare(self) -> None:
        n, levels = self.model.size, self.model.tempering
        self.rows, unit = symmetric_couplings(n, self.model.couplings == "binary", self.rng)
        self.scale = unit * n**-0.5
        self.stream = new_stream(self.rng)
        self.spins, self.fields = blank(self.rows, 2, levels)
        self.spins[:] = 1
        if self.model.start == "random":
            self.spins[self.rng.random(self.spins.shape) < 0.5] = -1
        self.copies = Copies(self.spins, self.fields, np.zeros((2, levels)), np.tile(np.arange(levels), (2, 1)))
        self.rates = np.full(max(levels - 1, 1), 0.5)
        self.overlaps: list[float] = []
        self.sweeps = 0
        for place in np.ndindex(2, levels):
            local_fields(self.rows, self.spins[place], self.fields[place])
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.interaction = Interaction(self.rows, self.scale, m.ferromagnetic_bias / m.size, m.field)
        self.temperatures = ladder(m.temperature, HOTTEST * max(1.0, m.ferromagnetic_bias), m.tempering)
        for place in np.ndindex(2, m.tempering):
            self.copies.energies[place] = energy(self.interaction, self.spins[place], self.fields[place])

    def evolve(self, duration: float) -> None:
        sweeps = round(duration)
        tempered_sweeps(self.interaction, self.copies, self.temperatures, self.rates, self.sweeps, sweeps, self.stream)
        self.sweeps += sweeps
        self.overlaps.append(self.overlap())

    def coldest(self) -> tuple[Array, Array]:
        """Spins of the two copies at the lowest temperature, float64."""
        first, second = (self.spins[a, self.copies.holder[a, 0]].astype(np.float64) for a in range(2))
        return first, second

    def overlap(self) -> float:
        """Of the two copies at the lowest temperature."""
        first, second = self.coldest()
        return float(first @ second) / self.model.size

    def observe(self) -> dict[str, float]:
        n = self.model.size
        q = self.overlap()
        magnetizations = [float(spins.sum()) / n for spins in self.coldest()]
        if self.model.field == 0:  # without a field every state comes with its mirror image
            q, magnetizations = abs(q), [abs(m) for m in magnetizations]
        e = [float(self.copies.energies[a, copy]) / n for a, copy in enumerate(self.copies.holder[:, 0])]
        return {
            "energy": sum(e) / 2,
            "overlap": q,
            "overlap_squared": q * q,
            "magnetization": sum(magnetizations) / 2,
        }

    def samples(self, observable: str | None = None) -> Array:
        """Overlaps of the two copies, with their sign; the second half of the run, a value per step."""
        return np.array(self.overlaps[len(self.overlaps) // 2 :] or [self.overlap()])

    def profiles(self) -> dict[str, core.Measured]:
        """The share of overlaps (of their sizes without a field) below every level."""
        found = np.sort(self.samples() if self.model.field else np.abs(self.samples()))
        return {"overlap_law": core.Measured(LEVELS, np.searchsorted(found, LEVELS) / found.size)}

    def picture(self) -> core.Patterns:
        first, second = self.coldest()
        columns = math.ceil(math.sqrt(first.size))
        agreement = f"agreement, q = {np.mean(first * second):+.2f}"
        images = []
        for caption, values in (("first copy", first), ("second copy", second), (agreement, first * second)):
            image = np.zeros(columns * columns)
            image[: values.size] = values
            images.append((caption, image.reshape(columns, columns)))
        return core.Patterns(tuple(images))
