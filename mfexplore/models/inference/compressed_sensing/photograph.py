"""A photograph that is shipped with scikit-learn, and what is kept of its wavelets."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.space.wavelets import haar, scales


@lru_cache(maxsize=4)
def photograph(side: int) -> Array:
    """A summer palace in grey, square, with zero mean, shape (side, side)."""
    from sklearn.datasets import load_sample_image

    grey = np.asarray(load_sample_image("china.jpg"), np.float64).mean(axis=2)
    block = min(grey.shape) // side
    top, left = ((n - block * side) // 2 for n in grey.shape)
    square = grey[top : top + block * side, left : left + block * side]
    small = square.reshape(side, block, side, block).mean(axis=(1, 3))
    return small - small.mean()


@lru_cache(maxsize=16)
def sparse_photograph(side: int, sparsity: float) -> tuple[Array, Array]:
    """(signal, strength), shape (side^2,): the largest Haar coefficients of the photograph are signal * strength, the
    others left out; the strength is the same within a scale, and the mean square of the non-zero signal one there.
    """
    coefficients = haar(photograph(side)).ravel()
    kept = np.zeros(coefficients.size, bool)
    kept[np.argsort(-np.abs(coefficients))[: max(1, round(sparsity * coefficients.size))]] = True
    scale = scales(side).ravel()
    strength = np.ones(coefficients.size)
    for level in np.unique(scale[kept]):
        here = scale == level
        strength[here] = math.sqrt(float(np.mean(coefficients[here & kept] ** 2)))
    return np.where(kept, coefficients / strength, 0.0), strength
