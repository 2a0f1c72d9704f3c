r"""Sherrington-Kirkpatrick spin glass: every spin coupled to every other, at random.

$N$ Ising spins $s_i=\pm1$ with the energy

$$H=-\sum_{i<j}J_{ij}s_is_j-h\sum_is_i,\qquad \overline{J_{ij}}=\frac{J_0}N,\quad
\overline{(\delta J_{ij})^2}=\frac1N \tag{1}$$

**Replica symmetry.** If two copies of the system at the same couplings always have the overlap
$q=\frac1N\sum_is_i^{(1)}s_i^{(2)}$, each spin feels a field $H+\sqrt q\,z$, $z$ standard normal, and

$$q=\overline{\tanh^2\frac{H+\sqrt q\,z}T},\qquad m=\overline{\tanh\frac{H+\sqrt q\,z}T},\qquad H=h+J_0m \tag{2}$$

$$f=-\frac{(1-q)^2}{4T}+\frac{J_0m^2}2-T\,\overline{\ln2\cosh\frac{H+\sqrt q\,z}T} \tag{3}$$

to be *maximised* over $q$ (the number of pairs of replicas turns negative as $n\to0$). This fails below the line of de
Almeida and Thouless, where the replicon eigenvalue turns negative,

$$\lambda=1-\frac1{T^2}\,\overline{\mathrm{sech}^4\frac{H+\sqrt q\,z}T}<0 \tag{4}$$

and, worse, its entropy falls to $-1/2\pi$ at $T=0$.

**Breaking the symmetry.** In truth there are many states, and the overlap has a distribution. Parisi's order parameter
$x(q)$ is the probability that two copies overlap less than $q$. With $k$ steps it jumps at $q_0<\dots<q_k$ between the
values $0=x_0<x_1<\dots<x_k<1$; with $\gamma_i=x_i/T$ and the nested averages

$$\Phi_{i-1}(y)=\frac1{\gamma_i}\ln\overline{e^{\gamma_i\Phi_i(y+\sqrt{q_i-q_{i-1}}\,z)}},\qquad
\Phi_k(y)=T\ln2\cosh\frac yT \tag{5}$$

$$f=\frac{J_0m^2}2-\overline{\Phi_0(H+\sqrt{q_0}\,z)}-\frac{(1-q_k)^2}{4T}+\frac14\sum_{i=1}^k\gamma_i(q_i^2-q_{i-1}^2)
\tag{6}$$

again maximal over all $q_i$ and $\gamma_i$. Stationarity reads $q_i=\langle\Phi_i'^2\rangle_i$ and
$\langle\Phi_i\rangle_i-\langle\Phi_{i-1}\rangle_{i-1}=\frac14\gamma_i(q_i^2-q_{i-1}^2)$ in the tilted averages that
(5) defines. As $k\to\infty$ this is the exact solution (Parisi 1980, Talagrand 2006); $f$ approaches it as $k^{-4}$.
Here one and two steps are optimised fully; from three on the $q_i$ between the first and the last are placed in
advance, on the scale on which $x(q)$ varies, and everything else is optimised: a convex problem.

**Regions.** Without a field: paramagnet above $T=\max(1,J_0)$; below, a spin glass with $q>0$ but $m=0$, or a
ferromagnet where $J_0\chi>1$, $\chi=\frac1T(1-\int q\,dx)$. Below the line (4) with $m>0$ the ferromagnet is also a
glass (mixed). Replica symmetry lets the spin glass reach up to $J_0=\sqrt{\pi/2}$ at $T=0$; exactly $\chi=1$ throughout
the spin glass, so the true border is the vertical line $J_0=1$, which $k$ steps approach. In a field only the glass is
a broken symmetry; a state is called a ferromagnet here if it would stay magnetized without the field.

**Valid:** replica symmetry above the line (4); below, $k$ steps err in $f$ at $T=0.5$ by $3\cdot10^{-5}$ (1),
$5\cdot10^{-6}$ (2) and less than $10^{-7}$ (from 8 on), at $T=0$ by 0.0021 (1), 0.0004 (2) and 0.000002 (12).
All of it as $N\to\infty$: at finite $N$ the energy lies higher by about $0.7N^{-2/3}$ and the peaks of $P(q)$ are
broad. In equilibrium the average over Gaussian couplings obeys $e+hm=-\frac1{2T}(1-\overline{\langle q^2\rangle})$ at
any $N$ (if $J_0=0$): a simulation that departs from it has not equilibrated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.families.dense_spins import blank, energy, local_fields, metropolis_sweeps, symmetric_couplings
from mfexplore.families.replicas.nested import nested_averages
from mfexplore.families.tempering import exchange, ladder
from mfexplore.numerics.continuation import false_position, narrowed
from mfexplore.numerics.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.linear import solve_linear
from mfexplore.numerics.random import new_stream

PARAMAGNET, SPIN_GLASS, FERROMAGNET = 0, 1, 2
MAGNETIZATION, OVERLAP, FIRST, LAST, BREAKPOINT, FREE_ENERGY, ENERGY, ENTROPY, REPLICON, SUSCEPTIBILITY = range(10)
STIFFNESS = 10  # T times the replicon eigenvalue, which is finite at T = 0 too; no observable
COLUMNS = (
    "magnetization", "overlap", "overlap_0", "overlap_1", "breakpoint", "free_energy", "energy", "entropy", "replicon",
    "susceptibility",
)  # fmt: skip
BELOW_AT, NEGATIVE_ENTROPY, FEW_STEPS = 1, 2, 3
ALL_OPTIMISED = 2  # up to so many steps every overlap is optimised
SOLVED, GOOD = 1e-11, 1e-9  # residual at which the steps are solved, and with which they are accepted
RESOLVED = 30.0  # steps that make a difference, where all overlaps between q_0 and 1 occur
MERGED = 2e-3  # overlaps in a range smaller than this are one: there symmetry stands in for the steps
HOTTEST = 1.5  # end of the ladder of temperatures, in units of the highest critical temperature
ENOUGH = 0.01  # T times the replicon eigenvalue of the steps, below zero, that costs f about 5e-6: called good
STEEPEST = 4.0  # largest total field H: |h| + J_0


# -- replica symmetry --------------------------------------------------------------------------------------------------


@kernel
def overlap_in_field(temperature, field, start):
    """Largest root q of eq. (2) in the total field H >= 0; start: a guess in (0, 1]. Returns (q, iterations)."""
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
    """Newton's method for (q, H) of eq. (2) with H > 0 from a guess. Returns (q, H, iterations, success)."""
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
    bracket = (low, high, -1.0, f_high, 0)
    start = q
    for iteration in range(200):
        x = false_position(bracket) if iteration % 3 != 2 else 0.5 * (bracket[0] + bracket[1])
        q = overlap_in_field(temperature, x, start)[0]
        f = x - field - bias * response(x, math.sqrt(q), temperature)[0]
        start = max(q, 1e-6)
        bracket = narrowed(bracket, x, f)
        if bracket[1] - bracket[0] <= 1e-5 * x:
            break
    return newton_magnetized(temperature, field, bias, q, x)


