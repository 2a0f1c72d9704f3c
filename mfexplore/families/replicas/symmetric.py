r"""Replica symmetry of Ising spins that all couple at random, in a field and with a ferromagnetic bias.

The couplings have the mean $J_0/N$ and the variance $1/N$. With the total field $H=h+J_0m$ and $z$ standard normal,

$$q=\overline{\tanh^2\frac{H+\sqrt q\,z}T},\qquad m=\overline{\tanh\frac{H+\sqrt q\,z}T},$$

and the replicon eigenvalue $1-T^{-2}\,\overline{\mathrm{sech}^4}$ tells whether this is stable. A state is written
into a row of a table: see `COLUMNS`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mfexplore.numerics.functions.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.continuation import Bracket, false_position, narrowed

PARAMAGNET, SPIN_GLASS, FERROMAGNET = range(3)
# What is known of a state. The stiffness is T times the replicon eigenvalue, which is finite at T = 0 too; the triangle
# is the mean product of the three overlaps of three copies
COLUMNS = (
    "magnetization", "overlap", "overlap_0", "overlap_1", "breakpoint", "free_energy", "energy", "entropy", "replicon",
    "susceptibility", "stiffness", "triangle",
)  # fmt: skip
(
    MAGNETIZATION, OVERLAP, FIRST, LAST, BREAKPOINT, FREE_ENERGY, ENERGY, ENTROPY, REPLICON, SUSCEPTIBILITY, STIFFNESS,
    TRIANGLE,
) = range(len(COLUMNS))  # fmt: skip


class Point(NamedTuple):
    """Where a solution is wanted: T, h and J_0."""

    temperature: float
    field: float
    bias: float


@kernel
def overlap_in_field(temperature, field, start):
    """Largest root q in the total field H >= 0; start: a guess in (0, 1]. Returns (q, iterations)."""
    if temperature == 0.0:
        return 1.0, 0
    if field == 0.0 and temperature >= 1.0:
        return 0.0, 0
    u = start
    for iteration in range(100):
        deviation = math.sqrt(u)
        _, q, _, _, by_deviation = response(field, deviation, temperature)
        slope = -temperature * by_deviation / (2.0 * deviation)
        if field == 0.0:  # u = 0 is a root too; dividing by u takes it out
            step = (u - q) / (slope - q / u)
        elif slope < 1.0:
            step = (q - u) / (1.0 - slope)
        else:
            step = 0.5 * (1.0 - u) + 1e-3
        new = u + step
        if new <= 0.0:
            new = 0.1 * u
        elif new > 1.0:
            new = 0.5 * (1.0 + u)
        done = abs(new - u) <= 1e-7 * u
        u = new
        if done:
            break
    return u, iteration + 1


@kernel
def first_overlap(temperature, field):
    """A guess of q to start from."""
    u = 1.0 - 0.8 * temperature - 0.2 * temperature * temperature if temperature < 1.0 else 0.01
    squared = field * field
    return min(max(u, squared / (temperature * temperature + squared), 1e-3), 1.0)


@kernel
def newton_magnetized(temperature, field, bias, u, total):
    """Newton's method for (q, H) with H > 0 from a guess. Returns (q, H, iterations, success)."""
    for iteration in range(40):
        deviation = math.sqrt(u)
        m, q, chi, by_mean, by_deviation = response(total, deviation, temperature)
        f1 = u - q
        a11 = 1.0 + temperature * by_deviation / (2.0 * deviation)
        a12 = temperature * by_mean
        if field == 0.0:  # H = 0 is a root too
            f2 = 1.0 - bias * m / total
            a21 = -0.5 * bias * by_mean / total
            a22 = bias * (m / total - chi) / total
        else:
            f2 = total - field - bias * m
            a21 = -0.5 * bias * by_mean
            a22 = 1.0 - bias * chi
        determinant = a11 * a22 - a12 * a21
        du = -(f1 * a22 - f2 * a12) / determinant
        dt = -(a11 * f2 - a21 * f1) / determinant
        if not (abs(du) < 10.0 and abs(dt) < 100.0):
            break
        damping = 1.0
        if u + du <= 0.0:
            damping = -0.8 * u / du
        elif u + du > 1.0:
            damping = (1.0 - u) / du if u < 1.0 else 0.0
        if total + damping * dt <= 0.0:
            damping = -0.8 * total / dt
        u += damping * du
        total += damping * dt
        if abs(du) <= 1e-7 * u and abs(dt) <= 1e-7 * total:
            return u, total, iteration + 1, True
    return u, total, iteration + 1, False


