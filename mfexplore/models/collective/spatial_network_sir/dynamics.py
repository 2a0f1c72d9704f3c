"""People at random places, or a real network; the links between them; and the disease that runs along the links."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.interrupts import Uninterrupted
from mfexplore.families.crowds import crowd_of, join, leave
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.collective.spatial_network_sir import SpatialNetworkSIR  # noqa: F401  (the type of the model)

SUSCEPTIBLE, INFECTED, RECOVERED = 0, 1, 2
DRAWN = np.array([0.0, 2.0, 1.0])  # place of susceptible, infected and recovered in the order they are drawn in
STATES = ("susceptible", "recovered", "infected")
CELL_PEOPLE = 4.0  # mean number of people in a cell of the grid that finds partners
RASTER = 160  # cells of the picture across, and rows of time on a line


@kernel
def kernel_shape(r, kind, length, tail, dimension):
    """f(r) up to its normalisation."""
    if kind == 0:
        return math.exp(-0.5 * (r / length) ** 2)
    if kind == 1:
        return math.exp(-r / length)
    return (1.0 + (r / length) ** 2) ** (-0.5 * (dimension + tail))


@kernel
def kernel_shapes(radius, shape, out):
    """The same at every radius, 1-d arrays; shape as in `draw_links`."""
    for k in range(radius.size):
        out[k] = kernel_shape(radius[k], int(shape[0]), shape[1], shape[2], shape[3])


class Cells(NamedTuple):
    """People sorted into squares of a width: those of square c are `people[start[c]:start[c + 1]]`."""

    start: Array
    people: Array
    columns: int
    rows: int
    width: float


class Bounds(NamedTuple):
    """Upper bound of the kernel for every displacement of squares, with Walker's table of it."""

    bound: Array
    alias: Array
    cut: Array


