r"""Coherent potential: the walk on the corners of a square lattice whose couplings are $\pm K$ at random.

What meets a bond from both ends in phase (channel +) or in antiphase (-) is multiplied by $e^{\mp i\alpha s}$, where
$s$ is the sign of the bond and $\sin\alpha=\tanh2K$: in the mean by $m_+=m$ and $m_-=\bar m$, with
$m=\cos\alpha-i(1-2p)\sin\alpha$. Let every bond multiply by the same $w_\pm$ instead. A lattice of these, without one
bond, is a mirror that returns $r_\pm$ to it; the two determine each other. That a true bond in this place has in the
mean the Green's function of the $w$, $\langle1/(1-e^{\mp i\alpha s}r_\pm)\rangle=1/(1-w_\pm r_\pm)=g_\pm$, is

$$w_\pm=\frac{m_\pm-r_\pm}{1-m_\mp r_\pm},\qquad r_\pm=\frac{1-1/g_\pm}{w_\pm},\qquad
g_\pm=1-\tfrac12w_\pm\frac{\partial}{\partial w_\pm}\langle\ln(A-B\gamma)\rangle$$

with the clean determinant at $z=1/\zeta$, $A=1+\zeta^4w_+^2w_-^2$, $B=\frac i2\zeta^2(w_+^2-w_-^2)$, averaged over
waves $\gamma=\cos k_x+\cos k_y$. Both maps take the disk $|r|<1$ into itself: repeating them leads to the one solution.

In a gap nothing is lost, and all is real: $\zeta w_\pm=e^{-i(v\pm\delta)}$, $r_\pm=e^{i\phi_\pm}$ and
$g_\pm=\frac12+\frac i2c_\pm$, with $c_\pm=I\sin2v\pm\frac12J\cos2\delta$ and

$$I=\Big\langle\frac1{\cos2v-\frac12\gamma\sin2\delta}\Big\rangle,\qquad
J=\Big\langle\frac\gamma{\cos2v-\frac12\gamma\sin2\delta}\Big\rangle$$

The first map is then a quadratic equation for $\cot\frac{\phi_\pm}2$, given $c_\pm$. It shifts the phase by $S_\pm$,
and must do so by that of $w_\pm$: $S_+-S_-=2\delta$, $\theta=v-\frac12(S_++S_-)$. At $\theta=0$, $v=0$, and $\delta$ is
the clean lattice that the signs amount to. As a function of $v$ the angle has its maximum at the edge of the gap.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.lattice_spins.lattice_green import log_determinant as lattice_log_determinant
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.solving.anderson import fixed_points

Array = NDArray[Any]
GOLDEN = 0.5 * (math.sqrt(5) - 1)
SQRT_HALF = math.sqrt(0.5)
CRITICAL = math.pi / 4  # delta of the clean critical point
SOLVED = 1e-13
DRAWN = 1e-8  # error of a curve: at the edge of a band it falls slowly
CLOSED = 1e-9  # a gap that is no gap


def mean(first: Array, second: Array) -> Array:
    """Arithmetic-geometric mean, of complex numbers too: from both their arithmetic mean, and that square root which is
    nearer to it.
    """
    for _ in range(40):
        arithmetic, geometric = (first + second) / 2, np.sqrt(first) * np.sqrt(second)
        turned = np.abs(arithmetic - geometric) > np.abs(arithmetic + geometric)
        first, second = arithmetic, np.where(turned, -geometric, geometric)
        if np.all(np.abs(first - second) <= 1e-15 * np.abs(first)):
            break
    return np.asarray(first)


def averages(level: Array, width: Array, lowest: Array) -> tuple[Array, Array]:
    """Means of 1/(level - width gamma) and of gamma/(level - width gamma): complete elliptic integrals.
    lowest: level - 2 width, to full precision.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        one = 1 / mean(level, np.sqrt(lowest) * np.sqrt(level + 2 * width))
        x = width / level
        series = x * (1 + x * x * (2.25 + x * x * (6.25 + x * x * 19.140625))) / level
        return one, np.where(np.abs(x) < 0.01, series, (level * one - 1) / width)


