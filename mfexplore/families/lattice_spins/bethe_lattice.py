r"""Ising ferromagnet on the Bethe lattice, a tree where every site has c neighbours, and by mean field (coupling 1).

Each neighbour sends a field $u$, the same for all, which solves $u=T\,\mathrm{artanh}[\tanh\frac1T\,
\tanh\frac{h+(c-1)u}T]$. The right side is concave for $u>0$, so Newton's rule from the largest possible value, $u=1$,
descends to the largest root without stepping over it. So it does for mean field, $m=\tanh\frac{h+cm}T$, from $m=1$,
where the field of a neighbour is $u=m$.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.kernel import kernel

Array = NDArray[Any]
LN2 = 0.6931471805599453


class Ordered(NamedTuple):
    """The state magnetized along the field, or upwards without one, per site: numbers, or arrays of shape (n,).

    cavity_field: u, the field of one neighbour; residual: how well the equation is solved.
    """

    cavity_field: Any
    magnetization: Any
    energy: Any
    specific_heat: Any
    free_energy: Any
    residual: Any


@kernel
def log_cosh(x):
    """The logarithm of cosh x, without overflow."""
    a = abs(x)
    return a + math.log1p(math.exp(-2.0 * a)) - LN2


@kernel
def bethe_lattice(t, h, c):
    """The tree at temperature t > 0, field h >= 0, with c >= 2 neighbours (a float)."""
    k, b = 1.0 / t, h / t
    w = 0.0  # u / t
    residual = 0.0
    if h > 0.0 or (c - 1.0) * math.tanh(k) > 1.0:
        w = k
        for _ in range(200):
            a = b + (c - 1.0) * w
            residual = 0.5 * (log_cosh(k + a) - log_cosh(k - a)) - w
            slope = 0.5 * (c - 1.0) * (math.tanh(k + a) + math.tanh(k - a)) - 1.0
            step = residual / slope if slope < 0.0 else 0.0
            w -= step
            if abs(step) <= 1e-16 * k:
                break
    a, x = b + (c - 1.0) * w, b + c * w
    bond, theta, m = math.tanh(k), math.tanh(a), math.tanh(x)
    pair = (bond + theta * theta) / (1.0 + bond * theta * theta)
    by_a, by_k = 0.5 * (math.tanh(k + a) + math.tanh(k - a)), 0.5 * (math.tanh(k + a) - math.tanh(k - a))
    # Derivatives by 1/t at fixed h
    w_slope = (by_k + by_a * h) / (1.0 - (c - 1.0) * by_a) if w > 0.0 else 0.0
    a_slope, x_slope = h + (c - 1.0) * w_slope, h + c * w_slope
    scale = (1.0 + bond * theta * theta) ** 2
    pair_slope = (1.0 - bond * bond) * (1.0 - theta**4) / scale
    pair_slope += (1.0 - bond * bond) / scale * 2.0 * theta * (1.0 - theta * theta) * a_slope
    heat = k * k * (0.5 * c * pair_slope + h * (1.0 - m * m) * x_slope)
    gain = LN2 + (1.0 - 0.5 * c) * log_cosh(x) + 0.5 * c * (log_cosh(k) + log_cosh(a) - log_cosh(w))
    return Ordered(w * t, m, -0.5 * c * pair - h * m, heat, -t * gain, abs(residual) * t)


@kernel
def mean_field_root(temperature, field, coupling):
    """Largest root of m = tanh((Jm + h)/T). Where Jm + h > 0 the residual is convex, so Newton from m = 1 descends to
    it without ever stepping over it. Returns (root, iterations).
    """
    m = 1.0
    for iteration in range(200):
        t = math.tanh((coupling * m + field) / temperature)
        slope = 1.0 - coupling / temperature * (1.0 - t * t)
        step = (m - t) / slope if slope > 0.0 else 0.0
        m -= step
        if abs(step) <= 1e-16:
            break
    return m, iteration + 1


@kernel
def mean_field(t, h, c):
    """The same by mean field."""
    m = 0.0
    if h > 0.0 or t < c:
        m, _ = mean_field_root(t, h, c)
    local = c * m + h
    rest = 1.0 - math.tanh(local / t) ** 2
    heat = local * local * rest / (t * (t - c * rest)) if m > 0.0 else 0.0
    free = 0.5 * c * m * m - t * (log_cosh(local / t) + LN2)
    return Ordered(m, m, -0.5 * c * m * m - h * m, heat, free, abs(m - math.tanh(local / t)))


@kernel
def solve_points(on_a_tree, temperature, field, coordination, out):
    """`bethe_lattice` or `mean_field` at every point; out: shape (6, n), in the order of `Ordered`."""
    c = float(coordination)
    for i in range(temperature.size):
        t, h = temperature[i], abs(field[i])
        ground = -0.5 * c - h
        found = Ordered(1.0, 1.0, ground, 0.0, ground, 0.0)
        if t > 0.0:
            found = bethe_lattice(t, h, c) if on_a_tree else mean_field(t, h, c)
        sign = -1.0 if field[i] < 0.0 else 1.0
        out[0, i], out[1, i] = sign * found.cavity_field, sign * found.magnetization
        out[2, i], out[3, i] = found.energy, found.specific_heat
        out[4, i], out[5, i] = found.free_energy, found.residual


def ordered(on_a_tree: bool, temperature: Array, field: Array, coordination: int) -> Ordered:
    """The Bethe lattice, or mean field, at temperatures >= 0 and fields of any sign, both of shape (n,)."""
    out = np.empty((6, temperature.size))
    solve_points(on_a_tree, temperature, field, coordination, out)
    return Ordered(*out)


def critical_temperature(on_a_tree: bool, coordination: int) -> float:
    """Below it there are two states without a field."""
    return 1 / math.atanh(1 / (coordination - 1)) if on_a_tree else float(coordination)


def spinodal_field(on_a_tree: bool, temperature: Array, coordination: int) -> Array:
    """Field at which the state against it ceases to exist; above the critical temperature T_c, the number T_c - T."""
    t, c = np.asarray(temperature, np.float64), coordination
    critical = critical_temperature(on_a_tree, c)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if on_a_tree:
            k = np.minimum(1 / t, 300)  # from there on the result is that of zero temperature
            a = 0.5 * np.arccosh((c - 1) * np.sinh(2 * k) - np.cosh(2 * k))
            w = 0.5 * (np.logaddexp(k + a, -k - a) - np.logaddexp(k - a, a - k))
            found = np.where(t > 0, ((c - 1) * w - a) / k, c - 2)
        else:
            m = np.sqrt(1 - t / c)
            found = np.where(t > 0, c * m - t * np.arctanh(m), c)
    return np.where(t < critical, np.nan_to_num(found), critical - t)
