"""Gardner's volume, eqs. (2)-(6): averages over a pattern, the curves load(qhat), capacities, the frozen phase."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.message_passing.state_evolution import StateEvolution
from mfexplore.numerics.functions.elementary import exp, log, log_ndtr, normal_tail
from mfexplore.numerics.functions.gaussian import INVERSE_SQRT_2PI, normal_density, response_and_entropy
from mfexplore.numerics.kernel import kernel

WEIGHTS = ("spherical", "binary")
SPHERICAL, BINARY = range(len(WEIGHTS))
NODES = 640  # enough for any average below
REACH = 8.3  # standard deviations
STRIP = 2.8  # the zeros of H(u) lie no closer to the real axis
MAP_STEP = 0.13
COLDEST, HOTTEST = 0.002, 8.0  # what is colder counts as zero: e^(-1/T) soon underflows
LOW_SNR, HIGH_SNR = -7.0, 9.0  # the entropy of the binary perceptron vanishes within


@kernel
def place_nodes(q, v, margin, temperature, u, weight):
    """Nodes u and weights for averages of eq. (2) over z, accurate for any q in (0, 1) and v = 1 - q.

    The integrand changes over a width of about 1 at u = 0 and, at low temperature, more sharply at u = sqrt(2/T), where
    H(u) falls below epsilon. Either the nodes are equidistant and fine enough, or du/dt follows both widths (a sum of
    two asinh), and the trapezoid rule in t converges exponentially however broad the Gaussian is. Returns their number.
    """
    scale = math.sqrt(v)
    centre, sigma = margin / scale, math.sqrt(q) / scale
    edge, sharp = 0.0, STRIP
    if temperature > 0.0:
        edge = math.sqrt(2.0 / temperature + 1.0)
        sharp = min(math.pi / edge, STRIP)
    step = min(0.35 * sigma, 0.2 * sharp)
    half = int(REACH * sigma / step) + 1
    if half <= 150:
        for k in range(2 * half + 1):
            x = (k - half) * step
            u[k] = centre + x
            weight[k] = exp(-0.5 * (x / sigma) ** 2) * step / sigma * INVERSE_SQRT_2PI
        return 2 * half + 1
    low, high = centre - REACH * sigma, centre + REACH * sigma
    if temperature == 0.0:
        t = math.asinh(low / STRIP)
        n = min(int((math.asinh(high / STRIP) - t) / MAP_STEP) + 1, u.size)
        for k in range(n):
            e = exp(t + k * MAP_STEP)
            u[k] = 0.5 * STRIP * (e - 1.0 / e)
            z = (u[k] - centre) / sigma
            weight[k] = 0.5 * STRIP * (e + 1.0 / e) * exp(-0.5 * z * z) * MAP_STEP / sigma * INVERSE_SQRT_2PI
        return n
    x, n = low, 0
    t = math.asinh(x / STRIP) + math.asinh((x - edge) / sharp)
    while x < high and n < u.size:
        slope = 1.0 / (1.0 / math.sqrt(STRIP * STRIP + x * x) + 1.0 / math.sqrt(sharp * sharp + (x - edge) ** 2))
        z = (x - centre) / sigma
        u[n] = x
        weight[n] = slope * exp(-0.5 * z * z) * MAP_STEP / sigma * INVERSE_SQRT_2PI
        n += 1
        t += MAP_STEP
        x += MAP_STEP * slope
        for _ in range(3):
            missing = t - math.asinh(x / STRIP) - math.asinh((x - edge) / sharp)
            x += missing / (1.0 / math.sqrt(STRIP * STRIP + x * x) + 1.0 / math.sqrt(sharp * sharp + (x - edge) ** 2))
    return n


@kernel
def mean_square(q, v, margin, temperature, u, weight):
    """Average of g^2, eq. (3): all that `load` needs, at a fifth of the cost. u, weight: scratch of shape (NODES,)."""
    n = place_nodes(q, v, margin, temperature, u, weight)
    floor = math.exp(-1.0 / temperature) if temperature > 0.0 else 0.0
    total = 0.0
    for k in range(n):
        mass, hazard = normal_tail(u[k])
        share = 1.0 if floor == 0.0 else (1.0 - floor) * mass / (floor + (1.0 - floor) * mass)
        g = hazard * share
        total += weight[k] * g * g
    return total


class Averages(NamedTuple):
    """Over z, of g^2, ln[epsilon + (1 - epsilon) H], whether a pattern is violated, g, and (dg/du)^2."""

    square: float
    log: float
    violated: float
    mean: float
    curvature: float


@kernel
def averages(q, v, margin, temperature, u, weight):
    """u, weight: scratch of shape (NODES,)."""
    n = place_nodes(q, v, margin, temperature, u, weight)
    floor = math.exp(-1.0 / temperature) if temperature > 0.0 else 0.0
    square = logarithm = violated = mean = curvature = 0.0
    for k in range(n):
        mass, hazard = normal_tail(u[k])
        total = floor + (1.0 - floor) * mass
        share = 1.0 if floor == 0.0 else (1.0 - floor) * mass / total
        logarithm += weight[k] * (log_ndtr(-u[k]) if floor == 0.0 else log(total))
        violated += weight[k] * (0.0 if floor == 0.0 else floor * (1.0 - mass) / total)
        g = hazard * share
        mean += weight[k] * g
        square += weight[k] * g * g
        far = share == 1.0 and u[k] > 100.0  # there g - u cancels: its series in 1/u instead
        slope = 1.0 - 1.0 / (u[k] * u[k]) + 6.0 / u[k] ** 4 if far else g * (g - u[k])
        curvature += weight[k] * slope * slope
    return Averages(square, logarithm, violated, mean, curvature)


@kernel
def prior(kind, log_snr):
    """For qhat = exp(log_snr): (q, 1 - q) of the right part of eq. (3), the free entropy of a weight without patterns,
    and how much its mean reacts, the last average of eq. (6).
    """
    snr = math.exp(log_snr)
    if kind == SPHERICAL:
        v = 2.0 / (1.0 + math.sqrt(1.0 + 4.0 * snr))
        q = snr * v * v
        return q, v, 0.5 * (math.log(v) + q / v), v * v
    _, q, v, _, _, reaction, entropy = response_and_entropy(0.0, math.sqrt(snr), 1.0)
    return q, max(v, 1e-300), 0.5 * snr * v + entropy, reaction


@kernel
def fill_loads(kind, log_snr, margin, temperature, load):
    """The load at which qhat = exp(log_snr) solves eq. (3)."""
    u, weight = np.empty(NODES), np.empty(NODES)
    for i in range(log_snr.size):
        q, v = prior(kind, log_snr[i])[:2]
        load[i] = math.exp(log_snr[i]) * v / mean_square(q, v, margin[i], temperature[i], u, weight)


class State(NamedTuple):
    """Values at n points, each of shape (n,); residual: relative, of eq. (3)."""

    overlap: Array
    entropy: Array
    violated_fraction: Array
    stability: Array
    replicon: Array
    residual: Array


@kernel
def fill_state(kind, log_snr, margin, temperature, load, out):
    """out: a State, at these loads; where they are NaN at those at which qhat = exp(log_snr) solves eq. (3), and these
    are written to `load`.
    """
    u, weight = np.empty(NODES), np.empty(NODES)
    for i in range(log_snr.size):
        q, v, free_entropy, reaction = prior(kind, log_snr[i])
        over = averages(q, v, margin[i], temperature[i], u, weight)
        solving = math.exp(log_snr[i]) * v / over.square
        if math.isnan(load[i]):
            load[i] = solving
        energy = over.violated / temperature[i] if temperature[i] > 0.0 else 0.0
        out.overlap[i] = q
        out.entropy[i] = free_entropy + load[i] * (over.log + energy)
        out.violated_fraction[i] = over.violated
        out.stability[i] = over.mean * math.sqrt(v)
        out.replicon[i] = 1.0 - load[i] * over.curvature / (v * v) * reaction
        out.residual[i] = abs(load[i] / solving - 1.0)


@dataclass(frozen=True)
class Gardner(StateEvolution):
    """The solutions of eq. (3) for one kind of weights, by its word. Its parameters are margin and temperature."""

    weights: str

    @property
    def kind(self) -> int:
        return WEIGHTS.index(self.weights)

    @property
    def interval(self) -> tuple[float, float, int]:
        return -18.0, 7.0 if self.kind == BINARY else 36.0, 193

    def load(self, log_snr: Array, *parameters: Array) -> Array:
        load = np.empty_like(log_snr)
        fill_loads(self.kind, log_snr, parameters[0], parameters[1], load)
        return load

    def along(self, log_snr: Array, margin: Array, temperature: Array) -> tuple[Array, State]:
        """The loads at which ln qhat solves eq. (3), and the states there; all of shape (n,)."""
        load = np.full(log_snr.shape, np.nan)
        return load, self.state(log_snr, margin, temperature, load)

    def state(self, log_snr: Array, margin: Array, temperature: Array, load: Array) -> State:
        """All of shape (n,)."""
        state = State(*np.empty((6, load.size)))
        fill_state(self.kind, np.clip(log_snr, -18.0, 36.0), margin, temperature, load, state)
        return state

    def capacity(self, margin: Array) -> Array:
        """The load beyond which no weights satisfy every pattern, of shape (n,)."""
        different, place = np.unique(margin, return_inverse=True)
        return CAPACITY[self.weights](different)[place]

    def at_line(self, margin: Array, temperature: Array) -> Array:
        """The loads at which the replicon changes sign along load(qhat), shape (n, k), NaN where there are fewer."""
        x = np.linspace(-6.0, 5.0, 23) if self.kind == BINARY else np.linspace(-6.0, 30.0, 37)

        def along(log_snr: Array, which: Array) -> tuple[Array, State]:
            return self.along(log_snr, margin[which], temperature[which])

        each = np.repeat(np.arange(margin.size), x.size)
        value = along(np.tile(x, margin.size), each)[1].replicon.reshape(margin.size, x.size)
        which, k = np.nonzero((value[:, :-1] > 0) & (value[:, 1:] < 0))
        ends = value[which, k], value[which, k + 1]
        log_snr = bracketed_roots(lambda at, i: along(at, which[i])[1].replicon, x[k], x[k + 1], ends, tolerance=1e-12)
        load, state = along(log_snr, which)
        real = (self.kind == SPHERICAL) | (state.entropy > 0)  # binary weights freeze before the entropy is negative
        which, load = which[real], load[real]
        counts = np.bincount(which, minlength=margin.size)
        rank = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        found = np.full((margin.size, max(1, int(counts.max(initial=0)))), np.nan)
        found[which, rank] = load
        return found


def vanishing(margin: Array, temperature: Array) -> tuple[Array, Array]:
    """Where the entropy of binary weights vanishes: ln qhat and the load, both of shape (n,)."""
    binary = Gardner("binary")

    def entropy(log_snr: Array, which: Array) -> Array:
        return binary.along(log_snr, margin[which], temperature[which])[1].entropy

    log_snr = bracketed_roots(entropy, np.full(margin.shape, LOW_SNR), np.full(margin.shape, HIGH_SNR))
    return log_snr, binary.load(log_snr, margin, temperature)


def frozen(load: Array, margin: Array) -> tuple[State, Array]:
    """The state of binary weights at their freezing temperature, with an entropy of zero, and that temperature.

    It is looked up on the line of freezing of each margin, and refined by Newton's method in ln qhat and ln T. What
    freezes only below the coldest temperature stands there for zero.
    """
    binary, log_load = Gardner("binary"), np.log(load)
    lines, line = np.unique(margin, return_inverse=True)
    grid = np.linspace(math.log(COLDEST), math.log(HOTTEST), 25)
    found = vanishing(np.repeat(lines, grid.size), np.tile(np.exp(grid), lines.size))
    snrs, loads = (values.reshape(lines.size, grid.size) for values in found)
    x, t = np.empty_like(load), np.empty_like(load)
    for k in range(lines.size):
        t[line == k] = np.interp(log_load[line == k], np.log(loads[k]), grid)
        x[line == k] = np.interp(t[line == k], grid, snrs[k])

    def missing(x: Array, t: Array) -> tuple[Array, Array]:
        at, state = binary.along(x, margin, np.exp(t))
        return np.log(at) - log_load, state.entropy

    small = 1e-6
    for _ in range(12):
        f, s = missing(x, t)
        (fx, sx), (ft, st) = missing(x + small, t), missing(x, t + small)
        fx, sx, ft, st = (fx - f) / small, (sx - s) / small, (ft - f) / small, (st - s) / small
        step = np.where(load > loads[line, 0], np.stack([f * st - ft * s, fx * s - f * sx]) / (fx * st - ft * sx), 0.0)
        x, t = x - step[0], t - step[1]
        if np.abs(step).max(initial=0.0) < 1e-11:
            break
    temperature = np.exp(t)
    state = binary.state(x, margin, temperature, load)
    solved = np.where(temperature <= 1.001 * COLDEST, 0.0, np.maximum(state.residual, np.abs(state.entropy)))
    return state._replace(entropy=np.zeros_like(load), residual=solved), temperature


def spherical_capacity(margin: Array) -> Array:
    """Eq. (4)."""
    return np.asarray(1 / ((1 + np.square(margin)) * ndtr(margin) + margin * normal_density(margin)))


def binary_capacity(margin: Array) -> Array:
    """The load at which the entropy of binary weights vanishes at T = 0; margin of shape (n,)."""
    return vanishing(margin, np.zeros_like(margin))[1]


CAPACITY: dict[str, Callable[[Array], Array]] = {"spherical": spherical_capacity, "binary": binary_capacity}


@lru_cache(maxsize=64)
def margins_stored(weights: str, loads: bytes) -> Array:
    """The largest margin at which each load (float64 in `loads`) can be stored, shape (n,)."""
    load = np.frombuffer(loads)

    def excess(margin: Array, which: Array) -> Array:
        return np.asarray(np.log(CAPACITY[weights](margin) / load[which]))

    return bracketed_roots(excess, np.full(load.shape, -4.0), np.full(load.shape, 14.0))


def fewest_violations(load: Array, margin: Array) -> State:
    """The state of eq. (5), for spherical weights beyond capacity at T = 0."""

    def missing(s: Array, which: Array) -> Array:
        k, a = margin[which], margin[which] - s
        window = (1 + k * k) * (ndtr(k) - ndtr(a)) + k * normal_density(k) + (a - 2 * k) * normal_density(a)
        return np.asarray(window - 1 / load[which])

    a = margin - bracketed_roots(missing, np.zeros_like(load), np.full_like(load, 12.0) + margin)
    stability = margin * (ndtr(margin) - ndtr(a)) + normal_density(margin) - normal_density(a)
    never, none = np.full_like(load, -np.inf), np.zeros_like(load)
    return State(none + 1, never, ndtr(a), stability, never, none)
