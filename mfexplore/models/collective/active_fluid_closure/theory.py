"""Closures of the kinetic theory of rods: what the fourth harmonic is, given the second; steady states in a flow."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import ive

from mfexplore.core import Array
from mfexplore.core.bracketing import bisected

KINETIC, BINGHAM, LEARNED, BROADLY, QUADRATIC, LINEAR = range(6)
MODES = 60  # harmonics of the kinetic theory in a steady flow
TAUGHT = np.geomspace(0.1, 60, 60)  # shear rates from which the closure is learnt


def harmonics(strain: Array, vorticity: Array, count: int = MODES) -> Array:
    """The first harmonics <exp(2 i n theta)> of rods in a steady flow, n = 1 to `count`; shape (count, *strain.shape).

    Stationary, eq. (2) is a recursion with three terms, so that their ratios are a continued fraction.
    """
    ratios = np.zeros((count + 2, *np.shape(strain)), complex)
    for n in range(count, 0, -1):
        ratios[n] = strain / (4 * n - 1j * vorticity + np.conj(strain) * ratios[n + 1])
    return np.asarray(np.cumprod(ratios[1:-1], axis=0))


def concentration(order: Array) -> Array:
    """The xi of an order S = I1(xi) / I0(xi): Newton's method, from where both ends are right. 0 <= order < 1."""
    s = np.minimum(np.asarray(order, np.float64), 1 - 1e-9)
    xi = s * (2 - s * s) / (1 - s * s)
    for _ in range(30):
        ratio = ive(1, xi) / ive(0, xi)
        slope = 1 - ratio**2 - np.divide(ratio, xi, out=np.full_like(xi, 0.5), where=xi > 1e-9)
        step = (ratio - s) / slope
        xi = np.maximum(xi - step, 0)
        if np.all(np.abs(step) <= 1e-12 * (1 + xi)):
            break
    return np.asarray(xi)


def bingham(square: Array) -> Array:
    """The closure z4 = z^2 g of a Bingham law, g = (1 - 2S/xi) / S^2, of S^2; 1/2 for small S."""
    s = np.sqrt(np.asarray(square, np.float64))
    xi = np.maximum(concentration(s), 1e-12)
    safe = np.maximum(s, 1e-12)
    return np.where(s > 3e-3, ive(2, xi) / ive(0, xi) / safe**2, 0.5 + s * s / 6)


@cache
def learnt(broadly: bool = False) -> tuple[float, float, float]:
    """Coefficients of g = c0 + c1 S^2 + c2 S^4, by least squares from the kinetic theory of 60 shears.

    broadly: of 60 flows with as much shear, of each amount of rotation from none to that of shear.
    """
    rate, rotation = np.meshgrid(TAUGHT, np.linspace(0, 1, 11) if broadly else [1.0])
    z, z4 = harmonics(0.5j * rate.ravel(), -(rotation * rate).ravel())[:2]
    square = np.abs(z) ** 2
    powers = np.stack([np.ones_like(square), square, square**2], axis=1)
    found = np.linalg.lstsq(powers, (z4 / z**2).real, rcond=None)[0]
    return float(found[0]), float(found[1]), float(found[2])


def polynomial(square: Array, broadly: bool = False) -> Array:
    """A learnt closure, of S^2."""
    c0, c1, c2 = learnt(broadly)
    return np.asarray(c0 + square * (c1 + square * c2))


@cache
def _table() -> Array:
    return bingham(np.linspace(0, 1, 4001) ** 2)


def quick_bingham(square: Array) -> Array:
    """The same as `bingham` from a table, for fields."""
    return np.interp(np.sqrt(square), np.linspace(0, 1, 4001), _table())


GIVEN: dict[int, Callable[[Array], Array]] = {
    BINGHAM: bingham,
    LEARNED: polynomial,
    BROADLY: lambda square: polynomial(square, broadly=True),
    LINEAR: np.zeros_like,
}


def turning(z: Array, strain: Array, closure: int, given: Callable[[Array], Array] | None = None) -> Array:
    """What a strain does to z by a closure: strain - conj(strain) z4, or what the quadratic one has for it."""
    if closure == QUADRATIC:
        return np.asarray(2 * strain - 2 * z * (np.conj(strain) * z).real)
    g = (given or GIVEN[closure])(np.minimum(np.abs(z) ** 2, 1.0))
    return np.asarray(strain - np.conj(strain) * z**2 * g)


def steady(strain: Array, vorticity: Array, closure: int) -> tuple[Array, Array]:
    """(z, residual) at rest in a flow with an imaginary rate of strain iE, E > 0, by a closure; all of shape (n,).

    Given g, z is the root of a quadratic equation, which falls with g, as g rises with S: one scalar is bisected.
    """
    e, loss = np.imag(strain), 4 - 1j * vorticity

    def root(g: Array | float) -> Array:
        return np.asarray(2j * e / (loss + np.sqrt(loss**2 + 4 * e**2 * g)))

    def from_guess(guess: Array) -> Array:
        if closure == QUADRATIC:  # z (loss + 2E Im z) = 2iE, of Im z
            return np.asarray(2j * e / (loss + 2 * e * guess))
        if closure == BINGHAM:  # of xi
            mean = ive(1, guess) / ive(0, guess)
            return root(ive(2, guess) / ive(0, guess) / mean**2)
        return root(GIVEN[closure](guess**2))

    low = np.full_like(e, 1e-9)
    high = e + 1 if closure == BINGHAM else np.ones_like(e)
    for _ in range(54):
        middle = (low + high) / 2
        z = from_guess(middle)
        if closure == QUADRATIC:
            above = z.imag > middle
        else:
            above = np.abs(z) > (ive(1, middle) / ive(0, middle) if closure == BINGHAM else middle)
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    z = root(0.0) if closure == LINEAR else from_guess((low + high) / 2)
    if closure == QUADRATIC:
        gap = z * loss - 2j * e + 2 * e * z * z.imag
    else:
        gap = z * loss - 1j * e - 1j * e * z**2 * (0.0 if closure == LINEAR else GIVEN[closure](np.abs(z) ** 2))
    return z, np.abs(gap) / (1 + e)


def nematic_order(alignment: Array, closure: int) -> Array:
    """S at rest without flow, where rods align with each other at the rate `alignment`; 0 where they do not."""
    zeta = np.asarray(alignment, np.float64)
    if closure == LINEAR:  # knows no end of it
        return np.where(zeta > 4, 1.0, 0.0)
    if closure == QUADRATIC:
        return np.sqrt(np.maximum(1 - 2 / np.maximum(zeta, 1e-9), 0))
    low, high = np.zeros_like(zeta), np.full_like(zeta, 1 - 1e-9)

    def above(s: Array) -> Array:  # whether S decays: zeta (1 - S^2 g) < 4
        if closure in (LEARNED, BROADLY):
            return np.asarray(zeta * (1 - s**2 * polynomial(s**2, closure == BROADLY)) < 4)
        x = zeta * s / 2  # exact, and that of Bingham: S = I1/I0 of zeta S / 2
        return np.asarray(ive(1, x) < s * ive(0, x))

    return np.where(zeta > 4, bisected(above, high, low, 60), 0.0)
