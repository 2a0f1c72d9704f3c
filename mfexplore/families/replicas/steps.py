r"""Replica symmetry breaking in k steps, up to Parisi's continuum, for Ising spins that all couple at random.

$$f=\frac{J_0m^2}2-\overline{\Phi_0(H+\sqrt{q_0}\,z)}-\frac{(1-q_k)^2}{4T}
+\frac14\sum_{i=1}^k\gamma_i(q_i^2-q_{i-1}^2)$$

with the nested averages of `nested` at the variances $q_0,q_1-q_0,\dots$ is maximal over all overlaps $q_i$ and
exponents $\gamma_i=x_i/T$:

$$q_i=\langle\Phi_i'^2\rangle_i,\qquad
\langle\Phi_i\rangle_i-\langle\Phi_{i-1}\rangle_{i-1}=\tfrac14\gamma_i(q_i^2-q_{i-1}^2)$$

One and two steps are optimised fully; from three on the $q_i$ between the first and the last are placed in advance, on
the scale on which $x(q)$ varies, and everything else is optimised: a convex problem.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.replicas.failure import STEEPEST, at_line, held_field, look_up
from mfexplore.families.replicas.nested import nested_averages
from mfexplore.families.replicas.symmetric import (
    BREAKPOINT,
    COLUMNS,
    ENERGY,
    ENTROPY,
    FERROMAGNET,
    FIRST,
    FREE_ENERGY,
    LAST,
    MAGNETIZATION,
    OVERLAP,
    PARAMAGNET,
    REPLICON,
    SPIN_GLASS,
    STIFFNESS,
    SUSCEPTIBILITY,
    TRIANGLE,
    Point,
    copy_row,
    first_overlap,
    move_state,
    overlap_in_field,
    solve_symmetric,
    write_symmetric,
)
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.linear import solve_linear

Array = NDArray[Any]

ALL_OPTIMISED = 2  # up to so many steps every overlap is optimised
SOLVED, GOOD = 1e-11, 1e-9  # residual at which the steps are solved, and with which they are accepted
RESOLVED = 30.0  # steps that make a difference, where all overlaps between q_0 and 1 occur
MERGED = 2e-3  # overlaps in a range smaller than this are one: there symmetry stands in for the steps
MEAN, RESPONSE, QUARTIC, SPIN_ENTROPY, POTENTIAL, TOTAL_FIELD = range(6)


class Tree(NamedTuple):
    """A solution with k steps, and room for more.

    overlaps, exponents: q_0 ... q_k and gamma_1 ... gamma_k.
    places: where the overlaps lie between q_0 (0) and q_k (1); used for those that are not optimised.
    averages: m, the means of sech^2/T, of sech^4/T and of the entropy of a spin, the nested average, the total field.
    """

    overlaps: Array
    exponents: Array
    places: Array
    averages: Array


@kernel
def new_tree(most):
    """A tree with room for so many steps."""
    return Tree(np.empty(most + 1), np.empty(most), np.empty(most + 1), np.empty(6))


@kernel
def optimised(k):
    """How many overlaps besides the largest are unknowns of a solution with k steps: the first ones."""
    return k if k <= ALL_OPTIMISED else 1


@kernel
def profile_of_overlaps(s, temperature):
    """Where the overlaps of a k-step solution lie between the smallest and the largest, as s runs from 0 to 1: a fit to
    optimised solutions, linear near T = 1 and crowded towards the largest overlap at low temperature.
    """
    cold = 1.0 - temperature
    return 1.0 - (1.0 - s) ** (1.0 + 0.95 * cold**4.5 + 0.36 * s * cold**1.8)


@kernel
def range_of_overlaps(temperature, total, line):
    """Guess of the smallest overlap and of (1 - largest)/T after Parisi and Toulouse: the largest hardly depends on the
    field, the smallest hardly on temperature, so both are as on the AT line.
    """
    rest = temperature * (1.6 + temperature * (0.19 + temperature * (0.39 * temperature - 1.18)))  # a fit
    if temperature > 1e-3:
        rest = (1.0 - look_up(line, 2, 1, temperature)) / temperature
    return min(look_up(line, 2, 0, total), 1.0 - 1.001 * temperature * rest), rest


@kernel
def first_steps(k, temperature, smallest, rest, unknown, place):
    """Guess of the unknowns (see `step_equations`) from `range_of_overlaps`, and of x(q)/T, which hardly depends on
    temperature or field.
    """
    largest = 1.0 - temperature * rest
    width = largest - smallest
    shift = 1.0 / (1.0 + k * smallest / width)  # without a field x(q) continues to -q
    coarse = 0.55 / (k + 0.75) ** 1.5 * (1.0 - temperature) * width
    rest = math.sqrt(rest * rest + coarse * coarse)
    largest = 1.0 - temperature * rest
    free = optimised(k)
    origin = profile_of_overlaps(shift / (2 * k + shift), temperature)
    for i in range(k + 1):
        p = profile_of_overlaps((2 * i + shift) / (2 * k + shift), temperature)
        place[i] = (p - origin) / (1.0 - origin)
        if i < free:
            unknown[i] = smallest + (largest - smallest) * p
    unknown[free] = rest
    for i in range(1, k + 1):
        q = smallest + (largest - smallest) * profile_of_overlaps((2 * i - 1 + shift) / (2 * k + shift), temperature)
        gamma = q * (1.34 - 0.95 * q + 0.2 * q * q) / math.sqrt(1.0 - q)
        unknown[free + i] = min(gamma, 0.95 / temperature) if temperature > 0.0 else gamma


@kernel
def step_equations(k, point, unknown, tree, error):
    """The errors of the stationarity conditions, of the shape of `unknown`; fills in the tree.

    unknown: the overlaps that are optimised, then (1 - q_k)/T, then the exponents, then (with a bias) the total field.

    Returns False, and nothing else of use, where the order of the overlaps or a bound is violated.
    """
    temperature, field, bias = point.temperature, point.field, point.bias
    overlaps, exponents = tree.overlaps, tree.exponents
    free = optimised(k)
    rest = unknown[free]
    overlaps[k] = 1.0 - temperature * rest
    for i in range(k):
        overlaps[i] = unknown[i] if i < free else unknown[0] + (overlaps[k] - unknown[0]) * tree.places[i]
    variances, squares, potentials = np.empty(k + 1), np.empty(k + 1), np.empty(k + 1)
    variances[0] = overlaps[0]
    if not (overlaps[0] >= 0.0 and rest > 0.0):
        return False
    for i in range(1, k + 1):
        variances[i] = overlaps[i] - overlaps[i - 1]
        exponents[i - 1] = unknown[free + i]
        if not (variances[i] > 1e-9 and exponents[i - 1] > 1e-7 and exponents[i - 1] * temperature <= 1.0):
            return False
    total = unknown[free + k + 1] if bias > 0.0 else field
    if not 0.0 <= total < 2.0 * STEEPEST:
        return False
    m, sech2, quartic, entropy = nested_averages(temperature, variances, exponents[:k], total, squares, potentials)
    for i in range(free):
        error[i] = squares[i] - overlaps[i]
    error[free] = sech2 - rest
    for i in range(1, k + 1):
        slope = (potentials[i] - potentials[i - 1]) / exponents[i - 1]
        error[free + i] = slope / variances[i] - 0.25 * (overlaps[i] + overlaps[i - 1])
    if bias > 0.0:
        error[free + k + 1] = 1.0 - bias * m / total if field == 0.0 else total - field - bias * m
    averages = tree.averages
    averages[MEAN], averages[RESPONSE], averages[QUARTIC], averages[SPIN_ENTROPY] = m, sech2, quartic, entropy
    averages[POTENTIAL], averages[TOTAL_FIELD] = potentials[0], total
    return True


@kernel
def largest(error):
    """The largest absolute value, infinite if one is not a number."""
    worst = 0.0
    for i in range(error.size):
        if not abs(error[i]) < math.inf:
            return math.inf
        worst = max(worst, abs(error[i]))
    return worst


@kernel
def improve_steps(k, point, unknown, jacobian, known, tree):
    """Solve the stationarity conditions from a guess: a Jacobian by differences, updated after Broyden, renewed when
    progress is slow. jacobian: overwritten; `known` says that it is that of a neighbouring point.
    Returns (residual, evaluations).
    """
    n = unknown.size
    error, ahead, trial = np.empty(n), np.empty(n), np.empty(n)
    matrix, step = np.empty((n, n)), np.empty(n)
    free = optimised(k)
    evaluations = 1
    if not step_equations(k, point, unknown, tree, error):
        return math.inf, evaluations
    residual = largest(error)
    age, renewals, slow = 1 if known else -1, 0, 0
    for _ in range(60):
        if residual <= SOLVED:
            break
        if age < 0:
            renewals += 1
            if renewals > 5:
                break
            age = 0
            for j in range(n):
                copy_row(unknown, trial)
                if j < free:
                    above = unknown[j + 1] if j + 1 < free else 1.0 - point.temperature * unknown[free]
                    shift = 1e-3 * (above - unknown[j])
                else:
                    shift = 1e-4 * unknown[j] * (-1.0 if free < j <= free + k else 1.0)
                trial[j] += shift
                evaluations += 1
                if not step_equations(k, point, trial, tree, ahead):
                    return math.inf, evaluations
                for i in range(n):
                    jacobian[i, j] = (ahead[i] - error[i]) / shift
        for i in range(n):
            copy_row(jacobian[i], matrix[i])
            step[i] = -error[i]
        solve_linear(matrix, step)
        damping, accepted, new = 1.0, False, 0.0
        for attempt in range(8):
            for i in range(n):
                trial[i] = unknown[i] + damping * step[i]
            evaluations += 1
            if step_equations(k, point, trial, tree, ahead):
                new = largest(ahead)
                accepted = new < residual or (age == 0 and attempt == 0 and new < 1.5 * residual)
            if accepted or age > 0:
                break
            damping *= 0.5
        if not accepted:
            if age == 0:
                break
            age = -1
            continue
        length = 0.0
        for i in range(n):
            step[i] = trial[i] - unknown[i]
            length += step[i] * step[i]
        for i in range(n):
            missed = ahead[i] - error[i]
            for j in range(n):
                missed -= jacobian[i, j] * step[j]
            for j in range(n):
                jacobian[i, j] += missed * step[j] / length
        slow = slow + 1 if new > 0.3 * residual else 0
        copy_row(trial, unknown)
        copy_row(ahead, error)
        residual = new
        age = age + 1 if slow < 3 else -1
        slow = slow if slow < 3 else 0
    step_equations(k, point, unknown, tree, error)
    return largest(error), evaluations


@kernel
def solve_steps(steps, point, guess_of_total, line, last, tree):
    """At most `steps` steps of replica symmetry breaking below the AT line, into the tree.

    Where the overlaps lie close together fewer are used: they give the free energy to 1e-8 all the same.

    Args:
        guess_of_total: of the total field; without a bias it is the field itself.
        line: see `at_line`.
        last: carries over to the next point, shape (n + 2, n) with n = steps + 5: the numbers of steps and of unknowns
            (0: nothing is carried over), then what the unknowns were in units of their guesses, then the Jacobian.

    Returns (steps used, residual, evaluations); no steps and residual 0 where the overlaps are too close to each other.
    """
    temperature, moving = point.temperature, point.bias > 0.0
    evaluations, residual = 0, math.inf
    smallest, rest = range_of_overlaps(temperature, guess_of_total, line)
    width = 1.0 - temperature * rest - smallest
    if width < MERGED:
        return 0, 0.0, evaluations
    k = min(steps, 1 + int(RESOLVED * width / math.sqrt(1.0 - smallest)))
    while k >= 1:
        n = optimised(k) + 1 + k + (1 if moving else 0)
        unknown, guess, jacobian = np.empty(n), np.empty(n), last[2 : n + 2, :n]
        carried = last[0, 0] == k and last[0, 1] == n
        for attempt in range(-1 if carried else 0, 3 if moving else 1):
            around = guess_of_total * (1.0, 0.6, 0.25)[max(attempt, 0)]
            smallest, rest = range_of_overlaps(temperature, around, line)
            first_steps(k, temperature, smallest, rest, guess, tree.places)
            if moving:
                guess[n - 1] = around
            for i in range(n):
                unknown[i] = guess[i] * last[1, i] if attempt < 0 else guess[i]
            residual, count = improve_steps(k, point, unknown, jacobian, attempt < 0, tree)
            evaluations += count
            if residual <= GOOD:
                last[0, 0], last[0, 1] = k, n
                for i in range(n):
                    last[1, i] = unknown[i] / guess[i]
                return k, residual, evaluations
        last[0, 0] = 0.0
        k //= 2
    return 0, residual, evaluations


@kernel
def mean_triangle(k, temperature, tree):
    """The mean of q_12 q_23 q_31. Two of them are equal and no larger than the third (ultrametricity); the density is
    x P(q)/2 where all are equal and P(a) P(b)/2 for each way in which two are a and one b > a (Mezard et al. 1984).
    """
    total = larger = 0.0  # larger: mean of the overlaps above
    above = 1.0
    for s in range(k, -1, -1):
        below = temperature * tree.exponents[s - 1] if s > 0 else 0.0
        weight, q = above - below, tree.overlaps[s]
        total += (0.25 * (above * above - below * below) + 0.75 * weight * weight) * q * q * q
        total += 1.5 * weight * q * q * larger
        larger += weight * q
        above = below
    return total


@kernel
def write_steps(row, k, point, tree):
    """Fill in the observables of a state with k steps."""
    temperature = point.temperature
    overlaps, exponents, averages = tree.overlaps, tree.exponents, tree.averages
    m = averages[MEAN]
    rest = (1.0 - overlaps[k]) / temperature if temperature > 0.0 else averages[RESPONSE]
    chi, square, mean = rest, 0.0, overlaps[k]
    for s in range(1, k + 1):
        gamma = exponents[s - 1]
        chi += gamma * (overlaps[s] - overlaps[s - 1])
        square += gamma * (overlaps[s] ** 2 - overlaps[s - 1] ** 2)
        mean -= temperature * gamma * (overlaps[s] - overlaps[s - 1])
    entropy = averages[SPIN_ENTROPY] - 0.25 * rest * rest
    free_energy = -averages[POTENTIAL] - 0.25 * temperature * rest * rest + 0.25 * square + 0.5 * point.bias * m * m
    row[MAGNETIZATION] = m
    row[OVERLAP], row[FIRST], row[LAST] = mean, overlaps[0], overlaps[k]
    row[BREAKPOINT] = temperature * exponents[k - 1]
    row[FREE_ENERGY] = free_energy
    row[ENERGY] = free_energy + temperature * entropy
    row[ENTROPY] = entropy
    row[REPLICON] = 1.0 - averages[QUARTIC] / temperature
    row[STIFFNESS] = temperature - averages[QUARTIC]
    row[TRIANGLE] = mean_triangle(k, temperature, tree)
    row[SUSCEPTIBILITY] = chi


@kernel
def break_symmetry(steps, temperature, field, bias, line, values, residual, iterations):
    """Replace what `solve_symmetric` found below the AT line by solutions with steps (where steps > 0)."""
    most = 1
    for i in range(steps.size):
        most = max(most, steps[i])
    tree = new_tree(most)
    last, last_glass = np.zeros((most + 7, most + 5)), np.zeros((most + 7, most + 5))
    glass = np.empty(values.shape[2])  # the state without magnetization depends on temperature and steps alone
    glass_residual, glass_count, glass_temperature, glass_steps = 0.0, 0, -1.0, 0
    for i in range(temperature.size):
        t, h, j = temperature[i], field[i], bias[i]
        if steps[i] == 0 or t >= 1.0:
            continue
        if (h == 0.0 or j > 0.0) and (t != glass_temperature or steps[i] != glass_steps):
            glass_temperature, glass_steps = t, steps[i]
            q, glass_count = overlap_in_field(t, 0.0, first_overlap(t, 0.0))
            alone = Point(t, 0.0, 0.0)
            glass_residual = write_symmetric(glass, alone, q, 0.0)
            k, worst, count = solve_steps(steps[i], alone, 0.0, line, last_glass, tree)
            if k > 0:
                write_steps(glass, k, alone, tree)
            if k > 0 or worst > 0.0:
                glass_residual, glass_count = worst, count
        spontaneous = j > 0.0 and j * glass[SUSCEPTIBILITY] > 1.0
        if h == 0.0:
            copy_row(glass, values[i, SPIN_GLASS])
            residual[i, SPIN_GLASS], iterations[i, SPIN_GLASS] = glass_residual, glass_count
            if not spontaneous:
                move_state(values, residual, iterations, i, FERROMAGNET, -1)
                continue
        now = -1  # where replica symmetry has its magnetized state
        for branch in range(3):
            if residual[i, branch] == residual[i, branch] and (h > 0.0 or branch == FERROMAGNET):
                now = branch
        replicon = values[i, now, REPLICON] if now >= 0 else -math.inf
        k, worst, count = 0, 0.0, 0
        point = Point(t, h, j)
        if replicon < 0.0:
            total = h if j == 0.0 else held_field(line, h, j)
            k, worst, count = solve_steps(steps[i], point, total, line, last, tree)
        target = FERROMAGNET if spontaneous else (PARAMAGNET if replicon >= 0.0 else SPIN_GLASS)
        if now >= 0 and now != target:
            move_state(values, residual, iterations, i, now, target)
        if k > 0:
            write_steps(values[i, target], k, point, tree)
        if k > 0 or worst > 0.0 or now < 0:
            residual[i, target], iterations[i, target] = worst if k > 0 else math.inf, count


def solve(steps: Array, temperature: Array, field: Array, bias: Array) -> tuple[Array, Array, Array]:
    """All branches at n points: a table of shape (n, 3, columns), residuals and iterations of shape (n, 3).

    steps: whole numbers from 0 (replica symmetry) on; temperature, field, bias: at least 0; all of shape (n,).
    A branch that does not exist has the residual NaN.
    """
    t, h, j = (np.ascontiguousarray(column, np.float64) for column in (temperature, field, bias))
    table = np.full((t.size, 3, len(COLUMNS)), np.nan)
    residual = np.full((t.size, 3), np.nan)
    iterations = np.zeros((t.size, 3), np.int64)
    solve_symmetric(t, h, j, table, residual, iterations)
    if steps.any():
        break_symmetry(steps, t, h, j, at_line(), table, residual, iterations)
    return table, residual, iterations


def order_parameter(steps: int, temperature: float, total: float) -> tuple[Array, Array]:
    """Parisi's order parameter in the total field H, below the AT line: (q_0 ... q_k, 0 = x_0 ... x_k, 1)."""
    tree = new_tree(steps)
    last = np.zeros((steps + 7, steps + 5))
    k, _, _ = solve_steps(steps, Point(temperature, total, 0.0), total, at_line(), last, tree)
    return tree.overlaps[: k + 1], np.concatenate([[0.0], temperature * tree.exponents[:k], [1.0]])
