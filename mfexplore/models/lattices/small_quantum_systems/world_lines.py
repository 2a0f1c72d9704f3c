"""Imaginary time as one more direction: each problem as a classical one whose sites have a past and a future.

The time from 0 to 1/T is cut into slices of length tau; what that costs, if anything, is of order tau squared. Every
kind of world lines updates itself, measures energy and squared order per site, and shows itself with time from left to
right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mfexplore.core import Array, Lattice
from mfexplore.families.lattice_spins.clusters import all_clusters, joining, root_of
from mfexplore.numerics.chance.random import advanced, new_stream, uniform
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.space.lattices import neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.lattices.small_quantum_systems import SmallQuantumSystems

SLICE = 0.05  # of imaginary time, in units of the inverse of the largest energy
FEWEST = 8  # slices


def slices(temperature: float, scale: float) -> int:
    """An even number of slices of the time 1/T. scale: the largest energy, or 1."""
    return max(FEWEST, 2 * math.ceil(max(scale, 1.0) / (2 * SLICE * temperature)))


class WorldLines(Protocol):
    """What the simulation asks of each kind."""

    def update(self) -> None: ...

    def measure(self) -> dict[str, float]: ...

    def picture(self) -> Lattice: ...


class IsingWorldLines:
    """Spins over site and time with different couplings along the two: an Ising model in the plane, by clusters."""

    def __init__(self, model: SmallQuantumSystems, rng: np.random.Generator) -> None:
        self.field = model.transverse_field
        count = slices(model.temperature, self.field)
        self.tau = 1 / (model.temperature * count)
        self.shape = model.size, count
        self.place = neighbourhood("square", self.shape)
        self.spins = np.ones(model.size * count, np.int8)
        self.forest = np.zeros((2, self.spins.size), np.int32)
        self.stream = new_stream(rng)
        along_time, along_chain = 1 - math.tanh(self.tau * self.field), -math.expm1(-2 * self.tau)
        self.joining = joining(np.array([along_time, along_time, along_chain, along_chain]))

    def update(self) -> None:
        all_clusters(self.spins, self.place.kinds, self.place.shifts, self.joining, 0.0, 1, self.forest, self.stream)

    def measure(self) -> dict[str, float]:
        spins = self.spins.reshape(self.shape)
        kinks = float(np.mean(spins != np.roll(spins, 1, axis=1)))
        neighbours = float(np.mean(np.multiply(spins, np.roll(spins, 1, axis=0), dtype=np.int8)))
        # The mean of sigma^x: tanh where a spin stays, 1/tanh where it turns
        x = math.tanh(self.tau * self.field)
        turned = kinks / x if x > 0 else 0.0
        energy = -neighbours - self.field * ((1 - kinks) * x + turned)
        return {"energy": energy, "squared_order": float(np.mean(np.mean(spins, axis=0) ** 2))}

    def picture(self) -> Lattice:
        return Lattice(self.spins.reshape(self.shape), -1, 1, "spins: site (up) and imaginary time (across)")


@kernel
def loops(spins, turning, parent, stream):
    """Cut the world lines of a Heisenberg ring into loops and turn each with probability 1/2 (Evertz et al. 1993).

    Args:
        spins: +-1, int8 of shape (times, sites), both even, overwritten; at even times the neighbours (0, 1), (2, 3),
            ... act on each other, at odd times the others.
        turning: tanh(tau/2), with which two opposite spins that stay are joined to each other, not to their futures.
        parent: scratch, int32 of shape (times * sites,).
    """
    times, sites = spins.shape
    flat = spins.ravel()
    position, size = stream[0], parent.size
    for site in range(size):
        parent[site] = site
    for time in range(times):
        here, later = time * sites, (time + 1) % times * sites
        for i in range(time % 2, sites, 2):
            j = (i + 1) % sites
            a, b, c, d = here + i, here + j, later + i, later + j
            if flat[a] != flat[b] and (flat[a] != flat[c] or uniform(position, a) < turning):
                b, c = c, b
            for k in range(2):
                x, y = root_of(parent, b if k else a), root_of(parent, d if k else c)
                parent[max(x, y)] = min(x, y)
    for site in range(size):
        if uniform(position, size + root_of(parent, site)) < 0.5:
            flat[site] = -flat[site]
    stream[0] = advanced(position, 2 * size)


class RingWorldLines:
    """World lines of the ring on a chequered board, by loops."""

    def __init__(self, model: SmallQuantumSystems, rng: np.random.Generator) -> None:
        sites = 2 * model.spin_pairs
        count = slices(model.temperature, 1.0)
        self.turning = math.tanh(0.5 / (model.temperature * count))
        self.signs = (1 - 2 * (np.arange(sites) % 2)).astype(np.int8)
        self.spins = np.tile(self.signs, (2 * count, 1))
        self.parent = np.zeros(self.spins.size, np.int32)
        self.stream = new_stream(rng)

    def update(self) -> None:
        loops(self.spins, self.turning, self.parent, self.stream)

    def measure(self) -> dict[str, float]:
        energy = 0.0
        for start in (0, 1):  # minus the logarithmic derivative of the weights of the three kinds of plaquettes
            now, later = (np.roll(self.spins, (-k, -start), axis=(0, 1))[start::2] for k in (0, 1))
            opposite = float(np.mean(now[:, ::2] != now[:, 1::2]))
            trading = float(np.mean(now[:, ::2] != later[:, ::2]))
            energy += 0.25 - 0.5 * (opposite + (opposite - trading) * self.turning + trading / self.turning)
        order = float(np.mean(np.mean(self.spins * self.signs, axis=1) ** 2))
        return {"energy": energy / 2, "squared_order": 3 * order}

    def picture(self) -> Lattice:
        staggered = (self.spins * self.signs)[::2].T
        return Lattice(staggered, -1, 1, "spins, every second turned over: site (up) and imaginary time (across)")


class DimerWorldLines:
    """Paths through the sixteen states of the dimer, each drawn anew: from slice to slice, given where it has to end.
    The slices cost nothing here, because all that can happen within one is in the matrix that leads to the next.
    """

    PER_TIME = 10  # slices per unit of time

    def __init__(self, model: SmallQuantumSystems, rng: np.random.Generator) -> None:
        self.rng = rng
        self.occupied = np.arange(16)[:, None] >> np.arange(4) & 1  # up on site 0, up on 1, down on 0, down on 1
        up, down = self.occupied[:, :2], self.occupied[:, 2:]
        self.double, self.moment = np.mean(up * down, axis=1), up - down
        states = np.arange(16)
        hamiltonian = np.diag(model.repulsion * (np.sum((up - 0.5) * (down - 0.5), axis=1) + 0.5))
        for low in (0, 2):
            hops = states[self.occupied[:, low] != self.occupied[:, low + 1]]
            hamiltonian[hops, hops ^ (3 << low)] -= 1.0
        count = max(FEWEST, math.ceil(self.PER_TIME / model.temperature))
        levels, vectors = np.linalg.eigh(hamiltonian)
        decay = np.exp(-np.multiply.outer(np.arange(count + 1), levels - levels[0]) / (model.temperature * count))
        self.ahead = np.maximum((vectors * decay[:, None]) @ vectors.T, 0)  # e^(-k tau H), k = 0..count
        # H e^(-tau H) over e^(-tau H): its mean along a path is the energy
        slope = (vectors * (decay[1] * levels)) @ vectors.T
        self.energy = np.divide(slope, self.ahead[1], out=np.zeros_like(slope), where=self.ahead[1] > 1e-14)
        self.update()

    def update(self) -> None:
        ahead, chances = self.ahead, self.rng.random(len(self.ahead) - 1)

        def pick(weights: Array, chance: float) -> int:
            total = np.cumsum(weights)
            return min(int(np.searchsorted(total, chance * total[-1], side="right")), 15)

        path = [pick(np.diag(ahead[-1]), chances[0])]
        for k, chance in enumerate(chances[1:], 1):
            path.append(pick(ahead[1][path[-1]] * ahead[len(chances) - k][:, path[0]], chance))
        self.path = np.array(path)

    def measure(self) -> dict[str, float]:
        path, moment = self.path, self.moment[self.path]
        return {
            "energy": float(np.mean(self.energy[path, np.roll(path, -1)])) / 2,
            "squared_order": float(np.mean((moment[:, 0] - moment[:, 1]) ** 2)) / 4,
            "double_occupancy": float(np.mean(self.double[path])),
        }

    def picture(self) -> Lattice:
        tall = np.repeat(self.moment[self.path].T % 3, max(1, len(self.path) // 6), axis=0)
        return Lattice(
            tall, 0, 2, "spin of each of the two sites (up) and imaginary time (across)",
            states=("empty or double", "up", "down"),
        )  # fmt: skip


KINDS: dict[str, type[IsingWorldLines] | type[RingWorldLines] | type[DimerWorldLines]] = {
    "ising_chain": IsingWorldLines,
    "heisenberg_ring": RingWorldLines,
    "hubbard_dimer": DimerWorldLines,
}
