"""Orthonormal Haar wavelets of a square picture whose side is a power of two."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROOT = math.sqrt(0.5)


def haar(picture: Array) -> Array:
    """Coefficients, shape as the picture: coarse in the top left corner, every finer scale around it."""
    out = np.array(picture, np.float64)
    n = out.shape[0]
    while n > 1:
        block = out[:n, :n]
        rows = np.concatenate([block[0::2] + block[1::2], block[0::2] - block[1::2]]) * ROOT
        out[:n, :n] = np.concatenate([rows[:, 0::2] + rows[:, 1::2], rows[:, 0::2] - rows[:, 1::2]], axis=1) * ROOT
        n //= 2
    return out


def inverse_haar(coefficients: Array) -> Array:
    """The picture that has these coefficients."""
    out = np.array(coefficients, np.float64)
    n = 2
    while n <= out.shape[0]:
        half = n // 2
        for axis in (1, 0):
            block = np.moveaxis(out[:n, :n], axis, 0)
            mean, difference = block[:half].copy(), block[half:].copy()
            block[0::2], block[1::2] = (mean + difference) * ROOT, (mean - difference) * ROOT
        n *= 2
    return out


def scales(side: int) -> NDArray[np.int64]:
    """The scale of every coefficient, shape (side, side): 0 for the mean, k for details of side / 2^(k-1) pixels."""
    reach = np.ceil(np.log2(np.arange(side) + 1)).astype(np.int64)  # 0, 1, 2, 2, 3, 3, 3, 3, ...
    return np.maximum(reach[:, None], reach)
