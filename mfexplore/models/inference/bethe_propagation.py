r"""Belief propagation: Ising models and spin glasses on sparse graphs, solved message by message.

Spins $s_i=\pm1$ sit on the nodes of a graph; every edge has a coupling $J_{ij}=+1$, or $-1$ with probability $\rho$:

$$H=-\sum_{\langle ij\rangle}J_{ij}s_is_j-h\sum_is_i \tag{1}$$

On a tree a spin can be asked what field it would pass on to a neighbour that is not there. These *messages* obey

$$u_{i\to j}=T\,\mathrm{artanh}\Big[\tanh\frac{J_{ij}}T\,\tanh\frac1T\Big(h+\sum_{k\ne j}u_{k\to i}\Big)\Big] \tag{2}$$

(*belief propagation*), and $m_i=\tanh(H_i/T)$ with $H_i=h+\sum_ku_{k\to i}$. This is exact on a tree, and on a random
graph as $N\to\infty$, because its loops are of length $\ln N$. The free energy is that of Bethe,

$$-\frac FT=\sum_i\ln Z_i-\sum_{\langle ij\rangle}\ln Z_{ij} \tag{3}$$

with $Z_i=2\cosh\frac{H_i}T\prod_k\cosh\frac1T/\cosh\frac{u_{k\to i}}T$ for a node, and for an edge
$Z_{ij}=\cosh\frac1T\cosh\frac{H_i}T/(\cosh\frac{u_{j\to i}}T\cosh\frac{H_i-u_{j\to i}}T)$.

In a large random graph messages have a distribution $P(u)$ that reproduces itself (*replica symmetry*):

$$u\stackrel{d}=\pm T\,\mathrm{artanh}\Big[\tanh\frac1T\tanh\frac1T\Big(h+\sum_{k=1}^{K}u_k\Big)\Big] \tag{4}$$

with $K=c-1$ on a random regular graph and a Poisson number $K$ of mean $c$ on an Erdős-Rényi graph (sign: $-$ with
probability $\rho$). Write $B$ for the mean of $K$. Without a field the trivial solution $u=0$ loses stability to a
ferromagnet and to a spin glass at

$$B\,(1-2\rho)\tanh\frac1{T_F}=1,\qquad B\tanh^2\frac1{T_{SG}}=1 \tag{5}$$

The two lines meet on the *Nishimori line* $\tanh(1/T)=1-2\rho$, where $1-2\rho=B^{-1/2}$. On that line the model is
one of Bayes-optimal inference: overlap and magnetization are equal and replica symmetry is never broken. Elsewhere it
breaks once a perturbation of one message, passed on by (2), grows:

$$\lambda=\lim_{n\to\infty}\Big(\sum_{\text{spins at distance }n}\mathbb E\prod\Big(\frac{\partial u}{\partial
u_k}\Big)^2\Big)^{1/n}>1 \tag{6}$$

Equation (4) is solved here on a grid of fields by convolution (*density evolution*), not by sampling: errors are of
order $10^{-6}$. *Population dynamics*, which samples (4), is one of the simulations, beside belief propagation on a
graph of $N$ nodes and heat-bath dynamics of the spins.

**Valid:** as $N\to\infty$ on random graphs where $\lambda<1$. Where $\lambda>1$ (flagged) there are many pure states:
belief propagation does not settle, and the replica-symmetric values are approximations. On the square lattice loops are
short, and theory and belief propagation share the same mistake: they order at $T=2.885$ instead of $2.269$, and find a
spin glass at $\rho=\frac12$ where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.core.interrupts import Uninterrupted
from mfexplore.families.lattice_spins.bethe_lattice import LN2, bethe_lattice, log_cosh
from mfexplore.families.sparse_graphs.density_evolution import (
    CENTRE,
    FINENESS,
    GRID,
    POINTS,
    Sums,
    atom,
    push,
    push_linearly,
)
from mfexplore.families.sparse_graphs.graphs import Links, links
from mfexplore.families.sparse_graphs.population import renew, survey
from mfexplore.numerics.anderson import fixed_points
from mfexplore.numerics.elementary import exp, log1p
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.lattices import neighbourhood

PARAMAGNET, FERROMAGNET, SPIN_GLASS, MIXED = range(4)
BROKEN_REPLICAS, SHORT_LOOPS = 1, 2
SQUARE_DEGREE = 4
SQUARE_CRITICAL = 2 / math.log(1 + math.sqrt(2))
SQUARE_NISHIMORI = 0.1092  # no ferromagnet on the square lattice beyond this share of negative couplings


# -- kernels -------------------------------------------------------------------------------------------------------


@kernel
def pass_messages(starts, reverse, couplings, beta, field, damping, messages, cavities):
    """One parallel step of eq. (2). Message k is what arrives at the node to which end k belongs; returns the largest
    change before damping. couplings: of the edge at every end; cavities: scratch, shape of messages.
    """
    for i in range(starts.size - 1):
        total = field
        for k in range(starts[i], starts[i + 1]):
            total += messages[k]
        for k in range(starts[i], starts[i + 1]):
            cavities[k] = total - messages[k]
    for k in range(cavities.size):
        a, b = abs(beta * (1.0 + cavities[k])), abs(beta * (1.0 - cavities[k]))
        passed = 0.5 * (a - b + log1p(exp(-2.0 * a)) - log1p(exp(-2.0 * b))) / beta
        cavities[k] = couplings[k] * passed
    change = 0.0
    for k in range(cavities.size):
        new = cavities[reverse[k]]
        change = max(change, abs(new - messages[k]))
        messages[k] = (1.0 - damping) * new + damping * messages[k]
    return change


@kernel
def bethe_averages(starts, beta, field, messages, means):
    """(energy, free energy) per node by eq. (3), and the m_i into `means`."""
    n = starts.size - 1
    bond = math.tanh(beta)
    pairs, gain, total_m = 0.0, 0.0, 0.0
    for i in range(n):
        total = field
        for k in range(starts[i], starts[i + 1]):
            total += messages[k]
        means[i] = math.tanh(beta * total)
        total_m += means[i]
        gain += LN2 + log_cosh(beta * total) * (1.0 - 0.5 * (starts[i + 1] - starts[i]))
        for k in range(starts[i], starts[i + 1]):
            u = messages[k]
            gain += 0.5 * (log_cosh(beta) - log_cosh(beta * u) + log_cosh(beta * (total - u)))
            product = math.tanh(beta * (total - u)) * math.tanh(beta * u)
            pairs += 0.5 * (bond + (1.0 - bond * bond) / bond * product / (1.0 + product))
    return (-pairs - field * total_m) / n, -gain / (beta * n)


@kernel
def heat_bath(spins, starts, neighbours, couplings, beta, field, sweeps, sums, rng):
    """Heat-bath sweeps over random nodes; adds the spins after each sweep to `sums`."""
    n = spins.size
    for _ in range(sweeps):
        for _ in range(n):
            i = int(rng.random() * n)
            local = field
            for k in range(starts[i], starts[i + 1]):
                local += couplings[k] * spins[neighbours[k]]
            up = rng.random() * (1.0 + math.exp(-2.0 * beta * local)) < 1.0
            spins[i] = 1.0 if up else -1.0
        for i in range(n):
            sums[i] += spins[i]


@kernel
def pair_energy(sums, values, temperature, field, flipped, out):
    """Mean of J s s' over an edge whose two ends have independent cavity fields, field + values[k] with weight
    sums[row, k]; written into out, shape (rows,).
    """
    theta = np.empty(values.size)
    for row in range(out.size):
        bond = math.tanh(1.0 / temperature[row])
        first, last = values.size, 0
        for k in range(values.size):
            if abs(sums[row, k]) > 1e-10:
                first, last = min(first, k), k + 1
        for k in range(first, last):
            theta[k] = math.tanh((field[row] + values[k]) / temperature[row])
        weights, spins = sums[row, first:last], theta[first:last]
        total = 0.0
        for j in range(spins.size):
            plus, minus = 0.0, 0.0
            for k in range(spins.size):
                x = spins[j] * spins[k]
                plus += weights[k] * (bond + x) / (1.0 + bond * x)
                minus += weights[k] * (bond - x) / (1.0 - bond * x)
            total += weights[j] * ((1.0 - flipped[row]) * plus + flipped[row] * minus)
        out[row] = total


@kernel
def homogeneous(temperature, field, degree, u, m, energy, free_energy, residual):
    """All couplings +1 on a regular graph: every message is the same; written into arrays of shape (n,)."""
    for i in range(temperature.size):
        found = bethe_lattice(temperature[i], abs(field[i]), degree)
        sign = -1.0 if field[i] < 0.0 else 1.0
        u[i], m[i] = sign * found[0], sign * found[1]
        energy[i], free_energy[i], residual[i] = found[2], found[4], found[5]


# -- density evolution of eq. (4) ----------------------------------------------------------------------------------


def log_cosh_array(x: Array) -> Array:
    return np.asarray(np.logaddexp(x, -x) - LN2)


@dataclass(frozen=True)
class RandomGraph:
    """What eq. (4) needs to know of the graph: its degrees. degree: mean number of neighbours."""

    degree: int
    poissonian: bool

    @property
    def branching(self) -> int:
        """B, the mean number of further neighbours of a spin met along an edge."""
        return self.degree if self.poissonian else self.degree - 1

    @property
    def sums(self) -> Sums:
        return field_sums(self.degree, self.poissonian)


@lru_cache(maxsize=16)
def field_sums(degree: int, poissonian: bool) -> Sums:
    return Sums(degree, poissonian)


class Ensemble:
    """Eq. (4) at a batch of points: temperature, field, flipped (rho), each of shape (n,)."""

    def __init__(self, graph: RandomGraph, temperature: Array, field: Array, flipped: Array) -> None:
        self.graph, self.sums = graph, graph.sums
        self.temperature, self.field, self.flipped = temperature, field, flipped
        beta = (1 / temperature)[:, None]
        cavity = field[:, None] + self.sums.values
        passed = 0.5 * (log_cosh_array(beta * (1 + cavity)) - log_cosh_array(beta * (1 - cavity))) / beta
        self.places = passed * FINENESS + CENTRE
        self.ones = np.ones_like(self.places)

    def cavity_sums(self, weights: Array, fewer: int = 0) -> Array:
        """Distribution of the sum of K messages, or of K - fewer (which for a Poisson number is again K)."""
        transformed = self.sums.transform(weights)
        return self.sums.back(self.sums.power(transformed, self.graph.branching - fewer * (not self.graph.poissonian)))

    def step(self, weights: Array, rows: Array) -> Array:
        """The distribution of the left side of eq. (4) from that of the right side, for some rows."""
        out = np.empty_like(weights)
        push(self.cavity_sums(weights), self.places[rows], self.flipped[rows], self.ones[rows], out)
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    def solve(self, start: Array) -> tuple[Array, Array, Array]:
        """(weights, residuals, iterations) from a distribution of shape (POINTS,) or one for each row."""
        rows = np.broadcast_to(start, (self.temperature.size, POINTS))
        return fixed_points(self.step, rows, tolerance=1e-9, steps=600)

    def growth(self, weights: Array, squared: bool) -> Array:
        """Factor by which a perturbation of the messages grows in a step, shape (n,).

        Of its mean square, lambda of eq. (6); or (not squared) of its mean where all couplings are +1 and the
        distribution is even.
        """
        beta = (1 / self.temperature)[:, None]
        cavity = self.field[:, None] + self.sums.values
        slope = 0.5 * (np.tanh(beta * (1 + cavity)) + np.tanh(beta * (1 - cavity)))
        others = self.sums.power(self.sums.transform(weights), self.graph.branching - (not self.graph.poissonian))
        flipped, factors = (self.flipped, slope**2) if squared else (np.zeros_like(self.flipped), self.ones)
        measured = np.ones(POINTS) if squared else GRID
        perturbation = weights * (1.0 if squared else GRID)
        found, live = np.zeros(len(weights)), np.arange(len(weights))
        for _ in range(80):
            perturbation = perturbation / (perturbation * measured).sum(axis=1, keepdims=True)
            arriving = np.ascontiguousarray(self.sums.back(others[live] * self.sums.transform(perturbation)))
            perturbation = np.empty_like(perturbation)
            push(arriving, self.places[live], flipped[live], factors[live], perturbation)
            before, found[live] = found[live], self.graph.branching * (perturbation * measured).sum(axis=1)
            going = np.abs(found[live] - before) > 1e-8
            live, perturbation = live[going], perturbation[going]
            if not live.size:
                break
        return found

    def observables(self, weights: Array) -> dict[str, Array]:
        """Averages over the graph, shape (n,), by eq. (3)."""
        graph, sums = self.graph, self.sums
        beta, h = (1 / self.temperature)[:, None], self.field[:, None]
        transformed = sums.transform(weights)
        others = sums.power(transformed, graph.branching)
        # At a node; and at the end of an edge with the message along it, which is the same on a regular graph
        node = sums.back(sums.power(transformed, graph.degree))
        end = sums.back(others * transformed) if graph.poissonian else node
        cavity = sums.back(others)
        spin = np.tanh(beta * (h + sums.values))
        cost = log_cosh_array(beta * (h + sums.values))
        bond, message = log_cosh_array(beta[:, 0]), (weights * log_cosh_array(beta * GRID)).sum(axis=1)
        edge = bond + (end * cost).sum(axis=1) - (cavity * cost).sum(axis=1) + message
        gain = LN2 + (node * cost).sum(axis=1) + graph.degree * (bond - 0.5 * edge)
        m = (node * spin).sum(axis=1)
        pairs = np.empty(len(weights))
        pair_energy(np.ascontiguousarray(cavity), sums.values, self.temperature, self.field, self.flipped, pairs)
        return {
            "magnetization": m,
            "overlap": (node * spin**2).sum(axis=1),
            "cavity_field": (weights * GRID).sum(axis=1),
            "energy": -0.5 * graph.degree * pairs - self.field * m,
            "free_energy": -self.temperature * gain,
        }


@dataclass(frozen=True)
class Glass:
    """The even solution without a field, which does not depend on the signs of the couplings; u = 0 above T_SG.

    weights: shape (n, POINTS). residual, order, stability (shape (n,)): how far it is from solved, the growth of a mean
    message where all couplings are +1, and lambda.
    """

    weights: Array
    residual: Array
    order: Array
    stability: Array


def glasses(graph: RandomGraph, temperature: Array) -> Glass:
    """At temperatures of shape (n,)."""
    t, n = np.tanh(1 / temperature), temperature.size
    found = Glass(np.tile(atom(0.0), (n, 1)), np.zeros(n), graph.branching * t, graph.branching * t * t)
    cold = np.flatnonzero(found.stability > 1)
    if cold.size:
        ensemble = Ensemble(graph, temperature[cold], np.zeros(cold.size), np.full(cold.size, 0.5))
        weights, found.residual[cold], _ = ensemble.solve(0.5 * (atom(0.5) + atom(-0.5)))
        found.weights[cold] = weights
        found.order[cold], found.stability[cold] = ensemble.growth(weights, False), ensemble.growth(weights, True)
    return found


def ends_of_order(graph: RandomGraph, temperature: Array) -> Array:
    """The share of negative couplings at which magnetization vanishes without a field; negative if there is none."""
    return 0.5 * (1 - 1 / glasses(graph, temperature).order)


@lru_cache(maxsize=64)
def replica_line(graph: RandomGraph) -> tuple[Array, Array]:
    """(temperatures, shares of negative couplings) where lambda = 1 inside the ferromagnet, below the Nishimori point.

    Between no negative couplings, where lambda < 1, and the end of the ferromagnet, where lambda > 1.
    """
    top = 1 / math.atanh(graph.branching**-0.5)
    temperatures = np.linspace(0.12, top, 12)[:-1]
    ends = ends_of_order(graph, temperatures)

    def excess(shares: Array, rows: Array) -> Array:
        ensemble = Ensemble(graph, temperatures[rows], np.zeros(rows.size), shares)
        return ensemble.growth(ensemble.solve(atom(1.0))[0], True) - 1

    found = bracketed_roots(excess, np.zeros_like(ends), ends * (1 - 1e-3), tolerance=1e-4)
    return np.append(temperatures, top), np.append(found, 0.5 * (1 - graph.branching**-0.5))


# -- simulation ----------------------------------------------------------------------------------------------------


def nodes(graph: str, degree: int, size: int) -> int:
    """How many nodes a graph of about this size has: a square's, or such that all can have the same degree."""
    if graph == "square":
        low, high = BethePropagation.control("size").bounds
        return max(math.ceil(math.sqrt(low)), min(round(math.sqrt(size)), math.isqrt(int(high)))) ** 2
    return max(size + (size * degree) % 2, degree + 1) if graph == "random_regular" else size


