"""Graphs as arrays that kernels can walk along: random ones, and the square lattice."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.space.lattices import neighbourhood

SQUARE_DEGREE = 4


class Links(NamedTuple):
    """Every edge seen from both ends, the ends of one node side by side.

    starts: the ends of node i are starts[i] ... starts[i + 1] - 1, int64 of shape (nodes + 1,).
    neighbours: node at the other end, int32 of shape (2 edges,).
    reverse: the same edge seen from there, int32 of shape (2 edges,).
    edge: number of the edge, int32 of shape (2 edges,).
    """

    starts: NDArray[np.int64]
    neighbours: NDArray[np.int32]
    reverse: NDArray[np.int32]
    edge: NDArray[np.int32]

    @property
    def degrees(self) -> NDArray[np.int64]:
        return np.diff(self.starts)


def links(edges: NDArray[Any], nodes: int) -> Links:
    """Links of an undirected graph. edges: whole numbers of shape (edges, 2)."""
    count = len(edges)
    here = np.concatenate([edges[:, 0], edges[:, 1]]) if count else np.empty(0, np.int64)
    there = np.concatenate([edges[:, 1], edges[:, 0]]) if count else np.empty(0, np.int64)
    order = np.argsort(here, kind="stable")
    place = np.empty(2 * count, np.int32)
    place[order] = np.arange(2 * count)
    starts = np.concatenate([[0], np.cumsum(np.bincount(here.astype(np.int64), minlength=nodes))]).astype(np.int64)
    other_end = np.concatenate([np.arange(count, 2 * count), np.arange(count)])
    return Links(
        starts, there[order].astype(np.int32), place[other_end[order]], (order % max(count, 1)).astype(np.int32)
    )


def build(graph: str, degree: int, nodes: int, rng: np.random.Generator) -> tuple[Links, tuple[int, int]]:
    """A graph and the shape (rows, columns) in which to show it.

    Args:
        graph: "square" (nodes must be a square number), "random_regular" (nodes times degree must be even), or
            "erdos_renyi", of this mean degree.
    """
    import networkx as nx

    seed = int(rng.integers(2**31))
    if graph == "square":
        side = math.isqrt(nodes)
        table = neighbourhood("square", side).table()
        here = np.repeat(np.arange(side * side), SQUARE_DEGREE)
        edges = np.stack([here, table.ravel()], axis=1)
        edges = edges[edges[:, 0] < edges[:, 1]]
        return links(edges, side * side), (side, side)
    if graph == "random_regular":
        made = nx.random_regular_graph(degree, nodes, seed=seed)
    else:
        made = nx.fast_gnp_random_graph(nodes, min(1.0, degree / (nodes - 1)), seed=seed)
    edges = np.array(made.edges(), np.int64).reshape(-1, 2)
    columns = math.ceil(math.sqrt(nodes))
    return links(edges, nodes), (math.ceil(nodes / columns), columns)
