"""Work and noise of round trips, strategies drawn from a Gibbs measure, and where two blocks pay.

Arguments that are arrays broadcast; times are in the unit of the duration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr

from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bisected
from mfexplore.numerics.functions.gaussian import normal_rule
from mfexplore.numerics.functions.quadrature import gauss_legendre

if TYPE_CHECKING:
    from mfexplore.models.decisions.price_impact import PriceImpact

NODES, WEIGHTS = normal_rule(0.2)  # of averages over the liquidity
ODDS = np.linspace(-7, 7, 57)
SPLITS = 1 / (1 + np.exp(-ODDS))  # among which the cheapest two blocks are looked for
GOLDEN = (np.sqrt(5) - 1) / 2
WAVES = np.exp(np.pi / 2 * np.sinh(np.arange(-3.4, 2.6, 0.1)))  # wave numbers, by the double exponential rule
STEPS = 0.1 * np.pi / 2 * np.cosh(np.arange(-3.4, 2.6, 0.1))  # d ln k


class Market(NamedTuple):
    """Impact eta |v|^delta, decaying as t^-gamma (instantaneous: None); volume and duration of the trip."""

    impact: Array
    exponent: Array
    memory: Array | None
    volume: Array
    duration: Array


def work_until(market: Market, split: Array, age: Array) -> Array:
    """Work of two blocks up to a time, eqs. (1) and (4); age: part of the trip that is over."""
    eta, delta, gamma, x, t = market
    first, then = np.minimum(age, split) * t, np.maximum(age - split, 0) * t
    buy, sell = x / (split * t), x / ((1 - split) * t)
    if gamma is None:
        return np.asarray(eta * (buy ** (1 + delta) * first + sell ** (1 + delta) * then))
    power = 2 - gamma
    joint = (first + then) ** power - first**power - then**power
    own = buy ** (1 + delta) * first**power + sell ** (1 + delta) * then**power
    return np.asarray(eta * (own - sell * buy**delta * joint) / ((1 - gamma) * power))


def noise_until(volatility: Array, volume: Array, duration: Array, split: Array, age: Array) -> Array:
    """Variance of the gain up to a time: the volatility squared times the integral of the squared position."""
    bought, left = np.minimum(age / split, 1), 1 - np.maximum(age - split, 0) / (1 - split)
    return np.asarray((volatility * volume) ** 2 * duration / 3 * (split * bought**3 + (1 - split) * (1 - left**3)))


def relative_cost(split: Array, exponent: Array, memory: Array) -> Array:
    """Work of two blocks over that of the first alone, for impact that decays; eq. (5)."""
    power, ratio = 2 - memory, split / (1 - split)
    rest = (1 - split) ** power
    return np.asarray((ratio ** (1 + exponent) * rest - ratio * (1 - split**power - rest)) / split**power + 1)


def lowest_cost(exponent: Array, memory: Array) -> Array:
    """Infimum of `relative_cost` over all splits, shape (n,). Where delta + gamma < 1 it is the limit of an ever
    shorter second block, gamma - 1; else a minimum, by golden sections.
    """
    d, g = exponent[:, None], memory[:, None]
    least = np.argmin(relative_cost(SPLITS, d, g), axis=1)
    low, high = ODDS[np.maximum(least - 1, 0)], ODDS[np.minimum(least + 1, ODDS.size - 1)]

    def cost(place: Array) -> Array:
        return relative_cost(1 / (1 + np.exp(-place)), exponent, memory)

    for _ in range(25):  # the cost is off by the square of the width
        width = GOLDEN * (high - low)
        left_is_less = cost(high - width) < cost(low + width)
        low, high = np.where(left_is_less, low, high - width), np.where(left_is_less, low + width, high)
    return np.where(exponent + memory < 1, memory - 1, cost((low + high) / 2))


def root_in_memory(cost: Callable[[Array], Array], count: int, low: float, high: float) -> Array:
    """Where a function of the memory changes its sign, shape (count,); NaN where it has the same at both ends."""
    a, b = np.full(count, low), np.full(count, high)
    at_low = cost(a)
    changes = at_low * cost(b) < 0
    return np.where(changes, bisected(lambda place: cost(place) * at_low > 0, a, b, 40), np.nan)


def profit_probability(work: Array, noise: Array, liquidity: Array) -> Array:
    """Probability of a gain where the impact of every trip has a lognormal factor of mean one; shape (n,)."""
    if not liquidity.any():
        return np.asarray(ndtr(-work / np.sqrt(noise)))
    factor = np.exp(liquidity[:, None] * NODES - liquidity[:, None] ** 2 / 2)
    return np.asarray(ndtr(-work[:, None] * factor / np.sqrt(noise[:, None])) @ WEIGHTS)


def density_over_liquidity(work: float, noise: float, liquidity: float, gain: Array) -> Array:
    """Density of the gain for the same trips, shape of `gain`."""
    factor = np.exp(liquidity * NODES - liquidity**2 / 2)
    bells = np.exp(-((gain[:, None] + work * factor) ** 2) / (2 * noise)) / np.sqrt(2 * np.pi * noise)
    return np.asarray(bells @ WEIGHTS)


class Modes(NamedTuple):
    """Normal modes of strategies, the sine waves: price a of eq. (6), its part that is work, and noise; (..., n)."""

    price: Array
    work: Array
    noise: Array


def modes(impact: Array, aversion: Array, volatility: Array, duration: Array, points: int) -> Modes:
    """Of strategies with so many points between start and end, linear between them. Arrays of shape (m,)."""
    angle = np.pi * np.arange(1, points + 1) / (points + 1)
    step = (duration / (points + 1))[:, None]
    work = impact[:, None] / step * 4 * np.sin(angle / 2) ** 2
    variance = volatility[:, None] ** 2 * step
    return Modes(work + aversion[:, None] * variance, work, variance * (2 + np.cos(angle)) / 3)


def characteristic(found: Modes, temperature: Array, wave: Array) -> Array:
    """Mean of exp(ik gain) over strategies and noise: a product over modes. wave: (m, k); returns (m, k)."""
    total = np.zeros(wave.shape, complex)
    for price, work, noise in zip(*(np.moveaxis(one, -1, 0)[..., None] for one in found), strict=True):
        total += np.log1p(temperature[:, None] / price * (1j * wave * work + wave**2 * noise / 2))
    return np.asarray(np.exp(-total / 2))


def profit_among_strategies(found: Modes, temperature: Array) -> Array:
    """Probability of a gain over strategies and noise (Gil-Pelaez), shape (m,)."""
    square = temperature[:, None] / (2 * found.price)
    scale = 1 / np.sqrt(np.sum(found.noise * square + 2 * (found.work * square) ** 2, axis=1))
    wave = scale[:, None] * WAVES
    return np.asarray(0.5 + characteristic(found, temperature, wave).imag @ STEPS / np.pi)


def density_among_strategies(found: Modes, temperature: float, gain: Array) -> Array:
    """Density of the gain over strategies and noise, shape of `gain`, by a Fourier sum."""
    square = temperature / (2 * found.price)
    deviation = np.sqrt(np.sum(found.noise * square + 2 * (found.work * square) ** 2))
    wave = np.arange(0.5, 1000) * 0.06 / deviation
    transform = characteristic(found, np.array([temperature]), wave[None])[0]
    return np.asarray(np.real(np.exp(-1j * gain[:, None] * wave) @ transform) * (wave[1] - wave[0]) / np.pi)


EXACT, ONE_TEMPERATURE = range(2)


def blocks(model: PriceImpact, points: Points) -> dict[str, Array]:
    """Observables of trips in two blocks, each of shape (n,)."""
    split, liquidity = points["split"], points["liquidity_noise"]
    work, noise = model.work_and_noise(np.ones_like(split), points)
    values = {
        "gain": -work,
        "variance": noise + work**2 * np.expm1(liquidity**2),
        "profit_probability": profit_probability(work, noise, liquidity),
    }
    if model.market == "transient":
        exponent, memory = points["exponent"], points["memory"]
        values["relative_cost"] = relative_cost(split, exponent, memory)
        values["lowest_cost"] = lowest_cost(exponent, memory)
    return values


def strategies(model: PriceImpact, points: Points) -> dict[str, Array]:
    """Observables of strategies drawn from eq. (6), each of shape (n,)."""
    values: dict[str, Array] = {}
    for n in np.unique(points["points"]):
        chosen = points["points"] == n
        found = model.modes({name: column[chosen] for name, column in points.items()})
        tau = points["temperature"][chosen]
        square = tau[:, None] / (2 * found.price)  # mean square of the amplitude of each mode
        energy = n * tau / 2
        free = -energy * np.log(np.pi * tau) + tau / 2 * np.log(found.price).sum(axis=1)
        part = {
            "gain": -np.sum(found.work * square, axis=1),
            "variance": np.sum(found.noise * square + 2 * (found.work * square) ** 2, axis=1),
            "profit_probability": profit_among_strategies(found, tau),
            "energy": energy, "free_energy": free, "entropy": (energy - free) / tau,
        }  # fmt: skip
        for name, column in part.items():
            values.setdefault(name, np.empty(chosen.size))[chosen] = column
    return values


def work(model: PriceImpact) -> float:
    """Eqs. (1) and (4) by quadrature of the rate times what the price has given way."""
    u, weight = gauss_legendre(200)
    lengths = np.array([model.split, 1 - model.split]) * model.duration
    rates = model.volume / lengths
    pushed = model.impact * rates**model.exponent
    total = 0.0
    for block in range(2):
        late = lengths[block] * u**4  # dense where the impact of a block sets in
        if model.market == "instantaneous":
            given = pushed[block] + 0 * late
        else:
            keep = 1 - model.memory
            given = pushed[block] * late**keep / keep
            if block == 1:
                given = given - pushed[0] * ((lengths[0] + late) ** keep - late**keep) / keep
        total += float(weight @ (rates[block] * given * 4 * u**3)) * lengths[block]
    return total
