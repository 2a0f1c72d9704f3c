"""Statistics of neighbouring levels of a spectrum: do they repel?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POISSON_RATIO = 2 * math.log(2) - 1  # mean gap ratio of independent levels
ORTHOGONAL_RATIO = 0.5307  # of large real symmetric random matrices (Atas, Bogomolny, Giraud and Roux 2013)


def gap_ratios(levels: Floats) -> Floats:
    """Smaller over larger of every two neighbouring gaps, in [0, 1]; needs no unfolding.

    Args:
        levels: ascending, shape (n,) with n >= 3.

    Returns:
        Shape (n - 2,). Two gaps that both vanish have the ratio 0.
    """
    gaps = np.diff(levels)
    smaller, larger = np.minimum(gaps[1:], gaps[:-1]), np.maximum(gaps[1:], gaps[:-1])
    return np.asarray(smaller / np.where(larger > 0, larger, 1.0))


def poisson_ratio_density(ratio: Floats) -> Floats:
    """Density of the gap ratio of independent levels, on [0, 1]."""
    return np.asarray(2 / (1 + ratio) ** 2)


def orthogonal_ratio_density(ratio: Floats) -> Floats:
    """Density of the gap ratio for real symmetric random matrices, on [0, 1]: exact for 3 x 3 (mean 4 - 2 sqrt 3 =
    0.5359), within 1.5% for large ones.
    """
    return np.asarray(27 / 4 * (ratio + ratio**2) / (1 + ratio + ratio**2) ** 2.5)
