"""Adaptive TAP, eq. (4): means and reactions that agree with each other, without an expansion."""

from __future__ import annotations

import math

from mfexplore.models.inference.tap_ladder.expansion import (
    DIVERGING,
    VALID,
    Found,
    inverse_tanh,
    moved,
    plefka_ratio,
    spread,
)
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.inverse import invert_positive
from mfexplore.numerics.matrices.linear import solve_linear

FREE_STEPS = 6  # first steps, in which each reaction looks at its own spin only


@kernel
def consistent(beta, field, couplings, m, at):
    """Response and free energy of eq. (4) at given means and reactions: chi, the argument of the tanh in rho, and in
    missing what each reaction would need more: 1/v - 1/chi_ii, without the cancellation that this has near |m| = 1,
    where a runaway would else count as a solution.

    Returns (residual, -beta G); NaN if the matrix of eq. (4) is not positive definite.
    """
    n = m.size
    reaction, rho, missing, matrix, chi = at.reaction, at.x, at.missing, at.matrix, at.chi
    for i in range(n):
        local = 0.0
        for j in range(n):
            local += couplings[i, j] * m[j]
            matrix[i, j] = -beta * couplings[i, j]
        rho[i] = beta * (field + local) - reaction[i] * m[i]
        matrix[i, i] = reaction[i] + 1.0 / (1.0 - m[i] * m[i])
    value = -0.5 * invert_positive(matrix, chi)
    residual = math.nan
    if value == value:
        residual = 0.0
        for i in range(n):
            v = 1.0 - m[i] * m[i]
            back = 0.0
            for j in range(n):
                back += couplings[i, j] * chi[i, j]
            missing[i] = beta * back / chi[i, i] - reaction[i]
            residual = max(residual, abs(m[i] - math.tanh(rho[i])), abs(missing[i]))
            value += abs(rho[i]) + math.log1p(math.exp(-2.0 * abs(rho[i]))) + 0.5 * reaction[i]
            # Half of m (Lambda - beta J) m, with (beta J m)_i = rho_i + V_i m_i - beta h
            value += 0.5 * m[i] * (m[i] / v - rho[i] + beta * field)
            value -= 0.5 * math.log(chi[i, i]) + 0.5 * m[i] * m[i] / chi[i, i]
    return residual, value


@kernel
def step_of_means(m, at):
    """Newton's step for the means at fixed reactions, from what `consistent` left behind."""
    n = m.size
    for i in range(n):
        at.x[i] -= inverse_tanh(m[i])  # minus the residual of the means
    for i in range(n):
        at.d_m[i] = 0.0
        for j in range(n):
            at.d_m[i] += at.chi[i, j] * at.x[j]


@kernel
def newton_step(m, at):
    """Newton's step for means and reactions of eq. (4) together, from the one at fixed reactions."""
    n = m.size
    chi, matrix, product, d_m, d_reaction = at.chi, at.matrix, at.product, at.d_m, at.d_reaction
    # With dm = d_m - chi (m dV), and d chi_ii = - sum_j chi_ij^2 (dV_j + c_j dm_j), c = 2 m / v^2
    for i in range(n):
        v = 1.0 - m[i] * m[i]
        d_reaction[i] = at.missing[i] * chi[i, i] * v + 2.0 * m[i] * d_m[i]
        for j in range(n):
            product[i, j] = 0.0
        for k in range(n):
            w = 1.0 - m[k] * m[k]
            c = 2.0 * m[k] / (w * w)
            square = chi[i, k] * chi[i, k] * c
            d_reaction[i] += -square * d_m[k]
            for j in range(n):
                product[i, j] += square * chi[k, j]
        for j in range(n):
            matrix[i, j] = chi[i, j] * chi[i, j] - (product[i, j] - 2.0 * m[i] * chi[i, j]) * m[j]
    solve_linear(matrix, d_reaction)
    for i in range(n):
        for j in range(n):
            d_m[i] -= chi[i, j] * m[j] * d_reaction[j]


@kernel
def adaptive(beta, field, j, m, at, steps):
    """Solve eq. (4) from given means, overwritten, and the reactions of TAP.

    The first steps set each reaction so that it would make its own spin consistent, and move the means by Newton's
    rule at fixed reactions; then Newton's rule for both, shortened where it leads astray.
    """
    n = m.size
    for i in range(n):
        at.reaction[i] = 0.0
        for k in range(n):
            at.reaction[i] += (beta * j[i, k]) ** 2 * (1.0 - m[k] * m[k])
    share, last = 1.0, math.inf
    residual, value = math.inf, math.nan
    for step in range(steps):
        residual, value = consistent(beta, field, j, m, at)
        if residual < 1e-13:
            break
        newton = step >= FREE_STEPS
        if step > 0 and not residual < (2.0 * last if newton else math.inf):
            share *= 0.5
            if share < 1e-3:
                break
        else:
            share = min(1.0, 2.0 * share) if step > 0 else 1.0
            last = residual
            step_of_means(m, at)
            for i in range(n):
                at.old[i], at.old_reaction[i] = m[i], at.reaction[i]
                at.d_reaction[i] = at.missing[i]
            if newton:
                newton_step(m, at)
        for i in range(n):
            v = 1.0 - at.old[i] * at.old[i]
            m[i] = moved(at.old[i], share * at.d_m[i] / v, 1.0, 1e-14)
            at.reaction[i] = at.old_reaction[i] + share * at.d_reaction[i]
    failure = DIVERGING if plefka_ratio(beta, j, m) >= 1.0 else VALID
    return Found(residual if value == value else math.inf, value, spread(at.chi), failure)
