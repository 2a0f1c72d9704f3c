"""Categorical Hopfield network: graphs, their couplings, and how long a pattern lasts."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array


def links(graph: str, units: int) -> Array:
    """Which unit helps which: bool, shape (n, n), true at (i, j) for j -> i. Two cliques have `units` each."""
    if graph == "cycle":
        return np.roll(np.eye(units, dtype=bool), 1, axis=0)
    clique = ~np.eye(units, dtype=bool)
    return clique if graph == "clique" else np.kron(np.eye(2, dtype=bool), clique)


def couplings(graph: str, units: int, epsilon: float, delta: float) -> Array:
    """W of eq. (2)."""
    edges = links(graph, units)
    return np.where(edges, epsilon - 1, -1 - delta) * ~np.eye(len(edges), dtype=bool)


def lasting(factor: Array) -> Array:
    """Periods per update of a deviation that is multiplied by this, if it grows; 0 if it dies out."""
    return np.where(np.abs(factor) < 1, 0.0, np.abs(np.angle(factor)) / (2 * math.pi))