def mean_amplitude(fraction: Array, coupling: Array) -> Array:
    """Of channel +."""
    return np.asarray(1 / np.cosh(2 * coupling) - 1j * (1 - 2 * fraction) * np.tanh(2 * coupling))


def green(w: tuple[Array, Array], zeta: Array) -> tuple[Array, Array]:
    """g+ and g- of the lattice whose bonds multiply by w+ and w-."""
    plus, minus = zeta * w[0], zeta * w[1]
    square = (plus * minus) ** 2
    width = 0.5j * (plus**2 - minus**2)
    one, gamma = averages(1 + square, width, 1 + square - 2 * width)
    return 1 - square * one + 0.5j * plus**2 * gamma, 1 - square * one - 0.5j * minus**2 * gamma


def passed(r: tuple[Array, Array], m: Array) -> tuple[Array, Array]:
    """w+ and w- that have the mean effect of a bond in front of the mirrors r+ and r-."""
    return (m - r[0]) / (1 - np.conj(m) * r[0]), (np.conj(m) - r[1]) / (1 - m * r[1])


def returned(r: tuple[Array, Array], m: Array, zeta: Array) -> tuple[Array, Array]:
    """The mirrors that the lattice is whose bonds are as they must be in front of r+ and r-."""
    w = passed(r, m)
    g = green(w, zeta)
    return (1 - 1 / g[0]) / w[0], (1 - 1 / g[1]) / w[1]


def solve(m: Array, angle: Array, tolerance: float = SOLVED) -> tuple[tuple[Array, Array], Array]:
    """The mirrors (r+, r-) at z = e^(i angle), shape (n,), and the error of the equations, where zeros are: repeated,
    from r = 0, and accelerated. (In a gap |r| = 1, which may take long.)
    """
    zeta = np.exp(-1j * angle)

    def step(x: Array, rows: NDArray[np.int64]) -> Array:
        r = returned((x[:, 0] + 1j * x[:, 1], x[:, 2] + 1j * x[:, 3]), m[rows], zeta[rows])
        return np.stack([r[0].real, r[0].imag, r[1].real, r[1].imag], axis=-1)

    x, residual, _ = fixed_points(step, np.zeros((m.size, 4)), tolerance)
    return (x[:, 0] + 1j * x[:, 1], x[:, 2] + 1j * x[:, 3]), residual


def density_of(r: tuple[Array, Array], m: Array, angle: Array) -> Array:
    """Zeros per radian, normalised to one on the circle."""
    g = green(passed(r, m), np.exp(-1j * angle))
    return np.asarray(np.maximum((g[0] + g[1]).real - 1, 0) / (2 * math.pi))


# -- inside a gap ------------------------------------------------------------------------------------------------------


@kernel
def clean_averages(level, width, lowest):
    """I and J, see `averages`, for level = cos 2v > 0, width = sin(2 delta)/2 and lowest = level - 2 width > 0."""
    a, b = level, math.sqrt(lowest * (level + 2.0 * width))
    for _ in range(40):
        a, b = 0.5 * (a + b), math.sqrt(a * b)
        if abs(a - b) <= 1e-15 * a:
            break
    x = width / level
    if x < 0.01:  # the difference below would lose digits
        return 1.0 / a, x * (1.0 + x * x * (2.25 + x * x * (6.25 + x * x * 19.140625))) / level
    return 1.0 / a, (level / a - 1.0) / width


@kernel
def cotangents(v, delta):
    """c+ and c-."""
    away = CRITICAL - delta
    lowest = 2.0 * math.sin(away + v) * math.sin(away - v)
    one, gamma = clean_averages(math.cos(2.0 * v), 0.5 * math.sin(2.0 * delta), lowest)
    half, rest = 0.5 * gamma * math.sin(2.0 * away), one * math.sin(2.0 * v)
    return rest + half, rest - half


