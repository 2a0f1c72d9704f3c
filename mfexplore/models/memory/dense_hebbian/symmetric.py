"""Replica symmetry: retrieval as a curve, all branches and the boundaries at a batch of points."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mfexplore.families.memories import GLASS, PARAMAGNET, RETRIEVAL
from mfexplore.families.replicas import p_body
from mfexplore.numerics.functions.gaussian import response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.continuation import Bracket, false_position, narrowed

LN2 = math.log(2.0)
CLOSE = 1e-9  # relative size of the last Newton step
FAR = 60  # more iterations than any of the loops below needs

# The rows of the table that `solve_points` fills, as the observables are declared, and two more
QUANTITIES = (
    "overlap", "edwards_anderson", "overlap_0", "breakpoint", "signal", "free_energy", "energy", "entropy", "replicon",
)  # fmt: skip
RESIDUAL, ITERATIONS, ROWS = 9, 10, 11


class Columns(NamedTuple):
    """The controls at n points, but for the load."""

    temperature: Any
    order: Any
    spread: Any  # rho, the variance of b
    examples: Any
    quality: Any
    broken: Any  # whether one step of symmetry breaking is allowed
    binomial: bool  # b is not Gaussian
    lines: Any  # of the glass with one step, see `p_body.lines`


class At(NamedTuple):
    """One of them."""

    temperature: float
    order: int
    spread: float  # of the Gaussian part of b
    values: Any  # of the other part, with their weights
    weights: Any
    line: Any  # of the glass, zeros where symmetry must not be broken


class Averages(NamedTuple):
    """The averages of eqs. (4) at a given signal and standard deviation of the crosstalk."""

    signal: float  # what nu should be
    m: float
    q: float
    c: float
    by_nu: float  # slopes of that signal along nu and the deviation
    by_deviation: float
    q_by_nu: float  # and of q
    q_by_deviation: float
    quartic: float  # mean of sech^4/T
    entropy: float  # of a neuron in its field
    log_cosh: float  # mean of T ln 2cosh


class State(NamedTuple):
    """A solution of eqs. (4). residual: before the last step, infinite if it did not converge."""

    nu: float
    deviation: float
    m: float
    q: float
    c: float
    quartic: float
    entropy: float
    log_cosh: float
    residual: float
    iterations: int


class Place(NamedTuple):
    """A point of the curve S(nu) on which retrieval lies."""

    deviation: float
    strength: float  # S
    slope: float  # of S along nu: only its sign means something
    margin: float  # lambda of eq. (6)
    free_energy: float


STRENGTH, SLOPE, MARGIN, ADVANTAGE = range(4)  # what is sought along that curve, see `excess`


class Reach(NamedTuple):
    """That curve runs from nu = top, where S = 0, to the fold, where S is largest; zeros: there is no retrieval."""

    top: float
    fold: float
    largest: float


# -- averages ----------------------------------------------------------------------------------------------------------


@kernel
def pressure(q, c, strength, order):
    """What the crosstalk adds to the free energy (5), over -T."""
    tail = 0.0
    for k in range(order - 1, 0, -1):
        tail = tail * q + k
    return 0.5 * strength / order * c * c * tail


@kernel
def margin(q, quartic, strength, temperature, order):
    """The margin of stability, eq. (6)."""
    return temperature - strength * (order - 1) * q ** (order - 2) * quartic


@kernel
def blur(examples, quality):
    """Values and weights of b, eq. (4), as far as they count."""
    values, weights = np.empty(examples + 1), np.empty(examples + 1)
    if quality >= 1.0:
        values[0], weights[0] = 1.0, 1.0
        return values[:1], weights[:1]
    odds = 0.5 * math.log((1.0 + quality) / (1.0 - quality))
    common = math.lgamma(examples + 1.0) + 0.5 * examples * math.log(0.25 * (1.0 - quality * quality))
    count = 0
    for k in range(examples + 1):
        logarithm = common - math.lgamma(k + 1.0) - math.lgamma(examples - k + 1.0) + (2 * k - examples) * odds
        if logarithm > -35.0:
            values[count] = (2.0 * k - examples) / (examples * quality)
            weights[count] = math.exp(logarithm)
            count += 1
    return values[:count], weights[:count]


@kernel
def at_point(columns, i):
    """The controls of one point."""
    order, spread = columns.order[i], columns.spread[i]
    line = columns.lines[order - p_body.LOWEST] * columns.broken[i]
    values, weights = np.ones(1), np.ones(1)
    if columns.binomial:
        values, weights = blur(columns.examples[i], columns.quality[i])
        spread = 0.0
    return At(columns.temperature[i], order, spread, values, weights, line)


@kernel
def differ(columns, i, k):
    """Whether two points have different controls."""
    same = columns.temperature[i] == columns.temperature[k] and columns.order[i] == columns.order[k]
    same = same and columns.spread[i] == columns.spread[k] and columns.broken[i] == columns.broken[k]
    return not (same and columns.examples[i] == columns.examples[k])


@kernel
def averages(nu, deviation, at):
    """The `Averages` at a signal nu and a standard deviation of the crosstalk."""
    temperature = at.temperature
    mean, slope = nu ** (at.order - 1), (at.order - 1) * nu ** (at.order - 2)
    own = at.spread * mean  # a Gaussian part of b adds to the crosstalk
    total = math.sqrt(own * mean + deviation * deviation)
    if temperature == 0.0:
        total = max(total, 1e-12)  # b may vanish, and the field with it
    share = own / total if own > 0.0 else 0.0
    crossed = deviation / total if own > 0.0 else 1.0
    signal = m = q = c = by_nu = by_deviation = c_nu = c_deviation = quartic = entropy = log_cosh = 0.0
    for k in range(at.values.size):
        b, w = at.values[k], at.weights[k]
        a = response_and_entropy(b * mean, total, temperature)
        along, across = b * a.by_mean + a.by_deviation * share, a.by_deviation * crossed  # slopes of chi
        signal += w * (b * a.m + own * a.chi)
        m += w * a.m
        q += w * a.q
        c += w * a.chi
        by_nu += w * ((b * b + at.spread) * a.chi + own * (b * a.by_mean + along))
        by_deviation += w * (b * deviation * a.by_mean + own * across)
        c_nu += w * along
        c_deviation += w * across
        quartic += w * a.quartic
        entropy += w * a.entropy
        log_cosh += w * (b * mean * a.m + total * total * a.chi + temperature * a.entropy)
    return Averages(
        signal, m, q, c, by_nu * slope, by_deviation, -temperature * c_nu * slope, -temperature * c_deviation, quartic,
        entropy, log_cosh,
    )  # fmt: skip


# -- retrieval ---------------------------------------------------------------------------------------------------------


@kernel
def unloaded(at):
    """Largest signal without crosstalk, 0 if there is none: Newton from above, where the average is concave."""
    nu = math.sqrt(at.spread + (at.weights * at.values**2).sum())
    for _ in range(FAR):
        a = averages(nu, 0.0, at)
        if a.by_nu >= 1.0:
            return 0.0
        step = (nu - a.signal) / (1.0 - a.by_nu)
        nu -= step
        if nu <= 1e-3:
            return 0.0
        if step <= 1e-13:
            break
    return nu


@kernel
def smallest(top, at):
    """The unstable root below the largest without crosstalk: only between the two can crosstalk be borne."""
    low, high = 0.0, top
    while high - low > 1e-12:
        nu = 0.5 * (low + high)
        low, high = (low, nu) if averages(nu, 0.0, at).signal > nu else (nu, high)
    return high


@kernel
def on_curve(nu, guess, at):
    """How much crosstalk makes nu the solution. The average falls with the deviation, so there is one."""
    low, high, deviation = 0.0, math.inf, guess
    a = averages(nu, deviation, at)
    for _ in range(FAR):
        f = a.signal - nu
        if f >= 0.0:
            low = deviation
        else:
            high = deviation
        # linear in the square near zero
        square = deviation * (deviation - 2.0 * f / a.by_deviation) if a.by_deviation < 0.0 else -1.0
        new = math.sqrt(square) if square > 0.0 else -1.0
        if not low <= new <= high:
            new = 0.5 * (low + min(high, 2.0 * deviation + 0.1))
        done = abs(new - deviation) <= 1e-11 * deviation or high - low < 1e-14
        deviation = new
        a = averages(nu, deviation, at)
        if done:
            break
    order, q = at.order, a.q
    strength = deviation * deviation / q ** (order - 1)
    along = (1.0 - a.by_nu) / a.by_deviation if a.by_deviation != 0.0 else -math.inf
    slope = 2.0 * along * q - (order - 1) * deviation * (a.q_by_nu + a.q_by_deviation * along)
    f = (order - 1.0) / order * nu**order - a.log_cosh - at.temperature * pressure(q, a.c, strength, order)
    return Place(deviation, strength, slope, margin(q, a.quartic, strength, at.temperature, order), f)


@kernel
def newton(nu, deviation, strength, at):
    """The root of eqs. (4) near a guess; without a signal, that of the glass."""
    root, power = math.sqrt(strength), 0.5 * (at.order - 1)
    for iteration in range(FAR):
        a = averages(nu, deviation, at)
        f1, f2 = nu - a.signal, deviation - root * a.q**power
        residual = max(abs(f1), abs(f2) / (1.0 + deviation))
        bend = root * power * a.q ** (power - 1.0)
        j11, j12, j21, j22 = 1.0 - a.by_nu, -a.by_deviation, -bend * a.q_by_nu, 1.0 - bend * a.q_by_deviation
        determinant = j11 * j22 - j12 * j21
        dn = (f1 * j22 - f2 * j12) / determinant if nu > 0.0 else 0.0
        ds = (j11 * f2 - j21 * f1) / determinant
        if abs(dn) <= CLOSE * nu and abs(ds) <= CLOSE * deviation:
            slope = (at.order - 1) * nu ** (at.order - 2)
            log_cosh = a.log_cosh - a.signal * slope * dn - deviation * a.c * ds
            m, count = a.m if nu > 0.0 else 0.0, iteration + 1
            return State(nu - dn, deviation - ds, m, a.q, a.c, a.quartic, a.entropy, log_cosh, residual, count)
        if not (abs(dn) <= 0.5 * nu and abs(ds) < 0.7 * deviation):
            break
        nu -= dn
        deviation -= ds
    return State(nu, deviation, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, math.inf, FAR)


@kernel
def glass_threshold(order):
    """Smallest S/T^2 of the replica-symmetric glass: eq. (2) at m = 0 knows no other scale."""
    low, high = 0.2, 6.0  # deviation/T
    while high - low > 1e-9:
        u = 0.5 * (low + high)
        a = response_and_entropy(0.0, u, 1.0)
        low, high = (u, high) if 2.0 * a.q + (order - 1) * u * a.by_deviation < 0.0 else (low, u)
    return high * high / response_and_entropy(0.0, high, 1.0).q ** (order - 1)


@kernel
def free_energy(state, strength, at):
    """Eq. (5)."""
    push = at.temperature * pressure(state.q, state.c, strength, at.order)
    return (at.order - 1.0) / at.order * state.nu**at.order - push - state.log_cosh


@kernel
def paramagnet(temperature):
    """The state without overlap of any kind."""
    beta = 1.0 / temperature if temperature > 0.0 else 0.0
    return State(0.0, 0.0, 0.0, 0.0, beta, beta, LN2, temperature * LN2, 0.0, 0)


@kernel
def symmetric_glass_exists(strength, at):
    """Whether eq. (2) has a root without a signal."""
    return strength > 0.0 and strength >= glass_threshold(at.order) * at.temperature**2


@kernel
def glass(strength, at):
    """The root of eq. (2) without a signal."""
    one = np.ones(1)
    return newton(0.0, math.sqrt(strength), strength, At(at.temperature, at.order, 0.0, one, one, at.line))


@kernel
def competing_free_energy(strength, at):
    """Free energy of the glass (with one step where that is allowed) where it exists, else of the paramagnet."""
    t, coupling = at.temperature, math.sqrt(2.0 * strength / at.order)
    if t < at.line[0, p_body.STATIC] * coupling:
        row = np.empty(len(p_body.COLUMNS))
        p_body.freeze(at.order, t / coupling, at.line, row, np.empty((6, 1)))
        return row[p_body.FREE_ENERGY] * coupling
    frozen = at.line[0, p_body.STATIC] == 0.0 and symmetric_glass_exists(strength, at)
    return free_energy(glass(strength, at) if frozen else paramagnet(t), strength, at)


@kernel
def excess(kind, level, place, at):
    """What falls through zero along the curve, from the fold to the top: S - level, the slope of S, minus the margin of
    stability, or the free energy minus that of the state without retrieval.
    """
    if kind == STRENGTH:
        return place.strength - level
    if kind == SLOPE:
        return place.slope
    return -place.margin if kind == MARGIN else place.free_energy - competing_free_energy(place.strength, at)


@kernel
def zero_along(kind, level, low, high, at):
    """(nu, S) where the `excess` vanishes between two values of nu at which it is positive and negative."""
    bracket, nu, place = Bracket(low, high, 1.0, -1.0, 0), high, Place(0.3, 0.0, 0.0, 0.0, 0.0)
    for k in range(FAR):
        nu = 0.5 * (bracket.low + bracket.high) if k < 4 else false_position(bracket)
        place = on_curve(nu, place.deviation, at)
        f = excess(kind, level, place, at)
        bracket = narrowed(bracket, nu, f)
        if bracket.high - bracket.low < 1e-12 or abs(f) < 1e-13:
            break
    return nu, place.strength


@kernel
def reach_of(at):
    """The `Reach` of retrieval without broken symmetry."""
    top = unloaded(at)
    if top == 0.0:
        return Reach(0.0, 0.0, 0.0)
    bottom = smallest(top, at) if at.temperature > 0.0 else 0.0
    step, k, place = (top - bottom) / 24, 0, Place(0.1, 0.0, -1.0, 0.0, 0.0)
    while place.slope < 0.0 and k < 23:
        k += 1
        place = on_curve(top - k * step, place.deviation, at)
    fold, largest = zero_along(SLOPE, 0.0, top - k * step, top - (k - 1) * step, at)
    return Reach(top, fold, largest)


@kernel
def breaking(reach, at):
    """(nu, S) at which lambda vanishes between the top and the fold; the fold if it does not."""
    if on_curve(reach.fold, 0.3, at).margin >= 0.0:
        return reach.fold, reach.largest
    return zero_along(MARGIN, 0.0, reach.fold, reach.top, at) if at.temperature > 0.0 else (reach.top, 0.0)


@kernel
def retrieved(reach, strength, at):
    """Retrieval at one S: by Newton from above, or safely along the curve."""
    state = newton(reach.top, math.sqrt(strength), strength, at)
    if state.residual < math.inf and state.nu >= reach.fold * (1.0 - 1e-7):
        return state
    nu, _ = zero_along(STRENGTH, strength, reach.fold, reach.top, at)
    return newton(nu, on_curve(nu, 0.3, at).deviation, strength, at)


# -- the glass, and all branches ---------------------------------------------------------------------------------------


@kernel
def write(table, i, branch, state, strength, at):
    """Enter a replica-symmetric branch."""
    t, f = at.temperature, free_energy(state, strength, at)
    s = state.entropy - pressure(state.q, state.c, strength, at.order)
    safe = margin(state.q, state.quartic, strength, t, at.order)
    row = (state.m, state.q, state.q, 1.0, state.nu, f, f + t * s, s, safe, state.residual, float(state.iterations))
    table[:, i, branch] = np.array(row)


@kernel
def write_broken_glass(table, i, strength, at):
    """Enter the glass with one step, that of groups of p spins."""
    p, t, coupling = at.order, at.temperature, math.sqrt(2.0 * strength / at.order)
    own, out = np.empty(len(p_body.COLUMNS)), np.empty((6, 1))
    c, _, residual, iterations = p_body.freeze(p, t / coupling, at.line, own, out)
    q, x, f = own[p_body.OVERLAP], own[p_body.BREAKPOINT], own[p_body.FREE_ENERGY] * coupling
    s = out[4, 0] - pressure(q, c / coupling, strength, p)
    safe = margin(q, out[3, 0] / coupling, strength, t, p)
    table[:, i, GLASS] = np.array((0.0, q, 0.0, x, 0.0, f, f + t * s, s, safe, residual, float(iterations)))


@kernel
def solve_points(columns, strengths, table):
    """All branches at n points, into a table of shape (ROWS, n, 3) full of NaN; retrieval without broken symmetry."""
    at = at_point(columns, 0)
    reach = reach_of(at)
    for i in range(strengths.size):
        if i > 0 and differ(columns, i, i - 1):
            at = at_point(columns, i)
            reach = reach_of(at)
        t, strength = at.temperature, strengths[i]
        if reach.top > 0.0 and strength <= reach.largest:
            write(table, i, RETRIEVAL, retrieved(reach, strength, at), strength, at)
        if t > 0.0 or strength == 0.0:
            write(table, i, PARAMAGNET, paramagnet(t), strength, at)
        if columns.broken[i]:
            if t < at.line[0, p_body.STATIC] * math.sqrt(2.0 * strength / at.order):
                write_broken_glass(table, i, strength, at)
        elif symmetric_glass_exists(strength, at):
            write(table, i, GLASS, glass(strength, at), strength, at)
