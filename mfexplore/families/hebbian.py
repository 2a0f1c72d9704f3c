"""Hebbian couplings, which add up what random memories agree on: replica-symmetric theory of their states, where the
curve of the load turns, and the boundaries that follow (Amit, Gutfreund and Sompolinsky 1987). Equations are numbered
as on the page of the Hopfield network.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from mfexplore.families.memories import GLASS, PARAMAGNET, RETRIEVAL
from mfexplore.numerics.functions.gaussian import Response, response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.continuation import (
    Bracket,
    extend,
    false_position,
    forget,
    guessed,
    narrowed,
    new_trail,
    only_change,
)

LN2 = math.log(2.0)
CLOSE = 1e-9  # relative size of the last Newton step
FAR = 60  # more iterations than any of the loops below needs

# The rows of the table that `solve_points` fills, as the observables are declared, and two more
QUANTITIES = ("overlap", "edwards_anderson", "crosstalk", "free_energy", "energy", "entropy", "replicon")
RESIDUAL, ITERATIONS, ROWS = 7, 8, 9


class At(NamedTuple):
    """The controls of a point."""

    temperature: float
    load: float
    field: float
    noise: float


class State(NamedTuple):
    """A solution of eqs. (2), (3) and its averages. residual: before the last step, infinite if it did not converge."""

    m: float
    deviation: float  # sigma
    q: float
    c: float
    quartic: float  # mean of sech^4/T
    entropy: float  # mean of S
    log_cosh: float  # mean of T ln 2cosh
    residual: float
    iterations: int


class Turns(NamedTuple):
    """Where the curve (4) turns: sigma and load of its maximum, where retrieval ends, and of its minimum, where in a
    field the state without retrieval begins; sigma 0 and load -1 where it does not.
    """

    maximum: float
    highest_load: float
    minimum: float
    lowest_load: float


@kernel
def free_energy(state, at):
    """Eq. (5)."""
    k, noise = 1.0 - state.c, at.noise
    f = 0.5 * state.m**2 - state.log_cosh - 0.25 * at.temperature * (noise * state.c) ** 2
    if at.load > 0.0:
        f += 0.5 * at.load * (1.0 + at.temperature * math.log(k) - state.q / k)
        f += 0.5 * (state.deviation**2 - noise * noise * state.q) * state.c
    return f


@kernel
def write(table, i, branch, state, at):
    """Enter one branch into the table: eqs. (3) and (5) to (7)."""
    q, k, noise = state.q, 1.0 - state.c, at.noise
    f = free_energy(state, at)
    s = state.entropy - 0.25 * (noise * state.c) ** 2
    if at.load > 0.0:
        s -= 0.5 * at.load * (math.log(k) + state.c / k)
    table[0, i, branch] = state.m
    table[1, i, branch] = q
    table[2, i, branch] = q / (k * k) if q > 0.0 else 0.0
    table[3, i, branch] = f
    table[4, i, branch] = f + at.temperature * s
    table[5, i, branch] = s
    table[6, i, branch] = at.temperature * k * k - state.quartic * (at.load + (noise * k) ** 2)
    table[RESIDUAL, i, branch] = state.residual
    table[ITERATIONS, i, branch] = state.iterations


# -- the curve (4), on which `at.load` means nothing -------------------------------------------------------------------


@kernel
def magnetized(deviation, at, start):
    """The response at the largest root m of the first of eqs. (2) at a given sigma, from `start` above it: the average
    is concave in m > 0, so Newton descends without stepping over.
    """
    m = start
    for _ in range(FAR):
        a = response(m + at.field, deviation, at.temperature)
        step = (a.m - m) / (1.0 - a.chi)
        m += step
        if abs(step) <= 1e-7 * m:  # the next step would be as its square
            change = a.by_mean * step
            return Response(m, a.q - at.temperature * change, a.chi + change, a.by_mean, a.by_deviation)
        if m < 1e-9 and at.field == 0.0:
            break
    a = response(at.field, deviation, at.temperature)
    return Response(0.0, a.q, a.chi, a.by_mean, a.by_deviation)


@kernel
def load_at(deviation, at, start):
    """A point of the curve (4): m, the load, and its slope along sigma over 1 - C."""
    a = magnetized(deviation, at, start)
    q, k = a.q, 1.0 - a.chi
    w = deviation * deviation / q - at.noise * at.noise
    c_slope = a.by_deviation + deviation * a.by_mean * a.by_mean / k
    slope = k * deviation * (2.0 * q + deviation * at.temperature * c_slope) / (q * q) - 2.0 * c_slope * w
    return a.m, k * k * w, slope


@kernel
def turning_point(low, high, low_slope, high_slope, at, start):
    """(sigma, load) where the slope of the curve (4) vanishes, between two values of sigma."""
    bracket = Bracket(low, high, low_slope, high_slope, 0)
    x, load = high, 0.0
    for _ in range(FAR):
        x = false_position(bracket)
        m, load, slope = load_at(x, at, start)
        if m == 0.0:  # beyond the end of the curve, where no load is
            load, slope = 0.0, -1.0
        bracket = narrowed(bracket, x, slope)
        if bracket.low == x:
            start = m
        if bracket.high - bracket.low < 1e-10 * x or abs(slope) < 1e-13:
            break
    return x, load


@kernel
def turns_of(at):
    """The `Turns` of the curve (4). Without a field it ends before its minimum, where C = 1 at m = 0, which is at
    sigma = sqrt(2/pi) or before.
    """
    first, first_load = 0.0, -1.0
    if at.field == 0.0 and at.temperature >= 1.0:
        return Turns(first, first_load, 0.0, -1.0)
    reach, pieces = (min(0.8, 1.05 * math.sqrt(1.0 - at.temperature)), 12) if at.field == 0.0 else (1.2 + at.noise, 32)
    m, low, low_slope = 1.0, 0.0, 1.0
    for k in range(1, pieces + 1):
        x, start = reach * k / pieces, m
        m, _, slope = load_at(x, at, start)
        ended = m == 0.0
        slope = -1.0 if ended else slope
        if slope * low_slope < 0.0:
            turn, load = turning_point(low, x, low_slope, slope, at, start)
            if first > 0.0:
                return Turns(first, first_load, turn, load)
            first, first_load = turn, load
            ended = ended or at.field == 0.0
        if ended:
            break
        low, low_slope = x, slope
    return Turns(first, first_load, 0.0, -1.0)


@kernel
def on_curve(low, high, at):
    """(m, sigma) of the one point with the load `at.load` between two values of sigma: slow and safe."""
    m = start = magnetized(low, at, 1.0).m if low > 0.0 else 1.0
    bracket, x = Bracket(low, high, -1.0, 1.0, 0), high
    for k in range(FAR):
        x = 0.5 * (bracket.low + bracket.high) if k < 3 else false_position(bracket)
        a = magnetized(x, at, start)
        m = a.m
        f = x * (1.0 - a.chi) - math.sqrt(a.q * (at.load + (at.noise * (1.0 - a.chi)) ** 2))
        bracket = narrowed(bracket, x, f)
        if bracket.low == x:
            start = m
        if bracket.high - bracket.low < 1e-9 * x or abs(f) < 1e-12 * x:
            break
    return m, x


@kernel
def breaking(low, high, at):
    """The sigma between two values on the curve (4) at which eq. (7) changes sign, or `high` if it does not."""
    start = 1.0
    for k in range(FAR):
        x = high if k == 0 else 0.5 * (low + high)
        m = magnetized(x, at, start).m
        a = response_and_entropy(m + at.field, x, at.temperature)
        if at.temperature * a.q > x * x * a.quartic:
            if k == 0:
                break
            low, start = x, m
        else:
            high = x
        if high - low < 1e-14 * high:
            break
    return high


# -- states ------------------------------------------------------------------------------------------------------------


@kernel
def newton(m, deviation, at):
    """Polish a root of eqs. (2), (3) in (m, sigma), load or noise > 0."""
    temperature, noise = at.temperature, at.noise
    for iteration in range(12):
        a = response_and_entropy(m + at.field, deviation, temperature)
        q, k = a.q, 1.0 - a.chi
        w = at.load + (noise * k) ** 2
        root = math.sqrt(q * w)
        f1, f2 = m - a.m, deviation * k - root
        residual = max(abs(f1), abs(f2))
        bend = 0.5 * (temperature * w + 2.0 * q * noise * noise * k) / root - deviation
        j12, j21, j22 = -deviation * a.by_mean, bend * a.by_mean, k + bend * a.by_deviation
        determinant = k * j22 - j12 * j21
        dm = (f1 * j22 - f2 * j12) / determinant
        ds = (k * f2 - j21 * f1) / determinant
        if abs(dm) <= CLOSE * m and abs(ds) <= CLOSE * deviation:
            dc = a.by_mean * dm + a.by_deviation * ds
            log_cosh = (m + at.field - dm) * a.m + deviation * (deviation - ds) * a.chi + temperature * a.entropy
            q, c = q + temperature * dc, a.chi - dc
            return State(m - dm, deviation - ds, q, c, a.quartic, a.entropy, log_cosh, residual, iteration + 1)
        if not (abs(dm) < 0.5 * m and abs(ds) < 0.5 * deviation):
            break
        m -= dm
        deviation -= ds
    return State(m, deviation, 0.0, 0.0, 0.0, 0.0, 0.0, math.inf, 12)


@kernel
def centred(deviation, at):
    """The root sigma > 0 of eq. (3) at m = h = 0, by Newton within a bracket: above T = 1 in the variable sigma^2, in
    which it rises linearly from zero at T_g, below in sigma, in which the equation is linear at T = 0.
    """
    temperature, noise = at.temperature, at.noise
    low, high = 0.0, math.sqrt(at.load) + noise + 1.0
    if not low < deviation < high:
        deviation = min(max(high - 1.0 + 0.798 * (1.0 - temperature), 0.1 * high), 0.9 * high)
    for iteration in range(FAR):
        a = response_and_entropy(0.0, deviation, temperature)
        q, k = a.q, 1.0 - a.chi
        w = at.load + (noise * k) ** 2
        root = math.sqrt(q * w)
        f = deviation * k - root
        if k <= 0.0 or f < 0.0:
            low = deviation
        else:
            high = deviation
        slope = k + (0.5 * (temperature * w + 2.0 * q * noise * noise * k) / root - deviation) * a.by_deviation
        if temperature < 1.0:
            new = deviation - f / slope
        else:
            new = math.sqrt(max(0.0, deviation * (deviation - 2.0 * f / (slope - f / deviation))))
        step = new - deviation
        if abs(step) <= CLOSE * deviation and k > 0.0:
            dc = a.by_deviation * step
            log_cosh = deviation * new * a.chi + temperature * a.entropy
            q, c = q - temperature * dc, a.chi + dc
            return State(0.0, new, q, c, a.quartic, a.entropy, log_cosh, abs(f), iteration + 1)
        deviation = new if low < new < high else 0.5 * (low + high)
    return State(0.0, deviation, 0.0, 0.0, 0.0, 0.0, 0.0, math.inf, FAR)


@kernel
def find(low, high, guess, at):
    """The state on the curve (4) with sigma in [low, high]: by Newton from a guess (m, sigma) if its sigma is positive,
    else, or if that leaves the interval, from `on_curve`.
    """
    if at.load == 0.0 and at.noise == 0.0:
        m = magnetized(0.0, at, 1.0).m
        a = response_and_entropy(m + at.field, 0.0, at.temperature)
        log_cosh = (m + at.field) * m + at.temperature * a.entropy
        return State(m, 0.0, a.q, a.chi, a.quartic, a.entropy, log_cosh, abs(m - a.m), 1)
    if guess[1] > 0.0:
        state = newton(guess[0], guess[1], at)
        inside = low * (1.0 - 1e-7) <= state.deviation <= high * (1.0 + 1e-7)
        if state.residual < math.inf and state.c < 1.0 and inside:
            return state
    m, deviation = on_curve(low, high, at)
    return newton(m, deviation, at)


@kernel
def without_retrieval(state, at):
    """Branch of a state without retrieval in a field: there the glass begins where eq. (7) changes sign."""
    k = 1.0 - state.c
    return GLASS if at.temperature * k * k < state.quartic * (at.load + (at.noise * k) ** 2) else PARAMAGNET


@kernel
def solve_points(temperatures, loads, fields, noises, table):
    """All branches of eqs. (2), (3) at n points, into a table of shape (9, n, 3) full of NaN. A point that differs from
    the one before in a single control starts where the last three solutions lead to.
    """
    recalled, others = new_trail(), new_trail()
    axis = -1
    turns = Turns(0.0, -1.0, 0.0, -1.0)
    before = At(math.nan, math.nan, math.nan, math.nan)
    for i in range(temperatures.size):
        at = At(temperatures[i], loads[i], fields[i], noises[i])
        t, load, h, noise = at
        moved = only_change(before, at)
        if moved < 0 or moved != axis:
            forget(recalled)
            forget(others)
        if moved != 1:
            turns = turns_of(at)
        axis, before = moved, at
        place = (t, math.sqrt(load), h, noise)[max(moved, 0)]
        folded = turns.maximum > 0.0
        top = math.sqrt(load) + noise + 1.0
        if (folded and load <= turns.highest_load) or (h > 0.0 and not folded):
            state = find(0.0, turns.maximum if folded else top, guessed(recalled, place), at)
            extend(recalled, place, state.m, state.deviation)
            branch = RETRIEVAL if folded or state.m >= 0.5 else without_retrieval(state, at)
            write(table, i, branch, state, at)
        else:
            forget(recalled)
        if h > 0.0:
            if folded and load >= turns.lowest_load and load + noise > 0.0:
                state = find(max(turns.maximum, turns.minimum), top, guessed(others, place), at)
                extend(others, place, state.m, state.deviation)
                write(table, i, without_retrieval(state, at), state, at)
            else:
                forget(others)
            continue
        if t > 1.0 or (t == 1.0 and load == 0.0):
            write(table, i, PARAMAGNET, State(0.0, 0.0, 0.0, 1.0 / t, 1.0 / t, LN2, t * LN2, 0.0, 0), at)
        if load + noise > 0.0 and (t < 1.0 or load > (t - 1.0) ** 2 * (1.0 - (noise / t) ** 2)):
            square, deviation = guessed(others, place)
            if t >= 1.0:
                deviation = math.sqrt(max(0.0, square))
            state = centred(deviation, at)
            extend(others, place, state.deviation**2, state.deviation)
            if load > 0.0 or 1.0 - state.c > 1e-6:  # without load, C = 1 is no solution
                write(table, i, GLASS, state, at)
        else:
            forget(others)


# -- boundaries --------------------------------------------------------------------------------------------------------

BOUNDARIES = ("retrieval_spinodal", "retrieval_transition", "at_line", "glass_transition")
SPINODAL, TRANSITION, REPLICA, FREEZING = range(4)


@kernel
def advantage(turns, guess, at):
    """(free energy of retrieval minus that of the state without, m and sigma of retrieval)."""
    recalled = find(0.0, turns.maximum, guess, at)
    if at.field > 0.0:
        top = math.sqrt(at.load) + at.noise + 1.0
        other = find(max(turns.maximum, turns.minimum), top, (0.0, 0.0), at)
    else:
        other = centred(0.0, at)
    return free_energy(recalled, at) - free_energy(other, at), recalled.m, recalled.deviation


@kernel
def equal_load(turns, at):
    """Load at which retrieval and the state without it have the same free energy, or a negative number."""
    t, _, h, noise = at
    low, high = max(1e-9 * turns.highest_load, turns.lowest_load), turns.highest_load
    f_low, m, deviation = advantage(turns, (0.0, 0.0), At(t, low, h, noise))
    f_high, _, _ = advantage(turns, (0.0, 0.0), At(t, high, h, noise))
    if f_low > 0.0 or f_high < 0.0:
        return -1.0
    bracket, x = Bracket(low, high, f_low, f_high, 0), low
    for k in range(FAR):
        x = 0.5 * (bracket.low + bracket.high) if k < 2 else false_position(bracket)
        f, m, deviation = advantage(turns, (m, deviation), At(t, x, h, noise))
        bracket = narrowed(bracket, x, f)
        if bracket.high - bracket.low < 1e-13 * x or abs(f) < 1e-15:
            break
    return x


@kernel
def boundary_loads(kind, temperatures, fields, noises, loads, real):
    """The load at which a boundary is crossed, at n temperatures, fields and noises; and whether it is. Where it is
    not, `loads` continues the line with the sign that it has there, so that crossings along other controls are found.
    """
    for i in range(temperatures.size):
        at = At(temperatures[i], 0.0, fields[i], noises[i])
        t, _, h, noise = at
        loads[i], real[i] = math.nan, False
        if h == 0.0 and t >= 1.0:  # nothing but the paramagnet and the glass
            distance = (t - 1.0) ** 2
            loads[i] = distance * (1.0 - (noise / t) ** 2) if kind == FREEZING else -distance
            real[i] = kind == FREEZING and loads[i] >= 0.0
            continue
        turns = turns_of(at)
        if kind == FREEZING:
            if h == 0.0:
                loads[i] = -((t - 1.0) ** 2)
                continue
            low, top = max(turns.maximum, turns.minimum), 4.0 + 4.0 * t + noise
            x = breaking(low, top, at)
            loads[i] = load_at(x, at, 1.0)[1]
            real[i] = low + 1e-9 < x < top and loads[i] >= 0.0
        elif turns.maximum == 0.0 or turns.highest_load <= 0.0:
            loads[i] = -1.0 if h == 0.0 else math.nan
        elif kind == SPINODAL:
            loads[i], real[i] = turns.highest_load, True
        elif kind == TRANSITION:
            loads[i] = equal_load(turns, at)
            real[i] = loads[i] >= 0.0
        else:
            x = breaking(0.0, turns.maximum, at)
            loads[i] = load_at(x, at, 1.0)[1]
            real[i] = x < turns.maximum


# -- landscape ---------------------------------------------------------------------------------------------------------


@kernel
def imbalance(deviation, mean, at):
    """What eq. (3) leaves over; negative where C > 1."""
    a = response(mean, deviation, at.temperature)
    k = 1.0 - a.chi
    return deviation * k - math.sqrt(a.q * (at.load + (at.noise * k) ** 2)) if k > 0.0 else k - 1.0


@kernel
def constrained(m, deviation, at):
    """The state of eq. (3) at a given m."""
    mean = m + at.field
    a = response_and_entropy(mean, deviation, at.temperature)
    log_cosh = mean * a.m + deviation * deviation * a.chi + at.temperature * a.entropy
    return State(m, deviation, a.q, a.chi, a.quartic, a.entropy, log_cosh, 0.0, 0)


@kernel
def valley(ms, at, free_energies):
    """Free energy (5) at given m, with eq. (3) solved for sigma: the lowest of its solutions that have C < 1."""
    top = math.sqrt(at.load) + at.noise + 1.0
    pieces = 64
    for i in range(ms.size):
        if at.load + at.noise == 0.0:
            free_energies[i] = free_energy(constrained(ms[i], 0.0, at), at)
            continue
        best, before = math.inf, -1.0
        for k in range(1, pieces + 1):
            low, high = top * (k - 1) / pieces, top * k / pieces
            now = imbalance(high, ms[i] + at.field, at)
            if before < 0.0 <= now:
                for _ in range(45):
                    x = 0.5 * (low + high)
                    if imbalance(x, ms[i] + at.field, at) < 0.0:
                        low = x
                    else:
                        high = x
                best = min(best, free_energy(constrained(ms[i], high, at), at))
            before = now
        free_energies[i] = best
