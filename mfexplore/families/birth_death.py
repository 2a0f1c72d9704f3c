"""Birth-death chains in continuous time: one population n = 0, 1, ..., n_max with tabulated rates up and down.

birth[n] is the total rate n -> n + 1 (the last must be 0), death[n] that of n -> n - 1 (the first must be 0). Reactions
that make the same jump are one entry, and tables replace the divisions and polynomials of a textbook loop: an event is
two table look-ups. A bundle of trajectories runs in lockstep, one to a SIMD lane; there polynomials beat look-ups.

Sources: Gillespie, J. Phys. Chem. 81, 2340 (1977); Gardiner, Stochastic Methods (2009), section 7.4; Schloegl,
Z. Physik 253, 147 (1972).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from mfexplore.numerics.chance.random import advanced, random_word, uniform
from mfexplore.numerics.functions.elementary import log, precise_block
from mfexplore.numerics.kernel import inline_kernel, kernel

Array = NDArray[Any]
BLOCK = 256  # random numbers drawn ahead, in a loop that vectorises
LANES = 128  # trajectories in lockstep


def stationary(birth: Array, death: Array) -> Array:
    """Stationary probabilities of a chain without absorbing states; shape as the tables. From detailed balance."""
    with np.errstate(divide="ignore"):
        log_weight = np.concatenate([[0.0], np.cumsum(np.log(birth[:-1]) - np.log(death[1:]))])
    probabilities: Array = np.exp(log_weight - logsumexp(log_weight))
    return probabilities


def first_passage_time(birth: Array, death: Array, start: int, target: int) -> float:
    """Mean time to reach `target` from `start`, either way; inf if it cannot be reached."""
    if target < start:  # the mirror image climbs
        top = len(birth) - 1
        return first_passage_time(death[::-1], birth[::-1], top - start, top - target)
    step, total = 0.0, 0.0
    for n in range(target):  # mean time n -> n + 1, from that of n - 1 -> n
        step = (1.0 + death[n] * step) / birth[n] if birth[n] > 0 else math.inf
        if n >= start:
            total += step
    return total


@kernel
def uniformise(probability, birth, death, duration):
    """Probabilities a `duration` later, shape as the tables: a Poisson number of jumps at the fastest rate of all, of
    which slower states skip some (Jensen 1953). Only positive numbers are added. What is born in the last state or dies
    in the first one is gone.
    """
    n = probability.size
    fastest = 0.0
    for i in range(n):
        fastest = max(fastest, birth[i] + death[i])
    pieces = int(fastest * duration / 400.0) + 1  # so that exp(-mean) is a number
    mean = fastest * duration / pieces
    jumps = int(mean + 9.0 * math.sqrt(mean) + 20.0)
    up, down, stay = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        up[i] = birth[i] / fastest if fastest > 0.0 else 0.0
        down[i] = death[i] / fastest if fastest > 0.0 else 0.0
        stay[i] = 1.0 - up[i] - down[i]
    now, then, total = probability.copy(), np.zeros(n), np.empty(n)
    for _ in range(pieces):
        weight = math.exp(-mean)
        for i in range(n):
            total[i] = weight * now[i]
        for k in range(1, jumps):
            weight *= mean / k
            then[0] = stay[0] * now[0]
            then[n - 1] = stay[n - 1] * now[n - 1]
            if n > 1:
                then[0] += down[1] * now[1]
                then[n - 1] += up[n - 2] * now[n - 2]
            for i in range(1, n - 1):
                then[i] = stay[i] * now[i] + up[i - 1] * now[i - 1] + down[i + 1] * now[i + 1]
            now, then = then, now
            for i in range(n):
                total[i] += weight * now[i]
        now[:] = total
    return now


def transient(birth: Array, death: Array, probability: Array, times: Array) -> Array:
    """Probabilities at increasing times, shape (times, states), of a chain that has `probability` at time 0."""
    found, now = np.empty((len(times), len(birth))), 0.0
    state = np.asarray(probability, np.float64)
    for k, time in enumerate(np.asarray(times, np.float64)):
        state = uniformise(state, np.asarray(birth, np.float64), np.asarray(death, np.float64), time - now)
        found[k], now = state, float(time)
    return found


def survival(birth: Array, death: Array, start: int, target: int, times: Array) -> Array:
    """Probability that `target` has not been reached from `start`, either way, until each of increasing times."""
    if target < start:
        top = len(birth) - 1
        return survival(death[::-1], birth[::-1], top - start, top - target, times)
    at_start = (np.arange(target) == start).astype(np.float64)
    left: Array = transient(birth[:target], death[:target], at_start, times).sum(axis=1)
    return left


@kernel
def summarise(birth, death, most, low, high, found):
    """Cumulants of the stationary law and mean passage times, chain by chain, without tables.

    Args:
        birth, death: coefficients of n^0 ... n^3 in the rates, shape (m, 4).
        most: the largest population, low, high: two others, whole numbers of shape (m,).
        found: written, shape (m, 6): the first four cumulants, mean times from low to high and back.
    """
    for i in range(most.size):
        b, d = birth[i], death[i]
        weight, s0, s1, s2, s3, s4 = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
        step, up, down = 0.0, 0.0, 0.0
        for n in range(most[i] + 1):
            s0 += weight
            s1 += weight * n
            s2 += weight * n * n
            s3 += weight * n * n * n
            s4 += weight * n * n * n * n
            after = n + 1.0
            rises = ((b[3] * n + b[2]) * n + b[1]) * n + b[0]
            falls = ((d[3] * n + d[2]) * n + d[1]) * n + d[0]
            weight *= rises / (((d[3] * after + d[2]) * after + d[1]) * after + d[0])
            if n < high[i]:  # mean time n -> n + 1, from that of n - 1 -> n
                step = (1.0 + falls * step) / rises
                if n >= low[i]:
                    up += step
            if s0 > 1e200:
                weight, s0, s1 = weight * 1e-200, s0 * 1e-200, s1 * 1e-200
                s2, s3, s4 = s2 * 1e-200, s3 * 1e-200, s4 * 1e-200
        step = 0.0
        for n in range(most[i], low[i], -1):
            rises = ((b[3] * n + b[2]) * n + b[1]) * n + b[0] if n < most[i] else 0.0
            falls = ((d[3] * n + d[2]) * n + d[1]) * n + d[0]
            step = (1.0 + rises * step) / falls
            if n <= high[i]:
                down += step
        m, r2, r3, r4 = s1 / s0, s2 / s0, s3 / s0, s4 / s0
        variance = r2 - m * m
        found[i, 0], found[i, 1], found[i, 2] = m, variance, r3 - 3.0 * m * r2 + 2.0 * m * m * m
        found[i, 3] = r4 - 4.0 * m * r3 + 6.0 * m * m * r2 - 3.0 * m * m * m * m - 3.0 * variance * variance
        found[i, 4], found[i, 5] = up, down


class Schloegl(NamedTuple):
    """Schloegl's reactions 2X -> 3X, 3X -> 2X, 0 -> X, X -> 0 with the rates a_1 ... a_4 in a volume.

    In concentrations, dx/dt = a_1 x^2 - a_2 x^3 + a_3 - a_4 x: one state at rest, or two with a threshold between them.
    All are numbers, or arrays where that is said.
    """

    autocatalysis: Any  # a_1
    reverse: Any  # a_2
    feed: Any  # a_3
    decay: Any  # a_4
    volume: Any

    def coefficients(self) -> tuple[Array, Array]:
        """Rates up and down as polynomials in the number n: coefficients of n^0 ... n^3, for `simulate_many`; of shape
        (4,), or (..., 4) where rates or volume are arrays.
        """
        a1, a2, a3, a4, v = np.broadcast_arrays(*self)
        pair, triple, none = a1 / v, a2 / v**2, 0.0 * v  # n (n - 1) and n (n - 1) (n - 2): nobody meets himself
        birth = np.stack([a3 * v, -pair, pair, none], axis=-1)
        return birth, np.stack([none, a4 + 2 * triple, -3 * triple, triple], axis=-1)

    def rates(self, most: int) -> tuple[Array, Array]:
        """Tables of the rates up and down of n = 0 ... most."""
        n = np.arange(most + 1.0)
        birth, death = (np.polynomial.polynomial.polyval(n, c) for c in self.coefficients())
        birth[-1] = 0.0
        return birth, np.maximum(death, 0.0)

    def at_rest(self) -> Array:
        """Concentrations at rest, ascending, shape (..., 3); where there is one, it is first and last, NaN between."""
        a1, a2, a3, a4, _ = np.broadcast_arrays(*self)
        shift = a1 / a2 / 3  # x = t + shift makes the cubic t^3 + p t + q
        p = a4 / a2 - 3 * shift**2
        q = -2 * shift**3 + shift * a4 / a2 - a3 / a2
        three = 4 * p**3 + 27 * q**2 < 0
        radius = 2 * np.sqrt(np.where(three, -p, 1.0) / 3)
        angle = np.arccos(np.clip(np.where(three, 3 * q / (np.where(three, p, 1.0) * radius), 0.0), -1, 1)) / 3
        root = np.sqrt(np.where(three, 0.0, q**2 / 4 + p**3 / 27))
        alone = np.cbrt(-q / 2 + root) + np.cbrt(-q / 2 - root)
        places = [np.where(three, radius * np.cos(angle - 2 * np.pi * k / 3), alone) + shift for k in (2, 1, 0)]
        x = np.stack(places, axis=-1)
        a1, a2, a3, a4 = (one[..., None] for one in (a1, a2, a3, a4))
        for _ in range(2):  # rounding errors of the formula are polished away
            slope = 3 * a2 * x**2 - 2 * a1 * x + a4
            x = x - (a2 * x**3 - a1 * x**2 + a4 * x - a3) / np.where(slope == 0, np.inf, slope)
        x = np.sort(x, axis=-1)
        x[~three, 1] = np.nan
        return x


@kernel
def fill_events(position, waits, choices):
    """Standard exponential waiting times and uniform choices for one block; both arrays are overwritten."""
    for i in range(waits.size):
        waits[i] = -log(1.0 - uniform(position, 2 * i))
        choices[i] = uniform(position, 2 * i + 1)


@kernel
def simulate(n, duration, mean_wait, share_up, stream):
    """One trajectory, event by event, for a time `duration`.

    Args:
        n: the population at the start.
        mean_wait, share_up: tables 1/(birth + death) and birth/(birth + death), see `tables`.
        stream: uint64 array of shape (1,) of `numerics.chance.random`, moved on.

    Returns:
        (population at the end, number of events).
    """
    waits, choices = np.empty(BLOCK), np.empty(BLOCK)
    time, events, k = 0.0, 0, BLOCK
    while True:
        if k == BLOCK:
            fill_events(stream[0], waits, choices)
            stream[0] = advanced(stream[0], 2 * BLOCK)
            k = 0
        time += waits[k] * mean_wait[n]
        if time > duration:
            return n, events
        n += 1 if choices[k] < share_up[n] else -1
        k += 1
        events += 1


@inline_kernel
def next_word(state_0, state_1, j):
    """The next 64 random bits of lane j: xoroshiro128+ (Blackman, Vigna 2018), cheaper in SIMD than `random_word`."""
    a, b = state_0[j], state_1[j]
    word = a + b
    b ^= a
    state_0[j] = ((a << np.uint64(24)) | (a >> np.uint64(40))) ^ b ^ (b << np.uint64(16))
    state_1[j] = (b << np.uint64(37)) | (b >> np.uint64(27))
    return word


@precise_block
def whole_number(bits):
    """A whole number below 2^32, in the lower half of a word, as float64: without a conversion, which AVX2 has not."""
    return np.uint64(bits | np.uint64(0x4330000000000000)).view(np.float64) - 4503599627370496.0


@inline_kernel
def exponential_over(word, rate):
    """Exponential number of this rate from the upper half of a word, error 3e-12/rate; at most 22.2 over the rate.

    The quotient in the series of the logarithm and that by the rate are one division.
    """
    bits = np.float64(whole_number((word >> np.uint64(32)) | np.uint64(1))).view(np.uint64)
    power = whole_number(bits >> np.uint64(52)) - 1055.0  # of two; 1023, and 32 for the half of a word
    m = np.uint64((bits & np.uint64(0xFFFFFFFFFFFFF)) | np.uint64(0x3FF0000000000000)).view(np.float64)
    below = m + 1.4142135623730951
    inverse = 1.0 / (below * rate)
    z = (m - 1.4142135623730951) * rate * inverse
    y = z * z
    # artanh(z)/z by interpolation in y, written so that no term waits for all others
    low = 1.0000000000041798 + y * 0.3333333262374347
    series = low + y * y * (0.20000192336246458 + y * 0.14267525515171015 + y * y * 0.1180817962218298)
    return -(power * 0.6931471805599453 + 0.34657359027997264 + 2 * z * series) * (below * inverse)


@kernel
def simulate_many(population, duration, birth, death, stream):
    """Independent trajectories in lockstep, for rates that are polynomials: mass action up to three partners.

    As many as the fastest cache holds run at a time; where one has ended, the next takes its place.

    Args:
        population: float64 array of shape (m,) of whole numbers, overwritten with the state at the end.
        duration: time simulated.
        birth, death: coefficients of n^0 ... n^3, shape (4,).
        stream: uint64 array of shape (1,) of `numerics.chance.random`, moved on.

    Returns:
        Number of events of all trajectories.
    """
    m = population.size
    lanes = min(LANES, m)
    state, time, events = population[:lanes].copy(), np.zeros(lanes), 0.0
    running = np.arange(lanes)  # which trajectory each lane simulates; -1: none is left
    state_0, state_1 = np.empty(lanes, np.uint64), np.empty(lanes, np.uint64)
    for j in range(lanes):
        state_0[j], state_1[j] = random_word(stream[0], 2 * j), random_word(stream[0], 2 * j + 1)
    stream[0] = advanced(stream[0], 2 * lanes)
    b0, b1, b2, b3 = birth[0], birth[1], birth[2], birth[3]
    a0, a1, a2, a3 = b0 + death[0], b1 + death[1], b2 + death[2], b3 + death[3]
    begun, ended = lanes, 0
    while ended < m:
        for _ in range(16):  # so that looking for those that have ended costs nothing
            for j in range(lanes):
                word = next_word(state_0, state_1, j)
                n = state[j]
                up = ((b3 * n + b2) * n + b1) * n + b0
                total = ((a3 * n + a2) * n + a1) * n + a0
                time[j] += exponential_over(word, total)
                alive = 1.0 if time[j] <= duration else 0.0
                pick = whole_number(word & np.uint64(0xFFFFFFFF)) * 2.3283064365386963e-10 * total
                state[j] = n + (alive if pick < up else -alive)
                events += alive
        for j in range(lanes):
            if time[j] > duration and running[j] >= 0:
                population[running[j]] = state[j]
                ended += 1
                running[j] = begun if begun < m else -1
                if begun < m:
                    state[j], time[j] = population[begun], 0.0
                    begun += 1
    return events


def tables(birth: Array, death: Array) -> tuple[Array, Array]:
    """(mean waiting time, share of births) in every state, as the simulations want them; a dead end waits for ever."""
    total = np.asarray(birth, np.float64) + death
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1.0 / total, np.where(total > 0, birth / total, 0.0)
