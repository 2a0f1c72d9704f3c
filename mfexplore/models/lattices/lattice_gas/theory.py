"""Bragg-Williams and Bethe theory of the lattice gas as one equation, in the units of the Ising model it is.

With n = (1 + s)/2 the lattice gas is an Ising model; in units of its coupling, a quarter of the attraction, it has the
temperature t = 4T and the field h = 2(mu + 2). Let lc be ln cosh and

    L(A, B) = [lc(A + B) - lc(A - B)]/2 = artanh(tanh A tanh B)

- Mean field with site energies spread evenly over (-D, D) is A = h/t + (c/D) L(A, D/t), with tA the mean local field
  and m = (t/D) L.
- On the Bethe lattice, tA being the field of a site with one neighbour removed, A = h/t + (c - 1) L(A, 1/t), with
  m = tanh(A + L).

So both are A = b + s L(A, B), B = D/t. The right side is concave for A > 0: Newton's rule from the largest possible A
descends to the largest root without stepping over it, and the state against the field ends where s dL/dA = 1, at
cosh 2A = s sinh 2B - cosh 2B.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import spence

from mfexplore.core import Array
from mfexplore.families.lattice_spins.bethe_lattice import log_cosh as log_cosh_of
from mfexplore.numerics.kernel import kernel

NEIGHBOURS = 4
EVEN = 1e-6  # spread of site energies of a surface without any
SERIES = 0.02  # below, averages over a spread are a series in it


def log_cosh(x: Array) -> Array:
    """The logarithm of cosh x; of a kernel's numbers it is `log_cosh_of`."""
    a = np.abs(x)
    return np.asarray(a + np.log1p(np.exp(-2 * a)) - np.log(2))


def passed(a: Array, b: Array) -> Array:
    """L(A, B)."""
    with np.errstate(divide="ignore"):
        small = np.arctanh(np.tanh(a) * np.tanh(b))
    return np.where((b < 0.1) | (np.abs(a) < 1), small, 0.5 * (log_cosh(a + b) - log_cosh(a - b)))


def slope(a: Array, b: Array) -> Array:
    """dL/dA; with A and B exchanged, dL/dB."""
    return np.asarray(0.5 * (np.tanh(a + b) - np.tanh(a - b)))


def averaged_log_cosh(a: Array, b: Array) -> Array:
    """Mean of ln cosh between A - B and A + B."""

    def integral(x: Array) -> Array:
        y = np.abs(x)
        return np.asarray(np.sign(x) * (0.5 * y * y + (np.pi**2 / 12 + spence(1 + np.exp(-2 * y))) / 2 - np.log(2) * y))

    large = np.maximum(b, SERIES)
    exact = (integral(a + large) - integral(a - large)) / (2 * large)
    return np.where(b < SERIES, log_cosh(a) + b * b / (6 * np.cosh(np.minimum(np.abs(a), 300)) ** 2), exact)


@kernel
def newton(a, field, s, b):
    """The root of A - b - s L(A, B) that Newton's rule comes to from `a` without stepping over it."""
    for _ in range(100):
        if b < 0.1 or abs(a) < 1.0:  # else tanh A tanh B may round to 1
            there = math.atanh(math.tanh(a) * math.tanh(b))
        else:
            there = 0.5 * (log_cosh_of(a + b) - log_cosh_of(a - b))
        rise = 1.0 - 0.5 * s * (math.tanh(a + b) - math.tanh(a - b))
        if rise == 0.0:
            break
        step = (a - field - s * there) / rise
        a -= step
        if abs(step) <= 1e-15 * (1.0 + abs(a)):
            break
    return a


@kernel
def solve_states(field, s, b, two, found):
    """Dense, dilute and unstable state at every point, into `found`, shape (3, n); field: over t; two: both exist."""
    for i in range(field.size):
        h = field[i]
        if h >= 0.0 or two[i]:
            found[0, i] = newton(h + s[i] * b[i], h, s[i], b[i])
        if h < 0.0 or two[i]:
            found[1, i] = -newton(-h + s[i] * b[i], -h, s[i], b[i])
        if two[i]:
            found[2, i] = newton(0.0, h, s[i], b[i])  # where the left side falls, and is bent towards the root


