"""Moment closure: equations of motion of the moments, closed in four ways, and where they come to rest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.linear import solve_linear

NORMAL, LOG_NORMAL, POISSON, NORMAL_3 = range(4)
MOST = 5  # moments that any closure keeps
LARGEST = 1e7  # a moment beyond it has diverged


class Reactions(NamedTuple):
    """Rates of all reactions at one point, or in columns at many.

    birth, death: of n -> n + 1 and n -> n - 1, coefficients of n^0 ... n^3, shape (..., 4).
    pairs: times n (n - 1) the rate of n -> n - 2.
    supply, conversion, cubic: of the Brusselator, whose X are made at the rate `supply`, vanish at the rate 1, turn
        into Y at the rate `conversion`, and turn a Y back at `cubic` times x (x - 1) y; `cubic` 0: there are no Y.
    """

    birth: Array
    death: Array
    pairs: Any
    supply: Any
    conversion: Any
    cubic: Any


@kernel
def change_of_one(y, closure, reactions, change):
    """Rates of change of (mean, variance, third cumulant) of one species; the third only for NORMAL_3."""
    m, v, s, fourth = y[0], y[1], 0.0, 0.0
    if closure == NORMAL_3:
        s = y[2]
    elif closure == POISSON:
        s, fourth = m, m
    m2 = m * m + v
    m3 = m * m * m + 3.0 * m * v + s
    m4 = m * m * m * m + 6.0 * m * m * v + 4.0 * m * s + 3.0 * v * v + fourth
    if closure == LOG_NORMAL:
        r = m2 / m  # <n^k> = m^k (1 + v/m^2)^(k(k-1)/2)
        m3 = r * r * r
        m4 = m3 * m3 / (m * m)
    b, d, pairs = reactions.birth, reactions.death, reactions.pairs
    up_0, up_1, up_2, up_3 = b[0], b[1], b[2], b[3]
    down_0, down_1, down_2, down_3 = d[0], d[1], d[2], d[3]
    rises = up_0 + up_1 * m + up_2 * m2 + up_3 * m3  # <b>, <d>, <n b>, <n d>, <e>, <n e>
    falls = down_0 + down_1 * m + down_2 * m2 + down_3 * m3
    with_rises = up_0 * m + up_1 * m2 + up_2 * m3 + up_3 * m4
    with_falls = down_0 * m + down_1 * m2 + down_2 * m3 + down_3 * m4
    meet, with_meet = pairs * (m2 - m), pairs * (m3 - m2)
    first = rises - falls - 2.0 * meet
    second = 2.0 * (with_rises - with_falls - 2.0 * with_meet) + rises + falls + 4.0 * meet
    change[0] = first
    change[1] = second - 2.0 * m * first
    if closure == NORMAL_3:
        m5 = m * (m4 + 4.0 * m * m * v + 6.0 * m * s + 12.0 * v * v) + 10.0 * v * s
        third = 3.0 * (up_0 * m2 + up_1 * m3 + up_2 * m4 + up_3 * m5 + with_rises) + rises
        third -= 3.0 * (down_0 * m2 + down_1 * m3 + down_2 * m4 + down_3 * m5 - with_falls) + falls
        third += 12.0 * with_meet - 8.0 * meet - 6.0 * pairs * (m4 - m3)
        change[2] = third - 3.0 * first * m2 - 3.0 * m * second + 6.0 * m * m * first


@kernel
def change_of_two(y, closure, reactions, change):
    """Rates of change of (<x>, <y>, var x, cov, var y) of the Brusselator. Its mixed third cumulants are taken to be 0
    by the normal and the Poisson closure.
    """
    a, b, u, w, z = y[0], y[1], y[2], y[3], y[4]
    xy = a * b + w
    if closure == LOG_NORMAL:
        xx, yy, mixed = 1.0 + u / (a * a), 1.0 + z / (b * b), 1.0 + w / (a * b)
        xxy, xyy = a * a * b * xx * mixed * mixed, a * b * b * yy * mixed * mixed
        xxxy = a * a * a * b * xx * xx * xx * mixed * mixed * mixed
        xxyy = a * a * b * b * xx * yy * mixed * mixed * mixed * mixed
    else:
        xxy, xyy = a * a * b + b * u + 2.0 * a * w, a * b * b + a * z + 2.0 * b * w
        skew = a if closure == POISSON else 0.0
        xxxy = a * a * a * b + 3.0 * a * b * u + 3.0 * a * a * w + 3.0 * u * w + skew * b
        xxyy = a * a * b * b + a * a * z + b * b * u + 4.0 * a * b * w + u * z + 2.0 * w * w
    back = reactions.cubic * (xxy - xy)
    with_x = reactions.cubic * (xxxy - xxy) - a * back  # its covariance with x, and with y
    with_y = reactions.cubic * (xxyy - xyy) - b * back
    over = reactions.conversion
    change[0] = reactions.supply - (over + 1.0) * a + back
    change[1] = over * a - back
    change[2] = 2.0 * (with_x - (over + 1.0) * u) + reactions.supply + (over + 1.0) * a + back
    change[3] = over * u - with_x - (over + 1.0) * w + with_y - over * a - back
    change[4] = 2.0 * (over * w - with_y) + over * a + back


class Work(NamedTuple):
    """Arrays for one closure with k moments: change, other of shape (k,), jacobian, matrix of shape (k, k)."""

    change: Array
    other: Array
    jacobian: Array
    matrix: Array


@kernel
def slopes(y, closure, reactions, work):
    """Write the rates of change and their derivatives with every moment into `work`."""
    k = y.size
    for probe in range(2 * k + 1):  # each moment a bit more and a bit less, and then as it is
        j = min(probe // 2, k - 1)
        old = y[j]
        step = 1e-6 * (abs(old) + 1e-3)
        if probe < 2 * k:
            y[j] = old + step if probe % 2 == 0 else old - step
        if reactions.cubic > 0.0:
            change_of_two(y, closure, reactions, work.change)
        else:
            change_of_one(y, closure, reactions, work.change)
        y[j] = old
        if probe < 2 * k:
            for i in range(k):
                if probe % 2 == 0:
                    work.other[i] = work.change[i]
                else:
                    work.jacobian[i, j] = (work.other[i] - work.change[i]) / (2.0 * step)


@kernel
def pursue(y, closure, reactions, work, longest):
    """Follow the moments from y (overwritten) to where they come to rest, by implicit steps up to `longest` that grow
    as long as little changes, and end as Newton's. Returns the residual, relative to the moments; inf if they diverge
    or never rest.
    """
    k, duration, elapsed, done = y.size, 1e-3, 0.0, False
    change, matrix = work.change, work.matrix
    for _ in range(1000):
        slopes(y, closure, reactions, work)
        if done:
            residual = 0.0
            for i in range(k):
                residual = max(residual, abs(change[i]) / (1.0 + abs(y[i])))
            return residual if residual < 1e-7 else np.inf
        for i in range(k):
            for j in range(k):
                matrix[i, j] = -work.jacobian[i, j]
            matrix[i, i] += 1.0 / duration
        solve_linear(matrix, change)
        largest, moved = 0.0, 0.0
        for i in range(k):
            largest = max(largest, abs(y[i] + change[i]))
            moved = max(moved, abs(change[i]) / (1.0 + abs(y[i])))
        if moved > 0.3 and duration > 1e-7:
            duration *= 0.5
            continue
        if not largest < LARGEST or y[0] + change[0] <= 0.0:
            return np.inf
        for i in range(k):
            y[i] += change[i]
        elapsed += duration
        done = moved < 1e-13 or (duration > 1e6 and moved < 1e-8)  # the last step of Newton's squares what is left
        duration = min(1.5 * duration if moved > 0.03 else 3.0 * duration, longest)
        if elapsed < 30.0:  # lest a step jumps over what would lead the moments astray
            duration = min(duration, max(0.005, 0.1 * elapsed))
    return np.inf


@kernel
def settle(reactions, starts, longest, moments, jacobians, residual):
    """Where each closure comes to rest at every point from every start; see `at_rest`.

    Args:
        reactions: in columns of shape (n, ...).
        starts: moments at the start, shape (n, starts, MOST).
        longest: implicit steps at most, shape (n, 4, starts); where it is 0, nothing is done.
        moments, jacobians, residual: written, shape (n, 4, starts, ...); what does not exist is left as it is.
    """
    for i in range(residual.shape[0]):
        here = Reactions(
            reactions.birth[i], reactions.death[i], reactions.pairs[i], reactions.supply[i], reactions.conversion[i],
            reactions.cubic[i],
        )  # fmt: skip
        two = here.cubic > 0.0
        for closure in range(4):
            if two and closure == NORMAL_3:
                continue
            k = 5 if two else 3 if closure == NORMAL_3 else 2
            y, work = np.empty(k), Work(np.empty(k), np.empty(k), np.empty((k, k)), np.empty((k, k)))
            for start in range(starts.shape[1]):
                if longest[i, closure, start] == 0.0:
                    continue
                for c in range(k):
                    y[c] = starts[i, start, c]
                found = pursue(y, closure, here, work, longest[i, closure, start])
                if found < np.inf:
                    residual[i, closure, start] = found
                    for c in range(k):
                        moments[i, closure, start, c] = y[c]
                        for e in range(k):
                            jacobians[i, closure, start, c, e] = work.jacobian[c, e]


def at_rest(reactions: Reactions, starts: Array) -> tuple[Array, Array, Array]:
    """(moments, Jacobians, residual) where all closures come to rest at n points, shape (n, 4, starts, ...).

    Long implicit steps may end on a state at rest that repels; then they are repeated with steps too short for that,
    and what is found there all the same is none. Two species that never rest (a limit cycle) keep the state they turn
    around.
    """
    shape = (starts.shape[0], 4, starts.shape[1])
    moments, jacobians = np.full((*shape, MOST), np.nan), np.zeros((*shape, MOST, MOST))
    residual = np.full(shape, np.nan)
    settle(reactions, starts, np.full(shape, 1e9), moments, jacobians, residual)
    if not np.any(reactions.cubic > 0):
        repels = ~attracts(jacobians)
        leaving = np.abs(jacobians[repels]).sum(axis=-1).max(axis=-1)  # one over a time in which they may leave
        longest = np.zeros(shape)
        longest[repels] = 0.5 / leaving
        residual[repels] = moments[repels] = np.nan
        settle(reactions, starts, longest, moments, jacobians, residual)
        repels &= ~attracts(jacobians)
        residual[repels] = moments[repels] = np.nan
    return moments, jacobians, residual


def attracts(jacobians: Array) -> Array:
    """Whether two or three moments return to rest (Routh and Hurwitz); also where none was found."""
    j = jacobians[..., :3, :3].copy()
    j[..., 2, 2] -= ~j[..., 2, :].any(axis=-1)  # of two moments: a third one that returns
    trace, determinant = np.trace(j, axis1=-2, axis2=-1), np.linalg.det(j)
    minors = 0.5 * (trace**2 - np.einsum("...ij,...ji", j, j))
    none = ~jacobians.any(axis=(-2, -1))
    return np.asarray(none | ((trace < 0) & (determinant < 0) & (trace * minors < determinant)))


@kernel
def react(x, y, reactions, duration, rng):
    """Gillespie's direct method for independent cells, two species: x and y (int64, shape (cells,)) are overwritten."""
    over, back, pairs = reactions.conversion, reactions.cubic, reactions.pairs
    made, lost = reactions.birth[0] + reactions.supply, reactions.death[1]
    for cell in range(x.size):
        n, other, time = x[cell], y[cell], 0.0
        while True:
            meet = n * (n - 1.0)
            total = made + (lost + over) * n + (pairs + back * other) * meet
            time -= np.log(1.0 - rng.random()) / total
            if time > duration:
                break
            pick = rng.random() * total
            if pick < made:
                n += 1
            elif pick < made + lost * n:
                n -= 1
            elif pick < made + (lost + over) * n:
                n -= 1
                other += 1
            elif pick < made + (lost + over) * n + pairs * meet:
                n -= 2
            else:
                n += 1
                other -= 1
        x[cell], y[cell] = n, other
