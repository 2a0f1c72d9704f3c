"""World lines of small quantum systems as a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.models.lattices.small_quantum_systems.solutions import RING
from mfexplore.models.lattices.small_quantum_systems.world_lines import KINDS, WorldLines

if TYPE_CHECKING:
    from mfexplore.models.lattices.small_quantum_systems import SmallQuantumSystems  # noqa: F401

COLDEST = 0.1  # temperature of world lines


class SmallQuantumSimulation(core.Simulation["SmallQuantumSystems"]):
    """World lines in imaginary time; one update turns all clusters or loops, or draws a path."""

    time_unit = "updates"
    relaxation, window = 50.0, 200.0

    def prepare(self) -> None:
        self.lines: WorldLines = KINDS[self.model.problem](self.model, self.rng)
        self.evolve(20)  # so that the first picture already is one of many

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            self.lines.update()

    def observe(self) -> dict[str, float]:
        return self.lines.measure()

    def picture(self) -> core.Lattice:
        return self.lines.picture()

    def entanglement(self) -> core.Chart:
        """Exact entropy of blocks in the ground state, beside the law of a chain without a gap."""
        m = self.model
        entropy = m.entanglement()
        length = np.arange(1, m.sites)
        chord = np.log(m.sites / np.pi * np.sin(np.pi * length / m.sites))
        charge = 1.0 if m.problem == RING else 0.5
        law = charge / 3 * chord
        law += entropy[m.sites // 2] - law[m.sites // 2 - 1]
        return core.Chart(
            (core.Series("exact", length, entropy[1:-1], "points"),
             core.Series(f"law without a gap, c = {charge:g}", length, law)),
            core.Axis("neighbours in a block"), core.Axis("entropy", low=0.0),
            caption="entanglement of a block with the rest, ground state",
        )  # fmt: skip

    def pictures(self) -> core.Album:
        return core.Album({"world lines": self.picture, "entanglement": self.entanglement})


MEAN_FIELD, SPIN_WAVE, EXACT = range(3)
