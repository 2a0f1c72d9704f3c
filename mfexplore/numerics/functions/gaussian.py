r"""Averages over a Gaussian local field, valid at every temperature, zero included.

A spin in the local field $h=\mu+\sigma z$, $z$ standard normal, at temperature $T$ has the magnetization
$\tanh(h/T)$. Replica and cavity theories need the averages over $z$ of

$$m=\overline{\tanh\tfrac hT},\quad q=\overline{\tanh^2\tfrac hT},\quad
\chi=\tfrac1T\,\overline{\mathrm{sech}^2\tfrac hT},\quad \tfrac1T\,\overline{\mathrm{sech}^4\tfrac hT},\quad
s=\overline{\ln2\cosh\tfrac hT-\tfrac hT\tanh\tfrac hT}$$

of which $\chi$ (not $q$) carries the information at low temperature. From these follow
$T\,\overline{\ln2\cosh(h/T)}=\mu m+\sigma^2\chi+Ts$, $\;\partial m/\partial\mu=\chi$ and
$\partial m/\partial\sigma=\sigma\,\partial\chi/\partial\mu$ (integration by parts), so Newton's method needs only
$\partial\chi/\partial\mu$ and $\partial\chi/\partial\sigma$ besides.

For $\sigma\gtrsim T$ the trapezoid rule runs over $x=h/T$, where $\mathrm{sech}^2x$ cuts the integral off: the nodes
do not depend on the temperature, everything but one exponential is tabulated, and $T=0$ is nothing special. For
smaller $\sigma$ it runs over $z$. Either converges exponentially in the step, so the absolute error is below
$2\cdot10^{-12}$ of the average (with $\sigma$ as the unit of $h$), whatever the temperature.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import exp, log
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.kernel import inline_kernel, kernel

SQRT_2PI = math.sqrt(2.0 * math.pi)
INVERSE_SQRT_2PI = 1.0 / SQRT_2PI
NARROW = 0.65  # below this sigma/T the average runs over z, above over x


def normal_density(x: NDArray[Any]) -> NDArray[np.float64]:
    """Of a standard normal number."""
    return np.asarray(np.exp(-0.5 * np.square(x)) * INVERSE_SQRT_2PI)


def normal_rule(step: float, reach: float = 7.6) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights, shape (n,), of the trapezoid rule for averages over a standard normal z, no node at 0.

    For f(z) analytic in a strip of half-width d the error is about exp(d^2/2 - 2 pi d/step): d = pi T/(2 sigma) for
    functions of tanh((mu + sigma z)/T). The rest beyond `reach` is left out (3e-14 at 7.6).
    """
    half = int(reach / step)
    z = (np.arange(-half, half) + 0.5) * step
    weights: NDArray[np.float64] = np.exp(-0.5 * z * z)
    return z.astype(np.float64), weights / weights.sum()


X_STEP = 0.28
X_HALF = 50  # x up to 13.86, where sech^2 x is 4e-12 and, integrated with a Gaussian, no longer counts
X = (np.arange(-X_HALF, X_HALF) + 0.5) * X_STEP
X_REACH = X_HALF * X_STEP
ERF_SCALE = 0.9  # tanh x is split into erf(0.9 x), averaged in closed form, and a localised rest


def _localised() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """sech^2 x, tanh x - erf(0.9 x) and the entropy of a spin in the field x, at the nodes, times step/sqrt(2 pi)."""
    decay = np.exp(-2.0 * np.abs(X))
    scale = X_STEP / SQRT_2PI
    entropy = np.log1p(decay) + 2.0 * np.abs(X) * decay / (1.0 + decay)
    erf = np.array([math.erf(ERF_SCALE * x) for x in X])  # not scipy.special's, which takes 0.1 s to load
    return 4.0 * decay / (1.0 + decay) ** 2 * scale, (np.tanh(X) - erf) * scale, entropy * scale


X_SECH2, X_REST, X_ENTROPY = _localised()
Z, Z_WEIGHT = normal_rule(0.4)
Z_HALF = len(Z) // 2


class Response(NamedTuple):
    """Averages of a spin in a Gaussian field of given mean and standard deviation, see the module."""

    m: float
    q: float
    chi: float
    by_mean: float  # slopes of chi along the mean and the standard deviation of the field
    by_deviation: float


class Averages(NamedTuple):
    """The same and two more."""

    m: float
    q: float
    chi: float
    by_mean: float
    by_deviation: float
    quartic: float  # mean of sech^4/T
    entropy: float


@kernel
def window(mean, deviation, temperature):
    """First and last-plus-one node of X at which the Gaussian counts."""
    reach = (7.5 if deviation < 4.0 * temperature else 12.0) * deviation
    low, high = mean - reach, mean + reach
    edge = X_REACH * temperature
    if low > edge or high < -edge or (low == edge and edge == 0.0):
        return 0, 0
    first = 0 if low <= -edge else int(low / temperature / X_STEP) + X_HALF - 1
    last = 2 * X_HALF if high >= edge else int(high / temperature / X_STEP) + X_HALF + 1
    return max(first, 0), min(last, 2 * X_HALF)


@inline_kernel
def sums_over_x(mean, deviation, temperature, first, last):
    """Sums of the tables times the Gaussian: with sech^2 (times 1, z, z^2), with the rest of tanh, with the entropy."""
    slope, offset = temperature / deviation, mean / deviation
    x, sech2, rest, entropy = X[first:last], X_SECH2[first:last], X_REST[first:last], X_ENTROPY[first:last]
    g0 = g1 = g2 = r = s = 0.0
    for k in range(x.size):
        z = slope * x[k] - offset
        f = exp(-0.5 * z * z)
        g = f * sech2[k]
        g0 += g
        g1 += g * z
        g2 += g * z * z
        r += f * rest[k]
        s += f * entropy[k]
    return g0, g1, g2, r, s


