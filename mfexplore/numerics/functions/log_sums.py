"""Sums of numbers of which only the logarithms can be written down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def log_sum_exp(logs: Array, axis: int = -1) -> Array:
    """Logarithm of the sum of exponentials along an axis, -inf for a sum of nothing but zeros (logs of -inf). SciPy's
    takes a millisecond to begin.
    """
    top = np.maximum(logs.max(axis=axis, keepdims=True), -1e300)
    with np.errstate(divide="ignore"):
        return np.asarray(np.squeeze(top, axis) + np.log(np.exp(logs - top).sum(axis=axis)))
