"""The triangular spring network itself: how it is put together, what it carries, and how it answers to a shear."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore import core
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.conjugate_gradients import relax_links, resolvent
from mfexplore.numerics.space.lattices import neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.matter.rigidity_emt import RigidityEmt  # noqa: F401  (the type of the model)

Array = NDArray[Any]

AREA = math.sqrt(3) / 2  # of a site
WHOLE = math.sqrt(3) / 4  # shear modulus of the whole lattice
DIRECTIONS = np.array([[1.0, 0.0], [0.5, -AREA], [-0.5, -AREA]])  # right, down, down and left: rows lean to the right
SHARES = np.linspace(0.02, 1.0, 50)  # of the sites or bonds in place, at which a growing network is looked at
FREQUENCIES = np.linspace(0.05, 3.0, 60)
MOST, UNBALANCED = 2500, 1e-6  # iterations; force that is left
SHOWN = 18  # sites along a side of the picture
CARRIES = 1e-6  # a modulus below it is that of a network that still moves


@kernel
def deposit(neighbours, occupied, contacts, attraction, sites, rng):
    """Fill this many random empty sites, each with the probability (1 - c)^(6 - filled neighbours) when it is tried.

    neighbours: int32 of shape (n, 6); occupied (int8) and contacts (filled neighbours of every site, int64) are
    overwritten.
    """
    while sites > 0:
        i = int(rng.random() * occupied.size)
        if occupied[i] == 0 and rng.random() < (1.0 - attraction) ** (6 - contacts[i]):
            occupied[i] = 1
            sites -= 1
            for k in range(6):
                contacts[neighbours[i, k]] += 1


class RigidityEmtSimulation(core.Simulation["RigidityEmt"]):
    """Sites are filled, or bonds put in, in random order; what the network carries is computed on the way."""

    time_unit = "per cent in place"
    step, relaxation, window = 2.0, 100.0, 0.0

    def prepare(self) -> None:
        m = self.model
        side = math.isqrt(m.size)
        self.neighbours = neighbourhood("triangular", side).table()
        here = np.arange(m.size)
        self.links = np.concatenate([np.stack([here, self.neighbours[:, k]], axis=1) for k in (0, 2, 4)]).astype(
            np.int32
        )
        self.directions = np.repeat(DIRECTIONS, m.size, axis=0)
        self.seats = m.size if m.network == "gel" else 3 * m.size
        self.placed, self.wanted = 0, round(m.share * self.seats)
        self.occupied = np.zeros(m.size, np.int8)
        self.contacts = np.zeros(m.size, np.int64)
        self.order = self.rng.permutation(3 * m.size)
        self.curve = np.full((2, len(SHARES)), np.nan)  # static modulus and contacts at SHARES
        self.relax()

    def evolve(self, duration: float) -> None:
        before, m = self.placed, self.model
        self.placed = min(self.wanted, round(self.seats * (self.time + duration) / 100))
        if m.network == "gel":
            deposit(self.neighbours, self.occupied, self.contacts, m.attraction, self.placed - before, self.rng)
        self.relax()
        if not self.finished or self.wanted == self.seats:
            place = round((self.time + duration) / self.step) - 1
            self.curve[:, min(place, len(SHARES) - 1)] = self.static, self.coordination

    @property
    def finished(self) -> bool:
        return self.placed == self.wanted

    @property
    def share(self) -> float:
        """Share of the sites or bonds that are in place."""
        return self.placed / self.seats

    def relax(self) -> None:
        """Let all forces come to balance under a unit shear."""
        m = self.model
        stiffness = np.full(3 * m.size, m.weak if m.network == "diluted" else 0.0)
        if m.network == "gel":
            stiffness[(self.occupied[self.links[:, 0]] & self.occupied[self.links[:, 1]]) == 1] = 1.0
        else:
            stiffness[self.order[: self.placed]] = 1.0
        self.strong = stiffness == 1.0
        self.present = stiffness > 0.0
        directions = (self.directions * np.sqrt(stiffness)[:, None])[self.present]
        links, pull = self.links[self.present], directions[:, 0] * self.directions[self.present, 1]
        u, coefficients = np.empty((m.size, 2)), np.empty((2, MOST))
        iterations, self.force = relax_links(links, directions, pull, UNBALANCED, coefficients, u)
        self.coefficients = coefficients[:, :iterations]
        self.tension = pull + np.sum(directions * (u[links[:, 1]] - u[links[:, 0]]), axis=1)
        self.affine = float(pull @ pull)
        modulus = float(self.tension @ self.tension) / (AREA * m.size)
        self.static = modulus if modulus > CARRIES else 0.0

    @property
    def coordination(self) -> float:
        """Mean number of (strong) bonds of a site that is there."""
        sites = self.placed if self.model.network == "gel" else self.model.size
        return 2 * float(self.strong.sum()) / max(sites, 1)

    def moduli(self, frequency: Array) -> Array:
        """The complex shear modulus at frequencies above 0, of the same shape."""
        square = (np.asarray(frequency) + 1j * self.model.damping) ** 2
        lost = resolvent(self.coefficients, self.force, square)
        return np.asarray((self.affine - lost) / (AREA * self.model.size))

    def observe(self) -> dict[str, float]:
        m = self.model
        modulus = complex(self.moduli(np.array(m.frequency))) if m.frequency > 0 else complex(self.static)
        grown = {"filling" if m.network == "gel" else "bonds": self.share}
        return {
            "shear_modulus": modulus.real,
            "loss_modulus": 0.0 - modulus.imag,
            "stiffness": abs(modulus) / WHOLE,
            "coordination": self.coordination,
        } | grown

    def profiles(self) -> dict[str, core.Measured]:
        modulus, contacts = self.curve
        found = self.moduli(FREQUENCIES)
        return {
            "static_modulus": core.Measured(SHARES, modulus),
            "contacts": core.Measured(SHARES, contacts),
            "modulus_by_contacts": core.Measured(SHARES, modulus),
            "storage_spectrum": core.Measured(FREQUENCIES, found.real),
            "loss_spectrum": core.Measured(FREQUENCIES, -found.imag),
        }

    def picture(self) -> core.Network:
        """A part of the network small enough to see its bonds: coloured by what they carry, sites by their contacts."""
        side = math.isqrt(self.model.size)
        row, column = np.divmod(np.arange(self.model.size), side)
        x, y = (column + 0.5 * row) % side, -AREA * row
        shown = (x < SHOWN) & (row < SHOWN)
        if self.model.network == "gel" and np.any(shown & (self.occupied == 1)):
            shown &= self.occupied == 1
        contacts = np.bincount(self.links[self.strong].ravel(), minlength=self.model.size)
        links, way = self.links[self.present], self.directions[self.present]
        whole = (shown[links] & self.strong[self.present][:, None]).all(axis=1)
        for place, along in zip((x, y), way.T, strict=True):  # not around the edges
            whole &= np.abs(place[links[:, 1]] - place[links[:, 0]] - along) < 0.1
        number = np.cumsum(shown) - 1
        return core.Network(
            x[shown], y[shown], number[links[whole]], contacts[shown].astype(float), 0.0, 6.0,
            "bonds by tension and compression under the shear, sites by their contacts (a part)",
            edge_colour=self.tension[whole],
        )  # fmt: skip
