"""People at random places, or a real network; the links between them; and the disease that runs along the links."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.crowds import crowd_of, join, leave
from mfexplore.families.rasters import Raster
from mfexplore.families.sparse_graphs.graphs import links
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.collective.spatial_network_sir import SpatialNetworkSIR

SUSCEPTIBLE, INFECTED, RECOVERED = 0, 1, 2
DRAWN = np.array([0.0, 2.0, 1.0])  # place of susceptible, infected and recovered in the order they are drawn in
STATES = ("susceptible", "recovered", "infected")
SQUARE_PEOPLE = 4.0  # mean number of people in a square of the grid that finds partners
AT_ONCE = 1e6  # pairs
RASTER = 160  # cells of the picture across, and rows of time on a line


class Contacts(NamedTuple):
    """Links by person: those of person i are `partner[first[i]:first[i + 1]]`; nobody has more than `highest`."""

    first: Array
    partner: Array
    highest: int


@kernel
def spread(state, contacts, carriers, count, rate, recovery, duration, rng):
    """SIR by direct events, O(1) each. `state` and the crowd `carriers` are overwritten.

    An event of a random carrier is accepted with its share of the highest total rate. Returns (count, newly infected).
    """
    time = 0.0
    infections = 0
    ceiling = recovery + rate * contacts.highest
    while count > 0:
        time -= math.log(1.0 - rng.random()) / (count * ceiling)
        if time > duration:
            break
        k = int(rng.random() * count)
        i = carriers.members[k]
        pick = rng.random() * ceiling
        if pick < recovery:
            state[i] = RECOVERED
            count = leave(carriers, k, count)
        else:
            link = int((pick - recovery) / rate)
            if link < contacts.first[i + 1] - contacts.first[i]:
                j = contacts.partner[contacts.first[i] + link]
                if state[j] == SUSCEPTIBLE:
                    state[j] = INFECTED
                    count = join(carriers, j, count)
                    infections += 1
    return count, infections


@cache
def real_network(name: str) -> tuple[Array, Array]:
    """(links of shape (m, 2), positions of shape (n, 2) in the unit square) of a network shipped with networkx."""
    import networkx as nx

    graph = {"karate club": nx.karate_club_graph, "les miserables": nx.les_miserables_graph}[name]()
    nodes = list(graph)
    index = {node: k for k, node in enumerate(nodes)}
    pairs = np.array([(index[a], index[b]) for a, b in graph.edges], np.int32)
    layout = nx.spring_layout(graph, seed=1)
    places = np.array([layout[node] for node in nodes])
    return pairs, (places - places.min(axis=0)) / np.ptp(places, axis=0)


def kernel_shape(model: SpatialNetworkSIR, r: Array) -> Array:
    """The kernel f(r) up to its normalisation."""
    x = r / model.length
    if model.kernel == "power":
        return np.asarray((1 + x * x) ** (-(model.dimension + model.tail) / 2))
    return np.asarray(np.exp(-0.5 * x * x if model.kernel == "gaussian" else -x))


def kernel_norm(model: SpatialNetworkSIR, side: float) -> float:
    """The integral of that over a periodic box, so that the mean degree is right in it."""
    x = np.append(0.0, np.geomspace(1e-3 * model.length, side / 2, 800))  # dense where the kernel bends
    if model.dimension == 1:
        return float(2 * np.trapezoid(kernel_shape(model, x), x))
    return float(4 * np.trapezoid(np.trapezoid(kernel_shape(model, np.hypot(x[:, None], x)), x), x))


def drawn_links(model: SpatialNetworkSIR, places: Array, side: float, rng: np.random.Generator) -> Array:
    """Links of people at random places, shape (links, 2), by thinning: so many pairs from squares so far apart as if
    everybody was as near as they can be, and every square as full as the fullest; of these too many some are kept.

    places: shape (dimension, people), in a periodic box.
    """
    d, n = places.shape
    columns = max(1, int(side / SQUARE_PEOPLE ** (1 / d)))
    grid, width = (columns,) * d, side / columns
    square = np.minimum(places // width, columns - 1).astype(np.int64)
    number = np.ravel_multi_index(tuple(square), grid)
    people = np.argsort(number, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=columns**d))])
    crowd = int(np.diff(start).max())
    away = np.minimum(np.arange(columns), columns - np.arange(columns))
    gap = np.maximum(away - 1, 0) * width
    bound = kernel_shape(model, np.hypot(gap[:, None], gap) if d == 2 else gap).ravel()
    expected = 0.5 * model.mean_degree * n * crowd * bound / kernel_norm(model, side)
    rounds = 1 + int(expected.sum() / AT_ONCE)
    found = []
    for _ in range(rounds):
        k = np.repeat(np.arange(bound.size), rng.poisson(expected / rounds))
        i = rng.integers(n, size=k.size)
        there = np.ravel_multi_index(tuple((square[:, i] + np.unravel_index(k, grid)) % columns), grid)
        chosen = start[there] + rng.integers(crowd, size=k.size)
        real = np.flatnonzero(chosen < start[there + 1])
        i, j = i[real], people[chosen[real]]
        apart = np.abs(places[:, i] - places[:, j])
        near = kernel_shape(model, np.hypot.reduce(np.minimum(apart, side - apart), axis=0))
        linked = (i != j) & (rng.random(i.size) * bound[k[real]] < near)
        i, j = i[linked], j[linked]
        found.append(np.stack([i, np.where(rng.random(i.size) < model.long_range, rng.integers(n, size=i.size), j)]))
    return np.concatenate(found, axis=1).T


class SpatialNetworkSimulation(core.Simulation["SpatialNetworkSIR"]):
    """Event-driven SIR from a small patch of infected people, until nobody is infected."""

    time_unit = "time units"
    step = 0.25
    relaxation, window = 400.0, 0.0

    def prepare(self) -> None:
        m = self.model
        spatial = m.network == "spatial"
        if spatial:
            self.side = m.size ** (1 / m.dimension)
            places = self.rng.random((m.dimension, m.size)) * self.side
            self.links = drawn_links(m, places, self.side, self.rng)
            self.x, self.y = places if m.dimension == 2 else (*places, np.zeros(m.size))
        else:
            self.links, places = real_network(m.network)
            self.side, (self.x, self.y) = 1.0, places.T
        seen = links(self.links, self.x.size)
        self.contacts = Contacts(seen.starts, seen.neighbours, max(1, int(seen.degrees.max())))
        height = self.y - self.side / 2 if m.dimension == 2 else 0.0
        # On a real network the best connected people fall ill first.
        self.distance = np.hypot(self.x - self.side / 2, height) if spatial else -seen.degrees.astype(float)
        patients = np.argsort(self.distance, kind="stable")[: m.patients]
        self.state = np.zeros(self.x.size, np.int8)
        self.state[patients] = INFECTED
        self.carriers, self.count = crowd_of(patients, self.x.size)
        self.ever = self.count
        self.marks: list[tuple[float, float]] = []
        self.across = False  # whether the front has come so far that what is later is no front
        self.raster = Raster(RASTER, RASTER)

    def evolve(self, duration: float) -> None:
        m = self.model
        self.count, infections = spread(
            self.state, self.contacts, self.carriers, self.count, m.transmission, m.recovery, duration, self.rng
        )
        self.ever += infections
        ill = self.distance[self.carriers.members[: self.count]]
        front = float(np.quantile(ill, 0.9)) if self.count else 0.0
        self.across |= front >= 0.4 * self.side
        if not self.across and front > 0.1 * self.side:
            self.marks.append((self.time + duration, front))
        if m.dimension == 1:
            self.raster.add(self._where_they_live(1, RASTER)[0])

    @property
    def finished(self) -> bool:
        return self.count == 0

    def observe(self) -> dict[str, float]:
        n = self.state.size
        speed = 0.0
        if len(self.marks) >= 3:
            times, fronts = np.array(self.marks).T
            speed = float(np.polyfit(times, fronts, 1)[0])
        return {"final_size": self.ever / n, "infected": self.count / n, "speed": speed}

    def _where_they_live(self, rows: int, columns: int) -> Array:
        """The state that is drawn last in every cell of the picture, shape (rows, columns)."""
        row, column = (
            np.minimum((x / self.side * n).astype(np.int64), n - 1) for x, n in ((self.y, rows), (self.x, columns))
        )
        cells = np.zeros((rows, columns))
        np.maximum.at(cells, (row, column), DRAWN[self.state])
        return cells

    def picture(self) -> core.Picture:
        m = self.model
        if m.network != "spatial":
            return core.Network(self.x, self.y, self.links, DRAWN[self.state], 0.0, 2.0, "who knows whom", STATES)
        if m.dimension == 1:
            caption = "the line across, time down"
            return core.Lattice(self.raster.values.copy(), 0, 2, caption, False, STATES, "still to come")
        side = min(RASTER, max(8, int(self.side)))
        caption = "the people where they live"
        return core.Lattice(self._where_they_live(side, side), 0, 2, caption, signed=False, states=STATES)