class Law(NamedTuple):
    """A theory at temperatures t and fields h: A = h/t + s L(A, D/t)."""

    on_a_tree: bool
    t: Array
    spread: Array  # D; 1 on a tree

    @property
    def s(self) -> Array:
        return np.asarray((NEIGHBOURS - 1.0) + 0 * self.t if self.on_a_tree else NEIGHBOURS / self.spread)

    @property
    def b(self) -> Array:
        return np.asarray(self.spread / self.t)

    def at(self, t: Array) -> Law:
        return Law(self.on_a_tree, t, self.spread)

    @property
    def order(self) -> Array:
        """Positive where two states exist without a field, zero at the critical temperature."""
        return np.asarray(self.s * np.tanh(self.b) - 1)

    @property
    def limit(self) -> Array:
        """A at the spinodal; 0 above the critical temperature."""
        with np.errstate(over="ignore"):
            return np.asarray(0.5 * np.arccosh(np.maximum(self.s * np.sinh(2 * self.b) - np.cosh(2 * self.b), 1.0)))

    @property
    def spinodal(self) -> Array:
        """Field at which the state against it ends; negative above the critical temperature."""
        a = self.limit
        return np.where(self.order > 0, self.t * (self.s * passed(a, self.b) - a), self.order)

    def field(self, a: Array) -> Array:
        """The field h of a state A."""
        return np.asarray(self.t * (a - self.s * passed(a, self.b)))

    def magnetization(self, a: Array) -> Array:
        return np.tanh(a + passed(a, self.b)) if self.on_a_tree else passed(a, self.b) / self.b

    def state_of(self, m: Array) -> Array:
        """A of the uniform state with a magnetization."""
        if not self.on_a_tree:
            return np.arctanh(np.tanh(m * self.b) / np.tanh(self.b))
        k = np.tanh(self.b)
        return np.arctanh(2 * m / (1 + k + np.sqrt((1 + k) ** 2 - 4 * m * m * k)))

    def states(self, h: Array) -> tuple[Array, Array, Array]:
        """A of the state along the field or, as long as that exists, against it; of its mirror image; and of the one
        between them; NaN where there is none.
        """
        found = np.full((3, self.t.size), np.nan)
        two = (self.order > 0) & (np.abs(h) <= self.spinodal)
        solve_states(h / self.t, self.s, self.b, two, found)
        return found[0], found[1], found[2]

    def dense(self, h: Array) -> Array:
        """A of the state along the field, or against it as long as that exists; NaN elsewhere."""
        return self.states(h)[0]

    def energy(self, a: Array, h: Array) -> Array:
        """Per site, with the field's."""
        m = self.magnetization(a)
        if self.on_a_tree:
            bond, cavity = np.tanh(self.b), np.tanh(a) ** 2
            return np.asarray(-0.5 * NEIGHBOURS * (bond + cavity) / (1 + bond * cavity) - h * m)
        bound = 0.5 * (log_cosh(a + self.b) + log_cosh(a - self.b)) - averaged_log_cosh(a, self.b)
        return np.asarray(-0.5 * NEIGHBOURS * m * m - h * m - self.t * bound)

    def free_energy(self, a: Array) -> Array:
        w = passed(a, self.b)
        if not self.on_a_tree:
            m = w / self.b
            return np.asarray(0.5 * NEIGHBOURS * m * m - self.t * (averaged_log_cosh(a, self.b) + np.log(2)))
        c = NEIGHBOURS
        around = 0.5 * c * (log_cosh(self.b) + log_cosh(a) - log_cosh(w))
        return np.asarray(-self.t * (np.log(2) + (1 - 0.5 * c) * log_cosh(a + w) + around))

    def heat(self, a: Array, h: Array) -> Array:
        """Specific heat at a fixed field: the change of the energy along the branch."""
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = h + self.s * self.spread * slope(self.b, a)
            turn = turn / (1 - self.s * slope(a, self.b))  # dA/d(1/t)
            step = 1e-4 / self.t / (1 + np.abs(turn) / self.t)
            warm, cold = (self.at(1 / (1 / self.t + sign * step)) for sign in (-1, 1))
            rise = cold.energy(a + step * turn, h) - warm.energy(a - step * turn, h)
            return np.asarray(-rise / (2 * step * self.t**2))

    def heat_of(self, m: Array) -> Array:
        """Specific heat of the uniform state at a fixed magnetization."""
        step = 1e-4 * self.t
        energies = []
        for law in (self.at(self.t + step), self.at(self.t - step)):
            a = law.state_of(m)
            energies.append(law.energy(a, law.field(a)) + law.field(a) * m)
        return np.asarray((energies[0] - energies[1]) / (2 * step))


def bragg_williams(temperature: Array, disorder: Array) -> Law:
    """Mean field at temperatures T, site energies spread over (-disorder, disorder)."""
    return Law(False, 4.0 * temperature, np.maximum(2.0 * disorder, EVEN) + 0 * temperature)


def bethe(temperature: Array) -> Law:
    """The Bethe lattice with four neighbours."""
    return Law(True, 4.0 * temperature, np.ones_like(temperature))