@kernel
def shift(c, balance, t):
    """The phase phi - psi for cot(psi/2) = c; balance: +-(1 - 2 p) in the channels +-; t = tanh K."""
    u = 1.0 + t * t
    root = math.sqrt(u * u - (2.0 * t * balance) ** 2 + 4.0 * c * t * (balance * (1.0 - t * t) + c * t))
    y = 2.0 * (c - balance * t) / (u + root)  # cot(phi/2)
    return 2.0 * math.atan2(c - y, 1.0 + c * y)


@kernel
def shifts(v, delta, balance, t):
    """S+ and S-."""
    plus, minus = cotangents(v, delta)
    return shift(plus, balance, t), shift(minus, -balance, t)


@kernel
def clean_lattice(v, balance, t):
    """(delta, theta) at v; theta = -1 where there is no solution. By false position (Illinois)."""
    alpha = 2.0 * math.atan(t)
    if balance * math.sin(alpha) > SQRT_HALF:  # beyond the clean critical point
        low, high = CRITICAL + v, alpha
        low += 1e-13 * (high - low)
    else:
        low, high = 0.0, min(alpha, (CRITICAL - v) * (1.0 - 1e-13))
    if not low < high:
        return high, -1.0
    plus, minus = shifts(v, low, balance, t)
    at_low = 0.5 * (plus - minus) - low
    plus, minus = shifts(v, high, balance, t)
    at_high = 0.5 * (plus - minus) - high
    if at_low < -SOLVED or at_high > SOLVED:
        return high, -1.0
    delta, side = high, 0
    if at_low <= SOLVED:
        delta = low
    elif at_high < -SOLVED:
        for _ in range(100):
            delta = high - at_high * (high - low) / (at_high - at_low)
            plus, minus = shifts(v, delta, balance, t)
            value = 0.5 * (plus - minus) - delta
            if value > 0.0:
                low, at_low = delta, value
                at_high *= 0.5 if side == 1 else 1.0
                side = 1
            else:
                high, at_high = delta, value
                at_low *= 0.5 if side == -1 else 1.0
                side = -1
            if abs(value) < 1e-15 or high - low < 1e-15:
                break
    plus, minus = shifts(v, delta, balance, t)
    return delta, v - 0.5 * (plus + minus)


@kernel
def edges(balance, t, gap):
    """Largest theta up to which there are no zeros, 0 where there is no gap: maximum over v, by golden section.

    balance: 1 - 2 p; t: tanh K; gap: overwritten; all of shape (n,).
    """
    for k in range(t.size):
        alpha = 2.0 * math.atan(t[k])
        a, b = 0.0, CRITICAL
        if balance[k] * math.sin(alpha) > SQRT_HALF:
            b = alpha - CRITICAL
        x, y = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        _, at_x = clean_lattice(x, balance[k], t[k])
        _, at_y = clean_lattice(y, balance[k], t[k])
        while b - a > 1e-8:
            if at_x >= at_y or at_y == -1.0:  # beyond the last solution it is too far
                b, y, at_y = y, x, at_x
                x = b - GOLDEN * (b - a)
                _, at_x = clean_lattice(x, balance[k], t[k])
            else:
                a, x, at_x = x, y, at_y
                y = a + GOLDEN * (b - a)
                _, at_y = clean_lattice(y, balance[k], t[k])
        gap[k] = max(at_x, at_y, 0.0)


@kernel
def clean_lattices(v, balance, t, delta, theta):
    """`clean_lattice` for arrays of shape (n,), the last two overwritten."""
    for k in range(t.size):
        delta[k], theta[k] = clean_lattice(v, balance[k], t[k])


class Effective(NamedTuple):
    """The theory at z = 1; arrays of shape (n,)."""

    gap: Array  # edge of the gap, 0 where there is none
    zeros_at_one: Array  # density of zeros there, normalised to one on the circle
    strength: Array  # delta of the clean lattice, stable where there is a gap
    log_partition: Array  # ln Z per spin of the same
    correlation: Array  # mean of J <s s> over bonds of the same
    residual: Array


