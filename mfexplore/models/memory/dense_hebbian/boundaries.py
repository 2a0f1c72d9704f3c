"""Boundaries as values of S at a batch of the other controls, with and without broken symmetry."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.models.memory.dense_hebbian import broken, symmetric
from mfexplore.models.memory.dense_hebbian.broken import DISTANCE, STRENGTH, broken_at, broken_curve, refine
from mfexplore.models.memory.dense_hebbian.symmetric import FAR, at_point, breaking, on_curve, reach_of
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.continuation import Bracket, false_position, narrowed

BOUNDARIES = ("retrieval_spinodal", "retrieval_transition", "at_line")
SPINODAL, TRANSITION, REPLICA = range(3)


@kernel
def free_energy_without(strength, at, series):
    """Free energy of the state that competes with retrieval; series: of the glass of broken symmetry, empty without."""
    if series.size == 0:
        return symmetric.competing_free_energy(strength, at.temperature, at.order)
    return broken.competing_free_energy(strength, at.temperature, at.order, series)


@kernel
def equal_strength(reach, at, series):
    """S at which retrieval without broken symmetry and the state without it have the same free energy; inf if retrieval
    is always preferred, a negative number if it never is.
    """
    top, fold, limit = reach
    deviation, before_nu, before = 0.1, top, 0.0
    pieces = 16
    for k in range(pieces + 1):
        nu = top - (top - fold) * (k / pieces if k > 0 else 1e-9)
        place = on_curve(nu, deviation, at)
        now = place.free_energy - free_energy_without(place.strength, at, series)
        if k == 0 and now > 0.0:
            return -now
        if now > 0.0:
            bracket = Bracket(nu, before_nu, now, before, 0)
            for _ in range(FAR):
                nu = false_position(bracket)
                place = on_curve(nu, place.deviation, at)
                now = place.free_energy - free_energy_without(place.strength, at, series)
                bracket = narrowed(bracket, nu, now)
                if bracket.high - bracket.low < 1e-13 or abs(now) < 1e-14:
                    break
            return place.strength if place.strength < limit else math.inf
        if place.strength > limit:
            break
        deviation, before_nu, before = place.deviation, nu, now
    return math.inf


@kernel
def equal_broken(curve, at, series):
    """The same on the broken branch; inf if retrieval is always preferred there."""
    nodes, first, last = curve
    result = np.empty(5)
    before = 0.0
    for k in range(first, last + 1):
        u = nodes[k].copy()
        refine(u, DISTANCE, at, result)
        strength = u[STRENGTH]
        now = result[3] - free_energy_without(strength, at, series)
        if now > 0.0:
            if k == first:
                return strength
            bracket = Bracket(nodes[k - 1, STRENGTH], strength, before, now, 0)
            for _ in range(FAR):
                strength = false_position(bracket)
                broken_at(strength, at, curve, u, result)
                now = result[3] - free_energy_without(strength, at, series)
                bracket = narrowed(bracket, strength, now)
                if bracket.high - bracket.low < 1e-11 or abs(now) < 1e-12:
                    break
            return strength
        before = now
    return math.inf


@kernel
def symmetric_boundary(kind, columns, series, strengths, real):
    """S on a boundary of retrieval without broken symmetry, at n points, and whether it is crossed there. Where it is
    not, `strengths` continues with the sign that it has there, so that crossings along other controls are found.
    """
    for i in range(strengths.size):
        at = at_point(columns, i)
        reach = reach_of(at)
        strengths[i], real[i] = reach.largest, reach.top > 0.0
        if reach.top == 0.0:
            strengths[i] = -1e-4
        elif kind == TRANSITION:
            found = equal_strength(reach, at, series[at.order - 3] if columns.broken[i] else series[0, :0])
            strengths[i], real[i] = min(found, reach.largest), 0.0 <= found < math.inf
        elif kind == REPLICA:
            nu, strengths[i] = breaking(reach, at)
            real[i] = nu > reach.fold


@kernel
def broken_boundary(kind, columns, series, strengths, real):
    """Correct what `symmetric_boundary` found where one step of symmetry breaking is allowed and matters: the spinodal,
    and the transition where retrieval was preferred up to there.
    """
    for i in range(strengths.size):
        if not columns.broken[i] or strengths[i] < 0.0:
            continue
        at = at_point(columns, i)
        curve = broken_curve(at)
        if curve.last <= curve.first:
            continue
        end = curve.nodes[curve.last, STRENGTH]
        if kind == SPINODAL:
            strengths[i] = end
        elif not real[i] or strengths[i] > curve.nodes[curve.first, STRENGTH]:
            found = equal_broken(curve, at, series[at.order - 3])
            strengths[i], real[i] = min(found, end), found < math.inf
