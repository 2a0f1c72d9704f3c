"""Ways for lines between boxes that cross no other box: the shortest of all that turn only at corners of boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

CLEAR = 4.0  # how far a line keeps from the boxes that it passes
REACH = 500.0  # longer pieces of a line are not looked for, unless it is straight

Points = NDArray[np.float64]


def routes(centres: Points, sizes: Points, pairs: Iterable[tuple[int, int]]) -> list[Points]:
    """The way from box to box for each pair, as its turning points, shape (points, 2), between the two centres.

    centres, sizes: of the boxes, shape (n, 2); they lie farther apart than twice `CLEAR`. Where there is no way it is
    the straight line.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    half = sizes / 2 + CLEAR
    low, high = centres - half, centres + half
    corners = np.concatenate([centres + half * sign for sign in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    corners = corners[~((corners[:, None] > low + 1e-6) & (corners[:, None] < high - 1e-6)).all(axis=-1).any(axis=1)]
    first, second = np.triu_indices(len(corners), 1)
    near = np.hypot(*(corners[first] - corners[second]).T) < REACH
    first, second = first[near], second[near]
    free = ~_crossed(corners[first], corners[second], low, high).any(axis=1)
    first, second = first[free], second[free]
    length = np.hypot(*(corners[first] - corners[second]).T)
    graph = csr_matrix((length, (first, second)), (len(corners), len(corners)))
    between, before = dijkstra(graph, directed=False, return_predecessors=True)
    out = [_seen_from(k, centres, corners, low, high) for k in range(len(centres))]
    return [_way(a, b, centres, corners, low, high, out, between, before) for a, b in pairs]


def _seen_from(k: int, centres: Points, corners: Points, low: Points, high: Points) -> Points:
    """How far each corner is from the centre of a box, infinity where another box is between; shape (corners,)."""
    crossed = _crossed(np.broadcast_to(centres[k], corners.shape), corners, low, high)
    crossed[:, k] = False
    return np.where(crossed.any(axis=1), np.inf, np.hypot(*(corners - centres[k]).T))


def _way(
    a: int, b: int, centres: Points, corners: Points, low: Points, high: Points, out: list[Points], between: Points,
    before: NDArray[np.int32],
) -> Points:  # fmt: skip
    straight = centres[[a, b]]
    crossed = _crossed(straight[:1], straight[1:], low, high)[0]
    crossed[[a, b]] = False
    whole = out[a][:, None] + between + out[b][None]
    if not crossed.any() or not np.isfinite(whole).any():
        return straight
    start, end = np.unravel_index(int(np.argmin(whole)), whole.shape)
    turns = [int(end)]
    while turns[-1] != start:
        turns.append(int(before[start, turns[-1]]))
    return np.concatenate([straight[:1], corners[turns[::-1]], straight[1:]])


def _crossed(starts: Points, ends: Points, low: Points, high: Points) -> NDArray[np.bool_]:
    """Which boxes each piece of a line goes through the inside of; shape (pieces, boxes)."""
    way = (ends - starts)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        into, out = (low + 1e-6 - starts[:, None]) / way, (high - 1e-6 - starts[:, None]) / way
    enter, leave = np.fmin(into, out), np.fmax(into, out)
    beside = (way == 0) & ((starts[:, None] <= low + 1e-6) | (starts[:, None] >= high - 1e-6))
    enter = np.where(way == 0, np.where(beside, np.inf, -np.inf), enter)
    leave = np.where(way == 0, np.where(beside, -np.inf, np.inf), leave)
    crossed: NDArray[np.bool_] = np.maximum(enter.max(axis=-1), 0) < np.minimum(leave.min(axis=-1), 1)
    return crossed
