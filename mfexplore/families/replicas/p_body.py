r"""Ising spins with random couplings between all groups of p >= 3: one step of replica symmetry breaking.

$$f=\max_{q,x}\Big[-\frac{1-pq^{p-1}+(p-1)q^p}{4T}+\frac{\gamma}4(p-1)q^p
-\frac1\gamma\ln\overline{\Big(2\cosh\frac{\sigma z}T\Big)^x}\Big],\qquad
\sigma^2=\frac p2q^{p-1},\quad\gamma=\frac xT$$

in energies of variance N/2. What is solved for are $C=(1-q)/T$ and $\gamma$, which stay finite at T = 0.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.replicas.nested import innermost
from mfexplore.numerics.functions.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq

Array = NDArray[Any]

LIQUID, GLASS, THRESHOLD = range(3)
COLUMNS = ("overlap", "breakpoint", "free_energy", "energy", "complexity", "replicon")
OVERLAP, BREAKPOINT, FREE_ENERGY, ENERGY, COMPLEXITY, REPLICON = range(len(COLUMNS))
LOWEST, HIGHEST = 3, 6  # order p
DYNAMIC, STATIC, GARDNER, WIDTH = range(4)  # temperatures in row 0 of a line, and lambda at T_d


@kernel
def averages(order, temperature, rest, gamma, out):
    """The tilted averages at C = rest and x = gamma T: `out`, shape (6, 1), as by `innermost`. Returns q."""
    q = 1.0 - temperature * rest
    innermost(temperature, gamma, 0.5 * order * q ** (order - 1), 0.0, out)
    return q


@kernel
def conditions(order, temperature, rest, gamma, marginal, out):
    """Errors of the conditions on (C, gamma): df/dq = 0, and df/dgamma = 0 or, where `marginal`, replicon = 0."""
    q = averages(order, temperature, rest, gamma, out)
    first = rest - out[2, 0]
    if marginal:
        second = temperature - 0.5 * order * (order - 1) * q ** (order - 2) * out[3, 0]
    else:
        second = 0.25 * (order - 1) * q**order - (out[5, 0] - out[0, 0]) / gamma
    return first, second


@kernel
def root(order, temperature, rest, gamma, marginal, out):
    """Newton's method for `conditions` from a guess. Returns (C, gamma, residual, iterations)."""
    top = 1.0 / temperature if temperature > 0.0 else math.inf
    residual = math.inf
    for iteration in range(60):
        first, second = conditions(order, temperature, rest, gamma, marginal, out)
        residual = max(abs(first), abs(second))
        if residual <= 1e-13:
            break
        d_rest, d_gamma = 1e-6 * rest, -1e-6 * gamma
        a, c = conditions(order, temperature, rest + d_rest, gamma, marginal, out)
        b, d = conditions(order, temperature, rest, gamma + d_gamma, marginal, out)
        a, c = (a - first) / d_rest, (c - second) / d_rest
        b, d = (b - first) / d_gamma, (d - second) / d_gamma
        determinant = a * d - b * c
        step = -(first * d - second * b) / determinant
        turn = -(a * second - c * first) / determinant
        if not (abs(step) < math.inf and abs(turn) < math.inf):
            return rest, gamma, math.inf, iteration
        damping = min(
            1.0, 0.3 * rest / abs(step) if step != 0.0 else 1.0, 0.3 * gamma / abs(turn) if turn != 0.0 else 1.0
        )
        rest += damping * step
        gamma = min(gamma + damping * turn, top)
        if temperature > 0.0:
            rest = min(rest, 0.999 * top)
        if abs(step) <= 1e-13 * rest and abs(turn) <= 1e-13 * gamma:
            break
    return rest, gamma, residual, iteration + 1


