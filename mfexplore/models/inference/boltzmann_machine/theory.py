"""Replica symmetry of two layers of Ising units: a state is the mean and the variance of the fields of the visible
ones, from which the hidden layer follows, and from that the fields again. Equations are numbered as on the page.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.memories import GLASS, PARAMAGNET, RETRIEVAL
from mfexplore.numerics.functions.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.continuation import Bracket, false_position, narrowed

if TYPE_CHECKING:
    from mfexplore.models.inference.boltzmann_machine import BoltzmannMachine

# The columns of the table that `solve_points` fills
QUANTITIES = (
    "overlap_visible", "overlap_hidden", "freezing_visible", "freezing_hidden", "free_energy", "energy", "entropy",
    "replicon",
)  # fmt: skip
RESIDUAL, ITERATIONS, COLUMNS = 8, 9, 10
FREEZING, REPLICON = slice(2, 4), 7
CLOSE = 1e-8  # relative size of the last Newton step
FAR = 80  # more iterations than any loop below needs
COLDEST = 0.02  # of the temperature of the glass: below, no AT line is looked for


class Machine(NamedTuple):
    """The controls of a point: T, w, g and the parts n_v, n_h of all units."""

    temperature: float
    mode: float
    noise: float
    visible: float
    hidden: float


class Turn(NamedTuple):
    """Once from the fields of the visible units to the hidden ones and back: their new mean and variance, and the
    slopes of these along the old mean and variance.
    """

    mean: float
    variance: float
    mean_by_mean: float
    mean_by_variance: float
    variance_by_mean: float
    variance_by_variance: float


@kernel
def across(mean, variance, own, at):
    """From the fields of one layer, which is a part `own` of all units, to those that it makes in the other."""
    deviation = math.sqrt(variance)
    m, q, chi, by_mean, by_deviation = response(mean, deviation, at.temperature)
    bend = -0.5 * at.temperature * by_deviation / deviation if deviation > 0.0 else 0.0
    pull, spread = at.mode * own, at.noise * at.noise * own
    return Turn(
        pull * m, spread * q, pull * chi, 0.5 * pull * by_mean, -spread * at.temperature * by_mean, spread * bend
    )


@kernel
def around(mean, variance, at):
    """The `Turn` of the visible fields through the hidden layer."""
    a = across(mean, variance, at.visible, at)
    b = across(a.mean, a.variance, at.hidden, at)
    return Turn(
        b.mean,
        b.variance,
        b.mean_by_mean * a.mean_by_mean + b.mean_by_variance * a.variance_by_mean,
        b.mean_by_mean * a.mean_by_variance + b.mean_by_variance * a.variance_by_variance,
        b.variance_by_mean * a.mean_by_mean + b.variance_by_variance * a.variance_by_mean,
        b.variance_by_mean * a.mean_by_variance + b.variance_by_variance * a.variance_by_variance,
    )


@kernel
def settled(mean, start, at):
    """The variance that belongs to a mean field of the visible units: (variance, iterations). Newton's method on one
    minus new over old, so that a variance of zero, which solves it too without a mean, is not found.
    """
    top = at.noise * at.noise * at.hidden
    glass = at.noise * math.sqrt(math.sqrt(at.visible * at.hidden))  # T_SG, eq. (5)
    if top == 0.0 or (mean == 0.0 and at.temperature >= glass):
        return 0.0, 0
    x = start if 0.0 < start < top else top
    for iteration in range(FAR):
        turn = around(mean, x, at)
        new = x + (turn.variance - x) / (turn.variance / x - turn.variance_by_variance)
        if not new > 0.0:
            new = 0.1 * x
        elif new > top:
            new = 0.5 * (x + top)
        step = new - x
        x = new
        if abs(step) <= CLOSE * x:
            break
    return x, iteration + 1


@kernel
def newton(mean, variance, at):
    """A magnetized state from a guess: (mean, variance, iterations, success). As in `settled`, the state without
    magnetization is divided out.
    """
    for iteration in range(30):
        turn = around(mean, variance, at)
        f = 1.0 - turn.mean / mean
        a11, a12 = (turn.mean / mean - turn.mean_by_mean) / mean, -turn.mean_by_variance / mean
        if variance > 0.0:
            g = 1.0 - turn.variance / variance
            a21 = -turn.variance_by_mean / variance
            a22 = (turn.variance / variance - turn.variance_by_variance) / variance
            determinant = a11 * a22 - a12 * a21
            dm, dv = (a12 * g - a22 * f) / determinant, (a21 * f - a11 * g) / determinant
        else:
            dm, dv = -f / a11, 0.0
        if not (abs(dm) < 0.9 * mean and abs(dv) <= 0.9 * variance):
            return mean, variance, iteration + 1, False
        mean += dm
        variance += dv
        if abs(dm) <= CLOSE * mean and abs(dv) <= CLOSE * variance:
            return mean, variance, iteration + 1, True
    return mean, variance, 30, False


@kernel
def magnetized(mean, variance, at):
    """The same from the state of a neighbour, if its mean is positive and if that leads there; else from afar, by false
    position between a tiny mean and the largest possible one.
    """
    if mean > 0.0 and (variance > 0.0) == (at.noise > 0.0):
        near, around_it, count, found = newton(mean, variance, at)
        if found:
            return near, around_it, count, True
    low, high = 1e-7 * at.mode * at.hidden, at.mode * at.hidden
    v, _ = settled(high, 0.0, at)
    f_high = 1.0 - around(high, v, at).mean / high
    x = high
    if f_high > 0.0:
        bracket = Bracket(low, high, -1.0, f_high, 0)
        for k in range(FAR):
            x = false_position(bracket) if k % 3 != 2 else 0.5 * (bracket.low + bracket.high)
            v, _ = settled(x, v, at)
            f = 1.0 - around(x, v, at).mean / x
            bracket = narrowed(bracket, x, f)
            if bracket.high - bracket.low <= 1e-4 * x:
                break
    return newton(x, v, at)


@kernel
def free_energy(mean, variance, at):
    """Eq. (3) with (2) for all but m_h, which stands in the mean field of the visible units; then the averages of both
    layers, and the entropy.
    """
    pull, spread, t = at.mode * at.visible, at.noise * at.noise * at.visible, at.temperature
    v = response_and_entropy(mean, math.sqrt(variance), t)
    h = response_and_entropy(pull * v.m, math.sqrt(spread * v.q), t)
    reaction = 0.5 * spread * at.hidden * v.chi * h.chi
    entropy = at.visible * v.entropy + at.hidden * h.entropy - reaction
    f = -at.visible * variance * v.chi - at.hidden * (pull * v.m * h.m + spread * v.q * h.chi)
    return f - t * (entropy + 2.0 * reaction), v, h, entropy


@kernel
def write(row, mean, variance, iterations, at):
    """Enter one state into its row of the table."""
    f, v, h, entropy = free_energy(mean, variance, at)
    t, spread = at.temperature, at.noise * at.noise
    row[0] = v.m if mean > 0.0 else 0.0
    row[1] = h.m if mean > 0.0 else 0.0
    row[2] = v.q
    row[3] = h.q
    row[4] = f
    row[5] = f + t * entropy
    row[6] = entropy
    row[7] = 1.0 - spread * math.sqrt(at.visible * at.hidden * v.quartic * h.quartic) / t
    row[RESIDUAL] = abs(mean - at.mode * at.hidden * h.m) + abs(variance - spread * at.hidden * h.q)
    row[ITERATIONS] = iterations


@kernel
def solve_points(temperatures, modes, noises, loads, table):
    """All states at n points, into a table of shape (n, 3, 10) full of NaN; a point starts from the one before."""
    glass = mean = variance = -1.0
    for i in range(temperatures.size):
        visible = 1.0 / (1.0 + loads[i])
        at = Machine(temperatures[i], modes[i], noises[i], visible, loads[i] * visible)
        write(table[i, PARAMAGNET], 0.0, 0.0, np.int64(0), at)  # a plain 0 would compile `write` a second time
        glass, count = settled(0.0, glass, at)
        if glass > 0.0:
            write(table[i, GLASS], 0.0, glass, count, at)
        if around(0.0, glass, at).mean_by_mean > 1.0:  # without magnetization the mode grows
            mean, variance, count, _ = magnetized(mean, variance, at)
            write(table[i, RETRIEVAL], mean, variance, count, at)
        else:
            mean = -1.0


def states(temperature: Array, mode: Array, noise: Array, load: Array) -> Array:
    """All states at points of shape (n,): `QUANTITIES`, residual and iterations, of shape (10, n, 3)."""
    table = np.full((temperature.size, 3, COLUMNS), np.nan)
    solve_points(temperature, mode, noise, load, table)
    return np.moveaxis(table, -1, 0)


def critical_modes(temperature: Array, noise: Array, load: Array) -> Array:
    """The w of eq. (4), at which the state without magnetization gives way; shape (n,)."""
    found = states(temperature, 0 * load, noise, load)
    frozen = found[FREEZING]
    free = 1 - np.where(np.isnan(frozen[..., GLASS]), frozen[..., PARAMAGNET], frozen[..., GLASS])
    return np.asarray(temperature * (1 + load) / np.sqrt(load * free[0] * free[1]))


def at_temperatures(mode: Array, noise: Array, load: Array) -> Array:
    """The temperature below which replica symmetry breaks, shape (n,): that of the glass where the mode is too weak;
    NaN where it is too cold to tell.
    """
    root = np.sqrt(load) / (1 + load)
    top = noise * np.sqrt(root)
    found = np.where(top > 0, top, np.nan)
    (place,) = np.nonzero((mode * root > top) & (top > 0))

    def margin(temperature: Array, k: Array) -> Array:
        at = place[k]
        replicon = states(temperature, mode[at], noise[at], load[at])[REPLICON]
        magnetized = replicon[:, RETRIEVAL]
        return np.asarray(temperature * np.where(np.isnan(magnetized), replicon[:, GLASS], magnetized))

    every = np.arange(place.size)
    low, high = COLDEST * top[place], top[place] * (1 - 1e-12)
    known = (margin(low, every) < 0) & (margin(high, every) > 0)
    found[place] = np.nan
    inside = every[known]
    found[place[known]] = bracketed_roots(lambda t, k: margin(t, inside[k]), low[known], high[known])
    return found


@kernel
def curve(means, at, overlaps, free_energies):
    """The landscape: for given mean fields of the visible units, their overlap and the free energy with everything else
    settled.
    """
    variance = -1.0
    for i in range(means.size):
        variance, _ = settled(means[i], variance, at)
        free_energies[i], v, _, _ = free_energy(means[i], variance, at)
        overlaps[i] = v.m


def valley(model: BoltzmannMachine) -> tuple[Array, Array]:
    """Overlaps of the visible units with the pattern, ascending, and the free energy of each, by `curve`."""
    n_v = model.visible_fraction
    at = Machine(model.temperature, model.mode_strength, model.noise, n_v, 1 - n_v)
    reach = model.mode_strength * (1 - n_v) + 3 * model.noise + 5 * model.temperature
    means = np.linspace(0, 1, 120)[1:] ** 2 * reach
    m, free_energy = np.empty((2, means.size))
    curve(means, at, m, free_energy)
    return np.concatenate([-m[::-1], m]), np.concatenate([free_energy[::-1], free_energy])


def hidden_fields(model: BoltzmannMachine, m: float, q: float, faint: float) -> core.Law:
    """The law of their fields, from magnetization and freezing of the visible units. That of a binary one is shifted
    along its own value, which has acted back on the visible spins. faint: g, or the least that is told from none.
    """
    t, g, n_v = model.temperature, model.noise, model.visible_fraction
    if model.hidden == "gaussian":
        k = 1 - faint**2 * (1 - q) / t
        width = faint * math.sqrt(n_v * ((1 - q) / k + q / k**2))
        x = np.linspace(-6 * width, 6 * width, 401)
        density = np.exp(-0.5 * (x / width) ** 2) / (width * math.sqrt(2 * math.pi))
        return core.Law("hidden_field", x, density, "fields of the hidden units of all other memories")
    mean, frozen, free = model.mode_strength * n_v * m, g**2 * n_v * q, g**2 * n_v * (1 - q)
    if g == 0:
        x = np.linspace(mean - 1, mean + 1, 3)
        return core.Law("hidden_field", x, 0 * x, "the same field for all", atoms=((mean, 1.0),))
    z = np.linspace(-6, 6, 601)
    weight = np.exp(-0.5 * z**2)
    y = mean + math.sqrt(frozen) * z
    reach = 5 * math.sqrt(frozen + free) + free / t
    x = np.linspace(mean - reach, mean + reach, 401)
    density = np.zeros_like(x)
    for side in (-1, 1):
        chance = weight / weight.sum() / (1 + np.exp(-2 * side * y / t))
        away = x[:, None] - y - side * free / t
        density += np.exp(-0.5 * away**2 / free) @ chance / math.sqrt(2 * math.pi * free)
    return core.Law("hidden_field", x, density, "fields of the hidden units, with what they do to themselves")
