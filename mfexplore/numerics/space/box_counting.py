"""How a set of points fills the plane: dimensions and lacunarity from the masses of square boxes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.kernel import kernel

Floats = NDArray[np.float64]


@kernel
def count_boxes(points, left, bottom, side, masses):
    """Add 1 to masses[row, column] for every point in that box; points outside the grid are left out.

    points: shape (n, 2); masses: shape (rows, columns); boxes of `side` from the corner (left, bottom).
    """
    rows, columns = masses.shape
    for k in range(points.shape[0]):
        i = math.floor((points[k, 1] - bottom) / side)
        j = math.floor((points[k, 0] - left) / side)
        if 0 <= i < rows and 0 <= j < columns:
            masses[i, j] += 1


def box_masses(points: Floats, side: float, window: tuple[float, float, float, float]) -> NDArray[np.int64]:
    """Number of points in every box of the grid that covers the window (left, right, bottom, top)."""
    left, right, bottom, top = window
    shape = max(1, int(np.ceil((top - bottom) / side))), max(1, int(np.ceil((right - left) / side)))
    masses = np.zeros(shape, np.int64)
    count_boxes(points, left, bottom, side, masses)
    return masses


def bounding_window(points: Floats) -> tuple[float, float, float, float]:
    """(left, right, bottom, top), a little wider than the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    slack = 1e-9 * (1 + np.abs(high - low).max())
    return float(low[0] - slack), float(high[0] + slack), float(low[1] - slack), float(high[1] + slack)


def renyi_dimensions(points: Floats, orders: Floats, finest: float, levels: int) -> Floats:
    """Generalised dimensions D_q of the mass: the slope of ln(sum of p^q)/(q - 1) against ln(side), where p is the
    share of the points in a box (for q = 1, of the sum of p ln p).

    Args:
        points: shape (n, 2).
        orders: the q, shape (k,).
        finest, levels: the sides compared are finest, 2 finest, 4 finest, ...; levels >= 2 of them.

    Returns:
        Shape (k,). Every sum is the mean over four shifted grids, since one grid may happen to lie well.
    """
    left, right, bottom, top = bounding_window(points)
    widest = finest * 2 ** (levels - 1)
    sums = np.zeros((len(orders), levels))
    for shift_x, shift_y in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):
        window = left - shift_x * widest, right + widest, bottom - shift_y * widest, top + widest
        masses = box_masses(points, finest, window)
        rows, columns = (-(-n // 2 ** (levels - 1)) * 2 ** (levels - 1) for n in masses.shape)
        masses = np.pad(masses, ((0, rows - masses.shape[0]), (0, columns - masses.shape[1])))
        for level in range(levels):
            share = masses[masses > 0] / len(points)
            for row, q in enumerate(orders):
                sums[row, level] += np.sum(share * np.log(share)) if q == 1 else np.log(np.sum(share**q)) / (q - 1)
            masses = masses.reshape(masses.shape[0] // 2, 2, -1, 2).sum(axis=(1, 3)) if level < levels - 1 else masses
    slopes = np.polyfit(math.log(2) * np.arange(levels), sums.T / 4, 1)[0]
    return np.asarray(slopes)


def lacunarity(points: Floats, side: float, window: tuple[float, float, float, float]) -> float:
    """Mean of M^2 over the squared mean of M, where M is the mass of a box in the window (empty ones count):
    1 for an even filling, larger the more and the larger the holes.
    """
    masses = box_masses(points, side, window).ravel()
    mean = masses.mean()
    return float(np.mean(masses.astype(np.float64) ** 2) / mean**2) if mean > 0 else 1.0