def closing(fraction: Array, coldest: float, hottest: float) -> Array:
    """The temperature below which there is no gap, shape (n,): where theta stops growing with v at v = 0."""
    balance = 1 - 2 * fraction

    def growth(temperature: Array, k: NDArray[np.int64]) -> Array:
        delta, theta = np.empty(k.size), np.empty(k.size)
        clean_lattices(1e-4, balance[k], np.tanh(1 / temperature), delta, theta)
        return theta

    with np.errstate(divide="ignore", invalid="ignore"):
        ordering = 2 / np.arctanh(SQRT_HALF / balance)
    low = np.where(ordering > coldest, ordering, coldest)
    return bracketed_roots(growth, low, np.full(fraction.size, hottest))


def density(fraction: float, coupling: float, angle: Array) -> Array:
    """Zeros per radian at angles of shape (n,). They are the same at -theta, theta + pi/2 and pi/2 - theta."""
    folded, place = np.unique(np.round(np.abs((angle + CRITICAL) % (2 * CRITICAL) - CRITICAL), 9), return_inverse=True)
    p, k = np.full(folded.size, fraction), np.full(folded.size, coupling)
    inside = folded > effective(p[:1], k[:1]).gap[0]
    m = mean_amplitude(p[inside], k[inside])
    found = np.zeros(folded.size)
    found[inside] = density_of(solve(m, folded[inside], DRAWN)[0], m, folded[inside])
    return found[place.ravel()]


def effective(fraction: Array, coupling: Array) -> Effective:
    """Solve at z = 1. fraction: p in [0, 1/2]; coupling: K > 0; shape (n,)."""
    balance, t = 1 - 2 * fraction, np.tanh(coupling)
    gap, delta, zero = np.empty(t.size), np.empty(t.size), np.zeros(t.size)
    edges(balance, t, gap)
    gap = np.where(fraction == 0, np.abs(2 * np.arctan(t) - CRITICAL), gap)
    clean_lattices(0.0, balance, t, delta, zero.copy())
    lowest = 2 * np.sin(CRITICAL - delta) ** 2
    c = 0.5 * averages(np.ones(t.size), np.sin(2 * delta) / 2, lowest)[1] * np.sin(2 * (CRITICAL - delta))
    phase = np.exp(1j * delta)
    m = mean_amplitude(fraction, coupling)
    r = phase * (c + 1j) / (c - 1j)
    residual = np.abs(passed((r, np.conj(r)), m)[0] * phase - 1)
    width = np.maximum(np.sin(2 * delta), 1e-100)
    log_determinant = np.log(width) + lattice_log_determinant(2 * lowest / width, triangular=False)
    log_determinant -= 4 * np.log(np.abs(2 / (c - 1j)))
    turning = np.zeros(t.size)
    for sign, weight in ((1, 1 - fraction), (-1, fraction)):
        factor = (1 / np.cosh(2 * coupling) - 1j * sign * np.tanh(2 * coupling)) * r
        log_determinant += 4 * weight * np.log(np.abs(1 - factor))
        turning += 2 * weight * sign * (1j * factor / (1 - factor)).real
    log_cosh = np.logaddexp(2 * coupling, -2 * coupling) - math.log(2)
    filled = np.flatnonzero(gap < CLOSED)
    zeros = np.zeros(t.size)
    mirrors, error = solve(m[filled], zero[filled])
    zeros[filled] = density_of(mirrors, m[filled], zero[filled])
    residual[filled] = np.maximum(residual[filled], error)
    return Effective(
        np.where(gap < CLOSED, 0.0, gap),
        zeros,
        delta,
        0.5 * math.log(2) + log_cosh + 0.5 * log_determinant,
        np.tanh(2 * coupling) + turning / np.cosh(2 * coupling),
        residual,
    )