@kernel
def write_state(row, order, temperature, rest, gamma, out):
    """Fill in the observables of a state."""
    q = averages(order, temperature, rest, gamma, out)
    weight, ring, power = 0.0, 1.0, 1.0  # 1 - p q^(p-1) + (p-1) q^p and 1 - q^p, without the zeros at q = 1
    for j in range(order - 1):
        weight += (j + 1) * power
        power *= q
        ring += power
    phi = out[0, 0]
    row[OVERLAP] = q
    row[BREAKPOINT] = gamma * temperature
    row[FREE_ENERGY] = -0.25 * temperature * rest * rest * weight + 0.25 * gamma * (order - 1) * q**order - phi
    row[ENERGY] = -0.5 * (rest * ring + gamma * power * q)
    row[COMPLEXITY] = gamma * gamma * 0.25 * (order - 1) * q**order - gamma * (out[5, 0] - phi)
    row[REPLICON] = 1.0 - 0.5 * order * (order - 1) * q ** (order - 2) * out[3, 0] / temperature


@kernel
def liquid_states(lam):
    """At x = 1 and the width lambda = sigma/T of the field: (q, mean of sech^4, entropy of a spin)."""
    _, q, _, _, _, quartic, entropy = response_and_entropy(lam * lam, lam, 1.0)
    return q, quartic, entropy


@kernel
def temperature_of(order, lam):
    """T(lambda) of the states at x = 1: rises to T_d, then falls."""
    return math.sqrt(0.5 * order * liquid_states(lam)[0] ** (order - 1)) / lam


@kernel
def states_in_liquid(order, temperature, dynamic):
    """The stable solution with x = 1 at T < T_d: lambda, by bisection and secant on the falling side of T(lambda)."""
    low, high = dynamic, 1.01 * math.sqrt(0.5 * order) / temperature
    for _ in range(200):
        middle = 0.5 * (low + high)
        if temperature_of(order, middle) > temperature:
            low = middle
        else:
            high = middle
        if high - low <= 1e-15 * high:
            break
    return 0.5 * (low + high)


@kernel
def freeze(order, temperature, line, row, out):
    """Fill in the observables of the glass at T < T_s; out: as by `innermost`. Returns (C, gamma, residual, count)."""
    rest, gamma = interpolate(line[1], line[2], temperature), interpolate(line[1], line[3], temperature)
    rest, gamma, residual, iterations = root(order, temperature, rest, gamma, temperature < 0.0, out)
    write_state(row, order, temperature, rest, gamma, out)
    return rest, gamma, residual, iterations


@kernel
def solve_points(order, temperature, lines, values, residual, iterations):
    """All branches at points of any order and temperature. lines: see `line_of`, by order - LOWEST."""
    out = np.empty((6, 1))
    for i in range(order.size):
        p, t = order[i], temperature[i]
        line = lines[p - LOWEST]
        dynamic, static, gardner, lam_dynamic = line[0, 0], line[0, 1], line[0, 2], line[0, 3]
        if t > 0.0:
            row = values[i, LIQUID]
            row[OVERLAP], row[BREAKPOINT], row[COMPLEXITY], row[REPLICON] = 0.0, 1.0, 0.0, 1.0
            row[FREE_ENERGY] = -0.25 / t - t * math.log(2.0)
            row[ENERGY] = -0.5 / t
            residual[i, LIQUID] = 0.0
        if t >= dynamic:
            continue
        if t >= static:
            lam = states_in_liquid(p, t, lam_dynamic)
            q = liquid_states(lam)[0]
            write_state(values[i, GLASS], p, t, (1.0 - q) / t, 1.0 / t, out)
            residual[i, GLASS] = abs(temperature_of(p, lam) - t)
            values[i, GLASS, BREAKPOINT] = 1.0
        else:
            _, _, residual[i, GLASS], iterations[i, GLASS] = freeze(p, t, line, values[i, GLASS], out)
        if t > gardner:
            rest, gamma = interpolate(line[4], line[5], t), interpolate(line[4], line[6], t)
            rest, gamma, worst, count = root(p, t, rest, gamma, t > 0.0, out)
            write_state(values[i, THRESHOLD], p, t, rest, gamma, out)
            values[i, THRESHOLD, FREE_ENERGY] += values[i, THRESHOLD, COMPLEXITY] / gamma
            residual[i, THRESHOLD], iterations[i, THRESHOLD] = worst, count


@kernel
def interpolate(x, y, at):
    """Linear interpolation in x, increasing."""
    k = min(max(np.searchsorted(x, at), 1), x.size - 1)
    return y[k - 1] + (y[k] - y[k - 1]) * (at - x[k - 1]) / (x[k] - x[k - 1])