@inline_kernel
def average_over_x(mean, deviation, temperature):
    """What `response_and_entropy` returns, for deviation > 0."""
    first, last = window(mean, deviation, temperature)
    g0, g1, g2, r, s = sums_over_x(mean, deviation, temperature, first, last)
    inverse = 1.0 / deviation
    width = math.sqrt(temperature * temperature + 2.0 * ERF_SCALE * ERF_SCALE * deviation * deviation)
    m = math.erf(ERF_SCALE * mean / width) + r * temperature * inverse
    chi = g0 * inverse
    by_deviation = (g2 - g0) * inverse * inverse
    # the second derivative of sech^2 x is 4 sech^2 x - 6 sech^4 x
    quartic = (4.0 * chi - temperature * temperature * inverse * by_deviation) / 6.0
    by_mean, entropy = g1 * inverse * inverse, s * temperature * inverse
    return Averages(m, 1.0 - temperature * chi, chi, by_mean, by_deviation, quartic, entropy)


@inline_kernel
def average_over_z(mean, deviation, temperature):
    """The same, for temperature > 0 and a narrow Gaussian."""
    beta, scale = 1.0 / temperature, deviation / temperature
    centre = mean * beta
    m = q = c = ct = cc = s = 0.0
    for k in range(Z.size):
        x = centre + scale * Z[k]
        y = abs(x)
        e = exp(-2.0 * y)
        d = 1.0 / (1.0 + e)
        t = math.copysign((1.0 - e) * d, x)
        w = Z_WEIGHT[k]
        g = w * 4.0 * e * d * d
        m += w * t
        q += w * t * t
        c += g
        ct += g * t
        cc += g * 4.0 * e * d * d
        s += w * (log(1.0 + e) + 2.0 * y * e * d)
    by_deviation = deviation * (4.0 * c - 6.0 * cc) * beta * beta * beta
    return Averages(m, q, c * beta, -2.0 * ct * beta * beta, by_deviation, cc * beta, s)


@kernel
def response(mean, deviation, temperature):
    """The `Response` of a spin in a Gaussian field.

    mean: any; deviation, temperature: >= 0. With neither, the spin is frozen: m = sign(mean), chi = 0 (inf where the
    mean vanishes too).
    """
    if deviation < NARROW * temperature:
        a = average_over_z(mean, deviation, temperature)
        return Response(a.m, a.q, a.chi, a.by_mean, a.by_deviation)
    if deviation == 0.0:
        return Response(np.sign(mean), 1.0, (0.0 if mean != 0.0 else math.inf), 0.0, 0.0)
    a = average_over_x(mean, deviation, temperature)
    return Response(a.m, a.q, a.chi, a.by_mean, a.by_deviation)


@kernel
def response_and_entropy(mean, deviation, temperature):
    """All `Averages` of a spin in a Gaussian field: `response` and two more."""
    if deviation < NARROW * temperature:
        return average_over_z(mean, deviation, temperature)
    if deviation == 0.0:
        chi, entropy = (0.0, 0.0) if mean != 0.0 else (math.inf, math.log(2.0))
        return Averages(np.sign(mean), 1.0, chi, 0.0, 0.0, chi, entropy)
    return average_over_x(mean, deviation, temperature)


def resolving_rule(centre: float, width: float, reach: float = 9.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights, shape (n,), for averages over a standard normal z of functions of tanh((z - centre)/width), by
    Gauss and Legendre on panels that become narrow where these vary. What lies beyond `reach` is left out.
    """
    fine = centre + width * np.array([-60.0, -20.0, -8.0, -3.0, 0.0, 3.0, 8.0, 20.0, 60.0])
    edges = np.unique(np.clip(np.concatenate([fine, np.linspace(-reach, reach, int(2 * reach) + 2)]), -reach, reach))
    z, shares = gauss_legendre(32, edges)
    return z, shares * np.exp(-0.5 * z * z) / SQRT_2PI


class Direct(NamedTuple):
    """What `direct_averages` returns; names as those of `Averages`, and the mean of T ln 2cosh(h/T)."""

    m: float
    q: float
    chi: float
    quartic: float
    entropy: float
    log_cosh: float


def direct_averages(mean: float, deviation: float, temperature: float) -> Direct:
    """The averages a second time, without kernel or integration by parts: a plain sum over z, or closed forms at T = 0.
    For the equations with which a system checks its kernels.
    """
    if temperature == 0.0:
        if deviation == 0.0:
            return Direct(float(np.sign(mean)), 1.0, 0.0 if mean else math.inf, 0.0, 0.0, abs(mean))
        density = math.sqrt(2.0 / math.pi) * math.exp(-0.5 * (mean / deviation) ** 2)
        m, chi = math.erf(mean / deviation / math.sqrt(2.0)), density / deviation
        return Direct(m, 1.0, chi, 2.0 / 3.0 * chi, 0.0, mean * m + deviation * density)
    scale = max(deviation, 1e-9 * temperature)
    z, weight = resolving_rule(-mean / scale, temperature / scale)
    x = (mean + deviation * z) / temperature
    tanh, size = np.tanh(x), np.abs(x)
    decay = np.exp(-2.0 * size)
    sech2, softplus = 4.0 * decay / (1.0 + decay) ** 2, np.log1p(decay)  # ln 2cosh x is |x| and the latter
    entropy = softplus + 2.0 * size * decay / (1.0 + decay)
    found = (tanh, tanh**2, sech2 / temperature, sech2**2 / temperature, entropy, temperature * (size + softplus))
    return Direct(*(float(weight @ f) for f in found))
