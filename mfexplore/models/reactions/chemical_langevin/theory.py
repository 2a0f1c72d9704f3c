"""Chemical Langevin equation: cumulants of leaps in closed form, laws and passage times of Schloegl's diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammainc, gammaln, log_ndtr, logsumexp, ndtr, xlogy

from mfexplore.core import Array, Points
from mfexplore.families.birth_death import Schloegl, stationary, summarise
from mfexplore.families.fokker_planck import ORDER, gauss_points, hops, log_passage_times, panel_integrals, potential

if TYPE_CHECKING:
    from mfexplore.models.reactions.chemical_langevin import ChemicalLangevin

AUTOCATALYSIS = 3.0  # a_1; a_2 is 1
CELLS = 400
ROWS = 64  # points of a batch solved together
LENGTH = 8.0  # molecules along a panel; the potential is steeper only where there are hardly any


def leap_cumulants(population: Array, leap: Array, counted: bool) -> tuple[Array, Array, Array, Array]:
    """First four cumulants at rest of birth and death in leaps, eq. (5): firings are Poisson (`counted`) or Gaussian.

    For leaps that go to 0 the first gives the Poisson law and the second the shifted Gamma law.
    """
    keep = 1 - leap
    second = population / (1 - leap / 2)
    third = 3 * keep * leap * second / (1 - keep**3)
    fresh = 3 * leap**2 * second + 6 * keep**2 * leap * third
    if counted:
        fresh = fresh + 2 * population * leap - 4 * leap * keep * second
    return population, second, third, fresh / (1 - keep**4)


def gamma_law(population: float, x: Array) -> Array:
    """Density of that law."""
    y = np.maximum(x + population, 0.0)
    log_p = xlogy(4 * population - 1, y) - 2 * y + 4 * population * np.log(2) - gammaln(4 * population)
    return np.where(x > -population, np.exp(log_p), 0.0)


def concentrations(feed: Array, decay: Array) -> Array:
    """States at rest of Schloegl's rate equation, ascending, shape (n, 3); NaN in the middle where there is one."""
    return Schloegl(AUTOCATALYSIS, 1.0, feed, decay, 1.0).at_rest()


def propensities(x: Array, volume: Any, feed: Any, decay: Any, counts: bool) -> tuple[Array, Array, Array, Array]:
    """a_1 ... a_4 at x molecules: pairs and triples as powers of x, or as they are counted (never below 0)."""
    pairs = np.where(x > 1, x * (x - 1), 0.0) if counts else x * x
    triples = np.where(x > 2, x * (x - 1) * (x - 2), 0.0) if counts else x * x * x
    return AUTOCATALYSIS * pairs / volume, triples / volume**2, feed * volume + 0 * x, decay * x


def diffusion(
    volume: Array, feed: Array, decay: Array, low: Array, high: Array, counts: bool
) -> tuple[Array, Array, Array, Array, Array]:
    """(mean, variance, third cumulant, time from low to high, and back) of the Langevin equation with a mirror at 0.

    All of shape (n,); low, high: numbers of molecules. Panels from 0 to low, to high, and beyond, as many for each.
    """
    top = np.maximum(3.2 * volume + 8 * np.sqrt(volume) + 10, high + 5)
    ends = np.stack([0 * low, low, high, top])
    lengths = np.diff(ends, axis=0)
    longest = LENGTH / 4 if counts else LENGTH  # counted pairs have a kink at 1, triples at 2
    pieces = [max(2, int(np.ceil(length.max() / longest))) for length in lengths]
    s, half = gauss_points(np.concatenate([[0.0], *(k + np.arange(1, m + 1) / m for k, m in enumerate(pieces))]))
    section = np.repeat(np.arange(3), pieces)[:, None]
    column = (slice(None), None, None)
    stretch = np.moveaxis(lengths, 0, -1)[:, section] * np.ones(ORDER)  # dx/ds at the points, shape (n, m, ORDER)
    x = np.moveaxis(ends[:3], 0, -1)[:, section] + stretch * (s - section)
    up_2, down_3, up_0, down_1 = propensities(x, volume[column], feed[column], decay[column], counts)
    rises, falls = up_2 + up_0, down_3 + down_1
    phi = potential(2 * (rises - falls) / (rises + falls) * stretch, half)
    log_length = np.log(stretch)
    log_mass = phi - np.log((rises + falls) / 2) + log_length
    weight = np.exp(log_mass - log_mass.max(axis=(1, 2), keepdims=True))
    total = panel_integrals(weight, half).sum(axis=-1)
    mean = panel_integrals(weight * x, half).sum(axis=-1) / total
    second, third = (panel_integrals(weight * (x - mean[column]) ** k, half).sum(axis=-1) / total for k in (2, 3))
    first, last = pieces[0], pieces[0] + pieces[1]
    climbs = log_passage_times(phi[:, :last], log_length[:, :last], log_mass[:, :last], half[:last])
    back = slice(None), slice(None, first - 1 if first else None, -1), slice(None, None, -1)  # from the top to low
    falls_back = log_passage_times(phi[back], log_length[back], log_mass[back], half[back[1]])
    times = [np.exp(logsumexp(one, axis=-1)) for one in (climbs[:, first:], falls_back[:, pieces[2] :])]
    return mean, second, third, *times


