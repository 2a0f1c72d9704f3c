"""Boundaries of retrieval as values of S at a batch of the other controls, with and without broken symmetry."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.models.memory.dense_hebbian.broken import FREE_ENERGY, STRENGTH, curve_of, point_on
from mfexplore.models.memory.dense_hebbian.symmetric import (
    ADVANTAGE,
    At,
    Columns,
    at_point,
    breaking,
    competing_free_energy,
    excess,
    on_curve,
    reach_of,
    zero_along,
)
from mfexplore.numerics.kernel import kernel

BOUNDARIES = ("retrieval_spinodal", "retrieval_transition", "at_line")
SPINODAL, TRANSITION, REPLICA = range(3)


@kernel
def boundary_points(kind, columns, strengths, real):
    """S on one of the BOUNDARIES of retrieval without broken symmetry, at n points, and whether it is crossed there.
    Where it is not, `strengths` continues with the sign that it has there, so that crossings along other controls are
    found.
    """
    for i in range(strengths.size):
        at = at_point(columns, i)
        reach = reach_of(at)
        strengths[i], real[i] = reach.largest, reach.top > 0.0
        if reach.top == 0.0:
            strengths[i] = -1e-4
        elif kind == TRANSITION:
            best, worst = on_curve(reach.top * (1.0 - 1e-12), 0.1, at), on_curve(reach.fold, 0.3, at)
            ahead = excess(ADVANTAGE, 0.0, best, at)
            real[i] = ahead <= 0.0 < excess(ADVANTAGE, 0.0, worst, at)
            if real[i]:
                strengths[i] = zero_along(ADVANTAGE, 0.0, reach.fold, reach.top, at)[1]
            elif ahead > 0.0:
                strengths[i] = -ahead
        elif kind == REPLICA:
            nu, strengths[i] = breaking(reach, at)
            real[i] = nu > reach.fold


def crossing(curve: Array, at: At) -> float:
    """S where retrieval on the `curve_of` a branch and the state without it have the same free energy; infinite where
    retrieval is preferred up to the end.
    """

    def ahead(strengths: Array, _: Array) -> Array:
        return np.array([point_on(curve, s, at)[FREE_ENERGY] - competing_free_energy(s, at) for s in strengths])

    known = np.array([row[FREE_ENERGY] - competing_free_energy(row[STRENGTH], at) for row in curve])
    if known[-1] <= 0:
        return math.inf
    k = int(np.argmax(known > 0))
    if k == 0:
        return float(curve[0, STRENGTH])
    low, high = slice(k - 1, k), slice(k, k + 1)
    return float(bracketed_roots(ahead, curve[low, STRENGTH], curve[high, STRENGTH], (known[low], known[high]))[0])


def correct_boundary(transition: bool, columns: Columns, strengths: Array, real: Array) -> None:
    """Correct the spinodal or the transition of `boundary_points` where symmetry may be broken and that matters."""
    for i in np.flatnonzero(columns.broken & (strengths >= 0)):
        at = at_point(columns, i)
        curve = curve_of(at.temperature, at.order, at.spread)
        if len(curve) < 2 or (transition and real[i] and strengths[i] <= curve[0, STRENGTH]):
            continue
        found = crossing(curve, at) if transition else curve[-1, STRENGTH]
        strengths[i], real[i] = min(found, curve[-1, STRENGTH]), found < math.inf
