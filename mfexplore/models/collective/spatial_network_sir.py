r"""Epidemics that hop and spread: SIR on a random spatial network, or on a real one.

$N$ people are scattered at random with density $1$ over a periodic line ($d=1$) or square ($d=2$). Two of them at a
distance $r$ share a Poisson number of links with mean $\kappa f(r)$, $\int f=1$, so that everyone has $\kappa$
contacts on average. A fraction $\varepsilon$ of the contacts ignores distance. The kernel is one of

- *gaussian*, $f\propto e^{-r^2/2\sigma^2}$;
- *exponential*, $f\propto e^{-r/\sigma}$;
- *power*, $f\propto(1+r^2/\sigma^2)^{-(d+s)/2}$, whose tail $r^{-d-s}$ sends the disease on long hops.

An infected person infects along each link at rate $\tau$ and recovers, for good, at rate $\gamma$.

**Mass action** forgets who is linked to whom: $R_0=\kappa\tau/\gamma$. The **edge-based** theory (Miller, Slim and
Volz) knows that a link transmits only once, $R_0=\kappa\tau/(\tau+\gamma)$. With the generating function $\psi$ of
the degrees, the probability $\Theta$ that a link has not transmitted ends at

$$\Theta=\frac{\gamma+\tau\,\psi'(\Theta)/\psi'(1)}{\tau+\gamma},\qquad z=1-\psi(\Theta) \tag{1}$$

and for Poisson degrees both theories give the final size

$$z=1-e^{-R_0z}=1+W_0(-R_0e^{-R_0})/R_0 \tag{2}$$

In front of a wave the infection grows as $e^{-s(x-ct)}$, where $M(s)=\int f\,e^{sx_1}$ is the moment generating
function:

$$c=\min_s\frac{A\,M(s)-B}{s},\qquad A=\kappa\tau,\quad B=\gamma\ \text{or}\ \tau+\gamma \tag{3}$$

with $M=e^{s^2\sigma^2/2}$ (gaussian) and $M=(1-s^2\sigma^2)^{-(d+1)/2}$ (exponential). A power law has no $M$: long
hops found new foci ahead of every front, and the spread **accelerates**; so does any $\varepsilon>0$.

**Valid:** as $N\to\infty$ for kernels much wider than the spacing of people, where the network is locally a tree.
Fronts of discrete people are slower than (3), by a correction of order $1/\ln^2$ of how many are within reach (a third
at the default); short kernels make triangles, which slow them further. On a real network (1) takes its true degrees
but not its groups, and tens of people are far from $N\to\infty$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import lambertw

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.interrupts import Uninterrupted
from mfexplore.families.crowds import crowd_of, join, leave
from mfexplore.numerics.kernel import kernel

MASS_ACTION, EDGE_BASED = 0, 1
SUSCEPTIBLE, INFECTED, RECOVERED = 0, 1, 2
CELL_PEOPLE = 4.0  # mean number of people in a cell of the grid that finds partners
MANY_TRIANGLES = 0.1  # chance that two contacts know each other, above which (1) is visibly wrong
NOTICEABLE = 0.05  # difference of the two theories' final sizes
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
        if self.count and 0.1 * self.side < front < 0.4 * self.side:
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


DRAWN = np.array([0.0, 2.0, 1.0])  # place of susceptible, infected and recovered in the order they are drawn in
STATES = ("susceptible", "recovered", "infected")


SPATIAL = {"network": ("spatial",)}  # what has a place in space


@dataclass(frozen=True)
class SpatialNetworkSIR(core.Model):
    transmission: float = core.control(
        0.4, 0.0, 3.0, symbol=r"\tau", role="load", step=0.01, doc="rate of infection along each link"
    )
    mean_degree: float = core.control(
        8.0, 0.5, 20.0, symbol=r"\kappa", role="coupling", step=0.1, quenched=True,
        doc="mean number of contacts (of a spatial network)",
    )  # fmt: skip
    recovery: float = core.control(
        1.0, 0.05, 3.0, symbol=r"\gamma", role="temperature", step=0.01, doc="rate at which the infected recover"
    )
    kernel: str = core.choice(
        "gaussian",
        {"gaussian": "Gaussian", "exponential": "exponential", "power": "power"},
        doc="how contacts thin out with distance",
    )
    length: float = core.control(
        2.5, 0.5, 20.0, symbol=r"\sigma", unit="spacings", role="disorder", step=0.1, quenched=True,
        doc="reach of a contact, in mean distances between people",
    )  # fmt: skip
    tail: float = core.control(
        1.5, 0.5, 4.0, symbol="s", role="disorder", step=0.05, quenched=True, doc="exponent of the power-law kernel"
    )
    long_range: float = core.control(
        0.0, 0.0, 0.2, symbol=r"\varepsilon", role="disorder", step=0.001, quenched=True,
        doc="fraction of contacts that ignore distance",
    )  # fmt: skip
    dimension: int = core.control(
        2, 1, 2, symbol="d", role="setting", quenched=True, doc="people on a line or in a plane"
    )
    network: str = core.choice(
        "spatial", ("spatial", "karate club", "les miserables"), doc="a random spatial network, or a real one"
    )
    size: int = core.control(
        50_000, 16, 1_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="people on the spatial network",
    )  # fmt: skip
    patients: int = core.control(
        10, 1, 1000, symbol="I_0", role="start", part="simulation", doc="people infected at the start"
    )

    tags = core.Tags("course", 15, ("phase transition", "spreading"), ("rate equations", "Monte Carlo"))
    title = "Epidemic on a spatial network"
    summary = (
        "Infection spreads to neighbours and hops far away: outbreak or not, how many, how fast, wave or wildfire."
    )
    sources = (
        core.Source(
            "J. Lang, H. De Sterck, J. L. Kaiser, J. C. Miller, J. Complex Netw. 6, 643 (2018)", arxiv="1702.01252"
        ),
        core.Source(
            "J. C. Miller, A. C. Slim, E. M. Volz, J. R. Soc. Interface 9, 890 (2012)", doi="10.1098/rsif.2011.0403"
        ),
        core.Source("D. Mollison, J. R. Stat. Soc. B 39, 283 (1977)"),
    )
    observables = (
        core.Observable("final_size", "z", "fraction of people infected in the end", low=0, high=1),
        core.Observable("speed", "c", "speed of the wave, eq. (3)", unit="spacings per time", low=0),
        core.Observable("reproduction_number", "R_0", "infections caused by one case at the start", low=0, high=5),
    )
    methods = (
        core.Method("mass_action", "every contact is new at every moment"),
        core.Method("edge_based", "a link transmits only once, eq. (1)"),
    )
    branches = (
        core.Branch("disease_free", "nobody is infected"),
        core.Branch("epidemic", "a finite fraction falls ill"),
    )
    phases = (
        core.Phase("no_outbreak", "Each case causes less than one other: every outbreak ends by itself."),
        core.Phase("travelling_wave", "The infection grows into a front that moves at a constant speed."),
        core.Phase("accelerating", "Hops beyond every front found new foci, and the spread gets faster and faster."),
        core.Phase("outbreak", "Each case causes more than one other on this network: a finite fraction falls ill."),
    )
    failures = (
        core.Failure(
            "no_finite_speed", "Long hops have no moment generating function: eq. (3) has no answer but infinity."
        ),
        core.Failure(
            "few_people",
            "A real network of tens of people with close groups: eq. (1), made for a large network without triangles, "
            "is only a guide.",
        ),
        core.Failure(
            "not_a_tree",
            "Contacts reach so few people that friends of friends are friends: triangles waste infections, and the "
            "simulated epidemic is smaller and slower.",
        ),
        core.Failure(
            "links_transmit_once",
            "Mass action forgets that a link to somebody ill already is of no use; with so few contacts that makes the "
            "epidemic larger by more than 0.05 than the edge-based theory says.",
        ),
    )
    landmarks = (
        core.Landmark(
            "epidemic_threshold", r"R_0=1", "above it one case causes more than one other (edge-based)",
            of="transmission", only=SPATIAL,
        ),
        core.Landmark(
            "mass_action_threshold", r"\kappa\tau=\gamma", "the same by mass action", continuous=False,
            of="transmission", only=SPATIAL,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("transmission", "mean_degree", "final_size", x_range=(0.0, 1.5), along="x"),
        core.Plane("transmission", "recovery", "final_size", along="x"),
        core.Plane("length", "transmission", "speed"),
    )
    presets = (
        core.Preset("wave", {}, "A round front runs outwards at constant speed and leaves the recovered behind."),
        core.Preset(
            "one in a thousand", {"long_range": 0.001, "transmission": 0.3},
            "One contact in a thousand flies: far new foci overtake the front. A small world without clustering.",
        ),
        core.Preset(
            "power law", {"kernel": "power", "tail": 1.0}, "Hops of every length: no front, a fractal of foci."
        ),
        core.Preset(
            "below threshold", {"transmission": 0.12}, "A case infects 0.86 others: it glimmers and goes out.",
            (core.Promise(core.Value("reproduction_number", method="edge_based"), 0.86, 0.005),),
        ),
        core.Preset(
            "on a line", {"dimension": 1, "length": 20.0, "mean_degree": 16.0, "size": 20_000},
            "Two fronts draw straight lines, x = ct; with 8 contacts instead of 16 they would flicker out.",
        ),
        core.Preset(
            "real friends", {"network": "les miserables", "patients": 1, "transmission": 0.8},
            "77 characters of a novel. Try other seeds: some outbreaks end at once, and theory is only a guide.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "final size at $R_0=2$", 0.79681213002002, 1e-12, "$1+W_0(-R_0e^{-R_0})/R_0$",
            core.Value("final_size", method="mass_action"), {"transmission": 0.25},
        ),
        core.Reference(
            "speed at $R_0=2$, gaussian kernel of unit width", 2.192803840603181, 1e-10, "eq. (3), mpmath",
            core.Value("speed", method="mass_action"), {"transmission": 0.25, "length": 1.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "With 8 contacts and unit recovery, below which transmission rate does no outbreak happen?",
            {"transmission": 0.4, "mean_degree": 8.0}, "transmission",
            core.Crossing("epidemic_threshold", "transmission"), 0.02,
            "Mass action says 1/8; but the link to your own infector is useless, so it takes 1/7.",
        ),
    )  # fmt: skip
    simulation = SpatialNetworkSimulation

    def solve(self, points: Points) -> core.Solution:
        tau, gamma, kappa = points["transmission"], points["recovery"], points["mean_degree"]
        n = tau.size
        size = np.full((n, 2, 2), np.nan)
        speed = np.full_like(size, np.nan)
        residual = np.full_like(size, np.nan)
        number = np.empty_like(size)
        degrees = self._degrees()
        spread_ = kappa if degrees is None else np.full(n, _moment(degrees, 2) / _moment(degrees, 1))
        contacts = kappa if degrees is None else np.full(n, _moment(degrees, 1))
        for method, gain, loss in (
            (MASS_ACTION, contacts * tau, gamma),
            (EDGE_BASED, spread_ * tau, tau + gamma),
        ):
            ratio = gain / loss
            number[:, method] = ratio[:, None]
            size[:, method, 0], residual[:, method, 0], speed[:, method, 0] = 0.0, 0.0, 0.0
            above = ratio > 1
            if degrees is None or method == MASS_ACTION:
                z = _poisson_size(ratio)
                error = np.abs(z - 1 + np.exp(-ratio * z))
            else:
                z, error = _network_size(degrees, tau, gamma)
            size[:, method, 1] = np.where(above, z, np.nan)
            residual[:, method, 1] = np.where(above, error, np.nan)
            speed[:, method, 1] = np.where(above, self._speed(points, gain, loss), np.nan)
        stable = np.ones(size.shape, bool)
        stable[:, :, 0] = np.isnan(size[:, :, 1])
        with np.errstate(invalid="ignore"):
            excess = size[:, MASS_ACTION, 1] - np.nan_to_num(size[:, EDGE_BASED, 1]) > NOTICEABLE
        # clustering of a gaussian kernel
        triangles = kappa * (6 * np.pi * points["length"] ** 2) ** (-points["dimension"] / 2)
        fails = {
            "few_people": self.on("epidemic", np.full(n, degrees is not None)),
            "no_finite_speed": np.isinf(speed),
            "not_a_tree": self.on("epidemic", (triangles > MANY_TRIANGLES) & (degrees is None)),
            "links_transmit_once": self.on("epidemic", excess[:, None] & (np.arange(2) == MASS_ACTION)),
        }
        values = {"final_size": size, "speed": speed, "reproduction_number": number}
        return core.Solution(values, residual, stable, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        z, tau, gamma, degrees = state["final_size"], self.transmission, self.recovery, self._degrees()
        edge = state["method"] == "edge_based"
        if state["branch"] == "disease_free":
            return {"(2)": z}
        if edge and degrees is not None:
            share = np.polynomial.Polynomial(degrees)
            theta = max(root.real for root in (share - (1 - z)).roots() if abs(root.imag) < 1e-9 and root.real <= 1)
            reached = share.deriv(1)(theta) / share.deriv(1)(1)
            return {"(1)": theta - (gamma + tau * reached) / (tau + gamma)}
        found = {"(2)": z - 1 + math.exp(-state["reproduction_number"] * z)}
        if degrees is None and 0 < state["speed"] < math.inf:
            x = np.linspace(1e-3, 6 if self.kernel == "gaussian" else 1 - 1e-6, 1_000_001)  # s times the length
            grown = np.exp(x * x / 2) if self.kernel == "gaussian" else (1 - x * x) ** (-(self.dimension + 1) / 2)
            slowest = ((self.mean_degree * tau * grown - (gamma + edge * tau)) / x).min() * self.length
            found["(3)"] = state["speed"] / slowest - 1
        return found

    def _degrees(self) -> Array | None:
        """Share of people of every degree 0, 1, ... on a real network; None on the spatial one, where it is Poisson."""
        if self.network == "spatial":
            return None
        links, places = real_network(self.network)
        counts = np.bincount(np.bincount(links.ravel(), minlength=len(places)))
        return np.asarray(counts / counts.sum())

    def _speed(self, points: Points, gain: Array, loss: Array) -> Array:
        """Eq. (3); infinite where the kernel has a heavy tail, 0 on a real network, which has no space."""
        if self.network != "spatial":
            return np.zeros_like(gain)
        with np.errstate(all="ignore"):
            ratio = gain / loss
            if self.kernel == "gaussian":
                # d/ds = 0 gives e^x (1 - 2x) = loss/gain with x = (s sigma)^2 / 2
                x = 0.5 + lambertw(-0.5 * math.exp(-0.5) / ratio).real
                speed = (gain * np.exp(x) - loss) / np.sqrt(2 * x) * points["length"]
            elif self.kernel == "exponential":
                power = (points["dimension"] + 1) / 2
                low, high = np.zeros_like(gain), 1 / (1 + 2 * power)
                for _ in range(60):  # bisection for y = (s sigma)^2
                    y = 0.5 * (low + high)
                    left = (1 - y) ** (-power - 1) * (1 - y - 2 * power * y) > 1 / ratio
                    low, high = np.where(left, y, low), np.where(left, high, y)
                speed = (gain * (1 - y) ** -power - loss) / np.sqrt(y) * points["length"]
            else:
                speed = np.full_like(gain, np.inf)
        return np.asarray(np.where(points["long_range"] > 0, np.inf, speed))

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        epidemic = states.equilibrium["epidemic"]
        spatial = self.network == "spatial"
        return {
            "no_outbreak": states.equilibrium["disease_free"],
            "accelerating": epidemic & spatial & np.isinf(states.value("speed", "epidemic")),
            "travelling_wave": epidemic & spatial,
            "outbreak": epidemic,
        }

    def boundary(self, name: str, points: Points) -> Array:
        useful = points["mean_degree"] - (name == "epidemic_threshold")  # the link to one's own infector is of no use
        return points["recovery"] / np.where(useful > 0, useful, np.nan)

    def realised(self) -> SpatialNetworkSIR:
        people = self.size if self.network == "spatial" else len(real_network(self.network)[1])
        return self.with_simulated(size=people, patients=min(self.patients, people))

    def extent(self) -> str:
        if self.network == "spatial":
            return super().extent()
        return f"of {len(real_network(self.network)[1])} people"

    def caveat(self) -> str:
        if self.network != "spatial":
            return "so few people, and outbreaks that end by chance with the first of them"
        return "outbreaks that end by chance, people who are neighbours of neighbours, or finite size"

    def footprint(self) -> int:
        return int(self.size * (80 + 64 * self.mean_degree))


def _poisson_size(ratio: Array) -> Array:
    """Eq. (2) for R0 > 1, polished where the Lambert function loses digits near R0 = 1."""
    with np.errstate(all="ignore"):
        z = 1 + lambertw(-ratio * np.exp(-ratio)).real / ratio
        for _ in range(3):
            step = (z + np.expm1(-ratio * z)) / (1 - ratio * np.exp(-ratio * z))
            z = np.where(np.isfinite(step), z - step, z)
    return np.asarray(z)


def _moment(degrees: Array, order: int) -> float:
    """Mean of k (order 1) or of k (k - 1) (order 2)."""
    k = np.arange(degrees.size)
    return float(degrees @ (k if order == 1 else k * (k - 1)))


def _network_size(degrees: Array, tau: Array, gamma: Array) -> tuple[Array, Array]:
    """Eq. (1) for given degrees: its right side is convex, so Newton's rule from Theta = 0 climbs to the lowest fixed
    point without stepping over it, however near the threshold.
    """
    share = np.polynomial.Polynomial(degrees)
    reached, curvature = share.deriv(1) / _moment(degrees, 1), share.deriv(2) / _moment(degrees, 1)
    theta = np.zeros_like(tau)
    for _ in range(60):
        excess = (gamma + tau * reached(theta)) / (tau + gamma) - theta
        slope = tau * curvature(theta) / (tau + gamma) - 1
        step = np.where(slope < 0, excess / np.where(slope < 0, slope, 1), 0)
        theta = theta - step
        if np.abs(step).max() < 1e-15:
            break
    error = np.abs((gamma + tau * reached(theta)) / (tau + gamma) - theta)
    return 1 - share(theta), error
