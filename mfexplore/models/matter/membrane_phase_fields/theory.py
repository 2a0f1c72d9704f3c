"""Energies of diffuse membranes relative to sharp ones, and of a membrane's domain that is a spherical cap."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ellipj, ellipk

from mfexplore.core import Array
from mfexplore.core.bracketing import bisected
from mfexplore.numerics.functions.quadrature import gauss_legendre

SURFACE = 2 * math.sqrt(2) / 3  # c_0, the integral of sqrt(2W) from -1 to 1
RIM = 2.404825557695773  # first zero of the Bessel function J_0
SHALLOW, BARRIER, BUD = range(3)
# The interface: so many widths on either side, and not nearer to the centre than this part of R
REACH, CENTRE = 9.0, 0.02
_T, _WEIGHT = gauss_legendre(200)


def moment(width: Array, power: float) -> Array:
    """Mean of (r/R)^power over the interface of width eps/R, weighted with q'^2."""
    width = np.asarray(width, np.float64)[..., None]
    low = np.maximum(-REACH, (CENTRE - 1) / width)
    length = REACH - low
    distance = low + length * _T
    weight = length * _WEIGHT * 0.5 / np.cosh(distance / math.sqrt(2)) ** 4 / SURFACE  # q'^2, of the sum c_0
    return np.asarray(((1 + width * distance) ** power * weight).sum(axis=-1))


def kinks_on_a_ring(edge: Array) -> tuple[Array, Array]:
    """Gradient and potential energy of a kink, each over c_0/2, where two of them share a ring: delta/R = edge < 1.

    v = sqrt(2m/(1 + m)) sn(x/(delta sqrt(1 + m)), m), whose period 4 K(m) delta sqrt(1 + m) is the ring's length.
    """
    edge = np.asarray(edge, np.float64)

    def is_short(m: Array) -> Array:
        return np.asarray(4 * ellipk(m) * np.sqrt(1 + m) * edge < 2 * np.pi)

    m = np.clip(bisected(is_short, np.zeros_like(edge), np.ones_like(edge), 80), 0.0, 1.0 - 1e-16)
    quarter = np.minimum(ellipk(m), 40.0)
    u = quarter[..., None] * _T
    sn, cn, dn, _ = ellipj(u, np.broadcast_to(m[..., None], u.shape))
    height = 2 * m / (1 + m)
    slope = (height / (1 + m))[..., None] * (cn * dn) ** 2
    well = 0.25 * (1 - height[..., None] * sn**2) ** 2
    length = (quarter * np.sqrt(1 + m))[..., None] * _WEIGHT  # in delta, of half a kink
    gradient, potential = (2 * (part * length).sum(axis=-1) / (SURFACE / 2) for part in (0.5 * slope, well))
    return gradient, potential


def cap_energy(depth: Array, tension: Array, spontaneous: Array) -> Array:
    """E/(2 pi kappa) of a spherical cap."""
    rim = np.sqrt(np.maximum(1 - depth**2 / 4, 0))
    return np.asarray((depth - spontaneous) ** 2 + tension * rim)


def spinodal(spontaneous: Array) -> Array:
    """Line tension L/xi at which the shallow cap ends: (L C_0/2)^(2/3) + (L/8 xi)^(2/3) = 1."""
    return np.asarray(8 * np.maximum(1 - (np.abs(spontaneous) / 2) ** (2 / 3), 0) ** 1.5)


def stationary(tension: Array, spontaneous: Array) -> tuple[Array, Array]:
    """Depths of the shallow cap and of the barrier; NaN beyond the spinodal.

    The derivative of the energy is concave in the depth and largest at 2 sqrt(1 - (L/8 xi)^(2/3)): one root on each
    side.
    """
    exists = tension < spinodal(spontaneous)
    top = 2 * np.sqrt(np.maximum(1 - (np.minimum(tension, 8.0) / 8) ** (2 / 3), 0))

    def falls(depth: Array) -> Array:  # the energy, with the depth
        rim = np.sqrt(np.maximum(1 - depth**2 / 4, 0))  # times it the derivative has no pole at a closed bud
        return np.asarray(2 * (depth - spontaneous) * rim - tension * depth / 4 < 0)

    shallow = bisected(falls, np.zeros_like(top), top, 60)
    barrier = bisected(lambda depth: ~falls(depth), top, np.full_like(top, 2.0), 60)
    shallow = np.where(exists & (spontaneous == 0), 0.0, np.where(exists, shallow, np.nan))
    return shallow, np.where(exists & (tension > 0), barrier, np.nan)


def budding(spontaneous: Array) -> Array:
    """Line tension at which the shallow cap and the closed bud have the same energy.

    If a cap of depth x = LC is at rest and costs as much as the bud, x = 2 or x^2 + 2x = 4 LC_0: the second is the
    shallow cap, x = s - 1, whose line tension is that at which it rests.
    """
    s = np.sqrt(1 + 4 * spontaneous)
    return np.asarray(2 * (3 - s) * np.sqrt(1 - (s - 1) ** 2 / 4))
