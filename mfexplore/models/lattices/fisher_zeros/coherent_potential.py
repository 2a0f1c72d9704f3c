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
and must do so by that of $w_\pm$: $f\equiv\frac12(S_+-S_-)-\delta=0$, $\theta=v-\frac12(S_++S_-)$. At $\theta=0$,
$v=0$, and $\delta$ is the clean lattice that the signs amount to. The edge of the gap is where $\theta$ is largest on
the curve $f=0$, which is followed from there.
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
DEEPEST = 60.0  # depth at which the edge of the clean band is reached
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
    r = x[:, 0] + 1j * x[:, 1], x[:, 2] + 1j * x[:, 3]
    beyond = np.abs(r[0]) > 1  # accelerated into the mirror image of the solution in the circle
    return (np.where(beyond, 1 / np.conj(r[0]), r[0]), np.where(beyond, 1 / np.conj(r[1]), r[1])), residual


def density_of(r: tuple[Array, Array], m: Array, angle: Array) -> Array:
    """Zeros per radian, normalised to one on the circle."""
    g = green(passed(r, m), np.exp(-1j * angle))
    return np.asarray(np.maximum((g[0] + g[1]).real - 1, 0) / (2 * math.pi))


# -- inside a gap ------------------------------------------------------------------------------------------------------


@kernel
def cotangents(v, depth, ordered):
    """(delta, c+, c-), where depth = artanh(sin 2 delta/cos 2v) is infinite at the edge of the clean band."""
    level = math.cos(2.0 * v)
    modulus = math.tanh(depth)
    a, b = 1.0, 1.0 / math.cosh(depth)
    for _ in range(60):
        a, b = 0.5 * (a + b), math.sqrt(a * b)
        if abs(a - b) <= 1e-15 * a:
            break
    if modulus < 0.02:  # the difference below would lose digits
        x = 0.25 * modulus * modulus
        gamma = 0.5 * modulus * (1.0 + x * (2.25 + x * (6.25 + x * 19.140625))) / level
    else:
        gamma = 2.0 * (1.0 / a - 1.0) / (modulus * level)
    cosine = math.hypot(math.sin(2.0 * v), level / math.cosh(depth))
    delta = 0.5 * math.atan2(modulus * level, cosine)
    if ordered:
        delta, cosine = 0.5 * math.pi - delta, -cosine
    half, rest = 0.5 * gamma * cosine, math.sin(2.0 * v) / (a * level)
    return delta, rest + half, rest - half


@kernel
def shift(c, balance, t):
    """The phase phi - psi for cot(psi/2) = c; balance: +-(1 - 2 p) in the channels +-; t = tanh K."""
    u = 1.0 + t * t
    root = math.sqrt(u * u - (2.0 * t * balance) ** 2 + 4.0 * c * t * (balance * (1.0 - t * t) + c * t))
    y = 2.0 * (c - balance * t) / (u + root)  # cot(phi/2)
    return 2.0 * math.atan2(c - y, 1.0 + c * y)


@kernel
def mismatch(v, depth, balance, t, ordered):
    """(f, theta): f = 0 is what S+ - S- must be."""
    delta, plus, minus = cotangents(v, depth, ordered)
    plus, minus = shift(plus, balance, t), shift(minus, -balance, t)
    return 0.5 * (plus - minus) - delta, v - 0.5 * (plus + minus)


@kernel
def clean_depth(balance, t, ordered):
    """The depth at v = 0, where f falls with delta: by bisection, for t > 0."""
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        f, _ = mismatch(0.0, middle, balance, t, ordered)
        if (f > 0.0) != ordered:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@kernel
def first_growth(depth, balance, t, ordered):
    """How theta grows with v at v = 0, where delta does not change: 1 - 2 I dS/dc."""
    h = 1e-5
    _, c, _ = cotangents(0.0, depth, ordered)
    _, plus, minus = cotangents(h, depth, ordered)
    one = 0.25 * (plus + minus) / h
    return 1.0 - one * (shift(c + h, balance, t) - shift(c - h, balance, t)) / h


@kernel
def slopes(v, depth, balance, t, ordered):
    """Derivatives of f and theta by v and depth, in this order."""
    h = 1e-6
    f1, theta1 = mismatch(v + h, depth, balance, t, ordered)
    f2, theta2 = mismatch(v - h, depth, balance, t, ordered)
    f3, theta3 = mismatch(v, depth + h, balance, t, ordered)
    f4, theta4 = mismatch(v, depth - h, balance, t, ordered)
    return 0.5 * (f1 - f2) / h, 0.5 * (f3 - f4) / h, 0.5 * (theta1 - theta2) / h, 0.5 * (theta3 - theta4) / h


