"""Bosons site by site: on a square lattice with a quasi-periodic potential, or on an eightfold tiling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore import core
from mfexplore.families.sparse_graphs.graphs import Links, links
from mfexplore.models.lattices.bose_quasicrystal.site import ORDERED, STATES, ground_state, susceptibility
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import eigsh, later
from mfexplore.numerics.space.lattices import neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.lattices.bose_quasicrystal import BoseQuasicrystal  # noqa: F401  (the type of the model)

Array = NDArray[Any]

COORDINATION = 4  # of the square lattice, and on average of the tiling
GOLDEN = 0.6180339887498949
BINS = 24  # of the potential
APOTHEM = (1 + math.sqrt(2)) / 2  # of the window of the tiling, and its sites per unit area

coo_array = later("scipy.sparse", "coo_array")
connected_components = later("scipy.sparse.csgraph", "connected_components")


@kernel
def sweep(starts, neighbours, hopping, local, state):
    """Every site in turn takes its ground state in the field of its neighbours; returns the largest change of order.

    hopping: J, per link; local: mu - V of shape (n,); state: order, density and <n^2> of all sites, shape (3, n),
    overwritten.
    """
    amplitudes = np.empty(STATES)
    largest = 0.0
    for i in range(local.size):
        field = 0.0
        for end in range(starts[i], starts[i + 1]):
            field += state[0, neighbours[end]]
        before = state[0, i]
        state[0, i], state[1, i], state[2, i] = ground_state(local[i], hopping * field, amplitudes)
        largest = max(largest, abs(state[0, i] - before))
    return largest


def square_lattice(side: int) -> tuple[Array, Array]:
    """Links of shape (2 side^2, 2) and places of shape (side^2, 2) of a periodic square."""
    table = neighbourhood("square", side).table()
    here = np.arange(side * side)
    row, column = np.divmod(here, side)
    pairs = np.concatenate([np.stack([here, table[:, k]], axis=1) for k in (0, 2)])
    return pairs, np.stack([column, row], axis=1).astype(float)


def eightfold_tiling(sites: int, shift: Array) -> tuple[Array, Array]:
    """Links and places of about so many sites of the tiling of Ammann and Beenker, in a disc around 0.

    Its sites are those points of the lattice of whole numbers in four dimensions whose projection on the other plane
    lies in an octagon; shift: of the octagon, shape (2,), small.
    """
    turn = np.pi / 4 * np.arange(4)
    along, across = (np.stack([np.cos(a), np.sin(a)]) for a in (turn, 3 * turn))
    normal = np.stack([-np.sin(3 * turn), np.cos(3 * turn)])
    radius = math.sqrt(sites / (math.pi * APOTHEM))
    steps = np.concatenate([np.eye(4, dtype=int), -np.eye(4, dtype=int)])
    found = {(0, 0, 0, 0): 0}
    newest = np.zeros((1, 4), int)
    while len(newest):
        near = (newest[:, None] + steps).reshape(-1, 4)
        inside = (np.abs((near @ across.T - shift) @ normal) < APOTHEM).all(axis=1)
        inside &= np.hypot(*(near @ along.T).T) <= radius
        fresh = [one for one in dict.fromkeys(map(tuple, near[inside].tolist())) if one not in found]
        found |= {one: len(found) + k for k, one in enumerate(fresh)}
        newest = np.array(fresh, int).reshape(-1, 4)
    points = np.array(list(found))
    pairs = [
        (here, found[there])
        for one, here in found.items()
        for k in range(4)
        if (there := (*one[:k], one[k] + 1, *one[k + 1 :])) in found
    ]
    return np.array(pairs), points @ along.T


def quasi_periodic(places: Array, wave: float, phases: Array) -> Array:
    """(cos + cos)/2 of two plane waves along the diagonals, `wave` periods per site along each axis; shape (n,)."""
    x, y = places.T
    return 0.5 * (np.cos(2 * np.pi * wave * (x + y) + phases[0]) + np.cos(2 * np.pi * wave * (x - y) + phases[1]))


def onset_on_lattice(pairs: Array, local: Array) -> float:
    """ZJ at which the first order appears anywhere: where the largest eigenvalue of J sqrt(chi) A sqrt(chi) is one."""
    response = np.sqrt(susceptibility(local))
    a, b = np.concatenate([pairs, pairs[:, ::-1]]).T
    matrix = coo_array((response[a] * response[b], (a, b)), shape=(len(local),) * 2).tocsr()
    return float(COORDINATION / eigsh(matrix, k=1, which="LA", v0=np.ones(len(local)), return_eigenvectors=False)[0])


class BoseQuasicrystalSimulation(core.Simulation["BoseQuasicrystal"]):
    """Gutzwiller's state site by site, until no site would change; phases of the potential are drawn."""

    relaxation, window = 400.0, 0.0

    def prepare(self) -> None:
        m = self.model
        phases = self.rng.uniform(0, 2 * np.pi, 2)
        if m.lattice == "square":
            side = math.isqrt(m.size)
            self.pairs, self.places = square_lattice(side)
            wave = round(GOLDEN * side) / side
        else:
            self.pairs, self.places = eightfold_tiling(m.size, self.rng.uniform(-1e-3, 1e-3, 2))
            wave = GOLDEN
        n = len(self.places)
        self.shape = (
            self.rng.uniform(-0.5, 0.5, n) if m.potential == "box" else quasi_periodic(self.places, wave, phases)
        )
        self.links: Links = links(self.pairs, n)
        self.state = np.zeros((3, n))
        self.state[0] = 0.1 * self.rng.uniform(0.5, 1.0, n)
        self.change = 1.0
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.local = m.chemical_potential - m.amplitude * self.shape
        self.state[0] = np.maximum(self.state[0], 1e-3)  # what has lost its order can find it again
        self.change = 1.0

    def evolve(self, duration: float) -> None:
        hopping = self.model.hopping / COORDINATION
        self.change = sweep(self.links.starts, self.links.neighbours, hopping, self.local, self.state)

    @property
    def finished(self) -> bool:
        return self.change < 1e-9

    def observe(self) -> dict[str, float]:
        order, density, square = self.state
        on = order > ORDERED
        a, b = self.pairs[on[self.pairs].all(axis=1)].T
        connected = 0.0
        if on.any():
            graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(on),) * 2)
            label = connected_components(graph, directed=False)[1][on]
            connected = float(np.bincount(label).max()) / len(on)
        return {
            "order": float(order.mean()),
            "density": float(density.mean()),
            "number_variance": float(np.mean(square - density**2)),
            "ordered_sites": float(np.mean(on)),
            "connected": connected,
        }

    def profiles(self) -> dict[str, core.Measured]:
        depth = self.model.amplitude * self.shape
        edges = np.linspace(depth.min() - 1e-6, depth.max() + 1e-6, BINS + 1)
        number = np.clip(np.digitize(depth, edges) - 1, 0, BINS - 1)
        count = np.bincount(number, minlength=BINS)
        found = {}
        for name, values in (("order_by_potential", self.state[0]), ("density_by_potential", self.state[1])):
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = np.bincount(number, values, BINS) / count
                square = np.bincount(number, values**2, BINS) / count
                error = np.sqrt(np.maximum(square - mean**2, 0) / count)
            found[name] = core.Measured(0.5 * (edges[1:] + edges[:-1]), mean, error)
        return found

    def pictures(self) -> core.Album:
        return core.Album({"order": self.picture, "particles": self._density, "potential": self._potential})

    def picture(self) -> core.Picture:
        most = math.ceil(10 * float(self.state[0].max())) / 10
        return self._map(self.state[0], max(0.2, most), "superfluid order of every site")

    def _density(self) -> core.Picture:
        return self._map(self.state[1], max(2.0, math.ceil(self.state[1].max())), "particles on every site")

    def _potential(self) -> core.Picture:
        return self._map(self.model.amplitude * self.shape, max(self.model.amplitude, 0.01), "potential", signed=True)

    def _map(self, values: Array, high: float, caption: str, signed: bool = False) -> core.Picture:
        low = -high if signed else 0.0
        if self.model.lattice == "square":
            side = math.isqrt(len(values))
            return core.Lattice(values.reshape(side, side), low, high, caption, signed)
        return core.Network(self.places[:, 0], self.places[:, 1], self.pairs, values.copy(), low, high, caption)