@kernel
def write_symmetric(values, i, branch, temperature, field, bias, u, total):
    """Fill in the observables of a replica-symmetric state; returns the residual of eq. (2)."""
    m, q, chi, _, _, quartic, spin_entropy = response_and_entropy(total, math.sqrt(u), temperature)
    entropy = spin_entropy - 0.25 * chi * chi
    energy = -0.5 * chi * (1.0 + u) - 0.5 * bias * m * m - field * m
    row = values[i, branch]
    row[MAGNETIZATION] = m
    row[OVERLAP] = row[FIRST] = row[LAST] = u
    row[BREAKPOINT] = 0.0
    row[FREE_ENERGY] = energy - temperature * entropy
    row[ENERGY] = energy
    row[ENTROPY] = entropy
    row[REPLICON] = 1.0 - quartic / temperature
    row[STIFFNESS] = temperature - quartic
    row[SUSCEPTIBILITY] = chi
    return max(abs(q - u), abs(total - field - bias * m))


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

    values: shape (n, 3, 11), residual and iterations: (n, 3); a branch that does not exist keeps residual NaN.
    """
    row_temperature = -1.0
    glass = chi = 0.0
    u = total = -1.0
    for i in range(temperature.size):
        t, h, j = temperature[i], field[i], bias[i]
        if t != row_temperature:  # the state without magnetization depends on the temperature alone
            row_temperature = t
            glass, count = overlap_in_field(t, 0.0, glass if 0.0 < glass < 1.0 else first_overlap(t, 0.0))
            chi = response(0.0, math.sqrt(glass), t)[2]
        spontaneous = j * chi > 1.0
        if h == 0.0:
            if t > 0.0:
                residual[i, PARAMAGNET] = write_symmetric(values, i, PARAMAGNET, t, h, j, 0.0, 0.0)
            if t < 1.0:
                residual[i, SPIN_GLASS] = write_symmetric(values, i, SPIN_GLASS, t, h, j, glass, 0.0)
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
        residual[i, branch] = write_symmetric(values, i, branch, t, h, j, u, total)
        iterations[i, branch] = count
        if branch == PARAMAGNET and values[i, branch, REPLICON] < 0.0:
            move_state(values, residual, iterations, i, PARAMAGNET, SPIN_GLASS)


# -- the line of de Almeida and Thouless -------------------------------------------------------------------------------


@kernel
def replicon_in_field(temperature, field, start):
    """(T times the replicon eigenvalue, q, m) in the total field H."""
    q = overlap_in_field(temperature, field, start)[0]
    m, _, _, _, _, quartic, _ = response_and_entropy(field, math.sqrt(q), temperature)
    return temperature - quartic, q, m


@kernel
def at_temperature(field, high):
    """(T, q, m) where the replicon vanishes in the total field H > 0; high: a temperature known to lie above."""
    start = first_overlap(high, field)
    low = 1e-3 * math.exp(-0.5 * field * field)
    f_low, f_high = replicon_in_field(low, field, 0.9)[0], replicon_in_field(high, field, start)[0]
    bracket = (low, high, f_low, f_high, 0)
    for _ in range(60):
        t = false_position(bracket)
        f, q, m = replicon_in_field(t, field, start)
        start = max(q, 1e-3)
        bracket = narrowed(bracket, t, f)
        if abs(f) <= 1e-15 or bracket[1] - bracket[0] <= 1e-14 * t:
            break
    return t, q, m


@kernel
def at_field(temperature, low, high):
    """(H, q, m) where the replicon vanishes at this temperature, between two total fields."""
    start = first_overlap(temperature, high)
    f_low = replicon_in_field(temperature, low, start)[0]
    f_high = replicon_in_field(temperature, high, start)[0]
    bracket = (low, high, f_low, f_high, 0)
    for _ in range(60):
        x = false_position(bracket)
        f, q, m = replicon_in_field(temperature, x, start)
        start = max(q, 1e-3)
        bracket = narrowed(bracket, x, f)
        if abs(f) <= 1e-15 or bracket[1] - bracket[0] <= 1e-14 * x:
            break
    return x, q, m


@kernel
def trace_at_line(field, temperature, overlap, magnetization):
    """The line at many total fields (increasing, the first one 0), written into three arrays of the same shape."""
    temperature[0], overlap[0], magnetization[0] = 1.0, 0.0, 0.0
    for i in range(1, field.size):
        temperature[i], overlap[i], magnetization[i] = at_temperature(field[i], temperature[i - 1])


@cache
def at_line() -> Array:
    """The line in the total field, once for all: rows (H, T, q, m), evenly spaced in H^(2/3), where they are smooth."""
    field = np.linspace(0.0, (1.05 * STEEPEST) ** (2 / 3), 129) ** 1.5
    line = np.zeros((4, field.size))
    line[0] = field
    trace_at_line(line[0], line[1], line[2], line[3])
    return line


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
def held_field(line, field, bias):
    """Guess of the total field H = h + J_0 m(H) below the line, where m hardly depends on temperature."""
    for i in range(line.shape[1] - 1, 0, -1):
        above = line[0, i] - field - bias * line[3, i]
        below = line[0, i - 1] - field - bias * line[3, i - 1]
        if below <= 0.0 < above and line[0, i - 1] > 0.0:
            return line[0, i - 1] + (line[0, i] - line[0, i - 1]) * below / (below - above)
    return max(field, 0.5 * line[0, 1])


# -- steps of replica symmetry breaking --------------------------------------------------------------------------------


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
    free = k if k <= ALL_OPTIMISED else 1
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
def step_equations(k, temperature, field, bias, moving, unknown, place, error, overlaps, gammas, found):
    """The errors of the stationarity conditions of eq. (6).

    Args:
        moving: whether the total field H is unknown; else it is `field`.
        unknown: the first k overlaps (or only q_0, from three steps on), then (1 - q_k)/T, then the gammas, then H.
        place: relative places of the overlaps between q_0 and q_k, for those that are not unknown.
        error: shape of `unknown`. overlaps, gammas: filled with q_0 ... q_k and gamma_1 ... gamma_k.
        found: filled with magnetization, mean of sech^2/T, of sech^4/T, spin entropy, the nested average of eq. (6).

    Returns False, and nothing else of use, where the order of the overlaps or a bound is violated.
    """
    free = k if k <= ALL_OPTIMISED else 1
    rest = unknown[free]
    overlaps[k] = 1.0 - temperature * rest
    for i in range(k):
        overlaps[i] = unknown[i] if i < free else unknown[0] + (overlaps[k] - unknown[0]) * place[i]
    variances, squares, potentials = np.empty(k + 1), np.empty(k + 1), np.empty(k + 1)
    variances[0] = overlaps[0]
    if not (overlaps[0] >= 0.0 and rest > 0.0):
        return False
    for i in range(1, k + 1):
        variances[i] = overlaps[i] - overlaps[i - 1]
        gammas[i - 1] = unknown[free + i]
        if not (variances[i] > 1e-9 and gammas[i - 1] > 1e-7 and gammas[i - 1] * temperature <= 1.0):
            return False
    total = unknown[free + k + 1] if moving else field
    if not 0.0 <= total < 2.0 * STEEPEST:
        return False
    m, sech2, quartic, entropy = nested_averages(temperature, variances, gammas[:k], total, squares, potentials)
    for i in range(free):
        error[i] = squares[i] - overlaps[i]
    error[free] = sech2 - rest
    for i in range(1, k + 1):
        slope = (potentials[i] - potentials[i - 1]) / gammas[i - 1]
        error[free + i] = slope / variances[i] - 0.25 * (overlaps[i] + overlaps[i - 1])
    if moving:
        error[free + k + 1] = 1.0 - bias * m / total if field == 0.0 else total - field - bias * m
    found[0], found[1], found[2], found[3], found[4] = m, sech2, quartic, entropy, potentials[0]
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
def improve_steps(k, temperature, field, bias, moving, unknown, place, jacobian, known, overlaps, gammas, found):
    """Solve the stationarity conditions from a guess: a Jacobian by differences, updated after Broyden, renewed when
    progress is slow. jacobian: overwritten; `known` says that it is that of a neighbouring point.
    Returns (residual, evaluations).
    """
    n = unknown.size
    error, ahead, trial = np.empty(n), np.empty(n), np.empty(n)
    matrix, step = np.empty((n, n)), np.empty(n)
    free = k if k <= ALL_OPTIMISED else 1
    evaluations = 1
    if not step_equations(k, temperature, field, bias, moving, unknown, place, error, overlaps, gammas, found):
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
                    above = unknown[j + 1] if j + 1 < free else 1.0 - temperature * unknown[free]
                    shift = 1e-3 * (above - unknown[j])
                else:
                    shift = 1e-4 * unknown[j] * (-1.0 if free < j <= free + k else 1.0)
                trial[j] += shift
                evaluations += 1
                if not step_equations(
                    k, temperature, field, bias, moving, trial, place, ahead, overlaps, gammas, found
                ):
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
            if step_equations(k, temperature, field, bias, moving, trial, place, ahead, overlaps, gammas, found):
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
    step_equations(k, temperature, field, bias, moving, unknown, place, error, overlaps, gammas, found)
    return largest(error), evaluations


@kernel
def solve_steps(steps, temperature, field, bias, moving, total, line, last, overlaps, gammas, found):
    """At most `steps` steps of replica symmetry breaking below the AT line.

    Where the overlaps lie close together fewer are used: they give the free energy to 1e-8 all the same.

    Args:
        total: the total field H, or where `moving` a guess of it.
        last: carries over to the next point, shape (n + 2, n) with n = steps + 5: the numbers of steps and of unknowns
            (0: nothing is carried over), then what the unknowns were in units of their guesses, then the Jacobian.
        overlaps, gammas: shape (steps + 1,) and (steps,), filled up to the number of steps used.
        found: see `step_equations`, and H.

    Returns (steps used, residual, evaluations); no steps and residual 0 where the overlaps are too close to each other.
    """
    evaluations, residual = 0, math.inf
    smallest, rest = range_of_overlaps(temperature, total, line)
    width = 1.0 - temperature * rest - smallest
    if width < MERGED:
        return 0, 0.0, evaluations
    k = min(steps, 1 + int(RESOLVED * width / math.sqrt(1.0 - smallest)))
    while k >= 1:
        free = k if k <= ALL_OPTIMISED else 1
        n = free + 1 + k + (1 if moving else 0)
        unknown, guess, place, jacobian = np.empty(n), np.empty(n), np.empty(k + 1), last[2 : n + 2, :n]
        carried = last[0, 0] == k and last[0, 1] == n
        for attempt in range(-1 if carried else 0, 3 if moving else 1):
            around = total * (1.0, 0.6, 0.25)[max(attempt, 0)]
            smallest, rest = range_of_overlaps(temperature, around, line)
            first_steps(k, temperature, smallest, rest, guess, place)
            if moving:
                guess[n - 1] = around
            for i in range(n):
                unknown[i] = guess[i] * last[1, i] if attempt < 0 else guess[i]
            residual, count = improve_steps(
                k, temperature, field if moving else total, bias, moving, unknown, place, jacobian, attempt < 0,
                overlaps, gammas, found,
            )  # fmt: skip
            evaluations += count
            if residual <= GOOD:
                found[5] = unknown[n - 1] if moving else total
                last[0, 0], last[0, 1] = k, n
                for i in range(n):
                    last[1, i] = unknown[i] / guess[i]
                return k, residual, evaluations
        last[0, 0] = 0.0
        k //= 2
    return 0, residual, evaluations


@kernel
def write_steps(values, i, branch, k, temperature, field, bias, overlaps, gammas, found):
    """Fill in the observables of a state with k steps."""
    m, sech2, quartic, spin_entropy, potential = found[0], found[1], found[2], found[3], found[4]
    rest = (1.0 - overlaps[k]) / temperature if temperature > 0.0 else sech2
    chi, square, mean = rest, 0.0, overlaps[k]
    for s in range(1, k + 1):
        gamma = gammas[s - 1]
        chi += gamma * (overlaps[s] - overlaps[s - 1])
        square += gamma * (overlaps[s] ** 2 - overlaps[s - 1] ** 2)
        mean -= temperature * gamma * (overlaps[s] - overlaps[s - 1])
    free_energy = -potential - 0.25 * temperature * rest * rest + 0.25 * square + 0.5 * bias * m * m
    entropy = spin_entropy - 0.25 * rest * rest
    row = values[i, branch]
    row[MAGNETIZATION] = m
    row[OVERLAP], row[FIRST], row[LAST] = mean, overlaps[0], overlaps[k]
    row[BREAKPOINT] = temperature * gammas[k - 1]
    row[FREE_ENERGY] = free_energy
    row[ENERGY] = free_energy + temperature * entropy
    row[ENTROPY] = entropy
    row[REPLICON] = 1.0 - quartic / temperature
    row[STIFFNESS] = temperature - quartic
    row[SUSCEPTIBILITY] = chi


@kernel
def break_symmetry(steps, temperature, field, bias, line, values, residual, iterations):
    """Replace what `solve_symmetric` found below the AT line by solutions with steps (where steps > 0)."""
    most = 1
    for i in range(steps.size):
        most = max(most, steps[i])
    overlaps, gammas, found = np.empty(most + 1), np.empty(most), np.empty(6)
    last, last_glass = np.zeros((most + 7, most + 5)), np.zeros((most + 7, most + 5))
    glass = np.empty((1, 3, 11))  # the state without magnetization depends on temperature and steps alone
    glass_residual, glass_count, glass_temperature, glass_steps = 0.0, 0, -1.0, 0
    for i in range(temperature.size):
        t, h, j = temperature[i], field[i], bias[i]
        if steps[i] == 0 or t >= 1.0:
            continue
        if (h == 0.0 or j > 0.0) and (t != glass_temperature or steps[i] != glass_steps):
            glass_temperature, glass_steps = t, steps[i]
            q, glass_count = overlap_in_field(t, 0.0, first_overlap(t, 0.0))
            glass_residual = write_symmetric(glass, 0, SPIN_GLASS, t, 0.0, 0.0, q, 0.0)
            still = t < 0.0  # False, but not a literal, for which Numba would compile everything again
            k, worst, count = solve_steps(steps[i], t, 0.0, 0.0, still, 0.0, line, last_glass, overlaps, gammas, found)
            if k > 0:
                write_steps(glass, 0, SPIN_GLASS, k, t, 0.0, 0.0, overlaps, gammas, found)
            if k > 0 or worst > 0.0:
                glass_residual, glass_count = worst, count
        spontaneous = j > 0.0 and j * glass[0, SPIN_GLASS, SUSCEPTIBILITY] > 1.0
        if h == 0.0:
            copy_row(glass[0, SPIN_GLASS], values[i, SPIN_GLASS])
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
        if replicon < 0.0:
            total = h if j == 0.0 else held_field(line, h, j)
            k, worst, count = solve_steps(steps[i], t, h, j, j > 0.0, total, line, last, overlaps, gammas, found)
        target = FERROMAGNET if spontaneous else (PARAMAGNET if replicon >= 0.0 else SPIN_GLASS)
        if now >= 0 and now != target:
            move_state(values, residual, iterations, i, now, target)
        if k > 0:
            write_steps(values, i, target, k, t, h, j, overlaps, gammas, found)
        if k > 0 or worst > 0.0 or now < 0:
            residual[i, target], iterations[i, target] = worst if k > 0 else math.inf, count


# -- simulation --------------------------------------------------------------------------------------------------------


@kernel
def tempered_sweeps(
    rows, spins, fields, scale, shared, field, temperatures, holder, energies, rates, start, count, stream
):
    """Sweeps of two independent sets of copies on a ladder of temperatures, trading places after each.

    Args:
        spins, fields: shapes (2, levels, n) and (2, levels, width), see `blank`.
        holder: shape (2, levels), the copy at each level of each set.
        energies: shape (2, levels), of the copies, overwritten. rates: shape (levels - 1,), see `exchange`.
        start: number of the first sweep.
    """
    levels = temperatures.size
    for sweep in range(start, start + count):
        for a in range(2):
            for level in range(levels):
                copy = holder[a, level]
                here = temperatures[level : level + 1]
                metropolis_sweeps(rows, spins[a, copy], fields[a, copy], scale, shared, field, here, stream)
                energies[a, copy] = energy(spins[a, copy], fields[a, copy], scale, shared, field)
            exchange(energies[a], temperatures, holder[a], sweep % 2, stream, rates)


class SherringtonKirkpatrickSimulation(core.Simulation["SherringtonKirkpatrick"]):
    """Two independent sets of copies with the same couplings, each with parallel tempering: the coldest of the two give
    the overlap. One unit of time is one sweep of every copy.
    """

    relaxation, window = 500.0, 1500.0

    def prepare(self) -> None:
        n, levels = self.model.size, self.model.tempering
        self.rows, unit = symmetric_couplings(n, self.model.couplings == "binary", self.rng)
        self.scale = unit * n**-0.5
        self.stream = new_stream(self.rng)
        self.spins, self.fields = blank(self.rows, 2, levels)
        self.spins[:] = 1
        if self.model.start == "random":
            self.spins[self.rng.random(self.spins.shape) < 0.5] = -1
        self.holder = np.tile(np.arange(levels), (2, 1))
        self.energies = np.zeros((2, levels))
        self.rates = np.full(max(levels - 1, 1), 0.5)
        self.overlaps: list[float] = []
        self.sweeps = 0
        for place in np.ndindex(2, levels):
            local_fields(self.rows, self.spins[place], self.fields[place])
        self.retune()

    def retune(self) -> None:
        hottest = HOTTEST * max(1.0, self.model.ferromagnetic_bias)
        self.temperatures = ladder(self.model.temperature, hottest, self.model.tempering)

    def evolve(self, duration: float) -> None:
        m = self.model
        sweeps = round(duration)
        tempered_sweeps(
            self.rows, self.spins, self.fields, self.scale, m.ferromagnetic_bias / m.size, m.field,
            self.temperatures, self.holder, self.energies, self.rates, self.sweeps, sweeps, self.stream,
        )  # fmt: skip
        self.sweeps += sweeps
        first, second = self.coldest()
        self.overlaps.append(float(np.mean(first * second)))

    def coldest(self) -> tuple[Array, Array]:
        """Spins of the two copies at the lowest temperature, float64."""
        return tuple(self.spins[a, self.holder[a, 0]].astype(np.float64) for a in range(2))  # type: ignore[return-value]

    def observe(self) -> dict[str, float]:
        m = self.model
        shared = m.ferromagnetic_bias / m.size
        copies = [(self.spins[a, self.holder[a, 0]], self.fields[a, self.holder[a, 0]]) for a in range(2)]
        e = [energy(s, f, self.scale, shared, m.field) / m.size for s, f in copies]
        first, second = self.coldest()
        q, magnetization = float(np.mean(first * second)), np.array([first.mean(), second.mean()])
        if m.field == 0:  # without a field every state comes with its mirror image
            q, magnetization = abs(q), np.abs(magnetization)
        return {
            "energy": float(np.mean(e)),
            "overlap": q,
            "overlap_squared": q * q,
            "magnetization": float(magnetization.mean()),
        }

    def samples(self, observable: str | None = None) -> Array:
        """Overlaps of the two copies, with their sign; the second half of the run, a value per step."""
        return np.array(self.overlaps[len(self.overlaps) // 2 :] or [np.mean(np.prod(self.coldest(), axis=0))])

    def picture(self) -> core.Patterns:
        first, second = self.coldest()
        columns = math.ceil(math.sqrt(first.size))
        same = first * second
        images = []
        for caption, values in (
            ("first copy", first),
            ("second copy", second),
            (f"agreement, q = {same.mean():+.2f}", same),
        ):
            image = np.zeros(columns * columns)
            image[: values.size] = values
            images.append((caption, image.reshape(columns, columns)))
        return core.Patterns(tuple(images))


def root_between(function: Callable[[float], float], low: float, high: float) -> float:
    """The root between two points, or the better one of the two where rounding has eaten the change of sign."""
    at_low, at_high = function(low), function(high)
    if at_low * at_high >= 0:
        return float(low if abs(at_low) < abs(at_high) else high)
    return float(brentq(function, low, high, xtol=1e-14))


def within(x: Array, y: Array, low: float, high: float) -> tuple[Array, Array]:
    """The part of a curve y(x), x increasing, with x in [low, high], its ends interpolated."""
    ends = [b for b in (low, high) if x[0] <= b <= x[-1]]
    xs = np.unique(np.concatenate([ends, x[(x >= low) & (x <= high)]]))
    return xs, np.interp(xs, x, y)


@dataclass(frozen=True)
class SherringtonKirkpatrick(core.Model):
    temperature: float = core.control(
        0.5, 0.0, 2.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="thermal noise in each spin"
    )
    field: float = core.control(
        0.0, 0.0, 2.0, symbol="h", unit="J", role="field", step=0.01, doc="uniform field that favours spins up"
    )
    ferromagnetic_bias: float = core.control(
        0.0, 0.0, 2.0, symbol="J_0", unit="J", role="disorder", step=0.01,
        doc="mean of the couplings; their standard deviation is J = 1",
    )  # fmt: skip
    rsb_steps: int = core.control(
        0, 0, 12, symbol="k", role="order", part="theory",
        doc="steps of replica symmetry breaking: 0 is replica symmetry, 12 are Parisi's continuum to a millionth", title="RSB steps",
    )  # fmt: skip
    size: int = core.control(
        256, 16, 16_384, symbol="N", unit="spins", role="size", scale="log", part="simulation", doc="spins simulated"
    )
    couplings: str = core.choice(
        "gaussian", {"gaussian": "Gaussian", "binary": "binary"}, part="simulation",
        doc="distribution of the couplings; binary (two values) is faster, and the same as N grows",
    )  # fmt: skip
    tempering: int = core.control(
        14, 1, 40, symbol="R", role="setting", part="simulation", quenched=True,
        doc="temperatures of the ladder on which copies trade places; 1: no tempering",
    )  # fmt: skip
    start: str = core.choice(
        "random", ("random", "up"), role="start", part="simulation", doc="state the simulation starts from"
    )

    version = 2
    title = "Sherrington-Kirkpatrick spin glass"
    summary = (
        "Random couplings between all spins: many states, no order to see, and a theory that had to break a symmetry."
    )
    sources = (
        core.Source(
            "D. Sherrington and S. Kirkpatrick, Phys. Rev. Lett. 35, 1792 (1975)", doi="10.1103/PhysRevLett.35.1792"
        ),
        core.Source(
            "J. R. L. de Almeida and D. J. Thouless, J. Phys. A 11, 983 (1978)", doi="10.1088/0305-4470/11/5/028"
        ),
        core.Source("G. Parisi, J. Phys. A 13, 1101 (1980)", doi="10.1088/0305-4470/13/3/042"),
        core.Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
    )
    observables = (
        core.Observable("magnetization", "m", "mean spin (its size at h = 0)", low=0, high=1),
        core.Observable("overlap", r"\langle q\rangle", "mean overlap of two copies (its size at h = 0)", low=0, high=1),
        core.Observable("overlap_0", "q_0", "smallest overlap of two states", low=0, high=1),
        core.Observable("overlap_1", "q_k", "largest overlap, of a state with itself (Edwards-Anderson)", low=0, high=1),
        core.Observable("breakpoint", "x_k", "probability that two copies are in different states", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per spin, eqs. (3) and (6)", unit="J"),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("entropy", "s", "entropy per spin; never negative", low=-0.16, high=0.7, signed=True),
        core.Observable("replicon", r"\lambda", "eq. (4): negative where symmetry breaks", low=-1, high=1, signed=True),
        core.Observable(
            "susceptibility", r"\chi", "response of m to the total field", low=0, high=1.5, thermodynamic=False
        ),
        core.Observable("overlap_squared", r"\langle q^2\rangle", "mean squared overlap of two copies", low=0, high=1),
        core.Observable("overlap_law", "x(q)", "probability that two copies overlap less than q", over="overlap_level"),
    )  # fmt: skip
    branches = (
        core.Branch("paramagnet", "no state is preferred but by the field; without a field q = 0"),
        core.Branch("spin_glass", "spins are frozen without a common direction (in a field: below the AT line)"),
        core.Branch("ferromagnet", "magnetized by itself: would stay so without a field"),
    )
    phases = (
        core.Phase("paramagnet", "One state; the spins follow the field, or nothing."),
        core.Phase(
            "spin_glass", "Every spin is frozen, each in its own direction: two copies agree, a picture shows no order."
        ),
        core.Phase("ferromagnet", "The mean coupling wins: one state (and its mirror image), magnetized, no glass."),
        core.Phase("mixed", "Magnetized and a glass at once: below the AT line many magnetized states appear."),
        core.Phase(
            "hidden_magnet", "With so few steps the theory sees a spin glass; the exact solution is magnetized (mixed)."
        ),
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken", "Below the AT line one overlap is not enough: raise the number of steps."
        ),
        core.Failure(
            "negative_entropy", "Spins that can only be up or down cannot have negative entropy: too few steps."
        ),
        core.Failure(
            "few_steps", "The steps are themselves unstable: with more of them the free energy still rises visibly."
        ),
    )
    landmarks = (
        core.Landmark(
            "at_line", r"\lambda=0", "de Almeida-Thouless line: below it replica symmetry breaks", title="AT line"
        ),
        core.Landmark(
            "ferromagnetic_line", r"J_0\chi=1", "without a field: magnetized to the right, at this number of steps"
        ),
        core.Landmark(
            "exact_line", r"J_0=1", "without a field: exact border of the spin glass (Parisi)", continuous=False
        ),
        core.Landmark("zero_entropy", "s=0", "below it the replica-symmetric entropy is negative", continuous=False),
    )
    planes = (
        core.Plane("field", "temperature", "overlap", x_range=(0.0, 1.5), y_range=(0.0, 1.5)),
        core.Plane("ferromagnetic_bias", "temperature", "magnetization"),
    )
    presets = (
        core.Preset(
            "crossing the AT line", {"temperature": 0.5, "field": 0.8},
            "Lower the field: at h = 0.570 no curve jumps, yet below it two copies no longer agree on one state.",
            (core.Promise(core.Crossing("at_line", "field"), 0.570, 0.0005),),
        ),
        core.Preset(
            "one step", {"temperature": 0.5, "rsb_steps": 1},
            "One step gives two overlaps, 0.215 and 0.619, where replica symmetry had one: most of the error is gone.",
            (core.Promise(core.Value("overlap_0"), 0.215, 0.0005),
             core.Promise(core.Value("overlap_1"), 0.619, 0.0005)),
        ),
        core.Preset(
            "many states", {"temperature": 0.4, "rsb_steps": 8, "size": 256},
            "The histogram of overlaps of two copies fills everything between the outer peaks: Parisi's P(q), live.",
        ),
        core.Preset(
            "negative entropy", {"temperature": 0.1},
            "Replica symmetry claims a negative entropy here; raise the steps to 1 and 2 and watch the alarm go off.",
        ),
        core.Preset(
            "ferromagnet", {"temperature": 1.0, "ferromagnetic_bias": 1.5, "start": "up"},
            "The mean coupling wins: magnetization 0.557 although the couplings scatter as much as they pull together.",
            (core.Promise(core.Value("magnetization"), 0.557, 0.0005),),
        ),
        core.Preset(
            "magnetized glass", {"temperature": 0.2, "ferromagnetic_bias": 1.5, "rsb_steps": 2},
            "Below the AT line at T = 0.275 the magnetization hardly moves, but many magnetized states have appeared.",
            (core.Promise(core.Crossing("at_line", "temperature"), 0.275, 0.0005),),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "overlap at T = h = 0.5, replica symmetric", 0.621523294292204, 1e-11, "Newton and trapezoid rule",
            lambda model: float(SherringtonKirkpatrick(temperature=0.5, field=0.5).equilibrium()["overlap"]),
        ),
        core.Reference(
            "field of the AT line at T = 0.6", 0.38266216438232153, 1e-10, "de Almeida and Thouless, eq. (4)",
            lambda model: float(SherringtonKirkpatrick(temperature=0.6).landmark("at_line", "field")[0]),
        ),
        core.Reference(
            "temperature of the AT line at J_0 = 1.5", 0.2750286792437338, 1e-9, "root of eq. (4)",
            lambda model: float(SherringtonKirkpatrick(ferromagnetic_bias=1.5).landmark("at_line", "temperature")[0]),
        ),
        core.Reference(
            "temperature at which the replica-symmetric entropy vanishes", 0.2716021, 1e-6, "root of -df/dT",
            lambda model: float(SherringtonKirkpatrick().landmark("zero_entropy", "temperature")[0]),
        ),
        core.Reference(
            "free energy at T = 0.5 with one step", -0.7912088423791988, 1e-8, "maximum of eq. (6) by direct search",
            lambda model: float(SherringtonKirkpatrick(temperature=0.5, rsb_steps=1).equilibrium()["free_energy"]),
        ),
        core.Reference(
            "ground-state energy with two steps", -0.7636080105383838, 1e-8, "Parisi 1980 (0.7636)",
            lambda model: float(SherringtonKirkpatrick(temperature=0.0, rsb_steps=2).equilibrium()["energy"]),
        ),
        core.Reference(
            "ground-state energy", -0.763166726, 4e-6, "Oppermann and Schmidt, Phys. Rev. E 78, 061124 (2008)",
            lambda model: float(SherringtonKirkpatrick(temperature=0.0, rsb_steps=10).equilibrium()["energy"]),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At T = 0.4, how strong a field brings all copies back into one state? Move the field until the marker "
            "leaves the glass, then answer with its value.",
            {"temperature": 0.4, "field": 0.2}, "field",
            lambda model: float(model.landmark("at_line", "field")[0]), 0.03,
            "The border is the line of de Almeida and Thouless, h = 0.795 here: a glass survives a strong field.",
        ),
        core.Task(
            "Replica symmetry at h = 0: below which temperature is its entropy negative?",
            {"temperature": 0.5}, "temperature",
            lambda model: float(model.landmark("zero_entropy", "temperature")[0]), 0.02,
            "At T = 0.2716. The theory is wrong already from T = 1 on, but only here does it say so itself.",
        ),
    )  # fmt: skip
    simulation = SherringtonKirkpatrickSimulation

    def solve(self, points: Points) -> core.Solution:
        t, h, j = (np.ascontiguousarray(points[n]) for n in ("temperature", "field", "ferromagnetic_bias"))
        steps = points["rsb_steps"]
        table = np.full((t.size, 3, STIFFNESS + 1), np.nan)
        residual = np.full((t.size, 3), np.nan)
        iterations = np.zeros((t.size, 3), np.int64)
        solve_symmetric(t, h, j, table, residual, iterations)
        if steps.any():
            break_symmetry(steps, t, h, j, at_line(), table, residual, iterations)
        values = {name: table[:, :, k] for k, name in enumerate(COLUMNS)}
        # mean square overlap from the energy, which it decides
        m, e = values["magnetization"], values["energy"]
        with np.errstate(invalid="ignore"):
            glassy = e + 0.5 * j[:, None] * m * m + h[:, None] * m
            values["overlap_squared"] = np.where(t[:, None] > 0, 1 + 2 * t[:, None] * glassy, 1 + 0 * m)
            broken = table[:, :, STIFFNESS] < np.where(steps > 0, -ENOUGH, 0.0)[:, None]
            validity = np.where(broken, np.where(steps > 0, FEW_STEPS, BELOW_AT)[:, None], 0)
            validity = np.where(broken & (values["entropy"] < 0), NEGATIVE_ENTROPY, validity)
        # what is unstable against magnetization or against freezing
        stable = ~np.isnan(residual)
        unmagnetized = ~stable[:, FERROMAGNET]
        stable[:, PARAMAGNET] &= unmagnetized & ~(stable[:, SPIN_GLASS] & (h == 0))
        stable[:, SPIN_GLASS] &= unmagnetized
        return core.Solution(values, residual, stable=stable, validity=validity, iterations=iterations)

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        replicon, first, last = (solution.values[n][:, FERROMAGNET] for n in ("replicon", "overlap_0", "overlap_1"))
        mixed = (replicon < 0) | (last > first)  # with enough steps the eigenvalue is zero
        hidden = points["ferromagnetic_bias"] > 1
        phase = np.where(mixed, 3, 2)
        phase = np.where(equilibrium == PARAMAGNET, 0, phase)
        phase = np.where(equilibrium == SPIN_GLASS, np.where(hidden, 4, 1), phase)
        return np.where(equilibrium < 0, -1, phase)

    # -- boundaries ------------------------------------------------------------------------------------------------

    def landmark(self, name: str, along: str) -> Array:
        if along not in ("temperature", "field", "ferromagnetic_bias"):
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        found: list[float] = getattr(self, f"_{name}")(along)
        return self.control(along).within(found)

    def _at_line(self, along: str) -> list[float]:
        t, h, j = self.temperature, self.field, self.ferromagnetic_bias
        line = at_line()
        if along == "temperature":
            if h == 0 and j <= 1:
                return [1.0]
            total = np.maximum(line[0], 1e-9)
            distance = total - j * np.maximum(line[3], 1e-9) - h  # m = H as H vanishes

            def offset(total: float) -> float:
                return float(total - j * at_temperature(total, 1.0)[2] - h)

            ends = np.flatnonzero((distance[:-1] <= 0) & (distance[1:] > 0))
            return [at_temperature(root_between(offset, total[i], total[i + 1]), 1.0)[0] for i in ends]
        if t >= 1 or t <= 0:
            return []
        total, _, m = at_field(t, 1e-7, max(1.2 * line[0, -1], 1.2 * math.sqrt(-2 * math.log(t))))
        return [total - j * m] if along == "field" else [(total - h) / m]

    def _symmetric_glass(self, temperature: float) -> float:
        """Susceptibility of the unmagnetized state at h = 0, with the model's number of steps."""
        point = {"temperature": temperature, "field": 0.0, "ferromagnetic_bias": 0.0, "rsb_steps": self.rsb_steps}
        solution = self.solve({n: np.array([v]) for n, v in point.items()})
        return float(solution.values["susceptibility"][0, SPIN_GLASS if temperature < 1 else PARAMAGNET])

    def _ferromagnetic_line(self, along: str) -> list[float]:
        if self.field > 0 or along == "field":
            return []
        if along == "ferromagnetic_bias":
            return [1 / self._symmetric_glass(self.temperature)]
        j = self.ferromagnetic_bias
        found = [j] if j > 1 else []
        if j > 1:
            grid = np.linspace(0, 1, 33)
            excess = np.array([j * self._symmetric_glass(t) - 1 for t in grid])
            found += [
                root_between(lambda t: j * self._symmetric_glass(t) - 1, grid[k], grid[k + 1])
                for k in np.flatnonzero(excess[:-1] * excess[1:] < 0)
            ]
        return found

    def _exact_line(self, along: str) -> list[float]:
        inside = self.field == 0 and self.temperature < 1 and along == "ferromagnetic_bias"
        return [1.0] if inside else []

    def _zero_entropy(self, along: str) -> list[float]:
        if self.rsb_steps > 0:
            return []
        low, high = (1e-3, 0.3) if along == "temperature" else self.control(along).bounds
        grid = np.linspace(low, high, 33)

        def entropy(values: Array) -> Array:
            points = columns(self, {along: values})
            solution = self.solve(points)
            branch = self.select(points, solution)
            return np.take_along_axis(solution.values["entropy"], branch[:, None], axis=1)[:, 0]

        found = entropy(grid)
        crossings = np.flatnonzero(found[:-1] * found[1:] < 0)
        return [root_between(lambda v: float(entropy(np.array([v]))[0]), grid[k], grid[k + 1]) for k in crossings]

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """In planes over temperature every boundary is a curve (or two) with the temperature or the total field as its
        parameter; other planes column by column.
        """
        if y != "temperature" or x not in ("field", "ferromagnetic_bias"):
            if x == "temperature" and y in ("field", "ferromagnetic_bias"):
                low, high = self.control(y).bounds
                across, along = self.trace_landmark(name, y, x, (low, high))
                inside = ~((along < x_range[0]) | (along > x_range[1]))
                return along[inside], across[inside]
            return super().trace_landmark(name, x, y, x_range)
        low, high = x_range
        total, temperature, _, m = at_line()
        if name == "zero_entropy":
            if self.rsb_steps > 0:
                return np.empty(0), np.empty(0)
            temperature = np.linspace(0.002, zero_entropy_temperature(), 65)[::-1]
            total, m = np.array([zero_entropy_field(t) for t in temperature]).T
        elif name == "ferromagnetic_line":
            if x == "field" or self.field > 0:
                return np.empty(0), np.empty(0)
            cold = np.linspace(0, 1, 33)
            bias = np.array([1 / self._symmetric_glass(t) for t in cold])
            x_all, y_all = np.append(bias, [1.0, high]), np.append(cold, [1.0, high])
            inside = (x_all >= low) & (x_all <= high) & (y_all <= self.control("temperature").bounds[1])
            return x_all[inside], y_all[inside]
        elif name == "exact_line":
            on = x == "ferromagnetic_bias" and self.field == 0 and low <= 1 <= high
            return (np.array([1.0, 1.0]), np.array([0.0, 1.0])) if on else (np.empty(0), np.empty(0))
        if x == "field":
            xs, ys = total - self.ferromagnetic_bias * m, temperature
            rising = np.flatnonzero(
                np.diff(xs, prepend=-math.inf) > 0
            )  # with a bias the line starts on the left of h = 0
            return within(xs[rising], ys[rising], low, high)
        beyond = total > max(self.field, 1e-12)
        xs, ys = (total[beyond] - self.field) / m[beyond], temperature[beyond]
        if self.field == 0:  # the glass below it is unmagnetized: the same temperature whatever the bias
            start = 1.0 if name == "at_line" else 1 / self._symmetric_glass(float(ys[0]))
            xs, ys = np.concatenate([[0.0, start], xs]), np.concatenate([[temperature[0], temperature[0]], ys])
        keep = np.flatnonzero(np.diff(xs, prepend=-math.inf) > 0)
        return within(xs[keep], ys[keep], low, high)

    # -- functions -------------------------------------------------------------------------------------------------

    def _solution(self) -> tuple[Points, core.Solution]:
        """The theory at these controls, as a batch of one."""
        points = columns(self, {})
        return points, self.solve(points)

    def _overlap_steps(self, solution: core.Solution, branch: int) -> tuple[Array, Array]:
        """(q_0 ... q_k, 0 = x_0 ... x_k, 1) of a branch of a batch of one."""
        v = {name: float(column[0, branch]) for name, column in solution.values.items()}
        if v["overlap_0"] == v["overlap_1"]:
            return np.array([v["overlap"]]), np.array([0.0, 1.0])
        k = self.rsb_steps
        overlaps, gammas, found, last = np.empty(k + 1), np.empty(k), np.empty(6), np.zeros((k + 7, k + 5))
        total = self.field + self.ferromagnetic_bias * v["magnetization"]
        k, _, _ = solve_steps(k, self.temperature, total, 0.0, False, total, at_line(), last, overlaps, gammas, found)
        return overlaps[: k + 1], np.concatenate([[0.0], self.temperature * gammas[:k], [1.0]])

    def profiles(self) -> dict[str, core.Profile]:
        _, solution = self._solution()
        level = np.linspace(0, 1, 201)
        values = np.full((3, level.size), np.nan)
        for branch in np.flatnonzero(solution.exists(self.tolerance)[0]):
            q, x = self._overlap_steps(solution, int(branch))
            values[branch] = x[np.searchsorted(q, level)]
        return {"overlap_law": core.Profile(level, values)}

    def law(self) -> core.Law:
        """P(q) of two copies. From three steps on the inner steps, which stand for a continuum, are spread out."""
        points, solution = self._solution()
        branch = int(self.select(points, solution)[0])
        if branch < 0:
            raise core.NotOfferedError(self.title, "a law of the overlap here")
        q, x = self._overlap_steps(solution, branch)
        weights = np.diff(x)
        free = self.field == 0
        total = self.field + self.ferromagnetic_bias * float(solution.values["magnetization"][0, branch])
        level = np.linspace(-1, 1, 1001)
        density = np.zeros_like(level)
        atoms = list(zip(q.tolist(), weights.tolist(), strict=True))
        if len(q) > 3:
            edges = np.concatenate([[0.0], (q[1:] + q[:-1]) / 2])  # cell i is [edges[i], edges[i + 1]]
            edges[-1] = q[-1]
            first = 0 if total == 0 else 1
            if first:
                edges[1] = q[0]
            for i in range(first, len(q) - 1):
                density[(level >= edges[i]) & (level < edges[i + 1])] = weights[i] / (edges[i + 1] - edges[i])
            atoms = ([atoms[0]] if first else []) + [atoms[-1]]
        if free:  # every state has a mirror image
            density = (density + density[::-1]) / 2
            atoms = [(sign * position, weight / 2) for position, weight in atoms for sign in (-1, 1)]
        doc = "replica symmetric, eq. (2)" if len(q) == 1 else f"{len(q) - 1} steps, eq. (6)"
        return core.Law("overlap", level, density, f"as N grows: {doc}", tuple(atoms))

    def landscape(self) -> core.Landscape:
        """Eq. (3) against q, with m at its own value: to be maximised over q."""
        t, h, j = self.temperature, self.field, self.ferromagnetic_bias
        if t == 0:
            raise core.NotOfferedError(self.title, "a landscape at zero temperature")
        points, solution = self._solution()
        branch = int(self.select(points, solution)[0])
        if len(self._overlap_steps(solution, branch)[0]) > 1:
            raise core.NotOfferedError(self.title, "a landscape over several overlaps")
        q = np.linspace(0, 1, 201)
        f = np.empty_like(q)
        for i, u in enumerate(q):
            total = h + j
            for _ in range(200):  # m = tanh(...) by iteration from above, which converges monotonically
                m = response(total, math.sqrt(u), t)[0]
                total, before = h + j * m, total
                if before - total < 1e-10:
                    break
            m, _, chi, _, _, _, spin_entropy = response_and_entropy(total, math.sqrt(u), t)
            f[i] = -((1 - u) ** 2) / (4 * t) + j * m * m / 2 - (total * m + u * chi + t * spin_entropy)
        return core.Landscape("overlap", q, f, note="states: maxima")

    def caveat(self) -> str:
        return "corrections of order 1/N^(2/3) at finite size, or a run that is not in equilibrium yet"

    def footprint(self) -> int:
        word, state = (1, 2) if self.couplings == "binary" else (2, 4)
        return word * self.size**2 + 4 * state * self.tempering * self.size + 2**16


@cache
def zero_entropy_temperature() -> float:
    """Temperature at which the replica-symmetric entropy vanishes without a field."""
    return float(brentq(lambda t: symmetric_entropy(t, 0.0)[0], 0.2, 0.35, xtol=1e-14))


def symmetric_entropy(temperature: float, total: float) -> tuple[float, float]:
    """(entropy, m) of the replica-symmetric state in the total field H."""
    q = overlap_in_field(temperature, total, first_overlap(temperature, total))[0]
    m, _, chi, _, _, _, spin_entropy = response_and_entropy(total, math.sqrt(q), temperature)
    return spin_entropy - chi * chi / 4, m


def zero_entropy_field(temperature: float) -> tuple[float, float]:
    """(H, m) at which the replica-symmetric entropy vanishes."""
    if temperature >= zero_entropy_temperature() * (1 - 1e-12):
        return 0.0, 0.0
    total = brentq(lambda x: symmetric_entropy(temperature, x)[0], 0.0, 2 * STEEPEST, xtol=1e-12)
    return float(total), symmetric_entropy(temperature, total)[1]