@kernel
def onto_curve(v, depth, balance, t, ordered):
    """The nearest point with f = 0, the direction of the curve there, and how theta grows along it."""
    for _ in range(8):
        f, _ = mismatch(v, depth, balance, t, ordered)
        f_v, f_depth, theta_v, theta_depth = slopes(v, depth, balance, t, ordered)
        norm = f_v * f_v + f_depth * f_depth
        v, depth = v - f * f_v / norm, depth - f * f_depth / norm
        if abs(f) < 1e-12:
            break
    norm = math.sqrt(norm)
    along_v, along_depth = -f_depth / norm, f_v / norm
    if ordered:
        along_v, along_depth = -along_v, -along_depth
    return v, depth, along_v, along_depth, theta_v * along_v + theta_depth * along_depth


@kernel
def edges(balance, t, depth, growth, gap):
    """Largest theta up to which there are no zeros, 0 where there is no gap: the curve f = 0 is followed from v = 0 to
    where theta is largest.

    balance: 1 - 2 p; t: tanh K; depth and growth of theta at v = 0: overwritten; all of shape (n,). gap: overwritten,
    or empty where it is not asked for.
    """
    for k in range(t.size):
        q, u = balance[k], t[k]
        ordered = q * 2.0 * u / (1.0 + u * u) > SQRT_HALF
        depth[k] = clean_depth(q, u, ordered)
        growth[k] = first_growth(depth[k], q, u, ordered)
        if gap.size == 0:
            continue
        gap[k] = 0.0
        if growth[k] <= 0.0:
            continue
        v, x, along_v, along_x = 0.0, depth[k], 1.0, 0.0  # delta and depth are even in v
        step, low, high = 0.02, 0.0, 0.0
        new_v, new_x = v, x
        for _ in range(400):
            length = 0.5 * (low + high) if high > 0.0 else step
            new_v, new_x, new_along_v, new_along_x, here = onto_curve(
                v + length * along_v, x + length * along_x, q, u, ordered
            )
            if high > 0.0:  # the place where theta stops growing is between two points of the curve
                if here > 0.0:
                    low = length
                else:
                    high = length
                if high - low < 1e-7:
                    break
            elif new_along_v * along_v + new_along_x * along_x < 0.9:  # too far round a bend
                step *= 0.5
            elif here <= 0.0 or new_x > DEEPEST:
                high = step
            else:
                v, x, along_v, along_x = new_v, new_x, new_along_v, new_along_x
                step *= 1.3
        _, gap[k] = mismatch(new_v, new_x, q, u, ordered)


@kernel
def reflected(r, m):
    """(what returns from the lattice whose bonds are as they must be in front of r, g+): channel + at z = 1, where
    channel - is its complex conjugate.
    """
    w = (m - r) / (1.0 - m.conjugate() * r)
    square, width = abs(w) ** 4, -(w * w).imag
    level, x = 1.0 + square, abs(width) / (1.0 + square)
    a, b = level, math.sqrt(max(level - 2.0 * width, 0.0) * (level + 2.0 * width))
    for _ in range(60):
        a, b = 0.5 * (a + b), math.sqrt(a * b)
        if abs(a - b) <= 1e-15 * a:
            break
    if x < 0.01:
        gamma = width / level**2 * (1.0 + x * x * (2.25 + x * x * (6.25 + x * x * 19.140625)))
    else:
        gamma = (level / a - 1.0) / width
    g = 1.0 - square / a + 0.5j * w * w * gamma
    return (1.0 - 1.0 / g) / w, g


@kernel
def densities_at_one(m, density, residual):
    """Zeros per radian at z = 1 where they reach it: repeated, and by Newton where that comes nearer. Arrays of shape
    (n,), the last two overwritten.
    """
    for k in range(m.size):
        r = 0j
        error = 1.0
        for step in range(2000):
            image, g = reflected(r, m[k])
            error = abs(image - r)
            if error < SOLVED:
                break
            following = image
            if step % 4 == 3:
                by_x, by_y = reflected(r + 1e-7, m[k])[0] - image, reflected(r + 1e-7j, m[k])[0] - image
                a, b = by_x.real * 1e7 - 1.0, by_y.real * 1e7
                c, d = by_x.imag * 1e7, by_y.imag * 1e7 - 1.0
                change, determinant = image - r, a * d - b * c
                newton = r - complex(
                    (d * change.real - b * change.imag) / determinant, (a * change.imag - c * change.real) / determinant
                )
                if abs(newton) < 1.0 and abs(reflected(newton, m[k])[0] - newton) < 0.5 * error:
                    following = newton
            r = following
        density[k], residual[k] = max(2.0 * g.real - 1.0, 0.0) / (2.0 * math.pi), error


