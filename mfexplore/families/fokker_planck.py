r"""Diffusions on a line: stationary law, passage times, survival and the density in time.

A density p(x, t) with drift mu(x) and diffusion D(x) = sigma^2/2 (Ito) follows

    dp/dt = -dJ/dx,    J = mu p - d(D p)/dx = -exp(Phi) d(p D exp(-Phi))/dx,    Phi' = mu / D

so that without flux p D = exp(Phi). Two discretisations, each where it is best:

- *Panels* of Gauss points hold Phi to rounding errors, whatever its height: the stationary law and the mean
  first-passage times are integrals over exp(Phi) and exp(-Phi), of which logarithms are kept. Any coordinate s may be
  used, x = x(s): where the law has a power at an end of x, its logarithm is a straight line in s.
- *Cells*, with the flux of Scharfetter and Gummel between them, make the diffusion a chain that hops to neighbours. It
  is in detailed balance with the masses exp(Phi)/D of the cells to rounding errors, however coarse they are, so all of
  `families.birth_death` holds for it. Its implicit step keeps what is positive positive, mass, and the decay of entropy
  for any duration.

Sources: Scharfetter and Gummel, IEEE Trans. Electron Devices 16, 64 (1969); Gardiner, Stochastic Methods (2009),
sections 5.2.7 and 5.5.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.polynomial import legendre
from scipy.linalg.lapack import dgtsv
from scipy.special import exprel

from mfexplore.core import Array

ORDER = 12  # Gauss points of a panel
_POINTS, _WEIGHTS = legendre.leggauss(ORDER)


def _partial() -> Array:
    """[i, j]: integral from -1 to Gauss point i of the polynomial that is 1 at Gauss point j and 0 at the others."""
    coefficients = np.linalg.inv(legendre.legvander(_POINTS, ORDER - 1))
    partial: Array = legendre.legval(_POINTS, legendre.legint(coefficients, lbnd=-1, axis=0)).T
    return partial


_PARTIAL = _partial()


# -- panels ------------------------------------------------------------------------------------------------------------


def gauss_points(edges: Array) -> tuple[Array, Array]:
    """Points of panels, shape (m, ORDER), and the half lengths of the panels, shape (m,), from m + 1 edges.

    A panel resolves exp(Phi) if Phi changes by 4 or less along it.
    """
    half = np.diff(edges) / 2
    middle = (edges[1:] + edges[:-1]) / 2
    return middle[:, None] + half[:, None] * _POINTS, half


def panel_integrals(integrand: Array, half: Array) -> Array:
    """Integral over each panel, shape (..., m), of an integrand of shape (..., m, ORDER)."""
    return np.asarray(half * (integrand @ _WEIGHTS))


def potential(slope: Array, half: Array) -> Array:
    """Phi at the points, 0 at the first edge, from its slope mu/D (times dx/ds); both of shape (..., m, ORDER)."""
    whole = panel_integrals(slope, half)
    before = np.cumsum(whole, axis=-1) - whole
    found: Array = before[..., None] + half[:, None] * (slope @ _PARTIAL.T)
    return found


def log_integrals(log_integrand: Array, half: Array, before: Array | float = -np.inf) -> Array:
    """Logarithm of the integral up to every edge, shape (..., m + 1), of a positive integrand of shape (..., m, ORDER).

    before: logarithm of the integral up to the first edge, shape (...).
    """
    highest = log_integrand.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        whole = highest[..., 0] + np.log(panel_integrals(np.exp(log_integrand - highest), half))
    first = np.broadcast_to(np.asarray(before, np.float64), whole.shape[:-1])[..., None]
    found: Array = np.logaddexp.accumulate(np.concatenate([first, whole], axis=-1), axis=-1)
    return found


def log_passage_times(
    phi: Array, log_length: Array | float, log_mass: Array, half: Array, before: Array | float = -np.inf
) -> Array:
    """Logarithm of the mean time to climb each panel for the first time, shape (..., m): from its lower to its upper
    edge, with whatever lies below it in reach. logsumexp over panels is the time for all of them.

    Args:
        phi: Phi at the points, shape (..., m, ORDER).
        log_length: logarithm of dx/ds there (0 where s = x).
        log_mass: logarithm of exp(Phi)/D dx/ds there, the stationary law in s.
        half: half lengths of the panels, shape (m,).
        before: logarithm of the mass below the first edge, shape (...); -inf where that reflects.
    """
    below = log_integrals(log_mass, half, before)[..., :-1, None]
    highest = log_mass.max(axis=-1, keepdims=True)
    within = half[:, None] * (np.exp(log_mass - highest) @ _PARTIAL.T)
    scale = np.maximum(below, highest)
    mass = np.exp(below - scale) + np.exp(highest - scale) * np.maximum(within, 0.0)
    exponent = log_length - phi
    least = exponent.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        times = np.log(panel_integrals(np.exp(exponent - least) * mass, half))
    found: Array = times + (least + scale)[..., 0]
    return found


# -- cells -------------------------------------------------------------------------------------------------------------


def bernoulli(z: Array) -> Array:
    """z/(exp(z) - 1), the weight of a hop against a step z of the potential."""
    return np.asarray(1.0 / exprel(z))


def hops(step: Array, diffusion: Array, width: Array | float, gap: Array | float) -> tuple[Array, Array]:
    """Rates of hopping from each cell to the next and to the one before, shape (n,), after Scharfetter and Gummel.

    Args:
        step: Phi of the next cell minus that of this one, shape (n - 1,): the ends reflect. Or of shape (n,): then the
            next of the last is the first (a ring).
        diffusion: D in the cells, shape (n,). With exp(Phi) width/mass for it, these are the stationary masses.
        width: of the cells, shape (n,). gap: distance between the middles of neighbours, shape of `step`.
    """
    up, down = np.zeros(len(diffusion)), np.zeros(len(diffusion))
    here = np.arange(len(step))
    there = (here + 1) % len(diffusion)
    rate = diffusion / width
    up[here] = rate[here] * bernoulli(-step) / gap
    down[there] = rate[there] * bernoulli(step) / gap
    return up, down


def implicit_step(mass: Array, up: Array, down: Array, duration: float, ring: bool = False) -> Array:
    """Masses of the cells, shape (n,) or (n, k) for k of them at once, a `duration` later by one backward Euler step.

    Whatever the duration, what is positive stays positive, and mass is kept. What hops up from the last cell or down
    from the first one arrives at the other end of a `ring`; else it is gone (`hops` gives reflecting ends the rate 0).
    """
    below, middle, above = -duration * up[:-1], 1.0 + duration * (up + down), -duration * down[1:]
    if not ring:
        return np.asarray(dgtsv(below, middle, above, mass)[3])
    # The corners of a ring, as one outer product (Sherman and Morrison): -duration (up[-1] e_0 e_n + down[0] e_n e_0).
    arrives, leaves, first = duration * up[-1], duration * down[0], middle[0]
    middle[0] += first
    middle[-1] += arrives * leaves / first
    corner = np.zeros(len(up))
    corner[0], corner[-1] = -first, -leaves
    plain, bent = (dgtsv(below, middle, above, side)[3] for side in (mass, corner))
    ratio = arrives / first
    excess = (plain[0] + ratio * plain[-1]) / (1.0 + bent[0] + ratio * bent[-1])
    return np.asarray(plain - (bent[:, None] if plain.ndim > 1 else bent) * excess)


def follow(mass: Array, up: Array, down: Array, times: Array, longest: float, ring: bool = False) -> Iterator[Array]:
    """Masses of the cells at increasing times (at 0 they are `mass`), to second order in the steps, at most `longest`.

    Every step is an implicit one extrapolated from its two halves: fast modes are gone, slow ones accurate, mass is
    kept; values may fall below 0 by the error of a step.
    """
    now = 0.0
    for time in times:
        steps = int(np.ceil((time - now) / longest - 1e-9))
        for _ in range(steps):
            duration = (time - now) / steps
            half = implicit_step(mass, up, down, duration / 2, ring)
            mass = 2 * implicit_step(half, up, down, duration / 2, ring) - implicit_step(mass, up, down, duration, ring)
        now = float(time)
        yield mass
