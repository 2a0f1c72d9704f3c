"""The replica-symmetric theory of a random graph: all branches, and where the ferromagnet ends or breaks up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.core.distinct import distinct
from mfexplore.families.lattice_spins.bethe_lattice import LN2, ordered
from mfexplore.families.sparse_graphs.density_evolution import atom
from mfexplore.families.sparse_graphs.replica_symmetric import Ensemble, RandomGraph, glasses, log_cosh

PARAMAGNET, FERROMAGNET, SPIN_GLASS = range(3)
AVERAGES = ("magnetization", "overlap", "cavity_field", "energy", "free_energy", "stability", "residual")


@lru_cache(maxsize=64)
def end_of_order(graph: RandomGraph) -> tuple[Array, Array]:
    """(temperatures, shares of negative couplings) where without a field magnetization vanishes into a spin glass.

    Between them lines are right to 2e-5: nearer to T_SG a spin glass is not known better.
    """
    top, n = 1 / math.atanh(graph.branching**-0.5), 25
    temperatures = 0.5 * (0.1 + top) - 0.5 * (top - 0.1) * np.cos(np.pi * np.arange(n) / (n - 1))
    shares = 0.5 * (1 - 1 / glasses(graph, temperatures).order)
    shares[-1] = 0.5 * (1 - graph.branching**-0.5)
    return temperatures, shares


@lru_cache(maxsize=64)
def replica_line(graph: RandomGraph) -> tuple[Array, Array]:
    """(temperatures, shares of negative couplings) where lambda = 1 inside the ferromagnet, below the Nishimori point.

    Between no negative couplings, where lambda < 1, and the end of the ferromagnet, where lambda > 1.
    """
    top = 1 / math.atanh(graph.branching**-0.5)
    temperatures = np.linspace(0.12, top, 12)[:-1]
    ends = np.interp(temperatures, *end_of_order(graph))

    def excess(shares: Array, rows: Array) -> Array:
        ensemble = Ensemble(graph, temperatures[rows], np.zeros(rows.size), shares)
        return ensemble.growth(ensemble.solve(atom(1.0))[0], True) - 1

    found = bracketed_roots(excess, np.zeros_like(ends), ends * (1 - 1e-3), tolerance=1e-4)
    return np.append(temperatures, top), np.append(found, 0.5 * (1 - graph.branching**-0.5))


def solved(graph: RandomGraph, t: Array, rho: Array, h: Array) -> dict[str, Array]:
    """All branches at points of shape (n,), arrays of shape (n, 3); residual NaN where there is none."""
    n = t.size
    found = {name: np.full((n, 3), np.nan) for name in (*AVERAGES, "order_growth")}

    def write(branch: int, rows: Array, values: Mapping[str, Any], place: Array | None = None) -> None:
        for name, value in values.items():
            found[name][rows, branch] = value if place is None else np.asarray(value)[place]

    free, growth = np.flatnonzero(h == 0), np.ones(n)
    if free.size:
        different, place = np.unique(t[free], return_inverse=True)
        even, bond = glasses(graph, different), np.tanh(1 / different)
        growth[free] = even.order[place]
        paramagnet = {
            "magnetization": 0 * bond, "overlap": 0 * bond, "cavity_field": 0 * bond, "residual": 0 * bond,
            "energy": -0.5 * graph.degree * bond, "stability": graph.branching * bond**2,
            "free_energy": -different * (LN2 + 0.5 * graph.degree * log_cosh(1 / different)),
            "order_growth": graph.branching * bond,
        }  # fmt: skip
        write(PARAMAGNET, free, paramagnet, place)
        frozen = (graph.branching * bond**2 > 1)[place]
        ensemble = Ensemble(graph, different, np.zeros(different.size), np.full(different.size, 0.5))
        glass = {"stability": even.stability, "residual": even.residual, "order_growth": even.order}
        write(SPIN_GLASS, free[frozen], ensemble.observables(even.weights) | glass, place[frozen])

    magnetized = (h != 0) | (growth * (1 - 2 * rho) > 1)
    single = magnetized & (rho == 0) & (not graph.poissonian)
    rows = np.flatnonzero(single)  # one message for all, to machine precision
    one = ordered(True, t[rows], h[rows], graph.degree)
    beta, cavity = 1 / t[rows], h[rows] + graph.branching * one.cavity_field
    slope = 0.5 * (np.tanh(beta * (1 + cavity)) + np.tanh(beta * (1 - cavity)))
    values = {name: getattr(one, name) for name in AVERAGES if name in one._fields}
    write(FERROMAGNET, rows, values | {"overlap": one.magnetization**2, "stability": graph.branching * slope**2})
    rows = np.flatnonzero(magnetized & ~single)
    if rows.size:
        # Turning the field over turns the magnetization over and changes nothing else
        asked = np.stack([t[rows], np.abs(h[rows]), rho[rows]])
        first, place = distinct(asked)
        averages = Ensemble(graph, *np.ascontiguousarray(asked[:, first])).state(atom(1.0))
        write(FERROMAGNET, rows, averages, place)
        for name in ("magnetization", "cavity_field"):
            found[name][rows, FERROMAGNET] *= np.where(h[rows] < 0, -1.0, 1.0)
    return found
