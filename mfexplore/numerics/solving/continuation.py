"""Following a root along a row of points, and pinning one down in a bracket, inside kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mfexplore.numerics.kernel import kernel


class Bracket(NamedTuple):
    """An interval with a root, the values of the function at its ends, and which end moved last (0: none yet)."""

    low: float
    high: float
    f_low: float
    f_high: float
    side: int = 0


@kernel
def false_position(bracket):
    """Where the chord of a bracket crosses zero."""
    low, high, f_low, f_high, _ = bracket
    return (low * f_high - high * f_low) / (f_high - f_low)


@kernel
def narrowed(bracket, x, f):
    """The bracket after the value f at x within it (Illinois: an end that stays twice has its value halved, so that the
    chord lands beyond the root; order 1.44, and never outside).
    """
    low, high, f_low, f_high, side = bracket
    if f * f_low > 0.0:
        return Bracket(x, high, f, f_high * (0.5 if side == 1 else 1.0), 1)
    return Bracket(low, x, f_low * (0.5 if side == -1 else 1.0), f, -1)


class Trail(NamedTuple):
    """The last solutions of two unknowns along a row of points, newest first; at most three are kept."""

    known: Any  # int64, shape (1,): how many
    places: Any  # shape (3,), as the other two
    firsts: Any
    seconds: Any


@kernel
def new_trail():
    """A trail without solutions."""
    return Trail(np.zeros(1, np.int64), np.zeros(3), np.zeros(3), np.zeros(3))


@kernel
def guessed(trail, place):
    """What the polynomials through the last solutions say of both unknowns at a new place; zeros if none is known."""
    known, x, y = trail.known[0], trail.firsts, trail.seconds
    a, b, c = trail.places[0], trail.places[1], trail.places[2]
    if known == 0:
        return 0.0, 0.0
    if known == 1:
        return x[0], y[0]
    if known == 2:
        w = (place - a) / (a - b)
        return x[0] + (x[0] - x[1]) * w, y[0] + (y[0] - y[1]) * w
    wa = (place - b) * (place - c) / ((a - b) * (a - c))
    wb = (place - a) * (place - c) / ((b - a) * (b - c))
    wc = (place - a) * (place - b) / ((c - a) * (c - b))
    return x[0] * wa + x[1] * wb + x[2] * wc, y[0] * wa + y[1] * wb + y[2] * wc


@kernel
def extend(trail, place, first, second):
    """Put a solution in front."""
    for k in (2, 1):
        for kept in (trail.places, trail.firsts, trail.seconds):
            kept[k] = kept[k - 1]
    trail.places[0], trail.firsts[0], trail.seconds[0] = place, first, second
    trail.known[0] = min(trail.known[0] + 1, 3)


@kernel
def forget(trail):
    """Begin a new row."""
    trail.known[0] = 0


@kernel
def only_change(before, now):
    """Index of the one component in which two tuples of numbers differ; -1 if there is none, or more than one."""
    found = -1
    for k in range(len(now)):
        if now[k] != before[k]:
            if found >= 0:
                return -1
            found = k
    return found