def build(graph: str, degree: int, size: int, rng: np.random.Generator) -> tuple[Links, tuple[int, int]]:
    """A graph of about `size` nodes and the shape (rows, columns) in which to show them."""
    import networkx as nx

    seed, size = int(rng.integers(2**31)), nodes(graph, degree, size)
    if graph == "square":
        side = math.isqrt(size)
        table = neighbourhood("square", side).table()
        here = np.repeat(np.arange(side * side), SQUARE_DEGREE)
        edges = np.stack([here, table.ravel()], axis=1)
        edges = edges[edges[:, 0] < edges[:, 1]]
        return links(edges, side * side), (side, side)
    if graph == "random_regular":
        made = nx.random_regular_graph(degree, size, seed=seed)
    else:
        made = nx.fast_gnp_random_graph(size, min(1.0, degree / (size - 1)), seed=seed)
    edges = np.array(made.edges(), np.int64).reshape(-1, 2)
    columns = math.ceil(math.sqrt(size))
    return links(edges, size), (math.ceil(size / columns), columns)


class PropagationSimulation(core.Simulation["BethePropagation"]):
    """Belief propagation or heat-bath dynamics on a graph, or population dynamics. `means`: the m_i, shape (n,)."""

    time_unit = "iterations or sweeps"
    relaxation, window = 100.0, 50.0

    def prepare(self) -> None:
        m = self.model
        if m.algorithm == "population_dynamics":
            side = math.ceil(math.sqrt(m.size))
            self.messages, self.shape = np.empty(m.size), (side, side)
            self.means = np.zeros(m.size)
        else:
            self.links, self.shape = build(m.graph, m.degree, m.size, self.rng)
            n = len(self.links.starts) - 1
            self.luck = self.rng.random(len(self.links.neighbours) // 2)
            self.messages, self.cavities = np.empty(len(self.links.neighbours)), np.empty(len(self.links.neighbours))
            self.means = np.zeros(n)
            self.spins = np.ones(n)
        # From above, or from no opinion: messages anywhere between -1 and 1
        self.messages[:] = 1.0 if m.start == "up" else self.rng.uniform(-1, 1, self.messages.size)
        if m.algorithm == "heat_bath" and m.start == "random":
            self.spins[self.rng.random(self.spins.size) < 0.5] = -1.0
        self.change = 0.0
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.beta = 1 / m.temperature
        if m.algorithm != "population_dynamics":
            self.couplings = np.where(self.luck < m.antiferromagnetic_fraction, -1.0, 1.0)[self.links.edge]
            self.sums, self.sweeps = np.zeros(self.means.size), 0

    def evolve(self, duration: float) -> None:
        m = self.model
        for _ in range(round(duration)):
            if m.algorithm == "population_dynamics":
                random = m.random_graph
                renew(
                    self.messages, random.branching, random.poissonian, self.beta, m.field,
                    m.antiferromagnetic_fraction, m.size, self.rng,
                )  # fmt: skip
            elif m.algorithm == "belief_propagation":
                self.change = pass_messages(
                    self.links.starts, self.links.reverse, self.couplings, self.beta, m.field, m.damping,
                    self.messages, self.cavities,
                )  # fmt: skip
            else:
                heat_bath(
                    self.spins, self.links.starts, self.links.neighbours, self.couplings, self.beta, m.field, 1,
                    self.sums, self.rng,
                )  # fmt: skip
                self.sweeps += 1

    def observe(self) -> dict[str, float]:
        m = self.model
        if m.algorithm == "population_dynamics":
            random = m.random_graph
            with Uninterrupted():
                magnetization, overlap, energy, free_energy = survey(
                    self.messages, random.degree, random.branching, random.poissonian, self.beta, m.field, m.size,
                    np.random.default_rng(int(1e6 * self.time) + 1),
                )  # fmt: skip
            self.means = np.tanh(self.beta * self.messages)
        elif m.algorithm == "belief_propagation":
            energy, free_energy = bethe_averages(self.links.starts, self.beta, m.field, self.messages, self.means)
            magnetization, overlap = float(self.means.mean()), float(np.mean(self.means**2))
        else:
            bonds = 0.5 * float(np.sum(self.couplings * np.repeat(self.spins, self.links.degrees)
                                       * self.spins[self.links.neighbours]))  # fmt: skip
            self.means = self.sums / max(self.sweeps, 1)
            magnetization = float(self.spins.mean())
            energy = -bonds / self.spins.size - m.field * magnetization
            return {"magnetization": magnetization, "overlap": float(np.mean(self.means**2)), "energy": energy}
        return {
            "magnetization": magnetization,
            "overlap": overlap,
            "cavity_field": float(self.messages.mean()),
            "energy": energy,
            "free_energy": free_energy,
            "change": self.change,
        }

    def samples(self, observable: str | None = None) -> Array:
        return self.messages if self.model.algorithm != "heat_bath" else np.empty(0)

    def picture(self) -> core.Lattice:
        shown = self.spins if self.model.algorithm == "heat_bath" else self.means
        values = np.zeros(self.shape[0] * self.shape[1], np.float32)
        values[: shown.size] = shown
        what = {
            "belief_propagation": "m of each node",
            "heat_bath": "spins",
            "population_dynamics": "tanh of each message over T",
        }[self.model.algorithm]
        place = "" if self.model.graph == "square" else " (their place means nothing here)"
        return core.Lattice(values.reshape(self.shape), -1, 1, caption=what + place)


@dataclass(frozen=True)
class BethePropagation(core.Model):
    temperature: float = core.control(
        1.0, 0.1, 12.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="thermal noise in each spin"
    )
    antiferromagnetic_fraction: float = core.control(
        0.05, 0.0, 0.5, symbol=r"\rho", role="disorder", step=0.005, doc="share of couplings that are -1"
    )
    degree: int = core.control(
        3, 3, 12, symbol="c", role="load", quenched=True,
        doc="neighbours of a node (their mean on an Erdős-Rényi graph; the square lattice has four)",
    )  # fmt: skip
    field: float = core.control(0.0, -2.0, 2.0, symbol="h", unit="J", role="field", step=0.01, doc="uniform field")
    graph: str = core.choice(
        "random_regular",
        {"random_regular": "random regular", "erdos_renyi": "Erdős-Rényi", "square": "square"},
        doc="which graph the spins sit on",
    )
    size: int = core.control(
        3000, 10, 50_000, symbol="N", unit="nodes", role="size", scale="log", part="simulation",
        doc="nodes of the graph, or members of the population",
    )  # fmt: skip
    algorithm: str = core.choice(
        "belief_propagation", ("belief_propagation", "population_dynamics", "heat_bath"), part="simulation",
        doc="messages on a graph, a population of messages, or the dynamics of the spins themselves",
    )  # fmt: skip
    damping: float = core.control(
        0.0, 0.0, 0.95, symbol="d", role="setting", part="simulation", step=0.05,
        doc="share of the old message that is kept in each step of belief propagation",
    )  # fmt: skip
    start: str = core.choice(
        "up", ("up", "random"), role="start", part="simulation", doc="messages (or spins) to start from"
    )

    title = "Belief propagation on graphs"
    summary = "Messages on sparse graphs: exact on trees, a spin glass by mixed signs, and wrong where loops are short."
    sources = (
        core.Source("H. A. Bethe, Proc. R. Soc. A 150, 552 (1935)", doi="10.1098/rspa.1935.0122"),
        core.Source("M. Mézard, G. Parisi, Eur. Phys. J. B 20, 217 (2001)", doi="10.1007/PL00011099"),
        core.Source("M. Mézard, A. Montanari, Information, Physics, and Computation (2009)"),
        core.Source("H. Nishimori, Prog. Theor. Phys. 66, 1169 (1981)", doi="10.1143/PTP.66.1169"),
        core.Source(
            "M. Gabrié, Mean-field inference methods for neural networks, J. Phys. A 53, 223002 (2020)",
            doi="10.1088/1751-8121/ab7f65",
        ),
    )
    branches = (
        core.Branch("paramagnet", "no message says anything; without a field only"),
        core.Branch("ferromagnet", "the state reached from all messages up; with a field the only one"),
        core.Branch("spin_glass", "messages of both signs, without a preference; without a field only"),
    )
    observables = (
        core.Observable("magnetization", "m", "mean spin", low=-1, high=1, signed=True),
        core.Observable("overlap", "q", "mean of the squared m_i (Edwards-Anderson)", low=0, high=1),
        core.Observable("cavity_field", r"\langle u\rangle", "mean message", unit="J", low=-1, high=1, signed=True),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("free_energy", "f", "free energy per spin, eq. (3)", unit="J"),
        core.Observable("entropy", "S", "entropy per spin", low=0, high=math.log(2)),
        core.Observable("stability", r"\lambda", "growth of a perturbed message, eq. (6)", low=0, high=2),
    )
    phases = (
        core.Phase(
            "paramagnet", "Without a field messages fade, slowly near the transition: every mean spin ends at zero."
        ),
        core.Phase("ferromagnet", "Most spins agree; belief propagation settles quickly."),
        core.Phase("spin_glass", "Every spin freezes in a direction of its own, in very many states at once."),
        core.Phase("mixed", "Magnetized, but with many states: a perturbed message disturbs the whole graph."),
    )
    failures = (
        core.Failure(
            "broken_replica_symmetry",
            "A perturbed message grows as it travels (lambda > 1): there are many pure states, the messages of one of "
            "them are not given by these equations, and belief propagation does not settle.",
        ),
        core.Failure(
            "short_loops",
            "The square lattice is disordered here. Its loops of length four bring messages back as if they were news.",
        ),
    )
    landmarks = (
        core.Landmark("ferromagnet", "T_F", "without a field, magnetization begins"),
        core.Landmark("spin_glass", "T_{SG}", "without a field, spins freeze in random directions"),
        core.Landmark(
            "nishimori",
            "T_N",
            "the Nishimori line of Bayes-optimal inference",
            continuous=False,
            title="Nishimori line",
        ),
        core.Landmark(
            "at_line",
            r"\lambda=1",
            "inside the ferromagnet replica symmetry breaks below it",
            continuous=False,
            title="AT line",
        ),
        core.Landmark("naive_mean_field", "T_{MF}", "naive mean field would order below it", continuous=False),
    )
    planes = (
        core.Plane("antiferromagnetic_fraction", "temperature", "magnetization"),
        core.Plane("field", "temperature", "magnetization"),
    )
    presets = (
        core.Preset(
            "ferromagnet", {"temperature": 1.2, "antiferromagnetic_fraction": 0.0},
            "Belief propagation settles in a dozen steps, on the values of the infinite graph to three digits.",
        ),
        core.Preset(
            "critical messages", {"temperature": 1.85, "antiferromagnetic_fraction": 0.0},
            "Just above T_c = 1.820 the opinion fades slowly, along the path that density evolution predicts.",
            (core.Promise(core.Crossing("ferromagnet", "temperature"), 1.820, 0.0005),),
        ),
        core.Preset(
            "spin glass", {"temperature": 0.7, "antiferromagnetic_fraction": 0.5, "start": "random"},
            "Below T = 1.135 with mixed signs the messages never settle: the trace of their change does not fall.",
            (core.Promise(core.Crossing("spin_glass", "temperature"), 1.135, 0.0005),),
        ),
        core.Preset(
            "Nishimori line", {"temperature": 0.9102, "antiferromagnetic_fraction": 0.1},
            "On the line of optimal inference overlap and magnetization are the same, and messages settle.",
        ),
        core.Preset(
            "short loops",
            {"graph": "square", "degree": 4, "temperature": 2.6, "antiferromagnetic_fraction": 0.0, "size": 2500},
            "The lattice is disordered at T = 2.6, yet belief propagation insists on m = 0.66; try heat bath.",
            (core.Promise(core.Value("magnetization"), 0.66, 0.005),
             core.Promise(core.Mean("magnetization", 200, 300), 0.66, 0.005)),
        ),
        core.Preset(
            "population", {"temperature": 0.8, "antiferromagnetic_fraction": 0.08, "algorithm": "population_dynamics",
                           "size": 20_000, "graph": "erdos_renyi"},
            "Twenty thousand messages that meet at random reproduce the law of the infinite graph.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "magnetization at c = 3, T = 1.8", 0.28297574239631035, 1e-10, "eq. (2) with one message, mpmath",
            lambda model: _pure(3, 1.8, "magnetization"),
        ),
        core.Reference(
            "free energy at c = 6, T = 4", -3.2806277925369187, 1e-10, "eq. (3) with one message, mpmath",
            lambda model: _pure(6, 4.0, "free_energy"),
        ),
        core.Reference(
            "spin-glass temperature at c = 3", 1.134592657106511, 1e-12, "eq. (5)",
            lambda model: float(
                BethePropagation(antiferromagnetic_fraction=0.5).landmark("spin_glass", "temperature")[0]
            ),
        ),
        core.Reference(
            "overlap over magnetization on the Nishimori line", 1.0, 1e-5, "an identity there (Nishimori 1981)",
            lambda model: _nishimori_ratio(0.1),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "On a random graph where every node has three neighbours, all couplings +1, the messages start up. Naive "
            "mean field puts the critical temperature at 3. Where is it?",
            {"temperature": 1.2, "antiferromagnetic_fraction": 0.0}, "temperature",
            lambda model: float(model.landmark("ferromagnet", "temperature")[0]), 0.05,
            "1.820: a spin must not count its own influence that comes back to it through a neighbour.",
        ),
        core.Task(
            "Half of the couplings are -1. Lower the temperature until the spins freeze, each in its own direction. At "
            "which temperature is that?",
            {"temperature": 2.0, "antiferromagnetic_fraction": 0.5, "start": "random"}, "temperature",
            lambda model: float(model.landmark("spin_glass", "temperature")[0]), 0.05,
            "1.135: the mean message stays zero, but its mean square grows by (c - 1) tanh(1/T)^2 in every step.",
        ),
    )  # fmt: skip
    tolerance = 1e-7
    simulation = PropagationSimulation

    @property
    def random_graph(self) -> RandomGraph:
        """The infinite random graph whose equations are solved."""
        return RandomGraph(SQUARE_DEGREE if self.graph == "square" else self.degree, self.graph == "erdos_renyi")

    def realised(self) -> BethePropagation:
        if self.algorithm == "population_dynamics":
            return self
        return self.with_simulated(size=nodes(self.graph, self.degree, self.size))

    def solve(self, points: Points) -> core.Solution:
        n = points["temperature"].size
        names = ("magnetization", "overlap", "cavity_field", "energy", "free_energy", "stability", "residual")
        values = {name: np.full((n, 3), np.nan) for name in (*names, "order_growth")}
        for degree in np.unique(points["degree"]):
            those = points["degree"] == degree
            part = self.replace(degree=int(degree))._solved({k: v[those] for k, v in points.items()})
            for name, found in part.items():
                values[name][those] = found
        t, rho, h = (points[k][:, None] for k in ("temperature", "antiferromagnetic_fraction", "field"))
        residual, growth = values.pop("residual"), values.pop("order_growth")
        values["entropy"] = (values["energy"] - values["free_energy"]) / t
        m, unstable = values["magnetization"], values["stability"] >= 1 + 1e-6
        stable = np.isfinite(residual)
        stable[:, (PARAMAGNET, SPIN_GLASS)] &= (1 - 2 * rho) * growth[:, (PARAMAGNET, SPIN_GLASS)] <= 1
        stable[:, PARAMAGNET] &= ~unstable[:, PARAMAGNET]
        validity = np.where(unstable, BROKEN_REPLICAS, 0)
        validity[:, PARAMAGNET] = 0  # unstable there, but a solution like any other
        if self.graph == "square":
            ordered = np.abs(np.where(np.isnan(m), 0, m)) > 1e-9
            ordered[:, SPIN_GLASS] = True
            wrong = (h == 0) & ordered & ((t > SQUARE_CRITICAL) | (rho > SQUARE_NISHIMORI))
            validity = np.where(wrong, SHORT_LOOPS, validity)
        return core.Solution(values, residual, stable=stable, validity=validity)

    def _solved(self, points: Points) -> dict[str, Array]:
        """All branches at points of one degree, arrays of shape (n, 3); residual NaN where there is none."""
        t, rho, h = (points[k] for k in ("temperature", "antiferromagnetic_fraction", "field"))
        graph, n = self.random_graph, points["temperature"].size
        names = ("magnetization", "overlap", "cavity_field", "energy", "free_energy", "stability")
        found = {name: np.full((n, 3), np.nan) for name in (*names, "residual", "order_growth")}
        free = h == 0
        bond = np.tanh(1 / t)
        zero: dict[str, Any] = {
            "magnetization": 0.0, "overlap": 0.0, "cavity_field": 0.0, "energy": -0.5 * graph.degree * bond,
            "free_energy": -t * (LN2 + 0.5 * graph.degree * log_cosh_array(1 / t)), "residual": 0.0,
            "stability": graph.branching * bond**2, "order_growth": graph.branching * bond,
        }  # fmt: skip
        for name, value in zero.items():
            found[name][free, PARAMAGNET] = np.broadcast_to(value, n)[free]

        cold, place = np.unique(t[free], return_inverse=True)
        growth = np.ones(n)
        if cold.size:
            even = glasses(graph, cold)
            growth[free] = even.order[place]
            ensemble = Ensemble(graph, cold, np.zeros(cold.size), np.full(cold.size, 0.5))
            averages = ensemble.observables(even.weights)
            averages |= {"stability": even.stability, "residual": even.residual}
            frozen = np.flatnonzero(free)[(graph.branching * np.tanh(1 / cold) ** 2 > 1)[place]]
            row = place[np.searchsorted(np.flatnonzero(free), frozen)]
            for name, value in averages.items():
                found[name][frozen, SPIN_GLASS] = value[row]
            found["order_growth"][frozen, SPIN_GLASS] = growth[frozen]

        magnetized = np.flatnonzero(~free | (growth * (1 - 2 * rho) > 1))
        simple = magnetized[(rho[magnetized] == 0) & (not graph.poissonian)]
        self._homogeneous(found, simple, t, h)
        rest = np.setdiff1d(magnetized, simple)
        if rest.size:
            # Turning the field over turns the magnetization over and changes nothing else
            asked = np.stack([t[rest], np.abs(h[rest]), rho[rest]])
            different, place = np.unique(asked, axis=1, return_inverse=True)
            ensemble, place = Ensemble(graph, *np.ascontiguousarray(different)), place.reshape(-1)
            weights, residual, _ = ensemble.solve(atom(1.0))
            averages = ensemble.observables(weights)
            averages |= {"stability": ensemble.growth(weights, True), "residual": residual}
            sign = np.where(h[rest] < 0, -1.0, 1.0)
            for name, value in averages.items():
                odd = name in ("magnetization", "cavity_field")
                found[name][rest, FERROMAGNET] = sign * value[place] if odd else value[place]
        return found

    def _homogeneous(self, found: dict[str, Array], rows: Array, t: Array, h: Array) -> None:
        """A regular graph without negative couplings: one message for all, to machine precision."""
        graph = self.random_graph
        u, m, energy, free_energy, residual = (np.empty(rows.size) for _ in range(5))
        homogeneous(t[rows], h[rows], float(graph.degree), u, m, energy, free_energy, residual)
        beta, cavity = 1 / t[rows], h[rows] + graph.branching * u
        slope = 0.5 * (np.tanh(beta * (1 + cavity)) + np.tanh(beta * (1 - cavity)))
        values = {
            "magnetization": m, "overlap": m**2, "cavity_field": u, "energy": energy, "free_energy": free_energy,
            "residual": residual, "stability": graph.branching * slope**2,
        }  # fmt: skip
        for name, value in values.items():
            found[name][rows, FERROMAGNET] = value

    def select(self, points: Points, solution: core.Solution) -> Array:
        """The branch that messages started up arrive at: free energies of glassy states do not decide."""
        exists = solution.exists(self.tolerance)
        order = (FERROMAGNET, SPIN_GLASS, PARAMAGNET)
        return np.select([exists[:, k] for k in order], order, -1)

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        broken = solution.values["stability"][:, FERROMAGNET] >= 1 + 1e-6
        return np.where((equilibrium == FERROMAGNET) & broken, MIXED, equilibrium)

    def landmark(self, name: str, along: str) -> Array:
        graph, t = self.random_graph, self.temperature
        b, straight = graph.branching, 1 - 2 * self.antiferromagnetic_fraction
        if along not in ("temperature", "antiferromagnetic_fraction"):
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        hot = along == "temperature"
        found: list[float] = []
        if name == "nishimori" and hot:
            found = [1 / math.atanh(straight)] if 0 < straight < 1 else []
        elif name == "nishimori":
            found = [0.5 * (1 - math.tanh(1 / t))]
        elif self.field != 0:
            pass  # the others are those without a field
        elif name == "naive_mean_field":
            found = [graph.degree * straight] if hot else [0.5 * (1 - t / graph.degree)]
        elif name == "spin_glass" and hot:
            found = [1 / math.atanh(b**-0.5)] if straight <= b**-0.5 else []
        elif name == "ferromagnet":
            found = self._ends_of_order() if hot else ends_of_order(graph, np.array([t])).tolist()
        elif name == "at_line" and not hot:
            temperatures, shares = replica_line(graph)
            found = [float(np.interp(t, temperatures, shares))] if temperatures[0] <= t <= temperatures[-1] else []
        else:
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        return self.control(along).within(found)

    def _ends_of_order(self) -> list[float]:
        """All temperatures at which magnetization begins or vanishes at this share of negative couplings."""
        graph, straight = self.random_graph, 1 - 2 * self.antiferromagnetic_fraction
        found = [1 / math.atanh(1 / (graph.branching * straight))] if graph.branching * straight > 1 else []
        top = 1 / math.atanh(graph.branching**-0.5)
        if straight <= graph.branching**-0.5:
            found = []  # frozen before it could order

        def excess(t: float) -> float:
            return float(straight * glasses(graph, np.array([t])).order[0] - 1)

        grid = np.linspace(self.control("temperature").bounds[0], top, 13)[:-1]
        values = straight * glasses(graph, grid).order - 1
        for k in range(len(grid) - 1):
            if values[k] * values[k + 1] < 0:
                found.append(float(brentq(excess, grid[k], grid[k + 1], xtol=1e-9)))
        return found

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """In the plane of temperature and negative couplings, as curves over temperature."""
        if {x, y} != {"temperature", "antiferromagnetic_fraction"} or (self.field != 0 and name != "nishimori"):
            raise core.NotOfferedError(self.title, f"the boundary {name!r} in the plane ({x}, {y})")
        graph = self.random_graph
        b, low = graph.branching, self.control("temperature").bounds[0]
        top, point = 1 / math.atanh(b**-0.5), 0.5 * (1 - b**-0.5)
        if name == "spin_glass":
            t, rho = np.full(2, top), np.array([point, 0.5])
        elif name == "ferromagnet":
            above = np.linspace(0, point, 65)
            below = np.linspace(top, low, 25)[1:]
            t = np.concatenate([1 / np.arctanh(1 / (b * (1 - 2 * above))), below])
            rho = np.concatenate([above, ends_of_order(graph, below)])
        elif name == "at_line":
            t, rho = replica_line(graph)
        elif name == "naive_mean_field":
            rho = np.linspace(0, 0.5, 65)
            t = graph.degree * (1 - 2 * rho)
        else:
            t = np.geomspace(low, self.control("temperature").bounds[1], 257)
            rho = 0.5 * (1 - np.tanh(1 / t))
        high = self.control("temperature").bounds[1]
        t = np.where((t < low) | (t > high), np.nan, t)
        return (rho, t) if x == "antiferromagnetic_fraction" else (t, rho)

    def _weights(self) -> tuple[Ensemble, Array]:
        """The distribution of messages in equilibrium at these controls, weights of shape (1, POINTS)."""
        solution = self.equilibrium()
        branch = int(np.argmax([b.name == str(solution["branch"].values) for b in self.branches]))
        t, h, rho = self.temperature, self.field, self.antiferromagnetic_fraction
        one = Ensemble(self.random_graph, np.array([t]), np.array([abs(h)]), np.array([rho]))
        if branch == PARAMAGNET:
            return one, atom(0.0)[None]
        if branch == SPIN_GLASS:
            return one, glasses(self.random_graph, np.array([t])).weights
        weights, _, _ = one.solve(atom(1.0))
        return one, weights if h >= 0 else weights[:, ::-1]

    def law(self) -> core.Law:
        solution = self.equilibrium()
        if not np.isfinite(float(solution["cavity_field"])):
            raise core.NotOfferedError(self.title, "a law where no solution was found")
        regular = not self.random_graph.poissonian and self.antiferromagnetic_fraction == 0
        if regular or float(solution["overlap"]) == 0:
            position = float(solution["cavity_field"])
            return core.Law("message", GRID, np.zeros(POINTS), "one message for all", atoms=((position, 1.0),))
        ensemble, weights = self._weights()
        out = np.empty(POINTS)
        sums = ensemble.cavity_sums(weights)[0]
        places = ensemble.places[0] if self.field >= 0 else 2 * CENTRE - ensemble.places[0][::-1]
        push_linearly(np.ascontiguousarray(sums), places, self.antiferromagnetic_fraction, out)
        density = np.maximum(out, 0) * FINENESS
        return core.Law("message", GRID, density / np.trapezoid(density, GRID), "distribution of messages, eq. (4)")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Density evolution from the starting messages: parallel undamped belief propagation, and populations."""
        if self.algorithm == "heat_bath" or self.damping > 0 or self.graph == "square":
            return {}
        one = Ensemble(
            self.random_graph, np.array([self.temperature]), np.array([self.field]),
            np.array([self.antiferromagnetic_fraction]),
        )  # fmt: skip
        weights = atom(1.0)[None] if self.start == "up" else np.where(np.abs(GRID) <= 1, 1.0, 0.0)[None]
        weights = weights / weights.sum()
        rows = np.zeros(1, np.int64)
        # Members of a population are replaced one by one, so their distribution follows an equation in time.
        share, steps = (1.0, 1) if self.algorithm == "belief_propagation" else (1 - math.exp(-0.125), 8)
        count = math.ceil(float(times.max(initial=0.0))) + 1
        path = []
        for _ in range(min(count, 2000)):
            averages = one.observables(weights)
            path.append([float(averages[name][0]) for name in ("magnetization", "overlap", "cavity_field")])
            for _ in range(steps):
                weights = (1 - share) * weights + share * one.step(weights, rows)
        table = np.array(path).T
        known = np.arange(table.shape[1])
        return {
            name: np.interp(times, known, values)
            for name, values in zip(("magnetization", "overlap", "cavity_field"), table, strict=True)
        }

    def range(self, plane: core.Plane, axis: str) -> tuple[float, float]:
        """Temperatures up to a little above that of naive mean field."""
        low, high = super().range(plane, axis)
        return (
            (low, min(1.07 * self.random_graph.degree, high)) if getattr(plane, axis) == "temperature" else (low, high)
        )

    def footprint(self) -> int:
        return 2000 * self.size + 100 * self.size * self.degree


def _pure(degree: int, temperature: float, name: str) -> float:
    """A theoretical value where all couplings are +1."""
    model = BethePropagation(degree=degree, temperature=temperature, antiferromagnetic_fraction=0.0)
    return float(model.equilibrium()[name])


def _nishimori_ratio(rho: float) -> float:
    model = BethePropagation(temperature=1 / math.atanh(1 - 2 * rho), antiferromagnetic_fraction=rho)
    found = model.equilibrium()
    return float(found["overlap"] / found["magnetization"])
