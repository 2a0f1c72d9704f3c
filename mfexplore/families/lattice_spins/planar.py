r"""Exact solutions of the Ising ferromagnet on planar lattices without a field (coupling 1, K = 1/T).

Square (Onsager 1944, Yang 1952) and triangular lattice (Houtappel 1950) come from the logarithmic determinant of a free
field; honeycomb and kagome lattice from the triangular one, by summing out sites (star and triangle; decoration). A
square lattice of finite size, on a torus, was solved by Kaufman (1949).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.lattice_spins.lattice_green import green, log_determinant
from mfexplore.numerics.space.lattices import CRYSTALS

Array = NDArray[Any]
COLDEST = 0.05  # below, excitations are rarer than e^-100

Series = tuple[Array, Array, Array]  # a function of the coupling with its first and second derivative


def planar(prefactor: float, log_scale: Series, delta: Series, triangular: bool) -> Series:
    """The sum ln 2 + prefactor [ln scale + Phi(kappa)] with derivatives; delta = kappa - kappa_c is at least 0."""
    d = np.maximum(delta[0], 1e-300)
    g, g_slope = green(d, triangular)
    # At T_c itself kappa' = 0 and G = infinity; their product vanishes there.
    first = np.where(delta[0] > 0, g * delta[1], 0)
    second = np.where(delta[0] > 0, g_slope * delta[1] ** 2 + g * delta[2], math.inf)
    value = math.log(2) + prefactor * (log_scale[0] + log_determinant(d, triangular))
    return value, prefactor * (log_scale[1] + first), prefactor * (log_scale[2] + second)


def square_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K."""
    c, s = np.cosh(2 * k), np.sinh(2 * k)
    delta = (s - 1) ** 2 / s, 2 * c * (1 - s**-2), 4 * s * (1 - s**-2) + 8 * c**2 * s**-3
    return planar(0.5, (np.log(s), 2 * c / s, -4 / s**2), delta, triangular=False)


def triangular_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K."""
    w, rest = np.exp(4 * k), np.expm1(4 * k)
    c, s = np.cosh(2 * k), np.sinh(2 * k)
    slope, curvature = 0.5 - 2 / rest**2, 4 / rest**3
    delta = (w - 3) ** 2 / (2 * rest), 4 * w * slope, 16 * w * slope + 16 * w**2 * curvature
    return planar(0.5, (np.log(s), 2 * c / s, -4 / s**2), delta, triangular=True)


def chained(outer: Series, inner: Series) -> Series:
    """f(g(K)) with its derivatives, from those of f at g and those of g."""
    return outer[0], outer[1] * inner[1], outer[2] * inner[1] ** 2 + outer[1] * inner[2]


def summed(*terms: tuple[float, Series]) -> Series:
    a, b, c = (sum(weight * series[k] for weight, series in terms) for k in range(3))
    return np.asarray(a), np.asarray(b), np.asarray(c)


def log_cosh_series(x: Array, rate: float) -> Series:
    """The function ln 2 cosh(rate K) at x = rate K."""
    t = np.tanh(x)
    return np.logaddexp(x, -x), rate * t, rate**2 * (1 - t**2)


def star_to_triangle(k: Array) -> tuple[Series, Series]:
    """(K', ln A) of 2 cosh K(s1 + s2 + s3) = A exp K'(s1 s2 + s2 s3 + s3 s1)."""
    three, one = log_cosh_series(3 * k, 3.0), log_cosh_series(k, 1.0)
    return summed((0.25, three), (-0.25, one)), summed((0.25, three), (0.75, one))


def honeycomb_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K: half the sites form a triangular lattice."""
    inner, log_a = star_to_triangle(k)
    return summed((0.5, log_a), (0.5, chained(triangular_lattice(inner[0]), inner)))


def decoration(k: Array) -> tuple[Series, Series]:
    """(M, K') for the kagome lattice: e^(4K) = 2 cosh 2M - 1 and e^(2K') = cosh 2M, with derivatives by K."""
    w = np.exp(4 * k)
    y, s = (w + 1) / 2, np.sqrt((w - 1) * (w + 3)) / 2  # cosh and sinh of 2M
    y1, y2 = 2 * w, 8 * w
    m = 0.5 * np.arccosh(y), 0.5 * y1 / s, 0.5 * (y2 / s - y * y1**2 / s**3)
    inner = 0.5 * np.log(y), 0.5 * y1 / y, 0.5 * (y2 / y - y1**2 / y**2)
    return m, inner


def kagome_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K."""
    m, inner = decoration(k)
    log_b = summed((0.5, (2 * math.log(2) + 2 * inner[0], 2 * inner[1], 2 * inner[2])))
    log_a = chained(star_to_triangle(m[0])[1], m)
    return summed((2 / 3, chained(honeycomb_lattice(inner[0]), inner)), (1.0, log_b), (-2 / 3, log_a))


def triangular_magnetization(w: Array) -> Array:
    """Spontaneous magnetization of the triangular lattice, w = e^(4K)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.maximum((w - 3) * ((w + 1) / (w - 1)) ** 3 / (w + 3), 0) ** 0.125)


