"""Roots of many scalar equations, and ends of many conditions, at once, each known to lie in a bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def bracketed_roots(
    function: Callable[[Array, NDArray[np.int64]], Array],
    low: Array,
    high: Array,
    values: tuple[Array, Array] | None = None,
    tolerance: float = 1e-14,
    steps: int = 60,
) -> Array:
    """The root of `function(x[k], k)` in [low[k], high[k]] for every k, where its ends differ in sign.

    False position in the Illinois variant (order 1.44, never leaves the bracket), bisecting whenever a bracket has not
    shrunk by half in three steps. Only unfinished roots are evaluated again. An end that is itself a root is returned.

    Args:
        function: takes x and the positions k it belongs to, both of shape (n,); returns shape (n,).
        low, high: shape (n,), finite.
        values: the function at low and at high, where they are known already.
        tolerance: width of the bracket, relative to 1 + |x|, at which a root is found.
    """
    a, b = np.array(low, np.float64), np.array(high, np.float64)
    everything = np.arange(a.size)
    fa, fb = map(np.array, values) if values is not None else (function(a, everything), function(b, everything))
    root = np.where(np.abs(fa) < np.abs(fb), a, b)
    live = everything[(fa * fb < 0)]
    wide, since = np.abs(b - a), np.zeros(a.size, np.int64)
    for _ in range(steps):
        if live.size == 0:
            break
        la, lb, lfa, lfb = a[live], b[live], fa[live], fb[live]
        with np.errstate(divide="ignore", invalid="ignore"):
            x = lb - lfb * (lb - la) / (lfb - lfa)
        slow = since[live] >= 3
        x = np.where(slow | ~np.isfinite(x), 0.5 * (la + lb), x)
        since[live[slow]] = 0
        value = function(x, live)
        crossed = value * lfb < 0
        # Illinois: if the same end stays twice, halve its value, so that the next step lands beyond the root.
        a[live] = np.where(crossed, lb, la)
        fa[live] = np.where(crossed, lfb, 0.5 * lfa)
        b[live], fb[live] = x, value
        width = np.abs(b[live] - a[live])
        halved = width <= 0.5 * wide[live]
        wide[live] = np.where(halved, width, wide[live])
        since[live] = np.where(halved, 0, since[live] + 1)
        root[live] = x
        moved = np.abs(x - lb)
        done = (value == 0) | (width <= tolerance * (1 + np.abs(x))) | (moved <= 0.1 * tolerance * (1 + np.abs(x)))
        live = live[~done]
    return root


def bisected(holds: Callable[[Array], NDArray[np.bool_]], low: Array, high: Array, steps: int = 54) -> Array:
    """Where a condition that holds from `low` on ceases to, before `high`, by bisection: for what has no values, only
    sides, or none that say how far it is.

    Args:
        holds: takes places of shape (n,), returns shape (n,). low, high: shape (n,), in any order.
        steps: halvings of each bracket; after 54 nothing is left of it but rounding.
    """
    for _ in range(steps):
        middle = (low + high) / 2
        before = holds(middle)
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return np.asarray((low + high) / 2)