def oscillator_passage(low: Array, threshold: Array, spread: Array, rate: Array) -> Array:
    """Mean time in which an Ornstein-Uhlenbeck process of a variance and rate climbs from its mean to a threshold."""
    s, half = gauss_points(np.linspace(0.0, 1.0, 65))
    height = ((threshold - low) / np.sqrt(spread))[:, None, None]
    exponent = (height * s) ** 2 / 2 + log_ndtr(height * s)
    highest = exponent.max(axis=(1, 2), keepdims=True)
    integral = panel_integrals(np.exp(exponent - highest), half).sum(axis=-1)
    found: Array = np.sqrt(2 * np.pi) * (height * np.exp(highest))[:, 0, 0] * integral / rate
    return found


def chain(volume: float, feed: float, decay: float, counts: bool) -> tuple[Array, Array, Array]:
    """Middles of cells in x, and the rates of hopping between them, of the Langevin equation with a mirror at 0."""
    top = 3.2 * volume + 8 * np.sqrt(volume) + 10
    edges = np.linspace(0, top, CELLS + 1)
    width, middle = top / CELLS, (edges[1:] + edges[:-1]) / 2
    s, half = gauss_points(middle)
    up_2, down_3, up_0, down_1 = propensities(s, volume, feed, decay, counts)
    slope = 2 * (up_2 + up_0 - down_3 - down_1) / (up_2 + up_0 + down_3 + down_1)
    step = panel_integrals(slope, half)
    noise = np.sum(propensities(middle, volume, feed, decay, counts), axis=0) / 2
    up, down = hops(step, noise, width, width)
    return middle, up, down


GAUSSIAN, LANGEVIN, COUNTED, LINEAR, MASTER = range(5)  # as in `methods`


def linear(feed: Array, decay: Array, roots: Array) -> tuple[Array, Array]:
    """|f'| and b + d at the states at rest, shape (n, 3), per volume."""
    slope = np.abs(2 * AUTOCATALYSIS * roots - 3 * roots**2 - decay[:, None])
    return slope, AUTOCATALYSIS * roots**2 + feed[:, None] + roots**3 + decay[:, None] * roots


def barriers(feed: Array, decay: Array, roots: Array, side: int) -> Array:
    """Barriers per volume from a state (0: low, 2: high) to the threshold, eq. (6), shape (n, 3): master equation,
    Langevin equation, linear noise.
    """
    x_0, x_1 = roots[:, side], roots[:, 1]
    s, half = gauss_points(np.linspace(0, 1, 9))
    x = x_0[:, None, None] + (x_1 - x_0)[:, None, None] * s
    b, d = AUTOCATALYSIS * x**2 + feed[:, None, None], x**3 + decay[:, None, None] * x
    slope, noise = linear(feed, decay, roots)
    parabola = slope[:, side] * (x_1 - x_0) ** 2 / noise[:, side]
    forces = (np.log(d / b), 2 * (d - b) / (d + b))
    found = [(x_1 - x_0) * panel_integrals(force, half).sum(axis=-1) for force in forces]
    return np.stack([*found, parabola], axis=-1)


def birth_and_death(model: ChemicalLangevin, points: Points, values: dict[str, Array]) -> None:
    """Cumulants of all methods, written into columns of shape (n, 5)."""
    k, leap = points["population"], points["leap"]
    cumulants = np.empty((4, len(k), 5))
    cumulants[:, :, MASTER] = k
    cumulants[:, :, COUNTED] = leap_cumulants(k, leap, counted=True)
    cumulants[:, :, GAUSSIAN] = leap_cumulants(k, leap, counted=False)
    cumulants[:, :, LANGEVIN] = k, k, k, 1.5 * k
    cumulants[:, :, LINEAR] = k, k, 0 * k, 0 * k
    mean, variance, third, fourth = cumulants
    skewness, kurtosis = third / variance**1.5, fourth / variance**2
    below = np.zeros((len(k), 5))
    shape, scale = 4 / skewness[:, GAUSSIAN] ** 2, np.sqrt(variance[:, GAUSSIAN]) * skewness[:, GAUSSIAN] / 2
    below[:, GAUSSIAN] = gammainc(shape, shape - mean[:, GAUSSIAN] / scale)  # of the Gamma law with these moments
    below[:, LANGEVIN], below[:, LINEAR] = gammainc(4 * k, 2 * k), ndtr(-np.sqrt(k))
    truth = np.stack([np.ones_like(k), k**-0.5, 1 / k])[..., None]
    error = np.abs(np.stack([variance / k[:, None], skewness, kurtosis]) - truth).max(axis=0)
    values.update(
        mean=mean, variance=variance, skewness=skewness, excess_kurtosis=kurtosis, below_zero=below,
        law_error=np.where(np.arange(5) == MASTER, 0.0, error),
    )  # fmt: skip


