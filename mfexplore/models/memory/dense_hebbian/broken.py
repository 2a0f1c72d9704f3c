"""One step of replica symmetry breaking: the retrieval branch of eq. (7)."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np

from mfexplore.core import Array
from mfexplore.families.memories import RETRIEVAL
from mfexplore.families.replicas import p_body
from mfexplore.families.replicas.nested import nested_averages
from mfexplore.models.memory.dense_hebbian.symmetric import (
    At,
    Columns,
    at_point,
    breaking,
    margin,
    pressure,
    reach_of,
    retrieved,
)
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.linear import solve_linear

# The branch is followed along d = q1 - q0, from d = 0, where lambda vanishes, to where S is largest. What is known of a
# point of it: four unknowns and d, what they entail, and last sqrt(largest S - S), along which all are smooth.
SIGNAL, RESPONSE, GAMMA, STRENGTH, DISTANCE, MAGNETIZATION, QUARTIC, ENTROPY, FREE_ENERGY, RESIDUAL, DEPTH = range(11)
NODES = np.array([0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.065, 0.1, 0.15, 0.21, 0.28, 0.37, 0.47, 0.6, 0.75])
FIRST = 4  # the node that is solved first


@kernel
def one_step(u, at, out):
    """How far a point is from stationarity of eq. (7). Returns (m, mean of sech^4/T, of S, f); m NaN off the domain.

    out: shape (4,): nu, C, q1 - q0 and gamma; the last two divided by powers of d, or every point of replica symmetry,
    with d = 0 and any gamma, would be a solution.
    """
    nu, c, gamma, strength, d = u[0], u[1], u[2], u[3], u[4]
    temperature, order, spread = at.temperature, at.order, at.spread
    q1 = 1.0 - temperature * c
    q0 = q1 - d
    if not (nu > 0.0 and q0 > 0.0 and d > 0.0 and strength > 0.0 and gamma > 0.0 and gamma * temperature <= 1.0):
        out[0] = math.nan
        return math.nan, 0.0, 0.0, 0.0
    mean = nu ** (order - 1)
    outer = strength * q0 ** (order - 1)
    variances = np.array([outer + spread * mean * mean, strength * q1 ** (order - 1) - outer])
    squares, potentials = np.empty(2), np.empty(2)
    m, c_new, quartic, entropy = nested_averages(temperature, variances, np.array([gamma]), mean, squares, potentials)
    q1_new = 1.0 - temperature * c_new
    work = 0.5 * (order - 1) * strength / order * (q1**order - q0**order)
    out[0] = m + spread * mean * (c_new + gamma * (q1_new - squares[0])) - nu
    out[1] = c_new - c
    out[2] = (q1_new - squares[0] - d) / d
    out[3] = (work * gamma + potentials[0] - potentials[1]) / d**3
    push = pressure(q1, c, strength, order)
    f = (order - 1.0) / order * nu**order - temperature * push + gamma * work - potentials[0]
    return m, quartic, entropy - push, f


@kernel
def refine(u, fixed, at):
    """Newton (finite differences, Jacobian kept while it serves) for the stationary point of eq. (7) with one of the
    first five entries of a point held. Overwrites it. Returns the iterations, 0 if that did not converge.
    """
    out, tried, shifted = np.empty(4), np.empty(4), np.empty(5)
    jacobian = np.empty((4, 4))
    free = np.array([k for k in range(5) if k != fixed])
    size, fresh = math.inf, False
    for iteration in range(25):
        u[MAGNETIZATION], u[QUARTIC], u[ENTROPY], u[FREE_ENERGY] = one_step(u, at, out)
        d, now = u[DISTANCE], np.abs(out).max()
        u[RESIDUAL] = max(max(abs(out[0]), abs(out[1])), max(abs(out[2]) * d, abs(out[3]) * d**3))
        if not now < math.inf:
            return 0
        fresh = iteration == 0 or (now > 0.1 * size and not fresh)
        size = now
        if fresh:
            for column in range(4):
                k = free[column]
                shifted[:] = u[:5]
                step = 1e-5 * u[k] if k != GAMMA else -1e-5 * u[k]  # gamma = 1/T is the edge of the domain
                shifted[k] += step
                one_step(shifted, at, tried)
                jacobian[:, column] = (tried - out) / step
        solve_linear(jacobian.copy(), out)
        largest = 0.0
        for column in range(4):
            largest = max(largest, abs(out[column]) / u[free[column]])
        if not largest < math.inf:
            return 0
        for column in range(4):
            u[free[column]] -= min(1.0, 0.3 / largest) * out[column]
        if largest < 2e-8 and u[RESIDUAL] < 3e-9:
            return iteration + 1
    return 0


def refined(guess: Array, fixed: int, at: At) -> Array | None:
    """The point that `refine` finds from a guess."""
    point = guess.copy()
    return point if refine(point, fixed, at) else None


def interpolated(rows: Array, value: float, by: int) -> Array:
    """Guess at a `value` of one entry from the polynomial through two or three points."""
    powers = np.vander(rows[:, by] - value, increasing=True)
    guess: Array = np.linalg.solve(powers.T, np.eye(len(rows))[0]) @ rows
    guess[by] = value
    return guess


def follow(rows: list[Array], distances: Array, at: At) -> list[Array]:
    """Go on behind the last of `rows` to one distance d after another, until there is no solution or S has fallen."""
    rising = distances[-1] > rows[-1][DISTANCE]
    for d in distances:
        new = refined(interpolated(np.array(rows[-3:]), d, DISTANCE), DISTANCE, at) if len(rows) > 2 else None
        for pieces in (1, 2, 8):
            if new is not None:
                break
            new = rows[-1]
            for step in np.geomspace(rows[-1][DISTANCE], d, pieces + 1)[1:]:
                if new is not None:
                    new = refined(rescaled(new, step, at), DISTANCE, at)
        if new is None:
            break
        rows.append(new)
        if rising and new[STRENGTH] < rows[-2][STRENGTH]:
            break
    return rows


def rescaled(point: Array, d: float, at: At) -> Array:
    """Guess at another d from one point: gamma follows what smooths a state, temperature and fields within it."""
    guess = point.copy()
    smoothing = at.temperature**2 + 0.55 * point[STRENGTH] * np.array([point[DISTANCE], d])
    guess[GAMMA] *= math.sqrt(smoothing[0] / smoothing[1])
    guess[DISTANCE] = d
    return guess


def first_point(at: At) -> Array | None:
    """The point of the node `FIRST`, from symmetric solutions near its start, where symmetry breaks."""
    reach = reach_of(at)
    if reach.top == 0 or breaking(reach, at)[0] <= reach.fold:
        return None
    t, d = at.temperature, NODES[FIRST]
    for share, factor in itertools.product((0.95, 1.0, 0.8), (1.0, 0.7, 1.4, 0.5, 2.0)):
        strength = share * reach.largest
        state = retrieved(reach, strength, at)
        gamma = factor * 0.52 / math.sqrt(t**2 + 0.55 * d * strength)
        guess = np.zeros(DEPTH + 1)
        guess[: DISTANCE + 1] = state.nu, state.c, min(gamma, 0.9 / t) if t > 0 else gamma, strength, d
        found = refined(guess, DISTANCE, at) if state.residual < math.inf else None
        if found is not None:
            return found
    return None


@lru_cache(4096)
def curve_of(temperature: float, order: int, spread: float) -> Array:
    """Points of the broken branch for a Gaussian b, one a row, from the least S to the largest; fewer than two where
    symmetry holds up to the end of retrieval.
    """
    at = At(temperature, order, spread, np.ones(1), np.ones(1), p_body.line_of(order))
    first = first_point(at)
    if first is None:
        return np.empty((0, DEPTH + 1))
    down = follow([first], NODES[FIRST - 1 :: -1], at)
    curve = np.array(follow(down[::-1], NODES[FIRST + 1 :], at))
    for _ in range(4):  # the maximum of S by parabolas
        peak = int(curve[:, STRENGTH].argmax())
        if peak in (0, len(curve) - 1):
            break
        near = curve[peak - 1 : peak + 2]
        bend, slope, _ = np.polyfit(near[:, DISTANCE] - curve[peak, DISTANCE], near[:, STRENGTH], 2)
        d = curve[peak, DISTANCE] - 0.5 * slope / bend
        new = refined(interpolated(near, d, DISTANCE), DISTANCE, at) if abs(d - curve[peak, DISTANCE]) > 1e-5 else None
        if new is None:
            break
        curve = np.insert(curve, np.searchsorted(curve[:, DISTANCE], d), new, axis=0)
    curve = curve[: curve[:, STRENGTH].argmax() + 1]
    curve[:, DEPTH] = np.sqrt(curve[-1, STRENGTH] - curve[:, STRENGTH])
    return curve


def point_on(curve: Array, strength: float, at: At) -> Array:
    """The point at one S on the `curve_of` a branch; its residual is infinite if that was not found."""
    k = int(np.searchsorted(curve[:, STRENGTH], strength))
    depth = math.sqrt(max(curve[-1, STRENGTH] - strength, 0.0))
    start = min(max(k - 1, 0), max(len(curve) - 3, 0))
    guess = interpolated(curve[start : start + 3], depth, DEPTH)
    guess[STRENGTH] = strength
    if not refine(guess, STRENGTH, at):
        guess[RESIDUAL] = math.inf
    return guess


def break_symmetry(columns: Columns, strengths: Array, table: Array) -> None:
    """Replace the retrieval that `solve_points` found where symmetry may be and is broken, and b is Gaussian."""
    for i in np.flatnonzero(columns.broken):
        at, strength = at_point(columns, i), strengths[i]
        curve = curve_of(at.temperature, at.order, at.spread)
        if len(curve) < 2 or strength < curve[0, STRENGTH]:
            continue
        table[:, i, RETRIEVAL] = np.nan
        if strength <= curve[-1, STRENGTH]:
            u, t = point_on(curve, strength, at), at.temperature
            q, f, s = 1 - t * u[RESPONSE], u[FREE_ENERGY], u[ENTROPY]
            safe = margin(q, u[QUARTIC], strength, t, at.order)
            overlaps = u[MAGNETIZATION], q, q - u[DISTANCE], u[GAMMA] * t, u[SIGNAL]
            table[:, i, RETRIEVAL] = *overlaps, f, f + t * s, s, safe, u[RESIDUAL], 1
