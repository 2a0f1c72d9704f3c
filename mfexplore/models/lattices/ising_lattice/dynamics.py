"""Spins on a lattice, updated one by one, 64 at a time, or by clusters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core.simulation import never
from mfexplore.families import spins
from mfexplore.families.lattice_spins import bit_lattice
from mfexplore.families.lattice_spins.clusters import all_clusters, joining, single_clusters
from mfexplore.families.lattice_spins.metropolis import metropolis, sums
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.space.lattices import CRYSTALS, drawing, neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.lattices.ising_lattice import IsingLattice  # noqa: F401 (what it simulates)

TIME_UNITS = {"metropolis": "sweeps", "wolff": "rounds of clusters", "swendsen_wang": "updates"}
BLOCKS = 10  # of the window of an ensemble, each longer than the memory of the energy unless it is critical


class IsingSimulation(core.Simulation["IsingLattice"]):
    """Spins on the lattice; `spins` (int8), or two colours packed into words while `packed`."""

    even: bit_lattice.Words
    odd: bit_lattice.Words

    relaxation, window = 200.0, 400.0

    def prepare(self) -> None:
        m = self.model
        self.cells = m.cells
        self.spins = spins.start(m.start, m.sites, self.rng)
        self.place = neighbourhood(m.lattice, self.cells)
        self.stream = new_stream(self.rng)
        self.time_unit = TIME_UNITS[m.algorithm]  # type: ignore[misc]  # of this run, not of all
        if m.algorithm == "wolff":
            self.members = np.zeros(m.sites + 1, np.int32)
        elif m.algorithm == "swendsen_wang":
            self.forest = np.zeros((2, m.sites), np.int32)
        self.last = 0
        self.packed = False
        self.words_fit = m.lattice == "square" and m.algorithm == "metropolis" and self.cells % bit_lattice.SIDE == 0
        if self.words_fit:
            self.generators, self.scratch = bit_lattice.generators(self.rng), bit_lattice.workspace(self.cells)
        self.retune()

    def retune(self) -> None:
        m = self.model
        c = CRYSTALS[m.lattice].coordination
        beta = 1 / m.temperature if m.temperature > 0 else math.inf
        self.field = m.field * beta if m.field else 0.0
        self.joining = joining(np.full(c, -math.expm1(-2 * beta)))
        self.clusters = m.clusters_per_round
        local = 2 * (np.arange(2 * c + 1) - c + m.field)
        with np.errstate(invalid="ignore"):
            loss = np.nan_to_num(np.stack([-local, local]) * beta, nan=0.0, posinf=np.inf, neginf=-np.inf)
            # A flip that costs nothing must not be certain: in fixed order a small lattice would never see some states.
            self.acceptance = (1 - 1 / m.sites) * np.exp(-np.maximum(loss, 0))
        if self.words_fit and (m.field == 0) != self.packed:
            if self.packed:
                self.spins = bit_lattice.unpack(self.even, self.odd).ravel()
            else:
                self.even, self.odd = bit_lattice.pack(self.spins.reshape(self.cells, self.cells))
            self.packed = not self.packed
        self.three, self.four = (bit_lattice.threshold(math.exp(-x * beta)) for x in (4, 8))

    def evolve(self, duration: float) -> None:
        rounds = round(duration)
        if self.packed:
            bit_lattice.sweep(self.even, self.odd, rounds, self.three, self.four, self.generators, self.scratch)
        elif self.model.algorithm == "metropolis":
            metropolis(self.spins, self.place.kinds, self.place.shifts, self.acceptance, rounds, self.stream)
        elif self.model.algorithm == "wolff":
            _, self.last = single_clusters(
                self.spins, self.place.kinds, self.place.shifts, self.joining, self.field, rounds * self.clusters,
                self.members, self.stream,
            )  # fmt: skip
        else:
            all_clusters(
                self.spins, self.place.kinds, self.place.shifts, self.joining, self.field, rounds, self.forest,
                self.stream,
            )  # fmt: skip

    def observe(self) -> dict[str, float]:
        if self.packed:
            total, bonds = bit_lattice.count(self.even, self.odd)
        else:
            total, bonds = sums(self.spins, self.place.kinds, self.place.shifts)
        n = self.spins.size
        m = total / n
        return {"magnetization": m, "absolute_magnetization": abs(m), "energy": -bonds / n - self.model.field * m}

    def picture(self) -> core.Lattice:
        m = self.model
        shown = 2 * (bit_lattice.unpack(self.even, self.odd).ravel() if self.packed else self.spins)
        if m.algorithm == "wolff":
            shown[self.members[: self.last]] //= 2
        site = drawing(m.lattice, self.cells)
        values = np.where(site < 0, 0, shown[site]).astype(np.int8)
        captions = [f"{self.cells} × {self.cells} cells" + (" in the middle layer" if m.dimension == 3 else "")]
        if m.algorithm == "wolff":
            captions.append("the last cluster is paler")
        return core.Lattice(values, -2, 2, caption=", ".join(captions))

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """Means over the window, with what only fluctuations tell: specific heat and the ratio Q of eq. (6)."""
        found = super().measure(cancelled)
        late = round(self.window / self.step)
        m, e = (self.series()[1][name][-late:] for name in ("magnetization", "energy"))
        t = self.model.temperature
        # Within the window the energy varies around the window's own mean; how much that varies is seen in its blocks.
        variance = e.var() + e.reshape(BLOCKS, -1).mean(axis=1).var(ddof=1) / BLOCKS
        found["specific_heat"] = float(variance * self.spins.size / t**2) if t > 0 else 0.0
        fourth = float(np.mean(m**4))
        found["binder_ratio"] = float(np.mean(m**2)) ** 2 / fourth if fourth > 0 else math.nan
        return found
