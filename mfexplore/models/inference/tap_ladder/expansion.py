"""Free energies at fixed means, expanded in the couplings to first, second or third order, and their stationary points.

j: the couplings, shape (n, n), symmetric, zero diagonal; m: means, shape (n,).
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


class Space(NamedTuple):
    """What the third order needs of the couplings, and scratch of shape (n,) and (n, n).

    triangles: 2 J_ij J_jk J_ki for every spin i and all pairs j < k, shape (n, n (n - 1) / 2), or (n, 0) without third
    order; pairs: scratch for a row of them. v, closed: 1 - m^2 and the sums of triangles at each spin, as `arguments`
    leaves them behind. x: arguments of the tanh; old: means to return to. The next five are for adaptive TAP: the
    reactions V_i of eq. (4), those to return to, what each would need more, and steps of means and reactions.
    """

    triangles: Array
    pairs: Array
    v: Array
    closed: Array
    x: Array
    old: Array
    reaction: Array
    old_reaction: Array
    missing: Array
    d_m: Array
    d_reaction: Array
    matrix: Array
    chi: Array
    product: Array


class Found(NamedTuple):
    """What is kept of a solution besides its means: minus beta G, the root mean square correlation, and a failure."""

    residual: Any
    pressure: Any
    correlation: Any
    failure: Any


@kernel
def space(j, third_order):
    """Triangles and scratch for given couplings."""
    n = j.shape[0]
    triangles = np.empty((n, n * (n - 1) // 2 if third_order else 0))
    for i in range(n if third_order else 0):
        at = 0
        for k in range(n):
            for other in range(k + 1, n):
                triangles[i, at] = 2.0 * j[i, k] * j[k, other] * j[other, i]
                at += 1
    a, b, pairs = np.empty((9, n)), np.empty((3, n, n)), np.empty(triangles.shape[1])
    return Space(triangles, pairs, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], b[0], b[1], b[2])


@kernel
def close_triangles(triangles, v, pairs, closed):
    """Write (J D J D J)_ii, D = diag(v), into closed."""
    n = v.size
    at = 0
    for j in range(n):
        for k in range(j + 1, n):
            pairs[at] = v[j] * v[k]
            at += 1
    for i in range(n):
        row, total = triangles[i], 0.0
        for at in range(pairs.size):
            total += row[at] * pairs[at]
        closed[i] = total


@kernel
def two_steps(j1, v, out):
    """Write (J D J)_ij, D = diag(v), into out."""
    n = v.size
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
        for k in range(n):
            factor = j1[i, k] * v[k]
            if factor != 0.0:
                for j in range(n):
                    out[i, j] += factor * j1[k, j]


@kernel
def arguments(order, beta, field, j, m, at, out):
    """Arguments x of m = tanh(x), which holds where G of eq. (2) is stationary; leaves v and closed behind."""
    n = m.size
    v, closed = at.v, at.closed
    for i in range(n):
        v[i] = 1.0 - m[i] * m[i]
    if order >= 3:
        close_triangles(at.triangles, v, at.pairs, closed)
    for i in range(n):
        first, second, third = 0.0, 0.0, 0.0
        row = j[i]
        for k in range(n):
            a = row[k]
            first += a * m[k]
            second += a * a * v[k]
            third += a * a * a * m[k] * v[k]
        x = beta * (field + first)
        if order >= 2:
            x -= beta * beta * m[i] * second
        if order >= 3:
            x += 2.0 / 3.0 * beta**3 * (1.0 - 3.0 * m[i] * m[i]) * third - beta**3 * m[i] * closed[i]
        out[i] = x


@kernel
def curvature(order, beta, j, m, at, out):
    """-beta d2 G/dm dm at given means, into out of shape (n, n); uses the v and closed that `arguments` left behind."""
    n = m.size
    v, paths = at.v, at.product
    if order >= 3:
        two_steps(j, v, paths)
    for i in range(n):
        second, third, slope = 0.0, 0.0, 1.0 - 3.0 * m[i] * m[i]
        for k in range(n):
            a = j[i, k]
            value = beta * a
            if order >= 2:
                second += a * a * v[k]
                value += 2.0 * beta * beta * m[i] * a * a * m[k]
            if order >= 3:
                third += a * a * a * m[k] * v[k]
                value += 2.0 / 3.0 * beta**3 * slope * a * a * a * (1.0 - 3.0 * m[k] * m[k])
                value += 4.0 * beta**3 * m[i] * m[k] * a * paths[i, k]
            out[i, k] = -value
        out[i, i] += 1.0 / v[i]
        if order >= 2:
            out[i, i] += beta * beta * second
        if order >= 3:
            out[i, i] += beta**3 * (4.0 * m[i] * third + at.closed[i])


@kernel
def descend(beta, field, j1, m, steps):
    """Naive mean field, spin by spin: each update lowers the free energy, so this always converges."""
    for _ in range(steps):
        change = 0.0
        for i in range(m.size):
            x = field
            for j in range(m.size):
                x += j1[i, j] * m[j]
            new = math.tanh(beta * x)
            change = max(change, abs(new - m[i]))
            m[i] = new
        if change < 1e-15:
            break


@kernel
def iterate(order, beta, field, j, m, at, steps, damping):
    """Damped iteration m <- tanh(x) of an order, until it stands still."""
    if order == 1:
        descend(beta, field, j, m, steps)
        return
    for _ in range(steps):
        arguments(order, beta, field, j, m, at, at.x)
        change = 0.0
        for i in range(m.size):
            step = fast_tanh(at.x[i]) - m[i]
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
def polish(order, beta, field, j, m, at):
    """Newton in artanh(m) from a good start; m is left alone if that does not improve it. Returns the residual."""
    n = m.size
    x, best = at.x, at.old
    for i in range(n):
        best[i] = m[i]
    smallest = math.inf
    for _ in range(30):
        arguments(order, beta, field, j, m, at, x)
        residual = 0.0
        for i in range(n):
            residual = max(residual, abs(m[i] - math.tanh(x[i])))
        if residual < smallest:
            smallest = residual
            for i in range(n):
                best[i] = m[i]
        if residual < 1e-14 or not residual < 4.0 * smallest + 1e-3:
            break
        curvature(order, beta, j, m, at, at.matrix)
        for i in range(n):
            x[i] -= inverse_tanh(m[i])
        solve_linear(at.matrix, x)
        for i in range(n):
            m[i] = moved(m[i], x[i] / at.v[i], 2.0, 2e-16)
    for i in range(n):
        m[i] = best[i]
    return smallest


@kernel
def coupling_strength(j):
    """An estimate of the largest eigenvalue, from above for random and for uniform couplings."""
    strength = 1e-9
    for i in range(j.shape[0]):
        total, sum_, square = 0.0, 0.0, 0.0
        for a in j[i]:
            total += abs(a)
            sum_ += a
            square += a * a
        strength = max(strength, min(total, 2.0 * math.sqrt(square) + abs(sum_)))
    return strength


@kernel
def cool(order, beta, field, j, m, at):
    """Means that were carried from high temperature down to 1/beta by iteration, into m."""
    strength = coupling_strength(j)
    hot = min(beta, 1.0 / strength)
    # Without a field a hint of one chooses a state; it is taken away at the end.
    hint = field if field != 0.0 else 0.02 * strength
    for i in range(m.size):
        m[i] = math.tanh(hot * hint)
    stages = math.ceil(math.log(beta / hot) / 0.25)
    for stage in range(stages):
        b = hot * (beta / hot) ** ((stage + 1.0) / stages)
        iterate(order, b, hint, j, m, at, np.int64(8), 0.35)


@kernel
def gibbs(order, beta, field, j, m, at):
    """-beta G of eq. (2) up to an order; uses the v and closed that `arguments` left behind."""
    v, total = at.v, 0.0
    for i in range(m.size):
        for p in (0.5 * (1.0 + m[i]), 0.5 * (1.0 - m[i])):
            if p > 0.0:
                total -= p * math.log(p)
        total += beta * field * m[i]
        for k in range(i):
            a = beta * j[i, k]
            total += a * m[i] * m[k]
            if order >= 2:
                total += 0.5 * a * a * v[i] * v[k]
            if order >= 3:
                total += 2.0 / 3.0 * a * a * a * m[i] * v[i] * m[k] * v[k]
        if order >= 3:
            total += beta**3 * v[i] * at.closed[i] / 6.0
    return total


@kernel
def spread(chi):
    """Root mean square of the elements off the diagonal."""
    n = chi.shape[0]
    total = 0.0
    for i in range(n):
        for j in range(i):
            total += chi[i, j] * chi[i, j]
    return math.sqrt(2.0 * total / (n * (n - 1)))


@kernel
def plefka_ratio(beta, j, m):
    """Plefka's condition holds below 1."""
    above, below = 0.0, 0.0
    for i in range(m.size):
        v = (1.0 - m[i] * m[i]) ** 2
        below += v
        for k in range(m.size):
            w = 1.0 - m[k] * m[k]
            above += beta * beta * v * j[i, k] * j[i, k] * w * w
    return above / below if below > 0.0 else 0.0


@kernel
def expanded(order, beta, field, j, m, at):
    """Solve the equations of an order (naive mean field, TAP, third order) from given means, overwritten."""
    residual = math.inf
    for attempt in range(5):
        steps, damping = (10, 0.4) if attempt == 0 else (60, 0.7)
        iterate(order, beta, field, j, m, at, steps, damping)
        residual = polish(order, beta, field, j, m, at)
        if residual < 1e-10:
            break
    arguments(order, beta, field, j, m, at, at.x)
    curvature(order, beta, j, m, at, at.matrix)
    failure = VALID
    if not invert_positive(at.matrix, at.chi) > -math.inf:
        failure = NOT_A_MINIMUM
        curvature(order, beta, j, m, at, at.matrix)
        invert(at.matrix, at.chi)
    elif order > 1 and plefka_ratio(beta, j, m) >= 1.0:
        failure = DIVERGING
    return Found(residual, gibbs(order, beta, field, j, m, at), spread(at.chi), failure)
