"""Fixed points of many independent maps at once, accelerated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

LARGER = 1.1  # size of a combination, relative to what it combines, up to which it is used
STALLED = 40  # accelerated steps without a new best point after which something else must be tried


def fixed_points(
    step: Callable[[Array, Rows], Array],
    start: Array,
    tolerance: float = 1e-10,
    memory: int = 5,
    warm: int = 4,
    steps: int = 400,
) -> tuple[Array, Array, Rows]:
    """Fixed points x = step(x) of the rows of an array, by Anderson's acceleration (Walker and Ni 2011).

    After `warm` plain steps a row goes to the combination of its last images whose residual is smallest. If
    its residual then grows a hundredfold, or for long does not fall, it returns to its best point and goes on plainly,
    each time for twice as long. Combinations much larger than what they combine (of distributions that have moved, say,
    rather than changed) are not used.

    Args:
        step: takes points of shape (k, d) and the rows they belong to, shape (k,); only unfinished rows are asked for.
        start: shape (n, d). tolerance: for the sum of absolute changes of a row in one step.

    Returns (x of shape (n, d), last residual of each row, number of steps of each row).
    """
    x = np.array(start, np.float64)
    n, d = x.shape
    residual = np.full(n, np.inf)
    taken = np.zeros(n, np.int64)
    live = np.arange(n)
    points, images = np.zeros((n, memory, d)), np.zeros((n, memory, d))
    held = np.zeros(n, np.int64)
    best, best_image = np.full(n, np.inf), x.copy()
    improved = np.zeros(n, np.int64)
    plain_until, patience = np.full(n, warm), np.full(n, 2 * warm)
    for count in range(1, steps + 1):
        image = step(x[live], live)
        change = image - x[live]
        residual[live] = np.abs(change).sum(axis=1)
        taken[live] = count
        better = residual[live] < best[live]
        improved[live[better]] = count
        lost = ~(residual[live] <= 100 * best[live]) | (count - np.maximum(improved, plain_until)[live] > STALLED)
        best[live[better]], best_image[live[better]] = residual[live[better]], image[better]
        slot = held[live] % memory
        points[live, slot], images[live, slot] = change, image
        held[live] += 1
        held[live[lost]] = 0
        plain_until[live[lost]] = count + patience[live[lost]]
        patience[live[lost]] *= 2
        image[lost] = best_image[live[lost]]
        going = ~(residual[live] <= tolerance)
        x[live] = image
        live = live[going]
        if not live.size:
            break
        ready = live[(held[live] >= 2) & (plain_until[live] < count)]
        for k in range(2, memory + 1) if ready.size else ():
            those = ready[np.minimum(held[ready], memory) == k]
            if those.size:
                mixed = _mixed(points[those, :k], images[those, :k])
                sane = np.abs(mixed).sum(axis=1) <= LARGER * np.abs(x[those]).sum(axis=1)
                x[those[sane]] = mixed[sane]
    return x, residual, taken


def _mixed(changes: Array, images: Array) -> Array:
    """Combination of images, with weights that add to one, whose combined change is smallest."""
    gram = np.einsum("nid,njd->nij", changes, changes)
    k = gram.shape[1]
    scale = np.trace(gram, axis1=1, axis2=2)[:, None, None]
    gram = gram / scale + 1e-13 * np.eye(k)
    weights = np.linalg.solve(gram, np.ones((len(gram), k, 1)))[..., 0]
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("ni,nid->nd", weights, images))