class Effective(NamedTuple):
    """The theory at z = 1; arrays of shape (n,)."""

    gap: Array  # edge of the gap, 0 where there is none
    zeros_at_one: Array  # density of zeros there, normalised to one on the circle
    strength: Array  # delta of the clean lattice, stable where there is a gap
    log_partition: Array  # ln Z per spin of the same
    correlation: Array  # mean of J <s s> over bonds of the same
    residual: Array


def closing(fraction: Array, coldest: float, hottest: float) -> Array:
    """The temperature below which there is no gap, shape (n,): where theta does not grow with v at v = 0."""
    balance = 1 - 2 * fraction

    def growth(temperature: Array, k: NDArray[np.int64]) -> Array:
        found, depth = np.empty(k.size), np.empty(k.size)
        edges(balance[k], np.tanh(1 / temperature), depth, found, np.empty(0))
        return found

    with np.errstate(divide="ignore", invalid="ignore"):
        ordering = 2 / np.arctanh(SQRT_HALF / balance)
    low = np.where(ordering > coldest, ordering, coldest)
    return bracketed_roots(growth, low, np.full(fraction.size, hottest))


def density(fraction: float, coupling: float, angle: Array) -> Array:
    """Zeros per radian at angles of shape (n,). They are the same at -theta, theta + pi/2 and pi/2 - theta."""
    folded, place = np.unique(np.round(np.abs((angle + CRITICAL) % (2 * CRITICAL) - CRITICAL), 9), return_inverse=True)
    p, k = np.full(folded.size, fraction), np.full(folded.size, coupling)
    gap = effective(p[:1], k[:1]).gap[0]
    inside = folded >= gap
    m = mean_amplitude(p[inside], k[inside])
    found = np.zeros(folded.size)
    found[inside] = density_of(solve(m, folded[inside], DRAWN)[0], m, folded[inside])
    return found[place.ravel()]


def effective(fraction: Array, coupling: Array) -> Effective:
    """Solve at z = 1. fraction: p in [0, 1/2]; coupling: K > 0; shape (n,)."""
    balance, t = 1 - 2 * fraction, np.tanh(coupling)
    gap, depth = np.empty(t.size), np.empty(t.size)
    edges(balance, t, depth, np.empty(t.size), gap)
    gap = np.where(fraction == 0, np.abs(2 * np.arctan(t) - CRITICAL), gap)
    modulus, cosine, lowest = np.tanh(depth), 1 / np.cosh(depth), 2 / (1 + np.exp(2 * depth))
    cosine = np.where(balance * np.tanh(2 * coupling) > SQRT_HALF, -cosine, cosine)
    delta = np.arctan2(modulus, cosine) / 2
    c = 0.5 * averages(np.ones(t.size), modulus / 2, lowest)[1] * cosine
    phase = np.exp(1j * delta)
    m = mean_amplitude(fraction, coupling)
    r = phase * (c + 1j) / (c - 1j)
    residual = np.abs(passed((r, np.conj(r)), m)[0] * phase - 1)
    width = np.maximum(modulus, 1e-100)
    log_determinant = np.log(width) + lattice_log_determinant(2 * lowest / width, triangular=False)
    log_determinant -= 4 * np.log(np.abs(2 / (c - 1j)))
    turning = np.zeros(t.size)
    for sign, weight in ((1, 1 - fraction), (-1, fraction)):
        factor = (1 / np.cosh(2 * coupling) - 1j * sign * np.tanh(2 * coupling)) * r
        log_determinant += 4 * weight * np.log(np.abs(1 - factor))
        turning += 2 * weight * sign * (1j * factor / (1 - factor)).real
    log_cosh = np.logaddexp(2 * coupling, -2 * coupling) - math.log(2)
    filled = np.flatnonzero(gap < CLOSED)
    zeros, errors = np.zeros(t.size), np.empty(filled.size)
    found = np.empty(filled.size)
    densities_at_one(m[filled], found, errors)
    zeros[filled], residual[filled] = found, np.maximum(residual[filled], errors)
    return Effective(
        np.where(gap < CLOSED, 0.0, gap),
        zeros,
        delta,
        0.5 * math.log(2) + log_cosh + 0.5 * log_determinant,
        np.tanh(2 * coupling) + turning / np.cosh(2 * coupling),
        residual,
    )