@kernel
def draw_links(x, y, cells, bounds, candidates, shape, long_range, rng):
    """Links by thinning: a partner's cell from a table of upper bounds, a person in it, then accept by the true kernel.

    Args:
        x, y: positions.
        candidates: how many pairs to try.
        shape: (kind, length, tail, dimension) of the kernel.

    Returns:
        int32 array of shape (links, 2).
    """
    n = x.size
    crowd = 1
    for c in range(cells.columns * cells.rows):
        crowd = max(crowd, cells.start[c + 1] - cells.start[c])
    links = np.empty((candidates, 2), np.int32)
    found = 0
    tall = cells.rows * cells.width
    wide = cells.columns * cells.width
    for _ in range(candidates):
        i = int(rng.random() * n)
        pick = rng.random() * bounds.bound.size
        k = int(pick)
        if pick - k >= bounds.cut[k]:
            k = bounds.alias[k]
        column = (int(x[i] / cells.width) + k % cells.columns) % cells.columns
        row = (int(y[i] / cells.width) + k // cells.columns) % cells.rows
        c = row * cells.columns + column
        here = cells.start[c + 1] - cells.start[c]
        chosen = int(rng.random() * crowd)  # a cell with fewer people than the fullest is refused more often
        if chosen >= here:
            continue
        j = cells.people[cells.start[c] + chosen]
        if j == i:
            continue
        dx, dy = abs(x[i] - x[j]), abs(y[i] - y[j])
        dx, dy = min(dx, wide - dx), min(dy, tall - dy) if cells.rows > 1 else 0.0
        f = kernel_shape(math.sqrt(dx * dx + dy * dy), int(shape[0]), shape[1], shape[2], shape[3])
        if rng.random() * bounds.bound[k] < f:
            if rng.random() < long_range:
                j = int(rng.random() * n)
            links[found, 0], links[found, 1] = i, j
            found += 1
    return links[:found].copy()


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


def walker_table(weights: Array) -> tuple[Array, Array]:
    """Alias and cut of Walker's method (Vose 1991): a random index with probability proportional to its weight."""
    scaled = weights * (weights.size / weights.sum())
    alias, cut = np.arange(weights.size), np.ones(weights.size)
    small, large = list(np.flatnonzero(scaled < 1)), list(np.flatnonzero(scaled >= 1))
    while small and large:
        low, high = small.pop(), large[-1]
        alias[low], cut[low] = high, scaled[low]
        scaled[high] -= 1 - scaled[low]
        if scaled[high] < 1:
            small.append(large.pop())
    return alias, cut


@cache
def real_network(name: str) -> tuple[Array, Array]:
    """(links of shape (m, 2), positions of shape (n, 2) in the unit square) of a network shipped with networkx."""
    import networkx as nx

    graph = {"karate club": nx.karate_club_graph, "les miserables": nx.les_miserables_graph}[name]()
    nodes = list(graph)
    index = {node: k for k, node in enumerate(nodes)}
    links = np.array([(index[a], index[b]) for a, b in graph.edges], np.int32)
    layout = nx.spring_layout(graph, seed=1)
    places = np.array([layout[node] for node in nodes])
    return links, (places - places.min(axis=0)) / np.ptp(places, axis=0)


class SpatialNetworkSimulation(core.Simulation["SpatialNetworkSIR"]):
    """Event-driven SIR from a small patch of infected people, until nobody is infected."""

    time_unit = "time units"
    step = 0.25
    relaxation, window = 400.0, 0.0

    def prepare(self) -> None:
        m = self.model
        if m.network == "spatial":
            links = self._scatter()
        else:
            links, places = real_network(m.network)
            self.x, self.y = places.T
            self.side = 1.0
        n = self.x.size
        self.links = links
        ends = np.concatenate([links[:, 0], links[:, 1]])
        order = np.argsort(ends, kind="stable")
        partner = np.concatenate([links[:, 1], links[:, 0]])[order].astype(np.int32)
        first = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n))]).astype(np.int64)
        self.contacts = Contacts(first, partner, max(1, int(np.diff(first).max())))
        self.distance = self._distance_from_patient_zero()
        patients = np.argsort(self.distance, kind="stable")[: min(m.patients, n)]
        self.state = np.zeros(n, np.int8)
        self.state[patients] = INFECTED
        self.carriers, self.count = crowd_of(patients, n)
        self.ever = self.count
        self.marks: list[tuple[float, float]] = []
        self.across = False  # whether the front has come so far that what is later is no front
        self.raster = np.full((RASTER, RASTER), -1.0)
        self.rows = 0

    def _scatter(self) -> Array:
        """Positions and links of the random spatial network."""
        m = self.model
        n, d = m.size, m.dimension
        self.side = n ** (1 / d)
        columns = max(1, int(self.side / CELL_PEOPLE ** (1 / d)))
        rows = columns if d == 2 else 1
        width = self.side / columns
        self.x = self.rng.random(n) * self.side
        self.y = self.rng.random(n) * self.side if d == 2 else np.zeros(n)
        cell = (self.y // width).astype(np.int64) * columns + (self.x // width).astype(np.int64)
        cell_people = np.argsort(cell, kind="stable")
        cell_start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=columns * rows))])
        kind = m.control("kernel").options.index(m.kernel)
        away = np.minimum(np.arange(columns), columns - np.arange(columns))
        gap = np.maximum(away - 1, 0) * width  # closest that people of two cells can be
        near = np.hypot(gap[:, None], gap[None, :]) if d == 2 else gap[None, :]
        shape = np.array([kind, m.length, m.tail, d], np.float64)
        bound = self._shapes(near, shape).ravel()
        crowd = np.diff(cell_start).max()
        expected = 0.5 * m.mean_degree * n * bound.sum() * crowd / self._norm(shape)
        candidates = int(self.rng.poisson(expected))
        with Uninterrupted():
            cells = Cells(cell_start, cell_people, columns, rows, width)
            bounds = Bounds(bound, *walker_table(bound))
            links: Array = draw_links(self.x, self.y, cells, bounds, candidates, shape, m.long_range, self.rng)
        return links

    def _shapes(self, radius: Array, shape: Array) -> Array:
        flat = np.ascontiguousarray(radius, np.float64).ravel()
        out = np.empty_like(flat)
        kernel_shapes(flat, shape, out)
        return out.reshape(radius.shape)

    def _norm(self, shape: Array) -> float:
        """Integral of the kernel's shape over the periodic box, so that the mean degree is right in it."""
        length, dimension = self.model.length, self.model.dimension
        inner = np.geomspace(1e-3 * length, self.side / 2, 800)  # dense where the kernel bends
        points = np.concatenate([[0.0], inner])
        if dimension == 1:
            return float(2 * np.trapezoid(self._shapes(points, shape), points))
        radius = np.hypot(points[:, None], points[None, :])
        return float(4 * np.trapezoid(np.trapezoid(self._shapes(radius, shape), points), points))

    def _distance_from_patient_zero(self) -> Array:
        if self.model.network != "spatial":
            return np.asarray(-np.diff(self.contacts.first), float)  # the best connected people fall ill first
        dx = np.abs(self.x - self.side / 2)
        dy = np.abs(self.y - self.side / 2) if self.model.dimension == 2 else 0.0
        distance: Array = np.hypot(dx, dy)
        return distance

    def evolve(self, duration: float) -> None:
        m = self.model
        self.count, infections = spread(
            self.state, self.contacts, self.carriers, self.count, m.transmission, m.recovery, duration, self.rng
        )  # fmt: skip
        self.ever += infections
        front = self._front()
        self.across |= front >= 0.4 * self.side
        if not self.across and front > 0.1 * self.side:
            self.marks.append((self.time + duration, front))
        if m.dimension == 1:
            if self.rows == RASTER:
                self.raster[:-1] = self.raster[1:]
            self.rows = min(self.rows + 1, RASTER)
            self.raster[self.rows - 1] = self._raster_row()

    @property
    def finished(self) -> bool:
        return self.count == 0

    def _front(self) -> float:
        """Distance within which nine tenths of the infected people are."""
        return float(np.quantile(self.distance[self.carriers.members[: self.count]], 0.9)) if self.count else 0.0

    def observe(self) -> dict[str, float]:
        n = self.state.size
        speed = 0.0
        if len(self.marks) >= 3:
            times, fronts = np.array(self.marks).T
            speed = float(np.polyfit(times, fronts, 1)[0])
        return {"final_size": self.ever / n, "infected": self.count / n, "speed": speed}

    def _raster_row(self) -> Array:
        cell = np.minimum((self.x / self.side * RASTER).astype(np.int64), RASTER - 1)
        row = np.zeros(RASTER)
        np.maximum.at(row, cell, DRAWN[self.state])
        return row

    def picture(self) -> core.Picture:
        m = self.model
        if m.network != "spatial":
            return core.Network(self.x, self.y, self.links, DRAWN[self.state], 0.0, 2.0, "who knows whom", STATES)
        if m.dimension == 1:
            caption = "the line across, time down"
            return core.Lattice(self.raster.copy(), 0, 2, caption, False, STATES, "still to come")
        side = min(RASTER, max(8, int(self.side)))
        cells = np.minimum((np.array([self.y, self.x]) / self.side * side).astype(np.int64), side - 1)
        plane = np.zeros((side, side))
        np.maximum.at(plane, tuple(cells), DRAWN[self.state])
        return core.Lattice(plane, 0, 2, "the people where they live", signed=False, states=STATES)
