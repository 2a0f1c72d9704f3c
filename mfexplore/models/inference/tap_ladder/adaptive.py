"""Adaptive TAP, eq. (4): means and reactions that agree with each other, without an expansion."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.models.inference.tap_ladder.expansion import (
    DIVERGING,
    VALID,
    Found,
    inverse_tanh,
    moved,
    plefka_ratio,
    spread,
    times,
)
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.inverse import invert_positive
from mfexplore.numerics.matrices.linear import solve_linear

MOST_STEPS = 40
FREE_STEPS = 6  # first steps, in which each reaction looks at its own spin only


@kernel
def consistent(beta, field, couplings, m, reaction, chi):
    """Response and free energy of eq. (4) at given means and reactions: chi is overwritten.

    Returns (residual, -beta G, argument of the tanh, what each reaction would need more); NaN for the first two if the
    matrix of eq. (4) is not positive definite. The last is 1/v - 1/chi_ii without the cancellation that this has near
    |m| = 1, where a runaway would else count as a solution.
    """
    matrix, v = -beta * couplings, 1.0 - m * m
    rho = beta * (field + times(couplings, m)) - reaction * m
    for i in range(m.size):
        matrix[i, i] = reaction[i] + 1.0 / v[i]
    value, missing = -0.5 * invert_positive(matrix, chi), np.zeros(m.size)
    residual = math.nan
    if value == value:
        residual = 0.0
        for i in range(m.size):
            missing[i] = beta * (couplings[i] * chi[i]).sum() / chi[i, i] - reaction[i]
            residual = max(residual, abs(m[i] - math.tanh(rho[i])), abs(missing[i]))
            value += abs(rho[i]) + math.log1p(math.exp(-2.0 * abs(rho[i]))) + 0.5 * reaction[i]
            # Half of m (Lambda - beta J) m, with (beta J m)_i = rho_i + V_i m_i - beta h
            value += 0.5 * m[i] * (m[i] / v[i] - rho[i] + beta * field)
            value -= 0.5 * math.log(chi[i, i]) + 0.5 * m[i] * m[i] / chi[i, i]
    return residual, value, rho, missing


@kernel
def newton_step(m, chi, d_m, missing):
    """Newton's step for means and reactions of eq. (4) together, from that of the means at fixed reactions; overwrites
    d_m, and returns the step of the reactions.
    """
    n, v = m.size, 1.0 - m * m
    matrix, c = np.empty((n, n)), 2.0 * m / v**2
    # With dm = d_m - chi (m dV), and d chi_ii = - sum_j chi_ij^2 (dV_j + c_j dm_j), c = 2 m / v^2
    d_reaction = missing * np.diag(chi) * v + 2.0 * m * d_m
    for i in range(n):
        square = chi[i] ** 2 * c
        d_reaction[i] -= (square * d_m).sum()
        matrix[i] = chi[i] ** 2 - (times(chi, square) - 2.0 * m[i] * chi[i]) * m
    solve_linear(matrix, d_reaction)
    d_m -= times(chi, m * d_reaction)
    return d_reaction


@kernel
def adaptive(beta, field, j, m):
    """Solve eq. (4) from given means, overwritten, and the reactions of TAP; j: `Powers` of the couplings.

    The first steps set each reaction so that it would make its own spin consistent, and move the means by Newton's
    rule at fixed reactions; then Newton's rule for both, shortened where it leads astray.
    """
    chi = np.empty_like(j.first)
    reaction = beta**2 * times(j.second, 1.0 - m * m)
    old, old_reaction, d_m, d_reaction = m.copy(), reaction.copy(), m.copy(), m.copy()
    share, last = 1.0, math.inf
    residual, value = math.inf, math.nan
    for step in range(MOST_STEPS):
        residual, value, rho, missing = consistent(beta, field, j.first, m, reaction, chi)
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
            for i in range(m.size):
                rho[i] -= inverse_tanh(m[i])  # minus the residual of the means
            old[:], old_reaction[:] = m, reaction
            d_m, d_reaction = times(chi, rho), missing
            if newton:
                d_reaction = newton_step(m, chi, d_m, missing)
        for i in range(m.size):
            m[i] = moved(old[i], share * d_m[i] / (1.0 - old[i] * old[i]), 1.0, 1e-14)
            reaction[i] = old_reaction[i] + share * d_reaction[i]
    failure = DIVERGING if plefka_ratio(beta, j, m) >= 1.0 else VALID
    return Found(residual if value == value else math.inf, value, spread(chi), failure)