def schloegl(model: ChemicalLangevin, points: Points) -> dict[str, Array]:
    """Columns of shape (n, 5) by the name of the observable."""
    volume, feed, decay = points["volume"], points["feed"], points["decay"]
    n, inside = volume.size, [MASTER, LANGEVIN, LINEAR]
    found = {o.name: np.full((n, 5), np.nan) for o in model.observables if o.over is None and model.applies(o)}
    roots = concentrations(feed, decay)
    two, low = np.isfinite(roots[:, 1]), volume * roots[:, 0]
    high = np.where(two, volume * roots[:, 2], low + 1)
    birth, death = Schloegl(AUTOCATALYSIS, 1.0, feed, decay, volume).coefficients()
    exact = np.empty((n, 6))
    first, last, most = (np.rint(one).astype(np.int64) for one in (low, high, 5 * volume + 60))
    summarise(birth, death, most, first, last, exact)
    mean, second, third, there, back = diffusion(volume, feed, decay, low, high, model.rates == "counts")
    slope, noise = linear(feed, decay, roots)
    spread = volume * noise[:, 0] / (2 * slope[:, 0])
    threshold = np.where(two, volume * roots[:, 1], low + 1)
    escape = 2 * oscillator_passage(low, threshold, spread, slope[:, 0])
    for name, columns in {
        "mean": (exact[:, 0], mean, low),
        "variance": (exact[:, 1], second, spread),
        "skewness": (exact[:, 2] / exact[:, 1] ** 1.5, third / second**1.5, 0 * low),
        "below_zero": (0 * low, 0 * low, ndtr(-low / np.sqrt(spread))),
        "switching_time": [np.where(two, one, np.inf) for one in (exact[:, 4], there, escape)],
        "return_time": [np.where(two, one, np.inf) for one in (exact[:, 5], back, 0 * back + np.inf)],
        "time_ratio": [np.where(two, one / exact[:, 4], 1.0) for one in (exact[:, 4], there, escape)],
    }.items():
        found[name][:, inside] = np.stack(list(columns), axis=-1)
    for name, side in (("barrier", 0), ("barrier_back", 2)):
        found[name][:, inside] = np.where(two[:, None], barriers(feed, decay, roots, side), 0.0)
    for value in found.values():
        value[:, GAUSSIAN] = value[:, LANGEVIN]
    return found


def balance(model: ChemicalLangevin, method: str, state: Mapping[str, Any]) -> dict[str, float]:
    """The mean drift of the master equation, and the barriers by the trapezoidal rule."""
    roots = concentrations(np.array([model.feed]), np.array([model.decay]))[0]
    found = {}
    m, v = state["mean"], state["variance"]
    if method == "master_equation":
        raw = np.array([1.0, m, v + m * m, state["skewness"] * v**1.5 + 3 * m * v + m**3])
        birth, death = model.coefficients()
        found["drift"] = float((birth - death) @ raw / (birth @ raw))
    elif method == "linear_noise":
        x = m / model.volume
        slope = abs(2 * AUTOCATALYSIS * x - 3 * x * x - model.decay)
        up, down = AUTOCATALYSIS * x * x + model.feed, x**3 + model.decay * x
        found |= {"rest": up - down, "noise": 2 * slope * v / model.volume - up - down}
    if np.isfinite(roots[1]) and method != "linear_noise":
        x = np.linspace(roots[0], roots[1], 4001)
        up, down = AUTOCATALYSIS * x * x + model.feed, x**3 + model.decay * x
        force = np.log(down / up) if method == "master_equation" else 2 * (down - up) / (down + up)
        found["(6)"] = 0.1 * (state["barrier"] - float(np.trapezoid(force, x)))
    return found


def law_of(model: ChemicalLangevin, method: int, x: Array) -> Array:
    """Density or probability at x; NaN where no closed or computed law is at hand."""
    if model.network == "birth_death":
        k = model.population
        if method == MASTER:
            whole = np.where(x >= 0, x, 0.0)
            return np.where(x >= 0, np.exp(xlogy(whole, k) - k - gammaln(whole + 1)), 0.0)
        if method == LANGEVIN:
            return gamma_law(k, x)
        mean, variance = k, k
    else:
        x = np.where(x < 0, np.inf, x)  # where there is nothing
        if method == MASTER:
            law = stationary(*model.schloegl().rates(round(5 * model.volume) + 60))
            return np.interp(x, np.arange(len(law)), law, right=0.0)
        if method == LANGEVIN:
            middle, up, down = model.chain()
            return np.interp(x, middle, stationary(up, down) / (middle[1] - middle[0]), right=0.0)
        roots = concentrations(np.array([model.feed]), np.array([model.decay]))
        slope, noise = linear(np.array([model.feed]), np.array([model.decay]), roots)
        mean, variance = model.volume * roots[0, 0], model.volume * noise[0, 0] / (2 * slope[0, 0])
    if method != LINEAR:
        return np.full(len(x), np.nan)
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
