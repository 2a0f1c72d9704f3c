r"""Channels from a field, with noise of variance $\Delta$, to what is seen of it: its *sign*, its size, as where the
*phase* is lost, or all of it (*linear*).

With $v=1-q+\Delta$, $\rho=q/v$, $u\sim\mathcal N(0,\rho)$ and $s\sim\mathcal N(u,1)$ an answer carries the information
$I=J(\rho)/v$,

$$J=\mathbb E\frac{\phi(u)^2}{H(u)H(-u)}\;[\textrm{sign}],\quad
J=1-\mathbb E\,s^2\,\mathrm{sech}^2(us)\;[\textrm{phase}],\quad J=1\;[\textrm{linear}] \tag{1}$$

and adds to the free entropy, up to a constant that does not depend on $q$,

$$\psi=2\,\mathbb E\,H(u)\ln H(u)\;[\textrm{sign}],\quad
\psi=-\tfrac12\ln v+\mathbb E\ln(1+e^{-2us})\;[\textrm{phase}],\quad \psi=-\tfrac12\ln v\;[\textrm{linear}] \tag{2}$$
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import exp, log, log1p, normal_tail, tanh
from mfexplore.numerics.functions.gaussian import INVERSE_SQRT_2PI
from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]

CHANNELS = ("sign", "phase", "linear")
SIGN, PHASE, LINEAR = range(len(CHANNELS))
LOWEST_NOISE = 1e-12  # of channels with a continuous output
TABLE = 64  # Chebyshev coefficients of the phase channel


def effective_noise(channel: str, noise: Array) -> Array:
    """The noise that the equations see: never zero where the output is continuous, and none that has no reciprocal."""
    if channel != "sign":
        return np.maximum(noise, LOWEST_NOISE)
    return np.where(noise < np.finfo(np.float64).tiny, 0.0, noise)


def answers(channel: str, field: Array) -> Array:
    """What is seen of fields that have their noise already."""
    return np.sign(field) if channel == "sign" else np.abs(field) if channel == "phase" else field


@kernel
def fill_phase_table(coordinate, information, potential):
    """(1 + rho) J / rho and E ln(1 + e^(-2us)) of the phase channel, at sqrt(rho)/(1 + sqrt(rho)) = coordinate."""
    for i in range(coordinate.size):
        root = coordinate[i] / (1.0 - coordinate[i])
        rho = root * root
        small = rho < 1.0
        step = 0.08 * min(root, 1.0)
        total = rest = 0.0
        for k in range(-int(9.0 / 0.08), int(9.0 / 0.08) + 1):
            u = k * step
            a = exp(-0.5 * u * u / rho) * step / root * INVERSE_SQRT_2PI
            x, y = 0.0, 0.0
            for j in range(-110, 111):
                s = u + 0.08 * j
                b = exp(-0.5 * (0.08 * j) ** 2)
                e = exp(-2.0 * abs(u * s))
                t = (1.0 - e) / (1.0 + e)
                away = abs(s) * t - abs(u)  # s tanh(us) - u, up to its sign
                x += b * (away * away if small else 4.0 * s * s * e / (1.0 + e) ** 2)
                y += b * (log1p(e) + (2.0 * abs(u * s) if u * s < 0.0 else 0.0))
            total += a * x * 0.08 * INVERSE_SQRT_2PI
            rest += a * y * 0.08 * INVERSE_SQRT_2PI
        information[i] = (1.0 + rho) / rho * (total if small else 1.0 - total)
        potential[i] = rest


@lru_cache(maxsize=1)
def phase_table() -> Array:
    """Chebyshev coefficients on [0, 1] of the two functions of `fill_phase_table`, shape (2, TABLE)."""
    coordinate = 0.5 * (1 + np.cos(math.pi * (np.arange(TABLE) + 0.5) / TABLE))
    values = np.empty((2, TABLE))
    fill_phase_table(coordinate, values[0], values[1])
    k = np.arange(TABLE)
    basis = np.cos(math.pi * k[:, None] * (np.arange(TABLE) + 0.5) / TABLE)
    return np.ascontiguousarray((2 - (k == 0))[:, None] / TABLE * (basis @ values.T)).T.copy()


@kernel
def chebyshev(coefficients, x):
    """Clenshaw's sum on [0, 1]."""
    y = 2.0 * (2.0 * x - 1.0)
    b1 = b2 = 0.0
    for k in range(coefficients.size - 1, 0, -1):
        b1, b2 = coefficients[k] + y * b1 - b2, b1
    return coefficients[0] + 0.5 * y * b1 - b2


@kernel
def sign_channel(rho):
    """(J, psi_out) of the sign channel: averages over u ~ N(0, rho) of functions that fall off like exp(-u^2/2)."""
    if rho == 0.0:
        return 4.0 * INVERSE_SQRT_2PI * INVERSE_SQRT_2PI, -math.log(2.0)
    if rho == math.inf:
        return 0.0, 0.0
    width = math.sqrt(rho)
    step = min(0.25, 0.35 * width)
    count = int(min(9.0 * width, 9.5) / step) + 1
    information = potential = 0.0
    for k in range(count):
        u = k * step
        mass, hazard = normal_tail(u)
        weight = (0.5 if k == 0 else 1.0) * exp(-0.5 * u * u / rho)
        information += weight * hazard * hazard * mass / (1.0 - mass)
        potential += weight * (mass * log(mass) + (1.0 - mass) * log1p(-mass))
    scale = 2.0 * step / width * INVERSE_SQRT_2PI
    return scale * information, scale * potential


@kernel
def information_by_snr(channel, rho, table):
    """J(rho) of eq. (1) divided by rho/(1 + rho) for the phase channel, J(rho) itself for the others."""
    if channel == LINEAR:
        return 1.0
    if channel == SIGN:
        return sign_channel(rho)[0]
    root = math.sqrt(rho)
    return chebyshev(table[0], root / (1.0 + root))


@kernel
def output_potential(channel, rho, v, table):
    """Eq. (2)."""
    if channel == SIGN:
        return sign_channel(rho)[1]
    if channel == LINEAR:
        return -0.5 * math.log(v)
    root = math.sqrt(rho)
    return -0.5 * math.log(v) + chebyshev(table[1], root / (1.0 + root))


@kernel
def respond(channel, y, omega, v, g, curvature):
    """Write g of message passing and -dg/domega; return the means of the second and of g^2.

    v: variance behind the channel.
    """
    root = math.sqrt(v)
    for i in range(y.size):
        if channel == SIGN:
            u = -y[i] * omega[i] / root
            _, hazard = normal_tail(u)
            g[i] = y[i] * hazard / root
            curvature[i] = hazard * (hazard - u) / v
        elif channel == PHASE:
            t = tanh(y[i] * omega[i] / v)
            g[i] = (y[i] * t - omega[i]) / v
            curvature[i] = (1.0 - y[i] * y[i] * (1.0 - t * t) / v) / v
        else:
            g[i] = (y[i] - omega[i]) / v
            curvature[i] = 1.0 / v
    total = square = 0.0
    for i in range(y.size):  # apart, for the order of a sum beside a store depends on where the arrays happen to lie
        total += curvature[i]
        square += g[i] * g[i]
    return total / y.size, square / y.size
