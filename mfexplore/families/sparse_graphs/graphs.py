"""Graphs as arrays that kernels can walk along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Links:
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
