r"""Spins with couplings +-1 on an infinite random graph, in replica symmetry: one message has a distribution,

$$u\stackrel{d}=\pm T\,\mathrm{artanh}\Big[\tanh\frac1T\tanh\frac1T\Big(h+\sum_{k=1}^{K}u_k\Big)\Big]$$

with the sign - with probability rho (`flipped`), and K the further neighbours of a spin met along an edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.lattice_spins.bethe_lattice import LN2
from mfexplore.families.sparse_graphs.density_evolution import CENTRE, FINENESS, GRID, POINTS, Sums, atom, push
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.anderson import fixed_points

Array = NDArray[Any]


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


def log_cosh(x: Array) -> Array:
    """The logarithm of cosh x, element by element and without overflow."""
    return np.asarray(np.logaddexp(x, -x) - LN2)


@dataclass(frozen=True)
class RandomGraph:
    """What the equation needs to know of the graph: its degrees. degree: mean number of neighbours."""

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
    """The equation at a batch of points: temperature, field, flipped (rho), each of shape (n,)."""

    def __init__(self, graph: RandomGraph, temperature: Array, field: Array, flipped: Array) -> None:
        self.graph, self.sums = graph, graph.sums
        self.temperature, self.field, self.flipped = temperature, field, flipped
        beta = (1 / temperature)[:, None]
        cavity = field[:, None] + self.sums.values
        passed = 0.5 * (log_cosh(beta * (1 + cavity)) - log_cosh(beta * (1 - cavity))) / beta
        self.places = passed * FINENESS + CENTRE
        self.ones = np.ones_like(self.places)

    def cavity_sums(self, weights: Array, fewer: int = 0) -> Array:
        """Distribution of the sum of K messages, or of K - fewer (which for a Poisson number is again K)."""
        transformed = self.sums.transform(weights)
        return self.sums.back(self.sums.power(transformed, self.graph.branching - fewer * (not self.graph.poissonian)))

    def step(self, weights: Array, rows: Array) -> Array:
        """The distribution of the left side of the equation from that of the right side, for some rows."""
        out = np.empty_like(weights)
        push(self.cavity_sums(weights), self.places[rows], self.flipped[rows], self.ones[rows], out)
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    def solve(self, start: Array) -> tuple[Array, Array, Array]:
        """(weights, residuals, iterations) from a distribution of shape (POINTS,) or one for each row."""
        rows = np.broadcast_to(start, (self.temperature.size, POINTS))
        return fixed_points(self.step, rows, tolerance=1e-9, steps=600)

    def growth(self, weights: Array, squared: bool) -> Array:
        """Factor by which a perturbation of the messages grows in a step, shape (n,).

        Of its mean square, lambda; or (not squared) of its mean where all couplings are +1 and the
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
        """Averages over the graph, shape (n,), by Bethe's free energy."""
        graph, sums = self.graph, self.sums
        beta, h = (1 / self.temperature)[:, None], self.field[:, None]
        transformed = sums.transform(weights)
        others = sums.power(transformed, graph.branching)
        # At a node; and at the end of an edge with the message along it, which is the same on a regular graph
        node = sums.back(sums.power(transformed, graph.degree))
        end = sums.back(others * transformed) if graph.poissonian else node
        cavity = sums.back(others)
        spin = np.tanh(beta * (h + sums.values))
        cost = log_cosh(beta * (h + sums.values))
        bond, message = log_cosh(beta[:, 0]), (weights * log_cosh(beta * GRID)).sum(axis=1)
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

    def state(self, start: Array) -> dict[str, Array]:
        """Averages, lambda (`stability`) and residual of the solution reached from a start, see `solve`."""
        weights, residual, _ = self.solve(start)
        return self.observables(weights) | {"stability": self.growth(weights, True), "residual": residual}


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
