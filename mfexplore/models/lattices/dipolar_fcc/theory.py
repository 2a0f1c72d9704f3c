"""Two theories of dipoles on the face-centred cubic lattice: one dipole in a mean field, and the spherical model."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import i0e, i1e

from mfexplore.core import Array
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.later import brentq
from mfexplore.numerics.space import ewald

LORENTZ = 4 * math.pi * math.sqrt(2) / 3  # field of aligned dipoles, nearest neighbours at distance 1
CUBE = math.sqrt(2)  # side of the conventional cell
GRIDS = 6, 8, 12  # waves along each side of the zone
SPLITTING = 2.4
TINY = 1e-7  # magnetization taken as none

AXES, AXIS_WEIGHTS = gauss_legendre(20)  # cosine between an axis and the field
GRADED, GRADED_WEIGHTS = gauss_legendre(36)


class Averages(NamedTuple):
    """Of one dipole, averaged over the directions of its axis; each of shape (n,)."""

    along: Array  # component along the field
    square: Array  # its variance
    on_axis: Array  # (n mu)^2
    log_z: Array


def one_dipole(field: Array, anisotropy: Array) -> Averages:
    """A unit vector with the weight e^(field mu_z + anisotropy (n mu)^2), both of shape (n,) and in units of T.

    Its component x along the axis is integrated with nodes that crowd where the anisotropy pulls it, the angle around
    the axis in closed form.
    """
    h, k = (np.asarray(one, np.float64)[:, None, None] for one in (field, anisotropy))
    rate = np.maximum(np.log1p(2 * k + np.abs(h)), 1e-6)  # without a pull the nodes are as they are
    x = 1 - np.expm1(rate * GRADED) / np.expm1(rate)
    weight = GRADED_WEIGHTS * rate * np.exp(rate * GRADED) / np.expm1(rate)
    u = AXES[None, :, None]
    across = np.sqrt((1 - u**2) * np.maximum(1 - x**2, 0))
    a, along = h * across, u * x
    logs = k * (x**2 - 1) + np.abs(a) + h * along
    top = logs.max(axis=-1, keepdims=True)
    around = i0e(a)
    ahead = weight * around * np.exp(logs - top)
    back = ahead * np.exp(-2 * h * along)  # the other end of the axis
    z = (ahead + back).sum(axis=-1)
    both, difference = (ahead + back) / z[..., None], (ahead - back) / z[..., None]
    ratio = i1e(a) / around  # mean cosine of the angle around the axis
    cosine_square = 1 - np.where(np.abs(a) > 1e-6, ratio / np.where(np.abs(a) > 1e-6, a, 1), 0.5)
    first = (difference * along + both * across * ratio).sum(axis=-1)
    second = (both * (along**2 + across**2 * cosine_square) + 2 * difference * along * across * ratio).sum(axis=-1)
    log_z = np.log(z) + top[..., 0] + k[..., 0]

    def averaged(of_axis: Array) -> Array:
        return np.asarray(of_axis @ AXIS_WEIGHTS)

    return Averages(averaged(first), averaged(second - first**2), averaged((both * x**2).sum(axis=-1)), averaged(log_z))


def magnetization(temperature: Array, anisotropy: Array) -> tuple[Array, Array]:
    """Eq. (3) by Newton's method from above: (m, residual), each of shape (n,); 0 from the critical temperature on."""
    t, k = np.asarray(temperature, np.float64), np.asarray(anisotropy, np.float64) / temperature
    m = np.where(t < LORENTZ / 3, 1.0, 0.0)
    residual = np.zeros_like(m)
    active = np.flatnonzero(m)
    for _ in range(60):
        found = one_dipole(LORENTZ * m[active] / t[active], k[active])
        gap = m[active] - found.along
        slope = 1 - LORENTZ / t[active] * found.square
        residual[active] = np.abs(gap)
        step = np.where(slope > 0, gap / np.where(slope > 0, slope, 1), 0.5 * m[active])
        m[active] = np.clip(m[active] - step, TINY, 1.0)
        active = active[np.abs(step) > 1e-14]
        if not active.size:
            break
    return m, residual


def ising_magnetization(temperature: float) -> float:
    """Of an endless anisotropy: every dipole along its axis, m = int_0^1 u tanh(Lambda m u / T) du."""
    if temperature >= LORENTZ / 3:
        return 0.0

    def gap(m: float) -> float:
        return float(m - AXIS_WEIGHTS @ (AXES * np.tanh(LORENTZ * m * AXES / temperature)))

    found: float = brentq(gap, 1e-6, 1.0, xtol=1e-14)
    return found


# -- spherical model -----------------------------------------------------------------------------------------------


@cache
def couplings(points: int, splitting: float = SPLITTING) -> Array:
    """Eigenvalues of J(k) on a grid of the Brillouin zone that avoids k = 0; shape (points^3, 3).

    The sum over sites k goes with the primitive cell, whose reciprocal vectors span the grid.
    """
    primitive = CUBE / 2 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
    dual = 2 * np.pi * np.linalg.inv(primitive).T
    steps = np.array(list(itertools.product(range(-8, 9), repeat=3)), np.float64)
    lattice, reciprocal = steps @ primitive, steps @ dual
    lattice = lattice[(lattice**2).sum(axis=1) < (ewald.PRECISE / splitting) ** 2]
    longest = 2 * splitting * ewald.PRECISE + np.linalg.norm(dual, axis=1).max()
    reciprocal = reciprocal[(reciprocal**2).sum(axis=1) < longest**2]
    half = np.arange((points + 1) // 2)  # the other half of the zone has the same values
    grid = np.array(list(itertools.product(half, range(points), range(points))), np.float64)
    waves = ((grid + 0.5) / points - 0.5) @ dual
    return np.asarray(np.linalg.eigvalsh(-ewald.of_waves(waves, lattice, reciprocal, CUBE, splitting)))


def response(z: float) -> float:
    """Mean of tr 1/(z - J(k)) over the zone: from three grids, whose errors where z touches the largest eigenvalue are
    of first and third order in the distance of their points.
    """
    n = np.array(GRIDS, np.float64)
    shares = np.linalg.solve(np.stack([n**0, 1 / n, n**-3.0]), [1.0, 0.0, 0.0])
    return float(sum(w * (1 / (z - couplings(k))).sum(axis=1).mean() for w, k in zip(shares, GRIDS, strict=True)))


@cache
def spherical_temperature() -> float:
    """Eq. (5): below it the wave without length takes up what is left."""
    return 1 / response(LORENTZ)


@cache
def multiplier(temperature: float) -> float:
    """The z of eq. (4)."""
    if temperature <= spherical_temperature():
        return LORENTZ
    found: float = brentq(lambda z: temperature * response(z) - 1, LORENTZ, LORENTZ + 3 * temperature + 3, xtol=1e-13)
    return found


@cache
def inverse_sixth_powers() -> float:
    """Sum over the lattice of r^-6: whole shells, and an integral beyond."""
    reach = 40
    steps = np.array(list(itertools.product(range(-reach, reach + 1), repeat=3)))
    steps = steps[steps.sum(axis=1) % 2 == 0]
    square = 0.5 * (steps**2).sum(axis=1)
    cut = 0.5 * reach**2
    inside = (square > 0) & (square <= cut)
    return float((square[inside] ** -3.0).sum() + 4 * math.pi * CUBE / (3 * cut**1.5))
