r"""The bounds of the page, each with its best parameters: independent sites, chains, a Gaussian field; and what they
are held against: strips, whose transfer matrix is exact.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ive

from mfexplore.core import Array
from mfexplore.numerics.functions.elementary import exp
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.solving.continuation import Bracket, false_position, narrowed

SITES, CHAINS, GAUSSIAN = range(3)
SYMMETRIC, BROKEN, BARRIER = range(3)
NODES = 40  # values of the field at a site; the trapezoid rule has 14 digits then
SMALLEST = 1e-4  # field from which on a state counts as broken
LIGHTEST = 1e-20  # square of a mass

LOG_TIMES = np.arange(-36.0, 62.0, 0.3)
LOG_2PI = math.log(2 * math.pi)


class Walks(NamedTuple):
    """1/(k^2 + m^2) averaged over all waves, as the time integral of e^(-m^2 t) over returning random walks."""

    times: Any
    returns: Any  # weight of each time, with the step of the integral
    free: Any  # the same for the logarithm, without a mass


@cache
def walks(dimension: int) -> Walks:
    """For the hypercubic lattice: a walk of rate one in every direction is back after t with e^(-2t) I_0(2t) each."""
    times = np.exp(LOG_TIMES)
    step = LOG_TIMES[1] - LOG_TIMES[0]
    back = np.where(times < 1e8, ive(0, 2 * np.minimum(times, 1e8)), 1 / np.sqrt(4 * np.pi * times))
    return Walks(times, step * times * back**dimension, step * np.exp(-times))


@kernel
def propagator(mass, walks):
    """(G, -dG/dm^2, mean of ln(k^2 + m^2)) at the square of a mass."""
    g = slope = logarithm = 0.0
    for i in range(walks.times.size):
        t = walks.times[i]
        still = walks.returns[i] * exp(-mass * t)
        g += still
        slope += still * t
        logarithm += walks.free[i] - still / t
    return g, slope, logarithm


@kernel
def excess(mass, power, mu, quartic, walks):
    """What vanishes where eq. (6) holds, for the symmetric state (power 1) and for those with a field (power -1/2)."""
    return power * mass - 12.0 * quartic * propagator(mass, walks)[0] - mu


@kernel
def mass_between(low, high, power, mu, quartic, walks):
    """Square of the mass between two logarithms at which the excess has opposite signs; NaN if it has not."""
    bracket = Bracket(low, high, 0.0, 0.0, 0)
    x = low
    for step in range(100):
        f = excess(math.exp(x), power, mu, quartic, walks)
        if step == 0:
            bracket, x = Bracket(low, high, f, 0.0, 0), high
            continue
        if step == 1:
            if f * bracket.f_low > 0.0:
                return math.nan
            bracket = Bracket(low, high, bracket.f_low, f, 0)
        else:
            bracket = narrowed(bracket, x, f)
        last, x = x, false_position(bracket)
        if f == 0.0 or abs(x - last) < 1e-15 * abs(x):
            return math.exp(last)
    return math.exp(x)


@kernel
def fold_mass(quartic, walks):
    """Square of the mass at which the two states with a field meet: -dG/dm^2 = 1/(24 lambda)."""
    low, high = -30.0, 10.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if propagator(math.exp(middle), walks)[1] > 1.0 / (24.0 * quartic):
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))


@kernel
def reach(mu, quartic):
    """Largest field worth a node: with all neighbours alike it is e^-36 as likely as the likeliest."""
    barrier = mu * mu / (16.0 * quartic) if mu < 0.0 else 0.0
    return math.sqrt((-0.5 * mu + math.sqrt(0.25 * mu * mu + 4.0 * quartic * (36.0 - barrier))) / (2.0 * quartic))


@kernel
def one_site(mu, quartic, dimension, source, moments):
    """Logarithm of z of a single site in a source, and its moments (phi, phi^2, phi^4, alignment with a neighbour)."""
    far, a = reach(mu, quartic), 0.5 * mu + dimension
    step = 2.0 * far / (NODES - 1)
    z = first = second = fourth = 0.0
    for i in range(NODES):
        x = -far + i * step
        square = x * x
        weight = exp(source * x - (a + quartic * square) * square)
        z += weight
        first += weight * x
        second += weight * square
        fourth += weight * square * square
    moments[0], moments[1], moments[2] = first / z, second / z, fourth / z
    moments[3] = moments[0] * moments[0]
    return math.log(z * step)


@kernel
def one_chain(mu, quartic, dimension, source, moments, state):
    """The same for a site of an infinite chain, of which `state` (shape (NODES,)) is the square root of the law.

    The largest eigenvalue of the transfer matrix by repeated multiplication, from the state as it is.
    """
    far, a = reach(mu, quartic), 0.5 * mu + dimension
    step = 2.0 * far / (NODES - 1)
    half, other = np.empty(NODES), np.empty(NODES)
    bond = np.empty((NODES, NODES))
    for i in range(NODES):
        x = -far + i * step
        half[i] = math.sqrt(step) * exp(0.5 * (source * x - (a + quartic * x * x) * x * x))
        for j in range(NODES):
            bond[i, j] = exp(x * (-far + j * step))
    value = 0.0
    for _ in range(2000):
        total = norm = 0.0
        for i in range(NODES):
            image = 0.0
            for j in range(NODES):
                image += bond[i, j] * half[j] * state[j]
            other[i] = half[i] * image
            total += other[i] * state[i]
            norm += other[i] * other[i]
        change = 0.0
        norm = math.sqrt(norm)
        for i in range(NODES):
            change = max(change, abs(other[i] / norm - state[i]))
            state[i] = other[i] / norm
        value = total
        if change < 1e-13:
            break
    first = second = fourth = along = 0.0
    for i in range(NODES):
        x = -far + i * step
        weight = state[i] * state[i]
        first += weight * x
        second += weight * x * x
        fourth += weight * x * x * x * x
        image = 0.0
        for j in range(NODES):
            image += bond[i, j] * half[j] * state[j] * (-far + j * step)
        along += state[i] * half[i] * x * image
    moments[0], moments[1], moments[2] = first, second, fourth
    moments[3] = (along / value + (dimension - 1) * first * first) / dimension
    return math.log(value)


@kernel
def part(method, mu, quartic, dimension, out):
    """Both states of independent parts (sites, chains): out[branch] = (M, phi^2, phi^4, alignment, f, residual)."""
    links = 2.0 * dimension if method == SITES else 2.0 * (dimension - 1)
    moments, state = np.zeros(4), np.full(NODES, 1.0 / math.sqrt(NODES))
    high = reach(mu, quartic)
    bracket = Bracket(SMALLEST, high, 0.0, 0.0, 0)
    m = 0.0
    for step in range(100):
        if method == SITES:
            value = one_site(mu, quartic, dimension, links * m, moments)
        else:
            value = one_chain(mu, quartic, dimension, links * m, moments, state)
        grown = moments[0] - m
        branch = SYMMETRIC if step == 0 else BROKEN
        for k in range(4):
            out[branch, k] = moments[k]
        out[branch, 4] = 0.5 * links * m * m - value
        out[branch, 5] = abs(grown)
        if step == 0:
            out[branch, 0] = out[branch, 5] = 0.0
            m = SMALLEST
        elif step == 1:
            if grown <= 0.0:
                for k in range(6):
                    out[branch, k] = math.nan
                return
            bracket, m = Bracket(SMALLEST, high, grown, 0.0, 0), high
        else:
            bracket = Bracket(SMALLEST, high, bracket.f_low, grown, 0) if step == 2 else narrowed(bracket, m, grown)
            last, m = m, false_position(bracket)
            if grown == 0.0 or abs(m - last) < 1e-15:
                return


@kernel
def gaussian(mu, quartic, dimension, walks, out):
    """All three states of a Gaussian field, in the same form."""
    top = math.log(abs(mu) + 12.0 * quartic + 10.0)
    bottom = math.log(LIGHTEST)
    fold = math.log(fold_mass(quartic, walks))
    for branch in range(3):
        power = 1.0 if branch == SYMMETRIC else -0.5
        low = fold if branch == BROKEN else bottom
        high = fold if branch == BARRIER else top
        mass = mass_between(low, high, power, mu, quartic, walks)
        if math.isnan(mass):
            continue
        g, _, logarithm = propagator(mass, walks)
        square = 0.0 if branch == SYMMETRIC else mass / (8.0 * quartic)
        second, fourth = square + g, square * square + 6.0 * square * g + 3.0 * g * g
        out[branch, 0], out[branch, 1], out[branch, 2] = math.sqrt(square), second, fourth
        out[branch, 3] = square + g - (1.0 - mass * g) / (2.0 * dimension)
        out[branch, 4] = 0.5 * (logarithm - mass * g + mu * second - LOG_2PI) + quartic * fourth
        out[branch, 5] = abs(power * mass - 12.0 * quartic * g - mu)


def solve_points(mass_squared: Array, quartic: Array, dimension: int) -> Array:
    """All states of all methods: shape (n, 3 methods, 3 branches, 6), NaN where there is none."""
    out = np.full((len(quartic), 3, 3, 6), np.nan)
    for at, mu, strength in zip(out, mass_squared, quartic, strict=True):
        part(SITES, mu, strength, float(dimension), at[SITES])
        part(CHAINS, mu, strength, float(dimension), at[CHAINS])
        gaussian(mu, strength, float(dimension), walks(dimension), at[GAUSSIAN])
    return out


def landscape(mu: float, quartic: float, dimension: int, fields: Array) -> Array:
    """The bound of each method at given fields >= 0: shape (3 methods, n)."""
    found = np.empty((3, len(fields)))
    moments, state = np.zeros(4), np.full(NODES, 1 / math.sqrt(NODES))
    d = float(dimension)
    steepest = 1.5 * (2 * d * fields[-1] + abs(mu) * fields[-1] + 4 * quartic * fields[-1] * (fields[-1] ** 2 + 1))
    for method in (SITES, CHAINS):
        links = dimension if method == SITES else dimension - 1
        table = []
        for source in steepest * np.linspace(0, 1, 161) ** 1.5:
            if method == SITES:
                log_z = one_site(mu, quartic, d, source, moments)
            else:
                log_z = one_chain(mu, quartic, d, source, moments, state)
            table.append((moments[0], source * moments[0] - log_z))
        reached, legendre = np.array(table).T
        found[method] = np.interp(fields, reached, legendre) - links * fields**2
    top, bottom = math.log(abs(mu) + 12 * quartic * (1 + fields[-1] ** 2) + 10), math.log(LIGHTEST)
    for k, m in enumerate(fields):
        mass = mass_between(bottom, top, 1.0, mu + 12 * quartic * m * m, quartic, walks(dimension))
        g, _, logarithm = propagator(LIGHTEST if math.isnan(mass) else mass, walks(dimension))
        mass = 0.0 if math.isnan(mass) else mass
        found[GAUSSIAN, k] = 0.5 * (logarithm - mass * g + mu * (m * m + g) - LOG_2PI)
        found[GAUSSIAN, k] += quartic * (m**4 + 6 * m * m * g + 3 * g * g)
    return found


def site_laws(mu: float, quartic: float, dimension: int, magnetizations: Array) -> tuple[Array, Array]:
    """(values, densities of shape (3 methods, n)) of the field at a site, both signs counted."""
    far = reach(mu, quartic)
    x = np.linspace(-far, far, NODES)
    sites, chains, gauss = magnetizations
    logs = 2 * dimension * sites * x - (0.5 * mu + dimension) * x**2 - quartic * x**4
    moments, state = np.zeros(4), np.full(NODES, 1 / math.sqrt(NODES))
    one_chain(mu, quartic, float(dimension), 2 * (dimension - 1) * chains, moments, state)
    mass = mu + 12 * quartic * gauss**2
    width = mass_between(math.log(LIGHTEST), math.log(abs(mu) + 12 * quartic * (1 + gauss**2) + 10), 1.0, mass, quartic,
                         walks(dimension))  # fmt: skip
    g = propagator(width, walks(dimension))[0]
    laws = np.stack([np.exp(logs - logs.max()), state**2, np.exp(-((x - gauss) ** 2) / (2 * g))])
    laws = 0.5 * (laws + laws[:, ::-1])
    return x, laws / (laws.sum(axis=1, keepdims=True) * (x[1] - x[0]))


# -- boundaries ----------------------------------------------------------------------------------------------------


def chain_susceptibility(mu: float, quartic: float, dimension: int) -> float:
    """Sum over a chain of the correlations with one of its sites, without a source."""
    far = reach(mu, quartic)
    x = np.linspace(-far, far, NODES)
    half = 0.5 * np.log(x[1] - x[0]) - 0.5 * ((0.5 * mu + dimension) * x**2 + quartic * x**4)
    values, states = np.linalg.eigh(np.exp(half[:, None] + half + np.outer(x, x)))
    seen = (states.T @ (x * states[:, -1])) ** 2
    ratio = values / values[-1]
    return float((seen * (1 + ratio) / np.maximum(1 - ratio, 1e-12))[:-1].sum())


def site_square(mu: float, quartic: float, dimension: int) -> float:
    """Mean square of a single site without neighbours."""
    moments = np.zeros(4)
    one_site(mu, quartic, float(dimension), 0.0, moments)
    return float(moments[1])


def critical_mass(method: int, quartic: float, dimension: int) -> float:
    """Square of the mass at which independent sites or chains begin to order, eqs. (4) and (5)."""
    response, links = ((site_square, 2 * dimension), (chain_susceptibility, 2 * dimension - 2))[method]
    high = 0.0 if method == SITES else critical_mass(SITES, quartic, dimension)  # chains know of more fluctuations
    low = 2 * high - 1 if method == CHAINS else -6 * quartic - 1
    found: float = brentq(lambda mu: links * response(mu, quartic, dimension) - 1, low, high, xtol=1e-13)
    return found


def fold(quartic: float, dimension: int) -> float:
    """Square of the mass above which the Gaussian field has no state with a field."""
    mass = fold_mass(quartic, walks(dimension))
    return float(-0.5 * mass - 12 * quartic * propagator(mass, walks(dimension))[0])


def coexistence(quartic: float, dimension: int) -> float:
    """Square of the mass at which both states of the Gaussian field have the same free energy."""

    def difference(mu: float) -> float:
        out = np.full((3, 6), np.nan)
        gaussian(mu, quartic, float(dimension), walks(dimension), out)
        return float(out[SYMMETRIC, 4] - out[BROKEN, 4])

    highest = fold(quartic, dimension) - 1e-9
    lowest = -12 * quartic * float(propagator(0.0, walks(3))[0]) + 1e-9 if dimension == 3 else highest - 2.0
    found: float = brentq(difference, lowest, highest, xtol=1e-12)
    return found


# -- strips: exact, but narrow -------------------------------------------------------------------------------------

STRIP_NODES = 16
WIDTHS = 2, 3
APPROACH = 2.4  # power of the width with which strips approach the plane, from widths 2 to 4


def strip(mu: float, quartic: float, width: int, nodes: int = STRIP_NODES) -> tuple[float, float]:
    """(free energy per site, gap) of an endless square lattice that is closed after `width` sites across: the two
    largest eigenvalues of its transfer matrix, even and odd in the field.
    """
    far = reach(mu, quartic)
    x = np.linspace(-far, far, nodes)
    bond = np.exp(np.outer(x, x))
    axes = np.meshgrid(*[x] * width, indexing="ij")
    half = sum(0.5 * np.log(x[1] - x[0]) - 0.5 * ((0.5 * mu + 2) * y**2 + quartic * y**4) for y in axes)
    half = np.exp(half + 0.5 * sum(axes[i] * axes[(i + 1) % width] for i in range(width)))

    def logarithm(state: Array) -> float:
        size = 0.0
        for _ in range(1000):
            state = half * state
            for _ in range(width):  # along every row; the axes come round
                state = np.tensordot(state, bond, axes=(0, 0))
            state = half * state
            last, size = size, float(np.linalg.norm(state))
            state /= size
            if abs(size / max(last, 1e-300) - 1) < 1e-10:
                break
        return math.log(size)

    even, odd = logarithm(np.ones_like(half)), logarithm(np.asarray(sum(axes)))
    return -even / width, even - odd


def _strip_mass(quartic: float, width: int, low: float, high: float) -> float:
    """Square of the mass at which the gap is that of a critical strip."""
    found: float = brentq(lambda mu: width * strip(mu, quartic, width)[1] - math.pi / 4, low, high, xtol=1e-5)
    return found


@cache
def _critical_strips() -> Array:
    """Coefficients of the critical line of the plane, as a polynomial in ln lambda."""
    logs = np.log(0.1) + 0.5 * np.log(20.0) * (1 + np.cos(np.pi * (np.arange(5) + 0.5) / 5))
    found = []
    shares = [width**-APPROACH for width in WIDTHS]
    for quartic in np.exp(logs):
        first = critical_mass(CHAINS, quartic, 2)
        two, three = (_strip_mass(quartic, width, 2.5 * first, first) for width in WIDTHS)
        found.append((three * shares[0] - two * shares[1]) / (shares[0] - shares[1]))
    return np.polynomial.polynomial.polyfit(logs, np.array(found) / np.exp(logs), 4)


def critical_line(quartic: Array) -> Array:
    """Square of the mass at which the square lattice itself orders: where the gap of a strip is pi/4 over its width, as
    in every theory of Ising's class, extrapolated from two widths.
    """
    line: Array = quartic * np.polynomial.polynomial.polyval(np.log(quartic), _critical_strips())
    return line