@kernel
def magnetized(temperature, field, bias):
    """The same from afar: the largest H, between a tiny one and h + J_0, by false position on H - h - J_0 m(H)."""
    low, high = 1e-9, field + bias
    q = overlap_in_field(temperature, high, first_overlap(temperature, high))[0]
    f_high = high - field - bias * response(high, math.sqrt(q), temperature)[0]
    if f_high <= 0.0:  # saturated to the last digit
        return q, high, 1, True
    bracket = Bracket(low, high, -1.0, f_high, 0)
    start = q
    for iteration in range(200):
        x = false_position(bracket) if iteration % 3 != 2 else 0.5 * (bracket.low + bracket.high)
        q = overlap_in_field(temperature, x, start)[0]
        f = x - field - bias * response(x, math.sqrt(q), temperature)[0]
        start = max(q, 1e-6)
        bracket = narrowed(bracket, x, f)
        if bracket.high - bracket.low <= 1e-5 * x:
            break
    return newton_magnetized(temperature, field, bias, q, x)


@kernel
def write_symmetric(row, point, u, total):
    """Fill in the state of overlap u in the total field; returns the residual of its two equations."""
    temperature, field, bias = point.temperature, point.field, point.bias
    spin = response_and_entropy(total, math.sqrt(u), temperature)
    m, chi = spin.m, spin.chi
    entropy = spin.entropy - 0.25 * chi * chi
    energy = -0.5 * chi * (1.0 + u) - 0.5 * bias * m * m - field * m
    row[MAGNETIZATION] = m
    row[OVERLAP] = row[FIRST] = row[LAST] = u
    row[BREAKPOINT] = 0.0
    row[FREE_ENERGY] = energy - temperature * entropy
    row[ENERGY] = energy
    row[ENTROPY] = entropy
    row[REPLICON] = 1.0 - spin.quartic / temperature
    row[STIFFNESS] = temperature - spin.quartic
    row[TRIANGLE] = u * u * u
    row[SUSCEPTIBILITY] = chi
    return max(abs(spin.q - u), abs(total - field - bias * m))


@kernel
def copy_row(source, target):
    """Copy a 1-d array: a loop, because Numba compiles the check of an assignment between slices for half a second."""
    for k in range(target.size):
        target[k] = source[k]


@kernel
def move_state(values, residual, iterations, i, source, target):
    """Rename a branch at point i; under a negative target it is forgotten."""
    if target >= 0:
        copy_row(values[i, source], values[i, target])
        residual[i, target], iterations[i, target] = residual[i, source], iterations[i, source]
    for k in range(values.shape[2]):
        values[i, source, k] = math.nan
    residual[i, source] = math.nan


@kernel
def solve_symmetric(temperature, field, bias, values, residual, iterations):
    """All replica-symmetric branches.

    values: shape (n, 3, columns), residual and iterations: (n, 3); a branch that does not exist keeps residual NaN.
    """
    row_temperature = -1.0
    glass = chi = 0.0
    u = total = -1.0
    for i in range(temperature.size):
        t, h, j = temperature[i], field[i], bias[i]
        point = Point(t, h, j)
        if t != row_temperature:  # the state without magnetization depends on the temperature alone
            row_temperature = t
            glass, count = overlap_in_field(t, 0.0, glass if 0.0 < glass < 1.0 else first_overlap(t, 0.0))
            chi = response(0.0, math.sqrt(glass), t)[2]
        spontaneous = j * chi > 1.0
        if h == 0.0:
            if t > 0.0:
                residual[i, PARAMAGNET] = write_symmetric(values[i, PARAMAGNET], point, 0.0, 0.0)
            if t < 1.0:
                residual[i, SPIN_GLASS] = write_symmetric(values[i, SPIN_GLASS], point, glass, 0.0)
                iterations[i, SPIN_GLASS] = count
            if not spontaneous:
                u = total = -1.0
                continue
        if j == 0.0:
            total = h
            u, count = overlap_in_field(t, h, u if u > 0.0 else first_overlap(t, h))
        else:
            found = False
            if u > 0.0 and total > 0.0:
                u, total, count, found = newton_magnetized(t, h, j, u, total)
            if not found:
                u, total, count, found = magnetized(t, h, j)
        branch = FERROMAGNET if spontaneous else PARAMAGNET
        residual[i, branch] = write_symmetric(values[i, branch], point, u, total)
        iterations[i, branch] = count
        if branch == PARAMAGNET and values[i, branch, REPLICON] < 0.0:
            move_state(values, residual, iterations, i, PARAMAGNET, SPIN_GLASS)
