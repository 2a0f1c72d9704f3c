"""Variational gradient descent: second moments of the way to the target, and which steps are too long."""

from __future__ import annotations

import numpy as np

from mfexplore.core import Array

FAMILIES = ("mean_field", "full_rank")
LOST = 1e30  # mean square distance at which a run has diverged
LOUD = 0.6  # of the critical step, from which the noise is more than a perturbation


def proximal(scale: Array, step: Array | float) -> Array:
    """The scale that the entropy makes of one, eq. (2); its sign stays."""
    return np.asarray(np.copysign((np.abs(scale) + np.sqrt(scale**2 + 4 * step)) / 2, scale))


def second_moments(step: Array, samples: Array, row: Array) -> tuple[Array, Array, Array, Array]:
    """The four elements of the matrix of eq. (4), row by row."""
    return (
        (1 - step) ** 2, step**2 / samples,
        row * step**2 / samples, 1 - 2 * step + step**2 * (1 + (row + 1) / samples),
    )  # fmt: skip


def growth(step: Array, samples: Array, row: Array) -> Array:
    """Largest eigenvalue of eq. (4)."""
    a, b, c, d = second_moments(step, samples, row)
    return np.asarray((a + d) / 2 + np.sqrt((a - d) ** 2 / 4 + b * c))


def critical_step(samples: Array, row: Array) -> Array:
    """Eq. (5)."""
    s = 1 + (row + 1) / samples
    return np.asarray(4 / (1 + s + np.sqrt((1 - s) ** 2 + 4 * row / samples**2)))


def settled(step: Array, samples: Array, row: Array) -> Array:
    """Mean square distance of one row and its coordinate from the target, eq. (6); infinite where it never settles."""
    noise = step / samples
    # d = x S, o = y (1 + x) S, e = z [(1 + x) S + 1 + e]: linear in S
    x = noise / (2 - step)
    y = noise * (row - 1) / (2 - step - noise)
    z = noise / 4
    e_of_s, e_alone = z * (1 + x) / (1 - z), z / (1 - z)
    left = 1 - y * (1 + x) - e_of_s
    s = np.where(left > 0, (1 + e_alone) / left, np.inf)
    return np.asarray(s - 1 + x * s)
