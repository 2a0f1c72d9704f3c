"""Boundaries of the theories of a scalar field as smooth curves, and the free field by a sum over waves."""

from __future__ import annotations

from functools import cache

import numpy as np

from mfexplore.core import Array
from mfexplore.families.lattice_spins.lattice_green import green
from mfexplore.models.lattices.phi4_field import theory
from mfexplore.models.lattices.phi4_field.theory import CHAINS, SITES
from mfexplore.numerics.functions.quadrature import gauss_legendre

WEAKEST, STRONGEST = 0.1, 2.0  # coupling lambda


def green_by_waves(mass: float, dimension: int) -> float:
    """G of eq. (6) by the exact integral over two directions, and a plain sum over the third."""
    if dimension == 2:
        return float(green(np.array(0.5 * mass), triangular=False)[0]) / 2
    t, weight = gauss_legendre(200)
    angle, slope = np.pi * t**3, 3 * np.pi * t**2  # crowded where a light field is nearly singular
    g = green(0.5 * (mass + 4 * np.sin(0.5 * angle) ** 2), triangular=False)[0] / 2
    return float((weight * slope * g).sum() / np.pi)


@cache
def line(name: str, dimension: int) -> Array:
    """A boundary of one of the theories, as a series of Chebyshev polynomials in ln lambda: it is smooth, and a
    point of it takes a search.
    """

    def place(quartic: float) -> float:
        if name == "jump":
            return theory.coexistence(quartic, dimension)
        if name == "fold":
            return theory.fold(quartic, dimension)
        return theory.critical_mass(CHAINS if name == "chain_line" else SITES, quartic, dimension)

    def places(x: Array) -> Array:
        return np.array([place(WEAKEST * (STRONGEST / WEAKEST) ** (0.5 * (1 + one))) for one in x])

    found: Array = np.polynomial.chebyshev.chebinterpolate(places, 20)
    return found
