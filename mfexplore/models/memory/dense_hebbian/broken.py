"""One step of replica symmetry breaking: the retrieval branch of eq. (7), and the glass for all temperatures."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.families.memories import GLASS, RETRIEVAL
from mfexplore.families.replicas import p_body
from mfexplore.families.replicas.nested import nested_averages
from mfexplore.families.replicas.p_body import HIGHEST
from mfexplore.models.memory.dense_hebbian.symmetric import (
    At,
    at_point,
    breaking,
    enter,
    margin,
    paramagnet_free_energy,
    pressure,
    reach_of,
    retrieved,
)
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.linear import solve_linear

# -- retrieval ---------------------------------------------------------------------------------------------------------

# A point of the broken branch: signal, C, gamma, S, and d = q1 - q0, along which it is followed from small to large.
# It is born at d = 0, where lambda vanishes, and ends where S is largest.
NODES = np.array([0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.065, 0.1, 0.15, 0.21, 0.28, 0.37, 0.47, 0.6, 0.75])
FIRST = 4  # the node that is solved first
SIGNAL, RESPONSE, GAMMA, STRENGTH, DISTANCE = range(5)


class Curve(NamedTuple):
    """The broken branch: its first and last row of nodes, where S is least and largest; none where last <= first."""

    nodes: Any  # shape (NODES.size, 5)
    first: int
    last: int


@kernel
def one_step(u, at, out):
    """How far a point is from stationarity of eq. (7). Returns (m, mean of sech^4/T, of S, f); m NaN off the domain.

    out: shape (4,): nu, C, q1 - q0 and gamma; the last two divided by powers of d, or every point of replica symmetry,
    with d = 0 and any gamma, would be a solution.
    """
    nu, c, gamma, strength, d = u
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
def refine(u, fixed, at, result):
    """Newton (finite differences, Jacobian kept while it serves) for the stationary point of eq. (7) with one component
    of u held. Overwrites u; result: m, mean of sech^4/T, s, f, residual. Returns the iterations, negative if not
    converged.
    """
    out, tried, shifted = np.empty(4), np.empty(4), np.empty(5)
    jacobian, work = np.empty((4, 4)), np.empty((4, 4))
    size, fresh = math.inf, False
    for iteration in range(25):
        result[0], result[1], result[2], result[3] = one_step(u, at, out)
        d = u[DISTANCE]
        result[4] = max(max(abs(out[0]), abs(out[1])), max(abs(out[2]) * d, abs(out[3]) * d**3))
        now = max(max(abs(out[0]), abs(out[1])), max(abs(out[2]), abs(out[3])))
        if math.isnan(out[0]) or not now < math.inf:
            return -25
        fresh = iteration == 0 or (now > 0.1 * size and not fresh)
        size = now
        if fresh:
            for column in range(4):
                k = column if column < fixed else column + 1
                for other in range(5):
                    shifted[other] = u[other]
                step = 1e-5 * u[k] if k != GAMMA else -1e-5 * u[k]  # gamma = 1/T is the edge of the domain
                shifted[k] += step
                one_step(shifted, at, tried)
                for row in range(4):
                    jacobian[row, column] = (tried[row] - out[row]) / step
        for row in range(4):
            for column in range(4):
                work[row, column] = jacobian[row, column]
        solve_linear(work, out)
        largest = 0.0
        for column in range(4):
            largest = max(largest, abs(out[column]) / u[column if column < fixed else column + 1])
        if not largest < math.inf:
            return -25
        for column in range(4):
            u[column if column < fixed else column + 1] -= min(1.0, 0.3 / largest) * out[column]
        if largest < 2e-8 and result[4] < 3e-9:
            return iteration + 1
    return -25


@kernel
def parabola(nodes, k, j, target, by, u):
    """Guess at `target` of component `by` from three neighbouring nodes k, k + j, k + 2j (parabola)."""
    a, b, c = nodes[k, by], nodes[k + j, by], nodes[k + 2 * j, by]
    wa = (target - b) * (target - c) / ((a - b) * (a - c))
    wb = (target - a) * (target - c) / ((b - a) * (b - c))
    for i in range(5):
        u[i] = wa * nodes[k, i] + wb * nodes[k + j, i] + (1.0 - wa - wb) * nodes[k + 2 * j, i]
    u[by] = target


@kernel
def step_along(nodes, here, side, extrapolate, at, u, result):
    """Solve the node beside `here`, into u: from a parabola through three, else in up to eight steps from `here`.
    Returns whether it was found.
    """
    start, end = nodes[here, DISTANCE], NODES[here + side]
    if extrapolate:
        parabola(nodes, here, -side, end, DISTANCE, u)
        if refine(u, DISTANCE, at, result) > 0:
            return True
    for pieces in (1, 2, 8):
        u[:] = nodes[here]
        for k in range(1, pieces + 1):
            d = start * (end / start) ** (k / pieces)
            before = at.temperature**2 + 0.55 * u[DISTANCE] * u[STRENGTH]
            u[GAMMA] *= math.sqrt(before / (at.temperature**2 + 0.55 * d * u[STRENGTH]))
            u[DISTANCE] = d
            if refine(u, DISTANCE, at, result) < 0:
                break
            if k == pieces:
                return True
    return False


@kernel
def follow(nu, c, strength, at):
    """The broken `Curve` through NODES, from a symmetric solution (nu, C, S) near its start."""
    nodes, u, result = np.zeros((NODES.size, 5)), np.empty(5), np.empty(5)
    temperature = at.temperature
    first = last = FIRST
    found = False
    for factor in (1.0, 0.7, 1.4, 0.5, 2.0):
        d = NODES[FIRST]
        gamma = factor * 0.52 / math.sqrt(temperature**2 + 0.55 * d * strength)
        u[SIGNAL], u[RESPONSE], u[STRENGTH], u[DISTANCE] = nu, c, strength, d
        u[GAMMA] = min(gamma, 0.9 / temperature) if temperature > 0.0 else gamma
        if refine(u, DISTANCE, at, result) > 0:
            found = True
            break
    if not found:
        return Curve(nodes, 0, -1)
    nodes[FIRST] = u
    for side in (-1, 1):
        here = FIRST
        while 0 <= here + side < NODES.size:
            if not step_along(nodes, here, side, last - first >= 2, at, u, result):
                break
            here += side
            nodes[here] = u
            first, last = min(first, here), max(last, here)
            if side == 1 and u[STRENGTH] < nodes[here - 1, STRENGTH]:
                break
    peak = first
    for k in range(first, last + 1):
        if nodes[k, STRENGTH] > nodes[peak, STRENGTH]:
            peak = k
    if peak in (first, last):
        return Curve(nodes, first, peak)
    for _ in range(4):  # the maximum of S by parabolas
        left = nodes[peak, DISTANCE] - nodes[peak - 1, DISTANCE]
        right = nodes[peak, DISTANCE] - nodes[peak + 1, DISTANCE]
        p = left * (nodes[peak, STRENGTH] - nodes[peak + 1, STRENGTH])
        q = right * (nodes[peak, STRENGTH] - nodes[peak - 1, STRENGTH])
        d = nodes[peak, DISTANCE] - 0.5 * (left * p - right * q) / (p - q)
        gap = abs(d - nodes[peak, DISTANCE])
        if gap < 1e-5 or not nodes[peak - 1, DISTANCE] < d < nodes[peak + 1, DISTANCE]:
            break
        parabola(nodes, peak - 1, 1, d, DISTANCE, u)
        if refine(u, DISTANCE, at, result) < 0:
            break
        gain = u[STRENGTH] - nodes[peak, STRENGTH]
        side = 1 if d > nodes[peak, DISTANCE] else -1
        if gain > 0.0:  # the new point is the highest; the old one becomes its neighbour
            nodes[peak - side] = nodes[peak]
            nodes[peak] = u
        else:
            nodes[peak + side] = u
        if abs(gain) < 1e-10:
            break
    return Curve(nodes, first, peak)


@kernel
def broken_at(strength, at, curve, u, result):
    """The broken branch at one S between those of the first and last node; see `refine`."""
    nodes, first, last = curve
    k = first
    while k < last - 1 and nodes[k + 1, STRENGTH] <= strength:
        k += 1
    middle = min(max(k, first + 1), last - 1)
    low, high = nodes[k, DISTANCE], nodes[k + 1, DISTANCE]
    for _ in range(40):  # S is flat at its maximum, so look for d
        d = 0.5 * (low + high)
        if last - first >= 2:
            parabola(nodes, middle - 1, 1, d, DISTANCE, u)
        else:
            share = (d - nodes[first, DISTANCE]) / (nodes[last, DISTANCE] - nodes[first, DISTANCE])
            u[:] = nodes[first] + share * (nodes[last] - nodes[first])
        if u[STRENGTH] < strength:
            low = d
        else:
            high = d
    u[STRENGTH] = strength
    count = refine(u, STRENGTH, at, result)
    if count < 0:  # walk there from the node above
        u[:] = nodes[k + 1]
        pieces = 12
        for piece in range(1, pieces + 1):
            u[STRENGTH] = nodes[k + 1, STRENGTH] + (strength - nodes[k + 1, STRENGTH]) * piece / pieces
            count = refine(u, STRENGTH, at, result)
    return count


@kernel
def broken_curve(at):
    """The broken `Curve` for a Gaussian b; none where symmetry holds up to the end of retrieval."""
    none = Curve(np.zeros((NODES.size, 5)), 0, -1)
    reach = reach_of(at)
    if reach.top == 0.0 or breaking(reach, at)[0] <= reach.fold:
        return none
    for share in (0.95, 1.0, 0.8):
        strength = share * reach.largest
        state = retrieved((0.0, 0.0), reach, strength, at)
        if state.residual < math.inf:
            curve = follow(state.nu, state.c, strength, at)
            if curve.last > curve.first:
                return curve
    return none


# -- the glass ---------------------------------------------------------------------------------------------------------


DEGREE = 23
T_D, T_S, ERROR = range(3)  # the first entries of a series, before the coefficients
OVERLAP, EXPONENT, FREE_ENERGY, ENTROPY, MARGIN, GLASS_ROWS = range(6)  # of which there are so many rows


@cache
def glass_series(order: int) -> Array:
    """The glass without memories, that of groups of p spins (`p_body`), at J = 1 for all temperatures: T_d, T_s, the
    error, then Chebyshev coefficients of GLASS_ROWS quantities over T/T_s in [0, 1], shape
    (3 + GLASS_ROWS * (DEGREE + 1),).
    """
    line = p_body.line_of(order)
    t_d, t_s = line[0, p_body.DYNAMIC], line[0, p_body.STATIC]
    places = 0.5 + 0.5 * np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))  # Chebyshev's, descending
    samples = np.empty((GLASS_ROWS, places.size))
    row, out = np.empty(len(p_body.COLUMNS)), np.empty((6, 1))
    error = 0.0
    for k, t in enumerate(places * t_s):
        rest, gamma = (np.interp(t, line[1], line[i]) for i in (2, 3))
        rest, gamma, residual, _ = p_body.root(order, t, rest, gamma, False, out)
        p_body.write_state(row, order, t, rest, gamma, out)
        error, f = max(error, residual), row[p_body.FREE_ENERGY]
        samples[:, k] = row[p_body.OVERLAP], gamma, f, (row[p_body.ENERGY] - f) / t, t * row[p_body.REPLICON]
    angles = np.pi * np.outer(np.arange(DEGREE + 1), np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1)
    series = 2.0 / (DEGREE + 1) * samples @ np.cos(angles).T
    series[:, 0] *= 0.5
    error = max(error, float(np.abs(series[:3, -2:]).max()))
    return np.concatenate([[t_d, t_s, error], series.ravel()])


def freezing_temperatures(order: Array, dynamic: bool = False) -> Array:
    """T_s (or T_d) at J = 1 for an array of orders."""
    which = p_body.DYNAMIC if dynamic else p_body.STATIC
    known = {p: p_body.line_of(int(p))[0, which] for p in np.unique(order)}
    return np.array([known[p] for p in order])


@cache
def all_series() -> Array:
    """`glass_series` of the orders 3 .. HIGHEST, shape (orders, n)."""
    return np.stack([glass_series(order) for order in range(3, HIGHEST + 1)])


@kernel
def series_value(series, row, place):
    """Sum a Chebyshev series of `glass_series` at a place in [0, 1] (Clenshaw)."""
    x = 2.0 * place - 1.0
    start = 3 + row * (DEGREE + 1)
    a = b = 0.0
    for k in range(DEGREE, 0, -1):
        a, b = series[start + k] + 2.0 * x * a - b, a
    return series[start] + x * a - b


@kernel
def competing_free_energy(strength, temperature, order, series):
    """Free energy of the glass where it exists, else of the paramagnet."""
    coupling = math.sqrt(2.0 * strength / order)
    t_s = series[T_S] * coupling
    if temperature < t_s:
        return series_value(series, FREE_ENERGY, temperature / t_s) * coupling
    return paramagnet_free_energy(strength, temperature, order)


# -- both at a batch of points -----------------------------------------------------------------------------------------


@kernel
def write_broken(table, i, u, result, iterations, at):
    """Enter a point of the broken branch into the table."""
    nu, c, gamma, strength, d = u
    m, quartic, s, f, residual = result
    t = at.temperature
    q = 1.0 - t * c
    safe = margin(q, quartic, strength, t, at.order)
    residual = residual if iterations > 0 else math.inf
    row = (m, q, q - d, gamma * t, nu, f, f + t * s, s, safe, residual, float(abs(iterations)))
    enter(table, i, RETRIEVAL, row)


@kernel
def break_symmetry(columns, strengths, series, table):
    """Replace what `solve_points` found by one step of symmetry breaking where it is allowed: always the glass, and
    retrieval where symmetry is broken and b is Gaussian. series: `glass_series` of the orders 3 .. HIGHEST.
    """
    u, result = np.empty(5), np.empty(5)
    absent = (math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, 0.0)
    curve, before = Curve(np.zeros((NODES.size, 5)), 0, -1), At(math.nan, 0, 0.0, np.empty(0), np.empty(0))
    for i in range(strengths.size):
        if not columns.broken[i]:
            continue
        at, strength = at_point(columns, i), strengths[i]
        t, order = at.temperature, at.order
        if not columns.binomial:
            if t != before.temperature or order != before.order or at.spread != before.spread:
                curve = broken_curve(at)
            before = at
            if curve.last > curve.first and strength >= curve.nodes[curve.first, STRENGTH]:
                enter(table, i, RETRIEVAL, absent)
                if strength <= curve.nodes[curve.last, STRENGTH]:
                    count = broken_at(strength, at, curve, u, result)
                    write_broken(table, i, u, result, count, at)
        enter(table, i, GLASS, absent)
        own = series[order - 3]
        coupling = math.sqrt(2.0 * strength / order)
        t_s = own[T_S] * coupling
        if strength > 0.0 and t < t_s:
            place = t / t_s
            q, gamma = series_value(own, OVERLAP, place), series_value(own, EXPONENT, place) / coupling
            f, s = series_value(own, FREE_ENERGY, place) * coupling, series_value(own, ENTROPY, place)
            safe = series_value(own, MARGIN, place) * coupling
            enter(table, i, GLASS, (0.0, q, 0.0, gamma * t, 0.0, f, f + t * s, s, safe, own[ERROR], 0.0))
