"""Replica symmetry: retrieval as a curve, the glass, and all branches at a batch of points."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mfexplore.families.memories import GLASS, PARAMAGNET, RETRIEVAL
from mfexplore.numerics.functions.gaussian import response_and_entropy
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


class At(NamedTuple):
    """One of them."""

    temperature: float
    order: int
    spread: float
    values: Any  # of a binomial b, with their weights; empty where it is Gaussian
    weights: Any


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


class Reach(NamedTuple):
    """That curve runs from nu = top, where S = 0, to the fold, where S is largest; zeros: there is no retrieval."""

    top: float
    fold: float
    largest: float


# -- averages ----------------------------------------------------------------------------------------------------------


@kernel
def tail(order, q):
    """The polynomial sum of k q^(k-1), k = 1 .. p-1, of eq. (5)."""
    total = 0.0
    for k in range(order - 1, 0, -1):
        total = total * q + k
    return total


@kernel
def pressure(q, c, strength, order):
    """What the crosstalk adds to the free energy (5), over -T."""
    return 0.5 * strength / order * c * c * tail(order, q)


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
    values = weights = np.empty(0)
    if columns.binomial:
        values, weights = blur(columns.examples[i], columns.quality[i])
    return At(columns.temperature[i], columns.order[i], columns.spread[i], values, weights)


@kernel
def averages(nu, deviation, at):
    """The `Averages` at a signal nu and a standard deviation of the crosstalk."""
    temperature = at.temperature
    mean, slope = nu ** (at.order - 1), (at.order - 1) * nu ** (at.order - 2)
    if at.values.size == 0:
        own = at.spread * mean
        total = math.sqrt(own * mean + deviation * deviation)
        a = response_and_entropy(mean, total, temperature)
        inverse = 1.0 / total if total > 0.0 else 0.0
        c_mean = a.by_mean + a.by_deviation * own * inverse
        c_deviation = a.by_deviation * deviation * inverse
        by_nu = (a.chi * (1.0 + at.spread) + own * (a.by_mean + c_mean)) * slope
        by_deviation = deviation * a.by_mean + own * c_deviation
        log_cosh = mean * a.m + total * total * a.chi + temperature * a.entropy
        return Averages(
            a.m + own * a.chi, a.m, a.q, a.chi, by_nu, by_deviation, -temperature * c_mean * slope,
            -temperature * c_deviation, a.quartic, a.entropy, log_cosh,
        )  # fmt: skip
    signal = m = q = c = by_nu = by_deviation = c_nu = c_deviation = quartic = entropy = log_cosh = 0.0
    safe = max(deviation, 1e-12) if temperature == 0.0 else deviation  # b may vanish, and the field with it
    for k in range(at.values.size):
        b, w = at.values[k], at.weights[k]
        a = response_and_entropy(b * mean, safe, temperature)
        signal += w * b * a.m
        m += w * a.m
        q += w * a.q
        c += w * a.chi
        by_nu += w * b * b * a.chi
        by_deviation += w * b * safe * a.by_mean
        c_nu += w * b * a.by_mean
        c_deviation += w * a.by_deviation
        quartic += w * a.quartic
        entropy += w * a.entropy
        log_cosh += w * (b * mean * a.m + safe * safe * a.chi + temperature * a.entropy)
    return Averages(
        signal, m, q, c, by_nu * slope, by_deviation, -temperature * c_nu * slope, -temperature * c_deviation, quartic,
        entropy, log_cosh,
    )  # fmt: skip


# -- retrieval ---------------------------------------------------------------------------------------------------------


@kernel
def unloaded(at):
    """Largest signal without crosstalk, 0 if there is none: Newton from above, where the average is concave."""
    nu = math.sqrt(1.0 + at.spread)
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
    for _ in range(45):
        nu = 0.5 * (low + high)
        if averages(nu, 0.0, at).signal > nu:
            high = nu
        else:
            low = nu
        if high - low < 1e-12:
            break
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
def reach_of(at):
    """The `Reach` of retrieval without broken symmetry."""
    top = unloaded(at)
    if top == 0.0:
        return Reach(0.0, 0.0, 0.0)
    bottom = smallest(top, at) if at.temperature > 0.0 else 0.0
    high, nu, pieces = top, top, 24
    place = Place(0.1, 0.0, 0.0, 0.0, 0.0)
    for k in range(1, pieces):
        nu = top - (top - bottom) * k / pieces
        place = on_curve(nu, place.deviation, at)
        if place.slope > 0.0:
            low, low_slope = nu, place.slope
            nu = top - 1e-6 * (top - bottom) if high == top else high
            high_slope = on_curve(nu, place.deviation, at).slope
            bracket = Bracket(low, nu, low_slope, max(high_slope, -3.0 * low_slope), 0)
            for _ in range(FAR):
                nu = false_position(bracket)
                place = on_curve(nu, place.deviation, at)
                bracket = narrowed(bracket, nu, place.slope)
                if bracket.high - bracket.low < 1e-11 or abs(place.slope) < 1e-12:
                    break
            break
        high = nu
    return Reach(top, nu, place.strength)


@kernel
def breaking(reach, at):
    """(nu, S) at which lambda vanishes between the top and the fold; the fold if it does not."""
    place = on_curve(reach.fold, 0.3, at)
    if place.margin >= 0.0:
        return reach.fold, place.strength
    if at.temperature == 0.0:
        return reach.top, 0.0
    low, high = reach.fold, reach.top
    nu = high
    for _ in range(FAR):
        nu = 0.5 * (low + high)
        place = on_curve(nu, place.deviation, at)
        if place.margin < 0.0:
            low = nu
        else:
            high = nu
        if high - low < 1e-13:
            break
    return nu, place.strength


@kernel
def newton(nu, deviation, strength, at):
    """Polish a root of eqs. (4)."""
    root, power = math.sqrt(strength), 0.5 * (at.order - 1)
    for iteration in range(12):
        a = averages(nu, deviation, at)
        f1, f2 = nu - a.signal, deviation - root * a.q**power
        residual = max(abs(f1), abs(f2) / (1.0 + deviation))
        bend = root * power * a.q ** (power - 1.0)
        j11, j12, j21, j22 = 1.0 - a.by_nu, -a.by_deviation, -bend * a.q_by_nu, 1.0 - bend * a.q_by_deviation
        determinant = j11 * j22 - j12 * j21
        dn = (f1 * j22 - f2 * j12) / determinant
        ds = (j11 * f2 - j21 * f1) / determinant
        if abs(dn) <= CLOSE * nu and abs(ds) <= CLOSE * deviation:
            slope = (at.order - 1) * nu ** (at.order - 2)
            log_cosh = a.log_cosh - a.signal * slope * dn - deviation * a.c * ds
            return State(
                nu - dn, deviation - ds, a.m, a.q, a.c, a.quartic, a.entropy, log_cosh, residual, iteration + 1
            )
        if not (abs(dn) < 0.5 * nu and abs(ds) < 0.7 * deviation):
            break
        nu -= dn
        deviation -= ds
    return State(nu, deviation, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, math.inf, 12)


@kernel
def retrieved(guess, reach, strength, at):
    """Retrieval at one S, from a guess (nu, deviation) if its deviation is positive, else safely along the curve."""
    top, fold = reach.top, reach.fold
    if strength == 0.0:
        a = averages(top, 0.0, at)
        return State(top, 0.0, a.m, a.q, a.c, a.quartic, a.entropy, a.log_cosh, abs(a.signal - top), 1)
    nu, deviation = guess
    if not deviation > 0.0:  # near S = 0 the signal differs from `top` by less than the last digit
        nu, deviation = top, math.sqrt(strength)
    state = newton(nu, deviation, strength, at)
    if state.residual < math.inf and state.nu >= fold * (1.0 - 1e-7):
        return state
    bracket, deviation = Bracket(fold, top, 1.0, -1.0, 0), 0.3
    for k in range(FAR):
        nu = 0.5 * (bracket.low + bracket.high) if k < 4 else false_position(bracket)
        place = on_curve(nu, deviation, at)
        deviation = place.deviation
        bracket = narrowed(bracket, nu, place.strength - strength)
        if bracket.high - bracket.low < 1e-11 or abs(place.strength - strength) < 1e-10 * strength:
            break
    return newton(nu, deviation, strength, at)


# -- the glass, and all branches ---------------------------------------------------------------------------------------


@kernel
def glass_threshold(order):
    """(smallest S/T^2, deviation/T there) of the replica-symmetric glass: eq. (2) at m = 0 knows no other scale."""
    bracket, u, q = Bracket(0.2, 6.0, -1.0, 1.0, 0), 1.0, 0.0
    for k in range(FAR):
        u = 0.5 * (bracket.low + bracket.high) if k < 6 else false_position(bracket)
        a = response_and_entropy(0.0, u, 1.0)
        q = a.q
        slope = 2.0 * q + (order - 1) * u * a.by_deviation
        bracket = narrowed(bracket, u, slope)
        if bracket.high - bracket.low < 1e-9:
            break
    return u * u / q ** (order - 1), u


@kernel
def glass(low, strength, temperature, order):
    """Root of eq. (2) at m = 0 by Newton from above."""
    root = math.sqrt(strength)
    power = 0.5 * (order - 1)
    high = deviation = root
    for iteration in range(FAR):
        a = response_and_entropy(0.0, deviation, temperature)
        q = a.q
        f = deviation - root * q**power
        if f > 0.0:
            high = deviation
        else:
            low = deviation
        slope = 1.0 + root * power * q ** (power - 1.0) * temperature * a.by_deviation
        new = deviation - f / slope
        if abs(new - deviation) <= CLOSE * deviation:
            log_cosh = deviation * new * a.chi + temperature * a.entropy
            residual = abs(f) / (1.0 + deviation)
            return State(0.0, new, 0.0, q, a.chi, a.quartic, a.entropy, log_cosh, residual, iteration + 1)
        deviation = new if low <= new <= high else 0.5 * (low + high)
    return State(0.0, deviation, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, math.inf, FAR)


@kernel
def paramagnet_free_energy(strength, temperature, order):
    """Without overlap of any kind."""
    return -0.5 * strength / (order * temperature) - temperature * LN2 if temperature > 0.0 else 0.0


@kernel
def competing_free_energy(strength, temperature, order):
    """Free energy of the glass where it exists, else of the paramagnet."""
    threshold, u = glass_threshold(order)
    if strength >= threshold * temperature**2 and strength > 0.0:
        state = glass(u * temperature, strength, temperature, order)
        return -temperature * pressure(state.q, state.c, strength, order) - state.log_cosh
    return paramagnet_free_energy(strength, temperature, order)


@kernel
def enter(table, i, branch, row):
    """Write the QUANTITIES, the residual and the iterations of a branch into the table."""
    for k in range(ROWS):
        table[k, i, branch] = row[k]


@kernel
def write(table, i, branch, state, strength, at):
    """Enter a replica-symmetric branch."""
    t, order = at.temperature, at.order
    push = pressure(state.q, state.c, strength, order)
    f = (order - 1.0) / order * state.nu**order - t * push - state.log_cosh
    s = state.entropy - push
    safe = margin(state.q, state.quartic, strength, t, order)
    enter(
        table, i, branch,
        (state.m, state.q, state.q, 1.0, state.nu, f, f + t * s, s, safe, state.residual, float(state.iterations)),
    )  # fmt: skip


@kernel
def solve_points(columns, strengths, table):
    """All branches without broken symmetry at n points, into a table of shape (ROWS, n, 3) full of NaN. A point that
    differs from the one before in S or temperature only starts where the last three solutions lead to.
    """
    trail, axis = new_trail(), -1
    threshold = narrowest = 0.0
    before = (math.nan, math.nan, math.nan, math.nan, math.nan)
    at, reach = at_point(columns, 0), Reach(0.0, 0.0, 0.0)
    for i in range(strengths.size):
        t, strength, order = columns.temperature[i], strengths[i], columns.order[i]
        now = (t, strength, float(order), float(columns.examples[i]), columns.quality[i])
        moved = only_change(before, now)
        if moved < 0 or moved > 1:
            moved = -1
            threshold, narrowest = glass_threshold(order)
        if moved < 0 or moved != axis:
            forget(trail)
        axis, before = moved, now
        if moved != 1:
            at = at_point(columns, i)
            reach = reach_of(at)
        if reach.top > 0.0 and strength <= reach.largest:
            place = t if moved == 0 else math.sqrt(strength)
            state = retrieved(guessed(trail, place), reach, strength, at)
            extend(trail, place, state.nu, state.deviation)
            write(table, i, RETRIEVAL, state, strength, at)
        else:
            forget(trail)
        if t > 0.0 or strength == 0.0:
            beta = 1.0 / t if t > 0.0 else 0.0
            write(table, i, PARAMAGNET, State(0.0, 0.0, 0.0, 0.0, beta, beta, LN2, t * LN2, 0.0, 0), strength, at)
        if strength > 0.0 and strength >= threshold * t * t:
            write(table, i, GLASS, glass(narrowest * t, strength, t, order), strength, at)
