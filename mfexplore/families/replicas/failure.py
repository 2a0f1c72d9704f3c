r"""Where replica symmetry fails: the line of de Almeida and Thouless, where the replicon eigenvalue vanishes, and the
line of vanishing entropy. In the total field $H=h+J_0m$ both are curves $T(H)$, with $q$ and $m$ on them.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.replicas.symmetric import first_overlap, overlap_in_field
from mfexplore.numerics.functions.gaussian import response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.continuation import Bracket, false_position, narrowed

Array = NDArray[np.float64]

STEEPEST = 4.0  # largest total field H: |h| + J_0
FAINT = 1e-6  # total field, in units of which a magnetization without a field is looked for


@kernel
def margin(temperature, total, start, entropic):
    """(T times the replicon eigenvalue or, if `entropic`, the entropy; q; m) in the total field."""
    q = overlap_in_field(temperature, total, start)[0]
    spin = response_and_entropy(total, math.sqrt(q), temperature)
    return (spin.entropy - 0.25 * spin.chi * spin.chi if entropic else temperature - spin.quartic), q, spin.m


@kernel
def failure(total, low, high, entropic):
    """(T, q, m) where the margin vanishes in the total field, between two temperatures, or the nearer of the two."""
    start = first_overlap(high, total)
    f_low, q_low, m_low = margin(low, total, 0.9, entropic)
    f_high, q, m = margin(high, total, start, entropic)
    if f_low * f_high >= 0.0:  # rounding has eaten the change of sign
        return (low, q_low, m_low) if abs(f_low) < abs(f_high) else (high, q, m)
    bracket = Bracket(low, high, f_low, f_high, 0)
    t = high
    for _ in range(60):
        t = false_position(bracket)
        f, q, m = margin(t, total, start, entropic)
        start = max(q, 1e-3)
        bracket = narrowed(bracket, t, f)
        if abs(f) <= 1e-15 or bracket.high - bracket.low <= 1e-14 * t:
            break
    return t, q, m


@kernel
def trace_line(line, entropic):
    """Fill in a line of `failures` behind its first point; row 0 holds the total fields."""
    for i in range(1, line.shape[1]):
        coldest = 1e-3 * math.exp(-0.5 * line[0, i] * line[0, i])
        line[1, i], line[2, i], line[3, i] = failure(line[0, i], coldest, line[1, i - 1], entropic)


@cache
def failures(entropic: bool) -> Array:
    """The AT line or the line of zero entropy, once for all: rows (H, T, q, m), evenly spaced in H^(2/3), where they
    are smooth.
    """
    line = np.zeros((4, 129))
    line[0] = np.linspace(0.0, (1.05 * STEEPEST) ** (2 / 3), 129) ** 1.5
    line[1, 0] = 1.0
    if entropic:
        line[1, 0], line[2, 0], _ = failure(0.0, 0.2, 0.35, True)
    trace_line(line, entropic)
    return line


def at_line() -> Array:
    """See `failures`."""
    return failures(False)


@kernel
def look_up(line, row, known, value):
    """A row of `at_line` where another one (monotonic) has a value: linear interpolation, the end beyond the ends."""
    keys = line[known]
    last = keys.size - 1
    rising = keys[last] > keys[0]
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        if (keys[middle] <= value) == rising:
            low = middle
        else:
            high = middle
    weight = min(max((value - keys[low]) / (keys[high] - keys[low]), 0.0), 1.0)
    return line[row, low] + weight * (line[row, high] - line[row, low])


@kernel
def cell_of_field(line, field, bias):
    """Number k of the cell between points k - 1 and k of a line in which H - J_0 m rises above h; 0: it always is."""
    for k in range(line.shape[1] - 1, 0, -1):
        above = line[0, k] - field - bias * line[3, k]
        below = line[0, k - 1] - field - bias * line[3, k - 1]
        if below <= 0.0 < above:
            return k
    return 0


@kernel
def held_field(line, field, bias):
    """Guess of the total field H = h + J_0 m(H) below the line, where m hardly depends on temperature."""
    k = cell_of_field(line, field, bias)
    if k <= 1:
        return max(field, 0.5 * line[0, 1])
    above = line[0, k] - field - bias * line[3, k]
    below = line[0, k - 1] - field - bias * line[3, k - 1]
    return line[0, k - 1] + (line[0, k] - line[0, k - 1]) * below / (below - above)


@kernel
def trace_in_field(line, field, bias, entropic, temperature):
    """The temperature of a line at many fields h and biases J_0, written into an array of the same shape."""
    for i in range(field.size):
        h, j = field[i], bias[i]
        k = max(cell_of_field(line, h, j), 1)
        coldest, warmest = line[1, k], line[1, k - 1]
        low, high = line[0, k - 1], line[0, k]
        if k == 1:  # no total field is as small as the field alone
            low = h if h > 0.0 else FAINT * high
        t, _, m = failure(low, coldest, warmest, entropic)
        f_low, f_high = low - h - j * m, high - h - j * line[3, k]
        if f_low < 0.0:
            bracket = Bracket(low, high, f_low, f_high, 0)
            for _ in range(60):
                x = false_position(bracket)
                t, _, m = failure(x, coldest, warmest, entropic)
                f = x - h - j * m
                bracket = narrowed(bracket, x, f)
                if abs(f) <= 1e-15 or bracket.high - bracket.low <= 1e-14 * x:
                    break
        temperature[i] = t if h > 0.0 or f_low < 0.0 else line[1, 0]


def temperature_of_failure(field: Array, bias: Array, entropic: bool) -> Array:
    """The temperature below which replica symmetry breaks or (`entropic`) its entropy is negative in the field h with
    the bias J_0, both from 0 on, h + J_0 at most `STEEPEST`; arrays of shape (n,).
    """
    found = np.empty(np.shape(field))
    trace_in_field(failures(entropic), field, bias, entropic, found)
    return found
