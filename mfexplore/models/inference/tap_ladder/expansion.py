"""Free energies at fixed means, expanded in the couplings to first, second or third order, and their stationary points.

m: means, shape (n,); j: `Powers` of the couplings.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.functions.elementary import tanh as fast_tanh
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.inverse import invert, invert_positive
from mfexplore.numerics.matrices.linear import solve_linear

VALID, NOT_A_MINIMUM, DIVERGING, BROKEN_SYMMETRY = range(4)


class Powers(NamedTuple):
    """J_ij, its square and its cube, shape (n, n), symmetric, zero diagonal."""

    first: Array
    second: Array
    third: Array


class Found(NamedTuple):
    """What is kept of a solution besides its means: minus beta G, the root mean square correlation, and a failure."""

    residual: Any
    pressure: Any
    correlation: Any
    failure: Any


@kernel
def times(matrix, x):
    """Matrix times vector."""
    out = np.empty(x.size)
    for i in range(x.size):
        row, total = matrix[i], 0.0
        for k in range(x.size):
            total += row[k] * x[k]
        out[i] = total
    return out


@kernel
def two_steps(first, v):
    """(J D J)_ij, D = diag(v)."""
    n = v.size
    out = np.zeros((n, n))
    for i in range(n):
        for k in range(n):
            factor = first[i, k] * v[k]
            if factor != 0.0:
                for j in range(n):
                    out[i, j] += factor * first[k, j]
    return out


@kernel
def triangles(first, v, paths):
    """(J D J D J)_ii from `two_steps`."""
    out = np.empty(v.size)
    for i in range(v.size):
        total = 0.0
        for k in range(v.size):
            total += paths[i, k] * v[k] * first[i, k]
        out[i] = total
    return out


@kernel
def arguments(order, beta, field, j, m):
    """Arguments x of m = tanh(x), which holds where G of eq. (2) is stationary."""
    x, v = beta * (field + times(j.first, m)), 1.0 - m * m
    if order >= 2:
        x -= beta**2 * m * times(j.second, v)
    if order >= 3:
        x += 2.0 / 3.0 * beta**3 * (1.0 - 3.0 * m * m) * times(j.third, m * v)
        x -= beta**3 * m * triangles(j.first, v, two_steps(j.first, v))
    return x


@kernel
def curvature(order, beta, j, m):
    """-beta d2 G/dm dm at given means, shape (n, n)."""
    n, v, slope = m.size, 1.0 - m * m, 1.0 - 3.0 * m * m
    out, diagonal = -beta * j.first, 1.0 / v
    if order >= 2:
        diagonal += beta**2 * times(j.second, v)
    if order >= 3:
        paths = two_steps(j.first, v)
        diagonal += beta**3 * (4.0 * m * times(j.third, m * v) + triangles(j.first, v, paths))
    for i in range(n):
        for k in range(n if order >= 2 else 0):
            out[i, k] -= 2.0 * beta**2 * m[i] * m[k] * j.second[i, k]
            if order >= 3:
                out[i, k] -= 2.0 / 3.0 * beta**3 * slope[i] * slope[k] * j.third[i, k]
                out[i, k] -= 4.0 * beta**3 * m[i] * m[k] * j.first[i, k] * paths[i, k]
        out[i, i] += diagonal[i]
    return out


@kernel
def gibbs(order, beta, field, j, m):
    """-beta G of eq. (2) up to an order."""
    v, total = 1.0 - m * m, 0.0
    for x in m:
        for p in (0.5 * (1.0 + x), 0.5 * (1.0 - x)):
            if p > 0.0:
                total -= p * math.log(p)
    total += (beta * field * m + 0.5 * beta * m * times(j.first, m)).sum()
    if order >= 2:
        total += 0.25 * beta**2 * (v * times(j.second, v)).sum()
    if order >= 3:
        total += beta**3 / 3.0 * (m * v * times(j.third, m * v)).sum()
        total += beta**3 / 6.0 * (v * triangles(j.first, v, two_steps(j.first, v))).sum()
    return total


@kernel
def iterate(order, beta, field, j, m, steps, damping):
    """Damped iteration m <- tanh(x) of an order, until it stands still; naive mean field spin by spin without damping,
    which lowers the free energy in each update, so that it always converges. Overwrites m.
    """
    for _ in range(steps):
        change = 0.0
        if order == 1:
            for i in range(m.size):
                row, x = j.first[i], field
                for k in range(m.size):
                    x += row[k] * m[k]
                new = math.tanh(beta * x)
                change = max(change, abs(new - m[i]))
                m[i] = new
        else:
            x = arguments(order, beta, field, j, m)
            for i in range(m.size):
                step = fast_tanh(x[i]) - m[i]
                change = max(change, abs(step))
                m[i] += (1.0 - damping) * step
        if change < 1e-15:
            break


@kernel
def inverse_tanh(m):
    """artanh(m), in which the equations are smooth up to |m| = 1."""
    return 0.5 * math.log((1.0 + m) / (1.0 - m))


@kernel
def moved(m, change, most, nearest):
    """The mean after a step in artanh(m) of at most a size, no nearer to +-1 than `nearest`."""
    change = min(max(change, -most), most) if abs(change) < math.inf else 0.0
    m = math.tanh(inverse_tanh(m) + change)
    return min(max(m, nearest - 1.0), 1.0 - nearest)


@kernel
def polish(order, beta, field, j, m):
    """Newton in artanh(m) from a good start; m is left alone if that does not improve it. Returns the residual."""
    best, smallest = m.copy(), math.inf
    for _ in range(30):
        x = arguments(order, beta, field, j, m)
        residual = np.abs(m - np.tanh(x)).max()
        if residual < smallest:
            smallest = residual
            best[:] = m
        if residual < 1e-14 or not residual < 4.0 * smallest + 1e-3:
            break
        for i in range(m.size):
            x[i] -= inverse_tanh(m[i])
        solve_linear(curvature(order, beta, j, m), x)
        for i in range(m.size):
            m[i] = moved(m[i], x[i] / (1.0 - m[i] * m[i]), 2.0, 2e-16)
    m[:] = best
    return smallest


@kernel
def cool(order, beta, field, j, m):
    """Means that were carried from high temperature down to 1/beta by iteration, into m."""
    strength = 1e-9  # an estimate of the largest eigenvalue, from above for random and for uniform couplings
    for a in j.first:
        strength = max(strength, min(np.abs(a).sum(), 2.0 * math.sqrt((a * a).sum()) + abs(a.sum())))
    hot = min(beta, 1.0 / strength)
    # Without a field a hint of one chooses a state; it is taken away at the end.
    hint = field if field != 0.0 else 0.02 * strength
    m[:] = math.tanh(hot * hint)
    stages = math.ceil(math.log(beta / hot) / 0.25)
    for stage in range(stages):
        b = hot * (beta / hot) ** ((stage + 1.0) / stages)
        iterate(order, b, hint, j, m, np.int64(8), 0.35)


@kernel
def spread(chi):
    """Root mean square of the elements off the diagonal."""
    n, total = chi.shape[0], 0.0
    for i in range(n):
        for j in range(i):
            total += chi[i, j] * chi[i, j]
    return math.sqrt(2.0 * total / (n * (n - 1)))


@kernel
def plefka_ratio(beta, j, m):
    """Plefka's condition holds below 1."""
    square = (1.0 - m * m) ** 2
    below = square.sum()
    return beta**2 * (square * times(j.second, square)).sum() / below if below > 0.0 else 0.0


@kernel
def expanded(order, beta, field, j, m):
    """Solve the equations of an order (naive mean field, TAP, third order) from given means, overwritten."""
    residual = math.inf
    for attempt in range(5):
        steps, damping = (10, 0.4) if attempt == 0 else (60, 0.7)
        iterate(order, beta, field, j, m, steps, damping)
        residual = polish(order, beta, field, j, m)
        if residual < 1e-10:
            break
    matrix = curvature(order, beta, j, m)
    chi = np.empty_like(matrix)
    failure = VALID
    if not invert_positive(matrix, chi) > -math.inf:
        failure = NOT_A_MINIMUM
        invert(curvature(order, beta, j, m), chi)
    elif order > 1 and plefka_ratio(beta, j, m) >= 1.0:
        failure = DIVERGING
    return Found(residual, gibbs(order, beta, field, j, m), spread(chi), failure)
