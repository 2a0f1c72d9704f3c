r"""Sums over all periodic images of point dipoles (Ewald 1921), and the same for waves on a lattice.

The energy of dipoles is $\tfrac12\sum_{ij}\mu_i^TD_{ij}\mu_j$ with $D=1/r^3-3\,rr^T/r^5$ summed over images. The sum
converges slowly, and at the surface not at all: one half of it is screened and summed in space, the other in waves. The
wave without length is left out, which is a surface that conducts ("tin foil"): a sample has no field of its own shape.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

Array = NDArray[Any]
PRECISE = 6.4  # e^(-6.4^2) = 1.6e-18


def near(displacements: Array, splitting: float) -> Array:
    """The half that is summed in space, at displacements of shape (..., 3) that are not zero; shape (..., 3, 3)."""
    r = np.linalg.norm(displacements, axis=-1)[..., None, None]
    gauss = 2 * splitting / np.sqrt(np.pi) * np.exp(-((splitting * r) ** 2)) / r**2
    screened = erfc(splitting * r) / r**3
    along = displacements[..., :, None] * displacements[..., None, :]
    return np.asarray(
        np.eye(3) * (screened + gauss) - along * (3 * screened / r**2 + gauss * (2 * splitting**2 + 3 / r**2))
    )


def far(waves: Array, splitting: float, density: float) -> Array:
    """The other half: weight of each wave, shape (..., 3) and not zero; shape (..., 3, 3)."""
    square = (waves**2).sum(axis=-1)[..., None, None]
    along = waves[..., :, None] * waves[..., None, :]
    return np.asarray(4 * np.pi * density * along / square * np.exp(-square / (4 * splitting**2)))


def own(splitting: float) -> Array:
    """What a dipole would feel of itself, and must not."""
    return np.asarray(-4 * splitting**3 / (3 * np.sqrt(np.pi)) * np.eye(3))


def in_box(displacements: Array, side: float, splitting: float | None = None) -> Array:
    """D of a cubic box with periodic images, for displacements of shape (n, 3): shape (n, 3, 3). A displacement of zero
    is that of a dipole from its own images.

    splitting: inverse length at which the two halves are parted; the sum does not depend on it.
    """
    a = splitting if splitting is not None else 3.2 / side
    reach = int(np.ceil(PRECISE / (a * side) + 0.5))
    images = side * np.array(list(itertools.product(range(-reach, reach + 1), repeat=3)), np.float64)
    top = int(np.ceil(PRECISE * a * side / np.pi))
    counts = np.array(list(itertools.product(range(-top, top + 1), repeat=3)))
    counts = counts[((counts**2).sum(axis=1) > 0) & ((counts**2).sum(axis=1) <= top**2)]
    waves = 2 * np.pi / side * counts
    weights = far(waves, a, 1 / side**3).reshape(-1, 9)
    found = np.cos(displacements @ waves.T) @ weights
    found = found.reshape(-1, 3, 3)
    for k, one in enumerate(displacements):
        places = one - side * np.round(one / side) - images
        away = (places**2).sum(axis=1) > 1e-12 * side**2
        close = away & ((places**2).sum(axis=1) < (PRECISE / a) ** 2)
        found[k] += near(places[close], a).sum(axis=0)
        if not away.all():
            found[k] += own(a)
    return found


def of_waves(waves: Array, lattice: Array, reciprocal: Array, density: float, splitting: float) -> Array:
    """Sum over an endless Bravais lattice of D(R) cos(k R), R not zero, for waves k of shape (n, 3): shape (n, 3, 3).

    lattice, reciprocal: vectors of both lattices, shapes (l, 3) and (m, 3), with all that matter (zero is among them);
    density: sites per volume. At k = 0 the limit depends on the direction; there it is that of tin foil.
    """
    places = lattice[(lattice**2).sum(axis=1) > 1e-12]
    found = np.cos(waves @ places.T) @ near(places, splitting).reshape(-1, 9)
    for vector in reciprocal:
        wave = waves + vector
        there = (wave**2).sum(axis=1) > 1e-20
        found[there] += far(wave[there], splitting, density).reshape(-1, 9)
    return found.reshape(-1, 3, 3) + own(splitting)
