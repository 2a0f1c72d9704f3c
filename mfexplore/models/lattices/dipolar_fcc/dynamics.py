"""Two families of copies of one sample on a ladder of temperatures; every dipole feels all others and their images."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.tempering import exchange
from mfexplore.families.vector_spins import random_directions
from mfexplore.models.lattices.dipolar_fcc import theory
from mfexplore.numerics.chance.random import advanced, new_stream, normal_pair, uniform
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.space import ewald
from mfexplore.numerics.space.lattices import CRYSTALS

if TYPE_CHECKING:
    from mfexplore.models.lattices.dipolar_fcc import DipolarFcc  # noqa: F401 (what it simulates)

LEVELS = 10
HOTTEST = 1.5  # of the ladder
FAMILIES = 2  # independent, so that their overlap can be taken


@cache
def box(cells: int) -> tuple[Array, Array]:
    """(sites in half cells, shape (n, 3); D between all of them, shape (n, n, 3, 3)), nearest neighbours at 1."""
    steps = np.array(list(itertools.product(range(cells), repeat=3)))
    sites = (2 * steps[:, None] + np.array(CRYSTALS["fcc"].basis)).reshape(-1, 3)
    ends = 2 * cells
    apart = (sites[:, None] - sites) % ends
    number = (apart[..., 0] * ends + apart[..., 1]) * ends + apart[..., 2]
    kinds, which = np.unique(number, return_inverse=True)
    differences = np.stack([kinds // ends**2, kinds // ends % ends, kinds % ends], axis=1) * theory.CUBE / 2
    found = ewald.in_box(differences, cells * theory.CUBE)
    return sites, np.ascontiguousarray(found[which.reshape(number.shape)])


class Sample(NamedTuple):
    """What all copies share. interactions: D, shape (n, n, 3, 3); axes: unit vectors, shape (n, 3)."""

    interactions: Any
    axes: Any
    anisotropy: float


@kernel
def fields_of(dipoles, sample, fields):
    """The field -sum_j D_ij mu_j at every site, into `fields`; returns the energy with that of the axes."""
    n = len(dipoles)
    energy = 0.0
    for i in range(n):
        for a in range(3):
            total = 0.0
            for j in range(n):
                for b in range(3):
                    total -= sample.interactions[i, j, a, b] * dipoles[j, b]
            fields[i, a] = total
        along = 0.0
        for a in range(3):
            energy -= 0.5 * fields[i, a] * dipoles[i, a]
            along += sample.axes[i, a] * dipoles[i, a]
        energy -= sample.anisotropy * along * along
    return energy


@kernel
def sweep(dipoles, fields, sample, temperature, width, stream):
    """Every dipole is offered a small turn, and then a reflection that turns its part along the axis around.

    Both by Metropolis' rule, O(1) if refused and O(n) if accepted, because the fields of all others are then brought up
    to date. Returns the change of the energy.
    """
    n = len(dipoles)
    position = stream[0]
    change = 0.0
    turn = np.empty(3)
    for i in range(n):
        for kind in range(2):
            word = 4 * (2 * i + kind)
            old_along = 0.0
            for a in range(3):
                old_along += sample.axes[i, a] * dipoles[i, a]
            if kind == 0:
                first, second = normal_pair(position, word // 2)
                third, _ = normal_pair(position, word // 2 + 1)
                turn[0], turn[1], turn[2] = first, second, third
                norm = 0.0
                for a in range(3):
                    turn[a] = dipoles[i, a] + width * turn[a]
                    norm += turn[a] * turn[a]
                for a in range(3):
                    turn[a] = turn[a] / math.sqrt(norm) - dipoles[i, a]
            else:
                for a in range(3):
                    turn[a] = -2.0 * old_along * sample.axes[i, a]
            gain = new_along = own = 0.0
            for a in range(3):
                gain += fields[i, a] * turn[a]
                new_along += sample.axes[i, a] * (dipoles[i, a] + turn[a])
                for b in range(3):
                    own += turn[a] * sample.interactions[i, i, a, b] * turn[b]
            loss = 0.5 * own - gain - sample.anisotropy * (new_along * new_along - old_along * old_along)
            if loss > 0.0 and uniform(position, 8 * n + 2 * i + kind) >= math.exp(-loss / temperature):
                continue
            change += loss
            for a in range(3):
                dipoles[i, a] += turn[a]
            for j in range(n):
                for a in range(3):
                    total = 0.0
                    for b in range(3):
                        total += sample.interactions[j, i, a, b] * turn[b]
                    fields[j, a] -= total
    stream[0] = advanced(position, 10 * n)
    return change


class DipoleSimulation(core.Simulation["DipolarFcc"]):
    """Copies of one sample, at the temperature that was asked for and at higher ones."""

    relaxation, window = 300.0, 300.0

    def prepare(self) -> None:
        m = self.model
        self.sites, interactions = box(m.cells)
        n = len(self.sites)
        self.sample = Sample(interactions, random_directions(n, self.rng), m.anisotropy)
        copies = FAMILIES * LEVELS
        self.dipoles = np.stack([random_directions(n, self.rng) for _ in range(copies)])
        if m.start == "aligned":
            self.dipoles[:] = (0.0, 0.0, 1.0)
        self.fields = np.empty_like(self.dipoles)
        self.energies = np.empty(copies)
        self.holders = np.arange(copies).reshape(FAMILIES, LEVELS) % LEVELS
        self.rates = np.full((FAMILIES, LEVELS - 1), 0.5)
        self.stream = new_stream(self.rng)
        self.odd = 0
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.ladder = np.geomspace(m.temperature, max(HOTTEST, 1.02 * m.temperature), LEVELS)
        self.sample = self.sample._replace(anisotropy=m.anisotropy)
        for k in range(len(self.dipoles)):
            self.energies[k] = fields_of(self.dipoles[k], self.sample, self.fields[k])
        self.sums, self.seen = np.zeros((3, LEVELS)), 0

    def evolve(self, duration: float) -> None:
        m = self.model
        for _ in range(round(duration)):
            for family, holder in enumerate(self.holders):
                mine = slice(family * LEVELS, (family + 1) * LEVELS)
                for level, copy in enumerate(holder):
                    k = family * LEVELS + int(copy)
                    t = float(self.ladder[level])
                    width = 1.2 * math.sqrt(t / (2 * m.anisotropy + 4 + t))
                    self.energies[k] += sweep(self.dipoles[k], self.fields[k], self.sample, t, width, self.stream)
                exchange(self.energies[mine], self.ladder, holder, self.odd, self.stream, self.rates[family])
            self.odd = 1 - self.odd
            at = self._at_all_levels()
            self.sums += at[0], at[0] ** 2, at[1]
            self.seen += 1

    def _at_all_levels(self) -> tuple[Array, Array]:
        """(magnetization of the first family, overlap of both), each of shape (LEVELS,)."""
        one, other = self.dipoles[self.holders[0]], self.dipoles[LEVELS + self.holders[1]]
        tensor = np.einsum("lia,lib->lab", one, other) / len(self.sites)
        return np.linalg.norm(one.mean(axis=1), axis=1), np.linalg.norm(tensor, axis=(1, 2))

    @property
    def coldest(self) -> Array:
        """The dipoles at the temperature asked for, of the first family."""
        found: Array = self.dipoles[self.holders[0, 0]]
        return found

    def observe(self) -> dict[str, float]:
        mine = self.coldest
        tensor = mine.T @ self.dipoles[LEVELS + self.holders[1, 0]] / len(mine)
        along = np.einsum("ia,ia->i", mine, self.sample.axes)
        return {
            "magnetization": float(np.linalg.norm(mine.mean(axis=0))),
            "energy": float(self.energies[self.holders[0, 0]] / len(mine)),
            "axis_alignment": float(np.mean(along**2)),
            "overlap": float(np.linalg.norm(tensor)),
            "nematic": float(np.linalg.eigvalsh(1.5 * mine.T @ mine / len(mine) - 0.5 * np.eye(3))[-1]),
            "squared_magnetization": float((mine.mean(axis=0) ** 2).sum()),
            "fourth_magnetization": float((mine.mean(axis=0) ** 2).sum() ** 2),
        }

    def picture(self) -> core.Picture:
        return self._layers()

    def pictures(self) -> core.Album:
        return core.Album({"dipoles": self._layers, "all temperatures": self._ladder})

    def _layers(self) -> core.Field:
        """Two neighbouring layers, which together fill a square grid; colour is the third component."""
        ends = 2 * self.model.cells
        layers = self.sites[:, 0] < 2
        row, column, mine = self.sites[layers, 1], self.sites[layers, 2], self.coldest[layers]
        values = np.zeros((ends, ends))
        values[row, column] = mine[:, 2]
        arrows = core.Arrows(column.astype(float), row.astype(float), 0.8 * mine[:, 0], 0.8 * mine[:, 1])
        axis = core.Axis("half cells")
        return core.Field(
            values, (-0.5, ends - 0.5, -0.5, ends - 0.5), axis, axis, -1.0, 1.0, signed=True, arrows=arrows,
            caption="two layers from above; colour: component towards you",
        )  # fmt: skip

    def _ladder(self) -> core.Chart:
        """Theory brackets, at all temperatures of the ladder."""
        m, t = self.model, np.linspace(0.1, 2.2, 85)
        bounds = [core.Series("mean field", t, theory.magnetization(t, np.full(t.size, m.anisotropy))[0])]
        if m.anisotropy == 0:
            critical = theory.spherical_temperature()
            bounds.append(core.Series("spherical model", t, np.sqrt(np.maximum(1 - t / critical, 0))))
        seen = max(self.seen, 1)
        mean = self.sums[0] / seen
        measured = (
            core.Series("magnetization", self.ladder, mean, "points"),
            core.Series("overlap of two copies", self.ladder, self.sums[2] / seen, "points"),
        )
        caption = f"mean of {self.seen} sweeps, {len(self.sites)} dipoles"
        return core.Chart(
            (*bounds, *measured), core.Axis("temperature", low=0), core.Axis("order", low=0, high=1.05), caption=caption
        )
