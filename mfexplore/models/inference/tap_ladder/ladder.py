"""All rungs of the ladder at one point, each from several starts."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.models.inference.tap_ladder.adaptive import adaptive
from mfexplore.models.inference.tap_ladder.expansion import BROKEN_SYMMETRY, VALID, cool, expanded, space
from mfexplore.numerics.kernel import kernel

DENSE = 50  # spins up to which the rungs that cost N^3 in every step are computed
NAIVE, TAP, THIRD, ADAPTIVE, EXACT = range(5)
SOLVED = 1e-8


@kernel
def copy(source, target):
    for i in range(source.size):
        target[i] = source[i]


@kernel
def climb(temperature, field, j, sites, free_energy, correlation, residual, failure):
    """The four theories at one point, into entries NAIVE to ADAPTIVE; sites: shape (methods, n), others (methods,).

    Each is solved from its own cooled state and from states lower on the ladder (adaptive TAP only if the first was
    not good); kept is the best one: solved, valid, of lower free energy, in this order.
    """
    n, beta = j.shape[0], 1.0 / temperature
    at = space(j, n <= DENSE)
    m, cooled = np.empty(n), np.empty(n)
    for method in range(4 if n <= DENSE else 2):
        residual[method] = math.inf
        for start in range(3):
            if start == 0 and method < ADAPTIVE:
                cool(method + 1, beta, field, j, m, at)
                if method == TAP:
                    copy(m, cooled)
            elif start == 0:
                copy(cooled, m)
            elif method == ADAPTIVE and (failure[method] != VALID or residual[method] > SOLVED):
                copy(sites[TAP if start == 1 else NAIVE], m)
            elif start == 1 and (method == TAP or method == THIRD):  # noqa: SIM109 (a tuple compiles slowly)
                copy(sites[NAIVE], m)
            else:
                break
            if method < ADAPTIVE:
                found = expanded(method + 1, beta, field, j, m, at)
            else:
                found = adaptive(beta, field, j, m, at, 40)
            energy = -temperature * found.pressure / n
            solved, before = found.residual < SOLVED, residual[method] < SOLVED
            better = start == 0 or (solved and not before)
            if solved and before:
                better = (found.failure == VALID and failure[method] != VALID) or (
                    (found.failure == VALID or failure[method] != VALID) and energy < free_energy[method] - 1e-10
                )
            if better:
                copy(m, sites[method])
                free_energy[method], correlation[method] = energy, found.correlation
                residual[method], failure[method] = found.residual, found.failure
        if failure[method] == VALID and field == 0.0:
            overlap = 0.0
            for i in range(n):
                overlap += sites[method, i] ** 2
            if overlap > 1e-10 * n:
                failure[method] = BROKEN_SYMMETRY