@cache
def line_of(order: int) -> Array:
    """Row 0: T_d, T_s, T_G, lambda at T_d. Rows 1-3: T, C, gamma of the glass from T = 0 to T_s; rows 4-6: the same of
    the threshold from T_G to T_d. Both are starting points for Newton's method.
    """

    def flatness(lam: float) -> float:
        q, quartic, _ = liquid_states(lam)
        return float((order - 1) * lam * lam * quartic / q - 1)

    def states_left(lam: float) -> float:
        q, _, entropy = liquid_states(lam)
        t = temperature_of(order, lam)
        return float((order - 1) * q**order / (4 * t * t) - (lam * lam / 2 + entropy - math.log(2)))

    peak = brentq(flatness, 0.8, 12.0, xtol=1e-14)
    dynamic = temperature_of(order, peak)
    last = brentq(states_left, peak, 4 * math.sqrt(order), xtol=1e-14)
    static = temperature_of(order, last)
    out = np.empty((6, 1))
    nodes = 49
    line = np.zeros((7, nodes))
    # the glass, followed from T_s down to zero temperature
    line[1] = np.linspace(0, static, nodes)
    rest, gamma = (1 - liquid_states(last)[0]) / static, 1 / static
    line[2, -1], line[3, -1] = rest, gamma
    replicon = np.zeros(nodes)
    for k in range(nodes - 2, -1, -1):
        rest, gamma, _, _ = root(order, line[1, k], rest, gamma, False, out)
        line[2, k], line[3, k] = rest, gamma

    def softness(t: float) -> float:
        rest, gamma = np.interp(t, line[1], line[2]), np.interp(t, line[1], line[3])
        rest, gamma, _, _ = root(order, t, rest, gamma, False, out)
        return float(conditions(order, t, rest, gamma, True, out)[1])

    replicon = np.array([softness(t) for t in line[1, 1:]])
    k = int(np.flatnonzero(replicon < 0)[-1]) + 1
    gardner = brentq(softness, line[1, k], line[1, k + 1], xtol=1e-14)
    # the threshold, followed from T_d down to where it meets the glass
    line[4] = np.linspace(gardner, dynamic, nodes)
    rest, gamma = (1 - liquid_states(peak)[0]) / dynamic, 1 / dynamic
    line[5, -1], line[6, -1] = rest, gamma
    for k in range(nodes - 2, -1, -1):
        rest, gamma, _, _ = root(order, line[4, k], rest, gamma, True, out)
        line[5, k], line[6, k] = rest, gamma
    line[0, :4] = dynamic, static, gardner, peak
    return line


@cache
def lines() -> Array:
    """`line_of` every order, shape (orders, 7, nodes)."""
    return np.stack([line_of(p) for p in range(LOWEST, HIGHEST + 1)])


def solve(order: Array, temperature: Array, values: Array, residual: Array, iterations: Array) -> None:
    """All branches at points of any order and temperature, written into the last three: shapes (n, 3, columns), (n, 3),
    (n, 3), where NaN stays that of a branch that does not exist.
    """
    solve_points(order, temperature, lines(), values, residual, iterations)


def held_free_energy(order: int, temperature: float, q: float) -> float:
    """Free energy of a copy held at overlap q with an equilibrium configuration (Franz and Parisi 1995), by iteration
    over the overlap u of two such copies and the field that holds them.
    """
    p, t = order, temperature
    u, field = q * q, t * math.atanh(q)
    for _ in range(500):
        deviation = math.sqrt(p / 2 * u ** (p - 1))
        for _ in range(60):
            m, square, chi, _, _ = response(field, deviation, t)
            field += (q - m) / max(chi, 1e-3)
            if abs(q - m) < 1e-13:
                break
        u, before = square, u
        if abs(u - before) < 1e-12:
            break
    m, _, chi, _, _, _, entropy = response_and_entropy(field, deviation, t)
    logarithm = field * m + deviation**2 * chi + t * entropy  # T times the average of ln 2cosh
    return float(-(q**p) / (2 * t) + field * q - logarithm - (1 + (p - 1) * u**p - p * u ** (p - 1)) / (4 * t))
