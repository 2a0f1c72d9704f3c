"""A run of the quantum Heisenberg glass: exact ground states of samples, or classical vectors at a temperature."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.quantum_spins import half_filled
from mfexplore.families.vector_spins import heat_bath, random_directions
from mfexplore.models.glasses.quantum_heisenberg_glass.theory import (
    DOWN,
    RIGHT,
    at_rest,
    bonds,
    lattice,
    matrix,
    sublattices,
)
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.chance.statistics import BlockAverages

if TYPE_CHECKING:
    from mfexplore.models.glasses.quantum_heisenberg_glass import QuantumHeisenbergGlass  # noqa: F401

BINS = np.linspace(-1, 1, 22)  # of correlations


class HeisenbergGlassSimulation(core.Simulation["QuantumHeisenbergGlass"]):
    """Exact ground states, one sample after another, or two copies of one classical sample at a temperature."""

    def prepare(self) -> None:
        m = self.model
        self.side = m.side
        self.neighbours = lattice(self.side)
        self.eta = sublattices(self.side)
        self.density = BlockAverages(len(BINS) - 1)
        self.pairs = np.triu_indices(self.side**2, 1)
        if m.simulated == "exact":
            self.relaxation, self.window = 0.0, 4.0
            self.time_unit = "samples"  # type: ignore[misc]  # of this run, not of all
            self.draw()
        else:
            self.relaxation, self.window, self.step = 200.0, 200.0, 5.0
            self.couplings = bonds(self.neighbours, m.ferromagnetic_fraction, self.rng.random((self.side**2, 2)))
            self.copies = [random_directions(self.side**2, self.rng) for _ in range(2)]
            self.stream = new_stream(self.rng)

    def draw(self) -> None:
        """A new sample of spins 1/2 and its ground state."""
        drawn = self.rng.random((self.side**2, 2))
        self.couplings = bonds(self.neighbours, self.model.ferromagnetic_fraction, drawn)
        sector = half_filled(self.side**2)
        self.energy, _, state = sector.ground_state(matrix(self.neighbours, self.couplings), self.rng, 1e-9)
        self.correlation = sector.correlations(state) / 0.75
        self.count(self.correlation)

    def count(self, correlation: Array) -> None:
        """Remember how the correlations of pairs are distributed."""
        pairs = correlation[self.pairs]
        self.density.add(np.histogram(np.clip(pairs, -1, 1), BINS)[0] / (len(pairs) * (BINS[1] - BINS[0])))

    def evolve(self, duration: float) -> None:
        if self.model.simulated == "exact":
            self.draw()
            return
        temperature = max(self.model.temperature, 1e-9)
        for spins in self.copies:
            heat_bath(spins, self.neighbours, self.couplings, temperature, 2, round(duration), self.stream)
        self.count(self.copies[0] @ self.copies[0].T)

    def observe(self) -> dict[str, float]:
        if self.model.simulated == "exact":
            c, n = self.correlation, len(self.correlation)
            squared = float(np.mean(c * c))
            energy, staggered = self.energy / 0.75 / n, float(self.eta @ c @ self.eta) / n**2
            uniform = float(c.mean())
        else:
            one, other = self.copies
            squared = float(np.sum((one.T @ other / len(one)) ** 2))
            bond = self.couplings[:, :, None] * one[:, None] * one[self.neighbours]
            energy = float(bond.sum()) / (2 * len(one))
            staggered, uniform = (float(np.sum((signs @ one / len(one)) ** 2)) for signs in (self.eta, self.eta**2))
        orders = {"overlap_squared": squared, "staggered_order": staggered, "uniform_order": uniform}
        return orders | {"energy": energy}

    def profiles(self) -> dict[str, core.Measured]:
        mean, error = self.density.mean_and_error()
        return {"pair_density": core.Measured((BINS[1:] + BINS[:-1]) / 2, mean, error)}

    def frustrated(self) -> core.Series:
        """The plaquettes that cannot satisfy all of their bonds."""
        right, down = self.neighbours[:, RIGHT], self.neighbours[:, DOWN]
        around = (self.couplings[:, RIGHT] * self.couplings[:, DOWN]
                  * self.couplings[right, DOWN] * self.couplings[down, RIGHT])  # fmt: skip
        row, column = np.divmod(np.flatnonzero(around < 0), self.side)
        return core.Series("frustrated plaquette", column + 0.5, row + 0.5, "points")

    def vectors(self, spins: Array, caption: str) -> core.Field:
        """Spins as arrows; what points out of the plane is the colour."""
        row, column = np.divmod(np.arange(self.side**2), self.side)
        half = 0.42
        arrows = core.Arrows(column - half * spins[:, 0], row - half * spins[:, 1], 2 * half * spins[:, 0],
                             2 * half * spins[:, 1])  # fmt: skip
        edge = self.side - 0.5
        return core.Field(
            spins[:, 2].reshape(self.side, self.side), (-0.5, edge, -0.5, edge), core.Axis("column"), core.Axis("row"),
            -1.0, 1.0, signed=True, caption=caption, points=(self.frustrated(),), arrows=arrows,
        )  # fmt: skip

    def picture(self) -> core.Field | core.Network:
        if self.model.simulated == "classical":
            return self.vectors(self.copies[0], "spins in the plane, out of it by colour")
        row, column = np.divmod(np.arange(self.side**2), self.side)
        site, edges = np.arange(self.side**2), []
        for direction, inside in ((RIGHT, column < self.side - 1), (DOWN, row < self.side - 1)):
            edges.append((site[inside], self.neighbours[inside, direction], self.couplings[inside, direction]))
        start, end, sign = (np.concatenate(part) for part in zip(*edges, strict=True))
        return core.Network(
            column, row, np.stack([start, end], axis=1), self.correlation[0], -1.0, 1.0,
            "correlation of each spin with the one in the corner; bonds by sign (those around the edges not drawn)",
            edge_colour=-sign,
        )  # fmt: skip

    def classical_state(self) -> core.Field:
        """The same bonds with classical spins."""
        if self.model.simulated == "classical":
            return self.vectors(self.copies[0], "spins in the plane, out of it by colour")
        rng = np.random.default_rng(0)
        return self.vectors(at_rest(self.neighbours, self.couplings, rng)[0], "the same bonds, classical spins at rest")

    def sizes(self) -> core.Chart:
        """Orders against the inverse number of sites, by spin waves: what stays as the lattice grows?"""
        m = self.model
        sides = np.array([4, 6, 8])
        found = [m.orders(*m.nearest(), int(side), m.samples) for side in sides]
        inverse = 1.0 / sides**2
        names = {"overlap squared": 0, "staggered order": 1, "uniform order": 2}
        series = [core.Series(name, inverse, np.array([f[k] for f in found])) for name, k in names.items()]
        series.append(core.Series("independent spins, 1/N", inverse, inverse))
        times, run = self.series()
        for name in ("overlap_squared", "staggered_order"):
            values = run[name][len(times) // 2 :]
            error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
            series.append(core.Series(
                f"{name.replace('_', ' ')}, simulated", np.array([1 / self.side**2]), values.mean()[None], "points",
                np.array([error]),
            ))  # fmt: skip
        return core.Chart(
            tuple(series), core.Axis("1/N", low=0.0), core.Axis("squared order", low=0.0),
            caption="4 × 4 to 8 × 8 spins: what is no order falls to the line of independent spins",
        )  # fmt: skip

    def pictures(self) -> core.Album:
        return core.Album({"state": self.picture, "classical state": self.classical_state, "sizes": self.sizes})