def exact_magnetization(lattice: str, k: Array) -> Array:
    """Spontaneous magnetization at K = 1/T."""
    if lattice == "square":
        return np.asarray(np.maximum(1 - np.sinh(2 * k) ** -4.0, 0) ** 0.125)
    if lattice == "triangular":
        return triangular_magnetization(np.exp(4 * k))
    if lattice == "honeycomb":
        return triangular_magnetization(2 * np.cosh(2 * k) - 1)
    y = (np.exp(4 * k) + 1) / 2
    # A decorating spin follows the two sites of the honeycomb lattice beside it.
    return np.asarray(triangular_magnetization(y + 1 / y - 1) * np.sqrt(1 - y**-2))


PLANAR = {
    "square": square_lattice,
    "triangular": triangular_lattice,
    "honeycomb": honeycomb_lattice,
    "kagome": kagome_lattice,
}


class Solved(NamedTuple):
    """What is known of an infinite lattice, per site; arrays of shape (n,)."""

    magnetization: Array
    energy: Array
    specific_heat: Array
    free_energy: Array


def exact_solution(lattice: str, temperature: Array) -> Solved:
    """The infinite lattice (a key of `PLANAR`) without a field, at temperatures >= 0 of shape (n,)."""
    t = np.maximum(temperature, COLDEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_z, slope, curvature = PLANAR[lattice](1 / t)
    cold = temperature < COLDEST
    ground = -0.5 * CRYSTALS[lattice].coordination
    return Solved(
        np.where(cold, 1, exact_magnetization(lattice, 1 / t)),
        np.where(cold, ground, -slope),
        np.where(cold, 0, np.maximum(curvature / t**2, 0)),
        np.where(cold, ground, -t * log_z),
    )


def torus(side: int, k: complex) -> complex:
    """(ln Z)/N of the square lattice on a torus without a field (Kaufman 1949), analytic in K."""
    angle = np.pi * np.arange(1, side) / side
    odd_angle = np.pi * (np.arange(side) + 0.5) / side

    def gamma(angles: Array) -> Array:
        x = np.cosh(2 * k) * np.cosh(2 * k) / np.sinh(2 * k) - np.cos(2 * angles)
        return np.asarray(np.log(x + np.sqrt(x * x - 1)))

    odd, even = 0.5 * side * gamma(odd_angle), 0.5 * side * gamma(angle)
    lowest = 0.5 * side * (2 * k + np.log(np.tanh(k)))  # changes sign at T_c
    sign = 1.0 if lowest.real >= 0 else -1.0
    rest = (even + np.log1p(np.exp(-2 * even))).sum(), (even + np.log1p(-np.exp(-2 * even))).sum()
    terms = (
        (1.0, (odd + np.log1p(np.exp(-2 * odd))).sum()),
        (1.0, (odd + np.log1p(-np.exp(-2 * odd))).sum()),
        (1.0, rest[0] + sign * lowest + np.log1p(np.exp(-2 * sign * lowest))),
        (sign, rest[1] + sign * lowest + np.log(1 - np.exp(-2 * sign * lowest))),
    )
    largest = max(x.real for _, x in terms)
    total = sum(s * np.exp(x - largest) for s, x in terms)
    return complex((largest + np.log(total) - math.log(2)) / side**2 + 0.5 * np.log(2 * np.sinh(2 * k)))


def torus_averages(side: int, temperature: float) -> dict[str, float]:
    """Energy, specific heat, free energy and entropy per site of the square lattice on a torus without a field."""
    t = max(temperature, 0.1)  # no larger box is excited below, to 16 digits
    k, tiny, step = 1 / t, 1e-20, 1e-4

    def slope(k: float) -> float:
        return torus(side, complex(k, tiny)).imag / tiny

    heat = (8 * (slope(k + step) - slope(k - step)) - slope(k + 2 * step) + slope(k - 2 * step)) / (12 * step)
    energy, free_energy = -slope(k), -t * torus(side, complex(k, 0)).real
    return {
        "energy": energy,
        "specific_heat": heat / t**2,
        "free_energy": free_energy,
        "entropy": (energy - free_energy) / t,
    }
